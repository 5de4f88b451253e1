"""One architecture record: what can be computed from the shape of a model.

A record is a plain dict with the keys of :data:`FIELDS`, the shape columns of ``data/models.csv``.
A part that the model does not have is 0, an absent text is "".
"""

from tokenecon.formulas import compute, kv_cache, memory, shapes
from tokenecon.numerics import minimum
from tokenecon.units import FLOP_PER_MULTIPLY_ADD

TEXT_FIELDS = ("kind", "family", "attention", "qk_norm", "dtype", "weights_published", "weights_except", "kv_published")
SHAPE_FIELDS = (
    "layers", "hidden_size", "vocab", "tied", "max_positions",
    # attention per head; `global_` where full layers differ from windowed ones
    "query_heads", "kv_heads", "head_dim", "output_gate", "global_kv_heads", "global_head_dim",
    "global_values",
    # how many layers look back how far
    "full_layers", "window_layers", "window", "linear_layers",
    # latent attention, and the indexer of sparse attention
    "q_lora_rank", "kv_lora_rank", "nope_head_dim", "rope_head_dim", "value_head_dim",
    "index_heads", "index_head_dim", "index_topk",
    # linear attention
    "linear_key_heads", "linear_value_heads", "linear_key_head_dim", "linear_value_head_dim", "linear_conv",
    # feed-forward blocks and experts; a layer may have both
    "ffn_layers", "ffn_size", "ffn_matrices",
    "moe_layers", "experts", "experts_per_token", "expert_size", "shared_size", "shared_gate",
    # biases, norms (vectors of the hidden size) and other small parts
    "qkv_bias", "output_bias", "ffn_bias", "router_bias", "head_bias", "sinks",
    "layer_norms", "router_norms", "final_norms", "position_embeddings",
    # encoder and cross-attention (speech)
    "encoder_layers", "encoder_positions", "encoder_channels",
    # mixers that keep a state: state-space, delta and lightning attention, short convolutions; values of the recurrent ones
    "state_layers", "state_parameters", "state_bytes", "state_values",
    # width of routed experts that work on a compressed vector; layers with an indexer of their own, where not all have one
    "expert_width", "index_layers",
    # groups of experts that a token chooses from, where the model limits them: each lies on a server of its own
    "routed_groups",
    # values that a position keeps in all full and in all windowed layers, where layers share them, compress them or differ
    "cache_values", "window_cache_values",
    # compressed attention: positions that one vector of a full layer stands for, layers that pool even more, and how many
    "compress_every", "pool_layers", "pool_every",
    # parameters of these groups that the columns before do not give: layers that differ, gates, compressors
    "other_attention", "other_ffn", "other_small", "other_encoder",
    # embeddings of each layer; towers for pictures and sound with their projectors; multi-token prediction, in no sum
    "layer_embeddings", "towers", "mtp",
)
MIXERS = ("full_layers", "window_layers", "linear_layers", "state_layers")
SIGNED = ("other_attention", "other_ffn", "other_small", "other_encoder")  # may be below nothing
FIELDS = TEXT_FIELDS + SHAPE_FIELDS


def record(row):
    """The record of a row of ``data/models.csv`` (or of any mapping with those keys); blanks become 0."""
    def number(key):
        value = row.get(key)
        if value is None or value == "" or value != value:
            return 0
        return int(value) if float(value) == int(float(value)) else float(value)

    def text(key):
        value = row.get(key)
        return value if isinstance(value, str) else ""

    return {key: text(key) for key in TEXT_FIELDS} | {key: number(key) for key in SHAPE_FIELDS}


def unserved(shape):
    """What the model of serving does not cover of an architecture; blank where it covers it."""
    if shape["kind"] == "encoder-decoder" or shape["encoder_layers"]:
        return "has an encoder, and this model of serving covers decoders only"
    if shape["kind"] == "cross-attention":
        return ("has layers that attend to pictures or to another model (cross-attention), which this model of serving does not "
                "cover")
    if not any(shape[name] for name in MIXERS):
        return "has no layer that mixes tokens, so there is nothing that this model of serving covers"
    return ""


def parameter_groups(shape):
    """Exact parameters by group: embedding, head, attention, ffn, experts, shared, router, small, encoder, towers, …

    `attention` holds every mixer of tokens; `towers` are read once a picture or a sound, not once a token; `layer_embeddings` are
    looked up. Layers for multi-token prediction are in no group: their parameters are `shape["mtp"]`.
    """
    d, groups = shape["hidden_size"], {}
    groups["embedding"] = shape["vocab"] * d + shape["position_embeddings"] * d
    groups["head"] = (0 if shape["tied"] else shape["vocab"] * d) + shape["head_bias"] * shape["vocab"]
    groups["attention"] = _attention(shape)
    matrices = shape["ffn_matrices"]
    inner = shape["ffn_size"]
    groups["ffn"] = round(shape["ffn_layers"] * shapes.feed_forward_parameters(
        hidden_size=d, intermediate_size=inner, matrices=matrices)) + shape["other_ffn"]
    expert = shapes.feed_forward_parameters(
        hidden_size=shape["expert_width"] or d, intermediate_size=shape["expert_size"], matrices=matrices)
    expert += shape["router_bias"] * ((matrices - 1) * shape["expert_size"] + d)
    groups["experts"] = shape["moe_layers"] * shape["experts"] * expert
    groups["shared"] = shape["moe_layers"] * (shape["shared_gate"] * d + shapes.feed_forward_parameters(
        hidden_size=d, intermediate_size=shape["shared_size"], matrices=matrices))
    groups["router"] = shape["moe_layers"] * shape["experts"] * (d + shape["router_bias"])
    groups["small"] = _small(shape)
    groups["encoder"] = encoder_parameters(shape) + shape["other_encoder"]
    groups["layer_embeddings"] = shape["layer_embeddings"]
    groups["towers"] = shape["towers"]
    return groups


def _attention(shape):
    return softmax_parameters(shape) + shape["state_parameters"] + shape["other_attention"]


def softmax_parameters(shape):
    """Parameters of the attention of all layers, as the columns give them when layers of a kind are alike."""
    d = shape["hidden_size"]
    if shape["attention"] == "compressed":  # its importer counts it: other_attention
        return 0
    if shape["kv_lora_rank"]:
        each = shapes.latent_attention_parameters(
            hidden_size=d, query_heads=shape["query_heads"], q_lora_rank=shape["q_lora_rank"],
            kv_lora_rank=shape["kv_lora_rank"], nope_head_dim=shape["nope_head_dim"],
            rope_head_dim=shape["rope_head_dim"], value_head_dim=shape["value_head_dim"])
        total = shape["full_layers"] * each
        if shape["index_heads"]:
            total += (shape["index_layers"] or shape["full_layers"]) * shapes.indexer_parameters(
                hidden_size=d, q_lora_rank=shape["q_lora_rank"], index_heads=shape["index_heads"],
                index_head_dim=shape["index_head_dim"])
        return total
    per_head = {"hidden_size": d, "query_heads": shape["query_heads"],
                "query_matrices": 1 + shape["output_gate"]}
    local = shapes.attention_parameters(
        kv_heads=shape["kv_heads"], head_dim=shape["head_dim"], value_matrices=1, **per_head)
    full = local
    if shape["global_head_dim"]:
        full = shapes.attention_parameters(
            kv_heads=shape["global_kv_heads"], head_dim=shape["global_head_dim"],
            value_matrices=shape["global_values"], **per_head)
    total = shape["full_layers"] * full + shape["window_layers"] * local
    if shape["linear_layers"]:
        total += shape["linear_layers"] * shapes.linear_attention_parameters(
            hidden_size=d, key_heads=shape["linear_key_heads"], value_heads=shape["linear_value_heads"],
            key_head_dim=shape["linear_key_head_dim"], value_head_dim=shape["linear_value_head_dim"],
            conv_width=shape["linear_conv"])
    return total


def _small(shape):
    """Biases and norms."""
    d, local = shape["hidden_size"], shape["head_dim"]
    glob = shape["global_head_dim"] or local
    softmax_layers = shape["full_layers"] + shape["window_layers"]
    query, keys = shape["query_heads"] * local, shape["kv_heads"] * local
    per_layer = shape["qkv_bias"] * (query + 2 * keys) + shape["output_bias"] * d
    per_layer += shape["sinks"] * shape["query_heads"]
    total = softmax_layers * per_layer
    if shape["qk_norm"] == "head":
        total += 2 * (shape["full_layers"] * glob + shape["window_layers"] * local)
    elif shape["qk_norm"] == "full":
        total += softmax_layers * (query + keys)
    matrices = shape["ffn_matrices"]
    total += shape["ffn_layers"] * shape["ffn_bias"] * ((matrices - 1) * shape["ffn_size"] + d)
    norm_layers = shape["layers"]
    if shape["family"] == "nemotron-nas":  # a removed half of a block takes its norm with it
        norm_layers = (softmax_layers + shape["ffn_layers"]) / 2
    total += (norm_layers * shape["layer_norms"] + shape["final_norms"]) * d
    total += shape["moe_layers"] * shape["router_norms"] * (d + shape["experts"])
    return round(total) + shape["other_small"]


def encoder_parameters(shape):
    """Encoder of a speech model, and the cross-attention that its decoder adds."""
    layers, d = shape["encoder_layers"], shape["hidden_size"]
    if not layers:
        return 0
    attention = 4 * d * d + 3 * d  # query, key, value, output; the key has no bias
    block = 2 * d * shape["ffn_size"] + shape["ffn_size"] + d
    convolutions = (shape["encoder_channels"] + d) * 3 * d + 2 * d  # two of three frames each
    positions = shape["encoder_positions"] * d
    cross = shape["layers"] * (attention + 2 * d)
    return convolutions + positions + layers * (attention + block + 4 * d) + 2 * d + cross


def parameters(shape):
    """Exact total and active parameters of the language model; towers are a group of their own."""
    groups = parameter_groups(shape)
    total = sum(groups.values()) - groups["towers"]
    if not shape["experts"]:
        return {"parameters": total, "active_parameters": total}
    active = shapes.active_parameters(
        parameters=total, expert_parameters=groups["experts"], experts=shape["experts"],
        experts_per_token=shape["experts_per_token"])
    return {"parameters": total, "active_parameters": round(active)}


def cache(shape, *, bytes_per_value):
    """What `formulas.kv_cache.kv_bytes_of_sequence` asks for, but the positions."""
    full = window = 0
    if shape["kv_lora_rank"]:
        full = kv_cache.kv_bytes_per_token_mla(
            layers=shape["full_layers"], kv_lora_rank=shape["kv_lora_rank"],
            rope_head_dim=shape["rope_head_dim"] + shape["index_head_dim"], bytes_per_value=bytes_per_value)
    else:
        full = kv_cache.kv_bytes_per_token(
            layers=shape["full_layers"], kv_heads=shape["global_kv_heads"] or shape["kv_heads"],
            head_dim=shape["global_head_dim"] or shape["head_dim"], bytes_per_value=bytes_per_value)
        window = kv_cache.kv_bytes_per_token(
            layers=shape["window_layers"], kv_heads=shape["kv_heads"], head_dim=shape["head_dim"],
            bytes_per_value=bytes_per_value)
    full = shape["cache_values"] * bytes_per_value or full
    window = shape["window_cache_values"] * bytes_per_value or window
    state = shape["state_bytes"]
    if shape["linear_layers"]:
        values = shape["linear_value_heads"] * shape["linear_value_head_dim"]
        keys = shape["linear_key_heads"] * shape["linear_key_head_dim"]
        recurrent = 4 * values * shape["linear_key_head_dim"]  # engines keep the state in 32 bits
        convolution = 2 * (2 * keys + values) * (shape["linear_conv"] - 1)
        state += shape["linear_layers"] * (recurrent + convolution)
    if shape["encoder_layers"]:
        state += shape["encoder_positions"] * kv_cache.kv_bytes_per_token(
            layers=shape["layers"], kv_heads=shape["kv_heads"], head_dim=shape["head_dim"],
            bytes_per_value=bytes_per_value)
    return {"full_bytes_per_position": full, "window_bytes_per_position": window,
            "window": shape["window"] or shape["max_positions"] or 1, "state_bytes": state}


def kv_bytes_per_token(shape, *, bytes_per_value):
    """Cache that a position adds while the sequence is shorter than any window."""
    parts = cache(shape, bytes_per_value=bytes_per_value)
    return parts["full_bytes_per_position"] + parts["window_bytes_per_position"]


def kv_bytes_of_context(shape, *, positions, bytes_per_value):
    """Cache of one sequence at this length."""
    return kv_cache.kv_bytes_of_sequence(positions=positions, **cache(shape, bytes_per_value=bytes_per_value))


def weight_bytes(shape, precision):
    """Bytes of the weights brought into a row of ``data/precisions.csv``, as :func:`converted` lays them; the rest at 16 bits."""
    formats, total = converted(shape, precision), 0.0
    for group, size in parameter_groups(shape).items():
        bytes_each = bytes_per_param(precision) if precision["id"] in formats[group] else 2.0
        total += memory.weight_bytes(parameters=size, bytes_per_param=bytes_each)
    return total


NARROWED = ("attention", "ffn", "experts", "shared", "encoder")  # groups that a narrow format covers
PLAIN = ("bf16", "fp16", "fp32")


def published(shape):
    """Formats that each group of weights is published in: for every group a dict of precision id and share of the group.

    Made of `weights_published` (blank: 16 bits) and `weights_except`, such as "attention=bf16 head=nvfp4 ffn=fp8:0.25". What
    neither mentions follows the rule: a narrow format covers every matrix in the layers, and embedding, head, routers, norms and
    towers stay at 16 bits. `shape["kv_published"]` is the format of the KV cache, blank where none is stated.
    """
    formats, told = _everywhere(shape, shape["weights_published"] or "bf16", NARROWED), {}
    for word in shape["weights_except"].split():
        group, form = word.split("=")
        form, _, share = form.partition(":")
        told.setdefault(group, {})[form] = float(share or 1)
    for group, shares in told.items():
        left, usual = 1.0 - sum(shares.values()), next(iter(formats[group]))
        formats[group] = shares | ({usual: left} if left > 1e-9 else {})
    return formats


def converted(shape, precision):
    """Formats of each group as :func:`published` gives them, of a model that somebody brought into a row of precisions.csv.

    Four-bit releases of models with latent attention, and MXFP4 of expert models, keep all but the experts at 16 bits.
    """
    experts_only = shape["experts"] > 0 and precision["bits"] < 8 and (
        precision["scope"] == "experts" or shape["kv_lora_rank"] > 0)
    return _everywhere(shape, precision["id"], ("experts",) if experts_only else NARROWED)


def _everywhere(shape, form, narrowed):
    return {group: {form if form in PLAIN or group in narrowed else "bf16": 1.0} for group in parameter_groups(shape)}


def bytes_by_group(shape, formats, *, precisions):
    """Bytes of each group of weights in formats as :func:`published` gives; `precisions` are rows of precisions.csv by id."""
    out = {}
    for group, size in parameter_groups(shape).items():
        out[group] = sum(memory.weight_bytes(parameters=size * share, bytes_per_param=bytes_per_param(precisions[form]))
                         for form, share in formats[group].items())
    return out


def bytes_per_param(row):
    """Bytes of a parameter in a row of precisions.csv, with its scales and zero points."""
    bits = memory.effective_bits(
        value_bits=row["bits"], scale_bits=row["scale_bits"], zero_bits=row["zero_bits"], group_size=row["group_size"])
    return memory.bytes_per_param(bits_per_param=bits)


def summary(shape, *, precisions):
    """Parameters, cache at 16 bits and weight bytes in each of some rows of ``data/precisions.csv``."""
    return parameters(shape) | {
        "kv_bytes_per_token": kv_bytes_per_token(shape, bytes_per_value=2),
        "kv_bytes_of_longest_context": kv_bytes_of_context(
            shape, positions=shape["max_positions"], bytes_per_value=2),
        "weight_bytes": {row["id"]: weight_bytes(shape, row) for row in precisions},
    }


def attention_widths(shape):
    """Attention width of full layers in prefill and in decode, and of windowed layers."""
    heads = shape["query_heads"]
    if shape["kv_lora_rank"]:
        rank, rope = shape["kv_lora_rank"], shape["rope_head_dim"]
        return {
            "prefill": compute.attention_width(
                query_heads=heads, key_head_dim=shape["nope_head_dim"] + rope,
                value_head_dim=shape["value_head_dim"]),
            "decode": compute.attention_width(
                query_heads=heads, key_head_dim=rank + rope, value_head_dim=rank),
            "window": 0.0,
        }
    full, local = shape["global_head_dim"] or shape["head_dim"], shape["head_dim"]
    width = compute.attention_width(query_heads=heads, key_head_dim=full, value_head_dim=full)
    window = compute.attention_width(query_heads=heads, key_head_dim=local, value_head_dim=local)
    return {"prefill": width, "decode": width, "window": window}


def attention_work(shape):
    """What a token attends with, by how far it looks: width times layers, and cached values, for each position in reach.

    `full` layers look at all positions, or at the `reach` that an indexer picks; `window` ones at the last `window`; what
    `every` holds is read of every position, however many are picked: keys of indexers, and vectors that pool many positions.
    """
    widths, parts = attention_widths(shape), cache(shape, bytes_per_value=1.0)
    full, window, every = shape["full_layers"], shape["window_layers"], 0
    index = shape["index_layers"] or full
    scored, kept, reach = index * shape["index_heads"] * shape["index_head_dim"] / 2, index * shape["index_head_dim"], 0
    if shape["compress_every"]:  # every layer has the window, and full ones pick among vectors that stand for a few positions
        stands, window = shape["compress_every"], shape["layers"]
        full, scored, kept, reach = full / stands, scored / stands, kept / stands, stands * shape["index_topk"]
        every = shape["pool_layers"] / shape["pool_every"]
    return {
        "prefill": full * widths["prefill"], "decode": full * widths["decode"], "window": window * widths["window"],
        "every": scored + every * widths["decode"],
        "full_values": parts["full_bytes_per_position"] - kept - every * shape["head_dim"],
        "window_values": parts["window_bytes_per_position"], "every_values": kept + every * shape["head_dim"],
        "reach": reach or shape["index_topk"],
    }  # fmt: skip


def recurrence_flop(shape, *, positions):
    """Arithmetic of the states of linear-attention and state-space layers for so many tokens."""
    values = shape["state_values"]
    if shape["linear_layers"]:
        values += (shape["linear_layers"] * shape["linear_value_heads"] * shape["linear_key_head_dim"]
                   * shape["linear_value_head_dim"])
    return compute.linear_attention_flop(positions=positions, layers=1, value_heads=values, key_head_dim=1, value_head_dim=1,
                                         flop_per_multiply_add=FLOP_PER_MULTIPLY_ADD)


def prefill_flop(shape, *, positions):
    """Arithmetic of the prefill of one prompt: weights, causal attention, windows, indexer, recurrence."""
    return _flop(shape, positions, "prefill")


def decode_flop(shape, *, positions):
    """Arithmetic of one decoded token at a context of so many positions."""
    return _flop(shape, positions, "decode")


def _flop(shape, positions, phase):
    groups = parameter_groups(shape)
    # The input embedding is looked up, not multiplied; a tied one is multiplied once, as the head.
    lookup = 0 if shape["tied"] else groups["embedding"]
    tokens = positions if phase == "prefill" else 1
    once = {"flop_per_multiply_add": FLOP_PER_MULTIPLY_ADD}

    def pairs(reach):
        if phase == "decode":
            return minimum(positions, reach)
        return compute.attended_pairs(positions=positions, window=reach)

    work = attention_work(shape)
    total = compute.parameter_flop(
        active_parameters=parameters(shape)["active_parameters"] - lookup - groups["encoder"] - groups["layer_embeddings"],
        positions=tokens, **once)
    for width, reach in ((work[phase], work["reach"]), (work["window"], shape["window"]), (work["every"], 0)):
        total += compute.attention_flop(pairs=pairs(reach or positions), layers=1, attention_width=width, **once)
    return total + recurrence_flop(shape, positions=tokens)

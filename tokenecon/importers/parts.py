"""A text model's configuration as a shape record, by rules that read the fields, whatever the family is called."""

from tokenecon import model_shape
from tokenecon.formulas import shapes
from tokenecon.importers import layers as layer_lists
from tokenecon.importers.fields import BadField, MissingField, UnknownArchitecture

# A switch of the file, and the parts of the record that it turns on or off, where it differs from its class.
SWITCHES = {
    "attention_bias": ("qkv_bias", "output_bias"), "qkv_bias": ("qkv_bias",), "use_qkv_bias": ("qkv_bias",),
    "add_qkv_bias": ("qkv_bias",), "mlp_bias": ("ffn_bias",), "use_bias": ("qkv_bias", "output_bias", "ffn_bias"),
    "bias": ("qkv_bias", "output_bias", "ffn_bias"), "attn_output_gate": ("output_gate",),
    "attention_output_gate": ("output_gate",),
}  # fmt: skip
NORM_TYPES = {"per_layer": "full", "olmo": "full", "per_head": "head", "qwen3": "head"}
MIXED = ("nemotron_h", "granitemoehybrid")  # their classes have no pattern of kinds
MAMBAS = ("mamba", "mamba2", "falcon_mamba")
WIDTHS_FILL = ("helium", "unlimited_ocr_text")  # their heads fill the hidden size, whatever head_dim says
STATE_BYTES = 4  # engines keep recurrent states in 32 bits
CONV_BYTES = 2  # and the last positions of a convolution in 16


def record(fields, family, parts, pattern):
    """Shape record of a text model: `parts` holds what no field states, `pattern` the kinds of layers of its class."""
    layers, d = layer_lists.count(fields), fields.need("hidden_size")
    shape = model_shape.record(parts) | {
        "family": family, "layers": layers, "hidden_size": d, "vocab": fields.need("vocab_size")}
    _switches(shape, fields)
    if parts.get("no_output_bias"):
        shape["output_bias"] = 0
    kinds = layer_lists.mixers(fields, layers, pattern)
    blocks = layer_lists.blocks(fields, layers)
    if fields.family in MIXED and not pattern and not {"state", "linear", "none"} & set(kinds):
        raise MissingField(f"a configuration of family '{family}' must list the kinds of its layers; this one does not")
    if "linear" in kinds and _is_state(fields):  # the same word for state-space layers
        kinds = ["state" if kind == "linear" else kind for kind in kinds]
    strange = sorted(set(kinds) - set(layer_lists.ATTENTION))
    if strange:
        raise UnknownArchitecture(f"layers of kind {', '.join(strange)} of family '{family}' are not understood")
    _positions(shape, fields, kinds, parts)
    shape["other_small"] += parts.get("outer_matrices", 0) * d * d + parts.get("outer_vectors", 0) * d
    if "csa" in kinds or "hca" in kinds:
        _compressed(shape, fields, kinds)
    else:
        _softmax(shape, fields, kinds, parts)
        _linear(shape, fields, kinds, parts)
        _state(shape, fields, kinds)
    _feed_forward(shape, fields, blocks)
    _layer_embeddings(shape, fields)
    if fields.number("attn_res_block_size"):  # both halves of a layer, and the end, weigh the blocks of layers before them
        shape["other_small"] += (2 * layers + 1) * 2 * d
    _prediction(shape, fields, kinds)
    shape["kind"] = "cross-attention" if "cross" in kinds else "moe" if shape["experts"] else "dense"
    return shape


def _switches(shape, fields):
    for key, targets in SWITCHES.items():
        value, usual = fields.flag(key), fields.defaults.get(key)
        if fields.given(key) and (usual is None or bool(value) != bool(usual)):
            shape |= dict.fromkeys(targets, int(value))
    shape["qk_norm"] = shape["qk_norm"] if fields.flag("use_qk_norm", True) else ""
    if fields.given("use_qk_norm") and fields.flag("use_qk_norm") and not shape["qk_norm"]:
        shape["qk_norm"] = "head"
    if fields.flag("qk_layernorm"):
        shape["qk_norm"] = "head"
    kind = fields.text("qk_norm_type")
    if kind and shape["qk_norm"]:
        if kind not in NORM_TYPES:
            raise BadField("qk_norm_type", kind, f"must be one of {', '.join(NORM_TYPES)}")
        shape["qk_norm"] = NORM_TYPES[kind]


def _positions(shape, fields, kinds, parts):
    """How many there are; learned ones have a row for each, and those that the class adds."""
    shape["max_positions"] = layer_lists.positions(fields, kinds)
    if parts.get("position_embeddings"):
        usual = fields.defaults.get("max_position_embeddings") or parts["position_embeddings"]
        shape["position_embeddings"] = (shape["max_positions"] or 0) + parts["position_embeddings"] - usual


def _is_state(fields):
    named = ("mamba_num_heads", "ssm_state_size", "time_step_rank")
    return any(fields.given(key) or fields.defaults.get(key) is not None for key in named)


def _softmax(shape, fields, kinds, parts):
    """Layers with softmax attention: the columns describe one kind, what layers differ in is added up."""
    _of_mpt(fields.block("attn_config"))
    shape["full_layers"] = sum(kind in ("full", "hybrid", "cross") for kind in kinds)
    shape["window_layers"] = kinds.count("window")
    if not shape["full_layers"] + shape["window_layers"]:
        shape["attention"] = "none"
        for key in ("num_attention_heads", "num_key_value_heads", "head_dim"):
            fields.raw(key)
        return
    layers, d = shape["layers"], shape["hidden_size"]
    key = "num_attention_heads_per_layer" if fields.given("num_attention_heads_per_layer") else "num_attention_heads"
    query = fields.each(key, layers)
    if query[0] is None:
        fields.need("num_attention_heads")
    shape["query_heads"] = max(query)
    if fields.number("kv_lora_rank"):
        _latent(shape, fields)
        gates = parts.get("head_gate", 0) * shape["query_heads"]
        gates += fields.flag("mla_use_output_gate") * shape["query_heads"] * shape["value_head_dim"]
        shape["other_attention"] += shape["full_layers"] * gates * d
        return
    kv = fields.each("num_key_value_heads", layers)
    for name in ("num_key_value_heads", "head_dim"):  # follow from the others where nothing states them
        if name not in fields.values and fields.defaults.get(name) is None:
            fields.filled.add(name)
    if kv[0] is None:
        single = fields.flag("multi_query")
        kv = [1 if single else heads for heads in query]
    width = fields.number("head_dim")
    usual = all(fields.values.get(key, fields.defaults.get(key)) == fields.defaults.get(key) for key in ("hidden_size", key))
    if width is None and d % shape["query_heads"] and not usual:  # a class with such defaults rounds down
        raise BadField("num_attention_heads", shape["query_heads"], f"must divide the hidden_size {d} where no head_dim is given")
    width = width or d // shape["query_heads"]
    shape |= {"kv_heads": max(kv), "head_dim": width}
    if fields.family in WIDTHS_FILL and width * shape["query_heads"] != d:
        raise BadField("head_dim", width, f"the {shape['query_heads']} heads of this family fill the hidden_size {d}")
    if shape["window_layers"]:
        shape["window"] = fields.number("sliding_window") or fields.number("attention_chunk_size")
        if not shape["window"]:
            raise MissingField(f"a configuration of family '{fields.family}' needs the field 'sliding_window', which this one "
                               "lacks")
    local, full = _local_and_full(shape, fields, width)
    gated = _sum_of_layers(shape, fields, kinds, query, kv, local, full)
    shape["other_attention"] += parts.get("head_gate", 0) * d * gated
    _indexer(shape, fields)
    few = shape["global_kv_heads"] or shape["kv_heads"]
    shape["attention"] = "mha" if few == shape["query_heads"] else "mqa" if few == 1 else "gqa"


def _of_mpt(block):
    """Its block about attention, which may be of another kind."""
    if block.get("attn_type", "multihead_attention") != "multihead_attention" or block.get("kv_n_heads") or block.get("qk_ln"):
        raise UnknownArchitecture("attn_config of another attn_type than multihead_attention, with kv_n_heads or with qk_ln, is "
                                  "not understood")


def _local_and_full(shape, fields, width):
    """Heads, key heads, widths of keys and values and value matrices: of windowed layers, and of full ones."""
    value = fields.number("v_head_dim", width)
    full = {"heads": None, "kv": None, "key": width, "value": value, "matrices": 1}
    local = dict(full)
    if fields.number("global_head_dim"):
        same, few = fields.flag("attention_k_eq_v"), fields.number("num_global_key_value_heads")
        full |= {"key": fields.number("global_head_dim"), "matrices": 0 if same else 1, "kv": few if few and same else None}
        full["value"] = full["key"]
        shape |= {"global_head_dim": full["key"], "global_values": full["matrices"],
                  "global_kv_heads": full["kv"] or shape["kv_heads"]}
    stated = list(fields.block("per_layer_config").values())  # of Gemma 4: the width of full layers again, for each of them
    if any(one != {"head_dim": full["key"]} for one in stated) or len(stated) not in (0, shape["full_layers"]):
        raise BadField("per_layer_config", stated, f"must state head_dim {full['key']} for each of {shape['full_layers']} layers")
    other = fields.block("attention_other_setting")
    few = fields.number("swa_num_key_value_heads")
    local |= {"heads": fields.number("swa_num_attention_heads"), "kv": few,
              "key": fields.number("swa_head_dim", width), "value": fields.number("swa_v_head_dim", value)}
    if other:
        raise UnknownArchitecture("attention_other_setting (other heads in some layers) is not understood")
    if few and few != shape["kv_heads"] and shape["window_layers"]:
        shape |= {"global_head_dim": full["key"], "global_values": 1, "global_kv_heads": shape["kv_heads"], "kv_heads": few}
    return local, full


def _sum_of_layers(shape, fields, kinds, query, kv, local, full):
    """What the layers really have, less what the columns give: parameters, and cached values of a position. Gives their heads."""
    d, gates, shared = shape["hidden_size"], 0, fields.number("num_kv_shared_layers", 0)
    exact, cached = 0, {"full": 0, "window": 0}
    for i, kind in enumerate(kinds):
        if kind not in ("full", "window", "hybrid", "cross"):
            continue
        at = local if kind == "window" else full
        heads, groups = at["heads"] or query[i], at["kv"] or kv[i]
        exact += d * heads * (at["key"] * (1 + shape["output_gate"]) + at["value"])
        gates += heads
        if i >= shape["layers"] - shared:  # keys and values are those of an earlier layer
            shape["other_small"] -= at["key"] if shape["qk_norm"] == "head" else 0
            continue
        exact += d * groups * (at["key"] + at["matrices"] * at["value"])
        if kind != "cross":
            cached["window" if kind == "window" else "full"] += groups * (at["key"] + at["value"])
    shape["other_attention"] += exact - model_shape.softmax_parameters(shape)
    uniform = model_shape.cache(shape, bytes_per_value=1)
    for name, column in (("full", "cache_values"), ("window", "window_cache_values")):
        if cached[name] != uniform[f"{name}_bytes_per_position"]:
            shape[column] = cached[name]
    shape["other_small"] += 2 * kinds.count("cross") * (1 + full["key"])  # two gates and two norms
    shape["other_small"] -= 2 * kinds.count("cross") * full["key"] if shape["qk_norm"] == "head" else 0
    return gates


def _latent(shape, fields):
    """Latent attention: one compressed vector a position in place of keys and values, and perhaps an indexer."""
    for name in ("kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim"):
        shape[name.replace("qk_", "").replace("v_head", "value_head")] = fields.need(name)
    shape["q_lora_rank"] = fields.number("q_lora_rank", 0)
    key = shape["nope_head_dim"] + shape["rope_head_dim"]
    if fields.number("qk_head_dim", key) != key:
        raise BadField("qk_head_dim", fields.number("qk_head_dim"), f"must be {key}, qk_nope_head_dim + qk_rope_head_dim")
    for key in ("head_dim", "num_key_value_heads"):
        fields.raw(key)  # follow from the others
    for name, key in (("index_heads", "index_n_heads"), ("index_head_dim", "index_head_dim"), ("index_topk", "index_topk")):
        shape[name] = fields.number(key, 0)
    shape |= {"attention": "mla", "kv_heads": shape["query_heads"], "head_dim": shape["value_head_dim"], "qk_norm": ""}
    if shape["window_layers"]:
        raise UnknownArchitecture("sliding windows are not understood with latent attention")
    if shape["qkv_bias"] or shape["output_bias"]:
        raise UnknownArchitecture(f"attention_bias is not understood with the latent attention of '{fields.family}'")
    if shape["index_heads"]:
        shape |= {"index_head_dim": fields.need("index_head_dim"), "index_topk": fields.need("index_topk")}
        own = _own_indexers(fields, shape["layers"])
        if own < shape["full_layers"]:
            shape["index_layers"] = own
            values = shape["full_layers"] * (shape["kv_lora_rank"] + shape["rope_head_dim"]) + own * shape["index_head_dim"]
            shape["cache_values"] = values


def _own_indexers(fields, layers):
    """Layers with an indexer; the others look where the one before them looked."""
    kinds = fields.entries("indexer_types", str)
    every, offset = fields.number("index_topk_freq", 1) or 1, fields.number("index_skip_topk_offset", 2)
    pattern = fields.raw("index_topk_pattern")
    if kinds is None and pattern is not None:
        if not (isinstance(pattern, str) and not set(pattern) - set("FS")):
            raise BadField("index_topk_pattern", pattern, "must be of the letters F and S")
        kinds = ["full" if one == "F" else "shared" for one in pattern]
    if kinds is None:
        kinds = ["shared" if max(i - offset + 1, 0) % every else "full" for i in range(layers)]
    if not fields.lists(kinds, layers) or set(kinds) - {"full", "shared"}:
        raise BadField("indexer_types", kinds, f"must list full or shared for each of {layers} layers")
    return kinds[:layers].count("full")


def _indexer(shape, fields):
    """An indexer over keys per head, as in MiniMax M3: its keys stand in the cache beside the others."""
    stated = fields.block("sparse_attention_config")
    sparse = stated.get("sparse_attention_freq")
    named = fields.entries("layer_types", str) or [] if fields.given("layer_types") else []
    if sparse is not None and not (isinstance(sparse, list) and all(isinstance(one, int) for one in sparse)):
        raise BadField("sparse_attention_config", sparse, "must list 0 or 1 for each layer in sparse_attention_freq")
    used = stated.get("use_sparse_attention", True)
    if not isinstance(used, bool):
        raise BadField("sparse_attention_config", used, "must state true or false in use_sparse_attention")
    own = used * (sum(map(bool, sparse)) if sparse else named.count("minimax_m3_sparse"))
    heads, width = (fields.number(key, 0) for key in ("index_n_heads", "index_head_dim"))
    for key in ("index_block_size", "index_topk_blocks", "index_local_blocks", "index_topk"):
        fields.raw(key)
    if not own:
        return
    numbers = [stated.get(key, usual) for key, usual in (("sparse_num_index_heads", heads), ("sparse_index_dim", width),
                                                          ("sparse_topk_blocks", 0), ("sparse_block_size", 0))]
    if not all(isinstance(one, int) and 0 <= one < 100_000 for one in numbers):
        raise BadField("sparse_attention_config", stated, "must hold whole numbers")
    heads, width, blocks, size = numbers
    shape["other_attention"] += own * (shape["hidden_size"] * (heads + 1) * width + 2 * width)
    values = model_shape.cache(shape, bytes_per_value=1)["full_bytes_per_position"]
    shape |= {"index_heads": heads, "index_head_dim": width, "index_topk": blocks * size, "index_layers": own,
              "cache_values": values + own * width}


def _linear(shape, fields, kinds, parts):
    """Linear attention: gated delta net, Kimi delta attention, or lightning attention."""
    count = kinds.count("linear")
    if not count:
        for key in ("linear_num_key_heads", "linear_num_value_heads", "linear_key_head_dim", "linear_value_head_dim",
                    "linear_conv_kernel_dim"):
            fields.raw(key)
        return
    d, stated = shape["hidden_size"], fields.block("linear_attn_config")
    if fields.raw("linear_num_value_heads") is not None:
        shape |= {"linear_layers": count, "linear_key_heads": fields.need("linear_num_key_heads"),
                  "linear_value_heads": fields.need("linear_num_value_heads"),
                  "linear_key_head_dim": fields.need("linear_key_head_dim"),
                  "linear_value_head_dim": fields.need("linear_value_head_dim"),
                  "linear_conv": fields.need("linear_conv_kernel_dim")}
        return
    if stated or fields.raw("linear_head_dim") is not None:
        conv = stated.get("short_conv_kernel_size")
        numbers = [stated.get("num_heads", fields.number("linear_num_heads")),
                   stated.get("head_dim", fields.number("linear_head_dim")),
                   fields.usual("linear_conv_kernel_dim", 4) if conv is None else conv]
        if not all(isinstance(one, int) and 0 < one < 100_000 for one in numbers):
            raise BadField("linear_attn_config", stated, "must state num_heads, head_dim and short_conv_kernel_size")
        heads, width, conv = numbers
        full = parts.get("full_rank_gates", 0) or int(bool(stated.get("use_full_rank_gate")))
        each = shapes.delta_attention_parameters(hidden_size=d, heads=heads, head_dim=width, gate_rank=width, conv_width=conv)
        each += full * (d * heads * width - width * (d + heads * width))
        convolution = CONV_BYTES * 3 * heads * width * (conv - 1)
    elif parts.get("lightning"):
        heads, width = shape["query_heads"], shape["head_dim"]
        each, convolution = 5 * d * heads * width + heads * width, 0
    else:
        raise UnknownArchitecture(f"the linear attention of family '{fields.family}' is not understood")
    values = count * heads * width * width
    shape |= {"state_layers": count, "state_parameters": count * each, "state_values": values,
              "state_bytes": STATE_BYTES * values + count * convolution}


def _state(shape, fields, kinds):
    """State-space layers of the first and of the second kind, and short convolutions."""
    count, d = sum(kind in ("state", "hybrid") for kind in kinds), shape["hidden_size"]
    if kinds.count("convolution"):
        width = fields.need("conv_L_cache")
        shape["state_layers"] += kinds.count("convolution")
        shape["state_parameters"] += kinds.count("convolution") * shapes.short_convolution_parameters(
            hidden_size=d, conv_width=width)
        shape["state_bytes"] += kinds.count("convolution") * CONV_BYTES * d * width
    heads = fields.number("mamba_num_heads") or (fields.number("num_attention_heads") if fields.family == "mamba2" else None)
    state, conv, rank = (fields.raw(key) for key in ("ssm_state_size", "conv_kernel", "time_step_rank"))
    fields.number("expand")
    for key in ("word_embed_proj_dim", "embedding_size"):
        if fields.number(key, d) != d:
            raise UnknownArchitecture(f"field '{key}' of another width than hidden_size is not understood")
    if not count:
        return
    state, conv, bias = fields.need("ssm_state_size"), fields.need("conv_kernel"), fields.flag("use_conv_bias", True)
    if heads:
        width = _head_of_state(fields, d, heads)
        groups, inner = fields.need("n_groups"), heads * width
        if fields.number("mamba_d_ssm", inner) != inner:
            raise BadField("mamba_d_ssm", fields.number("mamba_d_ssm"), f"must be heads times their width, {inner}")
        each = shapes.state_space_parameters(
            hidden_size=d, heads=heads, head_dim=width, groups=groups, state_size=state, conv_width=conv)
        each += inner if fields.flag("mamba_rms_norm", True) else 0
        channels = inner + 2 * groups * state
    else:
        stated = fields.number("intermediate_size") if fields.family in MAMBAS else None  # there it is the width of the state
        inner = channels = stated or fields.usual("expand", 2) * d
        rank = -(-d // 16) if rank in (None, "auto") else fields.number("time_step_rank")
        each = shapes.selective_state_parameters(
            hidden_size=d, inner_size=inner, state_size=state, step_rank=rank, conv_width=conv)
        each += rank + 2 * state if fields.family == "jamba" else 0  # norms of step, input and output
    if not bias:
        each -= channels
    if fields.flag("mamba_proj_bias"):
        raise UnknownArchitecture("mamba_proj_bias is not understood")
    shape["state_layers"] += count
    shape["state_parameters"] += count * each
    shape["state_values"] += count * inner * state
    shape["state_bytes"] += count * (STATE_BYTES * inner * state + CONV_BYTES * channels * (conv - 1))


def _head_of_state(fields, d, heads):
    """Width of a head of a Mamba-2 layer; `auto` spreads the channels over the heads."""
    inner = fields.number("mamba_d_ssm") or fields.usual("expand", 2) * d
    width = fields.raw("mamba_head_dim")
    if width is None and fields.family == "mamba2":
        width = fields.number("head_dim")
    width = inner // heads if width in (None, "auto") else width
    if not isinstance(width, int) or isinstance(width, bool) or not 0 < width < 100_000:
        raise BadField("mamba_head_dim", width, "must be a whole number, or auto")
    return width


def _feed_forward(shape, fields, blocks):
    layers, d = shape["layers"], shape["hidden_size"]
    sparse, dense = (sum(one in (kind, "both") for one in blocks) for kind in ("sparse", "dense"))
    if shape["attention"] == "none" and shape["state_layers"] and fields.family in MAMBAS:
        fields.raw("intermediate_size")
        sparse = dense = 0  # the mixer is the whole layer
    shape |= {"moe_layers": sparse, "ffn_layers": dense}
    inner = fields.each("intermediate_size", layers)
    if inner[0] is None and (dense or (sparse and fields.raw("moe_intermediate_size") is None)):
        if fields.defaults.get("intermediate_size") is not None:
            fields.need("intermediate_size")
        inner = [4 * d] * layers  # what GPT-2, GPT-J, BLOOM and Falcon mean by leaving it out, or by null
        if "intermediate_size" not in fields.values:
            fields.filled.add("intermediate_size")
    wide = fields.number("dense_intermediate_size")
    if dense:
        widths = [wide or inner[i] for i in range(layers) if blocks[i] in ("dense", "both")]
        double = fields.number("num_kv_shared_layers", 0) if fields.flag("use_double_wide_mlp") else 0
        if fields.flag("block_auto_adjust_ff_dim"):
            widths = [_rounded(fields, width) for width in widths]
        shape["ffn_size"] = (sum(widths) + sum(widths[len(widths) - double:])) / dense
        if shape["ffn_size"] == int(shape["ffn_size"]):
            shape["ffn_size"] = int(shape["ffn_size"])
    if sparse:
        _experts(shape, fields, blocks, inner)
    if fields.flag("enable_moe_block"):
        fields.need("num_experts")
        shape |= {"layer_norms": 7, "router_norms": 1}


def _rounded(fields, width):
    """LFM2 takes two thirds of the stated width, in whole multiples."""
    width, step = int(2 * width / 3), fields.usual("block_multiple_of", 256)
    factor = fields.raw("block_ffn_dim_multiplier")
    if isinstance(factor, int | float) and not isinstance(factor, bool) and 0 < factor < 1000:
        width = int(factor * width)
    return step * -(-width // step) if step else width


def _experts(shape, fields, blocks, inner):
    layers = shape["layers"]
    sizes = fields.each("moe_intermediate_size", layers)
    sizes = inner if sizes[0] is None else sizes
    chosen, extra = fields.each("num_experts_per_tok", layers), fields.each("n_shared_experts", layers, 0)
    if chosen[0] is None:
        fields.need("num_experts_per_tok")
    if any(len(set(each)) > 1 for each in (sizes, extra, chosen)):
        raise UnknownArchitecture("experts that differ from layer to layer are not understood")
    stated = fields.number("shared_expert_intermediate_size", 0)
    shared = stated * (extra[0] or 1) if stated and fields.family not in TOLD_WHOLE else stated
    if not stated:
        shared = extra[0] * sizes[0]
    if fields.family == "llama4_text":
        shared = inner[0]
    shape |= {"experts": fields.need("num_experts"), "experts_per_token": chosen[0], "expert_size": sizes[0],
              "shared_size": shared, "expert_width": fields.number("moe_latent_size", 0)}
    groups, limit = fields.number("n_group", 0), fields.number("topk_group", 0)
    shape["routed_groups"] = limit if limit < groups else 0
    if shape["experts_per_token"] > shape["experts"]:
        raise BadField("num_experts_per_tok", chosen[0], f"must be at most the {shape['experts']} experts")
    if shape["expert_width"]:  # into the compressed vector and back, in every layer
        shape["other_ffn"] += shape["moe_layers"] * 2 * shape["hidden_size"] * shape["expert_width"]
        shape["other_small"] += fields.flag("latent_moe_use_norm") * shape["moe_layers"] * shape["expert_width"]


TOLD_WHOLE = ("nemotron_h",)  # state the width of all shared experts together


def _layer_embeddings(shape, fields):
    """Embeddings of each layer (Gemma 3n and 4), and the streams and low-rank paths beside them."""
    d, layers, width = shape["hidden_size"], shape["layers"], fields.number("hidden_size_per_layer_input", 0)
    rows = fields.number("vocab_size_per_layer_input", shape["vocab"])
    if width:
        shape["layer_embeddings"] = rows * layers * width
        shape["other_ffn"] += d * layers * width + layers * 2 * d * width
        shape["other_small"] += width
    rank, streams = fields.number("laurel_rank", 0), fields.number("altup_num_inputs", 0)
    shape["other_ffn"] += layers * 2 * d * rank
    if streams:
        shape["other_ffn"] += 2 * (streams - 1) * d * d + layers * streams * d
        shape["other_small"] += layers * (streams**2 + streams**3 + (d if fields.flag("altup_correct_scale", True) else 0))
    for key in ("altup_active_idx", "activation_sparsity_pattern"):
        fields.raw(key)


def _prediction(shape, fields, kinds):
    """Layers for multi-token prediction: each is one more last layer, with a matrix that joins two vectors."""
    count = fields.number("num_nextn_predict_layers", 0)
    if not count:
        return
    d, groups = shape["hidden_size"], model_shape.parameter_groups(shape)
    blocks = max(shape["moe_layers"], 1) if shape["experts"] else max(shape["ffn_layers"], 1)
    block = sum(groups[name] for name in (("experts", "shared", "router") if shape["experts"] else ("ffn",))) / blocks
    attention = groups["attention"] / max(len(kinds) - kinds.count("none"), 1)
    shape["mtp"] = round(count * (block + attention + 2 * d * d + 5 * d))


def _compressed(shape, fields, kinds):
    """DeepSeek V4: every layer has a window, and most keep the positions before it compressed, 4 or 128 in one vector."""
    d, heads, width = shape["hidden_size"], fields.need("num_attention_heads"), fields.need("head_dim")
    rank, groups, out = fields.need("q_lora_rank"), fields.need("o_groups"), fields.need("o_lora_rank")
    index_heads, index = fields.need("index_n_heads"), fields.need("index_head_dim")
    streams, sparse, heavy = fields.number("hc_mult", 0), kinds.count("csa"), kinds.count("hca")
    for key in ("num_key_value_heads", "qk_rope_head_dim", "compress_rates", "num_hash_layers", "mlp_layer_types"):
        fields.raw(key)
    each = d * rank + rank * heads * width + d * width + heads * width * out + groups * out * d + rank + width + heads
    compressor = 4 * d * width + 4 * 2 * width + width
    indexer = 4 * d * index + 4 * 2 * index + index + rank * index_heads * index + d * index_heads
    heavy_compressor = 2 * d * width + 128 * width + width
    shape |= {
        "attention": "compressed", "query_heads": heads, "kv_heads": 1, "head_dim": width, "full_layers": sparse,
        "window_layers": shape["layers"] - sparse, "window": fields.need("sliding_window"), "index_heads": index_heads,
        "index_head_dim": index, "index_topk": fields.need("index_topk"), "sinks": 0, "qk_norm": "",
        "other_attention": shape["layers"] * each + sparse * (compressor + indexer) + heavy * heavy_compressor,
        "compress_every": 4, "pool_layers": heavy, "pool_every": 128,
        "cache_values": sparse * (width + index) / 4 + heavy * width / 128, "window_cache_values": shape["layers"] * width}
    joined = (2 + streams) * streams
    shape["other_small"] += 2 * shape["layers"] * (joined * streams * d + joined + 3) + streams**2 * d + streams + 1

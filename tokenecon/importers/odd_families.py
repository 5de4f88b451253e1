"""Families whose configuration is of another kind: blocks that differ, an encoder, or fields of their own."""

from tokenecon import model_shape
from tokenecon.importers import layers as layer_lists
from tokenecon.importers import parts
from tokenecon.importers.fields import BadField, MissingField, UnknownArchitecture

MOST_WIDE = 1_000  # of a feed-forward block over the width of the model


def _falcon(fields, given):
    """Falcon: keys of one head, of a few or of all, and one or two norms, by three switches."""
    new = fields.flag("new_decoder_architecture")
    if not new:
        fields.values["num_key_value_heads"] = 1 if fields.flag("multi_query", True) else fields.number("num_attention_heads")
    shape = parts.record(fields, fields.family, given, None)
    norms = fields.number("num_ln_in_parallel_attn", 2 if new else 1)
    return shape | {"layer_norms": 2 * norms if fields.flag("parallel_attn", True) else 4}


def _whisper(fields, given):
    """A speech model: the decoder is read as a text model, the encoder beside it."""
    shape = parts.record(fields, "whisper", PLAIN | {"qkv_bias": 1, "output_bias": 3}, None)
    for theirs, ours in (("encoder_attention_heads", "query_heads"), ("encoder_ffn_dim", "ffn_size")):
        if fields.need(theirs) != shape[ours]:
            raise UnknownArchitecture(f"field '{theirs}' differs from its decoder twin: not understood")
    # The decoder's self-attention has no bias on its key: its query, value and output make three.
    shape |= {"kind": "encoder-decoder", "encoder_layers": fields.need("encoder_layers"), "qkv_bias": 0,
                    "encoder_positions": fields.need("max_source_positions"), "encoder_channels": fields.need("num_mel_bins"),
                    "position_embeddings": shape["max_positions"]}
    if _decoder_alone(fields):  # its cross-attention stays
        d = shape["hidden_size"]
        shape["other_encoder"] = shape["layers"] * (4 * d * d + 5 * d) - model_shape.encoder_parameters(shape)
    return shape


def _decoder_alone(fields):
    """Whether the class of the file is the decoder without its encoder."""
    return any(name.endswith("ForCausalLM") for name in fields.values.get("architectures") or [])


def _with_encoder(shape, encoder, positions, cross):
    """The record with an encoder of so many parameters, and cross-attention in its decoder."""
    shape |= {"kind": "encoder-decoder", "encoder_layers": max(shape["encoder_layers"], 1), "encoder_positions": positions}
    shape["other_encoder"] = encoder + cross - model_shape.encoder_parameters(shape)
    return shape


def _bart(fields, given):
    """A translator or summariser in the manner of BART: plain layers with biases, the decoder's with cross-attention."""
    for key in ("encoder_layerdrop", "decoder_layerdrop", "use_learned_position_embeddings", "layernorm_embedding"):
        fields.raw(key)
    shape = parts.record(fields, fields.family, given, None)
    d, encoder_layers = shape["hidden_size"], fields.number("encoder_layers", shape["layers"])
    fields.number("encoder_attention_heads")
    if fields.number("decoder_vocab_size", shape["vocab"]) != shape["vocab"]:
        raise BadField("decoder_vocab_size", fields.number("decoder_vocab_size"), "must be the vocab_size")
    inner = fields.number("encoder_ffn_dim", shape["ffn_size"])
    cross = shape["layers"] * (4 * d * d + 4 * d)
    if _decoder_alone(fields):
        shape["other_attention"] += cross
        return shape | {"kind": "cross-attention"}
    each = 4 * d * d + 4 * d + 2 * d * inner + inner + d + 4 * d
    shape["encoder_layers"] = encoder_layers
    encoder = encoder_layers * each + shape["position_embeddings"] * d + shape["final_norms"] * d
    return _with_encoder(shape, encoder, fields.need("max_position_embeddings"), cross)


def _t5(fields, given):
    """T5: heads of a width of their own, and positions as biases of the scores."""
    d, layers = fields.need("hidden_size"), fields.need("num_hidden_layers")
    below, heads, width = fields.number("num_decoder_layers", layers), fields.need("num_attention_heads"), fields.need("d_kv")
    gated = fields.text("feed_forward_proj", "relu").startswith("gated") or fields.flag("is_gated_act")
    inner, matrices = fields.need("intermediate_size"), 3 if gated else 2
    table = fields.usual("relative_attention_num_buckets", 32) * heads
    every = fields.family == "umt5"  # a table in every layer, not in the first alone
    fields.raw("relative_attention_max_distance"), fields.raw("is_encoder_decoder")
    shape = model_shape.record({}) | {
        "family": fields.family, "attention": "mha", "layers": below, "hidden_size": d, "vocab": fields.need("vocab_size"),
        "query_heads": heads, "kv_heads": heads, "head_dim": width, "full_layers": below, "ffn_layers": below, "ffn_size": inner,
        "ffn_matrices": matrices, "layer_norms": 3, "final_norms": 1, "encoder_layers": layers,
        "max_positions": fields.usual("max_position_embeddings", 512), "other_small": table * (below if every else 1)}
    each = 4 * d * heads * width + matrices * d * inner + 2 * d
    encoder = layers * each + d + table * (layers if every else 1)
    return _with_encoder(shape, encoder, shape["max_positions"], below * 4 * d * heads * width)


PLAIN = {"ffn_matrices": 2, "ffn_bias": 1, "final_norms": 2, "layer_norms": 4}


def _parts_of(block):
    parts = block.get("attention"), block.get("ffn")
    if not all(isinstance(one, dict) for one in parts):
        raise BadField("block_configs", block, "every block must state its attention and its ffn")
    return parts


def _number(block, part, key, most):
    value = part.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise BadField("block_configs", block, f"{key} must be a number above 0, at most {most:,}")
    return value


def _nas(fields, given):
    """Nemotron after architecture search: every block states its own attention and feed-forward."""
    d, heads, blocks = fields.need("hidden_size"), fields.need("num_attention_heads"), fields.entries("block_configs", dict)
    if blocks is None:
        raise MissingField("a configuration of family 'nemotron-nas' needs the field 'block_configs', which this one lacks")
    width = fields.number("head_dim") or d // heads
    shape = model_shape.record({}) | {
        "family": fields.family, "kind": "dense", "attention": "gqa", "layers": fields.need("num_hidden_layers"),
        "hidden_size": d, "query_heads": heads, "head_dim": width, "vocab": fields.need("vocab_size"),
        "max_positions": layer_lists.positions(fields, ["full"]), "ffn_matrices": 3, "layer_norms": 2, "final_norms": 1}
    groups, inner = set(), []
    for block in blocks:
        attention, ffn = _parts_of(block)
        if attention.get("replace_with_linear") or ffn.get("replace_with_linear"):
            raise UnknownArchitecture("block_configs with replace_with_linear are not understood")
        if not attention.get("no_op"):
            groups.add(_number(block, attention, "n_heads_in_group", heads))
            shape["full_layers"] += 1
        if not ffn.get("no_op"):
            size = int(2 * _number(block, ffn, "ffn_mult", MOST_WIDE) * d / 3)
            inner.append(-(-size // 256) * 256)
    if len(groups) != 1:
        raise UnknownArchitecture(f"block_configs with group sizes {sorted(groups)} are not understood: one only")
    for key in ("attention_bias", "intermediate_size", "num_key_value_heads", "mlp_bias"):
        fields.read.add(key)
        if fields.values.get(key):
            raise BadField(key, fields.values[key], "must be null or false: the blocks of this family state theirs")
    # The blocks differ in width; their mean keeps the total exact.
    return shape | {"kv_heads": heads // groups.pop(), "ffn_layers": len(inner), "ffn_size": sum(inner) / len(inner)}


BARTS = ("bart", "mbart", "mvp", "pegasus", "blenderbot", "blenderbot-small", "plbart", "trocr", "marian", "m2m_100")
READERS = ({"falcon": _falcon, "whisper": _whisper, "nemotron-nas": _nas} | dict.fromkeys(("t5", "mt5", "umt5"), _t5)
           | dict.fromkeys(BARTS, _bart))
NAMES = {"deci": "nemotron-nas", "decilm": "nemotron-nas", "gemma3text": "gemma3_text"}  # of their classes
AMBIGUOUS = dict.fromkeys((*BARTS, "whisper"), ("num_hidden_layers",))  # fields that may mean another part than the decoder

"""A Hugging Face ``config.json`` as one architecture record, with exact parameters and cache sizes."""

import difflib
import json
import re
from pathlib import Path

from tokenecon import model_shape
from tokenecon.errors import BadInput
from tokenecon.importers.families import (
    ALIASES,
    CLASSES,
    FAMILIES,
    WRAPPERS,
    BadField,
    Fields,
    UnknownArchitecture,
    expert_layers,
    layer_types,
)

# A field with such a name may change the shape, so it must be understood; anything else may be ignored.
SHAPELY = re.compile(
    r"(^n_|^num_|_size$|_dim$|_dims$|_rank$|heads?$|layers?|experts?|window|moe|mlp|attn|attention|conv|"
    r"ssm|mamba|state|lora|block_configs|blocks?$|_pattern$|_multiplier$|_widening|ratio)")
HARMLESS = re.compile(
    r"(dropout|^n_ctx$|_pdrop|layerdrop|norm_eps|norm_epsilon|rope|rotary|router_|routed_scaling|routing|scor|topk_|"
    r"norm_topk|n_group|nextn|mtp|_token_id|_token_index|initializer|_attn_implementation|attn_implementation|"
    r"softcap|attn_scale|attn_temperature|floor_scale|query_pre_attn|scale_attn|attention_softmax|_config$|"
    r"pretraining_tp|summary|aux_loss|ep_size|chunk_size_feed_forward|cross_attention|mask_|logits|"
    r"num_(labels|beams|return_sequences|beam_groups)|is_encoder_decoder|bidirectional|output_attentions|"
    r"output_hidden_states|bad_words|attention_dropout|alibi|apply_residual|ssm_dtype|no_repeat_ngram|"
    r"encoder_no_repeat|max_length|quant|attention_multiplier|index_topk_(freq|pattern)|indexer_rope|"
    r"layernorm_|shared_moe_mode|image_|vision_|video_|audio_|classifier|median_filter|weighted_layer_sum|swiglu|^dtype$)")

LATENT = ("deepseek_v3", "deepseek_v32", "kimi_k2", "glm_moe_dsa")  # families with latent attention

MOST_WIDE = 1_000  # of a feed-forward block over the width of the model
LARGEST = 10_000_000  # bytes of a config.json; those with a list for each layer have some thousands


class NoConfig(BadInput):
    """There is no configuration at the place given."""


def load(source):
    """Architecture record of a ``config.json`` (path or folder) or of a model id of the Hugging Face Hub.

    The record has the shape columns of ``data/models.csv`` and ``id``, ``parameters``,
    ``active_parameters``, ``kv_bytes_per_token`` (16-bit values, below any window).
    """
    path = Path(source)
    if path.is_dir():
        path = path / "config.json"
    if not path.exists():
        if path.suffix == ".json" or not re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
            raise NoConfig(
                f"no configuration at '{source}': give the path of a config.json, or a Hub id such as "
                "'Qwen/Qwen3-32B'")
        path = _download(str(source))
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise NoConfig(f"'{path}' is larger than {LARGEST:,} bytes, so it is no config.json")
        config = json.loads(text)
    except OSError as error:
        raise NoConfig(f"'{path}' cannot be read: {error.strerror or error}; give the path of a config.json") from error
    except RecursionError as error:
        raise NoConfig(f"'{path}' is nested too deep to be a config.json") from error
    except NoConfig:
        raise
    except ValueError as error:
        raise NoConfig(f"'{path}' is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise NoConfig(f"'{path}' holds a {type(config).__name__}, not the object of a config.json")
    name = str(source) if not Path(source).exists() else path.resolve().parent.name
    return {"id": name.split("/")[-1].lower(), **from_config(config)}


def _download(hub_id):
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise NoConfig(
            f"'{hub_id}' looks like a Hub id, but the package huggingface_hub is not installed: install it, "
            "or give the path of a config.json") from error
    try:
        return Path(hf_hub_download(repo_id=hub_id, filename="config.json"))
    except Exception as error:  # the library raises a dozen kinds; all mean that there is no file
        raise NoConfig(
            f"the configuration of '{hub_id}' could not be fetched ({type(error).__name__}): offline, no such "
            "model, or access not granted; give the path of a config.json instead") from error


def from_config(config):
    """Architecture record of a configuration, given as a dict."""
    family, text = _family(config)
    if family == "whisper":  # there num_hidden_layers may mean the encoder
        text = {key: value for key, value in text.items() if key != "num_hidden_layers"}
    fields = Fields(text, FAMILIES[family]["defaults"])
    for key in ("model_type", "architectures", "dtype", "tie_word_embeddings"):
        fields.get(key)
    shape = _nas(fields, family) if family == "nemotron-nas" else _shape(fields, family)
    shape["dtype"] = str(fields.get("dtype") or config.get("dtype") or config.get("torch_dtype") or "")
    unread = [key for key, value in fields.unread().items()
              if value and SHAPELY.search(key) and not HARMLESS.search(key)]
    if unread:
        raise UnknownArchitecture(
            f"the configuration is of family '{family}', but these fields are not understood: "
            f"{', '.join(sorted(unread))}; see tokenecon/importers/families.py")
    _check(shape)
    shape |= model_shape.parameters(shape)
    shape["kv_bytes_per_token"] = model_shape.kv_bytes_per_token(shape, bytes_per_value=2)
    return shape


def _check(shape):
    """Refuse a shape that no model has: its parts would still give a count, and the count would be nonsense."""
    for name in model_shape.SHAPE_FIELDS:
        if not 0 <= shape[name] < float("inf"):
            raise BadField(name, shape[name], "must be at least 0")
    for name, whole in (("kv_heads", "query_heads"), ("global_kv_heads", "query_heads")):
        if shape[name] and shape[whole] % shape[name]:
            raise BadField(name, shape[name], f"must divide the {shape[whole]} attention heads")
    if shape["experts_per_token"] > shape["experts"]:
        raise BadField("num_experts_per_tok", shape["experts_per_token"], f"must be at most the {shape['experts']} experts")


def _head_dim(fields, hidden_size, heads):
    """Values of a head: as stated, else the heads' equal part of the width."""
    stated = fields.get("head_dim")
    if stated is None and hidden_size % heads:
        raise BadField("num_attention_heads", heads, f"must divide the hidden_size {hidden_size} where no head_dim is given")
    return hidden_size // heads if stated is None else stated


def _family(config):
    """Name of the family, and the part of the configuration that describes the language model."""
    text = config.get("text_config")
    for key, value, wanted, words in (
            ("model_type", config.get("model_type"), str, "a text"), ("config_class", config.get("config_class"), str, "a text"),
            ("text_config", text, dict, "a block"), ("architectures", config.get("architectures"), list, "a list of texts"),
            ("text_config.model_type", text.get("model_type") if isinstance(text, dict) else None, str, "a text")):
        named = not isinstance(value, list) or all(isinstance(one, str) for one in value)
        if value is not None and not (isinstance(value, wanted) and named):
            raise BadField(key, value, f"must be {words}")
    kind = config.get("model_type")
    if kind is None:
        for name in config.get("architectures") or [config.get("config_class") or ""]:
            stem = re.sub(r"(ForCausalLM|ForConditionalGeneration|Config|Model)$", "", name).lower()
            known = {key.replace("_", ""): key for key in (*FAMILIES, *WRAPPERS)} | CLASSES
            kind = known.get(stem, kind)
    if kind in WRAPPERS and config.get("text_config"):
        inner = {key: value for key, value in config["text_config"].items() if value is not None}
        if "tie_word_embeddings" in config:
            inner.setdefault("tie_word_embeddings", config["tie_word_embeddings"])
        family = inner.get("model_type", WRAPPERS[kind])
        return (family if family in FAMILIES else WRAPPERS[kind]), inner
    kind = WRAPPERS.get(kind, kind)
    if kind in FAMILIES:
        return kind, config
    inner = config.get("text_config") or {}
    if inner.get("model_type") in FAMILIES:  # an unknown wrapper around a known language model
        return inner["model_type"], inner
    name = kind or (config.get("architectures") or ["(neither model_type nor architectures given)"])[0]
    strange = sorted(key for key, value in config.items() if value and SHAPELY.search(key)
                     and not HARMLESS.search(key) and key not in _common())
    near = difflib.get_close_matches(str(name), [*FAMILIES, *WRAPPERS], n=3)
    hint = f"; nearest known: {', '.join(near)}" if near else f"; known: {', '.join(FAMILIES)}"
    raise UnknownArchitecture(
        f"architecture '{name}' is not known; fields not understood: {', '.join(strange) or 'none'}{hint}")


def _common():
    return {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
            "intermediate_size", "vocab_size", *ALIASES}


def _shape(fields, family):
    def need(key):
        return fields.need(key, family)

    layers, d, heads = need("num_hidden_layers"), need("hidden_size"), need("num_attention_heads")
    shape = model_shape.record({}) | FAMILIES[family]["constants"] | {
        "family": family, "layers": layers, "hidden_size": d, "query_heads": heads,
        "vocab": need("vocab_size"), "tied": int(bool(fields.get("tie_word_embeddings", False))),
        "max_positions": fields.get("max_position_embeddings", 0),
        "kv_heads": fields.get("num_key_value_heads", heads), "head_dim": _head_dim(fields, d, heads)}
    _kinds_of_attention(shape, fields, family, need)
    _feed_forward(shape, fields, family, need)
    if family == "gemma4_text":
        _gemma4(shape, fields)
    elif family == "falcon":
        _falcon(shape, fields)
    elif family == "whisper":
        _whisper(shape, fields, need)
    elif family == "gpt2":
        shape["position_embeddings"] = need("max_position_embeddings")
    shape["kind"] = "encoder-decoder" if family == "whisper" else "moe" if shape["experts"] else "dense"
    if not shape["attention"]:
        kv = shape["kv_heads"]
        shape["attention"] = "mha" if kv == heads else "mqa" if kv == 1 else "gqa"
    return shape


def _kinds_of_attention(shape, fields, family, need):
    kinds = layer_types(fields, family, shape["layers"])
    known = ("full_attention", "sliding_attention", "chunked_attention", "linear_attention")
    strange = sorted(set(kinds) - set(known))
    if strange or len(kinds) != shape["layers"]:
        raise UnknownArchitecture(
            f"layer_types lists {len(kinds)} layers for num_hidden_layers {shape['layers']}, with kinds not "
            f"understood: {', '.join(strange) or 'none'}; known: {', '.join(known)}")
    shape["full_layers"] = kinds.count("full_attention")
    shape["linear_layers"] = kinds.count("linear_attention")
    shape["window_layers"] = shape["layers"] - shape["full_layers"] - shape["linear_layers"]
    chunk = fields.get("attention_chunk_size")
    if shape["window_layers"]:
        shape["window"] = chunk if "chunked_attention" in kinds else need("sliding_window")
    for ours, theirs in (("linear_key_heads", "linear_num_key_heads"),
                         ("linear_value_heads", "linear_num_value_heads"),
                         ("linear_key_head_dim", "linear_key_head_dim"),
                         ("linear_value_head_dim", "linear_value_head_dim"),
                         ("linear_conv", "linear_conv_kernel_dim")):
        shape[ours] = need(theirs) if shape["linear_layers"] else 0
    shape["output_gate"] = int(bool(fields.get("attn_output_gate", shape["output_gate"])))
    bias = int(bool(fields.get("attention_bias", False)))
    fields.get("qkv_bias")
    if family in LATENT:
        if bias:
            raise UnknownArchitecture(f"attention_bias is not understood with the latent attention of '{family}'")
        _latent_attention(shape, fields, need)
    elif bias:
        shape |= {"qkv_bias": 1, "output_bias": int(family != "glm4_moe")}
    if family == "glm4_moe" and fields.get("use_qk_norm"):
        shape["qk_norm"] = "head"
    if 0 in fields.get("attn_type_list", []):
        raise UnknownArchitecture("attn_type_list with 0 (lightning attention) is not understood")
    for name in ("use_qk_norm", "qk_norm_type", "mlp_intermediate_size"):
        fields.get(name)  # MiniMax M2 states them, but none changes its shape
    if fields.get("mlp_bias"):
        shape["ffn_bias"] = 1


def _latent_attention(shape, fields, need):
    for name in ("kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim"):
        shape[name.replace("qk_", "").replace("v_head", "value_head")] = need(name)
    shape["q_lora_rank"] = fields.get("q_lora_rank", 0)
    fields.get("qk_head_dim")  # the sum of two of them
    for name, key in (("index_heads", "index_n_heads"), ("index_head_dim", "index_head_dim"), ("index_topk", "index_topk")):
        shape[name] = fields.get(key, 0)
    if "shared" in fields.get("indexer_types", []):
        raise UnknownArchitecture("indexer_types with 'shared' layers is not understood")
    shape |= {"attention": "mla", "kv_heads": shape["query_heads"], "head_dim": shape["value_head_dim"]}


def _feed_forward(shape, fields, family, need):
    sparse, dense = expert_layers(fields, family, shape["layers"])
    inner = fields.get("intermediate_size")
    if inner is None and FAMILIES[family]["constants"]["ffn_matrices"] == 2:
        inner = 4 * shape["hidden_size"]  # what GPT-J, BLOOM and Falcon mean by leaving it out
    shape |= {"moe_layers": sparse, "ffn_layers": dense}
    if sparse:
        size = fields.get("moe_intermediate_size", inner)
        shared = fields.get("shared_expert_intermediate_size", 0)
        if family in ("qwen2_moe", "qwen3_next", "qwen3_5_moe_text"):
            shared = need("shared_expert_intermediate_size")
        shared += fields.get("n_shared_experts", 0) * (size or 0) + fields.get("shared_intermediate_size", 0)
        if family == "llama4_text":
            shared = inner
        shape |= {"experts": need("num_experts"), "experts_per_token": need("num_experts_per_tok"),
                  "expert_size": size or need("intermediate_size"), "shared_size": shared}
    if family == "llama4_text":
        inner = need("intermediate_size_mlp")
    if dense:
        shape["ffn_size"] = inner if inner is not None else need("intermediate_size")
    else:
        fields.get("intermediate_size_mlp")


def _gemma4(shape, fields):
    for name in ("num_kv_shared_layers", "hidden_size_per_layer_input", "use_double_wide_mlp"):
        if fields.get(name):
            raise UnknownArchitecture(f"field '{name}' of family 'gemma4_text' is not understood yet")
    fields.get("enable_moe_block"), fields.get("vocab_size_per_layer_input")
    same = bool(fields.get("attention_k_eq_v", False))
    few = fields.get("num_global_key_value_heads")
    shape |= {"global_head_dim": fields.get("global_head_dim"), "global_values": int(not same),
              "global_kv_heads": few if few and same else shape["kv_heads"]}
    if shape["experts"]:
        shape |= {"layer_norms": 7, "router_norms": 1}


def _falcon(shape, fields):
    if not fields.get("new_decoder_architecture", False):
        shape["kv_heads"] = 1 if fields.get("multi_query", True) else shape["query_heads"]
    norms = fields.get("num_ln_in_parallel_attn", 2 if fields.get("new_decoder_architecture") else 1)
    if fields.get("bias", False):
        shape |= {"qkv_bias": 1, "output_bias": 1, "ffn_bias": 1}
    shape["layer_norms"] = 2 * norms if fields.get("parallel_attn", True) else 4


def _whisper(shape, fields, need):
    same = (("encoder_attention_heads", "query_heads"), ("encoder_ffn_dim", "ffn_size"))
    for theirs, ours in same:
        if need(theirs) != shape[ours]:
            raise UnknownArchitecture(f"field '{theirs}' differs from its decoder twin: not understood")
    # The decoder's self-attention has no bias on its key: its query, value and output make three.
    shape |= {"encoder_layers": need("encoder_layers"), "encoder_positions": need("max_source_positions"),
              "encoder_channels": need("num_mel_bins"), "position_embeddings": shape["max_positions"],
              "output_bias": 3, "final_norms": 2}


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


def _nas(fields, family):
    """Nemotron after architecture search: every block states its own attention and feed-forward."""
    def need(key):
        return fields.need(key, family)

    d, heads, blocks = need("hidden_size"), need("num_attention_heads"), need("block_configs")
    shape = model_shape.record({}) | FAMILIES[family]["constants"] | {
        "family": family, "kind": "dense", "attention": "gqa", "layers": need("num_hidden_layers"),
        "hidden_size": d, "query_heads": heads, "head_dim": _head_dim(fields, d, heads),
        "vocab": need("vocab_size"), "tied": int(bool(fields.get("tie_word_embeddings", False))),
        "max_positions": fields.get("max_position_embeddings", 0)}
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
    # The blocks differ in width; their mean keeps the total exact.
    fields.get("attention_bias"), fields.get("intermediate_size"), fields.get("num_key_value_heads")
    fields.get("mlp_bias")
    return shape | {"kv_heads": heads // groups.pop(), "ffn_layers": len(inner),
                    "ffn_size": sum(inner) / len(inner)}

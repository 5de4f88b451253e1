"""A Hugging Face ``config.json`` as one architecture record, with exact parameters and cache sizes."""

import contextlib
import difflib
import json
import re
from pathlib import Path

from tokenecon import model_shape
from tokenecon.errors import BadInput
from tokenecon.importers import odd_families, parts, published, towers
from tokenecon.importers.families import CLASSES, LIKE, PARTS, REFUSED
from tokenecon.importers.fields import LENGTH, BadField, Fields, UnknownArchitecture

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
    r"layernorm_|shared_moe_mode|image_|vision_|video_|audio_|classifier|median_filter|weighted_layer_sum|swiglu|dtype$|multipliers?$|_factor$|_scale$|chunk_size|kernels$|moe_norm_min|renormalize|expert_group|sink|use_attention_gate|^gating$|layer_norm_elementwise|do_layer_norm_before|latent_moe_use_norm|add_qk|logn_attn|num_logits|^time_step|hidden_act|hc_sinkhorn|hc_eps|hash_layers|rms_norm|norm_before_gate|use_gemma_norm|codebook|frame_size|loss|feat_extract)")

LARGEST = 10_000_000  # bytes of a config.json; those with a list for each layer have some thousands
TEXT_BLOCKS = ("text_config", "llm_config", "language_config", "thinker_config")  # where wrappers keep the language model
SUFFIX = re.compile(r"(ForCausalLM|ForConditionalGeneration|LMHeadModel|Config|Model)$")


class NoConfig(BadInput):
    """There is no configuration at the place given."""


def load(source):
    """Architecture record of a ``config.json`` (path or folder) or of a model id of the Hugging Face Hub.

    The record has the shape columns of ``data/models.csv`` and ``id``, ``parameters`` (of the language model),
    ``total_parameters`` (with its towers for pictures and sound: all that is held in memory), ``active_parameters``,
    ``kv_bytes_per_token`` (16-bit values, below any window), and ``defaults_used``: the fields that the file leaves out and its
    class fills in. A ``hf_quant_config.json`` or ``quantize_config.json`` beside the file says in which precision it is
    published.
    """
    path = Path(source)
    if path.is_dir():
        path = path / "config.json"
    if not path.exists():
        if path.suffix == ".json" or not re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
            raise NoConfig(
                f"no configuration at '{source}': give the path of a config.json, or a Hub id such as "
                "'Qwen/Qwen3-32B'")
        path = _download(str(source), "config.json")
        _download_beside(str(source), _read(path))
    config = _read(path)
    beside = {name: _read(path.parent / name) for name in published.SIDE_FILES if (path.parent / name).is_file()}
    name = str(source) if not Path(source).exists() else path.resolve().parent.name
    return {"id": name.split("/")[-1].lower(), **from_config(config, beside)}


def _read(path):
    """The object that a JSON file holds."""
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
    return config


def _download_beside(hub_id, config):
    """Fetch the files about precision too, where the configuration says nothing of it; most models have none."""
    for name in () if config.get("quantization_config") else published.SIDE_FILES:
        with contextlib.suppress(NoConfig):
            _download(hub_id, name)


def _download(hub_id, name):
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise NoConfig(
            f"'{hub_id}' looks like a Hub id, but the package huggingface_hub is not installed: install it, "
            "or give the path of a config.json") from error
    try:
        return Path(hf_hub_download(repo_id=hub_id, filename=name))
    except Exception as error:  # the library raises a dozen kinds; all mean that there is no file
        raise NoConfig(
            f"the configuration of '{hub_id}' could not be fetched ({type(error).__name__}): offline, no such "
            "model, or access not granted; give the path of a config.json instead") from error


def from_config(config, beside=None):
    """Architecture record of a configuration, given as a dict; `beside` are the files about precision that lie beside it."""
    wrapper, family, block, where = _family(config)
    known = CLASSES.get(LIKE.get(family, family), {})
    given = PARTS.get(family) or PARTS.get(LIKE.get(family)) or known.get("parts")
    for name in (wrapper, family):
        if name in REFUSED:
            raise UnknownArchitecture(f"architecture '{name}' is not counted to a thousandth: its "
                                      f"{', '.join(REFUSED[name]) or 'layers'} are not understood")
    if given is None:
        raise _unknown(family, block)
    skip = odd_families.AMBIGUOUS.get(family, ())
    fields = Fields({key: value for key, value in block.items() if key not in skip}, known.get("defaults", {}), family, where)
    if where and not any(fields.given(key) for key in ("hidden_size", "num_hidden_layers", "vocab_size")):
        raise UnknownArchitecture(f"the configuration of family '{family}' states none of its sizes: the "
                                  "defaults of a class fill a field that a file leaves out, they are no model")
    for key in ("model_type", "architectures", "dtype", "is_encoder_decoder"):
        fields.raw(key)
    read = odd_families.READERS.get(family)
    shape = read(fields, given) if read else parts.record(fields, family, given, known.get("layer_types"))
    _tie(shape, fields, config if where else {}, CLASSES.get(wrapper, {}))
    shape["dtype"] = next((str(each["dtype"] or "") for each in (fields.values, config) if each.get("dtype")),
                          str(config.get("torch_dtype") or ""))
    _all_read(fields)
    if shape["max_positions"] is None:
        fields.need(LENGTH)
    shape["towers"], filled = towers.parameters(config, CLASSES.get(wrapper, {}), shape)
    _check(shape)
    shape |= published.read(config, beside or {}, shape)
    shape |= model_shape.parameters(shape)
    shape["total_parameters"] = shape["parameters"] + shape["towers"]
    shape["kv_bytes_per_token"] = model_shape.kv_bytes_per_token(shape, bytes_per_value=2)
    shape["defaults_used"] = tuple(sorted(filled | {where + key for key in fields.filled}))
    return shape


def _tie(shape, fields, wrapper, known):
    """Whether the head is the embedding: as the wrapper says, else the text part, else their classes."""
    outer = Fields(wrapper, {}, fields.family)
    stated = [each.flag("tie_word_embeddings") for each in (outer, fields) if each.given("tie_word_embeddings")]
    fields.raw("tie_word_embeddings")
    usual = known.get("defaults", {}).get("tie_word_embeddings") if wrapper else None
    if usual is None:
        usual = fields.defaults.get("tie_word_embeddings", False)
    shape["tied"] = int(stated[0] if stated else usual)


def _all_read(fields):
    """Refuse a field that may change the shape and that no rule has read."""
    unread = [key for key, value in fields.unread().items() if value and SHAPELY.search(key) and not HARMLESS.search(key)]
    if unread:
        raise UnknownArchitecture(
            f"the configuration is of family '{fields.family}', but these fields are not understood: "
            f"{', '.join(sorted(unread))}; see tokenecon/importers/parts.py")


def _check(shape):
    """Refuse a shape that no model has: its parts would still give a count, and the count would be nonsense."""
    for name in model_shape.SHAPE_FIELDS:
        low = -float("inf") if name in model_shape.SIGNED else 0
        if not low <= shape[name] < float("inf"):
            raise BadField(name, shape[name], "must be at least 0")
    for name, whole in (("kv_heads", "query_heads"), ("global_kv_heads", "query_heads")):
        if shape[name] and shape[whole] % shape[name]:
            raise BadField(name, shape[name], f"must divide the {shape[whole]} attention heads")
    if not any(shape[name] for name in model_shape.MIXERS):
        raise UnknownArchitecture("the configuration has no layer that mixes tokens, by its layer_types or what it has instead")
    if shape["experts_per_token"] > shape["experts"]:
        raise BadField("num_experts_per_tok", shape["experts_per_token"], f"must be at most the {shape['experts']} experts")
    if not all(size >= 0 for size in model_shape.parameter_groups(shape).values()):
        raise UnknownArchitecture("the fields of the configuration contradict each other: a part would have fewer than no "
                                  "parameters")


def _named(key, value, wanted, words):
    named = not isinstance(value, list) or all(isinstance(one, str) for one in value)
    if value is not None and not (isinstance(value, wanted) and named):
        raise BadField(key, value, f"must be {words}")


def _family(config):
    """Type of the whole, type and block of its language model, and where that block stands."""
    _named("model_type", config.get("model_type"), str, "a text")
    _named("config_class", config.get("config_class"), str, "a text")
    _named("architectures", config.get("architectures"), list, "a list of texts")
    kind = config.get("model_type") or _by_class(config)
    inner, where = config, ""
    for name in TEXT_BLOCKS:
        while inner.get(name) is not None:
            _named(where + name, inner[name], dict, "a block")
            inner, where = inner[name], f"{where}{name}."
    _named(f"{where}model_type", inner.get("model_type"), str, "a text")
    text = CLASSES.get(LIKE.get(kind, kind), {}).get("blocks", {})
    usual = next((text[name] for name in TEXT_BLOCKS if name in text), None)
    own = inner.get("model_type") if where else None
    family = own if own and _is_known(own) else usual or own or kind
    if family is None:
        raise UnknownArchitecture("architecture '(neither model_type nor architectures given)' is not known; fields not "
                                  f"understood: {', '.join(_strange(config)) or 'model_type'}")
    return LIKE.get(kind, kind), family, inner, where


def _is_known(kind):
    return kind in PARTS or kind in odd_families.READERS or "parts" in CLASSES.get(LIKE.get(kind, kind), {})


def _by_class(config):
    """The type that the name of a class stands for."""
    known = {key.replace("_", "").replace("-", ""): key for key in (*CLASSES, *LIKE)} | odd_families.NAMES
    for name in config.get("architectures") or [config.get("config_class") or ""]:
        stem = SUFFIX.sub("", name).lower()
        if stem in known:
            return known[stem]
    return (config.get("architectures") or [None])[0]


def _strange(block):
    return sorted(key for key, value in block.items() if value and SHAPELY.search(key) and not HARMLESS.search(key)
                  and key not in COMMON)


COMMON = {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size",
          "vocab_size"}


def _unknown(family, block):
    near = difflib.get_close_matches(str(family), [*CLASSES, *LIKE], n=3)
    hint = f"; nearest known: {', '.join(near)}" if near else ""
    return UnknownArchitecture(f"architecture '{family}' is not known; fields not understood: "
                               f"{', '.join(_strange(block)[:30]) or 'model_type'}{hint}")

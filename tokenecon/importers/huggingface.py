"""A Hugging Face ``config.json`` as one architecture record, with exact parameters and cache sizes."""

import contextlib
import difflib
import json
import os
import re
from pathlib import Path

from tokenecon import model_shape
from tokenecon.errors import BadInput
from tokenecon.importers import odd_families, parts, published, towers
from tokenecon.importers.families import CLASSES, LIKE, PARTS, REFUSED
from tokenecon.importers.fields import LENGTH, BadField, Fields, UnknownArchitecture, strange

LARGEST = 10_000_000  # bytes of a config.json; those with a list for each layer have some thousands
TEXT_BLOCKS = ("text_config", "llm_config", "language_config", "thinker_config")  # where wrappers keep the language model
NO_WRITER = re.compile(r"For(Masked|Sequence|Token|Question|Multiple|NextSentence|PreTraining|Image|CTC|Audio)|"
                       r"Reward|EncoderModel|Embedding|Rank")
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
    if os.path.isdir(path):
        path = path / "config.json"
    if not os.path.exists(path):  # pathlib's own raises for a name that is too long
        if path.suffix == ".json" or not re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
            raise NoConfig(
                f"no configuration at '{source}': give the path of a config.json, or a Hub id such as "
                "'Qwen/Qwen3-32B'")
        path = _download(str(source), "config.json")
        _download_beside(str(source), _read(path))
    config = _read(path)
    beside = {name: _read(path.parent / name) for name in published.SIDE_FILES if os.path.isfile(path.parent / name)}
    name = str(source) if not os.path.exists(source) else path.resolve().parent.name
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
    if where and config.get("num_key_value_heads") is not None:  # where some wrappers keep it
        block = {"num_key_value_heads": config["num_key_value_heads"]} | block
    skip = odd_families.AMBIGUOUS.get(family, ())
    fields = Fields({key: value for key, value in block.items() if key not in skip}, known.get("defaults", {}), family, where)
    if where and not any(fields.given(key) for key in ("hidden_size", "num_hidden_layers", "vocab_size")):
        raise UnknownArchitecture(f"the configuration of family '{family}' states none of its sizes: the "
                                  "defaults of a class fill a field that a file leaves out, they are no model")
    for key in ("model_type", "architectures", "dtype"):
        fields.raw(key)
    for name in fields.values.get("architectures") or config.get("architectures") or []:
        if NO_WRITER.search(name):
            raise UnknownArchitecture(f"class '{name}' in architectures writes no text: its head is not that of a language model")
    encoded = fields.flag("is_encoder_decoder")
    read = odd_families.READERS.get(family)
    shape = read(fields, given) if read else parts.record(fields, family, given, known.get("layer_types"))
    if encoded and shape["kind"] not in ("encoder-decoder", "cross-attention"):
        raise BadField(f"{where}is_encoder_decoder", True, f"family '{family}' is read as a decoder alone")
    outer = Fields(config if where else {}, CLASSES.get(wrapper, {}).get("defaults", {}) if where else {}, wrapper)
    _tie(shape, fields, outer)
    shape["dtype"] = _dtype(fields, outer)
    fields.understood()
    outer.read.update(TEXT_BLOCKS)
    shape["towers"], filled = towers.parameters(outer if where else fields, wrapper, shape)
    towers.pass_usual_blocks(outer, CLASSES.get(wrapper, {}))
    inner = [one for one in config.values() if isinstance(one, dict)]
    outer.understood(more=[key for key in outer.values if any(one.get(key) == outer.values[key] for one in inner)])
    if shape["max_positions"] is None:
        fields.need(LENGTH)
    _check(shape)
    shape |= published.read(config, beside or {}, shape)
    shape |= model_shape.parameters(shape)
    shape["total_parameters"] = shape["parameters"] + shape["towers"]
    shape["kv_bytes_per_token"] = model_shape.kv_bytes_per_token(shape, bytes_per_value=2)
    shape["defaults_used"] = tuple(sorted(filled | {where + key for key in fields.filled}))
    return shape


def _tie(shape, fields, outer):
    """Whether the head is the embedding: as the wrapper says, else the text part, else their classes; null is no."""
    key = "tie_word_embeddings"
    for each in (outer, fields):
        each.read.add(key)
    for each in (outer, fields):
        if key in each.values:
            shape["tied"] = int(each.flag(key))
            return
    fields.filled.add(key)
    shape["tied"] = int(bool(outer.defaults.get(key, fields.defaults.get(key, False))))


def _dtype(fields, outer):
    """Format of what no tool has narrowed: as the text part says, else the wrapper; engines take 16 bits where neither does."""
    for each in (fields, outer):
        value = each.text("dtype").removeprefix("torch.")
        if value and value not in published.PLAIN:
            raise BadField(each.where + each.spelling["dtype"], value, f"must be one of {', '.join(published.PLAIN)}")
        if value:
            return value
    fields.filled.add("dtype")
    return ""


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
    while name := next((name for name in TEXT_BLOCKS if inner.get(name) is not None), ""):
        _named(where + name, inner[name], dict, "a block")
        deep = [where + tower for tower in towers.BLOCKS if where and inner.get(tower) is not None]
        if deep:
            raise UnknownArchitecture(f"blocks of towers inside an inner block are not understood: {', '.join(deep)}")
        inner, where = inner[name], f"{where}{name}."
    _named(f"{where}model_type", inner.get("model_type"), str, "a text")
    text = CLASSES.get(LIKE.get(kind, kind), {}).get("blocks", {})
    usual = next((text[name] for name in TEXT_BLOCKS if name in text), None)
    family = (inner.get("model_type") if where else None) or usual or kind
    if family is None:
        raise UnknownArchitecture("architecture '(neither model_type nor architectures given)' is not known; fields not "
                                  f"understood: {', '.join(_strange(config)) or 'model_type'}")
    return LIKE.get(kind, kind), family, inner, where


def _by_class(config):
    """The type that the name of a class stands for."""
    known = {key.replace("_", "").replace("-", ""): key for key in (*CLASSES, *LIKE)} | odd_families.NAMES
    for name in config.get("architectures") or [config.get("config_class") or ""]:
        stem = SUFFIX.sub("", name).lower()
        if stem in known:
            return known[stem]
    return (config.get("architectures") or [None])[0]


def _strange(block):
    return sorted(key for key, value in block.items() if strange(key, value) and key not in COMMON)


COMMON = {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size",
          "vocab_size"}


def _unknown(family, block):
    near = difflib.get_close_matches(str(family), [*CLASSES, *LIKE], n=3)
    hint = f"; nearest known: {', '.join(near)}" if near else ""
    return UnknownArchitecture(f"architecture '{family}' is not known; fields not understood: "
                               f"{', '.join(_strange(block)[:30]) or 'model_type'}{hint}")

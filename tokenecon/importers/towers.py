"""Towers for pictures and sound, and the projectors behind them: weights that are held, and read once a picture.

A tower is layers of one kind, each a sum of products of its widths, and what stands before and after them. Which products is a
matter of its class: `class_defaults.json` lists them, with how often each occurs (`d*f` is width times inner width).
"""

import math

from tokenecon.importers.families import CLASSES
from tokenecon.importers.fields import BadField, Fields, UnknownArchitecture

NAMES = {  # what the letters of a product stand for, and the fields that state it
    "d": ("embed_dim", "hidden_size", "vt_hidden_size", "width", "dim"),
    "f": ("intermediate_size", "encoder_ffn_dim", "mlp_dim", "vt_intermediate_size", "fc_size"),
    "o": ("out_hidden_size", "projection_dim", "output_dim", "vision_output_dim", "projector_output_dim"),
    "h": ("num_attention_heads", "encoder_attention_heads", "vt_num_attention_heads"),
    "layers": ("num_hidden_layers", "depth", "encoder_layers", "vt_num_hidden_layers"),
}
BLOCKS = ("vision_config", "audio_config", "vision_encoder_config", "high_res_vision_config", "encoder_config")


def parameters(config, known, shape):
    """Parameters of all towers of a configuration and of the projectors into the text model of this shape; filled fields.

    A wrapper that does not mention a tower has the one of its class; null says that it has none.
    """
    total, filled, expected, optional = 0, set(), known.get("blocks", {}), known.get("optional", ())
    for name in BLOCKS:
        block = config.get(name)
        if block is None and (name not in expected or name in optional or name in config):
            continue
        size, missing = _one(name, block or {}, expected.get(name), known.get("projectors", {}).get(name, {}), shape)
        total += size
        filled |= {name} if block is None else missing
    return round(total), filled


def _one(name, block, usual, projector, shape):
    if not isinstance(block, dict):
        raise UnknownArchitecture(f"field '{name}' of the configuration must be a block")
    own = block.get("model_type") or None
    if not isinstance(own, str | None):
        raise BadField(f"{name}.model_type", own, "must be a text")
    kind = own if usual is None or "tower" in CLASSES.get(own, {}) else usual
    rules = CLASSES.get(kind, {}).get("tower")
    if rules is None:
        raise UnknownArchitecture(f"the tower of {name} is of type '{own or kind}', whose layers are not understood")
    fields = Fields(block, CLASSES[kind].get("defaults", {}), kind, f"{name}.")
    sizes = _sizes(fields, shape)
    total = 0
    for count, terms in rules.get("stacks", ()):
        usual = _first(fields, NAMES["layers"]) if count in NAMES["layers"] else None
        layers = usual or (fields.need(count) if isinstance(count, str) else count)
        total += layers * _sum(terms, sizes, fields)
    if "head" in rules and fields.flag("vision_use_head", True):
        total += _sum(rules["head"], sizes, fields)
    total += _sum(rules.get("outer", {}), sizes, fields) + _sum(projector, sizes, fields)
    return total, {fields.where + key for key in fields.filled}


def _first(fields, names):
    """The first of some fields that the file states, else the first that the class does."""
    stated = [name for name in names if fields.given(name)] or [name for name in names if fields.number(name) is not None]
    return fields.number(stated[0]) if stated else None


def _sizes(fields, shape):
    sizes = {key: _first(fields, names) for key, names in NAMES.items() if key != "layers"}
    ratio = fields.raw("mlp_ratio")
    stated = any(fields.given(name) for name in NAMES["f"])
    if not stated and sizes["d"] and isinstance(ratio, int | float) and 0 < ratio < 1000:
        sizes["f"] = int(ratio * sizes["d"])
    if not sizes["o"] and fields.number("embed_dim"):  # there hidden_size is what comes out
        sizes["o"] = fields.number("hidden_size")
    patch, image = (fields.raw(key) for key in ("patch_size", "image_size"))
    patch, image = (one[0] if isinstance(one, list) and one else one for one in (patch, image))
    merge = fields.raw("spatial_merge_size") or fields.raw("merge_size") or fields.raw("merge_kernel_size") or 2
    merge = merge[0] if isinstance(merge, list) and merge else merge
    for key, value in (("patch_size", patch), ("image_size", image), ("spatial_merge_size", merge or 0)):
        if value is not None and not (isinstance(value, int) and 0 < value < 100_000):
            raise UnknownArchitecture(f"field '{fields.where}{key}' of the configuration must be a whole number above 0")
    sizes |= {"t": shape["hidden_size"], "pp": patch and patch**2, "n": patch and image and (image // patch) ** 2,
              "e": fields.number("head_dim") or (sizes["d"] and sizes["h"] and sizes["d"] // sizes["h"]),
              "m": sizes["d"] and sizes["d"] * merge**2}
    return sizes


def _sum(terms, sizes, fields):
    """Sum of products: each so many times, of widths by letter, or of fields after a #."""
    def value(letter):
        found = fields.need(letter[1:]) if letter.startswith("#") else sizes[letter]
        if found is None:
            raise UnknownArchitecture(f"the tower of {fields.where[:-1]} leaves out a width ({letter}) that its class does not "
                                      "give")
        return found
    return sum(times * math.prod(value(letter) for letter in product.split("*") if letter) for product, times in terms.items())

"""Towers for pictures and sound, and the projectors behind them: weights that are held, and read once a picture.

A tower is layers of one kind, each a sum of products of its widths, and what stands before and after them. Which products is a
matter of its class: `class_defaults.json` lists them, with how often each occurs (`d*f` is width times inner width).
"""

import math

from tokenecon.importers.families import CLASSES
from tokenecon.importers.fields import BadField, Fields, UnknownArchitecture, strange

NAMES = {  # what the letters of a product stand for, and the fields that state it
    "d": ("embed_dim", "hidden_size", "vt_hidden_size", "width", "dim"),
    "f": ("intermediate_size", "encoder_ffn_dim", "mlp_dim", "vt_intermediate_size", "fc_size"),
    "o": ("out_hidden_size", "projection_dim", "output_dim", "vision_output_dim", "projector_output_dim"),
    "h": ("num_attention_heads", "encoder_attention_heads", "vt_num_attention_heads"),
    "layers": ("num_hidden_layers", "depth", "encoder_layers", "vt_num_hidden_layers"),
}
TEMPORAL = 2  # pictures of a film that are one patch
MERGES = ("spatial_merge_size", "merge_size", "merge_kernel_size")
# Fields of a tower that change no weights: how it looks at pictures, and what repeats the text model.
BESIDE = ("vocab_size", "rope_parameters", "rope_scaling", "layer_types", "patch_dim", "nemo_final_size", "pooling_kernel_size",
          "num_position_embeddings", "position_embedding_type", "_attn_implementation")
# And those that say again what others say; the weights of another value are not understood.
REPEATED = {"num_key_value_heads": "h", "global_head_dim": ("head_dim",), "mm_hidden_size": "d", "text_hidden_size": "t"}
BLOCKS = ("vision_config", "audio_config", "vision_encoder_config", "high_res_vision_config", "encoder_config")


def parameters(outer, wrapper, shape):
    """Parameters of the towers of a configuration, given as its outer fields, and of the projectors into the text model of this
    shape; and filled fields.

    A wrapper that does not mention a tower has the one of its class; null says that it has none.
    """
    known = CLASSES.get(wrapper, {})
    total, filled, expected, optional = 0, set(), known.get("blocks", {}), known.get("optional", ())
    outer.read.update(BLOCKS)
    if outer.flag("language_model_only"):
        return 0, filled
    for name in BLOCKS:
        block = outer.values.get(name)
        if block is None and (name not in expected or name in optional or name in outer.values):
            continue
        if wrapper not in CLASSES:
            raise UnknownArchitecture(f"architecture '{wrapper}' is not known, so what joins its {name} to the text model is not "
                                      "understood")
        if not isinstance(block, dict | None):
            raise UnknownArchitecture(f"field '{name}' of the configuration must be a block")
        own = (block or {}).get("model_type") or wrapper
        if not isinstance(own, str):
            raise BadField(f"{name}.model_type", own, "must be a text")
        kind = expected.get(name, own) if own == wrapper else own
        size, missing = _one(name, block or {}, kind, known.get("projectors", {}).get(name, {}), shape, outer)
        total += size
        filled |= {name} if block is None else missing
    return round(total), filled


def _one(name, block, kind, projector, shape, outer):
    rules = CLASSES.get(kind, {}).get("tower")
    if rules is None:
        raise UnknownArchitecture(f"the tower of {name} is of type '{kind}', whose layers are not understood")
    fields = Fields(block, CLASSES[kind].get("defaults", {}), kind, f"{name}.")
    sizes = _sizes(fields, shape, outer)
    total = 0
    for count, terms in rules.get("stacks", ()):
        usual = _first(fields, NAMES["layers"]) if count in NAMES["layers"] else None
        layers = usual or (fields.need(count) if isinstance(count, str) else count)
        total += layers * _sum(terms, sizes, fields)
    if "head" in rules and fields.flag("vision_use_head", True):
        total += _sum(rules["head"], sizes, fields)
    total += _sum(rules.get("outer", {}), sizes, fields) + _sum(projector, sizes, fields)
    merge, usual = _merge(fields, outer), _merge(Fields({}, fields.defaults, kind), Fields({}, outer.defaults, kind))
    if merge != usual and not any("m" in one.split("*") for one in (*rules.get("outer", {}), *projector)):
        raise BadField(f"{fields.where}spatial_merge_size", merge, "only the value of its class is understood here")
    pass_usual_blocks(fields, CLASSES[kind])
    fields.understood(more=BESIDE)
    return total, {fields.where + key for key in fields.filled}


def pass_usual_blocks(fields, known):
    """Mark as read the blocks that state what their class says anyway."""
    for key, block in fields.values.items():
        kind = known.get("blocks", {}).get(key)
        if isinstance(block, dict) and kind in CLASSES:
            inner = Fields(block, CLASSES[kind].get("defaults", {}), kind)
            pass_usual_blocks(inner, CLASSES[kind])
            if not any(strange(*one) for one in inner.unread().items()):
                fields.read.add(key)


def _first(fields, names):
    """The first of some fields that the file states, else the first that the class does."""
    stated = [name for name in names if fields.given(name)] or [name for name in names if fields.number(name) is not None]
    return fields.number(stated[0]) if stated else None


def _sizes(fields, shape, outer):
    sizes = {key: _first(fields, names) for key, names in NAMES.items() if key != "layers"}
    ratio = fields.raw("mlp_ratio")
    stated = any(fields.given(name) for name in NAMES["f"])
    if not stated and sizes["d"] and isinstance(ratio, int | float) and 0 < ratio < 1000:
        sizes["f"] = int(ratio * sizes["d"])
    if not sizes["o"] and fields.number("embed_dim"):  # there hidden_size is what comes out
        sizes["o"] = fields.number("hidden_size")
    patch, image = (fields.raw(key) for key in ("patch_size", "image_size"))
    patch, image = (one[0] if isinstance(one, list) and one else one for one in (patch, image))
    merge = _merge(fields, outer)
    for key, widths in REPEATED.items():
        known = [shape["hidden_size"] if name == "t" else sizes.get(name) or fields.raw(name) for name in widths]
        known.append(fields.defaults.get(key))
        if fields.given(key) and fields.raw(key) not in known:
            raise BadField(fields.where + key, fields.raw(key), f"must be one of the widths that its class takes: "
                           f"{', '.join(str(one) for one in known if one)}")
    if isinstance(merge, list) and len(set(map(str, merge))) > 1:
        raise BadField(f"{fields.where}merge_kernel_size", merge, "only squares of patches are understood")
    merge = merge[0] if isinstance(merge, list) and merge else merge
    for key, value in (("patch_size", patch), ("image_size", image), ("spatial_merge_size", merge or 0)):
        if value is not None and not (isinstance(value, int) and 0 < value < 100_000):
            raise UnknownArchitecture(f"field '{fields.where}{key}' of the configuration must be a whole number above 0")
    sizes |= {"t": shape["hidden_size"], "pp": patch and patch**2, "n": patch and image and (image // patch) ** 2,
              "e": fields.number("head_dim") or (sizes["d"] and sizes["h"] and sizes["d"] // sizes["h"]),
              "a": fields.number("head_dim") and sizes["h"] and sizes["h"] * fields.number("head_dim"),
              "m": sizes["d"] and sizes["d"] * merge**2}
    return sizes


def _merge(fields, outer):
    """Patches that become one, along a side: as the tower states, the wrapper, or their classes."""
    inner = [each.block("img_token_compression_config") for each in (fields, outer)]
    if any(one.get("temporal_patch_size") not in (None, TEMPORAL) for one in inner):
        raise BadField("img_token_compression_config", inner[0], f"pictures in time are understood by {TEMPORAL} alone")
    blocks = [one.get("spatial_merge_size") for one in inner]
    stated = [each.values[key] for each in (fields, outer) for key in MERGES if each.given(key)] + blocks
    usual = [each.raw(key) for each in (fields, outer) for key in MERGES]
    return next((one for one in stated + usual if one is not None), 2)


def _sum(terms, sizes, fields):
    """Sum of products: each so many times, of widths by letter, or of fields after a #."""
    def value(letter):
        found = fields.need(letter[1:]) if letter.startswith("#") else sizes[letter]
        if found is None:
            raise UnknownArchitecture(f"the tower of {fields.where[:-1]} leaves out a width ({letter}) that its class does not "
                                      "give")
        return found
    return sum(times * math.prod(value(letter) for letter in product.split("*") if letter) for product, times in terms.items())

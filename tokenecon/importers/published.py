"""The precision that a model is published in: `quantization_config`, or the file beside `config.json` that says it.

Tools write it in many ways; here each becomes a format of ``data/precisions.csv``, the groups of weights that have another, with
the share of the group where it is not the whole, and the format of the KV cache.
"""

import math
import re

from tokenecon import model_shape
from tokenecon.importers.fields import UnknownArchitecture

SIDE_FILES = ("hf_quant_config.json", "quantize_config.json")
PLAIN = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
ALGORITHMS = {  # of ModelOpt
    "FP8": "fp8", "FP8_PER_CHANNEL_PER_TOKEN": "fp8", "FP8_PB_WO": "fp8-block", "FP8_PB_REAL": "fp8-block", "MXFP8": "mxfp8",
    "NVFP4": "nvfp4", "W4A16_NVFP4": "nvfp4", "NVFP4_AWQ": "nvfp4", "MXFP4": "mxfp4", "W4A8_MXFP4_FP8": "mxfp4",
    "INT8": "int8", "W8A8_SQ_PER_CHANNEL": "int8", "W8A16": "int8", "INT4_AWQ": "int4", "W4A16_AWQ": "int4", "W4A8_AWQ": "int4",
}  # fmt: skip
# Tools, by the name that they write in quant_method; a blank one is told by its other fields.
METHODS = ("", "compressed-tensors", "modelopt", "modelopt-fp4", "fp8", "fbgemm-fp8", "mxfp4", "bitsandbytes", "gptq", "awq",
           "auto-round", "intel/auto-round")  # fmt: skip
# Modules too small for a share of their group.
SMALL = re.compile(r"norm[.*$]*$|norm\.(bias|weight)$|ln_\w+$|bias$|scale$|A_log$|\.D$|sinks$|conv1d[.*$]*$|rotary|rope")
BLOCK = 1024  # weights that share a scale, at least, where the scale is not counted as a part of them
ONE_NAME = ("kimi_linear",)  # call the linear attention of their layers self_attn, too
EXPERTS = {"fp4": "mxfp4", "fp8": "fp8"}  # expert_dtype of DeepSeek V4
COVERED = ("attention", "ffn", "experts", "shared", "encoder")  # what a tool narrows unless told otherwise
MODULES = (  # which group of weights the name of a module belongs to; the first that fits
    ("towers", r"vision|visual|audio|projector|patch_merge|mm_|multi_?modal|image|sound|tower|resampler|connector|merger|vit\b"),
    ("head", r"lm_head|^head$|output_layer"), ("embedding", r"embed_tokens|embeddings$|wte|wpe|^embed"),
    ("mtp", r"mtp|nextn|eh_proj"), ("shared", r"shared?_expert|shared_mlp"),
    ("router", r"(mlp|moe|ffn|feed_forward|mixer)\.gate\b(?!_)|^(re:)?[.*]*gate\$?$|router|e_score"),
    ("experts", r"experts"), ("attention", r"attn|attention|linear_attn|mixer\.(in|out|q|k|v|o)_proj|mixer\.conv|mamba|indexer"),
    ("ffn", r"mlp|feed_forward|ffn|gate_proj|up_proj|down_proj|fc1|fc2"))  # fmt: skip


def read(config, beside, shape):
    """`weights_published`, `weights_except` and `kv_published` of a configuration with the files beside it."""
    stated, experts = _block(config, beside), config.get("expert_dtype")
    plain = PLAIN.get(shape["dtype"], "")
    if experts not in (None, *EXPERTS):
        raise _unknown(f"expert_dtype {experts}")
    if stated is None and not experts:
        return {"weights_published": plain, "weights_except": "", "kv_published": ""}
    block = stated or {}
    formats, ignored, named = ("" if stated is None else _formats(block)), _ignored(block), _named(block)
    if not formats and not named and not experts:
        raise _unknown("modules differ, and neither quantized_layers nor the targets of config_groups list them")
    found = ({group: {formats: 1.0} for group in COVERED} if formats else {}) | named
    if formats and named:
        ignored = []  # what a second tool left alone keeps the format of the first
    if experts and not named and (experts == "fp4" or not formats):
        found["experts"] = {EXPERTS[experts]: 1.0}
    if block.get("moe_quant_algo") and "experts" not in named:
        found["experts"] = {_algorithm(block["moe_quant_algo"]): 1.0}
    _leave_out(found, ignored, shape)
    groups = model_shape.parameter_groups(shape)
    found = {group: shares for group, shares in found.items() if groups.get(group)}
    main = _main(found, groups)
    return {"weights_published": main or plain, "weights_except": _exceptions(found, main, groups), "kv_published": _cache(block)}


def _block(config, beside):
    """The block that says how the weights are stored, wherever it lies; the fullest of them. None where there is none."""
    inner = [config.get(name) for name in ("text_config", "llm_config", "language_config") if isinstance(config.get(name), dict)]
    found = [block[name] for block in (config, *inner) for name in ("quantization_config", "compression_config")
             if block.get(name) is not None]
    for name in SIDE_FILES:
        if name in beside:
            side = beside[name]
            found.append(side.get("quantization", side) if isinstance(side, dict) else side)
    for block in found:
        if not isinstance(block, dict):
            raise UnknownArchitecture("field 'quantization_config' of the configuration must be a block")
    if not found:
        return None
    whole = found[0]
    if len(found) > 1 and whole.get("quant_algo"):  # the same said twice; the shorter may lack the list of layers
        whole = found[1] | {key: value for key, value in whole.items() if value is not None}
    told = next((_cache_of(each) for each in found if _cache_of(each) is not None), None)
    return whole | {"kv_cache_quant_algo": None, "kv_cache_scheme": told}


def _unknown(what):
    return UnknownArchitecture(f"the precision in quantization_config is not understood: {what}; see "
                               "tokenecon/importers/published.py")


def _formats(block):
    """Format of what is covered; blank where each module states its own."""
    method = str(block.get("quant_method") or "").lower().replace("_", "-")
    if method not in METHODS:
        raise _unknown(f"quant_method {block['quant_method']}")
    algorithm, groups = block.get("quant_algo") or (None if method else block.get("algo")), block.get("config_groups")
    if algorithm is not None and algorithm != "MIXED_PRECISION":
        _algorithm(algorithm)
    if algorithm == "MIXED_PRECISION" or _by_target(block):
        return _eight_bits(block) if method == "fp8" else ""
    if algorithm is not None:
        if groups and _of_weights(_first_group(groups)) != _algorithm(algorithm):
            raise _unknown(f"quant_algo {algorithm} and other weights in config_groups")
        return _algorithm(algorithm)
    if method in ("compressed-tensors", "modelopt") or groups:
        return _of_weights(_first_group(groups))
    if method in ("fp8", "fbgemm-fp8") or (not method and str(block.get("fmt")).startswith(("e4m3", "float8"))):
        return _eight_bits(block)
    if method == "mxfp4":
        return "mxfp4"
    if method in ("bitsandbytes", "") and (block.get("load_in_4bit") or block.get("load_in_8bit")):
        return "nf4" if block.get("load_in_4bit") else "int8"
    bits = block.get("bits", block.get("w_bit"))
    if method in ("gptq", "awq", "auto-round", "intel/auto-round", "") and bits is not None:
        return _integers(bits, block.get("group_size", block.get("q_group_size")))
    raise _unknown(f"quant_method {method or block.get('quant_method') or '(none)'}")


def _algorithm(name):
    if not isinstance(name, str) or name.upper() not in ALGORITHMS:
        raise _unknown(f"quant_algo {name}")
    return ALGORITHMS[name.upper()]


def _eight_bits(block):
    """FP8, with scales for blocks of weights or without."""
    sides = block.get("weight_block_size")
    if sides is None:
        return "fp8"
    if not isinstance(sides, list) or not sides or not all(isinstance(one, int) for one in sides) or math.prod(sides) < BLOCK:
        raise _unknown(f"weight_block_size {sides}; blocks of {BLOCK} weights or more are")
    return "fp8-block"


def _first_group(groups):
    if not isinstance(groups, dict) or not groups or not all(isinstance(one, dict) for one in groups.values()):
        raise _unknown("config_groups")
    return next(iter(groups.values())).get("weights")


def _of_weights(weights):
    """Format of the `weights` of a group of compressed-tensors."""
    if not isinstance(weights, dict):
        raise _unknown("config_groups without weights")
    bits, kind, size = weights.get("num_bits"), weights.get("type"), weights.get("group_size")
    if size is None and weights.get("strategy") == "group":
        raise _unknown("weights in groups without a group_size")
    if kind == "int":
        return _integers(bits, size)
    if kind == "float" and bits == 8 and size in (32, None, -1):
        return "mxfp8" if size == 32 else "fp8-block" if weights.get("strategy") == "block" else "fp8"
    if kind == "float" and bits == 4 and size in (16, 32):
        return "mxfp4" if size == 32 else "nvfp4"
    raise _unknown(f"weights of {bits} bits of type {kind} in groups of {size}")


LARGE_GROUP = 128  # scales of such groups, or of whole channels, are a small part of the weights
SIZES = {32: "int4-g32", 64: "int4-g64", -1: "int4"}


def _integers(bits, size):
    if bits == 8:
        return "int8"
    if bits == 3:
        return "int3"
    if bits == 4 and (size is None or (isinstance(size, int) and (size in SIZES or size >= LARGE_GROUP))):
        return SIZES.get(size, "int4")
    raise _unknown(f"integers of {bits} bits in groups of {size}")


def _by_target(block):
    """Whether the groups of compressed-tensors name their modules one by one."""
    groups = block.get("config_groups")
    if not isinstance(groups, dict):
        return False
    targets = [one.get("targets", ["Linear"]) for one in groups.values() if isinstance(one, dict)]
    return len(groups) > 1 or any(one != ["Linear"] for one in targets)


def _named(block):
    """Formats by group of weights where modules are listed one by one, as shares of the group's listed modules."""
    listed = []
    layers = block.get("quantized_layers")
    if isinstance(layers, dict):
        for name, one in layers.items():
            if not isinstance(one, dict):
                raise _unknown(f"quantized_layers.{name} is not a block")
            listed.append((name, _algorithm(one.get("quant_algo"))))
    elif _by_target(block):
        for group in block["config_groups"].values():
            form = _of_weights(group.get("weights") if isinstance(group, dict) else None)
            targets = group.get("targets")
            if not isinstance(targets, list) or not targets or not all(isinstance(one, str) for one in targets):
                raise _unknown("targets of config_groups must be a list of names")
            listed += [(name, form) for name in targets]
    found = {}
    for name, form in listed:
        counts = found.setdefault(_group(name), {})
        counts[form] = counts.get(form, 0) + 1
    return {group: {form: n / sum(counts.values()) for form, n in counts.items()} for group, counts in found.items()}


def _group(name):
    """Group of weights that a listed module belongs to; a module that none knows is not understood."""
    group = group_of(name)
    if not group:
        raise _unknown(f"module '{name}'")
    return group


def group_of(name):
    """Group of weights that a module belongs to, by its name; blank where none fits."""
    plain = re.sub(r"^re:", "", str(name)).replace("\\", "")
    return next((group for group, pattern in MODULES if re.search(pattern, plain)), "")


def _ignored(block):
    out = []
    for key in ("ignore", "exclude_modules", "modules_to_not_convert", "ignored_layers", "llm_int8_skip_modules", "exclude"):
        given = block.get(key)
        if given is None:
            continue
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise _unknown(f"{key} must be a list of names")
        out += given
    return out


def _leave_out(found, ignored, shape):
    """Take the ignored modules out of what is covered: each by its share of the group's parameters."""
    wide, groups = {}, model_shape.parameter_groups(shape)
    for name in dict.fromkeys(ignored):
        for group, size in _sizes(name, shape, groups):
            wide[group] = wide.get(group, 0) + size
    for group, size in wide.items():
        share = min(1.0, size / groups[group]) if groups.get(group) else 1.0
        if group in found and share > 0.01:
            kept = {form: part * (1 - share) for form, part in found[group].items() if share < 0.99}
            found[group] = kept | {"bf16": 1.0 if share >= 0.99 else share}


def _sizes(name, shape, groups):
    """Groups and parameters that a name in a list of ignored modules stands for, in one layer or in all."""
    plain = re.sub(r"^re:", "", name).replace("\\", "")
    if SMALL.search(plain):
        return
    every = not re.search(r"(layers|blocks|h)\.\d+", plain)
    rest = re.sub(r"^.*?(layers|blocks|h)\.\d+[.*]*", "", plain)
    group = group_of(plain)
    if not every and not rest:  # a whole layer
        if shape["ffn_layers"]:
            yield "ffn", groups["ffn"] / shape["ffn_layers"]
        yield "attention", groups["attention"] / max(shape["layers"], 1)
        return
    if not group:
        raise _unknown(f"ignored module '{name}'")
    if group == "attention" and every and shape["family"] in ONE_NAME and not re.search(r"_proj", plain):
        yield group, groups[group]
    elif group == "attention":
        size = _of_attention(rest or plain, shape, groups)
        yield group, size * (_mixers(plain, shape) if every else 1)
    elif group == "ffn" and shape["ffn_layers"]:
        part = sum(word in plain for word in ("gate_proj", "up_proj", "down_proj")) / shape["ffn_matrices"]
        listed = part if 0 < part < 1 and "(" not in plain else 1.0
        yield group, listed * groups["ffn"] / (1 if every else shape["ffn_layers"])
    elif group in ("experts", "shared") and groups[group]:
        part = 1 / 3 if re.search(r"(gate|up|down)_proj", plain) and "(" not in plain else 1.0
        one = re.search(r"experts\.\d+", plain)
        yield group, part * groups[group] / (1 if every else max(shape["moe_layers"], 1)) / (shape["experts"] if one else 1)
    elif group in ("head", "embedding", "towers"):
        yield group, groups[group]


def _mixers(name, shape):
    if "linear_attn" in name:
        return shape["linear_layers"] + shape["state_layers"]
    if "self_attn" in name or "attn" in name:
        return shape["full_layers"] + shape["window_layers"]
    return shape["layers"]


def _of_attention(name, shape, groups):
    """Parameters of a module of one mixer, by its name."""
    d, heads = shape["hidden_size"], shape["query_heads"]
    linear = shape["linear_layers"] + shape["state_layers"]
    softmax = shape["full_layers"] + shape["window_layers"]
    total = model_shape.softmax_parameters(shape | {"linear_layers": 0}) / (softmax or 1)
    if re.search(r"linear_attn|mixer\.(in|out)_proj|mamba", name) and linear:
        rest = (groups["attention"] - total * softmax) / linear
        return rest / 2 if re.search(r"(in|out)_proj", name) else rest
    key = shape["nope_head_dim"] + shape["rope_head_dim"]
    modules = {  # of latent attention, and of heads
        "q_a_proj": d * shape["q_lora_rank"], "q_b_proj": shape["q_lora_rank"] * heads * key,
        "kv_a_proj": d * (shape["kv_lora_rank"] + shape["rope_head_dim"]),
        "kv_b_proj": shape["kv_lora_rank"] * heads * (shape["nope_head_dim"] + shape["value_head_dim"]),
        "indexer": 0, "o_proj": heads * shape["head_dim"] * d,
        "q_proj": heads * shape["head_dim"] * d * (1 + shape["output_gate"]), "k_proj": shape["kv_heads"] * shape["head_dim"] * d,
        "v_proj": shape["kv_heads"] * shape["head_dim"] * d}
    return next((size for word, size in modules.items() if word in name), total or groups["attention"] / max(shape["layers"], 1))


def _main(found, groups):
    """The format of the largest part of the covered weights that is not 16 bits wide."""
    sizes = {}
    for group, shares in found.items():
        for form, share in shares.items():
            if form not in PLAIN.values():
                sizes[form] = sizes.get(form, 0) + share * groups[group]
    return max(sizes, key=sizes.get) if sizes else ""


def _exceptions(found, main, groups):
    """Groups that differ from the rule of :func:`model_shape.published`, in one line of text."""
    out = []
    for group in groups:
        usual = {main: 1.0} if group in COVERED and main else {"bf16": 1.0}
        shares = found.get(group, usual if group not in COVERED else {"bf16": 1.0})
        if shares == usual or not groups[group]:
            continue
        out += [f"{group}={form}" + ("" if share >= 0.995 else f":{share:.2f}") for form, share in shares.items()
                if form != next(iter(usual))]
    return " ".join(out)


def _cache_of(block):
    """What a file says of the KV cache, under either name."""
    given = block.get("kv_cache_quant_algo")
    return block.get("kv_cache_scheme") if given is None else given


def _cache(block):
    """Format of the KV cache; blank where nothing is said."""
    given = _cache_of(block)
    if given is None:
        return ""
    if isinstance(given, dict):
        said = f"{given.get('num_bits')} bits of {given.get('type')}"
        given = {"8 bits of float": "FP8", "8 bits of int": "INT8", "4 bits of float": "NVFP4"}.get(said, said)
    if str(given).upper() not in ALGORITHMS:
        raise _unknown(f"KV cache in {given}")
    return ALGORITHMS[str(given).upper()]

"""Records to numbers: what the serving model computes with, of a model, an accelerator, number formats and a layout.

A record is a plain dict, a row of ``data/``; :mod:`tokenecon.serving.lookups` finds it by its id.  Like all arithmetic of
``estimate`` this runs on floats, on arrays and on MicroPython.
"""

from tokenecon import model_shape
from tokenecon.formulas import compute, memory
from tokenecon.numerics import ceil, minimum, where
from tokenecon.serving.coefficients import FAMILIES, PADDED_TO
from tokenecon.units import FLOP_PER_MULTIPLY_ADD

WEIGHTS = ("fp16", "bf16", "fp8", "int8", "mxfp4", "nvfp4", "int4")
CACHES = {"fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5}  # bytes of a value
FULL_BYTES = 2.0  # embedding and head stay at 16 bits
ENDLESS = float("inf")  # requests in flight: as many as fit; requests of a queue: more follow
UNSTATED = float("nan")
UNLIMITED = 1e12  # positions; a window that is none
NETWORK_BYTES_PER_S = 50e9  # 400 Gbit/s beyond the GPUs that the fabric joins
LINEAR_PASSES = 8 / 3  # chunked prefill of linear attention computes each product about this often
LAYOUT = ("n_gpus", "tp", "pp", "attention_dp", "ep", "prefill_gpus")
MEMORY = ("memory_share", "reserve_gb")  # what a case may state of its memory; NaN where it does not
SETUP = LAYOUT + MEMORY  # numbers that belong to a setup, not to a row
LARGE_BYTES = 70.0 * 1024**3  # from which on vLLM profiles long passes of many sequences; it leaves out the A100
PROFILE = {False: (2048.0, 256.0), True: (8192.0, 1024.0)}  # tokens of a pass, sequences at once
NEEDED_OF_A_GPU = ("engine_memory_bytes", "bandwidth_bytes_per_s", "bf16_flop_per_s")


def of_model(shape):
    """Numbers of an architecture record that every pass needs."""
    groups = model_shape.parameter_groups(shape)
    widths = model_shape.attention_widths(shape)
    cache_parts = model_shape.cache(shape, bytes_per_value=1.0)
    pair = {"flop_per_multiply_add": FLOP_PER_MULTIPLY_ADD, "pairs": 1.0}
    full, rank = shape["full_layers"], shape["kv_lora_rank"]
    index_values = full * shape["index_head_dim"]
    linear = 0.0
    if shape["linear_layers"]:
        linear = compute.linear_attention_flop(
            positions=1.0, layers=shape["linear_layers"], value_heads=shape["linear_value_heads"],
            key_head_dim=shape["linear_key_head_dim"], value_head_dim=shape["linear_value_head_dim"],
            flop_per_multiply_add=FLOP_PER_MULTIPLY_ADD)
    found = {
        "layers": shape["layers"], "hidden": shape["hidden_size"], "vocab": shape["vocab"],
        "positions": shape["max_positions"] or UNLIMITED, "ffn_size": max(shape["ffn_size"], shape["shared_size"]),
        "expert_size": shape["expert_size"],
        "attention_params": groups["attention"],
        "dense_params": groups["ffn"] + groups["shared"] + groups["router"],
        "expert_params": groups["experts"], "experts": max(shape["experts"], 1),
        "experts_per_token": shape["experts_per_token"], "routed_layers": shape["moe_layers"],
        "routed": shape["experts"] > 0,
        "head_params": shape["vocab"] * shape["hidden_size"],
        "outer_params": groups["embedding"] + groups["head"] + groups["layer_embeddings"] + groups["towers"],
        "full_values": cache_parts["full_bytes_per_position"] - index_values,
        "window_values": cache_parts["window_bytes_per_position"], "index_values": index_values,
        "window": shape["window"] or UNLIMITED, "reach": shape["index_topk"] or UNLIMITED,
        "kv_heads": 1 if rank else (shape["global_kv_heads"] or shape["kv_heads"] or UNLIMITED),  # states alone divide freely
        "full_prefill_flop": compute.attention_flop(layers=full, attention_width=widths["prefill"], **pair),
        "full_decode_flop": compute.attention_flop(layers=full, attention_width=widths["decode"], **pair),
        "window_flop": compute.attention_flop(
            layers=shape["window_layers"], attention_width=widths["window"], **pair),
        "index_flop": compute.attention_flop(
            layers=full, attention_width=shape["index_heads"] * shape["index_head_dim"] / 2, **pair),
        "state_bytes": cache_parts["state_bytes"], "linear_flop": linear * LINEAR_PASSES,
        "linear_layers": shape["linear_layers"], "full_layers": full,
    }  # fmt: skip
    return {name: float(value) for name, value in found.items()}


def _fact(record, name):
    """A number of a record; NaN where it has none, which JSON writes as null."""
    return float("nan") if record[name] is None else float(record[name])


def lacking(chip):
    """The first fact that the serving model needs of an accelerator and its record lacks, or nothing."""
    for name in NEEDED_OF_A_GPU:
        if not _fact(chip, name) > 0:
            return name
    return ""


def of_gpu(chip):
    """Numbers of a GPU's record that every pass needs."""
    rate, watts = _fact(chip, "bf16_flop_per_s"), _fact(chip, "board_power_w")
    large = _fact(chip, "engine_memory_bytes") >= LARGE_BYTES and not chip["gpu"].startswith("a100")
    tokens, sequences = PROFILE[large]
    family = "amd" if chip["vendor"] == "AMD" else "gaudi" if chip["gpu"].startswith("gaudi") else "common"
    return {
        "memory_bytes": _fact(chip, "engine_memory_bytes"), "bandwidth_bytes_per_s": _fact(chip, "bandwidth_bytes_per_s"),
        "full_flop_per_s": rate, "watts": watts if watts > 0 else rate / 1e12,
        "link_bytes_per_s": _fact(chip, "link_bytes_per_s"), "link_domain": _fact(chip, "link_domain_gpus"),
        "pcie": float(str(chip["interconnect"]).startswith(("PCIe", "two"))),
        "family": FAMILIES.index(family), "profile_tokens": tokens, "profile_sequences": sequences,
    }  # fmt: skip


def of_weights(shape, precision, chip):
    """Bytes of a parameter and the arithmetic that the chip has for it, for dense parts and for experts.

    A chip without the format stores the weights in it and computes at 16 bits. Four-bit releases of models
    with latent attention, and MXFP4 of expert models, keep everything but the experts at 16 bits.
    """
    bits = memory.effective_bits(value_bits=precision["bits"], scale_bits=precision["scale_bits"],
                                 zero_bits=precision["zero_bits"], group_size=precision["group_size"])
    narrow = float(memory.bytes_per_param(bits_per_param=bits))
    full = _fact(chip, "bf16_flop_per_s")
    rate = _fact(chip, precision["flop_class"] + "_flop_per_s")
    if precision["id"] == "mxfp4" and rate > 0:  # released MXFP4 models compute on 8-bit activations
        rate = _fact(chip, "fp8_flop_per_s")
    if not rate > full:
        rate = full
    experts_only = shape["experts"] > 0 and precision["bits"] < 8 and (
        precision["scope"] == "experts" or shape["kv_lora_rank"] > 0)
    unpacked = float(precision["bits"] < 16 and rate == full)
    padded, width = precision["id"] == "mxfp4", shape["hidden_size"]
    return {
        "expert_unpacked": unpacked, "linear_unpacked": 0.0 if experts_only else unpacked,
        "linear_bytes": FULL_BYTES if experts_only else narrow, "expert_bytes": narrow,
        "linear_flop_per_s": full if experts_only else rate, "expert_flop_per_s": rate,
        # kernels for MXFP4 pad one side of an expert and keep no workspace: 13.47 GiB of gpt-oss-20b, 64.38 of 120b
        "expert_room_bytes": narrow * (ceil(width / PADDED_TO) * PADDED_TO / width if padded else 1.0),
        "workspace": 0.0 if padded else 1.0,
    }  # fmt: skip


def layout(number):
    """How a model lies on its GPUs: ``group`` share a layer, in ``dp`` attention groups of ``tp``; so many ``replicas`` decode.

    ``number`` has :data:`SETUP`; a tp or an ep that is not given is NaN,
    and so is a number of :data:`MEMORY`, which is passed on.
    """
    n_gpus, tp, pp, attention_dp, ep, prefill_gpus = (number[name] for name in LAYOUT)
    whole = where(tp == tp, tp, n_gpus / pp)
    group = where(whole % attention_dp == 0, whole, whole * attention_dp)
    return {
        "n_gpus": n_gpus, "prefill_gpus": prefill_gpus, "group": group, "dp": attention_dp, "tp": group / attention_dp, "pp": pp,
        "ep": where(ep == ep, ep, where(attention_dp > 1, group, 1.0)), "replicas": (n_gpus - prefill_gpus) / (group * pp),
        "memory_share": number["memory_share"], "reserve_gb": number["reserve_gb"],
    }


def completed(case):
    """The columns that follow from others, and those of options not asked for."""
    case["state_traffic"] = 2 * case["state_bytes"] * minimum(case["tp"], case["kv_heads"]) / case["tp"]
    for name, value in (("cached", 0.0), ("draft_tokens", 0.0), ("tokens_per_pass", 1.0), ("split", 0.0),
                        ("transfer_s", 0.0), ("requests", ENDLESS), ("release", 0), ("memory_share", UNSTATED),
                        ("reserve_gb", UNSTATED)):
        case.setdefault(name, value)
    beyond = case["group"] > case["link_domain"]
    own = where(case["link_bytes_per_s"] > 0, case["link_bytes_per_s"], NETWORK_BYTES_PER_S)
    case["link_bytes_per_s"] = where(beyond, NETWORK_BYTES_PER_S, own)
    case["pcie"] = where(beyond, 1.0, case["pcie"])
    return case

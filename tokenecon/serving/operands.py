"""Ids to numbers: the columns of a case that come from its model, its GPU and its precisions."""

import numpy as np
import pandas as pd

from tokenecon import data, model_shape
from tokenecon.errors import CannotServe
from tokenecon.formulas import compute, memory
from tokenecon.importers.huggingface import load as imported
from tokenecon.queries import remembered
from tokenecon.serving.coefficients import FAMILIES
from tokenecon.units import FLOP_PER_MULTIPLY_ADD

WEIGHTS = ("fp16", "bf16", "fp8", "int8", "mxfp4", "nvfp4", "int4")
CACHES = {"fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5}
FULL_BYTES = 2.0  # embedding and head stay at 16 bits
UNLIMITED = 1e12  # positions; a window that is none
NETWORK_BYTES_PER_S = 50e9  # 400 Gbit/s beyond the GPUs that the fabric joins
LINEAR_PASSES = 8 / 3  # chunked prefill of linear attention computes each product about this often


@remembered
def record(model):
    """Architecture record of a catalogue id, or of a config.json."""
    if str(model).endswith(".json"):
        return imported(model)
    return model_shape.record(data.model(model))


@remembered
def shape_columns(model):
    """Numbers of a model that every pass needs."""
    shape = record(model)
    if shape["encoder_layers"]:
        raise CannotServe(f"model '{model}' has an encoder: this model of serving covers decoders only")
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
    return {
        "layers": shape["layers"], "hidden": shape["hidden_size"],
        "attention_params": groups["attention"],
        "dense_params": groups["ffn"] + groups["shared"] + groups["router"],
        "expert_params": groups["experts"], "experts": max(shape["experts"], 1),
        "experts_per_token": shape["experts_per_token"], "routed_layers": shape["moe_layers"],
        "routed": float(shape["experts"] > 0),
        "head_params": shape["vocab"] * shape["hidden_size"],
        "outer_params": groups["embedding"] + groups["head"],
        "full_values": cache_parts["full_bytes_per_position"] - index_values,
        "window_values": cache_parts["window_bytes_per_position"], "index_values": index_values,
        "window": shape["window"] or UNLIMITED, "reach": shape["index_topk"] or UNLIMITED,
        "kv_heads": 1 if rank else (shape["global_kv_heads"] or shape["kv_heads"]),
        "full_prefill_flop": compute.attention_flop(layers=full, attention_width=widths["prefill"], **pair),
        "full_decode_flop": compute.attention_flop(layers=full, attention_width=widths["decode"], **pair),
        "window_flop": compute.attention_flop(
            layers=shape["window_layers"], attention_width=widths["window"], **pair),
        "index_flop": compute.attention_flop(
            layers=full, attention_width=shape["index_heads"] * shape["index_head_dim"] / 2, **pair),
        "state_bytes": cache_parts["state_bytes"], "linear_flop": linear * LINEAR_PASSES,
    }  # fmt: skip


@remembered
def gpu_columns(gpu):
    """Numbers of a GPU that every pass needs."""
    row = data.gpu(gpu)
    for column in ("engine_memory_bytes", "bandwidth_bytes_per_s", "bf16_flop_per_s"):
        if not row[column] > 0:
            raise CannotServe(f"gpu '{gpu}' has no {column} in data/gpus.csv")
    rate, watts = float(row["bf16_flop_per_s"]), float(row["board_power_w"])
    family = {"AMD": "amd"}.get(row["vendor"], "gaudi" if gpu.startswith("gaudi") else "common")
    return {
        "memory_bytes": float(row["engine_memory_bytes"]), "bandwidth_bytes_per_s": float(row["bandwidth_bytes_per_s"]),
        "full_flop_per_s": rate, "watts": watts if watts > 0 else rate / 1e12,
        "link_bytes_per_s": float(row["link_bytes_per_s"]), "link_domain": float(row["link_domain_gpus"]),
        "pcie": float(str(row["interconnect"]).startswith(("PCIe", "two"))),
        "family": FAMILIES.index(family),
    }  # fmt: skip


@remembered
def precision_columns(model, gpu, weights):
    """Bytes of a parameter and the arithmetic that the chip has for it, for dense parts and for experts.

    A chip without the format stores the weights in it and computes at 16 bits. Four-bit releases of models
    with latent attention, and MXFP4 of expert models, keep everything but the experts at 16 bits.
    """
    shape, row, chip = record(model), data.precision(weights), data.gpu(gpu)
    bits = memory.effective_bits(value_bits=row["bits"], scale_bits=row["scale_bits"], zero_bits=row["zero_bits"],
                                 group_size=row["group_size"])
    narrow = memory.bytes_per_param(bits_per_param=bits)
    full = float(chip["bf16_flop_per_s"])
    rate = float(chip[f"{row['flop_class']}_flop_per_s"])
    if weights == "mxfp4" and rate > 0:  # released MXFP4 models compute on 8-bit activations
        rate = float(chip["fp8_flop_per_s"])
    if not rate > full:
        rate = full
    experts_only = shape["experts"] > 0 and row["bits"] < 8 and (row["scope"] == "experts" or shape["kv_lora_rank"] > 0)
    unpacked = float(row["bits"] < 16 and rate == full)
    return {
        "expert_unpacked": unpacked, "linear_unpacked": 0.0 if experts_only else unpacked,
        "linear_bytes": FULL_BYTES if experts_only else narrow, "expert_bytes": narrow,
        "linear_flop_per_s": full if experts_only else rate, "expert_flop_per_s": rate,
    }  # fmt: skip


def columns(models, gpus, weights, caches):
    """Arrays for a list of ids each, with the work done once for every distinct combination."""
    out = {}
    for ids, function in (((models,), shape_columns), ((gpus,), gpu_columns),
                          ((models, gpus, weights), precision_columns)):
        place, distinct = combinations(*ids)
        rows = [function(*key) for key in distinct]
        for name in rows[0]:
            out[name] = np.array([row[name] for row in rows], dtype=float)[place]
    place, distinct = combinations(caches)
    out["cache_bytes"] = np.array([CACHES[name] for (name,) in distinct])[place]
    out["family"] = out["family"].astype(np.intp)
    return out


def combinations(*ids):
    """Which distinct combination each row has, and the combinations: arrays of ids in, (places, tuples) out."""
    place, size, names = 0, 1, []
    for one in ids:
        codes, distinct = pd.factorize(np.asarray(one, dtype=object))
        place = place * len(distinct) + codes
        size *= len(distinct)
        names.append(distinct)
    used = np.zeros(size, dtype=bool)
    used[place] = True
    number = np.cumsum(used) - 1
    keys = []
    for code in np.flatnonzero(used):
        key = []
        for distinct in reversed(names):
            code, part = divmod(int(code), len(distinct))
            key.append(distinct[part])
        keys.append(tuple(reversed(key)))
    return number[place], keys


def completed(case):
    """The columns that follow from others, and those of options not asked for."""
    size = len(case["isl"])
    case["state_traffic"] = 2 * case["state_bytes"] * np.minimum(case["tp"], case["kv_heads"]) / case["tp"]
    for name, value in (("cached", 0.0), ("draft_tokens", 0.0), ("tokens_per_pass", 1.0), ("split", 0.0),
                        ("transfer_s", 0.0)):
        case.setdefault(name, np.full(size, value))
    beyond = case["group"] > case["link_domain"]
    alone = ~(case["link_bytes_per_s"] > 0)
    case["link_bytes_per_s"] = np.where(beyond | alone, NETWORK_BYTES_PER_S, case["link_bytes_per_s"])
    case["pcie"] = np.where(beyond, 1.0, case["pcie"])
    return case

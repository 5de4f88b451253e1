"""What the measurements back: GPUs, number formats on them, and kinds of architecture."""

from functools import cache

from tokenecon import data
from tokenecon.serving import lookups


def architecture_kind(model):
    """What makes one architecture unlike another for a serving engine."""
    shape = lookups.record(model)
    return (bool(shape["kv_lora_rank"]), bool(shape["experts"]), bool(shape["window_layers"]),
            bool(shape["linear_layers"]), bool(shape["index_heads"]))


def arithmetic_kind(gpu, weights):
    """Bits of the weights, and whether the chip computes in their format."""
    row = data.precision(weights)
    own = data.gpu(gpu)[f"{row['flop_class']}_flop_per_s"]
    return float(row["bits"]), row["flop_class"] if own > 0 else "weight-only"


@cache
def backed():
    """GPUs, (bits, arithmetic), caches and architectures that the measurements cover."""
    from tokenecon.serving.calibration import measured

    rows = measured.table()
    distinct = rows[["model", "gpu", "weights"]].drop_duplicates()
    return {
        "gpus": set(rows["gpu"]),
        "arithmetic": {arithmetic_kind(gpu, weights) for gpu, weights in zip(distinct["gpu"], distinct["weights"],
                                                                             strict=True)},
        "caches": {2.0, 1.0},
        "architectures": {architecture_kind(model) for model in rows["model"].unique()},
    }


def measured_before(model, gpu, weights, kv):
    """Whether GPU, number formats and kind of architecture have all been measured."""
    known = backed()
    return (gpu in known["gpus"] and arithmetic_kind(gpu, weights) in known["arithmetic"]
            and kv in ("fp16", "bf16", "fp8") and architecture_kind(model) in known["architectures"])

"""What the measurements back: GPUs, number formats on them, and kinds of architecture."""

from tokenecon import data
from tokenecon.queries import remembered
from tokenecon.serving import lookups

SHAPE = ("kv_lora_rank", "experts", "window_layers", "linear_layers", "index_heads", "state_layers")


def architecture_kind(shape):
    """What makes one architecture unlike another for a serving engine: which of the parts of :data:`SHAPE` it has."""
    return tuple(bool(shape[name] > 0) for name in SHAPE)


def arithmetic_kind(bits, flop_class, flop_per_s):
    """Bits of the weights, and whether the chip computes in their format, at a peak above 0."""
    return float(bits), flop_class if flop_per_s > 0 else "weight-only"


@remembered
def backed():
    """GPUs, (bits, arithmetic), caches and architectures that the measurements cover."""
    from tokenecon.serving.calibration import measured

    rows = data.rows("measurements", {"workload": measured.LOADS, "flag": ""}, want="model gpu weights")
    # what was measured, and no figure of it: asked for so that the rows of all these models and GPUs are not cited
    models = data.rows("models", {"id": sorted(set(rows["model"]))}, want=" ".join(SHAPE))
    formats = data.rows("precisions", {"id": sorted(set(rows["weights"]))}, want="id bits flop_class").set_index("id")
    peaks = data.rows("gpus", {"gpu": sorted(set(rows["gpu"])), "field": sorted(set(formats["flop_class"]))},
                      want="gpu field value").set_index(["gpu", "field"])["value"]
    return {
        "gpus": set(rows["gpu"]),
        "arithmetic": {arithmetic_kind(*formats.loc[weights], peaks.get((gpu, formats.loc[weights, "flop_class"]), 0.0))
                       for gpu, weights in zip(rows["gpu"], rows["weights"], strict=True)},
        "caches": {2.0, 1.0},
        "architectures": {architecture_kind(row) for row in models.to_dict("records")},
    }


def measured_before(model, gpu, weights, kv):
    """Whether GPU, number formats and kind of architecture have all been measured."""
    if any(fact.startswith(f"{gpu}.") for fact in data.own("gpus")):
        return False  # a reader's own fact was never measured with
    known, row = backed(), data.precision(weights)
    own = arithmetic_kind(row["bits"], row["flop_class"], data.gpu(gpu)[f"{row['flop_class']}_flop_per_s"])
    return (gpu in known["gpus"] and own in known["arithmetic"] and kv in ("fp16", "bf16", "fp8")
            and architecture_kind(lookups.record(model)) in known["architectures"])

"""What the measurements back: GPUs, number formats on them, and kinds of architecture."""

from tokenecon import data, model_shape
from tokenecon.importers import own_model
from tokenecon.queries import remembered
from tokenecon.serving import intervals, lookups

SHAPE = ("kv_lora_rank", "experts", "window_layers", "linear_layers", "state_layers", "index_heads", "compress_every")


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


@remembered
def own_shape(model):
    """Whether the shape of a model is a reader's own: of a configuration, or of a row that is not ours by another name."""
    if own_model.is_path(model):
        return True
    row = data.model(model)
    ours = data.replaced("models", row["id"])
    return row["id"] in data.own("models") and (ours is None or model_shape.record(ours) != model_shape.record(row))


def arithmetic(gpu, weights):
    """:func:`arithmetic_kind` of ids."""
    row = data.precision(weights)
    return arithmetic_kind(row["bits"], row["flop_class"], data.gpu(gpu)[f"{row['flop_class']}_flop_per_s"])


@remembered
def unmeasured(model, gpu, weights, kv, newer=""):
    """What of model, GPU and number formats was never measured: in words, and as the sum of :data:`intervals.NEW`.

    A reader's own facts never were; ``newer`` names an engine of a version newer than any measured.
    """
    known = backed()
    found = {
        f"model '{model}'": ("architecture", own_shape(model) or (
            architecture_kind(lookups.record(model)) not in known["architectures"])),
        f"gpu '{gpu}'": ("gpu", gpu not in known["gpus"] or any(fact.startswith(f"{gpu}.") for fact in data.own("gpus"))),
        f"weights '{weights}'": ("arithmetic", arithmetic(gpu, weights) not in known["arithmetic"]),
        f"kv '{kv}'": ("arithmetic", kv not in ("fp16", "bf16", "fp8")),
        newer: ("load", newer != ""),
    }
    new = {name for name, holds in found.values() if holds}
    return ", ".join(words for words, (_, holds) in found.items() if holds), sum(intervals.NEW[name] for name in new)

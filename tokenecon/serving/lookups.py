"""What ``data/`` says of an id, as the serving model takes it: each looked up once, for all cases that name it."""

import math

import numpy as np

from tokenecon import data, model_shape
from tokenecon.errors import CannotServe, NoPrice
from tokenecon.importers.huggingface import load as imported
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered
from tokenecon.serving import intervals, operands
from tokenecon.serving.coefficients import DEFINITIONS

# Kinds of price, the first that a GPU has is its typical one.
PRICES = ("on_demand", "marketplace", "committed_1y", "committed_3y", "rental_3y", "owned_neocloud", "owned_hyperscaler")


@remembered
def record(model):
    """Architecture record of a catalogue id, or of a config.json."""
    if str(model).endswith(".json"):
        return imported(model)
    return model_shape.record(data.model(model))


@remembered
def published(model):
    """Number formats that a model's weights and its cache are published in; 16 bits, and blank, where it states none."""
    shape = record(model)
    weights = shape["weights_published"] or "bf16"
    return "bf16" if weights == "fp32" else weights, shape["kv_published"]  # engines load 32 bits as 16


@remembered
def model_numbers(model):
    """:func:`operands.of_model` of an id."""
    return operands.of_model(served(record(model), model))


def served(shape, model):
    """The record again, of a model that serving covers."""
    if said := model_shape.unserved(shape):
        raise CannotServe(f"model '{model}' {said}; choose another, see `tokenecon list models`")
    return shape


@remembered
def gpu_numbers(gpu):
    """:func:`operands.of_gpu` of an id."""
    chip = data.gpu(gpu)
    if column := operands.lacking(chip):
        raise CannotServe(f"gpu '{gpu}' has no {column} in data/gpus.csv")
    return operands.of_gpu(chip)


@remembered
def weight_numbers(model, gpu, weights):
    """:func:`operands.of_weights` of ids."""
    return operands.of_weights(record(model), data.precision(weights), data.gpu(gpu))


@remembered
def hardware(model, gpu, weights, kv):
    """All numbers of a model in these formats on a GPU; the caller must not change them."""
    return model_numbers(model) | gpu_numbers(gpu) | weight_numbers(model, gpu, weights) | {"cache_bytes": operands.CACHES[kv]}


def columns(models, gpus, weights, caches):
    """:func:`hardware` of lists of ids, as arrays."""
    rows = [hardware(*ids) for ids in zip(models, gpus, weights, caches, strict=True)]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return found | {"family": found["family"].astype(np.intp)}


@remembered
def coefficients():
    """The fitted coefficients of ``data/calibration.csv``."""
    table = data.rows("calibration", {"kind": "coefficient"}).set_index("id")["value"]
    missing = [name for name in DEFINITIONS if name not in table.index]
    if missing:
        raise ValueError(f"data/calibration.csv lacks {', '.join(missing)}; run `make calibrate`")
    return {name: float(table[name]) for name in DEFINITIONS}


@remembered
def widths():
    """Logarithms of the low and the high ratio of each quantity, as :func:`intervals.ratios` takes them."""
    table = data.rows("calibration", {"kind": "interval"}).set_index("id")
    ids = {quantity: [intervals.name(quantity, load, kind) for load in intervals.LOADS for kind in intervals.KINDS]
           for quantity in intervals.QUANTITIES}
    return {quantity: tuple([math.log(table.loc[one, end]) for one in cells] for end in ("low", "high"))
            for quantity, cells in ids.items()}


@remembered
def usd_per_gpu_hour(gpu):
    """Typical price of a GPU-hour: on demand, else by the next kind that has one; NaN where none has."""
    for kind in PRICES:
        try:
            return float(gpu_prices.price_range(gpu, kind)["typical"])
        except NoPrice:
            continue
    return math.nan

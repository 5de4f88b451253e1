"""What ``data/`` says of an id, as the serving model takes it: each looked up once, for all cases that name it."""

import math
from functools import cache

import numpy as np

from tokenecon import data, model_shape
from tokenecon.errors import CannotServe, NoPrice
from tokenecon.importers.huggingface import load as imported
from tokenecon.prices import gpu_prices
from tokenecon.serving import intervals, operands
from tokenecon.serving.coefficients import DEFINITIONS

# Kinds of price, the first that a GPU has is its typical one.
PRICES = ("on_demand", "marketplace", "committed_1y", "committed_3y", "rental_3y", "owned_neocloud", "owned_hyperscaler")


@cache
def record(model):
    """Architecture record of a catalogue id, or of a config.json."""
    if str(model).endswith(".json"):
        return imported(model)
    return model_shape.record(data.model(model))


@cache
def model_numbers(model):
    """:func:`operands.of_model` of an id."""
    shape = record(model)
    if shape["encoder_layers"]:
        raise CannotServe(f"model '{model}' has an encoder: this model of serving covers decoders only")
    return operands.of_model(shape)


@cache
def gpu_numbers(gpu):
    """:func:`operands.of_gpu` of an id."""
    chip = _chip(gpu)
    if column := operands.lacking(chip):
        raise CannotServe(f"gpu '{gpu}' has no {column} in data/gpus.csv")
    return operands.of_gpu(chip)


def _chip(gpu):
    return dict(data.gpu(gpu)) | {"gpu": gpu}


@cache
def weight_numbers(model, gpu, weights):
    """:func:`operands.of_weights` of ids."""
    return operands.of_weights(record(model), dict(data.precision(weights)), _chip(gpu))


@cache
def hardware(model, gpu, weights, kv):
    """All numbers of a model in these formats on a GPU; the caller must not change them."""
    return model_numbers(model) | gpu_numbers(gpu) | weight_numbers(model, gpu, weights) | {"cache_bytes": operands.CACHES[kv]}


def columns(models, gpus, weights, caches):
    """:func:`hardware` of lists of ids, as arrays."""
    rows = [hardware(*ids) for ids in zip(models, gpus, weights, caches, strict=True)]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return found | {"family": found["family"].astype(np.intp)}


@cache
def coefficients():
    """The fitted coefficients of ``data/calibration.csv``."""
    table = data.table("calibration").set_index("id")["value"]
    missing = [name for name in DEFINITIONS if name not in table.index]
    if missing:
        raise ValueError(f"data/calibration.csv lacks {', '.join(missing)}; run `make calibrate`")
    return {name: float(table[name]) for name in DEFINITIONS}


@cache
def widths():
    """Logarithms of the low and the high ratio of each quantity, as :func:`intervals.ratios` takes them."""
    table = data.table("calibration").set_index("id")
    ids = {quantity: [intervals.name(quantity, load, kind) for load in intervals.LOADS for kind in intervals.KINDS]
           for quantity in intervals.QUANTITIES}
    return {quantity: tuple([math.log(table.loc[one, end]) for one in cells] for end in ("low", "high"))
            for quantity, cells in ids.items()}


@cache
def usd_per_gpu_hour(gpu):
    """Typical price of a GPU-hour: on demand, else by the next kind that has one; NaN where none has."""
    for kind in PRICES:
        try:
            return float(gpu_prices.price_range(gpu, kind)["typical"])
        except NoPrice:
            continue
    return math.nan

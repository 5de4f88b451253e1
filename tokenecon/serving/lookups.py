"""What ``data/`` says of an id, as the serving model takes it: each looked up once, for all cases that name it."""

import math
import re

import numpy as np

from tokenecon import data, model_shape
from tokenecon.errors import CannotServe, NoPrice
from tokenecon.importers import own_model
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered
from tokenecon.serving import intervals, operands
from tokenecon.serving.coefficients import DEFINITIONS, ENGINES

# Kinds of price, the first that a seller asks for a GPU is its typical one.
PRICES = ("on_demand", "marketplace", "reserved_3m", "committed_1y", "committed_3y")

VERSION = re.compile(r"\d+(\.\d+)*")
DATED = re.compile(r"20\d\d-")  # a build that is known by its month


@remembered
def record(model):
    """Architecture record of a catalogue id, or of a config.json, which is the reader's own from here on."""
    own = own_model.is_path(model)
    return model_shape.record(data.described_model(own_model.described(model)) if own else data.model(model))


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
        raise CannotServe(f"gpu '{gpu}' has no {column} in {data.file('gpus')}")
    return operands.of_gpu(chip)


@remembered
def server_gpus(gpu):
    """GPUs that one server joins, by links of their own or through the host; 1 where none is known."""
    chip = data.gpu(gpu)
    return max([1, *(int(chip[name]) for name in ("link_domain_gpus", "server_gpus") if chip[name] >= 1)])


@remembered
def formats(model, weights):
    """How a model's weights lie: formats of each group, the precision rows they name by id, and whether that is as published."""
    found, same = operands.formats(record(model), published(model)[0], weights, data.precision)
    named = sorted({form for shares in found.values() for form in shares})
    return found, {form: data.precision(form) for form in named}, same


@remembered
def weight_numbers(model, gpu, weights):
    """:func:`operands.of_weights` of ids."""
    found, precisions, own = formats(model, weights)
    return operands.of_weights(record(model), found, precisions, data.gpu(gpu), own)


@remembered
def hardware(model, gpu, weights, kv):
    """All numbers of a model in these formats on a GPU; the caller must not change them."""
    if kv not in operands.CACHES:
        raise CannotServe(f"parameter 'kv' is '{kv}', in which no engine that was measured keeps its cache; allowed are "
                          f"{', '.join(operands.CACHES)}")
    return model_numbers(model) | gpu_numbers(gpu) | weight_numbers(model, gpu, weights) | {"cache_bytes": operands.CACHES[kv]}


def columns(models, gpus, weights, caches):
    """:func:`hardware` of lists of ids, as arrays."""
    rows = [hardware(*ids) for ids in zip(models, gpus, weights, caches, strict=True)]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return found | {"family": found["family"].astype(np.intp)}


@remembered
def versions():
    """Oldest and newest version of each engine that was measured, as texts."""
    found = {}
    for text in dict.fromkeys(data.rows("measurements", {"flag": ""}, want="engine")["engine"]):
        name, version = text.split()
        if name in ENGINES and not DATED.match(version):
            found.setdefault(name, []).append(version)
    return {name: (min(each, key=numbered), max(each, key=numbered)) for name, each in found.items()}


def numbered(version):
    """A version as numbers that compare, without what follows them: 1.2.0rc6 is (1, 2, 0)."""
    return tuple(int(part) for part in VERSION.match(version).group().split("."))


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
    """Parts of the intervals of each quantity, as :func:`intervals.ratios` takes them."""
    table = data.rows("calibration", {"kind": "interval"}).set_index("id")

    def square(end, *words):
        return math.log(table.loc[intervals.name(*words), end]) ** 2

    def of(quantity):
        low, high = ([square(end, intervals.WITHIN, quantity, *cell) for cell in intervals.cells()] for end in ("low", "high"))
        added = [square("high", intervals.ADDED, quantity, new) for new in intervals.NEW]
        return square("high", intervals.SOURCE, quantity), low, high, added

    return {quantity: of(quantity) for quantity in intervals.QUANTITIES}


@remembered
def usd_per_gpu_hour(gpu):
    """Typical price of a GPU-hour: on demand, else by the next kind that has one; NaN where none has."""
    for kind in PRICES:
        try:
            return float(gpu_prices.price_range(gpu, kind)["typical"])
        except NoPrice:
            continue
    return math.nan

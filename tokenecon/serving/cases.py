"""A table of cases as the serving model takes it: checked, with everything that rows share computed once.

A *setup* is what many rows have in common: model, accelerator, formats, engine, load and layout.  Its columns have one entry
for each that occurs; `place` says which one a row has.
"""

import numpy as np
import pandas as pd

from tokenecon import numbers
from tokenecon.errors import BadCases
from tokenecon.serving import checks, lookups, operands, results
from tokenecon.serving.calibration import support

FORMATS = ("model", "gpu", "weights", "kv")
PER_ROW = tuple(name for name in checks.NUMBERS if name not in operands.SETUP)


class CheckedCases:
    """What was asked for: `error` of each row, `numbers`, `place` of each row among `setups`, their `drafts` and `prefills`.

    A number is a float where all rows have the same.  ``gpu`` names the accelerator of each setup, ``unmeasured`` what of it
    nobody measured.
    """

    def __init__(self, size):
        self.error, self.good = np.full(size, "", dtype=object), np.ones(size, dtype=bool)
        self.place = np.zeros(size, dtype=np.intp)
        self.numbers, self.setups, self.drafts, self.prefills = {}, {}, {}, {}
        self.gpu = self.unmeasured = np.empty(0, dtype=object)

    def tell(self, rows, sentences):
        """Say what is wrong with rows, of which the first thing is kept."""
        new = self.good[rows]
        self.error[rows[new]] = sentences[new]
        self.good[rows] = False


def frame(given, results=()):
    """A DataFrame of the cases, with the columns checked; none may have the name of a result."""
    if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
        given = pd.DataFrame(given)
    if isinstance(given, dict):
        scalar = all(np.ndim(value) == 0 for value in given.values())
        try:
            given = pd.DataFrame([given]) if scalar else pd.DataFrame(given)
        except ValueError as error:
            raise BadCases(f"cases are no table: {error}; give every column as many values") from error
    if not isinstance(given, pd.DataFrame):
        raise BadCases(f"cases are of the type {type(given).__name__}; give a DataFrame, a list of dicts, or a dict of one case")
    twice = given.columns[given.columns.duplicated()]
    if len(twice):
        raise BadCases(f"column '{twice[0]}' stands twice; give each column once")
    checks.names(tuple(given.columns), results)
    return given


def read(given):
    """Check every row and turn it into numbers; wrong rows get a sentence in `error`, the rest is computed."""
    ask = CheckedCases(len(given))
    number = {name: _number(given, name, ask) for name in checks.NUMBERS}
    known, place, count = _words(given, ask)
    ask.numbers = {name: number[name] for name in PER_ROW}
    _arrivals(ask, *known["load"], number)
    rows = slice(None) if ask.good.all() else np.flatnonzero(ask.good)
    if ask.good.any():
        shared = {name: _of(number[name], rows) for name in (*operands.SETUP, "concurrency")}
        _set_up(ask, known, (place[rows], count), shared, rows)
    return ask


def _of(column, rows):
    return column[rows] if np.ndim(column) else column


def _number(given, name, ask):
    """One number of every row, or a float where all have the same; wrong ones are told."""
    default = checks.NUMBERS[name][0]
    if name not in given.columns:
        return default
    column = given[name]
    if pd.api.types.is_numeric_dtype(column.dtype):
        values, texts = column.to_numpy(dtype=float, na_value=np.nan), None
    else:
        texts = column.astype(object).where(column.notna(), "").astype(str).str.strip()
        codes, distinct = pd.factorize(texts)
        values = np.array([numbers.of_text(one) for one in distinct])[codes]
    if not len(values):
        return values
    low, high = values.min(), values.max()  # NaN where any is; what is allowed is an interval, so the ends tell of all
    if not (np.isnan(low) or checks.outside(name, low) or checks.outside(name, high) or np.any(checks.broken(name, values))):
        return float(low) if low == high else values
    blank = np.isnan(values) if texts is None else (texts == "").to_numpy()
    wrong = np.isnan(values) | checks.outside(name, values) | checks.broken(name, values)
    if default is not None:
        values = np.where(blank, default, values)
        wrong &= ~blank
    rows = np.flatnonzero(wrong)
    ask.tell(rows, np.array([checks.number_sentence(name, column.iloc[row], blank[row]) if ask.good[row] else "" for row in rows],
                            dtype=object))
    return default if blank.all() and default is not None else values


def _words(given, ask):
    """The words of each column (places of the rows, distinct words), and which combination each row has; wrong ones are told."""
    parts, known, every = [], {}, np.arange(len(given))
    for name in checks.WORDS:
        codes, distinct = _factorized(given[name]) if name in given.columns else (None, [""])
        known[name] = codes, [checks.word(name, one) for one in distinct]
        wrong = np.array([checks.word_sentence(name, text) for text in known[name][1]], dtype=object)
        if codes is None:
            continue
        parts.append((codes, len(distinct)))
        if wrong.any():
            rows = every[(wrong != "")[codes]]
            ask.tell(rows, wrong[codes[rows]])
    place, first = combined(parts, len(given))
    return known, place, len(first)


def _arrivals(ask, codes, texts, number):
    """Tell rows whose arrivals are wrong."""
    rate, prefill = (np.broadcast_to(number[name], len(ask.good)) for name in ("requests_per_s", "prefill_gpus"))
    if checks.POISSON not in texts and np.isnan(rate).all():
        return
    random = np.array([text == checks.POISSON for text in texts])[0 if codes is None else codes]
    rows = np.flatnonzero(ask.good & np.where(random, np.isnan(rate) | (prefill > 0), ~np.isnan(rate)))
    loads = np.broadcast_to(random, len(ask.good))
    ask.tell(rows, np.array([checks.arrivals_sentence(checks.POISSON if loads[row] else "", float(rate[row]), prefill[row])
                             for row in rows], dtype=object))


def _factorized(column):
    """Places of the values of a column among the distinct ones, the last of which stands for what is blank."""
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:  # a list or the like is no id; the sentence about it shows it as text
        codes, distinct = pd.factorize(column.where(column.notna(), "").astype(str))
    distinct = list(np.asarray(distinct, dtype=object))
    if len(codes) and codes.min() < 0:
        codes = np.where(codes < 0, len(distinct), codes)
        distinct.append(None)
    return codes, distinct


def combined(parts, size):
    """Which distinct combination of places each row has, and a row of each combination."""
    place, count = np.zeros(size, dtype=np.intp), 1
    for codes, distinct in parts:
        place = codes if count == 1 else place * distinct + codes
        count *= distinct
        if count > size:
            place, found = pd.factorize(place)
            count = len(found)
    row_of = np.full(count, -1)
    row_of[place] = np.arange(size)
    used = row_of >= 0
    if used.all():
        return place, row_of
    return (np.cumsum(used) - 1)[place], row_of[used]


def _set_up(ask, known, combinations, number, rows):
    """Columns of the setups that the good rows have; rows whose layout is wrong are told."""
    size, where = len(combinations[0]), np.arange(len(ask.good))[rows]
    endless = np.broadcast_to(np.isinf(number["concurrency"]), size).astype(np.intp)  # decides the load where none is given
    named, first = combined([combinations, (endless, 2)], size)
    said = [checks.stated({name: texts[0 if codes is None else codes[where[row]]] for name, (codes, texts) in known.items()},
                          endless[row]) for row in first]
    parts = [(named, len(said))]
    for name in operands.SETUP:
        if np.ndim(number[name]):
            codes, distinct = pd.factorize(number[name], use_na_sentinel=False)
            parts.append((codes, len(distinct)))
    found, first = combined(parts, size)
    ask.place[rows] = found
    own = named[first]  # what is said of each setup
    chips = {name: column[own] for name, column in _hardware(said, "model").items()}
    with np.errstate(all="ignore"):  # layouts that will be refused
        layout = operands.layout({name: np.broadcast_to(_of(number[name], first), len(first)) for name in operands.SETUP})
        wrong = np.logical_or.reduce(operands.undivided(layout, chips["hidden"]))
        each = [checks.places(one) for one in said]
        places = {name: np.array([one[name] for one in each])[own] for name in each[0]}
        ask.setups = results.setup(chips, layout, places)
        if np.any(layout["prefill_gpus"] > 0):
            ask.prefills = results.setup(chips, operands.of_prefill(layout), places)
        if any(one["draft_model"] for one in said):
            drafts = _hardware(said, "draft_model")
            ask.drafts = results.setup({name: column[own] for name, column in drafts.items()}, layout, places)
    unpriced = np.isnan(np.broadcast_to(_of(ask.numbers["usd_per_gpu_hour"], rows), size))
    asked = set(own[found[unpriced]])  # a price is asked for where a row has none: what is not used must not be cited
    unmeasured, new = zip(*(support.unmeasured(*(one[name] for name in (*FORMATS, "newer"))) for one in said), strict=True)
    each = {"has_draft_model": [one["draft_model"] != "" for one in said],
            "usd_per_gpu_hour": [lookups.usd_per_gpu_hour(one["gpu"]) if place in asked else np.nan
                                 for place, one in enumerate(said)],
            "new": new}
    ask.setups |= {name: np.array(column)[own] for name, column in each.items()}
    ask.gpu, ask.unmeasured = (np.array(texts, dtype=object)[own] for texts in ([one["gpu"] for one in said], unmeasured))
    if wrong.any():
        sentences = np.full(len(first), "", dtype=object)
        for one in np.flatnonzero(wrong):
            sentences[one] = operands.layout_sentence({name: float(column[one]) for name, column in layout.items()},
                                                    float(chips["hidden"][one]), said[own[one]]["model"])
        ask.tell(where[wrong[found]], sentences[found[wrong[found]]])
    _lengths(ask, own, said, rows)


def _lengths(ask, own, said, rows):
    """Tell rows whose prompt and answer are longer than their model."""
    place = ask.place[rows]
    isl, osl = (_of(ask.numbers[name], rows) for name in ("isl", "osl"))
    positions = ask.setups["positions"]
    if not np.any(operands.too_long(isl, osl, positions.min())):
        return
    wrong = np.flatnonzero(operands.too_long(isl, osl, positions[place]))
    every = np.arange(len(ask.good))[rows]
    sentences = [operands.length_sentence(*(float(_of(one, at)) for one in (isl, osl)), positions[place[at]],
                                        said[own[place[at]]]["model"]) for at in wrong]
    ask.tell(every[wrong], np.array(sentences, dtype=object))


def _hardware(said, model):
    """Columns of what is said; without a draft model, the model itself stands for it."""
    return lookups.columns(*([one[name] or one["model"] for one in said] for name in (model, *FORMATS[1:])))

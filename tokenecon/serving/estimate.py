"""One entry point: a table of cases in, the same table with tokens per second, latency and cost out.

``tokenecon.estimate(cases)`` and the command ``tokenecon estimate`` are this module.  :mod:`checks` has the columns,
:mod:`results` the arithmetic; each predicted result has ``_low`` and ``_high``, the ends of an 80% interval.
"""

import math
from functools import lru_cache
from itertools import product

import numpy as np
import pandas as pd

from tokenecon.serving import cases, checks, lookups, operands, results, steady_state
from tokenecon.serving.calibration import support
from tokenecon.serving.intervals import NEW
from tokenecon.serving.results import CACHED, ENDS, PERCENTILES, RESULTS

CHUNK = 16384  # cases at once: their columns stay in the cache of a core
COUNTS = ("max_concurrency", "concurrency_used")
TEXTS = ("unmeasured", "no_price", "error")


def _columns(intervals, percentiles, cached):
    """What is added, in this order; percentiles stand behind the means, and ``bound`` between speeds and money."""
    ends = ("", *ENDS) if intervals else ("",)
    speeds, money = ([name for name in RESULTS if name.startswith("usd") is paid and (cached or name != CACHED)]
                     for paid in (False, True))
    if percentiles:
        speeds[len(MEANS):len(MEANS)] = PERCENTILES
    speeds, money = ([name + end for name in names for end in ends] for names in (speeds, money))
    return ("fits", *COUNTS, *speeds, "bound", *money, "calibrated", *TEXTS)


MEANS = ("ttft_ms", "tpot_ms")  # of which percentiles may be asked for
ADDED = {asked: _columns(*asked) for asked in product((True, False), repeat=3)}
COLUMNS = ADDED[True, True, True]  # all that may be asked for
# Values of one case that are what they seem; any other dict is read as a table.
PLAIN = {str: object, int: np.int64, float: np.float64, bool: np.bool_, type(None): object, np.float64: np.float64,
         np.int64: np.int64, np.bool_: np.bool_}
LARGEST_INT = 2**63 - 1  # of a column of whole numbers; larger ones are read as text


def estimate(given: "pd.DataFrame | dict", intervals: bool = True, percentiles: bool = False) -> pd.DataFrame:
    """Predict each case of a DataFrame, or of one dict; see ``tokenecon estimate --help`` for the columns.

    Rows that cannot be computed say why in ``error`` and have no numbers; the others have no error.

    Load ``poisson`` is arrivals at random, spread evenly over replicas, whose prompts are read in the passes of those who
    decode.  Rate and cost follow from the arrivals; ``concurrency_used`` is how many run on average.

    Cached input has a cost of its own where the cases have a column ``cached_prefix``.
    """
    if isinstance(given, dict) and all(type(value) in PLAIN and (type(value) is not int or abs(value) <= LARGEST_INT)
                                       for value in given.values()):
        _named(tuple(given))
        wanted = ADDED[bool(intervals), bool(percentiles), "cached_prefix" in given]
        found = _one(given, intervals, percentiles)
        columns = [(value, PLAIN[type(value)]) for value in (*given.values(), *(found[name] for name in wanted))]
        return pd.DataFrame({name: np.array([value], dtype=kind) for name, (value, kind) in
                             zip((*given, *wanted), columns, strict=True)}, copy=False)
    frame = cases.frame(given, COLUMNS)
    wanted = ADDED[bool(intervals), bool(percentiles), "cached_prefix" in frame]
    found = _table(frame, wanted, intervals, percentiles)
    # built anew without a copy: a column put into a frame is copied, and a frame of many such columns gathers them all again
    both = {name: frame[name] for name in frame.columns} | found
    return pd.DataFrame(both, index=frame.index, copy=False)


@lru_cache(maxsize=1000)
def _named(names):
    """Check the names of the columns of one case: looking for what resembles one takes longer than the case."""
    checks.names(names, COLUMNS)


def _one(given, intervals, percentiles):
    """Results of one case, all on plain floats."""
    number, words, said = checks.case(given)
    blank = dict.fromkeys(COLUMNS, math.nan) | {"fits": False, "bound": "", "calibrated": False, "unmeasured": "", "no_price": "",
                                                "error": said}
    if said:
        return blank
    ids = [words[name] for name in cases.FORMATS]
    hardware = lookups.hardware(*ids)
    if said := operands.layout_sentence(operands.layout(number), hardware["hidden"], words["model"]):
        return blank | {"error": said}
    if operands.too_long(number["isl"], number["osl"], hardware["positions"]):
        return blank | {"error": operands.length_sentence(number["isl"], number["osl"], hardware["positions"], words["model"])}
    if math.isnan(number["usd_per_gpu_hour"]):
        number["usd_per_gpu_hour"] = lookups.usd_per_gpu_hour(words["gpu"])
    unmeasured, new = support.unmeasured(*ids, words["newer"])
    found = results.one(
        hardware, number, checks.places(words), new=new,
        values=lookups.coefficients(), widths=lookups.widths() if intervals else None, tails=percentiles,
        draft=lookups.hardware(words["draft_model"], *ids[1:]) if words["draft_model"] else None)
    of_both = {"calibrated": found["calibrated"], "unmeasured": _unmeasured(unmeasured, found["beyond"])}
    if not found["fits"]:
        return blank | of_both | {"error": found["shortage"]}
    if found["most_per_s"]:
        return blank | of_both | {"fits": True, "error": checks.overload_sentence(number["requests_per_s"], found["most_per_s"])}
    unpriced = "" if number["usd_per_gpu_hour"] >= 0 else checks.price_sentence(words["gpu"])
    return found | of_both | {"bound": steady_state.RESOURCES[found["bound"]], "no_price": unpriced, "error": ""}


def _unmeasured(words, beyond):
    """What nobody measured of a case, in words: of its hardware, and of what :func:`results.beyond` says of its options."""
    return ", ".join([words] * bool(words) + [name for place, name in enumerate(results.OPTIONS) if int(beyond) >> place & 1])


def _table(frame, wanted, intervals, percentiles):
    """The added columns of a table."""
    ask = cases.read(frame)
    size = len(frame)
    whole = ask.good.all()  # then every place is written below
    out = {name: np.empty(size) if whole else np.full(size, np.nan) for name in wanted
           if name not in ("fits", "bound", "calibrated", *TEXTS)}
    out |= {"fits": np.zeros(size, dtype=bool), "calibrated": np.zeros(size, dtype=bool), "error": ask.error,
            **{name: np.full(size, "", dtype=object) for name in TEXTS[:-1]}}
    bound = np.full(size, -1)
    if ask.good.any():
        model = _Model(ask, intervals, percentiles)
        for good in _alike(ask):
            for start in range(0, len(good), CHUNK):
                all_alike = len(good) == size
                _chunk(model, slice(start, min(start + CHUNK, size)) if all_alike else good[start:start + CHUNK], out, bound)
    out["bound"] = np.array(["", *steady_state.RESOURCES], dtype=object)[bound + 1]
    return {name: out[name] for name in wanted}


def _alike(ask):
    """Good rows, those with arrivals at random apart: of the others nothing is asked that only those need."""
    good = np.flatnonzero(ask.good)
    random = (ask.setups["load"] == steady_state.POISSON)[ask.place[good]]
    return [rows for rows in (good[~random], good[random]) if len(rows)] if random.any() else [good]


class Rows(dict):
    """Columns of setups, read for some rows of a table: each is taken when it is first asked for."""

    def __init__(self, setups, place):
        super().__init__()
        self.setups, self.at = setups, place

    def __missing__(self, name):
        column = self.setups[name]
        self[name] = found = column[self.at] if np.ndim(column) else column
        return found


def _leveled(columns):
    """Columns of setups, as one number where all setups have the same."""
    def leveled(column):
        return column[0].item() if np.ndim(column) and (column == column[0]).all() else column

    return {name: leveled(column) for name, column in columns.items()}


class _Model:
    """Everything about the setups of a table that does not change from row to row."""

    def __init__(self, ask, intervals, percentiles):
        values = lookups.coefficients()
        self.ask, self.percentiles, self.short = ask, percentiles, {}  # what is said of setups that do not fit
        self.setups = _leveled(ask.setups)
        with np.errstate(all="ignore"):  # setups whose rows are refused
            self.rate = _leveled(steady_state.prepared(ask.setups, values) | steady_state.room(ask.setups))
            self.draft = _leveled(ask.drafts)
            self.draft_rate = _leveled(steady_state.prepared(ask.drafts, values)) if ask.drafts else {}
            self.prefill = _leveled(ask.prefills)
            self.prefill_rate = _leveled(steady_state.prepared(ask.prefills, values)) if ask.prefills else {}
        self.factors = {}
        if intervals:  # of each setup, and after all of them again with an option that nobody measured
            new, widths = ask.setups["new"], lookups.widths()
            plain, beyond = (results.factors(widths, ask.setups, new + more) for more in (0, NEW["load"]))
            self.factors = {name: [np.concatenate(both) for both in zip(plain[name], beyond[name], strict=True)]
                            for name in plain}


def columns(ask, rows):
    """Columns of the serving model for some rows of what was asked, as arrays; ``draft`` has those of a draft model."""
    number = {name: _at(column, rows) for name, column in ask.numbers.items()}

    def of(setups):
        return {name: _at(column, ask.place[rows]) for name, column in setups.items()}

    case = {name: np.broadcast_to(column, len(rows)) for name, column in results.columns(of(ask.setups), number).items()}
    if np.any(number["draft_tokens"] > 0):
        case["draft"] = of(ask.drafts or ask.setups)
    return case | {"prefill": of(ask.prefills)} if ask.prefills else case


def _at(column, rows):
    return column[rows] if np.ndim(column) else column


def _item(value):
    """A number of a row as the checked arithmetic of one case has it."""
    return value.item() if hasattr(value, "item") else value


def _chunk(model, rows, out, bound):
    """Write the results of some rows, a slice or places, into the columns of the table."""
    ask, place = model.ask, model.ask.place[rows]
    number = {name: _at(column, rows) for name, column in ask.numbers.items()}
    case = results.columns(Rows(model.setups, place), number)
    rate = Rows(model.rate, place)
    draft_rate = prefill_rate = None
    if model.prefill:
        case["prefill"], prefill_rate = Rows(model.prefill, place), Rows(model.prefill_rate, place)
    if np.any(number["draft_tokens"] > 0):
        case["draft"], draft_rate = Rows(model.draft, place), Rows(model.draft_rate, place)
    state = results.with_arrivals(
        case, steady_state.settled(case, rate, rate, draft_rate, resources=True, prefill_rate=prefill_rate), rate,
        number["requests_per_s"], draft_rate)
    price = number["usd_per_gpu_hour"]
    price = np.where(price >= 0, price, case["usd_per_gpu_hour"]) if np.any(np.isnan(price)) else price
    found = results.of(case, state, usd_per_gpu_hour=price, utilisation=number["utilisation"])
    if model.percentiles:
        found |= results.percentiles(case, state, rate)
    beyond = np.broadcast_to(results.beyond(case), len(place))
    calibrated = (np.broadcast_to(case["new"], len(place)) == 0) & (beyond == 0)
    if model.factors:
        at = place + (beyond > 0) * len(ask.gpu)
        found |= results.spans(found, {name: (low[at], high[at]) for name, (low, high) in model.factors.items()})
    fits = np.broadcast_to(found.pop("fits"), len(place))
    out["fits"][rows], out["calibrated"][rows] = fits, calibrated
    served = fits & state.get("served", True)
    bound[rows] = np.where(served, found.pop("bound"), -1)
    for name, column in found.items():
        if name in out:  # a cost of cached input is not always asked for
            out[name][rows] = column if served.all() else np.where(served, column, np.nan)
    if not calibrated.all():
        codes, distinct = pd.factorize(place * 2**len(results.OPTIONS) + beyond)
        words = [_unmeasured(ask.unmeasured[one >> len(results.OPTIONS)], one) for one in distinct]
        out["unmeasured"][rows] = np.array(words, dtype=object)[codes]
    unpriced = served & np.logical_not(price >= 0)  # NaN is no price; one number for all rows is a bool, which has no ~
    if unpriced.any() or not served.all():
        _tell(model, case, state, fits, unpriced, rows, out["no_price"])


def _tell(model, case, state, fits, unpriced, rows, no_price):
    """Say why rows have no numbers: their model does not fit, more requests come than it serves; or no cost: no price."""
    ask, place, fit = model.ask, model.ask.place[rows], np.broadcast_to(state["fit"], len(fits))
    rows = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
    for one in np.flatnonzero(~fits):
        said = model.short.get(place[one])
        if not said or fit[one] >= 1.0:  # a static batch that is too large depends on the row, all else on the setup
            said = results.shortage({name: _item(_at(case[name], one)) for name in results.ROOM}, fit[one])
            if fit[one] < 1.0:
                model.short[place[one]] = said
        ask.error[rows[one]] = said
    for one in np.flatnonzero(fits & np.logical_not(state.get("served", True))):
        most = _item(_at(state["arrivals"]["most_per_s"] * case["used"], one))
        ask.error[rows[one]] = checks.overload_sentence(_item(_at(ask.numbers["requests_per_s"], rows[one])), most)
    for one in np.flatnonzero(unpriced):
        no_price[rows[one]] = checks.price_sentence(ask.gpu[place[one]])

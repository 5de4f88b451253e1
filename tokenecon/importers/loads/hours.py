"""From steps or requests to what a fleet is planned for: requests of each hour, mean lengths, cached share, peaks, and gaps."""

from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import files
from tokenecon.importers.loads.table import TrafficError
from tokenecon.units import HOURS_PER_DAY, SECONDS_PER_HOUR

# Requests in steps that begin at `starts` (since 1970, or the first where not `absolute`) and last `lengths`; tokens by side.
Steps = namedtuple("Steps", "kind starts lengths requests absolute tokens")
FILLS = ("zero", "same_hour")
TEN_MINUTES = 600.0  # s
LONGEST = 100 * 366 * HOURS_PER_DAY  # hours of a file: beyond it a time is wrong
SILENT = 20.0  # requests an hour on average from which on an hour without any is a gap: by chance one in 1e8 is so
SHOWN_GAPS = 3
LONGEST_TOKENS = 1e8  # of a mean length, as a scenario takes it
WHOLE = 0.999  # of an hour that was observed, to count as all of it
SEEN = 0.5  # of an hour from which on it stands for the whole


def load(path, steps, gaps):
    """The load of steps: see :func:`_made`."""
    order = np.argsort(steps.starts, kind="stable")
    starts, lengths, requests = (np.asarray(column, dtype=float)[order] for column in steps[1:4])
    ends = starts + lengths
    over = np.flatnonzero(starts[1:] < ends[:-1] - 1e-3 * lengths[:-1])
    if len(over):
        raise TrafficError(f"{path}: the step at {_moment(starts[over[0] + 1], steps.absolute)} begins before the one before it "
                           "ends; give steps that follow one another")
    first, last = _edges(path, starts[0], ends[-1], steps.absolute)
    edges = np.maximum.accumulate(np.column_stack([starts, ends]).ravel())
    sums = np.concatenate([[0.0], np.repeat(np.cumsum(requests), 2)[:-1]])
    seen = np.concatenate([[0.0], np.repeat(np.cumsum(lengths), 2)[:-1]])
    notes = []
    if np.median(lengths) > SECONDS_PER_HOUR:
        notes.append(f"steps of {np.median(lengths) / SECONDS_PER_HOUR:g} hours, spread evenly: peaks inside them are not known")
    fine = np.median(lengths) <= TEN_MINUTES
    tokens = {side: (float(np.sum(column)), float(np.sum(requests))) for side, column in steps.tokens.items()}
    return _made(path, steps.kind, steps.absolute, first, last, lambda at: np.interp(at, edges, sums),
                 lambda at: np.interp(at, edges, seen), tokens, notes, gaps, fine)


def of_requests(path, kind, seconds, absolute, tokens, notes, gaps):
    """The load of requests, whose times are sorted."""
    first, last = _edges(path, seconds[0], seconds[-1], absolute)
    span = max(float(seconds[-1] - seconds[0]), 1.0)
    each = {side: (float(column.sum()), float(len(column))) for side, column in tokens.items()}
    if span < 2 * SECONDS_PER_HOUR:  # no two whole hours: the requests of an hour, from all
        rate = len(seconds) / span * SECONDS_PER_HOUR
        notes = [*notes, f"{span / 60:.3g} minutes: a rate and lengths, but no profile of a day"]
        table = pd.DataFrame({"hour": [0], "requests_per_h": [rate]})
        tens = np.searchsorted(seconds, np.arange(seconds[0], seconds[-1], TEN_MINUTES))
        return _load(kind, table, each, notes, [], absolute, seconds[0], _burst(tens, rate))
    return _made(path, kind, absolute, first, last, lambda at: np.searchsorted(seconds, at).astype(float),
                 lambda at: np.clip(at, seconds[0], seconds[-1]) - seconds[0], each, notes, gaps, True)


def _edges(path, first, last, absolute):
    """The hours that hold all: of the clock in UTC, or from the first request on."""
    start = np.floor(first / SECONDS_PER_HOUR) * SECONDS_PER_HOUR if absolute else first
    count = np.ceil((last - start) / SECONDS_PER_HOUR - 1e-9)
    if not count <= LONGEST:
        raise TrafficError(f"{path}: spans {count:,.0f} hours, from {_moment(first, absolute)} to {_moment(last, absolute)}; one "
                           "of the times is wrong, or its unit is")
    return start, start + max(count, 1.0) * SECONDS_PER_HOUR


def _moment(seconds, absolute):
    """A time as a message says it."""
    if not absolute:
        return f"hour {seconds / SECONDS_PER_HOUR:.6g}"
    return pd.Timestamp(seconds, unit="s").strftime("%Y-%m-%dT%H:%M") if 0 <= seconds < 9e9 else f"{seconds:.6g} s"


def _made(path, kind, absolute, first, last, total, observed, tokens, notes, gaps, fine):
    """Hours between two times, of functions that give requests and observed seconds up to a time.

    An hour of which half was observed stands for the whole, one of less is a gap; gaps at the ends are left out.
    """
    at = np.arange(first, last + SECONDS_PER_HOUR / 2, SECONDS_PER_HOUR)
    counts, share = np.diff(total(at)), np.diff(observed(at)) / SECONDS_PER_HOUR
    part = (share >= SEEN) & (share < WHOLE)
    rates = np.where(share >= SEEN, counts / np.maximum(share, SEEN), np.nan)
    if part.any():
        notes = [*notes, f"{part.sum()} hours observed in part, counted by what was seen of them"]
    known = np.flatnonzero(~np.isnan(rates))
    if not len(known):  # less than half an hour: what was seen is all there is
        rates, known = np.array([counts.sum() / max(share.sum(), 1e-9)]), np.array([0])
    rates, start = rates[known[0]: known[-1] + 1], at[known[0]]
    if np.nanmean(rates) >= SILENT and kind.startswith("a row a request"):
        rates = np.where(rates == 0, np.nan, rates)
    missing, said = np.isnan(rates), []
    if missing.any():
        said = _named(missing, start, absolute)
        rates = _filled(path, rates, missing, said, start, gaps)
        notes = [*notes, f"{missing.sum()} hours filled ({gaps})"] if gaps else notes
    if not np.nansum(rates) > 0:
        raise TrafficError(f"{path}: no hour of the {len(rates)} has a request, so there is no load to plan for")
    table = pd.DataFrame({"hour": range(len(rates)), "requests_per_h": rates})
    burst = _burst(total(np.arange(first, last + 1, TEN_MINUTES)), float(np.nanmax(rates))) if fine else None
    return _load(kind, table, tokens, notes, said, absolute, start, burst)


def _burst(counts, busiest):
    """Busiest ten minutes over the busiest hour, both as rates."""
    if len(counts) < 2 or not busiest > 0:
        return None
    return float(max(np.max(np.diff(counts)) * SECONDS_PER_HOUR / TEN_MINUTES / busiest, 1.0))


def _named(missing, start, absolute):
    """Each run of hours that are missing, in words."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(int), [0]])))
    return [f"{end - begin} h from {_moment(start + begin * SECONDS_PER_HOUR, absolute)}"
            for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _filled(path, rates, missing, said, start, gaps):
    if gaps is None:
        return rates
    if gaps not in FILLS:
        raise TrafficError(f"{path}: gaps is '{gaps}', but must be one of {', '.join(FILLS)}")
    if gaps == "zero":
        return np.where(missing, 0.0, rates)
    hour = (np.arange(len(rates)) + round(start / SECONDS_PER_HOUR)) % int(HOURS_PER_DAY)
    means = pd.Series(rates).groupby(hour).mean()
    found = np.where(missing, means.reindex(hour).to_numpy(), rates)
    if np.isnan(found).any():
        raise TrafficError(f"{path}: lacks {said[0]}, and no other day has that hour; give more days, or fill gaps with zero")
    return found


def _load(kind, table, tokens, notes, gaps, absolute, start, burst):
    """A load: `hours` (hour, requests_per_h; NaN in gaps), mean lengths, `cached_prefix`, `burst`; None if unknown.

    ``notes`` are sentences on how it was made, ``gaps`` the hours that are missing in words.
    """
    def mean(side):
        total, count = tokens.get(side, (0.0, 0.0))
        return total / count if count and 1 <= total / count <= LONGEST_TOKENS else None

    whole, found = tokens.get("in", (0.0, 0.0))[0], tokens.get("cached", (0.0, 0.0))[0]
    return SimpleNamespace(
        kind=kind, hours=table, isl=mean("in"), osl=mean("out"), burst=burst, notes=notes, gaps=gaps,
        cached_prefix=min(found / whole, WHOLE) if whole and "cached" in tokens else None,
        start=_moment(start, True) if absolute else None,
        peak_to_mean=float(np.nanmax(table["requests_per_h"]) / np.nanmean(table["requests_per_h"])),
        requests_per_day=float(np.nanmean(table["requests_per_h"])) * HOURS_PER_DAY)


def refuse_gaps(path, load, gaps):
    """A load with hours that are missing is planned for only where its reader says how to fill them."""
    if load.gaps and gaps is None:
        more = f" and {len(load.gaps) - SHOWN_GAPS} more" if len(load.gaps) > SHOWN_GAPS else ""
        raise TrafficError(f"{path}: lacks {', '.join(load.gaps[:SHOWN_GAPS])}{more}; say with gaps how to fill them: zero, if "
                           "no request came, or same_hour, the mean of that hour on other days")


def write(load, path):
    """The requests of each hour as a table that :func:`files.read` reads again."""
    with files.replaced(path) as file:
        load.hours.rename(columns={"requests_per_h": "requests"}).to_csv(file, index=False, float_format="%.10g",
                                                                         lineterminator="\n")


def said(load):
    """What was derived, as (what, value) in words, in the order in which it is used."""
    rows = [("kind", load.kind), ("hours", f"{len(load.hours):,}" + (f" from {load.start} UTC" if load.start else "")),
            ("requests a day", f"{load.requests_per_day:,.0f}"), ("busiest hour over the mean", f"{load.peak_to_mean:.2f}")]
    if load.burst is not None:
        rows.append(("busiest ten minutes over that hour", f"{load.burst:.2f}"))
    for name, value in (("prompt tokens, mean (isl)", load.isl), ("answer tokens, mean (osl)", load.osl)):
        rows.append((name, "not stated" if value is None else f"{value:,.1f}"))
    rows.append(("cached share of the prompt", "not stated" if load.cached_prefix is None else f"{load.cached_prefix:.1%}"))
    return rows + [("gap", words) for words in load.gaps] + [("note", words) for words in load.notes]

"""Lengths of requests drawn from the percentiles of a trace."""

import numpy as np

from tokenecon.errors import BadInput

LAST = 100.0  # the highest percentile
SIDES = {"isl": "input", "osl": "output"}
FINE = 20000  # chances at which a mean over the whole law is taken


class BadLengths(BadInput):
    """A table of percentiles that cannot be drawn from; one sentence says what it lacks."""


def quantiles(lengths, side, chances):
    """Lengths at given chances (0 to 1) by the percentiles of one side, "input" or "output". [tok]

    Between two percentiles lengths rise evenly.  Between the last two they rise as a power, such that the mean is that of
    the trace, where the table says it (its column ``mean``) and a power can do it: the longest of many thousand requests
    is far from the percentile below, and most of those between are near that.
    """
    places, tokens, mean = _percentiles(lengths, side)
    chances = np.asarray(chances, dtype=float)
    found = np.interp(chances * LAST, places, tokens)
    power = _tail_power(places, tokens, mean)
    into = np.clip((chances * LAST - places[-2]) / (LAST - places[-2]), 0.0, 1.0)
    tail = tokens[-2] + (tokens[-1] - tokens[-2]) * into**power
    return np.where(into > 0, tail, found)


def mean_length(lengths, side):
    """Mean of the lengths that are drawn for one side. [tok]"""
    return float(quantiles(lengths, side, middles()).mean())


def draw(lengths, side, chances, mean=None):
    """Whole lengths of at least 1 at given chances, scaled to a mean where one is given. [tok]"""
    tokens = quantiles(lengths, side, chances)
    if mean is not None:
        tokens = tokens * (mean / mean_length(lengths, side))
    return np.maximum(np.rint(tokens), 1.0)


def mean_of_longest(lengths, side, batch):
    """Mean of the longest of so many independent draws: the mean of the law's quantile at u^(1/B), u even on (0, 1). [tok]"""
    return float(quantiles(lengths, side, middles() ** (1.0 / batch)).mean())


def middles():
    """Chances, even on 0 to 1, over which a mean is taken. [fraction]"""
    return (np.arange(FINE) + 0.5) / FINE


def _tail_power(places, tokens, mean):
    """Power of the last stretch that gives the mean of the trace; 1, an even rise, where the mean is unknown or beyond."""
    if mean is None or tokens[-1] <= tokens[-2]:
        return 1.0
    weight = (LAST - places[-2]) / LAST
    rest = float(np.trapezoid(tokens[:-1], places[:-1])) / LAST
    share = ((mean - rest) / weight - tokens[-2]) / (tokens[-1] - tokens[-2])  # mean of the stretch, 0 to 1: 1/(1 + power)
    return 1.0 / share - 1.0 if 0.0 < share < 1.0 else 1.0


def _percentiles(lengths, side):
    rows = lengths[lengths["side"] == side].sort_values("percentile")
    places, tokens = rows["percentile"].to_numpy(dtype=float), rows["tokens"].to_numpy(dtype=float)
    if len(rows) < 3 or places[0] > 0 or places[-1] < LAST:
        raise BadLengths(f"lengths of the side '{side}' need the percentiles 0 and 100 and some between; there are "
                         f"{len(rows)} rows")
    return places, tokens, float(rows["mean"].iloc[0]) if "mean" in rows else None

"""Load over the hours: profiles of public traces, smooth ones with a given peak, and the reader's own.

A profile is a DataFrame ``hour``, ``ratio``: the rate of requests in each hour over its mean, which is exactly 1.
"""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import UnknownId
from tokenecon.fleet import shapes
from tokenecon.fleet.shapes import SMOOTHEST
from tokenecon.queries import remembered
from tokenecon.units import HOURS_PER_DAY

DAY, WEEK = int(HOURS_PER_DAY), 7
SMOOTH = ("flat", "diurnal", "weekly")
HOURLY = ("servegen-m-large", "servegen-m-mid", "servegen-m-small", "servegen-deepseek-r1", "servegen-mm-image")
NAMES = (*SMOOTH, *HOURLY)
POOLED = ("servegen-m-large", "servegen-m-mid", "servegen-m-small")  # of which pools of a few clients were measured
WEEKEND_DAYS = 2  # Saturday and Sunday, at the end of the week
LABELS = {
    "servegen-m-large": "large model", "servegen-m-mid": "middle model", "servegen-m-small": "small model",
    "servegen-deepseek-r1": "reasoning model", "servegen-mm-image": "image model", "azure-2023-conv": "Azure conversation",
    "azure-2023-code": "Azure code", "mooncake-conversation": "Kimi conversation", "mooncake-synthetic": "Kimi, synthetic",
    "flat": "steady load", "diurnal": "smooth day", "weekly": "smooth week",
}  # fmt: skip
SHARPEST = 24.0  # busiest hour over mean: all requests of a day in one hour


def profile(name):
    """The profile of one of :data:`NAMES`."""
    if name == "flat":
        return _made(np.ones(DAY))
    if name in SMOOTH:
        weekend = data.value("workload.weekend") if name == "weekly" else 1.0
        return synthetic(data.value("workload.peak_to_mean"), weekend)
    return _made(rates(name))


def rates(name):
    """Mean requests a second of a trace, hour by hour."""
    if name not in HOURLY:
        raise UnknownId("profile", name, NAMES, "tokenecon.fleet.traffic.NAMES")
    return data.rows("traffic", {"trace": name}).sort_values("index")["requests_per_s"].to_numpy()


def note(name):
    """What a profile of :data:`NAMES` is, in words."""
    if name == "flat":
        return "The same load in every hour."
    if name in SMOOTH:
        return f"A smooth {'week' if name == 'weekly' else 'day'}, no trace."
    hourly = rates(name)
    silent = int((hourly == 0).sum())
    return f"{len(hourly)} hours of one service." + (
        f" Without any request in {silent} of them: an outage or a gap in the record." if silent else "")


def peak_to_mean(profile):
    """The busiest hour of a profile over its mean hour."""
    return float(profile["ratio"].max())


def synthetic(peak_to_mean, weekend=1.0):
    """A smooth day with one peak of this height; a week of such days where ``weekend`` is not 1.

    ``weekend`` is the load of a Saturday or Sunday over a working day's.  The day is a von Mises curve: it never falls below
    zero, and any peak up to all in one hour has exactly one width.
    """
    if not SMOOTHEST <= peak_to_mean < SHARPEST:
        raise ValueError(f"peak_to_mean is {peak_to_mean:g}, but must be at least {SMOOTHEST:g}, a flat day, and below "
                         f"{SHARPEST:g}, a day in one hour")
    if not 0 <= weekend < float("inf"):
        raise ValueError(f"weekend is {weekend:g}, but must be a ratio of at least 0: the load of a Saturday over a Monday's")
    days = np.ones(WEEK) if weekend != 1.0 else np.ones(1)
    days[len(days) - (WEEKEND_DAYS if weekend != 1.0 else 0):] = weekend
    days = days / days.mean()
    wanted = peak_to_mean / days.max()  # of the busiest day
    if wanted < SMOOTHEST:
        raise ValueError(f"peak_to_mean is {peak_to_mean:g}, but days as unequal as weekend = {weekend:g} alone make "
                         f"{days.max():.3g}; raise peak_to_mean")
    return _made(np.outer(days, shapes.smooth_day(wanted)).ravel())


@remembered
def pools():
    """What was measured of pools of a few clients of each service, as :func:`tokenecon.fleet.shapes.of_size` takes it.

    Between pools it is interpolated over the logarithm of their clients, and a pool is given no lower peak than a larger one of
    the same service has.
    """
    found = []
    for trace in POOLED:
        part = data.rows("traffic_pooling", {"trace": trace}).sort_values("clients")
        every = fact(trace, "clients")
        peak_1h = np.array([*part["peak_1h"], fact(trace, "peak_1h")])
        burst = np.array([*part["peak_10min"], fact(trace, "peak_10min")]) / peak_1h
        found.append({"mean_rate": fact(trace, "mean_rate"), "clients": every,
                      "size": [float(one) for one in np.log([*part["clients"], every])],
                      "peak_1h": [float(one) for one in np.maximum.accumulate(peak_1h[::-1])[::-1]],
                      "burst": [float(one) for one in burst]})
    return found


def of_size(requests_per_s):
    """Busiest hour over the mean, and busiest ten minutes over the busiest hour, of a service with this rate of requests."""
    return shapes.of_size(pools(), float(requests_per_s))


def sized(trace, requests_per_s):
    """Hours of a trace for a service of this rate, and its bursts: a smaller service than the trace's peaks higher.

    Returns the profile, and the busiest ten minutes of an hour over its mean.
    """
    hours = profile(trace)
    peak, burst = of_size(requests_per_s)
    return (peaked(hours, peak) if requests_per_s < fact(trace, "mean_rate") else hours), burst


def peaked(profile, peak_to_mean):
    """A profile whose busiest hour is so many times the mean: its ratios raised to one power; one that peaks higher stays."""
    ratio = profile["ratio"].to_numpy()
    raised = shapes.peaked(ratio, peak_to_mean)
    return profile if raised is ratio else profile.assign(ratio=raised)


def from_requests(table):
    """The profile of the reader's own hours, as :func:`tokenecon.importers.loads.files.read` gives them."""
    return _made(table["requests_per_h"].to_numpy(dtype=float))


def _made(rates):
    """A profile of rates in any unit: their ratios to the mean."""
    ratio = shapes.ratios(np.asarray(rates, dtype=float))
    return pd.DataFrame({"hour": np.arange(len(ratio), dtype=float), "ratio": ratio})


def repeated(profile, hours):
    """The first so many hours of a profile that repeats itself: a week of a single day."""
    ratio = np.resize(profile["ratio"].to_numpy(), hours)
    return pd.DataFrame({"hour": np.arange(hours, dtype=float), "ratio": ratio})


def lengths(trace):
    """Percentiles of a trace's prompts and answers: ``side``, ``percentile``, ``tokens``, ``mean`` of the side."""
    rows = data.rows("request_lengths", {"trace": trace})
    if rows.empty:
        known = data.rows("request_lengths", {}, want="trace")["trace"]
        raise UnknownId("trace", trace, known, "data/request_lengths.csv")
    table = rows[["side", "percentile", "tokens"]].reset_index(drop=True)
    return table.assign(mean=table["side"].map({side: fact(trace, f"{side}_mean") for side in table["side"].unique()}))


def fact(trace, field):
    """One number of ``data/traces.csv``, in the unit of its row."""
    return float(data.row("traces", f"{trace}.{field}", "fact of a trace")["value"])

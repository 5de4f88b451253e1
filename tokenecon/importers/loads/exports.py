"""Exports of monitors and providers: a range query of Prometheus, and the usage that a provider reports by the bucket."""

import math

import numpy as np
import pandas as pd

from tokenecon.importers.loads.hours import Steps
from tokenecon.importers.loads.table import EPOCHS, TrafficError, quoted
from tokenecon.numbers import of_text

# What the name of a series says that it counts; one without a name is a rate of requests.
SERIES = {"requests": ("request_success", "requests_total", "request_count", "num_requests_total", "requests"),
          "in": ("prompt_tokens", "input_tokens"), "out": ("generation_tokens", "output_tokens", "completion_tokens"),
          "cached": ("cached_tokens", "prefix_cache_hits")}  # fmt: skip
COUNTERS = ("_total", "_count", "_sum")
USAGE = {"requests": "num_model_requests", "in": "input_tokens", "out": "output_tokens", "cached": "input_cached_tokens"}


def steps(path, tree):
    """The steps of an export; refuses what is neither."""
    data = tree.get("data") if isinstance(tree, dict) else None
    if isinstance(data, dict) and isinstance(data.get("result"), list):
        return _prometheus(path, data)
    if isinstance(data, list) and all(isinstance(one, dict) for one in data):
        return _usage(path, data, bool(tree.get("has_more")))
    raise TrafficError(f"{path}: is JSON of no known kind; give a range query of Prometheus, a provider's usage by the bucket, "
                       "or one request a line")


def step(path, starts):
    """The length of steps that begin at these times: the median from one to the next. [s]"""
    if len(starts) < 2:
        raise TrafficError(f"{path}: has one step only, so that its length is not known; give at least two")
    return float(np.median(np.diff(np.sort(starts))))


# --- Prometheus ------------------------------------------------------------------------------------


def _prometheus(path, data):
    """Series summed by what they count; counters that only grow, from one sample to the next, or rates a second."""
    if data.get("resultType", "matrix") != "matrix":
        raise TrafficError(f"{path}: resultType is {quoted(data.get('resultType'))}, but must be matrix: ask query_range, not "
                           "query")
    found = {}
    for place, one in enumerate(data["result"], 1):
        name, times, values = _series(path, place, one)
        meaning = "requests" if not name else next(
            (meaning for meaning, spelt in SERIES.items() if any(part in name for part in spelt)), None)
        if meaning is None:
            raise TrafficError(f"{path}, series {place}: {quoted(name)} counts nothing that is understood; keep series of "
                               "requests, prompt tokens and generation tokens")
        found.setdefault(meaning, []).append(_counted(name, times, values))
    if "requests" not in found:
        raise TrafficError(f"{path}: has no series of requests, such as vllm:request_success_total; add one")
    frames = {meaning: pd.concat(each).groupby("start").agg({"count": "sum", "length": "median"})
              for meaning, each in found.items()}
    requests = frames["requests"]
    if requests.empty:
        raise TrafficError(f"{path}: has no two samples of a series, so nothing is known of what came between them")
    return Steps("a range export of Prometheus", requests.index.to_numpy(), requests["length"].to_numpy(),
                 requests["count"].to_numpy(), absolute=True,
                 tokens={side: frame["count"].reindex(requests.index, fill_value=0.0).to_numpy()
                         for side, frame in frames.items() if side != "requests"})


def _series(path, place, one):
    """Name, times and values of a series; samples that are no number (NaN of a quiet moment) are left out."""
    metric, samples = (one.get("metric"), one.get("values")) if isinstance(one, dict) else (None, None)
    if not isinstance(samples, list):
        raise TrafficError(f"{path}, series {place}: has no values; export a range")
    times, values = [], []
    for sample in samples:
        good = isinstance(sample, list) and len(sample) == 2
        time, value = (of_text(str(part)) for part in sample) if good else (math.nan, math.nan)
        if not EPOCHS[0][0] <= time < EPOCHS[0][1] or value in (math.inf, -math.inf) or value < 0 or value > 1e15:
            raise TrafficError(f"{path}, series {place}: a sample is {quoted(sample)}, but must be [seconds since 1970, a number "
                               "of at least 0]")
        if not math.isnan(value):
            times.append(time)
            values.append(value)
    name = metric.get("__name__") if isinstance(metric, dict) else None
    order = np.argsort(times, kind="stable")
    return name if isinstance(name, str) else "", np.array(times, dtype=float)[order], np.array(values, dtype=float)[order]


def _counted(name, times, values):
    """What a series counted from each sample to the next; longer breaks than one and a half steps are not bridged."""
    if len(times) < 2:
        return pd.DataFrame({"start": [], "count": [], "length": []}, dtype=float)
    lengths = np.diff(times)
    typical = float(np.median(lengths))
    if name.endswith(COUNTERS):
        grown = np.diff(values)
        count = np.where(grown >= 0, grown, values[1:])  # a counter that fell was started anew
        kept = (lengths > 0) & (lengths <= 1.5 * typical)
        return pd.DataFrame({"start": times[:-1][kept], "count": count[kept], "length": lengths[kept]})
    return pd.DataFrame({"start": times, "count": values * typical, "length": typical})


# --- usage of a provider ---------------------------------------------------------------------------


def _usage(path, buckets, more):
    """Requests and tokens by the bucket; one without results had no request."""
    if more:
        raise TrafficError(f"{path}: says has_more, so it is one page of several; join the buckets of all pages in data")
    rows = [_bucket(path, place, one) for place, one in enumerate(buckets, 1)]
    if not rows:
        raise TrafficError(f"{path}: has no bucket in data")
    frame = pd.DataFrame(rows).groupby("start", as_index=False).agg(
        {"length": "first", **dict.fromkeys(("requests", "in", "out", "cached"), "sum")})
    return Steps("a provider's usage export", frame["start"].to_numpy(), frame["length"].to_numpy(), frame["requests"].to_numpy(),
                 absolute=True, tokens={side: frame[side].to_numpy() for side in ("in", "out", "cached")})


def _bucket(path, place, bucket):
    start, end = (_moment(bucket.get(new, bucket.get(other))) for new, other in (
        ("start_time", "starting_at"), ("end_time", "ending_at")))
    results = bucket.get("results")
    if not (end > start and isinstance(results, list) and all(isinstance(one, dict) for one in results)):
        raise TrafficError(f"{path}, bucket {place}: lacks start_time, an end_time after it, or its list of results")
    sums = {"start": start, "length": end - start}
    for meaning, name in USAGE.items():
        numbers = [of_text(str(one.get(name, 0.0 if meaning == "cached" else None))) for one in results]
        if not all(0 <= number <= 1e15 for number in numbers):
            raise TrafficError(f"{path}, bucket {place}: a result has no {name} of at least 0; "
                               + ("an export of tokens alone does not say how many requests there were" if meaning == "requests"
                                  else "give the export as the provider wrote it"))
        sums[meaning] = sum(numbers)
    return sums


def _moment(value):
    """Seconds since 1970 of a number of them or of an ISO time; NaN of anything else."""
    number = of_text(str(value))
    if number == number:
        return number if EPOCHS[0][0] <= number < EPOCHS[0][1] else math.nan
    time = pd.to_datetime(value, format="ISO8601", utc=True, errors="coerce") if isinstance(value, str) else pd.NaT
    return math.nan if time is pd.NaT else time.timestamp()

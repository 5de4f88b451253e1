"""A replica paid by the second that stops when idle, against replicas paid around the clock and an API, over the load."""

import numpy as np
import pandas as pd
from scipy.special import gammainc, gammaln, xlogy

from tokenecon import data, units
from tokenecon.finding import Finding, finding, named
from tokenecon.fleet import erlang, planning, pools, traffic
from tokenecon.formulas import memory, money, queueing
from tokenecon.prices import gpu_prices
from tokenecon.serving import sizing
from tokenecon_book.documents import base
from tokenecon_book.documents.words import about

FIXED, SECONDS = "around the clock", "by the second"
BY_SECOND = "modal"  # a provider of data/providers.csv whose prices are those of a second
FEWEST = 0.1  # requests an hour at which the page begins
FAR = 10  # standard deviations of the requests in flight beyond which no replica is looked at
COLUMNS = {
    "requests_per_hour": ("Requests an hour", "request/h"), "cold_share": ("Meet a start", "fraction"),
    "seconds": ("By the second", "USD/Mtok"), "fixed": ("Around the clock", "USD/Mtok"), "api": ("API", "USD/Mtok"),
}  # fmt: skip


def start_seconds(case):
    """Time to load the weights at a start: (fast, expected, slow). [s]"""
    size = memory.weight_bytes(parameters=float(data.model(case.model)["parameters"]), bytes_per_param=memory.bytes_per_param(
        bits_per_param=float(data.precision(case.weights)["bits"])))
    slow, _, fast = data.span("serverless.load_rate_download")
    return tuple(size / units.convert(rate, "GB/s", "B/s") for rate in (fast, data.value("serverless.load_rate"), slow))


def service_seconds(found, rates):
    """Time a request takes at each rate of arrivals: shorter in an empty replica, as in full ones from its capacity on. [s]"""
    steps = np.unique(np.round(np.geomspace(1, found["concurrency"], min(int(found["concurrency"]), 24))))
    curve = sizing.curve(pools.replica_case(found), steps)
    served = curve["requests_per_s"].to_numpy()
    return np.interp(rates, served, steps / served)


def by_second(found, rates, *, idle_s, start_s):
    """Mean paid replicas and the share of requests that meet a start, for an array of rates in requests a second.

    A replica runs while more requests hold a place than the replicas before it have, and through its own starts: the first
    one is :func:`pooling.to_zero_paid_share`, which the sum repeats for the further ones.
    """
    held = service_seconds(found, rates) + idle_s
    first = {"requests_per_s": rates, "held_s": held, "start_s": start_s}
    paid, cold, load = queueing.to_zero_paid_share(**first), queueing.to_zero_cold_share(**first), rates * held
    for replica in range(1, int(np.ceil((load.max() + FAR * np.sqrt(load.max() + 1)) / found["concurrency"])) + 1):
        places = replica * found["concurrency"]
        exactly = np.exp(xlogy(places, load) - load - gammaln(places + 1))  # Poisson: so many requests in flight
        starting = rates * start_s * exactly
        paid = paid + (gammainc(places + 1, load) + starting) / (1 + starting)
        cold = cold + (exactly + starting) / (1 + starting)
    return paid, np.minimum(cold, 1.0)


def carried(case, found, shape):
    """Requests a second that one replica carries in the mean of hours so uneven, at the waiting target."""
    busy = float(erlang.utilisation(slots=found["concurrency"], wait_probability=case.wait_probability))
    return found["requests_per_s"] * queueing.mean_utilisation(peak_utilisation=busy, peak_to_mean=traffic.peak_to_mean(shape))


def over_load(case):
    """Cost of a million tokens over requests an hour, up to what one replica serves: by the second, and around the clock."""
    shape, found, tokens = base.of(case).profile, pools.replica(case), case.isl + case.osl
    premiums, idles, starts = data.span("serverless.premium"), data.span("serverless.idle_timeout"), start_seconds(case)
    most = units.convert(carried(case, found, shape), "request/s", "request/h")
    hourly = np.geomspace(min(FEWEST, most / 10), most, 160)
    rates, ratios = units.convert(hourly, "request/h", "request/s"), shape["ratio"].to_numpy()
    rent = base.hour(case)["typical"] * (1 + case.ops_overhead)
    per_mtok = money.usd_per_mtok(usd_per_gpu_hour=rent, n_gpus=case.n_gpus, tok_per_s=rates * tokens, utilisation=1.0)
    table = pd.DataFrame({"requests_per_hour": hourly})
    for end, premium, idle, start in zip(("_low", "", "_high"), premiums, idles, starts, strict=True):
        paid, cold = by_second(found, np.outer(rates, ratios), idle_s=idle, start_s=start)
        table[f"seconds{end}"] = paid.mean(axis=1) * premium * per_mtok
        if not end:
            table["cold_share"] = (cold * ratios).mean(axis=1)
    for end, speed in (("_low", "_high"), ("", ""), ("_high", "_low")):
        table[f"fixed{end}"] = per_mtok * planning.demand_curve(
            shape, demands=rates, requests_per_s=found[f"requests_per_s{speed}"], concurrency=found["concurrency"],
            wait_probability=case.wait_probability, policy="fixed", start_h=0.0, floor=1)
    return table


def crossing(hourly, one, other):
    """The load up to which the first cost is the lower one: nothing if it never is, infinite if it is at every load.

    Between two loads both costs are taken as straight lines on logarithmic scales.
    """
    gap = np.log(np.asarray(one, dtype=float) / np.asarray(other, dtype=float))
    if gap[0] >= 0:
        return None
    if (gap < 0).all():
        return np.inf
    last = int(np.argmax(gap >= 0))
    (left, right), (before, after) = np.log(np.asarray(hourly, dtype=float)[last - 1:last + 1]), gap[last - 1:last + 1]
    return float(np.exp(left + (right - left) * before / (before - after)))


@finding
def offers(case):
    """:func:`over_load` as one row an offer and load, with the API beside and the finding."""
    wide, api = over_load(case), base.api(case)
    hourly = wide["requests_per_hour"]
    parts = [pd.DataFrame({"requests_per_hour": hourly, "offer": name, **{
        f"usd_per_mtok{end}": wide[f"{column}{end}"] for end in ("", "_low", "_high")}})
        for name, column in ((SECONDS, "seconds"), (FIXED, "fixed"))]
    if api:
        low, typical, high = api["blend"]
        parts.append(pd.DataFrame({"requests_per_hour": hourly.iloc[[0, -1]], "offer": "API", "usd_per_mtok_low": low,
                                   "usd_per_mtok": typical, "usd_per_mtok_high": high}))
    table = pd.concat(parts, ignore_index=True)
    pays, below = crossing(hourly, wide["seconds"], wide["fixed"]), None
    fast, usual, slow = start_seconds(case)
    of = base.load(case)
    said = ("Paying by the second is dearer from the first request on" if pays is None else
            "Paying by the second is cheaper at any load of one replica" if np.isinf(pays) else
            "Paying by the second is cheaper than round the clock up to "
            f"{named('hourly-load', pays, about, way='by the second', **of)} requests an hour")
    if api:
        best = wide[["seconds", "fixed"]].min(axis=1)
        below = crossing(hourly, np.full(len(hourly), typical), best)
        if below is not None:
            said += ", and an API is cheaper than both " + ("throughout" if np.isinf(below) else (
                f"up to {named('hourly-load', below, about, way='API', rule=base.rule(case), **of)}"))
    cold = "" if pays is None or np.isinf(pays) else (
        f" Where paying by the second ends, at {pays / hourly.iloc[-1]:.1%} of what one replica serves, "
        f"{np.interp(pays, hourly, wide['cold_share']):.0%} of requests meet a start of {usual:.0f} s.")
    short, _, long = data.span("serverless.idle_timeout")
    note = (
        f"{case.n_gpus} × {data.gpu(case.gpu)['name']} at the typical on-demand price {gpu_prices.known(case)}, with "
        f"{case.ops_overhead:.0%} for operations in both; a second of a "
        f"worker that stops costs {data.value('serverless.premium'):.2f} times as much at the same seller.{cold} Outer bound: "
        f"that premium, {fast:.0f} to {slow:.0f} s to load the weights, {short:g} to {long:g} s kept idle; around the clock: the "
        "interval of the model; API: sellers, 10 to 90%.")
    listed = gpu_prices.prices(case.gpu, "on_demand", case.as_of, max_age_days=gpu_prices.PRICE_MAX_AGE_DAYS["on_demand"])
    listed = listed[listed["provider"] == BY_SECOND]
    if len(listed):
        ratio = float(listed["value"].min()) / base.hour(case)["typical"]
        name = data.row("providers", BY_SECOND)["name"]
        note += f" Another seller by the second, {name}, asks {ratio:.2f} times the typical price ({listed['as_of'].max()})."
    return Finding(table, said, note, pays_below=pays, api_below=below)


@finding
def at_loads(case, hourly=(1, 10, 100, 1000)):
    """The three costs and the share of requests that meet a start, at a few loads."""
    wide, api = over_load(case), base.api(case)
    known = wide["requests_per_hour"]
    rows = [{"requests_per_hour": load, "api": api["blend"][1] if api else np.nan,
             **{name: float(np.exp(np.interp(np.log(load), np.log(known), np.log(wide[name])))) for name in (
                 "cold_share", "seconds", "seconds_low", "seconds_high", "fixed", "fixed_low", "fixed_high")}}
            for load in [load for load in hourly if known.iloc[0] <= load <= known.iloc[-1]] or [known.iloc[-1]]]
    table = pd.DataFrame(rows)
    return Finding(table, units={name: "USD/Mtok" for name in table.columns if name.startswith(("api", "seconds", "fixed"))})

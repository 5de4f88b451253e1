"""What pooling gives: Erlang's formula beside pools of real clients, bursts inside the hour, and sites in other time zones."""

import numpy as np
import pandas as pd
from scipy import stats

from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.fleet import erlang, traffic
from tokenecon.serving import sizing
from tokenecon.units import HOURS_PER_DAY, factor

CHANCE, INDEPENDENT = "Erlang C", "if independent"
POOLED = ("servegen-m-large", "servegen-m-mid", "servegen-m-small")
BY_THE_MINUTE = ("azure-2023-conv", "azure-2023-code")
ZONES = (1, 2, 3, 4, 6, 8, 12, 24)
SECONDS_PER_MINUTE = factor("min")
BURST_COLUMNS = {
    "what": ("Trace", None), "requests_per_min": ("Requests a minute", None),
    "cv": ("Time between requests, deviation over mean", "ratio"),
    "dispersion": ("Requests of a minute, variance over mean", "ratio"),
    "peak": ("Busiest minute over mean", "ratio"), "peak_poisson": ("Of Poisson arrivals", "ratio"),
    "busy_erlang": ("Busy by Erlang C", "fraction"), "busy_minute": ("Busy, sized for that minute", "fraction"),
}  # fmt: skip
SERVICE_COLUMNS = {
    "what": ("Fleet", None), "peak": ("Busiest hour over mean", "ratio"), "utilisation": ("Mean over busiest hour", "fraction"),
}  # fmt: skip


@finding
def clients(case):
    """How full a pool is by the number of clients in it: pools of real clients, and what two textbook laws promise.

    Real pools are sized for the hour that one in a hundred exceeds (``utilisation_p99_1h``).  Independent clients would spread
    less by the root of their number.  Erlang C sees neither hours nor clients: a steady rate, and only chance.
    """
    service_s = sizing.of_page(case)["service_s"]
    rows = data.rows("traffic_pooling", {"trace": POOLED}).sort_values(["trace", "clients"])
    parts = [pd.DataFrame({"clients": part["clients"].astype(float), "kind": traffic.LABELS[trace],
                           "utilisation": part["utilisation_p99_1h"]}) for trace, part in rows.groupby("trace")]
    first = rows[rows["trace"] == POOLED[0]]
    counts = first["clients"].to_numpy(dtype=float)
    parts.append(pd.DataFrame({"clients": counts, "kind": INDEPENDENT,
                               "utilisation": independent(counts, first["utilisation_p99_1h"].iloc[0])}))
    rate = traffic.fact(POOLED[0], "mean_rate") / traffic.fact(POOLED[0], "clients")  # of its mean client
    parts.append(pd.DataFrame({"clients": counts, "kind": CHANCE, "utilisation": [
        steady(rate * count * service_s, case.wait_probability) for count in counts]}))
    table = pd.concat(parts, ignore_index=True)

    def at(kind, place):
        return table.loc[table["kind"] == kind, "utilisation"].iloc[place]

    large, small = traffic.LABELS[POOLED[0]], traffic.LABELS[POOLED[-1]]
    few = [traffic.fact(name, "top10_share") for name in POOLED]
    pooled = named("pooled-clients", counts[-1], "{:g}".format, profile=POOLED[0])
    real, promised = (named("pool-fill", at(kind, -1), "{:.0%}".format, profile=POOLED[0], clients=f"{counts[-1]:g}",
                            sized="hour that one in a hundred exceeds", **more)
                      for kind, more in ((large, {}), (INDEPENDENT, {"law": INDEPENDENT})))
    return Finding(table, (
        f"{pooled} pooled clients of the large model fill a fleet to {real}; if they were independent it would be {promised}"), (
        f"One client alone fills it to {at(large, 0):.0%}; chance alone would allow {at(CHANCE, -1):.0%}. "
        "Traces: mean load over the load that one hour in a hundred exceeds; medians over pools drawn at random from the "
        f"clients of a service. Independent: for the {large}, the spread over the mean falls with the root of the number. "
        f"Erlang C: at the mean rate of its clients, {case.wait_probability:.1%} of requests waiting. Pools of the {small} do "
        f"come near independence: {at(small, -1):.0%}. Ten clients send {min(few):.0%} to {max(few):.0%} of the requests of a "
        "service."))


def independent(counts, alone):
    """Utilisation of pools of like, independent clients, each alone as full as ``alone``: their excess falls with the root."""
    return 1 / (1 + (1 / alone - 1) / np.sqrt(counts))


def steady(load, wait_probability):
    """Utilisation that Erlang C allows at a steady load in places."""
    return load / erlang.slots_needed(load=load, wait_probability=wait_probability)


@finding
def bursts(case):
    """Inside one hour: minutes of real traces against Poisson arrivals, and how full each lets a fleet be."""
    service_s, table = sizing.of_page(case)["service_s"], []
    for trace in BY_THE_MINUTE:
        rows = data.rows("traffic", {"trace": trace}).sort_values("index")
        rates = rows["requests_per_s"].to_numpy()[1:-1]  # both ends are cut
        counts = rates * SECONDS_PER_MINUTE
        # half of all hours with Poisson arrivals have no busier minute than this
        peak = stats.poisson.ppf(0.5 ** (1 / len(counts)), counts.mean()) / counts.mean()
        load, seen = rates.mean() * service_s, traffic.fact(trace, "peak_1min")
        table.append({
            "what": traffic.LABELS[trace], "requests_per_min": counts.mean(), "cv": traffic.fact(trace, "cv_interarrival"),
            "dispersion": counts.var() / counts.mean(),
            "peak": seen, "peak_poisson": peak, "busy_erlang": steady(load, case.wait_probability),
            "busy_minute": load / erlang.slots_needed(load=load * seen, wait_probability=case.wait_probability)})  # fmt: skip
    table = pd.DataFrame(table)
    mild, wild = table.iloc[0], table.iloc[1]
    single = [traffic.fact(name, "client_cv") for name in traffic.HOURLY]
    both = list(zip(BY_THE_MINUTE, (mild, wild), strict=True))
    seen = [named(f"{trace}.peak_1min", row["peak"], "{:.1f}".format) for trace, row in both]
    chance = [named("peak-minute-poisson", row["peak_poisson"], "{:.1f}".format, trace=trace) for trace, row in both]
    return Finding(table, (
        f"Inside an hour requests come in bursts: the busiest minute is {seen[0]} times the mean in conversation and "
        f"{seen[1]} times in code completion, where Poisson arrivals would reach {chance[0]} and {chance[1]}."), (
        "Poisson arrivals have 1 in both columns of variation. From one request to the next conversation is close to them; from "
        f"minute to minute it is not. A request holds its place for {service_s:.3g} s. Busy by Erlang C: at the mean rate of "
        "the hour. The first and the last minute of a trace are left out. Of single clients of five services the time between "
        f"requests varies by {min(single):.1f} to {max(single):.0f} times its mean, Poisson by 1."),
        {name: unit for name, (_, unit) in BURST_COLUMNS.items() if unit})


@finding
def zones(names=("diurnal", *POOLED)):
    """How full the busiest hour leaves a fleet that serves the same load in several time zones, spread evenly over the day."""
    parts = []
    for name in names:
        ratio = traffic.profile(name)["ratio"].to_numpy()
        parts.append(pd.DataFrame({"zones": [float(count) for count in ZONES], "kind": traffic.LABELS[name],
                                   "utilisation": [1 / shifted(ratio, count).max() for count in ZONES]}))
    table = pd.concat(parts, ignore_index=True)
    by = table.pivot(index="zones", columns="kind", values="utilisation")
    large = by[traffic.LABELS[POOLED[0]]]
    smooth, alone, real = (named("pool-fill", by[traffic.LABELS[profile]].loc[zones], "{:.0%}".format, profile=profile,
                                 zones=zones, sized="busiest hour")
                           for profile, zones in (("diurnal", 3), ("diurnal", 1), (POOLED[0], 3)))
    return Finding(table, (
        f"Three time zones fill the fleet of a smooth day to {smooth} instead of {alone}, that of the large model only to "
        f"{real}"),
        f"The large model in one zone: {large.loc[1]:.0%}; its busy days stay busy everywhere. The same profile in each zone, "
        "moved by its share of a day; the fleet is sized for the busiest hour of all together. "
        "What clocks move is the rhythm of the day; good and bad days move with it.")


def shifted(ratio, count):
    """The mean of a profile over zones that are this many, evenly spread over 24 hours."""
    hours = np.round(np.arange(count) * HOURS_PER_DAY / count).astype(int)
    return np.mean([np.roll(ratio, hour) for hour in hours], axis=0)


@finding
def services():
    """Three services of one provider, each on its own fleet and all on one, at equal mean loads."""
    ratios = {name: traffic.profile(name)["ratio"].to_numpy() for name in POOLED}
    rows = [{"what": f"{traffic.LABELS[name]}, alone", "peak": ratio.max()} for name, ratio in ratios.items()]
    rows.append({"what": "three fleets together", "peak": float(np.mean([ratio.max() for ratio in ratios.values()]))})
    first, *others = ratios.values()
    # the traces do not say whether their hours are the same hours: all whole-day shifts of one against the other are tried
    moves = range(0, len(first), int(HOURS_PER_DAY))
    peaks = [np.mean([first, np.roll(others[0], one), np.roll(others[1], two)], axis=0).max() for one in moves for two in moves]
    rows.append({"what": "one fleet for all", "peak": peaks[0], "peak_low": min(peaks), "peak_high": max(peaks)})
    table = pd.DataFrame(rows)
    table["utilisation"] = 1 / table["peak"]
    table["utilisation_low"], table["utilisation_high"] = 1 / table["peak_high"], 1 / table["peak_low"]
    pairs = np.corrcoef(list(ratios.values()))[np.triu_indices(len(ratios), 1)]
    apart, together = (named("pool-fill", share, "{:.0%}".format, profile=", ".join(POOLED), fleets=fleets, sized="busiest hour")
                       for share, fleets in zip(table["utilisation"].iloc[-2:], (3, 1), strict=True))
    ends = [named("services-correlation", pairs[place], lambda value: f"{value:.2f}".replace("-", "−"), pair=place)
            for place in (pairs.argmin(), pairs.argmax())]
    return Finding(table, (
        f"Three services on one fleet fill it to {together} instead of {apart} on three: their hours are hardly alike "
        f"(correlations from {ends[0]} to {ends[1]}), so their peaks do not meet."),
        "Equal mean loads on machines that can serve any of them. The range tries every shift by whole days, since the traces do "
        "not say whether they begin on the same day.",
        {f"peak{end}": "ratio" for end in ("_low", "", "_high")}, correlations=pairs.tolist())

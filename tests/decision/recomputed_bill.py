"""The bill of the base case on H100 SXM, owned and rented, from data/*.csv alone: own arithmetic, nothing of the package.

Only how fast one replica is comes from the serving model: ``n_gpus``, ``requests_per_s`` and ``concurrency``.

Run it: python tests/decision/recomputed_bill.py 2 6.2 90
"""

import csv
import datetime
import itertools
import statistics
import sys
from math import log
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
GPU, DAY, REQUESTS_PER_DAY = "h100-sxm-80gb", "2026-11-28", 477_800
POOLED = ("servegen-m-large", "servegen-m-mid", "servegen-m-small")
YEARS, SERVER_GPUS, MONTH_HOURS = 3, 8, 730


def rows(table):
    with (DATA / f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assumed(name):
    return next(float(row["value"]) for row in rows("assumptions") if row["id"] == name)


def trace(name, field):
    return next(float(row["value"]) for row in rows("traces") if row["id"] == f"{name}.{field}")


def days_before(count):
    return (datetime.date.fromisoformat(DAY) - datetime.timedelta(days=count)).isoformat()


# --- prices ----------------------------------------------------------------------------------------


def newest(kind, oldest):
    """The newest row of each offer, seen in so many days, of those who sell."""
    index = {row["id"] for row in rows("providers") if row["kind"] == "index"}
    known = [row for row in rows("prices") if row["gpu"] == GPU and row["kind"] == kind and row["as_of"] <= DAY
             and row["basis"] not in ("claimed", "assumed") and row["provider"] not in index]
    found = {}
    for row in known:
        key = tuple(row[name] for name in ("provider", "region", "offer", "basis"))
        found.setdefault(key, []).append(row)
    last = [row for same in found.values() for row in same if row["as_of"] == max(one["as_of"] for one in same)]
    return [row | {"quoted": min(row["last_seen"], DAY)} for row in last if row["last_seen"] >= days_before(oldest)]


def median_over_sellers(offers):
    sellers = {}
    for row in offers:
        sellers.setdefault(row["provider"], []).append(float(row["value"]))
    return statistics.median(statistics.median(values) for values in sellers.values())


def rent():
    """Median over sellers of an hour on demand: of each kind of seller with two fresh quotes or more only the fresh count."""
    offers, kinds = newest("on_demand", 365), {row["id"]: row["kind"] for row in rows("providers")}
    fresh = {}
    for row in offers:
        if row["quoted"] >= days_before(90):
            fresh.setdefault(kinds[row["provider"]], set()).add(row["provider"])
    last = {row["provider"]: max(one["quoted"] for one in offers if one["provider"] == row["provider"]) for row in offers}
    kept = []
    for row in offers:
        many = len(fresh.get(kinds[row["provider"]], ())) >= 2
        start = datetime.date.fromisoformat(last[row["provider"]]) - datetime.timedelta(days=90)
        if row["quoted"] >= days_before(90) or (not many and row["quoted"] >= start.isoformat()):
            kept.append(row)
    return median_over_sellers(kept)


def owned_parts(utilisation):
    """USD of a usable hour of an owned GPU: machine, support (repairs, hands, hall) and power."""
    bought = median_over_sellers([row for row in newest("purchase", 1095) if row["quoted"] >= days_before(365)])
    server = (bought + assumed("finance.server_parts")) / (1 - assumed("finance.server_margin"))
    whole, rate, usable = server + assumed("finance.network"), assumed("finance.discount_rate"), assumed("finance.availability")
    left = 1 - (1 - assumed("finance.residual")) * YEARS / assumed("finance.life")
    annuity = rate / (1 - (1 + rate) ** -YEARS)
    kw = next(float(row["value"]) for row in rows("gpus") if row["id"] == f"{GPU}.all_in_power") / assumed("power.all_in_pue")
    machine = annuity * (whole - server * left / (1 + rate) ** YEARS)
    support = whole * assumed("finance.upkeep") + assumed("finance.staff") + assumed("finance.space") * kw * 12
    drawn = assumed("power.idle") + (assumed("power.draw") - assumed("power.idle")) * utilisation
    return machine / 8760 / usable, support / 8760 / usable, drawn * kw * assumed("power.pue") * assumed("power.price")


# --- load ------------------------------------------------------------------------------------------


def between(at, points):
    """A value on straight lines between points, level beyond them."""
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in itertools.pairwise(points):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return points[-1][1]


def of_size(rate):
    """Peak over mean and burst over peak of a service of this rate: medians over three measured services."""
    peaks, bursts = [], []
    for name in POOLED:
        every = trace(name, "clients")
        pools = [(float(row["clients"]), float(row["peak_1h"]), float(row["peak_10min"])) for row in rows("traffic_pooling")
                 if row["trace"] == name] + [(every, trace(name, "peak_1h"), trace(name, "peak_10min"))]
        pools.sort()
        least = [max(peak for _, peak, _ in pools[place:]) for place in range(len(pools))]
        at = log(max(1.0, rate / trace(name, "mean_rate") * every))
        peaks.append(between(at, [(log(pool[0]), peak) for pool, peak in zip(pools, least, strict=True)]))
        bursts.append(between(at, [(log(clients), ten / hour) for clients, hour, ten in pools]))
    return statistics.median(peaks), statistics.median(bursts)


def hours(rate, peak):
    """Requests a second of every hour: those of the large service, raised to a power at which the busiest has this peak."""
    recorded = [float(row["requests_per_s"]) for row in sorted(
        (row for row in rows("traffic") if row["trace"] == POOLED[0]), key=lambda row: int(row["index"]))]

    def raised(power):
        found = [(one / max(recorded)) ** power for one in recorded]
        return [one / statistics.fmean(found) for one in found]

    low, high = 1.0, 64.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if max(raised(middle)) < peak else (low, middle)
    return [rate * one for one in raised(low)]


def waits(slots, load):
    """Erlang C, step by step."""
    if load >= slots:
        return 1.0
    inverse = 1.0
    for place in range(1, slots + 1):
        inverse = 1 + inverse * place / load
    busy = load / slots
    return 1 / inverse / (1 - busy + busy / inverse)


def replicas(load, concurrency, wait=0.01):
    count = max(1, int(load / concurrency))
    while waits(count * concurrency, load) > wait:
        count += 1
    return count


# --- bill ------------------------------------------------------------------------------------------


def bills(n_gpus, requests_per_s, concurrency):
    """Lines of a month in USD, of machines on demand and of own ones."""
    rate = REQUESTS_PER_DAY / 86400
    peak, burst = of_size(rate)
    needed = [replicas(burst * one * concurrency / requests_per_s, concurrency) for one in hours(rate, peak)]
    start, spare = assumed("spot.restart"), assumed("service.spare")  # a replica is ordered so many hours ahead
    ahead = needed[1:] + needed[:1]
    paid = statistics.fmean((1 - start) * now + start * max(now, then) for now, then in zip(needed, ahead, strict=True)) + spare
    people = assumed("people.serving") * assumed("people.cost") / 12
    servers = -(-int((max(needed) + spare) * n_gpus) // SERVER_GPUS)
    out = {}
    for kind, gpus in (("on_demand", paid * n_gpus), ("own", servers * SERVER_GPUS)):
        busy = rate / requests_per_s / (gpus / n_gpus)
        machine, support, power = (rent(), 0.0, 0.0) if kind == "on_demand" else owned_parts(busy)
        stand = spare / (gpus / n_gpus)
        lines = {"machines": machine * busy, "idle": machine * (1 - busy - stand), "spare": machine * stand, "power": power,
                 "support": support}
        lines = {name: usd * gpus * MONTH_HOURS for name, usd in lines.items()}
        lines["tools"] = assumed("finance.ops_overhead") * sum(lines.values())
        out[kind] = lines | {"people": people}
    return out


if __name__ == "__main__":
    for kind, lines in bills(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])).items():
        print(kind, f"{sum(lines.values()):,.2f}", {name: round(usd, 2) for name, usd in lines.items()})

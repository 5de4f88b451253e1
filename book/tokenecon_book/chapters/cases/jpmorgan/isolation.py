"""The case of a bank whose client groups may not share a model replica: requests in flight, and what walls cost."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, NoEstimate
from tokenecon.finding import Finding, finding, given, named
from tokenecon.fleet import erlang, pools
from tokenecon.fleet import planning as fleets
from tokenecon.formulas import serving
from tokenecon.prices import gpu_prices
from tokenecon.serving import sizing
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.bills import chance, day, owned, positive, prices, reconciling, span_columns
from tokenecon_book.documents.printed import n
from tokenecon_book.documents.words import dollars, percent

COLUMNS = {
    "groups": ("Groups", None), "replicas": ("Replicas", None), "n_gpus": ("GPUs", "GPU"),
    "in_flight": ("Requests in flight on each", "sequence"), "tpot_ms": ("Time per token", "ms/tok_out"),
    "pooling_loss": ("More places by chance", "ratio"), "wall_loss": ("Whole replicas", "ratio"),
    "penalty": ("Together", "ratio"),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "in_flight": ("Requests in flight", "sequence"), "n_gpus": ("GPUs, groups apart", "GPU"),
    "penalty": ("Against one pool", "ratio"),
}  # fmt: skip
MOST_GROUPS = 1000
STEPS = 40  # up to here every number of groups is drawn: the fleet grows in steps
CHEAP = 1.05  # walls that cost no more than this against one pool are said to cost nothing
ALIKE = 1.05  # times, below which a cost is said to be as much
ROUGH = 10  # times, from which on a digit behind the point says nothing
FEWEST = 2  # groups: one has no walls
RATES = 200  # points of the search over requests of an analyst


def check(case):
    """Refuse a bank that asks nothing, a single group, more groups than analysts, and a target that is none."""
    positive(case, "requests_per_analyst_hour")
    chance(case)
    if case.groups < FEWEST:
        raise BadInput(f"parameter 'groups' is {case.groups}, but must be at least {FEWEST}: one group shares with nobody, and "
                       "nothing keeps it apart")
    if case.groups > case.analysts:
        raise BadInput(f"parameter 'groups' is {case.groups}, more than the {case.analysts} of 'analysts'; a group has at "
                       "least one analyst")


def of(case, **more):
    """What the numbers of this page are of, for :func:`named`, and what else differs."""
    fields = ("model", "gpu", "n_gpus", "isl", "osl", "analysts", "requests_per_analyst_hour", "groups")
    return {name: getattr(case, name) for name in fields} | more


@finding
def case_line(case):
    """The case of the page in one line: people and groups, model and machines, lengths, load, price."""
    def asked(number):
        return f"{number:g} request{'' if number == 1 else 's'}"

    lengths = f"{given(case, 'isl', '{:,.0f}'.format)} → {given(case, 'osl', '{:,.0f}'.format)} tokens"
    parts = [f"documents: {given(case, 'analysts', '{:,.0f}'.format)} analysts",
             f"ours: {given(case, 'groups', '{:,.0f}'.format)} groups, "
             f"{given(case, 'requests_per_analyst_hour', asked)} of each analyst in the busy hour",
             f"{data.model(case.model)['name']}, {data.precision(case.weights)['name']}, {given(case, 'n_gpus', str)} × "
             f"{data.gpu(case.gpu)['name']}", lengths, f"{base.said_hour(case)} an hour on {case.as_of} ({base.counted(case)})"]
    return base.case_of(parts)


def busy_rate(case, hourly=None):
    """Requests of all analysts in the busy hour. [request/s]"""
    each = case.requests_per_analyst_hour if hourly is None else np.asarray(hourly, dtype=float)
    return units.convert(case.analysts * each, "request/h", "request/s")


def in_flight(case, replica, hourly=None, end=""):
    """Requests of all analysts that are being answered at a time, by Little's law; ``end`` of the model's interval of speeds."""
    stay = replica["concurrency"] / replica[f"requests_per_s{end}"]
    return serving.littles_concurrency(requests_per_s=busy_rate(case, hourly), request_s=stay)


@finding
def concurrency(case):
    """Requests in flight over the requests of an analyst in an hour, with the range of the speeds."""
    check(case)
    replica = pools.replica(case)
    low, _, high = data.span("bank.requests_per_analyst_hour")
    hourly = np.geomspace(min(low / 2, case.requests_per_analyst_hour), max(6 * high, case.requests_per_analyst_hour), 40)
    table = pd.DataFrame({"requests_per_hour": hourly, "in_flight": in_flight(case, replica, hourly),
                          "in_flight_low": in_flight(case, replica, hourly, "_high"),
                          "in_flight_high": in_flight(case, replica, hourly, "_low")})
    here = float(in_flight(case, replica))
    few = here < case.analysts
    fast, slow = (float(in_flight(case, replica, None, speed)) for speed in ("_high", "_low"))
    share = named("in-flight-each", here / case.analysts, lambda value: n(1 / value if few else value, 2),
                  low=fast / case.analysts, high=slow / case.analysts, **of(case))
    flight = named("requests-in-flight", here, lambda value: n(value, 3), low=fast, high=slow, **of(case))
    each = f"one in {share} waits for an answer at any moment" if few else f"{share} for each of them at any moment"
    return Finding(
        table, f"{given(case, 'analysts', '{:,.0f}'.format)} analysts have "
        f"{flight} requests in flight: {each}",
        f"A request stays {replica['service_s']:.1f} s on a full replica of {case.n_gpus} {data.gpu(case.gpu)['name']}, which "
        f"holds {replica['concurrency']:.0f} within {case.ttft_ms:g} ms to the first token and {case.tpot_ms:g} ms a token. The "
        "band is the interval of the model.",
        here=here, each=here / case.analysts, hourly=case.requests_per_analyst_hour, one=replica["concurrency"])


@finding
def isolation(case, counts=None):
    """Cost over the number of groups that share no replica, one pool = 1; chance and whole replicas apart."""
    check(case)
    replica = pools.replica(case)
    most = min(MOST_GROUPS, case.analysts)
    counts = sorted(counts or {*range(1, min(STEPS, most) + 1), *(round(g) for g in np.geomspace(1, most, 40)), case.groups})
    table = pools.isolation(replica, counts, requests_per_s=busy_rate(case), wait_probability=case.wait_probability)
    table["groups"] = table["groups"].astype(int)
    here, sentence, at = None, "", table[table["groups"] == case.groups]
    if len(at):
        here, last = at.iloc[0], table.iloc[-1]
        sentence = f"Groups with replicas of their own cost {said_walls(case, here)} as one pool" + (
            f", and {said_walls(case, last)} at {named('most-groups', last.groups, '{:,.0f}'.format)} groups"
            if last.groups > case.groups else "")
    return Finding(
        table, sentence,
        f"Equal groups, whole replicas of {pools.count(case.n_gpus, 'GPU')} with {pools.count(replica['concurrency'], 'place')} "
        f"each, {case.wait_probability:.1%} of requests waiting. Chance: a small group needs more free places. Whole replicas: "
        "a place that stays free in one group's replica cannot be given to another.",
        units=dict.fromkeys(("penalty", "penalty_low", "penalty_high", "pooling_loss", "wall_loss", "batch_loss"), "ratio"),
        load=float(in_flight(case, replica)), places=replica["concurrency"], here=here)


def said_walls(case, row):
    """What groups apart cost against one pool, in words and as named quantity: "as much", "1.6 times as much"."""
    def words(ratio):
        return "as much" if ratio < ALIKE else f"{ratio:.{0 if ratio >= ROUGH else 1}f} times as much"

    return named("cost-of-walls", row.penalty, words, **of(case, groups=int(row.groups)))


@finding
def isolation_parts(case):
    """The same, one row a part: chance alone, whole replicas alone, together."""
    wide = isolation(case)
    names = {"penalty": "together", "wall_loss": "whole replicas", "pooling_loss": "chance: more places"}
    table = pd.concat([wide.table[["groups"]].assign(cause=text, cost_ratio=wide.table[name]) for name, text in names.items()],
                      ignore_index=True)
    return Finding(table, wide.sentence, wide.note)


def by_size(case, counts=(1, 3, 10, 30, 100, 300, 1000)):
    """Fleet by number of groups, as a table to read off."""
    return isolation(case, sorted({groups for groups in counts if groups <= case.analysts} | {case.groups}))


def _rent(n_gpus, case, price):
    """Rent of so many GPUs round the clock for one analyst, over the range of a price. [USD/month]"""
    return span_columns("usd_per_month", [n_gpus * usd * units.HOURS_PER_MONTH / case.analysts for usd in price])


@finding
def strictness(case):
    """What an analyst costs a month, by how much the groups may share."""
    check(case)
    replica, rate = pools.replica(case), busy_rate(case)
    rent, own = prices(case), owned(case)
    target = {"wait_probability": case.wait_probability, "concurrency": replica["concurrency"],
              "requests_per_s": replica["requests_per_s"]}
    apart = {groups: int(fleets.replicas(rate / groups, **target)) * groups
             for groups in (1, case.groups, min(10 * case.groups, case.analysts))}
    more = max(apart)
    hit = data.value("cache.hit_rate")
    shared = sizing.one(pools.replica_case(replica) | {"cached_prefix": hit}, ttft_ms=case.ttft_ms, tpot_ms=case.tpot_ms)
    common = int(fleets.replicas(rate, wait_probability=case.wait_probability, concurrency=shared["concurrency"],
                                 requests_per_s=shared["requests_per_s"]))
    follows = fleets.plan(day(case), mean_requests_per_s=rate / case.peak_to_mean, policy="autoscale", floor=1,
                          start_h=data.value("fleet.start") * units.factor("min") / units.factor("h"), **target)
    designs = [("one pool that follows the day", follows["mean_paid_replicas"], "rented"),
               ("one pool, common prefix cache", common, "rented"), ("one pool, caches apart", apart[1], "rented"),
               (f"{case.groups} groups, replicas apart", apart[case.groups], "rented"),
               (f"{more} groups, replicas apart", apart[more], "rented")]
    if own:
        designs.append((f"{case.groups} groups, replicas apart, owned", apart[case.groups], "owned"))
    hours = {"rented": rent, "owned": own}
    table = pd.DataFrame([{"design": design, "hour": hour, "n_gpus": count * case.n_gpus}
                          | _rent(count * case.n_gpus, case, hours[hour])
                          for design, count, hour in designs]).drop_duplicates("design")
    pool, groups = (table[table["design"] == name].iloc[0]
                    for name in ("one pool, caches apart", f"{case.groups} groups, replicas apart"))
    shared_usd, apart_usd = (named("analyst-month", row.usd_per_month, dollars, design=design, **of(case), as_of=case.as_of)
                             for row, design in ((pool, "one pool"), (groups, "replicas apart")))
    return Finding(
        table, f"An analyst costs {shared_usd} a month in one pool that keeps caches apart, and {apart_usd} with replicas apart "
        f"for {given(case, 'groups', '{:,.0f}'.format)} groups",
        f"Rent round the clock of a fleet for the busy hour, on-demand prices {gpu_prices.known(case)}; owned: draws. The common "
        f"cache is counted as if every hit ({hit:.0%} of prompt tokens) came from another group. Following the day: the busy "
        f"hour is {'as busy as' if case.peak_to_mean == 1 else f'{case.peak_to_mean:g} times'} the mean.")


def groups_that_fill(case, load, places):
    """Most groups that each still need a whole replica's places; 0 where even the pool does not."""
    low, high = 0, case.analysts
    while low < high:
        middle = (low + high + 1) // 2
        fills = erlang.slots_needed(load=load / middle, wait_probability=case.wait_probability) >= places
        low, high = (middle, high) if fills else (low, middle - 1)
    return low


@finding
def reconcile(case):
    """Which single input would let the groups stay apart at next to no cost."""
    check(case)
    replica, rate = pools.replica(case), busy_rate(case)
    target = {"requests_per_s": replica["requests_per_s"], "concurrency": replica["concurrency"],
              "wait_probability": case.wait_probability}
    counts = np.unique(np.round(np.geomspace(1, min(MOST_GROUPS, case.analysts), RATES)))
    dear = fleets.replicas(rate / counts, **target) * counts / fleets.replicas(rate, **target) > CHEAP
    most = counts[np.flatnonzero(~dear)[-1]]
    hourly = np.geomspace(case.requests_per_analyst_hour / 100, case.requests_per_analyst_hour * 1000, RATES)
    rates = busy_rate(case, hourly)
    dear = fleets.replicas(rates / case.groups, **target) * case.groups / fleets.replicas(rates, **target) > CHEAP
    asked = np.flatnonzero(dear)
    enough = hourly[min(asked[-1] + 1, len(hourly) - 1)] if len(asked) else hourly[0]
    spans = {name: data.span(f"bank.{name}") for name in ("groups", "requests_per_analyst_hour")}
    found = reconciling([
        {"parameter": "groups", "unit": "at most", "page": case.groups, "needed": most,
         "low": max(FEWEST, spans["groups"][0]), "high": spans["groups"][2]},
        {"parameter": "requests of an analyst", "unit": "an hour", "page": case.requests_per_analyst_hour, "needed": enough,
         "low": spans["requests_per_analyst_hour"][0], "high": spans["requests_per_analyst_hour"][2]},
        {"parameter": "analysts", "unit": "", "page": case.analysts,
         "needed": case.analysts * enough / case.requests_per_analyst_hour},
    ], "make walls nearly free")
    return Finding(found.table, found.sentence,
                   f"Nearly free: {percent(CHEAP - 1)} of the bill. Ranges are our assumptions: the documents give neither "
                   "groups nor requests, and break off there.")


@finding
def headline(case):
    """The answer of the page."""
    walls = isolation(case)
    here, filled = walls["here"], groups_that_fill(case, walls["load"], walls["places"])
    beyond = ("even one pool does not fill a replica" if not filled else
              "even a group of one analyst fills a replica" if filled == case.analysts else
              "two groups already pay for a replica each that they cannot fill" if filled == 1 else
              f"beyond {named('groups-that-fill', filled, '{:,}'.format, **of(case))} groups, none fills a replica")
    return Finding(
        walls.table, f"In JPMorgan's case {given(case, 'groups', '{:,.0f}'.format)} groups that share no replica cost "
        f"{said_walls(case, here)} as one pool; {beyond}.", filled=filled)


@finding
def sensitivity(case):
    """Requests in flight, GPUs and penalty when one input of the page moves."""
    groups, hourly, tpot = (data.span(name) for name in ("bank.groups", "bank.requests_per_analyst_hour", "service.tpot"))
    moves = {
        "the page itself": {}, f"{hourly[0]:g} request an hour": {"requests_per_analyst_hour": hourly[0]},
        f"{hourly[2]:g} requests an hour": {"requests_per_analyst_hour": hourly[2]},
        f"{groups[2]:g} groups": {"groups": min(round(groups[2]), case.analysts)},
        "answers half as long": {"osl": max(1, case.osl // 2)},
        f"{tpot[0]:g} ms a token at most": {"tpot_ms": tpot[0]}, f"{tpot[2]:g} ms a token at most": {"tpot_ms": tpot[2]},
        "one in twenty may wait": {"wait_probability": 0.05},
    }  # fmt: skip
    rows = []
    for text, move in moves.items():
        now = SimpleNamespace(**(vars(case) | move))
        try:
            walls = isolation(now, [now.groups])
        except (ValueError, NoEstimate):
            if not move:
                raise
            rows.append({"change": f"{text} (cannot be kept)", **moved.said(move), "in_flight": np.nan, "n_gpus": np.nan,
                         "penalty": np.nan})
            continue
        rows.append({"change": text, **moved.said(move), "in_flight": walls["load"], "n_gpus": walls["here"].n_gpus,
                     "penalty": walls["here"].penalty})
    return Finding(pd.DataFrame(rows), units={"penalty": "ratio"})

"""The question backwards: from a load and limits to the configurations that keep them, their cost, and what would change it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.calculator import work
from tokenecon.calculator.choice import KINDS, tok_per_request
from tokenecon.decision import bill
from tokenecon.errors import NothingServes
from tokenecon.finding import Finding, finding
from tokenecon.fleet import policies
from tokenecon.formulas import money
from tokenecon.numbers import money as in_dollars
from tokenecon.numbers import plain, rounded
from tokenecon.planning import prices, search, turns
from tokenecon.planning.asked import CLOSED_LOOP, ask
from tokenecon.planning.search import CASE

SHOWN = ("gpu", "n_gpus", "weights", "kv")  # of configurations that are alike in these the best one is shown
POLICY = "fixed"  # of a load whose hours are not said, and of what is paid whatever comes
PLANNED = 4_000_000  # hours of rows that are planned at once
ENDS = ("", "_low", "_high")
# what the interval of an instance's load is taken from: slow latencies hold less
SLOW = {"_low": "_high", "_high": "_low"}
BUDGETS = (("max_gpus", "gpus", "GPUs"), ("max_kw", "kw_rated", "kW"), ("max_usd_per_month", "usd_per_month", "USD a month"))
UNITS = {"gpus": "GPU", "unit_gpus": "GPU", "chance": "fraction", "utilisation": "fraction", "kw_rated": "kW",
         "user_tok_s": "tok_out/s", "requests_per_s": "request/s", "instance_requests_per_s": "request/s",
         "commitment_months": "month"}  # fmt: skip
NOTE = ("Latencies of {load}, over requests that all have these lengths: waiting for each other's passes and for a place is in "
        "them, the spread of lengths, a network and failures are not. Range: 80% interval of the model. Chance: that all limits "
        "hold, at least, by the same interval. Money: GPUs at {price}, known on {as_of}, before people, tools and replicas that "
        "stand by. Power: rated, of whole machines with cooling; energy as busy as they are.")


class Plan(Finding):
    """What :func:`tokenecon.plan` found: the best configurations as its table, the best first, and what goes with them."""

    __slots__ = ()

    best = property(lambda self: self.table, doc="The best configurations, the best first.")
    frontier = property(lambda self: self["frontier"].copy(), doc="Speed of an answer against cost of a token.")
    turns = property(lambda self: self["turns"].copy(), doc="Prices and loads at which the choice turns.")
    refused = property(lambda self: self["refused"].copy(), doc="GPUs that are not among the best, and why.")
    configurations = property(lambda self: self["configurations"], doc="How many configurations keep the limits.")
    asked = property(lambda self: dict(self["asked"]), doc="The question, with what was left out filled in.")

    def cases(self):
        """The same rows as :func:`tokenecon.estimate` takes them: the whole fleet under the load that it was planned for."""
        table = self.table
        load = "concurrency" if self.asked["load"] == CLOSED_LOOP else "requests_per_s"
        same = [name for name in CASE if name in table]
        return table[same].assign(n_gpus=(table["replicas"] * table["n_gpus"]).astype(int), **{load: table[load]})


@finding
def plan(model: Any, **asked: Any) -> Plan:
    """See :func:`tokenecon.plan`."""
    asked = ask(model, **asked)
    table, sold = search.configurations(asked), prices.offers(asked)
    first = sold.drop_duplicates("gpu").set_index("gpu")
    table["usd_per_gpu_hour"] = table["gpu"].map(first["usd_idle"] + first["usd_busy"])
    unpriced, table = _unpriced(table, asked), table[table["usd_per_gpu_hour"].notna()].reset_index(drop=True)
    light, broken = search.alone(table, asked)
    refused = pd.concat([_refused(table, light, broken, asked), unpriced], ignore_index=True)
    table = table[broken == ""].reset_index(drop=True)
    table["instance"] = search.most(table, asked)
    table = table[table["instance"] > 0].reset_index(drop=True)
    whole, table = len(table), _fleet(table.merge(sold, on="gpu", how="left"), asked)
    kept = _within(table, asked)
    refused = pd.concat([refused, _beyond(table, kept, refused, asked)], ignore_index=True)
    table = table[kept].reset_index(drop=True)
    if table.empty:
        raise NothingServes(_nothing(asked, refused))
    ranked = _ranked(table, asked)
    best = _told(ranked.drop_duplicates(list(SHOWN)).reset_index(drop=True), asked)
    best = best.sort_values(_order(asked), kind="stable").reset_index(drop=True)
    refused = refused[~refused["gpu"].isin(best["gpu"])].reset_index(drop=True)
    turning = turns.turns(best, _order(asked)[0], asked)
    best = best.drop(columns=["usd_idle", "usd_busy", "load"], errors="ignore").assign(load=asked.load)
    used = sold[sold["gpu"].isin(best["gpu"])]
    named = UNITS | {f"chance_{name}": "fraction" for name in asked.limits}
    return Plan(best, _sentence(best, asked), _note(asked, used), named, fresh=True, frontier=turns.frontier(table, asked),
                turns=turning, refused=refused, in_currency=_in_currency(best, asked), names=_names(best), configurations=whole,
                asked=vars(asked))


# --- fleet, money, power ---------------------------------------------------------------------------


def _fleet(table, asked):
    """Instances paid for: as many as the load takes at its busiest, or as the budget allows, or what one unit holds."""
    table = table.copy()
    pue = asked.pue
    table["kw"] = table["gpu"].map({gpu: bill.rated_kw(gpu, pue) for gpu in table["gpu"].unique()})
    held, each = prices.units(table)
    instance, size = table["instance"].to_numpy(), table["n_gpus"].to_numpy(dtype=float)
    if asked.stated:
        peak, paid = _needed(held * instance, table, asked)
        busiest = asked.clients if asked.load == CLOSED_LOOP else asked.peak
        table["replicas"] = np.maximum(np.ceil(busiest / instance - policies.ROUNDING), 1.0)
    else:
        ones = money.usd_per_month_of_gpus(usd_per_gpu_hour=prices.hour(table, held * size / each), n_gpus=each)
        most = [limit / of for limit, of in ((asked.max_gpus, each), (asked.max_kw, each * table["kw"].to_numpy()),
                                             (asked.max_usd_per_month, ones)) if limit is not None]
        peak = np.floor(np.nan_to_num(np.minimum.reduce(most)) + policies.ROUNDING) if most else np.ones(len(table))
        table["replicas"], paid = peak * held, peak
    table["gpus"], table["paid_replicas"] = peak * each, paid * each / size
    table["kw_rated"] = table["gpus"] * table["kw"]
    if asked.load == CLOSED_LOOP:
        table["concurrency"] = asked.clients
    else:
        table["requests_per_s"] = asked.peak if asked.stated else instance * table["replicas"]
    for name, column in _billed(table, table["paid_replicas"].to_numpy(), instance, asked).items():
        table[name] = column
    return table


def _needed(holds, table, asked):
    """Units at the busiest, and those paid on average, of units that each hold so much: requests a second, or clients."""
    busiest = asked.clients if asked.load == CLOSED_LOOP else asked.peak
    peak = np.maximum(np.ceil(busiest / holds - policies.ROUNDING), 1.0)
    if asked.stated != "requests_per_day":
        return peak, peak
    paid, rates = peak.copy(), asked.rate * np.array(asked.hours)
    following = np.flatnonzero([KINDS[prices.followed(asked, kind)][2] != POLICY for kind in table["price_kind"]])
    start_steps = data.value("spot.restart") / policies.STEP_H
    for rows in np.array_split(following, 1 + len(following) * len(rates) // PLANNED):
        needed = np.maximum(np.ceil(rates[None, :] / holds[rows, None] - policies.ROUNDING), 1.0)
        paid[rows] = policies.autoscaled(needed, needed.shape[1], start_steps).mean(axis=1)
    return peak, paid


def _billed(table, paid, instance, asked):
    """Busy share, price of an hour, bill and, but for clients, cost of a token of so many instances that hold so much each."""
    size, replicas = table["n_gpus"].to_numpy(dtype=float), table["replicas"].to_numpy()
    mean = asked.clients if asked.load == CLOSED_LOOP else asked.rate if asked.stated else instance * replicas
    with np.errstate(divide="ignore", invalid="ignore"):
        busy = np.nan_to_num(np.minimum(mean / (instance * paid), 1.0), nan=1.0)
        usd = prices.hour(table, busy)
        found = {"utilisation": busy, "usd_per_gpu_hour": usd,
                 "usd_per_month": money.usd_per_month_of_gpus(usd_per_gpu_hour=usd, n_gpus=paid * size)}
        if asked.load != CLOSED_LOOP:
            found["usd_per_mtok"] = money.usd_per_mtok(usd_per_gpu_hour=usd, n_gpus=paid * size, utilisation=1.0,
                                                       tok_per_s=mean * tok_per_request(asked))
    return found


def _within(table, asked):
    """Which fleets keep to the budgets, and are any at all."""
    kept = (table["replicas"] >= 1).to_numpy()
    for name, column, _ in BUDGETS:
        if (limit := getattr(asked, name)) is not None:
            kept = kept & (table[column] <= limit * (1 + policies.ROUNDING)).to_numpy()
    return kept


def _order(asked):
    return ["usd_per_month" if asked.stated else "usd_per_mtok", "gpus", "tpot_ms"]


def _ranked(table, asked):
    """The cheapest first: a month of the load, or where none is stated a token; of equals the fewest GPUs that hold most."""
    first, second, _ = _order(asked)
    return table.sort_values([first, second, "instance"], ascending=[True, True, False], kind="stable").reset_index(drop=True)


def _told(best, asked):
    """The rows with their latencies, chances, ranges, energy, who bears the bill, and what binds."""
    load = "concurrency" if asked.load == CLOSED_LOOP else "requests_per_s"
    fleet = best.assign(n_gpus=best["replicas"] * best["n_gpus"])
    found = search.answers(fleet, asked, best[load].to_numpy(), intervals=True)
    names = [*search.SPEEDS, *(name for name in asked.limits if name not in search.SPEEDS)]
    out = best.copy()
    for name in names:
        for end in ENDS:
            out[name + end] = found[name + end]
    for name, chance in search.chance(found, asked.limits).items():
        out["chance" if name == "all" else f"chance_{name}"] = chance
    for name in ("concurrency_used", "max_concurrency", "calibrated", "unmeasured", "bound"):
        out[name] = found[name]
    if asked.load == CLOSED_LOOP:
        out["requests_per_s"] = found["output_tok_s"] / asked.osl
        for end in ENDS:
            out["usd_per_mtok" + end] = found["usd_per_mtok" + end] * out["paid_replicas"] / out["replicas"]
    _ranges(out, asked)
    out["user_tok_s"] = units.MS_PER_SECOND / out["tpot_ms"]
    mean = asked.rate if asked.rate is not None else out["requests_per_s"]
    _energy(out, mean * asked.osl)
    _shared(out, mean * units.SECONDS_PER_DAY, asked)
    out["binds"] = search.broken(search.answers(out, asked, search.next_load(out["instance"].to_numpy(), asked), True), asked)
    return out.rename(columns={"instance": "instance_concurrency" if asked.load == CLOSED_LOOP else "instance_requests_per_s"} | {
        f"instance{end}": f"instance_{load}{end}" for end in ENDS[1:]})


def _ranges(out, asked):
    """What one instance holds, and the bill, at both ends of the model's interval.

    A slow end is where latencies are at their high end, or the rate at its low one in a closed loop of as many requests:
    whichever holds less.
    """
    rates = search.answers(out.assign(load=CLOSED_LOOP), SimpleNamespace(load=CLOSED_LOOP, limits={}),
                           np.maximum(np.round(out["concurrency_used"] / out["replicas"]), 1.0), intervals=True)
    held, both = out["instance"].to_numpy(), (ENDS[1], ENDS[2])
    at_ends = np.concatenate([held, held])
    if asked.limits:
        at_ends = search.most(pd.concat([out, out], ignore_index=True), asked, np.repeat([SLOW[end] for end in both], len(out)))
    for end, pick, at_end in zip(both, (np.fmin, np.fmax), np.split(at_ends, 2), strict=True):
        ratio = (rates["output_tok_s" + end] / rates["output_tok_s"]).to_numpy()
        out["instance" + end] = pick(held if asked.load == CLOSED_LOOP else held * ratio, at_end)
    fits, each = prices.units(out)
    for end in ENDS[1:]:
        instance, paid = out["instance" + SLOW[end]].to_numpy(), out["paid_replicas"].to_numpy()
        if asked.stated:
            paid = np.full(len(out), np.inf)
            some = instance > 0
            paid[some] = _needed((fits * instance)[some], out[some], asked)[1] * (each / out["n_gpus"].to_numpy())[some]
        for name, column in _billed(out, paid, instance, asked).items():
            if name in ("usd_per_month", "usd_per_mtok"):
                out[name + end] = column


def _energy(out, tok_out_per_s):
    """Energy and carbon of a million output tokens, as busy as the fleet is; rated power stays what is planned for."""
    found = bill.joules(gpus=out["paid_replicas"] * out["n_gpus"], kw=out["kw"], utilisation=out["utilisation"],
                        tok_out_per_s=tok_out_per_s)
    for name, column in found.items():
        out[name] = column
    del out["kw"]


def _shared(out, requests_per_day, asked):
    """What of the bill a task, a user and a tenant bear, of a scenario that says so."""
    case = SimpleNamespace(task=asked.task, users=asked.users, tenants=asked.tenants, requests_per_day=requests_per_day)
    for end in ENDS:
        for name, usd in work.shares(case, out[f"usd_per_month{end}"]).items():
            out[name + end] = usd


def _in_currency(best, asked):
    """The bill and its shares in the currency of the scenario, one row each of the best; none where it is US dollars."""
    if asked.currency == "USD":
        return pd.DataFrame()
    usd = best.filter(regex="^usd_per_(month|mtok|task|user_month|tenant_month)$")
    return bill.in_currency(asked, usd.assign(name=_names(best)))


def _names(best):
    """Configurations as a reader tells them apart."""
    return [f"{row['replicas']:g} × {row['n_gpus']:g} {data.gpu(row['gpu'])['name']}, {row['weights']}, {row['kv']}"
            for row in best.to_dict("records")]


# --- words -----------------------------------------------------------------------------------------


def _refused(table, light, broken, asked):
    """Why a GPU serves nothing: what the configuration that comes nearest says."""
    rows = []
    for gpu, places in table.groupby("gpu", sort=False).groups.items():
        if (broken[places] == "").any():
            continue
        rows.append({"gpu": gpu, "reason": _reason(light.loc[places], broken[places], asked)})
    return pd.DataFrame(rows, columns=["gpu", "reason"])


def _unpriced(table, asked):
    """GPUs that nobody sells, and those whose numbers divide no layer of the model."""
    rows = [{"gpu": gpu, "reason": f"no price of {gpu} on {asked.as_of}; give usd_per_gpu_hour"}
            for gpu in table.loc[table["usd_per_gpu_hour"].isna(), "gpu"].unique()]
    rows += [{"gpu": gpu, "reason": f"no layout on {' or '.join(str(one) for one in asked.n_gpus) or 'so few'} GPUs divides the "
                                    "model; give another n_gpus"} for gpu in asked.gpus if gpu not in set(table["gpu"])]
    return pd.DataFrame(rows, columns=["gpu", "reason"])


def _reason(light, broken, asked):
    """What is nearest to being served, and by how much it misses."""
    missed = [name for name in asked.limits if name in broken]
    if not missed:
        if "chance" in broken:
            return f"no configuration keeps the limits with a chance of {asked.chance:g}, even under hardly any load"
        return light["error"].iloc[-1]
    name = missed[0]
    least = light[name].min()
    return (f"one request alone has a {name} of {rounded(least)} ms at best, the limit is {asked.limits[name]:g} ms; raise "
            f"{name} or n_gpus, or allow narrower weights")


def _beyond(table, kept, refused, asked):
    """GPUs that keep the limits, but in no fleet within the budgets; of a stated load with the least that any fleet takes."""
    rows, given = [], [one for one in BUDGETS if getattr(asked, one[0]) is not None]
    limits = ", ".join(f"{name} {getattr(asked, name):g}" for name, _, _ in given)
    for gpu, places in table.groupby("gpu", sort=False).groups.items():
        if kept[places].any() or gpu in set(refused["gpu"]):
            continue
        least = [f"it takes {rounded(table.loc[places, column].min())} {words}" for _, column, words in given if asked.stated]
        rows.append({"gpu": gpu, "reason": "; ".join([f"no fleet keeps within {limits}", *least])})
    return pd.DataFrame(rows, columns=["gpu", "reason"])


def _nothing(asked, refused):
    said = [f"{row['gpu']}: {row['reason']}" for _, row in refused.head(2).iterrows()]
    return f"no configuration of {asked.model} serves this: {'; '.join(said)}"


def layout_words(row):
    """A layout in a few words, as engines name it."""
    parts = [f"tp {row['tp']}" if row["attention_dp"] == 1 else f"attention_dp {row['attention_dp']} of tp {row['tp']}",
             f"pp {row['pp']}" if row["pp"] > 1 else "", f"ep {row['ep']}" if row["ep"] > 1 else ""]
    return ", ".join(part for part in parts if part)


def limit_words(name, limit):
    """A limit as a reader says it."""
    what, _, percentile = name.partition("_ms")
    return f"{what.upper()} {percentile.strip('_') or 'mean'} ≤ {plain(limit)} ms"


def _sentence(best, asked):
    """The answer in one sentence, without a full stop."""
    first = best.iloc[0]
    name = data.gpu(first["gpu"])["name"]
    limits = ", ".join(limit_words(*one) for one in asked.limits.items())
    fleet = (f"{first['n_gpus']:g} × {name}" if first["replicas"] == 1 else
             f"{first['replicas']:g} instances of {first['n_gpus']:g} × {name}")
    load = "instance_concurrency" if asked.load == CLOSED_LOOP else "instance_requests_per_s"
    holds = f"{plain(first[load])} {'requests in flight' if asked.load == CLOSED_LOOP else 'requests a second'}"
    month = in_dollars(first["usd_per_month"])
    return (f"{fleet} ({first['weights'].upper()}, {layout_words(first)}) cost least: {month} a month, "
            f"${first['usd_per_mtok']:.3g} a million tokens; one instance holds {holds}"
            + (f" within {limits}" if limits else ""))


def _note(asked, sold):
    load = "clients that each send when they are answered" if asked.load == CLOSED_LOOP else "requests that come at random"
    return NOTE.format(load=load, price=prices.said(asked, sold), as_of=asked.as_of)

"""The question backwards: from a load and limits to the configurations that keep them, their cost, and what would change it."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.calculator.choice import KINDS, server, tok_per_request
from tokenecon.decision import bill, scenario_prices
from tokenecon.errors import NoInput, NoPrice, NothingServes
from tokenecon.fleet import policies, traffic
from tokenecon.formulas import money
from tokenecon.numbers import money as in_dollars
from tokenecon.numbers import plain, rounded
from tokenecon.ownership import owned_hour
from tokenecon.planning import search
from tokenecon.planning.asked import CLOSED_LOOP, ask
from tokenecon.planning.search import CASE, CONFIGURATION
from tokenecon.prices import gpu_prices
from tokenecon.serving import lookups

SHOWN = ("gpu", "n_gpus", "weights", "kv")  # of configurations that are alike in these the best one is shown
LOADS = 8  # of each configuration on the frontier, each half of the one before
MOST_PEAKED, DOUBLINGS, CLOSELY = 100.0, 30, 33  # volumes at which a trace is looked at: from a hundredth of an instance up
OWN = "own"
POLICY = "fixed"  # of a load whose hours are not said
ENDS = ("", "_low", "_high")
# what the interval of an instance's load is taken from: slow latencies hold less
SLOW = {"_low": "_high", "_high": "_low"}
BUDGETS = (("max_gpus", "gpus", "GPUs"), ("max_kw", "kw_rated", "kW"), ("max_usd_per_month", "usd_per_month", "USD a month"))
NOTE = ("Latencies of {load}, over requests that all have these lengths: waiting for each other's passes and for a place is in "
        "them, the spread of lengths, a network and failures are not. Range: 80 % interval of the model. Chance: that all limits "
        "hold, at least, by the same interval. Money: GPUs at {price}, known on {as_of}, before people and tools. "
        "Power: rated, of whole machines with cooling; energy as busy as they are.")


@dataclass(frozen=True, repr=False)
class Plan:
    """What :func:`tokenecon.plan` found."""

    best: pd.DataFrame
    frontier: pd.DataFrame
    turns: pd.DataFrame
    refused: pd.DataFrame
    sentence: str
    note: str
    configurations: int
    asked: dict

    def to_frame(self):
        """The best configurations, the best first."""
        return self.best.copy()

    def cases(self):
        """The same rows as :func:`tokenecon.estimate` takes them: the whole fleet under the load that it was planned for."""
        load = "concurrency" if self.asked["load"] == CLOSED_LOOP else "requests_per_s"
        same = [name for name in CASE if name in self.best]
        return self.best[same].assign(n_gpus=self.best["gpus"].astype(int), **{load: self.best[load]})

    def __repr__(self):
        return self.sentence

    def _repr_html_(self):
        return f"<p>{self.sentence}</p>{self.best.to_html(index=False)}"


def plan(model: str, **asked: Any) -> Plan:
    """See :func:`tokenecon.plan`."""
    asked = ask(model, **asked)
    table, prices = search.configurations(asked), _prices(asked)
    table["usd_per_gpu_hour"] = table["gpu"].map({gpu: found["typical"] for gpu, found in prices.items()})
    unpriced, table = _unpriced(table, asked), table[table["usd_per_gpu_hour"].notna()].reset_index(drop=True)
    light, broken = search.alone(table, asked)
    refused = pd.concat([_refused(table, light, broken, asked), unpriced], ignore_index=True)
    table = table[broken == ""].reset_index(drop=True)
    table["instance"] = search.most(table, asked)
    table = table[table["instance"] > 0].reset_index(drop=True)
    whole, table = len(table), _fleet(table, asked)
    kept = _within(table, asked)
    refused = pd.concat([refused, _beyond(table, kept, refused, asked)], ignore_index=True)
    table = table[kept].reset_index(drop=True)
    if table.empty:
        raise NothingServes(_nothing(asked, refused))
    ranked = _ranked(table, asked)
    best = _told(ranked.drop_duplicates(list(SHOWN)).reset_index(drop=True), asked)
    best = best.sort_values(_order(asked), kind="stable").reset_index(drop=True)
    refused = refused[~refused["gpu"].isin(best["gpu"])].reset_index(drop=True)
    return Plan(best, _frontier(table, asked), _turns(best, asked), refused, _sentence(best, asked), _note(asked, prices), whole,
                vars(asked))


# --- prices, fleet, power --------------------------------------------------------------------------


def _prices(asked):
    """Price of an hour of each GPU, those without one left out."""
    rows = data.rows("prices", {}, want="*")
    known, found = set(zip(rows["gpu"], rows["kind"], strict=True)), {}  # asking for what nobody sells takes long
    for gpu in asked.gpus:
        if gpu in asked.stated_prices:
            found[gpu] = {"typical": asked.stated_prices[gpu], "kind": "stated"}
            continue
        if asked.kind == OWN:
            found |= _owned(gpu, asked)
            continue
        for kind in [asked.kind] if asked.kind else lookups.PRICES:
            if (gpu, kind) not in known:
                continue
            try:
                found[gpu] = gpu_prices.price_range(gpu, kind, asked.as_of, rule=asked.price_rule) | {"kind": kind}
                break
            except NoPrice:
                continue
    return found


def _owned(gpu, asked):
    """An hour of an owned GPU that is always busy; none where nobody sells it, or an input of its hour is not known."""
    try:
        if owned_hour.bought(gpu, asked.as_of)["estimates"]:
            return {}
        typical = owned_hour.ends(owned_hour.spans(gpu, as_of=asked.as_of, utilisation=1.0))[1]
    except (NoPrice, NoInput):
        return {}
    return {gpu: {"typical": owned_hour.owned_total(**typical), "kind": OWN}}


def _policy(asked):
    """How the fleet follows the hours: as `tokenecon cost` has it for this kind of hour."""
    return KINDS[asked.kind or "on_demand"][2] if asked.stated == "requests_per_day" else POLICY


def _fleet(table, asked):
    """Instances paid for: as many as the load takes at its busiest, or as the budget allows, or one."""
    table = table.copy()
    size, usd = table["n_gpus"].to_numpy(dtype=float), table["usd_per_gpu_hour"].to_numpy()
    pue = data.value("power.pue")
    table["kw"] = table["gpu"].map({gpu: bill.rated_kw(gpu, pue) for gpu in table["gpu"].unique()})
    table["unit_gpus"] = table["gpu"].map(bill.unit_gpus) if asked.kind == OWN else 1
    if asked.stated:
        table["replicas"], paid = _replicas(table["instance"].to_numpy(), asked)
        table["paid_replicas"] = _whole(table, paid)
        return _billed(table, asked)
    ones = money.usd_per_month_of_gpus(usd_per_gpu_hour=usd, n_gpus=size)
    most = [limit / each for limit, each in ((asked.max_gpus, size), (asked.max_kw, size * table["kw"].to_numpy()),
                                             (asked.max_usd_per_month, ones)) if limit is not None]
    table["replicas"] = np.floor(np.nan_to_num(np.minimum.reduce(most)) + policies.ROUNDING) if most else np.ones(len(table))
    table["paid_replicas"] = _whole(table, table["replicas"].to_numpy())
    return _billed(table, asked)


def _whole(table, replicas):
    """Instances paid for where GPUs are bought by the server."""
    return np.array([one if unit == 1 else policies.whole(one, n_gpus=n_gpus, unit_gpus=unit)
                     for one, n_gpus, unit in zip(replicas, table["n_gpus"], table["unit_gpus"], strict=True)])


def _replicas(instance, asked):
    """Instances at the busiest, and those paid on average."""
    if asked.load == CLOSED_LOOP:
        needed = np.ceil(asked.clients / instance - policies.ROUNDING)
        return needed, needed
    rates = asked.rate * np.array(asked.hours)[None, :]
    needed = np.maximum(np.ceil(rates / instance[:, None] - policies.ROUNDING), 1.0)
    peak = needed.max(axis=1)
    if _policy(asked) == POLICY:
        return peak, peak
    start_steps = data.value("spot.restart") / policies.STEP_H
    return peak, policies.autoscaled(needed, needed.shape[1], start_steps).mean(axis=1)


def _billed(table, asked):
    """Load, GPUs, money and power of the fleet of each row."""
    size, usd = table["n_gpus"].to_numpy(dtype=float), table["usd_per_gpu_hour"].to_numpy()
    paid = table["paid_replicas"].to_numpy() * size
    table["gpus"] = table["replicas"] * table["n_gpus"]
    table["usd_per_month"] = money.usd_per_month_of_gpus(usd_per_gpu_hour=usd, n_gpus=paid)
    table["kw_rated"] = table["gpus"] * table["kw"]
    if asked.load == CLOSED_LOOP:
        table["concurrency"] = asked.clients
        return table
    table["requests_per_s"] = asked.peak if asked.stated else table["instance"] * table["replicas"]
    mean = asked.rate if asked.stated else table["requests_per_s"].to_numpy()
    table["utilisation"] = np.minimum(mean / (table["instance"] * table["paid_replicas"]), 1.0)
    with np.errstate(divide="ignore"):
        table["usd_per_mtok"] = money.usd_per_mtok(usd_per_gpu_hour=usd, n_gpus=paid, utilisation=1.0,
                                                   tok_per_s=mean * tok_per_request(asked))
    return table


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
    """The rows with their latencies, chances, ranges, energy, and what binds."""
    load = "concurrency" if asked.load == CLOSED_LOOP else "requests_per_s"
    fleet = best.assign(n_gpus=best["gpus"])
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
        out["utilisation"] = np.minimum(asked.clients / (best["instance"] * best["replicas"]), 1.0)
        for end in ENDS:
            out["usd_per_mtok" + end] = found["usd_per_mtok" + end] * out["paid_replicas"] / out["replicas"]
    _ranges(out, asked)
    out["user_tok_s"] = units.MS_PER_SECOND / out["tpot_ms"]
    _energy(out, asked)
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
    for end in ENDS[1:]:
        instance = out["instance" + SLOW[end]].to_numpy()
        if not asked.stated:
            _full_cost(out, end, instance)
            continue
        paid = np.full(len(out), np.inf)
        some = instance > 0
        paid[some] = _whole(out[some], _replicas(instance[some], asked)[1])
        ratio = paid / out["paid_replicas"]
        out["usd_per_month" + end] = out["usd_per_month"] * ratio
        if asked.load != CLOSED_LOOP:
            out["usd_per_mtok" + end] = out["usd_per_mtok"] * ratio


def _full_cost(out, end, instance):
    """A million tokens of a fleet whose size is given: the load that it holds is what is not sure."""
    with np.errstate(divide="ignore"):
        out["usd_per_mtok" + end] = out["usd_per_mtok"] * out["instance"] / instance
    out["usd_per_month" + end] = out["usd_per_month"]


def _energy(out, asked):
    """Energy and carbon of a million output tokens, as busy as the fleet is; rated power stays what is planned for."""
    mean = asked.rate if asked.rate is not None else out["requests_per_s"]
    found = bill.joules(gpus=out["paid_replicas"] * out["n_gpus"], kw=out["kw"], utilisation=out["utilisation"],
                        tok_out_per_s=mean * asked.osl)
    for name, column in found.items():
        out[name] = column
    del out["kw"]


# --- frontier, turns -------------------------------------------------------------------------------


def _frontier(table, asked):
    """Speed of an answer against cost of a token, of one instance at loads within the limits: what nothing beats in both."""
    loads = np.concatenate([table["instance"].to_numpy() / 2.0**step for step in range(LOADS)])
    many = pd.concat([table] * LOADS, ignore_index=True)
    if asked.load == CLOSED_LOOP:
        loads = np.floor(loads)
        many, loads = many[loads >= 1], loads[loads >= 1]
    found = search.answers(many, asked, loads)
    kept = (found["error"] == "").to_numpy()
    out = many.loc[kept, list(CONFIGURATION)].reset_index(drop=True)
    out["requests_per_s"] = (found["output_tok_s"] / asked.osl)[kept].to_numpy()
    for name in ("ttft_ms", "tpot_ms", "usd_per_mtok"):
        out[name] = found[name][kept].to_numpy()
    out["user_tok_s"] = units.MS_PER_SECOND / out["tpot_ms"]
    out = out.sort_values(["user_tok_s", "usd_per_mtok"], ascending=[False, True], kind="stable")
    cheaper = np.minimum.accumulate(out["usd_per_mtok"].to_numpy())
    first = np.concatenate(([True], cheaper[1:] < cheaper[:-1]))
    return out[first].reset_index(drop=True)


def _turns(best, asked):
    """The price at which another GPU would be the best, and the load and the busy share from which the API would not.

    Prices of one GPU move while the others stay; all its configurations move with it, so that its own best stays its best.
    """
    first, column = best.iloc[0], _order(asked)[0]
    rows = _against_api(first, asked)
    for _, other in best.drop_duplicates("gpu").iloc[1:].iterrows():
        ratio = other[column] / first[column]
        rows += [{"what": f"usd_per_gpu_hour of {first['gpu']}", "now": first["usd_per_gpu_hour"],
                  "turns_at": first["usd_per_gpu_hour"] * ratio, "then": other["gpu"]},
                 {"what": f"usd_per_gpu_hour of {other['gpu']}", "now": other["usd_per_gpu_hour"],
                  "turns_at": other["usd_per_gpu_hour"] / ratio, "then": other["gpu"]}]
    return pd.DataFrame(rows, columns=["what", "now", "turns_at", "then"])


def api_usd_per_mtok(asked):
    """A million tokens of this mix from the API by the price rule; raises :class:`NoPrice`. [USD/Mtok]"""
    case = SimpleNamespace(
        model=asked.model, isl=asked.isl, osl=asked.osl, cached_prefix=asked.cached_prefix, as_of=asked.as_of, api=None,
        price_rule=asked.price_rule, api_weights=None, interruptible=False, ttft_ms=asked.limits.get("ttft_ms"),
        tpot_ms=asked.limits.get("tpot_ms"))
    return float(scenario_prices.api(case)["blend"][1])


def _against_api(first, asked):
    """The bill of the API, and the busy share and the requests a day from which on the best configuration costs less than it."""
    if asked.load == CLOSED_LOOP:
        return []
    try:
        api = api_usd_per_mtok(asked)
    except NoPrice:
        return []
    held, gpus = server({"n_gpus": first["n_gpus"]}, first["unit_gpus"])  # instances in what is bought together, and its GPUs
    full = money.usd_per_mtok(usd_per_gpu_hour=first["usd_per_gpu_hour"], n_gpus=gpus, utilisation=1.0,
                              tok_per_s=held * first["instance_requests_per_s"] * tok_per_request(asked))
    per_day = held * first["instance_requests_per_s"] * units.SECONDS_PER_DAY
    now = asked.rate * units.SECONDS_PER_DAY if asked.rate is not None else np.nan
    then = f"API at ${api:.3g} a million tokens"
    rows = [{"what": "utilisation", "now": first["utilisation"], "turns_at": full / api, "then": f"{then}, below"},
            {"what": "requests_per_day, instances kept all day", "now": now, "turns_at": _volume(asked, full / api, per_day),
             "then": f"{then}, below"}]
    if asked.stated:
        rows.append({"what": "usd_per_month", "now": first["usd_per_month"],
                     "turns_at": first["usd_per_month"] * api / first["usd_per_mtok"], "then": then})
    return rows


def _volume(asked, share, held):
    """Requests a day from which on machines that each hold ``held`` a day at their busiest cost less than the API.

    A larger service of a trace peaks less: the volumes are looked at by doubling, each with the hours of its size.
    """
    if asked.profile not in traffic.HOURLY:
        return from_which(share * max(asked.hours)) * held / max(asked.hours)
    def pays(volume):
        hours, burst = traffic.sized(asked.profile, volume / units.SECONDS_PER_DAY)
        peak = burst * float(hours["ratio"].max())
        return from_which(share * peak) * held / peak

    volumes = held / MOST_PEAKED * 2.0 ** np.arange(DOUBLINGS)
    last = next((volume for volume in volumes if pays(volume) <= volume), None)
    if last is None:
        return np.inf
    below, *closely = np.geomspace(last / 2, last, CLOSELY)
    for volume in closely:
        if pays(volume) <= volume:
            return max(pays(volume), below)
        below = volume
    return last


def from_which(share):
    """Load, in instances, from which on whole instances never again cost more than what has no steps; infinite where never.

    ``share`` is the cost of a full instance over what its load costs without steps.  n instances cost n * share for a load of
    n - 1 to n: that is too much up to n * share, as long as n - 1 < n * share.
    """
    if share >= 1:
        return np.inf
    return (np.ceil(1 / (1 - share) - policies.ROUNDING) - 1) * share


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


def _note(asked, prices):
    kinds = list(dict.fromkeys(found["kind"] for found in prices.values()))
    rule = gpu_prices.PRICE_RULES[asked.price_rule]
    words = {"stated": "the stated price", "on_demand": f"{rule} by the hour",
             OWN: "the cost of an owned one that is always busy, in whole servers"}
    price = words[kinds[0]] if len(kinds) == 1 and kinds[0] in words else f"{rule} by kind ({', '.join(kinds)})"
    load = "clients that each send when they are answered" if asked.load == CLOSED_LOOP else "requests that come at random"
    return NOTE.format(load=load, price=price, as_of=asked.as_of)

"""Own, rent or call an API: what each costs today for one workload, on every GPU and under every contract."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.calculator import choice
from tokenecon.calculator.choice import COSTS, ENDS, KEPT, KINDS, TOKENS, mtok_per_month, rate, tokens
from tokenecon.decision import bill, choice_words, scenario_prices
from tokenecon.errors import NoInput, NoPrice, NothingServes
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.fleet import planning, policies, traffic
from tokenecon.numbers import dollars
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered
from tokenecon.serving import cost_allocation, sizing
from tokenecon.serving.own_runs import pricing

# what a choice binds one to: machines, a contract, an hour, nothing
GROUPS = {"own": "own", "committed": "commitment", "hourly": "rent by the hour", "api": "API"}
SIZE_STEP = 1.0  # doublings of a volume within which a service keeps its hours
PLANNED, FEWEST = 2_000_000, 64  # hours planned in one search, and volumes in it at least
DRAWN = 20  # choices in the figure; the table has all
NO_SPOT = "the work must not be interrupted: workload.interruptible is false"
COLUMNS = {
    "name": ("Choice", None), "usd_per_mtok": ("All tokens, allocated", "USD/Mtok"),
    "usd_per_mtok_used": ("All tokens, busy time only", "USD/Mtok"), "usd_per_mtok_in": ("Input", "USD/Mtok_in"),
    "usd_per_mtok_cached": ("Cached input", "USD/Mtok_cached"), "usd_per_mtok_out": ("Output", "USD/Mtok_out"),
    "usd_per_month": ("A month", "USD/month"), "replicas": ("Replicas paid", "count"), "n_gpus": ("GPUs each", "GPU"),
    "utilisation": ("Busy", "fraction"), "usd_per_gpu_hour": ("An hour", "USD/GPU/h"),
    "price_sellers": ("Sellers", "count"), "price_from": ("Whose price", None), "price_seen": ("Price seen", None),
    "price_mark": ("Mark", None),
}  # fmt: skip

LINE_COLUMNS = {"name": ("Choice", None), "usd_per_month": ("A month", "USD/month"),
                **{f"usd_per_month_{line}": (words, "USD/month") for line, words in bill.LINES.items()}}
BOUND_COLUMNS = {
    "name": ("Choice", None), "gpus": ("GPUs paid", "GPU"), "capital_usd": ("Capital in machines", "USD"),
    "commitment_usd": ("To be paid whatever comes", "USD"), "commitment_months": ("For", "month"),
    "usd_per_month": ("A month", "USD/month"), "usd_per_month_marginal": ("A month, where a team exists", "USD/month"),
}  # fmt: skip
RANGED = ("usd_per_gpu_hour", "usd_per_month", "usd_per_mtok", "usd_per_mtok_used", *COSTS.values(), "requests_per_s")
FIELDS = ["name", "choice", "group", "kind", "gpu", "n_gpus", "gpus", "unit_gpus", "concurrency", "replicas", "utilisation",
          "calibrated", "unmeasured", "price_sellers", "price_from", "price_seen", "price_mark", "seller",
          *(f"{name}{end}" for name in RANGED for end in ENDS), *(f"usd_per_month_{line}" for line in bill.LINES),
          "usd_per_month_marginal", "usd_per_mtok_marginal", "capital_usd", "commitment_usd", "commitment_months", "reason"]
COLUMN_UNITS = {  # of columns whose names do not say theirs
    "price_sellers": "count", "gpus": "GPU", "unit_gpus": "GPU", "usd_per_mtok_marginal": "USD/Mtok", "capital_usd": "USD",
    "commitment_usd": "USD", "commitment_months": "month",
    **{f"usd_per_month_{part}": "USD/month" for part in (*bill.LINES, "marginal")},
}  # fmt: skip
API_COLUMNS = {name: (title, unit) for name, (title, unit) in COLUMNS.items() if name in (
    "name", "usd_per_mtok", "usd_per_month", *COSTS.values()) or name.startswith("price_")} | {"name": ("Price", None)}
REFUSED_COLUMNS = {"name": ("Not to be had", None), "reason": ("Why", None)}


def paid_replicas(case, row, policy, requests_per_day, slower=1.0):
    """Mean replicas paid for a demand, or an array of demands, on what one GPU's `row` of `service.choices` can do.

    With those that stand ready; a fleet that follows the load down to nothing keeps none.  Where the row says that its GPUs
    come in servers of ``unit_gpus``, whole servers are paid.
    """
    return replicas(case, row, policy, requests_per_day, slower)[0]


def replicas(case, row, policy, requests_per_day, slower=1.0):
    """:func:`paid_replicas`, and how many of them stand by; each volume has the hours and bursts of a service of its size.

    ``slower`` is the speed of the row's replica over that of the one that serves, one number or one for each volume.
    """
    volumes, slower = np.broadcast_arrays(np.atleast_1d(np.asarray(requests_per_day, dtype=float)), slower)
    felt = volumes * slower
    if getattr(case, "trace", None) is None or case.utilisation is not None:
        return _with_spares(case, row, policy, _needed(case, row, policy, felt))
    steps = size_steps(case, volumes)
    sizes = {step: of_size(case, float(step)) for step in np.unique(steps)}
    if policy != "to_zero":  # all sizes at once: the hours of each volume are a row of their own
        hours = {step: (_busiest(one.profile) if policy == "fixed" else one.profile)["ratio"].to_numpy()
                 for step, one in sizes.items()}
        rates = np.array([hours[step] for step in steps]) * rate(felt)[:, None]
        loads = np.array([sizes[step].burst for step in steps])[:, None] * rates
        terms = fleet_terms(case, row) | {"headroom": 1.0, "policy": policy}
        return _with_spares(case, row, policy, planning.demand_rows(loads, **terms))
    paid, spare = np.empty(volumes.shape), np.empty(volumes.shape)
    for step, one in sizes.items():
        here = steps == step
        paid[here], spare[here] = _with_spares(one, row, policy, _needed(one, row, policy, felt[here]))
    return paid, spare


def size_steps(case, requests_per_day):
    """How many steps of size volumes lie above that of the case, where its hours follow its size; else none."""
    steps = np.round(np.log2(requests_per_day / case.requests_per_day) / SIZE_STEP)
    return steps if getattr(case, "trace", None) is not None else 0.0 * steps


def of_size(case, step):
    """The case with the hours and bursts of a service that is so many steps larger; step 0 is the case itself."""
    if step == 0:
        return case
    hours, burst = _sized(case.trace, float(rate(case.requests_per_day) * 2 ** (step * SIZE_STEP)))
    return SimpleNamespace(**vars(case) | {"profile": hours, "burst": case.bursts or burst})


@remembered
def _sized(trace, requests_per_s):
    return traffic.sized(trace, requests_per_s)


def _needed(case, row, policy, requests_per_day):
    """Replicas of some volumes by hour, or of the mean hour where the scenario says how busy they are."""
    demands = rate(requests_per_day)
    if case.utilisation is not None:
        return policies.at_utilisation(demands, requests_per_s=row["requests_per_s"], utilisation=case.utilisation, kept=KEPT)
    profile = _busiest(case.profile) if policy == "fixed" else case.profile
    return planning.demand_hours(profile, demands=demands, policy=policy, **fleet_terms(case, row))[2]


def _with_spares(case, row, policy, needed):
    """Mean replicas paid for, in whole servers, and how many of them stand by."""
    spare = 0.0 * needed + standby(case, policy, needed)
    if np.ndim(needed) == 2:  # demand by hour
        needed, spare = needed.mean(axis=1), spare.mean(axis=1)
    return whole(row, needed + spare), spare


def whole(row, count):
    """Replicas had where their GPUs come in whole servers."""
    unit = row.get("unit_gpus", 1)
    return count if unit == 1 else planning.whole(count, n_gpus=row["n_gpus"], unit_gpus=unit)


def policy_of(case, kind):
    """How the fleet of a kind of hour follows the load of a case."""
    policy = KINDS[kind][2]
    return "to_zero" if policy == "autoscale" and case.scale_to_zero else policy


def group_of(kind):
    """The key of :data:`GROUPS` of a kind of hour."""
    if KINDS[kind][0] != "rent":
        return KINDS[kind][0]
    return "committed" if kind in gpu_prices.TERM_MONTHS else "hourly"


def by_hour(case, row):
    """Replicas of a row of :func:`offers` that are paid for in each hour of the case's load; their mean is its ``replicas``."""
    policy = policy_of(case, row["kind"])
    paid = planning.hours(case.profile, mean_requests_per_s=rate(case.requests_per_day), policy=policy,
                          **fleet_terms(case, row))["paid"].to_numpy()
    return whole(row, paid + standby(case, policy, paid))


def standby(case, policy, needed):
    """Replicas that stand by beside those needed; a fleet that follows the load down to nothing keeps none."""
    return 0 if policy == "to_zero" else bill.spare_replicas(case, needed)


def _busiest(profile):
    """The busiest hour alone: a fixed fleet is made for it, so the others need no planning."""
    most = int(profile["ratio"].to_numpy().argmax())
    return profile.iloc[most:most + 1]


def points(case, most):
    """How many volumes a search may plan the fleet for: fewer where there are many hours to plan."""
    return int(np.clip(PLANNED // len(case.profile), FEWEST, most))


def fleet_terms(case, row):
    """Terms of a fleet of this replica as :mod:`tokenecon.fleet.planning` takes them."""
    return {"requests_per_s": row["requests_per_s"], "concurrency": row["concurrency"], "headroom": case.burst,
            "wait_probability": case.wait_probability, "start_h": data.value("spot.restart"),
            "floor": 0 if case.scale_to_zero else KEPT}


def serving(case):
    """The best replica on each GPU of the case, of any size or of the one that it states, or why there is none."""
    asked = {"weights": case.weights, "kv": case.kv, "isl": case.isl, "osl": case.osl, "cached_prefix": case.cached_prefix}
    limits = {"ttft_ms": case.ttft_ms, "tpot_ms": case.tpot_ms}
    sizes = None if case.n_gpus is None else (case.n_gpus,)
    found = sizing.choices(case.model, case.gpus, sizes=sizes, **asked, **limits)
    return pricing.serving(case, found) if getattr(case, "measured", None) else found


@finding
def offers(case):
    """Every choice of the case: cost of a million tokens (allocated: all paid time over all tokens) and of a month.

    One row a GPU and kind of hour, and one for the API; rows that cannot be had say why in ``reason``.  The ranges join the
    10th and 90th percentile of the price with the 80% interval of the model, both at their cheap or dear end at once.
    """
    rows = []
    served = serving(case) if {"own", "rent"} & set(case.choices) else pd.DataFrame()
    for _, row in served.iterrows():
        if row["reason"]:
            rows.append({"kind": "", "gpu": row["gpu"], "name": data.gpu(row["gpu"])["name"], "reason": row["reason"]})
            continue
        shares = _shares(row)
        bought = with_unit(row)
        plans = {policy: _plan(case, row, policy) for policy in dict.fromkeys(policy_of(case, kind) for kind in _hours(case))}
        for kind in _hours(case):
            if kind == "spot" and not case.interruptible:
                rows.append({"kind": kind, "gpu": row["gpu"], "name": words(row["gpu"], kind), "reason": NO_SPOT})
                continue
            try:
                cost = (_owned(case, bought, shares) if kind == "own" else
                        _rented(case, row, kind, plans[policy_of(case, kind)], shares))
            except (NoPrice, NoInput) as error:
                rows.append({"kind": kind, "gpu": row["gpu"], "n_gpus": row["n_gpus"], "name": words(row["gpu"], kind),
                             "reason": str(error)})
                continue
            rows.append({"kind": kind, **cost, "name": words(row["gpu"], kind), "reason": ""})
    if "api" in case.choices:
        rows.append(_api_row(case))
    table = pd.DataFrame(rows, columns=FIELDS)
    if (table["reason"] != "").all():
        raise NothingServes("no choice of the scenario can be had: " + "; ".join(
            f"{row['name']}: {row['reason']}" for _, row in table.head(3).iterrows()))
    table["choice"] = [KINDS[kind][0] if kind else "" for kind in table["kind"]]
    table["group"] = [GROUPS[group_of(kind)] if kind else "" for kind in table["kind"]]
    return Finding(table, note=(
        f"Prices known on {case.as_of}; allocated: all paid time over all tokens, each kind by the time it causes; with people "
        f"({_positions(case.people)} of ${case.usd_per_person_year:,.0f} a year; {_positions(case.api_people)} for an API), "
        f"{case.ops_overhead:.0%} for tools and tests, and {_standby(case)}. Owned modules come in whole servers. Ranges: 10th "
        "to 90th percentile of the price (of an owned hour: all its parts at their cheap or dear ends), and 80% interval of the "
        "model; people have none here. "
        f"Price rule: {case.price_rule}, of each choice {gpu_prices.PRICE_RULES[case.price_rule]}; machines are bought at the "
        "typical price by any rule, as nobody lists one. "
        + ("Old offers do not win beside newer ones, so that the best may be above a typical price set by old ones; "
           "whole servers are paid where the offer is of several GPUs. "
           if case.price_rule == "best" else "") +
        f"Price seen: the quote that sets it; old: over {gpu_prices.OLD_DAYS} days before."
        + _unmeasured(table)
        + (" Yours: an offer of your own facts is among them." if table["price_mark"].str.contains("yours").any() else "")),
        units=COLUMN_UNITS)


def _positions(number):
    return f"{number:g} position{'' if number == 1 else 's'}"


def _standby(case):
    if case.availability is not None:
        return f"as many spare replicas as {case.availability:.3%} of the time takes"
    return f"{case.spare_replicas or 'no'} spare replica{'' if case.spare_replicas == 1 else 's'}"


def spared(case, plan, policy):
    """A plan of :mod:`tokenecon.fleet.planning` with the replicas that stand by."""
    spare = float(np.max(standby(case, policy, plan["mean_paid_replicas"])))
    paid = plan["mean_paid_replicas"] + spare
    busy = plan["utilisation"] * plan["mean_paid_replicas"] / paid
    return plan | {"mean_paid_replicas": paid, "peak_replicas": plan["peak_replicas"] + spare, "utilisation": busy,
                   "idle_share": 1 - busy}


def with_unit(row):
    """What a replica does, with the servers that its GPUs are bought in."""
    return pd.Series(row.to_dict() | {"unit_gpus": bill.unit_gpus(row["gpu"])})


def _unmeasured(table):
    """What of the choices nobody measured, in a sentence; nothing where all of it was."""
    found = dict.fromkeys(words for each in table["unmeasured"].dropna().unique() for words in each.split(", ") if words)
    return f" Never measured, so with wider intervals: {', '.join(found)}." if found else ""


def _hours(case):
    return [kind for kind, (of, _, policy) in KINDS.items() if policy and of in case.choices]


def words(gpu, kind):
    """A choice as a reader says it."""
    return f"{KINDS[kind][1]}: {data.gpu(gpu)['name']}" if gpu else KINDS[kind][1]


def _shares(row):
    """Share of a replica's time that each kind of token causes; adds up to 1."""
    case = {name: row[name] for name in ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "cached_prefix", "concurrency",
                                         "attention_dp")}
    time = cost_allocation.busy(pd.DataFrame([case])).iloc[0]
    return {kind: time[f"{kind}_s"] / time["request_s"] for kind in TOKENS}


def _plan(case, row, policy):
    """Paid replicas at the slow, expected and fast end of the model's interval, and how busy they are."""
    ratios = row["requests_per_s"] / np.array([row["requests_per_s_high"], row["requests_per_s"], row["requests_per_s_low"]])
    paid, spare = replicas(case, row, policy, case.requests_per_day, ratios)
    return {"paid": paid, "utilisation": float(rate(case.requests_per_day) / row["requests_per_s"] / paid[1]),
            "spare_share": float(spare[1] / paid[1])}


def _owned(case, row, shares):
    """The row of owning, in whole servers."""
    plan = _plan(case, row, policy_of(case, "own"))
    owned = scenario_prices.owned_inputs(case, row["gpu"], plan["utilisation"])["typical"].to_dict()
    price = scenario_prices.own(case, row["gpu"], plan["utilisation"])
    if price["estimates"]:
        raise NoPrice(f"no purchase price of {row['gpu']}: only an estimate is known, which nobody can be paid; give "
                      "money.usd_per_gpu")
    return _cost(case, row, plan, price, shares, "own", owned)


def _rented(case, row, kind, plan, shares):
    """The row of a rented choice; of offers by the server, paid whole, the one with the lowest bill."""
    bills, refused = [], None
    for most in scenario_prices.servers(case, row["gpu"], kind):
        try:
            price = scenario_prices.rent(case, row["gpu"], kind, most)
        except NoPrice as error:
            refused = error
            continue
        unit = _by_server(row, price["min_gpus"])
        bills.append(_cost(case, unit, plan if unit is row else _plan(case, unit, policy_of(case, kind)), price, shares, kind))
    if not bills:
        raise refused
    return min(bills, key=lambda bill: bill["usd_per_month"])


def _by_server(row, min_gpus):
    """What one server serves, with as many replicas as it holds; of smaller ones a replica takes as many as it needs."""
    changed = choice.by_server(row, min_gpus)
    return pd.Series(row.to_dict() | changed) if changed else row


def _cost(case, row, plan, price, shares, kind, owned=None):
    """One row of :func:`offers`."""
    return choice.machines(case, row, plan, price, shares, kind, owned) | _dated(case, price) | {
        "calibrated": row["calibrated"], "unmeasured": row["unmeasured"]}


def _dated(case, price):
    """Of how many sellers a price is, when the quote that sets it was last seen, and whether that is long ago."""
    if not price["seen"]:
        return {"price_sellers": np.nan, "price_from": price["said"], "price_seen": "the scenario", "price_mark": ""}
    marks = {"old": gpu_prices.is_old(price["seen"], case.as_of), "outside": price["outside"], "estimate": price["estimates"],
             "second-hand": price["second_hand"], "slow": price["slow"], "yours": price["yours"]}
    return {"price_sellers": price["count"], "price_from": price["said"], "price_seen": min(price["seen"], case.as_of),
            "price_mark": ", ".join(word for word, holds in marks.items() if holds)}


def _api_row(case):
    """The API's row of :func:`offers`; its prices are what its tokens cost."""
    try:
        price = scenario_prices.api(case)
    except NoPrice as error:
        return {"kind": "api", "gpu": "", "name": "API", "reason": str(error)}
    return {"kind": "api", "gpu": "", "name": "API", "reason": "", **_dated(case, price), **choice.api(case, price)}


@finding
def api_sellers(case):
    """The API's price by each rule, whatever the case's: the cheapest seller beside the median of all and of the hyperscalers."""
    rules = {} if "api" not in case.choices else {"": "the scenario's price"} if case.api else gpu_prices.PRICE_RULES
    rows, share, known = [], tokens(case), None
    with contextlib.suppress(NoPrice):
        known = scenario_prices.api_offers(case) if rules and not case.api else None
    for rule, name in rules.items():
        with contextlib.suppress(NoPrice):
            price = scenario_prices.api(case, rule, known)
            costs = {column: price[kind][1] if share[kind] else np.nan for kind, column in COSTS.items()}
            rows.append({"rule": rule, "name": name, "usd_per_mtok": price["blend"][1],
                         "usd_per_month": price["blend"][1] * mtok_per_month(case), **costs, **_dated(case, price)})
    said = [f"{row['name']} is ${row['usd_per_mtok']:.3g} per Mtok ({row['price_from']})" for row in rows
            if row["rule"] != "list"]
    return Finding(
        pd.DataFrame(rows, columns=["rule", *API_COLUMNS]),
        f"Of the API {', '.join(said)}" if said else "No price of an API is known for this case",
        f"At the mix of this workload; prices known on {case.as_of}. Outside: beyond the range of its peers.",
        {"price_sellers": "count"})


def feasible(table):
    """The choices that can be had, the cheapest first."""
    return table[table["reason"] == ""].sort_values("usd_per_mtok", kind="stable").reset_index(drop=True)


def refused(table):
    """What cannot be had, and why in a few words: one row a reason; `offers` has the whole sentences."""
    rows = table[table["reason"] != ""].copy()
    rows["why"] = [_in_few_words(row) for _, row in rows.iterrows()]
    rows["what"] = [KINDS[kind][1] if kind else "" for kind in rows["kind"]]
    rows["where"] = [data.gpu(gpu)["name"] if gpu else "" for gpu in rows["gpu"]]
    found = [{"name": ": ".join(part for part in (what, ", ".join(part["where"])) if part), "reason": why}
             for (what, why), part in rows.groupby(["what", "why"], sort=False)]
    return pd.DataFrame(found, columns=["name", "reason"])


def _in_few_words(row):
    why = row["reason"].split(": ")[0] if row["kind"] else row["reason"]
    return why.replace(f" of {row['gpu']}", "") if row["kind"] and row["gpu"] else why


def best(table):
    """The cheapest GPU of each kind of hour, and the API; the cheapest first."""
    return feasible(table).drop_duplicates("kind").reset_index(drop=True)


def answer(case, table):
    """The cheapest choice today in one sentence, without a full stop; by which prices comes first."""
    rows = best(table)
    first = rows.iloc[0]
    text = (f"{choice_words.at_prices(case, first)}, {_said(case, first)} costs least today, "
            f"{choice_words.money(first['usd_per_month'])} a month")
    others = rows[rows["group"] != first["group"]]
    if others.empty:
        return text
    return f"{text}; {_said(case, others.iloc[0])} costs {choice_words.money(others.iloc[0]['usd_per_month'])}"


def _said(case, row):
    return choice_words.doing(case, row["kind"], row["gpu"], None if row["kind"] == "api" else row["gpus"])


@finding
def compared(offered):
    """The cheapest choices, ready for a figure: coloured by what binds; the API is among them where it can be had."""
    rows = feasible(offered.table)
    first, last = rows.iloc[0], rows.iloc[-1]
    shown = rows[(rows.index < DRAWN) | (rows["kind"] == "api")].copy()
    left = len(rows) - len(shown)
    cost = [named("bill-all", row["usd_per_mtok"], lambda usd: f"${dollars(usd)}", **ends(row, "usd_per_mtok"),
                  choice=row["name"], seen=row["price_seen"])
            for row in (first, last)]
    ratio = named("spread-of-choices", last["usd_per_mtok"] / first["usd_per_mtok"], "{:.1f}".format, dearest=last["name"],
                  cheapest=first["name"], seen=first["price_seen"])
    said = (f"Only one choice can be had, at {cost[0]} for a million tokens" if len(rows) == 1 else
            f"All choices cost {cost[0]} for a million tokens" if cost[0] == cost[1] else
            f"The dearest choice costs {ratio} times the cheapest: {cost[1]} against {cost[0]} for a million tokens")
    return Finding(shown, said, offered.note + (f" {left} dearer choices are not drawn." if left > 1 else
                                                " One dearer choice is not drawn." if left else ""), offered.units)

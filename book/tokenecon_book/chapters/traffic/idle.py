"""How full the paid hours are: real load, the fleet that serves it by policy, and what the idle part costs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.decision import options, scenario
from tokenecon.errors import BadInput, NoEstimate, NothingServes, TooSlow
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.fleet import planning, traffic
from tokenecon.formulas import money
from tokenecon.prices import gpu_prices
from tokenecon.serving import operating_point, sizing
from tokenecon.units import HOURS_PER_DAY, SECONDS_PER_DAY, SECONDS_PER_HOUR, convert
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.words import count, dollars, price

WEEK_HOURS = 7 * int(HOURS_PER_DAY)
POLICY_NAMES = {"fixed": "fixed fleet", "autoscale": "follows the load", "to_zero": "scaled to zero"}
FLEETS = {"fixed": "A fleet for the busiest hour", "autoscale": "A fleet that follows the load",
          "to_zero": "A fleet that scales to zero"}  # fmt: skip
SMALL, FAINT = 0.1, 1e-6
MOST = 1e6  # requests a second: beyond all that is served today, and minutes of computing
NOTICED = 5e-5  # a share that reads as 0.01%
ONE_REPLICA = 1  # whose hour is what `own.usd` prices
RAREST = 1 / SECONDS_PER_HOUR  # a request an hour, in requests a second
FULL = "busy time only"
ENDS = {"_low": "_high", "": "", "_high": "_low"}  # end of a cost -> end of the speed that it comes from
# what the fleets of a decision take, in the parameters of the page
USUAL = {"percentile": 1.0, "floor": options.KEPT}
POLICY_COLUMNS = {
    "policy": ("Policy", None), "n_gpus": ("Paid, mean", "GPU"), "utilisation": ("Busy part of paid time", "fraction"),
    "usd_per_month": ("Machines", "USD/month"), "usd_per_mtok_allocated": ("All paid time", "USD/Mtok"),
    "usd_per_mtok_used": ("Busy time only", "USD/Mtok"),
}  # fmt: skip
CHANGE_COLUMNS = {
    "change": ("What changes", None), "n_gpus": ("Paid, mean", "GPU"), "utilisation": ("Busy part of paid time", "fraction"),
    "usd_per_mtok_allocated": ("All paid time", "USD/Mtok"),
}  # fmt: skip
UNITS = {f"{name}{end}": unit for name, (_, unit) in POLICY_COLUMNS.items() if unit for end in ENDS} | {
    f"peak_gpus{end}": "GPU" for end in ENDS} | {"turned_away": "fraction", "peak_to_mean": "ratio"}


def changed(case, **moves):
    """The case with some parameters replaced."""
    return SimpleNamespace(**(vars(case) | moves))


def percent(share):
    """A share as a reader says it; small ones with two digits."""
    if share < FAINT:
        return f"less than {FAINT * 100:.4f}%"
    return f"{share:.0%}" if share >= SMALL else f"{share * 100:.2g}%"


def replica(case):
    """What one replica of the page serves within its limits, and what its hour costs at the price of the base case."""
    usd = base.hour(case)["typical"]
    return SimpleNamespace(found=sizing.of_page(case), usd=usd * case.n_gpus, tok=case.isl + case.osl)


def rate(case):
    """Mean load of the page. [request/s]"""
    return options.rate(case.requests_per_day)


def _load(case):
    """The hours of the page's profile, as steep as suits the size of the service; what no fleet can be planned for is refused."""
    if rate(case) > MOST:
        raise BadInput(f"parameter 'requests_per_day' is {case.requests_per_day:g}, but must be at most "
                       f"{MOST * SECONDS_PER_DAY:,.0f}, a million a second")
    if case.floor < 0:
        raise BadInput(f"parameter 'floor' is {case.floor}, but must be at least 0 replicas")
    return base.of(case).profile


def _plan(case, own, policy, speed=""):
    """The fleet of a policy at one end of the model's interval."""
    plan = planning.plan(_load(case), mean_requests_per_s=rate(case), policy=policy, **_terms(case, own, speed))
    return options.spared(base.of(case), plan, policy)


def _terms(case, own, speed=""):
    """The terms of the base case's fleets, with what the page says in their place."""
    row = {"requests_per_s": own.found[f"requests_per_s{speed}"], "concurrency": own.found["concurrency"]}
    return options.fleet_terms(base.of(case), row) | {
        "start_h": convert(case.start_minutes, "min", "h"), "floor": case.floor, "percentile": case.percentile} | (
        {"headroom": case.headroom} if hasattr(case, "headroom") else {})


def of(case, **more):
    """What a number of a fleet is of, for :func:`named`: the load of the base case, and what the page says otherwise."""
    return base.load(case) | _unusual(case) | more


def _unusual(case):
    """What the page says of a fleet that the base case says otherwise."""
    usual = USUAL | {"profile": scenario.field(base.NAME, "traffic.profile"),
                     "start_minutes": convert(data.value("spot.restart"), "h", "min")}
    return {name: getattr(case, name) for name, value in usual.items() if getattr(case, name) != value}


def said_busy(case, share, policy):
    """The busy share of a fleet as text and named quantity; other pages print those of the base case, too."""
    if policy == "autoscale":
        return named("utilisation-rented", share, percent, **of(case))
    return named("utilisation-fixed", share, percent, **of(case, policy=policy, machines="rented, not in whole servers"))


def said_cost(case, usd, policy, name="cost-all", **ends):
    """The cost of a million tokens of all kinds on machines rented on demand, as text and named quantity with its ends."""
    row = {"kind": "on_demand", "gpu": case.gpu, "n_gpus": float(case.n_gpus)}
    more = _unusual(case) | ({} if policy == "autoscale" or name != "cost-all" else {"policy": policy})
    return named(name, usd, price, **ends, **base.choice(base.of(case), row) | more)


@finding
def week():
    """A week of three real services by the hour, each over its own mean."""
    parts = []
    for name in traffic.HOURLY[:3]:
        part = traffic.profile(name).head(WEEK_HOURS)
        parts.append(pd.DataFrame({"day": part["hour"] / HOURS_PER_DAY, "service": traffic.LABELS[name], "ratio": part["ratio"]}))
    table = pd.concat(parts, ignore_index=True)
    peaks = {name: traffic.fact(name, "peak_1h") for name in traffic.HOURLY}
    clock = [_by_the_clock(name) for name in traffic.HOURLY[:3]]
    least, most = min(peaks, key=peaks.get), max(peaks, key=peaks.get)
    ends = [named(f"{name}.peak_1h", peaks[name], "{:.1f}".format) for name in (least, most)]
    return Finding(table, (
        f"The busiest hour of a real service is {ends[0]} to {ends[1]} times its mean"), (
        f"A fleet that stands ready for it is {1 / peaks[most]:.0%} to {1 / peaks[least]:.0%} full even without any reserve. "
        "Three of five services of one provider; the first seven of fourteen days. The time of day explains "
        f"{min(clock):.0%} to {max(clock):.0%} of how their hours differ: the rest changes from day to day. The middle model has "
        "hours without any request: an outage or a gap in the record."))


def _by_the_clock(name):
    """Share of the variance of a profile's hours that the mean curve of its days explains."""
    hours = traffic.profile(name)["ratio"].to_numpy().reshape(-1, int(HOURS_PER_DAY))
    return hours.mean(axis=0).var() / hours.var()


@finding
def fleets(case):
    """The GPUs paid for in a week, hour by hour, beside those that the work would fill."""
    own, load = replica(case), _load(case)
    hours = load.head(WEEK_HOURS) if len(load) >= WEEK_HOURS else traffic.repeated(load, WEEK_HOURS)
    parts = []
    for policy in ("fixed", "autoscale"):
        found = planning.hours(load, mean_requests_per_s=rate(case), policy=policy, **_terms(case, own))
        held = found["paid"].to_numpy() + options.standby(base.of(case), policy, found["paid"].to_numpy())
        paid = np.resize(held, len(hours)) * case.n_gpus
        parts.append(pd.DataFrame({"day": hours["hour"] / HOURS_PER_DAY, "kind": POLICY_NAMES[policy], "n_gpus": paid}))
    busy = np.resize(found["busy"].to_numpy(), len(hours)) * case.n_gpus
    parts.append(pd.DataFrame({"day": hours["hour"] / HOURS_PER_DAY, "kind": "full GPUs for the work", "n_gpus": busy}))
    table = pd.concat(parts, ignore_index=True)
    plans = {policy: _plan(case, own, policy) for policy in ("fixed", "autoscale")}
    gpus = named("fleet-gpus", plans["fixed"]["peak_replicas"] * case.n_gpus, lambda number: count(number, "GPU"), **of(case))
    fixed, scaled = (said_busy(case, plans[policy]["utilisation"], policy) for policy in plans)
    return Finding(table, f"A fixed fleet of {gpus} is {fixed} busy, one that follows the load {scaled}", (
        f"Load profile “{traffic.LABELS[case.profile]}”, {case.requests_per_day:,.0f} requests on the mean day, "
        f"{case.wait_probability:.1%} may find every place taken; each hour has room for bursts of {base.of(case).burst:.2f} "
        f"times its mean, and {_standing(case.spare_replicas)} by. {_replica_words(case, own)} {traffic.note(case.profile)} The "
        f"scaler orders {case.start_minutes:g} minute{'' if case.start_minutes == 1 else 's'} ahead and knows the coming hours: "
        "the best it can do."))


def _standing(replicas):
    """How many replicas stand, as subject and verb."""
    return "no replica stands" if not replicas else f"{count(replicas, 'replica')} stand{'s' if replicas == 1 else ''}"


def _replica_words(case, own):
    found = own.found
    beyond = "" if found["calibrated"] else f" {operating_point.UNMEASURED}"
    return (f"A replica of {count(case.n_gpus, 'GPU')} serves {found['requests_per_s']:.3g} requests a second, "
            f"{found['concurrency']:g} at a time, with a TTFT of {found['ttft_ms']:.0f} ms and a TPOT of "
            f"{found['tpot_ms']:.0f} ms.{beyond}")


@finding
def policies(case):
    """Fleet, utilisation, bill and both costs of a token for each policy, with the ranges of speed and price."""
    own = replica(case)
    rows = [{"policy": POLICY_NAMES[policy], **_row(case, own, policy)} for policy in planning.POLICIES]
    table = pd.DataFrame(rows)
    fixed, scaled, zero = table.to_dict("records")
    words, own_busy = _owned(case)
    idle = [named("idle-share", row["idle_share"], percent, policy=policy, **of(case))
            for policy, row in zip(planning.POLICIES, (fixed, scaled, zero), strict=True)]
    return Finding(table, (
        f"Idle time is {idle[0]} of the bill of a fixed fleet, {idle[1]} where it follows the load and {idle[2]} with scaling to "
        f"zero{words}."), (
        f"Machines alone at the typical price on demand, {gpu_prices.known(case)}, the same for each policy; sellers of machines "
        "that scale to zero ask more for a second. Ranges: interval of the model (80%). "
        f"A request that wakes a replica waits for its start, {case.start_minutes:g} min: {zero['cold_share']:.2%} of them when "
        "scaled to zero."), UNITS, own_busy=own_busy)


def _owned(case):
    """How busy machines of one's own would be, which come in whole servers, in words and as a share; where none, nothing."""
    try:
        row = base.bill(case, "own")
    except NothingServes:
        return "", np.nan
    return f"; own machines, which come in whole servers, would be {base.said_busy(case, row)} busy", row["utilisation"]


def _row(case, own, policy):
    """One policy: numbers of its plan, bill and costs with their ends."""
    row = {}
    for end, speed in ENDS.items():
        plan = _plan(case, own, policy, speed)
        month = money.usd_per_month_of_gpus(usd_per_gpu_hour=own.usd, n_gpus=ONE_REPLICA * plan["mean_paid_replicas"])
        row |= {f"n_gpus{end}": plan["mean_paid_replicas"] * case.n_gpus, f"peak_gpus{end}": plan["peak_replicas"] * case.n_gpus,
                f"usd_per_month{end}": month, **{name + end: usd for name, usd in planning.costs(
                    plan, usd_per_replica_hour=own.usd, requests_per_s=own.found[f"requests_per_s{speed}"],
                    tok_per_request=own.tok).items()}}
        row[f"utilisation{end}"] = plan["utilisation"]
        if not end:
            row |= {name: plan[name] for name in ("idle_share", "cold_share", "turned_away", "peak_to_mean")}
    # whole replicas: the middle of the interval may need the emptier fleet, so its ends are those of all three
    found = [row[f"utilisation{end}"] for end in ENDS]
    row["utilisation_low"], row["utilisation_high"] = min(found), max(found)
    return row


def _cost_of_volumes(case, own, policy, speed, demands):
    """Cost of a million tokens at each rate of requests. [USD/Mtok]"""
    paid, served = _of_volumes(case, own, policy, speed, demands)
    tokens = convert(demands * own.tok, "tok/s", "tok/h")
    return money.usd_per_mtok_of_bill(usd_per_day=paid * own.usd * HOURS_PER_DAY, tok_per_day=tokens * served * HOURS_PER_DAY)


def _of_volumes(case, own, policy, speed, demands):
    """Replicas paid for each rate of requests, and the share of them that is served, with the hours of a service of its size."""
    scene, paid, served = base.of(case), np.empty(demands.shape), np.ones(demands.shape)
    steps = options.size_steps(scene, demands * SECONDS_PER_DAY)
    for step in np.unique(steps):
        here, sized = steps == step, options.of_size(scene, float(step))
        load, bursts = (_load(case), {}) if step == 0 else (sized.profile, {"headroom": sized.burst})
        terms = _terms(case, own, speed) | ({} if hasattr(case, "headroom") else bursts)
        held = planning.demand_curve(load, demands=demands[here], policy=policy, **terms)
        paid[here] = held = held + options.standby(scene, policy, held)
        if policy == "fixed" and case.percentile < 1:  # the rest finds no place, and is no token that is sold
            per_s = own.found[f"requests_per_s{speed}"]
            done = np.minimum(np.outer(demands[here], load["ratio"]), (held * per_s)[:, None]).mean(axis=1)
            served[here] = done / demands[here]
    return paid, served


@finding
def cost_over_load(case):
    """Cost of a token over the mean load for each policy, on the basis of allocation, and on that of usage."""
    _load(case)  # refuses what no fleet can be planned for
    own, here = replica(case), rate(case)
    most = own.found["requests_per_s"]
    demands = np.geomspace(min(RAREST, here / 10), max(100 * most, 3 * here), 160)
    parts = []
    for policy in planning.POLICIES:
        part = pd.DataFrame({"requests_per_day": demands * SECONDS_PER_DAY, "basis": POLICY_NAMES[policy]})
        for end, speed in ENDS.items():
            if end and policy != case.policy:
                continue  # one band: three would hide each other
            part[f"usd_per_mtok{end}"] = _cost_of_volumes(case, own, policy, speed, demands)
        parts.append(part)
    full = {end: money.usd_per_mtok(usd_per_gpu_hour=own.usd, n_gpus=ONE_REPLICA, utilisation=1.0,
                                    tok_per_s=own.found[f"requests_per_s{speed}"] * own.tok) for end, speed in ENDS.items()}
    used = full[""]
    parts.append(pd.DataFrame({"requests_per_day": demands * SECONDS_PER_DAY, "basis": FULL, "usd_per_mtok": used}))
    table = pd.concat(parts, ignore_index=True)
    one = table[table["basis"] == POLICY_NAMES["fixed"]]
    outer = {at: float(np.interp(np.log(at), np.log(demands), one["usd_per_mtok"])) for at in (100 * most, most / 100)}
    least, slow = (_cost_of_volumes(case, own, "fixed", speed, np.array([*outer])) for speed in ("_high", "_low"))
    cheap, dear = (named("cost-all", usd, price, low=min(usd, low), high=max(usd, high),
                         **of(case, policy="fixed", requests_per_day=f"{at * SECONDS_PER_DAY:.3g}"))
                   for (at, usd), low, high in zip(outer.items(), least, slow, strict=True))
    return Finding(table, (
        f"A million tokens cost {cheap} at the load of a hundred replicas, {dear} at a hundredth of one, and "
        f"{said_cost(case, used, case.policy, 'cost-all-full', low=full['_low'], high=full['_high'])} on busy time alone"), (
        "The first two of a fixed fleet. All paid time over all tokens, for each policy. Busy time only: what a token costs on a "
        "replica that is always full; the rest of the bill is nobody's. "
        f"The band, {POLICY_NAMES[case.policy]}: interval of the model (80%). Prices "
        f"{gpu_prices.known(case)}. Input and output tokens together, machines alone."),
        requests_per_day=case.requests_per_day, used=used, dear=outer[most / 100], cheap=outer[100 * most])


@finding
def headline(case):
    """The answer of the chapter: how full the fleet of the page is, and what the idle part costs."""
    table = policies(case).table
    by = dict(zip(planning.POLICIES, table.to_dict("records"), strict=True))
    row = by[case.policy]
    busy = said_busy(case, row["utilisation"], case.policy)
    usd = said_cost(case, row["usd_per_mtok_allocated"], case.policy, **ends(row, "usd_per_mtok_allocated"))
    least, waiting, most = (row[f"usd_per_mtok_allocated{end}"] - row[f"usd_per_mtok_used{end}"] for end in ("_low", "", "_high"))
    waits = ""
    if dollars(waiting) != dollars(0) and waiting > 0:
        said = named("cost-waiting", waiting, price, low=min(least, waiting, most), high=max(least, waiting, most),
                     policy=case.policy, **of(case))
        waits = f", {said} of it for waiting"
    old = base.aged(case, base.hour(case))
    sentence = f"{FLEETS[case.policy]} works {busy} of the hours paid for; a million tokens cost {usd}{old}{waits}."
    if by["fixed"]["turned_away"] > NOTICED:
        left = named("turned-away", by["fixed"]["turned_away"], percent, **of(case))
        sentence += f" The fixed fleet has no place for {left} of the requests."
    return Finding(
        table, sentence, "", UNITS, number=busy, waiting=waiting,
        label=f"of its paid hours, {FLEETS[case.policy][0].lower()}{FLEETS[case.policy][1:]} works")


@finding
def sensitivity(case):
    """Utilisation and cost under the policy of the page when one input moves and the others stay."""
    moves = {
        "the page itself": {},
        "the same load in every hour": {"profile": "flat"},
        "a smooth day instead": {"profile": "diurnal"},
        "ten times the load": {"requests_per_day": 10 * case.requests_per_day},
        "a hundredth of the load": {"requests_per_day": case.requests_per_day / 100},
        "no bursts inside the hour": {"headroom": 1.0},
        "no replica that stands by": {"spare_replicas": 0},
        "sized for 99% of the hours": {"percentile": 0.99, "policy": "fixed"},
        "follows the load, two minutes ahead": {"policy": "autoscale", "start_minutes": 2.0},
        "follows the load, two hours ahead": {"policy": "autoscale", "start_minutes": 120.0},
        "half the time per token": {"tpot_ms": case.tpot_ms / 2},
    }  # fmt: skip
    own, rows = replica(case), []
    for text, move in moves.items():
        if move and all(getattr(case, name, None) == value for name, value in move.items()):
            continue
        now = changed(case, **move)
        if rate(now) > MOST:
            continue
        try:
            other = replica(now) if "tpot_ms" in move else own
        except (TooSlow, NoEstimate):
            continue  # a limit that no replica of this size keeps to
        rows.append({"change": text, **moved.said(move), **_row(now, other, now.policy)})
    table = pd.DataFrame(rows)
    cut = next((row["turned_away"] for row in rows if row["change"].startswith("sized")), 0.0)
    note = f"Where nothing else is said, the policy of the page: {POLICY_NAMES[case.policy]}."
    if cut > NOTICED:
        note += f" Sized for 99% of the hours, the fleet cannot serve {cut:.2%} of all requests in time."
    return Finding(table, "", note, UNITS)

"""How full the paid hours are: real load, the fleet that serves it by policy, and what the idle part costs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon.errors import BadInput, NoEstimate, TooSlow
from tokenecon.finding import Finding, finding
from tokenecon.fleet import planning, pools, traffic
from tokenecon.formulas import money
from tokenecon.prices import gpu_prices
from tokenecon.serving import operating_point, sizing
from tokenecon.units import HOURS_PER_DAY, SECONDS_PER_HOUR, convert
from tokenecon_book.documents.words import dollars

WEEK_HOURS = 7 * int(HOURS_PER_DAY)
POLICY_NAMES = {"fixed": "fixed fleet", "autoscale": "autoscaled", "to_zero": "scaled to zero"}
FLEETS = {"fixed": "A fixed fleet", "autoscale": "An autoscaled fleet", "to_zero": "A fleet that scales to zero"}
SMALL, FAINT = 0.1, 1e-6
MOST = 1e6  # requests a second: beyond all that is served today, and minutes of computing
NOTICED = 5e-5  # a share that reads as 0.01%
ONE_REPLICA = 1  # whose hour is what `own.usd` prices
RAREST = 1 / SECONDS_PER_HOUR  # a request an hour, in requests a second
FULL = "busy time only"
# end of a cost -> end of the speed and place in (low, typical, high) of the price that it comes from
ENDS = {"_low": ("_high", 0), "": ("", 1), "_high": ("_low", 2)}
POLICY_COLUMNS = {
    "policy": ("Policy", None), "n_gpus": ("Paid, mean", "GPU"), "peak_gpus": ("Most", "GPU"),
    "utilisation": ("Busy part of paid time", "fraction"), "usd_per_month": ("Bill", "USD/month"),
    "usd_per_mtok_used": ("Usage: busy time only", "USD/Mtok"),
    "usd_per_mtok_allocated": ("Allocation: all paid time", "USD/Mtok"), "idle_usd_per_month": ("Of the bill, idle", "USD/month"),
}  # fmt: skip
CHANGE_COLUMNS = {
    "change": ("What changes", None), "n_gpus": ("Paid, mean", "GPU"), "utilisation": ("Busy part of paid time", "fraction"),
    "usd_per_mtok_allocated": ("Allocation: all paid time", "USD/Mtok"),
}  # fmt: skip
UNITS = {f"{name}{end}": unit for name, (_, unit) in POLICY_COLUMNS.items() if unit for end in ENDS} | {
    "turned_away": "fraction", "peak_to_mean": "ratio"}


def changed(case, **moves):
    """The case with some parameters replaced."""
    return SimpleNamespace(**(vars(case) | moves))


def percent(share):
    """A share as a reader says it; small ones with two digits."""
    if share < FAINT:
        return f"less than {FAINT * 100:.4f}%"
    return f"{share:.0%}" if share >= SMALL else f"{share * 100:.2g}%"


def replica(case):
    """What one replica of the page serves within its limits, and what its hour costs: (low, typical, high)."""
    found = sizing.of_page(case)
    price = gpu_prices.of_page(case)
    usd = np.array([price["low"], price["typical"], price["high"]]) * case.n_gpus
    return SimpleNamespace(found=found, usd=usd, tok=case.isl + case.osl)


def _load(case):
    """The profile of the page; what no fleet can be planned for is refused."""
    if not case.requests_per_s > 0:
        raise BadInput("parameter 'requests_per_s' is 0; a service without requests has no utilisation")
    if case.requests_per_s > MOST:
        raise BadInput(f"parameter 'requests_per_s' is {case.requests_per_s:g}, but must be at most {MOST:,.0f}")
    if not 0 < case.wait_probability < 1:
        raise BadInput(f"parameter 'wait_probability' is {case.wait_probability:g}, but must lie between 0 and 1: the share of "
                       "requests that may find every place taken")
    if case.floor < 0:
        raise BadInput(f"parameter 'floor' is {case.floor}, but must be at least 0 replicas")
    return traffic.profile(case.profile)


def _plan(case, own, policy, speed=""):
    """The fleet of a policy at one end of the model's interval."""
    return planning.plan(_load(case), mean_requests_per_s=case.requests_per_s, policy=policy, **_terms(case, own, speed))


def _terms(case, own, speed=""):
    return {"requests_per_s": own.found[f"requests_per_s{speed}"], "concurrency": own.found["concurrency"],
            "wait_probability": case.wait_probability, "start_h": convert(case.start_minutes, "min", "h"), "floor": case.floor,
            "percentile": case.percentile, "headroom": getattr(case, "headroom", 1.0)}


@finding
def week():
    """A week of three real services by the hour, each over its own mean."""
    parts = []
    for name in traffic.HOURLY[:3]:
        part = traffic.profile(name).head(WEEK_HOURS)
        parts.append(pd.DataFrame({"day": part["hour"] / HOURS_PER_DAY, "service": traffic.LABELS[name], "ratio": part["ratio"]}))
    table = pd.concat(parts, ignore_index=True)
    peaks = [traffic.fact(name, "peak_1h") for name in traffic.HOURLY]
    clock = [_by_the_clock(name) for name in traffic.HOURLY[:3]]
    return Finding(table, (
        f"The busiest hour of a real service is {min(peaks):.1f} to {max(peaks):.1f} times its mean, and a fleet that stands "
        f"ready for it is {1 / max(peaks):.0%} to {1 / min(peaks):.0%} full even without any reserve"), (
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
        found = planning.hours(load, mean_requests_per_s=case.requests_per_s, policy=policy, **_terms(case, own))
        paid = np.resize(found["paid"].to_numpy(), len(hours)) * case.n_gpus
        parts.append(pd.DataFrame({"day": hours["hour"] / HOURS_PER_DAY, "kind": POLICY_NAMES[policy], "n_gpus": paid}))
    busy = np.resize(found["busy"].to_numpy(), len(hours)) * case.n_gpus
    parts.append(pd.DataFrame({"day": hours["hour"] / HOURS_PER_DAY, "kind": "full GPUs for the work", "n_gpus": busy}))
    table = pd.concat(parts, ignore_index=True)
    plans = {policy: _plan(case, own, policy) for policy in ("fixed", "autoscale")}
    ahead = f"{case.start_minutes:g} minute{'' if case.start_minutes == 1 else 's'} ahead" if case.start_minutes else "at once"
    return Finding(table, (
        f"A fixed fleet of {pools.count(plans['fixed']['peak_replicas'] * case.n_gpus, 'GPU')} is "
        f"{percent(plans['fixed']['utilisation'])} busy, one that is scaled {ahead} "
        f"{percent(plans['autoscale']['utilisation'])}"), (
        f"Load profile “{traffic.LABELS[case.profile]}”, {case.requests_per_s:g} requests a second in the mean, "
        f"{case.wait_probability:.1%} may find every place taken. {_replica_words(case, own)} {traffic.note(case.profile)} The "
        "scaler knows the coming hours: the best it can do."))


def _replica_words(case, own):
    found = own.found
    beyond = "" if found["calibrated"] else f" {operating_point.UNMEASURED}"
    return (f"A replica of {pools.count(case.n_gpus, 'GPU')} serves {found['requests_per_s']:.3g} requests a second, "
            f"{found['concurrency']:g} at a time, with a TTFT of {found['ttft_ms']:.0f} ms and a TPOT of "
            f"{found['tpot_ms']:.0f} ms.{beyond}")


@finding
def policies(case):
    """Fleet, utilisation, bill and both costs of a token for each policy, with the ranges of speed and price."""
    own = replica(case)
    rows = [{"policy": POLICY_NAMES[policy], **_row(case, own, policy)} for policy in planning.POLICIES]
    table = pd.DataFrame(rows)
    fixed, scaled, zero = table.to_dict("records")
    return Finding(table, (
        f"Idle time is {fixed['idle_share']:.0%} of the bill of a fixed fleet, {scaled['idle_share']:.0%} with autoscaling and "
        f"{zero['idle_share']:.0%} with scaling to zero."), (
        f"On-demand prices {gpu_prices.known(case)}, the same for each policy; sellers of machines that scale to zero ask more "
        "for a second. Low ends: cheapest offer and fast end of the model's 80 % interval; high ends: the dearest and the slow. "
        f"A request that wakes a replica waits for its start, {case.start_minutes:g} min: {zero['cold_share']:.2%} of them when "
        "scaled to zero."), UNITS)


def _row(case, own, policy):
    """One policy: numbers of its plan, bill and costs with their ends."""
    row = {}
    for end, (speed, place) in ENDS.items():
        plan = _plan(case, own, policy, speed)
        hour = own.usd[place]
        month = money.usd_per_month_of_gpus(usd_per_gpu_hour=hour, n_gpus=ONE_REPLICA * plan["mean_paid_replicas"])
        row |= {f"n_gpus{end}": plan["mean_paid_replicas"] * case.n_gpus, f"peak_gpus{end}": plan["peak_replicas"] * case.n_gpus,
                f"usd_per_month{end}": month, f"idle_usd_per_month{end}": month * plan["idle_share"],
                **{name + end: usd for name, usd in planning.costs(
                    plan, usd_per_replica_hour=hour, requests_per_s=own.found[f"requests_per_s{speed}"],
                    tok_per_request=own.tok).items()}}
        row[f"utilisation{end}"] = plan["utilisation"]
        if not end:
            row |= {name: plan[name] for name in ("idle_share", "cold_share", "turned_away", "peak_to_mean")}
    # whole replicas: the middle of the interval may need the emptier fleet, so its ends are those of all three
    for name in ("utilisation", "idle_usd_per_month"):
        found = [row[f"{name}{end}"] for end in ENDS]
        row[f"{name}_low"], row[f"{name}_high"] = min(found), max(found)
    return row


@finding
def cost_over_load(case):
    """Cost of a token over the mean load for each policy, on the basis of allocation, and on that of usage."""
    own, load = replica(case), _load(case)
    most = own.found["requests_per_s"]
    demands = np.geomspace(min(RAREST, case.requests_per_s / 10), max(100 * most, 3 * case.requests_per_s), 160)
    tokens = convert(demands * own.tok, "tok/s", "tok/h")
    parts = []
    for policy in planning.POLICIES:
        part = pd.DataFrame({"requests_per_s": demands, "basis": POLICY_NAMES[policy]})
        for end, (speed, place) in ENDS.items():
            if end and policy != case.policy:
                continue  # one band: three would hide each other
            paid = planning.demand_curve(load, demands=demands, policy=policy, **_terms(case, own, speed))
            served = tokens
            if policy == "fixed" and case.percentile < 1:  # the rest finds no place, and is no token that is sold
                rate = own.found[f"requests_per_s{speed}"]
                done = np.minimum(np.outer(demands, load["ratio"]), (paid * rate)[:, None]).mean(axis=1)
                served = tokens * done / demands
            part[f"usd_per_mtok{end}"] = money.usd_per_mtok_of_bill(usd_per_day=paid * own.usd[place] * HOURS_PER_DAY,
                                                                    tok_per_day=served * HOURS_PER_DAY)
        parts.append(part)
    used = {f"usd_per_mtok{end}": money.usd_per_mtok(usd_per_gpu_hour=own.usd[place], n_gpus=ONE_REPLICA, utilisation=1.0,
                                                     tok_per_s=own.found[f"requests_per_s{speed}"] * own.tok)
            for end, (speed, place) in ENDS.items()}
    parts.append(pd.DataFrame({"requests_per_s": demands, "basis": FULL, "usd_per_mtok": used["usd_per_mtok"]}))
    table = pd.concat(parts, ignore_index=True)
    one = table[table["basis"] == POLICY_NAMES["fixed"]]
    dear, cheap = (float(np.interp(np.log(rate), np.log(demands), one["usd_per_mtok"])) for rate in (most / 100, 100 * most))
    return Finding(table, (
        f"A token of the fixed fleet costs {dollars(cheap)} a million at the load of a hundred full replicas and "
        f"{dollars(dear)} at a hundredth of one; on busy time alone it costs {dollars(used['usd_per_mtok'])}"), (
        "Allocation: all paid time over all tokens, for each policy. Usage: what a token costs on a replica that is always "
        f"full; the rest of the bill is nobody's. The band, {POLICY_NAMES[case.policy]}: prices {gpu_prices.known(case)} and the "
        "model's 80 % interval. Input and output tokens together."),
        requests_per_s=case.requests_per_s, used=used["usd_per_mtok"], dear=dear, cheap=cheap)


@finding
def headline(case):
    """The answer of the chapter: how full the fleet of the page is, and what the idle part costs."""
    table = policies(case).table
    by = dict(zip(planning.POLICIES, table.to_dict("records"), strict=True))
    row = by[case.policy]
    waiting = row["usd_per_mtok_allocated"] - row["usd_per_mtok_used"]
    waits = f", {dollars(waiting)} of it for waiting" if dollars(waiting) != dollars(0) and waiting > 0 else ""
    sentence = (
        f"{FLEETS[case.policy]} works {percent(row['utilisation'])} of the hours paid for; a million tokens cost "
        f"{dollars(row['usd_per_mtok_allocated'])}{waits}."
        + (f" The fixed fleet has no place for {percent(by['fixed']['turned_away'])} of the requests."
           if by["fixed"]["turned_away"] > NOTICED else ""))
    return Finding(
        table, sentence, "", UNITS, number=percent(row["utilisation"]),
        label=f"of the paid time a {POLICY_NAMES[case.policy].replace('fleet', '').strip()} fleet is busy under real load")


def _bursts(profile):
    """Busiest ten minutes over busiest hour of the trace of a profile; of the large model where there is no trace."""
    name = profile if profile in traffic.HOURLY else traffic.HOURLY[0]
    return traffic.fact(name, "peak_10min") / traffic.fact(name, "peak_1h")


@finding
def sensitivity(case):
    """Utilisation and cost under the policy of the page when one input moves and the others stay."""
    moves = {
        "the page itself": {},
        "the same load in every hour": {"profile": "flat"},
        "a smooth day instead": {"profile": "diurnal"},
        "ten times the load": {"requests_per_s": 10 * case.requests_per_s},
        "a hundredth of the load": {"requests_per_s": case.requests_per_s / 100},
        "every hour sized for its busiest ten minutes": {"headroom": _bursts(case.profile)},
        "sized for 99% of the hours": {"percentile": 0.99, "policy": "fixed"},
        "autoscaled, two minutes ahead": {"policy": "autoscale", "start_minutes": 2.0},
        "autoscaled, two hours ahead": {"policy": "autoscale", "start_minutes": 120.0},
        "half the time per token": {"tpot_ms": case.tpot_ms / 2},
    }  # fmt: skip
    own, rows = replica(case), []
    for text, move in moves.items():
        if move and all(getattr(case, name, None) == value for name, value in move.items()):
            continue
        now = changed(case, **move)
        if now.requests_per_s > MOST:
            continue
        try:
            other = replica(now) if "tpot_ms" in move else own
        except (TooSlow, NoEstimate):
            continue  # a limit that no replica of this size keeps to
        rows.append({"change": text, **_row(now, other, now.policy)})
    table = pd.DataFrame(rows)
    cut = next((row["turned_away"] for row in rows if row["change"].startswith("sized")), 0.0)
    burst = traffic.LABELS[case.profile if case.profile in traffic.HOURLY else traffic.HOURLY[0]]
    note = (f"Where nothing else is said, the policy of the page: {POLICY_NAMES[case.policy]}. Busiest ten minutes: "
            f"{_bursts(case.profile):.2f} times the hour, as in the peak of the {burst}.")
    if cut > NOTICED:
        note += f" Sized for 99% of the hours, the fleet cannot serve {cut:.2%} of all requests in time."
    return Finding(table, "", note, UNITS)

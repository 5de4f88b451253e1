"""Several providers and contracts for the page's load: the cheapest mix by the hour, and what one more GPU would cost."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.decision import portfolio
from tokenecon.errors import BadInput, Infeasible
from tokenecon.finding import Finding, finding
from tokenecon.fleet import planning, pools, traffic
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.contracts import contract_prices
from tokenecon_book.documents.bills import positive
from tokenecon_book.documents.printed import n
from tokenecon_book.documents.words import count, dollars, listed, percent, span

ORDER = ("three-year contract", "one-year contract", "three-month contract", "spot", "on demand")
COLUMNS = {
    "what": ("A GPU-hour of demand", None), "usd_per_gpu_hour": ("One more GPU", "USD/GPU/h"),
}  # fmt: skip
BILL_COLUMNS = {
    "design": ("Design", None), "usd_per_day": ("Bill", "USD/day"), "of_on_demand": ("Of all on demand", "fraction"),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "saving": ("Mix saves", "fraction"),
    "committed_share": ("Best commitment, of the peak", "fraction"), "commitment_saving": ("It alone saves", "fraction"),
}  # fmt: skip
SPOT_TIMES = ("spot.restart", "spot.lost")
ON_DEMAND_HOURS = "on-demand hours"
LEAST = 1e-6  # a saving below it is a solver's rounding
LITTLE = 0.01  # GPUs: so little more that what is bought for it stays the same
NEARLY_NOTHING = 1e-6  # GPUs: what a solver leaves where it buys none


def demand(case):
    """GPUs that the page's volume needs in each hour of its profile: whole replicas within the waiting target."""
    positive(case, "tokens_per_day")
    found = pools.replica(case)
    rate = case.tokens_per_day / (case.isl + case.osl) / units.convert(1.0, "day", "s")
    needed = planning.replicas(rate * traffic.profile(case.profile)["ratio"].to_numpy(), requests_per_s=found["requests_per_s"],
                               concurrency=found["concurrency"], wait_probability=case.wait_probability)
    return needed * case.n_gpus


def offers(case, end=1):
    """Offers of the price book for the page's GPU; ``end`` 0 to 2: spot that is kind, as expected, or unkind."""
    restart, lost = (data.span(name)[end] for name in SPOT_TIMES)
    return portfolio.market(
        case.gpu, case.as_of, limit=float(case.provider_gpus), availability=data.span("spot.availability")[2 - end],
        interruptions=data.span("spot.interruptions")[end], restart=restart, lost=lost, sellers=case.sellers,
        on_demand=gpu_prices.stated(case))


def solved(case, end=1, kinds=portfolio.KINDS, more=0.0, **changed):
    """The cheapest mix of the offers of some kinds, for some GPUs more by the hour; refuses with the parameter that can help."""
    known = offers(case, end)
    terms = {"spot_share": case.spot_share, "lost_share": case.lost_share} | changed
    try:
        return portfolio.cheapest(demand(case) + more, known[known["kind"].isin(kinds)], **terms)
    except Infeasible as error:
        raise BadInput(f"parameter 'provider_gpus' is {case.provider_gpus}: {error}") from None


@finding
def by_hour(case):
    """Paid GPUs by the hour and contract in the cheapest mix, with the bill against all on demand."""
    best, plain = solved(case), solved(case, kinds=(portfolio.ON_DEMAND,))
    shape = traffic.profile(case.profile)
    hours = shape["hour"].to_numpy()
    names = best["offers"]["contract"].to_numpy()
    ends_at = np.append(hours, hours[-1] + 1)  # the last step is drawn to its end
    paid = {name: best["paid"][names == name].sum(axis=0) for name in ORDER if (names == name).any()}
    parts = [pd.DataFrame({"hour": ends_at, "contract": name, "n_gpus": np.append(n_gpus, n_gpus[-1])})
             for name, n_gpus in paid.items() if n_gpus.max() > NEARLY_NOTHING]
    table = pd.concat(parts, ignore_index=True)
    saved = share(best["cost"] / plain["cost"])
    ends = sorted(share(solved(case, end)["cost"] / plain["cost"]) for end in (0, 2))
    bought = best["offers"][best["paid"].max(axis=1) > NEARLY_NOTHING]
    taken, old = len(bought), int(sum(gpu_prices.is_old(day, case.as_of) for day in bought["as_of"]))
    shares = {name: n_gpus.sum() / best["paid"].sum() for name, n_gpus in paid.items()}
    most = max(shares, key=shares.get)
    words = f"by a {most}" if "contract" in most else most.replace("spot", "on spot")
    costs = f"costs {percent(saved)} less than all" if saved else "costs as much as all"
    return Finding(
        table, f"The cheapest mix takes {taken} of {count(len(best['offers']), 'offer')}, buys {percent(shares[most])} of its "
        f"hours {words}, and {costs} on demand",
        f"{data.gpu(case.gpu)['name']}, prices known on {case.as_of}{contract_prices.stated_words(case)}; each provider has "
        f"{count(case.provider_gpus, 'GPU')} for us. "
        f"At most {case.spot_share:.0%} of an hour's demand depends on spot, which may stand by beyond that; at most "
        f"{case.lost_share:.0%} is lost if a provider fails. Saved: "
        f"{span(*ends, percent)} by how often spot is there and interrupted. Parts of a GPU are allowed. Only "
        "offers are bought: what an index or an analyst's cost model says of contracts is not.",
        saving=saved, saving_low=ends[0], saving_high=ends[1], cost=best["cost"], on_demand=plain["cost"],
        needed=demand(case).max(), old=old, taken=taken, ticks=list(range(0, int(hours[-1]) + 2, max(1, len(hours) // 8))))


@finding
def one_more(case):
    """What one more GPU of demand costs: in the busiest hour, in the emptiest, and round the clock."""
    need, rows = demand(case), {}
    for end in range(3):
        cost = solved(case, end)["cost"]
        for what, hours in (("in the busiest hour", need == need.max()), ("in the emptiest hour", need == need.min()),
                            ("round the clock, mean of all hours", np.ones(len(need)))):
            more = LITTLE * hours
            rows.setdefault(what, []).append((solved(case, end, more=more)["cost"] - cost) / more.sum())
        rows.setdefault("for comparison: the whole mix, mean of all hours", []).append(cost / need.sum())
    table = pd.DataFrame([{"what": what, "usd_per_gpu_hour": ends[1], "usd_per_gpu_hour_low": min(ends),
                           "usd_per_gpu_hour_high": max(ends)} for what, ends in rows.items()])
    busiest, emptiest, round_the_clock, mean = table["usd_per_gpu_hour"]
    return Finding(
        table, f"One more GPU in the busiest hour costs {dollars(busiest)}, in the emptiest {dollars(emptiest)}, where the mix "
        f"pays {dollars(mean)} on average." if need.max() > need.min() else
        f"One more GPU in every hour costs {dollars(round_the_clock)} an hour, where the mix pays {dollars(mean)} on average.",
        "What is added to the bill, all requirements kept; the bill of a little more, solved again. Ranges: as in the bill.")


@finding
def bills(case):
    """A day's bill when one requirement is dropped or one kind of offer is left out."""
    plain = solved(case, kinds=(portfolio.ON_DEMAND,))["cost"]
    days = len(demand(case)) / units.HOURS_PER_DAY
    designs = {
        "all on demand": {"kinds": (portfolio.ON_DEMAND,)},
        "on demand and commitments": {"kinds": (portfolio.ON_DEMAND, portfolio.COMMITTED)},
        "on demand and spot": {"kinds": (portfolio.ON_DEMAND, portfolio.SPOT)},
        "the mix": {},
        "the mix, no limit on spot": {"spot_share": 1.0},
        "the mix, a provider may take all down": {"lost_share": 1.0},
        "the mix, any provider can fail without loss": {"lost_share": 0.0},
    }
    rows = []
    for design, terms in designs.items():
        try:
            cost = [solved(case, end, **terms)["cost"] for end in (0, 1, 2)]
        except BadInput:
            if not terms or "kinds" in terms:  # what the page is about
                raise
            rows.append({"design": f"{design}: too few providers"})
            continue
        rows.append({"design": design, "usd_per_day": cost[1] / days, "usd_per_day_low": min(cost) / days,
                     "usd_per_day_high": max(cost) / days, "of_on_demand": cost[1] / plain})
    table = pd.DataFrame(rows)
    return Finding(table, note="Ranges: how often spot is to be had and interrupted, and how long a restart takes.")


@finding
def headline(case):
    """The answer of the chapter: what the cheapest mix saves."""
    hours = by_hour(case)
    saved = hours["saving"]
    mixed = [name for name in used_contracts(hours.table) if name != ON_DEMAND_HOURS]
    way = "" if not mixed else f"mixing {listed(mixed)} with {ON_DEMAND_HOURS}" if len(mixed) < len(
        used_contracts(hours.table)) else f"buying nothing but {listed(mixed)}"
    aged = (f", {'partly ' if hours['old'] < hours['taken'] else ''}at prices over {gpu_prices.OLD_DAYS} days old"
            if hours["old"] else "")
    least = (f"{way} saves {saved:.1%}" if f"{saved:.1%}" != "0.0%" and mixed else
             "no mix is cheaper than on-demand hours alone")
    return Finding(
        hours.table, f"For {n(case.tokens_per_day, 3)} tokens a day, {least}{aged}.",
        number=f"{saved:.0%}", label=f"saved by the cheapest mix of contracts, prices of {case.as_of}")


def share(of_on_demand):
    """What is saved, a solver's rounding left out: nothing rather than less than nothing."""
    return 1 - of_on_demand if 1 - of_on_demand > LEAST else 0.0


def used_contracts(table):
    """Contracts of :func:`by_hour` in words: those of which something is bought."""
    return [f"{one}s" if "contract" in one else f"{one.replace(' ', '-')} hours" for one in table["contract"].unique()]


@finding
def sensitivity(case):
    """Saving of the mix and the best commitment when one input of the page moves and the others stay."""
    moves = {
        "the page itself": {}, "twice the volume": {"tokens_per_day": 2 * case.tokens_per_day},
        "a load without peaks": {"profile": "flat"}, "nothing may depend on spot": {"spot_share": 0.0},
        "all of it may run on spot": {"spot_share": 1.0}, "no provider may take anything down": {"lost_share": 0.0},
        "each provider has four times as many": {"provider_gpus": 4 * case.provider_gpus},
        "half the discount of a commitment": {"commitment_discount": case.commitment_discount / 2},
    }  # fmt: skip
    rows = []
    for text, move in moves.items():
        if move and all(getattr(case, name) == value for name, value in move.items()):
            continue
        now = SimpleNamespace(**(vars(case) | move))
        committed = contract_prices.commitment(now)["best"].iloc[0]
        try:
            hours = by_hour(now)
        except BadInput:
            if not move:
                raise
            rows.append({"change": f"{text}: too few providers"})
            continue
        rows.append({"change": text, **{name: hours[name] for name in ("saving", "saving_low", "saving_high")},
                     "committed_share": committed["committed_share"],
                     "commitment_saving": 1 - committed["cost_ratio"]})
    return Finding(pd.DataFrame(rows))

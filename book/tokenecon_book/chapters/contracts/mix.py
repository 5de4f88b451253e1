"""Several providers and contracts for the base case's fleet: the cheapest mix by the hour, and what one more replica costs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.decision import options, portfolio
from tokenecon.errors import BadInput, Infeasible
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.fleet import pools
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered
from tokenecon_book.chapters.contracts import contract_prices
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.bills import positive
from tokenecon_book.documents.words import count, dollars, percent, saves, span, whole_dollars

ORDER = ("three-year contract", "one-year contract", "three-month contract", "spot", "on demand")
COLUMNS = {
    "what": ("A GPU-hour of demand", None), "usd_per_gpu_hour": ("One more replica", "USD/GPU/h"),
}  # fmt: skip
BILL_COLUMNS = {
    "design": ("Design", None), "usd_per_day": ("Machine hours of a day", "USD/day"),
    "of_base": ("Of all on demand at the median price", "fraction"),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "usd_per_day": ("The mix", "USD/day"),
    "on_demand": ("All on demand at the median price", "USD/day"), "saving": ("Mix saves", "fraction"),
}  # fmt: skip
SPOT_TIMES = ("spot.restart", "spot.lost")
ON_DEMAND_HOURS = "on-demand hours"
NEARLY_NOTHING = 1e-6  # GPUs: what a solver leaves where it buys none
# what a mix is of, beside the load
TERMS = ("sellers", "provider_gpus", "spot_share", "lost_share", "spot_discount", "commitment_discount")


def rented(case):
    """The base case's fleet rented on demand, a row of :func:`base.bill`: whose machine hours all mixes are held against."""
    return pd.Series(dict(_fleet(*_stated(case))[0]))


def demand(case):
    """GPUs that the base case pays for in each hour of its load: whole replicas, one more for a part of an hour at a start."""
    return np.array(_fleet(*_stated(case))[1])


def _stated(case):
    """The parameters of a page that its fleet follows from, after those that refuse have had their say."""
    positive(case, "requests_per_day")
    pools.replica(case)  # a refusal names the parameter
    return tuple((name, getattr(case, name)) for name in base.FIELDS if hasattr(case, name))


@remembered
def _fleet(*stated):
    case = SimpleNamespace(**dict(stated))
    row = base.bill(case)
    return row.to_dict(), tuple(options.by_hour(base.of(case, gpus=[case.gpu]), row) * case.n_gpus)


def offers(case, end=1):
    """Offers of the price book for the page's GPU; ``end`` 0 to 2: spot that is kind, as expected, or unkind; read only."""
    return _market(**_asked(case, end))


@remembered
def _market(**asked):
    return portfolio.market(**asked)


def _asked(case, end):
    """What :func:`offers` asks the price book for."""
    restart, lost = (data.span(name)[end] for name in SPOT_TIMES)
    return {"gpu": case.gpu, "as_of": case.as_of, "limit": float(case.provider_gpus), "sellers": case.sellers,
            "availability": data.span("spot.availability")[2 - end], "interruptions": data.span("spot.interruptions")[end],
            "restart": restart, "lost": lost, "on_demand": gpu_prices.stated(case), "spot_discount": case.spot_discount,
            "commitment_discount": case.commitment_discount}


def solved(case, end=1, kinds=portfolio.KINDS, more=0.0, **changed):
    """The cheapest mix of the offers of some kinds, for some GPUs more by the hour; refuses with the parameter that can help.

    Read only: figures and sentences of the page ask for the same mixes.
    """
    asked = _asked(case, end)
    _market(**asked)  # what refuses the offers is said before what refuses the load
    terms = {"spot_share": case.spot_share, "lost_share": case.lost_share, "whole": case.n_gpus} | changed
    return _solved(tuple(demand(case) + more), case.provider_gpus, tuple(kinds), tuple(asked.items()), **terms)


@remembered
def _solved(load, provider_gpus, kinds, asked, **terms):
    known = _market(**dict(asked))
    try:
        return portfolio.cheapest(load, known[known["kind"].isin(kinds)], **terms)
    except Infeasible as error:
        raise BadInput(f"parameter 'provider_gpus' is {provider_gpus}: {error}") from None


def usd_per_day(case, end=1, **terms):
    """What the hours of a mix cost a day. [USD/day]"""
    found = solved(case, end, **terms)
    return found["cost"] / found["paid"].shape[1] * units.HOURS_PER_DAY


def _ends_of_day(case, **terms):
    """The ends of what the hours of a mix cost a day, for :func:`named`."""
    outer = [usd_per_day(case, end, **terms) for end in range(3)]
    return {"low": min(outer), "high": max(outer)}


def _ends(saved, outer):
    """The ends of what is saved or, where more is paid, of what is added, for :func:`named`."""
    low, high = sorted(share if saved >= 0 else -share for share in (*outer, saved))[::2]
    return {"low": low, "high": high}


def instance(case):
    """What a mix is of, for :func:`named`."""
    return base.load(case) | base.cased(case, *TERMS)


@finding
def by_hour(case):
    """Paid GPUs by the hour and contract in the cheapest mix, with the bill against the base case's."""
    best, plain = solved(case), base.machines_usd_per_day(rented(case))
    hours = base.of(case).profile["hour"].to_numpy()
    names = best["offers"]["contract"].to_numpy()
    ends_at = np.append(hours, hours[-1] + 1)  # the last step is drawn to its end
    paid = {name: best["paid"][names == name].sum(axis=0) for name in ORDER if (names == name).any()}
    parts = [pd.DataFrame({"hour": ends_at, "contract": name, "n_gpus": np.append(n_gpus, n_gpus[-1])})
             for name, n_gpus in paid.items() if n_gpus.max() > NEARLY_NOTHING]
    table = pd.concat(parts, ignore_index=True)
    costs = [usd_per_day(case, end) for end in range(3)]
    saved = 1 - costs[1] / plain
    ends = sorted(1 - costs[end] / plain for end in (0, 2))
    bought = best["offers"][best["paid"].max(axis=1) > NEARLY_NOTHING]
    taken, old = len(bought), int(sum(gpu_prices.is_old(day, case.as_of) for day in bought["as_of"]))
    shares = {name: n_gpus.sum() / best["paid"].sum() for name, n_gpus in paid.items()}
    most = max(shares, key=shares.get)
    words = f"by a {most}" if "contract" in most else most.replace("spot", "on spot")
    part = named("mix-share", shares[most], percent, contract=most, **instance(case))
    said = contract_prices.said_saves("mix-saving", saved, **_ends(saved, ends), dearer=saved < 0, **instance(case))
    return Finding(
        table, f"The cheapest mix buys {part} of its hours {words} and {said} against all on demand at "
        f"{median(case)}",
        f"{data.gpu(case.gpu)['name']}, prices known on {case.as_of}{contract_prices.stated_words(case)}; the mix takes {taken} "
        f"of {count(len(best['offers']), 'offer')}. Each provider has {count(case.provider_gpus, 'GPU')} for us, and lets whole "
        f"replicas of {count(case.n_gpus, 'GPU')}. At most {case.spot_share:.0%} of an hour's demand depends on spot, which may "
        f"stand by beyond that; at most {case.lost_share:.0%} is lost if a provider fails, so that what is paid may be more than "
        f"the load needs. Outer bound of what is saved: {span(*ends, signed)}, by how often spot is there and interrupted. Only "
        "offers are bought: what an index or an analyst's cost model says of contracts is not.",
        shares=shares, saving=saved, saving_low=ends[0], saving_high=ends[1], usd_per_day=costs[1], on_demand=plain,
        needed=demand(case).max(), old=old, taken=taken, ticks=list(range(0, int(hours[-1]) + 2, max(1, len(hours) // 8))))


def median(case):
    """Whose price the base case's hours on demand have, in words that follow "at"."""
    return "the price that the page states" if gpu_prices.stated(case) is not None else "the median price"


def signed(share):
    """A saving that may be a loss, in words of a note: "17%", "nothing", "12% more is paid"."""
    return saves(share).replace("saves ", "").replace(" more", " more is paid").replace("costs ", "")


@finding
def one_more(case):
    """What one more replica of demand costs, for each of its GPUs: in the busiest hours, in the emptiest, and round the clock."""
    need, rows = demand(case), {}
    for end in range(3):
        cost = solved(case, end)["cost"]
        for what, hours in (("in the busiest hours", need == need.max()), ("in the emptiest hours", need == need.min()),
                            ("round the clock, mean of all hours", np.ones(len(need)))):
            more = float(case.n_gpus) * hours
            rows.setdefault(what, []).append((solved(case, end, more=more)["cost"] - cost) / more.sum())
        rows.setdefault("for comparison: the whole mix, mean of all hours", []).append(cost / need.sum())
    table = pd.DataFrame([{"what": what, "usd_per_gpu_hour": ends[1], "usd_per_gpu_hour_low": min(ends),
                           "usd_per_gpu_hour_high": max(ends)} for what, ends in rows.items()])
    said = [named("hour-one-more", row["usd_per_gpu_hour"], dollars, **ends(row, "usd_per_gpu_hour"), hours=row["what"],
                  **instance(case)) for row in table.to_dict("records")]
    busiest, emptiest, round_the_clock, mean = said
    when = (f"{round_the_clock}" if need.max() == need.min() else f"{busiest} in the busiest and in the emptiest hours"
            if busiest == emptiest else f"{busiest} in the busiest hours and {emptiest} in the emptiest")
    return Finding(
        table, f"An hour of a GPU for one more replica costs {when}; for what is needed now the mix pays {mean} on average.",
        "What is added to the bill, all requirements kept. Outer bound: spot that is kind, or unkind, in all its inputs at once.")


@finding
def bills(case):
    """Machine hours of a day when one requirement is dropped or one kind of offer is left out, beside those of the base case."""
    row = rented(case)
    plain = base.machines_usd_per_day(row)
    designs = {
        "on demand at the cheapest sellers": {"kinds": (portfolio.ON_DEMAND,)},
        "on demand and commitments": {"kinds": (portfolio.ON_DEMAND, portfolio.COMMITTED)},
        "on demand and spot": {"kinds": (portfolio.ON_DEMAND, portfolio.SPOT)},
        "the mix": {},
        "the mix, no limit on spot": {"spot_share": 1.0},
        "the mix, a provider may take all down": {"lost_share": 1.0},
        "the mix, any provider can fail without loss": {"lost_share": 0.0},
        "the mix, if parts of a replica worked": {"whole": None},
    }
    rows = [{"design": f"all on demand at {median(case)}: the base case", "usd_per_day": plain, "of_base": 1.0}]
    for design, terms in designs.items():
        try:
            cost = [usd_per_day(case, end, **terms) for end in range(3)]
        except BadInput:
            if not terms or "kinds" in terms:  # what the page is about
                raise
            rows.append({"design": f"{design}: too few providers"})
            continue
        rows.append({"design": design, "usd_per_day": cost[1], "usd_per_day_low": min(cost), "usd_per_day_high": max(cost),
                     "of_base": cost[1] / plain})
    return Finding(
        pd.DataFrame(rows),
        f"The machine hours of the base case, rented on demand, cost {said_rented(case, row)} a day; with staff and tools "
        f"{base.said_day(case, row)}.",
        "Machine hours alone. Outer bound: how often spot is to be had and interrupted, and how long a restart takes.",
        whole_usd_per_day=base.usd_per_day(row))


def said_rented(case, row):
    """The machine hours of a day of the base case's rented fleet, as text and named quantity."""
    return named("machines-day", base.machines_usd_per_day(row), whole_dollars, **base.choice(base.of(case), row))


@finding
def headline(case):
    """The answer of the chapter: what the cheapest mix costs, the cheapest sellers on demand, and the base case's hours."""
    hours, row = by_hour(case), rented(case)
    used = used_contracts(hours.table)
    way = "The cheapest mix of contracts costs" if len(used) > 1 else f"Buying nothing but {used[0]} costs"
    mixed = named("mix-day", hours["usd_per_day"], whole_dollars, **_ends_of_day(case), **instance(case))
    aged = "" if not hours["old"] else " (partly at old prices)" if hours["old"] < hours["taken"] else " (at old prices)"
    others = f"{median(case)} {said_rented(case, row)}"
    if used != [ON_DEMAND_HOURS] and gpu_prices.stated(case) is None:
        kinds = (portfolio.ON_DEMAND,)
        hourly = named("mix-day", usd_per_day(case, kinds=kinds), whole_dollars, **_ends_of_day(case, kinds=kinds),
                       kinds="on_demand", **instance(case))
        if hourly == mixed:
            way = "The cheapest mix of contracts costs, like the cheapest on-demand sellers,"
        else:
            others = f"the cheapest on-demand sellers {hourly}, {others}"
    return Finding(
        hours.table, f"{way} {mixed} a day{aged}, {others}.",
        number=named("mix-saving", abs(hours["saving"]), "{:.0%}".format,
                     **_ends(hours["saving"], (hours["saving_low"], hours["saving_high"])), dearer=hours["saving"] < 0,
                     **instance(case)),
        label=f"{'more' if hours['saving'] < 0 else 'less'} for the cheapest mix of contracts than for all on demand at "
              f"{median(case)}")


@finding
def ways(whole, answer):
    """The bills of :func:`bills` under the answer of the chapter, which they show."""
    return Finding(whole.table, answer.sentence.removesuffix("."), whole.note, {"of_base": "fraction"})


def used_contracts(table):
    """Contracts of :func:`by_hour` in words: those of which something is bought."""
    return [f"{one}s" if "contract" in one else f"{one.replace(' ', '-')} hours" for one in table["contract"].unique()]


@finding
def sensitivity(case):
    """Cost and saving of the mix when one input of the page moves and the others stay."""
    spot, committed = (data.value(name) for name in ("spot.discount", "commitment.discount"))
    moves = {
        "the page itself": {}, "ten times the volume and offers": {"requests_per_day": 10 * case.requests_per_day,
                                                                   "provider_gpus": 10 * case.provider_gpus},
        "a load without peaks": {"profile": "flat"}, "nothing may depend on spot": {"spot_share": 0.0},
        "all of it may run on spot": {"spot_share": 1.0}, "no provider may take anything down": {"lost_share": 0.0},
        "each provider has four times as many": {"provider_gpus": 4 * case.provider_gpus},
        f"every seller lets spot at {percent(spot)} off": {"spot_discount": spot},
        f"every seller lets three years at {percent(committed)} off": {"commitment_discount": committed},
    }  # fmt: skip
    rows = []
    for text, move in moves.items():
        if move and all(getattr(case, name) == value for name, value in move.items()):
            continue
        now = pools.changed(case, **move)
        try:
            hours = by_hour(now)
        except BadInput:
            if not move:
                raise
            rows.append({"change": f"{text}: too few providers", **moved.said(move)})
            continue
        rows.append({"change": text, **moved.said(move), "usd_per_day": hours["usd_per_day"], "on_demand": hours["on_demand"],
                     **{name: hours[name] for name in ("saving", "saving_low", "saving_high")}})
    return Finding(pd.DataFrame(rows), note="A minus: the mix costs more than all on demand, for what it adds in safety.",
                   units={"on_demand": "USD/day", "saving": "fraction"})

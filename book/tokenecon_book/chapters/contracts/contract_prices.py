"""What an hour of a GPU costs by contract: spot with interruptions, commitments for a load that varies."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import NoPrice
from tokenecon.finding import Finding, finding, given, named
from tokenecon.fleet import pools, traffic
from tokenecon.formulas import contracts
from tokenecon.prices import gpu_prices
from tokenecon_book.documents import base
from tokenecon_book.documents.words import percent, saves

ON_DEMAND = 1.0  # every price here is relative to it
PRINTED = {"spot_discount": "spot.discount", "commitment_discount": "commitment.discount"}
SPOT_TIMES = ("spot.restart", "spot.lost")
KINDS = {
    "on_demand": "on demand", "marketplace": "marketplace", "spot": "spot", "reserved_3m": "three-month contract",
    "committed_1y": "one-year contract", "committed_3y": "three-year contract", "rental_3y": "three-year contract, part prepaid",
    "owned_hyperscaler": "owned, by a hyperscaler", "owned_neocloud": "owned, by a neocloud",
}  # fmt: skip
PRICE_COLUMNS = {
    "kind": ("Contract", None), "usd_per_gpu_hour": ("Price", "USD/GPU/h"),
    "of_on_demand": ("Of on demand", "fraction"), "sellers": ("Sellers", None), "age_days": ("Age", "day"),
}  # fmt: skip


def discount(case, name):
    """A discount of one contract looked at alone: what the page states, else what the documents print. [fraction]"""
    stated = getattr(case, name)
    return data.value(PRINTED[name]) if stated is None else stated


def said_discount(case, name):
    """:func:`discount` in words that follow "at", with its named number: "the documents' 60% off"."""
    if getattr(case, name) is not None:
        return f"{given(case, name, percent)} off"
    return f"the documents' {named(PRINTED[name], data.value(PRINTED[name]), percent)} off"


def said_saves(name, share, **of):
    """:func:`saves` with its number named; ``low`` and ``high`` are the ends of what is saved or, below none, added."""
    named(name, abs(share), "{:.0%}".format, **of)
    return saves(share)


def _spot(case, *, interruptions, availability, restart, lost):
    return contracts.spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=1 - discount(case, "spot_discount"), on_demand_usd_per_gpu_hour=ON_DEMAND,
        availability=availability, interruptions_per_hour=interruptions, restart_hours=restart, lost_hours=lost)


@finding
def spot(case):
    """Price of an hour of work on spot GPUs over interruptions, at several availabilities, on demand = 1."""
    (low, usual, high), (_, often, _) = data.span("spot.availability"), data.span("spot.interruptions")
    rates = np.linspace(0, max(1.0, 2 * often), 41)
    times = [data.span(name) for name in SPOT_TIMES]
    parts = []
    for availability in (low, usual, high):
        ends = [_spot(case, interruptions=rates, availability=availability, restart=restart, lost=lost)
                for restart, lost in zip(*times, strict=True)]
        part = pd.DataFrame({"interruptions_per_hour": rates, "availability": f"{availability:.0%} of the time",
                             "price_ratio": ends[1]})
        if availability == usual:  # one band: three would hide each other
            part["price_ratio_low"], part["price_ratio_high"] = ends[0], ends[2]
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    restart, lost = (span[1] for span in times)
    here = {"availability": usual, "restart": restart, "lost": lost}
    calm, now = (_spot(case, interruptions=rate, **here) for rate in (0.0, often))
    # Where the repeated work of an interruption has used up the discount, spot is as dear as on demand.
    off = discount(case, "spot_discount")
    dear = off / (1 - off) / (restart + lost) if off < 1 else np.inf
    cost = named("spot-work", now, percent, discount=off)
    return Finding(table, (
        f"At {said_discount(case, 'spot_discount')}, spot with on-demand hours in its gaps costs {cost} of on demand; " + (
            "what is free stays cheaper however often it is interrupted" if np.isinf(dear) else
            f"{named('spot-interruptions', dear, '{:.2g}'.format, discount=off)} interruptions an hour use the discount up")),
        f"Lines: how often spot is to be had. Outer bound, at {usual:.0%}: time to restart and work lost. Without interruptions "
        f"{calm:.0%}; the figure of the title is for {often:g} an hour. Work that can be repeated only; a stream that a user "
        "watches cannot.",
        calm=calm, now=now, dear=dear, committed=1 - discount(case, "commitment_discount"))


def falling_market():
    """What on-demand rent costs over the term when it falls, as a share of what it would cost if it did not."""
    terms = {"usd_per_gpu_hour": ON_DEMAND, "discount_per_year": data.value("finance.discount_rate"),
             "years": data.claim("dep-gcp-cud-term")["low"]}
    return (contracts.present_usd_per_gpu(decline_per_year=data.value("finance.price_decline"), **terms)
            / contracts.present_usd_per_gpu(decline_per_year=0.0, **terms))


@finding
def commitment(case):
    """Cost of a varying load over the share of its peak that is committed, all on demand = 1."""
    profile, stated = base.of(case).profile, discount(case, "commitment_discount")
    load = profile["ratio"].to_numpy()
    demand, shares = list(load / load.max()), np.linspace(0, 1, 101)
    left = falling_market()
    lowest = min(data.span("commitment.discount")[0], stated)
    discounts = {f"{stated:.0%} off": stated, f"{stated:.0%} off, rents falling": 1 - (1 - stated) / left,
                 f"{lowest:.0%} off": lowest}
    parts, best = [], []
    for label, off in discounts.items():
        cost = contracts.committed_usd_per_hour(on_demand_usd_per_gpu_hour=ON_DEMAND, discount=off,
                                                committed_gpus=shares, demand_gpus=demand) / np.mean(demand)
        parts.append(pd.DataFrame({"committed_share": shares, "contract": label, "cost_ratio": cost}))
        best.append({"committed_share": shares[cost.argmin()], "cost_ratio": cost.min(), "contract": label,
                     "label": f"best: {shares[cost.argmin()]:.0%}"})
    table = pd.concat(parts, ignore_index=True)
    first, falling, decline = best[0], best[1], data.value("finance.price_decline")
    use = contracts.commitment_break_even_use(discount=stated)
    saved, later = (max(0.0, 1 - one["cost_ratio"]) for one in (first, falling))
    of = {"profile": case.profile, "discount": stated}
    return Finding(table, (
        f"At {said_discount(case, 'commitment_discount')}, a commitment is best for "
        f"{named('commitment-share', first['committed_share'], percent, **of)} of the peak and saves "
        f"{named('commitment-saving', saved, percent, **of)} of the bill"
        if first["committed_share"] and saved else
        f"At {said_discount(case, 'commitment_discount')}, a commitment saves nothing at this load, whatever its amount"), (
        f"Load profile {case.profile}, {traffic.peak_to_mean(profile):.2f} times as busy at its peak as on average. It pays to "
        f"commit what is needed in more than {use:.0%} of hours; the mean load is {np.mean(demand):.0%} of the peak. If rents "
        f"fall by {decline:.0%} a year, the same contract saves {percent(later) if later else 'nothing'}. The load is bought in "
        "any part here; a fleet of few replicas has steps."),
        best=pd.DataFrame(best).drop_duplicates(["committed_share", "cost_ratio"]),
        effective_discount=discounts[list(discounts)[1]])


def stated_words(case):
    """What the page states of a price, in words that follow those about the day."""
    usd = gpu_prices.stated(case)
    return "" if usd is None else f", on demand ${usd:.4g} an hour as the page states"


@finding
def prices(case):
    """What an hour of the page's GPU costs by contract on the date of the page."""
    rows = []
    full = base.hour(case)
    for kind, words in KINDS.items():
        try:
            found = full if kind == "on_demand" else gpu_prices.price_range(case.gpu, kind, case.as_of, estimates=True)
        except NoPrice:
            continue
        ends = {"": "typical", "_low": "low", "_high": "high"}
        rows.append({"kind": words + (" (estimate)" if found["estimates"] else ""), "sellers": found["sellers"],
                     "as_of": found["as_of"], "age_days": gpu_prices.age_days(found),
                     "of_on_demand": found["typical"] / full["typical"],
                     **{f"usd_per_gpu_hour{end}": found[name] for end, name in ends.items()}})
    return Finding(pd.DataFrame(rows), _asked(case, full), (
        f"Typical, on demand: {gpu_prices.counted(full)}. Ranges: spread of offers. Providers differ in network, support and "
        "terms, not only in price."))


def _asked(case, full):
    """What sellers ask on demand, in a sentence: one, none but the page's own, or the typical and the cheapest."""
    name, typical, old = data.gpu(case.gpu)["name"], base.said_hour(case), " (an old quote)" if gpu_prices.aged(full) else ""
    if not full["rows"]:
        return f"An hour of {name} on demand is {typical}, as the page states."
    if full["sellers"] == 1:
        return f"On {case.as_of} the only seller of {name} on demand asks {typical} an hour{old}: no other takes work."
    cheapest = pools.changed(case, price_rule="best")
    of = base.cased(case, "gpu", "as_of")
    said = said_saves("cheapest-seller-saving", 1 - base.hour(cheapest)["typical"] / base.hour(case)["typical"], **of)
    return (f"On {case.as_of} {name} on demand costs {typical} an hour at the median of "
            f"{named('price-sellers', full['sellers'], str, kind='on_demand', rule=base.rule(case), **of)} sellers{old} and "
            f"{base.said_hour(cheapest)} at the cheapest that can still be had: that one {said}.")

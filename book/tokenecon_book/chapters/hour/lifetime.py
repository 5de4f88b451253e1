"""What the years do to an owned hour: life against resale value, and the cash flows of owning beside those of renting."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.decision import horizon
from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import contracts, tco
from tokenecon.ownership import hour_parts, owned_hour
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.hour.rent import owned_said, page_inputs
from tokenecon_book.documents import base
from tokenecon_book.documents.words import CENT, count, dollars, percent, than

YEARS = np.arange(2.0, 8.01, 0.25)
RUNNING = ("upkeep", "staff", "space", "power")
HALF_YEAR = 0.5  # a year's rent is paid at the price of its middle
CASH_COLUMNS = {
    "way": ("Way", None), "first_usd": ("At the start", "USD/GPU"), "yearly_usd": ("First year", "USD/GPU"),
    "last_usd": ("Last year", "USD/GPU"), "present_usd": ("Worth today", "USD/GPU"),
    "usd_per_gpu_hour": ("The same an hour", "USD/GPU/h"),
}  # fmt: skip


@finding
def life(case):
    """The owned hour over the years it is used, for three resale values at the end of its life, with the rent of the day."""
    rent = base.hour(case)
    inputs = page_inputs(case)
    expected = owned_hour.ends(owned_hour.spans(case.gpu, as_of=case.as_of, **inputs))[1]
    end = data.value("finance.life")
    shares = {share: f"worth {share:.0%} after {years_words(end)}" if share else f"worth nothing after {years_words(end)}"
              for share in data.span("finance.residual")}
    table = pd.concat([
        pd.DataFrame({"years": YEARS, "resale": words, "usd_per_gpu_hour": owned_hour.owned_total(
            **expected | {"years": YEARS, "residual_share": _resale(YEARS, share)})}) for share, words in shares.items()],
        ignore_index=True)
    sold = [{"residual_share": float(_resale([case.years], share)[0])} for share in (max(shares), min(shares))]
    totals = [owned_hour.owned_total(**expected | one) for one in sold]
    ends = [owned_said(case, total, **one) for total, one in zip(totals, sold, strict=True)]
    here = owned_hour.owned_total(**expected)
    less = owned_hour.owned_total(**expected | {"years": case.years - 1, "residual_share": _resale([case.years - 1], data.value(
        "finance.residual"))[0]}) - here if case.years >= 2 else 0.0
    after = given(case, "years", lambda years: count(years, "year"))
    return Finding(table, (
        f"What it sells for after {after} makes an owned hour of {data.gpu(case.gpu)['name']} cost {ends[0]} to {ends[1]}"
        if ends[0] != ends[1] else f"What it sells for after {after} hardly moves an owned hour of {data.gpu(case.gpu)['name']}"),
        f"A specialised cloud. The resale value falls on a straight line to the share of the price that it has after "
        f"{years_words(end)}, and stays there; of the network nothing is sold."
        + (f" A year less of use adds {dollars(less)}." if less > CENT else "")
        + f" Rent: the typical on-demand price of the day{', which is old' if gpu_prices.aged(rent) else ''}.",
        rent=rent["typical"], ends=totals)


def _resale(years, at_end_of_life):
    """Resale value over the price after each of some years, as a decision reckons it."""
    return np.array([horizon.resale_share(age, at_end_of_life) for age in years])


def years_words(years):
    """A number of years in words."""
    return f"{years:g} year{'' if years == 1 else 's'}"


def payments(inputs, years):
    """What an owner of one GPU pays: at the start, then at the end of each year, resale taken off the last. [USD/GPU]"""
    first = hour_parts.purchase_usd_per_gpu(**inputs)
    parts = owned_hour.parts(**inputs)
    yearly = sum(parts[name] for name in RUNNING) * units.HOURS_PER_YEAR * inputs["availability"]
    flows = [first, *[yearly] * years]
    flows[-1] -= (first - inputs["network_usd_per_gpu"]) * inputs["residual_share"]  # the network is not sold
    return flows


def rents(rent, decline, inputs, years):
    """What a tenant of one GPU pays for the same usable hours, at the end of each year. [USD/GPU]"""
    prices = contracts.declining_usd_per_gpu_hour(usd_per_gpu_hour=rent, decline_per_year=decline,
                                                  years=np.arange(years) + HALF_YEAR)
    return [0.0, *(float(price) * units.HOURS_PER_YEAR * inputs["availability"] for price in prices)]


@finding
def cash(case):
    """Owning against renting one GPU for whole years, as payments, and what they are worth today."""
    years = round(case.years)  # a whole number: the scenario allows no other
    inputs = owned_hour.spans(case.gpu, as_of=case.as_of, **page_inputs(case))
    rent = base.hour(case)
    ways = {"own": None, "rent, price stays": 0.0} | ({
        f"rent, price falls by {case.price_decline:.0%} a year": case.price_decline} if case.price_decline else {})
    rows = []
    for way, decline in ways.items():
        row = {"way": way}
        for end, name, values in zip(("_low", "", "_high"), owned_hour.PLACES, owned_hour.ends(inputs), strict=True):
            flows = payments(values, years) if decline is None else rents(rent[name], decline, values, years)
            rate = values["discount_rate"]
            hours = units.HOURS_PER_YEAR * values["availability"]
            row[f"present_usd{end}"] = tco.net_present_usd(cash_usd=flows, discount_rate=rate)
            row[f"usd_per_gpu_hour{end}"] = (
                row[f"present_usd{end}"] * tco.capital_recovery_factor(discount_rate=rate, years=float(years)) / hours)
            if not end:
                row |= {"first_usd": flows[0], "yearly_usd": flows[1], "last_usd": flows[-1]}
        # a tenant at the cheap end pays less for an hour and for more usable ones: either end may be the larger sum
        worth = [row[f"present_usd{end}"] for end in ("_low", "", "_high")]
        row["present_usd_low"], row["present_usd_high"] = min(worth), max(worth)
        rows.append(row)
    table = pd.DataFrame(rows)
    own, stays, *falls = table["present_usd"]
    after = given(case, "years", lambda years: count(years, "year"))
    said = [f"{_over(case, own / stays, 0.0, than)} renting"] + [
        f"if rents fall {given(case, 'price_decline', percent)} a year, {_over(case, own / fallen, case.price_decline, _less)}"
        for fallen in falls]
    return Finding(table, (
        f"Over {after}, if every hour is used, owning costs {'; '.join(said)}."),
        "Payments at the start and at the end of each year; the resale is taken off the last. The same number of usable hours "
        "both ways, all of them needed; an owner's machines draw power as if "
        f"{percent(page_inputs(case)['utilisation'])} of them worked. Outer bound: all open inputs and the rent at their cheap "
        "ends, and at their dear ends.",
        units=dict.fromkeys(("first_usd", "yearly_usd", "last_usd", "present_usd", "present_usd_low", "present_usd_high"),
                            "USD/GPU"))


def _less(ratio):
    """How one thing compares with another that is not named again: "53% less", "as much", "2.1 times as much"."""
    return than(ratio).removesuffix(" than").removesuffix(" as")


def _over(case, ratio, decline, show):
    """How the cost of owning compares with that of renting, as text and named quantity."""
    return named("own-over-rent", ratio, show, gpu=case.gpu, as_of=case.as_of, decline=decline, **page_inputs(case))

"""What the years do to an owned hour: life against resale value, and the cash flows of owning beside those of renting."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.finding import Finding, finding
from tokenecon.formulas import contracts, tco
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.hour.rent import page_inputs
from tokenecon_book.documents.words import LITTLE, dollars

YEARS = np.arange(2.0, 8.01, 0.25)
RUNNING = ("upkeep", "staff", "space", "power")
MANY_TIMES = 10  # from which on a ratio is said as one
HALF_YEAR = 0.5  # a year's rent is paid at the price of its middle
CASH_COLUMNS = {
    "way": ("Way", None), "first_usd": ("At the start", "USD/GPU"), "yearly_usd": ("First year", "USD/GPU"),
    "last_usd": ("Last year", "USD/GPU"), "present_usd": ("Worth today", "USD/GPU"),
    "usd_per_gpu_hour": ("The same an hour", "USD/GPU/h"),
}  # fmt: skip


@finding
def life(case):
    """The owned hour over the years it is used, for three resale values, with the rent of the day."""
    rent = gpu_prices.of_page(case)
    given = page_inputs(case)
    inputs = owned_hour.spans(case.gpu, as_of=case.as_of, **given)
    expected = owned_hour.ends(inputs)[1]
    low, middle, high = data.span("finance.residual")
    shares = {share: f"sold for {share:.0%} of its price" if share else "sold for nothing" for share in (low, middle, high)}
    table = pd.concat([
        pd.DataFrame({"years": YEARS, "resale": words,
                      "usd_per_gpu_hour": owned_hour.owned_total(**expected | {"years": YEARS, "residual_share": share})})
        for share, words in shares.items()], ignore_index=True)
    here = owned_hour.owned_total(**expected)
    best, worst = (owned_hour.owned_total(**expected | {"residual_share": share}) for share in (high, low))
    return Finding(table, (
        f"After {years_words(case.years)} a resale at {high:.0%} of the price or at nothing means {dollars(best)} or "
        f"{dollars(worst)} an hour"
        + (f"; a year less of use adds {dollars(owned_hour.owned_total(**expected | {'years': case.years - 1}) - here)}"
           if case.years >= 2 else "")),
        f"{data.gpu(case.gpu)['name']}, a specialised cloud. Each curve keeps its resale value at every age; in fact it falls "
        "with age, so a long life gains less than drawn. Rent: the typical on-demand price of the day.",
        rent=rent["typical"])


def years_words(years):
    """A number of years in words."""
    return f"{years:g} year{'' if years == 1 else 's'}"


def payments(inputs, years):
    """What an owner of one GPU pays: at the start, then at the end of each year, resale taken off the last. [USD/GPU]"""
    first = owned_hour.purchase_usd_per_gpu(**inputs)
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
    years = max(1, round(case.years))
    inputs = owned_hour.spans(case.gpu, as_of=case.as_of, **page_inputs(case) | {"years": float(years)})
    rent = gpu_prices.of_page(case)
    ways = {"own": None, "rent, price stays": 0.0, f"rent, price falls by {case.price_decline:.0%} a year": case.price_decline}
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
    own, stays, falls = table["present_usd"]
    return Finding(table, (
        f"Over {years_words(years)} owning costs {_than(own, stays, 'renting')} if rents stay, and {_than(own, falls)} if they "
        f"fall by {case.price_decline:.0%} a year."),
        "Payments at the start and at the end of each year; the resale is taken off the last. The same number of usable hours "
        f"both ways, all of them needed; an owner's machines draw power as if {case.utilisation:.0%} of them worked. Ranges: all "
        "open inputs and the rent at their cheap ends, and at their dear ends.",
        units=dict.fromkeys(("first_usd", "yearly_usd", "last_usd", "present_usd", "present_usd_low", "present_usd_high"),
                            "USD/GPU"))


def _than(own, other, what=""):
    """How a cost compares with another, in words that stay readable when it is many times as high."""
    if own >= MANY_TIMES * other:
        return f"{own / other:,.0f} times as much{f' as {what}' if what else ''}"
    change = abs(1 - own / other)
    if change < LITTLE:
        return f"as much{f' as {what}' if what else ''}"
    return f"{change:.0%} {'less' if own < other else 'more'}{f' than {what}' if what else ''}"

"""What a contract is worth in a market that moves: spot below on demand by region, and commitments while rents fall or rise."""

import datetime

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from tokenecon import data
from tokenecon.errors import BadInput, NoPrice
from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import contracts
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.market import market, printed_rents
from tokenecon_book.documents import base
from tokenecon_book.documents.words import LITTLE, dollars, percent

DAYS_PER_YEAR = 365.25
SHORTEST_DAYS = 90  # a change over fewer days says nothing about a year
LARGEST_RATE = 20.0  # of decline or rise a year, continuous: beyond any price
TERMS = {"one year": ("committed_1y", 1.0), "three years": ("committed_3y", 3.0)}
RENEWED = "three over one"  # a three-year contract against one of one year, renewed twice
SPOT_COLUMNS = {
    "name": ("Accelerator", None), "who": ("Seller", None), "region": ("Region", None), "on_demand": ("On demand", "USD/GPU/h"),
    "spot": ("Spot", "USD/GPU/h"), "discount": ("Discount", "fraction"), "first": ("Discount when first seen", "fraction"),
    "first_on": ("First seen on", None), "spread": ("Dearest over cheapest region", "ratio"), "last_seen": ("Last seen on", None),
}  # fmt: skip
DISCOUNT_COLUMNS = {
    "name": ("Accelerator", None), "who": ("Seller", None), "term": ("Term", None), "discount": ("Below on demand", "fraction"),
    "as_of": ("List of", None),
}  # fmt: skip
OBSERVED_COLUMNS = {
    "who": ("Seller", None), "contract": ("Contract", None), "when": ("From – to", None),
    "change_per_year": ("Change a year", "fraction"), "one_year": ("Cost of one year committed, on demand = 1", "ratio"),
    "three_years": ("Cost of three years committed, on demand = 1", "ratio"),
}  # fmt: skip


def _years(start, end):
    return (datetime.date.fromisoformat(end) - datetime.date.fromisoformat(start)).days / DAYS_PER_YEAR


def _valid_on(rows, day):
    return rows[(rows["as_of"] <= day) & (rows["last_seen"] >= day)]


# --- spot ---------------------------------------------------------------------------------------------


def _pairs(gpu, as_of, regional):
    """Spot offers known on a day beside the same seller's on-demand price in the same region, most alike offer first.

    With ``regional`` the newest that their list has by region.
    """
    rows = market.seen(gpu, as_of, kind="spot")
    if regional:
        shown = rows[rows["region_low"] > 0].sort_values("as_of").drop_duplicates(["provider", "region", "offer"], keep="last")
    else:
        shown = rows[rows["id"].isin(gpu_prices.offers(gpu, "spot", as_of)["id"])]
    plain = market.seen(gpu, as_of, kind="on_demand", provider=sorted(rows["provider"].unique()))
    for _, spot in shown.iterrows():
        peers = _same(plain, spot)
        dear = _valid_on(peers, spot["last_seen"])
        if dear.empty:
            continue
        key = ["provider", "kind", "region", "offer"]
        first = rows[(rows[key] == spot[key]).all(axis=1)].sort_values("as_of").iloc[0]
        then = _valid_on(peers, first["as_of"])
        yield spot, dear, first, then


def _same(plain, spot):
    """On-demand rows of the seller of a spot offer: of the same offer where there are any, else of the same region."""
    here = plain[(plain["provider"] == spot["provider"]) & (plain["region"] == spot["region"])]
    alike = here[here["offer"] == spot["offer"]]
    return alike if len(alike) else here


def _first_spot():
    """The first day with spot prices by region, and of which accelerators, in words."""
    rows = data.rows("prices", {"kind": "spot", "basis!=": "claimed"}).query("region_low > 0")
    return f"{rows['as_of'].min()}, of {', '.join(sorted(rows['gpu'].unique()))}"


@finding
def spot_discounts(case, regional=False):
    """Spot below on demand at each seller, now and when first seen, and how far regions lie apart."""
    table, missing = [], []
    for gpu in case.gpus:
        pairs = list(_pairs(gpu, case.as_of, regional))
        missing += [] if pairs else [data.gpu(gpu)["name"]]
        for spot, dear, first, then in pairs:
            full = dear["usd_per_gpu_hour"].median()
            table.append({
                "gpu": gpu, "name": data.gpu(gpu)["name"], "seller": spot["seller"], "who": spot["name"], "offer": spot["offer"],
                "region": spot["region"] or "not stated", "on_demand": full, "on_demand_low": dear["region_low"].min(),
                "on_demand_high": dear["region_high"].max(), "spot": spot["usd_per_gpu_hour"], "spot_low": spot["region_low"],
                "spot_high": spot["region_high"], "discount": 1 - spot["usd_per_gpu_hour"] / full,
                "first": 1 - first["usd_per_gpu_hour"] / then["usd_per_gpu_hour"].median() if len(then) else np.nan,
                "first_on": first["as_of"], "spread": spot["region_high"] / spot["region_low"], "last_seen": spot["last_seen"],
            })  # fmt: skip
    if not table:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has a spot and an on-demand price of one seller "
                       f"known on {case.as_of}; the first spot prices are of {_first_spot()}")
    table = pd.DataFrame(table).sort_values(["gpu", "discount"], ascending=[True, False], kind="stable").reset_index(drop=True)
    per_seller = table.groupby(["gpu", "who"])["discount"].median()

    def off(value, at):
        return named("spot-discount", value, _off, low=per_seller.min(), high=per_seller.max(), at=at,
                     gpus=",".join(case.gpus), as_of=case.as_of, regional=regional)

    ends = [off(per_seller.min(), "low"), off(per_seller.max(), "high")]
    sentence = f"Spot is {off(per_seller.median(), 'median')} on demand" + (
        " for the one GPU and seller that have both prices" if len(per_seller) == 1 else
        " at each pair of a GPU and a seller" if len(set(ends)) == 1 else
        f" at the median pair of a GPU and a seller; the pairs run from {ends[0]} to {ends[1]}")
    return Finding(
        table, sentence, "The discount compares spot and on demand of one seller in one region on one day, or, where the list "
        "names none, the cheapest with the cheapest. Negative: spot is dearer there."
        + (f" No seller is known to ask both for: {', '.join(missing)}." if missing else ""),
        market.units_of(SPOT_COLUMNS), pairs=per_seller.to_list(), middle=per_seller.median())


@finding
def spot_regions(case):
    """Spot and on-demand prices of the sellers that print them by region: the named region, and cheapest to dearest."""
    rows = spot_discounts(case, regional=True).table
    parts, several = [], rows["name"].duplicated(keep=False)
    for place, row in rows.iterrows():
        label = row["name"] + (f" {row['offer']}" if several[place] else "")
        for kind in ("on demand", "spot"):
            column = kind.replace(" ", "_")
            ends = {f"usd_per_gpu_hour{end}": row[f"{column}{end}"] for end in ("", "_low", "_high")}
            parts.append({"label": f"{label}, {kind}", "price": kind, "name": row["name"], "who": row["who"],
                          "region": row["region"], **ends, "discount": row["discount"]})
    table = pd.DataFrame(parts)

    def wide(kind, ratio):
        return named("region-spread", ratio, "{:.1f}".format, kind=kind, gpus=",".join(case.gpus), as_of=case.as_of)

    spot, plain = rows["spread"].max(), (rows["on_demand_high"] / rows["on_demand_low"]).max()
    sentence = (f"At one seller spot costs up to {wide('spot', spot)} times as much in its dearest region as in its cheapest"
                + (f"; on demand up to {wide('on demand', plain)} times" if plain == plain else ""))
    return Finding(table, sentence, (
        "Dots: the region of the table below; bars: cheapest to dearest region of the same list, of "
        f"{' and '.join(dict.fromkeys(rows['who']))}."))


# --- commitments --------------------------------------------------------------------------------------


@finding
def discounts(as_of):
    """Discounts for a commitment on sellers' lists: newest of each GPU and seller, against on demand in the same list."""
    known, table = {"basis!=": "claimed", "as_of<=": as_of}, []
    for term, (kind, _) in TERMS.items():
        committed = data.rows("prices", known | {"kind": kind}).sort_values("as_of")
        for (gpu, provider), part in committed.groupby(["gpu", "provider"]):
            listed = data.rows("prices", known | {"kind": "on_demand", "gpu": gpu, "provider": provider})
            for _, row in part.iloc[::-1].iterrows():
                plain = _valid_on(listed[listed["region"] == row["region"]], row["as_of"])
                if len(plain):
                    table.append({"gpu": gpu, "name": data.gpu(gpu)["name"], "provider": provider,
                                  "who": data.row("providers", provider)["name"], "term": term,
                                  "discount": 1 - row["value"] / plain["value"].median(), "as_of": row["as_of"]})
                    break
    if not table:
        raise NoPrice(f"no list up to {as_of} has a committed and an on-demand price of one GPU; name a later day")
    table, of_terms = pd.DataFrame(table), {}
    for term in TERMS:
        of_term = table[table["term"] == term]
        of_terms[term] = (of_term["discount"].min(), of_term.groupby("provider")["discount"].median().median(),
                          of_term["discount"].max())
    note = "Newest list of each pair that has both prices. Lists are public; what large customers sign is not."
    return Finding(table, "", note, **of_terms)


def cost_ratio(*, discount, decline_per_year, interest, years):
    """Present cost of a commitment over that of renting on demand for the same time, while on demand falls. [ratio]"""
    terms = {"discount_per_year": interest, "years": years}
    return (contracts.present_usd_per_gpu(usd_per_gpu_hour=1 - discount, decline_per_year=0.0, **terms)
            / contracts.present_usd_per_gpu(usd_per_gpu_hour=1.0, decline_per_year=decline_per_year, **terms))


def _ratios(case, one, three, decline):
    first = cost_ratio(discount=one, decline_per_year=decline, interest=case.discount_rate, years=1.0)
    third = cost_ratio(discount=three, decline_per_year=decline, interest=case.discount_rate, years=3.0)
    # A one-year contract renewed at the rent of its day costs in each year the same share of on demand.
    return {"one year": first, "three years": third, RENEWED: third / first}


def _decline(change_per_year):
    return contracts.decline_per_year(first_usd_per_gpu_hour=1.0, last_usd_per_gpu_hour=1 + change_per_year, years=1.0)


def _check(case):
    for name in ("discount_1y", "discount_3y"):
        if not getattr(case, name) < 1:
            raise BadInput(f"parameter '{name}' is {getattr(case, name):g}, a commitment for nothing; use a number below 1")
    if not case.price_after_year > 0:
        raise BadInput(f"parameter 'price_after_year' is {case.price_after_year:g}, but rent must stay above 0")


@finding
def commitment(case):
    """Cost of committing now over the yearly change of rents, with break-even and the moves that were observed."""
    _check(case)
    found, seen = discounts(case.as_of), observed(case).table
    discount = {"one year": case.discount_1y, "three years": case.discount_3y}
    here = case.price_after_year - 1
    marks = [("page", here)] + [(f"{row['who']}, {row['when'][:4]}", row["change_per_year"])
                                for _, row in seen.iloc[[0, -1] if len(seen) > 1 else []].iterrows()]
    ends = [change for _, change in marks] + [-0.5, 0.5]
    changes = np.linspace(min(ends), max(ends), 121)
    low = [min(found[term][0], one) for term, one in discount.items()]
    high = [max(found[term][2], one) for term, one in discount.items()]
    costs = {end: _ratios(case, *pair, _decline(changes))
             for end, pair in (("", discount.values()), ("_low", high), ("_high", low))}
    parts = []
    for line in costs[""]:
        banded = costs if line in TERMS else [""]
        parts.append(pd.DataFrame({"change_per_year": changes, "contract": line,
                                   **{f"cost_ratio{end}": costs[end][line] for end in banded}}))
    table = pd.concat(parts, ignore_index=True)
    even, terms = {line: _even(case, discount, line) for line in costs[""]}, base.cased(case, "discount_3y", "discount_rate")
    now = _ratios(case, *discount.values(), _decline(here))
    return Finding(table, (
        f"A three-year contract at {given(case, 'discount_3y', percent)} off pays "
        f"{_change_words(even['three years'], 'rents', term='three years', **terms)}"), (
        f"One year at {percent(case.discount_1y)} off pays {_change_words(even['one year'])}. Three years beat a contract "
        f"renewed each year {_change_words(even[RENEWED])}. "
        "Three over one: three years against one year, renewed twice at the price of its day. A GPU used around the clock, "
        f"capital at {case.discount_rate:.0%} a year. At the page's change of {here:+.0%} a year three years cost "
        f"{now['three years']:.0%} of on demand, one year {now['one year']:.0%}. Bands: lowest to highest discount on any list, "
        f"{low[0]:.0%} to {high[0]:.0%} for one year and {low[1]:.0%} to {high[1]:.0%} for three." + _elsewhere(case)),
        {"change_per_year": "fraction"}, break_even=even, marks=marks, now=now)


def _elsewhere(case):
    """What a hyperscaler's commitment costs beside a neocloud's hour without one, in words."""
    known = market.offers_known(case.gpu, case.as_of).groupby("seller")
    hour = {seller: market.typical(rows)["usd_per_gpu_hour"] for seller, rows in known}
    if not {"hyperscaler", "neocloud"} <= set(hour):
        return ""
    committed = hour["hyperscaler"] * (1 - case.discount_3y)
    return (f" At that discount three years at the typical hyperscaler cost {dollars(committed)} an hour; the typical neocloud "
            f"asks {dollars(hour['neocloud'])} without a commitment.")


def _even(case, given, line):
    """Yearly change of rents at which a contract costs what it is held against; infinite where no change does that."""

    def gap(rate):
        return _ratios(case, *given.values(), rate)[line] - 1

    if gap(-LARGEST_RATE) * gap(LARGEST_RATE) > 0:
        return -np.inf if gap(0.0) < 0 else np.inf
    return np.exp(-brentq(gap, -LARGEST_RATE, LARGEST_RATE)) - 1


def _change_words(change, who="they", **of):
    """Unless rents change by how much a year, in words; the change is a named quantity of a commitment."""
    if np.isinf(change):
        return f"however {who} move" if change < 0 else "at no change of rents" if who == "they" else f"at no change of {who}"
    share = named("commitment-break-even", change, lambda one: percent(abs(one)), **of)
    return f"unless {who} " + (f"fall by more than {share} a year" if change < 0 else f"do not rise by {share} a year or more")


@finding
def observed(case):
    """The yearly changes that sellers of the page's GPU made, and what a commitment costs at each of them."""
    _check(case)
    table = []
    rows = printed_rents.seller_changes(case.gpu, case.as_of).table
    for _, row in rows[rows["seller"] != gpu_prices.ESTIMATES].iterrows():  # an index or an estimate is no seller's price
        spans = (("highest", "highest_on", "before", "before_on"), ("before", "from_on", "newest", "newest_on"))
        for first, start, last, end in spans:
            begin = row[first] if row[first] == row[first] else row["newest"] / (1 + row["rise"])
            if not row[start] or not row[end] or _years(row[start], row[end]) * DAYS_PER_YEAR < SHORTEST_DAYS:
                continue
            rate = contracts.decline_per_year(first_usd_per_gpu_hour=begin, last_usd_per_gpu_hour=row[last],
                                              years=_years(row[start], row[end]))
            cost = _ratios(case, case.discount_1y, case.discount_3y, rate)
            table.append({"who": row["who"], "contract": row["contract"], "when": f"{row[start]} – {row[end]}",
                          "change_per_year": np.exp(-rate) - 1, "one_year": cost["one year"], "three_years": cost["three years"]})
    table = pd.DataFrame(table, columns=["who", "contract", "when", "change_per_year", "one_year", "three_years"])
    table = table[table["change_per_year"].abs() > market.SAME].sort_values("change_per_year").reset_index(drop=True)
    return Finding(
        table, "", "From a seller's highest price to its last before the documents, and from there to its newest; "
        f"changes over less than {SHORTEST_DAYS} days and prices that were kept are left out.", market.units_of(OBSERVED_COLUMNS))


def _off(discount):
    """A discount in words that stay true where it is none."""
    if abs(discount) < LITTLE:
        return "no cheaper than"
    return f"{discount:.0%} below" if discount > 0 else f"{-discount:.0%} above"

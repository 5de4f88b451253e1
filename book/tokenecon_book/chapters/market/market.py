"""What an hour of a GPU cost, when and from whom: rents by part of the market, and the documents' price beside them."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, NoPrice
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.prices import gpu_prices, price_book
from tokenecon.queries import remembered
from tokenecon_book.documents.words import dollars

BY_THE_HOUR = ("on_demand", "marketplace")
RENTS = ("on_demand", "spot", "marketplace", "committed_1y", "committed_3y", "rental_3y")
HYPERSCALER, NEOCLOUD, MARKETPLACE = "hyperscaler", "neocloud", "marketplace"
ONE_YEAR, THREE_YEARS = "one-year contract", "three-year contract"
ORDER = (HYPERSCALER, NEOCLOUD, MARKETPLACE, ONE_YEAR, THREE_YEARS)
SAME = 0.01  # a change below this is a list that rounds differently, not a price that moved
# (seller, price kind) -> the line it is drawn in; commitments on a list stand with the contracts, platforms in no line
SERIES = {
    ("hyperscaler", "on_demand"): HYPERSCALER, ("neocloud", "on_demand"): NEOCLOUD,
    ("marketplace", "on_demand"): MARKETPLACE, ("marketplace", "marketplace"): MARKETPLACE,
    ("index", "committed_1y"): ONE_YEAR, ("index", "rental_3y"): THREE_YEARS,
}  # fmt: skip
MARK_COLUMNS = {
    "name": ("Accelerator", None), "who": ("Seller", None), "kind": ("Contract", None), "offer": ("Offer", None),
    "value": ("Price", "USD/GPU/h"), "peer": ("Range of peers", "USD/GPU/h"), "last_seen": ("Last seen on", None),
    "marks": ("Mark", None),
}  # fmt: skip


SELLER_COLUMNS = {"name": ("Accelerator", None), "seller": ("Seller", None),
                  "usd_per_gpu_hour": ("The middle provider", "USD/GPU/h"),
                  "offers": ("Offers", "count"), "last_seen": ("Last seen on", None)}  # fmt: skip


def units_of(columns):
    """Units of a table by the columns that it is shown with, the ends of their ranges included."""
    return {f"{name}{end}": unit for name, (_, unit) in columns.items() if unit for end in ("", "_low", "_high")}


def seen(gpu, as_of, **where):
    """Rents of a GPU that somebody printed up to a day, with the part of the market they belong to; ``where`` asks for some."""
    data.gpu(gpu)  # refuses an id that is not known
    asked = {"gpu": gpu, "kind": RENTS, "basis!=": "claimed", "as_of<=": as_of} | where
    return _placed(data.rows("prices", asked), as_of)


def _placed(rows, as_of):
    """Rows of prices with the name of their provider, their part of the market, and no day after the one asked for."""
    who = providers(rows)
    rows["seller"] = rows["provider"].map(who["kind"])
    rows.loc[rows["kind"] == "marketplace", "seller"] = "marketplace"  # whoever passes it on
    rows["name"] = rows["provider"].map(who["name"])
    rows["series"] = [SERIES.get(pair, "") for pair in zip(rows["seller"], rows["kind"], strict=True)]
    rows["last_seen"] = rows["last_seen"].where(rows["last_seen"] <= as_of, as_of)
    return rows.rename(columns={"value": "usd_per_gpu_hour"}).reset_index(drop=True)


def providers(rows):
    """What is known of the providers of prices; index ``id``."""
    return data.rows("providers", {"id": sorted(rows["provider"].unique())}).set_index("id")


def charted(gpu, as_of):
    """The rents of :func:`seen` that stand in a line of :func:`history`."""
    rows = seen(gpu, as_of)
    return rows[rows["series"] != ""].reset_index(drop=True)


def documents(gpu, as_of=None):
    """What the documents print for an hour of a GPU, as prices with a range; no rows where they say nothing (up to a day)."""
    rows = data.rows("prices", {"gpu": gpu, "basis": "claimed", "kind": RENTS} | ({"as_of<=": as_of} if as_of else {}))
    ends = {"value": "usd_per_gpu_hour", "low": "usd_per_gpu_hour_low", "high": "usd_per_gpu_hour_high"}
    return rows.sort_values("as_of").rename(columns=ends).reset_index(drop=True)


def typical(rows):
    """Middle provider's price, each provider counted once, with the lowest and highest offer, how many there are and how old."""
    price = rows["usd_per_gpu_hour"]
    middle, set_on = gpu_prices.middle(rows.assign(value=price), rows["last_seen"])
    return {"usd_per_gpu_hour": middle, "usd_per_gpu_hour_low": float(price.min()), "usd_per_gpu_hour_high": float(price.max()),
            "providers": rows["provider"].nunique(), "offers": len(rows), "set_on": set_on, "last_seen": rows["last_seen"].max()}


@finding
def history(gpu, as_of):
    """Rent by quarter and part of the market: what was asked at any time in the quarter, each provider counted once."""
    rows = charted(gpu, as_of)
    if rows.empty:
        raise NoPrice(f"parameter 'as_of' is {as_of}, up to which no rent of {gpu} is known; use a later day or another GPU")
    table = []
    for quarter in pd.period_range(rows["as_of"].min(), as_of, freq="Q"):
        start, end = quarter.start_time.date().isoformat(), min(quarter.end_time.date().isoformat(), as_of)
        valid = rows[(rows["as_of"] <= end) & (rows["last_seen"] >= start)]
        valid = valid.assign(last_seen=valid["last_seen"].where(valid["last_seen"] <= end, end))
        for series in ORDER:
            part = valid[valid["series"] == series]
            if len(part):
                table.append({"quarter": f"{quarter.year} Q{quarter.quarter}", "series": series, "start": start, "end": end,
                              **typical(part)})
    table = pd.DataFrame(table)
    left_out = len(seen(gpu, as_of).query("series == '' and kind != 'spot'"))
    return Finding(table, _course(table, gpu, as_of), (
        "Hyperscaler, neocloud, marketplace: by the hour; contracts: an index and an estimate, not offers. Strokes: the middle "
        "provider of a quarter, each counted once; without a stroke nobody's price is known. Dots and thin lines: each offer, "
        "from the day it was first seen to the last. Sellers change from quarter to quarter; the table of sellers compares each "
        "with itself. The title speaks of quarters with several providers where there are any. Not drawn: "
        f"{left_out} price{'' if left_out == 1 else 's'} of platforms or of commitments on a seller's list."),
        order=ORDER, offers=rows, printed=documents(gpu, as_of))


def _course(table, gpu, as_of):
    """How list prices moved, in words: down from the highest quarter, and up again; of contracts where no lists are known."""
    name = data.gpu(gpu)["name"]
    for series in (NEOCLOUD, HYPERSCALER, ONE_YEAR, THREE_YEARS):
        line = table[table["series"] == series]
        if len(line) > 1:
            what = f"At the median {series} an hour" if series in (NEOCLOUD, HYPERSCALER) else f"An hour by {series}"
            return f"{what} of {name} {down_and_up(line, gpu=gpu, seller=series, as_of=as_of)}"
    return f"Each part of the market of {name} is known for one quarter only"


def down_and_up(line, **of):
    """From the highest quarter to the lowest after it and to the last, in words, with each price named as one of a quarter.

    Quarters with a single provider are left out where others have several: one list more or less is no change of the market.
    """
    several = line[line["providers"] > 1]
    line = several if len(several) > 1 else line
    price, quarter = list(line["usd_per_gpu_hour"]), list(line["quarter"])
    rows = line.to_dict("records")

    def said(place):
        return named("rent-quarter", price[place], dollars, **ends(rows[place], "usd_per_gpu_hour"), quarter=quarter[place], **of)

    if max(price) <= min(price) * (1 + SAME):
        return f"stayed at {said(0)}"
    peak = int(np.argmax(price))
    low = peak + int(np.argmin(price[peak:]))
    if low == peak:  # the highest is the newest
        low = int(np.argmin(price))
        return f"rose from {said(low)} to {said(-1)}"
    last = len(price) - 1
    fallen = f"fell from {said(peak)} to {said(low)}"
    if low == last:
        return fallen
    return f"{fallen} and {'rose again to' if price[last] > price[low] * (1 + SAME) else 'is still at'} {said(last)}"


def offers_known(gpu, as_of):
    """Offers by the hour known on a day, no older than a year, with the part of the market they belong to."""
    return _offers_known(gpu, as_of).copy()


@remembered
def _offers_known(gpu, as_of):
    rows = _placed(pd.concat([gpu_prices.offers(gpu, kind, as_of) for kind in BY_THE_HOUR]), as_of)
    return rows[rows["seller"].isin(("hyperscaler", "neocloud", "marketplace"))]


@finding
def by_seller(case):
    """Typical rent by the hour on the day of the page, by GPU and part of the market, with the range of offers."""
    table, ratios, missing = [], {}, []
    for gpu in case.gpus:
        rows = offers_known(gpu, case.as_of)
        name, found = data.gpu(gpu)["name"], {}
        for seller in ("hyperscaler", "neocloud", "marketplace"):
            part = rows[rows["seller"] == seller]
            if len(part):
                found[seller] = typical(part)
                table.append({"gpu": gpu, "name": name, "label": f"{name}, {seller} ({len(part)})",
                              "seller": seller, **found[seller]})
        missing += [] if len(rows) else [name]
        if {"hyperscaler", "neocloud"} <= set(found):
            ratios[name] = found["hyperscaler"]["usd_per_gpu_hour"] / found["neocloud"]["usd_per_gpu_hour"]
    if not table:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has an offer by the hour on {case.as_of}; see "
                       "`tokenecon list prices`")
    table = pd.DataFrame(table)
    sentence, middle = "No GPU of the page is offered by hyperscalers and neoclouds alike", None
    if ratios:
        def said(gpu, value):
            return named("hyperscaler-over-neocloud", value, "{:.1f}".format, low=min(ratios.values()), high=max(ratios.values()),
                         gpu=gpu, as_of=case.as_of)

        least, most, middle = min(ratios, key=ratios.get), max(ratios, key=ratios.get), np.median(list(ratios.values()))
        sentence = (
            f"Hyperscalers ask {said(least, ratios[least])} times what neoclouds ask for {least}" if least == most else
            f"Hyperscalers ask {said('median of ' + ', '.join(ratios), middle)} times what neoclouds "
            f"ask for the same GPU, from {said(least, ratios[least])} for {least} to {said(most, ratios[most])} for {most}")
    newest = table.groupby("seller")["last_seen"].max()
    return Finding(table, sentence, (
        "Dots: the middle provider; bars: lowest to highest offer; in brackets the number of offers. Newest list seen: "
        + ", ".join(f"{seller} {day}" for seller, day in newest.items()) + "."
        + (f" No offer known: {', '.join(missing)}." if missing else "")),
        ratios=ratios, middle=middle)


@finding
def marked(case):
    """Offers used on the page that are old or out of line with their peers, with both marks."""
    parts = []
    for gpu in dict.fromkeys([case.gpu, case.successor, *case.gpus]):
        for kind in sorted((*BY_THE_HOUR, "spot")):
            rows = price_book.gpu_offers(gpu, kind, case.as_of)
            parts.append(rows[rows["id"].isin(gpu_prices.offers(gpu, kind, case.as_of)["id"])])
    used = pd.concat(parts, ignore_index=True)
    table = used[used["marks"] != ""].copy()
    table["who"] = table["provider"].map(providers(table)["name"])
    table["name"] = [data.gpu(gpu)["name"] for gpu in table["gpu"]]
    table["kind"] = table["kind"].str.replace("_", " ")
    table = table.sort_values(["outside", "age_days"], ascending=False, kind="stable").reset_index(drop=True)
    def said(what, number):
        return named("prices-marked", number, str, what=what, as_of=case.as_of)

    old_after = named("price-old-after", price_book.OLD_DAYS, str)
    return Finding(table, (
        f"Of {said('used', len(used))} prices by the hour that this page uses, {said('old', int(used['old'].sum()))} were last "
        f"seen more than {old_after} days before {case.as_of}, and {said('outside', int(used['outside'].sum()))} lie outside the "
        "range of their peers."),
        "A mark changes no result. Peers are all other sellers of the same accelerator and contract, mostly neoclouds, so that a "
        "hyperscaler may lie outside by being one.",
        units_of(MARK_COLUMNS) | dict.fromkeys(("low", "high", "region_low", "region_high"), "USD/GPU/h")
        | {"age_days": "day", "peers": "count"})

"""What an hour of a GPU cost, when and from whom: rents by part of the market, and the documents' price beside them."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, NoPrice
from tokenecon.finding import Finding, finding
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


def counted(row, as_of):
    """:func:`gpu_prices.counted` of a row of :func:`typical` on a day."""
    return gpu_prices.counted({"sellers": row["providers"], "as_of": row["set_on"], "newest": row["last_seen"], "date": as_of})


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
    return Finding(table, f"{data.gpu(gpu)['name']}: {_course(table)}", (
        "Hyperscaler, neocloud, marketplace: by the hour; contracts: an index and an estimate, not offers. Strokes: the middle "
        "provider of a quarter, each counted once; without a stroke nobody's price is known. Dots and thin lines: each offer, "
        "from the day it was first seen to the last. Sellers change from quarter to quarter; the table of sellers compares each "
        "with itself. The title speaks of quarters with several providers where there are any. Not drawn: "
        f"{left_out} price{'' if left_out == 1 else 's'} of platforms or of commitments on a seller's list."),
        order=ORDER, offers=rows, printed=documents(gpu, as_of))


def _course(table):
    """How list prices and contracts moved, in words: down from the highest quarter, and up again."""
    parts = []
    for choices, words in (((NEOCLOUD, HYPERSCALER), "lists of {}s"), ((ONE_YEAR, THREE_YEARS), "{}s")):
        lines = {series: line for series in choices if len(line := table[table["series"] == series]) > 1}
        if lines:
            series = next(iter(lines))
            parts.append(f"{words.format(series)} {down_and_up(lines[series])}")
    return "; ".join(parts) or "each part of the market is known for one quarter only"


def down_and_up(line):
    """From the highest quarter to the lowest after it and to the last, in words.

    Quarters with a single provider are left out where others have several: one list more or less is no change of the market.
    """
    several = line[line["providers"] > 1]
    line = several if len(several) > 1 else line
    price, quarter = list(line["usd_per_gpu_hour"]), list(line["quarter"])

    def said(place):
        return f"{dollars(price[place])} ({quarter[place]})"

    if max(price) <= min(price) * (1 + SAME):
        return f"at {said(0)}, unchanged to {quarter[-1]}"
    peak = int(np.argmax(price))
    low = peak + int(np.argmin(price[peak:]))
    if low == peak:  # the highest is the newest
        low = int(np.argmin(price))
        return f"up from {said(low)} to {said(-1)}"
    last = len(price) - 1
    fallen = f"down from {said(peak)} to {said(low)}"
    if low == last:
        return fallen
    return f"{fallen}, {'up again to' if price[last] > price[low] * (1 + SAME) else 'still'} {said(last)}"


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
    sentence = "No GPU of the page is offered by hyperscalers and neoclouds alike"
    if ratios:
        least, most = min(ratios, key=ratios.get), max(ratios, key=ratios.get)
        sentence = (
            f"Hyperscalers ask {np.median(list(ratios.values())):.1f} times what neoclouds ask for the same GPU (median of "
            f"{len(ratios)}), from {ratios[least]:.1f} for {least} to {ratios[most]:.1f} for {most}")
    newest = table.groupby("seller")["last_seen"].max()
    return Finding(table, sentence, (
        "Dots: the middle provider; bars: lowest to highest offer; in brackets the number of offers. Newest list seen: "
        + ", ".join(f"{seller} {day}" for seller, day in newest.items()) + "."
        + (f" No offer known: {', '.join(missing)}." if missing else "")),
        ratios=ratios)


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
    return Finding(table, (
        f"Of {len(used)} prices by the hour that this page uses, {int(used['old'].sum())} were last seen more than "
        f"{price_book.OLD_DAYS} days before {case.as_of}, and {int(used['outside'].sum())} lie outside the range of their "
        "peers."),
        "A mark changes no result. Peers are all other sellers of the same accelerator and contract, mostly neoclouds, so that a "
        "hyperscaler may lie outside by being one.",
        units_of(MARK_COLUMNS) | dict.fromkeys(("low", "high", "region_low", "region_high"), "USD/GPU/h")
        | {"age_days": "day", "peers": "count"})

"""The documents' price of an hour against the market: before them, on their day, and since."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, finding
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.market import market
from tokenecon_book.chapters.market.market import (
    BY_THE_HOUR,
    ORDER,
    RENTS,
    SAME,
    charted,
    documents,
    offers_known,
    seen,
    typical,
    units_of,
)
from tokenecon_book.documents.words import count, dollars

DOUBTED = "unverified: far from what its peers ask"  # how a row of data/prices.csv says that it may be another product
MOVE_COLUMNS = {
    "who": ("Seller", None), "contract": ("Contract", None), "highest": ("Highest before", "USD/GPU/h"),
    "before": ("Last before the documents", "USD/GPU/h"), "fall": ("Change to then", "fraction"),
    "newest": ("Newest", "USD/GPU/h"), "rise": ("Change since", "fraction"), "newest_on": ("Seen on", None),
}  # fmt: skip
BAND_COLUMNS = {
    "seller": ("Seller", None), "then": ("Offers in the year before the documents", None),
    "inside_then": ("Of these in the printed range", None), "now": ("Offers known on the day of the page", None),
    "inside_now": ("Of these in the printed range", None), "usd_per_gpu_hour": ("Typical on that day", "USD/GPU/h"),
}  # fmt: skip


def printed(gpu, as_of):
    """The newest rent that the documents print for a GPU, which must not lie after the day of the page."""
    claimed = documents(gpu)
    if claimed.empty:
        named = data.rows("prices", {"basis": "claimed", "kind": RENTS}, want="gpu")["gpu"]
        raise BadInput(f"parameter 'gpu' is '{gpu}', of which the documents print no rent; use {' or '.join(sorted(named))}")
    last = claimed.iloc[-1]
    if last["as_of"] > as_of:
        raise BadInput(f"parameter 'as_of' is {as_of}, before the documents' {last['as_of']}, with which this page compares; "
                       "use that day or a later one")
    return last


@finding
def seller_changes(gpu, as_of):
    """Each seller with itself: its highest price before the documents, its last before them, its newest.

    A seller is a provider with one kind of contract in one region; several offers of a day are one price, their median.
    """
    pivot = printed(gpu, as_of)["as_of"]
    rows = charted(gpu, as_of)
    rows = rows[~rows["note"].str.startswith(DOUBTED)]
    table = []
    for (provider, kind, _region), part in rows.groupby(["provider", "kind", "region"], sort=False):
        days = part.groupby("as_of").agg(usd=("usd_per_gpu_hour", "median"), seen=("last_seen", "max"))
        if len(days) < 2 and days["seen"].iloc[0] == days.index[0]:
            continue
        early = days[days.index <= pivot]
        highest = early["usd"].max() if len(early) else np.nan
        before = early["usd"].iloc[-1] if len(early) else np.nan
        newest = days["usd"].iloc[-1] if days["seen"].iloc[-1] > pivot else np.nan
        start = before if len(early) else days["usd"].iloc[0]
        table.append({
            "provider": provider, "who": part["name"].iloc[0], "seller": part["seller"].iloc[0],
            "contract": kind.replace("_", " "), "series": part["series"].iloc[0],
            "highest": highest, "highest_on": early["usd"].idxmax() if len(early) else "", "before": before,
            "before_on": min(early["seen"].iloc[-1], pivot) if len(early) else "", "fall": before / highest - 1,
            "newest": newest, "newest_on": days["seen"].iloc[-1] if newest == newest else "",
            "rise": newest / start - 1, "from_on": min(early["seen"].iloc[-1], pivot) if len(early) else days.index[0],
        })  # fmt: skip
    table = pd.DataFrame(table)
    table["place"] = table["series"].map(ORDER.index)
    table = table.sort_values(["place", "who"], kind="stable").drop(columns="place").reset_index(drop=True)
    sellers = table[(table["seller"] != "index") & (table["before"] > 0)]
    down, again = sellers[sellers["fall"] < -SAME], sellers.dropna(subset=["rise"])
    up, cut = again[again["rise"] > SAME], again[again["rise"] < -SAME]
    twice = table[table["seller"] != "index"].dropna(subset=["rise"])  # after the documents or across their day
    raised = twice[twice["rise"] > SAME]
    return Finding(table, (
        f"Of {len(sellers)} sellers of {data.gpu(gpu)['name']} by the hour seen before {pivot}, {len(down)} had come down from "
        f"their highest price{_median(down['fall'])}; of {len(again)} seen again since, {len(up)} have raised "
        f"it{_median(up['rise'])}, {len(cut)} lowered it{_median(cut['rise'])}, {len(again) - len(up) - len(cut)} kept it."), (
        "A seller is one provider with one contract in one region, its several offers of a day one price. Changes below "
        f"{SAME:.0%} count as kept. A dash: not seen then; the change since starts at the first price seen after the documents. "
        "Prices that the book itself doubts are left out."),
        units_of(MOVE_COLUMNS), pivot=pivot, before=len(sellers), down=len(down), again=len(again), up=len(up), cut=len(cut),
        median_fall=down["fall"].median(), median_rise=up["rise"].median(), twice=len(twice), raised=len(raised),
        raised_by=raised["rise"].median(), lowered=int((twice["rise"] < -SAME).sum()))


def _median(changes):
    """A median change in words, or nothing where there is none."""
    return f" by {abs(changes.median()):.0%} (median)" if len(changes) else ""


@finding
def printed_range(gpu, as_of):
    """How many offers lay in the range that the documents print: in the year before them, and on a day."""
    last = printed(gpu, as_of)
    ends = float(last["usd_per_gpu_hour_low"]), float(last["usd_per_gpu_hour_high"])
    year = (pd.Timestamp(last["as_of"]) - pd.Timedelta(days=gpu_prices.PRICE_MAX_AGE_DAYS["on_demand"])).date().isoformat()
    rows = seen(gpu, last["as_of"], kind=BY_THE_HOUR)
    earlier = rows[rows["last_seen"] >= year]
    now, table = offers_known(gpu, as_of), []
    for seller in ("hyperscaler", "neocloud", "marketplace"):
        then_rows, now_rows = earlier[earlier["seller"] == seller], now[now["seller"] == seller]
        row = {"seller": seller}
        for when, part in (("then", then_rows), ("now", now_rows)):
            row |= {when: len(part), f"inside_{when}": int(part["usd_per_gpu_hour"].between(*ends).sum())}
        row |= typical(now_rows) if len(now_rows) else {}
        table.append(row)
    if now.empty:
        raise BadInput(f"parameter 'as_of' is {as_of}, in the year before which no offer of {gpu} was seen; use an earlier day")
    table = pd.DataFrame(table)
    small = table[table["seller"] != "hyperscaler"]
    large = table[table["seller"] == "hyperscaler"].iloc[0]
    return Finding(table, (
        f"The documents' {dollars(ends[0])} to {dollars(ends[1])} for {data.gpu(gpu)['name']} holds for "
        f"{table['inside_now'].sum() or 'none'} of {count(table['now'].sum(), 'offer')} known on {as_of}"),
        f"{small['inside_now'].sum()} of {small['now'].sum()} are of neoclouds and marketplaces, {large['inside_now']} of "
        f"{large['now']} of hyperscalers.",
        units=units_of(BAND_COLUMNS) | dict.fromkeys(("then", "inside_then", "now", "inside_now"), "count"),
        low=ends[0], high=ends[1], on=last["as_of"])


@finding
def headline(case):
    """The answer of the chapter: whether the printed price was right, and what it is on the day of the page."""
    inside = printed_range(case.gpu, case.as_of)
    since = seller_changes(case.gpu, case.as_of)
    turned = since["raised"] - since["lowered"]
    turn = "" if not turned else f"; more sellers have {'raised' if turned > 0 else 'lowered'} their price since than not" if abs(
        turned) > since["twice"] / 2 else f"; some have {'raised' if turned > 0 else 'lowered'} their price since"
    offers = inside.table.dropna(subset=["usd_per_gpu_hour"]).set_index("seller")
    seller = "neocloud" if "neocloud" in offers.index else offers.index[0]
    return Finding(
        inside.table, f"{inside.sentence}{turn}.", inside.note, inside.units,
        number=f"{dollars(offers.loc[seller, 'usd_per_gpu_hour'])}",
        label=f"an hour of {data.gpu(case.gpu)['name']} at the typical {seller} on {case.as_of}, "
              f"{market.counted(offers.loc[seller], case.as_of)}")

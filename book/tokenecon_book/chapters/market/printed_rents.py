"""The documents' price of an hour against the market: before them, on their day, and since."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, NoPrice
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered
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
from tokenecon_book.documents import base
from tokenecon_book.documents.moved import said
from tokenecon_book.documents.words import dollars, percent

# accelerator -> the claim of the range that the documents print for an hour of it
CLAIMS = {"h100-sxm-80gb": "up-h100-cloud-price-now", "h200-sxm-141gb": "up-h200-cloud-price"}
BEFORE, BEFORE_OF = "up-h100-cloud-price-before", "h100-sxm-80gb"
DOUBTED = "unverified: far from what its peers ask"  # how a row of data/prices.csv says that it may be another product
MOVE_COLUMNS = {
    "label": ("Seller", None), "before": ("Last before the documents", "USD/GPU/h"),
    "fall": ("Change from its highest", "fraction"), "newest": ("Newest", "USD/GPU/h"), "rise": ("Change since", "fraction"),
    "newest_on": ("Seen on", None),
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
    pivot, table = printed(gpu, as_of)["as_of"], _changes(gpu, as_of)
    sellers = table[(table["seller"] != "index") & (table["before"] > 0)]
    down, again = sellers[sellers["fall"] < -SAME], sellers.dropna(subset=["rise"])
    up, cut = again[again["rise"] > SAME], again[again["rise"] < -SAME]
    twice = table[table["seller"] != "index"].dropna(subset=["rise"])  # after the documents or across their day
    raised = twice[twice["rise"] > SAME]

    def said(what, rows):
        return named("sellers-compared", len(rows), lambda number: str(number or "none"), what=what, gpu=gpu, as_of=as_of)

    fell, rose = _by("seller-fall-before", down["fall"], gpu, as_of), _by("seller-rise-since", up["rise"], gpu, as_of)
    return Finding(table, (
        f"Of {said('before', sellers)} sellers of {data.gpu(gpu)['name']} by the hour seen before {pivot}, {said('down', down)} "
        f"had come down from their highest price{fell}. Of {said('again', again)} seen again since, {said('up', up)} raised "
        f"it{rose} and {said('cut', cut)} lowered it; the others kept it."), (
        "A seller is one provider with one contract in one region, its several offers of a day one price. Changes below "
        f"{SAME:.0%} count as kept. A dash: not seen then; the change since starts at the first price seen after the documents. "
        "Prices that the book itself doubts are left out."),
        units_of(MOVE_COLUMNS), pivot=pivot, before=len(sellers), down=len(down), again=len(again), up=len(up), cut=len(cut),
        median_fall=down["fall"].median(), median_rise=up["rise"].median(),
        falls={"low": -down["fall"].max(), "high": -down["fall"].min()},
        rises={"low": up["rise"].min(), "high": up["rise"].max()},
        twice=len(twice), raised=len(raised),
        raised_by=raised["rise"].median(), lowered=int((twice["rise"] < -SAME).sum()))


@remembered
def _changes(gpu, as_of):
    """The rows of :func:`seller_changes`; read only."""
    pivot, rows = printed(gpu, as_of)["as_of"], charted(gpu, as_of)
    rows = rows[~rows["note"].str.startswith(DOUBTED)]
    table, seller = [], ["provider", "kind", "region"]
    by_day = rows.groupby([*seller, "as_of"]).agg(usd=("usd_per_gpu_hour", "median"), seen=("last_seen", "max"))
    for (provider, kind, region), part in rows.groupby(seller, sort=False):
        days = by_day.loc[(provider, kind, region)]
        if len(days) < 2 and days["seen"].iloc[0] == days.index[0]:
            continue
        early = days[days.index <= pivot]
        highest = early["usd"].max() if len(early) else np.nan
        before = early["usd"].iloc[-1] if len(early) else np.nan
        newest = days["usd"].iloc[-1] if days["seen"].iloc[-1] > pivot else np.nan
        start = before if len(early) else days["usd"].iloc[0]
        table.append({
            "provider": provider, "who": part["name"].iloc[0], "seller": part["seller"].iloc[0],
            "contract": kind.replace("_", " "), "region": region, "series": part["series"].iloc[0],
            "highest": highest, "highest_on": early["usd"].idxmax() if len(early) else "", "before": before,
            "before_on": min(early["seen"].iloc[-1], pivot) if len(early) else "", "fall": before / highest - 1,
            "newest": newest, "newest_on": days["seen"].iloc[-1] if newest == newest else "",
            "rise": newest / start - 1, "from_on": min(early["seen"].iloc[-1], pivot) if len(early) else days.index[0],
        })  # fmt: skip
    table = pd.DataFrame(table)
    several = table.duplicated(["who", "contract"], keep=False) & (table["region"] != "")
    table["label"] = table["who"] + ("; " + table["region"]).where(several, "")
    table["place"] = table["series"].map(ORDER.index)
    return table.sort_values(["place", "who"], kind="stable").drop(columns="place").reset_index(drop=True)


def _by(name, changes, gpu, as_of):
    """By how much the middle one of some sellers changed its price, in words, or nothing where none did."""
    if changes.empty:
        return ""
    sizes = changes.abs()
    return f" by {named(name, sizes.median(), percent, low=sizes.min(), high=sizes.max(), gpu=gpu, as_of=as_of)} at the median"


@finding
def printed_fall(gpu, as_of):
    """What the documents print an hour to cost before and on their day, the fall between the two, and whether it lasted."""
    last, since = printed(gpu, as_of), seller_changes(gpu, as_of)
    lasts = ("It has not lasted: more sellers raised their price since than lowered it." if since["up"] > since["cut"] else
             "It has lasted." if since["cut"] > since["up"] else "Sellers have moved neither way since.")
    if gpu != BEFORE_OF:
        return Finding(pd.DataFrame(), (
            f"The documents print {_range(CLAIMS[gpu])} an hour on {last['as_of']}, and no price before."))
    now, before = data.claim(CLAIMS[gpu]), data.claim(BEFORE)
    # the least fall is from the low end to the high end, the most the other way
    least, most = 1 - now["high"] / before["low"], 1 - now["low"] / before["high"]
    fall = [named("printed-fall", one, percent, low=least, high=most, gpu=gpu, end=end)
            for end, one in (("low", least), ("high", most))]
    return Finding(pd.DataFrame({"fall_low": [least], "fall_high": [most]}), (
        f"The documents print {_range(CLAIMS[gpu])} an hour on {last['as_of']} and {_range(BEFORE)} for an earlier day that they "
        f"do not name: a fall by {fall[0]} to {fall[1]}. {lasts}"), units={"fall_low": "fraction", "fall_high": "fraction"})


def _range(claim_id):
    row = data.claim(claim_id)
    return " to ".join(named(claim_id, row[end], dollars, end=end) for end in ("low", "high"))


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

    def said(what, column):
        return named("offers-in-printed-range", table[column].sum(), "{:.0f}".format, what=what, gpu=gpu, as_of=as_of)

    return Finding(table, (
        f"The documents' {_range(CLAIMS[gpu])} for {data.gpu(gpu)['name']} holds {said('inside', 'inside_now')} of the "
        f"{said('known', 'now')} offers known on {as_of}"),
        f"{small['inside_now'].sum()} of {small['now'].sum()} are of neoclouds and marketplaces, {large['inside_now']} of "
        f"{large['now']} of hyperscalers.",
        units=units_of(BAND_COLUMNS) | dict.fromkeys(("then", "inside_then", "now", "inside_now"), "count"),
        low=ends[0], high=ends[1], on=last["as_of"])


@finding
def headline(case):
    """The answer of the chapter: an hour's price on the day of the page, how it fell to the documents' day and moved since."""
    since = seller_changes(case.gpu, case.as_of)
    found = gpu_prices.price_range(case.gpu, "on_demand", case.as_of, rule=base.rule(case))
    of, name = base.cased(case, "gpu", "as_of"), data.gpu(case.gpu)["name"]
    price = named(base.HOURS["on_demand"], found["typical"], dollars, **ends(found), rule=found["rule"], **of)
    cut = named("seller-fall-before", -since["median_fall"], percent, **ends(since["falls"]), **of) if since["down"] else ""
    fell = f"sellers who changed it cut {cut} before the documents" if cut else "sellers kept it to the documents' day"
    more = since["up"] - since["cut"]
    raised = named("seller-rise-since", since["median_rise"], percent, **ends(since["rises"]), **of) if more > 0 else ""
    moved = (", and none was seen again since" if not since["again"] else ", and as many raised as cut it since" if not more
             else ", and more cut than raised it since" if more < 0 else f" and added {raised} since" if since["down"] else
             f", and those who changed it since added {raised}")
    return Finding(
        since.table, f"An hour of {name} on demand costs {price}{gpu_prices.aged(found)}; {fell}{moved}.", since.note,
        since.units, number=price, label=f"an hour of {name} on demand, {gpu_prices.counted(found)}")


@finding
def sensitivity(case):
    """Price of an hour when one thing of how it is bought changes: whose price, the contract, the day."""
    usual = base.rule(case)
    moves = [{}, *({"price_rule": rule} for rule in gpu_prices.PRICE_RULES if rule != usual),
             *({"price_kind": kind} for kind in ("spot", "marketplace", "reserved_3m")),
             {"as_of": printed(case.gpu, case.as_of)["as_of"]}]
    rows = []
    for move in moves:
        try:
            usd = gpu_prices.price_range(case.gpu, move.get("price_kind", "on_demand"), move.get("as_of", case.as_of),
                                         rule=move.get("price_rule", usual))["typical"]
        except NoPrice:
            continue
        rows.append({**said(move), "usd_per_gpu_hour": usd})
    return Finding(pd.DataFrame(rows))

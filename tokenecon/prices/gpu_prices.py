"""What an hour of an accelerator is asked for on a date: the offers known then, and their range.

:func:`price_range` is the one rule by which every page prices a GPU-hour.
"""

import datetime

from tokenecon import data
from tokenecon.errors import BadInput, NoPrice, UnknownId
from tokenecon.queries import remembered

PRICE_KINDS = ("on_demand", "spot", "marketplace", "committed_1y", "committed_3y", "rental_3y",
               "owned_hyperscaler", "owned_neocloud", "purchase")  # fmt: skip

# A price not seen for this long says nothing about the date asked for; what a GPU costs to buy is published more rarely.
PRICE_MAX_AGE_DAYS = dict.fromkeys(PRICE_KINDS, 365) | {"purchase": 1095}


def _iso(as_of):
    if isinstance(as_of, datetime.datetime):
        as_of = as_of.date()
    try:
        return datetime.date.fromisoformat(str(as_of)).isoformat()
    except ValueError:
        raise BadInput(f"as_of '{as_of}' is not a date; write it as YYYY-MM-DD, e.g. 2025-12-08") from None


def newest_price_date():
    """Date of the newest price in the table: the default of ``as_of`` everywhere."""
    return data.extreme("prices", "as_of")


def prices(gpu=None, kind=None, as_of=None, *, max_age_days=None, claimed=False):
    """The newest price not after a date, per GPU, provider, region, kind and offer.

    ``max_age_days`` drops prices last seen longer ago.  What the documents claim is left out unless ``claimed``: it is checked.
    """
    date = newest_price_date() if as_of is None else _iso(as_of)
    where = {"as_of<=": date}
    if gpu is not None:
        if gpu not in data.ids("gpus"):
            raise UnknownId("gpu", gpu, data.ids("gpus"), "`tokenecon list gpus`")
        where["gpu"] = gpu
    if kind is not None:
        if kind not in PRICE_KINDS:
            raise UnknownId("price kind", kind, PRICE_KINDS, ", ".join(PRICE_KINDS))
        where["kind"] = kind
    if not claimed:
        where["basis!="] = "claimed"
    frame = data.rows("prices", where, want="*")
    newest = frame.groupby(["gpu", "provider", "region", "kind", "offer", "basis"])["as_of"].transform("max")
    frame = frame[frame["as_of"] == newest]
    if max_age_days is not None:
        oldest = datetime.date.fromisoformat(date) - datetime.timedelta(days=max_age_days)
        frame = frame[frame["last_seen"] >= oldest.isoformat()]
    return data.cite("prices", frame).sort_values(["gpu", "kind", "value"]).reset_index(drop=True)


def price_range(gpu, kind, as_of=None, *, max_age_days=None):
    """Lowest, typical and highest price of a GPU on a date, over the offers known then.

    Returns a dict: low, typical, high, unit, as_of (newest row used), rows (ids).  Typical is the median over
    providers of each one's median, so that a provider with ten sizes counts once.  An estimate with its own range widens low
    and high by it.  ``max_age_days`` is :data:`PRICE_MAX_AGE_DAYS` of the kind unless given.
    """
    found = _price_range(gpu, kind, as_of, PRICE_MAX_AGE_DAYS.get(kind) if max_age_days is None else max_age_days)
    return found | {"rows": list(found["rows"])}  # the caller may change what it gets


def stated(case):
    """The price of a GPU-hour that a page's ``usd_per_gpu_hour`` states, or None. [USD/GPU/h]"""
    usd = getattr(case, "usd_per_gpu_hour", None)
    if usd is not None and not usd > 0:
        raise BadInput(f"parameter 'usd_per_gpu_hour' is {usd:g}, but must be above 0")
    return usd


def of_page(case, gpu=None, kind="on_demand"):
    """:func:`price_range` of the GPU of a page on its day, or the price that the page's ``usd_per_gpu_hour`` states."""
    usd = stated(case)
    if usd is None:
        return price_range(gpu or case.gpu, kind, case.as_of)
    return {"low": usd, "typical": usd, "high": usd, "unit": "USD/GPU/h", "as_of": case.as_of, "rows": []}


def known(case):
    """Since when the prices of a page hold, in words that follow "prices"."""
    usd = stated(case)
    return f"known on {case.as_of}" if usd is None else f"as the page states (${usd:.4g} a GPU-hour)"


@remembered
def _price_range(gpu, kind, as_of, max_age_days):
    rows = prices(gpu, kind, as_of, max_age_days=max_age_days)
    if rows.empty:
        any_age = prices(gpu, kind)
        newest = f"the newest is of {any_age['as_of'].max()}" if len(any_age) else "none is known at all"
        kinds, date = ", ".join(sorted(prices(gpu)["kind"].unique())) or "none", as_of or newest_price_date()
        later = any_age["as_of"].min() if len(any_age) else ""
        ways = [f"ask for {later} or later (as_of)"] * (later > date) + ["give usd_per_gpu_hour"] * (kind == "on_demand")
        raise NoPrice(f"no {kind} price of {gpu} within {max_age_days} days before {date}: {newest}; kinds known for it: "
                      f"{kinds}; {', '.join(ways)}{', or ' if ways else ''}add a row to {data.file('prices')}")
    low, high = rows["low"].fillna(rows["value"]), rows["high"].fillna(rows["value"])
    typical = rows.groupby("provider")["value"].median().median()
    return {
        "low": float(low.min()), "typical": float(typical), "high": float(high.max()),
        "unit": rows["unit"].iloc[0], "as_of": rows["as_of"].max(), "rows": list(rows["id"]),
    }  # fmt: skip

"""Inputs of the documents held against dated facts: data sheets and prices."""

import datetime

from tokenecon import data, units
from tokenecon.errors import NoPrice
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.claims.rule import Recomputation
from tokenecon_book.documents.printed import n, span_text


def gpu_fact(c, claim_id, fact_id):
    """A printed hardware figure against the fact of ``data/gpus.csv``, in the claim's unit."""
    fact, claim = data.row("gpus", fact_id, "fact"), c.row(claim_id)
    value = units.convert(fact["value"], fact["unit"], claim["unit"])
    return Recomputation(
        arithmetic=f"{fact_id} = {n(value)} {claim['unit']} ({fact['basis']}, {fact['as_of']}); "
                   f"printed: {n(c.value(claim_id))}",
        low=value, high=value, confirmed_by=f"agrees with the data sheet: {n(value)} {claim['unit']}",
        needed=f"the data sheet gives {n(value)} {claim['unit']}")


def model_fact(c, claim_id, model_id):
    """A printed parameter count against the exact count of the model."""
    model = data.model(model_id)
    count = float(model["parameters"])
    return Recomputation(
        arithmetic=f"{model['name']} has {n(count)} parameters, counted from its shape", low=count, high=count,
        confirmed_by=f"agrees with the exact count of {n(count)}", needed=f"exactly {n(count)}")


def prices_around(gpu_id, kind, day):
    """Prices known around a day, as long before it as after it: sources look at prices seldom."""
    days = gpu_prices.PRICE_MAX_AGE_DAYS[kind]
    later = (datetime.date.fromisoformat(day) + datetime.timedelta(days=days)).isoformat()
    return gpu_prices.price_range(gpu_id, kind, later, max_age_days=2 * days)


def price_fact(c, claim_id, gpu_id, kind, what, before=None):
    """A printed price against the dated prices around the documents' day, or the newest before another day."""
    found = gpu_prices.price_range(gpu_id, kind, before) if before else prices_around(gpu_id, kind, c.day())
    low, high = found["low"], found["high"]
    when = f"known by {before}" if before else f"known within {gpu_prices.PRICE_MAX_AGE_DAYS[kind]} days of {c.day()}"
    shown = f"{span_text(low, high)} {found['unit']}"
    return Recomputation(
        arithmetic=f"{what} of {gpu_id} {when}: {shown} ({len(found['rows'])} rows)", low=low, high=high,
        confirmed_by=f"overlaps the {what} {when}: {shown}", needed=f"the {what} {when} are {shown}")


def like_ends(one, other):
    """One thing over another, low end with low end and high with high: the smaller and the larger ratio."""
    return tuple(sorted(one[end] / other[end] for end in (0, -1)))


def ends(found):
    """Both ends of what :func:`prices_around` found."""
    return found["low"], found["high"]


def at_one_seller(gpu_id, other_id, day):
    """Price of a GPU-hour on demand over that of another one at each seller of both: the sellers, and both ends of the ratios."""
    known = [prices_around(name, "on_demand", day)["rows"] for name in (gpu_id, other_id)]
    newest = []
    for ids in known:
        rows = data.rows("prices", {"id": ids})
        last = rows[rows["as_of"] == rows.groupby("provider")["as_of"].transform("max")]
        newest.append(last.groupby("provider")["value"].median())
    over = (newest[0] / newest[1]).dropna()
    if over.empty:
        raise NoPrice(f"prices.csv has no seller with on-demand prices of both {gpu_id} and {other_id} around {day}; add rows")
    return len(over), (float(over.min()), float(over.max()))


def purchase_ratio(c, claim_id, gpu_id, other_id):
    """A printed price ratio against purchase prices."""
    one, other = (prices_around(name, "purchase", c.day()) for name in (gpu_id, other_id))
    ratios = like_ends(ends(one), ends(other))
    return Recomputation(
        arithmetic=f"purchase {n(one['low'])}/{n(other['low'])} and {n(one['high'])}/{n(other['high'])} USD = "
                   f"{span_text(*ratios)}",
        low=ratios[0], high=ratios[1],
        confirmed_by=f"agrees with estimated purchase prices: {span_text(*ratios)}",
        needed=f"purchase prices give {span_text(*ratios)}")


def price_cut(gpu_id, provider):
    """The largest single cut in a provider's on-demand price: (share, day, before, after)."""
    rows = data.rows("prices", {"gpu": gpu_id, "provider": provider, "kind": "on_demand", "basis!=": "claimed"})
    by_day = rows.groupby("as_of")["value"].median().sort_index()
    cuts = 1 - by_day / by_day.shift()
    if cuts.dropna().empty:
        raise NoPrice(f"prices.csv has no two dates of on-demand {gpu_id} at {provider}; add a row")
    day = cuts.idxmax()
    before = by_day.shift().loc[day]
    return float(cuts.loc[day]), day, float(before), float(by_day.loc[day])


def optimisation(row_id):
    """One published effect of data/optimisations.csv."""
    return data.row("optimisations", row_id, "optimisation")

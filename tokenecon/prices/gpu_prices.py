"""What an hour of an accelerator is asked for on a date: the offers known then, and their range.

:func:`price_range` is the one rule by which every page prices a GPU-hour.  An estimate is no offer: nobody can be paid it.
Where nobody prints what a GPU is bought for, an estimate stands in, and says so.
"""

import contextlib
import datetime
from math import nan
from operator import itemgetter

import numpy as np

from tokenecon import data, units
from tokenecon.errors import BadInput, NoPrice, UnknownId
from tokenecon.finding import named as quantity
from tokenecon.formulas import contracts
from tokenecon.queries import remembered

PRICE_KINDS = ("on_demand", "spot", "marketplace", "reserved_3m", "committed_1y", "committed_3y", "rental_3y",
               "owned_hyperscaler", "owned_neocloud", "purchase")  # fmt: skip
RENTED = PRICE_KINDS[:PRICE_KINDS.index("owned_hyperscaler")]  # what a seller lets; the others are costs of an owner
BOUGHT = "purchase"
ESTIMATES = "index"  # kind of data/providers.csv of those who estimate, and sell nothing
YOUNG_DAYS = 365  # purchase prices seen in so many days go before older ones
SECOND_HAND = "used"  # how the offer of a purchase price says so
TERM_MONTHS = {"reserved_3m": 3, "committed_1y": 12, "committed_3y": 36, "rental_3y": 36}  # where a row does not say
OLD_DAYS = 90
# which offers of a choice set its price, of a GPU-hour and of tokens alike
PRICE_RULES = {"typical": "the median of all sellers", "best": "the cheapest offer", "list": "the median of the hyperscalers"}
SAME = {"google": "gcp", "oci": "oracle"}  # a seller of tokens -> the same company in data/providers.csv
FRESH = 2  # from so many sellers of a kind seen within OLD_DAYS on, older quotes of that kind are of another market

# A price not seen for this long says nothing about the date asked for; what a GPU costs to buy is published more rarely.
PRICE_MAX_AGE_DAYS = dict.fromkeys(PRICE_KINDS, 365) | {"purchase": 1095}


def _iso(as_of):
    if isinstance(as_of, datetime.datetime):
        as_of = as_of.date()
    try:
        return datetime.date.fromisoformat(str(as_of)).isoformat()
    except ValueError:
        raise BadInput(f"as_of '{as_of}' is not a date; write it as YYYY-MM-DD, e.g. 2025-12-08") from None


def _earlier(day, days):
    return (datetime.date.fromisoformat(day) - datetime.timedelta(days=days)).isoformat()


def newest_price_date():
    """Date of the newest price in the table: the default of ``as_of`` everywhere."""
    return data.extreme("prices", "as_of")


def prices(gpu=None, kind=None, as_of=None, *, max_age_days=None, claimed=False):
    """The newest price not after a date, per GPU, provider, region, kind and offer.

    ``max_age_days`` drops prices last seen longer ago.  What the documents claim is left out unless ``claimed``: it is checked.
    """
    return data.cite("prices", _newest(gpu, kind, as_of, max_age_days, claimed))


@remembered
def _known(gpu, kind, as_of, max_age_days):
    """Rows of :func:`prices`, to choose from; read only."""
    return _newest(gpu, kind, as_of, max_age_days)


def _newest(gpu, kind, as_of, max_age_days, claimed=False):
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
    offered = list(zip(*(frame[name] for name in ("gpu", "provider", "region", "kind", "offer", "basis")), strict=True))
    newest = {}
    for offer, day in zip(offered, frame["as_of"], strict=True):
        newest[offer] = max(day, newest.get(offer, ""))
    frame = frame[frame["as_of"] == [newest[offer] for offer in offered]]
    if max_age_days is not None:
        frame = frame[frame["last_seen"] >= _earlier(date, max_age_days)]
    return frame.sort_values(["gpu", "kind", "value"]).reset_index(drop=True)


def estimated(rows):
    """Which rows are a model's, an index's or our own guess and nobody's offer, as an array of booleans.

    What readers assume in their own facts is taken at their word.
    """
    who = data.rows("providers", {"kind": ESTIMATES}, want="id")["id"]
    guessed = (rows["basis"] == "assumed") & ~rows["id"].isin(data.own("prices"))
    return (rows["provider"].isin(who) | guessed).to_numpy()


def levelled(rows, discount_per_year):
    """Offers with the cost of capital of what is paid in advance in their ``value``, ``low`` and ``high``.

    Two offers of which one wants money early are compared by this price.  A blank ``term_months`` is that of the kind; a blank
    ``prepaid_share`` is 0.  Adds ``asked``, what the seller prints.
    """
    months, early = rows["term_months"].to_numpy(), rows["prepaid_share"].to_numpy()
    months = np.where(np.isnan(months), [TERM_MONTHS.get(kind, nan) for kind in rows["kind"]], months)
    endless = np.isnan(months)  # of what has no term nothing is paid in advance
    factor = contracts.prepaid_usd_per_gpu_hour(
        usd_per_gpu_hour=1.0, prepaid_share=np.where(np.isnan(early) | endless, 0.0, early),
        discount_per_year=discount_per_year, years=units.convert(np.where(endless, 1.0, months), "month", "yr"))
    return rows.assign(asked=rows["value"], term_months=months,
                       **{end: rows[end].to_numpy() * factor for end in ("value", "low", "high")})


def offers(gpu, kind, as_of=None, *, max_age_days=None, estimates=False):
    """:func:`prices` that one can be asked to pay now: no estimates, unless asked for, and no past rents beside newer ones.

    Where :data:`FRESH` sellers of a kind (hyperscalers, neoclouds …) were seen in the :data:`OLD_DAYS` days before the date, only
    what was seen in them counts of that kind; else of each seller what it asked in so many days up to its newest quote.  By
    kind, or two lists that are read each week would leave a market of two.  With ``max_age_days`` all of that time counts.
    Of what a GPU is bought for, printed prices of the last :data:`YOUNG_DAYS` days go first, then older ones, and estimates
    stand where nobody prints a price.
    Adds ``quoted``: the day on which a quote was last seen, as known on the date.
    """
    return _offers(gpu, kind, as_of, max_age_days, estimates).copy()


@remembered
def _offers(gpu, kind, as_of, max_age_days, estimates):
    days = PRICE_MAX_AGE_DAYS[kind] if max_age_days is None and kind in PRICE_KINDS else max_age_days
    rows = _known(gpu, kind, as_of, days)
    if rows.empty:
        return rows.assign(quoted="")
    if not estimates:
        guessed = estimated(rows)
        if kind in RENTED or (kind == BOUGHT and not guessed.all()):
            rows = rows[~guessed]
    date = newest_price_date() if as_of is None else _iso(as_of)
    rows = rows.assign(quoted=rows["last_seen"].where(rows["last_seen"] <= date, date))
    if kind == BOUGHT and max_age_days is None:
        young = rows["quoted"] >= _earlier(date, YOUNG_DAYS)
        rows = rows[young] if young.any() else rows
    if kind in RENTED and max_age_days is None:
        known = data.rows("providers", {}, want="id kind")
        who, young = dict(zip(known["id"], known["kind"], strict=True)), _earlier(date, OLD_DAYS)
        quotes = [(kind if kind == "marketplace" else who[provider], provider, quoted)
                  for provider, quoted in zip(rows["provider"], rows["quoted"], strict=True)]
        fresh, newest = {}, {}
        for seller, provider, quoted in quotes:
            newest[provider] = max(quoted, newest.get(provider, ""))
            if quoted >= young:
                fresh.setdefault(seller, set()).add(provider)
        rows = rows[np.array([
            quoted >= young or (len(fresh.get(seller, ())) < FRESH and quoted >= _earlier(newest[provider], OLD_DAYS))
            for seller, provider, quoted in quotes], dtype=bool)]
    return data.cite("prices", rows.reset_index(drop=True))


def ruled(rows, rule, date):
    """Those of some offers (``provider``, ``quoted``) that a price rule reckons with; of ``best`` the cheapest of them counts.

    ``list``: those of hyperscalers.  ``best``: those seen in the :data:`OLD_DAYS` days before the date where any was, be it of
    another kind of seller: who wants the cheapest offer must be able to get it.
    """
    if rule == "list":
        listing = set(data.rows("providers", {"kind": "hyperscaler"}, want="id")["id"])
        return rows[rows["provider"].replace(SAME).isin(listing)]
    fresh = rows["quoted"] >= _earlier(date, OLD_DAYS)
    return rows[fresh] if rule == "best" and fresh.any() else rows


def price_range(gpu, kind, as_of=None, *, max_age_days=None, estimates=False, rule="typical", most_gpus=None,
                discount_per_year=0.0):
    """Lowest, typical and highest price of a GPU on a date, over the :func:`offers` known then that a rule reckons with.

    Returns a dict: low, typical, high, unit, as_of (day of the quote that sets the typical price, the older of two), newest
    (day of the newest quote), date (the one asked for), sellers (how many), setting (names of those whose price it is), rule,
    offers, estimates (whether any is one), rows (ids).  By the rule ``best`` all three are the cheapest offer, of those that one
    may take ``most_gpus`` GPUs of, and ``min_gpus`` says of how many it is.  ``term_months`` is how long one commits oneself by
    the longest of the offers that set the price (0: by the hour), ``prepaid_share`` how much of it is paid in advance; what that
    costs at ``discount_per_year`` is in the price.
    Typical is the median over sellers of each one's median, so that a seller with ten sizes counts once.  An estimate with
    its own range widens low and high by it.  ``max_age_days`` is :data:`PRICE_MAX_AGE_DAYS` of the kind unless given.
    """
    found = _price_range(gpu, kind, as_of, max_age_days, estimates, rule, most_gpus, discount_per_year)
    return found | {name: list(found[name]) for name in ("setting", "rows")}  # the caller may change what it gets


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
        return price_range(gpu or case.gpu, kind, case.as_of, estimates=kind != "on_demand")  # a page asks for one by its name
    return {"low": usd, "typical": usd, "high": usd, "unit": "USD/GPU/h", "as_of": case.as_of, "newest": case.as_of,
            "date": case.as_of, "sellers": 0, "offers": 0, "estimates": False, "term_months": 0.0, "prepaid_share": 0.0,
            "rows": []}


def known(case):
    """On which day the prices of a page are known, of how many sellers and how old, in words that follow "prices"."""
    usd = stated(case)
    if usd is not None:
        return f"as the page states (${usd:.4g} a GPU-hour)"
    one, kind, priced = getattr(case, "gpu", ""), getattr(case, "price_kind", "on_demand"), {}
    for gpu in [one] if one else case.gpus:
        with contextlib.suppress(NoPrice):
            priced[gpu] = of_page(case, gpu, kind)
    if len(priced) == 1:
        return f"known on {case.as_of} ({counted(next(iter(priced.values())))})"
    old = [data.gpu(gpu)["name"] for gpu, found in priced.items() if aged(found)]
    return f"known on {case.as_of}" + (f" (set by quotes over {OLD_DAYS} days old: {', '.join(old)})" if old else "")


def words(kind):
    """Prices of a kind, in words; those that nobody asks are called estimates."""
    name = kind.replace("_", "-")
    return f"{name} prices" if kind in RENTED and kind != "rental_3y" else f"estimates of {name} prices"


def is_old(day, as_of):
    """Whether what was seen on a day is old on another: never by the clock of a machine."""
    return day < _earlier(as_of, OLD_DAYS)


def age_days(found, day="as_of"):
    """Age of the quote that sets a price, or of the newest, on the date asked for. [day]"""
    return (datetime.date.fromisoformat(found["date"]) - datetime.date.fromisoformat(found[day])).days


def _of(found):
    """What a price is of, as the case of a named quantity."""
    of = {name: found[name] for name in ("gpu", "model", "context", "kind", "seller", "rule") if found.get(name)}
    return of | {"as_of": found["date"]}


def _days(found, day="as_of"):
    """The age of a price, or of its newest quote, as text and named quantity."""
    return quantity("price-age-newest" if day == "newest" else "price-age-set", age_days(found, day), str, **_of(found))


def aged(found):
    """The age of a price in brackets, to stand behind it, where it is over :data:`OLD_DAYS`; else nothing."""
    return f" ({_days(found)} days old)" if age_days(found) > OLD_DAYS else ""


def counted(found):
    """Of how many sellers a price is and how old, in words.

    >>> counted({"sellers": 11, "as_of": "2026-05-24", "newest": "2026-05-24", "date": "2026-11-22"})
    'median of 11 sellers, set by a quote 182 days old, newest 182'
    """
    if not found["sellers"]:
        return "as the page states"
    if found.get("estimates"):
        return f"an estimate and no offer, {_old(found, 'newest')}"
    sellers = quantity("price-sellers", found["sellers"], str, **_of(found))
    if sellers == "1":
        return f"{sellers} seller, {_old(found, 'newest')}"
    return f"median of {sellers} sellers, " + (
        f"newest {_old(found, 'newest')}" if age_days(found) <= OLD_DAYS else
        f"set by a quote {_old(found)}, newest {_days(found, 'newest')}")


def whose(found):
    """Whose price it is that a rule found, of how many sellers, and how old it is.

    >>> whose({"setting": ["Verda"], "rule": "best", "sellers": 14, "as_of": "2026-10-10", "newest": "2026-10-10",
    ...        "date": "2026-11-22"})
    'Verda: cheapest of 14 sellers, 43 days old'
    """
    how = (f"cheapest of {quantity('price-sellers', found['sellers'], str, **_of(found))} sellers, {_old(found)}"
           if found["rule"] == "best" and found["sellers"] > 1 else counted(found))
    server = f", from {found['min_gpus']} GPUs on" if found.get("min_gpus", 1) > 1 else ""
    early = f", {found['prepaid_share']:.0%} paid in advance" if found.get("prepaid_share") else ""
    return f"{' / '.join(found['setting'])}: {how}{server}{early}{', second-hand' if found.get('second_hand') else ''}"


def named(sellers):
    """Names of some sellers; who sells only tokens goes by its id."""
    names = data.rows("providers", {}, want="id name").set_index("id")["name"]
    return [names.get(SAME.get(one, one), one) for one in sellers]


def said(found):
    """A price with its count and age: "$2.99, median of 11 sellers, newest 43 days old"."""
    return f"${found['typical']:.2f}, {counted(found)}"


def _old(found, day="as_of"):
    days = age_days(found, day)
    return f"{_days(found, day)} day{'' if days == 1 else 's'} old" if days else "of the day"


@remembered
def _price_range(gpu, kind, as_of, max_age_days, estimates, rule, most_gpus, discount_per_year):
    rows = offers(gpu, kind, as_of, max_age_days=max_age_days, estimates=estimates)
    date = newest_price_date() if as_of is None else _iso(as_of)
    days = PRICE_MAX_AGE_DAYS[kind] if max_age_days is None else max_age_days
    if rows.empty:
        raise NoPrice(_no_price(gpu, kind, date, days))
    others, rows = rows["provider"].nunique(), ruled(rows, rule, date)
    if rows.empty:
        raise NoPrice(f"no {kind} price of {gpu} at a hyperscaler within {days} days before {date}: {others} other "
                      f"seller{'s ask' if others > 1 else ' asks'} one; choose another price_rule, "
                      f"or add a row to {data.file('prices')}")
    sellers, least, rows = rows["provider"].nunique(), 1, levelled(rows, discount_per_year)
    if rule == "best":
        rows = rows.assign(min_gpus=rows["min_gpus"].fillna(1))
        rows = rows[rows["min_gpus"] <= (most_gpus or rows["min_gpus"].max())]
        if rows.empty:
            raise NoPrice(f"no {kind} price of {gpu} for at most {most_gpus:g} GPUs: only larger servers are let")
        rows = rows.sort_values(["value", "quoted", "provider"], ascending=[True, False, True]).head(1).assign(low=nan, high=nan)
        least = int(rows["min_gpus"].iloc[0])
    low, high = rows["low"].fillna(rows["value"]), rows["high"].fillna(rows["value"])
    typical, setters = _sellers(rows, rows["quoted"])
    set_on = min(day for offers in setters.values() for _, day in _middles(offers))
    sets = rows[rows["provider"].isin(setters)]
    return {
        "gpu": gpu, "kind": kind, "low": float(low.min()), "typical": typical, "high": float(high.max()),
        "unit": rows["unit"].iloc[0], "as_of": set_on, "newest": rows["quoted"].max(), "date": date, "sellers": sellers,
        "offers": len(rows), "rule": rule, "setting": named(setters), "min_gpus": least, "estimates": bool(estimated(rows).any()),
        "term_months": float(sets["term_months"].fillna(0.0).max()),
        "prepaid_share": float(sets["prepaid_share"].fillna(0.0).max()), "rows": list(rows["id"]),
    }  # fmt: skip


def middle(rows, days):
    """Median over sellers of each one's median ``value``, and the day of the quote that sets it, the older of two."""
    usd, sellers = _sellers(rows, days)
    return usd, min(day for offers in sellers.values() for _, day in _middles(offers))


def setting(rows):
    """Names of the one or two sellers whose price is the :func:`middle` of some offers."""
    return named(_sellers(rows, rows["quoted"])[1])


def _sellers(rows, days):
    """The median over sellers, and the one or two that make it: seller to its offers, pairs of ``value`` and day."""
    offers = {}
    for seller, usd, day in zip(rows["provider"], rows["value"], days, strict=True):
        offers.setdefault(seller, []).append((usd, day))
    middles = _middles([(_median(offers[seller]), seller) for seller in sorted(offers)])
    return float(_median(middles)), {seller: offers[seller] for _, seller in middles}


def _median(pairs):
    """The median of the first of pairs."""
    middles = _middles(pairs)
    return (middles[0][0] + middles[-1][0]) / 2


def _middles(pairs):
    """The one or two of some pairs whose first make their median."""
    ordered = sorted(pairs, key=itemgetter(0))
    return ordered[(len(ordered) - 1) // 2:len(ordered) // 2 + 1]


def _no_price(gpu, kind, date, max_age_days):
    """Why there is no price, and what would give one."""
    any_age, known = _known(gpu, kind, None, None), _known(gpu, None, None, None)
    shown = any_age[estimated(any_age)] if kind in RENTED else any_age.head(0)
    sold = any_age.drop(shown.index)
    kinds = ", ".join(sorted(known.loc[~estimated(known) | ~known["kind"].isin(RENTED), "kind"].unique())) or "none"
    newest = f"the newest is of {sold['last_seen'].max()}" if len(sold) else (
        "only estimates are known, which nobody can be paid" if len(shown) else "none is known at all")
    later = sold["as_of"].min() if len(sold) else ""
    ways = [f"ask for {later} or later (as_of)"] * (later > date) + ["give usd_per_gpu_hour"] * (kind == "on_demand")
    return (f"no {kind} price of {gpu} within {max_age_days} days before {date}: {newest}; kinds known for it: "
            f"{kinds}; {', '.join(ways)}{', or ' if ways else ''}add a row to {data.file('prices')}")

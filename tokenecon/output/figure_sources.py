"""Where the figures of a memo come from: of each what it is, its value, who said so, when, and at which address."""

import re

from tokenecon import __version__, data
from tokenecon.catalogue import TITLE, YOURS
from tokenecon.decision import montecarlo, scenario_prices
from tokenecon.numbers import number
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices

LINK = re.compile(r"https?://[^\s;,]+")
COLUMNS = ("Figure", "Value", "Source", "Date", "Address")
STATED = object()  # stands for the address of the scenario
DRIVERS = 5  # that the memo names


def listed(case, options, drivers, where):
    """Rows of :data:`COLUMNS`: prices of the choices, purchase prices, load, speed, and the ranges that decide.

    ``where`` is the scenario as the command names it: the address of what it states.
    """
    rows = []
    for option in options:
        rows += _prices(case, option["row"]) + (
            _prices(case, option["rest_row"])
            if "share" in option and option.get("rest_row") is not None and option["kind"] != option["base"]
            else []
        )
    rows += _load(case)
    rows.append(
        (
            "Speed of machines, 80% interval",
            "fitted to public benchmarks",
            f"{TITLE}, version {__version__}",
            max(data.table("measurements")["as_of"]),
            "data/measurements.csv",
        )
    )
    for _, row in drivers.table.head(DRIVERS).iterrows():
        rows += _range(case, row)
    return list(dict.fromkeys(tuple(where if part is STATED else part for part in row) for row in rows))


def numbers(rows):
    """The number of the first row of each figure, for a reference to it."""
    return {row[0]: place for place, row in reversed(list(enumerate(rows, 1)))}


def priced(row):
    """The name of a choice's price among the figures."""
    return (
        "Tokens of the API"
        if row["kind"] == "api"
        else f"{'Purchase' if row['kind'] == 'own' else 'GPU-hour'}, {row['name']}"
    )


def _prices(case, row):
    """The quotes that set the price of a choice of :func:`options.offers`."""
    what = priced(row)
    if row["kind"] == "api":
        value = number(row["usd_per_mtok_used"], "USD/Mtok") + " a million"
        if case.api:
            return [_stated(case, what, value)]
        offers = scenario_prices.api_offers(case)
        quotes = offers[offers["provider"] == row["seller"]]
        return [_quoted("api_prices", what, value, row["price_from"], quotes.head(1))]
    if row["kind"] == "own":
        value = (
            number(owned_hour.spans(row["gpu"], as_of=case.as_of).loc["usd_per_gpu", "typical"], "USD/GPU")
            if (row["gpu"] not in case.purchases)
            else number(case.purchases[row["gpu"]], "USD/GPU")
        )
        if row["gpu"] in case.purchases:
            return [_stated(case, what, value + " a GPU")]
        quotes = gpu_prices.offers(row["gpu"], gpu_prices.BOUGHT, case.as_of)
        return [
            _quoted(
                "prices",
                what,
                value + " a GPU",
                row["price_from"],
                _setting(quotes, owned_hour.bought(row["gpu"], case.as_of)["setting"]),
            )
        ]
    value = number(row["usd_per_gpu_hour"], "USD/GPU/h") + " an hour"
    if case.rents.get(row["gpu"], {}).get(row["kind"]) is not None:
        return [_stated(case, what, value)]
    found = gpu_prices.price_range(
        row["gpu"], row["kind"], case.as_of, rule=case.price_rule, discount_per_year=case.discount_rate
    )
    quotes = gpu_prices.offers(row["gpu"], row["kind"], case.as_of)
    return [
        _quoted(
            "prices", what, value, row["price_from"], _setting(quotes[quotes["id"].isin(found["rows"])], found["setting"])
        )
    ]


def _setting(quotes, names):
    """The newest quote of those whose price it is."""
    held = quotes[[name in names for name in gpu_prices.named(quotes["provider"])]]
    return (held if len(held) else quotes).sort_values("quoted", kind="stable").tail(1)


def _quoted(table, what, value, said, quotes):
    quote = quotes.iloc[0]
    if quote["id"] in data.own(table):
        return (what, value, f"{said} ({YOURS})", str(quote["quoted"]), f"your file {table}.csv, row {quote['id']}")
    source = data.source(quote["source"])
    return (what, value, f"{said}; read from {source['title']}", str(quote["quoted"]), _address(quote["locator"], source))


def _stated(case, what, value):
    return (what, value, "stated in the scenario", case.as_of, STATED)


def _address(locator, source):
    """The address that the row names, or that of its source."""
    found = LINK.search(str(locator))
    return found[0] if found else str(source["url"]) or f"data/sources.csv, row {source['id']}"


def _load(case):
    """The load: what the scenario says, and whose hours it takes."""
    rows = [
        _stated(
            case,
            "Requests and tokens",
            f"{case.requests_per_day:,.10g} a day of {case.isl:,.10g} and {case.osl:,.10g} tokens",
        )
    ]
    if case.trace is not None:
        fact = next(one for one in data.table("traces").to_dict("records") if one["trace"] == case.trace)
        source = data.source(fact["source"])
        rows.append(("Hours of the load", case.trace, source["title"], fact["as_of"], _address("", source)))
    return rows


def ends(row):
    """Both ends of an input that decides, as a reader says them."""
    return " to ".join(row[end].replace("-", "−").replace("/yr", " a year") for end in ("from", "to"))


def _range(case, row):
    """The row of an input that decides: its 10th to 90th percentile."""
    fact = montecarlo.INPUTS[row["input"]][2]
    value = ends(row)
    if row["input"] in case.uncertainty:
        return [_stated(case, row["name"], value)]
    if not fact:
        return []
    found = data.assumption(fact)
    source = data.source(found["source"])
    own = source["id"].startswith("own-")
    said = f"{'assumed' if found['basis'] == 'assumed' else found['basis']}" + ("" if own else f" after {source['title']}")
    return [
        (
            row["name"],
            value,
            f"{said}, row {fact}",
            found["as_of"],
            "data/assumptions.csv" if own else _address(found["locator"], source),
        )
    ]

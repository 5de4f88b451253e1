"""A choice as a finance lead says it, and the few numbers that stand in a sentence."""

from tokenecon import data
from tokenecon.finding import named
from tokenecon.numbers import money, rounded
from tokenecon.prices import gpu_prices

# whose tokens and whose prices, by a price rule
SELLERS = {"typical": "the median API", "best": "the cheapest API", "list": "the median API of hyperscalers"}
PRICES = {"typical": "median prices", "best": "the cheapest prices", "list": "list prices"}
DOING = {"own": "owning machines", "commitment": "a contract", "rent by the hour": "renting by the hour", "API": "calling an API"}
HOURLY = {"on_demand": "by the hour", "marketplace": "on a marketplace", "spot": "as spot machines"}
MONTHS = {3: "three months", 12: "a year", 36: "three years"}
ROUGH = 2  # digits of a volume


def short(gpu):
    """The name of a GPU without its form: "H200 SXM" is "H200".

    >>> short("b200-sxm-180gb")
    'B200'
    """
    return data.gpu(gpu)["name"].split(" SXM")[0].split(" (")[0]


def api(case):
    """An API as something that one calls; by whose price, the sentence says, or :func:`seller`."""
    return "the API of the scenario" if case.api else "an API"


def seller(case):
    """Whose API price a choice is held against, by the price rule."""
    return "the API of the scenario" if case.api else SELLERS[case.price_rule]


def at_prices(case, row):
    """By which prices an answer holds, as the beginning of a sentence; that the price of its row is old is said."""
    old = "old" in row["price_mark"].split(", ")
    return f"At {PRICES[case.price_rule]}" + (f" (old, of {row['price_seen']})" if old else "")


def case_of(case, kind="", gpu=""):
    """What a number of a decision is of, for :func:`tokenecon.finding.named`: the scenario, its load, day and price rule."""
    own = {"scenario": case.name, "requests_per_day": case.requests_per_day, "as_of": case.as_of, "price_rule": case.price_rule}
    return own | {name: value for name, value in (("kind", kind), ("gpu", gpu)) if value}


def said_month(case, usd, kind, gpu, **ends):
    """The bill of a month of a choice, as text and named quantity, with the ends of its range where they are known: "$13,700"."""
    return named("bill-month", usd, money, **ends, **case_of(case, kind, gpu))


def said_share(case, part, group):
    """The share of the draws in which a kind of choice is the cheapest, as text and named quantity: "69%"."""
    return named("share-of-draws", part, share, group=group, **case_of(case))


def said_years(case):
    """The horizon, as text and named quantity: "3 years"."""
    return named("parameter.years", case.years, years)


def said_volume(case, requests_per_day, kind, gpu, **ends):
    """The volume above which a choice beats the API, as text and named quantity: "1,200,000"."""
    return named("break-even-api", requests_per_day, lambda at: rounded(float(f"{at:.{ROUGH}g}")), **ends,
                 **case_of(case, kind, gpu))


def doing(case, kind, gpu="", gpus=None):
    """A choice as what one does: "renting about 4 H200 on a marketplace"; ``kind`` may name a mix."""
    base, _, burst = kind.partition("+")
    if base == "api":
        return f"calling {api(case)}"
    number = "" if gpus is None else ("about " if base in HOURLY else "") + named(
        "gpus-of-choice", gpus, lambda count: f"{max(1, round(count)):,}", **case_of(case, kind, gpu)) + " "
    machines = f"{number}{short(gpu)}"
    if base in HOURLY:
        return f"renting {machines} {HOURLY[base]}"
    said = f"owning {machines}" if base == "own" else f"reserving {machines} for {MONTHS[gpu_prices.TERM_MONTHS[base]]}"
    return said + {"": "", "api": f" and sending peaks to {api(case)}", "hourly": " and renting peaks by the hour"}[burst]


def share(part):
    """A share without decimals; a small one is not said to be none, nor a large one to be all.

    >>> share(0.686), share(0.002), share(0.9996), share(1.0)
    ('69%', 'under 1%', 'over 99%', '100%')
    """
    if 0 < part < 0.005:
        return "under 1%"
    return "over 99%" if 0.995 <= part < 1 else f"{part:.0%}"


def years(number):
    """A horizon in words."""
    return f"{number} year{'' if number == 1 else 's'}"


def positions(number):
    """People in words: "half a position", "1.5 positions".

    >>> positions(0.5), positions(0), positions(1), positions(0.05)
    ('half a position', 'nobody', 'one position', '0.05 of a position')
    """
    words = {0: "nobody", 0.5: "half a position", 1: "one position"}
    return words.get(number, f"{number:g} of a position" if number < 1 else f"{number:g} positions")


def first_up(text):
    """A sentence begins with a capital."""
    return text[0].upper() + text[1:]

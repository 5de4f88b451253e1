"""A choice as a finance lead says it, and the few numbers that stand in a sentence."""

from tokenecon import data
from tokenecon.prices import gpu_prices

API_SELLER = {"typical": "the median API seller", "best": "the cheapest API seller", "list": "the median hyperscaler's API"}
DOING = {"own": "owning machines", "commitment": "a contract", "rent by the hour": "renting by the hour", "API": "calling an API"}
HOURLY = {"on_demand": "by the hour", "marketplace": "on a marketplace", "spot": "as spot machines"}
MONTHS = {3: "three months", 12: "a year", 36: "three years"}
FEW = 3  # digits of money in a sentence


def short(gpu):
    """The name of a GPU without its form: "H200 SXM" is "H200".

    >>> short("b200-sxm-180gb")
    'B200'
    """
    return data.gpu(gpu)["name"].split(" SXM")[0].split(" (")[0]


def api(case):
    """Whose tokens are bought."""
    return "the API of the scenario" if case.api else API_SELLER[case.price_rule]


def doing(case, kind, gpu="", gpus=None):
    """A choice as what one does: "renting about 4 H200 on a marketplace"; ``kind`` may name a mix."""
    base, _, burst = kind.partition("+")
    if base == "api":
        return f"calling {api(case)}"
    number = "" if gpus is None else f"{'about ' if base in HOURLY else ''}{max(1, round(gpus)):,} "
    machines = f"{number}{short(gpu)}"
    if base in HOURLY:
        return f"renting {machines} {HOURLY[base]}"
    said = f"owning {machines}" if base == "own" else f"reserving {machines} for {MONTHS[gpu_prices.TERM_MONTHS[base]]}"
    return said + {"": "", "api": f" and sending peaks to {api(case)}", "hourly": " and renting peaks by the hour"}[burst]


def money(usd):
    """USD in a sentence: three digits at most.

    >>> money(13738.2), money(448311), money(833.3)
    ('$13,700', '$448,000', '$833')
    """
    return f"${rounded(usd)}"


def rounded(value):
    """A number with three digits at most, from 1 on without decimals.

    >>> rounded(1188041), rounded(0.05)
    ('1,190,000', '0.05')
    """
    kept = float(f"{value:.{FEW}g}")
    return f"{kept:,.0f}" if abs(kept) >= 10 or kept == int(kept) else f"{kept:g}"


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

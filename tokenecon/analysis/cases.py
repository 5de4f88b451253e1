"""What the case studies share: bills read backwards into fleets and rates, at the prices of a date."""

import pandas as pd

from tokenecon import data
from tokenecon.analysis.claims_facts import n
from tokenecon.formulas import bills

FACT_COLUMNS = {"what": ("What follows", None), "how": ("From", None), "value": ("Value", None)}
FLEET_COLUMNS = {
    "bill": ("Bill", None), "usd_per_day": ("A day", "USD/day"), "gpus": ("GPUs it pays for", "GPU"),
}  # fmt: skip


def fact(what, how, value, unit=""):
    """One line of a table of identities: what follows, from which figures, and the number in words."""
    return {"what": what, "how": how, "value": f"{n(value)} {unit}".strip()}


def positive(case, *names):
    """Refuse a volume or a bill of zero: nothing can be said per unit of it."""
    for name in names:
        if getattr(case, name) <= 0:
            raise ValueError(f"parameter '{name}' is {getattr(case, name):g}; a case needs a number above 0 there")


def prices(case):
    """Lowest, typical and highest on-demand price of the case's GPU on its date. [USD/GPU/h]"""
    found = data.price_range(case.gpu, "on_demand", case.as_of)
    return (found["low"], found["typical"], found["high"]), found["sources"]


def fleet(case, bill_of):
    """GPUs that each daily bill pays for round the clock, over the price range of the date."""
    (low, typical, high), cited = prices(case)
    rows = []
    for bill, usd_per_day in bill_of.items():
        count = [float(bills.implied_gpus(usd_per_day=usd_per_day, usd_per_gpu_hour=usd)) for usd in (high, typical, low)]
        rows.append({"bill": bill, "usd_per_day": usd_per_day, "gpus": count[1], "gpus_low": count[0], "gpus_high": count[2]})
    table = pd.DataFrame(rows)
    table.attrs["note"] = (f"{data.gpu(case.gpu)['name']} round the clock at on-demand prices known on {case.as_of}, "
                           f"${low:.2f} to ${high:.2f} an hour.")
    table.attrs["sources"] = ["doc-uk", *cited]
    return table


def ratio_words(ratio):
    """A ratio in words that stay true on both sides of one."""
    return f"{ratio:.1f} times" if ratio >= 1.05 else "about" if ratio > 0.95 else f"{ratio:.0%} of"


def span_columns(name, ends):
    """A column with its range, from (low, expected, high) in any order."""
    low, high = min(ends), max(ends)
    return {name: ends[1], f"{name}_low": low, f"{name}_high": high}


def filled(table, name):
    """The table with its value as both ends where a row has no range."""
    for end in (f"{name}_low", f"{name}_high"):
        table[end] = table[end].fillna(table[name])
    return table

"""What the case studies share: bills read backwards into fleets, traffic read forwards into bills, what reconciles them."""

import functools

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, NoInput, NoPrice
from tokenecon.finding import Finding, agreed, finding
from tokenecon.fleet import planning as fleets
from tokenecon.fleet import traffic
from tokenecon.formulas import money
from tokenecon.ownership import owned_hour
from tokenecon.units import SECONDS_PER_DAY, factor
from tokenecon_book.documents import base
from tokenecon_book.documents.printed import n
from tokenecon_book.documents.words import dollars, span

FACT_COLUMNS = {"what": ("What follows", None), "how": ("From", None), "value": ("Value", None)}
FLEET_COLUMNS = {
    "bill": ("Bill", None), "usd_per_day": ("A day", "USD/day"), "n_gpus": ("GPUs it pays for", "GPU"),
}  # fmt: skip
RECONCILE_COLUMNS = {
    "parameter": ("If only this moves", None), "page": ("Here", None), "needed": ("Needed", None),
    "plausible": ("Range known", None), "within": ("Within it", None),
}  # fmt: skip
PRINTED = "the documents' figure"
FLOOR = 1  # replicas kept at all times


def said(value, unit="", digits=4):
    """A number with its unit as a reader says both: "$87,072", "56.25%", "1 node"."""
    if unit == "USD":
        return f"${n(value, digits)}"
    return f"{n(value, digits)}%" if unit == "%" else agreed(f"{n(value, digits)} {unit}".strip())


def fact(what, how, value, unit=""):
    """One line of a table of identities: what follows, from which figures, and the number in words."""
    return {"what": what, "how": how, "value": said(value, unit)}


def saving(what, how, share):
    """A saving as a line of identities; where it is none, the line says by how much the bill rose."""
    return fact(what, how, 100 * share, "%") if share >= 0 else fact(f"{what}: none, a rise of", how, -100 * share, "%")


def positive(case, *names):
    """Refuse a volume or a bill of zero: nothing can be said per unit of it."""
    for name in names:
        if getattr(case, name) <= 0:
            raise BadInput(f"parameter '{name}' is {getattr(case, name):g}; a case needs a number above 0 there")


def chance(case):
    """Refuse a share of waiting requests that no fleet can be sized for."""
    if not 0 < case.wait_probability < 1:
        raise BadInput(f"parameter 'wait_probability' is {case.wait_probability:g}, but must lie between 0 and 1: the share of "
                       "requests that may find every place taken")


def prices(case):
    """Lowest, typical and highest on-demand price of the case's GPU on its date. [USD/GPU/h]"""
    found = base.hour(case)
    return found["low"], found["typical"], found["high"]


def owned(case):
    """Low, typical and high cost of an hour of the case's GPU for its owner on that date, or None without a purchase price."""
    try:
        found = owned_hour.owned(case.gpu, as_of=case.as_of)
    except (NoInput, NoPrice):
        return None
    return tuple(found[name] for name in ("likely_low", "total", "likely_high"))


@finding
def fleet(case, bill_of):
    """GPUs that each daily bill pays for round the clock, over the price range of the date."""
    low, typical, high = prices(case)
    rows = []
    for bill, usd_per_day in bill_of.items():
        count = [float(money.implied_gpus(usd_per_day=usd_per_day, usd_per_gpu_hour=usd)) for usd in (high, typical, low)]
        rows.append({"bill": bill, "usd_per_day": usd_per_day, "n_gpus": count[1], "n_gpus_low": count[0],
                     "n_gpus_high": count[2]})
    table = pd.DataFrame(rows)
    return Finding(table, note=f"{data.gpu(case.gpu)['name']} round the clock at on-demand prices known on {case.as_of}, "
                               f"{span(low, high, dollars)} an hour.")


def day(case):
    """The load of the case over a day."""
    try:
        return traffic.synthetic(case.peak_to_mean)
    except ValueError as error:
        raise BadInput(f"parameter 'peak_to_mean' is {case.peak_to_mean:g}: {error}") from None


def paid(case, replica, requests_per_day):
    """The fleet that serves so many requests a day, as :func:`tokenecon.fleet.planning.plan` has it, by end of the speed.

    Returns three plans: of the slow end of the model's interval, the expected speed and the fast end.
    """
    chance(case)
    return [fleets.plan(
        day(case), mean_requests_per_s=requests_per_day / SECONDS_PER_DAY, requests_per_s=replica[f"requests_per_s{end}"],
        concurrency=replica["concurrency"], wait_probability=case.wait_probability, policy=case.policy,
        start_h=data.value("fleet.start") * factor("min") / factor("h"), floor=FLOOR) for end in ("_low", "", "_high")]


def usd_per_month(plans, n_gpus, usd_per_gpu_hour):
    """Low, expected and high rent of a month: the fast fleet at the low price, and so on. [USD/month]"""
    return tuple(money.usd_per_month_of_gpus(usd_per_gpu_hour=usd, n_gpus=plan["mean_paid_replicas"] * n_gpus)
                 for plan, usd in zip(plans[::-1], usd_per_gpu_hour, strict=True))


@finding
def reconciling(rows, aim):
    """Which single input, moved alone, makes two figures meet, and whether it may move so far.

    ``aim`` is what that would do, as a verb with its object: "explain the bill".
    Each row: ``parameter``, ``unit``, ``page`` (its value here), ``needed``, and ``low``/``high`` where a range is known.
    """
    out, possible, ranged = [], [], 0
    for row in rows:
        low, high = row.get("low", np.nan), row.get("high", np.nan)
        known = low == low
        inside = known and low <= row["needed"] <= high
        ranged += known
        if inside:
            possible.append(row["parameter"])
        tell = functools.partial(said, unit=row["unit"], digits=3)
        unit = "" if row["unit"] in ("USD", "%") else f" {row['unit']}".rstrip()
        ends = functools.partial(said, unit=row["unit"] if not unit else "", digits=3)
        out.append({"parameter": row["parameter"], "page": tell(row["page"]), "needed": tell(row["needed"]),
                    "plausible": span(low, high, ends) + unit if known else PRINTED,
                    "within": ("yes" if inside else "no") if known else "–", "factor": row["needed"] / row["page"]})
    table = pd.DataFrame(out)
    return Finding(table, (
        f"The {' or the '.join(possible)} could alone {aim}" if possible else
        f"Within its known range, no single input could {aim}" if ranged else
        f"Only the documents' own figures could {aim}"), possible=possible)


def ratio_words(ratio):
    """A ratio in words that stay true on both sides of one."""
    if ratio < 0.005:
        return "less than 1% of"
    times = f"{ratio:.1f}" if ratio < 1e3 else n(ratio, 3)
    return f"{times} times" if ratio >= 1.05 else "about" if ratio > 0.95 else f"{ratio:.0%} of"


def span_columns(name, ends):
    """A column with its range, from (low, expected, high) in any order."""
    low, high = min(ends), max(ends)
    return {name: ends[1], f"{name}_low": low, f"{name}_high": high}

"""Figures of the chapter on the reader's own case."""

import numpy as np
import pandas as pd

from tokenecon_book.charts.forms import axis, bars, few, intervals, lines, mark

COST = axis("usd_per_mtok", "Cost of all tokens", "USD/Mtok", log=True)
CENTS = 0.05  # USD: below it two digits after the point do not tell ticks apart
BILLS = ("usd_per_month", "usd_per_mtok", "usd_per_mtok_used", "usd_per_mtok_in", "usd_per_mtok_cached", "usd_per_mtok_out")
GROUPS = ["own", "rent by the hour", "API", "commitment"]  # blue, orange, green, plum


def ranges(table):
    """Column of a table of choices to the kind of its ranges: of an API and of a rented hour only the price has ends."""
    of_bill = ["sellers" if kind == "api" else "bound" for kind in table["kind"]]
    of_hour = ["bound" if kind == "own" else "sellers" for kind in table["kind"]]
    return dict.fromkeys(BILLS, of_bill) | {"usd_per_gpu_hour": of_hour, "requests_per_s": "interval"}


def present(table):
    """The groups of a table, in one order."""
    return [name for name in GROUPS if name in set(table["group"])]


def choices(found):
    """The cheapest choices with their ranges, the cheapest of each group and the dearest of all."""
    table = found.table.sort_values("usd_per_mtok", kind="stable", ignore_index=True)
    wanted = [*table.groupby("group")["usd_per_mtok"].idxmin(), len(table) - 1]
    rank = pd.Series(-table.index.astype(float), table.index).mask(table.index.isin(wanted), np.inf)
    return intervals(few(table, rank), COST, "name", group="group", range=dict.fromkeys(GROUPS, "bound") | {"API": "sellers"},
                     order=present(table), known=dict.fromkeys(set(table["group"]) - {"API"}, "modelled"))


def bills(found):
    """Bill of a month of each choice, a stack of its lines."""
    return bars(found.table, axis("usd_per_month", "Bill of a month", "USD/month", zero=True), "name", "line", text="total")


def volume(found):
    """Cost over the requests of a day: the cheapest ways to own and to rent, and the API."""
    marks = [mark("x", found["requests_per_day"], "the scenario")]
    if found["break_even"] is not None:
        marks.insert(0, mark("x", found["break_even"], "beats the API from here"))
    return lines(found.table, axis("requests_per_day", "Requests a day", "request/day", log=True), COST, "choice",
                 range="interval", marks=marks)


def chances(found):
    """Share of the draws in which each kind of choice is the cheapest."""
    return bars(found.table, axis("probability", "Draws in which it is the cheapest", "fraction", zero=True), "group", "group",
                text="share_text")


def distribution(found):
    """Share of the draws below a cost, for each choice."""
    return lines(found.table, COST, axis("share_below", "Draws that cost less", "fraction", domain=(0, 1)), "choice")


def tornado(found):
    """Lead of the cheapest choice when one input moves; left of zero another kind wins."""
    table, rival = found.table, found["rival"]
    marks = [mark("x", found["gap"], "all at their medians")]
    marks += [mark("x", 0.0, "equal")] if rival else []
    small = table["gap_at_high_high"].max() < CENTS
    lead = axis("gap_at_high", f"Lead over '{rival}'" if rival else "Cost", "USD/Mtok", format=",.4f" if small else None)
    return intervals(table, lead, "name",
                     range="draws", known="modelled", sort=False, marks=marks, subtitle="Dot: the input at its upper end.")

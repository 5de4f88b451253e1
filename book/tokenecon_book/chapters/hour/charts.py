"""Figures of the page on the cost of an hour."""

import numpy as np
import pandas as pd

from tokenecon_book.charts import theme
from tokenecon_book.charts.forms import axis, bars, few, intervals, lines, mark, scatter
from tokenecon_book.charts.frame import MOST

HOUR = axis("usd_per_gpu_hour", "An hour of one accelerator", "USD/GPU/h")


def breakdown(found):
    """Parts of an owned hour, stacked, by accelerator: the cheapest and the dearest."""
    names = list(found.table["label"].unique())
    shown = found.table[found.table["label"].isin([*names[: MOST - 1], names[-1]])]
    return bars(shown, HOUR, "label", "part", text="total")


def kinds(found):
    """Kinds of an hour of one GPU, cheapest first, with their ranges."""
    return intervals(found.table, axis("usd_per_gpu_hour", "An hour", "USD/GPU/h", log=True), "label", group="way",
                     range=dict.fromkeys(set(found.table["way"]), "offers") | {"own": "draws"}, known={"own": "modelled"},
                     sort=False)


def check(found):
    """Our owned hour over the published one, by accelerator and owner."""
    table = found.table
    near = mark("x", table["near"].iloc[0], "within 15%", to=table["far"].iloc[0])
    ratio = axis("ratio", "Our hour, the published one = 1", "ratio")
    return intervals(few(table, np.log(table["ratio"]).abs()), ratio, "label", group="owner_words",
                     range="draws", known="modelled", sort=False, marks=[near],
                     subtitle="The eight farthest from each other; all are in the table below.")


def life(found):
    """The owned hour over the years of use, for three resale values, with the rent."""
    return lines(found.table, axis("years", "Years of use", "yr"),
                 axis("usd_per_gpu_hour", "An owned hour", "USD/GPU/h", zero=True), "resale",
                 marks=[mark("y", found["rent"], "rented on demand")])


def carbon(found):
    """Cost of a million output tokens against their carbon, by accelerator, with ranges."""
    rows = few(found.table.dropna(subset=["usd_per_mtok_out"]), -found.table["usd_per_mtok_out"].dropna())
    known = pd.Series(np.where(rows["calibrated"].eq(True), "modelled", "extrapolated"), rows.index)
    return scatter(rows.assign(short=rows["name"]), axis("usd_per_mtok_out", "Cost of output", "USD/Mtok_out", log=True),
                   axis("gco2e_per_mtok_out", "Carbon of output", "gCO2e/Mtok_out", log=bool(rows["gco2e_per_mtok_out"].all())),
                   "short", known=known, hue=theme.RENT, range="interval")

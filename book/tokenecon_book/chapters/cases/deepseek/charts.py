"""Figures of DeepSeek's published day."""

import numpy as np

from tokenecon_book.charts.forms import axis, bars, few, intervals, lines, mark


def compare(found):
    """Ours over published for nodes, cost and rates, with ranges."""
    return intervals(found.table, axis("ratio", "From the bottom up over published", "ratio", log=True), "figure",
                     range="bound", known="modelled", sort=False, marks=[mark("x", 1.0, "published")])


def ways(found):
    """Nodes of the day by how tokens reach their experts."""
    return intervals(found.table, axis("nodes", "Nodes of eight GPUs", "count", log=True), "way", group="group", range="bound",
                     known=dict.fromkeys(("bottom up", "bound"), "modelled"))


def others(found):
    """Estimated over measured rates of other deployments: the eight that are farthest from a hit."""
    rows = found.table.dropna(subset=["ratio"])
    ratio = axis("ratio", "Estimated over measured", "ratio", log=True)
    return intervals(few(rows, np.log(rows["ratio"]).abs()), ratio, "label", group="work",
                     range="interval", known="extrapolated", marks=[mark("x", 1.0, "measured")],
                     subtitle="The eight farthest from a hit; all are in the table below.")


def speed(found):
    """Output of a decode node over the speed that users see."""
    return lines(found.table, axis("user_speed", "Tokens of one user", "tok_out/s"),
                 axis("decode_rate", "Tokens of a decode node", "tok_out/s", zero=True), range="interval",
                 points=found["points"])


def where(found):
    """Nodes by what they do."""
    return bars(found.table, axis("nodes", "Nodes of eight GPUs", "count"), "nodes_of", "part", text="all")


def kinds(found):
    """Cost and list price of a million tokens by kind."""
    return intervals(found.table, axis("usd_per_mtok", "Price or cost of tokens", "USD/Mtok", log=True), "label", group="offer",
                     range="bound", known={"cost from the bottom up": "modelled"}, sort=False)

"""Figures of DeepSeek's published day."""

import pandas as pd

from tokenecon_book.charts.forms import axis, bars, intervals, lines, mark


def compare(table):
    """Ours over published for nodes, cost and rates, with ranges."""
    return intervals(table, axis("ratio", "From the bottom up over published", "ratio", log=True), "figure", sort=False,
                     marks=[mark("x", 1.0, "published")])


def ways(table):
    """Nodes of the day by how tokens reach their experts."""
    return intervals(table, axis("nodes", "Nodes of eight GPUs", "count", log=True), "way", group="group")


def others(table):
    """Our passes over measured rates of other units."""
    return intervals(table, axis("ratio", "By this page's passes over measured", "ratio", log=True), "point", group="experts",
                     sort=False, marks=[mark("x", 1.0, "measured")])


def speed(table):
    """Output of a decode node over the speed that users see."""
    return lines(table, axis("user_speed", "Tokens of one user", "tok_out/s"),
                 axis("decode_rate", "Tokens of a decode node", "tok_out/s", zero=True),
                 points=pd.DataFrame(table.attrs["points"]))


def where(table):
    """Nodes by what they do."""
    return bars(table, axis("nodes", "Nodes of eight GPUs", "count"), "nodes_of", "part", text="all")


def kinds(table):
    """Cost and list price of a million tokens by kind."""
    return intervals(table, axis("usd_per_mtok", "Price or cost of tokens", "USD/Mtok", log=True), "label", group="offer",
                     sort=False)

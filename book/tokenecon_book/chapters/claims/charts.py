"""Figures of the ledger of claims."""

import altair as alt

from tokenecon_book.charts import theme
from tokenecon_book.charts.claims_list import VERDICTS
from tokenecon_book.charts.forms import axis, bars, intervals, mark

# Verdict -> colour: green, orange and red for what was checked, grey and pale blues for what could not be.
COLOURS = dict(zip(VERDICTS, (theme.PALETTE[2], theme.PALETTE[1], theme.PALETTE[4], theme.PALETTE[5],
                              theme.SEQUENTIAL[1], theme.SEQUENTIAL[2]), strict=True))


def in_colours(chart):
    """The chart with its verdicts in the colours of this module."""
    for layer in chart.layer:
        if isinstance(layer.mark, alt.MarkDef) and layer.mark.type == "bar":
            layer.encoding.color["scale"] = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    return chart


def by_section(found):
    """Claims of each section by verdict."""
    return in_colours(bars(found.table, axis("claims", "Claims", "count"), "section", "verdict", order=list(VERDICTS)))


def by_tolerance(found):
    """All claims by verdict, over the tolerance of the rule."""
    return in_colours(bars(found.table, axis("claims", "Claims", "count"), "tolerance", "verdict", order=list(VERDICTS)))


def printed_over_recomputed(found):
    """Printed over recomputed figure, one row a contradicted claim, on a log axis."""
    ratio = axis("ratio", "Printed over recomputed", "ratio", log=True)
    return intervals(found.table, ratio, "claim", range="bound", marks=[mark("x", 1.0, "as printed")])

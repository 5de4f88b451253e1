"""Figures of the ledger of claims."""

import numpy as np

from tokenecon_book.charts import theme
from tokenecon_book.charts.claims_list import VERDICTS
from tokenecon_book.charts.forms import axis, bars, few, intervals, mark

# Verdict -> colour, that of its badge: green, orange and red for what was checked, plum and greys for what could not be.
COLOURS = dict(zip(VERDICTS, (theme.GOOD, theme.WARM, theme.BAD, theme.PLUM, theme.GREY, theme.SECOND[theme.GREY]), strict=True))


def by_section(found):
    """Claims of each section by verdict."""
    return bars(found.table, axis("claims", "Claims", "count"), "section", "verdict", order=list(VERDICTS), hues=COLOURS)


def by_tolerance(found):
    """All claims by verdict, over the tolerance of the rule."""
    return bars(found.table, axis("claims", "Claims", "count"), "tolerance", "verdict", order=list(VERDICTS), hues=COLOURS)


def printed_over_recomputed(found):
    """Printed over recomputed figure of the contradicted claims that are farthest off, one row each, on a log axis."""
    rows = found.table.sort_values("ratio", ignore_index=True)
    ratio = axis("ratio", "Printed over recomputed", "ratio", log=True)
    return intervals(few(rows, np.log(rows["ratio"]).abs()), ratio, "claim", range="bound", known="claimed", hue=theme.CLAIMED,
                     marks=[mark("x", 1.0, "as printed")], subtitle="The eight farthest off; all are in the table below.")

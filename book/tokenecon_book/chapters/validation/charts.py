"""Figures of the chapter that holds the model against measurements."""

import altair as alt
import numpy as np

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import guide, scale, tooltip
from tokenecon_book.charts.forms import axis, bars, few, intervals, mark
from tokenecon_book.charts.frame import finish, legend

GOAL = 0.8  # share of cases that an interval is to hold
MEASURED = axis("measured_tok_s", "Measured", "tok/s", log=True)
PREDICTED = axis("predicted_tok_s", "Predicted unseen", "tok/s", log=True)
RATIO = axis("ratio", "Predicted over measured", "ratio", log=True)


def points(found):
    """Predicted over measured, one point a configuration; lists pick accelerator and model, the legend the format."""
    table = found.table
    both = table[["measured_tok_s", "predicted_tok_s"]]
    ends = (both.min().min(), both.max().max())
    across = alt.X("measured_tok_s:Q", axis=guide(MEASURED, *ends, grid=True), scale=scale(MEASURED, *ends))
    up = alt.Y("predicted_tok_s:Q", axis=guide(PREDICTED, *ends), scale=scale(PREDICTED, *ends))
    diagonal = alt.Chart(alt.InlineData([{"measured_tok_s": end, "predicted_tok_s": end} for end in map(float, ends)]))
    formats = sorted(table["form"].unique())
    hue = alt.Color("form:N", legend=legend(formats, symbolType="circle", offset=26),
                    scale=alt.Scale(domain=formats, range=[*theme.OTHERS, theme.GREY]))
    pick = alt.selection_point(fields=["form"], bind="legend")
    gpu, model = choice(table, "gpu", "Accelerator "), choice(table, "model", "Model ")
    named = [(name, name) for name in ("gpu", "model", "weights", "parallelism", "loaded", "family")]
    dots = alt.Chart(table).mark_point(size=45, filled=True).encode(
        x=across, y=up, color=hue, tooltip=tooltip(*named, MEASURED, PREDICTED),
        opacity=alt.condition(pick & gpu & model, alt.value(0.8), alt.value(0.06)),
    ).add_params(pick, gpu, model)  # fmt: skip
    line = diagonal.mark_line(strokeDash=[4, 4], opacity=0.6).encode(x=across, y=up)
    return finish(alt.layer(line, dots), None, "", theme.HEIGHT + 80)


def choice(table, column, name):
    """A list under the chart that leaves the rows of one value in colour."""
    values = sorted(table[column].unique())
    listed = alt.binding_select(options=[None, *values], labels=["all", *values], name=name)
    return alt.selection_point(fields=[column], bind=listed, name=column)


def spread(found):
    """Predicted over measured, the accelerators farthest from a hit, with the range of the middle 80%."""
    shown = few(found.table, np.log(found.table["ratio"]).abs())
    return intervals(shown, RATIO, "label", group="what", range="draws", sort=False, marks=[mark("x", 1, "a hit")],
                     subtitle="The eight farthest from a hit; all are in the table by accelerator.")


def coverage(found):
    """Share of cases inside their interval: of all, and of the groups that are farthest from four of five."""
    table = found.table
    far = (table["inside"] - GOAL).abs().mask(table["label"].eq("all cases"), np.inf)
    shown = few(table, far)
    return intervals(shown, axis("inside", "Inside the interval", "fraction", domain=(0.0, 1.0)), "label",
                     range="draws", sort=False, marks=[mark("x", GOAL, "80%")],
                     subtitle="All cases, and the groups farthest from that; all groups are in the tables.")


def parts(found):
    """How far each part of an interval would reach alone."""
    return bars(found.table[found.table["drawn"]], axis("above", "Reach above the number said", "fraction"), "part", "what",
                stacked=False)


def coefficients(found):
    """The coefficients that the fit moved farthest from the value that it started from."""
    table = found.table
    moved = axis("over_prior", "Fitted over starting value", "ratio", log=True)
    return intervals(few(table, np.log(table["over_prior"]).abs()), moved, "id", group="held",
                     range="interval", marks=[mark("x", 1, "unmoved")],
                     subtitle="The eight that moved farthest; all are in the table below.")

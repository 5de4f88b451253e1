"""Areas on top of each other over time: what a sum is made of, and the line it must reach."""

import altair as alt

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import clean, guide, labelled, scale, tooltip
from tokenecon_book.charts.frame import colours, finish, highlight, legend, reach, threshold_layers


def areas(table, x, y, series, *, marks=(), order=None, title=None, subtitle="", height=theme.HEIGHT):
    """Stacked steps over `x`, one colour for each value of `series`; each value holds until the next row.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns of both axes and the series; one row for each of them at each place of `x`.
    marks : list
        Thresholds from :func:`tokenecon_book.charts.forms.mark`.
    order : list, optional
        The series from the bottom up; by default as they appear in the table.
    """
    rows = labelled(table.dropna(subset=[x.column, y.column]), x, y)
    order = list(order or rows[series].unique())
    rows["_rank"] = rows[series].map({name: place for place, name in enumerate(order)})
    top = float(rows.groupby(x.column)[y.column].sum().max())
    x_ends = reach(x, x.domain or (float(rows[x.column].min()), float(rows[x.column].max())), marks, "x")
    y_low, y_high = reach(y, y.domain or (0.0, top), marks, "y")
    across = alt.X(f"{clean(x.column)}:Q", axis=guide(x, *x_ends), scale=scale(x, *x_ends))
    up = alt.Y(f"{clean(y.column)}:Q", axis=guide(y, y_low, y_high), scale=scale(y, 0.0, y_high), stack="zero")
    pick = highlight(series, bind="legend")
    base = alt.Chart(rows).encode(x=across, order=alt.Order("_rank:Q"))
    shape = base.mark_area(interpolate="step-after", stroke=theme.GROUND, strokeWidth=1).encode(
        y=up, color=colours(series, order, legend(order, offset=26)), opacity=alt.condition(pick, alt.value(0.9), alt.value(0.2)),
        tooltip=tooltip((series, series.replace("_", " ")), x, y)).add_params(pick)
    level = alt.Y(f"{clean(y.column)}:Q", axis=guide(y, 0.0, y_high), scale=scale(y, 0.0, y_high))
    lines = threshold_layers(marks, across, level, {"x": (*x_ends, x.log), "y": (0.0, y_high, y.log)})
    return finish(alt.layer(shape, *lines), title, subtitle, height)

"""What goes on in many rows over time: a bar for each stretch, in groups of rows with a name above each."""

import altair as alt

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import axis, clean, guide, labelled, scale, tooltip, words
from tokenecon_book.charts.frame import colours, finish, halo, highlight, legend

ROW = 8  # px: a row without a label of its own


def timeline(table, x, x2, state, *, rows, panels, order=None, named=(), title=None, subtitle=""):
    """Bars from `x` to column `x2`, coloured by `state`; the table places them (columns top and bottom, from 0 to `rows`)
    and says how long each is (seconds).

    `panels` names groups of rows: dicts with ``label`` and the ``top`` of their first row; `named` are further columns
    for the tooltip, as (column, title).
    """
    groups = list(order or table[state].unique())
    low, high = 0.0, float(table[x2].max())
    across = alt.X(f"{clean(x.column)}:Q", axis=guide(x, low, high, grid=True), scale=scale(x, low, high))
    down = alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[rows, 0], nice=False, zero=False))
    pick = highlight(state, bind="legend")
    length = axis("seconds", "for", "s")
    bar = alt.Chart(labelled(table, x, length)).mark_bar(stroke=theme.GROUND, strokeWidth=0.4).encode(
        x=across, x2=f"{clean(x2)}:Q", y=down, y2="bottom:Q", color=colours(state, groups, legend(groups)),
        opacity=alt.condition(pick, alt.value(1), alt.value(0.2)), tooltip=tooltip(*named, (state, state), x, length),
    )
    heads = alt.Chart(alt.Data(values=[{**panel, x.column: low} for panel in panels]))
    heads = heads.encode(x=alt.X(f"{clean(x.column)}:Q", title=words(x)), y=down, text="label:N")
    names = halo(heads, align="left", baseline="bottom", dy=-3)
    return finish(alt.layer(bar.add_params(pick), *names), title, subtitle, ROW * rows)

"""A grid of cells, each with its number."""

import altair as alt

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import clean, extent, labelled, tooltip, words
from tokenecon_book.charts.frame import LINE, depth, finish, wrapped


def heatmap(table, x, y, value, *, text=None, title=None, subtitle=""):
    """Cells of `value` by two categories, in the order of the table; darker is more.

    `text` names a column to print instead of the number.  An empty value leaves its cell empty, with its text.
    """
    data = labelled(table, value).assign(
        across=[wrapped(name, 9) for name in table[x.column]],
        down=[wrapped(name, 18) for name in table[y.column]],
    )
    low, high = value.domain or extent([table], value)
    broken = {"labelExpr": "split(datum.value, '\\n')", "labelLimit": 0, "labelOverlap": False, "grid": False,
              "domain": False, "ticks": False, "labelColor": theme.INK}
    lower = max(depth(name) for name in data["across"]) - LINE  # lines after the first run down into the cells
    columns = alt.X(
        "across:N", sort=list(dict.fromkeys(data["across"])),
        axis=alt.Axis(title=words(x), orient="top", labelAngle=0, labelPadding=6 + lower, **broken),
    )
    rows = alt.Y(
        "down:N", sort=list(dict.fromkeys(data["down"])),
        axis=alt.Axis(title=None, labelLineHeight=15, **broken),
    )
    shade = alt.Scale(type="log" if value.log else "linear", domain=[low, high], range=list(theme.SEQUENTIAL),
                      interpolate="lab")
    base = alt.Chart(data).encode(x=columns, y=rows)
    shown = tooltip((x.column, x.title), (y.column, y.title), value)
    field = f"{clean(value.column)}:Q"
    cells = base.transform_filter(f"isValid(datum.{value.column})").mark_rect(
        stroke=theme.GROUND, strokeWidth=2, cornerRadius=3
    )
    cells = cells.encode(color=alt.Color(field, scale=shade, legend=None), tooltip=shown)
    number = f"{clean(text) if text else value.column + '_number'}:N"
    dark = f"isValid(datum.{value.column}) ? luminance(scale('color', datum.{value.column})) < 0.3 : false"
    ink = alt.when(dark).then(alt.value("#ffffff")).otherwise(alt.value("#10151c"))
    empty = base.transform_filter(f"!isValid(datum.{value.column})").mark_text(color=theme.MUTED)
    figures = base.transform_filter(f"isValid(datum.{value.column})").mark_text()
    layers = [cells, figures.encode(text=number, color=ink)]
    if text is not None:
        layers.append(empty.encode(text=number))
    step = max(36, max(depth(name) for name in data["down"]) + 14)
    named = words(value._replace(log=False))
    under = f"{named}. {subtitle}" if subtitle else named
    return finish(alt.layer(*layers), title, under, step * data['down'].nunique())

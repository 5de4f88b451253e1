"""Curves with their ranges, and points in a plane."""

import altair as alt
import numpy as np

from tokenecon_book.charts import ranges, theme
from tokenecon_book.charts.axes import band, clean, extent, guide, labelled, scale, tooltip
from tokenecon_book.charts.frame import (
    LINE,
    SWITCH,
    apart,
    asked,
    breadth,
    colours,
    dashes,
    depth,
    finish,
    free_places,
    halo,
    highlight,
    legend,
    of_textbook,
    pixel,
    placed_labels,
    reach,
    threshold_layers,
    value_at,
    wrapped,
)

PHONE = theme.NARROW - 60  # px: width of a plot on a phone


def lines(
    table, x, y, series=None, *, range=None, step=False, marks=(), points=None, order=None, title=None, subtitle="",
    height=theme.HEIGHT,
):
    """Curves over `x`, one for each value of `series`, named at their ends, with their ranges.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns of both axes, the series, and ``_low``/``_high`` of y where there is a range.
    range : str or dict, optional
        Kind of the ranges, or of each series its kind (see :mod:`tokenecon_book.charts.ranges`); needed where there are any.
    step : bool
        Draw steps (the value holds until the next row).
    marks : list
        Thresholds from :func:`mark`.
    points : pandas.DataFrame, optional
        Measured or published points over the curves: both columns and ``label``; where they have ranges, a column ``range``
        that says of which kind.
    order : list, optional
        Order of the series; by default as they appear in the table.

    Curves of the textbook are grey, without their ranges, and drawn when the reader asks for them.
    """
    rows = table.dropna(subset=[x.column, y.column])
    order = list(order or rows[series].unique()) if series else []
    theirs = of_textbook(order)
    if theirs and (ends := band(rows, y)):
        rows = rows.assign(**{end: rows[end].mask(rows[series].isin(theirs)) for end in ends})
    rows = labelled(rows, x, y)
    tables = [rows] if points is None else [rows, points]
    x_low, x_high = reach(x, x.domain or extent(tables, x), marks, "x")
    y_low, y_high = reach(y, y.domain or extent(tables, y), marks, "y")
    y_low = min(0, y_low) if y.zero and not y.log else y_low

    names = {name: wrapped(name) for name in order}
    room = round(max(map(breadth, names.values())) + 26) if len(order) > 1 else 12
    across = alt.X(f"{clean(x.column)}:Q", axis=guide(x, x_low, x_high), scale=scale(x, x_low, x_high, room=room))
    up = alt.Y(f"{clean(y.column)}:Q", axis=guide(y, y_low, y_high), scale=scale(y, y_low, y_high))
    rows, present = ranges.marked(rows, y, range, series)
    base = asked(alt.Chart(rows), series, theirs)
    hue = colours(series, order) if series else alt.value(theme.PLAIN)
    pick = highlight(series) if series else None
    shown = tooltip(*([(series, series.replace("_", " "))] if series else []), x, y)
    curve = "step-after" if step else "linear"

    layers = ranges.areas(base, present, across, y, hue, curve)
    drawn = [(kind, "area") for kind in present]
    line = base.mark_line(interpolate=curve).encode(x=across, y=up, color=hue)
    if series and (dash := dashes(series, order)):
        line = line.encode(strokeDash=dash)
    if pick:
        line = line.encode(opacity=alt.condition(pick, alt.value(1), alt.value(0.25)))
    layers.append(line)
    curves = [(pixel(a, x_low, x_high, x.log, PHONE), height - pixel(b, y_low, y_high, y.log, height))
              for column in (y.column, *(band(rows, y) or ())) for _, part in (rows.groupby(series) if series else [("", rows)])
              for a, b in _between(*part[[x.column, column]].dropna().sort_values(x.column).to_numpy(dtype=float).T)]
    layers += threshold_layers(marks, across, up, {"x": (x_low, x_high, x.log), "y": (y_low, y_high, y.log)}, below=[
        one for one in marks if one.axis == "y" and one.to is None and _freer_below(one, curves, (y_low, y_high), y.log, height)])
    target = base.mark_point(size=160, opacity=0).encode(x=across, y=up, color=hue, tooltip=shown)
    layers.append(target.add_params(pick) if pick else target)
    if len(order) > 1:
        layers += [asked(one, series, theirs)
                   for one in _end_labels(rows, x, y, series, names, (across, up, hue), (y_low, y_high), height)]
    if points is not None:
        spots, more = _points(points, x, y, (across, up), (x_low, x_high), (y_low, y_high), height)
        layers, drawn = layers + spots, drawn + more
    chart = alt.layer(*layers)
    return finish(chart.add_params(SWITCH) if theirs else chart, title, subtitle, height, drawn,
                  ranges.stated(range, series, y))


def _freer_below(line, curves, y_ends, log, height):
    """Whether the name of a horizontal line hides less of some curves (points in px, on a phone) below it than above."""
    at, text = height - pixel(line.value, *y_ends, log, height), wrapped(line.label, 24)
    near = [py - at for px, py in curves if px <= breadth(text)]
    above, below = (sum(0 < sign * far <= depth(text) + 4 for far in near) for sign in (-1, 1))
    return below < above


def _between(x, y, steps=12):
    """Pairs of x and y of a curve's points, and some between each two."""
    if not len(x):  # the textbook's curves have no ends
        return ()
    places = np.linspace(0, len(x) - 1, steps * (len(x) - 1) + 1)
    return zip(*(np.interp(places, range(len(x)), values) for values in (x, y)), strict=True)


def _end_labels(rows, x, y, series, names, encodings, ends, height):
    """The name of each line beside its last point, moved apart where lines end close together."""
    across, up, hue = encodings
    last = rows.sort_values(x.column).groupby(series, sort=False).tail(1).set_index(series).loc[list(names)]
    places = [height - pixel(value, *ends, y.log, height) for value in last[y.column]]
    texts = list(names.values())
    moved = apart(places, [depth(text) for text in texts], height - LINE / 2)
    data = last.reset_index()[[series, x.column]].assign(label=texts)
    # Vega hangs the lines of a label below its first, so that one is placed: half of the others above the middle.
    firsts = [place - (depth(text) - LINE) / 2 for place, text in zip(moved, texts, strict=True)]
    data[y.column] = [value_at(height - place, *ends, y.log, height) for place in firsts]
    base = alt.Chart(data).encode(x=across, y=up)
    key = base.mark_point(xOffset=10, size=60).encode(color=hue)
    return [key, *halo(base.encode(text="label:N"), align="left", dx=18)]


def _points(points, x, y, encodings, x_ends, y_ends, height):
    """Points over curves, diamonds in ink with their ranges and names, and the kinds of those ranges."""
    across, up = encodings
    kind = points.get("range")
    data = labelled(points, x, y).assign(label_text=[wrapped(label, 22) for label in points["label"]])
    data["place"] = _places(data, x, y, x_ends, y_ends, height)
    data["claimed"] = data["label"].astype(str).str.match(theme.CLAIMS, case=False)
    layers, drawn = _ranges(data, x, y, (across, up), alt.value(theme.INK), kind)
    base = alt.Chart(data).encode(x=across, y=up)
    shown = tooltip(("label", "Source"), x, y)
    looks = {False: {"shape": "diamond", "size": 80, "color": theme.INK, "stroke": theme.GROUND, "strokeWidth": 1},
             True: {"shape": ranges.HATCHED, "filled": False, "size": 130, "strokeWidth": 1.4, "color": theme.CLAIMED}}
    for claimed in sorted(set(data["claimed"])):
        layers.append(base.transform_filter(f"datum.claimed == {str(claimed).lower()}").mark_point(**looks[claimed]).encode(
            tooltip=shown))
    return layers + placed_labels(data, across, up, label="label_text"), drawn


def _places(data, x, y, x_ends, y_ends, height):
    """Sides for labels, tried at the width of a phone."""
    spots = [
        (pixel(a, *x_ends, x.log, PHONE), height - pixel(b, *y_ends, y.log, height))
        for a, b in zip(data[x.column], data[y.column], strict=True)
    ]
    rules = []
    if ends := band(data, x):
        for (_, down), low, high in zip(spots, data[ends[0]], data[ends[1]], strict=True):
            if low == low and high == high:
                left, right = (pixel(end, *x_ends, x.log, PHONE) for end in (low, high))
                rules.append((left, down - 4, right, down + 4))
    if ends := band(data, y):
        for (across, _), low, high in zip(spots, data[ends[0]], data[ends[1]], strict=True):
            if low == low and high == high:
                top, bottom = (height - pixel(end, *y_ends, y.log, height) for end in (high, low))
                rules.append((across - 3, top, across + 3, bottom))
    return free_places(spots, list(data["label_text"]), PHONE, height, rules)


def _ranges(data, x, y, encodings, colour, range):
    """The ranges of points, in both directions as far as the table has them, and their kinds."""
    layers, drawn = [], []
    for ax, channel in ((x, "x"), (y, "y")):
        rows, present = ranges.marked(data, ax, range)
        base = alt.Chart(rows).encode(x=encodings[0], y=encodings[1])
        layers += ranges.bars(base, present, ax, channel, colour)
        drawn += [(kind, "bar") for kind in present]
    return layers, drawn


def scatter(
    table, x, y, label, series=None, *, range=None, known=None, hue=None, marks=(), order=None, title=None, subtitle="",
    height=theme.HEIGHT + 40,
):
    """Named points in a plane, with their ranges of a kind `range` in both directions; `known` and `hue` as in intervals()."""
    rows = labelled(table.dropna(subset=[x.column, y.column]), x, y)
    x_ends = reach(x, _roomy(x, extent([rows], x)), marks, "x")
    y_ends = reach(y, _roomy(y, extent([rows], y)), marks, "y")
    data = rows.assign(label_text=[wrapped(name, 18) for name in rows[label]])
    data["place"] = _places(data, x, y, x_ends, y_ends, height)
    across = alt.X(f"{clean(x.column)}:Q", axis=guide(x, *x_ends, grid=True), scale=scale(x, *x_ends))
    up = alt.Y(f"{clean(y.column)}:Q", axis=guide(y, *y_ends), scale=scale(y, *y_ends))
    order = list(order or rows[series].unique()) if series else []
    hue = colours(series, order, legend(order, symbolType="circle", offset=26)) if series else alt.value(hue or theme.PLAIN)
    data, present = ranges.known(data, known, series)
    base = alt.Chart(data).encode(x=across, y=up)
    layers = threshold_layers(marks, across, up, {"x": (*x_ends, x.log), "y": (*y_ends, y.log)})
    spans, drawn = _ranges(data, x, y, (across, up), hue, range)
    layers += spans
    named = [(label, label.replace("_", " "))] + ([(series, series.replace("_", " "))] if series else [])
    encoded = {"tooltip": tooltip(*named, x, y)}
    if series:
        pick = highlight(series, bind="legend")
        encoded["opacity"] = alt.condition(pick, alt.value(1), alt.value(0.2))
    dots = ranges.dots(base, present, hue, **encoded)
    layers += [dots[0].add_params(pick), *dots[1:]] if series else dots
    layers += placed_labels(data, across, up, label="label_text")
    return finish(alt.layer(*layers), title, subtitle, height, drawn + ranges.said(present), ranges.stated(range, series, x, y))


def _roomy(ax, ends):
    """Ends of an axis with air around the outermost points, but none below a zero."""
    low, high = ends
    if ax.domain:
        return ax.domain
    if ax.log:
        air = (high / low) ** 0.08
        return low / air, high * air
    air = 0.08 * (high - low)
    return (min(0, low) if ax.zero else low - air), high + air

"""Rows: bars, ranges and waterfalls, each label on a line of its own so that a phone can show it."""

import altair as alt
import pandas as pd

from tokenecon.numbers import number
from tokenecon_book.charts import ranges, theme
from tokenecon_book.charts.axes import band, clean, extent, guide, labelled, scale, tooltip, words
from tokenecon_book.charts.frame import (
    ROW,
    SWITCH,
    TEXTBOOK,
    breadth,
    colours,
    depth,
    finish,
    halo,
    highlight,
    legend,
    of_textbook,
    reach,
    threshold_layers,
    wrapped,
)

ROOM = 64  # px kept free at the right for the number at the end of a row


def _rows(data, label, letters=22):
    """The table with wrapped row labels, and the axis that draws them."""
    data = data.assign(row_label=[wrapped(name, letters) for name in data[label]])
    order = list(dict.fromkeys(data["row_label"]))
    step = max(ROW, max(map(depth, order)) + 12)
    axis = alt.Axis(
        title=None, labelExpr="split(datum.value, '\\n')", labelLimit=0, grid=False, labelColor=theme.INK,
        labelLineHeight=15, labelOverlap=False,
    )
    return data, order, step, alt.Y("row_label:N", sort=order, axis=axis)


def side(names):
    """Width in pixels of the column of row labels."""
    return max(map(breadth, names)) + 12


def _ends(table, x, zero=True):
    low, high = extent([table], x)
    if x.domain:
        return x.domain
    if zero and not x.log:
        return min(0, low), max(0, high)
    return (low * 0.93, high) if x.log else (low - 0.03 * (high - low), high)


def intervals(table, x, label, *, range=None, group=None, known=None, hue=None, sort=True, marks=(), order=None,
              title=None, subtitle=""):
    """One row a label: a dot at the value, the mark of its kind over its range, the number at the right.

    Sorted by value unless ``sort=False``; `group` colours the rows.  `range` is the kind of the ranges and `known` how the
    values are known, or each a dict from a group to it (see :mod:`tokenecon_book.charts.ranges`).
    Rows of one label share a line; `hue` is the colour of rows without groups.  Values of the column ``textbook``
    (:func:`with_textbook`) are grey ticks, drawn when the reader asks for them.
    """
    rows = table.dropna(subset=[x.column])
    rows = rows.sort_values(x.column, kind="stable") if sort else rows
    rows, present = ranges.marked(rows, x, range, group)
    rows, dots = ranges.known(rows, known, group)
    if limits := band(rows, x):  # a row without a range is a point: both its ends are its value
        rows = rows.assign(**{end: rows[end].fillna(rows[x.column]) for end in limits})
    compared = TEXTBOOK in rows
    seen = pd.concat([rows[[x.column]], rows[[TEXTBOOK]].set_axis([x.column], axis=1)]) if compared else rows
    ends = [_ends(part, x, zero=x.zero) for part in (rows, seen)]
    ends = reach(x, (min(low for low, _ in ends), max(high for _, high in ends)), marks, "x")
    data, names, step, up = _rows(labelled(rows, x), label)
    groups = list(order or table[group].unique()) if group else []
    key = legend(groups, side(names), symbolType="circle", offset=26 if marks else 8) if group else None
    hue = colours(group, groups, key) if group else alt.value(hue or theme.PLAIN)
    across = alt.X(
        f"{clean(x.column)}:Q", axis=guide(x, *ends, grid=True), scale=scale(x, *ends, room=ROOM)
    )
    base = alt.Chart(data).encode(x=across, y=up)
    named = [(label, label.replace("_", " "))] + ([(group, group.replace("_", " "))] if group else [])
    shown = tooltip(*named, x)
    layers = threshold_layers(marks, across, None, {"x": (*ends, x.log)}, above=True)
    layers += ranges.bars(base, present, x, "x", hue, shown)
    encoded = {"tooltip": shown}
    if group:
        pick = highlight(group, bind="legend")
        encoded["opacity"] = alt.condition(pick, alt.value(1), alt.value(0.2))
    points = ranges.dots(base, dots, hue, **encoded)
    layers += [points[0].add_params(pick), *points[1:]] if group else points
    if compared:
        tick = base.mark_tick(thickness=2.5, size=18, color=theme.CLAIMED)
        tick = tick.encode(x=alt.X(f"{TEXTBOOK}:Q", title=words(x)), tooltip=shown)
        layers.append(tick.transform_filter(TEXTBOOK))
    end = alt.X(f"{limits[1]}:Q", title=words(x)) if limits else across
    layers += halo(base.encode(x=end, text=f"{x.column}_number:N"), align="left", dx=10)
    chart = alt.layer(*layers)
    chart = chart.add_params(SWITCH) if compared else chart
    drawn = [(kind, "bar") for kind in present] + ranges.said(dots)
    return finish(chart, title, subtitle, step * len(names), drawn, ranges.stated(range, group, x))


def with_textbook(table, label, value, by):
    """A table without its rows of the textbook, by the column `by`, and their values beside ours of the same label."""
    table = table.dropna(subset=[value])
    theirs = table[by].isin(of_textbook(table[by]))
    return table[~theirs].assign(**{TEXTBOOK: table[~theirs][label].map(table[theirs].set_index(label)[value])})


def bars(
    table, x, label, series=None, *, range=None, stacked=True, sort=False, text=None, order=None, hues=None, marks=(), title=None,
    subtitle=""
):
    """Horizontal bars from zero; with `series` stacked, or side by side with ``stacked=False`` and ranges of a kind `range`.

    The number stands at the end of each bar; over a stack it is the column `text` (the analysis adds
    up, the chart does not).  ``sort=True`` puts the largest first; `hues` gives each series a colour of its own.
    """
    if x.log:
        raise ValueError(f"bars of '{x.column}' start at zero, which a log axis does not have; use intervals()")
    rows = table.dropna(subset=[x.column])
    if sort:
        rank = rows.groupby(label)[text if series and text else x.column].max().rank(ascending=False)
        rows = rows.assign(_rank=rows[label].map(rank)).sort_values("_rank", kind="stable").drop(columns="_rank")
    rows, present = (rows, []) if series and stacked else ranges.marked(rows, x, range, series)
    data, names, step, up = _rows(labelled(rows, x), label)
    named = [(label, label.replace("_", " "))] + ([(series, series.replace("_", " "))] if series else [])
    shown = tooltip(*named, x)
    groups = list(order or rows[series].unique()) if series else []
    key = legend(groups, side(names), offset=26 if marks else 8) if series and series != label else None
    hue = colours(series, groups, key, hues) if series else alt.value(theme.PLAIN)
    if series and stacked:
        totals = data.groupby("row_label")[x.column].sum()
        ends = x.domain or (min(0, totals.min()), totals.max())
    else:
        ends = _ends(data, x)
    ends = reach(x, ends, marks, "x")
    axis = guide(x, *ends, grid=True)
    stack = "zero" if stacked else None
    across = alt.X(f"{clean(x.column)}:Q", axis=axis, scale=scale(x, *ends, room=ROOM), stack=stack)
    base = alt.Chart(data).encode(y=up)
    # Vega-Lite would place bars of a group by a share of the whole row: there the gaps come from the scale.
    size = {} if series and not stacked else {"height": {"band": 0.72}}
    bar = base.mark_bar(**size).encode(x=across, color=hue, tooltip=shown)
    if series:
        pick = highlight(series, bind="legend" if key else None)
        bar = bar.encode(opacity=alt.condition(pick, alt.value(1), alt.value(0.2))).add_params(pick)
        data["series_order"] = data[series].map({name: place for place, name in enumerate(groups)})
        bar = bar.encode(order="series_order:Q") if stacked else bar
    layers, offset = [bar], None
    if series and not stacked:
        gaps = alt.Scale(paddingInner=0.12)
        layers = [bar.encode(yOffset=alt.YOffset(f"{clean(series)}:N", sort=groups, scale=gaps))]
        step = max(step, 20 * len(groups) + 10)
        offset = alt.YOffset(f"{series}:N", sort=groups, scale=gaps, bandPosition=0.5)
        base = base.encode(yOffset=offset)
    if series and stacked:
        if text:
            stacks = data.groupby("row_label", sort=False).agg({x.column: "sum", text: "first"}).reset_index()
            layers += _end_text(stacks, x, up, x.column, text)
    else:
        limits = band(data, x)
        layers += ranges.bars(base, present, x, "x", alt.value(theme.INK), shown)
        layers += _end_text(data, x, up, limits[1] if limits else x.column, text or x.column, offset)
    layers += threshold_layers(marks, across, None, {"x": (*ends, x.log)}, above=True)
    return finish(alt.layer(*layers), title, subtitle, step * len(names), [(kind, "bar") for kind in present],
                  ranges.stated(range, series, x))


def _end_text(data, x, up, position, column, offset=None):
    """The number (or the text) of a column to the right of a bar's end."""
    data = data.copy()
    texts = data[column] if data[column].dtype.kind not in "iuf" else [
        number(value, x.unit, form=x.format) for value in data[column]
    ]
    data["end_text"] = list(texts)
    base = alt.Chart(data).encode(x=alt.X(f"{position}:Q", title=words(x), stack=None), y=up, text="end_text:N")
    if offset is not None:
        base = base.encode(yOffset=offset)
    return halo(base, align="left", dx=6)


KINDS = {"start": theme.OTHERS[0], "down": theme.OTHERS[4], "up": theme.OTHERS[2], "total": theme.OTHERS[0]}
KIND_WORDS = {"start": "start", "down": "saves", "up": "adds", "total": "result"}


def waterfall(table, value, label, *, start="start", end="end", kind="kind", text=None, title=None, subtitle=""):
    """Steps from a start to a result, downwards, in the order of the table.

    Each row has its `start` and `end` on the axis and its `kind`: start, down, up or total (the bars of
    start and total begin at the axis).  `value` names the axis; what a step leads to is printed beside
    it, or the column `text`.
    """
    unknown = set(table[kind]) - set(KINDS)
    if unknown:
        raise ValueError(f"column '{kind}' holds {sorted(unknown)}; allowed are {', '.join(KINDS)}")
    data, names, step, up = _rows(table, label)
    numbers = [*data[start], *data[end]]
    positive = [number for number in numbers if number > 0]
    ends = value.domain or ((min(positive) * 0.6, max(positive)) if value.log else (min(0, *numbers), max(numbers)))
    whole = data[kind].isin(["start", "total"])
    data["bar_start"] = data[start].where(~whole, ends[0] if value.log else 0)
    data["bar_end"] = data[end]
    data["number_at"] = data[["bar_start", "bar_end"]].max(axis=1)
    data["what"] = data[kind].map(KIND_WORDS)
    present = [name for name in KINDS if name in set(data[kind])]
    across = alt.X("bar_start:Q", axis=guide(value, *ends, grid=True), scale=scale(value, *ends, room=ROOM))
    base = alt.Chart(data).encode(y=up)
    hue = alt.Color(
        "what:N",
        scale=alt.Scale(domain=[KIND_WORDS[name] for name in present], range=[KINDS[name] for name in present]),
        legend=legend([KIND_WORDS[name] for name in present], side(names)),
    )
    data["from_text"] = [number(size, value.unit, form=value.format) for size in data[start]]
    data["to_text"] = [number(size, value.unit, form=value.format) for size in data[end]]
    shown = [
        alt.Tooltip(f"{clean(label)}:N", title="Step"),
        alt.Tooltip("from_text:N", title="from"),
        alt.Tooltip("to_text:N", title="to"),
    ]
    data["note"] = data[text] if text else data["to_text"].where(whole, "→ " + data["to_text"])
    links = data.assign(next_label=data["row_label"].shift(-1)).dropna(subset=["next_label"])
    joint = alt.Chart(links).mark_rule(color=theme.MUTED, strokeWidth=1)
    joint = joint.encode(x=alt.X("bar_end:Q", title=words(value)), y=up, y2="next_label:N")
    bar = base.mark_bar(height={"band": 0.66}).encode(x=across, x2="bar_end:Q", color=hue, tooltip=shown)
    note = halo(base.encode(x=alt.X("number_at:Q", title=words(value)), text="note:N"), align="left", dx=6)
    return finish(alt.layer(joint, bar, *note), title, subtitle, step * len(names))

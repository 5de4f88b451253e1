"""Rows: bars, ranges and waterfalls, each label on a line of its own so that a phone can show it."""

import altair as alt

from tokenecon.charts import theme
from tokenecon.charts.axes import band, clean, extent, guide, scale, tooltip, words
from tokenecon.charts.frame import ROW, colours, depth, finish, highlight, threshold_layers, wrapped

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


def _number(ax):
    return ax.format or theme.number_format(ax.unit)


def _ends(table, x, zero=True):
    low, high = extent([table], x)
    if x.domain:
        return x.domain
    if zero and not x.log:
        return min(0, low), max(0, high)
    return low, high


def intervals(table, x, label, *, group=None, sort=True, marks=(), order=None, title=None, subtitle=""):
    """One row a label: a dot at the value, a bar over its range, the number at the right.

    Sorted by value unless ``sort=False``; `group` colours the rows.
    """
    rows = table.dropna(subset=[x.column])
    rows = rows.sort_values(x.column, kind="stable") if sort else rows
    ends = _ends(rows, x, zero=x.zero)
    data, names, step, up = _rows(rows, label)
    groups = list(order or table[group].unique()) if group else []
    hue = colours(group, groups, alt.Legend(title=None, symbolType="circle")) if group else alt.value(theme.ACCENT)
    across = alt.X(
        f"{clean(x.column)}:Q", axis=guide(x, *ends, grid=True), scale=scale(x, *ends, room=ROOM)
    )
    base = alt.Chart(data).encode(x=across, y=up)
    named = [(label, label.replace("_", " "))] + ([(group, group.replace("_", " "))] if group else [])
    shown = tooltip(data, *named, x)
    layers = threshold_layers(marks, across, None, {"x": (*ends, x.log)})
    limits = band(data, x)
    if limits:
        bar = base.mark_rule(strokeWidth=7, opacity=0.4, strokeCap="round")
        layers.append(bar.encode(x=alt.X(f"{limits[0]}:Q", title=words(x)), x2=f"{limits[1]}:Q", color=hue, tooltip=shown))
    dots = base.mark_point(size=90).encode(color=hue, tooltip=shown)
    if group:
        pick = highlight(group, bind="legend")
        dots = dots.encode(opacity=alt.condition(pick, alt.value(1), alt.value(0.2))).add_params(pick)
    layers.append(dots)
    end = alt.X(f"{limits[1]}:Q", title=words(x)) if limits else across
    number = base.mark_text(align="left", dx=10)
    layers.append(number.encode(x=end, text=alt.Text(f"{x.column}:Q", format=_number(x))))
    return finish(alt.layer(*layers), table, title, subtitle, step * len(names))


def bars(
    table, x, label, series=None, *, stacked=True, sort=False, text=None, order=None, marks=(), title=None, subtitle=""
):
    """Horizontal bars from zero; with `series` stacked, or side by side with ``stacked=False``.

    The number stands at the end of each bar; over a stack it is the column `text` (the analysis adds
    up, the chart does not).  ``sort=True`` puts the largest first.
    """
    if x.log:
        raise ValueError(f"bars of '{x.column}' start at zero, which a log axis does not have; use intervals()")
    rows = table.dropna(subset=[x.column])
    if sort:
        rank = rows.groupby(label)[text if series and text else x.column].max().rank(ascending=False)
        rows = rows.assign(_rank=rows[label].map(rank)).sort_values("_rank", kind="stable").drop(columns="_rank")
    data, names, step, up = _rows(rows, label)
    named = [(label, label.replace("_", " "))] + ([(series, series.replace("_", " "))] if series else [])
    shown = tooltip(data, *named, x)
    groups = list(order or rows[series].unique()) if series else []
    hue = colours(series, groups, alt.Legend(title=None)) if series else alt.value(theme.ACCENT)
    if series and stacked:
        totals = data.groupby("row_label")[x.column].sum()
        ends = x.domain or (min(0, totals.min()), totals.max())
    else:
        ends = _ends(data, x)
    axis = guide(x, *ends, grid=True)
    across = alt.X(f"{clean(x.column)}:Q", axis=axis, scale=scale(x, *ends, room=ROOM), stack="zero" if stacked else None)
    base = alt.Chart(data).encode(y=up)
    bar = base.mark_bar(height={"band": 0.72}).encode(x=across, color=hue, tooltip=shown)
    if series:
        pick = highlight(series, bind="legend")
        bar = bar.encode(opacity=alt.condition(pick, alt.value(1), alt.value(0.2))).add_params(pick)
        data["series_order"] = data[series].map({name: place for place, name in enumerate(groups)})
        bar = bar.encode(order="series_order:Q") if stacked else bar
    layers = [bar]
    if series and not stacked:
        offset = alt.YOffset(f"{series}:N", sort=groups)
        layers = [bar.encode(yOffset=offset)]
        step = max(step, 20 * len(groups) + 10)
        base = base.encode(yOffset=offset)
    if series and stacked:
        if text:
            ends_of_stacks = data.groupby("row_label", sort=False).agg({x.column: "sum", text: "first"}).reset_index()
            base = alt.Chart(ends_of_stacks).encode(y=up)
            layers.append(_end_text(base, x, x.column, text, clean(text)))
    else:
        limits = band(data, x)
        if limits:
            whisker = base.mark_rule(strokeWidth=1.5, color=theme.INK)
            layers.append(whisker.encode(x=alt.X(f"{limits[0]}:Q", title=words(x)), x2=f"{limits[1]}:Q", tooltip=shown))
        layers.append(_end_text(base, x, limits[1] if limits else x.column, text or x.column, text))
    layers += threshold_layers(marks, across, None, {"x": (*ends, x.log)})
    return finish(alt.layer(*layers), table, title, subtitle, step * len(names))


def _end_text(base, x, position, column, text):
    """The number (or the text column) to the right of a bar's end."""
    number = alt.Text(f"{column}:Q", format=_number(x))
    kind = base.data[column].dtype.kind
    shown = alt.Text(f"{column}:N") if text and kind not in "iuf" else number
    return base.mark_text(align="left", dx=6).encode(x=alt.X(f"{position}:Q", title=words(x), stack=None), text=shown)


KINDS = {"start": theme.GREY, "down": theme.GOOD, "up": theme.WARM, "total": theme.ACCENT}
KIND_WORDS = {"start": "start", "down": "saves", "up": "adds", "total": "result"}


def waterfall(table, value, label, *, start="start", end="end", kind="kind", text=None, title=None, subtitle=""):
    """Steps from a start to a result, downwards, in the order of the table.

    Each row has its `start` and `end` on the axis and its `kind`: start, down, up or total (the bars of
    start and total begin at the axis).  `value` names the axis; the number printed is `end`, or `text`.
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
        legend=alt.Legend(title=None),
    )
    shown = [
        alt.Tooltip(f"{clean(label)}:N", title="Step"),
        alt.Tooltip(f"{clean(start)}:Q", title="from", format=_number(value)),
        alt.Tooltip(f"{clean(end)}:Q", title="to", format=_number(value)),
    ]
    links = data.assign(next_label=data["row_label"].shift(-1)).dropna(subset=["next_label"])
    joint = alt.Chart(links).mark_rule(color=theme.MUTED, strokeWidth=1)
    joint = joint.encode(x=alt.X("bar_end:Q", title=words(value)), y=up, y2="next_label:N")
    bar = base.mark_bar(height={"band": 0.66}).encode(x=across, x2="bar_end:Q", color=hue, tooltip=shown)
    shown_text = text if text else end
    is_number = data[shown_text].dtype.kind in "iuf"
    number = alt.Text(f"{clean(shown_text)}:Q", format=_number(value)) if is_number else alt.Text(f"{clean(shown_text)}:N")
    note = base.mark_text(align="left", dx=6).encode(x=alt.X("number_at:Q", title=words(value)), text=number)
    return finish(alt.layer(joint, bar, note), table, title, subtitle, step * len(names))

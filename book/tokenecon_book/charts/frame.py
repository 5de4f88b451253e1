"""What every chart form needs around its marks: title, wrapped labels, thresholds, room for text."""

import itertools
import json
import math
import re
import textwrap
from collections import namedtuple

import altair as alt
import pandas as pd

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import clean

LETTER = 0.56 * theme.TEXT  # px: mean advance of a letter of a label
LINE = 16  # px: height of a line of a label
ROW = 30  # px: a row of horizontal bars or intervals
MOST = 8  # rows of a chart
HATCH = 6  # spaces between the lines by which a range of the documents is hatched

Mark = namedtuple("Mark", "axis value label to")


def mark(axis, value, label, to=None):
    """A threshold across a chart: at `value` of the "x" or "y" axis, or shaded up to `to`; no label where the axis has it."""
    if axis not in ("x", "y"):
        raise ValueError(f"mark() takes the axis 'x' or 'y', got {axis!r}")
    return Mark(axis, float(value), label, None if to is None else float(to))


def finish(chart, title, subtitle, height, ranges=(), kinds=None):
    """Give a chart its height, its subtitle, and a title if it has another than the sentence of the finding it draws.

    `ranges` are pairs of the kind of a range that it draws and the look, "bar" or "area", for the key in the figure's foot;
    `kinds` is what :func:`tokenecon_book.charts.ranges.stated` says of the columns that it draws.
    """
    heading = alt.TitleParams(text=theme.wrap(title or "") or "")
    if subtitle:
        heading.subtitle = theme.wrap(subtitle, size=theme.TEXT)
    chart = chart.properties(title=heading, height=height, width=theme.WIDE)
    about = ({"ranges": [list(one) for one in dict.fromkeys(ranges)]} if ranges else {}) | ({"kinds": kinds} if kinds else {})
    return chart.properties(usermeta=about) if about else chart


def wrapped(text, letters=16):
    """A label in lines of at most so many letters, for marks that break at a newline."""
    return "\n".join(textwrap.wrap(str(text), width=letters, break_long_words=False)) or " "


def breadth(label):
    """Width in pixels that a (wrapped) label takes."""
    return LETTER * max(len(line) for line in label.split("\n"))


def depth(label):
    """Height in pixels that a (wrapped) label takes."""
    return LINE * (label.count("\n") + 1)


def legend(names, beside=0, **options):
    """A legend above the plot, in as many columns as a phone has room for `beside` the row labels."""
    names = [str(name) for name in names]
    room = theme.NARROW - beside - 12
    fitting = room // (max(map(breadth, names)) + 36)
    whole = sum(breadth(name) + 36 for name in names) <= room
    return alt.Legend(title=None, columns=len(names) if whole else max(1, int(fitting)), **options)


def colours(series, order, legend=None, hues=None):
    """Colour by series: as `hues` says, or each thing in its own and all else in the order given.

    More than can be told apart are refused.
    """
    try:
        found = [hues[name] for name in order] if hues else theme.hues(order)
    except ValueError as error:
        raise ValueError(f"column '{series}': {error}") from None
    return alt.Color(f"{clean(series)}:N", scale=alt.Scale(domain=list(order), range=found), legend=legend)


def few(table, rank, most=MOST):
    """The rows of a table that rank highest, in its own order: a chart shows so many, the page's tables and its CSV show all."""
    return table.loc[rank.nlargest(most).index].sort_index()


DASHES = ([1, 0], [9, 4], [4, 4], [9, 3, 2, 3])


def dashes(series, order):
    """Dashes that tell lines of one colour apart; ``None`` where each has a colour of its own."""
    found = theme.hues(order)
    if len(set(found)) == len(found):
        return None
    places = [found[:place].count(colour) for place, colour in enumerate(found)]
    return alt.StrokeDash(f"{clean(series)}:N", legend=None, scale=alt.Scale(
        domain=list(order), range=[DASHES[place % len(DASHES)] for place in places]))


def highlight(series, bind=None):
    """A selection that keeps the series under the pointer (or clicked in the legend) and dims the others."""
    if bind:
        return alt.selection_point(name="pick", fields=[series], bind=bind)
    return alt.selection_point(name="pick", fields=[series], on="pointerover", clear="pointerout")


# What a textbook says of the same is a comparison that a reader switches on, below the chart.
TEXTBOOK = "textbook"
SWITCH = alt.param(name=TEXTBOOK, value=False, bind=alt.binding_checkbox(name="Compare with the textbook (grey)"))


def of_textbook(names):
    """Those of some names that say that they are the textbook's."""
    return [name for name in names if TEXTBOOK in str(name)]


def asked(base, series, names):
    """A chart without the rows whose `series` is one of these names, until the reader asks for them."""
    hidden = json.dumps([str(name) for name in names])
    return base.transform_filter(f"{TEXTBOOK} || indexof({hidden}, datum[{json.dumps(series)}]) < 0") if names else base


def halo(base, **options):
    """Text that stays readable over lines: the same text in the colour of the ground lies below it."""
    options.setdefault("lineBreak", "\n")
    options.setdefault("lineHeight", LINE)
    under = base.mark_text(stroke=theme.GROUND, strokeWidth=4, strokeJoin="round", fill=theme.GROUND, **options)
    return [under, base.mark_text(**options)]


def apart(places, sizes, limit):
    """Move label centres (px, ascending order kept) so that labels of these heights do not touch.

    >>> apart([10, 14], [16, 16], 100)
    [10, 26]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [places[i] for i in order]
    gaps = [(sizes[a] + sizes[b]) / 2 for a, b in itertools.pairwise(order)]
    for i, gap in enumerate(gaps):
        moved[i + 1] = max(moved[i + 1], moved[i] + gap)
    if moved and moved[-1] > limit:
        moved[-1] = limit
        for i in range(len(gaps) - 1, -1, -1):
            moved[i] = min(moved[i], moved[i + 1] - gaps[i])
    result = [0] * len(places)
    for i, place in zip(order, moved, strict=True):
        result[i] = place
    return result


def pixel(value, low, high, log, length):
    """Where a value lies on an axis of this length (0 = low end)."""
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return length * (value - low) / (high - low) if high > low else length / 2


def value_at(place, low, high, log, length):
    """The value at a place of an axis: the inverse of :func:`pixel`."""
    share = place / length
    return low * (high / low) ** share if log else low + share * (high - low)


def reach(ax, ends, marks, name):
    """The ends of an axis, moved out so far that every mark on it can be drawn; a domain asked for stays."""
    low, high = ends
    for line in marks:
        if line.axis == name and not ax.domain:
            spots = [line.value] if line.to is None else [line.value, line.to]
            if ax.log and min(spots) <= 0:
                raise ValueError(f"mark '{line.label}' at {min(spots):g} has no place on a logarithmic axis")
            # above a horizontal line a little air, for its name
            air = 1 if name == "x" else 1.3 if ax.log else 1.1
            low, high = min(low, *spots), max(high, *(spot * air for spot in spots))
    return low, high


def threshold_layers(marks, x, y, domains, above=False, below=()):
    """Dashed lines (or shaded ranges) across the chart, named inside the plot or `above` it; horizontal ones `below` them."""
    layers = []
    rows = itertools.count()  # names of vertical lines stand one below the other
    for line in marks:
        row = next(rows) if line.axis == "x" else 0
        low, high, log = domains[line.axis]
        for end in (line.value, line.to if line.to is not None else line.value):
            if not low <= end <= high:
                raise ValueError(
                    f"mark '{line.label}' at {end:g} lies outside the {line.axis} axis, {low:g} to {high:g}"
                )
        column = (x if line.axis == "x" else y).shorthand.split(":")[0]
        data = pd.DataFrame([{column: line.value, "to": line.to, "label": wrapped(line.label, 24)}])
        base = alt.Chart(data)
        position = x if line.axis == "x" else y
        if line.to is not None:
            shade = base.mark_rect(color=theme.CLAIMED, opacity=0.18)
            layers.append(shade.encode(**{line.axis: position, f"{line.axis}2": "to:Q"}))
            if re.match(theme.CLAIMS, line.label, re.IGNORECASE):
                spots = [value_at(place, line.value, line.to, log, HATCH) for place in range(HATCH + 1)]
                hatch = alt.Chart(pd.DataFrame({column: spots})).mark_rule(strokeWidth=1, color=theme.CLAIMED, opacity=0.55)
                layers.append(hatch.encode(**{line.axis: position}))
        else:
            rule = base.mark_rule(strokeDash=[4, 3], strokeWidth=1.4, color=theme.MUTED)
            layers.append(rule.encode(**{line.axis: position}))
        if not line.label:
            continue
        if line.axis == "x" and above:
            text = base.encode(x=position, y=alt.value(-6 - row * LINE), text="label:N")
            layers += halo(text, align="center", baseline="bottom")
        elif line.axis == "x":
            left = pixel(line.value, low, high, log, 1.0) > 0.6
            text = base.encode(x=position, y=alt.value(8 + row * LINE * 1.2), text="label:N")
            layers += halo(text, align="right" if left else "left", dx=-6 if left else 6, baseline="top")
        else:
            text = base.encode(y=position, x=alt.value(4), text="label:N")
            side = {"baseline": "top", "dy": 4} if line in below else {"baseline": "bottom", "dy": -4}
            layers += halo(text, align="left", **side)
    return layers


# Where a point's label may stand: horizontal and vertical direction from the point.
HIDDEN = 0.35  # share of a label that may lie under others
PLACES = {"right": (1, 0), "left": (-1, 0), "above": (0, -1), "below": (0, 1)}


def free_places(points, labels, width, height, taken=()):
    """For each point (px) the side on which its label overlaps least with what is `taken` (boxes in px).

    A label that would hide a good part of itself or of another, as on a phone, is left out: ``None``.
    """
    taken = [*taken, *((px - 6, py - 6, px + 6, py + 6) for px, py in points)]
    chosen = []
    for (px, py), label in zip(points, labels, strict=True):
        wide, tall = breadth(label), depth(label)
        best = None
        for place, (right, down) in PLACES.items():
            cx, cy = px + right * (wide / 2 + 10), py + down * (tall / 2 + 8)
            box = (cx - wide / 2, cy - tall / 2, cx + wide / 2, cy + tall / 2)
            outside = max(0, -box[0]) + max(0, box[2] - width) + max(0, -box[1]) + max(0, box[3] - height)
            cost = outside * tall + sum(_overlap(box, other) for other in taken)
            if best is None or cost < best[0]:
                best = (cost, place, box)
        if best[0] > HIDDEN * wide * tall:
            chosen.append(None)
            continue
        chosen.append(best[1])
        taken.append(best[2])
    return chosen


def _overlap(a, b):
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def placed_labels(data, x, y, place="place", label="label"):
    """Label layers for points, one for each side on which labels stand."""
    layers = []
    for side, (right, down) in PLACES.items():
        rows = data[data[place] == side]
        if len(rows):
            base = alt.Chart(rows).encode(x=x, y=y, text=f"{label}:N")
            layers += halo(
                base,
                align={1: "left", -1: "right", 0: "center"}[right],
                baseline={0: "middle", 1: "top", -1: "bottom"}[down],
                dx=9 * right,
                dy=8 * down,
            )
    return layers

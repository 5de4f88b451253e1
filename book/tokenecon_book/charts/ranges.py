"""Kinds of ranges: what each says, and the mark by which every chart of the book draws it.

A chart that draws a range says of which kind it is, with ``range=`` one of :data:`KINDS`, or a dict that says it of each of
its groups or series; without it the chart is refused.  The key stands on the page about method, under *Kinds of ranges*.
"""

from collections import namedtuple

import altair as alt
import pandas as pd

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import band, words
from tokenecon_book.charts.figure import FigureError

# `name` for readers, what it `says`, how it looks as a `bar` and, over a curve, as an `area`
Kind = namedtuple("Kind", "name says bar area")
KINDS = {
    "interval": Kind("interval of the model", "holds four of five measurements that the model had not seen", "thick bar",
                     "filled band"),
    "offers": Kind("spread of offers", "from the cheapest to the dearest price that somebody asks", "thin line with ticks",
                   "thin lines at both edges"),
    "sellers": Kind("sellers, 10 to 90%", "eight of ten sellers ask a price inside, by an assumed spread where few sell",
                    "thin line with dots at its ends", "lines of dashes and dots at both edges"),
    "draws": Kind("draws, 10 to 90%", "eight of ten drawn futures or measured cases lie inside", "wide pale bar",
                  "pale band with dotted edges"),
    "bound": Kind("outer bound", "all inputs at their cheap ends at once, and all at their dear ends", "open brackets",
                  "dashed lines at both edges"),
    "printed": Kind("range as printed", "both ends are a source's own", "thin line", ""),
}
# How a value is known, as the mark of its row says it: `name` for readers, what the mark `looks` like
Mark = namedtuple("Mark", "name looks")
MARKS = {
    "quoted": Mark("measured or quoted", "solid mark"), "modelled": Mark("modelled", "ring"),
    "extrapolated": Mark("modelled, nothing like it was measured", "dotted ring"),
    "claimed": Mark("claim of the documents", "grey hatch"),
}  # fmt: skip
COLUMN, KNOWN = "range_kind", "known_as"
HATCHED = "M-1,-1L1,-1L1,1L-1,1L-1,-1M-1,0L0,-1M-1,1L1,-1M0,1L1,0"
OPENS = {"x_low": "M0.7,-1L0,-1L0,1L0.7,1", "x_high": "M-0.7,-1L0,-1L0,1L-0.7,1",
         "y_low": "M-1,-0.7L-1,0L1,0L1,-0.7", "y_high": "M-1,0.7L-1,0L1,0L1,0.7"}  # fmt: skip
HEIGHT = 13  # px of a tick or a bracket, across the range
DOT = 28  # square px of a dot at an end


def kinds(table, ax, range):
    """Kind of the range of each row, empty where it has none; ``None`` where no row has one.

    ``range`` is one kind, or a Series of them.

    Raises :class:`FigureError` for a range of which nobody says what it is.
    """
    ends = band(table, ax)
    if not ends:
        return None
    wide = table[ends[0]] < table[ends[1]]
    if not wide.any():
        return None
    if range is None:
        raise FigureError(f"column '{ax.column}' has a range; say which kind it is with range=, one of {', '.join(KINDS)}, or "
                          "a dict that says it of each group")
    found = pd.Series(range, table.index).where(wide, "")
    if unknown := sorted({str(kind) for kind in found[wide]} - KINDS.keys()):
        raise FigureError(f"a range of '{ax.column}' is of the kind {', '.join(map(repr, unknown))}; there are "
                          f"{', '.join(KINDS)}")
    return found


def marked(data, ax, range, group=None):
    """A table with the kind of each row's range, and which kinds there are; a dict says the kind by the column `group`."""
    range = data[group].map(range) if isinstance(range, dict) else range
    found = kinds(data, ax, range)
    if found is None:
        return data, []
    return data.assign(**{COLUMN: found}), [kind for kind in KINDS if (found == kind).any()]


def stated(range, group, *axes):
    """Of each column that a chart's form draws the kind of its ranges as the form was told it, for all or for each group.

    The kinds are pairs of the column of the groups, or nothing, and of a kind or a dict from group to kind, or nothing.
    """
    return {ax.column: [group, range] for ax in axes} if range is not None or group else {}


def bars(base, present, ax, channel, colour, shown=()):
    """Layers that draw the ranges of rows along the "x" or the "y" of a chart whose data is :func:`marked`."""
    return [layer for kind in present for layer in _bar(_of(base, kind), kind, ax, channel, colour, shown)]


def known(data, how, group=None):
    """A table with how the value of each row is known, one of :data:`MARKS`, and which of them there are.

    `how` is one of them for all rows, or a dict that says it of each group; groups named after the documents are claims.
    """
    said = pd.Series("quoted" if how is None or isinstance(how, dict) else how, data.index)
    if group:
        said = said.mask(data[group].astype(str).str.match(theme.CLAIMS, case=False), "claimed")
        said = data[group].map(how).fillna(said) if isinstance(how, dict) else said
    if unknown := sorted(set(said) - MARKS.keys()):
        raise FigureError(f"a value is known as {', '.join(map(repr, unknown))}; there are {', '.join(MARKS)}")
    return data.assign(**{KNOWN: said}), [one for one in MARKS if (said == one).any()]


def dots(base, present, hue, **encoded):
    """Layers of the marks of rows whose table comes from :func:`known`."""
    looks = {"quoted": {"size": 90}, "modelled": {"filled": False, "size": 80, "strokeWidth": 2.4, "fill": theme.GROUND},
             "claimed": {"shape": HATCHED, "filled": False, "size": 130, "strokeWidth": 1.4}}  # fmt: skip
    looks["extrapolated"] = looks["modelled"] | {"strokeDash": [2, 2]}
    return [base.transform_filter(f"datum.{KNOWN} == '{one}'").mark_point(**looks[one]).encode(color=hue, **encoded)
            for one in present]


def said(present):
    """The marks of a chart for its key; nothing where all are solid."""
    return [(one, "mark") for one in present] if set(present) - {"quoted"} else []


def _of(base, kind):
    return base.transform_filter(f"datum.{COLUMN} == '{kind}'")


def _bar(base, kind, ax, channel, colour, shown):
    side = alt.X if channel == "x" else alt.Y
    ends = {end: side(f"{ax.column}_{end}:Q", title=words(ax)) for end in ("low", "high")}
    along = {channel: ends["low"], f"{channel}2": f"{ax.column}_high:Q", "color": colour}
    if shown:
        along["tooltip"] = list(shown)
    looks = {"interval": {"strokeWidth": 7, "opacity": 0.4, "strokeCap": "round"}, "offers": {"strokeWidth": 1.5},
             "sellers": {"strokeWidth": 1.5},
             "draws": {"strokeWidth": HEIGHT + 3, "opacity": 0.24, "strokeCap": "butt"},
             "bound": {"strokeWidth": 1.2, "strokeDash": [1, 3]}, "printed": {"strokeWidth": 1.5}}  # fmt: skip
    yield base.mark_rule(**looks[kind]).encode(**along)
    for end in ("low", "high"):
        at = {channel: ends[end], "color": colour}
        if kind == "offers":
            across = "vertical" if channel == "x" else "horizontal"
            yield base.mark_tick(orient=across, thickness=1.5, size=HEIGHT).encode(**at)
        elif kind == "sellers":
            yield base.mark_point(shape="circle", filled=True, opacity=1, size=DOT).encode(**at)
        elif kind == "bound":
            shape = OPENS[f"{channel}_{end}"]
            yield base.mark_point(shape=shape, filled=False, strokeWidth=1.6, size=HEIGHT**2).encode(**at)


def areas(base, present, across, ax, colour, interpolate):
    """Layers that draw the ranges of curves over `across`, in a chart whose data is :func:`marked`."""
    layers = []
    low, high = (alt.Y(f"{ax.column}_{end}:Q", title=words(ax)) for end in ("low", "high"))
    fills = {"interval": 0.2, "draws": 0.12}
    edges = {"offers": [1, 0], "sellers": [7, 3, 1, 3], "draws": [1, 4], "bound": [6, 4]}
    for kind in present:
        if not KINDS[kind].area:
            raise FigureError(f"the range of the curve of '{ax.column}' is a {KINDS[kind].name}; draw it among its points")
        own = _of(base, kind)
        if kind in fills:
            layers.append(own.mark_area(opacity=fills[kind], interpolate=interpolate).encode(
                x=across, y=low, y2=f"{ax.column}_high:Q", color=colour))
        if kind in edges:
            edge = own.mark_line(strokeWidth=1.2, strokeDash=edges[kind], opacity=0.85, interpolate=interpolate)
            layers += [edge.encode(x=across, y=end, color=colour) for end in (low, high)]
    return layers


def _stroke(d, width=1.5, dash="", opacity=1.0):
    more = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{d}" stroke-width="{width}" stroke-opacity="{opacity}"{more}/>'


# the marks as small pictures, 40 by 16, for the foot of a figure and the key
BARS = {
    "interval": _stroke("M5 8H35", 6, opacity=0.45),
    "offers": _stroke("M2 8H38M2 3V13M38 3V13"),
    "sellers": _stroke("M4 8H36") + '<circle cx="4" cy="8" r="2.6"/><circle cx="36" cy="8" r="2.6"/>',
    "draws": _stroke("M2 8H38", 14, opacity=0.26),
    "bound": _stroke("M2 8H38", 1.2, "1 3") + _stroke("M7 2H2V14H7M33 2H38V14H33"),
    "printed": _stroke("M2 8H38"),
}
AREAS = {
    "interval": _stroke("M0 8H40", 12, opacity=0.24),
    "offers": _stroke("M0 3H40M0 13H40", 1.2),
    "sellers": _stroke("M0 3H40M0 13H40", 1.2, "7 3 1 3"),
    "draws": _stroke("M0 8H40", 10, opacity=0.16) + _stroke("M0 3H40M0 13H40", 1.2, "1 4"),
    "bound": _stroke("M0 3H40M0 13H40", 1.2, "6 4"),
}


RING = "M25 8A5 5 0 1 1 15 8A5 5 0 1 1 25 8"
DOTS = {
    "quoted": '<circle cx="20" cy="8" r="5"/>',
    "modelled": _stroke(RING, 2),
    "extrapolated": _stroke(RING, 2, "2 2"),
    "claimed": _stroke("M14 2H26V14H14ZM14 8L20 2M14 14L26 2M20 14L26 8", 1.2),
}


def picture(kind, look="bar"):
    """The mark of a kind as HTML, as a "bar" or as the "area" of a curve."""
    dot = {"bar": '<circle cx="20" cy="8" r="4"/>', "area": _stroke("M0 8H40", 2), "mark": ""}[look]
    drawn = {"bar": BARS, "area": AREAS, "mark": DOTS}[look][kind]
    return (f'<svg class="te-range-mark" viewBox="0 0 40 16" width="40" height="16" aria-hidden="true" focusable="false">'
            f"{drawn}{dot}</svg>")


def key(found, root=""):
    """Which kinds a figure draws, for its foot: pairs of kind and look, and the way to the top of the site."""
    names = KINDS | MARKS
    shown = "".join(f"<span>{picture(kind, look)} {names[kind].name}</span> " for kind, look in found)
    return (f'<p class="te-figure-ranges">{shown}<a href="{root}method.html#kinds-of-ranges">Kinds of ranges</a></p>'
            if found else "")


"""One look for every chart: type, colours, grid, and how units and numbers are written.

The look is registered with Altair when :mod:`tokenecon_book.charts` is imported.  Ink, grid and ground
are kept apart from the palette: in a page they become CSS custom properties, so the same picture
reads on a light and on a dark page, with or without script.
"""

import re
import textwrap

import altair as alt

from tokenecon import units

# A page draws charts in the font that it serves (book.css); vl_convert has no such font and measures and draws in the Liberation
# Sans that it brings, on every machine.  Arial and Arimo have the same widths, for a picture that was taken elsewhere.
FONT = "'Book Sans', 'Liberation Sans', Arimo, Arial, sans-serif"

# Colours that follow the page's theme: CSS custom property -> colour on a light page.
TOKENS = {
    "--te-ink": "#1c2128",
    "--te-muted": "#57606b",
    "--te-grid": "#dde2e7",
    "--te-ground": "#fefefe",  # not pure white: nothing else in a spec may be replaced by mistake
}
INK, MUTED, GRID, GROUND = TOKENS.values()

# Series colours stay the same on both grounds: contrast of at least 3:1 against either, and told
# apart under the three kinds of dichromacy (tests/charts/test_theme.py computes both).
GROUNDS = {"light": "#ffffff", "dark": "#14181e"}
PALETTE = ("#2b6fd0", "#e06718", "#159c74", "#a23ea2", "#ba4038", "#77818d")
ACCENT, WARM, GOOD, PLUM, BAD, GREY = PALETTE
# One colour for one thing in the whole book: how a name begins says which thing it is.  Grey is what ours is compared with.
OWN, RENT, API, COMMITTED, CLAIMED = ACCENT, WARM, GOOD, PLUM, GREY
CLAIMS = r"(the )?documents\b|claim"
THINGS = {
    OWN: r"own(ed)?\b",
    RENT: r"rent|(on[- ]demand|by the hour|by the second|around the clock|spot|marketplace|hyperscaler|neocloud|stated price)\b"
          r"|machines rented|\d+% of the time",
    API: r"api\b|(call|tokens of) (the|an) api\b|sold by the token|list price|public api|tokens of the api",
    COMMITTED: r"commit|reserv|\d-month|\d-year|\d+% off|(one|two|three)([- ](year|month)|s? over)",
    CLAIMED: CLAIMS + r"|.*\btextbook\b",
}
# Everything else: five hues that are none of these things.
OTHERS = ("#566b84", "#938516", "#ba4038", "#cc667a", "#2aa0ad")
PLAIN = OTHERS[0]
# a second of the same thing in one chart, such as spot beside on demand
SECOND = {OWN: "#5b91dd", RENT: "#a94e12", API: "#0f7d5c", COMMITTED: "#c567c5", CLAIMED: "#5f6872"}
SEQUENTIAL = ("#e8f1fb", "#b7d3f2", "#7fb0e6", "#4a88d4", "#2563b0", "#123f7c")

WIDE, NARROW = 680, 350  # px: the static pictures for a page column and for a phone
HEIGHT = 320
TEXT = 13
ABOVE = -10  # px: where the title of an upright axis stands, from the top of the plot
TITLE = 17

UNIT_WORDS = {
    "USD": "USD",
    "tok": "token", "tok_in": "input token", "tok_out": "output token", "tok_cached": "cached token",
    "ktok": "thousand tokens", "Mtok": "million tokens", "Mtok_in": "million input tokens",
    "Mtok_out": "million output tokens", "Mtok_cached": "million cached tokens",
    "s": "second", "min": "minute", "h": "hour", "us": "µs", "yr": "year", "month": "month", "day": "day",
    "bit": "bit", "param": "parameter", "position": "position", "sequence": "sequence", "request": "request",
    "layer": "layer", "head": "head", "expert": "expert", "word": "word", "site": "site",
    "fraction": "%", "percent": "%", "ratio": "times", "1": "number", "count": "count",
    "gCO2e": "g CO₂e", "kgCO2e": "kg CO₂e",
}
# In front of "per" a count reads as a plural ("tokens per second"); symbols such as GB never change.
PLURAL = {
    "tok", "tok_in", "tok_out", "tok_cached", "s", "min", "h", "day", "month", "yr", "bit", "param", "position",
    "sequence", "request", "layer", "head", "expert", "word", "site",
}


def thing(name):
    """The colour of the thing that a name says, or ``None`` for all else.

    >>> thing("own: B200 SXM") == OWN, thing("3-month reservation: H200 SXM") == COMMITTED, thing("arithmetic")
    (True, True, None)
    """
    return next((colour for colour, begins in THINGS.items() if re.match(begins, str(name), re.IGNORECASE)), None)


def hues(names):
    """A colour for each name: that of its thing, in two shades by turns, and the hues of no thing for the others, in order."""
    found = [thing(name) for name in names]
    # slate is too near the grey of what it would be compared with
    free = [*OTHERS[1:], OTHERS[0]] if CLAIMED in found else [*OTHERS, GREY]
    others = iter(free)
    if found.count(None) > len(free):
        raise ValueError(f"{found.count(None)} values are no thing that has a colour of its own; a chart tells at most "
                         f"{len(free)} of them apart: {', '.join(map(str, names))}")
    shades = [SECOND[colour] if colour and found[:place].count(colour) % 2 else colour for place, colour in enumerate(found)]
    return [colour or next(others) for colour in shades]


def claimed(name):
    """Whether a thing of a chart is what the documents say, by how its name begins."""
    return bool(re.match(CLAIMS, str(name), re.IGNORECASE))


def unit_words(unit):
    """A unit of the closed list as a reader says it.

    >>> unit_words("USD/Mtok_out")
    'USD per million output tokens'
    >>> unit_words("tok_out/s/GPU")
    'output tokens per second and GPU'
    """
    if unit not in units.UNITS:
        raise units.UnitError(f"unit '{unit}' is not in the closed list; see tokenecon/units.py")
    first, *rest = unit.split("/")
    words = UNIT_WORDS.get(first, first)
    if first in PLURAL:
        words += "s"
    if first == "GPU" and not rest:
        words = "GPUs"
    if not rest:
        return words
    if first == "1":
        words = ""
    return (words + " per " + " and ".join(UNIT_WORDS.get(atom, atom) for atom in rest)).strip()


def wrap(text, width=WIDE, size=TITLE):
    """Split a text into lines that fit a width in pixels: Vega does not wrap.

    0.56 em is the mean advance of a bold sans letter, a little above that of a regular one.
    """
    return textwrap.wrap(text, width=max(12, int(width / (0.56 * size))), break_long_words=False)


def label_expression(unit):
    """The Vega expression that writes an axis label: $0.10, $1, $10; 5%, 3×; 10k, 2M."""
    value = "datum.value"
    if unit and unit.split("/")[0] == "USD":
        return (
            f"abs({value}) >= 1e5 ? '$' + replace(format({value}, '~s'), 'G', 'B') : "
            f"{value} == 0 || abs({value}) >= 10 || {value} == floor({value}) ? format({value}, '$,.0~f') : "
            f"abs({value}) >= 0.01 ? format({value}, '$,.2f') : format({value}, '$.2~r')"
        )
    if unit == "fraction":
        return f"format({value}, '.3~p')"
    plain = (
        f"abs({value}) >= 1e4 ? replace(format({value}, '~s'), 'G', 'B') : "
        f"abs({value}) >= 1e-4 || {value} == 0 ? format({value}, ',.6~r') : format({value}, '~e')"
    )
    return f"({plain}) + '×'" if unit == "ratio" else plain


def _config():
    label = {"labelFont": FONT, "labelFontSize": TEXT - 1, "labelColor": MUTED}
    title = {"titleFont": FONT, "titleFontSize": TEXT - 1, "titleFontWeight": "normal", "titleColor": INK}
    quiet = {"domain": False, "ticks": False, "gridColor": GRID, "gridWidth": 1}
    return {
        "config": {
            "background": GROUND,
            "font": FONT,
            "padding": 6,
            "view": {"stroke": None, "continuousWidth": WIDE, "continuousHeight": HEIGHT},
            "title": {
                "anchor": "start", "frame": "bounds", "font": FONT, "fontSize": TITLE, "fontWeight": 700,
                "lineHeight": 22, "color": INK, "offset": 14, "subtitleFont": FONT, "subtitleFontSize": TEXT,
                "subtitleColor": MUTED, "subtitleLineHeight": 18, "subtitlePadding": 6,
            },
            "axis": {**label, **title, "labelPadding": 6, "titlePadding": 10, "labelOverlap": "greedy",
                     "labelSeparation": 8, "labelFlush": False},
            "axisX": {**quiet, "grid": False, "domain": True, "domainColor": MUTED, "ticks": True,
                      "tickColor": MUTED, "tickSize": 4},
            # The value axis carries its title on top, flush left: no reader turns the head.
            "axisY": {**quiet, "grid": True, "titleAngle": 0, "titleAlign": "left", "titleAnchor": "end",
                      "titleBaseline": "bottom", "titleY": ABOVE, "titleX": 0},
            "legend": {**label, **title, "orient": "top", "symbolType": "square", "symbolSize": 120,
                       "titleLimit": 300, "labelLimit": 260, "offset": 8, "columnPadding": 14,
                       "symbolOpacity": 1},
            "range": {"category": list(PALETTE), "ordinal": list(SEQUENTIAL), "ramp": list(SEQUENTIAL),
                      "heatmap": list(SEQUENTIAL)},
            "mark": {"color": PLAIN},
            "text": {"font": FONT, "fontSize": TEXT - 1, "color": INK},
            "line": {"strokeWidth": 2.4, "strokeCap": "round", "strokeJoin": "round"},
            "rule": {"color": MUTED},
            "bar": {"color": PLAIN},
            "point": {"filled": True, "size": 70, "opacity": 1},
            "aria": False,  # the figure says its alternative text once; thousand marks would drown it
        }
    }


@alt.theme.register("tokenecon", enable=True)
def tokenecon():
    """The theme, as Altair calls it."""
    return alt.theme.ThemeConfig(_config())

"""The calculator in a page: its form, and the answer to its start, which stands there before anything loads."""

import json
import re
from functools import cache
from html import escape
from pathlib import Path

from tokenecon import __version__
from tokenecon.calculator import markup, page, parameters
from tokenecon_book import citations
from tokenecon_book.build.calculator import STATIC

SECTIONS = (  # title, fields, whether it stands open where there is room
    ("Your load", ("model", "requests_per_day", "isl", "osl", "profile"), True),
    ("Machines", ("gpus", "n_gpus", "weights", "kv"), True),
    ("Limits and prices", ("ttft_ms", "tpot_ms", "price_rule", "as_of"), True),
    ("More", ("cached_prefix", "peak_to_mean", "people", "spare_replicas", "usd_per_kwh", "usd_per_gpu_hour"), False),
)  # fmt: skip
PANEL = ("model", "requests_per_day")
CHAPTERS = ("decision", "hardware", "economics")  # whose answer is another in the reader's own case
FIGURE, SECTION = re.compile(r'<figure\b[^>]*\bclass="te-figure'), re.compile(r"<section\b")
UNITS = {"tok_in": "tokens", "tok_out": "tokens", "request/day": "", "ms/tok_out": "ms", "fraction": "0 to 1",
         "USD/kWh": "USD a kWh", "USD/GPU/h": "USD", "count": "", "ratio": "times", "GPU": "", "date": ""}


@cache
def facts(folder):
    """What the build wrote for the calculator, with the prices of all its days."""
    read = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return read | {"prices": {day: json.loads((folder / f"prices-{day}.json").read_text(encoding="utf-8"))
                              for day in read["days"]}}


def of_page(directive):
    """The whole calculator."""
    known = facts(Path(directive.env.srcdir) / STATIC)
    found = markup.run(known, {})
    form = "".join(section(known, *one) for one in SECTIONS)
    buttons = (("link", "Copy link"), ("command", "Copy command"), ("scenario", "Scenario file"), ("csv", "CSV"),
               ("picture", "Picture (SVG)"), ("png", "Picture (PNG)"), ("cite", "Cite"))
    return (
        f'<div class="calculator" data-calculator="page" data-citation="{escape(citations.book()["text"], quote=True)}">'
        f'<form class="calc-form" novalidate aria-label="Your case">{form}'
        f'<p class="calc-buttons"><button type="button" data-do="reset">Start again</button> '
        f'<button type="button" data-do="compare">Compare with another case</button> '
        f'<button type="button" data-do="open">Open a scenario file</button>'
        f'<input type="file" data-calc="file" accept=".yml,.yaml" aria-label="A scenario file" hidden></p>'
        f'<p class="calc-help">Or drop a file on this page: it is read as text and stays on your machine.</p></form>'
        f'<div class="calc-out">{status(found)}'
        f'<div class="calc-wrong" data-calc="address" role="alert" hidden></div>'
        f'<div class="calc-answer" data-calc="answer">{html(found["answer"])}</div>'
        f'<p class="calc-buttons">{"".join(button(*one) for one in buttons)}</p>'
        f'<p class="calc-copied" role="status" data-calc="copied"></p>'
        f'<div data-calc="beside"></div></div></div>'
        f"{start(found)}"
        '<script type="module" src="_static/calculator.mjs"></script>'
    )


def of_front(directive):
    """The panel of the front page: model and requests a day."""
    return panel(Path(directive.env.srcdir))


def panel(source, title=""):
    """A small panel: model and requests a day, the answer to the base case, the way to the calculator."""
    known = facts(source / STATIC)
    found = markup.run(known, {})
    head = f'<p class="calc-title">{title}</p>' if title else ""
    return (
        f'<div class="calculator calc-panel" data-calculator="panel" '
        f'data-citation="{escape(citations.book()["text"], quote=True)}">'
        f'{head}'
        f'<form class="calc-form" novalidate aria-label="Your case">{"".join(field(known, name) for name in PANEL)}</form>'
        f'<div class="calc-out">{status(found)}'
        f'<div class="calc-answer" data-calc="answer">{html(found["panel"])}</div>'
        f'<p class="calc-buttons"><a class="calc-open" data-calc="open" href="calculator.html">Open the calculator</a>'
        f'{button("link", "Copy link")}{button("cite", "Cite")}</p>'
        f'<p class="calc-copied" role="status" data-calc="copied"></p></div></div>'
        f"{start(found)}"
        '<script type="module" src="_static/calculator.mjs"></script>'
    )


def placed(body, html):
    """The HTML of a chapter with a panel behind the chart at its head, or else before its first section."""
    sections = [one.start() for one in SECTION.finditer(body)]
    first = sections[1] if len(sections) > 1 else len(body)
    figure = FIGURE.search(body, 0, first)
    at = _end(body, body.rindex('<div class="cell', 0, figure.start())) if figure else first
    return f"{body[:at]}\n{html}\n{body[at:]}"


def _end(body, start):
    """Where the div that begins at a place ends."""
    depth = 0
    for found in re.compile(r"<(/?)div\b[^>]*>").finditer(body, start):
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    raise ValueError("a div of a chapter has no end")


def add_panel(app, pagename, templatename, context, doctree):
    """Put the panel into a chapter before its template is filled."""
    if pagename in CHAPTERS and context.get("body"):
        context["body"] = placed(context["body"], panel(Path(app.srcdir), "What it costs in your case"))


def setup(app):
    app.connect("html-page-context", add_panel)


def status(found):
    """Which case stands there; the script says what it is doing."""
    return f'<p class="calc-status" role="status" data-calc="status">The base case of the book: {escape(found["case"])}</p>'


def button(does, words):
    """A button that the script makes work."""
    return f'<button type="button" data-do="{does}">{words}</button>'


def start(found):
    """What the buttons hand on before the engine answers."""
    kept = {name: found[name] for name in ("values", "command", "scenario", "rows", "columns", "case", "sentence", "groups")}
    kept["version"] = __version__
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" data-calc="start">{text}</script>'


def section(known, title, names, stands):
    """Fields of one kind, which fold; on a phone the script folds all but the first, so that the answer is near."""
    inside = "".join(field(known, name) for name in names)
    return (f'<details class="calc-section"{" open" if stands else ""}><summary>{title}</summary>'
            f'<fieldset aria-label="{title}">{inside}</fieldset></details>')


def field(known, name):
    """One field with its unit, its help and a place for what is wrong with it."""
    _, unit, words, said = next(one for one in parameters.FIELDS if one[0] == name)
    place, value = f"calc-{name}", parameters.text_of(known["start"][name])
    ids = parameters.allowed(known, name)
    about = f'aria-describedby="{place}-help {place}-wrong"'
    if name == "gpus":
        options = [(value, "The four of the base case"), *((gpu, known["gpus"][gpu]["name"]) for gpu in known["gpu_ids"]),
                   (parameters.ALL, f"Compare all {len(known['gpu_ids'])}")]
        inside = select(place, name, about, options, value)
    elif ids is not None:
        labels = {"model": lambda one: known["models"][one]["name"], "profile": lambda one: _hours(known["profiles"][one]),
                  "price_rule": page.RULE_WORDS.get, "as_of": lambda day: _day(known, day)}.get(name, str)
        inside = select(place, name, about, [(one, labels(one)) for one in ids], value)
    else:
        kind = "numeric" if name in parameters.WHOLE else "decimal"
        inside = (f'<input id="{place}" name="{name}" type="text" inputmode="{kind}" autocomplete="off" value="{escape(value)}" '
                  f"{about}>")
        limits = parameters.LIMITS[name][0].partition(" (")[0]
        said = f"{said} {limits[0].upper()}{limits[1:]}."
    short = UNITS.get(unit, unit)
    mark = f' <span class="calc-unit">{escape(short)}</span>' if short else ""
    return (f'<div class="calc-field"><label for="{place}">{escape(words)}{mark}</label>{inside}'
            f'<p class="calc-help" id="{place}-help">{escape(said.strip())}</p>'
            f'<p class="calc-wrong" id="{place}-wrong" data-wrong="{name}" role="alert" hidden></p></div>')


def _day(known, day):
    """A day of prices; which one is that of the page before a reader asks."""
    return f"{day}, this edition" if day == known["start"]["as_of"] else day


def _hours(profile):
    """Hours of a load in words: measured ones say whose."""
    return profile["label"] if profile["mean_rate"] is None else f"measured: {profile['label']}"


def select(place, name, about, options, value):
    """A list to choose from."""
    rows = "".join(f'<option value="{escape(one, quote=True)}"{" selected" if one == value else ""}>{escape(words)}</option>'
                   for one, words in options)
    return f'<select id="{place}" name="{name}" {about}>{rows}</select>'


def html(trees):
    """Trees of :mod:`tokenecon.calculator.markup` as HTML: every text is escaped."""
    return "".join(escape(one) if isinstance(one, str) else _element(*one) for one in trees)


def _element(tag, attributes, children):
    named = "".join(f' {name}="{escape(value, quote=True)}"' for name, value in attributes.items())
    return f"<{tag}{named}>{html(children)}</{tag}>"

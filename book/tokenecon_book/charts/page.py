"""A figure on a page of the site."""

import html as markup
import json
import re

import vl_convert

from tokenecon_book.charts import ranges
from tokenecon_book.charts.figure import VEGA_LITE, themed

LETTERS = {"uk": re.compile("[\u0400-\u04ff]"), "th": re.compile("[\u0e00-\u0e7f]")}  # language -> what only it writes here
FEW = 2  # sources that are named in one line
LINKS = (("csv", "CSV"), ("png", "Picture"), ("html", "Cite and take away"))


def html(payload, root="", heading=""):
    """The HTML of one figure.

    Parameters
    ----------
    payload : dict or str
        Content of the output of type ``application/vnd.tokenecon.figure+json``.
    root : str
        Way from the page to the top of the site: ``""`` or ``"../"``.
    heading : str
        Id of the page's heading where it is the title of this figure, which has the page to itself; then it repeats neither its
        title nor the links to what can be taken away.
    """
    if isinstance(payload, str):
        payload = json.loads(payload)
    name = f"fig-{payload['id']}"
    subtitle = f'<p class="te-figure-subtitle">{escape(payload["subtitle"])}</p>' if payload["subtitle"] else ""
    note = f'<p class="te-figure-note">{escape(payload["note"])}</p>' if payload["note"] else ""
    links = " · ".join(
        f'<a href="{root}figures/{payload["id"]}.{end}" aria-label="{words}: figure {payload["id"]}">{words}</a>'
        for end, words in LINKS
    )
    title = "" if heading else f'<p class="te-figure-title" id="{name}-title">{escape(payload["title"])}</p>'
    return (
        f'<figure class="te-figure" id="{name}" aria-labelledby="{heading or f"{name}-title"}">\n'
        f'<div class="te-figure-head">{title}{subtitle}</div>\n'
        f'<div class="te-figure-stage" role="img" aria-label="{escape(payload["alt"])}">'
        f"{classed(payload['svg_wide'], 'te-wide')}{classed(payload['svg_narrow'], 'te-narrow')}</div>\n"
        f'<script type="application/json" class="te-figure-spec">{script_json(payload["spec"])}</script>\n'
        f'<figcaption class="te-figure-foot">{ranges.key(payload["ranges"], root)}{note}'
        f'<div class="te-figure-sources">{source_line(payload["sources"])}</div>'
        + ("" if heading else f'<div class="te-figure-links">{links}</div>') + "</figcaption>\n</figure>\n"
        f'<script type="module" src="{root}_static/charts.mjs"></script>\n'
    )


def vega_bundle():
    """Vega, Vega-Lite and vega-embed as one module that exports ``embed``.

    A module has a scope of its own, so the bundle's thousands of short names stay inside it.
    """
    bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE)
    if "window.vegaEmbed=" not in bundle:
        raise RuntimeError("vl_convert's bundle no longer sets window.vegaEmbed; see tokenecon_book/charts/page.py")
    return bundle + "\nexport const embed = window.vegaEmbed;\n"


def escape(text):
    """Text made safe in HTML, in element and attribute."""
    return markup.escape(str(text), quote=True)


def spoken(text):
    """Text made safe in HTML, in its own language where its letters tell it: so a screen reader reads it.

    >>> spoken("A & B"), spoken("Ціна")
    ('A &amp; B', '<span lang="uk">Ціна</span>')
    """
    language = next((name for name, letters in LETTERS.items() if letters.search(text)), None)
    return f'<span lang="{language}">{escape(text)}</span>' if language else escape(text)


def script_json(spec):
    """A spec in the page's colours as JSON that cannot end its script element."""
    text = json.dumps(spec, separators=(",", ":"), ensure_ascii=False)
    return themed(text).replace("<", "\\u003c")


def classed(svg, name):
    """An inline SVG with its class; its size follows the page, and readers hear the figure's text instead."""
    return re.sub(r"<svg\b", f'<svg class="te-static {name}" aria-hidden="true" focusable="false"', svg, count=1)


def source_line(sources):
    """Sources as links: publisher, title (day of publication); more than a few fold into a numbered list."""
    shown = []
    for source in sources:
        name = (f"{escape(source['publisher'])}, " if source["publisher"] else "") + spoken(source["title"])
        when = f" ({escape(source['published'])})" if source["published"] else ""
        link = source["url"].startswith(("https://", "http://"))
        shown.append((f'<a href="{escape(source["url"])}">{name}</a>' if link else name) + when)
    if len(shown) > FEW:
        items = "".join(f"<li>{one}</li>" for one in shown)
        return f"<details><summary>{len(shown)} sources</summary><ol>{items}</ol></details>"
    return ("Source: " if len(shown) == 1 else "Sources: ") + "; ".join(shown) + "."

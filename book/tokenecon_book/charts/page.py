"""A figure on a page of the site, and the files a reader may take away from it."""

import html as markup
import json
import re

import vl_convert

from tokenecon_book import FIGURE_TYPE
from tokenecon_book.charts import ranges
from tokenecon_book.charts.figure import VEGA_LITE, FigureError, themed

FEW = 2  # sources that are named in one line
DOWNLOADS = (("csv", "CSV"), ("png", "PNG"), ("svg", "SVG"), ("json", "Metadata"))


def html(payload, root="", citation=""):
    """The HTML of one figure.

    Parameters
    ----------
    payload : dict or str
        Content of the output of type ``application/vnd.tokenecon.figure+json``.
    root : str
        Way from the page to the top of the site: ``""`` or ``"../"``.
    citation : str
        How to cite the figure, as text; no entry "Cite" without it.
    """
    if isinstance(payload, str):
        payload = json.loads(payload)
    name = f"fig-{payload['id']}"
    subtitle = f'<p class="te-figure-subtitle">{escape(payload["subtitle"])}</p>' if payload["subtitle"] else ""
    note = f'<p class="te-figure-note">{escape(payload["note"])}</p>' if payload["note"] else ""
    links = " · ".join(
        f'<a href="{root}figures/{payload["id"]}.{end}" aria-label="{words} of figure {payload["id"]}">{words}</a>'
        for end, words in DOWNLOADS
    )
    cite = f'<details class="te-figure-cite"><summary>Cite</summary><p>{escape(citation)}</p></details>'
    cite = cite if citation else ""
    return (
        f'<figure class="te-figure" id="{name}" aria-labelledby="{name}-title">\n'
        f'<div class="te-figure-head"><p class="te-figure-title" id="{name}-title">{escape(payload["title"])}</p>'
        f"{subtitle}</div>\n"
        f'<div class="te-figure-stage" role="img" aria-label="{escape(payload["alt"])}">'
        f"{classed(payload['svg_wide'], 'te-wide')}{classed(payload['svg_narrow'], 'te-narrow')}</div>\n"
        f'<script type="application/json" class="te-figure-spec">{script_json(payload["spec"])}</script>\n'
        f'<figcaption class="te-figure-foot">{ranges.key(payload["ranges"], root)}{note}'
        f'<div class="te-figure-sources">{source_line(payload["sources"])}</div>'
        f'<div class="te-figure-links">{links}{cite}</div></figcaption>\n</figure>\n'
        f'<script type="module" src="{root}_static/charts.mjs"></script>\n'
    )


def files(bundle, metadata):
    """The downloads of one figure: ``{"csv": bytes, "svg": bytes, "png": bytes, "json": bytes}``.

    `bundle` is the whole data of the output; `metadata` is what only the site knows (version, citation,
    address, parameters, date of the data) and is put in front of what the figure knows itself.
    """
    if FIGURE_TYPE not in bundle or "image/svg+xml" not in bundle:
        raise FigureError(f"not the output of figure(): it has only {', '.join(bundle)}")
    payload = bundle[FIGURE_TYPE]
    svg = "".join(bundle["image/svg+xml"])
    about = {name: payload[name] for name in ("id", "title", "subtitle", "alt", "note", "columns", "rows", "sources")}
    return {
        "csv": payload["csv"].encode(),
        "svg": svg.encode(),
        "png": vl_convert.svg_to_png(svg, scale=2),
        "json": (json.dumps({**metadata, **about}, indent=2, ensure_ascii=False) + "\n").encode(),
    }


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
        name = escape(source["title"] if not source["publisher"] else f"{source['publisher']}, {source['title']}")
        when = f" ({escape(source['published'])})" if source["published"] else ""
        link = source["url"].startswith(("https://", "http://"))
        shown.append((f'<a href="{escape(source["url"])}">{name}</a>' if link else name) + when)
    if len(shown) > FEW:
        items = "".join(f"<li>{one}</li>" for one in shown)
        return f"<details><summary>{len(shown)} sources</summary><ol>{items}</ol></details>"
    return ("Source: " if len(shown) == 1 else "Sources: ") + "; ".join(shown) + "."

"""A page for each figure: the chart, its data, what can be taken away, how to embed and to cite it.

Written through Sphinx's own event for pages that no document stands behind, so that they have the layout of all others.
"""

import csv
import io
from html import escape
from pathlib import Path

from tokenecon import units
from tokenecon_book import FIGURE_TYPE, citations
from tokenecon_book.build import publishing
from tokenecon_book.charts import page, theme
from tokenecon_book.site import tables
from tokenecon_book.site.takeaway import citing

ROOT = "../"  # from a figure's page to the top of the site
HEADING = "figure-title"
WHOLE, FIRST = 200, 50  # a longer table shows so many rows
SHORT = 24  # letters: a longer text may break
FILES = (
    ("csv", "CSV", "{rows} rows and {columns} columns, the whole table"),
    ("json", "JSON", "columns with units, parameters, sources, case, version and addresses"),
    ("png", "PNG", "the picture with its source, date and address in the foot"),
    ("svg", "SVG", "the same picture, to scale and to edit"),
    ("vl.json", "Vega-Lite", "the chart as a specification with its data"),
)
SECTIONS = {"files": "Take away", "cite": "Cite", "embed": "Embed", "data": "Data", "parameters": "Parameters"}
WORDLESS = ("1", "text", "date")
SHARES = dict.fromkeys(("fraction", "share"), "share of 1")  # printed as the file holds it


def pages(app):
    """Name, context and template of the page of every figure."""
    for docname in sorted(app.env.found_docs):
        path = Path(app.env.doc2path(docname))
        if path.suffix != ".ipynb":
            continue
        chapter = app.env.titles[docname].astext()
        for name, one in publishing.published(path, docname).items():
            yield f"figures/{name}", context(one, docname, chapter), "page.html"


def context(one, docname, chapter):
    """What the layout needs of the page of a figure (:func:`publishing.published`)."""
    about = one["about"]
    below = "".join(f'<li><a class="reference internal" href="#{anchor}">{words}</a></li>'
                    for anchor, words in SECTIONS.items())
    toc = f'<ul><li><a class="reference internal" href="#">{escape(about["title"])}</a><ul>{below}</ul></li></ul>'
    return {"title": about["title"], "body": body(one, docname, chapter), "made_by": docname, "said": about["alt"],
            "toc": toc, "display_toc": True}


def body(one, docname, chapter):
    """The page itself."""
    about, payload = one["about"], one["bundle"][FIGURE_TYPE]
    name = about["id"]
    parts = [
        f'<h1 id="{HEADING}">{escape(about["title"])}</h1>',
        f'<p class="te-figure-back">Figure <code>{name}</code> of the page '
        f'<a href="{ROOT}{docname}.html#fig-{name}">{escape(chapter)}</a></p>',
        f'<div class="case-line"><p>{escape(about["case"])}</p></div>' if about["case"] else "",
        page.html(payload, ROOT, heading=HEADING),
        _heading("files"), files(about),
        _heading("cite"), citing.html(citations.figure(name, about["title"])),
        _heading("embed"),
        "<p>The picture with its foot, as a link to this page of this version:</p>", citing.field(embed(about)),
        _heading("data"), data_table(about, payload["csv"]),
        _heading("parameters"),
        f"<p>What the page was made with. <code>{about['rerun']} -p NAME VALUE</code> makes it anew with other values.</p>",
        parameter_table(about["parameters"]),
    ]
    return f'<section class="te-figure-page" aria-labelledby="{HEADING}">\n' + "\n".join(filter(None, parts)) + "\n</section>\n"


def _heading(anchor):
    return f'<h2 id="{anchor}">{SECTIONS[anchor]}</h2>'


def files(about):
    """Links to the files of a figure, with what each holds."""
    numbers = {"rows": f"{about['rows']:,}", "columns": len(about["columns"])}
    rows = "".join(f'<li><a href="{about["id"]}.{end}" download>{words}</a>: {holds.format(**numbers)}</li>'
                   for end, words, holds in FILES)
    return f'<ul class="te-files">{rows}</ul>'


def embed(about):
    """HTML that shows the picture of a figure on another site and leads to its page here."""
    picture = about["address"].removesuffix("html") + "png"
    return (f'<a href="{escape(about["address"])}">\n  <img src="{escape(picture)}" style="max-width: 100%"\n'
            f'       alt="{escape(about["alt"])}">\n</a>')


def data_table(about, text):
    """The rows of a figure as a table, the first of them where there are many."""
    columns = about["columns"]
    rows = list(csv.reader(io.StringIO(text)))[1:]
    shown = rows if len(rows) <= WHOLE else rows[:FIRST]
    number = [column["type"] in ("number", "integer") for column in columns]
    numeric = ' class="te-number"'
    head = "".join(f'<th scope="col"{numeric * right}>{escape(column["name"])}{_unit(column)}</th>'
                   for column, right in zip(columns, number, strict=True))
    body = "".join("<tr>" + "".join(_cell(value, right, place) for place, (value, right) in
                                    enumerate(zip(row, number, strict=True))) + "</tr>" for row in shown)
    more = (f'<p class="te-table-note">The first {FIRST} of {len(rows):,} rows; <a href="{about["id"]}.csv">the CSV file</a> '
            "has all.</p>" if len(shown) < len(rows) else "")
    return _scroll("Data of the figure", "te-rows", f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>") + more


def _unit(one):
    """The unit of a column or a parameter, in words; ids, choices and plain numbers have none."""
    unit = one.get("unit", "")
    words = SHARES.get(unit) or (theme.unit_words(unit) if unit in units.UNITS and unit not in WORDLESS else "")
    return f'<span class="te-unit">{escape(words)}</span>' if words else ""


def _cell(value, right, place):
    shown = tables.number(float(value)) if right and value else escape(value)
    name = ' class="te-number"' if right else ' class="te-short"' if len(value) <= SHORT else ""
    return f'<th scope="row"{name}>{shown}</th>' if place == 0 and shown else f"<td{name}>{shown}</td>"


def parameter_table(parameters):
    """The parameters that the page of a figure was made with."""
    body = "".join(
        f'<tr><th scope="row"><code>{escape(one["name"])}</code></th><td>{escape(_value(one["value"]))}'
        f'{_unit(one) if one["value"] is not None else ""}</td><td>{escape(one["meaning"].replace("`", ""))}</td></tr>'
        for one in parameters)
    head = "".join(f'<th scope="col">{word}</th>' for word in ("Name", "Value", "Meaning"))
    return _scroll("Parameters", "te-parameters", f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


def _value(value):
    if value is None:
        return "–"
    return tables.number(value) if isinstance(value, float) else str(value)


def _scroll(label, kind, inner):
    return (f'<div class="te-table-scroll table-scroll" tabindex="0" role="region" aria-label="{label}">'
            f'<table class="te-table {kind}">{inner}</table></div>')


def setup(app):
    app.connect("html-collect-pages", pages)

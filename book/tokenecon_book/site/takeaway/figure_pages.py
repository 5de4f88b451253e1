"""A page for each figure: the chart, its data, what can be taken away, how to embed and to cite it.

Written through Sphinx's own event for pages that no document stands behind, so that they have the layout of all others.
"""

import csv
import io
from html import escape
from pathlib import Path

from tokenecon import units
from tokenecon.numbers import SUPERSCRIPT
from tokenecon_book import FIGURE_TYPE, citations
from tokenecon_book.build import publishing
from tokenecon_book.charts import page, theme
from tokenecon_book.charts.axes import has_range, is_range_end
from tokenecon_book.charts.figure import ROWS
from tokenecon_book.charts.tables import states
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
NUMBERS = ("number", "integer")  # types of columns
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
    """The rows of a figure as a table, the first of them where there are many; the range of a number stands below it."""
    columns = {column["name"]: column for column in about["columns"]}
    rows = list(csv.DictReader(io.StringIO(text)))
    names = [name for name in columns if not is_range_end(name, columns)]
    side = {name: ' class="te-number"' if columns[name]["type"] in NUMBERS else "" for name in names}
    heads = "".join(f'<th scope="col"{side[name]}>{escape(name)}</th>' for name in names)
    units = [_words(columns[name]) for name in names]
    below = "".join(f"<td{side[name]}>{escape(unit)}</td>" for name, unit in zip(names, units, strict=True))
    unit_row = f'<tr class="te-units">{below}</tr>' if any(units) else ""
    body = "".join("<tr>" + "".join(_cell(row, name, bool(side[name]), name == names[0]) for name in names) + "</tr>\n"
                   for row in rows[:shown(len(rows))])
    more = (f'<p class="te-table-note">The first {FIRST} of {len(rows):,} rows; <a href="{about["id"]}.csv">the CSV file</a> '
            "has all.</p>" if shown(len(rows)) < len(rows) else "")
    caption = f'<caption class="te-hidden">{escape(about["title"])}</caption>'
    return _scroll("Data of the figure", "te-rows", f"{caption}<thead><tr>{heads}</tr>{unit_row}</thead>\n<tbody>{body}</tbody>",
                   f' id="{ROWS}"') + more


def shown(count):
    """How many rows of a figure its page shows."""
    return count if count <= WHOLE else FIRST


def _words(one):
    """The unit of a column or a parameter, in words; ids, choices and plain numbers have none."""
    unit = one.get("unit", "")
    return SHARES.get(unit) or (theme.unit_words(unit) if unit in units.UNITS and unit not in WORDLESS else "")


def _unit(one):
    words = _words(one)
    return f'<span class="te-unit">{escape(words)}</span>' if words else ""


def _cell(row, name, numeric, first):
    """A cell as the file holds it; a number with its range, where it has one."""
    shown = _number(row[name]) if numeric else escape(row[name])
    ends = [_number(row[end]) for end in (f"{name}_low", f"{name}_high") if has_range(row, name)]
    if any(ends) and set(ends) != {shown}:
        shown += f' <span class="te-range">{" – ".join(dict.fromkeys(ends))}</span>'
    kinds = {"te-number": numeric, "te-short": not numeric and len(row[name]) <= SHORT,
             "te-said": not numeric and not first and states(row[name])}
    kind = "".join(f" {one}" for one, so in kinds.items() if so)
    kind = f' class="{kind.strip()}"' if kind else ""
    return f'<th scope="row"{kind}>{shown}</th>' if first and shown else f"<td{kind}>{shown}</td>"


def _number(text):
    """A number of the file for a reader, thousands apart and the very small as a power of ten; an empty one stays empty."""
    digits, _, power = tables.number(float(text)).partition("e") if text else ("", "", "")
    digits = digits.replace("-", "−")
    return digits + (f" × 10{''.join(SUPERSCRIPT[mark] for mark in str(int(power)))}" if power else "")


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
    if isinstance(value, list):
        return ", ".join(value)
    return tables.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _scroll(label, kind, inner, anchor=""):
    return (f'<div class="te-table-scroll table-scroll"{anchor} tabindex="0" role="region" aria-label="{label}">'
            f'<table class="te-table {kind}">{inner}</table></div>')


def setup(app):
    app.connect("html-collect-pages", pages)

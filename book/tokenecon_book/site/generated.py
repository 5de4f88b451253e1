"""Pages and parts of pages that are made from docstrings and tables while the book is built.

Whole pages (one a formula module, one a table) are written beside the staged prose before Sphinx
looks for documents.  Parts are put into prose by the directive ``generated``:

    ```{generated} sources
    ```
"""

import inspect
import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from tokenecon import data, units
from tokenecon_book import citations
from tokenecon_book.charts.page import spoken
from tokenecon_book.charts.ranges import KINDS, MARKS, picture
from tokenecon_book.site import accelerators, calculator, numbers, numbers_page, parts, reference, tables
from tokenecon_book.site.assets import write_if_changed
from tokenecon_book.site.rows import pages
from tokenecon_book.site.takeaway import citing, feeds


def write_pages(app, config):
    """Write the generated pages into the staged source, and take away those whose origin is gone."""
    source = Path(app.srcdir)
    made = {**reference.pages(), **pages.written()}
    for path, text in made.items():
        write_if_changed(source / path, text)
    for folder in ("formulas", "data"):
        for path in [*(source / folder).glob("*.md"), *(source / folder).glob("*.rst")]:
            if path.name != "index.md" and path.relative_to(source).as_posix() not in made:
                path.unlink()


def _raw(html):
    return [nodes.raw("", html, format="html")]


def _table(label, headings, rows):
    """A small table; ``rows`` hold (anchor, cells), the first cell being the row's header."""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    body = ""
    for anchor, (first, *rest) in rows:
        mark = f' id="{escape(anchor, quote=True)}"' if anchor else ""
        cells = "".join(
            f'<td data-label="{heading}">{text}</td>'
            for heading, text in zip(headings[1:], rest, strict=True)
        )
        body += f'<tr{mark}><th scope="row">{first}</th>{cells}</tr>'
    return (
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{label}"><table class="book-table data-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def sources(_):
    """Every source with its publisher, dates, licence and how often the tables cite it."""
    cited = {}
    for resource in data.package()["resources"]:
        frame = data.table(resource["name"])
        if "source" in frame:
            for source, count in frame["source"].value_counts().items():
                cited.setdefault(source, []).append((resource["name"], int(count)))
    rows = []
    for row in data.table("sources").to_dict("records"):
        title = spoken(row["title"])
        if row["url"].startswith("http"):
            title = f'<a href="{escape(row["url"], quote=True)}" rel="noopener">{title}</a>'
        anchor = escape(row["id"], quote=True)
        name = f'{title}<span class="remark"><a class="row-link" href="#{anchor}">{anchor}</a></span>'
        dates = "".join(
            f'<span class="remark">{word} <span class="date">{row[column]}</span></span>'
            for word, column in (("published", "published"), ("read", "accessed"))
            if row[column]
        )
        used = ", ".join(
            f'{count} in <a href="{parts.page(table)}">{table}</a>' for table, count in cited.get(row["id"], [])
        )
        publisher = escape(row["publisher"]) + (
            f'<span class="remark">{escape(row["note"])}</span>' if row["note"] else ""
        )
        rows.append((row["id"], (name, publisher, dates, escape(row["licence"]), used or "–")))
    script = '<script type="module" src="_static/tables.mjs"></script>'
    return _raw(
        script + _table("Sources", ("Source", "Publisher", "Dates", "Licence", "Rows that cite it"), rows)
    )


def corrections(_):
    """What was wrong in an earlier edition, and what it is now."""
    frame = data.table("corrections")
    if frame.empty:
        return [
            nodes.paragraph("", "No correction so far: no figure of an earlier edition has been found wrong.")
        ]
    rows = []
    for row in frame.sort_values("date", ascending=False).to_dict("records"):
        place = f'<a href="{escape(parts.address(row["table"], row["row"]))}">{tables.breakable(row["row"])}</a>'
        rows.append(
            (
                row["id"],
                (
                    escape(row["date"]),
                    f"{place}, {escape(row['field'])}",
                    escape(row["old"]),
                    escape(row["new"]),
                    escape(row["reason"]),
                ),
            )
        )
    return _raw(_table("Corrections", ("Date", "Fact", "Was", "Is", "Reason"), rows))


def dictionary(_):
    """The tables, what each holds, and where it can be read."""
    rows = []
    for resource in data.package()["resources"]:
        name = resource["name"]
        link = f'<a href="../{parts.page(name)}">{name}</a>'
        rows.append(
            (
                None,
                (
                    link,
                    escape(resource.get("description") or resource.get("title", "")),
                    str(len(data.table(name))),
                    f'<a href="{name}.csv">{name}.csv</a>',
                ),
            )
        )
    return _raw(_table("Tables", ("Table", "What it holds", "Rows", "File"), rows))


def basis(_):
    """What the word in the column `basis` means."""
    rows = [
        (None, (f'<span class="basis basis-{name}">{name}</span>', text))
        for name, text in tables.BASIS.items()
    ]
    return _raw(_table("Basis of a number", ("Basis", "Meaning"), rows))


def ranges(_):
    """The kinds of ranges: what each says, its mark in rows and over curves."""
    rows = []
    for kind, known in KINDS.items():
        if known.area:
            marks = f'<span class="range-mark">{picture(kind)} {known.bar}</span>'
            marks += f'<span class="range-mark">{picture(kind, "area")} {known.area}</span>'
            rows.append((f"range-{kind}", (known.name, known.says, marks)))
    known = [(f"mark-{one}", (mark.name, f'<span class="range-mark">{picture(one, "mark")} {mark.looks}</span>'))
             for one, mark in MARKS.items()]
    return _raw(_table("Kinds of ranges", ("Kind", "What it says", "How it is drawn"), rows)
                + _table("How a value is known", ("The value is", "Its mark"), known))


def _said(directive):
    """What the pages of the book say, and the short title of each; a notebook that was not run is an error."""
    folder = Path(directive.env.srcdir)
    if missing := numbers.not_run(folder):
        raise directive.error(f"the numbers of the book cannot be listed: {missing[0]} was not run")
    for path in folder.rglob("*.ipynb"):
        directive.env.note_dependency(str(path))
    return numbers.texts(folder), numbers_page.titles()


def often(directive):
    """The numbers that a reader meets on several pages."""
    return _raw(_table("Numbers on several pages", *numbers_page.often(*_said(directive))))


def every_number(directive):
    """Every named quantity with its values."""
    return _raw(numbers_page.every(*_said(directive)))


def unit_list(_):
    """The closed list of units, and what each is in base units."""
    rows = []
    for unit in units.UNITS:
        if unit in ("text", "date"):
            continue
        powers = units.dimensions(unit)
        base = " · ".join(
            name if power == 1 else f"{name}<sup>{power}</sup>" for name, power in powers.items()
        )
        rows.append((None, (f"<code>{unit}</code>", tables.number(units.factor(unit)), base or "number")))
    return _raw(_table("Units", ("Unit", "Size in base units", "Dimension"), rows))


def formulas(directive):
    """Every formula by module."""
    out = []
    for title, page, lead, functions in reference.contents():
        rows = [
            (
                None,
                (
                    f'<a href="{page}#{name}"><code>{name}</code></a>',
                    inline_code(sentence.replace("``", "`")),
                ),
            )
            for name, sentence in functions
        ]
        table = _table(f"Formulas: {title}", ("Formula", "What it gives"), rows)
        out.append(
            f"## [{title}]({page.removesuffix('.html')}.rst)\n\n{lead}\n\n```{{raw}} html\n{table}\n```\n"
        )
    return directive.parse_text_to_nodes("\n".join(out), allow_section_headings=True)


def attribution(_):
    """Publishers and licences of the sources, for whoever takes rows away."""
    frame = data.table("sources")
    rows = []
    for licence, group in sorted(frame.groupby("licence"), key=lambda item: -len(item[1])):
        names = ", ".join(sorted({escape(name) for name in group["publisher"] if name}))
        rows.append((None, (escape(licence) or "not stated", str(len(group)), names)))
    return _raw(_table("Licences of the sources", ("Licence", "Sources", "Publishers"), rows))


def commands(_):
    """What the command line prints about itself, so that the page cannot drift from the program."""
    from typer.testing import CliRunner

    from tokenecon import cli

    width = {"COLUMNS": "88", "TERMINAL_WIDTH": "88", "NO_COLOR": "1", "TERM": "dumb"}
    shown = CliRunner(env=width).invoke(cli.application(), ["run", "--help"], prog_name="tokenecon")
    text = "\n".join(line.rstrip() for line in shown.output.strip("\n").splitlines())
    if shown.exit_code or not text:
        raise ValueError(f"`tokenecon run --help` failed: {shown.output or shown.exception}")
    return [nodes.literal_block(text, text, language="text")]


def parameters(_):
    """The parameters of every notebook, with what each allows."""
    from tokenecon_book.build import catalogue

    out = []
    for notebook in catalogue.all_notebooks():
        name = notebook["notebook"]
        rows = [
            (numbers.parameter_mark(name, row["name"]),
             (f"<code>{row['name']}</code>", escape(row["meaning"]), origin(row),
              f"<code>{escape(row['unit'].partition('(')[0])}</code>", inline_code(row["allowed"])))
            for row in catalogue.all_parameters(name)
        ]  # fmt: skip
        headings = ("Parameter", "Meaning", "Default", "Unit", "Allowed")
        out.append(
            f'<h3 id="parameters-{name.replace("/", "-")}"><a href="{name}.html">{escape(notebook["question"])}</a></h3>'
        )
        out.append(
            f"<p><code>tokenecon run {name}</code></p>" + _table(f"Parameters of {name}", headings, rows)
        )
    return _raw("\n".join(out))


def origin(row):
    """The default of a parameter, and the row of data/ that it is taken from."""
    default = f"<code>{escape(str(row['default']))}</code>"
    return default + (f'<span class="remark">{escape(row["from"])}</span>' if row["from"] else "")


def inline_code(text):
    """Plain text with `code` in backticks, as HTML.

    >>> inline_code("see `a < b`")
    'see <code>a &lt; b</code>'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def citation(_):
    """How to cite the book: as text, BibTeX and CSL-JSON."""
    return _raw(citing.html(citations.book()))


def feed(_):
    """The files of the feed, with their columns."""
    out = []
    for name, columns, says in feeds.FEEDS:
        rows = [(None, (f"<code>{column}</code>", escape(words))) for column, words in columns.items()]
        links = ", ".join(f'<a href="feed/{name}.{kind}">{citations.newest(f"feed/{name}.{kind}")}</a>'
                          for kind in ("csv", "json"))
        out.append(f"<p>{links}: {escape(says)}</p>" + _table(f"Columns of {name}", ("Column", "What it is"), rows))
    return _raw("\n".join(out))


def accelerator_list(directive):
    """Every accelerator with its prices and its data sheet."""
    return directive.parse_text_to_nodes(accelerators.part(), allow_section_headings=True)


PARTS = {
    "accelerators": accelerator_list,
    "sources": sources, "corrections": corrections, "dictionary": dictionary, "basis": basis, "ranges": ranges,
    "units": unit_list, "formulas": formulas, "attribution": attribution, "commands": commands, "parameters": parameters,
    "citation": citation, "often": often, "numbers": every_number,
    "feed": feed,
    "calculator": lambda directive: _raw(calculator.of_page(directive)),
    "calculator-panel": lambda directive: _raw(calculator.of_front(directive)),
}  # fmt: skip


class Generated(SphinxDirective):
    """``{generated} name``: one of the parts above, in its place in the prose."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        if name not in PARTS:
            raise self.error(f"generated part '{name}' is not known; use one of {', '.join(PARTS)}")
        for path in [*data.ROOT.glob("*"), *Path(inspect.getfile(units)).parent.rglob("*.py")]:
            if path.is_file():
                self.env.note_dependency(str(path))
        return PARTS[name](self)


def setup(app):
    # Before the contents file is read (priority 500), which looks at the documents that exist.
    app.connect("config-inited", write_pages, priority=100)
    app.add_directive("generated", Generated)

"""What the cards of the numbers of ``data/`` say beyond their rows: columns, bases, sources, pages that use a row, citation.

Value, range, dates and the rest stand in the row; ``_static/rows.mjs`` puts both together when a card is asked for.
"""

import json
import re
from pathlib import Path

from tokenecon import __version__, data, units
from tokenecon_book import citations
from tokenecon_book.build import catalogue
from tokenecon_book.site import numbers, numbers_page, parts, tables
from tokenecon_book.site.assets import write_if_changed
from tokenecon_book.site.pedigree import cards
from tokenecon_book.site.rows import pages

EMPTY = re.compile("the number(;|$)")  # a meaning that says nothing to who sees the number


def write(app, exception):
    """Write what the cards of each page of rows need."""
    if exception is not None or app.builder.name != "html":
        return
    known = used(Path(app.srcdir))
    for name in tables.titles():
        for part in parts.leaves(parts.of(name)):
            text = json.dumps(of_page(name, part, known), ensure_ascii=False, separators=(",", ":"))
            write_if_changed(Path(app.outdir) / pages.FOLDER / f"{part.page}.json", text + "\n")


def of_page(name, part, known):
    """What the cards of one page need; ``known`` is what :func:`used` found."""
    address = f"{part.page}.html"
    return {
        "columns": columns(name), "range": range_words(name),
        "basis": tables.BASIS, "usual": "" if "basis" in part.rows else "derived",  # of rows that do not say theirs
        "sources": {one: cards.source(one) for one in part.rows["source"].unique()} if "source" in part.rows else {},
        "used": {row: known[name, row] for row in part.rows["id"] if (name, row) in known},
        "date": citations.data_date(), "address": citations.address(part.page), "page": address,
        "cite": [f"row of {name}.csv in: {citations.TITLE}, version {__version__}, data of {citations.data_date()}, "
                 f"{citations.versioned(address)}", f". {citations.LICENCE}."],
    }


def columns(name):
    """Of each column of a table, by its heading, what it holds and the unit that its name says."""
    found = {}
    for field in data.schema(name):
        unit, says = units.of_name(field["name"]), field.get("description", "")
        found[tables.heading(field["name"]).lower()] = {
            "unit": tables.unit_words(unit) if unit else "",
            "says": "" if EMPTY.match(says) else _sentence(says.replace(f", {unit}", "") if unit else says)}
    return found


def range_words(name):
    """Of which kind the ranges of a table are, by what it says of their lower ends.

    >>> range_words("assumptions"), range_words("traffic")
    ('plausible range', '')
    """
    says = next((field["description"] for field in data.schema(name) if field["name"] == "low"), "")
    return re.sub(r"^low(er)? end (of )?((the|a) )?", "", says)


def _sentence(text):
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def used(folder):
    """Pair of table and row to the pages that take or print the row, as links, of the executed notebooks of a folder.

    A page uses a row that it prints by its id, that is the default of one of its parameters, or that stands behind one of its
    tables; of tables with many rows behind them a notebook keeps the number alone.
    """
    titles, found = numbers_page.titles(), {}

    def use(table, row, page):
        found.setdefault((table, row), {})[page] = [titles[page], f"{page}.html"]

    own = data.ids("quantities")
    for text in numbers.texts(folder):
        for one in text["quantities"]:
            if one["name"] not in own and not one["name"].startswith(numbers.OWN):
                use(data.show(one["name"])["table"], one["name"], text["page"])
    for page in titles:
        for row in catalogue.all_parameters(page):
            for table in ("assumptions", "traces"):
                if row["from"] in data.ids(table):
                    use(table, row["from"], page)
        for table, _, ids in behind(folder / f"{page}.ipynb"):
            for row in ids:
                use(table, row, page)
    return {key: list(one.values()) for key, one in found.items()}


def behind(path):
    """What stands behind the tables of an executed notebook: table of ``data/``, number of rows, ids of the rows where few."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [one for cell in cells for output in cell.get("outputs", ())
            for one in output.get("metadata", {}).get("pedigree", {}).get("behind", ())]


def setup(app):
    app.connect("build-finished", write)

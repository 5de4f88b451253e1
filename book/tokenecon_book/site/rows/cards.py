"""What the cards of the numbers of ``data/`` say beyond their rows: columns, bases, sources, pages that use a row, citation.

Value, range, dates and the rest stand in the row; ``_static/rows.mjs`` puts both together when a card is asked for.
"""

import json
import re
from pathlib import Path

from tokenecon import __version__, data, units
from tokenecon_book import citations
from tokenecon_book.build import freshness
from tokenecon_book.site import numbers_page, parts, tables
from tokenecon_book.site.assets import write_if_changed
from tokenecon_book.site.pedigree import cards
from tokenecon_book.site.rows import pages

EMPTY = re.compile("the number(;|$)")  # a meaning that says nothing to who sees the number


def write(app, exception):
    """Write what the cards of each page of rows need."""
    if exception is not None or app.builder.name != "html":
        return
    known = used(Path(app.srcdir).parent / "run")  # the site is staged beside it
    for name in tables.titles():
        for part in parts.leaves(parts.of(name)):
            text = json.dumps(of_page(name, part, known), ensure_ascii=False, separators=(",", ":"))
            write_if_changed(Path(app.outdir) / pages.FOLDER / f"{part.page}.json", text + "\n")


def of_page(name, part, known):
    """What the cards of one page need; ``known`` is what :func:`used` found."""
    address = f"{part.page}.html"
    using = [known.get((name, row), []) for row in part.rows["id"]]
    pages_used = [list(one) for one in dict.fromkeys(tuple(link) for links in using for link in links)]
    return {
        "columns": columns(name), "range": range_words(name),
        "basis": tables.BASIS, "usual": "" if "basis" in part.rows else "derived",  # of rows that do not say theirs
        "sources": {one: cards.source(one) for one in part.rows["source"].unique()} if "source" in part.rows else {},
        "pages": pages_used, "used": [[pages_used.index(link) for link in links] for links in using],  # by row: places in pages
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


def used(runs):
    """Pair of table and row to the pages whose results asked for the row, by the records of the runs of notebooks in a folder."""
    found, titles = {}, numbers_page.titles()
    for path in sorted(runs.rglob("record.json")):
        page = path.parent.relative_to(runs).as_posix()
        for row in data.behind(freshness.asked(json.loads(path.read_text(encoding="utf-8")))):
            found.setdefault(row, []).append([titles[page], f"{page}.html"])
    return found


def setup(app):
    app.connect("build-finished", write)

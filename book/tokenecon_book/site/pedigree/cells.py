"""What the cards of a table's numbers say beyond the table itself: kind of range, basis, error, rows behind, sources, address.

Value, unit, range and the rest of the row stand in the table; ``_static/cells.mjs`` puts both together when one is asked for.
"""

import json
import shutil
from pathlib import Path

from tokenecon import __version__, data
from tokenecon_book import citations
from tokenecon_book.charts.ranges import KINDS
from tokenecon_book.site import numbers_page, parts, tables
from tokenecon_book.site.pedigree import cards

FOLDER = "cells"  # of the site, one file a page
# kind of range -> how the number is known; a number without one is worked out on the page
BASIS = {"interval": cards.BASIS["model"], "draws": cards.BASIS["draws"], "printed": ("quoted", "as a source prints it")}
PRICES = ("USD/GPU/h", "USD/GPU")
MADE = "sources-and-rerun"  # the mark of the last section, which shows the code (site/foot.py)
DERIVED = ("derived", "worked out on this page from the rows and sources below")


def write(app, exception):
    """Write what the cards of each page's tables need."""
    if exception is not None or app.builder.name != "html":
        return
    out, source = Path(app.outdir) / FOLDER, Path(app.srcdir)
    shutil.rmtree(out, ignore_errors=True)
    for path in sorted(source.rglob("*.ipynb")):
        page = path.relative_to(source).with_suffix("").as_posix()
        if found := of_page(path, page):
            file = out / f"{page}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def of_page(path, page):
    """Mark of a table to what its cards need, of an executed notebook file."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = [output["metadata"]["pedigree"] for cell in cells for output in cell.get("outputs", ())
             if "pedigree" in output.get("metadata", {})]
    if twice := {one["id"] for one in found if [two["id"] for two in found].count(one["id"]) > 1}:
        raise ValueError(f"two tables of {page} have the address {', '.join(sorted(twice))}; give one another caption")
    return {one["id"]: of_table(one, page) for one in found}


def of_table(one, page):
    """What the cards of one table need; parts of a card are texts, or pairs of a text and a target from the top of the site."""
    mark = f"#{one['id']}"
    return {
        "columns": [column(known["unit"], known["range"]) | {"quantity": quantity(known, one["ranges"])}
                    for known in one["columns"]],
        "rows": rows(one),
        "Facts": behind(one["behind"]),
        "Sources": [part for source, places, count in one["sources"] for part in sources(source, places, count)],
        "Table": [[citations.address(page, mark), f"{page}.html{mark}"],
                  ["the code of this page", f"{page}.html#{MADE}"]],
        "cite": f"“{one['caption']}”, in: {citations.TITLE}, version {__version__}, data of {citations.data_date()}, "
                f"{citations.versioned(f'{page}.html{mark}')}. {citations.LICENCE}.",
    }


def column(unit, kind):
    """Basis and range of numbers in a unit whose range is of some kind, or that have none."""
    basis = BASIS.get(kind) or (cards.BASIS["price"] if kind == "offers" and unit in PRICES else DERIVED)
    return {"basis": basis[0], "says": basis[1], "range": f"{KINDS[kind].name}, {KINDS[kind].says}" if kind else ""}


def quantity(known, ranges):
    """The quantity of the serving model whose error a column has, where the model gives its range; else nothing."""
    modelled = known["unit"] and "interval" in (known["range"], *ranges)
    return cards.ERROR_OF.get(known["unit"], "rate") if modelled else ""


def rows(one):
    """Of each row of a table the errors of the model where it gives ranges, what the row is of, and its kind of range if its own.

    A table whose rows do not differ in these has one.
    """
    quantities = sorted({name for known in one["columns"] if (name := quantity(known, one["ranges"]))})
    count = max(len(one["ranges"]), *map(len, one["of"].values()), 1)
    found = []
    for place in range(count):
        row = {name: ids[place] for name, ids in one["of"].items()}
        kind = one["ranges"][place] if one["ranges"] else ""
        errors = {name: error(name, **row) for name in quantities} if kind in ("", "interval") else {}
        found.append({"Error": errors, "Made of": made_of(row, one["behind"])} | ({"column": column("", kind)} if kind else {}))
    return found


def error(quantity, gpu="", model=""):
    """How far the model missed what it had not seen: of the maker and kind of model of a row, else of all."""
    if gpu in data.ids("gpus") and model in data.ids("models"):
        return cards.error_of(quantity, gpu, model)
    return [cards.said_of_model(quantity), cards.MEASURED]


def made_of(row, tables_behind):
    """The accelerator and the model of a row, each with its facts, and the accelerator's prices where they were asked for."""
    found = cards.made_of(row)
    if any(name == "prices" for name, *_ in tables_behind) and row.get("gpu") in set(data.table("prices")["gpu"]):
        place = parts.address("prices", parts.group_mark("prices", row["gpu"]))
        found.append([f"prices of {numbers_page.names()[row['gpu']]}", place])
    return found


def behind(asked):
    """The rows of ``data/`` that a table is made of: single ones where they are few, else how many of which table."""
    titles = tables.titles() | {"claims": "Claims"}
    found = []
    for name, count, ids in asked:
        if name in titles:
            found += [[one, parts.address(name, one)] for one in ids] or [[f"{count:,} rows of {name}", parts.page(name)]]
    return found


def sources(source, places, count):
    """A source with the places in it that the rows name; places that are addresses are links."""
    words = [place for place in places if not place.startswith("https://")]
    more = f" and {count - len(places)} more places" if count > len(places) else ""
    yield cards.source(source, "; ".join(words) + (more if words else ""))


def setup(app):
    app.add_js_file("cells.mjs", type="module")
    app.connect("build-finished", write)

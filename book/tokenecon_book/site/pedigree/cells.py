"""What the cards of a table's numbers say beyond the table itself: kind of range, basis, error, rows behind, sources, address.

Value, unit, range and the rest of the row stand in the table; ``_static/cells.mjs`` puts both together when one is asked for.
"""

import json
import shutil
from pathlib import Path

from tokenecon import __version__, data
from tokenecon.queries import kept
from tokenecon_book import FIGURE_TYPE, citations
from tokenecon_book.build import publishing
from tokenecon_book.charts.glue import CLAIMED
from tokenecon_book.charts.ranges import KINDS
from tokenecon_book.site import numbers_page, parts, tables
from tokenecon_book.site.pedigree import cards, worked_out
from tokenecon_book.site.takeaway import figure_pages

FOLDER = "cells"  # of the site, one file a page of tables
# kind of range -> how the number is known; a number without one is worked out on the page
BASIS = {"interval": cards.BASIS["model"], "draws": cards.BASIS["draws"], "printed": ("quoted", "as a source prints it")}
PRICES = ("USD/GPU/h", "USD/GPU")
MADE = "sources-and-rerun"  # the mark of the last section, which shows the code (site/foot.py)
DERIVED = ("derived", "worked out on this page from the rows and sources below")
STATED = ("derived", "stated or worked out on this page, from the rows and sources below")  # a number in a text


def write(app, exception):
    """Write what the cards of the tables of each page need, and of each page of a figure."""
    if exception is not None or app.builder.name != "html":
        return
    out, source = Path(app.outdir) / FOLDER, Path(app.srcdir)
    shutil.rmtree(out, ignore_errors=True)
    for path in sorted(source.rglob("*.ipynb")):
        page = path.relative_to(source).with_suffix("").as_posix()
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for name, found in {page: of_page(notebook, page), **of_figures(notebook, page)}.items():
            if found:
                file = out / f"{name}.json"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def of_figures(notebook, page):
    """Page of a figure to what the cards of its rows need, of the figures of an executed notebook."""
    found = {}
    for name, bundle in publishing.figures(notebook).items():
        figure, address = bundle[FIGURE_TYPE], citations.figure_page(name)
        one = figure["pedigree"]
        count = figure_pages.shown(figure["rows"])
        one |= {"of": {field: ids[:count] for field, ids in one["of"].items()}, "columns": [
            known | {"range": known["range"] if isinstance(known["range"], str) else known["range"][:count]}
            for known in one["columns"]]}
        more = {"Note": [figure["note"]] if figure["note"] else [], "cite": citations.figure(name, figure["title"])["text"]}
        found[address.removesuffix(".html")] = {one["id"]: of_table(one, address, page) | more}
    return found


def of_page(notebook, page):
    """Mark of a table to what its cards need, of an executed notebook."""
    found = [output["metadata"]["pedigree"] for cell in notebook["cells"] for output in cell.get("outputs", ())
             if "pedigree" in output.get("metadata", {})]
    if twice := {one["id"] for one in found if [two["id"] for two in found].count(one["id"]) > 1}:
        raise ValueError(f"two tables of {page} have the address {', '.join(sorted(twice))}; give one another caption")
    return {one["id"]: of_table(one, f"{page}.html", page) for one in found}


def of_table(one, address, page):
    """What the cards of one table need, at an address of the site, of the page of a notebook.

    Parts of a card are texts, or pairs of a text and a target from the top of the site.
    """
    mark = f"#{one['id']}"
    kinds = {kind for known in one["columns"] if not isinstance(known["range"], str) for kind in known["range"] if kind}
    return {
        "columns": [of_column(known, one["makers"], {name for name, *_ in one["behind"]}) for known in one["columns"]],
        "kinds": {kind: of_row(kind) for kind in sorted(kinds)},
        "rows": rows(one),
        "Facts": behind(one["behind"]),
        "Sources": [part for source, places, count in one["sources"] for part in sources(source, places, count)],
        "Table": [[citations.address(address.removesuffix(".html"), mark), f"{address}{mark}"],
                  ["the code of this page", f"{page}.html#{MADE}"]],
        "cite": f"“{one['caption']}”, in: {citations.TITLE}, version {__version__}, data of {citations.data_date()}, "
                f"{citations.versioned(f'{address}{mark}')}. {citations.LICENCE}.",
    }


def of_column(known, makers, behind):
    """What the cards of a column of a table need: how its numbers are known, and the formulas unless they are quoted.

    A price of an hour or of a GPU that stands on rows of prices and is worked out with no formula is a quoted one.
    """
    kind = known["range"] if isinstance(known["range"], str) else ""
    found = column(known["unit"], kind, known["text"]) | {"quantity": quantity(known)}
    names = worked_out.formulas(makers, known["unit"]) if found["basis"] != "quoted" else []
    if not names and known["unit"] in PRICES and "prices" in behind and (found["basis"], found["says"]) == DERIVED:
        found["basis"], found["says"] = cards.BASIS["price"]
    return found | {"Formulas": [formula(name) for name in names]}


def formula(name):
    """A formula by its first sentence and its name, a link to its page."""
    sentence, (name, target) = cards.formula(name)
    return [f"{name}: {sentence}", target]


def column(unit, kind, text=False):
    """Basis and range of numbers in a unit whose range is of some kind, or that have none, and whether the model gives it."""
    basis = BASIS.get(kind) or (cards.BASIS["price"] if kind == "offers" and unit in PRICES else
                              STATED if text else DERIVED)
    return {"basis": basis[0], "says": basis[1], "range": f"{KINDS[kind].name}, {KINDS[kind].says}" if kind else "",
            "modelled": kind == "interval"}


def of_row(kind):
    """The same of the numbers of a row, whose kind of range is its own, or which the documents claim."""
    found = column("", kind.removeprefix(CLAIMED))
    return found | {"basis": "claimed", "says": tables.BASIS["claimed"]} if kind.startswith(CLAIMED) else found


def quantity(known):
    """The quantity of the serving model whose error a column may have, where the model gives ranges; else nothing."""
    kinds = [known["range"]] if isinstance(known["range"], str) else known["range"]
    return cards.ERROR_OF.get(known["unit"], "rate") if known["unit"] and "interval" in kinds else ""


def rows(one):
    """Of each row of a table the errors of the model where it gives ranges, what the row is of, and kinds of ranges of its own.

    A table whose rows do not differ in these has one.
    """
    quantities = sorted({name for known in one["columns"] if (name := quantity(known))})
    own = {place: known["range"] for place, known in enumerate(one["columns"]) if not isinstance(known["range"], str)}
    count = max((1, *map(len, (*one["of"].values(), *own.values()))))
    found = []
    for place in range(count):
        row = {name: ids[place] for name, ids in one["of"].items()}
        found.append({"Error": {name: error(name, **row) for name in quantities}, "Made of": made_of(row, one["behind"])}
                     | ({"kinds": {at: kinds[place] for at, kinds in own.items() if kinds[place]}} if own else {}))
    return found


def error(quantity, gpu="", model=""):
    """How far the model missed what it had not seen: of the maker and kind of model of a row, else of all."""
    if gpu in data.ids("gpus") and model in data.ids("models"):
        return cards.error_of(quantity, gpu, model)
    return [cards.said_of_model(quantity), cards.MEASURED]


def made_of(row, tables_behind):
    """The accelerator and the model of a row, each with its facts, and the accelerator's prices where they were asked for."""
    found = cards.made_of(row)
    if any(name == "prices" for name, *_ in tables_behind) and row.get("gpu") in priced():
        place = parts.address("prices", parts.group_mark("prices", row["gpu"]))
        found.append([f"prices of {numbers_page.names()[row['gpu']]}", place])
    return found


@kept
def priced():
    """The accelerators that somebody asks a price for."""
    return set(data.table("prices")["gpu"])


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

"""Every number that a built page prints in a sentence, under its name: one name and one case have one value in the whole book."""

import hashlib
import json
import re
from pathlib import Path

from tokenecon import data
from tokenecon.queries import kept
from tokenecon_book import FIGURE_TYPE
from tokenecon_book.site import parts

NUMBER = re.compile(r"(?<![\w.])\$?\d[\d,]*(?:\.\d+)?(?:[%×]| %| times)?")
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
OWN = "parameter."  # begins the name of a parameter of the page


def texts(folder):
    """What the executed notebooks of a folder say: one dict a text, with page, key, text and its named quantities."""
    found = []
    for path in sorted(Path(folder).rglob("*.ipynb")):
        found += of_page(path, path.relative_to(folder).with_suffix("").as_posix())
    return found


def of_page(path, page):
    """The same of one executed notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{"page": page} | one for cell in cells for output in cell.get("outputs", []) for one in _said(output)]


def _said(output):
    noted = output.get("metadata", {})
    if name := noted.get("scrapbook", {}).get("name"):
        text = "".join(output["data"]["application/papermill.record/text/plain"])
        yield {"key": name, "text": text[1:-1].replace("\\'", "'"), "quantities": noted.get("quantities", []), "sources": []}
    if payload := output.get("data", {}).get(FIGURE_TYPE):
        payload = json.loads("".join(payload)) if isinstance(payload, list | str) else payload
        yield {"key": f"figure {payload['id']}", "text": f"{payload['title']} {payload['subtitle']}".strip(),
               "title": payload["title"], "quantities": payload["quantities"],
               "sources": [source["id"] for source in payload["sources"]]}


def quantities(said):
    """One dict a named quantity of some :func:`texts`: name, case, text, value, page, key."""
    return [one | {"page": text["page"], "key": text["key"], "case": of(one, text["page"])}
            for text in said for one in text["quantities"]]


def of(quantity, page):
    """The case of a quantity as a text; a parameter is of its page."""
    if quantity["name"].startswith(OWN):
        return page
    return ", ".join(f"{name} {value}" for name, value in sorted(quantity["case"].items()))


def fragment(name, case):
    """The mark of a value on the page of the numbers: its name, and a short hash of its case as :func:`of` says it."""
    return f"{name}--{hashlib.sha256(case.encode()).hexdigest()[:8]}" if case else name


def address(quantity, page):
    """Where a named quantity of a page has its entry, from the top of the site: its value, its row of data/, its parameter."""
    name = quantity["name"]
    if name.startswith(OWN):
        return f"rerun.html#{parameter_mark(page, name.removeprefix(OWN))}"
    if name in data.ids("quantities"):
        return f"numbers.html#{fragment(name, of(quantity, page))}"
    return parts.address(data.show(name)["table"], name)


def parameter_mark(page, name):
    """The mark of a parameter on the page about rerunning."""
    return f"parameter-{page.replace('/', '-')}-{name}"


def unnamed(said):
    """Numbers of one text that have no name: those that remain without its quantities, dates and the names of things."""
    rest = DATE.sub(" ", said["text"])
    for name in (*sorted((one["text"] for one in said["quantities"]), key=len, reverse=True), *names()):
        rest = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\d]|[.,]\d)", " ", rest)
    return NUMBER.findall(rest)


@kept
def names():
    """Names of models, accelerators and number formats, the longest first."""
    gpus = [str(name) for name in data.gpus()["name"]]
    names = {*data.table("models")["name"], *gpus, *data.table("precisions")["name"], *data.ids("models"), *data.ids("gpus")}
    return sorted(names, key=len, reverse=True)


def listed(said):
    """The named quantities of ``data/quantities.csv`` with what pages print of them, in the order of the table.

    One dict a quantity: its row, and ``values``: one dict for each case, with the case as a dict, the text that shows most of
    the number, the pages in their order, and its mark on the page of the numbers.
    """
    places = {}
    for text in said:
        for one in text["quantities"]:
            found = places.setdefault((one["name"], of(one, text["page"])), {"case": one["case"], "texts": [], "pages": []})
            found["texts"].append(one["text"])
            found["pages"].append(text["page"])
    values = {}
    for (name, case), one in places.items():
        shown = max(one["texts"], key=len)
        values.setdefault(name, []).append({"case": one["case"], "text": shown, "pages": list(dict.fromkeys(one["pages"])),
                                            "mark": fragment(name, case)})
    return [row | {"values": values.get(row["id"], [])} for row in data.table("quantities").to_dict("records")]


def not_run(folder):
    """Notebooks of a folder of which no cell was executed."""
    return [path.relative_to(folder).as_posix() for path in sorted(Path(folder).rglob("*.ipynb"))
            if not any(cell.get("execution_count") for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])]

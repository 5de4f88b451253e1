"""The feed: today's prices and the named results of all pages as CSV and JSON, at addresses that stay.

One row is one number with its unit and its day; the first column is an id that stays from version to version.
"""

import csv
import datetime
import io
import json
from pathlib import Path

from tokenecon import __version__, data
from tokenecon.prices import price_book
from tokenecon_book import citations
from tokenecon_book.build import parameters
from tokenecon_book.site import numbers, parts
from tokenecon_book.site.assets import write_if_changed

ENDS = dict.fromkeys(("low", "min", "least", "lowest"), "low") | dict.fromkeys(("high", "max", "most", "highest"), "high")
TOKENS = {"usd_per_mtok_in": ("input tokens", "USD/Mtok_in"), "usd_per_mtok_out": ("output tokens", "USD/Mtok_out"),
          "usd_per_mtok_cached": ("cached tokens", "USD/Mtok_cached")}
PRICES = {
    "id": "row of the table, and for tokens the kind after a colon", "table": "table of data/ that has the row",
    "item": "id of the accelerator or the model", "what": "what is paid for", "seller": "who asks it", "usd": "the price",
    "unit": "what one pays that for", "as_of": "day since when it is asked", "last_seen": "day on which it was last seen",
    "age_days": "days from last_seen to the date of the data", "marks": "old, outside the range of other sellers, or estimate",
    "source": "id of the source", "address": "the row on the site",
}  # fmt: skip
RESULTS = {
    "id": "name and case", "name": "row of quantities.csv or of another table of data/, or a parameter of the page",
    "what": "what it is", "case": "what the value depends on", "value": "the number; blank where only its ends are known",
    "low": "lower end", "high": "upper end", "unit": "its unit", "text": "as the page prints it",
    "page": "first page that prints it", "pages": "how many pages print it",
    "as_of": "day of the prices in it, else the date of the data",
}  # fmt: skip
FEEDS = (
    ("prices", PRICES, "every offer of GPU hours and of tokens that is known at the date of the data"),
    ("results", RESULTS, "every named number that a page prints"),
)


def prices():
    """Every offer of GPU hours and of tokens that is known at the date of the data, one dict a price."""
    today = datetime.date.fromisoformat(citations.data_date())
    rows = []

    def row(table, one, kind, item, what, usd, unit):
        seen = datetime.date.fromisoformat(one["last_seen"])
        page, _, mark = parts.address(table, one["id"]).partition("#")
        rows.append({
            "id": f"{one['id']}{kind}", "table": table, "item": item, "what": what, "seller": one["provider"],
            "usd": float(f"{usd:.10g}"), "unit": unit, "as_of": one["as_of"], "last_seen": one["last_seen"],
            "age_days": (today - seen).days, "marks": one["marks"], "source": one["source"],
            "address": citations.address(page.removesuffix(".html"), f"#{mark}"),
        })  # fmt: skip

    for one in price_book.gpu_offers().to_dict("records"):
        words = [one["kind"].replace("_", " "), one["offer"], one["region"]]
        row("prices", one, "", one["gpu"], ", ".join(filter(None, words)), one["value"], one["unit"])
    for one in price_book.token_prices().to_dict("records"):
        for column, (words, unit) in TOKENS.items():
            if one[column] == one[column]:
                row("api_prices", one, f":{column.rpartition('_')[2]}", one["model"], words, one[column], unit)
    return sorted(rows, key=lambda one: one["id"])


def results(folder):
    """Every named number that the executed notebooks of a folder print, one dict a name and case."""
    found = {}
    for text in numbers.texts(folder):
        for one in text["quantities"]:
            case = {name: value for name, value in one["case"].items() if not (name == "end" and value in ENDS)}
            of = numbers.of(one | {"case": case}, text["page"])
            row = found.setdefault(f"{one['name']} ({of})" if of else one["name"], {
                "name": one["name"], "case": of, "value": "", "low": "", "high": "", "text": [], "pages": [],
                "as_of": case.get("as_of", citations.data_date())})
            row[ENDS.get(one["case"].get("end"), "value")] = one["value"]
            row["text"].append(one["text"])
            row["pages"].append(text["page"])
    known = data.table("quantities").set_index("id")
    meanings = {name: (one["definition"], one["unit"]) for name, one in known.to_dict("index").items()}
    return [{"id": key, **said(row, folder, meanings)} for key, row in sorted(found.items())]


def said(row, folder, meanings):
    """A result in the columns of :data:`RESULTS`, but for its id."""
    pages, texts = list(dict.fromkeys(row["pages"])), list(dict.fromkeys(row["text"]))
    what, unit = meanings.get(row["name"]) or meaning(row["name"], folder / f"{pages[0]}.ipynb")
    row = row | {"what": what, "unit": unit, "page": citations.address(pages[0]), "pages": len(pages),
                 "text": " to ".join(texts) if row["value"] == "" else max(texts, key=len)}
    return {name: row[name] for name in RESULTS if name != "id"}


def meaning(name, notebook):
    """What a number is that has its name from a row of a table or from a parameter of a page, and its unit."""
    if name.startswith(numbers.OWN):
        one = parameters.spec(notebook)[name.removeprefix(numbers.OWN)]
        return one.meaning.replace("`", ""), one.unit
    row = data.show(name)["rows"][0]
    return row.get("statement") or row.get("note") or name, row["unit"]


def as_csv(columns, rows):
    """Rows as CSV."""
    text = io.StringIO()
    out = csv.DictWriter(text, list(columns), lineterminator="\n")
    out.writeheader()
    out.writerows(rows)
    return text.getvalue()


def as_json(name, columns, rows):
    """Rows as JSON, with what is known of them."""
    about = {"title": f"{citations.TITLE}: {name}", "version": __version__, "as_of": citations.data_date(),
             "licence": citations.LICENCE, "address": citations.versioned(f"feed/{name}.json"), "columns": columns}
    rows = [{column: None if one[column] == "" else one[column] for column in columns} for one in rows]
    head = json.dumps(about, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in rows)
    return f'{head},\n "rows": [\n  {lines}\n ]\n}}\n'


def write(app, exception):
    """Write ``feed/`` beside the pages."""
    if exception is not None or app.builder.name != "html":
        return
    found = {"prices": prices(), "results": results(Path(app.srcdir))}
    for name, columns, _ in FEEDS:
        rows = found[name]
        for kind, text in (("csv", as_csv(columns, rows)), ("json", as_json(name, columns, rows))):
            write_if_changed(Path(app.outdir) / "feed" / f"{name}.{kind}", text)


def setup(app):
    app.connect("build-finished", write)

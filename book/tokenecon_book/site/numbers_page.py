"""The page of the numbers: every named quantity with what it is, its values and the pages that print them."""

import re
from html import escape
from types import SimpleNamespace

from tokenecon import data
from tokenecon.decision import scenario
from tokenecon.queries import kept
from tokenecon_book.build import catalogue
from tokenecon_book.charts.ranges import KINDS, picture
from tokenecon_book.documents import base
from tokenecon_book.documents.words import count, dollars, percent
from tokenecon_book.site import numbers, tables

OFTEN = 3  # pages from which on a number stands in the first table
FEW = 4  # values that are shown without being asked for
BASES = {
    "price": "Prices that somebody asks", "arithmetic": "Arithmetic on other numbers", "model": "From the model of serving",
    "draws": "From drawn futures", "measured": "Measured", "count": "Counts",
}  # fmt: skip
# what a value depends on -> how it is said; anything else by its own name
SAID = {
    "isl": lambda value: count(float(value), "token") + " in", "osl": lambda value: count(float(value), "token") + " out",
    "batch": lambda value: count(float(value), "request") + " at a time", "n_gpus": lambda value: count(float(value), "GPU"),
    "utilisation": lambda value: percent(float(value)) + " busy",
    "usd_per_gpu_hour": lambda value: dollars(float(value)) + " an hour",
    "requests_per_day": lambda value: count(float(value), "request") + " a day", "kv": "cache in {}".format,
    "rule": "{} price".format, "price_rule": "{} price".format,
    "gpus": "of {}".format, "models": "of {}".format, "trace": "requests as in {}".format,
    **dict.fromkeys(("model", "gpu", "weights", "as_of", "kind"), str),
}  # fmt: skip


def _known(table):
    return dict(zip(data.ids(table), data.table(table)["name"], strict=True))


@kept
def names():
    """Names of what a case may hold by its id: models, accelerators, number formats."""
    return _known("models") | _known("precisions") | data.gpus()["name"].to_dict()


def base_case():
    """The base case's own values, by which a case is said in what it has otherwise."""
    bare = SimpleNamespace()
    found = base.cased(base.of(bare), *base.LOAD) | {
        "rule": base.rule(bare), "n_gpus": data.value("base.n_gpus"), "profile": scenario.field(base.NAME, "traffic.profile")}
    return {name: str(value) for name, value in found.items()}


def case_words(case, usual, known):
    """A case in words: what it has otherwise than the base case, or that it is the base case."""
    own = {name: value for name, value in case.items() if not _same(usual.get(name), value)}
    order = [*(name for name in SAID if name in own), *(name for name in own if name not in SAID)]
    words = [escape(_said(name, own[name], known)) for name in order if own[name] != str(False)]
    if len(own) < len(case):
        words = [*words, "else as the base case"] if words else ["the base case"]
    return ", ".join(words)


def _said(name, value, known):
    """One part of a case in words: ids by their names, a switch by its own name."""
    if value == str(True):
        return name.replace("_", " ")
    shown = ", ".join(known.get(part, part.replace("_", " ")) for part in re.split(", ?", value))
    return SAID.get(name, f"{name.replace('_', ' ')} {{}}".format)(shown)


def _same(one, other):
    """Whether two values read the same: 1155 is 1155.0."""
    try:
        return float(one) == float(other)
    except (TypeError, ValueError):
        return one == other


def titles():
    """Short name of the page of each notebook."""
    return {one["notebook"]: one["question"].partition(":")[0] if "/" in one["notebook"] else one["notebook"].capitalize()
            for one in catalogue.all_notebooks()}


def links(pages, titles):
    """Links to pages by their titles."""
    return ", ".join(f'<a href="{page}.html">{escape(titles[page])}</a>' for page in pages)


def values_html(row, titles, usual, known):
    """The values of a quantity, one a line with an address of its own; many fold."""
    lines = [f'<li id="{one["mark"]}">'.replace(f' id="{row["id"]}"', "")  # that of the row leads to its only value
             + f'<strong class="value">{escape(one["text"])}</strong> '
             + (f'<span class="of">{words}</span> ' if (words := case_words(one["case"], usual, known)) else "")
             + f'<span class="where-printed">{links(one["pages"], titles)}</span></li>' for one in row["values"]]
    shown = f'<ul class="values">{"".join(lines[:FEW])}</ul>'
    rest = lines[FEW:]
    return shown + (f"<details><summary>{len(rest)} more</summary><ul class=\"values\">{''.join(rest)}</ul></details>"
                    if rest else "")


def often(said, titles):
    """Headings and rows of the numbers that stand on several pages, the most printed first."""
    usual, known = base_case(), names()
    found = [(len(one["pages"]), row, one) for row in numbers.listed(said) for one in row["values"] if len(one["pages"]) >= OFTEN]
    rows = []
    for _, row, one in sorted(found, key=lambda entry: -entry[0]):
        link = f'<a class="quantity" href="#{row["id"]}">{escape(row["name"])}</a>'
        case = case_words(one["case"], usual, known)
        rows.append((None, (link, f'<strong class="value">{escape(one["text"])}</strong>', tables.unit_words(row["unit"]), case,
                            links(one["pages"], titles))))
    return ("Number", "Value", "Unit", "Of", "Pages"), rows


def _linked(text, listed):
    """A remark as HTML, in which the name of another quantity leads to it."""
    for row in sorted(listed, key=lambda row: -len(row["id"])):
        link = f'<a href="#{row["id"]}">{escape(row["name"])}</a>'
        text = re.sub(rf"(?<![\w.#\"-]){re.escape(row['id'])}(?![\w\"-])", link, text)
    return text


def every(said, titles):
    """HTML of all named quantities, in groups by how they are known; a row has an address of its own."""
    usual, known = base_case(), names()
    body = []
    listed = numbers.listed(said)
    for basis, heading in BASES.items():
        own = [row for row in listed if row["known"] == basis]
        if not own:
            continue
        body.append(f'<tr class="group" id="basis-{basis}"><th scope="rowgroup" colspan="3">{heading}</th></tr>')
        for row in own:
            apart = f'<span class="remark">{_linked(row["apart"], listed)}</span>' if row["apart"] else ""
            kind = row["range"]
            kind = f'<span class="remark">Range: {picture(kind)} {KINDS[kind].name}</span>' if kind else ""
            name = (f'<a class="quantity" href="#{row["id"]}">{escape(row["name"])}</a>'
                    f'<span class="remark">{tables.breakable(row["id"])}</span>'
                    f'<span class="remark">{tables.unit_words(row["unit"])}</span>')
            body.append(f'<tr id="{row["id"]}"><th scope="row">{name}</th><td>{escape(row["definition"])}{apart}{kind}</td>'
                        f"<td>{values_html(row, titles, usual, known)}</td></tr>")
    return (
        '<script type="module" src="_static/tables.mjs"></script><div class="table-scroll" tabindex="0" role="region" '
        'aria-label="All numbers"><table class="book-table data-table numbers"><thead><tr><th scope="col">Number</th>'
        '<th scope="col">What it is</th><th scope="col">Values, and where they are printed</th></tr></thead><tbody>'
        + "".join(body) + "</tbody></table></div>")

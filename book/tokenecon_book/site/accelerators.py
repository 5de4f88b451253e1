"""The page of the accelerators: of each what an hour costs, with the offers behind it, and what its makers say of it."""

import contextlib
from html import escape

from tokenecon import data
from tokenecon.errors import NoPrice
from tokenecon.prices import gpu_prices
from tokenecon_book.documents import words
from tokenecon_book.site import numbers_page, parts, tables

KINDS = {
    "on_demand": "On demand", "spot": "Spot", "marketplace": "Marketplace", "reserved_3m": "Reserved for 3 months",
    "committed_1y": "Committed for 1 year", "committed_3y": "Committed for 3 years", "rental_3y": "Rented for 3 years",
    "purchase": "Bought",
}  # fmt: skip
# field of data/gpus.csv -> what a reader calls it, in the order of the page
FACTS = {
    "memory": "Memory", "bandwidth": "Memory bandwidth", "bf16": "Arithmetic in BF16", "fp8": "Arithmetic in FP8",
    "fp4": "Arithmetic in FP4", "int8": "Arithmetic in INT8", "board_power": "Board power",
    "all_in_power": "Power with its part of server and cooling", "link_bandwidth": "Link to other GPUs, one way",
    "link_domain": "GPUs that its links join", "pcie_bandwidth": "PCIe bandwidth", "host_memory": "Memory of the host",
    "server_gpus": "GPUs of a server", "interconnect": "Interconnect", "engine_memory": "Memory that an engine sees",
    "release": "On sale since", "measurements": "Measured speeds in this book",
}  # fmt: skip


SHEET = "datasheet"  # kind of data/sources.csv


def day():
    """The day of the base case, on which prices are asked for."""
    return numbers_page.base_case()["as_of"]


def priced(gpu, as_of):
    """What is known of the prices of an accelerator on a day: {kind: what :func:`gpu_prices.price_range` finds}."""
    rows = data.table("prices")
    kinds = set(rows.loc[rows["gpu"] == gpu, "kind"])
    found = {}
    for kind in KINDS:
        if kind in kinds:
            with contextlib.suppress(NoPrice):  # too old, or an estimate
                found[kind] = gpu_prices.price_range(gpu, kind, as_of)
    return found


def money(found):
    """A typical price with what it is for: "$5.12 an hour", "$31,000 a GPU"."""
    return f"{shows(found)(found['typical'])} {'a GPU' if found['kind'] == 'purchase' else 'an hour'}"


def shows(found):
    """How a price of a kind is written: what a GPU is bought for goes without cents."""
    return words.whole_dollars if found["kind"] == "purchase" else words.dollars


def sellers(found):
    """Of how many sellers a price is: "median of 14 sellers"."""
    if found["estimates"]:
        return "an estimate"
    return "1 seller" if found["sellers"] == 1 else f"median of {found['sellers']} sellers"


def said(found):
    """A price in a line: "$5.12 an hour on demand, median of 14 sellers, newest 10 Oct 2026"."""
    kind = KINDS[found["kind"]]
    return f"{money(found)} {kind[0].lower()}{kind[1:]}, {sellers(found)}, newest {date(found['newest'])}"


def date(text):
    """A date as a reader says it.

    >>> date("2026-10-04")
    '4 Oct 2026'
    """
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    year, month, of_month = text.split("-")
    return f"{int(of_month)} {months[int(month) - 1]} {year}"


def facts(gpu):
    """Rows of ``data/gpus.csv`` of an accelerator that the page shows, by field."""
    rows = {row["field"]: row for row in data.rows("gpus", {"gpu": gpu}).to_dict("records")}
    return {field: rows[field] for field in FACTS if field in rows}


def basis(row):
    """How a fact is known, in a word or two: by a data sheet, as a figure of the maker, or as the column says."""
    if row["basis"] != "spec":
        return row["basis"]
    return "data sheet" if data.source(row["source"])["kind"] == SHEET else "maker's figure"


def source_link(row, root=""):
    """A link to where a row was read: its source at its origin, or in the table of sources."""
    source = data.source(row["source"])
    title = escape(source["title"])
    where = f' · <a href="{root}sources.html#{escape(row["source"], quote=True)}">source</a>'
    if source["url"].startswith("http"):
        return f'<a href="{escape(source["url"], quote=True)}" rel="noopener">{title}</a>{where}'
    return f'<a href="{root}sources.html#{escape(row["source"], quote=True)}">{title}</a>'


def _scrolled(label, headings, body):
    head = "".join(f'<th scope="col">{text}</th>' for text in headings)
    return (f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(label, quote=True)}">'
            f'<table class="book-table data-table"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>')


def price_rows(name, found):
    """The prices of an accelerator by kind, and below them the offers behind each."""
    body, folds = [], []
    for kind, one in found.items():
        age = words.count(gpu_prices.age_days(one, "newest"), "day")
        body.append(f'<tr><th scope="row">{KINDS[kind]}</th><td data-label="Price"><strong>{money(one)}</strong>'
                    f'<span class="remark">{words.span(one["low"], one["high"], shows(one))}</span></td>'
                    f'<td data-label="Count">{sellers(one)}</td>'
                    f'<td data-label="Newest">{date(one["newest"])}<span class="remark">{age} old</span></td></tr>')
        behind = words.count(len(one["rows"]), "row")
        folds.append(f'<details class="offers"><summary>{KINDS[kind]}: {behind} behind the price</summary>'
                     f"{offers(f'{name}, {KINDS[kind]}', one)}</details>")
    return _scrolled(f"Prices of {name}", ("Kind", "Price", "Count", "Newest"), body) + "".join(folds)


def offers(label, found):
    """The rows behind a price, the cheapest first."""
    body = []
    for row in data.rows("prices", {"id": found["rows"]}).sort_values(["value", "id"]).to_dict("records"):
        seller = escape(gpu_prices.named([row["provider"]])[0])
        where = escape(", ".join(filter(None, (row["region"], row["offer"]))))
        body.append(
            f'<tr><th scope="row"><a href="{escape(parts.address("prices", row["id"]))}">{seller}</a></th>'
            f'<td data-label="Asked"><strong>{shows(found)(row["value"])}</strong></td><td data-label="Offer">{where}</td>'
            f'<td data-label="Seen">{date(min(row["last_seen"], found["date"]))}</td>'
            f'<td data-label="Source">{source_link(row)}</td></tr>')
    return _scrolled(label, ("Seller", "Asked", "Offer", "Seen", "Source"), body)


def fact_rows(name, known):
    """What makers and others say of an accelerator, each with its source."""
    body = []
    for field, row in known.items():
        one = escape(row["id"], quote=True)
        how = f'<span class="basis basis-{row["basis"]}">{basis(row)}</span> {source_link(row)}'
        remark = f'<span class="remark">{escape(row["note"])}</span>' if row["note"] else ""
        body.append(f'<tr id="{one}"><th scope="row"><a href="{escape(parts.address("gpus", row["id"]))}">{FACTS[field]}</a></th>'
                    f'<td data-label="Value">{tables.quantity(row)}</td><td data-label="Source">{how}{remark}</td></tr>')
    sheets = dict.fromkeys(row["source"] for row in known.values() if data.source(row["source"])["kind"] == SHEET)
    links = "; ".join(source_link({"source": one}) for one in sheets)
    named = f"<p>Data sheet{'s' * (len(sheets) > 1)}: {links}.</p>" if sheets else ""
    return named + _scrolled(f"Data sheet of {name}", ("What", "Value", "Source"), body)


def part():
    """The page's sections in MyST, one an accelerator, those with most offers first."""
    as_of = day()
    known = [(gpu, name, priced(gpu, as_of)) for gpu, name in data.gpus()["name"].items()]
    known.sort(key=lambda one: (-sum(found["offers"] for found in one[2].values()), one[1]))
    out = []
    for gpu, name, found in known:
        lead = f"{said(found['on_demand'])}." if "on_demand" in found else "No offer by the hour is known."
        html = (price_rows(name, found) if found else "") + fact_rows(name, facts(gpu))
        out.append(f"({gpu})=\n## {name}\n\n{escaped(lead)}\n\n```{{raw}} html\n{html}\n```\n")
    return "\n".join(out)


def escaped(text):
    """Text that MyST takes as it is: a dollar begins no formula."""
    return text.replace("$", r"\$")

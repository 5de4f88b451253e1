"""The tables of ``data/`` as pages: every row readable, every row with an address of its own."""

import math
import re
from html import escape

from tokenecon import data

# Columns that say where a fact comes from; they share one cell, so that a phone can show the row.
PROVENANCE = ("basis", "as_of", "source", "locator", "note", "licence", "conditions", "last_seen")
# Tables in which several rows tell of one thing, and the column that names it.
GROUPED = {"gpus": "gpu", "prices": "gpu"}
# Columns that one cell shows: {table: {heading: columns}}; the first column stands for the cell.
TOGETHER = {
    "prices": {"offer": ("provider", "region", "offer")},
    "measurements": {"served": ("model", "gpu", "n_gpus", "parallelism", "weights", "kv", "engine"),
                     "load": ("workload", "isl", "osl", "concurrency", "requests"),
                     "prompt range": ("isl_low", "isl_high"), "metric": ("metric", "flag")},
    "wide_ep": {"served": ("system", "model", "gpu", "n_gpus", "weights", "kv", "engine"),
                "prefill": ("prefill_gpus", "prefill_parallelism"), "decode": ("decode_gpus", "decode_parallelism"),
                "lengths": ("isl", "osl", "context"), "metric": ("metric", "obtained", "flag")},
}
# Columns that repeat what the id of the row says.
SAID = {"gpus": ("field",), "prices": ("kind", "region_low", "region_high")}
# With more columns than this, a row shows its filled cells as pairs of name and value.
MANY = 8
RANGE = ("value", "low", "high", "unit", "text")
BASIS = {
    "spec": "from the maker's data sheet or the model's own configuration",
    "quoted": "read in a source that is not the maker's own, or not yet seen at its origin",
    "measured": "measured by the source",
    "derived": "computed from other rows",
    "assumed": "our judgement; carries a range",
    "claimed": "what the two documents say; never used as evidence for itself",
}


def number(value):
    """A number as a reader wants it: no needless digits, thousands apart.

    >>> number(3350000.0), number(0.00042), number(4.8)
    ('3 350 000', '0.00042', '4.8')
    """
    if value == 0 or 1e-4 <= abs(value) < 1e15:
        text = (
            f"{value:,.6f}".rstrip("0").rstrip(".")
            if abs(value) < 1e4
            else f"{value:,.2f}".rstrip("0").rstrip(".")
        )
        return text.replace(",", "\u202f")
    return f"{value:.6g}"


def _empty(value):
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def cell(value):
    """One value as HTML."""
    if _empty(value):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(float(value))
    return escape(str(value))


def breakable(text):
    """An id that a narrow column may break after its dots and underscores.

    >>> breakable("kv.waste_paged")
    'kv.<wbr>waste_<wbr>paged'
    """
    return escape(str(text)).replace(".", ".<wbr>").replace("_", "_<wbr>")


def quantity(row):
    """Value, range and unit of a fact in one cell: ``4.8 TB/s (4.5 – 5)``."""
    if not _empty(row.get("text", "")):
        return escape(row["text"])
    low, high = row.get("low"), row.get("high")
    value = "" if _empty(row.get("value")) else f"<strong>{number(float(row['value']))}</strong>"
    span = "" if _empty(low) and _empty(high) else f"{cell(low) or '…'} – {cell(high) or '…'}"
    unit = row.get("unit", "")
    shown = f" <span class='unit'>{escape(unit)}</span>" if unit and unit not in ("1", "text") else ""
    if not value:
        return f"<strong>{span}</strong>{shown}" if span else ""
    return f"{value}{shown}" + (f" <span class='range'>({span})</span>" if span else "")


def place(locator):
    """Where in a source a fact stands; an address is a link, and says so instead of filling the cell.

    >>> place("table 2")
    'table 2'
    """
    found = re.match(r"(https?://\S+)(.*)", locator)
    if not found:
        return escape(locator)
    return f'<a href="{escape(found[1])}" rel="noopener">at its origin</a>{escape(found[2])}'


def provenance(row, root):
    """Basis, date, source with locator, and remarks of a row."""
    parts = []
    if row.get("basis"):
        parts.append(f'<span class="basis basis-{row["basis"]}">{row["basis"]}</span>')
    if row.get("as_of"):
        parts.append(f'<span class="as-of">{escape(row["as_of"])}</span>')
    if row.get("source"):
        link = f'<a href="{root}sources.html#{escape(row["source"])}">{escape(row["source"])}</a>'
        parts.append(link + (f", {place(row['locator'])}" if row.get("locator") else ""))
    head = " · ".join(parts)
    remarks = [str(row[key]) for key in ("conditions", "note") if row.get(key)]
    if not _empty(row.get("region_low")) and not _empty(row.get("region_high")):
        remarks.append(f"other regions: {number(row['region_low'])} – {number(row['region_high'])}")
    return head + "".join(f'<span class="remark">{escape(text)}</span>' for text in remarks)


def links(name, field):
    """Where a column points: {column: address pattern}, from the foreign keys of the descriptor."""
    for resource in data.package()["resources"]:
        if resource["name"] == name:
            for key in resource["schema"].get("foreignKeys", []):
                fields = key["fields"] if isinstance(key["fields"], list) else [key["fields"]]
                if fields == [field]:
                    return key["reference"]["resource"] or name
    return ""


def columns_of(name, frame, is_fact):
    """The columns of a page's table as {heading: columns of the CSV that its cell holds}."""
    away = {"id", GROUPED.get(name), *SAID.get(name, ()), *PROVENANCE, *(RANGE if is_fact else ())}
    joined = TOGETHER.get(name, {})
    away |= {column for columns in joined.values() for column in columns}
    rest = [column for column in frame.columns if column not in away and not frame[column].map(_empty).all()]
    return {**joined, **{column.replace("_", " "): (column,) for column in rest}}


def cell_html(row, columns, name, root):
    """One cell: the values of its columns, linked where they are ids of another table."""
    text = ", ".join(cell(row[column]) for column in columns if not _empty(row[column]))
    target = links(name, columns[0]) if len(columns) == 1 else ""
    if text and target and target != name:
        page = f"{root}sources.html" if target == "sources" else f"{target}.html"
        return f'<a href="{page}#{text}">{text}</a>'
    return text


def pairs(row, headings, name, root):
    """The filled cells of a wide row as pairs of name and value."""
    found = [(heading, cell_html(row, columns, name, root)) for heading, columns in headings.items()]
    items = [
        f"<span class='pair'><span class='unit'>{heading}</span> {text}</span>"
        for heading, text in found
        if text
    ]
    return " ".join(items)


def row_html(row, headings, name, root, is_fact, group):
    """One row with its address, its values and where they are from."""
    anchor = escape(str(row["id"]), quote=True)
    label = breakable(row["id"].removeprefix(f"{group}."))
    cells = [f'<th scope="row"><a class="row-link" href="#{anchor}" title="{anchor}">{label}</a></th>']
    if len(headings) > MANY:
        cells.append(f'<td class="pairs">{pairs(row, headings, name, root)}</td>')
    else:
        cells += [
            f'<td data-label="{escape(heading)}">{cell_html(row, columns, name, root)}</td>'
            for heading, columns in headings.items()
        ]
    if is_fact:
        cells.append(f'<td class="num">{quantity(row)}</td>')
    cells.append(f'<td class="where">{provenance(row, root)}</td>')
    return f'<tr id="{anchor}">' + "".join(cells) + "</tr>"


def table_html(name, frame, root="../"):
    """A whole table; facts show value and range in one cell and their provenance in another."""
    is_fact = {"value", "unit"} <= set(frame.columns)
    headings = columns_of(name, frame, is_fact)
    top = ["Id", *(["What is known"] if len(headings) > MANY else headings)]
    top += [*(["Value (low – high)"] if is_fact else []), "Where from"]
    out = [
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="Table {name}">',
        f'<table class="book-table data-table" id="table-{name}"><thead><tr>',
        *(f'<th scope="col">{escape(text[:1].upper() + text[1:])}</th>' for text in top),
        "</tr></thead><tbody>",
    ]
    group, marked = None, set()
    for row in frame.to_dict("records"):
        if name in GROUPED and row[GROUPED[name]] != group:
            group = row[GROUPED[name]]
            label = escape(str(group), quote=True)
            page = "" if name == "gpus" else "gpus.html"  # the table of accelerators holds their addresses
            link = f'<a class="row-link" href="{page}#{label}">{label}</a>'
            # the prices of a GPU may stand in several groups; the first has the address
            mark = f' id="{label}"' if not page else "" if label in marked else f' id="{name}-{label}"'
            marked.add(label)
            out.append(f'<tr class="group"{mark}><th scope="rowgroup" colspan="{len(top)}">{link}</th></tr>')
        out.append(row_html(row, headings, name, root, is_fact, group))
    out.append("</tbody></table></div>")
    out.append(f'<script type="module" src="{root}_static/tables.mjs"></script>')
    return "\n".join(out)


def _raw(html):
    return f"```{{raw}} html\n{html}\n```\n"


def dictionary_html(name):
    """The columns of a table: name, type, meaning, what is allowed."""
    rows = []
    for field in data.schema(name):
        limits = field.get("constraints", {})
        allowed = ", ".join(str(value) for value in limits.get("enum", []))
        if len(allowed) > 300:
            allowed = f"{len(limits['enum'])} values, see the closed list"
        must = "required" if limits.get("required") else ""
        rows.append(
            f'<tr><th scope="row"><code>{escape(field["name"])}</code></th><td>{escape(field["type"])}</td>'
            f"<td>{escape(field.get('description', ''))}</td><td>{escape(allowed or must)}</td></tr>"
        )
    return (
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="Columns of {name}">'
        '<table class="book-table"><thead><tr><th scope="col">Column</th><th scope="col">Type</th>'
        '<th scope="col">Meaning</th><th scope="col">Allowed</th></tr></thead><tbody>'
        + "".join(rows)
        + "</tbody></table></div>"
    )


def titles():
    """Names and titles of the tables that get a page of their own; sources and claims have theirs elsewhere."""
    found = {}
    for resource in data.package()["resources"]:
        if resource["name"] not in ("sources", "claims", "corrections"):
            found[resource["name"]] = resource["title"]
    return found


def description(name):
    """What the descriptor says about a table."""
    for resource in data.package()["resources"]:
        if resource["name"] == name:
            return resource.get("description", "")
    return ""


def pages():
    """Path to MyST text of the page of every table."""
    found = {}
    for name, title in titles().items():
        frame = data.table(name)
        # "Accelerators, one fact a row": the first words make the title, all of them the first sentence.
        text = [
            f"# {re.split('[,;:]', title)[0]}\n",
            f"{description(name) or title}.\n" if description(name) or re.search("[,;:]", title) else "",
        ]
        text.append(
            f'{len(frame)} rows. The whole table as a file: <a href="{name}.csv">{name}.csv</a>. '
            "Every row has an address: follow its id.\n"
        )
        text.append(_raw(table_html(name, frame)) if len(frame) else "*No row yet.*\n")
        text.append("## Columns\n")
        text.append(_raw(dictionary_html(name)))
        found[f"data/{name}.md"] = "\n".join(text)
    return found

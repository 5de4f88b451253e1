"""The tables of ``data/`` as pages: every row readable, every row with an address of its own."""

import math
import re
from html import escape

from tokenecon import data, units
from tokenecon_book.charts import theme
from tokenecon_book.site import parts

# Columns that say where a fact comes from; they share one cell, so that a phone can show the row.
PROVENANCE = ("basis", "as_of", "source", "locator", "note", "licence", "conditions", "last_seen")
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
DEEP = 9  # columns of a table, for which the style has names on a phone
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
    ('3,350,000', '0.00042', '4.8')
    """
    if value == 0 or 1e-4 <= abs(value) < 1e15:
        return f"{value:,.{6 if abs(value) < 1e4 else 2}f}".rstrip("0").rstrip(".")
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


def unit_words(unit):
    """A unit as a reader says it; plain numbers have none."""
    return {"1": "", "fraction": "share", "ratio": "times", "count": "count"}.get(unit) or theme.unit_words(unit)


def breakable(text):
    """An id that a narrow column may break after its dots and underscores.

    >>> breakable("kv.waste_paged")
    'kv.<wbr>waste_<wbr>paged'
    """
    return escape(str(text)).replace(".", ".<wbr>").replace("_", "_<wbr>")


def quantity(row):
    """Value, range and unit of a fact in one cell: ``4.8 TB per second (4.5 – 5)``."""
    if not _empty(row.get("text", "")):
        return escape(row["text"])
    low, high = row.get("low"), row.get("high")
    value = "" if _empty(row.get("value")) else f"<strong>{number(float(row['value']))}</strong>"
    span = "" if _empty(low) and _empty(high) else f"{cell(low) or '…'} – {cell(high) or '…'}"
    unit = unit_words(row["unit"]) if row.get("unit", "text") not in ("text", "count") else ""
    shown = f" <i>{escape(unit)}</i>" if unit else ""
    if not value:
        return f"<strong>{span}</strong>{shown}" if span else ""
    return f"{value}{shown}" + (f' <span class="range">({span})</span>' if span else "")


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
    """Basis, dates, source with locator, and remarks of a row."""
    said = []
    if row.get("basis"):
        said.append(f'<span class="basis basis-{row["basis"]}">{row["basis"]}</span>')
    if row.get("as_of"):
        said.append(f"<time>{escape(row['as_of'])}</time>")
    if row.get("last_seen"):
        said.append(f'last seen <time class="seen">{escape(row["last_seen"])}</time>')
    if row.get("source"):
        said.append(f'<a href="{root}{escape(parts.address("sources", row["source"]))}">{escape(row["source"])}</a>')
    if row.get("locator"):
        said.append(f"<cite>{place(row['locator'])}</cite>")
    remarks = [str(row[key]) for key in ("conditions", "note") if row.get(key)]
    if not _empty(row.get("region_low")) and not _empty(row.get("region_high")):
        remarks.append(f"other regions: {number(row['region_low'])} – {number(row['region_high'])}")
    return " · ".join(said) + "".join(f'<span class="remark">{escape(text)}</span>' for text in remarks)


def columns_of(name, frame, is_fact):
    """The columns of a page's table as {heading: columns of the CSV that its cell holds}."""
    away = {"id", parts.GROUPED.get(name), *SAID.get(name, ()), *PROVENANCE, *(RANGE if is_fact else ())}
    filled = [column for column in frame.columns if not frame[column].map(_empty).all()]
    joined = {title: tuple(column for column in columns if column in filled)
              for title, columns in TOGETHER.get(name, {}).items()}
    away |= {column for columns in joined.values() for column in columns}
    rest = {heading(column): (column,) for column in filled if column not in away}
    return {title: columns for title, columns in (joined | rest).items() if columns}


def heading(column):
    """What stands above a column: its name in words, but money by what one pays for.

    >>> heading("draft_tokens"), heading("gpu"), heading("usd_per_mtok_in")
    ('draft tokens', 'accelerator', 'USD per million input tokens')
    """
    unit = units.of_name(column)
    return unit_words(unit) if unit.startswith("USD/") else {"gpu": "accelerator"}.get(column) or column.replace("_", " ")


def is_number(frame, columns):
    """Whether a cell is one number, which opens a card."""
    return len(columns) == 1 and frame[columns[0]].dtype.kind in "if"


def cell_html(row, columns, name, root):
    """One cell: the values of its columns, linked where they are ids of another table; of several, numbers say their names."""
    if len(columns) > 1:
        return ", ".join(f"{column} {cell(row[column])}" if isinstance(row[column], int | float) else cell(row[column])
                         for column in columns if not _empty(row[column]))
    text = cell(row[columns[0]])
    target = parts.reference(name, columns[0])
    if text and target and target != name:
        return f'<a href="{root}{escape(parts.address(target, row[columns[0]]))}">{text}</a>'
    return text


def pairs(row, headings, numbers, name, root):
    """The filled cells of a wide row as pairs of name and value."""
    found = {title: cell_html(row, columns, name, root) for title, columns in headings.items()}
    return " ".join(f"<span><i>{title}</i> {f'<b>{text}</b>' if title in numbers else text}</span>"
                    for title, text in found.items() if text)


def row_html(row, headings, numbers, name, root, is_fact, group):
    """One row with its address, its values and where they are from."""
    anchor = escape(str(row["id"]), quote=True)
    label = escape(row["id"].removeprefix(f"{group}."))
    cells = [f'<th scope="row"><a href="#{anchor}">{label}</a></th>']
    if len(headings) > MANY:
        cells.append(f'<td class="pairs">{pairs(row, headings, numbers, name, root)}</td>')
    else:
        cells += [f"<td>{cell_html(row, columns, name, root)}</td>" for columns in headings.values()]
    if "of" in row:
        cells.append(f"<td>{row['of']}</td>")
    if is_fact:
        cells.append(f'<td class="num">{quantity(row)}</td>')
    if not row.keys().isdisjoint(PROVENANCE):
        cells.append(f'<td class="where">{provenance(row, root)}</td>')
    return f'<tr id="{anchor}">' + "".join(cells) + "</tr>"


def shared(name, frame):
    """The columns in which all rows of a table have the same, with what that is; values and their units stay in the rows."""
    away = {"id", parts.GROUPED.get(name), *SAID.get(name, ()), *RANGE, "region_low", "region_high", "licence"}
    alike = [column for column in frame if column not in away and frame[column].nunique(dropna=False) == 1]
    return {column: frame[column].iloc[0] for column in alike if len(frame) > 1 and not _empty(frame[column].iloc[0])}


def shared_html(name, found, root):
    """What all rows of a table have in common, in a line."""
    said = ", ".join(f"<span><i>{heading(column)}</i> {cell_html(found, (column,), name, root)}</span>"
                     for column in found if column not in PROVENANCE)
    where = provenance(found, root)
    return f'<p class="all-rows">In every row: {said}{" · " if said and where else ""}{where}</p>' if found else ""


def table_html(name, frame, root):
    """A whole table; facts show value and range in one cell and their provenance in another."""
    is_fact = {"value", "unit"} <= set(frame.columns)
    common = shared(name, frame)
    frame = frame.drop(columns=list(common))
    headings = columns_of(name, frame, is_fact)
    numbers = [] if is_fact else [title for title, columns in headings.items() if is_number(frame, columns)]
    of = parts.reference(name, "id")
    top = ["Id", *(["What is known"] if len(headings) > MANY else headings)]
    places = [] if len(headings) > MANY else [str(top.index(title)) for title in numbers]
    has_origin = not frame.columns.intersection(PROVENANCE).empty
    top += [f"in {of}"] * bool(of) + ["Value (low – high)"] * is_fact + ["Where from"] * has_origin
    top = [text[:1].upper() + text[1:] for text in top]
    labels = "".join(f"--c{place}:'{text}: ';" for place, text in enumerate(top[:DEEP], 1))
    out = [
        shared_html(name, common, root),
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="Table {name}">',
        f'<table class="book-table data-table table-{name}" data-numbers="{" ".join(places)}" style="{labels}"><thead><tr>',
        *(f'<th scope="col">{escape(text)}</th>' for text in top),
        "</tr></thead><tbody>",
    ]
    column, group, marked = parts.GROUPED.get(name), None, set()
    for row in _records(name, frame, of, root):
        if column and row[column] != group:
            group = row[column]
            mark = escape(parts.group_mark(name, group), quote=True)
            # the rows of one thing may stand in several groups; the first has the address
            own = f' id="{mark}"' if mark not in marked else ""
            marked.add(mark)
            link = f'<a href="{root}{escape(parts.address("gpus", group))}">{escape(group)}</a>'
            out.append(f'<tr class="group"{own}><th scope="rowgroup" colspan="{len(top)}">{link}</th></tr>')
        out.append(row_html(row, headings, numbers, name, root, is_fact, group))
    out.append("</tbody></table></div>")
    out += [f'<script type="module" src="{root}_static/{script}.mjs"></script>' for script in ("tables", "rows")]
    return "\n".join(out)


def _records(name, frame, of, root):
    """The rows as dicts; those whose ids are ids of another table say, as ``of``, the value there."""
    rows = frame.to_dict("records")
    if of:
        known = data.table(of).set_index("id").to_dict("index")
        for row in rows:
            row["of"] = f'<a href="{root}{escape(parts.address(of, row["id"]))}">{quantity(known[row["id"]])}</a>'
    return rows


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
            f'<tr><th scope="row"><code>{breakable(field["name"])}</code></th><td>{escape(field["type"])}</td>'
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


def short_title(title):
    """The first words of a title, which name the table.

    >>> short_title("Accelerators, one fact a row")
    'Accelerators'
    """
    return re.split("[,;:]", title)[0]


def description(name):
    """What the descriptor says about a table."""
    for resource in data.package()["resources"]:
        if resource["name"] == name:
            return resource.get("description", "")
    return ""

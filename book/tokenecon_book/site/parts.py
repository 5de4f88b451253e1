"""On which page a row of ``data/`` stands: a table too long for one page is split by what its rows are of.

The page of a table, ``data/<table>``, then lists its parts, ``data/<table>/<value>``; a part that is too long lists parts of its
own.  A page that is split stays at its address and forwards (``_static/tables.mjs``), so that a table can grow.
"""

import re
from collections import namedtuple
from math import ceil

from tokenecon import data
from tokenecon.errors import UnknownId
from tokenecon.queries import kept

# What a long table is split by, the first column first; any other by its source.
SPLIT = {
    "measurements": ("source", "gpu", "model"), "held_out": ("source", "gpu", "model"), "gpus": ("gpu",),
    "prices": ("gpu", "kind"), "api_prices": ("last_seen", "source"), "api_terms": ("source", "tier", "model"),
}  # fmt: skip
# Tables in which several rows tell of one thing, and the column that names it.
GROUPED = {"gpus": "gpu", "prices": "gpu"}
ELSEWHERE = {"claims": "claims", "sources": "sources", "corrections": "errata"}  # tables that pages of the book show
DATES = ("last_seen", "as_of")  # columns that say how new a row is
LETTERS = 290_000  # of the rows of a page as HTML, by estimate
ROW, CELL, IDS = 50, 12, 3  # letters of HTML that a row and a cell have besides their values; how often a row says its id
REFERRED = 110  # letters of the link to the row of another table that an id means
RUN = "rows"  # what parts are by where no column is left: rows as they come

# A page of a table: its address without ".html", the columns and values by which its rows were chosen, the rows, its parts.
Part = namedtuple("Part", "page chosen rows parts")


def page(table):
    """The page of a table, from the top of the site."""
    return f"{ELSEWHERE.get(table) or f'data/{table}'}.html"


def address(table, mark):
    """Where a row of a table, or the mark of a group, stands, from the top of the site."""
    if table in ELSEWHERE:
        return f"{page(table)}#{mark}"
    if (found := _addresses(table).get(mark)) is None:
        raise UnknownId(f"row of {table}", mark, _addresses(table), f"data/{table}.csv")
    return found


def group_mark(table, value):
    """The mark of the rows that tell of one thing; the table of accelerators holds the plain names."""
    return value if table == "gpus" else f"{table}-{value}"


@kept
def of(table):
    """The pages of a table, as the :class:`Part` of its own page."""
    rows = data.table(table)
    return _part(f"data/{table}", (), rows, _splitting(table, rows), _letters(table, rows))


def leaves(part):
    """The pages below a part on which rows stand, or the part itself."""
    return [leaf for one in part.parts for leaf in leaves(one)] or [part]


def newest(table, rows):
    """The newest date of some rows of a table, or of the rows that their ids refer to; blank where they have none."""
    known = referred(table, rows)
    column = next((name for name in DATES if name in known), None)
    return max(known[column]) if column else ""


def referred(table, rows):
    """Some rows of a table with the columns, where it lacks them, of the rows of another table that its ids are ids of."""
    to = reference(table, "id")
    return rows.merge(data.table(to).drop(columns=[*rows.columns[1:]], errors="ignore"), on="id") if to else rows


def reference(table, column):
    """The table whose ids a column holds, by the descriptor; blank for none."""
    schema = next(one for one in data.package()["resources"] if one["name"] == table)["schema"]
    return next((key["reference"]["resource"] or table for key in schema.get("foreignKeys", []) if key["fields"] == column), "")


def _splitting(table, rows):
    """Columns to split some rows by, the first column first, in the order of the rows."""
    names = SPLIT.get(table, ("source",))
    known = rows if set(names) <= set(rows) else referred(table, rows)
    return known[[name for name in names if name in known]].set_axis(rows.index)


def _letters(table, rows):
    """Letters of HTML of each cell of the rows of a table, by estimate."""
    found = rows.map(lambda value: CELL + len(str(value)) if value == value and value != "" else 0)
    return found.assign(id=ROW + IDS * rows["id"].str.len() + REFERRED * bool(reference(table, "id")))


def _part(page, chosen, rows, by, letters):
    size = letters.loc[rows.index, [name for name in rows if rows[name].nunique() > 1]].to_numpy().sum()
    if size <= LETTERS:
        return Part(page, chosen, rows, ())
    column = next((name for name in by if by.loc[rows.index, name].nunique() > 1), None)
    if column:
        groups = [(value, own.index) for value, own in by.loc[rows.index].groupby(column, sort=False)]
    else:
        each = ceil(len(rows) / ceil(size / LETTERS))
        groups = [(f"{start + 1} to {min(start + each, len(rows))}", rows.index[start:start + each])
                  for start in range(0, len(rows), each)]
    names = [re.sub(r"[^\w.-]+", "-", str(value)) or "none" for value, _ in groups]
    if len(set(names)) < len(names):
        raise ValueError(f"two parts of {page} would have one address; their {column} are {', '.join(map(str, names))}")
    return Part(page, chosen, rows, tuple(
        _part(f"{page}/{name}", (*chosen, (column or RUN, value)), rows.loc[index], by, letters)
        for name, (value, index) in zip(names, groups, strict=True)))


@kept
def _addresses(table):
    """Row id or mark of a group to its address."""
    return _below(of(table), table)


def _below(part, table):
    """The same of one page and its parts; a group whose rows stand on several pages is where these are listed."""
    column, found = GROUPED.get(table), {}
    for one in part.parts:
        own = _below(one, table)
        found |= own | {mark: f"{part.page}.html" for mark in own if mark in found}
    if not part.parts:
        groups = [group_mark(table, value) for value in part.rows[column].unique()] if column else []
        found = {mark: f"{part.page}.html#{mark}" for mark in [*groups, *part.rows["id"]]}
    return found

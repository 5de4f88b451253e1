"""Tables a screen reader can read and a phone can show."""

import math
import re
from collections import Counter

from tokenecon.numbers import number, span
from tokenecon.units import UNITS
from tokenecon_book.charts import ranges, theme
from tokenecon_book.charts.axes import has_range, is_range_end
from tokenecon_book.charts.claims_list import VERDICTS, claims, counted, quantity
from tokenecon_book.charts.glue import pedigree
from tokenecon_book.charts.page import escape, spoken

__all__ = ["Html", "claims", "show", "sources", "verdicts", "would_change"]


DATE = re.compile(r"\d{4}-\d{2}-\d{2}|–?")  # or none
LETTERS = 60  # of the mark of a table
# a text that states a number: it has money or a share, or begins with a number; "H100", "3-month" and a date do neither
STATES = re.compile(r".*(?:\$\d|\d\s?%)|[≤≥<>~−]?\s?\d[\d,.]*(?=$|[,;\s])")
SAID = ' class="te-said"'
PROSE = 60  # letters: a longer text is read, and not asked


class Html:
    """HTML for the page with plain text beside it for everything else, and what is known of a table's numbers."""

    def __init__(self, html, text, pedigree=None):
        self.html, self.text, self.pedigree = html, text, pedigree

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html, "text/plain": self.text}, {"pedigree": self.pedigree} if self.pedigree else {}


def show(found, caption, columns=None, *, rows=None, note="", range=None, formats=None, folded=False, of=None):
    """A table with caption, headers, a row of units and numbers that line up.

    Parameters
    ----------
    found : tokenecon.finding.Finding or pandas.DataFrame
        Where ``x_low`` and ``x_high`` exist, column ``x`` is printed with its range below it.
    caption : str
        What the table shows.
    columns : dict, optional
        ``{"usd_per_mtok_out": ("Cost", "USD/Mtok_out"), "gpu": ("Accelerator", None)}``: picks, orders and
        names columns. Without it: all columns that are not ends of a range, by their own names.
    rows : str, optional
        The column that names the rows; by default the first.
    note : str
        Printed below; by default the note of the finding.
    range : str, dict or list, optional
        Kind of the ranges, of :data:`tokenecon_book.charts.ranges.KINDS`, or that of each column, which may be a list of those
        of its rows, or of each row: said below the table, where the note does not.
    formats : dict, optional
        Python format specifications by column, such as ``{"batch": ",.0f"}``.
    folded : bool
        Show the caption and the number of rows, and the table when asked: for tables few readers want whole.
    of : tokenecon.finding.Finding, optional
        What ``found`` is a part of, where it is a bare table: its sources are those of the numbers.
    """
    of = found if hasattr(found, "behind") else of
    table = getattr(found, "table", found)
    columns = columns or {
        name: (name.replace("_", " "), None) for name in table.columns if not is_range_end(name, table.columns)
    }
    formats = formats or {}
    for name in columns:
        if name not in table.columns and not has_range(table.columns, name):
            raise ValueError(f"table '{caption}': no column '{name}'; there are {', '.join(map(str, table.columns))}")
    rows = rows or next(iter(columns))
    if rows not in columns:
        raise ValueError(f"table '{caption}': rows='{rows}' is not among its columns {', '.join(columns)}")
    numeric = {name: has_range(table.columns, name) or table[name].dtype.kind in "iuf" for name in columns}
    cells = _cells(table, columns, formats, numeric)
    of_units = {name: all(row[name][0] in UNITS for row in cells) for name in columns}  # "1" is one, and there no number
    dates = {name: all(DATE.fullmatch(row[name][0]) for row in cells) for name in columns}
    side = {name: ' class="te-number"' if numeric[name] else ' class="te-date"' if dates[name] else "" for name in columns}
    heads = "".join(f'<th scope="col"{side[name]}>{escape(title)}</th>' for name, (title, _) in columns.items())
    units = [theme.unit_words(unit) if unit else "" for _, unit in columns.values()]
    units = ["" if unit == title else unit for unit, (title, _) in zip(units, columns.values(), strict=True)]  # "GPUs" once
    unit_row = ""
    if any(units):
        unit_cells = "".join(f"<td{side[n]}>{escape(u)}</td>" for n, u in zip(columns, units, strict=True))
        unit_row = f'<tr class="te-units">{unit_cells}</tr>'
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row"{side[name]}>{_markup(*texts)}</th>'
            if name == rows
            else f"<td{side[name] or (SAID if not of_units[name] and states(texts[0]) else '')}>{_markup(*texts)}</td>"
            for name, texts in row.items()
        )
        + "</tr>\n"
        for row in cells
    )
    note = note or getattr(found, "note", "")
    said = _kinds_said({name: columns[name][0] for name in columns if any(row[name][1] for row in cells)}, range, note)
    below = f'<p class="te-table-note">{escape(f"{note} {said}".strip())}</p>' if note or said else ""
    asked = of is not None and (any(numeric.values()) or SAID in body)
    known = pedigree(of, caption, mark(caption), table, columns, range) if asked else None
    html = framed(f"<thead><tr>{heads}</tr>{unit_row}</thead>\n<tbody>\n{body}</tbody>", caption, known and known["id"]) + below
    html = fold(f"{caption}: {len(table)} rows", html) if folded else html
    titles = [title + (f" [{unit}]" if unit else "") for (title, _), unit in zip(columns.values(), units, strict=True)]
    lines = [caption, " | ".join(titles), *(" | ".join(_plain(*texts) for texts in row.values()) for row in cells)]
    return Html(html, "\n".join(lines + [one for one in (note, said) if one]), known)


MOST = 3  # changes in the head of a page


def would_change(found, column, title, unit, *, apart=False, then=None):
    """The head's answer to "what would change it": the inputs that move a number most, each to the end that moves it more.

    Parameters
    ----------
    found : tokenecon.finding.Finding
        One row a change, the case itself first with an empty ``what``; columns ``what`` changes and ``to`` which value.
    column, title, unit : str
        The number of the page's finding, what it is called and its unit.
    apart : bool
        Changes are compared by their difference, which shares need, and not by their ratio.
    then : tuple, optional
        A column of words and its title, shown in place of the number.
    """
    table = found.table
    now = table.loc[table["what"].eq(""), column].iloc[0]

    def far(value):
        if apart or not math.isfinite(value) or not math.isfinite(now):
            return abs(value - now)
        return abs(math.log(value / now)) if value * now > 0 else math.inf

    rows = table[table["what"].ne("") & table[column].notna() & table[column].ne(now)]
    rows = rows.assign(_far=[far(value) for value in rows[column]]).sort_values("_far", ascending=False, kind="stable")
    rows = rows.drop_duplicates("what").head(MOST)
    rows = rows.drop(columns=[name for name in rows if is_range_end(name, rows.columns)])  # ranges stand in the long table
    title += "" if now != now else f", now {number(now, unit)}"
    columns = {"what": ("What changes", None), "to": ("To", None), column: (title, unit)}
    if then:
        columns = {"what": ("What changes", None), "to": ("To", None), then[0]: (then[1], None)}
    return show(rows, "What would change it", columns, of=found if hasattr(found, "behind") else None)


def _cells(table, columns, formats, numeric):
    """Each row as a dict from column to its text and that of its range."""
    places = {name: _decimals(table[name], unit) for name, (_, unit) in columns.items()
              if numeric[name] and name in table.columns and name not in formats}
    return [{name: cell(table, place, name, columns[name][1], formats.get(name), numeric[name], places.get(name))
             for name in columns} for place in range(len(table))]


FAR = 100  # times the smallest number of a column the largest may be for all to have the same decimals


def _decimals(values, unit):
    """The decimals of all numbers of a column: cents, three digits of the largest, two of the smallest without a third decimal.

    None, and each number is written as it would be alone, where they lie far apart, are thousands, or are nearly all of a whole.
    """
    sizes = [abs(value) * (100 if unit == "fraction" else 1) for value in values if value and math.isfinite(value)]
    if not sizes or unit == "date" or max(sizes) >= 999.5 or max(sizes) > FAR * min(sizes) or (
            unit == "fraction" and any(99 < size < 100 for size in sizes)):
        return None
    largest, smallest = (math.floor(math.log10(size)) for size in (max(sizes), min(sizes)))
    alone = max(len(number(value, unit, bare=True).partition(".")[2]) for value in values)
    cents = 2 if unit and unit.startswith("USD") and largest < 2 else 0
    return min(max(2 - largest, min(2, 1 - smallest), -smallest, cents), alone)


def states(text):
    """Whether a text states a number, so that it opens a card as numbers do: no name, no date, no prose."""
    return len(text) <= PROSE and bool(STATES.match(text))


def mark(caption):
    """The address of a table in its page."""
    return "t-" + re.sub("[^a-z]+", "-", caption.lower())[:LETTERS].strip("-")


def _markup(middle, ends):
    """A cell as HTML: the range stands below the value, in lighter type."""
    return escape(middle) + (f' <span class="te-range">{escape(ends)}</span>' if ends else "")


def _plain(middle, ends):
    return f"{middle} ({ends})" if middle and ends else middle or ends


def _kinds_said(shown, range, note):
    """Of which kind the ranges of the columns shown are, as a sentence; `shown` are the columns with their headings.

    A kind that the note names needs no sentence, nor do kinds that differ by row: cards say those.
    """
    if not shown or not range or isinstance(range, list):
        return ""
    parts = {}
    for name, kind in (range if isinstance(range, dict) else dict.fromkeys(shown, range)).items():
        if name in shown and isinstance(kind, str) and ranges.KINDS[kind].name.partition(",")[0] not in note.lower():
            parts.setdefault(kind, []).append(shown[name])
    said = [ranges.KINDS[kind].name + (f" ({', '.join(heads)})" if isinstance(range, dict) else "")
            for kind, heads in parts.items()]
    return f"Ranges: {'; '.join(said)}." if said else ""


def framed(inside, caption, mark=None):
    """A table in a frame of its own that scrolls sideways on a phone, and by keyboard; with a mark its numbers open cards."""
    anchor = f' id="{mark}"' if mark else ""
    return (
        f'<div class="te-table-scroll table-scroll"{anchor} role="region" aria-label="{escape(caption)}" tabindex="0">\n'
        f'<table class="te-table book-table"><caption>{escape(caption)}</caption>\n{inside}\n</table></div>\n'
    )


def fold(summary, inside):
    """Something long behind a line of text; works without script."""
    return f'<details class="te-fold"><summary>{escape(summary)}</summary>\n{inside}</details>\n'


def cell(table, place, name, unit, form, numeric, places=None):
    """One cell as two texts: the number, and its range where it has one, with so many decimals."""
    value = table[name].iloc[place] if name in table.columns else None
    if not numeric:
        return text_cell(value, unit, form), ""
    options = {"form": form, "bare": True, "places": places}
    if not has_range(table.columns, name):
        return number(value, unit, **options), ""
    low, high = table[f"{name}_low"].iloc[place], table[f"{name}_high"].iloc[place]
    ends = span(low, high, unit, **options)
    if value is None:
        return ("", ends) if low < high else (ends, "")
    middle = number(value, unit, **options)
    return (middle, "") if ends in (middle, "–") else (middle, ends)


def text_cell(value, unit, form):
    """A cell of a column of text, in which single numbers and truths may stand."""
    value = value.item() if hasattr(value, "item") else value  # NumPy's scalars as Python's
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, unit, form=form, bare=True)
    return text(value)


def sources(*findings):
    """The sources of a page, those of its findings, each once: what, who, when, under which licence."""
    rows = list({source["id"]: source for found in findings for source in found.cited}.values())
    if not rows:
        raise ValueError("tables.sources() got no findings with sources")
    body, lines = "", ["Sources"]
    for source in rows:
        title, url = spoken(source["title"]), str(source.get("url") or "")
        link = f'<a href="{escape(url)}">{title}</a>' if url.startswith(("https://", "http://")) else title
        others = [text(source.get(field)) for field in ("publisher", "published", "licence")]
        body += f'<tr><th scope="row">{link}</th>' + "".join(f"<td>{escape(t)}</td>" for t in others) + "</tr>\n"
        lines.append(" | ".join([source["title"], *others, url]))
    titles = ("Source", "Publisher", "Published", "Licence")
    heads = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return Html(framed(f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>", "Sources"), "\n".join(lines))


def verdicts(found, root=""):
    """The claims that a page discusses, folded: statement, printed and recomputed figure, verdict, link to the ledger.

    ``found`` is a finding with the columns of :func:`claims`; ``root`` is the way from the page to the top of the site.
    """
    table = found.table
    body, lines = "", [f"{len(table)} claims of the documents"]
    for row in table.to_dict("records"):
        slug, words = VERDICTS[row["verdict"]]
        claimed, recomputed = text(quantity(row, "claimed")), text(quantity(row, "recomputed"))
        more = f"<br>{escape(row['assumption'])}" if slug == "assumption" else ""
        link = f'<a class="number" href="{root}claims.html#{escape(row["id"])}">{escape(row["statement"])}</a>'
        body += (f'<tr><th scope="row">{link}</th>'
                 f'<td>{escape(claimed)}</td><td>{escape(recomputed)}</td>'
                 f'<td><span class="verdict verdict-{slug}">{words}</span>{more}</td></tr>\n')
        lines.append(" | ".join([row["statement"], claimed, recomputed, words]))
    heads = "".join(f'<th scope="col">{title}</th>' for title in ("Claim", "Printed", "Recomputed", "Verdict"))
    found = Counter(row["verdict"] for row in table.to_dict("records"))
    counts = ", ".join(f"{found[name]} {counted(name, found[name])}" for name in VERDICTS if found[name])
    inside = framed(f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>", lines[0])
    return Html(fold(f"{lines[0]}: {counts}", inside), "\n".join(lines))


def text(value):
    """A cell as text; an empty cell is a dash, which a screen reader does not skip."""
    return "–" if value is None or value != value or value == "" else str(value)

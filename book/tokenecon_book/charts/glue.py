"""What a notebook keeps of a finding for its page and for others: a text with its named quantities, what is behind a table."""

import re

from IPython.display import display

from tokenecon_book.charts.axes import has_range

PREFIX = "application/papermill.record/"  # where MyST-NB and papermill look for what was kept


def glue(key, finding, part=""):
    """Keep the sentence of a finding, or one of its named texts, under a key.

    Parameters
    ----------
    key : str
        Under which ``{glue:text}`` finds it.
    finding : tokenecon.finding.Finding
        Whose text it is.
    part : str
        Name of the text among the finding's values; the sentence where none is given.
    """
    text = finding[part] if part else finding.sentence
    display({PREFIX + "text/plain": repr(text)}, raw=True, metadata={
        "scrapbook": {"name": key, "mime_prefix": PREFIX}, "quantities": written(finding, text)})


def written(finding, text):
    """The named quantities that stand in a text, as dicts; the last digits of a value differ between machines."""
    def rounded(value):
        return None if value is None else float(f"{value:.12g}")

    return [one._asdict() | {"value": rounded(one.value), "case": dict(one.case), "low": rounded(one.low),
                             "high": rounded(one.high)} for one in finding.quantities
            if re.search(rf"(?<![\w.]){re.escape(one.text)}(?!\w|[.,]\d)", text)]


CLAIMED = "claimed:"  # before the kind of the range of a number that the documents claim
PLACES = 2  # places in a source, and rows of a table of data/, that a card names one by one
FEW = 6
IDS = ("gpu", "model")  # columns that say which rows of data/ a row of a table is of


def pedigree(of, caption, mark, table, columns, range):
    """What the cards of a table's numbers need beside the table itself; kept in the notebook, as a dict.

    Parameters
    ----------
    of : tokenecon.finding.Finding
        What the numbers are from.
    caption, mark : str
        What the table is called, and its address in its page.
    table : pandas.DataFrame
        The numbers.
    columns : dict
        Columns that are shown, to their heading and their unit.
    range : str, dict or list
        Kind of the ranges, or that of each column, which may be a list of those of its rows, or of each row.

    Returns
    -------
    dict
        ``columns`` hold unit, kind of range or list of those of its rows, and whether it is text, of each, ``sources`` the
        places in each, ``behind`` the number of rows of each table of ``data/`` and the ids of few, ``of`` the accelerator and
        the model of each row, ``makers`` the functions that made the numbers.
    """
    sources, behind = {source: {} for source in of.sources}, {}
    for (name, row_id), row in of.behind.items():
        behind.setdefault(name, []).append(row_id)
        if row.get("locator") and row.get("source") in sources:
            sources[row["source"]][row["locator"]] = None
    kinds = {name: range.get(name) if isinstance(range, dict) else range for name in columns}
    kinds = {name: kind for name, kind in kinds.items()  # of numbers without a range it is known which the documents claim
             if has_range(table.columns, name) or (isinstance(range, dict) and isinstance(kind, list))}
    ids = {name: [text if isinstance(text, str) else "" for text in table[name]] for name in IDS if name in table.columns}
    return {
        "id": mark, "caption": caption,
        "columns": [{"head": title, "unit": unit or "", "range": kinds.get(name) or "",
                     "text": not has_range(table.columns, name) and table[name].dtype.kind not in "iuf"}
                    for name, (title, unit) in columns.items()],
        "sources": [[source, list(places)[:PLACES], len(places)] for source, places in sources.items()],
        "behind": [[name, len(rows), rows if len(rows) <= FEW else []] for name, rows in behind.items()],
        "of": ids, "makers": list(of.makers),
    }

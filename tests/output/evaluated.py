"""Formulas of a workbook worked out without a spreadsheet: those that ours write, as Python."""

import re

from openpyxl.utils import range_boundaries

TOKEN = re.compile(r"""(?P<text>"[^"]*")|(?P<range>\$?[A-Z]+\$?\d+:\$?[A-Z]+\$?\d+)
    |(?:(?P<sheet>'[^']+'|[A-Za-z][\w-]*)!)?(?P<cell>\$?[A-Z]{1,2}\$?\d+)\b|(?P<call>[A-Z]+)\(|(?P<name>[a-z]\w*)
    |(?P<rest>.)""", re.X)
CALLS = {"SUM": "total", "MIN": "min", "MAX": "max", "IF": "choose", "AND": "every"}


def value(book, sheet, place):
    """The value of a cell such as ``B4``."""
    content = book[sheet][place.replace("$", "")].value
    if not (isinstance(content, str) and content.startswith("=")) or book[sheet][place.replace("$", "")].data_type != "f":
        return content
    return eval(_python(book, sheet, content[1:]), {
        "total": sum, "min": min, "max": max, "choose": lambda test, yes, no: yes if test else no,
        "every": lambda *all_: all(all_),
        "value": lambda where, at: value(book, where, at),
        "span": lambda where, area: [value(book, where, cell.coordinate) for row in book[where].iter_rows(
            **dict(zip(("min_col", "min_row", "max_col", "max_row"), range_boundaries(area), strict=True))) for cell in row]})


def _python(book, sheet, text):
    out = []
    for found in TOKEN.finditer(text):
        if found["range"]:
            out.append(f"span({sheet!r}, {found['range']!r})")
        elif found["cell"]:
            out.append(f"value({(found['sheet'] or sheet).strip(chr(39))!r}, {found['cell']!r})")
        elif found["call"]:
            out.append(CALLS[found["call"]] + "(")
        elif found["name"]:
            where, at = book.defined_names[found["name"]].attr_text.replace("'", "").split("!")
            out.append(f"value({where!r}, {at!r})")
        else:
            out.append({"^": "**", "=": "=="}.get(found[0], found[0]))
    return "".join(out)

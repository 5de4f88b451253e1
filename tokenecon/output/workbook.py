"""A report as a spreadsheet: one sheet a table, inputs on a sheet of their own, a bill of live formulas, sources on the last."""

import math
import re

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from tokenecon import __version__, data, files
from tokenecon.catalogue import TITLE
from tokenecon.errors import BadInput
from tokenecon.output.packed import noon, packed
from tokenecon.prices import price_book

MOST_ROWS = 1_048_000  # of a sheet, less what stands above the table
HEAD, TABLE_ROW = 1, 3  # rows of the title and of the head of a table
FACE = "Calibri"  # of openpyxl's plain cells
BOLD, TITLED, LIGHT = Font(FACE, bold=True), Font(FACE, bold=True, size=14), Font(FACE, color="FF595959")
FILLED, LIVE = PatternFill("solid", fgColor="FFE7ECF3"), PatternFill("solid", fgColor="FFFFF6D6")
CHANGEABLE = Font(FACE, color="FF0B3D91", bold=True)
RULE = Border(bottom=Side(style="thin", color="FF8A94A6"))
WIDEST, NARROWEST, LINE_PT = 60, 9, 15
ENDS = {"_low": "low end", "_high": "high end"}
SOURCE_COLUMNS = {"id": "Id", "publisher": "Publisher", "title": "Title", "published": "Published", "accessed": "Read on",
                  "url": "Address", "licence": "Licence"}


def write(report, path, bill=None):
    """A report (:mod:`tokenecon.decision.report`) as an .xlsx file, which is replaced whole; the same report, the same bytes.

    ``bill(book, inputs)`` fills the sheet ``bills`` with formulas on the sheet of the inputs, in place of its numbers.
    """
    checked(path)
    book = new(report["scenario"].as_of)
    answer(book, report)
    if bill is not None:
        bill(book, report)
    for title, key, table, columns in report["sections"]:
        if not (bill is not None and key == "bills"):
            tabled(book, words(key), title, table, columns)
    sources(book, report["sources"], report["command"], report.get("own_facts_used", ""))
    save(book, path, report["scenario"].as_of)


def checked(path):
    """Refuse a name that is none of a spreadsheet."""
    if not str(path).lower().endswith(".xlsx"):
        raise BadInput(f"file '{path}' is of no known kind; give --xlsx a name that ends in .xlsx")


def new(day):
    """An empty workbook of a day, computed anew when it is opened."""
    book = Workbook()
    book.remove(book.active)
    book.calculation.fullCalcOnLoad = True
    book.properties.creator = book.properties.title = TITLE
    book.properties.created = noon(day)
    return book


def save(book, path, day):
    """Write the workbook in place of a file."""
    content = packed(book.save, day)
    with files.replaced(path, binary=True) as file:
        file.write(content)


def words(key):
    """The name of a table's sheet.

    >>> words("api_sellers"), words("break_even"), words("inputs")
    ('API sellers', 'Break even', 'Drawn')
    """
    if key == "inputs":  # of the draws; the sheet Inputs is that of the bill
        return "Drawn"
    text = key.replace("_", " ")
    return f"API{text[3:]}" if text.startswith("api") else text[0].upper() + text[1:]


# --- cells -----------------------------------------------------------------------------------------


def put(sheet, row, column, value, *, font=None, fill=None, form=None, wrap=False):
    """A value in a cell: a text stays text whatever it begins with, and what no number is stays blank; the cell."""
    cell = sheet.cell(row, column)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        value = "∞" if value == math.inf else None
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("?", value)
    cell.value = value if isinstance(value, str | int | float | type(None)) else str(value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=wrap, vertical="top")
    if font:
        cell.font = font
    if fill:
        cell.fill = fill
    if form and not isinstance(value, str | bool):
        cell.number_format = form
    return cell


def formula(sheet, row, column, text, form="#,##0.00"):
    """A formula in a cell."""
    sheet.cell(row, column, text).number_format = form


def form_of(unit):
    """How a spreadsheet shows a number of a unit.

    >>> form_of("USD/month"), form_of("fraction"), form_of(None)
    ('#,##0', '0.0%', 'General')
    """
    if unit in ("USD/month", "USD"):
        return "#,##0"
    if unit == "fraction":
        return "0.0%"
    if unit and unit.startswith("USD/"):
        return "#,##0.00##"
    return "#,##0.##" if unit in ("request/day", "count", "GPU", "month") else "General"


def headed(sheet, title, heads, row=TABLE_ROW, note=""):
    """The title of a sheet and the heads of its table, which stay in view."""
    put(sheet, HEAD, 1, title, font=TITLED)
    if note:
        put(sheet, HEAD + 1, 1, note, font=LIGHT)
    for place, head in enumerate(heads, 1):
        cell = put(sheet, row, place, head, font=BOLD, fill=FILLED, wrap=True)
        cell.border = RULE
    sheet.row_dimensions[row].height = 3 * LINE_PT  # a head may take three lines
    sheet.freeze_panes = sheet.cell(row + 1, 2)


def fitted(sheet, start=TABLE_ROW):
    """Columns as wide as what stands in them from a row on."""
    for column in sheet.iter_cols(min_row=start):
        longest = max((max(map(len, str(cell.value).split("\n"))) for cell in column
                       if cell.value is not None and not str(cell.value).startswith("=")), default=0)
        sheet.column_dimensions[get_column_letter(column[0].column)].width = min(max(longest + 2, NARROWEST), WIDEST)
    sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = "landscape", 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


# --- sheets ----------------------------------------------------------------------------------------


def answer(book, report):
    """What was found, in sentences."""
    sheet, case = book.create_sheet("Answer"), report["scenario"]
    put(sheet, HEAD, 1, f"{case.name}: {case.model}, prices known on {case.as_of}", font=TITLED)
    said = [f"{one}." for one in report["findings"]]
    for row, text in enumerate([*said, "", report["note"]], TABLE_ROW):
        put(sheet, row, 1, text, wrap=True, font=LIGHT if text == report["note"] else None)
    sheet.column_dimensions["A"].width = 110


def tabled(book, name, title, table, columns):
    """A table with the columns that a reader is shown, each with its unit and, where there is one, its range."""
    sheet, shown = book.create_sheet(name), []
    for column, (head, unit) in columns.items():
        shown.append((column, head, unit))
        shown += [(column + end, f"{head or column}, {said}", unit) for end, said in ENDS.items()
                  if column + end in table and column in table]
    heads = [f"{head[:1].upper()}{head[1:]}" + (f"\n{unit}" if unit and unit != "1" else "") for _, head, unit in shown]
    headed(sheet, title, heads)
    rows(sheet, [[row.get(column) for column, _, _ in shown] for row in table.to_dict("records")],
         [form_of(unit) for _, _, unit in shown])
    fitted(sheet)


def rows(sheet, values, forms):
    """Rows below the head of a table."""
    if len(values) > MOST_ROWS:
        raise BadInput(f"a sheet holds at most {MOST_ROWS:,} rows, but there are {len(values):,}; write .csv or .parquet")
    for row, cells in enumerate(values, TABLE_ROW + 1):
        for place, (value, form) in enumerate(zip(cells, forms, strict=True), 1):
            put(sheet, row, place, value, form=form)


def sources(book, ids, command, own_facts=""):
    """What it was made with, and where its facts are from."""
    sheet = book.create_sheet("Sources")
    made = [("Made with", f"{TITLE}, version {__version__}, facts until {price_book.newest_date()}"), ("Command", command)]
    made += [("Your own facts", own_facts)] if own_facts else []
    put(sheet, HEAD, 1, "Sources and version", font=TITLED)
    for row, (what, text) in enumerate(made, HEAD + 1):
        put(sheet, row, 1, what, font=BOLD)
        put(sheet, row, 2, text)
    start = HEAD + len(made) + 2
    for place, head in enumerate(SOURCE_COLUMNS.values(), 1):
        put(sheet, start, place, head, font=BOLD, fill=FILLED)
    for row, one in enumerate(map(data.source, ids), start + 1):
        for place, column in enumerate(SOURCE_COLUMNS, 1):
            cell = put(sheet, row, place, one[column])
            if column == "url" and re.match("https?://", str(one[column])):
                cell.hyperlink, cell.font = str(one[column]), Font(FACE, color="FF0B3D91", underline="single")
    fitted(sheet, start)

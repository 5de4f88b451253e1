"""Estimates of many cases as a spreadsheet: cases, results whose costs are formulas, GPU-hours, sources."""

import shlex

import pandas as pd

from tokenecon import data, queries
from tokenecon.errors import NoPrice
from tokenecon.output import workbook
from tokenecon.output.workbook import CHANGEABLE, LIVE, TABLE_ROW, fitted, formula, headed, put, rows
from tokenecon.prices import price_book
from tokenecon.serving import case_files, lookups, results

COSTS = tuple(name for name in results.RESULTS if name.startswith("usd_"))
PRICE, BUSY = "usd_per_gpu_hour", "utilisation"


def run(cases, out, intervals, percentiles, path):
    """:func:`tokenecon.serving.case_files.run`, and the same as a spreadsheet, replaced whole; rows, and those with an error."""
    workbook.checked(path)
    parts = []
    with queries.recording() as asked:
        told = case_files.run(cases, out, intervals, percentiles, parts.append)
        table = priced(pd.concat(parts, ignore_index=True) if len(parts) != 1 else parts[0])
    options = "" if intervals else " --no-intervals"
    options += " --percentiles" if percentiles else ""
    write(table, path, f"tokenecon estimate {shlex.quote(str(cases))}{options} --xlsx {shlex.quote(str(path))}",
          data.sources_of(tuple(asked)))
    return told


def priced(table):
    """The results with the price of an hour and the busy share that each was computed with, where a case left them blank."""
    stated = pd.to_numeric(table.get(PRICE, pd.Series(float("nan"), table.index)), errors="coerce")
    known = {gpu: _price(gpu) for gpu in table.loc[stated.isna() & (table["error"] == ""), "gpu"].unique()}
    busy = pd.to_numeric(table.get(BUSY, pd.Series(float("nan"), table.index)), errors="coerce")
    return table.assign(**{PRICE: stated.fillna(table["gpu"].map(known)), BUSY: busy.fillna(1.0)})


def _price(gpu):
    try:
        return lookups.usd_per_gpu_hour(gpu)
    except NoPrice:
        return float("nan")


def write(table, path, command, sources):
    """Sheets Inputs, Results, GPU-hours and Sources."""
    day, book = price_book.newest_date(), workbook.new(price_book.newest_date())
    first = list(table.columns).index("fits")  # what stands before it the case states
    given = [name for name in table.columns[:first] if name not in (PRICE, BUSY)] + [PRICE, BUSY]
    found = [name for name in table.columns if name not in given]
    costs = [name for name in found if name.removesuffix("_low").removesuffix("_high") in COSTS]
    _inputs(book, table, given)
    _results(book, table, found, costs, given)
    _hours(book, table, costs)
    workbook.sources(book, sources, command)
    workbook.save(book, path, day)


def _inputs(book, table, given):
    sheet = book.create_sheet("Inputs")
    headed(sheet, "Cases", given,
           note="Yellow: change it here, and the costs of the sheet Results follow. All others need a new run.")
    rows(sheet, table[given].to_numpy(dtype=object).tolist(), ["General"] * len(given))
    for line in range(TABLE_ROW + 1, TABLE_ROW + 1 + len(table)):
        for column in (len(given) - 1, len(given)):
            cell = sheet.cell(line, column)
            cell.fill, cell.font = LIVE, CHANGEABLE
    fitted(sheet)


def _results(book, table, found, costs, given):
    """Results; a cost is the price of an hour times the GPU-hours of a million tokens, over the busy share."""
    sheet = book.create_sheet("Results")
    names = [given[0], *found]
    headed(sheet, "Results, with the 80% interval of the model", names)
    rows(sheet, table[names].to_numpy(dtype=object).tolist(), ["General"] * len(names))
    letter = workbook.get_column_letter
    price, busy = letter(len(given) - 1), letter(len(given))
    for place, name in enumerate(costs, 2):
        held = letter(place)
        for row, usd in enumerate(table[name], TABLE_ROW + 1):
            if usd == usd:
                formula(sheet, row, names.index(name) + 1, f"=Inputs!{price}{row}*'GPU-hours'!{held}{row}/Inputs!{busy}{row}",
                        workbook.form_of("USD/Mtok"))
    fitted(sheet)


def _hours(book, table, costs):
    """GPU-hours that a million tokens of each kind take while the machines work."""
    sheet = book.create_sheet("GPU-hours")
    headed(sheet, "GPU-hours of work for a million tokens", ["case", *(name.replace("usd_", "gpu_hours_") for name in costs)])
    for row, one in enumerate(table.to_dict("records"), TABLE_ROW + 1):
        put(sheet, row, 1, row - TABLE_ROW)
        for place, name in enumerate(costs, 2):
            put(sheet, row, place, one[name] * one[BUSY] / one[PRICE] if one[PRICE] else None)
    fitted(sheet)

"""The bill of a spreadsheet as formulas: lines of a month from inputs and prices that the reader may change."""

import re

from openpyxl.workbook.defined_name import DefinedName

from tokenecon import data, units
from tokenecon.calculator import work
from tokenecon.decision import horizon, scenario_prices
from tokenecon.errors import NoPrice
from tokenecon.output.workbook import (
    BOLD,
    CHANGEABLE,
    FILLED,
    LIGHT,
    LINE_PT,
    LIVE,
    TABLE_ROW,
    TITLED,
    fitted,
    formula,
    headed,
    put,
)
from tokenecon.ownership import owned_hour

MARKS = "ABCDEFGH"  # of several scenarios
SAME = 1e-12  # relative difference of what is equal
# inputs that the formulas follow: (unit, meaning)
FOLLOWED = {
    "requests_per_day": ("request/day", "Requests of a day; machines stay those of the run, see below"),
    "isl": ("tok", "Prompt tokens of a request; machines stay those of the run"),
    "osl": ("tok", "Answer tokens of a request; machines stay those of the run"),
    "cached_prefix": ("fraction", "Share of the prompt found in a cache; machines stay those of the run"),
    "people": ("count", "Positions that run machines"),
    "api_people": ("count", "Positions that look after an API"),
    "usd_per_person_year": ("USD/yr", "What a position costs in a year"),
    "ops_overhead": ("fraction", "Tools and tests over machines"),
    "years": ("yr", "Life of a machine, and the horizon"),
    "discount_rate": ("fraction", "Cost of capital in a year"),
    "usd_per_kwh": ("USD/kWh", "Electricity"),
    "pue": ("ratio", "Cooling and losses, PUE"),
    "requests_per_task": ("request", "Requests of a task, with those sent again"),
    "users": ("count", "Users who share the bill"),
    "tenants": ("count", "Tenants who share the bill"),
    "usd_per_unit": ("USD", "US dollars for one unit of the other currency"),
}  # fmt: skip
SIZING = ("requests_per_day", "isl", "osl", "cached_prefix")  # change the machines, which only a new run can size
# inputs that only a new run follows
FIXED = {
    "model": "Model", "limits": "Limits of latency, ms",
    "weights": "Format of the weights", "kv": "Format of the KV cache", "gpus": "Accelerators",
    "n_gpus": "GPUs of an instance, where stated", "growth_per_year": "Growth in a year", "ttft_ms": "Limit of the mean TTFT, ms",
    "tpot_ms": "Limit of the mean TPOT, ms", "wait_probability": "Share of requests that may wait",
    "spare_replicas": "Replicas that stand ready", "as_of": "Day of the prices", "price_rule": "Which offers set a price",
    "interruptible": "May be interrupted", "scale_to_zero": "Stops where nobody asks", "seed": "Of the draws",
}  # fmt: skip
CONSTANTS = {"seconds_per_day": (units.SECONDS_PER_DAY, "s"),
             "hours_per_month": (units.HOURS_PER_MONTH, "h"), "days_per_year": (units.DAYS_PER_YEAR, "day"),
             "months_per_year": (units.MONTHS_PER_YEAR, "month"), "tokens_per_mtok": (units.convert(1.0, "Mtok", "tok"), "tok")}
API_PRICES = {"api_usd_per_mtok_in": "input", "api_usd_per_mtok_cached": "cached", "api_usd_per_mtok_out": "output"}
CHOICE = {  # what a bill is made of: (head, form)
    "gpus": ("GPUs paid", "#,##0.00"), "utilisation": ("Busy share", "0.0%"), "spare_share": ("Spare share", "0.0%"),
    "usd_per_gpu_hour": ("USD per GPU-hour", "#,##0.00##"), "top_gpus": ("GPUs on top", "#,##0.00"),
    "top_utilisation": ("Busy share on top", "0.0%"), "top_usd_per_gpu_hour": ("USD per GPU-hour on top", "#,##0.00##"),
    "api_share": ("Share of tokens to the API", "0.0%"), "months": ("Months committed", "0"),
    "requests_per_s": ("Requests a second", "#,##0.00##"),
}  # fmt: skip
SHARED = ("years", "discount_rate", "usd_per_kwh", "pue", "residual_share")  # inputs of an owned hour that stand above
BILL = {"name": "Choice", "month": "A month", "machines": "Machines that work", "idle": "Machines that wait",
        "spare": "Spare machines", "power": "Power", "support": "Repairs, hall and hands", "tools": "Tools and tests",
        "people": "People", "tokens": "Tokens of the API", "marginal": "A month without people", "capital": "Capital in machines",
        "committed": "To be paid whatever comes", "months": "For so many months", "usd_per_mtok": "USD per million tokens",
        "usd_per_task": "USD per task", "usd_per_user_month": "USD per user and month",
        "usd_per_tenant_month": "USD per tenant and month", "per_month": "A month in the other currency",
        "check": "Check"}  # fmt: skip
LINES = ("machines", "idle", "spare", "power", "support", "tools", "people", "tokens")
# lines of the bill that a case without an input does not have
NEED = {"tools": "ops_overhead", "people": "people", "tokens": "people", "marginal": "people",
        "usd_per_task": "requests_per_task", "usd_per_user_month": "users", "usd_per_tenant_month": "tenants",
        "per_month": "usd_per_unit"}  # fmt: skip
FINE = ("usd_per_mtok", "usd_per_task", "usd_per_user_month")  # shown with cents


def bill(book, report, mark=""):
    """The sheets of the inputs and of the bill of a report; every number of the bill follows what is typed on the first.

    Of several scenarios each has its own two sheets and names of cells, told apart by a ``mark`` such as "A".
    """
    page = f"Inputs {mark}".strip()
    at = inputs(book, report, mark)
    sheet = book.create_sheet(f"Bill {mark}".strip())
    of_whom = f" of {report['scenario'].name}" if mark else ""
    stated = followed(report["scenario"])
    heads = {name: head for name, head in BILL.items() if NEED.get(name, name) in stated or name not in NEED}
    column = {name: chr(ord("A") + place) for place, name in enumerate(heads)}
    headed(sheet, f"The bill of a month{of_whom} in USD, from the sheet {page}", heads.values(),
           note=f"Each cell is a formula: change a yellow cell of the sheet {page}, and the bill follows. Other sheets are as "
                "computed by the command on the last sheet.")
    for row, of in enumerate(report["operands"], TABLE_ROW + 1):
        put(sheet, row, 1, of["name"])
        for name, text in lines(at[of["name"]], row, column).items():
            formula(sheet, row, 1 + list(heads).index(name), marked(text, mark), "#,##0.00##" if name in FINE else "#,##0")
    fitted(sheet)
    for name in list(heads)[1:-1]:
        sheet.column_dimensions[column[name]].width = 12
    sheet.column_dimensions[column["check"]].width = 60


def followed(case):
    """The inputs of a case that the formulas follow."""
    stated = vars(case) | ({"requests_per_task": work.requests(case.task)["requests"]} if case.task else {})
    return {name: float(stated[name]) for name in FOLLOWED if stated.get(name) is not None}


def bills(book, report):
    """Inputs and bills of the scenarios of a comparison, two sheets each."""
    for mark, one in zip(MARKS, report["scenarios"], strict=False):
        bill(book, one, mark)


def marked(text, mark):
    """A formula on the names and sheets of a marked scenario.

    >>> marked('=isl*Inputs!$B$4+IF(isl>1,"isl",0)', "B")
    '=isl_b*\'Inputs B\'!$B$4+IF(isl_b>1,"isl",0)'
    """
    if not mark:
        return text
    parts = text.split('"')
    for place in range(0, len(parts), 2):  # outside of texts
        parts[place] = re.sub(r"\b[a-z][a-z_]+\b", rf"\g<0>_{mark.lower()}", parts[place]).replace("Inputs!", f"'Inputs {mark}'!")
    return '"'.join(parts)


def lines(cell, row, column):
    """The formulas of one choice's row of the bill, as far as it has a ``column``; ``cell`` names what it is made of."""
    found = dict.fromkeys(LINES, "=0") | {"capital": "=0", "committed": "=0", "months": "=0", "check": "=\"\""}
    if "gpus" in cell:
        month = f"{cell['gpus']}*{cell['machine_hour']}*hours_per_month"
        busy = f"MIN({cell['utilisation']},1)"
        spare = f"MIN({cell['spare_share']},1-{busy})"
        found |= {"machines": f"={month}*{busy}", "spare": f"={month}*{spare}", "idle": f"={month}*(1-{busy}-{spare})"}
        if "top_gpus" in cell:
            top = f"{cell['top_gpus']}*{cell['top_usd_per_gpu_hour']}*hours_per_month"
            used = f"MIN({cell['top_utilisation']},1)"
            found["machines"] += f"+{top}*{used}"
            found["idle"] += f"+{top}*(1-{used})"
        found["check"] = ('=IF(machines_as_sized,"","Machines are those of the load that was computed: run the command of the '
                          'last sheet with the new load")')
        if "power_hour" in cell:
            found |= {"power": f"={cell['gpus']}*{cell['power_hour']}*hours_per_month",
                      "support": f"={cell['gpus']}*{cell['support_hour']}*hours_per_month",
                      "capital": f"={cell['gpus']}*{cell['purchase']}/{cell['availability']}",
                      "committed": f"={column['capital']}{row}", "months": "=years*months_per_year"}
        else:
            found |= {"months": f"={cell['months']}",
                      "committed": f"={cell['months']}*{cell['gpus']}*{cell['usd_per_gpu_hour']}*hours_per_month"}
        found["tools"] = f"=ops_overhead*SUM({column['machines']}{row}:{column['support']}{row})"
    if "api_share" in cell:
        found["tokens"] = f"={cell['api_share']}*api_usd_per_mtok*mtok_per_month"
    positions = [name for name, holds in (("people", "gpus" in cell), ("api_people", "api_share" in cell)) if holds]
    found["people"] = f"=({'+'.join(positions)})*usd_per_person_year/months_per_year"
    last = [name for name in LINES if name in column][-1]
    found["month"] = f"=SUM({column['machines']}{row}:{column[last]}{row})"
    found["marginal"] = f"={column['month']}{row}-{column.get('people')}{row}"
    return {name: text for name, text in (found | _per(cell, f"{column['month']}{row}")).items() if name in column}


def _per(cell, month):
    """What a bill comes to by token, task, user, tenant, and in another currency; ``cell`` may say what its choice serves."""
    day = f"{cell['requests_per_s']}*seconds_per_day" if "requests_per_s" in cell else "requests_per_day"
    mtok = f"({day}*(isl+osl)/tokens_per_mtok*days_per_year/months_per_year)" if "requests_per_s" in cell else "mtok_per_month"
    return {"usd_per_mtok": f"={month}/{mtok}", "per_month": f"={month}/usd_per_unit",
            "usd_per_task": f"={month}*months_per_year/days_per_year*requests_per_task/({day})",
            "usd_per_user_month": f"={month}/users", "usd_per_tenant_month": f"={month}/tenants"}


# --- inputs ----------------------------------------------------------------------------------------


def inputs(book, report, mark=""):
    """The sheet of the inputs; gives each choice's cells by what stands in them."""
    sheet, case = book.create_sheet(f"Inputs {mark}".strip()), report["scenario"]
    headed(sheet, f"Inputs: {case.name}", ("Input", "Value", "As computed", "Unit", "What it is"),
           note="Yellow: change it here, and the sheet Bill follows. All others need a new run of the command on the last sheet.")
    row, stated = TABLE_ROW + 1, followed(case)
    for name, value in stated.items():
        row = _named(book, sheet, row, name, value, *FOLLOWED[name], live=True)
    if hasattr(case, "years"):
        row = _residual(book, sheet, row, case)
    if any("api_share" in of for of in report["operands"]):
        row = _api(book, sheet, row, case)
    for name, (value, unit) in CONSTANTS.items():
        row = _named(book, sheet, row, name, value, unit, "By definition")
    if "requests_per_day" in stated:
        row = _derived(book, sheet, row, "mtok_per_month",
                       "=requests_per_day*(isl+osl)/tokens_per_mtok*days_per_year/months_per_year", "Mtok", "Tokens of a month")
    same = ",".join(f"B{at}=C{at}" for at, name in enumerate(stated, TABLE_ROW + 1) if name in SIZING)
    row = _derived(book, sheet, row, "machines_as_sized", f"=AND({same})", "", "Whether the machines fit the load above")
    at = _choices(sheet, row + 1, report["operands"])
    row = row + len(report["operands"]) + 4
    row = _owned(sheet, row, report["operands"], at, mark)
    put(sheet, row + 1, 1, "Only a new run follows these", font=TITLED)
    for line, name in enumerate((name for name in FIXED if hasattr(case, name)), row + 2):
        value, words = getattr(case, name), FIXED[name]
        text = (", ".join(f"{key} {one:g}" for key, one in value.items()) if isinstance(value, dict) else
                ", ".join(map(str, value)) if isinstance(value, list | tuple) else value)
        put(sheet, line, 1, name, font=LIGHT)
        put(sheet, line, 2, "not stated" if text in (None, "") else text)
        put(sheet, line, 5, words, font=LIGHT)
    fitted(sheet)
    for letter in "BCDEFGHIJK":
        sheet.column_dimensions[letter].width = 17
    return at


def _define(book, sheet, name, row):
    mark = sheet.title.removeprefix("Inputs").strip()
    named = f"{name}_{mark.lower()}" if mark else name
    book.defined_names[named] = DefinedName(named, attr_text=marked(f"Inputs!$B${row}", mark))


def _named(book, sheet, row, name, value, unit, meaning, live=False):
    """A value with its name; the next row."""
    put(sheet, row, 1, name)
    put(sheet, row, 2, value, form="General", font=CHANGEABLE if live else None, fill=LIVE if live else None)
    put(sheet, row, 4, unit, font=LIGHT)
    put(sheet, row, 5, meaning)
    if live:
        put(sheet, row, 3, value, font=LIGHT)
    _define(book, sheet, name, row)
    return row + 1


def _derived(book, sheet, row, name, text, unit, meaning):
    put(sheet, row, 1, name)
    formula(sheet, row, 2, marked(text, sheet.title.removeprefix("Inputs").strip()), "General")
    put(sheet, row, 4, unit, font=LIGHT)
    put(sheet, row, 5, meaning)
    _define(book, sheet, name, row)
    return row + 1


def _residual(book, sheet, row, case):
    """The share of its price that a machine sells for: stated, or on a straight line to that at the end of its life."""
    at_end = data.value("finance.residual")
    if abs(case.residual_share - horizon.resale_share(case.years, at_end)) > SAME:
        return _named(book, sheet, row, "residual_share", case.residual_share, "fraction", "Resale value over the price",
                      live=True)
    row = _named(book, sheet, row, "residual_at_end", at_end, "fraction", "Resale value at the end of its life", live=True)
    row = _named(book, sheet, row, "life_years", data.value("finance.life"), "yr", "Until then", live=True)
    return _derived(book, sheet, row, "residual_share", "=1-(1-residual_at_end)*MIN(years,life_years)/life_years", "fraction",
                    "Resale value after the years above")


def _api(book, sheet, row, case):
    """Prices of the API by kind of token, and of a million tokens of this mix."""
    try:
        price = scenario_prices.api(case)
    except NoPrice:
        return row
    for name, kind in API_PRICES.items():
        row = _named(book, sheet, row, name, float(price[kind][1]), "USD/Mtok", f"{kind} tokens of the API: {price['said']}",
                     live=True)
    return _derived(book, sheet, row, "api_usd_per_mtok", (
        "=(isl*(1-cached_prefix)*api_usd_per_mtok_in+isl*cached_prefix*api_usd_per_mtok_cached+osl*api_usd_per_mtok_out)/(isl+osl)"),
        "USD/Mtok", "A million tokens of this mix; another mix may have another seller in the middle")


def _heads(sheet, row, title, heads):
    put(sheet, row, 1, title, font=TITLED)
    for place, head in enumerate(heads, 1):
        put(sheet, row + 1, place, head, font=BOLD, fill=FILLED, wrap=True)
    sheet.row_dimensions[row + 1].height = 2 * LINE_PT
    return row + 2


def _choices(sheet, row, operands):
    """What each choice's bill is made of; the cells of each."""
    said = {name: how for name, how in CHOICE.items() if any(name in of for of in operands)}
    row, at = _heads(sheet, row, "Choices: machines and prices", ["Choice", *(head for head, _ in said.values())]), {}
    for line, of in enumerate(operands, row):
        put(sheet, line, 1, of["name"])
        cells = at.setdefault(of["name"], {})
        for place, (name, (_, form)) in enumerate(said.items(), 2):
            if name not in of or (name in ("usd_per_gpu_hour", "months") and of.get("owned")):
                continue
            cell = put(sheet, line, place, float(of[name]), form=form, font=CHANGEABLE, fill=LIVE)
            cells[name] = f"Inputs!${cell.column_letter}${line}"
        if "usd_per_gpu_hour" in cells:
            cells["machine_hour"] = cells["usd_per_gpu_hour"]
    return at


def _owned(sheet, row, operands, at, mark):
    """Inputs and parts of an owned hour, one column a choice; adds their cells, and gives the next row."""
    owned = [of for of in operands if of.get("owned")]
    if not owned:
        return row
    row = _heads(sheet, row, "Owned hours: inputs of machines, and what an hour costs",
                 ["Input", "Unit", *(of["name"] for of in owned)])
    own = [name for name in owned_hour.INPUTS if name not in (*SHARED, "utilisation")]
    parts = ("capital_recovery", "server", "purchase", "machine_hour", "support_hour", "power_hour", "usd_per_gpu_hour")
    for place, name in enumerate([*own, *parts]):
        put(sheet, row + place, 1, owned_hour.INPUTS[name][2] if name in own else name)
        put(sheet, row + place, 2, owned_hour.UNITS.get(name, ""), font=LIGHT)
    for column, of in enumerate(owned, 3):
        cells = {}
        for place, name in enumerate(own):
            cell = put(sheet, row + place, column, float(of["owned"][name]), form="General", font=CHANGEABLE, fill=LIVE)
            cells[name] = f"Inputs!${cell.column_letter}${row + place}"
        at[of["name"]] |= {"availability": cells["availability"]}
        cells |= {part: f"Inputs!${cell.column_letter}${row + len(own) + place}" for place, part in enumerate(parts)}
        for place, text in enumerate(hour(cells, at[of["name"]]["utilisation"]).values()):
            formula(sheet, row + len(own) + place, column, marked(text, mark), "#,##0.00####")
        at[of["name"]] |= {name: cells[name] for name in ("machine_hour", "support_hour", "power_hour", "purchase")}
    return row + len(own) + len(parts) + 1


def hour(of, utilisation):
    """Formulas of an owned hour, part by part, as :mod:`tokenecon.ownership.hour_parts` computes them."""
    usable = f"({units.HOURS_PER_YEAR:.0f}*{of['availability']})"
    annual = f"{of['capital_recovery']}"
    return {
        "capital_recovery": "=IF(discount_rate>0,discount_rate*(1+discount_rate)^years/((1+discount_rate)^years-1),1/years)",
        "server": f"=({of['usd_per_gpu']}+{of['server_parts_usd_per_gpu']})/(1-{of['server_margin']})",
        "purchase": f"={of['server']}+{of['network_usd_per_gpu']}",
        "machine_hour": (f"=({of['server']}*((1-residual_share)*{annual}+residual_share*discount_rate)"
                         f"+{of['network_usd_per_gpu']}*{annual})/{usable}"),
        "support_hour": (f"=({of['purchase']}*{of['upkeep_per_year']}+{of['staff_usd_per_gpu_year']}"
                         f"+{of['space_usd_per_kw_month']}*{of['kw_per_gpu']}*months_per_year)/{usable}"),
        "power_hour": (f"=({of['idle_share']}+({of['busy_share']}-{of['idle_share']})*{utilisation})*{of['kw_per_gpu']}"
                       "*pue*usd_per_kwh"),
        "usd_per_gpu_hour": f"={of['machine_hour']}+{of['support_hour']}+{of['power_hour']}",
    }

"""The bill of a spreadsheet: its formulas give what the command gives, also after an input is changed."""

import csv

import openpyxl
import pytest
from output import evaluated
from output.conftest import SHEETS

from tokenecon.decision import report
from tokenecon.output import live_bill, workbook
from tokenecon.planning import told

OTHER = {"people": 1.5, "usd_per_kwh": 0.23, "ops_overhead": 0.17, "years": 4, "discount_rate": 0.06}
# column of the sheet -> column of the command's table
SAME = {"A month": "usd_per_month", "Machines that work": "usd_per_month_machines", "Machines that wait": "usd_per_month_idle",
        "Spare machines": "usd_per_month_spare", "Power": "usd_per_month_power",
        "Repairs, hall and hands": "usd_per_month_support",
        "Tools and tests": "usd_per_month_tools", "People": "usd_per_month_people", "Tokens of the API": "usd_per_month_tokens",
        "A month without people": "usd_per_month_marginal", "Capital in machines": "capital_usd",
        "To be paid whatever comes": "commitment_usd", "For so many months": "commitment_months"}


def found_bills(made):
    return next(table for _, key, table, _ in made["sections"] if key == "bills").set_index("name")


def written(made, path):
    workbook.write(made, path, live_bill.bill)
    return openpyxl.load_workbook(path)


def changed(book):
    """Types other values into the yellow cells, as a reader does."""
    for row in book["Inputs"].iter_rows(min_row=4):
        if row[0].value in OTHER:
            row[1].value = OTHER[row[0].value]


def by_formulas(book):
    heads = [cell.value for cell in book["Bill"][3]]
    return {row[0].value: {head: evaluated.value(book, "Bill", cell.coordinate) for head, cell in zip(heads, row, strict=True)}
            for row in book["Bill"].iter_rows(min_row=4)}


def equal(bills, rows):
    assert list(rows) == list(bills.index)
    for name, row in rows.items():
        for head, column in SAME.items():
            assert float(row[head]) == pytest.approx(bills.loc[name, column], rel=1e-9, abs=1e-6), f"{name}: {head}"


def test_formulas_give_the_bill_and_follow_their_inputs(small, tmp_path):
    book = written(report.cost(small), tmp_path / "cost.xlsx")
    assert book.sheetnames[:3] == ["Answer", "Inputs", "Bill"] and book.sheetnames[-1] == "Sources"
    numbers = [cell for row in book["Bill"].iter_rows(min_row=4, min_col=2) for cell in row]
    assert all(cell.data_type == "f" for cell in numbers), "no number of the bill is typed"
    equal(found_bills(report.cost(small)), by_formulas(book))
    changed(book)
    equal(found_bills(report.cost(small, None, [f"{name}={value}" for name, value in OTHER.items()])), by_formulas(book))


def test_bases_with_something_on_top_have_formulas_too(tmp_path):
    made = report.decide("chat-assistant", 100, None)
    assert any("peaks" in of["name"] for of in made["operands"])
    equal(found_bills(made), by_formulas(written(made, tmp_path / "decide.xlsx")))


def test_another_load_moves_the_api_and_says_that_machines_stay(small, tmp_path):
    book = written(report.cost(small), tmp_path / "cost.xlsx")
    day = next(row[1] for row in book["Inputs"].iter_rows(min_row=4) if row[0].value == "requests_per_day")
    assert all(not row["Check"] for row in by_formulas(book).values())
    day.value = 1_000_000
    rows = by_formulas(book)
    # 90e6/3 requests a month, each 525 * 0.05 + 175 * 0.02 + 90 * 0.15 = 43.25 USD a million
    assert rows["API"]["Tokens of the API"] == pytest.approx(1e6 * 365 / 12 * 43.25e-6)
    assert all(("run the command" in row["Check"]) == (name != "API") for name, row in rows.items())


TASK = """\
name: Agents
model: llama-3.1-8b
weights: fp8
kv: fp8
gpus: [h100-sxm-80gb]
n_gpus: 1
task: {turns: 10, first_tok: 2000, added_tok: 300, osl: 100, held_share: 0.9, retries: 0.1, tasks_per_day: 40000}
workload: {users: 2000, tenants: 10}
latency: {tpot_ms: 20}
traffic: {peak_to_mean: 2.5}
money: {as_of: 2026-08-01, currency: EUR, usd_per_unit: 1.15, rate_as_of: 2026-07-31, usd_per_kwh: 0.1, years: 3}
choices: [own]
"""
PER = {"USD per task": "usd_per_task", "USD per user and month": "usd_per_user_month",
       "USD per tenant and month": "usd_per_tenant_month"}


@pytest.fixture
def agents(tmp_path):
    (tmp_path / "agents.yml").write_text(TASK)
    return tmp_path / "agents.yml"


def test_tasks_users_tenants_and_the_other_currency_have_formulas(agents, tmp_path):
    made = report.cost(agents)
    row = by_formulas(written(made, tmp_path / "cost.xlsx"))["own: H100 SXM"]
    shares = next(table for _, key, table, _ in made["sections"] if key == "shares").iloc[0]
    for head, column in PER.items():
        assert row[head] == pytest.approx(shares[column])
    assert row["A month in the other currency"] == pytest.approx(row["A month"] / 1.15)


def same_plan(rows, table):
    """Rows of the sheet against the table of a plan: bill, tokens, shares, and the lines that make the bill."""
    for line, row in zip(rows, table.to_dict("records"), strict=True):
        for head, column in (PER | {"A month": "usd_per_month", "USD per million tokens": "usd_per_mtok"}).items():
            assert float(line[head]) == pytest.approx(row[column], rel=1e-9), head
        assert float(line["A month in the other currency"]) == pytest.approx(row["usd_per_month"] / 1.15, rel=1e-9)
        assert sum(float(line[part]) for part in list(SAME)[1:6]) == pytest.approx(row["usd_per_month"], rel=1e-9)


def test_a_plan_has_formulas_that_follow_its_inputs_in_libreoffice_too(agents, tmp_path, office):
    made = told.report(str(agents), kind="own")
    best = next(table for _, key, table, _ in made["sections"] if key == "best")
    book = written(made, tmp_path / "plan.xlsx")
    assert book.sheetnames[:4] == ["Answer", "Inputs", "Bill", "Best"] and book.sheetnames[-1] == "Sources"
    assert {"In currency", "Frontier", "Turns"} < set(book.sheetnames)
    assert all(cell.data_type == "f" for row in book["Bill"].iter_rows(min_row=4, min_col=2) for cell in row)
    same_plan(by_formulas(book).values(), best)
    for row in book["Inputs"].iter_rows(min_row=4):
        if row[0].value in ("usd_per_kwh", "years"):
            row[1].value = {"usd_per_kwh": 0.31, "years": 5}[row[0].value]
    agents.write_text(TASK.replace("usd_per_kwh: 0.1, years: 3", "usd_per_kwh: 0.31, years: 5"))
    again = told.report(str(agents), kind="own")["sections"][0][2]
    assert (again["usd_per_gpu_hour"] != best["usd_per_gpu_hour"]).all()
    same_plan(by_formulas(book).values(), again)
    book.save(tmp_path / "changed.xlsx")
    office(tmp_path / "changed.xlsx", SHEETS, tmp_path / "sheets")
    with (tmp_path / "sheets" / "changed-Bill.csv").open(encoding="utf-8") as file:
        heads, *lines = list(csv.reader(file))[2:]
    same_plan([dict(zip(heads, line, strict=True)) for line in lines], again)


def test_a_plan_of_clients_has_formulas_of_what_each_configuration_serves(tmp_path):
    made = told.report("llama-3.1-8b", isl=1000, osl=200, gpus="h100-sxm-80gb", n_gpus=[1, 2], concurrency=300)
    rows = by_formulas(written(made, tmp_path / "plan.xlsx")).values()
    for line, row in zip(rows, made["sections"][0][2].to_dict("records"), strict=True):
        assert line["USD per million tokens"] == pytest.approx(row["usd_per_mtok"], rel=1e-9)
        assert line["A month"] == pytest.approx(row["usd_per_month"], rel=1e-9)


def test_libreoffice_gives_the_same_after_a_change(small, tmp_path, office):
    book = written(report.cost(small), tmp_path / "cost.xlsx")
    changed(book)
    book.save(tmp_path / "changed.xlsx")
    office(tmp_path / "changed.xlsx", SHEETS, tmp_path / "sheets")
    with (tmp_path / "sheets" / "changed-Bill.csv").open(encoding="utf-8") as file:
        lines = list(csv.reader(file))[2:]
    rows = {line[0]: dict(zip(lines[0], line, strict=True)) for line in lines[1:]}
    equal(found_bills(report.cost(small, None, [f"{name}={value}" for name, value in OTHER.items()])), rows)

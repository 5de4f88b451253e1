"""The bill of the base case, recomputed line by line from data/ without the package."""

import ast
from pathlib import Path

import pytest
from decision import recomputed_bill

from tokenecon.decision import bill, options, scenario


def test_the_bill_of_the_base_case_is_that_of_a_script_which_knows_data_alone():
    table = options.feasible(options.offers(scenario.overridden("chat-assistant", {"gpus": ["h100-sxm-80gb"]})).table)
    rows = table.set_index("kind")
    speed = rows.loc["on_demand", ["n_gpus", "requests_per_s", "concurrency"]]
    found = recomputed_bill.bills(int(speed["n_gpus"]), float(speed["requests_per_s"]), int(speed["concurrency"]))
    for kind, lines in found.items():
        for line, usd in lines.items():
            assert usd == pytest.approx(rows.loc[kind, f"usd_per_month_{line}"], rel=1e-6), (kind, line)
        assert set(bill.LINES) - set(lines) == {"tokens"}
        assert sum(lines.values()) == pytest.approx(rows.loc[kind, "usd_per_month"], rel=1e-6)


def test_the_energy_of_a_choice_is_its_power_by_hand():
    case = scenario.overridden("chat-assistant", {"gpus": ["h100-sxm-80gb"]})
    table = options.feasible(options.offers(case).table)
    row, found = table.set_index("kind").loc["own"], bill.energy(case, table).table.set_index("name")
    assert "API" not in found.index
    energy = found.loc[row["name"]]
    # all-in 1.73 kW of an H100 with cooling of 1.3 in it: 1.3308 kW; the hall of the scenario cools at 1.3
    kw = 1.73 / 1.3 * 1.3 * row["gpus"]
    assert energy["kw_rated"] == pytest.approx(kw, rel=1e-3)
    # data/assumptions.csv: 0.25 of the rated power while it waits, 0.8 while it works
    drawn = kw * (0.25 + (0.8 - 0.25) * row["utilisation"])
    kwh = drawn * 24 / (477_800 * 211.1 / 1e6)
    assert energy["kwh_per_mtok_out"] == pytest.approx(kwh, rel=1e-3)
    assert energy["gco2e_per_mtok_out"] == pytest.approx(481 * kwh, rel=1e-3)


def test_that_script_imports_nothing_of_the_package():
    tree = ast.parse(Path(recomputed_bill.__file__).read_text(encoding="utf-8"))
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names} | {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= {"csv", "datetime", "itertools", "statistics", "sys", "math", "pathlib"}

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


def test_that_script_imports_nothing_of_the_package():
    tree = ast.parse(Path(recomputed_bill.__file__).read_text(encoding="utf-8"))
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names} | {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= {"csv", "datetime", "itertools", "statistics", "sys", "math", "pathlib"}

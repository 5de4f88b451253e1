"""The page's numbers are the command's: twenty cases on MicroPython under Node, beside ``tokenecon cost``, to the last digit."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from calculator.cases import CASES, text

from tokenecon import numbers
from tokenecon.calculator import page, parameters
from tokenecon.decision import options, report, scenario
from tokenecon.fleet import traffic

HERE = Path(__file__).parent
FACTS = {"start": {}, "model_ids": ["a"], "gpu_ids": ["g", "h"], "profile_ids": list(traffic.NAMES), "days": ["2026-11-28"]}


@pytest.fixture(scope="module")
def answers(node, site):
    """The answer of the page to each case, from one run of MicroPython."""
    run = subprocess.run(
        [node, HERE / "runner.mjs", site / "_static/calculator", site / "_static/calculator-engine.mjs"], capture_output=True,
        text=True, timeout=120, input=json.dumps([text(given) for given in CASES.values()]))
    assert run.returncode == 0, run.stderr[-3000:]
    return dict(zip(CASES, json.loads(run.stdout), strict=True))


@pytest.fixture(scope="module", params=CASES)
def both(request, answers):
    """What the page shows of a case, and the choices of the command."""
    given = CASES[request.param]
    return answers[request.param], options.offers(scenario.overridden("chat-assistant", text(given))).table, given


def test_twenty_cases():
    assert len(CASES) == 20


def test_page_and_command_print_the_same(both):
    shown, table, _ = both
    rows = options.feasible(table)
    printed = {row["choice"]: row for row in report.formatted_rows(rows, report.COST)}
    there = {cells[0][0]: cells for cells in shown["rows"]}
    assert set(there) == set(printed)
    for _, row in rows.iterrows():
        cells = there[row["name"]]
        for (name, _, unit, ranged), (said, ends) in zip(page.COLUMNS, cells, strict=True):
            if unit is not None:
                assert said == numbers.number(row[name], unit), (row["name"], name)
            if ranged:
                assert ends == numbers.span(row[name + "_low"], row[name + "_high"], unit), (row["name"], name)
        title = printed[row["name"]][report.COST["usd_per_mtok"][0]]
        assert title.startswith(cells[2][0]) and (cells[2][1] in title or cells[2][1] == cells[2][0])


def test_the_lines_add_up_and_are_those_of_the_command(both):
    shown, table, _ = both
    rows = options.feasible(table).set_index("name")
    of = shown["lines"]["of"]
    for name in of:
        place = of.index(name) + 1
        for line in shown["lines"]["rows"][:-1]:
            column = next(one for one, words in page.LINES.items() if words == line[0])
            value = rows.loc[name, f"usd_per_month_{column}"]
            assert line[place] == (numbers.number(value, "USD/month") if value > 0 else "–")
        assert shown["lines"]["rows"][-1][place] == numbers.number(rows.loc[name, "usd_per_month"], "USD/month")


def test_what_cannot_be_had_is_said(both):
    shown, table, _ = both
    assert len(shown["refused"]) == (table["reason"] != "").sum()


def test_command_and_file_hold_the_case(both, tmp_path):
    shown, _, given = both
    words = shown["command"].split()
    assert words[:3] == ["tokenecon", "cost", "chat-assistant"]
    pairs = dict(zip(words[4::3], words[5::3], strict=True))
    assert {name: float(value) if value.replace(".", "").isdigit() else value for name, value in pairs.items()} == given
    (tmp_path / "calculator.yml").write_text(shown["scenario"], encoding="utf-8")
    read, stated = scenario.load(tmp_path / "calculator.yml"), scenario.overridden("chat-assistant", text(given))
    for name in vars(stated):
        if name == "profile":
            assert (read.profile["ratio"] == stated.profile["ratio"]).all()
        elif name not in ("name", "uncertainty", "seed", "growth_per_year"):
            assert getattr(read, name) == getattr(stated, name), name
    assert yaml.safe_load(shown["scenario"])["name"] == "Calculator"


def test_wrong_values_are_named_and_not_run():
    facts = FACTS | {"start": {"isl": 5.0, "n_gpus": None}}
    payload = "<img src=x onerror=alert(1)>"
    for name, value in {"isl": "0", "osl": "nan", "n_gpus": "2.5", "requests_per_day": "1e400", "model": payload, "gpus": "g,g",
                        "price_rule": "cheap", payload: "1", "cached_prefix": "1", "people": ""}.items():
        values, wrong = parameters.read(facts, {name: value})
        assert values == facts["start"] and list(wrong) == [name], (name, value)
    assert parameters.read(facts, {"gpus": "all", "n_gpus": "", "isl": "7.5"}) == (
        {"isl": 7.5, "n_gpus": None, "gpus": ["g", "h"]}, {})


@pytest.mark.parametrize("name", parameters.LIMITS)
def test_page_and_scenario_allow_the_same(name):
    bounds = parameters.LIMITS[name][1]
    tried = {value for bound in bounds.values() for value in (bound, bound - 1, bound + 1, bound + 0.5)}
    for value in tried:
        _, wrong = parameters.read(FACTS, {name: parameters.text_of(float(value))})
        try:
            scenario.overridden("chat-assistant", {name: parameters.text_of(float(value))})
            refused = False
        except scenario.BadScenario:
            refused = True
        assert refused == bool(wrong), (name, value)

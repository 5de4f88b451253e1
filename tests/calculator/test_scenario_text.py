"""A scenario file on the page: what the page writes comes back, and whatever else is in it is named and never run."""

import pytest
from calculator.cases import CASES, text

from tokenecon import data
from tokenecon.calculator import page, parameters, scenario_text
from tokenecon_book.site import calculator


@pytest.fixture(scope="module")
def facts(site):
    return calculator.facts(site / "_static/calculator")


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_what_the_page_writes_comes_back(facts, given):
    values, _ = parameters.read(facts, text(given))
    found, notes = scenario_text.read(facts, page.scenario_file(facts, values))
    read, wrong = parameters.read(facts, found)
    if values["peak_to_mean"] is not None:  # the file then has no profile
        values = values | {"profile": facts["start"]["profile"]}
    assert read == values and not wrong and not notes


def test_the_scenario_of_the_book_can_be_dropped(facts):
    written = (data.shipped("notebooks") / "scenarios/chat-assistant.yml").read_text(encoding="utf-8")
    found, notes = scenario_text.read(facts, written)
    values, wrong = parameters.read(facts, found)
    assert values == facts["start"] and not wrong and not notes


def test_lists_comments_and_marks():
    found, notes = scenario_text.lines("# a\nmodel: 'm'  # which\r\ngpus:\n- a\n- \"b\"\nworkload:\n  isl: 7\n")
    assert found == {"model": "m", "gpus": "a,b", "workload.isl": "7"} and not notes


@pytest.mark.parametrize(("line", "said"), [
    ("years: 4", "'years' is no parameter of this page"),
    ("money:\n  years: 4", "money.years is '4' in the file, but this page has 3"),
    ("money:\n  currency: EUR", "money.currency is 'EUR'"),
    ("workload:\n  isl: 1\n  isl: 2", "workload.isl stands twice"),
    ("<img src=x onerror=alert(1)>: 1", "line 1, '<img src=x onerror=alert(1)>: 1', was left out"),
    ("model: !!python/object/apply:os.system [ls]", "line 1"),
    ("model: &a x\nkv: *a", "line 1"),
    ("  isl: 7", "line 1"),
    ("gpus: [a", "line 1"),
    ("a" * 20_001, "the file has 20001 letters"),
])  # fmt: skip
def test_what_the_page_cannot_take_is_named(facts, line, said):
    found, notes = scenario_text.read(facts, line)
    assert any(said in note for note in notes), notes
    assert set(found) <= {"isl"}, "nothing of it is run but the first isl"


def test_a_wrong_value_of_a_file_is_named_like_one_of_an_address(facts):
    found, notes = scenario_text.read(facts, "model: nobody\nworkload:\n  isl: many\n")
    assert not notes and list(parameters.read(facts, found)[1]) == ["model", "isl"]

"""What a result carries: where it is from by itself, and nothing that anybody can change."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest

from tokenecon import data, queries
from tokenecon.finding import Finding, agreed, ends, finding, named


@finding
def bandwidth(gpu):
    """A result that asks for one fact."""
    table = pd.DataFrame({"gpu": [gpu], "tpot_ms": [1.0], "score": [data.gpu(gpu)["bandwidth_bytes_per_s"]]})
    return Finding(table, "One fact", "Of a datasheet.", units={"score": "B/s"}, best=3)


@finding
def later(case, found):
    """A result made from another."""
    return Finding(found.table, data.assumption("power.pue")["note"])


def source_of(row_id):
    return data.show(row_id)["rows"][0]["source"]


def test_sources_are_those_of_the_rows_that_were_asked_for():
    found = bandwidth("h200-sxm-141gb")
    assert found.sources == (source_of("h200-sxm-141gb.bandwidth"),)
    assert [one["title"] for one in found.cited] == [data.source(found.sources[0])["title"]]
    assert found.sources != bandwidth("l40s-48gb").sources


def test_a_result_made_of_another_has_the_sources_of_both():
    found = later(None, bandwidth("h200-sxm-141gb"))
    assert set(found.sources) == {source_of("h200-sxm-141gb.bandwidth"), source_of("power.pue")}


def test_a_result_knows_the_functions_that_made_it():
    inner = bandwidth("h200-sxm-141gb")
    here = bandwidth.__module__
    assert inner.makers == (f"{here}:bandwidth",)
    assert later(None, inner).makers == (f"{here}:later", f"{here}:bandwidth")  # its own first

    @finding
    def outer():
        later(None, inner)  # not used
        return Finding(pd.DataFrame({"best": [inner["best"]]}))

    assert outer().makers == (f"{here}:{outer.__qualname__}", f"{here}:bandwidth")


def test_a_named_value_brings_its_sources_too():
    inner = bandwidth("h200-sxm-141gb")

    @finding
    def outer():
        return Finding(pd.DataFrame({"best": [inner["best"]]}))

    assert outer().sources == inner.sources


def test_what_is_remembered_is_put_on_record_again():
    @queries.remembered
    def pue():
        return data.value("power.pue")

    @finding
    def found():
        return Finding(pd.DataFrame({"pue": [pue()]}))

    assert found().sources == found().sources == (source_of("power.pue"),)


def test_what_fails_is_not_remembered():
    calls = []

    @queries.remembered
    def fails():
        calls.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            fails()
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["sources", "queries", "parameters"])
def test_it_cannot_be_given_where_it_is_from(name):
    @finding
    def made():
        return Finding(pd.DataFrame({"x": [1]}), **{name: ["doc-uk"]})

    with pytest.raises(TypeError, match=f"cannot be given its {name}"):
        made()


def test_none_is_made_where_nothing_is_recorded():
    with pytest.raises(RuntimeError, match="@finding"):
        Finding(pd.DataFrame({"x": [1]}))


def test_it_cannot_be_changed():
    found = bandwidth("h200-sxm-141gb")
    for name in ("sentence", "table", "sources", "anything"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(found, name, "else")
    for mapping in (found.values, found.units, found.parameters):
        with pytest.raises(TypeError):
            mapping["best"] = 4
    taken = found.table
    taken.loc[0, "score"] = -1.0
    assert found.table.loc[0, "score"] > 0


def test_a_table_that_its_maker_changes_later_stays_as_it_was_found():
    table = pd.DataFrame({"x": [1.0]})

    @finding
    def made():
        return Finding(table)

    found = made()
    table.loc[0, "x"] = 2.0
    assert found.table.loc[0, "x"] == 1.0


def test_columns_have_the_unit_of_their_name_or_the_one_given():
    assert dict(bandwidth("h200-sxm-141gb").units) == {"tpot_ms": "ms/tok_out", "score": "B/s"}


def test_parameters_are_those_of_the_call_with_the_fields_of_a_case():
    case = SimpleNamespace(model="llama-3.1-8b", isl=100, profile=pd.DataFrame())
    assert dict(later(case, bandwidth("h200-sxm-141gb")).parameters) == {"model": "llama-3.1-8b", "isl": 100}
    assert dict(bandwidth(gpu="h200-sxm-141gb").parameters) == {"gpu": "h200-sxm-141gb"}


def test_a_named_number_keeps_the_ends_of_its_range():
    @finding
    def said():
        text = named("cost-output", 2.6, "${:.2f}".format, low=2.14, high=3.28, gpu="h100")
        return Finding(pd.DataFrame({"usd": [2.6]}), f"{text} and {named('price-sellers', 7, str)}")

    ranged, plain = said().quantities
    assert (ranged.text, ranged.low, ranged.high, ranged.ends) == ("$2.60", 2.14, 3.28, "$2.14 to $3.28")
    assert (plain.low, plain.high, plain.ends) == (None, None, "")
    with pytest.raises(TypeError, match="cost-output is given one end"):
        named("cost-output", 2.6, str, low=2.0)


def test_the_ends_of_a_column_are_none_where_one_is_unknown_or_has_no_end():
    row = {"usd": 2.0, "usd_low": 1.0, "usd_high": 3.0, "at_low": 1.0, "at_high": math.inf, "of_low": math.nan, "of_high": 1.0}
    assert ends(row, "usd") == {"low": 1.0, "high": 3.0} == ends({"low": 1.0, "high": 3.0})
    assert ends(row, "at") == ends(row, "of") == ends(row, "other") == {}


def test_the_rows_behind_a_result_are_those_that_answered():
    found = bandwidth("h200-sxm-141gb")
    assert found.behind[("gpus", "h200-sxm-141gb.bandwidth")]["source"] == found.sources[0]


@pytest.mark.parametrize(("text", "expected"), [
    ("1 tokens a day", "1 token a day"), ("1,155 → 1 tokens", "1,155 → 1 token"),
    ("of 1 hours and 21 tokens", "of 1 hour and 21 tokens"),
    ("2.1 tokens", "2.1 tokens"), ("0 to 1 tokens", "0 to 1 tokens"), ("batch 1 answers", "batch 1 answers"),
])  # fmt: skip
def test_one_of_a_thing_is_not_many(text, expected):
    assert agreed(text) == expected

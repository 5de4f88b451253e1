"""Numbers in a text are found as what they are."""

from tokenecon import data
from tokenecon_book.site.pedigree import marks


def quantity(name, text, **case):
    return {"name": name, "text": text, "value": 0.0, "case": case}


def found(text, *quantities):
    parts = marks.pieces(text, quantities)
    assert "".join(part for part, _ in parts) == text  # nothing is lost
    return [(part, one["name"]) for part, one in parts if one]


def test_names_dates_and_parts_of_other_numbers_are_no_quantities():
    text = "On 2025-12-08 Llama 3.3 70B costs $3 on 70 GPUs, not $3.50, 170, 70% or 70.5"
    assert found(text, quantity("cost-output", "$3"), quantity("fleet-gpus", "70"), quantity("age", "12")) == [
        ("$3", "cost-output"), ("70", "fleet-gpus")]


def test_a_longer_number_goes_first():
    assert found("1.5 times of 1.5", quantity("a", "1.5"), quantity("b", "1.5 times")) == [("1.5 times", "b"), ("1.5", "a")]


def test_numbers_that_read_the_same_stand_in_their_order():
    assert found("8 times; they say 8", quantity("cache-smaller", "8"), quantity("sw-mqa-cache-factor", "8")) == [
        ("8", "cache-smaller"), ("8", "sw-mqa-cache-factor")]
    # where there is one place for two, it is that of the figure which the text cites
    both = quantity("cache-smaller", "8"), quantity("sw-mqa-cache-factor", "8")
    assert found("Their 8", *both) == [("8", "sw-mqa-cache-factor")]


def test_a_text_without_quantities_stays_whole():
    assert marks.pieces("In 2025-12-08 nothing", []) == [("In 2025-12-08 nothing", None)]


def test_a_cost_of_a_million_tokens_is_marked():
    # by its row: of data/quantities.csv, of the documents ($0.80 per million tokens at Bedrock), of anything else none
    assert [marks.classes(quantity(name, "1")) for name in ("cost-output", "hour-on-demand", "parameter.isl")] == [
        ["number", "per-million"], ["number"], ["number"]]
    priced = next(row["id"] for row in data.table("claims").to_dict("records") if row["unit"] == "USD/Mtok")
    assert "per-million" in marks.classes(quantity(priced, "1"))

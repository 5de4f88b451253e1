"""Numbers of the built book: each has a name, and one name and one case have one value, wherever a reader meets them."""

from collections import defaultdict

import pytest
from golden import headlines

from tokenecon import data, units
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.site import numbers

PENDING = {"decision", "software"}
WORDS, NUMBERS = 25, 3  # a finding has at most
SAME = 1e-9  # numbers that differ by a rounding of the last bits are one


@pytest.fixture(scope="module")
def said(site):
    return [one for one in numbers.texts(headlines.BUILT) if one["page"] not in PENDING]


@pytest.fixture(scope="module")
def found(said):
    return numbers.quantities(said)


def test_one_name_and_one_case_have_one_value(found):
    places = defaultdict(list)
    for one in found:
        if one["name"] in data.ids("quantities"):  # a row of data/ has the ends of its range, which are checked against it
            places[one["name"], one["case"]].append(one)
    apart = []
    for (name, case), same in places.items():
        low, high = min(same, key=lambda one: one["value"]), max(same, key=lambda one: one["value"])
        if high["value"] - low["value"] > SAME * max(abs(low["value"]), abs(high["value"])):
            apart.append(f"{name} of {case}: {low['text']} on {low['page']} ({low['key']}), {high['text']} on {high['page']} "
                         f"({high['key']})")
    assert not apart, "give them two names or two cases that say how they differ:\n" + "\n".join(apart)


def test_every_number_has_a_name(said):
    missing = [f"{one['page']}: {one['key']}: {', '.join(rest)} in “{one['text']}”"
               for one in said if (rest := numbers.unnamed(one))]
    assert not missing, "name them in data/quantities.csv, and say them with tokenecon.finding.named:\n" + "\n".join(missing)


def test_a_finding_is_read_in_one_breath(said):
    """The answer of a page and the title of a chart: so many words and numbers, a verb implied by its full sentence."""
    long = []
    for one in said:
        title = one["text"] if one["key"].endswith("-finding") else one["title"] if one["key"].startswith("figure ") else ""
        bare = one | {"text": title}
        figures = len(numbers.unnamed(bare | {"quantities": []}))
        if len(title.split()) > WORDS or figures > NUMBERS:
            long.append(f"{one['page']}: {one['key']}: {len(title.split())} words, {figures} numbers: {title}")
    assert not long, f"say it in {WORDS} words and {NUMBERS} numbers:\n" + "\n".join(long)


def test_every_name_is_that_of_something(found):
    known = set(data.ids("quantities"))
    for one in found:
        name = one["name"]
        if name.startswith(numbers.OWN):
            assert name.removeprefix(numbers.OWN) in parameters.spec(notebooks.find(one["page"])[1]), one
        elif name not in known:
            rows = [row for table in ("claims", "assumptions", "traces", "optimisations", "gpus")
                    for row in data.table(table).query("id == @name").to_dict("records")]
            assert rows, f"{one['page']}: {one['key']}: '{name}' is neither in data/quantities.csv nor the id of a row"
            printed = [rows[0][field] for field in ("value", "low", "high") if field in rows[0]]
            printed.append(sum(printed[-2:]) / 2)  # the middle of a printed range
            assert any(one["value"] == pytest.approx(value) for value in printed), f"{one}: its row says {printed}"


def test_every_quantity_is_used_and_has_a_unit_of_the_list(found):
    table = data.table("quantities")
    assert set(table["unit"]) <= set(units.UNITS)
    if not PENDING:
        assert not set(table["id"]) - {one["name"] for one in found}, "take out of data/quantities.csv what no page prints"


def test_an_unnamed_number_is_found():
    """In a sentence of a name, a date and two numbers, of which one is named."""
    text = "On 2026-11-28 Llama 3.3 70B costs $1.50 on 2 H100 SXM, 1.5 times as much as in FP8"
    quantity = {"name": "cost-output", "text": "$1.50", "value": 1.5, "case": {}}
    assert numbers.unnamed({"text": text, "quantities": [quantity]}) == ["2", "1.5 times"]

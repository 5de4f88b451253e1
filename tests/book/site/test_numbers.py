"""Numbers of the built book: each has a name, and one name and one case have one value, wherever a reader meets them."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from golden import headlines

import tokenecon
import tokenecon_book
from tokenecon import data, units
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.charts import ranges
from tokenecon_book.site import numbers, numbers_page

WORDS, NUMBERS = 25, 3  # a finding has at most
TABLE = re.compile(r'<table class="te-table book-table[^"]*"><caption>(.*?)</caption>(.*?)</table></div>\n'
                   r'(<p class="te-table-note">.*?</p>)?', re.DOTALL)
# Quantities of which a page says a number without the ends of its range, and where these are.
PICTURED = "drawn or printed in the figure or the table of its sentence, which says more than a card could"
NO_ENDS = {
    "bill-per-output": "of one request at a time: the model has an interval of its speed and none of a bill at that load",
    "deepseek-day-nodes": PICTURED, "deepseek-day-ratio": PICTURED, "deepseek-day-price-over-cost": PICTURED,
    "analyst-month": "the rent of a fleet: hour-on-demand has the spread of its price", "bandwidth-per-dollar": PICTURED,
    "case-turn-that-fits": PICTURED, "case-own-fleet": PICTURED, "audio-hour-arithmetic": PICTURED, "case-audio-day": PICTURED,
    "claims-missed": "itself the least distance to a range", "spot-work": PICTURED, "own-over-api": PICTURED,
    "pool-busy": PICTURED, "pool-busy-day": PICTURED, "hybrid-bill": "both numbers are the ends",
    "published-volumes": "the farthest of several", "optimisation-saving": PICTURED, "speculation-speedup": PICTURED,
    "slots-decoding": PICTURED, "slots-reading": PICTURED, "ttft-p95": PICTURED, "requests-waiting": PICTURED,
    "answers-ratio": PICTURED, "simulated-over-estimate": "both numbers are the ends",
}  # fmt: skip
FULL = ("index", "economics", "decision", "market", "hour")  # pages on which all but the first of these have ends
SAME = 1e-9  # numbers that differ by a rounding of the last bits are one


@pytest.fixture(scope="module")
def said(site):
    return numbers.texts(headlines.BUILT)


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


def test_a_number_with_a_range_says_its_ends_and_lies_between(found):
    kinds = data.table("quantities").set_index("id")["range"]
    bare, outside = [], []
    for one in found:
        if not kinds.get(one["name"]):
            continue
        if one["low"] is None:
            bare.append((one["name"], one["page"], one["key"]))
        elif not one["low"] - SAME * abs(one["low"]) <= one["value"] <= one["high"] + SAME * abs(one["high"]):
            outside.append(f"{one['name']} on {one['page']}: {one['value']:g} in {one['low']:g} to {one['high']:g}")
    assert not outside, outside
    unsaid = [one for one in bare if one[0] not in NO_ENDS or one[1] in FULL]
    assert not unsaid, f"give named() low and high, or the reason in NO_ENDS: {unsaid}"


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
                    for row in data.table(table).to_dict("records") if row["id"] == name]
            assert rows, f"{one['page']}: {one['key']}: '{name}' is neither in data/quantities.csv nor the id of a row"
            printed = [rows[0][field] for field in ("value", "low", "high") if field in rows[0]]
            printed.append(sum(printed[-2:]) / 2)  # the middle of a printed range
            assert any(one["value"] == pytest.approx(value) for value in printed), f"{one}: its row says {printed}"


def test_every_quantity_is_said_somewhere_and_has_a_unit_of_the_list(found):
    table = data.table("quantities")
    assert set(table["unit"]) <= set(units.UNITS)
    code = "".join(path.read_text(encoding="utf-8") for package in (tokenecon, tokenecon_book)
                   for path in Path(package.__file__).parent.rglob("*.py"))
    never = [name for name in table["id"] if name not in {one["name"] for one in found} and f'{name}"' not in code
             and f"'{name}'" not in code]  # some are said with other parameters alone
    assert not never, f"take {', '.join(never)} out of data/quantities.csv: no page says them"


def test_an_unnamed_number_is_found():
    """In a sentence of a name, a date and two numbers, of which one is named."""
    text = "On 2026-11-28 Llama 3.3 70B costs $1.50 on 2 H100 SXM, 1.5 times as much as in FP8"
    quantity = {"name": "cost-output", "text": "$1.50", "value": 1.5, "case": {}}
    assert numbers.unnamed({"text": text, "quantities": [quantity]}) == ["2", "1.5 times"]


def test_every_range_of_a_table_says_its_kind(site):
    """Below a table that shows a range stands of which kind it is, in the words of the key."""
    words = [kind.name.partition(",")[0] for kind in ranges.KINDS.values()]
    unsaid = []
    for path in sorted(site.rglob("*.html")):
        for caption, body, note in TABLE.findall(path.read_text(encoding="utf-8")):
            if 'class="te-range"' in body and not any(word in note.lower() for word in words):
                unsaid.append(f"{path.relative_to(site)}: {caption}")
    assert not unsaid, "say it with range= of tables.show: " + "; ".join(unsaid)


def test_the_page_of_the_numbers_lists_each_with_the_pages_that_print_it(site, said):
    page = (site / "numbers.html").read_text(encoding="utf-8")
    rows = dict(re.findall(r'<tr id="([^"]+)"><th scope="row">(.*?)</tr>', page, re.DOTALL))
    assert list(rows) == [row["id"] for known in numbers_page.BASES for row in numbers.listed([]) if row["known"] == known]
    for one in numbers.quantities(said):
        if one["name"] in rows:
            assert f'href="{one["page"]}.html"' in rows[one["name"]], f"{one['name']} does not lead to {one['page']}"
    often = page.partition('id="all-of-them"')[0]
    for row in numbers.listed(numbers.texts(headlines.BUILT)):
        for value in row["values"]:
            assert (len(value["pages"]) < numbers_page.OFTEN) or f'href="#{row["id"]}"' in often, row["id"]


def test_a_case_is_said_in_what_it_has_otherwise_than_the_base_case():
    usual, known = {"isl": "1155.0", "as_of": "2026-11-28", "rule": "typical"}, {"h100": "H100 <SXM>"}
    case = {"gpu": "h100", "isl": "1155", "as_of": "2026-11-28", "batch": "1"}
    assert numbers_page.case_words(case, usual, known) == "1 request at a time, H100 &lt;SXM&gt;, else as the base case"
    assert numbers_page.case_words({"isl": "1155"}, usual, known) == "the base case"
    assert numbers_page.case_words({"utilisation": "0.525", "study": "two_groups"}, usual, known) == "52% busy, study two groups"
    assert numbers_page.case_words({}, usual, known) == ""
    many = {"gpus": "h100,a10", "regional": "False", "sold_whole": "True"}
    assert numbers_page.case_words(many, usual, known) == "of H100 &lt;SXM&gt;, a10, sold whole"


def test_a_notebook_that_was_not_run_is_found(tmp_path):
    for name, count in (("ran", 1), ("not-run", None)):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "execution_count": count}]}))
    assert numbers.not_run(tmp_path) == ["not-run.ipynb"]

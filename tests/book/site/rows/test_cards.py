"""What the cards of rows say beyond their rows."""

import json

from tokenecon import __version__, data
from tokenecon_book.site import parts, tables
from tokenecon_book.site.rows import cards


def test_a_page_knows_its_columns_sources_and_address():
    part = parts.of("assumptions")
    found = cards.of_page("assumptions", part, {("assumptions", "power.pue"): [["Hour", "hour.html"]]})
    assert found["used"] == {"power.pue": [["Hour", "hour.html"]]} and found["range"] == "plausible range"
    assert found["usual"] == "" and found["basis"]["assumed"] == "our judgement; carries a range"
    assert found["sources"]["uptime-2023"][1] == "sources.html#uptime-2023"
    assert found["cite"][0].startswith(f"row of assumptions.csv in: What a token costs, version {__version__}, data of ")
    assert found["cite"][0].endswith(f"v{__version__}/data/assumptions.html")


def test_money_of_a_column_has_its_unit_in_its_name():
    found = cards.columns("api_prices")["usd per million output tokens"]
    assert found == {"unit": "USD per million output tokens", "says": "Price of a million output tokens."}
    assert cards.columns("assumptions")["value"]["says"] == ""  # "the number" says nothing


def test_rows_without_a_basis_of_their_own_are_worked_out():
    found = cards.of_page("held_out", parts.leaves(parts.of("held_out"))[0], {})
    assert found["usual"] == "derived" and found["sources"] == {}


def test_pages_that_print_take_or_ask_for_a_row_use_it(tmp_path, monkeypatch):
    # one page prints the row, one has a parameter of it, and one a table that asked for it
    monkeypatch.setattr(cards.numbers_page, "titles", lambda: {"hour": "Hour", "market": "Market", "traffic": "Traffic"})
    monkeypatch.setattr(cards.catalogue, "all_parameters", lambda page: [{"from": "power.pue" if page == "market" else ""}])
    printed = {"name": "power.pue", "text": "1.3", "value": 1.3, "case": {}}
    said = {"metadata": {"scrapbook": {"name": "a"}, "quantities": [printed]},
            "data": {"application/papermill.record/text/plain": "'1.3'"}}
    table = {"metadata": {"pedigree": {"behind": [["assumptions", 1, ["power.pue"]], ["prices", 900, []]]}}}
    for page, outputs in (("hour", [said]), ("market", []), ("traffic", [table])):
        (tmp_path / f"{page}.ipynb").write_text(json.dumps({"cells": [{"outputs": outputs}]}))
    assert cards.used(tmp_path) == {
        ("assumptions", "power.pue"): [["Hour", "hour.html"], ["Market", "market.html"], ["Traffic", "traffic.html"]]}


def test_every_page_of_rows_has_what_its_cards_need(site):
    for name in tables.titles():
        for leaf in parts.leaves(parts.of(name)):
            found = json.loads((site / "rows" / f"{leaf.page}.json").read_text(encoding="utf-8"))
            assert found["page"] == f"{leaf.page}.html" and set(found["used"]) <= set(leaf.rows["id"])
            if "source" in leaf.rows:
                assert set(leaf.rows["source"]) == set(found["sources"]), leaf.page
    found = json.loads((site / "rows" / "data" / "assumptions.json").read_text(encoding="utf-8"))
    assert ["Hour", "hour.html"] in found["used"]["power.pue"] and "power.pue" in data.ids("assumptions")

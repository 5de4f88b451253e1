"""What the cards of rows say beyond their rows."""

import json

from tokenecon import __version__, data
from tokenecon_book.site import numbers_page, parts, tables
from tokenecon_book.site.rows import cards


def test_a_page_knows_its_columns_sources_and_address():
    part = parts.of("assumptions")
    hour, market = ["Hour", "hour.html"], ["Market", "market.html"]
    found = cards.of_page("assumptions", part, {("assumptions", "power.price"): [market],
                                                ("assumptions", "power.pue"): [hour, market]})
    used = {row: [found["pages"][place] for place in places]
            for row, places in zip(part.rows["id"], found["used"], strict=True) if places}
    assert used == {"power.price": [market], "power.pue": [hour, market]} and found["range"] == "plausible range"
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


def test_pages_whose_results_ask_for_a_row_use_it(tmp_path):
    # one page asks for a row by its id and for its scenario, another for two rows at once
    asked = {"hour": [["assumptions", [["id=", "power.pue"]], ""], ["notebooks/scenarios/chat-assistant.yml", [], ""]],
             "cases/spotify": [["assumptions", [["id=", ["power.pue", "power.price"]]], ""]]}
    for page, queries in asked.items():
        (tmp_path / page).mkdir(parents=True)
        (tmp_path / page / "record.json").write_text(json.dumps({"queries": queries}))
    spotify, hour = [numbers_page.titles()["cases/spotify"], "cases/spotify.html"], ["Hour", "hour.html"]
    assert cards.used(tmp_path) == {("assumptions", "power.pue"): [spotify, hour], ("assumptions", "power.price"): [spotify]}


def test_every_page_of_rows_has_what_its_cards_need(site):
    for name in tables.titles():
        for leaf in parts.leaves(parts.of(name)):
            found = json.loads((site / "rows" / f"{leaf.page}.json").read_text(encoding="utf-8"))
            assert found["page"] == f"{leaf.page}.html" and len(found["used"]) == len(leaf.rows)
            if "source" in leaf.rows:
                assert set(leaf.rows["source"]) == set(found["sources"]), leaf.page
    found = json.loads((site / "rows" / "data" / "assumptions.json").read_text(encoding="utf-8"))
    places = found["used"][list(data.table("assumptions")["id"]).index("power.pue")]
    assert ["Hour", "hour.html"] in [found["pages"][place] for place in places]

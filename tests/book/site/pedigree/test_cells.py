"""What cards of tables say: kind of range and basis, the model's error, rows behind, sources, address."""

import json
import re
from html import unescape

import pytest

from tokenecon import __version__, data
from tokenecon.formulas import money
from tokenecon_book import FIGURE_TYPE, citations
from tokenecon_book.site import reference
from tokenecon_book.site.pedigree import cards, cells

LINKS = {"Facts", "Sources", "Table"}
CELL = re.compile(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", re.DOTALL)


def ids(site, page, known):
    """The addresses in a page, read once."""
    if page not in known:
        known[page] = set(map(unescape, re.findall(r'\bid="([^"]+)"', (site / page).read_text(encoding="utf-8"))))
    return known[page]


def head(words, unit="", range="", text=False):
    return {"head": words, "unit": unit, "range": range, "text": text}


def record(**changes):
    """What a notebook keeps of a table of one row."""
    return {"id": "t-costs", "caption": "Costs", "columns": [
        head("GPU", text=True), head("Cost", "USD/Mtok", "interval"), head("An hour", "USD/GPU/h", "offers")],
        "sources": [["own-assumption", ["a", "b"], 3]],
        "behind": [["prices", 38, []], ["gpus", 1, ["h100-sxm-80gb.memory"]], ["sources", 2, []]],
        "of": {"gpu": ["h100-sxm-80gb"], "model": ["llama-3.3-70b"]},
        "makers": ["tokenecon_book.chapters.economics.economics:operating_point"]} | changes


def test_a_column_says_how_its_numbers_are_known():
    found = cells.of_table(record(), "cases/spotify.html", "cases/spotify")
    assert [(one["basis"], one["range"].partition(",")[0]) for one in found["columns"]] == [
        ("derived", ""), ("estimate", "interval of the model"), ("quoted", "spread of offers")]
    row, = found["rows"]
    assert row["Error"] == {"rate": cards.error_of("rate", "h100-sxm-80gb", "llama-3.3-70b")}
    assert ["prices of H100 SXM", "data/prices/h100-sxm-80gb.html#prices-h100-sxm-80gb"] in row["Made of"]
    assert found["Facts"] == [["38 rows of prices", "data/prices.html"], ["h100-sxm-80gb.memory",
                                                                         "data/gpus.html#h100-sxm-80gb.memory"]]
    (text, target), = found["Sources"]
    assert text.endswith(", a; b and 1 more places") and target == "sources.html#own-assumption"
    assert found["Table"][0][1] == "cases/spotify.html#t-costs"
    assert found["cite"].startswith(f"“Costs”, in: What a token costs, version {__version__}, data of ")
    assert found["cite"].endswith(f"v{__version__}/cases/spotify.html#t-costs. CC BY 4.0.")


def test_a_column_says_the_formulas_that_give_its_unit():
    """economics.operating_point divides money by tokens; what a seller asks is worked out with none, nor is a text."""
    text, cost, hour = cells.of_table(record(), "economics.html", "economics")["columns"]
    words, target = cost["Formulas"][0]
    assert target == "formulas/money.html#usd_per_mtok_blend"
    assert words == f"money.usd_per_mtok_blend: {reference.summary(money.usd_per_mtok_blend)}"
    assert text["Formulas"] == hour["Formulas"] == [] and text["says"].startswith("stated or worked out")


def test_a_price_that_no_formula_makes_is_quoted():
    """A seller's hour on rows of prices is quoted without a range, too; an owned hour and one without such rows are not."""
    def basis(maker, **changes):
        one = record(columns=[head("An hour", "USD/GPU/h")], makers=[f"tokenecon_book.chapters.{maker}"], **changes)
        return cells.of_table(one, "market.html", "market")["columns"][0]["basis"]

    assert basis("market.printed_rents:seller_changes") == "quoted"
    assert basis("market.printed_rents:seller_changes", behind=[["gpus", 1, []]]) == basis("hour.comparison:check") == "derived"


def test_a_figure_is_cited_as_itself_and_says_the_rows_that_its_page_shows():
    columns = [head("Cost", "USD/Mtok", ["interval"] * 1201)]
    one = record(of={"gpu": ["h100-sxm-80gb"] * 1201}, columns=columns, id="t-data")
    figure = {"id": "a-b", "title": "Costs", "note": "How to read it.", "rows": 1201, "pedigree": one}
    (page, tables), = cells.of_figures({"cells": [{"outputs": [{"data": {FIGURE_TYPE: figure}}]}]}, "economics").items()
    assert page == "figures/a-b" and set(tables) == {"t-data"}
    assert len(tables["t-data"]["rows"]) == 50 and tables["t-data"]["Note"] == ["How to read it."]  # of a long one the first 50
    assert tables["t-data"]["cite"] == citations.figure("a-b", "Costs")["text"]
    assert [target for _, target in tables["t-data"]["Table"]] == [
        "figures/a-b.html#t-data", "economics.html#sources-and-rerun"]


def test_rows_of_several_kinds_say_their_own():
    kinds = {"Cost": ("ms/tok_out", ["interval", "bound"]), "Hour": ("USD/GPU/h", ["", "sellers"])}
    columns = [head("By", text=True), *(head(words, *known) for words, known in kinds.items())]
    found = cells.of_table(record(columns=columns, of={}), "economics.html", "economics")
    model, textbook = found["rows"]
    assert model["Error"] == {"tpot": [cards.said_of_model("tpot"), cards.MEASURED]}
    assert (model["kinds"], textbook["kinds"]) == ({1: "interval"}, {1: "bound", 2: "sellers"})
    known = found["kinds"]
    assert known["interval"]["basis"] == "estimate" and known["bound"]["range"].startswith("outer bound")
    assert known["sellers"]["range"].startswith("sellers, 10 to 90%, eight of ten sellers")
    columns = [head("Cost", "USD/Mtok", ["claimed:", "claimed:bound"])]
    claims = cells.of_table(record(columns=columns, of={}), "economics.html", "economics")["kinds"]
    assert {one["basis"] for one in claims.values()} == {"claimed"}
    assert claims["claimed:"]["range"] == "" and claims["claimed:bound"]["range"] == known["bound"]["range"]
    assert known["interval"]["modelled"] and not known["bound"]["modelled"]  # so that its card tells no error of the model


def test_two_tables_of_one_address_are_refused():
    cell = {"outputs": [{"metadata": {"pedigree": record()}}]}
    with pytest.raises(ValueError, match="two tables of page have the address t-costs"):
        cells.of_page({"cells": [cell, cell]}, "page")


def test_every_table_with_a_mark_has_cards_whose_links_have_ends(site):
    read, shown, figures, lost = {}, 0, 0, []
    for path in sorted((site / cells.FOLDER).rglob("*.json")):
        page = path.relative_to(site / cells.FOLDER).with_suffix("").as_posix()
        html = (site / f"{page}.html").read_text(encoding="utf-8")
        known = json.loads(path.read_text(encoding="utf-8"))
        assert set(known) == set(re.findall(r'<div class="te-table-scroll table-scroll" id="(t-[^"]+)"', html)), page
        for mark, one in known.items():
            body = re.search(rf'id="{mark}".*?<tbody>(.*?)</tbody>', html, re.DOTALL)[1]
            assert len(one["rows"]) in (1, body.count("<tr>")), f"{page}: {mark}"
            assert one["Sources"], f"{page}: {mark} has no source"
            targets = [target for name in LINKS for _, target in one[name]]
            targets += [target for column in one["columns"] for _, target in column["Formulas"]]
            targets += [part[1] for row in one["rows"] for parts in (row["Made of"], *row["Error"].values()) for part in parts
                        if isinstance(part, list)]
            for target, _, place in (target.partition("#") for target in targets):
                if place and place not in ids(site, target, read):
                    lost.append(f"{page}: {mark}: {target}#{place}")
            shown += 1
            figures += page.startswith("figures/")
    assert shown > 50 and not lost, lost[:10]
    assert figures == len([*(site / "figures").glob("*.html")])  # each page of a figure has its table


def test_every_range_of_a_table_has_a_kind_on_its_card(site):
    """A cell that prints a range says in its card what kind it is, by its column or its row."""
    unsaid = []
    for path in sorted((site / cells.FOLDER).rglob("*.json")):
        page = path.relative_to(site / cells.FOLDER).with_suffix(".html").as_posix()
        html = (site / page).read_text(encoding="utf-8")
        for mark, one in json.loads(path.read_text(encoding="utf-8")).items():
            body = re.search(rf'id="{mark}".*?<tbody>(.*?)</tbody>', html, re.DOTALL)[1]
            for place, row in enumerate(re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)):
                own = one["rows"][place if len(one["rows"]) > 1 else 0].get("kinds", {})
                shown = enumerate(zip(one["columns"], CELL.findall(row), strict=True))
                unsaid += [f"{page}: {mark}" for at, (column, cell) in shown if
                           'class="te-range"' in cell and not one["kinds"].get(own.get(str(at)), column)["range"]]
    assert not unsaid, "say it with range= of tables.show: " + "; ".join(sorted(set(unsaid)))


def test_a_claim_says_its_verdict_and_its_arithmetic():
    card = cards.of_claim("claims.html#hw-h100-power")
    rows = dict(card["rows"])
    claim = data.claim("hw-h100-power")
    assert (card["title"], card["what"], card["basis"]) == ("Claim hw-h100-power", claim["statement"], "claimed")
    assert card["value"].startswith("700") and rows["Verdict"] and rows["Arithmetic"]
    assert [target for _, target in rows["Sources"]] == ["sources.html#doc-uk", "sources.html#doc-th"]
    assert "claims.html#hw-h100-power" in rows["Cite"][0]

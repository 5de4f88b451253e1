"""What is published of figures: their files, and the foot of a picture."""

import json
import re

import pytest

from tokenecon_book import citations
from tokenecon_book.build import publishing

SVG = ('<svg xmlns="http://www.w3.org/2000/svg" version="1.1" class="marks" width="680" height="300" viewBox="0 0 680 300">'
       '<rect width="680" height="300" fill="#fefefe"/><g height="300"></g></svg>')
ABOUT = {
    "sources": [{"title": f"Title {name}", "publisher": name}
                for name in ("One", "Two & Sons", "Three", "One", "", "Five", "Six")],
    "data_date": "2026-01-02", "case": "A model · 2 × a GPU", "address": "v1/figures/a-b.html",
}  # fmt: skip


def test_the_foot_names_few_publishers_each_once():
    # One, Two & Sons, Three, the title of the one without a publisher, Five, Six: six, of which four are named
    first, case, address = publishing.foot(ABOUT)
    assert first.startswith("Sources: One, Two & Sons, Three, Title  and 2 more. Data of 2026-01-02.")
    assert case == "Case of the page: A model · 2 × a GPU" and address == "What a token costs, v1/figures/a-b.html"
    assert publishing.foot(ABOUT | {"sources": ABOUT["sources"][:1], "case": ""})[0].startswith("Source: One. Data of")
    assert len(publishing.foot(ABOUT | {"case": ""})) == 2


def test_a_picture_grows_by_its_foot_and_says_it_as_text():
    svg = publishing.footed(SVG, publishing.foot(ABOUT))
    # three lines of 15 px, 10 above and 4 below: 300 + 59
    assert svg.count('height="359"') == 2 and 'viewBox="0 0 680 359"' in svg and '<g height="300">' in svg
    assert re.findall(r'y="(\d+)">', svg) == ["321", "336", "351"]
    assert "Two &amp; Sons" in svg and svg.endswith("</g></svg>")


def test_a_long_line_of_a_foot_breaks_within_the_picture():
    svg = publishing.footed(SVG, ["word " * 60, "https://example.org/" + "x" * 200])
    # 668 px hold 116 letters of 0.52 × 11 px: 300 letters take three lines, 220 take two
    assert max(len(row) for row in re.findall(r'y="\d+">([^<]*)</text>', svg)) <= 116
    assert svg.count("<text") == 5


def test_a_picture_of_another_make_is_refused():
    with pytest.raises(ValueError, match=r"publishing\.SVG"):
        publishing.footed('<svg viewBox="0 0 1 1"></svg>', ["a"])


def test_files_of_a_figure_and_pictures_that_are_drawn_once(tmp_path, monkeypatch):
    import vl_convert

    payload = {"id": "a-b", "title": "It is so", "subtitle": "", "alt": "A line that falls", "note": "", "rows": 1,
               "csv": "x,y\n1,2\n",
               "columns": [{"name": "x", "type": "integer", "unit": "tok"}], "sources": ABOUT["sources"][:1]}
    bundle = {publishing.FIGURE_TYPE: payload, publishing.VEGA_LITE_TYPE: {"mark": "line", "usermeta": {"ranges": []}},
              "image/svg+xml": [SVG[:40], SVG[40:]]}  # a file holds it in lines
    about = publishing.about(payload, "economics", "the case", [{"name": "batch", "value": 1}])
    found = {"a-b": {"bundle": bundle, "about": about}}
    (tmp_path / "figures").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "old.png").write_bytes(b"x")
    publishing.write_figures(found, tmp_path / "figures", tmp_path / "pictures")
    files = {path.name.removeprefix("a-b."): path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    assert set(files) == {"csv", "json", "vl.json", "svg", "png"}
    assert files["csv"] == b"x,y\n1,2\n" and files["png"].startswith(b"\x89PNG")
    about = json.loads(files["json"])
    assert about["parameters"] == [{"name": "batch", "value": 1}] and about["case"] == "the case"
    assert about["columns"] == payload["columns"] and about["address"] == citations.versioned("figures/a-b.html")
    assert about["page"].endswith("economics.html#fig-a-b") and "figure a-b in: " in about["citation"]
    spec = json.loads(files["vl.json"])
    assert spec["description"] == "A line that falls" and spec["usermeta"] == {"ranges": [], "citation": about["citation"]}
    assert len(list((tmp_path / "pictures").iterdir())) == 1  # the old one is gone
    monkeypatch.setattr(vl_convert, "svg_to_png", lambda *_, **__: pytest.fail("it was drawn already"))
    publishing.write_figures(found, tmp_path / "figures", tmp_path / "pictures")

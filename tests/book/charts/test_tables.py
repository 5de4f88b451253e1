"""Tables that a screen reader can read."""

from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tokenecon import data
from tokenecon.finding import Finding, finding
from tokenecon_book.charts import page, tables


class Outline(HTMLParser):
    """Elements with their attributes, and the text of each cell."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.cells, self.inside = [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("td", "th"):
            self.cells.append("")
            self.inside = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, text):
        if self.inside:
            self.cells[-1] += text.strip()

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def prices():
    return pd.DataFrame(
        {
            "gpu": ["H100 <SXM>", "B200"], "usd": [0.9, 0.031], "usd_low": [0.41, 0.02], "usd_high": [1.62, 0.05],
            "share": [0.62, 0.995], "memory_low": [80.0, 180.0], "memory_high": [80.0, 192.0],
        }
    )


COLUMNS = {
    "gpu": ("Accelerator", None), "usd": ("Cost", "USD/Mtok_out"), "share": ("Utilisation", "fraction"),
    "memory": ("Memory", "GB"),
}


def test_show(found):
    shown = tables.show(found(prices(), note="Range: all offers."), "What a token costs", COLUMNS)
    outline = Outline(shown.html)
    assert [cell.get("scope") for cell in outline.all("th")] == ["col"] * 4 + ["row"] * 2
    assert outline.cells == [
        "Accelerator", "Cost", "Utilisation", "Memory",
        "", "USD per million output tokens", "%", "GB",
        "H100 <SXM>", "0.9000.410 – 1.620", "62", "80",
        "B200", "0.0310.020 – 0.050", "99.5", "180 – 192",
    ]  # fmt: skip
    assert "<caption>What a token costs</caption>" in shown.html
    region = outline.all("div")[0]
    assert (region["role"], region["tabindex"], region["aria-label"]) == ("region", "0", "What a token costs")
    assert "Range: all offers." in shown.html
    assert "H100 <SXM>" not in shown.html  # escaped


def printed(values, unit):
    shown = tables.show(pd.DataFrame({"what": [str(n) for n in range(len(values))], "x": values}), "X", {
        "what": ("What", None), "x": ("X", unit)})
    return Outline(shown.html).cells[5::2]


@pytest.mark.parametrize(("values", "unit", "expected"), [
    ([0.801, 0.0582, 0.34, 1.82], "USD/GPU/h", ["0.80", "0.06", "0.34", "1.82"]),  # cents
    ([10.53, 3.99], "USD/GPU/h", ["10.53", "3.99"]),
    ([0.066, 0.11, 0.0981], "USD/Mtok", ["0.066", "0.110", "0.098"]),
    ([0.674, 0.14, 0.0782], "fraction", ["67.4", "14.0", "7.8"]),
    ([0.0019, 0.148], "ratio", ["0.002", "0.148"]),
    ([1.5, 2.0, 3.0], "count", ["1.5", "2.0", "3.0"]),
    ([4, 120, 8], "count", ["4", "120", "8"]),  # whole numbers stay whole
    ([-0.4, 12.0, np.nan], "USD/h", ["−0.40", "12.00", "–"]),
    ([0.9995, 0.982], "fraction", ["99.95", "98.2"]),  # nearly all is not all
    ([0.0123, 320.0], "USD/h", ["0.012", "320"]),  # too far apart for one precision
    ([13738.0, 833.0], "USD/month", ["13,738", "833"]),
    ([0.0, 0.25], "fraction", ["0", "25"]),
    ([np.inf, 2.25], "ratio", ["∞", "2.25"]),
])
def test_a_column_has_one_precision(values, unit, expected):
    assert printed(values, unit) == expected


def test_no_header_is_empty():
    outline = Outline(tables.show(prices(), "All columns").html)
    assert "" not in outline.cells
    assert outline.cells[:3] == ["gpu", "usd", "share"]


def test_text_form():
    bundle, noted = tables.show(prices(), "What a token costs", COLUMNS)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"} and noted == {}
    assert "Accelerator | Cost [USD per million output tokens]" in bundle["text/plain"]


def test_a_table_of_a_finding_says_what_its_cards_need():
    @finding
    def two():
        rows = data.rows("gpus", {"gpu": "h200-sxm-141gb", "field": ("memory", "bandwidth")})
        return Finding(pd.DataFrame({"gpu": rows["gpu"], "field": rows["field"], "tb": [1.0, 2.0], "tb_low": [0.5, 1.0],
                                     "tb_high": [3.0, 4.0]}), note="Bars: outer bound.")

    columns = {"field": ("Fact", None), "tb": ("Value", "TB")}
    shown = tables.show(two(), "Two facts, 2 of 3", columns, range="bound")
    known = shown._repr_mimebundle_()[1]["pedigree"]
    assert f'id="{known["id"]}"' in shown.html and known["id"] == "t-two-facts-of"
    assert known["columns"] == [{"head": "Fact", "unit": "", "range": "", "text": True},
                                {"head": "Value", "unit": "TB", "range": "bound", "text": False}]
    assert [one.rpartition(":")[2] for one in known["makers"]] == [two.__qualname__]
    assert known["behind"] == [["gpus", 2, ["h200-sxm-141gb.memory", "h200-sxm-141gb.bandwidth"]]]
    assert known["of"] == {"gpu": ["h200-sxm-141gb"] * 2}
    (source, places, count), = known["sources"]
    row = data.show("h200-sxm-141gb.bandwidth")["rows"][0]
    assert source == row["source"] and row["locator"] in places and count == len(places) == 1
    assert shown.html.count("outer bound") == 1  # the note says the kind, and nothing repeats it
    assert "Ranges: interval of the model." in tables.show(two(), "Two", columns, range="interval").html
    mixed = tables.show(two().table.assign(usd=1.0, usd_low=0.5, usd_high=2.0), "Two", columns | {"usd": ("Price", "USD")},
                        range={"tb": "bound", "usd": "offers"}, note=two().note)
    assert "Ranges: spread of offers (Price)." in mixed.html  # and of the kind that the note names nothing
    by_row = tables.show(two(), "Two", columns, range=["bound", "interval"]).pedigree
    assert [one["range"] for one in by_row["columns"]] == ["", ["bound", "interval"]]
    by_both = tables.show(two(), "Two", columns, range={"tb": ["bound", "interval"]})
    assert by_both.pedigree["columns"] == by_row["columns"] and "Ranges:" not in by_both.html  # cards say those of rows
    part = tables.show(two().table.head(1), "One", columns, of=two()).pedigree  # a bare table says what it is a part of
    assert part["sources"] == known["sources"]
    assert tables.show(two().table, "Two", columns).pedigree is None


def test_titles_in_other_letters_say_their_language():
    """So that a screen reader reads the two documents' titles in Ukrainian and in Thai."""
    titles = [data.source(name)["title"] for name in ("doc-uk", "doc-th")]
    shown = page.source_line([data.source(name) for name in ("doc-uk", "doc-th", "nvidia-h100-datasheet")])
    assert f'<span lang="uk">{titles[0]}</span>' in shown and f'<span lang="th">{titles[1]}</span>' in shown
    assert shown.count("lang=") == 2


def test_unknown_column_is_refused():
    with pytest.raises(ValueError, match="no column 'price'; there are gpu, usd"):
        tables.show(prices(), "What a token costs", {"gpu": ("Accelerator", None), "price": ("Price", "USD")})


def test_formats():
    html = tables.show(prices(), "Costs", {"gpu": ("A", None), "share": ("S", "ratio")}, formats={"share": ".3f"}).html
    assert "0.620" in html


def test_truths_and_numbers_among_text():
    table = pd.DataFrame({"gpu": ["a", "b", "c"], "fits": [True, False, True], "why": ["too big", 0.1 + 0.2, None]})
    assert Outline(tables.show(table, "What fits").html).cells[3:] == [
        "a", "yes", "too big", "b", "no", "0.3", "c", "yes", "–",
    ]  # fmt: skip


def test_sources_link_only_to_the_web(found):
    rows = [
        {"id": "a", "title": "Sheet", "publisher": "Maker", "url": "https://example.org/a", "published": "2025-03",
         "licence": "facts cited"},
        {"id": "b", "title": "000_file.txt", "publisher": None, "url": "javascript:alert(1)", "published": "",
         "licence": ""},
    ]
    shown = tables.sources(found(prices(), cited=rows), found(prices(), cited=rows[:1]))
    assert len(Outline(shown.html).all("a")) == 1, "each source once"
    assert '<a href="https://example.org/a">Sheet</a>' in shown.html
    assert "javascript:" not in shown.html
    with pytest.raises(ValueError, match="no findings with sources"):
        tables.sources()


def ledger(**changed):
    row = {
        "id": "hw-h100-bandwidth", "section": "hardware", "statement": "The H100 moves 3.35 TB a second.",
        "claimed_low": 3.35, "claimed_high": 3.35, "unit": "TB/s", "comparator": "=", "recomputed_low": 3.2,
        "recomputed_high": 3.4, "verdict": "holds", "assumption": "", "arithmetic": "3.35 < 3.40 & more",
        "chapter": "hardware", "uk_line": 41.0, "th_line": None,
    }
    other = row | {
        "id": "ec-cost", "section": "economics", "verdict": "contradicted", "unit": "USD/Mtok_out", "claimed_low": 0.01,
        "claimed_high": None, "comparator": ">", "recomputed_low": None, "recomputed_high": None,
        "chapter": "cases/spotify#cost",
    }
    return pd.DataFrame([row | changed, other])


def test_claims(found):
    shown = tables.claims(found(ledger()))
    outline = Outline(shown.html)
    articles = outline.all("article")
    assert [(a["id"], a["data-section"], a["data-verdict"]) for a in articles] == [
        ("ec-cost", "economics", "contradicted"),
        ("hw-h100-bandwidth", "hardware", "holds"),
    ]
    assert "<dd>3.35 TB per second</dd>" in shown.html
    assert "<dd>3.2 – 3.4 TB per second</dd>" in shown.html
    assert "at least $0.01 per million output tokens" in shown.html
    assert "3.35 &lt; 3.40 &amp; more" in shown.html
    assert 'href="cases/spotify.html#cost"' in shown.html
    assert "sources.html#doc-uk\">Introl, Ukrainian text</a> line 41" in shown.html
    assert "Thai text" not in shown.html
    assert "Hardware (1)" in shown.html


def test_the_filter_waits_for_its_script(found):
    form = Outline(tables.claims(found(ledger())).html).all("form")[0]
    assert "hidden" in form


def test_unknown_verdict_section_and_column_are_refused(found):
    with pytest.raises(ValueError, match="'perhaps'; allowed are holds"):
        tables.claims(found(ledger(verdict="perhaps")))
    with pytest.raises(ValueError, match="'kitchen'"):
        tables.claims(found(ledger(section="kitchen")))
    with pytest.raises(ValueError, match="lacks verdict"):
        tables.claims(found(ledger().drop(columns="verdict")))


def moves(**changed):
    """A case of 10 and what becomes of it when inputs move."""
    rows = [("", "", 10.0), ("a", "1", 20.0), ("a", "2", 40.0), ("b", "3", 2.0), ("c", "4", 11.0), ("d", "5", 9.0),
            ("e", "6", 10.0)]
    table = pd.DataFrame(rows, columns=["what", "to", "cost"]).assign(**changed)
    return SimpleNamespace(table=table)


def test_the_head_shows_the_three_inputs_that_move_a_number_most():
    # ratios: a 4 (its larger end), b 5, c 1.1, d 1.11, e none
    lines = tables.would_change(moves(), "cost", "The cost", "USD/Mtok").text.split("\n")
    assert lines[0] == "What would change it" and lines[1].startswith("What changes | To | The cost, now $10.00")
    assert [line.split(" | ")[:2] for line in lines[2:]] == [["b", "3"], ["a", "2"], ["d", "5"]]
    # differences: a 30, b 8, and of c and d, as far away as each other, the first
    apart = tables.would_change(moves(), "cost", "The cost", "USD/Mtok", apart=True).text.split("\n")
    assert [line.split(" | ")[0] for line in apart[2:]] == ["a", "b", "c"]


def test_a_number_that_ends_is_the_largest_change_and_one_that_is_not_known_is_no_change():
    never = moves(cost=[10.0, 20.0, np.nan, np.inf, 11.0, 9.0, 10.0])
    lines = tables.would_change(never, "cost", "The volume", "request/day").text.split("\n")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["b", "a", "d"]
    unknown = tables.would_change(moves(cost=[np.nan, 20.0, 40.0, 2.0, 11.0, 9.0, 10.0]), "cost", "The cost", "USD/Mtok").text
    assert unknown.split("\n")[1].startswith("What changes | To | The cost [") and unknown.count("\n") == 4


def test_words_may_stand_in_place_of_the_number():
    won = moves(best=["x", "y", "z", "x", "x", "x", "x"])
    lines = tables.would_change(won, "cost", "The cost", "USD/Mtok", then=("best", "Then cheapest")).text.split("\n")
    assert lines[1] == "What changes | To | Then cheapest" and lines[3] == "a | 2 | z"


@pytest.mark.parametrize(("text", "so"), [
    ("$3.40 an hour", True), ("2 × H100, 27% busy", True), ("14%", True), ("36.3\u202f% to 0\u202f%", True),
    ("≤\u00a012%", True), ("27 sellers", True), ("2,500 to 3,500", True), ("10,000", True), ("1, an even load", True),
    ("costs 29% less", True),
    ("H100", False), ("3-month reservation: H200 SXM", False), ("2025-12-08", False), ("2024-07-27 – 2025-03-03", False),
    ("1/yr", False), ("tp 2", False), ("INT4 weights", False), ("old, 3 outside", False), ("–", False), ("", False),
    (f"{'A long remark that is read, ' * 3}of 30%", False)])
def test_a_text_that_states_a_number_is_no_name_no_date_and_no_prose(text, so):
    assert tables.states(text) is so


def test_numbers_in_texts_open_cards_too_but_neither_the_head_of_a_row_nor_a_unit():
    @finding
    def moves():
        return Finding(pd.DataFrame({"what": ["$1 an hour", "busy"], "to": ["$2.14", "INT4"], "unit": ["1", "1/yr"],
                                     "pue": str(data.value("power.pue"))}))

    shown = tables.show(moves(), "Moves", {"what": ("What", None), "to": ("To", None), "unit": ("Unit", None)})
    assert shown.html.count("te-said") == 1 and '<td class="te-said">$2.14</td>' in shown.html
    assert shown.pedigree["columns"][1]["text"] and 'id="t-moves"' in shown.html  # though no column is of numbers

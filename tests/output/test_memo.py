"""`tokenecon memo`: what it says in each format, that it opens, its styles and sources, the same bytes, and refusals."""

import re
import zipfile

import pytest

from tokenecon.decision import report
from tokenecon.output import compare, memo, memo_pdf

PARTS = ("Alternatives", "The bill of a month today", "Assumptions that matter", "What would change it", "Against other cases",
         "Where the figures come from", "Parameters, and how to make this memo again")


@pytest.fixture(scope="module")
def blocks():
    made = report.decide("chat-assistant", 300, None)
    return memo.blocks(made, compare.compare(["chat-assistant", "batch-summariser"]))


def test_it_says_what_a_board_asks(blocks):
    kinds = [kind for kind, _ in blocks]
    assert kinds[:4] == ["title", "case", "answer", "chart"]
    assert tuple(content for kind, content in blocks if kind == "heading") == PARTS
    answer = blocks[2][1]
    assert re.search(r"\$[\d,]+ a month today and, over 3 years, \$[\d.]+ a million tokens, \$[\d.]+ to \$[\d.]+ in four", answer)
    assert ("code", "tokenecon memo chat-assistant --draws 300 --compare batch-summariser -o memo.docx") in blocks


def test_every_figure_has_source_date_and_address_and_every_reference_leads_to_one(blocks):
    tables = [content for kind, content in blocks if kind == "table"]
    sources = next(table for table in tables if table.heads[0] == "No.")
    for row in sources.rows:
        assert all(row), row
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row[4]), row
        assert re.match(r"https?://|data/\w+\.csv|chat-assistant$", row[5]), row
    known = {row[0] for row in sources.rows}
    referred = [one for table in tables if table.heads[-1] in ("Price", "Source")
                for row in table.rows for one in row[-1].split(", ")]
    assert referred and set(referred) - {"–"} <= known


def test_the_bill_adds_up(blocks):
    bill = next(content for kind, content in blocks if kind == "table" and content.heads[1] == "Together")
    for row in bill.rows:
        whole, *lines = (int(usd.replace("$", "").replace(",", "")) for usd in row[1:])
        assert abs(sum(lines) - whole) <= len(lines), "but for cents"


@pytest.mark.parametrize("kind", [".md", ".html", ".docx"])
def test_the_same_memo_has_the_same_bytes(blocks, kind):
    first = memo.FORMATS[kind](blocks, "2026-11-28")
    assert first == memo.FORMATS[kind](blocks, "2026-11-28")


def test_the_page_is_whole_draws_vectors_and_asks_nothing_of_the_network(blocks):
    page = memo.FORMATS[".html"](blocks, "2026-11-28").decode()
    assert page.count("<svg") == 2 and page.count('role="img"') == 2 and page.count("aria-label") >= 2
    assert not re.search(r"<script|<link|<img|url\(|@import|src=", page)


def test_the_document_has_styles_a_chart_with_words_and_repeated_heads(blocks):
    import io

    import docx

    content = memo.FORMATS[".docx"](blocks, "2026-11-28")
    document = docx.Document(io.BytesIO(content))
    styles = {line.style.name for line in document.paragraphs}
    assert {"Title", "Subtitle", "Intense Quote", "Heading 1", "Caption"} <= styles
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        text = file.read("word/document.xml").decode()
        assert "<c:barChart>" in file.read("word/charts/chart1.xml").decode().replace("<barChart>", "<c:barChart>")
        assert {one.date_time for one in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert re.search(r'<wp:docPr[^>]* descr="Bar chart, [^"]+: \$', text)
    assert text.count("<w:tblHeader/>") == len(document.tables) == text.count("<w:tblDescription")


def test_a_name_with_marks_stays_text(blocks):
    marked = [("title", "<b>A & B</b> | *x*\x07"), *blocks[1:]]
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in memo.FORMATS[".html"](marked, "2026-11-28").decode()
    assert r"# \<b\>A & B\</b\> \| \*x\*" in memo.FORMATS[".md"](marked, "2026-11-28").decode()
    memo.FORMATS[".docx"](marked, "2026-11-28")


def pages(content):
    return len(re.findall(rb"/Type\s*/Page\b", content))


def test_libreoffice_opens_it_on_two_pages_with_a_comparison(blocks, office, tmp_path):
    (tmp_path / "memo.docx").write_bytes(memo.FORMATS[".docx"](blocks, "2026-11-28"))
    office(tmp_path / "memo.docx", "pdf", tmp_path)
    assert pages((tmp_path / "memo.pdf").read_bytes()) == 2


def test_chromium_prints_it_on_two_pages(blocks, chromium, monkeypatch):
    monkeypatch.setenv("CHROME", chromium)
    made = memo.FORMATS[".pdf"](blocks, "2026-11-28")
    assert made.startswith(b"%PDF-") and b"D:20261128120000" in made and pages(made) == 2


def test_differences_add_up_and_more_cases_show_fewer(small, tmp_path):
    twice, more = tmp_path / "twice.yml", tmp_path / "more.yml"
    twice.write_text(small.read_text().replace("3000000", "6000000").replace("isl: 700", "isl: 900"))
    more.write_text(small.read_text().replace("people: 0.7", "people: 0.1"))
    for others, places, width in (([twice], {"Whole difference": 1}, 4), ([twice, more], {"Whole difference": 2}, 5)):
        made = memo._worth(compare.compare([small, *others]))
        assert len(made.heads) == width == len(made.widths)
        names = [row[width - 4] for row in made.rows]
        assert {name: names.count(name) for name in places} == places
        sums = [float(row[width - 2].replace("−", "-").replace("$", "").replace(",", "")) for row in made.rows]
        last = names.index("Whole difference")
        assert sum(sums[:last]) == pytest.approx(sums[last], abs=3)


def test_a_parameter_goes_before_the_scenario_and_stands_in_the_command(command, small, tmp_path):
    code, out, err = command("memo", small, "-p", "requests_per_day", "500000", "--compare", small, "--draws", 100, "-o",
                             tmp_path / "memo.md")
    text = (tmp_path / "memo.md").read_text()
    assert (code, err) == (0, "")
    assert "500,000 requests a day" in text and "The number of requests | 500000 → 3000000" in text
    assert f"-p requests_per_day 500000 --draws 100 --compare {small} -o memo.md" in text
    code, out, err = command("memo", small, "-p", "request_per_day", "5", "-o", tmp_path / "none.md")
    assert (code, out, err.count("\n")) == (2, "", 1) and "did you mean" in err and not (tmp_path / "none.md").exists()


def test_what_cannot_be_written_is_one_sentence(command, monkeypatch, tmp_path):
    (tmp_path / "memo.docx").write_text("old")
    for out, words in (("memo.odt", "ends in .md, .html, .docx, .pdf"), ("none/memo.md", "cannot be written")):
        code, said, err = command("memo", "chat-assistant", "-o", tmp_path / out, "--draws", 100)
        assert (code, said, err.count("\n")) == (2, "", 1) and words in err
    code, said, err = command("memo", tmp_path / "none.yml", "-o", tmp_path / "memo.docx")
    assert (code, said, err.count("\n")) == (2, "", 1) and (tmp_path / "memo.docx").read_text() == "old"
    monkeypatch.setattr(memo_pdf.shutil, "which", lambda name: None)
    code, said, err = command("memo", "chat-assistant", "-o", tmp_path / "memo.pdf")
    assert (code, said, err.count("\n")) == (2, "", 1) and "printed by Chromium or LibreOffice, and neither is on the path" in err

"""Pages as PDF: of their own names, every page of paper there, and one sentence for what cannot be printed."""

import re

import pytest

from tokenecon_book.site.takeaway import paper

pytestmark = pytest.mark.browser


def test_pages_are_printed_under_their_names(site, chromium, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CHROME", chromium)
    assert paper.main(["decision.html", "data/precisions.html", "--site", str(site), "-o", str(tmp_path)]) == 0
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pdf")) == [
        "data/precisions.pdf", "decision.pdf"]
    for name in ("decision.pdf", "data/precisions.pdf"):
        pdf = (tmp_path / name).read_bytes()
        assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
        assert b"/StructTreeRoot" in pdf  # tagged: a screen reader finds headings and tables
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "decision.pdf").read_bytes())) >= 4
    assert capsys.readouterr().out.count(".pdf") == 2


def test_all_pages_are_printed_but_the_one_of_what_is_not_there(site):
    names = paper.pages(site)
    assert {"index.html", "cases/deepseek.html", "calculator.html"} < set(names) and "404.html" not in names


def test_what_cannot_be_printed_is_one_sentence(site, tmp_path, capsys, monkeypatch):
    assert paper.main(["nothing.html", "--site", str(site), "-o", str(tmp_path)]) == 2
    assert "no page 'nothing.html'" in capsys.readouterr().err
    assert paper.main(["--site", str(tmp_path), "-o", str(tmp_path)]) == 2
    assert "run `make book`" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROME", raising=False)
    assert paper.main(["index.html", "--site", str(site), "-o", str(tmp_path)]) == 2
    assert "install one" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.pdf"))

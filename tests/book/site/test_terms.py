"""Terms of the glossary in the prose of the pages: explained once, never in a heading, a link, code or a headline."""

import re

from docutils import nodes

from tokenecon_book.site import terms

EXPLAINED = re.compile(r'<span class="term"><a href="([^"]*)" aria-describedby="([^"]*)">([^<]*)</a>'
                       r'<span class="term-about" role="tooltip" id="([^"]*)">([^<]*)</span></span>')


def test_a_term_is_explained_once_a_page_where_its_prose_first_uses_it(site):
    glossary = (site / "glossary.html").read_text(encoding="utf-8")
    anchors = set(re.findall(r'<dt id="([^"]*)"', glossary))
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html") if path.parent.name != "data"}
    found = {path.relative_to(site).as_posix(): EXPLAINED.findall(text) for path, text in pages.items()}
    assert "KV cache" in [word for *_, word, _, _ in found["economics.html"]] and not found["glossary.html"]
    for page, words in found.items():
        links = [address for address, *_ in words]
        assert len(links) == len(set(links)), page
        for address, described, _, about, text in words:
            assert described == about and address.rpartition("#")[2] in anchors and len(text) > 20, (page, address)
    for text in pages.values():
        apart = re.findall(r"<(h[1-6]|code|pre|table)\b(.*?)</\1>", text, re.S)
        assert not any('<span class="term">' in inside for _, inside in apart)


def test_words_of_the_trade_are_in_the_glossary(site):
    glossary = (site / "glossary.html").read_text(encoding="utf-8")
    for word in ("SXM", "HGX", "NVL72", "OAM", "shadow price", "PUE", "N+1", "spot", "committed use", "goodput",
                 "chunked prefill", "MLA", "GQA", "TCO", "HBM"):
        assert re.search(rf"<dt id=\"term-[^\"]*\">{re.escape(word)}<", glossary), word


def test_a_headline_and_a_link_keep_their_words():
    text = nodes.Text("spot")
    nodes.paragraph("", "", text)
    assert terms._in_prose(text)
    for inside in (nodes.reference("", "", text), nodes.literal("", "", text)):
        nodes.paragraph("", "", inside)
        assert not terms._in_prose(text)
    nodes.container("", nodes.paragraph("", "", text), classes=["finding"])
    assert not terms._in_prose(text)

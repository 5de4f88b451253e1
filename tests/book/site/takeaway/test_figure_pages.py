"""The page of a figure: its table, its parameters, and the code that embeds it."""

import re
from html.parser import HTMLParser

from tokenecon_book.site.takeaway import citing, figure_pages

COLUMNS = [{"name": "gpu", "type": "string"}, {"name": "usd_low", "type": "number", "unit": "USD/h"},
           {"name": "busy", "type": "number", "unit": "fraction"}]


def about(rows):
    return {"id": "a-b", "rows": rows, "columns": COLUMNS, "alt": 'It "falls" & <rises>', "address": "https://example.org/v1/figures/a-b.html"}


def table(rows):
    text = "gpu,usd_low,busy\n" + "".join(f"<b>{place}</b>,{place}.5,\n" for place in range(rows))
    return figure_pages.data_table(about(rows), text)


def test_a_table_of_two_hundred_rows_is_shown_whole_and_a_longer_one_begins():
    assert table(200).count("<tr>") == 201 and "The first" not in table(200)
    long = table(1201)
    assert long.count("<tr>") == 51 and 'The first 50 of 1,201 rows; <a href="a-b.csv">' in long


def test_cells_are_text_and_units_are_words():
    html = table(1)
    assert "<b>" not in html and "&lt;b&gt;0&lt;/b&gt;" in html
    assert re.findall(r'te-unit">([^<]+)<', html) == ["USD per hour", "share of 1"]
    assert '<td class="te-number">0.5</td><td class="te-number"></td>' in html


def test_a_parameter_that_is_left_open_has_no_unit():
    rows = [{"name": "isl", "value": None, "unit": "tok_in", "meaning": "prompt"},
            {"name": "osl", "value": 211.1, "unit": "tok_out", "meaning": "`answer`"},
            {"name": "gpu", "value": "h100", "unit": "gpu", "meaning": "what serves"}]
    html = figure_pages.parameter_table(rows)
    assert "<td>–</td>" in html and '<td>211.1<span class="te-unit">output tokens</span></td><td>answer</td>' in html
    assert "<td>h100</td>" in html


def test_the_code_that_embeds_a_figure_is_html_with_the_address_of_its_version():
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(figure_pages.embed(about(1)))
    (link, picture) = found
    assert link == ("a", {"href": "https://example.org/v1/figures/a-b.html"})
    assert picture[1]["src"] == "https://example.org/v1/figures/a-b.png" and picture[1]["alt"] == 'It "falls" & <rises>'


def test_a_text_to_copy_is_text(monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://example.org")
    html = citing.html({"text": "<i>a</i> & b", "bibtex": "@misc{x}", "csl": "[]"})
    assert "&lt;i&gt;a&lt;/i&gt; &amp; b" in html and "te-unset" not in html and html.count("<pre>") == 3
    monkeypatch.delenv("SITE_URL")
    monkeypatch.setattr(citing.citations, "_configured", lambda path: "")
    assert "te-unset" in citing.html({"text": "", "bibtex": "", "csl": ""})

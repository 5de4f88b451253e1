"""The page of a figure: its table, its parameters, and the code that embeds it."""

import re
from html.parser import HTMLParser

from tokenecon_book.site.takeaway import citing, figure_pages

COLUMNS = [{"name": "gpu", "type": "string"}, {"name": "usd_low", "type": "number", "unit": "USD/h"},
           {"name": "busy", "type": "number", "unit": "fraction"}]


def about(rows):
    return {"id": "a-b", "title": "A & B", "rows": rows, "columns": COLUMNS, "alt": 'It "falls" & <rises>', "address": "https://example.org/v1/figures/a-b.html"}


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
    units = re.search(r'<tr class="te-units">(.*?)</tr>', html)[1]
    assert re.findall(r">([^<]*)</td>", units) == ["", "USD per hour", "share of 1"]
    assert '<td class="te-number">0.5</td><td class="te-number"></td>' in html
    assert 'id="t-data"' in html and '<caption class="te-hidden">A &amp; B</caption>' in html


def test_a_range_stands_below_its_number_and_is_no_column():
    columns = [{"name": name, "type": "number", "unit": "USD/Mtok"} for name in ("usd", "usd_low", "usd_high", "gap_low")]
    text = "usd,usd_low,usd_high,gap_low\n1234.5,-1,2.5e-05,7\n3,3,3,8\n,,,9\n"
    html = figure_pages.data_table(about(3) | {"columns": columns}, text)
    assert re.findall(r'<th scope="col"[^>]*>(\w+)<', html) == ["usd", "gap_low"]  # an end without another is a number of its own
    rows = re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2])
    assert "1,234.5 <span class=\"te-range\">−1 – 2.5 × 10⁻⁵</span>" in rows[0]
    assert ">3</th>" in rows[1] and "te-range" not in rows[1] + rows[2]
    assert '<td class="te-number"></td>' in rows[2]


def test_a_text_that_states_a_number_opens_a_card():
    columns = [{"name": "name", "type": "string"}, {"name": "share", "type": "string"}]
    html = figure_pages.data_table(about(2) | {"columns": columns}, "name,share\n67% of H100,67%\nx,H100 SXM\n")
    assert html.count("te-said") == 1 and '<td class="te-short te-said">67%</td>' in html


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

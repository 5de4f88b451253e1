"""The pages of data/: an old address of a row arrives, rows are found in all parts, and numbers of rows open cards."""

import datetime
import json
import re

import pytest

from tokenecon import data
from tokenecon_book import citations
from tokenecon_book.site import parts

pytestmark = pytest.mark.browser
CARD = "dialog.te-card"
STOPS = "document.querySelectorAll('table [tabindex=\"0\"]').length"


def test_the_old_address_of_a_row_arrives(look, address):
    with look() as watched:
        page = watched.open("data/measurements.html#m0500")
        page.wait_for_url(f"**/{parts.address('measurements', 'm0500')}")
        page.wait_for_function("document.querySelector('tr:target')")
        assert 0 <= page.locator("tr[id='m0500']").bounding_box()["y"] < 900
        page = watched.open("data/prices.html")
        page.evaluate("location.hash = 'prices-h200-sxm-141gb'")  # the mark of a group, followed on the page itself
        page.wait_for_url("**/data/prices/h200-sxm-141gb.html#prices-h200-sxm-141gb")
        watched.open("data/prices.html#no-such-row")
        page.wait_for_load_state("networkidle")
        assert page.url == f"{address}data/prices.html#no-such-row"
        assert not watched.complaints


def test_words_are_found_in_all_parts_of_a_table(look):
    measured = data.table("measurements")
    wanted = measured[(measured["model"] == "llama-3.3-70b") & (measured["gpu"] == "h200-sxm-141gb")]
    with look(width=390) as watched:
        page = watched.open("data/measurements.html")
        page.locator(".table-filter input").fill("llama-3.3-70b h200-sxm-141gb")
        page.wait_for_function("document.querySelector('.table-filter [role=status]').textContent")
        counts = {source: f"{len(own)} of {(measured['source'] == source).sum():,}" for source, own in wanted.groupby("source")}
        shown = dict(page.evaluate("[...document.querySelectorAll('tr[data-part]:not([hidden])')].map((row) => "
                                   "[row.dataset.part.split('/').pop(), row.cells[1].textContent])"))
        assert shown == counts
        assert page.locator(".table-filter [role=status]").inner_text() == f"{len(wanted)} rows in {len(counts)} parts"
        source = next(name for name in counts if not parts.address("measurements", wanted.set_index("source").loc[[name], "id"]
                                                                  .iloc[0]).count("/") > 2)
        page.locator(f"tr[data-part$='/{source}'] a").click()
        page.wait_for_function("document.querySelector('.table-filter [role=status]')?.textContent")
        assert page.locator(".table-filter [role=status]").inner_text() == f"{counts[source]} rows"
        assert "q=llama-3.3-70b" in page.url and not watched.complaints


def test_numbers_of_rows_open_cards_by_keyboard(look):
    row = data.row("measurements", "m0305")
    source = data.source(row["source"])
    with look() as watched:
        page = watched.open(f"data/measurements/{row['source']}.html")
        first = page.locator("table .te-cell").first
        assert page.evaluate(STOPS) == 1
        first.focus()
        page.keyboard.press("ArrowDown")
        here = page.evaluate("document.activeElement.closest('tr').id")
        assert here == "m0305" and page.evaluate(STOPS) == 1
        page.keyboard.press("Enter")
        card = page.locator(CARD)
        card.locator("h2").wait_for()
        said = card.text_content()
        assert card.locator("h2").inner_text() == "m0305"
        assert card.locator(".te-card-value").inner_text() == "28,836.77 output tokens per second"
        assert "measured by the source" in said and f"{source['publisher']}, {source['title']}" in said  # above the table
        newest, day = (datetime.date.fromisoformat(one) for one in (citations.data_date(), row["as_of"]))
        assert f"{day}, {(newest - day).days:,} days old on {newest}" in said
        assert f"workload: {row['workload']}" in said and row["gpu"] in said
        assert "data/measurements/trtllm-perf-v0.17.html#m0305" in said
        page.keyboard.press("Escape")
        page.locator(".table-filter input").fill("gh200")  # the row of the stop is hidden: the stop moves to one that is seen
        assert page.evaluate("document.querySelectorAll('tr:not([hidden]) [tabindex=\"0\"]').length") == 1
        assert not watched.complaints


def test_prices_of_tokens_follow_the_switch_with_their_words(look):
    prices = data.table("api_prices")
    row = prices[prices["last_seen"] == "2026-11-12"].iloc[0]
    with look(width=390) as watched:
        page = watched.open(f"{parts.address('api_prices', row['id']).partition('#')[0]}?per=1k")
        cells = page.locator(f"tr[id='{row['id']}'] .te-cell")
        assert float(cells.first.inner_text()) == pytest.approx(row["usd_per_mtok_in"] / 1000, rel=1e-9)
        label = page.evaluate("getComputedStyle(document.querySelector('tbody .te-cell').parentElement, '::before').content")
        assert label == '"USD per thousand input tokens: "'
        cells.first.click()
        card = page.locator(CARD)
        card.locator("h2").wait_for()
        assert card.locator(".te-card-value .unit").inner_text() == "USD per thousand input tokens"
        said = card.text_content()
        assert "Price of a thousand input tokens." in said
        assert f"{row['usd_per_mtok_in']:g} USD per million input tokens”" in said  # a citation is of what is printed
        page.keyboard.press("Escape")
        page.locator(".te-per input[value='1M']").check()
        assert float(cells.first.inner_text()) == row["usd_per_mtok_in"]
        page = watched.open("data/assumptions.html?per=1k")
        cell = page.locator("tr[id='api.bedrock_input'] td.num")
        assert cell.inner_text() == f"{data.value('api.bedrock_input') / 1000:g} USD per thousand input tokens"
        assert not watched.complaints


def test_a_number_of_a_wide_row_is_named_and_says_where_it_is_used(look):
    with look() as watched:
        page = watched.open("data/models.html")
        layers = page.locator("tr[id='llama-2-7b'] .pairs > span", has=page.locator("i", has_text=re.compile("^layers$")))
        layers.locator(".te-cell").click()
        card = page.locator(CARD)
        card.locator("h2").wait_for()
        assert card.locator("h2").inner_text() == "llama-2-7b: layers"
        assert card.locator(".te-card-value strong").inner_text() == f"{data.row('models', 'llama-2-7b')['layers']:g}"
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.closest('tr').id + document.activeElement.parentElement.parentElement"
                             ".textContent.trim()").startswith("llama-2-13blayers ")
        page = watched.open("data/assumptions.html")
        page.locator("tr[id='power.pue'] .te-cell").click()
        card.locator("h2").wait_for()
        assert card.locator("a[href$='/hour.html']").count() and "1.1 – 1.58 times: plausible range" in card.text_content()
        assert not watched.complaints


def test_what_a_page_of_rows_holds_is_text_in_its_card(look):
    payload = "<img src=x onerror=\"document.title='owned'\">"
    with look() as watched:
        def changed(route):
            known = route.fetch().json()
            known |= {"cite": [payload, payload], "pages": [[payload, "javascript:alert(1)"]], "used": [[0]] * len(known["used"])}
            route.fulfill(body=json.dumps(known), content_type="application/json")

        watched.page.route("**/rows/data/precisions.json", changed)
        page = watched.open("data/precisions.html")
        page.locator("tr[id='fp8'] .te-cell").first.click()
        card = page.locator(CARD)
        card.locator("h2").wait_for()
        assert payload in card.text_content() and card.locator("img, a[href^='javascript']").count() == 0
        assert page.title() != "owned" and not watched.complaints

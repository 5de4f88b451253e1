"""What a reader finds by the search: in a field, in the dialog, by keyboard; and that what is typed stays text."""

import pytest

from tokenecon import data
from tokenecon.prices import gpu_prices
from tokenecon_book.site import accelerators

pytestmark = pytest.mark.browser

# what is typed -> where one of the first three hits leads
QUESTIONS = {
    "price": "accelerators.html", "token price": "data/api_prices.html", "own or rent": "decision.html",
    "buy or rent": "decision.html",
    "H200": "accelerators.html#h200-sxm-141gb", "H200 bandwidth": "accelerators.html#h200-sxm-141gb.bandwidth",
    "Spotify": "cases/spotify.html", "Llama 3.3 70B": "data/models.html#llama-3.3-70b",
    "H100 hourly": "accelerators.html#h100-sxm-80gb", "spot price H100": "accelerators.html#h100-sxm-80gb",
    "context length": "glossary.html#term-ISL", "break-even": "glossary.html#term-break-even", "TPOT": "glossary.html#term-TPOT",
    "PUE": "glossary.html#term-PUE", "MLA": "glossary.html#term-", "hw-h100-bandwidth": "claims.html#hw-h100-bandwidth",
    "power.pue": "data/assumptions.html#power.pue", "quantization": "glossary.html#term-quantisation",
    "electricty price": "data/assumptions.html#power.price", "CoreWeave": "data/providers.html#coreweave",
    "kv_bytes_per_token": "formulas/kv_cache.html#kv_bytes_per_token", "cost-all": "numbers.html#cost-all",
}  # fmt: skip
NAUGHTY = '<img src=x onerror="document.title=\'broken\'">"><script>document.title="broken"</script>'


def hits(page, address):
    return [link.removeprefix(address) for link in page.evaluate(
        "[...document.querySelectorAll('#found .hits a')].slice(0, 3).map((one) => one.href)")]


def test_each_question_has_its_answer_in_the_first_three(look, address):
    missed = []
    with look() as watched:
        page = watched.open("search.html")
        for words, wanted in QUESTIONS.items():
            page.locator("#search-words").fill("")
            page.wait_for_function("!document.querySelector('#found .hits')")
            page.locator("#search-words").fill(words)
            page.wait_for_selector("#found .hits")
            if not any(one == wanted or (wanted.endswith("-") and one.startswith(wanted)) for one in hits(page, address)):
                missed.append(f"{words}: {hits(page, address)}, not {wanted}")
        assert not watched.complaints
    assert not missed, "\n".join(missed)


def test_an_engineer_finds_price_and_bandwidth_in_two_clicks_each(look):
    price = gpu_prices.price_range("h200-sxm-141gb", "on_demand", accelerators.day())
    fact = data.row("gpus", "h200-sxm-141gb.bandwidth")
    with look() as watched:
        page = watched.open("search.html?q=H200")
        first = page.locator("#found .hit").first
        assert f"${price['typical']:.2f}" in first.inner_text() and f"median of {price['sellers']} sellers" in first.inner_text()
        first.locator("a").click()
        fold = page.locator("section:has(> #h200-sxm-141gb) details.offers").first
        assert "behind the price" in fold.inner_text() and 0 <= fold.bounding_box()["y"] < 900
        fold.locator("summary").click()
        assert fold.locator("tbody tr").count() == len(price["rows"])
        assert fold.locator("tbody tr").first.is_visible()
        page = watched.open("search.html?q=H200")
        hit = page.locator("#found .hit", has_text="memory bandwidth").first
        assert f"{fact['value']:g} TB/s" in hit.inner_text()
        hit.locator("a").click()
        row = page.locator("tr[id='h200-sxm-141gb.bandwidth']")
        assert 0 <= row.bounding_box()["y"] < 900
        assert row.locator("td a").first.get_attribute("href") == data.source(fact["source"])["url"]
        assert not watched.complaints


def test_the_dialog_answers_by_keyboard(look, address):
    with look(width=390) as watched:
        page = watched.open("cases/spotify.html")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.keyboard.press("Control+k")
        page.keyboard.type("own or rent")
        page.wait_for_selector("#pst-search-dialog .hits a")
        assert f"{address}_static/search.json" in asked
        assert "hit" in page.locator("#pst-search-dialog [role=status]").inner_text()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.href").startswith(address)
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowDown")
        wanted = page.evaluate("document.activeElement.href")
        page.keyboard.press("Enter")
        page.wait_for_url(wanted)
        assert not watched.complaints


def test_no_page_loads_the_index_before_somebody_searches(look):
    with look() as watched:
        asked = []
        watched.page.on("request", lambda request: asked.append(request.url))
        watched.open("index.html", wait="networkidle")
        assert asked and not [one for one in asked if "search.json" in one or "finder" in one or "searchindex" in one]


def test_words_from_the_address_are_text(look):
    from urllib.parse import quote

    with look() as watched:
        for place in (f"search.html?q={quote(NAUGHTY)}", f"claims.html?q={quote(NAUGHTY)}",
                      f"claims.html?section={quote(NAUGHTY)}&verdict={quote(NAUGHTY)}", f"claims.html#{quote(NAUGHTY)}",
                      f"data/gpus.html?q={quote(NAUGHTY)}#{quote(NAUGHTY)}", f"index.html?highlight={quote(NAUGHTY)}"):
            page = watched.open(place)
            if place.startswith("search"):
                page.wait_for_selector("#found-count:not(:empty)")
            assert "broken" not in page.title(), place
            assert not page.locator("img[src=x]").count(), place
        page = watched.open("index.html")
        page.keyboard.press("Control+k")
        page.keyboard.type(NAUGHTY + " H200")
        page.wait_for_selector("#pst-search-dialog .hits a")
        assert "broken" not in page.title() and not page.locator("img[src=x]").count()
        assert not watched.complaints

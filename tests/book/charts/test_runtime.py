"""Charts and ledger in a browser: drawn near the screen, in both themes, on a phone, and without script."""

import functools
import http.server
import shutil
import threading
from types import SimpleNamespace

import pandas as pd
import pytest

from tokenecon_book.charts import page, tables

pytestmark = pytest.mark.browser

HEAD = (
    '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Charts</title>'
    '<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="stylesheet" href="_static/charts.css"></head><body style="margin:16px">'
)


def claims():
    """Four claims in two sections."""
    return pd.DataFrame(
        [
            {
                "id": name, "section": section, "statement": statement, "claimed_low": 1.5, "claimed_high": 2.5,
                "unit": "ratio", "recomputed_low": 3.0, "recomputed_high": 4.0, "verdict": verdict,
                "assumption": "", "arithmetic": "3 = 6 / 2", "chapter": section,
            }
            for name, section, statement, verdict in (
                ("ec-one", "economics", "Batches make tokens cheap.", "holds"),
                ("ec-two", "economics", "Context is free.", "contradicted"),
                ("hw-one", "hardware", "The H100 is fast.", "holds"),
                ("hw-two", "hardware", "The H200 is faster.", "plain input"),
            )
        ]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, root):
    """The folder of a small site, with the static files of the book and the bundle."""
    top = tmp_path_factory.mktemp("site")
    (top / "_static").mkdir()
    for name in ("charts.css", "charts.mjs", "ledger.mjs"):
        shutil.copy(root / "book" / "_static" / name, top / "_static")
    (top / "_static" / "vega-bundle.mjs").write_text(page.vega_bundle(), encoding="utf-8")
    return top


@pytest.fixture(scope="module")
def address(folder):
    """The small site, served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=chromium, args=arguments)
        yield running
        running.close()


@pytest.fixture
def visit(browser, folder, address, shown):
    """A function that opens a page with one figure far below the first screen, and the ledger."""
    figure = page.html(shown.payload())
    ledger = tables.claims(SimpleNamespace(table=claims())).html
    (folder / "index.html").write_text(
        f'{HEAD}<div style="height:3000px">top</div>{figure}</body></html>', encoding="utf-8"
    )
    (folder / "claims.html").write_text(f"{HEAD}{ledger}</body></html>", encoding="utf-8")
    contexts = []

    def visit(path="index.html", **options):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 800}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.said, tab.asked = [], []
        tab.on("console", lambda message: tab.said.append(message.text))
        tab.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.goto(f"{address}/{path}")
        return tab

    yield visit
    for context in contexts:
        context.close()


def draw(tab):
    tab.locator(".te-figure").scroll_into_view_if_needed()
    tab.wait_for_selector('.te-figure[data-drawn="true"]', timeout=20_000)


def test_the_library_is_loaded_only_near_a_chart(visit):
    tab = visit()
    tab.wait_for_timeout(300)
    assert not [url for url in tab.asked if "vega-bundle" in url]
    draw(tab)
    assert len([url for url in tab.asked if "vega-bundle" in url]) == 1
    assert tab.said == []
    assert tab.locator(".te-live svg").count() == 1
    assert not tab.locator("svg.te-static.te-wide").is_visible()


def test_ink_follows_the_theme_at_once(visit):
    tab = visit()
    draw(tab)
    ink = (
        "[...document.querySelectorAll('.te-live text')]"
        ".filter(t => t.textContent.startsWith('Cost [')).map(t => getComputedStyle(t).fill)"
    )
    assert tab.evaluate(ink) == ["rgb(28, 33, 40)"]  # #1c2128
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert tab.evaluate(ink) == ["rgb(230, 233, 237)"]  # #e6e9ed
    assert tab.said == []


def test_a_chart_follows_the_width_of_its_column(visit):
    tab = visit()
    draw(tab)
    wide = tab.locator(".te-live svg").bounding_box()["width"]
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.wait_for_function("document.querySelector('.te-live svg').getBoundingClientRect().width < 380")
    assert wide > 600
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.said == []


def test_the_pointer_is_answered(visit):
    tab = visit()
    draw(tab)
    box = tab.evaluate(
        "(() => { const r = [...document.querySelectorAll('.te-live .mark-symbol path')]"
        ".find(p => p.getAttribute('opacity') === '0').getBoundingClientRect();"
        " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
    )
    tab.mouse.move(*box)
    tip = tab.locator("#vg-tooltip-element")
    tip.wait_for(state="visible")
    # 21 × 0.7 = 14.7 and 21 × 1.9 = 39.9
    assert "$21.00 ($14.70 – $39.90)" in tip.inner_text()


def test_without_script_the_picture_is_there(visit):
    for width, name in ((1000, "wide"), (390, "narrow")):
        tab = visit(java_script_enabled=False, viewport={"width": width, "height": 800})
        assert tab.locator(f"svg.te-{name}").is_visible()
        assert tab.locator("svg.te-static:visible").count() == 1
        assert "Cost [USD per million output tokens, log scale]" in tab.locator(f"svg.te-{name}").text_content()


def test_a_broken_chart_keeps_its_picture_and_says_so(visit, folder):
    html = (folder / "index.html").read_text(encoding="utf-8")
    (folder / "broken.html").write_text(html.replace('"layer":', '"lair":'), encoding="utf-8")
    tab = visit("broken.html")
    tab.locator(".te-figure").scroll_into_view_if_needed()
    tab.wait_for_selector('.te-figure[data-drawn="failed"]', timeout=20_000)
    assert tab.locator("svg.te-wide").is_visible()
    assert tab.locator(".te-live").count() == 0
    assert any("fig-economics-batch stays a static picture" in text for text in tab.said)


def visible_claims(tab):
    return tab.evaluate("[...document.querySelectorAll('.te-claim')].filter(c => !c.hidden).map(c => c.id)")


def test_the_ledger_filters_and_remembers(visit):
    tab = visit("claims.html")
    tab.wait_for_selector(".te-claims-filter", state="visible")
    assert visible_claims(tab) == ["ec-one", "ec-two", "hw-one", "hw-two"]
    tab.select_option("select[name=verdict]", "holds")
    assert visible_claims(tab) == ["ec-one", "hw-one"]
    tab.fill("input[name=q]", "h100 fast")
    assert visible_claims(tab) == ["hw-one"]
    assert tab.inner_text(".te-claims-count") == "1 of 4 claims"
    assert tab.url.endswith("?verdict=holds&q=h100+fast")
    assert not tab.locator("#claims-economics").is_visible()
    again = visit("claims.html" + tab.url.partition("claims.html")[2])
    again.wait_for_selector(".te-claims-filter", state="visible")
    assert visible_claims(again) == ["hw-one"]
    assert tab.said + again.said == []


def test_nothing_found_can_be_undone(visit):
    tab = visit("claims.html?q=nowhere")
    tab.wait_for_selector(".te-claims-none", state="visible")
    assert visible_claims(tab) == []
    tab.click(".te-claims-reset")
    assert len(visible_claims(tab)) == 4
    assert "?" not in tab.url


def test_a_link_to_a_claim_leads_there_whatever_the_filter(visit):
    tab = visit("claims.html?section=economics#hw-two")
    tab.wait_for_selector(".te-claims-filter", state="visible")
    assert "hw-two" in visible_claims(tab)
    assert tab.url.endswith("claims.html#hw-two")


def test_without_script_all_claims_are_there_and_no_filter(visit):
    tab = visit("claims.html", java_script_enabled=False)
    assert tab.locator(".te-claim:visible").count() == 4
    assert not tab.locator(".te-claims-filter").is_visible()

"""Numbers of tables open cards: by pointer, by keyboard as one stop a table, and with what stands behind them."""

import json

import pytest

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TABLE = "#t-what-a-million-tokens-costs-by-which-tokens-are-counted"
STOPS = f"[...document.querySelectorAll('{TABLE} [tabindex=\"0\"]')].length"


def test_a_table_is_one_stop_of_the_keyboard_and_its_numbers_open_cards(look, node_modules):
    with look(width=1280, policy=False) as watched:  # axe puts styles into the page
        page = watched.open("economics.html")
        first = page.locator(f"{TABLE} .te-cell").first
        assert page.evaluate(STOPS) == 1
        first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        here = page.evaluate("(() => { const cell = document.activeElement.closest('td'); return "
                             "[cell.parentElement.sectionRowIndex, cell.cellIndex, cell.textContent] })()")
        assert here[:2] == [1, 2] and page.evaluate(STOPS) == 1
        page.keyboard.press("Enter")
        card = page.locator("dialog.te-card")
        card.locator("h2").wait_for()
        value, ends = here[2].split(" ", 1)
        said = card.inner_text()
        assert card.locator("h2").inner_text().endswith(": Cached input")
        assert card.locator(".te-card-value").inner_text() == f"{value} USD per million cached tokens"
        assert f"{ends}: interval of the model" in said and "of dense models on NVIDIA" in said and "estimate" in said
        assert page.locator(f"{TABLE} caption").inner_text() in said
        card.locator("summary").filter(has_text="sources").press("Enter")
        assert card.locator("a[href*='sources.html#']").first.is_visible()
        page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
        outcome = page.evaluate("(rules) => axe.run('dialog.te-card', { runOnly: rules, resultTypes: ['violations'] })", RULES)
        assert not outcome["violations"], outcome["violations"]
        page.keyboard.press("Escape")
        card.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.textContent") == here[2]
        outcome = page.evaluate("([table, rules]) => axe.run(table, { runOnly: rules, resultTypes: ['violations'] })",
                                [TABLE, RULES])
        assert not outcome["violations"], outcome["violations"]
        assert not watched.complaints


def test_a_price_says_its_rows_on_a_phone(look):
    with look(width=390, height=844, scheme="dark") as watched:
        page = watched.open("hour.html")
        page.locator("#t-kinds-of-an-hour-known-on-and-how-old-their-prices-are .te-cell").first.click()
        card = page.locator("dialog.te-card")
        card.locator("h2").wait_for()
        said = card.inner_text()
        assert "USD per GPU and hour" in said
        assert "Sellers: " in card.text_content() and "Set by a quote of: " in card.text_content()
        assert card.locator("a[href*='/data/prices.html']").count()
        assert page.evaluate("document.querySelector('dialog.te-card').scrollWidth <= innerWidth")
        assert not watched.complaints


def test_the_rows_of_a_figure_open_cards_on_its_page(look, node_modules, site):
    data = "#t-data"
    known = json.loads((site / "cells" / "figures" / "economics-batch.json").read_text(encoding="utf-8"))["t-data"]
    with look(width=1280, policy=False) as watched:
        page = watched.open("figures/economics-batch.html")
        assert page.evaluate(STOPS.replace(TABLE, data)) == 1
        heads = page.locator(f"{data} thead tr").first.locator("th").all_inner_texts()
        assert not [one for one in heads if one.endswith(("_low", "_high"))]
        row, column = page.locator(f"{data} tbody tr").first, heads.index("usd_per_mtok_out")
        cell = row.locator("th, td").nth(column)
        value, ends = cell.inner_text().split("\n")
        cell.locator(".te-cell").focus()
        page.keyboard.press("Enter")
        card = page.locator("dialog.te-card")
        card.locator("h2").wait_for()
        said = card.text_content()
        assert card.locator(".te-card-value").inner_text() == f"{value} USD per million output tokens"
        assert f"{ends}: interval of the model" in said and "of dense models on NVIDIA" in said and "estimate" in said
        assert page.locator("h1").inner_text().rstrip("#") in said and known["cite"] in said and known["Note"][0] in said
        assert "Table worked out with" in said and card.locator("a[href$='formulas/money.html#usd_per_mtok_blend']").count() == 1
        page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
        outcome = page.evaluate("(rules) => axe.run('dialog.te-card', { runOnly: rules, resultTypes: ['violations'] })", RULES)
        assert not outcome["violations"], outcome["violations"]
        assert not watched.complaints


def test_a_number_in_a_text_opens_a_card_too(look):
    with look(width=390, height=844) as watched:
        page = watched.open("economics.html")
        cell = page.locator("#t-what-would-change-it td.te-said").first
        words = cell.inner_text().strip()
        cell.locator(".te-cell").click()
        card = page.locator("dialog.te-card")
        card.locator("h2").wait_for()
        assert card.locator("h2").inner_text().endswith(": To")
        assert card.locator(".te-card-value").inner_text().strip() == words
        assert "stated or worked out" in card.text_content() and "What changes" not in card.locator("h2").inner_text()
        assert not watched.complaints


def test_what_a_table_holds_is_text_in_its_card(look):
    payload = "<img src=x onerror=\"document.title='owned'\">"
    with look() as watched:
        def changed(route):
            tables = route.fetch().json()
            for known in tables.values():
                known |= {"cite": payload, "Sources": [[payload, "javascript:alert(1)"]], "Facts": [payload]}
            route.fulfill(body=json.dumps(tables), content_type="application/json")

        watched.page.route("**/cells/economics.json", changed)
        page = watched.open("economics.html")
        page.locator(f"{TABLE} .te-cell").first.click()
        card = page.locator("dialog.te-card")
        card.locator("h2").wait_for()
        assert payload in card.text_content() and card.locator("img, a[href^='javascript']").count() == 0
        assert page.title() != "owned" and not watched.complaints


def test_a_claim_opens_its_card_on_the_page_that_discusses_it(look, site):
    known = json.loads((site / "cards" / "economics.json").read_text(encoding="utf-8"))
    with look() as watched:
        page = watched.open("economics.html")
        fold = page.locator("details.te-fold").filter(has=page.locator("caption", has_text="claims of the documents"))
        fold.locator("summary").click()
        link = fold.locator("a.number").first
        address = link.get_attribute("href")
        link.click()
        card = page.locator("dialog.te-card")
        card.locator("h2").wait_for()
        said = card.text_content()
        rows = dict(known[address]["rows"])
        assert card.locator("h2").inner_text() == f"Claim {address.partition('#')[2]}"
        assert rows["Verdict"][0] in said and rows["Arithmetic"][0] in said and "line " in said
        assert not watched.complaints

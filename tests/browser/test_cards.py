"""The card of a number: opened and closed by keyboard, read on a phone, and safe from what a name may hold."""

import json

import pytest

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HOUR = "a.number[href*='hour-on-demand--']"


def test_a_card_opens_by_keyboard_is_read_and_gives_the_focus_back(look, node_modules):
    with look(width=320, height=700, scheme="dark", policy=False) as watched:  # axe puts styles into the page
        page = watched.open("hour.html")
        number = page.locator(HOUR).first
        number.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Hour on demand")
        dialog.wait_for()
        assert dialog.locator(".te-card-value strong").inner_text() == number.inner_text()
        assert "median of" in dialog.inner_text()
        dialog.locator("summary").filter(has_text="offers").press("Enter")
        assert dialog.locator("a[href*='data/prices/']").first.is_visible()
        assert page.evaluate("document.querySelector('dialog.te-card').scrollWidth <= innerWidth")
        page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
        outcome = page.evaluate("(rules) => axe.run('dialog.te-card', { runOnly: rules, resultTypes: ['violations'] })", RULES)
        assert not outcome["violations"], outcome["violations"]
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.matches(\"a.number[href*='hour-on-demand--']\")")
        assert not watched.complaints


def test_what_a_card_says_is_text(look):
    payload = "<img src=x onerror=\"document.title='owned'\">"
    with look() as watched:
        def changed(route):
            cards = route.fetch().json()
            for card in cards.values():
                card |= {"title": payload, "what": payload, "rows": [[payload, [payload, [payload, "javascript:alert(1)"]]]]}
            route.fulfill(body=json.dumps(cards), content_type="application/json")

        watched.page.route("**/cards/hour.json", changed)
        page = watched.open("hour.html")
        page.locator(HOUR).first.click()
        dialog = page.locator("dialog.te-card")
        dialog.locator("h2").wait_for()
        assert dialog.locator("h2").inner_text() == payload
        assert dialog.locator("img, a").count() == 0
        assert page.title() != "owned" and not watched.complaints


def test_without_script_a_number_leads_to_its_entry(look):
    with look(script=False) as watched:
        page = watched.open("hour.html")
        page.locator(HOUR).first.click()
        assert "/numbers.html#hour-on-demand--" in page.url
        assert page.locator(f"li[id='{page.url.partition('#')[2]}'] .value").inner_text().startswith("$")

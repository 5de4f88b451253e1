"""The switch of costs by the million or the thousand tokens: no number changes without its unit, and the choice stays."""

import re
from decimal import Decimal

import pytest

pytestmark = pytest.mark.browser
SWITCH = ".te-per input[value='{}']"
BLOCKS = """
() => [...document.querySelectorAll("a.number.per-million")].map((cost) =>
  (cost.closest(".finding-card") ?? cost.closest("p, li, td, th, dd, caption")).textContent)
"""
COSTS = '() => [...document.querySelectorAll("a.number.per-million")].map((cost) => cost.textContent)'
# Cells of the columns whose unit is that of tokens: [unit, text] of each.
CELLS = """
() => [...document.querySelectorAll("tr.te-units")].flatMap((units) => [...units.cells].flatMap((unit, place) =>
  /per (million|thousand) (\\w+ )?tokens/.test(unit.textContent)
    ? [...units.closest("table").tBodies[0].rows].map((row) => [unit.textContent, row.cells[place].textContent]) : []))
"""
# All but charts, which may be drawn meanwhile.
TEXT = """
() => [...document.querySelectorAll(".bd-article :is(p, li, dd, td, th, caption)")].map((one) => one.textContent +
  (one.dataset.label ?? ""))
"""
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
WORDS = {"million": re.compile(r"million (?:\w+ )?tokens"), "thousand": re.compile(r"(?:a|per) thousand", re.IGNORECASE)}


def values(text):
    """The numbers of a text, exactly as they are printed."""
    return [Decimal(number.replace(",", "")) for number in NUMBER.findall(text)]


def choose(page, value):
    page.locator(SWITCH.format(value)).check()


def test_a_cost_and_its_unit_change_together_on_every_page(look, names, site):
    switched = []
    with look() as watched:
        for name in (*names, "figures/economics-batch.html"):
            html = (site / name).read_text(encoding="utf-8")
            if not re.search(r'<a class="number per-million|class="te-units".*?per million (?:\w+ )?tokens.*?</tr>', html):
                continue
            page = watched.open(name)
            before, cells = page.evaluate(COSTS), page.evaluate(CELLS)
            text = page.evaluate(TEXT)
            choose(page, "1k")
            after, smaller = page.evaluate(COSTS), page.evaluate(CELLS)
            for old, new in [*zip(before, after, strict=True),
                             *((old, new) for (_, old), (_, new) in zip(cells, smaller, strict=True))]:
                assert [number / 1000 for number in values(old)] == values(new), f"{name}: {old} became {new}"
            assert all("thousand" in unit and "million" not in unit for unit, _ in smaller), name
            for block in page.evaluate(BLOCKS):
                assert WORDS["thousand"].search(block), f"{name}: a cost by the thousand without its unit: {block}"
                assert not WORDS["million"].search(block), f"{name}: a cost by the thousand with an old unit: {block}"
            choose(page, "1M")
            assert page.evaluate(TEXT) == text, f"{name} is not as it was"
            switched.append(name)
        assert {"index.html", "economics.html", "decision.html", "market.html", "traffic.html"} <= {*switched}
        assert "figures/economics-batch.html" in switched  # the rows behind a chart, too
        assert not watched.complaints


def test_the_choice_is_kept_and_is_in_the_address(look):
    with look(width=390, height=844) as watched:
        page = watched.open("economics.html")
        cost = page.locator(".finding a[href*='cost-output--']").first
        assert cost.inner_text().startswith("$")
        usd = values(cost.inner_text())[0]
        page.locator(SWITCH.format("1M")).focus()
        page.keyboard.press("ArrowRight")
        assert values(cost.inner_text()) == [usd / 1000] and page.url.endswith("economics.html?per=1k")
        assert "a thousand output tokens" in page.locator(".finding").inner_text()
        assert page.locator("#fig-economics-batch .te-per-stays").is_visible()
        cost.click()
        card = page.locator("dialog.te-card")
        card.locator("h2").wait_for()
        assert values(card.locator(".te-card-value strong").inner_text()) == [usd / 1000]
        assert card.locator(".te-card-value .unit").inner_text() == "per thousand output tokens"
        assert f"${usd} per million output tokens" in card.locator("dd").last.text_content()  # a citation is of what is printed
        page = watched.open("hardware.html")
        assert page.locator(SWITCH.format("1k")).is_checked()
        assert "a thousand" in page.locator(".finding").inner_text()
        choose(page, "1M")
        assert watched.open("economics.html?per=1k").locator(SWITCH.format("1k")).is_checked()  # a link is as it was sent
        assert not watched.complaints


def test_a_browser_without_storage_has_the_switch(look):
    with look() as watched:
        watched.page.add_init_script("Object.defineProperty(Storage.prototype, 'getItem', {value(name) {"
                                     " if (name === 'per') throw new DOMException('no', 'SecurityError'); return null; }});")
        page = watched.open("hardware.html?per=nonsense")
        assert page.locator(SWITCH.format("1M")).is_checked()
        choose(page, "1k")
        assert "a thousand" in page.locator(".finding").inner_text() and not watched.complaints

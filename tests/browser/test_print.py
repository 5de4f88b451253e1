"""Paper: light whatever the screen, no navigation, every table whole, sources open, address and date in the foot."""

import re

import pytest

pytestmark = pytest.mark.browser

WIDTH = 673  # px of A4 between margins of 16 mm: 178 mm at 96 px an inch
# Cells that reach over the edge of the paper or of themselves.
CLIPPED = """
() => {
  const edge = document.querySelector("article").getBoundingClientRect().right + 1;
  return [...document.querySelectorAll("main :is(td, th)")].filter((cell) => cell.checkVisibility())
    .filter((cell) => cell.getBoundingClientRect().right > edge
      || (getComputedStyle(cell).display !== "inline" && cell.scrollWidth > cell.clientWidth + 1))
    .slice(0, 5).map((cell) => `${cell.closest("table").caption?.textContent}: ${cell.textContent.slice(0, 40)}`);
}
"""
OPEN = "() => document.querySelectorAll('main details.te-fold').forEach((one) => { one.open = true; })"
# Text that is too pale for white paper: lighter than a grey of 4.5 to 1.
PALE = """
() => [...document.querySelectorAll("article :is(h1, h2, p, li, td, th, summary)")].filter((one) => one.checkVisibility())
  .filter((one) => getComputedStyle(one).color.match(/\\d+/g).slice(0, 3).every((part) => part > 118))
  .slice(0, 5).map((one) => one.textContent.slice(0, 40))
"""


@pytest.mark.parametrize("name", ["decision.html", "data/precisions.html"])
def test_a_page_prints_whole(look, name, tmp_path):
    with look(width=1280, scheme="dark") as watched:
        page = watched.open(name)
        pdf = page.pdf(prefer_css_page_size=True)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": WIDTH, "height": 950})
        page.evaluate(OPEN)
        assert page.evaluate(CLIPPED) == [] and page.evaluate(PALE) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
        for part in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer", ".te-figure-links"):
            assert not any(one.is_visible() for one in page.locator(part).all()), part
        stamp = page.locator(".page-stamp").inner_text()
        assert name in stamp and re.search(r"\d{4}-\d\d-\d\d", stamp)
        for sources in page.locator("details.page-sources li").all()[:1]:
            assert sources.is_visible()
        # a page of paper holds 265 mm of what the print style lays out
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert pages > 1, "the PDF has one page: the style clips what follows"
        assert not watched.complaints


def test_sources_stand_open_on_paper_and_other_folds_closed(look):
    with look(width=WIDTH) as watched:
        page = watched.open("hardware.html")
        page.emulate_media(media="print")
        assert page.locator("details.page-sources li").first.bounding_box()["height"] > 10
        assert page.locator("details.te-fold:not(.page-sources) table").first.bounding_box() is None \
            or not page.locator("details.te-fold:not(.page-sources) table").first.is_visible()

"""Every page in a browser: no foreign request, no complaint, every chart drawn, nothing wider than the screen."""

import pytest

from tokenecon_book import served

pytestmark = pytest.mark.browser

DRAWN = """
async () => {
  const missing = [];
  for (const figure of document.querySelectorAll("figure.te-figure")) {
    figure.scrollIntoView({ block: "center" });
    for (let turn = 0; turn < 100 && figure.dataset.drawn !== "true"; turn += 1)
      await new Promise((done) => setTimeout(done, 50));
    const marks = figure.querySelectorAll("canvas, .te-live svg path, .te-live svg text").length;
    if (figure.dataset.drawn !== "true" || marks === 0) missing.push(figure.id);
  }
  return missing;
}
"""
# What sticks out of the screen and does not scroll inside itself.
WIDE = """
() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
  [...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 5).map((one) => `${one.tagName}.${one.className}`)
    .concat(`${document.documentElement.scrollWidth} px wide`)
"""

# A table fits its frame, or the frame scrolls and a keyboard reaches it; no row stands tall for a cell that is out of sight.
TABLES = """
(phone) => {
  const wrong = [], names = new Set(), lines = 5 * 21;
  const high = (cell) => {
    const inside = document.createRange();
    inside.selectNodeContents(cell);
    return inside.getBoundingClientRect().height;
  };
  for (const fold of document.querySelectorAll("main details:has(table)")) fold.open = true;
  for (const table of document.querySelectorAll("main table")) {
    const frame = table.closest(".table-scroll");
    const name = frame?.getAttribute("aria-label");
    if (!name || names.has(name) || frame.getAttribute("role") !== "region") {
      wrong.push(`no frame of its own name: ${name ?? table.className}`);
      continue;
    }
    names.add(name);
    const scrolls = table.scrollWidth > frame.clientWidth + 1;
    const cards = phone && table.matches(".cards, .data-table");
    if (scrolls && (frame.tabIndex !== 0 || getComputedStyle(frame).overflowX !== "auto")) wrong.push(`cut off: ${name}`);
    if (scrolls && cards) wrong.push(`wider than a phone: ${name}`);
    const edge = frame.getBoundingClientRect().right - 40;
    for (const row of [...table.tBodies[0].rows].slice(0, 300)) {
      const seen = [...row.cells].filter((cell) => cell.checkVisibility() && cell.getBoundingClientRect().left < edge);
      const shown = cards ? seen.reduce((sum, cell) => sum + cell.clientHeight, 0) : Math.max(...seen.map(high));
      if (row.getBoundingClientRect().height > shown + lines) {
        wrong.push(`tall row: ${name}: ${row.textContent.slice(0, 40)}`);
        break;
      }
    }
  }
  return wrong;
}
"""


@pytest.mark.parametrize(("scheme", "widths"), [("light", (1280,)), ("dark", (390, 320))])
def test_every_page_opens_without_complaint(look, names, scheme, widths):
    complaints = []
    with look(width=widths[0], scheme=scheme) as watched:
        for name in names:
            page = watched.open(name)
            page.set_viewport_size({"width": widths[0], "height": 900})
            themed = name == served.NOT_FOUND or page.evaluate("document.documentElement.dataset.theme") == scheme
            assert themed, name
            complaints += [f"{name}: {figure} is not drawn" for figure in page.evaluate(DRAWN)]
            for width in widths:
                page.set_viewport_size({"width": width, "height": 900})
                complaints += [f"{name} at {width} px: {one}" for one in page.evaluate(TABLES, width <= 600)]
                if wide := page.evaluate(WIDE):
                    complaints.append(f"{name} is wider than {width} px: {wide}")
        complaints += watched.complaints
    assert not complaints, "\n".join(complaints[:40])


# Text of the page that is smaller than 14 px, other than indices, pictures and code blocks.
SMALL = """
() => {
  const small = new Set(), texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (const fold of document.querySelectorAll("main details")) fold.open = true;
  while (texts.nextNode()) {
    const one = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || one.closest("math, svg, sub, sup, pre, script, button")) continue;
    if (one.checkVisibility() && parseFloat(getComputedStyle(one).fontSize) < 13.95)
      small.add(`${one.tagName}.${one.className}: ${one.textContent.slice(0, 30)}`);
  }
  return [...small].slice(0, 5);
}
"""


def test_notes_ranges_and_units_are_large_enough_to_read(look):
    with look(width=390) as watched:
        for name in ("index.html", "hardware.html", "claims.html", "data/precisions.html", "formulas/money.html", "rerun.html"):
            assert watched.open(name).evaluate(SMALL) == [], name


def test_no_page_is_wider_than_a_phone_whatever_the_fonts(look, names, address):
    # A reader whose browser takes no fonts from a site gets those of the machine: here some that are a third wider.
    font = f"{address}_static/fonts/source-code-pro-latin-wght-normal.woff2"
    style = (f'@font-face {{ font-family: "Wide"; src: url("{font}"); size-adjust: 130%; font-weight: 200 900; }}'
             'html { --book-mono: "Wide" !important; --pst-font-family-monospace: "Wide" !important; }')
    complaints = []
    with look(width=390, policy=False) as watched:  # the style that the test puts into the page is none of ours
        for name in (*[name for name in names if name.startswith("formulas/")], "data/gpus.html", "rerun.html", "index.html"):
            page = watched.open(name)
            page.add_style_tag(content=style)
            assert page.evaluate("document.fonts.load('1em Wide').then((fonts) => fonts.length)") == 1, name
            for width in (390, 320):
                page.set_viewport_size({"width": width, "height": 900})
                if wide := page.evaluate(WIDE):
                    complaints.append(f"{name} is wider than {width} px: {wide}")
    assert not complaints, "\n".join(complaints[:40])


def test_text_code_and_charts_are_set_in_fonts_of_the_site(look):
    with look() as watched:
        page = watched.open("hardware.html")
        page.locator("figure.te-figure[data-drawn=true]").first.wait_for()
        tools = page.context.new_cdp_session(page)
        tools.send("DOM.enable")
        tools.send("CSS.enable")
        top = tools.send("DOM.getDocument")["root"]["nodeId"]
        for part in ("h1", ".finding p", "article p a", "figcaption p", ".bd-sidebar-primary kbd", "figure .te-live svg text"):
            node = tools.send("DOM.querySelector", {"nodeId": top, "selector": part})["nodeId"]
            fonts = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
            assert fonts and all(one["isCustomFont"] for one in fonts), (part, fonts)


def test_without_script_text_tables_and_pictures_stand(look, site, names):
    with look(script=False) as watched:
        for name in names:
            if "te-figure" not in (site / name).read_text(encoding="utf-8"):
                continue
            page = watched.open(name)
            pictures = page.locator("figure.te-figure svg.te-static.te-wide")
            assert pictures.count() == page.locator("figure.te-figure").count() > 0, name
            for place in range(pictures.count()):
                assert pictures.nth(place).is_visible(), name
        page = watched.open("claims.html")
        assert page.locator("#hw-h100-bandwidth").is_visible()
        assert not watched.complaints

"""Every page in a browser: no foreign request, no complaint, every chart drawn, nothing wider than the screen, no barrier.

The site is served below a path, and no page may ask for anything beside it.  A page is opened once, and looked at on a desk in
the light and on a phone in the dark; every other page is opened on the phone.
"""

import os

import pytest

from tokenecon_book import served

pytestmark = pytest.mark.browser

DRAWN = """
async () => {
  const missing = [];
  for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish(); // colours are there
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

# Links within the site that leave the path below which it is served.
ASTRAY = """
(home) => [...document.links].map((one) => one.href)
  .filter((one) => one.startsWith(location.origin) && !one.startsWith(home)).slice(0, 3)
"""

# Fonts of the reader's machine that are a third wider, for who takes none from a site.
WIDER = """
async (file) => {
  const font = new FontFace("Wide", `url("${file}")`, { sizeAdjust: "130%", weight: "200 900" });
  document.fonts.add(await font.load());
  for (const name of ["--book-mono", "--pst-font-family-monospace"])
    document.documentElement.style.setProperty(name, '"Wide"', "important");
}
"""
NARROWER = """
() => {
  for (const name of ["--book-mono", "--pst-font-family-monospace"]) document.documentElement.style.removeProperty(name);
}
"""
WIDE_FONT = "_static/fonts/source-code-pro-latin-wght-normal.woff2"

# axe-core: WCAG 2.2 A and AA and its best practices.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BARRIERS = """
async (rules) => {
  const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"], preload: { assets: ["media"] } });
  return violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0].html.slice(0, 140)}`);
}
"""
READ = ("index.html", "hardware.html", "claims.html", "data/precisions.html", "formulas/money.html", "rerun.html")  # no SMALL
PHONE = (390, 320)
DESK_AND_PHONE = (("light", (1280,)), ("dark", PHONE))
ALL_VIEWS = (("light", (1280,)), ("dark", (1280,)), ("dark", PHONE), ("light", PHONE))
EVERYTHING = os.environ.get("ACCESS") == "all"  # `make access`: axe-core on every page, in all four views


def drawn(page, name, scheme, width):
    """Bring an open page into a view; figures that are not drawn in it."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    if name != served.NOT_FOUND:
        page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
    return [f"{figure} is not drawn" for figure in page.evaluate(DRAWN)]


def barriers(watched, axe):
    """What axe-core finds; the styles that it would put into the page are none of ours, and the policy forbids them."""
    said = len(watched.complaints)
    watched.page.wait_for_timeout(400)  # 0.3 s after a change of the window the theme looks what scrolls
    watched.page.evaluate(f"() => {{ if (!window.axe) {{ {axe} }} }}")
    found = watched.page.evaluate(BARRIERS, RULES)
    del watched.complaints[said:]
    return found


def too_wide(page):
    return [f"wider than the window: {wide}"] if (wide := page.evaluate(WIDE)) else []


def too_wide_in_other_fonts(page, file):
    page.evaluate(WIDER, file)
    found = [f"in wider fonts {one}" for one in too_wide(page)]
    page.evaluate(NARROWER)
    return found


@pytest.mark.parametrize("half", (0, 1))  # `make access` looks at both at once
def test_every_page_is_whole_on_a_desk_and_on_a_phone_in_light_and_in_dark(half, look, names, kinds, address, node_modules):
    axe = (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    complaints = []
    views = ALL_VIEWS if EVERYTHING else DESK_AND_PHONE
    with look(width=views[0][1][0], scheme=views[0][0]) as watched:
        for name in names[half::2]:
            page = watched.open(name + "?q=H200" * (name == "search.html"))
            if name == "search.html":
                page.wait_for_selector("#found .hits")
            if name != served.NOT_FOUND:  # it is served at any depth, and names the top of the site in full
                complaints += [f"{name} links to {one}" for one in page.evaluate(ASTRAY, address)]
            with_code = name.startswith("formulas/") or name in ("data/gpus.html", "rerun.html", "index.html")
            for scheme, width in [(scheme, width) for scheme, widths in views for width in widths]:
                found = drawn(page, name, scheme, width)
                if width != PHONE[-1] and (EVERYTHING or name in kinds):
                    found += barriers(watched, axe)
                found += page.evaluate(TABLES, width in PHONE) + too_wide(page)
                if width in PHONE:
                    found += [f"small text: {one}" for one in page.evaluate(SMALL)] if name in READ else []
                    found += too_wide_in_other_fonts(page, address + WIDE_FONT) if with_code else []
                complaints += [f"{name} in {scheme} at {width} px: {one}" for one in found]
            # the next page opens in the view that this one was left in
            views = [(scheme, widths[::-1]) for scheme, widths in views[::-1]]
        complaints += watched.complaints
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

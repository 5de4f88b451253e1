"""What a reader does on the site: filter, follow an address, change the theme, search, take data away."""

import pytest

from tokenecon import data

pytestmark = pytest.mark.browser


def visible(page, selector):
    return page.evaluate(
        "(s) => [...document.querySelectorAll(s)].filter((one) => one.checkVisibility()).length", selector
    )


def test_the_ledger_filters_by_section_verdict_and_text(look):
    claims = data.table("claims")
    with look() as watched:
        page = watched.open("claims.html")
        selects = page.locator(".te-claims select")
        assert visible(page, ".te-claim") == len(claims)
        selects.nth(0).select_option("hardware")
        assert visible(page, ".te-claim") == (claims["section"] == "hardware").sum()
        selects.nth(0).select_option(index=0)
        counts = []
        for place in range(1, selects.nth(1).locator("option").count()):
            selects.nth(1).select_option(index=place)
            counts.append(visible(page, ".te-claim"))
        assert sum(counts) == len(claims) and all(count < len(claims) for count in counts)
        selects.nth(1).select_option(index=0)
        page.locator(".te-claims input").first.fill("hw-h100-bandwidth")
        assert 1 <= visible(page, ".te-claim") < 10
        page.locator(".te-claims input").first.fill("bibtex")  # stands in every citation and in no claim
        assert visible(page, ".te-claim") == 0
        assert not watched.complaints


def test_a_long_table_filters_by_words(look):
    facts = data.table("gpus")
    with look(width=390) as watched:
        page = watched.open("data/gpus.html")
        page.locator(".table-filter input").fill("H200 bandwidth")
        shown = visible(page, "table.data-table tbody tr:not(.group)")
        assert 1 <= shown < 20 < len(facts)
        assert page.locator(".table-filter [role=status]").inner_text() == f"{shown} of {len(facts)} rows"
        assert page.locator("tr[id='h200-sxm-141gb.bandwidth']").is_visible()
        assert not watched.complaints


def test_the_address_of_a_fact_leads_to_it(look):
    with look() as watched:
        page = watched.open("data/gpus.html#h200-sxm-141gb.bandwidth")
        row = page.locator("tr[id='h200-sxm-141gb.bandwidth']")
        box = row.bounding_box()
        assert 0 <= box["y"] < 900
        row.locator(".where a").first.click()
        assert page.url.endswith("sources.html#" + data.show("h200-sxm-141gb.bandwidth")["rows"][0]["source"])
        assert not watched.complaints


def test_the_theme_changes_and_charts_follow(look):
    with look() as watched:
        page = watched.open("economics.html")
        figure = page.locator("figure.te-figure").first
        figure.scroll_into_view_if_needed()
        page.wait_for_function("document.querySelector('figure.te-figure').dataset.drawn === 'true'")
        page.evaluate("scrollTo(0, 0)")
        for _ in range(3):  # light, dark and the system's choice
            if page.evaluate("document.documentElement.dataset.theme") == "dark":
                break
            page.locator(".theme-switch-button").first.click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        figure.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        assert figure.locator("canvas, .te-live svg").count() == 1
        assert not watched.complaints


def test_search_finds_a_chapter(look):
    with look() as watched:
        page = watched.open("search.html?q=batch")
        page.wait_for_selector("#search-results li a")
        assert page.locator("#search-results li").count() > 1
        assert not watched.complaints


def test_the_files_of_a_figure_answer(look, address):
    with look() as watched:
        page = watched.open("hardware.html")
        for link in page.locator("figure.te-figure .te-figure-links a[href*='figures/']").all():
            reply = page.request.get(address + link.get_attribute("href"))
            assert reply.ok and reply.body(), link.get_attribute("href")
        assert not watched.complaints


def test_formulas_are_set_in_the_site_s_own_font(look):
    with look() as watched:
        page = watched.open("formulas/memory.html")
        page.wait_for_function("document.fonts.status === 'loaded'")
        assert page.evaluate("document.fonts.check('16px \"STIX Two Math Subset\"')")
        box = page.locator("math mfrac").first.bounding_box()
        assert box["height"] > 20  # a fraction is set as two lines, not as one
        assert not watched.complaints


def test_predictions_filter_by_accelerator_and_model(look):
    # the points of the live chart that are not faded
    strong = "() => document.querySelectorAll('#fig-validation-points svg.marks .mark-symbol path[opacity=\"0.8\"]').length"
    with look() as watched:
        page = watched.open("validation.html")
        figure = page.locator("#fig-validation-points")
        figure.scroll_into_view_if_needed()
        figure.locator("select").first.wait_for()
        everything = page.evaluate(strong)
        figure.locator("select[name^=gpu]").select_option("mi300x-192gb")
        page.wait_for_function(f"({strong})() < {everything}")
        chosen = page.evaluate(strong)
        figure.locator("select[name^=model]").select_option("llama-3.1-405b")
        page.wait_for_function(f"({strong})() < {chosen}")
        assert 1 <= page.evaluate(strong) < chosen < everything
        assert not watched.complaints


@pytest.mark.parametrize("name, drawn", [("economics-batch", ".mark-line path"),
                                         ("economics-precision", ".mark-rect path")])
def test_the_textbook_is_drawn_when_the_reader_asks(look, name, drawn):
    with look() as watched:
        page = watched.open("economics.html")
        figure = page.locator(f"#fig-{name}")
        figure.scroll_into_view_if_needed()
        switch = figure.get_by_label("Compare with the textbook (grey)")
        switch.wait_for()
        ours = figure.locator(f".te-live {drawn}").count()
        assert "textbook" not in figure.locator(".te-live").inner_text()
        switch.press("Space")
        page.wait_for_function(f"document.querySelectorAll(\"#fig-{name} .te-live {drawn}\").length > {ours}")
        switch.press("Space")
        page.wait_for_function(f"document.querySelectorAll(\"#fig-{name} .te-live {drawn}\").length === {ours}")
        assert not watched.complaints


def test_code_is_copied_by_its_button(look):
    with look() as watched:
        watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = watched.open("rerun.html")
        code = page.locator("div.highlight", has=page.locator("button.copybtn")).first
        code.hover()
        code.locator("button.copybtn").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied and copied.splitlines()[0] in code.locator("pre").inner_text()
        assert not watched.complaints


def test_a_script_that_gets_into_a_page_does_not_run(look):
    with look() as watched:
        page = watched.open("index.html")
        page.evaluate("""() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'broken'";
            document.body.append(script);
            const image = document.createElement("div");
            image.innerHTML = "<img src='data:,' onerror='document.title = `broken`'>";
            document.body.append(image);
        }""")
        page.wait_for_timeout(100)
        assert page.title() != "broken"
        assert any("Content Security Policy" in one for one in watched.complaints)


def test_the_page_for_a_wrong_address_is_whole_in_itself(look, serve, site):
    """It is served at any depth, so that it names the top of the site in full: here that of the host."""
    with serve(site) as home, look(width=390, scheme="dark", home=home) as watched:
        page = watched.open("404.html")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 30)"  # its own style: #14181e
        page.locator("input").fill("H200")
        page.keyboard.press("Enter")
        page.wait_for_selector("#found .hits a")
        assert not watched.complaints


def test_a_term_is_explained_under_pointer_and_focus_until_escape(look):
    with look(width=390) as watched:
        page = watched.open("economics.html")
        term = page.locator(".term").first
        about = term.locator(".term-about")
        assert not about.is_visible()
        term.locator("a").focus()
        assert about.is_visible() and about.get_attribute("id") == term.locator("a").get_attribute("aria-describedby")
        box = about.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        page.keyboard.press("Escape")
        assert not about.is_visible()
        term.locator("a").blur()
        term.hover()
        assert about.is_visible()
        term.locator("a").click()
        page.wait_for_url("**/glossary.html#term-*")
        assert not watched.complaints

"""From a claim or a figure to its citation in two clicks; a page of an old version."""

import json

import pytest

from tokenecon import __version__, data
from tokenecon_book import citations
from tokenecon_book.build import release

pytestmark = pytest.mark.browser


def copied(page):
    """What lies on the clipboard of a page whose context may read it."""
    return page.evaluate("navigator.clipboard.readText()")


def test_a_sceptic_cites_a_claim_in_two_clicks(look):
    claim = "hw-h100-bandwidth"
    with look() as watched:
        watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = watched.open(f"claims.html#{claim}")
        article = page.locator(f"#{claim}")
        article.locator("summary").click()
        article.locator("button.copybtn").first.click()
        text = copied(page)
        assert data.claim(claim)["statement"].rstrip(".") in text
        assert citations.versioned(f"claims.html#{claim}") in text and f"v{__version__}/" in text
        assert article.locator(".te-unset").is_visible() == (not citations.site_url())
        article.locator("button.copybtn").nth(2).click()
        (entry,) = json.loads(copied(page))
        assert entry["version"] == __version__ and entry["title"] in text
        assert not watched.complaints


@pytest.mark.parametrize("width", [1280, 320])
def test_a_figure_is_cited_in_two_clicks(look, width):
    with look(width=width) as watched:
        watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = watched.open("economics.html")
        page.locator("#fig-economics-batch a", has_text="Cite and take away").click()
        page.wait_for_url("**/figures/economics-batch.html")
        page.locator(".te-cite button.copybtn").first.click()
        assert citations.versioned("figures/economics-batch.html") in copied(page)
        assert page.locator("h1").count() == 1 and page.locator("figure[data-drawn=true]").count() <= 1
        page.locator(".te-figure-back a").click()
        page.wait_for_url("**/economics.html#fig-economics-batch")
        assert not watched.complaints


def test_a_page_of_an_old_version_says_that_a_newer_one_exists(browser, serve, root, tmp_path):
    site, folder = tmp_path / "html", tmp_path / "release"
    (site / "cases").mkdir(parents=True)
    (site / "_static").mkdir()
    (site / "_static" / "edition.mjs").write_bytes((root / "book" / "_static" / "edition.mjs").read_bytes())
    (site / "cases" / "a.html").write_text(
        f'<!doctype html><html lang="en"><head><title>A</title><link rel="icon" href="data:,"></head>'
        f"<body><main><article>text</article></main>{release.MARK}</body></html>")
    for version in ("0.9.0", "0.10.0"):
        release.publish(site, version, folder)
    with serve(folder, "/x") as home:
        page = browser.new_page()
        failed = []
        page.on("response", lambda reply: reply.status >= 400 and failed.append(reply.url))
        page.on("console", lambda message: failed.append(message.text))
        page.goto(f"{home}v0.9.0/cases/a.html?b#c", wait_until="networkidle")
        newer = page.locator("article .te-newer")
        assert newer.inner_text() == "You read version 0.9.0. A newer version exists: version 0.10.0."
        assert newer.locator("a").get_attribute("href") == f"{home}latest/cases/a.html?b#c"
        assert page.locator(".te-edition a").is_visible()
        for name in ("v0.10.0/cases/a.html", "latest/cases/a.html"):
            page.goto(home + name, wait_until="networkidle")
            assert page.locator(".te-newer").count() == 0
        assert page.locator(".te-edition").is_hidden()
        assert not failed
        page.close()

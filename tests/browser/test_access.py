"""Accessibility by axe-core, WCAG 2.1 A and AA and its best practices, on one page of each kind."""

import pytest

pytestmark = pytest.mark.browser

PAGES = (
    "index.html", "calculator.html", "economics.html", "claims.html", "cases/spotify.html", "method.html",
    "formulas/index.html",
    "formulas/memory.html", "data/index.html", "data/precisions.html", "sources.html", "rerun.html", "search.html?q=H200",
    "404.html", "figures/decision-bills.html", "cite.html", "publish.html",
)  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_barrier(look, node_modules, scheme, width):
    axe = (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    found = []
    with look(width=width, scheme=scheme) as watched:
        for name in PAGES:
            page = watched.open(name)
            if "?q=" in name:
                page.wait_for_selector("#found .hits")
            page.evaluate(axe)
            outcome = page.evaluate("(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", RULES)
            found += [
                f"{name}: {rule['id']} ({len(rule['nodes'])}): {rule['nodes'][0]['html'][:140]}"
                for rule in outcome["violations"]
            ]
    assert not found, "\n".join(found)

"""How a page was made stands at its end, folded: parameters, code, sources, the command; nothing of it between two sentences."""

import re
from html import unescape

import pytest

from tokenecon import __version__, data
from tokenecon_book import citations
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.site import foot


@pytest.mark.parametrize("name", sorted(notebooks.catalogue()))
def test_a_page_ends_with_how_it_was_made(site, name):
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    body, title, made = html.partition('<section id="sources-and-rerun">')
    assert title and made.startswith(f"\n<h2>{foot.TITLE}<"), "the last section of the notebook is not 'Sources and rerun'"
    made = made[:made.index("</section>")]
    assert "cell_input" not in body and "Parameters of this page" not in body and 'aria-label="Sources"' not in body
    assert body.rindex("<figure") < body.rindex("</p>"), "no sentence after the last figure"

    folds = re.findall(r"<details[^>]*>\s*<summary[^>]*>(.*?)</summary>", made, re.S)
    assert len(folds) == 3 and " parameter" in folds[0] and foot.WORDS in folds[1] and " source" in folds[2]
    declared = list(parameters.spec(notebooks.find(name)[1]))
    table = made[made.index("<tbody>"):made.index("</tbody>")]
    assert [unescape(re.sub(r"<[^>]+>", "", one)) for one in re.findall(r'<th scope="row"[^>]*>(.*?)</th>', table)] == declared
    sources = made[made.index('page-sources"'):]
    assert folds[2].split()[0] == str(sources.count("<li>"))
    assert citations.rerun_command(name) in made and f"Version {__version__}, data of {citations.data_date()}" in made
    assert made.count('<div class="cell_input') > 3 and "tables.sources(" in re.sub(r"<[^>]+>", "", made)


def test_a_default_says_where_it_is_from():
    row = data.ids("assumptions")[0]
    assert foot.where(row, "../").startswith(f'<a href="../data/assumptions.html#{row}">')
    assert foot.where("case-spotify-tokens", "").startswith('<a href="claims.html#case-spotify-tokens">')
    assert foot.where("chat-assistant.workload.isl", "") == "scenario chat-assistant.<wbr>workload.<wbr>isl"
    assert foot.where("–", "") == "this page"


def test_a_source_is_said_in_one_entry_of_the_list():
    table = ("<thead><tr><th>Source</th></tr></thead><tbody>"
             '<tr><th scope="row"><a href="https://a.example">A &amp; B</a></th><td>Maker</td><td>2025-12-08</td>'
             '<td>MIT</td></tr>\n<tr><th scope="row">C</th><td>–</td><td>–</td><td>–</td></tr></tbody>')
    made = foot.sources(table, "")
    assert '<summary>2 sources</summary>' in made and "<li>C. </li>" in made
    assert '<li>Maker. <a href="https://a.example">A &amp; B</a>. 2025-12-08. MIT.</li>' in made

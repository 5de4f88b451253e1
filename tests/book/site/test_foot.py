"""The code of a page stands in one fold at its end, and nowhere between two sentences."""

import re

import pytest

from tokenecon_book.build import notebooks


@pytest.mark.parametrize("name", sorted(notebooks.catalogue()))
def test_all_code_of_a_page_stands_in_one_fold_at_its_end(site, name):
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    folds = [found.start() for found in re.finditer(r'<details class="admonition hide ', html)]
    code = [found.start() for found in re.finditer(r'<div class="cell_input', html)]
    assert len(folds) == 1 and len(code) > 3, f"{len(folds)} folds and {len(code)} cells of code"
    assert min(code) > folds[0] > html.rindex('<figure class="te-figure"')
    assert "parameters" in html[folds[0]:] and "tables.sources(" in re.sub(r"<[^>]+>", "", html[folds[0]:])

"""Headline numbers do not move unseen: a changed one is a reviewed change of the golden file and a changelog line."""

import json

import pytest
from golden import headlines


@pytest.fixture(scope="module")
def golden():
    return json.loads(headlines.GOLDEN.read_text(encoding="utf-8"))


def test_headlines_are_those_of_the_golden_file(site, golden):
    now = headlines.built()
    changed = [
        f"{notebook}: {key}\n  was {golden.get(notebook, {}).get(key)!r}\n  is  {now.get(notebook, {}).get(key)!r}"
        for notebook in sorted(now.keys() | golden.keys())
        for key in sorted(now.get(notebook, {}).keys() | golden.get(notebook, {}).keys())
        if now.get(notebook, {}).get(key) != golden.get(notebook, {}).get(key)
    ]
    assert not changed, (
        "headline results changed; if they should, run `.venv/bin/python tests/golden/headlines.py`, review the difference "
        "and say why under Results in CHANGELOG.md:\n" + "\n".join(changed)
    )


def test_every_chapter_has_a_finding():
    for notebook, texts in headlines.built().items():
        finding = f"{notebook.split('/')[-1]}-finding"
        assert finding in texts, f"notebooks/{notebook}.ipynb glues no '{finding}', the sentence that answers its question"
        figures = sum(key.startswith("figure ") for key in texts)
        assert figures in range(2, 7), f"notebooks/{notebook}.ipynb has {figures} figures; a chapter has 2 to 6"

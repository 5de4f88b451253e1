"""`tokenecon cite`: what it finds, in every form, and what it refuses."""

import json
import re

import pytest

from tokenecon import __version__
from tokenecon_book.build import catalogue


@pytest.mark.parametrize(("what", "words"), [
    ("decision-choices", "figure decision-choices in: What a token costs"),
    ("hw-h100-bandwidth", f"v{__version__}/claims.html#hw-h100-bandwidth"),
    ("h200-sxm-141gb.bandwidth", "row h200-sxm-141gb.bandwidth of data/gpus.csv"),
    ("chat-assistant", "scenario chat-assistant in: What a token costs"),
    ("genai-prices", "https://github.com/pydantic/genai-prices"),
])
def test_it_cites_whatever_has_a_name_in_every_form(command, what, words):
    code, text, err = command("cite", what)
    assert (code, err) == (0, "") and words in text
    for form, pattern in (("bibtex", r"^@misc\{[^,]+,\n  author +="), ("ris", r"^TY  - [A-Z]+\nTI  - .+\n(.+\n)+ER  - "),
                          ("csl", r"^\[\n")):
        code, out, _ = command("cite", what, "--format", form)
        assert code == 0 and re.match(pattern, out), out
    titles = [entry["title"] for entry in json.loads(out)]
    ris = command("cite", what, "--format", "ris")[1]
    assert re.findall(r"^TI  - (.+)$", ris, re.M) == [" ".join(title.split()) for title in titles]


def test_a_fact_brings_its_sources(command):
    entries = json.loads(command("cite", "people.serving", "--format", "csl")[1])
    assert [entry["id"] for entry in entries] == ["tokenecon-people.serving", "peakinfer-break-even"]
    assert entries[0]["title"] == "people.serving: 0.5 count" and entries[1]["URL"].startswith("https://www.peakinfer.com/")


def test_a_readers_scenario_goes_by_the_digest_of_its_file(command, tmp_path):
    text = (catalogue.scenario.FOLDER / "chat-assistant.yml").read_text()
    (tmp_path / "mine.yml").write_text(text)
    first = command("cite", tmp_path / "mine.yml")[1]
    assert re.search(r"SHA-256 [0-9a-f]{12}", first)
    (tmp_path / "mine.yml").write_text(text + "\n")
    assert command("cite", tmp_path / "mine.yml")[1] != first


@pytest.mark.parametrize(("arguments", "words"), [
    (["decision-choice"], "did you mean 'decision-choices'"),
    (["chat-assistant", "--format", "apa"], "format 'apa' is not known"),
    (["none.yml"], "none.yml")])
def test_what_nobody_knows_is_refused_in_one_sentence(command, arguments, words):
    code, out, err = command("cite", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1) and words in err

"""The page "Bring your own benchmark and load": its files and commands, run, print what the page says they print."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "book" / "bring-your-own.md").read_text(encoding="utf-8")
FILES = re.findall(r"```\{code-block\} \w+\n:caption: (\S+)\n\n(.*?)```", PAGE, re.DOTALL)
SESSIONS = re.findall(r"```console\n\$ tokenecon (.*?)\n(.*?)```", PAGE, re.DOTALL)


def cells(text):
    """The lines of an output as lists of cells: a terminal aligns what a pipe separates by tabs."""
    return [re.split(r"\t+|\s{2,}", line.strip()) for line in text.strip().split("\n")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files of the page."""
    folder = tmp_path_factory.mktemp("page")
    for name, content in FILES:
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_every_command_prints_what_the_page_says(folder, command, monkeypatch):
    monkeypatch.chdir(folder)
    assert len(FILES) == 3 and len(SESSIONS) >= 7
    for line, said in SESSIONS:
        code, out, err = command(*shlex.split(line))
        assert code == 0, err
        assert cells(out) == cells(said), f"`tokenecon {line}` prints something else now: put it into book/bring-your-own.md"

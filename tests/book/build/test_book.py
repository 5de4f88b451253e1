"""Building the site: what changed runs again, what is broken changes nothing, and nothing else happens."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from importlib import metadata
from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.queries import Query
from tokenecon_book import FIGURE_TYPE
from tokenecon_book.build import book, freshness, progress, staging

CONFIG = """\
title: Mini
author: tests
execute: {execute_notebooks: "off"}
sphinx:
  config:
    extensions: [myst_nb, jupyter_book, sphinx_external_toc, sphinx_book_theme, sphinx_comments]
    html_context: {default_mode: auto}
    html_theme_options: {}
"""
TOC = "format: jb-book\nroot: index\nchapters:\n  - file: tiny\n  - file: drawn\n"
INDEX = "# Mini\n\nIt is {glue:text}`tiny.ipynb::tiny-finding:s`.\n"
DECLARED = "batch = 32  # sequence: requests decoded together"
TINY = ("from myst_nb import glue", "glue('tiny-finding', f'twice is {case.batch * 2}', display=False)")
DRAWN = (
    "import pandas as pd\n"
    "from tokenecon import data\n"
    "from tokenecon.finding import Finding, finding\n"
    "from tokenecon_book.charts import figure, forms\n"
    "@finding\n"
    "def wide(claim):\n"
    "    data.claim(claim)\n"
    "    return Finding(pd.DataFrame({'gpu': ['a', 'b', 'c'], 'bandwidth': [1.5, 2.0, 3.35]}), 'More is more')",
    "axis, found = forms.axis('bandwidth', 'Bandwidth', 'TB/s'), wide('up-document-date')\n"
    "figure('drawn-bandwidth', found, forms.bars(found.table, axis, 'gpu'),\n"
    "       alt='Three bars, each longer than the one before')",
)


def run_build(root):
    """``python -m tokenecon_book.build.book`` on a tree of its own, with the copy of the package beside it."""
    command = [sys.executable, "-m", "tokenecon_book.build.book", "--root", str(root)]
    env = os.environ | {"PYTHONPATH": str(root / "lib")}
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=root)
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


def read(root, name):
    return (root / "_build" / "html" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def story(tmp_path_factory, write_notebook):
    """A book built, built again, edited, broken twice; what was seen each time."""
    root = tmp_path_factory.mktemp("mini")
    (root / "book").mkdir()
    (root / "data").mkdir()
    for name, folder in freshness.PACKAGES.items():
        shutil.copytree(folder, root / "lib" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(data.ROOT, root / "lib" / "data")
    (root / "data" / "facts.csv").write_text("id,value\na,1.5\n")
    (root / "_config.yml").write_text(CONFIG)
    (root / "_toc.yml").write_text(TOC)
    (root / "book" / "index.md").write_text(INDEX)
    tiny = write_notebook(root / "notebooks" / "tiny.ipynb", DECLARED, *TINY)
    write_notebook(root / "notebooks" / "drawn.ipynb", DECLARED, *DRAWN)
    seen = {"cold": run_build(root)}
    assert seen["cold"].code == 0, seen["cold"].out + seen["cold"].err
    seen["index"] = read(root, "index.html")
    seen["files"] = {
        path.relative_to(root / "_build" / "html").as_posix(): path.read_bytes()
        for folder in ("figures", "data")
        for path in (root / "_build" / "html" / folder).iterdir()
    }
    built = (root / "_build" / "html").stat().st_ino
    seen["warm"] = run_build(root)
    seen["untouched"] = (root / "_build" / "html").stat().st_ino == built

    (root / "book" / "index.md").write_text(INDEX + "\nMore prose.\n")
    seen["prose"] = run_build(root)
    seen["prose index"] = read(root, "index.html")

    (root / "book" / "index.md").write_text(INDEX + "\n[nowhere](nowhere.md)\n")
    seen["warning"] = run_build(root)
    (root / "book" / "index.md").write_text(INDEX)
    write_notebook(tiny, DECLARED, *TINY, "1 / (case.batch - 32)")
    seen["failing"] = run_build(root)
    seen["last index"] = read(root, "index.html")
    return seen


def test_a_cold_build_runs_all_and_makes_the_site(story):
    assert story["cold"].code == 0, story["cold"].err
    assert "tiny: not run yet" in story["cold"].out
    assert "drawn: not run yet" in story["cold"].out
    assert "twice is 64" in story["index"]


def test_figures_and_data_lie_at_stable_addresses(story):
    files = story["files"]
    assert {f"figures/drawn-bandwidth.{end}" for end in ("csv", "json", "png", "svg", "vl.json")} <= set(files)
    assert files["figures/drawn-bandwidth.csv"].splitlines()[0] == b"gpu,bandwidth"
    assert files["figures/drawn-bandwidth.png"].startswith(b"\x89PNG")
    facts = json.loads(files["figures/drawn-bandwidth.json"])
    assert facts["sources"][0]["id"] == "doc-uk"
    assert "version" in facts
    assert "figure drawn-bandwidth in:" in facts["citation"]
    assert files["data/facts.csv"] == b"id,value\na,1.5\n"


def test_a_second_build_only_checks(story):
    assert story["warm"].code == 0
    assert story["warm"].out.startswith("nothing changed")
    assert story["untouched"]


def test_prose_runs_no_notebook(story):
    assert story["prose"].code == 0
    assert "cells" not in story["prose"].out
    assert "More prose." in story["prose index"]


def test_a_warning_of_sphinx_is_an_error_and_leaves_the_site(story):
    assert story["warning"].code == 1
    assert "nowhere.md" in story["warning"].err
    assert "the last good site is left as it was" in story["warning"].err


def test_a_failing_notebook_shows_its_cell_and_leaves_the_site(story):
    failing = story["failing"]
    assert failing.code == 1
    assert "1 / (case.batch - 32)" in failing.err
    assert "tiny, cell 6: ZeroDivisionError: division by zero" in failing.err
    assert "drawn:" not in failing.out  # it had not changed
    assert "More prose." in story["last index"]


# --- what depends on what ----------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path, monkeypatch, write_notebook):
    """A run that asked for the facts of one GPU and used one module, in a copy of data and package."""
    shutil.copytree(data.ROOT, tmp_path / "data")
    for name, folder in freshness.PACKAGES.items():
        shutil.copytree(folder, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(data, "ROOT", tmp_path / "data")
    monkeypatch.setattr(freshness, "PACKAGES", {name: tmp_path / name for name in freshness.PACKAGES})
    notebook = write_notebook(tmp_path / "notebooks" / "tiny.ipynb", DECLARED)
    run = tmp_path / "run"
    (run / "out").mkdir(parents=True)
    (run / "out" / "executed.ipynb").write_text("{}")
    monkeypatch.setattr(freshness, "LOCK", tmp_path / "requirements.txt")
    (tmp_path / "requirements.txt").write_text("numpy==2.0\n")
    queries = [Query("gpus", (("gpu=", "h200-sxm-141gb"), ("field=", ("memory", "bandwidth"))), "")]
    used = {"modules": ["tokenecon", "tokenecon.units", "tokenecon_book.citations"], "queries": queries}
    inputs = freshness.inputs(notebook, **used, answers=data.Answers())
    record = used | {"inputs": inputs, "out": freshness.of_folder(run / "out")}
    (run / "record.json").write_text(json.dumps(record))
    return SimpleNamespace(root=tmp_path, why=lambda: book.reason_to_run(notebook, run, data.Answers()))


ASKED = "data/gpus.csv [gpu=h200-sxm-141gb, field=memory or bandwidth] changed"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("notebooks/tiny.ipynb", "notebook tiny changed"),
        ("data/gpus.csv h200-sxm-141gb.bandwidth", ASKED),
        ("data/gpus.csv h200-sxm-141gb.bf16", ""),  # not asked for by it
        ("data/gpus.csv h100-sxm-80gb.bandwidth", ""),
        ("data/sources.csv doc-uk", ""),
        ("requirements.txt", "requirements.txt changed"),
        ("tokenecon/units.py", "tokenecon/units.py changed"),
        ("tokenecon_book/citations.py", "tokenecon_book/citations.py changed"),
        ("tokenecon_book/build/parameters.py", "tokenecon_book/build/parameters.py changed"),  # it decides what a cell may say
        ("tokenecon/numerics.py", ""),  # not loaded by it
        ("run/out/executed.ipynb", "its output was touched"),
    ],
)
def test_exactly_what_a_change_touches_runs_again(recorded, path, reason):
    assert recorded.why() == ""
    path, _, row = path.partition(" ")
    text = (recorded.root / path).read_text(encoding="utf-8")
    assert text.count(f"\n{row},") == 1 or not row
    new = re.sub(rf"(?m)^{re.escape(row)},.*", lambda line: line[0] + " ", text) if row else text + "\n"
    (recorded.root / path).write_text(new, encoding="utf-8")
    assert recorded.why() == reason


def test_a_module_that_is_gone_is_a_change_and_what_else_is_installed_is_none(recorded, monkeypatch):
    monkeypatch.syspath_prepend(recorded.root / "site-packages")
    installed = recorded.root / "site-packages" / "other-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    assert metadata.version("other") == "1.0" and recorded.why() == ""
    (recorded.root / "tokenecon" / "units.py").unlink()
    assert recorded.why() == "tokenecon/units.py changed"


def test_a_figure_id_in_two_notebooks_is_an_error(tmp_path, write_notebook):
    bundle = {FIGURE_TYPE: {"id": "a-b", "title": "T", "subtitle": "", "alt": "A", "note": "", "rows": 1, "columns": [],
                            "sources": []}}
    for name in ("one", "two"):
        path = write_notebook(tmp_path / name / "out" / "executed.ipynb", DECLARED, "1")
        notebook = json.loads(path.read_text())
        notebook["cells"][-1]["outputs"] = [{"output_type": "display_data", "data": bundle, "metadata": {}}]
        path.write_text(json.dumps(notebook))
    with pytest.raises(staging.BookError, match="figure id 'a-b' is in one and in two"):
        book.published(["one", "two"], tmp_path)


def test_staging_keeps_the_date_of_what_is_equal_and_drops_what_is_gone(tmp_path):
    root, target = tmp_path / "root", tmp_path / "build"
    (root / "book" / "sub").mkdir(parents=True)
    for name in ("_config.yml", "_toc.yml", "book/index.md", "book/sub/page.md"):
        (root / name).write_text(name)
    staging.stage(root, [], target)
    before = (target / "book" / "index.md").stat().st_mtime_ns
    (root / "book" / "sub" / "page.md").unlink()
    os.utime(root / "book" / "index.md", (1, 1))
    staging.stage(root, [], target)
    assert (target / "book" / "index.md").stat().st_mtime_ns == before
    assert not (target / "book" / "sub" / "page.md").exists()


def test_a_swap_that_was_cut_off_is_undone(tmp_path):
    (tmp_path / "html.old").mkdir()
    (tmp_path / "html.old" / "index.html").write_text("good")
    staging.recover(tmp_path)
    assert (tmp_path / "html" / "index.html").read_text() == "good"


def test_builds_of_one_folder_wait_for_each_other(tmp_path, capsys):
    order = []

    def second():
        with book.only_one(tmp_path):
            order.append("second")

    with book.only_one(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert "another build is at work" in capsys.readouterr().out


def test_a_file_that_changes_during_a_run_spoils_the_run(recorded, monkeypatch):
    import nbformat

    def run_and_meddle(path, on_cell):
        with open(recorded.root / "data" / "gpus.csv", "a", encoding="utf-8") as file:
            file.write("\n")
        return book.notebooks.Run(nbformat.read(path, 4), ("tokenecon",), ())

    monkeypatch.setattr(book.notebooks, "run", run_and_meddle)
    path, folder = recorded.root / "notebooks" / "tiny.ipynb", recorded.root / "again"
    with pytest.raises(staging.BookError, match=r"data/gpus\.csv changed while tiny ran"):
        book.run_one(path, folder, "tiny", progress.Lines(), threading.Event())
    assert not (folder / "record.json").exists()


def test_the_first_failure_starts_no_further_notebook(tmp_path, monkeypatch, capsys):
    started = []

    def fail(path, folder, name, board, stop):
        started.append(name)
        raise staging.BookError(f"{name} is broken")

    monkeypatch.setattr(book, "run_one", fail)
    with pytest.raises(staging.BookError, match="one failed"):
        book.rerun_stale({"one": None, "two": None, "three": None}, tmp_path, jobs=1)
    assert started == ["one"]
    assert "one is broken" in capsys.readouterr().err


def test_a_notebook_outside_the_table_of_contents_stops_the_build(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: index\nparts:\n  - chapters:\n      - file: listed\n        sections:\n          - glob: cases/*\n")
    book.check_contents(tmp_path, ["listed", "cases/any"])
    with pytest.raises(book.BookError, match=r"notebooks/tiny\.ipynb stands nowhere in _toc\.yml; add `- file: tiny`"):
        book.check_contents(tmp_path, ["listed", "tiny"])

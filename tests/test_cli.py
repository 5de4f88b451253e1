"""The command: what it prints and writes, and how it refuses."""

import json
import re
import subprocess
import sys

import pytest

from tokenecon import __version__
from tokenecon_book.build import notebooks

DECLARED = """\
batch = 32  # sequence: requests decoded together
gpu = "h100-sxm-80gb"  # gpu: the accelerator"""
PROSE = ":::{div} finding\n{glue:text}`tiny-finding`\n:::\n\nCosts $c = P/R$, see [all](data/gpus.md)."
CELLS = (
    "import pandas as pd\n"
    "from myst_nb import glue\n"
    "from tokenecon import data\n"
    "from tokenecon.finding import Finding, finding\n"
    "from tokenecon_book.charts import figure, forms\n"
    "@finding\n"
    "def wide(claim):\n"
    "    data.claim(claim)\n"
    "    return Finding(pd.DataFrame({'gpu': ['a', 'b', 'c'], 'bandwidth': [1.5, 2.0, 3.35]}), 'More is more')\n"
    "glue('tiny-finding', f'{case.batch} on {case.gpu}', display=False)",
    "axis, found = forms.axis('bandwidth', 'Bandwidth', 'TB/s'), wide('up-document-date')\n"
    "figure('tiny-bandwidth', found, forms.bars(found.table, axis, 'gpu'),\n"
    "       alt='Three bars, each longer than the one before')",
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, write_notebook):
    import nbformat

    path = write_notebook(tmp_path_factory.mktemp("cli") / "tiny.ipynb", DECLARED, *CELLS)
    notebook = nbformat.read(path, 4)
    notebook.cells.append(nbformat.v4.new_markdown_cell(PROSE, id="prose"))
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def rerun(tiny, tmp_path_factory):
    """One real run with parameters from a file and from the line, which wins."""
    folder = tmp_path_factory.mktemp("rerun")
    (folder / "params.yml").write_text("batch: 7\ngpu: l4\n")
    line = ["run", tiny, "-f", folder / "params.yml", "-p", "gpu", "tpu-v4", "-o", folder / "out"]
    done = subprocess.run(
        [sys.executable, "-c", "from tokenecon import cli; cli.main()", *map(str, line)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.split()


def refused(result):
    """The one sentence of a refusal."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


# --- run ---------------------------------------------------------------------------------------


def test_a_run_writes_notebook_page_and_data_and_prints_their_paths(rerun):
    folder, printed = rerun
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert sorted(path.rsplit("/", 1)[1] for path in printed) == names
    stem = names[0].split(".")[0]
    assert re.fullmatch(r"tiny-[0-9a-f]{8}", stem)
    assert names == [f"{stem}.html", f"{stem}.ipynb", f"{stem}.tiny-bandwidth.csv"]


def test_the_page_says_the_parameters_and_asks_nothing_of_the_network(rerun):
    folder, _ = rerun
    page = next((folder / "out").glob("*.html")).read_text()
    assert "7 on tpu-v4" in page
    assert "7 (book: 32)" in page
    assert "tokenecon run tiny -p batch 7 -p gpu tpu-v4" in page
    assert "<math" in page
    assert 'class="finding"' in page
    assert "<svg" in page
    assert "More is more" in page
    assert "{glue" not in page and ":::" not in page and "gpus.md" not in page  # fmt: skip
    loaded = re.findall(r'(?:src|srcset|data)="([^"]*)"|<link|<script|url\(|@import', page)
    assert loaded == []


def test_the_data_is_the_figures_table(rerun):
    folder, _ = rerun
    lines = next((folder / "out").glob("*.csv")).read_text().splitlines()
    assert lines[0] == "gpu,bandwidth"
    assert lines[3].endswith(",3.35")


def test_other_numbers_have_another_name():
    from tokenecon_book.build.rerun import fingerprint

    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 1, "b": 3})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-p", "bacth", "7"], "parameter 'bacth' does not exist; did you mean 'batch'"),
        (["-p", "batch", "seven"], "parameter 'batch' is 'seven', but must be a whole number of at least 1"),
        (["-p", "gpu", "h100"], "did you mean"),
        (["-p", "batch"], "-p batch lacks its value"),
        (["-f", "missing.yml"], "'missing.yml' cannot be read: No such file"),
        (["--batch", "7"], "No such option"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(command, tiny, tmp_path, arguments, words):
    out = tmp_path / "out"
    assert words in refused(command("run", tiny, *arguments, "-o", out))
    assert not out.exists()


def test_an_unknown_notebook_is_refused_with_the_list(command):
    said = refused(command("run", "hardwear"))
    assert "allowed are" in said
    assert all(name in said for name in notebooks.catalogue())


@pytest.mark.parametrize(
    ("text", "words"),
    [("- 1\n- 2\n", "holds no `name: value` lines"), ("a: [1\n", "is not YAML at line 2"), ("", "holds no")],
)
def test_a_bad_parameter_file_is_refused(command, tiny, tmp_path, text, words):
    (tmp_path / "p.yml").write_text(text)
    assert words in refused(command("run", tiny, "-f", tmp_path / "p.yml", "-o", tmp_path / "out"))


def test_a_folder_that_cannot_be_made_is_refused_before_the_run(command, tiny, tmp_path):
    (tmp_path / "taken").write_text("")
    assert "is a file; name another with -o" in refused(command("run", tiny, "-o", tmp_path / "taken" / "out"))


def test_a_failing_notebook_shows_its_cell_exits_1_and_writes_nothing(command, tmp_path, write_notebook):
    path = write_notebook(tmp_path / "bad.ipynb", DECLARED, "case.batch / 0")
    code, out, err = command("run", path, "-o", tmp_path / "out")
    assert (code, out) == (1, "")
    assert "bad, cell 4: ZeroDivisionError" in err
    assert not (tmp_path / "out").exists()


# --- list and show -----------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["gpus", "models", "prices", "claims", "notebooks", "parameters"])
def test_every_catalogue_lists_as_text_and_as_json(command, what):
    code, out, _ = command("list", what)
    assert code == 0
    code, text, _ = command("list", what, "--json")
    rows = json.loads(text)
    assert code == 0
    assert len(out.splitlines()) == len(rows) + 1
    assert "NaN" not in text


def test_a_list_can_be_narrowed(command):
    _, text, _ = command("list", "prices", "h100-sxm-80gb", "--json")
    assert {row["gpu"] for row in json.loads(text)} == {"h100-sxm-80gb"}
    assert "did you mean 'gpus'" in refused(command("list", "gpu"))
    assert "takes no 'x'" in refused(command("list", "models", "x"))
    assert "gpu 'h100' is not known" in refused(command("list", "prices", "h100"))


def test_a_fact_is_shown_with_source_and_citation(command):
    code, out, _ = command("show", "h200-sxm-141gb.bandwidth")
    assert code == 0
    for words in ("4.8", "TB/s", "data/gpus.csv, row h200-sxm-141gb.bandwidth", f"version {__version__}"):
        assert words in out
    _, text, _ = command("show", "h200-sxm-141gb.bandwidth", "--json")
    found = json.loads(text)
    assert (found["table"], found["rows"][0]["value"], found["rows"][0]["unit"]) == ("gpus", 4.8, "TB/s")
    (source,) = found["sources"]
    assert source["id"] == found["rows"][0]["source"]
    assert source["title"] in out
    assert source["title"] in found["cite"]


def test_a_claim_is_shown_with_its_verdict(command):
    code, text, _ = command("show", "hw-h100-bandwidth", "--json")
    found = json.loads(text)
    assert code == 0
    assert found["table"] == "claims"
    assert found["verdict"]["verdict"] in (
        "holds", "holds under an assumption", "contradicted", "cannot be derived", "plain input",
    )  # fmt: skip


def test_an_unknown_id_is_refused_with_the_nearest(command):
    assert "h200-sxm-141gb.bandwidth" in refused(command("show", "h200-sxm-141gb.bandwith"))


def test_what_only_the_analysis_can_refuse_is_one_sentence_too(command, tmp_path):
    sentence = refused(command("run", "economics", "-p", "batch", "5000", "-o", str(tmp_path / "out")))
    assert "parameter 'batch' is 5000, but 2 x h100-sxm-80gb hold 309 sequences of 1366.1 tokens" in sentence
    assert not (tmp_path / "out").exists()


# --- the command itself ------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [(), ("run",), ("list",), ("show",)])
def test_every_help_has_an_example(command, verb):
    code, out, _ = command(*verb, "--help")
    assert code == 0
    assert "Example: tokenecon" in out


def test_the_version_is_printed(command):
    assert command("--version") == (0, __version__ + "\n", "")


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, tokenecon; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()
    assert "tokenecon" in loaded
    assert not {"pandas", "numpy", "altair", "scipy", "pydantic", "papermill", "typer", "rich"} & set(loaded)

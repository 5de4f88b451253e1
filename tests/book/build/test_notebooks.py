"""Running one notebook: on our interpreter, the same twice, knowing what it used."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest

from tokenecon.queries import Query
from tokenecon_book.build import notebooks
from tokenecon_book.build.parameters import ParameterError

DECLARED = 'batch = 32  # sequence: requests decoded together\ntitle = "mine"  # text: what it says'
CELLS = (
    "import sys\nfrom tokenecon import data\nrows = data.rows('sources', {'id': 'doc-uk'})",
    "print(sys.executable)\nprint(case.batch * 2, case.title)",
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, write_notebook):
    return write_notebook(tmp_path_factory.mktemp("notebooks") / "tiny.ipynb", DECLARED, *CELLS)


@pytest.fixture(scope="module")
def twice(tiny):
    """The notebook run two times at once with the same values."""
    seen = []
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(notebooks.run, tiny, {"batch": "7"}, on_cell=lambda done, total: seen.append((done, total)))
            for _ in range(2)
        ]
        return [job.result() for job in jobs], seen


def test_values_reach_the_notebook_and_the_kernel_is_this_interpreter(twice):
    (run, _), _ = twice
    assert run.notebook.cells[-1].outputs[0].text.split() == [sys.executable, "14", "mine"]


def test_two_runs_at_once_are_equal_to_the_byte_and_hold_no_path(twice, tiny):
    (first, second), _ = twice
    texts = [nbformat.writes(run.notebook) for run in (first, second)]
    assert texts[0] == texts[1]
    assert str(tiny.parent) not in texts[0]


def test_the_parameters_stand_in_the_notebook(twice):
    (run, _), _ = twice
    assert run.notebook.metadata["tokenecon"]["parameters"] == {"batch": 7}


def test_a_run_knows_the_modules_that_it_used_and_what_it_asked(twice):
    (run, _), _ = twice
    assert run.queries == (Query("sources", (("id=", "doc-uk"),), ""),)
    assert {"tokenecon", "tokenecon.data", "tokenecon_book.build.parameters", "tokenecon.units"} <= set(run.modules)
    assert "tokenecon_book.build.book" not in run.modules


def test_a_run_that_asks_thousands_of_queries_knows_them_all(tmp_path, write_notebook):
    asking = "from tokenecon import data\nfor n in range(2500):\n    data.rows('sources', {'id': f'nobody-{n}'})"
    run = notebooks.run(write_notebook(tmp_path / "asking.ipynb", DECLARED, asking))
    assert {Query("sources", (("id=", f"nobody-{n}"),), "") for n in range(2500)} <= set(run.queries)


def test_progress_counts_every_cell(twice):
    _, seen = twice
    # title, parameters, what papermill injects, check, two cells: six, and one call when all are done
    assert sorted(set(seen)) == [(done, 6) for done in range(7)]


def test_a_failing_cell_is_named_with_its_source_and_error(tmp_path, write_notebook):
    path = write_notebook(tmp_path / "bad.ipynb", DECLARED, "price = 3", "price / 0")
    with pytest.raises(notebooks.NotebookFailed) as error:
        notebooks.run(path)
    assert (error.value.notebook, error.value.cell, error.value.source) == ("bad", 5, "price / 0")
    assert error.value.error == "ZeroDivisionError: division by zero"
    assert "price / 0" in error.value.traceback
    assert "\x1b" not in error.value.traceback


def test_a_misspelt_name_starts_no_kernel(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "papermill", None)  # importing it would now fail
    with pytest.raises(ParameterError, match="'bacth' does not exist; did you mean 'batch'"):
        notebooks.run(tiny, {"bacth": 7})


def test_a_run_can_be_stopped_between_cells(tiny):
    def stop(done, total):
        raise notebooks.Stopped

    with pytest.raises(notebooks.Stopped):
        notebooks.run(tiny, on_cell=stop)


def test_stderr_is_found():
    cell = nbformat.v4.new_code_cell("warn()", outputs=[nbformat.v4.new_output("stream", name="stderr", text="no")])
    assert notebooks.complaints(nbformat.v4.new_notebook(cells=[cell])) == [(0, "no")]


def test_notebooks_are_found_by_name_and_by_path(tmp_path, write_notebook):
    for name in ("why", "cases/shop"):
        write_notebook(tmp_path / "notebooks" / f"{name}.ipynb", DECLARED)
    assert list(notebooks.catalogue(tmp_path)) == ["why", "cases/shop"]
    assert notebooks.find("notebooks/cases/shop.ipynb", tmp_path)[0] == "cases/shop"
    assert notebooks.find(tmp_path / "notebooks" / "why.ipynb", tmp_path)[0] == "why"
    with pytest.raises(notebooks.UnknownNotebook) as error:
        notebooks.find("whi", tmp_path)
    assert "did you mean 'why'?; allowed are why, cases/shop" in str(error.value)


def test_plain_papermill_refuses_what_the_notebook_does_not_declare(tiny, tmp_path):
    import papermill

    with pytest.raises(papermill.PapermillExecutionError, match="parameter 'bacth' does not exist"):
        papermill.execute_notebook(tiny, tmp_path / "out.ipynb", {"bacth": 7}, progress_bar=False)
    left = json.loads((tmp_path / "out.ipynb").read_text())
    assert "did you mean 'batch'" in json.dumps(left)

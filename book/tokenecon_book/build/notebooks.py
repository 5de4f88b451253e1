"""Find the notebooks, run one with parameters, and know what it used.

A run goes through papermill, on a kernel of the interpreter that runs this code, with a socket
directory and an IPython profile of its own.  After the last cell the kernel is asked which
modules of the package it loaded and what it asked of the data, so that a build reruns exactly
what a changed file touches.  What a run leaves behind depends on nothing but its inputs: no
random cell ids, no clock times, no paths.
"""

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tokenecon import data
from tokenecon.errors import BadInput, did_you_mean
from tokenecon.queries import Query
from tokenecon_book.build import parameters

CELL_SECONDS = 600  # a cell that computes longer than this is broken


# Errors of the data and the analyses that say in one sentence which input cannot be served.
REFUSALS = ("BadScenario", "CannotServe", "CannotSimulate", "DoesNotFit", "Infeasible", "NoEstimate", "NoInput", "NoPrice",
            "NothingServes", "ParameterError", "TooSlow", "UnknownId")


class UnknownNotebook(BadInput):
    """A notebook name that does not exist."""


class NotebookFailed(Exception):
    """A cell raised; carries what a reader needs to repair it."""

    def __init__(self, notebook, cell, source, error, traceback):
        super().__init__(f"{notebook}, cell {cell}: {error}")
        self.notebook, self.cell, self.source = notebook, cell, source
        self.error, self.traceback = error, traceback

    @property
    def refusal(self):
        """The sentence of an error that the parameters are to blame for, or nothing: then the notebook is."""
        kind, _, sentence = self.error.partition(": ")
        return sentence if kind in REFUSALS or sentence.startswith("parameter '") else ""


class Stopped(Exception):
    """The run was asked to stop between two cells."""


@dataclass(frozen=True)
class Run:
    """An executed notebook, the modules that it loaded, and what it asked of the data."""

    notebook: object  # nbformat's NotebookNode
    modules: tuple
    queries: tuple  # of queries.Query


def catalogue(base=None):
    """Name to path of every notebook: ``hardware``, ``cases/spotify``, ..."""
    folder = data.shipped("notebooks") if base is None else base / "notebooks"
    paths = sorted(folder.glob("*.ipynb")) + sorted((folder / "cases").glob("*.ipynb"))
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}


def find(name, base=None):
    """The name and path of a notebook, given its name or a path to any notebook file."""
    known = catalogue(base)
    key = str(name).removeprefix("notebooks/").removesuffix(".ipynb")
    if key in known:
        return key, known[key]
    if str(name).endswith(".ipynb") and Path(name).is_file():
        return Path(name).stem, Path(name)
    raise UnknownNotebook(
        f"notebook '{name}' is not known{did_you_mean(key, known)}; "
        f"allowed are {', '.join(known) or 'none yet'}, or a path to an .ipynb file; "
        "see `tokenecon list notebooks`"
    )


def defaults(name):
    """Name to default value, in its type, of every parameter of a notebook that ships with the book."""
    return {key: parameters.accept(one, one.default) for key, one in parameters.spec(find(name)[1]).items()}


def run(path, values=None, *, on_cell=None):
    """Run a notebook with its defaults overridden by ``values`` and give back a :class:`Run`.

    Parameters are validated first, so a misspelt name or an unknown id starts no kernel.
    ``on_cell(done, total)`` is called before each cell and at the end; it may raise
    :class:`Stopped`.
    """
    path = Path(path)
    values = parameters.validate(parameters.spec(path), values or {}, where=path.stem)

    skip_grammar()
    import papermill  # late, with what starts kernels: they cost a second
    from papermill.exceptions import PapermillExecutionError

    from tokenecon_book.build import kernel

    used = {}
    with tempfile.TemporaryDirectory(prefix="tokenecon-") as scratch:
        try:
            notebook = papermill.execute_notebook(
                path,
                Path(scratch) / "executed.ipynb",
                parameters=values,
                engine_name=kernel.ENGINE,
                kernel_name="python3",
                progress_bar=False,
                request_save_on_cell_execute=False,
                execution_timeout=CELL_SECONDS,
                resources={"metadata": {"path": str(path.resolve().parent)}},
                on_cell=on_cell,
                used=used,
                facts={"facts": data.own_folder(), "calibration": data.calibration_file()},
            )
        except PapermillExecutionError as error:
            raise NotebookFailed(
                path.stem,
                error.cell_index + 1 - bool(values),  # as a reader counts: from 1, without papermill's own cell
                error.source,
                f"{error.ename}: {error.evalue}",
                plain("\n".join(error.traceback)),
            ) from None
    return Run(_normalised(notebook), tuple(used["modules"]), tuple(Query(*one) for one in used["queries"]))


def skip_grammar():
    """Keep jsonschema, which comes with nbformat, from compiling a grammar of addresses that no notebook holds.

    JupyterLab brings that grammar into an environment; its import takes longer than an empty notebook.  A kernel is kept from it
    by ``kernel.LAUNCH``: Altair comes with jsonschema too.
    """
    sys.modules.setdefault("rfc3987_syntax", None)


def plain(text):
    """A traceback without its colour codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def complaints(notebook):
    """What the kernel wrote to stderr, cell by cell: warnings that no page should print."""
    return [
        (index, output.text)
        for index, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == "stderr"
    ]


def _normalised(notebook):
    """The notebook without what changes from run to run."""
    keep = notebook.metadata.papermill.get("parameters", {})
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
        "tokenecon": {"parameters": keep},
    }
    for place, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell["id"] = "injected-parameters"
        elif "id" not in cell:
            cell["id"] = f"cell-{place}"
    return notebook

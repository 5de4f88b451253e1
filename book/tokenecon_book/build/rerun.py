"""One notebook with a reader's own numbers: notebook, page and figures' data, whole or not at all.

The functions at the end make such runs parts of a sweep: an entry point ``tokenecon.sweeps`` names this module.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tokenecon import data, yaml_file
from tokenecon.decision import scenario as scenarios
from tokenecon.errors import BadInput
from tokenecon.importers import own_model
from tokenecon_book.build import notebooks, parameters

NEEDS = ("altair", "ipykernel", "markdown_it", "myst_nb", "papermill", "vl_convert")
FILE = "case-{:06}"  # what a sweep calls the folder of a run
UNFINISHED = ".tokenecon-run-"  # what a folder is called in which a run writes


class BadRun(BadInput):
    """A rerun that cannot start: its file of parameters or its folder is no good."""


def check_installed(what):
    """Refuse to begin without the packages that notebooks need."""
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise BadInput(f"{what} needs {', '.join(missing)}, which this installation lacks; install tokenecon-book with its extra "
                       "[book]")


def rerun(notebook, file, pairs, out):
    """Run ``notebook`` with the values of a YAML file and of ``NAME=VALUE`` texts; give back the paths written."""
    name, path = notebooks.find(notebook)
    given = from_file(file) if file else {}
    given |= dict(split(pair) for pair in pairs)
    declared = parameters.spec(path)
    values = parameters.validate(declared, given, where=name)
    check_folder(out)
    done = notebooks.run(path, values)
    effective = {one.name: values.get(one.name, one.default) for one in declared.values()}
    stem = f"{name.replace('/', '-')}-{fingerprint(effective | own_files(effective))}"
    return write(done, name, stem, declared, effective, out)


def own_files(values):
    """Path to hash of the files of the reader's that a run reads: two runs with different ones have different names."""
    paths = [value for value in values.values() if own_model.is_path(value)]
    scenario = str(values.get("scenario", ""))
    paths += scenarios.files(scenario) if os.path.isfile(scenario) else []
    folder = data.own_folder()
    paths += sorted(map(str, Path(folder).glob("*.csv"))) if folder else []
    paths += [data.calibration_file()] if data.calibration_file() else []
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths}


def split(pair):
    """Name and value of ``NAME=VALUE``."""
    name, sign, value = pair.partition("=")
    if not sign or not name:
        raise BadRun(f"-p {pair} is not a name and a value; write -p NAME VALUE")
    return name, value


def from_file(file):
    """The parameters of a YAML file."""
    try:
        return yaml_file.mapping(file)
    except yaml_file.NotYaml as error:
        raise BadRun(f"the parameter file '{file}' {error}; write one `name: value` a line") from None


def check_folder(out):
    """Refuse a folder that cannot be written, before any work is done."""
    base = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not base.is_dir():
        raise BadRun(f"the output folder '{out}' cannot be made: '{base}' is a file; name another with -o")
    try:
        tempfile.TemporaryFile(dir=base).close()
    except OSError as error:
        raise BadRun(f"the output folder '{out}' cannot be written: {error.strerror}; name another with -o") from None


def fingerprint(values):
    """Eight characters that stand for the values of all parameters, defaults included."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def write(done, name, stem, declared, values, out):
    """Put notebook, page and data into ``out``; what fails leaves nothing there."""
    import nbformat

    from tokenecon_book.build import publishing, standalone

    with workshop(out) as new:
        tables = publishing.write_tables(done.notebook, new)
        tables = [path.rename(new / f"{stem}.{path.name}") for path in tables]
        page = standalone.html(done.notebook, name, declared, values, {path.name.split(".")[1]: path.name for path in tables},
                               data.own_words(done.queries))
        (new / f"{stem}.html").write_text(page, encoding="utf-8")
        nbformat.write(done.notebook, new / f"{stem}.ipynb")
        names = [f"{stem}.ipynb", f"{stem}.html", *(path.name for path in tables)]
        for one in sorted(names, key=lambda one: one.endswith(".html")):  # the page last: where it lies, all of it does
            os.replace(new / one, out / one)
        return [out / one for one in names]


@contextlib.contextmanager
def workshop(out):
    """A folder in ``out`` to write in; those that killed runs left there go first.

    A run holds a lock on its folder, and a lock ends with its process, however that ends.
    """
    out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held, contextlib.ExitStack() as looking:
        if lock(out, looking, wait=True):  # so that no other run is between making its folder and locking it
            for left in out.glob(f"{UNFINISHED}*"):
                with contextlib.ExitStack() as dead:
                    if lock(left, dead):
                        shutil.rmtree(left, ignore_errors=True)
        new = Path(held.enter_context(tempfile.TemporaryDirectory(dir=out, prefix=UNFINISHED)))
        lock(new, held)
        looking.close()
        yield new


def lock(folder, stack, wait=False):
    """Lock a folder until ``stack`` ends; False where another process holds it, or where the file system has no locks."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # FileNotFoundError too: its run has just ended
        return False
    return True


# --- in a sweep: see tokenecon.sweeps.engine ---------------------------------------------------


def checked(plan):
    """What a worker needs beside the parameters: the notebook, and files that they name, from where the grid lies."""
    check_installed("a sweep of a notebook")
    name, path = notebooks.find(plan.notebook)
    known = parameters.spec(path)
    for one in plan.grid.names():
        if one not in known:
            parameters.validate(known, {one: ""}, where=name)  # refuses the name
    values = {value for one in plan.grid.names() for value in plan.grid.values(one) if isinstance(value, str)}
    return {"notebook": name if path == notebooks.catalogue().get(name) else str(path.resolve()),
            "beside": {value: str((plan.folder / value).resolve()) for value in values - {""} if (plan.folder / value).is_file()}}


def depends(options):
    """Files of the reader's that the runs read."""
    found = [options["notebook"]] if options["notebook"].endswith(".ipynb") else []
    for path in options["beside"].values():
        found += scenarios.files(path) if path.endswith((".yml", ".yaml")) else [path]
    return sorted(found)


def code(options):
    """Packages that make the results."""
    return (data.PACKAGE, Path(__file__).parent.parent)


def made(options, grid, start, stop):
    """The files of one run by their names, and the parameters that were given."""
    values = {name: value.item() if hasattr(value, "item") else value
              for name, value in grid.table(start, stop).iloc[0].items() if value != "" and value == value}
    with tempfile.TemporaryDirectory() as folder:
        pairs = [f"{name}={options['beside'].get(value, value)}" for name, value in values.items()]
        try:
            paths = rerun(options["notebook"], None, pairs, Path(folder))
        except notebooks.NotebookFailed as failed:
            raise BadInput(failed.refusal or str(failed)) from failed
        page = next(path.name for path in paths if path.suffix == ".html")
        return {path.name: path.read_bytes() for path in paths}, {"cases": 1, "errors": 0, "parameters": values, "page": page}


def frame(job, folder, lines, columns, filters):
    """A row for each run: its parameters, and where its page lies."""
    import pandas as pd

    return pd.DataFrame([line["parameters"] | {"page": str(folder / line["file"] / line["page"])} for line in lines],
                        columns=columns)

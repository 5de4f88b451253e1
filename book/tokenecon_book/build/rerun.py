"""One notebook with a reader's own numbers: notebook, page and figures' data, whole or not at all."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from tokenecon import data, yaml_file
from tokenecon.errors import BadInput
from tokenecon.importers import own_model
from tokenecon_book.build import notebooks, parameters


class BadRun(BadInput):
    """A rerun that cannot start: its file of parameters or its folder is no good."""


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
    folder = data.own_folder()
    paths += sorted(map(str, Path(folder).glob("*.csv"))) if folder else []
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

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".new-") as folder:
        new = Path(folder)
        tables = publishing.write_figures(done.notebook, new, kinds=("csv",))
        tables = [path.rename(new / f"{stem}.{path.name}") for path in tables]
        page = standalone.html(done.notebook, name, declared, values, {path.name.split(".")[1]: path.name for path in tables},
                               data.own_words(done.queries))
        (new / f"{stem}.html").write_text(page, encoding="utf-8")
        nbformat.write(done.notebook, new / f"{stem}.ipynb")
        names = [f"{stem}.ipynb", f"{stem}.html", *(path.name for path in tables)]
        return [Path(shutil.move(new / one, out / one)) for one in names]

"""What a page depends on, as hashes: so that exactly what a change touches is made anew."""

import hashlib
import platform
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from tokenecon import data

BOOK = Path(__file__).resolve().parent.parent
PACKAGES = {"tokenecon": data.PACKAGE, "tokenecon_book": BOOK}
RUNNERS = ("tokenecon_book.build.notebooks", "tokenecon_book.build.kernel", "tokenecon_book.build.parameters", "tokenecon.kinds")
GONE = "gone"


def digest(content):
    """A short hash of bytes."""
    return hashlib.sha256(content).hexdigest()[:20]


def of_file(path):
    """The hash of a file, or :data:`GONE`."""
    try:
        return digest(Path(path).read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        return GONE


def of_folder(folder, pattern="**/*"):
    """Relative name to hash of every file below a folder."""
    folder = Path(folder)
    paths = (path for path in folder.glob(pattern) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): of_file(path) for path in sorted(paths)}


@cache
def environment():
    """The interpreter and the version of every installed distribution."""
    installed = sorted(f"{found.name.lower()} {found.version}" for found in metadata.distributions())
    return digest("\n".join([sys.version, platform.machine(), *installed]).encode())


def module_file(name):
    """The file of a module of ours, whether or not it still exists."""
    package, *inner = name.split(".")
    path = PACKAGES[package].joinpath(*inner)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def inputs(notebook, modules, tables):
    """Name to hash of all that an executed notebook came from."""
    found = {f"notebook {notebook.stem}": of_file(notebook), "the environment": environment()}
    for name in sorted({*modules, *RUNNERS}):
        found[f"{name.replace('.', '/')}.py"] = of_file(module_file(name))
    if tables:
        found["data/datapackage.json"] = of_file(data.ROOT / "datapackage.json")
    return found | {f"data/{name}.csv": of_file(data.ROOT / f"{name}.csv") for name in tables}


def all_inputs(notebook):
    """Name to hash of all that a notebook could come from."""
    modules = [".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
               for package, folder in PACKAGES.items() for path in folder.rglob("*.py")]
    return inputs(notebook, modules, [path.stem for path in data.ROOT.glob("*.csv")])


def changed(before, now):
    """The names whose hashes differ, in order."""
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]

"""What a page depends on, as hashes: so that exactly what a change touches is made anew."""

import hashlib
from pathlib import Path

from tokenecon import data
from tokenecon.queries import Query

BOOK = Path(__file__).resolve().parent.parent
PACKAGES = {"tokenecon": data.PACKAGE, "tokenecon_book": BOOK}
RUNNERS = ("tokenecon_book.build.notebooks", "tokenecon_book.build.kernel", "tokenecon_book.build.parameters", "tokenecon.kinds")
GONE = "gone"
LOCK = BOOK.parent.parent / "requirements.txt"
FEW = 3  # values of a filter that are named one by one
FILES = "notebooks/"  # what a query of a file and not of a table begins with


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


def module_file(name):
    """The file of a module of ours, whether or not it still exists."""
    package, *inner = name.split(".")
    path = PACKAGES[package].joinpath(*inner)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def inputs(notebook, modules, queries, answers):
    """Name to hash of all that an executed notebook came from; ``answers`` is a :class:`tokenecon.data.Answers`.

    Of the tables only what it asked for: a row that no query of its touches leaves it as it is.
    """
    found = {f"notebook {notebook.stem}": of_file(notebook), LOCK.name: of_file(LOCK)}
    for name in sorted({*modules, *RUNNERS}):
        found[f"{name.replace('.', '/')}.py"] = of_file(module_file(name))
    return found | {words(query): answers.hash(query) for query in queries}


def asked(record):
    """The queries of the record of a run, as its JSON keeps them."""
    return [Query(table, tuple((condition, wanted if isinstance(wanted, str) else tuple(wanted)) for condition, wanted in where),
                  want) for table, where, want in record["queries"]]


def words(query):
    """A query as a reader of the build's output understands it."""
    if query.table.startswith(FILES):
        return query.table
    conditions = [f"{condition}{wanted}" if isinstance(wanted, str) else
                  f"{condition}{' or '.join(wanted)}" if len(wanted) <= FEW else f"{condition}one of {len(wanted)}"
                  for condition, wanted in query.where]
    asked = ", ".join(conditions) + (f" ({query.want})" if query.want.strip("*") else "")
    return f"data/{query.table}.csv" + (f" [{asked}]" if asked else "")


def of_sources(notebook):
    """Name to hash of all files that a notebook could come from: what must not change while it runs."""
    found = {f"notebook {notebook.stem}": of_file(notebook)}
    code = [(folder, "**/*.py") for folder in PACKAGES.values()]
    for folder, pattern in ((data.ROOT, "*"), (data.shipped("notebooks") / "scenarios", "*.yml"), *code):
        found |= {f"{folder.name}/{name}": value for name, value in of_folder(folder, pattern).items()}
    return found


def changed(before, now):
    """The names whose hashes differ, in order."""
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]

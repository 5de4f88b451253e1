"""What the calculator of the site runs: MicroPython, our own modules as they are, and the facts of the day as JSON.

Made while the book is built and staged beside the pages; nothing of it is committed.  Facts are made anew when the package, the
tables or the lock changed.
"""

import ast
import json
import shutil
from pathlib import Path

from tokenecon import data
from tokenecon_book.build import freshness, progress

PAGE = "calculator.md"
STATIC = Path("_static/calculator")
ENGINE = Path("node_modules/@micropython/micropython-webassembly-pyscript")
ENGINE_FILES = ("micropython.mjs", "micropython.wasm")
ENTRY = "tokenecon.calculator.markup"
OURS = "tokenecon_book.documents.calculator"
SHOWING = ("calculator/markup.py", "calculator/page.py")  # modules that change no fact


def files(root, target):
    """Path below the staged pages to file, of all that the calculator needs; none where the book has no such page."""
    if not (root / "book" / PAGE).exists():
        return {}
    missing = [name for name in ENGINE_FILES if not (root / ENGINE / name).exists()]
    if missing:
        raise FileNotFoundError(f"{ENGINE / missing[0]} is missing; `make node_modules/stamp` installs it from package-lock.json")
    folder = target / "calculator"
    inputs = {"lock": freshness.of_file(freshness.LOCK), "facts": freshness.of_file(freshness.module_file(OURS)),
              **{name: value for name, value in freshness.of_folder(freshness.PACKAGES["tokenecon"], "**/*.py").items()
                 if name not in SHOWING},
              **{f"data/{name}": value for name, value in freshness.of_folder(data.ROOT).items()},
              **freshness.of_folder(data.shipped("notebooks") / "scenarios")}
    record = folder / "record.json"
    if not record.exists() or json.loads(record.read_text()) != inputs:
        _make(folder)
        record.write_text(json.dumps(inputs))
    (folder / "out" / "modules.json").write_text(_json(modules()), encoding="utf-8")
    made = {STATIC / path.name: path for path in folder.glob("out/*.json")}
    return made | {STATIC / name: root / ENGINE / name for name in ENGINE_FILES}


def _json(content):
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _make(folder):
    from tokenecon_book.documents import calculator

    progress.say("writing the facts of the calculator")
    new, out = folder / "new", folder / "out"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    facts = calculator.facts()
    for name, content in {"facts": facts, **{f"prices-{day}": calculator.prices(day) for day in facts["days"]}}.items():
        (new / f"{name}.json").write_text(_json(content), encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    new.rename(out)


def modules():
    """Path to source of the modules of ours that the entry of the calculator imports, and of those that they import."""
    found, todo = {}, [ENTRY]
    while todo:
        name = todo.pop()
        path = data.PACKAGE.parent.joinpath(*name.split("."))
        if path.is_dir() or f"{name.replace('.', '/')}.py" in found:
            continue
        source = path.with_suffix(".py").read_text(encoding="utf-8")
        found[f"{name.replace('.', '/')}.py"] = source
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "tokenecon":
                todo += [node.module, *(f"{node.module}.{one.name}" for one in node.names
                                        if path_of(f"{node.module}.{one.name}").exists())]
    return dict(sorted(found.items()))


def path_of(name):
    """The file of a module of the package."""
    return data.PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")

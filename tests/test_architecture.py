"""The house rules that a machine can hold: which way imports go, how large a folder is, what no file says."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

BARRED_NAMES = {"utils", "util", "helpers", "helper", "common", "shared", "misc", "archive"}
MOST_MODULES = 15  # of a folder: more than that nobody takes in at a glance
# What a notebook may import of ours; anything else it reaches through its chapter.
NOTEBOOKS_MAY = re.compile(
    r"tokenecon_book\.(charts|citations|documents|build\.parameters|chapters)\b|tokenecon\.(decision|fleet|ownership|prices|serving|simulation)\b")
# Addresses of package registries, home folders and mount points have no place in the repository.
MACHINE = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|/(?:home|root|work|Users)/\w|\.\./shared")


def code(root):
    """Every module of the two packages."""
    return sorted([*(root / "tokenecon").rglob("*.py"), *(root / "book" / "tokenecon_book").rglob("*.py")])


def test_imports_go_one_way(root):
    """The contracts of import-linter in pyproject.toml: layers of every module, no circle, no chapter that imports a chapter."""
    done = subprocess.run([root / ".venv" / "bin" / "lint-imports", "--no-cache"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_contracts_make_no_exception(root):
    contracts = (root / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.importlinter]")[2]
    assert "ignore_imports" not in contracts and contracts.count("exhaustive = true") == contracts.count('type = "layers"')


def test_only_readers_read_files(root):
    """Tables come through tokenecon/data.py; what else opens a file reads something that a user gave."""
    folders = ("formulas", "fleet", "ownership", "simulation", "serving")
    paths = [path for folder in folders for path in (root / "tokenecon" / folder).rglob("*.py")]
    paths += list((root / "book" / "tokenecon_book" / "chapters").rglob("*.py"))
    for path in paths:
        if path.name in ("case_files.py", "calibrate.py"):  # the files of `tokenecon estimate`; data/calibration.csv as a product
            continue
        called = {getattr(node.func, "id", getattr(node.func, "attr", ""))
                  for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)}
        reads = called & {"open", "read_csv", "read_text", "read_bytes"}
        assert not reads, f"{path.relative_to(root)} reads a file; use tokenecon/data.py"


def cells(root):
    """(path, place, cell) of every code cell of every notebook."""
    for path in sorted((root / "notebooks").rglob("*.ipynb")):
        for place, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
            if cell["cell_type"] == "code":
                yield path.relative_to(root), place, cell


def imported(source):
    """Modules that a cell imports, dotted, each with the name that it takes from them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_result_carries_nothing_but_what_a_finding_carries(root):
    """Attributes of DataFrames are lost without a word in joins, copies and files."""
    found = [f"{path.relative_to(root)}: {name}" for path in [*root.glob("tokenecon/**/*.py"), *root.glob("book/**/*.py"),
                                                              *root.glob("notebooks/**/*.ipynb")]
             for name in (".attrs", "__finalize__") if name in path.read_text(encoding="utf-8")]
    assert not found, "return a Finding, or hand the value over: " + ", ".join(found)


REMEMBERS = {  # modules that read data and remember what no result depends on
    "tokenecon/data.py", "tokenecon/kinds.py", "book/tokenecon_book/citations.py",
}


def test_what_reads_data_and_remembers_leaves_a_record(root):
    """functools.cache would hide from a second result what the first one asked for."""
    reads = re.compile(r"^ *(from tokenecon import .*\bdata\b|from tokenecon\.(prices|fleet|ownership|decision))", re.M)
    for path in [*root.glob("tokenecon/**/*.py"), *root.glob("book/**/*.py")]:
        name, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        if reads.search(text) and name not in REMEMBERS:
            assert not re.search(r"import .*\b(lru_)?cache\b", text), f"{name}: use queries.remembered, not functools.cache"


def test_a_notebook_imports_its_own_chapter_and_what_chapters_share(root):
    for path, place, cell in cells(root):
        own = path.relative_to("notebooks").with_suffix("").as_posix().replace("/", ".")
        for name in imported("".join(cell["source"])):
            if not name.startswith("tokenecon"):
                continue
            assert NOTEBOOKS_MAY.match(name), f"{path}, cell {place} imports {name}; put the call into its chapter"
            chapter = name.partition("tokenecon_book.chapters.")[2]
            assert not chapter or f"{chapter}.".startswith((f"{own}.", "claims.ledger")), (
                f"{path}, cell {place} imports {name}, of another chapter")


def test_every_notebook_has_its_chapter(root):
    chapters = root / "book" / "tokenecon_book" / "chapters"
    notebooks = {path.relative_to(root / "notebooks").with_suffix("") for path in (root / "notebooks").rglob("*.ipynb")}
    folders = {path.parent.relative_to(chapters) for path in chapters.rglob("*.py") if path.stem != "__init__"}
    assert folders == notebooks, "chapters/<notebook>/ and notebooks/<notebook>.ipynb belong together"


def test_notebooks_hold_no_outputs_and_no_functions(root):
    for path, place, cell in cells(root):
        source = "".join(cell["source"])
        where = f"{path}, cell {place}"
        assert not cell["outputs"] and cell["execution_count"] is None, f"{where} holds outputs; clear them"
        assert len(source.splitlines()) <= 25, f"{where} is longer than 25 lines"
        tags = set(cell["metadata"].get("tags", ()))
        assert tags & {"parameters", "hide-input", "remove-cell"}, f"{where} shows its code; tag it hide-input"
        assert not re.search(r"^\s*(def|class) |lambda", source, re.M), f"{where} defines something; it goes into its chapter"


def test_folders_can_be_taken_in_at_a_glance(root):
    for folder in {path.parent for path in code(root)}:
        modules = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
        assert len(modules) <= MOST_MODULES, f"{folder.relative_to(root)} has {len(modules)} modules; sort them by subject"


def test_modules_are_named_for_what_they_hold(root):
    for path in code(root):
        assert path.stem not in BARRED_NAMES, f"{path.relative_to(root)}: name a module for what it holds"
        assert not re.search(r"\d$", path.stem), f"{path.relative_to(root)}: a number says nothing"


def test_complexity_has_no_exception(root):
    for path in code(root):
        assert not re.search(r"noqa.*C901", path.read_text(encoding="utf-8")), f"{path.relative_to(root)}: simplify it"


def names_used(path):
    """Names and attributes that a module loads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(tree)
            if isinstance(node, ast.Attribute | ast.Name)}


def test_every_formula_is_used_by_more_than_its_tests(root):
    used = {path: names_used(path) for path in code(root)}
    for path in sorted((root / "tokenecon" / "formulas").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                assert any(node.name in names for names in used.values()), (
                    f"{path.relative_to(root)}: nothing calls {node.name}; use it, or delete it with its tests")


def test_a_million_tokens_are_priced_in_one_module(root):
    """formulas/money.py divides money by millions of tokens; everything else calls it, or converts by `units.convert`."""
    for path in code(root):
        if path.name in ("money.py", "units.py") and path.parent.name in ("formulas", "tokenecon"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", getattr(node, "id", ""))
            assert name != "TOKENS_PER_MTOK", f"{path.relative_to(root)}:{node.lineno} prices tokens; call formulas/money"
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
                million = any(isinstance(side, ast.Constant) and side.value in (1e6, 1e-6) for side in (node.left, node.right))
                assert not million, f"{path.relative_to(root)}:{node.lineno}: name the unit, `units.convert`"


def tracked(root):
    """What git has or would add."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [root / name for name in names if (root / name).is_file()]


def test_no_file_names_a_machine_or_a_registry(root):
    for path in tracked(root):
        if path.name == "test_architecture.py" or path.suffix in (".png", ".woff2", ".parquet"):
            continue
        found = MACHINE.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{path.relative_to(root)} says '{found.group()}', which holds on one machine only"


@pytest.mark.parametrize("folder", ["decision", "fleet", "formulas", "importers", "ownership", "prices", "serving", "simulation"])
def test_tests_lie_where_their_code_lies(root, folder):
    """tests/serving/test_sizing.py tests tokenecon/serving/sizing.py; the book's are under tests/book/."""
    modules = {path.stem for path in (root / "tokenecon" / folder).rglob("*.py")}
    general = {"docstrings", "micropython", "units", "api_prices"}  # of all formulas; of a table
    for path in (root / "tests" / folder).glob("test_*.py"):
        name = Path(path.stem.removeprefix("test_")).name
        assert name in modules | general, f"{path.relative_to(root)}: there is no tokenecon/{folder}/{name}.py"

"""The house rules that a machine can hold: which layer imports which, how long a module is, what no file says."""

import ast
import re
import subprocess

import pytest

# layer -> what of ours it may import, and what of others it may not
MAY = {
    "units": set(),
    "numerics": set(),
    "formulas": {"formulas", "units", "numerics"},
    "data": {"units"},
    "importers": {"importers", "formulas", "numerics", "units"},
    "analysis": {"analysis", "data", "formulas", "importers", "units"},
    "charts": {"charts", "units"},
}
NEVER = {
    "formulas": {"numpy", "pandas", "scipy", "typing", "dataclasses", "enum", "__future__"},
    "data": {"altair", "scipy"},
    "analysis": {"altair", "vl_convert"},
    "charts": {"scipy"},
}
BARRED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "archive"}
LONGEST = 300
# Addresses of package registries, home folders and mount points have no place in the repository.
MACHINE = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|/(?:home|root|work|Users)/\w|\.\./shared")


def imports(path):
    """Every module that a file imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "tokenecon":
            yield from (f"tokenecon.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def files(root, layer):
    """The files of a layer: a module, or the modules of a folder."""
    folder = root / "tokenecon"
    return sorted((folder / layer).rglob("*.py")) or [folder / f"{layer}.py"]


@pytest.mark.parametrize("layer", MAY)
def test_a_layer_imports_only_what_lies_below_it(root, layer):
    for path in files(root, layer):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "tokenecon" and len(parts) > 1 and not parts[1].startswith("__"):
                assert parts[1] in MAY[layer], (
                    f"{path.relative_to(root)} imports {name}; {layer} may import "
                    f"{', '.join(sorted(MAY[layer])) or 'nothing of ours'} (see CONTRIBUTING.md)"
                )
            assert parts[0] not in NEVER.get(layer, ()), f"{path.relative_to(root)}: {layer} must not import {name}"


def test_only_data_reads_the_data_folder(root):
    for layer in ("formulas", "analysis", "charts"):
        for path in files(root, layer):
            called = {
                getattr(node.func, "id", getattr(node.func, "attr", ""))
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Call)
            }
            reads = called & {"open", "read_csv", "read_text", "read_bytes", "load"}
            assert not reads, f"{path.relative_to(root)} reads a file; use data.py"


def test_notebooks_import_analysis_charts_and_parameters_alone(root):
    import json

    allowed = {"analysis", "charts", "parameters"}
    for path in sorted((root / "notebooks").rglob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                for name in re.findall(r"(?:from|import) tokenecon(?:\.(\w+)| import (\w+))", "".join(cell["source"])):
                    assert "".join(name) in allowed, f"{path.name} imports tokenecon.{''.join(name)}; allowed: {allowed}"


def tracked(root):
    """What git has or would add."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [root / name for name in names if (root / name).is_file()]


def test_modules_are_short_and_named_for_what_they_hold(root):
    for path in sorted((root / "tokenecon").rglob("*.py")):
        assert path.stem not in BARRED_NAMES, f"{path.relative_to(root)}: name a module for what it holds"
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines < LONGEST, f"{path.relative_to(root)} has {lines} lines; split it by question"


def test_no_file_names_a_machine_or_a_registry(root):
    for path in tracked(root):
        if path.name == "test_architecture.py" or path.suffix in (".png", ".woff2", ".parquet"):
            continue
        found = MACHINE.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{path.relative_to(root)} says '{found.group()}', which holds on one machine only"


def test_notebooks_hold_no_outputs_and_no_functions(root):
    import json

    for path in sorted((root / "notebooks").rglob("*.ipynb")):
        for place, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
            if cell["cell_type"] != "code":
                continue
            source = "".join(cell["source"])
            where = f"{path.relative_to(root)}, cell {place}"
            assert not cell["outputs"] and cell["execution_count"] is None, f"{where} holds outputs; clear them"
            assert len(source.splitlines()) <= 25, f"{where} is longer than 25 lines"
            tags = set(cell["metadata"].get("tags", ()))
            assert tags & {"parameters", "hide-input", "remove-cell"}, f"{where} shows its code; tag it hide-input"
            assert not re.search(r"^\s*(def|class) |lambda", source, re.M), f"{where} defines something; it goes in analysis/"

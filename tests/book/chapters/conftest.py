"""What the tests of several pages share."""

import ast
import json
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def declared(root):
    """The literals of the parameters cell of a case's notebook, by its name."""

    def read(name):
        cells = json.loads((root / "notebooks" / "cases" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        cell = next(one for one in cells if "parameters" in one["metadata"].get("tags", ()))
        return {line.targets[0].id: ast.literal_eval(line.value) for line in ast.parse("".join(cell["source"])).body}

    return read


@pytest.fixture(scope="session")
def case(declared):
    """A case page's parameters, with some of them changed."""
    return lambda name, **change: SimpleNamespace(**(declared(name) | change))

"""Reads every public formula and its docstring, and makes inputs for it from the units it states.

A test that asks for ``formula`` runs once for each formula of ``tokenecon/formulas``.
"""

import importlib
import inspect
import pathlib
import random
import re

import hypothesis
import pytest

import tokenecon.formulas

# The same cases every time, and no stopwatch: a busy machine is no mistake in a formula.
hypothesis.settings.register_profile("formulas", deadline=None, derandomize=True)
hypothesis.settings.load_profile("formulas")

FOLDER = pathlib.Path(tokenecon.formulas.__file__).parent

# From where to where inputs are drawn. Narrow enough for sums and differences to show every term.
RANGES = {
    "fraction": (0.05, 0.95),
    "ratio": (1.1, 9.0),
    "1": (0.1, 0.9),
    "count": (2, 40),
    "param": (1e9, 4e11),
    "position": (2, 9000),
    "sequence": (2, 200),
    "layer": (2, 120),
    "head": (2, 128),
    "expert": (2, 256),
    "request/s": (0.2, 90.0),
    "request/day": (1e3, 1e7),
    "GPU": (1, 16),
    "tok": (100, 9000),
    "tok_in": (100, 9000),
    "tok_out": (1, 3000),
    "tok/request": (20, 4000),
    "tok_in/request": (100, 9000),
    "tok_out/request": (10, 3000),
    "word/tok": (0.3, 0.9),
    "s": (1e-3, 20.0),
    "h": (0.01, 3.0),
    "yr": (0.5, 8.0),
    "1/h": (0.001, 0.3),
    "1/yr": (0.01, 0.6),
    "h/day": (10.0, 9e3),
    "s/tok_out": (0.005, 0.2),
    "tok/s": (50.0, 9e3),
    "tok_out/s": (50.0, 9e3),
    "tok/h": (2e3, 2e4),
    "tok/day": (1e6, 3e9),
    "tok_out/day": (1e6, 3e9),
    "B": (0.5, 4e11),
    "bit": (2, 32),
    "B/GPU": (2e10, 3e11),
    "B/param": (0.5, 4.0),
    "bit/param": (2.0, 32.0),
    "B/position": (1e4, 3e6),
    "B/sequence": (1e8, 5e9),
    "B/tok": (2.0, 8.0),
    "B/s": (1e10, 9e11),
    "B/s/GPU": (1e12, 8e12),
    "FLOP": (1.0, 4e14),
    "FLOP/s/GPU": (1e14, 5e15),
    "W/GPU": (200.0, 1400.0),
    "kW/GPU": (0.3, 2.5),
    "FLOP/s/W": (1e11, 9e12),
    "J/tok_out": (0.05, 40.0),
    "gCO2e/kWh": (20.0, 900.0),
    "kWh/Mtok_out": (0.05, 40.0),
    "USD": (1e2, 9e4),
    "USD/GPU": (5e3, 4e4),
    "USD/GPU/yr": (25.0, 2e3),
    "USD/h": (0.2, 90.0),
    "USD/day": (1e3, 3e6),
    "USD/yr": (1e6, 5e9),
    "USD/GPU/h": (0.5, 9.0),
    "USD/tok": (1e-6, 1e-3),
    "USD/word": (1e-6, 1e-3),
    "USD/Mtok": (0.1, 60.0),
    "USD/Mtok_in": (0.05, 10.0),
    "USD/Mtok_out": (0.2, 60.0),
    "USD/kWh": (0.03, 0.4),
    "USD/kW/month": (60.0, 300.0),
    "USD/GB": (0.01, 0.12),
}

# Where a range of its own is needed: loops run as often as these say, and a queue must not grow for ever.
ARGUMENT_RANGES = {
    "draft_tokens": (1, 9),
    "most_draft_tokens": (1, 15),
    "servers": (41, 90),
    "offered_load": (2.0, 40.0),
    "experts_per_token": (1, 2),
}
SEQUENCE_LENGTH = 3


class Argument:
    """One entry of a numpydoc list: its name, type, text and the unit in the bracket that ends it."""

    def __init__(self, name, kind, text):
        self.name, self.kind, self.text = name, kind, text
        bracket = re.search(r"\[([^\[\]]+)\]$", text)
        self.unit = bracket[1] if bracket else None

    @property
    def is_sequence(self):
        return self.kind.startswith("sequence of")

    @property
    def is_whole(self):
        return self.kind.removeprefix("sequence of ").startswith("int")


class Formula:
    """A public formula with what its docstring says of it."""

    def __init__(self, module, function):
        self.module, self.function, self.name = module, function, function.__name__
        self.label = module.__name__.rsplit(".", 1)[-1] + "." + self.name
        self.doc = inspect.cleandoc(function.__doc__ or "")
        parts = re.split(r"(?m)^(\w+)\n-+\n", self.doc)
        self.head = parts[0]
        self.sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        self.arguments = entries(self.sections.get("Parameters", ""))
        returns = re.match(r"(\S.*)\n((?:    .*\n?)+)", self.sections.get("Returns", ""))
        self.result = Argument("result", returns[1], one_line(returns[2])) if returns else None

    def without_range(self):
        """Units of the arguments that nobody can draw, because RANGES lacks them."""
        return {one.unit for one in self.arguments if one.name not in ARGUMENT_RANGES and one.unit not in RANGES}

    def inputs(self, seed):
        """Keyword arguments drawn from the units' ranges; the same seed gives the same."""
        draw = random.Random(f"{self.label} {seed}")

        def one(argument):
            if argument.name not in ARGUMENT_RANGES and argument.unit not in RANGES:
                raise KeyError(f"{self.label}: give '{argument.unit}' a range in tests/formulas/conftest.py")
            low, high = ARGUMENT_RANGES.get(argument.name) or RANGES[argument.unit]
            return draw.randint(int(low), int(high)) if argument.is_whole else draw.uniform(low, high)

        values = {}
        for argument in self.arguments:
            if argument.name == "node_parents":  # each hangs on an earlier node, or on the root
                values[argument.name] = [draw.randint(-1, place - 1) for place in range(SEQUENCE_LENGTH)]
            elif argument.is_sequence:
                values[argument.name] = [one(argument) for _ in range(SEQUENCE_LENGTH)]
            else:
                values[argument.name] = one(argument)
        return values


def one_line(text):
    return " ".join(text.split())


def entries(section):
    found = re.findall(r"(?m)^(\w+) : (.+)\n((?:    .*\n?)+)", section)
    return [Argument(name, kind, one_line(text)) for name, kind, text in found]


def read_modules():
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    return [importlib.import_module(f"tokenecon.formulas.{name}") for name in names]


MODULES = read_modules()
FORMULAS = [
    Formula(module, function)
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
]


def pytest_generate_tests(metafunc):
    if "formula" in metafunc.fixturenames:
        metafunc.parametrize("formula", FORMULAS, ids=lambda formula: formula.label)
    if "module" in metafunc.fixturenames:
        metafunc.parametrize("module", MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])


@pytest.fixture(scope="session")
def all_formulas():
    return FORMULAS


@pytest.fixture(scope="session")
def read_formula():
    """Makes a record of a function that is no formula of the package, to see the checks themselves fail."""
    return lambda function: Formula(inspect.getmodule(function), function)

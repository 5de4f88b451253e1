"""The file of a sweep: which cases it has, as values, lists, ranges, and lists that go side by side.

A grid is a row of *blocks*.  The columns of a block go side by side, the blocks with each other in every combination, the last
one fastest.  A list under ``cases`` is a block of its own, an entry of ``together`` one of several columns.  Nothing is spread
out before it is needed: a part is cut from the grid, and has its rows when it is computed.
"""

import math
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import numbers, yaml_file
from tokenecon.errors import BadInput, did_you_mean, quoted
from tokenecon.serving import checks

PER_PART = 50_000  # cases
MOST_PER_PART, MOST_CASES, MOST_VALUES = 1_000_000, 10**9, 10**7
SWITCHES = ("intervals", "percentiles")
OF_CASES = ("cases", "together", *SWITCHES, "cases_per_part")
OF_NOTEBOOKS = ("notebook", "parameters", "together")
STEPS = ("step", "factor", "count")
LOOK = "see `tokenecon sweep --help`"
SLACK = 1e-9  # of a step: so that 0.1, 0.2 … 0.3 has its end
LARGEST = 1e15  # of a number
DIGITS = 12  # of a value of a range: 0.1 + 0.2 is 0.3


class BadGrid(BadInput):
    """A grid that cannot be swept; the sentence names its file and field."""

    def __init__(self, where, rest):
        super().__init__(f"{where}: {rest}")


class Grid:
    """Blocks, dicts of columns to lists of one length."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.sizes = [len(next(iter(block.values()))) for block in blocks]

    def __len__(self):
        return math.prod(self.sizes)

    def cut(self, start, stop):
        """Cases ``start`` to ``stop`` as a grid with no more of the first block than they need, and their places in it.

        What it holds depends on those cases alone: a longer list in the first block leaves the parts before as they were.
        """
        each = math.prod(self.sizes[1:])
        first, last = start // each, (stop - 1) // each + 1
        cut = {name: values[first:last] for name, values in self.blocks[0].items()}
        return Grid([cut, *self.blocks[1:]]), start - first * each, stop - first * each

    def table(self, start, stop):
        """Cases ``start`` to ``stop`` as a DataFrame."""
        place, columns = np.arange(start, stop), {}
        for block, size in zip(reversed(self.blocks), reversed(self.sizes), strict=True):
            place, at = np.divmod(place, size)
            columns |= {name: _column(name, values)[at] for name, values in block.items()}
        return pd.DataFrame({name: columns[name] for name in self.names()}, copy=False)

    def names(self):
        """Columns in the order of the file."""
        return [name for block in self.blocks for name in block]

    def values(self, name):
        """The values that a column has, or none."""
        return next((block[name] for block in self.blocks if name in block), [])


def _column(name, values):
    """Values of a column: texts, whole numbers, or numbers of which blank ones are NaN."""
    if name in checks.NUMBERS:
        return np.array([np.nan if value is None else value for value in values])
    found = np.empty(len(values), dtype=object)
    found[:] = ["" if value is None else value for value in values]
    return found


def read(given):
    """A grid as it is given, checked: the path of a YAML file, the mapping in one, or a table of cases.

    Returns ``notebook`` (a name, or nothing where the cases are those of ``estimate``), ``grid``, ``options``, ``per_part``
    (cases), and ``where`` and ``folder`` of the file.
    """
    if isinstance(given, pd.DataFrame):
        if not given.columns.is_unique:
            raise BadGrid("table of cases", f"column '{given.columns[given.columns.duplicated()][0]}' stands twice")
        given = given.to_dict("list")
        return _checked({"together": [given]} if len(given) else {}, "table of cases", Path())
    if isinstance(given, list):
        if not given or not all(isinstance(one, dict) for one in given):
            raise BadGrid("table of cases", "it must be a list of dicts, one a case")
        return read(pd.DataFrame(given).astype(object).where(lambda frame: frame.notna(), None))
    if isinstance(given, dict):
        return _checked(given, "grid", Path())
    if not isinstance(given, str | os.PathLike):
        raise BadGrid("grid", f"it is a {type(given).__name__}; give the path of a YAML file, its mapping, or a table of cases")
    try:
        return _checked(yaml_file.mapping(given), f"grid '{given}'", Path(given).parent)
    except yaml_file.NotYaml as error:
        raise BadInput(f"grid '{given}' {error}; {LOOK}") from None


def _checked(given, where, folder):
    notebook = given.get("notebook")
    known = OF_NOTEBOOKS if "notebook" in given else OF_CASES
    for name in given:
        if name not in known:
            raise BadGrid(where, f"{quoted(name)} is not read{did_you_mean(name, known)}; allowed are {', '.join(known)}; {LOOK}")
    if "notebook" in given and not isinstance(notebook, str):
        raise BadGrid(where, f"notebook is {quoted(notebook)}, but must be a name of `tokenecon list notebooks`")
    grid = Grid(_blocks(given, where, notebook))
    if notebook is None:
        _check_columns(grid, where)
    if len(grid) > MOST_CASES:
        raise BadGrid(where, f"it has {len(grid):,} cases, but at most {MOST_CASES:,} are allowed; shorten a list")
    options = {name: given.get(name, name == "intervals") for name in SWITCHES}
    for name, value in options.items():
        if not isinstance(value, bool):
            raise BadGrid(where, f"{name} is {quoted(value)}, but must be true or false")
    per_part = given.get("cases_per_part", PER_PART)
    if not isinstance(per_part, int) or isinstance(per_part, bool) or not 1 <= per_part <= MOST_PER_PART:
        raise BadGrid(where, f"cases_per_part is {quoted(per_part)}, but must be a whole number from 1 to {MOST_PER_PART:,}")
    return SimpleNamespace(notebook=notebook, grid=grid, options=options if notebook is None else {}, where=where,
                           per_part=per_part if notebook is None else 1, folder=folder)


def _blocks(given, where, notebook):
    """The blocks of a mapping."""
    name = "cases" if notebook is None else "parameters"
    single, together = given.get(name) or {}, given.get("together") or []
    together = [together] if isinstance(together, dict) else together
    if not isinstance(single, dict) or not isinstance(together, list) or not all(isinstance(one, dict) for one in together):
        raise BadGrid(where, f"{name} must be lines like `isl: [500, 1000]`, and together a list of such lines; {LOOK}")
    blocks = [{column: _values(where, f"{name}.{column}", column, one)} for column, one in single.items()]
    for block in together:
        columns = {column: _values(where, f"together.{column}", column, one) for column, one in block.items()}
        sizes = {column: len(values) for column, values in columns.items()}
        if len(set(sizes.values())) > 1:
            raise BadGrid(where, "lists that go together must be of one length, but "
                          + " and ".join(f"{column} has {size}" for column, size in sizes.items()))
        blocks += [columns] if columns else []
    names = [column for block in blocks for column in block]
    if twice := [column for column in names if names.count(column) > 1]:
        raise BadGrid(where, f"{quoted(twice[0])} stands in {name} and in together; give it once")
    if not blocks:
        raise BadGrid(where, f"it has no {name}; {LOOK}")
    return blocks


def _values(where, field, name, given):
    """What one column has: a value, a list or a range, as a list."""
    found = (_range(where, field, given) if isinstance(given, dict) else
             list(given) if isinstance(given, list | tuple) else [given])
    if not found:
        raise BadGrid(where, f"{field} has no values; give at least one")
    return [_value(where, field, name, one) for one in found]


def _value(where, field, name, value):
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and value != value:
        value = None
    if isinstance(value, list | tuple | dict):
        raise BadGrid(where, f"{field} has {quoted(str(value))} among its values, but each must be one number or text")
    if name in checks.NUMBERS and value is not None:
        read = numbers.of_text(value.strip()) if isinstance(value, str) else value  # YAML reads 1e3 as a text
        if isinstance(read, bool) or not isinstance(read, int | float) or read != read or abs(read) > LARGEST:
            raise BadGrid(where, f"{field} has {quoted(value)} among its values, but must be {checks.allowed_text(name)}")
        return read
    if name in checks.WORDS and value is not None:
        return str(value)
    return value


def _range(where, field, given):
    """``{from: 500, to: 8000, step: 500}``, or with ``factor`` or ``count`` in place of ``step``; both ends are in it."""
    given = {name: numbers.of_text(one.strip()) if isinstance(one, str) else one for name, one in given.items()}
    steps = [name for name in STEPS if name in given]
    numeric = all(isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= LARGEST
                  for one in given.values())
    if len(steps) != 1 or set(given) != {"from", "to", *steps} or not numeric:
        raise BadGrid(where, f"{field} is no range; write numbers as in {{from: 500, to: 8000, step: 500}}, or with factor or "
                      "count in place of step")
    first, last, by = given["from"], given["to"], given[steps[0]]
    good = {"step": by > 0 and first <= last, "factor": by > 1 and 0 < first <= last, "count": by >= 2 and by == int(by)}
    if not good[steps[0]]:
        raise BadGrid(where, f"{field} has no such range: from {first:g} to {last:g} with {steps[0]} {by:g}; a step is above 0, "
                      "a factor above 1, a count a whole number from 2, and to is not below from")
    count = {"step": lambda: (last - first) / by + 1, "factor": lambda: math.log(last / first) / math.log(by) + 1,
             "count": lambda: by}[steps[0]]()
    if count > MOST_VALUES:
        raise BadGrid(where, f"{field} has more than {MOST_VALUES:,} values; take a larger {steps[0]}")
    each = range(int(count + SLACK))
    found = {"step": lambda: [first + place * by for place in each], "factor": lambda: [first * by**place for place in each],
             "count": lambda: [first + (last - first) * place / (by - 1) for place in each]}[steps[0]]()
    rounded = [float(f"{value:.{DIGITS}g}") for value in found]
    whole = all(isinstance(one, int) for one in (first, last)) and all(value == int(value) for value in rounded)
    return [int(value) for value in rounded] if whole else rounded


def _check_columns(grid, where):
    """Refuse columns that nobody reads: a grid has no notes to carry along."""
    names = grid.names()
    for name in names:
        if name not in checks.KNOWN:
            raise BadGrid(where, f"column {quoted(name)} is not known{did_you_mean(name, checks.KNOWN)}; columns are "
                          f"{', '.join(checks.KNOWN)}")
    if missing := [name for name in checks.REQUIRED if name not in names]:
        raise BadGrid(where, f"cases lack {', '.join(missing)}; needed are {', '.join(checks.REQUIRED)}")

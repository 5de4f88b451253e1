"""Elementary functions over floats and arrays: NumPy where it is, plain ``math`` where it is not.

The formulas import these instead of NumPy, so that one source runs on floats, on arrays and on
MicroPython in the reader's browser.

A row is what stands side by side, like the hours of a week: a list of floats, or an array whose last
axis it is.  Arithmetic on a row goes through :func:`each`.
"""

import math

CLOSE = 1e-13  # relative distance from a value at which the search for it ends
STEPS = 100  # of that search at most
MYPY = False
if MYPY:  # what a type checker reads, and nothing at run time: MicroPython has no typing
    from collections.abc import Callable, Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    Quantity = float | NDArray[np.float64]
    Quantities = Sequence[Quantity]
    Condition = bool | NDArray[np.bool_]
    Row = list[float] | NDArray[np.float64]
else:
    Quantity, Quantities, Condition = "float or ndarray", "sequence of float or ndarray", "bool or ndarray"
    Row = "list of float or ndarray"

try:
    import numpy as _np
except ImportError:  # MicroPython has none; the float branch below needs none
    _np = None  # type: ignore[assignment]


def _array(value: object) -> bool:
    return hasattr(value, "__array__")


def where(condition: Condition, yes: Quantity, no: Quantity) -> Quantity:
    """``yes`` where the condition holds, else ``no``."""
    if not _array(condition):  # one answer for all: nothing is copied
        chosen, other = (yes, no) if condition else (no, yes)
        if _array(chosen) or not _array(other):
            return chosen
    return _np.where(condition, yes, no)


def some(condition: Condition) -> bool:
    """Whether a condition holds anywhere."""
    return bool(_np.any(condition)) if _array(condition) else bool(condition)


def pick(table: Quantities, place: Quantity) -> Quantity:
    """The values of a list at places that are counted from 0."""
    return _np.asarray(table)[place] if _array(place) else table[int(place)]  # type: ignore[index]


def maximum(a: Quantity, b: Quantity) -> Quantity:
    """The larger of two values, element by element."""
    if _array(a) or _array(b):
        return _np.maximum(a, b)
    return a if a >= b else b


def minimum(a: Quantity, b: Quantity) -> Quantity:
    """The smaller of two values, element by element."""
    if _array(a) or _array(b):
        return _np.minimum(a, b)
    return a if a <= b else b


def exp(x: Quantity) -> Quantity:
    """Exponential."""
    return _np.exp(x) if _array(x) else math.exp(x)


def log(x: Quantity) -> Quantity:
    """Natural logarithm."""
    return _np.log(x) if _array(x) else math.log(x)


def sqrt(x: Quantity) -> Quantity:
    """Square root."""
    return _np.sqrt(x) if _array(x) else math.sqrt(x)


def ceil(x: Quantity) -> Quantity:
    """Smallest whole number that is not below x, as a float."""
    return _np.ceil(x) if _array(x) else float(math.ceil(x))


def floor(x: Quantity) -> Quantity:
    """Largest whole number that is not above x, as a float."""
    return _np.floor(x) if _array(x) else float(math.floor(x))


def maximum_of(x: "Quantity | Row") -> float:
    """The largest element of an array or of a list, or the number itself."""
    if isinstance(x, list):
        return float(max(x))
    return float(_np.max(x)) if _array(x) else float(x)


def each(function: "Callable[..., Any]", *rows: Row) -> "Any":
    """A function of the elements of rows that belong together: of arrays at once, of lists one after the other."""
    if _array(rows[0]):
        return function(*rows)
    return list(map(function, *rows))


def alike(values: "list[float]", row: Row) -> Row:
    """A list as an array if ``row`` is one."""
    return _np.asarray(values) if _array(row) else values


def size(row: Row) -> int:
    """Elements of a list, or of an array in all."""
    return int(_np.size(row)) if _array(row) else len(row)


def length(row: Row) -> int:
    """Elements of a list, or of each row of an array."""
    return int(row.shape[-1]) if _array(row) else len(row)  # type: ignore[union-attr]


def mean_of(row: Row) -> Quantity:
    """The mean of a row."""
    return row.mean(axis=-1) if _array(row) else sum(row) / len(row)  # type: ignore[union-attr]


def shifted(row: Row, ahead: int) -> Row:
    """A row that begins so many elements later and ends with those left out."""
    return _np.roll(row, -ahead, axis=-1) if _array(row) else row[ahead:] + row[:ahead]


def smallest(row: Row, place: int) -> Quantity:
    """The element at a place, counted from 0, of the row in ascending order; of an array its axis is kept."""
    return _np.partition(row, place, axis=-1)[..., place:place + 1] if _array(row) else sorted(row)[place]


def distinct(row: Row) -> "tuple[Row, Any]":
    """The different values in ascending order, and the places that :func:`pick` makes the row of again."""
    if _array(row):
        values, places = _np.unique(row, return_inverse=True)
        return values, places.reshape(_np.shape(row))
    found: list[float] = []
    place = [0] * len(row)
    for value, at in sorted(zip(row, range(len(row)))):  # noqa: B905  (MicroPython's zip takes no strict)
        if not found or value != found[-1]:
            found.append(value)  # no set, no dict: MicroPython tells floats with the same whole part apart slowly
        place[at] = len(found) - 1
    return found, place


def below(x: Quantity, row: Row) -> Quantity:
    """How many values of an ascending row lie below x."""
    if _array(x):
        return _np.searchsorted(row, x)  # type: ignore[return-value]
    low, high = 0, len(row)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if row[middle] < x else (low, middle)
    return low


def between(x: Quantity, at: Row, values: Row) -> Quantity:
    """The value at x on straight lines between points, ``at`` in ascending order; beyond the ends that of the end."""
    if _array(x):
        return _np.interp(x, at, values)
    right = int(below(x, at))
    if right in (0, len(at)):
        return values[max(right - 1, 0)]
    left = right - 1
    return values[left] + (values[right] - values[left]) * (x - at[left]) / (at[right] - at[left])


def reaching(function: "Callable[[float], float]", wanted: float, low: float, high: float) -> float:
    """Where a rising function takes a value between its ends: false position, halving where that is slow.  Floats alone.

    An end that stays twice counts for half, so that both come closer.
    """
    below, above = function(low) - wanted, function(high) - wanted
    if not below < 0 < above:
        return low if below >= 0 else high
    at, moved, width = high, 0, high - low
    for step in range(STEPS):
        at = low + (high - low) * below / (below - above)
        if (step % 3 == 2 and high - low > width / 4) or not low < at < high:
            at, moved = (low + high) / 2, 0
        width = high - low if step % 3 == 2 else width
        found = function(at) - wanted
        if abs(found) <= CLOSE * wanted or high - low <= CLOSE * high:
            break
        if found < 0:
            low, below, above = at, found, above / 2 if moved < 0 else above
            moved = -1
        else:
            high, above, below = at, found, below / 2 if moved > 0 else below
            moved = 1
    return at


if _np is None:  # nothing is an array: MicroPython spends a third of its time on asking
    def where(condition, yes, no):
        """``yes`` where the condition holds, else ``no``."""
        return yes if condition else no

    def some(condition):
        """Whether the condition holds."""
        return bool(condition)

    def pick(table, place):
        """The value of a list at a place."""
        return table[int(place)]

    def maximum(a, b):
        """The larger of two values."""
        return a if a >= b else b

    def minimum(a, b):
        """The smaller of two values."""
        return a if a <= b else b

    exp, log, sqrt = math.exp, math.log, math.sqrt

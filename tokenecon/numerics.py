"""Elementary functions over floats and arrays: NumPy where it is, plain ``math`` where it is not.

The formulas import these instead of NumPy, so that one source runs on floats, on arrays and on
MicroPython in the reader's browser.
"""

import math

MYPY = False
if MYPY:  # what a type checker reads, and nothing at run time: MicroPython has no typing
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Quantity = float | NDArray[np.float64]
    Quantities = Sequence[Quantity]
    Condition = bool | NDArray[np.bool_]
else:
    Quantity, Quantities, Condition = "float or ndarray", "sequence of float or ndarray", "bool or ndarray"

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


def maximum_of(x: Quantity) -> float:
    """The largest element of an array, or the number itself: the bound of a loop over arrays."""
    return float(_np.max(x)) if _array(x) else float(x)

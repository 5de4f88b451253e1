"""Elementary functions over floats and arrays: NumPy where it is, plain ``math`` where it is not.

The formulas import these instead of NumPy, so that one source runs on floats, on arrays and on
MicroPython in the reader's browser.
"""

import math

try:
    import numpy as _np
except ImportError:  # MicroPython has none; the float branch below needs none
    _np = None


def _array(*values):
    return _np is not None and any(hasattr(value, "__array__") for value in values)


def where(condition, yes, no):
    """``yes`` where the condition holds, else ``no``."""
    if _array(condition, yes, no):
        return _np.where(condition, yes, no)
    return yes if condition else no


def maximum(a, b):
    """The larger of two values, element by element."""
    if _array(a, b):
        return _np.maximum(a, b)
    return a if a >= b else b


def minimum(a, b):
    """The smaller of two values, element by element."""
    if _array(a, b):
        return _np.minimum(a, b)
    return a if a <= b else b


def exp(x):
    """Exponential."""
    return _np.exp(x) if _array(x) else math.exp(x)


def log(x):
    """Natural logarithm."""
    return _np.log(x) if _array(x) else math.log(x)


def sqrt(x):
    """Square root."""
    return _np.sqrt(x) if _array(x) else math.sqrt(x)


def ceil(x):
    """Smallest whole number that is not below x, as a float."""
    return _np.ceil(x) if _array(x) else float(math.ceil(x))


def floor(x):
    """Largest whole number that is not above x, as a float."""
    return _np.floor(x) if _array(x) else float(math.floor(x))


def maximum_of(x):
    """The largest element of an array, or the number itself: the bound of a loop over arrays."""
    return float(_np.max(x)) if _array(x) else float(x)

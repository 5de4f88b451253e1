"""80% intervals of what the model says of a run that nobody fitted.

Three parts, as logarithms, add up by their squares: what sources differ by, the spread within a source, and what each thing
that nobody measured adds. All are measured on predictions that never saw the family of the source.
"""

from tokenecon.numerics import exp, pick, sqrt, where

QUANTITIES = ("rate", "ttft", "tpot")
LOADS = ("closed_loop", "offline", "static")
KINDS = ("dense", "routed")
MAKERS = ("nvidia", "amd", "gaudi")  # of other accelerators nothing was measured: they count as the first, and as new
# What may be new, and the power of two that stands for it: an accelerator, a number format on it, a kind of architecture, and a
# load or an option of it.
NEW = {"gpu": 1, "arithmetic": 2, "architecture": 4, "load": 8}
MAKER_OF_FAMILY = (0, 1, 2, 0, 0, 1)  # of coefficients.FAMILIES
SOURCE, WITHIN, ADDED = "interval.source", "interval.within", "interval.new"


def name(*words):
    """Id of a row of ``data/calibration.csv``."""
    return ".".join(words)


def cells():
    """Load, kind and maker of every cell, in the order of :func:`ratios`."""
    return [(load, kind, maker) for load in LOADS for kind in KINDS for maker in MAKERS]


def ratios(widths, quantity, load, routed, family, new):
    """Low and high factor on a prediction: places in :data:`LOADS` and FAMILIES, whether experts are routed, what is :data:`NEW`.

    ``widths`` has for each quantity the squares of its parts: of the source, below and above within one by cell, and of what is
    new in the order of :data:`NEW`.
    """
    source, low, high, added = widths[quantity]
    cell = (load * len(KINDS) + (routed > 0)) * len(MAKERS) + pick(MAKER_OF_FAMILY, family)
    rest = source + 0.0 * load
    for place, more in enumerate(added):
        rest = rest + where((new // 2**place) % 2 == 1, more, 0.0)
    return exp(-sqrt(rest + pick(low, cell))), exp(sqrt(rest + pick(high, cell)))

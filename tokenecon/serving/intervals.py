"""80 % intervals: quantiles of measured over predicted, where the prediction never saw the campaign."""

from tokenecon.numerics import exp, maximum, minimum, pick, where

QUANTITIES = ("rate", "ttft", "tpot")
LOADS = ("closed_loop", "offline", "static")
KINDS = ("dense", "routed")
# The log-width of an interval grows by this where nothing alike was measured.
UNMEASURED = 1.5


def name(quantity, load, kind):
    """Id of an interval in ``data/calibration.csv``."""
    return ".".join(("interval", quantity, load, kind))


def ratios(widths, quantity, load, routed, calibrated):
    """Low and high factor on a prediction, for loads (places in :data:`LOADS`), routed (0 or 1) and calibrated.

    ``widths`` has for each quantity the logarithms of both factors, as lists by load and kind, the kind running fastest.
    """
    cell = load * len(KINDS) + (routed > 0)
    low, high = widths[quantity]
    grow = where(calibrated, 1.0, UNMEASURED)
    # the estimate itself always lies inside
    return exp(minimum(pick(low, cell), 0.0) * grow), exp(maximum(pick(high, cell), 0.0) * grow)

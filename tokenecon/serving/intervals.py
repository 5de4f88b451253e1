"""80 % intervals: quantiles of measured over predicted, where the prediction never saw the campaign."""

import numpy as np

from tokenecon import data
from tokenecon.queries import remembered

QUANTITIES = ("rate", "ttft", "tpot")
LOADS = ("closed_loop", "offline", "static")
KINDS = ("dense", "routed")
# The log-width of an interval grows by this where nothing alike was measured.
UNMEASURED = 1.5


def name(quantity, load, kind):
    """Id of an interval in ``data/calibration.csv``."""
    return f"interval.{quantity}.{load}.{kind}"


@remembered
def fitted():
    """Low and high ratio by quantity: arrays indexed by load and kind."""
    table = data.rows("calibration", {"kind": "interval"}).set_index("id")
    found = {}
    for quantity in QUANTITIES:
        ids = [[name(quantity, load, kind) for kind in KINDS] for load in LOADS]
        found[quantity] = tuple(np.log([[float(table.loc[one, end]) for one in row] for row in ids])
                                for end in ("low", "high"))
    return found


def ratios(widths, quantity, load, routed, calibrated):
    """Low and high factor on a prediction, for arrays of loads, of routed (0 or 1) and of calibrated."""
    kind = (routed > 0).astype(np.intp)
    low, high = (table[load, kind] for table in widths[quantity])
    grow = np.where(calibrated, 1.0, UNMEASURED)
    # the estimate itself always lies inside
    return np.exp(np.minimum(low, 0.0) * grow), np.exp(np.maximum(high, 0.0) * grow)

"""``make calibrate``: fit the coefficients and write data/calibration.csv and data/held_out.csv.

``--check`` writes nothing, and exits 1 where a number is not that of its file.
"""

import sys

import numpy as np
import pandas as pd

from tokenecon import data, files
from tokenecon.serving import intervals
from tokenecon.serving.calibration import held_out, measured
from tokenecon.serving.calibration.fit import coefficient_rows, fit

MOVED = 0.02  # relative difference that machines and library versions may make


def interval_rows(residuals, level):
    """Table of intervals: the median of measured over predicted, and the ends that hold 80 %."""
    out = []
    for quantity in intervals.QUANTITIES:
        for load in intervals.LOADS:
            for kind in intervals.KINDS:
                own = held_out.cell(residuals, quantity, load, kind)
                low, high = np.exp(held_out.quantiles(own, level))
                out.append({
                    "id": intervals.name(quantity, load, kind), "kind": "interval",
                    "value": float(np.exp(own["residual"].median())), "unit": "ratio", "low": float(low),
                    "high": float(high), "prior": None, "rows": len(own),
                    "note": f"measured over predicted without its campaign; central {level:.0%} of the residuals, "
                            "which holds 80 % of a campaign left out",
                })  # fmt: skip
    return out


def calibrated():
    """Both generated tables: the calibration, and the held-out predictions."""
    rows = measured.table()
    values, found = fit(rows, measured.to_case(rows))
    table = pd.DataFrame({"id": rows["id"]})
    for by in held_out.LEFT_OUT:
        print(f"leaving out each {by}", file=sys.stderr)
        left, fits = held_out.predictions(by, start=values)
        table[f"without_{by}"] = left["predicted"]
        if by == "campaign":
            residuals = held_out.residuals(left)
            level = held_out.nominal(residuals)
            out = coefficient_rows(rows, values, found, fits) + interval_rows(residuals, level)
    return pd.DataFrame(out), table


def rounded_csv(frame, digits):
    """CSV text with so many significant digits: what decides whether a file changed."""
    shown = frame.copy()
    for name in shown.select_dtypes("float"):
        shown[name] = [float(f"%.{digits}g" % value) if value == value else value for value in shown[name]]
    return shown.to_csv(index=False, lineterminator="\n")


def differing(name, now):
    """Ids of a generated table whose numbers are not those of the committed file, within what machines may differ."""
    stated = data.table(name).set_index("id")
    now = now.set_index("id")
    if list(now.index) != list(stated.index):
        return sorted(set(now.index) ^ set(stated.index)) or ["the order of its rows"]
    numeric = [column for column in now.select_dtypes("number") if column != "rows"]
    apart = ~np.isclose(now[numeric].astype(float), stated[numeric].astype(float), rtol=MOVED, atol=0, equal_nan=True)
    return list(now.index[apart.any(axis=1)])


def main(arguments):
    """Write both files; with ``--check`` write nothing, and exit 1 where a number is not that of its file."""
    wrong = {}
    for name, frame in zip(("calibration", "held_out"), calibrated(), strict=True):
        if "--check" in arguments:
            wrong |= {name: moved} if (moved := differing(name, frame)) else {}
        else:
            with files.replaced(data.ROOT / f"{name}.csv") as file:
                file.write(rounded_csv(frame, 4))
    for name, moved in wrong.items():
        print(f"error: data/{name}.csv is not what the measurements give ({len(moved)} rows, first {', '.join(moved[:5])}); "
              "run `make calibrate`", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

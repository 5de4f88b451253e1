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


def interval_rows(spread, added):
    """Table of the parts of the intervals, each as the ratio it stands for alone."""
    out, effects, rest = [], held_out.sources(spread), held_out.within(spread)

    def add(words, value, low, high, rows, note):
        out.append({"id": intervals.name(*words), "kind": "interval", "value": value, "unit": "ratio",
                    "low": float(np.exp(low)), "high": float(np.exp(high)), "prior": None, "rows": rows, "note": note})

    for quantity in intervals.QUANTITIES:
        own = effects[effects["quantity"] == quantity]
        half, families = held_out.of_source(own), own["family"].nunique()
        add((intervals.SOURCE, quantity), float(np.exp(own["median"].median())), -half, half, families,
            f"by which a source that nobody fitted differs: 80% by Student's t for {families} families")
    for quantity in intervals.QUANTITIES:
        for one in intervals.cells():
            cell = held_out.cell(rest, quantity, *one)
            low, high = held_out.ends(cell)
            add((intervals.WITHIN, quantity, *one), 1.0, min(low, 0.0), max(high, 0.0), len(cell),
                "measured over predicted without its family, around the effect of that family; central 80%")
    for quantity in intervals.QUANTITIES:
        for one, square in zip(intervals.NEW, added[quantity], strict=True):
            half = float(np.sqrt(square))
            add((intervals.ADDED, quantity, one), 1.0, -half, half, int((spread["quantity"] == quantity).sum()),
                f"by which misses are larger with each {held_out.ADDED_BY[one]} left out of the fit than with none")
    return out


def calibrated():
    """Both generated tables: the calibration, and the held-out predictions."""
    rows = held_out.table()
    case = measured.to_case(rows)
    values, found = fit(rows, case)
    table = pd.DataFrame({"id": rows["id"], "fitted": measured.predicted(rows, case, values)})
    left, fits = {}, {}
    for by in held_out.LEFT_OUT:
        print(f"leaving out each {by}", file=sys.stderr)
        predicted, fits[by] = held_out.predictions(by, start=values)
        table[f"without_{by}"], left[by] = predicted["predicted"], held_out.residuals(predicted)
    added = held_out.growth(held_out.residuals(rows.assign(predicted=table["fitted"])), left)
    out = coefficient_rows(rows, values, found, fits["family"]) + interval_rows(left["family"], added)
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

"""Room for the cache: each reading beside the model, and the same with its whole source left out of the fit of the constants.

The constants of ``tokenecon/serving/coefficients.py`` are rounded from what the sources state part by part; here they are
searched anew on the totals, without one source at a time, to see how much any of them decides.
"""

import pathlib

import numpy as np
import pandas as pd

from tokenecon.serving import coefficients
from tokenecon.serving.room import readings
from tokenecon.units import factor

CONFIGS = pathlib.Path(__file__).parent.parent / "tests" / "serving" / "room" / "configs"
GIB = factor("GiB")
# name: values that are tried
GRID = {"copies_2025": np.arange(8.0, 11.1, 0.25), "copies_2026": np.arange(2.5, 6.1, 0.25), "context": np.arange(0.0, 0.81, 0.1),
        "context_linked": np.arange(0.5, 3.6, 0.25), "graphs": np.arange(0.0, 2.1, 0.25)}
START = {"copies_2025": 9.5, "copies_2026": 3.7, "context": 0.19, "context_linked": 2.1, "graphs": 1.0}
ROUNDS = 2


def applied(constants):
    """Let the model of memory compute with these constants."""
    old, new = constants["copies_2025"], constants["copies_2026"]
    coefficients.LOGIT_COPIES = ((old * new) ** 0.5, old, old, new)
    coefficients.CONTEXT_BYTES = constants["context"] * GIB
    coefficients.CONTEXT_BYTES_LINKED = constants["context_linked"] * GIB
    coefficients.GRAPH_BYTES = (0.0, 0.0, 0.0, constants["graphs"] * GIB)


def errors(rows, configs, constants):
    """Predicted over measured less one of some readings, with these constants."""
    applied(constants)
    return np.array([readings.predicted(row, configs) / row["value"] - 1 for row in rows])


def fitted(rows, configs):
    """Constants with the least sum of absolute errors, one after the other."""
    best = dict(START)
    for _ in range(ROUNDS):
        for name, values in GRID.items():
            sums = [np.abs(errors(rows, configs, best | {name: value})).sum() for value in values]
            best[name] = float(values[int(np.argmin(sums))])
    return best


def main():
    """Print each reading with its errors, the constants without each source, and the scores."""
    configs = {path.stem: path for path in CONFIGS.glob("*.json")}
    table = readings.table(configs)
    sized = table[table["metric"] != "starts"].copy()
    records = sized.to_dict("records")
    sized["unknown_release"] = errors([row | {"release": "any"} for row in records], configs, START)
    sized["left_out"], found = np.nan, {}
    for source, own in sized.groupby("source", sort=False):
        found[source] = fitted([row for row in records if row["source"] != source], configs)
        sized.loc[own.index, "left_out"] = errors(own.to_dict("records"), configs, found[source])
    applied(START)
    print(sized[["id", "value", "predicted", "error", "left_out", "unknown_release"]].round(3).to_string(index=False))
    print(pd.DataFrame(found).T.to_string())
    for name in ("error", "left_out", "unknown_release"):
        print(name, {limit: round(float((sized[name].abs() <= limit).mean()), 3) for limit, _ in readings.TOLERANCES})
    print("would start and does not:", readings.scores(table)["starts"] or "none")


if __name__ == "__main__":
    main()

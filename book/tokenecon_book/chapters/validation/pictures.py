"""Tables of the figures that hold the model against measurements."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, finding, named
from tokenecon.serving.calibration import held_out
from tokenecon_book.chapters.validation.validation import JUDGED, by_group, covered, judged
from tokenecon_book.documents.words import percent

COEFFICIENT_COLUMNS = {"id": ("Coefficient", None), "value": ("Value", None), "unit": ("Unit", None),
                       "prior": ("Started from", None), "rows": ("Measurements", None), "held": ("Held", None),
                       "note": ("What it is", None)}
INTEGERS = "INT4, INT8"  # one colour for both, so that there are enough
POINT = ["loaded", "gpu", "model", "weights", "parallelism", "family"]


@finding
def chosen(case, found):
    """The cases that a page shows, on the accelerators and the model asked for."""
    cases = found.table
    if case.model != "all":
        known = sorted(cases["model"].unique())
        if case.model not in known:
            raise BadInput(f"parameter 'model' is '{case.model}', which no measurement is of; allowed are all, "
                           f"{', '.join(known)}")
        cases = cases[cases["model"] == case.model]
    cases = cases[cases["gpu"].isin(case.gpus)]
    if cases.empty:
        raise BadInput("parameters 'gpus' and 'model' leave no measurement; see data/measurements.csv")
    return Finding(cases.reset_index(drop=True), units={"ratio": "ratio", "width": "ratio", "residual": "1"})


@finding
def points(found):
    """Predicted and measured throughput, one point a layout: the geometric mean over its lengths and clients."""
    cases = found.table
    own = cases[cases["quantity"] == "rate"]
    logs = own.assign(measured=np.log(own["value"]), said=np.log(own["predicted"]))
    table = logs.groupby(POINT)[["measured", "said"]].agg("mean").reset_index()
    table["form"] = table["weights"].str.upper().replace({"INT4": INTEGERS, "INT8": INTEGERS})
    table["cases"] = logs.groupby(POINT).size().to_numpy()
    table["measured_tok_s"], table["predicted_tok_s"] = np.exp(table["measured"]), np.exp(table["said"])
    near = named("throughput-near", (own["residual"].abs() < np.log(1.25)).mean(), percent, cases=len(own))
    return Finding(
        table[[*POINT, "form", "cases", "measured_tok_s", "predicted_tok_s"]],
        f"{near} of measured throughputs lie within a quarter of a prediction made without them",
        "A point is one model on one layout of one family of sources, the geometric mean over lengths and clients.",
        units={"measured_tok_s": "tok/s", "predicted_tok_s": "tok/s", "cases": "count"})


@finding
def spread(found):
    """Predicted over measured by accelerator, throughput and time per token: the median, and the decile at each end."""
    cases = found.table
    by = cases[cases["quantity"] != "ttft"].groupby(["what", "accelerator"])["ratio"]
    table = by.quantile([0.1, 0.5, 0.9]).unstack().reset_index()
    table.columns = ["what", "accelerator", "ratio_low", "ratio", "ratio_high"]
    table["cases"] = by.size().to_numpy()
    table = table[table["cases"] >= held_out.SMALL].reset_index(drop=True)
    table["label"] = table["accelerator"] + ", " + table["what"]
    low, high = table["ratio"].min(), table["ratio"].max()
    least, most = (named("predicted-over-measured", end, "{:.2f}".format, gpus=len(table), end=word)
                   for end, word in ((low, "lowest"), (high, "highest"))) if len(table) else ("", "")
    said = (f"By accelerator, the typical prediction is {least if least == most else f'{least} to {most}'} times the measurement"
            if len(table) else "No accelerator asked for has enough measured cases to say how far off they are")
    return Finding(table, said,
                   "Bars: from the tenth to the ninetieth percentile of the cases. A throughput right of 1 is too optimistic, a "
                   "time right of 1 too pessimistic.", units={"ratio": "ratio", "cases": "count"})


@finding
def coverage(found):
    """Share of the cases inside their interval, by quantity, load and vendor."""
    cases = found.table
    table = by_group(cases, ["what", "loaded", "vendor"])
    table = table[table["cases"] >= held_out.SMALL]
    total = judged(cases)
    table["label"] = [f"{one.what}, {one.loaded}, {one.vendor}" for one in table.itertuples()]
    table = pd.concat([table, pd.DataFrame([dict(total, label="all cases", what="all")])], ignore_index=True)
    return Finding(table, f"{covered(cases)} of cases lie inside their intervals, which are to hold four of five",
                   "Every interval was made without the family it is tried on. Bars, where fewer than three families measured "
                   "and published more than one source: the share if they had published others like these (80%).", units=JUDGED)


def coefficient_table():
    """The fitted coefficients with interval, prior, rows and trade-offs; how tightly the data hold each."""
    table = data.rows("calibration", {"kind": "coefficient"}).reset_index(drop=True)
    width = np.log(table["high"] / table["low"]) / 2
    table["held"] = np.select([width < 0.1, width < 0.25], ["tightly", "well"], "loosely")
    return table[["id", "value", "unit", "low", "high", "prior", "rows", "held", "note"]]


@finding
def coefficients():
    """Fitted value of each coefficient over the value it started from, with its interval."""
    table = coefficient_table()
    for name in ("low", "high"):
        table[f"over_prior_{name}"] = table[name] / table["prior"]
    table["over_prior"] = table["value"] / table["prior"]
    tight, loose = (named("coefficients-held", (table["held"] == how).sum(), str, how=how) for how in ("tightly", "loosely"))
    whole = named("coefficients", len(table), str)
    return Finding(table, f"The measurements fix {tight} of {whole} coefficients to within a tenth, {loose} only loosely",
                   "Bars: 80% intervals from leaving out one family of sources at a time.")

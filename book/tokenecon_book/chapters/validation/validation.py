"""Predicted against measured: errors by group, coverage of the intervals, worst cases, noise floor, coefficients.

Every prediction here comes from coefficients that never saw the campaign of the measurement.
"""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, finding
from tokenecon.serving import intervals, lookups
from tokenecon.serving.calibration import held_out

TUNED = "tensorrt-llm"  # engines whose offline tables are tuned by their maker


@finding
def compared(by="campaign"):
    """Measurements with prediction, interval, error and what they can be filtered by."""
    rows = held_out.stored(by)
    rows["error"] = rows["predicted"] / rows["value"] - 1
    rows["log_error"] = np.log(rows["predicted"] / rows["value"])
    rows["load"] = rows["workload"].map(held_out.WORKLOADS)
    models = data.rows("models", {"id": sorted(rows["model"].unique())}, want="id experts")
    rows["kind"] = rows["model"].map({one.id: intervals.KINDS[one.experts > 0] for one in models.itertuples()})
    rows["maker"] = rows["engine"].str.split(" ").str[0]
    low, high = _interval(rows)
    rows["predicted_low"], rows["predicted_high"] = rows["predicted"] * low, rows["predicted"] * high
    return Finding(rows, units={"error": "fraction", "log_error": "ratio"})


def _interval(rows):
    quantity = rows["metric"].map({"output_tok_s": "rate", "total_tok_s": "rate", "e2e_ms": "rate", "ttft_ms": "ttft",
                                   "tpot_ms": "tpot"})
    load = rows["load"].map({name: place for place, name in enumerate(intervals.LOADS)}).to_numpy()
    routed = (rows["kind"] == "routed").to_numpy(dtype=float)
    low, high = np.ones(len(rows)), np.ones(len(rows))
    for name in intervals.QUANTITIES:
        own = (quantity == name).to_numpy()
        low[own], high[own] = intervals.ratios(lookups.widths(), name, load[own], routed[own], np.ones(own.sum()))
    inverse = (rows["metric"] == "e2e_ms").to_numpy()
    return np.where(inverse, 1 / high, low), np.where(inverse, 1 / low, high)


@finding
def errors(found, by):
    """Median error, its sign, its ninth decile and the share within a factor of two, by group."""
    def group(own):
        absolute = own["log_error"].abs()
        return pd.Series({
            "rows": len(own), "median_error": np.expm1(absolute.median()),
            "signed_error": np.expm1(own["log_error"].median()), "ninth_decile": np.expm1(absolute.quantile(0.9)),
            "within_twofold": (absolute < np.log(2)).mean(),
        })  # fmt: skip

    return Finding(found.table.groupby(by, sort=True)[["log_error"]].apply(group).reset_index(),
                   units=dict.fromkeys(("median_error", "signed_error", "ninth_decile", "within_twofold"), "fraction"))


def rank_correlation(rows):
    """Spearman's rank correlation of predicted and measured."""
    return float(rows[["predicted", "value"]].corr("spearman").iloc[0, 1])


@finding
def targets(found):
    """What the model must reach, and what it does where each campaign is left out."""
    rows = found.table
    offline = rows[(rows["load"] == "offline") & (rows["maker"] == TUNED)]
    loop, static = rows[rows["load"] == "closed_loop"], rows[rows["load"] == "static"]
    tpot, ttft = loop[loop["metric"] == "tpot_ms"], loop[loop["metric"] == "ttft_ms"]
    first = static[static["metric"] == "ttft_ms"]
    spread = held_out.residuals(rows)
    inside = held_out.coverage(spread, held_out.nominal(spread))["inside"].mean()

    def middle(own):
        return float(np.expm1(own["log_error"].abs().median()))

    lines = (
        ("offline throughput, tuned engines: median error", len(offline), middle(offline), "at most", 0.12),
        ("offline throughput, tuned engines: signed error", len(offline),
         float(abs(np.expm1(offline["log_error"].median()))), "at most", 0.05),
        ("offline throughput, tuned engines: rank correlation", len(offline), rank_correlation(offline), "at least",
         0.98),
        ("time per token in a closed loop: median error", len(tpot), middle(tpot), "at most", 0.15),
        ("time to first token of a static batch: median error", len(first), middle(first), "at most", 0.15),
        ("time to first token in a closed loop: share within a factor of two", len(ttft),
         float((ttft["log_error"].abs() < np.log(2)).mean()), "at least", 0.80),
        ("80 % intervals: share of measurements inside, at least", len(spread), float(inside), "at least", 0.75),
        ("80 % intervals: share of measurements inside, at most", len(spread), float(inside), "at most", 0.85),
    )  # fmt: skip
    out = pd.DataFrame(lines, columns=["quantity", "rows", "reached", "bound", "target"])
    out["met"] = np.where(out["bound"] == "at most", out["reached"] <= out["target"], out["reached"] >= out["target"])
    return Finding(out, units={"reached": "fraction", "target": "fraction"})


@finding
def covered(found):
    """Share of measurements inside intervals that were made without their campaign, by quantity, load and kind."""
    spread = held_out.residuals(found.table)
    table = held_out.coverage(spread, held_out.nominal(spread))
    out = table.groupby(["quantity", "load", "kind"])["inside"].agg(rows="size", inside="mean").reset_index()
    total = {"quantity": "all", "load": "all", "kind": "all", "rows": len(table), "inside": table["inside"].mean()}
    return Finding(pd.concat([out, pd.DataFrame([total])], ignore_index=True), units={"inside": "fraction"})


@finding
def noise_floor(found):
    """How much two published measurements of one engine in the same configuration differ, which no model can beat."""
    keys = ["maker", "model", "gpu", "weights", "parallelism", "isl", "osl", "concurrency", "metric"]
    rows = found.table
    pairs = rows.assign(concurrency=rows["concurrency"].fillna(-1)).groupby([*keys, "campaign"])["value"].median()
    pairs = pairs.reset_index()
    both = pairs.merge(pairs, on=keys)
    both = both[both["campaign_x"] < both["campaign_y"]]
    both["difference"] = np.expm1(np.abs(np.log(both["value_x"] / both["value_y"])))
    table = both.groupby(["campaign_x", "campaign_y", "metric"])["difference"].agg(rows="size", median="median")
    return Finding(table[table["rows"] >= 5].reset_index(), units={"median": "fraction"})


def coefficient_table():
    """The fitted coefficients with interval, prior, rows and trade-offs; how tightly the data hold each."""
    table = data.rows("calibration", {"kind": "coefficient"}).reset_index(drop=True)
    width = np.log(table["high"] / table["low"]) / 2
    table["held"] = np.select([width < 0.1, width < 0.25], ["tightly", "well"], "loosely")
    return table[["id", "value", "unit", "low", "high", "prior", "rows", "held", "note"]]


# Columns of the tables on the page: name -> (heading, unit).
GOAL_COLUMNS = {"quantity": ("Quantity", None), "rows": ("Measurements", None), "reached": ("Reached", "fraction"),
                "bound": ("Must be", None), "target": ("Target", "fraction")}
ERROR_COLUMNS = {"load": ("Load", None), "metric": ("Quantity", None), "rows": ("Measurements", None),
                 "median_error": ("Median error", "fraction"), "signed_error": ("Its sign", "fraction"),
                 "ninth_decile": ("Nine in ten below", "fraction")}
FLOOR_COLUMNS = {"campaign_x": ("Campaign", None), "campaign_y": ("And", None), "metric": ("Quantity", None),
                 "rows": ("Pairs", None), "median": ("Median difference", "fraction")}
COEFFICIENT_COLUMNS = {"id": ("Coefficient", None), "value": ("Value", None), "unit": ("Unit", None),
                       "prior": ("Started from", None), "rows": ("Measurements", None), "held": ("Held", None),
                       "note": ("What it is", None)}
METRICS = {"output_tok_s": "rate", "total_tok_s": "rate", "e2e_ms": "time of a batch", "ttft_ms": "time to first token",
           "tpot_ms": "time per token"}
POINT = ["metric", "load", "gpu", "model", "weights", "parallelism", "campaign"]


@finding
def chosen(case):
    """The comparison that a page shows: left out as asked, on the accelerators and the model asked for."""
    rows = compared(case.left_out).table
    if case.model != "all":
        known = sorted(rows["model"].unique())
        if case.model not in known:
            raise BadInput(f"parameter 'model' is '{case.model}', which no measurement is of; allowed are all, "
                           f"{', '.join(known)}")
        rows = rows[rows["model"] == case.model]
    rows = rows[rows["gpu"].isin(case.gpus)]
    if rows.empty:
        raise ValueError("parameters 'gpus' and 'model' leave no measurement; see data/measurements.csv")
    return Finding(rows.reset_index(drop=True), units={"error": "fraction", "log_error": "ratio"})


@finding
def points(found):
    """Predicted and measured throughput, one point a configuration: the geometric mean over its lengths."""
    rows = found.table
    own = rows[rows["metric"].isin(("output_tok_s", "total_tok_s"))]
    logs = own.assign(measured=np.log(own["value"]), said=np.log(own["predicted"]))
    table = logs.groupby(POINT)[["measured", "said", "log_error"]].agg("mean").reset_index()
    table["runs"] = logs.groupby(POINT).size().to_numpy()
    table["measured_tok_s"], table["predicted_tok_s"] = np.exp(table["measured"]), np.exp(table["said"])
    table["error"] = np.expm1(table["log_error"])
    table = table[["gpu", "model", "weights", "parallelism", "campaign", "runs", "measured_tok_s", "predicted_tok_s",
                   "error"]]
    near = (own["log_error"].abs() < np.log(1.25)).mean()
    return Finding(
        table, f"{near:.0%} of {len(own):,} measured rates lie within a quarter of what the model says of them unseen",
        "A point is one configuration, the geometric mean over prompt and answer lengths.",
        units={"measured_tok_s": "tok/s", "predicted_tok_s": "tok/s", "error": "fraction"})


@finding
def spread(found, by, keep=5):
    """Predicted over measured by group: the median, and the decile at each end."""
    rows = found.table
    own = rows.assign(quantity=rows["metric"].map(METRICS), ratio=np.exp(rows["log_error"]))
    groups = own.groupby([by, "quantity"])["ratio"]
    table = groups.quantile([0.1, 0.5, 0.9]).unstack().reset_index()
    table.columns = [by, "quantity", "ratio_low", "ratio", "ratio_high"]
    table["rows"] = groups.size().to_numpy()
    table = table[table["rows"] >= keep].reset_index(drop=True)
    table["label"] = table[by] + ", " + table["quantity"]
    low, high = table["ratio"].min(), table["ratio"].max()
    return Finding(table, f"By group, the typical prediction is {low:.2f} to {high:.2f} times the measurement",
                   "Bars: from the tenth to the ninetieth percentile of the measurements. 1 is a hit.")


@finding
def coverage_figure(found):
    """Share of the measurements inside their interval, by quantity, load and kind of model."""
    table = covered(found).table
    table = table[table["rows"] >= held_out.FEW].reset_index(drop=True)
    table["label"] = [" ".join(dict.fromkeys((one.load.replace("_", " "), {"rate": "rate", "ttft": "first token",
                      "tpot": "per token", "all": "all"}[one.quantity], one.kind))) for one in table.itertuples()]
    whole = table.loc[table["quantity"] == "all", "inside"].iloc[0]
    return Finding(table, f"{whole:.0%} of the measurements lie inside their 80 % interval",
                   "Every interval was made without the campaign it is tried on.", units={"inside": "fraction"})


@finding
def coefficient_figure():
    """Fitted value of each coefficient over the value it started from, with its interval."""
    table = coefficient_table()
    for name in ("low", "high"):
        table[f"over_prior_{name}"] = table[name] / table["prior"]
    table["over_prior"] = table["value"] / table["prior"]
    tight = (table["held"] == "tightly").sum()
    loose = table.loc[table["held"] == "loosely", "id"]
    return Finding(table, f"{tight} of {len(table)} coefficients are held within a tenth; {len(loose)} only loosely",
                   "Bars: 80 % intervals from leaving out one campaign at a time.")


@finding
def summary(found):
    """The sentence that answers the page."""
    goals = targets(found).table
    offline, tpot = goals["reached"].iloc[0], goals["reached"].iloc[3]
    floor = noise_floor(found).table["median"].median()
    return Finding(
        goals, f"Unseen, the model misses offline throughput by {offline:.0%} and time per token by {tpot:.0%} (medians), where "
        f"two published runs of one engine differ by {floor:.0%}", units={"reached": "fraction", "target": "fraction"})

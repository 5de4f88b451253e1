"""Predicted against measured: errors by group, coverage of the intervals, worst cases, noise floor, coefficients.

Every prediction here comes from coefficients that never saw the campaign of the measurement.
"""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.serving import intervals, lookups
from tokenecon.serving.calibration import held_out, measured

TUNED = "tensorrt-llm"  # engines whose offline tables are tuned by their maker


def compared(by="campaign"):
    """Measurements with prediction, interval, error and what they can be filtered by."""
    rows = held_out.stored(by)
    rows["error"] = rows["predicted"] / rows["value"] - 1
    rows["log_error"] = np.log(rows["predicted"] / rows["value"])
    rows["load"] = rows["workload"].map(held_out.WORKLOADS)
    shape = {model: lookups.record(model) for model in rows["model"].unique()}
    rows["kind"] = rows["model"].map({model: intervals.KINDS[one["experts"] > 0] for model, one in shape.items()})
    rows["maker"] = rows["engine"].str.split(" ").str[0]
    low, high = _interval(rows)
    rows["predicted_low"], rows["predicted_high"] = rows["predicted"] * low, rows["predicted"] * high
    return rows


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


def errors(rows, by):
    """Median error, its sign, its ninth decile and the share within a factor of two, by group."""
    def group(own):
        absolute = own["log_error"].abs()
        return pd.Series({
            "rows": len(own), "median_error": np.expm1(absolute.median()),
            "signed_error": np.expm1(own["log_error"].median()), "ninth_decile": np.expm1(absolute.quantile(0.9)),
            "within_twofold": (absolute < np.log(2)).mean(),
        })  # fmt: skip

    return rows.groupby(by, sort=True)[["log_error"]].apply(group).reset_index()


def rank_correlation(rows):
    """Spearman's rank correlation of predicted and measured."""
    return float(rows[["predicted", "value"]].corr("spearman").iloc[0, 1])


def targets(rows):
    """What the model must reach, and what it does where each campaign is left out."""
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
    return out


def covered(rows):
    """Share of measurements inside intervals that were made without their campaign, by quantity, load and kind."""
    spread = held_out.residuals(rows)
    table = held_out.coverage(spread, held_out.nominal(spread))
    out = table.groupby(["quantity", "load", "kind"])["inside"].agg(rows="size", inside="mean").reset_index()
    total = {"quantity": "all", "load": "all", "kind": "all", "rows": len(table), "inside": table["inside"].mean()}
    return pd.concat([out, pd.DataFrame([total])], ignore_index=True)


def noise_floor(rows):
    """How much two published measurements of the same configuration differ, which no model can beat."""
    keys = ["model", "gpu", "weights", "parallelism", "isl", "osl", "concurrency", "metric"]
    pairs = rows.assign(concurrency=rows["concurrency"].fillna(-1)).groupby([*keys, "campaign"])["value"].median()
    pairs = pairs.reset_index()
    both = pairs.merge(pairs, on=keys)
    both = both[both["campaign_x"] < both["campaign_y"]]
    both["difference"] = np.expm1(np.abs(np.log(both["value_x"] / both["value_y"])))
    table = both.groupby(["campaign_x", "campaign_y", "metric"])["difference"].agg(rows="size", median="median")
    return table[table["rows"] >= 5].reset_index()


def coefficient_table():
    """The fitted coefficients with interval, prior, rows and trade-offs; how tightly the data hold each."""
    table = data.table("calibration")
    table = table[table["kind"] == "coefficient"].reset_index(drop=True)
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


def chosen(case):
    """The comparison that a page shows: left out as asked, on the accelerators and the model asked for."""
    rows = compared(case.left_out)
    if case.model != "all":
        known = sorted(rows["model"].unique())
        if case.model not in known:
            raise BadInput(f"parameter 'model' is '{case.model}', which no measurement is of; allowed are all, "
                           f"{', '.join(known)}")
        rows = rows[rows["model"] == case.model]
    rows = rows[rows["gpu"].isin(case.gpus)]
    if rows.empty:
        raise ValueError("parameters 'gpus' and 'model' leave no measurement; see data/measurements.csv")
    return rows.reset_index(drop=True)


def cited(rows):
    """Sources of the measurements, for the figures."""
    return list(dict.fromkeys(rows["source"]))


def points(rows):
    """Predicted and measured throughput, one point a configuration: the geometric mean over its lengths."""
    own = rows[rows["metric"].isin(("output_tok_s", "total_tok_s"))]
    logs = own.assign(measured=np.log(own["value"]), said=np.log(own["predicted"]))
    table = logs.groupby(POINT)[["measured", "said", "log_error"]].agg("mean").reset_index()
    table["runs"] = logs.groupby(POINT).size().to_numpy()
    table["measured_tok_s"], table["predicted_tok_s"] = np.exp(table["measured"]), np.exp(table["said"])
    table["error"] = np.expm1(table["log_error"])
    table = table[["gpu", "model", "weights", "parallelism", "campaign", "runs", "measured_tok_s", "predicted_tok_s",
                   "error"]]
    near = (own["log_error"].abs() < np.log(1.25)).mean()
    table.attrs = {"finding": f"{near:.0%} of {len(own):,} measured rates lie within a quarter of what the model says of "
                              "them unseen", "sources": cited(own),
                   "note": "A point is one configuration, the geometric mean over prompt and answer lengths."}
    return table


def spread(rows, by, keep=5):
    """Predicted over measured by group: the median, and the decile at each end."""
    own = rows.assign(quantity=rows["metric"].map(METRICS), ratio=np.exp(rows["log_error"]))
    groups = own.groupby([by, "quantity"])["ratio"]
    table = groups.quantile([0.1, 0.5, 0.9]).unstack().reset_index()
    table.columns = [by, "quantity", "ratio_low", "ratio", "ratio_high"]
    table["rows"] = groups.size().to_numpy()
    table = table[table["rows"] >= keep].reset_index(drop=True)
    table["label"] = table[by] + ", " + table["quantity"]
    low, high = table["ratio"].min(), table["ratio"].max()
    table.attrs = {"finding": f"By group, the typical prediction is {low:.2f} to {high:.2f} times the measurement",
                   "sources": cited(rows),
                   "note": "Bars: from the tenth to the ninetieth percentile of the measurements. 1 is a hit."}
    return table


def coverage_figure(rows):
    """Share of the measurements inside their interval, by quantity, load and kind of model."""
    table = covered(rows)
    table = table[table["rows"] >= held_out.FEW].reset_index(drop=True)
    table["label"] = [" ".join(dict.fromkeys((one.load.replace("_", " "), {"rate": "rate", "ttft": "first token",
                      "tpot": "per token", "all": "all"}[one.quantity], one.kind))) for one in table.itertuples()]
    whole = table.loc[table["quantity"] == "all", "inside"].iloc[0]
    table.attrs = {"finding": f"{whole:.0%} of the measurements lie inside their 80 % interval",
                   "sources": cited(rows), "note": "Every interval was made without the campaign it is tried on."}
    return table


def coefficient_figure():
    """Fitted value of each coefficient over the value it started from, with its interval."""
    table = coefficient_table()
    for name in ("low", "high"):
        table[f"over_prior_{name}"] = table[name] / table["prior"]
    table["over_prior"] = table["value"] / table["prior"]
    tight = (table["held"] == "tightly").sum()
    loose = table.loc[table["held"] == "loosely", "id"]
    table.attrs = {"finding": f"{tight} of {len(table)} coefficients are held within a tenth; {len(loose)} only loosely",
                   "sources": cited(measured.table()),
                   "note": "Bars: 80 % intervals from leaving out one campaign at a time."}
    return table


def summary(rows):
    """The sentence that answers the page."""
    goals = targets(rows)
    offline, tpot = goals["reached"].iloc[0], goals["reached"].iloc[3]
    return (f"Unseen, the model misses offline throughput by {offline:.0%} and time per token by {tpot:.0%} (medians), where "
            f"two published runs of one engine differ by {noise_floor(rows)['median'].median():.0%}")

"""Predicted against measured: errors by group, coverage of the intervals, worst cases, noise floor, coefficients.

Every prediction here comes from coefficients that never saw the campaign of the measurement.
"""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.analysis import held_out, intervals, measured, operands

LARGE = 0.30  # median error above which a group of FEW rows or more owes an explanation
TUNED = "tensorrt-llm"  # engines whose offline tables are tuned by their maker
# What was looked for, and why it misses: metric, campaign (its start), model, precision (its start) -> reason.
REASONS = (
    ("output_tok_s", "trtllm-perf-v1.2", "gpt-oss", "", "on Hopper the MXFP4 experts are unpacked to 16 bits, by "
     "kernels that reach far less than others, and the page does not state the batch; on Blackwell the same models are within "
     "the noise floor of their source"),
    ("ttft_ms", "nvidia-aiconfigurator-runs", "", "", "the mean time to first token hangs on how the tool starts its "
     "clients and how many requests each sends, which the source does not state: it varies threefold between runs that "
     "agree in time per token"),
    ("ttft_ms", "lmdeploy", "", "", "waiting clients are averaged in, and the number of requests is not stated"),
    ("tpot_ms", "nvidia-aiconfigurator-runs vllm 0.12.0", "llama-3.1-8b", "", "the runs imply more than 70 % of the "
     "peak in prefill alone, so prompts were probably found in the prefix cache"),
    ("tpot_ms", "nvidia-aiconfigurator-runs vllm 0.12.0", "qwen3-235b", "", "step times do not change with batch: "
     "the kernels of that version read all experts whatever the tokens chose"),
    ("tpot_ms", "nvidia-aiconfigurator-runs sglang 0.5.6", "llama-3.1-8b", "", "FP8 in blocks, whose kernels of that "
     "version reach half of what a scale per tensor does, and up to 512 clients, whom one scheduler process serves"),
    ("tpot_ms", "nvidia-aiconfigurator-runs vllm 0.17.0", "kimi", "", "routing agrees more between tokens than in the "
     "other runs, so fewer experts are read"),
    ("output_tok_s", "trtllm-static", "falcon", "", "an early engine: the first versions support its 232 heads badly"),
    ("output_tok_s", "trtllm-perf-v0.14", "", "", "the cache that was left on one GPU changed threefold from this "
     "version to the next"),
)  # fmt: skip


def compared(by="campaign"):
    """Measurements with prediction, interval, error and what they can be filtered by."""
    rows = held_out.stored(by)
    rows["error"] = rows["predicted"] / rows["value"] - 1
    rows["log_error"] = np.log(rows["predicted"] / rows["value"])
    rows["load"] = rows["workload"].map(held_out.WORKLOADS)
    shape = {model: operands.record(model) for model in rows["model"].unique()}
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
        low[own], high[own] = intervals.ratios(intervals.fitted(), name, load[own], routed[own], np.ones(own.sum()))
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


def owed(rows):
    """Groups of measurements with a large median error, each with its explanation."""
    by = ["metric", "load", "campaign", "model", "gpu"]
    parts = []
    for keys in (["metric", "load", "model"], ["metric", "load", "gpu", "weights"], ["metric", "load", "campaign"], by):
        table = errors(rows, keys)
        table = table[(table["rows"] >= held_out.FEW) & (table["median_error"] > LARGE)]
        for _, one in table.iterrows():
            own = rows[np.logical_and.reduce([rows[key] == one[key] for key in keys])]
            parts.append({"group": ", ".join(str(one[key]) for key in keys), "rows": int(one["rows"]),
                          "median_error": one["median_error"], "signed_error": one["signed_error"],
                          "explanation": reason(own)})
    return pd.DataFrame(parts, columns=["group", "rows", "median_error", "signed_error", "explanation"])


def reason(rows):
    """Why a group misses: the reasons that its large errors have, the most frequent first."""
    wrong = rows[rows["log_error"].abs() > np.log1p(LARGE)]
    found = {}
    for metric, campaign, model, weights, text in REASONS:
        own = ((wrong["metric"] == metric) & wrong["campaign"].str.startswith(campaign)
               & wrong["model"].str.startswith(model) & wrong["weights"].str.startswith(weights))
        if own.any():
            found[text] = int(own.sum())
            wrong = wrong[~own]
    return "; ".join(sorted(found, key=found.get, reverse=True))


def worst(rows, count=15):
    """The predictions that miss most."""
    order = rows["log_error"].abs().sort_values(ascending=False).index[:count]
    return rows.loc[order, ["id", "source", "engine", "model", "gpu", "weights", "parallelism", "isl", "osl",
                            "concurrency", "metric", "value", "predicted", "error"]].reset_index(drop=True)


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


def left_out():
    """Measurements set aside, and why."""
    rows = measured.table(flagged=True)
    rows = rows[rows["flag"] != ""]
    return rows.groupby(["engine", "flag"]).size().rename("rows").reset_index()


def coefficient_table():
    """The fitted coefficients with interval, prior, rows and trade-offs; how tightly the data hold each."""
    table = data.table("calibration")
    table = table[table["kind"] == "coefficient"].reset_index(drop=True)
    width = np.log(table["high"] / table["low"]) / 2
    table["held"] = np.select([width < 0.1, width < 0.25], ["tightly", "well"], "loosely")
    return table[["id", "value", "unit", "low", "high", "prior", "rows", "held", "note"]]



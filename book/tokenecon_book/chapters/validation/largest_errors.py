"""Where the serving model is wrong, and why: large errors with their explanations, worst cases, rows set aside."""

import numpy as np
import pandas as pd

from tokenecon.finding import Finding, finding
from tokenecon.serving.calibration import held_out, measured
from tokenecon_book.chapters.validation.validation import errors

LARGE = 0.30  # median error above which a group of FEW rows or more owes an explanation
# What was looked for, and why it misses: metric, campaign (its start), model, precision (its start) -> reason.
REASONS = (
    ("output_tok_s", "trtllm-perf-v1.2", "gpt-oss", "", "on Hopper the MXFP4 experts are unpacked to 16 bits, by "
     "kernels that reach far less than others, and the page does not state the batch; on Blackwell the same models are within "
     "the noise floor of their source"),
    ("ttft_ms", "inferencex", "", "", "the mean time to first token hangs on how the tool starts its "
     "clients and how many requests each sends, which the source does not state: it varies threefold between runs that "
     "agree in time per token"),
    ("ttft_ms", "lmdeploy", "", "", "waiting clients are averaged in, and the number of requests is not stated"),
    ("tpot_ms", "inferencex sglang 0.5.6", "llama-3.1-8b", "", "FP8 in blocks, whose kernels of that "
     "version reach half of what a scale per tensor does, and up to 512 clients, whom one scheduler process serves"),
    ("tpot_ms", "inferencex vllm 0.17.0", "kimi", "", "routing agrees more between tokens than in the "
     "other runs, so fewer experts are read"),
    ("output_tok_s", "trtllm-static", "falcon", "", "an early engine: the first versions support its 232 heads badly"),
    ("output_tok_s", "trtllm-perf-v0.17", "mixtral-8x7b", "", "the time that routing adds for each sequence is fitted to "
     "mixtures of many small experts; eight large ones take less of it, which shows the more, the more GPUs share the rest"),
    ("output_tok_s", "trtllm-perf-v0.14", "", "", "the cache that was left on one GPU changed threefold from this "
     "version to the next"),
)  # fmt: skip

# Columns of the tables on the page: name -> (heading, unit).
OWED_COLUMNS = {"group": ("Group", None), "rows": ("Measurements", None), "median_error": ("Median error", "fraction"),
                "signed_error": ("Its sign", "fraction"), "explanation": ("Why", None)}
WORST_COLUMNS = {"id": ("Row", None), "engine": ("Engine", None), "model": ("Model", None), "gpu": ("Accelerator", None),
                 "isl": ("Prompt", None), "osl": ("Answer", None), "metric": ("Quantity", None),
                 "value": ("Measured", None), "predicted": ("Predicted", None)}
ASIDE_COLUMNS = {"engine": ("Engine", None), "flag": ("Why", None), "rows": ("Measurements", None)}


@finding
def owed(found):
    """Groups of measurements with a large median error, each with its explanation."""
    by = ["metric", "load", "campaign", "model", "gpu"]
    rows, parts = found.table, []
    for keys in (["metric", "load", "model"], ["metric", "load", "gpu", "weights"], ["metric", "load", "campaign"], by):
        table = errors(found, keys).table
        table = table[(table["rows"] >= held_out.FEW) & (table["median_error"] > LARGE)]
        for _, one in table.iterrows():
            own = rows[np.logical_and.reduce([rows[key] == one[key] for key in keys])]
            parts.append({"group": ", ".join(str(one[key]) for key in keys), "rows": int(one["rows"]),
                          "median_error": one["median_error"], "signed_error": one["signed_error"],
                          "explanation": reason(own)})
    return Finding(pd.DataFrame(parts, columns=["group", "rows", "median_error", "signed_error", "explanation"]),
                   units={"median_error": "fraction", "signed_error": "fraction"})


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


@finding
def worst(found, count=15):
    """The predictions that miss most."""
    rows = found.table
    order = rows["log_error"].abs().sort_values(ascending=False).index[:count]
    return Finding(rows.loc[order, ["id", "source", "engine", "model", "gpu", "weights", "parallelism", "isl", "osl",
                                    "concurrency", "metric", "value", "predicted", "error"]].reset_index(drop=True),
                   units={"error": "fraction"})


@finding
def left_out():
    """Measurements set aside, and why."""
    rows = measured.table(flagged=True)
    rows = rows[rows["flag"] != ""]
    return Finding(rows.groupby(["engine", "flag"]).size().rename("rows").reset_index())

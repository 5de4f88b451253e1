"""Where a reader should not trust a number, and why: groups that miss, worst cases, rows set aside."""

import numpy as np
import pandas as pd

from tokenecon.finding import Finding, finding, named
from tokenecon.serving.calibration import held_out, measured
from tokenecon_book.chapters.validation.validation import COVERED, DIMENSIONS, FEW, JUDGED, by_group, error

WRONG = 0.25  # median error above which a group is not to be trusted
RARE = 0.03  # share of the large errors of a group below which a reason for them is left out
EVERY = "rate tpot"
# What is behind the misses of a group, where the data say so: quantities, and starts of campaign, accelerator, model and number
# format. Of a case the first that fits counts.
REASONS = (
    ("ttft", "inferencex sglang 0.5.3rc1", "", "", "", "InferenceX with SGLang 0.5.3: most runs state five to twelve seconds, "
     "with four clients as with a hundred, as if an engine not yet warm had met the first requests. The source does not say."),
    ("ttft", "inferencex", "", "", "", "InferenceX: the mean hangs on how the tool starts its clients and how many requests "
     "each sends, which the source does not state. The same clients with the same prompts wait up to three times as long "
     "where answers are short."),
    (EVERY, "inferencemax sglang 0.5.5.post3", "mi3", "deepseek", "fp8", "InferenceMAX on MI300X and MI325X: each step takes "
     "some ten milliseconds more than predicted, with four clients as with 64. That is a fixed time, which the MI355X with "
     "the same engine does not have. Cause unknown."),
    (EVERY, "inferencex tensorrt-llm 1.1.0rc2", "", "deepseek", "fp8", "InferenceX with TensorRT-LLM 1.1: with few clients a "
     "token takes up to 1.4 times as long as with SGLang on the same GPUs. The fit has seen SGLang's experts take longer "
     "elsewhere and cannot follow both."),
    (EVERY, "inferencex sglang", "", "", "", "InferenceX with SGLang: no other family ran its experts on NVIDIA, and without "
     "this one the fit knows them from AMD alone."),
    (EVERY, "inferencex vllm", "", "", "", "InferenceX with vLLM: no other family ran its experts on NVIDIA, and without this "
     "one the fit knows them from AMD's own engine, which schedules alike."),
    (EVERY, "trtllm-perf-v1.2", "h", "gpt-oss", "", "TensorRT-LLM 1.2 on Hopper: the MXFP4 of the experts is unpacked to 16 "
     "bits, by kernels that reach less than those of the other family that measured it."),
    (EVERY, "trtllm-perf-v0.20", "", "llama-4-maverick", "", "TensorRT-LLM 0.20: the first version with this model. The next, "
     "on the same GPUs laid out otherwise, is 1.4 times as fast and more."),
    (EVERY, "trtllm-perf-v1.0", "h100", "llama-4-maverick", "", "TensorRT-LLM 1.0 on H100: an H200 is two to four times as "
     "fast, with 1.4 times the bandwidth. The runs seem to have held fewer sequences in 80 GB than the model counts room for; "
     "why is not stated."),
    (EVERY, "trtllm-perf-v1", "rtx", "", "", "RTX PRO 6000: no other family measured it."),
    (EVERY, "trtllm-perf-v1.0", "gb200", "qwen3-30b", "", "TensorRT-LLM 1.0 on GB200: slower than on the B200 with this model. "
     "Cause unknown."),
    (EVERY, "trtllm-perf-v1.2", "", "", "", "TensorRT-LLM 1.2: the page does not say how many requests it queued. With prompts "
     "of 32,768 tokens it is faster than predicted, with answers of that length slower."),
    (EVERY, "trtllm-perf-v1.0", "", "qwen3-235b", "", "TensorRT-LLM 1.0 with Qwen3 235B: cause unknown."),
    ("rate", "omniserve-readme", "", "", "int8", "QServe: no other family measured arithmetic in 8-bit integers, so that its "
     "speed is a guess without this one. Its batches are not stated; they were smaller than memory allows."),
)  # fmt: skip

# Columns of the tables on the page: name -> (heading, unit).
OWED_COLUMNS = {"label": ("Group", None), "error": ("Median error", "fraction"), "fitted": ("With it in the fit", "fraction"),
                "inside": ("Inside", "fraction"), "cases": ("Cases", None), "families": ("Families", None)}
BEHIND_COLUMNS = {"groups": ("Misses of", None), "reason": ("Part of the reason", None)}
WORST_COLUMNS = {"campaign": ("Source and engine", None), "model_name": ("Model", None), "accelerator": ("Accelerator", None),
                 "parallelism": ("Layout", None), "isl": ("Prompt", None), "osl": ("Answer", None),
                 "concurrency": ("Clients", None), "what": ("Quantity", None), "value": ("Measured", None),
                 "predicted": ("Predicted", None)}
ASIDE_COLUMNS = {"engine": ("Engine", None), "flag": ("Why", None), "rows": ("Measurements", None)}


@finding
def owed(found):
    """Groups that a reader should not trust: by error or by coverage, each with what is behind it."""
    cases = found.table
    cases["both"] = cases["model_name"] + " in " + cases["form"]
    parts = []
    for column in (*DIMENSIONS, "both"):
        table = by_group(cases, [column, "what"]).rename(columns={column: "group"}).assign(column=column)
        least = FEW if column == "both" else held_out.SMALL
        wrong = (table["cases"] >= least) & (table["error"] > WRONG)
        parts.append(table[wrong | ((table["cases"] >= FEW) & (table["inside"] < COVERED))])
    out = pd.concat(parts, ignore_index=True)
    whole = set(out.loc[out["column"] == "loaded", "what"])  # not to be trusted under a load is not in any of its parts
    out = out[~out["what"].isin(whole) | (out["column"] == "loaded")]
    out["few"] = out["cases"] < FEW
    out = out.sort_values(["few", "what"], kind="stable", ignore_index=True)
    own = [cases[(cases[one.column] == one.group) & (cases["what"] == one.what)] for one in out.itertuples()]
    out["fitted"] = [error(group["fitted"]) for group in own]
    out["explanation"] = [explanation(group) for group in own]
    out["label"] = out["group"] + ", " + out["what"]
    return Finding(out.drop(columns="column"), words(out), units=JUDGED | {"fitted": "fraction"})


def explanation(group):
    """What is behind the large errors of a group, the most frequent first, without rare ones; nothing if half are unexplained."""
    wrong = group[(group["residual"].abs() > np.log1p(WRONG)) | ~group["inside"]]
    found, all_ = {}, len(wrong)
    for quantities, campaign, gpu, model, weights, text in REASONS:
        own = wrong["quantity"].isin(quantities.split())
        for column, start in (("campaign", campaign), ("gpu", gpu), ("model", model), ("weights", weights)):
            own = own & wrong[column].str.startswith(start)
        if own.any():
            found[text] = int(own.sum())
            wrong = wrong[~own]
    often = [text for text in sorted(found, key=found.get, reverse=True) if found[text] >= all_ * RARE]
    return " ".join(often) if 2 * len(wrong) <= all_ else ""


def behind(owed):
    """Each reason once, with the groups whose misses it is a part of."""
    table, rows = owed.table, []
    for *_, text in REASONS:
        own = table[table["explanation"].str.contains(text, regex=False)]
        rows.append({"reason": text, "groups": "; ".join(own["label"])})
    return pd.DataFrame(rows)


def words(out):
    """What is not to be trusted, in a sentence: a load by its name, of the other groups how many."""
    loads = [f"the {one.what} in a {one.group}" for one in out[out["column"] == "loaded"].itertuples()]
    number = out.loc[out["column"] != "loaded", "group"].nunique()
    if number:
        counted = named("groups-not-trusted", number, str)
        loads.append(f"the speeds of {counted} group{'' if number == 1 else 's'} that the chapter on measurements lists")
    return f"Do not trust {', nor '.join(loads)}." if loads else "No group is missed by so much that it is not to be trusted."


@finding
def worst(found, count=15):
    """The cases that miss most."""
    cases = found.table
    order = cases["residual"].abs().sort_values(ascending=False).index[:count]
    return Finding(cases.loc[order, list(WORST_COLUMNS)].reset_index(drop=True), units=dict.fromkeys(("value", "predicted"), "1"))


@finding
def set_aside():
    """Measurements set aside, and why."""
    rows = measured.table(flagged=True)
    rows = rows[rows["flag"] != ""]
    return Finding(rows.groupby(["engine", "flag"]).size().rename("rows").reset_index())

"""Operating points by the calibrated serving model, in the columns of :mod:`tokenecon.serving.textbook`.

The textbook adds up what a pass must read and compute; ``tokenecon.estimate`` is fitted to published measurements
and knows how far off it is.  A range here is its 80 % interval times the range of the price.
"""

import numpy as np
import pandas as pd

from tokenecon.errors import DoesNotFit, NoEstimate
from tokenecon.serving import cases as asked
from tokenecon.serving import coefficients, estimate, steady_state, textbook
from tokenecon.units import MS_PER_SECOND

CALIBRATED, TEXTBOOK = "calibrated", "textbook"
# A format that the model of serving has under another id, the same to 0.01 bit a value.
ALIKE = {"fp8-block": "fp8"}
# Columns of `estimate` that a case may have beside the arguments of `textbook.point`.
OPTIONS = ("load", "cached_prefix", "draft_tokens", "acceptance", "draft_model", "engine", "tp", "pp")
RATES = {"step_ms": "tpot_ms", "ttft_ms": "ttft_ms", "tok_out_per_s": "output_tok_s"}
COSTS = ("usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok")
ENDS = ("", "_low", "_high")
NOTE = "Ranges of the calibrated model: 80 % intervals from measurements it had not seen, times the range of the price."
UNMEASURED = "Where nothing like it (accelerator, number format, kind of model) was measured, intervals are widened."
NO_ROOM = "does not fit"  # what `estimate` says where memory is short


def as_asked(cases):
    """Cases with the arguments of `textbook.point` as the table that `estimate` takes; prices are the middle ones."""
    table = pd.DataFrame({
        "model": cases["model"], "gpu": cases["gpu"], "n_gpus": cases["gpus"], "weights": cases["weights"].replace(ALIKE),
        "kv": cases["kv"], "isl": cases["isl_tokens"], "osl": cases["osl_tokens"], "concurrency": cases["batch"],
        "usd_per_gpu_hour": prices(cases)[:, 1], "utilisation": cases["utilisation"]})  # fmt: skip
    for name in OPTIONS:
        if name in cases:
            table[name] = cases[name]
    return table if "load" in table else table.assign(load="closed_loop")


def prices(cases):
    """(low, typical, high) of a GPU-hour for each case, whether it is given as one number or as three."""
    return np.array([np.broadcast_to(np.asarray(one, dtype=float), 3) for one in cases["usd_per_gpu_hour"]])


def points(cases):
    """One row a case, in the same order; where there is no estimate, numbers are missing and `reason` says why.

    ``batch`` is the number of requests in flight, missing for as many as fit; a batch beyond the memory is computed
    with the others waiting, and marked ``fits = False``.
    """
    cases = cases.reset_index(drop=True)
    found = estimate.estimate(as_asked(cases))
    usd = prices(cases)
    asked_batch = cases["batch"].to_numpy(dtype=float)
    batch = np.where(np.isnan(asked_batch), found["concurrency_used"], asked_batch)
    table = pd.DataFrame({
        **{name: cases[name] for name in ("model", "gpu", "gpus", "weights", "kv", "isl_tokens", "osl_tokens")},
        "batch": batch, "utilisation": cases["utilisation"], "max_batch": found["max_concurrency"],
        "used_batch": found["concurrency_used"], "fits": found["fits"] & (batch <= found["max_concurrency"]),
        "bound": found["bound"]})  # fmt: skip
    for end in ENDS:
        for name, column in RATES.items():
            table[name + end] = found[column + end]
        table[f"tok_out_per_s_per_gpu{end}"] = found[f"output_tok_s{end}"] / cases["gpus"]
    for place, end in ((1, ""), (0, "_low"), (2, "_high")):
        table[f"usd_per_gpu_hour{end}"] = usd[:, place]
        for name in COSTS:
            table[name + end] = found[name + end] * usd[:, place] / usd[:, 1]
    table["calibrated"], table["reason"] = found["calibrated"], found["error"]
    return table


def point(**case):
    """One case as a flat dict; raises :class:`DoesNotFit` or :class:`NoEstimate` with the model's reason."""
    row = points(pd.DataFrame({name: [value] for name, value in case.items()})).iloc[0].to_dict()
    if row["reason"]:
        kind = DoesNotFit if NO_ROOM in row["reason"] else NoEstimate
        raise kind(f"{case['model']} with {case['weights']} weights on {case['gpus']} x {case['gpu']}: {row['reason']}")
    return row


def beside(cases):
    """The same cases by both models, the calibrated first: column `by` says whose row it is."""
    own, other = points(cases), textbook.points(cases)
    if own["reason"].any():
        raise NoEstimate(own.loc[own["reason"] != "", "reason"].iloc[0])
    return pd.concat([own.assign(by=CALIBRATED), other.assign(by=TEXTBOOK)], ignore_index=True)


def largest(cases, tpot_ms):
    """Largest batch of each case that fits and keeps to the time per output token; 0 where one request does not."""
    alone = points(cases.assign(batch=1.0))
    high = np.where(alone["reason"] == "", points(cases.assign(batch=np.nan))["used_batch"], 0.0)
    high = np.nan_to_num(np.floor(high))
    low = np.zeros(len(cases))
    while (low < high).any():  # the time grows with the batch, so the limit can be bisected, all cases at once
        middle = np.maximum(np.floor((low + high + 1) / 2), 1.0)
        kept = (points(cases.assign(batch=middle))["step_ms"] <= tpot_ms).to_numpy()
        open_ = low < high
        low, high = np.where(open_ & kept, middle, low), np.where(open_ & ~kept, middle - 1, high)
    return low


def decode_steps(cases):
    """Time of a decode step of each case and its parts by resource, whatever the memory holds: (all, {part: array}). [ms]"""
    ask = asked.read(asked.frame(as_asked(cases.reset_index(drop=True))))
    if (ask.error != "").any():
        raise NoEstimate(next(reason for reason in ask.error if reason))
    columns = estimate.columns(ask, np.arange(len(cases)))
    total, parts = steady_state.pass_seconds(
        columns, steady_state.prepared(columns, coefficients.fitted()), decoding=cases["batch"].to_numpy(dtype=float),
        context=columns["isl"] + columns["osl"] / 2, resources=True)
    return total * MS_PER_SECOND, {name: seconds * MS_PER_SECOND for name, seconds in parts.items()}


def step_parts(**case):
    """Milliseconds of a decode step by what takes them, and of the waiting for other requests' prompts. [ms/tok_out]"""
    row = point(**case)
    total, parts = decode_steps(pd.DataFrame({name: [value] for name, value in case.items()}))
    return {name: float(part[0]) for name, part in parts.items()} | {
        "waiting": max(0.0, row["step_ms"] - float(total[0])), "all": row["step_ms"],
        "all_low": row["step_ms_low"], "all_high": row["step_ms_high"]}


def note(table):
    """What the ranges are, and whether anything in the table is beyond the measurements."""
    known = table.loc[table["calibrated"].notna(), "calibrated"].astype(bool)
    return NOTE if known.all() else f"{NOTE} {UNMEASURED}"

"""Operating points by the calibrated serving model, with a range of price, beside those of the textbook.

The textbook adds up what a pass must read and compute; ``tokenecon.estimate`` is fitted to published measurements
and knows how far off it is.  Both take cases in the columns of ``tokenecon.estimate`` and answer in the same ones; a
``usd_per_gpu_hour`` may be (low, typical, high), and a range of cost is the 80% interval times the range of the price.
"""

import numpy as np
import pandas as pd

from tokenecon.errors import DoesNotFit, NoEstimate
from tokenecon.serving import cases as case_table
from tokenecon.serving import estimate, lookups, results, steady_state, textbook
from tokenecon.units import MS_PER_SECOND

CALIBRATED, TEXTBOOK = "calibrated", "textbook"
# What a case says of the instance and its load; any other column of `estimate` may stand beside.
CASE = ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "concurrency", "utilisation")
RATES = ("tpot_ms", "ttft_ms", "output_tok_s")
COSTS = ("usd_per_mtok_in", "usd_per_mtok_cached", "usd_per_mtok_out", "usd_per_mtok")
ENDS = ("", "_low", "_high")
NOTE = ("Ranges: interval of the model (80%, from measurements it had not seen), times the spread of offers where a price has "
        "one.")
UNMEASURED = "Where nothing like it (accelerator, number format, kind of model) was measured, intervals are widened."
NO_ROOM = "does not fit"  # what `estimate` says where memory is short


def prices(cases):
    """(low, typical, high) of a GPU-hour for each case, whether it is given as one number or as three. [USD/GPU/h]"""
    given = cases["usd_per_gpu_hour"]
    if given.dtype.kind in "iuf":
        return np.repeat(given.to_numpy(dtype=float)[:, None], 3, axis=1)
    return np.array([np.broadcast_to(np.asarray(one, dtype=float), 3) for one in given])


def at_typical_price(cases):
    """The same cases with the middle of their prices, which `estimate` takes, in a closed loop unless they say otherwise."""
    table = cases.assign(usd_per_gpu_hour=prices(cases)[:, 1])
    return table if "load" in table else table.assign(load="closed_loop")


def points(cases):
    """One row a case, in the same order; where there is no estimate, numbers are missing and `reason` says why.

    ``concurrency`` is the number of requests in flight, missing for as many as fit; one beyond the memory is computed
    with the others waiting, and marked ``fits = False``.
    """
    cases = cases.reset_index(drop=True)
    table = estimate.estimate(at_typical_price(cases))
    costs = [name for name in COSTS if name in table]
    found = {name: table[name].to_numpy() for name in (  # arithmetic on columns of a frame takes longer than on their arrays
        "concurrency_used", "max_concurrency", "fits", "bound", "calibrated", "error",
        *(name + end for name in (*RATES, *costs) for end in ENDS))}
    usd, gpus = prices(cases), cases["n_gpus"].to_numpy()
    stated = cases["concurrency"].to_numpy(dtype=float)
    concurrency = np.where(np.isnan(stated), found["concurrency_used"], stated)
    out = {name: cases[name] for name in CASE} | {
        "concurrency": concurrency, "max_concurrency": found["max_concurrency"], "concurrency_used": found["concurrency_used"],
        "fits": found["fits"] & (concurrency <= found["max_concurrency"]), "bound": found["bound"]}
    for end in ENDS:
        for name in RATES:
            out[name + end] = found[name + end]
        out[f"output_tok_s_per_gpu{end}"] = found[f"output_tok_s{end}"] / gpus
    for place, end in ((1, ""), (0, "_low"), (2, "_high")):
        out[f"usd_per_gpu_hour{end}"] = usd[:, place]
        for name in costs:
            out[name + end] = found[name + end] * (usd[:, place] / usd[:, 1])
    return pd.DataFrame(out | {"calibrated": found["calibrated"], "reason": found["error"]})


def point(**case):
    """One case as a flat dict; raises :class:`DoesNotFit` or :class:`NoEstimate` with the model's reason."""
    row = points(pd.DataFrame({name: [value] for name, value in case.items()})).iloc[0].to_dict()
    if row["reason"]:
        kind = DoesNotFit if NO_ROOM in row["reason"] else NoEstimate
        raise kind(f"{case['model']} with {case['weights']} weights on {case['n_gpus']} x {case['gpu']}: {row['reason']}")
    return row


def by_both_models(cases):
    """The same cases by both models, the calibrated first: column `by` says whose row it is."""
    own, other = points(cases), textbook.points(cases)
    if own["reason"].any():
        raise NoEstimate(own.loc[own["reason"] != "", "reason"].iloc[0])
    return pd.concat([own.assign(by=CALIBRATED), other.assign(by=TEXTBOOK)], ignore_index=True)


def largest(cases, tpot_ms):
    """Largest concurrency of each case that fits and keeps to the time per output token; 0 where one request does not."""
    alone = points(cases.assign(concurrency=1.0))
    high = np.where(alone["reason"] == "", points(cases.assign(concurrency=np.nan))["concurrency_used"], 0.0)
    return results.largest(lambda concurrency: (points(cases.assign(concurrency=concurrency))["tpot_ms"] <= tpot_ms).to_numpy(),
                           np.zeros(len(cases)), np.nan_to_num(np.floor(high)))


def decode_steps(cases):
    """Time of a decode step of each case and its parts by resource, whatever the memory holds: (all, {part: array}). [ms]"""
    found = case_table.read(case_table.frame(at_typical_price(cases.reset_index(drop=True))))
    if (found.error != "").any():
        raise NoEstimate(next(reason for reason in found.error if reason))
    columns = estimate.columns(found, np.arange(len(cases)))
    total, parts = steady_state.pass_seconds(
        columns, steady_state.prepared(columns, lookups.coefficients()), decoding=cases["concurrency"].to_numpy(dtype=float),
        context=columns["isl"] + columns["osl"] / 2, resources=True)
    # a part that no case has is one zero
    return total * MS_PER_SECOND, {name: np.broadcast_to(seconds, len(cases)) * MS_PER_SECOND for name, seconds in parts.items()}


def step_parts(**case):
    """Milliseconds of a decode step by what takes them, and of the waiting for other requests' prompts. [ms/tok_out]"""
    row = point(**case)
    total, parts = decode_steps(pd.DataFrame({name: [value] for name, value in case.items()}))
    return {name: float(part[0]) for name, part in parts.items()} | {
        "waiting": max(0.0, row["tpot_ms"] - float(total[0])), "all": row["tpot_ms"],
        "all_low": row["tpot_ms_low"], "all_high": row["tpot_ms_high"]}


def note(table):
    """What the ranges are, and whether anything in the table is beyond the measurements."""
    known = table.loc[table["calibrated"].notna(), "calibrated"].astype(bool)
    return NOTE if known.all() else f"{NOTE} {UNMEASURED}"

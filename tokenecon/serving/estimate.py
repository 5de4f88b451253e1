"""One entry point: a table of cases in, the same table with tokens per second, latency and cost out.

``tokenecon.estimate(cases)`` and the command ``tokenecon estimate`` are this module.  Columns in :data:`INPUTS`;
results in :data:`RESULTS`, each predicted one with ``_low`` and ``_high``, the ends of an 80 % interval.
"""

import numpy as np
import pandas as pd

from tokenecon.formulas import levers, money
from tokenecon.serving import cases, coefficients, intervals, operands, steady_state

CHUNK = 8192  # cases at once: their columns stay in the cache of a core
MILLI = 1e3
BEYOND = 1.2  # a static batch may be so much larger than what fits by the usual share of memory
# result -> the quantity whose interval it has, and whether it falls as that one rises
RESULTS = {
    "ttft_ms": ("ttft", False), "tpot_ms": ("tpot", False), "output_tok_s": ("rate", False),
    "total_tok_s": ("rate", False), "usd_per_mtok_in": ("rate", True), "usd_per_mtok_out": ("rate", True),
    "usd_per_mtok": ("rate", True),
}  # fmt: skip
SPANS = tuple(name + end for name in RESULTS for end in ("", "_low", "_high"))
MONEY = tuple(name for name in SPANS if name.startswith("usd"))
COLUMNS = ("fits", "max_concurrency", "concurrency_used", *(name for name in SPANS if name not in MONEY), "bound", *MONEY,
           "calibrated", "error")  # what is added, in this order


def estimate(given: "pd.DataFrame | dict") -> pd.DataFrame:
    """Predict each case of a DataFrame, or of one dict; see ``tokenecon estimate --help`` for the columns.

    Rows that cannot be computed say why in ``error`` and have no numbers; the others have no error.
    """
    frame = cases.frame(given, COLUMNS)
    ask = cases.read(frame)
    size = len(frame)
    out = {name: np.full(size, np.nan) for name in ("max_concurrency", "concurrency_used", *SPANS)}
    out |= {"fits": np.zeros(size, dtype=bool), "calibrated": np.zeros(size, dtype=bool), "error": ask.error}
    bound = np.full(size, -1)
    values, widths = coefficients.fitted(), intervals.fitted()
    for start in range(0, size, CHUNK):
        good = start + np.flatnonzero(ask.error[start:start + CHUNK] == "")
        if not len(good):
            continue
        chunk = _chunk(ask, good, values, widths)
        for name in ("fits", "calibrated", "error"):
            out[name][good] = chunk.pop(name)
        fitting = out["fits"][good]
        bound[good[fitting]] = chunk.pop("bound")[fitting]
        for name, column in chunk.items():
            out[name][good[fitting]] = column[fitting]
    names = np.array(["", *steady_state.RESOURCES], dtype=object)
    result = frame.copy(deep=False)
    for name in COLUMNS:
        result[name] = names[bound + 1] if name == "bound" else out[name]
    return result


def columns(ask, rows):
    """Columns of the serving model for some rows of what was asked."""
    number = {name: column[rows] for name, column in ask.numbers.items()}
    place = ask.place[rows]
    case = {name: column[place] for name, column in ask.table.items() if name not in ("calibrated", "quoted_price")}
    group, pp = number["group"], number["pp"]
    decoding = (number["n_gpus"] - number["prefill_gpus"]) / (group * pp)  # replicas
    used = np.minimum(decoding, number["concurrency"])  # fewer clients than replicas leave some idle
    case |= {
        "group": group, "dp": number["attention_dp"], "tp": number["attention_tp"], "pp": pp, "ep": number["ep"],
        "isl": number["isl"], "osl": number["osl"], "load": number["load"].astype(np.intp),
        "engine": number["engine"].astype(np.intp), "concurrency": number["concurrency"] / used,
        "requests": np.full(len(rows), np.inf), "cached": number["cached_prefix"],
        "split": number["prefill_gpus"] / (group * pp) / decoding, "replicas": decoding, "used": used,
    }  # fmt: skip
    case = operands.completed(case)
    drafting = number["draft_tokens"] > 0
    if drafting.any():
        case["draft_tokens"] = number["draft_tokens"]
        case["tokens_per_pass"] = np.where(drafting, levers.speculative_tokens_per_pass(
            acceptance=number["acceptance"], draft_tokens=number["draft_tokens"]), 1.0)
        case["has_draft_model"] = ask.drafts["has"][place]
        case["draft"] = operands.completed(case | {name: column[place] for name, column in ask.drafts["table"].items()})
    split = number["prefill_gpus"] > 0
    if split.any():
        values = (case["full_values"] + case["window_values"] + case["index_values"]) * case["isl"]
        case["transfer_s"] = np.where(
            split, values * case["cache_bytes"] / (case["link_bytes_per_s"] * group * pp), 0.0)
    return case


def _chunk(ask, rows, values, widths):
    """Results of some rows: a dict of arrays."""
    number = {name: ask.numbers[name][rows] for name in ("n_gpus", "usd_per_gpu_hour", "utilisation")}
    n_gpus, place = number["n_gpus"], ask.place[rows]
    case = columns(ask, rows)
    load, used = case["load"], case["used"]
    state = steady_state.steady(case, values, resources=True)
    # measured static batches go up to an eighth beyond the memory that engines are taken to leave
    whole = (load != steady_state.STATIC) | ~np.isfinite(case["concurrency"])
    fits = (state["fit"] >= 1.0) & (whole | (case["concurrency"] <= BEYOND * state["fit"]))
    rate = state["requests_per_s"] * used
    price = np.where(number["usd_per_gpu_hour"] >= 0, number["usd_per_gpu_hour"], ask.table["quoted_price"][place])
    paid = {"usd_per_gpu_hour": price, "n_gpus": n_gpus, "utilisation": number["utilisation"]}
    reading = state["prefill_share"]
    isl, osl = case["isl"], case["osl"]
    with np.errstate(invalid="ignore"):
        out = {
            "max_concurrency": np.floor(state["fit"]) * case["replicas"], "concurrency_used": state["batch"] * used,
            "ttft_ms": state["ttft_s"] * MILLI, "tpot_ms": state["tpot_s"] * MILLI,
            "output_tok_s": rate * osl, "total_tok_s": rate * (isl + osl),
            # tokens pay for the time they cause: input for reading the prompt, output for the rest
            "usd_per_mtok_in": money.usd_per_mtok_of_seconds(busy_s=reading / rate, tok=isl, **paid),
            "usd_per_mtok_out": money.usd_per_mtok_of_seconds(busy_s=(1 - reading) / rate, tok=osl, **paid),
            "usd_per_mtok": money.usd_per_mtok(tok_per_s=rate * (isl + osl), **paid),
        }  # fmt: skip
    plain = (case["draft_tokens"] == 0) & (case["split"] == 0) & (case["cached"] == 0)
    plain &= case["group"] <= case["link_domain"]  # nothing measured splits a layer over the network between servers
    calibrated = (ask.table["calibrated"][place] > 0) & plain
    for name, (quantity, inverse) in RESULTS.items():
        low, high = intervals.ratios(widths, quantity, load, case["routed"], calibrated)
        ends = (1 / high, 1 / low) if inverse else (low, high)
        out[name + "_low"], out[name + "_high"] = out[name] * ends[0], out[name] * ends[1]
    parts = np.stack([state[name] for name in steady_state.RESOURCES])
    error = np.full(len(rows), "", dtype=object)
    for one in np.flatnonzero(~fits):
        error[one] = _too_small(case, one, state["fit"][one])
    for one in np.flatnonzero(fits & ~(price >= 0)):
        error[one] = f"gpu '{ask.gpus[rows[one]]}' has no price in data/prices.csv; give usd_per_gpu_hour"
    return out | {"fits": fits, "calibrated": calibrated, "bound": parts.argmax(axis=0), "error": error}


def _too_small(case, one, fit):
    if fit >= 1.0:
        return (f"a static batch of {case['concurrency'][one]:g} does not fit: a replica has memory for "
                f"{int(fit)}; lower concurrency, or raise n_gpus and tp")
    row = {name: column[one:one + 1] for name, column in case.items()
           if name not in ("draft",) and np.ndim(column)}
    memory = float(row["memory_bytes"][0] * row["group"][0] * row["pp"][0])
    weights = float(row["outer_params"][0] * 2 + (row["attention_params"][0] + row["dense_params"][0])
                    * row["linear_bytes"][0] + row["expert_params"][0] * row["expert_bytes"][0])
    return (f"does not fit: {weights / 1e9:.0f} GB of weights and the cache of one sequence do not fit into the "
            f"{memory / 1e9:.0f} GB of {int(row['group'][0] * row['pp'][0])} GPU; raise n_gpus and tp, "
            "or narrow weights or kv")


"""Where the cost of a token goes: input, cached input and output each pay for the time they cause, and together for all of it."""

import numpy as np
import pandas as pd

from tokenecon.errors import NoEstimate
from tokenecon.formulas import money
from tokenecon.serving import cases as case_table
from tokenecon.serving import estimate, lookups, results, steady_state

KINDS = ("input", "cached", "output")
TEXT = {"input": "input", "cached": "cached input", "output": "output"}
STEP = 0.01  # a batch larger by this share shows what one more request adds


def busy(cases):
    """Busy time of a replica that one request causes, by kind of token; columns of `estimate`, all with a concurrency. [s]

    Returns a DataFrame: ``input_s``, ``cached_s``, ``output_s``, and ``request_s``, their sum.
    """
    state, columns = _state(cases.reset_index(drop=True))
    return pd.DataFrame(results.busy_seconds(columns, state))


def marginal(cases):
    """Busy time that one more request adds to a batch that runs anyway, by kind of token: a DataFrame like :func:`busy`. [s]

    Whatever the batch shares, the reading of the weights and the fixed work of a pass, is paid already; so this is less than
    the average, by ``shared_s``.  Where the memory is full, the batch with one request less is compared.
    """
    cases = cases.reset_index(drop=True)
    state, _ = _state(cases)
    batch, now = cases["concurrency"].to_numpy(dtype=float), busy(cases)
    room = batch * (1 + STEP) <= np.maximum(np.floor(state["fit"]), 1.0)
    if (~room & (batch <= 1.0)).any():
        raise NoEstimate("a replica with memory for one request has no marginal cost; raise n_gpus or narrow weights")
    other = batch * np.where(room, 1 + STEP, 1 - STEP)
    then = busy(cases.assign(concurrency=other))
    out = pd.DataFrame({name: (then[name] * other - now[name] * batch) / (other - batch) for name in now})
    return out.assign(shared_s=now["request_s"] - out["request_s"])


def shares(case, *, usd_per_gpu_hour, utilisation=1.0):
    """One case, a dict of the columns of `estimate` with a concurrency, as a table: one row a kind of token.

    ``share`` adds up to 1; ``usd_per_mtok`` times the tokens adds up to the bill, with the interval of the model and the
    range of the price.  ``usd_per_mtok_marginal`` is what one more request adds (:func:`marginal`); with ``shared_share``,
    what the batch shares, it adds up to the bill too.  ``usd_per_mtok_alone`` divides the whole bill by this kind alone.
    Beside the table a dict: ``request_s``, ``shared_share``, ``usd_per_mtok`` of all tokens.
    """
    frame = pd.DataFrame([case])
    time, more = busy(frame).iloc[0], marginal(frame).iloc[0]
    found = estimate.estimate(frame.assign(load="closed_loop", usd_per_gpu_hour=1.0)).iloc[0]
    prices = np.broadcast_to(np.asarray(usd_per_gpu_hour, dtype=float), 3)
    tokens = {"input": case["isl"] * (1 - case.get("cached_prefix", 0.0)), "cached": case["isl"] * case.get("cached_prefix", 0.0),
              "output": case["osl"]}
    wide = {"_low": found["usd_per_mtok_low"] / found["usd_per_mtok"] * prices[0] / prices[1], "": 1.0,
            "_high": found["usd_per_mtok_high"] / found["usd_per_mtok"] * prices[2] / prices[1]}

    def usd(seconds, tok):
        return money.usd_per_mtok_of_seconds(usd_per_gpu_hour=prices[1], n_gpus=case["n_gpus"], busy_s=seconds, tok=tok,
                                             utilisation=utilisation)

    rows = []
    for kind in KINDS:
        if not tokens[kind] > 0:
            continue
        seconds = time[f"{kind}_s"]
        rows.append({"kind": kind, "text": TEXT[kind], "tok": tokens[kind], "busy_s": seconds,
                     "share": seconds / time["request_s"],
                     **{f"usd_per_mtok{end}": usd(seconds, tokens[kind]) * factor for end, factor in wide.items()},
                     "usd_per_mtok_marginal": usd(more[f"{kind}_s"], tokens[kind]),
                     "usd_per_mtok_alone": usd(time["request_s"], tokens[kind])})
    return pd.DataFrame(rows), {
        "request_s": float(time["request_s"]), "shared_share": float(more["shared_s"] / time["request_s"]),
        "usd_per_mtok": float(usd(time["request_s"], case["isl"] + case["osl"]))}


def _state(cases):
    """Steady state of the cases in a closed loop, and the columns it was computed from; raises with the model's reason."""
    found = case_table.read(case_table.frame(cases.assign(load="closed_loop")))
    if (found.error != "").any():
        raise NoEstimate(next(reason for reason in found.error if reason))
    columns = estimate.columns(found, np.arange(len(cases)))
    return steady_state.steady(columns, lookups.coefficients(), resources=True), columns

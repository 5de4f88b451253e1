"""An operating point with a set of optimisations on, by the calibrated serving model.

Number formats, batching, the prefix cache and speculation are inputs of that model.  What it has no input for is put
around it: a contiguous cache leaves room for fewer requests, a static batch runs until its longest answer ends, and
a router sends tokens elsewhere.  Drafts come from one more layer of the model, as in Medusa and EAGLE.
"""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, NoEstimate
from tokenecon.queries import remembered
from tokenecon.serving import operating_point as calibrated
from tokenecon.serving import textbook
from tokenecon_book.chapters.software import batching, lever_points_textbook


def given(case, on):
    """The case as one row of `operating_point.points`, without a concurrency."""
    row = {
        "model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "isl": case.isl, "osl": case.osl,
        "weights": case.weights if "weights" in on else lever_points_textbook.BASE_FORMAT,
        "kv": case.kv if "kv" in on else lever_points_textbook.BASE_FORMAT, "concurrency": np.nan,
        "utilisation": case.utilisation, "usd_per_gpu_hour": case.usd_per_gpu_hour,
        "load": "closed_loop" if "continuous" in on else "static",
    }  # fmt: skip
    if "prefix" in on:
        row["cached_prefix"] = min(case.hit_rate * case.saved_share, 1 - 1 / case.isl)  # the last token is always computed
    if "speculation" in on:
        row |= {"draft_tokens": case.draft_tokens, "acceptance": case.acceptance}
    return row


def ceiling(case, on):
    """Sequences that fit beside the weights (not rounded): the model counts a paged cache. [sequence]"""
    row = _full(**given(case, on) | {"load": "closed_loop", "concurrency": None})
    if row["reason"]:
        if calibrated.NO_ROOM in row["reason"]:
            raise lever_points_textbook.no_room(case, on)
        raise NoEstimate(row["reason"])
    room = row["concurrency_used"]
    if case.paged_waste >= 1:
        raise BadInput(f"parameter 'paged_waste' is {case.paged_waste:g}, but must be below 1: a cache that holds "
                       "nothing serves nobody")
    return room if "paging" in on else room * (1 - case.contiguous_waste) / (1 - case.paged_waste)


@remembered
def _full(**row):
    """The point of an instance that holds all that fits: many levers leave that alone."""
    return calibrated.points(pd.DataFrame([row | {"concurrency": np.nan}])).iloc[0]


def operating_point(case, on):
    """Machine, batch, speed and cost with the levers in the set `on`, where they are cheapest."""
    return lever_points_textbook.cheapest(on_machine, case, on)


def on_machine(case, on):
    """The same on the GPUs of the case, at the cheapest batch allowed; arrays [poor, expected, good]."""
    fits = int(ceiling(case, on))
    if fits < 1:
        raise lever_points_textbook.no_room(case, on)
    tried = lever_points_textbook.spread(fits)
    table = _at_batches(case, on, tried)
    if not (table["tpot_ms"] <= case.tpot_ms).any():
        raise lever_points_textbook.too_slow(case, table["tpot_ms"].min())
    place = tried.index(_best(table, case)["concurrency"])
    around = range(tried[max(place - 1, 0)], tried[min(place + 1, len(tried) - 1)] + 1)
    best = _best(_at_batches(case, on, list(around)), case)  # every batch between the neighbours of the best
    # the poor end of a time or a cost is the high one
    tpot_ms, usd_per_mtok = (best[[f"{name}_high", name, f"{name}_low"]].to_numpy(dtype=float)
                             for name in ("tpot_ms", "usd_per_mtok"))
    return {"batch": int(best["concurrency"]), "occupancy": float(best["occupancy"]), "calibrated": bool(best["calibrated"]),
            "tpot_ms": tpot_ms,
            "usd_per_mtok": lever_points_textbook.routed(case, usd_per_mtok) if "routing" in on else usd_per_mtok}


def _best(table, case):
    """The cheapest row of those that are fast enough."""
    return table.loc[table.loc[table["tpot_ms"] <= case.tpot_ms, "usd_per_mtok"].idxmin()]


def _at_batches(case, on, batches):
    """One row a batch that fits: operating points, with the occupancy of a static batch and the cost of its own tokens."""
    table = _points(tuple(batches), case.lengths, **given(case, on))
    if table.empty:
        raise lever_points_textbook.no_room(case, on)
    return table


@remembered
def _points(batches, lengths, **row):
    """The rows of :func:`_at_batches`, read only: paging and routing, say, leave them alone."""
    busy = np.array([batching.static_occupancy(int(batch), lengths) if row["load"] == "static" else 1.0 for batch in batches])
    # a static batch runs as long as its longest answer, which ends where the positions of the model do; of its slots only a
    # part makes tokens then
    longest = data.model(row["model"])["max_positions"] - row["isl"]
    table = calibrated.points(pd.DataFrame([
        row | {"concurrency": float(batch), "osl": min(row["osl"] / share, longest)}
        for batch, share in zip(batches, busy, strict=True)])).assign(occupancy=busy)
    # a static batch of which every slot is as long as the longest answer may be too much even for a paged cache
    refused = table["reason"] != ""
    if refused.any():
        table = table[~table["reason"].str.contains(calibrated.NO_ROOM)].reset_index(drop=True)
        if table["reason"].any():
            raise NoEstimate(table.loc[table["reason"] != "", "reason"].iloc[0])
    for end in calibrated.ENDS:  # the bill of a request over its own tokens, not over those of the longest
        table[f"usd_per_mtok{end}"] *= (table["isl"] + table["osl"]) / (row["isl"] + row["osl"])
    return table


def cost(case, on):
    """Expected cost of a million tokens with the levers in `on`. [USD/Mtok]"""
    return float(operating_point(case, on)["usd_per_mtok"][textbook.EXPECTED])

"""The waterfall: baseline, one lever after the other, result; every step worked out anew by both models."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import DoesNotFit, TooSlow
from tokenecon.finding import Finding, finding
from tokenecon.serving import operating_point, textbook
from tokenecon_book.chapters.software import lever_points_calibrated, lever_points_textbook
from tokenecon_book.chapters.software.lever_points_textbook import LEVERS, name
from tokenecon_book.documents.words import dollars

BASELINE = "baseline"
COLUMNS = {
    "step": ("After", None), "usd_per_mtok": ("Cost of all tokens", "USD/Mtok"), "batch": ("at batch", "sequence"),
    "textbook_usd_per_mtok": ("By the textbook", "USD/Mtok"), "textbook_batch": ("at batch", "sequence"),
    "occupancy": ("Slots busy", "fraction"), "tpot_ms": ("Time per output token", "ms/tok_out"),
}  # fmt: skip


@finding
def steps(case):
    """One row a step by the calibrated model, with the cost and batch of the textbook beside; the finding names both."""
    on, rows, before = frozenset(), [], None
    for lever in (None, *LEVERS):
        on = on | {lever} if lever else on
        point = lever_points_calibrated.operating_point(case, on)
        cost = float(point["usd_per_mtok"][textbook.EXPECTED])
        kind = "start" if lever is None else "down" if cost <= before else "up"
        label = BASELINE if lever is None else name(lever, case)
        rows.append({"step": label, "kind": kind, "start": 0.0 if lever is None else before, "end": cost,
                     "calibrated": point["calibrated"]} | lever_points_textbook.row_of(point) | _by_textbook(case, on))
        before = cost
    rows.append(rows[-1] | {"step": "all together", "kind": "total", "start": 0.0, "end": before})
    table = pd.DataFrame(rows)
    first, last = rows[0], rows[-1]
    worse = [row["step"] for row in rows if row["kind"] == "up"]
    ends = [row["textbook_usd_per_mtok"] for row in (first, last)]
    beside = "" if np.isnan(ends).any() else (
        f"By the textbook from {dollars(ends[0])} to {dollars(ends[1])}, {ends[0] / ends[1]:.1f} times. ")
    return Finding(table, (
        f"A million tokens fall from {dollars(first['end'])} to {dollars(last['end'])}, {first['end'] / last['end']:.1f} times "
        "cheaper" + (f"; at that load {' and '.join(worse)} add{'s' * (len(worse) == 1)} cost" if worse else "")), (
        f"{beside}At every step the cheapest batch that fits the memory and keeps a token under {case.tpot_ms:g} ms. "
        f"{operating_point.note(table)} Routing is arithmetic on prices in both models."),
        units={"start": "USD/Mtok", "end": "USD/Mtok"},
        baseline=f"The baseline is {data.model(case.model)['name']} on {case.n_gpus} {data.gpu(case.gpu)['name']}, weights and "
                 f"cache in 16 bits, {case.contiguous_waste:.0%} of the cache memory wasted, static batches of "
                 f"{first['batch']} with {first['occupancy']:.0%} of the slots busy")


def _by_textbook(case, on):
    """Cost and batch of the step by the textbook; empty where its memory or its speed allow none."""
    try:
        point = lever_points_textbook.operating_point(case, on)
    except (DoesNotFit, TooSlow):
        return {"textbook_batch": np.nan} | textbook.span("textbook_usd_per_mtok", [np.nan] * 3)
    return {"textbook_batch": float(point["batch"])} | textbook.span("textbook_usd_per_mtok", point["usd_per_mtok"])

"""The waterfall: baseline, one lever after the other, result; every step worked out anew by both models."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import DoesNotFit, TooSlow
from tokenecon.finding import Finding, ends, finding, given, named
from tokenecon.serving import operating_point, textbook
from tokenecon_book.chapters.software import lever_points_calibrated, lever_points_textbook, stacking
from tokenecon_book.chapters.software.lever_points_textbook import DOING, LEVERS, machines, name, of, wide
from tokenecon_book.documents import base
from tokenecon_book.documents.words import listed, percent, price

BASELINE = "baseline"
REACHED = "continuous"  # the last optimisation that the base case has
SAME = 1e-6  # by so much of each other costs are one
COLUMNS = {
    "step": ("After", None), "usd_per_mtok": ("Cost of all tokens", "USD/Mtok"), "n_gpus": ("GPUs", "GPU"),
    "batch": ("At batch", "sequence"), "tpot_ms": ("Time per output token", "ms/tok_out"),
    "textbook_usd_per_mtok": ("By the textbook", "USD/Mtok"),
}  # fmt: skip
RANGES = {"usd_per_mtok": "interval", "tpot_ms": "interval", "textbook_usd_per_mtok": "bound"}


@finding
def steps(case):
    """One row a step by the calibrated model, with the cost by the textbook beside; the finding names both."""
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
    worse = [name(lever, case, DOING) for lever, row in zip(LEVERS, rows[1:], strict=False) if row["kind"] == "up"]
    theirs = [row["textbook_usd_per_mtok"] for row in (first, last)]
    beside = "" if np.isnan(theirs).any() else (
        f"By the textbook from {price(theirs[0])} to {price(theirs[1])}, {theirs[0] / theirs[1]:.1f} times. ")
    costs = [named("cost-all", row["end"], price, **ends(row, "usd_per_mtok"), optimisations=words,
                   **of(case, n_gpus=row["n_gpus"], batch=row["batch"]))
             for row, words in ((first, "none"), (last, "all"))]
    times = named("cheaper-together", first["end"] / last["end"], stacking.factor, **stacking.ends_of_fall(case),
                  what="all optimisations", **of(case))
    return Finding(table, (
        f"With all optimisations of this page a million tokens fall from {costs[0]} to {costs[1]}, {times} times cheaper"
        + (f"; {listed(worse)} {'add' if len(worse) > 1 else 'adds'} cost" if worse else "")), (
        f"{beside}At every step the cheapest batch that fits the memory and keeps a token under {case.tpot_ms:g} ms, on "
        f"{' or '.join(f'{n_gpus:g}' for n_gpus in machines(case))} GPUs. "
        f"{operating_point.note(table)} Routing is arithmetic on prices in both models."),
        units={"start": "USD/Mtok", "end": "USD/Mtok"}, start=_start(case, first), reached=_reached(case, rows),
        baseline=_baseline(case, first))


def _start(case, first):
    """On which machine the ladder starts and why, for the first lines of the page."""
    model, gpu = data.model(case.model)["name"], data.gpu(case.gpu)["name"]
    here = named("replica-gpus", case.n_gpus, "{:.0f}".format, **case.costed)
    if first["n_gpus"] == case.n_gpus:
        return f"The ladder starts with {model} in {wide()} on the page's own {here} {gpu}."
    there = _gpus(case, first)
    try:
        lever_points_calibrated.on_machine(case, frozenset())
        why = f"costs more on the {here} {gpu} of this page's case than on {there}"
    except DoesNotFit:
        why = f"leaves no room for a request on the {here} {gpu} of this page's case"
    except TooSlow:
        why = f"is too slow on the {here} {gpu} of this page's case"
    return (f"In {wide()} {model} {why}, so the ladder starts on {there}; every later step runs on {here} or {there}, "
            "whichever is cheaper.")


def _gpus(case, row):
    return named("replica-gpus", row["n_gpus"], "{:.0f}".format, optimisations="none", **of(case))


def _baseline(case, first):
    """The baseline in words."""
    batch = named("batch-cheapest", first["batch"], "{:,.0f}".format, optimisations="none", **of(case))
    busy = named("slots-live", first["occupancy"], percent, batch=first["batch"], lengths=case.lengths)
    return (f"The baseline is {data.model(case.model)['name']} on {_gpus(case, first)} {data.gpu(case.gpu)['name']}, weights and "
            f"cache in {wide()}, {given(case, 'contiguous_waste', percent)} of the cache memory wasted, static batches of "
            f"{batch} with {busy} of the slots busy")


def _reached(case, rows):
    """Where the ladder stands once requests are batched continuously: at the base case, where the page is that case."""
    row = rows[1 + list(LEVERS).index(REACHED)]
    machine, cost = SimpleNamespace(**vars(case)), row["end"]
    machine.n_gpus, machine.batch = row["n_gpus"], row["batch"]
    usual = calibrated_cost(case)
    same = row["n_gpus"] == case.n_gpus and usual is not None and abs(cost / usual - 1) < SAME
    said = named("cost-all", cost, price, **ends(row, "usd_per_mtok"), **(case.costed if same else base.instance(machine)))
    gpus = named("replica-gpus", row["n_gpus"], "{:.0f}".format,
                 **(case.costed if same else of(case, optimisations=REACHED)))
    where = "the ladder is at the case of this page: " if same else ""
    return (f"After continuous batching {where}a million tokens cost {said} on {gpus} {data.gpu(case.gpu)['name']}.")


def calibrated_cost(case):
    """Cost of all tokens of the page's case as the base case has it, machines alone; None where it is not. [USD/Mtok]"""
    if "kind" not in case.costed:
        return None
    scene = base.of(case)
    return base.machines(scene, base.bill(case))


def _by_textbook(case, on):
    """Cost of the step by the textbook; empty where its memory or its speed allow none."""
    try:
        point = lever_points_textbook.operating_point(case, on)
    except (DoesNotFit, TooSlow):
        return textbook.span("textbook_usd_per_mtok", [np.nan] * 3)
    return textbook.span("textbook_usd_per_mtok", point["usd_per_mtok"])

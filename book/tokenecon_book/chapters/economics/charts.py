"""Figures of the chapter on the economics of tokens."""

import numpy as np

from tokenecon_book.charts.forms import axis, few, intervals, lines, mark, with_textbook

COST = axis("usd_per_mtok_out", "Cost of output", "USD/Mtok_out", log=True)
RANGES = {"calibrated": "interval", "textbook": "bound"}
BATCH = axis("concurrency", "Batch: requests decoded together", "sequence", log=True)


def price_levels(found):
    """What a million tokens costs by each figure, on one axis: the ends of what the documents print and what lies between."""
    rows = found.table[~found.table["group"].str.startswith("textbook")].sort_values("usd_per_mtok", ignore_index=True)
    rank = rows["usd_per_mtok"].apply(np.log).diff()  # of neighbours that nearly coincide the dearer one goes
    ends = rows[rows["group"] == "documents"].index[[0, -1]]
    rank = rank.mask(rows.index.isin(ends) | rows["group"].str.startswith("rented"), np.inf)
    return intervals(few(rows, rank), axis("usd_per_mtok", "Cost of tokens", "USD/Mtok", log=True), "label", group="group",
                     range={"rented, as on this page": "interval", "textbook, as on this page": "bound"},
                     known=dict.fromkeys(("rented, as on this page", "textbook, as on this page"), "modelled"))


def _thresholds(found):
    marks = [mark("x", found["max_concurrency"], found["end"])]
    critical = found["critical_batch"]
    return marks if critical is None else [mark("x", critical, "critical batch"), *marks]


def batch_cost(found):
    """Cost over batch by both models, with the critical batch and the end of the memory."""
    return lines(found.table, BATCH, COST, "by", range=RANGES, marks=_thresholds(found))


def batch_latency(found):
    """Time per output token over batch, with the same two thresholds and what the documents say of their batch."""
    return lines(found.table, BATCH, axis("tpot_ms", "Time per output token", "ms/tok_out", zero=True), "by",
                 range=RANGES, marks=_thresholds(found), points=found["claimed"])


def context(found):
    """Growth of prefill arithmetic over context under three laws, and the documents' claim."""
    return lines(found.table, axis("context_tokens", "Context", "tok", log=True),
                 axis("cost_ratio", "Arithmetic of the prompt, short window = 1", "ratio", log=True), "law",
                 points=found["claimed"])


def sizes(found):
    """Growth of cost over growth of parameters at each step in size, and what the documents say it is."""
    growth = axis("excess", "Cost over that of the next smaller model, growth in parameters = 1", "ratio", zero=True)
    marks = [mark("x", found["claimed_low"], "documents, low"), mark("x", found["claimed_high"], "documents, high")]
    return intervals(with_textbook(found.table, "step", "excess", "by"), growth, "step", known="modelled", sort=False,
                     marks=marks)


def precisions(found):
    """Cost by weight format and load relative to the first format, calibrated and textbook."""
    cost = axis("relative_cost", "Cost of all tokens, FP16 = 1", "ratio", zero=True)
    return intervals(with_textbook(found.table, "label", "relative_cost", "by"), cost, "label", known="modelled", sort=False)

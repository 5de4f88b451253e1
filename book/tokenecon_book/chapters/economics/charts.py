"""Figures of the chapter on the economics of tokens."""

from tokenecon_book.charts.forms import axis, bars, intervals, lines, mark

COST = axis("usd_per_mtok_out", "Cost of output", "USD/Mtok_out", log=True)
BATCH = axis("concurrency", "Batch: requests decoded together", "sequence", log=True)


def price_levels(table):
    """What a million tokens costs by each figure, on one axis."""
    return intervals(table, axis("usd_per_mtok", "Cost of tokens", "USD/Mtok", log=True), "label", group="group")


def _thresholds(table):
    marks = [mark("x", table.attrs["max_concurrency"], table.attrs["end"])]
    critical = table.attrs["critical_batch"]
    return marks if critical is None else [mark("x", critical, "critical batch"), *marks]


def batch_cost(table):
    """Cost over batch by both models, with the critical batch and the end of the memory."""
    return lines(table, BATCH, COST, "by", marks=_thresholds(table))


def batch_latency(table):
    """Time per output token over batch, with the same two thresholds."""
    return lines(table, BATCH, axis("tpot_ms", "Time per output token", "ms/tok_out", zero=True), "by",
                 marks=_thresholds(table))


def context(table, claimed):
    """Growth of prefill arithmetic over context under three laws, and the documents' claim."""
    return lines(table, axis("context_tokens", "Context", "tok", log=True),
                 axis("cost_ratio", "Arithmetic of the prompt, short window = 1", "ratio", log=True), "law",
                 points=claimed)


def sizes(table):
    """Growth of cost over growth of parameters at each step in size, and what the documents say it is."""
    growth = axis("excess", "Cost over that of the next smaller model, growth in parameters = 1", "ratio", zero=True)
    marks = [mark("x", table.attrs["claimed_low"], "documents, low"), mark("x", table.attrs["claimed_high"], "documents, high")]
    return bars(table, growth, "step", "by", stacked=False, sort=False, marks=marks)


def precisions(table):
    """Cost by weight format and load relative to the first format, calibrated and textbook."""
    return bars(table, axis("relative_cost", "Cost of output, FP16 = 1", "ratio", zero=True), "label", "by",
                stacked=False, sort=False)

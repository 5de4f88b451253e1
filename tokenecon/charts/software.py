"""Figures of the chapter on software optimisations."""

from tokenecon.charts.forms import axis, heatmap, intervals, lines, mark, waterfall

BATCH = axis("batch", "Batch: requests decoded together", "sequence", log=True)


def steps(table):
    """Cost of a token from the baseline down, lever after lever."""
    return waterfall(table, axis("usd_per_mtok", "Cost of input and output together", "USD/Mtok"), "step")


def products(table):
    """Savings multiplied, and the same levers recomputed."""
    return intervals(table, axis("cost_factor", "Times cheaper than the baseline", "ratio", log=True), "what",
                     group="how", sort=False)


def quantisation(table, points):
    """Speed-up by fewer bits over the batch, with published points."""
    return lines(table, BATCH, axis("speedup", "Decode step in 16 bits over fewer", "ratio", zero=True), "format",
                 points=points, marks=[mark("x", table.attrs["wide_ceiling"], "16 bits fill the memory")])


def concurrency(table):
    """Requests that fit, by attention structure and packing."""
    return heatmap(table, axis("packing", "Cache"), axis("structure", "Attention"),
                   axis("factor", "Requests that fit, multi-head and contiguous = 1", "ratio", log=True))


def speculation(table, points):
    """Speed-up of speculation over the batch by both models, with published points."""
    return lines(table, BATCH, axis("speedup", "Speed with speculation over without", "ratio", zero=True), "assumption",
                 points=points)


def occupancy(table):
    """Busy slots of a static batch over its size, and the documents' two figures."""
    return lines(table, BATCH, axis("occupancy", "Slots that do work", "fraction", zero=True), "lengths", marks=[
        mark("y", table.attrs["claimed_static"], "documents: static"),
        mark("y", table.attrs["claimed_continuous"], "documents: continuous")])

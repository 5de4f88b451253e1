"""Figures of the chapter on software optimisations."""

from tokenecon_book.charts.forms import axis, intervals, lines, mark, waterfall
from tokenecon_book.charts.timeline import timeline

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


def speculation(table, points):
    """Speed-up of speculation over the batch by both models, with published points."""
    return lines(table, BATCH, axis("speedup", "Speed with speculation over without", "ratio", zero=True), "assumption",
                 points=points)


def occupancy(table, points):
    """Busy slots of a static batch over its size, simulated batches, and the documents' two figures."""
    return lines(table, BATCH, axis("occupancy", "Slots that do work", "fraction", zero=True), "lengths", points=points, marks=[
        mark("y", table.attrs["claimed_static"], "documents: static"),
        mark("y", table.attrs["claimed_continuous"], "documents: continuous")])


def slots(table):
    """What each slot does over time, static batches above continuous ones."""
    time = axis("start_s", "Time", "s", domain=(0, table.attrs["end_s"]))
    return timeline(table, time, "end_s", "state", rows=table.attrs["rows"], panels=table.attrs["panels"], named=[
        ("batching", "batching"), ("slot", "slot")])

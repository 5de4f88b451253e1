"""Figures of the chapter on software optimisations."""

from tokenecon_book.charts.forms import axis, intervals, lines, mark, waterfall, with_textbook
from tokenecon_book.charts.timeline import timeline

BATCH = axis("batch", "Batch: requests decoded together", "sequence", log=True)


def steps(found):
    """Cost of a token from the baseline down, lever after lever."""
    return waterfall(found.table, axis("usd_per_mtok", "Cost of all tokens", "USD/Mtok"), "step")


def products(found):
    """Savings multiplied, and the same levers recomputed."""
    rows = with_textbook(found.table, "what", "cost_factor", "how")
    known = {how: "modelled" for how in rows["how"] if not how.startswith("documents")}
    return intervals(rows, axis("cost_factor", "Times cheaper than the baseline", "ratio", log=True), "what",
                     range="bound", group="how", known=known, sort=False)


def quantisation(found):
    """Speed-up by fewer bits over the batch, with published points."""
    return lines(found.table, BATCH, axis("speedup", "Decode step in 16 bits over fewer", "ratio", zero=True), "format",
                 points=found["points"], marks=[mark("x", found["wide_ceiling"], "16 bits fill the memory")])


def speculation(found):
    """Speed-up of speculation over the batch by both models, with published points."""
    return lines(found.table, BATCH, axis("speedup", "Speed with speculation over without", "ratio", zero=True), "assumption",
                 range="bound", points=found["points"])


def occupancy(found):
    """Busy slots of a static batch over its size, simulated batches, and the documents' two figures."""
    return lines(found.table, BATCH, axis("occupancy", "Slots that do work", "fraction", zero=True), "lengths",
                 points=found["points"], marks=[mark("y", found["claimed_static"], "documents: static"),
                                                mark("y", found["claimed_continuous"], "documents: continuous")])


def slots(found):
    """What each slot does over time, static batches above continuous ones."""
    time = axis("start_s", "Time", "s", domain=(0, found["end_s"]))
    return timeline(found.table, time, "end_s", "state", rows=found["rows"], panels=found["panels"], named=[
        ("batching", "batching"), ("slot", "slot")])

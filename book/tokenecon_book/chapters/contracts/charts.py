"""Figures of the chapter on contracts."""

from tokenecon_book.charts.areas import areas
from tokenecon_book.charts.forms import axis, lines, mark


def spot(table):
    """Price of an hour of work on spot GPUs over interruptions."""
    return lines(table, axis("interruptions_per_hour", "Interruptions of a running hour", "1/h"),
                 axis("price_ratio", "Price of an hour of work, on demand = 1", "ratio", zero=True), "availability",
                 marks=[mark("y", table.attrs["committed"], "three-year commitment")])


def commitment(table):
    """Bill over the committed share of the peak, with the best commitment of each contract."""
    return lines(table, axis("committed_share", "Committed share of the peak", "fraction"),
                 axis("cost_ratio", "Bill, all on demand = 1", "ratio"), "contract", points=table.attrs["best"],
                 marks=[mark("y", 1.0, "all on demand")])


def mix(table):
    """Paid GPUs by the hour and contract, with what the busiest hour needs."""
    return areas(table, axis("hour", "Hour of the load profile", "h", values=table.attrs["ticks"]),
                 axis("n_gpus", "GPUs paid for", "GPU"), "contract",
                 marks=[mark("y", table.attrs["needed"], "busiest hour")])

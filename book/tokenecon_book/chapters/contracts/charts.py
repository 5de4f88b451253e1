"""Figures of the chapter on contracts."""

from tokenecon_book.charts import theme
from tokenecon_book.charts.areas import areas
from tokenecon_book.charts.forms import axis, intervals, lines, mark

SHOWN = 5  # designs: the base case, three ways to buy less than all, the mix


def spot(found):
    """Price of an hour of work on spot GPUs over interruptions."""
    return lines(found.table, axis("interruptions_per_hour", "Interruptions of a running hour", "1/h"),
                 axis("price_ratio", "Price of an hour of work, on demand = 1", "ratio", zero=True), "availability",
                 range="bound", marks=[mark("y", found["committed"], "three-year commitment")])


def commitment(found):
    """Bill over the committed share of the peak, with the best commitment of each contract."""
    return lines(found.table, axis("committed_share", "Committed share of the peak", "fraction"),
                 axis("cost_ratio", "Bill, all on demand = 1", "ratio"), "contract", points=found["best"],
                 marks=[mark("y", 1.0, "")])


def mix(found):
    """Paid GPUs by the hour and contract, with what the busiest hour needs."""
    return areas(found.table, axis("hour", "Hour of the load profile", "h", values=found["ticks"]),
                 axis("n_gpus", "GPUs paid for", "GPU"), "contract",
                 marks=[mark("y", found["needed"], "busiest hour")])


def bills(found):
    """Machine hours of a day by what may be bought, from all on demand to the mix."""
    rows = found.table.dropna(subset=["usd_per_day"]).head(SHOWN)
    return intervals(rows, axis("usd_per_day", "Machine hours of a day", "USD/day", zero=True), "design", range="bound",
                     known="modelled", hue=theme.RENT, sort=False)

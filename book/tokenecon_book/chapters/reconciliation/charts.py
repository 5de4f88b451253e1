"""Figures of the page on why prices of the same tokens differ."""

from tokenecon_book.charts.forms import axis, intervals


def steps(found):
    """From the dearest number to the cheapest, each line one difference further."""
    return intervals(found.table, axis("usd_per_mtok", "Cost of a million of the tokens counted", "USD/Mtok", log=True), "step",
                     group="counted", range="bound", known="modelled", sort=False)


def crossings(found):
    """Volumes from which a fleet costs less than the API, by whose prices are compared."""
    rows = found.table[found.table["note"] != "at no volume"]
    rows = rows.assign(way=rows["what"].str.partition(", ")[0])
    return intervals(rows, axis("requests_per_day", "Cheaper than the API from", "request/day", log=True), "what", group="way",
                     range="interval", known="modelled", sort=False)


def others(found):
    """Our figures over published ones, with both ranges at their outer ends."""
    return intervals(found.table, axis("ratio", "Ours over theirs", "ratio", log=True), "what", range="bound", known="modelled",
                     sort=False)

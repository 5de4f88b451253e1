"""Figures of the chapter on traffic."""

from tokenecon_book.charts.forms import axis, lines, mark

DAYS = axis("day", "Time", "day", values=list(range(8)))


def week(found):
    """The hours of a week of real services over their means."""
    return lines(found.table, DAYS, axis("ratio", "Rate of the hour over the mean", "ratio", zero=True), "service")


def fleets(found):
    """GPUs paid for through a week by policy, and those that the work would fill."""
    return lines(found.table, DAYS, axis("n_gpus", "GPUs", "GPU", zero=True), "kind", step=True)


def cost(found):
    """Cost of a token over the load, all paid time and busy time alone."""
    return lines(found.table, axis("requests_per_day", "Requests on the mean day", "request/day", log=True),
                 axis("usd_per_mtok", "Cost of all tokens", "USD/Mtok", log=True), "basis", range="interval",
                 marks=[mark("x", found["requests_per_day"], "load of the page")])


def clients(found):
    """How full a pool is over the clients in it, by the book and in traces."""
    return lines(found.table, axis("clients", "Clients in one pool", "count", log=True, values=[1, 2, 4, 8, 16, 32]),
                 axis("utilisation", "Busy share of the pool", "fraction", domain=(0, 1)), "kind")


def zones(found):
    """How full a fleet is over the time zones it serves."""
    return lines(found.table, axis("zones", "Time zones, spread over the day", "count", log=True,
                                   values=[1, 2, 3, 4, 6, 8, 12, 24]),
                 axis("utilisation", "Mean load over that of the busiest hour", "fraction", domain=(0, 1)), "kind")

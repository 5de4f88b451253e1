"""Figures of the chapter on deployment."""

from tokenecon_book.charts.forms import axis, lines, mark


def pool_sizes(found):
    """How full a pool may be over its size, with the documents' two figures."""
    return lines(found.table, axis("n_gpus", "GPUs in one pool", "GPU", log=True),
                 axis("utilisation", "Busy share of the pool", "fraction", domain=(0, 1)), "kind",
                 range="bound", points=found["claimed"])


def edge_penalty(found):
    """Cost at the edge over cost in the centre by the size of a site, with the documents' range."""
    claimed = mark("y", found["claimed_low"], "documents", to=found["claimed_high"])
    site = mark("x", found["site"], "site of the page")
    return lines(found.table, axis("gpus_per_site", "GPUs of the centre over the number of sites", "GPU", log=True),
                 axis("cost_ratio", "Cost of a token, one centre = 1", "ratio", log=True), "kind",
                 range="bound", marks=[claimed, site], order=found["order"])


def volume(found):
    """Cost over the requests of a day: owned and rented machines against prices paid by the token."""
    marks = [mark("x", found["requests_per_day"], "the base case's volume")]
    return lines(found.table, axis("requests_per_day", "Requests a day", "request/day", log=True),
                 axis("usd_per_mtok", "Cost of all tokens", "USD/Mtok", log=True), "choice", range="interval",
                 marks=marks)


def serverless(found):
    """Cost over requests an hour: by the second, around the clock, at an API."""
    table, below = found.table, found["pays_below"]
    marks = [mark("x", below, "paid around the clock from here")] if below and below < table["requests_per_hour"].max() else []
    return lines(table, axis("requests_per_hour", "Requests in a mean hour", "request/h", log=True),
                 axis("usd_per_mtok", "Cost of all tokens", "USD/Mtok", log=True), "offer",
                 range={"by the second": "bound", "around the clock": "interval", "API": "sellers"}, marks=marks)


def hybrid(found):
    """Bill over the share of tokens answered at the edge."""
    return lines(found.table, axis("edge_share", "Share of tokens answered at the edge", "fraction"),
                 axis("cost_ratio", "Bill, all on the large model in the centre = 1", "ratio", zero=True), "design",
                 range="bound", marks=[mark("x", found["edge_share"], "share of the page")])

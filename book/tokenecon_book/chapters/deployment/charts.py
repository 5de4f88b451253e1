"""Figures of the chapter on deployment."""

from tokenecon_book.charts.forms import axis, lines, mark


def pool_sizes(table):
    """How full a pool may be over its size, with the documents' two figures."""
    return lines(table, axis("n_gpus", "GPUs in one pool", "GPU", log=True),
                 axis("utilisation", "Busy share of the pool", "fraction", domain=(0, 1)), "kind",
                 points=table.attrs["claimed"])


def edge_penalty(table):
    """Cost at the edge over cost in the centre by the size of a site, with the documents' range."""
    claimed = mark("y", table.attrs["claimed_low"], "documents", to=table.attrs["claimed_high"])
    site = mark("x", table.attrs["site"], "site of the page")
    return lines(table, axis("gpus_per_site", "GPUs of the centre over the number of sites", "GPU", log=True),
                 axis("cost_ratio", "Cost of a token, one centre = 1", "ratio", log=True), "kind", marks=[claimed, site],
                 order=table.attrs["order"])


def volume(table):
    """Cost over daily volume: own replicas against prices paid by the token."""
    marks = [mark("x", table.attrs["tokens_per_day"], "volume of the page")]
    if table.attrs["break_even"] is not None:
        marks.insert(0, mark("x", table.attrs["break_even"], "own pays from here"))
    return lines(table, axis("tok_per_day", "Tokens a day, input and output", "tok/day", log=True),
                 axis("usd_per_mtok", "Cost of both kinds", "USD/Mtok", log=True), "offer", marks=marks)


def serverless(table):
    """Cost over requests an hour: by the second, around the clock, at an API."""
    below = table.attrs["pays_below"]
    marks = [mark("x", below, "paid around the clock from here")] if below and below < table["requests_per_hour"].max() else []
    return lines(table, axis("requests_per_hour", "Requests in a mean hour", "request/h", log=True),
                 axis("usd_per_mtok", "Cost of tokens, input and output", "USD/Mtok", log=True), "offer", marks=marks)


def hybrid(table):
    """Bill over the share of tokens answered at the edge."""
    return lines(table, axis("edge_share", "Share of tokens answered at the edge", "fraction"),
                 axis("cost_ratio", "Bill, all on the large model in the centre = 1", "ratio", zero=True), "design",
                 marks=[mark("x", table.attrs["edge_share"], "share of the page")])

"""Figures of the chapter on deployment."""

from tokenecon.charts.forms import axis, lines, mark


def pool_sizes(table):
    """How full a pool may be over its size, with the documents' two figures."""
    return lines(table, axis("gpus", "GPUs in one pool", "GPU", log=True),
                 axis("utilisation", "Busy share of the pool", "fraction", domain=(0, 1)), "kind",
                 points=table.attrs["claimed"])


def edge_penalty(table):
    """Cost at the edge over cost in the centre by the size of a site, with the documents' range."""
    claimed = mark("y", table.attrs["claimed_low"], "documents", to=table.attrs["claimed_high"])
    site = mark("x", table.attrs["site"], "site of the page")
    return lines(table, axis("gpus_per_site", "GPUs at a site", "GPU", log=True),
                 axis("cost_ratio", "Cost of a token, one centre = 1", "ratio", log=True), "kind", marks=[claimed, site])


def volume(table):
    """Cost over daily volume: own instances against prices paid by the token."""
    marks = [mark("x", table.attrs["tokens_per_day"], "volume of the page")]
    if table.attrs["break_even"] is not None:
        marks.insert(0, mark("x", table.attrs["break_even"], "own pays from here"))
    return lines(table, axis("tok_per_day", "Tokens a day, input and output", "tok/day", log=True),
                 axis("usd_per_mtok", "Cost of both kinds", "USD/Mtok", log=True), "offer", marks=marks)


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


def hybrid(table):
    """Bill over the share of tokens answered at the edge."""
    return lines(table, axis("edge_share", "Share of tokens answered at the edge", "fraction"),
                 axis("cost_ratio", "Bill, all on the large model in the centre = 1", "ratio", zero=True), "design",
                 marks=[mark("x", table.attrs["edge_share"], "share of the page")])

"""Figures of the case on a bank whose groups share nothing."""

from tokenecon_book.charts.forms import axis, intervals, lines, mark

GROUPS = axis("groups", "Groups that share nothing", "count", log=True)


def concurrency(found):
    """Requests in flight over the requests of an analyst."""
    return lines(found.table, axis("requests_per_hour", "Requests of an analyst", "request/h", log=True),
                 axis("in_flight", "Requests in flight", "sequence", log=True), range="interval",
                 marks=[mark("x", found["hourly"], "page"), mark("y", found["one"], "one replica")])


def isolation(found):
    """Cost over the number of groups, one pool = 1: chance, whole replicas, together."""
    return lines(found.table, GROUPS, axis("cost_ratio", "Cost of a token, one pool = 1", "ratio", log=True), "cause")


def strictness(found):
    """Monthly cost of an analyst by how much the groups share."""
    return intervals(found.table, axis("usd_per_month", "GPUs for one analyst", "USD/month", log=True), "design", group="hour",
                     range={"rented": "offers", "owned": "draws"}, known="modelled", sort=False)

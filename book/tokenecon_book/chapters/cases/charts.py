"""Figures of the documents' three case studies."""

import pandas as pd

from tokenecon_book.charts.forms import axis, bars, intervals, lines, mark

AUDIO = axis("usd_per_audio_hour", "Cost of an hour of audio", "USD/h", log=True)
GROUPS = axis("groups", "Groups that share nothing", "count", log=True)


def audio_hour(table):
    """An hour of audio by each figure, on one axis."""
    return intervals(table, AUDIO, "label", group="group", title=table.attrs["title"])


def arithmetic(table):
    """Cost of an hour of audio over the share of peak, with the bill and the public price."""
    marks = [mark("y", value, label) for label, value in table.attrs["marks"].items()]
    found = table.attrs["points"]
    return lines(table, axis("mfu", "Share of peak arithmetic reached", "fraction", log=True), AUDIO, marks=marks,
                 points=None if found is None else pd.DataFrame(found))


def stacking(table):
    """The bill after each of the documents' savings, for two baselines, with the bill they print."""
    return bars(table, axis("usd_per_day", "Cost", "USD/day"), "step", "baseline", stacked=False,
                marks=[mark("x", table.attrs["bill"], "second bill")])


def price_levels(table):
    """A million tokens by each figure."""
    return intervals(table, axis("usd_per_mtok", "Cost of tokens", "USD/Mtok", log=True), "label", group="group")


def turn(table):
    """Tokens of a turn: implied and measured."""
    return intervals(table, axis("tok_per_turn", "Tokens", "tok", log=True), "label", group="group", sort=False)


def bill(table):
    """Monthly cost over tokens of a turn, own fleet and API, with the bill and the turn that the documents leave."""
    return lines(table, axis("tok_per_turn", "Tokens of a turn", "tok/request", log=True),
                 axis("usd_per_month", "Cost", "USD/month", log=True), "offer",
                 marks=[mark("y", table.attrs["bill"], "bill as paid"), mark("x", table.attrs["implied"], "implied"),
                        mark("x", table.attrs["usual"], "public trace")])


def concurrency(table):
    """Requests in flight over the requests of an analyst."""
    return lines(table, axis("requests_per_hour", "Requests of an analyst", "request/h", log=True),
                 axis("in_flight", "Requests in flight", "sequence", log=True),
                 marks=[mark("x", table.attrs["hourly"], "page"), mark("y", table.attrs["one"], "one replica")])


def isolation(table):
    """Cost over the number of groups, one pool = 1: chance, whole replicas, together."""
    return lines(table, GROUPS, axis("cost_ratio", "Cost of a token, one pool = 1", "ratio", log=True), "cause")


def strictness(table):
    """Monthly cost of an analyst by how much the groups share."""
    return intervals(table, axis("usd_per_month", "GPUs for one analyst", "USD/month", log=True), "design", sort=False)

"""Figures of the case on transcribed podcasts."""

import pandas as pd

from tokenecon_book.charts.forms import axis, bars, intervals, lines, mark

AUDIO = axis("usd_per_audio_hour", "Cost of an hour of audio", "USD/h", log=True)


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

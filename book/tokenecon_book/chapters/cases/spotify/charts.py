"""Figures of the case on transcribed podcasts."""

from tokenecon_book.charts.forms import axis, bars, intervals, lines, mark

AUDIO = axis("usd_per_audio_hour", "Cost of an hour of audio", "USD/h", log=True)


def audio_hour(found):
    """An hour of audio by each figure, on one axis."""
    made = [group for group in found.table["group"].unique() if group.startswith(("rented", "owned"))]
    return intervals(found.table, AUDIO, "label", group="group", range="bound", known=dict.fromkeys(made, "modelled"),
                     title=found["title"])


def arithmetic(found):
    """Cost of an hour of audio over the share of peak, with the bill and the public price."""
    marks = [mark("y", value, label) for label, value in found["marks"].items()]
    return lines(found.table, axis("mfu", "Share of peak arithmetic reached", "fraction", log=True), AUDIO,
                 range="offers", marks=marks, points=found["points"])


def stacking(found):
    """The bill after each of the documents' savings, for two baselines, with the bill they print."""
    return bars(found.table, axis("usd_per_day", "Cost", "USD/day"), "step", "baseline", stacked=False,
                marks=[mark("x", found["bill"], "second bill")])

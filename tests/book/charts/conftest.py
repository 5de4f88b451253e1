"""A small table and figure that the tests of the charts share."""

from typing import NamedTuple

import pandas as pd
import pytest

from tokenecon_book.charts import figure, forms

SOURCES = [
    {
        "id": "maker-2025", "title": "Data sheet <of> an accelerator", "publisher": "Maker & Co.",
        "url": "https://example.org/sheet?a=1&b=2", "published": "2025-03", "licence": "facts cited",
    }
]


@pytest.fixture
def curve():
    """Cost over batch for two precisions, with ranges."""
    rows = [
        {"precision": name, "batch": batch, "usd_per_mtok_out": cost, "usd_per_mtok_out_low": cost * 0.7,
         "usd_per_mtok_out_high": cost * 1.9, "tpot_ms": 11.123456789}
        for name, costs in {"16 bit": (21.0, 5.5, 1.7), "8 bit": (11.0, 3.1, 1.2)}.items()
        for batch, cost in zip((1, 4, 16), costs, strict=True)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def axes():
    """Both axes of the curve."""
    return (
        forms.axis("batch", "Sequences decoded together", "sequence", log=True),
        forms.axis("usd_per_mtok_out", "Cost", "USD/Mtok_out", log=True),
    )


class Found(NamedTuple):
    """What a chart takes of a finding, made without data."""

    table: pd.DataFrame
    sentence: str = "Batching cuts the cost of a token twelve-fold"
    note: str = "Range: cheapest to dearest <offer>."
    cited: tuple = SOURCES
    units: dict = {"tpot_ms": "ms/tok_out"}  # noqa: RUF012
    quantities: tuple = ()
    sources: tuple = ("maker-2025",)
    behind: dict = {}  # noqa: RUF012
    makers: tuple = ("tokenecon.ownership.owned_hour:owned",)


@pytest.fixture
def found():
    """A finding about any table."""
    return Found


@pytest.fixture
def shown(curve, axes):
    """A figure as a notebook shows it."""
    chart = forms.lines(curve, *axes, "precision", range="interval", marks=[forms.mark("x", 9, "critical batch")])
    return figure("economics-batch", Found(curve), chart, "Cost falls with the batch, steeply at first")

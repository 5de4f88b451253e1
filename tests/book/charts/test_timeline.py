"""Bars over time in groups of rows."""

import pandas as pd
import pytest

from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import axis
from tokenecon_book.charts.timeline import ROW, timeline

TABLE = pd.DataFrame({
    "slot": [1, 1, 2], "start_s": [0.0, 2.0, 0.0], "end_s": [2.0, 5.0, 4.0], "seconds": [2.0, 3.0, 4.0],
    "state": ["reads", "writes", "reads"], "top": [3.0, 3.0, 4.0], "bottom": [3.8, 3.8, 4.8]})


@pytest.fixture
def spec():
    drawn = timeline(TABLE, axis("start_s", "Time", "s"), "end_s", "state", rows=5, named=[("slot", "slot")],
                     panels=[{"label": "both", "top": 3}])
    return drawn.to_dict()


def test_each_stretch_is_a_bar_where_the_table_puts_it(spec):
    bar = spec["layer"][0]["encoding"]
    assert (bar["x"]["field"], bar["x2"]["field"], bar["y"]["field"], bar["y2"]["field"]) == ("start_s", "end_s", "top", "bottom")
    assert bar["y"]["scale"]["domain"] == [5, 0] and spec["height"] == 5 * ROW  # the first row on top
    assert bar["color"]["scale"] == {"domain": ["reads", "writes"], "range": list(theme.OTHERS[:2])}


def test_the_pointer_says_slot_state_begin_and_length(spec):
    assert [line["title"] for line in spec["layer"][0]["encoding"]["tooltip"]] == [
        "slot", "state", "Time [seconds]", "for [seconds]"]


def test_groups_of_rows_are_named_above_their_first(spec):
    heads = spec["layer"][-1]
    assert heads["data"]["values"] == [{"label": "both", "top": 3, "start_s": 0.0}]

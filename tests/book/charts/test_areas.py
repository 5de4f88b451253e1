"""Stacked areas: what is drawn, in which order, and up to where."""

import json

import pandas as pd
import pytest

from tokenecon_book.charts import forms
from tokenecon_book.charts.areas import areas


@pytest.fixture
def paid():
    return pd.DataFrame([{"hour": hour, "contract": name, "n_gpus": n_gpus} for name, used in
                          {"three-year contract": (2, 2, 2), "spot": (1, 3, 0)}.items() for hour, n_gpus in enumerate(used)])


def drawn(table, **more):
    x, y = forms.axis("hour", "Hour", "h"), forms.axis("n_gpus", "GPUs paid for", "GPU")
    return areas(table, x, y, "contract", **more).to_dict()


def test_the_axis_reaches_the_highest_sum_and_the_marks(paid):
    # 2 + 3 in hour 1
    assert drawn(paid)["layer"][0]["encoding"]["y"]["scale"]["domain"][1] == 5
    higher = drawn(paid, marks=[forms.mark("y", 8.0, "needed")])
    assert higher["layer"][0]["encoding"]["y"]["scale"]["domain"][1] == pytest.approx(8.8)
    assert '"needed"' in json.dumps(higher)


def test_areas_hold_until_the_next_hour_and_keep_their_order(paid):
    spec = drawn(paid, order=["spot", "three-year contract"])
    assert spec["layer"][0]["mark"]["interpolate"] == "step-after"
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["spot", "three-year contract"]
    ranks = {row["contract"]: row["_rank"] for rows in spec["datasets"].values() for row in rows if "_rank" in row}
    assert ranks == {"spot": 0, "three-year contract": 1}

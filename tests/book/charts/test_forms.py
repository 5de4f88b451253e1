"""The chart forms: what they draw, what they refuse."""

import json

import numpy as np
import pandas as pd
import pytest

from tokenecon_book.charts import figure, forms
from tokenecon_book.charts.axes import log_ticks
from tokenecon_book.charts.frame import apart, free_places, pixel, value_at

ALT = "A chart drawn for a test of the form"


def spec(chart):
    return chart.to_dict()


def rows_of(chart):
    """All data of a chart, as rows."""
    return [row for rows in spec(chart)["datasets"].values() for row in rows]


def costs():
    return pd.DataFrame(
        {
            "gpu": ["H100", "B200", "A100"], "vendor": ["N", "N", "A"], "usd": [0.9, 0.41, 1.6],
            "usd_low": [0.5, 0.2, 0.8], "usd_high": [1.4, 0.7, 2.6], "memory": [80.0, 192.0, 40.0],
        }
    )


USD = forms.axis("usd", "Cost", "USD/Mtok_out")


def test_a_form_has_no_title_but_one_of_its_own():
    assert not spec(forms.intervals(costs(), USD, "gpu", range="offers"))["title"]["text"]
    assert spec(forms.intervals(costs(), USD, "gpu", range="offers", title="Mine"))["title"]["text"] == ["Mine"]


def test_intervals_are_sorted_and_spoken():
    chart = forms.intervals(costs(), USD, "gpu", range="offers")
    rows = [row for row in rows_of(chart) if "usd_spoken" in row]
    assert [row["gpu"] for row in rows[:3]] == ["B200", "H100", "A100"]
    assert rows[0]["usd_spoken"] == "$0.41 ($0.20 – $0.70)"


def test_every_form_makes_a_figure(found, curve, axes):
    table = costs()
    steps = pd.DataFrame(
        {"lever": ["base", "batch", "all"], "start": [0.0, 9.0, 0.0], "end": [9.0, 2.0, 2.0],
         "kind": ["start", "down", "total"]}
    )
    grid = pd.DataFrame(
        {"bits": ["16", "16", "4", "4"], "batch": [1, 64, 1, 64], "gain": [1.0, np.nan, 3.7, 1.2], "why": list("abcd")}
    )
    claims = pd.DataFrame({"batch": [5], "usd_per_mtok_out": [3.0], "label": ["a paper"]})
    charts = [
        (forms.lines(curve, *axes, "precision", range="interval", points=claims, marks=[forms.mark("y", 2, "limit")]), curve),
        (forms.lines(curve[curve.precision == "8 bit"], *axes, range="bound", step=True, title="Steps"), curve),
        (forms.intervals(table, USD, "gpu", range="draws", group="vendor", marks=[forms.mark("x", 1, "list price")]), table),
        (forms.bars(table, USD, "gpu", range="bound"), table),
        (forms.bars(table, USD, "gpu", "vendor", text="memory"), table),
        (forms.bars(table, USD, "gpu", "vendor", range="bound", stacked=False), table),
        (forms.waterfall(steps, forms.axis("end", "Cost", "USD/Mtok_out"), "lever"), steps),
        (forms.waterfall(steps, forms.axis("end", "Cost", "USD/Mtok_out", log=True), "lever"), steps),
        (forms.scatter(table, forms.axis("memory", "Memory", "GB"), USD, "gpu", "vendor", range="offers"), table),
        (
            forms.heatmap(
                grid, forms.axis("batch", "Batch"), forms.axis("bits", "Bits"), forms.axis("gain", "Gain", "ratio"),
                text="why",
            ),
            grid,
        ),
    ]
    for place, (chart, frame) in enumerate(charts):
        bundle = figure(f"test-form-{place}", found(frame), chart, ALT, "bound")._repr_mimebundle_()
        assert "tooltip" in json.dumps(bundle["application/vnd.vegalite.v6+json"])
        assert "NaN" not in bundle["image/svg+xml"]
        assert "undefined" not in bundle["image/svg+xml"]


def test_lines_name_each_series_at_its_end(curve, axes):
    ends = [row for row in rows_of(forms.lines(curve, *axes, "precision", range="interval")) if "label" in row]
    assert {row["label"]: row["batch"] for row in ends} == {"16 bit": 16, "8 bit": 16}


def test_curves_of_the_textbook_wait_until_a_reader_asks(curve, axes):
    """Its rows are filtered in all layers, its name at the end too; a chart without any has no switch."""
    table = pd.concat([curve.assign(series=name) for name in ("ours", "INT4, textbook")])
    chart = spec(forms.lines(table, *axes, "series", range={"ours": "interval", "INT4, textbook": "bound"}))
    hidden = {"filter": 'textbook || indexof(["INT4, textbook"], datum["series"]) < 0'}
    assert all(hidden in one["transform"] for one in chart["layer"])
    assert all(row["usd_per_mtok_out_low"] is None for rows in chart["datasets"].values() for row in rows
               if row["series"] != "ours" and "usd_per_mtok_out_low" in row)  # a comparison stands bare
    assert [(one["name"], one["value"]) for one in chart["params"] if "bind" in one] == [("textbook", False)]
    alone = spec(forms.lines(curve.assign(series="ours"), *axes, "series", range="interval"))
    assert not [one for one in alone["params"] if "bind" in one]


def test_a_name_on_two_lines_keeps_clear_of_the_next(axes):
    names = ["replicas of the whole model", "one request a GPU"]
    table = pd.DataFrame({"kind": names * 2, "batch": [1, 1, 9, 9], "usd_per_mtok_out": [10.0, 10.0, 4.02, 4.0]})
    linear = axes[1]._replace(log=False, domain=(0, 10))
    chart = forms.lines(table, axes[0], linear, "kind", title="Close together", height=300)
    ends = {row["label"].split("\n")[0]: row for row in rows_of(chart) if "label" in row}
    first, second = ends["replicas of the"], ends["one request a"]
    # 30 px a dollar; each line of a label takes 16 px below the first
    lines = first["label"].count("\n") + 1
    assert lines == 2 and (first["usd_per_mtok_out"] - second["usd_per_mtok_out"]) * 30 >= 16 * lines - 1e-6


def test_a_mark_outside_the_data_widens_the_axis(curve, axes):
    text = json.dumps(spec(forms.lines(curve, *axes, "precision", range="interval", marks=[forms.mark("x", 300, "far")])))
    assert '"domain": [1.0, 300.0]' in text


def test_a_mark_outside_a_given_domain_is_refused(curve, axes):
    x = axes[0]._replace(domain=(1, 16))
    with pytest.raises(ValueError, match="'far' at 300 lies outside the x axis, 1 to 16"):
        forms.lines(curve, x, axes[1], "precision", range="interval", marks=[forms.mark("x", 300, "far")])


@pytest.mark.parametrize("level, baseline", [(1.9, "top"), (20.0, "bottom")])
def test_the_name_of_a_line_stands_where_the_curves_are_not(axes, level, baseline):
    curve = pd.DataFrame({"batch": [1, 16] * 2, "usd_per_mtok_out": [2.0, 2.0, 100.0, 100.0], "series": list("aabb")})
    chart = spec(forms.lines(curve, *axes, "series", marks=[forms.mark("y", level, "limit")]))
    assert {one["mark"]["baseline"] for one in chart["layer"] if "baseline" in one["mark"]} == {baseline}


def test_a_mark_names_its_axis():
    with pytest.raises(ValueError, match="'z'"):
        forms.mark("z", 1, "no")


def test_more_series_than_the_palette_are_refused(axes):
    table = pd.DataFrame({"s": list("abcdefg"), "batch": [1] * 7, "usd_per_mtok_out": [2.0] * 7})
    with pytest.raises(ValueError, match=r"column 's': 7 values .* at most 6 of them apart: a, b"):
        forms.lines(table, *axes, "s", title="Too many")


def test_bars_start_at_zero():
    with pytest.raises(ValueError, match="intervals"):
        forms.bars(costs(), USD._replace(log=True), "gpu")


def test_a_waterfall_knows_its_kinds():
    steps = pd.DataFrame({"lever": ["a"], "start": [0.0], "end": [1.0], "kind": ["sideways"]})
    with pytest.raises(ValueError, match="sideways"):
        forms.waterfall(steps, forms.axis("end", "Cost", "USD"), "lever", title="Steps")


def test_nothing_positive_cannot_be_drawn_on_a_log_axis(axes):
    table = pd.DataFrame({"batch": [1, 2], "usd_per_mtok_out": [0.0, -1.0]})
    with pytest.raises(ValueError, match="no positive number"):
        forms.lines(table, *axes, title="Nothing")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.3, 20, [0.5, 1, 2, 5, 10, 20]),
        (0.01, 1000, [0.01, 0.1, 1, 10, 100, 1000]),
        (1, 8, [1, 2, 5]),
    ],
)
def test_log_ticks(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_labels_move_apart_and_keep_their_order():
    moved = apart([50, 52, 10], [16, 16, 16], 300)
    assert moved == [50, 66, 10]  # 50 + (16 + 16) / 2
    crowded = apart([295, 297, 299], [16, 16, 16], 300)
    assert crowded == [268, 284, 300]  # the last at the limit, the others 16 px above each other


def test_pixel_and_back():
    assert pixel(10, 1, 100, True, 200) == pytest.approx(100)  # the middle of two decades
    assert value_at(100, 1, 100, True, 200) == pytest.approx(10)
    assert pixel(3, 1, 5, False, 80) == 40


def test_labels_avoid_what_is_there():
    # the second point stands right of the first, where its label would be
    assert free_places([(100, 100), (112, 100)], ["abc", "def"], 400, 300)[0] != "right"


def test_a_chart_keeps_the_rows_that_rank_highest_in_their_order():
    table = pd.DataFrame({"name": list("abcd"), "off": [0.1, 3.0, 0.2, 2.0]})
    assert list(forms.few(table, table["off"], 2)["name"]) == ["b", "d"]
    assert list(forms.few(table, table["off"])["name"]) == list("abcd")


def test_a_label_that_would_hide_others_is_left_out():
    """Room for one label of 12 letters (87 px) on each side of a point of a plot of 200 by 60 px; six points lie on it."""
    found = free_places([(100, 30)] * 6, ["twelve chars"] * 6, 200, 60)
    assert found[0] is not None and None in found
    assert None not in free_places([(20, 30), (120, 30)], ["a", "b"], 200, 60)

"""Ranges: a chart says of which kind each is, draws it by the mark of that kind, and its foot says so."""

import json
import re

import pandas as pd
import pytest

from tokenecon_book.charts import FigureError, figure, forms, page, ranges

USD = forms.axis("usd", "Cost", "USD/Mtok_out")
ALT = "A chart drawn for a test of its ranges"


def costs(**columns):
    return pd.DataFrame({"gpu": ["H100", "B200", "A100"], "usd": [0.9, 0.4, 1.6], "usd_low": [0.5, 0.2, 1.6],
                         "usd_high": [1.4, 0.7, 1.6], "memory": [80.0, 192.0, 40.0]} | columns)


def layers(chart):
    """Type of each mark, or the mark's own dict, with the kind of range that its rows are filtered for."""
    found = []
    for layer in chart.to_dict()["layer"]:
        kept = [one["filter"] for one in layer.get("transform", ()) if ranges.COLUMN in one.get("filter", "")]
        if kept:
            found.append((re.search(r"'(\w+)'", kept[0])[1], layer["mark"]))
    return found


@pytest.mark.parametrize("draw", [
    lambda table, **more: forms.intervals(table, USD, "gpu", **more),
    lambda table, **more: forms.bars(table, USD, "gpu", **more),
    lambda table, **more: forms.scatter(table, forms.axis("memory", "Memory", "GB"), USD, "gpu", **more),
    lambda table, **more: forms.lines(table, forms.axis("memory", "Memory", "GB"), USD, **more),
])  # fmt: skip
def test_a_range_without_a_kind_is_refused(draw):
    with pytest.raises(FigureError, match="column 'usd' has a range; say which kind it is with range=, one of interval, offers"):
        draw(costs())
    with pytest.raises(FigureError, match="a range of 'usd' is of the kind 'guess'; there are interval"):
        draw(costs(), range="guess")
    assert draw(costs(), range="offers").to_dict()["usermeta"]["ranges"]
    assert "usermeta" not in draw(costs(usd_low=[0.9, 0.4, 1.6], usd_high=[0.9, 0.4, 1.6])).to_dict()  # both ends the value


def test_each_kind_has_its_mark():
    """A thick bar; a thin line and two ticks, or two dots; a wide bar; a dotted line and two brackets."""
    marks = {kind: [mark for _, mark in layers(forms.intervals(costs(), USD, "gpu", range=kind))] for kind in ranges.KINDS}
    drawn = {kind: [mark["type"] for mark in marks[kind]] for kind in ranges.KINDS}
    assert drawn == {"interval": ["rule"], "offers": ["rule", "tick", "tick"], "sellers": ["rule", "point", "point"],
                     "draws": ["rule"], "bound": ["rule", "point", "point"], "printed": ["rule"]}
    assert marks["sellers"][1].get("filled") and marks["bound"][1]["shape"] != marks["sellers"][1]["shape"]
    widths = {kind: marks[kind][0]["strokeWidth"] for kind in ranges.KINDS}
    assert widths["draws"] > widths["interval"] > 3 * widths["offers"] and marks["bound"][0]["strokeDash"]


def test_each_kind_has_its_look_over_a_curve():
    curves = [kind for kind in ranges.KINDS if ranges.KINDS[kind].area]
    drawn = [json.dumps(forms.lines(costs(), forms.axis("memory", "Memory", "GB"), USD, range=kind).to_dict()["layer"][:3])
             for kind in curves]
    assert len({look.replace(kind, "") for look, kind in zip(drawn, curves, strict=True)}) == len(curves) == 5
    with pytest.raises(FigureError, match="the range of the curve of 'usd' is a range as printed"):
        forms.lines(costs(), forms.axis("memory", "Memory", "GB"), USD, range="printed")


def test_rows_of_one_chart_may_have_different_kinds():
    """The A100 has no range, whatever its row says."""
    known = {"modelled": "interval", "asked": "offers", "priced": "bound"}
    chart = forms.intervals(costs(how=list(known)), USD, "gpu", group="how", range=known)
    assert {kind for kind, _ in layers(chart)} == {"interval", "offers"}
    assert chart.to_dict()["usermeta"]["ranges"] == [["interval", "bar"], ["offers", "bar"]]
    with pytest.raises(FigureError, match="'usd' is of the kind 'nan'"):
        forms.intervals(costs(how=list(known)), USD, "gpu", group="how", range={"modelled": "interval"})


def test_points_over_curves_say_the_kind_of_their_own_ranges(curve, axes):
    points = pd.DataFrame([{"batch": 4, "usd_per_mtok_out": 3.0, "usd_per_mtok_out_low": 2.0, "usd_per_mtok_out_high": 4.0,
                            "label": "a paper"}])
    with pytest.raises(FigureError, match="column 'usd_per_mtok_out' has a range"):
        forms.lines(curve, *axes, "precision", range="interval", points=points)
    chart = forms.lines(curve, *axes, "precision", range="interval", points=points.assign(range="printed"))
    assert chart.to_dict()["usermeta"]["ranges"] == [["interval", "area"], ["printed", "bar"]]


def test_the_foot_says_what_is_drawn_and_leads_to_the_key(found):
    shown = figure("test-ranges", found(costs()), forms.intervals(costs(), USD, "gpu", range="draws"), ALT).payload()
    html = page.html(shown, root="../")
    assert 'href="../method.html#kinds-of-ranges"' in html
    assert ranges.KINDS["draws"].name in html and ranges.KINDS["offers"].name not in html
    assert html.count('class="te-range-mark"') == 1
    bare = figure("test-ranges", found(costs()), forms.bars(costs().drop(columns="usd_low"), USD, "gpu"), ALT, "draws")
    assert "kinds-of-ranges" not in page.html(bare.payload())


def test_kinds_are_those_of_the_named_quantities():
    """What data/quantities.csv may say of a range can be drawn."""
    from tokenecon import data

    allowed = next(field for field in data.schema("quantities") if field["name"] == "range")["constraints"]["enum"]
    assert set(allowed) < set(ranges.KINDS)


def points(chart):
    """The mark of each layer that is drawn for one way to know a value, by that way."""
    return {re.search(r"'(\w+)'", one["filter"])[1]: layer["mark"] for layer in chart.to_dict()["layer"]
            for one in layer.get("transform", ()) if ranges.KNOWN in one.get("filter", "")}


def test_a_mark_says_how_its_value_is_known():
    """A solid dot, a ring, a dotted ring, a hatched square; the key names those that are drawn, and none where all are solid."""
    table = costs(by=["documents", "model", "market"], usd_low=[0.9, 0.4, 1.6], usd_high=[0.9, 0.4, 1.6])
    chart = forms.intervals(table, USD, "gpu", group="by", known={"model": "modelled"})
    found = points(chart)
    assert set(found) == {"claimed", "modelled", "quoted"} and found["claimed"]["shape"] == ranges.HATCHED
    assert found["modelled"]["filled"] is False and "strokeDash" not in found["modelled"] and "filled" not in found["quoted"]
    key = ranges.key(chart.to_dict()["usermeta"]["ranges"])
    assert all(ranges.MARKS[one].name in key for one in found) and ranges.MARKS["extrapolated"].name not in key
    beyond = points(forms.intervals(table, USD, "gpu", known="extrapolated"))["extrapolated"]
    assert beyond["strokeDash"] and beyond["filled"] is False
    assert "usermeta" not in forms.intervals(table, USD, "gpu").to_dict()
    with pytest.raises(FigureError, match="a value is known as 'guess'; there are quoted"):
        forms.intervals(table, USD, "gpu", known="guess")


def test_values_of_the_textbook_are_ticks_within_the_axis_that_a_reader_asks_for():
    table = costs(textbook=[0.8, 0.3, 9.0], usd_low=[0.9, 0.4, 1.6], usd_high=[0.9, 0.4, 1.6])
    spec = forms.intervals(table, USD, "gpu", known="modelled").to_dict()
    ticks = [layer for layer in spec["layer"] if layer["mark"]["type"] == "tick"]
    assert [layer["encoding"]["x"]["field"] for layer in ticks] == ["textbook"] and len({
        layer["encoding"]["y"]["field"] for layer in spec["layer"] if "y" in layer["encoding"]}) == 1
    assert max(layer["encoding"]["x"]["scale"]["domain"][1] for layer in spec["layer"]
               if "domain" in layer["encoding"]["x"].get("scale", {})) >= 9.0
    assert [layer["transform"][-1] for layer in ticks] == [{"filter": "textbook"}]
    assert [(one["name"], one["value"], one["bind"]["input"]) for one in spec["params"]] == [("textbook", False, "checkbox")]

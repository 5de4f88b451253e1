"""What a figure must have, and what it hands on."""

import json
import re

import altair as alt
import pandas as pd
import pytest

from tokenecon_book.charts import FigureError, figure, forms, page, theme
from tokenecon_book.charts.figure import FIGURE_TYPE, broken

ALT = "Cost falls with the batch, steeply at first"


def plain(table, title="Cost falls", y="Cost [USD]"):
    """A chart made without the forms."""
    return alt.Chart(table, title=title).mark_line().encode(
        x=alt.X("batch:Q", title="Batch [sequences]"), y=alt.Y("tpot_ms:Q", title=y)
    )


@pytest.mark.parametrize("id", ["Economics-batch", "batch", "economics_batch", "economics batch", "", None, "a--b"])
def test_an_id_is_a_slug(curve, found, id):
    with pytest.raises(FigureError, match="figure id"):
        figure(id, found(curve), plain(curve), ALT)


def test_a_title_is_needed(curve, found):
    assert figure("economics-batch", found(curve), plain(curve, title=""), ALT, "bound").title == found(curve).sentence
    assert figure("economics-batch", found(curve), plain(curve), ALT, "bound").title == "Cost falls"
    with pytest.raises(FigureError, match="no title"):
        figure("economics-batch", found(curve, sentence=""), plain(curve, title=""), ALT)


@pytest.mark.parametrize("y", ["Cost", "Cost []", None])
def test_a_quantitative_axis_needs_its_unit(curve, found, y):
    with pytest.raises(FigureError, match="tpot_ms"):
        figure("economics-batch", found(curve), plain(curve, y=y), ALT)


def test_a_layer_cannot_hide_an_axis_without_unit(curve, found):
    bare = alt.Chart(curve).mark_point().encode(x=alt.X("batch:Q", title="Batch [sequences]"), y="usd_per_mtok_out:Q")
    with pytest.raises(FigureError, match="usd_per_mtok_out"):
        figure("economics-batch", found(curve), alt.layer(plain(curve), bare, title="Cost falls"), ALT)


@pytest.mark.parametrize("words", ["", "cost", None])
def test_an_alternative_text_is_needed(curve, found, words):
    with pytest.raises(FigureError, match="alt must"):
        figure("economics-batch", found(curve), plain(curve), words)


def test_sources_are_needed_as_rows(curve, found):
    with pytest.raises(FigureError, match="no sources"):
        figure("economics-batch", found(curve, cited=[]), plain(curve), ALT, "bound")
    with pytest.raises(FigureError, match="maker-2025"):
        figure("economics-batch", found(curve, cited=["maker-2025"]), plain(curve), ALT, "bound")


def test_a_chart_does_not_depend_on_digits_that_it_does_not_show(curve, found):
    """The last digit of a sum differs between versions of Python; a page must not."""
    def drawn(factor):
        table = curve.assign(tpot_ms=curve["tpot_ms"] * factor)
        return json.dumps(figure("economics-batch", found(table), plain(table), ALT, "bound").spec)

    assert drawn(1 + 1e-14) == drawn(1)
    assert drawn(1.01) != drawn(1)


def test_nor_does_the_name_of_a_view(curve, axes, found):
    def drawn(factor):
        table = curve.assign(usd_per_mtok_out=curve["usd_per_mtok_out"] * factor)
        shown = figure("economics-batch", found(table), forms.lines(table, *axes, "precision", range="interval"), ALT)
        return json.dumps(shown.spec), shown._repr_mimebundle_()["image/svg+xml"]

    assert '"view_0"' in drawn(1)[0]
    assert drawn(1 + 1e-14) == drawn(1)


def test_an_empty_table_is_refused(curve, found):
    with pytest.raises(FigureError, match="no rows"):
        figure("economics-batch", found(curve.head(0)), plain(curve), ALT)


def test_bundle(shown):
    bundle = shown._repr_mimebundle_()
    assert list(bundle) == [FIGURE_TYPE, "application/vnd.vegalite.v6+json", "image/svg+xml", "text/plain"]
    payload = bundle[FIGURE_TYPE]
    json.dumps(payload, allow_nan=False)
    assert payload["id"] == "economics-batch"
    assert payload["title"] == "Batching cuts the cost of a token twelve-fold"
    assert payload["rows"] == 6
    assert payload["columns"][0] == {"name": "precision", "type": "string"}
    assert payload["spec"]["width"] == "container"
    assert "title" not in payload["spec"]


def test_csv_has_every_column_with_six_digits(shown):
    lines = shown.csv().splitlines()
    assert lines[0] == "precision,batch,usd_per_mtok_out,usd_per_mtok_out_low,usd_per_mtok_out_high,tpot_ms"
    assert lines[1] == "16 bit,1,21,14.7,39.9,11.1235"  # 21 × 0.7, 21 × 1.9; 11.123456789 to six digits
    assert len(lines) == 7


def test_the_spec_carries_only_what_it_draws(shown):
    text = json.dumps(shown.payload()["spec"])
    assert "tpot_ms" not in text
    assert not re.search(r"\d\.\d{9,}", text)


def test_text_stays_text_in_the_picture(shown):
    svg = shown._repr_mimebundle_()["image/svg+xml"]
    assert "Cost [USD per million output tokens, log scale]" in svg
    assert "critical batch" in svg
    assert "$10" in svg
    assert "var(" not in svg  # a program that opens the file knows no page


def test_pictures_of_a_page_follow_its_theme(shown):
    payload = shown.payload()
    for name in ("svg_wide", "svg_narrow"):
        svg = payload[name]
        assert f"var(--te-ink, {theme.INK})" in svg
        bare = re.sub(r"var\([^)]*\)", "", svg)
        assert not any(colour in bare for colour in theme.TOKENS.values())
        assert shown.title[:30] not in svg
    widths = [float(re.search(r'width="([\d.]+)"', payload[name])[1]) for name in ("svg_wide", "svg_narrow")]
    assert widths == [theme.WIDE, theme.NARROW]


def test_inline_pictures_share_no_ids(shown):
    payload = shown.payload()
    ids = re.findall(r'\bid="([^"]+)"', payload["svg_wide"] + payload["svg_narrow"])
    assert len(ids) == len(set(ids))
    for svg in (payload["svg_wide"], payload["svg_narrow"]):
        own = set(re.findall(r'\bid="([^"]+)"', svg))
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= own


def test_two_runs_give_the_same_bytes(curve, axes, found):
    def once():
        chart = forms.lines(curve, *axes, "precision", range="interval")
        return json.dumps(figure("economics-batch", found(curve), chart, ALT)._repr_mimebundle_())

    assert once() == once()


def test_page_html(shown):
    html = page.html(shown.payload(), root="../")
    assert '<figure class="te-figure" id="fig-economics-batch"' in html
    for end in ("csv", "png", "html"):
        assert f'href="../figures/economics-batch.{end}"' in html
    assert 'src="../_static/charts.mjs"' in html
    assert "Maker &amp; Co., Data sheet &lt;of&gt; an accelerator" in html
    assert "a=1&amp;b=2" in html
    assert "dearest &lt;offer&gt;" in html
    assert page.html(json.dumps(shown.payload()), "../") == html


def test_a_figure_that_has_its_page_to_itself_repeats_neither_title_nor_links(shown):
    html = page.html(shown.payload(), root="../", heading="figure-title")
    assert 'aria-labelledby="figure-title"' in html and "te-figure-links" not in html
    assert f">{shown.title}<" not in html and shown.payload()["subtitle"] in html


def test_many_sources_fold_into_one_line(curve, found):
    one = dict(found(curve).cited[0])
    few, many = ([one | {"id": f"maker-{place}"} for place in range(count)] for count in (2, 3))
    assert page.source_line(few).startswith("Sources: <a") and page.source_line(few[:1]).startswith("Source: <a")
    assert page.source_line(many).startswith("<details><summary>3 sources</summary><ol><li><a")
    assert page.source_line(many).count("<li><a ") == 3


def test_data_cannot_end_the_script_element(axes, found):
    table = pd.DataFrame(
        {"precision": ["</script><b>", "y"], "batch": [1, 4], "usd_per_mtok_out": [2.5, 1.5]}
    )
    chart = forms.lines(table, *axes, "precision", title="Cost </script> falls")
    html = page.html(figure("economics-batch", found(table), chart, ALT).payload())
    script = re.search(r'class="te-figure-spec">(.*?)</script>', html, re.DOTALL)[1]
    assert "</script><b>" in json.dumps(json.loads(script))
    assert "</script> falls" not in html


def test_bundle_is_a_module():
    text = page.vega_bundle()
    assert text.rstrip().endswith("export const embed = window.vegaEmbed;")


def test_long_axis_titles_stand_in_lines_that_fit_a_phone():
    """Name and unit in a line each where both are short; an upright axis makes room above its plot."""
    name = "Cost that this page works out"
    long = {"axis": {"title": f"{name} [USD per million tokens, log scale]", "titleY": -10}}
    spec = broken({"encoding": {"x": {"title": "Load [requests]", "axis": {"title": f"{name} [USD per month]"}}, "y": long}})
    assert spec["encoding"]["x"]["title"] == "Load [requests]"  # 36 letters or fewer
    assert spec["encoding"]["x"]["axis"]["title"] == [name, "[USD per month]"]
    assert spec["encoding"]["y"]["axis"]["title"] == [name, "[USD per million tokens, log scale]"]
    assert spec["encoding"]["y"]["axis"]["titleY"] < -20


def ranged(**columns):
    return pd.DataFrame({"how": ["asked", "modelled", "said"], "batch": [1.0, 2.0, 3.0], "usd": [1.0, 2.0, 3.0],
                         "usd_low": [0.5, 1.0, 3.0], "usd_high": [2.0, 4.0, 3.0]} | columns)


USD = forms.axis("usd", "Cost", "USD/Mtok_out")


def test_the_rows_of_a_figure_say_the_kinds_of_their_ranges(found):
    table = ranged(hour_low=[1.0] * 3, hour=[2.0] * 3, hour_high=[3.0] * 3)
    kinds = {"asked": "offers", "modelled": "interval"}  # of the third, whose ends are one, there is none
    chart = forms.intervals(table, USD, "how", group="how", range=kinds | {"said": "bound"})
    with pytest.raises(FigureError, match="column 'hour' has a range of which the chart says no kind; say it with range="):
        figure("a-b", found(table), chart, ALT)
    for said in ("bound", {"hour": "bound"}):
        known = figure("a-b", found(table), chart, ALT, said).payload()["pedigree"]
        assert known["id"] == "t-data" and [one["head"] for one in known["columns"]] == ["how", "batch", "usd", "hour"]
        assert [one["range"] for one in known["columns"]] == ["", "", ["offers", "interval", "bound"], "bound"]


def test_rows_that_the_documents_claim_are_known_as_theirs(found):
    table = ranged(how=["documents", "modelled", "Claim of a slide"])
    drawn = forms.intervals(table, USD, "batch", group="how", range={"documents": "printed", "modelled": "interval"} | {
        "Claim of a slide": "bound"})
    assert figure("a-b", found(table), drawn, ALT).payload()["pedigree"]["columns"][2]["range"] == [
        "claimed:printed", "interval", "claimed:bound"]
    bare = table[["how", "batch", "usd"]]  # without ranges, too
    drawn = forms.bars(bare, USD, "batch", "how", stacked=False)
    known = figure("a-b", found(bare), drawn, ALT).payload()["pedigree"]["columns"]
    assert [one["range"] for one in known] == ["", "", ["claimed:", "", "claimed:"]]  # the axis of the batch claims nothing


def test_a_kind_that_the_chart_draws_is_that_of_the_column(found):
    curve = forms.lines(ranged(), forms.axis("batch", "Batch", "sequence"), USD, range="draws")
    known = figure("a-b", found(ranged()), curve, ALT).payload()["pedigree"]
    assert [one["range"] for one in known["columns"]] == ["", "", "draws"]

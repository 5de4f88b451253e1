"""Which page a row stands on: every row on one, none too heavy, and a page that is split keeps its address."""

import pytest

from tokenecon import data, queries
from tokenecon.errors import UnknownId
from tokenecon_book.site import parts, tables

HEAVIEST = 350_000  # bytes of a page of rows


@pytest.fixture
def at_most(monkeypatch):
    """A function that makes pages hold fewer letters for the rest of a test."""

    def use(letters):
        monkeypatch.setattr(parts, "LETTERS", letters)
        queries.forget()

    yield use
    monkeypatch.undo()
    queries.forget()


def test_every_row_stands_on_one_page():
    for name in tables.titles():
        rows = [row for leaf in parts.leaves(parts.of(name)) for row in leaf.rows["id"]]
        assert sorted(rows) == sorted(data.table(name)["id"]), name


def test_no_page_of_rows_is_heavy(site):
    heavy = {path.relative_to(site).as_posix(): size for path in (site / "data").rglob("*.html")
             if (size := path.stat().st_size) > HEAVIEST}
    assert not heavy, f"name more columns in parts.SPLIT, or lower parts.LETTERS: {heavy}"


def test_a_part_says_what_its_rows_are_of():
    measured = data.table("measurements").set_index("id")
    for leaf in parts.leaves(parts.of("held_out")):  # its rows are predictions of measurements, whose columns it is split by
        for column, value in leaf.chosen:
            assert set(measured.loc[leaf.rows["id"], column]) == {value}, leaf.page
    row = data.row("measurements", "m0500")
    assert parts.address("measurements", "m0500").startswith(f"data/measurements/{row['source']}")


def test_a_table_that_grows_past_the_limit_splits_by_itself_and_its_pages_stay(at_most):
    def pages(part):
        return {part.page, *(page for one in part.parts for page in pages(one))}

    before = pages(parts.of("prices"))
    assert not parts.of("gpus").parts and parts.address("gpus", "h200-sxm-141gb.memory") == "data/gpus.html#h200-sxm-141gb.memory"
    at_most(20_000)
    assert before < pages(parts.of("prices"))
    assert parts.address("gpus", "h200-sxm-141gb.memory") == "data/gpus/h200-sxm-141gb.html#h200-sxm-141gb.memory"
    # the prices of one accelerator now stand on several pages: their mark is where these are listed
    assert parts.address("prices", "prices-h100-sxm-80gb") == "data/prices/h100-sxm-80gb.html"
    assert parts.address("prices", "prices-l4") == "data/prices/l4.html#prices-l4"


def test_rows_without_a_column_to_split_by_go_in_their_order(at_most):
    at_most(60_000)
    first, *_, last = parts.leaves(parts.of("calibration")) + parts.leaves(parts.of("providers"))
    assert not first.chosen and not last.chosen  # short ones stay whole
    at_most(10_000)
    runs = parts.of("calibration").parts
    assert [one.chosen[0][0] for one in runs] == [parts.RUN] * len(runs) and len(runs) > 1
    assert [row for one in runs for row in one.rows["id"]] == list(data.table("calibration")["id"])
    assert runs[0].page == f"data/calibration/1-to-{len(runs[0].rows)}"


def test_an_id_that_no_row_has_is_refused():
    with pytest.raises(UnknownId, match=r"'h200-sxm-141gb\.bandwith' is not known; use 'h200-sxm-141gb\.bandwidth'"):
        parts.address("gpus", "h200-sxm-141gb.bandwith")
    assert parts.address("claims", "hw-h100-power") == "claims.html#hw-h100-power"

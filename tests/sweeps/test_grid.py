"""Which cases a grid has, and how a wrong one is refused."""

import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon.errors import BadInput
from tokenecon.sweeps import grid

CASES = {"model": "llama-3.1-8b", "gpu": ["h100-sxm-80gb", "l40s-48gb"], "n_gpus": 1, "isl": [500, 1000, 2000], "osl": 200}


def rows(read):
    return read.grid.table(0, len(read.grid)).to_dict("records")


def test_lists_are_combined_the_last_one_fastest():
    found = [(row["gpu"], row["isl"]) for row in rows(grid.read({"cases": CASES}))]
    assert found == list(itertools.product(CASES["gpu"], CASES["isl"]))


def test_lists_that_go_together_are_one():
    cases = {name: value for name, value in CASES.items() if name != "n_gpus"}
    found = rows(grid.read({"cases": cases, "together": [{"n_gpus": [1, 2], "weights": ["bf16", "fp8"]}]}))
    assert len(found) == 2 * 3 * 2
    assert {(row["n_gpus"], row["weights"]) for row in found} == {(1, "bf16"), (2, "fp8")}


@pytest.mark.parametrize(("written", "values"), [
    ({"from": 500, "to": 2000, "step": 500}, [500, 1000, 1500, 2000]),
    ({"from": 500, "to": 1900, "step": 500}, [500, 1000, 1500]),
    ({"from": 0.1, "to": 0.3, "step": 0.1}, [0.1, 0.2, 0.3]),  # 0.1 + 2 * 0.1 is 0.30000000000000004
    ({"from": 1, "to": 512, "factor": 2}, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]),
    ({"from": 1, "to": 2, "count": 5}, [1, 1.25, 1.5, 1.75, 2]),
    ({"from": "1e3", "to": "2e3", "step": "1e3"}, [1000, 2000]),  # a text in YAML
])
def test_a_range_has_both_its_ends(written, values):
    found = grid.read({"cases": CASES | {"isl": written}}).grid.values("isl")
    assert found == values and len({type(one) for one in found}) == 1


def test_a_table_is_a_grid_and_blank_cells_stay_blank():
    table = [{"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 1, "isl": 500, "osl": 100, "concurrency": 8},
             {"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 2, "isl": 900, "osl": 100}]
    for given_ in (table, pd.DataFrame(table)):
        found = rows(grid.read(given_))
        assert [row["isl"] for row in found] == [500, 900] and found[1]["concurrency"] != found[1]["concurrency"]


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_a_part_has_its_rows_and_no_more_of_the_first_list_than_it_needs(sizes, data):
    blocks = [{f"c{place}": list(range(size))} for place, size in enumerate(sizes)]
    whole = grid.Grid(blocks)
    start = data.draw(st.integers(0, len(whole) - 1))
    stop = data.draw(st.integers(start + 1, len(whole)))
    part, first, last = whole.cut(start, stop)
    every = list(itertools.product(*(range(size) for size in sizes)))
    assert part.table(first, last).to_numpy().tolist() == [list(row) for row in every[start:stop]]
    assert part.blocks[0]["c0"] == sorted({row[0] for row in every[start:stop]})


@pytest.mark.parametrize(("given_", "words"), [
    ({"cases": CASES, "togehter": []}, "did you mean 'together'"),
    ({"cases": CASES | {"concurency": 4}}, "column 'concurency' is not known; did you mean 'concurrency'"),
    ({"cases": {"model": "llama-3.1-8b"}}, "cases lack gpu, n_gpus, isl, osl"),
    ({"cases": CASES, "together": {"tp": [1, 2], "pp": [1]}}, "tp has 2 and pp has 1"),
    ({"cases": CASES, "together": {"isl": [1, 2]}}, "'isl' stands in cases and in together"),
    ({"cases": CASES | {"isl": []}}, "cases.isl has no values"),
    ({"cases": CASES | {"isl": ["many"]}}, "cases.isl has 'many'"),
    ({"cases": CASES | {"isl": 10**400}}, "must be at least 1, at most 100,000,000"),
    ({"cases": CASES | {"isl": {"from": 1, "to": 10**400, "step": 1}}}, "cases.isl is no range"),
    ({"cases": CASES | {"isl": [[1, 2]]}}, "each must be one number or text"),
    ({"cases": CASES | {"isl": {"from": 1, "to": 5}}}, "cases.isl is no range"),
    ({"cases": CASES | {"isl": {"from": 5, "to": 1, "step": 1}}}, "to is not below from"),
    ({"cases": CASES | {"isl": {"from": 1, "to": 1000000000, "step": 1}}}, "more than 10,000,000 values"),
    ({"cases": CASES | {name: {"from": 1, "to": 1000, "step": 1} for name in ("isl", "osl", "concurrency", "tp")}}, "at most"),
    ({"cases": CASES, "cases_per_part": 0}, "cases_per_part is 0"),
    ({"cases": CASES, "intervals": 1}, "intervals is 1"),
    ({"cases": [1]}, "cases must be lines"),
    ({"notebook": 3}, "notebook is 3"),
    ([], "list of dicts"),
    (3, "it is a int"),
])  # fmt: skip
def test_a_wrong_grid_is_refused_in_one_sentence(given_, words):
    with pytest.raises(BadInput) as refused:
        grid.read(given_)
    assert words in str(refused.value)


def test_a_file_that_is_no_grid_is_named(tmp_path):
    path = tmp_path / "grid.yml"
    path.write_text("cases: [")
    with pytest.raises(BadInput, match=r"grid '.*grid\.yml' is not YAML"):
        grid.read(path)

"""The model of memory against what engines logged, reading by reading."""

import pathlib

import pytest

from tokenecon import data, units
from tokenecon.serving import coefficients
from tokenecon.serving.room import readings

CONFIGS = {path.stem: path for path in (pathlib.Path(__file__).parent / "configs").glob("*.json")}
# Readings farther off than 15%, and why.
MISSES = {
    "vllm-27508": "weights of 65.97 GiB by another kernel, which pads both sides of an expert: 1.6 GiB more than any other log",
    "vllm-13061": "0.25 GiB that are not torch's where other pairs of GPUs have 2.1, and no logits: short passes in vLLM of 2024",
}


@pytest.fixture(scope="module")
def table():
    return readings.table(CONFIGS)


def test_every_reading_has_a_shape(table):
    assert set(data.rows("capacity", {"flag": ""})["id"]) == set(table["id"])


def test_three_of_four_are_within_15_percent_and_nine_of_ten_within_30(table):
    found = readings.scores(table)
    for limit, share in readings.TOLERANCES:
        assert found[limit] >= share, table[["id", "value", "predicted", "error"]].to_string()


def test_what_does_not_start_does_not_fit(table):
    assert (table["metric"] == "starts").sum() >= 3
    assert readings.scores(table)["starts"] == []


def test_each_miss_is_named(table):
    assert set(table.loc[table["error"].abs() > 0.15, "id"]) == set(MISSES)


def test_without_the_release_they_are_still_within_reach(table):
    """Nobody needs to know the release: the mean of both generations of kernels is within 30% in nine of ten."""
    rows = [row | {"release": "any"} for row in table.to_dict("records") if row["metric"] != "starts"]
    off = [abs(readings.predicted(row, CONFIGS) / row["value"] - 1) for row in rows]
    assert sum(one <= 0.15 for one in off) / len(off) >= 0.75
    assert sum(one <= 0.30 for one in off) / len(off) >= 0.90


@pytest.mark.parametrize(("name", "value", "scale"), [
    ("memory.share_trtllm", coefficients.MEMORY_SHARE[0], 1.0),
    ("memory.share_vllm", coefficients.MEMORY_SHARE[1], 1.0),
    ("memory.share_sglang", coefficients.MEMORY_SHARE[2], 1.0),
    ("memory.reserve_trtllm", coefficients.BUILT_IN_BYTES[0], units.factor("GiB")),
    ("memory.context", coefficients.CONTEXT_BYTES, units.factor("GiB")),
    ("memory.context_linked", coefficients.CONTEXT_BYTES_LINKED, units.factor("GiB")),
    ("memory.logit_copies_2025", coefficients.LOGIT_COPIES[2], 1.0),
    ("memory.logit_copies_2026", coefficients.LOGIT_COPIES[3], 1.0),
    ("memory.graphs_2026", coefficients.GRAPH_BYTES[3], units.factor("GiB")),
])
def test_a_constant_is_what_its_row_says(name, value, scale):
    row = data.row("assumptions", name)
    assert row["low"] <= row["value"] <= row["high"]
    assert value == pytest.approx(row["value"] * scale)


@pytest.mark.source("configiq-112", "626,949 tokens")
def test_what_an_engine_prints_is_not_what_it_holds(table):
    """vLLM counts window and chunk for each sequence: 64.68 GiB / (81,920 + 819,200 * (1023 + 8192) / 262,144) B."""
    row = table.set_index("id").loc["configiq-112-tokens"].to_dict() | {"id": "x"}
    found = readings.case(row, CONFIGS)
    bytes_of = {"pool_bytes": 64.68 * 2**30, "position_bytes": 81920.0, "window_bytes": 819200.0, "sequence_bytes": 0.0}
    assert readings.printed_tokens(found, bytes_of, 262144.0) == pytest.approx(626949, rel=0.003)

"""Waste of the cache and what less of it lets in, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.paging import (
    concurrency_gain,
    contiguous_waste,
    kv_shrink_quantised,
    paged_overhead,
    paged_waste,
)


def test_blocks_of_16_under_sequences_of_500():
    # 7.5 empty positions for 500 used: 0.015 of the used, 7.5/507.5 = 0.014778 of the allocated
    assert paged_overhead(block_positions=16, mean_positions=500) == approx(0.015)
    assert paged_waste(block_positions=16, mean_positions=500) == approx(7.5 / 507.5)


def test_reserving_2048_for_500():
    # 1548/2048
    assert contiguous_waste(mean_positions=500, reserved_positions=2048) == approx(1548 / 2048)
    assert contiguous_waste(mean_positions=500, reserved_positions=2048) == approx(0.7559, abs=5e-5)


@pytest.mark.parametrize("before, by_hand, printed", [
    (0.3125, 8 * 0.859375 / 0.6875, 10), (0.6, 8 * 0.73 / 0.4, 14.6), (0.8, 8 * 0.64 / 0.2, 25.6),
])
def test_gain_in_concurrency_when_waste_falls_to_45_percent_of_itself(before, by_hand, printed):
    gain = concurrency_gain(kv_shrink=8, waste_before=before, waste_after=0.45 * before)
    assert gain == approx(by_hand)
    assert gain == approx(printed)


def test_cache_in_a_smaller_format():
    assert kv_shrink_quantised(bytes_per_value=0.5, baseline_bytes_per_value=2) == 4


@given(block=st.integers(1, 512), mean=st.floats(1, 1e5))
def test_paged_waste_is_a_share_that_grows_with_the_block(block, mean):
    here = paged_waste(block_positions=block, mean_positions=mean)
    assert 0 <= here < 1
    assert paged_waste(block_positions=block + 1, mean_positions=mean) > here


@given(before=st.floats(0, 0.9), after=st.floats(0, 0.9), shrink=st.floats(1, 64))
def test_gain_rises_with_shrink_and_falls_with_waste(before, after, shrink):
    here = concurrency_gain(kv_shrink=shrink, waste_before=before, waste_after=after)
    assert concurrency_gain(kv_shrink=shrink * 1.1, waste_before=before, waste_after=after) > here
    assert concurrency_gain(kv_shrink=shrink, waste_before=before, waste_after=after + 0.05) < here
    assert concurrency_gain(kv_shrink=shrink, waste_before=before, waste_after=before) == approx(shrink)

"""Savings against a stated baseline, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.levers import (
    precision_saving,
    precision_traffic_ratio,
    prefix_cache_factor,
    residual_saving,
    saving,
    sparse_compute_saving,
    stacked_saving,
)
from tokenecon.formulas.roofline import memory_seconds


@pytest.mark.parametrize("bits, baseline, by_hand", [
    (4, 32, 1 - 4 / 32), (4, 16, 1 - 4 / 16), (4, 8, 1 - 4 / 8), (8, 32, 1 - 8 / 32), (8, 16, 1 - 8 / 16),
])
def test_precision_needs_its_baseline(bits, baseline, by_hand):
    assert precision_saving(bits_per_param=bits, baseline_bits_per_param=baseline) == by_hand


@pytest.mark.parametrize("bits, baseline, by_hand", [(8, 32, 4), (4, 16, 4), (3, 16, 16 / 3), (4, 32, 8)])
def test_traffic_of_precisions(bits, baseline, by_hand):
    assert precision_traffic_ratio(bits_per_param=bits, baseline_bits_per_param=baseline) == by_hand


def test_four_bits_speed_up_a_batch_of_32_by_less_than_four():
    # 140 GB become 70e9 * 4.15625/8 = 36.3671875 GB; the cache of 32 * 0.65536 = 20.97152 GB stays
    def step(weight_bytes):
        return memory_seconds(bytes_moved=weight_bytes + 20.97152e9, gpus=4, bytes_per_s_per_gpu=3.35e12, mbu=1.0)
    assert step(140e9) / step(36.3671875e9) == approx(160.97152 / 57.3387075)
    assert step(140e9) / step(36.3671875e9) == approx(2.807, abs=5e-4)
    # Alone and without context the same format gives 16 / 4.15625 = 3.85; four only with scales left out.
    assert precision_traffic_ratio(bits_per_param=4.15625, baseline_bits_per_param=16) == approx(3.8496, abs=5e-5)


@pytest.mark.parametrize("before, after, by_hand", [
    (7, 3.90, 0.4429), (8, 1.49, 0.8137),  # the documents' rents of an H100
    (3.0, 2.5, 0.166667),  # 2.5 times the price for 3 times the work
    (0.90, 0.40, 0.555556),  # occupancy 0.40 -> 0.90 divides the cost by 2.25
    (18000, 4500, 0.75), (2.1e6, 450e3, 0.785714),  # the two cases
])
def test_saving(before, after, by_hand):
    assert saving(before=before, after=after) == approx(by_hand, abs=5e-5)


def test_prefix_cache():
    # 1 - 0.5 * 0.7
    assert prefix_cache_factor(hit_rate=0.5, avoided_share=0.7) == approx(0.65)


@pytest.mark.parametrize("active, total, printed", [(12.9e9, 46.7e9, 0.7238), (37e9, 671e9, 0.9449)])
def test_mixture_of_experts_saves_arithmetic(active, total, printed):
    assert sparse_compute_saving(active_parameters=active, parameters=total) == approx(printed, abs=5e-5)


def test_stacking_and_what_it_leaves_unexplained():
    # 1 - 0.25 * 0.50
    assert stacked_saving(savings=[0.75, 0.50]) == approx(0.875)
    # 450/2100 = 0.2142857; / 0.4 = 0.5357143
    left = residual_saving(before=2.1e6, after=450e3, known_savings=[0.60])
    assert left == approx(1 - 0.2142857143 / 0.4)
    assert left == approx(0.4643, abs=5e-5)


def test_no_lever_saves_nothing():
    assert stacked_saving(savings=[]) == 0
    assert residual_saving(before=5.0, after=2.0, known_savings=[]) == saving(before=5.0, after=2.0)


shares = st.lists(st.floats(0, 0.95), min_size=1, max_size=6)


@given(savings=shares)
def test_together_at_least_the_best_and_at_most_the_sum(savings):
    together = stacked_saving(savings=savings)
    assert max(savings) - 1e-12 <= together <= min(1.0, sum(savings)) + 1e-12
    assert stacked_saving(savings=savings[::-1]) == approx(together, abs=1e-12)


@given(known=shares, rest=st.floats(0, 0.9), before=st.floats(1, 1e6))
def test_residual_completes_the_stack(known, rest, before):
    after = before * (1 - stacked_saving(savings=[*known, rest]))
    assert residual_saving(before=before, after=after, known_savings=known) == approx(rest, abs=1e-9)

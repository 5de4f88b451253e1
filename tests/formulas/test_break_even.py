"""Offers against each other, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.break_even import (
    break_even_tok_per_day,
    consolidation_saving,
    egress_usd_per_mtok,
    overhead_for_saving,
    premium_saving,
    relative_cost,
    switch_over_utilisation,
)
from tokenecon.formulas.money import usd_per_mtok_out


@pytest.mark.parametrize("price_ratio, speed_ratio, by_hand", [
    (2.5, 3.0, 0.8333),  # the documents' H100 against A100
    (2.5, 100 / 60, 1.5),  # their throughputs say otherwise
    (0.60, 5.3 / 3.35, 0.3792),  # MI300X against H100, by bandwidth
])
def test_relative_cost(price_ratio, speed_ratio, by_hand):
    assert relative_cost(price_ratio=price_ratio, speed_ratio=speed_ratio) == approx(by_hand, abs=5e-5)


@pytest.mark.parametrize("large, small, by_hand, printed", [
    (6.00, 3.90, 1 - 6.00 / 7.80, 0.2308), (2.15, 1.49, 1 - 2.15 / 2.98, 0.2785),
])
def test_one_h200_for_two_h100_of_equal_speed(large, small, by_hand, printed):
    saved = consolidation_saving(
        large_usd_per_gpu_hour=large, large_gpus=1, large_tok_per_s=60, small_usd_per_gpu_hour=small,
        small_gpus=2, small_tok_per_s=60, small_efficiency=1.0)
    assert saved == approx(by_hand)
    assert saved == approx(printed, abs=5e-5)


def test_consolidation_with_a_lossy_split():
    # large: 2 * 4/100 = 0.08; small: 5 * 2.5 / (120 * 0.9) = 0.1157407
    saved = consolidation_saving(
        large_usd_per_gpu_hour=4.0, large_gpus=2, large_tok_per_s=100, small_usd_per_gpu_hour=2.5,
        small_gpus=5, small_tok_per_s=120, small_efficiency=0.9)
    assert saved == approx(1 - 0.08 * 108 / 12.5)


def test_switch_over_from_cpu_to_gpu():
    # 3.90 / (3600 * 3000 * 0.8e-6) = 3.90/8.64
    share = switch_over_utilisation(usd_per_gpu_hour=3.90, gpus=1, tok_per_s=3000, usd_per_mtok_other=0.80)
    assert share == approx(3.90 / 8.64)
    assert share == approx(0.4514, abs=5e-5)


@pytest.mark.parametrize("rent, api, printed", [
    (1.49, 8.0, 8.94e6), (3.90, 8.0, 2.34e7), (1.49, 2.56, 2.794e7), (3.90, 2.56, 7.3125e7),
])
def test_volume_at_which_two_h100_pay(rent, api, printed):
    # 48 * rent USD a day
    volume = break_even_tok_per_day(gpus=2, usd_per_gpu_hour=rent, usd_per_mtok_api=api)
    assert volume == approx(48 * rent / api * 1e6)
    assert volume == approx(printed, rel=5e-4)


@pytest.mark.parametrize("overhead, by_hand", [(0, 0.9), (1, 0.8), (2, 0.7)])
def test_premium_of_ten(overhead, by_hand):
    assert premium_saving(premium=10, overhead=overhead) == approx(by_hand)
    assert overhead_for_saving(premium=10, saving=by_hand) == approx(overhead, abs=1e-12)


def test_egress_is_negligible():
    # 4 B * 1e6 = 0.004 GB, at 0.09 USD
    assert egress_usd_per_mtok(bytes_per_tok=4, usd_per_gb=0.09) == approx(3.6e-4)


@given(rent=st.floats(0.1, 20), gpus=st.integers(1, 16), rate=st.floats(10, 1e5), api=st.floats(0.05, 60))
def test_volume_and_utilisation_break_even_together(rent, gpus, rate, api):
    share = switch_over_utilisation(usd_per_gpu_hour=rent, gpus=gpus, tok_per_s=rate, usd_per_mtok_other=api)
    volume = break_even_tok_per_day(gpus=gpus, usd_per_gpu_hour=rent, usd_per_mtok_api=api)
    assert volume == approx(share * rate * 86400)
    cost = usd_per_mtok_out(usd_per_gpu_hour=rent, gpus=gpus, tok_out_per_s=rate, utilisation=share)
    assert cost == approx(api)

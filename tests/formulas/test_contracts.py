"""Spot, commitment and falling prices, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.contracts import (
    commitment_break_even_use,
    committed_usd_per_hour,
    decline_per_year,
    declining_usd_per_gpu_hour,
    present_usd_per_gpu,
    spot_usd_per_gpu_hour,
)


@pytest.mark.parametrize("interruptions, by_hand, printed", [
    (0.0, 0.95 * 0.4 + 0.05, 0.43), (0.05, 0.38 * 1.0175 + 0.05, 0.43665),
])
def test_spot(interruptions, by_hand, printed):
    price = spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=0.4, on_demand_usd_per_gpu_hour=1.0, availability=0.95,
        interruptions_per_hour=interruptions, restart_hours=0.1, lost_hours=0.25)
    assert price == approx(by_hand)
    assert price == approx(printed)


def test_spot_beside_dear_on_demand():
    # 0.8 * 1.2 * (1 + 0.2 * 0.5) + 0.2 * 3.0
    price = spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=1.2, on_demand_usd_per_gpu_hour=3.0, availability=0.8,
        interruptions_per_hour=0.2, restart_hours=0.1, lost_hours=0.4)
    assert price == approx(0.96 * 1.1 + 0.6)


def test_commitment_by_hand():
    # 3 USD * (0.43 * 2 + (0 + 1 + 3)/3)
    bill = committed_usd_per_hour(on_demand_usd_per_gpu_hour=3.0, discount=0.57, committed_gpus=2,
                                  demand_gpus=[1, 3, 5])
    assert bill == approx(3 * (0.86 + 4 / 3))
    assert commitment_break_even_use(discount=0.57) == approx(0.43)


def test_best_commitment_is_what_is_needed_43_percent_of_the_time():
    # demands 1..100: exceeding K in 43 of 100 hours means K = 57
    demand = list(range(1, 101))
    bills = committed_usd_per_hour(on_demand_usd_per_gpu_hour=1.0, discount=0.57, demand_gpus=demand,
                                   committed_gpus=np.arange(0, 101))
    best = int(np.argmin(np.round(bills, 9)))
    assert best == 57
    assert sum(needed > best for needed in demand) == 43


def test_no_commitment_is_on_demand_and_full_commitment_is_the_discount():
    demand = [2, 9, 4]
    values = {"on_demand_usd_per_gpu_hour": 2.5, "discount": 0.4, "demand_gpus": demand}
    assert committed_usd_per_hour(committed_gpus=0, **values) == approx(2.5 * 5)
    assert committed_usd_per_hour(committed_gpus=9, **values) == approx(2.5 * 0.6 * 9)


def test_commitment_needs_a_demand():
    with pytest.raises(ZeroDivisionError):
        committed_usd_per_hour(on_demand_usd_per_gpu_hour=1.0, discount=0.5, committed_gpus=1, demand_gpus=[])


def test_falling_price():
    # 4 * e**-0.6 = 4 * 0.5488116
    price = declining_usd_per_gpu_hour(usd_per_gpu_hour=4.0, decline_per_year=0.3, years=2)
    assert price == approx(4 * 0.5488116361)
    # 8 -> 2 in 1.5 years: ln 4 / 1.5
    rate = decline_per_year(first_usd_per_gpu_hour=8.0, last_usd_per_gpu_hour=2.0, years=1.5)
    assert rate == approx(1.3862943611 / 1.5)


def test_present_value_by_hand():
    # 2 USD * 8760 h * (1 - e**-1.2)/0.4 = 17520 * 0.6988057881/0.4
    value = present_usd_per_gpu(usd_per_gpu_hour=2.0, decline_per_year=0.3, discount_per_year=0.1, years=3)
    assert value == approx(17520 * 0.6988057881 / 0.4)


def test_present_value_agrees_with_a_sum_over_days():
    hours = (np.arange(3 * 365) + 0.5) * 24
    daily = 24 * 2.0 * np.exp(-0.4 * hours / 8760)
    value = present_usd_per_gpu(usd_per_gpu_hour=2.0, decline_per_year=0.3, discount_per_year=0.1, years=3)
    assert value == approx(daily.sum(), rel=1e-6)


@pytest.mark.parametrize("rate", [0.0, 1e-9, 1e-6, 9e-5, 1.1e-4, -1e-9, -9e-5, -0.2])
def test_present_value_around_a_steady_price(rate):
    value = present_usd_per_gpu(usd_per_gpu_hour=2.0, decline_per_year=rate, discount_per_year=0.0, years=1.0)
    exact = 1.0 if rate == 0 else -math.expm1(-rate) / rate
    assert value == approx(17520 * exact, rel=5e-12)


@given(first=st.floats(0.5, 20), last=st.floats(0.5, 20), years=st.floats(0.1, 10))
def test_rate_leads_from_the_first_price_to_the_last(first, last, years):
    rate = decline_per_year(first_usd_per_gpu_hour=first, last_usd_per_gpu_hour=last, years=years)
    assert declining_usd_per_gpu_hour(usd_per_gpu_hour=first, decline_per_year=rate, years=years) == approx(last)


@given(spot=st.floats(0.1, 0.9), availability=st.floats(0, 1), interruptions=st.floats(0, 0.5))
def test_spot_costs_at_least_its_price_and_rises_with_interruptions(spot, availability, interruptions):
    def price(rate):
        return spot_usd_per_gpu_hour(
            spot_usd_per_gpu_hour=spot, on_demand_usd_per_gpu_hour=1.0, availability=availability,
            interruptions_per_hour=rate, restart_hours=0.1, lost_hours=0.2)
    assert price(interruptions) >= spot * (1 - 1e-12)
    assert price(interruptions + 0.1) >= price(interruptions)

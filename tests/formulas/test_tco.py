"""An owned GPU by hand: 35,000 USD with a server factor of 1.5, 10 % over 4 years, 3 % upkeep, 0.10 USD/kWh."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.tco import (
    capital_recovery_factor,
    capital_usd_per_gpu_hour,
    owned_usd_per_gpu_hour,
    power_usd_per_gpu_hour,
    rent_or_buy_hours,
    residual_usd_per_gpu,
    upkeep_usd_per_gpu_hour,
)


def test_capital_recovery_factor():
    # 0.1 * 1.4641 / 0.4641
    factor = capital_recovery_factor(discount_rate=0.10, years=4)
    assert factor == approx(0.14641 / 0.4641)
    assert factor == approx(0.3155, abs=5e-5)


def test_parts_and_their_sum():
    capital = capital_usd_per_gpu_hour(usd_per_gpu=35e3, server_factor=1.5,
                                       capital_recovery_per_year=0.14641 / 0.4641, availability=1.0)
    assert capital == approx(52500 * 0.3154708 / 8760, rel=1e-6)  # 1.8907
    upkeep = upkeep_usd_per_gpu_hour(usd_per_gpu=35e3, server_factor=1.5, upkeep_per_year=0.03, availability=1.0)
    assert upkeep == approx(1575 / 8760)  # 0.1798
    power = power_usd_per_gpu_hour(watts_per_gpu=700, pue=1.3, usd_per_kwh=0.10)
    assert power == approx(0.091)
    total = owned_usd_per_gpu_hour(capital_usd_per_gpu_hour=capital, upkeep_usd_per_gpu_hour=upkeep,
                                   power_usd_per_gpu_hour=power)
    assert total == capital + upkeep + power
    assert total == approx(2.161, abs=5e-4)


def test_hours_out_of_order_are_paid_for():
    # 8760 * 0.95 usable hours
    capital = capital_usd_per_gpu_hour(usd_per_gpu=35e3, server_factor=1.5, capital_recovery_per_year=0.3,
                                       availability=0.95)
    assert capital == approx(15750 / 8322)
    upkeep = upkeep_usd_per_gpu_hour(usd_per_gpu=35e3, server_factor=1.5, upkeep_per_year=0.03, availability=0.95)
    assert upkeep == approx(1575 / 8322)


@pytest.mark.parametrize("price, rent, printed, years", [(30e3, 6.00, 5000, 0.57), (40e3, 2.15, 18605, 2.12)])
def test_card_alone_against_rent(price, rent, printed, years):
    hours = rent_or_buy_hours(usd_per_gpu=price, server_factor=1.0, rent_usd_per_gpu_hour=rent,
                              operating_usd_per_gpu_hour=0.0)
    assert hours == approx(price / rent)
    assert hours == approx(printed, abs=0.5)
    assert hours / 8760 == approx(years, abs=5e-3)


def test_server_and_running_cost_push_the_break_even_out():
    # 52,500 / (3.0 - 0.27)
    hours = rent_or_buy_hours(usd_per_gpu=35e3, server_factor=1.5, rent_usd_per_gpu_hour=3.0,
                              operating_usd_per_gpu_hour=0.27)
    assert hours == approx(52500 / 2.73)


def test_buying_never_pays_where_running_costs_the_rent():
    values = {"usd_per_gpu": 35e3, "server_factor": 1.5, "operating_usd_per_gpu_hour": 0.5}
    assert rent_or_buy_hours(rent_usd_per_gpu_hour=0.5, **values) == math.inf
    with np.errstate(all="raise"):  # arrays with such an entry must not divide by zero on the way
        hours = rent_or_buy_hours(rent_usd_per_gpu_hour=np.array([0.4, 0.5, 1.5]), **values)
    np.testing.assert_array_equal(hours, [math.inf, math.inf, 52500])


def test_residual_value():
    # 30,000 * 0.7 * 0.7 * 0.7
    assert residual_usd_per_gpu(usd_per_gpu=30e3, yearly_decline=0.3, years=3) == approx(10290)


def test_power_advantage_of_100_watts_is_small():
    # 0.1 kW * 8760 h * 0.10 USD = 87.6 USD a year, of 30,000/4 = 7500
    power = power_usd_per_gpu_hour(watts_per_gpu=100, pue=1.0, usd_per_kwh=0.10)
    assert power * 8760 / 7500 == approx(0.01168)


@given(years=st.integers(1, 20))
def test_without_interest_repayment_is_straight_line(years):
    assert capital_recovery_factor(discount_rate=0.0, years=years) == 1 / years


@given(rate=st.floats(0.001, 0.5), years=st.integers(1, 20))
def test_payments_repay_the_debt(rate, years):
    payment = capital_recovery_factor(discount_rate=rate, years=years)
    debt = 1.0
    for _ in range(years):
        debt = debt * (1 + rate) - payment
    assert debt == approx(0, abs=1e-9 * (1 + rate) ** years)


@given(rate=st.floats(0.001, 0.5), years=st.floats(0.5, 20))
def test_recovery_lies_above_interest_and_above_straight_line(rate, years):
    factor = capital_recovery_factor(discount_rate=rate, years=years)
    assert factor > rate and (years < 1 or factor > 1 / years)
    assert capital_recovery_factor(discount_rate=rate, years=years + 1) < factor


@given(price=st.floats(1e3, 1e5), decline=st.floats(0, 0.9), first=st.integers(0, 5), second=st.integers(0, 5))
def test_decline_goes_on_from_where_it_was(price, decline, first, second):
    halfway = residual_usd_per_gpu(usd_per_gpu=price, yearly_decline=decline, years=first)
    whole = residual_usd_per_gpu(usd_per_gpu=price, yearly_decline=decline, years=first + second)
    assert residual_usd_per_gpu(usd_per_gpu=halfway, yearly_decline=decline, years=second) == approx(whole)

"""An owned GPU by hand: 35,000 USD with a server factor of 1.5, 10% over 4 years, 3% upkeep, 0.10 USD/kWh."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas import tco
from tokenecon.formulas.contracts import committed_usd_per_hour
from tokenecon.formulas.tco import (
    capital_recovery_factor,
    capital_usd_per_gpu_hour,
    drawn_share,
    net_present_usd,
    owned_usd_per_gpu_hour,
    power_usd_per_gpu_hour,
    rent_or_buy_hours,
    residual_annuity_usd_per_gpu_hour,
    residual_usd_per_gpu,
    server_usd_per_gpu,
    space_usd_per_gpu_hour,
    staff_usd_per_gpu_hour,
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


RATES, LIVES = st.floats(0.001, 0.4), st.floats(1.0, 9.0)
DEMANDS = st.lists(st.integers(0, 60), min_size=1, max_size=30)


def annuity(usd, residual, rate, years, availability=1.0):
    return residual_annuity_usd_per_gpu_hour(
        usd_per_gpu=usd, residual_usd_per_gpu=residual, discount_rate=rate, availability=availability,
        capital_recovery_per_year=capital_recovery_factor(discount_rate=rate, years=years))


def test_the_maker_keeps_its_share_of_the_whole_server():
    # 24,000 + 6,000 = 30,000 is 80% of 37,500
    assert server_usd_per_gpu(usd_per_gpu=24e3, parts_usd_per_gpu=6e3, margin=0.2) == approx(37_500)


def test_annuity_without_interest_and_residual_is_a_straight_line():
    for usd, years in ((30_000, 4), (47_409, 3.5), (9_500, 6)):
        assert annuity(usd, 0.0, 0.0, years) == approx(usd / (years * 8760), rel=1e-15)
    # with a residual, what is lost is spread: (30,000 - 6,000)/(4 * 8760)
    assert annuity(30_000, 6_000, 0.0, 4) == approx(24_000 / 35_040, rel=1e-15)


def test_annuity_by_hand():
    # 10% over 2 years: CRF = 0.1 * 1.21/0.21 = 0.5761905; the residual is worth 12,100/1.21 = 10,000 today,
    # so 20,000 * 0.5761905 = 11,523.81 a year over 8760 * 0.95 = 8322 usable hours
    assert annuity(30_000, 12_100, 0.1, 2, availability=0.95) == approx(11_523.8095 / 8322)


@given(RATES, LIVES, st.floats(0.0, 0.9))
def test_both_forms_of_the_annuity_agree(rate, years, share):
    present = 40e3 * (1 - share * (1 + rate) ** -years)
    crf = capital_recovery_factor(discount_rate=rate, years=years)
    assert annuity(40e3, share * 40e3, rate, years) == approx(present * crf / 8760, rel=1e-9)


@given(RATES, LIVES)
def test_without_a_residual_it_is_the_plain_capital_cost(rate, years):
    crf = capital_recovery_factor(discount_rate=rate, years=years)
    plain = capital_usd_per_gpu_hour(usd_per_gpu=40e3, server_factor=1.0, capital_recovery_per_year=crf, availability=0.97)
    assert annuity(40e3, 0.0, rate, years, availability=0.97) == approx(plain, rel=1e-14)


@given(st.floats(0.0, 0.3), LIVES, st.floats(0.05, 2.0), st.floats(0.0, 0.5))
def test_a_longer_life_and_a_better_resale_are_never_dearer(rate, years, more, share):
    residual = share * 40e3
    assert annuity(40e3, 0.0, rate, years + more) < annuity(40e3, 0.0, rate, years)
    assert annuity(40e3, residual + 1e3, rate, years) < annuity(40e3, residual, rate, years)


def test_staff_and_space():
    # 876 USD a year over 8760 h, of which 80% can be used: 0.1/0.8
    assert staff_usd_per_gpu_hour(usd_per_gpu_year=876.0, availability=0.8) == approx(0.125)
    # 184.06 USD * 1.3308 kW * 12 months / 8760 h
    assert space_usd_per_gpu_hour(usd_per_kw_month=184.06, kw_per_gpu=1.3308, availability=1.0) == approx(
        184.06 * 1.3308 * 12 / 8760)


def test_a_machine_draws_between_waiting_and_working():
    assert drawn_share(idle_share=0.2, busy_share=0.8, utilisation=0.25) == approx(0.35)
    assert drawn_share(idle_share=0.2, busy_share=0.8, utilisation=0.0) == 0.2
    assert drawn_share(idle_share=0.2, busy_share=0.8, utilisation=1.0) == approx(0.8)


def test_net_present_value_by_hand():
    # own: 33,000 now, 5,000 a year for three years, 4,950 back at the end, at 8%:
    # 33,000 + 5,000/1.08 + 5,000/1.1664 + 50/1.259712 = 33,000 + 4,629.63 + 4,286.69 + 39.69
    assert net_present_usd(cash_usd=[33e3, 5e3, 5e3, 50.0], discount_rate=0.08) == approx(41_956.015, abs=5e-3)
    # rent: 17,520 a year: 16,222.22 + 15,020.58 + 13,907.94
    rent = net_present_usd(cash_usd=[0.0, 17_520.0, 17_520.0, 17_520.0], discount_rate=0.08)
    assert rent == approx(45_150.74, abs=5e-2)
    assert net_present_usd(cash_usd=[1.0, 2.0, 4.0], discount_rate=0.0) == 7.0


@given(RATES, st.integers(1, 8), st.floats(1e3, 9e4))
def test_the_annuity_repays_its_present_value(rate, years, usd):
    yearly = usd * capital_recovery_factor(discount_rate=rate, years=years)
    assert net_present_usd(cash_usd=[0.0, *[yearly] * years], discount_rate=rate) == approx(usd, rel=1e-9)


# --- commitments ------------------------------------------------------------------------------------


def bill(committed, demands, discount):
    return committed_usd_per_hour(on_demand_usd_per_gpu_hour=2.5, discount=discount, committed_gpus=committed,
                                  demand_gpus=demands)


@given(DEMANDS, st.floats(0.0, 1.0))
def test_no_commitment_is_on_demand(demands, discount):
    assert bill(0, demands, discount) == approx(2.5 * sum(demands) / len(demands), rel=1e-15)


def test_two_years_of_a_fifth_are_the_square_of_one():
    # 1/1.2 = 0.8333; 1/1.44 = 0.6944
    assert tco.discount_factor(discount_rate=0.2, years=1) == pytest.approx(0.833333, rel=1e-5)
    assert tco.discount_factor(discount_rate=0.2, years=2) == pytest.approx(0.694444, rel=1e-5)
    assert tco.discount_factor(discount_rate=0.0, years=7) == 1


@pytest.mark.parametrize(("rate", "years"), [(0.07, 5), (0.13, 3), (0.02, 11)])
def test_an_annuity_of_the_capital_recovery_factor_is_worth_one_dollar(rate, years):
    factors = sum(tco.discount_factor(discount_rate=rate, years=year) for year in range(1, years + 1))
    assert factors * tco.capital_recovery_factor(discount_rate=rate, years=years) == pytest.approx(1, rel=1e-12)


def test_demand_grows_by_interest_on_interest():
    # 800 * 1.5**2 = 1800; shrinking by a tenth a year: 1000 * 0.81
    assert tco.grown_requests_per_day(requests_per_day=800, growth=0.5, years=2) == pytest.approx(1800)
    assert tco.grown_requests_per_day(requests_per_day=1000, growth=-0.1, years=2) == pytest.approx(810)


def test_prices_fall_and_rise_continuously():
    # half after ln(2)/0.3 years; twice after the same time at the opposite rate
    years = np.log(2) / 0.3
    assert tco.price_ratio_after(decline_per_year=0.3, years=years) == pytest.approx(0.5)
    assert tco.price_ratio_after(decline_per_year=-0.3, years=years) == pytest.approx(2)


def test_book_value_runs_straight_from_the_price_to_the_resale_value():
    # from 1 to 0.2 over 4 years: 0.2 a year
    values = tco.book_value_share(residual_share=0.2, age_years=np.array([0.0, 1.0, 3.0, 4.0]), life_years=4.0)
    assert values == pytest.approx([1.0, 0.8, 0.4, 0.2])

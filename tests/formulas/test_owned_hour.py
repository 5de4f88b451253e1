"""An own hour by hand: a server with its margin, a residual value, staff, space, drawn power, cash flows, commitments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.contracts import best_commitment_gpus, committed_usd_per_hour
from tokenecon.formulas.hour import (
    drawn_share,
    net_present_usd,
    residual_annuity_usd_per_gpu_hour,
    server_usd_per_gpu,
    space_usd_per_gpu_hour,
    staff_usd_per_gpu_hour,
)
from tokenecon.formulas.tco import capital_recovery_factor, capital_usd_per_gpu_hour

RATES, LIVES = st.floats(0.001, 0.4), st.floats(1.0, 9.0)
DEMANDS = st.lists(st.integers(0, 60), min_size=1, max_size=30)


def annuity(usd, residual, rate, years, availability=1.0):
    return residual_annuity_usd_per_gpu_hour(
        usd_per_gpu=usd, residual_usd_per_gpu=residual, discount_rate=rate, availability=availability,
        capital_recovery_per_year=capital_recovery_factor(discount_rate=rate, years=years))


def test_the_maker_keeps_its_share_of_the_whole_server():
    # 24,000 + 6,000 = 30,000 is 80 % of 37,500
    assert server_usd_per_gpu(usd_per_gpu=24e3, parts_usd_per_gpu=6e3, margin=0.2) == approx(37_500)


def test_annuity_without_interest_and_residual_is_a_straight_line():
    for usd, years in ((30_000, 4), (47_409, 3.5), (9_500, 6)):
        assert annuity(usd, 0.0, 0.0, years) == approx(usd / (years * 8760), rel=1e-15)
    # with a residual, what is lost is spread: (30,000 - 6,000)/(4 * 8760)
    assert annuity(30_000, 6_000, 0.0, 4) == approx(24_000 / 35_040, rel=1e-15)


def test_annuity_by_hand():
    # 10 % over 2 years: CRF = 0.1 * 1.21/0.21 = 0.5761905; the residual is worth 12,100/1.21 = 10,000 today,
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
    # 876 USD a year over 8760 h, of which 80 % can be used: 0.1/0.8
    assert staff_usd_per_gpu_hour(usd_per_gpu_year=876.0, availability=0.8) == approx(0.125)
    # 184.06 USD * 1.3308 kW * 12 months / 8760 h
    assert space_usd_per_gpu_hour(usd_per_kw_month=184.06, kw_per_gpu=1.3308, availability=1.0) == approx(
        184.06 * 1.3308 * 12 / 8760)


def test_a_machine_draws_between_waiting_and_working():
    assert drawn_share(idle_share=0.2, busy_share=0.8, utilisation=0.25) == approx(0.35)
    assert drawn_share(idle_share=0.2, busy_share=0.8, utilisation=0.0) == 0.2
    assert drawn_share(idle_share=0.2, busy_share=0.8, utilisation=1.0) == approx(0.8)


def test_net_present_value_by_hand():
    # own: 33,000 now, 5,000 a year for three years, 4,950 back at the end, at 8 %:
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
def test_the_best_commitment_is_no_dearer_than_any_other(demands, discount):
    best = bill(best_commitment_gpus(demand_gpus=demands, discount=discount), demands, discount)
    for other in range(max(demands) + 2):
        assert best <= bill(other, demands, discount) + 1e-9


@given(DEMANDS, st.floats(0.0, 1.0))
def test_no_commitment_is_on_demand(demands, discount):
    assert bill(0, demands, discount) == approx(2.5 * sum(demands) / len(demands), rel=1e-15)


def test_best_commitment_is_the_quantile():
    demands = [7, 1, 3, 9, 3, 5, 8, 2, 6, 4]  # sorted: 1 2 3 3 4 5 6 7 8 9
    for discount, committed in ((0.0, 0), (0.05, 1), (0.2, 2), (0.21, 3), (0.57, 5), (0.95, 9), (1.0, 9)):
        assert best_commitment_gpus(demand_gpus=demands, discount=discount) == committed
    both = best_commitment_gpus(demand_gpus=demands, discount=np.array([0.2, 0.57]))
    assert list(both) == [2, 5]


@pytest.mark.parametrize("discount", [0.1, 0.5])
def test_a_larger_discount_commits_no_less(discount):
    demands = [1, 4, 4, 6, 10]
    assert best_commitment_gpus(demand_gpus=demands, discount=discount + 0.3) >= best_commitment_gpus(
        demand_gpus=demands, discount=discount)

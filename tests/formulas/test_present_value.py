"""Discounting, growth, falling prices and book values, against arithmetic written beside them."""

import numpy as np
import pytest

from tokenecon.formulas import present_value, tco


def test_two_years_of_a_fifth_are_the_square_of_one():
    # 1/1.2 = 0.8333; 1/1.44 = 0.6944
    assert present_value.discount_factor(discount_rate=0.2, years=1) == pytest.approx(0.833333, rel=1e-5)
    assert present_value.discount_factor(discount_rate=0.2, years=2) == pytest.approx(0.694444, rel=1e-5)
    assert present_value.discount_factor(discount_rate=0.0, years=7) == 1


@pytest.mark.parametrize(("rate", "years"), [(0.07, 5), (0.13, 3), (0.02, 11)])
def test_an_annuity_of_the_capital_recovery_factor_is_worth_one_dollar(rate, years):
    factors = sum(present_value.discount_factor(discount_rate=rate, years=year) for year in range(1, years + 1))
    assert factors * tco.capital_recovery_factor(discount_rate=rate, years=years) == pytest.approx(1, rel=1e-12)


def test_demand_grows_by_interest_on_interest():
    # 800 * 1.5**2 = 1800; shrinking by a tenth a year: 1000 * 0.81
    assert present_value.grown_request_per_day(request_per_day=800, growth=0.5, years=2) == pytest.approx(1800)
    assert present_value.grown_request_per_day(request_per_day=1000, growth=-0.1, years=2) == pytest.approx(810)


def test_prices_fall_and_rise_continuously():
    # half after ln(2)/0.3 years; twice after the same time at the opposite rate
    years = np.log(2) / 0.3
    assert present_value.price_ratio_after(decline_per_year=0.3, years=years) == pytest.approx(0.5)
    assert present_value.price_ratio_after(decline_per_year=-0.3, years=years) == pytest.approx(2)


def test_book_value_runs_straight_from_the_price_to_the_resale_value():
    # from 1 to 0.2 over 4 years: 0.2 a year
    values = present_value.book_value_share(residual_share=0.2, age_years=np.array([0.0, 1.0, 3.0, 4.0]), life_years=4.0)
    assert values == pytest.approx([1.0, 0.8, 0.4, 0.2])

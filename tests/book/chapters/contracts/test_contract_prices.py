"""Each contract looked at alone: spot with its gaps, commitments for a load that varies, what sellers ask."""

import math
from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.fleet import traffic
from tokenecon.prices import gpu_prices
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.contracts import contract_prices


@pytest.fixture
def case():
    return lambda **change: SimpleNamespace(**(notebooks.defaults("contracts") | change))


def test_spot_with_the_documents_figures(case):
    assert data.value("spot.discount") == data.claim("dep-azure-spot-discount")["low"] == 0.6
    found = contract_prices.spot(case())
    assert found["calm"] == pytest.approx(0.95 * 0.4 + 0.05)
    assert found["now"] == pytest.approx(0.95 * 0.4 * (1 + 0.05 * 0.35) + 0.05)
    # the discount is lost where 0.4 * (1 + r * 0.35) = 1
    assert found["dear"] == pytest.approx((1 / 0.4 - 1) / 0.35)
    assert found.sentence.startswith("At the documents' 60% off, spot ")


def test_a_stated_discount_is_that_of_the_page(case):
    found = contract_prices.spot(case(spot_discount=0.5))
    assert found["calm"] == pytest.approx(0.95 * 0.5 + 0.05) and found.sentence.startswith("At 50% off, spot ")
    committed = contract_prices.commitment(case(commitment_discount=0.3))
    assert committed.sentence.startswith("At 30% off, a commitment ")


def test_spot_for_nothing_stays_finite(case):
    found = contract_prices.spot(case(spot_discount=1.0))
    assert found.table["price_ratio"].max() < 1 and math.isinf(found["dear"])


def test_the_best_commitment_is_needed_in_the_price_share_of_hours(case):
    assert data.value("commitment.discount") == data.claim("dep-gcp-cud-discount")["low"] == 0.57
    found = contract_prices.commitment(case(profile="diurnal"))
    table = found.table
    cost = table[table["contract"] == "57% off"].set_index("committed_share")["cost_ratio"]
    assert cost[0.0] == pytest.approx(1)
    assert cost[1.0] == pytest.approx(0.43 * 1.86, rel=1e-3)  # the whole peak at 43 percent of the price
    best = found["best"].iloc[0]["committed_share"]
    load = traffic.profile("diurnal")["ratio"].to_numpy()
    exceeded = [(load / load.max() > best + step).mean() for step in (0.01, -0.01)]  # committed in steps of a hundredth
    assert exceeded[0] <= 0.43 <= exceeded[1]


def test_a_steady_load_commits_all_of_itself(case):
    best = contract_prices.commitment(case(profile="flat"))["best"].iloc[0]
    assert best["committed_share"] == 1.0 and best["cost_ratio"] == pytest.approx(0.43)


def test_a_falling_market_eats_the_discount(case):
    # interest 0.1, decline 0.3, three years: (1 - e**-1.2)/0.4 over (1 - e**-0.3)/0.1
    left = (1 - math.exp(-1.2)) / 0.4 / ((1 - math.exp(-0.3)) / 0.1)
    assert contract_prices.falling_market() == pytest.approx(left)
    assert contract_prices.commitment(case())["effective_discount"] == pytest.approx(1 - 0.43 / left)


def test_no_discount_means_no_commitment(case):
    best = contract_prices.commitment(case(commitment_discount=0.001))["best"].iloc[-1]
    assert best["committed_share"] == 0 and best["cost_ratio"] == pytest.approx(1)


def test_prices_by_contract_are_those_of_the_date(case):
    found = contract_prices.prices(case())
    table = found.table.set_index("kind")
    assert table.loc["on demand", "of_on_demand"] == 1
    assert table["as_of"].max() <= case().as_of
    row = gpu_prices.price_range("h100-sxm-80gb", "spot", case().as_of)
    assert table.loc["spot", "usd_per_gpu_hour_low"] == row["low"]
    typical, best = (gpu_prices.price_range("h100-sxm-80gb", "on_demand", case().as_of, rule=rule)["typical"]
                     for rule in ("typical", "best"))
    assert f"${typical:.2f} an hour at the median" in found.sentence and f"and ${best:.2f} at the cheapest" in found.sentence
    assert found.sentence.endswith(f"saves {1 - best / typical:.0%}.")

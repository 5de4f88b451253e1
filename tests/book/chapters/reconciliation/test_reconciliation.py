"""From the dearest number of the base case to the cheapest: each line changes one thing, and only that."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.decision import options
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.reconciliation import published, reconciliation
from tokenecon_book.documents import base

H100 = "h100-sxm-80gb"


@pytest.fixture(scope="module")
def case():
    return SimpleNamespace(**notebooks.defaults("reconciliation"))


@pytest.fixture(scope="module")
def steps(case):
    return reconciliation.steps(case).table.set_index("step")


def test_each_line_is_below_the_one_before(steps):
    assert steps["usd_per_mtok"].is_monotonic_decreasing and steps["factor"].iloc[1:].max() < 1


def test_the_denominator_is_a_request_of_the_base_case(steps):
    # 211.1 of the 1,155 + 211.1 = 1,366.1 tokens of a request are output
    assert steps.loc["the bill is divided by all tokens, prompts too", "factor"] == pytest.approx(211.1 / 1366.1)


def test_sellers_differ_by_their_price_alone(case, steps):
    def price(kind, rule):
        return gpu_prices.price_range(H100, kind, case.as_of, rule=rule)["typical"]

    assert steps.loc["from a marketplace", "factor"] == pytest.approx(
        price("marketplace", "typical") / price("on_demand", "typical"))


def test_an_idle_hour_left_out_is_the_busy_share(case, steps):
    scenario = base.of(case, gpus=None)
    let = options.offers(scenario).table.query("kind == 'marketplace' and gpu == @H100").iloc[0]
    assert steps.loc["idle hours left out", "factor"] == pytest.approx(let["utilisation"])


def test_machines_alone_are_hours_times_price(case, steps):
    # replicas paid on the mean of the hours, two H100 each, at the typical price, over 477,800 requests of 1,366.1 tokens a day
    row = base.bill(SimpleNamespace(**vars(case), n_gpus=2))
    usd_per_day = row["replicas"] * 2 * row["usd_per_gpu_hour"] * 24
    assert steps.loc["machines alone, without staff and tools", "usd_per_mtok"] == pytest.approx(
        usd_per_day / (477800 * 1366.1 / 1e6))


def test_a_fleet_meets_the_api_at_the_price_of_the_same_rule(case):
    found = reconciliation.crossings(case).table
    assert found.groupby("rule")["usd_per_mtok_api"].nunique().eq(1).all()
    api = found.drop_duplicates("rule").set_index("rule")["usd_per_mtok_api"]
    assert api["best"] < api["typical"]
    ends = found[["requests_per_day_low", "requests_per_day", "requests_per_day_high"]].dropna()
    assert len(ends) >= 2 and (ends.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)  # a slow replica needs more to pay


def test_the_case_of_the_book_serves_most_with_two_gpus(case):
    """data/assumptions.csv: base.n_gpus is what the base case chooses among 1, 2, 4 and 8."""


    assert base.bill(case)["n_gpus"] == data.value("base.n_gpus")


def test_published_figures_stand_beside_ours_in_their_unit(case):
    found = published.others(case).table.set_index("fact")
    assert len(found) == 7 and found["publisher"].nunique() >= 3
    # dreaming.press reckons with 700 output tokens a second of an H100; ours is one of two H100 that serve 6.64 requests a second
    row = base.bill(SimpleNamespace(**vars(case), n_gpus=2))
    ours = row["requests_per_s"] * 211.1 / 2
    assert found.loc["published.dreaming_speed", "ratio"] == pytest.approx(ours / 700)
    # the middle of 450,000 to 650,000 USD is 540,833, geometrically; eight H100 stand 8 * 3 * 8,760 hours
    hour = owned_hour.owned(H100, as_of=case.as_of, years=3, residual_share=0.0)["total"]
    assert found.loc["published.gpu_tco_node", "ratio"] == pytest.approx(hour * 8 * 3 * 8760 / 540833, rel=1e-3)

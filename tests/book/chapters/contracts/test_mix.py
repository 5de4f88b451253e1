"""The cheapest mix for the base case's fleet: whole replicas, the bill that it is held against, what moves it."""

from types import SimpleNamespace

import numpy as np
import pytest

from tokenecon.decision import portfolio
from tokenecon.prices import gpu_prices
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.contracts import mix
from tokenecon_book.documents import base


@pytest.fixture
def case():
    return lambda **change: SimpleNamespace(**(notebooks.defaults("contracts") | change))


def test_all_on_demand_is_the_base_cases_rented_bill(case):
    page, row = case(), base.bill(case())
    need = mix.demand(page)
    assert need.mean() == pytest.approx(row["replicas"] * row["n_gpus"])
    # its GPUs at the median price of an hour, 24 hours
    usd = gpu_prices.price_range("h100-sxm-80gb", "on_demand", page.as_of)["typical"]
    plain = 24 * need.mean() * usd
    assert mix.by_hour(page)["on_demand"] == pytest.approx(plain)
    bills = mix.bills(page)
    assert bills.table["usd_per_day"].iloc[0] == pytest.approx(plain) and bills.table["of_base"].iloc[0] == 1
    assert f"cost ${plain:,.0f} a day" in bills.sentence and f"${base.usd_per_day(row):,.0f}." in bills.sentence


def test_the_mix_covers_the_load_in_whole_replicas(case):
    page = case()
    need, found = mix.demand(page), mix.solved(page)
    whole = np.isclose(need % 2, 0)  # hours in which no replica starts
    assert need.max() > need.min() and whole.any()
    assert (found["paid"].sum(axis=0) >= need - 1e-6).all()
    paid = found["paid"][:, whole] / 2
    assert np.abs(paid - paid.round()).max() < 1e-6
    drawn = mix.by_hour(page)
    assert drawn.table[drawn.table["hour"] < len(need)].groupby("hour")["n_gpus"].sum().to_numpy() == pytest.approx(
        found["paid"].sum(axis=0), abs=1e-4)
    assert drawn["saving_low"] <= drawn["saving"] <= drawn["saving_high"]
    assert drawn["saving"] == pytest.approx(1 - drawn["usd_per_day"] / drawn["on_demand"])


def test_the_price_of_one_more_replica_is_what_it_adds(case):
    page = case()
    need = mix.demand(page)
    busiest = need == need.max()
    adds = mix.solved(page, more=2.0 * busiest)["cost"] - mix.solved(page)["cost"]
    assert mix.one_more(page).table["usd_per_gpu_hour"].iloc[0] == pytest.approx(adds / (2 * busiest.sum()))


def test_the_shadow_price_lies_between_a_little_less_and_a_little_more(case):
    page = case(requests_per_day=4778000.0, provider_gpus=80)
    best, need = mix.solved(page, whole=None), mix.demand(page)
    busiest = need == need.max()

    def adds(n_gpus):
        return (mix.solved(page, whole=None, more=n_gpus * busiest)["cost"] - best["cost"]) / (n_gpus * busiest.sum())

    assert adds(-0.02) - 1e-6 <= best["shadow"][busiest].mean() <= adds(0.02) + 1e-6


def test_a_requirement_dropped_never_costs_more(case):
    bill = mix.bills(case()).table.set_index("design")["usd_per_day"]
    assert bill["the mix"] <= min(bill["on demand and spot"], bill["on demand and commitments"]) + 1e-6
    assert bill["the mix, no limit on spot"] <= bill["the mix"] + 1e-6
    assert bill["the mix"] <= bill["the mix, any provider can fail without loss"] + 1e-6
    assert bill["the mix, a provider may take all down"] <= bill["the mix"] + 1e-6
    assert bill["the mix"] <= bill["on demand at the cheapest sellers"] + 1e-6
    assert bill["the mix, if parts of a replica worked"] <= bill["the mix"] + 1e-6


def test_too_few_gpus_anywhere_are_refused(case):
    with pytest.raises(ValueError, match=r"parameter 'provider_gpus' is 1: hour \d+ needs .* GPUs for"):
        mix.by_hour(case(provider_gpus=1, sellers="hyperscaler"))


def test_stated_discounts_move_the_mix(case):
    plain = mix.by_hour(case())["usd_per_day"]
    # a contract at 57% off at the cheapest seller, twice over for the day when one fails
    cheap = mix.by_hour(case(commitment_discount=0.57))
    assert cheap["usd_per_day"] < plain
    offers = mix.offers(case(commitment_discount=0.57, spot_discount=0.4)).set_index("offer")
    assert not set(offers["kind"]) - set(portfolio.KINDS)
    for provider in ("hyperstack", "aws"):
        hour = offers.loc[f"{provider}, on demand", "quoted"]
        assert offers.loc[f"{provider}, three-year contract", "usd_per_gpu_hour"] == pytest.approx(0.43 * hour)
        assert offers.loc[f"{provider}, spot", "quoted"] == pytest.approx(0.6 * hour)
    assert "together, three-month contract" not in offers.index


def test_discounts_of_next_to_nothing_leave_hours_on_demand_alone(case):
    page = case(spot_discount=0.01, commitment_discount=0.01, profile="servegen-m-large", lost_share=1.0)
    used = set(mix.by_hour(page).table["contract"])
    assert "spot" not in used  # 1% off is less than what is repeated after interruptions
    alone = mix.headline(case(spot_discount=0.01, commitment_discount=0.0, spot_share=0.0))
    assert alone.sentence.startswith("The cheapest mix of contracts costs, like the cheapest on-demand sellers, $")
    assert alone.sentence.count("$") == 2
    assert "spot" not in alone.sentence and ", ," not in alone.sentence


def test_the_page_says_what_its_program_found(case):
    answer, hours = mix.headline(case()), mix.by_hour(case())
    assert answer["number"] == f"{abs(hours['saving']):.0%}" and f"${hours['usd_per_day']:,.0f} a day" in answer.sentence
    assert f"${hours['on_demand']:,.0f}." in answer.sentence
    hourly = mix.usd_per_day(case(), kinds=(portfolio.ON_DEMAND,))
    assert hours["usd_per_day"] < hourly and f"the cheapest on-demand sellers ${hourly:,.0f}, the median price" in answer.sentence
    stated = mix.headline(case(usd_per_gpu_hour=3.0)).sentence
    assert "sellers" not in stated and "the price that the page states $" in stated
    moved = mix.sensitivity(case()).table.set_index("change")
    assert moved.loc["the page itself", "saving"] == pytest.approx(hours["saving"])
    assert moved.loc["all of it may run on spot", "usd_per_day"] <= moved.loc["the page itself", "usd_per_day"] + 1e-6
    assert moved.loc["the page itself", "usd_per_day"] <= moved.loc["nothing may depend on spot", "usd_per_day"] + 1e-6
    # many replicas come nearer to what parts of one would save
    assert moved.loc["ten times the volume and offers", "saving"] > moved.loc["the page itself", "saving"]


def test_a_mix_that_costs_more_says_so(case):
    dear = case(sellers="hyperscaler")
    answer, hours = mix.headline(dear), mix.by_hour(dear)
    assert hours["saving"] < 0 and answer["label"].startswith("more for the cheapest mix")
    assert f"costs {-hours['saving']:.0%} more against" in hours.sentence


def test_both_pages_ask_about_the_same_service():
    places, contracts = (notebooks.defaults(name) for name in ("deployment", "contracts"))
    same = places.keys() & contracts.keys()
    assert {"model", "gpu", "as_of", "profile", "requests_per_day"} <= same
    assert all(places[name] == contracts[name] for name in same)

"""The bank whose client groups are kept apart: requests in flight by Little's law, fleets by Erlang's, walls by counting."""

import pytest

from tokenecon import data
from tokenecon.fleet import pools
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.cases.jpmorgan import isolation


def test_requests_in_flight_by_little(case):
    page = case("jpmorgan")
    replica = pools.replica(page)
    stay = replica["concurrency"] / replica["requests_per_s"]
    assert isolation.concurrency(page)["here"] == pytest.approx(50_000 * 4 / 3600 * stay)


def test_one_group_is_the_pool_and_more_groups_cost_more(case):
    table = isolation.isolation(case("jpmorgan")).table
    assert table["penalty"].iloc[0] == pytest.approx(1)
    assert table["pooling_loss"].is_monotonic_increasing and (table["penalty"] >= 1).all()
    assert (table["pooling_loss"] * table["wall_loss"]).to_list() == pytest.approx(table["penalty"].to_list())
    assert (table["penalty_low"] <= table["penalty"]).all() and (table["penalty"] <= table["penalty_high"]).all()


def test_many_small_groups_pay_a_replica_each(case):
    table = isolation.by_size(case("jpmorgan"), counts=(1, 1000)).table.set_index("groups")
    assert table.loc[1000, "replicas"] == 1000 and table.loc[1000, "n_gpus"] == 4000
    assert table.loc[1000, "penalty"] == pytest.approx(1000 / table.loc[1, "replicas"])
    assert table.loc[1000, "tpot_ms"] < table.loc[1, "tpot_ms"]  # an empty replica is a fast one


def test_groups_fill_a_replica_up_to_the_count_said(case):
    page = case("jpmorgan")
    found = isolation.isolation(page, [10])
    most = isolation.groups_that_fill(page, found["load"], found["places"])
    table = isolation.isolation(page, [1, most + 1]).table.set_index("groups")
    assert table.loc[most + 1, "replicas"] == most + 1  # one each, and not full
    assert isolation.groups_that_fill(page, 0.5, found["places"]) == 0


def test_stricter_walls_are_dearer(case):
    table = isolation.strictness(case("jpmorgan")).table.set_index("design")
    assert table["usd_per_month"].iloc[:5].is_monotonic_increasing
    price = gpu_prices.price_range("h100-sxm-80gb", "on_demand", "2025-12-08")["typical"]
    pool = table.loc["one pool, caches apart"]
    assert pool["usd_per_month"] == pytest.approx(pool["n_gpus"] * price * 730 / 50_000)
    assert table.loc["10 groups, replicas apart, owned", "n_gpus"] == table.loc["10 groups, replicas apart", "n_gpus"]


def test_walls_cost_nothing_for_enough_requests(case):
    table = isolation.reconcile(case("jpmorgan")).table.set_index("parameter")
    enough = 4 * table.loc["requests of an analyst", "factor"]
    at = isolation.isolation(case("jpmorgan", requests_per_analyst_hour=enough), [10]).table
    assert at["penalty"].item() <= 1.05 < isolation.isolation(case("jpmorgan"), [10]).table["penalty"].item()


def test_what_makes_no_sense_is_refused(case):
    with pytest.raises(ValueError, match="parameter 'groups' is 60000, more than the 50000"):
        isolation.isolation(case("jpmorgan", groups=60_000))
    with pytest.raises(ValueError, match="parameter 'requests_per_analyst_hour' is 0"):
        isolation.concurrency(case("jpmorgan", requests_per_analyst_hour=0.0))
    with pytest.raises(ValueError, match="parameter 'wait_probability' is 1, but must lie between 0 and 1"):
        isolation.isolation(case("jpmorgan", wait_probability=1.0))


@pytest.mark.parametrize("change", [{"groups": 2}, {"groups": 5000}, {"analysts": 30, "groups": 5}, {"wait_probability": 0.5}])
def test_the_answer_holds_for_other_banks(case, change):
    page = case("jpmorgan", **change)
    assert isolation.headline(page).sentence.endswith(".")
    assert len(isolation.isolation_parts(page)) and len(isolation.strictness(page)) >= 4


def test_sensitivity_moves_one_input_at_a_time(case):
    table = isolation.sensitivity(case("jpmorgan")).table.set_index("change")
    assert len(table) == 8 and table.loc["100 groups", "n_gpus"] >= 400
    assert table.loc["1 request an hour", "in_flight"] == pytest.approx(table["in_flight"].iloc[0] / 4)


def test_the_sources_are_those_of_model_machine_and_prices(case):
    page = case("jpmorgan")
    machine = {data.model(page.model)["source"], data.row("gpus", f"{page.gpu}.bandwidth")["source"]}
    offers = gpu_prices.price_range(page.gpu, "on_demand", page.as_of)["rows"]
    assert machine <= set(isolation.concurrency(page).sources)
    assert machine | set(data.rows("prices", {"id": offers})["source"]) <= set(isolation.strictness(page).sources)
    assert data.assumption("bank.groups")["source"] in isolation.reconcile(page).sources

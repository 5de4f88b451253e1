"""The deployment chapter: pools and sites, own machines against an API, spot and commitments."""

import ast
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from tokenecon import data
from tokenecon.analysis import contracts_mix, deployment, pooling_loss, textbook
from tokenecon.formulas import queueing

# parameter of the notebook -> the row of data/assumptions.csv or data/claims.csv that its default repeats
ROWS = {
    "isl_tokens": "workload.isl", "osl_tokens": "workload.osl", "batch": "workload.batch", "utilisation": "utilisation.own",
    "ops_overhead": "finance.ops_overhead", "wait_probability": "service.wait_probability",
    "peak_to_mean": "workload.peak_to_mean", "site_overhead": "edge.site_overhead", "api_usd_per_mtok_in": "api.bedrock_input",
    "api_usd_per_mtok_out": "api.bedrock_output", "interruptions_per_hour": "spot.interruptions",
    "edge_share": "routing.small_share", "small_cost_ratio": "routing.cost_ratio",
}  # fmt: skip
CLAIMS = {
    "central_gpus": "dep-central-gpus", "edge_sites": "dep-edge-clusters", "spot_discount": "dep-azure-spot-discount",
    "spot_availability": "dep-azure-spot-availability", "commitment_discount": "dep-gcp-cud-discount",
    "batch": "ec-batch32-size", "isl_tokens": "ec-context-2000",
}  # fmt: skip


def declared(path):
    """The literals of a notebook's parameters cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    cell = next(one for one in cells if "parameters" in one["metadata"].get("tags", ()))
    return {line.targets[0].id: ast.literal_eval(line.value) for line in ast.parse("".join(cell["source"])).body}


@pytest.fixture(scope="module")
def defaults(root):
    return declared(root / "notebooks" / "deployment.ipynb")


@pytest.fixture
def case(defaults):
    return lambda **change: SimpleNamespace(**(defaults | change))


def test_the_defaults_are_those_of_the_data(defaults):
    for name, row in ROWS.items():
        assert defaults[name] == pytest.approx(data.value(row)), f"{name} differs from {row} of data/assumptions.csv"
    for name, claim in CLAIMS.items():
        assert defaults[name] == data.claim(claim)["low"], f"{name} differs from {claim} of data/claims.csv"
    assert defaults["as_of"] == data.newest_price_date()
    assert defaults["tokens_per_day"] == data.value("workload.tokens_per_day")


# --- pools ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slots", "load"), [(2, 1.0), (10, 4.077), (37, 30.5), (1000, 926.5)])
def test_waiting_is_erlangs_c(slots, load):
    assert float(pooling_loss.waiting(slots=slots, load=load)) == pytest.approx(
        queueing.erlang_c(servers=slots, offered_load=load), rel=1e-9)


def test_two_servers_with_one_erlang_make_a_third_wait():
    assert float(pooling_loss.waiting(slots=2, load=1.0)) == pytest.approx(1 / 3)


def test_utilisation_is_that_of_the_recursion():
    for slots, target in ((10, 0.01), (10, 0.05), (100, 0.01)):
        assert float(pooling_loss.utilisation(slots=slots, wait_probability=target)) == pytest.approx(
            queueing.utilisation_at_target(servers=slots, service_s=1.0, wait_s=0.0, wait_probability=target), rel=1e-6)


def test_slots_needed_undo_the_waiting():
    # one server: whoever comes while it is busy waits, and it is busy the load's share of the time
    assert pooling_loss.slots_needed(load=0.3, wait_probability=0.3) == pytest.approx(1.0)
    slots = pooling_loss.slots_needed(load=40.0, wait_probability=0.01)
    assert float(pooling_loss.waiting(slots=slots, load=40.0)) == pytest.approx(0.01)


def test_a_pool_is_fuller_the_larger_it_is_and_the_more_may_wait(case):
    table = pooling_loss.pool_sizes(case())
    for _, part in table.groupby("kind"):
        assert part["utilisation"].is_monotonic_increasing
        assert (part["utilisation_low"] < part["utilisation"]).all() and (part["utilisation"] < part["utilisation_high"]).all()
    day = table[table["kind"].str.contains("busy by day")]["utilisation"].to_numpy()
    batched = table[table["kind"] == "32 requests a GPU"]["utilisation"].to_numpy()
    assert day * 1.86 == pytest.approx(batched)


def test_the_points_of_the_documents_come_from_the_claims():
    points = pooling_loss.documents_points().set_index("label")
    assert points.loc["documents: edge", "gpus"] == 10  # 1,000 GPUs over 100 sites
    assert points.loc["documents: edge", "utilisation"] == pytest.approx(0.45)
    assert points.loc["documents: centre", "utilisation_high"] == 0.85


def test_the_edge_penalty_multiplies_three_causes(case):
    # 0.9265/0.4077 for chance; (11/10)/(1001/1000) for a spare each; 1.3333 for dearer hours
    edge = pooling_loss.edge_penalty(case()).attrs
    assert edge["site"] == 10
    assert edge["alone"] == pytest.approx(0.9265 / 0.4077 * (1.1 / 1.001) * 1.3333, rel=1e-3)
    assert edge["batched"] < edge["alone"]


def test_one_site_costs_what_the_centre_costs(case):
    assert float(pooling_loss.edge_ratio(case(site_overhead=0.0), gpus_per_site=1000.0, slots_per_gpu=1,
                                         wait_probability=0.01)) == pytest.approx(1.0)


def test_more_sites_than_gpus_are_refused(case):
    with pytest.raises(ValueError, match="parameter 'edge_sites' is 2000, more sites than the 1000 GPUs"):
        pooling_loss.edge_penalty(case(edge_sites=2000))


# --- own or API -------------------------------------------------------------------------------------


def own(rent, capacity):
    return {"rent": np.array([rent] * 3), "capacity": np.array([capacity] * 3)}


def test_instances_are_paid_whole():
    # 4 GPUs at 2 USD: 192 USD a day; 60 million tokens need two instances of 50 million
    assert float(deployment.own_cost(own(2.0, 50e6), 60e6, 4)) == pytest.approx(2 * 192 / 60)
    assert float(deployment.own_cost(own(2.0, 50e6), 50e6, 4)) == pytest.approx(192 / 50)


def test_own_pays_from_the_volume_that_covers_the_day_or_never():
    assert deployment.threshold(own(2.0, 50e6), 4.0, 4) == pytest.approx(192e6 / 4)
    assert deployment.threshold(own(2.0, 50e6), 2.56, 4) is None  # 75 million are more than it can make


def test_an_instance_makes_what_its_hours_allow(case):
    made = deployment.instance(case())
    row = made["point"]
    # a request takes its prefill alone and its decode steps shared with the batch
    busy = row["ttft_ms"] / 1e3 + 500 * row["step_ms"] / 1e3 / 32
    assert made["capacity"][1] == pytest.approx(0.6 * 86400 / busy * 2500)
    assert made["rent"][1] == pytest.approx(1.25 * data.price_range("h100-sxm-80gb", "on_demand", "2026-09-06")["typical"])


def test_no_volume_and_a_free_api_are_refused(case):
    with pytest.raises(ValueError, match="parameter 'tokens_per_day' is 0"):
        deployment.volume(case(tokens_per_day=0.0))
    with pytest.raises(ValueError, match="are both 0"):
        deployment.headline(case(api_usd_per_mtok_in=0.0, api_usd_per_mtok_out=0.0))


def test_the_api_price_is_taken_at_the_mix(case):
    # 2000 tokens in and 500 out: (4 * 1.95 + 2.56)/5
    assert deployment.api_price(case()) == pytest.approx((4 * 1.95 + 2.56) / 5)


def test_the_finding_says_when_own_machines_never_pay(case):
    table = deployment.volume(case(batch=1))
    assert table.attrs["break_even"] is None and table.attrs["finding"].startswith("At no volume")
    assert "times as much" in table.attrs["finding"] and table.attrs["saving"] < 0
    assert "never beats" in deployment.headline(case(batch=1))["finding"]


def test_a_model_without_market_prices_has_no_market_line(case):
    table = deployment.volume(case(model="gpt-j-6b", n_gpus=1, batch=8))
    assert "market for this model" not in set(table["offer"])
    assert deployment.market_price(case()) == pytest.approx(  # 0.8 and 1.78 USD in the middle
        ((4 * 0.65 + 0.87) / 5, (4 * 0.8 + 1.78) / 5, (4 * 1.285 + 2.765) / 5))


def test_a_batch_beyond_the_memory_is_refused(case):
    with pytest.raises(textbook.DoesNotFit, match="parameter 'batch' is 5000"):
        deployment.volume(case(batch=5000))


def test_a_gpu_without_a_price_is_refused(case):
    with pytest.raises(data.NoPrice, match="no on_demand price of gaudi3-128gb"):
        deployment.volume(case(gpu="gaudi3-128gb"))


def test_the_headline_fits_the_front_page(case):
    for change in ({}, {"edge_sites": 10}, {"wait_probability": 0.3}, {"edge_sites": 1}):
        answer = deployment.headline(case(**change))
        assert len(answer["number"]) <= 14 and len(answer["label"]) <= 90 and answer["finding"].endswith(".")


def test_hybrid_blends_by_share(case):
    table = deployment.hybrid(case())
    # 0.67 of tokens at a tenth of the cost, 2 and 3 times as dear: 0.67 * 0.2 + 0.33 and 0.67 * 0.3 + 0.33
    assert table.attrs["at"] == pytest.approx([0.464, 0.531])
    assert table.attrs["bound"] == pytest.approx(10)
    assert (table[table["edge_share"] == 0]["cost_ratio"] == 1).all()


def test_latency_adds_up(case):
    table = deployment.latency(case()).set_index("where")
    for _, row in table.iterrows():
        assert row["total_s"] * 1e3 == pytest.approx(row["rtt_ms"] + row["ttft_ms"] + row["decode_ms"])
    assert table.loc["distant centre", "first_ms"] - table.loc["edge", "first_ms"] == pytest.approx(80 - 10)


def test_egress_is_bytes_times_price(case):
    # 4 bytes a token at 0.09 USD a GB
    assert deployment.egress(case())["usd_per_mtok_out"].iloc[0] == pytest.approx(3.6e-4)


def test_sensitivity_begins_with_the_page(case):
    table = deployment.sensitivity(case())
    assert table["edge_alone"].iloc[0] == pytest.approx(pooling_loss.edge_penalty(case()).attrs["alone"])
    assert table["break_even"].iloc[0] == pytest.approx(deployment.volume(case()).attrs["break_even"])


# --- contracts --------------------------------------------------------------------------------------


def test_spot_with_the_documents_figures(case):
    attrs = contracts_mix.spot(case()).attrs
    assert attrs["calm"] == pytest.approx(0.95 * 0.4 + 0.05)
    assert attrs["now"] == pytest.approx(0.95 * 0.4 * (1 + 0.05 * 0.35) + 0.05)
    # the discount is lost where 0.4 * (1 + r * 0.35) = 1
    assert attrs["dear"] == pytest.approx((1 / 0.4 - 1) / 0.35)


def test_spot_for_nothing_stays_finite(case):
    table = contracts_mix.spot(case(spot_discount=1.0))
    assert table["price_ratio"].max() < 1 and math.isinf(table.attrs["dear"])


@pytest.mark.parametrize("peak", [1.05, 1.86, 7.7])
def test_a_day_has_mean_one_and_the_peak_asked_for(peak):
    shape = contracts_mix.day_shape(peak)
    assert shape.mean() == pytest.approx(1) and shape.max() == pytest.approx(peak, rel=1e-3) and shape.min() > 0


def test_a_flat_day_is_flat_and_a_peak_below_the_mean_is_refused():
    assert (contracts_mix.day_shape(1.0) == 1).all()
    for peak in (0.5, 100.0):
        with pytest.raises(ValueError, match=f"parameter 'peak_to_mean' is {peak:g}, but must be from 1"):
            contracts_mix.day_shape(peak)


def test_the_best_commitment_is_needed_in_the_price_share_of_hours(case):
    table = contracts_mix.commitment(case())
    cost = table[table["contract"] == "57% off"].set_index("committed_share")["cost_ratio"]
    assert cost[0.0] == pytest.approx(1)
    assert cost[1.0] == pytest.approx(0.43 * 1.86, rel=1e-3)  # the whole peak at 43 percent of the price
    best = table.attrs["best"].iloc[0]["committed_share"]
    load = contracts_mix.day_shape(1.86)
    assert (load / load.max() > best).mean() == pytest.approx(0.43, abs=0.02)


def test_a_falling_market_eats_the_discount(case):
    # interest 0.1, decline 0.3, three years: (1 - e**-1.2)/0.4 over (1 - e**-0.3)/0.1
    left = (1 - math.exp(-1.2)) / 0.4 / ((1 - math.exp(-0.3)) / 0.1)
    assert contracts_mix.falling_market() == pytest.approx(left)
    assert contracts_mix.commitment(case()).attrs["effective_discount"] == pytest.approx(1 - 0.43 / left)


def test_no_discount_means_no_commitment(case):
    best = contracts_mix.commitment(case(commitment_discount=0.001)).attrs["best"].iloc[1]
    assert best["committed_share"] == 0 and best["cost_ratio"] == pytest.approx(1)


def test_prices_by_contract_are_those_of_the_date(case):
    table = contracts_mix.prices(case()).set_index("kind")
    assert table.loc["on demand", "of_on_demand"] == 1
    assert table["as_of"].max() <= "2026-09-06"
    row = data.price_range("h100-sxm-80gb", "spot", "2026-09-06")
    assert table.loc["spot", "usd_per_gpu_hour_low"] == row["low"]


"""The deployment chapter: pools and sites, nearness, fees, small models at the edge, machines paid by the second."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from tokenecon import data
from tokenecon.decision import scenario
from tokenecon.fleet import erlang, planning, pools, traffic
from tokenecon.formulas import queueing
from tokenecon.serving import operating_point, sizing
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.deployment import deployment, edge, one_input, own_or_api, pool_sizes, serverless
from tokenecon_book.documents import base

# parameter of the notebook -> the row of data/assumptions.csv or data/claims.csv that its default repeats
ROWS = {"site_overhead": "edge.site_overhead", "edge_share": "routing.small_share", "n_gpus": "base.n_gpus"}
CLAIMS = {"central_gpus": "dep-central-gpus", "edge_sites": "dep-edge-clusters"}


@pytest.fixture(scope="module")
def defaults():
    return notebooks.defaults("deployment")


@pytest.fixture
def case(defaults):
    return lambda **change: SimpleNamespace(**(defaults | change))


def test_the_defaults_are_those_of_the_data_and_of_the_base_case(defaults):
    for name, row in ROWS.items():
        assert defaults[name] == pytest.approx(data.value(row)), f"{name} differs from {row} of data/assumptions.csv"
    for name, claim in CLAIMS.items():
        assert defaults[name] == data.claim(claim)["low"], f"{name} differs from {claim} of data/claims.csv"
    assert defaults["gpu"] == scenario.field(base.NAME, "gpus.0")
    stated = base.of(SimpleNamespace(**defaults))
    for name in ("model", "weights", "kv", "isl", "osl", "requests_per_day", "ttft_ms", "tpot_ms", "wait_probability", "as_of",
                 "ops_overhead"):
        assert getattr(stated, name) == defaults[name] == getattr(scenario.load(base.NAME), name)


# --- pools ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slots", "load"), [(2, 1.0), (10, 4.077), (37, 30.5), (1000, 926.5)])
def test_waiting_is_erlangs_c(slots, load):
    assert float(erlang.waiting(slots=slots, load=load)) == pytest.approx(
        queueing.erlang_c(servers=slots, offered_load=load), rel=1e-9)


def test_two_servers_with_one_erlang_make_a_third_wait():
    assert float(erlang.waiting(slots=2, load=1.0)) == pytest.approx(1 / 3)


def test_utilisation_is_that_of_the_recursion():
    for slots, target in ((10, 0.01), (10, 0.05), (100, 0.01)):
        assert float(erlang.utilisation(slots=slots, wait_probability=target)) == pytest.approx(
            queueing.utilisation_at_target(servers=slots, service_s=1.0, wait_s=0.0, wait_probability=target), rel=1e-6)


def test_slots_needed_undo_the_waiting():
    # one server: whoever comes while it is busy waits, and it is busy the load's share of the time
    assert erlang.slots_needed(load=0.3, wait_probability=0.3) == pytest.approx(1.0)
    slots = erlang.slots_needed(load=40.0, wait_probability=0.01)
    assert float(erlang.waiting(slots=slots, load=40.0)) == pytest.approx(0.01)


@pytest.fixture
def small(case):
    """A page whose numbers are easy: replicas of one GPU, a flat day."""
    return lambda **change: case(**({"model": "llama-2-7b", "n_gpus": 1, "profile": "flat"} | change))


def test_a_pool_is_fuller_the_larger_it_is_and_the_more_may_wait(case):
    table = pool_sizes.utilisations(case(profile="diurnal")).table
    for _, part in table.groupby("kind"):
        assert part["utilisation"].is_monotonic_increasing
        assert (part["utilisation_low"] < part["utilisation"]).all() and (part["utilisation"] < part["utilisation_high"]).all()
    day = table[table["kind"] == pool_sizes.DAILY]["utilisation"].to_numpy()
    steady = table[table["kind"] == "whole replicas"]["utilisation"].to_numpy()
    assert day * traffic.peak_to_mean(traffic.profile("diurnal")) == pytest.approx(steady)


def test_places_of_a_pool_are_those_of_whole_replicas(case):
    # 10 GPUs hold five replicas of two
    found = pools.replica(case())
    full = erlang.utilisation(slots=5 * found["concurrency"], wait_probability=0.01)
    assert f"; in batches {full:.0%}, or " in pool_sizes.utilisations(case()).sentence
    assert "A site: 10 GPUs, 5 replicas." in pool_sizes.utilisations(case()).note
    assert "does not hold one whole replica" in pool_sizes.utilisations(case(central_gpus=100)).sentence


def test_the_points_of_the_documents_come_from_the_claims():
    points = pool_sizes.printed_utilisations().set_index("label")
    assert points.loc["documents: edge", "n_gpus"] == 10  # 1,000 GPUs over 100 sites
    assert points.loc["documents: edge", "utilisation"] == pytest.approx(0.45)
    assert points.loc["documents: centre", "utilisation_high"] == 0.85


def test_limits_that_nothing_keeps_are_refused(case):
    with pytest.raises(ValueError, match=r"^parameter 'tpot_ms' is 5: .* the limit is 5 ms"):
        pools.replica(case(tpot_ms=5.0))
    with pytest.raises(ValueError, match=r"parameter 'n_gpus' is 1: .* do not fit"):
        pools.replica(case(n_gpus=1, weights="fp16"))
    with pytest.raises(ValueError, match="parameter 'wait_probability' is 1, but must lie between 0 and 1"):
        pools.replica(case(wait_probability=1.0))


# --- sites ------------------------------------------------------------------------------------------


def test_one_request_a_gpu_multiplies_three_causes(case):
    # 0.9265/0.4077 for chance; (11/10)/(1001/1000) for a spare each; 1.3333 for dearer hours
    single, _ = edge.at_site(case())
    assert single == pytest.approx(0.9265 / 0.4077 * (1.1 / 1.001) * 1.3333, rel=1e-3)
    assert edge.penalty(case())["alone"] == pytest.approx(single)


def test_whole_replicas_at_sites_by_hand(case):
    # 500 replicas full to the target, in 100 sites: the load of five full ones takes six where chance is less averaged out
    page = case(site_overhead=0.25)
    causes = edge.by_replicas(page, sites=[100], wait_probability=0.01)
    found = pools.replica(page)
    slots = 500 * found["concurrency"]
    load = float(erlang.utilisation(slots=slots, wait_probability=0.01)) * slots / 100
    assert float(erlang.waiting(slots=6 * found["concurrency"], load=load)) <= 0.01
    assert float(erlang.waiting(slots=5 * found["concurrency"], load=load)) > 0.01
    whole, spare, dear, own = (float(causes[kind][0]) for kind in edge.REPLICAS)
    assert whole == pytest.approx(600 / 500, rel=0.005)
    assert spare == pytest.approx(700 / 501, rel=0.005)  # one more at each site, one more in the centre
    assert dear == pytest.approx(1.25 * spare)
    assert own > dear


def test_one_site_costs_what_the_centre_costs(case):
    page = case(site_overhead=0.0)
    assert float(edge.alone(page, gpus_per_site=1000.0, wait_probability=0.01)) == pytest.approx(1.0)
    assert edge.by_replicas(page, sites=[1], wait_probability=0.01)[edge.ALL][0] == pytest.approx(1.0)


def test_more_sites_than_gpus_and_a_centre_without_a_replica_are_refused(case):
    with pytest.raises(ValueError, match="parameter 'edge_sites' is 2000, more sites than the 1000 GPUs"):
        edge.penalty(case(edge_sites=2000))
    with pytest.raises(ValueError, match="parameter 'central_gpus' is 1, fewer than the 2 of one replica"):
        edge.penalty(case(central_gpus=1, edge_sites=1))


# --- tenants ----------------------------------------------------------------------------------------


def test_tenants_apart_pay_for_whole_replicas(case):
    found = pools.replica(case())
    rate = 6 * found["requests_per_s"]
    table = pools.isolation(found, [1, 2, 10, 40], requests_per_s=rate, wait_probability=0.01).set_index("groups")
    needed = {"requests_per_s": found["requests_per_s"], "concurrency": found["concurrency"], "wait_probability": 0.01}
    one = planning.replicas(np.array([rate]), **needed)[0]
    assert table.loc[1, "penalty"] == table.loc[1, "pooling_loss"] == table.loc[1, "batch_loss"] == 1
    for groups in (2, 10, 40):
        apart = groups * planning.replicas(np.array([rate / groups]), **needed)[0]
        assert table.loc[groups, "replicas"] == apart and table.loc[groups, "penalty"] == pytest.approx(apart / one)
        # the product of its two causes, exactly
        assert table.loc[groups, "pooling_loss"] * table.loc[groups, "wall_loss"] == pytest.approx(apart / one)
        assert table.loc[groups, "penalty_low"] <= table.loc[groups, "penalty"] <= table.loc[groups, "penalty_high"]
    assert table.loc[40, "replicas"] == 40  # a replica each, nearly empty
    assert table["in_flight"].is_monotonic_decreasing and table["tpot_ms"].is_monotonic_decreasing


def test_an_emptier_replica_is_the_smaller_batch(case):
    # Little: a replica of a group serves rate/replicas, which is what the model gives at `in_flight` requests in flight
    found = pools.replica(case())
    rate = 6 * found["requests_per_s"]
    row = pools.isolation(found, [10], requests_per_s=rate, wait_probability=0.01).iloc[0]
    served = sizing.curve(pools.replica_case(found), [round(row["in_flight"])])["requests_per_s"].iloc[0]
    assert served == pytest.approx(rate / row["replicas"], rel=0.03)


def test_fewer_groups_than_one_are_refused(case):
    with pytest.raises(ValueError, match="the number of groups is 0"):
        pools.isolation(pools.replica(case()), [0], requests_per_s=1.0, wait_probability=0.01)


# --- the answer, nearness, fees, small models ---------------------------------------------------------


def test_the_headline_fits_the_front_page(case):
    for change in ({}, {"edge_sites": 10}, {"wait_probability": 0.3}, {"edge_sites": 1}):
        answer = deployment.headline(case(**change))
        assert len(answer["number"]) <= 14 and len(answer["label"]) <= 90 and answer.sentence.endswith(".")


def test_hybrid_blends_by_share(case):
    found = deployment.hybrid(case())
    table = found.table
    (cheap, ratio, dear), n_gpus = deployment.small_ratio(case())
    small = sizing.one({"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": n_gpus, "weights": "fp8", "kv": "fp8",
                        "isl": 1155, "osl": 211.1}, ttft_ms=2000, tpot_ms=50)
    large = pools.replica(case())
    assert ratio == pytest.approx(n_gpus / small["requests_per_s"] / (2 / large["requests_per_s"]))
    ends = sorted(edge.at_site(case()))
    assert found["at"] == pytest.approx([0.67 * ends[0] * cheap + 0.33, 0.67 * ends[1] * dear + 0.33])
    assert found["bound"] == pytest.approx(1 / ratio)
    assert (table[table["edge_share"] == 0]["cost_ratio"] == 1).all()


def test_latency_adds_up(case):
    table = deployment.latency(case()).table
    for _, row in table.iterrows():
        assert row["total_s"] * 1e3 == pytest.approx(row["rtt_ms"] + row["ttft_ms"] + row["decode_ms"])
    centre, near = table.iloc[0], table.iloc[1]
    assert centre["first_ms"] - near["first_ms"] == pytest.approx(80 - 10)
    assert table["total_s"].iloc[2] > 2 * centre["total_s"]  # a full replica answers more slowly


def test_paying_by_the_second_ends_where_the_premium_is_paid_for(case):
    page = case(profile="flat")
    pays = serverless.offers(page)["pays_below"]
    found, start = pools.replica(page), serverless.start_seconds(page)[1]
    paid, _ = serverless.by_second(found, np.array([pays / 3600]), idle_s=data.value("serverless.idle_timeout"), start_s=start)
    assert paid[0] * data.value("serverless.premium") == pytest.approx(1.0, rel=1e-3)  # one replica, always there


def test_the_advantage_of_a_centre_is_a_share_of_the_dearer_side(case):
    fee, advantage, made = deployment.egress(case()).table["usd_per_mtok_out"]
    assert advantage == pytest.approx(made / 0.75 - made) and fee < advantage  # 25% cheaper than made/0.75


def test_egress_is_bytes_times_price(case):
    # 4 bytes a token at 0.09 USD a GB
    assert deployment.egress(case()).table["usd_per_mtok_out"].iloc[0] == pytest.approx(3.6e-4)


def test_what_is_made_costs_what_the_chapter_on_tokens_says(case):
    """All paid hours of the rented fleet, by its busy share: before staff and tools, like every cost of output."""
    row, found = base.bill(case()), deployment.egress(case())
    made = operating_point.point(
        model="llama-3.3-70b", gpu="h100-sxm-80gb", n_gpus=2, weights="fp8", kv="fp8", isl=1155, osl=211.1,
        concurrency=int(row["concurrency"]), usd_per_gpu_hour=row["usd_per_gpu_hour"], utilisation=row["utilisation"])
    (said,) = [one for one in found.quantities if one.name == "cost-output"]
    assert said.value == made["usd_per_mtok_out"] == found.table["usd_per_mtok_out"].iloc[2]


def test_sensitivity_begins_with_the_page(case):
    table = one_input.sensitivity(case()).table
    assert table["edge_alone"].iloc[0] == pytest.approx(edge.penalty(case())["alone"])
    assert table["edge_batched"].iloc[0] == pytest.approx(edge.penalty(case())["batched"])
    assert table["over_api"].iloc[0] == pytest.approx(own_or_api.over_api(case()))
    assert table["break_even"].iloc[0] == own_or_api.volume(case())["break_even"]["own"]
    assert not one_input.sensitivity(case(edge_sites=1)).table["change"].str.contains("twice the size").any()
    dear = table.set_index("change").loc["operations cost as much as the machines"]
    assert dear["over_api"] > table["over_api"].iloc[0] and dear["break_even"] > table["break_even"].iloc[0]


# --- by the second ----------------------------------------------------------------------------------


def test_a_start_loads_the_weights(case):
    # 70.55 GB at 1.64 GB/s; from 6.9 down to 0.52 GB/s
    assert serverless.start_seconds(case()) == pytest.approx((70.5537 / 6.9, 70.5537 / 1.64, 70.5537 / 0.52), rel=1e-4)


def test_a_replica_alone_is_the_formula_and_a_busy_one_is_always_paid(case):
    found = pools.replica(case())
    alone = sizing.curve(pools.replica_case(found), [1])["requests_per_s"].iloc[0]
    paid, cold = serverless.by_second(found, np.array([1e-4, 2.0]), idle_s=5.0, start_s=84.0)
    held = 1 / alone + 5  # one request at a time
    empty = math.exp(-1e-4 * held)
    assert paid[0] == pytest.approx((1e-4 * 84 * empty + 1 - empty) / (1e-4 * 84 * empty + 1), rel=1e-3)
    assert cold[0] == pytest.approx((1 + 1e-4 * 84) * empty / (1 + 1e-4 * 84 * empty), rel=1e-3)
    assert paid[1] == pytest.approx(1.0, abs=1e-3) and cold[1] < 1e-3


def test_by_the_second_costs_the_premium_where_it_never_stops(case):
    page = case(profile="flat")
    table = serverless.over_load(page)
    busiest = table.iloc[-30]
    assert busiest["seconds"] == pytest.approx(data.value("serverless.premium") * busiest["fixed"], rel=0.05)
    rare = table.iloc[0]
    assert rare["seconds"] < rare["fixed"] / 100 and rare["seconds_low"] < rare["seconds"] < rare["seconds_high"]


def test_the_crossing_of_two_costs():
    # on logarithmic scales ln(3/2)/ln(5/2) = 0.4425 of the way from 2 to 4: 2 * 2**0.4425
    assert serverless.crossing([1, 2, 4], [1, 2, 5], [3, 3, 3]) == pytest.approx(2.7179, abs=1e-4)
    assert serverless.crossing([1, 2, 4], [1, 3, 5], [3, 3, 3]) == pytest.approx(2)
    assert serverless.crossing([1, 2], [4, 1], [3, 3]) is None and math.isinf(serverless.crossing([1, 2], [1, 1], [3, 3]))

"""The deployment chapter: pools and sites, own machines against an API, spot and commitments."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from tokenecon import data
from tokenecon.decision import portfolio
from tokenecon.errors import NoPrice
from tokenecon.fleet import erlang, planning, pools, traffic
from tokenecon.formulas import queueing
from tokenecon.prices import gpu_prices, price_book
from tokenecon.serving import sizing
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.contracts import contract_prices, mix
from tokenecon_book.chapters.deployment import deployment, edge, one_input, pool_sizes, serverless

# parameter of the notebook -> the row of data/assumptions.csv or data/claims.csv that its default repeats
ROWS = {
    "isl": "workload.isl", "osl": "workload.osl", "ttft_ms": "service.ttft", "tpot_ms": "service.tpot",
    "ops_overhead": "finance.ops_overhead", "wait_probability": "service.wait_probability",
    "site_overhead": "edge.site_overhead", "edge_share": "routing.small_share",
}  # fmt: skip
CLAIMS = {
    "central_gpus": "dep-central-gpus", "edge_sites": "dep-edge-clusters", "spot_discount": "dep-azure-spot-discount",
    "commitment_discount": "dep-gcp-cud-discount", "isl": "ec-context-2000",
}  # fmt: skip


@pytest.fixture(scope="module")
def defaults():
    return notebooks.defaults("contracts") | notebooks.defaults("deployment")


@pytest.fixture
def case(defaults):
    return lambda **change: SimpleNamespace(**(defaults | change))


def test_the_defaults_are_those_of_the_data(defaults):
    for name, row in ROWS.items():
        assert defaults[name] == pytest.approx(data.value(row)), f"{name} differs from {row} of data/assumptions.csv"
    for name, claim in CLAIMS.items():
        assert defaults[name] == data.claim(claim)["low"], f"{name} differs from {claim} of data/claims.csv"
    newest = price_book.newest_date()
    assert defaults["as_of"] == newest, f"as_of of notebooks/deployment.ipynb, or of the scenario it names, is not {newest}"
    assert defaults["tokens_per_day"] == data.value("workload.tokens_per_day")


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
    table = pool_sizes.utilisations(case()).table
    for _, part in table.groupby("kind"):
        assert part["utilisation"].is_monotonic_increasing
        assert (part["utilisation_low"] < part["utilisation"]).all() and (part["utilisation"] < part["utilisation_high"]).all()
    day = table[table["kind"] == "same, by day"]["utilisation"].to_numpy()
    steady = table[table["kind"] == "whole replicas"]["utilisation"].to_numpy()
    assert day * traffic.peak_to_mean(traffic.profile("diurnal")) == pytest.approx(steady)


def test_places_of_a_pool_are_those_of_whole_replicas(case):
    # 10 GPUs hold two replicas of four
    found = pools.replica(case())
    full = erlang.utilisation(slots=2 * found["concurrency"], wait_probability=0.01)
    assert f"{full:.0%} as 2 replicas of {found['concurrency']:.0f} places" in pool_sizes.utilisations(case()).sentence
    assert "does not hold one replica of 4" in pool_sizes.utilisations(case(central_gpus=300)).sentence


def test_the_points_of_the_documents_come_from_the_claims():
    points = pool_sizes.printed_utilisations().set_index("label")
    assert points.loc["documents: edge", "n_gpus"] == 10  # 1,000 GPUs over 100 sites
    assert points.loc["documents: edge", "utilisation"] == pytest.approx(0.45)
    assert points.loc["documents: centre", "utilisation_high"] == 0.85


def test_limits_that_nothing_keeps_are_refused(case):
    with pytest.raises(ValueError, match=r"^parameter 'tpot_ms' is 5: .* the limit is 5 ms"):
        pools.replica(case(tpot_ms=5.0))
    with pytest.raises(ValueError, match=r"parameter 'n_gpus' is 1: .* do not fit"):
        pools.replica(case(n_gpus=1))
    with pytest.raises(ValueError, match="parameter 'wait_probability' is 1, but must lie between 0 and 1"):
        pools.replica(case(wait_probability=1.0))


# --- sites ------------------------------------------------------------------------------------------


def test_one_request_a_gpu_multiplies_three_causes(case):
    # 0.9265/0.4077 for chance; (11/10)/(1001/1000) for a spare each; 1.3333 for dearer hours
    single, _ = edge.at_site(case())
    assert single == pytest.approx(0.9265 / 0.4077 * (1.1 / 1.001) * 1.3333, rel=1e-3)
    assert edge.penalty(case())["alone"] == pytest.approx(single)


def test_whole_replicas_at_sites_by_hand(case):
    # 250 replicas full to the target, in 100 sites: 2.5 replicas' worth of load each takes 3, so 300 against 250 or 251
    page = case(site_overhead=0.25)
    causes = edge.by_replicas(page, sites=[100], wait_probability=0.01)
    found = pools.replica(page)
    slots = 250 * found["concurrency"]
    load = float(erlang.utilisation(slots=slots, wait_probability=0.01)) * slots / 100
    assert float(erlang.waiting(slots=3 * found["concurrency"], load=load)) <= 0.01
    assert 2 * found["concurrency"] < load or float(erlang.waiting(slots=2 * found["concurrency"], load=load)) > 0.01
    whole, spare, dear, own = (float(causes[kind][0]) for kind in edge.REPLICAS)
    assert whole == pytest.approx(300 / 250, rel=0.005)
    assert spare == pytest.approx(400 / 251, rel=0.005)  # one more at each site, one more in the centre
    assert dear == pytest.approx(1.25 * spare)
    assert own > dear


def test_one_site_costs_what_the_centre_costs(case):
    page = case(site_overhead=0.0)
    assert float(edge.alone(page, gpus_per_site=1000.0, wait_probability=0.01)) == pytest.approx(1.0)
    assert edge.by_replicas(page, sites=[1], wait_probability=0.01)[edge.ALL][0] == pytest.approx(1.0)


def test_more_sites_than_gpus_and_a_centre_without_a_replica_are_refused(case):
    with pytest.raises(ValueError, match="parameter 'edge_sites' is 2000, more sites than the 1000 GPUs"):
        edge.penalty(case(edge_sites=2000))
    with pytest.raises(ValueError, match="parameter 'central_gpus' is 3, fewer than the 4 of one replica"):
        edge.penalty(case(central_gpus=3, edge_sites=1))


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


# --- own or API -------------------------------------------------------------------------------------


def test_replicas_are_paid_whole(small):
    page = small()
    own = deployment.instance(page)
    own["rent"] = np.array([2.0] * 3)
    day = own["capacity"][1]
    # one replica at 2 USD is 48 USD a day, and two are 96
    assert deployment.own_cost(page, own, 0.99 * day)[0] == pytest.approx(48 / (0.99 * day / 1e6))
    assert deployment.own_cost(page, own, 1.01 * day)[0] == pytest.approx(96 / (1.01 * day / 1e6))


def test_own_pays_from_the_volume_that_covers_the_day_or_never(small):
    page = small()
    own = deployment.instance(page)
    own["rent"] = np.array([2.0] * 3)
    price = 2 * 48e6 / own["capacity"][1]  # what a replica costs a day is earned at half of what it can make
    assert deployment.threshold(page, own, price) == pytest.approx(48e6 / price)
    assert deployment.threshold(page, own, 1e-6) is None


def test_a_replica_makes_what_the_day_and_chance_allow(case):
    made, found = deployment.instance(case()), pools.replica(case())
    busy = float(erlang.utilisation(slots=found["concurrency"], wait_probability=0.01))
    peak = traffic.peak_to_mean(traffic.profile("diurnal"))
    assert made["capacity"][1] == pytest.approx(busy / peak * found["requests_per_s"] * 2500 * 86400)
    assert made["rent"][1] == pytest.approx(1.1 * gpu_prices.price_range("h100-sxm-80gb", "on_demand", case().as_of)["typical"])
    # at that volume one replica is enough, a little above it is not
    assert deployment.paid_replicas(case(), made, 0.999 * made["capacity"][1])[0] == 1
    assert deployment.paid_replicas(case(), made, 1.001 * made["capacity"][1])[0] == 2


def test_the_finding_says_when_own_machines_never_pay(case):
    found = deployment.volume(case(ops_overhead=3.0))
    assert found["break_even"] is None and "No volume lets own machines" in found.sentence
    assert "times as much" in found.sentence and found["saving"] < 0
    assert "no volume" in deployment.headline(case(ops_overhead=3.0)).sentence


def test_the_cost_over_volume_has_the_sources_of_the_rows_it_reads(case):
    rows = [data.model("llama-2-70b"), data.assumption("api.bedrock_output"), data.assumption("workload.peak_to_mean"),
            *(data.row("prices", one) for one in gpu_prices.price_range("h100-sxm-80gb", "on_demand", case().as_of)["rows"]),
            *(data.row("api_prices", one) for one in price_book.token_price("llama-2-70b", case().as_of)["rows"])]
    assert {"doc-uk", "nvidia-h100-datasheet", *(row["source"] for row in rows)} <= set(deployment.volume(case()).sources)


def test_the_range_of_the_saving_holds_the_saving(case):
    sold = deployment.own_or_api(case())
    assert sold["saving_low"] < sold["saving"] < sold["saving_high"] and sold["own_low"] < sold["own"] < sold["own_high"]
    typical = sold["api"]["price"][1]
    assert sold["saving"] == pytest.approx(1 - sold["own"] / typical)
    listed = price_book.token_prices("llama-2-70b", case().as_of).groupby("provider")[["usd_per_mtok_in", "usd_per_mtok_out"]]
    mixed = sorted((4 * row.usd_per_mtok_in + row.usd_per_mtok_out) / 5 for row in listed.median().itertuples())
    assert len(mixed) == 8 and typical == pytest.approx((mixed[3] + mixed[4]) / 2)  # 2000 tokens in and 500 out, seller by seller


def test_the_cheap_end_is_a_fast_replica_at_a_low_rent(case):
    own = deployment.instance(case())
    ends = [deployment.own_cost(case(), own, 1e9, end)[0] for end in range(3)]
    assert ends[0] < ends[1] < ends[2] and own["capacity"][0] > own["capacity"][2]


def test_a_model_without_an_api_price_has_no_market_line(small):
    page = small(model="gpt-j-6b", isl=1000)  # of its 2048 positions
    found = deployment.volume(page)
    assert deployment.api_price(page) is None and "API, market" not in set(found.table["offer"])
    assert found.sentence.startswith("No API price of this model is known")
    assert "no API price of this model" in deployment.headline(page).sentence
    assert "API" not in set(serverless.offers(page).table["offer"])


def test_no_volume_and_a_gpu_without_a_price_are_refused(case):
    with pytest.raises(ValueError, match="parameter 'tokens_per_day' is 0"):
        deployment.volume(case(tokens_per_day=0.0))
    with pytest.raises(NoPrice, match="no on_demand price of gaudi3-128gb"):
        deployment.volume(case(gpu="gaudi3-128gb"))


def test_the_headline_fits_the_front_page(case):
    for change in ({}, {"edge_sites": 10}, {"wait_probability": 0.3}, {"edge_sites": 1}):
        answer = deployment.headline(case(**change))
        assert len(answer["number"]) <= 14 and len(answer["label"]) <= 90 and answer.sentence.endswith(".")


def test_hybrid_blends_by_share(case):
    found = deployment.hybrid(case())
    table = found.table
    (cheap, ratio, dear), n_gpus = deployment.small_ratio(case())
    small = sizing.one({"model": "llama-2-7b", "gpu": "h100-sxm-80gb", "n_gpus": n_gpus, "weights": "fp16", "kv": "fp16",
                        "isl": 2000, "osl": 500}, ttft_ms=2000, tpot_ms=50)
    large = pools.replica(case())
    assert ratio == pytest.approx(n_gpus / small["requests_per_s"] / (4 / large["requests_per_s"]))
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


def test_above_the_first_volume_one_more_replica_may_be_dear_again(case):
    page = case(profile="flat")
    own, price = deployment.instance(page), deployment.api_price(page)["price"][2]
    first = deployment.threshold(page, own, price)
    volumes = np.geomspace(first, 4 * own["capacity"][1], 500)
    cost = deployment.own_cost(page, own, volumes)
    assert cost[0] <= price * (1 + 1e-9) and (cost > price).any()
    assert "first beat" in deployment.opening({"break_even": first})


def test_the_advantage_of_a_centre_is_a_share_of_the_dearer_side(case):
    fee, advantage, made = deployment.egress(case()).table["usd_per_mtok_out"]
    assert advantage == pytest.approx(made / 0.75 - made) and fee < advantage  # 25 % cheaper than made/0.75


def test_egress_is_bytes_times_price(case):
    # 4 bytes a token at 0.09 USD a GB
    assert deployment.egress(case()).table["usd_per_mtok_out"].iloc[0] == pytest.approx(3.6e-4)


def test_sensitivity_begins_with_the_page(case):
    table = one_input.sensitivity(case()).table
    assert table["edge_alone"].iloc[0] == pytest.approx(edge.penalty(case())["alone"])
    assert table["edge_batched"].iloc[0] == pytest.approx(edge.penalty(case())["batched"])
    assert table["saving"].iloc[0] == pytest.approx(deployment.volume(case())["saving"])
    assert not one_input.sensitivity(case(edge_sites=1)).table["change"].str.contains("twice the size").any()
    assert "textbook" in table["change"].iloc[-1] and table["saving"].iloc[-1] > table["saving"].iloc[0]


# --- by the second ----------------------------------------------------------------------------------


def test_a_start_loads_the_weights(case):
    # 137.95 GB at 1.64 GB/s; from 6.9 down to 0.52 GB/s
    assert serverless.start_seconds(case()) == pytest.approx((137.953 / 6.9, 137.953 / 1.64, 137.953 / 0.52), rel=1e-4)


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


# --- several providers ------------------------------------------------------------------------------


def test_the_mix_covers_whole_replicas_and_saves(case):
    page = case()
    need = mix.demand(page)
    assert (need % 4 == 0).all() and need.max() > need.min()
    found = mix.by_hour(page)
    table = found.table
    paid = table[table["hour"] < 24].groupby("hour")["n_gpus"].sum().to_numpy()
    assert (paid >= need - 1e-6).all()
    assert 0 < found["saving_low"] <= found["saving"] <= found["saving_high"]
    plain = mix.solved(page, kinds=(portfolio.ON_DEMAND,))["cost"]
    assert found["on_demand"] == pytest.approx(plain)


def test_the_price_of_one_more_gpu_is_what_one_more_adds(case):
    # at the margin: no less than a little less saves, no more than a whole one adds, and that of the program between
    page = case()
    best, need = mix.solved(page), mix.demand(page)
    busiest = need == need.max()

    def adds(n_gpus):
        return (mix.solved(page, more=n_gpus * busiest)["cost"] - best["cost"]) / (n_gpus * busiest.sum())

    one = mix.one_more(page).table["usd_per_gpu_hour"].iloc[0]
    assert adds(-0.02) <= one + 1e-9 and one <= adds(1.0) + 1e-9
    assert adds(-0.02) - 1e-6 <= best["shadow"][busiest].mean() <= one + 1e-6


def test_a_requirement_dropped_never_costs_more(case):
    bill = mix.bills(case()).table.set_index("design")["usd_per_day"]
    assert bill["the mix"] <= min(bill["on demand and spot"], bill["on demand and commitments"]) + 1e-9
    assert bill["the mix, no limit on spot"] <= bill["the mix"] <= bill["the mix, any provider can fail without loss"]
    assert bill["the mix, a provider may take all down"] <= bill["the mix"] <= bill["all on demand"]


def test_too_few_gpus_anywhere_are_refused(case):
    with pytest.raises(ValueError, match=r"parameter 'provider_gpus' is 1: hour 1\d needs .* GPUs for"):
        mix.by_hour(case(provider_gpus=1, sellers="hyperscaler"))


# --- contracts --------------------------------------------------------------------------------------


def test_spot_with_the_documents_figures(case):
    found = contract_prices.spot(case())
    assert found["calm"] == pytest.approx(0.95 * 0.4 + 0.05)
    assert found["now"] == pytest.approx(0.95 * 0.4 * (1 + 0.05 * 0.35) + 0.05)
    # the discount is lost where 0.4 * (1 + r * 0.35) = 1
    assert found["dear"] == pytest.approx((1 / 0.4 - 1) / 0.35)


def test_spot_for_nothing_stays_finite(case):
    found = contract_prices.spot(case(spot_discount=1.0))
    assert found.table["price_ratio"].max() < 1 and math.isinf(found["dear"])


def test_the_best_commitment_is_needed_in_the_price_share_of_hours(case):
    found = contract_prices.commitment(case())
    table = found.table
    cost = table[table["contract"] == "57% off"].set_index("committed_share")["cost_ratio"]
    assert cost[0.0] == pytest.approx(1)
    assert cost[1.0] == pytest.approx(0.43 * 1.86, rel=1e-3)  # the whole peak at 43 percent of the price
    best = found["best"].iloc[0]["committed_share"]
    load = traffic.profile("diurnal")["ratio"].to_numpy()
    exceeded = [(load / load.max() > best + step).mean() for step in (0.01, -0.01)]  # committed in steps of a hundredth
    assert exceeded[0] <= 0.43 <= exceeded[1]


def test_a_falling_market_eats_the_discount(case):
    # interest 0.1, decline 0.3, three years: (1 - e**-1.2)/0.4 over (1 - e**-0.3)/0.1
    left = (1 - math.exp(-1.2)) / 0.4 / ((1 - math.exp(-0.3)) / 0.1)
    assert contract_prices.falling_market() == pytest.approx(left)
    assert contract_prices.commitment(case())["effective_discount"] == pytest.approx(1 - 0.43 / left)


def test_no_discount_means_no_commitment(case):
    best = contract_prices.commitment(case(commitment_discount=0.001))["best"].iloc[1]
    assert best["committed_share"] == 0 and best["cost_ratio"] == pytest.approx(1)


def test_prices_by_contract_are_those_of_the_date(case):
    table = contract_prices.prices(case()).table.set_index("kind")
    assert table.loc["on demand", "of_on_demand"] == 1
    assert table["as_of"].max() <= case().as_of
    row = gpu_prices.price_range("h100-sxm-80gb", "spot", case().as_of)
    assert table.loc["spot", "usd_per_gpu_hour_low"] == row["low"]


def test_both_pages_ask_about_the_same_service():
    places, contracts = (notebooks.defaults(name) for name in ("deployment", "contracts"))
    same = places.keys() & contracts.keys()
    assert {"model", "gpu", "as_of", "profile", "tokens_per_day"} <= same
    assert all(places[name] == contracts[name] for name in same)


def test_the_contracts_page_says_what_its_program_found(case):
    answer, saved = mix.headline(case()), mix.by_hour(case())["saving"]
    assert answer["number"] == f"{saved:.0%}" and f"{saved:.1%}" in answer.sentence
    moved = mix.sensitivity(case()).table.set_index("change")
    saving = moved["saving"]
    assert saving["the page itself"] == pytest.approx(saved)
    assert saving["nothing may depend on spot"] < saving["the page itself"] < saving["all of it may run on spot"]
    assert moved.loc["a load without peaks", "committed_share"] == 1.0  # a steady load commits all of itself

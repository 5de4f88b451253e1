"""What each choice costs today: prices, shares of the tokens, fleets, and where own machines meet the API."""

from pathlib import Path

import numpy as np
import pytest

from tokenecon import data
from tokenecon.decision import break_even, options, scenario, scenario_prices
from tokenecon.errors import NothingServes
from tokenecon.fleet import planning
from tokenecon.prices import gpu_prices, price_book

SMALL = {
    "name": "Small", "model": "llama-3.1-8b", "weights": "fp8", "kv": "fp8", "gpus": ["h100-sxm-80gb", "l40s-48gb"],
    "workload": {"isl": 700, "osl": 90, "requests_per_day": 400000, "cached_prefix": 0.3},
    "traffic": {"peak_to_mean": 2.5}, "latency": {"tpot_ms": 40, "wait_probability": 0.02},
    "money": {"as_of": "2026-08-01", "years": 2, "api": {"usd_per_mtok_in": 0.05, "usd_per_mtok_out": 0.15}},
}  # fmt: skip


@pytest.fixture
def case(tmp_path):
    """A case like SMALL with some blocks changed."""

    def make(**change):
        given = {name: {**block, **change.pop(name)} if isinstance(block, dict) and name in change else block
                 for name, block in SMALL.items()}
        return scenario.case(given | change, tmp_path / "small.yml")

    return make


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    own = {"money": SMALL["money"] | {"usd_per_gpu_hour": {"h100-sxm-80gb": {"rental_3y": 1.78}}}}  # a contract of the reader's
    made = scenario.case(SMALL | own, tmp_path_factory.mktemp("case") / "small.yml")
    return made, options.offers(made)


# --- prices ----------------------------------------------------------------------------------------


def test_the_readers_own_prices_go_before_the_book(case):
    own = case(money={"usd_per_gpu_hour": {"h100-sxm-80gb": {"on_demand": 2.25}}, "usd_per_gpu": {"h100-sxm-80gb": 21000}})
    assert scenario_prices.rent(own, "h100-sxm-80gb", "on_demand") == {
        "low": 2.25, "typical": 2.25, "high": 2.25, **scenario_prices.STATED}
    assert scenario_prices.owned_inputs(own, "h100-sxm-80gb", 0.5).loc["usd_per_gpu", "typical"] == 21000
    book = scenario_prices.rent(case(), "h100-sxm-80gb", "on_demand")
    assert book["low"] < book["typical"] < book["high"]
    assert book["typical"] == gpu_prices.price_range("h100-sxm-80gb", "on_demand", "2026-08-01")["typical"]


def test_a_price_with_few_sellers_gets_the_assumed_spread(case):
    low, _, high = data.span("decision.price_spread")
    found = scenario_prices.rent(case(money={"as_of": "2026-09-06"}), "h100-sxm-80gb", "reserved_3m")
    assert gpu_prices.price_range("h100-sxm-80gb", "reserved_3m", "2026-09-06")["sellers"] < scenario_prices.SELLERS
    assert (found["low"], found["high"]) == pytest.approx((low * found["typical"], high * found["typical"]))


def test_an_hour_of_work_on_spot_pays_for_what_interrupts_it(case):
    asked = case(workload={"interruptible": True}, money={"usd_per_gpu_hour": {"l40s-48gb": {"on_demand": 2.0}}})
    spot = gpu_prices.price_range("l40s-48gb", "spot", "2026-08-01")["typical"]
    share, broken, again = (data.value(f"spot.{name}") for name in ("availability", "interruptions", "restart"))
    assert scenario_prices.rent(asked, "l40s-48gb", "spot")["typical"] == pytest.approx(
        share * spot * (1 + broken * again) + (1 - share) * 2.0)
    # a reader's own price of a spot hour is that of an hour, too, and not of an hour of work
    own = case(workload={"interruptible": True}, money={"usd_per_gpu_hour": {"l40s-48gb": {"on_demand": 2.0, "spot": 0.5}}})
    assert scenario_prices.rent(own, "l40s-48gb", "spot") == {
        **dict.fromkeys(("low", "typical", "high"), pytest.approx(share * 0.5 * (1 + broken * again) + (1 - share) * 2.0)),
        **scenario_prices.STATED}


def test_the_apis_prices_are_those_of_whole_sellers_at_the_workloads_mix(case):
    asked = case(model="gpt-oss-120b", weights="mxfp4", kv="bf16", money={"api": None, "as_of": price_book.newest_date()})
    found = scenario_prices.api(asked)
    assert found["blend"][0] <= found["blend"][1] <= found["blend"][2]
    for place in range(3):
        # 700 tokens in, 210 of them cached, and 90 out
        total = 490 * found["input"][place] + 210 * found["cached"][place] + 90 * found["output"][place]
        assert found["blend"][place] == pytest.approx(total / 790)
        offers = price_book.token_prices("gpt-oss-120b", asked.as_of)
        seller = offers[offers["provider"] == found["sellers"][place]]
        assert found["output"][place] == pytest.approx(seller["usd_per_mtok_out"].median())


def test_who_gives_no_discount_for_cached_input_asks_for_the_whole_price(case):
    found = scenario_prices.api(case())
    assert found["cached"] == found["input"] == (0.05, 0.05, 0.05)
    assert scenario_prices.api(case(money={"api": SMALL["money"]["api"] | {"usd_per_mtok_cached": 0.01}}))["cached"][1] == 0.01


@pytest.mark.parametrize(
    ("gpu", "first", "decline"), [("h100-sxm-80gb", "2024-03-01", 0.05), ("a100-sxm-80gb", "2023-02-01", 0.07)])
def test_the_declines_that_the_assumption_names_are_those_of_the_price_book(gpu, first, decline):
    note = data.assumption("decision.rent_decline")["note"]
    assert f"{decline}" in note
    then, now = (gpu_prices.price_range(gpu, "on_demand", day, max_age_days=180)["typical"] for day in (first, "2026-11-22"))
    years = (np.datetime64("2026-11-22") - np.datetime64(first)).astype(int) / 365
    assert np.log(then / now) / years == pytest.approx(decline, abs=0.005)


# --- offers ----------------------------------------------------------------------------------------


def test_the_parts_of_a_token_add_up_to_the_bill(small):
    table = small[1].table
    for end in options.ENDS:
        rows = options.feasible(table)
        parts = (490 * rows[f"usd_per_mtok_in{end}"] + 210 * rows[f"usd_per_mtok_cached{end}"]
                 + 90 * rows[f"usd_per_mtok_out{end}"])
        assert list(parts / 790) == pytest.approx(list(rows[f"usd_per_mtok{end}"]), rel=1e-9)
        # 400,000 requests a day over 365/12 days at 790 tokens
        assert list(rows[f"usd_per_month{end}"]) == pytest.approx(
            list(rows[f"usd_per_mtok{end}"] * 400000 * 365 / 12 * 790 / 1e6))


def test_the_bill_is_replicas_times_gpus_times_hours_with_operations(small):
    made, table = small[0], small[1].table
    held = options.feasible(table)
    held = held[held["kind"] != "api"]
    month = held["replicas"] * held["n_gpus"] * 730 * held["usd_per_gpu_hour"] * (1 + made.ops_overhead)
    assert list(month) == pytest.approx(list(held["usd_per_month"]))
    assert (held["usd_per_mtok_low"] <= held["usd_per_mtok"]).all()
    assert (held["usd_per_mtok"] <= held["usd_per_mtok_high"]).all()
    assert held["utilisation"].between(0, 1).all()


def test_allocation_is_never_below_usage_and_equals_it_at_full_load(small, case):
    table = small[1].table
    rows = options.feasible(table)
    for end in options.ENDS:
        assert (rows[f"usd_per_mtok{end}"] >= rows[f"usd_per_mtok_used{end}"] * (1 - 1e-12)).all()
    held = rows[rows["kind"] != "api"]
    assert list(held["usd_per_mtok_used"]) == pytest.approx(list(held["usd_per_mtok"] * held["utilisation"]))
    # one replica, full around the clock: both bases are one
    speed = held.set_index("name").loc["own: H100 SXM", "requests_per_s"]
    given = {**SMALL, "traffic": {"utilisation": 1.0}, "workload": {**SMALL["workload"], "requests_per_day": speed * 86400}}
    full = options.feasible(options.offers(scenario.case(given, Path("small.yml"))).table).set_index("name").loc["own: H100 SXM"]
    assert full["usd_per_mtok"] == pytest.approx(full["usd_per_mtok_used"])


def test_the_fleet_is_that_of_the_traffic_chapter(small):
    made, table = small[0], small[1].table
    for _, row in options.feasible(table).iterrows():
        if row["kind"] == "api":
            continue
        plan = planning.plan(made.profile, mean_requests_per_s=400000 / 86400, requests_per_s=row["requests_per_s"],
                             concurrency=row["concurrency"], wait_probability=0.02, policy=options.KINDS[row["kind"]][2],
                             start_h=data.value("spot.restart"), floor=options.KEPT)
        assert row["replicas"] == pytest.approx(plan["mean_paid_replicas"])
        assert row["utilisation"] == pytest.approx(plan["utilisation"])


def test_a_known_utilisation_replaces_the_traffic(case):
    given = {**SMALL, "traffic": {"utilisation": 0.4}, "workload": {**SMALL["workload"], "requests_per_day": 9e6}}
    made = scenario.case(given, Path("small.yml"))
    rows = options.feasible(options.offers(made).table)
    for _, row in rows[rows["kind"] != "api"].iterrows():
        # 104.17 requests a second on replicas that may be 0.4 full, whole ones
        assert row["replicas"] == np.ceil(9e6 / 86400 / row["requests_per_s"] / 0.4)
        assert row["utilisation"] <= 0.4 + 1e-12


def test_every_price_says_when_it_was_seen_and_old_ones_are_marked(small, case):
    table = small[1].table
    rows = options.feasible(table).set_index("kind")
    assert rows.loc["api", "price_seen"] == "the scenario"
    held = rows.drop(["api", "rental_3y"])  # which the scenario states
    assert held["price_seen"].between("2021-11-04", "2026-08-01").all()
    # more than 90 days before 1 August is before 3 May
    assert list(held["price_mark"] == "old") == list(held["price_seen"] < "2026-05-03")


def test_what_cannot_be_had_says_why(case):
    table = options.offers(case(gpus=["h100-sxm-80gb", "l4"], model="llama-3.1-70b", latency={"tpot_ms": 5})).table
    rows = table[table["gpu"] == "l4"]
    assert (rows["reason"] != "").all()
    assert "ms" in rows.iloc[0]["reason"] or "fit" in rows.iloc[0]["reason"]
    spot = options.offers(case()).table
    assert (spot[spot["kind"] == "spot"]["reason"] == options.NO_SPOT).all()
    assert "spot: H100 SXM, L40S" in list(options.refused(spot)["name"])


def test_only_what_is_asked_for_is_compared(case):
    assert set(options.feasible(options.offers(case(choices=["own", "api"])).table)["choice"]) == {"own", "api"}
    assert set(options.offers(case(choices=["api"])).table["kind"]) == {"api"}


def test_a_case_that_nothing_serves_is_refused_with_the_first_reasons(case):
    with pytest.raises(NothingServes, match="no choice of the scenario can be had: "):
        options.offers(case(gpus=["l4"], model="llama-3.1-405b", choices=["own", "rent"]))


# --- volume ----------------------------------------------------------------------------------------


def test_break_even_of_one_replica_is_its_day_over_the_apis_price(small):
    made, table = small[0], small[1].table
    rows = break_even.against_api(made, small[1]).table.set_index("kind")
    row = options.best(table).set_index("kind").loc["rental_3y"]
    price = (700 * 0.05 + 90 * 0.15) / 790  # per million tokens; cached input pays the whole price
    one = 24 * row["n_gpus"] * row["usd_per_gpu_hour"] * (1 + made.ops_overhead) / price * 1e6 / 790
    if options.paid_replicas(made, row, "fixed", one)[0] == 1:
        assert rows.loc["rental_3y", "requests_per_day"] == pytest.approx(one, rel=1e-3)
    assert rows.loc["rental_3y", "utilisation"] == pytest.approx(
        row["usd_per_gpu_hour"] * (1 + made.ops_overhead) * row["n_gpus"] / 3600 / (row["requests_per_s"] * 790) * 1e6 / price)


def test_beyond_the_break_even_the_choice_never_costs_more_again(small):
    made, table = small[0], small[1].table
    price = options.best(table).set_index("kind").loc["api", "usd_per_mtok"]
    for _, row in options.best(table).iterrows():
        if row["kind"] == "api":
            continue
        at = break_even.threshold(made, row, price)
        if np.isfinite(at):
            assert (break_even.cost_at(made, row, at * np.array([1.001, 1.2, 3.0, 50.0])) <= price * (1 + 1e-9)).all()
            assert break_even.cost_at(made, row, [at * (1 - 1e-4)])[0] > price * (1 - 1e-3)


def test_an_api_that_is_nearly_free_is_never_beaten(case):
    made = case(money={"api": {"usd_per_mtok_in": 1e-6, "usd_per_mtok_out": 1e-6}})
    rows = break_even.against_api(made, options.offers(made)).table
    assert np.isinf(rows["requests_per_day"]).all()
    assert (rows["note"] == "even full machines cost more than the API").all()


def test_the_curve_passes_through_the_costs_of_the_table(small):
    made, table = small[0], small[1].table
    curve = break_even.volume(made, small[1], break_even.against_api(made, small[1]))
    costs = options.best(table).set_index("name")["usd_per_mtok"]
    for name, cost in curve["here"].items():
        assert cost == pytest.approx(costs[name])


def test_without_an_api_nothing_breaks_even(case):
    made = case(choices=["own", "rent"])
    offered = options.offers(made)
    crossings = break_even.against_api(made, offered)
    assert crossings.table.empty
    assert "is the cheapest" in break_even.volume(made, offered, crossings).sentence

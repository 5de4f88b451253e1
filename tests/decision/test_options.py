"""What each choice costs today: prices, shares of the tokens, fleets, and where own machines meet the API."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tokenecon import data
from tokenecon.decision import bill, break_even, options, scenario, scenario_prices
from tokenecon.errors import NoPrice, NothingServes
from tokenecon.fleet import planning, traffic
from tokenecon.prices import gpu_prices, price_book

SMALL = {
    "name": "Small", "model": "llama-3.1-8b", "weights": "fp8", "kv": "fp8", "gpus": ["h100-sxm-80gb", "l40s-48gb"],
    "workload": {"isl": 700, "osl": 90, "requests_per_day": 400000, "cached_prefix": 0.3},
    "traffic": {"peak_to_mean": 2.5}, "latency": {"tpot_ms": 40, "wait_probability": 0.02},
    "money": {"as_of": "2026-08-01", "years": 2, "api": {"usd_per_mtok_in": 0.05, "usd_per_mtok_out": 0.15}},
}  # fmt: skip

NOBODY = {"people": 0, "api_people": 0, "spare_replicas": 0}


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


def test_the_yearly_changes_of_rents_that_the_assumption_names_are_those_of_the_price_book():
    """Of the median rent of each GPU at three sellers or more, from one month to the same of the next year."""
    rows, index = data.table("prices"), set(data.rows("providers", {"kind": "index"})["id"])
    rows = rows[(rows["kind"] == "on_demand") & (rows["basis"] != "claimed") & ~rows["provider"].isin(index)]
    one_offer, medians = ["gpu", "provider", "region", "offer", "basis"], {}
    for day in (f"{year}-{month:02d}-01" for year in range(2022, 2027) for month in range(1, 13)):
        known = rows[(rows["as_of"] <= day) & (day <= "2026-11-28")]
        known = known[known["as_of"] == known.groupby(one_offer)["as_of"].transform("max")]
        earliest = (datetime.date.fromisoformat(day) - datetime.timedelta(days=180)).isoformat()
        for gpu, part in known[known["last_seen"] >= earliest].groupby("gpu"):
            sellers = part.groupby("provider")["value"].median()
            if len(sellers) >= 3:
                medians[gpu, day] = sellers.median()
    changes = {(gpu, day): np.log(usd / medians[gpu, later]) for (gpu, day), usd in medians.items()
               if (gpu, later := f"{int(day[:4]) + 1}{day[4:]}") in medians}
    row = data.assumption("decision.rent_decline")
    assert np.quantile(list(changes.values()), [0.1, 0.5, 0.9]) == pytest.approx([row[end] for end in ("low", "value", "high")],
                                                                             abs=0.005)
    assert f"{len(changes)} changes of six GPUs" in row["note"] and len({gpu for gpu, _ in changes}) == 6
    assert row["low"] < 0 < row["high"], "rents rose in some years: a decline is no law"


def test_the_yearly_changes_of_token_prices_that_the_assumption_names_are_those_of_the_price_lists():
    found = []
    for model in sorted(set(data.table("api_prices")["model"]) & set(data.ids("models"))):
        try:
            lists = [price_book.token_prices(model, day) for day in ("2025-12-08", "2026-11-28")]
        except NoPrice:
            continue
        then, now = ((one["usd_per_mtok_in"] * 0.85 + one["usd_per_mtok_out"] * 0.15).groupby(one["provider"]).median()
                     for one in lists)
        if min(len(then), len(now)) >= 3:
            found.append(np.log(then.median() / now.median()))
    row = data.assumption("decision.api_decline")
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx([row[end] for end in ("low", "value", "high")], abs=0.01)


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


def test_the_bill_is_replicas_times_gpus_times_hours_with_tools_and_people(small):
    made, table = small[0], small[1].table
    held = options.feasible(table)
    held = held[held["kind"] != "api"]
    month = held["replicas"] * held["n_gpus"] * 730 * held["usd_per_gpu_hour"] * (1 + made.ops_overhead)
    people = data.value("people.serving") * data.value("people.cost") / 12
    assert list(month + people) == pytest.approx(list(held["usd_per_month"]))
    assert list(month) == pytest.approx(list(held["usd_per_month_marginal"]))
    assert (held["usd_per_mtok_low"] <= held["usd_per_mtok"]).all()
    assert (held["usd_per_mtok"] <= held["usd_per_mtok_high"]).all()
    assert held["utilisation"].between(0, 1).all()


def test_allocation_is_never_below_usage_and_equals_it_at_full_load(small, case):
    table = small[1].table
    rows = options.feasible(table)
    for end in options.ENDS:
        assert (rows[f"usd_per_mtok{end}"] >= rows[f"usd_per_mtok_used{end}"] * (1 - 1e-12)).all()
    held = rows[rows["kind"] != "api"]
    assert list(held["usd_per_mtok_used"]) == pytest.approx(list(held["usd_per_mtok_marginal"] * held["utilisation"]))
    # a server of eight replicas, full around the clock, without spares and people: both bases are one
    speed = held.set_index("name").loc["own: H100 SXM", "requests_per_s"]
    given = {**SMALL, "traffic": {"utilisation": 1.0}, "service": NOBODY,
             "workload": {**SMALL["workload"], "requests_per_day": 8 * speed * 86400}}
    full = options.feasible(options.offers(scenario.case(given, Path("small.yml"))).table).set_index("name").loc["own: H100 SXM"]
    assert full["usd_per_mtok"] == pytest.approx(full["usd_per_mtok_used"])


def test_the_fleet_is_that_of_the_traffic_chapter_with_a_spare_in_whole_servers(small):
    made, table = small[0], small[1].table
    _, burst = traffic.of_size(400000 / 86400)
    for _, row in options.feasible(table).iterrows():
        if row["kind"] == "api":
            continue
        plan = planning.plan(made.profile, mean_requests_per_s=400000 / 86400, requests_per_s=row["requests_per_s"],
                             concurrency=row["concurrency"], wait_probability=0.02, policy=options.KINDS[row["kind"]][2],
                             start_h=data.value("spot.restart"), floor=options.KEPT, headroom=burst)
        paid = plan["mean_paid_replicas"] + 1  # one stands by
        if row["kind"] == "own" and row["gpu"] == "h100-sxm-80gb":
            paid = np.ceil(paid / 8) * 8  # replicas of one GPU, in servers of eight
        assert row["n_gpus"] == 1 and row["replicas"] == pytest.approx(paid)
        assert row["utilisation"] == pytest.approx(plan["utilisation"] * plan["mean_paid_replicas"] / paid)


def test_a_known_utilisation_replaces_the_traffic(case):
    given = {**SMALL, "traffic": {"utilisation": 0.4}, "workload": {**SMALL["workload"], "requests_per_day": 9e6},
             "service": {"spare_replicas": 0}, "choices": ["rent", "api"]}
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


# --- the bill --------------------------------------------------------------------------------------


def test_the_lines_of_a_bill_add_up_to_it_and_its_people_are_positions(small, case):
    found = case(service={"people": 0.75, "api_people": 0.1, "usd_per_person_year": 120000})
    for made, table in (small[0], small[1].table), (found, options.offers(found).table):
        rows = options.feasible(table)
        assert list(rows[[f"usd_per_month_{line}" for line in bill.LINES]].sum(axis=1)) == pytest.approx(
            list(rows["usd_per_month"]), rel=1e-12)
        assert (rows[[f"usd_per_month_{line}" for line in bill.LINES]] >= 0).all(axis=None)
        api = rows.set_index("kind").loc["api"]
        assert api["usd_per_month_people"] == made.api_people * made.usd_per_person_year / 12
        assert api["usd_per_month_tools"] == api["usd_per_month_machines"] == 0
    held = rows[rows["kind"] != "api"]
    assert (held["usd_per_month_people"] == 7500).all()  # 0.75 * 120,000 / 12
    assert ((held["usd_per_month_power"] > 0) == (held["kind"] == "own")).all(), "who rents pays power in the rent"


def test_without_spares_and_people_the_bill_is_the_same_less_those_lines(case):
    """Where servers are not whole, one replica more is one replica more, and tools are a share of it."""
    full, bare = case(choices=["rent", "api"]), case(choices=["rent", "api"], service=NOBODY)
    first, second = (options.feasible(options.offers(one).table).set_index("name") for one in (full, bare))
    assert set(first.index) == set(second.index)
    for name, row in first.iterrows():
        spare = 0.0 if row["kind"] == "api" else row["n_gpus"] * 730 * row["usd_per_gpu_hour"]
        assert row["usd_per_month_spare"] == pytest.approx(spare)
        assert second.loc[name, "usd_per_month"] == pytest.approx(
            row["usd_per_month"] - row["usd_per_month_people"] - spare * (1 + full.ops_overhead))


def test_a_stated_availability_takes_the_spares_that_chance_needs(case):
    # replicas of one GPU that work 0.98 of the time: of n + s at least n for 0.999 of it
    contract = {"usd_per_gpu_hour": {"h100-sxm-80gb": {"rental_3y": 1.78}}}
    made = case(service={"availability": 0.999}, choices=["rent"], money=contract)
    plain = case(service=NOBODY, choices=["rent"], money=contract)
    rows, needed = (options.feasible(options.offers(one).table).set_index("name") for one in (made, plain))
    works, fixed = data.value("finance.availability"), rows[rows["group"] == "commitment"]
    for name, row in fixed.iterrows():
        count, spare = needed.loc[name, "replicas"], row["replicas"] - needed.loc[name, "replicas"]
        assert stats.binom.sf(count - 1, count + spare, works) >= 0.999
        assert spare == 0 or stats.binom.sf(count - 1, count + spare - 1, works) < 0.999
    assert len(fixed)


def test_what_binds_is_capital_or_the_term_of_a_contract(small):
    rows = options.feasible(small[1].table).set_index("name")
    assert list(rows.loc["API", ["capital_usd", "commitment_usd", "commitment_months"]]) == [0, 0, 0]
    own = rows.loc["own: H100 SXM"]
    # 8 GPUs at the price of the book with server and network, a fiftieth more for those that are out of order
    inputs = scenario_prices.owned_inputs(small[0], "h100-sxm-80gb", 0.5)["typical"]
    each = (inputs["usd_per_gpu"] + inputs["server_parts_usd_per_gpu"]) / (1 - inputs["server_margin"]) + inputs[
        "network_usd_per_gpu"]
    assert own["gpus"] == 8 and own["capital_usd"] == pytest.approx(8 * each / inputs["availability"])
    contract = rows.loc["3-year contract: H100 SXM"]
    assert (contract["group"], contract["commitment_months"]) == ("commitment", 36)
    assert contract["commitment_usd"] == pytest.approx(36 * 730 * 1.78 * contract["gpus"])
    hourly = rows[rows["group"] == "rent by the hour"]
    assert len(hourly) and (hourly["commitment_usd"] == 0).all()


def test_cards_are_bought_one_by_one_and_modules_by_the_server():
    assert [bill.unit_gpus(gpu) for gpu in ("l40s-48gb", "h100-nvl-94gb", "h100-sxm-80gb", "mi300x-192gb", "gb200")] == [
        1, 1, 8, 8, 72]
    # replicas of 1, 2, 4, 3 and 16 GPUs in servers of 8: 3 ones make 8 GPUs; 5 pairs 16; 2 fours 8; 3 threes 16 GPUs; 1 of 16 two
    for count, n_gpus, gpus in ((3, 1, 8), (5, 2, 16), (2, 4, 8), (3, 3, 16), (1, 16, 16)):
        assert planning.whole(count, n_gpus=n_gpus, unit_gpus=8) * n_gpus == pytest.approx(gpus)


def test_scale_to_zero_pays_for_no_spare_and_no_silent_hour(case):
    made = case(service={"scale_to_zero": True, "people": 0}, choices=["rent"], workload={"requests_per_day": 2000},
                money={"usd_per_gpu_hour": {"h100-sxm-80gb": {"on_demand": 2.0}}}, gpus=["h100-sxm-80gb"])
    kept = case(service={"people": 0}, choices=["rent"], workload={"requests_per_day": 2000},
                money={"usd_per_gpu_hour": {"h100-sxm-80gb": {"on_demand": 2.0}}}, gpus=["h100-sxm-80gb"])
    zero, one = (options.feasible(options.offers(each).table).set_index("kind").loc["on_demand"] for each in (made, kept))
    assert one["replicas"] == 2, "one, and one that stands by"
    assert zero["replicas"] < 1 and zero["usd_per_month_spare"] == 0


# --- volume ----------------------------------------------------------------------------------------


def test_break_even_of_one_replica_is_its_day_over_the_apis_price(case):
    made = case(service=NOBODY, traffic={"burst": 1.0}, money={"usd_per_gpu_hour": {"l40s-48gb": {"rental_3y": 0.1}}})
    offered = options.offers(made)
    rows = break_even.against_api(made, offered).table.set_index("kind")
    row = options.best(offered.table).set_index("kind").loc["rental_3y"]
    price = (700 * 0.05 + 90 * 0.15) / 790  # per million tokens; cached input pays the whole price
    one = 24 * row["n_gpus"] * row["usd_per_gpu_hour"] * (1 + made.ops_overhead) / price * 1e6 / 790
    assert options.paid_replicas(made, row, "fixed", one)[0] == 1
    assert rows.loc["rental_3y", "requests_per_day"] == pytest.approx(one, rel=1e-3)
    assert rows.loc["rental_3y", "requests_per_day_marginal"] == rows.loc["rental_3y", "requests_per_day"], "nobody is paid"
    assert rows.loc["rental_3y", "utilisation"] == pytest.approx(
        row["usd_per_gpu_hour"] * (1 + made.ops_overhead) * row["n_gpus"] / 3600 / (row["requests_per_s"] * 790) * 1e6 / price)


def test_beyond_the_break_even_the_choice_never_costs_more_again(small):
    made, table = small[0], small[1].table
    sold = options.best(table).set_index("kind", drop=False).loc["api"]
    for _, row in options.best(table).iterrows():
        if row["kind"] == "api":
            continue
        at = break_even.threshold(made, row, sold)
        assert at >= break_even.threshold(made, row, sold, people=False), "people put it off"
        if np.isfinite(at):
            above, below = at * np.array([1.001, 1.2, 3.0, 50.0]), [at * (1 - 1e-4)]
            assert (break_even.cost_at(made, row, above) <= break_even.cost_at(made, sold, above) * (1 + 1e-9)).all()
            assert break_even.cost_at(made, row, below)[0] > break_even.cost_at(made, sold, below)[0] * (1 - 1e-3)


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
    assert "is cheapest at 400,000 requests a day" in break_even.volume(made, offered, crossings).sentence

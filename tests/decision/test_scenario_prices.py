"""One price rule for machines and APIs: best, typical or list."""

import pandas as pd
import pytest

from tokenecon import data, queries
from tokenecon.decision import montecarlo, options, scenario, scenario_prices
from tokenecon.errors import NoPrice
from tokenecon.prices import gpu_prices, price_book

H100, MODEL, DAY = "h100-sxm-80gb", "llama-3.1-8b", "2026-11-22"
NEW, OLD = "2026-10-10", "2026-05-24"  # 43 and 182 days before: October has 31 days
RULES = tuple(gpu_prices.PRICE_RULES)


@pytest.fixture
def market(monkeypatch):
    """The same sellers ask the same for an H100 on demand and for a million tokens, read and written: (provider, USD, day)."""
    real = data._load

    def table(name, rows):
        columns = [field["name"] for field in data.schema(name)]
        blank = {column: "" for column in ("region", "offer", "note", "locator", "seller_model") if column in columns}
        return pd.DataFrame(rows, columns=columns).fillna(blank)

    def put(*offers):
        hours, tokens = [], []
        for place, (provider, usd, day, *least) in enumerate(offers):
            both = {"id": f"p{place}", "as_of": day, "last_seen": day, "basis": "quoted", "licence": "MIT"}
            hours.append(both | {"gpu": H100, "provider": provider, "kind": "on_demand", "offer": str(place), "value": usd,
                                 "min_gpus": least[0] if least else float("nan"),
                                 "unit": "USD/GPU/h", "source": "gpu-price-index"})
            tokens.append(both | {
                "model": MODEL, "provider": {"gcp": "google", "oracle": "oci"}.get(provider, provider), "status": "listed",
                "seller_model": str(place), "usd_per_mtok_in": usd, "usd_per_mtok_out": usd,
                "source": "litellm-prices" if day == NEW else "genai-prices"})
        made = {"prices": table("prices", hours), "api_prices": table("api_prices", tokens)}
        monkeypatch.setattr(data, "_load", lambda name: made[name] if name in made else real(name))
        queries.forget()
    yield put
    monkeypatch.undo()
    queries.forget()


def case(rule, folder, **money):
    return scenario.case({
        "name": "Small", "model": MODEL, "weights": "fp8", "kv": "fp8", "gpus": [H100],
        "workload": {"isl": 700, "osl": 90, "requests_per_day": 3e6, "cached_prefix": 0.3}, "traffic": {"peak_to_mean": 2.5},
        "money": {"as_of": DAY, "price_rule": rule, **money}}, folder / "small.yml")


def found(rule, folder):
    """What a rule finds for an hour and for tokens: USD, sellers, day, in words."""
    made = case(rule, folder)
    hour, tokens = scenario_prices.rent(made, H100, "on_demand"), scenario_prices.api(made)
    assert (tokens["blend"][1], *(tokens[name] for name in ("count", "seen", "said"))) == pytest.approx(
        (hour["typical"], *(hour[name] for name in ("count", "seen", "said")))), "the rule is the same on both sides"
    return hour["typical"], hour["count"], hour["seen"], hour["said"]


def test_each_rule_finds_its_offer_on_both_sides(market, tmp_path):
    market(("runpod", 4.0, NEW), ("nebius", 5.0, NEW), ("aws", 6.5, NEW), ("gcp", 7.0, NEW), ("oracle", 9.0, NEW))
    # of 4, 5, 6.5, 7, 9 the middle is 6.5; of the hyperscalers' 6.5, 7, 9 it is 7
    assert found("typical", tmp_path) == (6.5, 5, NEW, "Amazon Web Services: median of 5 sellers, newest 43 days old")
    assert found("best", tmp_path) == (4.0, 5, NEW, "RunPod: cheapest of 5 sellers, 43 days old")
    assert found("list", tmp_path) == (7.0, 3, NEW, "Google Cloud: median of 3 sellers, newest 43 days old")


def test_an_old_offer_beside_newer_ones_does_not_win(market, tmp_path):
    market(("lambda", 3.0, OLD), ("runpod", 4.0, NEW), ("gcp", 7.0, NEW))
    # one newer neocloud is no market, so that the old one counts in the median of 3, 4 and 7; but it cannot be had for sure
    assert found("typical", tmp_path)[:2] == (4.0, 3)
    assert found("best", tmp_path) == (4.0, 2, NEW, "RunPod: cheapest of 2 sellers, 43 days old")
    # where the median rests on old quotes, the best is above it: 2, 3 and 4 have the middle 3
    market(("lambda", 2.0, OLD), ("vultr", 3.0, OLD), ("runpod", 4.0, NEW))
    assert found("typical", tmp_path)[::2] == (3.0, OLD)
    assert found("best", tmp_path)[0] == 4.0
    # with nothing newer the old one wins, and its age is said
    market(("lambda", 3.0, OLD), ("vultr", 5.0, OLD))
    assert found("best", tmp_path) == (3.0, 2, OLD, "Lambda: cheapest of 2 sellers, 182 days old")


def test_an_estimate_never_wins(market, tmp_path):
    market(("semianalysis-model", 1.0, NEW), ("neocloud-market", 1.5, NEW), ("lambda", 3.0, NEW))
    hour = scenario_prices.rent(case("best", tmp_path), H100, "on_demand")
    assert (hour["typical"], hour["said"]) == (3.0, "Lambda: 1 seller, 43 days old")


def test_what_no_hyperscaler_lists_is_absent_with_its_reason(market, tmp_path):
    market(("lambda", 3.0, NEW), ("runpod", 4.0, NEW))
    made = case("list", tmp_path)
    with pytest.raises(NoPrice, match=rf"no on_demand price of {H100} at a hyperscaler within 365 days before {DAY}: 2 other "
                       r"sellers ask one; choose another price_rule, or add a row to .*prices.csv"):
        scenario_prices.rent(made, H100, "on_demand")
    with pytest.raises(NoPrice, match=rf"no token price of {MODEL} at a hyperscaler on {DAY}: 2 other sellers are known; choose"):
        scenario_prices.api(made)
    made.rents = {H100: {"marketplace": 2.0}}  # something must be had
    table = options.offers(made).table
    assert set(options.feasible(table)["kind"]) == {"marketplace"}
    said = options.refused(table).set_index("name")["reason"]
    assert said["on demand: H100 SXM"] == f"no on_demand price at a hyperscaler within 365 days before {DAY}"
    assert said["API"] == f"no token price of {MODEL} at a hyperscaler on {DAY}"
    assert options.api_sellers(made).table["rule"].tolist() == ["typical", "best"]


def test_the_best_offer_has_no_range_on_either_side_and_a_spot_hour_follows_the_rule(market, tmp_path):
    market(("runpod", 4.0, NEW), ("nebius", 5.0, NEW), ("aws", 6.5, NEW), ("gcp", 7.0, NEW))
    made = case("best", tmp_path, usd_per_gpu_hour={H100: {"spot": 1.0}})
    hour, tokens = scenario_prices.rent(made, H100, "on_demand"), scenario_prices.api(made)
    assert hour["low"] == hour["high"] == 4.0 and tokens["blend"] == (4.0, 4.0, 4.0)
    share, broken, again = (data.value(f"spot.{name}") for name in ("availability", "interruptions", "restart"))
    # a spot hour that is away is an hour on demand, which costs 4 by this rule
    assert scenario_prices.rent(made, H100, "spot")["typical"] == pytest.approx(
        share * 1.0 * (1 + broken * again) + (1 - share) * 4.0)


def test_of_the_best_offer_whole_servers_are_paid_and_the_lowest_bill_wins(market, tmp_path):
    market(("runpod", 4.0, NEW), ("nebius", 3.0, NEW, 8))
    made = case("best", tmp_path)
    made.choices, made.utilisation, made.spare_replicas, made.people = ["rent"], 1.0, 0, 0
    one = options.serving(made).iloc[0]  # a replica of one GPU
    assert one["n_gpus"] == 1
    # filled replicas -> GPUs paid, USD an hour, of whom: 1.5 of them take 2 GPUs of 4 dollars, or a server of 8 for 3 each, 24;
    # 7.5 take 8 for 32, or the server for 24; 8.5 take 9 for 36, or two servers for 48
    for load, gpus, usd, who in ((1.5, 2, 4.0, "RunPod"), (7.5, 8, 3.0, "Nebius"), (8.5, 9, 4.0, "RunPod")):
        made.requests_per_day = load * one["requests_per_s"] * 86400
        row = options.feasible(options.offers(made).table).set_index("kind").loc["on_demand"]
        assert row["replicas"] * row["n_gpus"] == gpus
        assert row["usd_per_month"] == pytest.approx(gpus * usd * 730 * (1 + made.ops_overhead))
        assert row["utilisation"] == pytest.approx(load / gpus)
        assert row["price_from"].startswith(who) and row["price_from"].endswith("from 8 GPUs on") == (who == "Nebius")
    # the draws pay the same servers
    made.requests_per_day = 7.5 * one["requests_per_s"] * 86400
    table = options.offers(made).table
    option = next(one for one in montecarlo.options(made, table) if one["kind"] == "on_demand")
    assert option["n_gpus"] == 8 and montecarlo.run(made, options.offers(made), draws=100).costs.min() > 0


def test_a_replica_of_more_gpus_than_a_server_takes_several():
    row = pd.Series({"n_gpus": 4, "concurrency": 10, **{f"requests_per_s{end}": 6.0 for end in options.ENDS}})
    for least, gpus, speed in ((1, 4, 6.0), (2, 4, 6.0), (4, 4, 6.0), (8, 8, 12.0), (16, 16, 24.0), (3, 6, 6.0), (6, 6, 6.0)):
        server = options._by_server(row, least)
        assert (server["n_gpus"], server["requests_per_s"], server["concurrency"]) == (gpus, speed, 10 * speed / 6)


def test_the_readers_own_prices_go_before_any_rule(tmp_path):
    for rule in RULES:
        made = case(rule, tmp_path, usd_per_gpu_hour=2.5, api={"usd_per_mtok_in": 0.05, "usd_per_mtok_out": 0.15})
        assert scenario_prices.rent(made, H100, "on_demand")["typical"] == 2.5
        assert scenario_prices.api(made)["output"] == (0.15, 0.15, 0.15)
        assert options.api_sellers(made).table["name"].tolist() == ["the scenario's price"]
    assert options.api_sellers(scenario.overridden("chat-assistant", {"price_rule": "best"})).table["price_from"].str.contains(
        "sellers").all()


def test_best_is_never_above_a_typical_price_of_today():
    seen = 0
    for gpu in data.ids("gpus"):
        for kind in gpu_prices.RENTED:
            if gpu_prices.offers(gpu, kind, "2026-11-28").empty:
                continue
            typical, best = (gpu_prices.price_range(gpu, kind, "2026-11-28", rule=rule) for rule in ("typical", "best"))
            if not gpu_prices.is_old(typical["as_of"], "2026-11-28"):
                assert best["typical"] <= typical["typical"], f"{gpu}, {kind}"
                seen += 1
    assert seen > 20
    for model in ("llama-3.3-70b", "gpt-oss-120b", "deepseek-v3", "llama-3.1-8b"):
        made = scenario.overridden("chat-assistant", {"model": model})
        best, typical = (scenario_prices.api(made, rule)["blend"] for rule in ("best", "typical"))
        assert best[1] <= typical[0], model
        offers = price_book.token_prices(model, made.as_of)
        mix = (1155 * offers["usd_per_mtok_in"] + 211.1 * offers["usd_per_mtok_out"]) / 1366.1  # nothing of it is cached
        assert best[1] == pytest.approx(mix.min())


def test_the_draws_follow_the_rule():
    costs = {}
    for rule in ("typical", "best"):
        done = montecarlo.run(scenario.overridden("chat-assistant", {"price_rule": rule}), draws=200)
        costs[rule] = {option["kind"]: option["middle"] for option in done.options}
    assert all(costs["best"][kind] < costs["typical"][kind] for kind in ("on_demand", "marketplace", "api"))
    assert costs["best"]["own"] == costs["typical"]["own"], "nobody lists what a GPU is sold for"

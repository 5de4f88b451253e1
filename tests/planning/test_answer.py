"""`tokenecon plan`: the best row against `estimate` of it, budgets, laws of a search, and the arithmetic of what turns it."""

import json
import math
import shlex

import numpy as np
import openpyxl
import pandas as pd
import pytest

import tokenecon
from tokenecon import BadInput, data, estimate
from tokenecon.fleet import traffic
from tokenecon.ownership import owned_hour
from tokenecon.planning import answer
from tokenecon.planning import turns as turning
from tokenecon.prices import gpu_prices

SMALL = {"isl": 1000, "osl": 200, "usd_per_gpu_hour": {"h100-sxm-80gb": 2.0, "l4": 0.7}}
LIMITS = {"ttft_ms": 400, "tpot_ms": 15}


def small(**more):
    return answer.plan("llama-3.1-8b", **SMALL | {"gpus": "h100-sxm-80gb", "n_gpus": [1, 2], "limits": LIMITS} | more)


@pytest.fixture(scope="module")
def loaded():
    return small(requests_per_s=60.0)


def test_a_row_is_what_estimate_says_of_its_fleet(loaded):
    found = estimate(loaded.cases())
    for name in ("ttft_ms", "tpot_ms", "ttft_ms_low", "tpot_ms_high", "usd_per_mtok", "concurrency_used"):
        assert loaded.best[name].to_numpy() == pytest.approx(found[name].to_numpy(), rel=1e-12)
    assert not found["error"].any()
    row = loaded.best.iloc[0]
    assert row["gpus"] == row["n_gpus"] * math.ceil(60.0 / row["instance_requests_per_s"])
    # 2 USD an hour, 730 hours a month; 60 requests of 1,200 tokens a second
    assert row["usd_per_month"] == pytest.approx(2.0 * 730 * row["gpus"])
    assert row["usd_per_mtok"] == pytest.approx(2.0 * row["gpus"] / (60.0 * 1200 * 3600 / 1e6))


def test_clients_are_what_estimate_says_of_its_fleet_too():
    found = small(concurrency=300)
    said = estimate(found.cases())
    for name in ("ttft_ms", "tpot_ms", "usd_per_mtok", "usd_per_mtok_low"):
        assert found.best[name].to_numpy() == pytest.approx(said[name].to_numpy(), rel=1e-12)
    assert (said["ttft_ms"] <= 400).all() and (said["tpot_ms"] <= 15).all()
    rows = found.best
    assert (rows["instance_concurrency_low"] > 0).all() and set(rows["binds"]) <= {"ttft_ms", "tpot_ms"}
    assert (rows["instance_concurrency_low"] < rows["instance_concurrency"]).all()


def test_the_best_is_the_cheapest_of_all_configurations_tried_one_by_one():
    # brute force: every layout, every rate to 2%, the instances that it takes
    costs = []
    for n_gpus, tp, pp in ((1, 1, 1), (2, 2, 1), (2, 1, 2)):
        case = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": n_gpus, "tp": tp, "pp": pp, "isl": 1000, "osl": 200,
                "load": "poisson", "usd_per_gpu_hour": 2.0}
        rates = np.geomspace(1, 200, 270)
        found = estimate(pd.DataFrame([case | {"requests_per_s": rate} for rate in rates]), intervals=False)
        held = rates[((found["ttft_ms"] <= 400) & (found["tpot_ms"] <= 15)).to_numpy()].max()
        costs.append((math.ceil(60 / held) * n_gpus * 2.0 * 730, n_gpus, tp))
    row = small(requests_per_s=60.0).best.iloc[0]
    assert (row["usd_per_month"], row["n_gpus"]) == min(costs)[:2]


def test_looser_limits_more_gpus_and_more_formats_never_make_the_best_dearer(loaded):
    def cost(**more):
        return small(requests_per_s=60.0, **more).best["usd_per_month"].iloc[0]

    by_limit = [cost(limits={"ttft_ms": ttft, "tpot_ms": tpot}) for ttft, tpot in ((100, 9), (400, 9), (900, 40))]
    assert by_limit == sorted(by_limit, reverse=True) and by_limit[-1] < by_limit[0]
    one = loaded.best["usd_per_month"].iloc[0]
    assert cost(gpus=["h100-sxm-80gb", "l4"], weights=["bf16", "fp8"]) <= one <= cost(chance=0.9)


def test_a_day_is_paid_by_the_hour_or_for_its_peak():
    day = {"requests_per_day": 2_000_000, "peak_to_mean": 3.0}
    fixed, by_hour = small(kind="committed_1y", **day).best.iloc[0], small(**day).best.iloc[0]
    assert fixed["paid_replicas"] == fixed["replicas"] == by_hour["replicas"] > by_hour["paid_replicas"]
    # the busiest hour: 2,000,000/86,400 = 23.15 a second, three times that, and the bursts of a service of this size
    burst = traffic.of_size(2_000_000 / 86_400)[1]
    assert fixed["requests_per_s"] == pytest.approx(3 * burst * 2_000_000 / 86_400)
    assert fixed["replicas"] == math.ceil(fixed["requests_per_s"] / fixed["instance_requests_per_s"])


def test_budgets_hold_and_without_a_load_are_filled(loaded):
    found = small(max_gpus=7)
    assert (found.best["gpus"] <= 7).all() and found.best.set_index("n_gpus")["replicas"].to_dict() == {1: 7, 2: 3}
    # 10,000 USD a month buy 10,000/(2*730) = 6.8 GPUs
    assert small(max_usd_per_month=10_000).best.set_index("n_gpus")["replicas"].to_dict() == {1: 6, 2: 3}
    least = loaded.best["gpus"].min()
    with pytest.raises(BadInput, match=f"max_gpus {least - 1:g}; it takes {least:g} GPUs"):
        small(requests_per_s=60.0, max_gpus=least - 1)
    power = loaded.best.iloc[0]["kw_rated"]
    assert small(requests_per_s=60.0, max_kw=power * 1.01).best.iloc[0]["kw_rated"] == pytest.approx(power)


def test_the_range_holds_less_at_its_slow_end(loaded):
    row = loaded.best.iloc[0]
    assert row["instance_requests_per_s_low"] < row["instance_requests_per_s"] < row["instance_requests_per_s_high"]
    assert row["usd_per_month_low"] <= row["usd_per_month"] <= row["usd_per_month_high"]
    assert row["usd_per_month_high"] > row["usd_per_month_low"]


def test_nothing_on_the_frontier_is_beaten_and_its_slowest_is_the_cheapest():
    found = small()
    rows = found.frontier
    assert (np.diff(rows["user_tok_s"]) < 0).all() and (np.diff(rows["usd_per_mtok"]) < 0).all()
    assert rows["usd_per_mtok"].min() == pytest.approx(found.best["usd_per_mtok"].min(), rel=1e-9)


def test_a_price_turns_the_choice_where_it_says():
    question = {"gpus": ["h100-sxm-80gb", "l4"], "n_gpus": 1, "weights": "fp8", "limits": {"ttft_ms": 2000, "tpot_ms": 60}}
    found = small(**question)
    first, other = found.best.drop_duplicates("gpu")["gpu"]
    at = found.turns.set_index("what").loc[f"usd_per_gpu_hour of {other}", "turns_at"]
    for price, winner in ((at * 1.001, first), (at * 0.999, other)):
        prices = SMALL["usd_per_gpu_hour"] | {other: price}
        again = small(**question, usd_per_gpu_hour=prices)
        assert again.best["gpu"].iloc[0] == winner


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.72, 0.9])
def test_from_a_load_on_whole_instances_never_cost_more(share):
    # brute force: n instances cost n * share for a load of up to n, the other choice costs the load
    loads = np.arange(1, 40_000) / 1000
    dear = loads[np.ceil(loads - 1e-12) * share > loads + 1e-12]
    assert turning.from_which(share) == pytest.approx(dear.max(), abs=1.1e-3)
    assert turning.from_which(1.0) == math.inf


def test_what_turns_against_the_api_is_where_both_bills_are_the_same():
    found = answer.plan("llama-3.3-70b", isl=1155, osl=211, weights="fp8", gpus="h100-sxm-80gb", n_gpus=2, limits={"tpot_ms": 50},
                        requests_per_day=10_000_000)
    turns, row = found.turns.set_index("what"), found.best.iloc[0]
    api = row["usd_per_mtok"] * turns.loc["usd_per_month", "turns_at"] / turns.loc["usd_per_month", "now"]
    full = row["usd_per_gpu_hour"] * 2 / (row["instance_requests_per_s"] * 1366 * 3600 / 1e6)
    assert turns.loc["utilisation", "turns_at"] == pytest.approx(full / api)
    volume = turns.loc["requests_per_day, instances kept all day", "turns_at"]
    instances = math.ceil(volume / 86_400 / row["instance_requests_per_s"] - 1e-9)
    hour = volume / 24 * 1366 / 1e6  # millions of tokens of an hour
    assert instances * 2 * row["usd_per_gpu_hour"] == pytest.approx(api * hour, rel=1e-6)


def test_on_a_trace_the_volume_from_which_machines_pay_has_the_hours_of_its_size():
    found = answer.plan("llama-3.3-70b", isl=1155, osl=211, weights="fp8", gpus="b200-sxm-180gb", n_gpus=1,
                        limits={"tpot_ms": 50}, requests_per_day=500_000, profile="servegen-m-large", usd_per_gpu_hour=5.0,
                        kind="committed_1y")
    row, turns = found.best.iloc[0], found.turns.set_index("what")
    api = row["usd_per_mtok"] * turns.loc["usd_per_month", "turns_at"] / turns.loc["usd_per_month", "now"]
    volume = turns.loc["requests_per_day, instances kept all day", "turns_at"]

    def dearer(at):
        hours, burst = traffic.sized("servegen-m-large", at / 86_400)
        instances = math.ceil(at / 86_400 * burst * hours["ratio"].max() / row["instance_requests_per_s"])
        return instances * 5.0 * 24 / (api * at * 1366 / 1e6)

    assert all(dearer(volume * above) <= 1.005 for above in (1.03, 1.2, 2, 5))  # hours are looked at every 2%
    assert max(dearer(volume * below) for below in np.linspace(0.9, 0.99, 10)) > 1


def test_owned_machines_come_in_whole_servers():
    found = answer.plan("llama-3.3-70b", isl=1155, osl=211, weights="fp8", gpus="b200-sxm-180gb", n_gpus=[1, 3], kind="own",
                        limits={"tpot_ms": 50}, requests_per_day=3_000_000)
    rows = found.best.set_index("n_gpus")
    # a server of eight holds two instances of three: as many whole servers as the instances fill
    for n_gpus, held in ((1, 8), (3, 2)):
        row = rows.loc[n_gpus]
        servers = math.ceil(row["replicas"] / held)
        assert row["usd_per_month"] == pytest.approx(servers * 8 * 730 * row["usd_per_gpu_hour"])
    row, turns = found.best.iloc[0], found.turns.set_index("what")
    api = row["usd_per_mtok"] * turns.loc["usd_per_month", "turns_at"] / turns.loc["usd_per_month", "now"]
    volume = turns.loc["requests_per_day, instances kept all day", "turns_at"]
    # just so many servers as that load takes cost what its tokens cost from the API, as busy as they are then
    again = answer.plan("llama-3.3-70b", isl=1155, osl=211, weights="fp8", gpus="b200-sxm-180gb", n_gpus=row["n_gpus"],
                        kind="own", limits={"tpot_ms": 50}, requests_per_day=volume).best.iloc[0]
    assert again["usd_per_mtok"] == pytest.approx(api) and again["utilisation"] < row["utilisation"]
    # the hour is cheaper by the power that idle machines do not draw
    kw = owned_hour.rated_kw("b200-sxm-180gb")[1] * data.value("power.pue")
    drawn = (data.value("power.draw") - data.value("power.idle")) * (row["utilisation"] - again["utilisation"])
    assert row["usd_per_gpu_hour"] - again["usd_per_gpu_hour"] == pytest.approx(drawn * kw * data.value("power.price"))


def test_without_a_load_owned_servers_are_full():
    row = answer.plan("llama-3.3-70b", isl=1155, osl=211, weights="fp8", gpus="b200-sxm-180gb", n_gpus=3, kind="own",
                      limits={"tpot_ms": 50}).best.iloc[0]
    assert (row["replicas"], row["gpus"], row["utilisation"]) == (2, 8, pytest.approx(6 / 8))
    assert row["usd_per_mtok"] == pytest.approx(8 * row["usd_per_gpu_hour"] / (
        2 * row["instance_requests_per_s"] * 1366 * 3600 / 1e6))


def test_the_cheapest_offer_is_that_of_cost_in_whole_servers():
    question = {"isl": 1155, "osl": 211, "weights": "fp8", "gpus": "h200-sxm-141gb", "n_gpus": 2, "price_rule": "best",
                "limits": {"tpot_ms": 50}, "as_of": "2026-11-28"}
    rows = gpu_prices.offers("h200-sxm-141gb", "on_demand", "2026-11-28")
    rows = rows[rows["quoted"] >= "2026-08-30"].fillna({"min_gpus": 1})  # of the last 90 days, the cheapest of each size
    for load in (20_000, 5_000_000):
        row = answer.plan("llama-3.3-70b", requests_per_day=load, **question).best.iloc[0]
        needed = math.ceil(load / 86_400 / row["instance_requests_per_s"])
        months = [math.ceil(needed / max(unit // 2, 1)) * max(unit, 2) * 730 * rows.loc[rows["min_gpus"] <= unit, "value"].min()
                  for unit in rows["min_gpus"].unique()]
        assert row["usd_per_month"] == pytest.approx(min(months), rel=1e-9)


SCENARIO = """\
name: Agents
model: llama-3.1-8b
weights: fp8
kv: fp8
gpus: [h100-sxm-80gb]
task: {turns: 10, first_tok: 2000, added_tok: 300, osl: 100, held_share: 0.9, retries: 0.1, tasks_per_day: 40000}
workload: {users: 2000, tenants: 10}
latency: {tpot_ms: 20, ttft_ms: 800}
traffic: {peak_to_mean: 2.5}
money: {as_of: 2026-08-01, currency: EUR, usd_per_unit: 1.15, rate_as_of: 2026-07-31, usd_per_gpu_hour: 2.0}
"""


@pytest.fixture
def agents(tmp_path):
    (tmp_path / "agents.yml").write_text(SCENARIO)
    return tmp_path / "agents.yml"


def test_a_scenario_is_planned_with_its_load_limits_prices_and_who_bears_the_bill(agents):
    found = tokenecon.plan(agents)
    asked, row = found.asked, found.best.iloc[0]
    # 40,000 tasks of 10 turns, one in ten sent again: 440,000 requests a day
    assert asked["rate"] * 86_400 == pytest.approx(440_000) and asked["limits"] == {"ttft_ms": 800, "tpot_ms": 20}
    assert (row["usd_per_gpu_hour"], asked["as_of"], asked["osl"]) == (2.0, "2026-08-01", 100)
    assert asked["peak"] == pytest.approx(440_000 / 86_400 * 2.5 * traffic.of_size(440_000 / 86_400)[1], rel=1e-6)
    # a month has 365/12 days
    for end in ("", "_low", "_high"):
        month = row[f"usd_per_month{end}"]
        assert row[f"usd_per_task{end}"] == pytest.approx(month * 12 / 365 / 40_000)
        assert row[f"usd_per_user_month{end}"] == pytest.approx(month / 2000)
        assert row[f"usd_per_tenant_month{end}"] == pytest.approx(month / 10)
    euros = found["in_currency"].iloc[0]
    assert euros["per_month"] == pytest.approx(row["usd_per_month"] / 1.15)
    assert euros["per_task"] == pytest.approx(row["usd_per_task"] / 1.15)


def test_what_is_stated_beside_a_scenario_goes_before_it(agents):
    rate = tokenecon.plan(str(agents), requests_per_s=3.0, limits={"tpot_ms": 15, "ttft_ms_p90": 900}, usd_per_gpu_hour=3.0)
    assert rate.asked["limits"] == {"ttft_ms": 800, "tpot_ms": 15, "ttft_ms_p90": 900} and rate.asked["rate"] == 3.0
    row = rate.best.iloc[0]
    # 3 requests a second, 11 a task
    assert row["usd_per_task"] == pytest.approx(row["usd_per_month"] * 12 / 365 / (3 * 86_400 / 11))
    with pytest.raises(BadInput, match=r"^[^\n]*isl is given beside a task"):
        tokenecon.plan(agents, isl=100)
    agents.write_text(SCENARIO.replace("peak_to_mean: 2.5", "utilisation: 0.5"))
    with pytest.raises(BadInput, match=r"^[^\n]*traffic\.utilisation says how busy machines are, which a plan works out"):
        tokenecon.plan(agents)


@pytest.mark.parametrize("wrong, words", [
    ({"limits": {"ttft_ms_p95": 100}}, "limit 'ttft_ms_p95' is not known; did you mean"),
    ({"limits": {"tpot_ms": -1}}, "limit tpot_ms is -1; it must be a number of milliseconds above 0"),
    ({"limits": {"tpot_ms": 0.5}}, "one request alone has a tpot_ms of"),
    ({"requests_per_s": 1, "concurrency": 4}, "requests_per_s and concurrency are both given"),
    ({"profile": "flat"}, "profile is given without requests_per_day"),
    ({"requests_per_day": 10, "profile": "flatt"}, "profile 'flatt' is not known"),
    ({"requests_per_day": -10}, "requests_per_day is -10; it must be"),
    ({"gpus": "h1000"}, "gpu 'h1000' is not known"),
    ({"weights": "fp9"}, "weights 'fp9' is not known"),
    ({"chance": 0.9, "limits": {}}, "chance is given without a limit"),
    ({"chance": 90}, "chance is 90; it must be a number above 0 and below 1"),
    ({"price_rule": "bets"}, "price_rule is 'bets'; it must be one of typical, best, list; did you mean"),
    ({"as_of": "soon"}, "as_of 'soon' is not a date"),
    ({"as_of": "1999-01-01"}, "as_of is 1999-01-01; it must be"),
    ({"kind": "purchase"}, "kind is 'purchase'; it must be one of own, on_demand"),
    ({"max_kw": 0}, "max_kw is 0; it must be a number above 0"),
    ({"isl": 0}, "isl is '0'; it must be at least 1"),
    ({"usd_per_gpu_hour": {"h100-sxm-80gb": -1}}, "usd_per_gpu_hour of h100-sxm-80gb is -1"),
    ({"gpus": "tpu-v4"}, "no configuration of llama-3.1-8b serves this: tpu-v4: no price of tpu-v4"),
    ({"isl": 10_000_000}, "no configuration of llama-3.1-8b serves this"),
])
def test_what_is_not_allowed_is_one_sentence(wrong, words):
    with pytest.raises(BadInput, match="^[^\n]*" + words.replace("(", r"\(")):
        small(**wrong)


ASKED = ("plan", "llama-3.1-8b", "--isl", "1000", "--osl", "200", "--gpus", "h100-sxm-80gb", "--n-gpus", "1", "-l", "tpot_ms=15")


def test_the_command_prints_the_answer_and_json_has_every_table(command, tmp_path):
    code, out, err = command(*ASKED, "--csv", tmp_path / "out.csv")
    assert (code, err) == (0, "")
    assert out.startswith("1 × H100 SXM (BF16, tp 1) cost least: $")
    for words in ("within TPOT mean ≤ 15 ms", "Speed of an answer against cost", "What would turn", "Chance: that all"):
        assert words in out
    code, out, _ = command(*ASKED, "--json", "--csv", tmp_path / "all", "--xlsx", tmp_path / "out.xlsx")
    found = json.loads(out)
    assert {path.stem for path in (tmp_path / "all").iterdir()} == set(found["tables"])
    last = openpyxl.load_workbook(tmp_path / "out.xlsx")["Sources"]
    # the command of the last sheet makes the same plan
    assert command(*shlex.split(last["B3"].value)[1:], "--json")[1] == out
    assert set(found["tables"]) == {"best", "frontier", "turns", "refused"}
    assert (tmp_path / "out.csv").read_text().count("\n") == len(found["tables"]["best"]) + 1


@pytest.mark.parametrize("arguments, words", [
    (("-l", "tpot_ms"), "lacks its value"), (("-l", "tpott_ms=3"), "did you mean 'tpot_ms'"),
    (("--requests-per-s", "-1"), "above 0"),
])
def test_bad_input_is_one_sentence(command, arguments, words):
    code, out, err = command(*ASKED, *arguments)
    assert (code, out) == (2, "") and words in err and "Traceback" not in err


def test_the_python_function_is_the_same():
    found = tokenecon.plan("llama-3.1-8b", isl=1000, osl=200, gpus="h100-sxm-80gb", n_gpus=1, limits={"tpot_ms": 15})
    assert found.sentence in repr(found) and found.sentence in found._repr_html_()
    assert found.units["ttft_ms"] == "ms" and found.units["usd_per_month_low"] == "USD/month" and found.version
    assert {"nvidia-h100-datasheet"} < set(found.sources)
    assert list(found.to_frame()["gpu"]) == ["h100-sxm-80gb"]

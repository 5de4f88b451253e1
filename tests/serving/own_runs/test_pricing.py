"""A measured run in money: the bill by hand, its split, and its place in a scenario."""

import json
import re

import pytest
from importers.benchmarks.samples import GUIDELLM_OLD, VLLM, VLLM_OLD

from tokenecon.decision import options, report, scenario
from tokenecon.errors import BadInput
from tokenecon.serving.own_runs import pricing

SAID = {"gpu": "h200-sxm-141gb", "n_gpus": 2, "model": "llama-3.3-70b", "weights": "fp8", "engine": None}


@pytest.fixture
def runs(tmp_path):
    def read(tree, **said):
        path = tmp_path / "run.json"
        path.write_text(json.dumps(tree), encoding="utf-8")
        return pricing.read(path, SAID | said)

    return read


def test_the_bill_of_a_run_by_hand(runs):
    """4 requests of 1,250 tokens a second on 2 GPUs at 3.60 USD: 7.20 / 3600 s / 5,000 tok/s = 0.40 USD a million.

    Input, cached and output tokens share it: 0.8 * 1,000 of input, 200 cached and 250 of output are the bill of 1,250.
    """
    row = pricing.priced(runs(VLLM), usd_per_gpu_hour=3.6, cached_prefix=0.2).iloc[0]
    assert row["usd_per_mtok"] == pytest.approx(0.4)
    whole = row["usd_per_mtok_in"] * 800 + row["usd_per_mtok_cached"] * 200 + row["usd_per_mtok_out"] * 250
    assert whole == pytest.approx(0.4 * 1250)
    assert row["usd_per_mtok_out"] > row["usd_per_mtok_in"] > row["usd_per_mtok_cached"] > 0
    half = pricing.priced(runs(VLLM), usd_per_gpu_hour=3.6, utilisation=0.5).iloc[0]
    assert half["usd_per_mtok"] == pytest.approx(0.8) and half["modelled_low"] < half["modelled"] < half["modelled_high"]


def test_arrivals_have_as_many_in_flight_as_little_says(runs):
    """4 requests a second that take 400 ms and 249 times 30 ms: 4 * 7.87 = 31.5 in flight."""
    for tree in (VLLM_OLD, GUIDELLM_OLD):
        (run,) = runs(tree, engine=None)
        assert run["concurrency"] == pytest.approx(4 * 7.87) and run["requests_per_s"] == pytest.approx(4)


def test_a_run_that_by_the_model_does_not_fit_has_a_bill_and_no_split(runs):
    row = pricing.priced(runs(VLLM, n_gpus=1, weights="bf16"), usd_per_gpu_hour=3.6).iloc[0]
    assert row["usd_per_mtok"] == pytest.approx(0.2) and row["usd_per_mtok_in"] != row["usd_per_mtok_in"]
    assert "no share by kind of token: does not fit" in row["note"]


CASE = """\
name: Mine
model: llama-3.3-70b
weights: fp8
kv: fp8
gpus: [h200-sxm-141gb, h100-sxm-80gb]
workload: {isl: 1050, osl: 240, requests_per_day: 200000}
traffic: {profile: flat}
choices: [rent]
"""


def test_in_a_scenario_the_measured_speed_stands_in_place_of_the_models(runs, tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(CASE, encoding="utf-8")
    case = scenario.load(path)
    plain = options.serving(case).set_index("gpu")
    case.measured = runs(VLLM)
    own = options.serving(case).set_index("gpu")
    assert own.loc["h200-sxm-141gb", ["n_gpus", "requests_per_s", "requests_per_s_high", "concurrency"]].tolist() == [2, 4, 4, 32]
    assert own.loc["h200-sxm-141gb", "service_s"] == pytest.approx(8)  # 32 clients, 4 answers a second
    assert own.loc["h100-sxm-80gb"].equals(plain.loc["h100-sxm-80gb"])
    done = report.cost(path, None, (), runs(VLLM))
    assert {"h200-sxm-141gb", "h100-sxm-80gb"} <= set(done["sections"][0][2]["gpu"])


@pytest.mark.parametrize(("change", "words"), [
    (("isl: 1050", "isl: 3000"), "has isl 1000, not 3000"), (("fp8\nkv", "bf16\nkv"), "has weights fp8, not bf16"),
    (("3.3-70b", "3.1-8b"), "is of llama-3.3-70b, not of llama-3.1-8b"),
    (("choices:", "latency: {tpot_ms: 20}\nchoices:"), "has a mean tpot_ms of 30, above 20"),
    (("isl: 1050", "isl: 1050, cached_prefix: 0.3"), "does not say what was cached"),
])
def test_a_run_of_another_case_is_not_taken_for_it(runs, tmp_path, change, words):
    path = tmp_path / "mine.yml"
    path.write_text(CASE.replace(*change), encoding="utf-8")
    with pytest.raises(BadInput, match=re.escape(words)):
        report.cost(path, None, (), runs(VLLM))


def test_the_command(command, tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(VLLM), encoding="utf-8")
    given = ["--from-benchmark", path, "--gpu", "h200-sxm-141gb", "--n-gpus", 2, "--weights", "fp8", "--usd-per-gpu-hour", 3.6]
    code, out, _ = command("cost", *given)
    assert code == 0 and out.splitlines()[1].split("\t")[-2] == "0.4" and "$3.60 an hour of h200-sxm-141gb" in out
    table = tmp_path / "measurements.csv"
    assert command("import", path, "--gpu", "h200-sxm-141gb", "--n-gpus", 2, "--weights", "fp8", "-o", table)[0] == 0
    code, again, _ = command("cost", "--from-benchmark", table, "--usd-per-gpu-hour", 3.6)
    assert code == 0 and again == out
    for wrong, words in ((["cost"], "name a SCENARIO"), (["cost", "--from-benchmark", path], "needs --gpu"),
                         (["cost", "chat-assistant", "--gpu", "l4"], "--gpu is of --from-benchmark")):
        code, _, err = command(*wrong)
        assert code == 2 and words in err


def test_a_table_that_contradicts_the_options_is_refused(command, tmp_path):
    path, table = tmp_path / "run.json", tmp_path / "measurements.csv"
    path.write_text(json.dumps(VLLM), encoding="utf-8")
    assert command("import", path, "--gpu", "h200-sxm-141gb", "--n-gpus", 2, "--engine", "vllm 0.11.0", "-o", table)[0] == 0
    for option, value, stated in (("--gpu", "l4", "gpu h200-sxm-141gb"), ("--n-gpus", 4, "n_gpus 2"),
                                  ("--engine", "sglang", "engine vllm")):
        code, _, err = command("cost", "--from-benchmark", table, option, value)
        assert code == 2 and f"state {stated}" in err and f"{option} is {value}" in err
    assert command("cost", "--from-benchmark", table, "--engine", "vllm", "--n-gpus", 2, "--usd-per-gpu-hour", 1)[0] == 0

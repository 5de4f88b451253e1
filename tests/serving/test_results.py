"""One arithmetic for a table, for one case and for the reader's browser: all three give the same numbers."""

import json
import pathlib
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenecon
from tokenecon import data
from tokenecon.numbers import jsonable
from tokenecon.serving import checks, coefficients, lookups, operands, results, sizing, steady_state
from tokenecon.serving.calibration import support

HERE = pathlib.Path(__file__).parent
PACKAGE = pathlib.Path(tokenecon.__file__).parent
GOOD = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "weights": "fp8"}
LARGE = {"model": "llama-3.3-70b", "n_gpus": 8, "weights": "fp8", "concurrency": 64}
LATENT = {"model": "deepseek-v3", "gpu": "h200-sxm-141gb", "n_gpus": 8, "weights": "fp8"}
CASES = {
    "dense": {"concurrency": 16},
    "as many as fit": {"model": "qwen3-32b", "n_gpus": 2},
    "offline": {"load": "offline", "engine": "vllm"},
    "static": {"load": "static", "concurrency": 32, "engine": "tensorrt-llm", "isl": 20000},
    "16-bit on AMD": {"model": "llama-3.1-70b", "gpu": "mi300x-192gb", "n_gpus": 4, "weights": "bf16", "concurrency": 8},
    "experts": {"model": "mixtral-8x7b", "n_gpus": 4, "concurrency": 40.5},
    "experts in four bits": {"model": "gpt-oss-120b", "n_gpus": 2, "weights": "mxfp4", "concurrency": 100, "engine": "sglang"},
    "latent attention": LATENT | {"concurrency": 128},
    "attention data-parallel": LATENT | {"concurrency": 256, "attention_dp": 8, "ep": 8, "engine": "sglang"},
    "sliding window": {"model": "gemma-3-27b", "isl": 12000, "concurrency": 12},
    "windows at full length": {"model": "gemma-3-27b", "isl": 12000, "weights": "fp8", "release": 2024},
    "memory as stated": {"memory_share": 0.8, "reserve_gb": 6.5, "engine": "vllm"},
    "linear attention": {"model": "qwen3.5-27b", "n_gpus": 2, "concurrency": 12},
    "pipeline": LARGE | {"tp": 2, "pp": 2, "engine": "vllm"},
    "drafts of its own": LARGE | {"draft_tokens": 3, "acceptance": 0.6, "concurrency": 4},
    "drafts of a small model": LARGE | {"draft_tokens": 4, "draft_model": "llama-3.2-1b", "concurrency": 2},
    "prefill apart": LARGE | {"tp": 2, "prefill_gpus": 4},
    "cached prefix": LARGE | {"cached_prefix": 0.7, "utilisation": 0.4, "usd_per_gpu_hour": 2.5},
    "four bits on Blackwell": LARGE | {"gpu": "b200-sxm-180gb", "weights": "nvfp4"},
    "four bits unpacked": LARGE | {"weights": "int4", "kv": "int8", "n_gpus": 2},
    "PCIe": LARGE | {"gpu": "l40s-48gb", "osl": 1},
    "beyond a server": LARGE | {"n_gpus": 16, "tp": 16},
    "fewer clients than replicas": {"n_gpus": 4, "tp": 1, "concurrency": 2},
    "an early engine": {"engine": "vllm 0.2.7", "weights": "bf16", "concurrency": 16},
    "tuned": LARGE | {"gpu": "mi355x-288gb", "n_gpus": 2, "weights": "mxfp4", "tuning": "tuned"},
    "many servers": LATENT | {"gpu": "h100-sxm-80gb", "n_gpus": 96, "tp": 32, "attention_dp": 32, "prefill_gpus": 64,
                              "prefill_tp": 16, "concurrency": 2048, "exchange": "partly"},
    "a mixture of states": {"model": "nemotron-nano-30b-a3b", "n_gpus": 2, "concurrency": 32},
    "compressed attention": LATENT | {"model": "deepseek-v4-flash", "weights": "mxfp4", "isl": 20000, "concurrency": 64},
    "arrivals at random": LARGE | {"load": "poisson", "requests_per_s": 12.5, "concurrency": None},
    "arrivals that fill the slots": {"gpu": "l40s-48gb", "weights": "bf16", "isl": 4000, "load": "poisson",
                                     "requests_per_s": 1.9},
    "arrivals of prompts beyond a pass": LARGE | {"load": "poisson", "isl": 20000, "requests_per_s": 1.1, "concurrency": 20},
    "arrivals of one token": {"load": "poisson", "osl": 1, "requests_per_s": 20},
    "arrivals with experts": LATENT | {"load": "poisson", "requests_per_s": 25, "attention_dp": 8, "engine": "sglang"},
    "arrivals with drafts": LARGE | {"load": "poisson", "requests_per_s": 3, "draft_tokens": 3, "concurrency": None},
    "arrivals on replicas": {"n_gpus": 4, "tp": 1, "load": "poisson", "requests_per_s": 40, "cached_prefix": 0.5},
    "more arrivals than are served": {"load": "poisson", "requests_per_s": 1000},
    "too large": {"model": "llama-3.1-405b", "weights": "bf16"},
    "too large a batch": {"load": "static", "concurrency": 99999},
}


def plain(row):
    """A record as a page has it: JSON, with null where a fact is not known."""
    return jsonable(dict(row))


def stored(model, weights):
    """Formats of each group of weights, the rows of precisions.csv that they name, and whether they are as published."""
    formats, rows, own = lookups.formats(model, weights)
    return formats, {name: plain(row) for name, row in rows.items()}, own


def asked(case):
    """One case as :func:`results.one` takes it, its records beside it."""
    words = checks.stated({name: checks.word(name, case.get(name)) for name in checks.WORDS}, "concurrency" not in case)
    number = {name: float(default if case.get(name) is None else case[name]) for name, (default, _, _) in checks.NUMBERS.items()}
    if np.isnan(number["usd_per_gpu_hour"]):
        number["usd_per_gpu_hour"] = lookups.usd_per_gpu_hour(words["gpu"])
    ids = [words[name] for name in ("model", "gpu", "weights", "kv")]
    return {
        "model": plain(data.model(words["model"])), "gpu": plain(data.gpu(words["gpu"])) | {"gpu": words["gpu"]},
        "formats": {place: stored(words[name], words["weights"]) for place, name in (("model", "model"), ("draft", "draft_model"))
                    if words[name]},
        "kv": words["kv"], "number": number,
        "draft": plain(data.model(words["draft_model"])) if words["draft_model"] else None,
        "places": checks.places(words),
        "new": support.unmeasured(*ids)[1],
    }  # fmt: skip


@pytest.fixture(scope="module")
def micropython(node, node_modules):
    """Results of all cases from one run of MicroPython under Node."""
    assert node_modules.is_dir()
    cases = [asked(GOOD | change) for change in CASES.values()]
    for case in cases:  # JSON has no NaN and no infinity
        case["number"] = {name: value if np.isfinite(value) else str(value) for name, value in case["number"].items()}
    run = subprocess.run([node, str(HERE / "micropython_runner.mjs"), str(PACKAGE)], capture_output=True, text=True, timeout=120,
                         input=json.dumps({"cases": cases, "values": lookups.coefficients(), "widths": lookups.widths()}))
    assert run.returncode == 0, f"MicroPython stopped:\n{run.stdout}\n{run.stderr[-3000:]}"
    answer = json.loads(run.stdout)
    assert answer["implementation"] == "micropython" and answer["double"]
    return dict(zip(CASES, answer["results"], strict=True))


@pytest.mark.parametrize("name", CASES)
def test_micropython_gives_what_estimate_gives(name, micropython):
    there, here = micropython[name], tokenecon.estimate(GOOD | {"cached_prefix": 0.0} | CASES[name], percentiles=True).iloc[0]
    assert there["fits"] == here["fits"] == (not name.startswith("too"))
    assert there["calibrated"] == here["calibrated"]
    if float(there["most_per_s"]):
        assert f"more than the {float(there['most_per_s']):.4g} that this instance serves" in here["error"]
        return
    assert there["shortage"] == here["error"]
    if not here["fits"]:
        return
    assert steady_state.RESOURCES[int(there["bound"])] == here["bound"]
    predicted = [*results.RESULTS, *results.PERCENTILES]
    for number in ("max_concurrency", "concurrency_used", *predicted, *(one + end for one in predicted for end in results.ENDS)):
        assert float(there[number]) == pytest.approx(here[number], rel=1e-9, nan_ok=True), number


@pytest.mark.parametrize("name", [name for name in CASES if "too" not in name and "more" not in name])
def test_input_cached_input_and_output_together_pay_the_bill(name):
    case = GOOD | CASES[name] | {"usd_per_gpu_hour": 3.0, "utilisation": 0.4}
    row, cached = tokenecon.estimate(case).iloc[0], case.get("cached_prefix", 0.0)
    tokens = {"in": case["isl"] * (1 - cached), "out": case["osl"]} | ({"cached": case["isl"] * cached} if cached else {})
    # paid GPU-hours of a second of work over the requests of that second
    bill = case["n_gpus"] * 3.0 / 3600 / 0.4 / (row["output_tok_s"] / case["osl"])
    for end, ratio in (("", 1.0), ("_low", row["output_tok_s"] / row["output_tok_s_high"])):
        paid = [row[f"usd_per_mtok_{kind}{end}"] * count / 1e6 for kind, count in tokens.items()]
        assert min(paid) > 0 and sum(paid) == pytest.approx(bill * ratio, rel=1e-9)


@pytest.mark.parametrize("limits", [{"tpot_ms": 20.0}, {"ttft_ms": 300.0, "tpot_ms": 100.0}, {}, {"tpot_ms": 1.0}])
def test_the_capacity_of_one_case_is_that_of_a_table(limits):
    case = LARGE | {"gpu": "h100-sxm-80gb", "isl": 1000, "osl": 200, "kv": "fp8", "load": "closed_loop"}
    hardware = lookups.hardware(*(case[name] for name in ("model", "gpu", "weights", "kv")))
    number = asked(case)["number"]

    def answer(requests):
        return results.one(hardware, number | {"concurrency": requests}, asked(case)["places"], new=0,
                           values=lookups.coefficients())

    most, alone = results.capacity(answer, **limits)
    row = sizing.capacity(pd.DataFrame([case]), **limits).iloc[0]
    assert most == (0.0 if row["reason"] else row["concurrency"])
    assert isinstance(most, float) and isinstance(alone["tpot_ms"], float)


DRAWN = st.fixed_dictionaries({
    "model": st.sampled_from(["llama-3.1-8b", "qwen3-235b-a22b", "deepseek-v3", "gemma-2-9b", "gpt-oss-120b"]),
    "gpu": st.sampled_from(["h100-sxm-80gb", "b200-sxm-180gb", "mi300x-192gb", "l40s-48gb"]),
    "weights": st.sampled_from(["bf16", "fp8", "int4"]), "kv": st.sampled_from(["bf16", "fp8"]),
    "load": st.sampled_from(steady_state.LOADS), "requests_per_s": st.sampled_from([0.5, 4.0, 40.0]),
    "engine": st.sampled_from(checks.TEXTS["engine"]),
    "n_gpus": st.sampled_from([8.0, 16.0]), "tp": st.sampled_from([2.0, 4.0, 8.0]), "attention_dp": st.sampled_from([1.0, 2.0]),
    "isl": st.floats(1, 30000), "osl": st.floats(1, 3000), "concurrency": st.sampled_from([np.inf, 0.5, 1.0, 77.0, 3000.0]),
    "cached_prefix": st.sampled_from([0.0, 0.5]), "draft_tokens": st.sampled_from([0.0, 3.0]),
    "prefill_gpus": st.sampled_from([0.0, 8.0]), "release": st.sampled_from(coefficients.RELEASES),
    "memory_share": st.sampled_from([np.nan, 0.8]), "reserve_gb": st.sampled_from([np.nan, 5.0]),
})  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True)
@given(cases=st.lists(DRAWN, min_size=2, max_size=6))
def test_floats_give_what_arrays_give(cases):
    """The same function on one case after the other, and on all as columns."""
    cases = [case | {"prefill_gpus": 0.0} if case["n_gpus"] == 8 or case["load"] == "poisson" else case for case in cases]
    each, arguments = [], []
    for case in cases:
        one = asked(case)
        ids = [case[name] for name in ("model", "gpu", "weights", "kv")]
        arguments.append((lookups.hardware(*ids), one["number"], one["places"]))
        each.append(results.one(*arguments[-1], new=one["new"], values=lookups.coefficients(), tails=True))
    hardware, number, places = ({name: np.array([row[place][name] for row in arguments]) for name in arguments[0][place]}
                                for place in (0, 1, 2))
    case = results.columns(results.setup(hardware, operands.layout(number), places), number)
    case["has_draft_model"] = False
    values = lookups.coefficients()
    rate = steady_state.prepared(case, values)
    state = results.with_arrivals(case, steady_state.settled(case, rate, steady_state.room(case), {}, resources=True), rate,
                                  number["requests_per_s"], {})
    together = results.of(case, state, usd_per_gpu_hour=number["usd_per_gpu_hour"], utilisation=1.0)
    together |= results.percentiles(case, state, rate)
    for name in ("fits", "bound", "max_concurrency", *results.RESULTS, *results.PERCENTILES):
        assert np.allclose(np.array([one[name] for one in each], dtype=float), together[name], rtol=1e-9, atol=0,
                           equal_nan=True), name


def test_a_setup_that_states_nothing_of_its_memory_has_the_engines_defaults():
    """One pool a GPU by each engine: a share of all of it, of all but the context, of what weights and 2 GiB leave."""
    case = asked(GOOD | {"weights": "bf16"})
    hardware = lookups.hardware("llama-3.1-8b", "h100-sxm-80gb", "bf16", "bf16")
    pools = []
    for engine in range(4):
        found = results.setup(hardware, operands.layout(case["number"]), case["places"] | {"engine": engine})
        pools.append(steady_state.room(found)["pool_bytes"] / 2**30)
    # 79.2 GiB and 14.96 of weights; logits of 1024 * 128,256 * 4 B in 5.93 copies and 0.08 beside, 2.98, with 0.19
    assert pools[0] == pytest.approx(0.9 * (79.2 - 14.96 - 2.0), abs=0.05)
    assert pools[1] == pools[3] == pytest.approx(0.9 * 79.2 - 14.96 - 2.98 - 0.19, abs=0.05)
    assert pools[2] == pytest.approx(0.85 * (79.2 - 0.19) - 14.96, abs=0.05)

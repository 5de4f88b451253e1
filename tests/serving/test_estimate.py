"""The entry point: what it refuses and how, and published arithmetic that its numbers must keep."""

import io
import json
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import tokenecon
from tokenecon.errors import BadCases, BadInput
from tokenecon.serving import checks, coefficients, lookups
from tokenecon.serving.calibration import measured
from tokenecon.serving.results import RESULTS
from tokenecon_book.chapters.validation import largest_errors, validation

GOOD = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "weights": "fp8"}


def one(**changed):
    return tokenecon.estimate(GOOD | changed).iloc[0]


def test_a_dict_is_a_table_of_one_row_with_every_column():
    row = one()
    assert row["error"] == ""
    wanted = [*GOOD, "fits", "max_concurrency", "concurrency_used"]
    for name in ("ttft_ms", "tpot_ms", "output_tok_s", "total_tok_s"):
        wanted += [name, f"{name}_low", f"{name}_high"]
    wanted += ["bound"]
    for name in ("usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok"):
        wanted += [name, f"{name}_low", f"{name}_high"]
    assert list(row.index) == [*wanted, "calibrated", "unmeasured", "no_price", "error"]


@pytest.mark.parametrize(("change", "says"), [
    ({"model": "llama-3.1-8x"}, "'llama-3.1-8b'"),
    ({"gpu": "h100"}, "h100-sxm-80gb"),
    ({"isl": 0}, "isl is '0'; it must be at least 1"),
    ({"osl": float("nan")}, "osl is blank"),
    ({"isl": "many"}, "isl is 'many'"),
    ({"n_gpus": 8, "tp": 3}, "not a multiple"),
    ({"n_gpus": 1.5}, "a whole number"),
    ({"weights": "fp6"}, "weights 'fp6' is not known"),
    ({"weights": "bf16", "model": "llama-3.1-70b"}, "does not fit"),
    ({"concurrency": -4}, "concurrency is '-4'"),
    ({"utilisation": 0}, "utilisation is '0'"),
    ({"model": "whisper-large-v3"}, "encoder"),
    ({"model": "missing/config.json"}, "config.json"),
    ({"engine": "tgi"}, "sglang"),
    ({"n_gpus": 3}, "tp 3 does not divide the hidden size 4096"),
    ({"load": "static", "concurrency": 99999}, "a static batch of 99999 does not fit"),
    ({"model": "qwen3-8b", "isl": 200000}, "isl 200000 and osl 200 are 200200 positions, but qwen3-8b has 40960"),
    ({"memory_share": 1.2}, "memory_share is '1.2'; it must be above 0, at most 1"),
    ({"reserve_gb": -1}, "reserve_gb is '-1'"),
    ({"release": "old"}, "release 'old' is not known; allowed are any, 2024, 2025, 2026"),
])
def test_a_bad_row_says_why_and_the_others_are_computed(change, says):
    table = pd.DataFrame([GOOD, GOOD | change, GOOD])
    result = tokenecon.estimate(table)
    assert says in result["error"].iloc[1]
    assert list(result["error"].iloc[[0, 2]]) == ["", ""]
    assert result["output_tok_s"].iloc[[0, 2]].gt(0).all()
    assert np.isnan(result["output_tok_s"].iloc[1])
    assert not result["fits"].iloc[1]


VALUES = (
    None, True, False, 0, -1, 1, 2, 3, 8, 33, 1.5, 0.5, 1e308, -0.0, float("nan"), float("inf"), 10**30, "", " ", "7", " 8 ",
    "2,5", "nan", "1_0", "x" * 99, "FP8", "fp8-block", "llama-3.2-1b", "llama-3.1-405b", "deepseek-v3", "mi300x-192gb", "static",
    "poisson", "any", np.float64(2.0), np.int64(4), np.float32(0.5), np.str_("fp8"), {}, {"a": 1}, pd.NA,
    pd.Timestamp("2026-01-01"),
)  # fmt: skip


def outcome(cases):
    """What `estimate` says: a table, or the sentence with which it refuses."""
    try:
        return tokenecon.estimate(cases, percentiles=True).to_frame()
    except BadInput as error:
        return str(error)


def test_one_dict_gives_what_a_table_of_one_row_gives():
    """A case alone is computed on floats, a table on arrays: the same numbers, kinds of columns and sentences."""
    chance = random.Random(20261129)
    names = [*checks.KNOWN, "mine", "concurency"]
    same = good = 0
    for _ in range(400):
        case = GOOD | {chance.choice(names): chance.choice(VALUES) for _ in range(chance.choice((1, 1, 2, 4)))}
        if case.get("requests_per_s") is not None and chance.random() < 0.7:
            case["load"] = "poisson"
        alone, table = outcome(case), outcome(pd.DataFrame([case]))
        if isinstance(table, str):
            assert alone == table, case
            continue
        pd.testing.assert_frame_equal(alone, table, rtol=1e-12, atol=0, obj=str(case))
        same, good = same + 1, good + (alone["error"].iloc[0] == "")
    assert same > 200 and good > 40


def test_without_intervals_the_rest_is_the_same(command, tmp_path):
    cases = pd.DataFrame([GOOD, GOOD | {"isl": 0}, GOOD | {"gpu": "h200-sxm-141gb"}], index=[7, 7, 9])
    full = tokenecon.estimate(cases).to_frame()
    ends = [name for name in full if name.endswith(("_low", "_high"))]
    assert len(ends) == 14
    bare = tokenecon.estimate(cases, intervals=False).to_frame()
    pd.testing.assert_frame_equal(bare, full.drop(columns=ends), check_exact=True)
    pd.testing.assert_frame_equal(tokenecon.estimate(GOOD, intervals=False).to_frame(),
                                  tokenecon.estimate(GOOD).to_frame().drop(columns=ends))
    cases.to_csv(tmp_path / "cases.csv", index=False)
    assert command("estimate", tmp_path / "cases.csv", "-o", tmp_path / "out.csv", "--no-intervals")[0] == 1
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == list(full.drop(columns=ends).columns)


def test_a_table_gives_the_same_bytes_each_time_and_is_not_changed():
    gpus = ("l4", "h200-nvl-141gb", "x")
    cases = pd.DataFrame([GOOD | {"isl": length, "gpu": gpu} for length in range(1, 300) for gpu in gpus])
    before = cases.copy()
    first, second = tokenecon.estimate(cases).to_frame(), tokenecon.estimate(cases).to_frame()
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    first["isl"] = 0
    pd.testing.assert_frame_equal(cases, before)


def test_a_column_that_nobody_reads_is_refused_where_it_resembles_one():
    with pytest.raises(BadCases, match="did you mean 'concurrency'"):
        tokenecon.estimate(GOOD | {"concurency": 3})
    assert one(label="mine")["label"] == "mine"


def test_replicas_share_the_concurrency():
    """Four replicas of one GPU with 40 clients are four times one with 10."""
    four, single = one(n_gpus=4, tp=1, concurrency=40), one(concurrency=10)
    assert four["output_tok_s"] == pytest.approx(4 * single["output_tok_s"])
    assert four["tpot_ms"] == pytest.approx(single["tpot_ms"])
    assert four["concurrency_used"] == 4 * single["concurrency_used"]


def test_latencies_and_rate_of_a_closed_loop_agree():
    """By Little's law C clients finish C / (TTFT + (osl - 1) TPOT) requests a second."""
    row = one(concurrency=16)
    seconds = (row["ttft_ms"] + 199 * row["tpot_ms"]) / 1e3
    assert row["output_tok_s"] == pytest.approx(16 * 200 / seconds, rel=1e-6)


def test_prompt_tokens_are_never_output():
    row = one()
    assert row["total_tok_s"] == pytest.approx(row["output_tok_s"] * 1200 / 200)


def test_a_prefix_cache_shortens_the_prefill_but_not_the_cache():
    cold, warm = one(concurrency=8), one(concurrency=8, cached_prefix=0.5)
    assert warm["ttft_ms"] < cold["ttft_ms"]
    assert warm["max_concurrency"] == cold["max_concurrency"]
    assert not warm["calibrated"] and cold["calibrated"]


def test_accepted_drafts_shorten_the_time_per_token_at_a_small_batch():
    plain = one(model="llama-3.3-70b", n_gpus=4, concurrency=1)
    drafted = one(model="llama-3.3-70b", n_gpus=4, concurrency=1, draft_tokens=4, acceptance=0.8,
                  draft_model="llama-3.2-1b")
    refused = one(model="llama-3.3-70b", n_gpus=4, concurrency=1, draft_tokens=4, acceptance=0.0,
                  draft_model="llama-3.2-1b")
    assert drafted["tpot_ms"] < plain["tpot_ms"] < refused["tpot_ms"]


def test_prefill_of_its_own_frees_the_decoders():
    mixed = one(n_gpus=4, tp=1, isl=4000, concurrency=60)
    apart = one(n_gpus=4, tp=1, isl=4000, concurrency=60, prefill_gpus=2)
    assert apart["tpot_ms"] < mixed["tpot_ms"]


def test_what_was_never_measured_is_marked_and_wider():
    known, unknown = one(usd_per_gpu_hour=2), one(gpu="h200-nvl-141gb", usd_per_gpu_hour=2)
    assert known["calibrated"] and not unknown["calibrated"]
    width = [np.log(row["output_tok_s_high"] / row["output_tok_s_low"]) for row in (known, unknown)]
    assert width[1] > 1.02 * width[0]


def test_a_row_says_what_of_it_nobody_measured():
    changes = {
        "": {}, "gpu 'h200-nvl-141gb'": {"gpu": "h200-nvl-141gb"},
        "kv 'int4'": {"kv": "int4"}, "drafted tokens": {"draft_tokens": 3}, "a cached prefix": {"cached_prefix": 0.5},
        "prefill apart": {"n_gpus": 2, "tp": 1, "prefill_gpus": 1},
        "a layer split beyond linked or 8 GPUs": {"n_gpus": 16},
        "gpu 'h200-nvl-141gb', drafted tokens, a cached prefix": {
            "gpu": "h200-nvl-141gb", "draft_tokens": 3, "cached_prefix": 0.5},
    }
    cases = [GOOD | {"concurrency": 4, "usd_per_gpu_hour": 2.0} | change for change in changes.values()]
    table = tokenecon.estimate(pd.DataFrame(cases))
    assert table["error"].tolist() == [""] * len(cases)
    assert table["unmeasured"].tolist() == list(changes) == [tokenecon.estimate(case).iloc[0]["unmeasured"] for case in cases]
    assert table["calibrated"].tolist() == [not words for words in changes]


def test_an_engine_may_have_a_version():
    """One before the rewrite of a scheduler is slower, today's are alike, a later one counts as the newest and is named."""
    names = ("vllm", "vllm 0.18.0", "vllm 0.8.5", "vllm 0.2.7", "vllm 9.1", "tensorrt-llm 0.9")
    table = tokenecon.estimate(pd.DataFrame([GOOD | {"engine": name, "concurrency": 8} for name in names]))
    assert table["error"].tolist() == [""] * len(names)
    now, newest, before, early, later, _ = table["tpot_ms"]
    assert now == newest == before == later and early > 1.5 * now
    assert table["unmeasured"].tolist() == ["", "", "", "", "engine 'vllm 9.1'", ""]
    assert table["tpot_ms_high"].iloc[4] > table["tpot_ms_high"].iloc[0]
    pd.testing.assert_frame_equal(table.iloc[[3]].reset_index(drop=True), tokenecon.estimate(GOOD | {
        "engine": names[3], "concurrency": 8}).to_frame())


@pytest.mark.parametrize(("engine", "says"), [
    ("vllm 0.1", "engine 'vllm 0.1' is not known; vllm has versions from 0.2, 0.18.0 is the newest measured and stands"),
    ("sglang new", "engine 'sglang new' is not known; sglang has versions from 0.5.1.post1, 0.5.9"),
    ("any 1.0", "engine 'any 1.0' is not known; 'any' has no versions; leave it away"),
    ("vlm 0.9", "engine 'vlm 0.9' is not known"),
])
def test_a_version_that_never_was_is_refused(engine, says):
    assert tokenecon.estimate(GOOD | {"engine": engine})["error"][0].startswith(says)


def test_tuning_matters_on_amd_alone():
    cases = [GOOD | {"gpu": gpu, "tuning": tuning, "concurrency": 32, "usd_per_gpu_hour": 2.0}
             for gpu in ("mi300x-192gb", "h100-sxm-80gb") for tuning in ("stock", "tuned")]
    stock, tuned, plain, same = tokenecon.estimate(pd.DataFrame(cases))["output_tok_s"]
    assert tuned > 1.1 * stock and plain == same


def test_the_command_prints_a_table_and_counts_errors(tmp_path):
    given = tmp_path / "cases.csv"
    pd.DataFrame([GOOD, GOOD | {"isl": 0}]).to_csv(given, index=False)
    command = [sys.executable, "-c", "from tokenecon.cli import main; main()", "estimate"]
    run = subprocess.run([*command, str(given)], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "1 of 2 rows" in run.stderr
    table = pd.read_csv(io.StringIO(run.stdout))
    assert table["output_tok_s"].iloc[0] == pytest.approx(one()["output_tok_s"], rel=1e-5)
    lost = subprocess.run([*command, str(tmp_path / "none.csv")], capture_output=True, text=True, check=False)
    assert lost.returncode == 2 and lost.stderr.startswith("error: file")


def test_a_configuration_file_is_a_model(tmp_path):
    """Llama 3.1 8B from its own configuration serves as the catalogue's."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16", "max_position_embeddings": 131072}))  # fmt: skip
    assert one(model=str(path))["tpot_ms"] == pytest.approx(one()["tpot_ms"])


def test_calibration_file_has_every_coefficient_within_its_bounds():
    for name, value in lookups.coefficients().items():
        _, low, high, _, _ = coefficients.DEFINITIONS[name]
        assert low <= value <= high, name


@pytest.fixture(scope="module")
def compared():
    return validation.compared()


def test_stored_predictions_meet_the_targets_but_for_those_that_say_why_not(compared):
    """A new miss fails, and so does one of the list that is met."""
    assert set(validation.missed(compared)) == set(validation.MISSES)
    goals = validation.targets(compared).table
    assert (goals.loc[~goals["met"], "why"] != "").all() and (goals.loc[goals["met"], "why"] == "").all()


def test_every_group_that_misses_is_explained(compared):
    owed = largest_errors.owed(compared).table
    assert (owed["explanation"] != "").all(), owed.loc[owed["explanation"] == "", "group"].tolist()
    said = " ".join(owed["explanation"])
    assert [text for *_, text in largest_errors.REASONS if text not in said] == []


def test_no_measurement_is_faster_than_a_perfect_machine():
    """With every efficiency at 1 and every fixed time at 0, nothing measured may be faster."""
    rows = measured.table()
    ideal = {name: (0.0 if unit == "s" else 1.0) for name, (*_, unit, _) in coefficients.DEFINITIONS.items()}
    ideal |= {"throttle": 0.0, "activation_bytes": 0.0, "routed_bytes": 0.0, "padding": 0.0, "independence": 0.5,
              "link_bandwidth": 10.0, "attention_dp_ranks": 0.0, "passes_vllm": 1.0}
    best = measured.predicted(rows, measured.to_case(rows), ideal)
    rate = rows["metric"].isin(("output_tok_s", "total_tok_s")).to_numpy()
    batch = rows["workload"] == "static_batch"
    faster = (rows["value"] > best * 1.05) & rate & batch
    assert not faster.any(), rows.loc[faster, ["id", "value"]].assign(best=best[faster]).to_string()


def test_results_name_every_interval():
    assert set(RESULTS) <= set(tokenecon.estimate(GOOD | {"cached_prefix": 0.5}).columns)


def test_a_cost_of_cached_input_stands_where_the_cases_say_what_is_cached():
    assert not [name for name in tokenecon.estimate(GOOD).columns if "cached" in name]
    frame = tokenecon.estimate(pd.DataFrame([GOOD | {"cached_prefix": share} for share in (0.0, 0.5)]))
    for end in ("", "_low", "_high"):
        assert np.isnan(frame[f"usd_per_mtok_cached{end}"].iloc[0]) and frame[f"usd_per_mtok_cached{end}"].iloc[1] > 0
    narrow = tokenecon.estimate(GOOD | {"cached_prefix": 0.5}, intervals=False)
    assert [name for name in narrow.columns if "cached" in name] == ["cached_prefix", "usd_per_mtok_cached"]


def test_a_layer_split_over_the_network_is_not_calibrated_and_its_interval_is_wider():
    case = {"model": "llama-3.1-405b", "gpu": "h100-sxm-80gb", "isl": 1000, "osl": 200, "weights": "fp8", "concurrency": 8}
    inside, beyond = (tokenecon.estimate(case | {"n_gpus": n_gpus, "tp": n_gpus}).iloc[0] for n_gpus in (8, 16))
    assert inside["calibrated"] and not beyond["calibrated"]
    assert beyond["tpot_ms_high"] / beyond["tpot_ms"] > inside["tpot_ms_high"] / inside["tpot_ms"]


@pytest.mark.source("llmd-memory-results", "gpt-oss-120b: 3.33 GiB; Llama 3.3 70B in FP8 on one GPU does not start")
@pytest.mark.source("vllm-sglang-21348", "178,880 tokens")
@pytest.mark.parametrize(("model", "n_gpus", "weights", "measured"), [
    ("gpt-oss-120b", 1, "mxfp4", 3.0), ("qwen3-235b-a22b", 4, "fp8", 178_880 / 16_000), ("llama-3.3-70b", 1, "fp8", 0.0)])
def test_where_memory_is_tight_as_many_run_as_in_vllm(model, n_gpus, weights, measured):
    row = tokenecon.estimate({"model": model, "gpu": "h100-sxm-80gb", "n_gpus": n_gpus, "isl": 15999, "osl": 1,
                              "weights": weights, "kv": "bf16", "engine": "vllm"}).iloc[0]
    assert row["fits"] == (measured > 0)
    if measured:
        assert row["max_concurrency"] == pytest.approx(measured, rel=0.3)


def test_a_table_of_shares_is_read_row_by_row():
    table = pd.DataFrame([GOOD | {"memory_share": share, "release": year} for share in (0.5, 0.9, None) for year in (None, 2026)])
    found = tokenecon.estimate(table)["max_concurrency"]
    alone = [tokenecon.estimate(row).iloc[0]["max_concurrency"] for row in table.to_dict("records")]
    assert list(found) == alone and found[0] < found[2] == found[4] < found[3] < found[5]


@pytest.mark.parametrize(("model", "weights", "kv"), [
    ("gpt-oss-120b", "mxfp4", "bf16"), ("deepseek-v3", "fp8", "fp8"), ("llama-3.1-8b", "bf16", "bf16"),
    ("llama-2-7b", "fp16", "bf16")])
def test_blank_weights_are_those_that_a_model_is_published_in(model, weights, kv):
    case = {"model": model, "gpu": "h200-sxm-141gb", "n_gpus": 8, "tp": 8, "isl": 1000, "osl": 200, "concurrency": 8.0}
    stated = tokenecon.estimate(case | {"weights": weights, "kv": kv}).iloc[0]
    blank, table = tokenecon.estimate(case).iloc[0], tokenecon.estimate(pd.DataFrame([case, case | {"weights": None}]))
    assert blank["tpot_ms"] == stated["tpot_ms"] > 0
    assert list(table["tpot_ms"]) == pytest.approx([stated["tpot_ms"]] * 2, rel=1e-12)


def test_a_configuration_says_what_its_weights_are_in(tmp_path):
    shape = {"model_type": "qwen3", "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
             "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
             "max_position_embeddings": 40960, "tie_word_embeddings": False, "torch_dtype": "bfloat16"}
    speeds, blocks = {}, {"quant_method": "fp8", "weight_block_size": [128, 128]}
    for name, block in {"plain": {}, "fp8": {"quantization_config": blocks}}.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(shape | block), encoding="utf-8")
        case = {"model": str(path), "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "concurrency": 4}
        speeds[name] = tokenecon.estimate(case).iloc[0]["tpot_ms"]
        assert speeds[name] == tokenecon.estimate(case | {"weights": "bf16" if name == "plain" else "fp8"}).iloc[0]["tpot_ms"]
    assert speeds["fp8"] < speeds["plain"]


def test_a_gpu_without_a_price_has_its_speed_and_says_why_it_has_no_cost():
    case = {"model": "llama-3.1-8b", "gpu": "h20-sxm-96gb", "n_gpus": 1, "isl": 1000, "osl": 200, "weights": "fp8"}
    for row in (tokenecon.estimate(case).iloc[0], tokenecon.estimate(pd.DataFrame([case, case])).iloc[1]):
        assert row["error"] == "" and row["output_tok_s"] > 0 and np.isnan(row["usd_per_mtok"])
        assert row["no_price"] == "gpu 'h20-sxm-96gb' has no offer in data/prices.csv; give usd_per_gpu_hour"
        assert not row["calibrated"]
    assert tokenecon.estimate(case | {"usd_per_gpu_hour": 0.4}).iloc[0]["no_price"] == ""

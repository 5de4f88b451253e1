"""The model against measurements: what is counted, how a share gets its range, and that reasons for misses are in the data."""

import numpy as np
import pandas as pd
import pytest

from tokenecon import data
from tokenecon.serving import intervals
from tokenecon.serving.calibration import held_out, measured
from tokenecon_book.chapters.validation import interval_parts, largest_errors, pictures, validation


@pytest.fixture(scope="module")
def compared():
    return validation.compared()


@pytest.fixture(scope="module")
def rows():
    """Measurements beside what is said of them without their family."""
    return held_out.stored("family")


def group(**columns):
    """Cases of a made-up group: three of source a, of which two lie inside, and one of source b, which does."""
    return pd.DataFrame({"family": "f", "campaign": ["a", "a", "a", "b"], "residual": np.log([1.1, 1.2, 1.5, 0.9]),
                         "inside": [True, True, False, True], "width": [1.2, 1.4, 1.6, 1.8]} | columns)


def test_a_case_is_a_configuration_not_a_row(compared):
    cases = compared.table
    assert not cases.duplicated(["quantity", "configuration"]).any()
    rows = measured.table()
    own = cases[cases["quantity"] == "tpot"]
    assert len(own) == rows.loc[rows["metric"] == "tpot_ms", "configuration"].nunique()
    assert (rows["metric"] == "tpot_ms").sum() > len(own)  # some were measured more than once


def test_what_a_group_is_said_to_be():
    """Residuals are measured over predicted: misses of 10, 20, 50 and 11.1%, the middle of which is the root of 1.11 * 1.2."""
    found = validation.judged(group())
    assert found["cases"] == 4 and found["families"] == 1 and found["inside"] == 0.75
    assert found["error"] == pytest.approx(np.sqrt(1.2 / 0.9) - 1)
    assert found["signed"] == pytest.approx(1 / np.sqrt(1.1 * 1.2) - 1)  # the model says less than was measured
    assert found["width"] == pytest.approx(1.5)


def test_few_families_give_a_share_with_a_range():
    """Sources drawn anew: twice a (2 of 3), each once (3 of 4) or twice b (all), with chances of a quarter, a half, a quarter."""
    found = validation.judged(group())
    assert (found["inside_low"], found["inside_high"]) == (pytest.approx(2 / 3), 1.0)
    assert np.isnan(validation.judged(group(campaign="a"))["inside_low"])  # of one source nobody knows
    assert np.isnan(validation.judged(group(family=["f", "f", "g", "h"]))["inside_low"])  # three families speak for themselves


def test_a_target_in_words():
    assert validation.must(None, 0.12, "fraction") == "≤\u00a012%"
    assert validation.must(0.75, 0.85, "fraction") == "75% to 85%"
    assert validation.must(0.98, None, "1") == "≥\u00a00.98"


def test_a_miss_that_is_not_listed_shows(compared, monkeypatch):
    monkeypatch.setattr(validation, "COVERED", 0.0)  # no group is below, so the line that counts them is met
    assert not any(name.startswith("inside, ") for name in validation.missed(compared))
    monkeypatch.setattr(validation, "COVERED", 1.0)
    found = validation.missed(compared)
    assert "inside, throughput, NVIDIA" in found and set(found) > set(validation.MISSES)


def test_groups_hold_every_case_once_in_each_dimension(compared):
    table = validation.groups(compared).table
    assert table.groupby("by")["cases"].sum().eq(len(compared)).all() and set(table["by"]) == set(validation.DIMENSIONS.values())


def test_a_page_shows_what_is_asked_for(compared):
    class Case:
        model, gpus = "llama-3.3-70b", ["h200-sxm-141gb"]

    cases = pictures.chosen(Case, compared).table
    assert set(cases["gpu"]) == {"h200-sxm-141gb"} and set(cases["model"]) == {"llama-3.3-70b"}
    Case.model = "gpt-3-175b"
    with pytest.raises(ValueError, match="parameter 'model' is 'gpt-3-175b', which no measurement is of; allowed are all, "):
        pictures.chosen(Case, compared)


def test_parts_of_an_interval_make_the_whole(compared):
    """As logarithms their squares add up; with everything new there are four more."""
    table = interval_parts.parts(compared).table
    for _, own in table.groupby("what"):
        square = (np.log1p(own.set_index("name")["above"]) ** 2).to_dict()
        assert square["whole"] == pytest.approx(square["source"] + square["within"])
        assert square["all"] == pytest.approx(square["whole"] + sum(square[name] for name in intervals.NEW))
    assert interval_parts.side_by_side(interval_parts.parts(compared))["part"].iloc[0] == interval_parts.PARTS["source"]


def test_a_large_error_without_a_reason_leaves_its_group_without_one(compared):
    cases = compared.table
    own = cases[(cases["model"] == "qwen3.5-397b-a17b") & (cases["weights"] == "fp8") & (cases["quantity"] == "tpot")]
    assert "SGLang" in largest_errors.explanation(own)
    assert largest_errors.explanation(own.assign(campaign="a stranger")) == ""


# --- the reasons, in the data ---------------------------------------------------------------------------


def of(rows, **columns):
    for name, wanted in columns.items():
        rows = rows[rows[name].isin([wanted] if isinstance(wanted, str) else wanted)]
    return rows


def test_first_tokens_come_later_where_answers_are_short(rows):
    """Llama 3.3 70B in FP8 on B200, four clients, prompts of 921.6 tokens: 224 ms with as many answered, 75 ms with 7,372.8."""
    own = of(rows, campaign="inferencex tensorrt-llm 1.1.0rc2.post2", model="llama-3.3-70b", gpu="b200-sxm-180gb", weights="fp8",
             metric="ttft_ms")
    own = own[(own["isl"] == 921.6) & (own["concurrency"] == 4)].groupby("osl")["value"].median()
    assert own[921.6] == pytest.approx(224, abs=1) and own[7372.8] == pytest.approx(75, abs=1)


def test_an_engine_not_yet_warm(rows):
    own = of(rows, campaign="inferencex sglang 0.5.3rc1", metric="ttft_ms")["value"]
    assert own.between(5000, 12500).mean() > 0.5 and len(own) == 36


def test_steps_of_the_mi300x_take_a_fixed_time_more(rows):
    """Tokens of answers to prompts of 921.6: measured less predicted at 4 and at 64 clients, and on the MI355X at 4."""
    own = of(rows, campaign="inferencemax sglang 0.5.5.post3", metric="tpot_ms")
    own = own[(own["isl"] == 921.6) & (own["osl"] == 921.6)].set_index(["gpu", "concurrency"])
    more = own["value"] - own["predicted"]
    for gpu in ("mi300x-192gb", "mi325x-256gb"):
        assert all(8 < more[(gpu, clients)] < 15 for clients in (4, 8, 16, 64))
    assert abs(more[("mi355x-288gb", 4)]) < 2


def test_two_engines_on_one_configuration(rows):
    own = of(rows, model="deepseek-r1", weights="fp8", metric="tpot_ms").pivot_table(
        index=["gpu", "parallelism", "isl", "osl", "concurrency"], columns="engine", values="value")
    over = own["tensorrt-llm 1.1.0rc2.post2"] / own[["sglang 0.5.9", "sglang 0.5.5"]].max(axis=1)
    few = over[over.index.get_level_values("concurrency") <= 8].dropna()
    assert len(few) > 5 and few.median() > 1.25 and few.max() < 1.5


@pytest.mark.parametrize(("engine", "elsewhere"), [("sglang", {"inferencemax"}), ("vllm", set())])
def test_experts_of_an_engine_that_one_family_ran_on_nvidia(engine, elsewhere):
    rows = measured.table()
    experts = data.table("models").set_index("id")["experts"]
    own = rows[rows["engine"].str.split().str[0].eq(engine) & (rows["model"].map(experts) > 0)]
    assert set(own["family"]) == {"inferencex"} | elsewhere
    assert of(own, family="inferencemax")["gpu"].str.startswith("mi").all()


def test_a_gpu_and_an_arithmetic_that_one_family_measured():
    rows = measured.table()
    assert of(rows, gpu="rtx-pro-6000-bse")["family"].unique().tolist() == ["tensorrt-llm-pages"]
    assert of(rows, weights="int8")["source"].unique().tolist() == ["omniserve-readme"]


def test_llama_4_on_the_pages(rows):
    """Of Llama 4 Maverick in FP8 on eight GPUs: H200 over H100 in one version, and one version over the other on the H200."""
    own = of(rows, model="llama-4-maverick", weights="fp8", metric="output_tok_s")
    own = own.pivot_table(index=["isl", "osl"], columns=["source", "gpu"], values="value")
    chips = (own[("trtllm-perf-v1.0", "h200-sxm-141gb")] / own[("trtllm-perf-v1.0", "h100-sxm-80gb")]).dropna()
    versions = (own[("trtllm-perf-v1.0", "h200-sxm-141gb")] / own[("trtllm-perf-v0.20", "h200-sxm-141gb")]).dropna()
    assert len(chips) == 7 and chips.between(2, 4).all()
    assert len(versions) == 7 and versions.min() > 1.3 and versions.median() > 1.5


def test_queues_of_unknown_length_on_the_last_page(rows):
    own = of(rows, source="trtllm-perf-v1.2", metric="output_tok_s", model=["qwen3-235b-a22b", "llama-4-maverick"])
    over = own["predicted"] / own["value"]
    assert over[own["isl"] == 32768].max() < 0.7 and over[own["osl"] == 32768].min() > 1.15


def test_a_gb200_slower_than_a_b200_with_one_model(rows):
    own = of(rows, source="trtllm-perf-v1.0", gpu=["b200-sxm-180gb", "gb200"]).pivot_table(
        index=["model", "weights", "parallelism", "isl", "osl"], columns="gpu", values="value")
    over = (own["gb200"] / own["b200-sxm-180gb"]).dropna().groupby("model").median()
    assert over["qwen3-30b-a3b"] < 0.9 and over.drop("qwen3-30b-a3b").min() > 1.0

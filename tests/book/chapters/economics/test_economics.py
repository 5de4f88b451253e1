"""The economics chapter: each table against arithmetic written here, and its sentences under other parameters."""

from types import SimpleNamespace

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import DoesNotFit, NoEstimate
from tokenecon.serving import operating_point, textbook
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.economics import economics, model_choice

DEFAULTS = notebooks.defaults("economics")
OTHERS = [{}, {"model": "mixtral-8x7b", "gpu": "mi300x-192gb", "n_gpus": 1, "weights": "int8", "batch": 7},
          {"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 1, "isl": 100, "osl": 50, "batch": 3}]


def case(**change):
    return SimpleNamespace(**(DEFAULTS | change))


def test_documents_price_levels_in_one_unit():
    levels = economics.price_levels(case()).table.set_index("id")["usd_per_mtok"]
    assert levels["up-openai-cost-per-word"] == pytest.approx(0.00012 * 0.75 * 1e6)  # 0.75 words a token
    assert levels["up-token-cost-high"] == pytest.approx(1000)
    assert levels["dep-bedrock-price"] == pytest.approx(8)  # 0.008 USD a thousand
    assert levels["hw-graviton4-cost"] == pytest.approx(0.8)


def test_spread_of_the_documents_figures():
    # 1000 USD against 0.8 USD a million
    assert "factor of 1,250" in economics.price_levels(case()).sentence


def test_context_growth_of_llama_2_70b_between_the_two_windows():
    found = economics.context_curve(case())
    table = found.table
    # F(n) = 2 P n + 2 n^2 d L with P = 68.98e9, d = 8192, L = 80, at 128,000 and 8,000
    def flop(n):
        return 2 * 68_976_648_192 * n + 2 * n**2 * 8192 * 80
    assert table[table["law"] == "Llama 2 70B"]["cost_ratio"].iloc[-1] == pytest.approx(flop(128e3) / flop(8e3))
    assert table[table["law"] == "linear"]["cost_ratio"].iloc[-1] == pytest.approx(16)
    assert table[table["law"] == "quadratic"]["cost_ratio"].iloc[-1] == pytest.approx(256)
    # (16 + 256 q)/(1 + q) = 64 needs q = 48/192
    assert found["needed_weight"] == pytest.approx(0.25)


def test_the_operating_point_names_both_models():
    found = economics.operating_point(case())
    table = found.table.set_index("by")
    asked = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "weights": "fp16",
             "kv": "fp16", "concurrency": 32, "usd_per_gpu_hour": 2.695, "utilisation": 0.6}
    own = tokenecon.estimate(asked).iloc[0]
    assert table.loc["calibrated", "usd_per_mtok_out"] == pytest.approx(own["usd_per_mtok_out"])
    assert f"Served 32 at a time, a million output tokens of Llama 2 70B cost ${own['usd_per_mtok_out']:.2f};" in found.sentence
    # 4 H100 at 2.695 USD/h: at batch 32 a step of 17.79 ms makes 1,799 tokens a second, times 0.6 of the hour:
    # 10.78 USD / (1,799 * 3600 * 0.6) * 1e6 = 2.77 USD
    assert table.loc["textbook", "usd_per_mtok_out"] == pytest.approx(10.78 / (1799 * 3600 * 0.6) * 1e6, rel=1e-3)


@pytest.mark.parametrize("change", OTHERS)
def test_parts_of_a_token_add_up(change):
    table = economics.step_parts(case(**change)).table.set_index("part")
    parts = table.drop(index="a token")
    assert parts["ms"].sum() == pytest.approx(table.loc["a token", "ms"]) and (parts["ms"] >= 0).all()
    theirs = table["textbook_ms"]
    reading = theirs["reading the weights"] + theirs["attending to the KV cache"]
    fixed = theirs["links between GPUs"] + theirs["fixed work of layers, steps and sequences"]
    assert theirs["a token"] == pytest.approx(max(reading, theirs["arithmetic"]) + fixed)
    assert theirs["waiting while other prompts are read"] == 0


def test_one_gpu_has_no_links():
    table = economics.step_parts(case(**OTHERS[2])).table.set_index("part")
    assert table.loc["links between GPUs", "ms"] == 0


def test_int4_weights_for_one_request_save_less_than_three_quarters():
    # Weights fall to 4.156/16 of their bytes (embedding and head stay), but cache, links and fixed cost stay.
    table = model_choice.precisions(case()).table.set_index(["by", "format", "load"])["relative_cost"]
    for by in ("calibrated", "textbook"):
        assert table[by, "int4", "one request"] > 4.156 / 16
        assert table[by, "int4", "batch 32"] > table[by, "int4", "one request"]


def test_batch_curves_end_where_the_memory_does():
    table = economics.batch_curve(case()).table
    ends = {"calibrated": operating_point.point(**economics.inputs(case()))["max_concurrency"],
            "textbook": textbook.point(**economics.inputs(case()))["max_concurrency"]}
    for by, rows in table.groupby("by"):
        assert rows["concurrency"].iloc[0] == 1 and rows["concurrency"].is_monotonic_increasing and 32 in set(rows["concurrency"])
        assert rows["concurrency"].iloc[-1] <= ends[by] < rows["concurrency"].iloc[-1] + 1
        assert rows["usd_per_mtok_out"].is_monotonic_decreasing and rows["tpot_ms"].is_monotonic_increasing


def test_size_steps_fit_their_batch():
    table = model_choice.size_steps(case()).table
    assert table["fits"].all() and len(table) == 12
    for _, rows in table.groupby(["by", "family"]):
        assert rows["parameters"].is_monotonic_increasing
        # 3.4 USD at 70 billion over 0.4 at 8 billion is 8.5 times for 8.8 times the size: a ratio of ratios
        cost, size = (rows[name].to_numpy() for name in ("usd_per_mtok_out", "parameters"))
        assert rows["excess"].to_numpy()[1:] == pytest.approx((cost[1:] / cost[:-1]) / (size[1:] / size[:-1]))


def test_a_batch_that_does_not_fit_is_refused_with_what_does():
    most = int(operating_point.point(**economics.inputs(case()))["max_concurrency"])
    with pytest.raises(DoesNotFit, match=f"parameter 'batch' is 5000, but 4 x h100-sxm-80gb hold {most} sequences"):
        economics.operating_point(case(batch=5000))


def test_a_format_without_calibration_is_refused():
    with pytest.raises(NoEstimate, match="weights 'int3' is not known"):
        economics.operating_point(case(weights="int3"))


@pytest.mark.parametrize("change", OTHERS)
def test_every_table_has_a_finding_and_sources_for_other_parameters(change):
    for function in (economics.operating_point, economics.price_levels, economics.batch_curve, economics.latency_curve,
                     economics.context_curve, model_choice.size_steps, model_choice.precisions):
        found = function(case(**change))
        assert len(found) and "nan" not in found.sentence and "inf" not in found.sentence
        assert all(source["title"] for source in found.cited)
        model = data.model(case(**change).model)
        if function != model_choice.size_steps:  # whose models are those of its families
            assert model["source"] in found.sources
        if function == economics.context_curve:  # arithmetic alone: no accelerator
            assert {"doc-uk", "doc-th"} <= set(found.sources)
        else:
            rows = data.rows("gpus", {"gpu": case(**change).gpu, "field": ["bandwidth", "bf16"]})
            assert set(rows["source"]) | {"own-arithmetic"} <= set(found.sources)


def test_sensitivity_leaves_the_case_first_and_scales_with_price():
    table = economics.sensitivity(case()).table.set_index("change")
    assert table.loc["the case itself", "against_case"] == 1
    for name in ("usd_per_mtok_out", "textbook_usd_per_mtok_out"):
        moved = table[name] / table.loc["the case itself", name]
        assert moved["a GPU hour at half the price"] == pytest.approx(0.5)
        assert moved["half the utilisation"] == pytest.approx(2)


def test_the_documents_latency_is_read_from_their_claims():
    assert economics.claimed_latency().sentence == "The documents put it at 20% for a batch of 32."

"""The economics chapter: each table against arithmetic written here, and its sentences under other parameters."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.analysis import economics, textbook

DEFAULTS = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "weights": "fp16", "kv": "fp16", "isl_tokens": 2000,
            "osl_tokens": 500, "batch": 32, "usd_per_gpu_hour": 2.695, "utilisation": 0.6}
OTHERS = [{}, {"model": "mixtral-8x7b", "gpu": "mi300x-192gb", "n_gpus": 1, "weights": "int8", "batch": 7},
          {"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 1, "isl_tokens": 100, "osl_tokens": 50, "batch": 3}]


def case(**change):
    return SimpleNamespace(**(DEFAULTS | change))


def test_documents_price_levels_in_one_unit():
    levels = economics.price_levels(case()).set_index("id")["usd_per_mtok"]
    assert levels["up-openai-cost-per-word"] == pytest.approx(0.00012 * 0.75 * 1e6)  # 0.75 words a token
    assert levels["up-token-cost-high"] == pytest.approx(1000)
    assert levels["dep-bedrock-price"] == pytest.approx(8)  # 0.008 USD a thousand
    assert levels["hw-graviton4-cost"] == pytest.approx(0.8)


def test_spread_of_the_documents_figures():
    # 1000 USD against 0.8 USD a million
    assert "factor of 1,250" in economics.price_levels(case()).attrs["finding"]


def test_context_growth_of_llama_2_70b_between_the_two_windows():
    table = economics.context_curve(case())
    # F(n) = 2 P n + 2 n^2 d L with P = 68.98e9, d = 8192, L = 80, at 128,000 and 8,000
    def flop(n):
        return 2 * 68_976_648_192 * n + 2 * n**2 * 8192 * 80
    assert table[table["law"] == "Llama 2 70B"]["cost_ratio"].iloc[-1] == pytest.approx(flop(128e3) / flop(8e3))
    assert table[table["law"] == "linear"]["cost_ratio"].iloc[-1] == pytest.approx(16)
    assert table[table["law"] == "quadratic"]["cost_ratio"].iloc[-1] == pytest.approx(256)
    # (16 + 256 q)/(1 + q) = 64 needs q = 48/192
    assert table.attrs["needed_weight"] == pytest.approx(0.25)


def test_parts_of_a_step_add_up_as_the_model_says():
    parts = economics.step_parts(case()).set_index("part")["ms"]
    reading = parts["reading the weights"] + parts["reading the KV cache"]
    computing = parts["arithmetic (overlaps with reading)"]
    expected = max(reading, computing) + parts["links between GPUs"] + parts["fixed cost of a step"]
    assert parts["the step"] == pytest.approx(expected)


def test_int4_weights_for_one_request_save_less_than_three_quarters():
    # Weights fall to 4.156/16 of their bytes (embedding and head stay), but cache, links and fixed cost stay.
    table = economics.precisions(case()).set_index(["format", "load"])["relative_cost"]
    assert table["int4", "one request"] > 4.156 / 16
    assert table["int4", "batch 32"] > table["int4", "one request"]


def test_batch_curve_ends_where_the_memory_does():
    table = economics.batch_curve(case())
    assert table["batch"].iloc[0] == 1 and table["batch"].is_monotonic_increasing and 32 in set(table["batch"])
    assert table["batch"].iloc[-1] <= textbook.point(**economics._inputs(case()))["max_batch"] < table["batch"].iloc[-1] + 1


def test_size_steps_fit_their_batch():
    table = economics.size_steps(case())
    assert table["fits"].all()
    assert table.groupby("family")["parameters"].is_monotonic_increasing.all()


def test_a_batch_that_does_not_fit_is_refused_with_what_does():
    with pytest.raises(textbook.DoesNotFit, match=r"parameter 'batch' is 5000, but 4 x h100-sxm-80gb hold 188 sequences"):
        economics.operating_point(case(batch=5000))


@pytest.mark.parametrize("change", OTHERS)
def test_every_table_has_a_finding_and_sources_for_other_parameters(change):
    for function in (economics.operating_point, economics.price_levels, economics.batch_curve, economics.latency_curve,
                     economics.context_curve, economics.size_steps, economics.precisions):
        table = function(case(**change))
        assert len(table) and "nan" not in table.attrs["finding"] and "inf" not in table.attrs["finding"]
        for source in table.attrs["sources"]:
            assert data.source(source)["title"]


def test_sensitivity_leaves_the_case_first_and_scales_with_price():
    table = economics.sensitivity(case()).set_index("change")["against_case"]
    assert table["the case itself"] == 1
    assert table["a GPU hour at half the price"] == pytest.approx(0.5)
    assert table["half the utilisation"] == pytest.approx(2)

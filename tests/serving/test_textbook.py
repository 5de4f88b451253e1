"""Operating points by hand: Llama 2 70B on four H100, every step of the arithmetic written out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data
from tokenecon.errors import CannotServe, DoesNotFit
from tokenecon.serving import textbook

CASE = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "weights": "fp16", "kv": "fp16",
        "isl": 2000, "osl": 500, "concurrency": 32, "usd_per_gpu_hour": 2.695, "utilisation": 0.6}
WEIGHTS = 68_976_648_192 * 2  # parameters of the published checkpoint, two bytes each
KV = 2 * 80 * 8 * 128 * 2  # keys and values, 80 layers, 8 heads of 128, two bytes: 327,680 B


def ideal_point(**change):
    return textbook.point(**(CASE | change), efficiencies=textbook.ideal())


def test_a_step_on_a_perfect_machine_is_bytes_over_bandwidth_plus_the_ring():
    # The mean context of a request is 2000 + 500/2 = 2250 positions.
    read = (WEIGHTS + 32 * 2250 * KV) / (4 * 3.35e12)
    # Ring of 4: message 32 * 8192 * 2 B; 2*(3/4) of it over 450 GB/s, and 6 hops of 1.5 us; 160 times a step.
    ring = 160 * (1.5 * 32 * 8192 * 2 / 450e9 + 6 * 1.5e-6)
    assert ideal_point()["tpot_ms"] == pytest.approx(1e3 * (read + ring), rel=1e-12)


def prompts_cache():
    """Share of a step that reads the keys and values of prompts: 2000 of 2250 positions of what the cache takes."""
    return 2000 / 2250 * 32 * 2250 * KV / (4 * 3.35e12) / (ideal_point()["tpot_ms"] / 1e3)


def test_cost_of_output_is_the_rent_of_four_gpus_while_they_decode_but_for_the_prompts_cache():
    row = ideal_point()
    tokens_an_hour = 32 / (row["tpot_ms"] / 1e3) * 3600
    bill = 4 * 2.695 / (tokens_an_hour * 0.6) * 1e6
    assert row["usd_per_mtok_out"] == pytest.approx(bill * (1 - prompts_cache()), rel=1e-12)


def test_cost_of_input_is_the_rent_during_the_prefill_and_the_reading_of_its_cache():
    row = ideal_point()
    seconds = row["ttft_ms"] / 1e3 + 500 * row["tpot_ms"] / 1e3 / 32 * prompts_cache()
    assert row["usd_per_mtok_in"] == pytest.approx(4 * 2.695 * seconds / 3600 / 2000 / 0.6 * 1e6, rel=1e-12)


def test_where_arithmetic_takes_longer_than_memory_the_cache_costs_nothing():
    small = {"concurrency": 2000, "isl": 1, "osl": 2, "model": "llama-3.1-8b"}
    row = ideal_point(**small)
    assert row["bound"] == "compute"
    # the whole decode step is the output's: 2000 tokens in each
    assert row["usd_per_mtok_out"] == pytest.approx(4 * 2.695 / 3600 / 0.6 * row["tpot_ms"] / 1e3 / 2000 * 1e6, rel=1e-12)


def test_the_blend_weighs_both_kinds_by_the_workload():
    row = ideal_point()
    assert row["usd_per_mtok"] == pytest.approx((2000 * row["usd_per_mtok_in"] + 500 * row["usd_per_mtok_out"]) / 2500)


def test_memory_holds_what_is_left_beside_weights_and_activations():
    # 79.2 GiB visible, 0.9 usable, 2 GiB for activations on each GPU, 4% lost to blocks, 2500 positions at the end.
    room = 4 * 79.2 * 1024**3 * 0.9 - WEIGHTS - 4 * 2 * 1024**3
    assert ideal_point()["max_concurrency"] == pytest.approx(room * 0.96 / (2500 * KV), rel=1e-12)


def test_a_batch_beyond_the_memory_is_marked():
    assert ideal_point(concurrency=10_000)["fits"] is False


def test_weights_that_do_not_fit_say_how_many_gpus_would():
    with pytest.raises(DoesNotFit, match=r"takes 138 GB, more than 1 x h100-sxm-80gb.*at least 2 GPUs"):
        ideal_point(n_gpus=1)


def test_smallest_instance_counts_the_cache_of_a_request():
    # 138 GB against 0.9 * 79.2 GiB - 2 GiB = 74.8 GB a GPU: two hold 149.6 GB, 11.6 GB of it for 2500 positions of 0.8 GB
    where = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "weights": "fp16", "kv": "fp16"}
    assert textbook.smallest_instance(**where, positions=2500) == 2
    # 128,000 positions take 42 GB more, which two no longer hold
    assert textbook.smallest_instance(**where, positions=128_000) == 4


def test_int4_on_a_gpu_without_int4_arithmetic_computes_in_bf16():
    assert textbook.arithmetic_flop_per_s("h100-sxm-80gb", "int4")[0] == pytest.approx(989.5e12)


def test_fp8_on_an_a100_is_weight_only():
    assert textbook.arithmetic_flop_per_s("a100-sxm-80gb", "fp8") == (pytest.approx(312e12), False)


def test_critical_batch_of_a_perfect_h100_is_its_ridge():
    low, middle, high = textbook.critical_batch(gpu="h100-sxm-80gb", weights="fp16", efficiencies=textbook.ideal())
    assert low == middle == high == pytest.approx(989.5 / 3.35)  # 2 bytes a parameter, 2 FLOP a parameter


def test_a_mixture_reads_more_experts_the_larger_the_batch():
    one, many = (textbook.weights_read("mixtral-8x7b", "fp16", batch) for batch in (1, 64))
    # One token touches 2 of 8 experts: 46.70e9 parameters less six eighths of the experts, 45.1e9 of them.
    assert one == pytest.approx(2 * 12.88e9, rel=0.01)
    assert many == pytest.approx(2 * 46.70e9, rel=0.01)


def test_beyond_one_server_the_network_carries_the_messages():
    inside, latency = textbook.link("h100-sxm-80gb", 8)
    outside, far = textbook.link("h100-sxm-80gb", 16)
    assert inside == 450e9 and outside == pytest.approx(data.value("link.network_bandwidth") * 1e9)
    assert far > latency


def test_cards_of_one_server_that_no_bridge_joins_meet_in_the_host():
    links = [textbook.link("h100-nvl-94gb", n_gpus) for n_gpus in (2, 4, 8, 16)]
    assert [link for link, _ in links] == pytest.approx([300e9, 64e9, 64e9, data.value("link.network_bandwidth") * 1e9])
    assert [latency * 1e6 for _, latency in links] == pytest.approx([data.value(f"link.latency_{name}") for name in (
        "nvlink", "pcie", "pcie", "roce")])


def test_a_host_that_lives_in_the_same_memory_leaves_less_for_weights():
    row = data.gpu("dgx-spark-128gb")
    free = 1 - row["host_memory_bytes"] / row["engine_memory_bytes"]
    assert textbook.usable_share(row) == pytest.approx(min(free, data.value("memory.usable")))
    assert textbook.usable_share(data.gpu("h100-sxm-80gb")) == data.value("memory.usable")


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 180), price=st.floats(0.5, 20))
def test_laws(batch, price):
    row = textbook.point(**(CASE | {"concurrency": batch, "usd_per_gpu_hour": price}))
    more = textbook.point(**(CASE | {"concurrency": batch + 1, "usd_per_gpu_hour": price}))
    dear = textbook.point(**(CASE | {"concurrency": batch, "usd_per_gpu_hour": 2 * price}))
    assert more["tpot_ms"] > row["tpot_ms"] and more["usd_per_mtok_out"] < row["usd_per_mtok_out"]
    assert dear["usd_per_mtok_out"] == pytest.approx(2 * row["usd_per_mtok_out"])
    for name in ("tpot_ms", "ttft_ms", "output_tok_s", "usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]


def test_every_gpu_prices_every_model_or_says_why_not():
    silent = []
    for model in data.models().index:
        for gpu in data.gpus().index:
            try:
                row = textbook.point(**(CASE | {"model": model, "gpu": gpu, "n_gpus": 1, "weights": "int8", "concurrency": 1}))
            except ValueError as reason:
                if len(str(reason)) < 40:
                    silent.append((model, gpu, str(reason)))
                continue
            if not 0 < row["usd_per_mtok_out_low"] <= row["usd_per_mtok_out"] <= row["usd_per_mtok_out_high"] < 1e7:
                silent.append((model, gpu, row["usd_per_mtok_out"]))
    assert not silent


@pytest.mark.parametrize("kind", ["", None, float("nan"), "Telegraph 3"])
def test_an_interconnect_without_a_latency_is_named_with_its_row(monkeypatch, kind):
    known = dict(data.gpu("h100-sxm-80gb"))
    monkeypatch.setattr(data, "gpu", lambda _id: known | {"interconnect": kind})
    with pytest.raises(CannotServe, match=r"its first word must be one of .*; mend the row h100-sxm-80gb\.interconnect"):
        textbook.link("h100-sxm-80gb", 8)

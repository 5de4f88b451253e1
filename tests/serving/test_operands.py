"""From records to numbers: what a model's weights weigh, and what its attention does, against sums written out here."""

import pytest

from tokenecon import data, model_shape
from tokenecon.serving import lookups, operands, steady_state

WEIGHED = ("llama-3.1-8b", "gpt-oss-120b", "kimi-k2.5", "deepseek-v3", "deepseek-v4-pro", "qwen3.5-9b", "nemotron-nano-30b-a3b",
           "gemma-3-27b")


def numbers(model, gpu="h200-sxm-141gb", weights=None):
    own = lookups.published(model)[0]
    return lookups.hardware(model, gpu, weights or operands.SAME_SPEED.get(own, own), "bf16")


def weighed(found):
    """Bytes of all weights, as the serving model holds them on one GPU."""
    one = found | {"tp": 1.0, "group": 1.0, "pp": 1.0}
    return steady_state._weight_bytes(one)


@pytest.mark.parametrize("model", WEIGHED)
def test_every_parameter_is_held(model):
    """At 16 bits the weights in memory are twice all parameters, towers too: nothing is left out, nothing counted twice."""
    groups = model_shape.parameter_groups(lookups.record(model))
    assert weighed(numbers(model, weights="bf16")) == pytest.approx(2 * sum(groups.values()), rel=1e-12)


def test_a_mixed_release_weighs_what_its_parts_weigh():
    """gpt-oss-120b: 36 layers of 128 experts with three matrices of 2880 x 2880 and biases at 4.25 bits, the rest at 16.

    The total, 116,829,156,672 parameters, is what transformers counts.
    """
    experts = 36 * 128 * (3 * 2880 * 2880 + 3 * 2880)
    found = numbers("gpt-oss-120b")
    held = weighed(found | {"expert_room_bytes": found["expert_bytes"]})
    assert held == pytest.approx(experts * 4.25 / 8 + (116_829_156_672 - experts) * 2, rel=1e-6)


def test_experts_and_attention_compute_in_their_own_formats():
    """DeepSeek V4: its experts at 4 bits, which an H200 unpacks to 16; its attention at 8 bits, which it multiplies as such."""
    found, chip = numbers("deepseek-v4-pro"), data.gpu("h200-sxm-141gb")
    assert found["attention_flop_per_s"] == pytest.approx(chip["fp8_flop_per_s"])
    assert (found["attention_unpacked"], found["expert_unpacked"]) == (0.0, 1.0)
    assert found["expert_flop_per_s"] == pytest.approx(chip["bf16_flop_per_s"])
    # dense: 4,029,677,568 parameters of shared experts at the FP8 rate, 167,903,232 of routers at the BF16 rate
    shared, routers = 4_029_677_568, 167_903_232
    whole = shared / chip["fp8_flop_per_s"] + routers / chip["bf16_flop_per_s"]
    assert found["dense_flop_per_s"] == pytest.approx((shared + routers) / whole)


def test_a_share_of_a_group_in_another_format():
    """A quarter of the feed-forward weights at 16 bits, the rest at 8: 0.25 * 2 + 0.75 * 1 = 1.25 bytes a parameter."""
    shape = lookups.record("llama-3.1-8b") | {"weights_published": "fp8", "weights_except": "ffn=bf16:0.25 attention=bf16"}
    rows = {name: data.precision(name) for name in ("bf16", "fp8")}
    chip = data.gpu("h100-sxm-80gb")
    found = operands.of_weights(shape, model_shape.published(shape), rows, chip)
    assert (found["attention_bytes"], found["dense_bytes"]) == pytest.approx((2.0, 1.25))
    seconds = 0.25 / chip["bf16_flop_per_s"] + 0.75 / chip["fp8_flop_per_s"]
    assert found["dense_flop_per_s"] == pytest.approx(1 / seconds)


def test_compressed_attention_reads_a_quarter_and_picks():
    """DeepSeek V4 Pro: 30 layers keep a vector of 512 for 4 positions and pick 1024 of them, 31 one for 128 and read all."""
    work = model_shape.attention_work(lookups.record("deepseek-v4-pro"))
    assert work["reach"] == 4 * 1024
    assert work["full_values"] == pytest.approx(30 * 512 / 4)
    assert work["every_values"] == pytest.approx(30 * 128 / 4 + 31 * 512 / 128)  # keys of the indexer, and what is pooled
    assert work["window_values"] == 61 * 512  # every layer has the window
    # 128 heads of 512: half for scores and half for sums, so the width is 128 * 512; 64 index heads of 128 score only
    assert work["decode"] == pytest.approx(30 * 128 * 512 / 4)
    assert work["every"] == pytest.approx(30 * 64 * 128 / 2 / 4 + 31 * 128 * 512 / 128)


def test_shared_indexers_are_counted_where_they_are():
    """One in four layers with an indexer of its own: a quarter of its keys and of its scores, the same attention."""
    shape = lookups.record("glm-5.1")
    all_, few = model_shape.attention_work(shape), model_shape.attention_work(
        shape | {"index_layers": 20, "cache_values": 78 * (512 + 64) + 20 * 128})
    assert few["every_values"] / all_["every_values"] == pytest.approx(20 / 78)
    assert few["every"] / all_["every"] == pytest.approx(20 / 78)
    assert few["full_values"] == all_["full_values"] == 78 * (512 + 64)


def test_state_space_layers_have_their_arithmetic():
    """Nemotron 3 Nano: 23 Mamba-2 layers, 64 heads of 64 with a state of 128: three products a value, two FLOP each."""
    assert model_shape.recurrence_flop(lookups.record("nemotron-nano-30b-a3b"), positions=10) == (
        3 * 2 * 10 * 23 * 64 * 64 * 128)


def test_a_model_that_counts_blocks_has_half_as_many_layers():
    """Nemotron 3 Nano calls 23 state layers, 6 attention layers and 23 expert layers 52: as work they are 26 of the usual ones.

    Llama's 32 layers are 32; Nemotron Super 49B has 80 feed-forward blocks of which 49 have attention before them.
    """
    assert numbers("nemotron-nano-30b-a3b")["layers"] == 26
    assert numbers("llama-3.1-8b")["layers"] == 32
    assert numbers("llama-3_3-nemotron-super-49b-v1")["layers"] == (49 + 80) / 2


def test_pages_of_a_hybrid_are_as_large_as_a_state_on_its_rank():
    """Nemotron 3 Nano on 8 ranks: a state of 2,134,016 B lies over 8 ranks, keys and values of 2 heads over 2.

    A page holds 2,134,016 / 8 bytes, a position of one layer 2 * 2 * 128 * 2 / 2 = 512 on each rank: 521 positions.
    """
    found = numbers("nemotron-nano-30b-a3b") | {"load": steady_state.OFFLINE, "engine": 1, "release": 0}
    case = operands.completed(found | operands.layout({
        "n_gpus": 8.0, "tp": 8.0, "pp": 1.0, "attention_dp": 1.0, "ep": 1.0, "prefill_gpus": 0.0,
        "prefill_tp": float("nan"), "memory_share": float("nan"), "reserve_gb": float("nan")}))
    assert steady_state.room(case)["block"] == 521

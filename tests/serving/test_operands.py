"""From records to numbers: what a model's weights weigh, and what its attention does, against sums written out here."""

import pytest

import tokenecon
from tokenecon import data, model_shape
from tokenecon.serving import coefficients as known
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
    found = operands.of_weights(shape, model_shape.published(shape), rows, chip, own=True)
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


@pytest.mark.parametrize(("name", "value", "scale"), [
    ("deepseek_ep.network_bandwidth", known.NETWORK_BYTES_PER_S, 1e9),
    ("deepseek_ep.prefill_bandwidth", known.PROMPT_NETWORK_BYTES_PER_S, 1e9 * 3 / 4),  # over four servers, one of them its own
    ("deepseek_ep.decode_bandwidth", known.DECODE_NETWORK_BYTES_PER_S, 1e9 * 15 / 16),  # over sixteen
    ("deepseek_day.dispatch_bytes", known.DISPATCH_BYTES, 1.0),
    ("deepseek_day.combine_bytes", known.COMBINE_BYTES, 1.0),
])
def test_a_constant_of_the_exchange_is_what_its_row_says(name, value, scale):
    assert value == pytest.approx(data.row("assumptions", name)["value"] * scale)


def wide(n_gpus, **changed):
    """DeepSeek-R1 in FP8 on H100, attention on every GPU apart, 128 requests on each, prompts of 2,000 and answers of 1,000."""
    row = tokenecon.estimate({
        "model": "deepseek-r1", "gpu": "h100-sxm-80gb", "weights": "fp8", "n_gpus": n_gpus, "attention_dp": n_gpus, "isl": 2000,
        "osl": 1000, "concurrency": 128 * n_gpus, "usd_per_gpu_hour": 2.0} | changed).iloc[0]
    assert row["error"] == "" and row["calibrated"] == (n_gpus <= 8)
    return row


@pytest.mark.parametrize("n_gpus", [16, 64, 256])
def test_many_servers_serve_as_well_as_a_few(n_gpus):
    """Reading at about 4,000 and writing at 1,850 tokens a second a GPU, as DeepSeek's day has it, is 2000/4000 + 1000/1850 s
    a request, 960 output tokens a second a GPU on one pool: within a half of that."""
    assert 650 < wide(n_gpus)["output_tok_s"] / n_gpus < 1450


@pytest.mark.source("deepseek-inference-2025", "Statistics of DeepSeek's online service")
@pytest.mark.parametrize("n_gpus", [64, 256])
def test_decode_alone_is_near_the_published_day(n_gpus):
    """14,800 tokens a second a server of eight; prefill has so many GPUs of its own that it limits nothing."""
    row = wide(n_gpus + 2048, tp=n_gpus, attention_dp=n_gpus, prefill_gpus=2048, prefill_tp=32, concurrency=128 * n_gpus)
    assert 1 / 1.5 < row["output_tok_s"] / n_gpus / (14_800 / 8) < 1.5


def test_exchange_hidden_is_never_slower_than_after_the_computation():
    for n_gpus in (16, 64, 256):
        rates = {way: wide(n_gpus, exchange=way)["output_tok_s"] for way in steady_state.EXCHANGES}
        assert rates["added"] <= rates["partly"] and rates["added"] <= rates["hidden"]
    assert wide(8, gpu="h200-sxm-141gb", exchange="added")["output_tok_s"] == (
        wide(8, gpu="h200-sxm-141gb", exchange="hidden")["output_tok_s"])  # inside a server there is no such exchange


def test_experts_over_a_rack_get_their_tokens_over_its_links():
    """48 GPUs of a rack of 72: each token goes to 8 experts, 47 in 48 of them elsewhere, over links of 900 GB/s, not gathered.

    256 tokens on each GPU, 58 layers, 7168 values of 3 bytes there and back.
    """
    found = lookups.hardware("deepseek-r1", "gb200", "nvfp4", "fp8") | {"load": 0, "engine": 3, "release": 0}
    number = {name: float("nan") for name in operands.SETUP} | {
        "n_gpus": 48.0, "tp": 48.0, "pp": 1.0, "attention_dp": 48.0, "prefill_gpus": 0.0}
    case = operands.completed(found | operands.layout(number))
    values = lookups.coefficients()
    seconds = 256 * steady_state.prepared(case, values)["sent_decode_s"]
    assert seconds == pytest.approx(58 * 256 * 8 * 47 / 48 * 7168 * 3 / (900e9 * values["link_bandwidth"]))


def test_a_pool_that_prefills_may_have_another_size():
    """Twice the GPUs in units twice as large read as many prompts as the same units of half the size, but for exchanges."""
    alike = {"tp": 32, "attention_dp": 32, "concurrency": 32 * 32}
    small = wide(32 + 128, prefill_gpus=128, prefill_tp=32, **alike)
    large = wide(32 + 128, prefill_gpus=128, prefill_tp=64, **alike)
    assert large["output_tok_s"] == pytest.approx(small["output_tok_s"], rel=0.1)
    few = tokenecon.estimate({"model": "deepseek-r1", "gpu": "h100-sxm-80gb", "weights": "fp8", "n_gpus": 40, "tp": 32,
                              "attention_dp": 32, "prefill_gpus": 8, "prefill_tp": 8, "isl": 2000, "osl": 1000}).iloc[0]
    assert "8 GPU of a replica that prefills have no room beside their weights; raise prefill_tp" in few["error"]

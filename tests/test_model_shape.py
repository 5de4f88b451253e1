"""The catalogue: every model's parameters and cache follow from its shape and equal what was published."""

import csv
import json

import numpy as np
import pytest

from tokenecon import data, model_shape

# Published by counting the released weights: total, active, KV bytes a token at 16 bits, and the layers
# that attend to everything and to a window. The first seventeen were counted twice, from the shape and
# from the weights; None where nothing was published.
COUNTED = {
    "llama-2-70b": (68_976_648_192, 68_976_648_192, 327_680, 80, 0),
    "llama-3.1-8b": (8_030_261_248, 8_030_261_248, 131_072, 32, 0),
    "llama-3.1-70b": (70_553_706_496, 70_553_706_496, 327_680, 80, 0),
    "llama-3.1-405b": (405_853_388_800, 405_853_388_800, 516_096, 126, 0),
    "llama-3.2-1b": (1_235_814_400, 1_235_814_400, 32_768, 16, 0),
    "mistral-7b": (7_241_732_096, 7_241_732_096, 131_072, 32, 0),
    "mixtral-8x7b": (46_702_792_704, 12_879_925_248, 131_072, 32, 0),
    "qwen2.5-72b": (72_706_203_648, 72_706_203_648, 327_680, 80, 0),
    "qwen3-32b": (32_762_123_264, 32_762_123_264, 262_144, 64, 0),
    "qwen3-30b-a3b": (30_532_122_624, 3_353_032_704, 98_304, 48, 0),
    "qwen3-235b-a22b": (235_093_634_560, 22_190_763_520, 192_512, 94, 0),
    "deepseek-v3": (671_026_404_352, 37_552_282_624, 70_272, 61, 0),
    "gpt-oss-120b": (116_829_156_672, 5_711_982_912, 73_728, 18, 18),
    "gpt-oss-20b": (20_914_757_184, 4_187_440_704, 49_152, 12, 12),
    "gemma-2-9b": (9_241_705_984, 9_241_705_984, 344_064, 21, 21),
    "gemma-2-27b": (27_227_128_320, 27_227_128_320, 376_832, 23, 23),
    "gemma-3-27b": (27_009_346_304, 27_009_346_304, 507_904, 10, 52),
    "llama-2-7b": (6_738_415_616, 6_738_415_616, None, 32, 0),
    "llama-2-13b": (13_015_864_320, 13_015_864_320, None, 40, 0),
    "bloom-176b": (176_247_271_424, 176_247_271_424, None, 70, 0),
    "yi-34b": (34_388_917_248, 34_388_917_248, None, 60, 0),
    "qwen1.5-72b": (72_287_920_128, 72_287_920_128, None, 80, 0),
    "qwen2-7b": (7_615_616_512, 7_615_616_512, None, 28, 0),
    "llama-3_3-nemotron-super-49b-v1": (49_867_145_216, 49_867_145_216, None, 49, 0),
}

# Every model that a published measurement of this project names.
MEASURED = (
    "bloom-176b deepseek-r1 falcon-180b gpt-j-6b gpt-oss-120b gpt-oss-20b kimi-k2.5 llama-2-70b llama-2-7b "
    "llama-3-70b llama-3-8b llama-3.1-405b llama-3.1-70b llama-3.1-8b llama-3.3-70b llama-4-maverick "
    "llama-4-scout mistral-7b mixtral-8x22b mixtral-8x7b qwen2-72b qwen2-7b qwen3-235b-a22b qwen3-30b-a3b "
    "qwen3-32b qwen3.5-397b-a17b"
)

# Names under which people know them: the last part of the name of the released weights, in lower case.
RELEASED = (
    "meta-llama-3.1-8b meta-llama-3.1-70b meta-llama-3.1-405b llama-4-scout-17b-16e-instruct "
    "llama-4-maverick-17b-128e-instruct mixtral-8x7b-v0.1 mixtral-8x22b-v0.1 qwen3-8b qwen3-32b qwen3-30b-a3b "
    "qwen3-235b-a22b qwen3-coder-480b-a35b-instruct qwen3.5-27b qwen3.5-122b-a10b qwen3.5-397b-a17b "
    "deepseek-v3 deepseek-r1 deepseek-v3.2 kimi-k2-instruct kimi-k2.5 minimax-m2.5 glm-5 gpt-oss-20b "
    "gpt-oss-120b gemma-4-26b-a4b llama-3_3-nemotron-super-49b-v1"
)

MODELS = data.models()
IDS = list(MODELS.index)


def shape(model_id):
    return model_shape.record(MODELS.loc[model_id])


@pytest.mark.parametrize("model_id", COUNTED)
def test_counted_models_match_to_the_last_parameter(model_id):
    total, active, cache, full, windowed = COUNTED[model_id]
    record = shape(model_id)
    assert model_shape.parameters(record) == {"parameters": total, "active_parameters": active}
    assert (record["full_layers"], record["window_layers"]) == (full, windowed)
    if cache is not None:
        assert model_shape.kv_bytes_per_token(record, bytes_per_value=2) == cache


@pytest.mark.parametrize("model_id", IDS)
def test_shape_gives_the_columns_and_the_published_total(model_id):
    row, record = MODELS.loc[model_id], shape(model_id)
    counted = model_shape.parameters(record)
    assert row["parameters"] == counted["parameters"]
    assert row["active_parameters"] == counted["active_parameters"]
    assert row["kv_bytes_per_token"] == model_shape.kv_bytes_per_token(record, bytes_per_value=2)
    assert counted["parameters"] == pytest.approx(row["published_total"], rel=0.01), (
        f"{model_id}: the shape gives {counted['parameters']:,} parameters, published are "
        f"{row['published_total']:,.0f}; a field of the row is wrong, or the published figure counts other parts"
    )


@pytest.mark.parametrize("model_id", IDS)
def test_layers_add_up(model_id):
    record = shape(model_id)
    attention = record["full_layers"] + record["window_layers"] + record["linear_layers"] + record["state_layers"]
    if record["family"] == "nemotron_h":  # a layer is a mixer or a feed-forward block
        attention += record["ffn_layers"] + record["moe_layers"]
    if record["family"] != "nemotron-nas":  # its search removed attention from some blocks
        assert attention == record["layers"]
    assert record["window_layers"] == 0 or record["window"] > 0
    assert record["query_heads"] % record["kv_heads"] == 0
    assert (record["experts"] > 0) == (MODELS.loc[model_id, "kind"] == "moe")


def test_models_of_the_measurements_and_released_names_are_there():
    names = set(IDS) | {alias for text in MODELS["aliases"] for alias in text.split()}
    assert set(MEASURED.split()) <= set(IDS)
    assert set(RELEASED.split()) <= names
    assert {"llama-2-13b", "llama-1-30b", "yi-34b", "qwen1.5-72b", "whisper-large-v3", "gpt-3-175b"} <= set(IDS)


def test_no_name_means_two_models():
    names = IDS + [alias for text in MODELS["aliases"] for alias in text.split()]
    assert len(names) == len(set(names))


def test_active_parameters_are_near_the_published_ones():
    # Published active parameters are rounded and often leave embeddings out: within a fifth.
    for model_id in IDS:
        published = MODELS.loc[model_id, "published_active"]
        if published == published:
            active = MODELS.loc[model_id, "active_parameters"]
            assert active == pytest.approx(published, rel=0.2), model_id


@pytest.mark.source("hf-openai-gpt-oss-120b", "size of the released weights, 60.8 GiB")
def test_released_size_of_gpt_oss_120b():
    # experts 36*128*(3*2880*2880 + 3*2880) = 114,701,598,720 at 4.25 bits, the other 2,127,557,952 at 16:
    # 60.935 + 4.255 = 65.19 GB = 60.71 GiB; the released file keeps biases at 16 bits, 0.05 GiB more
    size = model_shape.weight_bytes(shape("gpt-oss-120b"), data.precision("mxfp4"))
    assert size == 114_701_598_720 * 4.25 / 8 + 2 * 2_127_557_952
    assert size / 1024**3 == pytest.approx(60.8, abs=0.1)


def test_weight_bytes_of_llama2_70b():
    record = shape("llama-2-70b")
    # every matrix of the layers: 80*(150,994,944 + 704,643,072) = 68,451,041,280; the rest is 525,606,912
    layers, rest = 68_451_041_280, 525_606_912
    sizes = {name: model_shape.weight_bytes(record, data.precision(name))
             for name in ("fp16", "fp8", "int4", "nvfp4", "mxfp4")}  # fmt: skip
    assert sizes["fp16"] == 2 * 68_976_648_192
    assert sizes["fp8"] == layers + 2 * rest
    assert sizes["int4"] == pytest.approx(layers * (4 + 20 / 128) / 8 + 2 * rest)
    assert sizes["nvfp4"] == pytest.approx(layers * 4.5 / 8 + 2 * rest)
    assert sizes["mxfp4"] == pytest.approx(layers * 4.25 / 8 + 2 * rest)


def test_cache_of_long_contexts():
    # gpt-oss-120b at 131,072 positions: 18 layers of 2048 B see all, 18 keep 128
    size = model_shape.kv_bytes_of_context(shape("gpt-oss-120b"), positions=131_072, bytes_per_value=2)
    assert size == 18 * 2048 * (131_072 + 128)
    # Qwen3.5-27B: 16 layers of 2*4*256*2 = 4096 B; 48 states of 48*128*128 values in 32 bits and
    # 3 positions of 10,240 channels in 16 bits
    size = model_shape.kv_bytes_of_context(shape("qwen3.5-27b"), positions=1000, bytes_per_value=2)
    assert size == 16 * 4096 * 1000 + 48 * (48 * 128 * 128 * 4 + 3 * 10_240 * 2)
    # Whisper: 32 layers of 2*20*64*2 = 5120 B for every token and for 1500 audio positions
    size = model_shape.kv_bytes_of_context(shape("whisper-large-v3"), positions=100, bytes_per_value=2)
    assert size == 32 * 5120 * (100 + 1500)


def test_flop_of_llama2_70b():
    record = shape("llama-2-70b")
    multiplied = 68_976_648_192 - 32_000 * 8192  # the input embedding is looked up
    attention = 4 * 2000 * 8192 * 80
    assert model_shape.decode_flop(record, positions=2000) == 2 * multiplied + attention
    assert model_shape.prefill_flop(record, positions=2000) == 2 * multiplied * 2000 + attention * 2000 / 2


def test_flop_of_windows_and_latent_heads():
    record = shape("gpt-oss-20b")
    # 12 full and 12 windowed layers of width 64*64 = 4096; active without the embedding of 201,088*2880
    expected = 2 * (4_187_440_704 - 201_088 * 2880) + 4 * 4096 * 12 * (5000 + 128)
    assert model_shape.decode_flop(record, positions=5000) == expected
    widths = model_shape.attention_widths(shape("deepseek-v3"))
    assert widths["prefill"] == 128 * (192 + 128) / 2
    assert widths["decode"] == 128 * (576 + 512) / 2


def test_precisions_have_their_effective_width():
    expected = {"fp16": 16, "fp8": 8, "mxfp4": 4.25, "nvfp4": 4.5, "int4": 4 + 20 / 128, "int3": 3 + 19 / 128}
    for name, bits in expected.items():
        row = data.precision(name)
        assert row["bits"] + (row["scale_bits"] + row["zero_bits"]) / row["group_size"] == bits


def test_summary_of_a_model():
    precisions = [data.precision("bf16"), data.precision("int4")]
    summary = model_shape.summary(shape("qwen3-8b"), precisions=precisions)
    assert summary["parameters"] == 8_190_735_360
    assert summary["weight_bytes"]["bf16"] == 2 * 8_190_735_360
    assert set(summary["weight_bytes"]) == {"bf16", "int4"}
    # 36 layers * 2 * 8 heads * 128 * 2 B = 147,456 B a token; the declared context has 40,960
    assert summary["kv_bytes_per_token"] == 147_456
    assert summary["kv_bytes_of_longest_context"] == 147_456 * 40_960


def test_columns_are_those_of_the_record():
    with open(data.ROOT / "models.csv", encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert set(model_shape.FIELDS) <= set(header)
    described = {field["name"] for resource in json.loads((data.ROOT / "datapackage.json").read_text())["resources"]
                 if resource["name"] == "models" for field in resource["schema"]["fields"]}  # fmt: skip
    assert described == set(header)


def test_flop_of_many_contexts_at_once():
    contexts = np.array([100, 5000])
    for function in (model_shape.prefill_flop, model_shape.decode_flop):
        one_by_one = [function(shape("gpt-oss-20b"), positions=n) for n in (100, 5000)]
        assert function(shape("gpt-oss-20b"), positions=contexts).tolist() == one_by_one

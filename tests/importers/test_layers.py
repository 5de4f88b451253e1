"""How many positions a configuration has, with rope scaling: published blocks, each with the arithmetic of its limit."""

import json
from pathlib import Path

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.importers import huggingface

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 128256, "tie_word_embeddings": False, "dtype": "bfloat16",
}  # fmt: skip
MAMBA = {"model_type": "mamba", "hidden_size": 2560, "num_hidden_layers": 64, "vocab_size": 50280, "state_size": 16, "expand": 2,
         "time_step_rank": 160, "conv_kernel": 4, "tie_word_embeddings": True, "dtype": "bfloat16"}  # fmt: skip
BLOOM = {"model_type": "bloom", "n_embed": 14336, "n_layer": 70, "num_attention_heads": 112, "vocab_size": 250880,
         "dtype": "bfloat16"}  # fmt: skip


def yarn(factor, original, **more):
    return {"type": "yarn", "factor": factor, "original_max_position_embeddings": original} | more


@pytest.mark.parametrize(
    ("name", "stated", "block", "right"),
    [
        # the stated length is the scaled one
        ("DeepSeek-V3", 163840, yarn(40, 4096, beta_fast=32, mscale=1.0), 40 * 4096),
        ("DeepSeek-V4-Pro", 1048576, yarn(16, 65536), 16 * 65536),
        ("Kimi-K2.5", 262144, yarn(64.0, 4096), 64 * 4096),
        ("gpt-oss-120b", 131072, {"rope_type": "yarn", "factor": 32.0, "original_max_position_embeddings": 4096}, 32 * 4096),
        ("Yarn-Llama-2-13b-64k", 65536, yarn(16.0, 4096, finetuned=True), 16 * 4096),
        ("TeleChat3-36B", 32768, {"rope_type": "telechat3-yarn", "factor": 4.0, "original_max_position_embeddings": 8192}, 32768),
        # the factor is about frequencies: 8 x 8192 would be half of the stated length, 32 x 8192 twice of it
        ("Llama-3.1-8B", 131072, {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192}, 131072),
        ("Llama-3.2-1B", 131072, {"rope_type": "llama3", "factor": 32.0, "original_max_position_embeddings": 8192}, 131072),
        ("Llama-4-Scout", 10485760, {"rope_type": "llama3", "factor": 16.0, "original_max_position_embeddings": 8192}, 10485760),
        # the block that the model card says to add; the stated length is that without it
        ("Qwen2.5-7B-Instruct", 32768, yarn(4.0, 32768), 4 * 32768),
        ("Qwen3-8B", 40960, {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}, 4 * 32768),
        ("Qwen3.5-9B", 262144, {"mrope_section": [11, 11, 10], "rope_type": "yarn", "rope_theta": 1e7, "factor": 4.0,
                                "original_max_position_embeddings": 262144}, 4 * 262144),
        # no length before scaling: linear and dynamic scaling stretch what is stated
        ("vicuna-7b-v1.5-16k", 4096, {"type": "linear", "factor": 4.0}, 4 * 4096),
        ("internlm3-8b-instruct", 32768, {"rope_type": "dynamic", "factor": 6.0}, 6 * 32768),
        ("Hunyuan-A13B", 32768, {"type": "dynamic", "alpha": 1000.0, "beta_fast": 32, "factor": 1.0}, 32768),
        # kinds that stretch nothing
        ("Qwen3-VL-32B", 262144, {"mrope_section": [24, 20, 20], "rope_type": "default"}, 262144),
        ("MiniCPM4", 32768, {"rope_type": "longrope", "long_factor": [1.0], "short_factor": [1.0],
                             "original_max_position_embeddings": 32768}, 32768),
        ("Ming-flash-omni", 32768, {"factor": None, "type": "video_rope"}, 32768),
        ("Qwen3-8B", 40960, None, 40960),
        # a block for each kind of layer
        ("Olmo-3", 65536, {"full_attention": {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192},
                           "sliding_attention": {"rope_type": "default", "rope_theta": 500000}}, 8 * 8192),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["rope_scaling", "rope_parameters"])
def test_published_rope_blocks(name, stated, block, right, key):
    assert huggingface.from_config(LLAMA | {"max_position_embeddings": stated, key: block})["max_positions"] == right, name


def test_the_length_before_scaling_may_stand_outside_the_block():
    """Phi-3-mini-128k: a factor for each channel, and 131072 positions where 4096 were trained first."""
    block = {"type": "longrope", "long_factor": [1.03, 64.8], "short_factor": [1.0, 3.0]}
    config = LLAMA | {"max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "rope_scaling": block}
    assert huggingface.from_config(config)["max_positions"] == 131072


def test_gemma_3_states_the_length_after_linear_scaling():
    text = {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024}
    shape = huggingface.from_config({"model_type": "gemma3", "text_config": text})
    assert shape["max_positions"] == 131072 and "text_config.max_position_embeddings" in shape["defaults_used"]


@pytest.mark.parametrize("key", ["n_positions", "max_seq_len", "seq_length", "max_sequence_length", "max_seq_length", "seq_len"])
def test_other_names_of_the_length(key):
    assert huggingface.from_config(LLAMA | {key: 8192})["max_positions"] == 8192
    assert huggingface.from_config(LLAMA | {key: 8192, "max_position_embeddings": 4096})["max_positions"] == 4096


def test_command_r_is_trained_for_its_model_max_length():
    config = LLAMA | {"max_position_embeddings": 8192, "model_max_length": 131072}  # c4ai-command-r-v01
    assert huggingface.from_config(config)["max_positions"] == 131072


def test_no_number_bounds_a_model_of_states_or_of_slopes():
    assert huggingface.from_config(MAMBA)["max_positions"] == 0
    assert huggingface.from_config(BLOOM)["max_positions"] == 0
    assert huggingface.from_config(BLOOM | {"seq_length": 2048})["max_positions"] == 2048


def test_a_length_that_nobody_states_is_asked_for():
    """A class fills it in and is named; where it has none either, or the file says null, the model is refused."""
    assert "max_position_embeddings" in huggingface.from_config(LLAMA)["defaults_used"]
    with pytest.raises(BadInput, match="needs the field 'max_position_embeddings'"):
        huggingface.from_config(LLAMA | {"max_position_embeddings": None})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"max_position_embeddings": 0}, "'max_position_embeddings' of the configuration is 0, but must be a whole number"),
        ({"max_position_embeddings": "4k"}, "'max_position_embeddings' of the configuration is '4k', but"),
        ({"n_positions": -1}, "'n_positions' of the configuration is -1, but"),
        ({"rope_scaling": "yarn"}, "'rope_scaling' of the configuration is 'yarn', but must be a block"),
        ({"rope_scaling": {"factor": 8.0}}, "'rope_scaling.rope_type' of the configuration is blank, but must be one of"),
        ({"rope_scaling": {"rope_type": "spiral", "factor": 8.0}}, "'rope_scaling.rope_type' of the configuration is 'spiral'"),
        ({"rope_scaling": {"rope_type": 7, "factor": 8.0}}, "'rope_scaling.rope_type' of the configuration is 7, but must be"),
        ({"rope_scaling": {"rope_type": "linear"}}, "'rope_scaling.factor' of the configuration is blank, but must be a number"),
        ({"rope_scaling": yarn("4", 4096)}, "'rope_scaling.factor' of the configuration is '4', but"),
        ({"rope_scaling": yarn(float("nan"), 4096)}, "'rope_scaling.factor' of the configuration is nan"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "'rope_scaling.original_max_position_embeddings' of the"),
        ({"rope_scaling": yarn(4, -1)}, "'rope_scaling.original_max_position_embeddings' of the configuration is -1, but"),
        ({"rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 0}}},
         "'rope_parameters.full_attention.factor' of the configuration is 0, but"),
    ],
)  # fmt: skip
def test_a_length_that_is_not_understood_is_named(change, words):
    with pytest.raises(BadInput) as error:
        huggingface.from_config(LLAMA | change)
    assert words in str(error.value)


def test_the_catalogue_has_the_limits_of_the_published_files():
    lines = (Path(__file__).parent / "counted.jsonl").read_text(encoding="utf-8").splitlines()
    models, seen = data.models(), 0
    for line in map(json.loads, lines):
        name = line["name"].split("/")[-1].lower().removeprefix("meta-")
        for ending in ("-instruct", "-v0.1", "-it", "-17b-16e", "-17b-128e"):
            name = name.removesuffix(ending)
        if line["of"] == "checkpoint" and name in models.index:
            assert models.loc[name, "max_positions"] == huggingface.from_config(line["config"])["max_positions"], name
            seen += 1
    assert seen >= 30


def test_a_prompt_beyond_the_scaled_length_names_it(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA | {"max_position_embeddings": 40960, "rope_scaling": yarn(4.0, 32768)}))
    case = {"model": str(path), "gpu": "h200-sxm-141gb", "n_gpus": 1, "osl": 1000}
    assert tokenecon.estimate(case | {"isl": 130000}).loc[0, "error"] == ""
    assert "has 131072" in tokenecon.estimate(case | {"isl": 131000}).loc[0, "error"]

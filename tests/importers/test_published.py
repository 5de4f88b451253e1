"""In which precision a model is published: what each tool writes, and what it leaves at 16 bits."""

import json
from pathlib import Path

import pytest

from tokenecon import data, model_shape
from tokenecon.errors import BadInput
from tokenecon.importers import huggingface

LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 128256, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
DEEPSEEK = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128, "vocab_size": 129280,
    "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
    "num_experts_per_tok": 8, "first_k_dense_replace": 3, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128, "v_head_dim": 128, "dtype": "bfloat16", "tie_word_embeddings": False,
}  # fmt: skip
INT4 = {"num_bits": 4, "type": "int", "group_size": 128, "strategy": "group", "symmetric": True}


def tensors(bits, kind, **more):
    return {"quant_method": "compressed-tensors", "ignore": ["lm_head"],
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": bits, "type": kind} | more}}}


@pytest.mark.parametrize(
    ("block", "weights", "kv"),
    [
        (None, "bf16", ""),
        ({"quant_method": "fp8", "activation_scheme": "static"}, "fp8", ""),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8-block", ""),
        (tensors(8, "float", strategy="channel"), "fp8", ""),
        (tensors(8, "int", strategy="channel"), "int8", ""),
        (tensors(4, "int", group_size=128), "int4", ""),
        (tensors(4, "int", group_size=32), "int4-g32", ""),
        (tensors(4, "float", group_size=16), "nvfp4", ""),
        (tensors(8, "float", group_size=32), "mxfp8", ""),
        (tensors(8, "float") | {"kv_cache_scheme": {"num_bits": 8, "type": "float"}}, "fp8", "fp8"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}, "nvfp4", "fp8"),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False}, "int4", ""),
        ({"quant_method": "gptq", "bits": 8, "group_size": 128}, "int8", ""),
        ({"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True}, "int4-g64", ""),
        ({"quant_method": "mxfp4"}, "mxfp4", ""),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "nf4", ""),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8", ""),
    ],
)  # fmt: skip
def test_formats_of_the_tools(block, weights, kv):
    shape = huggingface.from_config(LLAMA | ({"quantization_config": block} if block else {}))
    assert (shape["weights_published"], shape["weights_except"], shape["kv_published"]) == (weights, "", kv)
    assert weights in set(data.table("precisions")["id"])
    formats = model_shape.published(shape)
    assert formats["attention"] == formats["ffn"] == {weights: 1.0}
    assert formats["head"] == formats["embedding"] == {"bf16": 1.0}


@pytest.mark.parametrize("name", ["hf_quant_config.json", "quantize_config.json"])
def test_the_file_beside_the_configuration(tmp_path, name):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    side = {"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}}
    side = side if name.startswith("hf_") else {"bits": 4, "group_size": 128, "sym": True}
    (tmp_path / name).write_text(json.dumps(side))
    shape = huggingface.load(tmp_path)
    assert (shape["weights_published"], shape["kv_published"]) == (("fp8", "fp8") if name.startswith("hf_") else ("int4", ""))


@pytest.mark.parametrize(("block", "side", "kv"), [
    ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}, "fp8"),
    ({"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_scheme": {"num_bits": 8, "type": "float"}}, {}, "fp8"),
    (tensors(4, "float", group_size=16), {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}, "fp8"),
    (tensors(4, "float", group_size=16) | {"kv_cache_scheme": None}, {"quant_algo": "NVFP4", "kv_cache_quant_algo": None}, ""),
    (None, {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}, "fp8"),
])
def test_the_cache_that_either_file_states(block, side, kv):
    """NVFP4 releases of NVIDIA say in one file or in both that their cache has 8 bits, under two names."""
    config = LLAMA | ({"quantization_config": block} if block else {})
    shape = huggingface.from_config(config, {"hf_quant_config.json": {"quantization": side}} if side else {})
    assert (shape["weights_published"], shape["kv_published"]) == ("nvfp4", kv)


def test_what_is_left_at_16_bits_by_pattern():
    block = tensors(4, "int", group_size=32) | {
        "ignore": ["lm_head", "re:.*self_attn.*", "re:.*shared_experts.*", "re:.*mlp\\.(gate|up|gate_up|down)_proj.*"]}
    shape = huggingface.from_config(DEEPSEEK | {"quantization_config": block})
    formats = model_shape.published(shape)
    assert formats["experts"] == {"int4-g32": 1.0}
    assert formats["attention"] == formats["ffn"] == formats["shared"] == formats["router"] == {"bf16": 1.0}
    # experts 58*256*3*7168*2048 = 653,908,770,816 at 4.5 bits; the others at 16
    rows = {one: data.precision(one) for one in ("bf16", "int4-g32")}
    sizes = model_shape.bytes_by_group(shape, formats, precisions=rows)
    assert sizes["experts"] == 653_908_770_816 * 4.5 / 8
    assert sum(sizes.values()) == sizes["experts"] + 2 * (671_026_404_352 - 653_908_770_816)


def test_what_is_left_at_16_bits_module_by_module():
    # of 187,107,328 parameters of a latent attention layer, query and key-value projections up and down are left:
    # 7168*1536 + 1536*128*192 + 7168*576 + 512*128*256 = 69,664,768
    modules = ("q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj")
    names = [f"model.layers.{i}.self_attn.{one}" for i in range(61) for one in modules]
    side = {"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head", *names]}}
    shape = huggingface.from_config(DEEPSEEK, {"hf_quant_config.json": side})
    share = model_shape.published(shape)["attention"]
    assert share["bf16"] == pytest.approx(69_664_768 / 187_107_328, abs=0.005)
    assert share["nvfp4"] == pytest.approx(1 - share["bf16"])
    whole = huggingface.from_config(DEEPSEEK, {"hf_quant_config.json": {"quantization": {
        "quant_algo": "NVFP4", "exclude_modules": [f"model.layers.{i}.self_attn*" for i in range(61)]}}})
    assert model_shape.published(whole)["attention"] == {"bf16": 1.0}


def test_formats_that_differ_by_module():
    layers = {f"model.layers.{i}.self_attn.{one}_proj": {"quant_algo": "FP8"} for i in range(61) for one in ("q", "o")}
    layers |= {f"model.layers.{i}.mlp.experts": {"quant_algo": "W4A16_NVFP4", "group_size": 16} for i in range(3, 61)}
    side = {"quantization": {"quant_algo": "MIXED_PRECISION", "kv_cache_quant_algo": "FP8", "quantized_layers": layers}}
    formats = model_shape.published(huggingface.from_config(DEEPSEEK, {"hf_quant_config.json": side}))
    assert formats["experts"] == {"nvfp4": 1.0} and formats["attention"] == {"fp8": 1.0}
    assert formats["shared"] == formats["ffn"] == {"bf16": 1.0}


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"quant_method": "wizardry"}, "quant_method wizardry"),
        ({"quant_method": "modelopt", "quant_algo": "FP3"}, "quant_algo FP3"),
        (tensors(5, "float"), "weights of 5 bits of type float"),
        (tensors(4, "float"), "weights of 4 bits of type float in groups of None"),
        (tensors(4, "int", strategy="group"), "in groups without a group_size"),
        ({"quant_method": "awq", "bits": 4, "group_size": 16}, "integers of 4 bits in groups of 16"),
        ({"quant_method": "fp8", "weight_block_size": [1, 128]}, "weight_block_size"),
        ({"quant_method": "fp8", "ignored_layers": ["model.layers.3.wormhole"]}, "ignored module 'model.layers.3.wormhole'"),
        ({"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}, "neither quantized_layers nor the targets"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"} | {"config_groups": tensors(8, "float")["config_groups"]},
         "quant_algo NVFP4 and other weights in config_groups"),
        ({"quant_method": "fp8", "kv_cache_scheme": []}, "KV cache in"), ({}, "quant_method"),
        ({"quant_method": "gptq", "bits": 5}, "integers of 5 bits"),
        ({"quant_method": "fp8", "modules_to_not_convert": "lm_head"}, "modules_to_not_convert must be a list"),
        ("fp8", "must be a block"),
    ],
)
def test_a_precision_that_is_not_understood_is_named(block, words):
    with pytest.raises(BadInput, match=words):
        huggingface.from_config(LLAMA | {"quantization_config": block})


@pytest.mark.parametrize("model_id", ["gpt-oss-120b", "deepseek-v3", "kimi-k2.5", "deepseek-v4-pro", "llama-3.1-8b"])
def test_native_formats_of_the_catalogue_are_formats(model_id):
    shape = model_shape.record(data.model(model_id))
    rows = {one: data.precision(one) for one in data.table("precisions")["id"]}
    sizes = model_shape.bytes_by_group(shape, model_shape.published(shape), precisions=rows)
    assert set(sizes) == set(model_shape.parameter_groups(shape)) and sum(sizes.values()) > 0


def test_released_size_of_kimi_k3():
    """1,560,860,324,864 bytes of tensors: experts in MXFP4, and in 16 bits all that the patterns of its ignore list name."""
    lines = (Path(__file__).parent / "counted.jsonl").read_text(encoding="utf-8").splitlines()
    config = next(line["config"] for line in map(json.loads, lines) if line["name"] == "moonshotai/Kimi-K3")
    names = ["re:.*self_attn.*", "re:.*shared_experts.*", "re:.*mlp\\.(gate|up|gate_up|down)_proj.*", "re:.*lm_head.*",
             "re:.*vision_tower.*", "re:.*mm_projector.*"]
    shape = huggingface.from_config(config | {"quantization_config": tensors(4, "float", group_size=32) | {"ignore": names}})
    rows = {one: data.precision(one) for one in ("bf16", "mxfp4")}
    size = sum(model_shape.bytes_by_group(shape, model_shape.published(shape), precisions=rows).values())
    assert size == pytest.approx(1_560_860_324_864, rel=1e-4)


def test_released_size_of_deepseek_v3():
    """685 GB of FP8 weights with their scales, published with the multi-token prediction layer of 11.6 billion."""
    shape = model_shape.record(data.model("deepseek-v3"))
    rows = {one: data.precision(one) for one in ("bf16", "fp8-block")}
    size = sum(model_shape.bytes_by_group(shape, model_shape.published(shape), precisions=rows).values())
    assert size == pytest.approx(671e9 + 1.96e9, rel=0.002)  # embedding, head, routers and norms: 1.96 billion at two bytes

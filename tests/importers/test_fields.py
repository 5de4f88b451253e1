"""Nothing is ignored or filled in without a word: what moves counts, cache, precision or positions is read, listed or named."""

import collections
import copy
import json
import random
import re
from pathlib import Path

import pytest

from tokenecon.errors import BadInput
from tokenecon.importers import huggingface
from tokenecon.importers.fields import HARMLESS, SHAPELY

LINES = [json.loads(line) for line in (Path(__file__).parent / "counted.jsonl").read_text(encoding="utf-8").splitlines()]
CHECKPOINTS = [line for line in LINES if line["of"] == "checkpoint"]
ALSO = ("tie_word_embeddings", "dtype", "torch_dtype", "model_type", "max_position_embeddings", "factor",
        "original_max_position_embeddings", "rope_type", "expert_dtype", "quant_method")  # relevant whatever their names are like
# Fields whose change moves nothing in some checkpoint, with the reason.
EXPLAINED = {
    "another field of the file says it, and goes before": (
        "attention_chunk_size", "first_k_dense_replace", "moe_layer_freq", "full_attention_interval", "max_window_layers",
        "sliding_window_pattern", "index_topk_freq", "index_skip_topk_offset", "n_shared_experts", "expand", "mamba_expand",
        "intermediate_size_mlp", "time_step_rank", "dtype", "torch_dtype", "tie_word_embeddings", "spatial_merge_size",
        "temporal_patch_size", "rope_type", "type"),
    "it follows from others in this kind of attention": ("num_key_value_heads", "head_dim", "qk_rope_head_dim"),
    "no layer has what it is about": ("intermediate_size", "sliding_window", "use_sliding_window", "vocab_size_per_layer_input"),
    "the factors of Llama 3 are about frequencies": ("factor", "original_max_position_embeddings"),
    "heads of a tower divide its width": ("num_attention_heads", "num_heads", "attention_heads", "vt_num_attention_heads"),
    "places of layers, of which the number counts": (
        "deepstack_visual_indexes", "fullatt_block_indexes", "intermediate_layers_indices"),
    "how a tower looks at pictures, without weights": (
        "image_size", "max_position_embeddings", "_attn_implementation", "video_attn_type", "pooling_kernel_size", "vocab_size",
        "position_embedding_type", "multimodal_projector_bias", "projection_dim", "mm_projector_type", "projector_hidden_act",
        "use_clipped_linears"),
    "layers that predict further tokens are in no sum": ("mtp_hybrid_override_pattern", "mtp_layers_block_type",
                                                         "mtp_transformer_layers"),
    "a bias or scale of a head or an expert, far below a thousandth": (
        "add_full_attention_sink_bias", "add_swa_attention_sink_bias", "attention_value_scale", "use_moe_router_bias"),
    "about arithmetic alone": (
        "mamba_chunk_size", "mamba_hidden_act", "mamba_ssm_cache_dtype", "mamba_ssm_dtype", "mlp_hidden_act", "moe_router_dtype",
        "moe_router_scaling_factor", "moe_shared_expert_overlap", "num_hash_layers", "num_logits_to_keep", "sparse_init_block",
        "sparse_local_block", "use_bidirectional_attention",
        "use_double_wide_mlp", "use_mamba_kernels", "swa_rope_theta", "mscale_all_dim", "attn_res_block_size"),
}  # fmt: skip
SAID = {name for names in EXPLAINED.values() for name in names}
QUANTISED = [
    {"quant_method": "fp8", "weight_block_size": [128, 128], "modules_to_not_convert": ["lm_head"]},
    {"quant_method": "compressed-tensors", "ignore": ["lm_head", "re:.*self_attn.*"],
     "kv_cache_scheme": {"num_bits": 8, "type": "float"},
     "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 4, "type": "int", "group_size": 32}}}},
    {"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "ignore": ["lm_head"]},
    {"quant_method": "gptq", "bits": 4, "group_size": 128}, {"quant_method": "mxfp4"},
]  # fmt: skip


def relevant(name):
    return name in ALSO or bool(SHAPELY.search(name) and not HARMLESS.search(name))


def places(block, before=()):
    """Paths of all fields, those of inner blocks too."""
    for key, value in block.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from places(value, (*before, key))


def at(config, path):
    for key in path[:-1]:
        config = config[key]
    return config


def others(value):
    """Other values that such a field may have."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value * 2, value + 1, value - 1] if value else [1, 2]
    if isinstance(value, float):
        return [value * 2 + 1]
    if isinstance(value, str):
        return ["sliding_attention" if value == "full_attention" else "full_attention", "other"]
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return [[*value[:-1], next((one for one in value if one != value[-1]), "other")], value[1:]]
    if isinstance(value, list) and value and all(isinstance(one, int) for one in value):
        return [[*value[:-1], 1 - value[-1] if value[-1] in (0, 1) else value[-1] + 1], [2 * one + 1 for one in value]]
    return []


def read(config):
    """The record without its list of defaults, and that list; or the refusal."""
    try:
        record = huggingface.from_config(config)
    except BadInput as error:
        return str(error), frozenset()
    return record, frozenset(record.pop("defaults_used"))


@pytest.mark.parametrize("line", CHECKPOINTS, ids=lambda line: line["name"])
def test_a_field_that_is_relevant_moves_the_record_or_is_refused(line):
    before, _ = read(line["config"])
    for path in places(line["config"]):
        if not relevant(path[-1]) or path[-1] in SAID:
            continue
        values = others(at(line["config"], path)[path[-1]])
        for value in values:
            config = copy.deepcopy(line["config"])
            at(config, path)[path[-1]] = value
            if read(config)[0] != before:
                break
        else:
            assert not values, f"{'.'.join(path)} of {line['name']} may be anything: {values}"


def test_every_explanation_is_needed():
    """A name that is explained is a field of a checkpoint; what no file has any more needs no reason."""
    assert {path[-1] for line in CHECKPOINTS for path in places(line["config"])} >= SAID


KINDS = ("deleted", "null", "type", "text", "renamed", "huge", "negative", "wrapped", "method", "ignored", "length", "kind",
         "twice")
RIGHT = ("deleted", "null", "renamed", "wrapped")  # mutants of these kinds may be sound configurations
WRONG = ([], {}, {"a": 1}, [None], "x", 1.5, [1, 2])


def mutated(config, kind, chance):
    """A copy with one fault of a kind, and the path of the field."""
    config = copy.deepcopy(config)
    paths = [path for path in places(config) if relevant(path[-1])]
    numbers = [path for path in paths if isinstance(at(config, path)[path[-1]], int) and not isinstance(
        at(config, path)[path[-1]], bool)]
    path = chance.choice(numbers if kind in ("text", "huge", "negative") else paths)
    block, name, text = at(config, path), path[-1], config.get("text_config", config)
    if kind == "deleted":
        del block[name]
    elif kind == "renamed":
        block[f"{name}_v2"] = block.pop(name)
    elif kind in ("null", "type", "text", "huge", "negative"):
        block[name] = {"null": None, "type": chance.choice(WRONG), "text": str(block[name]), "huge": 10**18, "negative": -5}[kind]
    elif kind == "wrapped":
        return {chance.choice(("model", "text_config", "llm_config", "config", "backbone")): config}, ("model_type",)
    elif kind == "method":
        config["quantization_config"] = chance.choice(
            [{"quant_method": "hqq", "bits": 4}, {"quant_method": "wizardry"}, {}, {"quant_algo": "FP2"}, [], "fp8",
             {"quant_method": "gptq", "bits": "4"}, {"quant_method": "compressed-tensors"}, {"quant_algo": "MIXED_PRECISION"},
             {"quant_method": "fp8", "weight_block_size": [1, 2]}, {"quant_method": "awq", "bits": 4, "group_size": 7}])
    elif kind == "ignored":
        config["quantization_config"] = {"quant_method": "fp8", "modules_to_not_convert": chance.choice(
            ("lm_head", [1], {"a": 1}, ["model.layers.0.wormhole"], [None]))}
    elif kind in ("length", "kind"):
        layers = text.get("num_hidden_layers") or 4
        text["layer_types"] = ["full_attention"] * (layers + chance.choice((-1, 5)))
        if kind == "kind":
            text["layer_types"] = ["full_attention"] * (layers - 1) + ["hyena"]
    elif kind == "twice":
        text["n_head"] = 2 * (text.get("num_attention_heads") or 1)
    return config, path


def test_five_hundred_mutants_are_refused_or_say_what_was_filled_in():
    chance, outcomes = random.Random(20261128), collections.Counter()
    for number in range(500):
        line, kind = chance.choice(CHECKPOINTS), KINDS[number % len(KINDS)]
        config = line["config"] | ({"quantization_config": chance.choice(QUANTISED)} if number % 2 else {})
        before, known = read(config)
        damaged, path = mutated(config, kind, chance)
        after, filled = read(damaged)
        if isinstance(after, str):
            assert "\n" not in after and len(after) < 1500 and not re.search(r"understood: none\b", after)
            outcomes["refused"] += 1
        elif filled - known:
            outcomes["filled in"] += 1
        elif after == before:
            assert kind in RIGHT or path[-1] in SAID, (line["name"], kind, path)
            outcomes["says the same"] += 1
        else:  # a part that the file no longer states is not there
            assert kind in RIGHT, (line["name"], kind, path)
            outcomes["changed"] += 1
    assert outcomes["refused"] > 300 and outcomes["changed"] < 40, outcomes

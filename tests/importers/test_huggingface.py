"""Configurations as they are published, cut to the fields that matter and some that must not."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

import tokenecon
from tokenecon import data, model_shape
from tokenecon.importers import huggingface
from tokenecon.importers.fields import MissingField, UnknownArchitecture

LLAMA_8B = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
    "tie_word_embeddings": False, "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False,
    "initializer_range": 0.02, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
    "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192},
    "torch_dtype": "bfloat16", "max_position_embeddings": 131072,
}  # fmt: skip

DEEPSEEK_V3 = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128,
    "num_key_value_heads": 128, "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256,
    "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3, "moe_layer_freq": 1,
    "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
    "n_group": 8, "topk_group": 4, "topk_method": "noaux_tc", "scoring_func": "sigmoid", "ep_size": 1,
    "num_nextn_predict_layers": 1, "routed_scaling_factor": 2.5, "quantization_config": {"fmt": "e4m3"},
    "vocab_size": 129280, "tie_word_embeddings": False, "max_position_embeddings": 163840,
}  # fmt: skip

GPT_OSS_20B = {
    "model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 24, "num_attention_heads": 64,
    "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 2880, "num_local_experts": 32,
    "num_experts_per_tok": 4, "experts_per_token": 4, "vocab_size": 201088, "tie_word_embeddings": False,
    "sliding_window": 128, "attention_bias": True, "swiglu_limit": 7.0, "initial_context_length": 4096,
}  # fmt: skip

QWEN3_5_27B = {
    "model_type": "qwen3_5", "tie_word_embeddings": False, "vision_config": {"depth": 27},
    "text_config": {
        "model_type": "qwen3_5_text", "hidden_size": 5120, "num_hidden_layers": 64, "num_attention_heads": 24,
        "num_key_value_heads": 4, "head_dim": 256, "intermediate_size": 17408, "vocab_size": 248320,
        "full_attention_interval": 4, "linear_num_value_heads": 48, "linear_num_key_heads": 16,
        "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4,
        "attn_output_gate": True, "mamba_ssm_dtype": "float32", "mtp_num_hidden_layers": 1, "dtype": "bfloat16",
        "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 16,
    },
}  # fmt: skip

LLAMA_4_MAVERICK = {
    "model_type": "llama4", "torch_dtype": "bfloat16",
    "text_config": {
        "model_type": "llama4_text", "hidden_size": 5120, "num_hidden_layers": 48, "num_attention_heads": 40,
        "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
        "num_local_experts": 128, "num_experts_per_tok": 1, "interleave_moe_layer_step": 2,
        "attention_chunk_size": 8192, "vocab_size": 202048, "max_position_embeddings": 1048576,
        "attn_temperature_tuning": 4, "use_qk_norm": False,
    },
}  # fmt: skip

# The pieces that make Llama 3.3 Nemotron Super 49B: attention present (1) or removed (0), and the width factor.
NEMOTRON_BLOCKS = (
    [(1, 2.625)] + [(1, 5.25)] * 5 + [(0, 2.625)] * 2 + [(1, 5.25)] * 3 + [(0, 3.28125)] + [(1, 5.25)] * 30
    + [(0, f) for f in (1.3125, 2.625, 2.625, 1.3125, 5.25, 1.3125, 2.625, 1.3125, 1.3125, 1.3125)] + [(1, 5.25)]
    + [(0, f) for f in (1.3125, 1, 1, 1.3125, 1, 1, 1, 1.3125, 1.3125, 0.5, 0.5, 1, 1, 0.5, 0.5, 1, 0.5, 0.5)]
    + [(1, 5.25)] * 9
)  # fmt: skip


def test_dense_grouped_attention():
    record = huggingface.from_config(LLAMA_8B)
    assert record["parameters"] == record["active_parameters"] == 8_030_261_248
    assert record["kv_bytes_per_token"] == 2 * 32 * 8 * 128 * 2
    assert (record["kind"], record["attention"], record["dtype"]) == ("dense", "gqa", "bfloat16")


def test_record_has_the_columns_of_the_catalogue_and_equals_its_row():
    record = huggingface.from_config(LLAMA_8B)
    assert model_shape.record(record) == model_shape.record(data.model("llama-3.1-8b"))


def test_dtype_is_read_under_both_names():
    new = {**LLAMA_8B, "dtype": "float16"}
    del new["torch_dtype"]
    assert huggingface.from_config(new)["dtype"] == "float16"


def test_tied_embeddings():
    # the output matrix of 128,256 * 4096 falls away
    tied = huggingface.from_config(LLAMA_8B | {"tie_word_embeddings": True})
    assert tied["parameters"] == 8_030_261_248 - 128_256 * 4096


def test_attention_and_mlp_bias():
    # per layer: query 4096, key and value 1024 each, output 4096; gate and up 14,336 each, down 4096
    biased = huggingface.from_config(LLAMA_8B | {"attention_bias": True, "mlp_bias": True})
    assert biased["parameters"] == 8_030_261_248 + 32 * (4096 + 2048 + 4096 + 2 * 14_336 + 4096)


def test_many_and_one_key_value_head():
    mha = dict(LLAMA_8B)
    del mha["num_key_value_heads"]
    assert huggingface.from_config(mha)["attention"] == "mha"
    assert huggingface.from_config(LLAMA_8B | {"num_key_value_heads": 1})["attention"] == "mqa"


def test_latent_attention_with_shared_experts_and_first_dense_layers():
    record = huggingface.from_config(DEEPSEEK_V3)
    assert (record["parameters"], record["active_parameters"]) == (671_026_404_352, 37_552_282_624)
    assert record["kv_bytes_per_token"] == 61 * (512 + 64) * 2
    assert (record["ffn_layers"], record["moe_layers"], record["shared_size"]) == (3, 58, 2048)
    assert record["attention"] == "mla"


def test_sparse_attention_adds_its_indexer():
    config = DEEPSEEK_V3 | {"model_type": "deepseek_v32", "index_n_heads": 64, "index_head_dim": 128,
                            "index_topk": 2048}  # fmt: skip
    record = huggingface.from_config(config)
    assert record["parameters"] == 671_026_404_352 + 61 * 13_959_424
    assert record["kv_bytes_per_token"] == 61 * (512 + 64 + 128) * 2


def test_windows_in_every_other_layer_sinks_and_biased_experts():
    record = huggingface.from_config(GPT_OSS_20B)
    assert (record["parameters"], record["active_parameters"]) == (20_914_757_184, 4_187_440_704)
    assert (record["full_layers"], record["window_layers"], record["window"]) == (12, 12, 128)


def test_layer_types_are_believed_before_the_family_rule():
    kinds = ["full_attention"] * 20 + ["sliding_attention"] * 4
    record = huggingface.from_config(GPT_OSS_20B | {"layer_types": kinds})
    assert (record["full_layers"], record["window_layers"]) == (20, 4)


def test_linear_attention_inside_a_multimodal_configuration():
    record = huggingface.from_config(QWEN3_5_27B)
    assert (record["full_layers"], record["linear_layers"]) == (16, 48)
    assert record["kv_bytes_per_token"] == 16 * 2 * 4 * 256 * 2
    assert record["parameters"] == pytest.approx(27e9, rel=0.01)
    without = {**QWEN3_5_27B, "text_config": {**QWEN3_5_27B["text_config"], "layer_types": None}}
    assert huggingface.from_config(without) == record


def test_interleaved_experts_and_chunked_attention():
    record = huggingface.from_config(LLAMA_4_MAVERICK)
    assert (record["moe_layers"], record["ffn_layers"], record["ffn_size"]) == (24, 24, 16384)
    assert (record["full_layers"], record["window_layers"], record["window"]) == (12, 36, 8192)
    # published with the vision tower: 401.6 billion
    assert record["parameters"] == pytest.approx(401.6e9, rel=0.01)
    assert record["active_parameters"] == pytest.approx(17e9, rel=0.02)


def test_dense_layers_among_experts():
    config = {
        "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32,
        "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768,
        "num_experts": 128, "num_experts_per_tok": 8, "vocab_size": 151936, "tie_word_embeddings": False,
        "decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": True, "max_window_layers": 48,
        "use_sliding_window": False, "sliding_window": None,
    }  # fmt: skip
    assert huggingface.from_config(config)["parameters"] == 30_532_122_624
    # layer 5 dense: it loses 128 experts and a router, and gains a block of 6144
    swap = 3 * 2048 * 6144 - 128 * 3 * 2048 * 768 - 128 * 2048
    assert huggingface.from_config(config | {"mlp_only_layers": [5]})["parameters"] == 30_532_122_624 + swap


def test_unused_window_of_qwen2():
    config = {
        "model_type": "qwen2", "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
        "num_key_value_heads": 64, "intermediate_size": 24576, "vocab_size": 152064, "tie_word_embeddings": False,
        "sliding_window": 4096, "max_window_layers": 70, "use_sliding_window": False,
    }  # fmt: skip
    assert huggingface.from_config(config)["window_layers"] == 0
    assert huggingface.from_config(config | {"use_sliding_window": True})["window_layers"] == 10


def test_window_in_every_layer_of_the_first_mistral():
    config = {
        "model_type": "mistral", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 32000, "sliding_window": 4096,
        "tie_word_embeddings": False,
    }  # fmt: skip
    record = huggingface.from_config(config)
    assert record["parameters"] == 7_241_732_096
    assert (record["full_layers"], record["window_layers"]) == (0, 32)


def test_gemma_leaves_fields_out():
    config = {
        "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
        "text_config": {
            "model_type": "gemma3_text", "hidden_size": 5376, "intermediate_size": 21504, "num_hidden_layers": 62,
            "num_attention_heads": 32, "num_key_value_heads": 16, "head_dim": 128, "sliding_window": 1024,
            "query_pre_attn_scalar": 168, "rope_local_base_freq": 10000,
        },
    }  # fmt: skip
    record = huggingface.from_config(config)
    assert record["parameters"] == 27_009_346_304  # vocabulary and tying by default
    assert (record["full_layers"], record["window_layers"]) == (10, 52)


def test_old_spellings():
    bloom = {"model_type": "bloom", "n_embed": 14336, "n_layer": 70, "num_attention_heads": 112,
             "vocab_size": 250880, "seq_length": 2048, "attention_softmax_in_fp32": True}  # fmt: skip
    assert huggingface.from_config(bloom)["parameters"] == 176_247_271_424
    gptj = {"model_type": "gptj", "n_embd": 4096, "n_layer": 28, "n_head": 16, "vocab_size": 50400,
            "n_inner": None, "n_positions": 2048, "rotary_dim": 64, "tie_word_embeddings": False}  # fmt: skip
    # embedding and head 2*50400*4096 + 50400; a layer 4*4096^2 + 8*4096^2 + 5*4096 + 2*4096; last norm 2*4096
    assert huggingface.from_config(gptj)["parameters"] == (
        2 * 50400 * 4096 + 50400 + 28 * (12 * 4096**2 + 7 * 4096) + 2 * 4096
    )


def test_distilled_speech_model_counts_its_decoder():
    config = {
        "model_type": "whisper", "d_model": 1280, "decoder_layers": 32, "decoder_attention_heads": 20,
        "decoder_ffn_dim": 5120, "encoder_layers": 32, "encoder_attention_heads": 20, "encoder_ffn_dim": 5120,
        "max_source_positions": 1500, "max_target_positions": 448, "num_mel_bins": 128, "vocab_size": 51866,
        "num_hidden_layers": 32, "decoder_start_token_id": 50258, "classifier_proj_size": 256,
    }  # fmt: skip
    large = huggingface.from_config(config)
    assert large["kind"] == "encoder-decoder"
    assert large["parameters"] == pytest.approx(1.55e9, rel=0.01)
    # a decoder layer: two attentions of 4*1280^2 + 3*1280, a block of 8*1280^2 + 5*1280, six norm vectors
    layer = 2 * (4 * 1280**2 + 3 * 1280) + 8 * 1280**2 + 5 * 1280 + 6 * 1280
    small = huggingface.from_config(config | {"decoder_layers": 2})
    assert large["parameters"] - small["parameters"] == 30 * layer


def test_blocks_found_by_search():
    blocks = [{"attention": {"no_op": not kept, "n_heads_in_group": 8 if kept else None},
               "ffn": {"no_op": False, "ffn_mult": factor}} for kept, factor in NEMOTRON_BLOCKS]  # fmt: skip
    config = {"architectures": ["DeciLMForCausalLM"], "hidden_size": 8192, "num_hidden_layers": 80,
              "num_attention_heads": 64, "vocab_size": 128256, "tie_word_embeddings": False,
              "intermediate_size": None, "num_key_value_heads": None, "block_configs": blocks}  # fmt: skip
    record = huggingface.from_config(config)
    assert record["parameters"] == 49_867_145_216
    assert record["kv_bytes_per_token"] == 49 * 2 * 8 * 128 * 2


def test_unknown_architecture_names_what_it_does_not_understand():
    config = {"model_type": "mamba3", "hidden_size": 2560, "num_hidden_layers": 64, "vocab_size": 50280,
              "state_size": 128, "conv_kernel": 4, "layer_norm_epsilon": 1e-5}  # fmt: skip
    with pytest.raises(UnknownArchitecture) as caught:
        huggingface.from_config(config)
    message = str(caught.value)
    assert "'mamba3'" in message
    assert "conv_kernel, state_size" in message
    assert "layer_norm_epsilon" not in message


def test_near_names_are_offered():
    with pytest.raises(UnknownArchitecture, match=r"nearest known: .*qwen3_moe"):
        huggingface.from_config({"model_type": "qwen4_moe", "hidden_size": 64})


def test_known_family_with_a_strange_shape_field_is_refused():
    with pytest.raises(UnknownArchitecture, match="not understood: num_memory_heads"):
        huggingface.from_config(LLAMA_8B | {"num_memory_heads": 4})
    with pytest.raises(UnknownArchitecture, match="num_experts"):
        huggingface.from_config(LLAMA_8B | {"num_experts": 8})
    assert huggingface.from_config(LLAMA_8B | {"num_memory_heads": 0, "made_up_note": "x"})


def test_missing_field_is_named():
    config = dict(LLAMA_8B)
    del config["vocab_size"]
    with pytest.raises(MissingField, match="family 'llama' needs the field 'vocab_size'"):
        huggingface.from_config(config)


def test_a_translator_must_say_how_long_its_texts_are():
    """Its encoder has a row for each position; one checkpoint without the field ended in a TypeError."""
    lines = (Path(__file__).parent / "counted.jsonl").read_text(encoding="utf-8").splitlines()
    config = next(one for one in (json.loads(line)["config"] for line in lines) if one.get("model_type") == "m2m_100")
    with pytest.raises(MissingField, match="max_position_embeddings"):
        huggingface.from_config(config | {"max_position_embeddings": None})


def test_unknown_layer_types_are_named():
    kinds = ["full_attention"] * 31 + ["hyena"]
    with pytest.raises(UnknownArchitecture, match="hyena"):
        huggingface.from_config(LLAMA_8B | {"layer_types": kinds})


def test_a_file_a_folder_and_a_missing_one(tmp_path):
    folder = tmp_path / "My-Model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA_8B), encoding="utf-8")
    assert huggingface.load(folder / "config.json")["parameters"] == 8_030_261_248
    assert huggingface.load(folder)["id"] == "my-model"
    with pytest.raises(huggingface.NoConfig, match=r"give the path of a config\.json, or a Hub id"):
        huggingface.load(tmp_path / "nothing" / "config.json")
    with pytest.raises(huggingface.NoConfig, match="no configuration at"):
        huggingface.load("a" * 5000 + ".json")  # longer than a file system's names
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="is not JSON"):
        huggingface.load(folder)
    (folder / "config.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ValueError, match="holds a list"):
        huggingface.load(folder)


def test_hub_id_without_the_package_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(huggingface.NoConfig, match="huggingface_hub is not installed"):
        huggingface.load("Qwen/Qwen3-32B")


def test_hub_id_offline_says_so(monkeypatch):
    class Hub:
        @staticmethod
        def hf_hub_download(**_):
            raise ConnectionError("no route")

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
    with pytest.raises(huggingface.NoConfig, match=r"could not be fetched \(ConnectionError\): offline"):
        huggingface.load("Qwen/Qwen3-32B")


def test_hub_id_online_reads_the_downloaded_file(monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA_8B), encoding="utf-8")
    (tmp_path / "hf_quant_config.json").write_text(json.dumps({"quantization": {"quant_algo": "FP8"}}), encoding="utf-8")

    class Hub:
        @staticmethod
        def hf_hub_download(*, repo_id, filename):
            assert repo_id == "meta-llama/Llama-3.1-8B"
            if filename == "quantize_config.json":
                raise FileNotFoundError(filename)
            return str(tmp_path / filename)

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
    record = huggingface.load("meta-llama/Llama-3.1-8B")
    assert (record["id"], record["parameters"], record["weights_published"]) == ("llama-3.1-8b", 8_030_261_248, "fp8")


@pytest.mark.parametrize(
    ("config", "change", "words"),
    [
        (LLAMA_8B, {"hidden_size": "4096"}, "field 'hidden_size' of the configuration is '4096', but must be a whole number"),
        (LLAMA_8B, {"num_attention_heads": 0}, "'num_attention_heads' of the configuration is 0, but must be a whole"),
        (LLAMA_8B, {"num_attention_heads": 33}, "is 33, but must divide the hidden_size 4096 where no head_dim is given"),
        (LLAMA_8B, {"num_attention_heads": -32}, "is -32, but must be a whole number from 1"),
        (LLAMA_8B, {"hidden_size": -4096}, "is -4096, but must be a whole number from 1"),
        (LLAMA_8B, {"num_key_value_heads": 5}, "field 'kv_heads' of the configuration is 5, but must divide the 32 atte"),
        (LLAMA_8B, {"num_hidden_layers": 10**9}, "must be a whole number from 1 to 10,000"),
        (LLAMA_8B, {"tie_word_embeddings": "yes"}, "is 'yes', but must be true or false"),
        (LLAMA_8B, {"intermediate_size": 1.5}, "is 1.5, but must be a whole number"),
        (LLAMA_8B, {"architectures": "x", "model_type": None}, "must be a list of texts"),
        (DEEPSEEK_V3, {"num_experts_per_tok": 257}, "must be at most the 256 experts"),
        (QWEN3_5_27B, {"text_config": [1]}, "field 'text_config' of the configuration is [1], but must be a block"),
    ],
)
def test_a_field_that_no_model_can_have_is_named(config, change, words):
    with pytest.raises(UnknownArchitecture) as error:
        huggingface.from_config(config | change)
    assert words in str(error.value) and len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("text", "words"),
    [("[" * 100_000, "nested too deep"), ("{", "is not JSON"), ("\xff", "is not JSON"), ("[1]", "holds a list"),
     ('{"hidden_size": ' + "9" * 5000 + "}", "is not JSON"), (" " * 10_000_001, "is larger than")],
)
def test_a_file_that_is_no_config_is_one_sentence(tmp_path, text, words):
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(huggingface.NoConfig, match=words) as error:
        huggingface.load(tmp_path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_wrong_config_spoils_its_own_row_alone(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA_8B | {"num_attention_heads": "32"}))
    case = {"gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200}
    rows = tokenecon.estimate(pd.DataFrame([case | {"model": str(tmp_path / "config.json")}, case | {"model": "llama-3.1-8b"}]))
    assert "field 'num_attention_heads' of the configuration is '32'" in rows.loc[0, "error"]
    assert rows.loc[1, "error"] == "" and rows.loc[1, "tpot_ms"] > 0

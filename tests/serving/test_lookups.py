"""Architectures that import and that serving does not cover are refused by name; models of states alone are served."""

import csv
import json
from pathlib import Path

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import BadInput, CannotServe
from tokenecon.importers import huggingface, model_row, own_model
from tokenecon.serving import textbook

LINES = [json.loads(line) for line in (Path(__file__).parents[1] / "importers" / "counted.jsonl").read_text().splitlines()]
CONFIGS = {line["name"]: line["config"] for line in LINES}
CASE = {"gpu": "h200-sxm-141gb", "n_gpus": 8, "isl": 100, "osl": 50}
NO_MIXER = {"model_type": "nemotron_h", "hidden_size": 1024, "num_hidden_layers": 4, "hybrid_override_pattern": "----",
            "num_attention_heads": 8, "vocab_size": 1000, "intermediate_size": 4096, "max_position_embeddings": 8192}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [("t5", "has an encoder"), ("umt5", "has an encoder"), ("m2m_100", "has an encoder"), ("whisper", "has an encoder"),
     ("bart", "cross-attention"), ("meta-llama/Llama-3.2-90B-Vision-Instruct", "layers that attend to pictures")],
)  # fmt: skip
def test_what_serving_does_not_cover_imports_and_is_refused_by_name(name, words, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS[name]))
    assert huggingface.load(path)["parameters"] > 0
    assert words in tokenecon.estimate(CASE | {"model": str(path)}).loc[0, "error"]
    with pytest.raises(BadInput, match=words):
        tokenecon.fit(str(path), "h200-sxm-141gb")
    try:
        with pytest.raises(CannotServe, match=words):  # what the notebooks ask
            textbook.shape(own_model.described(str(path)))
    finally:
        data.use(None)


def test_a_model_without_a_layer_that_mixes_tokens_is_none():
    with pytest.raises(BadInput, match="has no layer that mixes tokens"):
        huggingface.from_config(NO_MIXER)


@pytest.mark.parametrize("name", ["mamba", "mamba2", "falcon_mamba", "bamba"])
def test_models_of_states_alone_are_served_and_not_calibrated(name, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS[name]))
    row = tokenecon.estimate(CASE | {"model": str(path)}).loc[0]
    assert row["error"] == "" and row["output_tok_s"] > 0 and not row["calibrated"]
    held = tokenecon.fit(str(path), "h200-sxm-141gb").loc[0]
    assert held["cache_kb_per_token"] == 0 < held["cache_gb_per_sequence"]


def test_a_row_of_a_model_of_states_alone_may_be_brought(tmp_path):
    """In a reader's models.csv: heads are asked of attention, and of nothing else."""
    row = data.row("models", "llama-3.2-1b") | model_row.texts(
        huggingface.from_config(CONFIGS["mamba2"]) | {
            "id": "my-mamba", "aliases": "", "name": "Mine", "published_total": 2_702_599_680, "published_active": "",
            "basis": "spec", "as_of": "2026-11-01", "source": "", "locator": "", "note": ""})
    with (tmp_path / "models.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [column["name"] for column in data.schema("models")], extrasaction="ignore")
        writer.writeheader()
        writer.writerow(row)
    try:
        data.use(tmp_path)
        assert tokenecon.estimate(CASE | {"model": "my-mamba"}).loc[0, "error"] == ""
    finally:
        data.use(None)


def test_state_layers_beside_attention_are_not_calibrated():
    """Experts and full attention have been measured, experts beside state layers have not."""
    row = tokenecon.estimate(CASE | {"model": "nemotron-nano-30b-a3b", "n_gpus": 1}).loc[0]
    assert row["error"] == "" and not row["calibrated"]

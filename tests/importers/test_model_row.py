"""`tokenecon add-model`: a row that the catalogue takes as it is, or a sentence and an untouched table."""

import json
import shutil

import pytest

from tokenecon import data

# Qwen3 14B as its config.json prints it; 14,768,307,200 parameters, as its model card counts them.
CONFIG = {
    "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "hidden_size": 5120, "intermediate_size": 17408,
    "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
    "max_position_embeddings": 40960, "tie_word_embeddings": False, "torch_dtype": "bfloat16", "attention_bias": False,
}


@pytest.fixture
def place(tmp_path):
    """A config.json and a copy of the table."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    shutil.copy(data.ROOT / "models.csv", tmp_path / "models.csv")
    return tmp_path


def add(command, place, **change):
    given = {"id": "qwen3-test", "name": "Qwen3 test", "source": "hf-qwen-qwen3-32b", "table": place / "models.csv"} | change
    options = [word for key, value in given.items() for word in (f"--{key.replace('_', '-')}", value)]
    return command("add-model", place / "config.json", *options)


def test_the_row_is_one_more_and_is_what_the_catalogue_says_of_the_same_shape(command, place, read_from):
    accessed = data.table("sources").set_index("id").loc["hf-qwen-qwen3-32b", "accessed"]
    before = (place / "models.csv").read_text()
    code, out, said = add(command, place)
    assert code == 0 and "give its own with --published-total" in said
    # embedding and head 2*151,936*5120; a layer: 5120*(2*40+2*8)*128 + 3*5120*17,408 + two norms of 5120 and two of 128
    layer = 5120 * (2 * 40 + 2 * 8) * 128 + 3 * 5120 * 17408 + 2 * 5120 + 2 * 128
    assert f"{2 * 151936 * 5120 + 40 * layer + 5120} parameters" in out
    after = (place / "models.csv").read_text()
    assert after.startswith(before) and after.count("\n") == before.count("\n") + 1
    shutil.copy(data.ROOT / "datapackage.json", place)
    read_from(place)
    row = data.model("qwen3-test")
    assert row["as_of"] == accessed
    # keys and values, 8 heads of 128, 40 layers, two bytes
    assert row["kv_bytes_per_token"] == 2 * 8 * 128 * 40 * 2 and row["attention"] == "gqa"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "llama-3.1-8b"}, "--id 'llama-3.1-8b' is taken"),
        ({"id": "meta-llama-3.1-8b"}, "is taken"),
        ({"id": "h200-sxm-141gb"}, "is taken"),
        ({"id": "h200-sxm-141gb.bandwidth"}, "is taken"),
        ({"id": "doc-uk"}, "is taken"),
        ({"id": "Qwen 3"}, "must be of small letters"),
        ({"source": "hf-qwen"}, "source 'hf-qwen' is not known; use 'hf-qwen"),
        ({"table": "nowhere/models.csv"}, "cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_changes_nothing(command, place, change, words):
    before = (place / "models.csv").read_bytes()
    code, out, said = add(command, place, **change)
    assert (code, out) == (2, "") and words in said and said.count("\n") == 1
    assert (place / "models.csv").read_bytes() == before and len(list(place.iterdir())) == 2


@pytest.mark.parametrize(
    ("config", "words"),
    [({"model_type": "no-such"}, "architecture 'no-such' is not known"), ([], "holds a list"), ("{", "is not JSON")],
)
def test_a_wrong_configuration_is_one_sentence_and_changes_nothing(command, place, config, words):
    (place / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    before = (place / "models.csv").read_bytes()
    code, out, said = add(command, place)
    assert (code, out) == (2, "") and words in said and said.count("\n") == 1
    assert (place / "models.csv").read_bytes() == before

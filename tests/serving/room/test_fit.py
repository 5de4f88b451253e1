"""What the memory of GPUs holds of a model, and what is said where it does not."""

import json
import pathlib

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import BadInput

GEMMA = str(pathlib.Path(__file__).parent / "configs" / "gemma-4-31b.json")
GIB = 2**30
ONE = {"model": "llama-3.3-70b", "gpu": "h100-sxm-80gb", "weights": "fp8", "n_gpus": 1}


def one(**changed):
    return tokenecon.fit(**(ONE | changed)).iloc[0]


@pytest.mark.source("llmd-memory-results", "67.72 GiB of weights, no room for the cache")
def test_70b_in_8_bits_does_not_fit_on_one_h100_and_is_told_what_would():
    row = one(isl=15999, osl=1, kv="bf16")
    assert row["weights_gb"] * 1e9 / GIB == pytest.approx(67.72, rel=0.005)
    assert not row["fits"] and row["max_concurrency"] == 0 and row["min_n_gpus"] == 2
    assert row["said"].startswith("does not fit") and "2 GPUs" in row["said"] and "int4 weights" in row["said"]


@pytest.mark.source("llmd-memory-results", "Llama 3.1 8B: 51.38 GiB")
def test_one_row_adds_up():
    row = one(model="llama-3.1-8b", weights="bf16", release="2025", isl=15000, osl=1000)
    assert row["cache_gb"] * 1e9 / GIB == pytest.approx(51.38, rel=0.01)
    assert row["memory_gb"] == pytest.approx(sum(row[f"{name}_gb"] for name in ("weights", "reserve", "cache", "rest")))
    assert row["cache_kb_per_token"] == pytest.approx(131.072)  # 2 * 32 * 8 * 128 * 2 B
    assert row["cache_gb_per_sequence"] == pytest.approx(131.072e3 * 16000 / 1e9)
    assert row["max_concurrency"] == int(row["cache_gb"] / row["cache_gb_per_sequence"])


def test_the_longest_context_of_some_users_is_what_they_can_have():
    row = one(model="llama-3.1-8b", weights="bf16", users=7)
    longest = row["longest_context"]
    assert one(model="llama-3.1-8b", weights="bf16", users=7, isl=longest - 1, osl=1)["fits"]
    assert not one(model="llama-3.1-8b", weights="bf16", users=7, isl=longest, osl=1)["fits"]


def test_no_context_is_beyond_the_positions_of_the_model():
    assert one(model="qwen3-8b", gpu="b200-sxm-180gb")["longest_context"] == 40960
    with pytest.raises(BadInput, match=r"200000 and osl 1000 are 201000 positions, but qwen3-8b has 40960"):
        one(model="qwen3-8b", isl=200_000, osl=1000)


@pytest.mark.source("configiq-112", "626,949 tokens")
def test_windows_are_held_and_not_the_whole_length():
    row = one(model=GEMMA, gpu="h200-sxm-141gb", weights="bf16", isl=262143, osl=1)
    assert row["fits"] and row["max_concurrency"] == pytest.approx(626949 / 262144, rel=0.3)
    whole = one(model=GEMMA, gpu="h200-sxm-141gb", weights="bf16", isl=262143, osl=1, release="2024")
    assert not whole["fits"]


def test_states_bound_the_sequences_before_tokens_do():
    """48 layers of Qwen3.5 27B keep 48 * 128 * 128 * 4 B each and a little more: 150 MB a sequence, whatever its length."""
    row = one(model="qwen3.5-27b", weights="fp8", isl=1, osl=1)
    assert row["cache_gb_per_sequence"] > 48 * 48 * 128 * 128 * 4 / 1e9
    assert row["max_concurrency"] < row["cache_gb"] / 0.15


def test_a_share_and_a_reserve_are_taken_as_stated():
    row = one(model="llama-3.1-8b", weights="bf16", memory_share=0.5, reserve_gb=4)
    memory = data.gpu("h100-sxm-80gb")["engine_memory_bytes"] / 1e9
    assert row["cache_gb"] == pytest.approx(0.5 * memory - row["weights_gb"] - 4)
    free = one(model="llama-3.1-8b", weights="bf16", memory_share=0.5, reserve_gb=4, engine="tensorrt-llm")
    assert free["cache_gb"] == pytest.approx(0.5 * (memory - row["weights_gb"] - 4))
    static = one(model="llama-3.1-8b", weights="bf16", memory_share=0.5, reserve_gb=4, engine="sglang")
    assert static["cache_gb"] == pytest.approx(0.5 * (memory - 4) - row["weights_gb"])


@pytest.mark.source("miaai-spark-memory", "101.3 to 102.2 GiB free of 121.69")
def test_a_host_in_the_same_memory_keeps_its_part(tmp_path):
    """What an engine takes by default lies in what the host leaves; a share that is stated is known to start."""
    asked = {"model": "llama-3.1-8b", "gpu": "dgx-spark-128gb", "weights": "bf16", "reserve_gb": 4}
    memory, free = 121.6 * GIB / 1e9, (121.6 - 19.9) * GIB / 1e9  # less than 0.9 of all, 109.4
    row = one(**asked)
    assert row["memory_gb"] == pytest.approx(memory) and free / GIB * 1e9 == pytest.approx(101.75, rel=0.005)
    assert row["cache_gb"] == pytest.approx(free - row["weights_gb"] - 4)
    assert one(**asked, engine="sglang")["cache_gb"] == pytest.approx(0.85 * (free - 4) - row["weights_gb"])
    assert one(**asked, engine="tensorrt-llm")["cache_gb"] == pytest.approx(0.9 * (free - 4 - row["weights_gb"]))
    assert one(**asked, memory_share=0.93)["cache_gb"] == pytest.approx(0.93 * memory - row["weights_gb"] - 4)
    (tmp_path / "gpus.csv").write_text(
        "gpu,field,value,unit,basis,as_of\nh100-sxm-80gb,host_memory,30,GiB,measured,2026-10-01\n", encoding="utf-8")
    try:
        tokenecon.facts(tmp_path)
        mine = one(**asked | {"gpu": "h100-sxm-80gb"})
        assert mine["cache_gb"] == pytest.approx((79.2 - 30) * GIB / 1e9 - mine["weights_gb"] - 4), "a field, not a name"
    finally:
        tokenecon.facts(None)


def test_without_a_gpu_there_is_a_row_for_each():
    table = tokenecon.fit("deepseek-v3", weights="fp8").to_frame()
    assert list(table["gpu"]) == list(data.ids("gpus"))
    row = table.set_index("gpu").loc["h100-sxm-80gb"]
    assert row["fits"] and row["n_gpus"] == row["min_n_gpus"] == 16  # 671 GB do not fit into 8 * 85 GB


@pytest.mark.parametrize(("change", "says"), [
    ({"model": "llama-9"}, "llama"), ({"gpu": "h100"}, "h100-sxm-80gb"), ({"n_gpus": 0}, "n_gpus is '0'"),
    ({"weights": "fp6"}, "weights 'fp6' is not known"), ({"users": 1.5}, "users is '1.5'"), ({"isl": "long"}, "isl is 'long'"),
    ({"release": "2019"}, "release '2019' is not known"), ({"memory_share": 2}, "memory_share is '2'"),
    ({"reserve_gb": -1}, "reserve_gb is '-1'"),
])
def test_what_is_wrong_is_one_sentence(change, says):
    with pytest.raises(BadInput, match=says.replace("(", r"\(")):
        one(**change)


def test_the_command_answers_and_refuses(command):
    code, out, _ = command("fit", "llama-3.3-70b", "--gpu", "h100-sxm-80gb", "--weights", "fp8", "--n-gpus", "1", "--json")
    assert code == 0 and json.loads(out)["fits"] is False
    code, out, _ = command("fit", "llama-3.1-8b", "--weights", "fp8")
    assert code == 0 and "longest_context" in out.splitlines()[0] and "h100-sxm-80gb" in out
    code, _, err = command("fit", "qwen3-8b", "--gpu", "h100-sxm-80gb", "--isl", "200000")
    assert code == 2 and "40960" in err and len(err.strip().splitlines()) == 1

"""What any serving model must obey, whatever its coefficients: tried on random cases with the fitted ones."""

import numpy as np
import pandas as pd
import pytest

import tokenecon
from tokenecon.serving import lookups, operands, steady_state

DENSE = ("llama-3.1-8b", "llama-3.1-70b", "qwen3-32b", "gemma-2-9b")
ROUTED = ("mixtral-8x7b", "qwen3-235b-a22b", "deepseek-v3", "gpt-oss-120b")
GPUS = ("a100-sxm-80gb", "h100-sxm-80gb", "b200-sxm-180gb", "mi300x-192gb", "l40s-48gb")
SLACK = 1e-9
FIXED = ("layer", "narrow_layer", "latent_layer", "state_layer", "routed_layer", "choice", "shared_layer", "step", "sequence",
         "routed_row")  # coefficients that are times


def drawn(size=400, seed=5, **fixed):
    """Random cases as columns of the serving model."""
    draw = np.random.default_rng(seed)
    model = draw.choice(fixed.pop("models", DENSE + ROUTED), size)
    columns = lookups.columns(model, draw.choice(fixed.pop("gpus", GPUS), size),
                               draw.choice(("bf16", "fp8"), size), draw.choice(("bf16", "fp8"), size))
    group = draw.choice((1.0, 2.0, 4.0, 8.0), size)
    columns |= {
        "group": group, "dp": np.ones(size), "tp": group, "pp": np.ones(size), "ep": np.ones(size),
        "isl": np.floor(10 ** draw.uniform(1.2, 4.0, size)), "osl": np.floor(10 ** draw.uniform(1.2, 3.3, size)),
        "load": draw.integers(0, 3, size), "engine": draw.integers(0, 4, size),
        "concurrency": np.floor(10 ** draw.uniform(0, 2.5, size)), "requests": np.full(size, np.inf),
    }  # fmt: skip
    columns |= {name: np.full(size, value) for name, value in fixed.items()}
    return operands.completed(columns)


def state(case, **changed):
    values = lookups.coefficients()
    return steady_state.steady(case | changed, values)


CARD = {"gpu": "card", "vendor": "ACME", "interconnect": "NVLink bridge", "engine_memory_bytes": 80e9,
        "bandwidth_bytes_per_s": 3e12, "bf16_flop_per_s": 5e14, "board_power_w": 300.0, "link_bytes_per_s": 300e9,
        "link_domain_gpus": 2.0, "pcie_bytes_per_s": 64e9, "server_gpus": 8.0, "host_memory_bytes": None}


@pytest.mark.parametrize(("facts", "expected"), [
    # within the bridge, within the server, beyond it: where a card says nothing of its server, the network begins at the bridge
    ({}, {1: (300e9, 0), 2: (300e9, 0), 4: (64e9, 1), 8: (64e9, 1), 16: (50e9, 1)}),
    ({"pcie_bytes_per_s": None}, {2: (300e9, 0), 4: (50e9, 1), 16: (50e9, 1)}),
    ({"server_gpus": None}, {2: (300e9, 0), 4: (50e9, 1), 16: (50e9, 1)}),
    ({"server_gpus": 4.0, "interconnect": "PCIe 5 x16", "link_domain_gpus": 1.0, "link_bytes_per_s": None},
     {2: (64e9, 1), 4: (64e9, 1), 8: (50e9, 1)}),
    ({"link_domain_gpus": 8.0, "server_gpus": None, "pcie_bytes_per_s": None}, {8: (300e9, 0), 16: (50e9, 1)})])
def test_cards_that_no_bridge_joins_meet_in_the_host_and_servers_on_the_network(facts, expected):
    chip = operands.of_gpu(CARD | facts)
    for group, (link, pcie) in expected.items():
        case = operands.completed(chip | {
            "group": float(group), "tp": float(group), "dp": 1.0, "state_bytes": 0.0, "kv_heads": 8.0, "experts_per_token": 1.0,
            "routed_groups": 1.0})
        assert (case["link_bytes_per_s"], case["pcie"]) == (link, pcie), group


def fitting(case, sequences=1.0):
    return steady_state.capacity(case) >= sequences


@pytest.mark.parametrize("column", ["bandwidth_bytes_per_s", "memory_bytes",
                                    ("attention_flop_per_s", "dense_flop_per_s", "expert_flop_per_s", "full_flop_per_s")])
def test_throughput_does_not_fall_with_better_hardware(column):
    case = drawn(load=steady_state.OFFLINE, concurrency=np.inf)
    names = (column,) if isinstance(column, str) else column
    before = state(case)["requests_per_s"]
    after = state(case, **{name: case[name] * 1.37 for name in names})["requests_per_s"]
    fits = fitting(case)
    assert fits.sum() > 150
    worse = (after < before * (1 - SLACK)) & fits
    assert not worse.any(), f"{worse.sum()} of {fits.sum()} cases are slower with more {names}"


def test_time_per_token_does_not_fall_with_context():
    case = drawn(load=steady_state.CLOSED_LOOP)
    longer = case | {"isl": case["isl"] * 1.5}
    same = np.minimum(steady_state.capacity(case), steady_state.capacity(longer)) >= case["concurrency"]
    before, after = state(case)["tpot_s"], state(longer)["tpot_s"]
    assert same.sum() > 100
    assert (after[same] >= before[same] * (1 - 1e-6)).all()


def test_decode_step_does_not_fall_with_batch():
    case = drawn(load=steady_state.STATIC)
    before = state(case)["step_s"]
    after = state(case, concurrency=np.ceil(case["concurrency"] * 1.5))["step_s"]
    assert (after >= before * (1 - SLACK)).all()


def test_time_per_token_does_not_fall_with_concurrency():
    case = drawn(load=steady_state.CLOSED_LOOP)
    more = np.ceil(case["concurrency"] * 1.5)
    same = steady_state.capacity(case) >= more
    before, after = state(case)["tpot_s"], state(case, concurrency=more)["tpot_s"]
    assert same.sum() > 100
    assert (after[same] >= before[same] * (1 - 1e-6)).all()


def test_one_sequence_is_bound_by_the_bytes_read():
    """With every fixed time at zero, batch 1 takes weights over bandwidth: 8.03e9 parameters but for the lookup."""
    values = lookups.coefficients() | dict.fromkeys(
        FIXED, 0.0)
    values |= {"bandwidth": 1.0, "cache_bandwidth": 1.0, "activation_bytes": 0.0}
    case = drawn(8, models=("llama-3.1-8b",), gpus=("h100-sxm-80gb",), group=1.0, tp=1.0, isl=16.0, osl=2.0,
                 concurrency=1.0, load=steady_state.STATIC, attention_bytes=2.0, dense_bytes=2.0)
    # 8,030,261,248 parameters less the 128,256 * 4096 of the embedding, 2 B each, at 3.35e12 B/s
    expected = (8_030_261_248 - 128_256 * 4096) * 2 / 3.35e12
    assert steady_state.steady(case, values)["step_s"] == pytest.approx(expected, rel=0.01)


def test_a_large_prefill_is_bound_by_the_arithmetic():
    """With fixed times and activations at zero, 8192 tokens of Llama 3.1 8B take 2 * P * n over the attained peak."""
    values = lookups.coefficients() | dict.fromkeys(
        (*FIXED, "activation_bytes"), 0.0)
    values |= {"compute": 1.0, "throttle": 0.0, "bandwidth": 1.0}
    case = drawn(8, models=("llama-3.1-8b",), gpus=("a100-sxm-80gb",), group=1.0, tp=1.0, isl=32.0, osl=2.0,
                 concurrency=256.0, load=steady_state.STATIC, attention_bytes=2.0, dense_bytes=2.0,
                 **dict.fromkeys(("attention_flop_per_s", "dense_flop_per_s"), 312e12),
                 **dict.fromkeys(("attention_unpacked", "dense_unpacked"), 0.0))
    # without embedding and head: 6.98e9 parameters, 312e12 FLOP/s
    expected = 2 * (8_030_261_248 - 2 * 128_256 * 4096) * 8192 / 312e12
    assert steady_state.steady(case, values)["prefill_all_s"] == pytest.approx(expected, rel=0.02)


def test_one_gpu_has_no_communication():
    case = drawn(group=1.0, tp=1.0)
    fast = case | {"link_bytes_per_s": case["link_bytes_per_s"] * 100}
    slow = lookups.coefficients() | {"link_latency": 1.0, "pcie_latency": 1.0, "link_latency_large": 1.0}
    assert np.array_equal(state(case)["whole_s"], state(fast)["whole_s"])
    assert np.array_equal(state(case)["whole_s"], steady_state.steady(case, slow)["whole_s"])


def test_experts_that_are_all_active_equal_the_dense_twin():
    """Two halves of a feed-forward block, both always used, are the block: only routing and its padding cost more."""
    values = lookups.coefficients() | dict.fromkeys(
        ("routed_layer", "choice", "shared_layer", "routed_row", "routed_bytes", "padding"), 0.0)
    values |= {"expert_compute": 1.0, "expert_unpacking": 1.0, "independence": 1.0}
    dense = drawn(models=("llama-3.1-70b",))
    twin = dense | {
        "routed": np.ones(400), "experts": np.full(400, 2.0), "experts_per_token": np.full(400, 2.0),
        "routed_layers": dense["layers"], "expert_params": dense["dense_params"],
        "dense_params": np.zeros(400), "expert_bytes": dense["dense_bytes"],
            "expert_room_bytes": dense["dense_bytes"], "workspace": 0.0,  # only a mixture keeps buffers for its experts
        "expert_flop_per_s": dense["dense_flop_per_s"], "expert_unpacked": dense["dense_unpacked"],
    }  # fmt: skip
    for name in ("prefill_all_s", "step_s", "tpot_s", "fit"):
        assert np.allclose(steady_state.steady(twin, values)[name], steady_state.steady(dense, values)[name], rtol=1e-9), name


def table(size=60):
    draw = np.random.default_rng(11)
    return pd.DataFrame({
        "model": draw.choice(DENSE + ROUTED, size), "gpu": draw.choice(GPUS, size), "n_gpus": 8, "weights": "fp8",
        "isl": draw.integers(20, 4000, size), "osl": draw.integers(1, 900, size),
        "concurrency": draw.integers(1, 300, size), "usd_per_gpu_hour": 2.3,
    })  # fmt: skip


def test_splitting_a_table_changes_no_row():
    whole = tokenecon.estimate(table()).to_frame()
    parts = pd.concat([tokenecon.estimate(part).to_frame() for part in (table().iloc[:17], table().iloc[17:])])
    pd.testing.assert_frame_equal(whole, parts)


def test_cost_scales_with_price_and_with_one_over_utilisation():
    cheap = tokenecon.estimate(table())
    dear = tokenecon.estimate(table().assign(usd_per_gpu_hour=2.3 * 3, utilisation=0.4))
    for name in ("usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok", "usd_per_mtok_low", "usd_per_mtok_high"):
        assert np.allclose(dear[name], cheap[name] * 3 / 0.4, equal_nan=True)


def test_no_number_is_missing_infinite_or_negative_without_an_error():
    result = tokenecon.estimate(pd.concat([table(), table().assign(load="offline", concurrency=np.nan),
                                           table().assign(load="static")], ignore_index=True)).to_frame()
    numbers = result.select_dtypes("number").drop(columns="concurrency")
    good = result["error"] == ""
    assert good.sum() > 100
    assert np.isfinite(numbers[good]).all(axis=None)
    assert (numbers[good] >= 0).all(axis=None)
    assert (result.loc[good, "output_tok_s_low"] <= result.loc[good, "output_tok_s"]).all()
    assert (result.loc[good, "output_tok_s_high"] >= result.loc[good, "output_tok_s"]).all()


def test_a_blend_costs_what_its_parts_do():
    row = tokenecon.estimate(table()).to_frame().query("error == ''").iloc[0]
    blend = (row["isl"] * row["usd_per_mtok_in"] + row["osl"] * row["usd_per_mtok_out"]) / (row["isl"] + row["osl"])
    assert row["usd_per_mtok"] == pytest.approx(blend)
    # rent of 8 GPUs at 2.3 USD an hour over all tokens of an hour
    assert row["usd_per_mtok"] == pytest.approx(8 * 2.3 / 3600 / row["total_tok_s"] * 1e6)

"""FLOPs of prefill, decode and attention against hand arithmetic."""

import numpy as np
import pytest

from tokenecon.formulas import compute
from tokenecon.units import FLOP_PER_MULTIPLY_ADD

LLAMA = {"layers": 80, "attention_width": 8192, "flop_per_multiply_add": FLOP_PER_MULTIPLY_ADD}


@pytest.mark.source("narayanan-2021", "operation counts of a transformer layer")
def test_decoding_a_token_at_2000_positions():
    # 2*70e9 + 4*2000*8192*80 = 1.4e11 + 5.24288e9 = 1.4524288e11
    flop = compute.decode_flop_per_token(active_parameters=70e9, positions=2000, **LLAMA)
    assert flop == 145_242_880_000
    assert flop == pytest.approx(1.452e11, rel=5e-4)


def test_prefill_of_2000_tokens_with_and_without_the_mask():
    # weights 2*68.98e9*2000 = 2.7592e14 ; attention causal 2*2000^2*8192*80 = 5.24288e12, full twice that
    causal = compute.prefill_flop_causal(active_parameters=68.98e9, positions=2000, **LLAMA)
    full = compute.prefill_flop_full(active_parameters=68.98e9, positions=2000, **LLAMA)
    assert causal == pytest.approx(2.7592e14 + 5.24288e12, rel=1e-12)
    assert causal == pytest.approx(2.812e14, rel=5e-4)
    assert full - causal == pytest.approx(5.24288e12, rel=1e-9)


def test_the_parts_add_up_to_the_whole():
    weights = compute.parameter_flop(active_parameters=3e9, positions=700, flop_per_multiply_add=2)
    pairs = compute.attended_pairs(positions=700, window=700)
    attention = compute.attention_flop(pairs=pairs, layers=5, attention_width=96, flop_per_multiply_add=2)
    whole = compute.prefill_flop_causal(
        active_parameters=3e9, positions=700, layers=5, attention_width=96, flop_per_multiply_add=2
    )
    assert pairs == 245_000  # 700^2 / 2
    assert weights == 4.2e12  # 2 * 3e9 * 700
    assert attention == 470_400_000  # 4 * 245,000 * 96 * 5
    assert weights + attention == whole


def test_a_window_makes_attention_linear():
    # window 100, prompt 1000: the first 100 rows make 5000 pairs, the other 900 have 100 each: 95,000
    assert compute.attended_pairs(positions=1000, window=100) == 95_000
    assert compute.attended_pairs(positions=np.array([60, 1000]), window=100).tolist() == [1800, 95_000]


@pytest.mark.source("radford-2022", "table 1: 32 layers, width 1280")
def test_whisper_encoder():
    # 2*0.635e9*1500 + 4*1500^2*1280*32 = 1.905e12 + 3.6864e11 = 2.27364e12
    encoder = compute.prefill_flop_full(
        active_parameters=0.635e9, positions=1500, layers=32, attention_width=1280, flop_per_multiply_add=2
    )
    # 83 output tokens through 0.906e9 decoder parameters: 1.504e11; together 2.424e12
    decoder = compute.parameter_flop(active_parameters=0.906e9, positions=83, flop_per_multiply_add=2)
    assert encoder == pytest.approx(2.27364e12, rel=1e-12)
    assert encoder + decoder == pytest.approx(2.424e12, rel=5e-4)


def test_attention_width_is_not_the_hidden_size():
    # Qwen3-32B: 64 heads of 128 over a hidden size of 5120
    assert compute.attention_width(query_heads=64, key_head_dim=128, value_head_dim=128) == 8192
    # DeepSeek-V3, heads absorbed: 128 * (576 + 512) / 2 = 69,632
    assert compute.attention_width(query_heads=128, key_head_dim=576, value_head_dim=512) == 69_632


def test_context_grows_cost_between_linear_and_quadratic():
    # q = 8192*80*8000 / 68.98e9 = 0.0760058 ; (16 + 256 q) / (1 + q) = 35.4575/1.0760058 = 32.953
    weight = compute.mixing_weight(
        layers=80, attention_width=8192, positions=8000, active_parameters=68.98e9
    )
    assert weight == pytest.approx(0.0760058, rel=1e-5)
    assert compute.context_cost_ratio(length_ratio=16, mixing_weight=weight) == pytest.approx(32.95, abs=5e-3)
    assert compute.context_cost_ratio(length_ratio=16, mixing_weight=0) == 16
    # 64 needs (64-16)/(256-64) = 48/192
    assert compute.mixing_weight_for_ratio(length_ratio=16, cost_ratio=64) == 0.25
    assert compute.context_cost_ratio(length_ratio=16, mixing_weight=0.25) == 64


@pytest.mark.source("jiang-2024", "8 experts, 2 a token")
def test_mixtral_touches_nearly_all_experts_at_batch_32():
    # 8 * (1 - 0.75^8) = 8 * 0.899887 = 7.1991 ; 8 * (1 - 0.75^32) = 7.9992
    touched = compute.experts_touched(experts=8, experts_per_token=2, batch=np.array([1, 8, 32]))
    assert touched == pytest.approx([2.0, 7.1991, 7.9992], abs=5e-5)


def test_bytes_read_follow_the_experts():
    # 3.2 + 90.2 * 2/8 = 25.75 GB; with every expert the whole model
    parts = {"common_bytes": 3.2e9, "expert_bytes": 90.2e9, "experts": 8}
    assert compute.weight_bytes_read(**parts, experts_touched=2) == pytest.approx(25.75e9)
    assert compute.weight_bytes_read(**parts, experts_touched=8) == pytest.approx(93.4e9)

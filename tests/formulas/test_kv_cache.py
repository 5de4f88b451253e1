"""KV cache sizes against published and hand-worked values."""

import numpy as np
import pytest

from tokenecon.formulas import kv_cache


@pytest.mark.source("austin-2025-scaling-book", "ch. 8, first question")
def test_llama3_70b_int8_is_160_kib_a_token():
    # keys and values, 8 heads of 128, 80 layers, one byte: 2*8*128*80 = 163,840 B
    size = kv_cache.kv_bytes_per_token(layers=80, kv_heads=8, head_dim=128, bytes_per_value=1)
    assert size == 160 * 1024


@pytest.mark.parametrize(
    ("kv_heads", "expected"),
    [
        (8, 327_680),  # grouped: 2*80*8*128*2
        (64, 2_621_440),  # every query head its own: 2*80*64*128*2
        (1, 40_960),  # one for all: 2*80*1*128*2
    ],
)
def test_llama2_70b_under_three_attentions(kv_heads, expected):
    size = kv_cache.kv_bytes_per_token(layers=80, kv_heads=kv_heads, head_dim=128, bytes_per_value=2)
    assert size == expected


@pytest.mark.source("hf-deepseek-ai-deepseek-v3", "kv_lora_rank, qk_rope_head_dim")
def test_deepseek_v3_keeps_70_kb_a_token():
    # 61 * (512 + 64) * 2
    size = kv_cache.kv_bytes_per_token_mla(layers=61, kv_lora_rank=512, rope_head_dim=64, bytes_per_value=2)
    assert size == 70_272


def test_128k_context_of_llama2_70b_is_41_94_gb():
    size = kv_cache.kv_bytes_of_sequence(
        positions=128e3, full_bytes_per_position=327_680, window_bytes_per_position=0, window=1, state_bytes=0
    )
    assert size == 327_680 * 128e3  # 4.194304e10
    assert size / 1e9 == pytest.approx(41.94, abs=0.005)


def test_windowed_layers_stop_growing():
    # gpt-oss-120b: 18 full and 18 windowed layers of 2*8*64*2 = 2048 B each, window 128
    # n=100: (18+18)*2048*100 = 7,372,800 ; n=1000: 18*2048*(1000+128) = 41,582,592
    size = kv_cache.kv_bytes_of_sequence(
        positions=np.array([100, 1000]),
        full_bytes_per_position=18 * 2048,
        window_bytes_per_position=18 * 2048,
        window=128,
        state_bytes=0,
    )
    assert size.tolist() == [7_372_800, 41_582_592]


def test_linear_layers_add_a_constant():
    size = kv_cache.kv_bytes_of_sequence(
        positions=3, full_bytes_per_position=5, window_bytes_per_position=0, window=1, state_bytes=700
    )
    assert size == 3 * 5 + 700


def test_shrink_factors():
    assert kv_cache.kv_shrink_grouped(query_heads=64, kv_heads=8) == 8
    assert kv_cache.kv_shrink_grouped(query_heads=64, kv_heads=1) == 64
    # 2*128*128 / (512+64) = 32768/576
    shrink = kv_cache.kv_shrink_mla(query_heads=128, head_dim=128, kv_lora_rank=512, rope_head_dim=64)
    assert shrink == pytest.approx(56.889, abs=5e-4)
    assert kv_cache.kv_shrink_window(positions=32_768, window=4096) == 8
    assert kv_cache.kv_shrink_window(positions=1000, window=4096) == 1

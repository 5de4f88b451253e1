"""KV cache sizes against published and hand-worked values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas import kv_cache
from tokenecon.formulas.kv_cache import concurrency_gain, contiguous_waste, paged_overhead, paged_waste


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


def test_blocks_of_16_under_sequences_of_500():
    # 7.5 empty positions for 500 used: 0.015 of the used, 7.5/507.5 = 0.014778 of the allocated
    assert paged_overhead(block_positions=16, mean_positions=500) == approx(0.015)
    assert paged_waste(block_positions=16, mean_positions=500) == approx(7.5 / 507.5)


def test_reserving_2048_for_500():
    # 1548/2048
    assert contiguous_waste(mean_positions=500, reserved_positions=2048) == approx(1548 / 2048)
    assert contiguous_waste(mean_positions=500, reserved_positions=2048) == approx(0.7559, abs=5e-5)


@pytest.mark.parametrize("before, by_hand, printed", [
    (0.3125, 8 * 0.859375 / 0.6875, 10), (0.6, 8 * 0.73 / 0.4, 14.6), (0.8, 8 * 0.64 / 0.2, 25.6),
])
def test_gain_in_concurrency_when_waste_falls_to_45_percent_of_itself(before, by_hand, printed):
    gain = concurrency_gain(kv_shrink=8, waste_before=before, waste_after=0.45 * before)
    assert gain == approx(by_hand)
    assert gain == approx(printed)


@given(block=st.integers(1, 512), mean=st.floats(1, 1e5))
def test_paged_waste_is_a_share_that_grows_with_the_block(block, mean):
    here = paged_waste(block_positions=block, mean_positions=mean)
    assert 0 <= here < 1
    assert paged_waste(block_positions=block + 1, mean_positions=mean) > here


@given(before=st.floats(0, 0.9), after=st.floats(0, 0.9), shrink=st.floats(1, 64))
def test_gain_rises_with_shrink_and_falls_with_waste(before, after, shrink):
    here = concurrency_gain(kv_shrink=shrink, waste_before=before, waste_after=after)
    assert concurrency_gain(kv_shrink=shrink * 1.1, waste_before=before, waste_after=after) > here
    assert concurrency_gain(kv_shrink=shrink, waste_before=before, waste_after=after + 0.05) < here
    assert concurrency_gain(kv_shrink=shrink, waste_before=before, waste_after=before) == approx(shrink)

"""Parameters of the parts of a model, by hand."""

import numpy as np
import pytest

from tokenecon.formulas import shapes


def test_grouped_attention_of_llama2_70b():
    # query and output 8192*8192 each, key and value 8192*1024 each: 2*67,108,864 + 2*8,388,608
    count = shapes.attention_parameters(
        hidden_size=8192, query_heads=64, kv_heads=8, head_dim=128, query_matrices=1, value_matrices=1
    )
    assert count == 150_994_944


def test_output_gate_and_shared_values():
    # width 10, 3 query heads and 2 key-value heads of 4: query 120, key 80, value 80, output 120
    parts = {"hidden_size": 10, "query_heads": 3, "kv_heads": 2, "head_dim": 4}
    assert shapes.attention_parameters(**parts, query_matrices=1, value_matrices=1) == 400
    assert shapes.attention_parameters(**parts, query_matrices=2, value_matrices=1) == 520
    assert shapes.attention_parameters(**parts, query_matrices=1, value_matrices=0) == 320


def test_latent_attention_with_and_without_compressed_query():
    parts = {"hidden_size": 7168, "query_heads": 128, "kv_lora_rank": 512, "nope_head_dim": 128,
             "rope_head_dim": 64, "value_head_dim": 128}  # fmt: skip
    # key-value: 7168*576 + 512 + 512*128*256 = 20,906,496 ; output 128*128*7168 = 117,440,512
    # query compressed: 7168*1536 + 1536 + 1536*128*192 = 48,760,320 ; direct: 7168*128*192 = 176,160,768
    assert shapes.latent_attention_parameters(q_lora_rank=1536, **parts) == 187_107_328
    both = shapes.latent_attention_parameters(q_lora_rank=np.array([1536, 0]), **parts)
    assert both.tolist() == [187_107_328, 20_906_496 + 117_440_512 + 176_160_768]


def test_indexer_of_sparse_attention():
    # 1536*64*128 + 7168*128 + 2*128 + 7168*64 = 12,582,912 + 917,504 + 256 + 458,752
    count = shapes.indexer_parameters(hidden_size=7168, q_lora_rank=1536, index_heads=64, index_head_dim=128)
    assert count == 13_959_424


def test_gated_delta_network():
    # keys 2*3 = 6, values 5*7 = 35, width 11: projections 11*(12 + 70 + 10) = 1012
    # convolution 4*(12 + 35) = 188, decay 2*5, norm 7, output 35*11 = 385: 1602
    count = shapes.linear_attention_parameters(
        hidden_size=11, key_heads=2, value_heads=5, key_head_dim=3, value_head_dim=7, conv_width=4
    )
    assert count == 1602


def test_feed_forward_with_and_without_gate():
    assert shapes.feed_forward_parameters(hidden_size=8192, intermediate_size=28672, matrices=3) == 704_643_072
    assert shapes.feed_forward_parameters(hidden_size=8192, intermediate_size=28672, matrices=2) == 469_762_048


@pytest.mark.source("jiang-2024", "46.7 billion parameters, 12.9 billion used")
def test_active_parameters_of_mixtral():
    # 45,097,156,608 in experts; 6 of 8 idle: 33,822,867,456 less
    count = shapes.active_parameters(
        parameters=46_702_792_704, expert_parameters=45_097_156_608, experts=8, experts_per_token=2
    )
    assert count == 46_702_792_704 - 33_822_867_456 == 12_879_925_248


def test_selective_state_space_of_mamba():
    # width 4, 6 channels, state 3, step 2, convolution 5: in 2*4*6 = 48, out 24, convolution 6*6 = 36,
    # selective 6*(2 + 6) = 48, step 6*3 = 18, decay 18, skip 6: 198
    count = shapes.selective_state_parameters(hidden_size=4, inner_size=6, state_size=3, step_rank=2, conv_width=5)
    assert count == 198


def test_state_space_of_mamba_2():
    # width 10, 2 heads of 3, one group, state 4, convolution 5: in 10*(12 + 8 + 2) = 220, out 60,
    # convolution (6 + 8)*6 = 84, step, decay and skip 3*2: 370
    count = shapes.state_space_parameters(hidden_size=10, heads=2, head_dim=3, groups=1, state_size=4, conv_width=5)
    assert count == 370


def test_short_convolution():
    # width 10: in 10*30, convolution 3*10, out 100
    assert shapes.short_convolution_parameters(hidden_size=10, conv_width=3) == 430


def test_delta_attention():
    # width 10, 2 heads of 3, rank 4, convolution 5: query, key, value, output 4*60; convolutions 3*5*6 = 90;
    # decay and gate 2*4*16 = 128; strength 20; step 6, decay 2, norm 3: 489
    count = shapes.delta_attention_parameters(hidden_size=10, heads=2, head_dim=3, gate_rank=4, conv_width=5)
    assert count == 489

"""All-reduces by hand: Llama 2 70B, 32 sequences of 2000 positions, 450 GB/s a direction, 1.5 us a hop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.parallelism import (
    all_reduce_message,
    parallel_efficiency,
    ring_all_reduce_seconds,
    split_cost_ratio,
    tensor_parallel_comm_seconds,
)


def test_message_of_a_decode_step():
    # 32 sequences * 1 position * 8192 wide * 2 B
    assert all_reduce_message(batch=32, positions=1, hidden_size=8192, bytes_per_value=2) == 524288


@pytest.mark.parametrize("ranks, microseconds, printed_efficiency", [
    # 524288 B / 450 GB/s = 1.16508 us; times 2(N-1)/N, plus 2(N-1) * 1.5 us
    (2, 1.0 * 524288 / 450e3 + 2 * 1.5, 0.973),
    (4, 1.5 * 524288 / 450e3 + 6 * 1.5, 0.8748),
    (8, 1.75 * 524288 / 450e3 + 14 * 1.5, 0.6197),
])
def test_ring_and_what_it_leaves(ranks, microseconds, printed_efficiency):
    one = ring_all_reduce_seconds(message_bytes=524288, ranks=ranks, link_bytes_per_s=450e9,
                                  link_latency_s=1.5e-6)
    assert one == approx(microseconds * 1e-6)
    comm = tensor_parallel_comm_seconds(layers=80, all_reduces_per_layer=2, all_reduce_s=one)
    assert comm == approx(160 * microseconds * 1e-6)
    # 140 GB + 32 * 0.65536 GB over N * 3.35 TB/s
    efficiency = parallel_efficiency(split_s=160.97152 / (3350 * ranks), comm_s=comm)
    assert efficiency == approx(printed_efficiency, abs=5e-5)


def test_two_gpus_printed():
    one = ring_all_reduce_seconds(message_bytes=524288, ranks=2, link_bytes_per_s=450e9, link_latency_s=1.5e-6)
    assert one == approx(4.165e-6, abs=5e-10)
    comm = tensor_parallel_comm_seconds(layers=80, all_reduces_per_layer=2, all_reduce_s=one)
    assert comm == approx(0.6664e-3, abs=5e-8)
    # 24.0256 / 24.6920 ms: a token costs 1 / 0.97301
    efficiency = parallel_efficiency(split_s=160.97152 / 6700, comm_s=comm)
    assert split_cost_ratio(efficiency=efficiency) == approx(1.028, abs=5e-4)


def test_message_of_a_prefill():
    # 3 prompts of 2000 positions * 8192 wide * 2 B
    assert all_reduce_message(batch=3, positions=2000, hidden_size=8192, bytes_per_value=2) == 98_304_000


def test_one_gpu_needs_no_link():
    assert ring_all_reduce_seconds(message_bytes=1e6, ranks=1, link_bytes_per_s=1e9, link_latency_s=1e-6) == 0


@given(ranks=st.integers(2, 64), message=st.floats(1, 1e9))
def test_ring_takes_longer_with_more_gpus(ranks, message):
    link = {"message_bytes": message, "link_bytes_per_s": 450e9, "link_latency_s": 1.5e-6}
    assert ring_all_reduce_seconds(ranks=ranks + 1, **link) > ring_all_reduce_seconds(ranks=ranks, **link)


@given(split=st.floats(1e-6, 1), comm=st.floats(0, 1))
def test_efficiency_is_a_share_and_its_cost_at_least_one(split, comm):
    efficiency = parallel_efficiency(split_s=split, comm_s=comm)
    assert 0 < efficiency <= 1
    assert split_cost_ratio(efficiency=efficiency) >= 1

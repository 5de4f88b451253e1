"""Critical batch, idle compute and the bandwidth ceiling, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.balance import (
    bandwidth_ceiling_tok_out_per_s,
    critical_batch,
    idle_compute,
    ridge_point,
)
from tokenecon.formulas.roofline import decode_step_seconds


@pytest.mark.parametrize("flop_per_s, bytes_per_s, bytes_per_param, by_hand, printed", [
    (989.5e12, 3.35e12, 2, 989.5 / 3.35, 295.4),  # H100, 16-bit weights: the 2 B and the 2 FLOP cancel
    (312e12, 2.0e12, 2, 312 / 2.0, 156),  # A100, 16-bit weights
    (989.5e12, 3.35e12, 1, 989.5 / 3.35 / 2, 147.7),  # H100, 8-bit weights, 16-bit arithmetic
    (989.5e12, 3.35e12, 0.5, 989.5 / 3.35 / 4, 73.84),  # H100, 4-bit weights, 16-bit arithmetic
])
def test_critical_batch(flop_per_s, bytes_per_s, bytes_per_param, by_hand, printed):
    batch = critical_batch(bytes_per_param=bytes_per_param, flop_per_multiply_add=2,
                           flop_per_s_per_gpu=flop_per_s, mfu=1.0, bytes_per_s_per_gpu=bytes_per_s, mbu=1.0)
    assert batch == approx(by_hand)
    assert batch == approx(printed, rel=5e-4)


def test_efficiencies_move_the_ridge():
    # 989.5 * 0.5 / (3.35 * 0.8) = 494.75 / 2.68
    ridge = ridge_point(flop_per_s_per_gpu=989.5e12, mfu=0.5, bytes_per_s_per_gpu=3.35e12, mbu=0.8)
    assert ridge == approx(494.75 / 2.68)


@pytest.mark.parametrize("critical, by_hand, printed", [
    (989.5 / 3.35, 1 - 3.35 / 989.5, 0.9966),  # H100
    (312 / 2.0, 1 - 2.0 / 312, 0.9936),  # A100
])
def test_one_request_leaves_nearly_all_arithmetic_idle(critical, by_hand, printed):
    idle = idle_compute(batch=1, critical_batch=critical)
    assert idle == approx(by_hand)
    assert idle == approx(printed, abs=5e-5)


def test_nothing_is_idle_beyond_the_critical_batch():
    assert idle_compute(batch=400, critical_batch=295.37) == 0.0


@pytest.mark.parametrize("terabytes_per_s, gigabytes, printed", [
    (3.35, 140, 23.93), (3.35, 70, 47.86), (3.35, 35, 95.71),  # H100 at 16, 8, 4 bits
    (2.00, 140, 14.29), (2.00, 70, 28.57), (2.00, 35, 57.14),  # A100
])
def test_bandwidth_ceiling_of_70b(terabytes_per_s, gigabytes, printed):
    rate = bandwidth_ceiling_tok_out_per_s(
        weight_bytes=gigabytes * 1e9, gpus=1, bytes_per_s_per_gpu=terabytes_per_s * 1e12, mbu=1.0,
        tok_out_per_pass=1)
    assert rate == approx(terabytes_per_s * 1000 / gigabytes)
    assert rate == approx(printed, abs=5e-3)


def test_ceiling_with_efficiency_and_speculation():
    # 3 * 3350 * 0.8 / 140 = 57.43 passes a second of 2.5 tokens
    rate = bandwidth_ceiling_tok_out_per_s(weight_bytes=140e9, gpus=3, bytes_per_s_per_gpu=3.35e12, mbu=0.8,
                                           tok_out_per_pass=2.5)
    assert rate == approx(3 * 3350 * 0.8 / 140 * 2.5)


def test_eight_h100_need_52_percent_for_100_tokens_a_second():
    # 8 * 3350 / 140 = 191.43; 100 / 191.43 = 0.5224
    rate = bandwidth_ceiling_tok_out_per_s(weight_bytes=140e9, gpus=8, bytes_per_s_per_gpu=3.35e12, mbu=1.0,
                                           tok_out_per_pass=1)
    assert 100 / rate == approx(0.5224, abs=5e-5)


@given(bytes_per_param=st.floats(0.5, 4), mfu=st.floats(0.1, 1), mbu=st.floats(0.1, 1))
def test_at_the_critical_batch_reading_and_arithmetic_take_equally_long(bytes_per_param, mfu, mbu):
    machine = {"flop_per_s_per_gpu": 989.5e12, "mfu": mfu, "bytes_per_s_per_gpu": 3.35e12, "mbu": mbu}
    batch = critical_batch(bytes_per_param=bytes_per_param, flop_per_multiply_add=2, **machine)
    one = {"gpus": 1, "comm_s": 0.0, "fixed_s": 0.0, "batch": batch, "kv_bytes_per_sequence": 0.0, **machine}
    reading = decode_step_seconds(weight_bytes=7e9 * bytes_per_param, flop_per_sequence=0.0, **one)
    arithmetic = decode_step_seconds(weight_bytes=0.0, flop_per_sequence=14e9, **one)
    assert reading == approx(arithmetic, rel=1e-12)


@given(more=st.floats(1.01, 100))
def test_ceiling_is_proportional_to_bandwidth(more):
    def ceiling(bandwidth):
        return bandwidth_ceiling_tok_out_per_s(weight_bytes=35e9, gpus=3, bytes_per_s_per_gpu=bandwidth,
                                               mbu=0.8, tok_out_per_pass=1)
    assert ceiling(2e12 * more) == approx(more * ceiling(2e12), rel=1e-12)

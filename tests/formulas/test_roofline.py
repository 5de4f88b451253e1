"""Step times by hand. Llama 2 70B: 140 GB of weights, 2000 positions of 327,680 B are 0.65536 GB a sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.roofline import (
    compute_seconds,
    critical_batch,
    decode_step_seconds,
    idle_compute,
    memory_seconds,
    pass_seconds,
    prefill_seconds,
    ridge_point,
)

H100 = {"bytes_per_s_per_gpu": 3.35e12, "flop_per_s_per_gpu": 989.5e12}
# 2 * 70e9 + 4 * 2000 * 8192 * 80 FLOP for a token at context 2000
LLAMA = {"weight_bytes": 140e9, "kv_bytes_per_sequence": 0.65536e9, "flop_per_sequence": 145.24288e9}
IDEAL = {"mbu": 1.0, "mfu": 1.0, "comm_s": 0.0, "fixed_s": 0.0}


def test_weights_of_70b_over_one_h100():
    # 140e9 / 3.35e12 = 0.0417910 s, which is 23.93 a second
    seconds = memory_seconds(bytes_moved=140e9, n_gpus=1, bytes_per_s_per_gpu=3.35e12, mbu=1.0)
    assert seconds == approx(140 / 3350)
    assert seconds == approx(41.79e-3, abs=5e-6)
    assert 1 / seconds == approx(23.93, abs=5e-3)


@pytest.mark.parametrize("batch, gigabytes, milliseconds", [
    (1, 140.65536, 10.50),  # 140 + 0.65536; / 13.4 TB/s = 10.4967 ms
    (32, 160.97152, 12.01),  # 140 + 32 * 0.65536; / 13.4 TB/s = 12.0128 ms
])
def test_step_on_four_h100(batch, gigabytes, milliseconds):
    step = decode_step_seconds(batch=batch, n_gpus=4, **LLAMA, **H100, **IDEAL)
    assert step == approx(gigabytes / 13400)
    assert step == approx(milliseconds / 1000, abs=5e-6)


def test_large_batch_binds_on_arithmetic():
    # 1000 sequences over a short context of 100 positions (32.768 MB each):
    # bytes (140 + 32.768) / 13400 = 12.893 ms; FLOP 1000 * 145.24288e9 / 3958e12 = 36.696 ms
    values = {**LLAMA, "kv_bytes_per_sequence": 0.032768e9}
    step = decode_step_seconds(batch=1000, n_gpus=4, **values, **H100, **IDEAL)
    assert step == approx(145.24288e12 / 3958e12)


def test_efficiencies_divide_and_fixed_parts_add():
    # 12.012800 / 0.8 + 1.7 ms + 0.3 ms = 17.016 ms
    step = decode_step_seconds(batch=32, n_gpus=4, **LLAMA, **H100, mbu=0.8, mfu=0.5, comm_s=1.7e-3,
                               fixed_s=0.3e-3)
    assert step == approx(160.97152 / 13400 / 0.8 + 2.0e-3)


def test_prefill_of_2000_tokens():
    # 2 * 68.98e9 * 2000 + 2 * 2000**2 * 8192 * 80 = 275.92e12 + 5.24288e12 FLOP; / (4 * 989.5e12 * 0.5)
    flop = 275.92e12 + 5.24288e12
    seconds = prefill_seconds(flop=flop, weight_bytes=140e9, n_gpus=4, mbu=0.8, mfu=0.5, comm_s=0.0,
                              fixed_s=0.0, **H100)
    assert seconds == approx(281.16288 / 1979)
    assert seconds == approx(142.1e-3, abs=5e-5)


def test_prefill_of_ten_tokens_waits_for_the_weights():
    # 10 tokens: about 1.4e12 FLOP, 0.7 ms of arithmetic; 140 GB / 13.4 TB/s / 0.8 = 13.06 ms
    seconds = prefill_seconds(flop=1.4e12, weight_bytes=140e9, n_gpus=4, mbu=0.8, mfu=0.5, comm_s=2e-3,
                              fixed_s=1e-3, **H100)
    assert seconds == approx(140 / 13400 / 0.8 + 3e-3)


def test_arithmetic_alone():
    # 281.16 / (4 * 989.5 * 0.5) s
    assert compute_seconds(flop=281.16e12, n_gpus=4, flop_per_s_per_gpu=989.5e12, mfu=0.5) == approx(281.16 / 1979)


def test_pass_takes_the_slower_and_adds_the_rest():
    assert pass_seconds(memory_s=12.0, compute_s=5.0, comm_s=2.0, fixed_s=1.0) == 15.0
    assert pass_seconds(memory_s=5.0, compute_s=12.0, comm_s=2.0, fixed_s=1.0) == 15.0


positive = st.floats(0.1, 1e3)


@given(batch=st.integers(1, 2000), more=st.floats(1.01, 50), n_gpus=st.integers(1, 16))
def test_step_never_slows_with_bandwidth(batch, more, n_gpus):
    slow = decode_step_seconds(batch=batch, n_gpus=n_gpus, **LLAMA, **H100, **IDEAL)
    faster = {**H100, "bytes_per_s_per_gpu": 3.35e12 * more}
    assert decode_step_seconds(batch=batch, n_gpus=n_gpus, **LLAMA, **faster, **IDEAL) <= slow


@given(batch=st.integers(1, 2000))
def test_step_grows_with_the_batch_but_less_than_the_batch(batch):
    single = decode_step_seconds(batch=1, n_gpus=4, **LLAMA, **H100, **IDEAL)
    here = decode_step_seconds(batch=batch, n_gpus=4, **LLAMA, **H100, **IDEAL)
    one_more = decode_step_seconds(batch=batch + 1, n_gpus=4, **LLAMA, **H100, **IDEAL)
    assert here < one_more
    assert here <= batch * single * (1 + 1e-12)


@given(memory=positive, compute=positive, comm=positive, fixed=positive)
def test_pass_lies_between_its_largest_part_and_their_sum(memory, compute, comm, fixed):
    total = pass_seconds(memory_s=memory, compute_s=compute, comm_s=comm, fixed_s=fixed)
    assert max(memory, compute, comm, fixed) <= total <= memory + compute + comm + fixed


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


@given(bytes_per_param=st.floats(0.5, 4), mfu=st.floats(0.1, 1), mbu=st.floats(0.1, 1))
def test_at_the_critical_batch_reading_and_arithmetic_take_equally_long(bytes_per_param, mfu, mbu):
    machine = {"flop_per_s_per_gpu": 989.5e12, "mfu": mfu, "bytes_per_s_per_gpu": 3.35e12, "mbu": mbu}
    batch = critical_batch(bytes_per_param=bytes_per_param, flop_per_multiply_add=2, **machine)
    one = {"n_gpus": 1, "comm_s": 0.0, "fixed_s": 0.0, "batch": batch, "kv_bytes_per_sequence": 0.0, **machine}
    reading = decode_step_seconds(weight_bytes=7e9 * bytes_per_param, flop_per_sequence=0.0, **one)
    arithmetic = decode_step_seconds(weight_bytes=0.0, flop_per_sequence=14e9, **one)
    assert reading == approx(arithmetic, rel=1e-12)

"""What batching saves, and how full static batches are, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.batching import (
    batching_latency_rise,
    batching_saving,
    static_occupancy,
    static_occupancy_exponential,
)

# bytes of a step of Llama 2 70B at 2000 positions, in GB; the bandwidth cancels in every ratio
ONE, BATCH_32 = 140.65536, 160.97152


def test_batch_of_32():
    # 1 - 160.97152 / (32 * 140.65536), and 160.97152 / 140.65536 - 1
    saving = batching_saving(batch=32, batch_step_s=BATCH_32 / 13400, single_step_s=ONE / 13400)
    assert saving == approx(1 - 160.97152 / 4500.97152)
    assert saving == approx(0.9642, abs=5e-5)
    rise = batching_latency_rise(batch_step_s=BATCH_32 / 13400, single_step_s=ONE / 13400)
    assert rise == approx(20.31616 / 140.65536)
    assert rise == approx(0.144439, abs=5e-7)


def test_saving_at_the_latency_rise_of_the_documents():
    # 20 % longer for 32 sequences: 1 - 1.20 / 32
    assert batching_saving(batch=32, batch_step_s=1.20, single_step_s=1.0) == approx(0.9625)


@pytest.mark.parametrize("batch, harmonic, printed", [
    (1, 1.0, 1.0),
    (6, 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6, 0.4082),  # 2.45
    (32, sum(1 / k for k in range(1, 33)), 0.2464),  # 4.0585
])
def test_static_occupancy_of_exponential_lengths(batch, harmonic, printed):
    occupancy = static_occupancy_exponential(batch=batch)
    assert occupancy == approx(1 / harmonic)
    assert occupancy == approx(printed, abs=5e-5)


def test_static_occupancy_from_lengths():
    # mean 400 of a batch whose longest is 980 on average
    assert static_occupancy(mean_tok_out=400, mean_longest_tok_out=980) == approx(400 / 980)


def test_occupancy_over_an_array_of_batches():
    batches = np.array([[1.0], [6.0], [2.0]])
    expected = np.array([[1.0], [1 / 2.45], [2 / 3]])
    np.testing.assert_allclose(static_occupancy_exponential(batch=batches), expected, rtol=1e-14)


def test_exponential_occupancy_agrees_with_drawn_lengths():
    # 200,000 batches of 6 exponential lengths: the standard error of the mean is below 0.1 %
    lengths = np.random.default_rng(20261122).exponential(size=(200_000, 6))
    drawn = static_occupancy(mean_tok_out=lengths.mean(), mean_longest_tok_out=lengths.max(axis=1).mean())
    assert static_occupancy_exponential(batch=6) == approx(drawn, rel=4e-3)


@given(batch=st.integers(1, 300))
def test_larger_static_batches_are_emptier_and_fall_like_a_logarithm(batch):
    here = static_occupancy_exponential(batch=batch)
    assert static_occupancy_exponential(batch=batch + 1) < here <= 1
    # ln(B) < H_B <= 1 + ln(B)
    assert math.log(batch) < 1 / here <= 1 + math.log(batch) + 1e-12


@given(batch=st.integers(2, 500), single=st.floats(1e-3, 1), rise=st.floats(0, 0.99))
def test_batching_saves_as_long_as_the_step_grows_less_than_the_batch(batch, single, rise):
    saving = batching_saving(batch=batch, batch_step_s=single * (1 + rise), single_step_s=single)
    assert 0 < saving < 1
    latency = batching_latency_rise(batch_step_s=single * (1 + rise), single_step_s=single)
    assert saving == approx(1 - (1 + latency) / batch)

"""Rates, latencies and concurrency of an instance, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.parallelism import all_to_all_seconds, two_batch_seconds
from tokenecon.formulas.serving import (
    answer_positions,
    batching_latency_rise,
    batching_saving,
    cached_tok_per_task,
    concurrent_streams,
    decode_tok_out_per_s,
    littles_concurrency,
    machines,
    prompt_tok_per_task,
    real_time_factor,
    request_seconds,
    required_real_time_factor,
    speech_window_flop,
    static_occupancy,
    static_occupancy_exponential,
    tok_per_audio_hour,
    tok_per_day_of_conversations,
    tok_per_turn,
    tpot_seconds,
)


def test_rate_of_32_sequences_on_four_h100():
    # 32 tokens every 160.97152 / 13400 s
    rate = decode_tok_out_per_s(batch=32, tok_out_per_pass=1, step_s=160.97152 / 13400)
    assert rate == approx(32 * 13400 / 160.97152)
    assert rate == approx(2664, abs=0.5)


def test_rate_with_speculation():
    # 32 sequences gain 2.5 tokens each every 16 ms
    assert decode_tok_out_per_s(batch=32, tok_out_per_pass=2.5, step_s=0.016) == approx(5000)


def test_speculation_shortens_the_time_per_token():
    # 30 ms for 2.5 tokens
    assert tpot_seconds(step_s=0.030, tok_out_per_pass=2.5) == approx(0.012)


def test_latency_of_a_request():
    # 0.04 + 0.5 + 500 * 0.02
    assert request_seconds(round_trip_s=0.04, ttft_s=0.5, tok_out=500, tpot_s=0.02) == approx(10.54)


def test_streams_of_a_billion_tokens_a_day():
    # 1e9 / 86400 = 11574.07 a second, at 20 each
    streams = concurrent_streams(tok_out_per_day=1e9, tok_out_per_s_per_stream=20)
    assert streams == approx(1e9 / 86400 / 20)
    assert streams == approx(578.7, abs=0.05)


def test_littles_law_gives_the_same_streams():
    # requests of 500 tokens at 50 ms each stay 25 s; 1e9 / 86400 / 500 = 23.148 arrive a second
    stay = request_seconds(round_trip_s=0.0, ttft_s=0.0, tok_out=500, tpot_s=0.05)
    assert littles_concurrency(requests_per_s=1e9 / 86400 / 500, request_s=stay) == approx(578.7037, abs=5e-5)


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
    # 20% longer for 32 sequences: 1 - 1.20 / 32
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
    # 200,000 batches of 6 exponential lengths: the standard error of the mean is below 0.1%
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


def test_merchant_assistant_says_ten_tokens_a_turn():
    # 2e9 / (10e6 * 20)
    assert tok_per_turn(tok_per_day=2e9, conversations_per_day=10e6, turns=20) == approx(10)


def test_podcasts_say_ten_thousand_tokens_an_hour():
    # 50e6 / 5000
    assert tok_per_audio_hour(tok_per_day=50e6, audio_hours_per_day=5000) == approx(10000)


@pytest.mark.parametrize("n_gpus, printed", [(375, 0.5556), (187.5, 1.111)])  # 750/p GPUs at 2 and 4 USD an hour
def test_podcast_budget_implies_less_than_real_time(n_gpus, printed):
    # 5000/24 = 208.33 hours of audio in an hour
    assert required_real_time_factor(audio_hours_per_day=5000, n_gpus=n_gpus) == approx(5000 / 24 / n_gpus)
    assert required_real_time_factor(audio_hours_per_day=5000, n_gpus=n_gpus) == approx(printed, rel=5e-4)


def test_whisper_large():
    # Encoder: 2 * 0.635e9 * 1500 + 4 * 1500**2 * 1280 * 32 = 1.905e12 + 0.36864e12.
    # Decoder: 10,000 tokens an hour are 83 in 30 s: 2 * 0.906e9 * 83 = 0.150396e12.
    flop = speech_window_flop(encoder_flop=1.905e12 + 0.36864e12, decoder_parameters=0.906e9, text_positions=83,
                              flop_per_multiply_add=2)
    assert flop == approx(2.424036e12)
    assert flop == approx(2.424e12, rel=5e-4)
    # 30 s at a tenth of 312 TFLOP/s: 936e12
    factor = real_time_factor(window_s=30, window_flop=flop, flop_per_s_per_gpu=312e12, mfu=0.1)
    assert factor == approx(936 / 2.424036)
    assert factor == approx(386.1, abs=0.05)


@given(conversations=st.integers(1, 10**8), turns=st.integers(1, 100), tokens=st.integers(1, 10**4))
def test_volume_and_turns_are_each_others_inverse(conversations, turns, tokens):
    volume = tok_per_day_of_conversations(conversations_per_day=conversations, turns=turns, tok_per_turn=tokens)
    assert tok_per_turn(tok_per_day=volume, conversations_per_day=conversations, turns=turns) == approx(tokens)


@given(ratio=st.floats(0.05, 50), context=st.floats(10, 1e6))
def test_prompt_and_half_of_the_answer_are_the_context(ratio, context):
    answer = answer_positions(tok_in_per_tok_out=ratio, context_positions=context)
    assert ratio * answer + answer / 2 == approx(context)


@pytest.mark.source("zhao-2025-isca", "section 2.3.2")
def test_exchange_of_a_layer_as_printed():
    # 3 B * 32 * 9 * 7000 / 50e9 = 120.96 us; over the 900 GB/s of a rack 6.72 us
    rack = {"tokens": 32, "copies": 9, "hidden_size": 7000, "bytes_there": 1, "bytes_back": 2}
    assert all_to_all_seconds(**rack, bytes_per_s=50e9) == approx(120.96e-6)
    assert all_to_all_seconds(**rack, bytes_per_s=900e9) == approx(6.72e-6)


def test_the_slower_of_computing_twice_and_exchanging_once():
    assert two_batch_seconds(half_s=3.0, exchange_s=5.0) == 6.0
    assert two_batch_seconds(half_s=2.0, exchange_s=5.0) == 5.0


def test_published_rates_of_nodes_need_the_published_nodes():
    # 608e9/86,400/73,700 + 168e9/86,400/14,800 = 95.48 + 131.38
    reading = machines(tok_per_day=608e9, tok_per_s=73_700.0, utilisation=1.0)
    assert reading == approx(95.482, abs=1e-3)
    assert reading + machines(tok_per_day=168e9, tok_per_s=14_800.0, utilisation=1.0) == approx(226.86, abs=0.01)
    assert machines(tok_per_day=608e9, tok_per_s=73_700.0, utilisation=0.25) == approx(4 * reading)


@given(first=st.integers(1, 9000), added=st.integers(0, 3000), answer=st.integers(1, 900), turns=st.integers(1, 60))
def test_prompts_and_what_was_sent_before_are_those_of_a_loop_over_the_turns(first, added, answer, turns):
    prompt, prompts, before = first, 0, 0
    for _ in range(turns):
        prompts += prompt
        before += prompt + answer  # what the next turn begins with
        prompt += answer + added
    before -= prompt - added  # after the last turn none follows
    found = prompt_tok_per_task(first_tok=first, added_tok=added, answer_tok=answer, turns=turns)
    assert found == prompts
    held = cached_tok_per_task(prompt_tok=prompts, first_tok=first, added_tok=added, turns=turns, held_share=0.7,
                               resent_share=0.2)
    assert held == approx(0.7 * (before + 0.2 * prompts))


def test_a_single_turn_finds_nothing_in_the_cache():
    assert cached_tok_per_task(prompt_tok=6000, first_tok=6000, added_tok=800, turns=1, held_share=0.95, resent_share=0.0) == 0

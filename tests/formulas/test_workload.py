"""Workloads of the documents' cases, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.workload import (
    real_time_factor,
    required_real_time_factor,
    speech_window_flop,
    tok_per_audio_hour,
    tok_per_day_of_audio,
    tok_per_day_of_conversations,
    tok_per_turn,
)


def test_merchant_assistant_says_ten_tokens_a_turn():
    # 2e9 / (10e6 * 20)
    assert tok_per_turn(tok_per_day=2e9, conversations_per_day=10e6, turns=20) == approx(10)


def test_podcasts_say_ten_thousand_tokens_an_hour():
    # 50e6 / 5000
    assert tok_per_audio_hour(tok_per_day=50e6, audio_hours_per_day=5000) == approx(10000)


@pytest.mark.parametrize("gpus, printed", [(375, 0.5556), (187.5, 1.111)])  # 750/p GPUs at 2 and 4 USD an hour
def test_podcast_budget_implies_less_than_real_time(gpus, printed):
    # 5000/24 = 208.33 hours of audio in an hour
    assert required_real_time_factor(audio_hours_per_day=5000, gpus=gpus) == approx(5000 / 24 / gpus)
    assert required_real_time_factor(audio_hours_per_day=5000, gpus=gpus) == approx(printed, rel=5e-4)


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


@given(hours=st.floats(1, 1e6), tokens=st.floats(1e3, 1e5))
def test_volume_and_hours_are_each_others_inverse(hours, tokens):
    volume = tok_per_day_of_audio(audio_hours_per_day=hours, tok_per_audio_hour=tokens)
    assert tok_per_audio_hour(tok_per_day=volume, audio_hours_per_day=hours) == approx(tokens)

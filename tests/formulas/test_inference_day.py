"""A published day of serving, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.inference_day import all_to_all_seconds, answer_positions, machines, two_batch_seconds


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

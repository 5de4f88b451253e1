"""Speculative decoding by hand: geometric sums, and the same under load on four H100."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.speculation import (
    best_draft_tokens,
    heads_tokens_per_pass,
    speculative_speedup,
    speculative_speedup_under_load,
    speculative_tokens_per_pass,
    tree_tokens_per_pass,
)


def speedup(acceptance, draft_tokens, cost):
    tokens = speculative_tokens_per_pass(acceptance=acceptance, draft_tokens=draft_tokens)
    return speculative_speedup(tokens_per_pass=tokens, draft_tokens=draft_tokens, draft_cost_ratio=cost)


def test_tokens_per_pass():
    # 1 + 0.8 + 0.64 + 0.512 + 0.4096
    tokens = speculative_tokens_per_pass(acceptance=0.8, draft_tokens=4)
    assert tokens == approx(3.3616)
    assert tokens == approx(3.362, abs=5e-4)


@pytest.mark.parametrize("acceptance, draft_tokens, by_hand, printed", [
    (0.7, 4, (1 - 0.16807) / 0.3 / 1.20, 2.311),  # 0.7**5 = 0.16807
    (0.8, 4, 3.3616 / 1.20, 2.801),
    (0.8, 5, (1 - 0.262144) / 0.2 / 1.25, 2.951),  # 0.8**6 = 0.262144
    (0.62, 4, (1 - 0.0916132832) / 0.38 / 1.20, 1.992),  # 0.62**5
    (0.83, 4, (1 - 0.3939040643) / 0.17 / 1.20, 2.971),  # 0.83**5
])
def test_speedup_of_the_papers_formula(acceptance, draft_tokens, by_hand, printed):
    assert speedup(acceptance, draft_tokens, 0.05) == approx(by_hand, rel=1e-9)
    assert speedup(acceptance, draft_tokens, 0.05) == approx(printed, abs=5e-4)


@pytest.mark.parametrize("batch, printed", [(1, 2.801), (64, 2.801), (128, 2.094), (200, 1.669)])
def test_speedup_under_load(batch, printed):
    # reading: (140 + B * 0.65536) GB / 13.4 TB/s; arithmetic: B * 145.24288 GFLOP / 3958 TFLOP/s, five-fold to check
    reading = (140 + batch * 0.65536) / 13400
    decode = max(reading, batch * 145.24288 / 3958e3)
    verify = max(reading, 5 * batch * 145.24288 / 3958e3)
    gain = speculative_speedup_under_load(tokens_per_pass=3.3616, draft_tokens=4, draft_cost_ratio=0.05,
                                          decode_s=decode, verify_s=verify)
    assert gain == approx(3.3616 * decode / (verify + 0.2 * decode))
    assert gain == approx(printed, abs=5e-4)


def test_everything_accepted_gives_all_drafts_and_one():
    assert speculative_tokens_per_pass(acceptance=1.0, draft_tokens=4) == 5.0


def test_nothing_drafted_changes_nothing():
    assert speedup(0.8, 0, 0.05) == 1.0


def test_best_number_of_drafts():
    # S(7) = 4.161139/1.35 = 3.0823, S(8) = 4.328911/1.40 = 3.0921, S(9) = 4.463129/1.45 = 3.0780
    assert best_draft_tokens(acceptance=0.8, draft_cost_ratio=0.05, most_draft_tokens=20) == 8
    # a draft as dear as the model itself: 1.8/2 < 1
    assert best_draft_tokens(acceptance=0.8, draft_cost_ratio=1.0, most_draft_tokens=20) == 0
    # the limit binds
    assert best_draft_tokens(acceptance=0.8, draft_cost_ratio=0.05, most_draft_tokens=3) == 3


def test_best_number_of_drafts_over_a_grid():
    acceptance = np.array([[0.6], [0.8]])
    cost = np.array([0.02, 0.05, 1.0])
    best = best_draft_tokens(acceptance=acceptance, draft_cost_ratio=cost, most_draft_tokens=20)
    by_search = [[max(range(21), key=lambda g, a=a, c=c: speedup(a, g, c)) for c in cost]
                 for a in acceptance[:, 0]]
    np.testing.assert_array_equal(best, by_search)


def test_heads():
    # 1 + 0.8 + 0.8 * 0.6 + 0.8 * 0.6 * 0.5
    assert heads_tokens_per_pass(head_acceptances=[0.8, 0.6, 0.5]) == approx(2.52)


def test_tree():
    # two first guesses, one second below each: 1 + 0.6 + 0.2 + 0.6 * 0.5 + 0.2 * 0.4
    tokens = tree_tokens_per_pass(node_acceptances=[0.6, 0.2, 0.5, 0.4], node_parents=[-1, -1, 0, 1])
    assert tokens == approx(2.18)


def test_tree_without_branches_is_a_row_of_heads():
    tokens = tree_tokens_per_pass(node_acceptances=[0.8, 0.6, 0.5], node_parents=[-1, 0, 1])
    assert tokens == heads_tokens_per_pass(head_acceptances=[0.8, 0.6, 0.5])


def test_tree_refuses_lists_of_unlike_length():
    with pytest.raises(ValueError, match="as many entries"):
        tree_tokens_per_pass(node_acceptances=[0.8, 0.6], node_parents=[-1])


@given(acceptance=st.floats(0.01, 0.97), step=st.floats(0.001, 0.02), draft_tokens=st.integers(1, 20),
       cost=st.floats(0, 1))
def test_speedup_rises_with_acceptance(acceptance, step, draft_tokens, cost):
    assert speedup(acceptance + step, draft_tokens, cost) > speedup(acceptance, draft_tokens, cost)


@given(acceptance=st.floats(0, 0.99), draft_tokens=st.integers(0, 30))
def test_sum_is_the_closed_form(acceptance, draft_tokens):
    closed = (1 - acceptance ** (draft_tokens + 1)) / (1 - acceptance)
    tokens = speculative_tokens_per_pass(acceptance=acceptance, draft_tokens=draft_tokens)
    assert tokens == approx(closed, rel=1e-12)
    assert 1 <= tokens <= draft_tokens + 1


@given(factor=st.floats(1, 9), draft_tokens=st.integers(1, 9))
def test_load_never_helps(factor, draft_tokens):
    tokens = speculative_tokens_per_pass(acceptance=0.8, draft_tokens=draft_tokens)
    alone = speculative_speedup(tokens_per_pass=tokens, draft_tokens=draft_tokens, draft_cost_ratio=0.05)
    loaded = speculative_speedup_under_load(tokens_per_pass=tokens, draft_tokens=draft_tokens,
                                            draft_cost_ratio=0.05, decode_s=0.01, verify_s=0.01 * factor)
    assert loaded <= alone * (1 + 1e-12)

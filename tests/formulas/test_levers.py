"""Savings against a stated baseline, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.levers import (
    cascade_usd_per_mtok,
    hybrid_usd_per_mtok,
    precision_saving,
    precision_traffic_ratio,
    prefix_cache_factor,
    residual_saving,
    routed_usd_per_mtok,
    routing_share_needed,
    saving,
    sparse_compute_saving,
    speculative_speedup,
    speculative_speedup_under_load,
    speculative_tokens_per_pass,
    stacked_saving,
)
from tokenecon.formulas.roofline import memory_seconds


@pytest.mark.parametrize("bits, baseline, by_hand", [
    (4, 32, 1 - 4 / 32), (4, 16, 1 - 4 / 16), (4, 8, 1 - 4 / 8), (8, 32, 1 - 8 / 32), (8, 16, 1 - 8 / 16),
])
def test_precision_needs_its_baseline(bits, baseline, by_hand):
    assert precision_saving(bits_per_param=bits, baseline_bits_per_param=baseline) == by_hand


@pytest.mark.parametrize("bits, baseline, by_hand", [(8, 32, 4), (4, 16, 4), (3, 16, 16 / 3), (4, 32, 8)])
def test_traffic_of_precisions(bits, baseline, by_hand):
    assert precision_traffic_ratio(bits_per_param=bits, baseline_bits_per_param=baseline) == by_hand


def test_four_bits_speed_up_a_batch_of_32_by_less_than_four():
    # 140 GB become 70e9 * 4.15625/8 = 36.3671875 GB; the cache of 32 * 0.65536 = 20.97152 GB stays
    def step(weight_bytes):
        return memory_seconds(bytes_moved=weight_bytes + 20.97152e9, n_gpus=4, bytes_per_s_per_gpu=3.35e12, mbu=1.0)
    assert step(140e9) / step(36.3671875e9) == approx(160.97152 / 57.3387075)
    assert step(140e9) / step(36.3671875e9) == approx(2.807, abs=5e-4)
    # Alone and without context the same format gives 16 / 4.15625 = 3.85; four only with scales left out.
    assert precision_traffic_ratio(bits_per_param=4.15625, baseline_bits_per_param=16) == approx(3.8496, abs=5e-5)


@pytest.mark.parametrize("before, after, by_hand", [
    (7, 3.90, 0.4429), (8, 1.49, 0.8137),  # the documents' rents of an H100
    (3.0, 2.5, 0.166667),  # 2.5 times the price for 3 times the work
    (0.90, 0.40, 0.555556),  # occupancy 0.40 -> 0.90 divides the cost by 2.25
    (18000, 4500, 0.75), (2.1e6, 450e3, 0.785714),  # the two cases
])
def test_saving(before, after, by_hand):
    assert saving(before=before, after=after) == approx(by_hand, abs=5e-5)


def test_prefix_cache():
    # 1 - 0.5 * 0.7
    assert prefix_cache_factor(hit_rate=0.5, avoided_share=0.7) == approx(0.65)


@pytest.mark.parametrize("active, total, printed", [(12.9e9, 46.7e9, 0.7238), (37e9, 671e9, 0.9449)])
def test_mixture_of_experts_saves_arithmetic(active, total, printed):
    assert sparse_compute_saving(active_parameters=active, parameters=total) == approx(printed, abs=5e-5)


def test_stacking_and_what_it_leaves_unexplained():
    # 1 - 0.25 * 0.50
    assert stacked_saving(savings=[0.75, 0.50]) == approx(0.875)
    # 450/2100 = 0.2142857; / 0.4 = 0.5357143
    left = residual_saving(before=2.1e6, after=450e3, known_savings=[0.60])
    assert left == approx(1 - 0.2142857143 / 0.4)
    assert left == approx(0.4643, abs=5e-5)


def test_no_lever_saves_nothing():
    assert stacked_saving(savings=[]) == 0
    assert residual_saving(before=5.0, after=2.0, known_savings=[]) == saving(before=5.0, after=2.0)


shares = st.lists(st.floats(0, 0.95), min_size=1, max_size=6)


@given(savings=shares)
def test_together_at_least_the_best_and_at_most_the_sum(savings):
    together = stacked_saving(savings=savings)
    assert max(savings) - 1e-12 <= together <= min(1.0, sum(savings)) + 1e-12
    assert stacked_saving(savings=savings[::-1]) == approx(together, abs=1e-12)


@given(known=shares, rest=st.floats(0, 0.9), before=st.floats(1, 1e6))
def test_residual_completes_the_stack(known, rest, before):
    after = before * (1 - stacked_saving(savings=[*known, rest]))
    assert residual_saving(before=before, after=after, known_savings=known) == approx(rest, abs=1e-9)


def test_blend_with_a_router():
    # 0.7 * 0.1 + 0.3 * 1.0 + 0.02
    cost = routed_usd_per_mtok(shares=[0.7, 0.3], usd_per_mtok=[0.1, 1.0], router_usd_per_mtok=0.02)
    assert cost == approx(0.39)


def test_share_that_a_saving_of_60_percent_needs():
    # 0.60 / (1 - 7/70)
    assert routing_share_needed(saving=0.60, cost_ratio=7 / 70) == approx(0.6 / 0.9)


def test_cascade_costs_more_than_routing():
    # 0.1 + 1/3, against 2/3 * 0.1 + 1/3
    cost = cascade_usd_per_mtok(small_usd_per_mtok=0.1, large_usd_per_mtok=1.0, accepted_share=2 / 3)
    assert cost == approx(0.4333, abs=5e-5)
    assert cost == approx(0.1 + 1 / 3)


def test_hybrid():
    # 0.67 * 2.5 * 0.1 + 0.33 * 1
    cost = hybrid_usd_per_mtok(edge_share=0.67, edge_penalty=2.5, small_usd_per_mtok=0.1, large_usd_per_mtok=1.0)
    assert cost == approx(0.1675 + 0.33)
    assert cost == approx(0.4975)
    # 0.25 * 2.0 * 0.3 + 0.75 * 2.4
    cost = hybrid_usd_per_mtok(edge_share=0.25, edge_penalty=2.0, small_usd_per_mtok=0.3, large_usd_per_mtok=2.4)
    assert cost == approx(0.15 + 1.8)


@pytest.mark.parametrize("shares", [[0.5], [0.5, 0.3, 0.2]])
def test_every_model_needs_its_share(shares):
    with pytest.raises(ValueError, match="give one each"):
        routed_usd_per_mtok(shares=shares, usd_per_mtok=[0.1, 1.0], router_usd_per_mtok=0.0)


@given(saving=st.floats(0.01, 0.6), ratio=st.floats(0.01, 0.35))
def test_the_share_needed_gives_the_saving(saving, ratio):
    share = routing_share_needed(saving=saving, cost_ratio=ratio)
    cost = routed_usd_per_mtok(shares=[share, 1 - share], usd_per_mtok=[ratio, 1.0], router_usd_per_mtok=0.0)
    assert 1 - cost == approx(saving, rel=1e-9)


@given(share=st.floats(0, 1), small=st.floats(0.01, 1), large=st.floats(1, 60))
def test_blend_lies_between_its_prices_and_below_the_cascade(share, small, large):
    blend = routed_usd_per_mtok(shares=[share, 1 - share], usd_per_mtok=[small, large], router_usd_per_mtok=0.0)
    assert small * (1 - 1e-12) <= blend <= large * (1 + 1e-12)
    cascade = cascade_usd_per_mtok(small_usd_per_mtok=small, large_usd_per_mtok=large, accepted_share=share)
    assert cascade >= blend * (1 - 1e-12)


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

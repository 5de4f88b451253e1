"""Blends, cascades and shares, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.routing import (
    blended_quality,
    cascade_usd_per_mtok,
    hybrid_usd_per_mtok,
    routed_usd_per_mtok,
    routing_share_needed,
)


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


def test_quality():
    # 0.7 * 0.80 + 0.3 * 0.95
    assert blended_quality(shares=[0.7, 0.3], qualities=[0.80, 0.95]) == approx(0.845)


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

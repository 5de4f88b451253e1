"""Cost of tokens by hand. Four H100 at 2.695 USD, the middle of 1.49 to 3.90, cost 10.78 USD an hour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.money import (
    margin,
    revenue_from_cost_share,
    usd_per_month,
    usd_per_mtok_blend,
    usd_per_mtok_in,
    usd_per_mtok_out,
    usd_per_request,
    usd_per_tok_from_word,
    usd_per_year,
)


@pytest.mark.parametrize("batch, gigabytes, printed", [(1, 140.65536, 31.43), (32, 160.97152, 1.124)])
def test_output_tokens_on_four_h100(batch, gigabytes, printed):
    # batch tokens every gigabytes/13400 s; 10.78 USD / 3600 s
    rate = batch * 13400 / gigabytes
    cost = usd_per_mtok_out(usd_per_gpu_hour=2.695, gpus=4, tok_out_per_s=rate, utilisation=1.0)
    assert cost == approx(10.78 / 3600 / rate * 1e6)
    assert cost == approx(printed, rel=5e-4)


@pytest.mark.parametrize("rent, printed", [(1.49, 8.278), (3.90, 21.67)])
def test_two_h100_at_the_documents_100_tokens_a_second(rent, printed):
    # 2 * rent for 360,000 tokens
    cost = usd_per_mtok_out(usd_per_gpu_hour=rent, gpus=2, tok_out_per_s=100, utilisation=1.0)
    assert cost == approx(2 * rent / 0.36)
    assert cost == approx(printed, rel=5e-4)


def test_idle_time_is_paid_for():
    # 16 USD; 0.8 h * 3600 s * 5000/s = 14.4 Mtok
    cost = usd_per_mtok_out(usd_per_gpu_hour=2.0, gpus=8, tok_out_per_s=5000, utilisation=0.8)
    assert cost == approx(16 / 14.4)


def test_input_tokens_and_the_blend():
    # 281.16288/1979 s for 2000 tokens: 10.78 / 3600 * 0.1420732 / 0.002
    cost_in = usd_per_mtok_in(usd_per_gpu_hour=2.695, gpus=4, prefill_s=281.16288 / 1979, tok_in=2000,
                              utilisation=1.0)
    assert cost_in == approx(10.78 / 3600 * 281.16288 / 1979 / 0.002)
    assert cost_in == approx(0.2127, abs=5e-5)
    cost_out = 10.78 / 3600 * 160.97152 / 13400 / 32 * 1e6
    blend = usd_per_mtok_blend(usd_per_mtok_in=cost_in, usd_per_mtok_out=cost_out, tok_in=2000, tok_out=500)
    assert blend == approx((2000 * cost_in + 500 * cost_out) / 2500)
    assert blend == approx(0.395, abs=5e-4)


def test_input_tokens_pay_for_idle_time():
    # 4 * 2.5 USD / 3600 s * 0.18 s = 0.0005 USD of busy time, 0.001 paid, for 4000 tokens
    cost = usd_per_mtok_in(usd_per_gpu_hour=2.5, gpus=4, prefill_s=0.18, tok_in=4000, utilisation=0.5)
    assert cost == approx(0.25)


def test_request():
    # 2000 * 2.50e-6 + 500 * 10e-6
    assert usd_per_request(usd_per_mtok_in=2.50, usd_per_mtok_out=10.0, tok_in=2000, tok_out=500) == approx(0.01)


def test_word_and_token():
    # 0.00012 * 0.75 = 0.00009, 90 USD a million
    assert usd_per_tok_from_word(usd_per_word=0.00012, words_per_tok=0.75) == approx(9e-5)


def test_company_sums():
    # 1e9 * 0.001 * 365
    assert usd_per_year(tok_per_day=1e9, usd_per_tok=0.001) == approx(365e6)
    # 0.0009 * 1e9 * 365/12
    assert usd_per_month(tok_per_day=1e9, usd_per_tok=0.001 - 0.0001) == approx(2.7375e7)
    # 2.7e6 * 365 = 985.5e6; / 0.85
    revenue = revenue_from_cost_share(usd_cost_per_year=2.7e6 * 365, cost_share=0.85)
    assert revenue == approx(985.5e6 / 0.85)
    assert revenue == approx(1.15941e9, rel=5e-6)
    assert margin(cost_share=0.85) == approx(0.15)


price = st.floats(0.1, 20)


@given(rent=price, gpus=st.integers(1, 64), rate=st.floats(1, 1e5), use=st.floats(0.01, 1), factor=st.floats(1.1, 9))
def test_cost_scales_with_price_and_against_rate_and_use(rent, gpus, rate, use, factor):
    def cost(rent=rent, rate=rate, use=use):
        return usd_per_mtok_out(usd_per_gpu_hour=rent, gpus=gpus, tok_out_per_s=rate, utilisation=use)
    assert cost(rent=rent * factor) == approx(factor * cost())
    assert cost(rate=rate * factor) == approx(cost() / factor)
    assert cost(use=use / factor) == approx(factor * cost())


@given(cost_in=price, cost_out=price, tok_in=st.integers(1, 100_000), tok_out=st.integers(1, 10_000))
def test_blend_lies_between_and_pays_the_request(cost_in, cost_out, tok_in, tok_out):
    values = {"usd_per_mtok_in": cost_in, "usd_per_mtok_out": cost_out, "tok_in": tok_in, "tok_out": tok_out}
    blend = usd_per_mtok_blend(**values)
    assert min(cost_in, cost_out) * (1 - 1e-12) <= blend <= max(cost_in, cost_out) * (1 + 1e-12)
    assert usd_per_request(**values) == approx(blend * (tok_in + tok_out) / 1e6)


@given(volume=st.floats(1e3, 1e12), cost=st.floats(1e-9, 1e-2))
def test_a_year_is_twelve_months(volume, cost):
    assert usd_per_year(tok_per_day=volume, usd_per_tok=cost) == approx(
        12 * usd_per_month(tok_per_day=volume, usd_per_tok=cost))

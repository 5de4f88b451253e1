"""The documents' case bills read backwards, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.bills import (
    implied_gpus,
    implied_tok_per_s_per_gpu,
    tok_per_s_for_price,
    usd_per_audio_hour_of_bill,
    usd_per_mtok_of_bill,
    usd_per_request_of_bill,
)
from tokenecon.formulas.money import usd_per_mtok_out

DAYS_A_MONTH = 365 / 12


@pytest.mark.parametrize("monthly, printed", [(450e3, 7.397), (2.1e6, 34.52)])
def test_merchant_assistant_per_million_tokens(monthly, printed):
    # 2e9 tokens a day are 60,833 Mtok a month
    cost = usd_per_mtok_of_bill(usd_per_day=monthly / DAYS_A_MONTH, tok_per_day=2e9)
    assert cost == approx(monthly / (2000 * 365 / 12))
    assert cost == approx(printed, rel=5e-4)


def test_merchant_assistant_per_conversation():
    # 450,000 * 12/365 = 14,794.52 a day for 10 million: 1.479 USD a thousand
    cost = usd_per_request_of_bill(usd_per_day=450e3 * 12 / 365, requests_per_day=10e6)
    assert cost == approx(450e3 * 12 / 365 / 10e6)
    assert 1000 * cost == approx(1.479, abs=5e-4)


@pytest.mark.parametrize("rent, gpus_printed, rate_printed", [(3.90, 158.1, 146.5), (1.49, 413.7, 55.95)])
def test_merchant_assistant_fleet(rent, gpus_printed, rate_printed):
    # 450,000 USD over 730 h; 2e9/86400 = 23,148 tokens a second
    gpus = implied_gpus(usd_per_day=450e3 / DAYS_A_MONTH, usd_per_gpu_hour=rent)
    assert gpus == approx(450e3 / 730 / rent)
    assert gpus == approx(gpus_printed, rel=5e-4)
    rate = implied_tok_per_s_per_gpu(tok_per_day=2e9, gpus=gpus)
    assert rate == approx(2e9 / 86400 / gpus)
    assert rate == approx(rate_printed, rel=5e-4)


@pytest.mark.parametrize("daily, per_mtok, per_hour", [(18000, 360, 3.60), (4500, 90, 0.90)])
def test_podcast_transcription(daily, per_mtok, per_hour):
    # 50 Mtok and 5000 h a day
    assert usd_per_mtok_of_bill(usd_per_day=daily, tok_per_day=50e6) == approx(per_mtok)
    assert usd_per_audio_hour_of_bill(usd_per_day=daily, audio_hours_per_day=5000) == approx(per_hour)


def test_rate_that_a_dollar_an_hour_needs():
    # 1/3600/0.8e-6
    assert tok_per_s_for_price(usd_per_hour=1.0, usd_per_mtok=0.80) == approx(347.222, abs=5e-4)


@pytest.mark.parametrize("rent, printed", [(1.49, 1035), (3.90, 2708)])
def test_rate_that_two_h100_need(rent, printed):
    # 2 * rent / 3600 / 0.8e-6
    rate = tok_per_s_for_price(usd_per_hour=2 * rent, usd_per_mtok=0.80)
    assert rate == approx(2 * rent / 0.00288)
    assert rate == approx(printed, abs=0.5)


@given(rent=st.floats(0.1, 20), gpus=st.integers(1, 64), target=st.floats(0.01, 100))
def test_the_rate_needed_costs_the_price(rent, gpus, target):
    rate = tok_per_s_for_price(usd_per_hour=rent * gpus, usd_per_mtok=target)
    cost = usd_per_mtok_out(usd_per_gpu_hour=rent, gpus=gpus, tok_out_per_s=rate, utilisation=1.0)
    assert cost == approx(target)

"""Cost of tokens by hand. Four H100 at 2.695 USD, the middle of 1.49 to 3.90, cost 10.78 USD an hour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas import money
from tokenecon.formulas.money import (
    consolidation_saving,
    egress_usd_per_mtok,
    implied_gpus,
    implied_tok_per_s_per_gpu,
    margin,
    overhead_for_saving,
    premium_saving,
    relative_cost,
    revenue_from_cost_share,
    switch_over_utilisation,
    tok_per_s_for_price,
    usd_per_audio_hour_of_bill,
    usd_per_month,
    usd_per_mtok_blend,
    usd_per_mtok_of_bill,
    usd_per_mtok_of_seconds,
    usd_per_mtok_out,
    usd_per_request_of_bill,
    usd_per_tok_from_word,
    usd_per_year,
)


@pytest.mark.parametrize("batch, gigabytes, printed", [(1, 140.65536, 31.43), (32, 160.97152, 1.124)])
def test_output_tokens_on_four_h100(batch, gigabytes, printed):
    # batch tokens every gigabytes/13400 s; 10.78 USD / 3600 s
    rate = batch * 13400 / gigabytes
    cost = usd_per_mtok_out(usd_per_gpu_hour=2.695, n_gpus=4, tok_out_per_s=rate, utilisation=1.0)
    assert cost == approx(10.78 / 3600 / rate * 1e6)
    assert cost == approx(printed, rel=5e-4)


@pytest.mark.parametrize("rent, printed", [(1.49, 8.278), (3.90, 21.67)])
def test_two_h100_at_the_documents_100_tokens_a_second(rent, printed):
    # 2 * rent for 360,000 tokens
    cost = usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=2, tok_out_per_s=100, utilisation=1.0)
    assert cost == approx(2 * rent / 0.36)
    assert cost == approx(printed, rel=5e-4)


def test_idle_time_is_paid_for():
    # 16 USD; 0.8 h * 3600 s * 5000/s = 14.4 Mtok
    cost = usd_per_mtok_out(usd_per_gpu_hour=2.0, n_gpus=8, tok_out_per_s=5000, utilisation=0.8)
    assert cost == approx(16 / 14.4)


def test_a_month_of_gpus_and_its_tokens_by_kind():
    # 4 * 2.695 USD = 10.78 an hour, 730 hours; 10% of the tokens are output and cause 60% of the time
    assert money.usd_per_month_of_gpus(usd_per_gpu_hour=2.695, n_gpus=4) == approx(7869.4)
    assert money.usd_per_mtok_of_kind(usd_per_mtok=3.0, time_share=0.6, tok_share=0.1) == approx(18.0)
    assert money.usd_per_mtok_of_kind(usd_per_mtok=3.0, time_share=0.4, tok_share=0.9) == approx(4 / 3)


def test_input_tokens_and_the_blend():
    # 281.16288/1979 s for 2000 tokens: 10.78 / 3600 * 0.1420732 / 0.002
    cost_in = usd_per_mtok_of_seconds(usd_per_gpu_hour=2.695, n_gpus=4, busy_s=281.16288 / 1979, tok=2000, utilisation=1.0)
    assert cost_in == approx(10.78 / 3600 * 281.16288 / 1979 / 0.002)
    assert cost_in == approx(0.2127, abs=5e-5)
    cost_out = 10.78 / 3600 * 160.97152 / 13400 / 32 * 1e6
    blend = usd_per_mtok_blend(usd_per_mtok_in=cost_in, usd_per_mtok_out=cost_out, isl=2000, osl=500)
    assert blend == approx((2000 * cost_in + 500 * cost_out) / 2500)
    assert blend == approx(0.395, abs=5e-4)


def test_input_tokens_pay_for_idle_time():
    # 4 * 2.5 USD / 3600 s * 0.18 s = 0.0005 USD of busy time, 0.001 paid, for 4000 tokens
    cost = usd_per_mtok_of_seconds(usd_per_gpu_hour=2.5, n_gpus=4, busy_s=0.18, tok=4000, utilisation=0.5)
    assert cost == approx(0.25)


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


@given(rent=price, n_gpus=st.integers(1, 64), rate=st.floats(1, 1e5), use=st.floats(0.01, 1), factor=st.floats(1.1, 9))
def test_cost_scales_with_price_and_against_rate_and_use(rent, n_gpus, rate, use, factor):
    def cost(rent=rent, rate=rate, use=use):
        return usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=n_gpus, tok_out_per_s=rate, utilisation=use)
    assert cost(rent=rent * factor) == approx(factor * cost())
    assert cost(rate=rate * factor) == approx(cost() / factor)
    assert cost(use=use / factor) == approx(factor * cost())


@given(cost_in=price, cost_out=price, isl=st.integers(1, 100_000), osl=st.integers(1, 10_000))
def test_blend_lies_between(cost_in, cost_out, isl, osl):
    values = {"usd_per_mtok_in": cost_in, "usd_per_mtok_out": cost_out, "isl": isl, "osl": osl}
    blend = usd_per_mtok_blend(**values)
    assert min(cost_in, cost_out) * (1 - 1e-12) <= blend <= max(cost_in, cost_out) * (1 + 1e-12)


@given(volume=st.floats(1e3, 1e12), cost=st.floats(1e-9, 1e-2))
def test_a_year_is_twelve_months(volume, cost):
    assert usd_per_year(tok_per_day=volume, usd_per_tok=cost) == approx(
        12 * usd_per_month(tok_per_day=volume, usd_per_tok=cost))


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
    n_gpus = implied_gpus(usd_per_day=450e3 / DAYS_A_MONTH, usd_per_gpu_hour=rent)
    assert n_gpus == approx(450e3 / 730 / rent)
    assert n_gpus == approx(gpus_printed, rel=5e-4)
    rate = implied_tok_per_s_per_gpu(tok_per_day=2e9, n_gpus=n_gpus)
    assert rate == approx(2e9 / 86400 / n_gpus)
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


@given(rent=st.floats(0.1, 20), n_gpus=st.integers(1, 64), target=st.floats(0.01, 100))
def test_the_rate_needed_costs_the_price(rent, n_gpus, target):
    rate = tok_per_s_for_price(usd_per_hour=rent * n_gpus, usd_per_mtok=target)
    cost = usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=n_gpus, tok_out_per_s=rate, utilisation=1.0)
    assert cost == approx(target)


@pytest.mark.parametrize("price_ratio, speed_ratio, by_hand", [
    (2.5, 3.0, 0.8333),  # the documents' H100 against A100
    (2.5, 100 / 60, 1.5),  # their throughputs say otherwise
    (0.60, 5.3 / 3.35, 0.3792),  # MI300X against H100, by bandwidth
])
def test_relative_cost(price_ratio, speed_ratio, by_hand):
    assert relative_cost(price_ratio=price_ratio, speed_ratio=speed_ratio) == approx(by_hand, abs=5e-5)


@pytest.mark.parametrize("large, small, by_hand, printed", [
    (6.00, 3.90, 1 - 6.00 / 7.80, 0.2308), (2.15, 1.49, 1 - 2.15 / 2.98, 0.2785),
])
def test_one_h200_for_two_h100_of_equal_speed(large, small, by_hand, printed):
    saved = consolidation_saving(
        large_usd_per_gpu_hour=large, large_gpus=1, large_tok_per_s=60, small_usd_per_gpu_hour=small,
        small_gpus=2, small_tok_per_s=60, small_efficiency=1.0)
    assert saved == approx(by_hand)
    assert saved == approx(printed, abs=5e-5)


def test_consolidation_with_a_lossy_split():
    # large: 2 * 4/100 = 0.08; small: 5 * 2.5 / (120 * 0.9) = 0.1157407
    saved = consolidation_saving(
        large_usd_per_gpu_hour=4.0, large_gpus=2, large_tok_per_s=100, small_usd_per_gpu_hour=2.5,
        small_gpus=5, small_tok_per_s=120, small_efficiency=0.9)
    assert saved == approx(1 - 0.08 * 108 / 12.5)


def test_switch_over_from_cpu_to_gpu():
    # 3.90 / (3600 * 3000 * 0.8e-6) = 3.90/8.64
    share = switch_over_utilisation(usd_per_gpu_hour=3.90, n_gpus=1, tok_per_s=3000, usd_per_mtok_other=0.80)
    assert share == approx(3.90 / 8.64)
    assert share == approx(0.4514, abs=5e-5)


@pytest.mark.parametrize("overhead, by_hand", [(0, 0.9), (1, 0.8), (2, 0.7)])
def test_premium_of_ten(overhead, by_hand):
    assert premium_saving(premium=10, overhead=overhead) == approx(by_hand)
    assert overhead_for_saving(premium=10, saving=by_hand) == approx(overhead, abs=1e-12)


def test_egress_is_negligible():
    # 4 B * 1e6 = 0.004 GB, at 0.09 USD
    assert egress_usd_per_mtok(bytes_per_tok=4, usd_per_gb=0.09) == approx(3.6e-4)


@given(rent=st.floats(0.1, 20), n_gpus=st.integers(1, 16), rate=st.floats(10, 1e5), api=st.floats(0.05, 60))
def test_at_the_switch_over_share_a_machine_costs_what_the_api_does(rent, n_gpus, rate, api):
    share = switch_over_utilisation(usd_per_gpu_hour=rent, n_gpus=n_gpus, tok_per_s=rate, usd_per_mtok_other=api)
    cost = usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=n_gpus, tok_out_per_s=rate, utilisation=share)
    assert cost == approx(api)


def test_cost_of_half_a_second_on_eight_gpus():
    # 8 GPUs at 2.5 USD/h are 20 USD/h; 0.5 s are 20/7200 USD; for 400 tokens, half of the time paid for nothing:
    # 20/7200 / 400 * 1e6 / 0.5 = 13.888...
    cost = money.usd_per_mtok_of_seconds(usd_per_gpu_hour=2.5, n_gpus=8, busy_s=0.5, tok=400, utilisation=0.5)
    assert cost == pytest.approx(20 / 7200 / 400 * 1e6 / 0.5) == pytest.approx(13.8889, abs=1e-4)


seconds = st.floats(1e-3, 100)


@given(prefill=seconds, decode=seconds, attended=st.floats(0, 1), read=st.floats(0, 1), isl=st.floats(1, 1e5),
       osl=st.floats(1, 1e4), cached=st.floats(0, 0.99))
def test_the_parts_are_the_whole_and_none_is_negative(prefill, decode, attended, read, isl, osl, cached):
    lengths = {"context_positions": isl + osl / 2, "cache_read_s": read * decode}
    parts = (
        money.input_seconds(prefill_s=prefill, prefix_attention_s=attended * prefill, new_positions=isl * (1 - cached),
                            **lengths),
        money.cached_seconds(prefix_attention_s=attended * prefill, cached_positions=isl * cached, **lengths),
        money.output_seconds(decode_s=decode, prompt_positions=isl, **lengths))
    assert sum(parts) == pytest.approx(prefill + decode, rel=1e-9)
    assert min(parts) >= -1e-9 * (prefill + decode)

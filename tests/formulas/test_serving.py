"""Rates, latencies and concurrency of an instance, by hand."""

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.serving import (
    concurrent_streams,
    decode_tok_out_per_s,
    littles_concurrency,
    prefill_share,
    request_seconds,
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


def test_share_of_prefill():
    # 142.07 ms of prefill; 500 tokens take 500 * 12.0128 / 32 = 187.70 ms of the instance's time
    share = prefill_share(prefill_s=0.14207, tok_out=500, step_s=0.0120128, batch=32, tok_out_per_pass=1)
    assert share == approx(142.07 / (142.07 + 187.70))


@given(prefill=st.floats(0.001, 10), batch=st.integers(1, 500), advance=st.floats(1, 5))
def test_share_of_prefill_rises_when_decoding_gets_cheaper(prefill, batch, advance):
    values = {"prefill_s": prefill, "tok_out": 500, "step_s": 0.012}
    here = prefill_share(batch=batch, tok_out_per_pass=advance, **values)
    assert 0 < here < 1
    assert prefill_share(batch=batch + 1, tok_out_per_pass=advance, **values) > here
    assert prefill_share(batch=batch, tok_out_per_pass=advance * 1.1, **values) > here

"""Energy of a token, and what a watt and a dollar give, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.efficiency import (
    bandwidth_per_usd,
    bandwidth_per_watt,
    energy_usd_per_mtok_out,
    gco2e_per_mtok_out,
    joules_per_tok_out,
    memory_per_watt,
)


def test_energy_of_a_token_alone_on_an_h100():
    # 700 W * 140/3350 s
    joules = joules_per_tok_out(n_gpus=1, watts_per_gpu=700, pue=1.0, tok_out_per_s=3350 / 140)
    assert joules == approx(700 * 140 / 3350)
    assert joules == approx(29.25, abs=5e-3)


def test_energy_of_four_gpus_in_a_building():
    # 4 * 700 * 1.3 / 2000
    assert joules_per_tok_out(n_gpus=4, watts_per_gpu=700, pue=1.3, tok_out_per_s=2000) == approx(1.82)


def test_electricity_and_carbon_of_a_million():
    # 29.25e6 J = 8.125 kWh
    assert energy_usd_per_mtok_out(kwh_per_mtok_out=8.125, usd_per_kwh=0.10) == approx(0.8125)
    assert gco2e_per_mtok_out(kwh_per_mtok_out=8.125, gco2e_per_kwh=400) == approx(3250)


@pytest.mark.parametrize("watts, by_hand, printed", [
    (600, 3.7 / 600 / (3.35 / 700), 1.289), (900, 3.7 / 900 / (3.35 / 700), 0.859),
])
def test_gaudi_3_against_h100_for_a_watt(watts, by_hand, printed):
    ratio = (bandwidth_per_watt(bytes_per_s_per_gpu=3.7e12, watts_per_gpu=watts)
             / bandwidth_per_watt(bytes_per_s_per_gpu=3.35e12, watts_per_gpu=700))
    assert ratio == approx(by_hand)
    assert ratio == approx(printed, abs=5e-4)


def test_watts_and_dollars_divide():
    assert memory_per_watt(memory_bytes_per_gpu=141e9, watts_per_gpu=700) == approx(141e9 / 700)
    assert bandwidth_per_usd(bytes_per_s_per_gpu=4.8e12, usd_per_gpu=32e3) == approx(150e6)


@given(rate=st.floats(1, 1e5), factor=st.floats(1.01, 100))
def test_energy_falls_as_the_rate_rises(rate, factor):
    values = {"n_gpus": 2, "watts_per_gpu": 700, "pue": 1.2}
    assert joules_per_tok_out(tok_out_per_s=rate * factor, **values) == approx(
        joules_per_tok_out(tok_out_per_s=rate, **values) / factor)

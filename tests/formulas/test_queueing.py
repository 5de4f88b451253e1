"""Erlang's formulas against published tables, Poisson sums and hand arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tokenecon.formulas.queueing import (
    erlang_b,
    erlang_c,
    mean_wait_seconds,
    offered_load,
    square_root_staffing,
    utilisation_at_target,
    waiting_probability,
)


def waiting_by_poisson_sum(servers, load):
    """Erlang C from its definition, with Poisson probabilities in place of the recursion."""
    blocked = stats.poisson.pmf(servers, load) / stats.poisson.cdf(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize("servers, load", [(1, 0.0101), (2, 0.153), (5, 1.36), (10, 4.46), (20, 12.0), (50, 37.9)])
def test_erlang_b_table_at_one_percent(servers, load):
    # The loads at which traffic tables give 1 % blocking, to three digits of the load.
    below = erlang_b(servers=servers, offered_load=load * 0.995)
    above = erlang_b(servers=servers, offered_load=load * 1.005)
    assert below < 0.01 < above


def test_small_cases_by_hand():
    # one server, a = 0.5: 0.5/1.5; two servers: (0.5 * 1/3)/(2 + 0.5 * 1/3) = 1/13
    assert erlang_b(servers=1, offered_load=0.5) == approx(1 / 3)
    assert erlang_b(servers=2, offered_load=0.5) == approx(1 / 13)
    # C = (1/13)/(1 - 0.25 * 12/13) = 1/10
    assert erlang_c(servers=2, offered_load=0.5) == approx(0.1)


def test_load_and_mean_wait_by_hand():
    assert offered_load(requests_per_s=2.5, service_s=8.0) == 20.0
    # C(2, 0.5) = 0.1; 0.1 * 8 s / 1.5 = 0.5333 s; halved variation: (1 + 0.25)/2
    wait = mean_wait_seconds(servers=2, offered_load=0.5, service_s=8.0, arrival_variation=1.0,
                             service_variation=0.25)
    assert wait == approx(0.1 * 8 / 1.5 * 0.625)


def test_mean_wait_of_one_server_is_pollaczek_khinchine():
    # M/D/1 at 80 %: rho s / (1 - rho) / 2 = 0.8 * 3 / 0.2 / 2 = 6 s; the approximation is exact there
    wait = mean_wait_seconds(servers=1, offered_load=0.8, service_s=3.0, arrival_variation=1.0,
                             service_variation=0.0)
    assert wait == approx(6.0)


def test_waiting_longer_by_hand():
    # C(2, 0.5) = 0.1; exp(-1.5 * 4/8)
    chance = waiting_probability(servers=2, offered_load=0.5, service_s=8.0, wait_s=4.0)
    assert chance == approx(0.1 * 0.4723665527)


@pytest.mark.parametrize("servers, target, printed", [
    (10, 0.01, 0.4077), (100, 0.01, 0.7785), (1000, 0.01, 0.9265), (10, 0.05, 0.5285),
])
def test_utilisation_at_target(servers, target, printed):
    utilisation = utilisation_at_target(servers=servers, service_s=20.0, wait_s=0.0, wait_probability=target)
    assert utilisation == approx(printed, abs=5e-5)
    # Put back into the sums, the load gives the target.
    assert waiting_by_poisson_sum(servers, utilisation * servers) == approx(target, rel=1e-9)


def test_central_utilisation_to_six_digits():
    found = utilisation_at_target(servers=1000, service_s=1.0, wait_s=0.0, wait_probability=0.01)
    assert found == approx(0.926497, abs=5e-7)


def test_staffing():
    # 850 + sqrt(850) = 850 + 29.1548
    assert square_root_staffing(offered_load=850, service_grade=1.0) == approx(850 + 29.15475947)
    assert square_root_staffing(offered_load=850, service_grade=1.0) == approx(879.2, abs=0.05)


def test_overload_makes_everybody_wait():
    assert erlang_c(servers=3, offered_load=3.0) == 1.0
    assert erlang_c(servers=3, offered_load=7.0) == 1.0
    assert waiting_probability(servers=3, offered_load=7.0, service_s=2.0, wait_s=60.0) == 1.0
    overload = {"service_s": 2.0, "arrival_variation": 1.0, "service_variation": 1.0}
    assert mean_wait_seconds(servers=3, offered_load=3.0, **overload) == float("inf")
    with np.errstate(all="raise"):
        waits = mean_wait_seconds(servers=3, offered_load=np.array([1.5, 3.0, 7.0]), **overload)
    assert np.isfinite(waits).tolist() == [True, False, False]


def test_pools_and_targets_broadcast():
    servers = np.array([[1], [10], [100]])
    targets = np.array([0.01, 0.05])
    together = utilisation_at_target(servers=servers, service_s=1.0, wait_s=0.0, wait_probability=targets)
    alone = [[utilisation_at_target(servers=int(c), service_s=1.0, wait_s=0.0, wait_probability=float(p))
              for p in targets] for c in servers[:, 0]]
    assert together.shape == (3, 2)
    np.testing.assert_allclose(together, alone, rtol=1e-13)


@given(servers=st.integers(1, 200), utilisation=st.floats(0.01, 0.99))
def test_erlang_c_is_the_poisson_sum_and_a_probability(servers, utilisation):
    waiting = erlang_c(servers=servers, offered_load=utilisation * servers)
    assert 0 <= waiting <= 1
    assert waiting == approx(waiting_by_poisson_sum(servers, utilisation * servers), rel=1e-8, abs=1e-300)
    assert waiting >= erlang_b(servers=servers, offered_load=utilisation * servers)


@given(servers=st.integers(1, 100), utilisation=st.floats(0.05, 0.9), more=st.floats(1.01, 1.1))
def test_waiting_rises_with_load_and_falls_with_patience(servers, utilisation, more):
    load = utilisation * servers
    here = waiting_probability(servers=servers, offered_load=load, service_s=10.0, wait_s=1.0)
    assert waiting_probability(servers=servers, offered_load=load * more, service_s=10.0, wait_s=1.0) > here
    assert waiting_probability(servers=servers, offered_load=load, service_s=10.0, wait_s=2.0) < here


@settings(max_examples=30)
@given(servers=st.integers(1, 60), factor=st.integers(2, 6), target=st.floats(0.001, 0.5),
       patience=st.floats(0, 2))
def test_pooling_never_hurts(servers, factor, target, patience):
    small = utilisation_at_target(servers=servers, service_s=1.0, wait_s=patience, wait_probability=target)
    large = utilisation_at_target(servers=servers * factor, service_s=1.0, wait_s=patience,
                                  wait_probability=target)
    assert 0 < small < large < 1

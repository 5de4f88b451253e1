"""Erlang's formulas against published tables, Poisson sums and hand arithmetic."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import integrate, optimize, stats

from tokenecon.formulas.queueing import (
    edge_cost_ratio,
    erlang_b,
    erlang_c,
    full_slots_share,
    mean_utilisation,
    offered_load,
    population_variance_ratio,
    spare_ratio,
    stay_variance_ratio,
    to_zero_cold_share,
    to_zero_paid_share,
    utilisation_at_target,
    waiting_decay,
    waiting_probability,
    waiting_prompts,
)


def waiting_by_poisson_sum(servers, load):
    """Erlang C from its definition, with Poisson probabilities in place of the recursion."""
    blocked = stats.poisson.pmf(servers, load) / stats.poisson.cdf(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize("servers, load", [(1, 0.0101), (2, 0.153), (5, 1.36), (10, 4.46), (20, 12.0), (50, 37.9)])
def test_erlang_b_table_at_one_percent(servers, load):
    # The loads at which traffic tables give 1% blocking, to three digits of the load.
    below = erlang_b(servers=servers, offered_load=load * 0.995)
    above = erlang_b(servers=servers, offered_load=load * 1.005)
    assert below < 0.01 < above


def test_small_cases_by_hand():
    # one server, a = 0.5: 0.5/1.5; two servers: (0.5 * 1/3)/(2 + 0.5 * 1/3) = 1/13
    assert erlang_b(servers=1, offered_load=0.5) == approx(1 / 3)
    assert erlang_b(servers=2, offered_load=0.5) == approx(1 / 13)
    # C = (1/13)/(1 - 0.25 * 12/13) = 1/10
    assert erlang_c(servers=2, offered_load=0.5) == approx(0.1)


def test_load_by_hand():
    assert offered_load(requests_per_s=2.5, service_s=8.0) == 20.0


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


def test_overload_makes_everybody_wait():
    assert erlang_c(servers=3, offered_load=3.0) == 1.0
    assert erlang_c(servers=3, offered_load=7.0) == 1.0
    assert waiting_probability(servers=3, offered_load=7.0, service_s=2.0, wait_s=60.0) == 1.0


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


def test_mean_utilisation_of_a_fleet_for_the_peak():
    # 0.8 in the busiest hour, which has 2.5 times the mean load
    assert mean_utilisation(peak_utilisation=0.8, peak_to_mean=2.5) == approx(0.32)


def test_one_spare_for_ten():
    assert spare_ratio(servers=10, spares=1) == approx(11 / 10)


@pytest.mark.parametrize("edge, overhead, by_hand, printed", [
    (0.50, 0.0, 85 / 50, 1.70), (0.40, 0.0, 85 / 40, 2.13),
    (0.50, 1 / 3, 85 / 50 / 0.75, 2.267), (0.40, 1 / 3, 85 / 40 / 0.75, 2.833),  # 1/0.75 is an overhead of 1/3
])
def test_edge_against_centre(edge, overhead, by_hand, printed):
    ratio = edge_cost_ratio(central_utilisation=0.85, edge_utilisation=edge, overhead=overhead)
    assert ratio == approx(by_hand)
    assert ratio == approx(printed, abs=5.0001e-3)


def test_a_server_that_stops_by_hand():
    # A request every 100 s, held for 30 s, starts of 100 s. e**-0.3 = 0.740818, so a start of 100 s follows the waiting of
    # 100 s: a cycle is 100 s of waiting, 100 s of start and (e**0.3 - 1) * 100 s = 34.9859 s of service
    assert to_zero_paid_share(requests_per_s=0.01, held_s=30.0, start_s=100.0) == approx(134.98588 / 234.98588)
    # of the 2.3498588 requests of a cycle, 1 starts the server and 1 comes while it starts
    assert to_zero_cold_share(requests_per_s=0.01, held_s=30.0, start_s=100.0) == approx(2 / 2.3498588)


def test_a_start_that_takes_no_time_leaves_the_busy_share_of_infinitely_many_servers():
    # 1 - e**-0.6 = 0.451188; a request finds nobody there with probability e**-0.6
    assert to_zero_paid_share(requests_per_s=0.02, held_s=30.0, start_s=0.0) == approx(0.4511884)
    assert to_zero_cold_share(requests_per_s=0.02, held_s=30.0, start_s=0.0) == approx(0.5488116)


def test_a_server_that_stops_by_simulation():
    rate, held, start = 0.02, 25.0, 60.0
    clock = random.Random(20261122)
    now, paid, cold, requests, until, ready = 0.0, 0.0, 0, 60_000, 0.0, 0.0
    for _ in range(requests):
        now += clock.expovariate(rate)
        if now >= until:  # stopped: a start, in which others wait
            ready, begun = now + start, now
            until = ready + held
            paid += until - begun
        else:
            longer = max(until, max(now, ready) + held)
            paid += longer - until
            until = longer
        cold += now < ready
    case = {"requests_per_s": rate, "held_s": held, "start_s": start}
    assert to_zero_paid_share(**case) == approx(paid / now, rel=0.01)
    assert to_zero_cold_share(**case) == approx(cold / requests, rel=0.01)


@given(rate=st.floats(1e-6, 10.0), held=st.floats(0.1, 1e3), start=st.floats(0.0, 1e3))
def test_shares_are_shares_and_a_longer_start_costs_more(rate, held, start):
    case = {"requests_per_s": rate, "held_s": held}
    for share in (to_zero_paid_share, to_zero_cold_share):
        assert 0 <= share(**case, start_s=start) <= share(**case, start_s=start + 1.0) <= 1


@pytest.mark.parametrize(("utilisation", "within"), [(0.1, 0.02), (0.3, 0.005), (0.5, 0.002), (0.9, 1e-4), (0.999, 1e-6)])
def test_decay_is_near_the_root_of_its_equation(utilisation, within):
    root = optimize.brentq(lambda x: utilisation * np.expm1(x) - x, 1e-9, 50, xtol=1e-14)
    assert waiting_decay(utilisation=utilisation) == approx(root, rel=within)


def test_decay_of_waits_behind_equal_jobs():
    """M/D/1 by its recursion: of waits of 2 services or more, each service more lets e to minus x of them."""
    draw = np.random.default_rng(1)
    walk = np.concatenate([[0.0], np.cumsum(1.0 - draw.exponential(1 / 0.8, 1_000_000))])  # services less gaps
    wait = walk - np.minimum.accumulate(walk)
    assert np.log((wait > 2).mean() / (wait > 6).mean()) / 4 == approx(waiting_decay(utilisation=0.8), rel=0.05)


@pytest.mark.parametrize(("decode", "prefill"), [(0.1, 0.0), (0.5, 0.0), (0.9, 0.0), (0.0, 0.6), (0.2, 0.5), (0.4, 0.4)])
def test_variances_are_integrals_of_the_spectrum(decode, prefill):
    """Hawkes: each arrival excites others at once (prompt) and evenly over an answer, here of length 1."""
    u = np.concatenate([np.linspace(0, 3, 60001), np.linspace(3, 3000, 600001)[1:]])
    half = np.sinc(u / 2 / np.pi)  # sin(u/2)/(u/2)
    answer = np.exp(-0.5j * u) * half

    def integral(weight):
        return integrate.trapezoid(abs(weight) ** 2 / abs(1 - prefill - decode * answer) ** 2, u) / np.pi

    feedback = {"decode_feedback": decode, "prefill_feedback": prefill}
    assert population_variance_ratio(**feedback) == approx(integral(answer), rel=2e-3)
    assert stay_variance_ratio(**feedback) == approx(integral(decode * half**2 + prefill * answer), rel=5e-3)


def test_prompts_left_over_are_those_of_a_single_server():
    # M/D/1 with one prompt a pass: rho**2/(2 (1 - rho)) wait
    for load in (0.2, 0.5, 0.9):
        found = waiting_prompts(prompts=load, square=load, arrivals_square=load**2, most=1.0, full_arrivals=load)
        assert found == approx(load**2 / 2 / (1 - load))


@pytest.mark.parametrize(("slots", "load"), [(98, 0.9), (98, 0.95), (400, 0.95), (1000, 0.98)])
def test_share_that_waits_behind_equal_services(slots, load):
    """M/D/N: request k takes the slot of request k - N (exact), a walk of steps service less N gaps."""
    draw = np.random.default_rng(3)
    gaps = draw.gamma(slots, 1 / slots / load, (400, 4000))
    walk = np.cumsum(1.0 - gaps, axis=1)
    wait = walk - np.minimum(np.minimum.accumulate(walk, axis=1), 0.0)
    expected = (wait[:, 400:] > 0).mean()
    mean = slots * load
    z = (slots - mean) / np.sqrt(mean)
    found = full_slots_share(density=stats.norm.pdf(z) / np.sqrt(mean), below=stats.norm.cdf(z), spread=1.0,
                             decay=waiting_decay(utilisation=load))
    assert found == approx(expected, rel=0.12)

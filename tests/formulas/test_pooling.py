"""Peaks, steps, spares, edge sites and isolated tenants, by hand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.pooling import (
    edge_cost_ratio,
    isolation_penalty,
    mean_utilisation,
    provisioned_gpus,
    spare_ratio,
    to_zero_cold_share,
    to_zero_paid_share,
)
from tokenecon.formulas.queueing import utilisation_at_target


def test_mean_utilisation_of_a_fleet_for_the_peak():
    # 0.8 in the busiest hour, which has 2.5 times the mean load
    assert mean_utilisation(peak_utilisation=0.8, peak_to_mean=2.5) == approx(0.32)


@pytest.mark.parametrize("needed, by_hand", [(0.0, 8), (7.5, 8), (8.0, 8), (9.0, 12), (12.1, 16)])
def test_steps_of_four_with_a_floor_of_eight(needed, by_hand):
    assert provisioned_gpus(gpus_needed=needed, gpus_per_step=4, fewest_gpus=8) == by_hand


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


def test_ten_isolated_tenants():
    pooled = utilisation_at_target(servers=100, service_s=1.0, wait_s=0.0, wait_probability=0.01)
    isolated = utilisation_at_target(servers=10, service_s=1.0, wait_s=0.0, wait_probability=0.01)
    # 0.7785/0.4077, and with a batch that makes each token dearer by 1.4/1.0 as well
    penalty = isolation_penalty(pooled_utilisation=pooled, isolated_utilisation=isolated, pooled_cost=1.0,
                                isolated_cost=1.0)
    assert penalty == approx(1.90955, abs=5e-6)
    both = isolation_penalty(pooled_utilisation=0.8, isolated_utilisation=0.5, pooled_cost=0.5, isolated_cost=0.7)
    assert both == approx(1.6 * 1.4)


@given(needed=st.floats(0, 1e4), step=st.integers(1, 16), fewest=st.integers(0, 64))
def test_provision_covers_the_need_and_little_more(needed, step, fewest):
    kept = provisioned_gpus(gpus_needed=needed, gpus_per_step=step, fewest_gpus=fewest)
    assert kept >= needed and kept >= fewest
    assert kept == fewest or kept <= needed + step


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

"""Erlang's C on floats, on arrays, and without SciPy: the same chances and the same fleets."""

import numpy as np
import pytest

from tokenecon.fleet import erlang, planning, poisson
from tokenecon.formulas import queueing

POOLS = [(slots, slots * full) for slots in (1.0, 2.0, 8.0, 37.5, 400.0, 30_000.0, 2e6) for full in (1e-9, 0.2, 0.9, 0.9999)]


def test_arrays_give_what_floats_give():
    slots, load = np.array(POOLS).T
    waits = erlang.waiting(slots=slots, load=load)
    assert [erlang.waiting(slots=one, load=other) for one, other in POOLS] == pytest.approx(waits, rel=1e-12, abs=1e-300)
    full = erlang.utilisation(slots=slots, wait_probability=0.02)
    assert [erlang.utilisation(slots=one, wait_probability=0.02) for one, _ in POOLS] == pytest.approx(full, rel=1e-12)
    fleets = erlang.fleet(load=load, places=6.5, wait_probability=0.05)
    assert [erlang.fleet(load=other, places=6.5, wait_probability=0.05) for _, other in POOLS] == list(fleets)


@pytest.mark.parametrize(("slots", "load"), POOLS)
def test_without_scipy_the_chance_is_the_same(monkeypatch, slots, load):
    here = erlang.waiting(slots=slots, load=load), poisson.fewer(slots + 1, load), poisson.fewer(slots + 1, slots * 1.1)
    monkeypatch.setattr(poisson, "special", None)
    there = erlang.waiting(slots=slots, load=load), poisson.fewer(slots + 1, load), poisson.fewer(slots + 1, slots * 1.1)
    assert there == pytest.approx(here, rel=1e-9, abs=1e-200)
    assert isinstance(there[0], float)


@pytest.mark.parametrize("slots", [1, 7, 120])
def test_the_chance_is_that_of_the_recursion(slots):
    exact = queueing.waiting_probability(servers=slots, offered_load=0.8 * slots, service_s=1.0, wait_s=0.0)
    assert erlang.waiting(slots=float(slots), load=0.8 * slots) == pytest.approx(exact, rel=1e-10)


def test_slots_needed_meet_the_target_and_fewer_do_not():
    for load in (0.01, 3.0, 1234.5):
        for target in (0.5, 0.01, 1e-6):
            slots = erlang.slots_needed(load=load, wait_probability=target)
            assert erlang.waiting(slots=slots, load=load) == pytest.approx(target, rel=1e-9)


def test_the_smallest_fleet_is_enough_and_one_less_is_not():
    for rate in (0.1, 5.0, 800.0):
        fleet = planning.replicas(rate, requests_per_s=2.0, concurrency=16.0, wait_probability=0.03)
        load = rate * 16.0 / 2.0
        assert fleet == erlang.fleet(load=load, places=16.0, wait_probability=0.03)
        assert erlang.waiting(slots=fleet * 16.0, load=load) <= 0.03
        assert (fleet - 1) * 16.0 <= load or erlang.waiting(slots=(fleet - 1) * 16.0, load=load) > 0.03

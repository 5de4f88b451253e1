"""One arithmetic for tables of hours, for lists of floats and for the reader's browser: all three give the same numbers."""

import json
import pathlib
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenecon
from tokenecon.fleet import erlang, planning, poisson, policies, traffic

HERE = pathlib.Path(__file__).parent
PACKAGE = pathlib.Path(tokenecon.__file__).parent
PRICE = {"usd_per_replica_hour": 9.9, "tok_per_request": 700.0}
TERMS = {"requests_per_s": 6.6, "concurrency": 76.0, "wait_probability": 0.01, "start_h": 0.1, "floor": 1.0, "percentile": 1.0,
         "headroom": 1.0, "mean_requests_per_s": 40.0}
PROFILES = {"a day": traffic.profile("diurnal"), "a week": traffic.profile("weekly"),
            "a week of a service": traffic.profile("servegen-m-mid").head(168)}  # with hours without any request
CHANGES = {
    "as it is": {},
    "for most hours": {"percentile": 0.9, "headroom": 1.3},
    "hours to start, nothing kept": {"start_h": 2.6, "floor": 0.0},
    "one place each": {"requests_per_s": 0.5, "concurrency": 1.0, "mean_requests_per_s": 3.0},
    "hardly any load": {"mean_requests_per_s": 1e-3},
    "many fleets, few hours": {"mean_requests_per_s": 600.0},
}
CASES = [(profile, policy, change) for profile in PROFILES for policy in policies.POLICIES for change in CHANGES]


def terms(policy, change):
    return TERMS | CHANGES[change] | {"policy": policy}


@pytest.fixture(scope="module")
def micropython(node, node_modules):
    """Plans and costs of all cases from one run of MicroPython under Node."""
    assert node_modules.is_dir()
    asked = [{"ratios": PROFILES[profile]["ratio"].tolist(), "terms": terms(policy, change), "price": PRICE}
             for profile, policy, change in CASES]
    run = subprocess.run([node, str(HERE / "micropython_runner.mjs"), str(PACKAGE)], capture_output=True, text=True, timeout=120,
                         input=json.dumps(asked))
    assert run.returncode == 0, f"MicroPython stopped:\n{run.stdout}\n{run.stderr[-3000:]}"
    answer = json.loads(run.stdout)
    assert answer["implementation"] == "micropython"
    return dict(zip(CASES, answer["results"], strict=True))


@pytest.mark.parametrize("case", CASES, ids=", ".join)
def test_micropython_plans_what_a_table_does(case, micropython):
    profile, policy, change = case
    found = planning.plan(PROFILES[profile], **terms(policy, change))
    found |= planning.costs(found, requests_per_s=terms(policy, change)["requests_per_s"], **PRICE)
    there = {name: float(text) for name, text in micropython[case].items()}
    assert there == pytest.approx(found, rel=1e-9, abs=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ratios=st.lists(st.floats(0, 3), min_size=1, max_size=30).filter(lambda ratios: sum(ratios) > 0.1),
       policy=st.sampled_from(policies.POLICIES), mean=st.floats(0.01, 200), places=st.integers(1, 200), start_h=st.floats(0, 40),
       floor=st.integers(0, 3), percentile=st.floats(0.01, 1), headroom=st.floats(1, 2))
def test_lists_give_what_arrays_give(ratios, policy, mean, places, start_h, floor, percentile, headroom):
    asked = TERMS | {"policy": policy, "concurrency": places, "start_h": start_h, "floor": floor, "percentile": percentile,
                     "headroom": headroom}
    del asked["mean_requests_per_s"]
    listed = policies.fleet(ratios, mean, **asked)
    table = policies.fleet(np.array(ratios), np.array([[mean], [2 * mean]]), **asked)
    for row, columns in zip(listed, table, strict=True):
        assert isinstance(row, list) and all(np.ndim(one) == 0 for one in row)
        assert row == pytest.approx(columns[0], rel=1e-12, abs=1e-12)
    one = policies.plan(ratios, mean_requests_per_s=mean, **asked)
    assert one == pytest.approx(policies.plan(np.array(ratios), mean_requests_per_s=mean, **asked), rel=1e-12, abs=1e-12)


def test_a_year_scaled_to_zero_is_interpolated_alike_in_a_list_and_in_an_array():
    loads = np.random.default_rng(2).uniform(0.0, 12.0, policies.GRID + 1)
    cycle = {"concurrency": 8.0, "start_ratio": 3.0}
    table = policies.zero(loads, **cycle)
    assert policies.zero(loads.tolist(), **cycle) == pytest.approx(table, rel=1e-12)
    assert table == pytest.approx(policies.woken(loads, **cycle), rel=1e-5)
    silent = np.zeros(policies.GRID + 1)
    assert not policies.zero(silent, **cycle).any()


@pytest.mark.parametrize(("count", "mean"), [(3.0, 0.0), (1.0, 0.4), (9.0, 30.0), (400.0, 380.0), (9000.0, 9500.0)])
def test_without_scipy_the_chance_of_more_is_the_same(monkeypatch, count, mean):
    here = poisson.at_least(count, mean)
    monkeypatch.setattr(poisson, "special", None)
    assert poisson.at_least(count, mean) == pytest.approx(here, rel=1e-9)
    assert poisson.at_least(count, mean) + poisson.fewer(count, mean) == pytest.approx(1.0)


def test_replicas_for_a_stated_utilisation_by_hand():
    # 9 requests a second at 2 a replica, three quarters full: 9/1.5 = 6; a little more takes a seventh
    full = {"requests_per_s": 2.0, "utilisation": 0.75, "kept": 1.0}
    assert policies.at_utilisation(9.0, **full) == 6.0 and policies.at_utilisation(9.01, **full) == 7.0
    assert list(policies.at_utilisation(np.array([0.0, 9.0]), **full)) == [1.0, 6.0]


def test_fleets_of_many_loads_are_those_of_each_load_however_often_they_are_asked_for():
    """Few loads, many more, and few again: what is kept of one question gives the others what a search of each load gives."""
    terms = {"concurrency": 7.0, "wait_probability": 0.013}
    for most in (20.0, 400.0, 20.0):
        loads = np.linspace(0.05, most, 4000)
        searched = erlang.fleet(load=loads, places=terms["concurrency"], wait_probability=terms["wait_probability"])
        assert (policies.replicas(loads, **terms) == searched).all()

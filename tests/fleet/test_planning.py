"""Fleets: Erlang C at any size against the recursion and published values, four hours by hand, and what must always hold."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon.fleet import erlang, planning, traffic
from tokenecon.formulas import queueing

# Four hours, mean 1; one replica does one request a second, alone: a server of Erlang's.
RATES = [0.4, 1.0, 2.0, 0.6]
ALONE = {"requests_per_s": 1.0, "concurrency": 1, "wait_probability": 0.5, "start_h": 0.0, "floor": 0}


@pytest.fixture(scope="module")
def hours():
    return pd.DataFrame({"hour": [0.0, 1.0, 2.0, 3.0], "ratio": RATES})


def planned(profile, policy, mean=1.0, **change):
    return planning.plan(profile, mean_requests_per_s=mean, policy=policy, **(ALONE | change))


# --- Erlang C ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "load"), [
    (3, 0.602), (5, 1.657), (7, 2.935), (9, 4.345), (11, 5.842), (13, 7.402), (15, 9.010), (17, 10.656),
    (19, 12.333), (21, 14.036), (25, 17.505), (31, 22.827), (41, 31.915), (51, 41.189), (75, 63.900), (89, 77.342),
])  # fmt: skip
def test_blocking_is_that_of_a_printed_table(channels, load):
    # Lucent's table of voice channels for 2% blocking (WirelessU, Traffic Engineering), loads to three decimals;
    # its 61 channels are left out: 50.389 stands there for 50.589
    assert queueing.erlang_b(servers=channels, offered_load=load) == pytest.approx(0.02, rel=0.015)


@pytest.mark.parametrize(("servers", "load", "printed"), [
    (2, 1.0, 0.3333),  # two servers, one erlang: B = 1/5, C = 0.2/(1 - 0.5 * 0.8)
    (55, 48.0, 0.239),  # 360 calls of 4 minutes in half an hour, 55 agents: Tanner's worked example of Erlang C
    (132, 123.0, 0.3211), (12421, 12345.0, 0.3812),  # test values of a public Erlang calculator
])  # fmt: skip
def test_waiting_is_that_of_published_values(servers, load, printed):
    assert float(erlang.waiting(slots=servers, load=load)) == pytest.approx(printed, abs=5e-4)
    assert queueing.erlang_c(servers=servers, offered_load=load) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.3), (64, 50.0), (1000, 926.0), (20_000, 19_800.0), (100_000, 99_500.0)])
def test_waiting_is_that_of_the_recursion_at_any_size(servers, load):
    assert float(erlang.waiting(slots=servers, load=load)) == pytest.approx(
        queueing.erlang_c(servers=servers, offered_load=load), rel=1e-8)


def test_a_fleet_is_the_smallest_that_keeps_the_target():
    kwargs = {"requests_per_s": 3.0, "concurrency": 24, "wait_probability": 0.02}
    for rate in (0.01, 2.9, 3.1, 40.0, 777.0):
        found = int(planning.replicas(rate, **kwargs))

        def waits(count, load=rate * 24 / 3):
            return queueing.erlang_c(servers=count * 24, offered_load=load)

        assert waits(found) <= 0.02
        assert found == 1 or waits(found - 1) > 0.02


def test_both_ways_to_the_fleet_agree():
    # many rates on a small fleet are looked up, few are searched for
    kwargs = {"requests_per_s": 4.0, "concurrency": 64, "wait_probability": 0.01}
    many = np.linspace(0.0, 150.0, 5001)
    looked_up = planning.replicas(many, **kwargs)
    searched = np.concatenate([planning.replicas(part, **kwargs) for part in np.array_split(many[::50], 40)])
    assert (looked_up[::50] == searched).all()
    assert looked_up[0] == 0 and looked_up[1] == 1 and (np.diff(looked_up) >= 0).all()


def test_thousands_of_rates_on_a_hundred_thousand_places_take_no_time():
    rates = np.random.default_rng(5).uniform(1.0, 6000.0, 4000)
    start = time.process_time()
    found = planning.replicas(rates, requests_per_s=4.0, concurrency=64, wait_probability=0.01)
    assert time.process_time() - start < 2.0
    assert found.max() * 64 > 95_000 and (found * 4.0 > rates).all()


@settings(max_examples=60, deadline=None)
@given(rate=st.floats(0.001, 500), more=st.floats(1.0, 3.0), places=st.integers(1, 300), share=st.floats(0.001, 0.5))
def test_a_fleet_never_shrinks_with_load_nor_grows_with_patience(rate, more, places, share):
    kwargs = {"requests_per_s": 2.5, "concurrency": places}
    fleet_now = planning.replicas(rate, wait_probability=share, **kwargs)
    assert planning.replicas(rate * more, wait_probability=share, **kwargs) >= fleet_now
    assert planning.replicas(rate, wait_probability=share / 2, **kwargs) >= fleet_now
    assert fleet_now * 2.5 > rate


@pytest.mark.parametrize(("change", "message"), [
    ({"rate_per_s": -1.0}, "rates of requests"), ({"rate_per_s": float("nan")}, "rates of requests"),
    ({"requests_per_s": 0.0}, "serves nothing"), ({"concurrency": 0.5}, "serves nothing"),
    ({"wait_probability": 0.0}, "between 0 and 1"), ({"wait_probability": 1.0}, "between 0 and 1"),
])  # fmt: skip
def test_what_no_fleet_can_be_found_for_is_refused(change, message):
    kwargs = {"rate_per_s": 1.0, "requests_per_s": 1.0, "concurrency": 1, "wait_probability": 0.1} | change
    with pytest.raises(ValueError, match=message):
        planning.replicas(kwargs.pop("rate_per_s"), **kwargs)


# --- four hours by hand ------------------------------------------------------------------------------


def test_needed_by_hand(hours):
    # one server: C = 0.4, enough; at 0.6 not. Two at 0.6: B = 0.375, 0.225/2.225 = 0.1011, C = 0.139; at 1.0: C = 1/3;
    # at 2.0 all wait. Three at 2.0: B = 2/3, 0.4, 0.8/3.8 = 0.2105, C = 0.2105/(1 - 2/3 * 0.7895) = 0.444.
    table = planning.hours(hours, mean_requests_per_s=1.0, policy="fixed", **ALONE)
    assert table["needed"].tolist() == [1, 2, 3, 2]
    assert table["busy"].tolist() == pytest.approx(RATES)


def test_a_fixed_fleet_by_hand(hours):
    found = planned(hours, "fixed")
    assert (found["mean_paid_replicas"], found["peak_replicas"]) == (3, 3)
    assert found["utilisation"] == pytest.approx(1 / 3) and found["idle_share"] == pytest.approx(2 / 3)
    assert found["peak_to_mean"] == pytest.approx(2.0) and found["turned_away"] == 0 and found["cold_share"] == 0


def test_a_fleet_for_part_of_the_hours_by_hand(hours):
    # needed sorted: 1, 2, 2, 3. A quarter of the hours: one replica, which turns 1 of 2 away in the third hour, of 4 in all
    found = planned(hours, "fixed", percentile=0.25)
    assert found["mean_paid_replicas"] == 1 and found["turned_away"] == pytest.approx(0.25)
    assert found["utilisation"] == pytest.approx((0.4 + 1 + 1 + 0.6) / 4)
    assert planned(hours, "fixed", percentile=0.75)["mean_paid_replicas"] == 2
    assert planned(hours, "fixed", percentile=0.75)["turned_away"] == pytest.approx(0.0)
    assert planned(hours, "fixed", percentile=1.0)["mean_paid_replicas"] == 3


@pytest.mark.parametrize(("start_h", "paid"), [
    (0.0, [1, 2, 3, 2]),
    (1.0, [2, 3, 3, 2]),  # each hour also what the next needs; after the last comes the first
    (0.5, [1.5, 2.5, 3, 2]),  # the second half of an hour already holds the next hour's
    (1.5, [2.5, 3, 3, 2]),
    (2.0, [3, 3, 3, 2]), (3.0, [3, 3, 3, 3]), (40.0, [3, 3, 3, 3]),
])  # fmt: skip
def test_an_autoscaled_fleet_by_hand(hours, start_h, paid):
    table = planning.hours(hours, mean_requests_per_s=1.0, policy="autoscale", **(ALONE | {"start_h": start_h}))
    assert table["paid"].tolist() == paid
    assert planned(hours, "autoscale", start_h=start_h)["utilisation"] == pytest.approx(4 / sum(paid))


def test_a_floor_by_hand(hours):
    assert planned(hours, "autoscale", floor=2)["mean_paid_replicas"] == (2 + 2 + 3 + 2) / 4
    assert planned(hours, "fixed", floor=5)["mean_paid_replicas"] == 5


def test_scaling_to_zero_without_starts_pays_for_busy_time(hours):
    # one place each: as many replicas run as requests are there, in the mean the load, below what Erlang would keep
    found = planned(hours, "to_zero")
    assert found["mean_paid_replicas"] == pytest.approx(1.0, rel=1e-9)
    assert found["utilisation"] == pytest.approx(1.0, rel=1e-9)


def test_scaling_to_zero_by_hand(hours):
    # A replica with two places, two requests a second when full: a request holds a place for 1 s. At 0.5 requests a second
    # 0.5 are there in the mean, Poisson. Replica 1 runs while one or two are: 1 - e**-0.5 = 0.39347. Erlang keeps one.
    flat = hours.assign(ratio=1.0)
    kwargs = {"requests_per_s": 2.0, "concurrency": 2, "wait_probability": 0.2}
    second = 1 - math.exp(-0.5) * (1 + 0.5 + 0.125)  # three or more: 0.01439, and so on
    third = second - math.exp(-0.5) * (0.5**3 / 6 + 0.5**4 / 24)
    found = planned(flat, "to_zero", mean=0.5, **kwargs)
    assert found["mean_paid_replicas"] == pytest.approx(1 - math.exp(-0.5) + second + third, abs=2e-6)
    # A start of 3.6 s is 0.001 h. The first replica is woken 0.5 * e**-0.5 times a second, so starts take 1.0918 s in a second
    # without them: it is paid (0.39347 + 1.0918)/2.0918 of the time.
    woken = 3.6 * 0.5 * math.exp(-0.5)
    later = 3.6 * 0.5 * math.exp(-0.5) * 0.125
    last = 3.6 * 0.5 * math.exp(-0.5) * 0.5**4 / 24
    expected = ((1 - math.exp(-0.5) + woken) / (1 + woken) + (second + later) / (1 + later) + (third + last) / (1 + last))
    cold = planned(flat, "to_zero", mean=0.5, start_h=0.001, **kwargs)
    assert cold["mean_paid_replicas"] == pytest.approx(expected, abs=1e-4)
    share = math.exp(-0.5) / (1 + woken) + math.exp(-0.5) * 0.125 / (1 + later) + math.exp(-0.5) * 0.5**4 / 24 / (1 + last)
    assert cold["cold_share"] == pytest.approx(share, abs=2e-5)  # the next replica's is 1.3e-5


def test_costs_by_hand():
    # 7.2 USD an hour for 2 requests a second of 500 tokens: 3.6 Mtok an hour, 2 USD a Mtok; a quarter full, 8
    found = planning.costs({"utilisation": 0.25}, usd_per_replica_hour=7.2, requests_per_s=2.0, tok_per_request=500)
    assert found == pytest.approx({"usd_per_mtok_used": 2.0, "usd_per_mtok_allocated": 8.0})
    full = planning.costs({"utilisation": 1.0}, usd_per_replica_hour=7.2, requests_per_s=2.0, tok_per_request=500)
    assert full["usd_per_mtok_used"] == full["usd_per_mtok_allocated"]


# --- what must always hold -----------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(traffic.NAMES), mean=st.floats(1e-4, 300), places=st.integers(1, 200), start=st.floats(0, 5),
       share=st.floats(0.001, 0.3), floor=st.integers(0, 3))
def test_fixed_pays_most_and_scaling_to_zero_least(name, mean, places, start, share, floor):
    kwargs = {"requests_per_s": 3.7, "concurrency": places, "wait_probability": share, "start_h": start, "floor": floor}
    profile = traffic.profile(name)
    fixed, scaled, zero = (planning.plan(profile, mean_requests_per_s=mean, policy=policy, **kwargs)
                           for policy in planning.POLICIES)
    assert fixed["mean_paid_replicas"] >= scaled["mean_paid_replicas"] - 1e-9
    assert scaled["mean_paid_replicas"] >= zero["mean_paid_replicas"] - 1e-9
    for found in (fixed, scaled, zero):
        assert 0 < found["utilisation"] <= 1 + 1e-9
        assert found["busy_replicas"] == pytest.approx(mean / 3.7)
        cost = planning.costs(found, usd_per_replica_hour=9.9, requests_per_s=3.7, tok_per_request=700)
        assert cost["usd_per_mtok_used"] <= cost["usd_per_mtok_allocated"] * (1 + 1e-9)


@pytest.mark.parametrize("policy", planning.POLICIES)
@pytest.mark.parametrize("start", [0.0, 0.2, 2.7])
def test_the_curve_is_that_of_the_plans_and_never_falls(policy, start):
    profile = traffic.profile("servegen-m-mid")  # with hours without any request
    demands = np.geomspace(1e-4, 400, 120)
    kwargs = {"requests_per_s": 6.6, "concurrency": 76, "wait_probability": 0.01, "start_h": start, "floor": 1}
    curve = planning.demand_curve(profile, demands=demands, policy=policy, **kwargs)
    assert (np.diff(curve) >= -1e-9).all()
    for place in (0, 37, 80, 119):
        found = planning.plan(profile, mean_requests_per_s=demands[place], policy=policy, **kwargs)
        assert curve[place] == pytest.approx(found["mean_paid_replicas"], rel=1e-4)


def test_bursts_and_longer_starts_never_make_a_fleet_smaller():
    profile, kwargs = traffic.profile("servegen-m-large"), {"requests_per_s": 6.6, "concurrency": 76, "wait_probability": 0.01}
    for policy in planning.POLICIES:
        plans = [planning.plan(profile, mean_requests_per_s=15.0, policy=policy, start_h=start, floor=0, **kwargs)
                 for start in (0.0, 0.1, 1.0, 1.3, 12.0)]
        paid = [found["mean_paid_replicas"] for found in plans]
        assert (np.diff(paid) >= -1e-12).all()
    sizes = [planning.plan(profile, mean_requests_per_s=15.0, policy="fixed", start_h=0.0, floor=0, headroom=more,
                           **kwargs)["mean_paid_replicas"] for more in (1.0, 1.2, 1.6)]
    assert sizes == sorted(sizes) and sizes[-1] > sizes[0]


@pytest.mark.parametrize(("change", "message"), [
    ({"policy": "magic"}, "policy 'magic' is not known; use fixed, autoscale, to_zero"),
    ({"start_h": -1.0}, "start_h = -1"), ({"floor": -1}, "floor = -1"), ({"percentile": 0.0}, "percentile is 0"),
    ({"headroom": 0.5}, "headroom is 0.5"), ({"mean_requests_per_s": 0.0}, "must be above 0"),
])  # fmt: skip
def test_bad_plans_are_refused(hours, change, message):
    with pytest.raises(ValueError, match=message):
        planning.plan(hours, **({"mean_requests_per_s": 1.0, "policy": "fixed"} | ALONE | change))

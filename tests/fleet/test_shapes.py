"""Hours and their peaks on plain lists, as in the reader's browser, beside arrays and beside SciPy."""

import numpy as np
import pytest
from scipy import optimize, special, stats

from tokenecon.fleet import policies, shapes, traffic

HOURS = [0.4, 0.7, 1.9, 1.1, 0.9]


@pytest.mark.parametrize("peak", [1.9, 2.4, 4.2])
def test_hours_are_raised_to_a_peak(peak):
    raised = shapes.peaked(HOURS, peak)
    assert max(raised) == pytest.approx(peak, rel=1e-12) and np.mean(raised) == pytest.approx(1, rel=1e-12)
    assert raised == pytest.approx(list(shapes.peaked(np.array(HOURS), peak)), rel=1e-12)
    top = np.array(HOURS) / 1.9  # the peak is 5 over the sum of powers of the ratios to the busiest hour
    power = optimize.brentq(lambda one: 5 / (top**one).sum() - peak, 0.5, 60)
    assert raised[1] / raised[2] == pytest.approx((0.7 / 1.9) ** power, rel=1e-9)


def test_a_smooth_day_is_a_von_mises_curve():
    day = shapes.smooth_day(2.5)
    assert max(day) == day[12] == pytest.approx(2.5, rel=1e-12) and np.mean(day) == pytest.approx(1, rel=1e-12)
    width = optimize.brentq(lambda one: 1 / special.i0e(one) - 2.5, 0.1, 50)  # its peak over its mean, the hours being many
    assert day == pytest.approx(stats.vonmises.pdf(np.arange(24) / 24 * 2 * np.pi - np.pi, width) * 2 * np.pi, rel=1e-6)
    assert shapes.smooth_day(1.0) == [1.0] * 24


def test_a_service_of_a_size_is_the_median_of_those_measured():
    pools = [{"mean_rate": 2.0, "clients": 100.0, "size": [0.0, np.log(100.0)], "peak_1h": [top, 2.0], "burst": [1.5, 1.2]}
             for top in (4.0, 6.0, 9.0)]
    assert shapes.of_size(pools, 0.001) == (6.0, 1.5), "one client at least"
    peak, burst = shapes.of_size(pools, 0.2)  # ten of a hundred clients: half way on the logarithm
    assert peak == pytest.approx(4.0) and burst == pytest.approx(1.35)
    assert traffic.of_size(5.0) == shapes.of_size(traffic.pools(), 5.0)


@pytest.mark.parametrize(("scale", "places"), [(3.0, 2.0), (40.0, 17.0), (900.0, 4.0), (5000.0, 60.0)])
def test_lists_need_the_fleets_that_arrays_do(scale, places):
    loads = [scale * one for one in traffic.profile("servegen-m-large")["ratio"]] + [0.0]
    listed = policies.replicas(loads, concurrency=places, wait_probability=0.02)
    assert listed == list(policies.replicas(np.array(loads), concurrency=places, wait_probability=0.02))


@pytest.mark.parametrize("wait_probability", [1e-6, 0.01, 0.3, 0.999])
@pytest.mark.parametrize("places", [1.0, 2.5, 96.0])
def test_lists_of_any_loads_need_the_fleets_that_erlang_says(wait_probability, places):
    loads = [0.0, 1e-9] + [0.003 * 1.21**step for step in range(100)]  # to half a million places
    listed = policies.replicas(loads, concurrency=places, wait_probability=wait_probability)
    assert listed == list(policies.replicas(np.array(loads), concurrency=places, wait_probability=wait_probability))

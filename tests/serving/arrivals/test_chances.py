"""Chances and quantiles against SciPy's."""

import numpy as np
import pytest
from scipy import stats

from tokenecon.serving.arrivals import chances


def test_normal_chances_and_their_inverse():
    z = np.linspace(-4, 4, 81)
    assert np.abs(chances.normal(z) - stats.norm.cdf(z)).max() < 2e-4
    share = np.array([1e-4, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999])
    assert chances.normal(chances.normal_at(share)) == pytest.approx(share, abs=1e-9)
    assert chances.normal_at(0.9) == pytest.approx(1.2816, abs=2e-3)
    assert 0 <= chances.normal(-1e9) < 1e-20 and chances.normal(1e9) == 1.0


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0, 30.0])
def test_gamma_chances(shape):
    found = chances.gamma(stats.gamma.ppf([0.5, 0.9, 0.99], shape) * 2.0, 2.0 * shape, 4.0 * shape)
    assert found == pytest.approx([0.5, 0.9, 0.99], abs=0.015 if shape < 1 else 0.006)
    assert chances.gamma(-1.0, 1.0, 1.0) == 0.0


@pytest.mark.parametrize(("count", "mean"), [(1, 1e-4), (1, 0.5), (2, 1.0), (5, 4.5), (24, 12.0), (98, 77.0), (98, 93.0)])
def test_chance_of_so_many_arrivals(count, mean):
    assert chances.at_least(float(count), mean) == pytest.approx(stats.poisson.sf(count - 1, mean), rel=0.06)


@pytest.mark.parametrize(("mean", "variance"), [(0.02, 1e-4), (0.1, 0.004), (0.3, 0.03), (0.6, 0.08), (0.9, 0.01)])
def test_a_bounded_variable_has_the_mean_and_variance_asked_for(mean, variance):
    middle, width = chances.bounded(mean, variance)
    drawn = chances.share_of(middle + width * stats.norm.ppf((np.arange(20000) + 0.5) / 20000))
    assert drawn.mean() == pytest.approx(mean, rel=0.03)
    assert drawn.var() == pytest.approx(variance, rel=0.1)


def test_three_values_have_the_mean_of_the_variable():
    nodes = chances.around(5.0, 4.0)
    assert sum(weight for _, weight in nodes) == pytest.approx(1)
    assert sum(value * weight for value, weight in nodes) == pytest.approx(5.0, rel=0.01)
    assert sum(value * value * weight for value, weight in nodes) - 25 == pytest.approx(4.0, rel=0.05)

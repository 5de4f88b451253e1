"""Profiles that fit the size of a service: what a small one peaks at, and how hours are raised to it."""

import numpy as np
import pytest

from tokenecon.fleet import traffic


def test_the_peak_of_a_size_is_the_median_over_services_of_pools_that_send_as_much():
    # 5.53 requests a second: of the large model 162 clients * 5.53/195.84 = 4.57, between pools of 4 and 8; of the middle and
    # the small one less than a client, 4.394 and 3.925. The middle of three is 4.394; its bursts are 6.534/4.394.
    # Bursts of the large model: 24.44/10.95 = 2.23 for 4 and 18.21/8.741 = 2.08 for 8 clients; of the small 4.52/3.925 = 1.15.
    peak, burst = traffic.of_size(5.53)
    assert peak == pytest.approx(4.394)
    assert burst == pytest.approx(6.534 / 4.394)
    # far beyond all of them, each is the whole service: peaks 1.8624, 1.8285 and 2.0627, bursts 1.598, 1.052 and 1.601
    peak, burst = traffic.of_size(1e6)
    assert peak == pytest.approx(1.8624)
    assert burst == pytest.approx(2.9768 / 1.8624)


def test_a_larger_service_never_peaks_higher():
    peaks = [traffic.of_size(rate)[0] for rate in np.geomspace(0.01, 1e5, 60)]
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[0] > 2 * peaks[-1]


@pytest.mark.parametrize("name", traffic.HOURLY)
def test_hours_are_raised_to_a_peak_in_their_order(name):
    profile = traffic.profile(name)
    raised = traffic.peaked(profile, 4.394)
    assert raised["ratio"].max() == pytest.approx(4.394) and raised["ratio"].mean() == pytest.approx(1, abs=1e-12)
    assert (np.argsort(raised["ratio"], kind="stable") == np.argsort(profile["ratio"], kind="stable")).all()
    assert traffic.peaked(profile, 1.1) is profile, "what peaks higher stays"


def test_the_same_load_in_every_hour_has_no_peak_to_raise():
    flat = traffic.profile("flat")
    assert traffic.peaked(flat, 4.0) is flat

"""The arithmetic of hours: a smooth day of a given peak, hours raised to a peak, and how a service of a size peaks.

Hours are a row of :mod:`tokenecon.numerics`, a list or an array, as ratios to their mean.  Nothing here reads data;
:mod:`tokenecon.fleet.traffic` does.
"""

import math

from tokenecon.numerics import between, each, log, maximum, maximum_of, mean_of, reaching
from tokenecon.units import HOURS_PER_DAY

STEEPEST = 1e4  # power to which the hours of a profile are raised at most
SMOOTHEST = 1.0  # busiest hour over mean: a flat day


def ratios(rates):
    """Rates in any unit over their mean."""
    mean = mean_of(rates)
    found = each(lambda rate: rate / mean, rates)
    mean = mean_of(found)  # the first division leaves the mean a rounding error from 1
    return each(lambda ratio: ratio / mean, found)


def smooth_day(peak_to_mean):
    """24 hours with mean 1 and this value in the busiest: a von Mises curve, which never falls below zero."""
    hours = [math.cos(hour / HOURS_PER_DAY * 2 * math.pi - math.pi) - 1 for hour in range(int(HOURS_PER_DAY))]
    if peak_to_mean == SMOOTHEST:
        return [1.0 for _ in hours]

    def shape(width):
        return ratios([math.exp(width * hour) for hour in hours])

    widest = 1.0
    while max(shape(widest)) < peak_to_mean:
        widest *= 2
    return shape(reaching(lambda width: max(shape(width)), peak_to_mean, 0.0, widest))


def peaked(hours, peak_to_mean):
    """Hours whose busiest is so many times the mean: all raised to one power; those that peak higher stay."""
    top = maximum_of(hours)
    if top >= peak_to_mean or not top > 0 or -maximum_of(each(lambda ratio: -ratio, hours)) == top:
        return hours

    def raised(power):
        return ratios(each(lambda ratio: (ratio / top) ** power, hours))

    def peak(power):  # the busiest hour is 1 at any power
        return 1.0 / float(mean_of(each(lambda ratio: (ratio / top) ** power, hours)))

    widest = 2.0
    while peak(widest) < peak_to_mean:
        widest *= 2
        if widest > STEEPEST:
            return hours  # two equal peaks of a short record cannot be told apart
    return raised(reaching(peak, peak_to_mean, 1.0, widest))


def of_size(pools, requests_per_s):
    """Busiest hour over the mean, and busiest ten minutes over the busiest hour, of a service with this rate of requests.

    Each pool is a service that was measured: ``mean_rate`` of all its ``clients``, and for pools of some of them in ascending
    order ``size``, the logarithm of their number, ``peak_1h`` and ``burst``.  So many clients are taken as send at this rate, at
    least one and at most all; the result is the median over the services.
    """
    peaks, bursts = [], []
    for pool in pools:
        clients = log(maximum(1.0, requests_per_s / pool["mean_rate"] * pool["clients"]))
        peaks.append(between(clients, pool["size"], pool["peak_1h"]))
        bursts.append(between(clients, pool["size"], pool["burst"]))
    return middle(peaks), middle(bursts)


def middle(values):
    """The median of a few numbers."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def sized(hours, mean_rate, pools, requests_per_s):
    """Hours of a trace with this mean rate for a service of another, and its bursts: a smaller service peaks higher."""
    peak, burst = of_size(pools, requests_per_s)
    return (peaked(hours, peak) if requests_per_s < mean_rate else hours), burst

"""Chances and quantiles of the distributions that latencies are fitted to, by mean and variance."""

import math

from tokenecon.numerics import exp, log, maximum, minimum, sqrt, where

TINY = 1e-12
FAR = 12.0  # standard deviations; nothing lies beyond
STEPS = 5  # of Newton's method
FITS = 12  # rounds in which a bounded distribution is fitted
# Gauss-Hermite: nodes and weights of a standard normal variable, with three and with seven points.
NODES = ((-(3.0**0.5), 1 / 6), (0.0, 2 / 3), (3.0**0.5, 1 / 6))
FINE = ((0.0, 0.4571428571428571), (1.1544053947399682, 0.24012317860501267), (-1.1544053947399682, 0.24012317860501267),
        (2.366759410734541, 0.030757123967586497), (-2.366759410734541, 0.030757123967586497),
        (3.7504397177257425, 0.0005482688559722178), (-3.7504397177257425, 0.0005482688559722178))
LINEAR, CUBIC = 1.5976, 0.07056  # of the logarithmic odds of a normal variable (Page 1977): within 2e-4 of its chance


def normal(z):
    """Chance that a standard normal variable is below z."""
    z = maximum(minimum(z, FAR), -FAR)
    return 1.0 / (1.0 + exp(-z * (LINEAR + CUBIC * z * z)))


def normal_at(share):
    """The value below which a standard normal variable lies with a given chance: the inverse of :func:`normal`."""
    share = maximum(minimum(share, 1.0 - TINY), TINY)
    odds = log(share / (1.0 - share))
    z = odds / 1.7
    for _ in range(STEPS):
        z = z - (LINEAR * z + CUBIC * z * z * z - odds) / (LINEAR + 3.0 * CUBIC * z * z)
    return z


def gamma(x, mean, variance):
    """Chance that a positive variable of this mean and variance is below x (gamma; Wilson, Hilferty 1931)."""
    shape = mean * mean / variance
    root = (maximum(x, 0.0) / mean + TINY) ** (1 / 3)
    return where(x > 0, normal((root - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * sqrt(shape)), 0.0)


def at_least(count, mean):
    """Chance of so many arrivals or more, above 1, where fewer are expected (Poisson): the lesser of two approximations.

    The sum of its terms as a geometric one, close where few are expected, and a gamma distribution, close where nearly as many.
    """
    mean = maximum(mean, TINY)
    first = exp(count * log(mean / count) + count - mean - 1.0 / (12.0 * count)) / sqrt(2.0 * math.pi * count)
    return minimum(first / maximum(1.0 - mean / (count + 1.0), TINY), gamma(mean, count, count))


def log_spread(mean, variance):
    """Standard deviation of the logarithm of a positive variable (lognormal)."""
    return sqrt(log(1.0 + variance / maximum(mean * mean, TINY)))


def around(mean, variance):
    """Three values of a positive variable (lognormal) with their weights."""
    width = log_spread(mean, variance)
    return [(mean * exp(width * z - width * width / 2), weight) for z, weight in NODES]


def bounded(mean, variance):
    """Middle and width of the logarithmic odds (logit-normal) of a variable between 0 and 1 of this mean and variance."""
    mean = maximum(minimum(mean, 0.999), 1e-7)
    middle, width = log(mean / (1.0 - mean)), maximum(log_spread(mean, variance), 1e-4)
    for _ in range(FITS):
        first = second = slope = 0.0
        for z, weight in FINE:
            at = share_of(middle + width * z)
            first, second, slope = first + weight * at, second + weight * at * at, slope + weight * at * (1.0 - at)
        middle = middle + maximum(minimum((mean - first) / maximum(slope, TINY), 1.0), -1.0)
        width = maximum(minimum(width * (variance / maximum(second - first * first, TINY * variance)) ** 0.35, FAR), 1e-4)
    return middle, width


def share_of(odds):
    """A share from its logarithmic odds."""
    odds = maximum(minimum(odds, 30.0), -30.0)
    return 1.0 / (1.0 + exp(-odds))

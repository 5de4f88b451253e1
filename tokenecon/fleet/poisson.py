"""Chances of arrivals at random: from SciPy where it is, from plain floats where it is not.

MicroPython in the reader's browser has no SciPy; a test holds both ways together.
"""

import math

from tokenecon.numerics import exp, log, maximum, some, where

try:
    from scipy import special
except ImportError:
    special = None

MANY = 1e5  # arrivals from which on the chance of an exact number comes from Stirling's series
LEAST = 1e-300  # of a mean whose logarithm is taken
CLOSEST = 1e-16  # of a ratio to 0
SMALL = 1e-17  # a term that no longer changes the sum
TINY = 1e-300  # in place of a zero that would be divided by


def exactly(count, mean):
    """Chance of so many arrivals where so many are expected (Poisson), for fractions too."""
    power = count * log(maximum(mean, LEAST)) - mean - (special.gammaln(count + 1.0) if special else math.lgamma(count + 1.0))
    if some(count >= MANY):
        # of many the three terms are huge and nearly cancel: Stirling's series takes their difference first
        many = maximum(count, MANY)
        ratio = maximum(mean / count, CLOSEST)
        stirling = count * (log(ratio) - (ratio - 1)) - log(2 * math.pi * many) / 2 - 1 / (12 * many)
        power = where(count < MANY, power, stirling)
    return exp(power)


def fewer(count, mean):
    """Chance of fewer arrivals than ``count`` where so many are expected: a gamma distribution's share above the mean."""
    if special:
        return special.gammaincc(count, mean)
    if not mean > 0:
        return 1.0
    return 1 - _series(count, mean) if mean < count + 1 else _fraction(count, mean)


def _series(count, mean):
    """The other chance, which adds up quickly where few are expected."""
    term = total = 1.0
    place = count
    while term > SMALL * total:
        place += 1
        term *= mean / place
        total += term
    return total * exactly(count, mean)


def _fraction(count, mean):
    """The chance as a continued fraction, which settles quickly where many are expected (Lentz's way)."""
    step, bottom = 0, mean + 1 - count
    c, d = 1 / TINY, 1 / bottom
    found, change = d, 0.0
    while abs(change - 1) > 10 * CLOSEST:
        step += 1
        top = step * (count - step)
        bottom += 2
        d = 1 / (top * d + bottom or TINY)
        c = bottom + top / c or TINY
        change = c * d
        found *= change
    return found * count * exactly(count, mean)

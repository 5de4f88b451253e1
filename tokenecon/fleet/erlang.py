"""How full servers may be at a waiting target, for pools of any size: Erlang's C, vectorised.

The waiting probability is Erlang's C as in :mod:`tokenecon.formulas.queueing`.  Its recursion takes one step a
server; here pools have tens of thousands of slots, so the same probability is taken from the Poisson
distribution.  A test holds the two together.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincc, gammaln

HALVINGS = 50
MANY = 1e5  # slots from which on the chance of an exact number comes from Stirling's series


def waiting(*, slots, load):
    """Chance that a request finds every slot busy (Erlang C), for a load below the slots."""
    slots, load = np.asarray(slots, dtype=float), np.asarray(load, dtype=float)
    with np.errstate(divide="ignore"):  # no load: nobody waits
        few = slots * np.log(load) - load - gammaln(slots + 1)
        # of many slots the three terms are huge and nearly cancel: Stirling's series takes their difference first
        apart, many = load / slots - 1, np.maximum(slots, MANY)
        stirling = slots * (np.log1p(apart) - apart) - np.log(2 * np.pi * many) / 2 - 1 / (12 * many)
    blocked = np.exp(np.where(slots < MANY, few, stirling)) / gammaincc(slots + 1, load)
    busy = load / slots
    return blocked / (1 - busy + busy * blocked)


def utilisation(*, slots, wait_probability):
    """Highest share of slots that may be busy while no more than this share of requests waits."""
    slots, target = np.broadcast_arrays(np.asarray(slots, dtype=float), wait_probability)
    low, high = np.zeros(slots.shape), np.ones(slots.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        fine = waiting(slots=slots, load=middle * slots) <= target
        low, high = np.where(fine, middle, low), np.where(fine, high, middle)
    return low


def slots_needed(*, load, wait_probability):
    """Slots at which just this share of requests waits; fractions are kept, so that no step hides a trend."""
    if wait_probability >= 1:
        return float(load)
    most = load + 20 * np.sqrt(load) + 50  # far beyond any target that is not zero
    return brentq(lambda slots: float(waiting(slots=slots, load=load)) - wait_probability, load * (1 + 1e-9), most)

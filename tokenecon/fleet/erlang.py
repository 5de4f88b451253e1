"""How full servers may be at a waiting target, for pools of any size: Erlang's C, on floats and on arrays.

The waiting probability is Erlang's C as in :mod:`tokenecon.formulas.queueing`.  Its recursion takes one step a
server; here pools have tens of thousands of slots, so the same probability is taken from the Poisson
distribution.  A test holds the two together.
"""

import math

from tokenecon.fleet import poisson
from tokenecon.numerics import floor, reaching, some, where

HALVINGS = 50
CLOSE = 4e-16  # relative width at which the search for slots ends


def waiting(*, slots, load):
    """Chance that a request finds every slot busy (Erlang C), for a load below the slots."""
    blocked = poisson.exactly(slots, load) / poisson.fewer(slots + 1.0, load)
    busy = load / slots
    return where(load > 0, blocked / (1 - busy + busy * blocked), 0.0)


def utilisation(*, slots, wait_probability):
    """Highest share of slots that may be busy while no more than this share of requests waits."""
    low = 0.0 * slots * wait_probability
    if isinstance(low, float):
        return reaching(lambda busy: waiting(slots=slots, load=busy * slots), wait_probability, 0.0, 1.0)
    high = low + 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        fine = waiting(slots=slots, load=middle * slots) <= wait_probability
        low, high = where(fine, middle, low), where(fine, high, middle)
    return low


def slots_needed(*, load, wait_probability):
    """Slots at which just this share of requests waits; fractions are kept, so that no step hides a trend."""
    load = float(load)
    if wait_probability >= 1:
        return load
    low, high = load * (1 + 1e-9), load + 20 * math.sqrt(load) + 50  # far beyond any target that is not zero
    above, below = (waiting(slots=slots, load=load) - wait_probability for slots in (low, high))
    while high - low > CLOSE * high:  # false position; an end that stays twice counts for half, so that both come closer
        slots = low + (high - low) * above / (above - below)
        if not low < slots < high:
            slots = (low + high) / 2
            if not low < slots < high:
                break
        found = waiting(slots=slots, load=load) - wait_probability
        if found == 0:
            return slots
        if found > 0:
            low, above, below = slots, found, below / 2
        else:
            high, below, above = slots, found, above / 2
    return low if above < -below else high


def fleet(*, load, places, wait_probability):
    """The smallest whole number of replicas of so many places with which at most this share of requests waits.

    For loads above 0; the reserve is doubled until it is enough, then halved.
    """
    def short(replicas):
        return waiting(slots=replicas * places, load=load) > wait_probability

    low = floor(load / places)  # places for the load alone, or fewer: everybody waits
    high, reserve = low + 1, 1.0
    lacking = short(high)
    while some(lacking):
        reserve *= 2
        low, high = where(lacking, high, low), where(lacking, high + reserve, high)
        lacking = where(lacking, short(high), False)
    while some(high - low > 1):
        middle = where(high - low > 1, floor((low + high) / 2), high)
        lacking = short(middle)
        low, high = where(lacking, middle, low), where(lacking, high, middle)
    return high

"""From which volume on a choice is cheaper than the API, and what would change its bill most: what a page says after its answer.

:mod:`tokenecon.decision.break_even` on floats: the same volumes, searched from the top by halves, leaving out those that are
cheap for certain.
"""

import math

from tokenecon.calculator import answer, choice
from tokenecon.calculator.choice import KEPT, KINDS
from tokenecon.fleet import policies

GRID = 200  # volumes searched
LEAST, MOST = 1e-3, 1e3  # of what one replica does in a day, and of what the case asks
BEYOND, WITHIN = 5, 128  # volumes above the last dear one that are searched closely, and points of each close search
NEVER = float("inf")


def cheapest_of_kinds(choices):
    """The cheapest GPU of each kind of hour, and the API, the cheapest first."""
    found = []
    for one in answer.feasible(choices):
        if one["kind"] not in [other["kind"] for other in found]:
            found.append(one)
    return found


class Search:
    """The volume from which on one choice never again costs more than the API.

    ``known`` replicas by volume are kept: the searches meet the same volumes.
    """

    def __init__(self, facts, case, one, sold):
        self.facts, self.case, self.one, self.sold = facts, case, one, sold
        self.sized, self.known = {}, {}

    def step(self, volume):
        """Doublings of the case's volume, by which the hours of a measured service change."""
        if not answer.follows_size(self.facts, self.case):
            return 0
        return math.floor(math.log(volume / self.case.requests_per_day, 2) + 0.5)

    def paid(self, volume, policy):
        """Replicas paid for at a volume, with those that stand ready, in whole servers."""
        if (volume, policy) not in self.known:
            step = self.step(volume)
            if step not in self.sized:
                self.sized[step] = answer.load(self.facts, self.case, self.case.requests_per_day * 2**step) if step else (
                    self.case.hours, self.case.burst)
            hours, burst = self.sized[step]
            more = burst * choice.rate(volume) * self.one["concurrency"] / self.one["requests_per_s"]
            held = policies.replicas([more * ratio for ratio in ([max(hours)] if policy == "fixed" else hours)],
                                     concurrency=self.one["concurrency"], wait_probability=self.case.wait_probability)
            if policy == "autoscale":
                held = policies.autoscaled(held, len(held), self.facts["start_h"] / policies.STEP_H)
            count = sum([max(KEPT, one) for one in held]) / len(held)
            self.known[volume, policy] = answer.whole(self.one, count + self.case.spare_replicas)
        return self.known[volume, policy]

    def cost(self, volume, paid):
        """A million tokens at a volume where so many replicas are paid. [USD/Mtok]"""
        one, case = self.one, self.case
        return choice.per_mtok(case, one["usd_per_gpu_hour"] * (1 + case.ops_overhead), one["n_gpus"] * paid,
                               choice.rate(volume)) + choice.people_usd_per_month(case, one["kind"]) / (
                                   choice.mtok_per_month(case, volume))

    def of_api(self, volume):
        """The same of the API. [USD/Mtok]"""
        return self.sold["usd_per_mtok_used"] + choice.people_usd_per_month(self.case, "api") / choice.mtok_per_month(
            self.case, volume)

    def surely_cheap(self, low, high):
        """Whether no volume between two costs more than the API: even if the fleet of the higher served the lower."""
        if self.step(low) != self.step(high):
            return False
        policy = KINDS[self.one["kind"]][2]
        return self.cost(low, self.paid(high, "fixed")) <= self.of_api(high) or (
            policy != "fixed" and self.cost(low, self.paid(high, policy)) <= self.of_api(high))

    def last_dear(self, volumes, found):
        """Steps of finding the place of the last volume that costs more than the API, which is put into ``found``."""
        left = [(0, len(volumes) - 1)] if volumes else []
        while left:
            yield
            low, high = left.pop()
            if low == high:
                policy = KINDS[self.one["kind"]][2]
                if self.cost(volumes[low], self.paid(volumes[low], policy)) > self.of_api(volumes[low]):
                    found.append(low)
                    return
            elif not self.surely_cheap(volumes[low], volumes[high]):
                middle = (low + high) // 2
                left += [(low, middle), (middle + 1, high)]

    def threshold(self, found, limit):
        """Steps of finding the volume, which is put into ``found``: :func:`tokenecon.decision.break_even.threshold`.

        Nothing is put there where it lies above a ``limit``.
        """
        replica = self.one["requests_per_s"] / choice.rate(1.0)
        first, last = LEAST * replica, MOST * max(replica, self.case.requests_per_day)
        volumes = [first * (last / first) ** (place / (GRID - 1)) for place in range(GRID)]
        dear = []
        yield from self.last_dear([one for one in volumes if one > limit], dear)
        if dear:
            return
        for near in (BEYOND, 1, 0):
            dear = []
            yield from self.last_dear(volumes, dear)
            if not near:
                found.append(volumes[min(dear[0] + 1, len(volumes) - 1)] if dear else volumes[0])
                return
            if not dear or dear[0] == len(volumes) - 1:
                found.append(NEVER if dear else volumes[0])
                return
            low, high = volumes[dear[0]], volumes[min(dear[0] + near, len(volumes) - 1)]
            volumes = [low + (high - low) * place / (WITHIN - 1) for place in range(WITHIN)]


def break_even(facts, case, choices, found):
    """Steps of finding the choice that is the first to be cheaper than the API as volumes grow: (volume, choice) into ``found``.

    Nothing is put there where no volume is enough.
    """
    best = cheapest_of_kinds(choices)
    sold = [one for one in best if one["kind"] == "api"]
    held = [(KINDS[one["kind"]][2] != "fixed", rank, one) for rank, one in enumerate(best) if sold and one["kind"] != "api"]
    least = (NEVER, 0)
    for _, rank, one in sorted(held, key=lambda each: each[:2]):  # fixed fleets are found at once, and spare work on others
        at = []
        yield from Search(facts, case, one, sold[0]).threshold(at, least[0])
        if at and (at[0], rank) < least:
            least = (at[0], rank)
            found[:] = [(at[0], one)]


# --- what would change it most ---------------------------------------------------------------------


def variants(facts, values):
    """Inputs one at a time at another value that is assumed or allowed: (name, value)."""
    found = []
    for name in facts["ends"]:
        found += [(name, end) for end in facts["ends"][name] if end is not None and end != values[name]]
    for name, others in (("weights", facts["formats"]), ("profile", ["flat"]), ("price_rule", ["typical", "best", "list"])):
        if name != "profile" or values["peak_to_mean"] is None:
            found += [(name, other) for other in others if other != values[name]]
    return found


def swings(facts, values, one, found):
    """Steps of computing the bill of a month of one choice on machines with each of :func:`variants`.

    What can be had is put into ``found``: (name, value, USD a month).
    """
    for name, value in variants(facts, values):
        other = answer.case(facts, dict(values, **{name: value}))
        part = answer.of_gpu(facts, other, one["gpu"], (one["kind"],))
        found += [(name, value, each["usd_per_month"]) for each in part["choices"] if not each["reason"]]
        yield


def most(swings, usd_per_month, count):
    """Of each input the value that moves the bill most, and of these the first few."""
    found = {}
    for name, value, usd in swings:
        if name not in found or abs(usd - usd_per_month) > abs(found[name][1] - usd_per_month):
            found[name] = (value, usd)
    rows = sorted([(-abs(found[name][1] - usd_per_month), name) for name in found])
    return [(name, found[name][0], found[name][1]) for moved, name in rows[:count] if moved < 0]

"""From load to replicas in tables: how many are needed each hour, how many are paid for, and how full they are.

A profile comes from :mod:`tokenecon.fleet.traffic` and repeats itself; the arithmetic is that of :mod:`tokenecon.fleet.policies`.
What no fleet can be planned for is refused here.
"""

import numpy as np
import pandas as pd

from tokenecon.fleet import policies
from tokenecon.fleet.policies import POLICIES, costs, whole
from tokenecon.numerics import mean_of

__all__ = ["POLICIES", "costs", "demand_curve", "demand_hours", "demand_rows", "hours", "plan", "replicas", "spares", "whole"]


def replicas(rate_per_s, *, requests_per_s, concurrency, wait_probability):
    """Whole replicas with which at most this share of requests waits, for each rate; 0 where nothing comes."""
    rates = np.asarray(rate_per_s, dtype=float)
    _check_rates(rates)
    _check_replica(requests_per_s, concurrency, wait_probability)
    return policies.replicas(rates * concurrency / requests_per_s, concurrency=concurrency, wait_probability=wait_probability)


def _check_rates(rates):
    if not (np.isfinite(rates) & (rates >= 0)).all():
        raise ValueError("rates of requests must be numbers of at least 0")


def _check_replica(requests_per_s, concurrency, wait_probability):
    if not (0 < requests_per_s < float("inf") and 1 <= concurrency < float("inf")):
        raise ValueError(f"a replica with requests_per_s = {requests_per_s:g} and concurrency = {concurrency:g} serves nothing; "
                         "give a rate above 0 and at least one place")
    if not 0 < wait_probability < 1:
        raise ValueError(f"wait_probability is {wait_probability:g}, but must lie between 0 and 1: the share of requests that "
                         "may find every place taken")


def _checked(profile, demands, *, requests_per_s, concurrency, wait_probability, policy, start_h, floor, percentile=1.0,
             headroom=1.0):
    """The terms of a fleet as :mod:`policies` takes them, or a refusal."""
    if policy not in POLICIES:
        raise ValueError(f"policy '{policy}' is not known; use {', '.join(POLICIES)}")
    if not (0 <= start_h < float("inf") and 0 <= floor < float("inf")):
        raise ValueError(f"start_h = {start_h:g} and floor = {floor:g} must be at least 0")
    if not 0 < percentile <= 1:
        raise ValueError(f"percentile is {percentile:g}, but must be above 0 and at most 1: the share of hours that the fixed "
                         "fleet is large enough for")
    if not 1 <= headroom < float("inf"):
        raise ValueError(f"headroom is {headroom:g}, but must be at least 1: the load that an hour is sized for over its mean")
    ratio = profile["ratio"]
    demands = headroom * np.asarray(demands, dtype=float)
    ends = [demands.min(), demands.max()] if demands.size else []  # rates between them lie between theirs
    _check_rates(np.multiply.outer(ends, [ratio.min(skipna=False), ratio.max()]))
    _check_replica(requests_per_s, concurrency, wait_probability)
    return {"requests_per_s": requests_per_s, "concurrency": concurrency, "wait_probability": wait_probability,
            "policy": policy, "start_h": start_h, "floor": floor, "percentile": percentile, "headroom": headroom}


def hours(profile, *, mean_requests_per_s, **terms):
    """Each step of the profile: ``hour``, ``requests_per_s``, replicas ``needed``, ``paid`` and ``busy``.

    The terms of a fleet are those of :func:`tokenecon.fleet.policies.fleet`; without ``percentile`` and ``headroom`` it is one
    that suits all hours, each without bursts.
    """
    terms = _checked(profile, mean_requests_per_s, **terms)
    rates, needed, paid = policies.fleet(profile["ratio"].to_numpy(), mean_requests_per_s, **terms)
    return pd.DataFrame({"hour": profile["hour"], "requests_per_s": rates, "needed": needed, "paid": paid,
                         "busy": policies.busy(rates, paid, terms["requests_per_s"])})


def plan(profile, *, mean_requests_per_s, **terms):
    """The fleet of a policy over a profile, as the dict of :func:`tokenecon.fleet.policies.plan`."""
    terms = _checked(profile, mean_requests_per_s, **terms)
    if not mean_requests_per_s * profile["ratio"].sum() > 0:
        raise ValueError("a fleet for no request has no utilisation; mean_requests_per_s must be above 0")
    return policies.plan(profile["ratio"].to_numpy(), mean_requests_per_s=mean_requests_per_s, **terms)


def demand_curve(profile, *, demands, **terms):
    """``mean_paid_replicas`` of :func:`plan` for an array of mean demands in requests a second; never falls with demand."""
    terms = _checked(profile, demands, **terms)
    column = np.asarray(demands, dtype=float)[..., None]  # a row of hours for each demand
    return mean_of(policies.fleet(profile["ratio"].to_numpy(), column, **terms)[2])


def demand_hours(profile, *, demands, **terms):
    """Rates, needed and paid replicas of every hour, one row for each of an array of mean demands in requests a second."""
    terms = _checked(profile, demands, **terms)
    column = np.asarray(demands, dtype=float)[..., None]
    return policies.fleet(profile["ratio"].to_numpy(), column, **terms)


def demand_rows(rates, **terms):
    """Paid replicas of every hour, for rows of rates in requests a second that each have hours of their own; no ``to_zero``."""
    ones = pd.DataFrame({"ratio": [1.0]})
    return policies.fleet(rates, 1.0, **_checked(ones, rates, **terms))[2]


def spares(needed, *, working, availability):
    """Replicas beyond those needed, so that enough of them work for this share of the time; each works for ``working`` of it.

    They fail one by one, each at its own time: what takes several at once, a server or a hall, is not in it.
    """
    for name, share in (("working", working), ("availability", availability)):
        if not 0 < share < 1:
            raise ValueError(f"{name} is {share:g}, but must lie between 0 and 1: a share of the time")
    from scipy import stats  # it takes longer to load than most fleets to plan

    counts, places = np.unique(np.asarray(needed, dtype=float), return_inverse=True)
    out = np.zeros_like(counts)
    short = counts > 0
    while short.any():
        short = short & (stats.binom.sf(np.ceil(counts) - 1, np.ceil(counts) + out, working) < availability)
        out = out + short
    return out[places].reshape(np.shape(needed))

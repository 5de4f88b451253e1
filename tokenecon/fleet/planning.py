"""From load to replicas: how many are needed each hour, how many are paid for, and how full they are.

One replica has ``concurrency`` places and finishes ``requests_per_s`` when all are taken, so a request holds a place for
``concurrency / requests_per_s`` seconds (Little's law).  The fleet of an hour is the smallest in which at most the share
``wait_probability`` of requests finds every place taken (Erlang C over all places).  A profile comes from
:mod:`tokenecon.fleet.traffic` and repeats itself.
"""

import numpy as np
import pandas as pd
from scipy.special import gammainc

from tokenecon.fleet import erlang, poisson
from tokenecon.formulas import money
from tokenecon.units import SECONDS_PER_HOUR

POLICIES = ("fixed", "autoscale", "to_zero")
SPREAD, EXTRA = 9.0, 25.0  # places beyond these standard deviations and this many are never taken, or always
STEP_H = 1.0  # of a profile [h]
GRID = 4096  # loads from which on the paid time of scale to zero is interpolated
ONE_ALONE = 1  # replicas in the unit of cost: a replica is priced whole


def replicas(rate_per_s, *, requests_per_s, concurrency, wait_probability):
    """Whole replicas with which at most this share of requests waits, for each rate; 0 where nothing comes.

    Exact for any number of places: Erlang C from the incomplete gamma function, searched by doubling and halving.
    """
    rates = np.asarray(rate_per_s, dtype=float)
    _check(rates, requests_per_s, concurrency, wait_probability)
    loads, back = np.unique(rates * concurrency / requests_per_s, return_inverse=True)
    found = np.zeros(len(loads))
    some, target = loads > 0, {"places": concurrency, "wait_probability": wait_probability}
    if some.any():
        most = erlang.fleet(load=float(loads[-1]), **target)
        # many rates on a small fleet: the largest load of every fleet is found sooner than the fleet of every load
        if 8 * most < some.sum():
            slots = np.arange(1, most + 1) * concurrency
            limits = erlang.utilisation(slots=slots, wait_probability=wait_probability) * slots
            found[some] = np.minimum(np.searchsorted(limits, loads[some]) + 1, most)
        else:
            found[some] = erlang.fleet(load=loads[some], **target)
    return found[back].reshape(rates.shape)


def _check(rates, requests_per_s, concurrency, wait_probability):
    if not (np.isfinite(rates) & (rates >= 0)).all():
        raise ValueError("rates of requests must be numbers of at least 0")
    if not (0 < requests_per_s < float("inf") and 1 <= concurrency < float("inf")):
        raise ValueError(f"a replica with requests_per_s = {requests_per_s:g} and concurrency = {concurrency:g} serves nothing; "
                         "give a rate above 0 and at least one place")
    if not 0 < wait_probability < 1:
        raise ValueError(f"wait_probability is {wait_probability:g}, but must lie between 0 and 1: the share of requests that "
                         "may find every place taken")


def _autoscaled(needed, start_steps):
    """Paid replicas where each must be ordered this many steps ahead: what the coming time needs at most.

    A fraction of a step counts for that fraction of it.
    """
    whole, part = int(start_steps), start_steps - int(start_steps)
    steps = needed.shape[-1]
    held = needed
    for ahead in range(1, min(whole, steps - 1) + 1):
        held = np.maximum(held, np.roll(needed, -ahead, axis=-1))
    longer = np.maximum(held, np.roll(needed, -min(whole + 1, steps - 1), axis=-1))
    return (1 - part) * held + part * longer


def _woken(loads, concurrency, start_ratio):
    """Replicas paid where each runs only while it has a request, and the share of requests that start one.

    The number of requests in flight is Poisson; replica n runs while more than (n - 1) replicas' places are taken.  A request
    that finds exactly so many taken starts it, and the start is paid too: a cycle of replica n, from one start to the next, grows
    by the time of a start.  ``start_ratio`` is that time over the time that a request holds a place.
    """
    reach = SPREAD * np.sqrt(loads) + EXTRA
    always = np.maximum(np.floor((loads - reach) / concurrency), 0.0)
    paid, started = always.copy(), np.zeros(loads.shape)
    for step in range(int(np.max((loads + reach) / concurrency - always, initial=0)) + 2):
        places = (always + step) * concurrency
        exactly = poisson.exactly(places, loads)
        starting = start_ratio * loads * exactly  # time of starts in the time of a cycle without them
        paid += (gammainc(places + 1, loads) + starting) / (1 + starting)
        started += exactly / (1 + starting)
    return paid, np.where(loads > 0, np.minimum(started, 1.0), 0.0)


def _start_ratio(start_h, requests_per_s, concurrency):
    """Time of a start over the time that a request holds a place."""
    return start_h * SECONDS_PER_HOUR * requests_per_s / concurrency


def _zero(loads, concurrency, start_ratio):
    """:func:`_woken`'s paid replicas for any number of loads."""
    if loads.size <= GRID:
        return _woken(loads, concurrency, start_ratio)[0]
    some = loads[loads > 0]
    grid = np.concatenate(([0.0], np.geomspace(some.min(), some.max(), GRID)))
    return np.interp(loads, grid, _woken(grid, concurrency, start_ratio)[0])


def _fleet(profile, demands, *, requests_per_s, concurrency, wait_probability, policy, start_h, floor, percentile, headroom):
    """Rates, needed and paid replicas; one row a demand, one column a step."""
    if policy not in POLICIES:
        raise ValueError(f"policy '{policy}' is not known; use {', '.join(POLICIES)}")
    if not (0 <= start_h < float("inf") and 0 <= floor < float("inf")):
        raise ValueError(f"start_h = {start_h:g} and floor = {floor:g} must be at least 0")
    if not 0 < percentile <= 1:
        raise ValueError(f"percentile is {percentile:g}, but must be above 0 and at most 1: the share of hours that the fixed "
                         "fleet is large enough for")
    if not 1 <= headroom < float("inf"):
        raise ValueError(f"headroom is {headroom:g}, but must be at least 1: the load that an hour is sized for over its mean")
    rates = np.multiply.outer(np.asarray(demands, dtype=float), profile["ratio"].to_numpy())
    needed = replicas(headroom * rates, requests_per_s=requests_per_s, concurrency=concurrency, wait_probability=wait_probability)
    if policy == "fixed":
        fleet = np.quantile(needed, percentile, axis=-1, method="inverted_cdf")
        paid = np.maximum(np.broadcast_to(fleet[..., None], needed.shape), floor)
    elif policy == "autoscale":
        paid = np.maximum(_autoscaled(needed, start_h / STEP_H), floor)
    else:
        ratio = _start_ratio(start_h, requests_per_s, concurrency)
        paid = np.minimum(_zero(rates * concurrency / requests_per_s, concurrency, ratio), needed)
    return rates, needed, paid


def hours(profile, *, mean_requests_per_s, requests_per_s, concurrency, wait_probability, policy, start_h, floor, percentile=1.0,
          headroom=1.0):
    """Each step of the profile: ``hour``, ``requests_per_s``, replicas ``needed``, ``paid`` and ``busy``."""
    rates, needed, paid = _fleet(
        profile, mean_requests_per_s, requests_per_s=requests_per_s, concurrency=concurrency, policy=policy,
        wait_probability=wait_probability, start_h=start_h, floor=floor, percentile=percentile, headroom=headroom)
    return pd.DataFrame({"hour": profile["hour"], "requests_per_s": rates, "needed": needed, "paid": paid,
                         "busy": np.minimum(rates / requests_per_s, paid)})


def plan(profile, *, mean_requests_per_s, requests_per_s, concurrency, wait_probability, policy, start_h, floor, percentile=1.0,
         headroom=1.0):
    """The fleet of a policy over a profile, as a dict of numbers.

    - ``fixed`` keeps what the busiest hour needs, or what a ``percentile`` of the hours need;
    - ``autoscale`` pays in each hour for what it and the time until a new replica would be up, ``start_h``, need at most;
      it knows the coming hours, so that a scaler that has to guess pays more or makes some wait;
    - ``to_zero`` pays for a replica only while it has a request, and for its start each time; it keeps none.

    ``floor`` replicas are kept at all times by the first two.  ``headroom`` sizes every hour for so many times its mean rate: 1
    is the textbook's hour without bursts.  Results: ``mean_paid_replicas``, ``peak_replicas``; ``busy_replicas``: full
    ones that would do the work; ``utilisation``: busy over paid time; ``idle_share``; ``peak_to_mean`` of the load;
    ``turned_away``: share of the requests beyond what the fleet can do, above 0 only where ``percentile`` is below 1;
    ``cold_share``: share of requests that start a replica (``to_zero``; else 0).
    """
    table = hours(profile, mean_requests_per_s=mean_requests_per_s, requests_per_s=requests_per_s, concurrency=concurrency,
                  wait_probability=wait_probability, policy=policy, start_h=start_h, floor=floor, percentile=percentile,
                  headroom=headroom)
    if not table["requests_per_s"].sum() > 0:
        raise ValueError("a fleet for no request has no utilisation; mean_requests_per_s must be above 0")
    paid, busy = float(table["paid"].mean()), float(table["busy"].mean())
    rates, cold = table["requests_per_s"].to_numpy(), 0.0
    if policy == "to_zero":
        started = _woken(rates * concurrency / requests_per_s, concurrency, _start_ratio(start_h, requests_per_s, concurrency))[1]
        cold = float(np.average(started, weights=rates))
    return {
        "mean_paid_replicas": paid, "peak_replicas": float(table["paid"].max()), "busy_replicas": busy,
        "utilisation": busy / paid, "idle_share": 1 - busy / paid, "peak_to_mean": float(rates.max() / rates.mean()),
        "turned_away": max(0.0, 1 - busy * requests_per_s / float(rates.mean())) if percentile < 1 else 0.0, "cold_share": cold,
    }  # fmt: skip


def demand_curve(profile, *, demands, requests_per_s, concurrency, wait_probability, policy, start_h, floor, percentile=1.0,
                 headroom=1.0):
    """``mean_paid_replicas`` of :func:`plan` for an array of mean demands in requests a second; never falls with demand."""
    _, _, paid = _fleet(profile, demands, requests_per_s=requests_per_s, concurrency=concurrency, policy=policy,
                        wait_probability=wait_probability, start_h=start_h, floor=floor, percentile=percentile, headroom=headroom)
    return paid.mean(axis=-1)


def costs(plan, *, usd_per_replica_hour, requests_per_s, tok_per_request):
    """Cost of a million tokens on both bases, from a :func:`plan` and the price of a replica's hour.

    ``usd_per_mtok_used`` counts busy time only (usage: who sends a request pays for the place it takes);
    ``usd_per_mtok_allocated`` spreads all paid time over all tokens (allocation).  They are equal where every paid hour is full.
    """
    def cost(utilisation):
        return float(money.usd_per_mtok(
            usd_per_gpu_hour=usd_per_replica_hour, n_gpus=ONE_ALONE, tok_per_s=requests_per_s * tok_per_request,
            utilisation=utilisation))

    return {"usd_per_mtok_used": cost(1.0), "usd_per_mtok_allocated": cost(plan["utilisation"])}

"""The arithmetic of a fleet over the hours: how many replicas are needed, paid for and busy, by policy, and what they cost.

One replica has ``concurrency`` places and finishes ``requests_per_s`` when all are taken, so a request holds a place for
``concurrency / requests_per_s`` seconds (Little's law).  The fleet of an hour is the smallest in which at most the share
``wait_probability`` of requests finds every place taken (Erlang C over all places).

The hours are a row of :mod:`tokenecon.numerics`, as ratios to their mean, and repeat themselves: a list of floats in the
reader's browser, an array in a table, where a column of demands gives one row each.  Nothing here reads data or checks it;
:mod:`tokenecon.fleet.planning` does.
"""

import math

from tokenecon.fleet import erlang, poisson
from tokenecon.formulas import money
from tokenecon.numerics import (
    alike,
    below,
    between,
    ceil,
    distinct,
    each,
    floor,
    length,
    maximum,
    maximum_of,
    mean_of,
    minimum,
    pick,
    shifted,
    size,
    smallest,
    sqrt,
    where,
)
from tokenecon.units import SECONDS_PER_HOUR

POLICIES = ("fixed", "autoscale", "to_zero")
SPREAD, EXTRA = 9.0, 25.0  # places beyond these standard deviations and this many are never taken, or always
STEP_H = 1.0  # of a profile [h]
GRID = 4096  # loads from which on the paid time of scale to zero is interpolated
ROUNDING = 1e-9  # of replicas: what division leaves over a whole number
PER_DECADE = 6  # loads of a grid whose reserves are kept
NEAR = 0.1  # places: many times what lines between them are off by
_RESERVES = {}  # share that may wait: step of the grid: reserve
_LIMITS = {}  # places of a replica and share that may wait: the largest loads of 1, 2, 3 ... replicas, in places
KEPT_LIMITS = 64  # rows of them at most, so that a sweep does not fill the memory
ONE_ALONE = 1  # replicas in the unit of cost: a replica is priced whole


def replicas(loads, *, concurrency, wait_probability):
    """Whole replicas with which at most this share of requests waits, for a row of loads in places; 0 where nothing comes.

    Exact for any number of places: Erlang C from the incomplete gamma function, searched by doubling and halving.
    """
    values, places = distinct(loads)
    if isinstance(values, list):
        return _placed(ascending(values, concurrency=concurrency, wait_probability=wait_probability), places)
    most = erlang.fleet(load=maximum_of(values), places=concurrency, wait_probability=wait_probability)
    # many loads on a small fleet: the largest load of every fleet is found sooner than the fleet of every load
    if 8 * most < size(values):
        limits = _limits(int(most), concurrency, wait_probability, values)

        def fleet(load):
            return minimum(below(load, limits) + 1.0, most)
    else:
        def fleet(load):
            return erlang.fleet(load=load, places=concurrency, wait_probability=wait_probability)

    return _placed(each(lambda load: where(load > 0, fleet(load), 0.0), values), places)


def _limits(most, concurrency, wait_probability, like):
    """The largest load of every fleet of up to ``most`` replicas, an array like another, kept: searches ask again and again."""
    key = concurrency, wait_probability
    limits = _LIMITS.get(key)
    if limits is None or size(limits) < most:
        slots = alike([count * concurrency for count in range(1, 2 ** math.ceil(math.log2(most)) + 1)], like)
        limits = each(lambda some: erlang.utilisation(slots=some, wait_probability=wait_probability) * some, slots)
        if len(_LIMITS) >= KEPT_LIMITS:
            _LIMITS.clear()
        _LIMITS[key] = limits
    return limits[:most]


def ascending(loads, *, concurrency, wait_probability):
    """:func:`replicas` of a list in ascending order: those of one load serve all up to the one that they serve for certain."""
    found, count, served = [], 0.0, 0.0
    for load in loads:
        if load > served:
            count, served = _of_load(load, concurrency, wait_probability)
        found.append(count)
    return found


def _of_load(load, concurrency, wait_probability):
    """:func:`replicas` of one load above 0, and a load that they serve for certain.

    The places that it needs lie between those of two loads of a grid; where that may be a replica off, it is tried.
    """
    at = PER_DECADE * math.log10(load)
    step, root = math.floor(at), math.sqrt(load)
    reserve = _reserve(step, wait_probability)
    reserve += (at - step) * (_reserve(step + 1, wait_probability) - reserve)
    slots = load + reserve * root
    count = max(1.0, float(math.ceil((slots - NEAR) / concurrency)))
    free = count * concurrency - NEAR - slots
    if free < 0:
        while count * concurrency <= load or erlang.waiting(slots=count * concurrency, load=load) > wait_probability:
            count += 1
        free = 0.0
    return count, load + free * root / (root + reserve / 2)  # larger loads need no more reserve for each root


def _reserve(step, wait_probability):
    """Places beyond a load of the grid, in its square roots."""
    kept = _RESERVES.setdefault(wait_probability, {})
    if step not in kept:
        load = 10.0 ** (step / PER_DECADE)
        kept[step] = (erlang.slots_needed(load=load, wait_probability=wait_probability) - load) / math.sqrt(load)
    return kept[step]


def autoscaled(needed, steps, start_steps):
    """Paid replicas of a row of so many steps where each must be ordered ahead: what the coming time needs at most.

    A fraction of a step counts for that fraction of it.
    """
    whole, part = int(start_steps), start_steps - int(start_steps)
    held = needed
    for ahead in range(1, min(whole, steps - 1) + 1):
        held = each(maximum, held, shifted(needed, ahead))
    longer = each(maximum, held, shifted(needed, min(whole + 1, steps - 1)))
    return each(lambda now, then: (1 - part) * now + part * then, held, longer)


def _always(load, concurrency):
    """Replicas whose places are taken at all times."""
    return maximum(floor((load - SPREAD * sqrt(load) - EXTRA) / concurrency), 0.0)


def _cycles(load, concurrency, start_ratio):
    """Of each further replica: places before its own, chance that just so many are taken, and time of its starts.

    The number of requests in flight is Poisson; replica n runs while more than (n - 1) replicas' places are taken.  A request
    that finds exactly so many taken starts it, and the start is paid too: a cycle of replica n, from one start to the next, grows
    by the time of a start.  ``start_ratio`` is that time over the time that a request holds a place.
    """
    always = _always(load, concurrency)
    for step in range(int(maximum_of((load + SPREAD * sqrt(load) + EXTRA) / concurrency - always)) + 2):
        places = (always + step) * concurrency
        exactly = poisson.exactly(places, load)
        yield places, exactly, start_ratio * load * exactly  # in the time of a cycle without them


def woken(load, *, concurrency, start_ratio):
    """Replicas paid where each runs only while it has a request."""
    paid = _always(load, concurrency)
    for places, _, starting in _cycles(load, concurrency, start_ratio):
        paid = paid + (poisson.at_least(places + 1, load) + starting) / (1 + starting)
    return paid


def cold_share(load, *, concurrency, start_ratio):
    """Share of requests that start a replica where each runs only while it has a request."""
    started = 0.0
    for _, exactly, starting in _cycles(load, concurrency, start_ratio):
        started = started + exactly / (1 + starting)
    return where(load > 0, minimum(started, 1.0), 0.0)


def zero(loads, **cycle):
    """:func:`woken` for a row of any number of loads."""
    most = maximum_of(loads)
    if size(loads) <= GRID or not most > 0:
        return _of_distinct(lambda load: woken(load, **cycle), loads)
    least = -maximum_of(each(lambda load: where(load > 0, -load, -most), loads))
    grid = alike([0.0] + [least * (most / least) ** (step / (GRID - 1)) for step in range(GRID)], loads)
    values = each(lambda load: woken(load, **cycle), grid)
    return each(lambda load: between(load, grid, values), loads)


def _of_distinct(function, row):
    """A function of the elements of a row, computed once for those that are the same: hours of a week of like days."""
    values, places = distinct(row)
    return _placed(each(function, values), places)


def _placed(found, places):
    return each(lambda place: pick(found, place), places)


def _cycle(start_h, requests_per_s, concurrency):
    """Places of a replica that scales to zero, and the time of its start over the time that a request holds a place."""
    return {"concurrency": concurrency, "start_ratio": start_h * SECONDS_PER_HOUR * requests_per_s / concurrency}


def fleet(ratios, mean_requests_per_s, *, requests_per_s, concurrency, wait_probability, policy, start_h, floor, percentile,
          headroom):
    """Rows of the rates and of the needed and paid replicas of a policy.

    - ``fixed`` keeps what the busiest hour needs, or what a ``percentile`` of the hours need;
    - ``autoscale`` pays in each hour for what it and the time until a new replica would be up, ``start_h``, need at most;
      it knows the coming hours, so that a scaler that has to guess pays more or makes some wait;
    - ``to_zero`` pays for a replica only while it has a request, and for its start each time; it keeps none.

    ``floor`` replicas are kept at all times by the first two.  ``headroom`` sizes every hour for so many times its mean rate: 1
    is the textbook's hour without bursts.
    """
    def loads(more):
        return each(lambda rate: more * rate * concurrency / requests_per_s, rates)

    rates = each(lambda ratio: ratio * mean_requests_per_s, ratios)
    needed = replicas(loads(headroom), concurrency=concurrency, wait_probability=wait_probability)
    if policy == "fixed":
        kept = maximum(smallest(needed, max(0, int(ceil(length(ratios) * percentile - 1)))), floor)
        return rates, needed, each(lambda need: kept + 0.0 * need, needed)  # as many in every hour
    if policy == "autoscale":
        return rates, needed, each(lambda held: maximum(held, floor), autoscaled(needed, length(ratios), start_h / STEP_H))
    return rates, needed, each(minimum, zero(loads(1.0), **_cycle(start_h, requests_per_s, concurrency)), needed)


def at_utilisation(rate, *, requests_per_s, utilisation, kept):
    """Whole replicas for a rate where a plan says how busy they are to be; so many are kept in any case."""
    return maximum(ceil(rate / requests_per_s / utilisation - ROUNDING), kept)


def whole(replicas, *, n_gpus, unit_gpus):
    """Replicas that are had where GPUs come in servers of ``unit_gpus``: as many as all of their GPUs would make."""
    if n_gpus >= unit_gpus:
        each_gpus = ceil(n_gpus / unit_gpus) * unit_gpus
        return ceil(replicas - ROUNDING) * each_gpus / n_gpus
    return ceil(replicas / (unit_gpus // n_gpus) - ROUNDING) * unit_gpus / n_gpus


def busy(rates, paid, requests_per_s):
    """A row of the full replicas that do the work, as far as those paid can."""
    return each(lambda rate, held: minimum(rate / requests_per_s, held), rates, paid)


def plan(ratios, *, mean_requests_per_s, requests_per_s, concurrency, policy, start_h, percentile, **terms):
    """The :func:`fleet` of a policy over its hours, as a dict of numbers.

    ``mean_paid_replicas``, ``peak_replicas``; ``busy_replicas``: full ones that would do the work; ``utilisation``: busy over
    paid time; ``idle_share``; ``peak_to_mean`` of the load; ``turned_away``: share of the requests beyond what the fleet can do,
    above 0 only where ``percentile`` is below 1; ``cold_share``: share of requests that start a replica (``to_zero``; else 0).
    """
    rates, _, held = fleet(ratios, mean_requests_per_s, requests_per_s=requests_per_s, concurrency=concurrency, policy=policy,
                           start_h=start_h, percentile=percentile, **terms)
    rate, paid, working = float(mean_of(rates)), float(mean_of(held)), float(mean_of(busy(rates, held, requests_per_s)))
    cold = 0.0
    if policy == "to_zero":
        cycle = _cycle(start_h, requests_per_s, concurrency)
        cold = float(mean_of(_of_distinct(
            lambda rate: rate * cold_share(rate * concurrency / requests_per_s, **cycle), rates))) / rate
    return {
        "mean_paid_replicas": paid, "peak_replicas": maximum_of(held), "busy_replicas": working, "utilisation": working / paid,
        "idle_share": 1 - working / paid, "peak_to_mean": maximum_of(rates) / rate,
        "turned_away": max(0.0, 1 - working * requests_per_s / rate) if percentile < 1 else 0.0, "cold_share": cold,
    }  # fmt: skip


def costs(plan, *, usd_per_replica_hour, requests_per_s, tok_per_request):
    """Cost of a million tokens on both bases, from a :func:`plan` and the price of a replica's hour.

    ``usd_per_mtok_used`` counts busy time only (usage: who sends a request pays for the place it takes);
    ``usd_per_mtok_allocated`` spreads all paid time over all tokens (allocation).  They are equal where every paid hour is full.
    """
    def cost(utilisation):
        return money.usd_per_mtok(usd_per_gpu_hour=usd_per_replica_hour, n_gpus=ONE_ALONE,
                                  tok_per_s=requests_per_s * tok_per_request, utilisation=utilisation)

    return {"usd_per_mtok_used": cost(1.0), "usd_per_mtok_allocated": cost(plan["utilisation"])}

"""A replica's fleet at every load that a draw may ask of it: replicas in the busiest hour and on average, and what a base leaves.

Tables over the load of a day and over the size of a base of replicas that are paid in all hours; between their points they are
interpolated, at the loads that were named they are exact.
"""

from types import SimpleNamespace

import numpy as np

from tokenecon.decision import bill, options
from tokenecon.fleet import planning, policies

LOADS = 300  # loads of a table
LEVELS = 48  # sizes of a base, beyond those that are all named
BINS = 4096  # of the logarithm of a load, from which its place is found without a search
LARGEST = 100_000  # replicas up to which the place of a base is looked up by its whole replicas
CROWD = 1e15  # requests of a day beyond which chance plays no part: a fleet grows in step with its load


def of_loads(case, row, exact, low=None, high=None):
    """Tables of a replica over the loads given, and up to :data:`LOADS` others between two ends.

    ``loads``; ``held``: mean replicas where each hour takes what it needs; ``peak``: those of the busiest hour; ``levels``:
    replicas of a base; ``beyond``: mean replicas of the hours that such a base lacks, load × level; ``overflow``: share of the
    requests that it leaves to somebody else.
    """
    bought, loads = options.with_unit(row), np.unique(np.asarray(exact, dtype=float))
    if low is not None:
        count = options.points(case, LOADS)
        loads = np.unique(np.concatenate((loads, np.geomspace(min(low, loads[0]), max(high, loads[-1]), count))))
    loads = np.unique(np.minimum(loads, CROWD))
    loads = loads if len(loads) > 1 else np.append(loads, 2 * loads)
    rates, needed, paid = hours(case, row, loads)
    peak = needed.max(axis=1)
    named = peak[np.isin(loads, exact)]
    most = max(float(peak.max()), float(options.whole(bought, named).max()), 2.0)
    levels = np.unique(np.concatenate((  # sizes that a plan may buy are exact
        [0.0], np.round(np.geomspace(1.0, most, LEVELS)), named, options.whole(bought, named))))
    beyond = np.stack([np.maximum(paid - level, 0.0).mean(axis=1) for level in levels], axis=1)
    lacking = [np.maximum(1.0 - level / np.maximum(needed, 1.0), 0.0) for level in levels]
    overflow = np.stack([(rates * lack).mean(axis=1) for lack in lacking], axis=1) / rates.mean(axis=1)[:, None]
    whole = np.searchsorted(levels, np.arange(min(most, LARGEST) + 1), "right") - 1
    return SimpleNamespace(loads=loads, held=paid.mean(axis=1), peak=peak, levels=levels, beyond=beyond, overflow=overflow,
                           row=row, bins=_bins(loads), whole=whole)


def _bins(loads):
    """How the place of a load is found: the load before each of many steps of its logarithm, and how many lie within one."""
    scale = (BINS - 1) / np.log(loads[-1] / loads[0])
    first = np.searchsorted(loads, loads[0] * np.exp(np.arange(BINS + 1) / scale) * (1 - 1e-12), "right") - 1
    first = np.maximum(first, 0)
    return SimpleNamespace(scale=scale, first=first, most=int(np.diff(first).max()) + 1)


def hours(case, row, loads):
    """Rates, needed and paid replicas of every hour, spares included, one row a load; of a stated utilisation one hour."""
    demands = options.rate(np.atleast_1d(np.asarray(loads, dtype=float)))
    if case.utilisation is not None:
        needed = policies.at_utilisation(demands, requests_per_s=row["requests_per_s"], utilisation=case.utilisation,
                                         kept=options.KEPT)[:, None]
        spare = bill.spare_replicas(case, needed)
        return demands[:, None], needed + spare, needed + spare
    policy = options.policy_of(case, "on_demand")
    rates, needed, paid = planning.demand_hours(case.profile, demands=demands, policy=policy, **options.fleet_terms(case, row))
    needed = np.maximum(needed, 0 if policy == "to_zero" else options.KEPT)
    return rates, needed + bill.spare_replicas(case, needed), paid + options.standby(case, policy, paid)


def _share(points, below, values):
    """How far values lie on the way from the point below to the next, and from 0 to 1 beyond the ends."""
    start = points[below]
    return np.clip((values - start) / (points[below + 1] - start), 0.0, 1.0)


def _load_place(found, load):
    """The load of a table below each load, and the share of the way to the next."""
    loads, bins = found.loads, found.bins
    place = (np.log(np.maximum(load / loads[0], 1.0)) * bins.scale).astype(np.int64)
    below = bins.first[np.minimum(place, BINS - 1)]
    for _ in range(bins.most):
        below = np.minimum(below + (loads[np.minimum(below + 1, len(loads) - 1)] <= load), len(loads) - 2)
    return below, _share(loads, below, load)


def _level_place(found, base):
    """The size of a base below each, and the share of the way to the next."""
    last = len(found.levels) - 2
    if found.levels[-1] > LARGEST:
        below = np.clip(np.searchsorted(found.levels, base, side="right") - 1, 0, last)
    else:
        below = np.minimum(found.whole[np.minimum(base, found.levels[-1]).astype(np.int64)], last)
    return below, _share(found.levels, below, base)


def placed(found, load):
    """A load in a table: its row, how far it lies on the way to the next, and how often it holds the last load of the table.

    A fleet so large grows in step with its load.
    """
    row, along = _load_place(found, load)
    beyond = np.max(load) > found.loads[-1]
    return SimpleNamespace(row=row, along=along, more=np.maximum(load / found.loads[-1], 1.0) if beyond else 1.0)


def of_base(found, name, at, base):
    """What a base leaves at a :func:`placed` load: ``beyond`` in mean replicas, ``overflow`` as a share of the requests."""
    column, across = _level_place(found, base / at.more)
    table, width = getattr(found, name).ravel(), len(found.levels)
    corner = at.row * width + column
    lower = table[corner] * (1 - across) + table[corner + 1] * across
    upper = table[corner + width] * (1 - across) + table[corner + width + 1] * across
    left = lower * (1 - at.along) + upper * at.along
    return left * at.more if name == "beyond" else left


def mean_replicas(found, at):
    """Mean replicas at a :func:`placed` load where each hour takes what it needs."""
    return (found.held[at.row] * (1 - at.along) + found.held[at.row + 1] * at.along) * at.more


def peak_replicas(found, at):
    """Whole replicas of the busiest hour at a :func:`placed` load."""
    return np.ceil((found.peak[at.row] * (1 - at.along) + found.peak[at.row + 1] * at.along) * at.more - policies.ROUNDING)

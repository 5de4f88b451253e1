"""What splitting a fleet costs: replicas of the page's model in pools of any size, and groups of users kept apart."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.fleet import planning
from tokenecon.fleet.erlang import slots_needed
from tokenecon.serving import operating_point, sizing

ALONE = 1  # requests that a GPU serves at a time where nobody batches: how the documents' figures come out


def targets(case):
    """Strict, expected and loose waiting target: the case's, with the range of the assumption around it."""
    low, _, high = data.span("service.wait_probability")
    return min(low, case.wait_probability), case.wait_probability, max(high, case.wait_probability)


def replica(case):
    """What one copy of the page's model serves within the page's limits: a row of :func:`service.capacity` as a dict."""
    if not 0 < case.wait_probability < 1:
        raise BadInput(f"parameter 'wait_probability' is {case.wait_probability:g}, but must lie between 0 and 1: the share of "
                       "requests that may find everything busy")
    return sizing.of_page(case)


def replica_case(found):
    """The case of a replica as :func:`service.curve` takes it."""
    return {name: found[name] for name in sizing.COLUMNS}


def site_gpus(case):
    """GPUs of one site when the central fleet is spread evenly."""
    if case.edge_sites > case.central_gpus:
        raise BadInput(f"parameter 'edge_sites' is {case.edge_sites}, more sites than the {case.central_gpus} GPUs of "
                       "'central_gpus'; at least one GPU a site is needed")
    return case.central_gpus / case.edge_sites


def count(number, noun):
    """A whole number of things in words."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def changed(case, **changes):
    """The case with some parameters replaced."""
    return SimpleNamespace(**(vars(case) | changes))


# --- tenants -----------------------------------------------------------------------------------------


def isolation(replica, counts, *, requests_per_s, wait_probability):
    """What it costs that groups of users share no replica, or no batch: one row a number of equal groups.

    ``replica`` is a row of :func:`service.capacity` as a dict; ``requests_per_s`` is the rate of all groups together in
    the busy hour.  Two designs, not two factors of one:

    - replicas apart: ``penalty`` is whole replicas of all groups over those of one pool, and exactly the product of
      ``pooling_loss`` (chance: more places for the same traffic) and ``wall_loss`` (nobody buys half a replica).  An own
      replica that is emptier *is* a smaller batch, so multiplying by the loss of a smaller batch would count it twice;
    - batches apart on shared replicas, which take turns: ``batch_loss``, the rate of a replica at the pool's batch over
      that at a group's part of it; missing where a group has less than one request in flight.

    ``in_flight`` and ``tpot_ms`` are what a group's own replica runs at.  ``_low`` and ``_high`` of the penalty are those
    of the model's interval of speeds.
    """
    counts = np.asarray(counts, dtype=float)
    if not (counts >= 1).all():
        raise ValueError(f"the number of groups is {counts.min():g}, but must be at least 1")
    places = replica["concurrency"]
    steps = np.unique(np.round(np.geomspace(1, places, min(int(places), 24))))
    curve = sizing.curve(replica_case(replica), steps)
    rate_of, in_flight = np.append(0.0, curve["requests_per_s"]), np.append(0.0, steps)
    table = pd.DataFrame({"groups": counts})
    for end in operating_point.ENDS:
        target = {"requests_per_s": replica[f"requests_per_s{end}"], "concurrency": places, "wait_probability": wait_probability}
        pool, apart = (planning.replicas(rate, **target) * groups for rate, groups in (
            (np.array([requests_per_s]), 1.0), (requests_per_s / counts, counts)))
        table[f"penalty{end}"] = apart / pool
        if not end:
            table["replicas"], one_pool = apart, float(pool[0])
    ends = np.sort(table[[f"penalty{end}" for end in operating_point.ENDS]].to_numpy(), axis=1)
    table["penalty_low"], table["penalty_high"] = ends[:, 0], ends[:, 2]
    table["n_gpus"] = table["replicas"] * replica["n_gpus"]
    load = requests_per_s * replica["service_s"]
    needed = np.array([slots_needed(load=load / groups, wait_probability=wait_probability) * groups for groups in counts])
    together = slots_needed(load=load, wait_probability=wait_probability)
    table["pooling_loss"] = needed / together
    table["wall_loss"] = table["penalty"] / table["pooling_loss"]
    table["in_flight"] = np.interp(requests_per_s / table["replicas"], rate_of, in_flight)
    table["tpot_ms"] = np.interp(table["in_flight"], steps, curve["tpot_ms"])
    full = np.interp(requests_per_s / one_pool, rate_of, in_flight)
    part = full / counts
    table["batch_loss"] = np.where(part >= 1, np.interp(full, in_flight, rate_of) / np.interp(part, in_flight, rate_of), np.nan)
    return table

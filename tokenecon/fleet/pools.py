"""What splitting a fleet costs: replicas of the page's model in pools of any size, and groups of users kept apart."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.fleet import planning, traffic
from tokenecon.fleet.pooling_loss import slots_needed, utilisation
from tokenecon.formulas import queueing
from tokenecon.serving import operating_point, sizing

ALONE = 1  # requests that a GPU serves at a time where nobody batches: how the documents' figures come out
TARGETS = ("low", "", "high")  # strict, expected and loose waiting target


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


def pool_sizes(case):
    """Utilisation over the size of a pool: one request a GPU, replicas of the model, and those through the peaks of a day."""
    found, peak = replica(case), traffic.profile(case.profile).attrs["peak_to_mean"]
    places = found["concurrency"] / case.n_gpus
    alone = np.geomspace(2, max(2000, 2 * case.central_gpus), 60)
    whole = case.n_gpus * np.unique(np.round(np.geomspace(1, alone[-1] / case.n_gpus, 60)))
    kinds = {"1 request a GPU": (alone, ALONE, 1.0), "whole replicas": (whole, places, 1.0),
             "same, by day": (whole, places, peak)}
    parts = []
    for kind, (sizes, slots, top) in kinds.items():
        part = pd.DataFrame({"n_gpus": sizes, "kind": kind})
        for end, target in zip(TARGETS, targets(case), strict=True):
            part[f"utilisation_{end}".rstrip("_")] = queueing.mean_utilisation(
                peak_utilisation=utilisation(slots=sizes * slots, wait_probability=target), peak_to_mean=top)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    site = site_gpus(case)
    held = site // case.n_gpus
    lone = float(utilisation(slots=site, wait_probability=case.wait_probability))
    table.attrs["claimed"] = documents_points()
    opening = f"Chance leaves a site of {size_words(site)} {lone:.0%} busy if each serves one request"
    if held:
        full = float(utilisation(slots=held * found["concurrency"], wait_probability=case.wait_probability))
        table.attrs["finding"] = (f"{opening}, and {full:.0%} as {count(held, 'replica')} of "
                                  f"{count(found['concurrency'], 'place')}; the peaks of a day make that {full / peak:.0%}")
    else:
        table.attrs["finding"] = f"{opening}; it does not hold one replica of {case.n_gpus}"
    table.attrs["note"] = (
        f"A replica: {count(case.n_gpus, 'GPU')}, {count(found['concurrency'], 'request')} in flight within {case.ttft_ms:g} ms "
        f"to the first token and {case.tpot_ms:g} ms a token. Bands: {targets(case)[0]:.1%} to {targets(case)[2]:.0%} of "
        f"requests waiting. By day: sized for an hour {peak:.2f} times as busy as the mean. "
        "Poisson arrivals; real ones come in bursts.")
    table.attrs["sources"] = ["erlang-1917", "kleinrock-1975", "servegen-2025", "doc-uk", "own-assumption"]
    return table


def count(number, noun):
    """A whole number of things in words."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def size_words(n_gpus):
    """The GPUs of a site in words; a mean over sites may be a fraction."""
    return f"{n_gpus:,.6g} GPU{'' if n_gpus == 1 else 's'}"


def documents_points():
    """The two utilisations that the documents print, at their pool sizes."""
    central = data.claim("dep-central-gpus")["low"]
    sites = data.claim("dep-edge-clusters")["low"]
    rows = []
    for claim_id, n_gpus, label in (("dep-edge-utilisation", central / sites, "documents: edge"),
                                    ("dep-central-utilisation", central, "documents: centre")):
        claim = data.claim(claim_id)
        rows.append({"n_gpus": n_gpus, "label": label, "utilisation": (claim["low"] + claim["high"]) / 2,
                     "utilisation_low": claim["low"], "utilisation_high": claim["high"]})
    return pd.DataFrame(rows)


def changed(case, **moves):
    """The case with some parameters replaced."""
    return SimpleNamespace(**(vars(case) | moves))


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

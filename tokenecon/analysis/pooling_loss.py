"""What splitting a fleet costs: how full servers may be at a waiting target, for pools of any size.

The waiting probability is Erlang's C as in :mod:`tokenecon.formulas.queueing`.  Its recursion takes one step a
server; here pools have tens of thousands of slots, so the same probability is taken from the Poisson
distribution.  A test holds the two together.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import gammaincc, gammaln

from tokenecon import data
from tokenecon.formulas import pooling

HALVINGS = 50
ALONE = 1  # requests that a GPU serves at a time where nobody batches: how the documents' figures come out
TARGETS = ("low", "", "high")  # strict, expected and loose waiting target


def waiting(*, slots, load):
    """Chance that a request finds every slot busy (Erlang C), for a load below the slots."""
    slots, load = np.asarray(slots, dtype=float), np.asarray(load, dtype=float)
    blocked = np.exp(slots * np.log(load) - load - gammaln(slots + 1)) / gammaincc(slots + 1, load)
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


def targets(case):
    """Strict, expected and loose waiting target: the case's, with the range of the assumption around it."""
    low, _, high = data.span("service.wait_probability")
    return min(low, case.wait_probability), case.wait_probability, max(high, case.wait_probability)


def site_gpus(case):
    """GPUs of one site when the central fleet is spread evenly."""
    if case.edge_sites > case.central_gpus:
        raise ValueError(f"parameter 'edge_sites' is {case.edge_sites}, more sites than the {case.central_gpus} GPUs of "
                         "'central_gpus'; at least one GPU a site is needed")
    return case.central_gpus / case.edge_sites


def pool_sizes(case):
    """Utilisation over the size of a pool: one request a GPU, a batch a GPU, and that through the peaks of a day."""
    sizes = np.geomspace(2, max(2000, 2 * case.central_gpus), 60)
    kinds = {"one request a GPU": (ALONE, 1.0), f"{case.batch} requests a GPU": (case.batch, 1.0),
             f"{case.batch} requests a GPU, busy by day": (case.batch, case.peak_to_mean)}
    parts = []
    for kind, (slots, peak) in kinds.items():
        part = pd.DataFrame({"gpus": sizes, "kind": kind})
        for end, target in zip(TARGETS, targets(case), strict=True):
            part[f"utilisation_{end}".rstrip("_")] = pooling.mean_utilisation(
                peak_utilisation=utilisation(slots=sizes * slots, wait_probability=target), peak_to_mean=peak)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    site = site_gpus(case)
    alone, batched = (utilisation(slots=np.array([site, case.central_gpus]) * slots, wait_probability=case.wait_probability)
                      for slots in (ALONE, case.batch))
    table.attrs["claimed"] = documents_points()
    table.attrs["finding"] = (
        f"Chance leaves a site of {site:g} GPUs {alone[0]:.0%} busy if each serves one request, and {batched[0]:.0%} if each "
        f"serves {case.batch}; the peaks of a day make that {batched[0] / case.peak_to_mean:.0%}")
    table.attrs["note"] = (
        f"Bands: from {targets(case)[0]:.1%} to {targets(case)[2]:.0%} of requests waiting. Busy by day: the fleet is sized for "
        f"an hour {case.peak_to_mean:g} times as busy as the mean. Poisson arrivals; real ones come in bursts.")
    table.attrs["sources"] = ["erlang-1917", "kleinrock-1975", "servegen-2025", "doc-uk", "own-assumption"]
    return table


def documents_points():
    """The two utilisations that the documents print, at their pool sizes."""
    central = data.claim("dep-central-gpus")["low"]
    sites = data.claim("dep-edge-clusters")["low"]
    rows = []
    for claim_id, gpus, label in (("dep-edge-utilisation", central / sites, "documents: edge"),
                                  ("dep-central-utilisation", central, "documents: centre")):
        claim = data.claim(claim_id)
        rows.append({"gpus": gpus, "label": label, "utilisation": (claim["low"] + claim["high"]) / 2,
                     "utilisation_low": claim["low"], "utilisation_high": claim["high"]})
    return pd.DataFrame(rows)


def edge_ratio(case, *, gpus_per_site, slots_per_gpu, wait_probability, spares=None, overhead=None):
    """Cost of a token at small sites over one centre of all GPUs: emptier servers, spares, dearer hours."""
    spares = data.value("edge.spares") if spares is None else spares
    overhead = case.site_overhead if overhead is None else overhead
    stand_by = (pooling.spare_ratio(servers=gpus_per_site, spares=spares)
                / pooling.spare_ratio(servers=case.central_gpus, spares=spares))
    full, empty = (utilisation(slots=gpus * slots_per_gpu, wait_probability=wait_probability)
                   for gpus in (case.central_gpus, gpus_per_site))
    return pooling.edge_cost_ratio(central_utilisation=full, edge_utilisation=empty,
                                   overhead=stand_by * (1 + overhead) - 1)


def at_site(case):
    """The edge penalty at the page's size of a site, for one request a GPU and for a batch."""
    return [float(edge_ratio(case, gpus_per_site=site_gpus(case), slots_per_gpu=slots, wait_probability=case.wait_probability))
            for slots in (ALONE, case.batch)]


def edge_penalty(case):
    """Cost at the edge over cost in the centre, by the size of a site, adding one cause after another."""
    site = site_gpus(case)
    sizes = np.unique(np.append(np.geomspace(min(4, site), case.central_gpus, 50), site))
    kinds = {
        "emptier GPUs": {"slots_per_gpu": ALONE, "spares": 0, "overhead": 0.0},
        "+ spares": {"slots_per_gpu": ALONE, "overhead": 0.0},
        "+ dearer hours": {"slots_per_gpu": ALONE},
        "all, in batches": {"slots_per_gpu": case.batch},
    }
    parts = []
    for kind, settings in kinds.items():
        part = pd.DataFrame({"gpus_per_site": sizes, "kind": kind})
        ends = [edge_ratio(case, gpus_per_site=sizes, wait_probability=target, **settings) for target in targets(case)]
        part["cost_ratio"] = ends[1]
        if kind == list(kinds)[-2]:  # one band: four would hide each other
            part["cost_ratio_low"], part["cost_ratio_high"] = np.minimum(*ends[::2]), np.maximum(*ends[::2])
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    claim = data.claim("dep-edge-cost")
    alone, batched = at_site(case)
    table.attrs.update(site=site, alone=alone, batched=batched, claimed_low=claim["low"], claimed_high=claim["high"])
    table.attrs["finding"] = (
        f"At sites of {site:g} GPUs a token costs {alone:.1f} times as much as in one centre if a GPU serves one request at a "
        f"time, {batched:.1f} times if it serves {case.batch}; the documents say {claim['low']:g} to {claim['high']:g}")
    table.attrs["note"] = (
        f"In batches: {case.batch} requests a GPU at a time, else one. Spares: {data.value('edge.spares'):g} a site. The band runs "
        "over the waiting targets. Peaks of a day are left out: they empty the centre as much as the edge.")
    table.attrs["sources"] = ["erlang-1917", "kleinrock-1975", "doc-uk", "own-assumption"]
    return table


def changed(case, **moves):
    """The case with some parameters replaced."""
    return SimpleNamespace(**(vars(case) | moves))

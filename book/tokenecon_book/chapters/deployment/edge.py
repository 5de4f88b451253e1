"""What it costs to spread a fleet over many small sites: chance, whole replicas, spares, dearer hours, peaks of their own."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, finding, given, named
from tokenecon.fleet import erlang, planning, pools, traffic
from tokenecon.fleet.pools import ALONE, replica, site_gpus, targets
from tokenecon.formulas import queueing
from tokenecon_book.documents import base
from tokenecon_book.documents.words import span

ALONE_KIND = "1 request a GPU"
REPLICAS = ("whole replicas", "+ a spare each", "+ dearer hours", "+ own peaks")
ONE_DIGIT = "{:.1f}".format
ROUNDED = 1e-9  # of a rate: the last digits of a bisection, which differ between machines, must not cost a replica
ALL = REPLICAS[2]  # what the page calls the cost of the edge; peaks of single users are an upper end


def alone(case, *, gpus_per_site, wait_probability):
    """The reading that the documents' figures come from: every GPU serves one request at a time, fractions are kept."""
    spares = data.value("edge.spares")
    stand_by = (queueing.spare_ratio(servers=gpus_per_site, spares=spares)
                / queueing.spare_ratio(servers=case.central_gpus, spares=spares))
    full, empty = (erlang.utilisation(slots=n_gpus * ALONE, wait_probability=wait_probability)
                   for n_gpus in (case.central_gpus, gpus_per_site))
    return queueing.edge_cost_ratio(central_utilisation=full, edge_utilisation=empty,
                                    overhead=stand_by * (1 + case.site_overhead) - 1)


def by_replicas(case, *, sites, wait_probability, found=None):
    """Cost at the edge over cost in the centre with whole replicas, adding one cause after another: {cause: array}.

    The demand is what the centre carries at the waiting target.  A spare is a whole replica: half a model serves nobody.
    """
    found = replica(case) if found is None else found
    central = case.central_gpus // case.n_gpus
    if not central:
        raise BadInput(f"parameter 'central_gpus' is {case.central_gpus}, fewer than the {case.n_gpus} of one replica")
    places = found["concurrency"]
    busy = float(erlang.utilisation(slots=central * places, wait_probability=wait_probability)) * central * places
    rate = busy / found["service_s"] * (1 - ROUNDED)
    target = {"requests_per_s": found["requests_per_s"], "concurrency": places, "wait_probability": wait_probability}
    sites = np.asarray(sites, dtype=float)
    # what the centre itself needs by the same rule: the number it was sized from
    whole, each = planning.replicas(np.array([rate]), **target)[0], planning.replicas(rate / sites, **target)
    spare = data.value("edge.spares")
    shared = traffic.peak_to_mean(traffic.profile(case.profile))
    own = max(shared, data.value("workload.peak_to_mean_single"))
    peaked = planning.replicas(rate / sites * own / shared, **target)
    dearer = 1 + case.site_overhead
    return {REPLICAS[0]: sites * each / whole, REPLICAS[1]: sites * (each + spare) / (whole + spare),
            REPLICAS[2]: sites * (each + spare) / (whole + spare) * dearer,
            REPLICAS[3]: sites * (peaked + spare) / (whole + spare) * dearer}


def at_site(case):
    """The edge penalty at the page's number of sites: one request a GPU, and whole replicas of the model."""
    one = alone(case, gpus_per_site=site_gpus(case), wait_probability=case.wait_probability)
    return float(one), float(by_replicas(case, sites=[case.edge_sites], wait_probability=case.wait_probability)[ALL][0])


def said_ratio(case):
    """Cost at the edge over cost in the centre, as text and named quantity: from the loosest to the strictest waiting target."""
    outer = [float(by_replicas(case, sites=[case.edge_sites], wait_probability=target)[ALL][0]) for target in targets(case)]
    return named("edge-cost", at_site(case)[1], ONE_DIGIT, low=min(outer), high=max(outer), **instance(case))


@finding
def penalty(case):
    """Cost at the edge over cost in the centre, by the size of a site."""
    site = site_gpus(case)
    sizes = np.unique(np.append(np.geomspace(min(case.n_gpus, site), case.central_gpus, 50), site))
    sites = case.central_gpus / sizes
    causes = [by_replicas(case, sites=sites, wait_probability=target) for target in targets(case)]
    singles = [alone(case, gpus_per_site=sizes, wait_probability=target) for target in targets(case)]
    parts = [pd.DataFrame({"gpus_per_site": sizes, "kind": kind, "cost_ratio": causes[1][kind]}) for kind in REPLICAS]
    for kind, ends in ((ALL, [one[ALL] for one in causes]), (ALONE_KIND, singles)):
        part = pd.DataFrame({"gpus_per_site": sizes, "kind": kind, "cost_ratio": ends[1],
                             "cost_ratio_low": np.min(ends, axis=0), "cost_ratio_high": np.max(ends, axis=0)})
        parts = [one for one in parts if one["kind"].iloc[0] != kind] + [part]
    table = pd.concat(parts, ignore_index=True)
    claim, (single, whole) = data.claim("dep-edge-cost"), at_site(case)
    peaked = float(by_replicas(case, sites=[case.edge_sites], wait_probability=case.wait_probability)[REPLICAS[3]][0])
    ratio = said_ratio(case)
    printed = span(*(named("dep-edge-cost", claim[end], "{:g}".format, end=end) for end in ("low", "high")), str)
    return Finding(table, (
        f"Spread over small sites, whole replicas cost {ratio} times as much as in one centre; the documents say {printed} times"
        if case.edge_sites > 1 else
        f"A single site spreads nothing: it costs {ratio} times as much as the centre, for dearer hours alone"), (
        f"If a GPU served one request at a time, {single:.1f} times. "
        f"A replica serves {pools.count(replica(case)['concurrency'], 'request')} at once. Spares: {data.value('edge.spares'):g} "
        "a site. Outer bound: the strict and the loose waiting target. Own peaks: every site as uneven as a single client, an "
        "upper end; the chapter on traffic shows how much of it pooling takes away."),
        site=site, alone=single, batched=whole, peaked=peaked, claimed_low=claim["low"], claimed_high=claim["high"],
        order=[*REPLICAS, ALONE_KIND], units={"gpus_per_site": "GPU"})


def sites_words(case):
    """From where a token comes, in words: a number of small sites, or the one that holds all of the load."""
    return f"{given(case, 'edge_sites', '{:,}'.format)} small sites" if case.edge_sites > 1 else "a single site"


def instance(case):
    """What a cost at the edge is of, for :func:`named`."""
    return base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "ttft_ms", "tpot_ms", "wait_probability",
                      "central_gpus", "edge_sites", "site_overhead")

"""How busy a pool of any size may be: what chance leaves of it, and the peaks of a day."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.fleet import pools, traffic
from tokenecon.fleet.erlang import utilisation
from tokenecon.fleet.pools import ALONE, replica, site_gpus, targets
from tokenecon.formulas import queueing
from tokenecon_book.documents.words import percent

DAILY = "through a day's peaks"
TARGETS = ("low", "", "high")  # strict, expected and loose waiting target


@finding
def utilisations(case):
    """Utilisation over the size of a pool: one request a GPU, replicas of the model, and those through the peaks of a day."""
    found, peak = replica(case), traffic.peak_to_mean(traffic.profile(case.profile))
    places = found["concurrency"] / case.n_gpus
    alone = np.geomspace(2, max(2000, 2 * case.central_gpus), 60)
    whole = case.n_gpus * np.unique(np.round(np.geomspace(1, alone[-1] / case.n_gpus, 60)))
    kinds = {"1 request a GPU": (alone, ALONE, 1.0), "whole replicas": (whole, places, 1.0),
             DAILY: (whole, places, peak)}
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
    of = {"wait_probability": case.wait_probability}
    alone_busy = named("pool-busy", lone, percent, places=site, **of)
    full, opening = None, f"Serving one request per GPU, a small site can be {alone_busy} busy"
    if held:
        full = float(utilisation(slots=held * found["concurrency"], wait_probability=case.wait_probability))
        busy = named("pool-busy", full, percent, places=held * found["concurrency"], **of)
        day = named("pool-busy-day", full / peak, percent, places=held * found["concurrency"], profile=case.profile, **of)
        sentence = f"{opening}; in batches {busy}" + ("" if day == busy else f", or {day} once daily peaks count")
    else:
        sentence = f"{opening}; it does not hold one whole replica"
    strict, _, loose = targets(case)
    site_words = size_words(site) + (f", {pools.count(held, 'replica')}" if held else f", a replica takes {case.n_gpus}")
    return Finding(table, sentence, (
        f"A replica: {pools.count(case.n_gpus, 'GPU')}, {pools.count(found['concurrency'], 'request')} in flight within "
        f"{case.ttft_ms:g} ms to the first token and {case.tpot_ms:g} ms a token. Outer bound: {strict:.1%} to {loose:.0%} of "
        f"requests waiting. A site: {site_words}. By day: sized for an hour {peak:.2f} times as busy as the mean. "
        "Poisson arrivals; real ones come in bursts."), claimed=printed_utilisations(), alone=lone, batched=full,
        by_day=full and full / peak)


def size_words(n_gpus):
    """The GPUs of a site in words; a mean over sites may be a fraction."""
    return f"{n_gpus:,.6g} GPU{'' if n_gpus == 1 else 's'}"


def printed_utilisations():
    """The two utilisations that the documents print, at their pool sizes."""
    central = data.claim("dep-central-gpus")["low"]
    sites = data.claim("dep-edge-clusters")["low"]
    rows = []
    for claim_id, n_gpus, label in (("dep-edge-utilisation", central / sites, "documents: edge"),
                                    ("dep-central-utilisation", central, "documents: centre")):
        claim = data.claim(claim_id)
        rows.append({"n_gpus": n_gpus, "label": label, "utilisation": (claim["low"] + claim["high"]) / 2,
                     "utilisation_low": claim["low"], "utilisation_high": claim["high"], "range": "printed"})
    return pd.DataFrame(rows)

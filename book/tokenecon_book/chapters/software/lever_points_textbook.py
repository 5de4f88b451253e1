"""Levers together, by the textbook: the operating point worked out anew for each set of optimisations, from one baseline.

Baseline: the model in 16 bits with a 16-bit cache, one contiguous piece of memory for each sequence,
static batches, every prompt computed in full, no speculation, one model for all requests.  In every
state the batch is the cheapest of those that the memory holds and that keep the time per output token
under the limit, on the page's machine or on one of twice the GPUs, whichever is cheaper: 16 bits need
more of them.  A cost is that of all tokens of the workload.
"""

from types import SimpleNamespace

import numpy as np

from tokenecon import data, units
from tokenecon.errors import DoesNotFit, TooSlow
from tokenecon.formulas import levers, memory, money, serving
from tokenecon.serving import lookups, textbook
from tokenecon_book.chapters.software import batching, speculation
from tokenecon_book.documents import base

BASE_FORMAT = "fp16"
# In the order in which the waterfall turns them on.
LEVERS = {
    "weights": "weights in {weights}",
    "kv": "KV cache in {kv}",
    "paging": "paged KV cache",
    "continuous": "continuous batching",
    "prefix": "prefix cache",
    "speculation": "speculative decoding",
    "routing": "routing to a small model",
}
DOING = {
    "weights": "quantising the weights to {weights}", "kv": "quantising the cache to {kv}", "paging": "paging the cache",
    "continuous": "batching continuously", "prefix": "keeping a prefix cache", "speculation": "speculating",
    "routing": "routing easy requests to a small model",
}  # fmt: skip
CANDIDATES = 48  # batches tried between one and what the memory holds


def name(lever, case, words=LEVERS):
    """The lever in words, with the formats of the case."""
    formats = {field: data.precision(getattr(case, field))["name"].split()[0] for field in ("weights", "kv")}
    return words[lever].format(**formats)


def wide():
    """The format of the baseline as a reader says it."""
    return data.precision(BASE_FORMAT)["name"].split()[0]


def of(case, **more):
    """What a number of this page is of, for :func:`named`: the machine, its load, its limit and its price."""
    return base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "tpot_ms", "lengths", "utilisation",
                      "usd_per_gpu_hour") | more


def _pass(case, on, batch, efficiencies):
    """Time of a pass as [poor, expected, good] and the tokens each sequence gains in it."""
    where = {"model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "positions": case.isl + case.osl / 2,
             "weights": case.weights if "weights" in on else BASE_FORMAT, "kv": case.kv if "kv" in on else BASE_FORMAT,
             "batch": batch, "efficiencies": efficiencies}
    if "speculation" in on:
        return speculation.pass_seconds(acceptance=case.acceptance, draft_tokens=case.draft_tokens,
                                        draft_cost=case.draft_cost, **where)
    return textbook.decode_step(**where)["step_s"], 1.0


def ceiling(case, on):
    """Sequences of full length that fit beside the weights (not rounded). [sequence]"""
    place = textbook.placement(case.model, case.gpu, case.n_gpus, case.weights if "weights" in on else BASE_FORMAT)
    return float(memory.batch_ceiling(
        usable_bytes=place["usable_bytes"], weight_bytes=place["weight_bytes"],
        activation_bytes=place["activation_bytes"],
        kv_waste=case.paged_waste if "paging" in on else case.contiguous_waste,
        kv_bytes_per_sequence=textbook.kv_bytes(
            case.model, case.kv if "kv" in on else BASE_FORMAT, case.isl + case.osl)))


def candidates(case, on):
    """Batches to choose from: whole numbers evenly spread on a log scale up to what the memory holds."""
    fits = int(ceiling(case, on))
    if fits < 1:
        raise no_room(case, on)
    return spread(fits)


def spread(fits):
    """Whole numbers evenly spread on a log scale from one to what fits."""
    return sorted({round(float(batch)) for batch in np.geomspace(1, fits, CANDIDATES)})


def no_room(case, on):
    """The refusal of a case whose memory does not hold one sequence."""
    return DoesNotFit(
        f"parameter 'n_gpus' is {case.n_gpus}, but {case.n_gpus} x {case.gpu} hold no sequence of "
        f"{case.isl + case.osl} tokens beside {case.model} with {sorted(on) or 'no'} levers on; raise "
        "n_gpus, or take a GPU with more memory (`tokenecon list gpus`) or a smaller model")


def too_slow(case, quickest_ms):
    """The refusal of a case that no batch serves fast enough."""
    return TooSlow(
        f"parameter 'tpot_ms' is {case.tpot_ms:g}, but {case.model} on {case.n_gpus} x {case.gpu} takes "
        f"{quickest_ms:.1f} ms per output token even for one request; raise it, or n_gpus")


def machines(case):
    """GPUs of a replica to choose from: those of the page, and twice as many where a server has them."""
    return [case.n_gpus] + [2 * case.n_gpus] * (2 * case.n_gpus <= lookups.server_gpus(case.gpu))


def cheapest(point, case, on):
    """The cheapest of a point's states over :func:`machines`, with its ``n_gpus``; where there is none, why."""
    found, refused = [], []
    for n_gpus in machines(case):
        try:
            found.append(point(SimpleNamespace(**(vars(case) | {"n_gpus": n_gpus})), on) | {"n_gpus": n_gpus})
        except (DoesNotFit, TooSlow) as error:
            refused.append(error)
    if not found:  # what fits and is too slow comes closer than what does not fit
        raise next((error for error in refused if isinstance(error, TooSlow)), refused[0])
    return min(found, key=lambda one: one["usd_per_mtok"][textbook.EXPECTED])


def operating_point(case, on):
    """By the textbook: machine, batch, speed and cost with the levers in the set `on`, where they are cheapest."""
    return cheapest(on_machine, case, on)


def on_machine(case, on, *, efficiencies=None):
    """The same on the GPUs of the case: batch, speed and cost at the cheapest batch allowed.

    Arrays are [poor, expected, good]; the same by the calibrated model is in
    :mod:`tokenecon_book.chapters.software.lever_points_calibrated`.
    """
    efficiencies = efficiencies or textbook.assumed()
    best, quickest = None, np.inf
    for batch in candidates(case, on):
        point = _at_batch(case, on, batch, efficiencies)
        tpot_ms, decode_s = (point[column][textbook.EXPECTED] for column in ("tpot_ms", "decode_s"))
        quickest = min(quickest, tpot_ms)
        # the time of prompts is the same at every batch
        if tpot_ms <= case.tpot_ms and (best is None or decode_s < best["decode_s"][textbook.EXPECTED]):
            best = point
    if best is None:
        raise too_slow(case, quickest)
    prefill_s = textbook.prefill(
        model=case.model, gpu=case.gpu, n_gpus=case.n_gpus, weights=case.weights if "weights" in on else BASE_FORMAT,
        isl=case.isl, efficiencies=efficiencies)
    if "prefix" in on:
        prefill_s = prefill_s * levers.prefix_cache_factor(hit_rate=case.hit_rate, avoided_share=case.saved_share)
    cost = money.usd_per_mtok_of_seconds(
        busy_s=prefill_s + best["decode_s"], tok=case.isl + case.osl, usd_per_gpu_hour=case.usd_per_gpu_hour,
        n_gpus=case.n_gpus, utilisation=case.utilisation)
    return best | {"usd_per_mtok": routed(case, cost) if "routing" in on else cost}


def _at_batch(case, on, batch, efficiencies):
    """Speed at one batch, and the part of a request in the time that it decodes."""
    seconds, gained = _pass(case, on, batch, efficiencies)
    occupancy = 1.0 if "continuous" in on else batching.static_occupancy(batch, case.lengths)
    rate = occupancy * serving.decode_tok_out_per_s(batch=batch, tok_out_per_pass=gained, step_s=seconds)
    return {"batch": batch, "occupancy": occupancy,
            "tpot_ms": serving.tpot_seconds(step_s=seconds, tok_out_per_pass=gained) * units.MS_PER_SECOND,
            "decode_s": case.osl / rate}


def routed(case, cost):
    """Cost when a router gives a share of the tokens to a small model."""
    return levers.routed_usd_per_mtok(
        shares=(case.small_share, 1 - case.small_share), usd_per_mtok=(case.cost_ratio * cost, cost),
        router_usd_per_mtok=case.router_cost * cost)


def row_of(point):
    row = {"n_gpus": point["n_gpus"], "batch": point["batch"], "occupancy": point["occupancy"]}
    for column in ("tpot_ms", "usd_per_mtok"):
        row |= textbook.span(column, point[column])
    return row

"""The cheapest instance of an accelerator that keeps to a latency limit: how many of it, at which batch."""

import numpy as np
import pandas as pd

from tokenecon.queries import remembered
from tokenecon.serving import lookups, operating_point, textbook

LARGEST_INSTANCE = 8  # GPUs: one server; beyond it tensor parallelism pays for the network


def sizes(gpu, case):
    """Sizes of an instance to try: powers of two inside one server, and why there is none."""
    most = min(LARGEST_INSTANCE, lookups.server_gpus(gpu))
    least = textbook.smallest_instance(model=case.model, gpu=gpu, weights=case.weights, kv=case.kv,
                                       positions=case.isl + case.osl)
    if least > most:
        return [], f"needs {least}, more than the {most} of one server"
    return [2**k for k in range(4) if 2**k <= most], ""


def calibrated_choice(gpus, case, usd_per_gpu_hour):
    """The cheapest instance of each kind of GPU that keeps to the latency limit: {gpu: (row or None, reason)}.

    ``usd_per_gpu_hour`` holds a price, or (low, typical, high), for each GPU.
    """
    tried, found = [], {}
    for gpu in gpus:
        counts, reason = sizes(gpu, case)
        found[gpu] = None, reason
        tried += [(gpu, count) for count in counts]
    if not tried:
        return found
    where = {name: getattr(case, name) for name in ("model", "weights", "kv", "isl", "osl")}
    batches = largest_batches(tuple(tried), case.tpot_ms, **where)
    rows = operating_point.points(pd.DataFrame([
        where | {"gpu": gpu, "n_gpus": count, "concurrency": max(batch, 1.0), "usd_per_gpu_hour": usd_per_gpu_hour[gpu],
                 "utilisation": case.utilisation} for (gpu, count), batch in zip(tried, batches, strict=True)]))
    for gpu, group in rows.assign(kept=np.array(batches) > 0).groupby("gpu", sort=False):
        kept = group[group["kept"]]
        if len(kept):
            found[gpu] = (kept.loc[kept["usd_per_mtok_out"].idxmin()].drop("kept").to_dict(), "")
        elif (group["reason"] != "").all():  # every size fails before any is too slow
            found[gpu] = (None, group["reason"].iloc[-1])
        else:
            found[gpu] = (None, f"no instance of up to {group['n_gpus'].max()} makes a token in {case.tpot_ms:g} ms")
    return found


@remembered
def largest_batches(places, tpot_ms, **where):
    """Largest batch within the limit for each (gpu, number of them), whatever it costs; 0 where there is none."""
    cases = pd.DataFrame([where | {"gpu": gpu, "n_gpus": count, "concurrency": np.nan, "usd_per_gpu_hour": 1.0,
                                   "utilisation": 1.0} for gpu, count in places])
    return tuple(operating_point.largest(cases, tpot_ms))


def textbook_choice(gpu, case, usd_per_gpu_hour):
    """The cheapest instance of one kind of GPU that keeps to the latency limit by the textbook, or why none does."""
    where = {"model": case.model, "gpu": gpu, "weights": case.weights, "kv": case.kv}
    length = {"isl": case.isl, "osl": case.osl}
    counts, reason = sizes(gpu, case)
    if reason:
        return None, reason
    best = None
    for n_gpus in counts:
        batch = largest_batch(n_gpus=n_gpus, tpot_ms=case.tpot_ms, **where, **length)
        if batch:
            row = textbook.point(**where, **length, n_gpus=n_gpus, concurrency=batch, utilisation=case.utilisation,
                                 usd_per_gpu_hour=usd_per_gpu_hour)
            if best is None or row["usd_per_mtok_out"] < best["usd_per_mtok_out"]:
                best = row
    if best is None:
        return None, f"no instance of up to {counts[-1]} makes a token in {case.tpot_ms:g} ms"
    return best, ""


@remembered
def largest_batch(*, n_gpus, tpot_ms, **where):
    """Largest batch that fits and whose step keeps to the limit by the textbook; 0 when a single request does not."""
    def fast(batch):
        row = textbook.point(**where, n_gpus=n_gpus, concurrency=batch, usd_per_gpu_hour=1.0, utilisation=1.0)
        return row["tpot_ms"] <= tpot_ms

    positions = where["isl"] + where["osl"]
    place = {name: where[name] for name in ("model", "gpu", "weights", "kv")}
    low, high = 0, int(textbook.max_concurrency(**place, n_gpus=n_gpus, positions=positions))
    while low < high:  # the step grows with the batch, so the limit can be bisected
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fast(middle) else (low, middle - 1)
    return low

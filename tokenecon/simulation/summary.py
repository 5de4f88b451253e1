"""What a simulated run comes to: where the time of the slots goes, throughput, and latencies with their sampling error.

The first part of a run, in which the replica fills, and what comes after the last request is admitted are left out.
Ranges are 80% intervals of batch means: the run is cut into blocks in the order of arrival, whose results scatter.
"""

import numpy as np
from scipy.special import stdtrit

from tokenecon.simulation.scheduler import BadSimulation
from tokenecon.units import MS_PER_SECOND

SKIP = 0.1  # share of the requests at the start that is not counted
BLOCKS = 10
CONFIDENCE = 0.8
PERCENTILES = (50, 95, 99)
STATES = ("decoding", "reading", "padding", "empty")  # of a slot; their shares add up to 1
LATENCIES = ("ttft", "tpot")


def summary(run, *, skip=SKIP):
    """A dict of results of a :class:`tokenecon.simulation.scheduler.Run`; latencies and rates with ``_low`` and ``_high``.

    requests_per_s, output_tok_s, in_flight (mean of requests that have arrived and are not answered), queued (share of
    requests that found no free slot), slot_wait_ms, service_s (mean time in a slot), the shares of slot time ``decoding``,
    ``reading``, ``padding`` and ``empty``, occupancy (decoding slots over slots in passes that decode), and mean, 50th,
    95th and 99th percentile of ``ttft_ms`` and ``tpot_ms``.
    """
    done = run.requests
    start, end = window(run, skip)
    marks = {name: done[name].to_numpy() for name in ("arrival_s", "admitted_s", "first_s", "last_s", "freed_s")}
    span = end - start

    def held(begin, finish):
        """Slot-seconds of the window between two marks of each request."""
        return float((np.clip(marks[finish], start, end) - np.clip(marks[begin], start, end)).sum())

    slot_s = run.slots * span
    decoding, reading = held("first_s", "last_s") / slot_s, held("admitted_s", "first_s") / slot_s
    padding = held("last_s", "freed_s") / slot_s
    counted = done.iloc[int(skip * len(done)):]
    left = (marks["last_s"] > start) & (marks["last_s"] <= end)
    out = {
        "decoding": decoding, "reading": reading, "padding": padding, "empty": max(1.0 - decoding - reading - padding, 0.0),
        "occupancy": occupancy(run, start, end), "in_flight": held("arrival_s", "last_s") / span,
        "queued": float(counted["queued"].mean()),
        "slot_wait_ms": float((counted["admitted_s"] - counted["arrival_s"]).mean()) * MS_PER_SECOND,
        "service_s": float((counted["freed_s"] - counted["admitted_s"]).mean()),
    }  # fmt: skip
    edges = np.linspace(start, end, BLOCKS + 1)
    answers = [np.histogram(marks["last_s"][left], edges, weights=weight)[0] * BLOCKS / span
               for weight in (None, done["osl"].to_numpy()[left])]
    for name, blocks in zip(("requests_per_s", "output_tok_s"), answers, strict=True):
        out |= with_ends(name, float(blocks.mean()), blocks)
    for name in LATENCIES:
        values = counted[f"{name}_s"].dropna().to_numpy() * MS_PER_SECOND
        if len(values) < BLOCKS:
            raise BadSimulation(f"{len(values)} requests have a {name}; simulate more for a summary")
        blocks = np.array_split(values, BLOCKS)
        out |= with_ends(f"{name}_ms", float(values.mean()), [block.mean() for block in blocks])
        for place in PERCENTILES:
            out |= with_ends(f"{name}_ms_p{place}", float(np.percentile(values, place)),
                             [np.percentile(block, place) for block in blocks])
    return out


def window(run, skip=SKIP):
    """Start and end of the part of a run that counts. [s]"""
    admitted = run.requests["admitted_s"].to_numpy()
    start, end = float(admitted[int(skip * len(admitted))]), float(admitted.max())
    if not end > start:
        raise BadSimulation(f"{len(admitted)} requests are too few for a summary: all that counts are admitted at once")
    return start, end


def occupancy(run, start=-np.inf, end=np.inf):
    """Share of the slots that work on a live answer in passes that decode, whatever their length. [fraction]

    A static batch is as wide as its members; a continuous one as wide as its slots.
    """
    done, passes = run.requests, run.passes
    counted = passes[(passes["start_s"] >= start) & (passes["start_s"] < end) & (passes["decoding"] > 0)]
    if run.batching == "static":
        inside = done[(done["admitted_s"] >= start) & (done["admitted_s"] < end)]
        return float((inside["osl"] - 1).sum() / (counted["decoding"] * counted["passes"]).sum())
    return float((counted["decoding"] * counted["passes"]).sum() / (run.slots * counted["passes"].sum()))


def with_ends(name, value, blocks):
    """A result and the ends of its interval from the scatter of block results."""
    blocks = np.asarray(blocks, dtype=float)
    half = stdtrit(len(blocks) - 1, (1 + CONFIDENCE) / 2) * blocks.std(ddof=1) / np.sqrt(len(blocks))
    return {name: value, f"{name}_low": max(value - half, 0.0), f"{name}_high": value + half}

"""A discrete-event simulation of one replica: requests through static or continuous batching, pass by pass.

The pass times are those of the calibrated model (:mod:`tokenecon.simulation.pass_times`).  Requests take slots in the
order of their arrival; a slot is room for one sequence of mean length.

* **continuous**: every pass decodes one token of each running sequence and reads prompts up to the token budget, the
  oldest first (chunked prefill); a slot that an answer leaves goes to the next request at the next pass.  With
  ``chunked=False`` prompts are read in passes of their own, before anything decodes on.
* **static**: a batch starts when it is full or its oldest request has waited `wait_s`; it reads all prompts, then decodes
  until its longest answer ends.  Nobody joins, and answers that end early are padded: they keep their slot and their work.
"""

from collections import deque
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
import pandas as pd

from tokenecon.errors import BadInput
from tokenecon.simulation.answer_lengths import SIDES, draw

CONTINUOUS, STATIC = "continuous", "static"
STRETCH = 256  # passes in one go, at most: over so many the time of a pass grows evenly


class BadSimulation(BadInput):
    """Something asked of the simulation is not allowed; one sentence says what."""


@dataclass(frozen=True)
class Run:
    """What happened: one row a request, in the order of arrival, and one row a stretch of equal passes."""

    requests: pd.DataFrame  # arrival_s admitted_s first_s last_s freed_s isl osl slot queued ttft_s tpot_s
    passes: pd.DataFrame  # start_s seconds passes decoding prompt_tokens
    slots: int
    batching: str


def requests(lengths, *, count, requests_per_s, variation=1.0, seed, isl=None, osl=None):
    """Requests to simulate: a table of arrival_s, isl and osl, the same for the same seed.

    Parameters
    ----------
    lengths : pandas.DataFrame
        Percentiles of one trace, from ``traffic.lengths``: columns side ("input" or "output"), percentile (0 to 100) and
        tokens.
    count : int
        Requests. [request]
    requests_per_s : float
        Mean rate of arrival. [request/s]
    variation : float
        Squared coefficient of variation of the time between arrivals: 1 for Poisson, above 1 for bursts (gamma). [ratio]
    seed : int
        Another seed, other requests; the lengths do not depend on the rate, the times only scale with it.
    isl, osl : float, optional
        Mean lengths to which those of the trace are scaled. [tok]

    Input and output are drawn independently of one another: the percentiles of a trace do not say how they go together.
    """
    if not (count >= 1 and requests_per_s > 0 and variation > 0):
        raise BadSimulation(f"count ({count}), requests_per_s ({requests_per_s:g}) and variation ({variation:g}) must be "
                            "above 0")
    between, inward, outward = (np.random.default_rng([seed, stream]) for stream in range(3))
    gaps = between.gamma(1.0 / variation, variation, count) / requests_per_s
    return pd.DataFrame({
        "arrival_s": np.cumsum(gaps),
        "isl": draw(lengths, SIDES["isl"], inward.random(count), isl),
        "osl": draw(lengths, SIDES["osl"], outward.random(count), osl)})  # fmt: skip


def simulate(engine, table, *, batching=CONTINUOUS, slots=None, clients=None, wait_s=None, chunked=True):
    """Send requests through one replica and say when each was admitted, got its first token and its last.

    Parameters
    ----------
    engine : Engine
        Pass times, from :func:`tokenecon.simulation.pass_times.engine`.
    table : pandas.DataFrame
        Columns arrival_s, isl and osl, from :func:`requests` or one's own.
    batching : str
        "continuous" or "static".
    slots : int, optional
        Sequences at once; by default as many as the engine holds. [sequence]
    clients : int, optional
        A closed loop: so many requests arrive as the table says, each further one when another is answered.
    wait_s : float, optional
        How long the oldest request of a static batch waits for others; needed for "static". [s]
    chunked : bool
        Whether prompts share passes with sequences that decode.
    """
    slots = engine.slots if slots is None else int(slots)
    if not 1 <= slots <= engine.slots:
        raise BadSimulation(f"slots {slots} must be from 1 to the {engine.slots} that the engine was tabulated for")
    if batching not in (CONTINUOUS, STATIC):
        raise BadSimulation(f"batching '{batching}' is not known; allowed are {CONTINUOUS} and {STATIC}")
    if (batching == STATIC) != (wait_s is not None):
        raise BadSimulation("wait_s, the patience of a batch that is not full, belongs to static batching and to it alone")
    if batching == STATIC and clients is not None:
        raise BadSimulation("static batching is played with arrivals from the table; leave clients away")
    table = table.sort_values("arrival_s", kind="stable").reset_index(drop=True)
    if not len(table) or (table[["isl", "osl"]] < 1).any(axis=None):
        raise BadSimulation("the table of requests must have rows, and isl and osl of at least 1 in each")
    if batching == STATIC:
        marks, passes = _static(engine, table, slots, float(wait_s))
    else:
        marks, passes = _continuous(engine, table, slots, clients, chunked)
    done = table.assign(**marks)
    done["ttft_s"] = done["first_s"] - done["arrival_s"]
    gaps = (done["osl"] - 1).where(done["osl"] > 1)
    done["tpot_s"] = (done["last_s"] - done["first_s"]) / gaps
    passes = pd.DataFrame(passes, columns=["start_s", "seconds", "passes", "decoding", "prompt_tokens"])
    return Run(requests=done, passes=passes, slots=slots, batching=batching)


def _stretch(engine, decoding, contexts, count):
    """Time of the first of so many equal passes, and by how much each is longer than the one before. [s]"""
    first = engine.seconds(decoding, contexts)
    if count == 1:
        return first, 0.0
    return first, (engine.seconds(decoding, contexts + decoding * (count - 1)) - first) / (count - 1)


def _continuous(engine, table, slots, clients, chunked):
    """The loop of continuous batching: marks of each request, and passes."""
    count = len(table)
    arrival, isl, osl = (table[name].tolist() for name in ("arrival_s", "isl", "osl"))
    known = count if clients is None else min(int(clients), count)  # requests whose arrival is known
    admitted, first, last = [0.0] * count, [0.0] * count, [0.0] * count
    slot, queued = [0] * count, [False] * count
    free = list(range(slots))
    heapify(free)
    reading, running = deque(), []  # [request, position, end], (pass of its last token, request)
    passes = []
    now, tick, contexts, head, seen, left = 0.0, 0, 0.0, 0, 0, count

    def finish(request):
        nonlocal known, left
        last[request] = now
        left -= 1
        heappush(free, slot[request])
        if known < count and clients is not None:
            arrival[known] = now
            known += 1

    room = slots
    while left:
        while seen < known and arrival[seen] <= now:  # whoever came during the last pass and found no free slot
            queued[seen] = seen - head >= room
            seen += 1
        while head < seen and free:
            admitted[head], slot[head] = now, heappop(free)
            reading.append([head, isl[head] * engine.cached, isl[head]])
            head += 1
        room, decoding = len(free), len(running)
        if reading:
            decoding = decoding if chunked else 0
            tokens, positions, read = _prompts(reading, engine.budget)
            seconds = engine.seconds(decoding, contexts, tokens, positions)
            passes.append((now, seconds, 1, decoding, tokens))
            now += seconds
            if decoding:
                tick += 1
                contexts += decoding
        elif decoding:
            comes = arrival[seen] - now if free and seen < known else None
            ahead, seconds = _decode_alone(engine, decoding, contexts, min(running[0][0] - tick, STRETCH), comes)
            passes.append((now, seconds, ahead, decoding, 0.0))
            now += seconds
            tick += ahead
            contexts += decoding * ahead
            read = ()
        else:
            now = max(now, arrival[head])
            continue
        while running and running[0][0] <= tick:
            request = heappop(running)[1]
            contexts -= isl[request] + osl[request]
            finish(request)
        for request in read:
            first[request] = now
            if osl[request] > 1:
                heappush(running, (tick + int(osl[request]) - 1, request))
                contexts += isl[request] + 1
            else:
                finish(request)
    return {"arrival_s": arrival, "admitted_s": admitted, "first_s": first, "last_s": last, "freed_s": last, "slot": slot,
            "queued": queued}, passes


def _decode_alone(engine, decoding, contexts, most, comes):
    """Passes without a prompt in one go, at most so many and none begun after the next request comes, and their time."""
    start, growth = _stretch(engine, decoding, contexts, most)
    ahead = most if comes is None else _passes_until(comes, start, growth, most)
    return ahead, ahead * start + growth * ahead * (ahead - 1) / 2


def _prompts(reading, budget):
    """Prompt tokens of a pass, the sum of their positions, and the requests whose prompt it ends."""
    tokens, positions, read = 0.0, 0.0, []
    while reading and tokens < budget:
        request, at, end = reading[0]
        piece = min(end - at, budget - tokens)
        tokens += piece
        positions += piece * (at + piece / 2)
        if at + piece < end:
            reading[0][1] = at + piece
            break
        read.append(request)
        reading.popleft()
    return tokens, positions, read


def _passes_until(wait, start, growth, most):
    """Passes, at least one and at most `most`, until the first that ends after `wait`."""
    count, elapsed = 1, start
    while elapsed < wait and count < most:
        elapsed += start + growth * count
        count += 1
    return count


def _static(engine, table, slots, wait_s):
    """The loop of static batching: marks of each request, and passes."""
    arrival, isl, osl = (table[name].to_numpy(dtype=float) for name in ("arrival_s", "isl", "osl"))
    count = len(table)
    admitted, first, last, freed = (np.zeros(count) for _ in range(4))
    slot = np.zeros(count, dtype=int)
    queued = np.zeros(count, dtype=bool)
    passes, now, head = [], 0.0, 0
    while head < count:
        full = arrival[head + slots - 1] if head + slots <= count else np.inf
        start = max(now, min(full, arrival[head] + wait_s))
        batch = slice(head, min(head + slots, int(np.searchsorted(arrival, start, side="right"))))
        members = batch.stop - head
        queued[batch] = arrival[batch] < now
        admitted[batch], slot[batch], now = start, np.arange(members), start
        reading = deque([one, isl[one] * engine.cached, isl[one]] for one in range(head, batch.stop))
        while reading:
            tokens, positions, _ = _prompts(reading, engine.budget)
            seconds = engine.seconds(0, 0.0, tokens, positions)
            passes.append((now, seconds, 1, 0, tokens))
            now += seconds
        first[batch] = now
        written, contexts = 1, float(isl[batch].sum()) + members
        for end in np.unique(osl[batch]):
            while written < end:
                ahead = int(min(end - written, STRETCH))
                begin, growth = _stretch(engine, members, contexts, ahead)
                seconds = ahead * begin + growth * ahead * (ahead - 1) / 2
                passes.append((now, seconds, ahead, members, 0.0))
                now, written, contexts = now + seconds, written + ahead, contexts + members * ahead
            last[batch] = np.where(osl[batch] == end, now, last[batch])
        freed[batch] = now
        head = batch.stop
    return {"admitted_s": admitted, "first_s": first, "last_s": last, "freed_s": freed, "slot": slot,
            "queued": queued}, passes

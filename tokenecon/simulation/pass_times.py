"""Pass times of one replica by the calibrated model, tabulated once so that an event loop can ask for millions.

A pass holds sequences that decode and prompt tokens.  Its time falls into three parts that each depend on two numbers:
the matrices, links and fixed work on (sequences, prompt tokens), the attention of decoding on (sequences, mean context),
the attention of prompts on (prompt tokens, mean position).  Each is tabulated and read off between its knots.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tokenecon.errors import CannotSimulate
from tokenecon.serving import cases, coefficients, estimate, lookups, steady_state

PROMPT_KNOTS = 128  # prompt tokens of the table, closer together at the short end
CONTEXT_KNOTS = 96  # contexts of the table, closer together at the short end
LONGEST_CONTEXT = 2.0**20  # positions: where the table ends; beyond, its last stretch goes on
EVERY_SEQUENCE = 64  # up to so many sequences decoding each number has its own row, above they stand 6% apart
WIDER = 1.06
PROBE = 1024.0  # prompt tokens with which the attention of one is measured
# What a case may ask of `estimate` but the event loop does not play through.
NOT_PLAYED = {"draft_tokens": "speculation", "prefill_gpus": "prefill on GPUs of its own"}


@dataclass(frozen=True, repr=False)  # its tables would fill pages
class Engine:
    """One replica: how many sequences it holds, and how long each pass takes."""

    slots: int  # sequences at once
    budget: float  # prompt tokens of a pass, at most
    cached: float  # share of a prompt that the prefix cache holds
    work: list  # seconds by sequences decoding, then by knot of prompt tokens
    prompts: list  # knots of prompt tokens
    contexts: list  # knots of the mean context
    attention: list  # seconds by sequences decoding, then by knot of context
    reading: list  # seconds of attention for a prompt token on one rank, by knot of its position
    ranks: float  # attention ranks
    stages: float  # pipeline stages
    prompt: float  # tokens of a mean prompt that are read

    def seconds(self, decoding, contexts=0.0, prompt_tokens=0.0, positions=0.0):
        """Time of a pass: sequences decoding, the sum of their contexts, prompt tokens, the sum of their positions. [s]"""
        row = self.work[decoding]
        total = row[0]
        if prompt_tokens:
            total = _between(self.prompts, row, prompt_tokens)
            busy = min(self.ranks, max((decoding + prompt_tokens / self.prompt) / self.stages, 1.0))
            total += prompt_tokens / busy * _between(self.contexts, self.reading, positions / prompt_tokens)
        if decoding:
            total += _between(self.contexts, self.attention[decoding], contexts / decoding)
        return total


def _between(knots, row, value):
    place = min(bisect_right(knots, value), len(knots) - 1) - 1
    return row[place] + (row[place + 1] - row[place]) * (value - knots[place]) / (knots[place + 1] - knots[place])


def engine(*, slots=None, **case):
    """Pass times of one replica of a case in the columns of ``tokenecon.estimate``.

    For as many sequences as memory holds, or `slots` if that is fewer.  ``isl`` and ``osl`` are means: they set how many
    sequences memory holds and how many prompts a pass reads.
    Raises :class:`CannotSimulate` with what is wrong or not played through.
    """
    for name, what in NOT_PLAYED.items():
        if case.get(name):
            raise CannotSimulate(f"the simulation does not play {what}; leave {name} away")
    case = {"load": "closed_loop"} | case
    ask = cases.read(cases.frame(pd.DataFrame({name: [value] for name, value in case.items()})))
    if ask.error[0]:
        raise CannotSimulate(f"{case['model']} on {case['gpu']}: {ask.error[0]}")
    columns = estimate.columns(ask, np.array([0]))
    if columns["replicas"][0] != 1:
        raise CannotSimulate(f"{case['n_gpus']} GPUs are {columns['replicas'][0]:g} replicas; the simulation plays one: give "
                             f"n_gpus {columns['group'][0] * columns['pp'][0]:g}")
    values = lookups.coefficients()
    held = int(min(steady_state.capacity(columns)[0], coefficients.BATCH_CAP * columns["dp"][0]))
    if held < 1:
        raise CannotSimulate(f"{case['n_gpus']} x {case['gpu']} hold no sequence of {case['isl']:g} + {case['osl']:g} tokens "
                             f"beside the weights of {case['model']}; raise n_gpus")
    return _tabulated(columns, values, held if slots is None else min(held, int(slots)))


def _tabulated(columns, values, slots):
    """The three tables of an :class:`Engine`."""
    flat = {name: np.asarray(column)[0] for name, column in columns.items() if np.ndim(column)}
    rate = {name: np.ravel(column)[0] for name, column in steady_state.prepared(columns, values).items()}
    pp, ranks, new = float(flat["pp"]), float(flat["dp"]), float(flat["isl"] * (1.0 - flat["cached"]))
    budget = coefficients.BATCH_BUDGET * ranks

    def times(**load):
        return steady_state.pass_seconds(flat, rate, **load)

    rows = np.arange(0.0, min(slots, EVERY_SEQUENCE) + 1)
    while rows[-1] < slots:
        rows = np.append(rows, min(np.ceil(rows[-1] * WIDER), slots))
    prompts = np.append(0.0, np.geomspace(1.0, budget, PROMPT_KNOTS))
    contexts = np.geomspace(8.0, LONGEST_CONTEXT, CONTEXT_KNOTS)
    kinks = [edge for edge in (flat["window"], flat["reach"]) if 0 < edge < LONGEST_CONTEXT]
    contexts = np.unique([0.0, *contexts, *kinks])
    n, p = np.meshgrid(rows, prompts, indexing="ij")
    work = times(decoding=n / pp, prompt_tokens=p / pp, prompts=p / pp / new)
    n, c = np.meshgrid(rows, contexts, indexing="ij")
    attention = times(decoding=n / pp, context=c) - times(decoding=n / pp, context=0.0 * c)
    one = {"prompt_tokens": PROBE / pp, "prompts": 0.0}
    reading = (times(**one, mean_context=contexts) - times(**one, mean_context=0.0 * contexts)) / PROBE
    every = np.arange(slots + 1.0)

    def by_sequence(table):
        return np.stack([np.interp(every, rows, column) for column in table.T], axis=1).tolist()

    return Engine(slots=slots, budget=budget, cached=float(flat["cached"]), work=by_sequence(work),
                  prompts=prompts.tolist(), contexts=contexts.tolist(), attention=by_sequence(attention),
                  reading=reading.tolist(), ranks=ranks, stages=pp, prompt=new)

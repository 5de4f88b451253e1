"""How full a static batch is: occupancy from the spread of answer lengths, against continuous batching.

:mod:`tokenecon_book.chapters.software.simulation_load` plays both kinds of batching pass by pass.
"""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.fleet import traffic
from tokenecon.formulas import levers, serving
from tokenecon.queries import remembered
from tokenecon.simulation import answer_lengths
from tokenecon_book.chapters.software import simulation_load
from tokenecon_book.documents.words import percent

TRACE = "workload.osl_azure_conv"  # measured answer lengths: mean, 10th and 90th percentile
DECILES = (0.1, 0.9)
MEASURED, EXPONENTIAL, CODING = "measured", "exponential", "coding"
LAWS = {MEASURED: "measured lengths", EXPONENTIAL: "exponential lengths", CODING: "coding assistant"}
CODING_TRACE, TALKING_TRACE = "azure-2023-code", "azure-2023-conv"
BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
# From here on the share of longer answers, exp(-TAIL), is too small to count.
TAIL, STEPS = 60.0, 6001


@remembered
def length_shape():
    """Weibull shape of answer lengths through both deciles of the trace; 1 would be exponential. [ratio]

    The quantile at p is scale * (-ln(1 - p))^(1/shape), so the ratio of two quantiles gives the shape.
    """
    low, _mean, high = data.span(TRACE)
    short, long = (-np.log1p(-share) for share in DECILES)
    return float(np.log(long / short) / np.log(high / low))


def longest_over_mean(batch, shape):
    """Mean of the longest of so many answers over the mean answer, Weibull lengths. [ratio]"""
    hazard = np.linspace(0, TAIL, STEPS)
    lengths = hazard ** (1 / shape)  # in units of the scale
    shorter = -np.expm1(-hazard)
    return float(np.trapezoid(1 - shorter**batch, lengths) / np.trapezoid(1 - shorter, lengths))


@remembered
def static_occupancy(batch, lengths):
    """Share of the slots of a static batch that do work until its longest answer ends. [fraction]"""
    if lengths == EXPONENTIAL:
        return float(serving.static_occupancy_exponential(batch=int(batch)))
    if lengths == CODING:
        return occupancy_of(traffic.lengths(CODING_TRACE), int(batch))
    return float(serving.static_occupancy(
        mean_tok_out=1.0, mean_longest_tok_out=longest_over_mean(int(batch), length_shape())))


def occupancy_of(lengths, batch):
    """The same for lengths drawn from the percentiles of a trace (``traffic.lengths``). [fraction]"""
    return float(serving.static_occupancy(
        mean_tok_out=answer_lengths.mean_length(lengths, "output"),
        mean_longest_tok_out=answer_lengths.mean_of_longest(lengths, "output", batch)))


def batch_of_occupancy(occupancy, lengths):
    """Largest static batch that keeps its slots at least this busy. [sequence]"""
    batch = 1
    while static_occupancy(batch + 1, lengths) >= occupancy:
        batch += 1
    return batch


@finding
def occupancy_curve(steps, beside=None, *, lengths):
    """Occupancy of a static batch over its size, by the law of answer lengths.

    The page's own batch is that of the baseline of `steps`, which :func:`waterfall.steps` gives, and its law is `lengths`;
    `beside`, of :func:`simulation_load.compared`, has the simulated batches to draw beside the curves.
    """
    batch = int(steps.table["batch"].iloc[0])
    sizes = sorted({*BATCHES, batch})
    table = pd.DataFrame([
        {"batch": size, "lengths": text, "occupancy": static_occupancy(size, law)}
        for law, text in LAWS.items() for size in sizes])
    static, continuous = data.claim("sw-static-utilisation")["low"], data.claim("sw-cb-utilisation")["low"]
    claimed = data.claim("sw-cb-cost-reduction")["low"]
    here = static_occupancy(batch, lengths)
    saved = levers.saving(before=1 / static, after=1 / continuous)
    talk = traffic.lengths(TALKING_TRACE)
    apart = max(abs(static_occupancy(size, MEASURED) - occupancy_of(talk, size)) for size in sizes if size <= batch)
    size = named("batch-cheapest", batch, "{:,.0f}".format, of="static", lengths=lengths)
    busy = named("slots-live", here, percent, batch=batch, lengths=lengths)
    theirs, ours, less = (named(row, value, percent) for row, value in (
        ("sw-static-utilisation", static), ("sw-cb-utilisation", continuous), ("sw-cb-cost-reduction", claimed)))
    from_theirs = named("batching-saving", saved, percent, by="the documents' two shares")
    from_here = named("batching-saving", 1 - here, percent, by="slots that are always full", batch=batch, lengths=lengths)
    smaller = "a smaller batch" if here < static else "a larger batch"
    return Finding(table, (
        f"A static batch of {size} keeps {busy} of its slots busy; the documents' {theirs} is that of {smaller}"), (
        f"The documents' {static:.0%} is a batch of {batch_of_occupancy(static, MEASURED)} with measured lengths, of "
        f"{batch_of_occupancy(static, EXPONENTIAL)} with exponential ones. "
        "Measured: a Weibull curve through the 10th and 90th percentile of a trace of conversations; all its percentiles "
        f"give the same to {apart * 100:.1f} percentage points up to a batch of {batch}. A coding assistant, by all percentiles "
        "of its trace, gives many short answers and rare long ones, and its static batches are emptier."),
        claimed_static=static, claimed_continuous=continuous, points=None if beside is None else simulation_load.points(beside),
        arithmetic=f"By the documents' own shares of busy slots, {theirs} and {ours}, continuous batching saves {from_theirs}; "
                   f"they say {less}. From the {busy} of this page's static batch to slots that are always full it would save "
                   f"{from_here}.")

"""Static against continuous batching inside the simulation: slot by slot, and over the load."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.fleet import traffic
from tokenecon.formulas import levers
from tokenecon.simulation import pass_times, scheduler
from tokenecon.simulation.scheduler import CONTINUOUS, STATIC
from tokenecon.simulation.summary import summary
from tokenecon.units import MS_PER_SECOND
from tokenecon_book.chapters.software import simulation_check
from tokenecon_book.documents import base
from tokenecon_book.documents.words import LITTLE, percent

SEED = 20231116  # the day of the first trace
COUNT, WAVES = 2000, 40  # requests of a run, and for each slot at least
SHOWN = 24  # slots that the timeline shows, if there are more
LOADS = (0.1, 0.25, 0.4, 0.6, 0.75, 0.85, 0.9, 0.95)  # of what continuous batching serves from a queue that never empties
BATCHES_SHOWN = 3  # static batches that the timeline shows
BEHIND = 0.99  # of its highest rate, from which on a static server is called too slow: waiting grows without end
FILLED = 0.86  # of the height of a row
# what a slot does, from one mark of its request to another
PHASES = (("decodes", "first_s", "last_s"), ("done, waits for the batch", "last_s", "freed_s"),
          ("reads prompts", "admitted_s", "first_s"))
NAMES = {STATIC: "static", CONTINUOUS: "continuous"}
GAP = 3  # rows of the timeline above each kind of batching, for its name
MODES = (STATIC, CONTINUOUS)
COLUMNS = {
    "batching": ("Batching", None), "load": ("Load", "fraction"), "requests_per_s": ("Answered", "request/s"),
    "decoding": ("Slots decode", "fraction"), "reading": ("read", "fraction"), "padding": ("wait, done", "fraction"),
    "empty": ("empty", "fraction"), "queued": ("Requests that queue", "fraction"),
    "ttft_s_p50": ("TTFT, median", "s"), "ttft_s_p95": ("TTFT, 95th percentile", "s"),
    "tpot_ms_p50": ("TPOT, median", "ms/tok_out"), "tpot_ms_p95": ("TPOT, 95th percentile", "ms/tok_out"),
}  # fmt: skip
COMPARED_COLUMNS = simulation_check.COLUMNS


def replica_case(case):
    """The page's replica in the columns of ``tokenecon.estimate``."""
    return {"model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "kv": case.kv, "isl": case.isl,
            "osl": case.osl, "weights": case.weights}


def replica(case):
    """The page's replica with at most its slots, as an Engine."""
    return pass_times.engine(**replica_case(case), slots=case.slots)


def request_draws(case, engine, requests_per_s):
    """Requests with the spread of the page's trace and the mean lengths of the page, Poisson arrivals."""
    return scheduler.requests(
        traffic.lengths(case.trace), count=max(COUNT, WAVES * engine.slots), requests_per_s=requests_per_s, seed=SEED,
        isl=case.isl, osl=case.osl)


def full_queue(case, engine, batching):
    """A run in which all requests are there from the start: the queue never empties before the last is admitted."""
    table = request_draws(case, engine, 1.0).assign(arrival_s=0.0)
    return scheduler.simulate(engine, table, batching=batching, wait_s=0.0 if batching == STATIC else None)


@finding
def runs(case):
    """Both kinds of batching with a queue that never empties: a row each, and (run, summary) by the names in MODES."""
    engine = replica(case)
    played = {batching: full_queue(case, engine, batching) for batching in MODES}
    full = {batching: (run, summary(run)) for batching, run in played.items()}
    return Finding(pd.DataFrame([{"batching": NAMES[batching]} | seen for batching, (_, seen) in full.items()]), **full)


@finding
def timeline(case, full):
    """What each slot does from the start of a full queue on: batching, slot, start_s, end_s, state."""
    static = full[STATIC][0].requests
    end = static["freed_s"].drop_duplicates().iloc[BATCHES_SHOWN - 1]
    slots, parts, panels, answered = full[STATIC][0].slots, [], [], {}
    shown = min(slots, SHOWN)
    for place, batching in enumerate(MODES):
        run, above = full[batching][0], place * (shown + GAP) + GAP
        seen = run.requests[(run.requests["admitted_s"] < end) & (run.requests["slot"] < shown)]
        answered[batching] = int((run.requests["last_s"] <= end).sum())
        panels.append({"label": f"{NAMES[batching]}: {answered[batching]} answers", "top": above})
        for state, begin, finish in PHASES:
            part = pd.DataFrame({"batching": NAMES[batching], "slot": seen["slot"] + 1, "start_s": seen[begin],
                                 "end_s": np.minimum(seen[finish], end), "state": state,
                                 "top": seen["slot"] + above, "bottom": seen["slot"] + above + FILLED})
            parts.append(part[part["end_s"] > part["start_s"]])
    table = pd.concat(parts, ignore_index=True)
    table["seconds"] = table["end_s"] - table["start_s"]
    places, ours, theirs = (named(quantity, value, "{:,.0f}".format, **_of(case, slots, **more)) for quantity, value, more in (
        ("slots-simulated", slots, {}), ("answers-given", answered[CONTINUOUS], {"batching": NAMES[CONTINUOUS]}),
        ("answers-given", answered[STATIC], {"batching": NAMES[STATIC]})))
    return Finding(table, (
        f"In the same time continuous batching gives {ours} answers on {places} slots, static batches {theirs}" if slots > 1 else
        "One slot answers one request after the other, whatever the batching"), (
        f"The time is that of {BATCHES_SHOWN} static batches. "
        "Simulated pass by pass with the pass times of the calibrated model, from the same queue of requests that never empties."
        + (f" Shown are {shown} of the {slots} slots." if shown < slots else "")),
        units=dict.fromkeys(("slot", "top", "bottom"), "count"), end_s=float(end), rows=len(MODES) * (shown + GAP), panels=panels)


def _of(case, slots, **more):
    """What a simulated number is of, for :func:`named`."""
    return base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "trace") | {"slots": slots} | more


@finding
def compared(case, full):
    """The simulation of the page's replica beside the arithmetic, alone and with all slots in use."""
    slots = full[CONTINUOUS][0].slots
    table = simulation_check.check(replica_case(case), traffic.lengths(case.trace), concurrencies=sorted({1, slots}), slots=slots)
    return Finding(table, units={"load": "fraction"}, **simulation_check.words(table, slots, _of(case, slots)))


def points(beside):
    """Occupancy of simulated static batches, of :func:`compared`, as points beside the curve over the size of a batch."""
    table = beside.table
    table = table[table["batch"].notna()]
    return pd.DataFrame({"batch": table["batch"], "occupancy": table["simulated"], "label": "simulated", "range": "draws",
                         **{f"occupancy{end}": table[f"simulated{end}"] for end in ("_low", "_high")}})


@finding
def over_load(case, full):
    """Both kinds of batching over the load: shares of slot time, waiting, TTFT and TPOT with their sampling error.

    Load is the rate of arrival over what continuous batching serves from a queue that never empties.  Loads at which a
    server cannot keep up have no row; its last one is that of the full queue, where waiting grows as long as it runs.
    """
    engine, rows = replica(case), []
    top = full[CONTINUOUS][1]["requests_per_s"]
    for batching in MODES:
        for load in LOADS:
            if load * top < BEHIND * full[batching][1]["requests_per_s"]:
                wait_s = case.batch_wait_s if batching == STATIC else None
                run = scheduler.simulate(engine, request_draws(case, engine, load * top), batching=batching, wait_s=wait_s)
                rows.append({"batching": NAMES[batching], "load": load} | summary(run))
        never = {name: np.nan for name in full[batching][1] if name.startswith(("ttft", "tpot", "slot_wait"))}
        rows.append({"batching": f"{NAMES[batching]}, full queue", "load": full[batching][1]["requests_per_s"] / top}
                    | full[batching][1] | never)
    table = pd.DataFrame(rows)
    for name in [name for name in table if name.startswith("ttft_ms_p")]:
        table[name.replace("_ms", "_s")] = table[name] / MS_PER_SECOND
    units = {name + end: unit for name, (_, unit) in COLUMNS.items() if unit for end in ("", "_low", "_high")}
    return Finding(table, units=units, **_words(case, engine, table, full))


def _words(case, engine, table, full):
    """The sentences of the section, worked out from the runs, as a Finding takes them."""
    static, continuous = (full[batching][1] for batching in MODES)
    stated = {name: data.claim(name)["low"] for name in ("sw-static-utilisation", "sw-cb-utilisation", "sw-cb-cost-reduction")}
    low, busy, claimed = (named(name, value, percent) for name, value in stated.items())
    own = table[table["batching"].str.startswith(NAMES[CONTINUOUS])]
    saved = levers.saving(before=1 / static["requests_per_s"], after=1 / continuous["requests_per_s"])

    def said(quantity, value, show=percent, **more):
        return named(quantity, value, show, **_of(case, engine.slots, **more))

    size = said("slots-simulated", engine.slots, "{:,.0f}".format)
    decoding = {batching: said("slots-decoding", full[batching][1]["decoding"], batching=NAMES[batching]) for batching in MODES}
    words = {"sentence": (
        f"With a queue that never empties, static batches of {size} keep {decoding[STATIC]} of the slots "
        f"decoding and continuous batching {decoding[CONTINUOUS]}; the documents say {low} and {busy}")}
    words["static"] = (
        f"Of the slots of a decoding static batch {said('slots-live', static['occupancy'])} work on an answer that is not "
        f"finished; prompts that are read between the batches bring the share of all time down to {decoding[STATIC]}")
    if own["decoding"].max() >= stated["sw-cb-utilisation"]:
        load = float(np.interp(stated["sw-cb-utilisation"], np.maximum.accumulate(own["decoding"]), own["load"]))
        there = summary(scheduler.simulate(engine, request_draws(case, engine, load * continuous["requests_per_s"])))
        at = {"at": "the documents' share"}
        wait_s = said("ttft-p95", there["ttft_ms_p95"] / MS_PER_SECOND, "{:.1f}".format, **at)
        words |= {"load": load, "wait_s": there["ttft_ms_p95"] / MS_PER_SECOND}
        words["continuous"] = (
            f"Continuous batching reaches the documents' {busy} at {said('load-of-highest', load, **at)} of its highest load, "
            f"where {said('requests-waiting', there['queued'], **at)} of the requests wait for a slot and one in twenty waits "
            f"{wait_s} s or longer for its first token")
    else:
        words["continuous"] = (
            f"Continuous batching never reaches the documents' {busy}: even with a full queue its slots spend "
            f"{said('slots-reading', continuous['reading'])} of the time on prompts")
    words["saving"] = (
        f"From the same full queue continuous batching answers no more requests; the documents say it saves {claimed} of the "
        "cost of a token" if saved < LITTLE else
        "From the same full queue it answers "
        f"{said('answers-ratio', continuous['requests_per_s'] / static['requests_per_s'], '{:.1f}'.format)} times as many "
        f"requests, which saves {said('batching-saving', saved, by='simulation')} of the cost of a token; the documents say "
        f"{claimed}")
    words["note"] = (
        f"Simulated: {COUNT:,} requests a row, Poisson arrivals, lengths spread as in a trace of requests and scaled to the "
        "means of this page. Load: arrivals over what continuous batching answers from a full queue. A static batch starts "
        f"when it is full or after {case.batch_wait_s:g} s. Ranges: draws, 10 to 90% of the samples. Pass times are those of "
        "the calibrated model; what an engine does between passes is not played.")
    return words

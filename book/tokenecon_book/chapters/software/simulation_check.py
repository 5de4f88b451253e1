"""The simulation beside the arithmetic that the chapters use: throughput, TTFT and TPOT of ``tokenecon.estimate``, the
waiting of Erlang C, and the occupancy of static batches."""

import numpy as np
import pandas as pd

from tokenecon import units
from tokenecon.errors import CannotSimulate
from tokenecon.finding import named
from tokenecon.formulas import queueing, serving
from tokenecon.serving import estimate
from tokenecon.simulation import answer_lengths, pass_times, scheduler
from tokenecon.simulation.scheduler import STATIC
from tokenecon.simulation.summary import occupancy, summary, with_ends
from tokenecon_book.documents.words import count, percent, span

SEEDS = range(5)
PER_CLIENT = 10  # requests that each client of a benchmark sends, as InferenceMAX does
COUNT = 2000  # requests of each run for waiting and occupancy
LOADS = (0.5, 0.7, 0.8, 0.9)  # of the highest rate at which requests are answered
SIZES = (4, 16, 64)
TOGETHER, SPREAD = "benchmark: equal lengths, all clients start at once", "trace lengths, clients one after the other"
QUANTITIES = (("output_tok_s", "answer tokens", "tok_out/s"), ("ttft_ms", "TTFT, mean", "ms"),
              ("tpot_ms", "TPOT, mean", "ms/tok_out"))  # fmt: skip
COLUMNS = {
    "what": ("Quantity", None), "setting": ("Simulated with", None), "at": ("At", None), "unit": ("Unit", None),
    "analytic": ("By the arithmetic", None), "simulated": ("Simulated", None),
    "ratio": ("Simulated over arithmetic", "ratio"),
}  # fmt: skip


def check(case, lengths, *, concurrencies, slots):
    """All comparisons in one table: what, setting, at, unit, analytic, simulated (+ends), ratio (+ends).

    `case` has the columns of ``tokenecon.estimate`` without concurrency, `lengths` the percentiles of a trace; the means
    of the case are kept.  Waiting is looked at with so many `slots`.
    """
    concurrencies = [int(one) for one in concurrencies]
    engine = pass_times.engine(**case, slots=max(*concurrencies, slots, *SIZES))
    largest = max(*concurrencies, slots)
    if engine.slots < largest:
        raise CannotSimulate(f"the replica holds {engine.slots} sequences, fewer than the {largest} asked for")
    table = pd.concat([steady(engine, case, lengths, concurrencies), waiting(engine, case, lengths, slots),
                       static(engine, case, lengths)], ignore_index=True)
    for end in ("", "_low", "_high"):
        table[f"ratio{end}"] = table[f"simulated{end}"] / table["analytic"]
    return table


def steady(engine, case, lengths, concurrencies):
    """A closed loop of so many clients against the steady state of ``tokenecon.estimate``."""
    cases = pd.DataFrame([case | {"load": "closed_loop", "concurrency": float(one)} for one in concurrencies])
    found, rows = estimate.estimate(cases), []
    for place, clients in enumerate(concurrencies):
        row = found.iloc[place]
        cycle_s = clients * case["osl"] / row["output_tok_s"]
        for setting, seen in ((TOGETHER, _together(engine, case, clients)),
                              (SPREAD, _spread(engine, case, lengths, clients, cycle_s))):
            rows += [{"what": words, "setting": setting, "at": f"{clients} in flight", "concurrency": clients, "unit": unit,
                      "analytic": row[name], **_named(seen, name)} for name, words, unit in QUANTITIES]
    return pd.DataFrame(rows)


def _together(engine, case, clients):
    """As benchmark tools run: a few equal requests a client, the first all at once, and the mean over all."""
    count = clients * PER_CLIENT
    table = pd.DataFrame({"arrival_s": 0.0, "isl": np.full(count, float(case["isl"])), "osl": float(case["osl"])})
    done = scheduler.simulate(engine, table, slots=clients, clients=clients).requests
    whole = {"output_tok_s": count * case["osl"] / done["last_s"].max(), "ttft_ms": done["ttft_s"].mean() * units.MS_PER_SECOND,
             "tpot_ms": done["tpot_s"].mean() * units.MS_PER_SECOND}
    return {name + end: value for name, value in whole.items() for end in ("", "_low", "_high")}  # nothing is drawn


def _spread(engine, case, lengths, clients, cycle_s):
    """Lengths of the trace, first requests spread over one cycle, the start left out."""
    table = scheduler.requests(lengths, count=max(COUNT // 2, 2 * PER_CLIENT * clients), requests_per_s=1.0, seed=0,
                               isl=case["isl"], osl=case["osl"])
    table["arrival_s"] = np.arange(len(table)) * cycle_s / clients
    return summary(scheduler.simulate(engine, table, slots=clients, clients=clients))


def waiting(engine, case, lengths, slots):
    """Requests that find no free slot against Erlang C with the slots as servers and the service time of full slots."""
    full = estimate.estimate(case | {"load": "closed_loop", "concurrency": float(slots)}).iloc[0]
    top = full["output_tok_s"] / case["osl"]
    service_s, rows = slots / top, []
    for load in LOADS:
        offered = queueing.offered_load(requests_per_s=load * top, service_s=service_s)
        runs = [summary(scheduler.simulate(engine, scheduler.requests(
            lengths, count=COUNT, requests_per_s=load * top, seed=seed, isl=case["isl"], osl=case["osl"]), slots=slots))
            for seed in SEEDS]
        at = {"at": f"{load:.0%} load", "load": load, "unit": "fraction", "setting": f"{count(slots, 'slot')}, Poisson arrivals"}
        queued, busy = [one["queued"] for one in runs], [1 - one["empty"] for one in runs]
        rows += [
            {"what": "requests that wait for a slot (Erlang C)", **at, **with_ends("simulated", np.mean(queued), queued),
             "analytic": float(queueing.erlang_c(servers=slots, offered_load=offered))},
            {"what": "slots in use", **at, **with_ends("simulated", np.mean(busy), busy), "analytic": load},
        ]  # fmt: skip
    return pd.DataFrame(rows)


def static(engine, case, lengths):
    """Static batches from a full queue against E[L]/E[max] of decode passes."""
    rows = []
    chances = answer_lengths.middles()
    answer = answer_lengths.draw(lengths, "output", chances, case["osl"]).mean()
    for size in [size for size in SIZES if size <= engine.slots] or [engine.slots]:
        longest = answer_lengths.draw(lengths, "output", chances ** (1.0 / size), case["osl"]).mean()
        analytic = serving.static_occupancy(mean_tok_out=answer - 1, mean_longest_tok_out=longest - 1)
        shares = [static_share(engine, case, lengths, size, seed) for seed in SEEDS]
        rows.append({"what": "slots of a static batch that decode a live answer", "setting": "a queue that never empties",
                     "at": f"batch of {size}", "batch": size, "unit": "fraction", "analytic": analytic,
                     **with_ends("simulated", float(np.mean(shares)), shares)})
    return pd.DataFrame(rows)


def static_share(engine, case, lengths, size, seed):
    """Occupancy of static batches of one size in a run of whole batches from a full queue."""
    table = scheduler.requests(lengths, count=COUNT // size * size, requests_per_s=1.0, seed=seed, isl=case["isl"],
                               osl=case["osl"]).assign(arrival_s=0.0)
    return occupancy(scheduler.simulate(engine, table, batching=STATIC, slots=size, wait_s=0.0))


def _named(seen, name):
    return {f"simulated{end}": seen[name + end] for end in ("", "_low", "_high")}


def words(table, slots, of):
    """Sentence, note and further sentences on a table of :func:`check`, from the ratios, as a Finding takes them.

    ``of`` says what the numbers are of, for :func:`named`.
    """
    rate, ttft, tpot = (table[table["what"] == what] for _, what, _ in QUANTITIES)
    spread = ttft[(ttft["setting"] == SPREAD) & (ttft["concurrency"] == ttft["concurrency"].max())]
    wait = table[table["what"].str.startswith("requests that wait")]
    still = table[table["what"].str.startswith("slots of a static")]

    def ends(rows, what):
        return span(*(named("simulated-over-estimate", rows["ratio"].agg(end), "{:.2f}".format, what=what, end=end, **of)
                      for end in ("min", "max")), str)

    def waits(row, by, show):
        return named("requests-waiting", row[by], show, at=row["at"], by=by, **of)

    def load(row):
        return f"{named('load-of-highest', row['load'], percent, at='checked ' + row['at'], **of)} load"

    first, last = wait.iloc[0], wait.iloc[-1]
    safe, short = (wait["simulated"] <= wait["analytic"]).all(), (wait["simulated_low"] > wait["analytic"]).any()
    why = (": passes are shorter while slots are empty, so the formula errs on the safe side" if safe else
           ": it counts requests of mean length, and uneven ones take longer passes together" if short else "")
    places = named("slots-simulated", slots, lambda number: count(number, "slot"), **of)
    clients = named("slots-simulated", spread["concurrency"].iloc[0], lambda number: count(number, "client"), what="clients",
                    **of)
    exact = "{:.1%}".format
    return {"sentence": (
        f"The simulation writes {ends(rate, 'tokens')} times the tokens that the steady state says, at {ends(tpot, 'tpot')} "
        f"times the TPOT; static batches are {ends(still, 'occupancy')} times as full as their lengths say"), "waiting": (
        f"Of {places} Erlang C has {waits(first, 'analytic', exact)} of the requests wait at {load(first)} and "
        f"{waits(last, 'analytic', percent)} at {load(last)}, the simulation {waits(first, 'simulated', exact)} and "
        f"{waits(last, 'simulated', percent)}{why}"), "ttft": (
        "If all clients start together, as in benchmarks, the first token takes "
        f"{ends(ttft[ttft['setting'] == TOGETHER], 'ttft together')} times our estimate; if staggered, "
        f"{ends(spread, 'ttft spread')} times"), "note": (
        f"The estimated TTFT is what benchmark tools print, with the crowd at their start; staggered: {clients}, one after "
        "another. "
        "The estimate adds a prefill and the decode passes up; the simulation reads prompts in passes that also decode. Ranges: "
        "draws, 10 to 90% of the samples.")}

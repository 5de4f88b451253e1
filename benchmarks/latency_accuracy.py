"""How far percentiles of ``tokenecon.estimate`` are from the simulation of the same requests: a grid, or cases drawn at random.

``python benchmarks/latency_accuracy.py`` runs the grid in a few minutes, with fixed seeds; ``--random SEED`` draws cases in its
place; ``--closed`` compares closed loops.  The simulation's own sampling error stands beside the largest differences.
"""

import argparse

import numpy as np
import pandas as pd

from tokenecon.errors import CannotSimulate
from tokenecon.formulas import passes
from tokenecon.serving import cases, estimate, lookups, steady_state
from tokenecon.serving.arrivals import poisson
from tokenecon.simulation import pass_times, scheduler

SYSTEMS = (
    {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "weights": "fp8"},
    {"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 1, "weights": "bf16"},
    {"model": "llama-3.3-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "weights": "fp8"},
    {"model": "deepseek-v3", "gpu": "h200-sxm-141gb", "n_gpus": 8, "weights": "fp8"},
    {"model": "gpt-oss-120b", "gpu": "b200-sxm-180gb", "n_gpus": 1, "weights": "mxfp4"},
    {"model": "qwen3-235b-a22b", "gpu": "mi300x-192gb", "n_gpus": 8, "weights": "fp8"},
)
LENGTHS = ((128, 128), (1000, 1000), (1155, 211), (4000, 250), (8000, 100))
LOADS = (0.2, 0.5, 0.8, 0.9, 0.95)  # of what all slots together serve
CLIENTS = (1, 4, 16, 64, 256)
ROUNDS = 12  # requests of a client in a closed loop
DRAWN = 80
MODELS = (("llama-3.1-8b", 1, "fp8"), ("llama-3.1-8b", 1, "bf16"), ("qwen3-8b", 1, "int4"), ("qwen3-32b", 2, "fp8"),
          ("llama-3.3-70b", 8, "bf16"), ("llama-3.1-405b", 8, "fp8"), ("gemma-3-27b", 2, "bf16"), ("gpt-oss-20b", 1, "mxfp4"),
          ("qwen3-30b-a3b", 1, "fp8"), ("mixtral-8x7b", 2, "fp8"), ("deepseek-v3", 8, "fp8"))  # fmt: skip
GPUS = ("a100-sxm-80gb", "h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm-180gb", "mi300x-192gb", "l40s-48gb")
COLUMNS = [f"{name}_p{place}" for name in ("ttft_ms", "tpot_ms") for place in poisson.PERCENTILES]
ALLOWED = {50: 0.15, 90: 0.15, 99: 0.25}  # what the model owes
BLOCKS = 8  # of a run, whose scatter is its sampling error
SKIP = 10  # part of a run that is not counted


def most_per_s(case):
    """Requests a second that all slots of a case serve."""
    ask = cases.read(cases.frame(pd.DataFrame([case | {"load": "poisson", "requests_per_s": 1.0}])))
    columns = estimate.columns(ask, np.array([0]))
    rate = steady_state.prepared(columns, lookups.coefficients())
    state = steady_state.settled(columns, rate, steady_state.room(columns))
    seconds, most = poisson.timing(columns, rate)
    return float(poisson.capacity(seconds, state["batch"], columns["osl"] - 1.0, most)[0][0])


def requests(case, arrivals):
    """Requests of equal length at these times."""
    return pd.DataFrame({"arrival_s": arrivals, "isl": float(case["isl"]), "osl": float(case["osl"])})


def simulated(case, requests_per_s, load, seed):
    """Percentiles of a run and their relative sampling errors, with more requests the fuller the replica is."""
    count = int(5000 / max(1.0 - load, 0.04) ** 1.6)  # queues forget more slowly the fuller they are
    draw = np.random.default_rng(seed)
    run = scheduler.simulate(pass_times.engine(**case), requests(case, np.cumsum(draw.exponential(1 / requests_per_s, count))))
    counted = run.requests.iloc[count // SKIP:]
    found = {}
    for column in COLUMNS:
        name, _, place = column.partition("_ms_p")
        values = counted[f"{name}_s"].to_numpy() * 1e3
        blocks = [np.percentile(block, int(place)) for block in np.array_split(values, BLOCKS)]
        found[column] = np.percentile(values, int(place))
        found[f"{column}_error"] = np.std(blocks, ddof=1) / np.sqrt(BLOCKS) / np.mean(blocks)
    return found


def grid():
    """Cases of the grid, each with its load."""
    return [(system | {"isl": isl, "osl": osl}, load) for system in SYSTEMS for isl, osl in LENGTHS for load in LOADS]


def drawn(seed):
    """Cases at random: models, accelerators, lengths and loads, a third of them nearly full."""
    draw, found = np.random.default_rng(seed), []
    while len(found) < DRAWN:
        model, n_gpus, weights = MODELS[draw.integers(len(MODELS))]
        isl, osl = (int(np.exp(draw.uniform(np.log(low), np.log(high)))) for low, high in ((60, 20000), (20, 2000)))
        load = float(draw.uniform(0.1, 0.95) if draw.random() < 2 / 3 else draw.choice((0.9, 0.93, 0.95)))
        gpu = GPUS[draw.integers(len(GPUS))]
        case = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "weights": weights, "isl": isl, "osl": osl}
        try:
            pass_times.engine(**case)
        except CannotSimulate:
            continue
        found.append((case, load))
    return found


def compared(asked):
    """Estimate over simulation for each case and percentile."""
    rows = []
    for seed, (case, load) in enumerate(asked):
        arrivals = load * most_per_s(case)
        said = estimate.estimate(case | {"load": "poisson", "requests_per_s": arrivals}, False, True).iloc[0]
        there = simulated(case, arrivals, load, seed)
        rows.append(case | {"load": load} | {column: said[column] / there[column] for column in COLUMNS}
                    | {f"{column}_error": there[f"{column}_error"] for column in COLUMNS})
    return pd.DataFrame(rows)


def closed():
    """Closed loops that start at once: the same law of waiting, for the simulated engine, over what is simulated.

    That engine reads a prompt in the next pass: those of equal length stay in step, and as many are read together as send
    together and a pass takes.  Its mean is told to the law; engines that were measured take more passes, by their calibration.
    """
    rows = []
    for system in SYSTEMS:
        for isl, osl in LENGTHS:
            case = system | {"isl": isl, "osl": osl}
            engine = pass_times.engine(**case)
            most = engine.budget / isl
            for clients in (number for number in CLIENTS if number <= engine.slots):
                run = scheduler.simulate(engine, requests(case, np.zeros(clients * ROUNDS)), clients=clients).requests
                together = min(clients, most)

                def read(prompts, decoding=0, engine=engine, isl=isl, osl=osl):
                    return engine.seconds(decoding, decoding * (isl + osl / 2), prompts * isl, prompts * isl * isl / 2)

                one_s, all_s = read(together, int(clients - together)), read(together) * clients / together
                mean_s = one_s + max(all_s - one_s, 0.0) / ROUNDS / 2
                said = {place: passes.closed_loop_ttft_at(ttft_s=mean_s, prefill_one_s=one_s, prefill_all_s=all_s,
                                                          burst=1 / ROUNDS, share=place / 100) for place in poisson.PERCENTILES}
                rows.append(case | {"clients": clients, "mean": mean_s / run["ttft_s"].mean()} | {
                    f"ttft_ms_p{place}": said[place] / np.percentile(run["ttft_s"], place) for place in said} | {
                    f"tpot_ms_p{place}": run["tpot_s"].mean() / np.percentile(run["tpot_s"].dropna(), place) for place in said})
    return pd.DataFrame(rows)


def report(table):
    """Print how far off each percentile is, and the cases that are farther off than they may be."""
    print(f"{'':12}  {'median':>6}  {'9 of 10':>7}  {'most':>6}  {'beyond':>6}  of {len(table)}")
    beyond = pd.Series(False, index=table.index)
    for column in COLUMNS:
        off, allowed = (table[column] - 1).abs(), ALLOWED[int(column[-2:])]
        beyond |= off > allowed
        print(f"{column:12}  {off.median():6.1%}  {off.quantile(0.9):7.1%}  {off.max():6.1%}  {(off > allowed).sum():6}"
              f" (over {allowed:.0%})")
    for row in table[beyond].to_dict("records"):
        said = " ".join(f"{column[:4]}{column[-4:]} {row[column]:.2f}" + (
            f" (sampling {row[column + '_error']:.0%})" if f"{column}_error" in row else "")
            for column in COLUMNS if abs(row[column] - 1) > ALLOWED[int(column[-2:])])
        where = f"load {row['load']:.2f}" if "load" in row else f"{row['clients']} clients"
        print(f"{row['model']} on {row['n_gpus']} {row['gpu']}, {row['isl']}/{row['osl']}, {where}: {said}")


def main():
    """Print the table of what was asked for."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--random", type=int, metavar="SEED")
    ask.add_argument("--closed", action="store_true")
    asked = ask.parse_args()
    report(closed() if asked.closed else compared(grid() if asked.random is None else drawn(asked.random)))


if __name__ == "__main__":
    main()

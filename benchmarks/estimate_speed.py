"""Speed of ``tokenecon.estimate``: processor time of a case in a table and alone, and the memory of a million cases."""

import resource
import sys
import time

import numpy as np
import pandas as pd

import tokenecon

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DICTS = 200  # of which the mean is taken
SOME = 20_000  # cases with arrivals at random


def table(size):
    """Cases of three models on three GPUs with random lengths and concurrency."""
    draw = np.random.default_rng(1)
    return pd.DataFrame({
        "model": draw.choice(("llama-3.1-70b", "qwen3-235b-a22b", "llama-3.1-8b"), size).astype(object),
        "gpu": draw.choice(("h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm-180gb"), size).astype(object),
        "n_gpus": 8, "weights": "fp8", "kv": "fp8", "isl": draw.integers(100, 8000, size),
        "osl": draw.integers(10, 2000, size), "concurrency": draw.integers(1, 512, size), "usd_per_gpu_hour": 2.5,
    })  # fmt: skip


def per_case(size, given, calls=1, repeats=3, **options):
    """Processor time of a case, the least of some tries of so many calls. [us]"""
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(calls):
            tokenecon.estimate(given, **options)
        spent.append(time.process_time() - start)
    return min(spent) / calls / size * 1e6


def main():
    """Print what a case takes in tables of several sizes, with intervals and without, and what one dict takes."""
    tokenecon.estimate(table(100))  # imports and tables are read once
    print(f"{'cases':>9}  {'us a case':>9}  {'without intervals':>17}")
    for size in SIZES if len(sys.argv) < 2 else [int(float(sys.argv[1]))]:
        given = table(size)
        with_, without = (per_case(size, given, intervals=wide) for wide in (True, False))
        print(f"{size:9,}  {with_:9.2f}  {without:17.2f}")
    given = table(SOME)
    random = given.drop(columns="concurrency").assign(load="poisson", requests_per_s=0.5)
    for name, cases in (("closed loop", given), ("poisson", random)):
        case = cases.iloc[0].to_dict()
        tokenecon.estimate(case)
        for percentiles in (False, True):
            many, one = per_case(SOME, cases, percentiles=percentiles), per_case(1, case, calls=DICTS, percentiles=percentiles)
            asked = ", percentiles" if percentiles else ""
            print(f"{name}{asked}: {many:.1f} us a case of {SOME:,}; a dict, warm: {one / 1e3:.2f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()

"""Speed of ``tokenecon.estimate``: cases a second, bare and with everything, and the memory of a million cases."""

import resource
import sys
import time

import numpy as np
import pandas as pd

import tokenecon
from tokenecon.serving import cases, coefficients, estimate, steady_state

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def table(size):
    """Cases of three models on three GPUs with random lengths and concurrency."""
    draw = np.random.default_rng(1)
    return pd.DataFrame({
        "model": draw.choice(("llama-3.1-70b", "qwen3-235b-a22b", "llama-3.1-8b"), size).astype(object),
        "gpu": draw.choice(("h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm-180gb"), size).astype(object),
        "n_gpus": 8, "weights": "fp8", "kv": "fp8", "isl": draw.integers(100, 8000, size),
        "osl": draw.integers(10, 2000, size), "concurrency": draw.integers(1, 512, size), "usd_per_gpu_hour": 2.5,
    })  # fmt: skip


def bare(size, repeats=20):
    """Cases a second of the arithmetic alone, columns at hand."""
    ask = cases.read(cases.frame(table(size)))
    case = estimate.columns(ask, np.arange(size))
    values = coefficients.fitted()
    steady_state.steady(case, values)
    start = time.process_time()
    for _ in range(repeats):
        steady_state.steady(case, values)
    return size * repeats / (time.process_time() - start)


def main():
    """Print the table."""
    tokenecon.estimate(table(100))  # imports and tables are read once
    print(f"{'cases':>9}  {'cases/s of CPU':>14}  {'us a case':>9}")
    print(f"{'bare':>9}  {bare(estimate.CHUNK):14,.0f}")
    for size in SIZES if len(sys.argv) < 2 else [int(float(sys.argv[1]))]:
        given = table(size)
        start = time.process_time()
        tokenecon.estimate(given)
        spent = time.process_time() - start
        print(f"{size:9,}  {size / spent:14,.0f}  {spent / size * 1e6:9.2f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()

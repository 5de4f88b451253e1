"""Speed and memory of a sweep: seconds of a million cases to Parquet on two workers, against 30 s, and the memory that more take.

``sweep_speed.py 1e6 1e7`` runs both sizes and holds the peak memory of the asking process and of the largest worker side by side.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

SECONDS = 30.0  # of a million cases, on two cores
WORKERS = 2
GROWTH = 1.2  # of the peak memory, from the first size to the last: flat
ONE = "import sys; sys.path.insert(0, sys.argv[3]); import sweep_speed; sweep_speed.one(int(float(sys.argv[1])), sys.argv[2])"


def grid(cases):
    """So many cases, a multiple of 100,000: two models, five GPUs, two formats, prompts, answers, clients."""
    return {"cases": {
        "model": ["llama-3.1-70b", "llama-3.1-8b"],
        "gpu": ["h100-sxm-80gb", "h200-sxm-141gb", "b200-sxm-180gb", "mi300x-192gb", "l40s-48gb"], "n_gpus": 8,
        "weights": ["fp8", "bf16"], "isl": {"from": 100, "to": 10_000, "step": 100}, "osl": {"from": 50, "to": 500, "step": 50},
        "concurrency": {"from": 1, "to": cases // 20_000, "step": 1}}}


def one(cases, folder):
    """Run one size in this process, and print seconds, processor seconds and peak memory."""
    import tokenecon

    started = time.perf_counter()
    found = tokenecon.sweep(grid(cases), folder, workers=WORKERS, progress=False)
    wall = time.perf_counter() - started
    if found.done != cases or found.failed:
        sys.exit(f"{found.done:,} of {cases:,} cases are there")
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    spent = sum(one.ru_utime + one.ru_stime for one in (own, workers))
    print(wall, spent, own.ru_maxrss / 1e6, workers.ru_maxrss / 1e6)


def main(sizes):
    """Print a line for each size; exit code 1 where a target is missed."""
    missed, first = False, None
    for cases in sizes:
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out")
            words = [sys.executable, "-c", ONE, str(cases), out, os.path.dirname(os.path.abspath(__file__))]
            done = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            size = sum(os.path.getsize(path) for path in os.scandir(out))
        wall, spent, asking, worker = map(float, done.split())
        first = first or (asking, worker)
        flat = max(asking / first[0], worker / first[1]) < GROWTH
        met = flat and (wall < SECONDS or cases > 1_000_000)
        missed |= not met
        print(f"sweep {cases:>11,} cases {wall:6.1f} s ({spent:.1f} s of CPU) {size / 1e6:,.0f} MB; peak {asking:.2f} GB asking, "
              f"{worker:.2f} GB a worker {'ok' if met else 'MISSED'} (target {SECONDS:g} s a million, memory flat)", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main([int(float(one)) for one in sys.argv[1:]] or [1_000_000]))

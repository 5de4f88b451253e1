"""`make faults`: SIGKILL to a sweep at random moments; nothing lost, nothing doubled, the result that of an undisturbed one.

Each kill hits the process that asks, every other time with its workers; left alone, workers end by themselves.  After a kill
what is listed is whole and what it must be.  The last run loses one of its workers, too.  The processes killed are those that
this script started.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tokenecon.sweeps import engine, grid, manifest
from tokenecon_book.build import freshness

ORPHAN_SECONDS = 30  # in which workers end whose parent was killed, on a busy machine
SWEEP = [sys.executable, "-c", "from tokenecon.cli import main; main()", "sweep"]
GRID = """\
cases:
  model: [llama-3.1-8b, qwen3-14b]
  gpu: [h100-sxm-80gb, no-such-gpu, l40s-48gb, b200-sxm-180gb]
  n_gpus: [1, 2]
  isl: {{from: 500, to: 2900, step: 100}}
  osl: [100, 300]
  concurrency: {{from: 1, to: {clients}, count: {clients}}}
cases_per_part: 100
"""


class Broken(Exception):
    """What a kill must never leave."""


def write_grid(folder, parts):
    """A grid of so many parts of 100 cases, a multiple of 8."""
    path = folder / "grid.yml"
    path.write_text(GRID.format(clients=parts // 8), encoding="utf-8")
    if (count := engine.Job(grid.read(path)).count) != parts:
        raise Broken(f"the grid has {count} parts, not {parts}")
    return path


def expected(path):
    """Name to hash of the parts, made one after the other in this process."""
    job, found = engine.Job(grid.read(path)), {}
    for number in range(job.count):
        content, told = engine.work(job.asks, *job.part(number))
        if content is None:
            raise Broken(told)
        found[job.kind.FILE.format(number)] = freshness.digest(content)
    return found


def start(path, out, workers):
    """A sweep in a session of its own."""
    return subprocess.Popen([*SWEEP, str(path), "-o", str(out), "--workers", str(workers)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True)


def group(process):
    """Numbers of the processes of a session that still run."""
    lines = subprocess.run(["ps", "-A", "-o", "pid=,sid=,stat="], check=True, capture_output=True, text=True).stdout.splitlines()
    return [int(pid) for pid, session, stat in map(str.split, lines) if session == str(process.pid) and stat[0] != "Z"]


def wait_for(process, out, count):
    """Until so many parts are listed, or the sweep has ended."""
    while process.poll() is None and len(manifest.read(out)) < count:
        time.sleep(0.002)


def kill(process, whole):
    """SIGKILL to the asking process, or to all of its session; gives the seconds until no process of it is left."""
    if whole:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    started = time.monotonic()
    while left := group(process):
        if time.monotonic() > started + ORPHAN_SECONDS:
            os.killpg(process.pid, signal.SIGKILL)
            raise Broken(f"{len(left)} workers still ran {ORPHAN_SECONDS} s after the sweep was killed")
        time.sleep(0.05)
    return time.monotonic() - started


def judge(out, wanted):
    """How many parts are listed; each must lie there as it must be, and stand once."""
    names = [line["file"] for line in manifest.read(out).values()]
    if len(set(names)) != len(names):
        raise Broken("a part is listed twice")
    for name in names:
        if freshness.of_file(out / name) != wanted[name]:
            raise Broken(f"{name} is listed, but is not what an undisturbed sweep writes")
    return len(names)


def kills(folder, rng, count, parts, workers=2, lose_worker=True, say=print):
    """Kill a sweep so many times on its way, let it end, and compare."""
    path, out = write_grid(folder, parts), folder / "out"
    wanted = expected(path)
    for number in range(count):
        before = len(manifest.read(out))
        goal = min(before + rng.randint(0, 2 * parts // (count + 1)), parts - 1)
        process = start(path, out, workers)
        wait_for(process, out, goal)
        time.sleep(rng.random() * (0.03 if goal > before else 3))
        if process.poll() is not None and len(manifest.read(out)) < parts:
            raise Broken(f"the sweep ended by itself with code {process.returncode}")
        seconds = kill(process, whole=number % 2)
        listed = judge(out, wanted)
        if listed < before:
            raise Broken(f"of {before} listed parts {before - listed} are lost")
        say(f"kill {number + 1:2}: {listed:3} of {parts} parts listed, {listed - before} of them new; "
            f"no process left after {seconds:.1f} s", flush=True)
    process = start(path, out, workers)
    if lose_worker:
        wait_for(process, out, min(judge(out, wanted) + 5, parts - 1))
        if others := workers_of(process):
            os.kill(rng.choice(others), signal.SIGKILL)
            say("a worker killed", flush=True)
    if process.wait():
        raise Broken(f"the last run ended with code {process.returncode}")
    found = freshness.of_folder(out)
    if {name: one for name, one in found.items() if not name.startswith("_")} != wanted:
        raise Broken(f"the folder is not that of an undisturbed sweep: {freshness.changed(found, wanted)[:5]}")
    if [line["part"] for line in manifest.read(out).values()] != list(range(parts)):
        raise Broken("the manifest does not list each part once")
    say(f"{count} kills in a sweep of {parts} parts: the folder is that of an undisturbed one, byte for byte", flush=True)


def workers_of(process):
    """Processes of the session that compute: those whose command runs multiprocessing's spawn."""
    found = []
    for pid in group(process):
        command = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True).stdout
        if "spawn_main" in command:
            found.append(pid)
    return found


def main():
    """Kill, judge, report; exit code 1 with the first thing that must never be."""
    parser = argparse.ArgumentParser("tests/faults/sweep_kills.py", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--parts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="sweep-kills-") as folder:
            kills(Path(folder), random.Random(options.seed), options.kills, options.parts)
    except Broken as broken:
        print(f"error: {broken}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

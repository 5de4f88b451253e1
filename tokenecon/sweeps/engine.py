"""Many cases through dask: on this machine, or on a cluster that is there; part by part, to be gone on with after any stop.

A part is made by a worker and comes back as bytes; this process alone writes.  So a cluster needs the package and not the
folder.  The hash of a part's inputs is of its cases, the facts, the code, and the files of a reader's that it reads: a part with
the same hash is not made again.
"""

import contextlib
import hashlib
import itertools
import json
import logging
import os
import re
import socket
import sys
import threading
import types
import uuid
from importlib.metadata import entry_points
from pathlib import Path

from tokenecon import __version__, data
from tokenecon.errors import BadInput
from tokenecon.serving.own_runs import calibration_file
from tokenecon.sweeps import estimates, manifest

ADDRESS = re.compile(r"(?:[a-z]+://)?\[?([^\s/\]]+)\]?:(\d{1,5})")
AHEAD = 2  # parts that wait at each thread of the workers: what is on its way is held in memory
SECONDS_TO_ANSWER = 20  # of a scheduler and its first worker
EXTRA = ("`tokenecon sweep` needs dask, distributed and pyarrow, which this installation lacks; install tokenecon-book with its "
         "extra [sweep]")
_settled = {}  # of this process, a worker: whose facts it reckons with -> hash of all that it reckons with
_one_at_a_time = threading.Lock()  # what is asked of data/ is on record by process


def kind(notebook):
    """The module that makes the parts: :mod:`estimates`, or that of the book for its notebooks."""
    if notebook is None:
        return estimates
    for one in entry_points(group="tokenecon.sweeps", name="notebook"):
        return one.load()
    raise BadInput("a sweep of a notebook needs the book; install tokenecon-book with its extra [book]")


# --- on a worker -------------------------------------------------------------------------------


def settled(job):
    """Reckon with the facts and the calibration of who asks; the hash of what the results will depend on."""
    asks = (job["notebook"], job["facts"], job["calibration"], *job["files"])
    with _one_at_a_time:
        if asks not in _settled:
            _settled.clear()
            if (data.own_folder(), data.calibration_file()) != asks[1:3]:
                data.use(job["facts"])
                calibration_file.use(job["calibration"])
            _settled[asks] = fingerprint(job)
    return _settled[asks]


def fingerprint(job):
    """A hash of code and facts, ours and the reader's."""
    paths = [path for root in kind(job["notebook"]).code(job["options"]) for path in _files(root, "*.py")]
    paths += [path for name in ("data", "notebooks") for path in _files(data.shipped(name), "*")]
    paths = [(path.name, path) for path in paths]
    paths += [("own facts", path) for path in sorted(Path(job["facts"]).glob("*.csv"))] if job["facts"] else []
    paths += [("calibration", Path(job["calibration"]))] if job["calibration"] else []
    paths += [("file", Path(path)) for path in job["files"]]
    found = hashlib.sha256()
    for name, path in paths:
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "gone"
        found.update(f"{name} {content}\n".encode())
    return found.hexdigest()


def _files(root, pattern):
    return sorted(path for path in Path(root).rglob(pattern) if path.is_file() and "__pycache__" not in path.parts
                  and ".ipynb_checkpoints" not in path.parts)


def work(job, grid, start, stop):
    """Make a part: (content, what to tell of it), or (None, why it failed)."""
    try:
        if settled(job) != job["prints"]:
            return None, "the worker has another version, other facts or other files than who asked; install the same there"
        if job["notebook"] is not None:  # it runs in a process of its own
            return kind(job["notebook"]).made(job["options"], grid, start, stop)
        with _one_at_a_time:
            return estimates.made(job["options"], grid, start, stop)
    except Exception as error:  # of one part: it is recorded, and the others go on
        words = str(error) if isinstance(error, BadInput) else f"{type(error).__name__}: {error}"
        return None, " ".join(words.split())[:1000]


# --- who asks ----------------------------------------------------------------------------------


class Job:
    """A grid with all that its parts depend on."""

    def __init__(self, plan):
        self.plan, self.kind = plan, kind(plan.notebook)
        options = self.kind.checked(plan)
        self.asks = {"notebook": plan.notebook, "options": options, "facts": data.own_folder(),
                     "calibration": data.calibration_file(), "files": self.kind.depends(options)}
        self.asks["prints"] = fingerprint(self.asks)
        self.cases = len(plan.grid)
        self.count = -(-self.cases // plan.per_part)

    def part(self, number):
        """What a worker is given: a grid, and the first and the last of its cases."""
        start = number * self.plan.per_part
        return self.plan.grid.cut(start, min(start + self.plan.per_part, self.cases))

    def inputs(self, number):
        """The hash of all that a part depends on."""
        grid, start, stop = self.part(number)
        given = [__version__, self.asks["prints"], self.asks["options"], grid.blocks, start, stop]
        return hashlib.sha256(json.dumps(given, default=str).encode()).hexdigest()[:20]

    def line(self, number, inputs):
        """What the manifest says of any part."""
        return {"part": number, "file": self.kind.FILE.format(number), "inputs": inputs}


def state(job, folder):
    """(what each part's inputs are, lines of the manifest that are of these inputs and there)."""
    listed = manifest.read(folder)
    inputs = [job.inputs(number) for number in range(job.count)]
    return inputs, [line for number, line in sorted(listed.items()) if isinstance(number, int) and 0 <= number < job.count
                    and line.get("inputs") == inputs[number] and manifest.there(folder, line)]


def run(plan, out, *, scheduler=None, workers=None, retry_failed=False, tell=lambda *_: None):
    """Make the parts of a grid that are not there yet, and list them; gives the job, the lines, and how many were made.

    ``tell(done, all)`` is called with numbers of cases.
    """
    job = Job(plan)
    with manifest.held(out) as folder:
        inputs, kept = state(job, folder)
        if retry_failed:
            kept = [line for line in kept if "failed" not in line]
        manifest.begin(folder, kept)
        left = sorted(set(range(job.count)) - {line["part"] for line in kept})
        done = job.cases - sum(min(plan.per_part, job.cases - number * plan.per_part) for number in left)
        tell(done, job.cases)
        if left:
            lines = list(kept)
            with manifest.listing(folder) as listed, _client(scheduler, workers or _cores(len(left)), job) as client:
                for number, content, told in _results(client, job, left):
                    line = job.line(number, inputs[number])
                    if content is None:
                        line["failed"] = told
                    else:
                        line |= {"bytes": manifest.write(folder, line["file"], content)} | told
                    listed(line)
                    lines.append(line)
                    done += min(plan.per_part, job.cases - number * plan.per_part)
                    tell(done, job.cases)
            manifest.begin(folder, sorted(lines, key=lambda line: line["part"]))
    return job, len(left)


def _cores(parts):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, parts))


@contextlib.contextmanager
def _client(scheduler, workers, job):
    """A dask client of an existing scheduler, or of workers on this machine that end with the block."""
    try:
        import distributed
        import pyarrow.parquet  # noqa: F401 - the workers write with it
    except ImportError as error:
        raise BadInput(EXTRA) from error
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            stack.enter_context(_unnamed_main())
            scheduler = stack.enter_context(distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1",
                memory_limit=0, silence_logs=logging.CRITICAL))
            yield stack.enter_context(distributed.Client(scheduler))
            return
        named = ADDRESS.fullmatch(scheduler)
        if not named:
            raise BadInput(f"scheduler '{scheduler}' is no address; give what `dask scheduler` prints, such as tcp://10.0.0.1:8786")
        try:
            socket.create_connection((named[1], int(named[2])), SECONDS_TO_ANSWER).close()  # dask tries for ever
            client = stack.enter_context(distributed.Client(scheduler, timeout=SECONDS_TO_ANSWER))
            client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        except (OSError, OverflowError, ValueError) as error:
            raise BadInput(f"scheduler '{scheduler}' does not answer, or has no workers: {error or type(error).__name__}; "
                           "give the address that `dask scheduler` prints, such as tcp://10.0.0.1:8786") from error
        _alike(client, job)
        yield client


def _alike(client, job):
    """Refuse a cluster whose workers would compute something else."""
    for address, found in client.run(settled, job.asks, on_error="return").items():
        if isinstance(found, Exception):
            raise BadInput(f"worker {address} cannot compute this: {type(found).__name__}: {found}; it needs tokenecon-book "
                           f"{__version__} with its extra [sweep], and own files at the same paths") from found
        if found != job.asks["prints"]:
            raise BadInput(f"worker {address} has another version, other facts or other files than this machine; install "
                           f"tokenecon-book {__version__} there, and put own files at the same paths")


@contextlib.contextmanager
def _unnamed_main():
    """Start processes that do not run the program again which asks: a script needs no guard for a sweep."""
    real = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = real


def _results(client, job, left):
    """(number, content, what to tell) of each part, as they come; few are on their way at once."""
    import distributed

    waiting, of = iter(left), {}
    run = uuid.uuid4().hex  # a part of an earlier run on the same cluster is not this one

    def more(count):
        for number in itertools.islice(waiting, count):
            future = client.submit(work, job.asks, *job.part(number), key=f"tokenecon-{run}-{number}", pure=False)
            of[future] = number
            coming.add(future)

    coming = distributed.as_completed(raise_errors=False)
    more(AHEAD * max(1, sum(client.nthreads().values())) + 1)
    while of:
        future = next(coming)
        number = of.pop(future)
        if future.status not in ("finished", "error"):
            raise BadInput("the scheduler went away; what is done is kept: give the same command again to go on")
        if future.status == "error":  # a worker that ended: the part is recorded, and the others go on
            error = future.exception()
            content, told = None, f"{type(error).__name__}: {error}"
        else:
            content, told = future.result()
        del future  # the worker forgets it
        more(1)
        yield number, content, told

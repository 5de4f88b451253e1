"""`make faults`: SIGKILL to builds and reruns at random moments; nothing half-made stands for a result, nothing stays behind.

Works on a copy of the repository in a temporary folder.  A build is killed in three situations: from nothing, with a good site
and something to do, and in the seconds in which the new site takes the old one's place.  After each kill the last good site is
whole or the new one is, the kernels are gone, and the next build ends with the site of an undisturbed one, byte for byte.  The
processes killed are process groups that this script started.
"""

import argparse
import contextlib
import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tokenecon_book.build import freshness

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ("book", "data", "notebooks", "tokenecon", "_config.yml", "_toc.yml", "LICENSE-TEXT.md")
PAGE, NOTEBOOK = "book/index.md", "notebooks/hour.ipynb"
ORPHAN_SECONDS = 10  # a kernel whose parent is gone looks once a second, but may be in the middle of an import
PR_SET_CHILD_SUBREAPER = 36


class Broken(Exception):
    """What a kill must never leave."""


class Copy:
    """A copy of the repository, with a temporary folder of its own for all that runs in it."""

    def __init__(self, folder):
        self.root, self.scratch = folder / "book", folder / "tmp"
        self.scratch.mkdir()
        for name in PARTS:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.root / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
            else:
                shutil.copyfile(source, self.root / name)
        path = os.pathsep.join([str(self.root), str(self.root / "book")])
        self.env = os.environ | {"PYTHONPATH": path, "TMPDIR": str(self.scratch)}

    def start(self, *words):
        """Python in a session of its own, its output in a file."""
        with open(self.scratch / "log", "wb") as log:
            return subprocess.Popen([sys.executable, *map(str, words)], cwd=self.root, env=self.env,
                                    stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def finish(self, *words):
        """Run to the end; gives the seconds."""
        started = time.monotonic()
        process = self.start(*words)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        if code:
            raise Broken(f"an undisturbed run ended with code {code}:\n" + (self.scratch / "log").read_text()[-2000:])
        return time.monotonic() - started

    def kernels(self):
        """Numbers of the processes whose command names the temporary folder: kernels."""
        lines = subprocess.run(["ps", "-A", "-o", "pid=", "-o", "command="], check=True, capture_output=True, text=True).stdout
        return [int(line.split()[0]) for line in lines.splitlines() if str(self.scratch) in line and "k.json" in line]

    def edit(self):
        """Change a page and a notebook."""
        with open(self.root / PAGE, "a", encoding="utf-8") as page:
            page.write("\nOne more sentence.\n")
        notebook = json.loads((self.root / NOTEBOOK).read_text(encoding="utf-8"))
        next(cell for cell in notebook["cells"] if cell["cell_type"] == "markdown")["source"] += ["\n\nOne more sentence."]
        (self.root / NOTEBOOK).write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def kill(process, moment, seen=None):
    """SIGKILL to a process group `moment` seconds after its start, or after `seen()`; False if it was done before."""
    while seen is not None and process.poll() is None and not seen():
        pass  # without a pause: what is watched for may last a thousandth of a second
    until = time.monotonic() + moment
    while process.poll() is None and time.monotonic() < until:
        time.sleep(min(0.01, max(0.0, until - time.monotonic())))
    hit = process.poll() is None
    if hit:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return hit


def orphans(copy):
    """How many kernels outlived their parent, and the seconds until the last one ended by itself."""
    started = time.monotonic()
    count = len(left := copy.kernels())
    while left and time.monotonic() < started + ORPHAN_SECONDS:
        time.sleep(0.1)
        left = copy.kernels()
    for number in left:
        os.kill(number, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # this script adopted them
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if left:
        raise Broken(f"{len(left)} of {count} kernels still ran {ORPHAN_SECONDS} s after their parent was killed")
    return count, time.monotonic() - started if count else 0.0


def site(target):
    """Name to hash of all files of a built site."""
    return freshness.of_folder(target / "html")


def differences(found, wanted):
    """The first names in which two folders differ."""
    return ", ".join(freshness.changed(found, wanted)[:5])


def build_kills(folder, rng, count):
    """Builds killed: from nothing, with a good site and something to do, during the swap."""
    build = ("-m", "tokenecon_book.build.book", "--build-dir")
    copy = Copy(folder)
    good, target, wanted = folder / "good", folder / "build", folder / "wanted"
    cold = copy.finish(*build, good)
    before = site(good)
    copy.edit()
    cold = (cold + copy.finish(*build, wanted)) / 2
    after = site(wanted)
    if before == after:
        raise Broken("the edit changed nothing")
    subprocess.run(["cp", "-a", good, target], check=True)
    started = time.monotonic()
    process = copy.start(*build, target)
    while process.poll() is None and not (target / "html.new").exists():
        time.sleep(0.001)
    assembled = time.monotonic()
    process.wait()
    warm, swap = time.monotonic() - started, time.monotonic() - assembled
    if site(target) != after:
        raise Broken(f"after an edit the site is not that of a cold build: {differences(site(target), after)}")
    print(f"undisturbed: {cold:.0f} s from nothing, {warm:.0f} s after an edit, the last {swap:.1f} s of it to put the "
          f"{len(after)} files in place", flush=True)

    length = {"from nothing": cold, "after an edit": warm, "during the swap": swap}
    turns = ("during the swap", "after an edit", "from nothing", "after an edit")
    kinds = [turns[number % len(turns)] for number in range(count)]
    totals = {"old": 0, "new": 0, "none": 0, "kernels": 0, "late": 0}
    for number, kind in enumerate(kinds):
        shutil.rmtree(target)
        place, of = kinds[:number].count(kind), kinds.count(kind)
        if kind == "from nothing":
            target.mkdir()
        else:
            subprocess.run(["cp", "-a", good, target], check=True)
        moment = length[kind] * (place + rng.random()) / of
        hit = kill(copy.start(*build, target), moment, (target / "html.new").exists if kind == "during the swap" else None)
        if not hit:  # the undisturbed one met a busier machine
            length[kind] *= 0.6
        kernels, seconds = orphans(copy)
        state = judge(target, before, after, kind, moment)
        again = copy.finish(*build, target)
        if site(target) != after:
            raise Broken(f"killed {kind} at {moment:.2f} s, the next build's site differs: {differences(site(target), after)}")
        if left := leftovers(target):
            raise Broken(f"killed {kind} at {moment:.2f} s, the next build leaves {left}")
        totals[state] += 1
        totals["kernels"] += kernels
        totals["late"] += not hit
        print(f"build {number + 1:2} {kind:<15} killed at {moment:6.2f} s; site: {state:<4}; {kernels} kernels ended in "
              f"{seconds:.1f} s; rebuilt in {again:.0f} s{'' if hit else '; it was done before'}", flush=True)
    print("builds:", ", ".join(f"{value} {name}" for name, value in totals.items()))


def judge(target, before, after, kind, moment):
    """Which site stands after a kill; anything but a whole one is wrong."""
    found = site(target)
    if kind != "from nothing" and not found:
        # Between the two renames of the swap: the old site lies beside, and the next build puts it back.
        found = freshness.of_folder(target / "html.old")
    if found == after:
        return "new"
    if found == before and kind != "from nothing":
        return "old"
    if not found and kind == "from nothing":
        return "none"
    raise Broken(f"killed {kind} at {moment:.2f} s, the site is neither the old nor the new one: {differences(found, after)}")


def leftovers(target):
    """What a finished build leaves besides its own folders."""
    known = {"book", "html", "lock", "run", "site.json", "sphinx"}
    return sorted([path.name for path in target.iterdir() if path.name not in known]
                  + [path.name for path in (target / "run").rglob("*.new")])


def rerun_kills(folder, rng, count):
    """`tokenecon run hardware` killed; what lies in the folder is whole, and the last run cleans up."""
    copy = Copy(folder)
    words = ("-c", "from tokenecon.cli import main; main()", "run", "hardware", "-p", "years", "4", "-o")
    wanted, out = folder / "wanted", folder / "out"
    whole = copy.finish(*words, wanted)
    target = freshness.of_folder(wanted)
    kernels = 0
    for number in range(count):
        kind = ("while moving", "while writing", "anywhere")[number % 3]
        before = set(out.glob(".*"))
        seen = {"anywhere": None, "while writing": lambda old=before: set(out.glob(".*")) - old,
                "while moving": lambda: list(out.glob("hardware-*"))}[kind]
        moment = {"anywhere": whole * number / count, "while writing": rng.random(), "while moving": rng.random() / 1000}[kind]
        hit = kill(copy.start(*words, out), moment, seen)
        stayed, seconds = orphans(copy)
        kernels += stayed
        found = freshness.of_folder(out) if out.exists() else {}
        hidden = [name for name in found if name.startswith(".")]
        shown = {name: value for name, value in found.items() if name not in hidden}
        if wrong := [name for name, value in shown.items() if target.get(name) != value]:
            raise Broken(f"killed at {moment:.2f} s, {wrong} is no result")
        if shown != target and any(name.endswith(".html") for name in shown):
            raise Broken(f"killed at {moment:.2f} s, there is a page without the rest")
        late = "" if hit else "; it was done before"
        print(f"rerun {number + 1:2} killed {kind:<13} at {moment:7.4f} s; {len(shown)} of {len(target)} files, "
              f"{len(hidden)} hidden; {stayed} kernels ended in {seconds:.1f} s{late}", flush=True)
        if number % 3 == 2:  # what three kills left lies in one folder
            copy.finish(*words, out)
            if freshness.of_folder(out) != target or sorted(out.iterdir()) != sorted(out / name for name in target):
                raise Broken(f"after the kills the folder holds {sorted(path.name for path in out.iterdir())}")
            shutil.rmtree(out)
    print(f"reruns: {count} killed of {whole:.1f} s each, {kernels} kernels outlived their parent and ended by themselves")


def main():
    """Kill, judge, report; exit code 1 with the first thing that must never be."""
    parser = argparse.ArgumentParser("tests/faults/kills.py", description=__doc__.splitlines()[0])
    parser.add_argument("--builds", type=int, default=20)
    parser.add_argument("--reruns", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    options = parser.parse_args()
    if sys.platform == "linux":
        # Orphans come to this process, as to the manager of a user's session, and not to process 1: the harder case.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        for action, count in ((rerun_kills, options.reruns), (build_kills, options.builds)):
            if count:
                with tempfile.TemporaryDirectory(prefix="kills-") as folder:
                    action(Path(folder), random.Random(options.seed), count)
    except Broken as broken:
        print(f"error: {broken}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Build the site: run what changed, stage it with the prose, let Sphinx write, swap it in.

``python -m tokenecon_book.build.book`` does the whole of it.  Everything lies under ``_build``::

    run/<notebook>/   executed.ipynb, and record.json: the hashes of what it came from
    pictures/         PNGs that are drawn already
    book/             what Sphinx reads: pages of book/ and executed notebooks
    sphinx/           doctrees and pages as Sphinx writes them
    html/             the site; replaced as a whole, and only by a complete one
"""

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon_book import citations
from tokenecon_book.build import freshness, notebooks, progress, publishing
from tokenecon_book.build.staging import BookError, assemble, recover, site_inputs, stage, swap, write_pages


def build(root, target, jobs=None):
    """Bring ``target/html`` up to date; raise :class:`BookError` and leave it alone on any error."""
    started = time.monotonic()
    os.environ["SITE_URL"] = citations.site_url(root)  # of this repository, for all that is written
    target.mkdir(parents=True, exist_ok=True)
    with only_one(target):
        recover(target)
        names = notebooks.catalogue(root)
        check_contents(root, names)
        rerun_stale(names, target / "run", jobs or os.cpu_count() or 1)
        figures = published(names, target / "run")
        stage(root, names, target)
        now = site_inputs(root, target)
        record = target / "site.json"
        before = recorded(record)
        changes = freshness.changed(before, now)
        if not changes and (target / "html" / "index.html").exists():
            progress.say(f"nothing changed; checked in {time.monotonic() - started:.1f} s: {target / 'html'}")
            return
        record.unlink(missing_ok=True)
        write_pages(target, fresh=not before or any(not name.startswith("page ") for name in changes))
        assemble(root, target, figures)
        swap(target)
        record.write_text(json.dumps(now, indent=1))
        progress.say(f"built in {time.monotonic() - started:.1f} s: {target / 'html' / 'index.html'}")


def check_contents(root, names):
    """Refuse a notebook that the table of contents does not hold: its page would be made and never found."""
    listed = re.findall(r"(?m)^\s*- (?:file|glob): (\S+)", (root / "_toc.yml").read_text(encoding="utf-8"))
    for name in names:
        if not any(Path(name).match(one) for one in listed):
            raise BookError(f"notebooks/{name}.ipynb stands nowhere in _toc.yml; add `- file: {name}` to its chapters")


def out_of_date(root, target):
    """Why the site must be built anew, in words, or nothing."""
    answers = data.Answers()
    for name, path in notebooks.catalogue(root).items():
        if why := reason_to_run(path, target / "run" / name, answers):
            return f"{name}: {why}"
    changes = freshness.changed(recorded(target / "site.json"), site_inputs(root, target))
    # what was staged is not compared: the site's own part writes into it after the record is taken
    return next((f"{name} changed" for name in changes if not name.startswith(("page ", "staged "))), "")


def recorded(path):
    """What a record says: nothing where there is none, or half of one from a build that was killed."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


@contextlib.contextmanager
def only_one(target):
    """Let one build at a time write; a second one waits and says so."""
    with open(target / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("another build is at work here; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- notebooks ---------------------------------------------------------------------------------


def rerun_stale(names, runs, jobs):
    """Run every notebook whose record does not match, at once on so many cores; raise :class:`BookError` where one fails."""
    for folder in [record.parent for record in runs.glob("**/record.json")]:
        if folder.relative_to(runs).as_posix() not in names:
            shutil.rmtree(folder)
    answers = data.Answers()
    reasons = {name: reason_to_run(path, runs / name, answers) for name, path in names.items()}
    stale = {name: names[name] for name, why in reasons.items() if why}
    for name in stale:
        progress.say(f"{name}: {reasons[name]}")
    failures = run_all(stale, runs, jobs) if stale else []
    for name, error in failures:
        progress.failure(name, error)
    if failures:
        raise BookError(f"{failures[0][0]} failed; the last good site is left as it was")


def run_all(stale, runs, jobs):
    """Run notebooks at once on so many cores; the first failure stops the others. Returns (name, error) of what failed."""
    stop = threading.Event()
    failures = []

    def one(name):
        if stop.is_set():  # another failed while this one waited
            raise notebooks.Stopped
        try:
            run_one(stale[name], runs / name, name, board, stop)
        except BaseException:
            stop.set()
            raise

    with progress.board(stale) as board, ThreadPoolExecutor(jobs) as pool:
        todo = {pool.submit(one, name): name for name in stale}
        try:
            for future in as_completed(todo):
                error = future.exception()
                if error is not None and not isinstance(error, notebooks.Stopped):
                    failures.append((todo[future], error))
        except KeyboardInterrupt:
            stop.set()
            raise
    return failures


def reason_to_run(path, folder, answers):
    """Why a notebook must run, or nothing when what lies there is what would come out again."""
    before = recorded(folder / "record.json")
    if not before:
        return "not run yet"
    if "queries" not in before:
        return "run by an older version of this book"
    now = freshness.inputs(path, before["modules"], freshness.asked(before), answers)
    changes = freshness.changed(before["inputs"], now)
    if changes:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        return f"{changes[0]} changed{more}"
    if freshness.of_folder(folder / "out") != before["out"]:
        return "its output was touched"
    return ""


def run_one(path, folder, name, board, stop):
    """Run one notebook into its folder, whole or not at all."""
    import nbformat

    def on_cell(done, total):
        if stop.is_set():
            raise notebooks.Stopped
        board.cell(name, done, total)

    board.starts(name)
    started = time.monotonic()
    before = freshness.of_sources(path)
    done = notebooks.run(path, on_cell=on_cell)
    noise = notebooks.complaints(done.notebook)
    if noise:
        cell, text = noise[0]
        source = done.notebook.cells[cell].source
        raise notebooks.NotebookFailed(name, cell, source, "it wrote to stderr, which no page may show", text)
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    (new / "out").mkdir(parents=True)
    nbformat.write(done.notebook, new / "out" / "executed.ipynb")
    inputs = freshness.inputs(path, done.modules, done.queries, data.Answers())
    moved = freshness.changed(before, freshness.of_sources(path))
    if moved:
        raise BookError(f"{moved[0]} changed while {name} ran; build again")
    record = {
        "modules": done.modules,
        "queries": done.queries,
        "inputs": inputs,
        "out": freshness.of_folder(new / "out"),
        "seconds": round(time.monotonic() - started, 2),
    }
    (new / "record.json").write_text(json.dumps(record, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    board.finished(name, len(done.notebook.cells), record["seconds"])


def published(names, runs):
    """Id to what is published of it, of the figures of all notebooks; an id that two notebooks use is an error."""
    found, where = {}, {}
    for name in names:
        for one, figure in publishing.published(runs / name / "out" / "executed.ipynb", name).items():
            if one in found:
                raise BookError(f"figure id '{one}' is in {where[one]} and in {name}; rename one of the two")
            found[one], where[one] = figure, name
    return found


def main(arguments=None):
    """Build the book of a repository."""
    parser = argparse.ArgumentParser("python -m tokenecon_book.build.book", description="Build the site into _build/html.")
    parser.add_argument("--root", type=Path, default=data.PACKAGE.parent, help="repository (default: this one)")
    parser.add_argument("--build-dir", type=Path, help="where to build (default: ROOT/_build)")
    parser.add_argument("--jobs", type=int, help="notebooks at once (default: the cores there are)")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    try:
        build(root, (options.build_dir or root / "_build").resolve(), options.jobs)
    except BadInput as error:
        progress.error(str(error))
        return 2
    except BookError as error:
        progress.error(str(error))
        return 1
    except KeyboardInterrupt:
        progress.error("interrupted; the last good site is left as it was")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

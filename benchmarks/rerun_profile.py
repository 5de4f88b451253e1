"""`make bench`: an empty notebook by `tokenecon run` beside plain papermill, and where the time of the former goes."""

import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import nbformat

RATIO = 1.0  # of processor time: ours does more than papermill, and leaves out what no notebook needs
TIMES = 5  # the least of so many, on a machine that does other things too
DECLARED = "batch = 32  # sequence: requests decoded together"


def empty(path):
    """A notebook with a title and its parameters."""
    cells = [nbformat.v4.new_markdown_cell("# Empty", id="title"),
             nbformat.v4.new_code_cell(DECLARED, id="parameters", metadata={"tags": ["parameters"]})]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def used():
    """Seconds of the clock and of the processor up to now, with ended children."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in spent)


def command(*words):
    """Seconds of the clock and of the processor of a whole command, the least of several runs."""
    runs = []
    for _ in range(TIMES):
        started = used()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        runs.append([end - start for start, end in zip(started, used(), strict=True)])
    return [min(column) for column in zip(*runs, strict=True)]


def steps(path, folder):
    """What `tokenecon run` does, step by step, in this process: name and seconds of each."""
    marks = [("", *used())]

    def done(name):
        marks.append((name, *used()))

    from tokenecon.cli import application

    application()
    from tokenecon_book.build import notebooks, parameters, rerun

    done("import the command")
    declared = parameters.spec(path)
    parameters.validate(declared, {}, where=path.stem)
    done("read and check the parameters")
    notebooks.skip_grammar()
    import papermill  # noqa: F401

    from tokenecon_book.build import kernel  # noqa: F401

    done("import papermill")
    ran = notebooks.run(path).notebook
    done("start a kernel, run, stop it")
    rerun.write(ran, "empty", "empty", declared, {one.name: one.default for one in declared.values()}, folder)
    done("write notebook and page")
    return [(name, wall - before[1], cpu - before[2]) for before, (name, wall, cpu) in pairwise(marks)]


def line(name, wall, cpu, note=""):
    """One row of the table."""
    print(f"{name:<34} {wall:>8.2f} s    {cpu:.2f} s of the processor {note}".rstrip(), flush=True)


def main():
    """Print the table; called with a notebook and a folder, print the steps of one run."""
    if len(sys.argv) == 3:
        for row in steps(Path(sys.argv[1]), Path(sys.argv[2])):
            line("  " + row[0], *row[1:])
        return
    with tempfile.TemporaryDirectory() as temporary:
        path, programs = Path(temporary) / "empty.ipynb", Path(sys.executable).parent
        empty(path)
        plain = command(programs / "papermill", "--no-progress-bar", "-k", "python3", path, path.with_name("plain.ipynb"))
        ours = command(programs / "tokenecon", "run", path, "-o", path.with_name("out"))
        ratio = ours[1] / plain[1]
        verdict = "ok" if ratio <= RATIO else "MISSED"
        line("empty notebook, papermill", *plain)
        line("empty notebook, tokenecon run", *ours)
        print(f"{'  as many times the processor':<34} {ratio:>8.2f} x    {verdict} (target {RATIO:g} x)")
        subprocess.run([sys.executable, __file__, path, path.with_name("steps")], check=True)


if __name__ == "__main__":
    main()

"""What a build says while it works: a live board on a terminal, plain lines in a log."""

import contextlib
import threading

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text):
    """One line of progress."""
    console.print(escape(text))


def error(text):
    """One line on stderr."""
    errors.print(f"[bold red]error:[/] {escape(text)}")


def failure(name, problem):
    """What a reader needs to repair a failing notebook: the cell, its source, the error."""
    if not hasattr(problem, "traceback"):
        error(f"{name}: {type(problem).__name__}: {problem}")
        return
    errors.rule(f"[bold red]{escape(name)}, cell {problem.cell}")
    errors.print(escape(problem.source.rstrip()))
    errors.rule("traceback", style="dim")
    errors.print(escape(problem.traceback.rstrip()))
    errors.rule(style="dim")
    error(f"{name}, cell {problem.cell}: {problem.error}")


@contextlib.contextmanager
def board(names):
    """A board of running notebooks: name, cell, seconds."""
    if not console.is_terminal:
        yield Lines()
        return
    columns = TextColumn("{task.description:<16}"), BarColumn(), TextColumn("{task.fields[cell]:>12}")
    with Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        yield Bars(bars, names)


class Bars:
    """The live board."""

    def __init__(self, bars, names):
        self.bars = bars
        self.tasks = {name: bars.add_task(name, start=False, total=None, cell="waiting") for name in names}

    def starts(self, name):
        """Say that a notebook begins, its kernel first."""
        self.bars.start_task(self.tasks[name])
        self.bars.update(self.tasks[name], cell="starting")

    def cell(self, name, done, total):
        """Say that a cell begins."""
        where = f"cell {min(done + 1, total)}/{total}"
        self.bars.update(self.tasks[name], completed=done, total=total, cell=where)

    def finished(self, name, cells, seconds):
        """Say that a notebook is done."""
        self.bars.update(self.tasks[name], completed=cells, total=cells, cell=f"{cells} cells")
        self.bars.stop_task(self.tasks[name])


class Lines:
    """The same as lines of a log, one a notebook."""

    def __init__(self):
        self.lock = threading.Lock()

    def starts(self, name):
        """A log tells what is done, not what begins."""

    def cell(self, name, done, total):
        """Nor does it follow cells."""

    def finished(self, name, cells, seconds):
        """Say that a notebook is done."""
        with self.lock:
            say(f"{name}: {cells} cells, {seconds:.1f} s")

"""How far a sweep is: a bar on a terminal, a line for each tenth in a log."""

import contextlib
import sys
import time


@contextlib.contextmanager
def shown(wanted=True):
    """A function of (done, all) that shows it on stderr, or one that does nothing."""
    if not wanted:
        yield lambda *_: None
        return
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    words = TextColumn("{task.completed:,.0f} of {task.total:,.0f} cases")
    with Progress(BarColumn(), words, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None, start=True)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _lines():
    started, said = time.monotonic(), [None]

    def tell(done, total):
        tenth = 10 * done // total
        if said[0] not in (None, tenth):
            print(f"{done:,} of {total:,} cases, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        said[0] = tenth

    return tell

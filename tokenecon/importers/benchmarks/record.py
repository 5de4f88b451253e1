"""One record of a benchmark's result file: values looked up by name, checked, or refused in a sentence that says where."""

import datetime
import math
import re

from tokenecon.errors import BadInput, quoted

MOST = 1e15  # of any number of a run: beyond it nothing real is meant
STAMP = re.compile(r"(20\d\d)-?(\d\d)-?(\d\d)(?:\D|$)", re.ASCII)
SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MS_PER_S = 1e3
A_ZONE = datetime.timedelta(days=1)  # that a machine in another zone may be ahead


class BadBenchmark(BadInput):
    """A result file of a benchmark that cannot be used; the sentence names file, place and field."""


class Record:
    """A mapping of a result file; ``place`` says where in it (``line 3``), ``at`` are the names that lead to it."""

    def __init__(self, file, place, tree):
        self.file, self.place, self.tree = file, place, tree

    def refuse(self, words):
        """Give up on the record."""
        raise BadBenchmark(f"benchmark '{self.file}'{f', {self.place}' if self.place else ''}: {words}")

    def get(self, *names):
        """The first value that is there, of names with a dot between their levels; None where there is none."""
        for name in names:
            found = self.tree
            for key in name.split("."):
                found = found.get(key) if isinstance(found, dict) else None
            if found is not None:
                return found
        return None

    def has(self, *names):
        """Whether all of the names are there, be it without a value."""
        return isinstance(self.tree, dict) and all(name in self.tree for name in names)

    def number(self, *names, needed=True, least=0.0, above=True):
        """A finite number above (or from) ``least``, or None where it is not needed and not there."""
        value = self.get(*names)
        if value is None:
            return self.refuse(f"{' or '.join(names)} is missing, and a run cannot be read without it") if needed else None
        try:
            found = math.nan if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
        except (ValueError, OverflowError):
            found = math.nan
        if not (least < found <= MOST or (found == least and not above)):
            self.refuse(f"{names[0]} is {quoted(value)}, but must be a number {'above' if above else 'of at least'} {least:g}")
        return found

    def text(self, *names):
        """A text that is not empty, else None; of a list its only one."""
        value = self.get(*names)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        return value.strip() if isinstance(value, str) and value.strip() else None

    def part(self, *names):
        """A record of what stands under a name; an empty one where nothing does."""
        found = self.get(*names)
        return Record(self.file, self.place, found if isinstance(found, dict) else {})

    def rate(self, *names):
        """A rate of requests, None where it is missing, infinite or not set: then nothing but the clients limits the load."""
        value = self.get(*names)
        if value is None or (isinstance(value, str) and value.strip().lower() in ("inf", "infinity", "")) or value == math.inf:
            return None
        return self.number(*names)

    def day(self, *names):
        """The day of a stamp: 20261122-120000, an ISO time, or seconds since 1970; None where there is none."""
        value, day, today = self.get(*names), None, datetime.date.today()
        try:
            if isinstance(value, str) and (found := STAMP.match(value.strip())):
                day = datetime.date(*map(int, found.groups()))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                day = datetime.datetime.fromtimestamp(value, datetime.UTC).date()
        except (ValueError, OverflowError, OSError):
            return self.refuse(f"{names[0]} is {quoted(value)}, which is no day")
        if day and day > today + A_ZONE:
            return self.refuse(f"{names[0]} is {quoted(value)}, which is after today, {today}")
        return min(day, today).isoformat() if day else None

    def ms(self, *names, unit="ms", needed=False):
        """A time in milliseconds, stated in ``unit``."""
        found = self.number(*names, needed=needed, above=False)
        if unit not in SECONDS:
            self.refuse(f"{names[0]} is in {quoted(unit)}, but must be in one of {', '.join(SECONDS)}")
        return None if found is None else found * SECONDS[unit] * MS_PER_S


def run(record, **found):
    """What one run measured, by the names of ``data/measurements.csv``; what the file does not say is None.

    Beside those columns: ``request_rate``, requests a second that were sent, ``requests_per_s`` that were answered,
    ``notes``, sentences for the row.
    """
    blank = dict.fromkeys(("model", "gpu", "n_gpus", "engine", "version", "weights", "kv", "parallelism", "isl", "osl",
                           "concurrency", "requests", "request_rate", "requests_per_s", "output_tok_s", "total_tok_s",
                           "ttft_ms", "tpot_ms", "as_of"))
    return blank | {"record": record, "offline": False, "flag": "", "notes": []} | found

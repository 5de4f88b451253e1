"""What is asked of ``data/`` while a result is made: each query recorded, so that sources and freshness follow by themselves.

A query names a table, which of its rows, and what of them.  :mod:`tokenecon.data` asks and answers; this module only keeps
the record.  The outermost recording is that of the whole process.
"""

import contextlib
import functools
from collections import namedtuple

# where: pairs of a column with "=", "!=", "<=" or ">=" at its end, and a text or a tuple of texts of which one must match;
# want: "" for whole rows, "*" for rows to choose from, of which the chosen are cited by another query, "max COLUMN" or
# "min COLUMN" for an extreme text, or names of columns for their distinct combinations
Query = namedtuple("Query", "table where want")

_recordings = [{}]
_forgetting = []  # what empties the memory of each function that remembers what ``data/`` said


def ask(*queries):
    """Put queries on every record that is open."""
    for record in _recordings:
        record.update(dict.fromkeys(queries))


@contextlib.contextmanager
def recording():
    """A dict whose keys are the queries made inside, in order of first use."""
    record = {}
    _recordings.append(record)
    try:
        yield record
    finally:
        _recordings.pop()


def made():
    """The queries of this process so far, in order of first use."""
    return tuple(_recordings[0])


def kept(function):
    """:func:`functools.cache`, until :func:`forget`: for what reads ``data/`` and puts nothing on record."""
    found = functools.cache(function)
    _forgetting.append(found.cache_clear)
    return found


def forget():
    """Empty the memory of all that is :func:`kept` or :func:`remembered`: other facts hold from here on."""
    for clear in _forgetting:
        clear()


def remembered(function):
    """:func:`functools.cache` for what asks of ``data/``: an answer from memory is put on record like a new one."""
    known = {}

    @functools.wraps(function)
    def wrapper(*args, **named):
        key = (args, tuple(sorted(named.items())))
        if key in known:
            result, asked = known[key]
            for record in _recordings:
                record.update(asked)
            return result
        with recording() as asked:
            result = function(*args, **named)
        known[key] = result, asked
        return result

    wrapper.cache_clear = known.clear
    _forgetting.append(known.clear)
    return wrapper

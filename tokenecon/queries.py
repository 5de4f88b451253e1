"""What is asked of ``data/`` while a result is made: each query recorded, so that sources and freshness follow by themselves.

A query names a table, which of its rows, and what of them.  :mod:`tokenecon.data` asks and answers; this module only keeps
the record.  The outermost recording is that of the whole process.
"""

import contextlib
import functools
from collections import namedtuple

from tokenecon.errors import BadInput

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


def kept(function, of=lambda *_: None):
    """:func:`functools.cache`, until :func:`forget`: for what reads ``data/`` and puts nothing on record.

    ``of`` gives for the arguments the one table that the result is of, where it is of no more.
    """
    known = {}

    @functools.wraps(function)
    def wrapper(*args):
        if args not in known:
            known[args] = function(*args)
        return known[args]

    def clear(new):
        for args in list(known):
            if not new or of(*args) is None or of(*args) in new:
                del known[args]

    _forgetting.append(clear)
    return wrapper


def forget(new=None):
    """Empty the memory of all that is :func:`kept` or :func:`remembered`: other facts hold from here on.

    Of rows that are new, ``{table: id}``, only what one of them may change is forgotten.
    """
    for clear in _forgetting:
        clear(new or {})


def _answers_with(query, new):
    """Whether one of the new rows may be among the answers of a query."""
    if query.table not in new:
        return False
    by_id = dict(query.where).get("id=")
    return by_id is None or new[query.table] in ((by_id,) if isinstance(by_id, str) else by_id)


def remembered(function):
    """:func:`functools.cache` for what asks of ``data/``: an answer or refusal from memory is put on record like a new one."""
    known = {}

    @functools.wraps(function)
    def wrapper(*args, **named):
        key = (args, tuple(sorted(named.items())))
        if key not in known:
            with recording() as asked:
                try:
                    known[key] = function(*args, **named), None, asked
                except BadInput as refusal:
                    known[key] = None, refusal, asked
        result, refusal, asked = known[key]
        for record in _recordings:
            record.update(asked)
        if refusal is not None:
            raise refusal.with_traceback(None)
        return result

    def clear(new):
        for key in [key for key, (*_, asked) in known.items() if not new or any(_answers_with(one, new) for one in asked)]:
            del known[key]

    _forgetting.append(clear)
    return wrapper

"""``tokenecon estimate`` on files: a table of cases in, the same table with results out, a part at a time."""

import contextlib
import sys
from pathlib import Path

import pandas as pd

from tokenecon.errors import BadCases, BadInput
from tokenecon.serving import cases as case_table
from tokenecon.serving.estimate import estimate

ROWS = 200_000  # of a CSV file at once
FORMATS = (".csv", ".parquet")


def run(cases, out):
    """Estimate a file (or ``-``, standard input) into another (or ``-``, standard output).

    Returns how many rows there were and how many have an error.
    """
    _format(cases), _format(out)
    rows = wrong = 0
    with _writer(out) as write:
        for part in _parts(cases):
            try:
                result = estimate(part)
            except BadCases as error:
                raise BadInput(f"file '{cases}': {error}") from error
            rows, wrong = rows + len(result), wrong + int((result["error"] != "").sum())
            write(result)
    return rows, wrong


def _format(name):
    if name != "-" and Path(name).suffix not in FORMATS:
        raise BadInput(f"file '{name}' is of no known kind; give a name that ends in {' or '.join(FORMATS)}, or -")
    return Path(name).suffix


def _parts(name):
    try:
        if _format(name) == ".parquet":
            yield _parquet(lambda: pd.read_parquet(name))
            return
        texts = dict.fromkeys(("model", "gpu", "draft_model", *case_table.TEXTS), str)
        with pd.read_csv(sys.stdin if name == "-" else name, chunksize=ROWS, dtype=texts, keep_default_na=False,
                         na_values=[""]) as parts:
            yield from parts
    except OSError as error:
        raise BadInput(f"file '{name}' cannot be read: {error.strerror or error}") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise BadInput(f"file '{name}' is not a table of cases: {error}") from error


@contextlib.contextmanager
def _writer(name):
    if _format(name) == ".parquet":
        parts = []
        yield parts.append
        _parquet(lambda: pd.concat(parts, ignore_index=True).to_parquet(name, index=False))
        return
    first = True

    def write(part):
        nonlocal first
        part.to_csv(stream, index=False, header=first, float_format="%.6g", lineterminator="\n")
        first = False

    with contextlib.ExitStack() as stack:
        try:
            stream = sys.stdout if name == "-" else stack.enter_context(open(name, "w", encoding="utf-8", newline=""))
        except OSError as error:
            raise BadInput(f"file '{name}' cannot be written: {error.strerror or error}") from error
        yield write


def _parquet(work):
    try:
        return work()
    except ImportError as error:
        raise BadInput("a .parquet file needs the package pyarrow: `pip install pyarrow`, or use .csv") from error


def columns_help():
    """The columns with defaults and meanings, for ``--help``."""
    lines = ["`model` id of `tokenecon list models`, or the path of a config.json", "`gpu` id of `tokenecon list gpus`"]
    texts = {"weights": "default bf16", "kv": "default fp8 with 8-bit and nvfp4 weights, else bf16",
             "load": "default closed_loop where concurrency is given, else offline", "engine": "default any"}
    lines += [f"`{name}` {' '.join(allowed)}; {texts[name]}" for name, allowed in case_table.TEXTS.items()]
    for name, (default, allowed, meaning) in case_table.NUMBERS.items():
        stated = "needed" if default is None else f"default {default:g}" if default == default and default < 1e9 else ""
        lines.append(f"`{name}` {meaning} ({'; '.join(one for one in (allowed, stated) if one)})")
    lines.append("`draft_model` id of the model that drafts; blank = heads of the model itself")
    return lines

"""``tokenecon estimate`` on files: a table of cases in, the same table with results out, a part at a time."""

import contextlib
import csv
import re
import sys
from pathlib import Path

import pandas as pd

from tokenecon import files
from tokenecon.errors import BadCases, BadInput
from tokenecon.importers import own_model
from tokenecon.serving import checks
from tokenecon.serving.estimate import estimate

ROWS = 200_000  # of a file at once
FORMATS = (".csv", ".parquet")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # that programs write in place of the comma
TOO_MANY = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
HEADER = 1  # lines of it
MODELS = ("model", "draft_model")  # columns that may name a configuration


def run(cases, out, intervals=True, percentiles=False, keep=None):
    """Estimate a file (or ``-``, standard input) into another (or ``-``, standard output); see :func:`estimate`.

    Returns how many rows there were and how many have an error.  The file at ``out`` is replaced when all is written,
    and stays as it was when anything goes wrong.  ``keep`` is handed each part of the results, too.
    """
    _format(cases), _format(out)
    rows = wrong = 0
    with _writer(out) as write:
        for part in _parts(cases):
            named = [name for name in MODELS if name in part]
            try:
                result = estimate(_found_beside(part, cases), intervals, percentiles)
                result[named] = part[named]
            except BadCases as error:
                raise BadInput(f"file '{cases}': {error}") from error
            rows, wrong = rows + len(result), wrong + int((result["error"] != "").sum())
            write(result)
            if keep is not None:
                keep(result)
    return rows, wrong


def _format(name):
    if name != "-" and Path(name).suffix not in FORMATS:
        raise BadInput(f"file '{name}' is of no known kind; give a name that ends in {' or '.join(FORMATS)}, or -")
    return Path(name).suffix


def _found_beside(part, name):
    """Cases whose configurations are named from where the table lies, where they are there."""
    folder = Path(name).parent if name != "-" else Path()
    found = {column: {model: own_model.beside(model, folder) for model in part[column].dropna().unique()}
             for column in MODELS if column in part}
    return part.assign(**{column: part[column].replace(paths) for column, paths in found.items()})


def _parts(name):
    try:
        if _format(name) == ".parquet":
            yield from _parquet_parts(name)
        elif name == "-":
            yield from _csv_parts(name, sys.stdin)
        else:
            with open(name, encoding="utf-8", newline="") as stream:
                yield from _csv_parts(name, stream)
    except OSError as error:
        raise BadInput(f"file '{name}' cannot be read: {error.strerror or error}; see that it is there") from error


def _csv_parts(name, stream):
    """The rows of a CSV file, whose header is read first: what is wrong there is wrong with every row."""
    try:
        header = [column.removeprefix("\ufeff").strip() for column in next(csv.reader(stream), [])]
        _check_header(name, header)
        texts = dict.fromkeys(("model", "gpu", "draft_model", *checks.TEXTS), str)
        # "round_trip" reads numbers as Python does; the default crashes the whole process on a text such as 1e2147483648
        with pd.read_csv(stream, names=header, chunksize=ROWS, dtype=texts, keep_default_na=False,
                         na_values=[""], low_memory=False, float_precision="round_trip") as parts:
            for part in parts:
                if not isinstance(part.index, pd.RangeIndex):  # pandas takes the surplus fields of the first row for its name
                    raise _too_many(name, HEADER + 1, len(header) + part.index.nlevels, header)
                yield part
    except pd.errors.EmptyDataError:  # a header without rows gives one without rows
        yield pd.DataFrame(columns=header)
    except UnicodeDecodeError as error:
        raise BadInput(f"file '{name}' is not text in UTF-8; save the table as CSV in UTF-8") from error
    except (csv.Error, pd.errors.ParserError) as error:
        if found := TOO_MANY.search(str(error)):
            _, line, fields = map(int, found.groups())
            raise _too_many(name, line + HEADER, fields, header) from error
        raise BadInput(f"file '{name}' is not a table of cases in CSV: {str(error).strip()}") from error


def _too_many(name, line, fields, header):
    return BadInput(f"file '{name}' has {fields} fields in line {line}, but {len(header)} columns; put text that holds a comma "
                    "in quotes, and write a point before decimals")


def _check_header(name, header):
    if not any(header):
        raise BadInput(f"file '{name}' has no columns; its first line names them: {', '.join(checks.REQUIRED)}")
    if twice := [one for one in header if header.count(one) > 1]:
        raise BadInput(f"file '{name}' has two columns '{twice[0]}'; give each column once")
    for mark, word in SEPARATORS.items():
        if len(header) == 1 and mark in header[0]:
            raise BadInput(f"file '{name}' separates its columns by {word}; use commas, with a point before decimals")


def _parquet_parts(name):
    parquet, arrow = _arrow()
    try:
        with parquet.ParquetFile(name) as file:
            stated, rows = file.metadata.num_rows, 0
            if not stated:
                yield file.schema_arrow.remove_metadata().empty_table().to_pandas()
            for part in file.iter_batches(ROWS):
                rows += part.num_rows
                yield part.replace_schema_metadata(None).to_pandas()  # pandas' own notes may be damaged, and nobody needs them
            if rows != stated:
                raise arrow.ArrowInvalid(f"it states {stated} rows and holds {rows}")
    except (arrow.ArrowException, ValueError, TypeError, LookupError) as error:  # a damaged file fails anywhere in the reader
        raise BadInput(f"file '{name}' is not a table in Parquet: {' '.join(str(error).split())}") from error


@contextlib.contextmanager
def _writer(name):
    """A function that writes one part after the other."""
    if name == "-":
        yield _csv_writer(sys.stdout)
        sys.stdout.flush()
    elif _format(name) == ".csv":
        with files.replaced(name) as file:
            yield _csv_writer(file)
    else:
        with files.replaced(name, binary=True) as file, contextlib.ExitStack() as stack:
            yield _parquet_writer(name, file, stack)


def _csv_writer(file):
    first = True

    def write(part):
        nonlocal first
        part.to_csv(file, index=False, header=first, float_format="%.6g", lineterminator="\n")
        first = False

    return write


def _parquet_writer(name, file, stack):
    """The first part says of what kind a column is; blank ones there are taken for text."""
    parquet, arrow = _arrow()
    writer = None

    def write(part):
        nonlocal writer
        try:
            if writer is None:
                kinds = [one.with_type(arrow.string()) if arrow.types.is_null(one.type) else one
                         for one in arrow.Schema.from_pandas(part, preserve_index=False)]
                writer = stack.enter_context(parquet.ParquetWriter(file, arrow.schema(kinds)))
            writer.write_table(arrow.Table.from_pandas(part, schema=writer.schema, preserve_index=False))
        except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
            raise BadInput(f"file '{name}' cannot be written: a column holds values of several kinds "
                           f"({' '.join(map(str, error.args))}); give it one kind, or write .csv") from error

    return write


def _arrow():
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise BadInput("a .parquet file needs the package pyarrow: `pip install pyarrow`, or use .csv") from error
    return parquet, pyarrow


def columns_help():
    """The columns with defaults and meanings, for ``--help``."""
    lines = ["`model` id of `tokenecon list models`, or the path of a config.json", "`gpu` id of `tokenecon list gpus`"]
    texts = {"weights": "default as the model is published",
             "kv": "default as published, else fp8 with 8-bit and nvfp4 weights, bf16 with others",
             "load": "default closed_loop where concurrency is given, else offline",
             "engine": "perhaps with a version, such as `vllm 0.8.5`, of which the first ones are slower; default any, "
                       "which has the memory of vllm; without a version, what it was in the last twelve months measured",
             "release": "year of the engine's release; default any, between those of 2025 and of 2026",
             "tuning": "as the engine is released, or as its maker or a benchmark's submitter sets it up; matters on AMD; "
                       "default stock",
             "exchange": "how experts over several servers get their tokens: behind the computation of the other half of a "
                         "batch, half of it behind, or after it; default hidden"}
    lines += [f"`{name}` {' '.join(allowed)}; {texts[name]}" for name, allowed in checks.TEXTS.items()]
    for name, (default, _, meaning) in checks.NUMBERS.items():
        stated = "needed" if default is None else f"default {default:g}" if default == default and default < 1e9 else ""
        lines.append(f"`{name}` {meaning} ({'; '.join(one for one in (checks.allowed_text(name), stated) if one)})")
    lines.append("`draft_model` id of the model that drafts; blank = heads of the model itself")
    return lines

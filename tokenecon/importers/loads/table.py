"""A reader's load as a table of texts: CSV of any separator, or JSON Lines, read whole in a moment and checked line by line."""

import csv
import json
import re
from pathlib import Path

import pandas as pd

from tokenecon.errors import BadInput
from tokenecon.numbers import of_text

# What a column means -> the names that it goes by, in small letters; the first that a table has is read.
NAMES = {
    "hour": ("hour",),
    "time": ("timestamp", "time", "ts", "start_time_iso", "start_time", "starting_at", "arrival_time", "arrived_at", "created_at",
             "datetime", "date", "timestamp_ms", "time_ms"),
    "end": ("end_time_iso", "end_time", "ending_at"),
    "requests": ("requests", "num_model_requests", "n_requests", "num_requests", "request_count"),
    "rate": ("requests_per_s", "requests_per_second", "req/s", "rps", "qps"),
    "in": ("contexttokens", "request tokens", "input_length", "input_tokens", "prompt_tokens", "context_tokens",
           "n_context_tokens_total", "prompt_length", "num_prefill_tokens"),
    "out": ("generatedtokens", "response tokens", "output_length", "output_tokens", "completion_tokens", "generated_tokens",
            "n_generated_tokens_total", "num_decode_tokens"),
    "cached": ("input_cached_tokens", "cached_tokens", "cache_read_input_tokens", "cached_input_tokens"),
    "blocks": ("hash_ids",),
}  # fmt: skip
PLAIN_TIME, PLAIN_REQUESTS = "timestamp", "requests"  # what a message proposes
WANTED = (f"'hour' (0, 1, 2, …) or '{PLAIN_TIME}' (2026-01-31T14:00, or seconds since 1970) with '{PLAIN_REQUESTS}' (or "
          f"'requests_per_s'), or a row a request with '{PLAIN_TIME}', 'input_tokens' and 'output_tokens'")
SEPARATORS = (",", ";", "\t", "|")
DECIMAL = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+),\d+", re.ASCII)
NOT_TEXT = "is not text in UTF-8; save the table as CSV"
# Numbers of seconds, milliseconds and microseconds since 1970, from 1973 to 5138: what lies below counts from the first request.
EPOCHS = ((1e8, 1e11, 1.0), (1e11, 1e14, 1e-3), (1e14, 1e17, 1e-6))
MOST = 1e15  # of any number


class TrafficError(BadInput):
    """A file of traffic that cannot be used; the message is one sentence with file, line and reason."""


class Table:
    """Texts of the columns that are understood, by what they mean (:data:`NAMES`); ``called`` says how the file names them."""

    def __init__(self, path, called, columns, *, comma=False, first=2):
        self.path, self.called, self.columns, self.comma, self.first = path, called, columns, comma, first

    def __contains__(self, meaning):
        return meaning in self.columns

    def refuse(self, bad, reason):
        """Raise for the first row for which the condition holds."""
        rows = bad.to_numpy().nonzero()[0]
        if len(rows):
            raise TrafficError(f"{self.path}, line {rows[0] + self.first}: {reason(int(rows[0]))}")

    def texts(self, meaning):
        """The column as a message quotes it."""
        return self.columns[meaning]

    def numbers(self, meaning, least=0.0):
        """The column as finite numbers of at least ``least``."""
        texts, name = self.columns[meaning], self.called[meaning]
        numbers = _converted(texts, lambda part: self._plain(part).map(of_text).astype(float))
        self.refuse(~numbers.between(-MOST, MOST), lambda n: f"'{name}' is {quoted(texts.iloc[n])}, not a number")
        self.refuse(numbers < least, lambda n: f"'{name}' is {str(texts.iloc[n]).strip()[:40]}, below {least:g}")
        return numbers

    def _plain(self, texts):
        """Numbers with a decimal comma, where columns are not separated by it, as they are written with a point."""
        texts = texts.astype(str)
        if not self.comma:
            return texts
        with_comma = texts.str.strip().str.fullmatch(DECIMAL)
        return texts.where(~with_comma, texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False))

    def seconds(self, meaning, unit_s=1.0):
        """A time as seconds, and whether they count from 1970; numbers below that count from the first in ``unit_s``."""
        texts = self.columns[meaning]
        numbers = _converted(texts, lambda part: self._plain(part).map(of_text).astype(float))
        if numbers.between(-MOST, MOST).mean() > 0.5:
            numbers = self.numbers(meaning, least=-MOST)
            middle = float(numbers.median())
            scale = next((scale for low, high, scale in EPOCHS if low <= middle < high), None)
            return (numbers * scale, True) if scale else (numbers * unit_s, False)
        times = _converted(texts, lambda part: pd.to_datetime(part, format="ISO8601", utc=True, errors="coerce"))
        name = self.called[meaning]
        self.refuse(times.isna(), lambda n: f"'{name}' is {quoted(texts.iloc[n])}, not a moment like 2026-01-31T14:00")
        return (times - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), True


def understood(names):
    """Meaning to place of the columns of a header; the spelling of :data:`NAMES` that comes first wins."""
    plain = [name.strip().strip('"').lower() for name in names]
    found = {}
    for meaning, spelt in NAMES.items():
        at = next((plain.index(name) for name in spelt if name in plain), None)
        if at is not None:
            found[meaning] = at
    return plain, found


def read_csv(path):
    """The table in a CSV file; quoting is off, so that row n is line n + 2 whatever the fields hold."""
    names, separator, found = _header(path)
    beyond = len(names)  # a column more than the header names: what stands there is one field too many
    try:
        frame = pd.read_csv(path, header=None, names=range(beyond + 1), skiprows=1, dtype=str, quoting=csv.QUOTE_NONE,
                            keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig", sep=separator)
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except pd.errors.ParserError as error:
        said = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", str(error))
        if not said:
            raise TrafficError(f"{path}: cannot be split into lines and fields ({error})") from None
        raise TrafficError(f"{path}, line {said[1]}: {_too_many(said[2], beyond)}") from None
    except UnicodeDecodeError:
        raise TrafficError(f"{path}, line {_undecodable(path)}: {NOT_TEXT}") from None
    rows = len(frame)
    while rows and not any(isinstance(field, str) and field.strip() for field in frame.iloc[rows - 1]):
        rows -= 1  # empty lines at the end of a file mean nothing
    if not rows:
        raise TrafficError(f"{path}: has a header and no row; give requests of at least one hour")
    frame = frame.iloc[:rows]
    table = Table(path, {meaning: names[at] for meaning, at in found.items()},
                  {meaning: frame[at] for meaning, at in found.items()}, comma=separator != ",")
    table.refuse(frame[beyond].notna() & (frame[beyond] != ""), lambda n: _too_many(beyond + 1, beyond))
    return table


def _header(path):
    """Names of the columns, in lower case, their separator, and which are understood."""
    try:
        with path.open("rb") as file:
            first = file.readline().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TrafficError(f"{path}, line 1: {NOT_TEXT}") from None
    if "\0" in first:
        raise TrafficError(f"{path}, line 1: {NOT_TEXT}")
    if not first.strip():
        raise TrafficError(f"{path}: is empty, or begins with an empty line; its first line must name the columns {WANTED}")
    separator = max(SEPARATORS, key=first.count)
    names, found = understood(first.split(separator))
    twice = [names[at] for at in found.values() if names.count(names[at]) > 1]
    if twice:
        raise TrafficError(f"{path}, line 1: names the column '{twice[0]}' twice; keep one")
    good = ("hour" in found and "requests" in found) or ("time" in found and {"requests", "rate", "in", "out"} & set(found))
    if not good:
        said = ", ".join(f"'{name[:40]}'" for name in names[:8])
        raise TrafficError(f"{path}, line 1: the header must name {WANTED}; it names {said}")
    return names, separator, found


def read_lines(path, text):
    """The table in JSON Lines: a request, or a step, a line; of other fields nothing is kept."""
    rows, places = [], []
    for place, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise TrafficError(f"{path}, line {place}: is no object of JSON; give one request a line")
            rows.append(row)
            places.append(place)
    if places != list(range(1, len(rows) + 1)):
        raise TrafficError(f"{path}: has empty lines between its requests; take them out")
    if not rows:
        raise TrafficError(f"{path}: is empty; give requests of at least one hour")
    names, found = understood(map(str, rows[0]))
    if "time" not in found or not {"requests", "rate", "in", "out"} & set(found):
        raise TrafficError(f"{path}, line 1: the fields must name {WANTED}; they are "
                           f"{', '.join(repr(name[:40]) for name in names[:8])}")
    called = {meaning: list(rows[0])[at] for meaning, at in found.items()}
    columns = {meaning: pd.Series([row.get(name) for row in rows], dtype=object) for meaning, name in called.items()}
    return Table(path, called, columns, first=1)


def _too_many(found, named):
    return (f"has {found} fields, the header names {named}; write 1234.5 without separators of thousands, and no comma inside "
            "a field")


def _undecodable(path):
    """The line of the first byte that is not UTF-8."""
    content = path.read_bytes()
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return content[: error.start].count(b"\n") + 1
    raise TrafficError(f"{path}: changed while it was read; try again")


def _converted(texts, convert):
    """Texts converted all at once; those that fail again without quotes around them."""
    values = convert(texts.map(lambda one: one if isinstance(one, str) else str(one)))
    failed = values.isna()
    if failed.any():
        values[failed] = convert(texts[failed].fillna("").astype(str).str.strip().str.strip('"'))
    return values


def quoted(text):
    """A field as the message quotes it: at most 40 characters, and a word where there is none."""
    text = "" if text is None or text != text else str(text).strip()
    return repr(text[:40]) if text else "empty"


def as_path(path):
    """The path of a file that can be opened; a sentence where none can."""
    path = Path(path)
    try:
        if not path.is_file():
            with path.open("rb"):
                pass
            raise TrafficError(f"{path}: cannot be read (it is no file); give the path of a table of your load")
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise TrafficError(f"{path}: cannot be read ({error.strerror}); give the path of a table of your load") from None
    return path

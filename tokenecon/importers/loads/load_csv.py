"""A reader's own load: requests by the hour from a CSV file, read whole in a moment and checked line by line."""

import csv
import re
from pathlib import Path

import pandas as pd

from tokenecon.errors import BadInput
from tokenecon.numbers import of_text

HOUR, TIME, REQUESTS = "hour", "timestamp", "requests"
WANTED = f"'{HOUR}' (0, 1, 2, …) or '{TIME}' (2026-01-31T14:00), and '{REQUESTS}'"
ONE_HOUR = pd.Timedelta(hours=1)
FIRST_LINE = 2  # line 1 is the header
NOT_TEXT = "is not text in UTF-8; save the table as CSV"


class TrafficError(BadInput):
    """A file of traffic that cannot be used; the message is one sentence with file, line and reason."""


def read(path):
    """Requests of each hour as a DataFrame: ``hour`` from 0, ``requests_per_h``.

    The file is a CSV with a header: ``hour`` (whole numbers) or ``timestamp`` (ISO, one an hour; UTC, so that no clock
    change makes a gap), and ``requests``.  Other columns are ignored.  Every line is checked; a wrong one is named.
    """
    path = Path(path)
    names = _header(path)
    key = HOUR if HOUR in names else TIME
    lines = _lines(path, names)
    hours, step = (_numbers(path, lines[HOUR], HOUR), 1.0) if key == HOUR else (_times(path, lines[TIME]), ONE_HOUR)
    if key == HOUR:
        _refuse(path, hours != hours.round(), lambda n: f"'{HOUR}' is {lines[HOUR][n]}, not a whole number")
    requests = _numbers(path, lines[REQUESTS], REQUESTS)
    _refuse(path, requests < 0, lambda n: f"'{REQUESTS}' is {lines[REQUESTS][n].strip()}, below 0")
    jump = (hours.diff() != step) & (hours.index > 0)
    _refuse(path, jump, lambda n: (f"{key} {lines[key][n].strip()} follows {lines[key][n - 1].strip()}, where the next hour must "
                                   "stand; give hours without requests a row with 0, and sort by time"))
    if not requests.sum() > 0:
        raise TrafficError(f"{path}: no hour of the {len(requests)} has a request, so there is no load to plan for")
    return pd.DataFrame({"hour": range(len(requests)), "requests_per_h": requests.to_numpy()})


def _header(path):
    """Names of the columns, in lower case; refuses what is not a table with the columns that are needed."""
    try:
        with path.open("rb") as file:
            first = file.readline().decode("utf-8-sig")
    except OSError as error:
        raise TrafficError(f"{path}: cannot be read ({error.strerror}); give the path of a CSV file") from None
    except UnicodeDecodeError:
        raise TrafficError(f"{path}, line 1: {NOT_TEXT}") from None
    if "\0" in first:
        raise TrafficError(f"{path}, line 1: {NOT_TEXT}")
    if not first.strip():
        raise TrafficError(f"{path}: is empty, or begins with an empty line; its first line must name the columns {WANTED}")
    names = [name.strip().strip('"').lower() for name in first.split(",")]
    twice = [name for name in (HOUR, TIME, REQUESTS) if names.count(name) > 1]
    if twice:
        raise TrafficError(f"{path}, line 1: names the column '{twice[0]}' twice; keep one")
    if REQUESTS not in names or not {HOUR, TIME} & set(names):
        found = ", ".join(f"'{name[:40]}'" for name in names[:8])
        raise TrafficError(f"{path}, line 1: the header must name {WANTED}, separated by commas; it names {found}")
    return names


def _lines(path, names):
    """The needed columns as texts; quoting is off, so that row n is line n + 2 whatever the fields hold."""
    beyond = len(names)  # a column more than the header names: what stands there is one field too many
    try:
        frame = pd.read_csv(path, header=None, names=range(beyond + 1), skiprows=1, dtype=str, quoting=csv.QUOTE_NONE,
                            keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig")
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except pd.errors.ParserError as error:
        found = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", str(error))
        if not found:
            raise TrafficError(f"{path}: cannot be split into lines and fields ({error})") from None
        raise TrafficError(f"{path}, line {found[1]}: {_too_many(found[2], beyond)}") from None
    except UnicodeDecodeError:
        raise TrafficError(f"{path}, line {_undecodable(path)}: {NOT_TEXT}") from None
    rows = len(frame)
    while rows and not any(isinstance(field, str) and field.strip() for field in frame.iloc[rows - 1]):
        rows -= 1  # empty lines at the end of a file mean nothing
    if not rows:
        raise TrafficError(f"{path}: has a header and no row; give requests of at least one hour")
    frame = frame.iloc[:rows]
    over = frame[beyond].notna() & (frame[beyond] != "")
    _refuse(path, over, lambda n: _too_many(beyond + 1, beyond))
    return {name: frame[place] for place, name in enumerate(names) if name in (HOUR, TIME, REQUESTS)}


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
    values = convert(texts)
    failed = values.isna()
    if failed.any():
        values[failed] = convert(texts[failed].fillna("").str.strip().str.strip('"'))
    return values


def _numbers(path, texts, column):
    numbers = _converted(texts, lambda part: part.map(of_text).astype(float))
    bad = ~numbers.between(-float("inf"), float("inf"), inclusive="neither")
    _refuse(path, bad, lambda n: f"'{column}' is {_quoted(texts[n])}, not a number")
    return numbers


def _times(path, texts):
    times = _converted(texts, lambda part: pd.to_datetime(part, format="ISO8601", utc=True, errors="coerce"))
    _refuse(path, times.isna(), lambda n: f"'{TIME}' is {_quoted(texts[n])}, not a moment like 2026-01-31T14:00")
    return times


def _quoted(text):
    """A field as the message quotes it: at most 40 characters, and a word where there is none."""
    text = text.strip() if isinstance(text, str) else ""
    return repr(text[:40]) if text else "empty"


def _refuse(path, bad, reason):
    """Raise for the first row for which the condition holds."""
    rows = bad.to_numpy().nonzero()[0]
    if len(rows):
        raise TrafficError(f"{path}, line {rows[0] + FIRST_LINE}: {reason(int(rows[0]))}")

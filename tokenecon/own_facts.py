"""A reader's own facts: a folder of CSV files with the columns of ``data/``, read and checked by the same descriptor.

Every refusal is one sentence that names the file, the line, the row, the column, the value, and what is allowed.  Nothing
here writes; :mod:`tokenecon.data` lays the rows over its own.
"""

import csv
import datetime
import functools
import io
import os
import re
from pathlib import Path

from tokenecon import numbers, units
from tokenecon.errors import BadInput, alike, did_you_mean, quoted

TABLES = ("sources", "providers", "gpus", "models", "prices", "api_prices", "assumptions")  # what a folder may hold
OWNER = "your own facts"
PROVIDER = "own"  # who asks a price of which the reader names no seller
LICENCE = "own"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # that programs write in place of the comma
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
WHOLE = re.compile(r"[-+]?\d{1,16}", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
COMMA = re.compile(r"-?\d+,\d+", re.ASCII)
MOST, LEAST = 1e15, 1e-15  # of any number but 0: beyond, sums lose their last digits and nothing real is meant
LARGEST = 20_000_000  # bytes of a file; data/measurements.csv, the longest table, has one
FILLED = ("source", "licence", "locator", "last_seen", "provider")  # a blank one has an answer, see `_filled`
GPU_NEEDS = ("name", "vendor", "kind", "memory", "engine_memory", "bandwidth", "bf16", "link_domain")
GPU_KINDS = ("gpu", "tpu", "asic", "cpu")
SHARE = "fraction"  # unit of what lies between 0 and 1, or where our own row says so above
AT_LEAST_ONE = ("query_heads", "kv_heads", "head_dim",  # of these a model of states alone has none
                "layers", "hidden_size", "vocab", "parameters", "active_parameters")
MODEL_MOST = {"layers": 10_000, "hidden_size": 10_000_000, "vocab": 100_000_000, "query_heads": 100_000, "head_dim": 1_000_000}
UNIT_OF_KIND = {"purchase": "USD/GPU"}
HOUR = "USD/GPU/h"


class BadFacts(BadInput):
    """A folder of facts, or a row in it, that is not allowed."""


def source_id(file):
    """Id of the source that stands for a reader's file.

    >>> source_id("gpus.csv")
    'your-file-gpus.csv'
    """
    return f"your-file-{file}"


def source(file, title, accessed):
    """The source that stands for a reader's file, with what a row of ``sources.csv`` must have."""
    return {"id": source_id(file), "title": f"your file {title}", "publisher": OWNER, "url": "", "published": "",
            "accessed": accessed, "licence": LICENCE, "kind": "notes", "note": ""}


class Folder:
    """The rows of a reader's folder, checked against the descriptor and against the rows that they are laid over.

    ``rows`` maps a table to ``{id: row}``, a row being texts by column; ``lines`` says where each stands.
    """

    def __init__(self, path, descriptor, theirs, gpu_units):
        """``theirs(table)`` gives the rows of ``data/`` by id; ``gpu_units`` the unit that a field of a GPU is read in."""
        self.path, self.theirs, self.gpu_units = Path(path), functools.cache(theirs), gpu_units
        self.tables = {one["name"]: one for one in descriptor["resources"]}
        self.rows, self.lines = {}, {}
        for table, file in _files(self.path).items():
            self._read(table, file)
        self._check_ids()
        for table, check in (("gpus", self._check_gpus), ("models", self._check_models), ("prices", self._check_prices),
                             ("api_prices", self._check_days), ("assumptions", self._check_assumptions)):
            if table in self.rows:
                check(table)
        self._cite()

    def refuse(self, table, row_id, column, allowed):
        """Give up on a value of a row; ``allowed`` follows 'but must be'."""
        row = self.rows[table][row_id]
        raise BadFacts(f"facts '{self.path / table}.csv', line {self.lines[table, row_id]} ({row_id}): {column} is "
                       f"{quoted(row[column] or None)}, but must be {allowed}")

    def merged(self, table):
        """Rows of a table by id, the reader's in place of ours."""
        return self.theirs(table) | self.rows.get(table, {})

    # --- one file ----------------------------------------------------------------------------------

    def _read(self, table, file):
        fields = {field["name"]: field for field in self.tables[table]["schema"]["fields"]}
        self.rows[table] = {}
        for line, texts in _lines(file, fields):
            row = dict.fromkeys(fields, "") | texts
            if table == "gpus" and not row["id"] and row["gpu"] and row["field"]:
                row["id"] = f"{row['gpu']}.{row['field']}"  # it says nothing else
            where = _checked(file, line, row, fields)
            if row["id"] in self.rows[table]:
                raise BadFacts(f"{where}: id is {quoted(row['id'])}, but must be another in each row; line "
                               f"{self.lines[table, row['id']]} has it, too")
            self.rows[table][row["id"]], self.lines[table, row["id"]] = row, line
        self._fill(table)

    def _fill(self, table):
        """What a reader may leave blank: where it is from, under which terms, who asks it, and when it was seen last."""
        rows = self.rows[table].values()
        newest = max((row.get("as_of", "") for row in rows), default="")
        for row_id, row in self.rows[table].items():
            line = self.lines[table, row_id]
            blank = {"licence": LICENCE, "provider": PROVIDER, "last_seen": newest}
            if table != "sources" and not row["source"]:
                blank |= {"source": source_id(f"{table}.csv"), "locator": f"line {line}"}
            for name, value in blank.items():
                if row.get(name) == "":
                    row[name] = value

    # --- rows among each other ---------------------------------------------------------------------

    def _check_ids(self):
        """An id means one row of one table, and what a row points to is there."""
        taken = {row_id: table for table in self.tables if table not in ("measurements", "held_out")
                 for row_id in self.theirs(table)}
        for table, rows in self.rows.items():
            for row_id in rows:
                if taken.setdefault(row_id, table) != table:
                    self.refuse(table, row_id, "id", f"of one table; {taken[row_id]}.csv has a row with it")
        keys = {"source": (set(self.merged("sources")), "sources"),
                "provider": ({*self.merged("providers"), PROVIDER}, "providers"),
                "gpu": ({row["gpu"] for row in self.merged("gpus").values()}, "gpus")}
        for table, rows in self.rows.items():
            pointing = [key["fields"] for key in self.tables[table]["schema"]["foreignKeys"]]
            for row_id, row in rows.items():
                for name in pointing:
                    known, where = keys[name]
                    if row[name] not in known and row[name] != source_id(f"{table}.csv"):
                        self.refuse(table, row_id, name, f"an id of data/{where}.csv or of your {where}.csv"
                                    + did_you_mean(row[name], known))

    def _check_days(self, table):
        for row_id, row in self.rows[table].items():
            if row["last_seen"] < row["as_of"]:
                self.refuse(table, row_id, "last_seen", f"a day from as_of on, {row['as_of']}")

    def _check_range(self, table, row_id, row):
        """Low and high, both or neither, around the value."""
        ends = [row[name] for name in ("low", "high")]
        if any(ends) and not all(ends):
            self.refuse(table, row_id, "low" if not ends[0] else "high", "given, where the other end of the range is")
        if all(ends) and not float(ends[0]) <= float(row["value"]) <= float(ends[1]):
            self.refuse(table, row_id, "value", f"between low and high, {ends[0]} and {ends[1]}")

    def _check_gpus(self, table):
        gpus = {}
        for row in self.merged(table).values():
            gpus.setdefault(row["gpu"], {})[row["field"]] = row
        for row_id, row in self.rows[table].items():
            if row_id != f"{row['gpu']}.{row['field']}":
                self.refuse(table, row_id, "id", f"'{row['gpu']}.{row['field']}', its gpu and its field")
            self._check_fact(table, row_id, row)
        ours = {row["gpu"] for row in self.theirs(table).values()}
        for gpu in dict.fromkeys(row["gpu"] for row in self.rows[table].values()):
            lacking = [] if gpu in ours else [name for name in GPU_NEEDS if name not in gpus[gpu]]
            if lacking:
                raise BadFacts(f"facts '{self.path / table}.csv': gpu '{gpu}' lacks the field{'s' * (len(lacking) > 1)} "
                               f"{', '.join(lacking)}; a new gpu needs a row each of {', '.join(GPU_NEEDS)}")
            for limit in self.tables[table]["limits"]:
                self._check_limit(table, gpus[gpu], limit)

    def _check_fact(self, table, row_id, row):
        """A fact in words has a text, one in numbers a value in a unit of its kind."""
        unit = self.gpu_units[row["field"]]
        if unit == "text":
            known = sorted({one["text"].split()[0] for one in self.theirs(table).values()
                            if one["field"] == row["field"] and one["text"]})
            if row["unit"] != "text":
                self.refuse(table, row_id, "unit", f"text, since {row['field']} is a text")
            if not row["text"]:
                self.refuse(table, row_id, "text", f"the {row['field']} in words")
            if row["field"] == "kind" and row["text"] not in GPU_KINDS:
                self.refuse(table, row_id, "text", f"one of {', '.join(GPU_KINDS)}")
            if row["field"] == "interconnect" and row["text"].split()[0] not in known:
                self.refuse(table, row_id, "text", f"words that begin with one of {', '.join(known)}")
            return
        if not row["value"] or not _alike(row["unit"], unit):
            allowed = [one for one in _enum(self.tables[table], "unit") if _alike(one, unit)]
            self.refuse(table, row_id, "unit" if row["value"] else "value", f"one of {', '.join(allowed)}" if row["value"] else
                        f"a number, the {row['field']}")
        if row["field"] != "measurements" and not float(row["value"]) > 0:
            self.refuse(table, row_id, "value", "above 0; leave a row out where nothing is known")
        self._check_range(table, row_id, row)

    def _check_limit(self, table, facts, limit):
        """What no device has; a limit is on a fact in a unit, or over another fact."""
        first, other = facts.get(limit["field"]), facts.get(limit.get("over"))
        if first is None or first["gpu"] in limit.get("except", ()) or ("over" in limit and other is None):
            return
        size = units.convert(float(first["value"]), first["unit"], limit["unit"] if "unit" in limit else other["unit"])
        size /= float(other["value"]) if "over" in limit else 1.0
        if not limit["minimum"] <= size <= limit["maximum"]:
            mine = next(row for row in (first, other) if row is not None and row["id"] in self.rows[table]) if (
                {first["id"], (other or first)["id"]} & set(self.rows[table])) else None
            if mine is not None:
                self.refuse(table, mine["id"], "value", f"possible: {limit['sentence']}")

    def _check_models(self, table):
        """What would still give a number, and a nonsensical one."""
        for row_id, row in self.rows[table].items():
            def whole(name, row=row):
                return int(float(row[name] or 0))

            headless = whole("state_layers") > 0 == whole("full_layers") + whole("window_layers")
            for name in AT_LEAST_ONE[3 * headless:]:
                if not 1 <= whole(name) <= MODEL_MOST.get(name, MOST):
                    self.refuse(table, row_id, name, f"from 1 to {MODEL_MOST.get(name, MOST):,.0f}")
            for name in ("kv_heads", "global_kv_heads"):
                if whole(name) and whole("query_heads") % whole(name):
                    self.refuse(table, row_id, name, f"a divisor of the {row['query_heads']} query_heads")
            if whole("experts_per_token") > whole("experts"):
                self.refuse(table, row_id, "experts_per_token", f"at most the {whole('experts')} experts")
            if whole("active_parameters") > whole("parameters"):
                self.refuse(table, row_id, "active_parameters", f"at most the {row['parameters']} parameters")
            if (row["kind"] == "moe") != (whole("experts") > 0):
                self.refuse(table, row_id, "experts", "above 0 where kind is moe, and blank elsewhere")
            for names in (("full_layers", "window_layers", "linear_layers"), ("ffn_layers",), ("moe_layers",)):
                none = len(names) > 1 and not sum(map(whole, names)) and not whole("state_layers")
                if none or sum(map(whole, names)) > whole("layers"):
                    self.refuse(table, row_id, names[0], f"so that {' + '.join(names)} are from 1 to the {row['layers']} layers"
                                if len(names) > 1 else f"at most the {row['layers']} layers")

    def _check_prices(self, table):
        self._check_days(table)
        (limit,) = self.tables[table]["limits"]
        peers = {}
        for row in self.merged(table).values():
            peers.setdefault((row["gpu"], row["kind"]), []).append(float(row["value"]))
        for row_id, row in self.rows[table].items():
            unit = UNIT_OF_KIND.get(row["kind"], HOUR)
            if row["unit"] != unit:
                self.refuse(table, row_id, "unit", f"{unit}, since kind is {row['kind']}")
            self._check_range(table, row_id, row)
            if float(row["prepaid_share"] or 0) > 0 and not row["term_months"]:
                self.refuse(table, row_id, "term_months", f"given, since prepaid_share is {row['prepaid_share']} of a term")
            middle = _median(peers[row["gpu"], row["kind"]])
            if not limit["minimum"] <= float(row["value"]) / middle <= limit["maximum"]:
                self.refuse(table, row_id, "value", f"near what its peers ask, {middle:g} {unit}: {limit['sentence']}")

    def _check_assumptions(self, table):
        """Who reads an assumption takes it in the unit that its row has: another one would be read wrongly, without a word."""
        theirs = self.theirs(table)
        for row_id, row in self.rows[table].items():
            if row_id not in theirs:
                near = alike(row_id, theirs, 2)
                self.refuse(table, row_id, "id", "of data/assumptions.csv, since nothing reads another"
                            + (f"; did you mean {' or '.join(map(repr, near))}?" if near else ""))
            if row["unit"] != theirs[row_id]["unit"]:
                self.refuse(table, row_id, "unit", f"{theirs[row_id]['unit']}, as in data/assumptions.csv")
            self._check_range(table, row_id, row)
            ours = {end: float(theirs[row_id][end] or theirs[row_id]["value"]) for end in ("value", "low", "high")}
            for name in ours:
                most = max(1.0, *ours.values())
                if row[name] and row["unit"] == SHARE and not 0 <= float(row[name]) <= most:
                    self.refuse(table, row_id, name, f"from 0 to {most:g} (0.6 means 60%)")
                free = row["unit"].startswith("USD") and name != "low"  # what may cost nothing; from others quotients are made
                if row[name] and ours[name] > 0 and not (float(row[name]) > 0 or (free and float(row[name]) == 0)):
                    self.refuse(table, row_id, name, f"{'at least' if free else 'above'} 0, as ours is")

    def _cite(self):
        """A source for each file, and the seller of prices that name none."""
        files = {}
        for table, rows in self.rows.items():
            if table != "sources" and rows:
                file = f"{table}.csv"
                files[source_id(file)] = source(file, file, max(row["as_of"] for row in rows.values()))
        if any(row["provider"] == PROVIDER for row in self.rows.get("prices", {}).values()):
            newest = max(row["as_of"] for row in self.rows["prices"].values())
            self.rows["providers"] = {PROVIDER: {
                "id": PROVIDER, "name": OWNER, "kind": "platform", "basis": "quoted", "as_of": newest,
                "source": source_id("prices.csv"), "locator": "", "note": ""}} | self.rows.get("providers", {})
        if files:
            self.rows["sources"] = files | self.rows.get("sources", {})


# --- files and values ------------------------------------------------------------------------------


def table(file, fields):
    """Rows of one table that is no folder's, texts by column, each checked by the fields of its descriptor, with their lines."""
    for line, texts in _lines(Path(file), fields):
        row = dict.fromkeys(fields, "") | texts
        _checked(file, line, row, fields)
        yield line, row


def _checked(file, line, row, fields):
    """Refuse a value that its column does not allow; gives back where the row stands, in words."""
    where = f"facts '{file}', line {line}" + (f" ({quoted(row['id'])[1:-1]})" if row["id"] else "")
    for name, field in sorted(fields.items(), key=lambda item: item[0] == "id"):  # it may be made of the others
        may_be_blank = name in FILLED and not (name == "locator" and row.get("source"))
        if (row[name] or not may_be_blank) and (allowed := _allowed(row[name], field)):
            comma = "; write a point before decimals" if COMMA.fullmatch(row[name]) else ""
            near = did_you_mean(row[name], field["constraints"]["enum"]) if _closed(field) else ""
            raise BadFacts(f"{where}: {name} is {quoted(row[name] or None)}, but must be {allowed}{near}{comma}")
    return where


def _files(folder):
    """Table to file of a folder; a name that nobody reads is refused."""
    names = [f"{table}.csv" for table in TABLES]
    try:
        held = sorted(os.listdir(folder))
    except OSError as error:
        raise BadFacts(f"facts '{folder}' is no folder that can be read: {error.strerror or error}; give one with any of "
                       f"{', '.join(names)}") from error
    except ValueError as error:  # a NUL in the name
        raise BadFacts(f"facts '{folder}' is no name of a folder") from error
    tables = [name for name in held if name.lower().endswith(".csv") and not name.startswith((".", "~"))]
    for name in tables:
        if name not in names:
            raise BadFacts(f"facts '{folder}' holds '{name}', which is not read{did_you_mean(name, names)}; files are "
                           f"{', '.join(names)}")
    if not tables:
        raise BadFacts(f"facts '{folder}' holds none of {', '.join(names)}; give each the columns of the file in data/")
    return {name.removesuffix(".csv"): folder / name for name in names if name in tables}


def _lines(file, fields):
    """Number and texts by column of each line of a file."""
    try:
        with open(file, "rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise BadFacts(f"facts '{file}' is larger than {LARGEST:,} bytes")
        text = content.decode("utf-8-sig")  # spreadsheets put a mark before the first column
    except OSError as error:
        raise BadFacts(f"facts '{file}' cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadFacts(f"facts '{file}' is not text in UTF-8; save the table as CSV in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        _check_header(file, header, fields)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise BadFacts(f"facts '{file}', line {reader.line_num}: it has {len(cells)} fields, but must have "
                               f"{len(header)}, one a column; put text that holds a comma in quotes, and write a point before "
                               "decimals")
            yield reader.line_num, dict(zip(header, map(str.strip, cells), strict=True))
    except csv.Error as error:
        raise BadFacts(f"facts '{file}', line {reader.line_num}: it is not CSV: {error}") from error


def _check_header(file, header, fields):
    needed = [name for name, field in fields.items() if _constraint(field, "required") and name not in FILLED]
    if file.name == "gpus.csv":
        needed.remove("id")
    if not any(header):
        raise BadFacts(f"facts '{file}' has no columns; its first line names them: {', '.join(needed)}")
    for mark, word in SEPARATORS.items():
        if len(header) == 1 and mark in header[0]:
            raise BadFacts(f"facts '{file}' separates its columns by {word}; use commas, with a point before decimals")
    for name in header:
        if name not in fields:
            raise BadFacts(f"facts '{file}' has a column {quoted(name)}, which is not read"
                           f"{did_you_mean(name, [one for one in fields if one not in header])}; columns are {', '.join(fields)}")
        if header.count(name) > 1:
            raise BadFacts(f"facts '{file}' has two columns '{name}'; give each column once")
    if missing := [name for name in needed if name not in header]:
        raise BadFacts(f"facts '{file}' lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; needed are "
                       f"{', '.join(needed)}, and others may be left out")


def _constraint(field, name):
    return field.get("constraints", {}).get(name)


def _closed(field):
    return bool(_constraint(field, "enum"))


def _enum(table, column):
    return next(field["constraints"]["enum"] for field in table["schema"]["fields"] if field["name"] == column)


def _allowed(text, field):
    """What a value of a column may be, in words, or nothing where this one is."""
    if text == "":
        return (_words(field) + ": it is needed") if _constraint(field, "required") else ""
    if not text.isprintable():
        return "text that can be printed"
    if field["type"] in ("number", "integer"):
        return "" if _is_number(text, field) else _words(field)
    if field["type"] == "date":
        return "" if _is_day(text) else _words(field)
    if _closed(field):
        return "" if text in field["constraints"]["enum"] else _words(field)
    pattern = _constraint(field, "pattern")
    return "" if len(text) <= 1000 and (not pattern or re.fullmatch(pattern, text, re.ASCII)) else _words(field)


def _words(field):
    """What a column allows."""
    low, high = _constraint(field, "minimum"), _constraint(field, "maximum")
    if field["type"] in ("number", "integer"):
        whole = "a whole number" if field["type"] == "integer" else "a number"
        return whole + (f" of at least {low:g}" if low is not None else "") + f" and at most {MOST if high is None else high:g}"
    if field["type"] == "date":
        return f"a date like 2026-07-31, not after today, {datetime.date.today().isoformat()}"
    if _closed(field):
        allowed = field["constraints"]["enum"]
        return f"one of {', '.join(allowed)}" if len(allowed) <= 20 else "of the closed list in data/datapackage.json"
    if pattern := _constraint(field, "pattern"):
        return "small letters, digits and hyphens" + (", dots and underscores" if "_" in pattern else "")
    return "a text of at most 1000 characters"


def _is_number(text, field):
    if not (WHOLE if field["type"] == "integer" else NUMBER).fullmatch(text):
        return False
    value, low, high = numbers.of_text(text), _constraint(field, "minimum"), _constraint(field, "maximum")
    return (value == 0 or LEAST <= abs(value) <= MOST) and (low is None or value >= low) and (high is None or value <= high)


def _is_day(text):
    try:
        return bool(DAY.fullmatch(text)) and "1900-01-01" <= text <= datetime.date.today().isoformat() and bool(
            datetime.date.fromisoformat(text))
    except ValueError:
        return False


def _alike(unit, other):
    """Whether a value in one unit can be given in the other."""
    return "text" not in (unit, other) and units.dimensions(unit) == units.dimensions(other)


def _median(values):
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2

"""The only reader of ``data/``: tables, facts, sources.

Every table is a CSV file described in ``data/datapackage.json``.  A missing number reads as NaN, a missing text as the
empty string, and a date stays an ISO text (``2025-12-08``), which sorts as it should.  Facts keep the unit of their row;
only :func:`gpus` converts, to SI, and says so in its column names.

What is asked here is put on record as a query (:mod:`tokenecon.queries`): a result has the sources of the rows that it
asked for, and goes stale when one of its queries answers differently.  So ask for what is needed, by id or by filter.

A reader's own facts lie in a folder of such files.  :func:`use` lays them over ours for the rest of the process, and all that
is asked here is answered with them.
"""

import csv
import hashlib
import io
import json
import operator
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tokenecon import own_facts, queries, units
from tokenecon.errors import UnknownId
from tokenecon.queries import Query, ask, kept

PACKAGE = Path(__file__).resolve().parent


def shipped(name):
    """A folder of the repository that the program reads: inside the package where a wheel was installed, else in the clone."""
    inside = PACKAGE / "shipped" / name
    return inside if inside.exists() else PACKAGE.parent / name


ROOT = shipped("data")

# Tables in the order in which `show` looks an id up.
TABLES = ("gpus", "models", "precisions", "assumptions", "prices", "api_prices", "api_terms", "optimisations", "claims",
          "providers", "measurements", "capacity", "wide_ep", "traces", "traffic", "request_lengths", "traffic_pooling",
          "quantities", "corrections", "sources")  # fmt: skip

# field in gpus.csv -> (column of the wide view, unit the column is in)
GPU_COLUMNS = {
    **{field: (field, "text") for field in ("name", "vendor", "kind", "release")},
    "memory": ("memory_bytes", "B"),
    "engine_memory": ("engine_memory_bytes", "B"),
    "host_memory": ("host_memory_bytes", "B"),
    "bandwidth": ("bandwidth_bytes_per_s", "B/s"),
    "bf16": ("bf16_flop_per_s", "FLOP/s"),
    "fp8": ("fp8_flop_per_s", "FLOP/s"),
    "fp4": ("fp4_flop_per_s", "FLOP/s"),
    "int8": ("int8_flop_per_s", "FLOP/s"),
    "board_power": ("board_power_w", "W"),
    "all_in_power": ("all_in_power_w", "W"),
    "link_bandwidth": ("link_bytes_per_s", "B/s"),
    "link_domain": ("link_domain_gpus", "GPU"),
    "pcie_bandwidth": ("pcie_bytes_per_s", "B/s"),
    "server_gpus": ("server_gpus", "GPU"),
    "interconnect": ("interconnect", "text"),
    "measurements": ("measurements", "count"),
}

COMPARE = {"<=": operator.le, ">=": operator.ge, "!=": operator.ne}
OPERATORS = (*COMPARE, "=")
# Tables whose rows name no source: where they are from.
UNSOURCED = {"calibration": "own-arithmetic", "held_out": "own-arithmetic"}
FEW = 12  # ids that a list names
LINES = {"uk_line": "doc-uk", "th_line": "doc-th"}  # column of the claims -> the document whose line it names

_own = {"folder": None, "rows": {}}  # of the folder that :func:`use` was given: table -> {id: row of texts}
_described = {"models": {}, "sources": {}}  # of configurations that were named in place of a model's id
_calibrated = {"calibration": {}, "sources": {}, "path": None}  # coefficients of a reader, see :func:`calibrate`


def use(folder: "str | os.PathLike[str] | None" = None) -> "dict[str, tuple[str, ...]]":
    """Lay a reader's facts over those of ``data/`` for the rest of the process, or with None take them off again.

    The rows of a folder (see :mod:`tokenecon.own_facts`) join ours; one with the id of a row of ours takes its place.  What
    was remembered of the facts before is forgotten.  Gives back ``{table: ids}`` of the reader's rows; :class:`BadInput` says
    what is wrong with a folder, and then the facts are what they were.  A case that names a configuration is read anew after it.
    """
    if folder is None and _own["folder"] is None and not _described["models"]:
        return {}
    rows = {}
    if folder is not None:
        fields = {field: unit for field, (_, unit) in GPU_COLUMNS.items()}
        rows = own_facts.Folder(folder, package(), lambda name: {row["id"]: row for row in _texts(ROOT, name)}, fields).rows
    _own.update(folder=None if folder is None else str(Path(folder).absolute()), rows=rows)
    for found in _described.values():
        found.clear()
    queries.forget()
    return {table: tuple(found) for table, found in rows.items()}


def describe_model(row, source_row):
    """Take in a model that no table has: its row as texts, whose id is the path of its file, and the source for that file."""
    both = {"models": row, "sources": source_row}
    if new := {table: one["id"] for table, one in both.items() if _described[table].get(one["id"]) != one}:
        for table, row_id in new.items():
            _described[table][row_id] = both[table]
        queries.forget(new)


def calibrate(rows=(), source_row=None, path=None):
    """Lay coefficients fitted to a reader's measurements over ours for the rest of the process; without rows take them off.

    ``rows`` are of ``calibration``, as texts, ``source_row`` stands for the file that they are from, ``path`` is where it lies.
    """
    if not rows and _calibrated["path"] is None:
        return
    _calibrated["calibration"] = {row["id"]: row for row in rows}
    _calibrated.update(path=path, sources={source_row["id"]: source_row} if source_row else {})
    queries.forget()


def calibration_file():
    """The file of a reader's coefficients, an absolute path, or None."""
    return _calibrated["path"]


def described_model(model_id):
    """The row of a model that :func:`describe_model` took in, as texts: the table of all models is not read for it."""
    ask(Query("models", (("id=", model_id),), ""))
    return dict(_described["models"][model_id])


def _mine(name):
    """The reader's rows of a table by id."""
    return _own["rows"].get(name, {}) | _described.get(name, {}) | _calibrated.get(name, {})


def own_folder():
    """The folder of the reader's facts, an absolute path, or None."""
    return _own["folder"]


def file(name):
    """Where a row of a table stands or would, in words: in ``data/``, or in the folder of the reader's facts."""
    mine = "" if _own["folder"] is None else f" or {Path(_own['folder']) / name}.csv"
    return f"data/{name}.csv{mine}"


def own(name):
    """Ids of the rows of a table that are the reader's."""
    return _mine(name).keys()


def _own_source(name, row):
    """Id of the source that stands for the file of a row of the reader's."""
    told = row.get("source", "")
    return told if told.startswith(own_facts.source_id("")) else own_facts.source_id(f"{name}.csv")


def replaced(name, row_id):
    """The row of ours, as texts, whose place one of the reader's takes; None where it takes no place."""
    return next((row for row in _texts(ROOT, name) if row["id"] == row_id), None) if row_id in own(name) else None


def own_among(asked):
    """The reader's rows that queries answer with: ``{table: ids}``."""
    found = {}
    for query in asked:
        mine = own(query.table)
        for row in _answers().rows(query) if mine else ():
            if row["id"] in mine:
                found.setdefault(query.table, {})[row["id"]] = None
    return {table: tuple(ids) for table, ids in found.items()}


def own_words(asked):
    """The same in words: ``gpus.csv (my-gpu.memory, my-gpu.bandwidth)``; of many rows the first."""
    words = []
    for table, ids in own_among(asked).items():
        rows = [one for one in ids if one not in _described.get(table, ())]
        if table == "calibration":
            words.append(f"{Path(calibration_file()).name} ({len(rows)} coefficient{'s' * (len(rows) > 1)})")
        elif rows and table not in ("sources", "providers"):
            words.append(f"{table}.csv ({', '.join(rows[:FEW])}{f' and {len(rows) - FEW} more' if len(rows) > FEW else ''})")
        words += [one for one in ids if one in _described["models"]]
    return "; ".join(words)


def _texts(root, name):
    """Rows of a file as texts by column."""
    with open(root / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _overlaid(name):
    """The rows of a table as texts, the reader's in the place of ours with the same id, and else after them."""
    mine = _mine(name)
    return [mine.pop(row["id"], row) for row in _texts(ROOT, name)] + list(mine.values())


def _file(name):
    """The file of a table; with facts of the reader's one in memory."""
    if not own(name):
        return ROOT / f"{name}.csv"
    text = io.StringIO()
    writer = csv.DictWriter(text, [field["name"] for field in schema(name)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_overlaid(name))
    return io.StringIO(text.getvalue())


@partial(kept, of=lambda: "")
def package():
    """The descriptor ``data/datapackage.json`` as a dict."""
    return json.loads((ROOT / "datapackage.json").read_text(encoding="utf-8"))


def schema(name):
    """Fields of a table as the descriptor gives them: a list of dicts with name, type, description."""
    tables = {resource["name"]: resource["schema"]["fields"] for resource in package()["resources"]}
    if name not in tables:
        raise UnknownId("table", name, tables, "data/datapackage.json")
    return tables[name]


@partial(kept, of=lambda name: name)
def _load(name):
    import pandas as pd

    fields = schema(name)
    text = [field["name"] for field in fields if field["type"] in ("string", "date")]
    frame = pd.read_csv(
        _file(name), dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=[""],
        true_values=["true"], false_values=["false"],
    )  # fmt: skip
    declared = [field["name"] for field in fields]
    if list(frame.columns) != declared:
        raise ValueError(f"data/{name}.csv has the columns {list(frame.columns)}, "
                         f"data/datapackage.json says {declared}")
    numeric = [field["name"] for field in fields if field["type"] == "number"]
    frame[numeric] = frame[numeric].astype(float)
    frame[text] = frame[text].fillna("")
    return frame


def table(name):
    """A whole table as a typed DataFrame, one row a fact: for pages about the data; analyses ask for :func:`rows`."""
    ask(Query(name, (), ""))
    return _load(name).copy()


def rows(name, where, want=""):
    """The rows of a table that pass a filter, as a typed DataFrame; the caller may change the copy it gets.

    ``where`` maps a column of text or dates, or one with ``<=``, ``>=`` or ``!=`` at its end, to a text; or a column to several
    texts, of which one must match.  With ``want``, names of columns, only their distinct combinations; with "*" rows to
    choose from, which are cited only where :func:`cite` is told.
    """
    query = Query(name, tuple((column if column.endswith(OPERATORS) else f"{column}=", wanted if isinstance(wanted, str)
                               else tuple(dict.fromkeys(wanted))) for column, wanted in where.items()), want)
    ask(query)
    frame = _load(name)
    exact = next((pair for pair in query.where if _one_text(*pair)), None)  # looked up; few rows are left for the others
    places = _places(name, split(exact[0])[0]).get(exact[1], ()) if exact else range(len(frame))
    for condition, wanted in query.where:
        column, compared = split(condition)
        if (condition, wanted) == exact:
            continue
        texts = list(frame[column])
        if compared == "=":
            among = {wanted} if isinstance(wanted, str) else set(wanted)
            places = [place for place in places if texts[place] in among]
        else:
            places = [place for place in places if COMPARE[compared](texts[place], wanted)]
    frame = frame.take(places)
    if want not in ("", "*"):
        return frame[want.split()].drop_duplicates().reset_index(drop=True)
    return frame


def _one_text(condition, wanted):
    """Whether a condition of a query is a column that equals one text."""
    return isinstance(wanted, str) and split(condition)[1] == "="


@partial(kept, of=lambda name, _: name)
def _places(name, column):
    """Places of the rows of a table by the text in a column."""
    return _load(name).groupby(column, sort=False).indices


def split(condition):
    """Column and operator of a condition of a query.

    >>> split("as_of<=")
    ('as_of', '<=')
    """
    compared = next(one for one in OPERATORS if condition.endswith(one))
    return condition.removesuffix(compared), compared


def cite(name, frame):
    """Put rows on record that were chosen from ``rows(name, ..., want="*")``; gives them back."""
    ask(Query(name, (("id=", tuple(frame["id"])),), ""))
    return frame


def extreme(name, column, end="max"):
    """The largest (or with "min" the smallest) text or date in a column of a table."""
    ask(Query(name, (), f"{end} {column}"))
    return str(getattr(_load(name)[column], end)())


def ids(name):
    """The ids of a table, of `gpus` those of the GPUs; not put on record: for checks and messages, not for results."""
    return tuple(_load(name)["gpu" if name == "gpus" else "id"].unique())


class Facts(Mapping):
    """The facts of a GPU by name, and its id; a fact is put on record when it is looked up."""

    def __init__(self, values, table, key, fields):
        self._values, self._table, self._key, self._fields = values, table, key, fields

    def __getitem__(self, name):
        if name in self._fields:
            ask(Query(self._table, (self._key, ("field=", self._fields[name])), ""))
        return self._values[name]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)


@partial(kept, of=lambda name: name)
def _by_id(name):
    """Rows of a table by id, for the look-ups of single facts."""
    return {row["id"]: row for row in _load(name).to_dict("records")}


def row(name, row_id, field="id", where=""):
    """One row of a table as a dict; ``field`` and ``where`` are what an unknown id is called, and where ids are to be seen."""
    known = _by_id(name)
    if row_id not in known:
        raise UnknownId(field, row_id, known, where or f"data/{name}.csv")
    ask(Query(name, (("id=", row_id),), ""))
    return dict(known[row_id])


@partial(kept, of=lambda: "gpus")
def _gpus():
    import pandas as pd

    rows = _load("gpus")
    wide = pd.DataFrame(index=pd.Index(rows["gpu"].unique(), name="gpu"))
    for field, (column, unit) in GPU_COLUMNS.items():
        facts = rows[rows["field"] == field].set_index("gpu")
        if unit == "text":
            wide[column] = facts["text"].reindex(wide.index).fillna("")
        else:
            si = [units.convert(value, given, unit)
                  for value, given in zip(facts["value"], facts["unit"], strict=True)]
            wide[column] = pd.Series(si, index=facts.index, dtype=float).reindex(wide.index)
    return wide


def gpus():
    """All accelerators, one row each, in SI units; index ``gpu``; NaN where no fact is known."""
    ask(Query("gpus", (), ""))
    return _gpus().copy()


def gpu(gpu_id):
    """One accelerator by the names of :func:`gpus`; only the facts that are looked up are put on record."""
    if gpu_id not in _gpu_rows():
        raise UnknownId("gpu", gpu_id, _gpu_rows(), "`tokenecon list gpus`")
    return Facts({"gpu": gpu_id} | _gpu_rows()[gpu_id], "gpus", ("gpu=", gpu_id), GPU_FIELDS)


GPU_FIELDS = {column: field for field, (column, _) in GPU_COLUMNS.items()}
_gpu_rows = kept(lambda: _gpus().to_dict("index"), of=lambda: "gpus")


def models():
    """All models, one row each; index ``id``."""
    return table("models").set_index("id")


def model(model_id):
    """One model as a dict, by its id or by one of its aliases."""
    known = _by_id("models")
    named = [model_id] if model_id in known else [one for one, other in known.items() if model_id in other["aliases"].split()]
    if not named:
        raise UnknownId("model", model_id, known, "`tokenecon list models`, or the path of a config.json")
    return row("models", named[0])


def precision(precision_id):
    """One number format as a dict."""
    return row("precisions", precision_id, "precision")


def assumption(assumption_id):
    """One assumption as a dict: value, unit, low, high, basis, source …"""
    return row("assumptions", assumption_id, "assumption")


def value(assumption_id):
    """The value of an assumption, in the unit of its row."""
    return float(assumption(assumption_id)["value"])


def span(assumption_id):
    """Low, value and high of an assumption; low and high equal the value where the row has no range."""
    found = assumption(assumption_id)
    low, middle, high = (float(found[end]) for end in ("low", "value", "high"))
    return (middle if low != low else low, middle, middle if high != high else high)


def claim(claim_id):
    """One claim of the two documents as a dict."""
    return row("claims", claim_id, "claim", "`tokenecon list claims`")


def source(source_id):
    """One source as a dict: title, publisher, address, dates, licence."""
    return row("sources", source_id, "source")


def show(any_id):
    """Any fact, claim, price, model, GPU or source with its provenance.

    Returns a dict: ``table``, ``id``, ``rows`` (dicts; several for a GPU) and ``sources`` (dicts, in the order of first use).
    """
    known = []
    for name in TABLES:
        frame = _load(name)
        hit = frame[frame["id"] == any_id]
        if name == "gpus" and hit.empty:
            hit = frame[frame["gpu"] == any_id]
        if not hit.empty:
            mine = [_own_source(name, one) for one in hit.to_dict("records") if one["id"] in own(name) and name != "sources"]
            cited = dict.fromkeys([*mine, *hit.get("source", ())])
            return {"table": name, "id": any_id, "rows": hit.to_dict("records"),
                    "sources": [source(cite) for cite in cited if cite]}
        known += list(frame["id"]) + (list(frame["gpu"].unique()) if name == "gpus" else [])
    raise UnknownId("id", any_id, known, "the tables in data/")


# --- answers -----------------------------------------------------------------------------------


class Answers:
    """What queries answer by the files of a folder as they are now: hashes for freshness, sources for citing.

    Reads the text of the files once and no numbers, so that a build knows what is stale before it loads anything.  Without a
    folder they are those in use, the reader's own among them.
    """

    def __init__(self, root=None):
        self.root, self._in_use = root or ROOT, root is None
        self._tables, self._indexes, self._hashes, self._sources = {}, {}, {}, {}
        self._descriptor = json.loads((self.root / "datapackage.json").read_text(encoding="utf-8"))
        self._kinds = {one["name"]: [[field["name"], field["type"]] for field in one["schema"]["fields"]]
                       for one in self._descriptor["resources"]}

    def hash(self, query):
        """A hash of the answer and of the kinds of its columns; of a file that is no table, of all of it."""
        if query not in self._hashes:
            file = self.root.parent / query.table
            content = file.read_text(encoding="utf-8") if "/" in query.table and file.exists() else json.dumps(
                [self._kinds.get(query.table), self.answer(query)], ensure_ascii=False)
            self._hashes[query] = hashlib.sha256(content.encode()).hexdigest()[:20]
        return self._hashes[query]

    def answer(self, query):
        """The rows as dicts, the distinct combinations, or the largest value, all as text."""
        if query.table not in self._kinds:
            return "gone"
        found = self._matching(query)
        end, _, column = query.want.partition(" ")
        if end in ("min", "max"):
            return {"min": min, "max": max}[end]((row.get(column, "") for row in found), default="")
        if query.want not in ("", "*"):
            return sorted({tuple(row.get(column, "") for column in query.want.split()) for row in found})
        return found

    def sources(self, queries):
        """Ids of the sources of all rows that queries answer with, in order of first use."""
        found = {}
        for query in queries:
            if query.want or query.table == "sources" or query.table not in self._kinds:
                continue
            if query not in self._sources:
                self._sources[query] = dict.fromkeys(self._cited(query))
            found.update(self._sources[query])
        return tuple(one for one in found if one)

    def _cited(self, query):
        """Sources of the rows that a query answers with, row by row."""
        if query.table in UNSOURCED:
            yield UNSOURCED[query.table]
        mine = own(query.table) if self._in_use else ()
        for row in self._matching(query):
            if row["id"] in mine:
                yield _own_source(query.table, row)
            if "source" in row:
                yield row["source"]
            else:
                yield from (document for column, document in LINES.items() if row.get(column))

    def rows(self, query):
        """The rows that a query answers with, where it asks for rows and not what to choose from."""
        return () if query.want or query.table not in self._kinds else self._matching(query)

    def _matching(self, query):
        conditions = [(*split(condition), wanted) for condition, wanted in query.where]
        exact = next(((column, wanted) for column, compared, wanted in conditions if compared == "="), None)
        found = self._table(query.table) if exact is None else [
            row for text in ([exact[1]] if isinstance(exact[1], str) else exact[1])
            for row in self._index(query.table, exact[0]).get(text, ())]
        return [row for row in found
                if all(_passes(row.get(column, ""), compared, wanted) for column, compared, wanted in conditions)]

    def _table(self, name):
        if name not in self._tables:
            self._tables[name] = _overlaid(name) if self._in_use else _texts(self.root, name)
        return self._tables[name]

    def _index(self, name, column):
        if (name, column) not in self._indexes:
            index = self._indexes[name, column] = {}
            for row in self._table(name):
                index.setdefault(row.get(column), []).append(row)
        return self._indexes[name, column]


def _passes(text, compared, wanted):
    if compared == "=":
        return text == wanted if isinstance(wanted, str) else text in wanted
    return COMPARE[compared](text, wanted)


@kept
def _answers():
    return Answers()


def sources_of(queries):
    """Ids of the sources of all rows that queries answer with, in order of first use."""
    return _answers().sources(queries)


def behind(queries):
    """The rows that queries answer with, each once and as text: pair of table and id to row, in order of first use."""
    return {(query.table, row["id"]): row for query in queries for row in _answers().rows(query)}

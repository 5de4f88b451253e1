"""The only reader of ``data/``: tables, facts, sources.

Every table is a CSV file described in ``data/datapackage.json``.  A missing number reads as NaN, a missing text as the
empty string, and a date stays an ISO text (``2025-12-08``), which sorts as it should.  Facts keep the unit of their row;
only :func:`gpus` converts, to SI, and says so in its column names.
"""

import json
from functools import cache
from pathlib import Path

from tokenecon import units
from tokenecon.errors import UnknownId

PACKAGE = Path(__file__).resolve().parent


def shipped(name):
    """A folder of the repository that the program reads: inside the package where a wheel was installed, else in the clone."""
    inside = PACKAGE / "shipped" / name
    return inside if inside.exists() else PACKAGE.parent / name


ROOT = shipped("data")

# Tables in the order in which `show` looks an id up.
TABLES = ("gpus", "models", "precisions", "assumptions", "prices", "api_prices", "optimisations", "claims", "providers",
          "measurements", "traces", "traffic", "request_lengths", "traffic_pooling", "corrections", "sources")  # fmt: skip

# field in gpus.csv -> (column of the wide view, unit the column is in)
GPU_COLUMNS = {
    **{field: (field, "text") for field in ("name", "vendor", "kind", "release")},
    "memory": ("memory_bytes", "B"),
    "engine_memory": ("engine_memory_bytes", "B"),
    "bandwidth": ("bandwidth_bytes_per_s", "B/s"),
    "bf16": ("bf16_flop_per_s", "FLOP/s"),
    "fp8": ("fp8_flop_per_s", "FLOP/s"),
    "fp4": ("fp4_flop_per_s", "FLOP/s"),
    "int8": ("int8_flop_per_s", "FLOP/s"),
    "board_power": ("board_power_w", "W"),
    "all_in_power": ("all_in_power_w", "W"),
    "link_bandwidth": ("link_bytes_per_s", "B/s"),
    "link_domain": ("link_domain_gpus", "GPU"),
    "interconnect": ("interconnect", "text"),
    "measurements": ("measurements", "count"),
}

_read = set()


@cache
def package():
    """The descriptor ``data/datapackage.json`` as a dict."""
    return json.loads((ROOT / "datapackage.json").read_text(encoding="utf-8"))


def schema(name):
    """Fields of a table as the descriptor gives them: a list of dicts with name, type, description."""
    tables = {resource["name"]: resource["schema"]["fields"] for resource in package()["resources"]}
    if name not in tables:
        raise UnknownId("table", name, tables, "data/datapackage.json")
    return tables[name]


@cache
def _load(name):
    import pandas as pd

    fields = schema(name)
    text = [field["name"] for field in fields if field["type"] in ("string", "date")]
    frame = pd.read_csv(
        ROOT / f"{name}.csv", dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=[""],
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
    """A table as a typed DataFrame, one row a fact; the caller may change the copy it gets."""
    frame = _load(name).copy()
    _read.add(name)
    return frame


def tables_read():
    """Names of the tables read in this process so far: what a page depends on."""
    return tuple(sorted(_read))


@cache
def _rows(name):
    """Rows of a table by id, for the look-ups of single facts."""
    return {row["id"]: row for _, row in _load(name).set_index("id", drop=False).iterrows()}


def _row(name, row_id, field, where):
    _read.add(name)
    rows = _rows(name)
    if row_id not in rows:
        raise UnknownId(field, row_id, rows, where)
    return rows[row_id].copy()


@cache
def _gpus():
    import pandas as pd

    rows = table("gpus")
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
    """Accelerators, one row each, in SI units; index ``gpu``; NaN where no fact is known."""
    _read.add("gpus")
    return _gpus().copy()


def gpu(gpu_id):
    """One accelerator of :func:`gpus` as a Series."""
    _read.add("gpus")
    if gpu_id not in _gpu_rows():
        raise UnknownId("gpu", gpu_id, _gpu_rows(), "`tokenecon list gpus`")
    return _gpu_rows()[gpu_id].copy()


_gpu_rows = cache(lambda: dict(_gpus().iterrows()))


def models():
    """Models, one row each; index ``id``."""
    return table("models").set_index("id")


def model(model_id):
    """One model as a Series, by its id or by one of its aliases."""
    frame = models()
    if model_id not in frame.index:
        named = [name for name, others in frame["aliases"].items() if model_id in others.split()]
        if not named:
            raise UnknownId("model", model_id, frame.index, "`tokenecon list models`")
        model_id = named[0]
    return frame.loc[model_id]


def precision(precision_id):
    """One number format as a Series."""
    return _row("precisions", precision_id, "precision", "data/precisions.csv")


def assumption(assumption_id):
    """One assumption as a Series: value, unit, low, high, basis, source …"""
    return _row("assumptions", assumption_id, "assumption", "data/assumptions.csv")


def value(assumption_id):
    """The value of an assumption, in the unit of its row."""
    return float(assumption(assumption_id)["value"])


def span(assumption_id):
    """Low, value and high of an assumption; low and high equal the value where the row has no range."""
    row = assumption(assumption_id)
    low, middle, high = (float(row[end]) for end in ("low", "value", "high"))
    return (middle if low != low else low, middle, middle if high != high else high)


def claim(claim_id):
    """One claim of the two documents as a Series."""
    return _row("claims", claim_id, "claim", "`tokenecon list claims`")


def source(source_id):
    """One source as a Series: title, publisher, address, dates, licence."""
    return _row("sources", source_id, "source", "data/sources.csv")


def show(any_id):
    """Any fact, claim, price, model, GPU or source with its provenance.

    Returns a dict: ``table``, ``id``, ``rows`` (dicts; several for a GPU) and ``sources`` (dicts, in the order of first use).
    """
    known = []
    for name in TABLES:
        frame = table(name)
        hit = frame[frame["id"] == any_id]
        if name == "gpus" and hit.empty:
            hit = frame[frame["gpu"] == any_id]
        if not hit.empty:
            cited = dict.fromkeys(hit["source"]) if "source" in hit else {}
            return {"table": name, "id": any_id, "rows": hit.to_dict("records"),
                    "sources": [source(cite).to_dict() for cite in cited if cite]}
        known += list(frame["id"]) + (list(frame["gpu"].unique()) if name == "gpus" else [])
    raise UnknownId("id", any_id, known, "the tables in data/")

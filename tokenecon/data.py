"""The only reader of ``data/``: tables, facts, prices, sources.

Every table is a CSV file described in ``data/datapackage.json``.  A missing number reads as NaN, a missing text as the
empty string, and a date stays an ISO text (``2025-12-08``), which sorts as it should.  Facts keep the unit of their row;
only :func:`gpus` converts, to SI, and says so in its column names.
"""

import datetime
import difflib
import json
from functools import cache
from pathlib import Path

from tokenecon import units

ROOT = Path(__file__).resolve().parent.parent / "data"

# Tables in the order in which `show` looks an id up.
TABLES = ("gpus", "models", "precisions", "assumptions", "prices", "api_prices", "optimisations", "claims", "providers",
          "measurements", "traces", "traffic", "request_lengths", "traffic_pooling", "corrections", "sources")  # fmt: skip

PRICE_KINDS = ("on_demand", "spot", "marketplace", "committed_1y", "committed_3y", "rental_3y",
               "owned_hyperscaler", "owned_neocloud", "purchase")  # fmt: skip

# A price not seen for this long says nothing about the date asked for; what a GPU costs to buy is published more rarely.
PRICE_MAX_AGE_DAYS = dict.fromkeys(PRICE_KINDS, 365) | {"purchase": 1095}

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


class UnknownId(ValueError):
    """An id that no row has; the message is one sentence with the nearest ids."""

    def __init__(self, field, value, known, where):
        self.field, self.value, self.known = field, value, sorted(known)
        self.nearest = nearest(value, self.known)
        near = " or ".join(f"'{name}'" for name in self.nearest) or f"one of the {len(self.known)} ids there"
        super().__init__(f"{field} '{value}' is not known; use {near}, or another id of {where}")


class NoPrice(ValueError):
    """A price was asked for that the table cannot give; the message says what is missing."""


def nearest(value, known, count=3):
    """The ids most like a value: those that begin with it, that hold it, that are spelt alike."""
    text, known = str(value).lower(), list(known)
    holding = [name for name in known if text and text in name.lower()]
    alike = difflib.get_close_matches(text, known, n=count, cutoff=0.5)
    holding.sort(key=lambda name: (not name.lower().startswith(text), len(name)))
    return list(dict.fromkeys(holding + alike))[:count]


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


def _iso(as_of):
    if isinstance(as_of, datetime.datetime):
        as_of = as_of.date()
    try:
        return datetime.date.fromisoformat(str(as_of)).isoformat()
    except ValueError:
        raise ValueError(f"as_of '{as_of}' is not a date; write it as YYYY-MM-DD, e.g. 2025-12-08") from None


def newest_price_date():
    """Date of the newest price in the table: the default of ``as_of`` everywhere."""
    return str(table("prices")["as_of"].max())


def prices(gpu=None, kind=None, as_of=None, *, max_age_days=None, claimed=False):
    """The newest price not after a date, per GPU, provider, region, kind and offer.

    ``max_age_days`` drops prices last seen longer ago.  What the documents claim is left out unless ``claimed``: it is checked.
    """
    frame = table("prices")
    if not claimed:
        frame = frame[frame["basis"] != "claimed"]
    if gpu is not None:
        if gpu not in gpus().index:
            raise UnknownId("gpu", gpu, gpus().index, "`tokenecon list gpus`")
        frame = frame[frame["gpu"] == gpu]
    if kind is not None:
        if kind not in PRICE_KINDS:
            raise UnknownId("price kind", kind, PRICE_KINDS, ", ".join(PRICE_KINDS))
        frame = frame[frame["kind"] == kind]
    date = newest_price_date() if as_of is None else _iso(as_of)
    frame = frame[frame["as_of"] <= date]
    newest = frame.groupby(["gpu", "provider", "region", "kind", "offer", "basis"])["as_of"].transform("max")
    frame = frame[frame["as_of"] == newest]
    if max_age_days is not None:
        oldest = datetime.date.fromisoformat(date) - datetime.timedelta(days=max_age_days)
        frame = frame[frame["last_seen"] >= oldest.isoformat()]
    return frame.sort_values(["gpu", "kind", "value"]).reset_index(drop=True)


def price_range(gpu, kind, as_of=None, *, max_age_days=None):
    """Lowest, typical and highest price of a GPU on a date, over the offers known then.

    Returns a dict: low, typical, high, unit, as_of (newest row used), rows (ids), sources (ids).  Typical is the median over
    providers of each one's median, so that a provider with ten sizes counts once.  An estimate with its own range widens low
    and high by it.  ``max_age_days`` is :data:`PRICE_MAX_AGE_DAYS` of the kind unless given.
    """
    found = _price_range(gpu, kind, as_of, PRICE_MAX_AGE_DAYS.get(kind) if max_age_days is None else max_age_days)
    return found | {name: list(found[name]) for name in ("rows", "sources")}  # the caller may change what it gets


@cache
def _price_range(gpu, kind, as_of, max_age_days):
    rows = prices(gpu, kind, as_of, max_age_days=max_age_days)
    if rows.empty:
        any_age = prices(gpu, kind)
        newest = f"the newest is of {any_age['as_of'].max()}" if len(any_age) else "none is known at all"
        kinds = ", ".join(sorted(prices(gpu)["kind"].unique())) or "none"
        raise NoPrice(f"no {kind} price of {gpu} within {max_age_days} days before {as_of or newest_price_date()}: "
                      f"{newest}; kinds known for it: {kinds}; add a row to data/prices.csv")
    low, high = rows["low"].fillna(rows["value"]), rows["high"].fillna(rows["value"])
    typical = rows.groupby("provider")["value"].median().median()
    return {
        "low": float(low.min()), "typical": float(typical), "high": float(high.max()),
        "unit": rows["unit"].iloc[0], "as_of": rows["as_of"].max(), "rows": list(rows["id"]),
        "sources": list(dict.fromkeys(rows["source"])),
    }  # fmt: skip

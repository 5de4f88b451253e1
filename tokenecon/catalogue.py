"""What `tokenecon list` and `tokenecon show` say: tables of plain values, and how to cite a row."""

import json
import math

from tokenecon import BadInput, __version__, data, notebooks, parameters, units
from tokenecon.kinds import kind, nearest

TITLE = "What a token costs"


class NothingListed(BadInput):
    """A catalogue that does not exist, or a filter that it does not have."""


def gpus():
    """Accelerators in the units of their datasheets."""
    frame = data.gpus().reset_index()
    rows = frame[["gpu", "name", "vendor", "kind", "release"]].rename(columns={"gpu": "id"})
    for column, source, unit, wanted in (
        ("memory_GB", "memory_bytes", "B", "GB"),
        ("bandwidth_TB_per_s", "bandwidth_bytes_per_s", "B/s", "TB/s"),
        ("bf16_TFLOP_per_s", "bf16_flop_per_s", "FLOP/s", "TFLOP/s"),
        ("board_power_W", "board_power_w", "W", "W"),
    ):
        rows[column] = (frame[source] * units.convert(1.0, unit, wanted)).round(4)
    return rows.to_dict("records")


def models():
    """Models with their size and shape."""
    frame = data.models().reset_index()
    wanted = ["id", "name", "kind", "parameters", "active_parameters", "layers", "kv_heads", "source"]
    return frame[wanted].to_dict("records")


def prices(gpu=None):
    """Dated prices as of the newest date in the book, of one GPU where it is named, with a mark where to distrust one."""
    from tokenecon.analysis import price_book

    wanted = ["id", "gpu", "provider", "region", "kind", "value", "unit", "as_of", "last_seen", "marks", "source"]
    return price_book.gpu_offers(gpu)[wanted].to_dict("records")


def token_prices(model=None):
    """Token prices as of the newest date in the book, of one model where it is named, with the same marks."""
    from tokenecon.analysis import price_book

    try:
        frame = price_book.token_prices(model)
    except data.NoPrice as error:
        raise NothingListed(str(error)) from error
    wanted = ["id", "model", "provider", "usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok_cached", "as_of", "last_seen",
              "marks", "source"]  # fmt: skip
    return frame[wanted].to_dict("records")


def claims(section=None):
    """The claims of the two documents with their verdicts, of one section where it is named."""
    from tokenecon.analysis import claims as analysis

    frame = analysis.ledger()
    if section is not None:
        known = list(dict.fromkeys(frame["section"]))
        if section not in known:
            raise NothingListed(f"section '{section}' is not known; allowed are {', '.join(known)}")
        frame = frame[frame["section"] == section]
    return frame[["id", "section", "statement", "verdict", "chapter"]].to_dict("records")


def all_notebooks():
    """Notebooks with the question that each answers."""
    rows = []
    for name, path in notebooks.catalogue().items():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title = "".join(cells[0]["source"]).splitlines()[0].lstrip("# ") if cells else ""
        rows.append({"notebook": name, "question": title, "parameters": ", ".join(parameters.spec(path))})
    return rows


def all_parameters(notebook=None):
    """Parameters of one notebook, or of all."""
    names = [notebooks.find(notebook)[0]] if notebook else list(notebooks.catalogue())
    return [
        {
            "notebook": name,
            "name": one.name,
            "default": one.default,
            "unit": one.unit,
            "meaning": one.meaning,
            "allowed": allowed(one),
        }
        for name in names
        for one in parameters.spec(notebooks.find(name)[1]).values()
    ]


def allowed(parameter):
    """What a parameter may be, in words."""
    rule = kind(parameter.unit, isinstance(parameter.default, int))
    if not rule.ids:
        return rule.allowed
    return f"{rule.allowed}; see {rule.look}" if rule.look else ", ".join(rule.ids)


# name of the catalogue -> (function, what may narrow it)
CATALOGUES = {
    "gpus": (gpus, None),
    "models": (models, None),
    "prices": (prices, "the id of a gpu"),
    "token-prices": (token_prices, "the id of a model"),
    "claims": (claims, "a section"),
    "notebooks": (all_notebooks, None),
    "parameters": (all_parameters, "a notebook"),
}


def listed(name, only=None):
    """The rows of a catalogue."""
    if name not in CATALOGUES:
        near = nearest(name, CATALOGUES)
        raise NothingListed(f"'{name}' cannot be listed{near}; allowed are {', '.join(CATALOGUES)}")
    function, narrowed_by = CATALOGUES[name]
    if only is None:
        return function()
    if narrowed_by is None:
        raise NothingListed(f"the list of {name} takes no '{only}'; give `tokenecon list {name}` alone")
    return function(only)


def note(name):
    """What a reader must know of a list of prices: the date it is of, and what its marks mean.  Empty for other lists."""
    if name not in ("prices", "token-prices"):
        return ""
    from tokenecon.analysis import price_book

    return (f"as of {price_book.newest_date()}, the newest date in the book; old: not seen for more than {price_book.OLD_DAYS} "
            "days; outside: beyond the range of other sellers of the same at that time")


def shown(any_id):
    """Any row with its sources and how to cite it; a claim with its verdict."""
    found = data.show(any_id)
    if found["table"] == "claims":
        from tokenecon.analysis import claims as analysis

        frame = analysis.ledger()
        found["verdict"] = frame[frame["id"] == any_id].iloc[0].to_dict()
        found["sources"] = [data.source(one).to_dict() for one in found["verdict"].pop("sources").split()]
    return found | {"cite": cite(found)}


def cite(found):
    """One line that names the row, the book with its version, and the source behind it."""
    row = f"data/{found['table']}.csv, row {found['id']}"
    book = f"{TITLE}, version {__version__}, {row}"
    if found["table"] == "sources":
        return source_line(found["rows"][0])
    sources = "; ".join(source_line(source) for source in found["sources"])
    return f"{book}. Source: {sources}" if sources else f"{book}."


def source_line(source):
    """A source as a reader cites it."""
    parts = [source["publisher"], source["title"], source["published"], source["url"]]
    return ", ".join(str(part) for part in parts if part) + f" (accessed {source['accessed']})"


def plain(value):
    """A value as JSON has it: no NaN, no NumPy type."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

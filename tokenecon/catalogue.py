"""What `tokenecon list` and `tokenecon show` say: tables of plain values, and how to cite a row."""

from importlib.metadata import entry_points

from tokenecon import __version__, data, units
from tokenecon.errors import BadInput, NoPrice, did_you_mean

TITLE = "What a token costs"
YOURS = "yours"  # how a row of a reader's own facts is marked


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
    if data.own("gpus"):
        facts = data.table("gpus")
        mine = facts["id"].isin(data.own("gpus"))
        whole = facts.assign(mine=mine).groupby("gpu")["mine"].all()
        said = facts[mine].groupby("gpu")["field"].agg(", ".join)
        rows[YOURS] = ["all" if whole[gpu] else said.get(gpu, "") for gpu in rows["id"]]
    return rows.to_dict("records")


def marked(frame, table):
    """Rows of a table with those of the reader marked, where there are any."""
    return frame.assign(**{YOURS: [YOURS * (one in data.own(table)) for one in frame["id"]]}) if data.own(table) else frame


def models():
    """Models with their size and shape."""
    frame = data.models().reset_index()
    wanted = ["id", "name", "kind", "parameters", "active_parameters", "layers", "kv_heads", "source"]
    return marked(frame[wanted], "models").to_dict("records")


def prices(gpu=None, as_of=None):
    """Dated prices as of a day, the newest in the book, of one GPU where it is named, with a mark where to distrust one."""
    from tokenecon.prices import price_book

    wanted = ["id", "gpu", "provider", "region", "kind", "value", "unit", "as_of", "last_seen", "marks", "source"]
    return marked(price_book.gpu_offers(gpu, as_of=as_of)[wanted], "prices").to_dict("records")


def token_prices(model=None, as_of=None):
    """Token prices as of a day, the newest in the book, of one model where it is named, with the same marks."""
    from tokenecon.prices import price_book

    try:
        frame = price_book.token_prices(model, as_of)
    except NoPrice as error:
        raise NothingListed(str(error)) from error
    wanted = ["id", "model", "provider", "usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok_cached", "as_of", "last_seen",
              "marks", "source"]  # fmt: skip
    return marked(frame[wanted], "api_prices").to_dict("records")


def scenarios():
    """The scenarios that ship with the book, for `tokenecon cost` and `tokenecon decide`; each file is an example to copy."""
    from tokenecon.decision import scenario

    cases = {name: scenario.load(name) for name in scenario.names()}
    return [{"scenario": name, "name": case.name, "model": case.model, "isl": case.isl, "osl": case.osl,
             "requests_per_day": case.requests_per_day, "file": str(scenario.FOLDER / f"{name}.yml")}
            for name, case in cases.items()]


# name of the catalogue -> (function, what may narrow it)
CATALOGUES = {
    "gpus": (gpus, None),
    "models": (models, None),
    "prices": (prices, "the id of a gpu"),
    "token-prices": (token_prices, "the id of a model"),
    "scenarios": (scenarios, None),
}


def catalogues():
    """Name to (function, what may narrow it): those above, and what other packages add as ``tokenecon.catalogues``."""
    return CATALOGUES | {one.name: one.load() for one in entry_points(group="tokenecon.catalogues")}


def listed(name, only=None):
    """The rows of a catalogue."""
    known = catalogues()
    if name not in known:
        raise NothingListed(f"'{name}' cannot be listed{did_you_mean(name, known)}; allowed are {', '.join(known)}")
    function, narrowed_by = known[name]
    if only is None:
        return function()
    if narrowed_by is None:
        raise NothingListed(f"the list of {name} takes no '{only}'; give `tokenecon list {name}` alone")
    return function(only)


def note(name, as_of=None):
    """What a reader must know of a list of prices: the date it is of, and what its marks mean.  Empty for other lists."""
    if name not in ("prices", "token-prices"):
        return ""
    from tokenecon.prices import price_book

    day = as_of if as_of not in (None, price_book.newest_date()) else f"{price_book.newest_date()}, the newest date in the book"
    return (f"as of {day}; old: not seen for more than {price_book.OLD_DAYS} "
            "days; outside: beyond the range of other sellers of the same at that time; estimate: nobody's offer")


def look_up(any_id):
    """Any row with its sources and how to cite it; a claim, where the book is installed, with its verdict."""
    found = data.show(any_id)
    if mine := data.own(found["table"]):
        found["rows"] = [row | {YOURS: YOURS * (row["id"] in mine)} for row in found["rows"]]
    for one in entry_points(group="tokenecon.lookups", name=found["table"]):
        found |= one.load()(any_id)
    return found | {"cite": cite(found)}


def file(found):
    """Where the rows stand that were looked up: in ``data/``, in a file of the reader's, or in both."""
    mine = [row["id"] in data.own(found["table"]) for row in found["rows"]]
    files = [f"data/{found['table']}.csv"] * (not all(mine)) + [f"your file {found['table']}.csv"] * any(mine)
    return " and ".join(files)


def cite(found):
    """One line that names the row, the book with its version, and the source behind it."""
    row = f"{file(found)}, row {found['id']}"
    book = f"{TITLE}, version {__version__}, {row}"
    if found["table"] == "sources":
        return source_line(found["rows"][0])
    sources = "; ".join(source_line(source) for source in found["sources"])
    return f"{book}. Source: {sources}" if sources else f"{book}."


def source_line(source):
    """A source as a reader cites it."""
    parts = [source["publisher"], source["title"], source["published"], source["url"]]
    return ", ".join(str(part) for part in parts if part) + f" (accessed {source['accessed']})"

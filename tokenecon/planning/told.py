"""``tokenecon plan`` on a terminal, as CSV and as JSON."""

import json

from tokenecon import __version__
from tokenecon.numbers import jsonable, number, span
from tokenecon.planning.answer import layout_words

ROWS = 10  # of a table on a terminal; CSV and JSON have all
BEST = {
    "gpu": ("gpu", None), "n_gpus": ("GPUs each", "GPU"), "layout": ("layout", None), "weights": ("weights", None),
    "kv": ("kv", None), "replicas": ("instances", "count"), "paid_replicas": ("paid on average", "count"),
    "instance_requests_per_s": ("one holds, request/s", "request/s"), "instance_concurrency": ("one holds, in flight", "count"),
    "ttft_ms": ("TTFT ms", "ms"), "tpot_ms": ("TPOT ms", "ms"), "chance": ("chance, at least", "fraction"),
    "usd_per_mtok": ("USD per Mtok", "USD/Mtok"), "usd_per_month": ("a month", "USD/month"), "kw_rated": ("kW", "kW"),
    "kwh_per_mtok_out": ("kWh per Mtok out", "kWh/Mtok_out"), "binds": ("binds", None), "bound": ("time goes to", None),
    "unmeasured": ("never measured", None),
}  # fmt: skip
FRONTIER = {
    "user_tok_s": ("tok/s a user", "tok_out/s"), "usd_per_mtok": ("USD per Mtok", "USD/Mtok"), "gpu": ("gpu", None),
    "n_gpus": ("GPUs", "GPU"), "layout": ("layout", None), "weights": ("weights", None),
    "requests_per_s": ("request/s", "request/s"), "ttft_ms": ("TTFT ms", "ms"),
}  # fmt: skip
TURNS = {"what": ("what", None), "now": ("now", "1"), "turns_at": ("turns at", "1"), "then": ("then", None)}
REFUSED = {"gpu": ("not to be had", None), "reason": ("why", None)}
RANGED = ("usd_per_mtok", "usd_per_month", "instance_requests_per_s", "instance_concurrency", "ttft_ms", "tpot_ms")


def tell(found, show, *, as_json=False, csv=None):
    """Print a plan as tables by ``show(rows)``, or as JSON; and write them as CSV, the best configurations first."""
    held = {name: getattr(found, name) for name in ("best", "frontier", "turns", "refused")}
    if csv is not None:
        from tokenecon.decision import report

        report.write(held, csv)
    if as_json:
        tables = {name: table.to_dict("records") for name, table in held.items()}
        print(json.dumps(jsonable({"tokenecon": __version__, "asked": found.asked, "sentence": found.sentence, "note": found.note,
                                   "configurations": found.configurations, "tables": tables}), indent=1, ensure_ascii=False))
        return
    print(f"{found.sentence}.")
    for title, table, columns in (
            (f"The best of {found.configurations} configurations that keep the limits", found.best, BEST),
            ("Speed of an answer against cost, one full instance each", thinned(found.frontier), FRONTIER),
            ("What would turn the choice", found.turns, TURNS), ("", found.refused, REFUSED)):
        if len(table):
            print(f"\n{title}" if title else "")
            show([row_of(row, columns) for _, row in table.head(ROWS).iterrows()])
            if len(table) > ROWS:
                print(f"… {len(table) - ROWS} more with --json")
    print(f"\n{found.note}")


def thinned(frontier):
    """As many points as a terminal shows, spread over the frontier with both its ends."""
    if len(frontier) <= ROWS:
        return frontier
    places = sorted({round(step * (len(frontier) - 1) / (ROWS - 1)) for step in range(ROWS)})
    return frontier.iloc[places]


def row_of(row, columns):
    """A row as a reader says it."""
    row = {**row.to_dict(), "layout": layout_words(row) if "tp" in row else ""}
    return {title: _cell(row, name, unit) for name, (title, unit) in columns.items() if name in row}


def _cell(row, name, unit):
    value = row[name]
    if unit is None:
        return str(value)
    text = number(value, unit)
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if name in RANGED and low is not None and low == low and high == high:
        ends = span(low, high, unit)
        return text if ends == text else f"{text} ({ends})"
    return text

"""``tokenecon plan`` as a report: on a terminal, as CSV, as JSON, and for a spreadsheet."""

import json
import shlex
from types import SimpleNamespace

from tokenecon import __version__
from tokenecon.decision import report as reports
from tokenecon.numbers import jsonable, number, span
from tokenecon.planning import answer, prices
from tokenecon.planning.asked import TERMS
from tokenecon.serving import results
from tokenecon.units import SECONDS_PER_DAY

HIDDEN = ("hours",)  # of what was asked, in JSON: a year of them
ROWS = 10  # of a table on a terminal; CSV and JSON have all
BEST = {
    "gpu": ("gpu", None), "n_gpus": ("GPUs each", "GPU"), "layout": ("layout", None), "weights": ("weights", None),
    "kv": ("kv", None), "replicas": ("instances", "count"), "paid_replicas": ("paid on average", "count"),
    "instance_requests_per_s": ("one holds, request/s", "request/s"), "instance_concurrency": ("one holds, in flight", "count"),
    "ttft_ms": ("TTFT ms", "ms"), "tpot_ms": ("TPOT ms", "ms"), "chance": ("chance, at least", "fraction"),
    "usd_per_mtok": ("USD per Mtok", "USD/Mtok"), "usd_per_month": ("a month", "USD/month"),
    **{name: said for name, said in reports.SHARES.items() if name.startswith("usd_") and not name.endswith("_marginal")},
    "kw_rated": ("kW", "kW"),
    "kwh_per_mtok_out": ("kWh per Mtok out", "kWh/Mtok_out"), "binds": ("binds", None), "bound": ("time goes to", None),
    "unmeasured": ("never measured", None),
}  # fmt: skip
PERCENTILES = {f"{what}_ms_{part}": (f"{what.upper()} {part} ms", "ms")
               for what, part in (name.split("_ms_") for name in results.PERCENTILES)}
FRONTIER = {
    "user_tok_s": ("tok/s a user", "tok_out/s"), "usd_per_mtok": ("USD per Mtok", "USD/Mtok"), "gpu": ("gpu", None),
    "n_gpus": ("GPUs", "GPU"), "layout": ("layout", None), "weights": ("weights", None),
    "requests_per_s": ("request/s", "request/s"), "ttft_ms": ("TTFT ms", "ms"),
}  # fmt: skip
TURNS = {"what": ("what", None), "now": ("now", "1"), "turns_at": ("turns at", "1"), "then": ("then", None)}
REFUSED = {"gpu": ("not to be had", None), "reason": ("why", None)}
RANGED = (*reports.RANGED, "usd_per_month", "instance_requests_per_s", "instance_concurrency", "ttft_ms", "tpot_ms")


@reports.reported
def report(model, **given):
    """A plan as a report, as :mod:`tokenecon.decision.report` has it, for a terminal, JSON, CSV and a spreadsheet."""
    found = answer.plan(model, **given)
    case = SimpleNamespace(**found.asked)
    if case.rate is not None:
        case.requests_per_day = case.rate * SECONDS_PER_DAY
    if prices.OWN not in set(found.best["price_kind"]):
        for name in TERMS:
            delattr(case, name)  # nothing of this plan follows from them
    best, frontier = (table.assign(layout=[answer.layout_words(row) for row in table.to_dict("records")])
                      for table in (found.best, found.frontier))
    columns = {name: said for name, said in (BEST | PERCENTILES).items() if name in best}
    sections = [(f"The best of {found.configurations} configurations that keep the limits", "best", best, columns),
                *reports.of_currency(case, found["in_currency"]),
                ("Speed of an answer against cost, one full instance each", "frontier", frontier, FRONTIER),
                ("What would turn the choice", "turns", found.turns, TURNS), ("Not to be had", "refused", found.refused, REFUSED)]
    return {"scenario": case, "sections": sections, "findings": [found.sentence], "note": found.note, "sources": found.sources,
            "configurations": found.configurations, "operands": prices.operands(found), "command": command(model, given)}


def command(model, given):
    """The command that makes a plan again."""
    limits = [f"-l {name}={value}" for name, value in (given.get("limits") or {}).items()]
    options = [f"--{name.replace('_', '-')} {shlex.quote(f'{value:.12g}' if isinstance(value, float) else str(value))}"
               for name, value in given.items() if value is not None and name != "limits"]
    return " ".join(["tokenecon plan", shlex.quote(str(model)), *options, *limits])


def tell(report, show, *, as_json=False, csv=None):
    """Print a plan as tables by ``show(rows)``, or as JSON; and write them as CSV, the best configurations first."""
    if csv is not None:
        reports.write({key: table for _, key, table, _ in report["sections"]}, csv)
    if as_json:
        asked = {name: value for name, value in vars(report["scenario"]).items() if name not in HIDDEN}
        print(json.dumps(jsonable({
            "tokenecon": __version__, "asked": asked, "sentence": report["findings"][0], "note": report["note"],
            "configurations": report["configurations"], "sources": report["sources"],
            "tables": {key: table.to_dict("records") for _, key, table, _ in report["sections"]}}), indent=1, ensure_ascii=False))
        return
    print(f"{report['findings'][0]}.")
    for title, key, table, columns in report["sections"]:
        if len(table):
            print(f"\n{title}")
            shown = thinned(table) if key == "frontier" else table.head(ROWS)
            show([row_of(row, columns) for _, row in shown.iterrows()])
            if key != "frontier" and len(table) > ROWS:
                print(f"… {len(table) - ROWS} more with --json")
    print(f"\n{report['note']}")
    if "own_facts" in report:
        print(f"With your own facts: {report['own_facts_used']}.")


def thinned(frontier):
    """As many points as a terminal shows, spread over the frontier with both its ends."""
    if len(frontier) <= ROWS:
        return frontier
    places = sorted({round(step * (len(frontier) - 1) / (ROWS - 1)) for step in range(ROWS)})
    return frontier.iloc[places]


def row_of(row, columns):
    """A row as a reader says it."""
    return {title: _cell(row, name, unit) for name, (title, unit) in columns.items()}


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

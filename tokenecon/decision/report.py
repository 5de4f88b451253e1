"""``tokenecon cost`` and ``tokenecon decide``: a scenario file in, the tables of the chapter "Your case" out."""

import functools
import json
import shlex
import sys
from math import nan
from pathlib import Path

from tokenecon import __version__, data, files, queries
from tokenecon.decision import scenario
from tokenecon.errors import BadInput, NoEstimate, NoPrice, NothingServes, UnknownId
from tokenecon.numbers import jsonable, number, span

HIDDEN = ("profile",)  # of a case, in JSON: the hours of a file
# of a report, in JSON: what its tables hold already, laid out for those who work on with them
WORKING = ("scenario", "sections", "operands", "command", "found", "options", "scenarios", "others")
# Columns on a terminal: titles short, units in them, ranges where they matter most; JSON and CSV hold all columns.
COST = {
    "name": ("choice", None), "usd_per_mtok": ("USD per Mtok", "USD/Mtok"), "usd_per_mtok_used": ("if always full", "USD/Mtok"),
    "usd_per_mtok_in": ("in", "USD/Mtok_in"),
    "usd_per_mtok_cached": ("cached", "USD/Mtok_cached"), "usd_per_mtok_out": ("out", "USD/Mtok_out"),
    "usd_per_month": ("a month", "USD/month"), "replicas": ("replicas", "count"), "n_gpus": ("GPUs each", "GPU"),
    "utilisation": ("busy", "fraction"), "usd_per_gpu_hour": ("GPU hour", "USD/GPU/h"),
    "price_sellers": ("sellers", "count"), "price_from": ("whose price", None), "price_seen": ("price seen", None),
    "price_mark": ("mark", None),
}  # fmt: skip
API = {name: COST[name] for name in ("name", "usd_per_mtok", "usd_per_month", "price_from", "price_mark")}
LINES = {
    "name": ("choice", None), "usd_per_month": ("a month", "USD/month"), "usd_per_month_machines": ("machines", "USD/month"),
    "usd_per_month_idle": ("idle", "USD/month"), "usd_per_month_spare": ("spare", "USD/month"),
    "usd_per_month_power": ("power", "USD/month"), "usd_per_month_support": ("support", "USD/month"),
    "usd_per_month_tools": ("tools", "USD/month"), "usd_per_month_people": ("people", "USD/month"),
    "usd_per_month_tokens": ("tokens", "USD/month"), "usd_per_month_marginal": ("without people", "USD/month"),
    "capital_usd": ("capital", "USD"), "commitment_usd": ("committed", "USD"), "commitment_months": ("months", "month"),
}  # fmt: skip
SHARES = {
    "name": ("choice", None), "usd_per_task": ("a task", "USD/request"), "usd_per_user_month": ("a user a month", "USD/month"),
    "usd_per_tenant_month": ("a tenant a month", "USD/month"), "usd_per_task_marginal": ("a task, without people", "USD/request"),
    "usd_per_user_month_marginal": ("a user, without people", "USD/month"),
    "usd_per_tenant_month_marginal": ("a tenant, without people", "USD/month"),
}  # fmt: skip
ENERGY = {
    "name": ("choice", None), "kw_rated": ("rated kW, with cooling", "kW"),
    "kwh_per_mtok_out": ("kWh per Mtok out", "kWh/Mtok_out"), "gco2e_per_mtok_out": ("gCO2e per Mtok out", "gCO2e/Mtok_out"),
}  # fmt: skip
CURRENCY = {
    "name": ("choice", None), "per_month": ("a month", "1"), "per_mtok": ("a million tokens", "1"), "per_task": ("a task", "1"),
    "per_user_month": ("a user a month", "1"), "per_tenant_month": ("a tenant a month", "1"),
}  # fmt: skip
KINDS = {
    "group": ("kind", None), "probability": ("cheapest in", "fraction"), "probability_error": ("± of it", "fraction"),
    "probability_marginal": ("where a team exists", "fraction"), "name": ("its surest choice", None),
    "regret": ("mean regret", "USD/Mtok"),
}  # fmt: skip
QUESTIONS = {"question": ("question", None), "answer": ("answer", None)}
BREAK_EVEN = {
    "name": ("choice", None), "requests_per_day": ("requests a day from which it beats the API", "request/day"),
    "requests_per_day_marginal": ("where a team exists", "request/day"),
    "utilisation": ("busy share at which it equals it", "fraction"),
    "note": ("", None),
}  # fmt: skip
REFUSED = {"name": ("not to be had", None), "reason": ("why", None)}
CHANCES = {
    "name": ("choice", None), "probability": ("cheapest in", "fraction"), "probability_error": ("± of it", "fraction"),
    "usd_per_mtok": ("USD per Mtok, median (P10 – P90)", "USD/Mtok"), "usd_per_mtok_error": ("± median", "USD/Mtok"),
    "usd_per_mtok_low_error": ("± P10", "USD/Mtok"), "usd_per_mtok_high_error": ("± P90", "USD/Mtok"),
    "regret": ("mean regret", "USD/Mtok"),
}  # fmt: skip
DRIVERS = {
    "name": ("input", None), "from": ("P10", None), "gap_at_low": ("lead at P10", "USD/Mtok"),
    "winner_at_low": ("cheapest at P10", None), "to": ("P90", None), "gap_at_high": ("lead at P90", "USD/Mtok"),
    "winner_at_high": ("cheapest at P90", None),
}  # fmt: skip
WAITING = {
    "name": ("plan", None), "usd_per_mtok": ("USD per Mtok, median (P10 – P90)", "USD/Mtok"),
    "saves": ("saves on average", "USD/Mtok"), "saves_error": ("± of it", "USD/Mtok"),
    "probability": ("cheaper than buying now in", "fraction"),
}  # fmt: skip
INPUTS = {"name": ("drawn", None), "unit": ("unit", None), "low": ("P10", "1"), "middle": ("median", "1"), "high": ("P90", "1")}
RANGED = ("usd_per_task", "usd_per_user_month", "usd_per_tenant_month", "usd_per_mtok",
          "requests_per_day", "requests_per_day_marginal")


def reported(make):
    """A report, with what it used of the reader's own facts."""

    @functools.wraps(make)
    def made(*args, **named):
        with queries.recording() as asked:
            report = make(*args, **named)
        mine = data.own_among(asked)
        return report | ({"own_facts": mine, "own_facts_used": data.own_words(asked)} if mine else {})

    return made


@reported
def cost(path, price_rule=None, changes=(), measured=()):
    """What every choice costs today: a report.

    ``changes`` are texts like ``isl=3000`` in place of what the scenario says; ``measured`` runs stand in place of the model's
    speed where they apply.
    """
    from tokenecon.decision import bill, break_even, mixes, options

    case = _case(path, price_rule, changes)
    case.measured = measured
    offered = _served(options.offers, case)
    table, crossings = offered.table, break_even.against_api(case, offered)
    sold, energy = options.api_sellers(case), bill.energy(case, options.feasible(table))
    sections = [("What each choice costs", "choices", options.feasible(table), COST),
                ("The bill of a month, and what is bound", "bills", options.feasible(table)[list(LINES)], LINES),
                *_shared(case, options.feasible(table), options.feasible(table)[["name", "usd_per_month", "usd_per_mtok"]]),
                ("Power, energy and carbon, as busy as the machines are", "energy", energy.table, ENERGY),
                ("What an API costs by each price rule", "api_sellers", sold.table, API),
                ("From which volume on it beats the API", "break_even", crossings.table, BREAK_EVEN),
                ("Not to be had", "refused", options.refused(table), REFUSED)]
    made_of = [mixes.alone(case, row) for _, row in options.feasible(table).iterrows()]
    return _report(case, sections, [offered, crossings, sold, energy], [options.answer(case, table), sold.sentence]) | {
        "operands": made_of, "command": _command("cost", path, price_rule, changes)}


def _shared(case, priced, bills, over=""):
    """Sections that a case asks for: who bears the bill, as it is ``priced`` with its ranges, and ``bills`` in its currency."""
    from tokenecon.decision import bill

    borne, said = bill.shares(case, priced), []
    if len(borne.columns) > 1:
        title = "What a task costs, and a user or tenant bears" if case.task else "What a user or tenant bears"
        said.append((title + over, "shares", borne, _held(SHARES, borne)))
    if case.currency == "USD":
        return said
    return said + of_currency(case, bill.in_currency(case, bills.merge(borne, on="name")))


def _over_years(case, chances, bills):
    """:func:`_shared` of the draws: what a token costs over the years, for the load of today; the bill of a month is today's."""
    from tokenecon.calculator.choice import ENDS, mtok_per_month
    from tokenecon.decision import choice_words

    month = mtok_per_month(case)
    priced = chances[["name"]].assign(**{f"usd_per_month{end}": chances[f"usd_per_mtok{end}"] * month for end in ENDS})
    return _shared(case, priced, bills[["name", "usd_per_month"]].merge(chances[["name", "usd_per_mtok"]], on="name"),
                   f", for the load of today at what tokens cost over {choice_words.years(case.years)}: median (P10 – P90)")


def of_currency(case, money):
    """The section of a table in the currency of a case; none where it is empty."""
    if money.empty:
        return []
    title = f"In {case.currency}, of which one is {case.usd_per_unit:g} USD on {case.rate_as_of}"
    return [(title, "in_currency", money, _held(CURRENCY, money))]


def _held(columns, table):
    """Of some columns those that a table has."""
    return {name: said for name, said in columns.items() if name in table}


@reported
def decide(path, draws, seed, price_rule=None, changes=()):
    """How probable it is that each choice is the cheapest over the years of the scenario: a report.

    ``changes`` are as :func:`cost` takes them.
    """
    from tokenecon.decision import answers, break_even, drivers, mixes, montecarlo, options

    case = _case(path, price_rule, changes)
    offered = _served(options.offers, case)
    done = _served(lambda one: montecarlo.run(one, offered, draws=draws, seed=seed), case)
    chances, moved, later = drivers.cheapest(case, done), drivers.tornado(case, done), drivers.waiting(case, done)
    drawn, sold = drivers.assumptions(done), options.api_sellers(case)
    crossings, kinds, bills = break_even.against_api(case, offered), drivers.kinds(case, done), answers.bills(case, done)
    asked, advice, answer = (answers.questions(case, crossings, done), answers.what_to_do(case, crossings, done),
                             answers.headline(case, offered, done))
    sections = [("How often each choice is the cheapest", "choices", chances.table, CHANCES),
                ("How often each kind is", "kinds", kinds.table, KINDS),
                ("The bill of a month today, and what is bound", "bills", bills.table, LINES),
                *_over_years(case, chances.table, bills.table),
                ("What a finance lead asks", "questions", asked.table, QUESTIONS),
                ("What an API costs by each price rule", "api_sellers", sold.table, API),
                ("What drives it", "drivers", moved.table, DRIVERS),
                ("Buy now or in a year", "waiting", later.table, WAITING),
                ("What was drawn", "inputs", drawn.table, INPUTS)]
    said = [found.sentence.removesuffix(".") for found in (answer, advice, chances, sold, moved, later)]
    found = [chances, kinds, bills, asked, moved, later, drawn, sold]
    made_of = {option["name"]: mixes.operands(case, option) for option in done.options}
    more = [f"--draws {draws}"] + ([] if seed is None else [f"--seed {seed}"])
    return _report(case, sections, found, said) | {
        "draws": done.draws, "seed": done.seed, "operands": [made_of[name] for name in bills.table["name"]],
        "command": _command("decide", path, price_rule, changes, *more),
        "found": {"chances": chances, "kinds": kinds, "bills": bills, "drivers": moved, "questions": asked, "advice": advice},
        "options": done.options}


def _case(path, price_rule, changes=()):
    """The case of a scenario, with changes and by another price rule than its own where they are given."""
    stated = scenario.stated(changes, price_rule)
    return scenario.overridden(path, stated) if stated else scenario.load(path)


def _command(verb, path, price_rule, changes, *more):
    """The command that makes a report again."""
    changed = [f"-p {' '.join(shlex.quote(part) for part in one.split('=', 1))}" for one in changes]
    rule = [] if price_rule is None else [f"--price-rule {price_rule}"]
    return " ".join(["tokenecon", verb, shlex.quote(str(path)), *changed, *rule, *more])


def _served(compute, case):
    """What is computed, or one sentence of a scenario that nothing serves."""

    try:
        return compute(case)
    except (NothingServes, NoPrice, UnknownId, NoEstimate) as error:
        raise BadInput(f"scenario '{case.name}': {error}") from error


def _report(case, sections, found, findings):
    cited = list(dict.fromkeys(source for one in found for source in one.sources))
    return {"scenario": case, "sections": sections, "note": found[0].note, "findings": findings, "sources": cited}


# --- out -------------------------------------------------------------------------------------------


def tell(report, show, *, as_json=False, csv=None):
    """Print a report as tables by ``show(rows)``, or as JSON; and write its tables as CSV."""
    if csv is not None:
        write({key: table for _, key, table, _ in report["sections"]}, csv)
    if as_json:
        print(json.dumps(plain(report), indent=1, ensure_ascii=False))
        return
    case = report["scenario"]
    print(f"{case.name}: {case.model}, prices known on {case.as_of}")
    for what, words in case.load:
        print(f"  load: {what}: {words}")
    for title, _, table, columns in report["sections"]:
        if len(table):
            print(f"\n{title}")
            show(formatted_rows(table, columns))
    print("\n" + "\n".join(f"{finding}." for finding in report["findings"]))
    print(f"\n{report['note']}")
    if "own_facts" in report:
        print(f"With your own facts: {report['own_facts_used']}.")


def formatted_rows(table, columns):
    """Rows of a table with its numbers, and ranges where they matter, as a reader says them."""
    return [{title: _cell(row, name, unit) for name, (title, unit) in columns.items()} for _, row in table.iterrows()]


def _cell(row, name, unit):
    if unit is None:
        return str(row[name])
    text = number(row[name], unit)
    low = row.get(f"{name}_low", nan) if name in RANGED else nan
    if low == low:
        ends = span(low, row[f"{name}_high"], unit)
        text += f" ({ends})" if ends != text else ""
    return text


def plain(report):
    """A report as JSON has it: no DataFrame, no NaN."""
    case = {name: value for name, value in vars(report["scenario"]).items() if name not in HIDDEN}
    tables = {key: table.to_dict("records") for _, key, table, _ in report["sections"]}
    rest = {key: value for key, value in report.items() if key not in WORKING}
    return jsonable({"tokenecon": __version__, "scenario": case, **rest, "tables": tables})


def write(tables, path):
    """Tables ``{name: table}`` as CSV: the first one where the path ends in .csv or is ``-``, else each in a file of a folder."""
    if str(path) == "-" or Path(path).suffix.lower() == ".csv":
        _write(next(iter(tables.values())), path)
        return
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"folder '{path}' cannot be made: {error.strerror or error}; name a folder for all tables, or a FILE.csv "
                       "for the first") from error
    for name, table in tables.items():
        _write(table, folder / f"{name}.csv")


def _write(table, path):
    text = table.to_csv(index=False, float_format="%.10g", lineterminator="\n")
    if str(path) == "-":
        sys.stdout.write(text)
        return
    with files.replaced(path) as file:
        file.write(text)

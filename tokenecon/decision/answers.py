"""What to do and when to change it: the recommended choice, its bill, and the questions that a finance lead asks."""

import numpy as np
import pandas as pd

from tokenecon import queries, units
from tokenecon.decision import bill, choice_words, drivers, horizon, mixes, montecarlo
from tokenecon.finding import Finding, ends, finding, named

HALF, LESS, MORE = 0.5, 0.5, 1.5  # of the planned demand; of the prices of today
DRAWN = 8  # choices in the figure
# lines of a bill that a figure draws together
TOGETHER = {
    "Machines that work": ("machines",), "Machines that wait or stand by": ("idle", "spare"),
    "Power, repairs, hall": ("power", "support"), "Tools and tests": ("tools",), "People": ("people",),
    "Tokens of the API": ("tokens",),
}  # fmt: skip
SAME = 0.005  # a change of a bill below it is none
BILL_COLUMNS = {
    "name": ("Choice", None), "usd_per_month": ("A month", "USD/month"),
    **{f"usd_per_month_{line}": (words, "USD/month") for line, words in bill.LINES.items()},
    "usd_per_month_marginal": ("Where a team exists", "USD/month"), "capital_usd": ("Capital in machines", "USD"),
    "commitment_usd": ("To be paid whatever comes", "USD"), "commitment_months": ("For", "month"),
}  # fmt: skip
QUESTION_COLUMNS = {"question": ("Question", None), "answer": ("Answer", None)}


def best(done):
    """Place of the choice that costs least on average, which is the one with the least regret."""
    return int(done.costs.mean(axis=0).argmin())


@finding
def bills(case, done):
    """The bill of a month of each choice, line by line, at the volume of today; the cheapest first."""
    queries.ask(*done.queries)
    rows = [{"name": option["name"], "group": option["group"], "kind": option["kind"], "gpu": option["gpu"],
             **mixes.bill_of(case, option)}
            for option in done.options]
    table = pd.DataFrame(rows).sort_values("usd_per_month", kind="stable", ignore_index=True)
    first = table.iloc[0]
    parts = {line: first[f"usd_per_month_{line}"] for line in bill.LINES}
    largest = max(parts, key=parts.get)
    lowest = _said_month(case, first["usd_per_month"], next(one for one in done.options if one["name"] == first["name"]))
    return Finding(table, f"The lowest bill is {lowest} a month; its largest part is "
                   f"{bill.LINES[largest][0].lower()}{bill.LINES[largest][1:]}", (
                       "The lines add up to the month. Machines that work: the busy share of the paid time; those that wait: the "
                       "rest, without spares. To be paid whatever comes: what is bought, or the whole term of a contract."),
                   units={name: unit for name, (_, unit) in BILL_COLUMNS.items() if unit} | {"gpus": "GPU"})


def _said_month(case, usd, option):
    """The bill of a month of an option in words; its ends are those of its offer, where it pays that alone and is no mix."""
    offer = option["row"]
    known = ends(offer, "usd_per_month") if np.isclose(offer["usd_per_month"], usd) else {}
    return choice_words.said_month(case, usd, option["kind"], option["gpu"], **known)


@finding
def lines(found):
    """The lines of :func:`bills` of the cheapest choices, one row each, for a figure."""
    table = found.table.head(DRAWN)
    rows = [{"name": row["name"], "line": words, "usd_per_month": sum(row[f"usd_per_month_{line}"] for line in parts),
             "total": choice_words.money(row["usd_per_month"])}
            for _, row in table.iterrows() for words, parts in TOGETHER.items()]
    return Finding(pd.DataFrame(rows), found.sentence)


def average_months(case, done, **changed):
    """Bill of a mean month of each choice over the years at all medians, but for what is changed. [USD/month]"""
    values = montecarlo.input_draws(done.inputs, montecarlo.ZERO) | {name: np.array([value]) for name, value in changed.items()}
    demand = montecarlo.years_demand(case, values)
    per_mtok = np.array([montecarlo.levelised(case, option, values, montecarlo.ZERO, done.inputs)[0] for option in done.options])
    paid = per_mtok * horizon.present_mtok(case, demand)
    return paid / sum(horizon.discount(case, year + 1) for year in range(case.years)) / units.MONTHS_PER_YEAR


def phrase(case, option):
    """A choice of the draws in words, with its GPUs."""
    bills_gpus = None if option["base"] == "api" else mixes.bill_of(case, option)["gpus"]
    return choice_words.doing(case, option["kind"], option["gpu"], bills_gpus)


@finding
def headline(case, offered, done):
    """The answer of the chapter: what costs least on average over the years, how sure that is, and what it costs a month."""
    queries.ask(*done.queries)
    chosen = done.options[best(done)]
    table, shares = offered.table, drivers.cheapest(case, done)["by_group"]
    bill_now = mixes.bill_of(case, chosen)["usd_per_month"]
    said = (f"{choice_words.at_prices(case, chosen['row'])}, {phrase(case, chosen)} costs least over "
            f"{choice_words.said_years(case)}: about "
            f"{_said_month(case, bill_now, chosen)} a month today.")
    group = chosen["group"]
    return Finding(
        table, said,
        number=choice_words.said_share(case, shares[group], group),
        label=f"of simulated futures make {choice_words.DOING[group]} the cheapest, for {_load(case)} a day",
        kind=chosen["kind"])


def _load(case):
    """The load of today in all its digits: "477,800 requests"."""
    said = named("requests-per-day", case.requests_per_day, lambda number: f"{number:,.0f}" if number >= 1 else f"{number:g}")
    return f"{said} request{'' if said == '1' else 's'}"


@finding
def what_to_do(case, crossings, done):
    """One sentence: what to do, and when to change it."""
    queries.ask(*done.queries)
    chosen = done.options[best(done)]
    return Finding(pd.DataFrame(), f"{_imperative(case, chosen)}; {_until(case, crossings, chosen, done)}")


def _imperative(case, option):
    said = choice_words.first_up(phrase(case, option))
    for gerund, order in (("Calling", "Call"), ("Renting", "Rent"), ("Owning", "Buy"), ("Reserving", "Reserve")):
        if said.startswith(gerund):
            said = order + said[len(gerund):]
    return said.replace(" and sending ", " and send ").replace(" and renting ", " and rent ")


def turn(crossings, option):
    """The volume at which the API and machines change places: the least of any kind, or that of the choice. [request/day]"""
    table = crossings.table
    if table.empty:
        return np.inf, None
    rows = table if option["base"] == "api" else table[table["kind"] == option["base"]]
    rows = rows[np.isfinite(rows["requests_per_day"])]
    if rows.empty:
        return np.inf, None
    row = rows.loc[rows["requests_per_day"].idxmin()]
    return float(row["requests_per_day"]), row


def _until(case, crossings, option, done):
    """When to change, in words."""
    at, row = turn(crossings, option)
    if row is None:
        return "look again in a year, as no volume alone changes this"
    volume = choice_words.said_volume(case, at, row["kind"], row["gpu"], **ends(row, "requests_per_day"))
    if option["base"] == "api":
        other = choice_words.doing(case, row["kind"], row["gpu"])
        return f"look again above about {volume} requests a day, where {other} becomes cheaper"
    return f"look again below about {volume} requests a day, where {choice_words.api(case)} becomes cheaper"


@finding
def questions(case, crossings, done):
    """Six questions of a finance lead, each with an answer of one sentence."""
    queries.ask(*done.queries)
    place = best(done)
    option = done.options[place]
    found = mixes.bill_of(case, option)
    asked = {
        "What do I pay a month?": _month(found),
        "What do I commit to?": _commitment(found),
        "What if demand is half?": _changed(case, done, place, ("", average_months(case, done, demand=HALF))),
        "What if prices fall or rise by half?": _changed(
            case, done, place, *((word, average_months(case, done, rent_decline=-np.log(ratio), api_decline=-np.log(ratio)))
                                 for word, ratio in (("If they fall, ", LESS), ("If they rise, ", MORE)))),
        "Who runs it?": _people(case, option),
        "When do I look again?": _again(case, crossings, done, place),
    }
    table = pd.DataFrame([{"question": question, "answer": answer} for question, answer in asked.items()])
    return Finding(table, note=(
        f"Of the choice that costs least on average: {phrase(case, option)}. What-ifs: all other inputs at their medians, "
        "machines and contracts taken for the planned demand, prices that float half or half as much again after a year; a mean "
        f"month of {choice_words.years(case.years)}."))


def _month(found):
    lines = sorted(((usd, bill.LINES[line]) for line in bill.LINES if (usd := found[f"usd_per_month_{line}"]) > 0), reverse=True)
    parts = [f"{choice_words.money(usd)} for {words[0].lower()}{words[1:]}" for usd, words in lines[:2]]
    return f"{choice_words.money(found['usd_per_month'])} today, of it {' and '.join(parts)}."


def _commitment(found):
    if not found["commitment_usd"] > 0:
        return "To nothing: each month can be the last."
    months = round(found["commitment_months"])
    if found["capital_usd"] > 0:
        return (f"{choice_words.money(found['capital_usd'])} of capital in machines, reckoned over {months} months; what they "
                "sell for then comes back.")
    return f"{choice_words.money(found['commitment_usd'])} over {months} months, whatever comes."


def _changed(case, done, place, *ways):
    """What a change does to the bill of the chosen, and whether something else becomes the cheapest."""
    plain, said = average_months(case, done)[place], []
    for opening, months in ways:
        ratio, other = months[place] / plain - 1, int(months.argmin())
        how = ("the bill stays the same" if abs(ratio) < SAME else
               f"the bill {'rises' if ratio > 0 else 'falls'} by {choice_words.share(abs(ratio))}")
        if other != place and months[other] < (1 - SAME) * months[place]:
            option = done.options[other]
            how += f", and {choice_words.doing(case, option['kind'], option['gpu'])} is cheaper"
        else:
            how += " and nothing else is cheaper" if len(done.options) > 1 else ""
        said.append(opening + how)
    return choice_words.first_up("; ".join(said).replace("; If", "; if")) + "."


def _people(case, option):
    machines = case.people if option["base"] != "api" else 0.0
    api = case.api_people if option["base"] == "api" or option["kind"].endswith("+api") else 0.0
    usd = (machines + api) * case.usd_per_person_year / units.MONTHS_PER_YEAR
    if not usd > 0:
        return "A team that exists, at no further cost."
    return f"{choice_words.first_up(choice_words.positions(machines + api))}, {choice_words.money(usd)} a month."


def _again(case, crossings, done, place):
    """Volumes and prices at which another choice comes first."""
    option = done.options[place]
    at, row = turn(crossings, option)
    ways = [] if row is None else [f"{'above' if option['base'] == 'api' else 'below'} about "
                                   f"{choice_words.rounded(float(f'{at:.2g}'))} requests a day"]
    months = average_months(case, done)
    others = [months[other] for other, one in enumerate(done.options) if one["base"] != "api"]
    api = [months[other] for other, one in enumerate(done.options) if one["base"] == "api"]
    if api and others:
        gap = (min(others) / api[0] - 1) if option["base"] == "api" else (1 - months[place] / api[0])
        if gap >= SAME:
            ways.append(f"when API prices are {choice_words.share(gap)} {'higher' if option['base'] == 'api' else 'lower'}")
    *others, last = [*ways, "within a year"]
    return choice_words.first_up(f"{', '.join(others)} or {last}" if others else last) + "."

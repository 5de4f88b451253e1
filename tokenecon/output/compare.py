"""``tokenecon compare``: what differs between scenarios, in the inputs and in the answer, and what each difference is worth."""

import shlex
from math import nan
from types import SimpleNamespace

import pandas as pd

from tokenecon.decision import bill, choice_words, mixes, options, scenario
from tokenecon.decision.report import reported
from tokenecon.errors import BadInput, NoEstimate, NoPrice, NothingServes
from tokenecon.importers import own_model

MOST = 8  # scenarios at once: each difference of each is computed
# what is one input though it has several fields: (block, fields)
TOGETHER = {"traffic": None, "task": None, "service.spare_replicas": ("spare_replicas", "availability"),
            "money.currency": ("currency", "usd_per_unit", "rate_as_of")}
# name, seed and uncertainty are none of them: today's cost does not depend on them
WHOLE = ("model", "weights", "kv", "gpus", "n_gpus", "choices")
BLOCKS = ("workload", "service", "latency", "money")
WORDS = {"model": "the model", "weights": "the format of the weights", "kv": "the format of the cache",
         "gpus": "the accelerators", "n_gpus": "the size of an instance", "choices": "the choices allowed",
         "traffic": "the hours of the load", "task": "the task",
         "workload.isl": "the length of prompts", "workload.osl": "the length of answers",
         "workload.cached_prefix": "the share found in a cache", "workload.requests_per_day": "the number of requests",
         "money.api": "the price of the API", "money.price_rule": "the choice of sellers", "money.as_of": "the day of the prices",
         "service.people": "the positions that run it"}  # fmt: skip
REST, ALL = "together beyond one by one", "whole difference"
ANSWERS = {  # column of the cheapest choice: (words, unit)
    "name": ("cheapest choice", None), "usd_per_month": ("a month", "USD/month"), "usd_per_mtok": ("USD per Mtok", "USD/Mtok"),
    "usd_per_mtok_used": ("if always full", "USD/Mtok"), "gpus": ("GPUs paid", "GPU"), "utilisation": ("busy", "fraction"),
    "usd_per_gpu_hour": ("GPU hour", "USD/GPU/h"), "capital_usd": ("capital", "USD"), "commitment_usd": ("committed", "USD"),
    **{f"usd_per_month_{line}": (words.lower().replace("api", "API"), "USD/month") for line, words in bill.LINES.items()},
}  # fmt: skip
WORTH = {"scenario": ("to", None), "input": ("input", None), "from": ("from", None), "to": ("becomes", None),
         "usd_per_month": ("a month", "USD/month"), "usd_per_mtok": ("USD per Mtok", "USD/Mtok"),
         "cheapest": ("cheapest then", None), "note": ("", None)}  # fmt: skip
NOTE = ("Of each scenario the cheapest choice, as `tokenecon cost` finds it. Each difference is taken over alone from the first "
        "scenario to the other, machines and choice made anew; what they make together beyond that is a line of its own, and "
        "the lines add up to the whole difference.")


@reported
def compare(paths, price_rule=None, changes=()):
    """Scenarios against the first one: a report with the inputs that differ, the answers, and what each difference is worth.

    ``changes`` are texts like ``isl=3000`` in place of what the first one says.
    """
    if not 2 <= len(paths) <= MOST:
        raise BadInput(f"compare takes from 2 to {MOST} scenarios, not {len(paths)}; see `tokenecon list scenarios`")
    given = [read(path, price_rule, changes if place == 0 else ()) for place, path in enumerate(paths)]
    found = [_answer(one.case) for one in given]
    for one, answer in zip(given, found, strict=True):
        if isinstance(answer, str):
            raise BadInput(f"scenario '{one.case.name}': {answer}")
    labels = _labels(given)
    named = {name: None for one in given[1:] for name in differing(given[0], one)}
    inputs = pd.DataFrame([{"input": name} | {label: shown(one, name) for label, one in zip(labels, given, strict=True)}
                           for name in named], columns=["input", *labels])
    kept = ["name", *(f"{name}{end}" for name in ANSWERS if name != "name" for end in options.ENDS)]
    answers = pd.DataFrame([{"scenario": label} | {name: answer.row[name] for name in kept if name in answer.row}
                            for label, answer in zip(labels, found, strict=True)])
    telling = {name: words for name, words in ANSWERS.items() if name == "name" or (answers[name].fillna(0.0) != 0.0).any()}
    worth = pd.DataFrame([line for label, one, answer in zip(labels[1:], given[1:], found[1:], strict=True)
                          for line in _worth(given[0], found[0], one, answer, label)], columns=list(WORTH))
    of_each = {label: (label, None) for label in labels}
    sections = [("What differs in the inputs", "differences", inputs, {"input": ("input", None)} | of_each),
                ("What differs in the answer", "answers", answers, {"scenario": ("scenario", None)} | telling),
                ("What each difference is worth", "worth", worth, WORTH)]
    rule = f" --price-rule {price_rule}" if price_rule else ""
    return {"scenario": given[0].case, "sections": sections, "note": NOTE,
            "findings": [_sentence(labels[0], found[0], label, answer, worth[worth["scenario"] == label])
                         for label, answer in zip(labels[1:], found[1:], strict=True)],
            "sources": list(dict.fromkeys(source for answer in found for source in answer.offers.sources)),
            "others": [shlex.quote(str(path)) for path in paths[1:]],
            "command": f"tokenecon compare {' '.join(shlex.quote(str(path)) for path in paths)}{rule}",
            "scenarios": [{"label": label, "scenario": one.case, "operands": [
                mixes.alone(one.case, row) for _, row in options.feasible(answer.offers.table).iterrows()]}
                for label, one, answer in zip(labels, given, found, strict=True)]}


def said(name):
    """An input as a reader says it.

    >>> said("workload.isl"), said("money.usd_per_kwh"), said("traffic")
    ('the length of prompts', 'usd per kwh', 'the hours of the load')
    """
    return WORDS.get(name, name.rpartition(".")[2].replace("_", " "))


# --- inputs ----------------------------------------------------------------------------------------


def read(path, price_rule=None, changes=()):
    """A scenario's mapping with whole paths, and its case; ``path`` may be the mapping."""
    given, where = scenario.opened(path)
    if isinstance(given.get("model"), str):
        given["model"] = own_model.beside(given["model"], where.parent)
    if isinstance(given.get("traffic"), dict) and isinstance(given["traffic"].get("file"), str):
        given["traffic"] = given["traffic"] | {"file": str((where.parent / given["traffic"]["file"]).resolve())}
    given = scenario.changed(given, scenario.stated(changes, price_rule))
    return SimpleNamespace(given=given, path=where, case=scenario.case(given, where))


def _labels(given):
    """Names of the scenarios, told apart by a number where two are alike."""
    names = [one.case.name for one in given]
    return [name if names.count(name) == 1 else f"{name} ({names[:place + 1].count(name)})" for place, name in enumerate(names)]


def _fields(given):
    """Names of the inputs of a mapping, those that go together as one."""
    found = dict.fromkeys([*WHOLE, "traffic", "task"])
    for block in BLOCKS:
        for field in given.get(block) or {}:
            found[_unit(block, field)] = None
    return list(found)


def _unit(block, field):
    """The name of the input that a field belongs to."""
    name = f"{block}.{field}"
    return next((unit for unit, fields in TOGETHER.items() if fields and unit.startswith(f"{block}.") and field in fields), name)


def _parts(name):
    """Block and fields of an input."""
    block, _, field = name.partition(".")
    return (block, TOGETHER.get(name) or (field,)) if field else (None, (name,))


def _taken(given, name):
    """What a mapping says of an input."""
    block, fields = _parts(name)
    part = given if block is None else given.get(block) or {}
    return tuple(part.get(field) for field in fields)


def _with(given, name, other):
    """A mapping with one input as another mapping has it."""
    block, fields = _parts(name)
    source = other if block is None else other.get(block) or {}
    part = dict(given if block is None else given.get(block) or {})
    for field in fields:
        part.pop(field, None)
        if field in source:
            part[field] = source[field]
    return part if block is None else given | {block: part}


def differing(first, other):
    """Names of the inputs that differ once both are checked and filled in."""
    names = dict.fromkeys([*_fields(first.given), *_fields(other.given)])
    return [name for name in names
            if _taken(first.given, name) != _taken(other.given, name) and not _same(first, name, other)]


def _same(first, name, other):
    """Whether an input of the other makes the same case: what one states and the other leaves to an assumption."""
    try:
        return _alike(first.case, scenario.case(_with(first.given, name, other.given), first.path))
    except BadInput:
        return False


def _alike(first, other):
    return all(one.equals(vars(other)[name]) if hasattr(one, "equals") else one == vars(other)[name]
               for name, one in vars(first).items() if name != "name")


def shown(one, name):
    """An input as text: as the scenario states it, or as it was filled in."""
    if name == "traffic":
        return ", ".join(f"{field} {value}" for field, value in one.given["traffic"].items())
    said = [value for value in _taken(one.given, name) if value is not None]
    _, fields = _parts(name)
    known = said or [value for field in fields if (value := getattr(one.case, field, None)) is not None][:1]
    return "; ".join(_text(value) for value in known) or "not stated"


def _text(value):
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)


# --- answers ---------------------------------------------------------------------------------------


def _answer(case):
    """Offers of a case and its cheapest choice, or why there is none."""
    try:
        offers = options.offers(case)
    except (NothingServes, NoPrice, NoEstimate) as error:
        return str(error)
    return SimpleNamespace(case=case, offers=offers, row=options.feasible(offers.table).iloc[0])


def _worth(first, start, other, end, label):
    """Lines of what each difference is worth, one at a time, what they make together, and the whole."""
    lines = []
    for name in differing(first, other):
        line = {"scenario": label, "input": name, "from": shown(first, name), "to": shown(other, name), "note": ""}
        try:
            case = scenario.case(_with(first.given, name, other.given), first.path)
            found = _answer(case)
        except BadInput as error:
            found = getattr(error, "rest", str(error))
        if isinstance(found, str):
            lines.append(line | {"usd_per_month": nan, "usd_per_mtok": nan, "cheapest": "–", "note": f"not alone: {found}"})
        else:
            lines.append(line | _change(start, found))
    lines.sort(key=lambda one: -abs(one["usd_per_month"]) if one["usd_per_month"] == one["usd_per_month"] else 1.0)
    whole = _change(start, end)
    rest = {key: whole[key] - sum(one[key] for one in lines if one[key] == one[key]) for key in ("usd_per_month", "usd_per_mtok")}
    blank = {"scenario": label, "from": "", "to": "", "note": ""}
    return [*lines, blank | {"input": REST, **rest, "cheapest": ""}, blank | {"input": ALL, **whole}]


def _change(start, found):
    """What becomes of the bill and of a million tokens, and the cheapest choice then."""
    return {key: float(found.row[key] - start.row[key]) for key in ("usd_per_month", "usd_per_mtok")} | {
        "cheapest": found.row["name"]}


def _sentence(name, start, label, end, worth):
    """How much the other costs more or less, and which difference does most of it."""
    months = [choice_words.money(one.row["usd_per_month"]) for one in (start, end)]
    text = f"{label} costs {months[1]} a month, {name} {months[0]}"
    parts = worth[~worth["input"].isin((REST, ALL)) & (worth["usd_per_month"] != 0)].dropna(subset=["usd_per_month"])
    if parts.empty:
        return f"{text}; no input alone changes the bill"
    first = parts.iloc[0]
    ways = f"{'raises' if first['usd_per_month'] > 0 else 'lowers'} the bill by {choice_words.money(abs(first['usd_per_month']))}"
    return f"{text}; of all inputs {said(first['input'])} alone does most and {ways}"

"""The parameters of a notebook: read their one declaration, refuse what it does not allow.

A notebook declares its parameters in the cell tagged ``parameters``, one a line::

    gpu = "h100-sxm"  # gpu: the accelerator, see `tokenecon list gpus`
    batch = 32  # sequence: requests decoded together

The word before the colon is a unit of :mod:`tokenecon.units` or a kind of id, and decides which
values are good.  That line is the only declaration: the command, the runner and the notebook's
own ``parameters.check(globals())`` all read it.  A number that a row of ``data/`` or a scenario holds
is not typed again but taken from there by its id::

    pue = "power.pue"  # ratio: power of the building over power of its machines
    as_of = "chat-assistant.money.as_of"  # date: prices known on this day

A line without its comment still runs: its value may then be anything of the same type.
"""

import ast
import datetime
import io
import json
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

from pydantic import ValidationError

from tokenecon import data, queries, units
from tokenecon.errors import BadInput, UnknownId, did_you_mean
from tokenecon.kinds import COUNTS, UnknownKind, check_unit, kind, refusal, scenarios, split

REFERENCE = re.compile(r"[a-z][a-z0-9_]*([-.][a-z0-9_-]+)+")
TEXTS = ("model", "gpu", "gpus", "precision", "scenario", "text")
COMMENT = re.compile(r"#\s*(?P<unit>choice\([^)]*\)|[\w/]+)\s*:\s+(?P<meaning>\S.*)")
COLUMNS = {"name": ("Name", None), "value": ("Value", None), "unit": ("Unit", None), "meaning": ("Meaning", None),
           "origin": ("From the row", None)}
DAY = re.compile(r"\d{4}-\d\d-\d\d")
LISTED = 12  # a longer list of allowed ids is cut to the nearest ones


class SpecError(BadInput):
    """A parameters cell that does not say what it must."""


class ParameterError(BadInput):
    """A parameter that the notebook does not have, or a value that it does not allow."""


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell; ``literal`` is what stands there, a value or the id of one."""

    name: str
    literal: object
    unit: str
    meaning: str

    @property
    def origin(self):
        """The id that the default is taken from, or nothing where it is typed."""
        return self.literal if is_reference(self.literal, self.unit) else ""

    @cached_property
    def default(self):
        """The value that stands in the cell, or in the row that it names."""
        return figure(self.origin, self.unit) if self.origin else self.literal


# --- values by id --------------------------------------------------------------------------------


def is_reference(value, unit):
    """Whether a text stands for a number or a day that a row holds, and not for itself."""
    if isinstance(value, str) and value.partition(".")[0] in scenarios() and REFERENCE.fullmatch(value):
        return "." in value
    if not isinstance(value, str) or unit in TEXTS or unit.startswith("choice("):
        return False
    if DAY.fullmatch(value) or not REFERENCE.fullmatch(value):
        return False
    return unit != "" or value in _figures()


def _figures():
    """Ids of every number in ``data/`` that a default may be."""
    return [one for table in ("claims", "assumptions", "traces") for one in data.ids(table)]


def _figure(fact_id):
    """Value and unit of one of them; of a printed range its middle."""
    if fact_id in data.ids("claims"):
        row = data.claim(fact_id)
        if row["low"] == row["low"] and row["high"] == row["high"]:
            return (row["low"] + row["high"]) / 2, row["unit"]
    for table in ("assumptions", "traces"):
        if fact_id in data.ids(table):
            row = data.row(table, fact_id)
            return row["value"], row["unit"]
    raise UnknownId("value", fact_id, _figures(), "data/assumptions.csv, data/claims.csv and data/traces.csv")


def figure(fact_id, unit):
    """The value of a row of assumptions, traces or claims (of a range its middle), or of ``SCENARIO.block.field``, in a unit."""
    from tokenecon.decision import scenario  # late: few pages ask

    name, _, path = fact_id.partition(".")
    if name in scenario.names():
        return scenario.field(name, path)
    value, given = _figure(fact_id)
    if unit == "date":  # a claim prints its day as 20251208
        return datetime.datetime.strptime(f"{value:.0f}", "%Y%m%d").date().isoformat()
    if unit in units.UNITS and given in units.UNITS:
        value = units.convert(value, given, unit)
    return int(value) if value == int(value) and (unit in COUNTS or unit == "int") else float(value)


# --- reading the declaration -------------------------------------------------------------------


def spec(path):
    """Name to :class:`Parameter` of a notebook file."""
    path = Path(path)
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        raise SpecError(f"'{path}' cannot be read as a notebook; give an .ipynb file") from None
    sources = [c["source"] for c in cells if "parameters" in c.get("metadata", {}).get("tags", ())]
    if not sources:
        raise SpecError(f"'{path}' has no cell tagged 'parameters'; tag the one that declares them")
    return parse("".join(sources[0]), where=path.stem)


def parse(source, where="the parameters cell"):
    """Name to :class:`Parameter` of the text of a parameters cell."""
    try:
        statements = ast.parse(source).body
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (SyntaxError, tokenize.TokenError) as error:
        raise SpecError(f"{where}: the parameters cell is not Python: {error}") from None
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    found = {}
    for statement in statements:
        name, value = _assignment(statement, where)
        if name in found:
            raise SpecError(f"{where}: parameter '{name}' is declared twice; keep one line")
        comment = COMMENT.fullmatch(comments.get(statement.end_lineno, "").strip())
        if not comment:
            found[name] = Parameter(name, value, "", "")
            continue
        found[name] = Parameter(name, value, comment["unit"], comment["meaning"].strip())
        try:
            check_unit(comment["unit"])
        except UnknownKind as error:
            raise SpecError(f"{where}: parameter '{name}': {error}") from None
    return found


def _assignment(statement, where):
    """Name and literal of ``name = literal``; anything else has no place in a parameters cell."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            try:
                return target.id, ast.literal_eval(statement.value)
            except ValueError:
                raise SpecError(
                    f"{where}: parameter '{target.id}' is not a literal; give a number, a text, True or False"
                ) from None
    line = ast.unparse(statement).splitlines()[0]
    raise SpecError(f"{where}: `{line}` is not of the form `name = literal  # unit: meaning`")


# --- values --------------------------------------------------------------------------------------


def accept(parameter, value, where=""):
    """The value in its type, or one sentence that says what is wrong with it.

    A parameter that is declared as None may be left blank; something else than this page then says its value.
    """
    if parameter.default is None and value in (None, ""):
        return None
    prefix = f"{where}: " if where else ""
    if is_reference(value, parameter.unit):
        try:
            value = figure(value, parameter.unit)
        except UnknownId as error:
            raise ParameterError(f"{prefix}parameter '{parameter.name}': {error}") from None
    rule = kind(parameter.unit or _unit_of(parameter.default), isinstance(parameter.default, int))
    try:
        return rule.adapter.validate_python(value)
    except ValidationError as error:
        if reason := refusal(error):
            raise ParameterError(f"{prefix}parameter '{parameter.name}': {reason}") from None
    text = f"{prefix}parameter '{parameter.name}' is {value!r}, but must be {rule.allowed}"
    if rule.ids and len(rule.ids) <= LISTED:
        text += f": {', '.join(rule.ids)}"
    elif rule.ids:
        given = split(value) if parameter.unit == "gpus" else [value]
        wrong = [one for one in given if one not in rule.ids] if isinstance(given, list) else []
        text += "".join(did_you_mean(one, rule.ids) for one in wrong[:2])
    raise ParameterError(text + (f"; see {rule.look}" if rule.look else ""))


def _unit_of(value):
    """The kind of a parameter whose line says none: what its default is."""
    return {bool: "bool", int: "int", float: "1", str: "text"}[type(value)]


def validate(declared, values, where=""):
    """The values, in types that papermill can write into a notebook; refuses what is not declared."""
    good = {}
    for name, value in values.items():
        if name not in declared:
            _refuse(name, declared, where)
        accepted = accept(declared[name], value, where)
        good[name] = ",".join(accepted) if isinstance(accepted, list) else accepted
    return good


def _refuse(name, declared, where=""):
    prefix = f"{where}: " if where else ""
    raise ParameterError(
        f"{prefix}parameter '{name}' does not exist{did_you_mean(name, declared)}; "
        f"allowed are {', '.join(declared)}; see `tokenecon list parameters NOTEBOOK`"
    )


# --- inside a notebook -------------------------------------------------------------------------


def check(names):
    """The validated parameters of the notebook that calls this with its ``globals()``.

    Knows the declaration from the executed parameters cell, so it works under plain papermill, in
    JupyterLab and in the book alike.  A name that papermill injected and the notebook does not
    declare is refused; papermill alone would run on with the default and exit 0.
    """
    history = names.get("In")
    if not history:
        raise SpecError("parameters.check(globals()) needs the input history of a notebook; call it in one")
    place = _place(history)
    declared = parse(history[place])
    for source in history[place + 1 :]:
        if source.startswith("# Parameters"):  # what papermill writes above the values it injects
            for statement in ast.parse(source).body:
                name, _value = _assignment(statement, "the injected parameters")
                if name not in declared:
                    _refuse(name, declared)
    return Case({name: (accept, one, names[name]) for name, one in declared.items()})


class Case(SimpleNamespace):
    """The values of a page's parameters; what a row of ``data/`` gave is put on record each time it is used."""

    __slots__ = ("_asked",)

    def __init__(self, values):
        """``values`` maps a name to a function and its arguments: what they ask of ``data/`` is where the value is from."""
        found, asked = {}, {}
        for name, (function, *arguments) in values.items():
            with queries.recording() as record:
                found[name] = function(*arguments)
            asked[name] = tuple(record)
        super().__init__(**found)
        object.__setattr__(self, "_asked", asked)

    def __getattribute__(self, name):
        if not name.startswith("_"):
            queries.ask(*object.__getattribute__(self, "_asked").get(name, ()))
        return super().__getattribute__(name)


def scenario(case):
    """The scenario that a page's parameters name, with those that are not blank put in its place.

    Raises :class:`ParameterError` for a value that the scenario does not allow.
    """
    from tokenecon.decision import scenario as scenarios  # late: most pages have none

    given = {name: getattr(case, name, None) for name in scenarios.PARAMETERS}
    try:
        return scenarios.overridden(case.scenario, {name: value for name, value in given.items() if value is not None})
    except scenarios.BadScenario as error:
        named = [name for name, path in scenarios.PARAMETERS.items() if ".".join(path) == error.path and given[name] is not None]
        raise ParameterError(f"parameter '{named[0]}' {error.rest}" if named else str(error)) from None


def kept(case):
    """What the scenario of a page holds where parameters are blank: {parameter: (value, its place)}; none without one."""
    from tokenecon.decision import scenario as scenarios  # late: most pages have none

    if not hasattr(case, "scenario"):
        return {}
    found = scenario(case)
    return {name: (getattr(found, name), f"{case.scenario}.{'.'.join(path)}") for name, path in scenarios.PARAMETERS.items()
            if getattr(case, name, "") is None and getattr(found, name, None) is not None}


def _place(history):
    """Where in the history the parameters cell is: the newest with a comment, or with none the newest that only assigns."""
    told = [place for place, source in enumerate(history) if _assigns(source) and COMMENT.search(source)]
    bare = [place for place, source in enumerate(history) if _assigns(source) and not source.startswith("# Parameters")]
    if not told and not bare:
        raise SpecError("no parameters cell was run before parameters.check(globals()); run that cell first")
    return (told or bare)[-1]


def _assigns(source):
    """Whether a cell does nothing but give names to values."""
    try:
        body = ast.parse(source).body
        return bool(body) and all(_assignment(one, "") for one in body)
    except (SyntaxError, SpecError):
        return False


def table(names):
    """The parameters of the notebook that calls this with its ``globals()``, as a table for the page."""
    import pandas as pd  # late: who only checks parameters needs none

    case, declared = check(names), parse(names["In"][_place(names["In"])])
    own = {one.name: (getattr(case, one.name), one.origin if getattr(case, one.name) == one.default else "")
           for one in declared.values()} | kept(case)
    return pd.DataFrame([{
        "name": one.name, "meaning": one.meaning.replace("`", ""), "value": _formatted(own[one.name][0]),
        "unit": "" if one.unit in TEXTS or one.unit.startswith("choice(") else one.unit, "origin": own[one.name][1]}
        for one in declared.values()])


def _formatted(value):
    """A value as the page prints it."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)

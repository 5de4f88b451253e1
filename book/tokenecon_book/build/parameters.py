"""The parameters of a notebook: read their one declaration, refuse what it does not allow.

A notebook declares its parameters in the cell tagged ``parameters``, one a line::

    gpu = "h100-sxm"  # gpu: the accelerator, see `tokenecon list gpus`
    batch = 32  # sequence: requests decoded together

The word before the colon is a unit of :mod:`tokenecon.units` or a kind of id, and decides which
values are good.  That line is the only declaration: the command, the runner and the notebook's
own ``parameters.check(globals())`` all read it.
"""

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from pydantic import ValidationError

from tokenecon.errors import BadInput, did_you_mean
from tokenecon.kinds import UnknownKind, kind, known, split

COMMENT = re.compile(r"#\s*(?P<unit>choice\([^)]*\)|[\w/]+)\s*:\s+(?P<meaning>\S.*)")
LISTED = 12  # a longer list of allowed ids is cut to the nearest ones


class SpecError(BadInput):
    """A parameters cell that does not say what it must."""


class ParameterError(BadInput):
    """A parameter that the notebook does not have, or a value that it does not allow."""


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell."""

    name: str
    default: object
    unit: str
    meaning: str


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
        comment = COMMENT.fullmatch(comments.get(statement.end_lineno, "").strip())
        if not comment:
            raise SpecError(f"{where}: parameter '{name}' lacks its comment `# unit: meaning`")
        if name in found:
            raise SpecError(f"{where}: parameter '{name}' is declared twice; keep one line")
        found[name] = Parameter(name, value, comment["unit"], comment["meaning"].strip())
        try:
            known(comment["unit"])
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
    rule = kind(parameter.unit, isinstance(parameter.default, int))
    try:
        return rule.adapter.validate_python(value)
    except ValidationError:
        pass
    prefix = f"{where}: " if where else ""
    text = f"{prefix}parameter '{parameter.name}' is {value!r}, but must be {rule.allowed}"
    if rule.ids and len(rule.ids) <= LISTED:
        text += f": {', '.join(rule.ids)}"
    elif rule.ids:
        given = split(value) if parameter.unit == "gpus" else [value]
        wrong = [one for one in given if one not in rule.ids] if isinstance(given, list) else []
        text += "".join(did_you_mean(one, rule.ids) for one in wrong[:2])
    raise ParameterError(text + (f"; see {rule.look}" if rule.look else ""))


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
    place = max((place for place, source in enumerate(history) if _declares(source)), default=None)
    if place is None:
        raise SpecError("no parameters cell was run before parameters.check(globals()); run that cell first")
    declared = parse(history[place])
    for source in history[place + 1 :]:
        if source.startswith("# Parameters"):  # what papermill writes above the values it injects
            for statement in ast.parse(source).body:
                name, _value = _assignment(statement, "the injected parameters")
                if name not in declared:
                    _refuse(name, declared)
    return SimpleNamespace(**{name: accept(one, names[name]) for name, one in declared.items()})


def scenario(case):
    """The scenario that a page's parameters name, with those that are not blank put in its place.

    Raises :class:`ParameterError` for a value that the scenario does not allow.
    """
    from tokenecon.decision import scenario as scenarios  # late: most pages have none

    given = {name: getattr(case, name, None) for name in scenarios.PARAMETERS}
    try:
        return scenarios.overridden(case.scenario, {name: value for name, value in given.items() if value is not None})
    except scenarios.BadScenario as error:
        named = [name for name, path in scenarios.PARAMETERS.items() if ".".join(path) == error.path]
        raise ParameterError(f"parameter '{named[0]}' {error.rest}" if named else str(error)) from None


def _declares(source):
    """Whether a cell is a parameters cell: assignments, at least one with ``# unit: meaning``."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    lines = source.splitlines()
    return bool(body) and all(
        isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) for one in body
    ) and any(COMMENT.search(lines[one.end_lineno - 1]) for one in body)  # fmt: skip

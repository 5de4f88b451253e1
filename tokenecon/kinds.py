"""What a unit or a kind of id allows as the value of a parameter: a pydantic type, and words."""

import datetime
import os
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

from tokenecon import units
from tokenecon.errors import BadInput, did_you_mean
from tokenecon.queries import kept

COUNTS = ("count", "param", "position", "sequence", "layer", "head", "expert", "request", "word", "site",
          "GPU", "tok", "tok_in", "tok_out", "tok_cached")  # fmt: skip
EVERY_GPU = "all"
MOST = 10**15  # of any number: beyond, sums lose their last digits and nothing real is meant
BELOW = ", at most 1e15"


class UnknownKind(BadInput):
    """A unit that is neither in the closed list nor a kind of id."""


@dataclass(frozen=True)
class Kind:
    """Which values a unit or id kind allows: a pydantic type and the same in words."""

    adapter: TypeAdapter
    allowed: str
    ids: tuple = ()
    look: str = ""


def check_unit(unit):
    """Refuse a unit that is neither of the closed list nor a kind of id; reads no data."""
    if unit in IDS or unit in PLAIN or unit in units.UNITS or unit == "scenario" or unit.startswith("choice("):
        return
    raise UnknownKind(
        f"'{unit}' is neither a unit nor a kind of parameter{did_you_mean(unit, units.UNITS)}; allowed are "
        f"{', '.join((*IDS, *PLAIN, 'scenario', 'choice(a|b)'))} and the units of tokenecon/units.py"
    )


@kept
def kind(unit, whole):
    """The :class:`Kind` of a unit; ``whole`` says that a count is meant as a whole number."""
    check_unit(unit)
    if unit in IDS:
        ids, look = _ids(IDS[unit][0]), IDS[unit][1]
        one = Literal[ids]
        if unit == "gpus":
            many = Annotated[list[one], BeforeValidator(split), AfterValidator(_each_once)]
            allowed = f"comma separated ids of gpus, each once, or '{EVERY_GPU}'"
            return Kind(TypeAdapter(many), allowed, ids, look)
        if unit == "model":
            own = Annotated[str, AfterValidator(_model)]
            return Kind(TypeAdapter(own), "the id of a model, or the path of its config.json", ids, look)
        return Kind(TypeAdapter(one), f"the id of a {unit}", ids, look)
    if unit == "scenario":
        own = Annotated[str, AfterValidator(_scenario)]
        return Kind(TypeAdapter(own), "the name of a scenario, or the path of a scenario file that is there", tuple(scenarios()),
                    "`tokenecon list scenarios`")
    if unit.startswith("choice("):
        choices = tuple(choice.strip() for choice in unit[len("choice(") : -1].split("|"))
        return Kind(TypeAdapter(Literal[choices]), "one of the choices", choices)
    if unit in PLAIN:
        return PLAIN[unit]
    if unit in COUNTS and whole:
        at_least_one = Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_no_bool)]
        return Kind(TypeAdapter(at_least_one), f"a whole number of at least 1, in {unit}{BELOW}")
    if unit in COUNTS:
        return Kind(_number(gt=0), f"a number above 0, in {unit}{BELOW}")
    return Kind(_number(ge=0), f"a number of at least 0, in {unit}{BELOW}")


def split(value):
    """The ids of a comma separated text; ``all`` is every GPU."""
    if isinstance(value, str) and value.strip() == EVERY_GPU:
        return _all_gpus()
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _number(**bounds):
    return TypeAdapter(Annotated[float, Field(allow_inf_nan=False, **{"le": MOST} | bounds), BeforeValidator(_no_bool)])


def _no_bool(value):
    if isinstance(value, bool):
        raise ValueError("a truth value is not a number")
    return value


def _iso_date(value):
    return value.isoformat() if isinstance(value, datetime.date) else value


def _real_date(value):
    datetime.date.fromisoformat(value)
    return value


def _each_once(ids):
    if not ids or len(set(ids)) < len(ids):
        raise ValueError("none, or one twice")
    return ids


def refusal(error):
    """What a reader of files says of a value, where it was one of them that a :class:`pydantic.ValidationError` came from."""
    raised = (one.get("ctx", {}).get("error") for one in error.errors())
    return next((str(one) for one in raised if isinstance(one, BadInput)), "")


def _model(value):
    """An id of the catalogue, or a configuration, which is then in the catalogue."""
    from tokenecon.importers import own_model  # late: reading a declaration needs no pandas

    if value in _ids("models"):
        return value
    if not own_model.is_path(value):
        raise ValueError("neither")
    return own_model.described(value)


def scenarios():
    """Name to file of the scenarios that ship with the book."""
    from tokenecon import data

    return {path.stem: path for path in sorted((data.shipped("notebooks") / "scenarios").glob("*.yml"))}


def _scenario(value):
    """The name of a shipped scenario, or the absolute path of a file: a notebook runs in its own folder."""
    if value in scenarios():
        return value
    if not os.path.isfile(value):
        raise ValueError("neither")
    return os.path.abspath(value)


def _ids(table):
    from tokenecon import data  # late: reading a declaration needs no pandas

    return data.ids(table)


def _all_gpus():
    from tokenecon import data

    return list(data.gpus().index)


_Date = Annotated[
    str, BeforeValidator(_iso_date), Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_real_date)
]
_Text = Annotated[str, Field(min_length=1, max_length=200)]
IDS = {
    "model": ("models", "`tokenecon list models`"),
    "gpu": ("gpus", "`tokenecon list gpus`"),
    "gpus": ("gpus", "`tokenecon list gpus`"),
    "precision": ("precisions", "data/precisions.csv"),
}
PLAIN = {
    "fraction": Kind(_number(gt=0, le=1), "a number above 0 and at most 1 (0.6 means 60%)"),
    "share": Kind(_number(ge=0, le=1), "a number from 0 to 1 (0.6 means 60%)"),
    "date": Kind(TypeAdapter(_Date), "a date like 2026-07-31"),
    "int": Kind(TypeAdapter(Annotated[int, Field(ge=-MOST, le=MOST), BeforeValidator(_no_bool)]), f"a whole number{BELOW}"),
    "bool": Kind(TypeAdapter(bool), "true or false"),
    "text": Kind(TypeAdapter(_Text), "a text of 1 to 200 characters"),
}

"""What is computed, as results of the Python interface: tables with units, sources and version."""

import os

from tokenecon.decision import report, scenario
from tokenecon.errors import BadInput, did_you_mean
from tokenecon.finding import Finding, finding
from tokenecon.output import compare as comparison
from tokenecon.serving import estimate as serving
from tokenecon.serving.room import fit as room

DRAWS = (100, 5_000_000)


@finding
def estimate(cases, intervals, percentiles):
    """Cases with their results; see ``tokenecon.estimate``."""
    return Finding(serving.estimate(cases, intervals, percentiles), fresh=True)


@finding
def fit(model, gpu, given):
    """What the memory holds; see ``tokenecon.fit``."""
    return Finding(room.fit(model, gpu, **given), fresh=True)


@finding
def cost(given, price_rule, changes):
    """A scenario's choices; see ``tokenecon.cost``."""
    _known(given)
    return _of(report.cost(given, price_rule, _texts(changes)))


@finding
def decide(given, draws, seed, price_rule, changes):
    """A scenario's chances; see ``tokenecon.decide``."""
    _known(given)
    for name, value, low, high in (("draws", draws, *DRAWS), ("seed", seed, 0, 2**63)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (name == "seed" and value is None) and not (whole and low <= value <= high):
            raise BadInput(f"{name} is {value!r}, but must be a whole number from {low:,} to {high:,}")
    return _of(report.decide(given, draws, seed, price_rule, _texts(changes)))


@finding
def compare(scenarios, price_rule):
    """Scenarios against the first; see ``tokenecon.compare``."""
    for one in scenarios:
        _known(one)
    told = comparison.compare(scenarios, price_rule)
    (*others, (_, _, worth, columns)) = told["sections"]
    units = {name: unit for name, (_, unit) in columns.items() if unit}
    return Finding(worth, "; ".join(told["findings"]), told["note"], units, **{key: table for _, key, table, _ in others})


def _texts(changes):
    """Changes as a command has them."""
    if unknown := [name for name in changes if name not in scenario.PLACES]:
        raise BadInput(f"'{unknown[0]}' is no parameter of a scenario{did_you_mean(unknown[0], scenario.PLACES)}; allowed are "
                       f"{', '.join(scenario.PLACES)}")
    return tuple(f"{name}={value}" for name, value in changes.items())


def _known(given):
    if not isinstance(given, str | os.PathLike | dict):
        raise BadInput(f"scenario is of the type {type(given).__name__}; give a name of `tokenecon list scenarios`, the path of "
                       "a YAML file, or its mapping")


def _of(told):
    """A report as a Finding: its first table, and the others as values by name."""
    (_, _, first, columns), *others = told["sections"]
    units = {name: unit for name, (_, unit) in columns.items() if unit not in (None, "1")}
    return Finding(first, told["findings"][0], told["note"], units,
                   **{key: table for _, key, table, _ in others})

"""A calibration of the reader's, as `tokenecon calibrate` writes it: read, checked, and laid over the published coefficients."""

import datetime
import os
from pathlib import Path

from tokenecon import data, numbers, own_facts, yaml_file
from tokenecon.errors import BadInput, did_you_mean, quoted
from tokenecon.serving.coefficients import DEFINITIONS

ENDS = ("value", "low", "high")


class BadCalibration(BadInput):
    """A calibration that cannot be used; the sentence names file and coefficient."""


def use(path: "str | os.PathLike[str] | None" = None) -> None:
    """Reckon with the coefficients of a file for the rest of the process; None takes them off again."""
    if path is None:
        data.calibrate()
        return
    own = read(path)
    data.calibrate()  # the rows to be replaced are the published ones
    published = data.rows("calibration", {"id": sorted(own)}).set_index("id")
    rows = [{"id": name, **{column: _text(value) for column, value in published.loc[name].items()},
             **{end: _text(value) for end, value in own[name].items()}} for name in own]
    seen = datetime.date.fromtimestamp(os.stat(path).st_mtime).isoformat()
    data.calibrate(rows, own_facts.source("calibration.csv", os.fspath(path), seen), os.path.abspath(path))


def _text(value):
    return "" if value is None or value != value else f"{value:g}" if isinstance(value, float) else str(value)


def read(path):
    """Value, low and high of each coefficient in a file: ``{name: {"value": …, "low": …, "high": …}}``."""
    try:
        given = yaml_file.mapping(Path(path))
    except yaml_file.NotYaml as error:
        raise BadCalibration(f"calibration '{path}' {error}; `tokenecon calibrate` writes such a file") from None
    except ValueError as error:  # a NUL in the name
        raise BadCalibration(f"calibration '{path}' is no name of a file") from error
    for name in given:
        if name != "coefficients":
            raise BadCalibration(f"calibration '{path}': {quoted(name)} is not read{did_you_mean(name, ['coefficients'])}; "
                                 "it holds coefficients alone")
    found = given.get("coefficients")  # YAML reads 1e-3 as a text
    if not isinstance(found, dict) or not found:
        raise BadCalibration(f"calibration '{path}' has no coefficients, so nothing differs from the published ones; give lines "
                             "like `bandwidth: {value: 0.8, low: 0.75, high: 0.85}` below `coefficients:`")
    found = {name: {end: numbers.of_text(one) if isinstance(one, str) else one for end, one in ends.items()}
             if isinstance(ends, dict) else ends for name, ends in found.items()}
    for name, ends in found.items():
        _check(path, name, ends)
    return {name: {end: float(ends[end]) for end in ENDS} for name, ends in found.items()}


def _check(path, name, ends):
    if name not in DEFINITIONS:
        raise BadCalibration(f"calibration '{path}': coefficient {quoted(name)} does not exist{did_you_mean(name, DEFINITIONS)}; "
                             "see the ids of data/calibration.csv")
    _, low, high, unit, _ = DEFINITIONS[name]
    good = isinstance(ends, dict) and set(ends) == set(ENDS) and all(
        isinstance(ends[end], int | float) and not isinstance(ends[end], bool) for end in ENDS)
    if not good or not low <= ends["low"] <= ends["value"] <= ends["high"] <= high or not ends["low"] > 0:
        raise BadCalibration(f"calibration '{path}': {name} is {quoted(str(ends))}, but must be value, low and high, in this "
                             f"order of size low, value, high, from {low:g} to {high:g} {unit}")

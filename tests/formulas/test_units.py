"""Formulas hold their units: stretch the dollar, the token, the second, the GPU, the byte ... and see.

Were a dollar half of what it is, every price would be twice the number. So each argument is multiplied by what
its unit implies, and the result must be what the unit of the result implies: a forgotten second, a price per
token in place of a price per GPU, an added apple and pear all show.
"""

import inspect
import re

import numpy as np
import pytest

from tokenecon.units import ATOMS, UNITS, dimensions

STRETCH = {"USD": 2.0, "tok": 3.0, "s": 5.0, "GPU": 7.0, "B": 11.0, "FLOP": 13.0, "J": 17.0, "gCO2e": 19.0}
DRAWS = 8


def scale(unit):
    """What a number with this unit is multiplied by when the base units shrink by STRETCH."""
    size = 1.0
    for base, power in dimensions(unit).items():
        size *= STRETCH[base] ** power
    return size


def stretched(value, unit):
    if isinstance(value, list):
        return [element * scale(unit) if scale(unit) != 1 else element for element in value]
    return value * scale(unit) if scale(unit) != 1 else value


def constants(module):
    """Constants of a module that have a unit, as its source says: ``NAME = 1.0  # text [unit]``."""
    found = re.findall(r"(?m)^([A-Z_]+) = \S+  # .*\[([^\]]+)\]$", inspect.getsource(module))
    return dict(found)


def stretch_error(formula, monkeypatch, seed):
    """By which factor a formula misses what its units demand: 1 if it keeps them."""
    values = formula.inputs(seed)
    before = formula.function(**values)
    with monkeypatch.context() as patch:
        for name, unit in constants(formula.module).items():
            patch.setattr(formula.module, name, getattr(formula.module, name) * scale(unit))
        after = formula.function(**{
            argument.name: stretched(values[argument.name], argument.unit) for argument in formula.arguments
        })
    expected = before * scale(formula.result.unit)
    return 1.0 if after == expected else after / expected


def test_every_base_unit_is_stretched():
    assert set(STRETCH) == {base for _, powers in ATOMS.values() for base in powers}
    # No product of small powers of the scales may be 1, or two mistakes could hide each other.
    assert len(set(STRETCH.values())) == len(STRETCH)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit not in ("date", "text")])
def test_every_unit_can_be_stretched(unit):
    assert scale(unit) > 0


def test_formula_keeps_its_units(formula, monkeypatch):
    for seed in range(DRAWS):
        error = stretch_error(formula, monkeypatch, seed)
        assert error == pytest.approx(1, rel=1e-9), (
            f"{formula.label} comes out {error:.6g} times what [{formula.result.unit}] demands when the base "
            f"units are stretched by {STRETCH}; check the brackets of its docstring and its arithmetic"
        )


def test_arrays_give_what_their_elements_give(formula):
    """The same source on NumPy arrays: each argument in turn is an array, then all together."""
    draws = [formula.inputs(seed) for seed in range(4)]

    def stack(argument):
        if argument.is_sequence:
            return [np.array([draw[argument.name][place] for draw in draws])
                    for place in range(len(draws[0][argument.name]))]
        return np.array([draw[argument.name] for draw in draws])

    may_be_arrays = [argument for argument in formula.arguments if "ndarray" in argument.kind]
    for varied in [*([argument] for argument in may_be_arrays), may_be_arrays]:
        names = {argument.name for argument in varied}
        together = formula.function(**{**draws[0], **{argument.name: stack(argument) for argument in varied}})
        alone = [
            formula.function(**{**draws[0], **{name: draw[name] for name in names}}) for draw in draws
        ]
        # NumPy's exp, log and power differ from the C library's in the last digit or two.
        np.testing.assert_allclose(together, alone, rtol=4e-15, atol=0, err_msg=f"{formula.label} over {names}")
        assert np.shape(together) == (4,)


def forgets_the_gpus(*, usd_per_gpu_hour, n_gpus, tok_out_per_s):
    """Cost of a million tokens, with the GPUs left out.

    Parameters
    ----------
    usd_per_gpu_hour : float
        Price. [USD/GPU/h]
    n_gpus : int
        GPUs. [GPU]
    tok_out_per_s : float
        Rate. [tok_out/s]

    Returns
    -------
    float
        Cost. [USD/Mtok_out]
    """
    return usd_per_gpu_hour / tok_out_per_s * 1e6 / 3600


def adds_unlike_things(*, step_s, batch):
    """A sum of seconds and sequences.

    Parameters
    ----------
    step_s : float
        Time. [s]
    batch : float
        Sequences. [sequence]

    Returns
    -------
    float
        Nonsense. [s]
    """
    return step_s + batch


def test_the_stretch_sees_a_forgotten_factor(read_formula, monkeypatch):
    assert stretch_error(read_formula(forgets_the_gpus), monkeypatch, 0) == pytest.approx(1 / 7)


def test_the_stretch_sees_unlike_terms(read_formula, monkeypatch):
    assert stretch_error(read_formula(adds_unlike_things), monkeypatch, 0) < 0.9

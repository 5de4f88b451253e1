"""House rules of formulas: how they are called, how they are described, and that their examples are true."""

import ast
import doctest
import inspect
import re

import pytest

from tokenecon.units import UNITS

KINDS = {
    "float", "int", "float or ndarray", "int or ndarray",
    "sequence of int", "sequence of float or ndarray",
}
SECTIONS = ["Parameters", "Returns", "Notes", "References", "Examples"]
# What a bare literal may not say in a formula: these have names in tokenecon/units.py.
CONVERSIONS = {8, 24, 60, 365, 730, 1000, 1024, 3600, 8760, 86400, 1e6, 3.6e6, 1e9, 1e12, 1e-6, 1e-3}


class RoundedOutput(doctest.OutputChecker):
    """Numbers count as equal when the true one rounds to the printed digits."""

    def check_output(self, want, got, optionflags):
        try:
            printed, true = float(want), float(got)
        except ValueError:
            return super().check_output(want, got, optionflags)
        digits, _, exponent = want.strip().lower().partition("e")
        decimals = len(digits.partition(".")[2])
        last_digit = 10.0 ** (int(exponent or 0) - decimals)
        return abs(true - printed) <= 0.5000001 * last_digit


def mistakes(formula):
    """What is wrong with a formula's signature or docstring, one sentence each."""
    return [*of_signature(formula), *of_layout(formula), *of_arguments(formula)]


def of_signature(formula):
    for parameter in inspect.signature(formula.function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            yield f"argument '{parameter.name}' must be keyword-only: start the list with *"
        if parameter.default is not inspect.Parameter.empty:
            yield f"argument '{parameter.name}' must have no default"


def of_layout(formula):
    summary = formula.head.split("\n\n")[0]
    if "\n" in summary or not summary.endswith(".") or summary.count(". "):
        yield "the docstring must start with one sentence on one line"
    if ".. math::" not in formula.head:
        yield "the docstring must show the formula with '.. math::'"
    order = list(formula.sections)
    if order != [name for name in SECTIONS if name in order]:
        yield f"sections must be {', '.join(SECTIONS)}, in this order, not {', '.join(order)}"
    for name in {"Parameters", "Returns", "Examples"} - set(order):
        yield f"the docstring must have the section {name}"
    if f">>> {formula.name}(" not in formula.sections.get("Examples", ""):
        yield "Examples must call the formula"
    references = formula.sections.get("References", "")
    if references and not re.search(r"\b(18|19|20)\d\d\b", references):
        yield "References must say the year"


def of_arguments(formula):
    described = [argument.name for argument in formula.arguments]
    if described != list(inspect.signature(formula.function).parameters):
        yield f"Parameters must list the arguments in their order, not {', '.join(described)}"
    for argument in filter(None, [*formula.arguments, formula.result]):
        if argument.kind not in KINDS:
            yield f"the type of '{argument.name}' must be one of {', '.join(sorted(KINDS))}"
        if argument.unit not in UNITS:
            yield f"the text of '{argument.name}' must end with a [unit] of tokenecon/units.py, not [{argument.unit}]"


def test_formula_follows_the_house_style(formula):
    assert not mistakes(formula), f"{formula.label}: " + "; ".join(mistakes(formula))


def test_examples_are_true_to_their_digits(formula):
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(checker=RoundedOutput(), verbose=False)
    report = []
    ran = 0
    for examples in finder.find(formula.function, globs=dict(vars(formula.module))):
        ran += runner.run(examples, out=report.append).attempted
    assert ran, f"{formula.label} has no example"
    assert not report, "".join(report)


def test_every_formula_is_found(all_formulas):
    # A reader that finds nothing would pass everything: some that must be among them, from either end.
    labels = {formula.label for formula in all_formulas}
    assert {"compute.attention_width", "memory.weight_bytes", "tco.capital_recovery_factor",
            "roofline.critical_batch"} <= labels
    assert len(labels) > 100


def test_names_are_not_taken_twice(all_formulas):
    names = sorted(formula.name for formula in all_formulas)
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"formulas with one name in two modules: {', '.join(sorted(twice))}"


def test_modules_say_what_they_hold(module):
    assert module.__doc__ and module.__doc__.split("\n")[0].endswith("."), "say in one sentence what is in it"


def test_conversions_have_names(module):
    numbers = [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    ]
    bare = [f"line {line}: {value}" for line, value in numbers if value in CONVERSIONS]
    assert not bare, f"{module.__name__} has bare conversions, import them from units.py: {', '.join(bare)}"


def wrong_style(speed, factor=2):
    """Doubles

    Parameters
    ----------
    speed : number
        Speed. [furlong]

    Returns
    -------
    float
        Twice that. [ratio]
    """
    return speed * factor


@pytest.mark.parametrize("part", [
    "'speed' must be keyword-only", "'factor' must have no default", "one sentence", "'.. math::'",
    "section Examples", "list the arguments", "type of 'speed'", "not [furlong]", "call the formula",
])
def test_the_check_sees_mistakes(read_formula, part):
    assert any(part in mistake for mistake in mistakes(read_formula(wrong_style)))


def test_the_example_check_sees_a_wrong_digit():
    check = RoundedOutput().check_output
    assert check("41.79\n", "41.7910447\n", 0)
    assert check("4.165e-06\n", "4.165084e-06\n", 0)
    assert not check("41.80\n", "41.7910447\n", 0)
    assert not check("4.166e-06\n", "4.165084e-06\n", 0)
    assert not check("1.0\n", "None\n", 0)

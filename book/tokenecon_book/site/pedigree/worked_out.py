"""Which formulas a column of a table is worked out with: those that the makers of the table reach and that give its unit.

Found by reading code, without running it: a result says only which functions made it (:attr:`tokenecon.finding.Finding.makers`).
"""

import dis
import functools
import importlib
import inspect
from types import CodeType, FunctionType, ModuleType

from tokenecon import units
from tokenecon_book.site import reference

FORMULAS = "tokenecon.formulas."
OURS = ("tokenecon.", "tokenecon_book.")
NEAR = 4  # calls that may lie between a maker and a formula: one farther off works out something else that it needs
BARE = ("1", "fraction", "ratio", "count", "percent", "s", "ms")  # fit too much: of these only what the maker itself calls
MOST = 3  # formulas of a column, the nearest first
TOKENS = ("tok_in", "tok_out", "tok_cached")  # a formula of tokens may be used for each kind of them


def formulas(makers, unit):
    """Names of the formulas that some makers reach and whose result is in a unit: the nearest, and those one call farther.

    Where none gives the very unit, those that give it in another size: seconds for milliseconds.
    """
    if unit not in units.UNITS or unit in ("date", "text"):
        return []
    near = sorted((distance, name) for name, distance in distances(tuple(makers)).items() if distance == 0 or unit not in BARE)
    for alike in (_same, _sized):
        if found := [(distance, name) for distance, name in near if alike(results()[name], unit)]:
            return [name for distance, name in found if distance <= found[0][0] + 1][:MOST]
    return []


def _same(given, unit):
    """Whether a result is in a unit, or in that of any tokens where it is one of some."""
    return given in (unit, functools.reduce(lambda text, kind: text.replace(kind, "tok"), TOKENS, unit))


def _sized(given, unit):
    """Whether two units are one but for their size."""
    return _kinds(given) == _kinds(unit)


def _kinds(unit):
    """What each part of a unit measures, and a count what it counts."""
    return tuple(part.lstrip("kM") if "tok" in part else tuple(sorted(units.ATOMS[part][1].items())) or part
                 for part in unit.split("/"))


@functools.cache
def results():
    """Name of each formula to the unit of its result."""
    return {f"{module}.{one.__name__}": reference.result(one)[2] for module in reference.modules()
            for one in reference.functions(module)[1]}


@functools.cache
def distances(makers):
    """Name of each formula that some makers reach to how many calls lie between; formulas themselves are not looked into.

    The makers of what the first one was given are as near to it as what it calls.
    """
    found, seen, now, following = {}, set(), [maker(makers[0])], [maker(one) for one in makers[1:]]
    for distance in range(NEAR + 1):
        for function in now:
            if function in seen:
                continue
            seen.add(function)
            for one in called(function):
                if one.__module__.startswith(FORMULAS):
                    found.setdefault(f"{one.__module__.removeprefix(FORMULAS)}.{one.__name__}", distance)
                else:
                    following.append(one)
        now, following = following, []
    return {name: at for name, at in found.items() if name in results()}


@functools.cache
def maker(name):
    """The function of a module and a name in it; of one made inside another the outer."""
    module, _, path = name.partition(":")
    found = importlib.import_module(module)
    for part in path.partition(".<locals>")[0].split("."):
        found = getattr(found, part)
    return inspect.unwrap(found)


@functools.cache
def called(function):
    """Functions of ours that a function names, alone or in a table of them, or as an attribute of a module."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    around = {name: cell.cell_contents for name, cell in cells}
    found = {}
    for code in _codes(function.__code__):
        held = None
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
                held = around.get(step.argval, function.__globals__.get(step.argval))
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(held, ModuleType):
                held = getattr(held, step.argval, None)
            elif step.opname not in ("CACHE", "PUSH_NULL"):
                held = None
            found.update(dict.fromkeys(_functions(held)))
    return tuple(found)


def _codes(code):
    """The code of a function and of all that is defined inside it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _functions(value, depth=2):
    """The functions of ours that a value is, wraps or holds; of a class its methods."""
    if isinstance(value, dict | list | tuple) and depth:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _functions(inner, depth - 1)
    elif isinstance(value, functools.partial):
        yield from _functions(value.func, depth)
    elif isinstance(value, type) and value.__module__.startswith(OURS):
        for inner in vars(value).values():
            yield from _functions(inner.fget if isinstance(inner, property) else getattr(inner, "__func__", inner), 0)
    elif callable(value) and isinstance(value := inspect.unwrap(value), FunctionType) and value.__module__.startswith(OURS):
        yield value

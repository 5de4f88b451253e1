"""Formulas of a column are those that the makers of its table reach and that give its unit, the nearest first."""

import sys
import types

import pytest

from tokenecon_book.site import reference
from tokenecon_book.site.pedigree import worked_out

SOURCE = """
import functools
from tokenecon.formulas import efficiency, levers, money
from tokenecon.formulas.money import usd_per_month as bill
from tokenecon.queries import remembered

def month(): return bill(usd_per_hour=1.0, hours=1.0)

@remembered
def token(): return [money.usd_per_mtok(usd_per_hour=cost, tok_per_s=1.0) for cost in (1.0,)]

KNOWN = {"month": month, "token": (functools.partial(token),)}

def by_table(name): return KNOWN[name]

def inside():
    def inner(): return token()
    return inner

def shadowed(money): return money.usd_per_year

def far(): return by_table("token")

def share(): return levers.saving(factor=2.0)

def shares(): return share()

class Service:
    @property
    def cost(self): return month()

def of_class(): return Service().cost

def energy(): return efficiency.energy_usd_per_mtok_out(joules_per_tok_out=1.0, usd_per_kwh=1.0), token()
"""


@pytest.fixture(autouse=True)
def module(monkeypatch):
    """A module of ours that nobody wrote to a file."""
    made = types.ModuleType("tokenecon_book.made_for_a_test")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    exec(SOURCE, vars(made))


def formulas(name, unit, *others):
    return worked_out.formulas([f"tokenecon_book.made_for_a_test:{one}" for one in (name, *others)], unit)


def test_a_formula_is_found_behind_tables_wrappers_closures_classes_and_other_names():
    assert formulas("month", "USD/month") == ["money.usd_per_month"]
    assert formulas("by_table", "USD/month") == formulas("of_class", "USD/month") == ["money.usd_per_month"]
    assert formulas("by_table", "USD/Mtok") == formulas("inside", "USD/Mtok") == ["money.usd_per_mtok"]
    assert formulas("inside.<locals>.inner", "USD/Mtok") == ["money.usd_per_mtok"]  # who is made inside is found by the outer


def test_an_argument_is_no_module_though_it_is_called_like_one():
    assert formulas("shadowed", "USD/yr") == []


def test_the_unit_of_the_column_decides():
    assert formulas("by_table", "GPU") == formulas("by_table", "") == formulas("by_table", "text") == []
    assert formulas("token", "USD/Mtok_out") == ["money.usd_per_mtok"]  # of any tokens
    assert formulas("energy", "USD/Mtok_out") == ["efficiency.energy_usd_per_mtok_out", "money.usd_per_mtok"]
    assert formulas("energy", "USD/Mtok") == ["money.usd_per_mtok"]  # a cost of output is none of all tokens
    assert formulas("month", "USD/day") == ["money.usd_per_month"]  # nobody gives a day's
    assert formulas("month", "USD/request") == []  # a count is no other count


def test_what_a_result_is_made_of_counts_like_what_it_calls():
    assert formulas("month", "USD/Mtok") == []
    assert formulas("month", "USD/Mtok", "token") == ["money.usd_per_mtok"]


def test_shares_are_those_that_the_maker_itself_works_out():
    assert formulas("share", "fraction") == ["levers.saving"]
    assert formulas("shares", "fraction") == []


def test_what_is_far_off_is_not_named(monkeypatch):
    assert formulas("far", "USD/Mtok") == ["money.usd_per_mtok"]  # far, by_table, token: two calls lie between
    monkeypatch.setattr(worked_out, "NEAR", 1)
    worked_out.distances.cache_clear()
    try:
        assert formulas("far", "USD/Mtok") == []
    finally:
        worked_out.distances.cache_clear()


def test_a_result_of_the_book_names_formulas_that_exist():
    """The page about the hour adds up parts in dollars for a GPU and an hour, whichever Python reads the code."""
    found = worked_out.formulas(["tokenecon.ownership.owned_hour:owned"], "USD/GPU/h")
    known = {f"tco.{one.__name__}" for one in reference.functions("tco")[1]}
    assert found and set(found) <= known
    assert all(worked_out.results()[name] == "USD/GPU/h" for name in found)
    assert found == ["tco.power_usd_per_gpu_hour", "tco.residual_annuity_usd_per_gpu_hour", "tco.space_usd_per_gpu_hour"]

"""Elementary functions: the same on floats as on arrays, and no array where none was given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenecon import numerics

FLOATS = (-2.5, 0.0, 1.0, 7.25)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_pairs(name):
    function = getattr(numerics, name)
    for a in FLOATS:
        together = function(a, np.array(FLOATS))
        assert [function(a, b) for b in FLOATS] == list(together)
        assert all(isinstance(function(a, b), float) for b in FLOATS)


def test_a_choice_between_arrays_copies_none_and_between_shapes_takes_the_larger():
    yes, no = np.arange(3.0), np.zeros(3)
    assert numerics.where(True, yes, no) is yes and numerics.where(False, yes, no) is no
    assert list(numerics.where(True, 5.0, no)) == [5.0] * 3
    assert list(numerics.where(yes > 0, yes, -1.0)) == [-1.0, 1.0, 2.0]
    assert numerics.where(1 > 2, 3.0, 4.0) == 4.0


def test_some_and_pick():
    assert numerics.some(np.array([False, True])) is True and numerics.some(np.array([0.0]) > 1) is False
    assert numerics.some(2 > 1) is True
    assert numerics.pick([4.0, 5.0, 6.0], 2) == 6.0
    assert list(numerics.pick([4.0, 5.0, 6.0], np.array([2, 0]))) == [6.0, 4.0]


ROW = [3.0, 0.5, 2.0, 0.5, 7.0]


@pytest.mark.parametrize("function", [
    lambda row: numerics.each(lambda x: 2 * x, row),
    lambda row: numerics.each(numerics.maximum, row, numerics.shifted(row, 2)),
    lambda row: numerics.shifted(row, 0),
    lambda row: numerics.alike([1.0, 2.0], row),
    lambda row: numerics.distinct(row)[0],
    lambda row: numerics.each(lambda place: numerics.pick(numerics.distinct(row)[0], place), numerics.distinct(row)[1]),
    lambda row: numerics.each(lambda x: numerics.below(x, numerics.alike([0.5, 2.0, 3.0], row)), row),
    lambda row: numerics.each(lambda x: numerics.between(
        x, numerics.alike([1.0, 2.0, 4.0], row), numerics.alike([10.0, 30.0, 20.0], row)), row),
])
def test_rows_are_lists_or_arrays(function):
    listed = function(ROW)
    assert isinstance(listed, list) and listed == list(function(np.array(ROW)))


def test_what_a_row_comes_to():
    array = np.array([ROW, [2 * x for x in ROW]])
    assert numerics.mean_of(ROW) == numerics.mean_of(array)[0] == 2.6
    assert numerics.maximum_of(ROW) == numerics.maximum_of(array[0]) == numerics.maximum_of(7.0) == 7.0
    assert numerics.smallest(ROW, 2) == numerics.smallest(array, 2)[0, 0] == 2.0  # 0.5, 0.5, 2
    assert numerics.size(ROW) == 5 and numerics.size(array) == 10
    assert [numerics.between(x, [1.0, 2.0, 4.0], [10.0, 30.0, 20.0]) for x in ROW] == [25.0, 10.0, 30.0, 10.0, 20.0]


@given(power=st.floats(0.1, 30.0), wanted=st.floats(0.01, 0.99))
def test_a_rising_function_is_followed_to_a_value(power, wanted):
    found = numerics.reaching(lambda x: x**power, wanted, 0.0, 1.0)
    assert found**power == pytest.approx(wanted, rel=1e-9)
    assert numerics.reaching(lambda x: x**power, 1.5, 0.0, 1.0) == 1.0, "what is never reached: the end that is nearest"

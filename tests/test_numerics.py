"""Elementary functions: the same on floats as on arrays, and no array where none was given."""

import numpy as np
import pytest

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

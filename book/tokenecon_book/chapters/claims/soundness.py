"""Whether a recomputation stands on its own feet: not on the figure it is held against, nor on a contradicted one.

Both are found by moving a printed figure and looking what moves with it, so that no recomputation has to say what it uses.
"""

from tokenecon_book.chapters.claims.rule import known
from tokenecon_book.documents.printed import Stated

OWN = 1.1  # by how much a claim's own figure is moved
RESTING = (0.6, 1.5, 0.1, 10.0)  # and one that it may rest on: a test may need a large step to turn


class Asked(Stated):
    """Printed figures that remember which claims were asked for."""

    def __init__(self, stated):
        self.rows, self.ids = stated.rows, {}

    def row(self, claim_id):
        self.ids[claim_id] = None
        return super().row(claim_id)


class Moved(Stated):
    """Printed figures with the one of a claim moved by a factor."""

    def __init__(self, stated, claim_id, factor):
        self.rows, self.moved, self.factor = stated.rows, claim_id, factor

    def row(self, claim_id):
        found = super().row(claim_id)
        if claim_id != self.moved:
            return found
        return {**found, **{end: found[end] * self.factor for end in ("low", "high") if known(found[end])}}


def outcomes(recomputation):
    """What each reading says, the default one first: (low, high, test)."""
    return [(one.low, one.high, one.test) for one in (recomputation, *recomputation.readings)]


def own_figure(claim, function, stated, found):
    """Refuse a recomputation of which a range moves with the figure that it is held against."""
    if claim["unit"] == "date" or not (known(claim["low"]) or known(claim["high"])):
        return
    moved = function(Moved(stated, claim["id"], OWN))
    if [ends[:2] for ends in outcomes(moved)] != [ends[:2] for ends in outcomes(found)]:
        raise ValueError(f"a range of the recomputation of '{claim['id']}' moves with the figure that it is held against; "
                         "take the value from the data or from another claim")


def rests(function, stated, found, place, claim_id):
    """Whether reading number ``place`` (0: the default one) moves with the printed figure of a claim."""
    for factor in RESTING:
        try:
            moved = function(Moved(stated, claim_id, factor))
        except (ArithmeticError, ValueError):
            return True  # without such a figure there is no reading at all
        if outcomes(moved)[place] != outcomes(found)[place]:
            return True
    return False

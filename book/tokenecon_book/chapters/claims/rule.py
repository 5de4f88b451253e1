"""How a verdict follows from a claim and its recomputation: one rule for all claims.

A recomputation holds what was computed about one claim, never what to think of it:

* the **default reading**: the range ``low``–``high`` under the claim's own words (or a ``test``, true or
  false, where the claim is no number).  A range may come from ranges of the inputs (prices, measured
  shares) or from two physical bounds; two different readings are never merged into one range;
* **readings**: further readings, each with the assumption that makes it, and its own range or test.  Its
  inputs come from the documents or from a cited fact; a value solved for to fit the claim is no reading, it
  is what ``needed`` says;
* an **open** reading: one that a fair reader may take, but for which no number can be found;
* **identities**: sums that figures printed in the documents must satisfy among themselves.

Four things a reading may not do:

* **contain its claim**: no range moves with the figure that it is held against (:mod:`.soundness` moves it and looks);
* **decide by being wide**: a range whose ends differ by more than :data:`WIDEST` times meets too many figures to
  confirm one.  What lies outside of it is still outside;
* **rest on what is contradicted**: a claim about the world cannot hold by a printed figure that is itself
  contradicted.  A sum may: it claims only the arithmetic;
* **compare unlike ends**: the cheapest of one thing is not set against the dearest of another
  (:func:`.checks.like_ends`); what a claim compares, and per what, stands in its row.

The rule (:func:`judge`), in this order:

1. nothing that can be compared: ``plain input`` if the claim is an input, else ``cannot be derived``;
2. a sum that the documents do not print (kind ``implied``): ``contradicted`` if an identity or each of its readings
   fails, else ``not printed``; it is never said to hold, for nobody claims it;
3. the default reading agrees: ``plain input`` if the claim is an input (a fact confirms it), else ``holds``.
   An identity that fails is then at the expense of its other members, and is still shown;
4. an identity fails: ``contradicted``;
5. a further reading agrees: ``holds under an assumption``, with the first such assumption named;
6. a reading is open, too wide or rests on a contradicted figure: ``cannot be derived``;
7. otherwise: ``contradicted``.

A range agrees with a printed figure if it meets the figure widened by the tolerance, 5 percent at either
end: of the figure itself, or, for a share, of the share or of what it leaves to 100 percent, whichever is
smaller (so that "99.5 percent" does not agree with everything above 95), but no less than half a unit of the
last digit printed in percent.  "More than" and "less than" ask
for the range to reach beyond the figure, with the same tolerance.  A claim without a printed figure
agrees if its test does, or if its range meets the ``figure`` that its words mean; "cheaper" asks for all of the range.
"""

from dataclasses import dataclass
from math import inf

HOLDS = "holds"
ASSUMPTION = "holds under an assumption"
CONTRADICTED = "contradicted"
UNDERIVABLE = "cannot be derived"
INPUT = "plain input"
UNPRINTED = "not printed"
VERDICTS = (HOLDS, ASSUMPTION, CONTRADICTED, UNDERIVABLE, INPUT, UNPRINTED)

TOLERANCE = 0.05
# From half to double its middle. In cost, a wider range would meet "nothing saved" and "75 percent saved" at once, the saving
# that the documents print for quantisation: it could not tell such a figure from none at all.
WIDEST = 4.0
COMPARATORS = ("=", "range", ">", "<")
IMPLIED = "implied"  # kind of a sum that follows from printed figures and is not printed itself
SUMS = ("derived", IMPLIED)  # kinds that claim arithmetic on printed figures, whatever the figures are worth


@dataclass(frozen=True)
class Reading:
    """One way to read a claim: the assumption, and its range or its test; neither means open."""

    assumption: str
    low: float | None = None
    high: float | None = None
    test: bool | None = None
    arithmetic: str = ""
    comparator: str = ""  # where the reading changes it, as one of the two languages allows
    figure: tuple | None = None  # what the claim's words mean as a number, where the documents print none
    language: str = ""  # of the translation that says so (uk, th), where they differ

    @property
    def open(self):
        return self.low is None and self.test is None


@dataclass(frozen=True)
class Identity:
    """A sum that printed figures must satisfy: its members, whether it holds, and the sum with numbers."""

    members: tuple
    holds: bool
    text: str


@dataclass(frozen=True)
class Recomputation:
    """What was computed about one claim, in the claim's own unit."""

    arithmetic: str
    low: float | None = None
    high: float | None = None
    test: bool | None = None
    readings: tuple = ()
    needed: str = ""
    confirmed_by: str = ""  # for inputs: the fact that the default reading comes from
    comparator: str = ""
    figure: tuple | None = None

    @property
    def open(self):
        return self.low is None and self.test is None

    @property
    def comparable(self):
        return self.low is not None or self.test is not None


def known(value):
    """Whether a number is there (neither None nor NaN)."""
    return value is not None and value == value


def band(value, unit, tolerance=TOLERANCE, rounded=True):
    """Half-width of the band around a printed figure, in its unit; a limit is not a rounded figure.

    >>> round(band(0.9, "fraction"), 4), band(64, "ratio")
    (0.005, 3.2)
    """
    size = abs(value)
    if unit != "fraction" or size >= 1.0:
        return tolerance * size
    share = tolerance * min(size, 1.0 - size)
    if not rounded:
        return share
    decimals = len(f"{size:.10g}".partition(".")[2])
    return max(share, 0.5 * 10.0 ** -max(decimals, 2))


def in_range(low, high, claimed_low, claimed_high, unit, comparator, tolerance=TOLERANCE):
    """Whether a recomputed range agrees with a printed figure, by the tolerance of this module."""
    if comparator not in COMPARATORS:
        raise ValueError(f"comparator '{comparator}' is not one of {', '.join(COMPARATORS)}; "
                         "correct it in data/claims.csv")
    rounded = comparator in ("=", "range")
    floor = claimed_low - band(claimed_low, unit, tolerance, rounded) if known(claimed_low) else None
    ceiling = claimed_high + band(claimed_high, unit, tolerance, rounded) if known(claimed_high) else None
    if comparator == ">":
        return high >= floor
    if comparator == "<":
        return low <= ceiling
    return high >= floor and low <= ceiling


def spread(low, high, unit):
    """How many times its low end the high end of a range is; of a share, or of what it leaves, whichever is more.

    >>> spread(2.0, 3.0, "ratio"), round(spread(0.72, 0.97, "fraction"), 1), spread(-1.7, 0.6, "fraction")
    (1.5, 9.3, inf)
    """
    def times(small, large):
        return large / small if small > 0 else inf

    if low == high:
        return 1.0
    over = times(low, high)
    return max(over, times(1 - high, 1 - low)) if unit == "fraction" and high < 1 else over


def figure(claim, reading):
    """The figure that a reading is held against: the printed one, or what the claim's words mean; None without."""
    if known(claim["low"]) or known(claim["high"]):
        return claim["low"], claim["high"]
    return reading.figure


def agrees(claim, reading, tolerance=TOLERANCE, widest=WIDEST):
    """Whether a reading (or the default one) agrees with its claim; None if it says nothing."""
    against, comparator = figure(claim, reading), reading.comparator or claim["comparator"]
    if reading.test is False or reading.low is None or against is None:
        return reading.test

    def meets(low, high):
        return bool(in_range(low, high, *against, claim["unit"], comparator, tolerance))

    if not meets(reading.low, reading.high):
        return False
    either_way = against is reading.figure and comparator in "<>" and not (
        meets(reading.low, reading.low) and meets(reading.high, reading.high))
    return None if either_way or spread(reading.low, reading.high, claim["unit"]) > widest else True


def wide(claim, reading, tolerance=TOLERANCE, widest=WIDEST):
    """Whether a reading would agree, were its range not too wide."""
    return agrees(claim, reading, tolerance, widest) is None and agrees(claim, reading, tolerance, inf) is True


def judge(claim, recomputation, identities=(), tolerance=TOLERANCE, *, widest=WIDEST, sound=lambda reading: True):
    """Verdict and the reading it rests on (None for the default one); the rule is the docstring of this module.

    ``claim`` is a row of claims.csv (anything with the keys low, high, unit, comparator, kind), ``recomputation`` a
    :class:`Recomputation` or None, ``identities`` those that the claim belongs to; ``sound`` says of a reading whether it
    rests on no contradicted figure.
    """
    is_input = claim["kind"] == "input"
    failed = [identity for identity in identities if not identity.holds]
    if recomputation is None or not (recomputation.comparable or recomputation.readings or failed):
        return (INPUT if is_input else UNDERIVABLE), None

    def outcome(reading):
        found = agrees(claim, reading, tolerance, widest)
        return None if found and not sound(reading) else found

    default, further = outcome(recomputation), [outcome(reading) for reading in recomputation.readings]
    if claim["kind"] == IMPLIED:
        return (CONTRADICTED if failed or (default is False and all(one is False for one in further)) else UNPRINTED), None
    unsaid = recomputation.comparable and default is None
    if default or (is_input and unsaid):
        return (INPUT if is_input else HOLDS), None
    if failed:
        return CONTRADICTED, None
    for reading, found in zip(recomputation.readings, further, strict=True):
        if found:
            return ASSUMPTION, reading
    return (UNDERIVABLE if unsaid or None in further else CONTRADICTED), None


def verdict(claim, recomputation, identities=(), tolerance=TOLERANCE, **more):
    """The verdict alone; see :func:`judge`."""
    return judge(claim, recomputation, identities, tolerance, **more)[0]

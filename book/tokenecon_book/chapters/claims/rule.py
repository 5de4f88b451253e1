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

The rule (:func:`verdict`), in this order:

1. nothing that can be compared: ``plain input`` if the claim is an input, else ``cannot be derived``;
2. the default reading agrees: ``plain input`` if the claim is an input (a fact confirms it), else ``holds``.
   An identity that fails is then at the expense of its other members, and is still shown;
3. an identity fails: ``contradicted``;
4. a further reading agrees: ``holds under an assumption``, with the first such assumption named;
5. a reading is open: ``cannot be derived``;
6. otherwise: ``contradicted``.

A range agrees with a printed figure if it meets the figure widened by the tolerance, 5 percent at either
end: of the figure itself, or, for a share, of the share or of what it leaves to 100 percent, whichever is
smaller (so that "99.5 percent" does not agree with everything above 95), but no less than half a unit of the
last digit printed in percent.  "More than" and "less than" ask
for the range to reach beyond the figure, with the same tolerance.  A claim without a printed figure
(implied by others) agrees if its test does, and if there is no test, by having been computed.
"""

from dataclasses import dataclass

HOLDS = "holds"
ASSUMPTION = "holds under an assumption"
CONTRADICTED = "contradicted"
UNDERIVABLE = "cannot be derived"
INPUT = "plain input"
VERDICTS = (HOLDS, ASSUMPTION, CONTRADICTED, UNDERIVABLE, INPUT)

TOLERANCE = 0.05
COMPARATORS = ("=", "range", ">", "<")


@dataclass(frozen=True)
class Reading:
    """One way to read a claim: the assumption, and its range or its test; neither means open."""

    assumption: str
    low: float | None = None
    high: float | None = None
    test: bool | None = None
    arithmetic: str = ""
    comparator: str = ""  # where the reading changes it, as one of the two languages allows

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


def agrees(claim, reading, tolerance=TOLERANCE):
    """Whether a reading (or the default one) agrees with its claim; None if it says nothing."""
    if reading.test is False:
        return False
    if reading.low is None:
        return reading.test
    if not (known(claim["low"]) or known(claim["high"])):  # implied: no printed figure to compare with
        return True
    comparator = getattr(reading, "comparator", "") or claim["comparator"]
    return bool(in_range(reading.low, reading.high, claim["low"], claim["high"], claim["unit"], comparator, tolerance))


def judge(claim, recomputation, identities=(), tolerance=TOLERANCE):
    """Verdict and the reading it rests on (None for the default one); the rule is the docstring of this module.

    ``claim`` is a row of claims.csv (anything with the keys low, high, unit, comparator, kind),
    ``recomputation`` a :class:`Recomputation` or None, ``identities`` those that the claim belongs to.
    """
    is_input = claim["kind"] == "input"
    failed = [identity for identity in identities if not identity.holds]
    if recomputation is None or not (recomputation.comparable or recomputation.readings or failed):
        return (INPUT if is_input else UNDERIVABLE), None
    implied = recomputation.test is None and not (known(claim["low"]) or known(claim["high"]))
    if agrees(claim, recomputation, tolerance) and not (implied and failed):
        return (INPUT if is_input else HOLDS), None
    if failed:
        return CONTRADICTED, None
    for reading in recomputation.readings:
        if agrees(claim, reading, tolerance):
            return ASSUMPTION, reading
    if any(reading.open for reading in recomputation.readings):
        return UNDERIVABLE, None
    return CONTRADICTED, None


def verdict(claim, recomputation, identities=(), tolerance=TOLERANCE):
    """The verdict alone; see :func:`judge`."""
    return judge(claim, recomputation, identities, tolerance)[0]

"""What a user gave cannot be served: one family, so that a caller catches :class:`BadInput` and has caught them all.

Every message is one sentence that names the field, its value, what is allowed, and where to look.
"""

import difflib
from collections.abc import Iterable

LONGEST_WORD, SHOWN = 300, 60  # characters: paths are long, too


class BadInput(ValueError):
    """Something a user gave is not allowed; the message is one sentence that says what is.

    It stays one line that a terminal can show, whatever it quotes: breaks become spaces, what cannot be printed a question
    mark, and a word of hundreds of characters is cut.
    """

    def __init__(self, message: object = "") -> None:
        words = ("".join(mark if mark.isprintable() else "?" for mark in word) for word in str(message).split())
        super().__init__(" ".join(word if len(word) <= LONGEST_WORD else f"{word[:SHOWN]}…" for word in words))


class UnknownId(BadInput):
    """An id that no row has; the message is one sentence with the nearest ids."""

    def __init__(self, field: str, value: object, known: Iterable[str], where: str) -> None:
        self.field, self.value, self.known = field, value, sorted(known)
        self.alike = alike(value, self.known)
        near = " or ".join(f"'{name}'" for name in self.alike) or f"one of the {len(self.known)} ids there"
        super().__init__(f"{field} '{value}' is not known; use {near}, or another id of {where}")


class NoPrice(BadInput):
    """A price was asked for that the table cannot give; the message says what is missing."""


class NoInput(BadInput):
    """An owned hour was asked for of which an input is not known; the message says which row is missing."""


class BadCases(BadInput):
    """A table of cases that lacks a column or has one that nobody reads; one sentence says which."""


class CannotServe(BadInput):
    """A model, format or accelerator that the serving model does not cover; the message says why."""


class DoesNotFit(BadInput):
    """The weights, or one request, need more memory than the accelerators have."""


class NoEstimate(BadInput):
    """The calibrated model does not cover a case; the message is its reason."""


class TooSlow(BadInput):
    """No batch keeps to the latency limits; the message says how far off the best one is."""


class CannotSimulate(BadInput):
    """A load or an instance that the simulation of requests does not cover; the message says why."""


class NothingServes(BadInput):
    """No choice of a scenario can be had; the message says why each one is out."""


class Infeasible(BadInput):
    """No mix of contracts meets the demand under the limits given."""


def quoted(value: object) -> str:
    """A value as a message repeats it: a text in quotes, nothing as ``blank``, and the beginning of what is long."""
    if value is None:
        return "blank"
    text = str(value)
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return repr(text) if isinstance(value, str) else text


def alike(value: object, known: Iterable[str], count: int = 3) -> list[str]:
    """The ids most like a value: those that begin with it, that hold it, that are spelt alike."""
    text, known = str(value).lower(), list(known)
    holding = [name for name in known if text and text in name.lower()]
    spelt = difflib.get_close_matches(text, known, n=count, cutoff=0.5)
    holding.sort(key=lambda name: (not name.lower().startswith(text), len(name)))
    return list(dict.fromkeys(holding + spelt))[:count]


def did_you_mean(name: object, candidates: Iterable[object]) -> str:
    """``; did you mean 'x' or 'y'?``: what holds the name first, then what is spelt alike, else nothing."""
    found = alike(name, [str(one) for one in candidates])
    return "; did you mean " + " or ".join(f"'{one}'" for one in found) + "?" if found else ""

"""The ledger of claims: every claim of the two documents with its recomputation and a computed verdict.

The rule is in :mod:`tokenecon_book.chapters.claims.rule`, the recomputations are one function a claim in the module of its
section, and the sums that printed figures must satisfy in :mod:`tokenecon_book.chapters.claims.identities`.
A claim is in exactly one of three places: ``RECOMPUTE`` (there is a function), ``PLAIN`` (an input with nothing to
hold it against) or ``NO_PATH`` (nothing gives it), the last two with the reason in words.
"""

from dataclasses import replace

import pandas as pd

from tokenecon import data, queries
from tokenecon.errors import UnknownId
from tokenecon.finding import Finding, finding, named
from tokenecon.queries import remembered
from tokenecon_book.chapters.claims import cases, deployment, economics, hardware, software, soundness, update  # fmt: skip
from tokenecon_book.chapters.claims.identities import identities
from tokenecon_book.chapters.claims.rule import (
    ASSUMPTION,
    CONTRADICTED,
    HOLDS,
    INPUT,
    SUMS,
    TOLERANCE,
    UNDERIVABLE,
    UNPRINTED,
    VERDICTS,
    WIDEST,
    agrees,
    judge,
    known,
    wide,
)  # fmt: skip
from tokenecon_book.documents.printed import Stated

MODULES = (update, economics, hardware, software, deployment, cases)  # one file a section
DOCUMENTS = ("doc-uk", "doc-th")
ALL = "all"
TOO_WIDE = f"a range whose ends differ by more than {WIDEST:g} times confirms nothing"
PUBLISHED = ("id", "section", "statement", "claimed_low", "claimed_high", "unit", "recomputed_low",
             "recomputed_high", "verdict", "assumption", "chapter")
COLUMNS = (*PUBLISHED, "arithmetic", "needed", "footnote", "kind", "quantity", "comparator", "compared", "thai", "uk_line",
           "th_line", "note", "against", "sources")


def _merge(name):
    merged = {}
    for module in MODULES:
        for claim_id, entry in getattr(module, name).items():
            if claim_id in merged:
                raise ValueError(f"claim '{claim_id}' stands in {name} of two modules; keep one of them")
            merged[claim_id] = entry
    return merged


RECOMPUTE = _merge("RECOMPUTE")
PLAIN = _merge("PLAIN")
NO_PATH = _merge("NO_PATH")


class Recomputed:
    """What was computed about a claim (None where PLAIN or NO_PATH says why not), its sources, the claims that it asked for."""

    def __init__(self, claim_id, stated):
        self.id, self.stated, self.found, self.sources, self.asked = claim_id, stated, None, (), ()
        if claim_id in RECOMPUTE:
            asked = soundness.Asked(stated)
            with queries.recording() as rows:
                self.found = RECOMPUTE[claim_id](asked)
            self.sources, self.asked = data.sources_of(rows), tuple(one for one in asked.ids if one != claim_id)
            soundness.own_figure(stated.row(claim_id), RECOMPUTE[claim_id], stated, self.found)
        elif claim_id not in PLAIN and claim_id not in NO_PATH:
            raise UnknownId("claim", claim_id, [*RECOMPUTE, *PLAIN, *NO_PATH],
                            "RECOMPUTE, PLAIN or NO_PATH in book/tokenecon_book/chapters/claims/<section>.py")

    def rests_on(self, reading, claim_id):
        """Whether a reading moves with the printed figure of another claim."""
        place = next((place for place, one in enumerate(self.found.readings, 1) if one is reading), 0)
        return soundness.rests(RECOMPUTE[self.id], self.stated, self.found, place, claim_id)


class Book:
    """Verdicts of a table of claims, of the book's own where there is none."""

    def __init__(self, table, tolerance, widest):
        self.stated, self.own, self.tolerance, self.widest = Stated(table), table is None, tolerance, widest
        self.sums, self.known = identities(self.stated, tolerance), {}

    def recomputed(self, claim_id):
        """The recomputation of a claim; that of the book's own table does not depend on the rule."""
        return _recomputed(claim_id) if self.own else Recomputed(claim_id, self.stated)

    def failed(self, claim_id):
        """Sums that a claim is a member of and that do not come out."""
        return [one for one in self.sums if claim_id in one.members and not one.holds]

    def alone(self, claim_id):
        """(verdict, reading) of a claim, whatever the figures are worth that it rests on."""
        if claim_id not in self.known:
            self.known[claim_id] = judge(self.stated.row(claim_id), self.recomputed(claim_id).found, self.failed(claim_id),
                                         self.tolerance, widest=self.widest)
        return self.known[claim_id]

    def judge(self, claim_id, language=""):
        """(verdict, reading, contradicted figures that it would have rested on) of a claim, or of its wording in one language.

        Of a language the readings that are of the other one are left out, and its own say how the figure is to be compared.
        """
        claim, made = self.stated.row(claim_id), self.recomputed(claim_id)
        found, rule = made.found, {"tolerance": self.tolerance, "widest": self.widest}
        if language:
            found = replace(found, readings=tuple(one for one in found.readings if one.language in ("", language)))
            own = [one.comparator for one in found.readings if one.language and one.comparator]
            claim = {**claim, "comparator": (*own, claim["comparator"])[0]}
        verdict, reading = judge(claim, found, self.failed(claim_id), **rule)
        if verdict not in (HOLDS, ASSUMPTION) or claim["kind"] in SUMS:
            return verdict, reading, ()
        wrong = [one for one in made.asked if self.alone(one)[0] == CONTRADICTED]
        verdict, reading = judge(claim, found, self.failed(claim_id), **rule,
                                 sound=lambda one: not any(made.rests_on(one, figure) for figure in wrong))
        return verdict, reading, tuple(wrong) if verdict == UNDERIVABLE else ()


def _number(value):
    return float(value) if known(value) else float("nan")


def _sentence(*parts):
    """Parts of an explanation, joined; an empty one is left out."""
    return "; ".join(part for part in parts if part)


def _row(claim, book):
    verdict, reading, weak = book.judge(claim["id"])
    made, failed = book.recomputed(claim["id"]), book.failed(claim["id"])
    found = made.found
    reason = PLAIN.get(claim["id"], "") or NO_PATH.get(claim["id"], "")
    shown = reading if reading is not None and reading.low is not None else found
    others = dict.fromkeys(member for one in failed for member in one.members if member != claim["id"])
    confirmed = found and verdict == INPUT and agrees(claim, found, book.tolerance, book.widest)
    return {
        "id": claim["id"], "section": claim["section"], "statement": claim["statement"],
        "claimed_low": _number(claim["low"]), "claimed_high": _number(claim["high"]), "unit": claim["unit"],
        "recomputed_low": _number(shown.low) if shown else float("nan"),
        "recomputed_high": _number(shown.high) if shown else float("nan"),
        "verdict": verdict, "assumption": reading.assumption if reading else "", "chapter": claim["chapter"],
        "arithmetic": _sentence(found.confirmed_by if confirmed else "",
                                found.arithmetic if found else reason,
                                *(f"if {one.assumption}: {one.arithmetic}" for one in (found.readings if found else ())
                                  if one.arithmetic),
                                TOO_WIDE if found and any(wide(claim, one, book.tolerance, book.widest)
                                                          for one in (found, *found.readings)) else "",
                                *(one.text for one in failed),
                                f"rests on contradicted figures: {', '.join(weak)}" if weak else ""),
        "needed": found.needed if found and verdict not in (HOLDS, INPUT, UNPRINTED) else "",
        "footnote": claim["footnote"], "kind": claim["kind"], "quantity": claim["quantity"], "comparator": claim["comparator"],
        "compared": claim["compared"], "thai": claim["thai"],
        "uk_line": int(claim["uk_line"]), "th_line": int(claim["th_line"]), "note": claim["note"],
        "against": " ".join(others),
        "sources": " ".join(dict.fromkeys((*DOCUMENTS, *made.sources))),
    }  # fmt: skip


@remembered
def _recomputed(claim_id):
    return Recomputed(claim_id, Stated())  # does not depend on the tolerance


def _rows(own, table, tolerance, widest):
    """Verdicts of some claims: of the book where ``table`` is None, else of that table."""
    book = Book(table, tolerance, widest)
    return pd.DataFrame([_row(claim, book) for _, claim in own.iterrows()], columns=list(COLUMNS))


@remembered
def _default(tolerance, widest):
    return _rows(data.table("claims"), None, tolerance, widest)


@finding
def ledger(claims=None, *, tolerance=TOLERANCE, section=ALL, widest=WIDEST):
    """Every claim with its recomputation and verdict.

    ``claims`` is the table, if not the one of the book; ``tolerance`` the share by which a figure may be off;
    ``section`` keeps one section; ``widest`` is by how many times the ends of a range may differ that confirms a figure.
    """
    frame = _default(tolerance, widest) if claims is None else _rows(claims, claims, tolerance, widest)
    if section != ALL:
        if section not in set(frame["section"]):
            raise UnknownId("section", section, frame["section"].unique(), "the column section of data/claims.csv")
        frame = frame[frame["section"] == section].reset_index(drop=True)
    return Finding(frame, counted(frame, "examined", among=section, tolerance=tolerance, widest=widest),
                   f"A figure agrees if it meets the recomputed range within {100 * tolerance:.3g} percent.")


def entry(claim_id, claims=None, *, tolerance=TOLERANCE):
    """One claim of the ledger as a dict, without building the others; ``claims`` as in :func:`ledger`."""
    book = Book(claims, tolerance, WIDEST)
    return _row(book.stated.row(claim_id), book)


def ledger_csv():
    """The published ledger as CSV text: the columns of PUBLISHED."""
    frame = ledger().table
    return frame.to_csv(columns=list(PUBLISHED), index=False, float_format="%.10g", lineterminator="\n")


def counts(frame):
    """Number of claims for each verdict, in the order of VERDICTS, all of them present."""
    found = frame["verdict"].value_counts()
    return {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}


def so_many(number, one, many, *, tolerance, widest, **of):
    """A number of claims with its verb, "none holds", "1 holds", "29 hold", put on record under what it counts."""
    text = named("claims-counted", number, lambda number: str(number or "none"), tolerance=tolerance, widest=widest, **of)
    return f"{text} {one if number < 2 else many}".strip()


def counted(frame, where, **rule):
    """A sentence: how many claims hold and how many are contradicted."""
    number = counts(frame)
    whole = so_many(len(frame), "claim", "claims", verdict=ALL, **rule)
    return (f"Of {whole} {where}, {so_many(number[HOLDS], 'holds', 'hold', verdict=HOLDS, **rule)} and "
            f"{so_many(number[CONTRADICTED], 'is contradicted', 'are contradicted', verdict=CONTRADICTED, **rule)}.")


@finding
def for_chapter(chapter):
    """The claims that a page discusses (a chapter of the table, e.g. "cases/spotify"), they alone recomputed."""
    own = data.rows("claims", {"chapter": chapter})
    if own.empty:
        raise UnknownId("chapter", chapter, sorted(data.rows("claims", {}, want="chapter")["chapter"]),
                        "the column chapter of data/claims.csv")
    table = _rows(own, None, TOLERANCE, WIDEST)
    return Finding(table, counted(table, "that this page discusses", among=chapter, tolerance=TOLERANCE, widest=WIDEST))

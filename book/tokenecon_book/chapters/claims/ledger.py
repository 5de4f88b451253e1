"""The ledger of claims: every claim of the two documents with its recomputation and a computed verdict.

The rule is in :mod:`tokenecon_book.chapters.claims.rule`, the recomputations are one function a claim in the module of its
section, and the sums that printed figures must satisfy in :mod:`tokenecon_book.chapters.claims.identities`.
A claim is in exactly one of three places: ``RECOMPUTE`` (there is a function), ``PLAIN`` (an input with nothing to
hold it against) or ``NO_PATH`` (nothing gives it), the last two with the reason in words.
"""

from dataclasses import replace
from math import exp, log

import pandas as pd

from tokenecon import data, queries
from tokenecon.errors import UnknownId
from tokenecon.finding import Finding, finding
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
from tokenecon_book.documents.printed import Stated, n, pct, span_text
from tokenecon_book.documents.words import count

MODULES = (update, economics, hardware, software, deployment, cases)  # one file a section
DOCUMENTS = ("doc-uk", "doc-th")
ALL = "all"
TOO_WIDE = f"a range whose ends differ by more than {WIDEST:g} times confirms nothing"
PUBLISHED = ("id", "section", "statement", "claimed_low", "claimed_high", "unit", "recomputed_low",
             "recomputed_high", "verdict", "assumption", "chapter")
COLUMNS = (*PUBLISHED, "arithmetic", "needed", "footnote", "kind", "quantity", "comparator", "compared", "thai", "uk_line",
           "th_line", "note", "against", "sources")
# Verdict -> (what pages call its count, the words of the front page and the ledger for so many claims)
SHORT = {HOLDS: ("holds", "hold"), ASSUMPTION: ("assumption", "hold under an assumption"),
         CONTRADICTED: ("contradicted", "contradicted"), UNDERIVABLE: ("underivable", "cannot be derived"),
         INPUT: ("input", "plain inputs"), UNPRINTED: ("unprinted", "not printed")}


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
    return Finding(frame, _counted(frame),
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


def _so_many(number, one, many):
    """A number of claims with its verb: "none holds", "1 holds", "29 hold"."""
    return f"{number or 'none'} {one if number < 2 else many}"


def _counted(frame, where="examined"):
    number = counts(frame)
    return (f"Of {count(len(frame), 'claim')} {where}, {_so_many(number[HOLDS], 'holds', 'hold')} and "
            f"{_so_many(number[CONTRADICTED], 'is contradicted', 'are contradicted')}.")


def words(whole=None):
    """What pages say about the ledger, as text: the finding, the claims for each verdict, how wide a range may be."""
    whole = ledger() if whole is None else whole
    number = counts(whole.table)
    return {"finding": whole.sentence, "total": str(len(whole)), "widest": f"{WIDEST:g}"} | {
        SHORT[verdict][0]: str(count) for verdict, count in number.items()}


TOPICS = {"update": "the update of December 2025", "cases": "the case studies"}


@finding
def summary(whole=None):
    """Claims by section and verdict, tidy: section, verdict, claims."""
    whole = ledger() if whole is None else whole
    frame = whole.table
    sections = list(dict.fromkeys(frame["section"]))
    table = pd.DataFrame([{"section": section, "verdict": verdict,
                           "claims": int(((frame["section"] == section) & (frame["verdict"] == verdict)).sum())}
                          for section in sections for verdict in VERDICTS])
    share = {section: counts(frame[frame["section"] == section])[CONTRADICTED]
             / (frame["section"] == section).sum() for section in sections}
    most = max(share, key=share.get)
    wrong, all_of_it = counts(frame[frame["section"] == most])[CONTRADICTED], int((frame["section"] == most).sum())
    return Finding(table, f"Claims on {TOPICS.get(most, most)} are contradicted most often, {wrong} of {all_of_it}." if wrong
                   else "No claim is contradicted.", whole.note)


@finding
def ratios(whole=None):
    """Printed over recomputed figure, for claims that print a number and are more than plain inputs.

    Columns: claim, section, verdict, ratio with ratio_low and ratio_high (the ends of both ranges), statement.
    A claim whose recomputed range reaches zero has no ratio and is left out; the value ``left_out`` names them.
    """
    frame = (ledger() if whole is None else whole).table
    numeric = frame[frame["claimed_low"].notna() & frame["claimed_high"].notna() & frame["recomputed_low"].notna()
                    & ~frame["verdict"].isin([INPUT, UNDERIVABLE])]
    above = numeric[(numeric["recomputed_low"] > 0) & (numeric["claimed_low"] > 0)]
    table = pd.DataFrame({
        "claim": above["id"], "section": above["section"], "verdict": above["verdict"],
        "ratio_low": above["claimed_low"] / above["recomputed_high"],
        "ratio_high": above["claimed_high"] / above["recomputed_low"], "statement": above["statement"],
    }).reset_index(drop=True)  # fmt: skip
    table.insert(3, "ratio", [exp((log(low) + log(high)) / 2) for low, high in
                              zip(table["ratio_low"], table["ratio_high"], strict=True)])
    return Finding(table, left_out=sorted(set(numeric["id"]) - set(above["id"])))


@finding
def contradicted(whole=None):
    """The contradicted claims of :func:`ratios`: how far each printed figure is from what comes out."""
    every = ratios(whole).table
    table = every[every["verdict"] == CONTRADICTED].reset_index(drop=True)
    far = int(((table["ratio_low"] > 2) | (table["ratio_high"] < 0.5)).sum())
    return Finding(table, f"{_so_many(len(table), 'printed figure misses its', 'printed figures miss their').capitalize()} "
                          f"recomputation, {far or 'none'} of them by more than a factor of two.",
                   "Bars run over both ranges, the printed and the recomputed one. Savings are compared as savings.")


def _money(claim):
    """The printed figure of a claim, as a reader says it after what is measured: "$0.001", "60%", "3", "100 tok/s"."""
    low, high, unit = claim["claimed_low"], claim["claimed_high"], claim["unit"]
    if unit.startswith("USD"):
        return span_text(low, high, lambda usd: f"${n(usd)}")
    return span_text(low, high, pct if unit == "fraction" else n) + ("" if unit in ("fraction", "ratio") else f" {unit}")


def right_and_wrong(whole=None):
    """Two sentences: what the documents got right, and the figure that is furthest from its recomputation."""
    frame = (ledger() if whole is None else whole).table
    specs = frame[frame["quantity"].isin(["memory_capacity", "memory_bandwidth", "board_power"])]
    right = (f"{_so_many(int((specs['verdict'] == INPUT).sum()), '', '').strip().capitalize()} of {len(specs)} printed memory "
             "sizes, bandwidths and board powers agree with the data sheets.")
    wrong = contradicted(whole).table
    if wrong.empty:
        return right, "No printed figure that can be recomputed is contradicted."
    distance = wrong.apply(lambda row: max(log(row["ratio_low"]), -log(row["ratio_high"]), 0.0), axis=1)
    worst = wrong.loc[distance.idxmax()]
    printed = frame.set_index("id").loc[worst["claim"]]
    return right, (f"The printed {printed['quantity'].replace('_', ' ')} of {_money(printed)} is at least "
                   f"{n(exp(distance.max()), 2)} times too {'large' if worst['ratio_low'] > 1 else 'small'}, the widest miss of "
                   "all.")


@finding
def strictness(whole=None, *, tolerances=(0.01, 0.02, 0.05, 0.1, 0.2)):
    """Verdicts over the tolerance of the rule, tidy: tolerance (in words), verdict, claims."""
    ids = set((ledger() if whole is None else whole).table["id"])
    rows, wrong = [], []
    for tolerance in tolerances:
        at = ledger(tolerance=tolerance).table
        number = counts(at[at["id"].isin(ids)])
        wrong.append(number[CONTRADICTED])
        rows += [{"tolerance": f"within {100 * tolerance:.3g} percent", "verdict": verdict, "claims": number[verdict]}
                 for verdict in VERDICTS]
    moves = (f"stay at {wrong[0]}" if wrong[0] == wrong[-1] else
             f"{'fall' if wrong[0] > wrong[-1] else 'rise'} from {wrong[0]} to {wrong[-1]}")
    return Finding(pd.DataFrame(rows), f"From the strictest tolerance to the laxest, the contradicted claims {moves}.")


def narrower(whole=None, *, widest=2.0, tolerance=TOLERANCE):
    """A sentence: how many claims fewer would hold if the ends of a range might differ by less."""
    whole = ledger(tolerance=tolerance) if whole is None else whole
    at = ledger(widest=widest, tolerance=tolerance).table
    held, fewer = (counts(frame[frame["id"].isin(set(whole.table["id"]))]) for frame in (whole.table, at))
    lost = held[HOLDS] + held[ASSUMPTION] - fewer[HOLDS] - fewer[ASSUMPTION]
    return (f"If the ends of a range might differ by no more than a factor of {widest:g}, "
            f"{count(lost, 'claim') if lost else 'no claim'} fewer would hold.")


@finding
def splits(whole=None):
    """Claims that the two translations word differently: claim, what each says, and the verdict by each."""
    ids = set((ledger() if whole is None else whole).table["id"])
    table, book = data.table("claims"), Book(None, TOLERANCE, WIDEST)
    rows = [{"claim": claim["id"], "ukrainian": claim["statement"], "thai": claim["thai"],
             **{f"verdict_{language}": book.judge(claim["id"], language)[0] for language in ("uk", "th")}}
            for _, claim in table[(table["thai"] != "") & table["id"].isin(ids)].iterrows()]
    found = pd.DataFrame(rows, columns=["claim", "ukrainian", "thai", "verdict_uk", "verdict_th"])
    differ = int((found["verdict_uk"] != found["verdict_th"]).sum())
    return Finding(found, f"The two translations differ in {count(len(found), 'claim')}, and in {differ or 'none'} of them the "
                          "verdict depends on the language.")


@finding
def for_chapter(chapter):
    """The claims that a page discusses (a chapter of the table, e.g. "cases/spotify"), they alone recomputed."""
    own = data.rows("claims", {"chapter": chapter})
    if own.empty:
        raise UnknownId("chapter", chapter, sorted(data.rows("claims", {}, want="chapter")["chapter"]),
                        "the column chapter of data/claims.csv")
    table = _rows(own, None, TOLERANCE, WIDEST)
    return Finding(table, _counted(table, "that this page discusses"))

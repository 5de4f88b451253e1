"""The ledger of claims: every claim of the two documents with its recomputation and a computed verdict.

The rule is in :mod:`tokenecon_book.chapters.claims.rule`, the recomputations are one function a claim in the modules
the module of its section, and the sums that printed figures must satisfy in :mod:`tokenecon_book.chapters.claims.identities`.
A claim is in exactly one of three places: ``RECOMPUTE`` (there is a function), ``PLAIN`` (an input with nothing to
hold it against) or ``NO_PATH`` (nothing gives it), the last two with the reason in words.
"""

from math import exp, log

import pandas as pd

from tokenecon import data, queries
from tokenecon.errors import UnknownId
from tokenecon.finding import Finding, finding
from tokenecon.queries import remembered
from tokenecon_book.chapters.claims import cases, deployment, economics, hardware, software, update  # fmt: skip
from tokenecon_book.chapters.claims.identities import identities
from tokenecon_book.chapters.claims.rule import (
    ASSUMPTION,
    CONTRADICTED,
    HOLDS,
    INPUT,
    TOLERANCE,
    UNDERIVABLE,
    VERDICTS,
    judge,
    known,
)  # fmt: skip
from tokenecon_book.documents.printed import Stated, n

MODULES = (update, economics, hardware, software, deployment, cases)  # one file a section
DOCUMENTS = ("doc-uk", "doc-th")
ALL = "all"
PUBLISHED = ("id", "section", "statement", "claimed_low", "claimed_high", "unit", "recomputed_low",
             "recomputed_high", "verdict", "assumption", "chapter")
COLUMNS = (*PUBLISHED, "arithmetic", "needed", "footnote", "kind", "quantity", "comparator", "uk_line", "th_line", "note",
           "against", "sources")


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


def recompute(claim_id, stated):
    """The recomputation of one claim, or None where PLAIN or NO_PATH says why there is none; and the sources it asked for."""
    if claim_id in RECOMPUTE:
        with queries.recording() as asked:
            found = RECOMPUTE[claim_id](stated)
        return found, data.sources_of(asked)
    if claim_id in PLAIN or claim_id in NO_PATH:
        return None, ()
    raise UnknownId("claim", claim_id, [*RECOMPUTE, *PLAIN, *NO_PATH],
                    "RECOMPUTE, PLAIN or NO_PATH in book/tokenecon_book/chapters/claims/<section>.py")


def _number(value):
    return float(value) if known(value) else float("nan")


def _sentence(*parts):
    """Parts of an explanation, joined; an empty one is left out."""
    return "; ".join(part for part in parts if part)


def _row(claim, recomputed, sums, tolerance):
    found, cited = recomputed
    own = [one for one in sums if claim["id"] in one.members]
    verdict, reading = judge(claim, found, own, tolerance)
    failed = [one for one in own if not one.holds]
    reason = PLAIN.get(claim["id"], "") or NO_PATH.get(claim["id"], "")
    shown = reading if reading is not None and reading.low is not None else found
    others = dict.fromkeys(member for one in failed for member in one.members if member != claim["id"])
    settled = verdict in (HOLDS, INPUT)
    return {
        "id": claim["id"], "section": claim["section"], "statement": claim["statement"],
        "claimed_low": _number(claim["low"]), "claimed_high": _number(claim["high"]), "unit": claim["unit"],
        "recomputed_low": _number(shown.low) if shown else float("nan"),
        "recomputed_high": _number(shown.high) if shown else float("nan"),
        "verdict": verdict, "assumption": reading.assumption if reading else "", "chapter": claim["chapter"],
        "arithmetic": _sentence(found.confirmed_by if found and verdict == INPUT else "",
                                found.arithmetic if found else reason,
                                *(f"if {one.assumption}: {one.arithmetic}" for one in (found.readings if found else ())
                                  if one.arithmetic),
                                *(one.text for one in failed)),
        "needed": found.needed if found and not settled else "",
        "footnote": claim["footnote"], "kind": claim["kind"], "quantity": claim["quantity"], "comparator": claim["comparator"],
        "uk_line": int(claim["uk_line"]), "th_line": int(claim["th_line"]), "note": claim["note"],
        "against": " ".join(others),
        "sources": " ".join(dict.fromkeys((*DOCUMENTS, *cited))),
    }  # fmt: skip


@remembered
def _recomputed(claim_id):
    return recompute(claim_id, Stated())  # does not depend on the tolerance


def _rows(own, table, tolerance):
    """Verdicts of some claims: of the book where ``table`` is None, else of that table."""
    stated = Stated(table)
    sums = identities(stated, tolerance, set(own["id"]))
    rows = [_row(claim, _recomputed(claim["id"]) if table is None else recompute(claim["id"], stated), sums, tolerance)
            for _, claim in own.iterrows()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@remembered
def _default(tolerance):
    return _rows(data.table("claims"), None, tolerance)


@finding
def ledger(claims=None, *, tolerance=TOLERANCE, section=ALL):
    """Every claim with its recomputation and verdict.

    ``claims`` is the table, if not the one of the book; ``tolerance`` the share by which a figure may be off;
    ``section`` keeps one section.
    """
    frame = _default(tolerance) if claims is None else _rows(claims, claims, tolerance)
    if section != ALL:
        if section not in set(frame["section"]):
            raise UnknownId("section", section, frame["section"].unique(), "the column section of data/claims.csv")
        frame = frame[frame["section"] == section].reset_index(drop=True)
    return Finding(frame, _counted(frame),
                   f"A figure agrees if it meets the recomputed range within {100 * tolerance:.3g} percent.")


def entry(claim_id, claims=None, *, tolerance=TOLERANCE):
    """One claim of the ledger as a dict, without building the others; ``claims`` as in :func:`ledger`."""
    stated = Stated(claims)
    return _row(stated.row(claim_id), recompute(claim_id, stated), identities(stated, tolerance, {claim_id}), tolerance)


def ledger_csv():
    """The published ledger as CSV text: the columns of PUBLISHED."""
    frame = ledger().table
    return frame.to_csv(columns=list(PUBLISHED), index=False, float_format="%.10g", lineterminator="\n")


def counts(frame):
    """Number of claims for each verdict, in the order of VERDICTS, all of them present."""
    found = frame["verdict"].value_counts()
    return {verdict: int(found.get(verdict, 0)) for verdict in VERDICTS}


def _counted(frame):
    number = counts(frame)
    checkable = len(frame) - number[INPUT] - number[UNDERIVABLE]
    return (f"Of {len(frame)} claims, {checkable} can be checked: {number[HOLDS]} hold, {number[ASSUMPTION]} hold only "
            f"under an assumption that the text leaves out, and {number[CONTRADICTED]} are contradicted.")


def words(whole=None):
    """What pages say about the ledger: the finding and the number of claims for each verdict, as text."""
    whole = ledger() if whole is None else whole
    number = counts(whole.table)
    short = {HOLDS: "holds", ASSUMPTION: "assumption", CONTRADICTED: "contradicted", UNDERIVABLE: "underivable",
             INPUT: "input"}
    return {"finding": whole.sentence, "total": str(len(whole))} | {
        short[verdict]: str(count) for verdict, count in number.items()}


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
    return Finding(table, f"Most often contradicted: {counts(frame[frame['section'] == most])[CONTRADICTED]} of "
                          f"{int((frame['section'] == most).sum())} claims in the section on {most}.", whole.note)


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
    far = table[(table["ratio_low"] > 2) | (table["ratio_high"] < 0.5)]
    return Finding(table, f"{len(table)} of {len(every)} figures miss, {len(far)} by more than a factor of two.",
                   "Bars run over both ranges, the printed and the recomputed one. Savings are compared as savings.")


def right_and_wrong(whole=None):
    """Two sentences: what the documents got right, and the figure that is furthest from its recomputation."""
    frame = (ledger() if whole is None else whole).table
    specs = frame[frame["quantity"].isin(["memory_capacity", "memory_bandwidth", "board_power"])]
    fine = specs[specs["verdict"] == INPUT]
    sums = frame[frame["kind"] == "derived"]
    held = sums[sums["verdict"].isin([HOLDS])]
    right = (f"{len(fine)} of {len(specs)} printed hardware figures agree with the data sheets, and {len(held)} of {len(sums)} "
             "sums drawn from printed figures come out as they stand.")
    wrong = contradicted(whole).table
    if wrong.empty:
        return right, "No printed figure that can be recomputed is contradicted."
    distance = wrong.apply(lambda row: max(log(row["ratio_low"]), -log(row["ratio_high"]), 0.0), axis=1)
    worst = wrong.loc[distance.idxmax()]
    factor = exp(distance.max())
    side = "above" if worst["ratio_low"] > 1 else "below"
    return right, (f"Furthest off: \u201c{worst['statement'].rstrip('.')}\u201d is at least {n(factor, 2)} times {side} what the "
                   "recomputation gives.")


@finding
def strictness(whole=None, *, tolerances=(0.01, 0.02, 0.05, 0.1, 0.2)):
    """Verdicts over the tolerance of the rule, tidy: tolerance (in words), verdict, claims."""
    ids = set((ledger() if whole is None else whole).table["id"])
    rows, contradicted = [], []
    for tolerance in tolerances:
        at = ledger(tolerance=tolerance).table
        number = counts(at[at["id"].isin(ids)])
        contradicted.append(number[CONTRADICTED])
        rows += [{"tolerance": f"within {100 * tolerance:.3g} percent", "verdict": verdict, "claims": number[verdict]}
                 for verdict in VERDICTS]
    return Finding(
        pd.DataFrame(rows), f"{contradicted[0]} claims are contradicted if a figure may be off by {100 * tolerances[0]:.3g} "
        f"percent, {contradicted[-1]} if by {100 * tolerances[-1]:.3g}.")


@finding
def for_chapter(chapter):
    """The claims that a page discusses (a chapter of the table, e.g. "cases/spotify"), they alone recomputed."""
    own = data.rows("claims", {"chapter": chapter})
    if own.empty:
        raise UnknownId("chapter", chapter, sorted(data.rows("claims", {}, want="chapter")["chapter"]),
                        "the column chapter of data/claims.csv")
    table = _rows(own, None, TOLERANCE)
    return Finding(table, ", ".join(f"{count} {verdict}" for verdict, count in counts(table).items() if count))

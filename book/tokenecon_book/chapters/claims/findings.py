"""What the page of claims says: how the verdicts fall, how far off the figures are, where the translations differ."""

from math import exp, log

import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding, given, named
from tokenecon_book.chapters.claims.ledger import ALL, Book, counts, ledger, so_many
from tokenecon_book.chapters.claims.rule import (
    ASSUMPTION,
    CONTRADICTED,
    HOLDS,
    INPUT,
    UNDERIVABLE,
    UNPRINTED,
    VERDICTS,
)
from tokenecon_book.documents import base
from tokenecon_book.documents.printed import Stated, n, pct, span_text

# Verdict -> (what pages call its count, the words of the front page and the ledger for so many claims)
SHORT = {HOLDS: ("holds", "hold"), ASSUMPTION: ("assumption", "hold under an assumption"),
         CONTRADICTED: ("contradicted", "contradicted"), UNDERIVABLE: ("underivable", "cannot be derived"),
         INPUT: ("input", "plain inputs"), UNPRINTED: ("unprinted", "not printed")}
SHEETS = ("memory_capacity", "memory_bandwidth", "board_power")  # quantities that a data sheet gives
TOPICS = {"update": "the update of December 2025", "cases": "the case studies"}
OWN = "own figures"  # how an arithmetic begins that takes the documents' inputs, not the book's
TOLERANCES = (0.01, 0.02, 0.05, 0.1, 0.2)
MOVED = (0.01, 0.1, 0.2)  # of these, those in the head of the page
CHANGE_COLUMNS = {"what": ("What changes", None), "to": ("To", None), "holds": ("Claims that hold", "count"),
                  "contradicted": ("Contradicted", "count")}  # fmt: skip
MISS_COLUMNS = {"claim": ("Claim", None), "section": ("Section", None), "ratio": ("Printed over recomputed", "ratio"),
                "statement": ("What it says", None)}  # fmt: skip
STRICTER = 2.0  # the factor that the page tries in place of WIDEST


def rule(whole):
    """The tolerance and the factor that a ledger was made with."""
    return {name: whole.parameters[name] for name in ("tolerance", "widest")}


@finding
def words(whole):
    """What pages say about the ledger: the finding, the claims for each verdict, how wide a range may be, and three sentences."""
    frame, given, among = whole.table, rule(whole), whole.parameters["section"]
    number = counts(frame)
    said = {short: so_many(number[verdict], "", "", verdict=verdict, among=among, **given)
            for verdict, (short, _) in SHORT.items()}
    total = so_many(len(frame), "", "", verdict=ALL, among=among, **given)
    return Finding(pd.DataFrame({"verdict": list(VERDICTS), "claims": list(number.values())}), whole.sentence, total=total,
                   widest=named("claims-widest", given["widest"], "{:g}".format, rule="page"), right=right(frame, given),
                   wrong=wrong(whole), narrower=narrower(whole), **said)


@finding
def line(case, whole):
    """The case of the page in one line: whose claims, of which day, by which rule; each claim brings a case of its own."""
    among = whole.parameters["section"]
    total = so_many(len(whole.table), "claim", "claims", verdict=ALL, among=among, **rule(whole))
    widest = named("claims-widest", rule(whole)["widest"], "{:g}".format, rule="page")
    parts = [f"{total} of two translations of one article of {Stated().day()}",
             "each recomputed for the case that it names, or that its arithmetic says",
             f"a figure agrees within {given(case, 'tolerance', pct)}",
             f"a range whose ends differ by more than {widest} times confirms nothing"]
    return base.case_of(parts)


def right(frame, given):
    """A sentence: how many hardware figures agree with the data sheets."""
    sheets = frame[frame["quantity"].isin(SHEETS)]
    if sheets.empty:
        return "No printed memory size, bandwidth or board power is among these claims."
    of = {"among": "data sheets", **given}
    fine = so_many(int((sheets["verdict"] == INPUT).sum()), "", "", verdict=INPUT, **of)
    every = so_many(len(sheets), "", "", verdict=ALL, **of)
    agree = "agrees" if fine in ("none", "1") else "agree"
    return f"{fine.capitalize()} of {every} printed memory sizes, bandwidths and board powers {agree} with the data sheets."


def wrong(whole):
    """A sentence: the figure that is furthest from its recomputation."""
    table = contradicted(whole).table
    if table.empty:
        return "No printed figure that can be recomputed is contradicted."
    distance = table.apply(lambda row: max(log(row["ratio_low"]), -log(row["ratio_high"]), 0.0), axis=1)
    worst = table.loc[distance.idxmax()]
    printed = whole.table.set_index("id").loc[worst["claim"]]
    figure = named(worst["claim"], printed["claimed_low"], lambda _: printed_figure(printed))
    times = named("claims-missed", exp(distance.max()), lambda ratio: f"{n(ratio, 2)} times", claim=worst["claim"])
    by = "By the documents' own figures, the" if printed["arithmetic"].startswith(OWN) else "The"
    return (f"{by} printed {printed['quantity'].replace('_', ' ')} of {figure} is at least {times} too "
            f"{'large' if worst['ratio_low'] > 1 else 'small'}, the widest miss of all.")


def printed_figure(claim):
    """The printed figure of a claim, as a reader says it after what is measured: "$0.001", "60%", "3", "100 tok/s"."""
    low, high, unit = claim["claimed_low"], claim["claimed_high"], claim["unit"]
    if unit.startswith("USD"):
        return span_text(low, high, lambda usd: f"${n(usd)}")
    return span_text(low, high, pct if unit == "fraction" else n) + ("" if unit in ("fraction", "ratio") else f" {unit}")


def narrower(whole):
    """A sentence: how many claims fewer would hold if the ends of a range might differ by less."""
    given = rule(whole)
    at = ledger(widest=STRICTER, tolerance=given["tolerance"], section=whole.parameters["section"]).table
    held, fewer = counts(whole.table), counts(at)
    lost = held[HOLDS] + held[ASSUMPTION] - fewer[HOLDS] - fewer[ASSUMPTION]
    factor = named("claims-widest", STRICTER, "{:g}".format, rule="stricter")
    gone = so_many(lost, "claim", "claims", verdict="no longer holds", among=whole.parameters["section"], **given)
    return f"If the ends of a range might differ by at most {factor} times, {gone.replace('none', 'no')} fewer would hold."


@finding
def summary(whole):
    """Claims by section and verdict, tidy: section, verdict, claims."""
    frame, given = whole.table, rule(whole)
    sections = list(dict.fromkeys(frame["section"]))
    table = pd.DataFrame([{"section": section, "verdict": verdict,
                           "claims": int(((frame["section"] == section) & (frame["verdict"] == verdict)).sum())}
                          for section in sections for verdict in VERDICTS])
    share = {section: counts(frame[frame["section"] == section])[CONTRADICTED]
             / (frame["section"] == section).sum() for section in sections}
    most = max(share, key=share.get)
    own = frame[frame["section"] == most]
    miss = counts(own)[CONTRADICTED]
    return Finding(table, f"Claims on {TOPICS.get(most, most)} are contradicted most often, "
                          f"{so_many(miss, '', '', verdict=CONTRADICTED, among=most, **given)} of "
                          f"{so_many(len(own), '', '', verdict=ALL, among=most, **given)}." if miss
                   else "No claim is contradicted.", whole.note)


@finding
def ratios(whole):
    """Printed over recomputed figure, for claims that print a number and are more than plain inputs.

    Columns: claim, section, verdict, ratio with ratio_low and ratio_high (the ends of both ranges), statement.
    A claim whose recomputed range reaches zero has no ratio and is left out; the value ``left_out`` names them.
    """
    frame = whole.table
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
def contradicted(whole):
    """The contradicted claims of :func:`ratios`: how far each printed figure is from what comes out."""
    every, given = ratios(whole).table, rule(whole) | {"among": whole.parameters["section"]}
    table = every[every["verdict"] == CONTRADICTED].reset_index(drop=True)
    far = so_many(int(((table["ratio_low"] > 2) | (table["ratio_high"] < 0.5)).sum()), "", "", verdict="misses twofold", **given)
    missed = so_many(len(table), "printed figure misses its", "printed figures miss their", verdict="misses", **given)
    return Finding(table, f"{missed.capitalize()} recomputation, {far} of them by more than a factor of two.",
                   "Bars run over both ranges, the printed and the recomputed one. Savings are compared as savings.")


@finding
def strictness(whole, *, tolerances=TOLERANCES):
    """Verdicts over the tolerance of the rule, tidy: tolerance (in words), verdict, claims."""
    of = {"widest": whole.parameters["widest"], "section": whole.parameters["section"]}
    rows, miss = [], []
    for tolerance in tolerances:
        number = counts(ledger(tolerance=tolerance, **of).table)
        miss.append(number[CONTRADICTED])
        rows += [{"tolerance": f"within {100 * tolerance:.3g} percent", "verdict": verdict, "claims": number[verdict]}
                 for verdict in VERDICTS]
    first, last = (so_many(number, "", "", verdict=CONTRADICTED, among=of["section"], widest=of["widest"], tolerance=tolerance)
                   for number, tolerance in ((miss[0], tolerances[0]), (miss[-1], tolerances[-1])))
    moves = f"stay at {first}" if first == last else f"{'fall' if miss[0] > miss[-1] else 'rise'} from {first} to {last}"
    return Finding(pd.DataFrame(rows), f"From the strictest tolerance to the laxest, the contradicted claims {moves}.")


@finding
def splits(whole):
    """Claims that the two translations word differently: claim, what each says, the verdict by each, and both in words."""
    ids, given = set(whole.table["id"]), rule(whole)
    table, book = data.table("claims"), Book(None, **given)
    rows = [{"claim": claim["id"], "ukrainian": claim["statement"], "thai": claim["thai"],
             **{f"verdict_{language}": book.judge(claim["id"], language)[0] for language in ("uk", "th")}}
            for _, claim in table[(table["thai"] != "") & table["id"].isin(ids)].iterrows()]
    for row in rows:
        uk, th = row["verdict_uk"], row["verdict_th"]
        row["verdict"] = uk if uk == th else f"{uk} in Ukrainian, {th} in Thai"
    found = pd.DataFrame(rows, columns=["claim", "ukrainian", "thai", "verdict_uk", "verdict_th", "verdict"])
    given = given | {"among": whole.parameters["section"]}
    differ = so_many(int((found["verdict_uk"] != found["verdict_th"]).sum()), "", "", verdict="differs by language", **given)
    worded = so_many(len(found), "claim", "claims", verdict="worded differently", **given)
    return Finding(found, f"The two translations differ in {worded.replace('none', 'no')}, and in {differ} of them the verdict "
                          "depends on the language.")


@finding
def sensitivity(whole):
    """How many claims hold and are contradicted when the tolerance, the one free number of the rule, moves."""
    given, section = rule(whole), whole.parameters["section"]
    rows = []
    for tolerance in [one for one in (*MOVED, *TOLERANCES) if one != given["tolerance"]][:len(MOVED)]:
        number = counts(ledger(section=section, **given | {"tolerance": tolerance}).table)
        rows.append({"what": "Tolerance of the rule", "to": pct(tolerance), "holds": number[HOLDS],
                     "contradicted": number[CONTRADICTED]})
    return Finding(pd.DataFrame(rows), units={"holds": "count", "contradicted": "count"})

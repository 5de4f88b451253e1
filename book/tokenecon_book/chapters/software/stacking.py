"""What levers save alone, on top of each other and multiplied, against the savings that the documents state."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import levers as formulas
from tokenecon.queries import remembered
from tokenecon.serving import textbook
from tokenecon.serving.operating_point import CALIBRATED, TEXTBOOK
from tokenecon_book.chapters.software import lever_points_calibrated, lever_points_textbook
from tokenecon_book.chapters.software.lever_points_textbook import DOING, LEVERS, name, of
from tokenecon_book.documents.words import LITTLE

# The documents' figures that say what a lever does to cost or to speed.
CLAIMED = {
    "weights": "sw-quant-cost-factor",
    "continuous": "sw-cb-cost-reduction",
    "speculation": "sw-spec-decoding-speedup",
    "routing": "sw-routing-saving",
}
# Parameters with an assumed range, and whether a larger value makes their lever save more.
RANGES = {
    "contiguous_waste": ("kv.waste_contiguous", True), "paged_waste": ("kv.waste_paged", False),
    "hit_rate": ("cache.hit_rate", True), "saved_share": ("cache.saved_share", True),
    "acceptance": ("speculation.acceptance", True), "draft_cost": ("speculation.draft_cost", False),
    "small_share": ("routing.small_share", True), "cost_ratio": ("routing.cost_ratio", False),
    "router_cost": ("routing.router_cost", False),
}  # fmt: skip
LEVER_COLUMNS = {
    "lever": ("Optimisation", None), "alone": ("Alone", "fraction"), "on_top": ("On top of the others", "fraction"),
    "textbook_alone": ("Alone, textbook", "fraction"), "textbook_on_top": ("On top, textbook", "fraction"),
    "claimed": ("By the documents", "fraction"),
}  # fmt: skip
LEVER_RANGES = {"alone": "bound", "on_top": "bound", "claimed": "printed"}


def at_end(case, end):
    """The case with every assumed share at the end of its range that saves least (0) or most (1)."""
    moved = {}
    for parameter, (assumption, more_saves) in RANGES.items():
        low, _typical, high = data.span(assumption)
        ends = (min(low, getattr(case, parameter)), max(high, getattr(case, parameter)))
        moved[parameter] = ends[end if more_saves else 1 - end]
    return SimpleNamespace(**(vars(case) | moved))


POINTS = {CALIBRATED: lever_points_calibrated.operating_point, TEXTBOOK: lever_points_textbook.operating_point}


def cost(case, on, by=CALIBRATED):
    """Expected cost of a million tokens with the levers in `on`. [USD/Mtok]"""
    return _cost(tuple(sorted((name, value) for name, value in vars(case).items() if name != "costed")), on, by)


@remembered
def _cost(parameters, on, by):
    return float(POINTS[by](SimpleNamespace(**dict(parameters)), on)["usd_per_mtok"][textbook.EXPECTED])


def claimed_saving(lever):
    """Saving that the documents' figure for a lever means, as (low, high); a factor f saves 1 - 1/f."""
    claim = data.claim(CLAIMED[lever])
    ends = (claim["low"], claim["high"])
    if claim["unit"] == "ratio":
        ends = [formulas.saving(before=end, after=1) for end in ends]
    return tuple(sorted(map(float, ends)))


def savings(case, by=CALIBRATED):
    """Savings of each lever on the baseline and on top of all others: {lever: (alone, on top)}."""
    everything = frozenset(LEVERS)
    base, best = cost(case, frozenset(), by), cost(case, everything, by)
    return {lever: (float(formulas.saving(before=base, after=cost(case, frozenset({lever}), by))),
                    float(formulas.saving(before=cost(case, everything - {lever}, by), after=best)))
            for lever in LEVERS}


def _three(case):
    """The case and its two ends: (least saving, expected, most saving)."""
    return at_end(case, 0), case, at_end(case, 1)


@finding
def levers(case):
    """What each lever saves alone, what on top of all others, and what the documents say of it."""
    least, expected, most = (savings(one) for one in _three(case))
    theirs = savings(case, TEXTBOOK)
    rows = []
    for lever in LEVERS:
        row = {"id": lever, "lever": name(lever, case)}
        for place, column in enumerate(("alone", "on_top")):
            values = [found[lever][place] for found in (least, expected, most)]
            row |= {column: values[1], f"{column}_low": min(values), f"{column}_high": max(values),
                    f"textbook_{column}": theirs[lever][place]}
        low, high = claimed_saving(lever) if lever in CLAIMED else (np.nan, np.nan)
        rows.append(row | {"claimed_low": low, "claimed_high": high})
    table = pd.DataFrame(rows)
    faded = table.loc[(table["alone"] - table["on_top"]).idxmax()]
    alone, on_top = (named("optimisation-saving", faded[column], _does, what=faded["id"], beside=beside, **of(case))
                     for column, beside in (("alone", "nothing"), ("on_top", "all others")))
    return Finding(table, (
        f"What an optimisation saves depends on the others: {name(faded['id'], case, DOING)} {alone} alone and {on_top} on top "
        "of the rest"), (
        "Shares of the cost of all tokens; below zero an optimisation costs more than it saves. Ranges: outer bound, all assumed "
        "shares at the ends of their ranges at once. The documents' factors are written as savings: four times "
        "cheaper saves 75%."),
        units={name: "fraction" for name in table.columns if table[name].dtype.kind == "f"})


def _does(saving):
    return "saves nothing" if abs(saving) < LITTLE else f"saves {saving:.0%}" if saving > 0 else f"adds {-saving:.0%}"


def multiplied(shares):
    """Factor by which the cost would fall if no lever got in another's way. [ratio]"""
    return float(1 / (1 - formulas.stacked_saving(savings=shares)))


def _fall(case, on, by=CALIBRATED):
    return cost(case, frozenset(), by) / cost(case, frozenset(on), by)


@finding
def products(case, each):
    """Factor by which the cost falls: savings multiplied, and the same levers recomputed together; `each` from :func:`levers`."""
    claimed = [claimed_saving(lever) for lever in CLAIMED]
    low, high = (multiplied([saving[end] for saving in claimed]) for end in (0, 1))
    few, many = f"{len(CLAIMED)} optimisations", f"{len(LEVERS)} optimisations"
    alone = [multiplied(list(each.table[column])) for column in ("alone_low", "alone", "alone_high")]
    values = {
        ("documents, multiplied", f"{few}: the documents' figures, multiplied"): (low, np.sqrt(low * high), high),
        ("recomputed", f"the same {few}, recomputed"): [_fall(one, CLAIMED) for one in _three(case)],
        ("recomputed, textbook", f"the same {few}, recomputed"): [_fall(one, CLAIMED, TEXTBOOK) for one in _three(case)],
        ("multiplied", f"all {many}: each alone, multiplied"): alone,
        ("recomputed", f"all {many}, recomputed"): [_fall(one, LEVERS) for one in _three(case)],
        ("recomputed, textbook", f"all {many}, recomputed"): [_fall(one, LEVERS, TEXTBOOK) for one in _three(case)],
    }
    table = pd.DataFrame([
        {"what": what, "how": how, "cost_factor": three[1], "cost_factor_low": min(three), "cost_factor_high": max(three)}
        for (how, what), three in values.items()])
    same, same_textbook, _, together, textbook_together = table["cost_factor"].iloc[1:]
    ours = named("cheaper-together", same, factor, **ends_of_fall(case, CLAIMED), what="the documents' optimisations", **of(case))
    ends = [named("documents-multiplied", value, factor, end=end) for end, value in (("low", low), ("high", high))]
    sentence = (f"Together the documents' optimisations make tokens {ours} times cheaper; their own figures multiply to "
                f"{ends[0]} to {ends[1]} times")
    return Finding(table, sentence, (
        f"By the textbook the same {few} give {same_textbook:.1f} times; all {many} give {together:.1f} times, by the textbook "
        f"{textbook_together:.1f}. "
        f"The documents say what these do to cost or speed: {', '.join(name(lever, case) for lever in CLAIMED)}; the dot "
        "of their range is its geometric middle. Ranges: outer bound, all assumed shares at the ends of their ranges at once."),
        finding=f"{sentence}.", number=f"{ours}×",
        label=f"cheaper tokens of {data.model(case.model)['name']} with the documents' optimisations together")


def ends_of_fall(case, on=LEVERS):
    """The ends of how many times cheaper some optimisations together make a token, for :func:`named`."""
    found = [_fall(one, on) for one in _three(case)]
    return {"low": min(found), "high": max(found)}


def factor(times):
    return f"{times:,.{1 if times < 10 else 0}f}"

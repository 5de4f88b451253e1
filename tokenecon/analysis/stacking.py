"""What levers save alone, on top of each other and multiplied, against the savings that the documents state."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.analysis import textbook
from tokenecon.analysis.waterfall import LEVERS, TooSlow, name, operating_point
from tokenecon.formulas import levers as formulas

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
    "lever": ("Lever", None), "alone": ("Alone", "fraction"), "on_top": ("On top of the others", "fraction"),
    "claimed": ("By the documents", "fraction"),
}  # fmt: skip


def claimed_saving(lever):
    """Saving that the documents' figure for a lever means, as (low, high); a factor f saves 1 - 1/f."""
    claim = data.claim(CLAIMED[lever])
    ends = (claim["low"], claim["high"])
    if claim["unit"] == "ratio":
        ends = [lever_formulas.saving(before=end, after=1) for end in ends]
    return tuple(sorted(map(float, ends)))


def levers(case):
    """What each lever saves alone, what on top of all others, and what the documents say of it."""
    everything = frozenset(LEVERS)
    base, best = (operating_point(case, on)["usd_per_mtok"] for on in (frozenset(), everything))
    rows = []
    for lever in LEVERS:
        alone = operating_point(case, frozenset({lever}))["usd_per_mtok"]
        without = operating_point(case, everything - {lever})["usd_per_mtok"]
        row = {"id": lever, "lever": name(lever, case)}
        row |= textbook.span("alone", lever_formulas.saving(before=base, after=alone))
        row |= textbook.span("on_top", lever_formulas.saving(before=without, after=best))
        low, high = claimed_saving(lever) if lever in CLAIMED else (np.nan, np.nan)
        rows.append(row | {"claimed_low": low, "claimed_high": high})
    table = pd.DataFrame(rows)
    table["loss"] = table["alone"] - table["on_top"]
    most = table.loc[table["loss"].idxmax()]
    table.attrs["finding"] = (
        f"What a lever saves depends on the others: {most['lever']} saves {most['alone']:.0%} alone and "
        f"{most['on_top']:.0%} on top of the rest")
    table.attrs["note"] = (
        "Share of the cost of input and output together. Below zero a lever costs more than it saves. The documents' "
        "factors are written as savings: four times cheaper saves 75 %.")
    return table


def products(case):
    """Factor by which the cost falls: savings multiplied, and the same levers recomputed together."""
    base, best, four = (operating_point(case, on)["usd_per_mtok"]
                        for on in (frozenset(), frozenset(LEVERS), frozenset(CLAIMED)))
    claims = {lever: claimed_saving(lever) for lever in CLAIMED}
    alone = levers(case)

    def multiplied(savings):
        return 1 / (1 - lever_formulas.stacked_saving(savings=savings))

    low, high = (multiplied([claims[lever][end] for lever in CLAIMED]) for end in (0, 1))
    count, named = f"{len(LEVERS)} levers", f"{len(CLAIMED)} levers"
    rows = [
        {"what": f"{named}: the documents' figures, multiplied", "group": "multiplied",
         "cost_factor": np.sqrt(low * high), "cost_factor_low": low, "cost_factor_high": high},
        {"what": f"the same {named}, recomputed", "group": "recomputed"} | textbook.span("cost_factor", base / four),
        {"what": f"all {count}: each alone, multiplied", "group": "multiplied"} | textbook.span(
            "cost_factor", np.array([multiplied(list(alone[column])) for column in ("alone_low", "alone", "alone_high")])),
        {"what": f"all {count}, recomputed", "group": "recomputed"} | textbook.span("cost_factor", base / best),
    ]
    table = pd.DataFrame(rows)
    documents, same, _alone, together = rows
    table.attrs["finding"] = (
        f"The documents' savings on {named} multiply to {low:.0f} to {high:.0f} times cheaper; the same levers "
        f"recomputed together give {same['cost_factor']:.1f}, all {count} {together['cost_factor']:.1f}")
    table.attrs["note"] = (
        f"The documents give a figure of cost or speed for {', '.join(name(lever, case) for lever in CLAIMED)}. The dot "
        "of their range is its geometric middle. Multiplying counts the same bottleneck more than once.")
    table.attrs["sources"] = ["doc-uk", "own-assumption"]
    table.attrs["number"] = f"{together['cost_factor']:.1f}×"
    table.attrs["label"] = (
        f"cheaper tokens of {data.model(case.model)['name']} with {count}, against 16 bits and static batches")
    return table

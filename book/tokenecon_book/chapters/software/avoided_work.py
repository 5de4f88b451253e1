"""Work that is not done: easy requests sent to a small model, prompts found in a cache, experts left asleep."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, model_shape
from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import levers
from tokenecon.serving import textbook
from tokenecon_book.chapters.software import lever_points_calibrated
from tokenecon_book.chapters.software.lever_points_textbook import BASE_FORMAT, LEVERS
from tokenecon_book.documents import base
from tokenecon_book.documents.words import percent, than

SHARES = (0.25, 0.5, 0.75, 0.9)
EXPERT_MODELS = ("mixtral-8x7b", "qwen3-235b-a22b", "deepseek-v3", "gpt-oss-120b")
EXPERT_BATCHES = (1, 8, 64, 256)
SHARE_COLUMNS = {
    "share": ("Share of tokens", "fraction"), "routed": ("Routed to the small model", "fraction"),
    "cascade": ("Small model first, then the large", "fraction"), "prefix": ("Found in the prefix cache", "fraction"),
}  # fmt: skip
EXPERT_COLUMNS = {
    "model": ("Model", None), "compute_saving": ("Less arithmetic", "fraction"),
    **{f"read_{batch}": (f"Weights read at batch {batch}", "fraction") for batch in EXPERT_BATCHES},
}


@finding
def shares(case):
    """Saving over the share of tokens that a router, a cascade or a prefix cache takes over, on costs of the calibrated model."""
    on = frozenset(LEVERS) - {"routing"}
    bare = lever_points_calibrated.cost(case, on - {"prefix"})
    rows = []
    for share in sorted({*SHARES, case.small_share, case.hit_rate}):
        routed = levers.routed_usd_per_mtok(shares=(share, 1 - share), usd_per_mtok=(case.cost_ratio, 1),
                                            router_usd_per_mtok=case.router_cost)
        cascade = levers.cascade_usd_per_mtok(small_usd_per_mtok=case.cost_ratio, large_usd_per_mtok=1,
                                              accepted_share=share)
        cached = lever_points_calibrated.cost(SimpleNamespace(**(vars(case) | {"hit_rate": share})), on)
        rows.append({"share": share, "routed": 1 - routed, "cascade": 1 - cascade, "prefix": 1 - cached / bare})
    table = pd.DataFrame(rows)
    claimed = data.claim("sw-routing-saving")["low"]
    pays = case.cost_ratio < 1
    needed = levers.routing_share_needed(saving=claimed + case.router_cost, cost_ratio=case.cost_ratio) if pays else np.inf
    said = named("sw-routing-saving", claimed, percent)
    ratio = given(case, "cost_ratio", percent)
    share = named("routing-share-needed", needed, percent, **base.cased(case, "cost_ratio", "router_cost")) if needed <= 1 else ""
    return Finding(table, (
        f"Routing does not pay: the other model's token costs {given(case, 'cost_ratio', than)} one of the large model."
        if not pays else
        f"To save the documents' {said}, {share} of the tokens must go to a model at {ratio} of the cost, and nothing may be "
        "asked twice."
        if share else
        f"The documents' {said} is out of reach with a small model at {ratio} of the cost, even if it answers everything."), (
        f"Savings on the cost of all tokens, all optimisations but these on. Router: {case.router_cost:.0%} of "
        f"the large model's cost; a token found in the cache saves {case.saved_share:.0%} of its prefill. What the small "
        "model gets wrong costs quality, which no figure here counts."),
        units=dict.fromkeys(("routed", "cascade", "prefix"), "fraction"), needed=float(needed))


@finding
def experts(case):
    """Arithmetic that mixtures of experts save, and the share of their weights a decode step reads anyway."""
    chosen = [*EXPERT_MODELS]
    if data.model(case.model)["kind"] == "moe" and case.model not in chosen:
        chosen.insert(0, case.model)
    rows = []
    for model in chosen:
        row = data.model(model)
        held = model_shape.weight_bytes(textbook.shape(model), data.precision(BASE_FORMAT))
        read = {f"read_{batch}": textbook.weights_read(model, BASE_FORMAT, batch) / held for batch in EXPERT_BATCHES}
        rows.append({"model": row["name"], "compute_saving": float(levers.sparse_compute_saving(
            active_parameters=row["active_parameters"], parameters=row["parameters"]))} | read)
    table = pd.DataFrame(rows)
    claimed = named("sw-moe-compute-reduction", data.claim("sw-moe-compute-reduction")["low"], percent)
    batch = EXPERT_BATCHES[-2]
    column = f"read_{batch}"
    less = [named("experts-arithmetic-saved", table["compute_saving"].agg(end), percent, end=end,
                  models=",".join(chosen)) for end in ("min", "max")]
    read = [named("experts-read", table[column].agg(end), percent, end=end, batch=batch, models=",".join(chosen))
            for end in ("min", "max")]
    shared = named("batch-example", batch, str, what="experts")
    return Finding(table, (
        f"A mixture of experts does {less[0]} to {less[1]} less arithmetic (the documents: {claimed}), but with {shared} "
        f"requests at a time a step still reads {read[0]} to {read[1]} of the weights, and all of them must be kept in memory."),
        "Share of the weights read in one decode step, if every token picks its experts by chance.",
        units=dict.fromkeys(table.columns.drop("model"), "fraction"))


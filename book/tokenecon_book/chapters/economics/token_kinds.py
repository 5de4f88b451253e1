"""Whose time it is: what input, cached input and output tokens cost at the batch of the page."""

import pandas as pd

from tokenecon.finding import Finding, finding
from tokenecon.serving import cost_allocation
from tokenecon_book.documents.words import listed, percent

DEFAULT_CACHED = 0.5  # drawn beside no cache where the case has none
COLUMNS = {
    "text": ("Token", None), "tok": ("In a request", "tok"), "share": ("Share of the bill", "fraction"),
    "usd_per_mtok": ("Average", "USD/Mtok"), "usd_per_mtok_marginal": ("In one more request", "USD/Mtok"),
    "usd_per_mtok_alone": ("If it paid for all", "USD/Mtok"),
}  # fmt: skip
CAUSE_COLUMNS = {
    "concurrency": ("Batch", "sequence"), "cached_prefix": ("Of the prompt cached", "fraction"), "input": ("Input", "fraction"),
    "cached": ("Cached input", "fraction"), "output": ("Output", "fraction"),
}  # fmt: skip


def _request(case, batch, cached):
    """The case of the page as a row of `estimate`."""
    return {"model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "weights": case.weights, "kv": case.kv,
            "isl": case.isl, "osl": case.osl, "cached_prefix": cached, "concurrency": batch}


@finding
def prices(case):
    """What a million tokens of each kind costs at the page's batch and prefix cache, next to dividing the bill by one kind."""
    table, bill = cost_allocation.shares(_request(case, case.batch, case.cache_hit), utilisation=case.utilisation,
                                         usd_per_gpu_hour=case.usd_per_gpu_hour)
    cost = table.set_index("kind")
    output = cost.loc["output"]
    times = output["usd_per_mtok"] / cost["usd_per_mtok"]
    told = [f"{times[kind]:,.{1 if times[kind] < 10 else 0}f} times as much as {what}" for kind, what in (
        ("input", "an input token"), ("cached", "one found in a prefix cache")) if times.get(kind, 0) > 0]
    alone = output["usd_per_mtok_alone"] / output["usd_per_mtok"]
    return Finding(table, f"An output token costs {listed(told)}.", (
        f"Dividing the whole bill by the output would make it {alone:.1f} times as dear as it is. "
        "Tokens pay for the time they cause: input for reading the prompt, output for its decode steps, all of them for their "
        "keys and values, which each step reads. In one more request: what a running batch shares, "
        f"{bill['shared_share']:.0%} of the bill, is paid already." + (
            f" Allocation: the tokens pay for all hours, {1 - case.utilisation:.0%} of which wait." if case.utilisation < 1 else
            " Every paid hour works.")))


@finding
def by_batch(case):
    """Share of the bill that each kind of token causes, over the batch, without a prefix cache and with one."""
    cached = case.cache_hit or DEFAULT_CACHED
    batches = sorted({1, 8, int(case.batch)})
    requests = pd.DataFrame([_request(case, batch, part) for part in (0.0, cached) for batch in batches])
    time = cost_allocation.busy(requests)
    shared = time.drop(columns="request_s").div(time["request_s"], axis=0)
    table = pd.DataFrame({"concurrency": requests["concurrency"], "cached_prefix": requests["cached_prefix"], **{
        kind: shared[f"{kind}_s"] for kind in cost_allocation.KINDS}})
    first, last = (table.loc[(table["concurrency"] == batch) & (table["cached_prefix"] == 0), "input"].item()
                   for batch in (min(batches), max(batches)))
    return Finding(table, (
        f"The prompt causes {percent(first)} of the cost of a request alone and {percent(last)} at batch {max(batches)}: decode "
        "steps are shared, the reading of a prompt is not."),
        units={"cached_prefix": "fraction", **dict.fromkeys(cost_allocation.KINDS, "fraction")})

"""Whose time it is: what input, cached input and output tokens cost at the batch of the page."""

import pandas as pd

from tokenecon.finding import Finding, finding, named
from tokenecon.serving import cost_allocation
from tokenecon_book.chapters.economics import economics
from tokenecon_book.documents import base
from tokenecon_book.documents.words import listed, percent

DEFAULT_CACHED = 0.5  # drawn beside no cache where the case has none
COLUMNS = {
    "text": ("Token", None), "tok": ("In a request", "tok"), "share": ("Share of the bill", "fraction"),
    "usd_per_mtok": ("On average, a million of them", "USD/Mtok"),
    "usd_per_mtok_marginal": ("In one more request", "USD/Mtok"),
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
    hit = economics.cached_share(case)
    table, bill = cost_allocation.shares(_request(case, case.batch, hit), utilisation=case.utilisation,
                                         usd_per_gpu_hour=case.usd_per_gpu_hour)
    cost = table.set_index("kind")
    output = cost.loc["output"]
    times = output["usd_per_mtok"] / cost["usd_per_mtok"]
    compared = (("input", "output-over-input", "an input token"), ("cached", "output-over-cached", "one found in a prefix cache"))
    told = [f"{named(quantity, times[kind], _times, **case.costed, hit=hit)} times as much as {what}"
            for kind, quantity, what in compared if times.get(kind, 0) > 0]
    alone = output["usd_per_mtok_alone"] / output["usd_per_mtok"]
    return Finding(table, f"An output token costs {listed(told)}.", (
        f"Dividing the whole bill by the output would make it {alone:.1f} times as dear as it is. "
        "Tokens pay for the time they cause: input for reading the prompt, output for its decode steps, all of them for their "
        "keys and values, which each step reads. In one more request: what a running batch shares, "
        f"{bill['shared_share']:.0%} of the bill, is paid already." + (
            f" Allocation: the tokens pay for all hours, {1 - case.utilisation:.0%} of which wait." if case.utilisation < 1 else
            " Every paid hour works.")))


def _times(ratio):
    return f"{ratio:,.{1 if ratio < 10 else 0}f}"


@finding
def by_batch(case):
    """Share of the bill that each kind of token causes, over the batch, without a prefix cache and with one."""
    cached = economics.cached_share(case) or DEFAULT_CACHED
    batches = sorted({1, 8, int(case.batch)})
    requests = pd.DataFrame([_request(case, batch, part) for part in (0.0, cached) for batch in batches])
    time = cost_allocation.busy(requests)
    shared = time.drop(columns="request_s").div(time["request_s"], axis=0)
    table = pd.DataFrame({"concurrency": requests["concurrency"], "cached_prefix": requests["cached_prefix"], **{
        kind: shared[f"{kind}_s"] for kind in cost_allocation.KINDS}})
    plain = table[table["cached_prefix"] == 0].set_index("concurrency")["input"]
    of = base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl")
    first, last = (named("prompt-share", plain[batch], percent, batch=batch, **of) for batch in (1, int(case.batch)))
    return Finding(table, (
        f"The prompt causes {first} of the cost of a request alone" + (
            f" and {last} with {economics.at_once(case)} at a time" if case.batch > 1 else "")
        + ": decode steps are shared, the reading of a prompt is not."),
        units={"cached_prefix": "fraction", **dict.fromkeys(cost_allocation.KINDS, "fraction")})

"""The base case of the book: the scenario that pages start from, on one accelerator, and the numbers that several pages print.

A page takes its defaults from the scenario by their ids (``model = "chat-assistant.model"``); what a reader changes there is
put into the scenario's place, and everything below follows.  So a number that two pages print is worked out here once.
"""

from types import SimpleNamespace

import pandas as pd

from tokenecon import data
from tokenecon.decision import options, scenario
from tokenecon.errors import NothingServes
from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import serving
from tokenecon.prices import gpu_prices
from tokenecon.serving import operating_point
from tokenecon_book.documents.words import dollars, longer, percent

NAME = "chat-assistant"
# parameter of a page -> the scenario's own name of it
FIELDS = {name: name for name in scenario.PARAMETERS} | {"gpu": "gpus"}
HOURS = {"on_demand": "hour-on-demand", "marketplace": "hour-marketplace", "spot": "hour-spot", "own": "hour-owned"}
RENTED = {"on_demand": "rented on demand", "marketplace": "rented at a marketplace", "spot": "rented on spot", "own": "owned"}
# what a cost of tokens depends on, beside the machine
LOAD = ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "cached_prefix", "requests_per_day", "ttft_ms", "tpot_ms",
        "wait_probability", "as_of", "price_rule", "usd_per_gpu_hour")  # fmt: skip


def of(case, **changes):
    """The base scenario with what the parameters of a page say, and then `changes`, in its place."""
    stated = {own: getattr(case, name, None) for name, own in FIELDS.items()} | changes
    return scenario.overridden(NAME, {name: value for name, value in stated.items() if value is not None})


def cased(case, *fields):
    """What a named quantity is of: the case's own values of some fields."""
    return {name: getattr(case, name) for name in fields if getattr(case, name, None) is not None}


def hour(case, kind="on_demand"):
    """Price of an hour of the page's GPU by the base case's price rule, as :func:`gpu_prices.price_range` gives it."""
    usd = gpu_prices.stated(case)
    if usd is not None:
        return gpu_prices.of_page(case)
    return gpu_prices.price_range(case.gpu, kind, case.as_of, rule=rule(case))


def rule(case):
    """The price rule of a page, or of the scenario that it starts from."""
    return getattr(case, "price_rule", None) or scenario.field(NAME, "money.price_rule")


def said_hour(case, kind="on_demand"):
    """An hour's price as text and named quantity: "$4.28"."""
    return named(HOURS[kind], hour(case, kind)["typical"], dollars, rule=rule(case), **cased(case, "gpu", "as_of"))


def counted(case, kind="on_demand"):
    """Of how many sellers an hour's price is and how old, in words, with both numbers named."""
    found = hour(case, kind)
    of_price = {"kind": kind, "rule": rule(case)} | cased(case, "gpu", "as_of")
    named("price-sellers", found["sellers"], str, **of_price)
    for day in ("as_of", "newest"):
        named(f"price-age-{day}".replace("as_of", "set"), gpu_prices.age_days(found, day), str, **of_price)
    return gpu_prices.counted(found)


def bill(case, kind="on_demand"):
    """The row of :func:`options.offers` of the page's GPU under one kind of hour: bill, cost of tokens, replicas, busy share.

    Raises :class:`NothingServes` with the reason where it cannot be had.
    """
    found = options.offers(of(case, gpus=[case.gpu])).table
    rows = found[(found["kind"] == kind) & (found["reason"] == "")]
    if rows.empty:
        reasons = found.loc[found["kind"].isin(["", kind]), "reason"]
        raise NothingServes(f"{data.gpu(case.gpu)['name']} cannot be {RENTED[kind]} for this case: {'; '.join(reasons)}")
    return rows.iloc[0]


def completed(case):
    """The case of a page with its blanks filled: requests in flight (``batch``), busy share and price as the base case has them.

    The batch is as large as the limits on latency allow, the busy share that of machines rented hour by hour as the load moves.
    ``costed`` is what its costs of tokens are of, for :func:`named`: where the page states none of the three they are those of
    the base case's own choice.
    """
    found = {name: getattr(case, name) for name in vars(case)}
    blank = [name for name in ("batch", "utilisation", "usd_per_gpu_hour") if name in found and found[name] is None]
    stated = [name for name in ("batch", "utilisation", "usd_per_gpu_hour") if name in found and name not in blank]
    if "usd_per_gpu_hour" in blank:
        found["usd_per_gpu_hour"] = hour(case)["typical"]
    if {"batch", "utilisation"} & set(blank):
        row = bill(case)
        found |= {name: value for name, value in (("batch", int(row["concurrency"])), ("utilisation", float(row["utilisation"])))
                  if name in blank}
    full = SimpleNamespace(**found)
    full.costed = instance(full) if stated else choice(of(case), row)
    return full


def machines(scenario_case, row):
    """Cost of a million tokens of all kinds by the machine hours alone, idle ones included, of a row of the offers. [USD/Mtok]"""
    return options.per_mtok(scenario_case, row["usd_per_gpu_hour"], row["n_gpus"] * row["replicas"],
                            options.rate(scenario_case.requests_per_day))


def choice(scenario_case, row):
    """What the cost of a choice is of, for :func:`named`: its machine, contract and price rule, and the load of its scenario."""
    load = cased(scenario_case, *(name for name in LOAD if name not in ("gpu", "n_gpus")))
    return load | {name: row[name] for name in ("kind", "gpu", "n_gpus") if row[name] == row[name]}


def instance(full, **changes):
    """What the cost of a token is of, for :func:`named`: the machine, its load and its price, of a completed case."""
    fields = ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "batch", "utilisation", "usd_per_gpu_hour")
    return cased(full, *fields) | changes


def batch_latency(full, batch):
    """How much longer an output token takes with so many requests at a time than alone, on the machine of a case. [fraction]"""
    machine = {name: getattr(full, name) for name in ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl")}
    alone, together = (operating_point.point(**machine, concurrency=at, usd_per_gpu_hour=1.0, utilisation=1.0)["tpot_ms"]
                       for at in (1, batch))
    return serving.batching_latency_rise(batch_step_s=together, single_step_s=alone)


def said_batch_latency(full, batch):
    """The same in words, as a named quantity: "76% longer than alone"."""
    return named("batch-latency", batch_latency(full, batch), longer, batch=int(batch),
                 **cased(full, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl"))


def said_busy(case, row):
    """How much of the paid time the machines of a row of :func:`bill` work, as text and named quantity."""
    kind = "utilisation-fixed" if options.KINDS[row["kind"]][2] == "fixed" else "utilisation-rented"
    return named(kind, row["utilisation"], percent, **cased(of(case, gpus=[case.gpu]), *LOAD) | {"gpu": case.gpu})


@finding
def line(case):
    """The case of a page in one line: model, format, machine, lengths, load, and the price of the hour with its date.

    A page about an hour alone has a case without a model; then the line is about the machine and its price.
    """
    parts = []
    if hasattr(case, "model"):
        row = bill(case)
        parts = [data.model(case.model)["name"], data.precision(case.weights)["name"],
                 f"{named('replica-gpus', row['n_gpus'], '{:.0f}'.format, **choice(of(case), row))} × "
                 f"{data.gpu(case.gpu)['name']}",
                 f"{given(case, 'isl', '{:,.0f}'.format)} → {given(case, 'osl', '{:,.0f}'.format)} tokens",
                 f"{named('requests-per-day', of(case).requests_per_day, '{:,.0f}'.format)} requests a day, "
                 f"machines {said_busy(case, row)} busy"]
    else:
        parts = [data.gpu(case.gpu)["name"]]
    parts.append(f"{said_hour(case)} an hour on demand ({counted(case)})")
    return Finding(pd.DataFrame({"part": parts}), " · ".join(parts))

"""The case of a bank whose client groups may not share a model instance: requests in flight, and what walls cost."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.analysis import pooling_loss, textbook
from tokenecon.analysis.cases import positive, prices
from tokenecon.analysis.claims_facts import n
from tokenecon.formulas import levers, pooling, serving

COLUMNS = {
    "groups": ("Groups", None), "instances": ("Instances", None), "gpus": ("GPUs", "GPU"),
    "mean_batch": ("Requests an instance decodes", "sequence"), "pooling_loss": ("Emptier by chance", "ratio"),
    "batch_loss": ("Emptier by walls", "ratio"), "penalty": ("Together", "ratio"),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "in_flight": ("Requests in flight", "sequence"), "gpus": ("GPUs, groups apart", "GPU"),
    "penalty": ("Against one pool", "ratio"),
}  # fmt: skip
MOST_GROUPS = 1000


def instance(case):
    """The operating point of one instance at its full batch, at the price range of the date."""
    positive(case, "requests_per_analyst_hour")
    if case.groups > case.analysts:
        raise ValueError(f"parameter 'groups' is {case.groups}, more than the {case.analysts} of 'analysts'; a group has at "
                         "least one analyst")
    price, cited = prices(case)
    row = textbook.point(
        model=case.model, gpu=case.gpu, gpus=case.n_gpus, weights=case.weights, kv=case.kv, isl_tokens=case.isl_tokens,
        osl_tokens=case.osl_tokens, batch=case.batch, usd_per_gpu_hour=price, utilisation=1.0)
    if not row["fits"]:
        raise textbook.DoesNotFit(f"parameter 'batch' is {case.batch}, but {case.n_gpus} x {case.gpu} hold "
                                  f"{int(row['max_batch'])} sequences beside the weights; lower it, or raise n_gpus")
    return row, cited


def stay_seconds(case, row, end=""):
    """Time that a request occupies a place in a full batch. [s]

    While it decodes, every other place of the batch is filled anew once: it waits through their prefills.
    """
    prefill, step = (row[f"{name}_ms{end}"] / units.MS_PER_SECOND for name in ("ttft", "step"))
    tpot = step + (case.batch - 1) * prefill / case.osl_tokens
    return serving.request_seconds(round_trip_s=0.0, ttft_s=prefill, tok_out=case.osl_tokens, tpot_s=tpot)


def in_flight(case, row, requests_per_hour, end=""):
    """Requests of all analysts that are being answered at a time, by Little's law."""
    rate = units.convert(case.analysts * np.asarray(requests_per_hour, dtype=float), "request/h", "request/s")
    return serving.littles_concurrency(requests_per_s=rate, request_s=stay_seconds(case, row, end))


def concurrency(case):
    """Requests in flight over the requests of an analyst in an hour, with the range of the speeds."""
    row, _ = instance(case)
    hourly = np.geomspace(min(0.5, case.requests_per_analyst_hour), max(60.0, case.requests_per_analyst_hour), 40)
    table = pd.DataFrame({"requests_per_hour": hourly} | {
        f"in_flight{end}": in_flight(case, row, hourly, end) for end in ("", "_low", "_high")})
    here = float(in_flight(case, row, case.requests_per_analyst_hour))
    table.attrs.update(here=here, hourly=case.requests_per_analyst_hour, one=case.batch)
    table.attrs["finding"] = (
        f"{case.analysts:,} analysts who ask {case.requests_per_analyst_hour:g} times an hour have {n(here, 3)} requests in "
        f"flight: one in {n(case.analysts / here, 2)} waits for an answer at any moment")
    table.attrs["note"] = (f"A request stays {stay_seconds(case, row):.1f} s in a full batch: {case.osl_tokens} tokens, its own "
                           "prefill, and those of the others. The band is the range of the assumed efficiencies.")
    table.attrs["sources"] = ["doc-uk", "little-1961", data.model(case.model)["source"], "own-assumption"]
    return table


def _fleet(case, load, groups):
    """Instances of one of so many equal groups: enough places for chance, and never less than one instance."""
    each = load / groups
    slots = pooling_loss.slots_needed(load=each, wait_probability=case.wait_probability)
    instances = max(1.0, slots / case.batch)
    return {"slots": slots, "instances": instances, "utilisation": each / slots, "per_instance": slots / instances,
            "mean_batch": each / instances}


def _whole(groups, part):
    """Instances of all groups, rounded up once."""
    return int(np.ceil(groups * part["instances"] - 1e-9))


def isolation(case, counts=None):
    """Cost of a token over the number of groups that share nothing, one pool = 1; chance and walls apart."""
    row, cited = instance(case)
    load = float(in_flight(case, row, case.requests_per_analyst_hour))
    most = min(MOST_GROUPS, case.analysts)
    counts = counts or sorted({*(round(g) for g in np.geomspace(1, most, 40)), case.groups})
    whole, rows = _fleet(case, load, 1), []
    for groups in counts:
        part = _fleet(case, load, groups)
        loss = {"pooled_utilisation": whole["utilisation"], "isolated_utilisation": part["utilisation"]}
        rows.append({
            "groups": groups, "instances": _whole(groups, part), "gpus": _whole(groups, part) * case.n_gpus,
            "mean_batch": part["mean_batch"],
            "pooling_loss": pooling.isolation_penalty(**loss, pooled_cost=1.0, isolated_cost=1.0),
            # an instance that fills fewer places costs the same hour for them
            "batch_loss": whole["per_instance"] / part["per_instance"],
            "penalty": pooling.isolation_penalty(**loss, pooled_cost=1 / whole["per_instance"],
                                                 isolated_cost=1 / part["per_instance"])})
    table = pd.DataFrame(rows)
    at = table[table["groups"] == case.groups]
    table.attrs["load"] = load
    if len(at):
        here, last = at.iloc[0], table.iloc[-1]
        table.attrs["here"] = here
        table.attrs["finding"] = (
            f"{case.groups:,} groups with instances of their own cost {here.penalty:.1f} times one pool; {last.groups:,.0f} "
            f"groups cost {last.penalty:.0f} times, with {last.mean_batch:.1f} of {case.batch} places of a batch in use")
    table.attrs["note"] = (
        f"Equal groups, at least one instance of {case.n_gpus} GPUs with {case.batch} places each, {case.wait_probability:.1%} "
        "of requests waiting. Chance: a small group needs more free places. Walls: a place in one group's batch cannot be given "
        "to another.")
    table.attrs["sources"] = ["doc-uk", "erlang-1917", "little-1961", *cited, "own-assumption"]
    return table


def isolation_parts(case):
    """The same, one row a part: chance alone, walls alone, together."""
    wide = isolation(case)
    names = {"penalty": "together", "batch_loss": "walls: emptier batches", "pooling_loss": "chance: emptier pools"}
    table = pd.concat([pd.DataFrame({"groups": wide["groups"], "cause": text, "cost_ratio": wide[name]})
                       for name, text in names.items()], ignore_index=True)
    table.attrs = wide.attrs
    return table


def by_size(case, counts=(1, 3, 10, 30, 100, 300, 1000)):
    """Fleet by number of groups, as a table to read off."""
    return isolation(case, sorted({groups for groups in counts if groups <= case.analysts} | {case.groups}))


def strictness(case):
    """What an analyst costs a month, by how much the groups may share."""
    row, cited = instance(case)
    load = float(in_flight(case, row, case.requests_per_analyst_hour))
    price = [row["usd_per_gpu_hour_low"], row["usd_per_gpu_hour"], row["usd_per_gpu_hour_high"]]
    hit, saved = data.value("cache.hit_rate"), data.value("cache.saved_share")
    # A common prefix cache shortens every prefill, so requests stay for a shorter time and fewer are in flight.
    short = row | {"ttft_ms": row["ttft_ms"] * levers.prefix_cache_factor(hit_rate=hit, avoided_share=saved)}
    lighter = float(in_flight(case, short, case.requests_per_analyst_hour))
    more = min(10 * case.groups, case.analysts)
    designs = {"one pool, common prefix cache": (lighter, 1), "one pool, caches apart": (load, 1),
               f"{case.groups} groups, instances apart": (load, case.groups),
               f"{more} groups, instances apart": (load, more)}
    rows = []
    for design, (busy, groups) in designs.items():
        gpus = _whole(groups, _fleet(case, busy, groups)) * case.n_gpus
        rows.append({"design": design, "gpus": gpus} | {
            f"usd_per_month{end}": gpus * usd * units.HOURS_PER_MONTH / case.analysts
            for end, usd in zip(("_low", "", "_high"), price, strict=True)})
    table = pd.DataFrame(rows).drop_duplicates("design")
    pool, apart = table.iloc[1], table.iloc[2]
    table.attrs["finding"] = (
        f"An analyst costs ${pool.usd_per_month:.2f} a month in one pool that keeps caches apart, and "
        f"${apart.usd_per_month:.2f} with instances apart for {case.groups} groups")
    table.attrs["note"] = (
        f"Rent round the clock of a fleet for the busy hour, on-demand prices known on {case.as_of} (bars). The common cache is "
        f"counted as if every hit ({hit:.0%} of prompt tokens) came from another group.")
    table.attrs["sources"] = ["doc-uk", *cited, "deepseek-inference-2025", "own-assumption"]
    return table


def groups_that_fill(case, load):
    """Most groups that each still fill an instance; 0 where even the pool does not."""
    low, high = 0, case.analysts
    while low < high:
        middle = (low + high + 1) // 2
        fills = pooling_loss.slots_needed(load=load / middle, wait_probability=case.wait_probability) >= case.batch
        low, high = (middle, high) if fills else (low, middle - 1)
    return low


def headline(case):
    """The answer of the page."""
    attrs = isolation(case).attrs
    here, filled = attrs["here"], groups_that_fill(case, attrs["load"])
    beyond = (f"beyond {filled:,} groups each pays for an instance that it cannot fill" if filled else
              "even one pool does not fill an instance")
    return (f"With {n(attrs['load'], 3)} requests of {case.analysts:,} analysts in flight, {case.groups:,} groups that share no "
            f"instance cost {here.penalty:.1f} times one pool of JPMorgan's case; {beyond}.")


def sensitivity(case):
    """Requests in flight, GPUs and penalty when one input of the page moves."""
    moves = {
        "the page itself": {}, "a tenth of the requests": {"requests_per_analyst_hour": case.requests_per_analyst_hour / 10},
        "ten times the requests": {"requests_per_analyst_hour": 10 * case.requests_per_analyst_hour},
        "answers half as long": {"osl_tokens": max(1, case.osl_tokens // 2)},
        "half the batch": {"batch": max(1, case.batch // 2)},
        "three times the groups": {"groups": min(3 * case.groups, case.analysts)},
        "one in twenty may wait": {"wait_probability": 0.05},
    }  # fmt: skip
    rows = []
    for text, move in moves.items():
        attrs = isolation(SimpleNamespace(**(vars(case) | move))).attrs
        rows.append({"change": text, "in_flight": attrs["load"], "gpus": attrs["here"].gpus, "penalty": attrs["here"].penalty})
    return pd.DataFrame(rows)

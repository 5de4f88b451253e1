"""Passes of a wide expert-parallel unit by the calibrated model, and the tokens a second of a node that follow.

The path is that of ``tokenecon.estimate``, far outside of what was measured: the experts lie over many servers, and each GPU
sends its tokens to those that they chose over its own network card.
"""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, TooSlow
from tokenecon.formulas import parallelism, queueing, serving
from tokenecon.serving import cases, coefficients, estimate, intervals, lookups, sizing, steady_state

PARTS = ("weights", "kv cache", "arithmetic", "fixed work", "exchange")
OURS = {"exchange": "links"}  # what the serving model calls a part
ROUNDS, GRID = 5, 64  # of the search for a batch: to a millionth of a request


def fact(name):
    """A figure of the published day."""
    return data.value(f"deepseek_day.{name}")


def lengths(case):
    """Prompt, its share found in the cache, and answer of a request, if all requests of the day were alike."""
    osl = serving.answer_positions(tok_in_per_tok_out=case.input_tokens / case.output_tokens,
                                   context_positions=case.kv_length)
    return {"isl": osl * case.input_tokens / case.output_tokens, "osl": osl, "cached": case.cached_tokens / case.input_tokens}


def utilisation(case):
    """Busy share of the prefill nodes, as (low, expected, high): full in the peak hour, some released when load falls.

    Nodes follow the load only as far as the published mean and peak of their number say.
    """
    follows = fact("nodes_peak") / fact("nodes")
    low, _, high = data.span("workload.peak_to_mean")
    return tuple(float(min(1.0, queueing.mean_utilisation(peak_utilisation=1.0, peak_to_mean=ratio / follows)))
                 for ratio in (max(high, case.peak_to_mean), case.peak_to_mean, min(low, case.peak_to_mean)))


def unit(case, ranks):
    """Columns of the serving model for one unit of so many GPUs, attention apart on each and experts spread over all."""
    length = lengths(case)
    if min(length["isl"], length["osl"]) < 1:
        raise BadInput(f"parameter 'kv_length' is {case.kv_length:g}, but with {case.input_tokens:.3g} input and "
                       f"{case.output_tokens:.3g} output tokens a mean request then has a prompt of {length['isl']:.3g} and an "
                       f"answer of {length['osl']:.3g} tokens; both must be at least 1")
    row = {"model": case.model, "gpu": case.gpu, "n_gpus": ranks, "tp": ranks, "attention_dp": ranks, "weights": case.weights,
           "kv": case.kv, "isl": length["isl"], "osl": length["osl"], "cached_prefix": length["cached"],
           "concurrency": float(ranks), "usd_per_gpu_hour": case.usd_per_gpu_hour}
    ask = cases.read(cases.frame(row))
    if ask.error[0]:
        units_of = "prefill_ranks" if ranks == case.prefill_ranks else "decode_ranks"
        name = next((one for one in sizing.BLAMED if ask.error[0].startswith(f"{one} '")), units_of)
        raise BadInput(f"parameter '{name}' is {sizing.quoted(getattr(case, name))}: {ask.error[0]}")
    columns = estimate.columns(ask, np.arange(1))
    if not columns["routed"][0]:
        raise BadInput(f"parameter 'model' is '{case.model}', which has no experts to spread; take a mixture of experts")
    return columns


def passes(case, columns, tokens, *, decoding, exchange=None, changed=None, verified=1.0):
    """Time of a pass with so many tokens on each GPU, and its parts: a DataFrame, one row a number of tokens. [s]

    ``exchange`` is how tokens reach their experts, as ``tokenecon.estimate`` takes it; ``changed`` replaces rates of the model,
    as :func:`tokenecon.serving.steady_state.prepared` names them; ``verified`` is the number of tokens that each sequence
    brings to a decode pass.
    """
    tokens = np.atleast_1d(np.asarray(tokens, dtype=float))
    columns = columns | {"exchange": steady_state.EXCHANGES.index(exchange or case.exchange)}
    rates = steady_state.prepared(columns, lookups.coefficients()) | (changed or {})
    work = tokens * columns["dp"]
    if decoding:
        load = {"decoding": work, "verified": verified, "context": case.kv_length}
    else:
        length = lengths(case)
        load = {"prompt_tokens": work, "prompts": work / (length["isl"] * (1 - length["cached"])),
                "mean_context": length["isl"] * (1 + length["cached"]) / 2}
    total, part = steady_state.pass_seconds(columns, rates, resources=True, **load)
    return pd.DataFrame({"tokens": tokens, "total": total} | {name: part[OURS.get(name, name)] for name in PARTS})


def prefill(case, **options):
    """Passes of a prefill unit at the budget of tokens that engines pack into one, as a row; ``rate`` counts new tokens. [s]"""
    columns = unit(case, case.prefill_ranks)
    row = passes(case, columns, known_budget(), decoding=False, **options).iloc[0]
    return row.to_dict() | {"rate": row["tokens"] / row["total"]}


def known_budget():
    """Prompt tokens of a pass on one GPU."""
    return coefficients.BATCH_BUDGET


def decode(case, per_step=1.0, **options):
    """Passes of a decode unit with as many sequences on each GPU as keep to the users' speed, as a row. [s]

    ``per_step`` is the number of tokens that a sequence gains in a step, of ``options["verified"]`` that it tries.
    """
    columns = unit(case, case.decode_ranks)
    room = float(np.floor(steady_state.capacity(columns)[0] / case.decode_ranks))
    limit = per_step / case.user_speed
    low, high = 1.0, max(room, 1.0)

    def step(tokens):
        return passes(case, columns, tokens, decoding=True, **options)

    if room < 1:
        raise BadInput(f"parameter 'decode_ranks' is {case.decode_ranks}, too few for the weights and one request; raise it")
    alone = step(low)["total"][0]
    if alone > limit:
        raise TooSlow(f"parameter 'user_speed' is {case.user_speed:g}, but with one request on each GPU a user gets "
                      f"{per_step / alone:.1f} tokens a second; lower it")
    if step(high)["total"][0] > limit:
        for _ in range(ROUNDS):  # a step grows with the batch: keep the gap of the grid in which it passes the limit
            grid = np.linspace(low, high, GRID)
            last = np.flatnonzero(step(grid)["total"] <= limit)[-1]
            low, high = grid[last], grid[last + 1]
        high = low
    row = step(high).iloc[0]
    return row.to_dict() | {"rate": per_step * row["tokens"] / row["total"], "room": room}


def spread():
    """Low and high factor on a rate: the model's interval for experts, widened because nothing alike was measured."""
    return intervals.ratios(lookups.widths(), "rate", steady_state.CLOSED_LOOP, 1.0, 0, intervals.NEW["load"])


def bounds(case):
    """New tokens a second of a GPU that no machine of this kind exceeds: datasheet arithmetic, memory and network.

    Prefill and decode, each the slowest of three, everything else at no cost; decode with the memory full.
    """
    out = {}
    for name, ranks, decoding in (("prefill", case.prefill_ranks, False), ("decode", case.decode_ranks, True)):
        columns = {key: column[0] for key, column in unit(case, ranks).items() if np.ndim(column)}
        # places that a token is sent to: by expert in decode, by node in prefill
        places = columns["experts_per_token"] if decoding else np.minimum(fact("dispatch_nodes"), columns["experts_per_token"])
        shared = columns["attention_params"] + columns["dense_params"]
        active = shared + columns["expert_params"] * columns["experts_per_token"] / columns["experts"]
        length = lengths(case)
        context = case.kv_length if decoding else length["isl"] * (1 + length["cached"]) / 2
        scores = columns["full_decode_flop" if decoding else "full_prefill_flop"] * context
        held = (columns["attention_params"] * columns["attention_bytes"] + columns["dense_params"] * columns["dense_bytes"]
                + columns["expert_params"] * columns["expert_bytes"] / ranks)
        many = np.floor(steady_state.capacity(unit(case, ranks))[0] / ranks) if decoding else known_budget()
        cache = case.kv_length * columns["full_values"] * columns["cache_bytes"] if decoding else 0.0
        multiplied = units.FLOP_PER_MULTIPLY_ADD * active / columns["expert_flop_per_s"]
        out[name] = {
            "arithmetic": 1 / (multiplied + scores / columns["full_flop_per_s"]),
            "memory": columns["bandwidth_bytes_per_s"] / (held / many + cache),
            "network": 1 / (columns["routed_layers"] * parallelism.all_to_all_seconds(
                tokens=1.0, copies=places, hidden_size=columns["hidden"], bytes_there=fact("dispatch_bytes"),
                bytes_back=fact("combine_bytes"),
                bytes_per_s=data.value("deepseek_ep.network_bandwidth") * units.factor("GB/s"))),
        }  # fmt: skip
    return out

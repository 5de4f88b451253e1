"""What a token of DeepSeek's published day takes and costs: users' speed, parts of the work, kinds of tokens."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import money
from tokenecon.units import SECONDS_PER_DAY
from tokenecon_book.chapters.cases.deepseek import node_rates as rates
from tokenecon_book.chapters.cases.deepseek.day import check, estimate, of
from tokenecon_book.chapters.cases.deepseek.node_rates import fact
from tokenecon_book.documents.words import percent


@finding
def speed(case):
    """Output of a decode node over the speed that users see, with the published point."""
    check(case)
    columns = rates.unit(case, case.decode_ranks)
    room = rates.decode(case)["room"]
    table = rates.passes(case, columns, np.geomspace(2.0, max(room, 4.0), 40), decoding=True)
    slow, fast = rates.spread()
    table["user_speed"] = 1 / table["total"]
    table["decode_rate"] = table["tokens"] / table["total"] * fact("gpus_per_node")
    table["decode_rate_low"], table["decode_rate_high"] = table["decode_rate"] * slow, table["decode_rate"] * fast
    table = table.sort_values("user_speed", ignore_index=True)
    here = rates.decode(case)
    share, most = (named(f"deepseek-day-{name}", here[column], "{:,.0f}".format, **of(case))
                   for name, column in (("answers", "tokens"), ("room", "room")))
    return Finding(
        table, f"At {given(case, 'user_speed', '{:g}'.format)} tokens a second for a user, {share} answers share a GPU, which "
        f"has room for {most}; slower users would " + ("make a node cheaper" if here["tokens"] < here["room"] else
                                                   "not make a node cheaper, for its memory is full"),
        "Band: the interval of the model. The curve ends at the left where the memory is full.",
        answers=here["tokens"], room=room, units=dict.fromkeys(("total", *rates.PARTS), "s")
        | dict.fromkeys(("user_speed", "decode_rate", "decode_rate_low", "decode_rate_high"), "tok_out/s"),
        points=pd.DataFrame([{"user_speed": fact("user_speed"), "decode_rate": fact("decode_rate"), "label": "published"}]))


@finding
def where(case):
    """What the nodes do: parts of both kinds of passes, and the waiting of prefill nodes for load."""
    found, rows = estimate(case), []
    for phase, text in (("prefill", "Prefill nodes"), ("decode", "Decode nodes")):
        nodes, row = found[f"{phase}_nodes"][1], found[phase]
        busy = nodes * found["utilisation"][1] if phase == "prefill" else nodes
        rows += [{"nodes_of": text, "part": part, "nodes": busy * row[part] / row["total"]} for part in rates.PARTS]
        rows.append({"nodes_of": text, "part": "waiting for load", "nodes": nodes - busy})
    table = pd.DataFrame(rows)
    table = table[table["nodes"] > 1e-9].reset_index(drop=True)
    table["all"] = table.groupby("nodes_of")["nodes"].transform("sum").map(lambda nodes: f"{nodes:.0f} nodes")
    waiting = table.loc[table["part"] == "waiting for load", "nodes"].sum()
    reading, writing = found["prefill_nodes"][1], found["decode_nodes"][1]
    tokens = case.output_tokens / (case.input_tokens + case.output_tokens)
    return Finding(
        table, f"Output takes {named('deepseek-day-output-nodes', writing / (reading + writing), percent, **of(case))} of the "
        f"nodes for {named('deepseek-day-output-tokens', tokens, percent)} of the tokens; "
        + (f"{named('deepseek-day-waiting', waiting, '{:,.0f}'.format, **of(case))} prefill nodes wait for load" if waiting >= 0.5
           else "no prefill node waits for load"),
        "Decode nodes do not wait: with fewer users on each GPU a step is shorter, and the published speed is the mean of "
        "the day.",
        total=found["nodes"][1], output_nodes=writing / (reading + writing), output_tokens=tokens)


def _node_seconds(case, prefill_nodes, decode_nodes, found):
    """Node time of one request by kind of token, adding up to all nodes of the day. [s]"""
    length, context = rates.lengths(case), case.kv_length
    requests = case.output_tokens / length["osl"]
    prefill_s, decode_s = (nodes * SECONDS_PER_DAY / requests for nodes in (prefill_nodes, decode_nodes))
    alone = rates.prefill(SimpleNamespace(**(vars(case) | {
        "input_tokens": case.input_tokens - case.cached_tokens, "cached_tokens": 0.0,
        "kv_length": length["isl"] * (1 - length["cached"]) + length["osl"] / 2})))
    attends = prefill_s * max(0.0, 1 - alone["total"] / found["prefill"]["total"])
    reads = decode_s * found["decode"]["kv cache"] / found["decode"]["total"]
    new, cached = length["isl"] * (1 - length["cached"]), length["isl"] * length["cached"]
    return {
        "input": (new, money.input_seconds(prefill_s=prefill_s, prefix_attention_s=attends, cache_read_s=reads,
                                           new_positions=new, context_positions=context)),
        "cached": (cached, money.cached_seconds(prefix_attention_s=attends, cache_read_s=reads, cached_positions=cached,
                                                context_positions=context)),
        "output": (length["osl"], money.output_seconds(decode_s=decode_s, cache_read_s=reads,
                                                       prompt_positions=length["isl"], context_positions=context)),
    }  # fmt: skip


@finding
def kinds(case):
    """What a million tokens of each kind costs by the time it causes, beside the list price of the day."""
    found = estimate(case)
    names = {"input": ("Input, not cached", "miss"), "cached": ("Input from the cache", "cached"), "output": ("Output", "output")}
    parts = [_node_seconds(case, found["prefill_nodes"][place], found["decode_nodes"][place], found) for place in (2, 1, 0)]
    rows = []
    for kind, (text, price) in names.items():
        cost = [0.0 if part[kind][0] <= 0 else money.usd_per_mtok_of_seconds(
            usd_per_gpu_hour=case.usd_per_gpu_hour, n_gpus=fact("gpus_per_node"), busy_s=part[kind][1], tok=part[kind][0],
            utilisation=1.0) for part in parts]
        if cost[1] <= 0:
            continue
        rows.append({"kind": text, "offer": "cost from the bottom up", "usd_per_mtok": cost[1], "usd_per_mtok_low": cost[0],
                     "usd_per_mtok_high": cost[2]})
        rows.append({"kind": text, "offer": "list price", "usd_per_mtok": fact(f"price_{price}")})
    table = pd.DataFrame(rows).assign(label=lambda frame: frame["kind"] + ", " + frame["offer"].str.split().str[0])
    cost, price = (table[table["offer"].str.startswith(word)].set_index("kind")["usd_per_mtok"] for word in ("cost", "list"))
    low, high = (named("deepseek-day-price-over-cost", over, "{:.2g}".format, end=end, **of(case))
                 for end, over in (("least", (price / cost).min()), ("most", (price / cost).max())))
    return Finding(
        table, f"The list prices of the day are {low if low == high else f'{low} to {high}'} times the rent of the nodes that "
        "each kind of token takes",
        "A token pays for the time it causes: input for its prefill, output for its decode steps, and each for its keys and "
        "values, which later steps read. Cost is the rent of GPUs alone, without the disk that holds the cache.")

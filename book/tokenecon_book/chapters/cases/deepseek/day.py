"""The case of DeepSeek's published day: whether its figures agree, and what the same day costs from the bottom up."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, ends, finding, given, named
from tokenecon.formulas import money, serving
from tokenecon.units import HOURS_PER_DAY, convert
from tokenecon_book.chapters.cases.deepseek import node_rates as rates
from tokenecon_book.chapters.cases.deepseek.node_rates import fact
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.bills import fact as line
from tokenecon_book.documents.bills import positive, said
from tokenecon_book.documents.printed import n
from tokenecon_book.documents.words import dollars, listed, percent

IDENTITY_COLUMNS = {
    "what": ("What follows", None), "how": ("From", None), "value": ("Value", None), "printed": ("Printed", None),
}  # fmt: skip
COMPARE_COLUMNS = {
    "figure": ("Figure", None), "printed": ("Published", None), "found": ("From the bottom up", None),
    "ratio": ("Ours over theirs", "ratio"),
}  # fmt: skip
ROUNDED = 0.005  # counts are printed to three digits
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "prefill_rate": ("Prefill node, mean", "tok_in/s"),
    "decode_rate": ("Decode node", "tok_out/s"), "nodes": ("Nodes", "count"), "ratio": ("Over the published", "ratio"),
}  # fmt: skip


def check(case):
    """Refuse a day without tokens, or one whose cache finds all of them."""
    positive(case, "input_tokens", "output_tokens", "user_speed", "kv_length", "peak_to_mean", "usd_per_gpu_hour")
    if case.peak_to_mean < 1:
        raise BadInput(f"parameter 'peak_to_mean' is {case.peak_to_mean:g}, but must be at least 1: no hour is busier than the "
                       "busiest")
    if case.cached_tokens >= case.input_tokens:
        raise BadInput(f"parameter 'cached_tokens' is {case.cached_tokens:g}, but only {case.input_tokens:g} tokens of input "
                       "arrive; a cache finds less than all of them")


def stated(name, show):
    """A figure of the published day in a sentence, by the id of its row."""
    return named(f"deepseek_day.{name}", fact(name), show)


def of(case, **more):
    """What the numbers of this page are of, for :func:`named`: the deployment, and what else differs."""
    return {name: getattr(case, name) for name in ("model", "gpu", "weights", "kv", "user_speed", "exchange")} | more


def times(value):
    """A ratio to two digits: "1.48"."""
    return f"{value:.2f}"


def usd_per_day(case, nodes):
    """Rent of so many nodes round the clock. [USD/day]"""
    return nodes * fact("gpus_per_node") * case.usd_per_gpu_hour * HOURS_PER_DAY


def estimate(case, *, exchange=None, changed=None, drafting=None):
    """Nodes of both kinds from the bottom up: (low, expected, high) each, with the passes they follow from.

    ``drafting`` is how a step guesses ahead: the tokens it gains as ``per_step``, of those ``verified``.
    """
    check(case)
    options = {"exchange": exchange, "changed": changed}
    reading, writing = rates.prefill(case, **options), rates.decode(case, **options, **(drafting or {}))
    n_gpus, hit = fact("gpus_per_node"), case.cached_tokens / case.input_tokens
    slow, fast = rates.spread()
    speed = np.array([slow, 1.0, fast])
    busy = np.array(rates.utilisation(case))
    prefill_rate, decode_rate = reading["rate"] * n_gpus / (1 - hit) * speed, writing["rate"] * n_gpus * speed
    found = {
        "prefill": reading, "decode": writing, "utilisation": busy, "prefill_busy": prefill_rate,
        "prefill_rate": prefill_rate * busy, "decode_rate": decode_rate,
        "prefill_nodes": serving.machines(tok_per_day=case.input_tokens, tok_per_s=prefill_rate, utilisation=busy),
        "decode_nodes": serving.machines(tok_per_day=case.output_tokens, tok_per_s=decode_rate, utilisation=1.0)}
    found["nodes"] = found["prefill_nodes"] + found["decode_nodes"]  # falls where a rate rises: low and high change places
    return found


@finding
def identities(case):
    """What the published figures imply together, beside what is printed."""
    check(case)
    paid = usd_per_day(case, fact("nodes"))
    revenue = sum(convert(tokens, "tok", "Mtok") * fact(f"price_{kind}") for kind, tokens in (
        ("cached", case.cached_tokens), ("miss", case.input_tokens - case.cached_tokens), ("output", case.output_tokens)))
    nodes = {kind: serving.machines(tok_per_day=tokens, tok_per_s=fact(f"{kind}_rate"), utilisation=1.0)
             for kind, tokens in (("prefill", case.input_tokens), ("decode", case.output_tokens))}
    flight = serving.concurrent_streams(tok_out_per_day=case.output_tokens, tok_out_per_s_per_stream=case.user_speed)
    each = flight / nodes["decode"] / fact("gpus_per_node")
    length = rates.lengths(case)
    table = pd.DataFrame([
        line("Input found in the cache", "one count over the other", 100 * case.cached_tokens / case.input_tokens, "%")
        | {"printed": said(100 * fact("cached_share"), "%")},
        line("Rent of the day", "nodes, GPUs, hours and price", paid, "USD") | {"printed": said(fact("usd_per_day"), "USD")},
        line("Revenue at list prices", "three counts at three prices", revenue, "USD")
        | {"printed": said(fact("revenue"), "USD")},
        line("Profit over cost" if revenue >= paid else "Loss, of the cost", "revenue over rent",
             100 * abs(revenue - paid) / paid, "%")
        | {"printed": said(100 * fact("margin"), "%")},
        line("Prefill nodes", "input over the rate of a node", nodes["prefill"]) | {"printed": ""},
        line("Decode nodes", "output over the rate of a node", nodes["decode"]) | {"printed": ""},
        line("Both", "their sum", sum(nodes.values())) | {"printed": n(fact("nodes"), 5)},
        line("Mean over most nodes", "released at night", 100 * fact("nodes") / fact("nodes_peak"), "%") | {"printed": ""},
        line("Answers in flight", "output over the users' speed", flight) | {"printed": ""},
        line("On each decode GPU", "these over its nodes", each) | {"printed": ""},
        line("Prompt and answer", "if all requests were alike", length["isl"], f"and {n(length['osl'])} tokens")
        | {"printed": ""},
    ])
    agree = all(abs(value / printed - 1) < ROUNDED for value, printed in (
        (sum(nodes.values()), fact("nodes")), (paid, fact("usd_per_day")), (revenue, fact("revenue"))))
    rent = named("deepseek-day-rent", paid, "${:,.0f}".format, usd_per_gpu_hour=case.usd_per_gpu_hour)
    printed = stated("usd_per_day", "${:,.0f}".format)
    cost = f"the printed {rent}" if rent == printed else f"{rent}, not the printed {printed}"
    return Finding(
        table, f"{'The published figures agree' if agree else 'These figures do not agree'}: the rates need "
        f"{named('deepseek-day-implied-nodes', sum(nodes.values()), '{:.1f}'.format)} nodes (printed: "
        f"{stated('nodes', '{:g}'.format)}), and these cost {cost}.",
        nodes=nodes, implied=sum(nodes.values()), flight=flight, revenue=revenue, paid=paid, each=each)


@finding
def compare(case):
    """Published against ours: nodes, USD a day, and the rates of the two kinds of nodes."""
    found = estimate(case)
    rows = []
    for figure, name, published, unit, scale in (
            ("Nodes", "nodes", fact("nodes"), "nodes", 1.0),
            ("Cost of the day", "nodes", fact("usd_per_day"), "USD", usd_per_day(case, 1.0)),
            ("A prefill node, mean", "prefill_rate", fact("prefill_rate"), "input tokens a second", 1.0),
            ("A decode node", "decode_rate", fact("decode_rate"), "output tokens a second", 1.0)):
        low, ours, high = np.sort(found[name] * scale)
        rows.append({"figure": figure, "printed": said(published, unit, 5), "found": said(ours, unit, 3),
                     "published": published, "ours": ours, "ours_low": low, "ours_high": high,
                     "ratio": ours / published, "ratio_low": low / published, "ratio_high": high / published})
    table = pd.DataFrame(rows)
    nodes, reading, writing = (named(name, row["ratio"], times, **ends(row, "ratio"), **of(case)) for name, row in zip(
        ("deepseek-day-ratio", "deepseek-day-prefill", "deepseek-day-decode"), table.iloc[[0, 2, 3]].to_dict("records"),
        strict=True))
    outside = [row.figure for row in table.itertuples() if not row.ratio_low <= 1 <= row.ratio_high]
    missed = listed([figure[0].lower() + figure[1:] for figure in outside]) if outside else ""
    return Finding(
        table, f"Built up, the day takes {nodes} times the published nodes: prefill nodes come out {reading} times as fast, "
        f"decode nodes {writing} times",
        f"Units of {case.prefill_ranks} and {case.decode_ranks} GPUs, {case.user_speed:g} tokens a second for a user, exchange "
        f"{case.exchange}. Brackets, an outer bound: the ends of the interval of the model, widened because nothing alike was "
        "measured, with those of the range of the load over a day."
        + (f" The published figure is outside of it for {missed}." if missed else ""),
        outside=outside)


@finding
def ways(case):
    """Nodes of the day by how tokens reach their experts, beside the bound of physics and what was published."""
    check(case)
    n_gpus, hit = fact("gpus_per_node"), case.cached_tokens / case.input_tokens
    best = {name: min(parts.values()) * n_gpus for name, parts in rates.bounds(case).items()}
    floor = serving.machines(tok_per_day=case.input_tokens * (1 - hit), tok_per_s=best["prefill"], utilisation=1.0) \
        + serving.machines(tok_per_day=case.output_tokens, tok_per_s=best["decode"], utilisation=1.0)
    rows = [{"way": "perfect machine", "group": "bound", "nodes": floor},
            {"way": "published", "group": "published", "nodes": fact("nodes")}]
    names = {"hidden": "exchange behind computation", "partly": "half of it behind computation", "added": "after computation"}
    slow = []
    for exchange, name in names.items():
        try:
            low, nodes, high = np.sort(estimate(case, exchange=exchange)["nodes"])
        except rates.TooSlow:
            slow.append(name)
            continue
        rows.append({"way": name, "group": "bottom up", "nodes": nodes, "nodes_low": low, "nodes_high": high})
    table = pd.DataFrame(rows).sort_values("nodes", kind="stable", ignore_index=True)
    table["usd_per_mtok"] = money.usd_per_mtok_of_bill(
        usd_per_day=usd_per_day(case, table["nodes"]), tok_per_day=case.input_tokens + case.output_tokens)
    found = table.set_index("way")["nodes"]
    open_, hidden = (None if found.get(names[one]) is None else named(
        "deepseek-day-nodes", found[names[one]], "{:,.0f}".format, **of(case, exchange=one)) for one in ("added", "hidden"))
    if open_ is None:
        said = "with the exchange after computation it is too slow for these users"
    elif hidden is None:
        said = f"with the exchange after computation it takes {open_}"
    else:
        said = f"hiding the exchange behind computation takes {hidden}, exchanging after it {open_}"
    least = named("deepseek-day-floor", floor, "{:,.0f}".format, gpu=case.gpu)
    return Finding(
        table, f"No machine of this kind does the day with fewer than {least} nodes; {said}",
        "Brackets, an outer bound: the ends of the interval of the model with those of the load over a day. Perfect machine: the "
        "network card, the memory or the arithmetic of the datasheet, whichever is slowest, busy all day. The lowest "
        "row of the bottom up is how the service is described." + "".join(f" Too slow for these users: {name}." for name in slow),
        floor=floor)


@finding
def headline(case):
    """The answer of the page."""
    table = compare(case).table
    low, nodes, high = table.loc[0, ["ours_low", "ours", "ours_high"]]
    volume = case.input_tokens + case.output_tokens
    served = fact("input_tokens") + fact("output_tokens")
    mtok = [money.usd_per_mtok_of_bill(usd_per_day=usd, tok_per_day=tokens)
            for usd, tokens in ((usd_per_day(case, nodes), volume), (fact("usd_per_day"), served))]
    whole = stated("nodes", "{:g}".format)
    day = (f"DeepSeek's published day, served on {whole} nodes, takes" if volume == served
           else f"Beside DeepSeek's published day, served on {whole} nodes, the tokens of this page take")
    ratio = named("deepseek-day-ratio", nodes / fact("nodes"), times, **of(case))
    ours = named("deepseek-day-nodes", nodes, "{:,.0f}".format, **of(case))
    return Finding(
        table, f"{day} {ours} nodes when built up from the shape of the model, {ratio} times as many.",
        f"{low:.0f} to {high:.0f} nodes; {dollars(mtok[0])} a million tokens against {dollars(mtok[1])}.")


@finding
def case_line(case):
    """The case of the page in one line: what was published of the deployment, and the rent of its GPUs."""
    hit = named("deepseek-day-cache-hits", case.cached_tokens / case.input_tokens, percent)
    parts = [data.model(case.model)["name"], f"weights in {data.precision(case.weights)['name']}",
             f"nodes of {stated('gpus_per_node', '{:g}'.format)} {data.gpu(case.gpu)['name']}",
             f"{given(case, 'input_tokens', n)} tokens in a day, {hit} of them from the cache, "
             f"{given(case, 'output_tokens', n)} out", f"{given(case, 'user_speed', '{:g}'.format)} tokens a second for a user",
             f"{given(case, 'usd_per_gpu_hour', dollars)} an hour, the source's own assumption"]
    return base.case_of(parts, cache_hits=case.cached_tokens / case.input_tokens)


@finding
def sensitivity(case):
    """Rates of the nodes and their number when one input moves."""
    peak = data.value("deepseek_day.mla_rate") * units.factor("TFLOP/s")
    high = data.span("workload.peak_to_mean")[2]
    slow, _, fast = data.span("deepseek_day.user_speed")
    ideal, kernel = {"imbalance": np.array([1.0])}, {"decode_attention": np.array([peak])}
    guessing = {"per_step": fact("mtp_speedup"), "verified": 2.0}
    moves = [
        ("the page itself", {}, None), (f"users at {slow:g} tokens a second", {"user_speed": slow}, None),
        (f"users at {fast:g}", {"user_speed": fast}, None),
        ("a token guessed ahead in each step (MTP)", {}, None), ("MTP, and no experts busier than others", {}, ideal),
        ("no experts busier than others", {}, ideal), ("attention at the rate of the published kernel", {}, kernel),
        ("that kernel, and no experts busier", {}, ideal | kernel),
        ("an even load over the day", {"peak_to_mean": 1.0}, None),
        (f"a busiest hour of {high:g} times the mean", {"peak_to_mean": high}, None),
        ("nothing found in the cache", {"cached_tokens": 0.0}, None), ("the cache of the keys in FP8", {"kv": "fp8"}, None),
    ]
    special = {"a token guessed ahead in each step (MTP)": ("Tokens guessed ahead in each step (MTP)", "one"),
               "no experts busier than others": ("Experts busier than others", "none"),
               "attention at the rate of the published kernel": ("Rate of attention", "that of the published kernel")}
    rows = []
    for text, move, changed in moves:
        words = moved.said(move) if move or text not in special else dict(zip(("what", "to"), special[text], strict=True))
        now = SimpleNamespace(**(vars(case) | move))
        try:
            found = estimate(now, changed=changed, drafting=guessing if "MTP" in text else None)
        except rates.TooSlow:
            if not (move or changed or "MTP" in text):
                raise
            rows.append({"change": f"{text} (too slow for these users)"} | words | dict.fromkeys(
                ("prefill_rate", "decode_rate", "nodes", "ratio"), np.nan))
            continue
        rows.append({"change": text, **words, "prefill_rate": found["prefill_rate"][1], "decode_rate": found["decode_rate"][1],
                     "nodes": found["nodes"][1], "ratio": found["nodes"][1] / fact("nodes")})
    table = pd.DataFrame(rows)
    others = {place: {"change": table["change"].iloc[place]} if place else {} for place in (0, 3, 5, 6)}
    page, guessed, even, kernels = (named("deepseek-day-ratio", table["ratio"].iloc[place], times, **of(case, **other))
                                    for place, other in others.items())
    return Finding(
        table, f"With a token guessed ahead in each step the nodes come out {guessed} times the published instead of {page}. "
        f"With no experts busier than others they come out {even} times: the model lets the busiest hold up all GPUs of a unit, "
        "by a coefficient measured within one server. With attention at the rate of the published kernel they come out "
        f"{kernels} times.",
        units={"prefill_rate": "tok_in/s", "decode_rate": "tok_out/s"})

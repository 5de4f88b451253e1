"""What one token costs and why: one operating point, price levels, batch, context.

Every table holds the calibrated model and, beside it, what the textbook says of the same case (column `by`).
"""

import numpy as np
import pandas as pd

from tokenecon import data, model_shape, units
from tokenecon.errors import DoesNotFit
from tokenecon.finding import Finding, ends, finding, given, named
from tokenecon.formulas import compute, money
from tokenecon.serving import operating_point as calibrated
from tokenecon.serving import textbook
from tokenecon.serving.operating_point import CALIBRATED, TEXTBOOK
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.words import dollars, percent, price

# Figures of the two documents that say, in some unit, what a token costs.
CLAIMED_LEVELS = {
    "up-token-cost-high": "Documents: upper comparison point",
    "up-token-cost-low": "Documents: lower comparison point",
    "up-openai-cost-per-word": "Documents: a word of ChatGPT",
    "dep-bedrock-price": "Documents: Bedrock, Llama 2 70B",
    "hw-graviton4-cost": "Documents: small model on a CPU",
}
LISTED_LEVELS = {
    "api.gpt4_output": "List price: GPT-4, output",
    "api.gpt4_turbo_output": "List price: GPT-4 Turbo, output",
    "api.bedrock_output": "List price: Bedrock, Llama 2 70B, output",
}
POINT_COLUMNS = {
    "what": ("The same machine and hour", None), "usd_per_mtok_in": ("Input", "USD/Mtok_in"),
    "usd_per_mtok_cached": ("Cached input", "USD/Mtok_cached"), "usd_per_mtok_out": ("Output", "USD/Mtok_out"),
    "usd_per_mtok": ("All tokens", "USD/Mtok"), "tpot_ms": ("Time per output token", "ms/tok_out"),
}  # fmt: skip
PART_COLUMNS = {"part": ("Part", None), "ms": ("Calibrated", "ms"), "textbook_ms": ("Textbook", "ms")}
# Part of a token's time -> its names in the calibrated model and in the textbook.
PARTS = {
    "reading the weights": ("weights", "weights_ms"), "attending to the KV cache": ("kv cache", "cache_ms"),
    "arithmetic": ("arithmetic", "compute_ms"), "links between GPUs": ("links", "comm_ms"),
    "fixed work of layers, steps and sequences": ("fixed work", "fixed_ms"),
    "waiting while other prompts are read": ("waiting", None), "a token": ("all", "tpot_ms"),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "usd_per_mtok_out": ("Output", "USD/Mtok_out"),
    "against_case": ("Against the case", "ratio"), "textbook_usd_per_mtok_out": ("Output, by the textbook", "USD/Mtok_out"),
    "usd_per_mtok": ("All tokens", "USD/Mtok"),
}  # fmt: skip


def _usd_per_mtok(value, unit):
    """A claimed price in any of the documents' units, in USD per million tokens."""
    if unit == "USD/word":
        value = money.usd_per_tok_from_word(
            usd_per_word=value, words_per_tok=data.value("language.words_per_token"))
        unit = "USD/tok"
    return units.convert(value, unit, "USD/Mtok")


def inputs(case):
    """The arguments of `textbook.point` among the parameters of the notebook."""
    return {
        "model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "weights": case.weights, "kv": case.kv,
        "isl": case.isl, "osl": case.osl, "concurrency": case.batch,
        "usd_per_gpu_hour": case.usd_per_gpu_hour, "utilisation": case.utilisation,
    }  # fmt: skip


def at_once(case):
    """How many requests the case serves at a time, in words."""
    return named("concurrency-limit", case.batch, "{:,.0f}".format, **case.costed)


@finding
def operating_point(case):
    """What a million tokens of each kind costs: the case of the page, with a part of the prompt cached, and by the textbook.

    Refuses a batch that the memory cannot hold.
    """
    asked = inputs(case)
    row, by_textbook = calibrated.point(**asked), textbook.point(**asked)
    if not row["fits"]:
        raise DoesNotFit(
            f"parameter 'batch' is {case.batch:g}, but {case.n_gpus} x {case.gpu} hold {int(row['max_concurrency'])} sequences "
            f"of {case.isl + case.osl:g} tokens beside the weights; lower it, or raise n_gpus")
    rows = [row | {"what": "no prompt in a cache", "by": CALIBRATED, "cached_prefix": 0.0},
            by_textbook | {"what": "no prompt in a cache, by the textbook", "by": TEXTBOOK, "cached_prefix": 0.0}]
    if part := cached_share(case):
        rows.insert(1, calibrated.point(**asked, cached_prefix=part) | {
            "what": f"{percent(part)} of the prompts in a cache", "by": CALIBRATED, "cached_prefix": part})
    table = pd.DataFrame(rows)
    name = data.model(case.model)["name"]
    cost = named("cost-output", row["usd_per_mtok_out"], price, **ends(row, "usd_per_mtok_out"), **case.costed)
    if case.batch > 1:
        lone = calibrated.point(**(asked | {"concurrency": 1}))
        alone = named("cost-output", lone["usd_per_mtok_out"], price, **ends(lone, "usd_per_mtok_out"),
                      **base.instance(case, batch=1))
        sentence = (f"Served {at_once(case)} at a time, a million output tokens of {name} cost {cost}; "
                    f"served alone they cost {alone}.")
    else:
        sentence = f"Served alone, a million output tokens of {name} cost {cost}."
    requests = f"{at_once(case)} requests" if case.batch > 1 else "one request"
    machine = f"{base_gpus(case)} × {data.gpu(case.gpu)['name']}"
    return Finding(table, sentence,
        "Each kind of token pays for the time it causes, so that together they pay the bill; idle hours are in it, staff and "
        f"tools are not. {calibrated.note(table)} Those of the textbook: outer bound of its assumed efficiencies.",
        units={"cached_prefix": "fraction"}, number=cost,
        label=f"a million output tokens of {name}, {requests} at a time on {machine}",
        split=_split(case, row, rows[1] if part else None))


def _split(case, row, cached):
    """The cost of a million tokens by kind, as a sentence."""
    said = {name: named(quantity, row[f"usd_per_mtok{name}"], price, **ends(row, f"usd_per_mtok{name}"), **case.costed)
            for name, quantity in (("", "cost-all"), ("_in", "cost-input"), ("_out", "cost-output"))}
    text = (f"A million tokens cost {said['']} over all of them, {said['_in']} where they are input and {said['_out']} where "
            "they are output.")
    if cached is not None:
        share = given(case, "cache_hit", percent)
        usd = named("cost-cached", cached["usd_per_mtok_cached"], price, **ends(cached, "usd_per_mtok_cached"),
                    **case.costed | {"cached_prefix": cached["cached_prefix"]})
        text += f" Where a cache holds {share} of the input, that part costs {usd}."
    return text


def cached_share(case):
    """Share of the prompt that the page takes to be in a prefix cache, where it looks at one: the last token is always read."""
    return min(case.cache_hit, 1 - 1 / case.isl)


def base_gpus(case):
    """How many GPUs serve a copy of the model, as text and named quantity."""
    return named("replica-gpus", case.n_gpus, "{:.0f}".format, **case.costed)


@finding
def step_parts(case):
    """Where the time of an output token goes: one row a part, by both models."""
    own, row = calibrated.step_parts(**inputs(case)), textbook.point(**inputs(case))
    table = pd.DataFrame([
        {"part": text, "ms": own[mine], "textbook_ms": row[theirs] if theirs else 0.0,
         "ms_low": own.get(f"{mine}_low", np.nan), "ms_high": own.get(f"{mine}_high", np.nan)}
        for text, (mine, theirs) in PARTS.items()])
    parts = table.iloc[:-1]
    largest = parts.loc[parts["ms"].idxmax()]
    gaps = parts["ms"] - parts["textbook_ms"]
    part = named("time-largest-part", largest["ms"], "{:.1f}".format, **case.costed)
    whole = named("time-per-token", own["all"], "{:.1f}".format, **ends(own, "all"), **case.costed)
    return Finding(table, (
        f"The largest part of the time of an output token is {largest['part']}: {part} of {whole} ms."),
        f"The textbook comes to {row['tpot_ms']:.1f} ms"
        + (f"; what it leaves out most is {parts['part'][gaps.idxmax()]}. " if gaps.max() > 0 else ". ")
        + "In the textbook reading and arithmetic overlap, so its parts add up to more than a token where both matter; "
        "nobody's prompt gets in the way of anybody's answer.")


@finding
def price_levels(case):
    """What a million tokens costs by the documents' own figures, by list prices and by this page's case."""
    rows = []
    for claim_id, label in CLAIMED_LEVELS.items():
        claim = data.claim(claim_id)
        rows.append({"label": label, "usd_per_mtok": _usd_per_mtok(claim["low"], claim["unit"]),
                     "group": "documents", "id": claim_id, "source": "doc-uk"})
    for assumption_id, label in LISTED_LEVELS.items():
        fact = data.assumption(assumption_id)
        rows.append({"label": label, "usd_per_mtok": float(fact["value"]), "group": "list prices",
                     "id": assumption_id, "source": fact["source"]})
    for by, point in ((CALIBRATED, calibrated.point), (TEXTBOOK, textbook.point)):
        found = point(**inputs(case))
        for kind in ("out", "in"):
            name = f"usd_per_mtok_{kind}"
            rows.append({"label": f"This page's case: {kind}put, {by}", "usd_per_mtok": found[name],
                         "usd_per_mtok_low": found[f"{name}_low"], "usd_per_mtok_high": found[f"{name}_high"],
                         "group": f"{'rented' if by == CALIBRATED else by}, as on this page", "id": "",
                         "source": "own-arithmetic"})
    table = pd.DataFrame(rows)
    claimed = table[table["group"] == "documents"].set_index("id")["usd_per_mtok"]
    low, high = (named(row, data.claim(row)["low"], lambda value, usd=claimed[row], show=show: show(usd)) for row, show in (
        (claimed.idxmin(), dollars), (claimed.idxmax(), "${:,.0f}".format)))
    times = named("documents-spread", claimed.max() / claimed.min(), "{:,.0f}".format)
    return Finding(table, f"The documents price a million tokens from {low} to {high}, {times} times as much")


def batches(ceiling, *shown):
    """Batches to draw: whole numbers, evenly spread on a log scale up to the memory ceiling, and those shown."""
    top = max(1, int(ceiling))
    return sorted({1, top, *(min(one, top) for one in shown), *(round(b) for b in np.geomspace(1, top, 40))})


@finding
def batch_curve(case):
    """Cost and latency over batch by both models, each up to what its memory holds; thresholds as values."""
    asked = inputs(case)
    try:
        full = calibrated.point(**(asked | {"concurrency": np.nan}))
    except DoesNotFit as reason:
        raise DoesNotFit(
            f"{case.n_gpus} x {case.gpu} do not hold one sequence of {case.isl + case.osl} tokens "
            f"beside the weights of {case.model} ({case.weights}); raise n_gpus") from reason
    ceilings = {CALIBRATED: full["concurrency_used"], TEXTBOOK: textbook.point(**asked)["max_concurrency"]}
    drawn = {by: batches(ceiling, case.batch, claimed_batch()) for by, ceiling in ceilings.items()}
    parts = [function(pd.DataFrame([asked | {"concurrency": batch} for batch in drawn[by]])).assign(by=by)
             for by, function in ((CALIBRATED, calibrated.points), (TEXTBOOK, textbook.points))]
    table = pd.concat(parts, ignore_index=True)
    _low, critical, _high = textbook.critical_batch(gpu=case.gpu, weights=case.weights)
    last = int(ceilings[CALIBRATED])
    memory_ends = full["max_concurrency"] < last + 1
    fall = parts[0]["usd_per_mtok_out"].iloc[0] / parts[0]["usd_per_mtok_out"].iloc[-1]
    of = base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl")
    most = named("concurrency-memory", last, "{:,.0f}".format, **of)
    gain = named("batch-gain", fall, f"{{:,.{0 if fall > 9.95 else 1}f}}".format, batch=last, **of)
    return Finding(
        table, f"Served alone, an output token costs {gain} times as much as one of {most} at a time, as many as "
        f"{'the memory holds' if memory_ends else 'an engine runs'}"
        if last > 1 else "There is nothing to share a step with: the memory holds one request at a time",
        calibrated.note(parts[0]), max_concurrency=last, end="memory is full" if memory_ends else "engines run no more",
        critical_batch=critical if critical <= last else None)  # where the memory ends before it: nothing to mark


@finding
def latency_curve(case):
    """Time per output token over batch, from the same points as :func:`batch_curve`."""
    curve = batch_curve(case)
    largest = curve["max_concurrency"]
    shown = min(int(case.batch), largest)
    if shown == 1:
        sentence = "A request alone is as fast as a token gets" + (
            ", and the memory holds no second one" if largest == 1 else "")
    else:
        batch = named("concurrency-limit", case.batch, "{:,.0f}".format, **case.costed)
        sentence = f"Served {batch} at a time, a token takes {base.said_batch_latency(case, shown)}"
    alone = curve.table.loc[curve.table["concurrency"] == 1, "tpot_ms"].iloc[0]
    claimed = pd.DataFrame([{"concurrency": claimed_batch(), "label": "the documents' claim",
                             "tpot_ms": alone * (1 + data.claim("ec-batch32-latency")["low"])}])
    return Finding(curve.table, sentence, curve.note, claimed=claimed,
                   **{name: curve[name] for name in ("max_concurrency", "end", "critical_batch")})


@finding
def context_curve(case):
    """Growth of prefill arithmetic with context against the documents' short window: three laws."""
    short, long = data.claim("ec-gpt4-context-short")["low"], data.claim("ec-gpt4-context-long")["low"]
    record = textbook.shape(case.model)
    widths = model_shape.attention_widths(record)
    weight = compute.mixing_weight(
        layers=record["layers"], attention_width=widths["prefill"], positions=short,
        active_parameters=model_shape.parameters(record)["active_parameters"])
    name = data.model(case.model)["name"]
    laws = {"linear": 0.0, name: weight}
    lengths = np.geomspace(short, long, 25)
    curves = {law: compute.context_cost_ratio(length_ratio=lengths / short, mixing_weight=weight)
              for law, weight in laws.items()}
    curves["quadratic"] = (lengths / short) ** 2
    table = pd.concat([pd.DataFrame({"context_tokens": lengths, "law": law, "cost_ratio": ratio})
                       for law, ratio in curves.items()], ignore_index=True)
    mixed = compute.context_cost_ratio(length_ratio=long / short, mixing_weight=weight)
    claimed = data.claim("ec-context-cost-ratio")["low"]
    longer = named("prompt-length", long / short, "{:.0f}".format)
    more = named("prompt-arithmetic", mixed, "{:.0f}".format, model=case.model, short=short, long=long)
    said = named("ec-context-cost-ratio", claimed, "{:.0f}".format)
    needed = compute.mixing_weight_for_ratio(length_ratio=long / short, cost_ratio=claimed)
    return Finding(
        table, f"A prompt {longer} times as long takes {more} times the arithmetic in {name}; the documents say {said} times",
        f"From {short:,.0f} to {long:,.0f} tokens, the two windows that the documents name.",
        needed_weight=float(needed), weight=float(weight),
        claimed=pd.DataFrame([{"context_tokens": long, "cost_ratio": claimed, "label": "the documents' claim"}]))


def claimed_batch():
    """The batch of which the documents say what it costs in speed. [sequence]"""
    return int(data.claim("ec-batch32-size")["low"])


@finding
def claimed_latency(case):
    """What the documents say that their batch costs in speed, beside what it costs here, as a sentence."""
    rise, batch = data.claim("ec-batch32-latency")["low"], claimed_batch()
    said = named("ec-batch32-latency", rise, percent)
    size = named("ec-batch32-size", batch, str)
    here = base.batch_latency(case, batch)
    table = pd.DataFrame([{"batch": batch, "rise": rise, "here": here}])
    return Finding(table, (
        f"The documents say that a batch of {size} makes a token {said} slower; "
        f"on this machine it takes {base.said_batch_latency(case, batch)}."),
        units={"rise": "fraction", "here": "fraction"})


@finding
def sensitivity(case):
    """Cost of output when one input of the case moves and the others stay, by both models."""
    asked = inputs(case)
    moves = {
        "the case itself": {},
        "half the batch": {"concurrency": max(1, case.batch // 2)},
        "twice the batch": {"concurrency": 2 * case.batch},
        "one request at a time": {"concurrency": 1},
        "prompts four times as long": {"isl": 4 * case.isl},
        "INT4 weights": {"weights": "int4"},
        "twice the GPUs": {"n_gpus": 2 * case.n_gpus},
        "a GPU hour at half the price": {"usd_per_gpu_hour": case.usd_per_gpu_hour / 2},
        "half the utilisation": {"utilisation": case.utilisation / 2},
    }
    cases = pd.DataFrame([asked | change for change in moves.values()])
    table = calibrated.points(cases)
    table["textbook_usd_per_mtok_out"] = textbook.points(cases)["usd_per_mtok_out"]
    table["against_case"] = table["usd_per_mtok_out"] / table["usd_per_mtok_out"].iloc[0]
    table[["what", "to"]] = [list(moved.said(change).values()) for change in moves.values()]
    table.loc[~table["fits"].astype(bool), "what"] = ""  # no answer to what would change it
    table["change"] = [f"{text}{'' if fits else ' (does not fit the memory)'}"
                       for text, fits in zip(moves, table["fits"], strict=True)]
    return Finding(table)

"""What one token costs and why: one operating point, price levels, batch, context.

Every table holds the calibrated model and, beside it, what the textbook says of the same case (column `by`).
"""

import numpy as np
import pandas as pd

from tokenecon import data, model_shape, units
from tokenecon.errors import DoesNotFit
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import compute, money, serving
from tokenecon.serving import operating_point as calibrated
from tokenecon.serving import textbook
from tokenecon.serving.operating_point import CALIBRATED, TEXTBOOK
from tokenecon_book.documents import base
from tokenecon_book.documents.words import dollars

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
    "by": ("Model", None), "usd_per_mtok_out": ("Cost of output", "USD/Mtok_out"),
    "usd_per_mtok_in": ("Cost of input", "USD/Mtok_in"), "usd_per_mtok": ("Cost of both, at this mix", "USD/Mtok"),
    "tpot_ms": ("Time per output token", "ms/tok_out"), "ttft_ms": ("Time to first token", "ms"),
    "output_tok_s": ("Output", "tok_out/s"), "max_concurrency": ("Fits at most", "sequence"),
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
    "change": ("What changes", None), "usd_per_mtok_out": ("Cost of output", "USD/Mtok_out"),
    "against_case": ("Against the case", "ratio"), "textbook_usd_per_mtok_out": ("By the textbook", "USD/Mtok_out"),
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


@finding
def operating_point(case):
    """The case of the page by both models, one row each; refuses a batch that the memory cannot hold."""
    given = inputs(case)
    row, by_textbook = calibrated.point(**given), textbook.point(**given)
    if not row["fits"]:
        raise DoesNotFit(
            f"parameter 'batch' is {case.batch}, but {case.n_gpus} x {case.gpu} hold {int(row['max_concurrency'])} sequences of "
            f"{case.isl + case.osl} tokens beside the weights; lower it, or raise n_gpus")
    table = pd.DataFrame([row | {"by": CALIBRATED}, by_textbook | {"by": TEXTBOOK}])
    name = data.model(case.model)["name"]
    cost = named("cost-output", row["usd_per_mtok_out"], dollars, **base.instance(case))
    together = named("concurrency-limit", case.batch, "{:,.0f}".format, **base.instance(case))
    if case.batch > 1:
        alone = named("cost-output", calibrated.point(**(given | {"concurrency": 1}))["usd_per_mtok_out"], dollars,
                      **base.instance(case, batch=1))
        sentence = (f"Served {together} at a time, a million output tokens of {name} cost {cost}; "
                    f"served alone they cost {alone}.")
    else:
        sentence = f"Served alone, a million output tokens of {name} cost {cost}."
    return Finding(table, sentence,
        f"{calibrated.note(table)} Those of the textbook: the ranges of its assumed efficiencies. In the calibrated rate "
        "prompts take their share of the time, which the cost of input pays for; the textbook's counts the time of answers "
        "alone.",
        number=cost, label=f"a million output tokens of {name}, {together} requests at a time on "
                           f"{case.n_gpus} × {data.gpu(case.gpu)['name']}")


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
    return Finding(table, (
        f"The largest part of the time of an output token is {largest['part']}: {largest['ms']:.1f} of {own['all']:.1f} ms."),
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
                         "group": f"this page, {by}", "id": "", "source": "own-arithmetic"})
    table = pd.DataFrame(rows)
    claimed = table.loc[table["group"] == "documents", "usd_per_mtok"]
    return Finding(
        table, f"The documents' own figures for a million tokens span a factor of {claimed.max() / claimed.min():,.0f}: "
        f"from {dollars(claimed.min())} to ${claimed.max():,.0f}")


def batches(ceiling, shown):
    """Batches to draw: whole numbers, evenly spread on a log scale up to the memory ceiling, and the one shown."""
    top = max(1, int(ceiling))
    return sorted({1, top, min(shown, top), *(round(b) for b in np.geomspace(1, top, 40))})


@finding
def batch_curve(case):
    """Cost and latency over batch by both models, each up to what its memory holds; thresholds as values."""
    given = inputs(case)
    try:
        full = calibrated.point(**(given | {"concurrency": np.nan}))
    except DoesNotFit as reason:
        raise DoesNotFit(
            f"{case.n_gpus} x {case.gpu} do not hold one sequence of {case.isl + case.osl} tokens "
            f"beside the weights of {case.model} ({case.weights}); raise n_gpus") from reason
    ceilings = {CALIBRATED: full["concurrency_used"], TEXTBOOK: textbook.point(**given)["max_concurrency"]}
    parts = [function(pd.DataFrame([given | {"concurrency": batch} for batch in batches(ceilings[by], case.batch)])).assign(by=by)
             for by, function in ((CALIBRATED, calibrated.points), (TEXTBOOK, textbook.points))]
    table = pd.concat(parts, ignore_index=True)
    _low, critical, _high = textbook.critical_batch(gpu=case.gpu, weights=case.weights)
    last = int(ceilings[CALIBRATED])
    memory_ends = full["max_concurrency"] < last + 1
    order = "below" if last < critical else "above"
    fall = parts[0]["usd_per_mtok_out"].iloc[0] / parts[0]["usd_per_mtok_out"].iloc[-1]
    ends = f"{'memory ends' if memory_ends else 'engines end'} it {order} the critical batch of {critical:.0f}"
    return Finding(
        table, f"From batch 1 to {last} the cost of an output token falls {fall:,.{0 if fall > 9.95 else 1}f}-fold; {ends}"
        if last > 1 else "There is nothing to share a step with: the memory holds one request at a time",
        calibrated.note(parts[0]), max_concurrency=last, end="memory is full" if memory_ends else "engines run no more",
        critical_batch=critical if critical <= last else None)  # where the memory ends before it: nothing to mark


@finding
def latency_curve(case):
    """Time per output token over batch, from the same points as :func:`batch_curve`."""
    curve = batch_curve(case)
    rises, slowest = {}, {}
    for by, rows in curve.table.groupby("by", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        at = rows.iloc[(rows["concurrency"] - case.batch).abs().argmin()]
        rises[by] = serving.batching_latency_rise(batch_step_s=at.tpot_ms, single_step_s=first.tpot_ms)
        slowest[by] = last.tpot_ms / first.tpot_ms
    largest = curve["max_concurrency"]
    shown = min(int(case.batch), largest)
    most = f"a batch of {largest} makes it {slowest[CALIBRATED]:.1f} times as slow as a request alone"
    return Finding(curve.table, (
        "A request alone is as fast as a token gets, and the memory holds no second one" if largest == 1 else
        f"A request alone is as fast as a token gets; {most}" if shown == 1 else
        f"Batch {shown} makes a token {rises[CALIBRATED]:.0%} slower than a request alone" + (
            f"; {most.replace(' as a request alone', '')}" if largest > shown else "")), curve.note,
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
    needed = compute.mixing_weight_for_ratio(length_ratio=long / short, cost_ratio=claimed)
    return Finding(
        table, f"A prompt of {long:,.0f} tokens takes {mixed:.0f} times the arithmetic of one of {short:,.0f} in {name}; "
        f"the documents say {claimed:.0f}", needed_weight=float(needed), weight=float(weight),
        claimed=pd.DataFrame([{"context_tokens": long, "cost_ratio": claimed, "label": "the documents' claim"}]))


@finding
def claimed_latency():
    """What the documents say that their batch costs in speed, as a sentence."""
    rise, batch = data.claim("ec-batch32-latency")["low"], data.claim("ec-batch32-size")["low"]
    return Finding(pd.DataFrame([{"batch": batch, "rise": rise}]),
                   f"The documents put it at {rise:.0%} for a batch of {batch:.0f}.", units={"rise": "fraction"})


@finding
def sensitivity(case):
    """Cost of output when one input of the case moves and the others stay, by both models."""
    given = inputs(case)
    moves = {
        "the case itself": {},
        "half the batch": {"concurrency": max(1, case.batch // 2)},
        "twice the batch": {"concurrency": 2 * case.batch},
        "one request at a time": {"concurrency": 1},
        "prompts four times as long": {"isl": 4 * case.isl},
        "FP8 weights": {"weights": "fp8"},
        "twice the GPUs": {"n_gpus": 2 * case.n_gpus},
        "a GPU hour at half the price": {"usd_per_gpu_hour": case.usd_per_gpu_hour / 2},
        "half the utilisation": {"utilisation": case.utilisation / 2},
    }
    cases = pd.DataFrame([given | change for change in moves.values()])
    table = calibrated.points(cases)
    table["textbook_usd_per_mtok_out"] = textbook.points(cases)["usd_per_mtok_out"]
    table["against_case"] = table["usd_per_mtok_out"] / table["usd_per_mtok_out"].iloc[0]
    table["change"] = [f"{text}{'' if fits else ' (does not fit the memory)'}"
                       for text, fits in zip(moves, table["fits"], strict=True)]
    return Finding(table)

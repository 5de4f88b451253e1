"""What one token costs and why: price levels, batch, context, model size, precision."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.analysis import textbook
from tokenecon.formulas import batching, context, money
from tokenecon.importers import architecture

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
FAMILIES = {
    "one family: Llama 3.1": ("llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b"),
    "sizes the documents name": ("llama-2-7b", "llama-2-70b", "gpt-3-175b"),
}
FORMATS = ("fp16", "fp8", "int8", "int4")
POINT_COLUMNS = {
    "batch": ("Batch", "sequence"), "max_batch": ("Fits at most", "sequence"), "step_ms": ("Time per output token", "ms/tok_out"),
    "ttft_ms": ("Prefill of one prompt", "ms"), "tok_out_per_s": ("Output", "tok_out/s"),
    "usd_per_mtok_in": ("Cost of input", "USD/Mtok_in"), "usd_per_mtok_out": ("Cost of output", "USD/Mtok_out"),
    "usd_per_mtok": ("Cost of both, at this mix", "USD/Mtok"),
}  # fmt: skip
POINT_NOTE = "In brackets: the ends that the ranges of the assumed efficiencies allow."
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "usd_per_mtok_out": ("Cost of output", "USD/Mtok_out"),
    "against_case": ("Against the case", "ratio"),
}  # fmt: skip


def _usd_per_mtok(value, unit):
    """A claimed price in any of the documents' units, in USD per million tokens."""
    if unit == "USD/word":
        value = money.usd_per_tok_from_word(
            usd_per_word=value, words_per_tok=data.value("language.words_per_token"))
        unit = "USD/tok"
    return units.convert(value, unit, "USD/Mtok")


def _inputs(case):
    """The arguments of `textbook.point` among the parameters of the notebook."""
    return {
        "model": case.model, "gpu": case.gpu, "gpus": case.n_gpus, "weights": case.weights, "kv": case.kv,
        "isl_tokens": case.isl_tokens, "osl_tokens": case.osl_tokens, "batch": case.batch,
        "usd_per_gpu_hour": case.usd_per_gpu_hour, "utilisation": case.utilisation,
    }  # fmt: skip


def operating_point(case):
    """The case of the page as one row; refuses a batch that the memory cannot hold."""
    table = pd.DataFrame([textbook.point(**_inputs(case))])
    row = table.iloc[0]
    if not row.fits:
        raise textbook.DoesNotFit(
            f"parameter 'batch' is {case.batch}, but {case.n_gpus} x {case.gpu} hold {int(row.max_batch)} sequences of "
            f"{case.isl_tokens + case.osl_tokens} tokens beside the weights; lower it, or raise n_gpus")
    single = textbook.point(**(_inputs(case) | {"batch": 1}))
    saving = batching.batching_saving(
        batch=case.batch, batch_step_s=row.step_ms, single_step_s=single["step_ms"])
    name = data.model(case.model)["name"]
    table.attrs["finding"] = (
        f"A million output tokens of {name} cost ${row.usd_per_mtok_out:.2f} "
        f"(${row.usd_per_mtok_out_low:.2f} to ${row.usd_per_mtok_out_high:.2f}) at batch {case.batch}, against "
        f"${single['usd_per_mtok_out']:.2f} one request at a time: batching saves {saving:.0%} of the cost of a token.")
    table.attrs["number"] = f"${row.usd_per_mtok_out:.2f} / Mtok"
    table.attrs["label"] = (
        f"a million output tokens of {name} on {case.n_gpus} {data.gpu(case.gpu)['name']} at batch {case.batch}")
    table.attrs["sources"] = _physics_sources(case.model, case.gpu)
    return table


def _physics_sources(model, gpu):
    facts = data.table("gpus")
    of_gpu = facts[(facts["gpu"] == gpu) & facts["field"].isin(["bandwidth", "engine_memory", "bf16"])]
    return [data.model(model)["source"], *dict.fromkeys(of_gpu["source"]), "own-assumption"]


def step_parts(case):
    """Where the time of a decode step goes: one row a part, with its range."""
    row = textbook.point(**_inputs(case))
    names = {"weights_ms": "reading the weights", "cache_ms": "reading the KV cache",
             "compute_ms": "arithmetic (overlaps with reading)", "comm_ms": "links between GPUs",
             "fixed_ms": "fixed cost of a step", "step_ms": "the step"}
    table = pd.DataFrame([
        {"part": text, "ms": row[name], "ms_low": row[f"{name}_low"], "ms_high": row[f"{name}_high"]}
        for name, text in names.items()])
    largest = table.iloc[:5].sort_values("ms").iloc[-1]
    table.attrs["finding"] = (
        f"The largest part of a decode step is {largest['part']}: {largest['ms']:.1f} of {row['step_ms']:.1f} ms.")
    return table


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
    point = textbook.point(**_inputs(case))
    for kind in ("out", "in"):
        name = f"usd_per_mtok_{kind}"
        rows.append({"label": f"This page's case: {kind}put", "usd_per_mtok": point[name],
                     "usd_per_mtok_low": point[f"{name}_low"], "usd_per_mtok_high": point[f"{name}_high"],
                     "group": "this page", "id": "", "source": "own-arithmetic"})
    table = pd.DataFrame(rows)
    claimed = table.loc[table["group"] == "documents", "usd_per_mtok"]
    table.attrs["finding"] = (
        f"The documents' own figures for a million tokens span a factor of {claimed.max() / claimed.min():,.0f}: "
        f"from ${claimed.min():.2f} to ${claimed.max():,.0f}")
    table.attrs["sources"] = list(dict.fromkeys(table["source"]))
    return table


def batches(ceiling, shown):
    """Batches to draw: whole numbers, evenly spread on a log scale up to the memory ceiling, and the one shown."""
    top = max(1, int(ceiling))
    return sorted({1, top, min(shown, top), *(round(b) for b in np.geomspace(1, top, 40))})


def batch_curve(case):
    """Cost and latency over batch, up to what the memory holds; critical batch and ceiling in attrs."""
    inputs = _inputs(case)
    ceiling = textbook.point(**inputs)["max_batch"]
    if ceiling < 1:
        raise textbook.DoesNotFit(
            f"{case.n_gpus} x {case.gpu} do not hold one sequence of {case.isl_tokens + case.osl_tokens} tokens "
            f"beside the weights of {case.model} ({case.weights}); raise n_gpus")
    table = textbook.points(pd.DataFrame([inputs | {"batch": batch} for batch in batches(ceiling, case.batch)]))
    low, critical, high = textbook.critical_batch(gpu=case.gpu, weights=case.weights)
    first, last = table.iloc[0], table.iloc[-1]
    table.attrs["critical_batch"], table.attrs["critical_low"], table.attrs["critical_high"] = critical, low, high
    table.attrs["max_batch"] = last.batch
    if critical > last.batch:  # the memory ends before the arithmetic binds: nothing to mark
        table.attrs["critical_batch"] = None
    order = "below" if ceiling < critical else "above"
    fall = first.usd_per_mtok_out / last.usd_per_mtok_out
    table.attrs["finding"] = (
        f"From batch 1 to {last.batch} the cost of an output token falls {fall:,.0f}-fold; "
        f"memory ends it {order} the critical batch of {critical:.0f}")
    table.attrs["sources"] = _physics_sources(case.model, case.gpu)
    return table


def latency_curve(case):
    """Time per output token over batch, from the same points as :func:`batch_curve`."""
    table = batch_curve(case)
    first, last = table.iloc[0], table.iloc[-1]
    at = table.iloc[(table["batch"] - case.batch).abs().argmin()]
    rise = batching.batching_latency_rise(batch_step_s=at.step_ms, single_step_s=first.step_ms)
    table.attrs["finding"] = (
        f"Batch {at.batch} makes a token {rise:.0%} slower than batch 1; the full memory, {last.batch} sequences, "
        f"makes it {last.step_ms / first.step_ms:.1f} times as slow")
    return table


def context_curve(case):
    """Growth of prefill arithmetic with context against the documents' short window: three laws."""
    short, long = data.claim("ec-gpt4-context-short")["low"], data.claim("ec-gpt4-context-long")["low"]
    record = textbook.shape(case.model)
    widths = architecture.attention_widths(record)
    weight = context.mixing_weight(
        layers=record["layers"], attention_width=widths["prefill"], positions=short,
        active_parameters=architecture.parameters(record)["active_parameters"])
    name = data.model(case.model)["name"]
    laws = {"linear": 0.0, name: weight}
    lengths = np.geomspace(short, long, 25)
    curves = {law: context.context_cost_ratio(length_ratio=lengths / short, mixing_weight=weight)
              for law, weight in laws.items()}
    curves["quadratic"] = (lengths / short) ** 2
    table = pd.concat([pd.DataFrame({"context_tokens": lengths, "law": law, "cost_ratio": ratio})
                       for law, ratio in curves.items()], ignore_index=True)
    mixed = context.context_cost_ratio(length_ratio=long / short, mixing_weight=weight)
    claimed = data.claim("ec-context-cost-ratio")["low"]
    needed = context.mixing_weight_for_ratio(length_ratio=long / short, cost_ratio=claimed)
    table.attrs["finding"] = (
        f"A prompt of {long:,.0f} tokens takes {mixed:.0f} times the arithmetic of one of {short:,.0f} in {name}; "
        f"the documents say {claimed:.0f}")
    table.attrs["needed_weight"], table.attrs["weight"] = float(needed), float(weight)
    table.attrs["sources"] = ["doc-uk", "doc-th", data.model(case.model)["source"]]
    return table


def size_steps(case, families=FAMILIES):
    """Cost of a token over model size, each on the fewest GPUs of this kind that hold it and the batch."""
    rows = []
    for family, models in families.items():
        for model in models:
            positions = case.isl_tokens + case.osl_tokens
            where = {"model": model, "gpu": case.gpu, "weights": case.weights, "kv": case.kv, "positions": positions}
            gpus = textbook.smallest_instance(**where)
            while textbook.max_batch(gpus=gpus, **where) < case.batch:
                gpus *= 2
            row = textbook.point(**(_inputs(case) | {"model": model, "gpus": gpus}))
            rows.append(row | {"family": family, "name": data.model(model)["name"],
                               "parameters": float(data.model(model)["parameters"])})
    table = pd.DataFrame(rows)
    before = table.groupby("family", sort=False)[["parameters", "usd_per_mtok_out"]].shift()
    table["excess"] = (table["usd_per_mtok_out"] / before["usd_per_mtok_out"]) / (
        table["parameters"] / before["parameters"])
    table["one_server"] = table["gpus"] <= data.gpu(case.gpu)["link_domain_gpus"]
    claim = data.claim("ec-size-step-cost")
    table.attrs["finding"] = (
        f"{_excess_words(table[table['family'] == next(iter(families))])}; "
        f"the documents say {claim['low']:.0f} to {claim['high']:.0f} times for every step")
    table.attrs["note"] = (
        "Each model on the fewest GPUs that hold it and the batch, split by tensor parallelism. Models without grouped "
        "key-value heads (Llama 2 7B, GPT-3) pay for a larger KV cache, not for their size.")
    table.attrs["sources"] = [*dict.fromkeys(data.model(model)["source"] for model in table["model"]), "own-assumption"]
    return table


def context_claimed():
    """The documents' claim as a point over the curves of :func:`context_curve`."""
    return pd.DataFrame([{"context_tokens": data.claim("ec-gpt4-context-long")["low"],
                          "cost_ratio": data.claim("ec-context-cost-ratio")["low"], "label": "the documents' claim"}])


def _excess_words(family):
    """What a step in size costs beyond the growth in parameters, inside one server and beyond it."""
    steps = family.dropna(subset=["excess"])
    words = [f"{steps.loc[steps['one_server'] == inside, 'excess'].max():.1f} times {where}"
             for inside, where in ((True, "inside one server"), (False, "when the model leaves the server"))
             if (steps["one_server"] == inside).any()]
    return f"A step in size costs its growth in parameters {' and '.join(words)}"


def precisions(case, formats=FORMATS):
    """Cost of a token by weight format, one request at a time and at the case's batch."""
    rows = []
    for fmt in formats:
        for batch, text in ((1, "one request"), (case.batch, f"batch {case.batch}")):
            row = textbook.point(**(_inputs(case) | {"weights": fmt, "batch": batch}))
            rows.append(row | {"load": text, "format": fmt})
    table = pd.DataFrame(rows)
    table["relative_cost"] = table["usd_per_mtok_out"] / table.groupby("load")["usd_per_mtok_out"].transform("first")
    narrow = table[table["format"] == formats[-1]].set_index("load")["relative_cost"]
    alone, loaded = 1 - narrow["one request"], 1 - narrow[f"batch {case.batch}"]
    claimed = data.claim("ec-quant-cost-reduction")["low"]
    table.attrs["finding"] = (
        f"{formats[-1].upper()} weights save {alone:.0%} of the cost of a token for one request and {loaded:.0%} at "
        f"batch {case.batch}; the documents say {claimed:.0%} without naming a baseline")
    table.attrs["sources"] = ["doc-uk", *_physics_sources(case.model, case.gpu)]
    return table


def sensitivity(case):
    """Cost of output when one input of the case moves and the others stay."""
    inputs = _inputs(case)
    moves = {
        "the case itself": {},
        "half the batch": {"batch": max(1, case.batch // 2)},
        "twice the batch": {"batch": 2 * case.batch},
        "one request at a time": {"batch": 1},
        "prompts four times as long": {"isl_tokens": 4 * case.isl_tokens},
        "FP8 weights": {"weights": "fp8"},
        "twice the GPUs": {"gpus": 2 * case.n_gpus},
        "a GPU hour at half the price": {"usd_per_gpu_hour": case.usd_per_gpu_hour / 2},
        "half the utilisation": {"utilisation": case.utilisation / 2},
    }
    rows = [{"change": text} | textbook.point(**(inputs | change)) for text, change in moves.items()]
    table = pd.DataFrame(rows)
    table["against_case"] = table["usd_per_mtok_out"] / table["usd_per_mtok_out"].iloc[0]
    table["change"] = [f"{row.change}{'' if row.fits else ' (does not fit the memory)'}" for row in table.itertuples()]
    return table

"""What a larger model and fewer bits do to the cost of a token, by the calibrated model and by the textbook."""

import pandas as pd

from tokenecon import data
from tokenecon.errors import NoEstimate
from tokenecon.finding import Finding, finding
from tokenecon.serving import operating_point, textbook
from tokenecon.serving.operating_point import CALIBRATED, TEXTBOOK
from tokenecon_book.chapters.economics import economics
from tokenecon_book.documents.words import saves

FAMILIES = {
    "Llama 3.1": ("llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b"),
    "sizes the documents name": ("llama-2-7b", "llama-2-70b", "gpt-3-175b"),
}
FORMATS = ("fp16", "fp8", "int8", "int4")


def _instance(case, model):
    """The case with this model on the fewest GPUs that hold it and the batch by both models."""
    where = {"model": model, "gpu": case.gpu, "weights": case.weights, "kv": case.kv}
    # a model that has fewer positions reads as much of the prompt as it can
    isl = min(case.isl, data.model(model)["max_positions"] - case.osl)
    positions = isl + case.osl
    n_gpus = textbook.smallest_instance(**where, positions=positions)
    while True:
        inputs = economics.inputs(case) | {"model": model, "n_gpus": n_gpus, "isl": isl}
        own = operating_point.points(pd.DataFrame([inputs])).iloc[0]
        if own["reason"] and operating_point.NO_ROOM not in own["reason"]:
            raise NoEstimate(own["reason"])
        if own["fits"] and textbook.max_concurrency(**where, n_gpus=n_gpus, positions=positions) >= case.batch:
            return inputs
        n_gpus *= 2


@finding
def size_steps(case, families=FAMILIES):
    """Cost of a token by model size, each on the fewest GPUs of this kind that hold it and the batch, by both models.

    `excess` is the step in cost over the step in parameters, from the next smaller model of the family.
    """
    named = pd.DataFrame([{"family": family} | _instance(case, model) for family, models in families.items()
                          for model in models])
    table = operating_point.by_both_models(named.drop(columns="family"))
    table["family"] = list(named["family"]) * 2
    table["name"] = [data.model(model)["name"] for model in table["model"]]
    table["parameters"] = [float(data.model(model)["parameters"]) for model in table["model"]]
    before = table.groupby(["by", "family"], sort=False)[["parameters", "usd_per_mtok_out"]].shift()
    table["excess"] = (table["usd_per_mtok_out"] / before["usd_per_mtok_out"]) / (
        table["parameters"] / before["parameters"])
    table["step"] = [
        f"{row['name']}, {row['n_gpus']} GPU" if one["parameters"] > 0 else ""
        for (_, row), (_, one) in zip(table.iterrows(), before.iterrows(), strict=True)]
    table["one_server"] = table["n_gpus"] <= data.gpu(case.gpu)["link_domain_gpus"]
    claim = data.claim("ec-size-step-cost")
    first = table[table["family"] == next(iter(families))]
    words = {by: _excess_words(first[first["by"] == by]) for by in (CALIBRATED, TEXTBOOK)}
    return Finding(table, (
        f"A step in size costs its growth in parameters {words[CALIBRATED]}; the documents say "
        f"{claim['low']:.0f} to {claim['high']:.0f} times"),
        f"By the textbook: {words[TEXTBOOK]}. Each step from the next smaller model of the family; each on the fewest GPUs that "
        "hold it and the batch, split by tensor parallelism. Models without grouped key-value heads (Llama 2 7B, GPT-3) pay for "
        "a larger KV cache, not for their size, and a model "
        "with fewer positions than prompt and answer have (GPT-3: 2048) reads a shorter prompt. " + operating_point.note(table),
        units={"excess": "ratio"}, claimed_low=claim["low"], claimed_high=claim["high"])


def _excess_words(family):
    """What a step in size costs beyond the growth in parameters, inside one server and beyond it."""
    steps = family.dropna(subset=["excess"])
    return " and ".join(
        f"{steps.loc[steps['one_server'] == inside, 'excess'].max():.1f} times {where}"
        for inside, where in ((True, "inside one server"), (False, "beyond it")) if (steps["one_server"] == inside).any())


@finding
def precisions(case, formats=FORMATS):
    """Cost of a token by weight format over the first format, one request at a time and at the case's batch, by both models."""
    loads = {"one request": 1} | ({f"batch {case.batch}": case.batch} if case.batch > 1 else {})
    asked = [(fmt, load) for load in loads for fmt in formats]
    table = operating_point.by_both_models(pd.DataFrame([
        economics.inputs(case) | {"weights": fmt, "concurrency": loads[load]} for fmt, load in asked]))
    table["format"], table["load"] = [fmt for fmt, _ in asked] * 2, [load for _, load in asked] * 2
    table["label"] = [f"{load}, {data.precision(fmt)['name'].split()[0]}" for fmt, load in asked] * 2
    table["relative_cost"] = table["usd_per_mtok_out"] / table.groupby(["by", "load"])["usd_per_mtok_out"].transform("first")
    table = table[table["format"] != formats[0]].reset_index(drop=True)  # one by definition
    narrow = table[table["format"] == formats[-1]].set_index(["by", "load"])["relative_cost"]
    said = " and ".join(f"{saves(1 - narrow[CALIBRATED, load])} for {load}" for load in loads)
    claimed = data.claim("ec-quant-cost-reduction")["low"]
    return Finding(table, (
        f"Of the cost of a token {formats[-1].upper()} {said}; the documents say {claimed:.0%}"),
        "The documents name no baseline." + (
            " Above one a format makes tokens dearer: its weights are unpacked before each product." if (
                table["relative_cost"] > 1).any() else ""))

"""What a larger model and fewer bits do to the cost of a token, by the calibrated model and by the textbook."""

import pandas as pd

from tokenecon import data
from tokenecon.errors import NoEstimate
from tokenecon.finding import Finding, finding, named
from tokenecon.serving import operating_point, textbook
from tokenecon.serving.operating_point import CALIBRATED, TEXTBOOK
from tokenecon_book.chapters.economics import economics
from tokenecon_book.documents import base
from tokenecon_book.documents.words import percent, saves

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
    asked = pd.DataFrame([{"family": family} | _instance(case, model) for family, models in families.items()
                          for model in models])
    table = operating_point.by_both_models(asked.drop(columns="family"))
    table["family"] = list(asked["family"]) * 2
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
    ours, theirs = (table.loc[table["by"] == by, "excess"].max() for by in (CALIBRATED, TEXTBOOK))
    most = named("size-step", ours, "{:.1f}".format, **base.cased(case, "gpu", "weights", "kv", "isl", "osl", "batch"))
    low, high = (named("ec-size-step-cost", claim[end], "{:.0f}".format, end=end) for end in ("low", "high"))
    return Finding(table, (
        f"For each parameter a larger model costs at most {most} times as much as the next smaller; the documents say "
        f"{low} to {high} times"),
        f"By the textbook at most {theirs:.1f} times. Each step from the next smaller model of the family; each on the fewest "
        "GPUs that "
        "hold it and the batch, split by tensor parallelism. Models without grouped key-value heads (Llama 2 7B, GPT-3) pay for "
        "a larger KV cache, not for their size, and a model "
        "with fewer positions than prompt and answer have (GPT-3: 2048) reads a shorter prompt. " + operating_point.note(table),
        units={"excess": "ratio"}, claimed_low=claim["low"], claimed_high=claim["high"])


def _wide_enough(case, wide):
    """The fewest GPUs, no fewer than the case's, that hold the batch beside weights in a format, by both models."""
    n_gpus = case.n_gpus
    while True:
        asked = economics.inputs(case) | {"weights": wide, "n_gpus": n_gpus}
        own = operating_point.points(pd.DataFrame([asked])).iloc[0]
        if own["reason"] and operating_point.NO_ROOM not in own["reason"]:
            raise NoEstimate(own["reason"])
        room = textbook.max_concurrency(**{name: asked[name] for name in ("model", "gpu", "weights", "kv", "n_gpus")},
                                        positions=case.isl + case.osl)
        if own["fits"] and room >= case.batch:
            return n_gpus
        n_gpus *= 2


def _adds(saving):
    """What a format does to a cost, as a verb: "saves 54%", "saves nothing", "adds 3%"."""
    said = saves(saving)
    return f"adds {said.removeprefix('costs ').removesuffix(' more')}" if said.startswith("costs") else said


def _of_whole(saving):
    """The same, to stand before the cost: "saves 54% of", "adds 3% to"."""
    return _adds(saving) + (" to" if _adds(saving).startswith("adds") else " of")


@finding
def precisions(case, formats=FORMATS):
    """Cost of a token by weight format over the first format on one machine, for one request and for the case's batch.

    The machine is that of the case, or the smallest multiple of it that holds the first format.
    """
    n_gpus = _wide_enough(case, formats[0])
    loads = {"one request": 1} | ({f"{case.batch:,.0f} at a time": case.batch} if case.batch > 1 else {})
    asked = [(fmt, load) for load in loads for fmt in formats]
    table = operating_point.by_both_models(pd.DataFrame([
        economics.inputs(case) | {"weights": fmt, "concurrency": loads[load], "n_gpus": n_gpus} for fmt, load in asked]))
    table["format"], table["load"] = [fmt for fmt, _ in asked] * 2, [load for _, load in asked] * 2
    table["label"] = [f"{load}, {data.precision(fmt)['name'].split()[0]}" for fmt, load in asked] * 2
    table["relative_cost"] = table["usd_per_mtok"] / table.groupby(["by", "load"])["usd_per_mtok"].transform("first")
    table = table[table["format"] != formats[0]].reset_index(drop=True)  # one by definition
    narrow = table[(table["format"] == formats[-1]) & (table["by"] == CALIBRATED)].set_index("load")["relative_cost"]
    of = base.cased(case, "model", "gpu", "kv", "isl", "osl") | {"n_gpus": n_gpus, "weights": formats[-1]}
    said = [named("format-saving", 1 - narrow[load], show, batch=batch, **of)
            for (load, batch), show in zip(loads.items(), (_of_whole, _adds), strict=False)]
    whom = ["a lone request's whole cost", "in the full batch"]
    claimed = named("ec-quant-cost-reduction", data.claim("ec-quant-cost-reduction")["low"], percent)
    wide, name = (data.precision(one)["name"].split()[0] for one in (formats[0], formats[-1]))
    same = f"All on {n_gpus} {data.gpu(case.gpu)['name']}, " + (
        "the machine of the case." if n_gpus == case.n_gpus else
        f"which the first format needs; the case's own {case.n_gpus} do not hold it.")
    return Finding(table, (
        f"{name} instead of {wide} {' and '.join(f'{one} {load}' for one, load in zip(said, whom, strict=False))}; "
        f"the documents say {claimed} less"),
        f"{same} The documents name no baseline." + (
            " Above one a format makes tokens dearer: its weights are unpacked before each product." if (
                table["relative_cost"] > 1).any() else ""))

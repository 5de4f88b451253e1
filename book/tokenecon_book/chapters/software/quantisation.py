"""What fewer bits a weight gain: speed of a decode step over the batch, and published effects beside it."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import DoesNotFit
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import levers
from tokenecon.serving import operating_point, textbook
from tokenecon.serving.operating_point import CALIBRATED, TEXTBOOK
from tokenecon_book.chapters.software.lever_points_textbook import BASE_FORMAT
from tokenecon_book.chapters.software.lever_points_textbook import wide as wide_name
from tokenecon_book.documents import base
from tokenecon_book.documents.words import listed, span

NARROW = "int4"
FORMATS = ("fp8", "int8", "nvfp4", "int4")
# Published effects over the curves, with the batch that their conditions name.
POINTS = {
    "quantisation.trtllm.fp8-llama2-7b-batch1": (1, "FP8, 7B on H100"),
    "quantisation.trtllm.fp8-llama2-7b-batch8": (8, "FP8, 7B on H100"),
    "quantisation.awq.vila-8b-a100": (1, "4 bits, 8B on A100"),
    "quantisation.marlin.int4-kernel": (16, "4 bits, kernel alone"),
}
LOSSES = {"fp8": "FP8", "int8-sq": "INT8", "int4-awq": "INT4"}
H100 = {"gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1024, "osl": 128}
# Published effects whose conditions the catalogue covers, to work out under the same conditions.
COMPARED = {
    "quantisation.trtllm.fp8-llama2-7b-batch1": H100 | {"model": "llama-2-7b", "weights": "fp8", "concurrency": 1},
    "quantisation.trtllm.fp8-llama2-7b-batch8": H100 | {"model": "llama-2-7b", "weights": "fp8", "concurrency": 8},
    "quantisation.trtllm.fp8-gptj-6b-batch1": H100 | {"model": "gpt-j-6b", "weights": "fp8", "concurrency": 1},
    "quantisation.trtllm.fp8-gptj-6b-batch8": H100 | {"model": "gpt-j-6b", "weights": "fp8", "concurrency": 8},
    "quantisation.trtllm.int8-sq-llama2-7b-batch1": H100 | {"model": "llama-2-7b", "weights": "int8", "concurrency": 1},
    "quantisation.trtllm.int8-sq-llama2-7b-batch8": H100 | {"model": "llama-2-7b", "weights": "int8", "concurrency": 8},
}
COMPARED_COLUMNS = {
    "conditions": ("Conditions", None), "published": ("Published speed-up", "ratio"),
    "calibrated": ("Calibrated", "ratio"), "textbook": ("Textbook", "ratio"), "excess": ("Calibrated over published", "ratio"),
}  # fmt: skip


def step_speedup(*, model, gpu, n_gpus, weights, kv, positions, batch, efficiencies=None):
    """Decode step in 16 bits over the step in `weights`, as [poor, expected, good]. [ratio]"""
    where = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "kv": kv, "positions": positions, "batch": batch,
             "efficiencies": efficiencies or textbook.assumed()}
    wide, narrow = (textbook.decode_step(weights=fmt, **where)["step_s"] for fmt in (BASE_FORMAT, weights))
    return wide / narrow


def formats(gpu):
    """Formats to draw: for each width one that this GPU computes in, and those that only the weights are kept in."""
    kept = []
    for fmt in FORMATS:
        native = textbook.arithmetic_flop_per_s(gpu, fmt)[1] and data.precision(fmt)["flop_class"] != "bf16"
        weight_only = data.precision(fmt)["flop_class"] == "bf16"
        if native or weight_only:
            kept.append(fmt)
    if {"fp8", "int8"} <= set(kept):  # the same bytes and the same rate where a GPU has both
        kept.remove("int8")
    return kept


def label(fmt, gpu):
    """A format in words, with what the arithmetic is done in."""
    row = data.precision(fmt)
    text = "arithmetic too" if textbook.arithmetic_flop_per_s(gpu, fmt)[1] and row["flop_class"] != "bf16" else "weights only"
    return f"{row['name'].split()[0]}, {text}"


@finding
def batch_curve(case):
    """Speed-up of a decode step over the batch, by weight format and model, to the end of the memory with narrow weights."""
    where = {"model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "kv": case.kv}
    longest = case.isl + case.osl
    wide, narrow = (int(textbook.max_concurrency(weights=fmt, positions=longest, **where)) for fmt in (BASE_FORMAT, NARROW))
    if wide < 1:
        raise DoesNotFit(
            f"parameter 'n_gpus' is {case.n_gpus}, but {case.n_gpus} x {case.gpu} hold no sequence beside the 16-bit "
            f"weights of {case.model}, to which fewer bits are compared; raise it")
    batches = sorted({wide, *(round(float(batch)) for batch in np.geomspace(1, narrow, 30))})
    cases = [{"weights": fmt, "batch": batch} for fmt in formats(case.gpu) for batch in batches]
    own = calibrated_speedups(pd.DataFrame([
        where | {"weights": one["weights"], "concurrency": one["batch"], "isl": case.isl, "osl": case.osl} for one in cases]))
    rows = []
    for one, ratio in zip(cases, own, strict=True):
        theirs = float(step_speedup(**one, positions=case.isl + case.osl / 2, **where)[textbook.EXPECTED])
        words = label(one["weights"], case.gpu)
        short = words.split(",")[0]
        rows.append(one | {"format": short, "by": CALIBRATED, "speedup": ratio, "arithmetic": words})
        rows.append(one | {"format": f"{short}, textbook", "by": TEXTBOOK, "speedup": theirs, "arithmetic": words})
    table = pd.DataFrame(rows).sort_values("by", kind="stable", ignore_index=True)  # the calibrated curves first
    four, theirs = (table[(table["weights"] == NARROW) & (table["by"] == by)].set_index("batch")["speedup"]
                    for by in (CALIBRATED, TEXTBOOK))
    claim = data.claim("sw-quant-cost-factor")
    bits = {fmt: data.precision(fmt)["bits"] for fmt in ("fp32", "fp16", "int8", "int4")}
    baselines = listed([named("bits-saved", levers.precision_saving(
        bits_per_param=bits["int4"], baseline_bits_per_param=bits[base_format]), "{:.0%}".format, baseline=base_format)
        + f" against {base_format.upper()}" for base_format in ("fp32", "fp16", "int8")])
    of = base.cased(case, "model", "gpu", "n_gpus", "kv", "isl", "osl")
    alone, shared = (named("format-speedup", four[batch], "{:.1f}".format, weights=NARROW, batch=batch, **of)
                     for batch in (1, wide))
    least = named("sw-quant-cost-factor", claim["low"], "{:.0f}".format)
    return Finding(table, (
        f"Four-bit weights make decoding alone {alone} times as fast for one request, {shared} times in a large batch; the "
        f"documents promise {least} or more"), (
        f"Large: the {wide} requests that the memory holds beside weights in {wide_name()}. By the textbook {theirs[1]:.1f} and "
        f"{theirs[wide]:.1f} times. Step in 16 bits over step in fewer, cache in {data.precision(case.kv)['name']}. Diamonds: "
        "published speed-ups on other models; the kernel alone is one matrix product."),
        wide_ceiling=wide, baselines=baselines, points=literature())


def calibrated_speedups(cases):
    """Decode step in 16 bits over the step in the weights of each case, by the calibrated model. [ratio]"""
    cases = cases.assign(usd_per_gpu_hour=1.0, utilisation=1.0)
    wide, narrow = (operating_point.decode_steps(one)[0] for one in (cases.assign(weights=BASE_FORMAT), cases))
    return wide / narrow


def literature():
    """Published speed-ups with a named batch, as points of :func:`batch_curve`."""
    return pd.DataFrame([{"batch": batch, "label": words, "speedup": data.row("optimisations", name)["value"]}
                         for name, (batch, words) in POINTS.items()])


def request_seconds(*, model, gpu, n_gpus, weights, concurrency, isl, osl, efficiencies):
    """Time of a batch of so many requests from first prefill to last token, expected efficiencies. [s]"""
    prefill_s = textbook.prefill(model=model, gpu=gpu, n_gpus=n_gpus, weights=weights, isl=isl,
                                 efficiencies=efficiencies)
    step_s = textbook.decode_step(model=model, gpu=gpu, n_gpus=n_gpus, weights=weights, kv=BASE_FORMAT, batch=concurrency,
                                  positions=isl + osl / 2, efficiencies=efficiencies)["step_s"]
    return float((concurrency * prefill_s + osl * step_s)[textbook.EXPECTED])


@finding
def compared():
    """Published speed-ups beside what both models say under the same conditions."""
    rows = []
    for name, where in COMPARED.items():
        fact = data.row("optimisations", name)
        wide, narrow = (request_seconds(**(where | {"weights": fmt}), efficiencies=textbook.assumed())
                        for fmt in (BASE_FORMAT, where["weights"]))
        same = pd.DataFrame([where | {"weights": fmt, "kv": BASE_FORMAT, "load": "static", "usd_per_gpu_hour": 1.0,
                                      "utilisation": 1.0} for fmt in (BASE_FORMAT, where["weights"])])
        rate = operating_point.points(same)["output_tok_s"]
        rows.append({"id": name, "conditions": fact["conditions"], "published": fact["value"], "calibrated": rate[1] / rate[0],
                     "textbook": wide / narrow, "excess": rate[1] / rate[0] / fact["value"]})
    table = pd.DataFrame(rows)
    ends = [span(*(named("speedup-promised", ratio.agg(end), "{:.2f}".format, by=by, end=end) for end in ("min", "max")), str)
            for by, ratio in ((CALIBRATED, table["excess"]), (TEXTBOOK, table["textbook"] / table["published"]))]
    counted = named("speedups-compared", len(table), str)
    return Finding(table, (
        f"Under the conditions of {counted} published measurements the calibrated model promises {ends[0]} times the "
        f"speed-up that was measured, the textbook {ends[1]} times."),
        units=dict.fromkeys(("published", "calibrated", "textbook", "excess"), "ratio"))


@finding
def accuracy():
    """What fewer bits cost in answers, by the published measurements."""
    table = pd.DataFrame([
        {"weights": words, "lost": data.row("optimisations", f"quantisation.trtllm.mmlu-{name}-llama2-70b")["value"]}
        for name, words in LOSSES.items()])
    lost = listed([f"{row.weights} {row.lost:.1%}" for row in table.itertuples()])
    for name, share in zip(LOSSES, table["lost"], strict=True):
        named(f"quantisation.trtllm.mmlu-{name}-llama2-70b", share, "{:.1%}".format)
    kept = named("ec-quant-accuracy", data.claim("ec-quant-accuracy")["low"], lambda share: f"{1 - share:.1%}")
    return Finding(table, f"On the MMLU questions Llama 2 70B was measured to lose {lost}; the documents allow {kept}.",
                   units={"lost": "fraction"})

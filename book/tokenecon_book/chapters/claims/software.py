"""Recomputations of the claims on quantisation, mixtures of experts and routing, of the section on software."""

from tokenecon import data
from tokenecon.formulas import levers, memory, routing
from tokenecon_book.chapters.claims.checks import optimisation
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.documents.printed import (  # fmt: skip
    H100,
    LLAMA2_70B,
    PERFECT,
    bits,
    n,
    pct,
    serving_gpus,
    span_text,
    step_seconds,
)

PLAIN = {}
NO_PATH = {}


def quant_over_hardware(c):
    best = c.span("sw-quant-cost-factor")[1]
    hardware = {
        "A100 to H100": c.value("up-h100-a100-performance") / c.value("up-h100-a100-price"),
        "one H200": 1 / (1 - c.value("hw-h200-cost-reduction")),
        "MI300X": 1 / (1 - c.value("hw-mi300x-cost-reduction")),
        "Gaudi 3": 1 / (1 - c.value("hw-gaudi3-tco")),
    }
    promise = c.value("up-blackwell-speedup")
    return Recomputation(
        f"quantisation up to {n(best)} times; printed gains of hardware: " + ", ".join(
            f"{name} {n(gain)}" for name, gain in hardware.items()) + f", Blackwell {n(promise)} at an unprinted price",
        test=bool(best > max(*hardware.values(), promise)),
        readings=(Reading("leaving out Blackwell, whose price is not printed", test=bool(best > max(hardware.values()))),),
        needed=f"a Blackwell GPU-hour at {n(promise / best)} times the price of the hour it replaces, or more")


def gptq_bits(c):
    whole = memory.effective_bits(
        value_bits=c.value("sw-gptq-bits"), scale_bits=data.value("quantisation.scale_bits"),
        zero_bits=data.value("quantisation.zero_bits"), group_size=data.value("quantisation.group"))
    return Recomputation(f"{n(c.value('sw-gptq-bits'))} bits and the scales of groups of "
                         f"{n(data.value('quantisation.group'))}: {n(whole)} bits", low=whole, high=whole,
                         confirmed_by=f"{n(whole)} bits with the scales", sources=("frantar-2022",))


def gptq_traffic(c):
    width = c.value("sw-gptq-bits")
    half, full = (levers.precision_saving(bits_per_param=width, baseline_bits_per_param=bits(name))
                  for name in ("fp16", "fp32"))
    return Recomputation(f"against FP16, the baseline of the other figures: 1 - {n(width)}/{n(bits('fp16'))} = {pct(half)}",
                         low=half, high=half,
                         readings=(Reading("against FP32", low=full, high=full, arithmetic=pct(full)),),
                         needed=f"a baseline of {n(width / (1 - c.value('sw-gptq-bandwidth-reduction')))} bits")


def awq_mechanism(c):
    share = data.value("awq.high_precision_share")
    return Recomputation(f"share of weights that the method keeps at higher precision: {pct(share)}; it scales the "
                         "channels that matter", test=bool(share > 0),
                         needed="a method that mixes widths, which AWQ was made to avoid", sources=("lin-2023",))


def awq_bits(c):
    low, released, _ = data.span("awq.bits")
    return Recomputation(f"as released: {n(released)} bits, groups of {n(data.value('quantisation.group'))}", low=released,
                         high=released, readings=(Reading("the 3-bit variant of the paper, scales not counted", low=low,
                                                          high=low),),
                         needed=f"{n(released)} bits as released", sources=("lin-2023",))


def awq_loss(c):
    points = optimisation("quantisation.trtllm.mmlu-int4-awq-llama2-70b")
    return Recomputation(
        f"nothing gives the loss at {n(c.value('sw-awq-bits'))} bits; measured at 4 bits: {n(points['value'] * 100)} points "
        f"of MMLU ({points['conditions']})", sources=(points["source"],))


def quant_accuracy(c):
    lost = {name: optimisation(f"quantisation.trtllm.mmlu-{name}-llama2-70b")["value"] for name in (
        "fp8", "int8-sq", "int4-awq")}
    return Recomputation(
        f"no formula gives accuracy; the claim allows a loss of {pct(1 - c.value('ec-quant-accuracy'))}, measured on MMLU: "
        + ", ".join(f"{name} {pct(value)}" for name, value in lost.items()), sources=("trtllm-quantisation",))


def quant_factor(c):
    common = {"model_id": LLAMA2_70B, "parameters": c.value("ec-70b-params"), "gpu_id": H100,
              "gpus": serving_gpus(c), "positions": c.value("ec-context-2000")}
    batch = c.value("ec-batch32-size")
    served = (step_seconds(batch=batch, weight_bits=bits("fp16"), **common)
              / step_seconds(batch=batch, weight_bits=bits("int4"), **common))
    four, three = (levers.precision_traffic_ratio(bits_per_param=bits(name), baseline_bits_per_param=bits("fp16"))
                   for name in ("int4", "int3"))
    return Recomputation(
        f"FP16 to 4 bits in a batch of {n(batch)}: the step is {n(served)} times shorter, the cache is read as before",
        low=served, high=served,
        readings=(Reading("from FP16 to 4 or 3 bits, where reading weights is all that counts", low=four, high=three,
                          arithmetic=span_text(four, three)),),
        needed="one request at a time, or memory freed for larger batches")


def routed(c):
    small = c.value("ec-7b-params") / c.value("ec-70b-params")
    share = data.value("routing.small_share")
    blend = routing.routed_usd_per_mtok(shares=(share, 1 - share), usd_per_mtok=(small, PERFECT),
                                        router_usd_per_mtok=data.value("routing.router_cost"))
    return Recomputation(f"{pct(share)} of tokens at {n(small)} of the cost, the router {n(data.value('routing.router_cost'))}: "
                         f"{n(blend)} of serving all on the large model", test=bool(blend < 1),
                         sources=("chen-2023-frugalgpt",))


def sparse(c):
    models = data.models()
    models = models[models["kind"] == "moe"]
    saved = levers.sparse_compute_saving(active_parameters=models["active_parameters"],
                                         parameters=models["parameters"])
    low, high = saved.min(), saved.max()
    return Recomputation(
        "no model is named",
        readings=(Reading(f"any of the {len(saved)} mixtures in the table of models, from {saved.idxmin()} to "
                          f"{saved.idxmax()}", low=low, high=high, arithmetic=span_text(low, high, pct)),),
        needed=f"{pct(1 - c.value('sw-moe-compute-reduction'))} of the parameters active",
        sources=("jiang-2024", "deepseek-v3-2024"))


def routing_saving(c):
    ratio = c.value("ec-7b-params") / c.value("ec-70b-params")
    share = routing.routing_share_needed(saving=c.value("sw-routing-saving"), cost_ratio=ratio)
    low, _, high = data.span("routing.small_share")
    ends = [part * (1 - ratio) - data.value("routing.router_cost") for part in (low, high)]
    return Recomputation(
        "neither share nor cost of the small model is given",
        readings=(Reading(f"{pct(low)} to {pct(high)} of tokens on a model at {n(ratio)} of the cost, and nothing asked twice",
                          low=ends[0], high=ends[1], arithmetic=span_text(*ends, pct)),),
        needed=f"{pct(share)} of tokens on the small model", sources=("chen-2023-frugalgpt", "routellm-readme"))


RECOMPUTE = {
    "ec-quant-accuracy": quant_accuracy,
    "sw-quant-beats-hardware": quant_over_hardware,
    "sw-gptq-bits": gptq_bits,
    "sw-gptq-bandwidth-reduction": gptq_traffic,
    "sw-awq-mechanism": awq_mechanism,
    "sw-awq-bits": awq_bits,
    "sw-awq-degradation": awq_loss,
    "sw-quant-cost-factor": quant_factor,
    "sw-routing-mechanism": routed,
    "sw-moe-compute-reduction": sparse,
    "sw-routing-saving": routing_saving,
}

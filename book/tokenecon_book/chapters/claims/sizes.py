"""Recomputations of the claims on model size and on precision, of the section on the economics of tokens."""

from tokenecon import units
from tokenecon.formulas import levers, memory, parallelism
from tokenecon_book.chapters.claims.checks import model_fact
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.documents.printed import (
    A100,
    GPT3,
    H100,
    H200,
    LLAMA2_7B,
    LLAMA2_70B,
    MI300X,
    bits,
    gpus_needed,
    n,
    pct,
    span_text,
    split_efficiency,
)  # fmt: skip

PLAIN = {}
NO_PATH = {}


def of_model(c, claim_id, gpu_id, model_id):
    """GPUs for the FP16 weights of a stated size and the example's batch of contexts, in a model's shape."""
    return gpus_needed(c.value(claim_id), bits("fp16"), gpu_id, model_id, c.value("ec-batch32-size"),
                       c.value("ec-context-2000"))


def size_steps(c):
    sizes = [c.value(name) for name in ("ec-7b-params", "ec-70b-params", "ec-175b-params")]
    counts = [gpus_needed(size, bits("fp16"), H100, LLAMA2_70B) for size in sizes]
    return Recomputation(
        "H100 for the FP16 weights: " + ", ".join(f"{n(size)}: {n(count)}" for size, count in zip(
            sizes, counts, strict=True)),
        test=bool(counts[0] < counts[1] < counts[2]))


def small_fits(c):
    gpus = of_model(c, "ec-7b-params", H100, LLAMA2_7B)
    return Recomputation(f"FP16 weights {n(2 * c.value('ec-7b-params') / units.BYTES_PER_GB)} GB and the cache of "
                         f"{n(c.value('ec-batch32-size'))} requests: {n(gpus)} H100", low=gpus, high=gpus)


def middle_splits(c):
    counts = {gpu_id: of_model(c, "ec-70b-params", gpu_id, LLAMA2_70B) for gpu_id in (A100, H100, H200, MI300X)}
    worst = max(counts.values())
    return Recomputation(
        "GPUs for FP16 weights and the example's batch: " + ", ".join(f"{k} {n(v)}" for k, v in counts.items()),
        low=min(counts.values()), high=worst, test=bool(min(counts.values()) > 1),
        readings=(Reading("cards of 80 GB and FP16 weights", low=counts[H100], high=counts[A100]),),
        needed="cards of 80 GB, or a model above what an MI300X holds")


def large_needs_links(c):
    counts = {gpu_id: of_model(c, "ec-175b-params", gpu_id, GPT3) for gpu_id in (H100, H200, MI300X)}
    return Recomputation("GPUs for FP16 weights and the example's batch in the shape of GPT-3: "
                         + ", ".join(f"{k} {n(v)}" for k, v in counts.items()), test=bool(min(counts.values()) > 1))


def step_excess(c):
    batch, positions = c.value("ec-batch32-size"), c.value("ec-context-2000")
    kept = {}
    for name, claim_id, model_id in (("70B", "ec-70b-params", LLAMA2_70B), ("175B", "ec-175b-params", GPT3)):
        ranks = memory.parallel_size(gpus=of_model(c, claim_id, H100, model_id), smallest_group=1)
        kept[name] = ranks, split_efficiency(model_id=model_id, parameters=c.value(claim_id), gpu_id=H100,
                                             ranks=ranks, batch=batch, positions=positions)
    excess = sorted(parallelism.split_cost_ratio(efficiency=share) for _, share in kept.values())
    low, high = c.span("ec-size-step-cost")
    return Recomputation(
        "cost beyond the parameters is what splitting loses: " + "; ".join(
            f"{name} on {n(ranks)} H100 keeps {pct(share)}, x {n(1 / share)}" for name, (ranks, share) in kept.items()),
        low=excess[0], high=excess[-1],
        needed=f"an efficiency of {pct(1 / high)} to {pct(1 / low)} when split")


def largest_lever(c):
    quant = 1 / (1 - c.value("ec-quant-cost-reduction"))
    batch = 1 / (1 - c.value("ec-batch32-cost-reduction"))
    return Recomputation(
        f"quantisation 1/(1 - {n(c.value('ec-quant-cost-reduction'))}) = {n(quant)} times, batching "
        f"1/(1 - {n(c.value('ec-batch32-cost-reduction'))}) = {n(batch)} times", test=bool(quant > batch),
        needed=f"quantisation by more than {n(batch)} times")


def fp32_over_int8(c):
    ratio = levers.precision_traffic_ratio(bits_per_param=bits("int8"), baseline_bits_per_param=bits("fp32"))
    return Recomputation(f"{n(bits('fp32'))} bit / {n(bits('int8'))} bit = {n(ratio)}", low=ratio, high=ratio)


def quant_saving(c):
    def saved(new, old):
        return levers.precision_saving(bits_per_param=bits(new), baseline_bits_per_param=bits(old))

    readings = tuple(Reading(f"from {old.upper()} to {new.upper()}, where reading weights is all that counts",
                             low=saved(new, old), high=saved(new, old)) for new, old in (("int8", "fp32"), ("int4", "fp16")))
    default = saved("int8", "fp16")
    return Recomputation(
        f"FP16, the baseline of the other figures, to INT8: 1 - {n(bits('int8'))}/{n(bits('fp16'))} = {pct(default)}",
        low=default, high=default, readings=readings,
        needed=f"{n((1 - c.value('ec-quant-cost-reduction')) * bits('fp16'))} bits against FP16")


def quant_race(c):
    steps = [levers.precision_saving(bits_per_param=bits(new), baseline_bits_per_param=bits("fp16"))
             for new in ("int8", "int4")]
    return Recomputation(f"weight traffic, and cost where it binds, falls by {span_text(*steps, pct)} from FP16 to 8 and 4 bits",
                         test=bool(0 < steps[0] < steps[1]))


RECOMPUTE = {
    "ec-size-steps": size_steps,
    "ec-7b-params": lambda c: model_fact(c, "ec-7b-params", LLAMA2_7B),
    "ec-7b-single-gpu": small_fits,
    "ec-70b-params": lambda c: model_fact(c, "ec-70b-params", LLAMA2_70B),
    "ec-70b-multi-gpu": middle_splits,
    "ec-175b-params": lambda c: model_fact(c, "ec-175b-params", GPT3),
    "ec-175b-infrastructure": large_needs_links,
    "ec-size-step-cost": step_excess,
    "ec-precision-largest-lever": largest_lever,
    "ec-fp32-int8-bandwidth": fp32_over_int8,
    "ec-quant-cost-reduction": quant_saving,
    "ec-quant-race": quant_race,
}

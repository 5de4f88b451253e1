"""Recomputations of the claims of the section on the economics of tokens: batch, context, model size, precision."""

from math import log

from tokenecon import data, units
from tokenecon.formulas import compute, efficiency, levers, memory, parallelism, roofline, serving
from tokenecon_book.chapters.claims.checks import model_fact, optimisation
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.documents.printed import (
    A100,
    GPT3,
    H100,
    H200,
    LLAMA2_7B,
    LLAMA2_70B,
    MI300X,
    NOTHING,
    PERFECT,
    bits,
    decode_flop,
    gpus_needed,
    kv_per_position,
    n,
    pct,
    prefill_flop,
    serving_gpus,
    span_text,
    split_efficiency,
    step_seconds,
    weights,
)  # fmt: skip  # fmt: skip


def point(c, positions):
    """The 70B model on the H100 that serve the batch of the example."""
    return {"model_id": LLAMA2_70B, "parameters": c.value("ec-70b-params"), "gpu_id": H100,
            "n_gpus": serving_gpus(c), "positions": positions, "weight_bits": bits("fp16")}


def batch_steps(c):
    """Seconds of a decode step alone and in the batch of the example, nothing lost."""
    common = point(c, c.value("ec-context-2000"))
    return step_seconds(batch=1, **common), step_seconds(batch=c.value("ec-batch32-size"), **common)


def token_steps(c):
    parameters, positions = c.value("ec-70b-params"), c.value("ec-context-2000")
    model, gpu = data.model(LLAMA2_70B), data.gpu(H100)
    head = units.FLOP_PER_MULTIPLY_ADD * model["vocab"] * model["hidden_size"]
    products = decode_flop(LLAMA2_70B, parameters, 0) - head
    attention = decode_flop(LLAMA2_70B, parameters, positions) - decode_flop(LLAMA2_70B, parameters, 0)
    read = weights(parameters, bits("fp16")) / gpu["bandwidth_bytes_per_s"]
    parts = {"matrix products": products, "attention": attention, "choice among the vocabulary": head}
    shown = ", ".join(f"{name} {n(flop / gpu['bf16_flop_per_s'] / units.factor('us'))} us"
                      for name, flop in parts.items())
    return Recomputation(f"Llama 2 70B on an H100: weights {n(read * units.MS_PER_SECOND)} ms, {shown}",
                         test=read > 0 and min(parts.values()) > 0)


def full_precision_traffic(c):
    parameters = c.value("ec-llama2-70b-params")
    full, half = (weights(parameters, bits(name)) / units.BYTES_PER_GB for name in ("fp32", "fp16"))
    return Recomputation(
        f"{n(parameters)} x {bits('fp32'):.0f} bit = {n(full)} GB at what the documents call full precision", low=full,
        high=full, readings=(Reading("FP16 weights and one request at a time", low=half, high=half),),
        needed=f"{n(full)} GB, or FP16 ({n(half)} GB) in place of full precision")


def traffic_to_energy(c):
    _, together = batch_steps(c)
    gpu, parameters, n_gpus = data.gpu(H100), c.value("ec-70b-params"), serving_gpus(c)
    batch = c.value("ec-batch32-size")
    sums = batch * decode_flop(LLAMA2_70B, parameters, c.value("ec-context-2000"))
    compute = roofline.compute_seconds(flop=sums, n_gpus=n_gpus, flop_per_s_per_gpu=gpu["bf16_flop_per_s"], mfu=PERFECT)
    rate = gpu["bandwidth_bytes_per_s"] / weights(parameters, bits("fp16"))
    joules = efficiency.joules_per_tok_out(n_gpus=1, watts_per_gpu=gpu["board_power_w"], pue=PERFECT, tok_out_per_s=rate)
    return Recomputation(
        f"batch of {n(batch)}: moving data {n(together * units.MS_PER_SECOND)} ms, arithmetic "
        f"{n(compute * units.MS_PER_SECOND)} ms; alone on one H100: {n(gpu['board_power_w'])} W / {n(rate)} tok/s = "
        f"{n(joules)} J a token", low=joules, high=joules, test=bool(together > compute))


def batch_amortises(c):
    alone, together = batch_steps(c)
    share = together / c.value("ec-batch32-size") / alone
    return Recomputation(f"step {n(alone * units.MS_PER_SECOND)} ms alone, {n(together * units.MS_PER_SECOND)} ms for "
                         f"{n(c.value('ec-batch32-size'))}: a token takes {pct(share)} of the time", test=bool(share < 1))


def single_request_waste(c):
    idle = {}
    for gpu_id in (A100, H100):
        gpu = data.gpu(gpu_id)
        limit = roofline.critical_batch(
            bytes_per_param=memory.bytes_per_param(bits_per_param=bits("fp16")), mfu=PERFECT, mbu=PERFECT,
            flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD, flop_per_s_per_gpu=gpu["bf16_flop_per_s"],
            bytes_per_s_per_gpu=gpu["bandwidth_bytes_per_s"])
        idle[gpu_id] = limit, roofline.idle_compute(batch=1, critical_batch=limit)
    low, high = sorted(share for _, share in idle.values())
    batch = (1 - c.value("ec-single-request-waste")) * idle[H100][0]
    return Recomputation(
        "; ".join(f"{gpu_id}: 1 - 1/{n(limit)} = {pct(share)} idle" for gpu_id, (limit, share) in idle.items()),
        low=low, high=high, needed=f"{n(batch, 3)} requests at a time on an H100")


def batch_fits(c):
    n_gpus = c.value("hw-h100-two-gpus")
    room = memory.batch_ceiling(
        usable_bytes=memory.usable_bytes(memory_bytes_per_gpu=data.gpu(H100)["engine_memory_bytes"],
                                         usable_fraction=PERFECT, n_gpus=n_gpus),
        weight_bytes=weights(c.value("ec-70b-params"), bits("fp16")), activation_bytes=NOTHING, kv_waste=NOTHING,
        kv_bytes_per_sequence=c.value("ec-context-2000") * kv_per_position(LLAMA2_70B))
    return Recomputation(f"{n(n_gpus)} H100 hold at most {n(room)} sequences of {n(c.value('ec-context-2000'))} tokens "
                         "beside the FP16 weights of the 70B model",
                         test=bool(room >= c.value("ec-batch32-size")),
                         confirmed_by=f"can be held: two H100 have room for {n(room)}",
                         needed=f"at most {n(room)} sequences")


def batch_saving(c):
    batch, rise = c.value("ec-batch32-size"), c.value("ec-batch32-latency")
    saving = serving.batching_saving(batch=batch, batch_step_s=1 + rise, single_step_s=1)
    alone, together = batch_steps(c)
    physics = serving.batching_saving(batch=batch, batch_step_s=together, single_step_s=alone)
    step = (1 - c.value("ec-batch32-cost-reduction")) * batch
    return Recomputation(
        f"with the {pct(rise)} of the same sentence: 1 - {n(1 + rise)}/{n(batch)} = {pct(saving)}", low=saving,
        high=saving, readings=(Reading("reading weights and cache at full bandwidth", low=physics, high=physics),),
        needed=f"a step {n(step)} times as long as alone")


def batch_latency(c):
    def rise(positions):
        common = point(c, positions)
        return serving.batching_latency_rise(
            batch_step_s=step_seconds(batch=c.value("ec-batch32-size"), **common),
            single_step_s=step_seconds(batch=1, **common))

    example, window = c.value("ec-context-2000"), float(data.model(LLAMA2_70B)["max_positions"])
    # The rise is (B - 1) n k / (W + n k): solve for n.
    target, per = c.value("ec-batch32-latency"), kv_per_position(LLAMA2_70B)
    read = weights(c.value("ec-70b-params"), bits("fp16"))
    positions = target * read / (per * (c.value("ec-batch32-size") - 1 - target))
    return Recomputation(
        f"reading weights and cache, contexts of {n(example)} tokens: +{pct(rise(example))}", low=rise(example),
        high=rise(example),
        readings=(Reading(f"contexts between the example's {n(example)} tokens and the model's window of {n(window)}",
                          low=rise(example), high=rise(window),
                          arithmetic=f"+{pct(rise(example))} to +{pct(rise(window))}"),),
        needed=f"contexts of {n(positions)} tokens")


def batch_tradeoff(c):
    alone, together = batch_steps(c)
    batch = c.value("ec-batch32-size")
    return Recomputation(
        f"1 to {n(batch)} requests: latency x {n(together / alone)}, cost of a token x {n(together / alone / batch)}",
        test=bool(together > alone and together / batch < alone))


def prompt_ratio(c, model_id, parameters):
    short, long = c.value("ec-gpt4-context-short"), c.value("ec-gpt4-context-long")
    return prefill_flop(model_id, parameters, long) / prefill_flop(model_id, parameters, short)


def context_exponential(c):
    short, long = c.value("ec-gpt4-context-short"), c.value("ec-gpt4-context-long")
    ratio = prompt_ratio(c, LLAMA2_70B, c.value("ec-70b-params"))
    power = log(ratio) / log(long / short)
    doubling = 2.0 ** (long / short - 1)
    return Recomputation(
        f"70B: {n(long / short)} times the context takes {n(ratio)} times the arithmetic, a power of {n(power)}; a cost that "
        f"doubled every {n(short)} tokens would be {n(doubling)} times as high", test=bool(ratio >= doubling),
        needed="growth by a power between 1 (linear) and 2 (quadratic)")


def attention_quadratic(c):
    short, long = c.value("ec-gpt4-context-short"), c.value("ec-gpt4-context-long")
    power = log(prompt_ratio(c, LLAMA2_70B, NOTHING)) / log(long / short)  # no parameters: attention alone
    return Recomputation(f"attention of {n(long)} over {n(short)} tokens: {n(prompt_ratio(c, LLAMA2_70B, NOTHING))} times for "
                         f"{n(long / short)} times the length, a power of {n(power)}", low=power, high=power)


def context_cost(c):
    short, long = c.value("ec-gpt4-context-short"), c.value("ec-gpt4-context-long")
    length = long / short
    quadratic = length ** c.value("ec-attention-quadratic")
    mixed = {name: prompt_ratio(c, model, c.value(claim)) for name, model, claim in (
        ("a 70B model", LLAMA2_70B, "ec-70b-params"), ("a 7B model", LLAMA2_7B, "ec-7b-params"))}
    target = c.value("ec-context-cost-ratio")
    between = length < target < quadratic
    mix = compute.mixing_weight_for_ratio(length_ratio=length, cost_ratio=target) if between else NOTHING
    return Recomputation(
        f"quadratic, as the text says: {n(length)}^2 = {n(quadratic)}", low=quadratic, high=quadratic,
        readings=(Reading("linear growth", low=length, high=length),
                  *(Reading(f"the prompt arithmetic of {name}", low=value, high=value) for name, value in mixed.items())),
        needed=(f"attention that takes {pct(mix)} of the linear work at {n(short)} tokens; " if between else "")
               + f"linear gives {n(length)}, "
               + ", ".join(f"{name} {n(value)}" for name, value in mixed.items()))


def context_premium(c):
    long, short, wide = (data.value(f"api.{name}_input") for name in ("gpt4_turbo", "gpt4", "gpt4_32k"))
    return Recomputation(
        f"input of GPT-4 Turbo, {n(c.value('ec-gpt4-context-long'))} tokens: {n(long)}; of GPT-4, "
        f"{n(c.value('ec-gpt4-context-short'))} tokens: {n(short)} USD per million; only a window that the text does not name, "
        f"32k, cost more: {n(wide)}", test=bool(long > short),
        needed=f"a price above {n(short)} USD per million for the long window")


def million_context(c):
    positions, per = c.value("ec-million-context"), kv_per_position(LLAMA2_70B)
    cache = positions * per
    room = {name: data.gpu(gpu_id)["engine_memory_bytes"] for name, gpu_id in (
        ("H100", H100), ("H200", H200), ("MI300X", MI300X))}
    ratio = prefill_flop(LLAMA2_70B, c.value("ec-70b-params"), positions) / prefill_flop(
        LLAMA2_70B, c.value("ec-70b-params"), c.value("ec-gpt4-context-long"))
    return Recomputation(
        "uneconomic has no figure",
        readings=(Reading("uneconomic means that the cache of one request fills more than any GPU named",
                          test=bool(cache > max(room.values())),
                          arithmetic=f"{n(positions)} x {n(per)} B = {n(cache / units.BYTES_PER_GB)} GB; the prompt takes "
                                     f"{n(ratio)} times that of {n(c.value('ec-gpt4-context-long'))} tokens"),),
        needed=f"a cache of at most {n(max(room.values()) / positions)} B a token to fit one MI300X")


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
    n_gpus = of_model(c, "ec-7b-params", H100, LLAMA2_7B)
    return Recomputation(f"FP16 weights {n(2 * c.value('ec-7b-params') / units.BYTES_PER_GB)} GB and the cache of "
                         f"{n(c.value('ec-batch32-size'))} requests: {n(n_gpus)} H100", low=n_gpus, high=n_gpus)


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
        ranks = memory.parallel_size(n_gpus=of_model(c, claim_id, H100, model_id), smallest_group=1)
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


def quant_accuracy(c):
    lost = {name: optimisation(f"quantisation.trtllm.mmlu-{name}-llama2-70b")["value"] for name in (
        "fp8", "int8-sq", "int4-awq")}
    return Recomputation(
        f"no formula gives accuracy; the claim allows a loss of {pct(1 - c.value('ec-quant-accuracy'))}, measured on MMLU: "
        + ", ".join(f"{name} {pct(value)}" for name, value in lost.items()))


PLAIN = {
    "ec-context-2000": "the length that an example chooses",
    "ec-gpt4-context-long": "a window as its maker states it",
    "ec-gpt4-context-short": "a window as its maker states it",
}

NO_PATH = {}

RECOMPUTE = {
    "ec-quant-accuracy": quant_accuracy,
    "ec-token-steps": token_steps,
    "ec-llama2-70b-params": lambda c: model_fact(c, "ec-llama2-70b-params", LLAMA2_70B),
    "ec-llama2-70b-bytes-per-token": full_precision_traffic,
    "ec-traffic-to-energy": traffic_to_energy,
    "ec-batch-amortises": batch_amortises,
    "ec-single-request-waste": single_request_waste,
    "ec-batch32-size": batch_fits,
    "ec-batch32-cost-reduction": batch_saving,
    "ec-batch32-latency": batch_latency,
    "ec-batch-tradeoff": batch_tradeoff,
    "ec-context-exponential": context_exponential,
    "ec-attention-quadratic": attention_quadratic,
    "ec-context-cost-ratio": context_cost,
    "ec-context-premium": context_premium,
    "ec-million-context": million_context,
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

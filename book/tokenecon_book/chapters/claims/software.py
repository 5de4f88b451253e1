"""Recomputations of the claims of the section on software: quantisation, experts, routing, cache, speculation, batching."""

from tokenecon import data, units
from tokenecon.formulas import kv_cache, levers, memory, roofline, serving
from tokenecon_book.chapters.claims.checks import at_one_seller, optimisation
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.chapters.software import simulation_claims
from tokenecon_book.documents.printed import (  # fmt: skip
    GB200,
    H100,
    LLAMA2_7B,
    LLAMA2_70B,
    NOTHING,
    PERFECT,
    bits,
    kv_per_position,
    n,
    pct,
    serving_gpus,
    span_text,
    step_seconds,
    weights,
)  # fmt: skip

LONGER_70B = "llama-3.1-70b"  # where prompts are longer than Llama 2 has positions


def quant_over_hardware(c):
    best = c.span("sw-quant-cost-factor")[1]
    hardware = {
        "A100 to H100": c.value("up-h100-a100-performance") / c.value("up-h100-a100-price"),
        "one H200": 1 / (1 - c.value("hw-h200-cost-reduction")),
        "MI300X": 1 / (1 - c.value("hw-mi300x-cost-reduction")),
        "Gaudi 3": 1 / (1 - c.value("hw-gaudi3-tco")),
    }
    promise = c.value("up-blackwell-speedup")
    sellers, dearer = at_one_seller(GB200, H100, c.day())
    gains = promise / dearer[1], promise / dearer[0]
    return Recomputation(
        f"quantisation up to {n(best)} times; printed gains of hardware: " + ", ".join(
            f"{name} {n(gain)}" for name, gain in hardware.items())
        + f"; Blackwell {n(promise)} times as fast at {span_text(*dearer)} times the price ({sellers} sellers of both): "
          f"{span_text(*gains)}",
        test=bool(best > max(*hardware.values(), gains[0])),
        needed=f"a Blackwell GPU-hour at {n(promise / best)} times the price of the hour it replaces, or more")


def gptq_bits(c):
    whole = memory.effective_bits(
        value_bits=bits("int4"), scale_bits=data.value("quantisation.scale_bits"),
        zero_bits=data.value("quantisation.zero_bits"), group_size=data.value("quantisation.group"))
    return Recomputation(f"{n(bits('int4'))} bits and the scales of groups of "
                         f"{n(data.value('quantisation.group'))}: {n(whole)} bits", low=whole, high=whole,
                         confirmed_by=f"{n(whole)} bits with the scales")


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
                         needed="a method that mixes widths, which AWQ was made to avoid")


def awq_bits(c):
    low, released, _ = data.span("awq.bits")
    return Recomputation(f"as released: {n(released)} bits, groups of {n(data.value('quantisation.group'))}", low=released,
                         high=released, readings=(Reading("the 3-bit variant of the paper, scales not counted", low=low,
                                                          high=low),),
                         needed=f"{n(released)} bits as released")


def awq_loss(c):
    points = optimisation("quantisation.trtllm.mmlu-int4-awq-llama2-70b")
    return Recomputation(
        f"nothing gives the loss at {n(c.value('sw-awq-bits'))} bits; measured at 4 bits: {n(points['value'] * 100)} points "
        f"of MMLU ({points['conditions']})")


def quant_factor(c):
    common = {"model_id": LLAMA2_70B, "parameters": c.value("ec-70b-params"), "gpu_id": H100,
              "n_gpus": serving_gpus(c), "positions": c.value("ec-context-2000")}
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
    blend = levers.routed_usd_per_mtok(shares=(share, 1 - share), usd_per_mtok=(small, PERFECT),
                                       router_usd_per_mtok=data.value("routing.router_cost"))
    return Recomputation(f"{pct(share)} of tokens at {n(small)} of the cost, the router {n(data.value('routing.router_cost'))}: "
                         f"{n(blend)} of serving all on the large model", test=bool(blend < 1))


def sparse(c):
    models = data.rows("models", {"kind": "moe"}).set_index("id")
    saved = levers.sparse_compute_saving(active_parameters=models["active_parameters"],
                                         parameters=models["parameters"])
    low, high = saved.min(), saved.max()
    return Recomputation(
        "no model is named",
        readings=(Reading(f"any of the {len(saved)} mixtures in the table of models, from {saved.idxmin()} to "
                          f"{saved.idxmax()}", low=low, high=high, arithmetic=span_text(low, high, pct)),),
        needed=f"{pct(1 - c.value('sw-moe-compute-reduction'))} of the parameters active")


def routing_saving(c):
    ratio = c.value("ec-7b-params") / c.value("ec-70b-params")
    share = levers.routing_share_needed(saving=c.value("sw-routing-saving"), cost_ratio=ratio)
    low, _, high = data.span("routing.small_share")
    ends = [part * (1 - ratio) - data.value("routing.router_cost") for part in (low, high)]
    return Recomputation(
        "neither share nor cost of the small model is given",
        readings=(Reading(f"{pct(low)} to {pct(high)} of tokens on a model at {n(ratio)} of the cost, and nothing asked twice",
                          low=ends[0], high=ends[1], arithmetic=span_text(*ends, pct)),),
        needed=f"{pct(share)} of tokens on the small model")


def paged_waste(c):
    before, after = data.span("kv.waste_contiguous"), data.value("kv.waste_paged")
    less = [levers.saving(before=before[end], after=after) for end in (0, 2)]
    # what a token takes in memory of which a share is wasted: 1 / (1 - share)
    use = [levers.saving(before=1 / (1 - before[end]), after=1 / (1 - after)) for end in (0, 2)]
    most = data.value("kv.sharing_saved")
    return Recomputation(
        f"waste falls from {pct(before[0])} to {pct(before[2])} of the cache to {pct(after)} as published",
        readings=(Reading("waste, as the Thai says", low=less[0], high=less[1], arithmetic=f"{span_text(*less, pct)} less",
                          language="th"),
                  Reading("memory use, as the Ukrainian says", low=use[0], high=use[1], arithmetic=f"{span_text(*use, pct)} less",
                          language="uk"),
                  Reading("memory use, as the Ukrainian says, at the most where several answers to one prompt share it", low=most,
                          high=most, arithmetic=f"published: up to {pct(most)} less", language="uk")),
        needed=f"several answers to each prompt, or a waste that paging leaves at "
               f"{pct(before[0] * (1 - c.value('sw-paged-attention-waste')))} or more")


def mqa_factor(c):
    heads = {name: data.model(model)["query_heads"] for name, model in (("Llama 2 70B", LLAMA2_70B),
                                                                        ("Llama 2 7B", LLAMA2_7B))}
    factors = {name: kv_cache.kv_shrink_grouped(query_heads=count, kv_heads=1) for name, count in heads.items()}
    grouped = kv_cache.kv_shrink_grouped(query_heads=heads["Llama 2 70B"],
                                         kv_heads=data.model(LLAMA2_70B)["kv_heads"])
    return Recomputation(
        "one key and value head for all query heads: " + ", ".join(f"{name} {n(f)} times" for name, f in factors.items()),
        low=min(factors.values()), high=max(factors.values()),
        needed=f"a model of {n(c.value('sw-mqa-cache-factor'))} query heads; {n(grouped)} times is what grouped-query "
               "attention gives Llama 2 70B")


def kv_concurrency(c):
    shrink, cut = c.value("sw-mqa-cache-factor"), c.value("sw-paged-attention-waste")

    def gain(waste):
        return kv_cache.concurrency_gain(kv_shrink=shrink, waste_before=waste, waste_after=waste * (1 - cut))

    before = data.span("kv.waste_contiguous")
    low, high = gain(before[0]), gain(before[2])
    return Recomputation(
        f"{n(shrink)} times from the smaller cache, waste of {pct(before[0])} to {pct(before[2])} cut by {pct(cut)}: "
        f"{span_text(low, high)} times", low=low, high=high,
        readings=(Reading("more than 10 times, as the Thai can be read", low=low, high=high, comparator=">", language="th"),
                  Reading("what the limits of latency let in, beside memory")),
        needed="the cache of a user before and after, and the latency that users put up with")


def speculate(acceptance):
    drafts, cost = data.value("speculation.tokens"), data.value("speculation.draft_cost")
    return levers.speculative_speedup(
        tokens_per_pass=levers.speculative_tokens_per_pass(acceptance=acceptance, draft_tokens=int(drafts)),
        draft_tokens=drafts, draft_cost_ratio=cost)


def speculation_speed(c):
    low, middle, high = data.span("speculation.acceptance")
    speeds = [speculate(share) for share in (low, middle, high)]
    return Recomputation(
        "no acceptance rate is given",
        readings=(Reading(f"{n(data.value('speculation.tokens'))} drafts a pass, of which {pct(low)} to {pct(high)} are "
                          "accepted, and a batch below the critical one", low=speeds[0], high=speeds[2],
                          arithmetic=f"{span_text(speeds[0], speeds[2])} times, {n(speeds[1])} at {pct(middle)}"),),
        needed=f"an acceptance near {pct(middle)} ({n(speeds[1])} times)")


def speculation_hardware(c):
    drafts, batch = data.value("speculation.tokens"), c.value("ec-batch32-size")
    gpu = data.gpu(H100)
    limit = roofline.critical_batch(
        bytes_per_param=memory.bytes_per_param(bits_per_param=bits("fp16")), mfu=PERFECT, mbu=PERFECT,
        flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD, flop_per_s_per_gpu=gpu["bf16_flop_per_s"],
        bytes_per_s_per_gpu=gpu["bandwidth_bytes_per_s"])
    tokens = levers.speculative_tokens_per_pass(acceptance=data.value("speculation.acceptance"),
                                                draft_tokens=int(drafts))
    more = (drafts + 1 + drafts * data.value("speculation.draft_cost")) / tokens
    checked = batch * (drafts + 1)
    slow = optimisation("speculative.vllm.llama3-70b-sharegpt-loaded")["value"]
    return Recomputation(
        f"arithmetic of a token rises {n(more)} times; under full load a published run slows to {n(slow)} of its speed",
        test=bool(slow >= 1),
        readings=(Reading(f"a batch below {n(limit / (drafts + 1))}, so that checking {n(drafts + 1)} positions each stays "
                          "free", test=bool(checked < limit),
                          arithmetic=f"{n(batch)} x {n(drafts + 1)} = {n(checked)} positions against {n(limit)}"),),
        needed="idle arithmetic, and memory for the drafting model")


def medusa(c):
    row = optimisation("speculative.medusa-2")
    return Recomputation(
        "model and batch are not given",
        readings=(Reading("the models of the paper, one request at a time", low=row["low"], high=row["high"],
                          arithmetic=f"published: {span_text(row['low'], row['high'])} times"),),
        needed=f"between {n(row['low'])} and {n(row['high'])} by the paper")


def structured(c):
    low, _, high = data.span("speculation.acceptance")
    return Recomputation(f"speed-up {n(speculate(low))} at {pct(low)} accepted drafts, {n(speculate(high))} at {pct(high)}",
                         test=bool(speculate(high) > speculate(low)))


def continuous_occupancy(c):
    length = data.value("workload.osl")
    share = length / (length + 1)
    return Recomputation(
        "slots are meant, not arithmetic; a load is not given",
        readings=(Reading(f"a queue that is never empty, answers of {n(length)} tokens, one empty step after each",
                          low=share, high=share, arithmetic=f"{n(length)}/({n(length)} + 1) = {pct(share)}"),
                  *simulated(c, "continuous")),
        needed="a queue that is never empty")


def full_queues(c):
    """Both kinds of batching at the documents' batch, simulated with the lengths of three traces.

    The documents' model has 4096 positions, and prompts of one trace have 12,000 tokens: its successor, whose shape is the same
    but for the vocabulary, serves them.
    """
    return simulation_claims.full_queues(LONGER_70B, H100, int(serving_gpus(c)), int(c.value("ec-batch32-size")))


def simulated(c, share):
    """What the simulation gives from a queue that never empties, as a reading: the range is that of the traces."""
    rows = full_queues(c)
    values = [row[share] for row in rows]
    each = ", ".join(f"{row['trace']} {pct(row[share])}" for row in rows)
    return (Reading(f"a queue that is never empty, a batch of {n(c.value('ec-batch32-size'))} on {n(serving_gpus(c))} H100, "
                    "lengths of measured traces, simulated", low=min(values), high=max(values), arithmetic=each),)


def static_occupancy(c):
    batch = c.value("ec-batch32-size")
    full = serving.static_occupancy_exponential(batch=int(batch))
    small = {size: serving.static_occupancy_exponential(batch=size) for size in range(2, int(batch) + 1)}
    near = min(small, key=lambda size: abs(small[size] - c.value("sw-static-utilisation")))
    held = two_gpu_batch(c)
    low = serving.static_occupancy_exponential(batch=held)
    return Recomputation(
        f"everybody waits for the longest answer; exponential lengths, batch of {n(batch)}: {pct(full)}", low=full,
        high=full,
        readings=(Reading(f"a batch of {held}, what two H100 hold at {pct(data.value('memory.usable'))} of 80 GB",
                          low=low, high=low, arithmetic=f"1/H({held}) = {pct(low)}"), *simulated(c, "static")),
        needed=f"a batch of {near} with exponential lengths, or answers that differ less")


def two_gpu_batch(c):
    """Sequences that two H100 hold beside FP16 weights, of their printed memory."""
    room = memory.batch_ceiling(
        usable_bytes=memory.usable_bytes(
            memory_bytes_per_gpu=units.convert(c.value("hw-h100-memory"), "GB", "B"),
            usable_fraction=data.value("memory.usable"), n_gpus=c.value("hw-h100-two-gpus")),
        weight_bytes=weights(c.value("ec-70b-params"), bits("fp16")), activation_bytes=NOTHING, kv_waste=NOTHING,
        kv_bytes_per_sequence=c.value("ec-context-2000") * kv_per_position(LLAMA2_70B))
    return int(room)


def continuous_saving(c):
    static, full = c.value("sw-static-utilisation"), c.value("sw-cb-utilisation")
    saving = levers.saving(before=1 / static, after=1 / full)
    return Recomputation(f"1 - {n(static)}/{n(full)} = {pct(saving)}", low=saving, high=saving,
                         readings=simulated(c, "saving"),
                         needed=f"a static utilisation of {pct(full * (1 - c.value('sw-cb-cost-reduction')))}")


PLAIN = {}

NO_PATH = {}

RECOMPUTE = {
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
    "sw-paged-attention-waste": paged_waste,
    "sw-mqa-cache-factor": mqa_factor,
    "sw-kv-concurrency": kv_concurrency,
    "sw-spec-decoding-speedup": speculation_speed,
    "sw-spec-no-hardware": speculation_hardware,
    "sw-medusa-speedup": medusa,
    "sw-spec-structured": structured,
    "sw-cb-utilisation": continuous_occupancy,
    "sw-static-utilisation": static_occupancy,
    "sw-cb-cost-reduction": continuous_saving,
}

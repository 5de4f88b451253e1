"""Recomputations of the claims on cache, speculation and batching, of the section on software."""

from tokenecon import data, units
from tokenecon.formulas import balance, batching, kv_cache, levers, memory, paging, speculation
from tokenecon_book.chapters.claims.checks import optimisation
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.chapters.software import simulation_claims
from tokenecon_book.documents.printed import (
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
    weights,
)  # fmt: skip

PLAIN = {}
NO_PATH = {}


def paged_waste(c):
    before, after = data.span("kv.waste_contiguous"), data.value("kv.waste_paged")
    low, high = (levers.saving(before=before[end], after=after) for end in (0, 2))
    return Recomputation(
        f"measured waste falls from {pct(before[0])} to {pct(before[2])} of the cache to {pct(after)}: "
        f"{span_text(low, high, pct)} less", low=low, high=high,
        needed=f"a waste that falls to {pct(before[0] * (1 - c.value('sw-paged-attention-waste')))} or more",
        sources=("kwon-2023",))


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
               "attention gives Llama 2 70B", sources=("shazeer-2019", "ainslie-2023"))


def kv_concurrency(c):
    shrink, cut = c.value("sw-mqa-cache-factor"), c.value("sw-paged-attention-waste")

    def gain(waste):
        return paging.concurrency_gain(kv_shrink=shrink, waste_before=waste, waste_after=waste * (1 - cut))

    before = data.span("kv.waste_contiguous")
    low, high = gain(before[0]), gain(before[2])
    target = c.value("sw-kv-concurrency")
    # f = k (1 - (1 - cut) w) / (1 - w), solved for w
    waste = (target - shrink) / (target - shrink * (1 - cut))
    return Recomputation(
        f"{n(shrink)} times from the smaller cache, waste of {pct(before[0])} to {pct(before[2])} cut by {pct(cut)}: "
        f"{span_text(low, high)} times", low=low, high=high,
        readings=(Reading("more than 10 times, as the Thai can be read", low=low, high=high, comparator=">"),),
        needed=f"a cache of which {pct(waste)} was wasted before", sources=("kwon-2023",))


def speculate(acceptance):
    drafts, cost = data.value("speculation.tokens"), data.value("speculation.draft_cost")
    return speculation.speculative_speedup(
        tokens_per_pass=speculation.speculative_tokens_per_pass(acceptance=acceptance, draft_tokens=int(drafts)),
        draft_tokens=drafts, draft_cost_ratio=cost)


def speculation_speed(c):
    low, middle, high = data.span("speculation.acceptance")
    speeds = [speculate(share) for share in (low, middle, high)]
    return Recomputation(
        "no acceptance rate is given",
        readings=(Reading(f"{n(data.value('speculation.tokens'))} drafts a pass, of which {pct(low)} to {pct(high)} are "
                          "accepted, and a batch below the critical one", low=speeds[0], high=speeds[2],
                          arithmetic=f"{span_text(speeds[0], speeds[2])} times, {n(speeds[1])} at {pct(middle)}"),),
        needed=f"an acceptance near {pct(middle)} ({n(speeds[1])} times)", sources=("leviathan-2023",))


def speculation_hardware(c):
    drafts, batch = data.value("speculation.tokens"), c.value("ec-batch32-size")
    gpu = data.gpu(H100)
    limit = balance.critical_batch(
        bytes_per_param=memory.bytes_per_param(bits_per_param=bits("fp16")), mfu=PERFECT, mbu=PERFECT,
        flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD, flop_per_s_per_gpu=gpu["bf16_flop_per_s"],
        bytes_per_s_per_gpu=gpu["bandwidth_bytes_per_s"])
    tokens = speculation.speculative_tokens_per_pass(acceptance=data.value("speculation.acceptance"),
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
        needed="idle arithmetic, and memory for the drafting model", sources=("leviathan-2023", "vllm-spec-blog"))


def medusa(c):
    row = optimisation("speculative.medusa-2")
    return Recomputation(
        "model and batch are not given",
        readings=(Reading("the models of the paper, one request at a time", low=row["low"], high=row["high"],
                          arithmetic=f"published: {span_text(row['low'], row['high'])} times"),),
        needed=f"between {n(row['low'])} and {n(row['high'])} by the paper", sources=(row["source"],))


def structured(c):
    low, _, high = data.span("speculation.acceptance")
    return Recomputation(f"speed-up {n(speculate(low))} at {pct(low)} accepted drafts, {n(speculate(high))} at {pct(high)}",
                         test=bool(speculate(high) > speculate(low)), sources=("leviathan-2023",))


def continuous_occupancy(c):
    length = data.value("workload.osl")
    share = length / (length + 1)
    return Recomputation(
        "slots are meant, not arithmetic; a load is not given",
        readings=(Reading(f"a queue that is never empty, answers of {n(length)} tokens, one empty step after each",
                          low=share, high=share, arithmetic=f"{n(length)}/({n(length)} + 1) = {pct(share)}"),
                  *simulated(c, "continuous")),
        needed="a queue that is never empty", sources=("yu-2022", *trace_sources(c)))


def full_queues(c):
    """Both kinds of batching at the documents' batch and model, simulated with the lengths of three traces."""
    return simulation_claims.full_queues(LLAMA2_70B, H100, int(serving_gpus(c)), int(c.value("ec-batch32-size")))


def trace_sources(c):
    return tuple(dict.fromkeys(source for row in full_queues(c) for source in row["sources"]))


def simulated(c, share):
    """What the simulation gives from a queue that never empties, as a reading: the range is that of the traces."""
    rows = full_queues(c)
    values = [row[share] for row in rows]
    each = ", ".join(f"{row['trace']} {pct(row[share])}" for row in rows)
    return (Reading(f"a queue that is never empty, a batch of {n(c.value('ec-batch32-size'))} on {n(serving_gpus(c))} H100, "
                    "lengths of measured traces, simulated", low=min(values), high=max(values), arithmetic=each),)


def static_occupancy(c):
    batch = c.value("ec-batch32-size")
    full = batching.static_occupancy_exponential(batch=int(batch))
    small = {size: batching.static_occupancy_exponential(batch=size) for size in range(2, int(batch) + 1)}
    near = min(small, key=lambda size: abs(small[size] - c.value("sw-static-utilisation")))
    held = two_gpu_batch(c)
    low = batching.static_occupancy_exponential(batch=held)
    return Recomputation(
        f"everybody waits for the longest answer; exponential lengths, batch of {n(batch)}: {pct(full)}", low=full,
        high=full,
        readings=(Reading(f"a batch of {held}, what two H100 hold at {pct(data.value('memory.usable'))} of 80 GB",
                          low=low, high=low, arithmetic=f"1/H({held}) = {pct(low)}"), *simulated(c, "static")),
        needed=f"a batch of {near} with exponential lengths, or answers that differ less",
        sources=("yu-2022", *trace_sources(c)))


def two_gpu_batch(c):
    """Sequences that two H100 hold beside FP16 weights, of their printed memory."""
    room = memory.batch_ceiling(
        usable_bytes=memory.usable_bytes(
            memory_bytes_per_gpu=units.convert(c.value("hw-h100-memory"), "GB", "B"),
            usable_fraction=data.value("memory.usable"), gpus=c.value("hw-h100-two-gpus")),
        weight_bytes=weights(c.value("ec-70b-params"), bits("fp16")), activation_bytes=NOTHING, kv_waste=NOTHING,
        kv_bytes_per_sequence=c.value("ec-context-2000") * kv_per_position(LLAMA2_70B))
    return int(room)


def continuous_saving(c):
    static, full = c.value("sw-static-utilisation"), c.value("sw-cb-utilisation")
    saving = levers.saving(before=1 / static, after=1 / full)
    return Recomputation(f"1 - {n(static)}/{n(full)} = {pct(saving)}", low=saving, high=saving,
                         readings=simulated(c, "saving"), sources=trace_sources(c),
                         needed=f"a static utilisation of {pct(full * (1 - c.value('sw-cb-cost-reduction')))}")


RECOMPUTE = {
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

"""The serving model: numbers of cases and coefficients in, pass times and steady state out.

`formulas.passes` holds the arithmetic; this module only feeds it.  A case is a dict of floats, or of arrays, or of both:
what is a float holds for all rows, and what no row asks for is not computed.
"""

from tokenecon.formulas import compute, memory, parallelism, passes
from tokenecon.numerics import ceil, floor, maximum, minimum, pick, some, where
from tokenecon.serving import coefficients as known
from tokenecon.serving.operands import ENDLESS, UNLIMITED
from tokenecon.units import BYTES_PER_GB, FLOP_PER_MULTIPLY_ADD

CLOSED_LOOP, OFFLINE, STATIC, POISSON = 0, 1, 2, 3
LOADS = ("closed_loop", "offline", "static", "poisson")
PAGED = [name in ("vllm", "sglang") for name in known.ENGINES] + [False]
HIDDEN, PARTLY = 0, 1
EXCHANGES = ("hidden", "partly", "added")  # how the exchange of experts over several servers relates to the computation
RESOURCES = ("weights", "kv cache", "arithmetic", "links", "fixed work")
LINKS = 3  # place among them


def prepared(case, values):
    """Rates and times of each case with the coefficients applied: computed once for all its passes."""
    family, engine = case["family"], case["engine"]

    def of_family(name):
        return pick(known.by_family(values, name), family)

    def of_engine(name, ratio=False):
        return pick(known.by_engine(values, name, ratio), engine)

    reading, arithmetic, overhead = of_family("bandwidth"), of_family("compute"), of_family("overhead")
    pcie = case["pcie"] > 0
    rates = {"watts_per_gpu": case["watts"], "efficiency": values["compute"] * arithmetic,
             "flop_per_s_per_watt": known.KNEE_FLOP_PER_S_PER_WATT, "throttle": values["throttle"]}
    bandwidth = case["bandwidth_bytes_per_s"] * values["bandwidth"] * reading

    def matrices(part):
        rate = passes.attained_flop_per_s(flop_per_s_per_gpu=case[part + "_flop_per_s"], **rates)
        return rate * values["unpacking"] ** case[part + "_unpacked"] * values["integer_compute"] ** case["integer"]

    attention, dense, expert = matrices("attention"), matrices("dense"), matrices("expert")
    expert = expert * values["expert_compute"] * values["expert_unpacking"] ** case["expert_unpacked"]
    full = passes.attained_flop_per_s(flop_per_s_per_gpu=case["full_flop_per_s"], **rates)
    narrow = case["attention_flop_per_s"] > case["full_flop_per_s"]
    latency = overhead * where(pcie, values["pcie_latency"], values["link_latency"])
    link = case["link_bytes_per_s"] * of_family("link") * where(pcie, values["pcie_bandwidth"], values["link_bandwidth"])
    racked = case["racked"] > 0
    sent = {"hidden_size": case["hidden"], "bytes_there": known.DISPATCH_BYTES, "bytes_back": known.COMBINE_BYTES}
    tp, group, f = case["tp"], case["group"], FLOP_PER_MULTIPLY_ADD
    dense_ranks = where(case["routed"] > 0, tp, group)
    one_expert = case["expert_params"] / case["experts"]
    shards = minimum(tp, case["kv_heads"])
    return {
        # of the matrices: seconds to read them, and to multiply one row
        "attention_read_s": case["attention_params"] * case["attention_bytes"] / bandwidth / tp,
        "attention_row_s": f * case["attention_params"] / attention / tp,
        "dense_read_s": case["dense_params"] * case["dense_bytes"] / bandwidth / dense_ranks,
        "dense_row_s": f * case["dense_params"] / dense / dense_ranks,
        # every stage but the last waits for the head
        "head_read_s": case["head_params"] * case["pp"] * case["head_bytes"] / bandwidth / tp,
        "head_row_s": f * case["head_params"] * case["pp"] / full / tp,
        "expert_read_s": one_expert * case["expert_bytes"] / bandwidth / group,
        "expert_row_s": f * one_expert / expert / group,
        "imbalance": where(case["dp"] > 1, values["attention_dp"] * case["ep"] ** values["attention_dp_ranks"], 1.0),
        "padding": values["padding"], "independence": values["independence"],
        # of attention: seconds to read a byte of the cache on its ranks, and the attained arithmetic of one
        "cache_byte_s": 1 / (case["bandwidth_bytes_per_s"] * values["cache_bandwidth"] * reading) / shards,
        "decode_attention": case["full_flop_per_s"] * values["decode_attention"] * arithmetic,
        "prompt_attention": case["full_flop_per_s"] * values["prompt_attention"] * arithmetic,
        "token_s": passes.activation_bytes(
            tokens=1.0, layers=case["layers"], hidden_size=case["hidden"], bytes_per_value=values["activation_bytes"],
            routed_layers=case["routed_layers"], routed_copies=case["experts_per_token"] * case["dp"] / case["ep"],
            bytes_per_routed_value=values["routed_bytes"]) / bandwidth,
        "hidden_bytes": case["hidden"] * known.ACTIVATION_BYTES,
        "latency_s": latency, "large_latency_s": overhead * where(pcie, 0.0, values["link_latency_large"]),
        "exchange_s": latency * values["exchange_latency"],
        # beyond one server: seconds of all layers for a token of a prompt, for one that is decoded, and at least
        "sent_prompt_s": case["routed_layers"] * parallelism.all_to_all_seconds(
            tokens=1.0, copies=case["prompt_copies"], bytes_per_s=where(racked, link, known.PROMPT_NETWORK_BYTES_PER_S), **sent),
        "sent_decode_s": case["routed_layers"] * parallelism.all_to_all_seconds(
            tokens=1.0, copies=case["decode_copies"], bytes_per_s=where(racked, link, known.DECODE_NETWORK_BYTES_PER_S), **sent),
        "sent_least_s": case["routed_layers"] * 2.0 * overhead * where(racked, values["link_latency"], values["pcie_latency"]),
        "link": link,
        "layer_s": overhead * (values["layer"] + values["narrow_layer"] * narrow + values["latent_layer"] * case["latent"]
                               + values["state_layer"] * case["state_share"]),
        "routed_layer_s": overhead * of_engine("routed_layer", ratio=True) * values["fused_experts"] ** case["four_bit"] * (
            values["routed_layer"] + values["choice"] * case["experts_per_token"] + values["shared_layer"] * case["shared"]),
        "step_s": overhead * values["step"],
        "sequence_s": of_engine("sequence", ratio=True) * (
            values["sequence"] + values["routed_row"] * case["routed_layers"] * case["experts_per_token"]),
        "passes": of_engine("passes"), "burst": of_engine("burst"),
    }  # fmt: skip


def pass_seconds(case, rate, *, decoding=0.0, verified=1.0, context=0.0, prompt_tokens=0.0, prompts=0.0,
                 mean_context=0.0, resources=False):
    """Time of one pass over all layers of a replica: `decoding` sequences and so many prompt tokens.

    With ``resources`` also the part of it that each of :data:`RESOURCES` takes.
    """
    def computed(cut):
        return _computed(case, rate, decoding / cut, verified, context, prompt_tokens / cut, prompts / cut, mean_context,
                         resources)

    parts = computed(1.0)
    total = sum(parts)
    if some(case["spread"] > 0):  # each rank sends its tokens to their experts on other servers
        ranks = minimum(case["dp"], maximum(decoding + prompts, 1.0))
        sent = (prompt_tokens * rate["sent_prompt_s"] + decoding * verified * rate["sent_decode_s"]) / ranks
        sent = where(case["spread"] > 0, sent + rate["sent_least_s"], 0.0)
        after = total + where(case["exchange"] == PARTLY, sent / 2, sent)
        # while one half of the batch computes, the other exchanges; where reading the weights twice costs more, they do not
        halves = computed(2.0)
        behind = parallelism.two_batch_seconds(half_s=sum(halves), exchange_s=sent)
        cut = (case["spread"] > 0) & (case["exchange"] == HIDDEN) & (behind < after)
        total = where(cut, behind, after)
        parts = [where(cut, 2 * half, whole) for half, whole in zip(halves, parts)]  # noqa: B905
        parts[LINKS] = parts[LINKS] + total - sum(parts)
    return (total, dict(zip(RESOURCES, parts))) if resources else total  # noqa: B905  (MicroPython's zip takes no strict)


def _computed(case, rate, decoding, verified, context, prompt_tokens, prompts, mean_context, resources):
    """Seconds that each of :data:`RESOURCES` takes of one pass, but for an exchange between servers.

    Without ``resources`` only their sum counts: what matrices take stands with the weights.
    """
    rows = decoding * verified
    tokens, sampled = rows + prompt_tokens, rows + prompts
    apart = some(case["dp"] > 1)
    # attention ranks that have a sequence
    busy = minimum(case["dp"], maximum(decoding + prompts, 1.0)) if apart else 1.0

    def on_a_rank(amount):
        return amount / busy if apart else amount

    per_rank = on_a_rank(tokens)
    dense_rows = where(case["routed"] > 0, per_rank, tokens) if apart else tokens
    matrices = [(rate["attention_read_s"], rate["attention_row_s"] * per_rank),
                (rate["dense_read_s"], rate["dense_row_s"] * dense_rows),
                (rate["head_read_s"], rate["head_row_s"] * on_a_rank(sampled))]
    if some(case["routed"] > 0):
        touched = compute.experts_touched(
            experts=case["experts"], experts_per_token=case["experts_per_token"],
            batch=passes.independent_tokens(tokens=tokens, independence=rate["independence"]))
        expert_rows = passes.expert_rows(tokens=tokens, experts_per_token=case["experts_per_token"], experts_touched=touched,
                                         padding=rate["padding"])
        matrices.append((rate["expert_read_s"] * touched, rate["expert_row_s"] * expert_rows * rate["imbalance"]))
    times = [passes.memory_and_arithmetic_seconds(reading_s=reads, computing_s=computes) for reads, computes in matrices]
    attend = _decode_attention(case, rate, on_a_rank(decoding), verified, context) if some(decoding > 0) else 0.0
    prompt = _prompt_attention(case, rate, mean_context) * on_a_rank(prompt_tokens) if some(prompt_tokens > 0) else 0.0
    moved = per_rank * rate["token_s"]
    links = _links(case, rate, tokens, per_rank)
    fixed = passes.fixed_seconds(
        layers=case["layers"], layer_s=rate["layer_s"], routed_layers=case["routed_layers"],
        routed_layer_s=rate["routed_layer_s"], stages=case["pp"], step_s=rate["step_s"],
        sequences=on_a_rank(decoding), sequence_s=rate["sequence_s"])
    if not resources:
        return sum(times) + moved, attend, prompt, links, fixed
    read, computed = moved, prompt
    for (reads, computes), time in zip(matrices, times):  # noqa: B905  (MicroPython's zip takes no strict)
        slow = where(computes > reads, time, 0.0)
        computed = computed + slow
        read = read + (time - slow)
    return read, attend, computed, links, fixed


def _decode_attention(case, rate, sequences, verified, context):
    """Reading of the cache and scores of sequences on one rank, each with so much context."""
    near, seen = minimum(context, case["window"]), minimum(context, case["reach"])
    values = case["full_values"] * seen + case["window_values"] * near + case["every_values"] * context
    scores = case["full_decode_flop"] * seen + case["window_flop"] * near + case["every_flop"] * context
    return sequences * passes.memory_and_arithmetic_seconds(
        reading_s=(values * case["cache_bytes"] + case["state_traffic"]) * rate["cache_byte_s"],
        computing_s=scores * (verified / (rate["decode_attention"] * case["tp"])))


def _prompt_attention(case, rate, mean_context):
    """Scores of one prompt token that attends to so many positions."""
    scores = (case["full_prefill_flop"] * minimum(mean_context, case["reach"])
              + case["window_flop"] * minimum(mean_context, case["window"])
              + case["every_flop"] * mean_context + case["state_flop"])
    return scores / (rate["prompt_attention"] * case["tp"])


def _links(case, rate, tokens, per_rank):
    """All-reduces of a pass, and with attention apart its exchanges between experts."""
    links = 0.0
    if some(case["tp"] > 1):
        links = 2 * case["layers"] * passes.all_reduce_seconds(
            message_bytes=per_rank * rate["hidden_bytes"], ranks=case["tp"], latency_s=rate["latency_s"],
            large_latency_s=rate["large_latency_s"], large_bytes=known.LARGE_MESSAGE_BYTES, link_bytes_per_s=rate["link"])
    if some(case["dp"] > 1):
        links = links + case["routed_layers"] * where((case["dp"] > 1) & (case["spread"] == 0), passes.exchange_seconds(
            message_bytes=tokens * rate["hidden_bytes"], ranks=case["group"], latency_s=rate["exchange_s"],
            link_bytes_per_s=rate["link"]), 0.0)
    return links


def room(case):
    """Bytes on one GPU: of the weights, in reserve, for the cache; and of the cache by position and by sequence."""
    weights, reserve = _weight_bytes(case), _reserve_bytes(case)
    engine, release = case["engine"], case["release"]
    usual = pick(known.MEMORY_SHARE, engine) + pick(known.PROFILED, engine) * pick(known.SHARE_MORE, release)
    weights_before, reserve_before = pick(known.WEIGHTS_BEFORE, engine), pick(known.RESERVE_BEFORE, engine)
    # an engine takes its share of what is free, or does not start where it would take more: what is stated is known to start
    host = case["host_bytes"]
    usual = where(reserve_before > 0, usual, minimum(usual, 1.0 - host / case["memory_bytes"]))
    share = where(case["memory_share"] == case["memory_share"], case["memory_share"], usual)
    pool = memory.cache_pool_bytes(
        memory_bytes=case["memory_bytes"], share=share,
        taken_before_bytes=weights * weights_before + (reserve + host) * reserve_before,
        taken_after_bytes=weights * (1.0 - weights_before) + reserve * (1.0 - reserve_before))
    # TensorRT-LLM reserves the whole length; the others take pages as a sequence grows, and a closed loop, like arrivals at
    # random, holds sequences of every age.
    paged = ((case["load"] == CLOSED_LOOP) | (case["load"] == POISSON)) & pick(PAGED, engine)
    shards = minimum(case["tp"], case["kv_heads"])
    on_a_gpu = case["cache_bytes"] / shards / case["pp"]
    block = known.BLOCK
    if some(case["state_layers"] > 0):  # pages of attention are made as large as the state of a layer
        states = case["state_bytes"] / case["tp"] / maximum(case["state_layers"], 1.0)
        each = case["full_values"] * case["cache_bytes"] / shards / maximum(case["full_layers"], 1.0)
        block = where((case["state_layers"] > 0) & (each > 0), maximum(ceil(states / maximum(each, 1.0)), block), block)
    return {"weight_bytes": weights, "reserve_bytes": reserve, "pool_bytes": pool,
            "position_bytes": (case["full_values"] + case["every_values"]) * on_a_gpu,
            "window_bytes": case["window_values"] * on_a_gpu,
            "window_held": where(pick(known.WHOLE_WINDOWS, release) > 0, UNLIMITED, case["window"] + known.BLOCK),
            "sequence_bytes": case["state_bytes"] / case["tp"] / case["pp"], "block": block,
            "held_share": where(paged, known.PAGED_SHARE, 1.0)}


def _weight_bytes(case):
    """Weights on one GPU."""
    tp = case["tp"]
    return ((case["attention_params"] * case["attention_bytes"] + case["outer_bytes"]) / tp
            + case["dense_params"] * case["dense_bytes"] / where(case["routed"] > 0, tp, case["group"])
            + case["expert_params"] * case["expert_room_bytes"] / case["group"]) / case["pp"]


def _reserve_bytes(case):
    """What an engine keeps free on one GPU beside weights and cache: its context and, by a profile run, activations."""
    if not some(case["reserve_gb"] != case["reserve_gb"]):
        return case["reserve_gb"] * BYTES_PER_GB
    engine, release, tokens = case["engine"], case["release"], case["profile_tokens"]
    hidden = {"hidden_size": case["hidden"], "bytes_per_value": known.ACTIVATION_BYTES}
    of_a_layer = memory.forward_bytes(tokens=tokens, ffn_size=case["ffn_size"] / case["tp"], **hidden)
    of_logits = memory.sampler_bytes(
        tokens=tokens, sequences=case["profile_sequences"], vocab=case["vocab"], copies=pick(known.LOGIT_COPIES, release),
        bytes_per_logit=known.LOGIT_BYTES, **hidden)
    # the experts' buffers stay; layers and logits follow one another in the same memory
    of_experts = case["routed"] * case["workspace"] * memory.expert_workspace_bytes(
        tokens=tokens, experts_per_token=case["experts_per_token"], expert_size=case["expert_size"] / case["group"], **hidden)
    profiled = maximum(of_a_layer, of_logits) + of_experts + pick(known.GRAPH_BYTES, release)
    context = where(case["group"] > 1, known.CONTEXT_BYTES_LINKED, known.CONTEXT_BYTES)
    built_in = pick(known.BUILT_IN_BYTES, engine)
    usual = where(built_in > 0, built_in, context + pick(known.PROFILED, engine) * profiled)
    return where(case["reserve_gb"] == case["reserve_gb"], case["reserve_gb"] * BYTES_PER_GB, usual)


def capacity(case, bytes_of=None):
    """Sequences of full length that fit in the memory of a replica; negative room gives 0."""
    bytes_of = room(case) if bytes_of is None else bytes_of
    length = case["isl"] + case["osl"] * bytes_of["held_share"]
    if some(bytes_of["block"] > known.BLOCK):
        length = where(bytes_of["block"] > known.BLOCK, ceil(length / bytes_of["block"]) * bytes_of["block"], length)
    pool, position = bytes_of["pool_bytes"], bytes_of["position_bytes"]
    if not some(bytes_of["window_bytes"] > 0):
        return case["dp"] * pool / (position * length + bytes_of["sequence_bytes"])
    return case["dp"] * memory.sequences_in_pool(
        pool_bytes=pool, positions=length, full_bytes_per_position=position, window_bytes_per_position=bytes_of["window_bytes"],
        window=bytes_of["window_held"], chunk=case["profile_tokens"], state_bytes=bytes_of["sequence_bytes"])


def steady(case, values, resources=False):
    """Steady state of one replica for each case: a dict of its times and rates.

    ``case["draft"]`` may hold the columns of a draft model, ``case["prefill"]`` those of replicas that only prefill,
    ``case["split"]`` how many of these serve one that decodes (0 where none do).  With ``resources`` also the time of a
    cohort that each of :data:`RESOURCES` takes, the share of decoding that reads keys and values (``cache_share``), and that of
    prefill that attends to a cached prefix (``prefix_share``).
    """
    draft = prepared(case["draft"], values) if "draft" in case else None
    prefill = prepared(case["prefill"], values) if "prefill" in case else None
    return settled(case, prepared(case, values), room(case), draft, resources, prefill)


def settled(case, rate, bytes_of, draft_rate=None, resources=False, prefill_rate=None):
    """:func:`steady` where rates and bytes are at hand."""
    isl, osl, load, pp = case["isl"], case["osl"], case["load"], case["pp"]
    static = load == STATIC
    fit = capacity(case, bytes_of)
    if prefill_rate:  # its replicas hold the weights, too
        fit = where((case["split"] > 0) & (room(case["prefill"])["pool_bytes"] <= 0), 0.0, fit)
    batch = _batch(case, fit, static)
    new = isl * (1.0 - case["cached"])  # prompt tokens that the prefix cache does not hold
    reading, reading_rate = (case["prefill"], prefill_rate) if prefill_rate else (case, rate)
    budget = known.BATCH_BUDGET * reading["dp"]
    if some(static):  # a static batch reads a long prompt in one pass; a scheduler cuts it into chunks
        budget = where(static, maximum(budget, new), budget)
    mean_context = isl * (1.0 + case["cached"]) / 2
    context, per_pass = isl + osl / 2, case["tokens_per_pass"]

    def prefill(prompts, parts=False, attended=mean_context):
        chunk = passes.prefill_tokens_per_pass(prompts=prompts, positions=new, budget=budget)
        count = prompts * new / chunk
        found = pass_seconds(reading, reading_rate, prompt_tokens=chunk / pp, prompts=chunk / pp / new,
                             mean_context=attended, resources=parts)
        if not parts:
            return count * found
        return count * found[0], {name: count * part for name, part in found[1].items()}

    def decode(sequences, parts=False):
        found = pass_seconds(case, rate, decoding=sequences / pp, verified=1.0 + case["draft_tokens"],
                             context=context, resources=parts)
        time, shares = found if parts else (found, None)
        if draft_rate is not None:
            time = time + case["draft_tokens"] * draft_seconds(case, draft_rate, sequences / pp, context, time)
        return (time, shares) if parts else time

    all_s, step_s = prefill(batch, resources), decode(batch, resources)
    if resources:
        (all_s, of_prefill), (step_s, of_decode) = all_s, step_s
    one_s = prefill(1.0)
    decode_passes = maximum(osl - 1.0, 0.0) / per_pass
    whole = passes.cohort_seconds(prefill_s=all_s, step_s=step_s, decode_passes=decode_passes)
    decode_s = osl / per_pass * step_s
    found = {"prefill_one_s": one_s, "prefill_all_s": all_s, "step_s": step_s, "decode_s": decode_s, "batch": batch}
    ttft, tpot, cycle = _closed_loop(case, rate, found, static)
    total = where(load == CLOSED_LOOP, cycle, whole)
    finite = (load == OFFLINE) & (case["requests"] < ENDLESS)
    if some(finite):
        queue = where(finite, case["requests"], 1.0)
        rest = maximum(queue - floor(queue / batch) * batch, 1.0)
        rest_s = passes.cohort_seconds(prefill_s=prefill(rest), step_s=decode(rest), decode_passes=decode_passes)
        queue_s = passes.queue_seconds(requests=queue, batch=batch, full_s=whole, rest_s=rest_s)
        total = where(finite, queue_s / queue * batch, total)
    found.update({
        "fit": fit, "whole_s": whole, "requests_per_s": batch / where(case["split"] > 0, cycle, total),
        "ttft_s": where(static, all_s, ttft + case["transfer_s"]), "tpot_s": tpot, "prefill_share": all_s / (all_s + decode_s),
    })  # fmt: skip
    if resources:
        for name in RESOURCES:
            found[name] = of_prefill[name] + decode_passes * of_decode[name]
        found["cache_share"], found["prefix_share"] = of_decode["kv cache"] / step_s, 0.0
        if some(case["cached"] > 0):  # the same new tokens with nothing before them to attend to
            bare_s = prefill(batch, attended=new / 2)
            found["prefix_share"] = where(case["cached"] > 0, maximum(1.0 - bare_s / all_s, 0.0), 0.0)
    return found


def _batch(case, fit, static):
    """Sequences that run: what is asked for, as far as memory and scheduler allow; a static batch is what it is."""
    most = maximum(floor(minimum(fit, known.BATCH_CAP * case["dp"])), 1.0)
    wanted = case["concurrency"]
    if some(case["requests"] < ENDLESS):
        wanted = minimum(wanted, where(case["load"] == OFFLINE, case["requests"], ENDLESS))
    batch = minimum(wanted, most)
    if some(static):
        batch = where(static & (wanted < ENDLESS), wanted, batch)
    return maximum(batch, 1.0)


def _closed_loop(case, rate, found, static):
    """Time to first token, time per token and the cycle of clients that send again when they are answered."""
    osl, per_pass, step_s, batch = case["osl"], case["tokens_per_pass"], found["step_s"], found["batch"]
    all_s, one_s, decode_s = found["prefill_all_s"], found["prefill_one_s"], found["decode_s"]
    pool_s, shared_s, cycle = all_s, step_s, all_s + decode_s
    split = case["split"] > 0
    if some(split):
        pool_s = where(split, all_s / where(split, case["split"], 1.0), all_s)
        shared_s = where(split, 0.0, step_s)  # what a prefill waits for between its passes
        cycle = where(split, maximum(decode_s + one_s, pool_s), cycle)
    clients = where(case["concurrency"] < ENDLESS, case["concurrency"], batch)
    waves = maximum(clients / batch, 1.0)
    ttft = passes.closed_loop_ttft(
        prefill_one_s=one_s, prefill_all_s=pool_s, step_s=shared_s, tokens=osl, concurrency=batch,
        passes_before=rate["passes"], burst=rate["burst"], cycle_s=cycle)
    token_s = step_s / per_pass
    tpot = passes.closed_loop_tpot(cycle_s=cycle, ttft_s=ttft, step_s=token_s, tokens=osl)
    tpot = where((osl < 2) | static | split, token_s, tpot)
    cycle = maximum(cycle, ttft + maximum(osl - 1.0, 0.0) * tpot)
    return ttft + (waves - 1.0) * cycle, tpot, cycle


def draft_seconds(case, draft_rate, sequences, context, step_s):
    """Time of one draft pass: of the draft model, or of one more layer of the model where it has none."""
    layer_s = step_s / case["layers"]
    if not some(case["has_draft_model"]):
        return layer_s
    return where(case["has_draft_model"], pass_seconds(case["draft"], draft_rate, decoding=sequences, context=context), layer_s)

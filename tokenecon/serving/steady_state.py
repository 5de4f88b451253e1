"""The serving model on arrays: columns of cases and coefficients in, pass times and steady state out.

`formulas.passes` holds the arithmetic; this module only feeds it.
"""

import numpy as np

from tokenecon.formulas import compute, passes
from tokenecon.serving import coefficients as known
from tokenecon.units import FLOP_PER_MULTIPLY_ADD

CLOSED_LOOP, OFFLINE, STATIC = 0, 1, 2
LOADS = ("closed_loop", "offline", "static")
PAGED = tuple(known.ENGINES.index(name) for name in ("vllm", "sglang"))
RESOURCES = ("weights", "kv cache", "arithmetic", "links", "fixed work")


def prepared(case, values):
    """Rates and times of each case with the coefficients applied: computed once for all its passes."""
    family, eng = case["family"], case["engine"]
    pick = lambda name: np.asarray(known.by_family(values, name))[family]  # noqa: E731
    memory, arithmetic, overhead = pick("bandwidth"), pick("compute"), pick("overhead")
    pcie = case["pcie"] > 0
    rates = {"watts_per_gpu": case["watts"], "efficiency": values["compute"] * arithmetic,
             "flop_per_s_per_watt": known.KNEE_FLOP_PER_S_PER_WATT, "throttle": values["throttle"]}
    routing = np.asarray(known.by_engine(values, "routed_layer", ratio=True))[eng]
    ranks = case["dp"] > 1
    return {
        "bandwidth": case["bandwidth_bytes_per_s"] * values["bandwidth"] * memory,
        "cache_bandwidth": case["bandwidth_bytes_per_s"] * values["cache_bandwidth"] * memory,
        "linear": passes.attained_flop_per_s(flop_per_s_per_gpu=case["linear_flop_per_s"], **rates)
        * values["unpacking"] ** case["linear_unpacked"],
        "expert": passes.attained_flop_per_s(flop_per_s_per_gpu=case["expert_flop_per_s"], **rates)
        * values["expert_compute"] * values["unpacking"] ** case["expert_unpacked"],
        "full": passes.attained_flop_per_s(flop_per_s_per_gpu=case["full_flop_per_s"], **rates),
        "prompt_attention": case["full_flop_per_s"] * values["prompt_attention"] * arithmetic,
        "decode_attention": case["full_flop_per_s"] * values["decode_attention"] * arithmetic,
        "imbalance": np.where(ranks, values["attention_dp"] * case["ep"] ** values["attention_dp_ranks"], 1.0),
        "layer_s": overhead * (values["layer"]
                               + values["narrow_layer"] * (case["linear_flop_per_s"] > case["full_flop_per_s"])),
        "routed_layer_s": overhead * values["routed_layer"] * routing,
        "step_s": overhead * values["step"],
        "sequence_s": (values["sequence"] + values["routed_sequence"] * case["routed"])
        * np.asarray(known.by_engine(values, "sequence", ratio=True))[eng],
        "latency_s": overhead * np.where(pcie, values["pcie_latency"], values["link_latency"]),
        "large_latency_s": overhead * np.where(pcie, 0.0, values["link_latency_large"]),
        "exchange_s": overhead * np.where(pcie, values["pcie_latency"], values["link_latency"])
        * values["exchange_latency"],
        "link": case["link_bytes_per_s"] * np.where(pcie, values["pcie_bandwidth"], values["link_bandwidth"]),
        "shards": np.minimum(case["tp"], case["kv_heads"]),
        "dense_ranks": np.where(case["routed"] > 0, case["tp"], case["group"]),
        "activation_bytes": values["activation_bytes"], "routed_bytes": values["routed_bytes"],
        "padding": values["padding"], "independence": values["independence"],
    }  # fmt: skip


def pass_seconds(case, rate, *, decoding=0.0, verified=1.0, context=0.0, prompt_tokens=0.0, prompts=0.0,
                 mean_context=0.0, resources=False):
    """Time of one pass over all layers of a replica: `decoding` sequences and so many prompt tokens.

    With ``resources`` also the part of it that each of :data:`RESOURCES` takes.
    """
    tokens = decoding * verified + prompt_tokens
    busy = np.minimum(case["dp"], np.maximum(decoding + prompts, 1.0))  # attention ranks that have a sequence
    per_rank = tokens / busy
    f = FLOP_PER_MULTIPLY_ADD
    both = passes.memory_and_arithmetic_seconds

    def matrix(parameters, width, rows, ranks, attained):
        return {"bytes_read": parameters * width, "flop": f * parameters * rows, "n_gpus": ranks,
                "bytes_per_s_per_gpu": rate["bandwidth"], "flop_per_s_per_gpu": attained}

    parts = [
        matrix(case["attention_params"], case["linear_bytes"], per_rank, case["tp"], rate["linear"]),
        matrix(case["dense_params"], case["linear_bytes"],
               np.where(case["routed"] > 0, per_rank, tokens), rate["dense_ranks"], rate["linear"]),
        # every stage but the last waits for the head
        matrix(case["head_params"] * case["pp"], 2.0, (decoding * verified + prompts) / busy, case["tp"],
               rate["full"]),
    ]  # fmt: skip
    touched = compute.experts_touched(
        experts=case["experts"], experts_per_token=case["experts_per_token"],
        batch=passes.independent_tokens(tokens=tokens, independence=rate["independence"]))
    rows = passes.expert_rows(tokens=tokens, experts_per_token=case["experts_per_token"], experts_touched=touched,
                              padding=rate["padding"])
    share = case["expert_params"] / case["experts"]
    parts.append({"bytes_read": share * touched * case["expert_bytes"], "flop": f * share * rows * rate["imbalance"],
                  "n_gpus": case["group"], "bytes_per_s_per_gpu": rate["bandwidth"],
                  "flop_per_s_per_gpu": rate["expert"]})
    near, seen = np.minimum(context, case["window"]), np.minimum(context, case["reach"])
    values = case["full_values"] * seen + case["window_values"] * near + case["index_values"] * context
    cache = decoding * (values * case["cache_bytes"] + case["state_traffic"])
    scores = case["full_decode_flop"] * seen + case["window_flop"] * near + case["index_flop"] * context
    shards = rate["shards"] * busy
    attention = {"bytes_read": cache, "flop": decoding * verified * scores * rate["shards"] / case["tp"],
                 "n_gpus": shards, "bytes_per_s_per_gpu": rate["cache_bandwidth"],
                 "flop_per_s_per_gpu": rate["decode_attention"]}
    reading = (case["full_prefill_flop"] * np.minimum(mean_context, case["reach"])
               + case["window_flop"] * np.minimum(mean_context, case["window"])
               + case["index_flop"] * mean_context + case["linear_flop"])
    prompt = prompt_tokens / busy * reading / case["tp"] / rate["prompt_attention"]
    moved = passes.activation_bytes(
        tokens=per_rank, layers=case["layers"], hidden_size=case["hidden"], bytes_per_value=rate["activation_bytes"],
        routed_layers=case["routed_layers"], routed_copies=case["experts_per_token"] * case["dp"] / case["ep"],
        bytes_per_routed_value=rate["routed_bytes"]) / rate["bandwidth"]
    hidden = case["hidden"] * known.ACTIVATION_BYTES
    links = 2 * case["layers"] * passes.all_reduce_seconds(
        message_bytes=per_rank * hidden, ranks=case["tp"], latency_s=rate["latency_s"],
        large_latency_s=rate["large_latency_s"], large_bytes=known.LARGE_MESSAGE_BYTES, link_bytes_per_s=rate["link"])
    links = links + case["routed_layers"] * np.where(case["dp"] > 1, passes.exchange_seconds(
        message_bytes=tokens * hidden, ranks=case["group"], latency_s=rate["exchange_s"],
        link_bytes_per_s=rate["link"]), 0.0)
    fixed = passes.fixed_seconds(
        layers=case["layers"], layer_s=rate["layer_s"], routed_layers=case["routed_layers"],
        routed_layer_s=rate["routed_layer_s"], stages=case["pp"], step_s=rate["step_s"],
        sequences=decoding / busy, sequence_s=rate["sequence_s"])
    times = [both(**part) for part in parts]
    attend = both(**attention)
    total = times[0] + times[1] + times[2] + times[3] + attend + prompt + moved + links + fixed
    if not resources:
        return total
    read, computed = moved, prompt
    for part, time in zip(parts, times, strict=True):
        slow = part["flop"] / part["flop_per_s_per_gpu"] > part["bytes_read"] / part["bytes_per_s_per_gpu"]
        read, computed = read + np.where(slow, 0.0, time), computed + np.where(slow, time, 0.0)
    return total, dict(zip(RESOURCES, (read, attend, computed, links, fixed), strict=True))


def capacity(case):
    """Sequences of full length that fit in the memory of a replica; negative room gives 0."""
    weights = ((case["attention_params"] * case["linear_bytes"] + case["outer_params"] * 2.0) / case["tp"]
               + case["dense_params"] * case["linear_bytes"] / np.where(case["routed"] > 0, case["tp"], case["group"])
               + case["expert_params"] * case["expert_bytes"] / case["group"]) / case["pp"]
    # TensorRT-LLM reserves the whole length; the others take pages as a sequence grows, and a closed loop holds
    # sequences of every age.
    paged = (case["load"] == CLOSED_LOOP) & np.isin(case["engine"], PAGED)
    length = case["isl"] + case["osl"] * np.where(paged, known.PAGED_SHARE, 1.0)
    # engines reserve windowed layers at full length
    values = (case["full_values"] + case["window_values"] + case["index_values"]) * length
    shards = np.minimum(case["tp"], case["kv_heads"])
    sequence = (values * case["cache_bytes"] / shards + case["state_bytes"] / case["tp"]) / case["pp"]
    return case["dp"] * passes.sequences_in_memory(
        memory_bytes=case["memory_bytes"], weight_bytes=weights, reserve_bytes=known.RESERVE_BYTES,
        cache_share=known.CACHE_SHARE, bytes_per_sequence=sequence)


def steady(case, values, resources=False):
    """Steady state of one replica for each case: a dict of arrays.

    ``case["draft"]`` may hold the columns of a draft model, ``case["split"]`` the prefill replicas for each decode
    replica where prefill has GPUs of its own (0 elsewhere).  With ``resources`` also the time of a cohort that
    each of :data:`RESOURCES` takes, and its part in prefill.
    """
    rate = prepared(case, values)
    isl, osl, pp, load = case["isl"], case["osl"], case["pp"], case["load"]
    fit = capacity(case)
    most = np.maximum(np.floor(np.minimum(fit, known.BATCH_CAP * case["dp"])), 1.0)
    wanted = np.minimum(case["concurrency"], np.where(load == OFFLINE, case["requests"], np.inf))
    fixed_batch = load == STATIC
    batch = np.maximum(np.where(fixed_batch & np.isfinite(wanted), wanted, np.minimum(wanted, most)), 1.0)
    new = isl * (1.0 - case["cached"])  # prompt tokens that the prefix cache does not hold
    # A static batch reads a long prompt in one pass; a scheduler cuts it into chunks.
    budget = known.BATCH_BUDGET * case["dp"]
    budget = np.where(fixed_batch, np.maximum(budget, new), budget)
    mean_context = isl * (1.0 + case["cached"]) / 2
    context, per_pass = isl + osl / 2, case["tokens_per_pass"]

    def prefill(prompts, parts=False):
        chunk = passes.prefill_tokens_per_pass(prompts=prompts, positions=new, budget=budget)
        count = prompts * new / chunk
        found = pass_seconds(case, rate, prompt_tokens=chunk / pp, prompts=chunk / pp / new,
                             mean_context=mean_context, resources=parts)
        if not parts:
            return count * found
        return count * found[0], {name: count * part for name, part in found[1].items()}

    def decode(sequences, parts=False):
        found = pass_seconds(case, rate, decoding=sequences / pp, verified=1.0 + case["draft_tokens"],
                             context=context, resources=parts)
        time, shares = found if parts else (found, None)
        if "draft" in case:
            time = time + case["draft_tokens"] * draft_seconds(case, values, sequences / pp, context, time)
        return (time, shares) if parts else time

    all_s, step_s = prefill(batch, resources), decode(batch, resources)
    if resources:
        (all_s, reading), (step_s, writing) = all_s, step_s
    one_s = prefill(np.minimum(batch, 1.0))
    decode_passes = np.maximum(osl - 1.0, 0.0) / per_pass
    whole = passes.cohort_seconds(prefill_s=all_s, step_s=step_s, decode_passes=decode_passes)
    decode_s = osl / per_pass * step_s
    split = case["split"] > 0
    pool_s = np.where(split, all_s / np.where(split, case["split"], 1.0), all_s)
    cycle = np.where(split, np.maximum(decode_s + one_s, pool_s), all_s + decode_s)
    clients = np.where(np.isfinite(case["concurrency"]), case["concurrency"], batch)
    waves = np.maximum(clients / batch, 1.0)
    shared_s = np.where(split, 0.0, step_s)  # what a prefill waits for between its passes
    ttft = passes.closed_loop_ttft(
        prefill_one_s=one_s, prefill_all_s=pool_s, step_s=shared_s, tokens=osl, concurrency=batch,
        passes_before=np.asarray(known.by_engine(values, "passes"))[case["engine"]],
        burst=np.asarray(known.by_engine(values, "burst"))[case["engine"]], cycle_s=cycle)
    token_s = step_s / per_pass
    tpot = passes.closed_loop_tpot(cycle_s=cycle, ttft_s=ttft, step_s=token_s, tokens=osl)
    tpot = np.where((osl < 2) | fixed_batch | split, token_s, tpot)
    cycle = np.maximum(cycle, ttft + decode_passes * per_pass * tpot)
    ttft = ttft + (waves - 1.0) * cycle
    total = np.where(load == CLOSED_LOOP, cycle, whole)
    finite = (load == OFFLINE) & np.isfinite(case["requests"])
    if finite.any():
        queue = np.where(finite, case["requests"], 1.0)
        rest = np.maximum(queue - np.floor(queue / batch) * batch, 1.0)
        rest_s = passes.cohort_seconds(prefill_s=prefill(rest), step_s=decode(rest), decode_passes=decode_passes)
        queue_s = passes.queue_seconds(requests=queue, batch=batch, full_s=whole, rest_s=rest_s)
        total = np.where(finite, queue_s / queue * batch, total)
    out = {
        "fit": fit, "batch": batch, "prefill_all_s": all_s, "prefill_one_s": one_s, "step_s": step_s, "whole_s": whole,
        "requests_per_s": batch / np.where(split, cycle, total),
        "ttft_s": np.where(fixed_batch, all_s, ttft + case["transfer_s"]), "tpot_s": tpot,
        "prefill_share": all_s / (all_s + decode_s),
    }  # fmt: skip
    if resources:
        for name in RESOURCES:
            out[name] = reading[name] + decode_passes * writing[name]
    return out


def draft_seconds(case, values, sequences, context, step_s):
    """Time of one draft pass: of the draft model, or of one more layer of the model where it has none."""
    draft = case["draft"]
    own = pass_seconds(draft, prepared(draft, values), decoding=sequences, context=context)
    return np.where(case["has_draft_model"], own, step_s / case["layers"])

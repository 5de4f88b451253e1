"""The best replica of a model on an accelerator: what it serves within the limits, and what it is short of.

One case on floats, from records of ``data/`` as plain dicts (``facts``, which the site exports): the arithmetic of
``tokenecon estimate`` and of :mod:`tokenecon.serving.sizing`, whose answers a test compares.
"""

from tokenecon import model_shape
from tokenecon.calculator import memory
from tokenecon.serving import coefficients, intervals, operands, results, steady_state

RATES = ("output_tok_s", "ttft_ms", "tpot_ms")
ENDS = ("", "_low", "_high")
# a closed loop on any engine of today, as it is released
PLACES = {"load": steady_state.CLOSED_LOOP, "engine": len(coefficients.ENGINES), "release": 0, "exchange": 0, "tuning": 0,
          "era": 0}
NAN = float("nan")
UNSTATED = {"tp": NAN, "pp": 1.0, "ep": NAN, "draft_tokens": 0.0, "acceptance": 0.0, "prefill_gpus": 0.0, "prefill_tp": NAN,
            "memory_share": NAN, "reserve_gb": NAN}  # fmt: skip


def hardware(facts, case, gpu):
    """All numbers of the model in its formats on a GPU, and what of them nobody measured, as the sum of :data:`intervals.NEW`."""
    model, chip, weights = facts["models"][case.model], facts["gpus"][gpu], operands.SAME_SPEED.get(case.weights, case.weights)
    shape = model_shape.record(model["record"])
    precisions = facts["precisions"]
    forms, own = operands.formats(shape, model["weights"], weights, lambda form: precisions[form])
    found = operands.of_model(shape)
    found.update(operands.of_gpu(chip["record"]))
    found.update(operands.of_weights(shape, forms, precisions, chip["record"], own))
    found["cache_bytes"] = operands.CACHES[case.kv]
    new = {"architecture": model["new"], "gpu": chip["new"], "arithmetic": weights in chip["new_weights"] or case.kv in (
        facts["new_caches"])}
    words = [word for word, holds in (("model '%s'" % case.model, new["architecture"]), ("gpu '%s'" % gpu, new["gpu"]),
                                      ("weights '%s'" % weights, weights in chip["new_weights"]),
                                      ("kv '%s'" % case.kv, case.kv in facts["new_caches"])) if holds]
    return found, sum(intervals.NEW[name] for name in new if new[name]), words


def best(facts, case, gpu):
    """The replica with the most requests a second for each GPU, of any size or of the one that the case states: a row.

    ``reason`` says why there is none.
    """
    asked = (case.model, case.weights, case.kv, gpu, case.n_gpus, case.isl, case.osl, case.cached_prefix, case.ttft_ms,
             case.tpot_ms)
    return memory.kept(facts, asked, lambda: _best(facts, case, gpu))


def _best(facts, case, gpu):
    model, chip = facts["models"][case.model], (case.model, case.weights, case.kv, gpu)
    numbers, new, words = memory.kept(facts, chip, lambda: hardware(facts, case, gpu))
    sizes = None if case.n_gpus is None else (case.n_gpus,)
    tried = [searched(facts, case, chip, numbers, n_gpus, ranks)
             for n_gpus, ranks in operands.layouts(sizes, facts["gpus"][gpu]["server_gpus"], model["routed"])]
    one = tried[results.best([each["requests_per_s"] for each in tried], [each["n_gpus"] for each in tried])]
    if one["reason"]:
        return {"gpu": gpu, "n_gpus": one["n_gpus"], "requests_per_s": NAN, "reason": one["reason"]}
    row = dict(served(facts, case, one, new), gpu=gpu)
    named = words + [name for place, name in enumerate(results.OPTIONS) if row["beyond"] >> place & 1]
    row["unmeasured"] = ", ".join(named)
    return row


def prepared(facts, numbers, layout):
    """Columns of the model on a layout, its rates, and its room: what no load changes."""
    asked = results.setup(numbers, layout, PLACES)
    return asked, steady_state.prepared(asked, facts["coefficients"]), steady_state.room(asked)


def searched(facts, case, chip, numbers, n_gpus, ranks):
    """A replica of a size and what it can do while its mean TTFT and TPOT keep to the limits: ``most`` requests in flight."""
    number = dict(UNSTATED, n_gpus=float(n_gpus), isl=case.isl, osl=case.osl, cached_prefix=case.cached_prefix,
                  attention_dp=float(ranks), concurrency=1.0)
    layout = operands.layout(number)
    found = {"n_gpus": n_gpus, "attention_dp": ranks, "requests_per_s": NAN,
             "reason": operands.layout_sentence(layout, numbers["hidden"], case.model)}
    if not found["reason"] and operands.too_long(case.isl, case.osl, numbers["positions"]):
        found["reason"] = operands.length_sentence(case.isl, case.osl, numbers["positions"], case.model)
    if found["reason"]:
        return found
    asked, speeds, room = memory.kept(facts, chip + (n_gpus, ranks), lambda: prepared(facts, numbers, layout))

    def state_at(requests, resources=False):
        number["concurrency"] = requests
        return steady_state.settled(results.columns(asked, number), speeds, room, resources=resources)

    def answer(requests):
        state = state_at(requests)
        return dict(results.latencies(asked, state), requests_per_s=state["requests_per_s"] * asked["used"], fit=state["fit"])

    alone = answer(1.0)
    alone["error"] = "" if alone["fits"] else results.shortage(asked, alone["fit"])
    most, there = largest(answer, alone, case.ttft_ms, case.tpot_ms)
    found["reason"] = results.reason(alone, most, case.ttft_ms, case.tpot_ms)
    if not found["reason"]:
        found.update({"most": most, "requests_per_s": there["requests_per_s"], "asked": asked, "state_at": state_at,
                      "answer": answer})
    return found


def largest(answer, alone, ttft_ms, tpot_ms):
    """The largest whole number of requests in flight that keeps to memory and limits, and the answer there; 0 for none.

    Times grow with the requests almost in a straight line, so the search looks where that line meets the limit; what it finds is
    what halving finds (:func:`tokenecon.serving.results.capacity`).
    """
    if not results.keeps(alone, ttft_ms, tpot_ms):
        return 0.0, alone
    low, high, there = 1.0, float(int(alone["max_concurrency"])), alone
    if high <= low:
        return low, there
    beyond = answer(high)
    if results.keeps(beyond, ttft_ms, tpot_ms):
        return high, beyond
    step = 0
    while high - low > 1:
        at = (low + high) / 2
        if step % 3 < 2:
            for name, limit in (("ttft_ms", ttft_ms), ("tpot_ms", tpot_ms)):
                if limit is not None and beyond[name] > limit:
                    at = min(at if step % 3 else high, low + (high - low) * (limit - there[name]) / (beyond[name] - there[name]))
        at = min(max(float(int(at)), low + 1), high - 1)
        found, step = answer(at), step + 1
        if results.keeps(found, ttft_ms, tpot_ms):
            low, there = at, found
        else:
            high, beyond = at, found
    return low, there


def served(facts, case, one, new):
    """What a replica of :func:`searched` serves at most, with 80% intervals: a row.

    ``limit`` says what keeps it from serving more: memory, ttft_ms or tpot_ms; empty where it may.
    ``shares`` of its time by kind of token.
    """
    most, asked = one["most"], one["asked"]
    limit = _limit(one["answer"](most + 1), most, case)
    state = one["state_at"](most, True)
    found = results.of(asked, state, usd_per_gpu_hour=1.0, utilisation=1.0)
    beyond = int(results.beyond(asked))
    found.update(results.spans(found, results.factors(facts["widths"], asked, new + intervals.NEW["load"] * (beyond > 0))))
    row = {"n_gpus": one["n_gpus"], "attention_dp": one["attention_dp"], "concurrency": most,
           "max_concurrency": found["max_concurrency"], "bound": steady_state.RESOURCES[int(found["bound"])],
           "calibrated": new == 0 and beyond == 0, "beyond": beyond, "limit": limit, "unmeasured": "", "reason": ""}
    for end in ENDS:
        for name in RATES:
            row[name + end] = found[name + end]
        row["requests_per_s" + end] = found["output_tok_s" + end] / case.osl
    time = results.busy_seconds(asked, state)
    row["shares"] = {kind: time[kind + "_s"] / time["request_s"] for kind in ("input", "cached", "output")}
    return row


def _limit(more, most, case):
    """What one request more would break; ``more`` is what it would find."""
    if most >= more["max_concurrency"]:
        return "memory"
    for name, limit in (("ttft_ms", case.ttft_ms), ("tpot_ms", case.tpot_ms)):
        if limit is not None and more[name] > limit:
            return name
    return ""

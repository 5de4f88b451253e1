"""The best replica of a model on an accelerator: what it serves within the limits, and what it is short of.

One case on floats, from records of ``data/`` as plain dicts (``facts``, which the site exports): the arithmetic of
``tokenecon estimate`` and of :mod:`tokenecon.serving.sizing`, whose answers a test compares.
"""

from tokenecon import model_shape
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
    model = facts["models"][case.model]
    numbers, new, words = hardware(facts, case, gpu)
    sizes = None if case.n_gpus is None else (case.n_gpus,)
    rows = [capacity(facts, case, numbers, n_gpus, ranks, new)
            for n_gpus, ranks in operands.layouts(sizes, facts["gpus"][gpu]["server_gpus"], model["routed"])]
    row = rows[results.best([one["requests_per_s"] for one in rows], [one["n_gpus"] for one in rows])]
    row["gpu"] = gpu
    if not row["reason"]:
        named = words + [name for place, name in enumerate(results.OPTIONS) if row["beyond"] >> place & 1]
        row["unmeasured"] = ", ".join(named)
    return row


def capacity(facts, case, numbers, n_gpus, ranks, new):
    """The most that one replica of a size serves while its mean TTFT and TPOT keep to the limits, with 80 % intervals.

    ``limit`` says what keeps it from serving more: memory, ttft_ms or tpot_ms; empty where it may.
    ``shares`` of its time by kind of token.
    """
    number = dict(UNSTATED, n_gpus=float(n_gpus), isl=case.isl, osl=case.osl, cached_prefix=case.cached_prefix,
                  attention_dp=float(ranks))
    layout = operands.layout(number)
    none = {"n_gpus": n_gpus, "requests_per_s": NAN, "reason": operands.layout_sentence(layout, numbers["hidden"], case.model)}
    if not none["reason"] and operands.too_long(case.isl, case.osl, numbers["positions"]):
        none["reason"] = operands.length_sentence(case.isl, case.osl, numbers["positions"], case.model)
    if none["reason"]:
        return none
    setup = results.setup(numbers, layout, PLACES)
    speeds, room = steady_state.prepared(setup, facts["coefficients"]), steady_state.room(setup)

    def state_at(requests, resources=False):
        asked = results.columns(dict(setup), dict(number, concurrency=requests))
        return asked, steady_state.settled(asked, speeds, room, resources=resources)

    def answer(requests):
        asked, state = state_at(requests)
        found = results.latencies(asked, state)
        found["error"] = "" if found["fits"] else results.shortage(asked, state["fit"])
        return found

    most, alone = results.capacity(answer, ttft_ms=case.ttft_ms, tpot_ms=case.tpot_ms)
    none["reason"] = results.reason(alone, most, case.ttft_ms, case.tpot_ms)
    if none["reason"]:
        return none
    asked, state = state_at(most, resources=True)
    found = results.of(asked, state, usd_per_gpu_hour=1.0, utilisation=1.0)
    beyond = int(results.beyond(asked))
    found.update(results.spans(found, results.factors(facts["widths"], asked, new + intervals.NEW["load"] * (beyond > 0))))
    row = {"n_gpus": n_gpus, "attention_dp": ranks, "concurrency": most, "max_concurrency": found["max_concurrency"],
           "bound": steady_state.RESOURCES[int(found["bound"])], "calibrated": new == 0 and beyond == 0, "beyond": beyond,
           "limit": _limit(answer(most + 1), most, case), "unmeasured": "", "reason": ""}
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

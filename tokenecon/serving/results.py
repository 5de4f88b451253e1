"""From what a case states to what ``estimate`` answers: the columns of the model, its results, their intervals.

Everything is a float, or an array, or a dict of them, and nothing here reads data: one source for a table of a million
cases, for one case, and for MicroPython in the reader's browser.
"""

from tokenecon.formulas import levers, money, passes
from tokenecon.numbers import grouped
from tokenecon.numerics import floor, maximum, minimum, some, where
from tokenecon.serving import intervals, operands, steady_state
from tokenecon.serving.arrivals import poisson
from tokenecon.serving.coefficients import GATHERED, NETWORK_BYTES_PER_S
from tokenecon.units import BYTES_PER_GB, MS_PER_SECOND

UNKNOWN = float("nan")
WHOLE_MS = 100.0  # from which on a time has no digits behind the point
ALONE = "one request alone"  # how the reason begins where a latency limit is missed
LEAST_PER_S = 1e-6  # arrivals in place of none where other loads stand beside
BEYOND = 1.2  # a static batch may be so much larger than what fits by the usual share of memory
# Result -> the quantity whose interval it has; money falls as the rate rises.
RESULTS = {"ttft_ms": "ttft", "tpot_ms": "tpot", "output_tok_s": "rate", "total_tok_s": "rate", "usd_per_mtok_in": "usd",
           "usd_per_mtok_cached": "usd", "usd_per_mtok_out": "usd", "usd_per_mtok": "usd"}
CACHED = "usd_per_mtok_cached"  # of cases with a cached prefix alone
# The same of percentiles over requests, which are computed on request.
PERCENTILES = {"%s_p%d" % (name, place): RESULTS[name] for name in ("ttft_ms", "tpot_ms") for place in poisson.PERCENTILES}
ENDS = ("_low", "_high")
OPTIONS = ("drafted tokens", "prefill apart", "a cached prefix", "a layer split beyond linked or 8 GPUs",
           "arrivals at random")  # that nobody measured
# What says how much room weights take.
ROOM = ("concurrency", "memory_bytes", "host_bytes", "group", "tp", "pp", "routed", "outer_bytes", "attention_params",
        "dense_params", "attention_bytes", "dense_bytes", "expert_params", "expert_room_bytes", "workspace", "experts_per_token",
        "expert_size", "ffn_size", "hidden", "vocab", "profile_tokens", "profile_sequences", "full_values", "window_values",
        "every_values", "window", "state_bytes", "state_layers", "full_layers", "cache_bytes", "kv_heads", "load", "engine",
        "release", "memory_share", "reserve_gb", "prefill_group")


def setup(hardware, layout, places):
    """Columns of a model on its GPUs; ``places`` of load, engine, release, exchange and tuning in their lists, and the era."""
    case = dict(hardware)
    case.update(layout)
    case.update(places)
    return operands.completed(case)


def columns(case, number):
    """A :func:`setup` with what a case asks of it, in place."""
    used = minimum(case["replicas"], number["concurrency"])  # fewer clients than replicas leave some idle
    case.update({"isl": number["isl"], "osl": number["osl"], "cached": number["cached_prefix"], "used": used,
                 "concurrency": number["concurrency"] / used, "draft_tokens": number["draft_tokens"]})
    drafting = number["draft_tokens"] > 0
    if some(drafting):
        case["tokens_per_pass"] = where(drafting, levers.speculative_tokens_per_pass(
            acceptance=number["acceptance"], draft_tokens=number["draft_tokens"]), 1.0)
    if some(case["split"] > 0):
        values = (case["full_values"] + case["window_values"] + case["every_values"]) * case["isl"]
        link = where(case["n_gpus"] > case["link_domain"], minimum(case["link_bytes_per_s"], NETWORK_BYTES_PER_S),
                     case["link_bytes_per_s"])
        case["transfer_s"] = where(case["split"] > 0, values * case["cache_bytes"] / (link * case["group"] * case["pp"]), 0.0)
    return case


def with_arrivals(case, state, rate, requests_per_s, draft_rate=None):
    """The steady state of a load of arrivals at random, in place of that of a closed loop; others stay what they are."""
    if not some(case["load"] == steady_state.POISSON):
        return state
    random = case["load"] == steady_state.POISSON
    found = poisson.served(case, rate, state["batch"], where(random, requests_per_s, LEAST_PER_S) / case["used"], draft_rate)
    settled = dict(state)
    for name in ("ttft_s", "tpot_s", "batch", "prefill_share", "requests_per_s", "cache_share") + steady_state.RESOURCES:  # noqa: RUF005  (MicroPython)
        settled[name] = where(random, found[name], state[name])
    settled["arrivals"], settled["served"] = found, where(random, found["stable"], True)
    return settled


def percentiles(case, state, rate):
    """Latencies of :data:`PERCENTILES`, over requests of equal length: of closed loops and of arrivals at random, else NaN.

    In a closed loop every request takes the same time per token.
    """
    random, closed = case["load"] == steady_state.POISSON, case["load"] == steady_state.CLOSED_LOOP
    at = poisson.percentiles(state["arrivals"]) if some(random) else [(UNKNOWN, UNKNOWN)] * len(poisson.PERCENTILES)
    pool_s = state["prefill_all_s"] / where(case["split"] > 0, case["split"], 1.0)
    out = {}
    for place, (ttft_s, tpot_s) in zip(poisson.PERCENTILES, at):  # noqa: B905  (MicroPython's zip takes no strict)
        looped_s = passes.closed_loop_ttft_at(ttft_s=state["ttft_s"], prefill_one_s=state["prefill_one_s"], prefill_all_s=pool_s,
                                              burst=rate["burst"], share=place / 100)
        for name, drawn, looped in (("ttft_ms", ttft_s, looped_s), ("tpot_ms", tpot_s, state["tpot_s"])):
            out["%s_p%d" % (name, place)] = where(random, drawn, where(closed, looped, UNKNOWN)) * MS_PER_SECOND
    return {name: out[name] for name in PERCENTILES}


def of(case, state, *, usd_per_gpu_hour, utilisation):
    """What ``estimate`` answers, without intervals, from the columns and their steady state with its resources.

    Each kind of token pays for the time that it causes (:func:`busy_seconds`), and together they pay the bill.
    """
    used, isl, osl, cached = case["used"], case["isl"], case["osl"], case["cached"]
    rate = state["requests_per_s"] * used
    paid = {"usd_per_gpu_hour": usd_per_gpu_hour, "n_gpus": case["n_gpus"], "utilisation": utilisation}
    time = busy_seconds(case, state)
    found = latencies(case, state)
    found.update({
        "concurrency_used": state["batch"] * used,
        "output_tok_s": rate * osl, "total_tok_s": rate * (isl + osl), "bound": bound(state),
        "usd_per_mtok_in": money.usd_per_mtok_of_seconds(busy_s=time["input_s"] / used, tok=isl * (1.0 - cached), **paid),
        "usd_per_mtok_out": money.usd_per_mtok_of_seconds(busy_s=time["output_s"] / used, tok=osl, **paid),
        "usd_per_mtok": money.usd_per_mtok(tok_per_s=rate * (isl + osl), **paid),
    })
    found[CACHED] = UNKNOWN
    if some(cached > 0):
        usd = money.usd_per_mtok_of_seconds(busy_s=time["cached_s"] / used, tok=where(cached > 0, isl * cached, 1.0), **paid)
        found[CACHED] = where(cached > 0, usd, UNKNOWN)
    return found


def latencies(case, state):
    """Of :func:`of` what limits are held against: whether a case fits, how many requests do, and the mean latencies."""
    # measured static batches go up to an eighth beyond the memory that engines are taken to leave
    fits = state["fit"] >= 1.0
    if some(case["load"] == steady_state.STATIC):
        beyond = (case["load"] == steady_state.STATIC) & (case["concurrency"] < operands.ENDLESS) & (
            case["concurrency"] > BEYOND * state["fit"])
        fits = where(beyond, False, fits)
    return {"fits": fits, "max_concurrency": floor(state["fit"]) * case["replicas"], "ttft_ms": state["ttft_s"] * MS_PER_SECOND,
            "tpot_ms": state["tpot_s"] * MS_PER_SECOND}


def bound(state):
    """Which of :data:`steady_state.RESOURCES` takes most of the time, as its place there."""
    place, most = 0, state[steady_state.RESOURCES[0]]
    for other in range(1, len(steady_state.RESOURCES)):
        time = state[steady_state.RESOURCES[other]]
        place, most = where(time > most, other, place), maximum(time, most)
    return place


def beyond(case):
    """Which of :data:`OPTIONS` a case takes that nobody measured, as the sum of their powers of two."""
    split = (case["group"] > case["link_domain"]) | (case["group"] > GATHERED)
    asked = (case["draft_tokens"] > 0, case["prefill_gpus"] > 0, case["cached"] > 0, split,
             case["load"] == steady_state.POISSON)
    return sum(2**place * one for place, one in enumerate(asked))


def factors(widths, case, new):
    """Low and high factor of each quantity of :data:`RESULTS`; ``new`` is the sum of what is :data:`intervals.NEW`.

    Latencies under arrivals at random have those of closed loops, which were measured; their rate is what the case states.
    """
    random = case["load"] == steady_state.POISSON
    load = where(random, steady_state.CLOSED_LOOP, case["load"])
    found = {name: intervals.ratios(widths, name, load, case["routed"], case["family"], new) for name in intervals.QUANTITIES}
    low, high = found["rate"] = tuple(where(random, 1.0, end) for end in found["rate"])
    found["usd"] = (1 / high, 1 / low)
    return found


def spans(found, factors):
    """The ends of the interval of each result."""
    out = {}
    for results in (RESULTS, PERCENTILES):
        for name, quantity in results.items():
            if name in found:
                for end, factor in zip(ENDS, factors[quantity]):  # noqa: B905  (MicroPython's zip takes no strict)
                    out[name + end] = found[name] * factor
    return out


def one(hardware, number, places, *, new, values, widths=None, draft=None, tails=False):
    """All results of one case as a dict, from ``hardware`` and perhaps ``draft``: numbers as :mod:`operands` gives them.

    ``number`` has n_gpus, isl, osl, usd_per_gpu_hour and the other numbers of ``estimate``, with NaN for a tp or an ep that is
    not given; ``places`` are those of :func:`setup`, ``new`` says what of the hardware nobody measured.  Without ``widths``
    there are no intervals, with ``tails`` there are :data:`PERCENTILES`.  ``most_per_s`` is what an instance serves to which
    more arrives, else 0.
    """
    layout = operands.layout(number)
    case = columns(setup(hardware, layout, places), number)
    draft_rate = prefill_rate = None
    if number["prefill_gpus"] > 0:
        case["prefill"] = setup(hardware, operands.of_prefill(layout), places)
        prefill_rate = steady_state.prepared(case["prefill"], values)
    if number["draft_tokens"] > 0:
        case["has_draft_model"], draft_rate = draft is not None, {}
        if draft is not None:
            case["draft"] = setup(draft, layout, places)
            draft_rate = steady_state.prepared(case["draft"], values)
    rate = steady_state.prepared(case, values)
    state = steady_state.settled(case, rate, steady_state.room(case), draft_rate, resources=True, prefill_rate=prefill_rate)
    state = with_arrivals(case, state, rate, number["requests_per_s"], draft_rate)
    found = of(case, state, usd_per_gpu_hour=number["usd_per_gpu_hour"], utilisation=number["utilisation"])
    if tails:
        found.update(percentiles(case, state, rate))
    found["most_per_s"] = 0.0 if state.get("served", True) else state["arrivals"]["most_per_s"] * case["used"]
    found["beyond"] = int(beyond(case))
    found["calibrated"] = new == 0 and found["beyond"] == 0
    if widths:
        found.update(spans(found, factors(widths, case, new + intervals.NEW["load"] * (found["beyond"] > 0))))
    found["shortage"] = "" if found["fits"] else shortage(case, state["fit"])
    return found


def keeps(found, ttft_ms=None, tpot_ms=None):
    """Whether results fit and their mean latencies keep to the limits that are given."""
    kept = found["fits"]
    for name, limit in (("ttft_ms", ttft_ms), ("tpot_ms", tpot_ms)):
        if limit is not None:
            kept = kept & (found[name] <= limit)
    return kept


def largest(kept, low, high):
    """The largest whole number from ``low`` to ``high`` that is kept, where every smaller one is; ``kept`` is a function."""
    while some(low < high):  # of many cases all are bisected at once
        open_ = low < high
        middle = where(open_, floor((low + high + 1) / 2), maximum(low, 1.0))
        fine = kept(middle)
        low, high = where(open_ & fine, middle, low), where(open_, where(fine, high, middle - 1), high)
    return low


def capacity(answer, *, ttft_ms=None, tpot_ms=None):
    """Most requests in flight within memory and limits, 0 where one alone is too slow, and the results of that one.

    ``answer`` gives the results of the cases at a number of requests in flight; both times grow with it.
    """
    alone = answer(1.0)
    fine = keeps(alone, ttft_ms, tpot_ms)
    most = largest(lambda requests: keeps(answer(requests), ttft_ms, tpot_ms), where(fine, 1.0, 0.0),
                   where(fine, floor(alone["max_concurrency"]), 0.0))
    return most, alone


def best(requests_per_s, n_gpus):
    """Place of the size of a replica that serves most for each GPU, NaN where it serves nothing: then of the largest."""
    per_gpu = [-1.0 / gpus if rate != rate else rate / gpus for rate, gpus in zip(requests_per_s, n_gpus)]  # noqa: B905
    return per_gpu.index(max(per_gpu))


def reason(alone, concurrency, ttft_ms, tpot_ms):
    """Why a case serves nothing: what `estimate` says, or which limit one request alone already misses."""
    if concurrency > 0:
        return ""
    if alone["error"]:
        return alone["error"]
    for name, limit, what in (("ttft_ms", ttft_ms, "TTFT"), ("tpot_ms", tpot_ms, "TPOT")):
        if limit is not None and alone[name] > limit:
            return (f"{ALONE} has a {what} of {_ms(alone[name])} ms, the limit is {limit:g} ms; raise {name} or n_gpus, "
                    "or narrow weights")
    raise AssertionError("a case without an error keeps to no limit and misses none")


def _ms(value):
    """A time that reads well from a microsecond to minutes. [ms]"""
    return grouped(f"{value:.0f}") if value >= WHOLE_MS else f"{value:.3g}"


def output_share(found, isl, osl):
    """Share of what a request costs that its output tokens cause."""
    return found["usd_per_mtok_out"] * osl / (found["usd_per_mtok"] * (isl + osl))


def busy_seconds(case, state):
    """Busy time of a replica that one request causes, by kind of token, and ``request_s``, their sum. [s]

    ``state`` is the steady state with its resources.  Of GPUs that only prefill the input pays whole.
    """
    isl, cached, context = case["isl"], case["cached"], case["isl"] + case["osl"] / 2
    request_s = 1.0 / state["requests_per_s"]
    prefill_share = state["prefill_share"]
    if some(case["split"] > 0):  # in place of a share of time, that of GPUs
        prefill_share = where(case["split"] > 0, case["prefill_gpus"] / case["n_gpus"], prefill_share)
    prefill_s = request_s * prefill_share
    decode_s = request_s - prefill_s
    attention_s = prefill_s * state["prefix_share"]
    lengths = {"context_positions": context, "cache_read_s": decode_s * state["cache_share"]}
    return {
        "input_s": money.input_seconds(prefill_s=prefill_s, prefix_attention_s=attention_s,
                                       new_positions=isl * (1.0 - cached), **lengths),
        "cached_s": money.cached_seconds(prefix_attention_s=attention_s, cached_positions=isl * cached, **lengths),
        "output_s": money.output_seconds(decode_s=decode_s, prompt_positions=isl, **lengths), "request_s": request_s,
    }  # fmt: skip


def shortage(case, fit):
    """Why one case does not fit, in words."""
    if fit >= 1.0:
        return ("a static batch of %g does not fit: a replica has memory for %d; lower concurrency, or raise n_gpus and tp"
                % (case["concurrency"], int(fit)))
    bytes_of = steady_state.room(case)
    if bytes_of["pool_bytes"] > 0 and fit <= 0:
        return ("does not fit: the %d GPU of a replica that prefills have no room beside their weights; raise prefill_tp"
                % case["prefill_group"])
    gb = {name: bytes_of[name] / BYTES_PER_GB for name in ("weight_bytes", "reserve_bytes", "pool_bytes")}
    return ("does not fit: %.1f GB of weights, %.1f GB in reserve and the cache of one sequence do not fit into the %.1f GB of "
            "each of %d GPU, which have %.1f GB left for the cache; raise n_gpus and tp, or narrow weights or kv"
            % (gb["weight_bytes"], gb["reserve_bytes"], case["memory_bytes"] / BYTES_PER_GB, case["group"] * case["pp"],
               gb["pool_bytes"]))

"""One replica with arrivals at random: the rate it can serve, and the distribution of its latencies.

Requests have equal lengths and come as a Poisson process; passes are shared as in :mod:`tokenecon.simulation.scheduler`, with
which tests compare.  Counted in passes an answer always takes as many, and only arrivals feed back on each other: a request
lengthens the passes in which more of them arrive.  So the requests in flight are a Hawkes process, whose moments are known;
prompts wait as in a queue served in bulk (:mod:`first_token`), and beyond the slots as behind servers of equal service times.

Within a few per cent of the simulation; least exact is the time per token of answers of less than some 60 tokens beside prompts
that fill a pass (whole numbers of them decide), and waits near the share of requests that finds every slot taken.
"""

import math

from tokenecon.formulas import queueing
from tokenecon.numerics import exp, log, maximum, minimum, sqrt, where
from tokenecon.serving import coefficients as known
from tokenecon.serving import steady_state
from tokenecon.serving.arrivals import chances, first_token

LEAST = 1e-9
HALVINGS = 14  # of the range of sequences; Newton steps follow
TURNS = 3  # between the length of the queue and that of the answers
MOST_FEEDBACK = 0.98  # of both kinds
OVERSHOOT = 0.135  # of the deviation of arrivals in one round of slots: a Gaussian walk rises so far above 0 at once
SEARCHES = 36  # halvings of a logarithmic range of times
PERCENTILES = (50, 90, 99)
MEANS = ("ttft_s", "variance", "age", "unread", "beside")
PARTS = 10  # of equal chance, over which a mean is taken


def timing(case, rate, draft_rate=None):
    """Time of a pass as a function of sequences that decode and of prompts, and the most prompts that a pass takes."""
    new, pp = case["isl"] * (1.0 - case["cached"]), case["pp"]
    most = known.BATCH_BUDGET * case["dp"] / new
    context, middle = case["isl"] + case["osl"] / 2, case["isl"] * (1.0 + case["cached"]) / 2

    def seconds(decoding, prompts, resources=False):
        """Of more prompts than a pass takes: their part of full passes that follow each other."""
        read = minimum(prompts, most)
        found = steady_state.pass_seconds(
            case, rate, decoding=decoding / pp, verified=1.0 + case["draft_tokens"], context=context,
            prompt_tokens=read * new / pp, prompts=read / pp, mean_context=middle, resources=resources)
        if resources:
            return found[1]
        if draft_rate is not None:
            found = found + case["draft_tokens"] * steady_state.draft_seconds(case, draft_rate, decoding / pp, context, found)
        return found * maximum(prompts / most, 1.0)

    return seconds, most


def capacity(seconds, slots, answer_passes, most):
    """Requests a second at which all slots are always taken, and how many then decode and are read in a pass."""
    prompts = minimum(slots / (answer_passes + maximum(1.0 / most, 1.0)), most)
    decoding = prompts * answer_passes
    each = minimum(first_token.poisson_share(prompts), most)
    share = where(prompts < most, minimum(prompts / each, 1.0), 1.0)
    each = where(prompts < most, each, most)
    return prompts / ((1.0 - share) * seconds(decoding, 0.0) + share * seconds(decoding, each)), decoding, prompts


def _population(seconds, slots, answer_passes, most, arrivals_per_s):
    """Sequences that decode in a pass, on average, if no slots were lacking: n = rate * passes * time of a pass."""
    low, high = 0.0 * slots, 4.0 * slots + 100.0
    for _ in range(HALVINGS):
        middle = (sqrt(low) + sqrt(high)) ** 2 / 4  # finer where few decode
        each = minimum(first_token.poisson_share(middle / maximum(answer_passes, LEAST)), most)
        empty_s = seconds(middle, 0.0)
        prompt_s = (seconds(middle, each) - empty_s) / each
        more = middle * (1.0 - arrivals_per_s * prompt_s) < arrivals_per_s * answer_passes * empty_s
        low, high = where(more, middle, low), where(more, high, middle)
    return (low + high) / 2


def served(case, rate, slots, requests_per_s, draft_rate=None):
    """Steady state of a replica with so many slots and arrivals, as a dict; see the keys below.

    ``stable`` says whether the rate is below ``most_per_s``, what all slots together serve; the rest is computed at a rate
    that is.
    """
    seconds, most = timing(case, rate, draft_rate)
    answer_passes = maximum(case["osl"] - 1.0, 0.0) / case["tokens_per_pass"]
    most_per_s, full, full_prompts = capacity(seconds, slots, answer_passes, most)
    stable = requests_per_s < most_per_s
    arrivals_per_s = where(stable, requests_per_s, 0.9 * most_per_s)
    steady = _steady(seconds, slots, answer_passes, most, arrivals_per_s)
    slotted = full_prompts < 0.999 * most  # otherwise slots never are what lacks
    steady.update(_slots(steady, slots, arrivals_per_s, most_per_s, slotted))
    steady.update({"stable": stable, "most_per_s": most_per_s, "arrivals_per_s": arrivals_per_s, "answer_passes": answer_passes})
    # Whoever waited for a slot comes with its departure: neither as regular as passes, which leaves one pass to read it
    # (Little's law for slots that do not decode), nor at random.
    crowded = minimum(full, slots)
    random_s = first_token.waits(seconds, crowded, crowded, arrivals_per_s, most)["ttft_s"]
    steady["full_ttft_s"] = sqrt(maximum(slots - full, LEAST) / most_per_s * random_s)
    steady.update(_stays(seconds, steady, answer_passes, most, full_prompts / most_per_s * answer_passes, slotted))
    calm = sum(weight * (parts["ttft_s"] - parts["quiet"] * steady["idle"] * parts["empty_s"] / 2)
               for weight, parts in steady["nodes"])
    waiting = steady["waiting"]
    ttft_s = (1.0 - waiting) * calm + waiting * (steady["full_ttft_s"] + steady["slot_wait_s"])
    at = [stay_at(steady, (part + 0.5) / PARTS) for part in range(PARTS)]
    stay_s = sum(at) / PARTS
    alone = seconds(minimum(answer_passes, 1.0), 0.0) / case["tokens_per_pass"]
    steady["tokens"] = maximum(case["osl"] - 1.0, 1.0)
    steady.update({
        "ttft_s": ttft_s, "tpot_s": where(answer_passes > 0, stay_s / steady["tokens"], alone), "alone_s": alone,
        "requests_per_s": arrivals_per_s,
        "batch": minimum(arrivals_per_s * (ttft_s + stay_s) - arrivals_per_s * waiting * steady["slot_wait_s"], slots),
        "prefill_share": minimum(steady["feedback"] / maximum(1.0 - (1.0 - steady["feedback"]) * steady["idle"], LEAST), 1.0)})
    steady.update(_resources(seconds, steady))
    return steady


def _resources(seconds, steady):
    """Time of a mean pass by :data:`steady_state.RESOURCES`, and the share of decoding that reads keys and values."""
    passes = steady["passes"]
    share, decoding = passes["with_any"], steady["decoding"]
    empty, read = seconds(decoding, 0.0, True), seconds(decoding, passes["prompts"] / share, True)
    found = {name: (1.0 - share) * empty[name] + share * read[name] for name in steady_state.RESOURCES}
    found["cache_share"] = empty["kv cache"] / seconds(decoding, 0.0)
    return found


def _steady(seconds, slots, answer_passes, most, arrivals_per_s):
    """Population, queue of prompts and time of answers, as long as slots do not lack."""
    there = minimum(answer_passes, 1.0)  # without answer tokens nothing decodes
    room = most * answer_passes  # sequences that decode when every pass is full of prompts
    top = maximum(minimum(slots, room), there)
    count = maximum(_population(seconds, slots, answer_passes, most, arrivals_per_s), LEAST)
    passes = first_token.shared_passes(seconds, minimum(count, 1.5 * top + 1.0), arrivals_per_s, most)
    prefill = passes["feedback"]
    count, decode = _feedback(seconds, count, prefill, arrivals_per_s * answer_passes, room)
    both, chained = decode + prefill, 1.0 / (1.0 - prefill)
    feedbacks = {"decode_feedback": decode, "prefill_feedback": prefill}
    decoding = count + both / (1.0 - both)  # over time, in which long passes count for more
    age, kept, spread = 0.0 * count, 1.0, 1.0
    for _ in range(TURNS):
        ratio = spread * queueing.population_variance_ratio(**feedbacks)
        nodes = []
        for at, weight in chances.around(decoding, ratio * decoding):
            at = maximum(minimum(at, top), there)
            # in a backlog that has lasted for an answer, every sequence came from a full pass
            crowded = at + maximum(top - at, 0.0) * 2.0 * age / (2.0 * age + maximum(answer_passes, LEAST))
            nodes.append((weight, first_token.waits(seconds, at, crowded, arrivals_per_s, most)))
        mean = {name: sum(weight * parts[name] for weight, parts in nodes) for name in MEANS}
        age = mean["age"]
        kept, spread = _faded(maximum(answer_passes, LEAST) / maximum(age, LEAST), prefill)
        empty_s, seen_s = _mean_pass(seconds, count, ratio, room)
        # prompts that a request leaves behind it and that are read before its answer ends
        behind = maximum(arrivals_per_s * mean["ttft_s"] - mean["beside"] - mean["unread"] * seen_s / empty_s, 0.0) * kept
        stay_s = (answer_passes * seen_s + passes["prompt_s"] * behind) * chained
        decoding = arrivals_per_s * stay_s
    varied = spread * queueing.stay_variance_ratio(**feedbacks) * stay_s * stay_s / maximum(decoding, LEAST)
    scatter = behind * (1.0 + prefill * chained) + kept * kept * arrivals_per_s * arrivals_per_s * mean["variance"]
    return {"decoding": decoding, "stay_s": stay_s, "stay_variance": varied + (passes["prompt_s"] * chained) ** 2 * scatter,
            "ratio": spread * queueing.population_variance_ratio(**feedbacks), "free": 1.0 - both, "feedback": prefill,
            "passes": passes, "nodes": nodes, "in_flight": decoding + arrivals_per_s * mean["ttft_s"],
            "only": prefill / maximum(both, LEAST),
            "idle": exp(decoding * (1.0 - both) / maximum(both, LEAST) * log(1.0 - both))}


def _feedback(seconds, count, prefill, arrivals, room):
    """Sequences that decode, from a first guess, and the feedback of decoding; ``arrivals`` is rate times passes."""
    decode = 0.0 * count
    for _ in range(TURNS):
        ratio = queueing.population_variance_ratio(decode_feedback=decode, prefill_feedback=prefill)
        empty_s, seen_s = _mean_pass(seconds, count, ratio, room)
        decode = maximum(minimum(arrivals * (seen_s - empty_s) / maximum(ratio, 1.0), MOST_FEEDBACK - prefill), 0.0)
        wanted = arrivals * empty_s / (1.0 - prefill)
        count = maximum(count + (wanted - count) * (1.0 - prefill) / (1.0 - prefill - decode), 0.2 * count + LEAST)
    return count, decode


def _faded(rounds, prefill):
    """Of a backlog, whose correlations fade as a power of time: what an answer of so many times its age sees of what it reads,
    and of the variance of the population."""
    averaged = 1.0 - log(1.0 + rounds) / rounds
    return rounds / (1.0 + rounds), (1.0 - prefill) ** 2 + (1.0 - (1.0 - prefill) ** 2) * averaged


def _mean_pass(seconds, count, ratio, room):
    """Time of a pass without prompts: the mean over passes, and over those that a request sees, which hold more.

    The number of sequences scatters with this ratio of variance to mean, and passes do not grow evenly with it.
    """
    spread = sqrt(ratio * count)

    def mean(middle):
        middle = minimum(middle, room)
        off = minimum(minimum(spread, middle), room - middle)
        return (seconds(middle - off, 0.0) + seconds(middle + off, 0.0)) / 2

    return mean(count), mean(count + maximum(ratio, 1.0))


def _slots(steady, slots, arrivals_per_s, most_per_s, slotted):
    """Share of requests that wait for a slot, and the mean wait of those."""
    in_flight = steady["in_flight"]
    width = chances.log_spread(in_flight, steady["ratio"] * in_flight)
    z = log(slots / in_flight) / width + width / 2
    busy = arrivals_per_s / most_per_s
    decay = queueing.waiting_decay(utilisation=busy)
    spread = maximum(steady["free"] * steady["ratio"], 0.5)
    waiting = queueing.full_slots_share(
        density=exp(-z * z / 2) / (math.sqrt(2 * math.pi) * width * slots), below=chances.normal(z), spread=spread, decay=decay)
    # of few slots the number taken is no continuous one: as many requests as slots where they come at random (Poisson)
    waiting = maximum(waiting, chances.at_least(slots, minimum(in_flight, busy * slots)))
    # at light load an answer rarely outlasts so many arrivals, and then by little
    over_s = minimum(OVERSHOOT * sqrt(slots * spread) / arrivals_per_s, slots / most_per_s / (slots * (1.0 - busy) + 1.0))
    return {"waiting": where(slotted, waiting, 0.0), "slot_wait_s": 1.0 / (decay * most_per_s) + over_s}


def _stays(seconds, steady, answer_passes, most, full_s, slotted):
    """Distribution of the time that an answer takes: alone, at least; at most with every pass full of prompts.

    Some meet no prompt of another and take what they take alone; those that waited for a slot find all of them taken.
    """
    least_s, most_s = answer_passes * seconds(1.0, 0.0), answer_passes * seconds(most * answer_passes, most)
    range_s = maximum(most_s - least_s, LEAST)
    more_s = maximum(steady["stay_s"] - least_s, LEAST * least_s + LEAST * LEAST)
    # nobody comes from its arrival to its end: after a quiet pass, or after what else it waits for
    rate, parts = steady["arrivals_per_s"], steady["nodes"][1][1]
    waited = parts["quiet"] + (1.0 - parts["quiet"]) * exp(-rate * (parts["rest_s"] / 2 + parts["then_s"]))
    calm = minimum(exp(-rate * (least_s + parts["alone_s"])) * waited * steady["only"], 0.95)
    others_s = more_s / (1.0 - calm)
    square = (steady["stay_variance"] + more_s * more_s) / (1.0 - calm)
    variance = maximum(square - others_s * others_s, 1e-4 * others_s * others_s)
    mean = minimum(others_s / range_s, 0.999)
    spread = variance / (range_s * range_s)
    ends = mean * (1.0 - mean)  # the most that a share of this mean can vary
    middle, width = chances.bounded(mean, spread * ends / (spread + ends))
    found = {"least_s": least_s, "range_s": range_s, "calm": calm, "middle": middle, "width": width, "full_s": full_s}
    share = maximum(minimum((full_s - least_s) / range_s, 1.0 - 1e-9), 1e-9)
    below = calm + (1.0 - calm) * chances.normal((log(share / (1.0 - share)) - middle) / width)
    found["below"] = where(slotted, below, 1.0)
    return found


def stay_at(steady, share):
    """Time of an answer that this share of answers keeps to, from the first token to the last."""
    waiting = steady["waiting"]
    inner = share * maximum(steady["below"] / (1.0 - waiting), 1.0)
    odds = steady["middle"] + steady["width"] * chances.normal_at((inner - steady["calm"]) / (1.0 - steady["calm"]))
    found = steady["least_s"] + steady["range_s"] * chances.share_of(odds)
    found = where(inner <= steady["calm"], steady["least_s"], found)
    full_s = steady["full_s"]
    return where((share >= 1.0 - waiting) & (waiting > 0), full_s, where(waiting > 0, minimum(found, full_s), found))


def first_at(steady, share):
    """Time to first token that this share of requests keeps to."""
    waiting = steady["waiting"]
    low = 0.5 * steady["nodes"][0][1]["alone_s"]
    high = 50.0 * (steady["ttft_s"] + steady["full_ttft_s"] + steady["slot_wait_s"])
    for _ in range(SEARCHES):
        middle = sqrt(low * high)
        within = sum(weight * first_token.share_within(parts, steady["idle"], middle) for weight, parts in steady["nodes"])
        slow = 1.0 - exp(-maximum(middle - steady["full_ttft_s"], 0.0) / steady["slot_wait_s"])
        short = (1.0 - waiting) * within + waiting * slow < share
        low, high = where(short, middle, low), where(short, high, middle)
    return high


def percentiles(steady):
    """Latencies at :data:`PERCENTILES`: (time to first token, time per token) for each. [s]"""
    tokens, alone = steady["tokens"], steady["alone_s"]
    return [(first_at(steady, place / 100), where(steady["answer_passes"] > 0, stay_at(steady, place / 100) / tokens, alone))
            for place in PERCENTILES]

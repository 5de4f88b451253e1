"""Time to first token at a given number of sequences that decode: prompts arrive at random and are read in shared passes.

A pass decodes a token of each sequence and reads every prompt that arrived during the pass before, up to the token budget.
So it is a queue that is served in bulk, by passes that last the longer the more they read.
"""

from tokenecon.formulas import queueing
from tokenecon.numerics import exp, floor, log, maximum, minimum, some, where
from tokenecon.serving.arrivals import chances

LEAST = 1e-12
MOST_FEEDBACK = 0.998  # arrivals while a prompt is read; 1 would have no end
ROUNDS = 6
PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)  # in the pass during which a request arrives
FEW = 6  # prompts that come during a pass without prompts, with the request: more are rare


def poisson_share(prompts):
    """Prompts in a pass that has any, where passes have so many on average."""
    return maximum(prompts / maximum(1.0 - exp(-prompts), LEAST), 1.0)


def shared_passes(seconds, decoding, arrivals_per_s, most):
    """Passes with so many sequences decoding: a dict of

    ``empty_s`` without prompts, ``jump_s`` and ``slope_s`` of those with any (empty + jump + slope * prompts), ``prompt_s``
    that a prompt adds on average, ``feedback`` (arrivals during that), ``prompts`` of a pass, ``square`` of them, ``with_any``
    (share of passes that have some), ``one_s`` of a pass that reads one prompt.
    """
    one, bulk = minimum(most, 1.0), most > 1.0
    empty_s, one_s = seconds(decoding, 0.0), seconds(decoding, one)
    prompts = arrivals_per_s * empty_s
    with_any = prompts
    for step in range(ROUNDS):
        each = minimum(maximum(prompts / maximum(with_any, LEAST), one), most)
        if step % 2 == 0:
            many = minimum(maximum(2.0 * each, 2.0), most)
            slope_s = where(bulk, (seconds(decoding, many) - one_s) / where(bulk, maximum(many - 1.0, LEAST), 1.0),
                            (one_s - empty_s) / one)
            jump_s = where(bulk, one_s - empty_s - slope_s, 0.0)
        # as many prompts as arrive during a mean pass
        prompts = arrivals_per_s * (empty_s + with_any * jump_s) / maximum(1.0 - arrivals_per_s * slope_s, 1.0 - MOST_FEEDBACK)
        prompts = maximum(minimum(prompts, 0.999 * most), LEAST)
        square = _square(arrivals_per_s, most, empty_s, jump_s, slope_s, prompts, with_any)
        with_any = where(bulk, _with_any(prompts, square), prompts / each)
    prompt_s = slope_s + jump_s * with_any / prompts
    feedback = minimum(arrivals_per_s * prompt_s, MOST_FEEDBACK)
    return {"empty_s": empty_s, "jump_s": jump_s, "slope_s": slope_s, "prompt_s": prompt_s, "feedback": feedback,
            "prompts": prompts, "square": where(bulk, square, prompts * one), "with_any": with_any, "one_s": one_s}


def _duration_square(empty_s, jump_s, slope_s, prompts, square, with_any):
    """Mean square of the duration of passes."""
    return (empty_s * empty_s + with_any * jump_s * (2.0 * empty_s + jump_s) + slope_s * slope_s * square
            + 2.0 * slope_s * prompts * (empty_s + jump_s))


def _square(arrivals_per_s, most, empty_s, jump_s, slope_s, prompts, with_any):
    """Mean square of the prompts of a pass: what a process without a limit has, bent where the limit cuts it off."""
    feedback = minimum(arrivals_per_s * slope_s, MOST_FEEDBACK)
    unbound = (prompts + arrivals_per_s * arrivals_per_s * _duration_square(empty_s, jump_s, slope_s, prompts, 0.0, with_any)) / (
        1.0 - feedback * feedback)
    # of E y(y - 1): the least with this mean, what it would be beyond that, and what the limit leaves of it
    least = maximum(prompts * prompts - prompts, 0.0)
    wanted = maximum(unbound - prompts - least, LEAST)
    allowed = maximum((most - 1.0) * prompts - least, LEAST)
    power = maximum(2.0 * (1.0 - 1.0 / most), 1.0)  # exact chains with a limit of 2 to 20 prompts bend so
    return prompts + least + wanted * (1.0 + (wanted / allowed) ** power) ** (-1.0 / power)


def _with_any(prompts, square):
    """Share of passes with prompts, of a binomial, Poisson or negative binomial number by its mean and variance."""
    ratio = maximum(square - prompts * prompts, LEAST * prompts) / prompts
    off = ratio - 1.0
    near = where(abs(off) < 1e-6, 1.0, off)
    slope = where(abs(off) < 1e-6, 1.0, log(1.0 + near) / near)
    return minimum(1.0 - exp(-prompts * slope), prompts)


def waits(seconds, decoding, crowded, arrivals_per_s, most):
    """What a request meets, as a dict: mean ``ttft_s``, ``alone_s`` (its pass, nobody else in it), and the parts that
    :func:`share_within` needs. ``crowded`` is the number of sequences that decode while full passes follow each other.

    A prompt of several passes counts as one long pass.
    """
    limit = maximum(most, 1.0)
    passes = shared_passes(seconds, decoding, arrivals_per_s, limit)
    full_s = seconds(crowded, limit)
    busy = minimum(arrivals_per_s * full_s / limit, 0.9995)
    empty_s, slope_s, prompts, square = passes["empty_s"], passes["slope_s"], passes["prompts"], passes["square"]
    mean_s = prompts / arrivals_per_s
    squared = _duration_square(empty_s, passes["jump_s"], slope_s, prompts, square, passes["with_any"])
    waiting = queueing.waiting_prompts(prompts=prompts, square=square, arrivals_square=arrivals_per_s * arrivals_per_s * squared,
                                       most=limit, full_arrivals=busy * limit)
    # Little's law: prompts that wait or are being read, over time
    ttft_s = ((empty_s + passes["jump_s"]) * prompts + slope_s * square + full_s * waiting) / prompts + squared / mean_s / 2
    met_s = squared / mean_s  # length of the pass during which a request arrives
    feedback = minimum(arrivals_per_s * slope_s, MOST_FEEDBACK)
    variance = maximum(square - prompts * prompts, LEAST)
    quiet = minimum((1.0 - passes["with_any"]) * empty_s / mean_s, 1.0 - 1e-6)  # share of time in passes without prompts
    loud = 1.0 - quiet
    beside = 1.0 - 1.0 / limit  # of the others in the same pass, those read in the own one
    third = minimum((prompts + 3.0 * feedback * feedback * variance) / (1.0 - feedback**3), variance * limit)
    met_square = (mean_s**3 + 3.0 * mean_s * slope_s * slope_s * variance + slope_s**3 * third) / mean_s
    own_s = met_s * (0.5 + feedback * beside)  # rest of that pass, and the others in the own one
    own_square = (met_square * (1 / 3 + feedback * beside * (1.0 + feedback * beside)) + feedback * beside * slope_s * met_s)
    more_s = maximum(ttft_s - passes["one_s"], own_s / 2)
    behind_s = maximum(more_s - own_s, 0.0)  # full passes before the own one
    decay = queueing.waiting_decay(utilisation=busy) * limit / full_s
    age = behind_s / full_s / (1.0 - busy)  # full passes that follow each other where a request meets one
    # a prompt that does not end with its pass is done only with the next: half a prompt, or half a pass of a longer one, where
    # those before have moved it off the end
    part = where(most > 1.0, most, 1.0 / most)
    faded = exp(-2.0 * abs(part - floor(part + 0.5)) * age)
    alone_s, astride_s = passes["one_s"], full_s / limit / 2 * (1.0 - faded)
    if some(most < 1.0):
        alone_s, long_s = _long_prompt(seconds, decoding, crowded, arrivals_per_s, minimum(most, 1.0), faded)
        astride_s = where(most < 1.0, maximum(passes["one_s"] + long_s - alone_s, 0.0), astride_s)
        alone_s = where(most < 1.0, alone_s, passes["one_s"])
    astride_s = astride_s * minimum(behind_s * decay, 1.0)
    behind_s, more_s = behind_s + astride_s, more_s + astride_s
    few = arrivals_per_s * empty_s * beside
    quiet_s = empty_s / 2 + slope_s * few
    quiet_square = empty_s * empty_s / 3 + slope_s * few * empty_s + slope_s * slope_s * (few * beside + few * few)
    square_s = own_square + 2.0 * (own_s - quiet * quiet_s) * behind_s / loud + 2.0 * behind_s / decay
    loud_s = maximum((more_s - quiet * quiet_s) / loud, 1e-9 * passes["one_s"])
    loud_variance = maximum((square_s - quiet * quiet_square) / loud - loud_s * loud_s, 1e-4 * loud_s * loud_s)
    rest_s = minimum((met_s - quiet * empty_s) / loud, 1.98 * loud_s)
    then_s = loud_s - rest_s / 2
    return {
        "ttft_s": alone_s + more_s, "alone_s": alone_s,
        "variance": maximum(square_s - more_s * more_s, 0.0), "quiet": quiet, "empty_s": empty_s, "few": few,
        "slope_s": slope_s, "rest_s": rest_s, "then_s": then_s, "then_variance": maximum(
            loud_variance - rest_s * rest_s / 12, 0.01 * then_s * then_s),
        # what is left behind in the queue: half of those read in the same pass stand before the request
        "beside": maximum(square - prompts, 0.0) / (2.0 * prompts), "age": age * maximum(1.0 / most, 1.0),
        "unread": where(most < 1.0, (waiting + prompts * (1.0 + most) / 2) / (most + prompts * (1.0 - most)), waiting + prompts),
    }  # fmt: skip


def _long_prompt(seconds, decoding, crowded, arrivals_per_s, most, faded):
    """Of a prompt of several passes: the time that nobody before it delays, and what its last pass takes in a backlog."""
    whole = floor(1.0 / most)
    last = 1.0 / most - whole
    pass_s = seconds(decoding, most)
    came = 1.0 - exp(-arrivals_per_s * pass_s * whole)  # who came meanwhile fills up the last pass
    last_s = where(last > 0, came * pass_s + (1.0 - came) * seconds(decoding, last * most), 0.0)
    return whole * pass_s + last_s, seconds(crowded, most) * (0.5 + (where(last > 0, 1.0 - last, 0.0) - 0.5) * faded)


def share_within(parts, idle, seconds):
    """Share of requests whose first token comes within so many seconds; ``idle`` of the quiet time nothing runs at all."""
    more_s = seconds - parts["alone_s"]
    quiet, chance = 0.0, exp(-parts["few"])
    for others in range(FEW):
        quiet = quiet + chance * maximum(minimum((more_s - others * parts["slope_s"]) / parts["empty_s"], 1.0), 0.0)
        chance = chance * parts["few"] / (others + 1)
    loud = 0.0
    for place in PLACES:
        loud = loud + chances.gamma(more_s - place * parts["rest_s"], parts["then_s"], parts["then_variance"]) / len(PLACES)
    return where(more_s < 0, 0.0, parts["quiet"] * (idle + (1.0 - idle) * quiet) + (1.0 - parts["quiet"]) * loud)

"""Steady state of a serving engine: how many sequences run, and what time to the first token and per token follow.

Three loads: a static batch, all requests queued at once, and a closed loop at fixed concurrency.
"""

from tokenecon.numerics import floor, maximum, minimum, where


def sequences_in_memory(*, memory_bytes, weight_bytes, reserve_bytes, cache_share, bytes_per_sequence):
    r"""Sequences whose cache fits beside the weights, each with room for its whole length.

    .. math:: B = \max\left(0, \frac{(M - W - R)\,u}{K}\right)

    Parameters
    ----------
    memory_bytes : float or ndarray
        Memory that the engine can allocate, M. [B]
    weight_bytes : float or ndarray
        Weights in that memory, W. [B]
    reserve_bytes : float or ndarray
        Activations, graphs and communication buffers, R. [B]
    cache_share : float or ndarray
        Share of the rest that the engine gives to the cache, u. [fraction]
    bytes_per_sequence : float or ndarray
        Cache of one sequence at its full length, K. [B/sequence]

    Returns
    -------
    float or ndarray
        Sequences, B. [sequence]

    Notes
    -----
    An "80 GB" GPU has 79.6 GiB; with 80e9 B in place of it a 70B model in FP8 has several times less room.

    Examples
    --------
    80 GB with 70 GB of weights, 2 GB in reserve, 90 % of 8 GB for sequences of 0.36 GB:

    >>> sequences_in_memory(memory_bytes=80e9, weight_bytes=70e9, reserve_bytes=2e9, cache_share=0.9,
    ...                     bytes_per_sequence=0.36e9)
    20.0
    """
    return maximum((memory_bytes - weight_bytes - reserve_bytes) * cache_share, 0.0) / bytes_per_sequence


def prefill_tokens_per_pass(*, prompts, positions, budget):
    r"""Prompt tokens of one prefill pass: all there are, up to the token budget of the engine.

    .. math:: c = \min(n\,B, c_{max})

    Parameters
    ----------
    prompts : float or ndarray
        Prompts to be read, B. [sequence]
    positions : float or ndarray
        Length of a prompt, n. [position]
    budget : float or ndarray
        Most tokens that the engine packs into a pass, c_max. [position]

    Returns
    -------
    float or ndarray
        Tokens in a pass, c. [position]

    Examples
    --------
    >>> prefill_tokens_per_pass(prompts=100.0, positions=500.0, budget=8192.0)
    8192.0
    """
    return minimum(prompts * positions, budget)


def cohort_seconds(*, prefill_s, step_s, decode_passes):
    r"""Time to serve a set of requests that start together: their prefill, then passes of decoding.

    .. math:: t = t_p + N\,t_d

    Parameters
    ----------
    prefill_s : float or ndarray
        Prefill of all of them, t_p. [s]
    step_s : float or ndarray
        One decode pass of all of them, t_d. [s]
    decode_passes : float or ndarray
        Decode passes, N: the answer length less the token that the prefill gives. [count]

    Returns
    -------
    float or ndarray
        Time, t. [s]

    Examples
    --------
    2 s of prefill and 127 passes of 20 ms:

    >>> cohort_seconds(prefill_s=2.0, step_s=0.02, decode_passes=127)
    4.54
    """
    return prefill_s + step_s * maximum(decode_passes, 0.0)


def queue_seconds(*, requests, batch, full_s, rest_s):
    r"""Time to serve a finite queue in cohorts: so many full ones, and one for the rest.

    .. math:: t = \lfloor Q/B \rfloor\,t_f + t_r

    Parameters
    ----------
    requests : float or ndarray
        Requests in the queue, Q. [sequence]
    batch : float or ndarray
        Requests of a full cohort, B. [sequence]
    full_s : float or ndarray
        Time of a full cohort, t_f. [s]
    rest_s : float or ndarray
        Time of the cohort of the rest, t_r; not counted where nothing is left. [s]

    Returns
    -------
    float or ndarray
        Time, t. [s]

    Notes
    -----
    Requests of equal length start and end together, so the last cohort runs at a part of the batch. An endless
    queue has no rest.

    Examples
    --------
    250 requests at a batch of 100: two of 10 s and half a batch of 7 s:

    >>> queue_seconds(requests=250.0, batch=100.0, full_s=10.0, rest_s=7.0)
    27.0
    """
    cohorts = floor(requests / batch)
    left = requests - cohorts * batch
    return cohorts * full_s + where(left > 0, rest_s, 0.0 * rest_s)


def closed_loop_ttft(*, prefill_one_s, prefill_all_s, step_s, tokens, concurrency, passes_before, burst, cycle_s):
    r"""Mean time to first token when each of C clients sends its next request as soon as the last is answered.

    .. math::
        a' = 1 + \tfrac{C - 1}{C}\,\min\left(a - 1,\; (1 - \tfrac{\beta}{2})\,C\right), \quad
        T = \min\left(a'\,t_1 + \min(a', N)\,t_d + \tfrac{\beta}{2}\,(t_C - t_1),\; 0.9\,t_c\right)

    Parameters
    ----------
    prefill_one_s : float or ndarray
        Prefill of one prompt, t_1. [s]
    prefill_all_s : float or ndarray
        Prefill of the prompts of all sequences that run, t_C. [s]
    step_s : float or ndarray
        One decode pass, which a prefill shares the engine with, t_d. [s]
    tokens : float or ndarray
        Tokens of an answer, N. [count]
    concurrency : float or ndarray
        Sequences that run, C. [sequence]
    passes_before : float or ndarray
        Passes from arrival to first token in a busy engine: the running one, the own one, and those that
        asynchronous scheduling has queued, a. [ratio]
    burst : float or ndarray
        Share of requests that arrive all at once, as the first of each client do, beta. [fraction]
    cycle_s : float or ndarray
        Time from one request of a client to its next, t_c. [s]

    Returns
    -------
    float or ndarray
        Mean time to first token of a request that finds room, T. [s]

    Notes
    -----
    This is the mean that benchmark tools print, from sending to the first token; clients beyond what fits
    wait whole cycles more. Steady arrivals would wait less; tools with few requests a client wait more.
    A request never waits for more prefills than the others send.

    Examples
    --------
    One client waits for its own prefill and a pass:

    >>> closed_loop_ttft(prefill_one_s=0.1, prefill_all_s=0.1, step_s=0.02, tokens=50, concurrency=1.0,
    ...                  passes_before=4.0, burst=0.1, cycle_s=5.0)
    0.12
    """
    clients = maximum(concurrency, 1.0)
    passes = 1 + (1 - 1 / clients) * minimum(passes_before - 1, (1 - burst / 2) * clients)
    own = passes * prefill_one_s + minimum(passes, maximum(tokens, 1.0)) * step_s
    crowd = burst * maximum(prefill_all_s - prefill_one_s, 0.0 * prefill_one_s) / 2
    return minimum(own + crowd, 0.9 * cycle_s)


def closed_loop_tpot(*, cycle_s, ttft_s, step_s, tokens):
    r"""Mean time per output token after the first, with the prefills of the others in between.

    .. math:: t = \max\left(\frac{t_c - T}{N - 1},\; t_d\right)

    Parameters
    ----------
    cycle_s : float or ndarray
        Prefill and decode of all sequences that run, t_c. [s]
    ttft_s : float or ndarray
        Time to first token, T. [s]
    step_s : float or ndarray
        Time of a decode pass for each token it gives, t_d. [s]
    tokens : float or ndarray
        Tokens of an answer, N; 2 where it has fewer. [count]

    Returns
    -------
    float or ndarray
        (last - first token time) / (N - 1), as benchmark tools define TPOT, t. [s]

    Examples
    --------
    10 s a request, 1 s to the first of 101 tokens:

    >>> closed_loop_tpot(cycle_s=10.0, ttft_s=1.0, step_s=0.02, tokens=101)
    0.09
    """
    return maximum((cycle_s - ttft_s) / (maximum(tokens, 2.0) - 1), step_s)

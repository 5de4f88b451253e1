"""Passes of a real engine: what each part of one takes, and the steady state that follows for its requests.

The parts add up: matrices, experts, cache reads, prompt attention, activations, links, fixed work.  Efficiencies
and latencies are arguments; ``data/calibration.csv`` holds the fitted ones.
"""

from tokenecon.numerics import Quantity, floor, maximum, minimum, sqrt, where


def attained_flop_per_s(*, flop_per_s_per_gpu: Quantity, watts_per_gpu: Quantity, efficiency: Quantity,
                        flop_per_s_per_watt: Quantity, throttle: Quantity) -> Quantity:
    r"""Arithmetic rate that large matrices reach, with less of the peak where the power budget is thin.

    .. math:: F_a = \eta\,F\,\min\left(1, \frac{k\,P}{F}\right)^{\gamma}

    Parameters
    ----------
    flop_per_s_per_gpu : float or ndarray
        Dense peak in the format computed in, F. [FLOP/s/GPU]
    watts_per_gpu : float or ndarray
        Board power, P. [W/GPU]
    efficiency : float or ndarray
        Share of the peak reached where power is no limit. [fraction]
    flop_per_s_per_watt : float or ndarray
        Peak per watt above which power begins to limit, k. [FLOP/s/W]
    throttle : float or ndarray
        Exponent of the loss above it; 0 for none. [1]

    Returns
    -------
    float or ndarray
        Attained rate, F_a. [FLOP/s/GPU]

    Examples
    --------
    1000 TFLOP/s on 500 W with a knee at 1 TFLOP/s a watt and square-root loss: 0.7 * sqrt(1/2) of the peak:

    >>> attained_flop_per_s(flop_per_s_per_gpu=1e15, watts_per_gpu=500.0, efficiency=0.7,
    ...                     flop_per_s_per_watt=1e12, throttle=0.5)
    4.9497e+14
    """
    budget = flop_per_s_per_watt * watts_per_gpu / flop_per_s_per_gpu
    return efficiency * flop_per_s_per_gpu * minimum(1.0, budget) ** throttle


def memory_and_arithmetic_seconds(*, reading_s: Quantity, computing_s: Quantity) -> Quantity:
    r"""Time of a kernel that reads and computes at once.

    .. math:: t = \sqrt{t_r^2 + t_c^2}, \quad t_r = \frac{W}{G\,BW}, \quad t_c = \frac{F}{G\,F_a}

    Parameters
    ----------
    reading_s : float or ndarray
        Time to read its bytes, W over the attained memory bandwidth of its GPUs, t_r. [s]
    computing_s : float or ndarray
        Time of its arithmetic, F over their attained rate, t_c. [s]

    Returns
    -------
    float or ndarray
        Time, t. [s]

    Notes
    -----
    The roofline takes the larger of the two. Kernels near the ridge overlap them imperfectly; the root of the
    squares is the larger one far from it and 1.41 times either at it.

    Examples
    --------
    3 s of reading and 4 s of arithmetic:

    >>> memory_and_arithmetic_seconds(reading_s=3.0, computing_s=4.0)
    5.0
    """
    return sqrt(reading_s * reading_s + computing_s * computing_s)


def independent_tokens(*, tokens: Quantity, independence: Quantity) -> Quantity:
    r"""Tokens that would touch as many experts if they chose independently, as the tokens of a batch do not.

    .. math:: m' = \max(m, 1)^{\sigma}

    Parameters
    ----------
    tokens : float or ndarray
        Tokens in the pass, m. [sequence]
    independence : float or ndarray
        1 where tokens choose independently, less where they agree, sigma. [1]

    Returns
    -------
    float or ndarray
        Independent tokens, m'. [sequence]

    Examples
    --------
    >>> independent_tokens(tokens=100.0, independence=0.5)
    10.0
    """
    return maximum(tokens, 1.0) ** independence


def expert_rows(*, tokens: Quantity, experts_per_token: Quantity, experts_touched: Quantity, padding: Quantity) -> Quantity:
    r"""Rows that the expert matrices of a layer multiply, with the empty ones that fill tiles.

    .. math:: r = k\,m + p\,E_t

    Parameters
    ----------
    tokens : float or ndarray
        Tokens in the pass, m. [sequence]
    experts_per_token : float or ndarray
        Experts of each token, k. [expert]
    experts_touched : float or ndarray
        Experts with at least one token, E_t. [expert]
    padding : float or ndarray
        Empty rows for each expert touched, p. [sequence]

    Returns
    -------
    float or ndarray
        Rows, r. [sequence]

    Examples
    --------
    Ten tokens, 2 experts each, 5 touched and 16 rows of padding each: 20 + 80:

    >>> expert_rows(tokens=10.0, experts_per_token=2, experts_touched=5.0, padding=16.0)
    100.0
    """
    return tokens * experts_per_token + padding * experts_touched


def activation_bytes(*, tokens: Quantity, layers: Quantity, hidden_size: Quantity, bytes_per_value: Quantity,
                     routed_layers: Quantity, routed_copies: Quantity, bytes_per_routed_value: Quantity) -> Quantity:
    r"""Bytes that norms, residuals, rotations, conversions and the dispatch to experts move.

    .. math:: A = m\,d\left(L\,b_a + L_E\,k\,b_E\right)

    Parameters
    ----------
    tokens : float or ndarray
        Tokens that one GPU holds, m. [sequence]
    layers : int or ndarray
        Layers, L. [layer]
    hidden_size : int or ndarray
        Hidden size, d. [count]
    bytes_per_value : float or ndarray
        Bytes moved for each value of the hidden state in a layer, b_a. [B]
    routed_layers : int or ndarray
        Layers with experts, L_E. [layer]
    routed_copies : float or ndarray
        Copies of each token that one GPU gathers and scatters, k. [expert]
    bytes_per_routed_value : float or ndarray
        Bytes moved for each value of a copy, b_E. [B]

    Returns
    -------
    float or ndarray
        Bytes on that GPU, A. [B]

    Examples
    --------
    2 tokens, 3 layers, 10 values of 20 B; one expert layer with 4 copies of 5 B: 2 * 10 * (60 + 20):

    >>> activation_bytes(tokens=2, layers=3, hidden_size=10, bytes_per_value=20.0, routed_layers=1,
    ...                  routed_copies=4, bytes_per_routed_value=5.0)
    1600.0
    """
    return tokens * hidden_size * (layers * bytes_per_value + routed_layers * routed_copies * bytes_per_routed_value)


def all_reduce_seconds(*, message_bytes: Quantity, ranks: Quantity, latency_s: Quantity, large_latency_s: Quantity,
                       large_bytes: Quantity, link_bytes_per_s: Quantity) -> Quantity:
    r"""Time of an all-reduce: a small latency, a larger one for large messages, and the traffic of a ring.

    .. math:: t = \alpha + \alpha_2\,\frac{V}{V + V_0} + \frac{2 (N - 1)}{N}\,\frac{V}{BW}

    Parameters
    ----------
    message_bytes : float or ndarray
        Bytes to be summed, V. [B]
    ranks : int or ndarray
        Ranks that hold them, N. [count]
    latency_s : float or ndarray
        Time of the smallest message. [s]
    large_latency_s : float or ndarray
        Time added where the message is too large for the one-step algorithm. [s]
    large_bytes : float or ndarray
        Message for which half of that is added, V_0. [B]
    link_bytes_per_s : float or ndarray
        Attained link bandwidth of one rank per direction, BW. [B/s]

    Returns
    -------
    float or ndarray
        Time, t; 0 for one rank. [s]

    Notes
    -----
    Engines change from one-step to ring or switch algorithms with the message; the middle term stands for it.

    References
    ----------
    Thakur, Rabenseifner, Gropp 2005, Int. J. High Performance Computing Applications 19(1).

    Examples
    --------
    1 MB over 2 ranks, half-way message 1 MB: 5 us + 10 us + 1 MB at 100 GB/s, which is 10 us:

    >>> all_reduce_seconds(message_bytes=1e6, ranks=2, latency_s=5e-6, large_latency_s=20e-6, large_bytes=1e6,
    ...                    link_bytes_per_s=1e11)
    2.5e-05
    """
    small = latency_s + large_latency_s * message_bytes / (message_bytes + large_bytes)
    traffic = 2 * (ranks - 1) / ranks * message_bytes / link_bytes_per_s
    return where(ranks > 1, small + traffic, 0.0 * latency_s)


def exchange_seconds(*, message_bytes: Quantity, ranks: Quantity, latency_s: Quantity, link_bytes_per_s: Quantity) -> Quantity:
    r"""Time to gather the tokens of all ranks before their experts, and to scatter the sums after them.

    .. math:: t = 2\left(\alpha + \frac{N - 1}{N}\,\frac{V}{BW}\right)

    Parameters
    ----------
    message_bytes : float or ndarray
        Hidden states of all ranks together, V. [B]
    ranks : int or ndarray
        Ranks, N. [count]
    latency_s : float or ndarray
        Time of the smallest gather or scatter. [s]
    link_bytes_per_s : float or ndarray
        Attained link bandwidth of one rank per direction, BW. [B/s]

    Returns
    -------
    float or ndarray
        Time, t; 0 for one rank. [s]

    Examples
    --------
    1 MB over 2 ranks at 100 GB/s: twice 5 us + 5 us:

    >>> exchange_seconds(message_bytes=1e6, ranks=2, latency_s=5e-6, link_bytes_per_s=1e11)
    2e-05
    """
    once = latency_s + (ranks - 1) / ranks * message_bytes / link_bytes_per_s
    return where(ranks > 1, 2 * once, 0.0 * latency_s)


def fixed_seconds(*, layers: Quantity, layer_s: Quantity, routed_layers: Quantity, routed_layer_s: Quantity, stages: Quantity,
                  step_s: Quantity, sequences: Quantity, sequence_s: Quantity) -> Quantity:
    r"""Time of a pass that no byte and no FLOP explains: kernels, the step of the scheduler, its sequences.

    .. math:: t = L\,t_L + L_E\,t_E + S\,(t_0 + B\,t_B)

    Parameters
    ----------
    layers : int or ndarray
        Layers, L. [layer]
    layer_s : float or ndarray
        Fixed time of a layer. [s]
    routed_layers : int or ndarray
        Layers with experts, L_E. [layer]
    routed_layer_s : float or ndarray
        Fixed time that routing adds to a layer. [s]
    stages : int or ndarray
        Pipeline stages, each with a step of its own, S. [count]
    step_s : float or ndarray
        Time of the scheduler in a step, t_0. [s]
    sequences : float or ndarray
        Sequences in a step, B. [sequence]
    sequence_s : float or ndarray
        Time for each of them: sampling, detokenising, streaming. [s]

    Returns
    -------
    float or ndarray
        Time, t. [s]

    Examples
    --------
    80 layers of 10 us, no experts, one step of 1 ms, 50 sequences of 8 us: 0.8 + 1 + 0.4 ms:

    >>> fixed_seconds(layers=80, layer_s=10e-6, routed_layers=0, routed_layer_s=0.0, stages=1, step_s=1e-3,
    ...               sequences=50.0, sequence_s=8e-6)
    0.0022
    """
    return layers * layer_s + routed_layers * routed_layer_s + stages * (step_s + sequences * sequence_s)


def prefill_tokens_per_pass(*, prompts: Quantity, positions: Quantity, budget: Quantity) -> Quantity:
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


def cohort_seconds(*, prefill_s: Quantity, step_s: Quantity, decode_passes: Quantity) -> Quantity:
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


def queue_seconds(*, requests: Quantity, batch: Quantity, full_s: Quantity, rest_s: Quantity) -> Quantity:
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


def closed_loop_ttft(*, prefill_one_s: Quantity, prefill_all_s: Quantity, step_s: Quantity, tokens: Quantity,
                     concurrency: Quantity, passes_before: Quantity, burst: Quantity, cycle_s: Quantity) -> Quantity:
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


def closed_loop_ttft_at(*, ttft_s: Quantity, prefill_one_s: Quantity, prefill_all_s: Quantity, burst: Quantity,
                        share: Quantity) -> Quantity:
    r"""Time to first token that a given share of the requests of a closed loop keeps to.

    .. math::
        T_q = T + \Delta\left(\max\left(0,\; 1 - \frac{1 - q}{\beta'}\right) - \frac{\beta'}{2}\right), \quad
        \beta' = \min(\beta, 1), \quad
        \Delta = \min\left(\frac{\beta}{\beta'}\,(t_C - t_1),\; \frac{2}{\beta'}\,\max(T - t_1, 0)\right)

    Parameters
    ----------
    ttft_s : float or ndarray
        Mean time to first token, T. [s]
    prefill_one_s : float or ndarray
        Prefill of one prompt, t_1. [s]
    prefill_all_s : float or ndarray
        Prefill of the prompts of all sequences that run, t_C. [s]
    burst : float or ndarray
        Share of requests that arrive all at once, as the first of each client do, beta. [fraction]
    share : float or ndarray
        Share of requests that wait no longer, q. [fraction]

    Returns
    -------
    float or ndarray
        Time that this share keeps to, T_q; its mean over all shares is T. [s]

    Notes
    -----
    The two parts of :func:`closed_loop_ttft`: who arrives with the crowd waits for any number of prompts of it, each as
    likely; the others, whose clients keep step because their lengths are equal, all wait alike. No more than T leaves
    beside the own prefill is given to the crowd.

    Examples
    --------
    A mean of 0.3 s, a tenth of the requests in a crowd of 2 s: of those half wait longer than 0.2 + 1 s:

    >>> closed_loop_ttft_at(ttft_s=0.3, prefill_one_s=0.1, prefill_all_s=2.1, burst=0.1, share=0.95)
    1.2
    """
    crowd = minimum(burst, 1.0)
    room = 2.0 / crowd * maximum(ttft_s - prefill_one_s, 0.0)
    span = minimum(burst / crowd * maximum(prefill_all_s - prefill_one_s, 0.0), room)
    return ttft_s + span * (maximum(1.0 - (1.0 - share) / crowd, 0.0) - crowd / 2)


def closed_loop_tpot(*, cycle_s: Quantity, ttft_s: Quantity, step_s: Quantity, tokens: Quantity) -> Quantity:
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

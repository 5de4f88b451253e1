"""A running instance and what it is asked for: rate, time per token, batches, concurrency, volumes of a workload."""

from tokenecon.numerics import Quantity, floor, maximum_of, where
from tokenecon.units import HOURS_PER_DAY, SECONDS_PER_DAY


def decode_tok_out_per_s(*, batch: Quantity, tok_out_per_pass: Quantity, step_s: Quantity) -> Quantity:
    r"""Output tokens per second of an instance that only decodes.

    .. math:: R = \frac{B\,e}{t(B)}

    Parameters
    ----------
    batch : float or ndarray
        Sequences decoded together, B. [sequence]
    tok_out_per_pass : float or ndarray
        Output tokens that a sequence gains in a pass: 1 without speculation, e. [tok_out]
    step_s : float or ndarray
        Time of the pass, t. [s]

    Returns
    -------
    float or ndarray
        Output tokens per second, R. [tok_out/s]

    Examples
    --------
    32 tokens every 12.013 ms:

    >>> decode_tok_out_per_s(batch=32, tok_out_per_pass=1, step_s=0.012013)
    2663.7809
    """
    return batch * tok_out_per_pass / step_s


def tpot_seconds(*, step_s: Quantity, tok_out_per_pass: Quantity) -> Quantity:
    r"""Time per output token that one user sees.

    .. math:: TPOT = t / e

    Parameters
    ----------
    step_s : float or ndarray
        Time of a pass, t. [s]
    tok_out_per_pass : float or ndarray
        Output tokens that a sequence gains in a pass: 1 without speculation, e. [tok_out]

    Returns
    -------
    float or ndarray
        Time per output token. [s/tok_out]

    Examples
    --------
    A pass of 30 ms that yields 2.5 tokens:

    >>> tpot_seconds(step_s=0.03, tok_out_per_pass=2.5)
    0.012
    """
    return step_s / tok_out_per_pass


def request_seconds(*, round_trip_s: Quantity, ttft_s: Quantity, tok_out: Quantity, tpot_s: Quantity) -> Quantity:
    r"""Time from sending a request to its last token.

    .. math:: T = RTT + TTFT + n_{out}\,TPOT

    Parameters
    ----------
    round_trip_s : float or ndarray
        Network round trip, RTT. [s]
    ttft_s : float or ndarray
        Time to first token, queueing and prefill included, TTFT. [s]
    tok_out : float or ndarray
        Output tokens after the first, n_out. [tok_out]
    tpot_s : float or ndarray
        Time per output token, TPOT. [s/tok_out]

    Returns
    -------
    float or ndarray
        Latency of the request, T. [s]

    Examples
    --------
    0.04 s + 0.5 s + 500 * 0.02 s:

    >>> request_seconds(round_trip_s=0.04, ttft_s=0.5, tok_out=500, tpot_s=0.02)
    10.54
    """
    return round_trip_s + ttft_s + tok_out * tpot_s


def littles_concurrency(*, requests_per_s: Quantity, request_s: Quantity) -> Quantity:
    r"""Requests in the system at a time, from their rate and their stay.

    .. math:: N = \lambda\,T

    Parameters
    ----------
    requests_per_s : float or ndarray
        Arrivals, lambda. [request/s]
    request_s : float or ndarray
        Mean time of a request in the system, T; see :func:`request_seconds`. [s]

    Returns
    -------
    float or ndarray
        Mean concurrency, N. [sequence]

    References
    ----------
    Little 1961, doi:10.1287/opre.9.3.383.

    Examples
    --------
    23.15 requests a second that stay 25 s each:

    >>> littles_concurrency(requests_per_s=23.15, request_s=25.0)
    578.75
    """
    return requests_per_s * request_s


def concurrent_streams(*, tok_out_per_day: Quantity, tok_out_per_s_per_stream: Quantity) -> Quantity:
    r"""Streams open at a time for a daily volume at a given speed of each.

    .. math:: N = \frac{V}{86400\,v}

    Parameters
    ----------
    tok_out_per_day : float or ndarray
        Output tokens a day, V. [tok_out/day]
    tok_out_per_s_per_stream : float or ndarray
        Output tokens per second that one user receives, v. [tok_out/s]

    Returns
    -------
    float or ndarray
        Mean number of open streams, N. [sequence]

    References
    ----------
    Little 1961, doi:10.1287/opre.9.3.383.

    Examples
    --------
    A billion tokens a day is 11,574 a second, at 20 a user:

    >>> concurrent_streams(tok_out_per_day=1e9, tok_out_per_s_per_stream=20)
    578.7037
    """
    return tok_out_per_day / SECONDS_PER_DAY / tok_out_per_s_per_stream


def answer_positions(*, tok_in_per_tok_out: Quantity, context_positions: Quantity) -> Quantity:
    r"""Length of an answer, where all requests are alike and the mean context of an output token is known.

    .. math:: n_o = \frac{n}{r + \tfrac12}

    Parameters
    ----------
    tok_in_per_tok_out : float or ndarray
        Input tokens over output tokens, r. [ratio]
    context_positions : float or ndarray
        Mean length of the KV cache over output tokens: the prompt and half of the answer, n. [position]

    Returns
    -------
    float or ndarray
        Output tokens of a request, n_o; its prompt has r times as many. [position]

    Notes
    -----
    Where requests differ, the long ones weigh more in a mean over output tokens, so that the mean request is shorter.

    Examples
    --------
    Four times as much input as output, and 4500 tokens on average: 4500/4.5:

    >>> answer_positions(tok_in_per_tok_out=4.0, context_positions=4500.0)
    1000.0
    """
    return context_positions / (tok_in_per_tok_out + 0.5)


def machines(*, tok_per_day: Quantity, tok_per_s: Quantity, utilisation: Quantity) -> Quantity:
    r"""Machines that a daily volume keeps, on average over the day.

    .. math:: N = \frac{V}{86400\,R\,U}

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens of a day, V. [tok/day]
    tok_per_s : float or ndarray
        Rate of a machine that is busy, R. [tok/s]
    utilisation : float or ndarray
        Share of its time in which it is, U. [fraction]

    Returns
    -------
    float or ndarray
        Machines, N. [count]

    Examples
    --------
    864 million tokens a day at 2000 a second and half of the time: 10,000/(2000 * 0.5):

    >>> machines(tok_per_day=864e6, tok_per_s=2000.0, utilisation=0.5)
    10.0
    """
    return tok_per_day / SECONDS_PER_DAY / (tok_per_s * utilisation)


def batching_saving(*, batch: Quantity, batch_step_s: Quantity, single_step_s: Quantity) -> Quantity:
    r"""Share of the cost of a token that decoding in a batch saves against decoding alone.

    .. math:: 1 - \frac{t(B)}{B\,t(1)}

    Parameters
    ----------
    batch : float or ndarray
        Sequences decoded together, B. [sequence]
    batch_step_s : float or ndarray
        Time of a step with the batch, t(B). [s]
    single_step_s : float or ndarray
        Time of a step with one sequence, t(1). [s]

    Returns
    -------
    float or ndarray
        Saving per token. [fraction]

    References
    ----------
    Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    A step that is 20% longer for 32 sequences: 1 - 1.2/32:

    >>> batching_saving(batch=32, batch_step_s=0.012, single_step_s=0.010)
    0.9625
    """
    return 1 - batch_step_s / (batch * single_step_s)


def batching_latency_rise(*, batch_step_s: Quantity, single_step_s: Quantity) -> Quantity:
    r"""Share by which a step, and so the time per output token, grows with the batch.

    .. math:: \frac{t(B)}{t(1)} - 1

    Parameters
    ----------
    batch_step_s : float or ndarray
        Time of a step with the batch, t(B). [s]
    single_step_s : float or ndarray
        Time of a step with one sequence, t(1). [s]

    Returns
    -------
    float or ndarray
        Rise over the step of one sequence. [fraction]

    References
    ----------
    Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    160.97 GB are read in place of 140.66 GB:

    >>> batching_latency_rise(batch_step_s=160.97152e9 / 13.4e12, single_step_s=140.65536e9 / 13.4e12)
    0.1444
    """
    return batch_step_s / single_step_s - 1


def static_occupancy(*, mean_tok_out: Quantity, mean_longest_tok_out: Quantity) -> Quantity:
    r"""Share of a static batch's slots that do work: everybody waits for the longest answer.

    .. math:: \frac{E[L]}{E[\max_B L]}

    Parameters
    ----------
    mean_tok_out : float or ndarray
        Mean length of an answer, E[L]. [tok_out]
    mean_longest_tok_out : float or ndarray
        Mean length of the longest answer of a batch. [tok_out]

    Returns
    -------
    float or ndarray
        Occupancy of the slots. [fraction]

    References
    ----------
    Yu et al. 2022, Orca, OSDI 2022.

    Examples
    --------
    >>> static_occupancy(mean_tok_out=250, mean_longest_tok_out=1000)
    0.25
    """
    return mean_tok_out / mean_longest_tok_out


def static_occupancy_exponential(*, batch: Quantity) -> Quantity:
    r"""Occupancy of a static batch whose answers have exponentially distributed lengths.

    .. math:: \frac{1}{H_B}, \quad H_B = \sum_{k=1}^{B} \frac{1}{k}

    Parameters
    ----------
    batch : int or ndarray
        Sequences started together, at least 1; a fraction counts as the whole number below, B. [sequence]

    Returns
    -------
    float or ndarray
        Occupancy of the slots. [fraction]

    Notes
    -----
    The longest of B independent exponential lengths is H_B times the mean.

    References
    ----------
    Yu et al. 2022, Orca, OSDI 2022.

    Examples
    --------
    1/(1 + 1/2 + 1/3 + 1/4 + 1/5 + 1/6) = 1/2.45:

    >>> static_occupancy_exponential(batch=6)
    0.4082
    """
    slots = floor(batch)
    harmonic: Quantity = 0.0
    for k in range(1, int(maximum_of(slots)) + 1):
        harmonic = harmonic + where(slots >= k, 1 / k, 0.0)
    return 1 / harmonic


def tok_per_day_of_conversations(*, conversations_per_day: Quantity, turns: Quantity, tok_per_turn: Quantity) -> Quantity:
    r"""Daily tokens of conversations.

    .. math:: V = n\,k\,\tau

    Parameters
    ----------
    conversations_per_day : float or ndarray
        Conversations a day, n. [request/day]
    turns : float or ndarray
        Turns in a conversation, k. [count]
    tok_per_turn : float or ndarray
        Tokens in a turn, tau. [tok/request]

    Returns
    -------
    float or ndarray
        Tokens a day, V. [tok/day]

    Examples
    --------
    10 million conversations of 20 turns of 150 tokens:

    >>> tok_per_day_of_conversations(conversations_per_day=10e6, turns=20, tok_per_turn=150)
    30000000000.0
    """
    return conversations_per_day * turns * tok_per_turn


def tok_per_turn(*, tok_per_day: Quantity, conversations_per_day: Quantity, turns: Quantity) -> Quantity:
    r"""Tokens in a turn that a stated volume implies.

    .. math:: \tau = \frac{V}{n\,k}

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    conversations_per_day : float or ndarray
        Conversations a day, n. [request/day]
    turns : float or ndarray
        Turns in a conversation, k. [count]

    Returns
    -------
    float or ndarray
        Tokens in a turn, tau. [tok/request]

    Examples
    --------
    2 billion tokens for 10 million conversations of 20 turns:

    >>> tok_per_turn(tok_per_day=2e9, conversations_per_day=10e6, turns=20)
    10.0
    """
    return tok_per_day / (conversations_per_day * turns)


def prompt_tok_per_task(*, first_tok: Quantity, added_tok: Quantity, answer_tok: Quantity, turns: Quantity) -> Quantity:
    r"""Prompt tokens of all turns of a task, each of which holds what came before it.

    .. math:: P = n\,f + (a + o)\,\frac{n (n - 1)}{2}

    Parameters
    ----------
    first_tok : float or ndarray
        Prompt of the first turn: instructions, tools, question, f. [tok]
    added_tok : float or ndarray
        What a turn adds before the next: a result of a tool, a reply of the user, a. [tok]
    answer_tok : float or ndarray
        Answer of a turn, which the next prompt holds, o. [tok]
    turns : float or ndarray
        Turns of a task, n. [count]

    Returns
    -------
    float or ndarray
        Prompt tokens of a task, P. [tok]

    Examples
    --------
    Three turns of 1,000, 1,600 and 2,200 tokens:

    >>> prompt_tok_per_task(first_tok=1000, added_tok=500, answer_tok=100, turns=3)
    4800.0
    """
    return turns * first_tok + (added_tok + answer_tok) * turns * (turns - 1) / 2


def cached_tok_per_task(*, prompt_tok: Quantity, first_tok: Quantity, added_tok: Quantity, turns: Quantity, held_share: Quantity,
                        resent_share: Quantity) -> Quantity:
    r"""Prompt tokens of a task that a prefix cache holds: of each turn what came before, of a turn sent again all of its prompt.

    .. math:: H = h\,\big(P - f - (n - 1)\,a + r\,P\big)

    Parameters
    ----------
    prompt_tok : float or ndarray
        Prompt tokens of all turns, each sent once, P. [tok]
    first_tok : float or ndarray
        Prompt of the first turn, f. [tok]
    added_tok : float or ndarray
        What a turn adds before the next, a. [tok]
    turns : float or ndarray
        Turns of a task, n. [count]
    held_share : float or ndarray
        Share of what was sent before that the cache still holds, h. [fraction]
    resent_share : float or ndarray
        Turns sent again for each turn, r. [fraction]

    Returns
    -------
    float or ndarray
        Prompt tokens found in the cache, H. [tok]

    Examples
    --------
    Three turns of 1,000, 1,600 and 2,200 tokens, of which 1,100 and 1,700 were sent before; a tenth of 4,800 is sent again:

    >>> cached_tok_per_task(prompt_tok=4800, first_tok=1000, added_tok=500, turns=3, held_share=0.9, resent_share=0.1)
    2952.0
    """
    return held_share * (prompt_tok - first_tok - (turns - 1) * added_tok + resent_share * prompt_tok)


def tok_per_audio_hour(*, tok_per_day: Quantity, audio_hours_per_day: Quantity) -> Quantity:
    r"""Tokens in an hour of audio that a stated volume implies.

    .. math:: \tau = V / a

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    audio_hours_per_day : float or ndarray
        Hours of audio a day, a. [h/day]

    Returns
    -------
    float or ndarray
        Tokens in an hour of audio, tau. [tok/h]

    Examples
    --------
    50 million tokens for 5000 hours:

    >>> tok_per_audio_hour(tok_per_day=50e6, audio_hours_per_day=5000)
    10000.0
    """
    return tok_per_day / audio_hours_per_day


def required_real_time_factor(*, audio_hours_per_day: Quantity, n_gpus: Quantity) -> Quantity:
    r"""Hours of audio that each GPU of a fleet must transcribe in an hour.

    .. math:: \frac{a}{24\,N}

    Parameters
    ----------
    audio_hours_per_day : float or ndarray
        Hours of audio a day, a. [h/day]
    n_gpus : float or ndarray
        GPUs of the fleet, N. [GPU]

    Returns
    -------
    float or ndarray
        Real-time factor of a GPU. [ratio/GPU]

    Examples
    --------
    5000 hours a day are 208.3 in an hour, on 375 GPUs:

    >>> required_real_time_factor(audio_hours_per_day=5000, n_gpus=375)
    0.5556
    """
    return audio_hours_per_day / HOURS_PER_DAY / n_gpus


def speech_window_flop(*, encoder_flop: Quantity, decoder_parameters: Quantity, text_positions: Quantity,
                       flop_per_multiply_add: Quantity) -> Quantity:
    r"""Arithmetic to transcribe one window of audio: the encoder once, the decoder for each text token.

    .. math:: F = F_{enc} + 2\,P_{dec}\,n

    Parameters
    ----------
    encoder_flop : float or ndarray
        Arithmetic of the encoder over the window's frames, F_enc. [FLOP]
    decoder_parameters : float or ndarray
        Parameters of the decoder, P_dec. [param]
    text_positions : float or ndarray
        Text tokens in the window, n. [position]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2. [FLOP]

    Returns
    -------
    float or ndarray
        Arithmetic of a window, F. [FLOP]

    References
    ----------
    Radford et al. 2022, Whisper, arXiv:2212.04356.

    Examples
    --------
    Whisper large, 83 tokens in 30 s: 2.27364e12 + 2 * 0.906e9 * 83:

    >>> speech_window_flop(encoder_flop=2.27364e12, decoder_parameters=0.906e9, text_positions=83,
    ...                    flop_per_multiply_add=2)
    2424036000000.0
    """
    return encoder_flop + flop_per_multiply_add * decoder_parameters * text_positions


def real_time_factor(*, window_s: Quantity, window_flop: Quantity, flop_per_s_per_gpu: Quantity, mfu: Quantity) -> Quantity:
    r"""Seconds of audio that one GPU transcribes in a second where arithmetic is what binds.

    .. math:: \frac{w\,\hat F\,\eta_c}{F}

    Parameters
    ----------
    window_s : float or ndarray
        Length of a window of audio, w. [s]
    window_flop : float or ndarray
        Arithmetic to transcribe it, F. [FLOP]
    flop_per_s_per_gpu : float or ndarray
        Peak dense arithmetic of a GPU. [FLOP/s/GPU]
    mfu : float or ndarray
        Share of it that is reached, eta_c. [fraction]

    Returns
    -------
    float or ndarray
        Real-time factor of a GPU. [ratio/GPU]

    References
    ----------
    Radford et al. 2022, Whisper, arXiv:2212.04356.

    Examples
    --------
    30 s at a tenth of an A100's 312 TFLOP/s: 936/2.424:

    >>> real_time_factor(window_s=30, window_flop=2.424e12, flop_per_s_per_gpu=312e12, mfu=0.1)
    386.1386
    """
    return window_s * flop_per_s_per_gpu * mfu / window_flop

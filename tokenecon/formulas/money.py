"""USD: what a million tokens costs, whose time it is, a bill read backwards, one offer against another."""

from tokenecon.numerics import Quantity
from tokenecon.units import (
    BYTES_PER_GB,
    DAYS_PER_YEAR,
    HOURS_PER_DAY,
    HOURS_PER_MONTH,
    MONTHS_PER_YEAR,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    TOKENS_PER_MTOK,
)


def usd_per_mtok(*, usd_per_gpu_hour: Quantity, n_gpus: Quantity, tok_per_s: Quantity, utilisation: Quantity) -> Quantity:
    r"""Cost of a million tokens on GPUs paid by the hour.

    .. math:: c = \frac{p\,N}{R\,U}\cdot\frac{10^6}{3600}

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    n_gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    tok_per_s : float or ndarray
        Tokens per second that are to pay, while it is busy, R. [tok/s]
    utilisation : float or ndarray
        Share of paid time in which it is busy, U. [fraction]

    Returns
    -------
    float or ndarray
        Cost of a million of these tokens, c. [USD/Mtok]

    Examples
    --------
    16 USD buy an hour of 8 GPUs, of which 0.8 at 25,000 tok/s make 72 Mtok:

    >>> usd_per_mtok(usd_per_gpu_hour=2.0, n_gpus=8, tok_per_s=25_000.0, utilisation=0.8)
    0.2222
    """
    return usd_per_gpu_hour * n_gpus / (tok_per_s * utilisation) * (TOKENS_PER_MTOK / SECONDS_PER_HOUR)


def usd_per_mtok_of_seconds(*, usd_per_gpu_hour: Quantity, n_gpus: Quantity, busy_s: Quantity, tok: Quantity,
                            utilisation: Quantity) -> Quantity:
    r"""Cost of a million tokens that cause so much time of a replica.

    .. math:: c = \frac{p\,N}{3600\,U}\cdot\frac{t}{n}\cdot 10^6

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of a GPU, p. [USD/GPU/h]
    n_gpus : float or ndarray
        GPUs of the replica, N. [GPU]
    busy_s : float or ndarray
        Time of the replica that the tokens of one request cause, t. [s]
    tok : float or ndarray
        These tokens, n. [tok]
    utilisation : float or ndarray
        Share of paid time in which the replica works so; 1 prices busy time alone, U. [fraction]

    Returns
    -------
    float or ndarray
        Cost, c. [USD/Mtok]

    Examples
    --------
    8 USD/h for 0.045 s and 500 tokens: 8/3600 * 0.045/500 * 1e6:

    >>> usd_per_mtok_of_seconds(usd_per_gpu_hour=2.0, n_gpus=4, busy_s=0.045, tok=500, utilisation=1.0)
    0.2
    """
    return usd_per_gpu_hour * n_gpus / SECONDS_PER_HOUR / utilisation * busy_s / tok * TOKENS_PER_MTOK


def usd_per_mtok_out(*, usd_per_gpu_hour: Quantity, n_gpus: Quantity, tok_out_per_s: Quantity,
                     utilisation: Quantity) -> Quantity:
    r"""Bill of GPUs paid by the hour over the output alone, whatever else they made.

    .. math:: c_{out} = \frac{p\,N}{R\,U}\cdot\frac{10^6}{3600}

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    n_gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    tok_out_per_s : float or ndarray
        Output tokens per second while it is busy, R. [tok_out/s]
    utilisation : float or ndarray
        Share of paid time in which it is busy, U. [fraction]

    Returns
    -------
    float or ndarray
        Bill over a million output tokens, c_out. [USD/Mtok_out]

    Notes
    -----
    Of an instance that only decodes this is what its output costs.  Of one that also reads prompts it is more than
    the cost of output tokens, which pay for the time they cause (:func:`output_seconds`), while the prompts pay for theirs.

    Examples
    --------
    16 USD buy an hour of 8 GPUs, of which 0.8 at 5000 tok/s make 14.4 Mtok:

    >>> usd_per_mtok_out(usd_per_gpu_hour=2.0, n_gpus=8, tok_out_per_s=5000.0, utilisation=0.8)
    1.1111
    """
    return usd_per_mtok(usd_per_gpu_hour=usd_per_gpu_hour, n_gpus=n_gpus, tok_per_s=tok_out_per_s, utilisation=utilisation)


def usd_per_mtok_blend(*, usd_per_mtok_in: Quantity, usd_per_mtok_out: Quantity, isl: Quantity, osl: Quantity) -> Quantity:
    r"""Cost of a million tokens of both kinds, at a workload's mix.

    .. math:: \frac{n_{in} c_{in} + n_{out} c_{out}}{n_{in} + n_{out}}

    Parameters
    ----------
    usd_per_mtok_in : float or ndarray
        Cost of a million input tokens, c_in. [USD/Mtok_in]
    usd_per_mtok_out : float or ndarray
        Cost of a million output tokens, c_out. [USD/Mtok_out]
    isl : float or ndarray
        Input tokens of a request, n_in. [tok_in]
    osl : float or ndarray
        Output tokens of a request, n_out. [tok_out]

    Returns
    -------
    float or ndarray
        Cost of a million tokens, input and output together. [USD/Mtok]

    Notes
    -----
    Falls when prompts grow, though the bill rises: compare blends only at the same mix.

    Examples
    --------
    2000 at 0.2127 and 500 at 1.124 USD: (425.4 + 562)/2500:

    >>> usd_per_mtok_blend(usd_per_mtok_in=0.2127, usd_per_mtok_out=1.124, isl=2000, osl=500)
    0.395
    """
    return (isl * usd_per_mtok_in + osl * usd_per_mtok_out) / (isl + osl)


def usd_per_mtok_of_kind(*, usd_per_mtok: Quantity, time_share: Quantity, tok_share: Quantity) -> Quantity:
    r"""Cost of a million tokens of one kind, where each kind pays for the time that it causes.

    .. math:: c\,\frac{t}{s}

    Parameters
    ----------
    usd_per_mtok : float or ndarray
        Cost of a million tokens of all kinds together, c. [USD/Mtok]
    time_share : float or ndarray
        Share of the time that this kind causes, t. [fraction]
    tok_share : float or ndarray
        Share of the tokens that are of this kind, s. [fraction]

    Returns
    -------
    float or ndarray
        Cost of a million tokens of this kind. [USD/Mtok]

    Examples
    --------
    A fifth of the tokens cause four fifths of the time:

    >>> usd_per_mtok_of_kind(usd_per_mtok=0.5, time_share=0.8, tok_share=0.2)
    2.0
    """
    return usd_per_mtok * time_share / tok_share


def usd_per_tok_from_word(*, usd_per_word: Quantity, words_per_tok: Quantity) -> Quantity:
    r"""Cost of a token from the cost of a word.

    .. math:: c_{tok} = c_{word}\,w

    Parameters
    ----------
    usd_per_word : float or ndarray
        Cost of a word, c_word. [USD/word]
    words_per_tok : float or ndarray
        Words in a token, less than 1 in most languages, w. [word/tok]

    Returns
    -------
    float or ndarray
        Cost of a token. [USD/tok]

    Examples
    --------
    0.00012 * 0.75:

    >>> usd_per_tok_from_word(usd_per_word=0.00012, words_per_tok=0.75)
    9e-05
    """
    return usd_per_word * words_per_tok


def usd_per_year(*, tok_per_day: Quantity, usd_per_tok: Quantity) -> Quantity:
    r"""Yearly cost of a daily volume of tokens.

    .. math:: 365\,V\,c

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    usd_per_tok : float or ndarray
        Cost of a token, c. [USD/tok]

    Returns
    -------
    float or ndarray
        Cost of a year of 365 days. [USD/yr]

    Examples
    --------
    A billion tokens a day at 0.001 USD:

    >>> usd_per_year(tok_per_day=1e9, usd_per_tok=0.001)
    365000000.0
    """
    return tok_per_day * usd_per_tok * DAYS_PER_YEAR


def usd_per_month(*, tok_per_day: Quantity, usd_per_tok: Quantity) -> Quantity:
    r"""Monthly cost of a daily volume of tokens.

    .. math:: \frac{365}{12}\,V\,c

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    usd_per_tok : float or ndarray
        Cost of a token, or the gap between two costs, c. [USD/tok]

    Returns
    -------
    float or ndarray
        Cost of a twelfth of 365 days. [USD/month]

    Examples
    --------
    0.0009 USD a token on a billion tokens a day: 900,000 * 365/12:

    >>> usd_per_month(tok_per_day=1e9, usd_per_tok=0.0009)
    27375000.0
    """
    return tok_per_day * usd_per_tok * (DAYS_PER_YEAR / MONTHS_PER_YEAR)


def usd_per_month_of_gpus(*, usd_per_gpu_hour: Quantity, n_gpus: Quantity) -> Quantity:
    r"""Monthly cost of GPUs that are paid round the clock.

    .. math:: 730\,p\,N

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    n_gpus : float or ndarray
        GPUs paid, in the mean of all hours, N. [GPU]

    Returns
    -------
    float or ndarray
        Cost of a twelfth of 365 days. [USD/month]

    Examples
    --------
    8 GPUs at 2.5 USD: 20 USD an hour:

    >>> usd_per_month_of_gpus(usd_per_gpu_hour=2.5, n_gpus=8)
    14600.0
    """
    return usd_per_gpu_hour * n_gpus * HOURS_PER_MONTH


def revenue_from_cost_share(*, usd_cost_per_year: Quantity, cost_share: Quantity) -> Quantity:
    r"""Yearly revenue that a cost and its share of revenue imply.

    .. math:: K / s

    Parameters
    ----------
    usd_cost_per_year : float or ndarray
        Cost of a year, K. [USD/yr]
    cost_share : float or ndarray
        Share of revenue that this cost takes, s. [fraction]

    Returns
    -------
    float or ndarray
        Implied revenue. [USD/yr]

    Examples
    --------
    2.7 million a day at 85%: 985.5e6/0.85:

    >>> revenue_from_cost_share(usd_cost_per_year=985.5e6, cost_share=0.85)
    1159411764.7
    """
    return usd_cost_per_year / cost_share


def margin(*, cost_share: Quantity) -> Quantity:
    r"""Share of revenue that a cost leaves.

    .. math:: 1 - s

    Parameters
    ----------
    cost_share : float or ndarray
        Share of revenue that the cost takes, s. [fraction]

    Returns
    -------
    float or ndarray
        Margin. [fraction]

    Examples
    --------
    >>> margin(cost_share=0.85)
    0.15
    """
    return 1 - cost_share


def usd_per_mtok_of_bill(*, usd_per_day: Quantity, tok_per_day: Quantity) -> Quantity:
    r"""Cost of a million tokens that a daily bill and volume imply.

    .. math:: \frac{K}{V}\cdot 10^6

    Parameters
    ----------
    usd_per_day : float or ndarray
        Bill of a day, K. [USD/day]
    tok_per_day : float or ndarray
        Tokens a day, of whatever kind the volume counts, V. [tok/day]

    Returns
    -------
    float or ndarray
        Cost of a million tokens. [USD/Mtok]

    Examples
    --------
    18,000 USD for 50 million tokens:

    >>> usd_per_mtok_of_bill(usd_per_day=18000, tok_per_day=50e6)
    360.0
    """
    return usd_per_day / tok_per_day * TOKENS_PER_MTOK


def usd_per_request_of_bill(*, usd_per_day: Quantity, requests_per_day: Quantity) -> Quantity:
    r"""Cost of a request, conversation or document that a daily bill implies.

    .. math:: K / r

    Parameters
    ----------
    usd_per_day : float or ndarray
        Bill of a day, K. [USD/day]
    requests_per_day : float or ndarray
        Requests, conversations or documents a day, r. [request/day]

    Returns
    -------
    float or ndarray
        Cost of one. [USD/request]

    Examples
    --------
    450,000 USD a month is 14,794.52 a day, for 10 million conversations:

    >>> usd_per_request_of_bill(usd_per_day=14794.52, requests_per_day=10e6)
    0.001479452
    """
    return usd_per_day / requests_per_day


def usd_per_audio_hour_of_bill(*, usd_per_day: Quantity, audio_hours_per_day: Quantity) -> Quantity:
    r"""Cost of an hour of audio that a daily bill implies.

    .. math:: K / a

    Parameters
    ----------
    usd_per_day : float or ndarray
        Bill of a day, K. [USD/day]
    audio_hours_per_day : float or ndarray
        Hours of audio a day, a. [h/day]

    Returns
    -------
    float or ndarray
        Cost of an hour of audio. [USD/h]

    Examples
    --------
    18,000 USD for 5000 hours:

    >>> usd_per_audio_hour_of_bill(usd_per_day=18000, audio_hours_per_day=5000)
    3.6
    """
    return usd_per_day / audio_hours_per_day


def implied_gpus(*, usd_per_day: Quantity, usd_per_gpu_hour: Quantity) -> Quantity:
    r"""GPUs that a daily bill pays for round the clock.

    .. math:: N = \frac{K}{24\,p}

    Parameters
    ----------
    usd_per_day : float or ndarray
        Bill of a day, K. [USD/day]
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]

    Returns
    -------
    float or ndarray
        GPUs, not rounded, N. [GPU]

    Examples
    --------
    18,000 USD a day at 2 USD an hour: 18,000/48:

    >>> implied_gpus(usd_per_day=18000, usd_per_gpu_hour=2.0)
    375.0
    """
    return usd_per_day / HOURS_PER_DAY / usd_per_gpu_hour


def implied_tok_per_s_per_gpu(*, tok_per_day: Quantity, n_gpus: Quantity) -> Quantity:
    r"""Mean rate of a GPU that a daily volume and a fleet imply.

    .. math:: \frac{V}{86400\,N}

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    n_gpus : float or ndarray
        GPUs of the fleet, N. [GPU]

    Returns
    -------
    float or ndarray
        Tokens per second and GPU. [tok/s/GPU]

    Examples
    --------
    2 billion tokens a day are 23,148 a second, on 158.1 GPUs:

    >>> implied_tok_per_s_per_gpu(tok_per_day=2e9, n_gpus=158.1)
    146.415
    """
    return tok_per_day / SECONDS_PER_DAY / n_gpus


def tok_per_s_for_price(*, usd_per_hour: Quantity, usd_per_mtok: Quantity) -> Quantity:
    r"""Rate that hardware must keep up for its tokens to cost a stated price.

    .. math:: R = \frac{P}{3600\,c}\cdot 10^6

    Parameters
    ----------
    usd_per_hour : float or ndarray
        Price of the whole instance for one hour: GPUs times their price, or a CPU server, P. [USD/h]
    usd_per_mtok : float or ndarray
        Stated cost of a million tokens, c. [USD/Mtok]

    Returns
    -------
    float or ndarray
        Tokens per second, averaged over paid time, R. [tok/s]

    Examples
    --------
    One dollar an hour at 0.80 USD a million tokens buys 1.25 million of them:

    >>> tok_per_s_for_price(usd_per_hour=1.0, usd_per_mtok=0.80)
    347.2222
    """
    return usd_per_hour / usd_per_mtok * (TOKENS_PER_MTOK / SECONDS_PER_HOUR)


def relative_cost(*, price_ratio: Quantity, speed_ratio: Quantity) -> Quantity:
    r"""Cost of a token on one machine over that on another.

    .. math:: \frac{p_1/p_2}{R_1/R_2}

    Parameters
    ----------
    price_ratio : float or ndarray
        Price of the first over price of the second, p_1/p_2. [ratio]
    speed_ratio : float or ndarray
        Rate of the first over rate of the second; also the price ratio at which both cost the same. [ratio]

    Returns
    -------
    float or ndarray
        Cost on the first over cost on the second. [ratio]

    Examples
    --------
    2.5 times the price for 3 times the speed:

    >>> relative_cost(price_ratio=2.5, speed_ratio=3.0)
    0.8333
    """
    return price_ratio / speed_ratio


def consolidation_saving(*, large_usd_per_gpu_hour: Quantity, large_gpus: Quantity, large_tok_per_s: Quantity,
                         small_usd_per_gpu_hour: Quantity, small_gpus: Quantity, small_tok_per_s: Quantity,
                         small_efficiency: Quantity) -> Quantity:
    r"""Share of the cost of a token saved by fewer large GPUs in place of several small ones.

    .. math:: 1 - \frac{N_a p_a/R_a}{N_b p_b/(R_b\,\eta)}

    Parameters
    ----------
    large_usd_per_gpu_hour : float or ndarray
        Price of a large GPU, p_a. [USD/GPU/h]
    large_gpus : float or ndarray
        Large GPUs needed, N_a. [GPU]
    large_tok_per_s : float or ndarray
        Their rate together, R_a. [tok/s]
    small_usd_per_gpu_hour : float or ndarray
        Price of a small GPU, p_b. [USD/GPU/h]
    small_gpus : float or ndarray
        Small GPUs needed, N_b. [GPU]
    small_tok_per_s : float or ndarray
        Their rate together if splitting cost nothing, R_b. [tok/s]
    small_efficiency : float or ndarray
        Efficiency of the split, eta. [fraction]

    Returns
    -------
    float or ndarray
        Saving per token; negative where the large ones cost more. [fraction]

    Examples
    --------
    One card at 2.15 USD against two at 1.49 USD, equally fast: 1 - 2.15/2.98:

    >>> consolidation_saving(large_usd_per_gpu_hour=2.15, large_gpus=1, large_tok_per_s=60.0,
    ...                      small_usd_per_gpu_hour=1.49, small_gpus=2, small_tok_per_s=60.0,
    ...                      small_efficiency=1.0)
    0.2785
    """
    large = large_usd_per_gpu_hour * large_gpus / large_tok_per_s
    small = small_usd_per_gpu_hour * small_gpus / (small_tok_per_s * small_efficiency)
    return 1 - large / small


def switch_over_utilisation(*, usd_per_gpu_hour: Quantity, n_gpus: Quantity, tok_per_s: Quantity,
                            usd_per_mtok_other: Quantity) -> Quantity:
    r"""Utilisation above which GPUs paid by the hour beat an offer paid by the token.

    .. math:: u^* = \frac{p\,N}{3600\,R\,c}\cdot 10^6

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    n_gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    tok_per_s : float or ndarray
        Tokens per second while it is busy, R. [tok/s]
    usd_per_mtok_other : float or ndarray
        Cost of a million tokens elsewhere: an API, a CPU server, c. [USD/Mtok]

    Returns
    -------
    float or ndarray
        Utilisation, u*; above 1 the other offer is always cheaper. [fraction]

    Examples
    --------
    3.90 USD buy at most 10.8 million tokens, which cost 8.64 USD elsewhere:

    >>> switch_over_utilisation(usd_per_gpu_hour=3.90, n_gpus=1, tok_per_s=3000, usd_per_mtok_other=0.80)
    0.4514
    """
    return usd_per_gpu_hour * n_gpus / (tok_per_s * usd_per_mtok_other) * (TOKENS_PER_MTOK / SECONDS_PER_HOUR)


def premium_saving(*, premium: Quantity, overhead: Quantity) -> Quantity:
    r"""Share saved by leaving an offer with a premium, after the overhead of doing the work oneself.

    .. math:: 1 - \frac{1 + o}{m}

    Parameters
    ----------
    premium : float or ndarray
        Price of the offer over the bare cost of the work, m. [ratio]
    overhead : float or ndarray
        Own operations over that bare cost, o. [ratio]

    Returns
    -------
    float or ndarray
        Saving. [fraction]

    Examples
    --------
    A premium of ten and own operations that double the bare cost: 1 - 2/10:

    >>> premium_saving(premium=10, overhead=1.0)
    0.8
    """
    return 1 - (1 + overhead) / premium


def overhead_for_saving(*, premium: Quantity, saving: Quantity) -> Quantity:
    r"""Overhead of own operations that a stated saving against a premium implies.

    .. math:: o = m\,(1 - s) - 1

    Parameters
    ----------
    premium : float or ndarray
        Price of the offer over the bare cost of the work, m. [ratio]
    saving : float or ndarray
        Stated saving, s. [fraction]

    Returns
    -------
    float or ndarray
        Own operations over the bare cost, o. [ratio]

    Examples
    --------
    >>> overhead_for_saving(premium=10, saving=0.7)
    2.0
    """
    return premium * (1 - saving) - 1


def egress_usd_per_mtok(*, bytes_per_tok: Quantity, usd_per_gb: Quantity) -> Quantity:
    r"""Cost of sending a million tokens of text out of a data centre.

    .. math:: 10^6\,\beta\,g

    Parameters
    ----------
    bytes_per_tok : float or ndarray
        Bytes of text in a token, beta. [B/tok]
    usd_per_gb : float or ndarray
        Price of outgoing traffic, g. [USD/GB]

    Returns
    -------
    float or ndarray
        Cost of a million tokens' traffic. [USD/Mtok]

    Examples
    --------
    4 MB at 0.09 USD a GB:

    >>> egress_usd_per_mtok(bytes_per_tok=4, usd_per_gb=0.09)
    0.00036
    """
    return bytes_per_tok * usd_per_gb * (TOKENS_PER_MTOK / BYTES_PER_GB)


def input_seconds(*, prefill_s: Quantity, prefix_attention_s: Quantity, cache_read_s: Quantity, new_positions: Quantity,
                  context_positions: Quantity) -> Quantity:
    r"""Time that the prompt tokens cause which no cache holds: reading them, and reading their keys and values later.

    .. math:: t_i = t_p - t_a + t_k\,\frac{n_i}{n}

    Parameters
    ----------
    prefill_s : float or ndarray
        Prefill of a request, t_p. [s]
    prefix_attention_s : float or ndarray
        Part of it that attends to tokens found in the prefix cache, t_a. [s]
    cache_read_s : float or ndarray
        Part of the decode time of a request that reads keys and values, t_k. [s]
    new_positions : float or ndarray
        Prompt tokens that no cache holds, n_i. [position]
    context_positions : float or ndarray
        Mean length of the context while decoding, n. [position]

    Returns
    -------
    float or ndarray
        Time, t_i. [s]

    Notes
    -----
    With :func:`cached_seconds` and :func:`output_seconds` it adds up to prefill and decode: nothing is left over, nothing
    is counted twice.

    Examples
    --------
    0.2 - 0.02 + 1.0 * 600/1600:

    >>> input_seconds(prefill_s=0.2, prefix_attention_s=0.02, cache_read_s=1.0, new_positions=600, context_positions=1600)
    0.555
    """
    return prefill_s - prefix_attention_s + cache_read_s * new_positions / context_positions


def cached_seconds(*, prefix_attention_s: Quantity, cache_read_s: Quantity, cached_positions: Quantity,
                   context_positions: Quantity) -> Quantity:
    r"""Time that prompt tokens found in a prefix cache cause: they are not computed again, but attended to and read.

    .. math:: t_c = t_a + t_k\,\frac{n_c}{n}

    Parameters
    ----------
    prefix_attention_s : float or ndarray
        Part of the prefill that attends to cached tokens, t_a. [s]
    cache_read_s : float or ndarray
        Part of the decode time of a request that reads keys and values, t_k. [s]
    cached_positions : float or ndarray
        Prompt tokens found in the cache, n_c. [position]
    context_positions : float or ndarray
        Mean length of the context while decoding, n. [position]

    Returns
    -------
    float or ndarray
        Time, t_c. [s]

    Examples
    --------
    0.02 + 1.0 * 900/1600:

    >>> cached_seconds(prefix_attention_s=0.02, cache_read_s=1.0, cached_positions=900, context_positions=1600)
    0.5825
    """
    return prefix_attention_s + cache_read_s * cached_positions / context_positions


def output_seconds(*, decode_s: Quantity, cache_read_s: Quantity, prompt_positions: Quantity,
                   context_positions: Quantity) -> Quantity:
    r"""Time that output tokens cause: decoding, but for reading the keys and values of the prompt.

    .. math:: t_o = t_d - t_k\,\frac{n_i + n_c}{n}

    Parameters
    ----------
    decode_s : float or ndarray
        Decode time of a request, t_d. [s]
    cache_read_s : float or ndarray
        Part of it that reads keys and values, t_k. [s]
    prompt_positions : float or ndarray
        Prompt tokens, cached or not, n_i + n_c. [position]
    context_positions : float or ndarray
        Mean length of the context while decoding: the prompt and half of the answer, n. [position]

    Returns
    -------
    float or ndarray
        Time, t_o. [s]

    Examples
    --------
    4.0 - 1.0 * 1500/1600:

    >>> output_seconds(decode_s=4.0, cache_read_s=1.0, prompt_positions=1500, context_positions=1600)
    3.0625
    """
    return decode_s - cache_read_s * prompt_positions / context_positions

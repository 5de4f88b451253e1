"""Whose time it is: a replica's busy time divided among new input, cached input and output tokens, without a rest."""

from tokenecon.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK


def input_seconds(*, prefill_s, prefix_attention_s, cache_read_s, new_positions, context_positions):
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


def cached_seconds(*, prefix_attention_s, cache_read_s, cached_positions, context_positions):
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


def output_seconds(*, decode_s, cache_read_s, prompt_positions, context_positions):
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


def usd_per_mtok_of_seconds(*, usd_per_gpu_hour, gpus, busy_s, tok, utilisation):
    r"""Cost of a million tokens that cause so much time of a replica.

    .. math:: c = \frac{p\,N}{3600\,U}\cdot\frac{t}{n}\cdot 10^6

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of a GPU, p. [USD/GPU/h]
    gpus : float or ndarray
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

    >>> usd_per_mtok_of_seconds(usd_per_gpu_hour=2.0, gpus=4, busy_s=0.045, tok=500, utilisation=1.0)
    0.2
    """
    return usd_per_gpu_hour * gpus / SECONDS_PER_HOUR / utilisation * busy_s / tok * TOKENS_PER_MTOK

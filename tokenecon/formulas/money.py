"""USD: the cost of a million input or output tokens, and the sums of a company that pays for them."""

from tokenecon.units import DAYS_PER_YEAR, MONTHS_PER_YEAR, SECONDS_PER_HOUR, TOKENS_PER_MTOK


def usd_per_mtok_out(*, usd_per_gpu_hour, gpus, tok_out_per_s, utilisation):
    r"""Cost of a million output tokens on GPUs paid by the hour.

    .. math:: c_{out} = \frac{p\,N}{R\,U}\cdot\frac{10^6}{3600}

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    tok_out_per_s : float or ndarray
        Output tokens per second while it is busy, R. [tok_out/s]
    utilisation : float or ndarray
        Share of paid time in which it is busy, U. [fraction]

    Returns
    -------
    float or ndarray
        Cost of a million output tokens, c_out. [USD/Mtok_out]

    Notes
    -----
    With the rate of pure decoding this is the cost of decoding alone, prefill apart; with the output
    rate of an instance that also prefills, it charges the whole bill to output tokens.

    Examples
    --------
    16 USD buy an hour of 8 GPUs, of which 0.8 at 5000 tok/s make 14.4 Mtok:

    >>> usd_per_mtok_out(usd_per_gpu_hour=2.0, gpus=8, tok_out_per_s=5000.0, utilisation=0.8)
    1.1111
    """
    return usd_per_gpu_hour * gpus / (tok_out_per_s * utilisation) * (TOKENS_PER_MTOK / SECONDS_PER_HOUR)


def usd_per_mtok_in(*, usd_per_gpu_hour, gpus, prefill_s, tok_in, utilisation):
    r"""Cost of a million input tokens: the paid time of their prefill.

    .. math:: c_{in} = \frac{p\,N\,t_p}{n_{in}\,U}\cdot\frac{10^6}{3600}

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    prefill_s : float or ndarray
        Time of the prefill, t_p. [s]
    tok_in : float or ndarray
        Input tokens in it, n_in. [tok_in]
    utilisation : float or ndarray
        Share of paid time in which the instance is busy, U. [fraction]

    Returns
    -------
    float or ndarray
        Cost of a million input tokens, c_in. [USD/Mtok_in]

    Examples
    --------
    Four H100 at 2.695 USD, 142.1 ms for 2000 tokens: 10.78 * 0.1421/3600/0.002:

    >>> usd_per_mtok_in(usd_per_gpu_hour=2.695, gpus=4, prefill_s=0.1421, tok_in=2000, utilisation=1.0)
    0.2128
    """
    return (usd_per_gpu_hour * gpus * prefill_s / (tok_in * utilisation)
            * (TOKENS_PER_MTOK / SECONDS_PER_HOUR))


def usd_per_mtok_blend(*, usd_per_mtok_in, usd_per_mtok_out, tok_in, tok_out):
    r"""Cost of a million tokens of both kinds, at a workload's mix.

    .. math:: \frac{n_{in} c_{in} + n_{out} c_{out}}{n_{in} + n_{out}}

    Parameters
    ----------
    usd_per_mtok_in : float or ndarray
        Cost of a million input tokens, c_in. [USD/Mtok_in]
    usd_per_mtok_out : float or ndarray
        Cost of a million output tokens, c_out. [USD/Mtok_out]
    tok_in : float or ndarray
        Input tokens of a request, n_in. [tok_in]
    tok_out : float or ndarray
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

    >>> usd_per_mtok_blend(usd_per_mtok_in=0.2127, usd_per_mtok_out=1.124, tok_in=2000, tok_out=500)
    0.395
    """
    return (tok_in * usd_per_mtok_in + tok_out * usd_per_mtok_out) / (tok_in + tok_out)


def usd_per_request(*, usd_per_mtok_in, usd_per_mtok_out, tok_in, tok_out):
    r"""Cost of a request from its tokens and their prices.

    .. math:: (n_{in} c_{in} + n_{out} c_{out})\cdot 10^{-6}

    Parameters
    ----------
    usd_per_mtok_in : float or ndarray
        Cost of a million input tokens, c_in. [USD/Mtok_in]
    usd_per_mtok_out : float or ndarray
        Cost of a million output tokens, c_out. [USD/Mtok_out]
    tok_in : float or ndarray
        Input tokens of a request, n_in. [tok_in/request]
    tok_out : float or ndarray
        Output tokens of a request, n_out. [tok_out/request]

    Returns
    -------
    float or ndarray
        Cost of a request. [USD/request]

    Examples
    --------
    2000 tokens at 2.50 and 500 at 10 USD a million: 0.005 + 0.005:

    >>> usd_per_request(usd_per_mtok_in=2.50, usd_per_mtok_out=10.0, tok_in=2000, tok_out=500)
    0.01
    """
    return (tok_in * usd_per_mtok_in + tok_out * usd_per_mtok_out) / TOKENS_PER_MTOK


def usd_per_tok_from_word(*, usd_per_word, words_per_tok):
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


def usd_per_year(*, tok_per_day, usd_per_tok):
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


def usd_per_month(*, tok_per_day, usd_per_tok):
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


def revenue_from_cost_share(*, usd_cost_per_year, cost_share):
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
    2.7 million a day at 85 %: 985.5e6/0.85:

    >>> revenue_from_cost_share(usd_cost_per_year=985.5e6, cost_share=0.85)
    1159411764.7
    """
    return usd_cost_per_year / cost_share


def margin(*, cost_share):
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

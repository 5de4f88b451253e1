"""Reading a bill backwards: unit costs, the fleet and the rate that a stated cost implies."""

from tokenecon.units import HOURS_PER_DAY, SECONDS_PER_DAY, SECONDS_PER_HOUR, TOKENS_PER_MTOK


def usd_per_mtok_of_bill(*, usd_per_day, tok_per_day):
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


def usd_per_request_of_bill(*, usd_per_day, requests_per_day):
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


def usd_per_audio_hour_of_bill(*, usd_per_day, audio_hours_per_day):
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


def implied_gpus(*, usd_per_day, usd_per_gpu_hour):
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


def implied_tok_per_s_per_gpu(*, tok_per_day, gpus):
    r"""Mean rate of a GPU that a daily volume and a fleet imply.

    .. math:: \frac{V}{86400\,N}

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    gpus : float or ndarray
        GPUs of the fleet, N. [GPU]

    Returns
    -------
    float or ndarray
        Tokens per second and GPU. [tok/s/GPU]

    Examples
    --------
    2 billion tokens a day are 23,148 a second, on 158.1 GPUs:

    >>> implied_tok_per_s_per_gpu(tok_per_day=2e9, gpus=158.1)
    146.415
    """
    return tok_per_day / SECONDS_PER_DAY / gpus


def tok_per_s_for_price(*, usd_per_hour, usd_per_mtok):
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

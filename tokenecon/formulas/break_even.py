"""One offer against another: relative cost, premiums, and the volume or utilisation at which they meet."""

from tokenecon.units import BYTES_PER_GB, HOURS_PER_DAY, SECONDS_PER_HOUR, TOKENS_PER_MTOK


def relative_cost(*, price_ratio, speed_ratio):
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


def consolidation_saving(*, large_usd_per_gpu_hour, large_gpus, large_tok_per_s, small_usd_per_gpu_hour,
                         small_gpus, small_tok_per_s, small_efficiency):
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


def switch_over_utilisation(*, usd_per_gpu_hour, gpus, tok_per_s, usd_per_mtok_other):
    r"""Utilisation above which GPUs paid by the hour beat an offer paid by the token.

    .. math:: u^* = \frac{p\,N}{3600\,R\,c}\cdot 10^6

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    gpus : float or ndarray
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

    >>> switch_over_utilisation(usd_per_gpu_hour=3.90, gpus=1, tok_per_s=3000, usd_per_mtok_other=0.80)
    0.4514
    """
    return usd_per_gpu_hour * gpus / (tok_per_s * usd_per_mtok_other) * (TOKENS_PER_MTOK / SECONDS_PER_HOUR)


def break_even_tok_per_day(*, gpus, usd_per_gpu_hour, usd_per_mtok_api):
    r"""Daily volume above which the smallest own instance costs less than an API.

    .. math:: V^* = \frac{24\,N\,p}{c}\cdot 10^6

    Parameters
    ----------
    gpus : float or ndarray
        GPUs that the model needs at least, paid round the clock, N. [GPU]
    usd_per_gpu_hour : float or ndarray
        Price of one GPU for one hour, p. [USD/GPU/h]
    usd_per_mtok_api : float or ndarray
        The API's price of a million tokens at the workload's mix, c. [USD/Mtok]

    Returns
    -------
    float or ndarray
        Tokens a day, V*. [tok/day]

    Notes
    -----
    Holds as long as the instance can serve so much: compare with its rate.

    Examples
    --------
    Two GPUs at 1.49 USD are 71.52 USD a day, against 8 USD a million tokens:

    >>> break_even_tok_per_day(gpus=2, usd_per_gpu_hour=1.49, usd_per_mtok_api=8.0)
    8940000.0
    """
    return HOURS_PER_DAY * gpus * usd_per_gpu_hour / usd_per_mtok_api * TOKENS_PER_MTOK


def premium_saving(*, premium, overhead):
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


def overhead_for_saving(*, premium, saving):
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


def egress_usd_per_mtok(*, bytes_per_tok, usd_per_gb):
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

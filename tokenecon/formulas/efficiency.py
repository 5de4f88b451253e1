"""Energy and carbon of a token; bandwidth, arithmetic and memory for a watt and for a dollar."""

from tokenecon.numerics import Quantity


def joules_per_tok_out(*, n_gpus: Quantity, watts_per_gpu: Quantity, pue: Quantity, tok_out_per_s: Quantity) -> Quantity:
    r"""Energy of an output token, the building's share included.

    .. math:: E = \frac{N\,P_W\,PUE}{R}

    Parameters
    ----------
    n_gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    watts_per_gpu : float or ndarray
        Power drawn while decoding, P_W. [W/GPU]
    pue : float or ndarray
        Power usage effectiveness, PUE. [ratio]
    tok_out_per_s : float or ndarray
        Output tokens per second, R. [tok_out/s]

    Returns
    -------
    float or ndarray
        Energy, E. [J/tok_out]

    References
    ----------
    Barroso, Hoelzle, Ranganathan 2018, The Datacenter as a Computer, 3rd edition,
    doi:10.2200/S00874ED3V01Y201809CAC046.

    Examples
    --------
    700 W at 23.93 tokens a second:

    >>> joules_per_tok_out(n_gpus=1, watts_per_gpu=700, pue=1.0, tok_out_per_s=23.93)
    29.252
    """
    return n_gpus * watts_per_gpu * pue / tok_out_per_s


def energy_usd_per_mtok_out(*, kwh_per_mtok_out: Quantity, usd_per_kwh: Quantity) -> Quantity:
    r"""Electricity of a million output tokens.

    .. math:: E\,e

    Parameters
    ----------
    kwh_per_mtok_out : float or ndarray
        Energy of a million output tokens, E. [kWh/Mtok_out]
    usd_per_kwh : float or ndarray
        Price of electricity, e. [USD/kWh]

    Returns
    -------
    float or ndarray
        Electricity of a million output tokens. [USD/Mtok_out]

    Examples
    --------
    8.125 kWh a million tokens:

    >>> energy_usd_per_mtok_out(kwh_per_mtok_out=8.125, usd_per_kwh=0.10)
    0.8125
    """
    return kwh_per_mtok_out * usd_per_kwh


def gco2e_per_mtok_out(*, kwh_per_mtok_out: Quantity, gco2e_per_kwh: Quantity) -> Quantity:
    r"""Carbon of the electricity of a million output tokens.

    .. math:: E\,\kappa

    Parameters
    ----------
    kwh_per_mtok_out : float or ndarray
        Energy of a million output tokens, E. [kWh/Mtok_out]
    gco2e_per_kwh : float or ndarray
        Carbon intensity of the grid, kappa. [gCO2e/kWh]

    Returns
    -------
    float or ndarray
        Carbon of a million output tokens. [gCO2e/Mtok_out]

    Examples
    --------
    8.125 kWh at 400 g:

    >>> gco2e_per_mtok_out(kwh_per_mtok_out=8.125, gco2e_per_kwh=400)
    3250.0
    """
    return kwh_per_mtok_out * gco2e_per_kwh


def bandwidth_per_watt(*, bytes_per_s_per_gpu: Quantity, watts_per_gpu: Quantity) -> Quantity:
    r"""Memory bandwidth for each watt.

    .. math:: BW / P_W

    Parameters
    ----------
    bytes_per_s_per_gpu : float or ndarray
        Memory bandwidth, BW. [B/s/GPU]
    watts_per_gpu : float or ndarray
        Power, P_W. [W/GPU]

    Returns
    -------
    float or ndarray
        Bandwidth for a watt. [B/s/W]

    Examples
    --------
    3.35 TB/s for 700 W:

    >>> bandwidth_per_watt(bytes_per_s_per_gpu=3.35e12, watts_per_gpu=700)
    4785714285.7
    """
    return bytes_per_s_per_gpu / watts_per_gpu


def memory_per_watt(*, memory_bytes_per_gpu: Quantity, watts_per_gpu: Quantity) -> Quantity:
    r"""Memory for each watt.

    .. math:: M / P_W

    Parameters
    ----------
    memory_bytes_per_gpu : float or ndarray
        Memory of a GPU, M. [B/GPU]
    watts_per_gpu : float or ndarray
        Power, P_W. [W/GPU]

    Returns
    -------
    float or ndarray
        Memory for a watt. [B/W]

    Examples
    --------
    >>> memory_per_watt(memory_bytes_per_gpu=141e9, watts_per_gpu=700)
    201428571.4
    """
    return memory_bytes_per_gpu / watts_per_gpu


def bandwidth_per_usd(*, bytes_per_s_per_gpu: Quantity, usd_per_gpu: Quantity) -> Quantity:
    r"""Memory bandwidth for each dollar of purchase price.

    .. math:: BW / K

    Parameters
    ----------
    bytes_per_s_per_gpu : float or ndarray
        Memory bandwidth, BW. [B/s/GPU]
    usd_per_gpu : float or ndarray
        Purchase price, K. [USD/GPU]

    Returns
    -------
    float or ndarray
        Bandwidth for a dollar. [B/s/USD]

    Examples
    --------
    4.8 TB/s for 32,000 USD:

    >>> bandwidth_per_usd(bytes_per_s_per_gpu=4.8e12, usd_per_gpu=32e3)
    150000000.0
    """
    return bytes_per_s_per_gpu / usd_per_gpu

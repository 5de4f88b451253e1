"""An hour of an own server, part by part: server, capital with a residual value, staff, space, drawn power; cash flows."""

from tokenecon.units import HOURS_PER_MONTH, HOURS_PER_YEAR

COMPOUNDING_YEARS = 1.0  # interest is counted once in this time [yr]


def server_usd_per_gpu(*, usd_per_gpu, parts_usd_per_gpu, margin):
    r"""Price of a GPU's share of a complete server.

    .. math:: S = \frac{K + P}{1 - m}

    Parameters
    ----------
    usd_per_gpu : float or ndarray
        Price of the GPU, K. [USD/GPU]
    parts_usd_per_gpu : float or ndarray
        Processors, memory, disks, network cards and chassis, a GPU's share, P. [USD/GPU]
    margin : float or ndarray
        Share of the server's price that its maker keeps, m. [fraction]

    Returns
    -------
    float or ndarray
        Price of the share of the server, S. [USD/GPU]

    Examples
    --------
    (30,000 + 4,000)/0.85:

    >>> server_usd_per_gpu(usd_per_gpu=30e3, parts_usd_per_gpu=4e3, margin=0.15)
    40000.0
    """
    return (usd_per_gpu + parts_usd_per_gpu) / (1 - margin)


def residual_annuity_usd_per_gpu_hour(*, usd_per_gpu, residual_usd_per_gpu, capital_recovery_per_year, discount_rate,
                                      availability):
    r"""Capital cost of a usable hour of what is bought, used for some years and sold.

    .. math:: \frac{(K - R)\,CRF + R\,r}{8760\,A} = \frac{\left(K - R\,(1+r)^{-T}\right) CRF}{8760\,A}

    Parameters
    ----------
    usd_per_gpu : float or ndarray
        Price paid, K. [USD/GPU]
    residual_usd_per_gpu : float or ndarray
        Price got at the end, R. [USD/GPU]
    capital_recovery_per_year : float or ndarray
        Capital recovery factor for this interest and life, CRF. [1/yr]
    discount_rate : float or ndarray
        Interest for a year, r. [fraction]
    availability : float or ndarray
        Share of hours in which the GPU can be used, A. [fraction]

    Returns
    -------
    float or ndarray
        Capital cost of an hour; (K - R)/T over the hours of a year without interest. [USD/GPU/h]

    Notes
    -----
    What will be lost is repaid with interest; on what will come back only interest is due. Both sides are the same,
    since the capital recovery factor times the discount of the last year is the factor less the interest.

    References
    ----------
    Barroso, Hoelzle, Ranganathan 2018, The Datacenter as a Computer, 3rd edition, chapter on cost,
    doi:10.2200/S00874ED3V01Y201809CAC046.

    Examples
    --------
    (40,000 - 8,000) * 0.31547 + 8,000 * 0.1 = 10,895.04 USD a year:

    >>> residual_annuity_usd_per_gpu_hour(usd_per_gpu=40e3, residual_usd_per_gpu=8e3,
    ...                                   capital_recovery_per_year=0.31547, discount_rate=0.1, availability=1.0)
    1.2437
    """
    lost = (usd_per_gpu - residual_usd_per_gpu) * capital_recovery_per_year
    return (lost + residual_usd_per_gpu * discount_rate / COMPOUNDING_YEARS) / HOURS_PER_YEAR / availability


def staff_usd_per_gpu_hour(*, usd_per_gpu_year, availability):
    r"""People of a usable hour.

    .. math:: \frac{w}{8760\,A}

    Parameters
    ----------
    usd_per_gpu_year : float or ndarray
        Pay of those who keep the servers running, for each GPU, w. [USD/GPU/yr]
    availability : float or ndarray
        Share of hours in which the GPU can be used, A. [fraction]

    Returns
    -------
    float or ndarray
        Staff of an hour. [USD/GPU/h]

    Examples
    --------
    >>> staff_usd_per_gpu_hour(usd_per_gpu_year=438.0, availability=1.0)
    0.05
    """
    return usd_per_gpu_year / HOURS_PER_YEAR / availability


def space_usd_per_gpu_hour(*, usd_per_kw_month, kw_per_gpu, availability):
    r"""Hall, cooling and power lines of a usable hour: paid for what the machines may draw, not for what they do.

    .. math:: \frac{q\,P_{kW}}{730\,A}

    Parameters
    ----------
    usd_per_kw_month : float or ndarray
        Rent for a kilowatt of machines, q. [USD/kW/month]
    kw_per_gpu : float or ndarray
        Rated power of the machines of a GPU, without cooling, P_kW. [kW/GPU]
    availability : float or ndarray
        Share of hours in which the GPU can be used, A. [fraction]

    Returns
    -------
    float or ndarray
        Space of an hour. [USD/GPU/h]

    Examples
    --------
    146 USD * 1.5 kW over 730 h:

    >>> space_usd_per_gpu_hour(usd_per_kw_month=146.0, kw_per_gpu=1.5, availability=1.0)
    0.3
    """
    return usd_per_kw_month * kw_per_gpu / HOURS_PER_MONTH / availability


def drawn_share(*, idle_share, busy_share, utilisation):
    r"""Mean draw over rated power of a machine that works part of the time.

    .. math:: d = d_0 + (d_1 - d_0)\,U

    Parameters
    ----------
    idle_share : float or ndarray
        Draw over rated power while it waits, d_0. [fraction]
    busy_share : float or ndarray
        Draw over rated power while it works, d_1. [fraction]
    utilisation : float or ndarray
        Share of the time in which it works, U. [fraction]

    Returns
    -------
    float or ndarray
        Mean draw over rated power, d. [fraction]

    References
    ----------
    Fan, Weber, Barroso 2007, Power provisioning for a warehouse-sized computer, doi:10.1145/1250662.1250665.

    Examples
    --------
    0.25 + 0.55 * 0.6:

    >>> drawn_share(idle_share=0.25, busy_share=0.80, utilisation=0.6)
    0.58
    """
    return idle_share + (busy_share - idle_share) * utilisation


def net_present_usd(*, cash_usd, discount_rate):
    r"""Value today of payments at the start and at the end of each year after it.

    .. math:: V = \sum_{t=0}^{T} \frac{C_t}{(1+r)^t}

    Parameters
    ----------
    cash_usd : sequence of float or ndarray
        Payment now, then one a year, C. [USD]
    discount_rate : float or ndarray
        Interest for a year, r. [fraction]

    Returns
    -------
    float or ndarray
        Net present value, V. [USD]

    Examples
    --------
    100 now, 60.5 a year and two years on at 10 %: 100 + 55 + 50:

    >>> net_present_usd(cash_usd=[100.0, 60.5, 60.5], discount_rate=0.1)
    205.0
    """
    value = 0.0
    for cash in cash_usd[::-1]:
        value = cash + value / (1 + discount_rate)
    return value

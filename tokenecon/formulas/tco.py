"""Owning a GPU: capital, upkeep, staff, space and power of an hour, residual values, and money over years."""

from tokenecon.numerics import Quantities, Quantity, exp, where
from tokenecon.units import HOURS_PER_MONTH, HOURS_PER_YEAR, WATTS_PER_KILOWATT

COMPOUNDING_YEARS = 1.0  # interest, decline and growth are counted once in this time [yr]


def capital_recovery_factor(*, discount_rate: Quantity, years: Quantity) -> Quantity:
    r"""Yearly payment that repays one dollar with interest.

    .. math:: CRF = \frac{r(1+r)^T}{(1+r)^T - 1}

    Parameters
    ----------
    discount_rate : float or ndarray
        Interest for a year, 0 for none, r. [fraction]
    years : float or ndarray
        Years of repayment, T. [yr]

    Returns
    -------
    float or ndarray
        Payment a year for each dollar, CRF; 1/T without interest. [1/yr]

    References
    ----------
    Barroso, Hoelzle, Ranganathan 2018, The Datacenter as a Computer, 3rd edition, chapter on cost,
    doi:10.2200/S00874ED3V01Y201809CAC046.

    Examples
    --------
    1.1**4 = 1.4641: 0.1 * 1.4641/0.4641:

    >>> capital_recovery_factor(discount_rate=0.10, years=4)
    0.3155
    """
    growth = (1 + discount_rate) ** (years / COMPOUNDING_YEARS)
    repaid = where(growth > 1, growth - 1, 1.0)  # no division by zero where there is no interest
    return where(growth > 1, discount_rate * growth / repaid / COMPOUNDING_YEARS, 1 / years)


def capital_usd_per_gpu_hour(*, usd_per_gpu: Quantity, server_factor: Quantity, capital_recovery_per_year: Quantity,
                             availability: Quantity) -> Quantity:
    r"""Capital cost of one usable hour of an owned GPU.

    .. math:: \frac{K\,s\,CRF}{8760\,A}

    Parameters
    ----------
    usd_per_gpu : float or ndarray
        Purchase price, K. [USD/GPU]
    server_factor : float or ndarray
        Price with the GPU's share of server and network over that of the GPU alone, s. [ratio]
    capital_recovery_per_year : float or ndarray
        Capital recovery factor, CRF. [1/yr]
    availability : float or ndarray
        Share of hours in which the GPU can be used, A. [fraction]

    Returns
    -------
    float or ndarray
        Capital cost of an hour. [USD/GPU/h]

    Examples
    --------
    35,000 * 1.5 * 0.31547/8760:

    >>> capital_usd_per_gpu_hour(usd_per_gpu=35e3, server_factor=1.5, capital_recovery_per_year=0.31547,
    ...                          availability=1.0)
    1.8907
    """
    return usd_per_gpu * server_factor * capital_recovery_per_year / HOURS_PER_YEAR / availability


def upkeep_usd_per_gpu_hour(*, usd_per_gpu: Quantity, server_factor: Quantity, upkeep_per_year: Quantity,
                            availability: Quantity) -> Quantity:
    r"""Upkeep of one usable hour of an owned GPU: repairs and support contracts.

    .. math:: \frac{K\,s\,m}{8760\,A}

    Parameters
    ----------
    usd_per_gpu : float or ndarray
        Purchase price, K. [USD/GPU]
    server_factor : float or ndarray
        Price with the GPU's share of server and network over that of the GPU alone, s. [ratio]
    upkeep_per_year : float or ndarray
        Share of the whole price spent every year, m. [1/yr]
    availability : float or ndarray
        Share of hours in which the GPU can be used, A. [fraction]

    Returns
    -------
    float or ndarray
        Upkeep of an hour. [USD/GPU/h]

    Examples
    --------
    35,000 * 1.5 * 0.03/8760:

    >>> upkeep_usd_per_gpu_hour(usd_per_gpu=35e3, server_factor=1.5, upkeep_per_year=0.03, availability=1.0)
    0.1798
    """
    return usd_per_gpu * server_factor * upkeep_per_year / HOURS_PER_YEAR / availability


def power_usd_per_gpu_hour(*, watts_per_gpu: Quantity, pue: Quantity, usd_per_kwh: Quantity) -> Quantity:
    r"""Electricity of one hour of a GPU.

    .. math:: \frac{P_W}{1000}\,PUE\,e

    Parameters
    ----------
    watts_per_gpu : float or ndarray
        Power drawn, with the GPU's share of its server if that is meant, P_W. [W/GPU]
    pue : float or ndarray
        Power usage effectiveness: power of the building over power of its machines, PUE. [ratio]
    usd_per_kwh : float or ndarray
        Price of electricity, e. [USD/kWh]

    Returns
    -------
    float or ndarray
        Electricity of an hour. [USD/GPU/h]

    References
    ----------
    Barroso, Hoelzle, Ranganathan 2018, The Datacenter as a Computer, 3rd edition,
    doi:10.2200/S00874ED3V01Y201809CAC046.

    Examples
    --------
    0.7 kW * 1.3 * 0.10 USD:

    >>> power_usd_per_gpu_hour(watts_per_gpu=700, pue=1.3, usd_per_kwh=0.10)
    0.091
    """
    return watts_per_gpu / WATTS_PER_KILOWATT * pue * usd_per_kwh


def owned_usd_per_gpu_hour(*, capital_usd_per_gpu_hour: Quantity, upkeep_usd_per_gpu_hour: Quantity,
                           power_usd_per_gpu_hour: Quantity) -> Quantity:
    r"""Total cost of one hour of an owned GPU: the sum of its parts.

    .. math:: \frac{K\,s\,CRF + K\,s\,m}{8760\,A} + \frac{P_W}{1000}\,PUE\,e

    Parameters
    ----------
    capital_usd_per_gpu_hour : float or ndarray
        Capital cost of an hour. [USD/GPU/h]
    upkeep_usd_per_gpu_hour : float or ndarray
        Upkeep of an hour. [USD/GPU/h]
    power_usd_per_gpu_hour : float or ndarray
        Electricity of an hour. [USD/GPU/h]

    Returns
    -------
    float or ndarray
        Cost of an hour. [USD/GPU/h]

    References
    ----------
    Barroso, Hoelzle, Ranganathan 2018, The Datacenter as a Computer, 3rd edition,
    doi:10.2200/S00874ED3V01Y201809CAC046.

    Examples
    --------
    >>> owned_usd_per_gpu_hour(capital_usd_per_gpu_hour=1.8907, upkeep_usd_per_gpu_hour=0.1798,
    ...                        power_usd_per_gpu_hour=0.0910)
    2.1615
    """
    return capital_usd_per_gpu_hour + upkeep_usd_per_gpu_hour + power_usd_per_gpu_hour


def rent_or_buy_hours(*, usd_per_gpu: Quantity, server_factor: Quantity, rent_usd_per_gpu_hour: Quantity,
                      operating_usd_per_gpu_hour: Quantity) -> Quantity:
    r"""Hours of use after which buying costs less than renting, without interest.

    .. math:: h = \frac{K\,s}{p - o}

    Parameters
    ----------
    usd_per_gpu : float or ndarray
        Purchase price, K. [USD/GPU]
    server_factor : float or ndarray
        Price with the GPU's share of server and network over that of the GPU alone, s. [ratio]
    rent_usd_per_gpu_hour : float or ndarray
        Rent, p. [USD/GPU/h]
    operating_usd_per_gpu_hour : float or ndarray
        Upkeep and power of an owned hour, o. [USD/GPU/h]

    Returns
    -------
    float or ndarray
        Hours, h; infinite where running costs as much as renting. [h]

    Examples
    --------
    40,000 USD for the card alone against 2.15 USD an hour:

    >>> rent_or_buy_hours(usd_per_gpu=40e3, server_factor=1.0, rent_usd_per_gpu_hour=2.15,
    ...                   operating_usd_per_gpu_hour=0.0)
    18604.6512
    """
    gap = rent_usd_per_gpu_hour - operating_usd_per_gpu_hour
    return where(gap > 0, usd_per_gpu * server_factor / where(gap > 0, gap, 1.0), float("inf"))


def residual_usd_per_gpu(*, usd_per_gpu: Quantity, yearly_decline: Quantity, years: Quantity) -> Quantity:
    r"""What a GPU is still worth after some years.

    .. math:: K\,(1 - \delta)^T

    Parameters
    ----------
    usd_per_gpu : float or ndarray
        Purchase price, K. [USD/GPU]
    yearly_decline : float or ndarray
        Share of its value lost every year, delta. [fraction]
    years : float or ndarray
        Age, T. [yr]

    Returns
    -------
    float or ndarray
        Residual value. [USD/GPU]

    Examples
    --------
    30,000 * 0.7**3:

    >>> residual_usd_per_gpu(usd_per_gpu=30e3, yearly_decline=0.3, years=3)
    10290.0
    """
    return usd_per_gpu * (1 - yearly_decline) ** (years / COMPOUNDING_YEARS)


def server_usd_per_gpu(*, usd_per_gpu: Quantity, parts_usd_per_gpu: Quantity, margin: Quantity) -> Quantity:
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


def residual_annuity_usd_per_gpu_hour(*, usd_per_gpu: Quantity, residual_usd_per_gpu: Quantity,
                                      capital_recovery_per_year: Quantity, discount_rate: Quantity,
                                      availability: Quantity) -> Quantity:
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


def staff_usd_per_gpu_hour(*, usd_per_gpu_year: Quantity, availability: Quantity) -> Quantity:
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


def space_usd_per_gpu_hour(*, usd_per_kw_month: Quantity, kw_per_gpu: Quantity, availability: Quantity) -> Quantity:
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


def drawn_share(*, idle_share: Quantity, busy_share: Quantity, utilisation: Quantity) -> Quantity:
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


def net_present_usd(*, cash_usd: Quantities, discount_rate: Quantity) -> Quantity:
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
    100 now, 60.5 a year and two years on at 10%: 100 + 55 + 50:

    >>> net_present_usd(cash_usd=[100.0, 60.5, 60.5], discount_rate=0.1)
    205.0
    """
    value: Quantity = 0.0
    for cash in cash_usd[::-1]:
        value = cash + value / (1 + discount_rate)
    return value


def discount_factor(*, discount_rate: Quantity, years: Quantity) -> Quantity:
    r"""What a dollar paid later is worth now.

    .. math:: (1 + r)^{-t}

    Parameters
    ----------
    discount_rate : float or ndarray
        Interest for a year, r. [fraction]
    years : float or ndarray
        Time until it is paid, t. [yr]

    Returns
    -------
    float or ndarray
        Value now of one dollar then. [fraction]

    Examples
    --------
    1/1.1**2 = 1/1.21:

    >>> discount_factor(discount_rate=0.1, years=2)
    0.8264
    """
    return (1 + discount_rate) ** (-years / COMPOUNDING_YEARS)


def grown_requests_per_day(*, requests_per_day: Quantity, growth: Quantity, years: Quantity) -> Quantity:
    r"""Demand after some years of steady growth.

    .. math:: D\,(1 + g)^t

    Parameters
    ----------
    requests_per_day : float or ndarray
        Demand now, D. [request/day]
    growth : float or ndarray
        Growth in a year; negative where demand shrinks, g. [fraction]
    years : float or ndarray
        Time from now, t. [yr]

    Returns
    -------
    float or ndarray
        Demand then. [request/day]

    Examples
    --------
    1000 * 1.21**0.5:

    >>> grown_requests_per_day(requests_per_day=1000.0, growth=0.21, years=0.5)
    1100.0
    """
    return requests_per_day * (1 + growth) ** (years / COMPOUNDING_YEARS)


def price_ratio_after(*, decline_per_year: Quantity, years: Quantity) -> Quantity:
    r"""A price after some years of steady decline, over the price now.

    .. math:: e^{-\delta t}

    Parameters
    ----------
    decline_per_year : float or ndarray
        Continuous rate of decline; negative where the price rises, delta. [1/yr]
    years : float or ndarray
        Time from now, t. [yr]

    Returns
    -------
    float or ndarray
        Price then over price now. [ratio]

    Examples
    --------
    e**-0.6:

    >>> price_ratio_after(decline_per_year=0.3, years=2)
    0.5488
    """
    return exp(-decline_per_year * years)


def book_value_share(*, residual_share: Quantity, age_years: Quantity, life_years: Quantity) -> Quantity:
    r"""What a machine still stands for on its way from its price to its resale value, in a straight line.

    .. math:: 1 - (1 - \rho)\,\frac{a}{T}

    Parameters
    ----------
    residual_share : float or ndarray
        Resale value at the end over the price, rho. [fraction]
    age_years : float or ndarray
        Age, a. [yr]
    life_years : float or ndarray
        Age at which the resale value is reached, T. [yr]

    Returns
    -------
    float or ndarray
        Value over the price. [fraction]

    Examples
    --------
    A third of the way from 1 to 0.1: 1 - 0.9/3:

    >>> book_value_share(residual_share=0.1, age_years=1.0, life_years=3.0)
    0.7
    """
    return 1 - (1 - residual_share) * age_years / life_years

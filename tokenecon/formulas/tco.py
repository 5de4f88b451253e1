"""Owning a GPU, the textbook way: capital, upkeep and power of an hour, and their sum; rent or buy; residual value."""

from tokenecon.numerics import where
from tokenecon.units import HOURS_PER_YEAR, WATTS_PER_KILOWATT

COMPOUNDING_YEARS = 1.0  # interest and decline are counted once in this time [yr]


def capital_recovery_factor(*, discount_rate, years):
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


def capital_usd_per_gpu_hour(*, usd_per_gpu, server_factor, capital_recovery_per_year, availability):
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


def upkeep_usd_per_gpu_hour(*, usd_per_gpu, server_factor, upkeep_per_year, availability):
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


def power_usd_per_gpu_hour(*, watts_per_gpu, pue, usd_per_kwh):
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


def owned_usd_per_gpu_hour(*, capital_usd_per_gpu_hour, upkeep_usd_per_gpu_hour, power_usd_per_gpu_hour):
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


def rent_or_buy_hours(*, usd_per_gpu, server_factor, rent_usd_per_gpu_hour, operating_usd_per_gpu_hour):
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


def residual_usd_per_gpu(*, usd_per_gpu, yearly_decline, years):
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

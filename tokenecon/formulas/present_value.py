"""Money over years: what a later payment is worth now, what prices have become by then, what a machine still stands for."""

from tokenecon.numerics import exp

COMPOUNDING_YEARS = 1.0  # interest and growth are counted once in this time [yr]


def discount_factor(*, discount_rate, years):
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


def grown_request_per_day(*, request_per_day, growth, years):
    r"""Demand after some years of steady growth.

    .. math:: D\,(1 + g)^t

    Parameters
    ----------
    request_per_day : float or ndarray
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

    >>> grown_request_per_day(request_per_day=1000.0, growth=0.21, years=0.5)
    1100.0
    """
    return request_per_day * (1 + growth) ** (years / COMPOUNDING_YEARS)


def price_ratio_after(*, decline_per_year, years):
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


def book_value_share(*, residual_share, age_years, life_years):
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

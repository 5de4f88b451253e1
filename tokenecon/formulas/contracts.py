"""Paying for GPUs by contract: spot with interruptions, commitments, and prices that fall meanwhile."""

from tokenecon.numerics import Quantities, Quantity, exp, log, maximum, where
from tokenecon.units import HOURS_PER_YEAR

NEAR_ZERO = 1e-4


def spot_usd_per_gpu_hour(*, spot_usd_per_gpu_hour: Quantity, on_demand_usd_per_gpu_hour: Quantity, availability: Quantity,
                          interruptions_per_hour: Quantity, restart_hours: Quantity, lost_hours: Quantity) -> Quantity:
    r"""Price of an hour of work on spot GPUs, with interruptions and on-demand GPUs to fall back on.

    .. math:: p = A\,p_s\,(1 + r\,(t_r + t_l)) + (1 - A)\,p_d

    Parameters
    ----------
    spot_usd_per_gpu_hour : float or ndarray
        Spot price, p_s. [USD/GPU/h]
    on_demand_usd_per_gpu_hour : float or ndarray
        On-demand price, p_d. [USD/GPU/h]
    availability : float or ndarray
        Share of the work for which spot GPUs are to be had, A. [fraction]
    interruptions_per_hour : float or ndarray
        Interruptions of a running hour, r. [1/h]
    restart_hours : float or ndarray
        Time to start again after one, t_r. [h]
    lost_hours : float or ndarray
        Work lost by one: half a checkpoint interval, near 0 for stateless serving, t_l. [h]

    Returns
    -------
    float or ndarray
        Price of an hour of work. [USD/GPU/h]

    References
    ----------
    Young 1974, doi:10.1145/361147.361115. Daly 2006, doi:10.1016/j.future.2004.11.016.

    Examples
    --------
    Spot at 0.40 of on-demand: 0.95 * 0.4 * (1 + 0.05 * 0.35) + 0.05:

    >>> spot_usd_per_gpu_hour(spot_usd_per_gpu_hour=0.4, on_demand_usd_per_gpu_hour=1.0, availability=0.95,
    ...                       interruptions_per_hour=0.05, restart_hours=0.1, lost_hours=0.25)
    0.43665
    """
    repeated = 1 + interruptions_per_hour * (restart_hours + lost_hours)
    return (availability * spot_usd_per_gpu_hour * repeated
            + (1 - availability) * on_demand_usd_per_gpu_hour)


def prepaid_usd_per_gpu_hour(*, usd_per_gpu_hour: Quantity, prepaid_share: Quantity, discount_per_year: Quantity,
                             years: Quantity) -> Quantity:
    r"""Price of an hour, paid as it comes, that is worth as much as one of a contract with a part paid in advance.

    .. math:: p\left(1 - s + s\,\frac{r T}{1 - e^{-r T}}\right), \quad \text{or } p \text{ where } r T = 0

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Printed price of the contract, p. [USD/GPU/h]
    prepaid_share : float or ndarray
        Share of the whole term that is paid at its start, s. [fraction]
    discount_per_year : float or ndarray
        Continuous cost of capital, r. [1/yr]
    years : float or ndarray
        Term of the contract, T. [yr]

    Returns
    -------
    float or ndarray
        Price of an hour with the cost of capital of what is paid in advance. [USD/GPU/h]

    Examples
    --------
    A quarter of three years in advance at 0.1 a year: 2 * (0.75 + 0.25 * 0.3/(1 - e**-0.3)):

    >>> prepaid_usd_per_gpu_hour(usd_per_gpu_hour=2.0, prepaid_share=0.25, discount_per_year=0.1, years=3)
    2.0787
    """
    early = present_usd_per_gpu(usd_per_gpu_hour=1.0, decline_per_year=0.0, discount_per_year=0.0, years=years)
    level = present_usd_per_gpu(usd_per_gpu_hour=1.0, decline_per_year=0.0, discount_per_year=discount_per_year, years=years)
    return usd_per_gpu_hour * (1 - prepaid_share + prepaid_share * early / level)


def committed_usd_per_hour(*, on_demand_usd_per_gpu_hour: Quantity, discount: Quantity, committed_gpus: Quantity,
                           demand_gpus: Quantities) -> Quantity:
    r"""Mean hourly bill of a fleet with a commitment: the committed GPUs always, what exceeds them on demand.

    .. math:: C(K) = p\left[(1 - \delta)\,K + E\max(0, D - K)\right]

    Parameters
    ----------
    on_demand_usd_per_gpu_hour : float or ndarray
        On-demand price, p. [USD/GPU/h]
    discount : float or ndarray
        Discount for the commitment, delta. [fraction]
    committed_gpus : float or ndarray
        GPUs committed to, K. [GPU]
    demand_gpus : sequence of float or ndarray
        GPUs needed in equally likely hours, D. [GPU]

    Returns
    -------
    float or ndarray
        Mean hourly bill, C. [USD/h]

    References
    ----------
    Arrow, Harris, Marschak 1951, doi:10.2307/1907830 (the newsvendor's problem).

    Examples
    --------
    2 GPUs at 0.43 and, of demands 1, 3 and 5, a mean of (0 + 1 + 3)/3 on demand:

    >>> committed_usd_per_hour(on_demand_usd_per_gpu_hour=1.0, discount=0.57, committed_gpus=2,
    ...                        demand_gpus=[1, 3, 5])
    2.1933
    """
    above: Quantity = 0.0
    hours = 0
    for needed in demand_gpus:
        above = above + maximum(needed - committed_gpus, 0.0)
        hours = hours + 1
    return on_demand_usd_per_gpu_hour * ((1 - discount) * committed_gpus + above / hours)


def commitment_break_even_use(*, discount: Quantity) -> Quantity:
    r"""Share of hours in which a GPU must be needed for a commitment to pay.

    .. math:: 1 - \delta

    Parameters
    ----------
    discount : float or ndarray
        Discount for the commitment, delta. [fraction]

    Returns
    -------
    float or ndarray
        Share of hours; the best commitment is the demand exceeded this often. [fraction]

    References
    ----------
    Arrow, Harris, Marschak 1951, doi:10.2307/1907830 (the newsvendor's problem).

    Examples
    --------
    >>> commitment_break_even_use(discount=0.57)
    0.43
    """
    return 1 - discount


def declining_usd_per_gpu_hour(*, usd_per_gpu_hour: Quantity, decline_per_year: Quantity, years: Quantity) -> Quantity:
    r"""Price after some years of steady decline.

    .. math:: p(t) = p_0\,e^{-g t}

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price now, p_0. [USD/GPU/h]
    decline_per_year : float or ndarray
        Continuous rate of decline, g. [1/yr]
    years : float or ndarray
        Time from now, t. [yr]

    Returns
    -------
    float or ndarray
        Price then, p. [USD/GPU/h]

    Examples
    --------
    4 * e**-0.6:

    >>> declining_usd_per_gpu_hour(usd_per_gpu_hour=4.0, decline_per_year=0.3, years=2)
    2.1952
    """
    return usd_per_gpu_hour * exp(-decline_per_year * years)


def decline_per_year(*, first_usd_per_gpu_hour: Quantity, last_usd_per_gpu_hour: Quantity, years: Quantity) -> Quantity:
    r"""Continuous rate of decline between two prices, as :func:`declining_usd_per_gpu_hour` takes it.

    .. math:: g = \frac{\ln(p_0/p_1)}{T}

    Parameters
    ----------
    first_usd_per_gpu_hour : float or ndarray
        First price, p_0. [USD/GPU/h]
    last_usd_per_gpu_hour : float or ndarray
        Last price, p_1. [USD/GPU/h]
    years : float or ndarray
        Time between them, T. [yr]

    Returns
    -------
    float or ndarray
        Rate, g; negative where the price rose. [1/yr]

    Examples
    --------
    From 8 to 2 USD in 1.5 years: ln(4)/1.5 = 1.3863/1.5:

    >>> decline_per_year(first_usd_per_gpu_hour=8.0, last_usd_per_gpu_hour=2.0, years=1.5)
    0.9242
    """
    return log(first_usd_per_gpu_hour / last_usd_per_gpu_hour) / years


def present_usd_per_gpu(*, usd_per_gpu_hour: Quantity, decline_per_year: Quantity, discount_per_year: Quantity,
                        years: Quantity) -> Quantity:
    r"""Present value of renting a GPU round the clock while its price falls.

    .. math:: 8760\,p_0\,\frac{1 - e^{-(g + r) T}}{g + r}, \quad \text{or } 8760\,p_0\,T
              \text{ where } g + r = 0

    Parameters
    ----------
    usd_per_gpu_hour : float or ndarray
        Price now, p_0. [USD/GPU/h]
    decline_per_year : float or ndarray
        Continuous rate of decline; 0 for a committed price, g. [1/yr]
    discount_per_year : float or ndarray
        Continuous rate of interest, r. [1/yr]
    years : float or ndarray
        Time rented, T. [yr]

    Returns
    -------
    float or ndarray
        Present value; a commitment pays where its own is smaller. [USD/GPU]

    Examples
    --------
    2 USD, declining by 0.3 and discounted by 0.1 a year, for 3 years: 17520 * (1 - e**-1.2)/0.4:

    >>> present_usd_per_gpu(usd_per_gpu_hour=2.0, decline_per_year=0.3, discount_per_year=0.1, years=3)
    30607.6935
    """
    fall = (decline_per_year + discount_per_year) * years
    near_zero = fall * fall < NEAR_ZERO * NEAR_ZERO
    # Around zero the quotient loses its digits, so its series stands in.
    exact = (1 - exp(-fall)) / where(near_zero, 1.0, fall)
    series = 1 - fall / 2 + fall * fall / 6
    return usd_per_gpu_hour * HOURS_PER_YEAR * years * where(near_zero, series, exact)

"""Draws and their errors: two-piece distributions through three percentiles, and how far a counted share may be off."""

from tokenecon.numerics import Quantity, exp, log, sqrt, where

# A tenth of a standard normal distribution lies above this.
NORMAL_P90 = 1.2815515655446004


def two_piece_normal(*, middle: Quantity, low: Quantity, high: Quantity, z: Quantity) -> Quantity:
    r"""A value drawn around a middle, with a width of its own on each side.

    .. math:: x = m + \frac{z}{z_{90}}\begin{cases} h - m & z \ge 0\\ m - l & z < 0\end{cases}

    Parameters
    ----------
    middle : float or ndarray
        Median, m. [fraction]
    low : float or ndarray
        10th percentile, l. [fraction]
    high : float or ndarray
        90th percentile, h. [fraction]
    z : float or ndarray
        Draw from a standard normal distribution. [1]

    Returns
    -------
    float or ndarray
        Value, x; the median itself where both percentiles equal it. [fraction]

    References
    ----------
    Wallis 2014, The two-piece normal, binormal, or double Gaussian distribution, doi:10.1214/13-STS417.

    Examples
    --------
    One standard deviation up: 0.1 + 0.25/1.28155:

    >>> two_piece_normal(middle=0.1, low=-0.15, high=0.35, z=1.0)
    0.2951
    """
    return middle + z / NORMAL_P90 * where(z >= 0, high - middle, middle - low)


def two_piece_lognormal(*, middle: Quantity, low: Quantity, high: Quantity, z: Quantity) -> Quantity:
    r"""A positive value drawn around a middle, with a width of its own on each side on a logarithmic scale.

    .. math:: x = m\,e^{s z / z_{90}}, \quad s = \ln\frac{h}{m} \text{ where } z \ge 0, \quad \ln\frac{m}{l} \text{ else}

    Parameters
    ----------
    middle : float or ndarray
        Median, m. [ratio]
    low : float or ndarray
        10th percentile, l. [ratio]
    high : float or ndarray
        90th percentile, h. [ratio]
    z : float or ndarray
        Draw from a standard normal distribution. [1]

    Returns
    -------
    float or ndarray
        Value, x; the median itself where both percentiles equal it. [ratio]

    References
    ----------
    Wallis 2014, The two-piece normal, binormal, or double Gaussian distribution, doi:10.1214/13-STS417.

    Examples
    --------
    One standard deviation down: 0.5**(1/1.28155):

    >>> two_piece_lognormal(middle=1.0, low=0.5, high=3.0, z=-1.0)
    0.5822
    """
    return middle * exp(z / NORMAL_P90 * where(z >= 0, log(high / middle), log(middle / low)))


def share_error(*, share: Quantity, draws: Quantity) -> Quantity:
    r"""Standard error of a share that was counted in random draws.

    .. math:: \sqrt{\frac{p\,(1 - p)}{n}}

    Parameters
    ----------
    share : float or ndarray
        Share of the draws, p. [fraction]
    draws : float or ndarray
        Number of draws, n. [count]

    Returns
    -------
    float or ndarray
        Standard error. [fraction]

    Examples
    --------
    Root of 0.21/10000:

    >>> share_error(share=0.3, draws=10000)
    0.0046
    """
    return sqrt(share * (1 - share) / draws)

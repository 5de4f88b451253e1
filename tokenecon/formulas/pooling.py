"""Fleets: peaks, steps of capacity, spares, servers that stop when idle, and what splitting a pool costs."""

from tokenecon.numerics import ceil, exp, maximum


def mean_utilisation(*, peak_utilisation, peak_to_mean):
    r"""Mean utilisation of a fleet that is sized for the peak.

    .. math:: U = \rho_{peak}\,\frac{\bar\lambda}{\hat\lambda}

    Parameters
    ----------
    peak_utilisation : float or ndarray
        Utilisation in the busiest hour, rho_peak. [fraction]
    peak_to_mean : float or ndarray
        Load of the busiest hour over the mean load. [ratio]

    Returns
    -------
    float or ndarray
        Mean utilisation, U. [fraction]

    Examples
    --------
    >>> mean_utilisation(peak_utilisation=0.8, peak_to_mean=2.5)
    0.32
    """
    return peak_utilisation / peak_to_mean


def provisioned_gpus(*, gpus_needed, gpus_per_step, fewest_gpus):
    r"""GPUs that a scaler keeps for a load: whole steps, and never fewer than a floor.

    .. math:: N = \max\left(N_{min}, g\left\lceil\frac{N_{need}}{g}\right\rceil\right)

    Parameters
    ----------
    gpus_needed : float or ndarray
        GPUs that the load would fill, N_need. [GPU]
    gpus_per_step : float or ndarray
        GPUs that come and go together: one replica, g. [GPU]
    fewest_gpus : float or ndarray
        GPUs that are kept at any load; 0 scales to zero, N_min. [GPU]

    Returns
    -------
    float or ndarray
        GPUs paid for, N. [GPU]

    Examples
    --------
    9 GPUs in steps of 4:

    >>> provisioned_gpus(gpus_needed=9, gpus_per_step=4, fewest_gpus=8)
    12.0
    """
    return maximum(gpus_per_step * ceil(gpus_needed / gpus_per_step), fewest_gpus)


def spare_ratio(*, servers, spares):
    r"""Servers paid for over servers needed, when some stand by for failures.

    .. math:: \frac{c + x}{c}

    Parameters
    ----------
    servers : int or ndarray
        Servers that the load needs at one site, c. [count]
    spares : int or ndarray
        Servers that stand by there: 1 for N+1, x. [count]

    Returns
    -------
    float or ndarray
        Paid over needed. [ratio]

    Examples
    --------
    >>> spare_ratio(servers=10, spares=1)
    1.1
    """
    return (servers + spares) / servers


def edge_cost_ratio(*, central_utilisation, edge_utilisation, overhead):
    r"""Cost of a token at small sites against the same work in one centre.

    .. math:: \frac{U_c}{U_e}\,(1 + o)

    Parameters
    ----------
    central_utilisation : float or ndarray
        Utilisation of the centre, U_c. [fraction]
    edge_utilisation : float or ndarray
        Utilisation of the sites, U_e. [fraction]
    overhead : float or ndarray
        Extra cost of a GPU-hour at a site: spares, staff, smaller orders, o. [fraction]

    Returns
    -------
    float or ndarray
        Edge over centre. [ratio]

    Examples
    --------
    0.85/0.40 with a tenth for a spare:

    >>> edge_cost_ratio(central_utilisation=0.85, edge_utilisation=0.40, overhead=0.1)
    2.3375
    """
    return central_utilisation / edge_utilisation * (1 + overhead)


def isolation_penalty(*, pooled_utilisation, isolated_utilisation, pooled_cost, isolated_cost):
    r"""Cost of a token when a pool is split among tenants: emptier servers and smaller batches.

    .. math:: \frac{u(c)}{u(c/G)}\cdot\frac{k(B/G)}{k(B)}

    Parameters
    ----------
    pooled_utilisation : float or ndarray
        Utilisation that the whole pool reaches at the service target, u(c). [fraction]
    isolated_utilisation : float or ndarray
        Utilisation that one tenant's part reaches at the same target, u(c/G). [fraction]
    pooled_cost : float or ndarray
        Busy time of a token at the pool's batch, in any unit, k(B). [ratio]
    isolated_cost : float or ndarray
        Busy time of a token at one tenant's batch, in the same unit, k(B/G). [ratio]

    Returns
    -------
    float or ndarray
        Cost isolated over cost pooled. [ratio]

    Examples
    --------
    100 servers split into ten tens, the same batches: 0.7785/0.4077:

    >>> isolation_penalty(pooled_utilisation=0.7785, isolated_utilisation=0.4077, pooled_cost=1.0,
    ...                   isolated_cost=1.0)
    1.9095
    """
    return pooled_utilisation / isolated_utilisation * isolated_cost / pooled_cost


def to_zero_paid_share(*, requests_per_s, held_s, start_s):
    r"""Share of the time for which a server is paid that stops when nobody needs it and starts with a request.

    .. math:: \frac{\lambda c\,e^{-\lambda x} + 1 - e^{-\lambda x}}{\lambda c\,e^{-\lambda x} + 1}

    Parameters
    ----------
    requests_per_s : float or ndarray
        Arrivals, lambda. [request/s]
    held_s : float or ndarray
        Time for which a request keeps the server: its service and the idle time after it, x. [s]
    start_s : float or ndarray
        Time of a start, paid, in which requests wait, c. [s]

    Returns
    -------
    float or ndarray
        Paid time over all time. [fraction]

    Notes
    -----
    Poisson arrivals and as many places as there are requests. Exact for equal holding times, and for any where a start
    takes no time.

    References
    ----------
    Takács 1962, Introduction to the Theory of Queues, chapter 3 (busy period of infinitely many servers).

    Examples
    --------
    A request every 100 s held for 30 s, starts of 100 s: lambda c = 1 and 1/(1 + e**-0.3) = 1/1.7408:

    >>> to_zero_paid_share(requests_per_s=0.01, held_s=30.0, start_s=100.0)
    0.5744
    """
    alone = exp(-requests_per_s * held_s)  # chance that nobody comes while a request is held
    waking = requests_per_s * start_s * alone
    return (waking + 1 - alone) / (waking + 1)


def to_zero_cold_share(*, requests_per_s, held_s, start_s):
    r"""Share of requests that find such a server stopped or starting, and wait for it.

    .. math:: \frac{(1 + \lambda c)\,e^{-\lambda x}}{\lambda c\,e^{-\lambda x} + 1}

    Parameters
    ----------
    requests_per_s : float or ndarray
        Arrivals, lambda. [request/s]
    held_s : float or ndarray
        Time for which a request keeps the server: its service and the idle time after it, x. [s]
    start_s : float or ndarray
        Time of a start, c. [s]

    Returns
    -------
    float or ndarray
        Requests that wait over all requests. [fraction]

    References
    ----------
    Takács 1962, Introduction to the Theory of Queues, chapter 3.

    Examples
    --------
    A request every 100 s held for 30 s, starts of 100 s: 2 * 0.7408/1.7408:

    >>> to_zero_cold_share(requests_per_s=0.01, held_s=30.0, start_s=100.0)
    0.8511
    """
    alone = exp(-requests_per_s * held_s)
    waking = requests_per_s * start_s * alone
    return (alone + waking) / (waking + 1)

"""Waiting: Erlang B and C, utilisation at a service target, staffing."""

from tokenecon.numerics import exp, maximum, maximum_of, minimum, sqrt, where

BISECTIONS = 64  # halvings of (0, 1): below the spacing of floats


def offered_load(*, requests_per_s, service_s):
    r"""Servers that would be busy if nobody ever waited.

    .. math:: a = \lambda\,s

    Parameters
    ----------
    requests_per_s : float or ndarray
        Arrivals, lambda. [request/s]
    service_s : float or ndarray
        Mean time that a request occupies a server, s. [s]

    Returns
    -------
    float or ndarray
        Offered load in erlangs, a. [count]

    References
    ----------
    Kleinrock 1975, Queueing Systems, volume 1.

    Examples
    --------
    >>> offered_load(requests_per_s=2.5, service_s=8.0)
    20.0
    """
    return requests_per_s * service_s


def erlang_b(*, servers, offered_load):
    r"""Chance that a request is turned away where nobody may wait.

    .. math:: B_0 = 1, \quad B_k = \frac{a\,B_{k-1}}{k + a\,B_{k-1}}

    Parameters
    ----------
    servers : int or ndarray
        Servers, c. [count]
    offered_load : float or ndarray
        Offered load, a. [count]

    Returns
    -------
    float or ndarray
        Blocking probability, B_c. [fraction]

    References
    ----------
    Erlang 1917. Kleinrock 1975, Queueing Systems, volume 1.

    Examples
    --------
    One server: 0.5/1.5; two: (0.5/3)/(2 + 0.5/3):

    >>> erlang_b(servers=2, offered_load=0.5)
    0.07692
    """
    blocking = (servers + offered_load) * 0.0 + 1.0
    for k in range(1, int(maximum_of(servers)) + 1):
        carried = offered_load * blocking
        blocking = where(servers >= k, carried / (k + carried), blocking)
    return blocking


def erlang_c(*, servers, offered_load):
    r"""Chance that a request has to wait: Poisson arrivals, exponential service, one queue.

    .. math:: C = \frac{B_c}{1 - \rho\,(1 - B_c)}, \quad \rho = a/c

    Parameters
    ----------
    servers : int or ndarray
        Servers, c: slots for sequences, not GPUs, where a GPU serves many at once. [count]
    offered_load : float or ndarray
        Offered load, a. [count]

    Returns
    -------
    float or ndarray
        Waiting probability, C; 1 where the load exceeds the servers. [fraction]

    References
    ----------
    Erlang 1917. Kleinrock 1975, Queueing Systems, volume 1.

    Examples
    --------
    Two servers with one erlang: B = 0.2, C = 0.2/(1 - 0.5 * 0.8):

    >>> erlang_c(servers=2, offered_load=1.0)
    0.3333
    """
    blocking = erlang_b(servers=servers, offered_load=offered_load)
    busy = minimum(offered_load / servers, 1.0)
    return blocking / (1 - busy + busy * blocking)


def waiting_probability(*, servers, offered_load, service_s, wait_s):
    r"""Chance that a request waits longer than a given time.

    .. math:: P(W > t) = C\,e^{-(c - a)\,t/s}

    Parameters
    ----------
    servers : int or ndarray
        Servers, c. [count]
    offered_load : float or ndarray
        Offered load, a. [count]
    service_s : float or ndarray
        Mean service time, s. [s]
    wait_s : float or ndarray
        Wait asked about; 0 asks for any wait, t. [s]

    Returns
    -------
    float or ndarray
        Probability; 1 where the load exceeds the servers. [fraction]

    References
    ----------
    Kleinrock 1975, Queueing Systems, volume 1.

    Examples
    --------
    Two servers with one erlang, a wait of half a service time: e**-0.5/3:

    >>> waiting_probability(servers=2, offered_load=1.0, service_s=10.0, wait_s=5.0)
    0.2022
    """
    waiting = erlang_c(servers=servers, offered_load=offered_load)
    return waiting * exp(-maximum(servers - offered_load, 0.0) * wait_s / service_s)


def mean_wait_seconds(*, servers, offered_load, service_s, arrival_variation, service_variation):
    r"""Mean wait for general arrivals and service, approximately.

    .. math:: W_q \approx \frac{C\,s}{c\,(1 - \rho)}\cdot\frac{c_a^2 + c_s^2}{2}

    Parameters
    ----------
    servers : int or ndarray
        Servers, c. [count]
    offered_load : float or ndarray
        Offered load, a. [count]
    service_s : float or ndarray
        Mean service time, s. [s]
    arrival_variation : float or ndarray
        Squared coefficient of variation of the time between arrivals: 1 for Poisson. [ratio]
    service_variation : float or ndarray
        Squared coefficient of variation of the service time: 1 for exponential. [ratio]

    Returns
    -------
    float or ndarray
        Mean wait, W_q; infinite where the load is not below the servers. [s]

    References
    ----------
    Kingman 1961, doi:10.1017/S0305004100036094. Allen 1990, Probability, Statistics and Queueing Theory.

    Examples
    --------
    Two servers with one erlang, exponential: (1/3) * 10 s/(2 * 0.5):

    >>> mean_wait_seconds(servers=2, offered_load=1.0, service_s=10.0, arrival_variation=1.0,
    ...                   service_variation=1.0)
    3.3333
    """
    waiting = erlang_c(servers=servers, offered_load=offered_load)
    free = servers - offered_load
    wait = waiting * service_s / where(free > 0, free, 1.0) * (arrival_variation + service_variation) / 2
    return where(free > 0, wait, float("inf"))


def utilisation_at_target(*, servers, service_s, wait_s, wait_probability):
    r"""Highest utilisation at which no more than a given share of requests waits longer than a given time.

    .. math:: \rho : P(W > t;\ a = \rho\,c) = p

    Parameters
    ----------
    servers : int or ndarray
        Servers in the pool, c. [count]
    service_s : float or ndarray
        Mean service time, s. [s]
    wait_s : float or ndarray
        Wait allowed; 0 for none, t. [s]
    wait_probability : float or ndarray
        Share of requests that may wait longer, between 0 and 1, p. [fraction]

    Returns
    -------
    float or ndarray
        Utilisation of the servers. [fraction]

    Notes
    -----
    Found by halving an interval; the waiting probability rises with the load.

    References
    ----------
    Kleinrock 1975, Queueing Systems, volume 1.

    Examples
    --------
    One server: the chance to wait is the utilisation itself:

    >>> utilisation_at_target(servers=1, service_s=10.0, wait_s=0.0, wait_probability=0.3)
    0.3
    """
    low = (servers + service_s + wait_s + wait_probability) * 0.0
    high = low + 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        fine = waiting_probability(servers=servers, offered_load=middle * servers, service_s=service_s,
                                   wait_s=wait_s) <= wait_probability
        low = where(fine, middle, low)
        high = where(fine, high, middle)
    return low


def square_root_staffing(*, offered_load, service_grade):
    r"""Servers for a large load: the load and a reserve that grows with its root.

    .. math:: c = a + \beta\sqrt{a}

    Parameters
    ----------
    offered_load : float or ndarray
        Offered load, a. [count]
    service_grade : float or ndarray
        Reserve in standard deviations of the load, beta. [ratio]

    Returns
    -------
    float or ndarray
        Servers, not rounded, c. [count]

    References
    ----------
    Halfin, Whitt 1981, doi:10.1287/opre.29.3.567.

    Examples
    --------
    850 + 29.15:

    >>> square_root_staffing(offered_load=850, service_grade=1.0)
    879.1548
    """
    return offered_load + service_grade * sqrt(offered_load)

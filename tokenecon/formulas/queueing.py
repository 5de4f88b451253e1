"""Waiting and fleets: Erlang B and C, a service target, batches with arrivals at random, spares, servers that stop when idle."""

from tokenecon.numerics import Quantity, exp, log, maximum, maximum_of, minimum, sqrt, where

BISECTIONS = 64  # halvings of (0, 1): below the spacing of floats
LEAST = 1e-9  # of what is divided by


def offered_load(*, requests_per_s: Quantity, service_s: Quantity) -> Quantity:
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


def erlang_b(*, servers: Quantity, offered_load: Quantity) -> Quantity:
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


def erlang_c(*, servers: Quantity, offered_load: Quantity) -> Quantity:
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


def waiting_probability(*, servers: Quantity, offered_load: Quantity, service_s: Quantity, wait_s: Quantity) -> Quantity:
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


def utilisation_at_target(*, servers: Quantity, service_s: Quantity, wait_s: Quantity, wait_probability: Quantity) -> Quantity:
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


def mean_utilisation(*, peak_utilisation: Quantity, peak_to_mean: Quantity) -> Quantity:
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


def spare_ratio(*, servers: Quantity, spares: Quantity) -> Quantity:
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


def edge_cost_ratio(*, central_utilisation: Quantity, edge_utilisation: Quantity, overhead: Quantity) -> Quantity:
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


def to_zero_paid_share(*, requests_per_s: Quantity, held_s: Quantity, start_s: Quantity) -> Quantity:
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


def to_zero_cold_share(*, requests_per_s: Quantity, held_s: Quantity, start_s: Quantity) -> Quantity:
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


def waiting_decay(*, utilisation: Quantity) -> Quantity:
    r"""How fast long waits thin out where equal jobs arrive at random: P(W > k services) falls as e to minus x k.

    .. math:: x = 6\left(\sqrt{1 - \tfrac23 \ln\rho} - 1\right) \approx x : \; \rho\,(e^{x} - 1) = x

    Parameters
    ----------
    utilisation : float or ndarray
        Work that arrives over what the server can do, below 1, rho. [fraction]

    Returns
    -------
    float or ndarray
        Decay per service, x; within 0.2% of the root above a half, 2% above a tenth. [1]

    Notes
    -----
    Half the root, t, solves t + ln(sinh(t)/t) = -ln(rho), of which the first two powers are kept: the root itself is lost in
    rounding near saturation. The same x holds where one server serves many at once, each for as long, with "service" for the
    time between two departures of a full server.

    References
    ----------
    Kingman 1964, Journal of the Australian Mathematical Society 4(3).

    Examples
    --------
    0.5 * (e**1.255 - 1) = 0.5 * 2.508 = 1.254:

    >>> waiting_decay(utilisation=0.5)
    1.255
    """
    return 6.0 * (sqrt(1.0 - 2.0 / 3.0 * log(utilisation)) - 1.0)


def population_variance_ratio(*, decode_feedback: Quantity, prefill_feedback: Quantity) -> Quantity:
    r"""Variance over mean of the requests in a continuous batch whose passes grow with their load.

    .. math:: \frac{1}{(1 - \rho_p)(1 - \rho_p - \rho_b)}

    Parameters
    ----------
    decode_feedback : float or ndarray
        Arrivals during the time that one request adds to the decode passes of the others, rho_b. [fraction]
    prefill_feedback : float or ndarray
        Arrivals during the time that reading its prompt adds, rho_p; the sum of both stays below 1. [fraction]

    Returns
    -------
    float or ndarray
        Variance over mean; 1 where passes do not depend on the load (Poisson). [ratio]

    Notes
    -----
    Counted in passes, arrivals excite each other (Hawkes): each lengthens passes, in which more arrive. Integrating the
    spectrum of that process over the passes of an answer gives this closed form.

    References
    ----------
    Hawkes 1971, Biometrika 58(1).

    Examples
    --------
    1/(0.5 * 0.25):

    >>> population_variance_ratio(decode_feedback=0.25, prefill_feedback=0.5)
    8.0
    """
    free = maximum(1.0 - prefill_feedback, LEAST)
    return 1.0 / (free * maximum(free - decode_feedback, LEAST))


def stay_variance_ratio(*, decode_feedback: Quantity, prefill_feedback: Quantity) -> Quantity:
    r"""Squared variation of the time an answer takes, times the requests in the batch, where passes grow with their load.

    .. math::
        \frac{\rho_b^2 R + \rho_b\,\rho_p\,(1 + \rho' R) + \rho_p^2}{(1 - \rho_p)(1 - \rho_p - \rho_b)}, \quad
        \rho' = \frac{\rho_b}{1 - \rho_p}, \quad R = 1 - (1 - \rho')\left(\tfrac13 + \tfrac{\rho'}{10}\right)

    Parameters
    ----------
    decode_feedback : float or ndarray
        Arrivals during the time that one request adds to the decode passes of the others, rho_b. [fraction]
    prefill_feedback : float or ndarray
        Arrivals during the time that reading its prompt adds, rho_p; the sum of both stays below 1. [fraction]

    Returns
    -------
    float or ndarray
        Variance of the time over its square, times the mean number of requests. [ratio]

    Notes
    -----
    From the same spectrum as :func:`population_variance_ratio`, weighted with what an answer sees of each arrival; R is the
    weighted integral for decoding alone, within 0.2% of it. It averages over an answer, so it is 2/3 of the variance of
    the population at light load and all of it near saturation.

    References
    ----------
    Hawkes 1971, Biometrika 58(1).

    Examples
    --------
    Prompts alone at one half: (0.5/0.5)**2:

    >>> stay_variance_ratio(decode_feedback=0.0, prefill_feedback=0.5)
    1.0
    """
    alone = decode_feedback / maximum(1.0 - prefill_feedback, LEAST)
    averaged = 1.0 - (1.0 - alone) * (1 / 3 + alone / 10)
    weighed = (decode_feedback * decode_feedback * averaged + decode_feedback * prefill_feedback * (1.0 + alone * averaged)
               + prefill_feedback * prefill_feedback)
    return weighed * population_variance_ratio(decode_feedback=decode_feedback, prefill_feedback=prefill_feedback)


def waiting_prompts(*, prompts: Quantity, square: Quantity, arrivals_square: Quantity, most: Quantity,
                    full_arrivals: Quantity) -> Quantity:
    r"""Prompts left over at the start of a pass that reads all that wait, up to a limit.

    .. math:: b = \max\left(0,\; \frac{m + \overline{a^2} - \overline{y^2}}{2\,(c - a_c)}\right)

    Parameters
    ----------
    prompts : float or ndarray
        Prompts that a pass reads on average, as many as arrive in it, m. [sequence]
    square : float or ndarray
        Mean square of the prompts that a pass reads, y squared. [sequence]
    arrivals_square : float or ndarray
        Mean square of the arrivals that a pass lasts for, a squared: rate times duration. [sequence]
    most : float or ndarray
        Most prompts of a pass, c. [sequence]
    full_arrivals : float or ndarray
        Arrivals that a full pass lasts for, below c; a_c. [sequence]

    Returns
    -------
    float or ndarray
        Mean number left over, b. [sequence]

    Notes
    -----
    Exact: the balance of the squares of a queue that is served in bulk, where what is left over implies a full pass.

    References
    ----------
    Bailey 1954, Journal of the Royal Statistical Society B 16(1).

    Examples
    --------
    One prompt a pass of equal length, read in half of the passes: M/D/1, 0.5**2/(2 * 0.5):

    >>> waiting_prompts(prompts=0.5, square=0.5, arrivals_square=0.25, most=1.0, full_arrivals=0.5)
    0.25
    """
    return maximum((prompts + arrivals_square - square) / (2.0 * maximum(most - full_arrivals, LEAST)), 0.0)


def full_slots_share(*, density: Quantity, below: Quantity, spread: Quantity, decay: Quantity) -> Quantity:
    r"""Share of the time in which all slots are taken and who comes waits for one.

    .. math:: \frac{2\,\omega\,g / x}{F + 2\,\omega\,g / x}

    Parameters
    ----------
    density : float or ndarray
        Density of the number of requests at the number of slots if there were no end of slots, g. [1]
    below : float or ndarray
        Chance of fewer requests than slots, likewise, F. [fraction]
    spread : float or ndarray
        Variance over that of the same queue with Poisson feedback; 1 without prompts, omega. [ratio]
    decay : float or ndarray
        Decay of the number of requests beyond the slots, per request, x. [1]

    Returns
    -------
    float or ndarray
        Share. [fraction]

    Notes
    -----
    Diffusion on both sides of the last slot: below it arrivals and departures scatter, above it departures are as regular
    as the equal answers that the slots work on, hence the 2.

    References
    ----------
    Halfin, Whitt 1981, Operations Research 29(3). Jelenkovic, Mandelbaum, Momcilovic 2004, Queueing Systems 47.

    Examples
    --------
    2 * 0.05/0.1 = 1 beside 0.75:

    >>> full_slots_share(density=0.05, below=0.75, spread=1.0, decay=0.1)
    0.5714
    """
    above = 2.0 * spread * density / decay
    return above / (below + above)

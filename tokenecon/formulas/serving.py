"""A running instance: rate and latency of a batch, concurrency, the share of prefill."""

from tokenecon.units import SECONDS_PER_DAY


def decode_tok_out_per_s(*, batch, tok_out_per_pass, step_s):
    r"""Output tokens per second of an instance that only decodes.

    .. math:: R = \frac{B\,e}{t(B)}

    Parameters
    ----------
    batch : float or ndarray
        Sequences decoded together, B. [sequence]
    tok_out_per_pass : float or ndarray
        Output tokens that a sequence gains in a pass: 1 without speculation, e. [tok_out]
    step_s : float or ndarray
        Time of the pass, t. [s]

    Returns
    -------
    float or ndarray
        Output tokens per second, R. [tok_out/s]

    Examples
    --------
    32 tokens every 12.013 ms:

    >>> decode_tok_out_per_s(batch=32, tok_out_per_pass=1, step_s=0.012013)
    2663.7809
    """
    return batch * tok_out_per_pass / step_s


def tpot_seconds(*, step_s, tok_out_per_pass):
    r"""Time per output token that one user sees.

    .. math:: TPOT = t / e

    Parameters
    ----------
    step_s : float or ndarray
        Time of a pass, t. [s]
    tok_out_per_pass : float or ndarray
        Output tokens that a sequence gains in a pass: 1 without speculation, e. [tok_out]

    Returns
    -------
    float or ndarray
        Time per output token. [s/tok_out]

    Examples
    --------
    A pass of 30 ms that yields 2.5 tokens:

    >>> tpot_seconds(step_s=0.03, tok_out_per_pass=2.5)
    0.012
    """
    return step_s / tok_out_per_pass


def request_seconds(*, round_trip_s, ttft_s, tok_out, tpot_s):
    r"""Time from sending a request to its last token.

    .. math:: T = RTT + TTFT + n_{out}\,TPOT

    Parameters
    ----------
    round_trip_s : float or ndarray
        Network round trip, RTT. [s]
    ttft_s : float or ndarray
        Time to first token, queueing and prefill included, TTFT. [s]
    tok_out : float or ndarray
        Output tokens after the first, n_out. [tok_out]
    tpot_s : float or ndarray
        Time per output token, TPOT. [s/tok_out]

    Returns
    -------
    float or ndarray
        Latency of the request, T. [s]

    Examples
    --------
    0.04 s + 0.5 s + 500 * 0.02 s:

    >>> request_seconds(round_trip_s=0.04, ttft_s=0.5, tok_out=500, tpot_s=0.02)
    10.54
    """
    return round_trip_s + ttft_s + tok_out * tpot_s


def littles_concurrency(*, requests_per_s, request_s):
    r"""Requests in the system at a time, from their rate and their stay.

    .. math:: N = \lambda\,T

    Parameters
    ----------
    requests_per_s : float or ndarray
        Arrivals, lambda. [request/s]
    request_s : float or ndarray
        Mean time of a request in the system, T; see :func:`request_seconds`. [s]

    Returns
    -------
    float or ndarray
        Mean concurrency, N. [sequence]

    References
    ----------
    Little 1961, doi:10.1287/opre.9.3.383.

    Examples
    --------
    23.15 requests a second that stay 25 s each:

    >>> littles_concurrency(requests_per_s=23.15, request_s=25.0)
    578.75
    """
    return requests_per_s * request_s


def concurrent_streams(*, tok_out_per_day, tok_out_per_s_per_stream):
    r"""Streams open at a time for a daily volume at a given speed of each.

    .. math:: N = \frac{V}{86400\,v}

    Parameters
    ----------
    tok_out_per_day : float or ndarray
        Output tokens a day, V. [tok_out/day]
    tok_out_per_s_per_stream : float or ndarray
        Output tokens per second that one user receives, v. [tok_out/s]

    Returns
    -------
    float or ndarray
        Mean number of open streams, N. [sequence]

    References
    ----------
    Little 1961, doi:10.1287/opre.9.3.383.

    Examples
    --------
    A billion tokens a day is 11,574 a second, at 20 a user:

    >>> concurrent_streams(tok_out_per_day=1e9, tok_out_per_s_per_stream=20)
    578.7037
    """
    return tok_out_per_day / SECONDS_PER_DAY / tok_out_per_s_per_stream


def prefill_share(*, prefill_s, tok_out, step_s, batch, tok_out_per_pass):
    r"""Share of an instance's time that prefill takes; the size of a prefill pool when the two are separated.

    .. math:: \varphi = \frac{t_p}{t_p + n_{out}\,t(B)/(B\,e)}

    Parameters
    ----------
    prefill_s : float or ndarray
        Time to prefill one request, t_p. [s]
    tok_out : float or ndarray
        Output tokens of a request, n_out. [tok_out]
    step_s : float or ndarray
        Time of a decode step, t. [s]
    batch : float or ndarray
        Sequences decoded together, B. [sequence]
    tok_out_per_pass : float or ndarray
        Output tokens that a sequence gains in a pass: 1 without speculation, e. [tok_out]

    Returns
    -------
    float or ndarray
        Share of prefill, phi. [fraction]

    References
    ----------
    Agrawal et al. 2024, Sarathi-Serve, arXiv:2403.02310. Zhong et al. 2024, DistServe, arXiv:2401.09670.
    Patel et al. 2024, Splitwise, arXiv:2311.18677.

    Examples
    --------
    142.1 ms of prefill beside 500 tokens of 12.013/32 ms, 187.7 ms:

    >>> prefill_share(prefill_s=0.1421, tok_out=500, step_s=0.012013, batch=32, tok_out_per_pass=1)
    0.4309
    """
    return prefill_s / (prefill_s + tok_out / tok_out_per_pass * step_s / batch)

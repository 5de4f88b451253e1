"""What batching saves and costs, and how full static batches are."""

from tokenecon.numerics import floor, maximum_of, where


def batching_saving(*, batch, batch_step_s, single_step_s):
    r"""Share of the cost of a token that decoding in a batch saves against decoding alone.

    .. math:: 1 - \frac{t(B)}{B\,t(1)}

    Parameters
    ----------
    batch : float or ndarray
        Sequences decoded together, B. [sequence]
    batch_step_s : float or ndarray
        Time of a step with the batch, t(B). [s]
    single_step_s : float or ndarray
        Time of a step with one sequence, t(1). [s]

    Returns
    -------
    float or ndarray
        Saving per token. [fraction]

    References
    ----------
    Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    A step that is 20 % longer for 32 sequences: 1 - 1.2/32:

    >>> batching_saving(batch=32, batch_step_s=0.012, single_step_s=0.010)
    0.9625
    """
    return 1 - batch_step_s / (batch * single_step_s)


def batching_latency_rise(*, batch_step_s, single_step_s):
    r"""Share by which a step, and so the time per output token, grows with the batch.

    .. math:: \frac{t(B)}{t(1)} - 1

    Parameters
    ----------
    batch_step_s : float or ndarray
        Time of a step with the batch, t(B). [s]
    single_step_s : float or ndarray
        Time of a step with one sequence, t(1). [s]

    Returns
    -------
    float or ndarray
        Rise over the step of one sequence. [fraction]

    References
    ----------
    Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    160.97 GB are read in place of 140.66 GB:

    >>> batching_latency_rise(batch_step_s=160.97152e9 / 13.4e12, single_step_s=140.65536e9 / 13.4e12)
    0.1444
    """
    return batch_step_s / single_step_s - 1


def static_occupancy(*, mean_tok_out, mean_longest_tok_out):
    r"""Share of a static batch's slots that do work: everybody waits for the longest answer.

    .. math:: \frac{E[L]}{E[\max_B L]}

    Parameters
    ----------
    mean_tok_out : float or ndarray
        Mean length of an answer, E[L]. [tok_out]
    mean_longest_tok_out : float or ndarray
        Mean length of the longest answer of a batch. [tok_out]

    Returns
    -------
    float or ndarray
        Occupancy of the slots. [fraction]

    References
    ----------
    Yu et al. 2022, Orca, OSDI 2022.

    Examples
    --------
    >>> static_occupancy(mean_tok_out=250, mean_longest_tok_out=1000)
    0.25
    """
    return mean_tok_out / mean_longest_tok_out


def static_occupancy_exponential(*, batch):
    r"""Occupancy of a static batch whose answers have exponentially distributed lengths.

    .. math:: \frac{1}{H_B}, \quad H_B = \sum_{k=1}^{B} \frac{1}{k}

    Parameters
    ----------
    batch : int or ndarray
        Sequences started together, at least 1; a fraction counts as the whole number below, B. [sequence]

    Returns
    -------
    float or ndarray
        Occupancy of the slots. [fraction]

    Notes
    -----
    The longest of B independent exponential lengths is H_B times the mean.

    References
    ----------
    Yu et al. 2022, Orca, OSDI 2022.

    Examples
    --------
    1/(1 + 1/2 + 1/3 + 1/4 + 1/5 + 1/6) = 1/2.45:

    >>> static_occupancy_exponential(batch=6)
    0.4082
    """
    slots = floor(batch)
    harmonic = 0.0
    for k in range(1, int(maximum_of(slots)) + 1):
        harmonic = harmonic + where(slots >= k, 1 / k, 0.0)
    return 1 / harmonic

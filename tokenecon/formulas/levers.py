"""What an optimisation saves against a stated baseline: precision, prefix cache, sparsity, stacked levers."""


def saving(*, before, after):
    r"""Share that a change saves against a stated baseline.

    .. math:: 1 - y/x

    Parameters
    ----------
    before : float or ndarray
        Cost, bytes or time of the baseline, in any unit, x. [ratio]
    after : float or ndarray
        The same after the change, in the same unit, y. [ratio]

    Returns
    -------
    float or ndarray
        Saving; negative where the change costs. [fraction]

    Examples
    --------
    18000 USD become 4500 USD a day:

    >>> saving(before=18000, after=4500)
    0.75
    """
    return 1 - after / before


def precision_saving(*, bits_per_param, baseline_bits_per_param):
    r"""Share of the weight bytes that a lower precision saves against a stated one.

    .. math:: 1 - b_{new}/b_{base}

    Parameters
    ----------
    bits_per_param : float or ndarray
        Bits of a weight, scales included, b_new. [bit/param]
    baseline_bits_per_param : float or ndarray
        Bits of a weight in the baseline, b_base. [bit/param]

    Returns
    -------
    float or ndarray
        Saving of weight memory, and of decode time where only weight reading counts. [fraction]

    Notes
    -----
    Four bits save 7/8 against 32 bits but 3/4 against 16, which is what models are served in:
    a saving without its baseline says nothing.

    Examples
    --------
    >>> precision_saving(bits_per_param=4, baseline_bits_per_param=16)
    0.75
    """
    return 1 - bits_per_param / baseline_bits_per_param


def precision_traffic_ratio(*, bits_per_param, baseline_bits_per_param):
    r"""Bandwidth that the baseline precision needs for one unit of the lower precision.

    .. math:: b_{base}/b_{new}

    Parameters
    ----------
    bits_per_param : float or ndarray
        Bits of a weight, scales included, b_new. [bit/param]
    baseline_bits_per_param : float or ndarray
        Bits of a weight in the baseline, b_base. [bit/param]

    Returns
    -------
    float or ndarray
        Weight bytes of the baseline over those of the lower precision. [ratio]

    Examples
    --------
    >>> precision_traffic_ratio(bits_per_param=8, baseline_bits_per_param=32)
    4.0
    """
    return baseline_bits_per_param / bits_per_param


def prefix_cache_factor(*, hit_rate, avoided_share):
    r"""Factor on the cost of input tokens when a part of them is found in a prefix cache.

    .. math:: 1 - h\,s

    Parameters
    ----------
    hit_rate : float or ndarray
        Share of input tokens found in the cache, h. [fraction]
    avoided_share : float or ndarray
        Share of a token's prefill cost that a hit avoids, s. [fraction]

    Returns
    -------
    float or ndarray
        Cost of input tokens with the cache over without. [ratio]

    References
    ----------
    Zheng et al. 2023, SGLang, arXiv:2312.07104.

    Examples
    --------
    >>> prefix_cache_factor(hit_rate=0.5, avoided_share=0.7)
    0.65
    """
    return 1 - hit_rate * avoided_share


def sparse_compute_saving(*, active_parameters, parameters):
    r"""Share of arithmetic that a mixture of experts saves against a dense model of its size.

    .. math:: 1 - P_{act}/P

    Parameters
    ----------
    active_parameters : float or ndarray
        Parameters that one token uses, P_act. [param]
    parameters : float or ndarray
        All parameters, P. [param]

    Returns
    -------
    float or ndarray
        Saving of arithmetic, not of memory, and of reading only at small batches. [fraction]

    References
    ----------
    Jiang et al. 2024, Mixtral, arXiv:2401.04088.

    Examples
    --------
    Mixtral 8x7B: 1 - 12.9/46.7:

    >>> sparse_compute_saving(active_parameters=12.9e9, parameters=46.7e9)
    0.7238
    """
    return 1 - active_parameters / parameters


def stacked_saving(*, savings):
    r"""Saving of several levers together if none got in another's way: an upper bound.

    .. math:: 1 - \prod_i (1 - s_i)

    Parameters
    ----------
    savings : sequence of float or ndarray
        Savings of the levers one by one, s_i. [fraction]

    Returns
    -------
    float or ndarray
        Saving together, at most. [fraction]

    Notes
    -----
    Quantisation, batching and speculation all live off the same idle arithmetic: recompute the step
    with all changes in place of multiplying.

    Examples
    --------
    1 - 0.25 * 0.5:

    >>> stacked_saving(savings=[0.75, 0.50])
    0.875
    """
    left = 1.0
    for share in savings:
        left = left * (1 - share)
    return 1 - left


def residual_saving(*, before, after, known_savings):
    r"""Saving that remains to be explained after the known levers.

    .. math:: 1 - \frac{y/x}{\prod_i (1 - s_i)}

    Parameters
    ----------
    before : float or ndarray
        Cost before all changes, in any unit, x. [ratio]
    after : float or ndarray
        Cost after all changes, in the same unit, y. [ratio]
    known_savings : sequence of float or ndarray
        Savings of the levers with a known effect, s_i. [fraction]

    Returns
    -------
    float or ndarray
        Saving that something else must give; negative where the known levers explain too much. [fraction]

    Examples
    --------
    2.1 million become 450,000 with 60 % from routing: 1 - 0.2143/0.4:

    >>> residual_saving(before=2.1e6, after=450e3, known_savings=[0.60])
    0.4643
    """
    return 1 - after / before / (1 - stacked_saving(savings=known_savings))

"""Cache memory that holds nothing, and how many more sequences a smaller, better packed cache lets in."""


def paged_overhead(*, block_positions, mean_positions):
    r"""Cache positions that paging leaves empty at the end of a sequence, per position used.

    .. math:: \frac{(b - 1)/2}{\bar n}

    Parameters
    ----------
    block_positions : float or ndarray
        Positions in a block, b. [position]
    mean_positions : float or ndarray
        Mean length of a sequence, n. [position]

    Returns
    -------
    float or ndarray
        Empty over used positions. [ratio]

    References
    ----------
    Kwon et al. 2023, PagedAttention, arXiv:2309.06180.

    Examples
    --------
    Blocks of 16, sequences of 500: 7.5/500:

    >>> paged_overhead(block_positions=16, mean_positions=500)
    0.015
    """
    return (block_positions - 1) / 2 / mean_positions


def paged_waste(*, block_positions, mean_positions):
    r"""Share of the allocated cache that paging leaves empty.

    .. math:: \frac{o}{1 + o}, \quad o = \frac{(b - 1)/2}{\bar n}

    Parameters
    ----------
    block_positions : float or ndarray
        Positions in a block, b. [position]
    mean_positions : float or ndarray
        Mean length of a sequence, n. [position]

    Returns
    -------
    float or ndarray
        Empty share of the allocated memory. [fraction]

    Notes
    -----
    Empty over used positions, which is often quoted, is :func:`paged_overhead`; a batch ceiling and
    :func:`concurrency_gain` need the share of what is allocated.

    References
    ----------
    Kwon et al. 2023, PagedAttention, arXiv:2309.06180.

    Examples
    --------
    7.5/507.5:

    >>> paged_waste(block_positions=16, mean_positions=500)
    0.01478
    """
    overhead = paged_overhead(block_positions=block_positions, mean_positions=mean_positions)
    return overhead / (1 + overhead)


def contiguous_waste(*, mean_positions, reserved_positions):
    r"""Share of the cache that stays empty when every sequence reserves the longest length.

    .. math:: 1 - \bar n / n_{max}

    Parameters
    ----------
    mean_positions : float or ndarray
        Mean length of a sequence, n. [position]
    reserved_positions : float or ndarray
        Length reserved for each, n_max. [position]

    Returns
    -------
    float or ndarray
        Empty share of the reserved memory. [fraction]

    References
    ----------
    Kwon et al. 2023, PagedAttention, arXiv:2309.06180.

    Examples
    --------
    >>> contiguous_waste(mean_positions=500, reserved_positions=2048)
    0.7559
    """
    return 1 - mean_positions / reserved_positions


def kv_shrink_quantised(*, bytes_per_value, baseline_bytes_per_value):
    r"""Factor by which storing the cache in a smaller format shrinks it.

    .. math:: b_{base}/b_{new}

    Parameters
    ----------
    bytes_per_value : float or ndarray
        Bytes of a cached value, b_new. [B]
    baseline_bytes_per_value : float or ndarray
        Bytes of a cached value in the baseline, b_base. [B]

    Returns
    -------
    float or ndarray
        Old cache over new cache. [ratio]

    Examples
    --------
    >>> kv_shrink_quantised(bytes_per_value=0.5, baseline_bytes_per_value=2.0)
    4.0
    """
    return baseline_bytes_per_value / bytes_per_value


def concurrency_gain(*, kv_shrink, waste_before, waste_after):
    r"""Factor by which a smaller and better packed cache lets more sequences in, in the same memory.

    .. math:: f = k\,\frac{1 - w'}{1 - w}

    Parameters
    ----------
    kv_shrink : float or ndarray
        Old cache per sequence over new, k. [ratio]
    waste_before : float or ndarray
        Share of the cache memory that was empty, w. [fraction]
    waste_after : float or ndarray
        Share that is empty after the change, w'. [fraction]

    Returns
    -------
    float or ndarray
        Sequences after over sequences before, f. [ratio]

    References
    ----------
    Kwon et al. 2023, PagedAttention, arXiv:2309.06180.

    Examples
    --------
    A cache of an eighth, with 0.3125 of it empty before and 45 % of that after: 8 * 0.859375/0.6875:

    >>> concurrency_gain(kv_shrink=8, waste_before=0.3125, waste_after=0.140625)
    10.0
    """
    return kv_shrink * (1 - waste_after) / (1 - waste_before)

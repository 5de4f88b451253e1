"""Where reading and arithmetic meet: ridge point, critical batch, idle compute, the bandwidth ceiling."""

from tokenecon.numerics import maximum


def ridge_point(*, flop_per_s_per_gpu, mfu, bytes_per_s_per_gpu, mbu):
    r"""Arithmetic per byte at which a GPU is as busy computing as reading.

    .. math:: I^* = \frac{\hat F\,\eta_c}{BW\,\eta_b}

    Parameters
    ----------
    flop_per_s_per_gpu : float or ndarray
        Peak dense arithmetic of one GPU. [FLOP/s/GPU]
    mfu : float or ndarray
        Share of that arithmetic reached, eta_c. [fraction]
    bytes_per_s_per_gpu : float or ndarray
        Peak memory bandwidth of one GPU, BW. [B/s/GPU]
    mbu : float or ndarray
        Share of that bandwidth reached, eta_b. [fraction]

    Returns
    -------
    float or ndarray
        Arithmetic intensity at the ridge, I*. [FLOP/B]

    References
    ----------
    Williams, Waterman, Patterson 2009, Roofline, doi:10.1145/1498765.1498785.

    Examples
    --------
    H100: 989.5/3.35:

    >>> ridge_point(flop_per_s_per_gpu=989.5e12, mfu=1.0, bytes_per_s_per_gpu=3.35e12, mbu=1.0)
    295.3731
    """
    return flop_per_s_per_gpu * mfu / (bytes_per_s_per_gpu * mbu)


def critical_batch(*, bytes_per_param, flop_per_multiply_add, flop_per_s_per_gpu, mfu, bytes_per_s_per_gpu,
                   mbu):
    r"""Batch at which the arithmetic of a decode step takes as long as reading the weights.

    .. math:: B^* = \frac{\hat F\,\eta_c}{BW\,\eta_b}\cdot\frac{b_w}{2}

    Parameters
    ----------
    bytes_per_param : float or ndarray
        Bytes read per parameter, b_w. [B/param]
    flop_per_multiply_add : float
        FLOP counted for the one multiplication and addition per parameter: 2. [FLOP]
    flop_per_s_per_gpu : float or ndarray
        Peak dense arithmetic of one GPU at the precision computed in. [FLOP/s/GPU]
    mfu : float or ndarray
        Share of that arithmetic reached, eta_c. [fraction]
    bytes_per_s_per_gpu : float or ndarray
        Peak memory bandwidth of one GPU, BW. [B/s/GPU]
    mbu : float or ndarray
        Share of that bandwidth reached, eta_b. [fraction]

    Returns
    -------
    float or ndarray
        Critical batch, B*. [sequence]

    Notes
    -----
    Only weights are counted. KV cache traffic grows with the batch as arithmetic does, so at long
    contexts a decode step may never become compute bound.

    References
    ----------
    Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    INT4 weights with 16-bit arithmetic on an H100: 295.37 * 0.5/2:

    >>> critical_batch(bytes_per_param=0.5, flop_per_multiply_add=2, flop_per_s_per_gpu=989.5e12, mfu=1.0,
    ...                bytes_per_s_per_gpu=3.35e12, mbu=1.0)
    73.8433
    """
    ridge = ridge_point(flop_per_s_per_gpu=flop_per_s_per_gpu, mfu=mfu,
                        bytes_per_s_per_gpu=bytes_per_s_per_gpu, mbu=mbu)
    return ridge * bytes_per_param / flop_per_multiply_add


def idle_compute(*, batch, critical_batch):
    r"""Share of the arithmetic that a bandwidth-bound decode step leaves unused.

    .. math:: \max\left(0, 1 - \frac{B}{B^*}\right)

    Parameters
    ----------
    batch : float or ndarray
        Sequences decoded together, B. [sequence]
    critical_batch : float or ndarray
        Batch at which nothing is left unused, B*. [sequence]

    Returns
    -------
    float or ndarray
        Idle share of the arithmetic. [fraction]

    Examples
    --------
    One request on an H100: 1 - 1/295.37:

    >>> idle_compute(batch=1, critical_batch=295.37)
    0.9966
    """
    return maximum(1 - batch / critical_batch, 0.0)


def bandwidth_ceiling_tok_out_per_s(*, weight_bytes, gpus, bytes_per_s_per_gpu, mbu, tok_out_per_pass):
    r"""Output tokens per second of one sequence where reading the weights is all that counts.

    .. math:: R_1 = \frac{N\,BW\,\eta_b}{W}\,e

    Parameters
    ----------
    weight_bytes : float or ndarray
        Weights read for a token, W. [B]
    gpus : float or ndarray
        GPUs that share them, N. [GPU]
    bytes_per_s_per_gpu : float or ndarray
        Peak memory bandwidth of one GPU, BW. [B/s/GPU]
    mbu : float or ndarray
        Share of that bandwidth reached, eta_b. [fraction]
    tok_out_per_pass : float or ndarray
        Output tokens that a sequence gains in a pass: 1 without speculation, e. [tok_out]

    Returns
    -------
    float or ndarray
        Output tokens per second, R_1. [tok_out/s]

    References
    ----------
    Williams, Waterman, Patterson 2009, Roofline, doi:10.1145/1498765.1498785.

    Examples
    --------
    3.35 TB/s over 140 GB:

    >>> bandwidth_ceiling_tok_out_per_s(weight_bytes=140e9, gpus=1, bytes_per_s_per_gpu=3.35e12, mbu=1.0,
    ...                                 tok_out_per_pass=1)
    23.9286
    """
    return gpus * bytes_per_s_per_gpu * mbu / weight_bytes * tok_out_per_pass

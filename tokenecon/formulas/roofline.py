"""Time of one pass: bytes over bandwidth, FLOPs over arithmetic, then links and fixed cost; and where the two bounds meet."""

from tokenecon.numerics import Quantity, maximum


def memory_seconds(*, bytes_moved: Quantity, n_gpus: Quantity, bytes_per_s_per_gpu: Quantity, mbu: Quantity) -> Quantity:
    r"""Time that GPUs need to read a pass's bytes from their memory.

    .. math:: t_m = \frac{Q}{N\,BW\,\eta_b}

    Parameters
    ----------
    bytes_moved : float or ndarray
        Weights, cache and activations that the pass reads, all GPUs together, Q. [B]
    n_gpus : float or ndarray
        GPUs that share the bytes evenly, N. [GPU]
    bytes_per_s_per_gpu : float or ndarray
        Peak memory bandwidth of one GPU, BW. [B/s/GPU]
    mbu : float or ndarray
        Memory bandwidth utilisation, the share of the peak that is reached, eta_b. [fraction]

    Returns
    -------
    float or ndarray
        Time, t_m. [s]

    References
    ----------
    Williams, Waterman, Patterson 2009, Roofline, doi:10.1145/1498765.1498785.

    Examples
    --------
    140 GB over 3.35 TB/s:

    >>> memory_seconds(bytes_moved=140e9, n_gpus=1, bytes_per_s_per_gpu=3.35e12, mbu=1.0)
    0.04179
    """
    return bytes_moved / (n_gpus * bytes_per_s_per_gpu * mbu)


def compute_seconds(*, flop: Quantity, n_gpus: Quantity, flop_per_s_per_gpu: Quantity, mfu: Quantity) -> Quantity:
    r"""Time that GPUs need for a pass's arithmetic.

    .. math:: t_c = \frac{F}{N\,\hat F\,\eta_c}

    Parameters
    ----------
    flop : float or ndarray
        Arithmetic of the pass, all GPUs together, F. [FLOP]
    n_gpus : float or ndarray
        GPUs that share the work evenly, N. [GPU]
    flop_per_s_per_gpu : float or ndarray
        Peak dense arithmetic of one GPU at the precision computed in. [FLOP/s/GPU]
    mfu : float or ndarray
        Model FLOP utilisation, the share of the peak that is reached, eta_c. [fraction]

    Returns
    -------
    float or ndarray
        Time, t_c. [s]

    References
    ----------
    Williams, Waterman, Patterson 2009, Roofline, doi:10.1145/1498765.1498785.

    Examples
    --------
    281.16 TFLOP on four H100 (989.5 TFLOP/s each) at half their peak take 281.16/1979 s:

    >>> compute_seconds(flop=281.16e12, n_gpus=4, flop_per_s_per_gpu=989.5e12, mfu=0.5)
    0.1421
    """
    return flop / (n_gpus * flop_per_s_per_gpu * mfu)


def pass_seconds(*, memory_s: Quantity, compute_s: Quantity, comm_s: Quantity, fixed_s: Quantity) -> Quantity:
    r"""Time of one pass: the slower of memory and arithmetic, then links and fixed cost.

    .. math:: t = \max(t_m, t_c) + t_{comm} + t_0

    Parameters
    ----------
    memory_s : float or ndarray
        Time to read the bytes, t_m. [s]
    compute_s : float or ndarray
        Time of the arithmetic, t_c. [s]
    comm_s : float or ndarray
        Time on links between GPUs that nothing hides, t_comm. [s]
    fixed_s : float or ndarray
        Launches, scheduling, sampling: the same whatever the batch, t_0. [s]

    Returns
    -------
    float or ndarray
        Time of the pass, t. [s]

    Notes
    -----
    Reading and arithmetic are taken to overlap perfectly, and links not at all: with every efficiency
    at 1 and no fixed cost this is a lower bound that no engine reaches.

    References
    ----------
    Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    12 ms of reading hide 5 ms of arithmetic; 2 ms on links and 1 ms fixed come on top:

    >>> pass_seconds(memory_s=0.012, compute_s=0.005, comm_s=0.002, fixed_s=0.001)
    0.015
    """
    return maximum(memory_s, compute_s) + comm_s + fixed_s


def decode_step_seconds(*, weight_bytes: Quantity, kv_bytes_per_sequence: Quantity, flop_per_sequence: Quantity,
                        batch: Quantity, n_gpus: Quantity, bytes_per_s_per_gpu: Quantity, mbu: Quantity,
                        flop_per_s_per_gpu: Quantity, mfu: Quantity, comm_s: Quantity, fixed_s: Quantity) -> Quantity:
    r"""Time of a decode step: weights are read once for all sequences, cache and arithmetic once for each.

    .. math:: t(B) = \max\left(\frac{W + B\,K}{N\,BW\,\eta_b},
              \frac{B\,f}{N\,\hat F\,\eta_c}\right) + t_{comm} + t_0

    Parameters
    ----------
    weight_bytes : float or ndarray
        Weights that the step reads: of a mixture of experts, the experts touched, W. [B]
    kv_bytes_per_sequence : float or ndarray
        Cache that one sequence reads, at its mean length, K. [B/sequence]
    flop_per_sequence : float or ndarray
        Arithmetic of one sequence in this step, weights and attention, f. [FLOP]
    batch : float or ndarray
        Sequences decoded together, B. [sequence]
    n_gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    bytes_per_s_per_gpu : float or ndarray
        Peak memory bandwidth of one GPU, BW. [B/s/GPU]
    mbu : float or ndarray
        Share of that bandwidth reached, eta_b. [fraction]
    flop_per_s_per_gpu : float or ndarray
        Peak dense arithmetic of one GPU. [FLOP/s/GPU]
    mfu : float or ndarray
        Share of that arithmetic reached, eta_c. [fraction]
    comm_s : float or ndarray
        Time on links, t_comm. [s]
    fixed_s : float or ndarray
        Fixed cost of a step, t_0. [s]

    Returns
    -------
    float or ndarray
        Time of the step, t. [s]

    Notes
    -----
    When a step verifies so many drafted tokens per sequence, multiply ``flop_per_sequence``, not the
    cache: the queries of one sequence share its reading.

    References
    ----------
    Williams, Waterman, Patterson 2009, doi:10.1145/1498765.1498785. Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    Llama 2 70B on four H100, 32 sequences of 2000 positions (0.65536 GB each): 160.97 GB / 13.4 TB/s:

    >>> decode_step_seconds(weight_bytes=140e9, kv_bytes_per_sequence=0.65536e9,
    ...                     flop_per_sequence=145.2e9, batch=32, n_gpus=4, bytes_per_s_per_gpu=3.35e12,
    ...                     mbu=1.0, flop_per_s_per_gpu=989.5e12, mfu=1.0, comm_s=0.0, fixed_s=0.0)
    0.01201
    """
    return pass_seconds(
        memory_s=memory_seconds(
            bytes_moved=weight_bytes + batch * kv_bytes_per_sequence,
            n_gpus=n_gpus, bytes_per_s_per_gpu=bytes_per_s_per_gpu, mbu=mbu),
        compute_s=compute_seconds(
            flop=batch * flop_per_sequence, n_gpus=n_gpus, flop_per_s_per_gpu=flop_per_s_per_gpu, mfu=mfu),
        comm_s=comm_s,
        fixed_s=fixed_s,
    )


def prefill_seconds(*, flop: Quantity, weight_bytes: Quantity, n_gpus: Quantity, bytes_per_s_per_gpu: Quantity, mbu: Quantity,
                    flop_per_s_per_gpu: Quantity, mfu: Quantity, comm_s: Quantity, fixed_s: Quantity) -> Quantity:
    r"""Time to prefill prompts in one pass: their arithmetic, or for short ones the reading of the weights.

    .. math:: t_p = \max\left(\frac{F}{N\,\hat F\,\eta_c}, \frac{W}{N\,BW\,\eta_b}\right) + t_{comm} + t_0

    Parameters
    ----------
    flop : float or ndarray
        Arithmetic of all prompts in the pass, F. [FLOP]
    weight_bytes : float or ndarray
        Weights read, W. [B]
    n_gpus : float or ndarray
        GPUs of the instance, N. [GPU]
    bytes_per_s_per_gpu : float or ndarray
        Peak memory bandwidth of one GPU, BW. [B/s/GPU]
    mbu : float or ndarray
        Share of that bandwidth reached, eta_b. [fraction]
    flop_per_s_per_gpu : float or ndarray
        Peak dense arithmetic of one GPU. [FLOP/s/GPU]
    mfu : float or ndarray
        Share of that arithmetic reached, eta_c. [fraction]
    comm_s : float or ndarray
        Time on links, t_comm. [s]
    fixed_s : float or ndarray
        Fixed cost of a pass, t_0. [s]

    Returns
    -------
    float or ndarray
        Time of the prefill, t_p. [s]

    References
    ----------
    Pope et al. 2022, arXiv:2211.05102.

    Examples
    --------
    2000 tokens of Llama 2 70B (281.16 TFLOP) on four H100 at half their peak arithmetic:

    >>> prefill_seconds(flop=281.16e12, weight_bytes=140e9, n_gpus=4, bytes_per_s_per_gpu=3.35e12, mbu=0.8,
    ...                 flop_per_s_per_gpu=989.5e12, mfu=0.5, comm_s=0.0, fixed_s=0.0)
    0.1421
    """
    return pass_seconds(
        memory_s=memory_seconds(
            bytes_moved=weight_bytes, n_gpus=n_gpus, bytes_per_s_per_gpu=bytes_per_s_per_gpu, mbu=mbu),
        compute_s=compute_seconds(
            flop=flop, n_gpus=n_gpus, flop_per_s_per_gpu=flop_per_s_per_gpu, mfu=mfu),
        comm_s=comm_s,
        fixed_s=fixed_s,
    )


def ridge_point(*, flop_per_s_per_gpu: Quantity, mfu: Quantity, bytes_per_s_per_gpu: Quantity, mbu: Quantity) -> Quantity:
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


def critical_batch(*, bytes_per_param: Quantity, flop_per_multiply_add: Quantity, flop_per_s_per_gpu: Quantity, mfu: Quantity,
                   bytes_per_s_per_gpu: Quantity, mbu: Quantity) -> Quantity:
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


def idle_compute(*, batch: Quantity, critical_batch: Quantity) -> Quantity:
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

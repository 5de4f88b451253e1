"""Bytes: what the weights of a model take, and what fits on how many GPUs."""

from tokenecon.numerics import Quantity, ceil, log, maximum
from tokenecon.units import BITS_PER_BYTE


def effective_bits(*, value_bits: Quantity, scale_bits: Quantity, zero_bits: Quantity, group_size: Quantity) -> Quantity:
    r"""Bits that one weight takes when a group of weights shares a scale and a zero point.

    .. math:: b_e = b + \frac{b_s + b_z}{g}

    Parameters
    ----------
    value_bits : float or ndarray
        Bits of the stored value itself, b. [bit/param]
    scale_bits : float or ndarray
        Bits of the scale that a group shares, b_s. [bit]
    zero_bits : float or ndarray
        Bits of the zero point that a group shares, b_z; 0 for symmetric formats. [bit]
    group_size : float or ndarray
        Weights in a group, g. [param]

    Returns
    -------
    float or ndarray
        Bits per weight with its share of scale and zero point, b_e. [bit/param]

    Notes
    -----
    A "4-bit" model is never 4 bits a weight: halving and quartering by the nominal width is optimistic.

    References
    ----------
    Frantar, Ashkboos, Hoefler, Alistarh 2022, GPTQ, arXiv:2210.17323.
    Lin et al. 2023, AWQ, arXiv:2306.00978.

    Examples
    --------
    A 16-bit scale and a 4-bit zero point for 128 weights add 20/128 = 0.156 bits:

    >>> effective_bits(value_bits=4, scale_bits=16, zero_bits=4, group_size=128)
    4.1562
    """
    return value_bits + (scale_bits + zero_bits) / group_size


def bytes_per_param(*, bits_per_param: Quantity) -> Quantity:
    r"""Bytes per parameter from bits per parameter.

    .. math:: b_w = b_e / 8

    Parameters
    ----------
    bits_per_param : float or ndarray
        Bits per parameter, shared scales included, b_e. [bit/param]

    Returns
    -------
    float or ndarray
        Bytes per parameter, b_w. [B/param]

    Examples
    --------
    16 bits are 2 bytes:

    >>> bytes_per_param(bits_per_param=16)
    2.0
    """
    return bits_per_param / BITS_PER_BYTE


def weight_bytes(*, parameters: Quantity, bytes_per_param: Quantity) -> Quantity:
    r"""Bytes that the weights take.

    .. math:: W = P\,b_w

    Parameters
    ----------
    parameters : float or ndarray
        All parameters of the model, active or not, P. [param]
    bytes_per_param : float or ndarray
        Bytes per parameter, scales included, b_w. [B/param]

    Returns
    -------
    float or ndarray
        Bytes of the weights, W. [B]

    Examples
    --------
    70 billion parameters of 2 bytes are 140 GB:

    >>> weight_bytes(parameters=70e9, bytes_per_param=2.0)
    140000000000.0
    """
    return parameters * bytes_per_param


def usable_bytes(*, memory_bytes_per_gpu: Quantity, usable_fraction: Quantity, n_gpus: Quantity) -> Quantity:
    r"""Memory that weights, cache and activations may fill.

    .. math:: M_u = N\,M\,u

    Parameters
    ----------
    memory_bytes_per_gpu : float or ndarray
        Memory of one GPU as the engine sees it, M. [B/GPU]
    usable_fraction : float or ndarray
        Share that the engine may allocate, u. [fraction]
    n_gpus : float or ndarray
        GPUs of the instance, N. [GPU]

    Returns
    -------
    float or ndarray
        Usable memory, M_u. [B]

    Examples
    --------
    Two cards of 80 GB at 90 % leave 144 GB:

    >>> usable_bytes(memory_bytes_per_gpu=80e9, usable_fraction=0.9, n_gpus=2)
    144000000000.0
    """
    return memory_bytes_per_gpu * usable_fraction * n_gpus


def gpus_to_hold(*, bytes_needed: Quantity, memory_bytes_per_gpu: Quantity, usable_fraction: Quantity,
                 gpus_per_step: Quantity) -> Quantity:
    r"""Fewest GPUs that hold so many bytes, bought in steps of so many.

    .. math:: N = g\left\lceil\frac{W}{g\,M\,u}\right\rceil

    Parameters
    ----------
    bytes_needed : float or ndarray
        Weights, cache and activations together, W. [B]
    memory_bytes_per_gpu : float or ndarray
        Memory of one GPU, M. [B/GPU]
    usable_fraction : float or ndarray
        Share of it that may be filled, u. [fraction]
    gpus_per_step : int or ndarray
        GPUs that come at once: 1 for single cards, 8 for whole servers, g. [GPU]

    Returns
    -------
    float or ndarray
        GPUs, N. [GPU]

    Notes
    -----
    A model is seldom split over five GPUs: see :func:`parallel_size` for what engines accept.

    Examples
    --------
    175 billion parameters of 2 bytes are 350 GB, and 350/80 = 4.4:

    >>> gpus_to_hold(bytes_needed=350e9, memory_bytes_per_gpu=80e9, usable_fraction=1.0, gpus_per_step=1)
    5.0
    """
    step_bytes = memory_bytes_per_gpu * usable_fraction * gpus_per_step
    return gpus_per_step * ceil(bytes_needed / step_bytes - 1e-9)  # an exact fit fits


def parallel_size(*, n_gpus: Quantity, smallest_group: Quantity) -> Quantity:
    r"""Next group size that divides attention heads evenly: the smallest group doubled until it suffices.

    .. math:: N' = g\,2^{\lceil \log_2 (N/g) \rceil}

    Parameters
    ----------
    n_gpus : float or ndarray
        GPUs that the memory asks for, at least one group, N. [GPU]
    smallest_group : int or ndarray
        Smallest group that is doubled, usually one GPU, g. [GPU]

    Returns
    -------
    float or ndarray
        GPUs of the instance, N'. [GPU]

    Examples
    --------
    Five GPUs become eight:

    >>> parallel_size(n_gpus=5, smallest_group=1)
    8.0
    """
    # The tiny amount keeps an exact power of two (log(2**29)/log(2) is 29.000000000000004) where it is.
    return smallest_group * 2.0 ** ceil(log(n_gpus / smallest_group) / log(2.0) - 1e-9)


def batch_ceiling(*, usable_bytes: Quantity, weight_bytes: Quantity, activation_bytes: Quantity, kv_waste: Quantity,
                  kv_bytes_per_sequence: Quantity) -> Quantity:
    r"""Sequences whose KV cache fits beside the weights.

    .. math:: B_{max} = \max\left(0, \frac{(M_u - W - A)(1 - \omega)}{K}\right)

    Parameters
    ----------
    usable_bytes : float or ndarray
        Memory of the instance that may be filled, M_u. [B]
    weight_bytes : float or ndarray
        Weights, W. [B]
    activation_bytes : float or ndarray
        Activations and workspace, A. [B]
    kv_waste : float or ndarray
        Share of the cache memory that holds no value: page ends, unused reservations, omega. [fraction]
    kv_bytes_per_sequence : float or ndarray
        Cache of one sequence at its length, K. [B/sequence]

    Returns
    -------
    float or ndarray
        Sequences, not rounded; 0 where the weights alone do not fit, B_max. [sequence]

    References
    ----------
    Kwon et al. 2023, PagedAttention, arXiv:2309.06180.

    Examples
    --------
    (2 * 80 GB * 0.9 - 140 GB) over 2000 positions of 327,680 B are 4 GB / 0.65536 GB:

    >>> batch_ceiling(usable_bytes=144e9, weight_bytes=140e9, activation_bytes=0.0, kv_waste=0.0,
    ...               kv_bytes_per_sequence=655.36e6)
    6.1035
    """
    room = maximum((usable_bytes - weight_bytes - activation_bytes) * (1 - kv_waste), 0.0)
    return room / kv_bytes_per_sequence

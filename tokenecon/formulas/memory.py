"""Bytes: what the weights of a model take, and what fits on how many GPUs."""

from tokenecon.numerics import Quantity, ceil, log, maximum, minimum
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
    Two cards of 80 GB at 90% leave 144 GB:

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


def forward_bytes(*, tokens: Quantity, hidden_size: Quantity, ffn_size: Quantity, bytes_per_value: Quantity) -> Quantity:
    r"""Bytes that the activations of one layer take at the peak of a pass, of which an engine keeps one layer at a time.

    .. math:: A = m\,b\,(2\,d_{ff} + 6\,d)

    Parameters
    ----------
    tokens : float or ndarray
        Tokens of the pass, m. [sequence]
    hidden_size : int or ndarray
        Hidden size, d. [count]
    ffn_size : float or ndarray
        Inner size of the dense feed-forward block on one GPU, d_ff. [count]
    bytes_per_value : float or ndarray
        Bytes of a value, b. [B]

    Returns
    -------
    float or ndarray
        Bytes on that GPU, A. [B]

    Notes
    -----
    Gate and up projection stand side by side before they are multiplied; residual, norm, query, key, value and the output
    of attention are about six times the hidden state. Profile runs of vLLM without chunked prefill agree within 5%.

    References
    ----------
    vLLM 2024, issue 10517: the same model profiled with 20,000 and with 29,000 tokens.

    Examples
    --------
    20,000 tokens of Llama 3.1 8B: 20,000 * 2 * (2 * 14,336 + 6 * 4,096), 2.13 GB:

    >>> forward_bytes(tokens=20e3, hidden_size=4096, ffn_size=14336, bytes_per_value=2.0)
    2129920000.0
    """
    return tokens * bytes_per_value * (2 * ffn_size + 6 * hidden_size)


def sampler_bytes(*, sequences: Quantity, vocab: Quantity, copies: Quantity, bytes_per_logit: Quantity, tokens: Quantity,
                  hidden_size: Quantity, bytes_per_value: Quantity) -> Quantity:
    r"""Bytes at the peak of a profile run's sampling: logits in several copies beside the hidden states of the pass.

    .. math:: A = c\,S\,V\,b_l + 1.25\,m\,d\,b

    Parameters
    ----------
    sequences : float or ndarray
        Sequences that the engine may run at once, S. [sequence]
    vocab : int or ndarray
        Size of the vocabulary, V. [count]
    copies : float or ndarray
        Copies of the logits that are alive at the peak: sorted values, their places, probabilities, sums, c. [ratio]
    bytes_per_logit : float or ndarray
        Bytes of a logit, b_l. [B]
    tokens : float or ndarray
        Tokens of the pass, m. [sequence]
    hidden_size : int or ndarray
        Hidden size, d. [count]
    bytes_per_value : float or ndarray
        Bytes of a hidden value, b. [B]

    Returns
    -------
    float or ndarray
        Bytes on each GPU, however many share the model, A. [B]

    References
    ----------
    llm-d-benchmark 2026, empirical vLLM memory results: 4.76 GiB for Llama 3.1 8B, 4.84 for 70B on one GPU and on two, 7.38
    for gpt-oss 20B and 120B. llm-d-planner 2026, accuracy report for vLLM 0.19: 1.89, 2.21, 2.87 GiB.

    Examples
    --------
    1024 sequences, 128,256 entries, 9.5 copies of 4 B beside 8192 tokens of 4096 values: 4.99 GB + 0.08 GB:

    >>> sampler_bytes(sequences=1024, vocab=128256, copies=9.5, bytes_per_logit=4.0, tokens=8192, hidden_size=4096,
    ...               bytes_per_value=2.0)
    5074583552.0
    """
    return copies * sequences * vocab * bytes_per_logit + 1.25 * tokens * hidden_size * bytes_per_value


def expert_workspace_bytes(*, tokens: Quantity, experts_per_token: Quantity, hidden_size: Quantity, expert_size: Quantity,
                           bytes_per_value: Quantity) -> Quantity:
    r"""Bytes of the two buffers that fused kernels keep for what tokens bring to experts and take from them.

    .. math:: A = m\,k\,b\,\left(d + \max(2\,d_E, d)\right)

    Parameters
    ----------
    tokens : float or ndarray
        Tokens of a pass, m. [sequence]
    experts_per_token : int or ndarray
        Experts of each token, k. [count]
    hidden_size : int or ndarray
        Hidden size, d. [count]
    expert_size : float or ndarray
        Inner size of an expert on one GPU, d_E. [count]
    bytes_per_value : float or ndarray
        Bytes of a value, b. [B]

    Returns
    -------
    float or ndarray
        Bytes on that GPU, A. [B]

    References
    ----------
    llm-d-planner 2026, accuracy report for vLLM 0.19: 1.93 GiB for DeepSeek-V2-Lite, of which the logits explain 1.49.

    Examples
    --------
    8192 tokens, 6 experts each, 2048 values in and 2 * 1408 out, of 2 B: 0.48 GB:

    >>> expert_workspace_bytes(tokens=8192, experts_per_token=6, hidden_size=2048, expert_size=1408, bytes_per_value=2.0)
    478150656.0
    """
    return tokens * experts_per_token * bytes_per_value * (hidden_size + maximum(2 * expert_size, hidden_size))


def cache_pool_bytes(*, memory_bytes: Quantity, share: Quantity, taken_before_bytes: Quantity,
                     taken_after_bytes: Quantity) -> Quantity:
    r"""Bytes that an engine gives to the cache: a share of the memory, with weights and reserve taken before it or after.

    .. math:: K = \max\left(0, u\,(M - T_b) - T_a\right)

    Parameters
    ----------
    memory_bytes : float or ndarray
        Memory of one GPU as the engine sees it, M. [B]
    share : float or ndarray
        Share that the engine may fill, u. [fraction]
    taken_before_bytes : float or ndarray
        What is taken before the share is: weights and activations in TensorRT-LLM, the context in SGLang, T_b. [B]
    taken_after_bytes : float or ndarray
        What the share must hold, too: weights in vLLM and SGLang, in vLLM activations and context, T_a. [B]

    Returns
    -------
    float or ndarray
        Cache on one GPU, K. [B]

    Examples
    --------
    One share, three engines: 0.9 of 80 GB with 40 GB of weights and 5 GB in reserve are 27 GB where all of it is inside the
    share (vLLM), and 0.9 of what 45 GB leave, 31.5 GB, where it is outside (TensorRT-LLM):

    >>> cache_pool_bytes(memory_bytes=80e9, share=0.9, taken_before_bytes=0.0, taken_after_bytes=45e9)
    27000000000.0
    >>> cache_pool_bytes(memory_bytes=80e9, share=0.9, taken_before_bytes=45e9, taken_after_bytes=0.0)
    31500000000.0
    """
    return maximum(share * (memory_bytes - taken_before_bytes) - taken_after_bytes, 0.0 * memory_bytes)


def sequences_in_pool(*, pool_bytes: Quantity, positions: Quantity, full_bytes_per_position: Quantity,
                      window_bytes_per_position: Quantity, window: Quantity, chunk: Quantity, state_bytes: Quantity) -> Quantity:
    r"""Sequences of one length that a pool of cache holds, each with its window and its states, one of them being read.

    .. math:: B = \frac{\max\left(0, K - k_w\,\min(c, n - n_w)\right)}{k_f\,n + k_w\,n_w + s}

    .. math:: n_w = \min(n, w)

    Parameters
    ----------
    pool_bytes : float or ndarray
        Cache on one GPU, K. [B]
    positions : float or ndarray
        Length of a sequence, n. [position]
    full_bytes_per_position : float or ndarray
        Cache per position of the layers that keep all of it, k_f. [B/position]
    window_bytes_per_position : float or ndarray
        Cache per position of the layers with a window, k_w. [B/position]
    window : float or ndarray
        Positions that those keep, w. [position]
    chunk : float or ndarray
        Positions that one pass reads: while it does, they stand in the windowed layers, too, c. [position]
    state_bytes : float or ndarray
        State of a sequence of any length, s. [B]

    Returns
    -------
    float or ndarray
        Sequences, not rounded, B. [sequence]

    Notes
    -----
    vLLM counts window and chunk for every sequence when it prints its concurrency; while it runs, only those that are being
    read hold a chunk.

    Examples
    --------
    10 GB, 20,000 positions of 10 kB, windows of 1000 of 100 kB, one chunk of 8000: (10 - 0.8) GB / (0.2 + 0.1) GB:

    >>> sequences_in_pool(pool_bytes=10e9, positions=20e3, full_bytes_per_position=10e3, window_bytes_per_position=100e3,
    ...                   window=1000, chunk=8000, state_bytes=0.0)
    30.6667
    """
    held = minimum(positions, window)
    reading = window_bytes_per_position * minimum(chunk, positions - held)
    each = full_bytes_per_position * positions + window_bytes_per_position * held + state_bytes
    return maximum(pool_bytes - reading, 0.0 * pool_bytes) / each

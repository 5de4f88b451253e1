"""Bytes of the KV cache, in every structure of attention, and what paging and packing leave empty of it."""

from tokenecon.numerics import Quantity, minimum


def kv_bytes_per_token(*, layers: Quantity, kv_heads: Quantity, head_dim: Quantity, bytes_per_value: Quantity) -> Quantity:
    r"""KV cache that one position of one sequence adds, for layers that keep keys and values per head.

    .. math:: k = 2\,L\,n_{kv}\,d_h\,b_{kv}

    Parameters
    ----------
    layers : int or ndarray
        Layers that keep such a cache, L. [layer]
    kv_heads : int or ndarray
        Key-value heads: the query heads in multi-head attention, 1 in multi-query attention, between the
        two in grouped-query attention, n_kv. [head]
    head_dim : int or ndarray
        Width of a head, d_h. [count]
    bytes_per_value : float or ndarray
        Bytes of a cached value, b_kv. [B]

    Returns
    -------
    float or ndarray
        Cache per position, k. [B/position]

    References
    ----------
    Shazeer 2019, arXiv:1911.02150 (multi-query). Ainslie et al. 2023, arXiv:2305.13245 (grouped-query).

    Examples
    --------
    Llama 2 70B at 16 bits: 2 * 80 * 8 * 128 * 2:

    >>> kv_bytes_per_token(layers=80, kv_heads=8, head_dim=128, bytes_per_value=2)
    327680
    """
    return 2 * layers * kv_heads * head_dim * bytes_per_value


def kv_bytes_per_token_mla(*, layers: Quantity, kv_lora_rank: Quantity, rope_head_dim: Quantity,
                           bytes_per_value: Quantity) -> Quantity:
    r"""KV cache per position with multi-head latent attention: one compressed vector and one rotary key.

    .. math:: k = L\,(d_c + d_{rope})\,b_{kv}

    Parameters
    ----------
    layers : int or ndarray
        Layers, L. [layer]
    kv_lora_rank : int or ndarray
        Width of the compressed key-value vector, d_c. [count]
    rope_head_dim : int or ndarray
        Width of the rotary key that all heads share, d_rope. [count]
    bytes_per_value : float or ndarray
        Bytes of a cached value, b_kv. [B]

    Returns
    -------
    float or ndarray
        Cache per position, k. [B/position]

    Notes
    -----
    Keys and values share the vector, so there is no factor 2, and heads do not enter: splitting over
    GPUs by heads makes every GPU keep the whole of it.

    References
    ----------
    DeepSeek-AI 2024, DeepSeek-V2, arXiv:2405.04434.

    Examples
    --------
    DeepSeek-V3 at 16 bits: 61 * (512 + 64) * 2:

    >>> kv_bytes_per_token_mla(layers=61, kv_lora_rank=512, rope_head_dim=64, bytes_per_value=2)
    70272
    """
    return layers * (kv_lora_rank + rope_head_dim) * bytes_per_value


def kv_bytes_of_sequence(*, positions: Quantity, full_bytes_per_position: Quantity, window_bytes_per_position: Quantity,
                         window: Quantity, state_bytes: Quantity) -> Quantity:
    r"""Cache of one sequence in a model that may mix full, windowed and linear-attention layers.

    .. math:: K(n) = k_f\,n + k_w\,\min(n, w) + s

    Parameters
    ----------
    positions : float or ndarray
        Positions the sequence holds so far, prompt and output, n. [position]
    full_bytes_per_position : float or ndarray
        Cache per position of the layers that see the whole sequence, k_f. [B/position]
    window_bytes_per_position : float or ndarray
        Cache per position of the layers with a sliding window or chunks, 0 without such layers,
        k_w. [B/position]
    window : float or ndarray
        Positions such a layer keeps, w. [position]
    state_bytes : float or ndarray
        State of the linear-attention layers, whatever the length; 0 without such layers, s. [B]

    Returns
    -------
    float or ndarray
        Cache of one sequence, K. [B/sequence]

    References
    ----------
    Beltagy, Peters, Cohan 2020, Longformer, arXiv:2004.05150 (sliding windows).

    Examples
    --------
    Llama 2 70B over 128,000 positions: 327,680 * 128,000 B are 41.94 GB:

    >>> kv_bytes_of_sequence(positions=128e3, full_bytes_per_position=327680,
    ...                      window_bytes_per_position=0, window=4096, state_bytes=0)
    41943040000.0
    """
    return (full_bytes_per_position * positions
            + window_bytes_per_position * minimum(positions, window)
            + state_bytes)


def kv_shrink_grouped(*, query_heads: Quantity, kv_heads: Quantity) -> Quantity:
    r"""Factor by which sharing key-value heads shrinks the KV cache against multi-head attention.

    .. math:: n_h / n_{kv}

    Parameters
    ----------
    query_heads : int or ndarray
        Query heads, n_h. [head]
    kv_heads : int or ndarray
        Key-value heads, 1 for multi-query attention, n_kv. [head]

    Returns
    -------
    float or ndarray
        Old cache over new cache. [ratio]

    Examples
    --------
    Llama 2 70B has 64 query heads on 8 key-value heads:

    >>> kv_shrink_grouped(query_heads=64, kv_heads=8)
    8.0
    """
    return query_heads / kv_heads


def paged_overhead(*, block_positions: Quantity, mean_positions: Quantity) -> Quantity:
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


def paged_waste(*, block_positions: Quantity, mean_positions: Quantity) -> Quantity:
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


def contiguous_waste(*, mean_positions: Quantity, reserved_positions: Quantity) -> Quantity:
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


def concurrency_gain(*, kv_shrink: Quantity, waste_before: Quantity, waste_after: Quantity) -> Quantity:
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
    A cache of an eighth, with 0.3125 of it empty before and 45% of that after: 8 * 0.859375/0.6875:

    >>> concurrency_gain(kv_shrink=8, waste_before=0.3125, waste_after=0.140625)
    10.0
    """
    return kv_shrink * (1 - waste_after) / (1 - waste_before)

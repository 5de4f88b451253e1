"""Bytes of the KV cache: multi-head, grouped, multi-query and latent attention, windows, linear layers."""

from tokenecon.numerics import minimum


def kv_bytes_per_token(*, layers, kv_heads, head_dim, bytes_per_value):
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


def kv_bytes_per_token_mla(*, layers, kv_lora_rank, rope_head_dim, bytes_per_value):
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


def kv_bytes_of_sequence(*, positions, full_bytes_per_position, window_bytes_per_position, window,
                         state_bytes):
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


def kv_shrink_grouped(*, query_heads, kv_heads):
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


def kv_shrink_mla(*, query_heads, head_dim, kv_lora_rank, rope_head_dim):
    r"""Factor by which latent attention shrinks the KV cache against multi-head attention.

    .. math:: \frac{2\,n_h\,d_h}{d_c + d_{rope}}

    Parameters
    ----------
    query_heads : int or ndarray
        Query heads, n_h. [head]
    head_dim : int or ndarray
        Width of a head of the multi-head attention compared with, d_h. [count]
    kv_lora_rank : int or ndarray
        Width of the compressed vector, d_c. [count]
    rope_head_dim : int or ndarray
        Width of the shared rotary key, d_rope. [count]

    Returns
    -------
    float or ndarray
        Old cache over new cache. [ratio]

    Examples
    --------
    DeepSeek-V3: 2 * 128 * 128 / (512 + 64):

    >>> kv_shrink_mla(query_heads=128, head_dim=128, kv_lora_rank=512, rope_head_dim=64)
    56.8889
    """
    return 2 * query_heads * head_dim / (kv_lora_rank + rope_head_dim)


def kv_shrink_window(*, positions, window):
    r"""Factor by which a sliding window in every layer shrinks the KV cache of one sequence.

    .. math:: n / \min(n, w)

    Parameters
    ----------
    positions : float or ndarray
        Positions in the sequence, n. [position]
    window : float or ndarray
        Positions a layer keeps, w. [position]

    Returns
    -------
    float or ndarray
        Old cache over new cache. [ratio]

    Examples
    --------
    A window of 4096 over 32768 positions keeps an eighth:

    >>> kv_shrink_window(positions=32768, window=4096)
    8.0
    """
    return positions / minimum(positions, window)

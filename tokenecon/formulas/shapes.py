"""Exact parameter counts of the parts of a transformer, from their shapes.

Biases and normalisation vectors are left to the caller, except where a part always has them.
"""

from tokenecon.numerics import Quantity, where


def attention_parameters(*, hidden_size: Quantity, query_heads: Quantity, kv_heads: Quantity, head_dim: Quantity,
                         query_matrices: Quantity, value_matrices: Quantity) -> Quantity:
    r"""Weights of an attention layer with keys and values per head.

    .. math:: d\,d_h\,\left(m_q\,n_h + (1 + m_v)\,n_{kv} + n_h\right)

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    query_heads : int or ndarray
        Query heads, n_h. [head]
    kv_heads : int or ndarray
        Key-value heads, n_kv. [head]
    head_dim : int or ndarray
        Width of a head, d_h. [count]
    query_matrices : int or ndarray
        1; 2 where an output gate of the same size stands beside the query, m_q. [count]
    value_matrices : int or ndarray
        1; 0 where the key also serves as the value, m_v. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer. [param]

    References
    ----------
    Vaswani et al. 2017, arXiv:1706.03762. Ainslie et al. 2023, arXiv:2305.13245.

    Examples
    --------
    Llama 2 70B: 8192 * 128 * (64 + 2 * 8 + 64):

    >>> attention_parameters(hidden_size=8192, query_heads=64, kv_heads=8, head_dim=128,
    ...                      query_matrices=1, value_matrices=1)
    150994944
    """
    heads = query_matrices * query_heads + (1 + value_matrices) * kv_heads + query_heads
    return hidden_size * head_dim * heads


def latent_attention_parameters(*, hidden_size: Quantity, query_heads: Quantity, q_lora_rank: Quantity, kv_lora_rank: Quantity,
                                nope_head_dim: Quantity, rope_head_dim: Quantity, value_head_dim: Quantity) -> Quantity:
    r"""Weights of a multi-head latent attention layer, with the norms of its compressed vectors.

    .. math:: d\,r_q + r_q + r_q\,n_h(d_n + d_r) + d\,(r_k + d_r) + r_k + r_k\,n_h(d_n + d_v) + n_h\,d_v\,d

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    query_heads : int or ndarray
        Heads, n_h. [head]
    q_lora_rank : int or ndarray
        Width of the compressed query; 0 where queries are not compressed, r_q. [count]
    kv_lora_rank : int or ndarray
        Width of the compressed key-value vector, r_k. [count]
    nope_head_dim : int or ndarray
        Width of a key without position, d_n. [count]
    rope_head_dim : int or ndarray
        Width of the rotary key that heads share, d_r. [count]
    value_head_dim : int or ndarray
        Width of a value, d_v. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer. [param]

    References
    ----------
    DeepSeek-AI 2024, DeepSeek-V2, arXiv:2405.04434.

    Examples
    --------
    DeepSeek-V3: 11,010,048 + 1536 + 37,748,736 + 4,128,768 + 512 + 16,777,216 + 117,440,512:

    >>> latent_attention_parameters(hidden_size=7168, query_heads=128, q_lora_rank=1536, kv_lora_rank=512,
    ...                             nope_head_dim=128, rope_head_dim=64, value_head_dim=128)
    187107328
    """
    key_head_dim = nope_head_dim + rope_head_dim
    direct = hidden_size * query_heads * key_head_dim
    compressed = hidden_size * q_lora_rank + q_lora_rank + q_lora_rank * query_heads * key_head_dim
    query = where(q_lora_rank > 0, compressed, direct)
    down = hidden_size * (kv_lora_rank + rope_head_dim) + kv_lora_rank
    up = kv_lora_rank * query_heads * (nope_head_dim + value_head_dim)
    return query + down + up + query_heads * value_head_dim * hidden_size


def indexer_parameters(*, hidden_size: Quantity, q_lora_rank: Quantity, index_heads: Quantity,
                       index_head_dim: Quantity) -> Quantity:
    r"""Weights of the indexer that picks the positions a sparse attention layer looks at.

    .. math:: r_q\,n_i\,d_i + d\,d_i + 2\,d_i + d\,n_i

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    q_lora_rank : int or ndarray
        Width of the compressed query, r_q. [count]
    index_heads : int or ndarray
        Heads of the indexer, n_i. [head]
    index_head_dim : int or ndarray
        Width of its heads and of its one key, d_i. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer. [param]

    References
    ----------
    DeepSeek-AI 2025, DeepSeek-V3.2-Exp technical report.

    Examples
    --------
    1536 * 64 * 128 + 7168 * 128 + 2 * 128 + 7168 * 64:

    >>> indexer_parameters(hidden_size=7168, q_lora_rank=1536, index_heads=64, index_head_dim=128)
    13959424
    """
    query = q_lora_rank * index_heads * index_head_dim
    return query + hidden_size * index_head_dim + 2 * index_head_dim + hidden_size * index_heads


def linear_attention_parameters(*, hidden_size: Quantity, key_heads: Quantity, value_heads: Quantity, key_head_dim: Quantity,
                                value_head_dim: Quantity, conv_width: Quantity) -> Quantity:
    r"""Weights of a gated delta network layer: projections, short convolution, decay and output norm.

    .. math:: d\,(2K + 2V + 2n_v) + c\,(2K + V) + 2n_v + d_v + V\,d, \quad K = n_k d_k,\ V = n_v d_v

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    key_heads : int or ndarray
        Key heads, n_k. [head]
    value_heads : int or ndarray
        Value heads, n_v. [head]
    key_head_dim : int or ndarray
        Width of a key, d_k. [count]
    value_head_dim : int or ndarray
        Width of a value, d_v. [count]
    conv_width : int or ndarray
        Positions that the convolution spans, c. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer. [param]

    References
    ----------
    Yang, Kautz, Hatamizadeh 2024, Gated Delta Networks, arXiv:2412.06464.

    Examples
    --------
    Qwen3.5-27B, K 2048, V 6144: 5120 * 16,480 + 4 * 10,240 + 96 + 128 + 6144 * 5120:

    >>> linear_attention_parameters(hidden_size=5120, key_heads=16, value_heads=48, key_head_dim=128,
    ...                             value_head_dim=128, conv_width=4)
    115876064
    """
    keys = key_heads * key_head_dim
    values = value_heads * value_head_dim
    projections = hidden_size * (2 * keys + 2 * values + 2 * value_heads)
    return (projections + conv_width * (2 * keys + values) + 2 * value_heads + value_head_dim
            + values * hidden_size)


def feed_forward_parameters(*, hidden_size: Quantity, intermediate_size: Quantity, matrices: Quantity) -> Quantity:
    r"""Weights of a feed-forward block or of one expert.

    .. math:: m\,d\,d_f

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    intermediate_size : int or ndarray
        Inner width, d_f. [count]
    matrices : int or ndarray
        3 with a gate (SwiGLU and kin), 2 without, m. [count]

    Returns
    -------
    float or ndarray
        Parameters of one block. [param]

    References
    ----------
    Shazeer 2020, arXiv:2002.05202 (gated feed-forward).

    Examples
    --------
    Llama 2 70B: 3 * 8192 * 28,672:

    >>> feed_forward_parameters(hidden_size=8192, intermediate_size=28672, matrices=3)
    704643072
    """
    return matrices * hidden_size * intermediate_size


def active_parameters(*, parameters: Quantity, expert_parameters: Quantity, experts: Quantity,
                      experts_per_token: Quantity) -> Quantity:
    r"""Parameters that one token uses: all but the routed experts it is not sent to.

    .. math:: P_{act} = P - P_E\,\left(1 - \frac{k}{E}\right)

    Parameters
    ----------
    parameters : float or ndarray
        All parameters, P. [param]
    expert_parameters : float or ndarray
        Parameters of all routed experts in all layers, P_E. [param]
    experts : int or ndarray
        Routed experts in a layer, E. [expert]
    experts_per_token : int or ndarray
        Experts that each token is sent to, k. [expert]

    Returns
    -------
    float or ndarray
        Active parameters, P_act. [param]

    Notes
    -----
    Embedding and output matrix count. Published figures often leave one or both out: gpt-oss-120b is
    published as 5.1 billion active parameters, here it has 5.7.

    Examples
    --------
    Mixtral 8x7B: 46,702,792,704 less six eighths of its experts' 45,097,156,608:

    >>> active_parameters(parameters=46702792704, expert_parameters=45097156608, experts=8,
    ...                   experts_per_token=2)
    12879925248.0
    """
    return parameters - expert_parameters * (experts - experts_per_token) / experts


def selective_state_parameters(*, hidden_size: Quantity, inner_size: Quantity, state_size: Quantity, step_rank: Quantity,
                               conv_width: Quantity) -> Quantity:
    r"""Weights of a Mamba layer: projections in and out, short convolution, and what makes step, input and output selective.

    .. math:: 2\,d\,d_i + d_i\,(c + 1) + d_i\,(r + 2N) + d_i\,(r + 1) + d_i\,N + d_i + d_i\,d

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    inner_size : int or ndarray
        Channels of the layer, d_i. [count]
    state_size : int or ndarray
        Values that each channel keeps, N. [count]
    step_rank : int or ndarray
        Width of the compressed step, r. [count]
    conv_width : int or ndarray
        Positions that the convolution spans, c. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer. [param]

    References
    ----------
    Gu and Dao 2023, Mamba, arXiv:2312.00752.

    Examples
    --------
    Mamba 130M, 1536 channels of 768: 2 * 768 * 1536 + 1536 * (5 + 80 + 49 + 16 + 1) + 1536 * 768:

    >>> selective_state_parameters(hidden_size=768, inner_size=1536, state_size=16, step_rank=48, conv_width=4)
    3770880
    """
    per_channel = conv_width + 1 + step_rank + 2 * state_size + step_rank + 1 + state_size + 1
    return inner_size * (3 * hidden_size + per_channel)


def state_space_parameters(*, hidden_size: Quantity, heads: Quantity, head_dim: Quantity, groups: Quantity, state_size: Quantity,
                           conv_width: Quantity) -> Quantity:
    r"""Weights of a Mamba-2 layer: projections in and out, short convolution, and step, decay and skip of each head.

    .. math:: d\,(2 d_i + 2 g N + n) + (d_i + 2 g N)(c + 1) + 3 n + d_i\,d, \quad d_i = n\,d_h

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    heads : int or ndarray
        Heads, n. [head]
    head_dim : int or ndarray
        Width of a head, d_h. [count]
    groups : int or ndarray
        Groups of heads that share input and output vectors, g. [count]
    state_size : int or ndarray
        Values that each channel keeps, N. [count]
    conv_width : int or ndarray
        Positions that the convolution spans, c. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer, without its norm. [param]

    References
    ----------
    Dao and Gu 2024, Mamba-2, arXiv:2405.21060.

    Examples
    --------
    Bamba: 4096 * (16,384 + 512 + 128) + 8704 * 5 + 3 * 128 + 8192 * 4096:

    >>> state_space_parameters(hidden_size=4096, heads=128, head_dim=64, groups=1, state_size=256, conv_width=4)
    103328640
    """
    inner, shared = heads * head_dim, 2 * groups * state_size
    projections = hidden_size * (2 * inner + shared + heads) + inner * hidden_size
    return projections + (inner + shared) * (conv_width + 1) + 3 * heads


def short_convolution_parameters(*, hidden_size: Quantity, conv_width: Quantity) -> Quantity:
    r"""Weights of a gated short convolution: a projection to three streams, the convolution of one, a projection back.

    .. math:: 4\,d^2 + c\,d

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    conv_width : int or ndarray
        Positions that the convolution spans, c. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer. [param]

    References
    ----------
    Liquid AI 2025, LFM2 technical report, arXiv:2511.23404.

    Examples
    --------
    LFM2 1.2B: 4 * 2048 * 2048 + 3 * 2048:

    >>> short_convolution_parameters(hidden_size=2048, conv_width=3)
    16783360
    """
    return 4 * hidden_size * hidden_size + conv_width * hidden_size


def delta_attention_parameters(*, hidden_size: Quantity, heads: Quantity, head_dim: Quantity, gate_rank: Quantity,
                               conv_width: Quantity) -> Quantity:
    r"""Weights of a Kimi delta attention layer: projections, short convolution, decay of each channel and output gate.

    .. math:: 4\,d\,D + 3\,c\,D + 2\,r\,(d + D) + d\,n + D + n + d_h, \quad D = n\,d_h

    Parameters
    ----------
    hidden_size : int or ndarray
        Hidden size, d. [count]
    heads : int or ndarray
        Heads, n. [head]
    head_dim : int or ndarray
        Width of a head, d_h. [count]
    gate_rank : int or ndarray
        Width of the compressed decay and of the compressed gate, r. [count]
    conv_width : int or ndarray
        Positions that the convolution spans, c. [count]

    Returns
    -------
    float or ndarray
        Parameters of one layer. [param]

    References
    ----------
    Kimi Team 2025, Kimi Linear, arXiv:2510.26692.

    Examples
    --------
    Kimi Linear 48B: 4 * 2304 * 4096 + 12 * 4096 + 256 * 6400 + 2304 * 32 + 4096 + 32 + 128:

    >>> delta_attention_parameters(hidden_size=2304, heads=32, head_dim=128, gate_rank=128, conv_width=4)
    39514272
    """
    inner = heads * head_dim
    low_rank = 2 * gate_rank * (hidden_size + inner)
    return 4 * hidden_size * inner + 3 * conv_width * inner + low_rank + hidden_size * heads + inner + heads + head_dim

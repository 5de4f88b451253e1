"""FLOPs: the arithmetic of prefill and decode, what a longer context multiplies, and which experts a batch touches.

``flop_per_multiply_add`` is an argument everywhere, because FLOPs enter here and nowhere else: it is 2
by convention (:data:`tokenecon.units.FLOP_PER_MULTIPLY_ADD`), one for the product and one for the sum.
"""

from tokenecon.numerics import Quantity, minimum


def attention_width(*, query_heads: Quantity, key_head_dim: Quantity, value_head_dim: Quantity) -> Quantity:
    r"""Width in which attention scores and sums: heads times the mean of key and value width.

    .. math:: d_a = n_h\,\frac{d_k + d_v}{2}

    Parameters
    ----------
    query_heads : int or ndarray
        Query heads, n_h. [head]
    key_head_dim : int or ndarray
        Width of a query and a key, d_k. [count]
    value_head_dim : int or ndarray
        Width of a value, d_v. [count]

    Returns
    -------
    float or ndarray
        Attention width, d_a. [count]

    Notes
    -----
    The usual formulas write the hidden size here. They agree where query heads times head width is the
    hidden size (Llama), but Qwen3-32B attends in 64 * 128 = 8192 with a hidden size of 5120.
    Latent attention has two widths: heads expanded, as in prefill (DeepSeek-V3: keys 192, values 128),
    or absorbed into the compressed vector, as in decode (keys 512 + 64, values 512).

    Examples
    --------
    Llama 2 70B: 64 heads of 128:

    >>> attention_width(query_heads=64, key_head_dim=128, value_head_dim=128)
    8192.0
    """
    return query_heads * (key_head_dim + value_head_dim) / 2


def attended_pairs(*, positions: Quantity, window: Quantity) -> Quantity:
    r"""Pairs of a query and an earlier key in the causal prefill of one sequence.

    .. math:: A = m\,n - \frac{m^2}{2}, \quad m = \min(n, w)

    Parameters
    ----------
    positions : float or ndarray
        Prompt length, n. [position]
    window : float or ndarray
        Positions that a query may look back, w; the prompt length or more for full attention. [position]

    Returns
    -------
    float or ndarray
        Pairs, A. [count]

    Notes
    -----
    Exact counting gives n (n + 1) / 2 for full attention; the half token in each row is left out.

    Examples
    --------
    A prompt of 2000 without a window: half of 2000 squared:

    >>> attended_pairs(positions=2000, window=2000)
    2000000.0
    """
    reach = minimum(positions, window)
    return reach * positions - reach * reach / 2


def attention_flop(*, pairs: Quantity, layers: Quantity, attention_width: Quantity,
                   flop_per_multiply_add: Quantity) -> Quantity:
    r"""Arithmetic of attention scores and weighted sums over so many query-key pairs.

    .. math:: F_a = 2 f\,A\,d_a\,L

    Parameters
    ----------
    pairs : float or ndarray
        Query-key pairs in each layer: the context length when one token is decoded, A. [count]
    layers : int or ndarray
        Layers with these pairs, L. [layer]
    attention_width : float or ndarray
        Attention width, d_a. [count]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2, f. [FLOP]

    Returns
    -------
    float or ndarray
        FLOP, F_a. [FLOP]

    Examples
    --------
    One token of Llama 2 70B over 2000 positions: 4 * 2000 * 8192 * 80:

    >>> attention_flop(pairs=2000, layers=80, attention_width=8192, flop_per_multiply_add=2)
    5242880000
    """
    return 2 * flop_per_multiply_add * pairs * attention_width * layers


def parameter_flop(*, active_parameters: Quantity, positions: Quantity, flop_per_multiply_add: Quantity) -> Quantity:
    r"""Arithmetic of the weight matrices: one multiplication and addition per parameter and position.

    .. math:: F_w = f\,P_{act}\,n

    Parameters
    ----------
    active_parameters : float or ndarray
        Parameters that one token uses, P_act. [param]
    positions : float or ndarray
        Tokens that pass through, n. [position]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2, f. [FLOP]

    Returns
    -------
    float or ndarray
        FLOP, F_w. [FLOP]

    References
    ----------
    Kaplan et al. 2020, arXiv:2001.08361.

    Examples
    --------
    >>> parameter_flop(active_parameters=70e9, positions=1, flop_per_multiply_add=2)
    140000000000.0
    """
    return flop_per_multiply_add * active_parameters * positions


def decode_flop_per_token(*, active_parameters: Quantity, positions: Quantity, layers: Quantity, attention_width: Quantity,
                          flop_per_multiply_add: Quantity) -> Quantity:
    r"""Arithmetic of decoding one token at a context of so many positions, full attention.

    .. math:: F = f\,(P_{act} + 2\,n\,d_a\,L)

    Parameters
    ----------
    active_parameters : float or ndarray
        Parameters that one token uses, P_act. [param]
    positions : float or ndarray
        Context that the token attends to, n. [position]
    layers : int or ndarray
        Layers with full attention, L. [layer]
    attention_width : float or ndarray
        Attention width, d_a. [count]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2, f. [FLOP]

    Returns
    -------
    float or ndarray
        FLOP for this one token, F. [FLOP]

    References
    ----------
    Kaplan et al. 2020, arXiv:2001.08361. Narayanan et al. 2021, arXiv:2104.04473.

    Examples
    --------
    2 * 70e9 + 4 * 2000 * 8192 * 80:

    >>> decode_flop_per_token(active_parameters=70e9, positions=2000, layers=80, attention_width=8192,
    ...                       flop_per_multiply_add=2)
    145242880000.0
    """
    return flop_per_multiply_add * (active_parameters + 2 * positions * attention_width * layers)


def prefill_flop_causal(*, active_parameters: Quantity, positions: Quantity, layers: Quantity, attention_width: Quantity,
                        flop_per_multiply_add: Quantity) -> Quantity:
    r"""Arithmetic of the prefill of one prompt when the kernel skips what the causal mask hides.

    .. math:: F = f\,(P_{act}\,n + n^2\,d_a\,L)

    Parameters
    ----------
    active_parameters : float or ndarray
        Parameters that one token uses, P_act. [param]
    positions : float or ndarray
        Prompt length, n. [position]
    layers : int or ndarray
        Layers with full attention, L. [layer]
    attention_width : float or ndarray
        Attention width, d_a. [count]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2, f. [FLOP]

    Returns
    -------
    float or ndarray
        FLOP for the prompt, F. [FLOP]

    References
    ----------
    Kaplan et al. 2020, arXiv:2001.08361. Dao et al. 2022, arXiv:2205.14135 (kernels that skip the mask).

    Examples
    --------
    Llama 2 70B, 2000 tokens: 2 * 68.98e9 * 2000 + 2 * 2000**2 * 8192 * 80:

    >>> prefill_flop_causal(active_parameters=68.98e9, positions=2000, layers=80, attention_width=8192,
    ...                     flop_per_multiply_add=2)
    281162880000000.0
    """
    return flop_per_multiply_add * (active_parameters * positions
                                    + positions * positions * attention_width * layers)


def prefill_flop_full(*, active_parameters: Quantity, positions: Quantity, layers: Quantity, attention_width: Quantity,
                      flop_per_multiply_add: Quantity) -> Quantity:
    r"""Arithmetic of a pass in which every position attends to every other: no mask, or one not exploited.

    .. math:: F = f\,(P_{act}\,n + 2\,n^2\,d_a\,L)

    Parameters
    ----------
    active_parameters : float or ndarray
        Parameters that one token uses, P_act. [param]
    positions : float or ndarray
        Sequence length, n. [position]
    layers : int or ndarray
        Layers with full attention, L. [layer]
    attention_width : float or ndarray
        Attention width, d_a. [count]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2, f. [FLOP]

    Returns
    -------
    float or ndarray
        FLOP for the sequence, F. [FLOP]

    Notes
    -----
    This is also the count for an encoder, such as the one of a speech model.

    Examples
    --------
    The encoder of Whisper large over 1500 frames: 2 * 0.635e9 * 1500 + 4 * 1500**2 * 1280 * 32:

    >>> prefill_flop_full(active_parameters=0.635e9, positions=1500, layers=32, attention_width=1280,
    ...                   flop_per_multiply_add=2)
    2273640000000.0
    """
    return flop_per_multiply_add * (active_parameters * positions
                                    + 2 * positions * positions * attention_width * layers)


def linear_attention_flop(*, positions: Quantity, layers: Quantity, value_heads: Quantity, key_head_dim: Quantity,
                          value_head_dim: Quantity, flop_per_multiply_add: Quantity) -> Quantity:
    r"""Arithmetic of the recurrence of linear-attention layers: read, correct and query the state.

    .. math:: F_l = 3 f\,n\,n_v\,d_k\,d_v\,L

    Parameters
    ----------
    positions : float or ndarray
        Tokens that pass through, n. [position]
    layers : int or ndarray
        Linear-attention layers, L. [layer]
    value_heads : int or ndarray
        Heads, each with its own state, n_v. [head]
    key_head_dim : int or ndarray
        Width of a key, d_k. [count]
    value_head_dim : int or ndarray
        Width of a value, d_v. [count]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2, f. [FLOP]

    Returns
    -------
    float or ndarray
        FLOP, F_l. [FLOP]

    Examples
    --------
    >>> linear_attention_flop(positions=1, layers=48, value_heads=48, key_head_dim=128, value_head_dim=128,
    ...                       flop_per_multiply_add=2)
    226492416
    """
    return 3 * flop_per_multiply_add * positions * value_heads * key_head_dim * value_head_dim * layers


def mixing_weight(*, layers: Quantity, attention_width: Quantity, positions: Quantity, active_parameters: Quantity) -> Quantity:
    r"""Arithmetic of causal attention over that of the weights, at a reference context.

    .. math:: q = \frac{d_a\,L\,n_1}{P_{act}}

    Parameters
    ----------
    layers : int or ndarray
        Layers with full attention, L. [layer]
    attention_width : float or ndarray
        Attention width, d_a. [count]
    positions : float or ndarray
        Reference context, n_1. [position]
    active_parameters : float or ndarray
        Parameters that one token uses, P_act. [param]

    Returns
    -------
    float or ndarray
        Mixing weight, q. [ratio]

    Examples
    --------
    Llama 2 70B at 8000 positions: 8192 * 80 * 8000 / 68.98e9:

    >>> mixing_weight(layers=80, attention_width=8192, positions=8000, active_parameters=68.98e9)
    0.076
    """
    return attention_width * layers * positions / active_parameters


def context_cost_ratio(*, length_ratio: Quantity, mixing_weight: Quantity) -> Quantity:
    r"""Growth of prefill arithmetic when a context grows by a factor.

    .. math:: \frac{r + r^2 q}{1 + q}

    Parameters
    ----------
    length_ratio : float or ndarray
        Longer context over reference context, r. [ratio]
    mixing_weight : float or ndarray
        Attention over weight arithmetic at the reference context, q; 0 makes it linear. [ratio]

    Returns
    -------
    float or ndarray
        Arithmetic at the longer context over that at the reference. [ratio]

    Notes
    -----
    The KV cache grows by r alone. Only attention is quadratic, so the whole model never grows by r squared.

    References
    ----------
    Dao et al. 2022, arXiv:2205.14135.

    Examples
    --------
    16 times 8000 positions for a 70B model:

    >>> context_cost_ratio(length_ratio=16, mixing_weight=0.07601)
    32.95
    """
    return (length_ratio + length_ratio * length_ratio * mixing_weight) / (1 + mixing_weight)


def mixing_weight_for_ratio(*, length_ratio: Quantity, cost_ratio: Quantity) -> Quantity:
    r"""Mixing weight at which a stated growth of arithmetic would hold.

    .. math:: q = \frac{R - r}{r^2 - R}

    Parameters
    ----------
    length_ratio : float or ndarray
        Longer context over reference context, r. [ratio]
    cost_ratio : float or ndarray
        Stated growth, between r and r squared, R. [ratio]

    Returns
    -------
    float or ndarray
        Mixing weight, q. [ratio]

    Examples
    --------
    64-fold cost at 16-fold length needs (64 - 16) / (256 - 64):

    >>> mixing_weight_for_ratio(length_ratio=16, cost_ratio=64)
    0.25
    """
    return (cost_ratio - length_ratio) / (length_ratio * length_ratio - cost_ratio)


def experts_touched(*, experts: Quantity, experts_per_token: Quantity, batch: Quantity) -> Quantity:
    r"""Experts of a layer that at least one of the decoded tokens uses, on average.

    .. math:: E_t = E\left(1 - \left(1 - \frac{k}{E}\right)^{B}\right)

    Parameters
    ----------
    experts : int or ndarray
        Routed experts in a layer, E. [expert]
    experts_per_token : int or ndarray
        Experts that each token is sent to, k. [expert]
    batch : float or ndarray
        Tokens in the pass: sequences when decoding, B. [sequence]

    Returns
    -------
    float or ndarray
        Distinct experts read, E_t. [expert]

    Notes
    -----
    Every expert is taken to be equally likely and tokens to choose independently. Skewed routing
    touches fewer.

    References
    ----------
    Shazeer et al. 2017, arXiv:1701.06538. Jiang et al. 2024, Mixtral, arXiv:2401.04088.

    Examples
    --------
    Eight sequences with 2 of 8 experts each: 8 * (1 - 0.75**8):

    >>> experts_touched(experts=8, experts_per_token=2, batch=8)
    7.1991
    """
    return experts * (1 - (1 - experts_per_token / experts) ** batch)


def weight_bytes_read(*, common_bytes: Quantity, expert_bytes: Quantity, experts: Quantity,
                      experts_touched: Quantity) -> Quantity:
    r"""Weight bytes that a pass reads: everything outside the routed experts, and the experts touched.

    .. math:: W_r = W_0 + W_E\,\frac{E_t}{E}

    Parameters
    ----------
    common_bytes : float or ndarray
        Weights that every token uses: attention, norms, shared experts, dense layers, W_0. [B]
    expert_bytes : float or ndarray
        Weights of all routed experts, W_E. [B]
    experts : int or ndarray
        Routed experts in a layer, E. [expert]
    experts_touched : float or ndarray
        Experts of a layer that the pass uses, E_t. [expert]

    Returns
    -------
    float or ndarray
        Bytes read, W_r. [B]

    Examples
    --------
    Mixtral 8x7B at 16 bits: 3.2 GB for all, 90.2 GB of experts; two of eight touched read 25.75 GB:

    >>> weight_bytes_read(common_bytes=3.2e9, expert_bytes=90.2e9, experts=8, experts_touched=2)
    25750000000.0
    """
    return common_bytes + expert_bytes * experts_touched / experts

"""What a longer context multiplies: memory grows linearly, arithmetic between linearly and quadratically."""


def mixing_weight(*, layers, attention_width, positions, active_parameters):
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


def context_cost_ratio(*, length_ratio, mixing_weight):
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


def mixing_weight_for_ratio(*, length_ratio, cost_ratio):
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

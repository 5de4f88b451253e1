"""Mixture of experts: how many experts a batch touches, and the weight bytes a step reads."""


def experts_touched(*, experts, experts_per_token, batch):
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


def weight_bytes_read(*, common_bytes, expert_bytes, experts, experts_touched):
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

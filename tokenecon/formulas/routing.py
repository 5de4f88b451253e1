"""Sending requests to models of different cost: blends, cascades, the quality that comes out."""


def _weighted_sum(shares, values):
    if len(shares) != len(values):
        raise ValueError(f"{len(shares)} shares were given for {len(values)} models; give one each")
    total = 0.0
    for place, share in enumerate(shares):
        total = total + share * values[place]
    return total


def routed_usd_per_mtok(*, shares, usd_per_mtok, router_usd_per_mtok):
    r"""Cost of a million tokens when a router spreads them over models.

    .. math:: C = \sum_i f_i\,c_i + c_r

    Parameters
    ----------
    shares : sequence of float or ndarray
        Share of tokens that each model answers, together 1, f_i. [fraction]
    usd_per_mtok : sequence of float or ndarray
        Cost of a million tokens at each model, c_i. [USD/Mtok]
    router_usd_per_mtok : float or ndarray
        Cost of routing a million tokens, c_r. [USD/Mtok]

    Returns
    -------
    float or ndarray
        Cost of a million tokens, C. [USD/Mtok]

    References
    ----------
    Chen, Zaharia, Zou 2023, FrugalGPT, arXiv:2305.05176. Ong et al. 2024, RouteLLM, arXiv:2406.18665.

    Examples
    --------
    70 % to a model of 0.1 USD, 30 % to one of 1 USD, 0.02 USD for the router: 0.07 + 0.30 + 0.02:

    >>> routed_usd_per_mtok(shares=[0.7, 0.3], usd_per_mtok=[0.1, 1.0], router_usd_per_mtok=0.02)
    0.39
    """
    return _weighted_sum(shares, usd_per_mtok) + router_usd_per_mtok


def routing_share_needed(*, saving, cost_ratio):
    r"""Share of tokens that a small model must answer for a stated saving.

    .. math:: f = \frac{s}{1 - r}

    Parameters
    ----------
    saving : float or ndarray
        Stated saving against the large model alone, s. [fraction]
    cost_ratio : float or ndarray
        Cost of the small model over the large one, r. [ratio]

    Returns
    -------
    float or ndarray
        Share of the small model, f; above 1 the saving is out of reach. [fraction]

    Examples
    --------
    0.60/0.9:

    >>> routing_share_needed(saving=0.60, cost_ratio=0.1)
    0.6667
    """
    return saving / (1 - cost_ratio)


def cascade_usd_per_mtok(*, small_usd_per_mtok, large_usd_per_mtok, accepted_share):
    r"""Cost of a million tokens when a small model always answers first and a large one repeats the rest.

    .. math:: C = c_s + (1 - f)\,c_l

    Parameters
    ----------
    small_usd_per_mtok : float or ndarray
        Cost of a million tokens at the small model, c_s. [USD/Mtok]
    large_usd_per_mtok : float or ndarray
        Cost of a million tokens at the large model, c_l. [USD/Mtok]
    accepted_share : float or ndarray
        Share of the small model's answers that are kept, f. [fraction]

    Returns
    -------
    float or ndarray
        Cost of a million tokens, C. [USD/Mtok]

    References
    ----------
    Chen, Zaharia, Zou 2023, FrugalGPT, arXiv:2305.05176.

    Examples
    --------
    0.1 + 1/3:

    >>> cascade_usd_per_mtok(small_usd_per_mtok=0.1, large_usd_per_mtok=1.0, accepted_share=2/3)
    0.4333
    """
    return small_usd_per_mtok + (1 - accepted_share) * large_usd_per_mtok


def blended_quality(*, shares, qualities):
    r"""Quality of answers when models of different quality share them.

    .. math:: Q = \sum_i f_i\,q_i

    Parameters
    ----------
    shares : sequence of float or ndarray
        Share of answers from each model, together 1, f_i. [fraction]
    qualities : sequence of float or ndarray
        Quality of each model's answers on the same metric, q_i. [fraction]

    Returns
    -------
    float or ndarray
        Mean quality, Q. [fraction]

    Examples
    --------
    0.7 * 0.80 + 0.3 * 0.95:

    >>> blended_quality(shares=[0.7, 0.3], qualities=[0.80, 0.95])
    0.845
    """
    return _weighted_sum(shares, qualities)


def hybrid_usd_per_mtok(*, edge_share, edge_penalty, small_usd_per_mtok, large_usd_per_mtok):
    r"""Cost of a million tokens when a small model at the edge answers a share and a central one the rest.

    .. math:: C = f\,k\,c_s + (1 - f)\,c_l

    Parameters
    ----------
    edge_share : float or ndarray
        Share of tokens answered at the edge, f. [fraction]
    edge_penalty : float or ndarray
        Cost of a token at the edge over the same model in the centre, k. [ratio]
    small_usd_per_mtok : float or ndarray
        Cost of the small model in the centre, c_s. [USD/Mtok]
    large_usd_per_mtok : float or ndarray
        Cost of the large model in the centre, c_l. [USD/Mtok]

    Returns
    -------
    float or ndarray
        Cost of a million tokens, C. [USD/Mtok]

    Examples
    --------
    0.67 * 2.5 * 0.1 + 0.33:

    >>> hybrid_usd_per_mtok(edge_share=0.67, edge_penalty=2.5, small_usd_per_mtok=0.1,
    ...                     large_usd_per_mtok=1.0)
    0.4975
    """
    return edge_share * edge_penalty * small_usd_per_mtok + (1 - edge_share) * large_usd_per_mtok

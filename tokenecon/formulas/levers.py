"""What an optimisation saves: precision, prefix cache, sparsity, routing between models, speculative decoding; stacked levers."""

from tokenecon.numerics import Quantities, Quantity, maximum_of, where


def saving(*, before: Quantity, after: Quantity) -> Quantity:
    r"""Share that a change saves against a stated baseline.

    .. math:: 1 - y/x

    Parameters
    ----------
    before : float or ndarray
        Cost, bytes or time of the baseline, in any unit, x. [ratio]
    after : float or ndarray
        The same after the change, in the same unit, y. [ratio]

    Returns
    -------
    float or ndarray
        Saving; negative where the change costs. [fraction]

    Examples
    --------
    18000 USD become 4500 USD a day:

    >>> saving(before=18000, after=4500)
    0.75
    """
    return 1 - after / before


def precision_saving(*, bits_per_param: Quantity, baseline_bits_per_param: Quantity) -> Quantity:
    r"""Share of the weight bytes that a lower precision saves against a stated one.

    .. math:: 1 - b_{new}/b_{base}

    Parameters
    ----------
    bits_per_param : float or ndarray
        Bits of a weight, scales included, b_new. [bit/param]
    baseline_bits_per_param : float or ndarray
        Bits of a weight in the baseline, b_base. [bit/param]

    Returns
    -------
    float or ndarray
        Saving of weight memory, and of decode time where only weight reading counts. [fraction]

    Notes
    -----
    Four bits save 7/8 against 32 bits but 3/4 against 16, which is what models are served in:
    a saving without its baseline says nothing.

    Examples
    --------
    >>> precision_saving(bits_per_param=4, baseline_bits_per_param=16)
    0.75
    """
    return 1 - bits_per_param / baseline_bits_per_param


def precision_traffic_ratio(*, bits_per_param: Quantity, baseline_bits_per_param: Quantity) -> Quantity:
    r"""Bandwidth that the baseline precision needs for one unit of the lower precision.

    .. math:: b_{base}/b_{new}

    Parameters
    ----------
    bits_per_param : float or ndarray
        Bits of a weight, scales included, b_new. [bit/param]
    baseline_bits_per_param : float or ndarray
        Bits of a weight in the baseline, b_base. [bit/param]

    Returns
    -------
    float or ndarray
        Weight bytes of the baseline over those of the lower precision. [ratio]

    Examples
    --------
    >>> precision_traffic_ratio(bits_per_param=8, baseline_bits_per_param=32)
    4.0
    """
    return baseline_bits_per_param / bits_per_param


def prefix_cache_factor(*, hit_rate: Quantity, avoided_share: Quantity) -> Quantity:
    r"""Factor on the time of prefill when a part of the input is found in a prefix cache.

    .. math:: 1 - h\,s

    Parameters
    ----------
    hit_rate : float or ndarray
        Share of input tokens found in the cache, h. [fraction]
    avoided_share : float or ndarray
        Share of the time to prefill a token that a hit avoids, s. [fraction]

    Returns
    -------
    float or ndarray
        Time of prefill with the cache over without. [ratio]

    References
    ----------
    Zheng et al. 2023, SGLang, arXiv:2312.07104.

    Examples
    --------
    >>> prefix_cache_factor(hit_rate=0.5, avoided_share=0.7)
    0.65
    """
    return 1 - hit_rate * avoided_share


def sparse_compute_saving(*, active_parameters: Quantity, parameters: Quantity) -> Quantity:
    r"""Share of arithmetic that a mixture of experts saves against a dense model of its size.

    .. math:: 1 - P_{act}/P

    Parameters
    ----------
    active_parameters : float or ndarray
        Parameters that one token uses, P_act. [param]
    parameters : float or ndarray
        All parameters, P. [param]

    Returns
    -------
    float or ndarray
        Saving of arithmetic, not of memory, and of reading only at small batches. [fraction]

    References
    ----------
    Jiang et al. 2024, Mixtral, arXiv:2401.04088.

    Examples
    --------
    Mixtral 8x7B: 1 - 12.9/46.7:

    >>> sparse_compute_saving(active_parameters=12.9e9, parameters=46.7e9)
    0.7238
    """
    return 1 - active_parameters / parameters


def stacked_saving(*, savings: Quantities) -> Quantity:
    r"""Saving of several levers together if none got in another's way: an upper bound.

    .. math:: 1 - \prod_i (1 - s_i)

    Parameters
    ----------
    savings : sequence of float or ndarray
        Savings of the levers one by one, s_i. [fraction]

    Returns
    -------
    float or ndarray
        Saving together, at most. [fraction]

    Notes
    -----
    Quantisation, batching and speculation all live off the same idle arithmetic: recompute the step
    with all changes in place of multiplying.

    Examples
    --------
    1 - 0.25 * 0.5:

    >>> stacked_saving(savings=[0.75, 0.50])
    0.875
    """
    left: Quantity = 1.0
    for share in savings:
        left = left * (1 - share)
    return 1 - left


def residual_saving(*, before: Quantity, after: Quantity, known_savings: Quantities) -> Quantity:
    r"""Saving that remains to be explained after the known levers.

    .. math:: 1 - \frac{y/x}{\prod_i (1 - s_i)}

    Parameters
    ----------
    before : float or ndarray
        Cost before all changes, in any unit, x. [ratio]
    after : float or ndarray
        Cost after all changes, in the same unit, y. [ratio]
    known_savings : sequence of float or ndarray
        Savings of the levers with a known effect, s_i. [fraction]

    Returns
    -------
    float or ndarray
        Saving that something else must give; negative where the known levers explain too much. [fraction]

    Examples
    --------
    2.1 million become 450,000 with 60% from routing: 1 - 0.2143/0.4:

    >>> residual_saving(before=2.1e6, after=450e3, known_savings=[0.60])
    0.4643
    """
    return 1 - after / before / (1 - stacked_saving(savings=known_savings))


def _weighted_sum(shares: Quantities, values: Quantities) -> Quantity:
    if len(shares) != len(values):
        raise ValueError(f"{len(shares)} shares were given for {len(values)} models; give one each")
    total: Quantity = 0.0
    for place, share in enumerate(shares):
        total = total + share * values[place]
    return total


def routed_usd_per_mtok(*, shares: Quantities, usd_per_mtok: Quantities, router_usd_per_mtok: Quantity) -> Quantity:
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
    70% to a model of 0.1 USD, 30% to one of 1 USD, 0.02 USD for the router: 0.07 + 0.30 + 0.02:

    >>> routed_usd_per_mtok(shares=[0.7, 0.3], usd_per_mtok=[0.1, 1.0], router_usd_per_mtok=0.02)
    0.39
    """
    return _weighted_sum(shares, usd_per_mtok) + router_usd_per_mtok


def routing_share_needed(*, saving: Quantity, cost_ratio: Quantity) -> Quantity:
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


def cascade_usd_per_mtok(*, small_usd_per_mtok: Quantity, large_usd_per_mtok: Quantity, accepted_share: Quantity) -> Quantity:
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


def hybrid_usd_per_mtok(*, edge_share: Quantity, edge_penalty: Quantity, small_usd_per_mtok: Quantity,
                        large_usd_per_mtok: Quantity) -> Quantity:
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


def speculative_tokens_per_pass(*, acceptance: Quantity, draft_tokens: Quantity) -> Quantity:
    r"""Tokens that a sequence gains when a pass checks drafted tokens.

    .. math:: E = \frac{1 - \alpha^{\gamma+1}}{1 - \alpha} = \sum_{k=0}^{\gamma} \alpha^k

    Parameters
    ----------
    acceptance : float or ndarray
        Chance that a drafted token is accepted, each independently, alpha. [fraction]
    draft_tokens : int or ndarray
        Tokens drafted for a pass, gamma. [position]

    Returns
    -------
    float or ndarray
        Tokens per pass, the one of the model itself included, E. [position]

    References
    ----------
    Leviathan, Kalman, Matias 2023, arXiv:2211.17192. Chen et al. 2023, arXiv:2302.01318.

    Examples
    --------
    1 + 0.8 + 0.64 + 0.512 + 0.4096:

    >>> speculative_tokens_per_pass(acceptance=0.8, draft_tokens=4)
    3.3616
    """
    # The sum, not the quotient: it also holds when every draft is accepted.
    power = acceptance * 0.0 + 1.0
    total = power
    for k in range(1, int(maximum_of(draft_tokens)) + 1):
        power = power * acceptance
        total = total + where(draft_tokens >= k, power, 0.0)
    return total


def speculative_speedup(*, tokens_per_pass: Quantity, draft_tokens: Quantity, draft_cost_ratio: Quantity) -> Quantity:
    r"""Speed-up of speculative decoding where checking several tokens takes no longer than decoding one.

    .. math:: S = \frac{E}{\gamma c + 1}

    Parameters
    ----------
    tokens_per_pass : float or ndarray
        Tokens gained in a pass, E. [position]
    draft_tokens : int or ndarray
        Tokens drafted for a pass, gamma. [position]
    draft_cost_ratio : float or ndarray
        Time to draft one token over a pass of the model, c. [ratio]

    Returns
    -------
    float or ndarray
        Speed with speculation over speed without, S. [ratio]

    References
    ----------
    Leviathan, Kalman, Matias 2023, arXiv:2211.17192.

    Examples
    --------
    3.3616 tokens for 1 + 4 * 0.05 passes:

    >>> speculative_speedup(tokens_per_pass=3.3616, draft_tokens=4, draft_cost_ratio=0.05)
    2.8013
    """
    return tokens_per_pass / (draft_tokens * draft_cost_ratio + 1)


def speculative_speedup_under_load(*, tokens_per_pass: Quantity, draft_tokens: Quantity, draft_cost_ratio: Quantity,
                                   decode_s: Quantity, verify_s: Quantity) -> Quantity:
    r"""Speed-up of speculative decoding at a batch, where checking takes its own time.

    .. math:: S(B) = \frac{E\,t(B)}{t_v(B, \gamma+1) + \gamma\,c\,t(B)}

    Parameters
    ----------
    tokens_per_pass : float or ndarray
        Tokens gained in a pass, E. [position]
    draft_tokens : int or ndarray
        Tokens drafted for a pass, gamma. [position]
    draft_cost_ratio : float or ndarray
        Time to draft one token over a decode step at this batch, c. [ratio]
    decode_s : float or ndarray
        Time of a decode step at this batch, t. [s]
    verify_s : float or ndarray
        Time of a pass that checks gamma + 1 positions of every sequence, t_v. [s]

    Returns
    -------
    float or ndarray
        Speed with speculation over speed without, S; below 1 it costs. [ratio]

    Notes
    -----
    The check multiplies arithmetic by gamma + 1, and reading by nothing, so the gain fades where
    arithmetic binds.

    Examples
    --------
    Checking takes twice a step: 3.3616/(2 + 4 * 0.05):

    >>> speculative_speedup_under_load(tokens_per_pass=3.3616, draft_tokens=4, draft_cost_ratio=0.05,
    ...                                decode_s=0.015, verify_s=0.030)
    1.528
    """
    return tokens_per_pass * decode_s / (verify_s + draft_tokens * draft_cost_ratio * decode_s)

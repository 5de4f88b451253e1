"""Splitting a model over GPUs: all-reduces and their cost, pipeline bubbles, what a split does to a price."""


def all_reduce_message(*, batch, positions, hidden_size, bytes_per_value):
    r"""Bytes of activations that one all-reduce sums up.

    .. math:: m = B\,q\,d\,b_a

    Parameters
    ----------
    batch : float or ndarray
        Sequences in the pass, B. [sequence]
    positions : float or ndarray
        Positions that each brings: 1 when decoding, the prompt length in prefill, q. [position]
    hidden_size : int or ndarray
        Width of the activations, d. [count]
    bytes_per_value : float or ndarray
        Bytes of an activation, b_a. [B]

    Returns
    -------
    float or ndarray
        Message, m. [B]

    Examples
    --------
    32 sequences of Llama 2 70B at 16 bits: 32 * 8192 * 2:

    >>> all_reduce_message(batch=32, positions=1, hidden_size=8192, bytes_per_value=2)
    524288
    """
    return batch * positions * hidden_size * bytes_per_value


def ring_all_reduce_seconds(*, message_bytes, ranks, link_bytes_per_s, link_latency_s):
    r"""Time of an all-reduce around a ring of GPUs: bytes over the link, and a latency at every hop.

    .. math:: t_{ar} = \frac{2(N-1)}{N}\,\frac{m}{BW_l} + 2(N-1)\,\alpha

    Parameters
    ----------
    message_bytes : float or ndarray
        Bytes that each GPU contributes, m. [B]
    ranks : int or ndarray
        GPUs in the ring, a plain number, N. [count]
    link_bytes_per_s : float or ndarray
        Bandwidth of a GPU's links in one direction, BW_l. [B/s]
    link_latency_s : float or ndarray
        Latency of a hop, alpha. [s]

    Returns
    -------
    float or ndarray
        Time of one all-reduce, t_ar. [s]

    Notes
    -----
    Fused kernels and reductions inside the switch are faster at small messages: calibrate the latency.

    References
    ----------
    Thakur, Rabenseifner, Gropp 2005, doi:10.1177/1094342005051521.
    Hockney 1994 (latency and bandwidth of a message), doi:10.1016/S0167-8191(06)80021-9.

    Examples
    --------
    Two GPUs, 524,288 B at 450 GB/s, 1.5 us a hop: 1.165 us + 2 * 1.5 us:

    >>> ring_all_reduce_seconds(message_bytes=524288, ranks=2, link_bytes_per_s=450e9, link_latency_s=1.5e-6)
    4.165e-06
    """
    hops = 2 * (ranks - 1)
    return hops / ranks * message_bytes / link_bytes_per_s + hops * link_latency_s


def tensor_parallel_comm_seconds(*, layers, all_reduces_per_layer, all_reduce_s):
    r"""Time that a pass spends in the all-reduces of tensor parallelism.

    .. math:: t_{comm} = a\,L\,t_{ar}

    Parameters
    ----------
    layers : int or ndarray
        Layers, L. [layer]
    all_reduces_per_layer : int or ndarray
        All-reduces in each: 2, after attention and after the feed-forward part, a. [count]
    all_reduce_s : float or ndarray
        Time of one, t_ar. [s]

    Returns
    -------
    float or ndarray
        Time on links in a pass, t_comm. [s]

    References
    ----------
    Shoeybi et al. 2019, Megatron-LM, arXiv:1909.08053.

    Examples
    --------
    2 * 80 * 4.165 us:

    >>> tensor_parallel_comm_seconds(layers=80, all_reduces_per_layer=2, all_reduce_s=4.165e-6)
    0.0006664
    """
    return all_reduces_per_layer * layers * all_reduce_s


def parallel_efficiency(*, split_s, comm_s):
    r"""Share of a pass that is not communication: what splitting keeps of the ideal speed-up.

    .. math:: \eta = \frac{t_m}{t_m + t_{comm}}

    Parameters
    ----------
    split_s : float or ndarray
        Time of the work itself, perfectly shared among the GPUs, t_m. [s]
    comm_s : float or ndarray
        Time on links that nothing hides, t_comm. [s]

    Returns
    -------
    float or ndarray
        Efficiency of the split, eta. [fraction]

    Examples
    --------
    24.03 ms of reading and 0.6664 ms of all-reduces: 24.03/24.70:

    >>> parallel_efficiency(split_s=24.03e-3, comm_s=0.6664e-3)
    0.973
    """
    return split_s / (split_s + comm_s)


def split_cost_ratio(*, efficiency):
    r"""Cost of a token on a split model against one GPU large enough, at the same price per unit of speed.

    .. math:: c_N / c_1 = 1/\eta

    Parameters
    ----------
    efficiency : float or ndarray
        Efficiency of the split, eta. [fraction]

    Returns
    -------
    float or ndarray
        Cost per token, split over unsplit. [ratio]

    Notes
    -----
    The bill per hour grows N-fold, but so does the speed; only what communication takes is lost.

    Examples
    --------
    >>> split_cost_ratio(efficiency=0.973)
    1.0277
    """
    return 1 / efficiency


def size_step_cost_ratio(*, small_parameters, large_parameters, small_efficiency, large_efficiency):
    r"""Growth of the cost of a token from a small model to a large one that must be split.

    .. math:: \frac{P_2}{P_1}\cdot\frac{\eta_1}{\eta_2}

    Parameters
    ----------
    small_parameters : float or ndarray
        Active parameters of the small model, P_1. [param]
    large_parameters : float or ndarray
        Active parameters of the large model, P_2. [param]
    small_efficiency : float or ndarray
        Efficiency of the small model's split, eta_1. [fraction]
    large_efficiency : float or ndarray
        Efficiency of the large model's split, eta_2. [fraction]

    Returns
    -------
    float or ndarray
        Cost per token, large over small. [ratio]

    Examples
    --------
    Ten times the parameters at 0.4 of the efficiency cost 25 times as much, 2.5 times more than size alone:

    >>> size_step_cost_ratio(small_parameters=7e9, large_parameters=70e9, small_efficiency=1.0,
    ...                      large_efficiency=0.4)
    25.0
    """
    return large_parameters / small_parameters * small_efficiency / large_efficiency


def pipeline_bubble(*, stages, microbatches):
    r"""Share of time that pipeline stages stand idle while the pipeline fills and drains.

    .. math:: \frac{S-1}{S-1+m}

    Parameters
    ----------
    stages : int or ndarray
        Stages of the pipeline, S. [count]
    microbatches : int or ndarray
        Microbatches that follow each other, m. [count]

    Returns
    -------
    float or ndarray
        Idle share. [fraction]

    References
    ----------
    Huang et al. 2019, GPipe, arXiv:1811.06965.

    Examples
    --------
    Four stages, twelve microbatches: 3/15:

    >>> pipeline_bubble(stages=4, microbatches=12)
    0.2
    """
    return (stages - 1) / (stages - 1 + microbatches)


def pipeline_hop_seconds(*, message_bytes, network_bytes_per_s, network_latency_s):
    r"""Time to hand activations from one pipeline stage to the next.

    .. math:: t_{hop} = \frac{m}{BW_{net}} + \alpha

    Parameters
    ----------
    message_bytes : float or ndarray
        Activations of the sequences in the pass, see :func:`all_reduce_message`, m. [B]
    network_bytes_per_s : float or ndarray
        Bandwidth between the stages, BW_net. [B/s]
    network_latency_s : float or ndarray
        Latency between the stages, alpha. [s]

    Returns
    -------
    float or ndarray
        Time of a hop. [s]

    References
    ----------
    Huang et al. 2019, GPipe, arXiv:1811.06965.

    Examples
    --------
    524,288 B over 50 GB/s (400 Gbit/s) and 5 us: 10.49 us + 5 us:

    >>> pipeline_hop_seconds(message_bytes=524288, network_bytes_per_s=50e9, network_latency_s=5e-6)
    1.549e-05
    """
    return message_bytes / network_bytes_per_s + network_latency_s

"""Splitting a model over GPUs: all-reduces, exchanges between experts, and what a split does to a price."""

from tokenecon.numerics import Quantity, maximum


def all_reduce_message(*, batch: Quantity, positions: Quantity, hidden_size: Quantity, bytes_per_value: Quantity) -> Quantity:
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


def ring_all_reduce_seconds(*, message_bytes: Quantity, ranks: Quantity, link_bytes_per_s: Quantity,
                            link_latency_s: Quantity) -> Quantity:
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


def tensor_parallel_comm_seconds(*, layers: Quantity, all_reduces_per_layer: Quantity, all_reduce_s: Quantity) -> Quantity:
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


def parallel_efficiency(*, split_s: Quantity, comm_s: Quantity) -> Quantity:
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


def split_cost_ratio(*, efficiency: Quantity) -> Quantity:
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


def all_to_all_seconds(*, tokens: Quantity, copies: Quantity, hidden_size: Quantity, bytes_there: Quantity,
                       bytes_back: Quantity, bytes_per_s: Quantity) -> Quantity:
    r"""Time of a layer to send the tokens of a GPU to their experts and to bring the results back.

    .. math:: t = \frac{m\,k\,d\,(b_t + b_b)}{BW}

    Parameters
    ----------
    tokens : float or ndarray
        Tokens that a GPU holds, m. [sequence]
    copies : float or ndarray
        Places that each token is sent to, k. [count]
    hidden_size : int or ndarray
        Hidden size, d. [count]
    bytes_there : float or ndarray
        Bytes of a value on its way to the experts, b_t. [B]
    bytes_back : float or ndarray
        Bytes of a value on its way back, b_b. [B]
    bytes_per_s : float or ndarray
        Bandwidth of the GPU's network card in one direction, BW. [B/s]

    Returns
    -------
    float or ndarray
        Time, t. [s]

    Notes
    -----
    Latency is left out. Engines inside one server gather every token on every GPU instead, see
    ``formulas.passes.exchange_seconds``.

    References
    ----------
    Zhao et al. 2025, Insights into DeepSeek-V3, arXiv:2505.09343, section 2.3.2, with nine copies.

    Examples
    --------
    32 tokens to 9 experts, 7000 values of 1 byte there and 2 back, at 50 GB/s:

    >>> all_to_all_seconds(tokens=32, copies=9, hidden_size=7000, bytes_there=1, bytes_back=2, bytes_per_s=50e9)
    0.00012096
    """
    return tokens * copies * hidden_size * (bytes_there + bytes_back) / bytes_per_s


def two_batch_seconds(*, half_s: Quantity, exchange_s: Quantity) -> Quantity:
    r"""Time of a pass cut into two halves, so that one exchanges tokens while the other computes.

    .. math:: t = \max(2\,t_h, t_x)

    Parameters
    ----------
    half_s : float or ndarray
        Computation of half of the batch; it reads the weights as the whole would, t_h. [s]
    exchange_s : float or ndarray
        Exchange of the whole batch, t_x. [s]

    Returns
    -------
    float or ndarray
        Time, t. [s]

    Examples
    --------
    >>> two_batch_seconds(half_s=0.02, exchange_s=0.015)
    0.04
    """
    return maximum(2 * half_s, exchange_s)

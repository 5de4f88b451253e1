"""A published day of serving taken apart: lengths of its requests, exchange between experts, machines it needs."""

from tokenecon.numerics import maximum
from tokenecon.units import SECONDS_PER_DAY


def answer_positions(*, tok_in_per_tok_out, context_positions):
    r"""Length of an answer, where all requests are alike and the mean context of an output token is known.

    .. math:: n_o = \frac{n}{r + \tfrac12}

    Parameters
    ----------
    tok_in_per_tok_out : float or ndarray
        Input tokens over output tokens, r. [ratio]
    context_positions : float or ndarray
        Mean length of the KV cache over output tokens: the prompt and half of the answer, n. [position]

    Returns
    -------
    float or ndarray
        Output tokens of a request, n_o; its prompt has r times as many. [position]

    Notes
    -----
    Where requests differ, the long ones weigh more in a mean over output tokens, so that the mean request is shorter.

    Examples
    --------
    Four times as much input as output, and 4500 tokens on average: 4500/4.5:

    >>> answer_positions(tok_in_per_tok_out=4.0, context_positions=4500.0)
    1000.0
    """
    return context_positions / (tok_in_per_tok_out + 0.5)


def all_to_all_seconds(*, tokens, copies, hidden_size, bytes_there, bytes_back, bytes_per_s):
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


def two_batch_seconds(*, half_s, exchange_s):
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


def machines(*, tok_per_day, tok_per_s, utilisation):
    r"""Machines that a daily volume keeps, on average over the day.

    .. math:: N = \frac{V}{86400\,R\,U}

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens of a day, V. [tok/day]
    tok_per_s : float or ndarray
        Rate of a machine that is busy, R. [tok/s]
    utilisation : float or ndarray
        Share of its time in which it is, U. [fraction]

    Returns
    -------
    float or ndarray
        Machines, N. [count]

    Examples
    --------
    864 million tokens a day at 2000 a second and half of the time: 10,000/(2000 * 0.5):

    >>> machines(tok_per_day=864e6, tok_per_s=2000.0, utilisation=0.5)
    10.0
    """
    return tok_per_day / SECONDS_PER_DAY / (tok_per_s * utilisation)

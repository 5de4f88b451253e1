"""Speculative decoding: tokens gained in a pass, and what that is worth alone and under load."""

from tokenecon.numerics import maximum_of, where


def speculative_tokens_per_pass(*, acceptance, draft_tokens):
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


def speculative_speedup(*, tokens_per_pass, draft_tokens, draft_cost_ratio):
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


def speculative_speedup_under_load(*, tokens_per_pass, draft_tokens, draft_cost_ratio, decode_s, verify_s):
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


def best_draft_tokens(*, acceptance, draft_cost_ratio, most_draft_tokens):
    r"""Number of drafted tokens with the highest speed-up, by trying all up to a limit.

    .. math:: \gamma^* = \arg\max_{0 \le \gamma \le \gamma_{max}} \frac{E(\alpha, \gamma)}{\gamma c + 1}

    Parameters
    ----------
    acceptance : float or ndarray
        Chance that a drafted token is accepted, alpha. [fraction]
    draft_cost_ratio : float or ndarray
        Time to draft one token over a pass of the model, c. [ratio]
    most_draft_tokens : int
        Largest number to try. [position]

    Returns
    -------
    float or ndarray
        Best number of drafted tokens; 0 where drafting does not pay. [position]

    References
    ----------
    Leviathan, Kalman, Matias 2023, arXiv:2211.17192.

    Examples
    --------
    S(8) = 4.3289/1.4 = 3.0921, S(9) = 4.4631/1.45 = 3.0780, S(7) = 4.1611/1.35 = 3.0823:

    >>> best_draft_tokens(acceptance=0.8, draft_cost_ratio=0.05, most_draft_tokens=20)
    8.0
    """
    nothing = (acceptance + draft_cost_ratio) * 0.0
    power = nothing + 1.0
    total = power
    best = nothing
    best_speedup = power
    for k in range(1, int(most_draft_tokens) + 1):
        power = power * acceptance
        total = total + power
        speedup = speculative_speedup(tokens_per_pass=total, draft_tokens=k,
                                      draft_cost_ratio=draft_cost_ratio)
        best = where(speedup > best_speedup, float(k), best)
        best_speedup = where(speedup > best_speedup, speedup, best_speedup)
    return best


def heads_tokens_per_pass(*, head_acceptances):
    r"""Tokens gained in a pass by extra decoding heads that each guess one position further.

    .. math:: E = 1 + \sum_k \prod_{j \le k} a_j

    Parameters
    ----------
    head_acceptances : sequence of float or ndarray
        Chance that each head's guess is accepted if those before it were, a_j. [fraction]

    Returns
    -------
    float or ndarray
        Tokens per pass, E. [position]

    Notes
    -----
    A tree of guesses adds the products along the paths to all its nodes in the same way.

    References
    ----------
    Cai et al. 2024, Medusa, arXiv:2401.10774. Li et al. 2024, EAGLE, arXiv:2401.15077.

    Examples
    --------
    1 + 0.8 + 0.8 * 0.6 + 0.8 * 0.6 * 0.5:

    >>> heads_tokens_per_pass(head_acceptances=[0.8, 0.6, 0.5])
    2.52
    """
    path = 1.0
    total = 1.0
    for acceptance in head_acceptances:
        path = path * acceptance
        total = total + path
    return total


def tree_tokens_per_pass(*, node_acceptances, node_parents):
    r"""Tokens gained in a pass by a tree of guesses, each node following the one it hangs on.

    .. math:: E = 1 + \sum_v \prod_{u \preceq v} a_u

    Parameters
    ----------
    node_acceptances : sequence of float or ndarray
        Chance that each node is accepted if its parent was, a_v. [fraction]
    node_parents : sequence of int
        Place of each node's parent in the same sequence, always an earlier one; -1 hangs on the root. [count]

    Returns
    -------
    float or ndarray
        Tokens per pass, E. [position]

    References
    ----------
    Cai et al. 2024, Medusa, arXiv:2401.10774. Li et al. 2024, EAGLE, arXiv:2401.15077.

    Examples
    --------
    Two first guesses (0.6, 0.2), one second guess (0.5) below the first: 1 + 0.6 + 0.2 + 0.6 * 0.5:

    >>> tree_tokens_per_pass(node_acceptances=[0.6, 0.2, 0.5], node_parents=[-1, -1, 0])
    2.1
    """
    if len(node_acceptances) != len(node_parents):
        raise ValueError("node_acceptances and node_parents must have as many entries as each other")
    paths = []
    total = 1.0
    for place, acceptance in enumerate(node_acceptances):
        parent = node_parents[place]
        path = acceptance if parent < 0 else paths[parent] * acceptance
        paths.append(path)
        total = total + path
    return total

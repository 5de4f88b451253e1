"""Tokens of a task that takes several turns: each sends the whole history again, and a prefix cache holds most of it."""

from tokenecon.numerics import Quantity


def prompt_tok_per_task(*, first_tok: Quantity, added_tok: Quantity, answer_tok: Quantity, turns: Quantity) -> Quantity:
    r"""Prompt tokens of all turns of a task, each of which holds what came before it.

    .. math:: P = n\,f + (a + o)\,\frac{n (n - 1)}{2}

    Parameters
    ----------
    first_tok : float or ndarray
        Prompt of the first turn: instructions, tools, question, f. [tok]
    added_tok : float or ndarray
        What a turn adds before the next: a result of a tool, a reply of the user, a. [tok]
    answer_tok : float or ndarray
        Answer of a turn, which the next prompt holds, o. [tok]
    turns : float or ndarray
        Turns of a task, n. [count]

    Returns
    -------
    float or ndarray
        Prompt tokens of a task, P. [tok]

    Examples
    --------
    Three turns of 1,000, 1,600 and 2,200 tokens:

    >>> prompt_tok_per_task(first_tok=1000, added_tok=500, answer_tok=100, turns=3)
    4800.0
    """
    return turns * first_tok + (added_tok + answer_tok) * turns * (turns - 1) / 2


def cached_tok_per_task(*, prompt_tok: Quantity, first_tok: Quantity, added_tok: Quantity, turns: Quantity, held_share: Quantity,
                        resent_share: Quantity) -> Quantity:
    r"""Prompt tokens of a task that a prefix cache holds: of each turn what came before, of a turn sent again all of its prompt.

    .. math:: H = h\,\big(P - f - (n - 1)\,a + r\,P\big)

    Parameters
    ----------
    prompt_tok : float or ndarray
        Prompt tokens of all turns, each sent once, P. [tok]
    first_tok : float or ndarray
        Prompt of the first turn, f. [tok]
    added_tok : float or ndarray
        What a turn adds before the next, a. [tok]
    turns : float or ndarray
        Turns of a task, n. [count]
    held_share : float or ndarray
        Share of what was sent before that the cache still holds, h. [fraction]
    resent_share : float or ndarray
        Turns sent again for each turn, r. [fraction]

    Returns
    -------
    float or ndarray
        Prompt tokens found in the cache, H. [tok]

    Examples
    --------
    Three turns of 1,000, 1,600 and 2,200 tokens, of which 1,100 and 1,700 were sent before; a tenth of 4,800 is sent again:

    >>> cached_tok_per_task(prompt_tok=4800, first_tok=1000, added_tok=500, turns=3, held_share=0.9, resent_share=0.1)
    2952.0
    """
    return held_share * (prompt_tok - first_tok - (turns - 1) * added_tok + resent_share * prompt_tok)


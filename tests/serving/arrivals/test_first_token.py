"""Waiting for the first token, against exact queues whose passes take round times."""

import numpy as np
import pytest
from scipy import stats

from tokenecon.serving.arrivals import first_token

EMPTY_S, PROMPT_S = 0.01, 0.05  # a pass without prompts, and what each prompt adds


def linear(most):
    """Passes that take longer by the same time for each prompt, of which one takes at most so many."""
    def seconds(decoding, prompts):
        return (EMPTY_S + PROMPT_S * min(prompts, most)) * max(prompts / most, 1.0) + 0.0 * decoding

    return seconds


def exact(arrivals_per_s, most, states=240):
    """Mean time to first token by the chain of prompts at the starts of passes, and the mean and mean square of those read."""
    read = np.minimum(np.arange(states), most)
    lasts = EMPTY_S + PROMPT_S * read
    chain = np.zeros((states, states))
    for start in range(states):
        left = start - read[start]
        chain[start, left:] = stats.poisson.pmf(np.arange(states - left), arrivals_per_s * lasts[start])
        chain[start, -1] += 1 - chain[start].sum()
    balance = np.vstack([chain.T - np.eye(states), np.ones(states)])
    share = np.linalg.lstsq(balance, np.append(np.zeros(states), 1.0), rcond=None)[0]
    mean_s = share @ lasts
    there = (share @ (lasts * np.arange(states)) + arrivals_per_s * (share @ lasts**2) / 2) / mean_s
    return there / arrivals_per_s, share @ read, share @ read**2


@pytest.mark.parametrize("load", [0.2, 0.6, 0.85, 0.93])
def test_one_prompt_a_pass_is_a_single_server_with_vacations(load):
    """M/D/1 with service S and vacations d: rho S/(2 (1 - rho)) + d/2 + S (Fuhrmann, Cooper 1985)."""
    service = EMPTY_S + PROMPT_S
    expected = load * service / 2 / (1 - load) + EMPTY_S / 2 + service
    parts = first_token.waits(linear(1.0), 1.0, 1.0, load / service, 1.0)
    assert parts["ttft_s"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("most", [2, 3, 8, 20])
@pytest.mark.parametrize("load", [0.2, 0.6, 0.85, 0.93])
def test_the_mean_is_that_of_the_exact_chain(most, load):
    rate = load * most / (EMPTY_S + PROMPT_S * most)
    expected, prompts, square = exact(rate, most)
    passes = first_token.shared_passes(linear(most), 1.0, rate, float(most))
    assert passes["prompts"] == pytest.approx(prompts, rel=0.01)
    assert passes["square"] == pytest.approx(square, rel=0.12)
    assert first_token.waits(linear(most), 1.0, 1.0, rate, float(most))["ttft_s"] == pytest.approx(expected, rel=0.06)


def test_shares_rise_from_nobody_to_everybody():
    parts = first_token.waits(linear(4.0), 1.0, 1.0, 15.0, 4.0)
    found = [first_token.share_within(parts, 0.1, seconds) for seconds in (0.01, 0.06, 0.08, 0.12, 0.3, 1.0, 30.0)]
    assert found == sorted(found) and found[0] == 0.0 and found[-1] == pytest.approx(1.0, abs=1e-3)


def test_a_long_prompt_alone_takes_full_passes_and_a_rest():
    """2.5 passes: two full ones, and half of one, without anybody else; in my time nobody comes."""
    most = 0.4
    full, rest = EMPTY_S + PROMPT_S * most, EMPTY_S + PROMPT_S * 0.2
    parts = first_token.waits(linear(most), 1.0, 1.0, 1e-6, most)
    assert parts["alone_s"] == pytest.approx(2 * full + rest, rel=1e-3)

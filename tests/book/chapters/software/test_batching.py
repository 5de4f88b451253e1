"""Occupancy of static batches from the spread of answer lengths."""

from math import log

import pandas as pd
import pytest

from tokenecon.finding import Finding, finding
from tokenecon_book.chapters.software import batching


def test_shape_of_the_measured_lengths():
    # deciles 54 and 424 tokens: ln(ln 10 / -ln 0.9) / ln(424/54) = 3.0844/2.0608
    assert batching.length_shape() == pytest.approx(log(log(10) / -log(0.9)) / log(424 / 54))
    assert batching.length_shape() == pytest.approx(1.4967, abs=1e-4)


@pytest.mark.parametrize("shape", [0.8, 1.0, 1.5, 2.0])
def test_longest_of_two_and_three(shape):
    # The shortest of B Weibull lengths has B^(-1/k) of the mean; max = sum over subsets of +-min.
    two, three = 2 ** (-1 / shape), 3 ** (-1 / shape)
    assert batching.longest_over_mean(2, shape) == pytest.approx(2 - two, rel=3e-4)
    assert batching.longest_over_mean(3, shape) == pytest.approx(3 - 3 * two + three, rel=3e-4)


def test_exponential_lengths_agree_with_the_harmonic_number():
    # 1 + 1/2 + ... + 1/6 = 2.45
    assert batching.longest_over_mean(6, 1.0) == pytest.approx(2.45, rel=1e-4)
    assert batching.static_occupancy(6, "exponential") == pytest.approx(1 / 2.45)


def test_measured_lengths_keep_a_static_batch_fuller():
    for batch in (2, 8, 64):
        assert batching.static_occupancy(batch, "measured") > batching.static_occupancy(batch, "exponential")
    assert batching.static_occupancy(1, "measured") == pytest.approx(1)


def test_documents_occupancy_is_a_batch_of_six():
    # 1/H_6 = 0.408, 1/H_7 = 0.386
    assert batching.batch_of_occupancy(0.40, "exponential") == 6


@finding
def baseline(batch):
    """What the curve takes from the steps of the waterfall: the batch of the first."""
    return Finding(pd.DataFrame({"batch": [batch]}))


def test_curve_says_what_the_documents_two_figures_give():
    found = batching.occupancy_curve(baseline(59), lengths="exponential")
    assert 59 in set(found.table["batch"])
    assert "40% and 90%, continuous batching saves 56%; they say 50%" in found["arithmetic"]  # 1 - 0.4/0.9
    assert (found["claimed_static"], found["claimed_continuous"]) == (0.4, 0.9)
    assert {"doc-uk", "azure-traces-2023"} <= set(found.sources)
    # 1/H_59 = 0.2144
    assert "A static batch of 59 keeps 21% of its slots busy" in found.sentence

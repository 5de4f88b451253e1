"""Two-piece draws hit the percentiles that they are made from; a counted share's error is the binomial one."""

import numpy as np
import pytest
from scipy import stats

from tokenecon.formulas import uncertainty

PIECES = {
    uncertainty.two_piece_normal: {"middle": 0.1, "low": -0.25, "high": 0.2},
    uncertainty.two_piece_lognormal: {"middle": 2.0, "low": 0.5, "high": 3.0},
}


def test_the_ninetieth_percentile_is_that_of_the_normal_distribution():
    assert stats.norm.ppf(0.9) == pytest.approx(uncertainty.NORMAL_P90, rel=1e-14)


@pytest.mark.parametrize("piece", PIECES)
def test_percentiles_come_out_as_they_went_in(piece):
    ends = PIECES[piece]
    z = stats.norm.ppf([0.1, 0.5, 0.9])
    assert piece(**ends, z=z) == pytest.approx([ends["low"], ends["middle"], ends["high"]])
    drawn = piece(**ends, z=np.random.default_rng(3).standard_normal(200_000))
    assert np.quantile(drawn, [0.1, 0.5, 0.9]) == pytest.approx([ends["low"], ends["middle"], ends["high"]], rel=0.03)
    assert (np.diff(piece(**ends, z=np.linspace(-4, 4, 99))) > 0).all()


@pytest.mark.parametrize("piece", PIECES)
def test_without_a_range_every_draw_is_the_median_exactly(piece):
    drawn = piece(middle=0.37, low=0.37, high=0.37, z=np.array([-2.5, 0.0, 1.7]))
    assert (drawn == 0.37).all()


def test_a_shares_error_is_the_binomial_one():
    hits = np.random.default_rng(5).binomial(400, 0.3, size=20_000) / 400
    assert uncertainty.share_error(share=0.3, draws=400) == pytest.approx(hits.std(), rel=0.02)
    assert uncertainty.share_error(share=1.0, draws=7) == 0

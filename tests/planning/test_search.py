"""Configurations and the largest load of each: against brute force over a small grid, and laws of limits."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tokenecon import estimate
from tokenecon.planning import search
from tokenecon.planning.asked import ask
from tokenecon.serving import lookups

CASE = {"model": "llama-3.1-8b", "isl": 1000, "osl": 200}
CHEAP = {"gpus": "h100-sxm-80gb", "n_gpus": [1, 2], "usd_per_gpu_hour": 2.0}


def asked(**more):
    given = CASE | CHEAP | more
    return ask(given.pop("model"), **given)


def test_the_grid_has_every_number_of_three_digits():
    # 900 of a power of ten: 1.00e-4 is the first, 1.00 the 3,601st, 999e2 = 99,900 the last
    assert list(search.rate([1, 2, 901, 3601, 3637, 8100])) == [1e-4, 1.01e-4, 1e-3, 1.0, 1.36, 99900.0]
    places = np.arange(1, 8101)
    assert [float(f"{one:.3g}") for one in search.rate(places)] == list(search.rate(places))


@pytest.mark.parametrize("load, following", [(1.36, 1.37), (9.99, 10.0), (0.0123, 0.0124), (100.0, 101.0)])
def test_the_next_load_is_the_next_number_of_the_grid(load, following):
    assert search.next_load(np.array([load]), asked())[0] == pytest.approx(following, rel=1e-9)


def test_layouts_cut_heads_and_hidden_size_evenly_and_lay_experts_as_engines_do():
    # 32 heads, no experts: two stages or one, cut by what divides the rest
    dense = lookups.record("llama-3.1-8b")
    assert [(one["tp"], one["pp"]) for one in search.layouts(4, dense, 8)] == [(4, 1), (2, 2), (1, 4)]
    assert search.layouts(3, dense, 8) == [{"n_gpus": 3, "tp": 1, "pp": 3, "attention_dp": 1, "ep": 1}]
    # 256 experts, 128 heads: whole, cut or spread, and each rank with an attention of its own
    routed = lookups.record("deepseek-r1")
    found = {(one["tp"], one["pp"], one["attention_dp"], one["ep"]) for one in search.layouts(2, routed, 8)}
    assert found == {(2, 1, 1, 1), (2, 1, 1, 2), (2, 1, 2, 2), (1, 2, 1, 1)}
    assert not any(one["ep"] > 1 for one in search.layouts(7, routed, 8))  # 256 over 7 is no whole number
    assert any(one["ep"] == 72 for one in search.layouts(72, routed, 8))  # beyond a server copies fill the ranks


def test_sizes_go_beyond_a_server_only_where_so_many_gpus_are_allowed():
    assert search.sizes(8, None, []) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert search.sizes(8, 25, []) == [1, 2, 3, 4, 5, 6, 7, 8, 16, 24]
    assert search.sizes(72, 20, []) == [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20]
    assert search.sizes(8, 4, [2, 6]) == [2]


@pytest.mark.parametrize("limits", [{"tpot_ms": 12}, {"ttft_ms": 60}, {"ttft_ms_p90": 120, "tpot_ms": 20}])
def test_the_largest_rate_keeps_the_limits_and_the_next_does_not(limits):
    question = asked(limits=limits)
    table = search.configurations(question)
    found = search.most(table, question)
    assert len(found) == 3  # one GPU, two that share layers, two stages
    for row, rate in zip(table.to_dict("records"), found, strict=True):
        for load, kept in ((rate, True), (search.next_load(rate, question), False)):
            at = estimate(row | {"requests_per_s": float(load), "usd_per_gpu_hour": 2.0}, percentiles=True).iloc[0]
            assert all(at[name] <= limit for name, limit in limits.items()) is kept


def test_brute_force_over_clients_finds_the_same():
    question = asked(limits={"ttft_ms": 200, "tpot_ms": 9}, concurrency=1000)
    table = search.configurations(question)
    many = range(1, 121)
    rows = pd.DataFrame([row | {"concurrency": float(one)} for row, one in itertools.product(table.to_dict("records"), many)])
    found = estimate(rows, intervals=False)
    kept = ((found["ttft_ms"] <= 200) & (found["tpot_ms"] <= 9)).to_numpy().reshape(len(table), len(many))
    assert list(search.most(table, question)) == [max((one for one, fine in zip(many, row, strict=True) if fine), default=0)
                                                  for row in kept]
    assert 0 < kept.sum() < kept.size


def test_a_looser_limit_and_a_lower_chance_never_hold_less():
    loads = [search.most(search.configurations(question), question) for question in (
        asked(limits={"tpot_ms": limit}) for limit in (6, 15, 40))]
    assert (np.diff(loads, axis=0) >= 0).all() and (loads[-1] > loads[0]).all()
    loads = [search.most(search.configurations(question), question) for question in (
        asked(limits={"tpot_ms": 15, "ttft_ms": 300}, chance=chance) for chance in (0.9, 0.6))]
    assert (np.diff(loads, axis=0) >= 0).all() and (loads[-1] > loads[0]).all()


def test_the_chance_is_that_of_the_interval():
    # the 80% interval: a limit at its high end holds in nine of ten, at its low end in one of ten, at the middle in half
    found = pd.DataFrame({"tpot_ms": [20.0] * 4, "tpot_ms_low": [15.0] * 4, "tpot_ms_high": [32.0] * 4})
    limits = np.array([32.0, 15.0, 20.0, 26.0])
    chances = [search.chance(found.iloc[[place]], {"tpot_ms": limit})["all"][0] for place, limit in enumerate(limits)]
    # of 26: ln(26/20)/ln(32/20) = 0.55823 of the way to the 90th percentile
    assert chances == pytest.approx([0.9, 0.1, 0.5, stats.norm.cdf(0.55823 * stats.norm.ppf(0.9))], abs=3e-4)


def test_of_two_limits_the_chance_is_at_least_what_both_leave():
    found = pd.DataFrame({name + end: [value] for name in ("ttft_ms", "tpot_ms")
                          for end, value in (("", 20.0), ("_low", 15.0), ("_high", 32.0))})
    both = search.chance(found, {"ttft_ms": 32.0, "tpot_ms": 32.0})
    assert both["all"][0] == pytest.approx(0.9 + 0.9 - 1, abs=6e-4)
    assert search.chance(found, {"ttft_ms": 15.0, "tpot_ms": 15.0})["all"][0] == 0
    assert search.chance(found, {})["all"][0] == 1

"""Routing, cascade, prefix cache and mixtures of experts."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.software import avoided_work
from tokenecon_book.chapters.software.lever_points_calibrated import operating_point
from tokenecon_book.chapters.software.lever_points_textbook import LEVERS

DEFAULTS = notebooks.defaults("software")
# The documents' model on four H100, whose arithmetic stands below.
OLDER = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "usd_per_gpu_hour": 2.695,
         "utilisation": 0.6, "costed": {}}  # fmt: skip


def case(**change):
    return SimpleNamespace(**(DEFAULTS | OLDER | change))


def test_half_of_the_tokens():
    half = avoided_work.shares(case()).table.set_index("share").loc[0.5]
    assert half["routed"] == pytest.approx(1 - (0.5 * 0.1 + 0.5 + 0.01))
    assert half["cascade"] == pytest.approx(1 - (0.1 + 0.5))  # the small model answers everything once
    on = frozenset(LEVERS) - {"routing"}
    without, with_it = (operating_point(case(), set_)["usd_per_mtok"][1] for set_ in (on - {"prefix"}, on))
    assert half["prefix"] == pytest.approx(1 - with_it / without) and 0 < half["prefix"] < 0.5 * 0.7


def test_share_that_the_documents_saving_needs():
    # (0.60 + 0.01)/(1 - 0.1) = 0.678
    assert "60%, 68% of the tokens" in avoided_work.shares(case()).sentence
    assert "out of reach" in avoided_work.shares(case(cost_ratio=0.5)).sentence
    assert "does not pay: the other model's token costs 5.0 times" in avoided_work.shares(case(cost_ratio=5.0)).sentence


def test_weights_of_mixtral_that_a_step_reads():
    row = avoided_work.experts(case()).table.set_index("model").loc["Mixtral 8x7B"]
    experts = 32 * 8 * 3 * 4096 * 14_336
    common = 46_702_792_704 - experts
    assert row["read_1"] == pytest.approx((common + experts * 2 / 8) / 46_702_792_704)
    touched = 8 * (1 - 0.75**8)  # 7.199 of 8 experts
    assert row["read_8"] == pytest.approx((common + experts * touched / 8) / 46_702_792_704)
    assert row["compute_saving"] == pytest.approx(1 - 12_879_925_248 / 46_702_792_704)


def test_the_page_model_joins_if_it_is_a_mixture():
    assert avoided_work.experts(case(model="qwen3-30b-a3b")).table["model"].iloc[0] == "Qwen3 30B-A3B"
    found = avoided_work.experts(case())
    assert len(found) == len(avoided_work.EXPERT_MODELS)
    assert {"doc-uk", *(data.model(one)["source"] for one in avoided_work.EXPERT_MODELS)} <= set(found.sources)

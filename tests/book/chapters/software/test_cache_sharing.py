"""Requests that fit, by attention structure and packing."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.errors import DoesNotFit
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.software import cache_sharing

DEFAULTS = notebooks.defaults("software")
# The documents' model on four H100, whose arithmetic stands below.
OLDER = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "usd_per_gpu_hour": 2.695,
         "utilisation": 0.6, "costed": {}}  # fmt: skip


def case(**change):
    return SimpleNamespace(**(DEFAULTS | OLDER | change))


def test_cache_of_a_position_in_each_structure():
    # 80 layers, heads of 128, keys and values, 2 B; latent: 512 + 64 values a layer
    assert list(cache_sharing.structures("llama-2-70b").values()) == pytest.approx(
        [2 * 80 * 64 * 128 * 2, 2 * 80 * 8 * 128 * 2, 2 * 80 * 1 * 128 * 2, 80 * (512 + 64) * 2])


def test_a_model_without_groups_is_given_eight():
    assert list(cache_sharing.structures("llama-2-7b"))[:2] == ["multi-head: 32 heads", "grouped-query: 8 heads"]


def test_factors():
    table = cache_sharing.concurrency(case()).table.set_index(["structure", "packing"])["factor"]
    grouped = "grouped-query: 8 heads"
    assert table[grouped, "contiguous, FP16"] == pytest.approx(64 / 8)
    assert table["multi-head: 64 heads", "paged, FP16"] == pytest.approx(0.96 / 0.30)
    assert table[grouped, "paged, FP8"] == pytest.approx(8 * 3.2 * 2)  # 51.2
    assert table["multi-query: 1 head", "paged, INT4"] == pytest.approx(64 * 3.2 * 4)
    assert table["latent, as DeepSeek-V3", "contiguous, FP16"] == pytest.approx(2 * 64 * 128 / 576)


def test_sequences_fill_the_memory():
    table = cache_sharing.concurrency(case(weights="fp16")).table.set_index(["structure", "packing"])["sequences"]
    room = 4 * (0.9 * 79.2 - 2) * 2**30 - 2 * 68_976_648_192
    assert table["multi-head: 64 heads", "paged, FP16"] == pytest.approx(room * 0.96 / (2500 * 2_621_440), rel=1e-6)


def test_sentences_confront_the_documents():
    found = cache_sharing.concurrency(case())
    assert "hold 51 times" in found.sentence and found.sentence.endswith("the documents say 10")
    assert "64 times smaller, grouped-query attention 8 times; the documents give 8" in found["sharing"]
    # 8 * (1 - 0.45 * 0.7)/(1 - 0.7) = 8 * 0.685/0.3 = 18.3
    assert "give 18 times" in found["documents"]
    models = (data.model(one)["source"] for one in ("llama-2-70b", cache_sharing.LATENT))
    assert {"doc-uk", *models} <= set(found.sources)


def test_refuses_what_does_not_fit():
    with pytest.raises(DoesNotFit, match="'n_gpus' is 1"):
        cache_sharing.concurrency(case(n_gpus=1, weights="fp16"))


def test_the_grid_holds_the_same_factors():
    found = cache_sharing.concurrency(case())
    grid = cache_sharing.grid(found)
    wide = grid.table.set_index("structure")
    assert wide.loc["grouped-query: 8 heads", "paged, FP8"] == pytest.approx(51.2)
    assert list(cache_sharing.columns(found)) == ["structure", *wide.columns]
    assert (grid.note, grid.sources) == (found.note, found.sources)

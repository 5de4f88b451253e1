"""The page on kinds of token says what its tables hold."""

from types import SimpleNamespace

import pytest

from tokenecon_book.chapters.economics import token_kinds


def test_the_chapter_says_what_its_tables_hold():
    case = SimpleNamespace(model="llama-2-70b", gpu="h100-sxm-80gb", n_gpus=4, weights="fp16", kv="fp16", isl=2000,
                           osl=500, batch=32, cache_hit=0.5, usd_per_gpu_hour=2.5, utilisation=0.5, costed={})
    found = token_kinds.prices(case)
    cost = found.table.set_index("kind")["usd_per_mtok"]
    assert f"{cost['output'] / cost['input']:.1f} times as much as an input token and " in found.sentence
    assert "all hours, 50% of which wait" in found.note  # the basis, named
    drawn = token_kinds.by_batch(case).table
    assert drawn[["input", "cached", "output"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert list(drawn["concurrency"]) == [1, 8, 32, 1, 8, 32]

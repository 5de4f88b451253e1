"""The page of software optimisations: defaults, sensitivity, published effects, other parameters."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.software import (
    avoided_work,
    batching,
    cache_sharing,
    charts,
    quantisation,
    simulation_load,
    software,
    speculation,
    stacking,
    waterfall,
)
from tokenecon_book.chapters.software.lever_points_textbook import LEVERS

DEFAULTS = notebooks.defaults("software")
# The documents' model on four H100, whose arithmetic stands below.
OLDER = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "usd_per_gpu_hour": 2.695,
         "utilisation": 0.6, "costed": {}}  # fmt: skip
OTHERS = [
    {},
    {"model": "mixtral-8x7b", "gpu": "mi300x-192gb", "n_gpus": 1, "weights": "int4", "lengths": "exponential"},
    {"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 1, "isl": 300, "osl": 100, "hit_rate": 0.0},
    {"model": "deepseek-v3", "gpu": "h200-sxm-141gb", "n_gpus": 16, "tpot_ms": 100.0, "weights": "fp8-block"},
    {"gpu": "a100-sxm-80gb", "weights": "int8", "kv": "fp16"},
]


def case(**change):
    return SimpleNamespace(**(DEFAULTS | OLDER | change))


@pytest.mark.parametrize("change", OTHERS)
def test_every_table_and_figure_under_other_parameters(change):
    one = case(**change)
    each = stacking.levers(one)
    together = stacking.products(one, each)
    steps = waterfall.steps(one)
    bits, cache = quantisation.batch_curve(one), cache_sharing.concurrency(one)
    guess = speculation.load_curve(one)
    busy = batching.occupancy_curve(steps, lengths=one.lengths)
    full = simulation_load.runs(one)
    slots, loaded = simulation_load.timeline(one, full), simulation_load.over_load(one, full)
    shares, experts = avoided_work.shares(one), avoided_work.experts(one)
    for found in (each, together, steps, bits, cache, guess, busy, slots, loaded, shares, experts):
        assert "nan" not in found.sentence and "inf" not in found.sentence, found.sentence
    drawn = (charts.steps(steps), charts.products(together), charts.quantisation(bits), charts.speculation(guess),
             charts.occupancy(busy), charts.slots(slots))
    for chart in drawn:
        assert chart.to_dict()["layer"]
    assert len(cache_sharing.grid(cache))
    assert (each.table["alone"] < 1).all() and together.table["cost_factor"].min() > 1


def test_sensitivity_rows():
    table = software.sensitivity(case()).table.set_index("change")
    steps = waterfall.steps(case()).table
    assert table.loc["the case itself", "usd_per_mtok"] == pytest.approx(steps["end"].iloc[-1])
    assert table.loc["the case itself", "cost_factor"] == pytest.approx(steps["end"].iloc[0] / steps["end"].iloc[-1])
    rest = frozenset(LEVERS) - {"speculation"}
    assert table.loc["without speculation", "usd_per_mtok"] == pytest.approx(stacking.cost(case(), rest))
    factor = stacking.cost(case(), frozenset(), "textbook") / stacking.cost(case(), rest, "textbook")
    assert table.loc["without speculation", "textbook_cost_factor"] == pytest.approx(factor)
    # half of the tokens routed: 0.5 * 0.1 + 0.5 + 0.01 = 0.56 instead of 0.407
    routed = table.loc["50% of tokens routed to the small model", "usd_per_mtok"]
    assert routed / table.loc["the case itself", "usd_per_mtok"] == pytest.approx(0.56 / 0.407)


def test_sensitivity_says_what_is_not_possible():
    table = software.sensitivity(case(model="llama-3.1-70b", n_gpus=2, isl=32_000, tpot_ms=24.0)).table
    lost = table[table["cost_factor"].isna()]["change"].tolist()
    assert "prompts four times as long (does not fit the memory)" in lost
    assert any("not even one request" in text for text in lost)


def test_published_effects_are_the_rows_of_the_table():
    found = software.literature()
    table = found.table.set_index("id")
    facts = data.table("optimisations").set_index("id")
    assert len(table) == len(software.LITERATURE)
    for name, row in table.iterrows():
        assert row["speedup"] == facts.loc[name, "value"] and facts.loc[name, "unit"] == "ratio"
    assert set(found.sources) == set(facts.loc[list(software.LITERATURE), "source"])
    drawn = {*quantisation.POINTS, *speculation.POINTS}
    assert not drawn & set(table.index)  # each effect is shown once

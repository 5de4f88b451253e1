"""Speculation under load, against arithmetic written here."""

from types import SimpleNamespace

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import DoesNotFit
from tokenecon.serving import textbook
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.software import speculation

WHERE = {"model": "llama-2-7b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "weights": "fp16", "kv": "fp16", "positions": 100}
DEFAULTS = notebooks.defaults("software")
# The documents' model on four H100, whose arithmetic stands below.
OLDER = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "usd_per_gpu_hour": 2.695,
         "utilisation": 0.6, "costed": {}}  # fmt: skip


def case(**change):
    return SimpleNamespace(**(DEFAULTS | OLDER | change))


def test_checking_five_positions_of_300_sequences():
    # Reading: 13.48 GB of weights and 300 * 100 positions of 524,288 B: 8.72 ms, as in a plain step.
    step_s = (2 * 6_738_415_616 + 300 * 100 * 524_288) / 3.35e12
    # Arithmetic: 2 FLOP a weight (the embedding is looked up, not multiplied), 4 * n * d * L for attention, 5 positions each
    flop = 2 * (6_738_415_616 - 32_000 * 4096) + 4 * 100 * 4096 * 32
    check_s = 5 * 300 * flop / 989.5e12
    assert check_s > 2 * step_s
    found = speculation.check_seconds(batch=300, draft_tokens=4, efficiencies=textbook.ideal(), **WHERE)
    assert found == pytest.approx([check_s] * 3)
    # 1 + 0.8 + 0.64 + 0.512 + 0.4096 = 3.3616 tokens for a check and four drafts of a twentieth of a step
    gain = speculation.speedup(acceptance=0.8, draft_tokens=4, draft_cost=0.05, batch=300, efficiencies=textbook.ideal(), **WHERE)
    assert gain == pytest.approx(3.3616 * step_s / (check_s + 0.2 * step_s))


def test_alone_checking_is_free():
    gain = speculation.speedup(acceptance=0.8, draft_tokens=4, draft_cost=0.05, batch=1, efficiencies=textbook.ideal(), **WHERE)
    assert gain == pytest.approx(3.3616 / 1.2, rel=1e-4)  # 2.801, Leviathan et al. 2023


def test_mixtures_wake_more_experts_when_they_check():
    mixture = WHERE | {"model": "mixtral-8x7b", "gpu": "h200-sxm-141gb"}
    dense, sparse = (speculation.speedup(acceptance=0.8, draft_tokens=4, draft_cost=0.05, batch=1, **where)
                     for where in (WHERE, mixture))
    assert sparse < 0.5 * dense


def test_pass_seconds_are_check_and_drafts():
    seconds, gained = speculation.pass_seconds(acceptance=0.5, draft_tokens=2, draft_cost=0.1, batch=8,
                                               efficiencies=textbook.assumed(), **WHERE)
    step_s = textbook.decode_step(batch=8, efficiencies=textbook.assumed(), **WHERE)["step_s"]
    check_s = speculation.check_seconds(batch=8, draft_tokens=2, efficiencies=textbook.assumed(), **WHERE)
    assert gained == pytest.approx(1 + 0.5 + 0.25)
    assert seconds == pytest.approx(check_s + 2 * 0.1 * step_s)


def test_load_curve_falls_and_says_so():
    found = speculation.load_curve(case())
    table = found.table
    loaded = table[table["assumption"] == speculation.LOADED]
    assert loaded["speedup"].is_monotonic_decreasing
    assert (table["speedup_low"] <= table["speedup"]).all() and (table["speedup"] <= table["speedup_high"]).all()
    assert loaded["speedup"].iloc[-1] < 1
    own = table[table["assumption"] == speculation.MODEL]
    assert own["speedup"].is_monotonic_decreasing
    assert f"{own['speedup'].iloc[0]:.1f} times as fast" in found.sentence
    assert f"by the textbook {loaded['speedup'].iloc[0]:.1f} and" in found.note
    assert "would gain 2.8 times at any load" in found["drafts"]  # 3.3616 / 1.2, Leviathan et al. 2023
    points = {data.row("optimisations", name)["source"] for name in speculation.POINTS}
    assert {"doc-uk", data.assumption("speculation.acceptance")["source"], *points} <= set(found.sources)
    assert len(found["points"]) == len(speculation.POINTS)


def test_calibrated_speedups_are_the_estimates_own():
    # One request: time per token without drafts over that with four, each accepted at 0.8.
    asked = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "weights": "fp8", "kv": "fp8",
             "concurrency": 1, "load": "closed_loop"}
    plain, drafted = (tokenecon.estimate(asked | more)["tpot_ms"][0] for more in (
        {}, {"draft_tokens": 4, "acceptance": 0.8}))
    assert speculation.calibrated_speedups(case(), [1])[1][1] == pytest.approx(plain / drafted)


def test_fewer_drafts_pay_under_load():
    alone, loaded = (speculation.best_drafts(case(), batch) for batch in (1, 256))
    assert loaded < alone
    assert speculation.best_drafts(case(acceptance=0.05, draft_cost=0.5), 1) == 0


def test_points_stand_at_the_batch_their_conditions_name():
    facts = data.table("optimisations").set_index("id")
    for name, (batch, _label) in speculation.POINTS.items():
        assert f"batch {batch}" in facts.loc[name, "conditions"], name
    points = speculation.literature().set_index(["label", "batch"])
    assert points.loc[("Medusa 2", 1), "speedup"] == 2.8
    assert (points["speedup"] < 1).sum() == 2  # published slowdowns are shown


def test_refuses_what_does_not_fit():
    with pytest.raises(DoesNotFit, match="'n_gpus' is 1"):
        speculation.load_curve(case(n_gpus=1, weights="fp16"))

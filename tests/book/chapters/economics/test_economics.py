"""The economics chapter: each table against arithmetic written here, and its sentences under other parameters."""

from functools import cache
from types import SimpleNamespace

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import DoesNotFit, NoEstimate
from tokenecon.serving import operating_point, textbook
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.economics import economics, model_choice
from tokenecon_book.documents import base

DEFAULTS = notebooks.defaults("economics")
OTHERS = [{}, {"model": "mixtral-8x7b", "gpu": "mi300x-192gb", "n_gpus": 1, "weights": "int8", "batch": 7},
          {"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 1, "isl": 100, "osl": 50, "batch": 3}]


@cache
def completed(change):
    return base.completed(SimpleNamespace(**(DEFAULTS | dict(change))))


def case(**change):
    """The page's case with its blanks filled; batch, busy share and price stay as the base case has them."""
    return SimpleNamespace(**vars(completed(tuple(change.items()))))


def test_documents_price_levels_in_one_unit():
    levels = economics.price_levels(case()).table.set_index("id")["usd_per_mtok"]
    assert levels["up-openai-cost-per-word"] == pytest.approx(0.00012 * 0.75 * 1e6)  # 0.75 words a token
    assert levels["up-token-cost-high"] == pytest.approx(1000)
    assert levels["dep-bedrock-price"] == pytest.approx(8)  # 0.008 USD a thousand
    assert levels["hw-graviton4-cost"] == pytest.approx(0.8)


def test_spread_of_the_documents_figures():
    # 1000 USD against 0.8 USD a million
    assert "from $0.80 to $1,000, 1,250 times as much" in economics.price_levels(case()).sentence


def test_context_growth_of_llama_2_70b_between_the_two_windows():
    found = economics.context_curve(case(model="llama-2-70b", n_gpus=4))
    table = found.table
    # F(n) = 2 P n + 2 n^2 d L with P = 68.98e9, d = 8192, L = 80, at 128,000 and 8,000
    def flop(n):
        return 2 * 68_976_648_192 * n + 2 * n**2 * 8192 * 80
    assert table[table["law"] == "Llama 2 70B"]["cost_ratio"].iloc[-1] == pytest.approx(flop(128e3) / flop(8e3))
    assert table[table["law"] == "linear"]["cost_ratio"].iloc[-1] == pytest.approx(16)
    assert table[table["law"] == "quadratic"]["cost_ratio"].iloc[-1] == pytest.approx(256)
    # (16 + 256 q)/(1 + q) = 64 needs q = 48/192
    assert found["needed_weight"] == pytest.approx(0.25)


def test_the_operating_point_has_one_bill_by_kind_of_token():
    full = case()
    found = economics.operating_point(full)
    rows = found.table.set_index("by")
    plain, cached = rows.loc["calibrated"].iloc[0], rows.loc["calibrated"].iloc[1]
    asked = {"model": "llama-3.3-70b", "gpu": "h100-sxm-80gb", "n_gpus": 2, "isl": 1155, "osl": 211.1, "weights": "fp8",
             "kv": "fp8", "concurrency": full.batch, "usd_per_gpu_hour": full.usd_per_gpu_hour, "utilisation": full.utilisation}
    for row, hit in ((plain, 0.0), (cached, 0.5)):
        own = tokenecon.estimate(asked | {"load": "closed_loop", "cached_prefix": hit}).iloc[0]
        for name in ("usd_per_mtok_in", "usd_per_mtok_cached", "usd_per_mtok_out", "usd_per_mtok", "tpot_ms"):
            assert row[name] == pytest.approx(own[name], nan_ok=True)
        # two GPU-hours of which the busy share serves output_tok_s / 211.1 requests a second, over 1,366.1 tokens each
        bill = 2 * full.usd_per_gpu_hour / 3600 / full.utilisation / (row["output_tok_s"] / 211.1)
        parts = (1155 * (1 - hit) * row["usd_per_mtok_in"] + (1155 * hit * row["usd_per_mtok_cached"] if hit else 0.0)
                 + 211.1 * row["usd_per_mtok_out"]) / 1e6
        assert parts == pytest.approx(bill, rel=1e-9)
        assert row["usd_per_mtok"] == pytest.approx(bill / 1366.1 * 1e6, rel=1e-9)
    assert f"Served {full.batch} at a time, a million output tokens of Llama 3.3 70B cost ${plain['usd_per_mtok_out']:.2f};" in (
        found.sentence)
    assert f"${plain['usd_per_mtok']:.3f} over all of them" in found["split"] and f"${cached['usd_per_mtok_cached']:.4f}" in (
        found["split"])


def test_the_costs_are_those_of_the_base_case_on_demand():
    """By `tokenecon cost`: its hours alone, and the same split by kind of token as its whole bill."""
    row = base.bill(case())
    plain = economics.operating_point(case()).table.iloc[0]
    # GPU-hours of a day, idle and spare ones included, over 477,800 requests of 1,366.1 tokens
    hours = row["n_gpus"] * row["replicas"] * 24 * row["usd_per_gpu_hour"]
    assert plain["usd_per_mtok"] == pytest.approx(hours / (477_800 * 1366.1) * 1e6, rel=1e-9)
    for name in ("usd_per_mtok_in", "usd_per_mtok_out"):
        assert plain[name] / plain["usd_per_mtok"] == pytest.approx(row[name] / row["usd_per_mtok"], rel=1e-9)


def test_the_textbook_reads_no_prompts_in_between():
    """Llama 2 70B on four H100 at 2.695 USD, 32 at a time."""
    older = case(model="llama-2-70b", n_gpus=4, weights="fp16", kv="fp16", isl=2000, osl=500, batch=32, usd_per_gpu_hour=2.695,
                 utilisation=0.6)
    row = economics.operating_point(older).table.set_index("by").loc["textbook"]
    # a step of 17.79 ms makes 1,799 tokens a second, times 0.6 of the hour; of it 32 * 2000 * 327,680 B at 0.7 of 4 * 3.35 TB/s,
    # 2.24 ms, are the prompts' keys and values, which the input pays for
    mbu = data.value("mbu.decode")
    prompts_s = 32 * 2000 * 327_680 / (mbu * 4 * 3.35e12)
    share = 1 - prompts_s / (32 / 1799)
    assert row["usd_per_mtok_out"] == pytest.approx(10.78 / (1799 * 3600 * 0.6) * 1e6 * share, rel=1e-3)


@pytest.mark.parametrize("change", OTHERS)
def test_parts_of_a_token_add_up(change):
    table = economics.step_parts(case(**change)).table.set_index("part")
    parts = table.drop(index="a token")
    assert parts["ms"].sum() == pytest.approx(table.loc["a token", "ms"]) and (parts["ms"] >= 0).all()
    theirs = table["textbook_ms"]
    reading = theirs["reading the weights"] + theirs["attending to the KV cache"]
    fixed = theirs["links between GPUs"] + theirs["fixed work of layers, steps and sequences"]
    assert theirs["a token"] == pytest.approx(max(reading, theirs["arithmetic"]) + fixed)
    assert theirs["waiting while other prompts are read"] == 0


def test_one_gpu_has_no_links():
    table = economics.step_parts(case(**OTHERS[2])).table.set_index("part")
    assert table.loc["links between GPUs", "ms"] == 0


def test_int4_weights_for_one_request_save_less_than_three_quarters():
    # Weights fall to 4.156/16 of their bytes (embedding and head stay), but cache, links and fixed cost stay.
    table = model_choice.precisions(case()).table.set_index(["by", "format", "load"])["relative_cost"]
    for by in ("calibrated", "textbook"):
        assert table[by, "int4", "one request"] > 4.156 / 16
        assert table[by, "int4", "76 at a time"] > table[by, "int4", "one request"]


def test_batch_curves_end_where_the_memory_does():
    table = economics.batch_curve(case()).table
    ends = {"calibrated": operating_point.point(**economics.inputs(case()))["max_concurrency"],
            "textbook": textbook.point(**economics.inputs(case()))["max_concurrency"]}
    for by, rows in table.groupby("by"):
        assert rows["concurrency"].iloc[0] == 1 and rows["concurrency"].is_monotonic_increasing and 76 in set(rows["concurrency"])
        assert rows["concurrency"].iloc[-1] <= ends[by] < rows["concurrency"].iloc[-1] + 1
        assert rows["usd_per_mtok_out"].is_monotonic_decreasing and rows["tpot_ms"].is_monotonic_increasing


def test_size_steps_fit_their_batch():
    table = model_choice.size_steps(case()).table
    assert table["fits"].all() and len(table) == 12
    for _, rows in table.groupby(["by", "family"]):
        assert rows["parameters"].is_monotonic_increasing
        # 3.4 USD at 70 billion over 0.4 at 8 billion is 8.5 times for 8.8 times the size: a ratio of ratios
        cost, size = (rows[name].to_numpy() for name in ("usd_per_mtok_out", "parameters"))
        assert rows["excess"].to_numpy()[1:] == pytest.approx((cost[1:] / cost[:-1]) / (size[1:] / size[:-1]))


def test_a_batch_that_does_not_fit_is_refused_with_what_does():
    most = int(operating_point.point(**economics.inputs(case()))["max_concurrency"])
    with pytest.raises(DoesNotFit, match=f"parameter 'batch' is 5000, but 2 x h100-sxm-80gb hold {most} sequences"):
        economics.operating_point(case(batch=5000))


def test_a_format_without_calibration_is_refused():
    with pytest.raises(NoEstimate, match="weights 'int3' is not known"):
        economics.operating_point(SimpleNamespace(**(vars(case()) | {"weights": "int3"})))


@pytest.mark.parametrize("change", OTHERS)
def test_every_table_has_a_finding_and_sources_for_other_parameters(change):
    for function in (economics.operating_point, economics.price_levels, economics.batch_curve, economics.latency_curve,
                     economics.context_curve, model_choice.size_steps, model_choice.precisions):
        found = function(case(**change))
        assert len(found) and "nan" not in found.sentence and "inf" not in found.sentence
        assert all(source["title"] for source in found.cited)
        model = data.model(case(**change).model)
        if function != model_choice.size_steps:  # whose models are those of its families
            assert model["source"] in found.sources
        if function == economics.context_curve:  # arithmetic alone: no accelerator
            assert {"doc-uk", "doc-th"} <= set(found.sources)
        else:
            rows = data.rows("gpus", {"gpu": case(**change).gpu, "field": ["bandwidth", "bf16"]})
            assert set(rows["source"]) | {"own-arithmetic"} <= set(found.sources)


def test_sensitivity_leaves_the_case_first_and_scales_with_price():
    table = economics.sensitivity(case()).table.set_index("change")
    assert table.loc["the case itself", "against_case"] == 1
    for name in ("usd_per_mtok_out", "textbook_usd_per_mtok_out"):
        moved = table[name] / table.loc["the case itself", name]
        assert moved["a GPU hour at half the price"] == pytest.approx(0.5)
        assert moved["half the utilisation"] == pytest.approx(2)


def test_the_documents_batch_has_one_latency_on_the_page():
    full = case()
    alone, shared = (tokenecon.estimate({
        "model": "llama-3.3-70b", "gpu": "h100-sxm-80gb", "n_gpus": 2, "isl": 1155, "osl": 211.1, "weights": "fp8", "kv": "fp8",
        "load": "closed_loop", "concurrency": batch, "usd_per_gpu_hour": 1.0}).iloc[0]["tpot_ms"] for batch in (1, 32))
    found = economics.claimed_latency(full)
    assert found.sentence == ("The documents say that a batch of 32 makes a token 20% slower; on this machine it takes "
                              f"{shared / alone - 1:.0%} longer than alone.")
    curve = economics.latency_curve(full).table
    drawn = curve[curve["by"] == "calibrated"].set_index("concurrency")["tpot_ms"]
    assert drawn[32] / drawn[1] == pytest.approx(shared / alone, rel=1e-9)  # the batch of the documents is on the curve


def test_formats_are_compared_on_one_machine_that_holds_sixteen_bits():
    # 70.55 billion parameters in 16 bits are 141 GB: two H100 of 79.2 GiB hold no 76 requests beside them, four do
    found = model_choice.precisions(case())
    assert set(found.table["n_gpus"]) == {4} and "the case's own 2 do not hold it" in found.note
    assert set(model_choice.precisions(case(n_gpus=4)).table["n_gpus"]) == {4}

"""Each kind of token pays for the time it causes, and together they pay the bill."""


import pandas as pd
import pytest

from tokenecon import estimate
from tokenecon.serving import cost_allocation, operating_point

CASE = {"model": "llama-3.3-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "weights": "fp8", "kv": "fp8", "isl": 6000, "osl": 300,
        "concurrency": 24, "cached_prefix": 0.6}  # fmt: skip


@pytest.mark.parametrize("drafts", [{}, {"draft_tokens": 3}, {"draft_tokens": 3, "draft_model": "llama-3.2-1b"}])
def test_shares_add_up_to_one_and_costs_to_the_bill_of_estimate(drafts):
    case = CASE | drafts
    table, whole = cost_allocation.shares(case, usd_per_gpu_hour=(2.0, 3.0, 5.0), utilisation=0.4)
    assert list(table["kind"]) == ["input", "cached", "output"]
    assert table["share"].sum() == pytest.approx(1.0, abs=1e-12)
    # the bill of a request, by another way: tokens of a request at the blended price that `estimate` gives
    blended = estimate(case | {"load": "closed_loop", "usd_per_gpu_hour": 3.0, "utilisation": 0.4})["usd_per_mtok"].item()
    assert (table["usd_per_mtok"] * table["tok"]).sum() == pytest.approx(blended * (6000 + 300), rel=1e-9)
    assert whole["usd_per_mtok"] == pytest.approx(blended, rel=1e-9)
    assert whole["request_s"] == pytest.approx(table["busy_s"].sum(), rel=1e-12)
    assert list(table["tok"]) == pytest.approx([2400, 3600, 300])


def test_marginal_costs_and_what_is_shared_add_up_to_the_bill():
    table, whole = cost_allocation.shares(CASE, usd_per_gpu_hour=3.0)
    bill, more = ((table[name] * table["tok"]).sum() for name in ("usd_per_mtok", "usd_per_mtok_marginal"))
    assert more / bill + whole["shared_share"] == pytest.approx(1.0, abs=1e-9)
    assert 0 < whole["shared_share"] < 1
    output = table.set_index("kind").loc["output"]
    assert output["usd_per_mtok_marginal"] < output["usd_per_mtok"] < output["usd_per_mtok_alone"]


def test_a_cached_token_costs_less_than_a_new_one_and_nothing_is_cached_without_a_cache():
    cost = cost_allocation.shares(CASE, usd_per_gpu_hour=3.0)[0].set_index("kind")["usd_per_mtok"]
    assert cost["cached"] < cost["input"] < cost["output"]
    bare = cost_allocation.busy(pd.DataFrame([CASE | {"cached_prefix": 0.0}])).iloc[0]
    assert bare["cached_s"] == 0
    assert cost_allocation.busy(pd.DataFrame([CASE])).iloc[0]["cached_s"] > 0


def test_the_prompt_causes_more_of_the_bill_in_a_larger_batch():
    cases = pd.DataFrame([CASE | {"concurrency": batch, "cached_prefix": 0.0} for batch in (1, 4, 16, 40)])
    time = cost_allocation.busy(cases)
    assert (time["input_s"] / time["request_s"]).is_monotonic_increasing


def test_estimate_charges_each_kind_for_the_same_time():
    """The reading of the prompt's keys and values in decode steps is the input's, by its part of the mean context."""
    case = CASE | {"load": "closed_loop", "usd_per_gpu_hour": 3.0, "utilisation": 0.4}
    table = cost_allocation.shares(CASE, usd_per_gpu_hour=3.0, utilisation=0.4)[0].set_index("kind")["usd_per_mtok"]
    row = estimate(case).iloc[0]
    assert [row[f"usd_per_mtok_{kind}"] for kind in ("in", "cached", "out")] == pytest.approx(list(table), rel=1e-12)
    bare, parts = case | {"cached_prefix": 0.0}, operating_point.decode_steps(pd.DataFrame([case | {"cached_prefix": 0.0}]))
    step_ms, cache_ms = parts[0][0], parts[1]["kv cache"][0]
    decode_s = 300 * step_ms / 1e3 / 24  # of one of 24 requests that are decoded together
    output_s = decode_s * (1 - cache_ms / step_ms * 6000 / (6000 + 300 / 2))
    assert estimate(bare).iloc[0]["usd_per_mtok_out"] == pytest.approx(4 * 3.0 / 3600 / 0.4 * output_s / 300 * 1e6, rel=1e-3)


def test_where_memory_limits_the_batch_a_cached_prefix_still_costs_its_attention():
    case = CASE | {"n_gpus": 1, "weights": "int4", "concurrency": 5000, "isl": 20000, "osl": 1}
    one, long = (cost_allocation.busy(pd.DataFrame([case | {"osl": osl}])).iloc[0] for osl in (1, 300))
    assert 0 < one["cached_s"] / one["request_s"] < 0.6 and long["cached_s"] > one["cached_s"]


def test_gpus_that_only_prefill_are_paid_by_the_input():
    case = CASE | {"n_gpus": 8, "tp": 4, "prefill_gpus": 4, "cached_prefix": 0.0}
    time = cost_allocation.busy(pd.DataFrame([case])).iloc[0]
    assert time["input_s"] > 0.5 * time["request_s"], "half of the GPUs, and of the others the reading of the prompt's cache"
    assert time["input_s"] + time["output_s"] == pytest.approx(time["request_s"])

"""What a replica serves within latency limits: the largest concurrency, by looking at its neighbours."""

import numpy as np
import pandas as pd
import pytest

from tokenecon import estimate
from tokenecon.errors import NoEstimate, TooSlow
from tokenecon.serving import lookups, operands, sizing

CASE = {"model": "llama-3.3-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "weights": "fp8", "kv": "fp8", "isl": 1155, "osl": 211}


def at(concurrency):
    return estimate(CASE | {"load": "closed_loop", "usd_per_gpu_hour": 1.0, "concurrency": concurrency}).iloc[0]


@pytest.mark.parametrize("limits", [{"tpot_ms": 30}, {"ttft_ms": 700}, {"ttft_ms": 500, "tpot_ms": 40}])
def test_one_more_request_would_break_a_limit(limits):
    row = sizing.one(CASE, **limits)
    assert all(row[name] <= limit for name, limit in limits.items())
    more = at(row["concurrency"] + 1)
    assert any(more[name] > limit for name, limit in limits.items())


def test_without_limits_the_memory_decides():
    row = sizing.one(CASE)
    assert row["concurrency"] == at(1)["max_concurrency"]


def test_the_numbers_of_a_replica_hang_together():
    row = sizing.one(CASE, tpot_ms=30)
    assert row["requests_per_s"] * 211 == pytest.approx(row["output_tok_s"])
    assert row["service_s"] * row["requests_per_s"] == pytest.approx(row["concurrency"])
    assert row["requests_per_s_low"] < row["requests_per_s"] < row["requests_per_s_high"]
    assert 0 < row["output_share"] < 1


def test_looser_limits_never_serve_less():
    cases = pd.DataFrame([CASE | {"weights": weights} for weights in ("bf16", "fp8")])
    served = [sizing.capacity(cases, tpot_ms=limit)["requests_per_s"].fillna(0).to_numpy() for limit in (15, 25, 40, 80)]
    assert (np.diff(served, axis=0) >= 0).all()


def test_choices_take_the_size_with_most_for_each_gpu_and_keep_the_reason_where_none_serves():
    rows = sizing.choices("llama-3.3-70b", ["h100-sxm-80gb", "l4"], weights="bf16", kv="bf16", isl=1155, osl=211, ttft_ms=900,
                          tpot_ms=25)
    first, second = (rows.iloc[place] for place in (0, 1))
    for size in operands.SIZES:
        sized = pd.DataFrame([CASE | {"n_gpus": size, "weights": "bf16", "kv": "bf16"}])
        other = sizing.capacity(sized, ttft_ms=900, tpot_ms=25)
        rate = other["requests_per_s"].iloc[0]
        assert not rate / size > first["requests_per_s"] / first["n_gpus"]
    assert np.isnan(second["concurrency"]) and "one request alone has a TPOT of" in second["reason"]


def test_sizes_are_those_of_a_server_or_those_that_are_asked_for():
    asked = {"weights": "fp8", "kv": "fp8", "isl": 1155, "osl": 211}
    assert [lookups.server_gpus(gpu) for gpu in ("h100-sxm-80gb", "h100-nvl-94gb", "gb200", "xeon-6980p")] == [8, 8, 72, 1]
    (four,) = sizing.choices("llama-3.3-70b", ["xeon-6980p"], sizes=(4,), **asked)["n_gpus"]
    assert four == 4, "what is asked for is tried, whatever the server holds"
    best = sizing.choices("qwen3-30b-a3b", ["h100-sxm-80gb"], tpot_ms=30, **asked).iloc[0]
    same = sizing.choices("qwen3-30b-a3b", ["h100-sxm-80gb"], tpot_ms=30, sizes=(int(best["n_gpus"]),), **asked).iloc[0]
    assert same["requests_per_s"] == best["requests_per_s"] and same["attention_dp"] == best["attention_dp"]


def test_what_nobody_serves_is_refused_with_the_limit_it_misses():
    with pytest.raises(TooSlow, match=r"TTFT of .* the limit is 10 ms; raise ttft_ms"):
        sizing.one(CASE, ttft_ms=10)
    with pytest.raises(NoEstimate, match="does not fit"):
        sizing.one(CASE | {"n_gpus": 1, "weights": "bf16"})


def test_a_curve_has_the_points_of_estimate():
    table = sizing.curve(CASE, [1, 16, 64])
    assert table.loc[1, "tpot_ms"] == pytest.approx(at(16)["tpot_ms"])
    assert table["requests_per_s"].is_monotonic_increasing


def test_a_length_beyond_the_model_is_refused_and_names_the_limit():
    with pytest.raises(NoEstimate, match=r"200211 positions, but llama-3\.3-70b has 131072"):
        sizing.one(CASE | {"isl": 200_000})

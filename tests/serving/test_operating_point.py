"""Operating points by the calibrated model: the same as `tokenecon.estimate`, in the columns of the textbook."""

import numpy as np
import pandas as pd
import pytest

import tokenecon
from tokenecon.errors import DoesNotFit, NoEstimate
from tokenecon.serving import operating_point, textbook

CASE = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 2, "weights": "fp8", "kv": "fp8", "isl": 1500,
        "osl": 300, "concurrency": 24, "usd_per_gpu_hour": 3.1, "utilisation": 0.55}
SAME = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 2, "weights": "fp8", "kv": "fp8", "isl": 1500, "osl": 300,
        "concurrency": 24, "usd_per_gpu_hour": 3.1, "utilisation": 0.55, "load": "closed_loop"}
RANGED = ("tpot_ms", "ttft_ms", "output_tok_s", "output_tok_s_per_gpu", "usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok")


def test_the_numbers_are_those_of_estimate():
    row, own = operating_point.point(**CASE), tokenecon.estimate(SAME).iloc[0]
    for end in ("", "_low", "_high"):
        for mine, theirs in (("tpot_ms", "tpot_ms"), ("ttft_ms", "ttft_ms"), ("output_tok_s", "output_tok_s"),
                             ("usd_per_mtok_in", "usd_per_mtok_in"), ("usd_per_mtok_out", "usd_per_mtok_out"),
                             ("usd_per_mtok", "usd_per_mtok")):
            assert row[mine + end] == pytest.approx(own[theirs + end])
    assert row["output_tok_s_per_gpu"] == pytest.approx(own["output_tok_s"] / 2)
    assert row["max_concurrency"] == own["max_concurrency"] and row["calibrated"] == own["calibrated"]


def test_it_has_the_columns_that_tables_and_figures_of_the_textbook_read():
    row, other = operating_point.point(**CASE), textbook.point(**CASE)
    shared = {"model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "concurrency", "utilisation", "max_concurrency",
              "fits", "bound"}
    shared |= {name + end for name in (*RANGED, "usd_per_gpu_hour") for end in ("", "_low", "_high")}
    assert shared <= set(row) and shared <= set(other)


def test_intervals_hold_the_expected_value_and_a_price_range_widens_those_of_cost_alone():
    narrow, wide = (operating_point.point(**(CASE | {"usd_per_gpu_hour": usd})) for usd in (3.1, (1.55, 3.1, 9.3)))
    for name in RANGED:
        assert narrow[f"{name}_low"] < narrow[name] < narrow[f"{name}_high"]
        assert wide[name] == pytest.approx(narrow[name])
    for name in ("usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok"):
        # half the price at the low end, three times the price at the high one
        assert wide[f"{name}_low"] == pytest.approx(narrow[f"{name}_low"] / 2)
        assert wide[f"{name}_high"] == pytest.approx(narrow[f"{name}_high"] * 3)
    assert wide["tpot_ms_high"] == pytest.approx(narrow["tpot_ms_high"])


def test_cost_scales_with_price_and_idle_hours():
    base = operating_point.point(**CASE)
    assert operating_point.point(**(CASE | {"usd_per_gpu_hour": 6.2}))["usd_per_mtok"] == pytest.approx(2 * base["usd_per_mtok"])
    assert operating_point.point(**(CASE | {"utilisation": 0.275}))["usd_per_mtok"] == pytest.approx(2 * base["usd_per_mtok"])
    # input and output together pay for all tokens: 1500 of one kind and 300 of the other
    mixed = (1500 * base["usd_per_mtok_in"] + 300 * base["usd_per_mtok_out"]) / 1800
    assert base["usd_per_mtok"] == pytest.approx(mixed)


def test_rows_without_an_estimate_say_why_and_the_others_are_computed():
    cases = pd.DataFrame([CASE, CASE | {"weights": "int3"}, CASE | {"model": "llama-3.1-405b"}])
    table = operating_point.points(cases)
    assert table["reason"].iloc[0] == "" and table["usd_per_mtok_out"].iloc[0] > 0
    assert "weights 'int3' is not known" in table["reason"].iloc[1] and np.isnan(table["usd_per_mtok_out"].iloc[1])
    assert operating_point.NO_ROOM in table["reason"].iloc[2] and not table["fits"].iloc[2]
    with pytest.raises(DoesNotFit, match=r"llama-3\.1-405b with fp8 weights on 2 x h100-sxm-80gb"):
        operating_point.point(**(CASE | {"model": "llama-3.1-405b"}))
    with pytest.raises(NoEstimate, match="int3"):
        operating_point.by_both_models(cases.iloc[:2])


def test_no_batch_means_as_many_as_fit():
    full = operating_point.point(**(CASE | {"concurrency": np.nan}))
    assert full["concurrency"] == full["concurrency_used"] <= full["max_concurrency"] and full["fits"]
    over = operating_point.point(**(CASE | {"concurrency": full["max_concurrency"] + 1}))
    assert not over["fits"]


def test_the_largest_batch_is_at_the_limit():
    cases = pd.DataFrame([CASE, CASE | {"n_gpus": 1}, CASE | {"gpu": "l4", "n_gpus": 1}])
    found = operating_point.largest(cases, 20.0)
    for place, batch in enumerate(found):
        at, beyond = (operating_point.point(**(cases.iloc[place].to_dict() | {"concurrency": one}))
                      for one in (max(batch, 1.0), batch + 1))
        assert batch == 0 or at["tpot_ms"] <= 20.0
        assert beyond["tpot_ms"] > 20.0 or not beyond["fits"]


@pytest.mark.parametrize("n_gpus", [1, 2])
def test_parts_of_a_token_add_up_to_it(n_gpus):
    case = CASE | {"n_gpus": n_gpus}
    parts = operating_point.step_parts(**case)
    whole = parts.pop("all")
    assert whole == pytest.approx(operating_point.point(**case)["tpot_ms"])
    assert (parts["links"] > 0) == (n_gpus > 1)
    ends = parts.pop("all_low"), parts.pop("all_high")
    assert ends[0] < whole < ends[1]
    assert sum(parts.values()) == pytest.approx(whole)


def test_formats_that_are_alike_are_one():
    blocks = operating_point.point(**(CASE | {"weights": "fp8-block"}))
    assert blocks["tpot_ms"] == pytest.approx(operating_point.point(**CASE)["tpot_ms"])


def test_the_note_says_where_nothing_was_measured():
    table = operating_point.points(pd.DataFrame([CASE]))
    assert operating_point.note(table.assign(calibrated=True)) == operating_point.NOTE
    assert operating_point.UNMEASURED in operating_point.note(table.assign(calibrated=False))

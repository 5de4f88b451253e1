"""The measurements as the fit takes them: what is set aside, what is the same twice, and how much a row weighs."""

import numpy as np
import pandas as pd
import pytest

from tokenecon import data
from tokenecon.serving.calibration import calibrate, fit, held_out, measured

FAMILIES = {"tensorrt-llm-pages", "inferencex", "mlperf", "qserve", "lmdeploy", "rocm", "inferencemax", "splitwise", "gaudi",
            "argonne"}


def rows_of(engine, model, **others):
    rows = data.table("measurements")
    own = (rows["engine"] == engine) & (rows["model"] == model)
    for column, wanted in others.items():
        own &= rows[column] == wanted
    return rows[own]


@pytest.mark.parametrize(("count", "word", "engine", "model", "others"), [
    (102, "early kernels", "vllm 0.12.0", "qwen3-235b-a22b", {}),
    (42, "speculative", "sglang 0.5.9", "qwen3.5-397b-a17b", {"gpu": "b200-sxm-180gb", "parallelism": "tp4"}),
    (35, "prefix cache", "vllm 0.12.0", "llama-3.1-8b", {}),
])
def test_rows_that_ran_with_something_else_are_set_aside(count, word, engine, model, others):
    rows = rows_of(engine, model, **others)
    assert len(rows) == count and rows["flag"].str.contains(word).all()


def test_speculation_shows_where_clients_are_few():
    """Drafting pays while the GPUs wait for the memory, and not when they compute: the mark of the rows set aside for it.

    DeepSeek-R1 in FP8 on eight B200 with SGLang 0.5.9, 1,024 and 1,024 tokens nominal: 6.7 against 8.8 ms at 4 clients, a factor
    of 1.31, and 20.4 against 22.5 ms at 64, one of 1.10.
    """
    rows = rows_of("sglang 0.5.9", "deepseek-r1", gpu="b200-sxm-180gb", weights="fp8", parallelism="tp8", metric="tpot_ms")
    rows = rows[(rows["isl"] == 921.6) & (rows["osl"] == 921.6)]
    drafted = rows["flag"].str.contains("speculative")
    gain = {clients: own.loc[~drafted, "value"].mean() / own.loc[drafted, "value"].mean()
            for clients, own in rows.groupby("concurrency") if drafted[own.index].nunique() == 2}
    assert gain[4.0] == pytest.approx(1.31, abs=0.02) and gain[64.0] == pytest.approx(1.10, abs=0.02)


def test_no_row_with_a_flag_enters_the_fit(monkeypatch):
    aside = set(data.table("measurements").query("flag != ''")["id"])
    assert len(aside) > 500
    assert not aside & set(measured.table()["id"])
    assert aside & set(measured.table(flagged=True)["id"])
    fitted = []

    class Enough(Exception):
        pass

    def stop(rows, case, **options):
        fitted.extend(rows["id"])
        raise Enough

    for module in (calibrate, held_out):
        monkeypatch.setattr(module, "fit", stop)
    for call in (calibrate.calibrated, held_out.predictions):
        with pytest.raises(Enough):
            call()
    assert len(fitted) > 10_000 and not aside & set(fitted)


def test_a_source_of_measurements_has_a_family_and_no_other_has_one():
    sources = data.table("sources").set_index("id")
    used = set(data.table("measurements")["source"])
    with_family = set(sources.index[sources["family"] != ""])
    assert used == with_family == set(sources.index[sources["tuning"] != ""])
    assert set(sources["family"]) == FAMILIES | {""}


def test_a_run_that_two_sources_hold_stands_once():
    rows = measured.table(flagged=True)
    rows = rows[rows["family"] == "inferencex"]
    key = [*measured.RUN, "metric"]
    twice = rows.groupby(key, dropna=False)["value"].apply(
        lambda found: (np.diff(np.sort(np.log(found))) < 0.002).any() if len(found) > 1 else False)
    assert not twice.any(), twice[twice]


def test_an_assumed_prompt_lies_in_its_range():
    rows = data.table("measurements")
    assumed = rows[rows["isl_low"].notna()]
    assert len(assumed) > 40 and rows["isl_high"].notna().equals(rows["isl_low"].notna())
    assert (assumed["isl_low"] < assumed["isl"]).all() and (assumed["isl"] < assumed["isl_high"]).all()
    assert set(assumed["source"]) == {"mlperf-v4.1", "mlperf-v6.0"} and set(assumed["model"]) == {"llama-2-70b"}


def test_near_copies_weigh_as_one_and_an_assumed_prompt_half():
    """Campaign a: three near-copies and one other row, two cases. Campaign b: 120 cases, one of which has an assumed prompt.

    A row of a weighs 1/3 or 1 over 60, the least that a campaign counts by; one of b 1 or 1/2 over 120.
    """
    a = pd.DataFrame({"campaign": "a", "share": [1 / 3, 1 / 3, 1 / 3, 1.0], "isl_low": np.nan, "metric": "tpot_ms"})
    b = pd.DataFrame({"campaign": "b", "share": 1.0, "isl_low": [150.0] + [np.nan] * 119, "metric": "output_tok_s"})
    a["workload"] = b["workload"] = "closed_loop"
    weight = fit.weights(pd.concat([a, b], ignore_index=True)) ** 2
    assert weight.sum() == pytest.approx(1)
    wanted = np.array([1 / 180] * 3 + [1 / 60] + [1 / 240] + [1 / 120] * 119)
    assert weight == pytest.approx(wanted / wanted.sum())


def test_a_first_token_in_a_closed_loop_counts_a_ninth():
    """It misses by three times as much as other figures, so its variance is nine times theirs."""
    rows = pd.DataFrame({"campaign": "a", "share": 1.0, "isl_low": np.nan, "workload": "closed_loop",
                         "metric": ["tpot_ms", "ttft_ms"]})
    weight = fit.weights(rows) ** 2
    assert weight[0] / weight[1] == pytest.approx(9)


def test_what_near_copies_are():
    """Two submitters with 8 and 4 H100, answers of 290.9 and 290.1 tokens: one configuration; another layout is another."""
    rows = measured.table()
    rows = rows[(rows["source"] == "mlperf-v4.1") & (rows["gpu"] == "h100-sxm-80gb")]
    assert len(rows) > 10 and set(rows["n_gpus"]) >= {4, 8, 16, 32} and rows["configuration"].nunique() == 1
    assert rows["share"].sum() == pytest.approx(1)
    other = measured.configurations(pd.concat([rows, rows.assign(parallelism="tp4")], ignore_index=True))
    assert other.nunique() == 2

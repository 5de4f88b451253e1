"""Speed by bits: against arithmetic written here, and the published points."""

import re
from types import SimpleNamespace

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import DoesNotFit
from tokenecon.serving import textbook
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.software import quantisation

WHERE = {"model": "llama-2-7b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "kv": "fp16"}
DEFAULTS = notebooks.defaults("software")
# The documents' model on four H100, whose arithmetic stands below.
OLDER = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "usd_per_gpu_hour": 2.695,
         "utilisation": 0.6, "costed": {}}  # fmt: skip


def case(**change):
    return SimpleNamespace(**(DEFAULTS | OLDER | change))


def test_four_bits_for_one_request():
    ratio = quantisation.step_speedup(weights="int4", positions=1000, batch=1, efficiencies=textbook.ideal(), **WHERE)
    # Embedding and head (2 * 32,000 * 4096) and 65 norms of 4096 stay at 2 B; the matrices take 4 + 20/128 bits.
    kept = 2 * 32_000 * 4096 + 65 * 4096
    narrow = (6_738_415_616 - kept) * (4 + 20 / 128) / 8 + 2 * kept
    cache = 1000 * 524_288
    assert ratio == pytest.approx([(2 * 6_738_415_616 + cache) / (narrow + cache)] * 3)


def test_where_arithmetic_binds_only_native_arithmetic_gains():
    busy = {"positions": 1, "batch": 5000, "efficiencies": textbook.ideal()}
    assert quantisation.step_speedup(weights="int4", **busy, **WHERE) == pytest.approx([1, 1, 1])
    assert quantisation.step_speedup(weights="fp8", **busy, **WHERE) == pytest.approx([2, 2, 2])  # 1979 over 989.5 TFLOP/s


def test_formats_follow_the_gpu():
    assert quantisation.formats("h100-sxm-80gb") == ["fp8", "int4"]  # INT8 would draw the same line
    assert quantisation.formats("a100-sxm-80gb") == ["int8", "int4"]
    assert "nvfp4" in quantisation.formats("b200-sxm-180gb")
    assert quantisation.label("int4", "h100-sxm-80gb") == "INT4, weights only"
    assert quantisation.label("fp8", "h100-sxm-80gb") == "FP8, arithmetic too"


def test_gain_of_four_bits_shrinks_with_the_batch():
    found = quantisation.batch_curve(case())
    table = found.table
    theirs, four = (table[(table["weights"] == "int4") & (table["by"] == by)]["speedup"] for by in ("textbook", "calibrated"))
    assert theirs.is_monotonic_decreasing and theirs.iloc[0] > 2.5 and theirs.iloc[-1] == pytest.approx(1, abs=0.01)
    assert four.iloc[0] > 1.5 and four.iloc[-1] < 1  # unpacking takes time where arithmetic binds
    first, wide = four.iloc[0], found["wide_ceiling"]
    assert f"make decoding alone {first:.1f} times as fast for one request" in found.sentence
    assert f"the {wide} requests that" in found.note
    # 4 of 32, 16 and 8 bits; of 87.5% the half goes to the even digit
    assert found["baselines"] == "88% against FP32, 75% against FP16 and 50% against INT8"


def test_the_curve_cites_the_documents_the_model_and_the_points_drawn():
    found = quantisation.batch_curve(case())
    points = {data.row("optimisations", name)["source"] for name in quantisation.POINTS}
    assert {"doc-uk", data.model("llama-2-70b")["source"], *points} <= set(found.sources)
    assert len(found["points"]) == len(quantisation.POINTS)


def test_compared_under_the_conditions_of_the_measurement():
    facts = data.table("optimisations").set_index("id")
    found = quantisation.compared()
    table = found.table.set_index("id")
    for name, where in quantisation.COMPARED.items():
        conditions = facts.loc[name, "conditions"]
        for field, word in (("isl", "ISL"), ("osl", "OSL"), ("concurrency", "batch")):
            assert re.search(rf"{word} (\d+)", conditions).group(1) == str(where[field]), (name, field)
        assert "H100" in conditions and "one GPU" in conditions
        assert facts.loc[name, "source"] in found.sources
    row = table.loc["quantisation.trtllm.fp8-llama2-7b-batch8"]
    assert row["published"] == 1.40 and row["excess"] == pytest.approx(row["calibrated"] / 1.40)
    same = {"model": "llama-2-7b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1024, "osl": 128, "concurrency": 8,
            "load": "static", "kv": "fp16"}
    wide, narrow = (tokenecon.estimate(same | {"weights": fmt})["output_tok_s"][0] for fmt in ("fp16", "fp8"))
    assert row["calibrated"] == pytest.approx(narrow / wide)


def test_request_seconds_of_one_batch():
    # batch times the prefill of one prompt, then 128 steps at the mean context
    where = {"model": "llama-2-7b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "weights": "fp16"}
    prefill = textbook.prefill(isl=1024, efficiencies=textbook.assumed(), **where)[1]
    step = textbook.decode_step(kv="fp16", batch=8, positions=1088, efficiencies=textbook.assumed(), **where)["step_s"][1]
    found = quantisation.request_seconds(concurrency=8, isl=1024, osl=128, efficiencies=textbook.assumed(), **where)
    assert found == pytest.approx(8 * prefill + 128 * step)


def test_points_stand_at_the_batch_their_conditions_name():
    facts = data.table("optimisations").set_index("id")
    for name, (batch, _label) in quantisation.POINTS.items():
        named = "one stream" if batch == 1 and "stream" in facts.loc[name, "conditions"] else f"batch {batch}"
        assert named in facts.loc[name, "conditions"], name


def test_accuracy_is_read_from_the_table():
    # 0.0087, 0.0275, 0.0101 of MMLU; 99.5% kept
    found = quantisation.accuracy()
    assert found.sentence.endswith("lose FP8 0.9%, INT8 2.8% and INT4 1.0%; the documents allow 0.5%.")
    assert found.table["lost"].tolist() == [0.0087, 0.0275, 0.0101]
    assert found.sources[0] == data.row("optimisations", "quantisation.trtllm.mmlu-fp8-llama2-70b")["source"]


def test_refuses_what_does_not_fit():
    with pytest.raises(DoesNotFit, match="'n_gpus' is 1"):
        quantisation.batch_curve(case(n_gpus=1))

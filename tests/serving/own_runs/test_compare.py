"""Predicted against measured: the ratio, the interval, the summary, and what is not compared."""

import re

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.serving.own_runs import compare
from tokenecon.serving.own_runs import rows as own_rows

CASE = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "weights": "fp8", "kv": "fp8", "isl": 1000, "osl": 200}
ROW = dict.fromkeys((field["name"] for field in data.schema("measurements")), "") | CASE | {
    "engine": "vllm 0.11.0", "parallelism": "tp1", "basis": "measured", "as_of": "2026-11-22", "source": "your-file-a.json",
    "locator": "line 1"}


@pytest.fixture
def written(tmp_path):
    def write(*rows):
        path = tmp_path / "mine.csv"
        lines = [",".join(str((ROW | {"id": f"r{place}"} | row)[name]) for name in ROW) for place, row in enumerate(rows)]
        path.write_text("\n".join([",".join(ROW), *lines]) + "\n", encoding="utf-8")
        return path

    return write


def of(metric, value, load="closed_loop", unit="ms", **more):
    return {"metric": metric, "value": value, "unit": unit, "workload": load} | more


def test_closed_loops_have_the_numbers_of_estimate(written):
    said = tokenecon.estimate(CASE | {"concurrency": 16, "engine": "vllm"}).iloc[0]
    rows = compare.compared(written(of("tpot_ms", 1.1 * said["tpot_ms"], concurrency=16), of("ttft_ms", 9e5, concurrency=16)))
    assert rows["ratio"][0] == pytest.approx(1.1, rel=1e-4) and list(rows["inside"]) == [True, False]
    for end in ("low", "high"):
        assert rows[end][0] == pytest.approx(said[f"tpot_ms_{end}"], rel=1e-6)
    found = compare.summary(rows).iloc[-1]
    assert (found["gpu"], found["rows"], found["inside"]) == ("all", 2, 0.5)


def test_arrivals_have_those_of_poisson_at_the_rate_of_their_run(written):
    said = tokenecon.estimate(CASE | {"load": "poisson", "requests_per_s": 4, "engine": "vllm"}).iloc[0]
    load = {"load": "open_loop_qps"}
    rows = compare.compared(written(of("request_s", 4, unit="request/s", **load), of("tpot_ms", 7.0, **load),
                                    of("tpot_ms", 7.0, locator="line 2", **load)))
    assert rows["predicted"][1] == pytest.approx(said["tpot_ms"]) and rows["aside"][0].startswith("a rate that was sent")
    assert "no row of the run says their rate" in rows["aside"][2]


def test_what_is_set_aside_is_told(written, command, tmp_path):
    big = {"model": "llama-3.3-70b", "weights": "bf16", "kv": "bf16"}
    path = written(of("tpot_ms", 7, concurrency=4), of("tpot_ms", 7, concurrency=4, flag="speculative decoding"),
                   of("tpot_ms", 7, concurrency=4, **big), of("tpot_ms", 7, isl="", concurrency=4))
    code, out, err = command("check", "--measurements", path, "--csv", tmp_path / "out.csv")
    assert code == 0 and out.splitlines()[-1].split("\t")[3] == "1"
    assert "1 row not compared: set aside: speculative decoding" in err and "does not fit into memory" in err
    assert "the lengths are not stated" in err and len((tmp_path / "out.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize(("row", "words"), [
    ({"model": "lama"}, "line 2 (r0): model is 'lama', but must be an id of `tokenecon list models`"),
    ({"gpu": "h100"}, "did you mean"), ({"weights": "fp7"}, "weights is 'fp7', but must be one of fp16"),
    ({"kv": "x"}, "kv is 'x'"), ({"engine": "mlx 1.0"}, "engine is 'mlx 1.0', but must be one of tensorrt-llm"),
    ({"unit": "tok/s"}, "unit is 'tok/s', but must be ms, since metric is tpot_ms"),
    ({"value": 0}, "value is '0', but must be above 0"),
    ({"value": "7,5"}, "fields"), ({"parallelism": "tp3"}, "tp times pp divides n_gpus 1"),
    ({"parallelism": "x"}, "a layout like tp4"),
    ({"parallelism": "tp1-ep2"}, "adp and ep divide tp"), ({"osl": 0.5}, "osl is '0.5', but must be a number from 1"),
    ({"concurrency": 0}, "concurrency is '0', but must be above 0"), ({"workload": "busy"}, "must be one of offline_max"),
    ({"as_of": "yesterday"}, "a date like"), ({"n_gpus": 1.5}, "a whole number"),
])
def test_a_wrong_row_is_named(written, row, words):
    with pytest.raises(BadInput, match=re.escape(words)):
        own_rows.read(written(of("tpot_ms", 7, concurrency=4) | row))


def test_ids_are_unique_and_a_table_has_rows(written):
    with pytest.raises(BadInput, match="another in each row; line 2 has it, too"):
        own_rows.read(written(of("tpot_ms", 7, id="a"), of("ttft_ms", 7, id="a")))
    with pytest.raises(BadInput, match="a header and no row"):
        own_rows.read(written())

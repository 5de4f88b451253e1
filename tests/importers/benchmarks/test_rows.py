"""Result files of every tool become the rows that a hand works out, and a file that contradicts its options is refused."""

import json
import re

import pytest
from importers.benchmarks.samples import ALL, GUIDELLM, INFERENCE_PERF, INFERENCEX, LLMPERF, SGLANG, TOTALS, VLLM

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.importers.benchmarks import result_files, rows

ASKED = {"gpu": "h200-sxm-141gb", "n_gpus": 2, "model": "llama-3.3-70b"}


@pytest.fixture
def written(tmp_path):
    def write(tree, name="run.json", lines=False):
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(one) for one in tree) if lines else json.dumps(tree), encoding="utf-8")
        return path

    return write


def by_metric(table):
    return {row["metric"]: float(row["value"]) for row in table}


@pytest.mark.parametrize(("name", "tool", "load"), [
    ("vllm", "vLLM bench serve", "closed_loop"), ("vllm-old", "vLLM bench serve", "open_loop_qps"),
    ("sglang", "SGLang bench_serving", "closed_loop"), ("aiperf", "aiperf", "closed_loop"),
    ("aiperf-old", "aiperf", "closed_loop"),
    ("genai-perf", "genai-perf", "closed_loop"), ("guidellm-old", "guidellm", "open_loop_qps"),
    ("inferencex", "InferenceX", "closed_loop"), ("inference-perf", "inference-perf", "open_loop_qps"),
    ("llmperf", "llmperf", "closed_loop")])  # fmt: skip
def test_every_tool_gives_the_rows_of_the_same_run(written, name, tool, load):
    """200 requests of 1,000 and 250 tokens in 50 s: 250 * 200 / 50 = 1,000 tok_out/s, 400 ms, 30 ms; see samples.py."""
    table, tools = rows.rows([written(ALL[name])], **ASKED)
    first, drawn = table[0], 0.9 if name == "inferencex" else 1.0  # whose lengths are nominal
    assert tools == [tool] and list(first) == [field["name"] for field in data.schema("measurements")]
    wanted = {"output_tok_s": 1000, "ttft_ms": 400, "tpot_ms": 30} | ({"request_s": 4} if load == "open_loop_qps" else {})
    assert by_metric(table) == pytest.approx(wanted)
    assert (float(first["isl"]), float(first["osl"])) == pytest.approx((1000 * drawn, 250 * drawn))
    assert (first["workload"], first["concurrency"]) == (load, "" if load == "open_loop_qps" else "32")
    same = ("llama-3.3-70b", "h200-sxm-141gb", "2", "tp2")
    assert tuple(first[name] for name in ("model", "gpu", "n_gpus", "parallelism")) == same
    assert first["basis"] == "measured" and first["source"] == "your-file-run.json" and first["flag"] == ""


def test_what_a_server_says_of_itself_is_kept(written):
    first = rows.rows([written(SGLANG)], **ASKED)[0][0]
    assert (first["engine"], first["weights"], first["kv"]) == ("sglang 0.5.9", "fp8", "fp8")
    split = rows.rows([written(SGLANG | {"server_info": SGLANG["server_info"] | {
        "tp_size": 8, "dp_size": 8, "ep_size": 8, "enable_dp_attention": True}})], **ASKED | {"n_gpus": 8})[0][0]
    assert split["parallelism"] == "tp8-adp8-ep8"  # ranks of attention lie in those of the layers: 8 GPUs, not 64
    assert rows.rows([written(INFERENCEX)], **ASKED)[0][0]["engine"] == "vllm 0.11.0"
    unsaid = rows.rows([written(VLLM)], **ASKED)[0][0]
    assert (unsaid["engine"], unsaid["weights"], unsaid["kv"], unsaid["as_of"]) == ("any 2026-11", "bf16", "?", "2026-11-22")
    assert "weights not stated" in unsaid["note"]
    named = rows.rows([written(VLLM | {"model_id": "RedHatAI/Llama-3.3-70B-Instruct-FP8"})], **ASKED)[0][0]
    assert named["weights"] == "fp8" and "by the name" in named["note"]


def test_lines_reports_and_queues(written):
    slower = VLLM | {"duration": 100.0, "output_throughput": 500.0, "max_concurrency": 8}
    table, _ = rows.rows([written([VLLM, slower], "sweep.jsonl", lines=True)], **ASKED)
    assert [(row["concurrency"], row["locator"]) for row in table if row["metric"] == "output_tok_s"] == [
        ("32", "vLLM bench serve, line 1"), ("8", "vLLM bench serve, line 2")]
    table, _ = rows.rows([written(GUIDELLM)], **ASKED)
    queue = [row for row in table if row["locator"] == "guidellm, benchmark 2"]
    assert [(row["workload"], row["metric"], row["requests"]) for row in queue] == [("offline_max", "output_tok_s", "200")]
    at_once = rows.rows([written(VLLM | {"max_concurrency": None})], **ASKED)[0]
    assert [(row["workload"], row["metric"], row["concurrency"]) for row in at_once] == [("offline_max", "output_tok_s", "")]


def test_runs_with_something_else_are_set_aside(written):
    for tree in (SGLANG | {"accept_length": 2.4}, [INFERENCEX[0] | {"spec_decoding": "mtp"}],
                 VLLM | {"spec_decode_acceptance_rate": 61.0}):
        assert {row["flag"] for row in rows.rows([written(tree)], **ASKED)[0]} == {"speculative decoding"}
    apart = INFERENCEX[0] | {"disagg": True, "num_prefill_gpu": 1, "num_decode_gpu": 1}
    assert {row["flag"] for row in rows.rows([written([apart])], **ASKED)[0]} == {"prefill apart"}


@pytest.mark.parametrize(("tree", "said", "words"), [
    (INFERENCEX, {"gpu": "h100-sxm-80gb"}, "on 'h200-trt', but --gpu is h100-sxm-80gb"),
    (VLLM | {"gpu": "NVIDIA H100 80GB HBM3"}, {}, "on 'NVIDIA H100 80GB HBM3', but --gpu is h200-sxm-141gb"),
    (SGLANG, {"n_gpus": 4}, "on 2 GPUs, but --n-gpus is 4"),
    ([INFERENCEX[0] | {"tp": 1}], {}, "on 1 GPU, but --n-gpus is 2"),
    (VLLM, {"model": "llama-3.1-8b"}, "which is llama-3.3-70b, but --model is llama-3.1-8b"),
    (VLLM | {"model_id": "my-assistant"}, {"model": None}, "'my-assistant', which is not in the catalogue; give --model"),
    (INFERENCE_PERF, {"model": None}, "a model that the file does not name; give --model"),
    (SGLANG, {"weights": "bf16"}, "with weights fp8, but --weights is bf16"),
    (SGLANG, {"engine": "vllm 0.11.0"}, "on sglang, but --engine is vllm"),
    (VLLM, {"isl": 500.0}, "prompts have 1000 tokens, but --isl is 500"),
    (VLLM | {"completed": 0}, {}, "completed is 0"),
    (VLLM | {"date": "20990508-120000"}, {}, "date is '20990508-120000', which is after today"),
    (VLLM | {"duration": -1}, {}, "duration is -1, but must be a number above 0"),
    (VLLM | {"duration": 25.0}, {}, "output_throughput is 1000, but total_output_tokens over duration is 2000"),
    (VLLM | {"mean_ttft_ms": float("nan")}, {}, "mean_ttft_ms is nan, but must be a number of at least 0"),
    ({"load_summary": {"count": 1}, "successes": INFERENCE_PERF["successes"]}, {}, "give the file of one stage"),
    (LLMPERF | {"num_concurrent_requests": None}, {}, "neither how many clients"),
    (TOTALS | {"total_input_tokens": 0}, {}, "prompts have 0 tokens"),
    ({"mean_ttft_ms": 3}, {}, "of no known kind; give a result file of one of SGLang bench_serving, vLLM bench serve, aiperf"),
    ([], {}, "of no known kind"), (7, {}, "of no known kind"), ([VLLM, LLMPERF], {}, "of no known kind"),
])  # fmt: skip
def test_a_file_that_contradicts_its_options_is_refused(written, tree, said, words):
    if words == "prompts have 0 tokens":
        tree = tree | {"max_concurrency": 32, "model_id": VLLM["model_id"]}
    with pytest.raises(BadInput, match=re.escape(words)):
        rows.rows([written(tree)], **ASKED | said)


def test_a_mean_prompt_that_the_server_did_not_report_is_given(written):
    table = rows.rows([written(VLLM | {"total_input_tokens": 0})], **ASKED, isl=640.0)[0]
    assert table[0]["isl"] == "640"


def test_texts_of_a_model_are_kept_nowhere(command, written, tmp_path):
    out = tmp_path / "measurements.csv"
    out.write_text("what stood there before\n", encoding="utf-8")
    code, said, _ = command("import", written(VLLM), "--gpu", "h200-sxm-141gb", "--n-gpus", "2", "-o", out)
    text = out.read_text(encoding="utf-8")
    assert code == 0 and "3 measurements of 1 run (vLLM bench serve)" in said
    assert "SECRET" not in text and "before" not in text and text.count("\n") == 4
    code, _, err = command("import", written({"a": 1}), "--gpu", "h200-sxm-141gb", "--n-gpus", "2", "-o", out)
    assert code == 2 and "of no known kind" in err and out.read_text(encoding="utf-8") == text


def test_files_are_told_apart(written, tmp_path):
    (tmp_path / "other").mkdir()
    both = [written(VLLM), written(VLLM, "other/run.json")]
    assert {row["source"] for row in rows.rows(both, **ASKED)[0]} == {"your-file-1-run.json", "your-file-2-run.json"}
    with pytest.raises(BadInput, match="given twice"):
        rows.rows([both[0], both[0]], **ASKED)


def test_what_is_no_result_file_is_refused(tmp_path):
    for name, content, words in (("a", b"", "is empty"), ("b", b"\xff\xfe", "not text in UTF-8"), ("c", b"{\n[", "line 1: it is"),
                                 ("d", b"[" * 100_000, "not JSON")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BadInput, match=words):
            result_files.read(path)
    for path in (tmp_path, tmp_path / "none", "/dev/null"):
        with pytest.raises(BadInput, match=r"cannot be read|is no file"):
            result_files.read(path)

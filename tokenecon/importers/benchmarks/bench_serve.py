"""The serving benchmarks of vLLM and SGLang: one record a run, with totals, rates and mean latencies in milliseconds.

vLLM writes one JSON file, or a line of JSON for each run; before 0.5 the rate of requests was called `request_inthroughput`.
SGLang appends lines, with the server's own settings in `server_info` since 0.4.
"""

from tokenecon.importers.benchmarks.record import run

NEEDED = ("duration", "completed", "total_input_tokens", "total_output_tokens")
TOLD = 0.05  # by which a stated rate may differ from tokens over time: rounding, and the last answers of a run
GPU = ("gpu", "gpu_type", "gpu_name", "hw", "hardware", "accelerator", "device")  # of `--metadata`, which users name freely
NUMBER = ("n_gpus", "num_gpus", "gpu_count", "gpus")
DRAFTED = ("spec_decode_acceptance_rate", "spec_decode_acceptance_length", "spec_decode_num_drafts")
SGLANG = ("sglang", "sglang-native", "sglang-oai", "sglang-oai-chat")
FORMATS = {"fp8": "fp8", "modelopt_fp4": "nvfp4", "modelopt_fp8": "fp8", "w8a8_fp8": "fp8", "w8a8_int8": "int8", "mxfp4": "mxfp4"}
CACHES = {"fp8_e4m3": "fp8", "fp8_e5m2": "fp8", "bf16": "bf16", "bfloat16": "bf16", "fp16": "fp16", "float16": "fp16"}


def is_sglang(record):
    """Whether a record is of SGLang."""
    return record.has(*NEEDED) and (record.has("total_output_tokens_retokenized") or record.has("server_info"))


def is_vllm(record):
    """Whether a record is of vLLM."""
    return record.has(*NEEDED) and not is_sglang(record) and any(
        record.has(name) for name in ("request_throughput", "request_inthroughput", "output_throughput"))


def vllm(record):
    """The run of a record of `vllm bench serve`, or of the script that it was before."""
    backend = record.text("backend", "endpoint_type")
    found = _common(record) | {
        "model": record.text("model_id", "model"), "engine": "vllm" if backend == "vllm" else None,
        "gpu": record.text(*GPU), "n_gpus": record.number(*NUMBER, needed=False)}
    return run(record, **_ranks(found, record, "tensor_parallel_size", "pipeline_parallel_size"))


def sglang(record):
    """The run of a record of SGLang's `bench_serving`."""
    server = record.part("server_info")
    found = _common(record) | {
        "model": server.text("model_path", "served_model_name") or record.text("model_id", "model"),
        "engine": "sglang" if record.text("backend") in SGLANG else None, "version": server.text("version"),
        "weights": FORMATS.get(server.text("quantization")), "kv": CACHES.get(server.text("kv_cache_dtype"))}
    if (record.number("accept_length", needed=False, above=False) or 0) > 1:
        found["flag"] = "speculative decoding"
    return run(record, **_ranks(found, server, "tp_size", "pp_size", data_parallel="dp_size", experts="ep_size"))


def _common(record):
    completed = record.number("completed", above=False)
    if completed < 1:
        record.refuse("completed is 0: no request was answered, so the run measured nothing")
    seconds = record.number("duration")
    tokens = {side: record.number(f"total_{side}_tokens", above=False) for side in ("input", "output")}
    output_tok_s = tokens["output"] / seconds
    stated = record.number("output_throughput", needed=False, above=False)
    if stated is not None and abs(stated - output_tok_s) > TOLD * output_tok_s:
        record.refuse(f"output_throughput is {stated:g}, but total_output_tokens over duration is {output_tok_s:g}; give the "
                      "file as the tool wrote it")
    rate, clients = record.rate("request_rate"), record.number("max_concurrency", needed=False)
    sent = record.number("num_prompts", needed=False) or completed
    failed = record.number("failed", needed=False, above=False) or 0
    return {
        "isl": tokens["input"] / completed, "osl": tokens["output"] / completed, "requests": sent, "request_rate": rate,
        "concurrency": None if clients is None else min(clients, sent), "offline": rate is None and clients is None,
        "requests_per_s": completed / seconds, "output_tok_s": output_tok_s, "as_of": record.day("date"),
        "ttft_ms": record.ms("mean_ttft_ms"), "tpot_ms": record.ms("mean_tpot_ms"),
        "flag": "speculative decoding" if any(record.get(name) is not None for name in DRAFTED) else "",
        "notes": [f"{failed:g} of {sent:g} requests failed"] if failed else [],
    }  # fmt: skip


def _ranks(found, server, tensor, pipeline, data_parallel=None, experts=None):
    """GPUs and layout where the file states them: ranks of data-parallel attention share those of the layers."""
    tp = server.number(tensor, needed=False, least=1.0, above=False)
    if tp is None:
        return found
    pp = server.number(pipeline, needed=False, least=1.0, above=False) or 1
    dp = (server.number(data_parallel, needed=False, least=1.0, above=False) if data_parallel else None) or 1
    ep = (server.number(experts, needed=False, least=1.0, above=False) if experts else None) or 1
    shared = dp > 1 and server.get("enable_dp_attention") is True
    parts = [("tp", tp), ("pp", pp), ("adp", dp if shared else 1), ("ep", ep)]
    return found | {"n_gpus": found.get("n_gpus") or tp * pp * (1 if shared else dp),
                    "parallelism": "-".join(f"{name}{value:.0f}" for name, value in parts if value > 1 or name == "tp")}

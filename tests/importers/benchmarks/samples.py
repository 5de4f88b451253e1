"""Small result files of each benchmark tool, by the fields that the tool documents; numbers chosen so that a hand can check."""

MODEL = "meta-llama/Llama-3.3-70B-Instruct"

# 200 answers in 50 s: prompts of 1,000 and answers of 250 tokens, 4 requests and 1,000 output tokens a second.
TOTALS = {"duration": 50.0, "completed": 200, "total_input_tokens": 200_000, "total_output_tokens": 50_000,
          "request_throughput": 4.0, "output_throughput": 1000.0, "mean_ttft_ms": 400.0, "median_ttft_ms": 380.0,
          "mean_tpot_ms": 30.0, "median_tpot_ms": 29.0, "mean_itl_ms": 31.0}  # fmt: skip
VLLM = TOTALS | {"date": "20261122-120000", "endpoint_type": "openai-chat", "backend": "openai-chat", "model_id": MODEL,
                 "tokenizer_id": MODEL, "num_prompts": 200, "request_rate": "inf", "burstiness": 1.0, "max_concurrency": 32,
                 "total_token_throughput": 5000.0, "generated_texts": ["SECRET"], "errors": [""],
                 "ttfts": [0.4], "itls": [[0.03, 0.031]]}  # fmt: skip
# The script of 2024 named the rate of requests `request_inthroughput` and knew no limit of clients.
VLLM_OLD = {"date": "20240501-080000", "backend": "vllm", "version": "N/A", "model_id": MODEL, "tokenizer_id": MODEL,
            "best_of": 1, "use_beam_search": False, "num_prompts": 200, "request_rate": 4.0, "duration": 50.0, "completed": 200,
            "total_input_tokens": 200_000, "total_output_tokens": 50_000, "request_inthroughput": 4.0,
            "input_throughput": 4000.0, "output_throughput": 1000.0, "mean_ttft_ms": 400.0, "mean_tpot_ms": 30.0}  # fmt: skip
SGLANG = TOTALS | {
    "tag": None, "backend": "sglang", "dataset_name": "random", "request_rate": float("inf"), "max_concurrency": 32,
    "random_input_len": 1000, "random_output_len": 250, "random_range_ratio": 1.0, "total_output_tokens_retokenized": 49_800,
    "input_throughput": 4000.0, "mean_e2e_latency_ms": 7870.0, "concurrency": 31.4, "accept_length": None,
    "server_info": {"model_path": MODEL, "tp_size": 2, "dp_size": 1, "quantization": "fp8", "kv_cache_dtype": "fp8_e5m2",
                    "version": "0.5.9", "enable_dp_attention": False}}  # fmt: skip


def statistic(unit, mean):
    """A statistic of aiperf and genai-perf."""
    return {"unit": unit, "avg": mean, "p50": mean, "p99": 2 * mean, "min": mean / 2, "max": 2 * mean, "std": mean / 10}


EXPORT = {
    "request_throughput": statistic("requests/sec", 4.0), "request_latency": statistic("ms", 7870.0),
    "request_count": statistic("requests", 200.0), "time_to_first_token": statistic("ms", 400.0),
    "inter_token_latency": statistic("ms", 30.0), "output_token_throughput": statistic("tokens/sec", 1000.0),
    "output_sequence_length": statistic("tokens", 250.0), "input_sequence_length": statistic("tokens", 1000.0)}
AIPERF = EXPORT | {
    "schema_version": "1.4", "aiperf_version": "0.13.0", "start_time": "2026-11-22T05:50:47.468172",
    "input_config": {"models": {"items": [{"name": MODEL}]}, "phases": [
        {"name": "warmup", "kind": "warmup", "type": "concurrency", "concurrency": 2},
        {"name": "profiling", "kind": "profiling", "type": "concurrency", "requests": 200, "concurrency": 32}]}}
AIPERF_OLD = EXPORT | {
    "aiperf_version": "0.3.0", "start_time": "2026-11-22T05:50:47",
    "input_config": {"endpoint": {"model_names": [MODEL]}, "loadgen": {"concurrency": 32, "request_rate": None}}}
GENAI_PERF = EXPORT | {"input_config": {"model_names": [MODEL], "perf_analyzer": {"stimulus": {"concurrency": 32}}}}


def of_successes(mean):
    """A statistic of guidellm."""
    return {"successful": {"mean": mean, "median": mean, "count": 200}, "errored": {"mean": 0.0}}


GUIDELLM_METRICS = {
    "request_totals": {"successful": 200, "errored": 0, "incomplete": 3, "total": 203},
    "requests_per_second": of_successes(4.0), "request_latency": of_successes(7.87), "prompt_token_count": of_successes(1000.0),
    "output_token_count": of_successes(250.0), "time_to_first_token_ms": of_successes(400.0),
    "time_per_output_token_ms": of_successes(31.5), "inter_token_latency_ms": of_successes(30.0),
    "output_tokens_per_second": of_successes(1000.0), "tokens_per_second": of_successes(5000.0)}
GUIDELLM = {"metadata": {"version": 2, "guidellm_version": "0.8.1"}, "benchmarks": [
    {"type_": "generative_benchmark", "start_time": 1795326479.5, "duration": 50.0, "metrics": GUIDELLM_METRICS,
     "config": {"strategy": {"type_": "concurrent", "streams": 32}, "backend": {"kind": "openai_http", "model": MODEL}}},
    {"type_": "generative_benchmark", "start_time": 1795326579.5, "duration": 50.0, "metrics": GUIDELLM_METRICS,
     "config": {"strategy": {"type_": "throughput"}, "backend": {"kind": "openai_http", "model": MODEL}}}]}
GUIDELLM_OLD = {"benchmarks": [
    {"type_": "generative_benchmark", "args": {"profile": {"type_": "sweep"}, "strategy": {"type_": "constant", "rate": 4.0}},
     "run_stats": {"start_time": 1795326479.5, "requests_made": {"successful": 200}},
     "worker": {"type_": "generative_requests_worker", "backend_type": "openai_http", "backend_model": MODEL},
     "metrics": GUIDELLM_METRICS}]}
INFERENCEX = [{
    "hw": "h200-trt", "conc": 32, "image": "vllm/vllm-openai:v0.11.0", "model": MODEL, "framework": "vllm", "precision": "fp8",
    "spec_decoding": "none", "disagg": False, "isl": 1000, "osl": 250, "tp": 2, "pp": 1, "ep": 1, "dp_attention": False,
    "tput_per_gpu": 2500.0, "output_tput_per_gpu": 500.0, "input_tput_per_gpu": 2000.0, "mean_ttft": 0.4, "mean_tpot": 0.03,
    "mean_e2el": 7.87}]
INFERENCE_PERF = {
    "load_summary": {"count": 200, "schedule_delay": {"mean": 0.001}, "send_duration": 50.0, "requested_rate": 4.0,
                     "achieved_rate": 4.0},
    "successes": {"count": 200, "latency": {
        "request_latency": {"mean": 7.87}, "normalized_time_per_output_token": {"mean": 0.0315},
        "time_per_output_token": {"mean": 0.03}, "time_to_first_token": {"mean": 0.4}, "inter_token_latency": {"mean": 0.031}},
        "throughput": {"input_tokens_per_sec": 4000.0, "output_tokens_per_sec": 1000.0, "total_tokens_per_sec": 5000.0,
                       "requests_per_sec": 4.0},
        "prompt_len": {"mean": 1000.0}, "output_len": {"mean": 250.0}},
    "failures": {"count": 0}}  # fmt: skip
# 400 ms to the first token and 7,870 ms in all leave 7,470 ms for 249 tokens: 30 ms each.
LLMPERF = {
    "version": "2023-08-31", "name": "summary", "model": MODEL, "num_concurrent_requests": 32, "results_ttft_s_mean": 0.4,
    "results_inter_token_latency_s_mean": 0.0315, "results_end_to_end_latency_s_mean": 7.87,
    "results_number_input_tokens_mean": 1000.0, "results_number_output_tokens_mean": 250.0, "results_number_errors": 0,
    "results_mean_output_throughput_token_per_s": 1000.0, "results_num_completed_requests": 200,
    "results_num_completed_requests_per_min": 240.0, "timestamp": 1795300000}
ALL = {"vllm": VLLM, "vllm-old": VLLM_OLD, "sglang": SGLANG, "aiperf": AIPERF, "aiperf-old": AIPERF_OLD,
       "genai-perf": GENAI_PERF, "guidellm": GUIDELLM, "guidellm-old": GUIDELLM_OLD, "inferencex": INFERENCEX,
       "inference-perf": INFERENCE_PERF, "llmperf": LLMPERF}  # fmt: skip

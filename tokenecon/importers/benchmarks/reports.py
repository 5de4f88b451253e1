"""Reports of guidellm, inference-perf, llmperf and InferenceX: several runs a file, latencies in seconds or milliseconds."""

import re

from tokenecon.importers.benchmarks.record import Record, run

# Strategies of guidellm that send at a rate; the others send when answered, or all at once.
PACED = ("constant", "poisson", "asynchronous")
NOMINAL = 0.9  # InferenceX draws lengths evenly from 0.8 to 1.0 of what it states
FRAMEWORKS = {"trt": "tensorrt-llm", "trtllm": "tensorrt-llm", "tensorrt-llm": "tensorrt-llm", "vllm": "vllm", "sglang": "sglang"}
TAG = re.compile(r":v?(\d+(?:\.\d+)+[a-z0-9.-]*)")
WIDTHS = {"fp8": "fp8", "bf16": "bf16", "fp16": "fp16", "int8": "int8", "int4": "int4", "mxfp4": "mxfp4", "nvfp4": "nvfp4"}
FOUR_BITS = {"amd": "mxfp4", "nvidia": "nvfp4"}


# --- guidellm --------------------------------------------------------------------------------------


def is_guidellm(record):
    """Whether a record is one benchmark of a report of guidellm."""
    return isinstance(record.get("metrics.output_tokens_per_second"), dict) and record.get("metrics.request_totals",
                                                                                          "request_totals") is not None


def guidellm(record):
    """A benchmark of guidellm: its strategy stands in `config` since 0.4, before in `args` (or `benchmarker`)."""
    strategy = record.part("config.strategy", "args.strategy", "benchmarker.profile.strategy", "scheduler.strategy")
    kind = strategy.text("type_")
    if kind is None:
        record.refuse("has no strategy in config or args, which says how load was applied")
    means = {name: record.number(f"metrics.{field}.successful.mean", f"metrics.{field}.total.mean", needed=needed, above=False)
             for name, field, needed in (
                 ("isl", "prompt_token_count", False), ("osl", "output_token_count", True),
                 ("output_tok_s", "output_tokens_per_second", True), ("requests_per_s", "requests_per_second", False),
                 ("ttft_ms", "time_to_first_token_ms", False), ("tpot_ms", "inter_token_latency_ms", False))}
    totals = record.part("metrics.request_totals", "request_totals")
    failed = totals.number("errored", needed=False, above=False) or 0
    clients = 1.0 if kind == "synchronous" else strategy.number("streams", needed=False) if kind == "concurrent" else None
    return run(
        record, model=record.text("config.backend.model", "worker.backend_model", "benchmarker.backend.model",
                                  "args.backend.model", "worker.model"),
        concurrency=clients, request_rate=strategy.rate("rate") if kind in PACED else None, offline=kind == "throughput",
        requests=totals.number("successful", needed=False), as_of=record.day("start_time", "run_stats.start_time"),
        notes=[f"{failed:g} requests failed"] if failed else [], **means)


# --- inference-perf --------------------------------------------------------------------------------


def is_inference_perf(record):
    """Whether a record is a report of a stage of inference-perf."""
    return isinstance(record.get("load_summary"), dict) and isinstance(record.get("successes"), dict)


def inference_perf(record):
    """A stage of inference-perf; its summary over all stages does not say the load of each."""
    clients = record.number("load_summary.concurrency", "load_summary.concurrency_level", needed=False)
    rate = None if clients else record.rate("load_summary.requested_rate")
    if clients is None and rate is None:
        record.refuse("load_summary has neither requested_rate nor concurrency; give the file of one stage, such as "
                      "stage_0_lifecycle_metrics.json")
    count = record.number("successes.count")
    failed = record.number("failures.count", needed=False, above=False) or 0

    def length(side, total):
        mean = record.number(f"successes.{side}.mean", f"successes.{total}.mean", needed=False, above=False)
        if mean is None:
            every = record.number(f"successes.{total}.total", needed=False, above=False)
            mean = None if every is None else every / count
        return mean

    latency = record.part("successes.latency")
    return run(
        record, concurrency=clients, request_rate=rate, isl=length("prompt_len", "prompt_tokens"),
        osl=length("output_len", "output_tokens"), requests=count,
        requests_per_s=record.number("successes.throughput.requests_per_sec"),
        output_tok_s=record.number("successes.throughput.output_tokens_per_sec"),
        ttft_ms=latency.ms("time_to_first_token.mean", unit="s"), tpot_ms=latency.ms("time_per_output_token.mean", unit="s"),
        notes=[f"{failed:g} requests failed"] if failed else [])


# --- llmperf ---------------------------------------------------------------------------------------


def is_llmperf(record):
    """Whether a record is a summary of llmperf."""
    return record.has("results_ttft_s_mean", "results_mean_output_throughput_token_per_s")


def llmperf(record):
    """A summary of llmperf, whose own time between tokens counts the wait for the first one: ours is without it."""
    osl = record.number("results_number_output_tokens_mean")
    ttft_ms = record.ms("results_ttft_s_mean", unit="s", needed=True)
    whole_ms = record.ms("results_end_to_end_latency_s_mean", unit="s")
    failed = record.number("results_number_errors", needed=False, above=False) or 0
    per_minute = record.number("results_num_completed_requests_per_min", needed=False)
    return run(
        record, model=record.text("model"), concurrency=record.number("num_concurrent_requests", needed=False),
        isl=record.number("results_number_input_tokens_mean", needed=False, above=False), osl=osl,
        requests=record.number("results_num_completed_requests", needed=False),
        requests_per_s=None if per_minute is None else per_minute / 60,
        output_tok_s=record.number("results_mean_output_throughput_token_per_s"), ttft_ms=ttft_ms,
        tpot_ms=(whole_ms - ttft_ms) / (osl - 1) if whole_ms is not None and osl > 1 and whole_ms > ttft_ms else None,
        as_of=record.day("timestamp"),
        notes=[*([f"{failed:g} requests failed"] if failed else []), "TPOT from mean end-to-end time and mean TTFT"])


# --- InferenceX ------------------------------------------------------------------------------------


def is_inferencex(record):
    """Whether a record is one of InferenceX (InferenceMAX before)."""
    return record.has("hw", "conc", "tput_per_gpu") and record.has("tp")


def inferencex(record):
    """A record of InferenceX: rates are for each GPU, latencies in seconds, lengths nominal."""
    apart = record.get("disagg") is True
    sides = [record.number(name, needed=False, above=False) for name in ("num_prefill_gpu", "num_decode_gpu")] if apart else []
    tp, pp, ep = (record.number(name, needed=name == "tp", least=1.0, above=False) or 1.0 for name in ("tp", "pp", "ep"))
    n_gpus = sum(filter(None, sides)) or tp * pp
    shared = record.get("dp_attention") in (True, "true", "True")
    stated = record.text("framework") or ""
    tag = TAG.search(record.text("image") or "")
    width = record.text("precision") or ""
    parts = [("tp", tp), ("pp", pp), ("adp", tp if shared else 1.0), ("ep", ep)]
    isl, osl = (NOMINAL * record.number(name) for name in ("isl", "osl"))
    output = record.number("output_tput_per_gpu", needed=False)
    drafted = (record.text("spec_decoding") or "none").lower() not in ("none", "off", "false")
    return run(
        record, model=record.text("model"), gpu=record.text("hw"), n_gpus=n_gpus, engine=FRAMEWORKS.get(stated.lower()),
        version=tag.group(1) if tag and stated.lower() in FRAMEWORKS else None,
        weights=FOUR_BITS if width == "fp4" else WIDTHS.get(width), isl=isl, osl=osl, concurrency=record.number("conc"),
        parallelism="-".join(f"{name}{value:.0f}" for name, value in parts if value > 1 or name == "tp"),
        output_tok_s=None if output is None else output * n_gpus,
        total_tok_s=record.number("tput_per_gpu") * n_gpus if output is None else None,
        requests_per_s=None if output is None else output * n_gpus / osl,
        ttft_ms=record.ms("mean_ttft", unit="s"), tpot_ms=record.ms("mean_tpot", unit="s"),
        flag="prefill apart" if apart else "speculative decoding" if drafted else "",
        notes=[f"nominal {isl / NOMINAL:g} and {osl / NOMINAL:g} tokens, drawn from 0.8 to 1.0 of them"])


def benchmarks(file, tree):
    """The records of a report that holds several, with where each stands; None where it is no report of that kind."""
    parts = tree.get("benchmarks") if isinstance(tree, dict) else None
    if not isinstance(parts, list) or not parts:
        return None
    return [Record(file, f"benchmark {place}", one) for place, one in enumerate(parts, 1)]

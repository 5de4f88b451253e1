"""The exports of aiperf and genai-perf: a statistic with its unit under each name, and the configuration of the run."""

from tokenecon.importers.benchmarks.record import run

MEASURED = ("request_throughput", "output_token_throughput", "output_sequence_length")


def is_aiperf(record):
    """Whether a record is an export of aiperf."""
    return record.has("aiperf_version") or (_is_export(record) and record.has("schema_version"))


def is_genai_perf(record):
    """Whether a record is an export of genai-perf."""
    return _is_export(record) and not is_aiperf(record)


def _is_export(record):
    return all(isinstance(record.get(name), dict) and "avg" in record.get(name) for name in MEASURED)


def aiperf(record):
    """The run of an export of aiperf: its load stands in the profiling phase, before 0.9 under `loadgen`."""
    config = record.part("input_config")
    phases = [one for one in _list(config.get("phases")) if isinstance(one, dict) and one.get("kind", "profiling") == "profiling"]
    load = record.part("input_config.loadgen") if not phases else type(record)(record.file, record.place, phases[-1])
    items = [one for one in _list(config.get("models.items")) if isinstance(one, dict)]
    model = items[0].get("name") if len(items) == 1 else config.get("endpoint.model_names", "model_names")
    return _run(record, model, load.number("concurrency", needed=False), load.rate("rate", "request_rate"))


def genai_perf(record):
    """The run of an export of genai-perf: its load is the stimulus of the Perf Analyzer, before 0.0.9 a field of its own."""
    config = record.part("input_config")
    return _run(record, config.get("model_names", "model"),
                config.number("perf_analyzer.stimulus.concurrency", "concurrency", needed=False),
                config.rate("perf_analyzer.stimulus.request_rate", "request_rate"))


def _list(value):
    return value if isinstance(value, list) else []


def _run(record, model, concurrency, rate):
    """Both tools define the time between tokens as that after the first one over the other tokens."""
    failed = record.number("error_request_count.avg", needed=False, above=False) or 0
    return run(
        record, model=type(record)(record.file, record.place, {"name": model}).text("name"), concurrency=concurrency,
        request_rate=rate, isl=record.number("input_sequence_length.avg", needed=False, above=False),
        osl=record.number("output_sequence_length.avg"), requests=record.number("request_count.avg", needed=False),
        requests_per_s=record.number("request_throughput.avg"), output_tok_s=record.number("output_token_throughput.avg"),
        ttft_ms=_ms(record, "time_to_first_token"), tpot_ms=_ms(record, "inter_token_latency"),
        as_of=record.day("start_time"), notes=[f"{failed:g} requests failed"] if failed else [])


def _ms(record, name):
    return record.ms(f"{name}.avg", unit=record.text(f"{name}.unit") or "ms")

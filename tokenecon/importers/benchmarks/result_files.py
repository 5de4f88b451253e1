"""Result files of benchmark tools: which tool wrote a file, and the runs in it.

A file is JSON, or JSON Lines with a run a line. Texts that a model generated are read with the rest and kept nowhere.
"""

import json
import os
import stat

from tokenecon.importers.benchmarks import bench_serve, perf_exports, reports
from tokenecon.importers.benchmarks.record import BadBenchmark, Record

# Name of a tool -> whether a record is its, and the run that it holds; the first that knows a record reads it.
TOOLS = {
    "SGLang bench_serving": (bench_serve.is_sglang, bench_serve.sglang),
    "vLLM bench serve": (bench_serve.is_vllm, bench_serve.vllm),
    "aiperf": (perf_exports.is_aiperf, perf_exports.aiperf),
    "genai-perf": (perf_exports.is_genai_perf, perf_exports.genai_perf),
    "guidellm": (reports.is_guidellm, reports.guidellm),
    "InferenceX": (reports.is_inferencex, reports.inferencex),
    "inference-perf": (reports.is_inference_perf, reports.inference_perf),
    "llmperf": (reports.is_llmperf, reports.llmperf),
}
LARGEST = 500_000_000  # bytes: detailed files hold every token's time


def read(path):
    """Name of the tool that wrote a file, and its runs as :func:`record.run` gives them."""
    records = _records(path)
    for name, (knows, reader) in TOOLS.items():
        if records and all(knows(one) for one in records):
            return name, [reader(one) for one in records]
    raise BadBenchmark(f"benchmark '{path}' is of no known kind; give a result file of one of {', '.join(TOOLS)}, as the tool "
                       "wrote it")


def _records(path):
    """The records of a file: of a list each, of a report each of its benchmarks, of JSON Lines each line."""
    text = _text(path)
    try:
        tree = _parsed(text)
    except ValueError:
        return _lines(path, text)
    if isinstance(tree, list):
        return [Record(path, f"record {place}", one) for place, one in enumerate(tree, 1)]
    return reports.benchmarks(path, tree) or [Record(path, "", tree)]


def _text(path):
    try:
        with open(path, "rb") as file:
            whole = stat.S_ISREG(os.fstat(file.fileno()).st_mode)  # a device or a pipe may never end
            content = file.read(LARGEST + 1) if whole else b""
    except OSError as error:
        raise BadBenchmark(f"benchmark '{path}' cannot be read: {error.strerror or error}; see that it is there") from error
    except ValueError as error:  # a NUL in the name
        raise BadBenchmark(f"benchmark '{path}' is no name of a file") from error
    if not whole:
        raise BadBenchmark(f"benchmark '{path}' is no file; give the result file of a benchmark")
    if len(content) > LARGEST:
        raise BadBenchmark(f"benchmark '{path}' is larger than {LARGEST:,} bytes; save it without the details of each request")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadBenchmark(f"benchmark '{path}' is not text in UTF-8; give the JSON that the tool wrote") from error


def _parsed(text):
    """A tree of JSON; nesting that no tool writes counts as damage."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _lines(path, text):
    records = []
    for place, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append(Record(path, f"line {place}", _parsed(line)))
        except ValueError as error:
            reason = getattr(error, "msg", str(error))
            raise BadBenchmark(f"benchmark '{path}', line {place}: it is not JSON ({reason}); give the JSON or JSON Lines that "
                               "the tool wrote") from error
    if not records:
        raise BadBenchmark(f"benchmark '{path}' is empty; give the result file of a benchmark")
    return records

"""Runs of benchmark tools as rows of a table with the columns of ``data/measurements.csv``.

What a file says must not contradict what the user says of it; what neither says is left blank, or taken from the catalogue
and said so in the note of the row.
"""

import csv
import datetime
import os
import re

from tokenecon import data, files, own_facts
from tokenecon.errors import BadInput, UnknownId
from tokenecon.importers import sellers
from tokenecon.importers.benchmarks import result_files
from tokenecon.importers.benchmarks.reports import FOUR_BITS

ENGINES = ("vllm", "sglang", "tensorrt-llm", "any")
CLOSED, OFFLINE, OPEN = "closed_loop", "offline_max", "open_loop_qps"
UNITS = {"output_tok_s": "tok_out/s", "total_tok_s": "tok/s", "ttft_ms": "ms", "tpot_ms": "ms", "request_s": "request/s"}
# What a load measures: of a queue the times hang on its length, of arrivals the rate is what was sent.
METRICS = {CLOSED: ("output_tok_s", "total_tok_s", "ttft_ms", "tpot_ms"), OFFLINE: ("output_tok_s", "total_tok_s"),
           OPEN: ("output_tok_s", "ttft_ms", "tpot_ms", "request_s")}  # fmt: skip
FORM = re.compile(r"sxm\d?|pcie|nvl|bse|\d+(gb|vcpu)")  # parts of an accelerator's id that are not its chip
NAMED = re.compile(r"[-_.](fp8|nvfp4|mxfp4|int8|int4)(?![a-z0-9])")  # a format in the name of a checkpoint
LAYOUT = re.compile(r"(tp|pp|adp|ep)([1-9]\d{0,3})")
SHAPE = "a layout like tp4, tp2-pp2 or tp8-adp8-ep8, each part once and tp among them"


def rows(paths, *, gpu, n_gpus, model=None, engine=None, weights=None, kv=None, parallelism=None, isl=None):
    """Rows of the result files as dicts of texts, and the name of each file's tool.

    ``gpu``, ``n_gpus`` and the others are what the user says of every run in them; see :func:`_said` for what may be left out.
    """
    data.gpu(gpu)
    model = model and data.model(model)["id"]
    said = {"gpu": gpu, "n_gpus": n_gpus, "model": model, "engine": _engine(engine), "weights": _precision("weights", weights),
            "kv": _precision("kv", kv), "parallelism": _layout(parallelism, n_gpus), "isl": isl}
    real = [os.path.realpath(path) for path in paths]
    if twice := [path for path, one in zip(paths, real, strict=True) if real.count(one) > 1]:
        raise BadInput(f"benchmark '{twice[0]}' is given twice; give each file once")
    found, tools = [], []
    names = _names(paths)
    for path, name in zip(paths, names, strict=True):
        tool, runs = result_files.read(path)
        tools.append(tool)
        for run in runs:
            found += _rows(run, said, tool, path, name)
    for place, row in enumerate(found, 1):
        row["id"] = f"own-{place:04d}"
    return [_texts(row) for row in found], tools


def write(table, path):
    """Put rows at a path, whole."""
    with files.replaced(path) as file:
        out = csv.DictWriter(file, [field["name"] for field in data.schema("measurements")], lineterminator="\n")
        out.writeheader()
        out.writerows(table)


# --- what the user says ----------------------------------------------------------------------------


def _engine(text):
    if text is None:
        return None
    name, _, version = text.strip().lower().partition(" ")
    if name not in ENGINES or (version and not re.fullmatch(r"\d[a-z0-9.-]*", version, re.ASCII)):
        raise BadInput(f"engine is '{text}', but must be one of {', '.join(ENGINES)}, perhaps with a version, as in "
                       "'vllm 0.11.0'")
    return name, version


def _precision(name, text):
    known = data.ids("precisions")
    if text is not None and text not in known:
        raise UnknownId(name, text, known, "data/precisions.csv")
    return text


def _layout(text, n_gpus):
    if text is None:
        return None
    parts = [LAYOUT.fullmatch(part) for part in text.split("-")]
    if not all(parts) or len({part[1] for part in parts}) < len(parts) or "tp" not in {part[1] for part in parts}:
        raise BadInput(f"parallelism is '{text}', but must be {SHAPE}")
    ranks = {part[1]: int(part[2]) for part in parts}
    if n_gpus % (ranks["tp"] * ranks.get("pp", 1)):
        raise BadInput(f"parallelism '{text}' takes {ranks['tp'] * ranks.get('pp', 1)} GPUs a replica, which do not divide "
                       f"n-gpus {n_gpus}")
    return text


# --- what the file says ----------------------------------------------------------------------------


def _rows(run, said, tool, path, name):
    both = _said(run, said)
    load = OFFLINE if run["offline"] else OPEN if run["request_rate"] else CLOSED
    record = run["record"]
    if load == CLOSED and run["concurrency"] is None:
        record.refuse("says neither how many clients sent requests at once nor at what rate; give a file of a run with either")
    if run["osl"] is None or run["osl"] < 1:
        record.refuse(f"answers have {run['osl'] or 0:g} tokens on average, but must have at least 1")
    values = {name: run.get(name) for name in METRICS[load]} | ({"request_s": run["request_rate"]} if load == OPEN else {})
    day = run["as_of"] or datetime.date.fromtimestamp(os.stat(path).st_mtime).isoformat()
    engine, version = both.pop("engine")
    base = dict.fromkeys((field["name"] for field in data.schema("measurements")), "") | both | {
        "engine": f"{engine} {version or day[:7]}", "osl": run["osl"], "concurrency": run["concurrency"],
        "requests": run["requests"], "workload": load, "flag": run["flag"], "basis": "measured", "as_of": day,
        "source": own_facts.source_id(name),
        "locator": ", ".join(filter(None, (tool, record.place))), "note": "; ".join((*both["note"], *run["notes"])),
    }  # fmt: skip
    out = [base | {"metric": metric, "value": value, "unit": UNITS[metric]} for metric, value in values.items() if value]
    if not out:
        record.refuse("holds neither a rate nor a latency above 0, so there is nothing to keep")
    return out


def _said(run, said):
    """What is said of a run by the file and by the user, who must agree, with what is assumed where neither says it."""
    model = _model(run, said["model"])
    _same_machine(run, said)
    weights, notes = _weights(run, said, model)
    return {"model": model, "gpu": said["gpu"], "n_gpus": said["n_gpus"], "weights": weights, "isl": _prompts(run, said["isl"]),
            "kv": _agreed(run["record"], "kv", run["kv"], said["kv"]) or "?",
            "parallelism": _agreed(run["record"], "parallelism", run["parallelism"], said["parallelism"])
            or f"tp{said['n_gpus']}", "engine": _engine_of(run, said["engine"]), "note": notes}


def _same_machine(run, said):
    record, chip = run["record"], run["gpu"] and _chip(run["gpu"])
    if chip and chip != _chip(said["gpu"]):
        record.refuse(f"the run was on '{run['gpu'][:40]}', but --gpu is {said['gpu']}; import the runs of each accelerator "
                      "with its own id")
    if run["n_gpus"] and run["n_gpus"] != said["n_gpus"]:
        record.refuse(f"the run was on {run['n_gpus']:g} GPU{'s' * (run['n_gpus'] != 1)}, but --n-gpus is {said['n_gpus']}; "
                      "import runs of another number with theirs")


def _weights(run, said, model):
    """Format of the weights, and a note on where it is from if the file does not state it."""
    vendor, named = data.gpu(said["gpu"])["vendor"].lower(), NAMED.search((run["model"] or "").lower())
    stated = FOUR_BITS.get(vendor) if run["weights"] is FOUR_BITS else run["weights"]
    notes = [] if stated or said["weights"] or not named else [f"weights {named[1]} by the name of the model"]
    if agreed := _agreed(run["record"], "weights", stated or (named and named[1]), said["weights"]):
        return agreed, notes
    published = data.model(model)["weights_published"] or "bf16"
    published = "bf16" if published == "fp32" else published  # engines load 32 bits as 16
    return published, [f"weights not stated: {published}, as the model is published"]


def _prompts(run, said):
    """Mean prompt of a run, by its file or, where the server did not report it, by the user."""
    record, stated = run["record"], run["isl"]
    if said is not None and stated:
        record.refuse(f"prompts have {stated:g} tokens, but --isl is {said:g}; leave --isl out")
    isl = stated if said is None else said
    if not isl or isl < 1:
        record.refuse(f"prompts have {'no stated number of' if isl is None else f'{isl:g}'} tokens; the server did not report "
                      "them, so give the mean with --isl")
    return isl


def _engine_of(run, said):
    """Name and version of the engine of a run; `any` where nobody says it."""
    if said is None:
        return run["engine"] or "any", run["version"] or ""
    name, version = said
    if run["engine"] and name != run["engine"]:
        run["record"].refuse(f"the run was on {run['engine']}, but --engine is {name}")
    return name, version or (run["version"] if run["engine"] == name else "") or ""


def _agreed(record, name, stated, said):
    if stated and said and stated != said:
        record.refuse(f"the run was with {name} {stated}, but --{name} is {said}")
    return said or stated


def _model(run, said):
    """Id of the model of a run; a name that is nobody's, such as an alias of the server, the user explains."""
    record, name = run["record"], run["model"]
    names = data.rows("models", {}, want="id aliases")
    known = {model: tuple(aliases.split()) for model, aliases in zip(names["id"], names["aliases"], strict=True)}
    stated = name and sellers.model_of(name, known)
    if said and stated and stated != said:
        record.refuse(f"the run was of '{name[:60]}', which is {stated}, but --model is {said}; import the runs of each model "
                      "with its own id")
    if not said and not stated:
        unknown = f"'{name[:60]}', which is not in the catalogue" if name else "a model that the file does not name"
        record.refuse(f"the run was of {unknown}; give --model, an id of `tokenecon list models`")
    return said or stated


def _chip(text):
    """The chip that a text names, the longest of the catalogue's: `h200` of 'NVIDIA H200 141GB'; None where it names none."""
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    chips = {"".join(part for part in gpu.split("-") if not FORM.fullmatch(part)) for gpu in data.ids("gpus")}
    return max((chip for chip in chips if chip in plain), key=len, default=None)


def _names(paths):
    """Names of files as ids may be, each another."""
    plain = [re.sub(r"[^a-z0-9._-]+", "-", os.path.basename(path).lower())[:80].strip("-.") or "file" for path in paths]
    return [name if plain.count(name) == 1 else f"{place}-{name}" for place, name in enumerate(plain, 1)]


def _texts(row):
    """A row as the file has it: numbers with six digits, blanks for what is not known."""
    return {name: "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
            for name, value in row.items()}

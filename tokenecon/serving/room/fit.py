"""What the memory of GPUs holds of a model: weights, reserve, cache, how many sequences, how long, and on how many GPUs.

``tokenecon.fit`` and the command ``tokenecon fit`` are this module; the arithmetic is that of ``tokenecon.estimate``
(:func:`steady_state.room` and :func:`steady_state.capacity`), every sequence at its full length.
"""

import math
from typing import Any

import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, CannotServe
from tokenecon.serving import checks, lookups, operands, results, steady_state
from tokenecon.units import BYTES_PER_GB

USUAL_ISL, USUAL_OSL = 7168.0, 1024.0  # where no length is given
ENGINE = "vllm"  # where none is given: its share is of the whole GPU, the strictest
IN_A_SERVER = 8  # GPUs that share each layer, at most; more are stages of a pipeline
MOST_GPUS = 4096
NARROWER_WEIGHTS = {"fp16": ("fp8", "int4"), "bf16": ("fp8", "int4"), "fp8": ("int4",), "int8": ("int4",)}
NARROWER_CACHE = {"fp16": "fp8", "bf16": "fp8"}
KB = 1e3
# What a row says, in this order.
COLUMNS = ("model", "gpu", "n_gpus", "tp", "pp", "weights", "kv", "engine", "release", "isl", "osl", "fits", "min_n_gpus",
           "memory_gb", "weights_gb", "reserve_gb", "cache_gb", "rest_gb", "cache_kb_per_token",
           "cache_gb_per_sequence", "max_concurrency", "users",
           "longest_context", "said")  # fmt: skip

# What a table over all GPUs shows of it.
SHOWN = ("gpu", "fits", "n_gpus", "min_n_gpus", "memory_gb", "weights_gb", "reserve_gb", "cache_gb", "max_concurrency",
         "longest_context", "said")  # fmt: skip


def fit(model: str, gpu: str | None = None, *, n_gpus: Any = None, weights: Any = None, kv: Any = None, isl: Any = None,
        osl: Any = None, users: Any = None, engine: Any = None, release: Any = None, memory_share: Any = None,
        reserve_gb: Any = None) -> pd.DataFrame:
    """One row for a GPU, or one for each of the catalogue; see ``tokenecon.fit``."""
    asked = {"model": model, "n_gpus": 1 if n_gpus is None else n_gpus, "isl": isl, "osl": osl, "weights": weights, "kv": kv,
             "engine": engine or ENGINE, "release": release, "memory_share": memory_share, "reserve_gb": reserve_gb,
             "load": "offline"}
    first = _checked(asked | {"gpu": gpu or data.ids("gpus")[0]}, only_gpu=gpu is not None)
    users = _users(users)
    if gpu is not None:
        rows = [_row(first[0], first[1], n_gpus is not None, users)]
    else:
        rows = []
        for one in data.ids("gpus"):
            try:
                rows.append(_row(first[0], first[1] | {"gpu": one}, n_gpus is not None, users))
            except CannotServe as error:
                rows.append({"model": first[1]["model"], "gpu": one, "fits": False, "said": str(error)})
    return pd.DataFrame([{name: row.get(name) for name in COLUMNS} for row in rows])


def _users(given):
    """Sequences that are to be held at once, a whole number from 1."""
    try:
        value = 1.0 if given is None else float(given)
    except (TypeError, ValueError):
        value = math.nan
    if not (value >= 1 and value == math.floor(value) and value <= checks.MOST["concurrency"]):
        raise BadInput(f"users is '{given}'; it must be a whole number from 1")
    return value


def _checked(asked, only_gpu):
    """Numbers and words of what is asked, with lengths where none are given; the first thing that is wrong is raised."""
    model = checks.word("model", asked["model"])
    if said := checks.word_sentence("model", model):
        raise BadInput(said)
    positions = lookups.model_numbers(model)["positions"]
    lengths = _lengths(asked["isl"], asked["osl"], positions)
    number, words, said = checks.case(asked | dict(zip(("isl", "osl"), lengths, strict=True)))
    if said and (only_gpu or not said.startswith("gpu ")):
        raise BadInput(said)
    if operands.too_long(number["isl"], number["osl"], positions):
        raise BadInput(operands.length_sentence(number["isl"], number["osl"], positions, model))
    return number, words


def _lengths(isl, osl, positions):
    """Prompt and answer: as given, else the usual ones as far as the model goes."""
    if isl is None and osl is None:
        osl = min(USUAL_OSL, positions / 2)
        return min(USUAL_ISL, positions - osl), osl
    if isl is None:
        return max(min(USUAL_ISL, positions - _number(osl)), 1.0), osl
    return isl, (max(min(USUAL_OSL, positions - _number(isl)), 1.0) if osl is None else osl)


def _number(given):
    """A length as a number; one that is none is told by the checks that follow."""
    try:
        return float(given)
    except (TypeError, ValueError):
        return 0.0


def layout(n_gpus, hidden):
    """GPUs that share each layer and stages of a pipeline, for so many GPUs: tp as large as a server and the model allow."""
    tp = next((size for size in range(min(IN_A_SERVER, int(n_gpus)), 0, -1) if n_gpus % size == 0 and hidden % size == 0), 1)
    return float(tp), n_gpus / tp


def columns(number, words, n_gpus):
    """Columns of the serving model for one instance of so many GPUs."""
    hardware = lookups.hardware(*(words[name] for name in ("model", "gpu", "weights", "kv")))
    tp, pp = layout(n_gpus, hardware["hidden"])
    stated = number | {"n_gpus": float(n_gpus), "tp": tp, "pp": pp, "attention_dp": 1.0, "ep": math.nan, "prefill_gpus": 0.0}
    return results.setup(hardware, operands.layout(stated), checks.places(words))


def sequences(case, bytes_of, length):
    """Sequences of one length that an instance holds, not rounded."""
    return float(steady_state.capacity(case | {"isl": length, "osl": 0.0}, bytes_of))


def longest(case, bytes_of, users):
    """Longest sequence that so many users can have at once, within the positions of the model; 0 where there is none."""
    return float(results.largest(lambda length: sequences(case, bytes_of, length) >= users, 0.0, case["positions"]))


def smallest(number, words, length, users):
    """Fewest GPUs that hold so many sequences, doubled from one; NaN where no number up to :data:`MOST_GPUS` does."""
    size = 1
    while size <= MOST_GPUS:
        case = columns(number, words, size)
        if case["pp"] <= case["layers"] and sequences(case, steady_state.room(case), length) >= users:
            return float(size)
        size *= 2
    return math.nan


def _row(number, words, stated, users):
    """What is said of one GPU."""
    lookups.gpu_numbers(words["gpu"])
    length = number["isl"] + number["osl"]
    least = smallest(number, words, length, users)
    n_gpus = number["n_gpus"] if stated else least if least == least else 1.0
    case = columns(number, words, n_gpus)
    bytes_of = steady_state.room(case)
    held = sequences(case, bytes_of, length)
    far = longest(case, bytes_of, users)
    fits = held >= users
    gb = {name: bytes_of[f"{name}_bytes"] / BYTES_PER_GB for name in ("weight", "reserve", "pool")}
    each = bytes_of["pool_bytes"] / held if held > 0 else _one(case, bytes_of, length)
    return {
        **{name: words[name] for name in ("model", "gpu", "weights", "kv", "engine", "release")},
        "n_gpus": int(n_gpus), "tp": int(case["tp"]), "pp": int(case["pp"]), "isl": number["isl"], "osl": number["osl"],
        "fits": fits, "min_n_gpus": least, "memory_gb": case["memory_bytes"] / BYTES_PER_GB, "weights_gb": gb["weight"],
        "reserve_gb": gb["reserve"], "cache_gb": gb["pool"],
        "rest_gb": max(case["memory_bytes"] / BYTES_PER_GB - gb["weight"] - gb["reserve"] - gb["pool"], 0.0),
        "cache_kb_per_token": bytes_of["position_bytes"] / KB, "cache_gb_per_sequence": each / BYTES_PER_GB,
        "max_concurrency": math.floor(held), "users": int(users),
        "longest_context": math.floor(far) if far < operands.UNLIMITED else math.inf,
        "said": "" if fits else _what_would(number, words, n_gpus, length, users, least, far),
    }  # fmt: skip


def _one(case, bytes_of, length):
    """Bytes of one sequence on a GPU, where none fits."""
    return length * bytes_of["position_bytes"] + min(length, bytes_of["window_held"]) * bytes_of["window_bytes"] + (
        bytes_of["sequence_bytes"])


def _what_would(number, words, n_gpus, length, users, least, far):
    """Why it does not fit is in the numbers; this says what would."""
    ways = []
    if least == least and least > n_gpus:
        ways.append(f"{least:.0f} GPUs")
    for name, options in (("weights", NARROWER_WEIGHTS.get(words["weights"], ())), ("kv", (NARROWER_CACHE.get(words["kv"]),))):
        for option in filter(None, options):
            case = columns(number, words | {name: option}, n_gpus)
            if sequences(case, steady_state.room(case), length) >= users:
                ways.append(f"{option} {name}")
                break
    if far >= 1:
        ways.append(f"a length of {far:,.0f} for {users:.0f} at once")
    what = f"{users:.0f} at once of {length:,.0f} positions do" if users > 1 else f"a sequence of {length:,.0f} positions does"
    return f"does not fit: {what} not fit on {n_gpus:.0f} x {words['gpu']}; " + (
        f"what would: {', or '.join(ways)}" if ways else f"nor on {MOST_GPUS} GPUs, nor with narrower weights or kv")

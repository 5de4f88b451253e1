"""The readings of ``data/capacity.csv`` beside what the model of memory says of each.

A reading states model, memory of the GPU, layout, formats, engine, its release and the share it was told to fill; what it does
not state is the engine's default.
"""

import numpy as np

from tokenecon import data
from tokenecon.serving import checks, lookups, operands, results, steady_state
from tokenecon.units import factor

LIKE = "h100-sxm-80gb"  # stands for an accelerator that the catalogue lacks: only its memory matters here
TOLERANCES = ((0.15, 0.75), (0.30, 0.90))  # this far off at most, for this share of readings at least


def case(reading, configs=None):
    """Columns of the serving model for one reading; ``configs`` maps names of models to files where the catalogue has none."""
    model, gpu = (configs or {}).get(reading["model"], reading["model"]), reading["gpu"]
    hardware = lookups.hardware(str(model), gpu if gpu in data.ids("gpus") else LIKE, reading["weights"], reading["kv"])
    memory = reading["memory"] * factor("GiB")
    large = memory >= operands.LARGE_BYTES and not gpu.startswith("a100")
    tokens, sequences = operands.PROFILE[large]
    number = {name: default for name, (default, _, _) in checks.NUMBERS.items()} | {
        "n_gpus": float(reading["n_gpus"]), "tp": float(reading["tp"]), "memory_share": reading["memory_share"]}
    places = {name: checks.TEXTS[name].index(text) for name, text in (
        ("load", "offline"), ("engine", reading["engine"]), ("release", reading["release"]))}
    found = results.setup(hardware, operands.layout(number), places)
    return found | {"memory_bytes": memory, "profile_tokens": _or(reading["batched_tokens"], tokens),
                    "profile_sequences": _or(reading["max_seqs"], sequences)}


def _or(value, default):
    return float(value) if value == value else default


def printed_tokens(found, bytes_of, length):
    """Tokens that an engine prints for sequences of one length: it counts window and chunk for each of them."""
    window = np.minimum(found["window"] - 1 + found["profile_tokens"], length)
    each = bytes_of["position_bytes"] * length + bytes_of["window_bytes"] * window + bytes_of["sequence_bytes"]
    return length * bytes_of["pool_bytes"] / each


def predicted(reading, configs=None):
    """What the model says of a reading, in its unit: cache on each GPU, tokens, or whether it starts."""
    found = case(reading, configs)
    bytes_of = steady_state.room(found)
    if reading["metric"] == "pool":
        return bytes_of["pool_bytes"] / factor("GiB")
    length = _or(reading["max_model_len"], found["positions"])
    if reading["metric"] == "tokens":
        return printed_tokens(found, bytes_of, length)
    return float(steady_state.capacity(found | {"isl": length - 1.0, "osl": 1.0}, bytes_of) >= 1.0)


def table(configs=None):
    """The readings that count, with ``predicted`` and ``error``, which is predicted over measured less one.

    A reading of a model that neither the catalogue nor ``configs`` has is left out.
    """
    rows = data.rows("capacity", {"flag": ""})
    known = {*data.ids("models"), *(configs or {})}
    rows = rows[rows["model"].isin(known)].reset_index(drop=True)
    rows["predicted"] = [predicted(row, configs) for row in rows.to_dict("records")]
    off = rows["predicted"] / rows["value"].where(rows["value"] > 0) - 1
    rows["error"] = off.where(rows["metric"] != "starts")
    return rows


def scores(rows):
    """Share of sized readings within each tolerance, and the ids of those that do not start and would fit."""
    sized = rows["error"].dropna().abs()
    wrong = rows.loc[(rows["metric"] == "starts") & (rows["predicted"] != rows["value"]), "id"]
    return {**{limit: float((sized <= limit).mean()) for limit, _ in TOLERANCES}, "starts": list(wrong)}

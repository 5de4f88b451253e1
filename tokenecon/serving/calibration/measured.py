"""The measurements as cases: what was run, in the columns of the serving model, and what it should predict."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.serving import coefficients, lookups, operands, steady_state

# Engines whose software of its time had other fixed costs: text their name begins with -> family.
ERAS = {"vllm 0.2-era": "early-pytorch", "tensorrt-llm 0.5": "early-tensorrt", "tensorrt-llm 0.8": "early-tensorrt",
        "tensorrt-llm 0.9": "early-tensorrt", "tensorrt-llm 0.14": "early-tensorrt", "lmdeploy": "early-tensorrt"}
# Engines that schedule as one of the three do.
LIKE = {"lmdeploy": "sglang", "deepspeed": "tensorrt-llm", "synapse": "tensorrt-llm"}
LOADS = {"offline_max": steady_state.OFFLINE, "static_batch": steady_state.STATIC, "closed_loop": steady_state.CLOSED_LOOP}
MILLI = 1e3
# What makes two rows measurements of the same run.
RUN = ["model", "gpu", "engine", "weights", "kv", "n_gpus", "parallelism", "isl", "osl", "concurrency", "requests",
       "workload"]
# A source that measures several engines or versions is several campaigns: each stands alone in the validation.
SEVERAL = ("nvidia-aiconfigurator-runs",)


def table(flagged=False):
    """Measurements that the model can be compared with; ``flagged`` adds those set aside."""
    rows = data.rows("measurements", {"workload": LOADS} | ({} if flagged else {"flag": ""})).reset_index(drop=True)
    rows["campaign"] = np.where(rows["source"].isin(SEVERAL), rows["source"] + " " + rows["engine"], rows["source"])
    return rows


def layout(text):
    """Ranks of a `parallelism` such as tp8-adp8-ep8: a dict with tp, pp, adp, ep."""
    found = {"tp": 1, "pp": 1, "adp": 1, "ep": 1}
    for part in text.split("-"):
        name = part.rstrip("0123456789")
        found[name] = int(part[len(name):])
    return found


def starting(text, table, default):
    """The entry of a table whose key begins a text."""
    return next((value for key, value in table.items() if text.startswith(key)), default)


def runs(rows):
    """Number of the run that each row is a measurement of."""
    return pd.factorize(rows[RUN].astype(str).agg("|".join, axis=1))[0]


def to_case(rows):
    """Columns of the serving model for measurement rows: the distinct runs, and in `run` which one a row is of."""
    place = runs(rows)
    rows = rows.iloc[np.unique(place, return_index=True)[1]].reset_index(drop=True)
    ranks = pd.DataFrame([layout(text) for text in rows["parallelism"]], dtype=float)
    engine = [starting(name, LIKE, name.split()[0]) for name in rows["engine"]]
    # Where the cache is not stated: NVFP4 releases state 8 bits, and TensorRT-LLM keeps it so with FP8 weights, too.
    narrow = [weights == "nvfp4" or (name == "tensorrt-llm" and weights == "fp8")
              for name, weights in zip(engine, rows["weights"], strict=True)]
    stated = [("fp8" if small else "bf16") if kv == "?" else kv for kv, small in zip(rows["kv"], narrow, strict=True)]
    case = lookups.columns(rows["model"], rows["gpu"], rows["weights"], stated)
    group = ranks["tp"].to_numpy()
    dp = ranks["adp"].to_numpy()
    case |= {"group": group, "dp": dp, "tp": group / dp, "pp": ranks["pp"].to_numpy(), "ep": ranks["ep"].to_numpy(),
             "isl": rows["isl"].to_numpy(), "osl": rows["osl"].to_numpy(),
             "load": rows["workload"].map(LOADS).to_numpy(),
             "engine": np.array([coefficients.ENGINES.index(name) for name in engine])}
    replicas = rows["n_gpus"].to_numpy() / (group * case["pp"])
    case["concurrency"] = rows["concurrency"].fillna(np.inf).to_numpy() / replicas
    case["requests"] = rows["requests"].fillna(np.inf).to_numpy() / replicas
    era = [coefficients.FAMILIES.index(starting(name, ERAS, "common")) for name in rows["engine"]]
    case["family"] = np.where(np.array(era) > 0, era, case["family"])
    case["replicas"] = replicas
    return operands.completed(case) | {"run": place}


def predicted(rows, case, values):
    """What the model says of each measured number, in the unit of the row."""
    state = steady_state.steady({name: column for name, column in case.items() if name != "run"}, values)
    rate = state["requests_per_s"] * case["replicas"]
    said = {
        "output_tok_s": rate * case["osl"], "total_tok_s": rate * (case["isl"] + case["osl"]),
        "ttft_ms": state["ttft_s"] * MILLI, "tpot_ms": state["tpot_s"] * MILLI, "e2e_ms": state["whole_s"] * MILLI,
    }  # fmt: skip
    metric = rows["metric"].to_numpy()
    return np.select([metric == name for name in said], [said[name][case["run"]] for name in said], np.nan)

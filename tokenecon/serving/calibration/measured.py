"""The measurements as cases: what was run, in the columns of the serving model, and what it should predict."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.serving import checks, coefficients, lookups, operands, steady_state

# Of another engine than the three, with fixed costs of its time.
ERAS = {"lmdeploy 0.2.0": coefficients.FAMILIES.index("early-tensorrt")}
# Engines that schedule as one of the three do.
LIKE = {"lmdeploy": "sglang", "deepspeed": "tensorrt-llm", "synapse": "tensorrt-llm", "atom": "vllm", "llmboost": "vllm"}
OWN_ENGINE = "atom "  # AMD's, which is tuned by its maker wherever it runs
LOADS = {"offline_max": steady_state.OFFLINE, "mlperf_offline": steady_state.OFFLINE, "static_batch": steady_state.STATIC,
         "closed_loop": steady_state.CLOSED_LOOP}
ENGINES = (*coefficients.ENGINES, "any")  # the last of a run that does not say its engine
MILLI = 1e3
# What makes two rows measurements of the same run.
RUN = ["model", "gpu", "engine", "weights", "kv", "n_gpus", "parallelism", "isl", "osl", "concurrency", "requests",
       "workload"]
# A family that measures several engines or versions is several campaigns: each counts once in the fit.
SEVERAL = ("inferencex", "inferencemax")
# What near-copies have in common, beside engine, lengths and clients for each GPU: days, submitters and replicas may differ.
CONFIGURATION = ["family", "model", "gpu", "weights", "kv", "parallelism", "workload", "metric"]
DIGITS = 2  # of a length that count: the mean answers of two runs of MLPerf differ by a few tokens


def table(flagged=False):
    """Measurements that the model can be compared with; ``flagged`` adds those set aside.

    Beside the columns of the file: `family`, `tuning` of the source; `campaign`; `configuration`, a number that near-copies
    share, whatever the version of their engine; `share`, the part of one case that a row is in its campaign.
    """
    rows = data.rows("measurements", {"workload": LOADS} | ({} if flagged else {"flag": ""})).reset_index(drop=True)
    sources = data.rows("sources", {"id": sorted(set(rows["source"]))}, want="id family tuning").set_index("id")
    return completed(rows.join(sources, on="source"))


def completed(rows):
    """Rows that say their `family` and `tuning`, with what :func:`table` adds to those of the file."""
    rows["campaign"] = np.where(rows["family"].isin(SEVERAL), rows["family"] + " " + rows["engine"], rows["source"])
    rows["configuration"] = configurations(rows)
    rows["share"] = 1 / rows.groupby(["campaign", "configuration"])["id"].transform("size")
    return rows


def configurations(rows):
    """Number of the distinct configuration that each row measures."""
    key = rows[CONFIGURATION].assign(
        engine=rows["engine"].str.split().str[0], clients=rows["concurrency"] / rows["n_gpus"],
        **{name: [float(f"{length:.{DIGITS}g}") for length in rows[name]] for name in ("isl", "osl")})
    return key.groupby(list(key), dropna=False).ngroup()


def layout(text):
    """Ranks of a `parallelism` such as tp8-adp8-ep8: a dict with tp, pp, adp, ep."""
    found = {"tp": 1, "pp": 1, "adp": 1, "ep": 1}
    for part in text.split("-"):
        name = part.rstrip("0123456789")
        found[name] = int(part[len(name):])
    return found


def runs(rows):
    """Number of the run that each row is a measurement of."""
    return pd.factorize(rows[RUN].astype(str).agg("|".join, axis=1))[0]


def to_case(rows):
    """Columns of the serving model for measurement rows: the distinct runs, and in `run` which one a row is of."""
    place = runs(rows)
    rows = rows.iloc[np.unique(place, return_index=True)[1]].reset_index(drop=True)
    ranks = pd.DataFrame([layout(text) for text in rows["parallelism"]], dtype=float)
    engine = [LIKE.get(name, name) for name in rows["engine"].str.split().str[0]]
    # Where the cache is not stated: NVFP4 releases state 8 bits, and TensorRT-LLM keeps it so with other 8-bit weights, too.
    narrow = [weights == "nvfp4" or (name == "tensorrt-llm" and weights in ("fp8", "int8"))
              for name, weights in zip(engine, rows["weights"], strict=True)]
    stated = [("fp8" if small else "bf16") if kv == "?" else kv for kv, small in zip(rows["kv"], narrow, strict=True)]
    case = lookups.columns(rows["model"], rows["gpu"], rows["weights"], stated)
    group = ranks["tp"].to_numpy()
    dp = ranks["adp"].to_numpy()
    case |= {"group": group, "dp": dp, "tp": group / dp, "pp": ranks["pp"].to_numpy(), "ep": ranks["ep"].to_numpy(),
             "isl": rows["isl"].to_numpy(), "osl": rows["osl"].to_numpy(),
             "load": rows["workload"].map(LOADS).to_numpy(),
             "engine": np.array([ENGINES.index(name) for name in engine])}
    replicas = rows["n_gpus"].to_numpy() / (group * case["pp"])
    case["concurrency"] = rows["concurrency"].fillna(np.inf).to_numpy() / replicas
    case["requests"] = rows["requests"].fillna(np.inf).to_numpy() / replicas
    case["tuning"] = ((rows["tuning"] == "tuned") | rows["engine"].str.startswith(OWN_ENGINE)).to_numpy(dtype=float)
    case["era"] = np.array([ERAS.get(name) or checks.era(*name.split()) for name in rows["engine"]])
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

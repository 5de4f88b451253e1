"""``tokenecon cost --from-benchmark``: a measured run in money, and in place of the model's speed where it is of the same case.

The bill is that of the time which the instance took for a request; input, cached input and output share it as the model says
that they share the time at this operating point, so that together they pay all of it.
"""

import math

import pandas as pd

from tokenecon.errors import BadInput, NoEstimate
from tokenecon.formulas import money
from tokenecon.importers.benchmarks import rows as benchmark_rows
from tokenecon.numbers import number
from tokenecon.serving import cost_allocation, estimate, lookups
from tokenecon.serving.calibration import measured
from tokenecon.serving.own_runs import rows as own_rows

ALIKE = 0.1  # relative difference of lengths up to which a run stands for a case
MS = 1e-3
LEAST = 1e-3  # requests in flight, where arrivals were few
CASE = ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "tp", "pp", "attention_dp", "ep", "engine")
LONG = {"_in": "input", "_cached": "cached", "_out": "output"}
SHOWN = {"run": "run", "isl": "isl", "osl": "osl", "concurrency": "clients", "output_tok_s": "output tok/s",
         "usd_per_mtok_in": "USD/Mtok in", "usd_per_mtok_cached": "cached", "usd_per_mtok_out": "out", "usd_per_mtok": "all",
         "modelled": "all, by the model"}  # fmt: skip


def read(path, said):
    """Runs of a table of measurements (.csv), or of a benchmark's result file, of which ``said`` states gpu and n_gpus."""
    if str(path).endswith(".csv"):
        rows = own_rows.read(path)
        for name, value in said.items():
            others = [] if value is None else [one for one in rows[name] if value not in (one, str(one).split(" ")[0])]
            if others:
                raise BadInput(f"measurements '{path}' state {name} {others[0]}, but --{name.replace('_', '-')} is {value}; "
                               "leave the option out")
    else:
        if lacking := [name for name in ("gpu", "n_gpus") if said.get(name) is None]:
            raise BadInput(f"benchmark '{path}' needs --{lacking[0].replace('_', '-')}: what the runs were on; a table of "
                           "`tokenecon import` states it")
        rows = own_rows.checked(path, enumerate(benchmark_rows.rows([path], **said)[0], 1))
    rows = rows[~rows["aside"].str.startswith(own_rows.ASIDE)]
    found = [_run(own) for _, own in rows.groupby(own_rows.RUN, sort=False, dropna=False)]
    found = [one for one in found if one is not None]
    if not found:
        raise BadInput(f"benchmark '{path}' holds no run with a rate or with both latencies, which a price needs")
    return found


def _run(rows):
    """A run as a dict: its case, and ``requests_per_s``, measured or from clients over the time of a request; None without."""
    first, value = rows.iloc[0], rows.set_index("metric")["value"]
    value = value[~value.index.duplicated()]
    isl, osl = first["isl"], first["osl"]
    whole_s = (value["ttft_ms"] + (osl - 1) * value["tpot_ms"]) * MS if {"ttft_ms", "tpot_ms"} <= set(value.index) else math.nan
    if "output_tok_s" in value:
        rate = value["output_tok_s"] / osl
    elif "total_tok_s" in value:
        rate = value["total_tok_s"] / (isl + osl)
    else:
        rate = first["concurrency"] / whole_s
    if not (0 < rate < math.inf and isl >= 1):
        return None
    ranks = measured.layout(first["parallelism"]) if first["parallelism"] else {"tp": first["n_gpus"], "pp": 1, "adp": 1, "ep": 1}
    engine = first["engine"].split(" ")[0]
    in_flight = first["concurrency"] if first["workload"] != "open_loop_qps" else rate * whole_s  # Little's law
    return {"run": ", ".join(filter(None, (first["source"].removeprefix("your-file-"), first["locator"].partition(", ")[2]))),
            "load": first["workload"],
            **{name: first[name] for name in ("model", "gpu", "weights", "isl", "osl")}, "n_gpus": int(first["n_gpus"]),
            "kv": "" if first["kv"] == own_rows.UNSTATED else first["kv"], "tp": ranks["tp"], "pp": ranks["pp"],
            "attention_dp": ranks["adp"], "ep": ranks["ep"], "engine": engine if engine in measured.ENGINES else "any",
            "concurrency": float(in_flight), "requests_per_s": float(rate), "output_tok_s": float(rate * osl),
            "ttft_ms": float(value.get("ttft_ms", math.nan)), "tpot_ms": float(value.get("tpot_ms", math.nan))}


def priced(runs, usd_per_gpu_hour=None, utilisation=1.0, cached_prefix=0.0):
    """One row a run: its speed, its price by kind of token, and `modelled`, what the model says of all tokens, with its ends."""
    out = []
    for run in runs:
        usd = lookups.usd_per_gpu_hour(run["gpu"]) if usd_per_gpu_hour is None else usd_per_gpu_hour
        if not usd >= 0:
            raise BadInput(f"gpu '{run['gpu']}' has no price of an hour; give --usd-per-gpu-hour")
        shares, said, modelled = _shares(run, cached_prefix, usd, utilisation)
        tokens = {"_in": run["isl"] * (1 - cached_prefix), "_cached": run["isl"] * cached_prefix, "_out": run["osl"],
                  "": run["isl"] + run["osl"]}

        def paid(kind, run=run, usd=usd, tokens=tokens, shares=shares):
            return float(money.usd_per_mtok_of_seconds(
                busy_s=shares[kind] / run["requests_per_s"], tok=tokens[kind], usd_per_gpu_hour=usd, n_gpus=run["n_gpus"],
                utilisation=utilisation)) if tokens[kind] > 0 else math.nan

        out.append({**run, "usd_per_gpu_hour": usd, "utilisation": utilisation,
                    **{f"usd_per_mtok{kind}": paid(kind) for kind in tokens}, **modelled, "note": said})
    return pd.DataFrame(out)


def _shares(run, cached_prefix, usd, utilisation):
    """Share of the time by kind of token; why there is none; and what the model says of the cost of all tokens."""
    case = {name: run[name] for name in CASE} | {"cached_prefix": cached_prefix}
    full = math.isnan(run["concurrency"])
    load = {"load": "offline"} if full else {"load": "closed_loop", "concurrency": max(run["concurrency"], LEAST)}
    found = estimate.estimate(case | load | {"usd_per_gpu_hour": usd, "utilisation": utilisation}).iloc[0]
    modelled = {"modelled" + end: float(found["usd_per_mtok" + end]) for end in ("", "_low", "_high")}
    none = dict.fromkeys(LONG, math.nan) | {"": 1.0}
    if found["error"]:
        return none, f"no share by kind of token: {found['error']}", modelled
    try:
        time = cost_allocation.busy(pd.DataFrame([case | {"concurrency": found["concurrency_used"]}])).iloc[0]
    except NoEstimate as error:
        return none, f"no share by kind of token: {error}", modelled
    return {kind: time[f"{long}_s"] / time["request_s"] for kind, long in LONG.items()} | {"": 1.0}, "", modelled


def shown(table):
    """The table as a terminal shows it."""
    def cell(value):
        return value if isinstance(value, str) else "" if math.isnan(value) else f"{value:.4g}"

    return [{title: cell(row[name]) for name, title in SHOWN.items()} for row in table.to_dict("records")]


def remarks(table):
    """Sentences on how runs were priced."""
    hours = table.drop_duplicates("gpu")
    said = [f"At {number(row['usd_per_gpu_hour'], 'USD/GPU/h')} an hour of {row['gpu']}, {row['utilisation']:.0%} of paid time "
            "as busy as the run; each kind of token pays for the time that it causes, by the model's shares."
            for row in hours.to_dict("records")]
    return said + list(dict.fromkeys(note for note in table["note"] if note))


# --- in a scenario ---------------------------------------------------------------------------------


def serving(case, served):
    """Replicas of :func:`sizing.choices` for a case, of which those that were measured have the measured speed.

    A run stands for a case with its model, weights and lengths (within :data:`ALIKE`) that keeps to the limits; of several the
    one with the most requests a second for each GPU.  :class:`BadInput` says why none does.
    """
    why, best = [], {}
    for run in case.measured:
        if reason := _unlike(case, run):
            why.append(f"{run['run']} {reason}")
            continue
        known = best.get(run["gpu"])
        if known is None or run["requests_per_s"] / run["n_gpus"] > known["requests_per_s"] / known["n_gpus"]:
            best[run["gpu"]] = run
    if not best:
        raise BadInput(f"the benchmark says nothing of scenario '{case.name}': {'; '.join(why[:3])}")
    out = served.copy()
    for gpu, run in best.items():
        at = out.index[out["gpu"] == gpu][0]
        out.loc[at, list(_measured_row(run))] = list(_measured_row(run).values())
    return out


def _unlike(case, run):
    """Why a run is not of a case, or nothing."""
    checks = (
        (run["model"] != case.model, f"is of {run['model']}, not of {case.model}"),
        (run["gpu"] not in case.gpus, f"is of {run['gpu']}, not of {', '.join(case.gpus)}"),
        (run["weights"] != case.weights, f"has weights {run['weights']}, not {case.weights}"),
        (case.n_gpus not in (None, run["n_gpus"]), f"ran on {run['n_gpus']} GPUs, not on {case.n_gpus}"),
        (case.cached_prefix > 0, "does not say what was cached, and the scenario has a cached_prefix"),
        *((abs(run[name] / getattr(case, name) - 1) > ALIKE, f"has {name} {run[name]:g}, not {getattr(case, name):g}")
          for name in ("isl", "osl")),
        (math.isnan(run["concurrency"]), "queued all requests at once, which says nothing of a service"),
        *((getattr(case, name) is not None and not run[name] <= getattr(case, name),
           f"has a mean {name} of {run[name]:.4g}, above {getattr(case, name) or 0:g}") for name in ("ttft_ms", "tpot_ms")))
    return next((words for wrong, words in checks if wrong), "")


def _measured_row(run):
    """What of a replica is measured; instances of several replicas count as one of them."""
    replicas = max(round(run["n_gpus"] / (run["tp"] * run["pp"])), 1)
    rate, clients = run["requests_per_s"] / replicas, max(round(run["concurrency"] / replicas), 1)
    found = {"n_gpus": run["n_gpus"] // replicas, "attention_dp": run["attention_dp"], "concurrency": float(clients),
             "service_s": clients / rate, "calibrated": True, "unmeasured": "", "reason": ""}
    for name, value in (("requests_per_s", rate), ("output_tok_s", rate * run["osl"]), ("ttft_ms", run["ttft_ms"]),
                        ("tpot_ms", run["tpot_ms"])):
        found |= {f"{name}{end}": value for end in ("", "_low", "_high")}
    return found

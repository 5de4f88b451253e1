"""What one replica serves within latency limits, by the calibrated model: concurrency, requests a second, its best size."""


import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import NoEstimate, TooSlow
from tokenecon.queries import remembered
from tokenecon.serving import estimate, lookups, operands, results

COLUMNS = ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl")
OPTIONS = ("tp", "pp", "attention_dp", "ep", "cached_prefix", "draft_tokens", "acceptance", "draft_model", "engine")
RATES = ("output_tok_s", "ttft_ms", "tpot_ms")
ENDS = ("", "_low", "_high")
BLAMED = ("model", "gpu", "weights", "kv")  # parameters that a reason may begin with
USD_PER_GPU_HOUR = 1.0  # only the shares of the bill are read, so any price does


def capacity(cases, *, ttft_ms=None, tpot_ms=None):
    """The most that one replica of each case serves while its mean TTFT and TPOT keep to the limits.

    ``cases`` has :data:`COLUMNS` and any of :data:`OPTIONS`, as ``tokenecon.estimate`` takes them; ``n_gpus`` is one
    replica.  One row a case comes back in the same order, with

    - ``concurrency``: the largest whole number of requests in flight within memory and limits,
    - ``requests_per_s``, ``output_tok_s``, ``ttft_ms``, ``tpot_ms`` there, with ``_low`` and ``_high`` (80% interval),
    - ``service_s``: how long a request is in flight, ``concurrency / requests_per_s`` (Little's law),
    - ``output_share``: share of what a request costs that its output causes, ``bound``, ``calibrated``, ``unmeasured``,
    - ``reason``: why there is none, or nothing.
    """
    table = _closed_loop(cases)
    low, found = results.capacity(lambda requests: _numbers(_at(table, requests, intervals=False)),
                                  ttft_ms=ttft_ms, tpot_ms=tpot_ms)
    best = _at(table, np.maximum(low, 1.0))
    out = cases.reset_index(drop=True).copy()
    out["concurrency"] = np.where(low > 0, low, np.nan)
    for name in RATES:
        for end in ENDS:
            out[name + end] = best[name + end].where(low > 0)
    for end in ENDS:
        out[f"requests_per_s{end}"] = out[f"output_tok_s{end}"] / out["osl"]
    out["service_s"] = out["concurrency"] / out["requests_per_s"]
    out["output_share"] = results.output_share(best, best["isl"], best["osl"]).where(low > 0)
    out["unmeasured"] = best["unmeasured"].where(low > 0, "")
    out["calibrated"], out["bound"] = best["calibrated"] & (low > 0), best["bound"].where(low > 0, "")
    out["reason"] = [results.reason({name: column[place] for name, column in found.items()}, low[place], ttft_ms, tpot_ms)
                     for place in range(len(out))]
    return out


def choices(model, gpus, *, weights, kv, isl, osl, cached_prefix=0.0, ttft_ms=None, tpot_ms=None, sizes=None):
    """For each GPU the size and layout of a replica with the most requests a second for each GPU, within the limits.

    ``sizes`` are numbers of GPUs to try, by default :data:`operands.SIZES` up to the server of the GPU; a mixture of experts may
    also run attention data-parallel. A GPU that no size serves keeps the reason of its largest size.
    """
    asked = {"weights": weights, "kv": kv, "isl": isl, "osl": osl, "cached_prefix": cached_prefix}
    return _choices(model, tuple(gpus), sizes and tuple(sizes), ttft_ms, tpot_ms, **asked).copy()


@remembered
def _choices(model, gpus, sizes, ttft_ms, tpot_ms, **asked):
    routed = data.model(model)["kind"] == "moe"
    rows = [{"model": model, "gpu": gpu, "n_gpus": size, **asked, "attention_dp": ranks}
            for gpu in gpus for size, ranks in operands.layouts(sizes, lookups.server_gpus(gpu), routed)]
    table = capacity(pd.DataFrame(rows), ttft_ms=ttft_ms, tpot_ms=tpot_ms)
    best = [part.index[results.best(part["requests_per_s"].tolist(), part["n_gpus"].tolist())]
            for _, part in table.groupby("gpu", sort=False)]
    return table.loc[best].set_index("gpu", drop=False).loc[list(dict.fromkeys(gpus))].reset_index(drop=True)


def one(case, *, ttft_ms=None, tpot_ms=None):
    """:func:`capacity` of one case, a dict, as a Series; raises :class:`TooSlow` or :class:`NoEstimate` with the reason."""
    row = capacity(pd.DataFrame([case]), ttft_ms=ttft_ms, tpot_ms=tpot_ms).iloc[0]
    if row["reason"]:
        raise (TooSlow if row["reason"].startswith(results.ALONE) else NoEstimate)(
            f"{case['model']} with {case['weights']} weights on {case['n_gpus']} x {case['gpu']}: {row['reason']}")
    return row


def of_page(case):
    """:func:`one` for the parameters of a page, as a dict; a refusal begins with the parameter that it is about."""
    return dict(_of_page(case.model, case.gpu, case.n_gpus, case.weights, case.kv, case.isl, case.osl,
                         case.ttft_ms, case.tpot_ms))


@remembered
def _of_page(model, gpu, n_gpus, weights, kv, isl, osl, ttft_ms, tpot_ms):
    stated = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "weights": weights, "kv": kv, "isl": isl, "osl": osl}
    try:
        return one(stated, ttft_ms=ttft_ms, tpot_ms=tpot_ms).to_dict()
    except TooSlow as error:
        name, limit = ("ttft_ms", ttft_ms) if "TTFT" in str(error) else ("tpot_ms", tpot_ms)
        raise TooSlow(f"parameter '{name}' is {limit:g}: {error}") from None
    except NoEstimate as error:
        reason = str(error).rpartition(f"{gpu}: ")[2]
        name = "isl" if reason.startswith("isl ") else next((one for one in BLAMED if reason.startswith(f"{one} '")), "n_gpus")
        raise NoEstimate(f"parameter '{name}' is {quoted(stated[name])}: {error}") from None


def quoted(value):
    """A value of a parameter as a refusal says it."""
    return f"'{value}'" if isinstance(value, str) else f"{value:g}"


def curve(case, concurrencies):
    """One replica over the number of requests in flight: requests a second, TTFT, TPOT, each with its interval."""
    table = pd.DataFrame([case] * len(concurrencies))
    found = _at(_closed_loop(table), np.asarray(concurrencies, dtype=float))
    if (found["error"] != "").any():
        raise NoEstimate(next(reason for reason in found["error"] if reason))
    out = pd.DataFrame({"concurrency": np.asarray(concurrencies, dtype=float)})
    for name in RATES:
        for end in ENDS:
            out[name + end] = found[name + end]
    for end in ENDS:
        out[f"requests_per_s{end}"] = out[f"output_tok_s{end}"] / case["osl"]
    out["calibrated"] = found["calibrated"]
    return out


def _closed_loop(cases):
    """The columns that `estimate` reads, for a closed loop."""
    table = cases[[name for name in (*COLUMNS, *OPTIONS) if name in cases]].reset_index(drop=True).copy()
    return table.assign(load="closed_loop", usd_per_gpu_hour=USD_PER_GPU_HOUR)


def _at(table, concurrency, intervals=True):
    return estimate.estimate(table.assign(concurrency=concurrency), intervals)


def _numbers(found):
    """The results as arrays."""
    return {name: found[name].to_numpy() for name in ("fits", "max_concurrency", "ttft_ms", "tpot_ms", "error")}

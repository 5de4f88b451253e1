"""Validation: every measurement predicted by coefficients that were fitted without its campaign, model or GPU."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.serving import intervals
from tokenecon.serving.calibration import measured
from tokenecon.serving.calibration.fit import fit

# What is left out whole: never single rows, because neighbouring rows are near-copies.
LEFT_OUT = ("campaign", "model", "gpu")
TARGET = 0.80  # of the measurements inside their interval
FEW = 20  # rows below which a cell borrows the residuals of its quantity
WORKLOADS = {"offline_max": "offline", "mlperf_offline": "offline", "static_batch": "static", "closed_loop": "closed_loop"}


def predictions(by="campaign", start=None):
    """Measurements with `predicted`, and the coefficients of each fit by what it left out.

    ``start`` are coefficients fitted to everything: only where the search begins.
    """
    rows = measured.table()
    if start is None:
        start, _ = fit(rows, measured.to_case(rows))
    predicted, fits = np.full(len(rows), np.nan), {}
    for name in sorted(rows[by].unique()):
        out = (rows[by] == name).to_numpy()
        kept, left = rows[~out].reset_index(drop=True), rows[out].reset_index(drop=True)
        fits[name], _ = fit(kept, measured.to_case(kept), start=start)
        predicted[out] = measured.predicted(left, measured.to_case(left), fits[name])
    rows["predicted"] = predicted
    return rows, fits


def stored(by="campaign"):
    """The same from ``data/held_out.csv``, which `make calibrate` wrote."""
    rows = measured.table()
    table = data.rows("held_out", {}).set_index("id")
    if list(rows["id"]) != list(table.index):
        raise ValueError("data/held_out.csv is not of these measurements; run `make calibrate`")
    rows["predicted"] = table[f"without_{by}"].to_numpy()
    return rows


def residuals(rows):
    """Logarithm of measured over predicted, by quantity, load and kind of model; one row a number."""
    shapes = data.rows("models", {"id": sorted(set(rows["model"]))}, want="id experts")
    kind = {model: intervals.KINDS[experts > 0] for model, experts in zip(shapes["id"], shapes["experts"], strict=True)}
    out = pd.DataFrame({
        "campaign": rows["campaign"], "load": rows["workload"].map(WORKLOADS), "kind": rows["model"].map(kind),
        "quantity": rows["metric"].map({"output_tok_s": "rate", "total_tok_s": "rate", "e2e_ms": "rate",
                                        "ttft_ms": "ttft", "tpot_ms": "tpot"}),
        "residual": np.log(rows["value"] / rows["predicted"]) * np.where(rows["metric"] == "e2e_ms", -1, 1),
        "run": rows["run"] if "run" in rows else measured.runs(rows),
    })  # fmt: skip
    return pd.concat([out, _closed_rates(rows, out)], ignore_index=True)


def _closed_rates(rows, out):
    """Throughput of closed loops, from runs that state both latencies: answers per second is one over their sum."""
    loop = rows[rows["workload"] == "closed_loop"].assign(run=out["run"], kind=out["kind"])
    loop = loop[loop["metric"].isin(("ttft_ms", "tpot_ms"))]
    wide = loop.groupby(["run", "metric"])[["value", "predicted"]].mean().unstack("metric")
    both = loop.drop_duplicates("run").set_index("run").loc[wide.index]
    time = {name: wide[(name, "ttft_ms")] + (both["osl"] - 1) * wide[(name, "tpot_ms")]
            for name in ("value", "predicted")}
    found = pd.DataFrame({"campaign": both["campaign"], "load": "closed_loop", "kind": both["kind"],
                          "quantity": "rate", "residual": np.log(time["predicted"] / time["value"]),
                          "run": wide.index})
    return found.dropna(subset="residual")


def distribution(rows):
    """Residuals in order and the share of weight below each, where a campaign weighs as the root of its rows."""
    size = rows.groupby("campaign")["residual"].transform("size").to_numpy()
    order = np.argsort(rows["residual"].to_numpy())
    weight = (1 / np.sqrt(size))[order]
    return (np.cumsum(weight) - weight / 2) / weight.sum(), rows["residual"].to_numpy()[order]


def quantiles(rows, level):
    """Ends of the central share of residuals, or of several shares."""
    place, residual = distribution(rows)
    return np.interp([(1 - level) / 2, (1 + level) / 2], place, residual)


def cell(rows, quantity, load, kind):
    """Residuals that an interval rests on: its own, or those of its quantity where there are few."""
    same = rows[rows["quantity"] == quantity]
    for own in (same[(same["load"] == load) & (same["kind"] == kind)], same[same["load"] == load],
                same[(same["load"] == "closed_loop") & (same["kind"] == kind)]):
        if len(own) >= FEW:
            return own
    return same


def _others(rows):
    """Residuals of each campaign, quantity, load and kind, with those of other campaigns that their interval rests on."""
    for campaign, own in rows.groupby("campaign"):
        others = rows[rows["campaign"] != campaign]
        for (quantity, load, kind), part in own.groupby(["quantity", "load", "kind"]):
            yield part, cell(others, quantity, load, kind)


def coverage(rows, level):
    """Residuals with `inside`: whether the interval made without their campaign holds them."""
    parts = []
    for part, others in _others(rows):
        low, high = quantiles(others, level)
        low, high = min(low, 0.0), max(high, 0.0)
        parts.append(part.assign(inside=(part["residual"] >= low) & (part["residual"] <= high)))
    return pd.concat(parts)


def nominal(rows):
    """The level whose intervals hold the target share of campaigns they were made without."""
    levels = np.round(np.arange(0.60, 0.97, 0.01), 2)
    inside = np.zeros(len(levels))
    for part, others in _others(rows):
        low, high = quantiles(others, levels)
        residual = part["residual"].to_numpy()[:, None]
        inside += ((residual >= np.minimum(low, 0.0)) & (residual <= np.maximum(high, 0.0))).sum(axis=0)
    return float(levels[int(np.argmin(abs(inside / len(rows) - TARGET)))])

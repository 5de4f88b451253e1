"""Validation: every measurement predicted by coefficients that were fitted without its family, GPU, model, format or load."""

import numpy as np
import pandas as pd
from scipy import stats

from tokenecon import data
from tokenecon.queries import remembered
from tokenecon.serving import intervals, lookups
from tokenecon.serving.calibration import measured, support
from tokenecon.serving.calibration.fit import fit

# What is left out whole: never single rows, because neighbouring rows are near-copies.
LEFT_OUT = ("family", "gpu", "model", "arithmetic", "workload")
ADDED_BY = {"gpu": "gpu", "arithmetic": "arithmetic", "architecture": "model", "load": "workload"}  # what measures a novelty
TARGET = 0.80  # of the measurements inside their interval
FEW = 20  # configurations below which a cell borrows those of a wider one,
MODELS = 5  # and models of a family: a sweep over one model says little of another
SMALL = 5  # configurations from which on a family has an effect of its own under a load
# Least spread between sources: versions of one engine that follow one another differ by 4 to 11% on the same configuration, so
# that no number of agreeing sources makes the next one agree better than that.
FLOOR = 0.05
# Columns of a measurement that a residual keeps.
SAME = ["family", "campaign", "configuration", "engine", "model", "gpu", "weights", "n_gpus", "parallelism", "isl", "osl",
        "concurrency"]
WORKLOADS = {"offline_max": "offline", "mlperf_offline": "offline", "static_batch": "static", "closed_loop": "closed_loop"}
QUANTITY = {"output_tok_s": "rate", "total_tok_s": "rate", "e2e_ms": "rate", "ttft_ms": "ttft", "tpot_ms": "tpot"}


def table():
    """The measurements with the number format as one computes in it."""
    rows = measured.table()
    rows["arithmetic"] = ["{:g} {}".format(*one) for one in _arithmetic(rows)]
    rows["workload"] = rows["workload"].replace("mlperf_offline", "offline_max")
    return rows


def _arithmetic(rows):
    pairs = list(zip(rows["gpu"], rows["weights"], strict=True))
    known = {pair: support.arithmetic(*pair) for pair in dict.fromkeys(pairs)}
    return [known[pair] for pair in pairs]


def predictions(by="family", start=None):
    """Measurements with `predicted`, and the coefficients of each fit by what it left out.

    ``start`` are coefficients fitted to everything: only where the search begins.
    """
    rows = table()
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


def stored(by="family"):
    """The same from ``data/held_out.csv``, which `make calibrate` wrote; by ``fitted`` with nothing left out."""
    rows = table()
    held = data.rows("held_out", {}).set_index("id")
    if list(rows["id"]) != list(held.index):
        raise ValueError("data/held_out.csv is not of these measurements; run `make calibrate`")
    rows["predicted"] = held[by if by == "fitted" else f"without_{by}"].to_numpy()
    return rows


def residuals(rows):
    """Logarithm of measured over predicted, one row for each quantity of a distinct configuration: the median of its near-copies.

    `load`, `kind` and `maker` are the cell of its interval; `value` and `predicted`, of the first copy, are tok/s or ms.
    """
    shapes = data.rows("models", {"id": sorted(set(rows["model"]))}, want="id experts")
    kind = {model: intervals.KINDS[experts > 0] for model, experts in zip(shapes["id"], shapes["experts"], strict=True)}
    makers = {gpu: intervals.MAKERS[intervals.MAKER_OF_FAMILY[lookups.gpu_numbers(gpu)["family"]]]
              for gpu in dict.fromkeys(rows["gpu"])}
    tokens = rows["concurrency"] * rows["osl"] * measured.MILLI  # times milliseconds, of a batch that states its whole time
    out = rows[SAME].assign(
        load=rows["workload"].map(WORKLOADS), kind=rows["model"].map(kind), quantity=rows["metric"].map(QUANTITY),
        maker=rows["gpu"].map(makers),
        **{name: np.where(rows["metric"] == "e2e_ms", tokens / rows[name], rows[name]) for name in ("value", "predicted")})
    out = pd.concat([out, _closed_rates(rows, out)], ignore_index=True)
    out["residual"] = np.log(out["value"] / out["predicted"])
    whole = out.groupby(["quantity", "configuration"], sort=False)
    return with_novelty(whole.first().assign(residual=whole["residual"].median()).reset_index())


def with_novelty(spread):
    """Residuals with `new`: the sum of what of each, as :data:`intervals.NEW`, no other family measured."""
    shapes = {model: support.architecture_kind(lookups.record(model)) for model in dict.fromkeys(spread["model"])}
    facts = {"gpu": spread["gpu"], "arithmetic": pd.Series(_arithmetic(spread), spread.index),
             "architecture": spread["model"].map(shapes)}
    new = 0
    for name, column in facts.items():
        families = spread["family"].groupby(column).transform("nunique")
        new = new + intervals.NEW[name] * (families == 1)
    return spread.assign(new=new)


def _closed_rates(rows, out):
    """Throughput of closed loops, from runs that state both latencies: answers per second is one over their sum."""
    rows = rows.assign(run=measured.runs(rows), **{name: out[name] for name in ("load", "kind", "maker")})
    loop = rows[(rows["load"] == "closed_loop") & rows["metric"].isin(("ttft_ms", "tpot_ms"))]
    wide = loop.groupby(["run", "metric"])[["value", "predicted"]].mean().unstack("metric")
    both = loop.drop_duplicates("run").set_index("run").loc[wide.index]
    tokens, more = both["concurrency"] * both["osl"] * measured.MILLI, both["osl"] - 1
    found = both[[*SAME, "load", "kind", "maker"]].assign(quantity="rate", **{
        name: tokens / (wide[(name, "ttft_ms")] + more * wide[(name, "tpot_ms")]) for name in ("value", "predicted")})
    return found.dropna(subset=["value", "predicted"])


def sources(spread):
    """Effects of the families: the median residual of each under each load, of so many configurations."""
    known = spread[spread["new"] == 0]
    each = known.groupby(["quantity", "family", "load", "maker"])["residual"].agg(["median", "size"]).reset_index()
    return each[each["size"] >= SMALL]


def of_source(effects):
    """Half-width of 80% by which a source that nobody fitted differs, as a logarithm: Student's t for so many families.

    The spread is about no difference at all, so that it holds the error which all sources share.
    """
    spread = max(float(np.sqrt((effects["median"] ** 2).mean())), FLOOR)
    return float(stats.t.ppf((1 + TARGET) / 2, effects["family"].nunique())) * spread


def within(spread):
    """Residuals of what some other family measured, too, without the effects of their families."""
    spread = spread[spread["new"] == 0]
    middle = spread.groupby(["quantity", "family", "load", "maker"])["residual"].transform("median")
    return spread.assign(residual=spread["residual"] - middle)


def ends(cell):
    """Ends of the central 80% of residuals, where a family weighs as the root of its configurations."""
    families, residuals = pd.factorize(cell["family"])[0], cell["residual"].to_numpy()
    order = np.argsort(residuals)
    weight = (1 / np.sqrt(np.bincount(families)[families]))[order]
    place = (np.cumsum(weight) - weight / 2) / weight.sum()
    return np.interp([(1 - TARGET) / 2, (1 + TARGET) / 2], place, residuals[order])


def cell(spread, quantity, load, kind, maker):
    """Residuals that an interval rests on: its own, or those of a wider cell where there are few."""
    same = spread[spread["quantity"] == quantity]
    own, loaded, kinds = ((same[name] == one).to_numpy() for name, one in (("maker", maker), ("load", load), ("kind", kind)))
    families, models = same["family"].to_numpy(), same["model"].to_numpy()
    for wider in (own & loaded & kinds, own & loaded, own, loaded & kinds):
        if wider.sum() >= FEW and len(set(zip(families[wider], models[wider], strict=True))) >= MODELS:
            return same[wider]
    return same


def widths(spread, added=None):
    """What :func:`intervals.ratios` takes, from residuals of predictions without their family; ``added`` by quantity."""
    effects, rest, found = sources(spread), within(spread), {}
    for quantity in intervals.QUANTITIES:
        same = rest.loc[rest["quantity"] == quantity, ["quantity", "family", "model", "load", "kind", "maker", "residual"]]
        both = [ends(cell(same, quantity, *one)) for one in intervals.cells()]
        source = of_source(effects[effects["quantity"] == quantity])
        found[quantity] = (source**2, [min(low, 0.0) ** 2 for low, _ in both], [max(high, 0.0) ** 2 for _, high in both],
                           (added or {}).get(quantity, [0.0] * len(intervals.NEW)))
    return found


def far(spread):
    """The miss that 80% of residuals stay within, as a logarithm, by quantity."""
    return spread["residual"].abs().groupby(spread["quantity"]).quantile(TARGET)


def growth(fitted, left):
    """What each novelty adds to the square of a half-width, by quantity, in the order of :data:`intervals.NEW`.

    ``fitted`` are residuals with nothing left out, ``left`` those without what :data:`ADDED_BY` says, by its name.
    """
    usual = far(fitted) ** 2
    more = {one: (far(left[by]) ** 2 - usual).clip(lower=0.0) for one, by in ADDED_BY.items()}
    return {quantity: [float(more[one][quantity]) for one in intervals.NEW] for quantity in intervals.QUANTITIES}


def coverage(spread, added):
    """Residuals with `low`, `high` and `inside`: the interval made without their family, and whether it holds them."""
    parts = []
    for family, own in spread.groupby("family"):
        others = widths(with_novelty(spread[spread["family"] != family]), added)
        for (quantity, load, kind, maker), part in own.groupby(["quantity", "load", "kind", "maker"]):
            place = intervals.cells().index((load, kind, maker))
            source, low, high, more = others[quantity]
            rest = source + sum(square * (part["new"] // 2**bit % 2) for bit, square in enumerate(more))
            low, high = -np.sqrt(rest + low[place]), np.sqrt(rest + high[place])
            parts.append(part.assign(low=low, high=high, inside=(part["residual"] >= low) & (part["residual"] <= high)))
    return pd.concat(parts)


def tried():
    """:func:`coverage` of the stored predictions, with `fitted`, the residual of each where nothing is left out."""
    return _tried().copy()


@remembered
def _tried():
    left, whole = {by: residuals(stored(by)) for by in LEFT_OUT}, residuals(stored("fitted"))
    found = coverage(left["family"], growth(whole, left))
    return found.merge(whole.rename(columns={"residual": "fitted"})[["quantity", "configuration", "fitted"]],
                       on=["quantity", "configuration"])

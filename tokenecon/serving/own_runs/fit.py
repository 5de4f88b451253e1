"""``tokenecon calibrate``: the coefficients moved by a reader's own measurements, with the published ones as prior.

The most probable coefficients a posteriori: each is log-normal before, around its published value, with its published spread
and that between sources; a measurement misses its prediction log-normally, by as much as the published model misses within a
source, corrected by what these measurements miss.  The uncertainty after is that of the quadratic around the best fit
(Laplace's approximation).
"""

import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from tokenecon import data, files
from tokenecon.errors import BadInput
from tokenecon.serving import intervals, lookups
from tokenecon.serving.calibration import held_out, measured
from tokenecon.serving.calibration.fit import FELT, Z_80
from tokenecon.serving.coefficients import DEFINITIONS
from tokenecon.serving.own_runs import rows as own_rows

WORTH = 1.0  # measurements that the published misses count for, beside those of the reader
LEAST_MISS = 0.01  # of a measurement, as a logarithm: repeated runs differ by that much
ROUNDS = 3  # of the fit and of how far measurements miss, which settles in two
FAR = 2.0  # spreads beyond which a miss counts by its size and no longer by its square
SHARP, DIM = 0.5, 0.9  # spread after over spread before: below it is learnt, above it nothing is
WRONG = 3.0  # spreads beyond which a run is named
TIED = 0.7  # correlation from which on two coefficients trade off
STEP = 1e-3  # of a logarithm, in the slopes
EDGE = 1e-5  # share of its range by which a search begins away from a bound


def published():
    """The published coefficients as (names, logarithms, spreads as logarithms).

    A reader's site is a source that nobody fitted: to the spread of the common coefficient comes that between sources.
    """
    table = data.rows("calibration", {"kind": "coefficient"}).set_index("id").loc[list(DEFINITIONS)]
    wider = np.maximum(table["high"] / table["value"], table["value"] / table["low"])  # an end may be at its bound
    between = np.sqrt(lookups.widths()["rate"][0]) / Z_80
    return list(DEFINITIONS), np.log(table["value"].to_numpy()), np.hypot(np.log(wider.to_numpy()) / Z_80, between)


def misses(rows, case):
    """By how much the published model misses each row within a source, as a logarithm."""
    widths, out = lookups.widths(), np.empty(len(rows))
    cells = intervals.cells()
    for place, row in rows.iterrows():
        run = case["run"][place]
        cell = cells.index((intervals.LOADS[int(case["load"][run])], intervals.KINDS[int(case["routed"][run] > 0)],
                            intervals.MAKERS[intervals.MAKER_OF_FAMILY[int(case["family"][run])]]))
        _, low, high, _ = widths[held_out.QUANTITY[row["metric"]]]
        out[place] = (np.sqrt(low[cell]) + np.sqrt(high[cell])) / 2 / Z_80
    return out


def fitted(rows):
    """Fit the coefficients to rows of :func:`rows.used`.

    Gives names, `before` and `after` (logarithms), `spread_before`, `spread_after`, `covariance` of those that the rows bear
    on (`felt`, places), `miss` of each row, and `residual`, measured over predicted as a logarithm.
    """
    case = measured.to_case(rows)
    names, before, spread = published()
    value, near = np.log(rows["value"].to_numpy()), np.sqrt(rows["share"].to_numpy())
    bounds = np.log([DEFINITIONS[name][1:3] for name in names])

    def predicted(x):
        return np.log(measured.predicted(rows, case, dict(zip(names, np.exp(x).tolist(), strict=True))))

    felt = _felt(predicted, before, spread, bounds)
    if not len(felt):
        raise BadInput("the measurements bear on no coefficient of the model, so there is nothing to calibrate")
    public = misses(rows, case)
    miss, after = public, before.copy()
    for _ in range(ROUNDS):
        found = _best(predicted, value, near / miss, before, spread, felt, bounds, after)
        after[felt] = found.x
        covariance = np.linalg.inv(found.jac.T @ found.jac)
        learnt = float((1 - np.diag(covariance) / spread[felt] ** 2).clip(0, 1).sum())
        residual = value - predicted(after)
        miss = _missed(rows, residual, public, near, learnt)
    spread_after = spread.copy()
    spread_after[felt] = np.sqrt(np.diag(covariance))
    return SimpleNamespace(names=names, before=before, after=after, spread_before=spread, spread_after=spread_after,
                           covariance=covariance, felt=felt, miss=miss, residual=residual)


def _felt(predicted, before, spread, bounds):
    """Places of the coefficients that, moved by their spread, move a prediction by :data:`FELT`."""
    middle, found = predicted(before), []
    for place in range(len(before)):
        moved = before.copy()
        step = STEP if before[place] + STEP <= bounds[place, 1] else -STEP
        moved[place] += step
        if np.abs(predicted(moved) - middle).max() / STEP * spread[place] > FELT:
            found.append(place)
    return np.array(found, dtype=int)


def _best(predicted, value, weight, before, spread, felt, bounds, start):
    """The best fit of the coefficients that are felt; the others stay as published."""
    low, high = bounds[felt].T

    def residuals(x):
        every = before.copy()
        every[felt] = x
        wrong = (predicted(every) - value) * weight
        # Pseudo-Huber: a run that went wrong pulls with its size, not with its square
        return np.concatenate([np.sign(wrong) * FAR * np.sqrt(2 * (np.sqrt(1 + (wrong / FAR) ** 2) - 1)),
                               (x - before[felt]) / spread[felt]])

    margin = EDGE * (high - low)
    return least_squares(residuals, np.clip(start[felt], low + margin, high - margin), bounds=(low, high), x_scale=spread[felt],
                         diff_step=STEP, ftol=1e-6, xtol=1e-5, max_nfev=60)


def _missed(rows, residual, public, near, learnt):
    """How far rows miss, of each quantity: what is published, corrected by these misses and by how many the fit used up."""
    quantity, counts = rows["metric"].map(held_out.QUANTITY).to_numpy(), near**2
    out = np.empty(len(rows))
    for one in set(quantity):
        own = quantity == one
        free = max(counts[own].sum() - learnt * counts[own].sum() / counts.sum(), 0.0)
        square = (counts[own] * np.minimum(residual[own] ** 2, (FAR * 2 * public[own]) ** 2)).sum()
        out[own] = np.sqrt((WORTH * public[own] ** 2 + square) / (WORTH + free))
    return np.maximum(out, LEAST_MISS)


def table(found):
    """One row for each coefficient that the measurements bear on, those that moved furthest first.

    ``public`` and ``value`` are in ``unit``, ``low`` and ``high`` the ends of 80%, ``moved`` is a ratio minus one, ``left``
    the spread after over that before, ``said`` whether it was learnt, ``tied`` what it trades off with.
    """
    correlation = found.covariance / np.sqrt(np.outer(*[np.diag(found.covariance)] * 2)) - np.eye(len(found.felt))
    out = []
    for place, at in enumerate(found.felt):
        name, value = found.names[at], float(np.exp(found.after[at]))
        widen, (_, low, high, unit, meaning) = float(np.exp(Z_80 * found.spread_after[at])), DEFINITIONS[name]
        left = float(found.spread_after[at] / found.spread_before[at])
        partner = int(np.abs(correlation[place]).argmax()) if len(found.felt) > 1 else 0
        tied = correlation[place, partner] if len(found.felt) > 1 else 0.0
        out.append({
            "coefficient": name, "public": float(np.exp(found.before[at])), "value": value, "unit": unit,
            "low": max(value / widen, low), "high": min(value * widen, high), "left": left,
            "moved": float(np.expm1(found.after[at] - found.before[at])), "meaning": meaning,
            "said": "learnt" if left < SHARP else "narrowed" if left < DIM else "not identified",
            "tied": f"{found.names[found.felt[partner]]} ({tied:+.1f})" if abs(tied) >= TIED else ""})  # fmt: skip
    return pd.DataFrame(out).sort_values("moved", key=np.abs, ascending=False, ignore_index=True)


def yaml_number(value):
    """A number with six digits, and with the point without which YAML reads 1e-05 as a text."""
    digits, mark, power = f"{value:.6g}".partition("e")
    return digits + (".0" if mark and "." not in digits else "") + mark + power


def text(moved, path, rows):
    """The calibration as YAML: every coefficient that the rows bear on, which fit them together, with the ends of 80%."""
    lines = [f"# Coefficients of the serving model, fitted to {len(rows)} measurements of {str(path)!r} on "
             f"{datetime.date.today().isoformat()}.", "# Use: tokenecon estimate cases.csv --calibration THIS_FILE",
             "coefficients:"]
    for _, row in moved.iterrows():
        value, low, high = (yaml_number(row[end]) for end in ("value", "low", "high"))
        lines.append(f"  {row['coefficient']}: {{value: {value}, low: {low}, high: {high}}}"
                     f"  # {row['unit']}; published {row['public']:.4g}; {row['said']}")
    return "\n".join(lines) + "\n"


def write(moved, path, rows, out):
    """Put the calibration at a path, whole."""
    with files.replaced(out) as file:
        file.write(text(moved, path, rows))


def shown(moved):
    """The table as a terminal shows it."""
    return [{"coefficient": row["coefficient"], "published": f"{row['public']:.3g}", "yours": f"{row['value']:.3g}",
             "80%": f"{row['low']:.3g} – {row['high']:.3g}", "unit": row["unit"], "moved": f"{row['moved']:+.0%}",
             "spread left": f"{row['left']:.0%}", "found": row["said"], "trades off with": row["tied"]}
            for row in moved.to_dict("records")]


def sentence(rows, found, moved):
    """What the fit did, in a sentence."""
    case = measured.to_case(rows)
    public = dict(zip(found.names, np.exp(found.before).tolist(), strict=True))
    before = np.median(np.abs(rows["value"] / measured.predicted(rows, case, public) - 1))
    after = np.median(np.abs(np.expm1(found.residual)))
    count = moved["said"].value_counts()
    return (f"Median error {before:.0%} with the published coefficients, {after:.0%} with yours, over {len(rows)} "
            f"measurements; {count.get('learnt', 0)} coefficients learnt, {count.get('narrowed', 0)} narrowed, "
            f"{count.get('not identified', 0)} not identified" + (
                "." if len(count) > 1 or "not identified" not in count else
                ": more runs, with few and many clients and short and long prompts, would tell."))


def remarks(rows, found):
    """Sentences on runs that miss by more than :data:`WRONG` spreads even now."""
    far = rows[np.abs(found.residual / found.miss) > WRONG]
    return [f"look at {row['id']} again: {row['metric']} is {row['value']:.4g}, {np.exp(found.residual[at]):.2g} times what "
            "even the new coefficients say" for at, row in far.iterrows()]


def _follows(rows):
    """Rates of closed loops whose run states both latencies: clients over their sum, so no news beside them."""
    good, run = (rows["aside"] == "") & (rows["workload"] == "closed_loop"), [rows[name] for name in own_rows.RUN]
    told = [(good & (rows["metric"] == name)).groupby(run, dropna=False).transform("any") for name in ("ttft_ms", "tpot_ms")]
    return good & told[0] & told[1] & rows["metric"].isin(("output_tok_s", "total_tok_s"))


def calibrated(path):
    """The measurements of a file that were used, why others were not, and the fit to them."""
    every = own_rows.read(path)
    every.loc[_follows(every), "aside"] = "follows from the run's two latencies, which are fitted"
    rows = own_rows.used(every)
    if not len(rows):
        raise BadInput(f"measurements '{path}' hold no row that can be fitted; needed are closed loops, queues or static batches "
                       "without a flag")
    return rows, every[(every["aside"] != "") | ~every["workload"].isin(measured.LOADS)], fitted(rows)

"""The fit: coefficients that make the serving model agree with the measurements.

Throughput and latency together, on the logarithm of predicted over measured, with a robust loss, the same weight
for every campaign, bounds, and weak priors.
"""

import numpy as np
from scipy.optimize import least_squares

from tokenecon.serving.calibration import measured
from tokenecon.serving.coefficients import DEFINITIONS, priors

SCALE = 0.15  # residual where the loss turns from square to linear: about the noise floor
PRIOR_WEIGHT = 0.02  # of a coefficient a factor e away from its prior, against a campaign off by the same
SMALL_CAMPAIGN = 60  # distinct configurations below which a campaign counts for less
# Weight of a row whose prompts have an assumed length. The ends of the range move its prediction by about SCALE to both sides, as
# much as rows miss by anyhow: twice the variance, half the weight.
ASSUMED = 0.5
# Of a mean time to first token in a closed loop: it hangs on how a tool starts its clients and how many requests each sends,
# which no source states, and misses by three times as much as other figures.
LOOSE = 1 / 9
Z_80 = 1.2816  # standard deviations from the middle to the end of 80%
FELT = 0.01  # relative change of a prediction for a doubling, above which a row bears on a coefficient


def weights(rows):
    """Square root of the weight of each row: a campaign counts once, however many rows it has, and near-copies count as one."""
    size = rows["share"].groupby(rows["campaign"]).transform("sum")
    part = rows["share"] * np.where(rows["isl_low"].notna(), ASSUMED, 1.0)
    part = part * np.where((rows["metric"] == "ttft_ms") & (rows["workload"] == "closed_loop"), LOOSE, 1.0)
    weight = np.sqrt((part / np.maximum(size, SMALL_CAMPAIGN)).to_numpy())
    return weight / np.sqrt((weight**2).sum())


def robust(residual):
    """Pseudo-Huber: the square root of the loss, with the sign of the residual."""
    loss = 2 * SCALE**2 * (np.sqrt(1 + (residual / SCALE) ** 2) - 1)
    return np.sign(residual) * np.sqrt(loss)


def fit(rows, case, start=None, fixed=()):
    """Coefficients that fit the rows: a dict, and the result of the optimiser."""
    names = [name for name in DEFINITIONS if name not in fixed]
    prior, low, high = (np.log([DEFINITIONS[name][place] for name in names]) for place in (0, 1, 2))
    first = priors() if start is None else start
    weight, value = weights(rows), rows["value"].to_numpy()

    def residuals(x):
        values = first | dict(zip(names, np.exp(x).tolist(), strict=True))
        wrong = np.log(measured.predicted(rows, case, values) / value)
        return np.concatenate([robust(wrong) * weight, PRIOR_WEIGHT * (x - prior)])

    begin = np.clip(np.log([first[name] for name in names]), low + 1e-6, high - 1e-6)
    found = least_squares(residuals, begin, bounds=(low, high), x_scale=0.3, ftol=1e-5, xtol=1e-4, max_nfev=40)
    return first | dict(zip(names, np.exp(found.x).tolist(), strict=True)), found


def coefficient_rows(rows, values, found, fits):
    """Table of coefficients: estimate, 80% interval of the leave-one-family-out jackknife, rows, trade-offs."""
    names = list(DEFINITIONS)
    each = np.log([[fit_[name] for name in names] for fit_ in fits.values()])
    spread = np.sqrt((len(each) - 1) / len(each) * ((each - each.mean(axis=0)) ** 2).sum(axis=0))
    slope = np.abs(found.jac[:len(rows)]) / weights(rows)[:, None]
    covariance = np.linalg.inv(found.jac.T @ found.jac)
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale) - np.eye(len(names))
    out = []
    for place, name in enumerate(names):
        prior, low, high, unit, meaning = DEFINITIONS[name]
        partner = int(np.abs(correlation[place]).argmax())
        tied = correlation[place, partner]
        note = meaning + (f"; trades off with {names[partner]} ({tied:+.1f})" if abs(tied) >= 0.7 else "")
        widen = np.exp(Z_80 * spread[place])
        out.append({
            "id": name, "kind": "coefficient", "value": values[name], "unit": unit,
            "low": max(values[name] / widen, low), "high": min(values[name] * widen, high), "prior": prior,
            "rows": int((slope[:, place] > FELT).sum()), "note": note,
        })  # fmt: skip
    return out

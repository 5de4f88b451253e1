"""``tokenecon check``: what the model says of a reader's measurements, beside what was measured, and how often it is right."""

import numpy as np
import pandas as pd

from tokenecon import data, files
from tokenecon.serving import estimate, intervals, lookups
from tokenecon.serving.calibration import held_out, measured, support
from tokenecon.serving.own_runs import rows as own_rows

OPEN = "open_loop_qps"
RESULT = ("output_tok_s", "total_tok_s", "ttft_ms", "tpot_ms")  # what `estimate` says of arrivals


def compared(path):
    """Rows of a table of measurements with `predicted`, `low`, `high`, `ratio` (measured over predicted), `inside`, `aside`."""
    rows = own_rows.read(path)
    out = rows.assign(**dict.fromkeys(("predicted", "low", "high"), np.nan))
    closed = out.index[(out["aside"] == "") & out["workload"].isin(measured.LOADS)]
    if len(closed):
        _predict(out, closed)
    arriving = out.index[(out["aside"] == "") & (out["workload"] == OPEN)]
    if len(arriving):
        _predict_open(out, arriving)
    out["ratio"] = out["value"] / out["predicted"]
    out["inside"] = (out["low"] <= out["value"]) & (out["value"] <= out["high"])
    return out


def _predict(out, at):
    """Predictions and intervals of loads that were fitted."""
    rows = out.loc[at].reset_index(drop=True)
    case = measured.to_case(rows)
    run = case["run"]
    found = measured.predicted(rows, case, lookups.coefficients())
    low, high = (np.empty(len(rows)) for _ in range(2))
    for place, row in rows.iterrows():
        kv = "bf16" if row["kv"] == own_rows.UNSTATED else row["kv"]
        new = support.unmeasured(row["model"], row["gpu"], row["weights"], kv)[1]
        ends = intervals.ratios(lookups.widths(), held_out.QUANTITY[row["metric"]], case["load"][run[place]],
                                case["routed"][run[place]], case["family"][run[place]], new)
        low[place], high[place] = (1 / ends[1], 1 / ends[0]) if row["metric"] == "e2e_ms" else ends
    out.loc[at, "predicted"], out.loc[at, "low"], out.loc[at, "high"] = found, found * low, found * high


def _predict_open(out, at):
    """The same of arrivals at a rate, which stands in another row of the run."""
    rates = out[(out["metric"] == "request_s") & (out["workload"] == OPEN)].groupby(["source", "locator"])["value"].first()
    rows = out.loc[at].join(rates.rename("rate"), on=["source", "locator"])
    said = rows["rate"].notna() & rows["metric"].isin(RESULT)
    out.loc[rows.index[~said], "aside"] = "of arrivals, and no row of the run says their rate in request_s"
    rows = rows[said]
    ranks = pd.DataFrame([measured.layout(text) for text in rows["parallelism"]], rows.index, ["tp", "pp", "adp", "ep"])
    engine = rows["engine"].str.split(" ").str[0]
    found = estimate.estimate(rows[["model", "gpu", "n_gpus", "weights", "isl", "osl", "concurrency"]].assign(
        kv=rows["kv"].replace(own_rows.UNSTATED, ""), tp=ranks["tp"], pp=ranks["pp"], attention_dp=ranks["adp"], ep=ranks["ep"],
        load="poisson", requests_per_s=rows["rate"], engine=engine.where(engine.isin(measured.ENGINES), "any")))
    for end, column in (("", "predicted"), ("_low", "low"), ("_high", "high")):
        out.loc[rows.index, column] = [found.at[one, rows.at[one, "metric"] + end] for one in rows.index]
    out.loc[rows.index, "aside"] = found["error"]


def summary(rows):
    """One row for each accelerator, model and quantity, and one for all: median error, median of the ratio, share inside."""
    good = rows[rows["predicted"].notna()]
    out = [_line(own, gpu=gpu, model=model, metric=metric) for (gpu, model, metric), own in
           good.groupby(["gpu", "model", "metric"], sort=True)]
    return pd.DataFrame([*out, *([_line(good, gpu="all", model="all", metric="all")] if len(good) else [])])


def shown(summary):
    """The summary as a terminal shows it."""
    return [{"gpu": row["gpu"], "model": row["model"], "metric": row["metric"], "rows": row["rows"],
             "median error": f"{row['median_error']:.0%}", "measured/predicted": f"{row['median_ratio']:.2f}",
             "inside 80%": f"{row['inside']:.0%}"} for row in summary.to_dict("records")]


def left_out(rows):
    """Why rows are not compared, with how many they are."""
    return rows.loc[rows["aside"] != "", "aside"].value_counts().to_dict()


def write(rows, path):
    """Every row with its prediction, as CSV."""
    columns = [*(field["name"] for field in data.schema("measurements")), "predicted", "low", "high", "ratio", "inside", "aside"]
    with files.replaced(path) as file:
        rows[columns].to_csv(file, index=False, float_format="%.6g", lineterminator="\n")


def _line(own, **names):
    """``median_error`` is of |measured / predicted - 1|, ``median_ratio`` of measured over predicted."""
    return names | {"rows": len(own), "median_error": float((own["ratio"] - 1).abs().median()),
                    "median_ratio": float(own["ratio"].median()), "inside": float(own["inside"].mean())}

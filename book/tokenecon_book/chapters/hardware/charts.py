"""Figures of the chapter on accelerators."""

import numpy as np
import pandas as pd

from tokenecon_book.charts import theme
from tokenecon_book.charts.forms import axis, heatmap, intervals, lines, scatter
from tokenecon_book.charts.frame import MOST

COST = axis("usd_per_mtok_out", "Cost of output tokens", "USD/Mtok_out", log=True)


def cost(found):
    """Cost of a token by accelerator, cheapest first, with the interval of the model."""
    rows = found.table.head(MOST)
    known = np.where(rows["calibrated"].eq(True), "modelled", "extrapolated")
    return intervals(rows, axis("usd_per_mtok", "Cost of all tokens", "USD/Mtok"), "label", range="interval",
                     known=pd.Series(known, rows.index), hue=theme.thing(found["had"]), sort=False)


def fits(found):
    """Fewest accelerators that hold the model, by weight format."""
    return heatmap(found.table, axis("weights", "Weights"), axis("name", "Accelerator"),
                   axis("n_gpus", "Accelerators needed", "GPU"))


def splitting(found):
    """Cost of a token over the number of GPUs the model is split over, no loss on links = 1."""
    return lines(found.table, axis("n_gpus", "GPUs that share the model", "GPU", log=True, values=[1, 2, 4, 8]),
                 axis("cost_ratio", "Cost of a token, no loss on links = 1", "ratio"), "name")


def value(found):
    """Bandwidth for a watt over bandwidth for a dollar."""
    return scatter(found.table, axis("mb_per_s_per_usd", "Bandwidth for a dollar", "MB/s/USD"),
                   axis("gb_per_s_per_watt", "Bandwidth for a watt", "GB/s/W"), "name", range="offers")


def rent_or_buy(found):
    """An hour owned against an hour rented."""
    more = "" if len(found.table) <= MOST else "The first four; all are in the table below."
    return intervals(found.table.head(MOST), axis("usd_per_gpu_hour", "An hour of one accelerator", "USD/GPU/h", log=True),
                     "label", group="offer", range={"owned": "draws", "rented": "offers"}, known={"owned": "modelled"},
                     sort=False, subtitle=more)


def cpu_or_gpu(found):
    """Cost over load, for a CPU server and a GPU that are paid by the hour."""
    return lines(found.table, axis("load_tok_out_per_s", "Load", "tok_out/s", log=True), COST, "machine", range="bound")

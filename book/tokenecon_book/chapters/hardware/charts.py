"""Figures of the chapter on accelerators."""

from tokenecon_book.charts.forms import axis, heatmap, intervals, lines, scatter

COST = axis("usd_per_mtok_out", "Cost of output", "USD/Mtok_out", log=True)


def cost(table):
    """Cost of a token by accelerator, cheapest first, calibrated and textbook, with their ranges."""
    return intervals(table, COST, "label", group="by", sort=False)


def fits(table):
    """Fewest accelerators that hold the model, by weight format."""
    return heatmap(table, axis("weights", "Weights"), axis("name", "Accelerator"), axis("n_gpus", "Accelerators needed", "GPU"))


def splitting(table):
    """Cost of a token over the number of GPUs the model is split over, no loss on links = 1."""
    return lines(table, axis("n_gpus", "GPUs that share the model", "GPU", log=True, values=[1, 2, 4, 8]),
                 axis("cost_ratio", "Cost of a token, no loss on links = 1", "ratio"), "name")


def value(table):
    """Bandwidth for a watt over bandwidth for a dollar."""
    return scatter(table, axis("mb_per_s_per_usd", "Bandwidth for a dollar", "MB/s/USD"),
                   axis("gb_per_s_per_watt", "Bandwidth for a watt", "GB/s/W"), "name")


def rent_or_buy(table):
    """An hour owned against an hour rented."""
    return intervals(table, axis("usd_per_gpu_hour", "An hour of one accelerator", "USD/GPU/h", log=True), "label",
                     group="offer", sort=False)


def cpu_or_gpu(table):
    """Cost over load, for a CPU server and a GPU that are paid by the hour."""
    return lines(table, axis("load_tok_out_per_s", "Load", "tok_out/s", log=True), COST, "machine")

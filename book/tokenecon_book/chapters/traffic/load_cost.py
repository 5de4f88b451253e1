"""The published span of the cost of a token with load alone, and ours beside it."""

import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import money
from tokenecon.serving import sizing
from tokenecon_book.chapters.traffic.idle import ENDS
from tokenecon_book.documents.words import dollars

PUBLISHED_COLUMNS = {
    "what": ("Model and GPUs", None), "one": ("At 1 request/s, published", "USD/Mtok_out"),
    "own_one": ("At 1 request/s, ours", "USD/Mtok_out"), "full": ("Full, published", "USD/Mtok_out"),
    "own_full": ("Full, ours", "USD/Mtok_out"), "factor": ("Empty over full, published", "ratio"),
    "own_factor": ("Empty over full, ours", "ratio"),
}  # fmt: skip
ONE_REQUEST_PER_S = 1.0  # the load at the dear end of the published span
PUBLISHED = (("llama-3.1-8b", 1, "fp8"), ("qwen3-30b-a3b", 1, "fp8"), ("mixtral-8x7b", 2, "fp16"))
OTHER = {"_low": "_high", "": "", "_high": "_low"}  # a dear full hour makes a small factor


@finding
def published():
    """The published span of the cost of an output token with load, and the same from our model at the same price and lengths."""
    usd, isl, osl = (data.value(f"load_cost.{name}") for name in ("price", "isl", "osl"))
    rows = []
    for model, n_gpus, weights in PUBLISHED:
        one, full, tpot = (data.value(f"load_cost.{model}.{name}") for name in ("one", "full", "tpot"))
        found = sizing.one({"model": model, "gpu": "h100-sxm-80gb", "n_gpus": n_gpus, "weights": weights, "kv": "fp16",
                            "isl": isl, "osl": osl}, tpot_ms=tpot)
        paid = {"usd_per_gpu_hour": usd, "n_gpus": n_gpus, "utilisation": 1.0}
        row = {"what": f"{data.model(model)['name']}, {n_gpus} H100", "one": one, "full": full,
               "own_one": money.usd_per_mtok_out(tok_out_per_s=ONE_REQUEST_PER_S * osl, **paid),
               **{f"own_full{end}": money.usd_per_mtok_out(tok_out_per_s=found[f"output_tok_s{speed}"], **paid)
                  for end, speed in ENDS.items()}}
        row |= {f"own_factor{end}": row["own_one"] / row[f"own_full{other}"] for end, other in OTHER.items()}
        row["factor"] = one / full
        rows.append(row | {"model": model, "n_gpus": n_gpus})
    table = pd.DataFrame(rows)
    low, high = table.loc[table["full"].idxmin()], table.loc[table["one"].idxmax()]
    said = [named(f"load_cost.{row['model']}.{end}", row[end], dollars) for row, end in ((low, "full"), (high, "one"))]
    one_gpu = table[table["n_gpus"] == 1]
    theirs, ours = ([named("load-cost-factor", row[name], "{:.0f}".format, model=row["model"], by=by)
                     for _, row in one_gpu.sort_values(name).iloc[[0, -1]].iterrows()]
                    for name, by in (("factor", "published"), ("own_factor", "ours")))
    return Finding(table, (
        f"Published measurements span {said[0]} to {said[1]} per million output tokens “on identical hardware”. The dearest is "
        f"of a model on two GPUs; one model on one H100 spans a factor of {theirs[0]} to {theirs[1]}, and ours {ours[0]} to "
        f"{ours[1]}."), (
        f"At {dollars(usd)} for a GPU's hour, {isl:g} tokens in and {osl:g} out, and the published time per output token at full "
        "load. At one request a second the cost is rent over tokens, whatever the model. Runs at the highest rates seem hardly "
        "to outlast a request, so that filling and emptying count in the published full load and not in ours."),
        {f"{name}{end}": unit for name, (_, unit) in PUBLISHED_COLUMNS.items() if unit for end in ENDS})

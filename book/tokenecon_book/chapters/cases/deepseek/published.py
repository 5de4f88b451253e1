"""The same passes held against published measurements of other units with experts over many servers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding
from tokenecon_book.chapters.cases.deepseek import node_rates as rates
from tokenecon_book.chapters.cases.deepseek.node_rates import fact

H100, H800 = "h100-sxm-80gb", "h800-sxm-80gb"
# label, GPU, whether it decodes, whether all experts were made equally busy, and rows of data/assumptions.csv, named
# wide_ep.*: what was measured for a node, GPUs of the unit, tokens or sequences on each, length
POINTS = (
    ("SGLang, prompts of 1K", H100, False, False, ("prefill_1k", "prefill_ranks", "prefill_batch", "length_1k")),
    ("SGLang, prompts of 2K", H100, False, False, ("prefill_2k", "prefill_ranks", "prefill_batch", "length_2k")),
    ("SGLang, prompts of 4K", H100, False, False, ("prefill_4k", "prefill_ranks", "prefill_batch", "length_4k")),
    ("SGLang, decode", H100, True, False, ("decode_2k", "decode_ranks", "decode_batch", "decode_length")),
    ("DeepSeek's profile, prompts of 4K", H800, False, True, ("profile_prefill", "prefill_ranks", "prefill_batch", "length_4k")),
    ("DeepSeek's profile, decode", H800, True, True,
     ("profile_decode", "profile_decode_ranks", "profile_decode_batch", "length_4k")),
)  # fmt: skip
COLUMNS = {
    "point": ("Measured", None), "n_gpus": ("Unit", "GPU"), "measured": ("A node, measured", "tok/s"),
    "ours": ("By this page's passes", "tok/s"), "ratio": ("Ours over measured", "ratio"),
}  # fmt: skip
SHORT = 20.0  # prompt over answer where only prompts were measured; the answer changes nothing there


def _at(case, gpu, ranks, length):
    """The page's model at another unit's length, with no cache: the prompts of `length`, or the context decoded at."""
    return SimpleNamespace(**(vars(case) | {
        "gpu": gpu, "prefill_ranks": ranks, "decode_ranks": ranks, "input_tokens": SHORT, "output_tokens": 1.0,
        "cached_tokens": 0.0, "kv_length": length}))


@finding
def others(case):
    """Rates of a node by our passes over the measured ones, at the conditions of each measurement."""
    slow, fast = rates.spread()
    rows = []
    for label, gpu, decoding, even, names in POINTS:
        measured, ranks, batch, length = (data.value(f"wide_ep.{name}") for name in names)
        if not decoding:  # the context of an answer is the prompt and half of the answer
            length += length / SHORT / 2
        there = _at(case, gpu, int(ranks), length)
        columns = rates.unit(there, int(ranks))
        found = rates.passes(there, columns, batch, decoding=decoding, exchange="hidden",
                             changed={"imbalance": np.array([1.0])} if even else None).iloc[0]
        ours = found["tokens"] / found["total"] * fact("gpus_per_node")
        rows.append({
            "point": label, "experts": "experts equally busy" if even else "experts as they come", "n_gpus": ranks,
            "measured": measured, "ours": ours, "ours_low": ours * slow, "ours_high": ours * fast, "ratio": ours / measured,
            "ratio_low": ours * slow / measured, "ratio_high": ours * fast / measured})
    table = pd.DataFrame(rows)
    low, high = table["ratio"].min(), table["ratio"].max()
    return Finding(
        table, f"At {len(table)} published measurements of such units, which the model has not seen, the same passes give "
        f"{low:.2f} to {high:.2f} times the measured rate",
        "Each at its own batch and length, exchange behind computation. DeepSeek's profile was made with all experts equally "
        "busy, so the busiest hold up nobody there. Bars: the interval of the model.",
        units=dict.fromkeys(("measured", "ours", "ours_low", "ours_high"), "tok/s"))

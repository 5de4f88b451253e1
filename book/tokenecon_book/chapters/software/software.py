"""What would change the saving of all levers together, and what others have published on each."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import DoesNotFit, TooSlow
from tokenecon.finding import Finding, finding
from tokenecon.serving.operating_point import TEXTBOOK
from tokenecon_book.chapters.software import stacking
from tokenecon_book.chapters.software.lever_points_textbook import LEVERS
from tokenecon_book.documents import moved

# Published effects that no figure of the page draws, by what the reader would look for.
LITERATURE = {
    "quantisation.gptq.opt-175b-3bit-fast": "3-bit weights, one request",
    "quantisation.trtllm.w4a16-llama3-8b-large-batch": "4-bit weights, large batch",
    "quantisation.trtllm.fp8-llama3-70b-tp8": "FP8, most throughput",
    "kv-quantisation.lmdeploy.llama2-7b-int8": "8-bit cache, multi-head model",
    "kv-quantisation.lmdeploy.internlm2-7b-int8": "8-bit cache, grouped-query model",
    "paged-kv.vllm.kwon": "paged cache",
    "continuous-batching.anyscale.vllm": "continuous batching and paging",
    "continuous-batching.anyscale.tgi": "continuous batching",
    "speculative.eagle-3.vicuna-13b": "speculation, best published drafts",
    "speculative.vllm.llama3-70b-sharegpt": "speculation, light load",
    "speculative.vllm.llama3-70b-sharegpt-loaded": "speculation, heavy load",
    "speculative.vllm.llama3-70b-cnn-loaded": "speculation, heavy load, summaries",
}
LITERATURE_COLUMNS = {
    "what": ("Optimisation", None), "speedup": ("Speed or throughput over the baseline", "ratio"),
    "baseline": ("Baseline", None), "conditions": ("Conditions", None), "publisher": ("Published by", None),
}  # fmt: skip
CHANGE_COLUMNS = {
    "change": ("What changes", None), "cost_factor": ("Cheaper with all optimisations", "ratio"),
    "usd_per_mtok": ("Cost of all tokens", "USD/Mtok"), "textbook_cost_factor": ("Cheaper, by the textbook", "ratio"),
}  # fmt: skip


# The first of these that the model has positions for.
LONGER = ((4, "four times as long"), (2, "twice as long"), (1.5, "half again as long"))


def one_input_changes(case):
    """Changes of one input each: {text: changed parameters}."""
    ranges = {"acceptance": "speculation.acceptance", "hit_rate": "cache.hit_rate", "small_share": "routing.small_share"}
    words = {"acceptance": "of drafts accepted", "hit_rate": "of input found in the cache",
             "small_share": "of tokens routed to the small model"}
    longest = data.model(case.model)["max_positions"] - case.osl
    longer = {f"prompts {words}": {"isl": factor * case.isl} for factor, words in LONGER
              if factor * case.isl <= longest}
    found = {
        "the case itself": {},
        "weights in INT4": {"weights": "int4"},
        "weights and cache stay in 16 bits": {"weights": "fp16", "kv": "fp16"},
        "a token may take twice as long": {"tpot_ms": 2 * case.tpot_ms},
        "a token must come in half the time": {"tpot_ms": case.tpot_ms / 2},
        **dict(list(longer.items())[:1]),
        "twice the GPUs": {"n_gpus": 2 * case.n_gpus},
        "half the GPUs": {"n_gpus": max(1, case.n_gpus // 2)},
        "answers of exponential length": {"lengths": "exponential"},
    }
    for parameter, assumption in ranges.items():
        low, _typical, high = data.span(assumption)
        found |= {f"{end:.0%} {words[parameter]}": {parameter: end} for end in (low, high)}
    return found


@finding
def sensitivity(case):
    """Factor by which all levers together cut the cost when one input of the case moves."""
    rows = []
    changes = [(text, change, LEVERS) for text, change in one_input_changes(case).items()]
    changes.insert(1, ("without speculation", {}, [lever for lever in LEVERS if lever != "speculation"]))
    for text, change, on in changes:
        now, words = SimpleNamespace(**(vars(case) | change)), moved.said(change)
        if len(on) < len(LEVERS):
            words = {"what": "Speculative decoding", "to": "left out"}
        try:
            best = stacking.cost(now, frozenset(on))
            first = stacking.cost(now, frozenset())
            rows.append({"change": text, **words, "cost_factor": first / best, "usd_per_mtok": best,
                         "documents_factor": first / stacking.cost(now, frozenset(stacking.CLAIMED) & set(on)),
                         "textbook_cost_factor": textbook_factor(now, on)})
        except DoesNotFit:
            rows.append({"change": f"{text} (does not fit the memory)", **words})
        except TooSlow:
            rows.append({"change": f"{text} (not even one request at a time is fast enough)", **words})
    table = pd.DataFrame(rows, columns=["change", "what", "to", "cost_factor", "usd_per_mtok", "documents_factor",
                                        "textbook_cost_factor"])
    return Finding(table, units={"documents_factor": "ratio"}, note=(
        "Each row against its own baseline, with the same change, on its number of GPUs or twice as many: a baseline that is "
        "short of memory makes every optimisation that frees some look large."))


def textbook_factor(case, on):
    """The same factor by the textbook; missing where its memory or its speed allow no batch."""
    try:
        return stacking.cost(case, frozenset(), TEXTBOOK) / stacking.cost(case, frozenset(on), TEXTBOOK)
    except (DoesNotFit, TooSlow):
        return np.nan


@finding
def literature():
    """Published effects of levers that no figure of this page draws, with their baseline and conditions."""
    facts = {name: data.row("optimisations", name) for name in LITERATURE}
    table = pd.DataFrame([
        {"id": name, "what": LITERATURE[name], "speedup": fact["value"],
         "speedup_low": fact["low"] if fact["low"] == fact["low"] else fact["value"],
         "speedup_high": fact["high"] if fact["high"] == fact["high"] else fact["value"],
         "baseline": fact["baseline"], "conditions": fact["conditions"],
         "publisher": data.source(fact["source"])["publisher"]}
        for name, fact in facts.items()])
    return Finding(table, note="One engine against another is more than one optimisation.")

"""Published rates of experts spread over many GPUs, each beside what ``tokenecon.estimate`` says of the same layout and load.

No fit uses them.  Where a pool was measured with the other one made not to limit, it stands here so, too: answers beside prompts
that cost nothing, prompts with answers of one token.
"""

import numpy as np
import pandas as pd

import tokenecon
from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.serving import coefficients
from tokenecon.units import MS_PER_SECOND
from tokenecon_book.documents.printed import n

NEAR = 1.5  # factor within which a rate counts as met,
AIM = 2 / 3  # and the share of the rates that should be
ANSWER = 100.0  # tokens of an answer where none is stated: half of it is all that it adds to the context
POOL = 200  # prefill units beside one that answers: so many that they limit nothing
SEQUENCES = np.geomspace(1.0, 1024.0, 41)  # on a GPU, among which the one at a stated speed lies
EXCHANGES = {"two batches": "hidden", "one batch": "partly", "none": "added", "": "hidden"}
# Rates that are missed, and why: ids of data/wide_ep.csv -> reason.
HOST = "does not fit: part of the weights lies in the memory of the host, which the model does not know"
H20 = ("the H20 has a seventh of the H100's arithmetic, which those who serve on it drive harder than what was fitted; and its "
       "attention computes in 8 bits, the model's in 16")
OUTSIDE = {
    "wide-ep-02": "the source does not say whether a token was guessed ahead in each step (MTP), which gives users their speed "
    "at a larger batch; the last table of the page has the day with it",
    "wide-ep-13": HOST, "wide-ep-43": HOST,
    "wide-ep-14": "inside one NVLink domain the model has every GPU gather the tokens of all 48; this engine sends each token to "
    "its experts alone",
    **dict.fromkeys((f"wide-ep-{number}" for number in (19, 21, 22, 23, 25, 26)), H20),
    "wide-ep-45": "the indexer of V3.2 in this version takes 2.7 times as long as attention without one, says its source; "
    "nothing like it is in the fit",
}  # fmt: skip
COLUMNS = {
    "system": ("Deployment", None), "layout": ("Layout", None), "load": ("Load", None), "measured": ("Measured", "tok/s/GPU"),
    "ours": ("Estimated", "tok/s/GPU"), "ratio": ("Ours over measured", "ratio"), "why": ("Why not near", None),
}  # fmt: skip


def rows():
    """The rates that a model can be held against."""
    return data.rows("wide_ep", {"flag": ""}).reset_index(drop=True)


def acceptance(drafts):
    """Chance that a draft is accepted, from the published tokens of a pass with so many: 1 + a + ... + a^k of them."""
    lengths = data.rows("wide_ep", {"metric": "accepted_length"}).set_index("draft_tokens")["value"]
    roots = np.roots([1.0] * int(drafts) + [1.0 - lengths[drafts]])
    return float(roots[np.isreal(roots) & (roots.real > 0)].real[0])


def pool(row):
    """Whether the GPUs that a row counts read prompts, whether they do nothing else, how many, and how the model lies on them."""
    reads = row.metric == "input_tok_s"
    own, split = (row.prefill_gpus, row.prefill_parallelism) if reads else (row.decode_gpus, row.decode_parallelism)
    alone = own == own
    return reads, alone, int(own if alone else row.n_gpus), split


def cases(row):
    """The cases that a row is compared with: one, or several among which the stated speed of a user lies."""
    reads, alone, ranks, split = pool(row)
    name = row.engine.replace(",", " ").split()[0]
    case = {"row_id": row.id, "model": row.model, "gpu": row.gpu, "weights": row.weights, "kv": row.kv, "tp": ranks,
            "engine": name if name in coefficients.ENGINES else "any", "exchange": EXCHANGES[row.overlap], "n_gpus": ranks,
            "attention_dp": 1 if split.startswith("TP") else ranks, "usd_per_gpu_hour": 0.0, "ranks": ranks}
    if reads:  # a pool that only reads needs next to no cache: its engine may fill the memory
        return [case | {"isl": row.isl, "osl": 1, "concurrency": row.tokens_per_gpu / row.isl * ranks, "memory_share": 1.0}]
    osl = row.osl if row.osl == row.osl else ANSWER
    case |= {"isl": row.context - osl / 2 if row.context == row.context else row.isl, "osl": osl}
    if row.draft_tokens > 0:
        case |= {"draft_tokens": row.draft_tokens, "acceptance": acceptance(row.draft_tokens)}
    if alone:
        case |= {"n_gpus": ranks * (1 + POOL), "prefill_gpus": ranks * POOL, "prefill_tp": ranks}
    each = SEQUENCES if row.user_tok_s == row.user_tok_s else [row.concurrency_per_gpu]
    return [case | {"concurrency": one * ranks} for one in each]


def rate(row, found):
    """Tokens a second of a GPU that does the work, with its ends, from the estimates of a row's cases. [tok/s]

    A pool that only answers makes as many as its sequences and their time per token say: beside it all prompts are read in time.
    """
    reads, alone, _, _ = pool(row)
    if reads or not alone:
        tokens = found["isl"] if reads else 1.0
        ends = {name: found[f"output_tok_s{name}"] * tokens / found["ranks"] for name in ("", "_low", "_high")}
    else:
        times = {"": "tpot_ms", "_low": "tpot_ms_high", "_high": "tpot_ms_low"}
        ends = {name: found["concurrency"] / found["ranks"] * MS_PER_SECOND / found[time] for name, time in times.items()}
    if row.user_tok_s == row.user_tok_s:
        wanted = MS_PER_SECOND / row.user_tok_s
        return {name: float(np.interp(wanted, found["tpot_ms"], end)) for name, end in ends.items()}
    return {name: float(end.iloc[0]) for name, end in ends.items()}


def layout(row):
    """GPUs and how the model lies on them, in words."""
    reads, _, ranks, split = pool(row)
    return f"{gpus(row, ranks)} {'reading' if reads else 'answering'}" + (f", {split.split(',')[0]}" if split else "")


def gpus(row, ranks):
    """So many of a row's GPU, by its short name."""
    return f"{ranks} {row.gpu.split('-')[0].upper()}"


def load(row):
    """The load of a row in words."""
    prompts = f"prompts of {n(row.isl, 4)}" if row.isl == row.isl else f"context of {n(row.context, 4)}"
    if pool(row)[0]:
        return prompts
    parts = [prompts, f"answers of {n(row.osl, 4)}" if row.osl == row.osl else "",
             f"{n(row.concurrency_per_gpu, 4)} a GPU" if row.concurrency_per_gpu == row.concurrency_per_gpu
             else f"{row.user_tok_s:g} tok/s a user" if row.user_tok_s == row.user_tok_s else "as many as fit",
             f"{row.draft_tokens:g} drafted" if row.draft_tokens > 0 else ""]
    return ", ".join(filter(None, parts))


def label(row):
    """A row in a few letters."""
    reads, _, ranks, split = pool(row)
    named = gpus(row, ranks) + (" TP" if split.startswith("TP") else "")
    if reads:
        return f"{named} read {n(row.isl, 4)}"
    if row.user_tok_s == row.user_tok_s:
        return f"{named}, {row.user_tok_s:g} tok/s"
    each = row.concurrency_per_gpu
    return f"{named}, {n(each, 4)} each" if each == each else f"{named}, full"


@finding
def others():
    """Every published rate that states its load beside ours, with the interval of the model."""
    table = rows()
    given = pd.DataFrame([case for row in table.itertuples() for case in cases(row)])
    found = tokenecon.estimate(given)
    out = []
    for row in table.itertuples():
        ours = rate(row, found[found["row_id"] == row.id])
        out.append({"id": row.id, "label": label(row), "system": row.system, "layout": layout(row), "load": load(row),
                    "work": "reads prompts" if pool(row)[0] else "answers",
                    "measured": row.value, "ours": ours[""], "ours_low": ours["_low"], "ours_high": ours["_high"],
                    **{f"ratio{end}": value / row.value for end, value in ours.items()}})
    out = pd.DataFrame(out)
    out["near"] = out["ratio"].between(1 / NEAR, NEAR)
    out["why"] = ["" if one.near else OUTSIDE.get(one.id, "") for one in out.itertuples()]
    near, far = out["near"].sum(), out[~out["near"]]
    h20 = far["why"].eq(H20).sum()
    met = "" if near >= AIM * len(out) else " Two thirds were the aim" + (
        f"; of the {len(far)} others {h20} are on the H20." if h20 else ".")
    every, good = (named("rates-of-experts", number, str, which=which)
                   for number, which in ((len(out), "that state their load"), (near, "met within a factor")))
    return Finding(
        out, f"Of {every} published rates of experts over many GPUs, {good} are met within a factor of "
        f"{named('factor-met', NEAR, '{:g}'.format)}",
        f"Rates that state their load.{met} Bars: the interval of the model, widened because nothing alike was in the fit. Each: "
        "sequences on a GPU; full: as many as fit, beside their prompts. "
        f"Not drawn: {out['ratio'].isna().sum()} that do not fit into the memory of their GPUs.",
        units=dict.fromkeys(("measured", "ours"), "tok/s/GPU") | {"ratio": "ratio"})

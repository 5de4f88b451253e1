"""What speculative decoding gains: alone, where checking is free, and under load, where it is not."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import DoesNotFit, NoEstimate
from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import levers, roofline
from tokenecon.serving import operating_point, textbook
from tokenecon_book.documents import base
from tokenecon_book.documents.words import count, percent

# Published effects with the batch that their conditions name; those at a stated request rate have none.
POINTS = {
    "speculative.medusa-2": (1, "Medusa 2"),
    "speculative.argonne.llama2-7b-batch1-256": (1, "Llama 2 7B, A100"),
    "speculative.argonne.llama2-7b-batch64-256": (64, "Llama 2 7B, A100"),
    "speculative.argonne.mixtral-batch1-256": (1, "Mixtral 8x7B, A100"),
}
MODEL, LOADED = operating_point.CALIBRATED, operating_point.TEXTBOOK
MOST_DRAFTS = 12
MOST_ACCEPTED = 0.999  # the calibrated model takes chances below one


def check_seconds(*, model, gpu, n_gpus, weights, kv, positions, batch, draft_tokens, efficiencies):
    """Time of a pass that checks the drafts of every sequence, as [poor, expected, good]. [s]

    Weights and cache are read once, as in a decode step; arithmetic and messages grow with the positions
    checked, and a mixture of experts reads the experts of all of them.
    """
    checked = draft_tokens + 1
    step = textbook.decode_step(model=model, gpu=gpu, n_gpus=n_gpus, weights=weights, kv=kv, positions=positions,
                                batch=batch, efficiencies=efficiencies)
    weights_s = roofline.memory_seconds(
        bytes_moved=textbook.weights_read(model, weights, batch * checked), n_gpus=n_gpus,
        bytes_per_s_per_gpu=textbook.placement(model, gpu, n_gpus, weights)["bytes_per_s"],
        mbu=np.array(efficiencies["mbu.decode"]))
    return roofline.pass_seconds(
        memory_s=weights_s + step["cache_s"], compute_s=step["compute_s"] * checked,
        comm_s=textbook.communication_s(model, gpu, n_gpus, weights, batch, checked), fixed_s=step["fixed_s"])


def pass_seconds(*, acceptance, draft_tokens, draft_cost, efficiencies, batch, **where):
    """Time of drafting and checking, and tokens gained in it: (seconds as [poor, expected, good], tokens)."""
    step_s = textbook.decode_step(batch=batch, efficiencies=efficiencies, **where)["step_s"]
    check_s = check_seconds(batch=batch, draft_tokens=draft_tokens, efficiencies=efficiencies, **where)
    gained = levers.speculative_tokens_per_pass(acceptance=acceptance, draft_tokens=draft_tokens)
    return check_s + draft_tokens * draft_cost * step_s, gained


def speedup(*, acceptance, draft_tokens, draft_cost, batch, efficiencies=None, **where):
    """Speed with speculation over speed without, at a batch, expected efficiencies. [ratio]"""
    efficiencies = efficiencies or textbook.assumed()
    step_s = textbook.decode_step(batch=batch, efficiencies=efficiencies, **where)["step_s"]
    check_s = check_seconds(batch=batch, draft_tokens=draft_tokens, efficiencies=efficiencies, **where)
    gained = levers.speculative_tokens_per_pass(acceptance=acceptance, draft_tokens=draft_tokens)
    return float(levers.speculative_speedup_under_load(
        tokens_per_pass=gained, draft_tokens=draft_tokens, draft_cost_ratio=draft_cost,
        decode_s=step_s, verify_s=check_s)[textbook.EXPECTED])


def _where(case):
    return {"model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "weights": case.weights, "kv": case.kv,
            "positions": case.isl + case.osl / 2}


def _case(case):
    """The page's instance and requests for the calibrated model; money does not matter here."""
    return {"model": case.model, "gpu": case.gpu, "n_gpus": case.n_gpus, "weights": case.weights, "kv": case.kv,
            "isl": case.isl, "osl": case.osl, "usd_per_gpu_hour": 1.0, "utilisation": 1.0}


def _acceptances(case):
    """The case's acceptance between the ends of the assumed range, widened to hold it."""
    low, _typical, high = data.span("speculation.acceptance")
    return min(low, case.acceptance), case.acceptance, max(high, case.acceptance)


def batches(case):
    """Powers of two up to what the memory holds with a paged cache by both models."""
    ceiling = textbook.max_concurrency(model=case.model, gpu=case.gpu, n_gpus=case.n_gpus, weights=case.weights, kv=case.kv,
                                       positions=case.isl + case.osl)
    if ceiling < 1:
        raise DoesNotFit(
            f"parameter 'n_gpus' is {case.n_gpus}, but {case.n_gpus} x {case.gpu} hold no sequence of "
            f"{case.isl + case.osl} tokens beside the weights of {case.model} ({case.weights}); raise it")
    ceiling = min(ceiling, operating_point.point(**_case(case), concurrency=np.nan)["concurrency_used"])
    powers = [2**power for power in range(int(np.log2(ceiling)) + 1)]
    return sorted({*powers, int(ceiling)})


@finding
def load_curve(case):
    """Speed-up over the batch by both models, with the range that the acceptance gives."""
    rows, sizes = [], batches(case)
    by_model = calibrated_speedups(case, sizes)
    for batch in sizes:
        values = {MODEL: by_model[batch], LOADED: [
            speedup(acceptance=acceptance, draft_tokens=case.draft_tokens, draft_cost=case.draft_cost, batch=batch,
                    **_where(case)) for acceptance in _acceptances(case)]}
        rows += [{"batch": batch, "assumption": text, "speedup": middle, "speedup_low": low, "speedup_high": high}
                 for text, (low, middle, high) in values.items()]
    table = pd.DataFrame(rows)
    loaded, theirs = (table[table["assumption"] == one] for one in (MODEL, LOADED))
    first, last = loaded.iloc[0], loaded.iloc[-1]
    free = float(levers.speculative_speedup(
        tokens_per_pass=levers.speculative_tokens_per_pass(acceptance=case.acceptance, draft_tokens=case.draft_tokens),
        draft_tokens=case.draft_tokens, draft_cost_ratio=case.draft_cost))
    claim = data.claim("sw-spec-decoding-speedup")
    few, many = best_drafts(case, int(first.batch)), best_drafts(case, int(last.batch))
    of = base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "acceptance", "draft_tokens")
    alone, full = (named("speculation-speedup", row.speedup, _times, batch=int(row.batch), **of)
                   for row in (first, last))
    least = named("sw-spec-decoding-speedup", claim["low"], "{:.0f}".format)
    together = f", {full} times where memory is full" if last.batch > 1 else ""
    return Finding(table, (
        f"Speculation makes a token {alone} times as fast for one request{together}; the documents say at least {least}"), (
        f"The memory is full at batch {last.batch:.0f}; by the textbook {theirs['speedup'].iloc[0]:.1f} and "
        f"{_times(theirs['speedup'].iloc[-1])} times. "
        "Bands: the assumed range of acceptance. In the calibrated model drafts come from one more layer of the model, and no "
        "measurement with speculation was fitted. Diamonds: published effects on other models, drafts and engines; "
        "below 1, speculation makes tokens slower and dearer."),
        points=literature(), free=free,
        drafts=_drafts_words(case, few, many, int(last.batch), free))


def _times(ratio):
    """A speed-up with two digits, one of which stands behind the point: "3.1", "1.0", "0.87"."""
    return f"{ratio:.1f}" if f"{ratio:.2g}" == "1" else f"{ratio:.2g}"


def _drafts_words(case, few, many, batch, free):
    """How many tokens it pays to draft for one request and at the largest batch, by the textbook."""
    accepted = f"With {given(case, 'acceptance', percent)} of the drafts accepted"
    if not few:
        return f"{accepted} it does not pay to draft at all, by the textbook."
    of = base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "acceptance", "draft_cost")
    alone = named("drafts-paying", few, lambda number: count(number, "token"), batch=1, **of)
    loaded = named("drafts-paying", many, str, batch=batch, **of) if many else "none"
    at_batch = "" if batch == 1 else f", and {loaded} where the memory is full"
    gain = (f" If checking were free it would gain {named('speculation-free', free, '{:.1f}'.format, **of)} times at any load."
            if free >= 1.05 else "")
    return f"{accepted} it pays to draft {alone} a pass for one request{at_batch}, by the textbook.{gain}"


def calibrated_speedups(case, sizes):
    """Time per output token without speculation over with it, by the calibrated model: {batch: one for each acceptance}.

    Drafts come from one more layer of the model; `draft_cost` is the textbook's.
    """
    asked = _case(case)
    accepted = _acceptances(case)
    plain = operating_point.points(pd.DataFrame([asked | {"concurrency": batch} for batch in sizes]))
    drafted = operating_point.points(pd.DataFrame([
        asked | {"concurrency": batch, "draft_tokens": case.draft_tokens, "acceptance": min(one, MOST_ACCEPTED)}
        for batch in sizes for one in accepted]))
    for table in (plain, drafted):
        if table["reason"].any():
            raise NoEstimate(table.loc[table["reason"] != "", "reason"].iloc[0])
    ratio = np.repeat(plain["tpot_ms"].to_numpy(), len(accepted)) / drafted["tpot_ms"].to_numpy()
    return dict(zip(sizes, ratio.reshape(len(sizes), len(accepted)), strict=True))


def literature():
    """Published speed-ups with a named batch, as points of :func:`load_curve`."""
    rows = []
    for name, (batch, label) in POINTS.items():
        fact = data.row("optimisations", name)
        rows.append({"batch": batch, "label": label, "range": "printed", "speedup": fact["value"], **{
            f"speedup_{end}": fact[end] if fact[end] == fact[end] else fact["value"] for end in ("low", "high")}})
    return pd.DataFrame(rows)


def best_drafts(case, batch):
    """Number of drafted tokens that gains most at a batch; 0 where drafting does not pay. [position]"""
    gains = {0: 1.0} | {
        drafts: speedup(acceptance=case.acceptance, draft_tokens=drafts, draft_cost=case.draft_cost, batch=batch,
                        **_where(case)) for drafts in range(1, MOST_DRAFTS + 1)}
    return max(gains, key=gains.get)

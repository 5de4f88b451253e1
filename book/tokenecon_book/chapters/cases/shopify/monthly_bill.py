"""The same case over the length of a turn: what the bill would carry, and which input would reconcile it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import NoEstimate
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import money, serving
from tokenecon.queries import remembered
from tokenecon.serving import sizing
from tokenecon_book.chapters.cases.shopify.conversations import (
    bottom_up,
    check,
    listed,
    of,
    said_mtok,
    said_turn,
    tokens_per_turn,
    whole,
)  # fmt: skip
from tokenecon_book.documents import moved
from tokenecon_book.documents.bills import paid, prices, reconciling, usd_per_month

SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "own": ("Own cost", "USD/Mtok"), "fits": ("Tokens a turn that fit the bill", "tok/request"),
}  # fmt: skip
SHORTEST = 5.0  # tokens of a turn where the curve begins
LENGTHS = 16  # points of the curve over the tokens of a turn


@remembered
def _served(model, gpu, n_gpus, weights, kv, ttft_ms, tpot_ms, lengths, reading):
    """A replica for each length of a turn, of which this share is the prompt."""
    lengths = np.array(lengths)
    return sizing.capacity(pd.DataFrame({
        "model": model, "gpu": gpu, "n_gpus": n_gpus, "weights": weights, "kv": kv, "isl": np.maximum(lengths * reading, 1.0),
        "osl": np.maximum(lengths * (1 - reading), 1.0)}), ttft_ms=ttft_ms, tpot_ms=tpot_ms)


@finding
def curve(case):
    """Monthly cost of the printed turns on an own rented fleet over their length, with the length that the bill carries."""
    check(case)
    usual, implied_turn = case.isl + case.osl, float(tokens_per_turn(case))
    lengths = np.geomspace(min(SHORTEST, implied_turn), max(2 * usual, implied_turn), LENGTHS)
    replicas = _served(case.model, case.gpu, case.n_gpus, case.weights, case.kv, case.ttft_ms, case.tpot_ms, tuple(lengths),
                       case.isl / usual)
    served = (replicas["reason"] == "").to_numpy()
    if not served.any():
        raise NoEstimate(f"parameter 'n_gpus' is {case.n_gpus}: {replicas['reason'].iloc[0]}")
    rent, turns = prices(case), case.conversations_per_day * case.turns
    costs = [usd_per_month(paid(case, row, turns), case.n_gpus, rent) for row in replicas[served].to_dict("records")]
    low, typical, high = np.array(costs).T
    own = pd.DataFrame({"tok_per_turn": lengths[served], "offer": f"own: {case.n_gpus} × {data.gpu(case.gpu)['name']}",
                        "usd_per_month": typical, "usd_per_month_low": low, "usd_per_month_high": high})
    fits = {f"fits{end}": _length_at(own, f"usd_per_month{column}", case.usd_per_month_after)
            for end, column in (("", ""), ("_low", "_high"), ("_high", "_low"))}
    return Finding(own, usual=usual, implied=implied_turn, beyond=_beyond(own, case.usd_per_month_after), **fits)


@finding
def bill(case):
    """Monthly cost of the printed turns over their length, on an own fleet and through the API."""
    own, market = curve(case), listed(case)
    parts = [own.table]
    if market:
        lengths = own.table["tok_per_turn"]
        volume = serving.tok_per_day_of_conversations(conversations_per_day=case.conversations_per_day, turns=case.turns,
                                                      tok_per_turn=lengths)
        parts.append(pd.DataFrame({"tok_per_turn": lengths, "offer": "API price of the date"} | {
            f"usd_per_month{end}": money.usd_per_month(tok_per_day=volume, usd_per_tok=units.convert(usd, "USD/Mtok", "USD/tok"))
            for end, usd in zip(("_low", "", "_high"), market, strict=True)}))
    return Finding(
        pd.concat(parts, ignore_index=True), f"On a fleet of its own, Shopify's bill pays for {_carried(case, own)} tokens a "
        f"turn; the documents' volumes leave {said_turn(case)}, a real one has "
        f"{named('turn-measured', own['usual'], '{:,.0f}'.format)}",
        bottom_up(case).note, bill=case.usd_per_month_after, **{name: own[name] for name in ("usual", "implied", "fits")})


def _beyond(own, usd):
    """Where the length that a bill carries lies beyond the curve: "more than" its end, "fewer than" its start, or nothing."""
    costs = own["usd_per_month"]
    return "more than" if usd > costs.max() else "fewer than" if usd < costs.min() else ""


def _carried(case, own):
    """The tokens of a turn that the bill carries, in words, by the curve of :func:`curve`."""
    return f"{own['beyond']} {named('case-turn-that-fits', own['fits'], whole, study='Shopify', **of(case))}".strip()


def _length_at(own, column, usd):
    """Tokens of a turn at which a curve of bills passes an amount; its end where it does not reach so far."""
    costs = np.maximum.accumulate(own[column].to_numpy())
    return float(np.exp(np.interp(np.log(usd), np.log(costs), np.log(own["tok_per_turn"].to_numpy()))))


@finding
def reconcile(case):
    """Which single input would make the page's fleet cost what the bill says, at turns of the usual length."""
    own, lengths = bottom_up(case), curve(case)
    here, replica = own["turns"], own["replica"]
    factor = case.usd_per_month_after / here.usd_per_month
    low, typical, high = prices(case)
    isl, osl = data.span("workload.isl_azure_conv"), data.span("workload.osl_azure_conv")
    rate = replica["requests_per_s"]
    turn = [] if lengths["beyond"] else [
        {"parameter": "tokens of a turn", "unit": "tokens", "page": lengths["usual"], "needed": lengths["fits"],
         "low": isl[0] + osl[0], "high": isl[2] + osl[2]}]
    found = reconciling([
        *turn,
        {"parameter": "price of a GPU-hour", "unit": "USD", "page": typical, "needed": typical * factor, "low": low,
         "high": high},
        {"parameter": "turns that a replica serves", "unit": "a second", "page": rate, "needed": rate / factor,
         "low": replica["requests_per_s_low"], "high": replica["requests_per_s_high"]},
        {"parameter": "busy share of the fleet", "unit": "", "page": here.utilisation, "needed": here.utilisation / factor,
         "low": 0.0, "high": 1.0},
        {"parameter": "turns of a conversation", "unit": "", "page": case.turns, "needed": case.turns * factor},
        {"parameter": "conversations of a day", "unit": "", "page": case.conversations_per_day,
         "needed": case.conversations_per_day * factor},
    ], "explain the bill")
    return Finding(found.table, found.sentence, own.note, possible=found["possible"])


@finding
def headline(case):
    """The answer of the page: the two figures that do not add up, and the number that would."""
    answer = curve(case)
    return Finding(
        answer.table, f"Shopify's case pays {said_mtok(case, 'usd_per_month_after')} for a million tokens; a fleet of its own "
        f"would cost that bill at {_carried(case, answer)} tokens a turn, not {said_turn(case)}.")


@finding
def sensitivity(case):
    """Own cost of a million tokens, and the tokens a turn that would fit the bill, when one input moves."""
    low, _, high = data.span("service.tpot")
    moves = {"the page itself": {}, f"{low:g} ms a token at most": {"tpot_ms": low},
             f"{high:g} ms a token at most": {"tpot_ms": high}, "an even load": {"peak_to_mean": 1.0},
             "a fleet that follows the load": {"policy": "autoscale"}, "half the turns": {"turns": max(1, case.turns // 2)},
             "the first bill": {"usd_per_month_after": case.usd_per_month_before}}
    rows = []
    for text, move in moves.items():
        now = SimpleNamespace(**(vars(case) | move))
        try:
            found = curve(now)
            rows.append({"change": text, **moved.said(move), "own": bottom_up(now)["turns"].usd_per_mtok,
                         "fits": np.nan if found["beyond"] else found["fits"]})
        except ValueError:
            if not move:
                raise
            rows.append({"change": f"{text} (cannot be kept)", **moved.said(move), "own": np.nan, "fits": np.nan})
    return Finding(pd.DataFrame(rows), units={"own": "USD/Mtok", "fits": "tok/request"})

"""The case of a merchant assistant: tokens of a turn, price of a token, and the bill that would fit."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.analysis import textbook
from tokenecon.analysis.cases import fact, filled, fleet, positive, prices, ratio_words
from tokenecon.formulas import bills, levers, money, workload

FLEET_COLUMNS = {
    "bill": ("Bill", None), "usd_per_day": ("A day", "USD/day"), "gpus": ("GPUs it pays for", "GPU"),
    "rate": ("Tokens of each", "tok/s/GPU"),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "own": ("Own cost", "USD/Mtok"), "fits": ("Tokens a turn that fit the bill", "tok/request"),
}  # fmt: skip


def _day(usd_per_month):
    return units.convert(usd_per_month, "USD/month", "USD/day")


def _check(case):
    positive(case, "conversations_per_day", "tokens_per_day", "usd_per_month_before", "usd_per_month_after")


def tokens_per_turn(case):
    """Tokens in a turn that the printed volumes imply."""
    _check(case)
    return workload.tok_per_turn(tok_per_day=case.tokens_per_day, conversations_per_day=case.conversations_per_day,
                                 turns=case.turns)


def own_cost(case):
    """The page's own operating point, at the price range of its date."""
    price, cited = prices(case)
    row = textbook.point(
        model=case.model, gpu=case.gpu, gpus=case.n_gpus, weights=case.weights, kv=case.kv, isl_tokens=case.isl_tokens,
        osl_tokens=case.osl_tokens, batch=case.batch, usd_per_gpu_hour=price, utilisation=case.utilisation)
    if not row["fits"]:
        raise textbook.DoesNotFit(f"parameter 'batch' is {case.batch}, but {case.n_gpus} x {case.gpu} hold "
                                  f"{int(row['max_batch'])} sequences beside the weights; lower it, or raise n_gpus")
    return row, cited


def per_mtok(case, usd_per_month):
    """Cost of a million tokens that a monthly bill implies."""
    return bills.usd_per_mtok_of_bill(usd_per_day=_day(usd_per_month), tok_per_day=case.tokens_per_day)


def identities(case):
    """What the printed figures imply together."""
    turn, conversation = tokens_per_turn(case), case.tokens_per_day / case.conversations_per_day
    saved = levers.saving(before=case.usd_per_month_before, after=case.usd_per_month_after)
    routed = data.claim("sw-routing-saving")["low"]
    left = levers.residual_saving(before=case.usd_per_month_before, after=case.usd_per_month_after, known_savings=(routed,))
    thousand = bills.usd_per_request_of_bill(usd_per_day=_day(case.usd_per_month_after),
                                             requests_per_day=case.conversations_per_day) * units.TOKENS_PER_KTOK
    table = pd.DataFrame([
        fact("Tokens of a turn", "tokens over conversations and turns", turn, "tokens"),
        fact("Tokens of a conversation", "tokens over conversations", conversation, "tokens"),
        fact("A million tokens, before", "bill over a month of tokens", per_mtok(case, case.usd_per_month_before), "USD"),
        fact("A million tokens, after", "bill over a month of tokens", per_mtok(case, case.usd_per_month_after), "USD"),
        fact("A thousand conversations", "second bill over conversations", thousand, "USD"),
        fact("Saving", "one bill over the other", 100 * saved, "%"),
        fact("Caching alone must save", f"after {routed:.0%} by routing, as the documents print elsewhere", 100 * left, "%"),
    ])
    table.attrs["sources"] = ["doc-uk", "doc-th"]
    return table


def implied(case):
    """The fleet that each bill pays for, and the tokens each GPU would make."""
    _check(case)
    table = fleet(case, {"without optimisation": _day(case.usd_per_month_before), "as paid": _day(case.usd_per_month_after)})
    for end, other in (("", ""), ("_low", "_high"), ("_high", "_low")):
        table[f"rate{end}"] = bills.implied_tok_per_s_per_gpu(tok_per_day=case.tokens_per_day, gpus=table[f"gpus{other}"])
    return table


def price_levels(case):
    """A million tokens by the bills, by list prices and by the page's own operating point."""
    row, cited = own_cost(case)
    bedrock = units.convert(data.claim("dep-bedrock-price")["low"], "USD/ktok", "USD/Mtok")
    listed = money.usd_per_mtok_blend(
        usd_per_mtok_in=case.api_usd_per_mtok_in, usd_per_mtok_out=case.api_usd_per_mtok_out, tok_in=case.isl_tokens,
        tok_out=case.osl_tokens)
    before, after = per_mtok(case, case.usd_per_month_before), per_mtok(case, case.usd_per_month_after)
    table = filled(pd.DataFrame([
        {"label": "bill without optimisation", "group": "documents", "usd_per_mtok": before},
        {"label": "bill as paid", "group": "documents", "usd_per_mtok": after},
        {"label": "Bedrock as the documents price it", "group": "documents", "usd_per_mtok": bedrock},
        {"label": "own machines by the documents", "group": "documents",
         "usd_per_mtok": bedrock / data.claim("dep-bedrock-premium")["low"]},
        {"label": "API price of the page", "group": "market", "usd_per_mtok": listed},
        {"label": f"own: {case.n_gpus} × {data.gpu(case.gpu)['name']}", "group": "this page", "usd_per_mtok": row["usd_per_mtok"],
         "usd_per_mtok_low": row["usd_per_mtok_low"], "usd_per_mtok_high": row["usd_per_mtok_high"]},
    ]), "usd_per_mtok")
    table.attrs.update(listed=listed, own=row["usd_per_mtok"])
    table.attrs["finding"] = (
        f"The optimised bill of Shopify's case pays ${after:.2f} for a million tokens: {ratio_words(after / listed)} an API "
        f"price and {ratio_words(after / row['usd_per_mtok'])} the cost of own machines")
    table.attrs["note"] = (
        f"Input and output at the mix of the page, {case.isl_tokens} in and {case.osl_tokens:g} out. Own: "
        f"{data.model(case.model)['name']} at batch {case.batch}, {case.utilisation:.0%} of hours used, on-demand prices known "
        f"on {case.as_of}. The documents do not name a model.")
    table.attrs["sources"] = ["doc-uk", data.assumption("api.bedrock_input")["source"], *cited, "own-assumption"]
    return table


def turn(case):
    """Tokens of a turn as implied, beside the lengths of a public trace of conversations."""
    implied_turn = tokens_per_turn(case)
    rows = [{"label": "a turn, implied", "group": "documents", "tok_per_turn": implied_turn},
            {"label": "a conversation, implied", "group": "documents",
             "tok_per_turn": case.tokens_per_day / case.conversations_per_day}]
    for name, label in (("workload.osl_azure_conv", "an answer, measured"), ("workload.isl_azure_conv", "a prompt, measured")):
        low, mean, high = data.span(name)
        rows.append({"label": label, "group": "public trace", "tok_per_turn": mean, "tok_per_turn_low": low,
                     "tok_per_turn_high": high})
    table = filled(pd.DataFrame(rows), "tok_per_turn")
    words = implied_turn * data.value("language.words_per_token")
    answer = data.span("workload.osl_azure_conv")
    fits = case.tokens_per_day / case.conversations_per_day / answer[1]
    table.attrs.update(words=words, turns_that_fit=fits)
    table.attrs["finding"] = (
        f"{implied_turn:.0f} tokens a turn are {words:.0f} words, question and answer together; the implied conversation is as "
        f"long as {fits:.1f} answers of a real assistant")
    table.attrs["note"] = "Bars: from the tenth to the ninetieth percentile of the trace."
    table.attrs["sources"] = ["doc-uk", data.assumption("workload.osl_azure_conv")["source"], "openai-api-introduction"]
    return table


def bill(case):
    """Monthly cost of the conversations over the tokens of a turn, on own machines and through the API."""
    _check(case)
    levels = price_levels(case)
    own, _ = own_cost(case)
    price = {f"own: {case.n_gpus} × {data.gpu(case.gpu)['name']}": (own["usd_per_mtok_low"], own["usd_per_mtok"],
                                                                    own["usd_per_mtok_high"]),
             "API price of the page": (levels.attrs["listed"],) * 3}
    implied_turn = float(tokens_per_turn(case))
    usual = data.value("workload.isl_azure_conv") + data.value("workload.osl_azure_conv")
    lengths = np.geomspace(min(4, implied_turn), max(2 * usual, implied_turn), 40)
    volume = workload.tok_per_day_of_conversations(conversations_per_day=case.conversations_per_day, turns=case.turns,
                                                   tok_per_turn=lengths)
    parts = []
    for offer, ends in price.items():
        part = pd.DataFrame({"tok_per_turn": lengths, "offer": offer})
        for end, usd in zip(("_low", "", "_high"), ends, strict=True):
            part[f"usd_per_month{end}"] = money.usd_per_month(tok_per_day=volume, usd_per_tok=usd / units.TOKENS_PER_MTOK)
        parts.append(part if ends[0] < ends[2] else part.drop(columns=["usd_per_month_low", "usd_per_month_high"]))
    table = pd.concat(parts, ignore_index=True)
    fits = implied_turn * per_mtok(case, case.usd_per_month_after) / own["usd_per_mtok"]
    table.attrs.update(implied=implied_turn, bill=case.usd_per_month_after, fits=fits, usual=usual)
    table.attrs["finding"] = (
        f"The bill as paid would carry {fits:,.0f} tokens a turn on own machines, where the documents' volumes leave "
        f"{implied_turn:,.0f}; a turn of a real assistant has {usual:,.0f}")
    table.attrs["note"] = levels.attrs["note"]
    table.attrs["sources"] = [*levels.attrs["sources"], data.assumption("workload.osl_azure_conv")["source"]]
    return table


def headline(case):
    """The answer of the page: the two figures that do not add up, and the number that would."""
    answer = bill(case).attrs
    after = per_mtok(case, case.usd_per_month_after)
    return (f"Shopify's case leaves {answer['implied']:.0f} tokens for a turn and pays ${after:.2f} for a million of them; "
            f"with {answer['fits']:,.0f} tokens a turn, the same bill would be what own machines cost.")


def sensitivity(case):
    """Own cost of a million tokens, and the tokens a turn that would fit the bill, when one input moves."""
    moves = {"the page itself": {}, "twice the batch": {"batch": 2 * case.batch},
             "half the batch": {"batch": max(1, case.batch // 2)},
             "half the hours used": {"utilisation": case.utilisation / 2},
             "half the turns": {"turns": max(1, case.turns // 2)},
             "the first bill": {"usd_per_month_after": case.usd_per_month_before}}
    rows = []
    for text, move in moves.items():
        now = SimpleNamespace(**(vars(case) | move))
        try:
            rows.append({"change": text, "own": own_cost(now)[0]["usd_per_mtok"], "fits": bill(now).attrs["fits"]})
        except textbook.DoesNotFit:
            rows.append({"change": f"{text} (does not fit the memory)", "own": np.nan, "fits": np.nan})
    return pd.DataFrame(rows)

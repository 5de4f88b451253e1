"""The case of a merchant assistant: tokens of a turn, price of a token, and the bill that its traffic would cost."""

from types import SimpleNamespace

import pandas as pd

from tokenecon import data, units
from tokenecon.errors import NoPrice, UnknownId
from tokenecon.finding import Finding, finding, given, named
from tokenecon.fleet import pools
from tokenecon.formulas import levers, money, serving
from tokenecon.prices import gpu_prices, price_book
from tokenecon_book.documents import base
from tokenecon_book.documents.bills import (
    fact,
    fleet,
    owned,
    paid,
    positive,
    prices,
    ratio_words,
    saving,
    span_columns,
    usd_per_month,
)  # fmt: skip
from tokenecon_book.documents.printed import n
from tokenecon_book.documents.words import count, dollars

FLEET_COLUMNS = {
    "bill": ("Bill", None), "usd_per_day": ("A day", "USD/day"), "n_gpus": ("GPUs it pays for", "GPU"),
    "rate": ("Tokens of each", "tok/s/GPU"),
}  # fmt: skip
BOTTOM_COLUMNS = {
    "reading": ("Read as", None), "hour": ("GPUs", None), "requests_per_s": ("Turns", "request/s"),
    "n_gpus": ("GPUs paid for", "GPU"), "utilisation": ("Busy", "fraction"), "usd_per_month": ("Bill", "USD/month"),
}  # fmt: skip
FLEETS = {"fixed": "a fixed fleet", "autoscale": "an autoscaled fleet", "to_zero": "a fleet that is scaled to zero"}
TOKENS, TURNS = "the printed tokens, in turns of a public trace", "the printed turns, as long as in a public trace"


def _day(usd_per_month):
    return units.convert(usd_per_month, "USD/month", "USD/day")


def check(case):
    """Refuse volumes and bills of zero."""
    positive(case, "conversations_per_day", "tokens_per_day", "usd_per_month_before", "usd_per_month_after")


def tokens_per_turn(case):
    """Tokens in a turn that the printed volumes imply."""
    check(case)
    return serving.tok_per_turn(tok_per_day=case.tokens_per_day, conversations_per_day=case.conversations_per_day,
                                turns=case.turns)


def per_mtok(case, usd_per_month):
    """Cost of a million tokens that a monthly bill implies."""
    return money.usd_per_mtok_of_bill(usd_per_day=_day(usd_per_month), tok_per_day=case.tokens_per_day)


def whole(tokens):
    """A number of tokens or words as a reader counts them; parts of one keep their digits."""
    return f"{tokens:,.0f}" if tokens >= 1 else n(tokens, 2)


def said_mtok(case, bill):
    """Cost of a million tokens that a bill of the documents implies, as text and named quantity; `bill` is the parameter."""
    usd = per_mtok(case, getattr(case, bill))
    return named("case-cost-of-tokens", usd, dollars, study="Shopify", bill=bill.rpartition("_")[2])


def of(case, **more):
    """What the page's own fleet is, for :func:`named`, and what else differs."""
    return {name: getattr(case, name) for name in ("model", "gpu", "n_gpus", "policy", "peak_to_mean", "as_of")} | more


@finding
def case_line(case):
    """The case of the page in one line: the documents' figures, and the fleet that they are held against."""
    length = f"{given(case, 'isl', '{:,.0f}'.format)} → {given(case, 'osl', '{:,.0f}'.format)} tokens"
    turns = given(case, "turns", lambda number: count(number, "turn"))
    parts = [f"documents: {given(case, 'conversations_per_day', n)} conversations of {turns} and "
             f"{given(case, 'tokens_per_day', n)} tokens a day",
             f"ours: {data.model(case.model)['name']}, {data.precision(case.weights)['name']}, "
             f"{given(case, 'n_gpus', str)} × {data.gpu(case.gpu)['name']}, {length} of a public trace",
             f"{base.said_hour(case)} an hour on {case.as_of} ({base.counted(case)})"]
    return base.case_of(parts)


@finding
def identities(case):
    """What the printed figures imply together."""
    turn, conversation = tokens_per_turn(case), case.tokens_per_day / case.conversations_per_day
    saved = levers.saving(before=case.usd_per_month_before, after=case.usd_per_month_after)
    routed = data.claim("sw-routing-saving")["low"]
    left = levers.residual_saving(before=case.usd_per_month_before, after=case.usd_per_month_after, known_savings=(routed,))
    thousand = money.usd_per_request_of_bill(usd_per_day=_day(case.usd_per_month_after),
                                             requests_per_day=case.conversations_per_day) * units.TOKENS_PER_KTOK
    return Finding(pd.DataFrame([
        fact("Tokens of a turn", "tokens over conversations and turns", turn, "tokens"),
        fact("Tokens of a conversation", "tokens over conversations", conversation, "tokens"),
        fact("A million tokens, before", "bill over a month of tokens", per_mtok(case, case.usd_per_month_before), "USD"),
        fact("A million tokens, after", "bill over a month of tokens", per_mtok(case, case.usd_per_month_after), "USD"),
        fact("A thousand conversations", "second bill over conversations", thousand, "USD"),
        saving("Saving", "one bill over the other", saved),
        saving("Caching alone must save", f"after {routed:.0%} by routing, as the documents print elsewhere", left),
    ]))


@finding
def implied(case):
    """The fleet that each bill pays for, and the tokens each GPU would make."""
    check(case)
    found = fleet(case, {"without optimisation": _day(case.usd_per_month_before), "as paid": _day(case.usd_per_month_after)})
    table = found.table
    for end, other in (("", ""), ("_low", "_high"), ("_high", "_low")):
        table[f"rate{end}"] = money.implied_tok_per_s_per_gpu(tok_per_day=case.tokens_per_day, n_gpus=table[f"n_gpus{other}"])
    return Finding(table, note=found.note, units={f"rate{end}": "tok/s/GPU" for end in ("", "_low", "_high")})


def readings(case):
    """The printed volumes read in two ways that a real turn allows: so many tokens, or so many turns. [request/day]"""
    check(case)
    return {TOKENS: case.tokens_per_day / (case.isl + case.osl),
            TURNS: case.conversations_per_day * case.turns}


@finding
def bottom_up(case):
    """What the page's model and fleet would cost, for both readings of the volume, on rented and on owned GPUs."""
    replica = pools.replica(case)
    rent, own = prices(case), owned(case)
    hours = {"rented": rent} | ({"owned": own} if own else {})
    rows = []
    for reading, requests in readings(case).items():
        plans = paid(case, replica, requests)
        for kind, usd in hours.items():
            rows.append({"reading": reading, "hour": kind, "requests_per_s": requests / units.SECONDS_PER_DAY,
                         "n_gpus": plans[1]["mean_paid_replicas"] * case.n_gpus, "utilisation": plans[1]["utilisation"],
                         "tok_per_day": requests * (case.isl + case.osl)}
                        | span_columns("usd_per_month", usd_per_month(plans, case.n_gpus, usd)))
    table = pd.DataFrame(rows)
    table["usd_per_mtok"] = money.usd_per_mtok_of_bill(usd_per_day=_day(table["usd_per_month"]), tok_per_day=table["tok_per_day"])
    tokens, turns = (SimpleNamespace(**table[(table["reading"] == reading) & (table["hour"] == "rented")].iloc[0])
                     for reading in (TOKENS, TURNS))
    costs = [named("case-own-fleet", read.usd_per_month, _thousands, reading=reading, **of(case))
             for read, reading in ((tokens, "tokens"), (turns, "turns"))]
    busiest = "the same load in every hour" if case.peak_to_mean == 1 else f"a busiest hour {case.peak_to_mean:g} times the mean"
    return Finding(
        table, f"A rented fleet would serve the printed tokens for {costs[0]} a month and the printed turns, at usual length, "
        f"for {costs[1]}; the bill is {given(case, 'usd_per_month_after', _thousands)}.",
        f"{data.model(case.model)['name']} on replicas of {case.n_gpus} {data.gpu(case.gpu)['name']}, each with "
        f"{pools.count(replica['concurrency'], 'request')} in flight within {case.ttft_ms:g} ms to the first token and "
        f"{case.tpot_ms:g} ms a token; {FLEETS[case.policy]} for {busiest}. "
        f"Ranges, an outer bound: the ends of the model's interval with those of prices {gpu_prices.known(case)}. The documents "
        "do not name a model.",
        tokens=tokens, turns=turns, replica=replica)


def _thousands(usd):
    """A bill in a sentence: "$57,600", "$6.49 million"."""
    return f"${n(float(f'{usd:.3g}'), 3)}"


def listed(case):
    """Low, typical and high price of the page's mix at sellers of its model on its date, or None. [USD/Mtok]"""
    try:
        return price_book.mixed_price(case.model, case.as_of, isl=case.isl, osl=case.osl)["price"]
    except (NoPrice, UnknownId):
        return None


@finding
def price_levels(case):
    """A million tokens by the bills, by list prices and on the page's own fleet."""
    fleets = bottom_up(case)
    own = fleets.table
    bedrock = units.convert(data.claim("dep-bedrock-price")["low"], "USD/ktok", "USD/Mtok")
    before, after = per_mtok(case, case.usd_per_month_before), per_mtok(case, case.usd_per_month_after)
    rows = [
        {"label": "bill without optimisation", "group": "documents", "usd_per_mtok": before},
        {"label": "bill as paid", "group": "documents", "usd_per_mtok": after},
        {"label": "Bedrock as the documents price it", "group": "documents", "usd_per_mtok": bedrock},
        {"label": "own machines by the documents", "group": "documents",
         "usd_per_mtok": bedrock / data.claim("dep-bedrock-premium")["low"]},
    ]
    market = listed(case)
    if market:
        rows.append({"label": f"API, sellers of {data.model(case.model)['name']}", "group": "API"}
                    | span_columns("usd_per_mtok", market))
    for _, row in own[own["reading"] == TURNS].iterrows():
        scale = row["usd_per_mtok"] / row["usd_per_month"]
        rows.append({"label": f"own fleet, {row['hour']}", "group": row["hour"]} | span_columns(
            "usd_per_mtok", (row["usd_per_month_low"] * scale, row["usd_per_mtok"], row["usd_per_month_high"] * scale)))
    table = pd.DataFrame(rows)
    rented = table.loc[table["label"] == "own fleet, rented", "usd_per_mtok"].item()
    against = f"{_over(after / market[1], 'an API price', case)} an API price, " if market else ""
    return Finding(
        table, f"Shopify's optimised bill is {said_mtok(case, 'usd_per_month_after')} a million tokens: "
        f"{against}{_over(after / rented, 'an own fleet', case)} a rented fleet's at turns of usual length",
        f"Input and output at the mix of the page, {case.isl} in and {case.osl:g} out. {fleets.note}")


@finding
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
    implied_words = implied_turn * data.value("language.words_per_token")
    words = named("case-words-a-turn", implied_words, whole, study="Shopify")
    return Finding(
        pd.DataFrame(rows), f"The printed volumes leave {said_turn(case)} tokens a turn, or {words} words, question and answer "
        "together",
        "Bars: from the tenth to the ninetieth percentile of the trace.", words=implied_words)


def said_turn(case):
    """Tokens of a turn that the printed volumes imply, as text and named quantity."""
    return named("case-tokens-a-turn", tokens_per_turn(case), whole, study="Shopify")


def _over(ratio, what, case):
    """How a bill compares with something, as words and named quantity."""
    return named("case-bill-over", ratio, ratio_words, study="Shopify", over=what, **of(case))

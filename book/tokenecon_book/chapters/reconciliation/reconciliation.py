"""Why the same tokens have many prices: from the dearest number of the base case to the cheapest, one named difference a step."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.calculator.choice import tok_per_request
from tokenecon.decision import break_even, options
from tokenecon.decision.choice_words import SELLERS
from tokenecon.errors import NoPrice
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.prices import gpu_prices
from tokenecon.serving import operating_point
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.words import price

STEP_COLUMNS = {
    "step": ("What changes", None), "usd_per_mtok": ("Then a million tokens cost", "USD/Mtok"),
    "factor": ("Over the line before", "ratio"), "counted": ("Divided by", None), "quantity": ("Name of the number", None),
}  # fmt: skip
OUTPUT = "output tokens"
FLEETS = {"own": "own", "hourly": "rent by the hour"}  # group of options.group_of -> what one does
RULES = {"list": "list prices of hyperscalers", "typical": "typical prices", "best": "the cheapest offers"}
CROSSING_COLUMNS = {
    "what": ("Compared", None), "requests_per_day": ("Cheaper than the API from", "request/day"),
    "usd_per_mtok_api": ("The API then asks, all tokens", "USD/Mtok"), "note": ("Note", None),
}  # fmt: skip


def _row(offered, kind, gpu):
    """One choice of an offers table, or None where it cannot be had."""
    rows = offered[(offered["kind"] == kind) & (offered["gpu"] == gpu) & (offered["reason"] == "")]
    return None if rows.empty else rows.iloc[0]


def _slower(case, row):
    """How many times the machines take as long for a token where they serve one request at a time."""
    machine = {"model": case.model, "gpu": row["gpu"], "n_gpus": row["n_gpus"], "weights": case.weights, "kv": case.kv,
               "isl": case.isl, "osl": case.osl, "usd_per_gpu_hour": 1.0, "utilisation": 1.0}
    alone, together = (operating_point.point(**machine, concurrency=at)["usd_per_mtok"] for at in (1, row["concurrency"]))
    return alone / together


def _full(case, offered):
    """Cost of a million tokens by the machine hours that work. [USD/Mtok]"""
    return [base.machines(case, row) * row["utilisation"] if row["n_gpus"] == row["n_gpus"] else np.nan
            for _, row in offered.iterrows()]


@finding
def steps(page):
    """The numbers of the base case from the dearest to the cheapest, one row a number, each with the one thing that changes."""
    gpus = base.of(page, gpus=None).gpus
    gpus = None if page.gpu in gpus else [*gpus, page.gpu]  # the page's own, where the base case has not thought of it
    scenarios = {rule: base.of(page, gpus=gpus, price_rule=rule) for rule in RULES}
    offered = {rule: base.offers(page, gpus=gpus, price_rule=rule).table for rule in RULES}
    typical = scenarios["typical"]
    dear = _row(offered["list"], "on_demand", page.gpu)
    offered["typical"]["usd_per_mtok_full"] = _full(typical, offered["typical"])
    rent, market, own = (_row(offered["typical"], kind, page.gpu) for kind in ("on_demand", "marketplace", "own"))
    if rent is None:
        base.bill(page)  # says why nobody lets it
    first, case = (rent, typical) if dear is None else (dear, scenarios["list"])
    owned = offered["typical"][(offered["typical"]["kind"] == "own") & (offered["typical"]["reason"] == "")]
    least = None if owned.empty else owned.loc[owned["usd_per_mtok_full"].idxmin()]
    per_output = tok_per_request(typical) / typical.osl
    alone = first["usd_per_mtok"] + base.machines(case, first) * (_slower(case, first) - 1)

    def line(step, quantity, value, case, row, counted="all tokens", **more):
        # of machines that always work the cost goes with one over their speed; nobody works out the interval of other bills here
        outer = {end: value * row["requests_per_s"] / row[f"requests_per_s_{speed}"] for end, speed in (
            ("low", "high"), ("high", "low"))} if quantity == "cost-all-full" else {}
        return {"step": step, "quantity": quantity, "usd_per_mtok": float(value), "counted": counted,
                "of": base.choice(case, row) | more, "ends": outer}

    rows = [
        line("one request at a time, over output alone", "bill-per-output", alone * per_output, case, first, OUTPUT,
             concurrency=1),
        line("many requests share each step", "bill-per-output", first["usd_per_mtok"] * per_output, case, first, OUTPUT),
        line("the bill is divided by all tokens, prompts too", "bill-all", first["usd_per_mtok"], case, first)]
    if dear is not None:
        rows.append(line("the typical seller, not a hyperscaler's list", "bill-all", rent["usd_per_mtok"], typical, rent))
    rows.append(line("machines alone, without staff and tools", "cost-all", base.machines(typical, rent), typical, rent))
    held = rent
    if market is not None:
        held = market
        rows.append(line("from a marketplace", "cost-all", base.machines(typical, market), typical, market))
    rows.append(line("idle hours left out", "cost-all-full", held["usd_per_mtok_full"], typical, held))
    if own is not None:
        rows.append(line("owned instead of rented", "cost-all-full", own["usd_per_mtok_full"], typical, own))
    if least is not None and least["gpu"] != page.gpu:
        rows.append(line(f"{data.gpu(least['gpu'])['name']} instead of {data.gpu(page.gpu)['name']}", "cost-all-full",
                         least["usd_per_mtok_full"], typical, least))
    table = pd.DataFrame(rows)
    table["factor"] = table["usd_per_mtok"] / table["usd_per_mtok"].shift()
    first, last = rows[0], rows[-1]
    dear_usd, cheap_usd = (named(row["quantity"], row["usd_per_mtok"], price, **row["ends"], **row["of"])
                             for row in (first, last))
    apart = named("spread-of-costs", first["usd_per_mtok"] / last["usd_per_mtok"], lambda ratio: f"{float(f'{ratio:.2g}'):,.0f}",
                  **base.cased(typical, "model", "as_of"))
    return Finding(
        table.drop(columns=["of", "ends"]),
        f"A million tokens cost from {cheap_usd} to {dear_usd}, about {apart} times as much, depending on what is counted "
        "and who is asked", (
            f"{data.model(typical.model)['name']}, {typical.requests_per_day:,.0f} requests a day of {typical.isl:,.0f} input "
            f"and {typical.osl:,.0f} output tokens. Each number is right for its question; each line changes one thing and "
            f"keeps the rest. Prices {gpu_prices.known(page)}."),
        units={"factor": "ratio"})


def cheapest(offered, group):
    """The choice of a group, own machines or hours, that costs least for the base case; None where none can be had."""
    held = options.feasible(offered)
    held = held[[options.group_of(kind) == group for kind in held["kind"]]]
    return None if held.empty else held.iloc[0]


@finding
def crossings(page):
    """From which volume an owned or rented fleet costs less than the API, by whose prices are compared and what is counted."""
    rows = []
    for rule, words in RULES.items():
        case = base.of(page, gpus=None, price_rule=rule)
        offered = base.offers(page, gpus=None, price_rule=rule).table
        sold = offered[(offered["kind"] == "api") & (offered["reason"] == "")]
        if sold.empty:
            continue
        asked = float(sold.iloc[0]["usd_per_mtok_used"])
        for group, verb in FLEETS.items():
            row = cheapest(offered, group)
            volume, *outer = [np.inf] * 3 if row is None else [
                break_even.threshold(case, row, sold.iloc[0], end) for end in ("", "_low", "_high")]
            known = ends(dict(zip(("low", "high"), outer, strict=True)))
            rows.append({"what": f"{verb}, {words}", "rule": rule, "kind": group, "gpu": "" if row is None else row["gpu"],
                         "requests_per_day": volume, "requests_per_day_low": known.get("low", np.nan),
                         "requests_per_day_high": known.get("high", np.nan), "usd_per_mtok_api": asked,
                         "note": _note(volume, row), "of": {} if row is None else base.choice(case, row), "ends": known})
    if not rows:
        raise NoPrice(f"nobody is known to sell tokens of {page.model} on {page.as_of}, so no fleet can be held against an API; "
                      "give another model or day")
    table = pd.DataFrame(rows)
    finite = [row for row in rows if np.isfinite(row["requests_per_day"])]
    never = [rule for rule in RULES if rule in {row["rule"] for row in rows} - {row["rule"] for row in finite}]
    if not finite:
        sentence = "By no price rule does an owned or rented fleet cost less than the API"
    else:
        first = min(finite, key=lambda row: row["requests_per_day"])
        said = named("break-even-api", first["requests_per_day"], lambda value: f"{float(f'{value:.2g}'):,.0f}", **first["ends"],
                     **first["of"])
        verb = "owning" if first["kind"] == "own" else "renting"
        sentence = f"On the cheapest accelerator, {verb} beats {SELLERS[first['rule']]} above about {said} requests a day" + (
            f"; nothing beats {' or '.join(SELLERS[rule] for rule in never)}" if never else "")
    return Finding(table.drop(columns=["of", "ends"]), sentence, note=(
        "Machines and API are compared by the same rule. Whole bill of the fleet, with staff and tools, each volume with the "
        "hours of a service of its size; of accelerators and sellers the choice that costs least in the base case. ∞: at no "
        "volume. Ranges: interval of the model, where both its ends meet the API."),
        units={"usd_per_mtok_api": "USD/Mtok"})


def _note(volume, row):
    if row is None:
        return "cannot be had"
    return data.gpu(row["gpu"])["name"] if np.isfinite(volume) else "at no volume"


@finding
def sensitivity(page):
    """Both ends of :func:`steps` and how far they are apart when one input of the base case moves."""
    moves = [{}, {"requests_per_day": 10 * page.requests_per_day}, {"requests_per_day": page.requests_per_day / 10},
             {"isl": 4 * page.isl}, {"osl": 4 * page.osl}, {"weights": "fp16"}, {"kv": "fp16"}]
    rows = []
    for move in moves:
        if move and all(getattr(page, name) == value for name, value in move.items()):
            continue
        try:
            usd = steps(SimpleNamespace(**(vars(page) | move))).table["usd_per_mtok"]
        except ValueError:  # nothing serves it so, or nobody sells it
            if not move:
                raise
            continue
        rows.append({**moved.said(move), "dearest": usd.iloc[0], "cheapest": usd.iloc[-1], "spread": usd.iloc[0] / usd.iloc[-1]})
    return Finding(pd.DataFrame(rows), units={"dearest": "USD/Mtok", "cheapest": "USD/Mtok", "spread": "ratio"})

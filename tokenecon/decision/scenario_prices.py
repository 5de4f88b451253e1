"""Prices of a scenario: an hour rented, an hour owned, and the tokens of an API, each with the range of its sellers."""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.formulas import contracts
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices, price_book

SELLERS = 3  # from so many on, their prices are a range by themselves
PERCENTILES = (0.1, 0.9)
LOST_HOURS = 0.0  # serving loses no work with a machine but the requests in flight, which are sent again
TOKENS = ("input", "cached", "output")


def tok_per_request(case):
    """Input, with what the cache holds, and output. [tok/request]"""
    return case.isl + case.osl


def tokens(case):
    """Tokens of a request by kind."""
    held = case.isl * case.cached_prefix
    return {"input": case.isl - held, "cached": held, "output": case.osl}


def rent(case, gpu, kind):
    """An hour of a rented GPU: low, typical, high (10th and 90th percentile over sellers); for spot of work.

    ``seen`` is the day of the quote that sets the typical price, ``count`` the sellers that it is the median of.
    """
    given = case.rents.get(gpu, {}).get(kind)
    if given is not None:
        price = {"low": given, "typical": given, "high": given, "seen": "", "count": 0, "yours": False}
    else:
        found = gpu_prices.price_range(gpu, kind, case.as_of)
        low, high, yours = seller_percentiles(case, gpu, kind, found["typical"])
        price = {"low": low, "typical": found["typical"], "high": high, "seen": found["as_of"],
                 "count": found["sellers"], "yours": yours}
    if kind != "spot":
        return price
    regular = rent(case, gpu, "on_demand")
    work = {end: contracts.spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=price[end], on_demand_usd_per_gpu_hour=regular[end], availability=data.value("spot.availability"),
        interruptions_per_hour=data.value("spot.interruptions"), restart_hours=data.value("spot.restart"),
        lost_hours=LOST_HOURS) for end in ("low", "typical", "high")}
    return work | {name: price[name] for name in ("seen", "count", "yours")}


def seller_percentiles(case, gpu, kind, typical):
    """10th and 90th percentile of what sellers ask, and whether any of them is the reader's own.

    Where too few sellers are known, the percentiles are the typical price with an assumed spread.
    """
    rows = gpu_prices.offers(gpu, kind, case.as_of)
    sellers = rows.groupby("provider")["value"].median()
    if len(sellers) >= SELLERS:
        low, high = (float(one) for one in np.quantile(sellers, PERCENTILES))
    else:
        low, _, high = (typical * ratio for ratio in data.span("decision.price_spread"))
    yours = bool(data.own("prices") & set(rows["id"]))
    return min(low, typical), max(high, typical), yours


def owned_inputs(case, gpu, utilisation):
    """Inputs of an owned hour of this case, as `hour.spans` gives them."""
    given = {"years": case.years, "discount_rate": case.discount_rate, "usd_per_kwh": case.usd_per_kwh, "pue": case.pue,
             "residual_share": case.residual_share, "utilisation": utilisation}
    if gpu in case.purchases:
        given["usd_per_gpu"] = case.purchases[gpu]
    return owned_hour.spans(gpu, as_of=case.as_of, **given)


def own(case, gpu, utilisation):
    """An hour of an owned GPU: low, typical, high, and the day of the quote that sets its purchase price."""
    inputs = owned_inputs(case, gpu, utilisation)
    low, typical, high = (owned_hour.owned_total(**end) for end in owned_hour.ends(inputs))
    seen, count, yours = "", 0, False
    if gpu not in case.purchases:
        seen, count = (owned_hour.bought(gpu, case.as_of)[name] for name in ("as_of", "sellers"))
        yours = seller_percentiles(case, gpu, "purchase", typical)[2]
    return {"low": low, "typical": typical, "high": high, "seen": seen, "count": count, "yours": yours}


def api(case):
    """Prices of the API by kind of token, each (low, typical, high), their blend at this workload, and sellers.

    Each place is one seller's whole price list: of all sellers, those at the 10th, 50th and 90th percentile of the blend.
    """
    share = tokens(case)
    if case.api:
        stated = {kind: [case.api[column]] for kind, column in price_book.MONEY.items()}
        rows = pd.DataFrame(stated, index=["the scenario"], dtype=float)
        seen, yours = {}, False
    else:
        price_book.token_price(case.model, case.as_of)  # refuses a model that nobody sells
        offers = price_book.token_prices(case.model, case.as_of)
        seen = offers.groupby("provider")["last_seen"].min()
        yours = bool(data.own("api_prices") & set(offers["id"]))
        listed = offers.groupby("provider")[list(price_book.MONEY.values())].median()
        rows = listed.rename(columns={column: kind for kind, column in price_book.MONEY.items()})
    rows["cached"] = rows["cached"].fillna(rows["input"])  # who gives no discount asks for the whole price
    rows["blend"] = sum(share[kind] * rows[kind] for kind in TOKENS) / tok_per_request(case)
    rows = rows.sort_values("blend", kind="stable")
    chosen = rows.iloc[[int(np.ceil(q * len(rows))) - 1 for q in (PERCENTILES[0], 0.5, PERCENTILES[1])]]
    return {kind: tuple(chosen[kind]) for kind in (*TOKENS, "blend")} | {
        "sellers": tuple(chosen.index), "count": len(rows) if len(seen) else 0, "seen": seen.get(chosen.index[1], ""),
        "yours": yours}

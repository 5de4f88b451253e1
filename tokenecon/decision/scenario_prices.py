"""Prices of a scenario: an hour rented, an hour owned, and the tokens of an API, each with the range of its sellers."""

import numpy as np

from tokenecon import data, units
from tokenecon.calculator import choice
from tokenecon.calculator.choice import tok_per_request
from tokenecon.errors import NoPrice
from tokenecon.formulas import contracts
from tokenecon.ownership import owned_hour
from tokenecon.prices import api_terms, gpu_prices, price_book
from tokenecon.queries import remembered

SELLERS = 3  # from so many on, their prices are a range by themselves
PERCENTILES = (0.1, 0.9)
# of a price that the scenario gives
STATED = {"seen": "", "count": 0, "yours": False, "outside": False, "min_gpus": 1, "said": "the scenario", "estimates": False,
          "second_hand": False, "slow": False, "term_months": 0.0, "prepaid_share": 0.0}
LOST_HOURS = 0.0  # serving loses no work with a machine but the requests in flight, which are sent again


def servers(case, gpu, kind):
    """Sizes up to which the cheapest offer is asked for: whole servers are paid, so the cheapest hour may not be the best."""
    if case.price_rule != "best" or case.rents.get(gpu, {}).get(kind) is not None:
        return [None]
    rows = gpu_prices.ruled(gpu_prices.offers(gpu, kind, case.as_of), "best", case.as_of)
    return sorted(rows["min_gpus"].fillna(1).unique()) or [None]


def rent(case, gpu, kind, most_gpus=None):
    """An hour of a rented GPU by the price rule: low, typical, high (10th and 90th percentile over sellers); for spot of work.

    ``seen`` is the day of the quote that sets the price, ``count`` the sellers that it is of, ``said`` names them.  The cheapest
    offer has no range: it is known whose it is, and ``min_gpus`` of how many GPUs, at most ``most_gpus``.  One commits oneself
    for ``term_months``; ``prepaid_share`` of it is paid in advance, and what that costs is in the price.
    """
    given = case.rents.get(gpu, {}).get(kind)
    if given is not None:
        price = {"low": given, "typical": given, "high": given} | STATED | {
            "term_months": float(gpu_prices.TERM_MONTHS.get(kind, 0))}
    else:
        found = gpu_prices.price_range(gpu, kind, case.as_of, rule=case.price_rule, most_gpus=most_gpus,
                                       discount_per_year=case.discount_rate)
        price = _asked(gpu, kind, case.as_of, case.price_rule, most_gpus, case.discount_rate) | {"said": gpu_prices.whose(found)}
    if kind != "spot":
        return price
    regular = rent(case, gpu, "on_demand", most_gpus)
    work = {end: contracts.spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=price[end], on_demand_usd_per_gpu_hour=regular[end], availability=data.value("spot.availability"),
        interruptions_per_hour=data.value("spot.interruptions"), restart_hours=data.value("spot.restart"),
        lost_hours=LOST_HOURS) for end in ("low", "typical", "high")}
    return work | {name: price[name] for name in STATED}


@remembered
def _asked(gpu, kind, as_of, price_rule, most_gpus, discount_per_year):
    found = gpu_prices.price_range(gpu, kind, as_of, rule=price_rule, most_gpus=most_gpus, discount_per_year=discount_per_year)
    low, high, yours = seller_percentiles(as_of, discount_per_year, gpu, kind, found["typical"], found)
    return {"low": low, "typical": found["typical"], "high": high, "seen": found["as_of"], "count": found["sellers"],
            "yours": yours, "outside": price_rule == "best" and _outside(gpu, kind, as_of, found["rows"]),
            **{name: found[name] for name in ("min_gpus", "term_months", "prepaid_share", "estimates")},
            "second_hand": False, "slow": False}


def _outside(gpu, kind, as_of, ids):
    """Whether an offer is beyond the range of its peers."""
    rows = price_book.marks(gpu_prices.offers(gpu, kind, as_of), as_of)
    return bool(rows.loc[rows["id"].isin(ids), "outside"].any())


def seller_percentiles(as_of, discount_per_year, gpu, kind, typical, found=None):
    """10th and 90th percentile of what sellers ask, and whether any of them is the reader's own.

    Where too few sellers are known, the percentiles are the typical price with an assumed spread.  ``found`` is a price range
    by another rule than that of all sellers' typical price.
    """
    rows = gpu_prices.offers(gpu, kind, as_of)
    if found:
        rows = rows[rows["id"].isin(found["rows"])]
        if found["rule"] == "best":
            return typical, typical, bool(data.own("prices") & set(rows["id"]))
    rows = gpu_prices.levelled(rows, discount_per_year)
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
    price = {"low": low, "typical": typical, "high": high}
    if gpu in case.purchases:
        return price | STATED
    found = owned_hour.bought(gpu, case.as_of)
    return price | {"seen": found["as_of"], "count": found["sellers"], "said": gpu_prices.whose(found),
                    "outside": False, "min_gpus": 1, "term_months": 0.0, "prepaid_share": 0.0,
                    "estimates": found["estimates"], "second_hand": found["second_hand"], "slow": False,
                    "yours": seller_percentiles(case.as_of, case.discount_rate, gpu, "purchase", typical)[2]}


def may_wait(case):
    """Whether the work may be answered when there is room: it may be interrupted, and nobody waits for a first token."""
    return case.interruptible and case.ttft_ms is None


def api_offers(case):
    """Offers of the case's tokens that meet its workload, the cheapest by its blend first: each in its cheapest tier.

    A context shorter than a request, and a number format below ``api_weights`` where the case asks for one, are no offer; the
    tiers that wait are one where the work may wait.
    """
    price_book.token_price(case.model, case.as_of)  # refuses a model that nobody sells
    known = api_terms.able(case.model, case.as_of, positions=tok_per_request(case), weights=case.api_weights,
                           may_wait=may_wait(case))
    if known.empty:
        raise NoPrice(f"no seller of {case.model} on {case.as_of} is known to take {tok_per_request(case):g} tokens a request"
                      + (f" in {case.api_weights} or wider" if case.api_weights else "")
                      + f"; see data/api_terms.csv, or add a row to {data.file('api_prices')}")
    known["quoted"] = known["last_seen"].where(known["last_seen"] <= case.as_of, case.as_of)
    known = known.rename(columns={column: kind for kind, column in price_book.MONEY.items()}).reset_index(drop=True)
    known["blend"] = [choice.blend(case, one)["blend"] for one in known.to_dict("records")]
    return known.sort_values("blend", kind="stable").drop_duplicates("id").reset_index(drop=True)


def api(case, rule=None, known=None):
    """Prices of the API by kind of token, each (low, typical, high), their blend at this workload, and whose they are.

    Each place is one seller's whole price list: of the sellers that the rule reckons with, those at the 10th, 50th and 90th
    percentile of the blend; by the rule ``best`` all three are the cheapest offer.  ``slow`` says that the seller's answers were
    measured slower than the case allows.  ``known`` are the :func:`api_offers` of the case, where they were asked for.
    """
    if case.api:
        stated = {kind: case.api[column] for kind, column in price_book.MONEY.items()} | {"provider": "the scenario"}
        return choice.chosen(case, [stated], best=True, percentiles=(*PERCENTILES, 0.5)) | STATED
    rule, known = rule or case.price_rule, api_offers(case) if known is None else known
    offers = gpu_prices.ruled(known, rule, case.as_of)
    if offers.empty:
        raise NoPrice(f"no token price of {case.model} at a hyperscaler on {case.as_of}: {known['provider'].nunique()} other "
                      f"sellers are known; choose another price_rule, or add a row to {data.file('api_prices')}")
    best = rule == "best"
    records = offers.head(1).to_dict("records") if best else offers.to_dict("records")  # the cheapest comes first
    lists = choice.chosen(case, records, best=best, percentiles=(PERCENTILES[0], 0.5, PERCENTILES[1]))
    setting = offers.head(1) if best else offers
    seen = setting.groupby("provider")["quoted"].min()
    seller = lists["sellers"][1]
    middle = setting[setting["provider"] == seller]
    found = {"model": case.model, "context": tok_per_request(case), "kind": "api", "rule": rule,
             "setting": gpu_prices.named([seller]), "sellers": offers["provider"].nunique(),
             "as_of": seen[seller], "newest": setting["quoted"].max(), "date": case.as_of}
    return STATED | lists | {
        "count": found["sellers"], "seen": found["as_of"],
        "said": gpu_prices.whose(found) + _served(middle), "slow": bool((middle["tok_out_per_s"] < _slowest(case)).any()),
        "outside": rule == "best" and bool(setting["outside"].any()), "yours": bool(data.own("api_prices") & set(setting["id"]))}


def _slowest(case):
    """Speed of one answer that the case's limit on the time per token asks for; 0 where there is none. [tok_out/s]"""
    return units.convert(1.0, "s", "ms") / case.tpot_ms if case.tpot_ms else 0.0


def _served(rows):
    """How a seller's offers are served, as far as lists say and they agree, to stand behind the seller."""
    said = [tier for tier in rows["tier"].unique() if tier != api_terms.STANDARD]
    formats = [one.upper() for one in rows["weights"].unique()]
    said += formats if len(formats) == 1 and formats[0] else []
    return "".join(f", {one}" for one in said)

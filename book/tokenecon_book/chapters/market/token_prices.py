"""What a token costs where it is sold, and where it is made: sellers of open models against a rented GPU at some load."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.decision import scenario_prices
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.formulas import money
from tokenecon.prices import api_terms, gpu_prices, price_book
from tokenecon.queries import remembered
from tokenecon.serving import sizing
from tokenecon_book.chapters.market import market
from tokenecon_book.documents import base
from tokenecon_book.documents.words import price

FEWEST_SELLERS = 3  # fewer make no spread
DRAWN = 2  # models in the figure, three rows each; the table has all
API, CHEAPEST = "sold by the token", "cheapest seller"
STATED = "stated price"
KINDS = ("hyperscaler", "neocloud", "marketplace", STATED)
COLUMNS = {
    "model_name": ("Model", None), "what": ("Offer", None), "with_": ("Of", None),
    "usd_per_mtok": ("All tokens", "USD/Mtok"), "implied_load": ("Load to meet the middle seller", "fraction"),
    "below": ("Sellers below it", "fraction"), "ttft_ms": ("TTFT", "ms"), "tpot_ms": ("TPOT", "ms/tok_out"),
}  # fmt: skip
LIST_COLUMNS = {
    "model": ("Model", None), "provider": ("Seller", None), "genai_in": ("Input, genai-prices", "USD/Mtok_in"),
    "litellm_in": ("Input, LiteLLM", "USD/Mtok_in"), "genai_out": ("Output, genai-prices", "USD/Mtok_out"),
    "litellm_out": ("Output, LiteLLM", "USD/Mtok_out"),
}  # fmt: skip
CHANGE_COLUMNS = {
    "change": ("What changes", None), "gpu_name": ("Cheapest GPUs", None),
    "usd_per_mtok": ("All tokens, made", "USD/Mtok"), "median_seller": ("All tokens, middle seller", "USD/Mtok"),
    "implied_load": ("Load at which both are the same", "fraction"),
}  # fmt: skip
UNITS = market.units_of(COLUMNS) | {"rent": "USD/GPU/h"}


def completed(case):
    """The case of the page with its share of hours that work, that of the base case where the page leaves it blank."""
    if case.utilisation is not None:
        return case
    return SimpleNamespace(**vars(case) | {"utilisation": float(base.bill(case)["utilisation"])})


def models(case):
    """Open models of the size asked that enough sellers price: the page's own first, then those with most sellers."""
    shapes, known = data.rows("models", {}, want="id parameters"), price_book.token_models()
    fitting = shapes["id"][shapes["parameters"].between(case.params_low, case.params_high)]
    sold = {model: sellers(case, model) for model in fitting if model in known}
    sold = {model: rows for model, rows in sold.items() if len(rows) >= FEWEST_SELLERS}
    if not sold:
        raise BadInput(f"parameter 'params_low' is {case.params_low:g} and 'params_high' {case.params_high:g}, between which "
                       f"no model has {FEWEST_SELLERS} sellers on {case.as_of}; widen them, or see data/api_prices.csv")
    return dict(sorted(sold.items(), key=lambda one: (one[0] != case.model, -len(one[1]))))


def sellers(case, model):
    """Price of a million tokens at the page's mix by seller: the median of a seller's own offers that take it. [USD/Mtok]"""
    rows = api_terms.able(model, case.as_of, positions=case.isl + case.osl)
    rows["usd_per_mtok"] = money.usd_per_mtok_blend(
        usd_per_mtok_in=rows["usd_per_mtok_in"], usd_per_mtok_out=rows["usd_per_mtok_out"], isl=case.isl,
        osl=case.osl)
    table = rows.groupby("provider")["usd_per_mtok"].agg(usd_per_mtok="median", offers="size").reset_index()
    return table[table["usd_per_mtok"] > 0].assign(model=model)


@remembered
def _able(model, gpus, **asked):
    """What each GPU serves, remembered: load and rent do not change it."""
    return sizing.choices(model, gpus, **asked)


def _hours(case, gpu):
    """What an hour of a GPU costs at each kind of seller, or as the page states it, each with its range. [USD/GPU/h]"""
    usd = gpu_prices.stated(case)
    if usd is not None:
        return {STATED: {f"usd_per_gpu_hour{end}": usd for end in ("", "_low", "_high")}}
    return {seller: market.typical(part) for seller, part in market.offers_known(gpu, case.as_of).groupby("seller")}


def rented(case, model):
    """Cost of a million tokens on the cheapest GPU of each kind of seller, at the page's load. One row a kind."""
    hours = {gpu: _hours(case, gpu) for gpu in case.gpus}
    priced = [gpu for gpu, rents in hours.items() if rents]
    if not priced:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has an offer by the hour on {case.as_of}; see "
                       "`tokenecon list prices`")
    able = _able(model, tuple(priced), weights=case.weights, kv=case.kv, isl=case.isl, osl=case.osl,
                 ttft_ms=case.ttft_ms, tpot_ms=case.tpot_ms)
    if (able["reason"] != "").all():
        raise BadInput(f"parameter 'gpus': none of {', '.join(priced)} serves {model} within ttft_ms and tpot_ms; of "
                       f"{able['gpu'].iloc[-1]}: {able['reason'].iloc[-1].split(';')[0]}")
    rows = []
    for _, replica in able[able["reason"] == ""].iterrows():
        for seller, rents in hours[replica["gpu"]].items():
            cost = {}
            # cheap: the lowest rent at the fast end of the measurements; dear: the highest at the slow end
            for end, rate in (("", ""), ("_low", "_high"), ("_high", "_low")):
                whole = money.usd_per_mtok_out(
                    usd_per_gpu_hour=rents[f"usd_per_gpu_hour{end}"], n_gpus=replica["n_gpus"],
                    tok_out_per_s=replica[f"output_tok_s{rate}"], utilisation=case.utilisation)
                cost[f"usd_per_mtok{end}"] = money.usd_per_mtok_blend(
                    usd_per_mtok_in=0.0, usd_per_mtok_out=whole, isl=case.isl, osl=case.osl)
            rows.append({"model": model, "seller": seller, "gpu": replica["gpu"], "n_gpus": replica["n_gpus"], **cost,
                         **{name: replica[name] for name in ("ttft_ms", "tpot_ms", "concurrency", "calibrated")},
                         "rent": rents["usd_per_gpu_hour"], "set_on": rents.get("set_on", case.as_of)})
    table = pd.DataFrame(rows)
    best = table.loc[table.groupby("seller")["usd_per_mtok"].idxmin()]
    best = best.set_index("seller").reindex([name for name in KINDS if name in set(best["seller"])])
    best["gpu_name"] = [f"{row['n_gpus']:g} × {data.gpu(row['gpu'])['name']}" for _, row in best.iterrows()]
    return best.reset_index()


@finding
def api_against_rent(case):
    """Sellers of each open model of the size asked beside the cost on rented GPUs at the page's load."""
    rows = []
    for model, sold in models(case).items():
        name = data.model(model)["name"]
        middle = sold["usd_per_mtok"].median()
        rows.append({"model": model, "model_name": name, "label": _label(name, sold), "what": API,
                     "with_": f"{len(sold)} sellers", "usd_per_mtok": middle, "usd_per_mtok_low": sold["usd_per_mtok"].min(),
                     "usd_per_mtok_high": sold["usd_per_mtok"].max(), "calibrated": True})
        least = sold.loc[sold["usd_per_mtok"].idxmin()]
        rows.append({"model": model, "model_name": name, "label": f"{name}, {CHEAPEST}", "what": CHEAPEST,
                     "with_": least["provider"], "usd_per_mtok": least["usd_per_mtok"], "calibrated": True})
        for _, own in rented(case, model).iterrows():
            rows.append({
                "model": model, "model_name": name, "label": f"{name} at a {own['seller']}", "what": f"rented, {own['seller']}",
                "with_": own["gpu_name"], "below": (sold["usd_per_mtok"] < own["usd_per_mtok"]).mean(),
                "implied_load": implied_load(case, own["usd_per_mtok"], middle),
                **{key: own[key] for key in ("gpu", "seller", "rent", "set_on", "calibrated", "ttft_ms", "tpot_ms",
                                             "usd_per_mtok", "usd_per_mtok_low", "usd_per_mtok_high")}})
    table, points = pd.DataFrame(rows), seller_points(case)
    ends = ("lowest rent at the fast end of the serving model's 80% interval to the highest rent at the slow end; dots: the "
            "middle provider. Marketplaces are in the table" if gpu_prices.stated(case) is None else
            f"the serving model's 80% interval, at rents {gpu_prices.known(case)}")
    sentence, asked = _compared(case, table)
    return Finding(table, sentence, (
        f"{asked} Both kinds of token at the mix of the page, {case.isl:g} in and {case.osl:g} out. Ticks: sellers, "
        f"several offers of one their median; some resell others. Bars of rented GPUs: {ends}. "
        f"{case.weights.upper()} weights; few sellers state theirs. Without staff, network, egress, and tokens from a cache."
        + ("" if table["calibrated"].all() else " Some of it is beyond the measurements.")),
        UNITS, sellers=points)


def _label(name, sold):
    return f"{name}: {len(sold)} sellers"


def seller_points(case):
    """Each seller of each model of :func:`api_against_rent`, with the label of its row there."""
    table = pd.concat([sold.assign(label=_label(data.model(model)["name"], sold)) for model, sold in models(case).items()],
                      ignore_index=True)
    return table[["model", "provider", "label", "usd_per_mtok", "offers"]]


@finding
def charted(found):
    """The rows of :func:`api_against_rent` that its figure has room for: sellers, neoclouds, hyperscalers of the first models."""
    table, points = found.table, found["sellers"]
    rows = table[(table["seller"].fillna("") != "marketplace") & (table["what"] != CHEAPEST)]
    drawn, left = rows["model"].unique()[:DRAWN], rows["model_name"].unique()[DRAWN:]
    note = found.note + (f" In the table alone: {', '.join(left)}." if len(left) else "")
    return Finding(rows[rows["model"].isin(drawn)].reset_index(drop=True), found.sentence, note, UNITS,
                   sellers=points[points["model"].isin(drawn)].reset_index(drop=True))


def implied_load(case, usd_per_mtok, price):
    """Load at which rented GPUs make a token for a price: cost goes with one over the load. Above one: at no load. [fraction]"""
    return case.utilisation * usd_per_mtok / price


def _compared(case, table):
    """The comparison in words: the median seller, the cheapest, and our cost at neoclouds, of the page's model where it is there.

    Beside it of how many sellers the two prices are and how old.
    """
    model = case.model if case.model in set(table["model"]) else table["model"].iloc[0]
    rows = table[(table["model"] == model) & table["seller"].notna()]
    own = rows[rows["seller"] == "neocloud"] if (rows["seller"] == "neocloud").any() else rows
    own = own.loc[own["usd_per_mtok"].idxmin()]
    page = SimpleNamespace(**vars(case) | {"model": model})
    load = base.cased(case, "weights", "kv", "isl", "osl", "utilisation", "ttft_ms", "tpot_ms", "usd_per_gpu_hour", "as_of")
    cost = named("cost-all-cheapest-gpu", own["usd_per_mtok"], price, **ends(own, "usd_per_mtok"), model=model,
                 gpus=",".join(case.gpus), seller=own["seller"],
                 **load)
    aged = gpu_prices.aged({"gpu": own["gpu"], "kind": "on_demand", "seller": own["seller"], "as_of": own["set_on"],
                            "date": case.as_of})
    asked = [scenario_prices.api(base.of(page), rule)["said"] for rule in ("typical", "best")]
    return (f"A million tokens of {data.model(model)['name']} cost {base.said_api(page, 'typical')} at the median seller, "
            f"{base.said_api(page, 'best')} at the cheapest, {cost}{aged} on a {own['seller']}'s machines without staff"), (
        f"{'; '.join(asked)}.")


@finding
def disagreement(case):
    """Where two public price lists print different prices for the same model of the same seller."""
    table = price_book.disagreement(None, case.as_of)
    differing = table[~table["agree"]].copy()
    differing["ratio"] = np.exp(np.maximum(np.abs(np.log(differing["ratio_in"])), np.abs(np.log(differing["ratio_out"]))))
    differing = differing.sort_values("ratio", ascending=False).reset_index(drop=True)
    farthest = differing["ratio"].max() if len(differing) else 1.0

    def said(what, rows):
        return named("list-pairs", len(rows), str, what=what, as_of=case.as_of)

    return Finding(
        differing, f"As of {case.as_of} both lists price {said('both', table)} pairs of model and seller; "
        f"{said('differing', differing)} of them differ, by up to a factor of "
        f"{named('list-disagreement', farthest, '{:.1f}'.format, as_of=case.as_of)}.",
        "Which of the two is right neither says: the book keeps both and counts a seller at their median.",
        market.units_of(LIST_COLUMNS) | {"ratio_in": "ratio", "ratio_out": "ratio"})


@finding
def sensitivity(case):
    """Cost at neoclouds of the model with most sellers, and the load that meets its middle seller, when one input moves."""
    moves = {
        "the page itself": {},
        "full at every paid hour": {"utilisation": 1.0},
        "a quarter of the paid hours": {"utilisation": 0.25},
        "16-bit weights": {"weights": "fp16"},
        "half the time per token allowed": {"tpot_ms": case.tpot_ms / 2},
        "prompts four times as long": {"isl": 4 * case.isl},
        "answers four times as long": {"osl": 4 * case.osl},
    }  # fmt: skip
    model = next(iter(models(case)))
    rows = []
    for text, move in moves.items():
        now = SimpleNamespace(**(vars(case) | move))
        middle = sellers(now, model)["usd_per_mtok"].median()
        try:
            found = rented(now, model).set_index("seller")
        except ValueError:  # no GPU of the page serves it so: the row says it
            rows.append({"change": text, "gpu_name": "none of the page's GPUs", "median_seller": middle})
            continue
        own = found.loc["neocloud" if "neocloud" in found.index else found.index[0]]
        rows.append({"change": text, "gpu_name": own["gpu_name"], "median_seller": middle,
                     **{f"usd_per_mtok{end}": own[f"usd_per_mtok{end}"] for end in ("", "_low", "_high")},
                     "implied_load": implied_load(now, own["usd_per_mtok"], middle)})
    return Finding(
        pd.DataFrame(rows), "", f"Of {data.model(model)['name']}, the model with most sellers. Above 100%: rented GPUs do not "
        "meet that price at any load.", market.units_of(CHANGE_COLUMNS))

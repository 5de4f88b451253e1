"""Where the GPUs stand and who owns them: own machines against an API, centre against edge, and the wait for a reply."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.analysis import pooling_loss, textbook
from tokenecon.analysis.cases import positive
from tokenecon.analysis.claims_facts import n
from tokenecon.formulas import break_even, money, routing, serving

LATENCY_COLUMNS = {
    "where": ("Where", None), "rtt_ms": ("Round trip", "ms"), "ttft_ms": ("Prefill", "ms"),
    "first_ms": ("Until the first token", "ms"), "decode_ms": ("Writing the answer", "ms"), "total_s": ("Until the last", "s"),
}  # fmt: skip
EGRESS_COLUMNS = {"what": ("A million tokens of output", None), "usd_per_mtok_out": ("Cost", "USD/Mtok_out")}
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "edge_alone": ("Edge over centre, one request a GPU", "ratio"),
    "edge_batched": ("Edge over centre, batches", "ratio"), "break_even": ("Own pays from", "tok/day"),
    "saving": ("Saved at the page's volume", "fraction"),
}  # fmt: skip


def _point(case, usd_per_gpu_hour):
    row = textbook.point(
        model=case.model, gpu=case.gpu, gpus=case.n_gpus, weights=case.weights, kv=case.kv, isl_tokens=case.isl_tokens,
        osl_tokens=case.osl_tokens, batch=case.batch, usd_per_gpu_hour=usd_per_gpu_hour, utilisation=case.utilisation)
    if not row["fits"]:
        raise textbook.DoesNotFit(
            f"parameter 'batch' is {case.batch}, but {case.n_gpus} x {case.gpu} hold {int(row['max_batch'])} sequences of "
            f"{case.isl_tokens + case.osl_tokens} tokens beside the weights; lower it, or raise n_gpus")
    return row


def instance(case):
    """One own instance: price of its hour, cost of a token and tokens a day, each as (cheap, expected, dear)."""
    found = data.price_range(case.gpu, "on_demand", case.as_of)
    rent = np.array([found["low"], found["typical"], found["high"]])
    row = _point(case, tuple(rent))
    cost = np.array([row["usd_per_mtok_low"], row["usd_per_mtok"], row["usd_per_mtok_high"]]) * (1 + case.ops_overhead)
    rent = rent * (1 + case.ops_overhead)
    # The volume at which a full instance costs what its token costs is what it can make in a day.
    capacity = break_even.break_even_tok_per_day(gpus=case.n_gpus, usd_per_gpu_hour=rent, usd_per_mtok_api=cost)
    return {"rent": rent, "cost": cost, "capacity": capacity, "point": row, "sources": found["sources"]}


def api_price(case, price_in=None, price_out=None):
    """Price of a million tokens at the page's mix of input and output. [USD/Mtok]"""
    return money.usd_per_mtok_blend(
        usd_per_mtok_in=case.api_usd_per_mtok_in if price_in is None else price_in,
        usd_per_mtok_out=case.api_usd_per_mtok_out if price_out is None else price_out,
        tok_in=case.isl_tokens, tok_out=case.osl_tokens)


def market_price(case):
    """What sellers of this model ask today, at the page's mix: (low, typical, high), or nothing if none is known."""
    ids = [f"api.{case.model}_{kind}" for kind in ("input", "output")]
    if not set(ids) <= set(data.table("assumptions")["id"]):
        return None
    spans = [data.span(one) for one in ids]
    return tuple(api_price(case, into, out) for into, out in zip(*spans, strict=True))


def own_cost(own, volume, n_gpus, end=1):
    """Cost of a million tokens when whole instances serve a daily volume. [USD/Mtok]"""
    instances = np.ceil(np.asarray(volume) / own["capacity"][end] - 1e-9)  # an instance filled exactly is one, not two
    return instances * break_even.break_even_tok_per_day(
        gpus=n_gpus, usd_per_gpu_hour=own["rent"][end], usd_per_mtok_api=1.0) / volume


def threshold(own, price, n_gpus, end=1):
    """Daily volume from which an own instance beats a price, or None if even a full one does not. [tok/day]"""
    volume = break_even.break_even_tok_per_day(gpus=n_gpus, usd_per_gpu_hour=own["rent"][end], usd_per_mtok_api=price)
    return float(volume) if volume <= own["capacity"][end] else None


def own_or_api(case):
    """Where an own instance begins to pay, and what it saves at the page's volume."""
    positive(case, "tokens_per_day")
    if not api_price(case) > 0:
        raise ValueError("parameters 'api_usd_per_mtok_in' and 'api_usd_per_mtok_out' are both 0; nothing competes with an API "
                         "that is free")
    own, listed = instance(case), api_price(case)
    here = float(own_cost(own, case.tokens_per_day, case.n_gpus))
    return {"break_even": threshold(own, listed, case.n_gpus), "own": here, "listed": listed, "saving": 1 - here / listed}


def volume(case):
    """Cost of a million tokens over the daily volume: own instances, the API, the documents, the market."""
    found = own_or_api(case)
    own, listed = instance(case), api_price(case)
    typical = own["capacity"][1]
    volumes = np.geomspace(typical / 100, max(30 * typical, 1.5 * case.tokens_per_day), 300)
    name = f"own: {case.n_gpus} × {data.gpu(case.gpu)['name']}"
    parts = [pd.DataFrame({"tok_per_day": volumes, "offer": name, **{
        f"usd_per_mtok{end}": own_cost(own, volumes, case.n_gpus, place) for place, end in enumerate(("_low", "", "_high"))}})]
    claimed = units.convert(data.claim("dep-bedrock-price")["low"], "USD/ktok", "USD/Mtok")
    flat = {"documents: Bedrock": (claimed,) * 3, "API of the page": (listed,) * 3}
    market = market_price(case)
    if market:
        flat["market for this model"] = market
    for offer, (low, middle, high) in flat.items():
        ends = {"usd_per_mtok_low": low, "usd_per_mtok_high": high} if low < high else {}
        parts.append(pd.DataFrame({"tok_per_day": volumes[[0, -1]], "offer": offer, "usd_per_mtok": middle, **ends}))
    table = pd.concat(parts, ignore_index=True)
    table.attrs.update(found, tokens_per_day=case.tokens_per_day)
    start, saving = table.attrs["break_even"], table.attrs["saving"]
    claim = data.claim("dep-selfhosted-saving")
    opening = ("At no volume does an own instance beat the API price" if start is None else
               f"An own instance beats the API price from {n(start, 3)} tokens a day")
    table.attrs["finding"] = (
        f"{opening}; at {n(case.tokens_per_day, 3)} it {saved_words(saving)}, where the documents say "
        f"{claim['low']:.0%} to {claim['high']:.0%}")
    table.attrs["note"] = (
        f"Own: whole instances at on-demand prices known on {case.as_of}, {case.ops_overhead:.0%} for "
        f"operations, at most {case.utilisation:.0%} of hours used; the band runs over prices and efficiencies.")
    table.attrs["sources"] = ["doc-uk", *own["sources"], data.assumption("api.bedrock_output")["source"],
                              *(["genai-prices"] if market else []), "own-assumption"]
    return table


def saved_words(saving):
    """A saving in words that stay true when it is a loss."""
    return f"saves {saving:.0%}" if saving >= 0 else f"costs {1 - saving:.1f} times as much"


def headline(case):
    """The answer of the chapter: edge against centre, own against API."""
    sold, site = own_or_api(case), pooling_loss.site_gpus(case)
    low, high = sorted(pooling_loss.at_site(case))
    own = ("never beats the API price" if sold["break_even"] is None else
           f"beats the API price from {n(sold['break_even'], 3)} tokens a day")
    ends = list(dict.fromkeys((f"{low:.1f}", f"{high:.1f}")))  # one number where both read the same
    return {
        "finding": f"{'Spread over' if case.edge_sites > 1 else 'At'} {sites(case)}, a token costs {' to '.join(ends)} times as "
                   f"much as from one centre of {case.central_gpus:,} GPUs, by how many requests a GPU serves at a time; an own "
                   f"instance {own}.",
        "number": f"{'–'.join(ends)}×",
        "label": f"a token from {sites(case)} of {site:g} GPUs over one from a single centre",
    }


def sites(case):
    """The number of sites in words."""
    return f"{case.edge_sites:,} small site{'s' if case.edge_sites > 1 else ''}"


def hybrid(case):
    """Cost over the share answered at the edge, all in the centre on the large model = 1."""
    low, high = (data.claim("dep-edge-cost")[end] for end in ("low", "high"))
    shares = np.linspace(0, 1, 21)
    kinds = {"large model at the edge": (1.0, (low, high)), "small model at the edge": (case.small_cost_ratio, (low, high)),
             "small model in the centre": (case.small_cost_ratio, (1.0, 1.0))}

    def blend(share, penalty, small):
        return routing.hybrid_usd_per_mtok(edge_share=share, edge_penalty=penalty, small_usd_per_mtok=small,
                                           large_usd_per_mtok=1.0)

    parts = [pd.DataFrame({
        "edge_share": shares, "design": design, "cost_ratio": blend(shares, sum(ends) / 2, small),
        **({"cost_ratio_low": blend(shares, ends[0], small), "cost_ratio_high": blend(shares, ends[1], small)}
           if ends[0] < ends[1] else {})}) for design, (small, ends) in kinds.items()]
    table = pd.concat(parts, ignore_index=True)
    at = [float(blend(case.edge_share, penalty, case.small_cost_ratio)) for penalty in (low, high)]
    bound = 1 / case.small_cost_ratio if case.small_cost_ratio else np.inf
    table.attrs.update(at=at, bound=bound, edge_share=case.edge_share)
    table.attrs["finding"] = (
        f"With {case.edge_share:.0%} of tokens on a small model at the edge, {low:g} to {high:g} times as dear there, the bill "
        f"is {at[0]:.0%} to {at[1]:.0%} of the central one; a small model pays there up to {n(bound, 3)} times the central cost")
    table.attrs["note"] = "What saves is the smaller model, not the place. Whether its answers are good enough is not in it."
    table.attrs["sources"] = ["doc-uk", "own-assumption"]
    return table


def latency(case):
    """What a user waits for from the centre and from the edge: way, prefill, decoding."""
    row = _point(case, 1.0)
    rows = []
    for where, rtt in (("distant centre", "network.rtt_central"), ("edge", "network.rtt_edge")):
        line = {"where": where}
        for end, trip in zip(("_low", "", "_high"), data.span(rtt), strict=True):
            ttft, step = row[f"ttft_ms{end}"], row[f"step_ms{end}"]
            total = serving.request_seconds(
                round_trip_s=trip / units.MS_PER_SECOND, ttft_s=ttft / units.MS_PER_SECOND, tok_out=case.osl_tokens,
                tpot_s=step / units.MS_PER_SECOND)
            line |= {f"rtt_ms{end}": trip, f"ttft_ms{end}": ttft, f"first_ms{end}": trip + ttft,
                     f"decode_ms{end}": case.osl_tokens * step, f"total_s{end}": total}
        rows.append(line)
    table = pd.DataFrame(rows)
    centre, edge = rows
    first, last = 1 - edge["first_ms"] / centre["first_ms"], 1 - edge["total_s"] / centre["total_s"]
    table.attrs["finding"] = (
        f"Being near saves {centre['rtt_ms'] - edge['rtt_ms']:.0f} ms: {first:.0%} of the wait for the first token and "
        f"{last:.1%} of the {centre['total_s']:.1f} s until the last, if both places run the same model on the same GPUs.")
    table.attrs["note"] = f"At batch {case.batch}, nobody waiting, and without the prefills of others in between."
    table.attrs["sources"] = ["own-assumption", data.model(case.model)["source"]]
    return table


def egress(case):
    """Fees for sending a million tokens of text out, beside what the tokens cost."""
    sizes, fees = data.span("language.bytes_per_token"), data.span("network.egress")
    fee = [break_even.egress_usd_per_mtok(bytes_per_tok=size, usd_per_gb=usd) for size, usd in zip(sizes, fees, strict=True)]
    own = _point(case, instance(case)["rent"][1])["usd_per_mtok_out"]
    advantage = own * data.claim("dep-central-cost-reduction")["low"]
    table = pd.DataFrame([
        {"what": "sent out of a large cloud", "usd_per_mtok_out": fee[1], "usd_per_mtok_out_low": fee[0],
         "usd_per_mtok_out_high": fee[2]},
        {"what": "the centre's advantage as the documents put it", "usd_per_mtok_out": advantage},
        {"what": "made on own instances", "usd_per_mtok_out": own}])
    table.attrs["finding"] = (
        f"Sending a million tokens out costs ${fee[1]:.4f} in fees, {fee[1] / own:.2%} of making them: fees do not use up the "
        "advantage of a centre." if fee[1] < advantage else
        f"Sending a million tokens out costs ${fee[1]:.4f} in fees, more than the advantage of a centre.")
    table.attrs["sources"] = ["finopsforge-egress", "own-assumption", "doc-uk"]
    return table


def sensitivity(case):
    """Edge penalty, break-even volume and saving when one input of the page moves and the others stay."""
    moves = {
        "the page itself": {},
        "sites of twice the size": {"edge_sites": max(1, case.edge_sites // 2)},
        "an hour as dear at a site as in the centre": {"site_overhead": 0.0},
        "one in twenty may wait": {"wait_probability": 0.05},
        "half the batch": {"batch": max(1, case.batch // 2)},
        "own machines half as full": {"utilisation": case.utilisation / 2},
        "operations cost as much as the machines": {"ops_overhead": 1.0},
        "an API at a third of the price": {"api_usd_per_mtok_in": case.api_usd_per_mtok_in / 3,
                                           "api_usd_per_mtok_out": case.api_usd_per_mtok_out / 3},
    }  # fmt: skip
    rows = []
    for text, move in moves.items():
        now = pooling_loss.changed(case, **move)
        (alone, batched), sold = pooling_loss.at_site(now), own_or_api(now)
        rows.append({"change": text, "edge_alone": alone, "edge_batched": batched,
                     "break_even": np.nan if sold["break_even"] is None else sold["break_even"], "saving": sold["saving"]})
    table = pd.DataFrame(rows)
    table.attrs["note"] = "A dash: even a full instance costs more than the API."
    return table

"""Where the GPUs stand: the answer of the chapter, the wait for a reply, fees for traffic, small models at the edge.

Speeds and requests in flight are those of the calibrated model within the page's latency limits.
"""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, ends, finding, given, named
from tokenecon.fleet import pools
from tokenecon.formulas import levers, money, serving
from tokenecon.serving import operating_point, sizing
from tokenecon_book.chapters.deployment import edge, own_or_api
from tokenecon_book.documents import base, bills
from tokenecon_book.documents.words import dollars, percent, price, span

LATENCY_COLUMNS = {
    "where": ("Where", None), "in_flight": ("Requests in flight", None), "first_ms": ("Until the first token", "ms"),
    "decode_ms": ("Writing the answer", "ms"), "total_s": ("Until the last token", "s"),
}  # fmt: skip
EGRESS_COLUMNS = {"what": ("A million tokens of output", None), "usd_per_mtok_out": ("Cost", "USD/Mtok_out")}
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "edge_alone": ("Edge over centre, one request a GPU", "ratio"),
    "edge_batched": ("Edge over centre, whole replicas", "ratio"), "break_even": ("Own beats the API from", "request/day"),
    "over_api": ("Own over the API at the page's volume", "ratio"),
}  # fmt: skip
ENDS = ("_low", "", "_high")
ONE_DIGIT = "{:.1f}".format


@finding
def headline(case):
    """The answer of the chapter: edge against centre, own against API."""
    single, whole = edge.at_site(case)
    ratio = edge.said_ratio(case)
    own = own_or_api.owned_words(case)
    return Finding(
        pd.DataFrame({"kind": [edge.ALL, edge.ALONE_KIND], "cost_ratio": [whole, single]}),
        f"Per token, {edge.sites_words(case)} cost {ratio} times one centre; {own}." if case.edge_sites > 1
        else f"A single site is a centre with dearer hours, {ratio} times as dear; {own}.",
        f"Whole replicas; if a GPU served one request at a time, {single:.1f} times. {own_or_api.against_cheapest(case)}".strip(),
        number=f"{ratio}×",
        label=f"a token from {edge.sites_words(case)} over one from a single centre" if case.edge_sites > 1 else
        "a token from a single site, at the dear hours of the edge, over one from a centre")


def small_ratio(case):
    """Cost of a token of the small model over one of the page's, within the same limits, its interval, and its GPUs.

    The small model stands on the number of GPUs that makes most of each of them.
    """
    small = sizing.choices(case.small_model, [case.gpu], weights=case.weights, kv=case.kv, isl=case.isl,
                           osl=case.osl, ttft_ms=case.ttft_ms, tpot_ms=case.tpot_ms).iloc[0]
    if small["reason"]:
        raise BadInput(f"parameter 'small_model' is '{case.small_model}', which cannot be served: {small['reason']}")
    large = pools.replica(case)
    ends = [small["n_gpus"] / small[f"requests_per_s{one}"] * large[f"requests_per_s{other}"] / case.n_gpus
            for one, other in (("_high", "_low"), ("", ""), ("_low", "_high"))]
    return tuple(map(float, ends)), int(small["n_gpus"])


@finding
def hybrid(case):
    """Cost over the share answered at the edge, all in the centre on the large model = 1."""
    ends = sorted(edge.at_site(case))
    shares, ((cheap, ratio, dear), n_gpus) = np.linspace(0, 1, 21), small_ratio(case)
    kinds = {"large model at the edge": ((1.0,) * 3, (ends[0], sum(ends) / 2, ends[1])),
             "small model at the edge": ((cheap, ratio, dear), (ends[0], sum(ends) / 2, ends[1])),
             "small model in the centre": ((cheap, ratio, dear), (1.0,) * 3)}
    parts = [pd.DataFrame({"edge_share": shares, "design": design, **{
        f"cost_ratio{end}": levers.hybrid_usd_per_mtok(edge_share=shares, edge_penalty=penalty, small_usd_per_mtok=small,
                                                       large_usd_per_mtok=1.0)
        for end, small, penalty in zip(ENDS, smalls, penalties, strict=True)}}) for design, (smalls, penalties) in kinds.items()]
    table = pd.concat(parts, ignore_index=True)
    at = [float(levers.hybrid_usd_per_mtok(edge_share=case.edge_share, edge_penalty=penalty, small_usd_per_mtok=small,
                                           large_usd_per_mtok=1.0)) for penalty, small in ((ends[0], cheap), (ends[1], dear))]
    bound, name = 1 / ratio, data.model(case.small_model)["name"]
    of = edge.instance(case) | {"small_model": case.small_model, "edge_share": case.edge_share}
    ends_of_bill = (named("hybrid-bill", value, percent, end=end, **of) for value, end in zip(at, ("low", "high"), strict=True))
    bill = span(*ends_of_bill, str)
    return Finding(table, (
        f"{name} in place of {data.model(case.model)['name']} does not pay: within these limits a token of it costs no less"
        if ratio >= 1 else
        "With no token answered at the edge the bill is that of the centre" if not case.edge_share else
        f"With {given(case, 'edge_share', percent)} of tokens on {name} at the edge, the bill is {bill} of the centre's"), (
        f"A place at the edge is {span(*ends, ONE_DIGIT)} times as dear; there it pays up to {bound:.1f} times the central cost. "
        f"A token of the small model, {pools.count(n_gpus, 'GPU')} a replica, costs {bills.ratio_words(ratio)} one of the "
        "large model within the same latency limits. What saves is the smaller model, not the place. Whether its answers are "
        "good enough is not in it."),
        at=at, bound=bound, edge_share=case.edge_share, ratio=ratio)


@finding
def latency(case):
    """What a user waits for from the centre and from the edge, in an empty and in a full replica."""
    found, rows = pools.replica(case), []
    loads = {"one": 1, f"{found['concurrency']:.0f}": found["concurrency"]}
    curve = sizing.curve(pools.replica_case(found), list(loads.values()))
    for (words, _), (_, at) in zip(loads.items(), curve.iterrows(), strict=True):
        for where, rtt in (("distant centre", "network.rtt_central"), ("edge", "network.rtt_edge")):
            line = {"where": where, "in_flight": words}
            for end, trip in zip(ENDS, data.span(rtt), strict=True):
                total = serving.request_seconds(
                    round_trip_s=trip / units.MS_PER_SECOND, ttft_s=at[f"ttft_ms{end}"] / units.MS_PER_SECOND,
                    tok_out=case.osl, tpot_s=at[f"tpot_ms{end}"] / units.MS_PER_SECOND)
                line |= {f"rtt_ms{end}": trip, f"ttft_ms{end}": at[f"ttft_ms{end}"], f"first_ms{end}": trip + at[f"ttft_ms{end}"],
                         f"decode_ms{end}": case.osl * at[f"tpot_ms{end}"], f"total_s{end}": total}
            rows.append(line)
    table = pd.DataFrame(rows)
    of = base.cased(case, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "ttft_ms", "tpot_ms")
    empty, full = (named("near-first", 1 - rows[place + 1]["first_ms"] / rows[place]["first_ms"], percent, replica=load, **of)
                   for place, load in ((0, "empty"), (2, "full")))
    last = percent(1 - rows[3]["total_s"] / rows[2]["total_s"])
    near = named("near-trip", rows[0]["rtt_ms"] - rows[1]["rtt_ms"], "{:.0f}".format)
    return Finding(table, (
        f"Being near saves {near} ms: {empty} of the wait for a first token from an empty replica, {full} from a full one."),
        f"Both places run the same model on the same GPUs; in a full replica being near saves {last} of the whole answer's time. "
        f"Round trip: {rows[0]['rtt_ms']:g} ms to a distant centre, {rows[1]['rtt_ms']:g} ms to the edge. Ranges, outer bound: "
        "interval of the model and range of the round trip, both at their short or long end.")


@finding
def egress(case):
    """Fees for sending a million tokens of text out, beside what the tokens cost on machines rented by the hour."""
    sizes, fees = data.span("language.bytes_per_token"), data.span("network.egress")
    fee = [money.egress_usd_per_mtok(bytes_per_tok=size, usd_per_gb=usd) for size, usd in zip(sizes, fees, strict=True)]
    full = base.completed(pools.changed(case, batch=None, utilisation=None))
    made = operating_point.point(
        model=full.model, gpu=full.gpu, n_gpus=full.n_gpus, weights=full.weights, kv=full.kv, isl=full.isl, osl=full.osl,
        concurrency=full.batch, usd_per_gpu_hour=full.usd_per_gpu_hour, utilisation=full.utilisation)
    usd = made["usd_per_mtok_out"]
    cheaper = data.claim("dep-central-cost-reduction")["low"]
    advantage = usd * cheaper / (1 - cheaper)  # a share of what scattered sites pay, who pay that much more
    table = pd.DataFrame([
        {"what": "sent out of a large cloud", "usd_per_mtok_out": fee[1], "usd_per_mtok_out_low": fee[0],
         "usd_per_mtok_out_high": fee[2]},
        {"what": "the centre's advantage as the documents put it", "usd_per_mtok_out": advantage},
        {"what": "made on machines rented by the hour", "usd_per_mtok_out": usd}])
    sent = named("egress-fee", fee[1], dollars, low=fee[0], high=fee[2])
    cost = named("cost-output", usd, price, **ends(made, "usd_per_mtok_out"), **full.costed)
    return Finding(table, (
        f"Sending a million tokens out costs {sent} in fees, making them {cost}: fees do not use up the advantage of a centre."
        if fee[1] < advantage else
        f"Sending a million tokens out costs {sent} in fees, making them {cost}: fees are more than the advantage of a centre."),
        "Range, outer bound: bytes of a token and price of traffic both at their low or high end.")

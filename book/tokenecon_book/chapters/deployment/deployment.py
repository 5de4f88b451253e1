"""Where the GPUs stand and who owns them: own machines against an API, centre against edge, and the wait for a reply.

Speeds and requests in flight are those of the calibrated model within the page's latency limits; how many replicas a
volume needs follows from the load over the day and the share of requests that may wait, not from a typed utilisation.
"""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, NoPrice
from tokenecon.finding import Finding, finding
from tokenecon.fleet import erlang, planning, pools, traffic
from tokenecon.formulas import levers, money, queueing, serving
from tokenecon.prices import gpu_prices, price_book
from tokenecon.queries import remembered
from tokenecon.serving import operating_point, sizing, textbook
from tokenecon_book.chapters.deployment import edge, pool_sizes
from tokenecon_book.documents import bills
from tokenecon_book.documents.bills import positive
from tokenecon_book.documents.printed import LLAMA2_70B, n
from tokenecon_book.documents.words import LITTLE, dollars, percent, span

LATENCY_COLUMNS = {
    "where": ("Where", None), "in_flight": ("Requests in flight", None), "rtt_ms": ("Round trip", "ms"),
    "ttft_ms": ("TTFT", "ms"), "first_ms": ("Until the first token", "ms"), "decode_ms": ("Writing the answer", "ms"),
    "total_s": ("Until the last", "s"),
}  # fmt: skip
EGRESS_COLUMNS = {"what": ("A million tokens of output", None), "usd_per_mtok_out": ("Cost", "USD/Mtok_out")}
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "edge_alone": ("Edge over centre, one request a GPU", "ratio"),
    "edge_batched": ("Edge over centre, whole replicas", "ratio"), "break_even": ("Own first pays at", "tok/day"),
    "saving": ("Saved at the page's volume", "fraction"),
}  # fmt: skip
ENDS = ("_low", "", "_high")
SPEEDS = ("_high", "", "_low")  # of the end of a cost: a fast replica is a cheap one
MOST_REPLICAS = 300  # volumes are looked at up to so many full replicas
POINTS = 400
PERCENT = "{:.0%}".format
ONE_DIGIT = "{:.1f}".format


def instance(case, found=None):
    """One own replica: price of its hour with operations, and tokens a day within the waiting target, (cheap, expected, dear)."""
    found = pools.replica(case) if found is None else found
    rent = gpu_prices.of_page(case)
    hour = np.array([rent["low"], rent["typical"], rent["high"]]) * (1 + case.ops_overhead)
    busy = float(erlang.utilisation(slots=found["concurrency"], wait_probability=case.wait_probability))
    mean = queueing.mean_utilisation(peak_utilisation=busy, peak_to_mean=traffic.peak_to_mean(traffic.profile(case.profile)))
    per_day = units.convert(1.0, "day", "s") * (case.isl + case.osl)
    capacity = mean * per_day * np.array([found[f"requests_per_s{speed}"] for speed in SPEEDS])
    return {"found": found, "rent": hour, "capacity": capacity, "utilisation": mean}


def paid_replicas(case, own, volumes, end=1):
    """Replicas paid for to serve a mean volume a day through the page's profile and waiting target."""
    rates = np.atleast_1d(volumes) / (case.isl + case.osl) / units.convert(1.0, "day", "s")
    return planning.demand_curve(
        traffic.profile(case.profile), demands=rates, requests_per_s=own["found"][f"requests_per_s{SPEEDS[end]}"],
        concurrency=own["found"]["concurrency"], wait_probability=case.wait_probability, policy="fixed", start_h=0.0, floor=1)


def own_cost(case, own, volumes, end=1):
    """Cost of a million tokens, input and output, when whole replicas serve a daily volume: all paid time over all tokens."""
    n_gpus = paid_replicas(case, own, volumes, end) * case.n_gpus
    return money.break_even_tok_per_day(n_gpus=n_gpus, usd_per_gpu_hour=own["rent"][end], usd_per_mtok_api=1.0) / volumes


def threshold(case, own, price, end=1):
    """Smallest daily volume at which own replicas beat a price, or None if no number of them does. [tok/day]

    Replicas are whole: just above a volume that fills them, one more is paid for, and the price may be the lower one again.
    """
    volumes = np.geomspace(own["capacity"][end] / 100, MOST_REPLICAS * own["capacity"][end], POINTS)
    beats = own_cost(case, own, volumes, end) <= price
    if not beats.any():
        return None
    first = int(np.argmax(beats))
    n_gpus = float(paid_replicas(case, own, volumes[first], end)[0]) * case.n_gpus
    exact = money.break_even_tok_per_day(n_gpus=n_gpus, usd_per_gpu_hour=own["rent"][end], usd_per_mtok_api=price)
    return float(max(exact, volumes[first - 1] if first else 0.0))


def api_price(case):
    """What sellers of this model ask at the page's mix on its date: price (low, typical, high); None if nobody does."""
    try:
        return dict(_sold(case.model, case.as_of, case.isl, case.osl))
    except NoPrice:
        return None


@remembered
def _sold(model, as_of, isl, osl):
    return price_book.mixed_price(model, as_of, isl=isl, osl=osl)


def blend(case, price_in, price_out):
    """Price of a million tokens at the page's mix of input and output. [USD/Mtok]"""
    return float(money.usd_per_mtok_blend(usd_per_mtok_in=price_in, usd_per_mtok_out=price_out, isl=case.isl,
                                          osl=case.osl))


def listed_price(case):
    """The price of Llama 2 70B that was on the list of the documents' seller, at the page's mix. [USD/Mtok]"""
    return blend(case, data.value("api.bedrock_input"), data.value("api.bedrock_output"))


def own_or_api(case, found=None):
    """Where own replicas begin to pay against the typical API price, and what they save at the page's volume."""
    positive(case, "tokens_per_day")
    own, api = instance(case, found), api_price(case)
    here = [float(own_cost(case, own, case.tokens_per_day, end)[0]) for end in range(3)]
    result = {"own": here[1], "own_low": here[0], "own_high": here[2], "replicas": float(
        paid_replicas(case, own, case.tokens_per_day)[0]), "api": api, "break_even": None, "saving": np.nan, "instance": own,
        "break_even_listed": threshold(case, own, listed_price(case)) if case.model == LLAMA2_70B else None}
    if api:
        low, typical, high = api["price"]
        result |= {"break_even": threshold(case, own, typical), "break_even_low": threshold(case, own, high, 0),
                   "break_even_high": threshold(case, own, low, 2), "saving": 1 - here[1] / typical,
                   "saving_low": 1 - here[2] / low, "saving_high": 1 - here[0] / high}
    return result


@finding
def volume(case):
    """Cost of a million tokens over the daily volume: own replicas, the documents' price, the list of their day, the market."""
    sold = own_or_api(case)
    own, api = sold["instance"], sold["api"]
    typical = own["capacity"][1]
    volumes = np.geomspace(typical / 100, max(30 * typical, 1.5 * case.tokens_per_day), 300)
    parts = [pd.DataFrame({"tok_per_day": volumes, "offer": "own replicas", **{
        f"usd_per_mtok{end}": own_cost(case, own, volumes, place) for place, end in enumerate(ENDS)}})]
    flat = {"documents: Bedrock": (units.convert(data.claim("dep-bedrock-price")["low"], "USD/ktok", "USD/Mtok"),) * 3}
    if case.model == LLAMA2_70B:
        flat[f"list of {data.assumption('api.bedrock_output')['as_of'][:4]}"] = (listed_price(case),) * 3
    if api:
        flat["API, market"] = api["price"]
    for offer, (low, middle, high) in flat.items():
        ends = {"usd_per_mtok_low": low, "usd_per_mtok_high": high} if low < high else {}
        parts.append(pd.DataFrame({"tok_per_day": volumes[[0, -1]], "offer": offer, "usd_per_mtok": middle, **ends}))
    table = pd.concat(parts, ignore_index=True)
    claim = data.claim("dep-selfhosted-saving")
    at = f"at {n(case.tokens_per_day, 3)} token{'' if case.tokens_per_day == 1 else 's'} a day"
    if api:
        sentence = (f"{opening(sold)}; {at} they {saved_words(sold['saving'])}")
        count = {"sellers": api["providers"], "as_of": api["as_of"], "newest": api["as_of"], "date": case.as_of}
        asked = f"Market: {gpu_prices.counted(count)}, tenth to ninetieth percentile."
    else:
        sentence = f"No API price of this model is known on {case.as_of}; {at} own replicas cost {dollars(sold['own'])}"
        asked = ""
    note = (
        f"Own: whole replicas of {case.n_gpus} × {data.gpu(case.gpu)['name']} with {own['found']['concurrency']:.0f} requests in "
        f"flight, sized for the busiest hour with {case.wait_probability:.1%} waiting; one alone is at best "
        f"{own['utilisation']:.0%} busy. On-demand prices {gpu_prices.known(case)} and {case.ops_overhead:.0%} for operations; "
        f"the band: prices and the model's interval. {asked} The documents have "
        f"them save {claim['low']:.0%} to {claim['high']:.0%}. {best_case(sold)}".strip().replace("  ", " "))
    return Finding(table, sentence, note, tokens_per_day=case.tokens_per_day,
                   break_even=sold["break_even"], saving=sold["saving"])


def opening(sold):
    """Where own machines begin to pay, in words."""
    start = sold["break_even"]
    return ("No volume lets own machines beat the typical API" if start is None else
            f"Own machines first beat the API at {n(start, 3)} tokens a day")


def best_case(sold):
    """What the cheap end of everything would do, and the price list of the documents' day; nothing without an API price."""
    start, listed, words = sold["break_even_low"] if sold["api"] else None, sold["break_even_listed"], []
    if sold["api"]:
        words.append("Even the cheapest rent on a fast replica does not beat a dear API." if start is None else
                     f"The cheapest rent on a fast replica first beats a dear API at {n(start, 3)} tokens a day.")
    if listed is not None:
        words.append(f"The price list of the documents' day is first beaten at {n(listed, 3)}.")
    return " ".join(words)


def saved_words(saving):
    """A saving in words that stay true when it is a loss, or next to nothing."""
    return f"save {saving:.0%}" if saving >= LITTLE else f"cost {bills.ratio_words(1 - saving)} as much"


@finding
def headline(case):
    """The answer of the chapter: edge against centre, own against API."""
    sold, site = own_or_api(case), pools.site_gpus(case)
    single, whole = edge.at_site(case)
    own = ("no API price of this model is known" if sold["api"] is None else
           f"{opening(sold)[0].lower()}{opening(sold)[1:]}")
    low, high = sorted((single, whole))
    ends = list(dict.fromkeys((f"{low:.1f}", f"{high:.1f}")))  # one number where both read the same
    gpus = pool_sizes.size_words(site)
    return Finding(
        pd.DataFrame({"kind": [edge.ALL, edge.ALONE_KIND], "cost_ratio": [whole, single]}),
        f"From {edge.sites_words(case)} a token costs {whole:.1f} times as much as from one centre; {own}." if case.edge_sites > 1
        else f"A single site is a centre with dearer hours, {whole:.1f} times as dear; {own}.",
        f"Whole replicas; if a GPU served one request at a time, {single:.1f} times.",
        number=f"{'–'.join(ends)}×",
        label=f"a token from {edge.sites_words(case)} of {gpus} over one from a single centre" if case.edge_sites > 1 else
        "a token from a single site, with the dear hours of the edge, over one from a centre")


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
    return Finding(table, (
        f"{name} in place of {data.model(case.model)['name']} does not pay: within these limits its tokens cost "
        f"{bills.ratio_words(ratio)} as much" if ratio >= 1 else
        "With no token answered at the edge the bill is that of the centre" if not case.edge_share else
        f"With {percent(case.edge_share)} of tokens on {name} at the edge, the bill is {span(*at, PERCENT)} of the centre's"), (
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
    first, last = ([1 - rows[place + 1][name] / rows[place][name] for place in (0, 2)] for name in ("first_ms", "total_s"))
    return Finding(table, (
        f"Being near saves {rows[0]['rtt_ms'] - rows[1]['rtt_ms']:.0f} ms: {first[0]:.0%} of the wait for the first token from "
        f"an empty replica and {first[1]:.0%} from a full one, {last[0]:.1%} and {last[1]:.1%} of the wait for the last, if both "
        "places run the same model on the same GPUs."), operating_point.NOTE)


@finding
def egress(case):
    """Fees for sending a million tokens of text out, beside what the tokens cost."""
    sizes, fees = data.span("language.bytes_per_token"), data.span("network.egress")
    fee = [money.egress_usd_per_mtok(bytes_per_tok=size, usd_per_gb=usd) for size, usd in zip(sizes, fees, strict=True)]
    own = instance(case)
    per_request = own_cost(case, own, case.tokens_per_day)[0] * (case.isl + case.osl)
    made = float(per_request * own["found"]["output_share"] / case.osl)
    cheaper = data.claim("dep-central-cost-reduction")["low"]
    advantage = made * cheaper / (1 - cheaper)  # a share of what scattered sites pay, who pay that much more
    table = pd.DataFrame([
        {"what": "sent out of a large cloud", "usd_per_mtok_out": fee[1], "usd_per_mtok_out_low": fee[0],
         "usd_per_mtok_out_high": fee[2]},
        {"what": "the centre's advantage as the documents put it", "usd_per_mtok_out": advantage},
        {"what": "made on own machines", "usd_per_mtok_out": made}])
    return Finding(table, (
        f"Sending a million tokens out costs ${fee[1]:.4f} in fees, {fee[1] / made:.2%} of making them: fees do not use up the "
        "advantage of a centre." if fee[1] < advantage else
        f"Sending a million tokens out costs ${fee[1]:.4f} in fees, more than the advantage of a centre."))


def by_textbook(case):
    """The page's replica with the speed that the textbook gives it at the same number of requests in flight."""
    found = pools.replica(case)
    row = textbook.point(
        model=case.model, gpu=case.gpu, n_gpus=case.n_gpus, weights=case.weights, kv=case.kv, isl=case.isl,
        osl=case.osl, concurrency=int(found["concurrency"]), usd_per_gpu_hour=1.0, utilisation=1.0)
    speeds = {f"requests_per_s{end}": row[f"output_tok_s{end}"] / case.osl for end in ENDS}
    return found | speeds | {"service_s": found["concurrency"] / speeds["requests_per_s"]}

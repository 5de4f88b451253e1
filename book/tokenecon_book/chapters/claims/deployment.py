"""Recomputations of the claims of the section on deployment."""

from tokenecon import data, units
from tokenecon.formulas import contracts, levers, money, queueing
from tokenecon_book.chapters.claims import replicas
from tokenecon_book.chapters.claims.checks import prices_around
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.chapters.deployment import deployment, edge
from tokenecon_book.documents.printed import (  # fmt: skip
    H100,
    LLAMA2_7B,
    NOTHING,
    PERFECT,
    n,
    pct,
    printed_cost,
    serving_gpus,
    span_text,
)

PLAIN = {
    "dep-central-gpus": "the size that an example chooses",
    "dep-edge-clusters": "the number that an example chooses",
    "dep-introl-locations": "a vendor's description of itself",
    "dep-azure-spot-availability": "no record of availability is at hand; period and region are not given",
    "dep-gcp-cud-term": "the term of a contract",
}
NO_PATH = {
    "dep-edge-benefits": "response and sovereignty have no figure here",
}


def pooled(servers, probability):
    """Utilisation of a pool at which this share of requests finds every server busy."""
    return float(queueing.utilisation_at_target(servers=int(servers), service_s=PERFECT, wait_s=NOTHING,
                                                wait_probability=probability))


def central_use(c):
    servers, claimed = c.value("dep-central-gpus"), c.value("dep-central-utilisation")
    _, target, _ = data.span("service.wait_probability")
    busy, places = replicas.full(c, servers)
    daily, (flat, sharp) = replicas.through_peaks(c, servers), replicas.peaks()
    steady = pooled(servers, target)
    return Recomputation(
        f"{n(places)} places in replicas of {n(serving_gpus(c))} H100 may be {pct(busy)} busy with {pct(target)} of requests "
        f"waiting; sized for the peaks of real services, {n(flat)} to {n(sharp)} times the mean: {span_text(*daily, pct)}; "
        f"chance alone would allow {pct(steady)}", low=daily[0], high=daily[1],
        readings=(Reading("how the pooled demand moves through the day, and what fills the night"),),
        needed=f"a peak no more than {n(busy / claimed)} times the mean")


def central_saving(c):
    central, busy = c.value("dep-central-utilisation"), c.span("dep-edge-utilisation")
    low, high = (1 - use / central for use in (busy[1], busy[0]))
    ratio = 1 / (1 - c.value("dep-central-cost-reduction"))
    whole = spread(c)
    saved = sorted(1 - 1 / one for one in whole)
    return Recomputation(
        f"utilisation alone: 1 - {n(busy[1])}/{n(central)} = {pct(low)} to 1 - {n(busy[0])}/{n(central)} = {pct(high)}",
        low=low, high=high,
        readings=(Reading(f"{n(c.value('dep-edge-clusters'))} sites of whole replicas with a spare each",
                          low=saved[0], high=saved[1],
                          arithmetic=f"an edge at {span_text(*whole)} times the centre: {span_text(*saved, pct)}"),),
        needed=f"an edge cost of {n(ratio)} times the central one, where the documents print "
               f"{span_text(*c.span('dep-edge-cost'))}")


def egress(c):
    fee = money.egress_usd_per_mtok(bytes_per_tok=data.span("language.bytes_per_token")[2],
                                    usd_per_gb=data.span("network.egress")[2])
    cost = replicas.million(c, "_out")[0]
    share = c.value("dep-central-cost-reduction")
    saved = cost * share / (1 - share)
    return Recomputation(
        f"at most {n(fee)} USD of fees on a million tokens; the central site makes them for {n(cost)} USD at least and saves "
        f"{n(cost)} x {n(share)}/{n(1 - share)} = {n(saved)}; latency has no price here", test=bool(fee >= saved),
        readings=(Reading("what distant users lose by waiting, which has no price here"),),
        needed=f"{n(saved / fee)} times as many bytes a token, or a price of waiting")


def edge_network(c):
    fee = money.egress_usd_per_mtok(bytes_per_tok=data.span("language.bytes_per_token")[2],
                                    usd_per_gb=data.span("network.egress")[2])
    cost = replicas.million(c, "_out")[0]
    return Recomputation(
        f"all that the network of a large cloud costs is {n(fee)} USD on a million tokens, {pct(fee / cost)} of the least that "
        "they cost",
        readings=(Reading("what each small site pays for its own network"),),
        needed="the network bill of a small site")


def edge_use(c):
    servers = c.value("dep-central-gpus") / c.value("dep-edge-clusters")
    _, target, loose = data.span("service.wait_probability")
    low, high = pooled(servers, target), pooled(servers, loose)
    busy, places = replicas.full(c, servers)
    daily = replicas.through_peaks(c, servers)
    return Recomputation(
        "the size of a site and the service target are not given",
        readings=(Reading(f"{n(servers)} GPUs a site and {pct(target)} to {pct(loose)} of requests waiting", low=low,
                          high=high, arithmetic=f"Erlang C: {span_text(low, high, pct)}"),
                  Reading(f"whole replicas of {n(serving_gpus(c))} H100 at such a site, sized for the busiest hour", low=daily[0],
                          high=daily[1], arithmetic=f"{n(places)} places may be {pct(busy)} busy, through the peaks of real "
                                                    f"services {span_text(*daily, pct)}")),
        needed=f"sites of about {n(servers)} GPUs")


def edge_overhead(c):
    size = serving_gpus(c)
    spares = data.value("edge.spares")
    site, centre = (queueing.spare_ratio(servers=servers // size, spares=spares) for servers in (
        c.value("dep-central-gpus") / c.value("dep-edge-clusters"), c.value("dep-central-gpus")))
    return Recomputation(f"a spare replica of {n(size)} GPUs at each site: {n(site)} paid for one needed; in one place: "
                         f"{n(centre)}", test=bool(site > centre))


def spread(c):
    """Cost of the documents' sites over one centre in whole replicas, each with its spare, over the waiting targets."""
    meant = replicas.case(c)
    found = [float(edge.by_replicas(meant, sites=[meant.edge_sites], wait_probability=target)[edge.REPLICAS[1]][0])
             for target in data.span("service.wait_probability")]
    return min(found), max(found)


def edge_cost(c):
    central, busy = c.value("dep-central-utilisation"), c.span("dep-edge-utilisation")
    low, high = (queueing.edge_cost_ratio(central_utilisation=central, edge_utilisation=use, overhead=NOTHING)
                 for use in (busy[1], busy[0]))
    share = c.value("dep-central-cost-reduction")
    more, whole = 1 / (1 - share), spread(c)
    return Recomputation(
        f"utilisation alone: {n(central)}/{n(busy[1])} = {n(low)} to {n(central)}/{n(busy[0])} = {n(high)}; with the "
        f"{pct(share)} of the centre on top: {span_text(low * more, high * more)}", low=low, high=high,
        readings=(Reading("whole replicas of the model with a spare at each site", low=whole[0], high=whole[1],
                          arithmetic=f"{span_text(*whole)}; with hours {n(more)} times as dear "
                                     f"{span_text(*(one * more for one in whole))}"),
                  Reading("utilisation alone, and more than the figure, as the Thai can be read", low=low, high=high,
                          comparator=">", language="th")))


def hybrid(c):
    printed = c.value("ec-7b-params") / c.value("ec-70b-params")
    share = levers.routing_share_needed(saving=c.value("sw-routing-saving"), cost_ratio=printed)
    dear = c.span("dep-edge-cost")[1]
    meant = replicas.case(c)
    meant.small_model = LLAMA2_7B
    (low, ratio, high), n_gpus = deployment.small_ratio(meant)

    def blend(small):
        return float(levers.hybrid_usd_per_mtok(edge_share=share, edge_penalty=dear, small_usd_per_mtok=small,
                                                large_usd_per_mtok=PERFECT))

    return Recomputation(
        f"{pct(share)} of tokens at the edge, {n(dear)} times dearer than in the centre: at {n(printed)} of the cost, by "
        f"parameters, {n(blend(printed))} of serving all in the centre; by the calibrated model on {n(n_gpus)} H100 at "
        f"{n(ratio)} "
        f"({span_text(low, high)}): {n(blend(ratio))} ({span_text(blend(low), blend(high))})",
        low=blend(low), high=blend(high), figure=(None, 1.0), comparator="<",
        readings=(Reading("the small model costs what its parameters say", low=blend(printed), high=blend(printed),
                          figure=(None, 1.0), comparator="<"),),
        needed=f"a small model at no more than {n(1 / dear, 3)} of the cost of the large one")


def bedrock_price(c):
    low, high = (units.convert(data.value(name), unit, "USD/Mtok") / units.TOKENS_PER_KTOK for name, unit in (
        ("api.bedrock_input", "USD/Mtok_in"), ("api.bedrock_output", "USD/Mtok_out")))
    claimed = c.value("dep-bedrock-price")
    return Recomputation(f"list price: {n(low)} for input and {n(high)} USD for output; the claim is {n(claimed / high)} to "
                         f"{n(claimed / low)} times as much", low=low, high=high,
                         needed=f"{n(low)} to {n(high)} USD per thousand tokens")


def always_full(c):
    """The assumption that makes an own token cheap, in words."""
    return (f"a batch of {n(c.value('ec-batch32-size'))} on {n(serving_gpus(c))} H100 in every paid hour, input tokens counted "
            "too")


def bedrock_premium(c):
    price = units.convert(c.value("dep-bedrock-price"), "USD/ktok", "USD/Mtok")
    own, batched = printed_cost(c), replicas.million(c)
    low, high = price / own[1], price / own[0]
    rates = [money.tok_per_s_for_price(usd_per_hour=rent * c.value("hw-h100-two-gpus"),
                                       usd_per_mtok=price / c.value("dep-bedrock-premium"))
             for rent in c.span("up-h100-cloud-price-now")]
    return Recomputation(
        f"two H100 at the printed rate cost {span_text(*own)} USD per million: {span_text(low, high)} times", low=low, high=high,
        readings=(Reading(always_full(c),
                          low=price / batched[1], high=price / batched[0],
                          arithmetic=f"{span_text(*batched)} USD per million by the calibrated model"),),
        needed=f"{span_text(*rates)} tokens a second from two H100")


def own_cost(c):
    implied = c.value("dep-bedrock-price") / c.value("dep-bedrock-premium")
    own, batched = printed_cost(c), replicas.million(c)
    return Recomputation(
        f"{n(c.value('dep-bedrock-price'))}/{n(c.value('dep-bedrock-premium'))} = {n(implied)} USD per thousand; two H100 at the "
        f"printed rate cost {span_text(*(usd / units.TOKENS_PER_KTOK for usd in own))}",
        low=own[0] / units.TOKENS_PER_KTOK, high=own[1] / units.TOKENS_PER_KTOK, figure=(implied, implied), comparator="=",
        readings=(Reading(always_full(c), low=batched[0] / units.TOKENS_PER_KTOK, high=batched[1] / units.TOKENS_PER_KTOK,
                          figure=(implied, implied), comparator="=",
                          arithmetic=f"{span_text(*batched)} USD per million by the calibrated model"),),
        needed="a batch on every GPU, not the printed rate of one stream")


def serverless(c):
    price = units.convert(c.value("dep-bedrock-price"), "USD/ktok", "USD/Mtok")
    few = replicas.few_requests(c, price)
    return Recomputation(
        "no operations and instant scaling have no price here; by the calibrated model a replica, paid by the second or around "
        f"the clock, costs more than the printed price {f'up to {n(few)} requests an hour' if few else 'at no load'}",
        readings=(Reading("what operations and scaling would cost oneself"),),
        needed="the price of operations and of scaling at once")


def own_saving(c):
    premium = c.value("dep-bedrock-premium")
    saved = money.premium_saving(premium=premium, overhead=NOTHING)
    low, high = c.span("dep-selfhosted-saving")
    overhead = [money.overhead_for_saving(premium=premium, saving=share) for share in (high, low)]
    own = replicas.steady(c)
    price = units.convert(c.value("dep-bedrock-price"), "USD/ktok", "USD/Mtok")
    listed = bedrock_listed(c)
    steady, real = (sorted(1 - usd / asked for usd in own) for asked in (price, listed))
    return Recomputation(
        f"a premium of {n(premium)} leaves 1 - 1/{n(premium)} = {pct(saved)}", low=saved, high=saved,
        readings=(Reading("whole replicas that serve the documents' daily volume through a day, against the printed price",
                          low=steady[0], high=steady[1],
                          arithmetic=f"{span_text(*own)} USD per million by the calibrated model and the printed rents: "
                                     f"{span_text(*steady, pct)}; against the price list, {n(listed)} USD at this mix, "
                                     f"{span_text(*real, pct)}"),),
        needed=f"own operations that cost {span_text(*overhead)} times the machines, or a premium of "
               f"{n(1 / (1 - low))} to {n(1 / (1 - high))}")


def bedrock_listed(c):
    """The price list of the documents' seller at the mix of the documents' replica. [USD/Mtok]"""
    meant = replicas.case(c)
    return float(money.usd_per_mtok_blend(usd_per_mtok_in=data.value("api.bedrock_input"),
                                          usd_per_mtok_out=data.value("api.bedrock_output"), isl=meant.isl, osl=meant.osl))


def azure_spot(c):
    found = []
    for gpu_id in ("a100-pcie-80gb", "a100-sxm-40gb"):
        spot, full = (data.rows("prices", {"gpu": gpu_id, "provider": "azure", "kind": kind, "basis!=": "claimed"}).sort_values(
            ["as_of", "value"]).iloc[-1] for kind in ("spot", "on_demand"))
        found.append(f"{gpu_id} on {spot['as_of']}: 1 - {n(spot['value'])}/{n(full['value'])} = "
                     f"{pct(1 - spot['value'] / full['value'])}")
    return Recomputation("spot prices move and none of that day is at hand; " + "; ".join(found))


def spot_price(c):
    share = contracts.spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=1 - c.value("dep-azure-spot-discount"), on_demand_usd_per_gpu_hour=PERFECT,
        availability=c.value("dep-azure-spot-availability"), interruptions_per_hour=NOTHING, restart_hours=NOTHING,
        lost_hours=NOTHING)
    up = c.value("dep-azure-spot-availability")
    return Recomputation(f"{n(up)} x {n(1 - c.value('dep-azure-spot-discount'))} + {n(1 - up)} x 1 = {n(share)}", low=share,
                         high=share)


def commitment(c):
    full, kept = (data.rows("prices", {"provider": "gcp", "kind": kind, "basis!=": "claimed",
                                       "as_of>=": f"{int(c.day()[:4]) - 1}"}) for kind in ("on_demand", "committed_3y"))
    full = full.groupby(["gpu", "region", "as_of"])["value"].min()
    pairs = [(row["gpu"], row["as_of"], 1 - row["value"] / full[key]) for _, row in kept.iterrows()
             if (key := (row["gpu"], row["region"], row["as_of"])) in full.index]
    low, high = min(pair[2] for pair in pairs), max(pair[2] for pair in pairs)
    use = contracts.commitment_break_even_use(discount=c.value("dep-gcp-cud-discount"))
    return Recomputation(
        f"{len(pairs)} prices of three-year commitments of the two years before: {span_text(low, high, pct)} off; the printed "
        f"discount pays above {pct(use)} of hours", low=low, high=high,
        confirmed_by=f"agrees with dated prices: {span_text(low, high, pct)}",
        needed=f"dated prices give {span_text(low, high, pct)}")


def multicloud(c):
    rows, mix = prices_around(H100, "on_demand", c.day()), replicas.two_providers(c)
    saved = 1 - rows["low"] / rows["typical"]
    return Recomputation(
        f"{len(rows['rows'])} H100 prices around the day: the cheapest {n(rows['low'])}, the middle one {n(rows['typical'])} USD "
        f"an hour: {pct(saved)} less; split so that one provider can fail with half the load, by linear program over "
        f"{mix['offers']} offers known that day: {n(mix['best'])} against {n(mix['middle'])} USD",
        test=bool(mix["best"] < mix["middle"]), needed="a mix below the price of the middle provider")


RECOMPUTE = {
    "dep-central-utilisation": central_use,
    "dep-central-cost-reduction": central_saving,
    "dep-egress-offset": egress,
    "dep-edge-network": edge_network,
    "dep-edge-utilisation": edge_use,
    "dep-edge-overhead": edge_overhead,
    "dep-edge-cost": edge_cost,
    "dep-hybrid": hybrid,
    "dep-bedrock-price": bedrock_price,
    "dep-bedrock-premium": bedrock_premium,
    "dep-selfhosted-implied-cost": own_cost,
    "dep-serverless-premium": serverless,
    "dep-selfhosted-saving": own_saving,
    "dep-azure-spot-discount": azure_spot,
    "dep-spot-effective-price": spot_price,
    "dep-gcp-cud-discount": commitment,
    "dep-multicloud": multicloud,
}

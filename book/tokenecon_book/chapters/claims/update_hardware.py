"""Recomputations of the claims on accelerators and their prices in the documents' box of updates."""

from tokenecon import data, units
from tokenecon.formulas import break_even, levers
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.claims.checks import gpu_fact, price_cut, price_fact, purchase_ratio
from tokenecon_book.chapters.claims.rule import Reading, Recomputation, in_range
from tokenecon_book.documents.printed import (
    A100,
    GB200,
    H100,
    H200,
    LLAMA2_70B,
    bits,
    gpus_needed,
    kv_per_position,
    n,
    pct,
    span_text,
    weights,
)  # fmt: skip

PLAIN = {}
NO_PATH = {
    "up-blackwell-allocation": "a statement about deliveries, without a figure",
    "up-wrong-choice": "an opinion, without a figure",
}


def h200_available(c):
    rows = gpu_prices.prices(H200, as_of=c.day())
    rows = rows[rows["kind"].isin(["on_demand", "marketplace", "spot"])]
    providers = sorted(rows["provider"].unique())
    return Recomputation(
        f"{len(rows)} rental prices of {H200} at {len(providers)} providers known by {c.day()}",
        test=len(providers) > 1, sources=tuple(dict.fromkeys(rows["source"])))


def fits(c, gpu_id, batch, sentence):
    """GPUs for the FP16 weights of the 70B model and the cache of a batch of the documents' contexts."""
    positions, parameters = c.value("ec-context-2000"), c.value("ec-70b-params")
    gpus = gpus_needed(parameters, bits("fp16"), gpu_id, LLAMA2_70B, batch, positions)
    need = weights(parameters, bits("fp16")) / units.BYTES_PER_GB
    room = data.gpu(gpu_id)["engine_memory_bytes"] / units.BYTES_PER_GB
    text = (f"{n(need)} GB of FP16 weights and the cache of {n(batch)} contexts of {n(positions)} tokens each; "
            f"{n(room)} GB can be allocated on a GPU: {n(gpus)} GPU")
    return Reading(sentence, low=gpus, high=gpus, arithmetic=text)


def seventy_b(c, gpu_id):
    batch = c.value("ec-batch32-size")
    full, one = fits(c, gpu_id, batch, ""), fits(c, gpu_id, 1, "the weights and one request at a time")
    room = data.gpu(gpu_id)["engine_memory_bytes"]
    cache = batch * c.value("ec-context-2000") * kv_per_position(LLAMA2_70B)
    width = (room - cache) / c.value("ec-70b-params") * units.BITS_PER_BYTE
    return Recomputation(
        full.arithmetic, low=full.low, high=full.high, readings=(one,),
        needed=f"weights of at most {n(width, 3)} bits leave one GPU room for {n(batch)} requests")


def h100_price_before(c):
    # A month before the cut that the box reports.
    cut = f"{c.value('up-aws-price-cut-date'):.0f}"
    return price_fact(c, "up-h100-cloud-price-before", H100, "on_demand", "on-demand prices",
                      before=f"{cut[:4]}-{cut[4:]}-01")


def h100_price_drop(c):
    now, before = c.span("up-h100-cloud-price-now"), c.span("up-h100-cloud-price-before")
    low = levers.saving(before=before[0], after=now[1])
    high = levers.saving(before=before[1], after=now[0])
    return Recomputation(f"1 - {n(now[1])}/{n(before[0])} = {pct(low)} to 1 - {n(now[0])}/{n(before[1])} = {pct(high)}",
                         low=low, high=high)


def aws_cuts():
    return {gpu: price_cut(gpu, "aws") for gpu in (H100, A100, H200)}


def aws_price_cut(c):
    cuts = aws_cuts()
    shares = [cut[0] for cut in cuts.values()]
    claimed = c.value("up-aws-price-cut")
    true_of = " and ".join(gpu for gpu, cut in cuts.items()
                           if in_range(cut[0], cut[0], claimed, claimed, "fraction", "=")) or "no GPU"
    text = "; ".join(f"{gpu} {n(cut[2])} to {n(cut[3])} USD/GPU/h: {pct(cut[0])}" for gpu, cut in cuts.items())
    return Recomputation(text, low=min(shares), high=max(shares), sources=cuts[H100][4],
                         confirmed_by=f"agrees with dated prices for {true_of}; the other GPUs were cut by less",
                         needed=f"the three cuts run from {pct(min(shares))} to {pct(max(shares))}")


def aws_price_cut_date(c):
    share, day, *_, sources = price_cut(H100, "aws")
    month = float(day[:4] + day[5:7])
    return Recomputation(f"the H100 price at AWS falls by {pct(share)} in prices first seen on {day}",
                         test=month == c.value("up-aws-price-cut-date"), sources=sources,
                         confirmed_by=f"agrees with dated prices: first seen {day}",
                         needed=f"the new price is first seen on {day}")


def blackwell(c):
    new, old = data.gpu(GB200), data.gpu(H100)
    low = new["bandwidth_bytes_per_s"] / old["bandwidth_bytes_per_s"]
    high = new["fp4_flop_per_s"] / old["fp8_flop_per_s"]
    rack = new["link_domain_gpus"] / old["link_domain_gpus"]
    return Recomputation(
        f"per GPU against H100: bandwidth {n(low)} times, FP4 over FP8 arithmetic {n(high)} times",
        low=low, high=high,
        readings=(Reading(f"a rack of {n(new['link_domain_gpus'])} linked GPUs against a server of "
                          f"{n(old['link_domain_gpus'])}", low=rack * low, high=rack * high,
                          arithmetic=f"{n(rack)} times as many GPUs: {span_text(rack * low, rack * high)} times"),),
        needed=f"a GPU {n(c.value('up-blackwell-speedup') / high)} to {n(c.value('up-blackwell-speedup') / low)} "
               "times as fast as its memory and arithmetic allow")


def h100_a100_performance(c):
    new, old = data.gpu(H100), data.gpu(A100)
    reading = new["bandwidth_bytes_per_s"] / old["bandwidth_bytes_per_s"]
    arithmetic = new["bf16_flop_per_s"] / old["bf16_flop_per_s"]
    return Recomputation(
        f"decoding follows bandwidth: {n(reading)} times", low=reading, high=reading,
        readings=(Reading("prefill, which follows BF16 arithmetic", low=arithmetic, high=arithmetic),),
        needed=f"{n(reading)} times for decoding; only prefill comes near, at {n(arithmetic)} times")


def h100_a100_cost(c):
    price = c.value("up-h100-a100-price")
    claimed = 1 - break_even.relative_cost(price_ratio=price, speed_ratio=c.value("up-h100-a100-performance"))
    speed = c.value("hw-h100-70b-throughput") / c.value("hw-a100-70b-throughput")
    own = 1 - break_even.relative_cost(price_ratio=price, speed_ratio=speed)
    return Recomputation(
        f"1 - {n(price)}/{n(c.value('up-h100-a100-performance'))} = {pct(claimed)} saved; with the printed rates "
        f"1 - {n(price)}/({n(c.value('hw-h100-70b-throughput'))}/{n(c.value('hw-a100-70b-throughput'))}) = {pct(own)}",
        low=own, high=own, test=own > 0, needed=f"an H100 at no more than {n(speed)} times the price of an A100")


RECOMPUTE = {
    "up-h200-memory": lambda c: gpu_fact(c, "up-h200-memory", f"{H200}.memory"),
    "up-h200-available": h200_available,
    "up-h200-purchase-price": lambda c: price_fact(c, "up-h200-purchase-price", H200, "purchase", "purchase prices"),
    "up-h200-cloud-price": lambda c: price_fact(c, "up-h200-cloud-price", H200, "on_demand", "on-demand prices"),
    "up-h200-single-gpu-70b": lambda c: seventy_b(c, H200),
    "up-h100-two-gpus-70b": lambda c: seventy_b(c, H100),
    "up-h100-cloud-price-now": lambda c: price_fact(c, "up-h100-cloud-price-now", H100, "on_demand", "on-demand prices"),
    "up-h100-cloud-price-before": h100_price_before,
    "up-h100-price-drop": h100_price_drop,
    "up-aws-price-cut": aws_price_cut,
    "up-aws-price-cut-date": aws_price_cut_date,
    "up-blackwell-speedup": blackwell,
    "up-h100-a100-performance": h100_a100_performance,
    "up-h100-a100-price": lambda c: purchase_ratio(c, "up-h100-a100-price", H100, A100),
    "up-h100-a100-cost-per-token": h100_a100_cost,
}

"""Recomputations of the claims in the documents' box of updates: companies, the cost of tokens, accelerators and their prices."""

from tokenecon import data, units
from tokenecon.formulas import memory, money, roofline
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.claims.checks import gpu_fact, like_ends, price_cut, price_fact, purchase_ratio
from tokenecon_book.chapters.claims.rule import Reading, Recomputation, in_range
from tokenecon_book.documents.printed import (
    A100,
    GB200,
    GPT3,
    H100,
    H200,
    LLAMA2_70B,
    PERFECT,
    batched_cost,
    bits,
    decode_flop,
    gpus_needed,
    kv_per_position,
    n,
    pct,
    prefill_flop,
    printed_cost,
    single_stream,
    span_text,
    weights,
)  # fmt: skip  # fmt: skip


def usd_per_tok(usd_per_mtok):
    """Price of one token from that of a million."""
    return units.convert(usd_per_mtok, "USD/Mtok", "USD/tok")


def box_month(c):
    month = c.value("up-document-date") // 100
    return Recomputation(f"the page is dated {c.day()}, month {month:.0f}", test=month == c.value("up-box-month"),
                         confirmed_by="agrees with the date of the page")


def openai_word(c):
    words = data.value("language.words_per_token")
    per_tok = money.usd_per_tok_from_word(usd_per_word=c.value("up-openai-cost-per-word"), words_per_tok=words)
    per_mtok = units.convert(per_tok, "USD/tok", "USD/Mtok")
    parameters, rents = c.value("ec-175b-params"), c.span("up-h100-cloud-price-now")
    n_gpus = memory.parallel_size(n_gpus=gpus_needed(parameters, bits("fp16"), H100, GPT3), smallest_group=1)
    batch = c.value("ec-batch32-size")
    rate = single_stream(parameters, bits("fp16"), H100, n_gpus)
    cost = [usd_per_tok(money.usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=n_gpus, utilisation=PERFECT,
                                               tok_out_per_s=rate * requests)) / words
            for rent, requests in ((rents[0], batch), (rents[1], 1))]
    return Recomputation(
        f"printed cost = {n(per_mtok)} USD per million tokens at {n(words)} words a token; OpenAI asked "
        f"{n(data.span('api.gpt35_turbo_output')[0])} to {n(data.value('api.gpt4_output'))} USD for a million of the models in "
        "ChatGPT, but a price is not a cost",
        readings=(Reading(f"a model of 175B on {n(n_gpus)} H100 that answer from {n(batch)} requests at once to one at a time",
                          low=cost[0], high=cost[1], arithmetic=f"{span_text(*cost)} USD a word"),
                  Reading("the model, the batch and the margin, which OpenAI does not publish")),
        needed="the size of the model and how many requests share a GPU")


def inference_dominates(c):
    hours = data.value("training.llama2_70b_gpu_hours")
    rent = gpu_prices.price_range(A100, "on_demand", c.day())
    training = hours * rent["low"], hours * rent["high"]
    volume, cost = c.value("up-billion-token-volume"), batched_cost(c)
    year = [money.usd_per_year(tok_per_day=volume, usd_per_tok=usd_per_tok(usd)) for usd in cost]
    volumes = [bill / units.DAYS_PER_YEAR / usd_per_tok(usd) for bill, usd in (
        (training[0], cost[1]), (training[1], cost[0]))]
    return Recomputation(
        f"training Llama 2 70B: {n(hours)} A100 hours = {span_text(*training)} USD; a year of {n(volume)} tokens a day "
        f"in batches: {span_text(*year)} USD; serving passes training within a year above {span_text(*volumes)} tokens a day",
        test=year[0] > training[1],
        readings=(Reading("both bills of one organisation, which nobody has published"),),
        needed="both bills of one organisation")


def token_cost(claim_id):
    """The cost of a token against what the documents' own price, rate and rents make of it."""

    def recompute(c):
        own = [usd_per_tok(usd) for usd in printed_cost(c)]  # a cost: the price of a seller is held against nothing here
        retail = c.value("dep-bedrock-price") / units.TOKENS_PER_KTOK
        lists = [usd_per_tok(data.value(name)) for name in ("api.gpt4_output", "api.gpt4_32k_output")]
        claimed = c.value(claim_id)
        rents = c.span("up-h100-cloud-price-now")
        rates = [break_even_rate(rent, claimed) for rent in rents]
        return Recomputation(
            f"own figures for a 70B token: {span_text(*own)} USD on two H100 at the printed rate, {n(retail)} USD retail; "
            f"the claim is {n(claimed / retail)} times the retail price",
            low=own[0], high=own[1],
            readings=(Reading("the cost to somebody who buys tokens at the list price of GPT-4, with its 8k or 32k window",
                              low=lists[0], high=lists[1]),),
            needed=f"an H100 that gives out only {span_text(*rates)} tokens a second")

    return recompute


def break_even_rate(usd_per_hour, usd_per_tok):
    return money.tok_per_s_for_price(usd_per_hour=usd_per_hour, usd_per_mtok=units.convert(usd_per_tok, "USD/tok", "USD/Mtok"))


def token_gap(c):
    gap, volume = c.value("up-token-cost-high") - c.value("up-token-cost-low"), c.value("up-billion-token-volume")
    month = money.usd_per_month(tok_per_day=volume, usd_per_tok=gap)
    needed = c.value("up-token-gap-monthly") / month * volume
    return Recomputation(
        "the sentence gives no volume",
        readings=(Reading(f"{n(volume)} tokens a day, the volume of the worked example", low=month, high=month,
                          arithmetic=f"({n(c.value('up-token-cost-high'))} - {n(c.value('up-token-cost-low'))}) USD x "
                                     f"{n(volume)} x 365/12 = {n(month)} USD a month"),),
        needed=f"at least {n(needed)} tokens a day")


def anthropic_spend(c):
    year = c.value("up-anthropic-daily-spend") * units.DAYS_PER_YEAR
    return Recomputation(f"{n(year)} USD a year; nothing in the documents or in public price lists gives it")


def anthropic_share(c):
    left = money.margin(cost_share=c.value("up-anthropic-cost-share"))
    return Recomputation(f"leaves a margin of {pct(left)}; nothing in the documents gives it")


def anthropic_revenue(c):
    year = c.value("up-anthropic-daily-spend") * units.DAYS_PER_YEAR
    revenue = money.revenue_from_cost_share(usd_cost_per_year=year, cost_share=c.value("up-anthropic-cost-share"))
    return Recomputation(f"{n(c.value('up-anthropic-daily-spend'))} x 365 / {n(c.value('up-anthropic-cost-share'))} = "
                         f"{n(revenue)} USD a year", low=revenue, high=revenue)


def gemini_cost(c):
    day = c.value("up-gemini-annual-cost") / units.DAYS_PER_YEAR
    times = day / c.value("up-anthropic-daily-spend")
    return Recomputation(f"{n(day)} USD a day, {n(times)} times the Anthropic figure; nothing gives it")


def annual_cost(c):
    year = money.usd_per_year(tok_per_day=c.value("up-billion-token-volume"),
                              usd_per_tok=c.value("up-billion-token-price"))
    return Recomputation(f"{n(c.value('up-billion-token-volume'))} x {n(c.value('up-billion-token-price'))} x 365 = "
                         f"{n(year)} USD", low=year, high=year)


def bytes_per_parameter(c):
    batch, width = c.value("ec-batch32-size"), memory.bytes_per_param(bits_per_param=bits("fp16"))
    shared = width / batch
    return Recomputation(
        f"a batch of {n(batch)} shares each read: {n(width)} B / {n(batch)} = {n(shared)} B a token", low=shared,
        high=shared, readings=(Reading("FP16 weights and one request at a time", low=width, high=width),),
        needed="a batch of one")


def bandwidth_over_compute(c):
    gpu, positions, parameters = data.gpu(H100), c.value("ec-context-2000"), c.value("ec-70b-params")
    read = roofline.memory_seconds(bytes_moved=weights(parameters, bits("fp16")), n_gpus=1, mbu=PERFECT,
                                   bytes_per_s_per_gpu=gpu["bandwidth_bytes_per_s"])
    times = {}
    for name, flop in (("prefill", prefill_flop(LLAMA2_70B, parameters, positions)),
                       ("decode", c.value("ec-batch32-size") * decode_flop(LLAMA2_70B, parameters, positions))):
        times[name] = roofline.compute_seconds(flop=flop, n_gpus=1, flop_per_s_per_gpu=gpu["bf16_flop_per_s"],
                                               mfu=PERFECT)
    limit = roofline.critical_batch(
        bytes_per_param=memory.bytes_per_param(bits_per_param=bits("fp16")), mfu=PERFECT, mbu=PERFECT,
        flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD, flop_per_s_per_gpu=gpu["bf16_flop_per_s"],
        bytes_per_s_per_gpu=gpu["bandwidth_bytes_per_s"])
    return Recomputation(
        f"70B on H100: reading the weights {n(read * units.MS_PER_SECOND)} ms; arithmetic of a {n(positions)}-token prompt "
        f"{n(times['prefill'] * units.MS_PER_SECOND)} ms", test=read > times["prefill"],
        readings=(Reading("decoding below the critical batch", test=read > times["decode"],
                          arithmetic=f"arithmetic of {n(c.value('ec-batch32-size'))} decoded tokens "
                                     f"{n(times['decode'] * units.MS_PER_SECOND)} ms"),),
        needed=f"decoding with fewer than {n(limit)} requests in a batch on an H100")


def h200_available(c):
    found = [gpu_prices.prices(H200, kind, c.day()) for kind in ("on_demand", "marketplace", "spot")]
    providers = {provider for rows in found for provider in rows["provider"]}
    return Recomputation(
        f"{sum(map(len, found))} rental prices of {H200} at {len(providers)} providers known by {c.day()}",
        test=len(providers) > 1)


def fits(c, gpu_id, batch, sentence):
    """GPUs for the FP16 weights of the 70B model and the cache of a batch of the documents' contexts."""
    positions, parameters = c.value("ec-context-2000"), c.value("ec-70b-params")
    n_gpus = gpus_needed(parameters, bits("fp16"), gpu_id, LLAMA2_70B, batch, positions)
    need = weights(parameters, bits("fp16")) / units.BYTES_PER_GB
    room = data.gpu(gpu_id)["engine_memory_bytes"] / units.BYTES_PER_GB
    text = (f"{n(need)} GB of FP16 weights and the cache of {n(batch)} contexts of {n(positions)} tokens each; "
            f"{n(room)} GB can be allocated on a GPU: {n(n_gpus)} GPU")
    return Reading(sentence, low=n_gpus, high=n_gpus, arithmetic=text)


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
    left = like_ends(now, before)
    return Recomputation(f"low end 1 - {n(now[0])}/{n(before[0])} = {pct(1 - now[0] / before[0])}, high end 1 - "
                         f"{n(now[1])}/{n(before[1])} = {pct(1 - now[1] / before[1])}", low=1 - left[1], high=1 - left[0])


def aws_cuts():
    return {gpu: price_cut(gpu, "aws") for gpu in (H100, A100, H200)}


def aws_price_cut(c):
    cuts = aws_cuts()
    shares = [cut[0] for cut in cuts.values()]
    claimed = c.value("up-aws-price-cut")
    true_of = " and ".join(gpu for gpu, cut in cuts.items()
                           if in_range(cut[0], cut[0], claimed, claimed, "fraction", "=")) or "no GPU"
    text = "; ".join(f"{gpu} {n(cut[2])} to {n(cut[3])} USD/GPU/h: {pct(cut[0])}" for gpu, cut in cuts.items())
    return Recomputation(text, low=min(shares), high=max(shares),
                         confirmed_by=f"agrees with dated prices for {true_of}; the other GPUs were cut by less",
                         needed=f"the three cuts run from {pct(min(shares))} to {pct(max(shares))}")


def aws_price_cut_date(c):
    share, day, *_ = price_cut(H100, "aws")
    month = float(day[:4] + day[5:7])
    return Recomputation(f"the H100 price at AWS falls by {pct(share)} in prices first seen on {day}",
                         test=month == c.value("up-aws-price-cut-date"),
                         confirmed_by=f"agrees with dated prices: first seen {day}",
                         needed=f"the new price is first seen on {day}")


def blackwell(c):
    new, old = data.gpu(GB200), data.gpu(H100)
    low = new["bandwidth_bytes_per_s"] / old["bandwidth_bytes_per_s"]
    high = new["fp4_flop_per_s"] / old["fp8_flop_per_s"]
    return Recomputation(
        f"per GPU against H100: bandwidth {n(low)} times, FP4 over FP8 arithmetic {n(high)} times",
        low=low, high=high,
        readings=(Reading("the vendor's own comparison, per GPU at limits of latency that are not given here"),),
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
    claimed = 1 - money.relative_cost(price_ratio=price, speed_ratio=c.value("up-h100-a100-performance"))
    speed = c.value("hw-h100-70b-throughput") / c.value("hw-a100-70b-throughput")
    own = 1 - money.relative_cost(price_ratio=price, speed_ratio=speed)
    return Recomputation(
        f"1 - {n(price)}/{n(c.value('up-h100-a100-performance'))} = {pct(claimed)} saved; with the printed rates "
        f"1 - {n(price)}/({n(c.value('hw-h100-70b-throughput'))}/{n(c.value('hw-a100-70b-throughput'))}) = {pct(own)}",
        low=own, high=own, test=own > 0, needed=f"an H100 at no more than {n(speed)} times the price of an A100")


PLAIN = {
    "up-document-date": "a date on the page; nothing to hold it against",
    "up-quant-formats": "names formats and their width; the accuracy has no figure",
    "up-users-scale": "an order of magnitude; nothing to hold it against",
    "up-token-volume-scale": "an order of magnitude; nothing to hold it against",
    "up-billion-token-volume": "the volume that an example chooses",
}

NO_PATH = {
    "up-gemini-free-tier": "a motive, without a figure",
    "up-blackwell-allocation": "a statement about deliveries, without a figure",
    "up-wrong-choice": "an opinion, without a figure",
}

RECOMPUTE = {
    "up-box-month": box_month,
    "up-openai-cost-per-word": openai_word,
    "up-inference-dominates": inference_dominates,
    "up-token-cost-low": token_cost("up-token-cost-low"),
    "up-token-cost-high": token_cost("up-token-cost-high"),
    "up-token-gap-monthly": token_gap,
    "up-anthropic-daily-spend": anthropic_spend,
    "up-anthropic-cost-share": anthropic_share,
    "up-anthropic-implied-revenue": anthropic_revenue,
    "up-gemini-annual-cost": gemini_cost,
    "up-billion-token-price": token_cost("up-billion-token-price"),
    "up-billion-token-annual-cost": annual_cost,
    "up-bytes-per-parameter": bytes_per_parameter,
    "up-bandwidth-over-compute": bandwidth_over_compute,
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

"""Recomputations of the claims of the section on hardware."""

from tokenecon import data, units
from tokenecon.formulas import levers, money, parallelism, roofline, serving, tco
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.claims.checks import (
    at_one_seller,
    ends,
    gpu_fact,
    like_ends,
    model_fact,
    prices_around,
    purchase_ratio,
)  # fmt: skip
from tokenecon_book.chapters.claims.economics import of_model
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.chapters.claims.update import seventy_b
from tokenecon_book.documents.printed import (
    A100,
    GAUDI3,
    GAUDI3_CARD,
    GRAVITON4,
    H100,
    H200,
    LLAMA2_7B,
    LLAMA2_70B,
    MI300X,
    NOTHING,
    PERFECT,
    bits,
    decode_flop,
    n,
    pct,
    single_stream,
    span_text,
    split_efficiency,
    step_seconds,
    weights,
)  # fmt: skip

PLAIN = {
    "hw-graviton4-vcpus": "the size of a machine as its maker states it",
}
NO_PATH = {
    "hw-mi300x-software": "a judgement on software, without a figure",
    "hw-gaudi3-availability": "a judgement on supply, without a figure",
}


def stream(c, claim_id, gpu_id):
    """Rate of one sequence on one GPU with FP16 weights, and with 4-bit weights."""
    parameters = c.value("hw-70b-model")
    half, four = (single_stream(parameters, bits(name), gpu_id) for name in ("fp16", "int4"))
    pair = single_stream(parameters, bits("int8"), gpu_id, n_gpus=2)
    traffic = c.value(claim_id) * weights(parameters, bits("fp16")) / units.factor("TB/s")
    return Recomputation(
        f"FP16, one request: {n(data.gpu(gpu_id)['bandwidth_bytes_per_s'] / units.factor('TB/s'))} TB/s / "
        f"{n(weights(parameters, bits('fp16')) / units.BYTES_PER_GB)} GB = {n(half)} tok/s", low=half, high=half,
        readings=(Reading("4-bit weights, one request, all of the datasheet bandwidth", low=four, high=four,
                          arithmetic=f"{n(four)} tok/s"),
                  Reading("8-bit weights over two GPUs, one request, all of the datasheet bandwidth", low=pair,
                          high=pair, arithmetic=f"{n(pair)} tok/s")),
        needed=f"{n(traffic)} TB/s of FP16 weight traffic for one request, or several requests at once")


def a100_gap(c):
    rates = c.value("hw-h100-70b-throughput"), c.value("hw-a100-70b-throughput")
    reads = c.value("hw-h100-bandwidth"), c.value("hw-a100-bandwidth")
    gaps = sorted((rates[0] / rates[1] - 1, reads[0] / reads[1] - 1))
    return Recomputation(f"rates {n(rates[0])}/{n(rates[1])} - 1 = {pct(rates[0] / rates[1] - 1)}; bandwidths "
                         f"{n(reads[0])}/{n(reads[1])} - 1 = {pct(reads[0] / reads[1] - 1)}", low=gaps[0], high=gaps[1])


def cheaper_per_token(c):
    speed = 1 + c.value("hw-h100-a100-gap")
    ratio = money.relative_cost(price_ratio=c.value("up-h100-a100-price"), speed_ratio=speed)
    return Recomputation(f"price {n(c.value('up-h100-a100-price'))} / speed {n(speed)} = {n(ratio)} times the cost of "
                         "an A100 token", low=ratio, high=ratio, test=bool(ratio < 1),
                         needed=f"a price below {n(speed)} times that of an A100")


def fp16_memory(c):
    gigabytes = weights(c.value("hw-70b-model"), bits("fp16")) / units.BYTES_PER_GB
    return Recomputation(f"{n(c.value('hw-70b-model'))} x {n(bits('fp16'))} bit = {n(gigabytes)} GB", low=gigabytes,
                         high=gigabytes)


def two_gpu_cost(c):
    ranks = c.value("hw-h100-two-gpus")
    kept = split_efficiency(model_id=LLAMA2_70B, parameters=c.value("hw-70b-model"), gpu_id=H100, ranks=ranks,
                            batch=c.value("ec-batch32-size"), positions=c.value("ec-context-2000"))
    ratio = parallelism.split_cost_ratio(efficiency=kept)
    return Recomputation(
        f"per token: {n(ranks)} GPUs read {n(ranks)} times as fast and keep {pct(kept)}: x {n(ratio)}", low=ratio,
        high=ratio, readings=(Reading("cost of an hour, not of a token", low=ranks, high=ranks),),
        needed=f"an efficiency of {pct(1 / c.value('hw-two-gpu-cost'))} when split")


def h200_upcoming(c):
    rows = gpu_prices.prices(H200, as_of=c.day())
    first = data.rows("prices", {"gpu": H200, "basis!=": "claimed"}, want="as_of")["as_of"].min()
    return Recomputation(f"{len(rows)} prices of {H200} known by {c.day()}, the first of {first}",
                         test=bool(rows.empty), needed=f"a date before {first}")


def h200_saving(c):
    parameters, ranks = c.value("hw-70b-model"), c.value("hw-h100-two-gpus")
    large = single_stream(parameters, bits("fp16"), H200)
    small = single_stream(parameters, bits("fp16"), H100, n_gpus=ranks)
    kept = split_efficiency(model_id=LLAMA2_70B, parameters=parameters, gpu_id=H100, ranks=ranks,
                            batch=c.value("ec-batch32-size"), positions=c.value("ec-context-2000"))
    new, old = c.span("up-h200-cloud-price"), c.span("up-h100-cloud-price-now")

    def saved(rents):
        return money.consolidation_saving(
            large_usd_per_gpu_hour=rents, large_gpus=1, large_tok_per_s=large, small_usd_per_gpu_hour=1.0,
            small_gpus=ranks, small_tok_per_s=small, small_efficiency=kept)

    sellers, rents = at_one_seller(H200, H100, c.day())
    asked, printed = ([saved(ratio) for ratio in reversed(both)] for both in (rents, like_ends(new, old)))
    price = (1 - c.value("hw-h200-cost-reduction")) * ranks * large / (small * kept)
    return Recomputation(
        f"{sellers} sellers of both ask {span_text(*rents)} times as much for an H200, speed by bandwidth ({n(large)} against "
        f"{n(small * kept)} tok/s): {span_text(*asked, pct)}; like ends of the printed rents: {span_text(*printed, pct)}",
        low=asked[0], high=asked[1],
        needed=f"an H200 rented at no more than {n(price)} of the rent of an H100")


def mi300x_fits(c):
    n_gpus = of_model(c, "hw-70b-model", MI300X, LLAMA2_70B)
    return Recomputation(f"FP16 weights and the example's batch: {n(n_gpus)} MI300X", low=n_gpus, high=n_gpus,
                         test=bool(n_gpus <= 1))


def mi300x_saving(c):
    speed = data.gpu(MI300X)["bandwidth_bytes_per_s"] / data.gpu(H100)["bandwidth_bytes_per_s"]
    price = c.value("hw-mi300x-price")
    software = data.span("mi300x.software_share")

    def saved(share):
        return 1 - money.relative_cost(price_ratio=price, speed_ratio=speed * share)

    default = saved(PERFECT)
    needed = price / speed / (1 - c.value("hw-mi300x-cost-reduction"))
    return Recomputation(
        f"1 - {n(price)}/{n(speed)} = {pct(default)}, speed by bandwidth", low=default, high=default,
        readings=(Reading(f"early software that reaches {pct(software[0])} to {pct(software[2])} of the hardware's speed",
                          low=saved(software[0]), high=saved(software[2]),
                          arithmetic=f"{pct(saved(software[0]))} to {pct(saved(software[2]))}"),
                  Reading("early software, and less than the figure, as the Thai can be read", low=saved(software[0]),
                          high=saved(software[2]), comparator="<", language="th")),
        needed=f"software that reaches {pct(needed)} of the hardware's speed")


def gaudi3_power(c):
    module, card = (data.gpu(name)["board_power_w"] for name in (GAUDI3, GAUDI3_CARD))
    return Recomputation(
        f"the module that competes with the {n(c.value('hw-h100-power'))} W H100 SXM is rated {n(module)} W", low=module,
        high=module, readings=(Reading("the PCIe card, not the module", low=card, high=card,
                                       arithmetic=f"{n(card)} W"),),
        needed=f"{n(module)} W for the module")


def owned_hour(usd, watts):
    """Cost of an owned GPU-hour at the book's assumptions."""
    capital = tco.capital_recovery_factor(discount_rate=data.value("finance.discount_rate"),
                                          years=data.value("finance.life"))
    factor, available = data.value("finance.server_factor"), data.value("finance.availability")
    power = tco.power_usd_per_gpu_hour(watts_per_gpu=watts, pue=data.value("power.pue"),
                                       usd_per_kwh=data.value("power.price"))
    total = tco.owned_usd_per_gpu_hour(
        capital_usd_per_gpu_hour=tco.capital_usd_per_gpu_hour(
            usd_per_gpu=usd, server_factor=factor, capital_recovery_per_year=capital, availability=available),
        upkeep_usd_per_gpu_hour=tco.upkeep_usd_per_gpu_hour(
            usd_per_gpu=usd, server_factor=factor, upkeep_per_year=data.value("finance.upkeep"),
            availability=available),
        power_usd_per_gpu_hour=power)
    return total


def gaudi3_tco(c):
    prices = {name: prices_around(name, "purchase", c.day()) for name in (GAUDI3, H100)}
    watts = c.value("hw-gaudi3-power"), c.value("hw-h100-power")
    dear = owned_hour(prices[H100]["typical"], watts[1])
    power = 1 - owned_hour(prices[H100]["typical"], watts[0]) / dear
    speed = c.value("hw-gaudi3-bandwidth") / c.value("hw-h100-bandwidth")
    hours = [[owned_hour(usd, draw) for usd in ends(prices[name])] for name, draw in zip((GAUDI3, H100), watts, strict=True)]
    both = [1 - ratio / speed for ratio in reversed(like_ends(*hours))]
    return Recomputation(
        f"{n(watts[1] - watts[0])} W less at an equal price: {pct(power)} of the cost of ownership; the documents give no "
        "price", low=power, high=power,
        readings=(Reading("estimated purchase prices, speed by bandwidth", low=both[0], high=both[1],
                          arithmetic=f"{span_text(*ends(prices[GAUDI3]))} USD against {span_text(*ends(prices[H100]))} USD: "
                                     f"{span_text(*both, pct)}"),
                  Reading("estimated purchase prices, and less than the figure, as the Thai can be read", low=both[0],
                          high=both[1], comparator="<", language="th")),
        needed="a much lower purchase price: power alone cannot give it")


def graviton_cost(c):
    cpu, rent = data.gpu(GRAVITON4), prices_around(GRAVITON4, "on_demand", c.day())
    parameters, batch = c.value("ec-7b-params"), c.value("ec-batch32-size")

    def cost(usd, peak):
        seconds = roofline.decode_step_seconds(
            weight_bytes=weights(parameters, bits("int8")), kv_bytes_per_sequence=NOTHING,
            flop_per_sequence=decode_flop(LLAMA2_7B, parameters, 0), batch=batch, n_gpus=1, mbu=PERFECT, mfu=PERFECT,
            bytes_per_s_per_gpu=cpu["bandwidth_bytes_per_s"], flop_per_s_per_gpu=cpu[peak], comm_s=NOTHING,
            fixed_s=NOTHING)
        rate = serving.decode_tok_out_per_s(batch=batch, tok_out_per_pass=1, step_s=seconds)
        return units.convert(money.usd_per_mtok_out(usd_per_gpu_hour=usd, n_gpus=1, tok_out_per_s=rate,
                                                    utilisation=PERFECT), "USD/Mtok", "USD/ktok")

    low, high = cost(rent["low"], "int8_flop_per_s"), cost(rent["high"], "bf16_flop_per_s")
    rate = money.tok_per_s_for_price(usd_per_hour=rent["low"], usd_per_mtok=units.convert(
        c.value("hw-graviton4-cost"), "USD/ktok", "USD/Mtok"))
    return Recomputation(
        "neither model nor price is given",
        readings=(Reading(f"a 7B model in 8 bits, {n(batch)} short requests at once, every hour used", low=low, high=high,
                          arithmetic=f"{n(rent['low'])} to {n(rent['high'])} USD/h: {span_text(low, high)} USD per "
                                     "thousand tokens"),),
        needed=f"{n(rate)} tokens a second at {n(rent['low'])} USD an hour")


def small_on_gpu(c):
    """USD per million tokens of a 7B model in the documents' batch on one H100, every paid hour used, at the printed rents."""
    batch = c.value("ec-batch32-size")
    seconds = step_seconds(model_id=LLAMA2_7B, parameters=c.value("ec-7b-params"), gpu_id=H100, n_gpus=1, batch=batch,
                           positions=c.value("ec-context-2000"), weight_bits=bits("fp16"))
    rate = serving.decode_tok_out_per_s(batch=batch, tok_out_per_pass=1, step_s=seconds)
    return [money.usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=1, tok_out_per_s=rate, utilisation=PERFECT)
            for rent in c.span("up-h100-cloud-price-now")]


def cpu_competes(c):
    cpu = units.convert(c.value("hw-graviton4-cost"), "USD/ktok", "USD/Mtok")
    full, busy = small_on_gpu(c), c.span("dep-edge-utilisation")
    over = [cpu / usd for usd in reversed(full)]
    thin = over[0] * busy[0], over[1] * busy[1]
    return Recomputation(
        f"{n(cpu)} USD per million on the CPU, {span_text(*full)} for a 7B model on an H100 with every hour used: "
        f"{span_text(*over)} times as much", low=over[0], high=over[1], figure=(1.0, 1.0), comparator="=",
        readings=(Reading(f"a GPU no busier than at the documents' edge, {span_text(*busy, pct)}", low=thin[0], high=thin[1],
                          figure=(1.0, 1.0), comparator="=", arithmetic=f"{span_text(*thin)} times"),),
        needed=f"GPUs busy less than {span_text(*(1 / ratio for ratio in reversed(over)), pct)} of the time")


def cpu_low_traffic(c):
    machine, rents = prices_around(GRAVITON4, "on_demand", c.day())["low"], c.span("up-h100-cloud-price-now")
    share = weights(c.value("ec-7b-params"), bits("int8")) / data.gpu(GRAVITON4)["memory_bytes"]
    whole, part = ([usd / rent for rent in reversed(rents)] for usd in (machine, machine * share))
    return Recomputation(
        f"an idle hour costs {n(machine)} USD on the CPU machine and {span_text(*rents)} USD on an H100", low=whole[0],
        high=whole[1], figure=(None, 1.0), comparator="<",
        readings=(Reading("a slice of the machine with memory for a 7B model in 8 bits, priced by its share", low=part[0],
                          high=part[1], figure=(None, 1.0), comparator="<",
                          arithmetic=f"{n(machine * share, 2)} USD an idle hour"),),
        needed=f"a CPU machine at no more than {n(rents[0])} USD an hour")


def made_for_inference(c):
    balance = {name: data.gpu(gpu_id)["bf16_flop_per_s"] / data.gpu(gpu_id)["bandwidth_bytes_per_s"]
               for name, gpu_id in (("Gaudi 3", GAUDI3), ("H100", H100))}
    return Recomputation(
        "inference reads memory more than it computes; BF16 operations for each byte: "
        + ", ".join(f"{name} {n(ratio, 3)}" for name, ratio in balance.items()),
        test=bool(balance["Gaudi 3"] < balance["H100"]),
        needed=f"{n(balance['Gaudi 3'] / balance['H100'], 3)} times the memory bandwidth, to have the balance of an H100")


def mixed_fleet(c):
    small, large = (c.value(name) for name in ("ec-7b-params", "ec-70b-params"))
    share = data.value("routing.small_share")
    blend = levers.routed_usd_per_mtok(shares=(share, 1 - share), usd_per_mtok=(small / large, PERFECT),
                                       router_usd_per_mtok=NOTHING)
    return Recomputation(f"{pct(share)} of tokens at {n(small / large)} of the cost: {n(blend)} of serving all on the "
                         "large model", test=bool(blend < 1))


RECOMPUTE = {
    "hw-h100-bandwidth": lambda c: gpu_fact(c, "hw-h100-bandwidth", f"{H100}.bandwidth"),
    "hw-70b-model": lambda c: model_fact(c, "hw-70b-model", LLAMA2_70B),
    "hw-h100-70b-throughput": lambda c: stream(c, "hw-h100-70b-throughput", H100),
    "hw-a100-bandwidth": lambda c: gpu_fact(c, "hw-a100-bandwidth", f"{A100}.bandwidth"),
    "hw-a100-70b-throughput": lambda c: stream(c, "hw-a100-70b-throughput", A100),
    "hw-h100-a100-gap": a100_gap,
    "hw-h100-cheaper-per-token": cheaper_per_token,
    "hw-70b-fp16-memory": fp16_memory,
    "hw-h100-memory": lambda c: gpu_fact(c, "hw-h100-memory", f"{H100}.memory"),
    "hw-h100-two-gpus": lambda c: seventy_b(c, H100),
    "hw-two-gpu-cost": two_gpu_cost,
    "hw-h200-upcoming": h200_upcoming,
    "hw-h200-memory": lambda c: gpu_fact(c, "hw-h200-memory", f"{H200}.memory"),
    "hw-h200-single-gpu": lambda c: seventy_b(c, H200),
    "hw-h200-cost-reduction": h200_saving,
    "hw-mi300x-memory": lambda c: gpu_fact(c, "hw-mi300x-memory", f"{MI300X}.memory"),
    "hw-mi300x-bandwidth": lambda c: gpu_fact(c, "hw-mi300x-bandwidth", f"{MI300X}.bandwidth"),
    "hw-mi300x-price": lambda c: purchase_ratio(c, "hw-mi300x-price", MI300X, H100),
    "hw-mi300x-no-parallelism": mi300x_fits,
    "hw-mi300x-cost-reduction": mi300x_saving,
    "hw-gaudi3-memory": lambda c: gpu_fact(c, "hw-gaudi3-memory", f"{GAUDI3}.memory"),
    "hw-gaudi3-bandwidth": lambda c: gpu_fact(c, "hw-gaudi3-bandwidth", f"{GAUDI3}.bandwidth"),
    "hw-gaudi3-power": gaudi3_power,
    "hw-h100-power": lambda c: gpu_fact(c, "hw-h100-power", f"{H100}.board_power"),
    "hw-gaudi3-tco": gaudi3_tco,
    "hw-gaudi3-inference": made_for_inference,
    "hw-graviton4-cost": graviton_cost,
    "hw-graviton4-competitive": cpu_competes,
    "hw-cpu-low-traffic": cpu_low_traffic,
    "hw-cpu-gpu-routing": mixed_fleet,
}

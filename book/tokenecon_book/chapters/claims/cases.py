"""Recomputations of the claims of the three case studies: what the documents tell, not checked facts about the firms."""

from types import SimpleNamespace

from tokenecon import data, units
from tokenecon.fleet import pools
from tokenecon.formulas import levers, money, serving
from tokenecon.queries import remembered
from tokenecon_book.chapters.cases.shopify import conversations as cases_shopify
from tokenecon_book.chapters.claims.checks import prices_around
from tokenecon_book.chapters.claims.rule import Reading, Recomputation
from tokenecon_book.documents.printed import A100, H100, LLAMA2_70B, bits, n, pct, serving_gpus, span_text

PLAIN = {
    "case-spotify-audio-hours": "a volume that the firm would have to confirm",
    "case-spotify-tokens": "a volume that the firm would have to confirm",
    "case-shopify-conversations": "a volume that the firm would have to confirm",
    "case-shopify-turns": "a figure that the firm would have to confirm",
    "case-jpmorgan-analysts": "a figure that the firm would have to confirm",
}
NO_PATH = {
    "case-spotify-model": "a choice of the firm, without a figure",
    "case-spotify-hardware": "a choice of the firm; a bill that is too high speaks against the bill, not against the machine",
    "case-shopify-hardware": "a choice of the firm; the printed bill buys such GPUs, and others as well",
    "case-jpmorgan-isolation": "a requirement, without a figure",
}


def transcription_bill(c, claim_id, speed_id, how):
    """Daily cost of the audio on A100 at a measured speed, up to what the public service asks."""
    audio, speed = c.value("case-spotify-audio-hours"), data.value(speed_id)
    rent = prices_around(A100, "on_demand", c.day())
    low, high = audio / speed * rent["low"], audio / speed * rent["high"]
    market = audio * data.value("api.whisper")
    paid = c.value(claim_id)
    n_gpus = [money.implied_gpus(usd_per_day=paid, usd_per_gpu_hour=usd) for usd in (rent["high"], rent["low"])]
    pace = [serving.required_real_time_factor(audio_hours_per_day=audio, n_gpus=count) for count in (n_gpus[1], n_gpus[0])]
    return Recomputation(
        f"{how}, an A100 transcribes {n(speed)} hours an hour: {n(audio)}/{n(speed)} x {span_text(rent['low'], rent['high'])} "
        f"USD = {span_text(low, high)} USD a day; the public service asks {n(market)} USD; the bill buys {span_text(*n_gpus)} "
        "A100 "
        f"at {span_text(*pace)} hours an hour", low=low, high=high,
        readings=(Reading("the price of the public transcription service", low=market, high=market),),
        needed=f"A100 that transcribe {span_text(*pace)} hours an hour, {n(speed / pace[1])} times slower or more than "
               "measured")


def tokens_per_hour(c):
    tokens = serving.tok_per_audio_hour(tok_per_day=c.value("case-spotify-tokens"),
                                        audio_hours_per_day=c.value("case-spotify-audio-hours"))
    words = tokens * data.value("language.words_per_token") * units.factor("min") / units.factor("h")
    return Recomputation(f"{n(c.value('case-spotify-tokens'))}/{n(c.value('case-spotify-audio-hours'))} = {n(tokens)} tokens an "
                         f"hour, {n(words)} words a minute", low=tokens, high=tokens)


def spotify_saving(c):
    before, after = c.value("case-spotify-cost-before"), c.value("case-spotify-cost-after")
    saved = levers.saving(before=before, after=after)
    return Recomputation(f"1 - {n(after)}/{n(before)} = {pct(saved)}, a factor of {n(before / after)}", low=saved, high=saved)


def spotify_stack(c):
    reached = levers.saving(before=c.value("case-spotify-cost-before"), after=c.value("case-spotify-cost-after"))
    half = levers.precision_saving(bits_per_param=bits("int8"), baseline_bits_per_param=bits("fp16"))
    batch = c.value("sw-cb-cost-reduction")
    claimed = levers.stacked_saving(savings=(c.value("ec-quant-cost-reduction"), batch))
    plain = levers.stacked_saving(savings=(half, batch))
    close = levers.saving(before=1 - reached, after=1 - plain)
    return Recomputation(
        f"printed savings: 1 - (1 - {n(c.value('ec-quant-cost-reduction'))}) x (1 - {n(batch)}) = {pct(claimed)} before Flash "
        f"Attention, where the bills give {pct(reached)}", low=claimed, high=claimed,
        test=bool(abs(claimed - reached) <= abs(close)),
        readings=(Reading("INT8 counted against FP16, and nothing from Flash Attention", test=bool(abs(close) < 1e-9),
                          arithmetic=f"1 - (1 - {n(half)}) x (1 - {n(batch)}) = {pct(plain)}"),),
        needed=f"a saving of {pct(1 - (1 - reached) / (1 - batch))} from INT8")


def audio_hour(c):
    audio = c.value("case-spotify-audio-hours")
    low, high = (money.usd_per_audio_hour_of_bill(usd_per_day=c.value(f"case-spotify-cost-{when}"),
                                                  audio_hours_per_day=audio) for when in ("after", "before"))
    public = data.value("api.whisper")
    return Recomputation(
        f"{n(high)} USD before and {n(low)} USD after; the public service asks {n(public)} USD: {n(high / public)} and "
        f"{n(low / public)} times; serving oneself pays below that, at a bill under {n(public * audio)} USD a day", low=low,
        high=high)


def accuracy(c):
    low, _, high = data.span("speech.word_error")
    return Recomputation(
        f"as word accuracy: 1 - {n(high)} = {pct(1 - high)} to 1 - {n(low)} = {pct(1 - low)}", low=1 - high, high=1 - low,
        readings=(Reading("accuracy relative to the model before optimisation"),),
        needed=f"a word error rate of {pct(1 - c.value('case-spotify-accuracy'))}, or accuracy relative to the model before")


def turn_tokens(c):
    return serving.tok_per_turn(tok_per_day=c.value("case-shopify-tokens"), turns=c.value("case-shopify-turns"),
                                conversations_per_day=c.value("case-shopify-conversations"))


def shopify_tokens(c):
    per_turn = data.value("workload.osl_azure_conv")
    ends = [serving.tok_per_day_of_conversations(
        conversations_per_day=c.value("case-shopify-conversations"), turns=turns, tok_per_turn=per_turn)
        for turns in (c.value("case-shopify-turns") / 2, c.value("case-shopify-turns"))]
    low = data.span("workload.osl_azure_conv")[0] / per_turn * ends[0]
    return Recomputation(
        f"{n(c.value('case-shopify-conversations'))} conversations of {n(c.value('case-shopify-turns'))} turns, half or all of "
        f"them answers of {n(per_turn)} tokens (or {n(low / ends[0] * per_turn)} at the short end): {span_text(low, ends[1])}",
        low=low, high=ends[1], needed=f"{n(turn_tokens(c))} tokens a turn, prompts included")


def shopify_turn(c):
    tokens, answer = turn_tokens(c), data.span("workload.osl_azure_conv")
    return Recomputation(
        f"{n(c.value('case-shopify-tokens'))}/({n(c.value('case-shopify-conversations'))} x {n(c.value('case-shopify-turns'))}) "
        f"= {n(tokens)} tokens; answers alone have {n(answer[1])} in a public trace, {n(answer[0])} at its tenth percentile",
        low=tokens, high=tokens, test=bool(tokens >= answer[0]),
        needed=f"{n(answer[0])} tokens a turn at the very least, {n(answer[0] / tokens * c.value('case-shopify-tokens'))} a day")


def monthly_mtok(c):
    return units.convert(c.value("case-shopify-tokens"), "tok", "Mtok") * units.DAYS_PER_YEAR / units.MONTHS_PER_YEAR


def _page(prompt, answer, n_gpus, day):
    """The inputs of a case page that are ours, from data/: the model of the documents' examples within usual limits."""
    return {"model": LLAMA2_70B, "gpu": H100, "n_gpus": n_gpus, "weights": "fp16", "kv": "fp16", "isl": data.value(prompt),
            "osl": data.value(answer), "ttft_ms": data.value("service.ttft"), "tpot_ms": data.value("service.tpot"),
            "peak_to_mean": data.value("workload.peak_to_mean"), "wait_probability": data.value("service.wait_probability"),
            "policy": "fixed", "as_of": day}


@remembered
def _own_fleet(n_gpus, day, conversations, turns, tokens, before, after):
    page = _page("workload.isl_azure_conv", "workload.osl_azure_conv", n_gpus, day)
    return cases_shopify.bottom_up(SimpleNamespace(
        **page, conversations_per_day=conversations, turns=turns, tokens_per_day=tokens, usd_per_month_before=before,
        usd_per_month_after=after))


def fleet_readings(c):
    """The two volumes that a real turn allows, as readings with the rent of a fleet; other models are open. [USD/month]"""
    fleet = _own_fleet(serving_gpus(c), c.day(), *(c.value(f"case-shopify-{name}") for name in (
        "conversations", "turns", "tokens", "unoptimised-cost", "monthly-cost")))
    found = []
    for reading in ("tokens", "turns"):
        low, high = (getattr(fleet[reading], f"usd_per_month_{end}") for end in ("low", "high"))
        found.append(Reading(f"a rented fleet with {data.model(LLAMA2_70B)['name']} serves the printed {reading}, each turn as "
                             "long as in a public trace", low=low, high=high, arithmetic=f"{n(low, 3)} to {n(high, 3)} USD"))
    return (*found, Reading("a model that the documents do not name"))


def shopify_bill(c):
    day = c.value("case-shopify-monthly-cost") * units.MONTHS_PER_YEAR / units.DAYS_PER_YEAR
    rents = c.span("up-h100-cloud-price-now")
    n_gpus = [money.implied_gpus(usd_per_day=day, usd_per_gpu_hour=rent) for rent in (rents[1], rents[0])]
    rates = [money.implied_tok_per_s_per_gpu(tok_per_day=c.value("case-shopify-tokens"), n_gpus=count)
             for count in (n_gpus[1], n_gpus[0])]
    return Recomputation(
        f"buys {span_text(*n_gpus)} H100 at {span_text(*rates)} tokens a second each; the model is not named",
        readings=fleet_readings(c), needed="the model and the length of a turn")


def shopify_before(c):
    per = c.value("case-shopify-unoptimised-cost") / monthly_mtok(c)
    price = units.convert(c.value("dep-bedrock-price"), "USD/ktok", "USD/Mtok")
    return Recomputation(
        f"{n(per)} USD per million tokens, {n(per / price)} times the printed Bedrock price; the model is not named",
        readings=fleet_readings(c), needed="the model and the length of a turn")


def shopify_saving(c):
    before, after = c.value("case-shopify-unoptimised-cost"), c.value("case-shopify-monthly-cost")
    saved = levers.saving(before=before, after=after)
    left = levers.residual_saving(before=before, after=after, known_savings=(c.value("sw-routing-saving"),))
    return Recomputation(f"1 - {n(after)}/{n(before)} = {pct(saved)}, a factor of {n(before / after)}; after the printed "
                         f"saving of routing, caching must give {pct(left)}", low=saved, high=saved)


def shopify_million(c):
    cost = c.value("case-shopify-monthly-cost") / monthly_mtok(c)
    own = units.convert(c.value("dep-bedrock-price"), "USD/ktok", "USD/Mtok") / c.value("dep-bedrock-premium")
    return Recomputation(
        f"{n(c.value('case-shopify-monthly-cost'))} USD / {n(monthly_mtok(c))} million tokens = {n(cost)} USD",
        low=cost, high=cost,
        needed=f"{n(own)} USD by the printed Bedrock price and premium: a bill of {n(own * monthly_mtok(c))} USD a month")


def dedicated(c):
    page = SimpleNamespace(**_page("workload.isl", "workload.osl", serving_gpus(c), c.day()))
    replica, hourly = pools.replica(page), data.value("bank.requests_per_analyst_hour")
    _, groups, most = data.span("bank.groups")
    rate = units.convert(c.value("case-jpmorgan-analysts") * hourly, "request/h", "request/s")
    table = pools.isolation(replica, (groups, most), requests_per_s=rate, wait_probability=page.wait_probability)
    here, many = table.iloc[0], table.iloc[1]
    return Recomputation(
        f"analysts who ask {n(hourly)} times an hour, on replicas of {n(replica['concurrency'])} places: {n(groups)} groups need "
        f"{n(here.replicas)} where one pool needs {n(here.replicas / here.penalty)}, {n(here.penalty, 3)} times, with "
        f"{n(here.in_flight, 2)} requests in flight on each; {n(most)} groups {n(many.penalty, 3)} times, with "
        f"{n(many.in_flight, 2)}", low=here.penalty, high=many.penalty,
        test=bool(here.penalty > 1 and here.in_flight < replica["concurrency"]))


RECOMPUTE = {
    "case-spotify-tokens-per-hour": tokens_per_hour,
    "case-spotify-cost-before": lambda c: transcription_bill(c, "case-spotify-cost-before", "speech.speed_plain",
                                                             "one request at a time in FP32"),
    "case-spotify-cost-after": lambda c: transcription_bill(c, "case-spotify-cost-after", "speech.speed_tuned",
                                                            "in batches with Flash Attention"),
    "case-spotify-reduction": spotify_saving,
    "case-spotify-stack": spotify_stack,
    "case-spotify-cost-per-audio-hour": audio_hour,
    "case-spotify-accuracy": accuracy,
    "case-shopify-tokens": shopify_tokens,
    "case-shopify-tokens-per-turn": shopify_turn,
    "case-shopify-monthly-cost": shopify_bill,
    "case-shopify-unoptimised-cost": shopify_before,
    "case-shopify-reduction": shopify_saving,
    "case-shopify-cost-per-million": shopify_million,
    "case-jpmorgan-dedicated": dedicated,
}

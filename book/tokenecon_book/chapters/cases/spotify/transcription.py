"""The case of podcast transcription: what an hour of audio costs by the bills, by the market and by arithmetic."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import compute, levers, money, serving
from tokenecon.prices import gpu_prices
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.bills import fact, fleet, owned, positive, prices, ratio_words, reconciling, saving, span_columns
from tokenecon_book.documents.printed import n
from tokenecon_book.documents.words import dollars, percent

SEEN = 1e-4  # share below which two digits of a percent show nothing
MODEL = "whisper-large-v3"
SPEEDS = {"speech.speed_plain": "measured, plain", "speech.speed_tuned": "measured, batched"}
NEAREST = {"measured, plain": "the one measured without tuning", "measured, batched": "the one measured with batches"}
SPEED_COLUMNS = {
    "bill": ("Bill", None), "usd_per_day": ("A day", "USD/day"), "n_gpus": ("GPUs it pays for", "GPU"),
    "speed": ("Audio hours a GPU hour", "ratio/GPU"), "mfu": ("Share of peak arithmetic", "fraction"),
}  # fmt: skip
BOTTOM_COLUMNS = {
    "way": ("Speed", None), "hour": ("GPUs", None), "speed": ("Audio hours a GPU hour", "ratio/GPU"),
    "n_gpus": ("GPUs needed", "GPU"), "usd_per_day": ("Bill", "USD/day"),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "usd_per_audio_hour": ("An hour of audio", "USD/h"),
    "of_api": ("Of the public price", "fraction"),
}  # fmt: skip


def _check(case):
    positive(case, "audio_hours_per_day", "tokens_per_day", "usd_per_day_before", "usd_per_day_after", "usd_per_audio_hour_api")


def of(case, **more):
    """What the numbers of this page are of, for :func:`named`, and what else differs."""
    return {name: getattr(case, name) for name in ("gpu", "mfu", "utilisation", "as_of")} | {"study": "Spotify"} | more


@finding
def case_line(case):
    """The case of the page in one line: the documents' figures, the machine and how well it works, the price of its hour."""
    parts = [f"documents: {given(case, 'audio_hours_per_day', n)} hours of audio and {given(case, 'tokens_per_day', n)} tokens "
             "a day",
             data.model(MODEL)["name"], data.gpu(case.gpu)["name"],
             f"{given(case, 'mfu', percent)} of the peak arithmetic, {given(case, 'utilisation', percent)} of the hours used",
             f"{base.said_hour(case)} an hour on {case.as_of} ({base.counted(case)})"]
    return base.case_of(parts)


@finding
def identities(case):
    """What the printed figures imply together."""
    _check(case)
    tokens = serving.tok_per_audio_hour(tok_per_day=case.tokens_per_day, audio_hours_per_day=case.audio_hours_per_day)
    words = tokens * data.value("language.words_per_token") * units.factor("min") / units.factor("h")
    before, after = (money.usd_per_mtok_of_bill(usd_per_day=usd, tok_per_day=case.tokens_per_day)
                     for usd in (case.usd_per_day_before, case.usd_per_day_after))
    saved = levers.saving(before=case.usd_per_day_before, after=case.usd_per_day_after)
    rate = case.audio_hours_per_day / units.HOURS_PER_DAY
    return Finding(pd.DataFrame([
        fact("Tokens in an hour of audio", "tokens a day over audio hours a day", tokens, "tokens"),
        fact("Speed of speech", f"{data.value('language.words_per_token'):g} words a token", words, "words a minute"),
        fact("Audio that arrives in an hour", "audio hours a day over 24", rate, "hours"),
        fact("A million tokens, before", "bill over tokens", before, "USD"),
        fact("A million tokens, after", "bill over tokens", after, "USD"),
        saving("Saving", "one bill over the other", saved),
    ]))


def speed_at(mfu, case):
    """Hours of audio that one GPU transcribes in an hour when it reaches this share of its peak arithmetic."""
    shape, peak = data.model(MODEL), data.gpu(case.gpu)["bf16_flop_per_s"]
    if peak != peak:
        raise BadInput(f"parameter 'gpu' is '{case.gpu}', which has no BF16 rate in {data.file('gpus')}; take another id of "
                       "`tokenecon list gpus`")
    window, tokens = data.value("speech.window"), serving.tok_per_audio_hour(
        tok_per_day=case.tokens_per_day, audio_hours_per_day=case.audio_hours_per_day)
    encoder = compute.prefill_flop_full(
        active_parameters=data.value("speech.encoder_parameters"), positions=data.value("speech.window_positions"),
        layers=shape["layers"], attention_width=shape["hidden_size"], flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD)
    flop = serving.speech_window_flop(
        encoder_flop=encoder, decoder_parameters=data.value("speech.decoder_parameters"),
        text_positions=tokens * window / units.factor("h"), flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD)
    return serving.real_time_factor(window_s=window, window_flop=flop, flop_per_s_per_gpu=peak, mfu=mfu)


@finding
def implied(case):
    """The fleet that each bill pays for, the speed it would need, and the arithmetic it would reach."""
    _check(case)
    found = fleet(case, {"before": case.usd_per_day_before, "after": case.usd_per_day_after})
    table, full = found.table, float(speed_at(1.0, case))
    for end in ("", "_low", "_high"):
        # more GPUs for the same audio means that each is slower
        other = {"_low": "_high", "_high": "_low"}.get(end, "")
        table[f"speed{end}"] = [float(serving.required_real_time_factor(
            audio_hours_per_day=case.audio_hours_per_day, n_gpus=n_gpus))
                                for n_gpus in table[f"n_gpus{other}"]]
        table[f"mfu{end}"] = table[f"speed{end}"] / full
    return Finding(table, note=found.note, units={f"speed{end}": "ratio/GPU" for end in ("", "_low", "_high")})


@finding
def audio_hour(case):
    """What an hour of audio costs: by the bills, by a public API, by arithmetic and by published measurements."""
    _check(case)
    price, own, rows = prices(case), owned(case), []
    for when, bill in (("before", case.usd_per_day_before), ("after", case.usd_per_day_after)):
        rows.append({"label": f"bill {when}", "group": "documents", "usd_per_audio_hour": money.usd_per_audio_hour_of_bill(
            usd_per_day=bill, audio_hours_per_day=case.audio_hours_per_day)})
    rows.append({"label": "public API", "group": "API", "usd_per_audio_hour": case.usd_per_audio_hour_api})
    name = data.gpu(case.gpu)["name"]
    for label, ends in speeds(case).items():
        rows.append({"label": label, "group": f"rented {name}"} | span_columns("usd_per_audio_hour", [
            usd / speed / case.utilisation for usd, speed in zip(price, ends[::-1], strict=True)]))
    if own:
        rows.append({"label": f"{label}, owned", "group": f"owned {name}"} | span_columns("usd_per_audio_hour", [
            usd / speed / case.utilisation for usd, speed in zip(own, ends[::-1], strict=True)]))
    table = pd.DataFrame(rows)
    cost = table.set_index("label")["usd_per_audio_hour"]
    arithmetic_usd = cost.iloc[3]
    before, after = cost["bill before"], cost["bill after"]
    bill = named("case-audio-hour", after, dollars, bill="after", study="Spotify")
    sums = named("audio-hour-arithmetic", arithmetic_usd, lambda usd: f"${n(usd, 2)}", **of(case))
    over, times = (named("case-bill-over", after / usd, ratio_words, over=what, **of(case)) for usd, what in (
        (case.usd_per_audio_hour_api, "a public API"), (arithmetic_usd, "the arithmetic")))
    return Finding(
        table, f"By its second bill, Spotify's case pays {bill} for an hour of audio; a public API asks "
        f"{given(case, 'usd_per_audio_hour_api', dollars)}, and the computing costs {sums}.",
        f"The bill before says {dollars(before)}. The arithmetic: {name} at {100 * case.mfu:.3g}% of their peak. "
        f"Brackets, an outer bound: the ends of the speeds with those of prices {gpu_prices.known(case)}; "
        f"{case.utilisation:.0%} of hours used. Audio only: storage, alignment and checking are not in it.",
        title=f"The bill after optimisation pays {over} the price of a public API and {times} the cost of the arithmetic")


def _whole(usd):
    """A bill of a day in three digits: "$63.2", "$5,040"."""
    return f"${n(float(f'{usd:.3g}'), 3)}"


def speeds(case):
    """Hours of audio a GPU transcribes in an hour, (low, expected, high): by arithmetic, and as measured where it is an A100."""
    low, _, high = data.span("speech.mfu")
    shares = (min(low, case.mfu), case.mfu, max(high, case.mfu))
    found = {f"arithmetic, {100 * case.mfu:.3g}% of peak": tuple(float(speed_at(share, case)) for share in shares)}
    if case.gpu.startswith("a100"):  # published for this GPU only
        found |= {label: data.span(speed_id) for speed_id, label in SPEEDS.items()}
    return found


@finding
def bottom_up(case):
    """GPUs that the audio of a day needs at each speed, and what they cost rented and owned."""
    _check(case)
    rent, own = prices(case), owned(case)
    rows = []
    for way, ends in speeds(case).items():
        n_gpus = [case.audio_hours_per_day / units.HOURS_PER_DAY / speed / case.utilisation for speed in ends]
        for kind, price in ({"rented": rent} | ({"owned": own} if own else {})).items():
            usd = [count * dollars * units.HOURS_PER_DAY for count, dollars in zip(n_gpus[::-1], price, strict=True)]
            rows.append({"way": way, "hour": kind} | span_columns("speed", ends) | span_columns("n_gpus", n_gpus)
                        | span_columns("usd_per_day", usd))
    table = pd.DataFrame(rows)
    rented = table[table["hour"] == "rented"]
    dear, cheap = (rented.loc[rented["usd_per_day"].agg(pick)] for pick in ("idxmax", "idxmin"))
    least, most = (named("case-audio-day", row.usd_per_day, _whole, way=row.way, **of(case)) for row in (cheap, dear))
    return Finding(
        table, f"On rented {data.gpu(case.gpu)['name']} the audio of a day would cost "
        f"{least if cheap.way == dear.way else f'{least} to {most}, by how fast they work'}; the second bill is "
        f"{given(case, 'usd_per_day_after', _whole)}.",
        "Whisper is an encoder with a small decoder, which the calibrated model of serving does not cover: speeds are arithmetic "
        f"at a share of the peak, and published measurements. Audio can wait for a free GPU, so {case.utilisation:.0%} of the "
        f"hours are used, and no fleet for a peak is kept. Prices {gpu_prices.known(case)}; owned: an hour's cost to its owner.",
        units={f"speed{end}": "ratio/GPU" for end in ("", "_low", "_high")})


@finding
def reconcile(case):
    """Which single input would make the optimised way, as measured where it is, cost what the second bill says."""
    rented = bottom_up(case).table
    here = rented[rented["hour"] == "rented"].iloc[-1]
    factor = case.usd_per_day_after / here.usd_per_day
    low, typical, high = prices(case)
    used, slowest = data.span("utilisation.own"), min(ends[0] for ends in speeds(case).values())
    found = reconciling([
        {"parameter": "hours of audio that a GPU transcribes", "unit": "an hour", "page": here.speed,
         "needed": here.speed / factor, "low": slowest, "high": here.speed_high},
        {"parameter": "price of a GPU-hour", "unit": "USD", "page": typical, "needed": typical * factor, "low": low,
         "high": high},
        {"parameter": "share of hours used", "unit": "", "page": case.utilisation, "needed": case.utilisation / factor,
         "low": used[0], "high": used[2]},
        {"parameter": "audio of a day", "unit": "hours", "page": case.audio_hours_per_day,
         "needed": case.audio_hours_per_day * factor},
    ], "explain the second bill")
    ways = speeds(case)
    near = min(ways, key=lambda way: abs(np.log(ways[way][1] * factor / here.speed)))
    return Finding(found.table, f"{found.sentence}. The speed that it pays for is nearest to {NEAREST.get(near, 'arithmetic')}",
                   f"Start: {here.way}, rented, ${n(here.usd_per_day, 3)} a day.", near=near, possible=found["possible"])


def _reached(share):
    """A share of the peak in words; what rounds to nothing is said to be little."""
    return f"{share:.2%}" if share >= SEEN else f"less than {SEEN:.2%}"


@finding
def arithmetic(case):
    """Cost of an hour of audio over the share of peak arithmetic that the GPU reaches, with its price range."""
    _check(case)
    price = prices(case)
    shares = np.geomspace(0.0005, 0.6, 60)
    speeds = speed_at(shares, case)
    table = pd.DataFrame({"mfu": shares, "usd_per_audio_hour_low": price[0] / speeds / case.utilisation,
                          "usd_per_audio_hour": price[1] / speeds / case.utilisation,
                          "usd_per_audio_hour_high": price[2] / speeds / case.utilisation})
    full, points = float(speed_at(1.0, case)), None
    if case.gpu.startswith("a100"):
        points = pd.DataFrame([
            {"label": label, "mfu": data.value(speed_id) / full,
             "usd_per_audio_hour": price[1] / data.value(speed_id) / case.utilisation} for speed_id, label in SPEEDS.items()])
    after = money.usd_per_audio_hour_of_bill(usd_per_day=case.usd_per_day_after, audio_hours_per_day=case.audio_hours_per_day)
    reconciles = price[1] / after / case.utilisation / full
    public = price[1] / case.usd_per_audio_hour_api / case.utilisation / full
    fits = max(reconciles, public) <= 1
    bill, asked = (named("peak-that-fits", share, _reached if fits else ratio_words, to=what, **of(case))
                   for share, what in ((reconciles, "the bill"), (public, "a public API")))
    return Finding(table, (
        f"The bill after optimisation fits GPUs that reach {bill} of their peak arithmetic; the public price fits {asked}" if fits
        else f"At their full peak GPUs would cost {bill} the bill after optimisation and {asked} the public price: no share of "
        "the peak fits what is below the cost"),
        f"Lines at both edges: on-demand prices of {data.gpu(case.gpu)['name']} {gpu_prices.known(case)}. Diamonds: published "
        "speeds on an A100 80GB, at the share of peak they correspond to.",
        points=points, marks={"bill after": after, "public API": case.usd_per_audio_hour_api}, reconciles=reconciles,
        public=public)


@finding
def stacking(case):
    """The bill that the documents' own savings would leave, one after another, by two baselines of INT8."""
    _check(case)
    batch, before = data.claim("sw-cb-cost-reduction")["low"], case.usd_per_day_before
    claimed = data.claim("ec-quant-cost-reduction")["low"]
    half = levers.precision_saving(bits_per_param=data.precision("int8")["bits"],
                                   baseline_bits_per_param=data.precision("fp16")["bits"])
    rows, left = [], {}
    for baseline, int8 in (("INT8 as the documents put it", claimed), ("INT8 against FP16", half)):
        left[baseline] = before * (1 - levers.stacked_saving(savings=(int8, batch)))
        for step, usd in (("first bill", before), ("with INT8", before * (1 - int8)),
                          ("and continuous batching", left[baseline])):
            rows.append({"step": step, "baseline": baseline, "usd_per_day": usd})
    low, high = (named("case-bill-left", usd, "${:,.0f}".format, study="Spotify", baseline=baseline)
                 for baseline, usd in sorted(left.items(), key=lambda one: one[1]))
    return Finding(
        pd.DataFrame(rows), f"The documents' savings would leave {low} a day, or {high} with INT8 counted against FP16; the "
        f"second bill says {given(case, 'usd_per_day_after', '${:,.0f}'.format)}",
        "Savings multiplied as the documents would have it, before Flash Attention, for which they print no saving of cost.",
        bill=case.usd_per_day_after, left=left)


@finding
def sensitivity(case):
    """Cost of an hour of audio on own GPUs when one input moves, beside the public price."""
    moves = {"the page itself": {}, "half the share of peak": {"mfu": case.mfu / 2},
             "twice the share of peak": {"mfu": min(1.0, 2 * case.mfu)},
             "half the hours used": {"utilisation": case.utilisation / 2}, "an H100": {"gpu": "h100-sxm-80gb"}}
    rows = []
    for text, move in moves.items():
        row = audio_hour(SimpleNamespace(**(vars(case) | move))).table.iloc[3]
        rows.append({"change": text, **moved.said(move), "usd_per_audio_hour": row.usd_per_audio_hour,
                     "usd_per_audio_hour_low": row.usd_per_audio_hour_low, "usd_per_audio_hour_high": row.usd_per_audio_hour_high,
                     "of_api": row.usd_per_audio_hour / case.usd_per_audio_hour_api})
    return Finding(pd.DataFrame(rows), units={"of_api": "fraction"})

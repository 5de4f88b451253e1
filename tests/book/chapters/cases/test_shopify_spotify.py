"""Case studies: identities, bills read backwards, traffic read forwards, and what would reconcile them."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.errors import NoPrice
from tokenecon.fleet import pools
from tokenecon.prices import gpu_prices
from tokenecon_book.chapters.cases.shopify import conversations, monthly_bill
from tokenecon_book.chapters.cases.spotify import transcription
from tokenecon_book.documents import bills

CLAIMS = {
    "spotify": {"audio_hours_per_day": "case-spotify-audio-hours", "tokens_per_day": "case-spotify-tokens",
                "usd_per_day_before": "case-spotify-cost-before", "usd_per_day_after": "case-spotify-cost-after"},
    "shopify": {"conversations_per_day": "case-shopify-conversations", "turns": "case-shopify-turns",
                "tokens_per_day": "case-shopify-tokens", "usd_per_month_before": "case-shopify-unoptimised-cost",
                "usd_per_month_after": "case-shopify-monthly-cost"},
    "jpmorgan": {"analysts": "case-jpmorgan-analysts"},
}  # fmt: skip
LIMITS = {"ttft_ms": "service.ttft", "tpot_ms": "service.tpot", "wait_probability": "service.wait_probability",
          "peak_to_mean": "workload.peak_to_mean"}
ROWS = {
    "spotify": {"mfu": "speech.mfu", "utilisation": "utilisation.own", "usd_per_audio_hour_api": "api.whisper"},
    "shopify": LIMITS | {"isl": "workload.isl_azure_conv", "osl": "workload.osl_azure_conv"},
    "jpmorgan": LIMITS | {"isl": "workload.isl", "osl": "workload.osl", "groups": "bank.groups",
                          "requests_per_analyst_hour": "bank.requests_per_analyst_hour"},
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_the_defaults_are_those_of_the_data(declared, name):
    defaults = declared(name)
    for parameter, claim in CLAIMS[name].items():
        assert defaults[parameter] == data.claim(claim)["low"], f"{parameter} differs from {claim} of data/claims.csv"
    for parameter, row in ROWS[name].items():
        assert defaults[parameter] == pytest.approx(data.value(row)), f"{parameter} differs from {row} of data/assumptions.csv"


@pytest.mark.parametrize(("ratio", "words"), [(2.5, "2.5 times"), (1.0, "about"), (0.4, "40% of")])
def test_a_ratio_is_worded_on_both_sides_of_one(ratio, words):
    assert bills.ratio_words(ratio) == words


def test_an_input_reconciles_only_within_its_range():
    rows = [{"parameter": "one", "unit": "h", "page": 2.0, "needed": 6.0, "low": 1.0, "high": 5.0},
            {"parameter": "other", "unit": "", "page": 3.0, "needed": 4.0}]
    none = bills.reconciling(rows, "make the sums meet")
    assert none.sentence == "Within its known range, no single input could make the sums meet"
    assert none.table["within"].to_list() == ["no", "–"] and none.table["factor"].to_list() == pytest.approx([3.0, 4 / 3])
    assert none.table["plausible"].to_list() == ["1 to 5 h", "the documents' figure"]
    some = bills.reconciling([rows[0] | {"high": 7.0}], "make the sums meet")
    assert some.sentence == "The one could alone make the sums meet" and some["possible"] == ["one"]


def test_an_hour_is_owned_where_there_is_a_purchase_price():
    h100 = bills.owned(SimpleNamespace(gpu="h100-sxm-80gb", as_of="2025-12-08"))
    assert h100[0] < h100[1] < h100[2]
    assert bills.owned(SimpleNamespace(gpu="h800-sxm-80gb", as_of="2025-12-08")) is None


def test_the_sources_of_a_case_are_those_of_its_rows(case):
    spotify, shopify = case("spotify"), case("shopify")
    offers = {one.gpu: gpu_prices.price_range(one.gpu, "on_demand", one.as_of)["rows"] for one in (spotify, shopify)}
    rents = {gpu: set(data.rows("prices", {"id": rows})["source"]) for gpu, rows in offers.items()}
    hour = set(transcription.audio_hour(spotify).sources)
    assert rents[spotify.gpu] | {data.assumption(name)["source"] for name in ("speech.speed_plain", "speech.mfu")} <= hour
    assert data.row("gpus", f"{spotify.gpu}.bf16")["source"] in hour
    assert set(transcription.stacking(spotify).sources) >= {"doc-uk", "doc-th"}  # savings printed by the documents
    own = set(conversations.price_levels(shopify).sources)
    assert rents[shopify.gpu] | {data.model(shopify.model)["source"], "doc-uk", "litellm-prices"} <= own
    assert conversations.turn(shopify).sources == ("azure-traces-2023", "openai-api-introduction")


# --- Spotify ----------------------------------------------------------------------------------------


def test_spotify_volumes_are_speech(case):
    values = transcription.identities(case("spotify")).table.set_index("what")["value"]
    assert values["Tokens in an hour of audio"] == "10,000 tokens"  # 50 million over 5000
    assert values["Speed of speech"] == "125 words a minute"  # 10,000 * 0.75/60
    assert values["A million tokens, after"] == "$90"  # 4500 over 50


def test_whisper_on_an_a100_is_386_times_as_fast_as_speech(case):
    # encoder 2*0.635e9*1500 + 4*1500**2*1280*32, decoder 2*0.906e9*10,000/120 tokens in 30 s; a tenth of 312 TFLOP/s
    flop = 2 * 0.635e9 * 1500 + 4 * 1500**2 * 1280 * 32 + 2 * 0.906e9 * 10_000 / 120
    assert float(transcription.speed_at(0.1, case("spotify"))) == pytest.approx(30 * 31.2e12 / flop)


def test_spotify_bills_buy_a_fleet_that_does_little(case):
    table = transcription.implied(case("spotify")).table.set_index("bill")
    price = gpu_prices.price_range("a100-sxm-80gb", "on_demand", "2025-12-08")
    assert table.loc["before", "n_gpus_high"] == pytest.approx(18000 / 24 / price["low"])
    # the more GPUs the bill buys, the slower each of them
    assert table.loc["before", "speed_low"] == pytest.approx(5000 / 24 / table.loc["before", "n_gpus_high"])
    assert (table["speed_low"] <= table["speed"]).all() and (table["speed"] <= table["speed_high"]).all()


def test_an_hour_of_audio_by_each_figure(case):
    found = transcription.audio_hour(case("spotify"))
    table = found.table.set_index("label")
    assert table.loc["bill before", "usd_per_audio_hour"] == pytest.approx(3.6)
    assert table.loc["public API", "usd_per_audio_hour"] == 0.36
    price = gpu_prices.price_range("a100-sxm-80gb", "on_demand", "2025-12-08")
    assert table.loc["measured, plain", "usd_per_audio_hour"] == pytest.approx(price["typical"] / 4.84 / 0.6)
    assert "2.5 times the price of a public API" in found["title"]


def test_published_speeds_belong_to_the_a100_alone(case):
    h100 = case("spotify", gpu="h100-sxm-80gb")
    assert not transcription.audio_hour(h100).table["label"].str.startswith("measured").any()
    assert transcription.arithmetic(h100)["points"] is None


def test_the_reconciling_share_of_peak_gives_the_bill(case):
    share = transcription.arithmetic(case("spotify"))["reconciles"]
    again = transcription.audio_hour(case("spotify", mfu=share))
    assert again.table.set_index("label")["usd_per_audio_hour"].iloc[3] == pytest.approx(0.9)


def test_savings_stack_to_half_of_the_second_bill_or_to_it(case):
    left = transcription.stacking(case("spotify"))["left"]
    # 18,000 * 0.25 * 0.5 and 18,000 * 0.5 * 0.5
    assert sorted(left.values()) == pytest.approx([2250, 4500])


def test_spotify_words_turn_with_the_numbers(case):
    cheap = transcription.audio_hour(case("spotify", usd_per_day_after=900.0))
    assert "50% of the price of a public API" in cheap["title"]  # 900/5000 = 0.18 USD


@pytest.mark.parametrize("name", ["audio_hours_per_day", "tokens_per_day", "usd_per_day_after"])
def test_an_empty_case_is_refused(case, name):
    with pytest.raises(ValueError, match=f"parameter '{name}' is 0"):
        transcription.audio_hour(case("spotify", **{name: 0.0}))


def test_a_day_of_audio_from_the_bottom_up(case):
    table = transcription.bottom_up(case("spotify")).table.set_index(["way", "hour"])
    price = gpu_prices.price_range("a100-sxm-80gb", "on_demand", "2025-12-08")["typical"]
    # 5000 hours a day at 91.8 an hour keep 2.269 GPUs busy, and 60% of the hours are used
    assert table.loc[("measured, batched", "rented"), "n_gpus"] == pytest.approx(5000 / 24 / 91.8 / 0.6)
    assert table.loc[("measured, batched", "rented"), "usd_per_day"] == pytest.approx(5000 / 91.8 / 0.6 * price)
    assert table.loc[("measured, plain", "owned"), "usd_per_day"] < table.loc[("measured, plain", "rented"), "usd_per_day"]
    assert (table["usd_per_day_low"] < table["usd_per_day"]).all() and (table["usd_per_day"] < table["usd_per_day_high"]).all()


def test_the_second_bill_pays_for_a_speed_without_optimisation(case):
    found = transcription.reconcile(case("spotify"))
    price = gpu_prices.price_range("a100-sxm-80gb", "on_demand", "2025-12-08")["typical"]
    factors = found.table.set_index("parameter")["factor"]
    assert factors["hours of audio that a GPU transcribes"] == pytest.approx(5000 * price / 0.6 / 4500 / 91.8)
    assert found["near"] == "measured, plain" and found["possible"] == ["hours of audio that a GPU transcribes"]


def test_a_gpu_that_cannot_be_rented_is_refused(case):
    with pytest.raises(NoPrice, match="no on_demand price of gaudi3-128gb"):
        transcription.audio_hour(case("spotify", gpu="gaudi3-128gb"))


# --- Shopify ----------------------------------------------------------------------------------------


def test_shopify_identities(case):
    page = case("shopify")
    assert conversations.tokens_per_turn(page) == pytest.approx(10)  # 2e9/(1e7 * 20)
    assert conversations.per_mtok(page, 450_000) == pytest.approx(450_000 / (2000 * 365 / 12))
    values = conversations.identities(page).table.set_index("what")["value"]
    assert values["Caching alone must save"] == "46.43%"  # 1 - (450/2100)/0.4
    assert values["A thousand conversations"] == "$1.479"


def test_shopify_fleet(case):
    table = conversations.implied(case("shopify")).table.set_index("bill")
    price = gpu_prices.price_range("h100-sxm-80gb", "on_demand", "2025-12-08")
    n_gpus = 450_000 / 730 / price["typical"]
    assert table.loc["as paid", "n_gpus"] == pytest.approx(n_gpus)
    assert table.loc["as paid", "rate"] == pytest.approx(2e9 / 86400 / n_gpus)


def test_shopify_volumes_read_two_ways(case):
    page = case("shopify")
    read = conversations.readings(page)
    assert read[conversations.TOKENS] == pytest.approx(2e9 / 1366.1) and read[conversations.TURNS] == 2e8
    found = conversations.bottom_up(page)
    table, row = found.table, found["turns"]
    price = gpu_prices.price_range("h100-sxm-80gb", "on_demand", "2025-12-08")["typical"]
    # a fleet of whole replicas for the busiest hour, paid round the clock for 730 hours
    assert row.n_gpus % 4 == 0 and row.usd_per_month == pytest.approx(row.n_gpus * price * 730)
    served = pools.replica(page)["requests_per_s"]
    assert row.utilisation == pytest.approx(2e8 / 86400 / served / (row.n_gpus / 4))
    assert row.usd_per_mtok == pytest.approx(row.usd_per_month / (2e8 * 1366.1 * 365 / 12) * 1e6)
    owned = table[(table["hour"] == "owned") & (table["reading"] == conversations.TURNS)].iloc[0]
    assert owned["n_gpus"] == row.n_gpus and owned["usd_per_month"] < row.usd_per_month


def test_shopify_bill_at_the_reconciling_turn_is_the_own_cost(case):
    page = case("shopify")
    fits = monthly_bill.bill(page)["fits"]
    part = fits / (page.isl + page.osl)
    again = conversations.bottom_up(case("shopify", isl=page.isl * part, osl=page.osl * part))
    # between points of the curve, and whole requests in flight: within a few percent
    assert again["turns"].usd_per_month == pytest.approx(450_000, rel=0.05)


def test_shopify_sellers_of_the_day(case):
    ends = conversations.listed(case("shopify"))
    assert ends[0] < ends[1] < ends[2]
    assert conversations.listed(case("shopify", model="gpt-3-175b")) is None
    alone = conversations.price_levels(case("shopify", model="llama-2-7b", n_gpus=1, as_of="2024-06-01"))
    assert "API" in " ".join(alone.table["label"]) or "an API price" not in alone.sentence


def test_shopify_turns_are_what_reconciles(case):
    found = monthly_bill.reconcile(case("shopify"))
    table = found.table.set_index("parameter")
    factor = 450_000 / conversations.bottom_up(case("shopify"))["turns"].usd_per_month
    assert table.loc["turns of a conversation", "factor"] == pytest.approx(factor)
    assert table.loc["price of a GPU-hour", "factor"] == pytest.approx(factor)
    assert found["possible"] == [] and found.sentence.startswith("Within its known range, no single input")


def test_shopify_words_turn_with_the_numbers(case):
    cheap = conversations.price_levels(case("shopify", usd_per_month_after=45_000.0))
    assert "% of an API price" in cheap.sentence


def test_shopify_refuses_what_does_not_fit(case):
    with pytest.raises(ValueError, match=r"parameter 'n_gpus' is 1: .* does not fit"):
        conversations.bottom_up(case("shopify", n_gpus=1))
    with pytest.raises(ValueError, match=r"^parameter 'tpot_ms' is 1: "):
        conversations.bottom_up(case("shopify", tpot_ms=1.0))
    with pytest.raises(ValueError, match=r"parameter 'peak_to_mean' is 0\.5"):
        conversations.bottom_up(case("shopify", peak_to_mean=0.5))
    with pytest.raises(ValueError, match="parameter 'tokens_per_day' is 0"):
        conversations.turn(case("shopify", tokens_per_day=0.0))


def test_shopify_sensitivity_marks_what_cannot_be_kept(case):
    slow = monthly_bill.sensitivity(case("shopify", gpu="l40s-48gb", tpot_ms=100.0)).table.set_index("change")
    assert slow["own"].iloc[0] > 0 and slow.loc["25 ms a token at most (cannot be kept)", ["own", "fits"]].isna().all()

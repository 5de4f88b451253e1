"""Which prices of a GPU-hour are offers, and the day on which a typical one was asked."""

from types import SimpleNamespace

import pandas as pd
import pytest

from tokenecon import data, queries
from tokenecon.decision import options, portfolio, scenario
from tokenecon.errors import NoPrice
from tokenecon.prices import gpu_prices

H100, DAY = "h100-sxm-80gb", "2026-11-22"
COLUMNS = [field["name"] for field in data.schema("prices")]


@pytest.fixture
def asked(monkeypatch):
    """Put prices of one GPU in place of ours: (provider, USD an hour, day), and what else differs."""
    real = data._load

    def put(*rows):
        made = [{"id": f"p{place}", "gpu": H100, "provider": provider, "kind": "on_demand", "offer": str(place), "value": usd,
                 "unit": "USD/GPU/h", "as_of": day, "last_seen": day, "basis": "quoted", "source": "gpu-price-index"}
                | (other[0] if other else {}) for place, (provider, usd, day, *other) in enumerate(rows)]
        frame = pd.DataFrame(made, columns=COLUMNS).fillna(dict.fromkeys(("region", "offer", "note"), ""))
        monkeypatch.setattr(data, "_load", lambda name: frame if name == "prices" else real(name))
        queries.forget()
    yield put
    monkeypatch.undo()
    queries.forget()


def test_what_a_seller_asked_long_before_its_newest_quote_is_past(asked):
    # RunPod asked 2 in May and asks 4 under another name in October, 139 days later; Lambda was not seen again
    asked(("runpod", 2.0, "2026-05-24"), ("runpod", 4.0, "2026-10-10"), ("lambda", 3.0, "2026-05-24"))
    found = gpu_prices.offers(H100, "on_demand", DAY)
    assert dict(zip(found["provider"], found["value"], strict=True)) == {"runpod": 4.0, "lambda": 3.0}
    # of two quotes 90 days apart both stand: the second may be another size
    asked(("runpod", 2.0, "2026-07-12"), ("runpod", 4.0, "2026-10-10"))
    assert sorted(gpu_prices.offers(H100, "on_demand", DAY)["value"]) == [2.0, 4.0]
    # seen from August nothing of October is known
    assert gpu_prices.offers(H100, "on_demand", "2026-08-01")["value"].tolist() == [2.0]


def test_once_two_sellers_were_seen_anew_older_quotes_are_of_another_market(asked):
    asked(("runpod", 4.0, "2026-10-10"), ("nebius", 5.0, "2026-08-24"), ("lambda", 3.0, "2026-05-24"))
    assert set(gpu_prices.offers(H100, "on_demand", DAY)["provider"]) == {"runpod", "nebius"}  # 43 and 90 days
    asked(("runpod", 4.0, "2026-10-10"), ("nebius", 5.0, "2026-08-23"), ("lambda", 3.0, "2026-05-24"))
    assert len(gpu_prices.offers(H100, "on_demand", DAY)) == 3, "one alone is no market"
    asked(("aws", 4.0, "2026-10-10"), ("azure", 5.0, "2026-10-10"), ("lambda", 3.0, "2026-05-24"))
    assert len(gpu_prices.offers(H100, "on_demand", DAY)) == 3, "newer lists of hyperscalers say nothing of neoclouds"


@pytest.mark.parametrize(("gpu", "usd"), [
    (H100, 4.32), ("h200-sxm-141gb", 5.40), ("b200-sxm-180gb", 7.81), ("b300-sxm-288gb", 8.70), ("a100-sxm-80gb", 2.70),
    ("mi300x-192gb", 3.45)])
def test_the_typical_rent_is_near_an_index_of_those_days(gpu, usd):
    # GPU Price Index of 5 October 2026, medians over sellers; it counts marketplaces, too
    assert gpu_prices.price_range(gpu, "on_demand", "2026-10-10")["typical"] == pytest.approx(usd, rel=0.07)


def test_the_date_of_a_price_is_that_of_the_quote_that_sets_it(asked):
    asked(("aws", 7.0, "2026-11-01"), ("lambda", 3.0, "2026-05-24"), ("runpod", 2.0, "2026-10-10"))
    found = gpu_prices.price_range(H100, "on_demand", DAY)
    assert (found["typical"], found["as_of"], found["newest"], found["sellers"]) == (3.0, "2026-05-24", "2026-11-01", 3)
    # of four the middle two set it, and the older of them dates it
    asked(("aws", 7.0, "2026-11-01"), ("oracle", 3.0, "2026-09-01"), ("runpod", 2.0, "2026-10-10"), ("nebius", 4.0, "2026-10-11"))
    found = gpu_prices.price_range(H100, "on_demand", DAY)
    assert (found["typical"], found["as_of"]) == (3.5, "2026-09-01")
    # a price that still stands is as old as the day on which it was last seen, and never from after the day of the case
    asked(("aws", 7.0, "2025-01-01", {"last_seen": "2026-12-24"}))
    assert gpu_prices.price_range(H100, "on_demand", DAY)["as_of"] == DAY


def test_an_estimate_sets_no_price_and_is_shown_when_asked_for(asked):
    asked(("semianalysis-model", 1.0, "2026-11-01"), ("neocloud-market", 1.5, "2026-11-01"), ("lambda", 3.0, "2026-10-10"))
    assert gpu_prices.offers(H100, "on_demand", DAY)["provider"].tolist() == ["lambda"]
    assert len(gpu_prices.offers(H100, "on_demand", DAY, estimates=True)) == 3
    asked(("semianalysis-model", 1.0, "2026-11-01"))
    with pytest.raises(NoPrice, match=r"only estimates are known, which nobody can be paid; .*add a row"):
        gpu_prices.price_range(H100, "on_demand", DAY)


def test_no_chooser_buys_an_estimate():
    nobody = {row["id"] for row in data.rows("providers", {"kind": gpu_prices.ESTIMATES}).to_dict("records")}
    assert {"semianalysis-model", "neocloud-market"} <= nobody
    terms = {"availability": 0.9, "interruptions": 0.05, "restart": 0.1, "lost": 0.1, "limit": 8}
    for gpu in (H100, "b200-sxm-180gb"):
        assert not nobody & set(portfolio.market(gpu, DAY, **terms)["provider"]), "an estimate is no provider of a mix"
    for name in scenario.names():
        case = scenario.load(name)
        table = options.offers(case).table
        assert "rental_3y" not in set(options.feasible(table)["kind"])
        refused = table[(table["kind"] == "rental_3y")]
        assert refused["reason"].str.contains("only estimates are known").any(), "the estimate is named, and why it is left out"


def test_who_is_a_marketplace_asks_prices_of_a_marketplace():
    prices, who = data.table("prices"), data.table("providers").set_index("id")["kind"]
    passed_on = prices[(prices["provider"].map(who) == "marketplace") & (prices["kind"] == "on_demand")]
    assert passed_on["id"].tolist() == []
    terms = {"availability": 0.9, "interruptions": 0.05, "restart": 0.1, "lost": 0.1, "limit": 8}
    assert "vast-ai" not in set(portfolio.market(H100, DAY, **terms)["provider"])
    assert "vast-ai" in set(portfolio.market(H100, DAY, sellers="marketplace", **terms)["provider"])


def test_rents_of_the_hour_turned():
    # the typical on-demand offer of an H100 came down by May 2026 and went up to October
    typical = [gpu_prices.price_range(H100, "on_demand", day)["typical"] for day in ("2024-03-01", "2026-05-30", "2026-10-10")]
    assert typical[0] > typical[1] < typical[2]


@pytest.mark.parametrize(("found", "said", "aged"), [
    # 11 sellers, all of 24 May; 22 November is 182 days later
    ({"sellers": 11, "as_of": "2026-05-24", "newest": "2026-05-24"},
     "median of 11 sellers, set by a quote 182 days old, newest 182", " (182 days old)"),
    ({"sellers": 13, "as_of": "2026-10-10", "newest": "2026-11-21"}, "median of 13 sellers, newest 1 day old", ""),
    ({"sellers": 2, "as_of": "2026-08-24", "newest": "2026-10-10"}, "median of 2 sellers, newest 43 days old", ""),
    ({"sellers": 1, "as_of": "2026-08-23", "newest": "2026-08-23"}, "1 seller, 91 days old", " (91 days old)"),
    ({"sellers": 1, "as_of": "2026-11-22", "newest": "2026-11-22", "estimates": True},
     "an estimate and no offer, of the day", ""),
    ({"sellers": 0, "as_of": DAY, "newest": DAY}, "as the page states", ""),
])
def test_a_price_says_its_count_and_its_age(found, said, aged):
    found = {"typical": 2.99, "date": DAY} | found
    assert gpu_prices.said(found) == f"$2.99, {said}"
    assert gpu_prices.aged(found) == aged


def test_a_note_says_how_old_the_prices_of_its_page_are():
    page = SimpleNamespace(gpu=H100, as_of=DAY, usd_per_gpu_hour=None)
    assert gpu_prices.known(page) == "known on 2026-11-22 (median of 14 sellers, newest 43 days old)"
    assert gpu_prices.known(SimpleNamespace(gpus=["gb200", H100], as_of=DAY)) == (
        "known on 2026-11-22 (set by quotes over 90 days old: GB200 NVL72)")
    page.usd_per_gpu_hour = 2.5
    assert gpu_prices.known(page) == "as the page states ($2.5 a GPU-hour)"


def test_what_is_paid_in_advance_costs_interest(asked):
    # half of a year in advance at 10%, continuously: 0.5 + 0.5 * 0.1/(1 - e**-0.1) = 0.5 + 0.5 * 1.050833 = 1.025417
    terms = {"kind": "committed_1y", "term_months": 12}
    asked(("lambda", 2.0, "2026-10-10", terms | {"prepaid_share": 0.5}), ("nebius", 2.04, "2026-10-10", terms),
          ("runpod", 9.0, "2026-10-10", terms | {"term_months": float("nan")}))
    plain, paid = (gpu_prices.price_range(H100, "committed_1y", DAY, rule="best", discount_per_year=rate) for rate in (0.0, 0.1))
    assert (plain["typical"], plain["setting"], plain["prepaid_share"]) == (2.0, ["Lambda"], 0.5)
    assert gpu_prices.whose(plain) == "Lambda: cheapest of 3 sellers, 43 days old, 50% paid in advance"
    # 2.00 of which half is early is 2.0508, so that 2.04 as it comes is cheaper
    assert (paid["typical"], paid["setting"], paid["term_months"]) == (2.04, ["Nebius"], 12.0)
    rows = gpu_prices.levelled(gpu_prices.offers(H100, "committed_1y", DAY), 0.1).set_index("provider")
    assert rows["value"].tolist() == pytest.approx([2 * 1.025417, 2.04, 9.0], rel=1e-6)
    assert rows["asked"].tolist() == [2.0, 2.04, 9.0]
    assert rows.loc["runpod", "term_months"] == 12, "a blank term is that of the kind"


def test_an_hour_on_demand_has_no_term_and_nothing_is_paid_in_advance(asked):
    asked(("lambda", 2.0, "2026-10-10"), ("nebius", 3.0, "2026-10-10"))
    found = gpu_prices.price_range(H100, "on_demand", DAY, discount_per_year=0.1)
    assert (found["typical"], found["term_months"], found["prepaid_share"]) == (2.5, 0.0, 0.0)


def test_our_own_guess_is_an_estimate_and_a_readers_is_a_price(asked, monkeypatch):
    bought = {"kind": "purchase", "unit": "USD/GPU"}
    asked(("market", 20_000.0, "2026-06-30", bought | {"basis": "assumed"}), ("market", 30_000.0, "2025-02-28", bought))
    assert gpu_prices.offers(H100, "purchase", DAY)["value"].tolist() == [30_000.0], "an old listing goes before a guess"
    monkeypatch.setattr(data, "own", lambda table: {"p0"})
    queries.forget()
    assert gpu_prices.offers(H100, "purchase", DAY)["value"].tolist() == [20_000.0]

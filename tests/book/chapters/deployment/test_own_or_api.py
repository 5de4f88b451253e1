"""Owned machines, machines rented by the hour, or an API: the bills and break-evens are those of the decision."""

from types import SimpleNamespace

import numpy as np
import pytest

from tokenecon import data
from tokenecon.decision import break_even, options
from tokenecon.errors import BadInput, NothingServes
from tokenecon.prices import gpu_prices, price_book
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.deployment import deployment, own_or_api, serverless
from tokenecon_book.documents import base


@pytest.fixture
def case():
    return lambda **change: SimpleNamespace(**(notebooks.defaults("deployment") | change))


@pytest.fixture(scope="module")
def found():
    page = SimpleNamespace(**notebooks.defaults("deployment"))
    scene = base.of(page, gpus=[page.gpu])
    offered = options.offers(scene)
    return SimpleNamespace(page=page, scene=scene, offered=offered, table=offered.table.set_index("kind"),
                           crossings=break_even.against_api(scene, offered).table.set_index("kind"))


def test_the_bills_are_those_of_the_decision(found):
    bills = own_or_api.bills(found.page).table.set_index("way")
    for kind, way in own_or_api.ways(found.page).items():
        assert bills.loc[way, "usd_per_day"] == pytest.approx(found.table.loc[kind, "usd_per_month"] * 12 / 365)
        assert bills.loc[way, "usd_per_mtok"] == found.table.loc[kind, "usd_per_mtok"]
    # 477,800 requests of 1,366.1 tokens are 652.7 million a day
    api = price_book.token_prices("llama-3.3-70b", "2026-11-28").groupby("provider")[["usd_per_mtok_in", "usd_per_mtok_out"]]
    mixed = sorted((1155 * row.usd_per_mtok_in + 211.1 * row.usd_per_mtok_out) / 1366.1 for row in api.median().itertuples())
    middle = mixed[(len(mixed) - 1) // 2]
    assert base.api(found.page)["blend"][1] == pytest.approx(middle)
    assert bills.loc["API: cheapest seller", "usd_per_day"] < bills.loc["API: median seller", "usd_per_day"]
    assert bills["usd_per_day_low"].fillna(0).le(bills["usd_per_day"]).all()


def test_machine_hours_are_the_bill_without_tools_and_staff(found):
    row = base.bill(found.page)
    # every paid replica of two GPUs at the price of an hour, 24 hours
    assert base.machines_usd_per_day(row) == pytest.approx(24 * 2 * row["replicas"] * row["usd_per_gpu_hour"])
    assert base.machines_usd_per_day(row) <= base.usd_per_day(row)


def test_the_break_even_is_that_of_the_decision_and_machines_cost_no_more_above_it(found):
    drawn = own_or_api.volume(found.page)
    sold = found.table.reset_index().set_index("kind", drop=False).loc["api"]
    for kind in ("own", "on_demand"):
        at = found.crossings.loc[kind, "requests_per_day"]
        assert drawn["break_even"][kind] == at
        if at < float("inf"):
            row = found.table.reset_index().set_index("kind", drop=False).loc[kind]
            volumes = np.linspace(1.001 * at, 20 * at, 400)
            # just above a volume that fills the replicas, one more is hardly used
            assert (break_even.cost_at(found.scene, row, volumes) <= 1.05 * break_even.cost_at(found.scene, sold, volumes)).all()
            assert f"above about {float(f'{at:.2g}'):,.0f}" in drawn.sentence
        else:
            assert "at no volume" in drawn.sentence.lower()


def test_the_answer_says_from_where_owning_pays_or_what_it_costs(case):
    steady = case(profile="flat", ops_overhead=0.0)
    at = base.break_even_rows(steady)["own"]["requests_per_day"]
    best = base.break_even_rows(case(profile="flat", ops_overhead=0.0, price_rule="best"))["own"]["requests_per_day"]
    end = "from no volume on." if best == float("inf") else f"from about {float(f'{best:.2g}'):,.0f} requests a day on."
    answer = deployment.headline(steady)
    assert answer.sentence.endswith(
        f"owned H100 SXM beat the median API above about {float(f'{at:.2g}'):,.0f} requests a day.")
    assert answer.note.endswith(f"beat the cheapest API, at the cheapest prices, {end}")
    dear = case(ops_overhead=50.0)
    held = base.offers_by_kind(dear)
    ratio = held["own"]["usd_per_month"] / held["api"]["usd_per_month"]
    assert deployment.headline(dear).sentence.endswith(f"with staff, cost {ratio:.1f} times the median API.")
    assert own_or_api.volume(dear).sentence == (
        "At no volume do owned or rented H100 SXM beat the median API")
    assert own_or_api.over_api(dear) == pytest.approx(ratio)
    assert "the cheapest API" in deployment.headline(case(price_rule="best")).sentence


def test_the_documents_price_and_the_cheapest_seller_are_drawn_beside(case, found):
    table = own_or_api.volume(found.page).table.set_index("choice")
    assert table.loc[own_or_api.PRINTED, "usd_per_mtok"].tolist() == pytest.approx([8.0, 8.0])  # 0.008 USD for a thousand
    best = base.offers_by_kind(case(price_rule="best"))["api"]
    drawn = table.loc[own_or_api.CHEAPEST]
    assert drawn["usd_per_mtok"].to_numpy() == pytest.approx(
        break_even.cost_at(found.scene, best, drawn["requests_per_day"].to_numpy()))
    bills = own_or_api.bills(found.page).table.set_index("way")
    assert bills.loc[own_or_api.CHEAPEST, "usd_per_mtok"] == best["usd_per_mtok"]


def test_the_cost_over_volume_has_the_sources_of_the_rows_it_reads(found):
    day = found.page.as_of
    rows = [data.model("llama-3.3-70b"),
            *(data.row("prices", one) for one in gpu_prices.price_range("h100-sxm-80gb", "on_demand", day)["rows"]),
            *(data.row("api_prices", one) for one in price_book.token_price("llama-3.3-70b", day)["rows"])]
    assert {"doc-uk", "nvidia-h100-datasheet", *(row["source"] for row in rows)} <= set(own_or_api.volume(found.page).sources)


def test_a_model_without_an_api_price_has_no_market_line(case):
    page = case(model="gpt-j-6b", isl=1000, n_gpus=1, weights="fp16", kv="fp16")  # of its 2048 positions
    drawn = own_or_api.volume(page)
    assert base.api(page) is None and set(drawn.table["choice"]) == {*own_or_api.WAYS.values(), own_or_api.PRINTED}
    assert drawn.sentence.startswith("No API price of GPT-J 6B is known")
    assert "no API price of GPT-J 6B" in deployment.headline(page).sentence
    assert "API" not in set(serverless.offers(page).table["offer"]) and own_or_api.over_api(page) is None


def test_no_volume_and_a_gpu_that_nobody_lets_are_refused(case):
    with pytest.raises(BadInput, match=r"parameter 'requests_per_day' is 0\.0, but must be a number above 0"):
        own_or_api.volume(case(requests_per_day=0.0))
    with pytest.raises(NothingServes, match=r"Gaudi 3 .*cannot be rented on demand for this case: no on_demand price"):
        base.line(case(gpu="gaudi3-128gb"))

"""The hardware chapter: the base case on each accelerator, splitting, ownership, a CPU for a small model."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.errors import NoPrice
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import instances, operating_point, textbook
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.hardware import hardware, own_or_rent
from tokenecon_book.documents import base

DEFAULTS = notebooks.defaults("hardware") | {"gpus": ["h100-sxm-80gb", "h200-sxm-141gb", "mi300x-192gb", "gaudi3-128gb"]}


def case(**change):
    return SimpleNamespace(**(DEFAULTS | change))


def cost(**change):
    """The finding of the page and its table of all accelerators."""
    one = case(**change)
    whole = hardware.comparison(one)
    return hardware.cost(one, whole), whole


@pytest.fixture(scope="module")
def found():
    return cost()[0]


def test_the_h100_is_that_of_the_base_case(found):
    """Its hour, busy share, requests in flight and cost are those of every other page."""
    row = found.table.set_index("gpu").loc["h100-sxm-80gb"]
    page = SimpleNamespace(**notebooks.defaults("economics"))
    full = base.completed(page)
    assert (row["n_gpus"], row["concurrency"], row["utilisation"], row["usd_per_gpu_hour"]) == (
        page.n_gpus, full.batch, full.utilisation, full.usd_per_gpu_hour)
    point = operating_point.point(concurrency=full.batch, **{name: getattr(full, name) for name in (
        "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "usd_per_gpu_hour", "utilisation")})
    for name in ("usd_per_mtok", "usd_per_mtok_low", "usd_per_mtok_high", "usd_per_mtok_out", "tpot_ms", "ttft_ms"):
        assert row[name] == pytest.approx(point[name], rel=1e-9), name


def test_cost_is_the_hour_over_what_it_makes(found):
    row = found.table.iloc[0]
    where = {name: getattr(case(), name) for name in ("model", "weights", "kv", "isl", "osl")}
    point = operating_point.point(**where, gpu=row.gpu, n_gpus=int(row.n_gpus), concurrency=int(row.concurrency),
                                  usd_per_gpu_hour=1.0, utilisation=1.0)
    # of 1,366.1 tokens of a request 211.1 come out; of each paid hour the busy share works
    tokens_an_hour = point["output_tok_s"] * 1366.1 / 211.1 * 3600 * row.utilisation
    assert row.usd_per_mtok == pytest.approx(row.n_gpus * row.usd_per_gpu_hour / tokens_an_hour * 1e6)
    # the least busy second that the limits allow: one more request would miss one of them
    more = operating_point.point(**where, gpu=row.gpu, n_gpus=int(row.n_gpus), concurrency=int(row.concurrency) + 1,
                                 usd_per_gpu_hour=1.0, utilisation=1.0)
    assert point["tpot_ms"] <= 50 and point["ttft_ms"] <= 2000 and (more["tpot_ms"] > 50 or more["ttft_ms"] > 2000)


def test_the_cheapest_comes_first_and_the_next_overlaps_or_not(found):
    table = found.table
    assert table["usd_per_mtok"].is_monotonic_increasing
    for low, high in (("usd_per_mtok_low", "usd_per_mtok"), ("usd_per_mtok", "usd_per_mtok_high")):
        assert (table[low] < table[high]).all()
    first, second = table.iloc[0], table.iloc[1]
    overlaps = second["usd_per_mtok_low"] <= first["usd_per_mtok_high"]
    begin = (f"Over all tokens and at median on-demand rents, {first['name']} serves Llama 3.3 70B cheapest, at "
             f"${first.usd_per_mtok:.3f} a million; ")
    assert found.sentence == begin + (f"{second['name']} may cost as little." if overlaps else "no other may cost as little.")
    alone = cost(gpus=["h100-sxm-80gb"])[0].sentence
    assert alone.endswith(" a million.") and "cheapest" not in alone
    for change, rents in (({"price_kind": "own"}, "on owned machines"), ({"price_kind": "spot"}, "at median spot rents"),
                          ({"price_kind": "reserved_3m"}, "at median rents reserved for three months"),
                          ({"usd_per_gpu_hour": 3.0}, "at $3.00 an hour")):
        assert cost(**change)[0].sentence.startswith(f"Over all tokens and {rents}, ")


def test_an_accelerator_without_a_price_stays_in_the_table_with_the_reason():
    table = cost()[1].table.set_index("gpu")
    assert "no on_demand price of gaudi3-128gb" in table.loc["gaudi3-128gb", "reason"]
    assert table.loc["gaudi3-128gb", "usd_per_mtok"] != table.loc["gaudi3-128gb", "usd_per_mtok"]
    assert len(table) == 4


def test_of_all_accelerators_each_has_a_cost_or_a_reason():
    every = case(gpus=list(data.ids("gpus")))
    table = hardware.comparison(every).table
    assert set(table["gpu"]) == set(every.gpus)
    assert (table["usd_per_mtok"].isna() == (table["reason"] != "")).all()
    value = hardware.value_for_watt_and_dollar(every).table
    assert set(value["gpu"]) == set(every.gpus) and (value["mb_per_s_per_usd"].isna() == (value["reason"] != "")).all()
    split = hardware.splitting(every)
    drawn = split.table.dropna(subset=["cost_ratio"])
    assert drawn["gpu"].nunique() <= hardware.MOST_SPLIT and f"The first {hardware.MOST_SPLIT} of " in split.note
    assert set(split.table["gpu"]) == set(every.gpus)
    assert (split.table["cost_ratio"].isna() == (split.table["reason"] != "")).all()


def test_no_price_at_all_is_one_sentence():
    words = "none of gaudi3-128gb can be rented on demand on 2026-11-28: no on_demand price"
    with pytest.raises(ValueError, match=words) as caught:
        cost(gpus=["gaudi3-128gb"])
    assert len(str(caught.value).splitlines()) == 1


def test_sections_that_know_nothing_of_an_accelerator_say_why_and_the_page_goes_on():
    """Of the MI355X nobody prints what it is bought for; a CPU server has no link."""
    alone = case(gpus=["mi355x-288gb"])
    assert "no purchase price" in hardware.value_for_watt_and_dollar(alone).table["reason"].iloc[0]
    bill = own_or_rent.rent_or_buy(alone)
    assert "no purchase price" in bill.table["reason"].iloc[0] and not bill["drawn"]
    assert not own_or_rent.rent_or_buy_long(bill)["drawn"]
    single = hardware.splitting(case(gpus=["graviton4-192vcpu"]))
    assert single.table["reason"].tolist() == ["is not linked to others"] and not single["drawn"]
    assert single.sentence == "On these accelerators nothing is split over two GPUs"


def test_an_owned_hour_makes_a_token_at_the_owned_price():
    row = cost(price_kind="own", gpus=["h100-sxm-80gb"])[0].table.iloc[0]
    page = SimpleNamespace(**notebooks.defaults("economics"))
    assert row["usd_per_gpu_hour"] == pytest.approx(base.hour(page, "own")["typical"], rel=1e-12)
    assert row["utilisation"] == base.bill(page, "own")["utilisation"]


def test_the_largest_batch_by_the_textbook_keeps_to_the_limit_and_one_more_request_would_not():
    where = {"model": "llama-3.2-1b", "gpu": "l4", "n_gpus": 1, "weights": "int8", "kv": "fp8", "isl": 1155, "osl": 211}
    batch = instances.largest_batch(tpot_ms=20.0, **where)
    steps = [textbook.point(**where, concurrency=size, usd_per_gpu_hour=1.0, utilisation=1.0) for size in (batch, batch + 1)]
    assert batch > 1 and steps[0]["tpot_ms"] <= 20 and (steps[1]["tpot_ms"] > 20 or not steps[1]["fits"])


def test_splitting_over_one_gpu_costs_nothing_and_more_gpus_more():
    table = hardware.splitting(case()).table
    for _, rows in table.dropna(subset=["cost_ratio"]).groupby("gpu"):
        for name in ("cost_ratio", "textbook_cost_ratio"):
            assert rows["n_gpus"].iloc[0] > 1 or rows[name].iloc[0] == 1
            assert rows[name].is_monotonic_increasing


def test_splitting_two_h100_by_hand():
    # Step of two H100: half of (FP8 weights + 32 * 1260.55 * 163,840 B) over 3.35 TB/s at MBU 0.8, and 1 ms fixed.
    # Ring of two: 32 * 8192 * 2 B over 450 GB/s and two hops of 1.5 us, 160 times.
    weights = textbook.weights_read("llama-3.3-70b", "fp8", 32)
    local = (weights + 32 * (1155 + 211.1 / 2) * 163_840) / (2 * 3.35e12 * 0.8) + 1e-3
    ring = 160 * (32 * 8192 * 2 / 450e9 + 2 * 1.5e-6)
    table = hardware.splitting(case()).table.set_index(["gpu", "n_gpus"])
    assert table.loc[("h100-sxm-80gb", 2), "textbook_cost_ratio"] == pytest.approx(1 + ring / local)


def test_calibrated_splitting_is_the_step_over_the_step_without_links():
    parts = operating_point.step_parts(model="llama-3.3-70b", gpu="h100-sxm-80gb", n_gpus=2, weights="fp8", kv="fp8", isl=1155,
                                       osl=211.1, concurrency=32, usd_per_gpu_hour=2.0, utilisation=1.0)
    step = parts["all"] - parts["waiting"]
    table = hardware.splitting(case()).table.set_index(["gpu", "n_gpus"])
    assert table.loc[("h100-sxm-80gb", 2), "cost_ratio"] == pytest.approx(step / (step - parts["links"]))


def test_the_owned_hour_is_that_of_the_decision_on_it():
    table = own_or_rent.rent_or_buy(case()).table.set_index("gpu")
    offered = base.offered(case(), table.index, "own").set_index("gpu")
    assert "no on_demand price" in table.loc["gaudi3-128gb", "reason"]  # an owned hour alone is no comparison
    for gpu, row in table[table["reason"] == ""].iterrows():
        assert row.owned_usd_per_gpu_hour == pytest.approx(offered.loc[gpu, "usd_per_gpu_hour"], rel=1e-12)
        assert row.owned_usd_per_gpu_hour_low < row.owned_usd_per_gpu_hour < row.owned_usd_per_gpu_hour_high
        assert row.owned_usd_per_gpu_hour == pytest.approx(sum(row[f"{part}_usd_per_gpu_hour"] for part in own_or_rent.PARTS))


def test_buying_pays_when_the_rent_saved_is_the_price_of_server_and_network():
    row = own_or_rent.rent_or_buy(case()).table.set_index("gpu").loc["h100-sxm-80gb"]
    # ((price + parts)/(1 - margin) + network) / (rent - upkeep - staff - space - power)
    price = owned_hour.bought("h100-sxm-80gb", "2026-11-28")["typical"]
    server = (price + data.value("finance.server_parts")) / (1 - data.value("finance.server_margin"))
    operating = row.upkeep_usd_per_gpu_hour + row.space_usd_per_gpu_hour + row.power_usd_per_gpu_hour
    assert row.break_even_hours == pytest.approx(
        (server + data.value("finance.network")) / (row.rent_usd_per_gpu_hour - operating))
    assert row.break_even_share == pytest.approx(row.break_even_hours / (3 * 8760))


def test_bandwidth_for_a_watt_is_the_datasheet():
    table = hardware.value_for_watt_and_dollar(case()).table.set_index("gpu")
    assert table.loc["h100-sxm-80gb", "gb_per_s_per_watt"] == pytest.approx(3350 / 700)
    h100 = table.loc["h100-sxm-80gb"]
    assert h100["mb_per_s_per_usd_low"] == pytest.approx(3.35e6 / h100["usd_per_gpu_high"])


def test_a_share_of_a_cpu_costs_and_makes_its_share():
    table = own_or_rent.cpu_or_gpu(case()).table
    rent = gpu_prices.price_range("graviton4-192vcpu", "on_demand", "2026-11-28", max_age_days=hardware.CPU_PRICE_MAX_AGE_DAYS)
    first = table[table["machine"].str.startswith("Graviton4")].iloc[0]
    # one token a second on the smallest machine: its hourly price over 3600 tokens
    assert first.load_tok_out_per_s == 1
    assert first.usd_per_mtok_out == pytest.approx(0.0417 * rent["typical"] / 3600 * 1e6)


@pytest.mark.parametrize("change", [
    {"price_kind": "spot", "model": "llama-3.1-8b", "weights": "int4"},
    {"as_of": "2025-06-01", "gpus": ["h100-sxm-80gb"]},
    {"usd_per_gpu_hour": 3.0, "years": 5},
])
def test_findings_hold_for_other_parameters(change):
    for function in (lambda one: hardware.cost(one, hardware.comparison(one)), hardware.fits, hardware.splitting, hardware.line,
                     hardware.value_for_watt_and_dollar, own_or_rent.rent_or_buy, own_or_rent.cpu_or_gpu):
        try:
            found = function(case(**change))
        except (ValueError, NoPrice) as reason:
            assert len(str(reason).splitlines()) == 1
            continue
        assert len(found) and "nan" not in found.sentence
        assert all(source["title"] for source in found.cited)


def test_a_value_that_the_scenario_does_not_allow_is_refused_by_the_parameters_name():
    with pytest.raises(ValueError, match="parameter 'years' is 0, but must be a whole number of years from 1 to 15"):
        hardware.comparison(case(years=0))


def test_a_result_cites_the_datasheets_the_offers_and_the_documents_that_it_read():
    one = case(gpus=["h100-sxm-80gb"])
    sheet = set(data.rows("gpus", {"gpu": "h100-sxm-80gb", "field": ["bandwidth", "engine_memory"]})["source"])
    offers = gpu_prices.price_range("h100-sxm-80gb", "on_demand", one.as_of)["rows"]
    asked = set(data.rows("prices", {"id": offers})["source"])
    model = data.model(one.model)["source"]
    assert sheet | asked | {model} <= set(hardware.cost(one, hardware.comparison(one)).sources)
    assert sheet | {model, "doc-uk"} <= set(hardware.splitting(one).sources)
    assert asked <= set(own_or_rent.rent_or_buy_long(own_or_rent.rent_or_buy(one)).sources)
    assert data.model(one.small_model)["source"] in own_or_rent.cpu_or_gpu(one).sources
    other = set(data.rows("gpus", {"gpu": "l40s-48gb", "field": "engine_memory"})["source"]) - sheet
    assert other and not other & set(hardware.fits(one).sources)  # of the accelerators that are shown, and no others


def test_the_documents_gaudi_is_the_card_and_the_competitor_the_module():
    sentence = hardware.claimed_power().sentence
    assert "600 W against 700 W" in sentence and sentence.endswith("draws 900 W.")  # HL-338, H100 SXM, HL-325L

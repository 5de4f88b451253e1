"""The hardware chapter: instances, prices of a date, splitting, ownership, a CPU for a small model."""

from types import SimpleNamespace

import pandas as pd
import pytest

from tokenecon import data
from tokenecon.errors import NoPrice
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import instances, operating_point, textbook
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.hardware import hardware, own_or_rent

DEFAULTS = notebooks.defaults("hardware") | {"gpus": ["h100-sxm-80gb", "h200-sxm-141gb", "mi300x-192gb", "gaudi3-128gb"]}


def case(**change):
    return SimpleNamespace(**(DEFAULTS | change))


def test_a_calibrated_instance_keeps_to_the_latency_limit_and_one_more_request_would_not():
    n_gpus = ("h100-sxm-80gb", "mi300x-192gb")
    found = instances.calibrated_choice(n_gpus, case(), dict.fromkeys(n_gpus, (1.0, 2.0, 3.0)))
    for row, reason in found.values():
        assert not reason and row["fits"] and row["tpot_ms"] <= 50
        where = {name: row[name] for name in ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "utilisation")}
        more = operating_point.point(**where, concurrency=row["concurrency"] + 1, usd_per_gpu_hour=2.0)
        assert more["tpot_ms"] > 50 or not more["fits"]
        for n_gpus in (1, 2, 4, 8):  # no other size is cheaper at a batch that keeps to the limit
            other = operating_point.points(pd.DataFrame([where | {"n_gpus": n_gpus, "concurrency": batch, "usd_per_gpu_hour": 2.0}
                                                         for batch in (1, 8, 32, 64, 128, 256)]))
            allowed = other[other["fits"] & (other["tpot_ms"] <= 50)]
            assert not len(allowed) or allowed["usd_per_mtok_out"].min() >= row["usd_per_mtok_out"] * 0.9999


def test_a_textbook_instance_keeps_to_the_latency_limit_and_one_more_request_would_not():
    row, reason = instances.textbook_choice("h100-sxm-80gb", case(), (1.0, 2.0, 3.0))
    assert not reason and row["fits"] and row["tpot_ms"] <= 50
    where = {name: row[name] for name in ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "utilisation")}
    more = textbook.point(**where, concurrency=row["concurrency"] + 1, usd_per_gpu_hour=1.0)
    assert more["tpot_ms"] > 50 or not more["fits"]


def test_an_instance_that_cannot_keep_the_limit_says_so():
    slow = case(tpot_ms=1.0, model="llama-3.1-8b")
    for row, reason in (instances.textbook_choice("l4", slow, 1.0), instances.calibrated_choice(["l4"], slow, {"l4": 1.0})["l4"]):
        assert row is None and "no instance of up to 8 makes a token in 1 ms" in reason


def test_a_model_too_large_for_a_server_says_how_many_it_needs():
    large = case(model="deepseek-v3")
    chosen = instances.calibrated_choice(["l4"], large, {"l4": 1.0})["l4"]
    for row, reason in (instances.textbook_choice("l4", large, 1.0), chosen):
        assert row is None and reason.startswith("needs ")


def test_an_accelerator_without_a_price_stays_in_the_table_with_the_reason():
    table = hardware.comparison(case()).table.set_index("gpu")
    assert "no on_demand price of gaudi3-128gb" in table.loc["gaudi3-128gb", "reason"]
    assert table.loc["gaudi3-128gb", "usd_per_mtok_out"] != table.loc["gaudi3-128gb", "usd_per_mtok_out"]
    assert len(table) == 4


def test_of_all_accelerators_each_has_a_cost_or_a_reason():
    every = case(gpus=list(data.ids("gpus")))
    table = hardware.comparison(every).table
    assert set(table["gpu"]) == set(every.gpus)
    assert (table["usd_per_mtok_out"].isna() == (table["reason"] != "")).all()
    value = hardware.value_for_watt_and_dollar(every)
    rated = {gpu for gpu in every.gpus if data.gpu(gpu)["board_power_w"] > 0} - set(value.table["gpu"])
    assert rated and all(data.gpu(gpu)["name"] in value.note for gpu in rated)
    split = hardware.splitting(every)
    assert split.table["gpu"].nunique() <= hardware.MOST_SPLIT and f"The first {hardware.MOST_SPLIT} of " in split.note


def test_no_price_at_all_is_one_sentence():
    with pytest.raises(ValueError, match="none of gaudi3-128gb has both a 'on_demand' price"):
        hardware.cost(case(gpus=["gaudi3-128gb"]))


def test_cost_follows_the_price_of_the_date():
    row = hardware.cost(case(gpus=["h100-sxm-80gb"])).table.iloc[0]
    price = gpu_prices.price_range("h100-sxm-80gb", "on_demand", "2026-11-28")
    # 2000 tokens in and 500 out a request: five tokens are paid for with each that comes out
    tokens_an_hour = row.output_tok_s * 5 * 3600 * 0.6
    assert row.usd_per_mtok == pytest.approx(row.n_gpus * price["typical"] / tokens_an_hour * 1e6)
    assert row.usd_per_mtok == pytest.approx((4 * row.usd_per_mtok_in + row.usd_per_mtok_out) / 5)


def test_the_figure_has_both_models_and_says_what_was_not_measured():
    found = hardware.cost(case(gpus=["h100-sxm-80gb", "b300-sxm-288gb"]))
    drawn = hardware.cost_by_model(found).table
    assert len(drawn) == 4 and drawn["label"].is_unique
    said = drawn.set_index(["gpu", "by"])
    assert ("h100-sxm-80gb", "calibrated") in said.index  # H100 in FP8 is among the measurements
    assert ("b300-sxm-288gb", "calibrated, nothing like it measured") in said.index
    assert (drawn["usd_per_mtok_out_low"] < drawn["usd_per_mtok_out"]).all()
    assert (drawn["usd_per_mtok_out"] < drawn["usd_per_mtok_out_high"]).all()
    first = found.table.iloc[0]
    assert f"at ${first.usd_per_mtok_out:.2f} a million output tokens" in found.sentence
    assert found.note.startswith(f"2 accelerators compared, by the textbook ${first.textbook_usd_per_mtok_out:.2f}")
    assert hardware.cost_by_model(found).sentence == found.sentence  # it titles the figure


def test_splitting_over_one_gpu_costs_nothing_and_more_gpus_more():
    table = hardware.splitting(case()).table
    for _, rows in table.groupby("gpu"):
        for name in ("cost_ratio", "textbook_cost_ratio"):
            assert rows["n_gpus"].iloc[0] > 1 or rows[name].iloc[0] == 1
            assert rows[name].is_monotonic_increasing


def test_splitting_two_h100_by_hand():
    # Step of two H100: half of (FP8 weights + 32 * 2250 * 327,680 B) over 3.35 TB/s at MBU 0.8, and 1 ms fixed.
    # Ring of two: 32 * 8192 * 2 B over 450 GB/s and two hops of 1.5 us, 160 times.
    weights = textbook.weights_read("llama-2-70b", "fp8", 32)
    local = (weights + 32 * 2250 * 327_680) / (2 * 3.35e12 * 0.8) + 1e-3
    ring = 160 * (32 * 8192 * 2 / 450e9 + 2 * 1.5e-6)
    table = hardware.splitting(case()).table.set_index(["gpu", "n_gpus"])
    assert table.loc[("h100-sxm-80gb", 2), "textbook_cost_ratio"] == pytest.approx(1 + ring / local)


def test_calibrated_splitting_is_the_step_over_the_step_without_links():
    parts = operating_point.step_parts(model="llama-2-70b", gpu="h100-sxm-80gb", n_gpus=2, weights="fp8", kv="fp16", isl=2000,
                                       osl=500, concurrency=32, usd_per_gpu_hour=2.0, utilisation=1.0)
    step = parts["all"] - parts["waiting"]
    table = hardware.splitting(case()).table.set_index(["gpu", "n_gpus"])
    assert table.loc[("h100-sxm-80gb", 2), "cost_ratio"] == pytest.approx(step / (step - parts["links"]))


def test_the_owned_hour_is_that_of_the_page_on_it():
    table = own_or_rent.rent_or_buy(case()).table.set_index("gpu")
    given = {"years": case().years, "discount_rate": case().discount_rate, "usd_per_kwh": case().power_usd_per_kwh}
    for gpu, row in table.iterrows():
        own = owned_hour.owned(gpu, as_of="2026-09-06", **given)
        assert row.owned_usd_per_gpu_hour == own["total"]
        assert own["likely_low"] < row.owned_usd_per_gpu_hour < own["likely_high"]
        assert row.owned_usd_per_gpu_hour == pytest.approx(sum(row[f"{part}_usd_per_gpu_hour"] for part in own_or_rent.PARTS))


def test_buying_pays_when_the_rent_saved_is_the_price_of_server_and_network():
    row = own_or_rent.rent_or_buy(case()).table.set_index("gpu").loc["h100-sxm-80gb"]
    # ((price + parts)/(1 - margin) + network) / (rent - upkeep - staff - space - power)
    price = owned_hour.bought("h100-sxm-80gb", "2026-09-06")["typical"]
    server = (price + data.value("finance.server_parts")) / (1 - data.value("finance.server_margin"))
    operating = row.upkeep_usd_per_gpu_hour + row.space_usd_per_gpu_hour + row.power_usd_per_gpu_hour
    assert row.break_even_hours == pytest.approx(
        (server + data.value("finance.network")) / (row.rent_usd_per_gpu_hour - operating))


def test_bandwidth_for_a_watt_is_the_datasheet():
    table = hardware.value_for_watt_and_dollar(case()).table.set_index("gpu")
    assert table.loc["h100-sxm-80gb", "gb_per_s_per_watt"] == pytest.approx(3350 / 700)
    assert table.loc["h100-sxm-80gb", "mb_per_s_per_usd_low"] == pytest.approx(3.35e6 / table.loc["h100-sxm-80gb", "usd_high"])


def test_a_share_of_a_cpu_costs_and_makes_its_share():
    table = own_or_rent.cpu_or_gpu(case()).table
    rent = gpu_prices.price_range("graviton4-192vcpu", "on_demand", "2026-09-06", max_age_days=hardware.CPU_PRICE_MAX_AGE_DAYS)
    first = table[table["machine"].str.startswith("Graviton4")].iloc[0]
    # one token a second on the smallest machine: its hourly price over 3600 tokens
    assert first.load_tok_out_per_s == 1
    assert first.usd_per_mtok_out == pytest.approx(0.0417 * rent["typical"] / 3600 * 1e6)


@pytest.mark.parametrize("change", [
    {},
    {"price_kind": "rental_3y", "model": "llama-3.1-8b", "weights": "int4"},
    {"as_of": "2025-06-01", "gpus": ["h100-sxm-80gb"]},
])
def test_findings_hold_for_other_parameters(change):
    for function in (hardware.cost, hardware.fits, hardware.splitting, hardware.value_for_watt_and_dollar,
                     own_or_rent.rent_or_buy, own_or_rent.cpu_or_gpu):
        try:
            found = function(case(**change))
        except (ValueError, NoPrice) as reason:
            assert len(str(reason).splitlines()) == 1
            continue
        assert len(found) and "nan" not in found.sentence
        assert all(source["title"] for source in found.cited)


def test_a_result_cites_the_datasheets_the_offers_and_the_documents_that_it_read():
    one = case(gpus=["h100-sxm-80gb"])
    sheet = set(data.rows("gpus", {"gpu": "h100-sxm-80gb", "field": ["bandwidth", "engine_memory"]})["source"])
    offers = gpu_prices.price_range("h100-sxm-80gb", "on_demand", one.as_of)["rows"]
    asked = set(data.rows("prices", {"id": offers})["source"])
    model = data.model(one.model)["source"]
    assert sheet | asked | {model} <= set(hardware.cost_by_model(hardware.cost(one)).sources)
    assert sheet | {model, "doc-uk"} <= set(hardware.splitting(one).sources)
    assert asked <= set(own_or_rent.rent_or_buy_long(one).sources)
    assert data.model(one.small_model)["source"] in own_or_rent.cpu_or_gpu(one).sources
    other = set(data.rows("gpus", {"gpu": "l40s-48gb", "field": "engine_memory"})["source"]) - sheet
    assert other and not other & set(hardware.fits(one).sources)  # of the accelerators that are shown, and no others


def test_the_documents_gaudi_is_the_card_and_the_competitor_the_module():
    sentence = hardware.claimed_power().sentence
    assert "600 W against 700 W" in sentence and sentence.endswith("draws 900 W.")  # HL-338, H100 SXM, HL-325L


def test_the_finding_counts_the_overlapping_ranges_in_good_english():
    assert hardware.cost(case(gpus=["h100-sxm-80gb"])).sentence.endswith(" a million output tokens.")
    two = hardware.cost(case(gpus=["h100-sxm-80gb", "h200-sxm-141gb"])).sentence
    assert two.endswith("; one other range overlaps it.")

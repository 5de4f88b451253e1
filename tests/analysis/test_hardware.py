"""The hardware chapter: instances, prices of a date, splitting, ownership, a CPU for a small model."""

from types import SimpleNamespace

import pytest

from tokenecon import data
from tokenecon.analysis import hardware, ownership, textbook

DEFAULTS = {
    "model": "llama-2-70b", "gpus": ["h100-sxm-80gb", "h200-sxm-141gb", "mi300x-192gb", "gaudi3-128gb"], "weights": "fp8",
    "kv": "fp16", "isl_tokens": 2000, "osl_tokens": 500, "tpot_ms": 50.0, "price_kind": "on_demand", "as_of": "2026-09-06",
    "utilisation": 0.6, "split_batch": 32, "power_usd_per_kwh": 0.1, "years": 4.0, "discount_rate": 0.1,
    "cpu": "graviton4-192vcpu", "cpu_share": 0.0417, "small_gpu": "l4", "cpu_tpot_ms": 200.0,
    "small_model": "llama-3.2-1b", "small_weights": "int8",
}  # fmt: skip


def case(**change):
    return SimpleNamespace(**(DEFAULTS | change))


def test_an_instance_keeps_to_the_latency_limit_and_one_more_request_would_not():
    row, reason = hardware.instance("h100-sxm-80gb", case(), (1.0, 2.0, 3.0))
    assert not reason and row["fits"] and row["step_ms"] <= 50
    where = {name: row[name] for name in ("model", "gpu", "gpus", "weights", "kv", "isl_tokens", "osl_tokens", "utilisation")}
    more = textbook.point(**where, batch=row["batch"] + 1, usd_per_gpu_hour=1.0)
    assert more["step_ms"] > 50 or not more["fits"]


def test_an_instance_that_cannot_keep_the_limit_says_so():
    row, reason = hardware.instance("l4", case(tpot_ms=1.0, model="llama-3.1-8b"), 1.0)
    assert row is None and "no instance of up to 8 makes a token in 1 ms" in reason


def test_a_model_too_large_for_a_server_says_how_many_it_needs():
    row, reason = hardware.instance("l4", case(model="deepseek-v3"), 1.0)
    assert row is None and reason.startswith("needs ")


def test_an_accelerator_without_a_price_stays_in_the_table_with_the_reason():
    table = hardware.comparison(case()).set_index("gpu")
    assert "no on_demand price of gaudi3-128gb" in table.loc["gaudi3-128gb", "reason"]
    assert table.loc["gaudi3-128gb", "usd_per_mtok_out"] != table.loc["gaudi3-128gb", "usd_per_mtok_out"]
    assert len(table) == 4


def test_no_price_at_all_is_one_sentence():
    with pytest.raises(ValueError, match="none of gaudi3-128gb has both a 'on_demand' price"):
        hardware.cost(case(gpus=["gaudi3-128gb"]))


def test_cost_follows_the_price_of_the_date():
    row = hardware.cost(case(gpus=["h100-sxm-80gb"])).iloc[0]
    price = data.price_range("h100-sxm-80gb", "on_demand", "2026-09-06")
    tokens_an_hour = row.tok_out_per_s * 3600 * 0.6
    assert row.usd_per_mtok_out == pytest.approx(row.gpus * price["typical"] / tokens_an_hour * 1e6)


def test_splitting_over_one_gpu_costs_nothing_and_more_gpus_more():
    table = hardware.splitting(case())
    for _, rows in table.groupby("gpu"):
        assert rows["cost_ratio"].iloc[0] == 1 and rows["cost_ratio"].is_monotonic_increasing


def test_splitting_two_h100_by_hand():
    # Step of two H100: half of (FP8 weights + 32 * 2250 * 327,680 B) over 3.35 TB/s at MBU 0.8, and 1 ms fixed.
    # Ring of two: 32 * 8192 * 2 B over 450 GB/s and two hops of 1.5 us, 160 times.
    weights = textbook.weights_read("llama-2-70b", "fp8", 32)
    local = (weights + 32 * 2250 * 327_680) / (2 * 3.35e12 * 0.8) + 1e-3
    ring = 160 * (32 * 8192 * 2 / 450e9 + 2 * 1.5e-6)
    table = hardware.splitting(case()).set_index(["gpu", "gpus"])
    assert table.loc[("h100-sxm-80gb", 2), "cost_ratio"] == pytest.approx(1 + ring / local)


def test_owned_hour_by_hand():
    # K 35,000 * 1.5 over 4 years at 10 %: CRF = 0.1 * 1.1^4/(1.1^4 - 1) = 0.31547; 3 % upkeep; 0.7 kW * 1.3 * 0.10 USD
    crf = 0.1 * 1.1**4 / (1.1**4 - 1)
    hour = ownership.owned(usd_per_gpu=35e3, watts_per_gpu=700, usd_per_kwh=0.10, years=4.0, discount_rate=0.1,
                           server_factor=1.5, upkeep=0.03, availability=1.0, pue=1.3)
    assert hour["capital"] == pytest.approx(52_500 * crf / 8760)
    assert hour["upkeep"] == pytest.approx(52_500 * 0.03 / 8760)
    assert hour["power"] == pytest.approx(0.7 * 1.3 * 0.10)
    assert hour["total"] == pytest.approx(2.161, abs=5e-4)
    assert hour["total"] == pytest.approx(sum(hour[part] for part in ownership.PARTS))


def test_buying_pays_sooner_when_rent_is_dearer():
    table = ownership.rent_or_buy(case()).set_index("gpu")
    # hours = K * s / (rent - upkeep - power)
    row = table.loc["h100-sxm-80gb"]
    bought = data.price_range("h100-sxm-80gb", "purchase", "2026-09-06", max_age_days=hardware.PURCHASE_MAX_AGE_DAYS)
    operating = row.upkeep_usd_per_gpu_hour + row.power_usd_per_gpu_hour
    assert row.break_even_hours == pytest.approx(
        bought["typical"] * data.value("finance.server_factor") / (row.rent_usd_per_gpu_hour - operating))


def test_bandwidth_for_a_watt_is_the_datasheet():
    table = hardware.value_for_watt_and_dollar(case()).set_index("gpu")
    assert table.loc["h100-sxm-80gb", "gb_per_s_per_watt"] == pytest.approx(3350 / 700)
    assert table.loc["h100-sxm-80gb", "mb_per_s_per_usd_low"] == pytest.approx(3.35e6 / table.loc["h100-sxm-80gb", "usd_high"])


def test_a_share_of_a_cpu_costs_and_makes_its_share():
    table = ownership.cpu_or_gpu(case())
    rent = data.price_range("graviton4-192vcpu", "on_demand", "2026-09-06", max_age_days=hardware.CPU_PRICE_MAX_AGE_DAYS)
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
                     ownership.rent_or_buy, ownership.cpu_or_gpu):
        try:
            table = function(case(**change))
        except (ValueError, data.NoPrice) as reason:
            assert len(str(reason).splitlines()) == 1
            continue
        assert len(table) and "nan" not in table.attrs["finding"]
        assert all(data.source(source)["title"] for source in table.attrs["sources"])

"""Load over the hours, what pools of it give, and the chapter's tables."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data, queries
from tokenecon.decision import options
from tokenecon.errors import NoEstimate, NoPrice, TooSlow, UnknownId
from tokenecon.fleet import planning, traffic
from tokenecon.formulas import queueing
from tokenecon.prices import gpu_prices
from tokenecon.serving import sizing
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.traffic import idle, load_cost, pooling_traces
from tokenecon_book.documents import base

# parameter of the notebook -> the row of data/assumptions.csv that its default repeats
ROWS = {
    "isl": "workload.isl_azure_conv", "osl": "workload.osl_azure_conv", "ttft_ms": "service.ttft", "tpot_ms": "service.tpot",
    "wait_probability": "service.wait_probability", "floor": "fleet.floor",
}  # fmt: skip


@pytest.fixture(scope="module")
def cells(root):
    return json.loads((root / "notebooks" / "traffic.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.fixture(scope="module")
def defaults():
    return notebooks.defaults("traffic")


@pytest.fixture(scope="module")
def case(defaults):
    return lambda **change: SimpleNamespace(**(defaults | change))


def test_the_defaults_are_those_of_the_data(defaults, cells):
    for name, row in ROWS.items():
        assert defaults[name] == pytest.approx(data.value(row)), f"{name} differs from {row} of data/assumptions.csv"
    assert defaults["start_minutes"] == data.value("spot.restart") * 60
    assert defaults["floor"] == options.KEPT
    choices = "|".join(traffic.NAMES)
    assert f"choice({choices})" in "".join("".join(cell["source"]) for cell in cells), "the choices are not traffic.NAMES"
    assert f"choice({'|'.join(planning.POLICIES)})" in "".join("".join(cell["source"]) for cell in cells)


# --- profiles ----------------------------------------------------------------------------------------


def test_the_names_are_the_hourly_traces_of_the_data():
    rows = data.table("traffic")
    assert set(traffic.HOURLY) == set(rows.loc[rows["step_min"] == 60, "trace"])
    assert set(traffic.LABELS) >= {*traffic.NAMES, *data.table("traces")["trace"]}


@pytest.mark.parametrize("name", traffic.NAMES)
def test_a_profile_has_mean_one_and_whole_days(name):
    with queries.recording() as asked:
        profile = traffic.profile(name)
    assert profile["ratio"].mean() == pytest.approx(1, abs=1e-12) and (profile["ratio"] >= 0).all()
    assert traffic.peak_to_mean(profile) == profile["ratio"].max()
    assert profile["hour"].tolist() == list(range(len(profile))) and len(profile) % 24 == 0
    assert traffic.note(name) and ("servegen-2025" in data.sources_of(asked)) == (name != "flat")


@pytest.mark.parametrize(("name", "peak"), [
    ("servegen-m-large", 1.8624), ("servegen-m-mid", 1.8285), ("servegen-m-small", 2.0627), ("servegen-deepseek-r1", 2.1938),
    ("servegen-mm-image", 1.3472),
])  # fmt: skip
def test_peaks_are_those_of_the_summary_of_the_traces(name, peak):
    # the facts were computed from rates of 10 minutes, the profile from those of an hour
    assert traffic.peak_to_mean(traffic.profile(name)) == pytest.approx(peak, rel=1e-3)
    assert traffic.fact(name, "peak_1h") == pytest.approx(peak, rel=1e-4)
    assert traffic.rates(name).mean() == pytest.approx(traffic.fact(name, "mean_rate"), rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(peak=st.floats(1.5, 23.5), weekend=st.floats(0.1, 1.2))
def test_a_smooth_profile_has_the_peak_asked_for(peak, weekend):
    for profile in (traffic.synthetic(peak), traffic.synthetic(peak, weekend)):
        assert profile["ratio"].max() == pytest.approx(peak, rel=1e-9)
        assert profile["ratio"].mean() == pytest.approx(1, abs=1e-12) and profile["ratio"].min() >= 0


def test_a_weekend_is_so_much_quieter():
    days = traffic.synthetic(2.0, 0.5)["ratio"].to_numpy().reshape(7, 24).sum(axis=1)
    assert days[5] / days[0] == pytest.approx(0.5) and days[6] / days[4] == pytest.approx(0.5)
    assert len(traffic.synthetic(2.0)) == 24 and (traffic.synthetic(1.0)["ratio"] == 1).all()


@pytest.mark.parametrize(("peak", "weekend", "message"), [
    (0.9, 1.0, "peak_to_mean is 0.9"), (24.0, 1.0, "peak_to_mean is 24"), (float("nan"), 1.0, "peak_to_mean is nan"),
    (2.0, -0.1, "weekend is -0.1"), (1.1, 0.0, "raise peak_to_mean"),
])  # fmt: skip
def test_impossible_profiles_are_refused(peak, weekend, message):
    with pytest.raises(ValueError, match=message):
        traffic.synthetic(peak, weekend)


def test_an_unknown_profile_trace_or_fact_is_refused_with_the_nearest():
    with pytest.raises(UnknownId, match="profile 'servegen-m-larg' is not known; use 'servegen-m-large'"):
        traffic.profile("servegen-m-larg")
    with pytest.raises(UnknownId, match="'mooncake-conversation'"):
        traffic.lengths("mooncake")
    with pytest.raises(UnknownId, match="use 'azure-2023-conv"):
        traffic.fact("azure-2023-conv", "peak_1h")


def test_the_readers_own_hours_become_a_profile():
    profile = traffic.from_requests(pd.DataFrame({"hour": [0, 1, 2], "requests_per_h": [0.0, 3600.0, 7200.0]}))
    assert profile["ratio"].tolist() == [0, 1, 2]
    found = planning.plan(profile, mean_requests_per_s=1.0, requests_per_s=2.0, concurrency=10, wait_probability=0.1,
                          policy="autoscale", start_h=0.0, floor=0)
    assert found["peak_to_mean"] == 2.0


def test_lengths_are_percentiles_of_both_sides():
    table = traffic.lengths("azure-2023-conv")
    assert set(table["side"]) == {"input", "output"} and len(table) == 202
    for _, part in table.groupby("side"):
        assert part["tokens"].is_monotonic_increasing and part["percentile"].tolist() == list(range(101))
    assert (table[table["side"] == "input"]["mean"] == 1155).all() and (table[table["side"] == "output"]["mean"] == 211.1).all()
    median = table[(table["side"] == "output") & (table["percentile"] == 50)]["tokens"].iloc[0]
    assert median == 129  # trace_summary of the same file


# --- pooling -------------------------------------------------------------------------------------------


def test_independent_clients_by_hand():
    # alone a quarter full: the peak is 4 times the mean, 3 above it; of nine, a third of that: 1/(1 + 1)
    assert pooling_traces.independent(9, 0.25) == pytest.approx(0.5)
    assert pooling_traces.independent(1, 0.25) == 0.25


def test_a_steady_load_is_erlangs():
    # 92.65% of 1,000 places at 1% waiting
    assert pooling_traces.steady(926.497, 0.01) == pytest.approx(0.926497, rel=1e-5)


def test_real_pools_gain_less_than_the_textbook_says(case):
    found = pooling_traces.clients(case())
    table = found.table
    by = table.pivot(index="clients", columns="kind", values="utilisation")
    assert by.loc[32, "large model"] == 0.2382 and by.loc[1, "middle model"] == 0.2977  # as published
    assert (by["large model"] <= by[pooling_traces.INDEPENDENT] + 1e-12).all()
    assert (by[pooling_traces.INDEPENDENT] < by[pooling_traces.CHANCE]).all()
    # where the textbook holds: 16 clients of the small model, 60%, beside 1/(1 + (1/0.303 - 1)/4) = 63% of independent ones
    assert by.loc[16, "small model"] == pytest.approx(pooling_traces.independent(16, 0.303), abs=0.05)
    assert {"servegen-2025", "nvidia-h100-datasheet"} <= set(found.sources)  # the clients, and how long a request takes


def test_minutes_are_burstier_than_poisson(case):
    found = pooling_traces.bursts(case())
    table, service_s = found.table.set_index("what"), sizing.of_page(case())["service_s"]
    assert {"azure-traces-2023", "servegen-2025"} <= set(found.sources)
    assert (table["dispersion"] > 10).all() and (table["peak"] > table["peak_poisson"]).all()
    assert table.loc["Azure conversation", "peak"] == 1.521
    # 58 whole minutes with 19,338 requests less those of the first and last
    rows = data.table("traffic")
    counts = rows[rows["trace"] == "azure-2023-conv"].sort_values("index")["requests_per_s"] * 60
    assert counts.sum() == pytest.approx(19366, abs=0.5)
    assert table.loc["Azure conversation", "requests_per_min"] == pytest.approx(counts.iloc[1:-1].mean())
    for _, row in table.iterrows():
        load = row["requests_per_min"] / 60 * service_s
        slots = load / row["busy_erlang"]
        assert queueing.erlang_c(servers=round(slots), offered_load=load) == pytest.approx(0.01, rel=0.3)  # whole places


def test_zones_move_a_day_but_not_its_weather():
    ratio = np.zeros(48)
    ratio[[0, 24]] = 24.0  # one busy hour on each of two days
    assert pooling_traces.shifted(ratio, 1).max() == 24.0
    assert pooling_traces.shifted(ratio, 2).max() == 12.0  # at hour 0 one zone, at hour 12 the other
    ratio[24], ratio[36] = 0.0, 24.0  # on the second day at another time: both zones meet
    assert pooling_traces.shifted(ratio, 2).max() == 24.0
    table = pooling_traces.zones().table
    by = table.pivot(index="zones", columns="kind", values="utilisation")
    assert by.loc[24, "smooth day"] == pytest.approx(1.0) and by.loc[24, "large model"] < 0.7


def test_services_together_need_no_more_than_apart():
    table = pooling_traces.services().table.set_index("what")
    assert table.loc["three fleets together", "utilisation"] <= table.loc["one fleet for all", "utilisation_low"]
    together = table.loc["one fleet for all"]
    assert together["utilisation_low"] <= together["utilisation"] <= together["utilisation_high"]


# --- the chapter -----------------------------------------------------------------------------------------


def test_the_fleets_of_the_base_case_are_those_of_its_bill(case):
    """Busy share and machine cost of a million tokens: fixed as reserved, scaled as rented hour by hour."""
    table, page = idle.policies(case()).table.set_index("policy"), case()
    scaled, fixed = base.bill(page), base.bill(page, "reserved_3m")
    assert table.loc["follows the load", "utilisation"] == pytest.approx(scaled["utilisation"], rel=1e-9)
    assert table.loc["fixed fleet", "utilisation"] == pytest.approx(fixed["utilisation"], rel=1e-9)
    # economics, hardware and this page name it alike
    cost = base.compared(page, [page.gpu]).iloc[0]["usd_per_mtok"]
    assert table.loc["follows the load", "usd_per_mtok_allocated"] == pytest.approx(cost, rel=1e-9)
    # and they are said under the names and cases under which other pages say them
    (mine,), (theirs,) = ([one for one in found.quantities if one.name == "utilisation-rented"]
                          for found in (idle.headline(page), base.line(page)))
    assert (mine.case, mine.text) == (theirs.case, theirs.text) and mine.value == pytest.approx(theirs.value, rel=1e-9)


def test_the_bill_is_gpus_times_hours_times_price(case):
    row = idle.policies(case()).table.set_index("policy").loc["fixed fleet"]
    price = gpu_prices.price_range("h100-sxm-80gb", "on_demand", case().as_of)
    assert row["usd_per_month"] == pytest.approx(row["n_gpus"] * 730 * price["typical"])
    # all paid time over all tokens: 477,800 requests a day of 1,155 and 211.1 tokens
    assert row["usd_per_mtok_allocated"] == pytest.approx(row["n_gpus"] * 24 * price["typical"] / (477_800 * 1366.1) * 1e6)
    assert row["usd_per_mtok_used"] == pytest.approx(row["usd_per_mtok_allocated"] * row["utilisation"])


def test_ends_hold_the_middle(case):
    for policy in planning.POLICIES:
        table = idle.policies(case(policy=policy, requests_per_day=260_000.0)).table
        for name in ("n_gpus", "utilisation", "usd_per_month", "usd_per_mtok_used", "usd_per_mtok_allocated"):
            assert (table[f"{name}_low"] <= table[name]).all() and (table[name] <= table[f"{name}_high"]).all(), name


def test_the_curve_meets_the_table_at_the_load_of_the_page(case):
    table = idle.cost_over_load(case()).table
    row = idle.policies(case()).table.set_index("policy")
    for name, part in table[table["basis"] != idle.FULL].groupby("basis"):
        at = np.exp(np.interp(np.log(477_800.0), np.log(part["requests_per_day"]), np.log(part["usd_per_mtok"])))
        assert at == pytest.approx(row.loc[name, "usd_per_mtok_allocated"], rel=0.12)  # whole replicas between the points
    full = table[table["basis"] == idle.FULL]["usd_per_mtok"]
    assert (full == full.iloc[0]).all()
    assert (table["usd_per_mtok"] >= full.iloc[0] * (1 - 1e-9)).all()  # allocation is never below usage


def test_a_request_a_second_costs_rent_over_tokens():
    table = load_cost.published().table.set_index("what")
    # 6.98 USD buy an hour of 3,600 answers of 256 tokens: 7.574 USD a Mtok; two GPUs twice that
    assert table["own_one"].tolist() == pytest.approx([7.574, 7.574, 15.148], abs=1e-3)
    assert table["one"].tolist() == pytest.approx(table["own_one"].tolist(), rel=0.01)
    assert (table["own_factor_low"] <= table["own_factor"]).all() and (table["own_factor"] <= table["own_factor_high"]).all()
    # full hours: a cross-check that is nobody's calibration; factors of the three measured costs
    assert table["full"].div(table["own_full"]).between(1 / 2, 2).all()


def test_the_headline_fits_the_front_page(case):
    for change in ({}, {"policy": "to_zero", "requests_per_day": 900.0}, {"policy": "autoscale", "profile": "flat"},
                   {"profile": "servegen-deepseek-r1"}, {"profile": "weekly"}):
        answer = idle.headline(case(**change))
        assert len(answer["number"]) <= 14 and len(answer["label"]) <= 90 and answer.sentence.endswith(".")


def test_every_profile_makes_a_page(case):
    for name in ("flat", "weekly", "servegen-mm-image"):
        table = idle.fleets(case(profile=name)).table
        assert (table.groupby("kind").size() == 168).all()
        assert set(idle.sensitivity(case(profile=name)).table["change"]) > {"the page itself", "ten times the load"}


@pytest.mark.parametrize(("change", "message"), [
    ({"requests_per_day": 0.0}, "parameter 'requests_per_day' is 0"), ({"floor": -1}, "parameter 'floor' is -1"),
    ({"wait_probability": 1.0}, "parameter 'wait_probability' is 1"),
])  # fmt: skip
def test_what_no_page_can_be_made_of_is_refused(case, change, message):
    for function in (idle.policies, idle.fleets, idle.cost_over_load, idle.headline):
        with pytest.raises(ValueError, match=message):
            function(case(**change))


def test_limits_that_nothing_keeps_to_are_refused(case):
    with pytest.raises(TooSlow, match=r"parameter 'tpot_ms' is 1: .* the limit is 1 ms"):
        idle.policies(case(tpot_ms=1.0))
    with pytest.raises(NoEstimate, match=r"parameter 'n_gpus' is 1: .* does not fit"):
        idle.policies(case(weights="fp16", n_gpus=1))
    with pytest.raises(NoPrice, match="no on_demand price of gaudi3-128gb"):
        idle.policies(case(gpu="gaudi3-128gb"))

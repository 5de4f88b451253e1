"""The cost of an hour: parts that add up, ranges, kinds side by side, published figures, cash flows, carbon."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data
from tokenecon.decision import scenario
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices, price_book
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.hour import charts, comparison, energy, lifetime
from tokenecon_book.chapters.hour import rent as hour_rent
from tokenecon_book.documents import base

H100, NEWEST = "h100-sxm-80gb", "2026-11-28"
# parameter of the notebook -> the row of data/assumptions.csv that its default repeats
ROWS = {
    "discount_rate": "finance.discount_rate", "usd_per_kwh": "power.price", "pue": "power.pue",
    "spot_availability": "spot.availability", "interruptions_per_hour": "spot.interruptions",
    "price_decline": "decision.rent_decline", "gco2e_per_kwh": "power.carbon",
}  # fmt: skip
# a server of round numbers: 20,000 + 4,000 = 24,000 is 80% of 30,000; network 5,000
ROUND = {
    "usd_per_gpu": 20e3, "server_parts_usd_per_gpu": 4e3, "server_margin": 0.2, "network_usd_per_gpu": 5e3, "years": 4.0,
    "discount_rate": 0.1, "residual_share": 0.0, "availability": 0.95, "upkeep_per_year": 0.03, "staff_usd_per_gpu_year": 600.0,
    "space_usd_per_kw_month": 180.0, "kw_per_gpu": 1.25, "busy_share": 0.8, "idle_share": 0.2, "utilisation": 0.5, "pue": 1.3,
    "usd_per_kwh": 0.12,
}  # fmt: skip


@pytest.fixture(scope="module")
def defaults():
    return notebooks.defaults("hour")


@pytest.fixture(scope="module")
def busy(defaults):
    """The busy share of the base case's own fleet."""
    return float(base.bill(SimpleNamespace(**defaults), "own")["utilisation"])


@pytest.fixture(scope="module")
def case(defaults, busy):
    return lambda **change: SimpleNamespace(**(defaults | {"utilisation": busy} | change))


@pytest.fixture(scope="module")
def checked(case):
    return comparison.check(case())


def test_the_defaults_are_those_of_the_data(defaults):
    for name, row in ROWS.items():
        assert defaults[name] == pytest.approx(data.value(row)), f"{name} differs from {row} of data/assumptions.csv"
    assert defaults["years"] == scenario.field("chat-assistant", "money.years")
    newest = price_book.newest_date()
    assert defaults["as_of"] == newest, f"as_of of notebooks/hour.ipynb, or of the scenario it names, is not {newest}"


def test_the_owned_hour_is_that_of_the_decision_and_of_every_other_page(case, defaults, busy):
    """The scenario's money and the busy share of its own fleet: one set of inputs, one number."""
    page = SimpleNamespace(**defaults)
    assert page.utilisation is None and hour_rent.completed(page).utilisation == busy
    row = base.bill(page, "own")
    own = hour_rent.own_parts(case()).table.set_index("component")
    for end in ("", "_low", "_high"):
        assert own.loc["total", f"usd_per_gpu_hour{end}"] == pytest.approx(row[f"usd_per_gpu_hour{end}"], rel=1e-12)
    assert base.hour(page, "own")["typical"] == own.loc["total", "usd_per_gpu_hour"]
    # sold after three of four years on a straight line from 1 to 0.15
    assert hour_rent.page_inputs(case())["residual_share"] == pytest.approx(1 - 0.85 * 3 / 4)
    said = {one.value for make in (hour_rent.own_parts, hour_rent.kinds) for one in make(case()).quantities
            if one.name == "hour-owned"}
    assert said == {own.loc["total", "usd_per_gpu_hour"]}


# --- parts ------------------------------------------------------------------------------------------


def test_parts_by_hand():
    parts = owned_hour.parts(**ROUND)
    crf = 0.1 * 1.4641 / 0.4641  # 10% over 4 years
    hours = 8760 * 0.95
    assert parts["gpu"] == pytest.approx(20e3 * crf / hours)
    assert parts["server"] == pytest.approx(10e3 * crf / hours)
    assert parts["network"] == pytest.approx(5e3 * crf / hours)
    assert parts["upkeep"] == pytest.approx(35e3 * 0.03 / hours)
    assert parts["staff"] == pytest.approx(600 / hours)
    assert parts["space"] == pytest.approx(180 * 12 * 1.25 / hours)
    # half the time 0.2, half the time 0.8 of 1.25 kW, with cooling
    assert parts["power"] == pytest.approx(0.5 * 1.25 * 1.3 * 0.12)
    assert list(parts) == list(owned_hour.COMPONENTS)


def test_the_network_is_not_sold():
    with_resale, without = (owned_hour.parts(**ROUND | {"residual_share": share}) for share in (0.2, 0.0))
    assert with_resale["network"] == without["network"]
    # of 20,000 USD 4,000 come back: (16,000 * CRF + 4,000 * 0.1) a year
    assert with_resale["gpu"] == pytest.approx((16e3 * 0.14641 / 0.4641 + 400) / 8322)


@pytest.mark.parametrize("owner", owned_hour.OWNERS)
@pytest.mark.parametrize("gpu", [H100, "b200-sxm-180gb", "mi300x-192gb", "l40s-48gb"])
def test_parts_add_up_to_the_total_exactly(gpu, owner):
    own = owned_hour.owned(gpu, as_of=NEWEST, owner=owner)
    table = own.table
    for column, total in (("usd_per_gpu_hour", "total"), ("usd_per_gpu_hour_low", "total_low"),
                          ("usd_per_gpu_hour_high", "total_high")):
        assert sum(table[column]) == own[total]
    assert table["share"].sum() == pytest.approx(1, rel=1e-14)
    assert (table["usd_per_gpu_hour_low"] <= table["usd_per_gpu_hour"]).all()
    assert (table["usd_per_gpu_hour"] <= table["usd_per_gpu_hour_high"]).all()
    assert own["total_low"] < own["likely_low"] < own["total"] < own["likely_high"] < own["total_high"]


def test_without_interest_and_resale_capital_is_a_straight_line():
    parts = owned_hour.parts(**ROUND | {"discount_rate": 0.0, "availability": 1.0})
    assert parts["gpu"] + parts["server"] + parts["network"] == pytest.approx(35e3 / (4 * 8760), rel=1e-15)


DEARER = {name: dear for name, (_, dear, _) in owned_hour.INPUTS.items()}


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sampled_from(sorted(DEARER)), st.floats(1.01, 1.3))
def test_every_input_moves_the_hour_its_way(name, factor):
    start = owned_hour.owned_total(**ROUND | {"residual_share": 0.1, "availability": 0.7})
    changed = ROUND | {"residual_share": 0.1, "availability": 0.7}
    changed[name] = changed[name] * factor
    moved = owned_hour.owned_total(**changed)
    assert moved > start if DEARER[name] == "high" else moved < start


def test_arrays_give_what_their_elements_give():
    years, price = np.array([3.0, 4.5, 6.0]), np.array([0.05, 0.1, 0.2])
    together = owned_hour.owned_total(**ROUND | {"years": years, "usd_per_kwh": price})
    alone = [owned_hour.owned_total(**ROUND | {"years": one, "usd_per_kwh": usd}) for one, usd in zip(years, price, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-14)


def test_draws_keep_to_their_ranges_and_have_the_typical_value_as_median():
    inputs = owned_hour.spans(H100, as_of=NEWEST)
    drawn = owned_hour.draws(inputs, 40_000, 7)
    for name, row in inputs.iterrows():
        values = drawn[name]
        assert row["low"] <= values.min() and values.max() <= row["high"]
        # half of 40,000 draws on either side, within five standard errors of 0.0025
        assert np.mean(values < row["typical"]) <= 0.5125 and np.mean(values > row["typical"]) <= 0.5125
    again = owned_hour.draws(inputs, 40_000, 7)
    assert all((drawn[name] == again[name]).all() for name in drawn)


# --- inputs -----------------------------------------------------------------------------------------


def test_a_price_with_its_server_is_freed_of_it():
    # on 2025-08-01 the only price of this module in a year is the share of a DGX at 46,875 USD
    found = owned_hour.bought(H100, "2025-08-01")
    bare = 46_875 * (1 - data.value("finance.server_margin")) - data.value("finance.server_parts")
    assert found["typical"] == pytest.approx(bare) == pytest.approx(found["low"])


def test_newer_purchase_prices_go_before_older_ones():
    found = owned_hour.bought(H100, NEWEST)
    # 23,500 within 22,000 to 25,000 (2026-06); the DGX of 2025-06 is older than a year, the 20,000 of 2026-04 is an estimate
    assert (found["low"], found["typical"], found["high"]) == (22_000, 23_500, 25_000)
    assert found["second_hand"] and not found["estimates"]


def test_an_estimate_of_a_purchase_price_stands_where_nobody_prints_one():
    # of an MI300X a listing of February 2025 and our own guess of June 2026 are known: the listing goes first, however old
    found = owned_hour.bought("mi300x-192gb", NEWEST)
    server = data.row("prices", "mi300x-192gb.market.purchase.2025-02-28")
    assert (found["typical"], found["estimates"]) == (server["value"], False)
    # of a GB300 only an analyst's estimate is known, and it says so
    found = owned_hour.bought("gb300", NEWEST)
    assert (found["typical"], found["low"], found["high"], found["estimates"]) == (37_500, 30_000, 45_000, True)
    assert gpu_prices.whose(found).startswith("Epoch AI, estimate: an estimate and no offer")


@pytest.mark.parametrize(("gpu", "day", "words"), [
    ("h100-sxm-80gb", "2026-07-31", " (bought second-hand)"),  # of 30 June, 31 days before
    ("h100-sxm-80gb", "2026-11-28", " (bought second-hand, at a price 151 days old)"),
    ("h200-sxm-141gb", "2026-11-28", " (bought at a price 151 days old)"), ("h200-sxm-141gb", "2026-07-31", ""),
    ("gb300", "2026-11-28", " (bought at an estimate 220 days old)"), ("gb300", "2026-05-31", " (bought at an estimate)")])
def test_what_the_price_of_an_owned_gpu_must_be_read_with(gpu, day, words):
    assert owned_hour.bought_at(gpu, day) == words


def test_rated_power_is_the_all_in_power_without_its_cooling():
    low, typical, high = owned_hour.rated_kw(H100)
    assert typical == pytest.approx(1.73 / 1.3)
    assert low < typical < high
    # the server alone is rated at 10.2 kW for eight: what is left are switches
    assert 10.2 / 8 < typical < 1.1 * 10.2 / 8


def test_a_large_cloud_pays_less():
    for gpu in (H100, "gb200", "l40s-48gb"):
        large, small = (owned_hour.owned(gpu, as_of=NEWEST, owner=owner)["total"] for owner in ("hyperscaler", "neocloud"))
        assert large < small


@pytest.mark.parametrize(("call", "words"), [
    (lambda: owned_hour.owned("mi355x-288gb", as_of=NEWEST), "no purchase price of mi355x-288gb"),
    (lambda: owned_hour.owned("graviton4-192vcpu", as_of=NEWEST, usd_per_gpu=1.0), "no all-in power of graviton4-192vcpu"),
    (lambda: owned_hour.owned("h100", as_of=NEWEST), "gpu 'h100' is not known"),
    (lambda: owned_hour.owned(H100, owner="me"), "owner 'me' is not known"),
    (lambda: owned_hour.owned(H100, life=4), "input 'life' is not known"),
    (lambda: hour_rent.spot(SimpleNamespace(gpu=H100, as_of=NEWEST), lost=4), "input 'lost' of a spot hour is not known"),
])
def test_what_is_not_known_is_said_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(("change", "words"), [
    ({"years": 0.5}, "parameter 'years' is 0.5, but must be a whole number"), ({"pue": 0.9}, "parameter 'pue'")])
def test_impossible_parameters_are_refused_by_name(case, change, words):
    with pytest.raises(ValueError, match=words):
        hour_rent.own_parts(case(**change))


# --- kinds of an hour -------------------------------------------------------------------------------


def test_spot_work_by_hand():
    price, full = (gpu_prices.price_range(H100, kind, NEWEST)["typical"] for kind in ("spot", "on_demand"))
    page = SimpleNamespace(gpu=H100, as_of=NEWEST)
    work = hour_rent.spot(page, availability=0.9, interruptions_per_hour=0.1, restart_hours=0.2)
    assert work["typical"] == pytest.approx(0.9 * price * (1 + 0.1 * 0.2) + 0.1 * full)  # a start of 0.2 h is paid again
    alone = hour_rent.spot(page, availability=1.0, interruptions_per_hour=0.0, restart_hours=0.2)
    assert alone["typical"] == pytest.approx(price)


def test_kinds_stand_side_by_side(case):
    table = hour_rent.kinds(case()).table.set_index("kind")
    assert {"on_demand", "spot", "spot_work", "owned_neocloud", "owned_hyperscaler"} <= set(table.index)
    assert table.loc["on_demand", "of_on_demand"] == 1
    assert table.loc["spot", "usd_per_gpu_hour"] < table.loc["spot_work", "usd_per_gpu_hour"]
    assert (table["usd_per_gpu_hour_low"] <= table["usd_per_gpu_hour"]).all()
    assert (table["usd_per_gpu_hour"] <= table["usd_per_gpu_hour_high"]).all()
    on_demand = gpu_prices.price_range(H100, "on_demand", NEWEST)
    assert table.loc["on_demand", "usd_per_gpu_hour"] == on_demand["typical"]
    assert table.loc["on_demand", "sellers"] == on_demand["sellers"]
    assert table.loc["rental_3y", ["way", "mark"]].tolist() == ["estimate, no offer", "old, estimate"]  # of August 2026


def test_a_marketplace_has_one_price_on_every_page(case):
    for gpu in (H100, "h200-sxm-141gb"):
        one = case(gpu=gpu)
        row = hour_rent.kinds(one).table.set_index("kind").loc["marketplace"]
        assert row["usd_per_gpu_hour"] == base.hour(one, "marketplace")["typical"] == gpu_prices.price_range(
            gpu, "marketplace", NEWEST)["typical"]


def test_the_breakdown_adds_up(case):
    table = hour_rent.breakdown(case()).table
    for gpu, part in table.groupby("gpu"):
        own = owned_hour.owned(gpu, as_of=NEWEST, **hour_rent.page_inputs(case()))
        assert part["usd_per_gpu_hour"].sum() == pytest.approx(own["total"], rel=1e-14)


def test_of_all_accelerators_those_left_out_are_named(case):
    every = case(gpus=list(data.ids("gpus")))
    for found in (hour_rent.breakdown(every), comparison.check(every)):
        known = found.table.dropna(subset=["ratio"]) if "ratio" in found.table else found.table
        left = set(every.gpus) - set(known["gpu"])
        assert left and all(data.gpu(gpu)["name"] in found.note for gpu in left)
    carbon = energy.carbon(every).table
    assert set(carbon["gpu"]) == set(every.gpus)
    assert (carbon["usd_per_mtok_out"].isna() == (carbon["reason"] != "")).all()


def test_own_parts_end_in_their_total(case):
    table = hour_rent.own_parts(case()).table
    assert table["component"].iloc[-1] == "total"
    assert sum(table["usd_per_gpu_hour"].iloc[:-1]) == table["usd_per_gpu_hour"].iloc[-1]


# --- published figures ------------------------------------------------------------------------------


def test_published_hours_and_ours(checked):
    assert set(checked.table["as_of"]) == {"2026-03-18", "2026-08-14"}
    known = checked.table.dropna(subset=["ratio"]).set_index(["gpu", "owner", "as_of"])
    # what the analyst printed in March 2026
    assert known.loc[(H100, "neocloud", "2026-03-18"), "published_usd_per_gpu_hour"] == 1.69
    assert known.loc[(H100, "hyperscaler", "2026-03-18"), "published_usd_per_gpu_hour"] == 1.30
    # bottom-up and published agree for the H100 and the B200 of the first vintage, and for the newest GB200
    for key in ((H100, "neocloud", "2026-03-18"), (H100, "hyperscaler", "2026-03-18"),
                ("b200-sxm-180gb", "neocloud", "2026-03-18"), ("b200-sxm-180gb", "hyperscaler", "2026-03-18"),
                ("gb200", "neocloud", "2026-08-14"), ("gb200", "hyperscaler", "2026-08-14")):
        assert abs(known.loc[key, "ratio"] - 1) <= 0.15, key
    # every gap has its explanation
    gaps = known[(known["ratio"] - 1).abs() > 0.15]
    assert gaps["remark"].str.contains("would").all()


def test_the_implied_price_gives_the_published_hour():
    price = comparison.implied("h200-sxm-141gb", "neocloud", 1.59, NEWEST)
    own = owned_hour.owned("h200-sxm-141gb", as_of=NEWEST, owner="neocloud", usd_per_gpu=price)
    assert own["total"] == pytest.approx(1.59)


def test_the_check_does_not_move_with_the_readers_own_money(case, checked):
    gpus = [H100, "gb200"]
    own = comparison.check(case(years=7.0, discount_rate=0.02, gpus=gpus)).table["ratio"]
    table = checked.table
    assert list(own) == list(table[table["gpu"].isin(gpus)]["ratio"])


def test_one_input_closes_the_middle_gap(case, checked):
    years = comparison.reconcile(case(), checked).table.set_index("input").loc["years", "value"]
    ratios = [owned_hour.owned_total(**owned_hour.spans(row.gpu, as_of=NEWEST, owner=row.owner, years=years)["typical"])
              / row.published_usd_per_gpu_hour for row in checked.table.dropna(subset=["ratio"]).itertuples()]
    assert np.median(ratios) == pytest.approx(1, abs=1e-6)


# --- years ------------------------------------------------------------------------------------------


def test_the_present_value_of_the_payments_is_that_of_the_hours(case):
    inputs = owned_hour.ends(owned_hour.spans(H100, as_of=NEWEST, **hour_rent.page_inputs(case())))[1]
    cash = lifetime.cash(case()).table.set_index("way")
    assert cash.loc["own", "usd_per_gpu_hour"] == pytest.approx(owned_hour.owned_total(**inputs), rel=1e-12)
    rent = gpu_prices.price_range(H100, "on_demand", NEWEST)["typical"]
    assert cash.loc["rent, price stays", "usd_per_gpu_hour"] == pytest.approx(rent, rel=1e-12)
    assert cash["present_usd"].iloc[2] < cash["present_usd"].iloc[1]


def test_a_longer_life_and_a_better_resale_are_cheaper(case):
    table = lifetime.life(case()).table
    for _, curve in table.groupby("resale"):
        assert (np.diff(curve["usd_per_gpu_hour"]) < 0).all()
    at_four = table[table["years"] == 4.0]["usd_per_gpu_hour"].to_numpy()
    assert (np.diff(at_four) < 0).all()
    # after the years of the base case the middle curve is its owned hour
    middle = table[(table["years"] == 3.0) & table["resale"].str.startswith("worth 15%")]["usd_per_gpu_hour"].item()
    assert middle == pytest.approx(base.hour(case(), "own")["typical"], rel=1e-12)


# --- energy -----------------------------------------------------------------------------------------


def test_energy_by_hand():
    spent = energy.energy(H100, n_gpus=2, tok_out_per_s=(900.0, 1000.0, 1100.0), utilisation=0.5, pue=1.2, usd_per_kwh=0.08,
                          gco2e_per_kwh=300.0)
    watts = 2 * 1730 / 1.3 * (0.25 + 0.55 * 0.5) * 1.2  # idle 0.25, busy 0.8 of the rated power
    joules = watts / 500  # 1000 tokens a second in half of the time
    assert spent["joules_per_tok_out"] == pytest.approx(joules)
    assert spent["kwh_per_mtok_out"] == pytest.approx(joules / 3.6)
    assert spent["gco2e_per_mtok_out"] == pytest.approx(300 * joules / 3.6)
    assert spent["energy_usd_per_mtok_out"] == pytest.approx(0.08 * joules / 3.6)
    assert spent["joules_per_tok_out_low"] < joules < spent["joules_per_tok_out_high"]


def test_idle_hours_cost_grams_too():
    points = [energy.energy(H100, n_gpus=1, tok_out_per_s=(900.0, 1000.0, 1100.0), utilisation=share)["gco2e_per_mtok_out"]
              for share in (1.0, 0.5, 0.1)]
    assert points[0] < points[1] < points[2]


def test_carbon_beside_cost(case):
    table = energy.carbon(case(gpus=[H100, "h200-sxm-141gb", "gaudi3-128gb"])).table
    known = table.dropna(subset=["usd_per_mtok_out"])
    for name in ("usd_per_mtok_out", "gco2e_per_mtok_out", "kwh_per_mtok_out"):
        assert (known[f"{name}_low"] <= known[name]).all() and (known[name] <= known[f"{name}_high"]).all()
    # the grid's factor scales the grams and leaves the dollars
    cleaner = energy.carbon(case(gpus=[H100, "h200-sxm-141gb"], gco2e_per_kwh=48.1)).table
    assert cleaner["gco2e_per_mtok_out"].to_numpy() == pytest.approx(known["gco2e_per_mtok_out"].to_numpy() / 10)
    assert cleaner["usd_per_mtok_out"].to_numpy() == pytest.approx(known["usd_per_mtok_out"].to_numpy())
    assert "no on_demand price" in table["reason"].iloc[-1]
    clean = energy.carbon(case(gpus=[H100, "h200-sxm-141gb"], gco2e_per_kwh=0.0))  # a grid without carbon has no logarithm
    assert charts.carbon(clean).to_dict() and not clean.table["gco2e_per_mtok_out"].any()


def test_output_pays_in_grams_as_in_dollars_for_the_time_it_causes(case):
    """The H100 of the base case: its cost of output is that of other pages, and both are per second of the same time."""
    row = energy.carbon(case(gpus=[H100])).table.iloc[0]
    cost = base.compared(case(), [H100]).iloc[0]
    assert row["usd_per_mtok_out"] == cost["usd_per_mtok_out"]
    # dollars and joules of an hour of the replica, over the output tokens of its own share of the time
    tokens = cost["requests_per_s"] * 211.1 * 3600 * cost["utilisation"] / cost["output_share"]
    assert row["usd_per_mtok_out"] == pytest.approx(2 * cost["usd_per_gpu_hour"] / tokens * 1e6)
    watts = 2 * 1730 / 1.3 * (0.25 + 0.55 * cost["utilisation"]) * 1.3
    assert row["kwh_per_mtok_out"] == pytest.approx(watts / 1000 / tokens * 1e6)


@pytest.mark.parametrize("change", [
    {"gpu": "mi300x-192gb", "years": 6.0, "utilisation": 0.2, "gpus": ["mi300x-192gb", "b200-sxm-180gb"]},
    {"as_of": "2025-08-01", "gpus": [H100, "h200-sxm-141gb"]},
    {"model": "llama-3.1-8b", "gpus": ["l40s-48gb"]}, {"gpu": "l4", "gpus": ["l4"]},
])
def test_findings_hold_for_other_parameters(case, change):
    one = case(**change)
    for function in (hour_rent.own_parts, hour_rent.breakdown, hour_rent.kinds, comparison.check, lifetime.life, lifetime.cash,
                     energy.carbon, lambda one: comparison.reconcile(one, comparison.check(one))):
        try:
            found = function(one)
        except ValueError as reason:
            assert len(str(reason).splitlines()) == 1
            continue
        assert len(found) and "nan" not in found.sentence
        assert all(source["title"] for source in found.cited)


# --- sources ----------------------------------------------------------------------------------------


def sources_of_prices(rows):
    return set(data.rows("prices", {"id": rows})["source"])


def test_results_cite_the_rows_that_they_stand_on(case, checked):
    one = case(gpus=[H100])
    rated = set(data.rows("gpus", {"gpu": H100, "field": "all_in_power"})["source"])
    kept = {data.assumption(row)["source"] for row in ("finance.network", "power.draw", "power.all_in_pue")}
    bought = {"runlocalai-b200"}  # the estimate of epoch-chip-counts is no price of it
    for make in (hour_rent.own_parts, hour_rent.breakdown, hour_rent.kinds, lifetime.life, lifetime.cash):
        found = make(one)
        assert rated | kept | bought <= set(found.sources), found
    rent = sources_of_prices(gpu_prices.price_range(H100, "on_demand", NEWEST)["rows"])
    for make in (hour_rent.own_parts, hour_rent.kinds, lifetime.life, lifetime.cash, energy.carbon):
        found = make(one)
        assert rent <= set(found.sources), found
    published = set(data.rows("prices", {"kind": ["owned_neocloud", "owned_hyperscaler"], "gpu": H100})["source"])
    assert published | rated <= set(checked.sources)
    for found in (comparison.latest(checked), comparison.reconcile(case(), checked)):  # who takes a result takes its sources
        assert set(checked.sources) <= set(found.sources)
    grid = {data.assumption(f"power.{row}")["source"] for row in ("carbon", "draw", "idle", "all_in_pue")}
    assert grid | rated | {data.model(one.model)["source"]} <= set(energy.carbon(one).sources)


def test_what_is_not_shown_is_not_cited(case):
    other = set(data.rows("gpus", {"gpu": "gaudi3-128gb", "field": "name"})["source"])
    assert other <= set(hour_rent.breakdown(case(gpus=["gaudi3-128gb"])).sources)
    assert not other & set(hour_rent.breakdown(case(gpus=[H100])).sources)

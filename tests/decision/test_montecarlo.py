"""Draws of a decision: the same digits every time, present values by hand, and what must follow from what."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tokenecon.decision import drivers, horizon, montecarlo, scenario
from tokenecon.decision import options as decision
from tokenecon.errors import NothingServes
from tokenecon.ownership import owned_hour

CASE = {
    "name": "Small", "model": "llama-3.1-8b", "weights": "fp8", "kv": "fp8", "gpus": ["h100-sxm-80gb"],
    "workload": {"isl": 700, "osl": 90, "requests_per_day": 3e6, "growth_per_year": 0.2},
    "traffic": {"peak_to_mean": 2.5}, "latency": {"tpot_ms": 40},
    "money": {"as_of": "2026-08-01", "years": 3, "residual_share": 0.4,
              "api": {"usd_per_mtok_in": 0.05, "usd_per_mtok_out": 0.15}},
}  # fmt: skip
CERTAIN = {**{name: [1, 1] for name in montecarlo.RATIOS}, "growth": [0.2, 0.2], "ops_overhead": [0.25, 0.25],
           "residual": [0.4, 0.4], "rent_decline": [0.05, 0.05], "api_decline": [0.2, 0.2]}
STILL = {"rent_decline": 0.0, "api_decline": 0.0}
DRAWS = 4000


def made(**change):
    """A case like CASE with some blocks changed."""
    blocks = {name: {**block, **change.pop(name)} if isinstance(block, dict) and name in change else block
              for name, block in CASE.items()}
    return scenario.case(blocks | change, Path("small.yml"))


@pytest.fixture(scope="module")
def small():
    case = made()
    table = decision.offers(case)
    return case, table, montecarlo.run(case, table, draws=DRAWS)


# --- the same digits -------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_digits_whatever_the_chunks(small):
    case, table, done = small
    for chunk in (977, DRAWS):
        again = montecarlo.run(case, table, draws=DRAWS, chunk=chunk)
        assert again.costs.tobytes() == done.costs.tobytes()
        assert again.waiting.tobytes() == done.waiting.tobytes()
    assert montecarlo.run(case, table, draws=DRAWS, seed=case.seed + 1).costs.tobytes() != done.costs.tobytes()


def test_fewer_draws_are_the_first_of_many():
    short, long = montecarlo.normals(10, 4), montecarlo.normals(1000, 4)
    for name in montecarlo.INPUTS:
        assert (short[name] == long[name][:10]).all()


def test_inputs_are_drawn_apart():
    z = np.stack(list(montecarlo.normals(20_000, 9).values()))
    apart = np.corrcoef(z) - np.eye(len(z))
    assert np.abs(apart).max() < 0.03
    assert np.abs(z.mean(axis=1)).max() < 0.03


def test_without_ranges_every_draw_is_the_deterministic_result():
    case = made(uncertainty=CERTAIN)
    done = montecarlo.run(case, draws=500)
    for place, option in enumerate(done.options):
        assert (done.costs[:, place] == option["middle"]).all()
    chances = drivers.cheapest(case, done)
    table = chances.table
    assert sorted(table["probability"])[-1] == 1
    assert (table["usd_per_mtok_error"] == 0).all()
    assert drivers.tornado(case, done).table.empty


def test_with_constant_load_and_prices_the_years_cost_what_today_costs():
    case = made(workload={"growth_per_year": 0.0}, money=STILL)
    table = decision.offers(case).table
    today = decision.feasible(table).set_index("kind")["usd_per_mtok"]
    options = montecarlo.options(case, table)
    assert {option["kind"] for option in options} == set(today.index)
    for option in options:
        assert option["middle"] == pytest.approx(today[option["kind"]], rel=1e-12), option["kind"]


# --- present values by hand ------------------------------------------------------------------------


def hand(**change):
    given = {"years": 2, "discount_rate": 0.1, "usd_per_kwh": 0.2, "isl": 700, "osl": 90}
    return SimpleNamespace(**(given | change))


DRAWN = {"rent_decline": np.log(1.25), "api_decline": np.log(1.25), "ops_overhead": 0.5, "residual": 0.3, "power_price": 1.5}


def test_rent_by_hand():
    # on demand, at mid-year prices 2/1.25**0.5 and 2/1.25**1.5, 3 then 5 GPUs, half as much again for operations
    first, second = (n * 2.0 / 1.25**at * 8760 * 1.5 / 1.1**end for n, at, end in ((3, 0.5, 1), (5, 1.5, 2)))
    assert horizon.rented_usd(hand(), DRAWN, [3.0, 5.0], "on_demand", 2.0) == pytest.approx([first, second])
    # committed for a year: the price of the year's start
    assert horizon.rented_usd(hand(), DRAWN, [3.0, 5.0], "committed_1y", 2.0) == pytest.approx(
        [3 * 2.0 * 8760 * 1.5 / 1.1, 5 * 1.6 * 8760 * 1.5 / 1.21])
    # for three years: the 3 keep their price of 2, the 2 more come at 1.6; and 4 that are no longer needed are still paid
    assert horizon.rented_usd(hand(), DRAWN, [3.0, 5.0], "committed_3y", 2.0)[1] == pytest.approx(
        (3 * 2.0 + 2 * 1.6) * 8760 * 1.5 / 1.21)
    assert horizon.rented_usd(hand(), DRAWN, [5.0, 1.0], "rental_3y", 2.0)[1] == pytest.approx(5 * 2.0 * 8760 * 1.5 / 1.21)
    # after three years it is begun anew, with what is needed then and at the price of then
    assert horizon.rented_usd(hand(years=4), DRAWN, [5.0, 1.0, 1.0, 1.0], "rental_3y", 2.0)[3] == pytest.approx(
        2.0 / 1.25**3 * 8760 * 1.5 / 1.1**4)


def test_an_api_by_hand():
    # 1000 and 1200 requests a day of 790 tokens at 0.4 USD a million, falling; paid at year's end
    first, second = (day * 365 * 790 / 1e6 * 0.4 / 1.25**at / 1.1**end for day, at, end in ((1000, 0.5, 1), (1200, 1.5, 2)))
    assert horizon.api_usd(hand(), DRAWN, [1000.0, 1200.0], 0.4) == pytest.approx([first, second])
    # tokens are discounted like dollars: 1000 * 365 * 790e-6/1.1 + 1200 * 365 * 790e-6/1.21
    assert horizon.present_mtok(hand(), [1000.0, 1200.0]) == pytest.approx(288.35 / 1.1 + 346.02 / 1.21)


OWNED = {
    "usd_per_gpu": 0.0, "server_parts_usd_per_gpu": 2000.0, "server_margin": 0.2, "network_usd_per_gpu": 500.0, "years": 2,
    "discount_rate": 0.1, "residual_share": 0.3, "availability": 0.8, "upkeep_per_year": 0.05, "staff_usd_per_gpu_year": 438.0,
    "space_usd_per_kw_month": 100.0, "kw_per_gpu": 1.25, "busy_share": 0.8, "idle_share": 0.4, "utilisation": 0.5, "pue": 1.2,
    "usd_per_kwh": 9.0,
}  # fmt: skip


def test_owning_by_hand():
    # A GPU of 30,000 in a server: (30000 + 2000)/0.8 = 40,000, and 500 of network; for 4 usable ones 5 are bought.
    # Running hour: upkeep 40500 * 0.05 + staff 438 + space 100 * 1.25 * 12 = 3963 a year over 8760 * 0.8 usable hours;
    # power (0.4 + 0.5 * 0.4) * 1.25 kW * 1.2 * 0.2 * 1.5 = 0.27 USD. A machine bought at 1/1.25 of the price: upkeep of 1620.
    hourly, cheaper = 3963 / 8760 / 0.8 + 0.27, 3558 / 8760 / 0.8 + 0.27
    # Year 0: 5 bought at 40,500, sold after 2 years at 0.3 of the server. Year 1: 2 more needed, so 2.5 bought at 1/1.25 of the
    # price, sold at 1 - 0.7/2 = 0.65 of that.
    first = 5 * (40500 - 0.3 * 40000 / 1.21) + 4 * hourly * 8760 / 1.1
    second = 2.5 / 1.25 * (40500 / 1.1 - 0.65 * 40000 / 1.21) + (4 * hourly + 2 * cheaper) * 8760 / 1.21
    found = horizon.owned_usd(hand(), DRAWN, [4.0, 6.0], OWNED, 30e3)
    assert found == pytest.approx([1.5 * first, 1.5 * second])
    # waiting: all 6 are bought in year 1
    later = horizon.owned_usd(hand(), DRAWN, [4.0, 6.0], OWNED, 30e3, first=1)
    assert later == pytest.approx(
        [0.0, 1.5 * (7.5 / 1.25 * (40500 / 1.1 - 0.65 * 40000 / 1.21) + 6 * cheaper * 8760 / 1.21)])
    # what is no longer needed has been bought all the same
    assert horizon.owned_usd(hand(), DRAWN, [4.0, 1.0], OWNED, 30e3)[1] == pytest.approx(1.5 * 4 * hourly * 8760 / 1.21)


def test_an_owned_hour_over_its_life_is_the_hour_of_the_hour_chapter():
    # constant use, constant prices: the present value over that of its hours is the owned hour, to the last digits
    drawn = DRAWN | {"rent_decline": 0.0, "ops_overhead": 0.0, "power_price": 1.0}
    years, n_gpus = 5, [7.0] * 5
    spent = sum(horizon.owned_usd(hand(years=years), drawn, n_gpus, OWNED, 30e3))
    hours = sum(7.0 * 8760 / 1.1**year for year in range(1, years + 1))
    inputs = OWNED | {"usd_per_gpu": 30e3, "years": years, "usd_per_kwh": 0.2}
    assert spent / hours == pytest.approx(owned_hour.owned_total(**inputs), rel=1e-12)


def test_resale_runs_straight_to_the_end_of_life_and_stays():
    from tokenecon import data

    life = data.value("finance.life")
    assert [horizon.resale_share(years, 0.2) for years in (life / 2, life, 2 * life)] == pytest.approx([0.6, 0.2, 0.2])


# --- probabilities ---------------------------------------------------------------------------------


def test_probabilities_add_up_to_one_and_carry_their_error(small):
    case, _, done = small
    chances = drivers.cheapest(case, done)
    table = chances.table
    assert table["probability"].sum() == pytest.approx(1, abs=1e-12)
    assert sum(chances["by_choice"].values()) == pytest.approx(1, abs=1e-12)
    row = table.iloc[0]
    assert row["probability_error"] == pytest.approx(np.sqrt(row["probability"] * (1 - row["probability"]) / DRAWS))
    assert (table["usd_per_mtok_low"] < table["usd_per_mtok"]).all()
    assert (table["usd_per_mtok"] < table["usd_per_mtok_high"]).all()
    assert (table["regret"] >= 0).all()


def test_quantiles_and_their_errors_are_those_of_many_samples():
    random = np.random.default_rng(11)
    samples = random.lognormal(size=(800, 2000))
    found = np.array([drivers.quantiles(sample) for sample in samples])  # sample, quantile, (value, error)
    for place, q in enumerate(montecarlo.QUANTILES):
        assert found[:, place, 0].mean() == pytest.approx(np.quantile(samples, q), rel=0.01)
        assert found[:, place, 1].mean() == pytest.approx(found[:, place, 0].std(), rel=0.12)


def test_dearer_rent_never_makes_rent_more_probable():
    kinds = ("on_demand", "marketplace", "committed_1y", "committed_3y", "rental_3y")
    shares = []
    for usd in (0.7, 1.5, 2.1, 2.8, 5.0):
        case = made(money={"usd_per_gpu_hour": {"h100-sxm-80gb": dict.fromkeys(kinds, usd)}})
        done = montecarlo.run(case, draws=1000)
        shares.append(drivers.cheapest(case, done)["by_choice"].get("rent", 0.0))
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.9 > 0.1 > shares[-1]


def test_every_cost_rises_with_its_own_price_and_falls_with_speed(small):
    case, _, done = small
    z = {name: np.zeros(3) for name in montecarlo.INPUTS}
    moved = {name: z | {name: np.array([-2.0, 0.0, 2.0])} for name in montecarlo.INPUTS}
    for option in done.options:
        def cost(name, option=option):
            return montecarlo.levelised(case, option, montecarlo.input_draws(done.inputs, moved[name]), moved[name], done.inputs)

        price = montecarlo.PRICE_OF.get(option["kind"], "rent_price")
        if option["price"][0] < option["price"][2]:  # a price that the reader was asked for has no range
            assert (np.diff(cost(price)) > 0).all(), option["name"]
        if option["kind"] != "api":
            assert (np.diff(cost("efficiency")) <= 0).all(), option["name"]
            assert (np.diff(cost("ops_overhead")) > 0).all(), option["name"]
        assert (np.diff(cost("api_decline")) <= 0).all()
        assert (np.diff(cost("residual")) <= 0).all()


def test_interpolated_fleets_are_the_planned_ones(small):
    case, _, done = small
    option = next(one for one in done.options if one["kind"] == "own")
    loads = np.geomspace(1e6, 2e7, 40)
    planned = decision.paid_replicas(case, option["row"], option["policy"], loads)
    assert np.interp(loads, *option["curve"]) == pytest.approx(planned, rel=0.05)


def test_a_crowd_is_served_in_step_with_its_size():
    case = made(workload={"growth_per_year": 10.0, "requests_per_day": 1e9}, money={"years": 15}, choices=["own", "api"])
    done = montecarlo.run(case, draws=50)
    assert np.isfinite(done.costs).all()
    option = next(one for one in done.options if one["kind"] == "own")
    assert option["curve"][0][-1] == montecarlo.CROWD
    once, twice = (montecarlo.fleet_gpus(option, [np.array([load])], done.inputs, montecarlo.ZERO)[0][0] for load in (2e16, 4e16))
    assert twice == pytest.approx(2 * once)


def test_all_loads_of_all_draws_lie_on_the_curve(small):
    case, _, done = small
    z = montecarlo.normals(DRAWS, case.seed)
    demand = montecarlo.years_demand(case, montecarlo.input_draws(done.inputs, z))
    for option in done.options:
        if option["kind"] != "api":
            for load in montecarlo._loads(option, demand, done.inputs, z):
                assert option["curve"][0][0] <= load.min() * (1 + 1e-12)
                assert load.max() <= option["curve"][0][-1] * (1 + 1e-12)


def test_the_distribution_is_that_of_the_draws(small):
    case, _, done = small
    table = drivers.distribution(case, done).table
    for place, option in enumerate(done.options):
        curve = table[table["choice"] == option["name"]]
        if len(curve):
            assert curve["share_below"].is_monotonic_increasing
            at = curve.iloc[len(curve) // 2]
            assert at["share_below"] == pytest.approx((done.costs[:, place] < at["usd_per_mtok"]).mean())


def test_the_headline_says_what_the_tables_say(small):
    case, offered, done = small
    chances = drivers.cheapest(case, done)
    said = drivers.headline(case, offered, done)
    # the choices of a group add up: the most probable group is the number of the page
    groups = chances.table.groupby("choice")["probability"].sum()
    assert said["number"] == f"{groups.max():.0%}" and drivers.CHOICE_WORDS[groups.idxmax()] in said["label"]
    assert f"'{decision.best(offered.table).iloc[0]['name']}'" in said.sentence
    assert f"in {chances['by_choice']['api']:.0%}" in said.sentence


# --- what drives it, and waiting -------------------------------------------------------------------


def test_the_tornado_moves_one_input_and_is_sorted(small):
    case, _, done = small
    moved = drivers.tornado(case, done)
    table = moved.table
    assert table["width"].is_monotonic_decreasing
    assert (table["gap"] == moved["gap"]).all()
    assert moved["gap"] >= 0
    assert set(table["input"]) <= set(montecarlo.INPUTS)
    for _, row in table.iterrows():
        assert row["gap_at_high_low"] <= min(row["gap"], row["gap_at_low"], row["gap_at_high"])
        assert row["gap_at_high_high"] >= max(row["gap"], row["gap_at_low"], row["gap_at_high"])


def test_who_may_still_choose_never_pays_more_than_who_must_buy(small):
    case, _, done = small
    now, later, chosen = done.waiting.T
    assert (chosen <= later).all()
    place = [option["kind"] for option in done.options].index("own")
    assert now == pytest.approx(done.costs[:, place])
    table = drivers.waiting(case, done).table
    assert list(table["name"]) == list(montecarlo.PLANS)
    assert table.loc[0, "saves"] == 0
    assert table.loc[1, "saves"] == pytest.approx((now - later).mean())


def test_waiting_a_year_by_hand():
    # A machine that falls by a fifth in a year and loses its value in a straight line; the bridge is an API.
    case = made(uncertainty=CERTAIN, choices=["own", "api"])
    done = montecarlo.run(case, draws=3)
    owner = next(option for option in done.options if option["kind"] == "own")
    values = montecarlo.input_draws(done.inputs, montecarlo.ZERO)
    demand = montecarlo.years_demand(case, values)
    n_gpus = montecarlo.fleet_gpus(owner, demand, done.inputs, montecarlo.ZERO)
    bought = horizon.owned_usd(case, values, n_gpus, owner["inputs"], owner["price"][1], first=1)
    sold = horizon.api_usd(case, values, demand, (700 * 0.05 + 90 * 0.15) / 790)
    assert done.waiting[0, 1] == pytest.approx(((sold[0] + sum(bought)) / horizon.present_mtok(case, demand))[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [({"money": {"years": 1}}, "leaves nothing to buy after it"), ({"choices": ["rent", "api"]}, "nothing can be bought"),
     ({"choices": ["own"]}, "nothing can serve in the meantime")],
)  # fmt: skip
def test_where_nothing_can_wait_it_is_said(change, words):
    case = made(**change)
    found = drivers.waiting(case, montecarlo.run(case, draws=50))
    assert found.table.empty
    assert words in found.sentence


def test_a_contract_longer_than_the_horizon_is_left_out_and_said():
    case = made(money={"years": 2, "usd_per_gpu_hour": {"h100-sxm-80gb": {"rental_3y": 1.78}}})
    offered = decision.offers(case)
    table = offered.table
    assert "rental_3y" in set(decision.feasible(table)["kind"])
    done = montecarlo.run(case, offered, draws=100)
    assert not {"committed_3y", "rental_3y"} & {option["kind"] for option in done.options}
    assert "Left out, as they bind for longer: 3-year contract." in drivers.cheapest(case, done).note
    only = table[table["kind"] == "rental_3y"]
    with pytest.raises(NothingServes, match="binds for longer than years = 2"):
        montecarlo.run(case, SimpleNamespace(table=only), draws=100)


def test_with_one_choice_nothing_is_called_the_cheapest():
    case = made(choices=["api"])
    chances = drivers.cheapest(case, montecarlo.run(case, draws=100))
    assert "nothing else can be had" in chances.sentence
    assert "Left out" not in chances.note


def test_a_year_of_waiting_that_costs_is_never_called_worth_something(small):
    case, _, done = small
    dear = SimpleNamespace(**{**vars(done), "waiting": done.waiting[:, :1] * [1.0, 1.3, 1.2]})
    finding = drivers.waiting(case, dear).sentence
    assert "and buying then costs $" in finding
    assert "to decide only then still costs $" in finding
    assert "$-" not in finding


def test_one_draw_is_no_distribution(small):
    with pytest.raises(ValueError, match="parameter 'draws' is 1, but must be at least 2"):
        montecarlo.run(small[0], small[1], draws=1)

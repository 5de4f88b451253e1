"""Draws of a decision: the same digits every time, present values by hand, and what must follow from what."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tokenecon import data
from tokenecon.decision import answers, break_even, drivers, fleet_tables, horizon, mixes, montecarlo, portfolio, scenario
from tokenecon.decision import options as decision
from tokenecon.errors import NothingServes
from tokenecon.ownership import owned_hour

CASE = {
    "name": "Small", "model": "llama-3.1-8b", "weights": "fp8", "kv": "fp8", "gpus": ["h100-sxm-80gb"],
    "workload": {"isl": 700, "osl": 90, "requests_per_day": 2e7, "growth_per_year": 0.2},
    "traffic": {"peak_to_mean": 2.5}, "latency": {"tpot_ms": 40}, "service": {"people": 0.2, "spare_replicas": 1},
    "money": {"as_of": "2026-08-01", "years": 3, "residual_share": 0.4, "ops_overhead": 0.25, "rent_decline": 0.05,
              "api_decline": 0.2,
              "api": {"usd_per_mtok_in": 0.05, "usd_per_mtok_out": 0.15}},
}  # fmt: skip
CERTAIN = {**{name: [1, 1] for name in montecarlo.RATIOS}, "growth": [0.2, 0.2], "ops_overhead": [0.25, 0.25],
           "residual": [0.4, 0.4], "rent_decline": [0.05, 0.05], "api_decline": [0.2, 0.2], "people": [0.2, 0.2],
           "availability": [0.98, 0.98]}
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


def test_inputs_are_drawn_apart_but_for_those_of_one_market():
    names = list(montecarlo.INPUTS)
    z = np.stack(list(montecarlo.normals(20_000, 9).values()))
    apart = np.corrcoef(z) - np.eye(len(z))
    assert np.abs(apart).max() < 0.03
    assert np.abs(z.mean(axis=1)).max() < 0.03
    found = np.corrcoef(np.stack(list(montecarlo.together(montecarlo.normals(20_000, 9)).values())))
    rent = names.index("rent_decline")
    for name in names:
        wanted = {"api_decline": data.value("decision.api_with_rent"), "rent_decline": 1.0,
                  "residual": -data.value("decision.resale_with_rent")}.get(name, 0.0)
        assert found[rent, names.index(name)] == pytest.approx(wanted, abs=0.03), name
    moved = montecarlo.together(montecarlo.normals(20_000, 9))
    assert all(one.std() == pytest.approx(1, abs=0.03) for one in moved.values())


def test_without_ranges_every_draw_is_the_deterministic_result():
    case = made(uncertainty=CERTAIN)
    done = montecarlo.run(case, draws=500)
    assert len(done.options) > 4
    for place, option in enumerate(done.options):
        assert done.costs[:, place] == pytest.approx(option["middle"], rel=1e-12)
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
    alone = {option["kind"]: option for option in options if "+" not in option["kind"]}
    assert set(alone) == set(today.index)
    for kind, option in alone.items():
        assert option["middle"] == pytest.approx(today[kind], rel=1e-12), kind


# --- present values by hand ------------------------------------------------------------------------


def hand(**change):
    given = {"years": 2, "discount_rate": 0.1, "usd_per_kwh": 0.2, "isl": 700, "osl": 90, "rent_decline": np.log(1.25),
             "api_decline": np.log(1.25)}
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
    spent = sum(horizon.owned_usd(hand(years=years, rent_decline=0.0), drawn, n_gpus, OWNED, 30e3))
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
    assert sum(chances["by_group"].values()) == pytest.approx(1, abs=1e-12)
    assert table["probability_marginal"].sum() == pytest.approx(1, abs=1e-12)
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
    for usd in (0.4, 1.0, 1.6, 2.4, 6.0):
        case = made(money={"usd_per_gpu_hour": {"h100-sxm-80gb": dict.fromkeys(kinds, usd)}})
        done = montecarlo.run(case, draws=1000)
        found = drivers.cheapest(case, done)["by_group"]
        shares.append(sum(found.get(group, 0.0) for group in ("commitment", "rent by the hour")))
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.9 > 0.1 > shares[-1]


PRICED = {"on_demand": "rent by the hour", "own": "own", "api": "API", "rental_3y": "commitment"}


def dearer(kind, more):
    """The case with one price times ``more``."""
    price = {"usd_per_gpu_hour": {"h100-sxm-80gb": {"on_demand": 1.9, "rental_3y": 1.5}}, "usd_per_gpu": {"h100-sxm-80gb": 21e3},
             "api": {"usd_per_mtok_in": 0.05, "usd_per_mtok_out": 0.15}}
    if kind == "own":
        price["usd_per_gpu"]["h100-sxm-80gb"] *= more
    elif kind == "api":
        price["api"] = {name: more * usd for name, usd in price["api"].items()}
    else:
        price["usd_per_gpu_hour"]["h100-sxm-80gb"][kind] *= more
    return made(money=price)


@pytest.mark.parametrize("kind", list(PRICED))
def test_a_dearer_price_never_raises_the_share_of_wins_of_its_kind(kind):
    """With bases planned anew for each price."""
    shares = []
    for more in (0.5, 0.8, 1.0, 1.2, 1.6):
        case = dearer(kind, more)
        shares.append(drivers.cheapest(case, montecarlo.run(case, draws=1500))["by_group"].get(PRICED[kind], 0.0))
    assert shares == sorted(shares, reverse=True), kind
    assert shares[0] > shares[-1], "a price at which nothing is decided tests nothing"


@pytest.mark.parametrize("kind", list(PRICED))
def test_a_dearer_price_of_a_choice_never_raises_its_own_share_of_wins(kind):
    """All choices as they were planned; the price moves whatever uses it."""
    case = dearer(kind, 1.0)
    done, shares = montecarlo.run(case, draws=1500), []
    z = montecarlo.together(montecarlo.normals(1500, case.seed))
    values = montecarlo.input_draws(done.inputs, z)
    for more in (0.3, 0.6, 1.0, 1.5, 2.5):
        costs = []
        for option in done.options:
            option = dict(option)
            if option["base"] == kind:
                option["usd"] *= more
                if kind == "own":
                    option["inputs"] = option["inputs"] | {"usd_per_gpu": more * option["inputs"]["usd_per_gpu"]}
            if option.get("rest") == kind:
                column = "usd_per_mtok_used" if kind == "api" else "usd_per_gpu_hour"
                option["rest_row"] = option["rest_row"].copy()
                option["rest_row"][column] *= more
            costs.append(montecarlo.levelised(case, option, values, z, done.inputs))
        winner = np.column_stack(costs).argmin(axis=1)
        shares.append((winner == [option["kind"] for option in done.options].index(kind)).mean())
    assert shares == sorted(shares, reverse=True) and shares[0] > 0, kind


def test_every_cost_rises_with_its_own_price_and_falls_with_speed(small):
    case, _, done = small
    z = {name: np.zeros(3) for name in montecarlo.INPUTS}
    moved = {name: z | {name: np.array([-2.0, 0.0, 2.0])} for name in montecarlo.INPUTS}
    for option in done.options:
        def cost(name, option=option):
            return montecarlo.levelised(case, option, montecarlo.input_draws(done.inputs, moved[name]), moved[name], done.inputs)

        if option["base"] != "api":
            assert (np.diff(cost("efficiency")) <= 1e-12).all(), option["name"]
            assert (np.diff(cost("ops_overhead")) > 0).all(), option["name"]
            assert (np.diff(cost("people")) > 0).all(), option["name"]
        assert (np.diff(cost("api_decline")) <= 0).all()
        assert (np.diff(cost("residual")) <= 0).all()
        assert (np.diff(cost("availability")) <= 1e-12).all()
        assert (cost("rent_price") == cost("rent_price")[1]).all(), "what was agreed with a seller is known"


def test_interpolated_fleets_are_the_planned_ones(small):
    case, _, done = small
    option = next(one for one in done.options if one["kind"] == "own")
    loads = np.geomspace(5e6, 1e8, 40)
    at, row = fleet_tables.placed(option["fleet"], loads), option["row"].drop("unit_gpus")
    for policy, found in (("fixed", fleet_tables.peak_replicas(option["fleet"], at)),
                          ("autoscale", fleet_tables.mean_replicas(option["fleet"], at))):
        planned = decision.paid_replicas(case, row, policy, loads)
        assert found == pytest.approx(planned, rel=0.05, abs=1.0)


def test_what_a_base_leaves_is_counted_hour_by_hour(small):
    case, _, done = small
    fleet = next(one for one in done.options if one["kind"] == "own")["fleet"]
    load = fleet.loads[len(fleet.loads) // 2]
    rates, needed, paid = (one[0] for one in fleet_tables.hours(case, fleet.row, load))
    at = fleet_tables.placed(fleet, np.array([load]))
    for base in (*fleet.levels[[0, 1, 5]], fleet.levels[fleet.levels >= needed.max()][0]):
        lacking = sum(max(one - base, 0.0) for one in paid) / len(paid)
        left = sum(rate * max(1 - base / need, 0.0) for rate, need in zip(rates, needed, strict=True)) / rates.sum()
        level = int(np.flatnonzero(fleet.levels == base)[0])  # a size of the table
        row = len(fleet.loads) // 2
        assert fleet.beyond[row, level] == pytest.approx(lacking) and fleet.overflow[row, level] == pytest.approx(left)
        assert fleet_tables.of_base(fleet, "beyond", at, np.array([base]))[0] == pytest.approx(lacking)
        assert fleet_tables.of_base(fleet, "overflow", at, np.array([base]))[0] == pytest.approx(left)
    assert left == 0, "a base of the busiest hour leaves nothing"


def test_a_crowd_is_served_in_step_with_its_size():
    case = made(workload={"growth_per_year": 10.0, "requests_per_day": 1e9}, money={"years": 15}, choices=["own", "api"])
    done = montecarlo.run(case, draws=50)
    assert np.isfinite(done.costs).all()
    option = next(one for one in done.options if one["base"] == "own")
    fleet = option["fleet"]
    assert fleet.loads[-1] == fleet_tables.CROWD
    once, twice = (fleet_tables.mean_replicas(fleet, fleet_tables.placed(fleet, np.array([load])))[0] for load in (2e16, 4e16))
    assert twice == pytest.approx(2 * once)


def test_all_loads_of_all_draws_lie_in_the_tables(small):
    case, _, done = small
    z = montecarlo.normals(DRAWS, case.seed)
    demand = montecarlo.years_demand(case, montecarlo.input_draws(done.inputs, z))
    for option in done.options:
        if option["base"] != "api":
            for load in montecarlo._loads(option, demand, done.inputs, z):
                assert option["fleet"].loads[0] <= load.min() * (1 + 1e-12)
                assert load.max() <= option["fleet"].loads[-1] * (1 + 1e-12)


# --- one market ------------------------------------------------------------------------------------


def test_prices_start_at_what_was_agreed_and_spread_with_the_root_of_the_time():
    case = hand(rent_decline=0.1)
    drawn = {"rent_decline": np.array([0.1, 0.4, -0.2])}
    assert horizon.moved(case, drawn, "rent_decline", 0.0) == pytest.approx([1, 1, 1])
    assert horizon.moved(case, drawn, "rent_decline", 1.0) == pytest.approx(np.exp([-0.1, -0.4, 0.2]))
    # after four years the drift is four times, what the draw adds twice
    assert horizon.moved(case, drawn, "rent_decline", 4.0) == pytest.approx(np.exp([-0.4, -1.0, 0.2]))


def test_no_draw_sells_a_used_machine_above_a_new_one(small):
    case, _, done = small
    z = montecarlo.together(montecarlo.normals(20_000, 5))
    values = montecarlo.input_draws(done.inputs, z)
    new = horizon.moved(case, values, "rent_decline", float(case.years))
    for year in range(case.years):
        used = horizon.resale(case, values, year, case.years)
        assert (used <= new).all() and (used < new).mean() > 0.9
    # at all medians it is the share that the scenario states
    assert horizon.resale(case, montecarlo.input_draws(done.inputs, montecarlo.ZERO), 0, 3)[0] == pytest.approx(0.4)
    # where new ones fall to nothing, so do used ones
    low = values | {"rent_decline": np.full(3, 5.0), "residual": np.full(3, 0.9)}
    assert (horizon.resale(case, low, 0, 3) <= horizon.moved(case, low, "rent_decline", 3.0)).all()


# --- commitments do not foresee --------------------------------------------------------------------


def test_machines_are_taken_for_the_plan_and_the_year_before(small):
    case, _, done = small
    z = {name: np.zeros(3) for name in montecarlo.INPUTS}
    values = montecarlo.input_draws(done.inputs, z) | {"demand": np.array([0.4, 1.0, 3.0])}
    demand = montecarlo.years_demand(case, values)
    option = next(one for one in done.options if one["kind"] == "own")
    load = montecarlo.felt(case, option, demand, done.inputs, z)
    first, second, third = montecarlo.bases(option, load)
    assert first.shape == (1,), "the first year is bought before a draw is known"
    assert first[0] >= fleet_tables.peak_replicas(option["fleet"], load.at[0])[1] > first[0] - 8
    assert (second >= first).all() and (third >= second).all(), "what is bought is not given back"
    assert second[2] > second[0], "the second year has seen the first"
    spent = montecarlo.yearly(case, option, values, z, done.inputs, demand, load=load)
    assert spent[0][2] > spent[0][1] == pytest.approx(spent[0][0]), "too few machines cost more, too many cost as much"


def test_a_base_with_nothing_beside_it_is_bought_as_needed():
    case = made(choices=["own"])
    done = montecarlo.run(case, draws=200)
    option = done.options[0]
    assert option["rest"] is None and len(done.options) == 1
    z = montecarlo.normals(200, case.seed)
    values = montecarlo.input_draws(done.inputs, z)
    load = montecarlo.felt(case, option, montecarlo.years_demand(case, values), done.inputs, z)
    held = montecarlo.bases(option, load)
    assert all((one >= come).all() for one, come in zip(held, load.come, strict=True))


# --- mixes -----------------------------------------------------------------------------------------


def test_a_mix_of_one_is_that_one():
    demand = np.array([1.0, 2.0, 5.0, 2.0])
    assert mixes.planned(demand, base=1.0, on_top=100.0) == pytest.approx(5.0), "a base for the busiest hour: the base alone"
    assert mixes.planned(demand, base=5.0, on_top=1.0) == pytest.approx(0.0), "no base: what is on top alone"
    # two of four hours need more than 2: a third replica pays from twice its price on top, a fifth from four times
    assert mixes.planned(demand, base=1.0, on_top=1.5) == pytest.approx(2.0)
    offers = portfolio.validated(mixes.pd.DataFrame([{"offer": "base", "provider": "base", "kind": portfolio.COMMITTED,
                                                      "usd_per_gpu_hour": 1.0, "limit": np.inf}]))
    alone = portfolio.cheapest(demand, offers, spot_share=0.0, lost_share=1.0)
    assert alone["cost"] == pytest.approx(4 * 5.0) and alone["committed"]["base"] == pytest.approx(5.0)


def test_a_mix_whose_base_is_all_costs_what_the_base_does(small):
    """And one whose base is nothing what is on top does: the bill of a mix runs into those of its parts."""
    case, offered, done = small
    rows = decision.feasible(offered.table).set_index("kind", drop=False)
    whole = next(one for one in done.options if one["kind"] == "own")
    hourly = rows.loc["on_demand"]
    values = montecarlo.input_draws(done.inputs, montecarlo.ZERO)
    demand = montecarlo.years_demand(case, values)
    mix = whole | {"kind": "own+hourly", "rest": "on_demand", "rest_row": hourly, "share": 1.0}
    price = [montecarlo.levelised(case, one, values, montecarlo.ZERO, done.inputs)[0] for one in (whole, mix)]
    assert price[0] == pytest.approx(price[1], rel=1e-12)
    bills = [mixes.bill_of(case, one) for one in (whole, mix)]
    for name, usd in bills[0].items():
        assert bills[1][name] == pytest.approx(usd, rel=1e-9, abs=1e-6), name
    load = montecarlo.felt(case, whole, demand, done.inputs, montecarlo.ZERO)
    nothing = [0.0 * one for one in montecarlo.bases(whole, load)]
    on_top = montecarlo._rest(case, mix, values, montecarlo.ZERO, done.inputs, demand, load, nothing)
    by_the_hour = next(one for one in done.options if one["kind"] == "on_demand")
    assert np.ravel(on_top) == pytest.approx(
        np.ravel(montecarlo.yearly(case, by_the_hour, values, montecarlo.ZERO, done.inputs, demand)), rel=1e-9)


def test_the_bills_of_the_draws_add_up_and_are_those_of_today(small):
    case, offered, done = small
    table = answers.bills(case, done).table
    lines = [f"usd_per_month_{line}" for line in mixes.bill.LINES]
    assert list(table[lines].sum(axis=1)) == pytest.approx(list(table["usd_per_month"]), rel=1e-12)
    today = decision.feasible(offered.table).drop_duplicates("kind").set_index("kind")["usd_per_month"]
    for _, row in table[~table["kind"].str.contains("+", regex=False)].iterrows():
        assert row["usd_per_month"] >= today[row["kind"]] * (1 - 1e-12), row["kind"]
    assert any("+" in kind for kind in table["kind"]), "mixes are choices of their own"


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
    said = answers.headline(case, offered, done)
    chosen = done.options[answers.best(done)]
    groups = drivers.kinds(case, done).table.set_index("group")["probability"]
    assert said["number"] == f"{groups[chosen['group']]:.0%}"
    usd = float(f"{mixes.bill_of(case, chosen)['usd_per_month']:.3g}")
    assert f"about ${usd:,.0f} a month today" in said.sentence
    assert chosen["name"] == drivers.cheapest(case, done)["safest"], "the least mean cost is the least regret"


def test_the_six_questions_are_answered_from_the_bill(small):
    case, offered, done = small
    crossings = break_even.against_api(case, offered)
    found = answers.questions(case, crossings, done).table.set_index("question")["answer"]
    assert len(found) == 6 and found.str.endswith(".").all()
    plain, half = answers.average_months(case, done), answers.average_months(case, done, demand=0.5)
    place = answers.best(done)
    change = half[place] / plain[place] - 1
    assert f"{abs(change):.0%}" in found["What if demand is half?"]
    assert (half <= plain * (1 + 1e-9)).all(), "half the requests never cost more"
    # at all medians a mean month is the levelised cost of its tokens: for the API with prices and load that stand still
    still = made(workload={"growth_per_year": 0.0}, money=STILL)
    calm = montecarlo.run(still, draws=50)
    months = dict(zip([one["kind"] for one in calm.options], answers.average_months(still, calm), strict=True))
    bills = answers.bills(still, calm).table.set_index("kind")["usd_per_month"]
    for kind, usd in months.items():
        if "+" not in kind:
            assert usd == pytest.approx(bills[kind], rel=1e-9), kind


def test_people_decide_between_the_two_lenses():
    """A team that exists is no argument for the API; one that must be hired is."""
    dear = made(service={"people": 5, "spare_replicas": 1})
    done = montecarlo.run(dear, draws=500)
    kinds = drivers.kinds(dear, done).table.set_index("group")
    free = montecarlo.run(made(service={"people": 0, "api_people": 0, "spare_replicas": 1}), draws=500)
    without = drivers.kinds(made(service={"people": 0, "api_people": 0, "spare_replicas": 1}), free).table.set_index("group")
    assert kinds.loc["API", "probability"] > kinds.loc["API", "probability_marginal"]
    for group in kinds.index:
        assert kinds.loc[group, "probability_marginal"] == pytest.approx(without.loc[group, "probability"], abs=1e-12)


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
    place = [option["kind"] for option in done.options].index(done.owner["kind"])
    assert now == pytest.approx(done.costs[:, place])
    table = drivers.waiting(case, done).table
    assert list(table["name"]) == list(montecarlo.PLANS)
    assert table.loc[0, "saves"] == 0
    assert table.loc[1, "saves"] == pytest.approx((now - later).mean())


def test_waiting_a_year_by_hand():
    # A machine that falls by a fifth in a year and loses its value in a straight line; the bridge is an API.
    case = made(uncertainty=CERTAIN, choices=["own", "api"], workload={"requests_per_day": 3e6})
    done = montecarlo.run(case, draws=3)
    owner = done.owner
    values = montecarlo.input_draws(done.inputs, montecarlo.ZERO)
    demand = montecarlo.years_demand(case, values)
    load = montecarlo.felt(case, owner, demand, done.inputs, montecarlo.ZERO)
    n_gpus = [base * owner["n_gpus"] for base in montecarlo.bases(owner, load, first=1)]
    assert n_gpus[0] == 0 and n_gpus[1] > 0
    bought = horizon.owned_usd(case, values, n_gpus, owner["inputs"], owner["inputs"]["usd_per_gpu"], first=1)
    sold = horizon.api_usd(case, values, demand, (700 * 0.05 + 90 * 0.15) / 790)
    # a year of 0.05 positions beside the API, two of 0.2 beside machines, at 200,000 USD a year paid at its end
    people = 200e3 * (0.05 / 1.1 + 0.2 / 1.1**2 + 0.2 / 1.1**3)
    assert owner["kind"] == "own"
    assert done.waiting[0, 1] == pytest.approx(((sold[0] + sum(bought) + people) / horizon.present_mtok(case, demand))[0])


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
    assert "is all that can be had" in chances.sentence
    assert "Left out" not in chances.note


def test_a_year_of_waiting_that_costs_is_never_called_worth_something(small):
    case, _, done = small
    dear = SimpleNamespace(**{**vars(done), "waiting": done.waiting[:, :1] * [1.0, 1.3, 1.2]})
    finding = drivers.waiting(case, dear).sentence
    assert "waiting a year by renting H100 on a marketplace costs $" in finding
    assert "deciding only then costs $" in finding
    assert "$-" not in finding


def test_one_draw_is_no_distribution(small):
    with pytest.raises(ValueError, match="parameter 'draws' is 1, but must be at least 2"):
        montecarlo.run(small[0], small[1], draws=1)

"""Own, commit, rent by the hour or call an API as a probability: draws over what stays unknown when all is signed.

Sellers are chosen before, by the price rule; a price of today is known.  Unknown are how prices that float move on, how many
requests come, how fast the machines are, power, people, failures, and what a machine sells for.  Machines and contracts are
taken for the demand that was planned, with what was seen so far; then the year comes, what is missing is rented by the hour or
sent to an API, and what is idle is paid.

Every input has a median and a 10th and 90th percentile.  The same seed gives the same digits, whatever the size of the chunks
and the number of choices.
"""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, queries
from tokenecon.decision import fleet_tables, horizon, mixes
from tokenecon.decision import options as decision
from tokenecon.errors import BadInput, NothingServes
from tokenecon.formulas import uncertainty
from tokenecon.prices import gpu_prices

# input -> (words, unit, row of data/assumptions.csv that gives its range; "" where each choice has a range of its own, None
# where nothing is unknown unless the scenario says so)
INPUTS = {
    "demand": ("Requests over those planned", "ratio", "decision.demand"),
    "growth": ("Growth in a year", "fraction", "decision.growth"),
    "efficiency": ("Speed over the model's estimate", "ratio", ""),
    "rent_price": ("Rents over those agreed", "ratio", None),
    "purchase_price": ("Purchase price over the one agreed", "ratio", None),
    "api_price": ("API prices over those agreed", "ratio", None),
    "power_price": ("Electricity over the scenario's price", "ratio", "power.price"),
    "ops_overhead": ("Tools and tests over machines", "fraction", "finance.ops_overhead"),
    "residual": ("Resale value at the end", "fraction", "finance.residual"),
    "rent_decline": ("Decline of rents and machines in a year", "1/yr", "decision.rent_decline"),
    "api_decline": ("Decline of API prices in a year", "1/yr", "decision.api_decline"),
    "people": ("Positions that run the service", "count", "people.serving"),
    "availability": ("Share of the time that an owned GPU works", "fraction", "finance.availability"),
}  # fmt: skip
RATIOS = ("demand", "efficiency", "rent_price", "purchase_price", "api_price", "power_price")
LEVELS = {"growth": "growth_per_year", "ops_overhead": "ops_overhead", "residual": "residual_share",
          "rent_decline": "rent_decline", "api_decline": "api_decline", "people": "people"}  # input -> field of its median
SCALED = ("ops_overhead", "people")  # the row's range as ratios to what the scenario says
# correlated with rent_decline: input -> (row, sign)
WITH_RENT = {"api_decline": ("decision.api_with_rent", 1), "residual": ("decision.resale_with_rent", -1)}
PRICE_OF = {"own": "purchase_price", "api": "api_price"}  # every other kind is rented
SLOWEST_GROWTH = -0.9  # a draw below it is as good as an end of the service
DRAWS = 100_000
CHUNK = 65_536  # draws at once: their arrays stay near the core
QUANTILES = (0.1, 0.5, 0.9)
PLANS = ("buy now", "buy in a year", "decide in a year")
THREADS = 2
ZERO = {name: np.zeros(1) for name in INPUTS}  # all inputs at their medians
QUARTER = 0.25  # of the first year, for which a three-month reservation is made without having seen any demand


def middle(case, name):
    """Median of an input: 1 of a ratio, the row's of availability, else what the case says."""
    if name == "availability":
        return data.value("finance.availability")
    return 1.0 if name in RATIOS else float(getattr(case, LEVELS[name]))


def inputs(case):
    """Median, 10th and 90th percentile of every input; blank ends where each choice has a range of its own."""
    rows = []
    for name, (words, unit, row) in INPUTS.items():
        at = middle(case, name)
        low, high = case.uncertainty.get(name, (at, at) if row is None else (np.nan, np.nan))
        if name not in case.uncertainty and row:
            low, value, high = data.span(row)
            if name == "residual":  # the row is of a whole life, the input of the years until the sale
                low, value, high = (horizon.resale_share(case.years, end) for end in (low, value, high))
            if name in RATIOS or name in SCALED:  # the row's range, around what the scenario says
                low, high = (at * low / value, at * high / value) if value else (at, at)
            elif name == "growth":
                low, high = at + low - value, at + high - value
            else:
                low, high = min(low, at), max(high, at)
        rows.append({"input": name, "name": words, "unit": unit, "middle": at, "low": low, "high": high})
    return pd.DataFrame(rows).set_index("input")


def normals(draws, seed):
    """Standard normal draws of every input: a stream of its own for each, so that none depends on another."""
    streams = np.random.SeedSequence(seed).spawn(len(INPUTS))
    return {name: np.random.Generator(np.random.PCG64(stream)).standard_normal(draws)
            for name, stream in zip(INPUTS, streams, strict=True)}


def together(z):
    """Draws of one market: API prices and what used machines keep move with the decline of rents, as far as they are said to."""
    out = dict(z)
    for name, (row, sign) in WITH_RENT.items():
        share = sign * data.value(row)
        out[name] = share * z["rent_decline"] + np.sqrt(1 - share**2) * z[name]
    return out


def input_draws(table, z):
    """Values of the inputs that all choices share, from their standard normal draws."""
    out = {}
    for name in INPUTS:
        low, at, high = table.loc[name, ["low", "middle", "high"]].astype(float)
        if low != low:
            continue
        piece = uncertainty.two_piece_lognormal if _positive(name, low) else uncertainty.two_piece_normal
        out[name] = piece(middle=at, low=low, high=high, z=z[name]) if low < high else at + 0.0 * z[name]
    out["growth"] = np.maximum(out["growth"], SLOWEST_GROWTH)
    out["residual"] = np.clip(out["residual"], 0.0, 1.0)
    out["ops_overhead"] = np.maximum(out["ops_overhead"], 0.0)
    out["people"] = np.maximum(out["people"], 0.0)
    out["availability"] = np.clip(out["availability"], 0.0, 1.0)
    return out


def _positive(name, low):
    return name in RATIOS or (name in SCALED and low > 0)


# --- choices ---------------------------------------------------------------------------------------


def options(case, table):
    """The choices compared: the API; for each kind of hour the GPU that costs least over the years at all medians; the mixes.

    A contract that binds for longer than these years is not among them: its later years would be paid by nobody.
    """
    rows = [row for _, row in decision.feasible(table).iterrows() if not horizon.outlasts(case, row["kind"])]
    if not rows:
        raise NothingServes(f"all that can be had binds for longer than years = {case.years}; raise years")
    shared, tables = inputs(case), {}
    api = next((row for row in rows if row["kind"] == "api"), None)
    hourly = {}
    for row in rows:  # the cheapest first
        if decision.group_of(row["kind"]) == "hourly":
            hourly.setdefault(row["gpu"], row)
    found = {}
    for row in rows:
        _keep(case, shared, found, tables, _option(case, row, hourly.get(row["gpu"]), api))
        if row["kind"] == "own" or row["kind"] in gpu_prices.TERM_MONTHS:
            for burst in (hourly.get(row["gpu"]), api):
                if burst is not None:
                    for share in mixes.shares(case, row, burst):
                        _keep(case, shared, found, tables, _option(case, row, hourly.get(row["gpu"]), api, burst, share))
    return sorted(found.values(), key=lambda option: option["middle"])


def _keep(case, shared, found, tables, option):
    """Put an option among those found if it is the cheapest of its kind at all medians."""
    values = input_draws(shared, ZERO)
    if option["kind"] != "api":
        key = _fleet_of(option)
        if key not in tables:
            exact = _exact(case, option, shared)
            tables[key] = fleet_tables.of_loads(case, option["row"], exact)
        option["fleet"] = tables[key]
    option["middle"] = float(levelised(case, option, values, ZERO, shared)[0])
    if option["kind"] not in found or option["middle"] < found[option["kind"]]["middle"]:
        found[option["kind"]] = option


def _option(case, row, hourly, api, burst=None, share=1.0):
    """A choice: its row of :func:`offers`, and for a base of machines what takes the rest and how large a base is planned."""
    option = {name: row[name] for name in ("name", "kind", "choice", "group", "gpu")}
    option |= {"base": row["kind"], "row": row, "share": share, "months": row["commitment_months"]}
    if row["kind"] == "api":
        return option | {"usd": row["usd_per_mtok_used"]}
    option |= {"n_gpus": row["n_gpus"], "speed": tuple(row[f"requests_per_s{end}"] for end in decision.ENDS),
               "usd": row["usd_per_gpu_hour"]}
    if decision.group_of(row["kind"]) == "hourly":
        return option
    rest = next((one for one in (burst, hourly, api) if one is not None), None)
    option |= {"rest": None if rest is None else rest["kind"], "rest_row": rest}
    if row["kind"] == "own":
        option |= {"inputs": horizon.owned_inputs(case, row["gpu"], row["utilisation"])}
    if burst is not None:
        option |= {"kind": f"{row['kind']}+{'api' if burst['kind'] == 'api' else 'hourly'}",
                   "name": mixes.words(row["name"], burst["kind"])}
    return option


def _fleet_of(option):
    """What choices have in common whose fleet is the same."""
    return option["gpu"], option.get("n_gpus"), option["row"].get("requests_per_s")


def _exact(case, option, shared):
    """Loads at which a fleet must be exact: today's, the plan of each year, and what each year brings at all medians."""
    values = input_draws(shared, ZERO)
    demand = years_demand(case, values)
    planned = [horizon.planned_requests_per_day(case, year) for year in range(case.years)]
    return np.concatenate([[case.requests_per_day, *planned], *_loads(option, demand, shared, ZERO)])


def priced(option, shared, z, name):
    """What a choice pays for its machines or tokens, or what its rest does, with a range only where the scenario states one."""
    low, high = shared.loc[name, "low"], shared.loc[name, "high"]
    if not low < high:
        return 1.0
    return uncertainty.two_piece_lognormal(middle=1.0, low=low, high=high, z=z[name])


def price_input(option):
    """The input that moves the price of a choice."""
    return PRICE_OF.get(option["base"], "rent_price")


def speed(option, shared, z):
    """Draw of a speed within the model's interval of its GPU; the scenario's `uncertainty` goes before it. [request/s]"""
    low, at, high = option["speed"]
    if shared.loc["efficiency", "low"] == shared.loc["efficiency", "low"]:
        low, high = at * shared.loc["efficiency", "low"], at * shared.loc["efficiency", "high"]
    if not low < high:
        return at + 0.0 * z["efficiency"]
    return uncertainty.two_piece_lognormal(middle=at, low=low, high=high, z=z["efficiency"])


def years_demand(case, values):
    """Requests of a day in the middle of each year."""
    return [horizon.requests_per_day(case, values, year) for year in range(case.years)]


def _loads(option, demand, shared, z):
    """Requests of a day of each year, as a fleet of the median speed would feel them."""
    slow = option["speed"][1] / speed(option, shared, z)
    return [day * slow for day in demand]


# --- what a choice costs in each year --------------------------------------------------------------


def felt(case, option, demand, shared, z):
    """Loads of each year as the fleet of an option feels them, their places in its tables, and the peak that each plan is for."""
    fleet, loads = option["fleet"], _loads(option, demand, shared, z)
    plans = [np.atleast_1d(horizon.planned_requests_per_day(case, 0)),
             *(load * (1 + case.growth_per_year) for load in loads[:-1])]
    at, plans = ([fleet_tables.placed(fleet, load) for load in some] for some in (loads, plans))
    return SimpleNamespace(at=at, planned=[fleet_tables.peak_replicas(fleet, plan) for plan in plans],
                           come=[fleet_tables.peak_replicas(fleet, one) for one in at])


def bases(option, load, first=0):
    """Replicas of the base in each year, taken before the year is seen: for the plan, then for the last year and its plan.

    Machines and contracts of several years only grow.  A reservation of three months is made anew with each quarter's demand
    but the first's.  Where nothing can take what is missing it is bought at once.
    """
    out, term = [], horizon.TERM.get(option["base"])
    for year, planned in enumerate(load.planned):
        if year < first:
            out.append(np.zeros(1))
            continue
        wanted = mixes.sized(option, planned)
        if option["base"] == "reserved_3m" or option["rest"] is None:
            come = mixes.sized(option, load.come[year])
            unseen = QUARTER if year == 0 else 0.0
            wanted = np.maximum(wanted, come) if option["rest"] is None else unseen * wanted + (1 - unseen) * come
        keeps = option["base"] == "own" or (term is not None and year % term)
        out.append(np.maximum(wanted, out[-1]) if keeps and out else wanted)
    return out


def yearly(case, option, values, z, shared, demand, *, load=None, first=0):
    """Present value of each year of one choice, without people. [USD]"""
    price = option["usd"] * priced(option, shared, z, price_input(option))
    if option["base"] == "api":
        return horizon.api_usd(case, values, demand, price)
    load = load or felt(case, option, demand, shared, z)
    if "rest" not in option:
        n_gpus = [fleet_tables.mean_replicas(option["fleet"], at) * option["n_gpus"] for at in load.at]
        return horizon.rented_usd(case, values, n_gpus, option["base"], price)
    held = bases(option, load, first)
    n_gpus = [base * option["n_gpus"] for base in held]
    if option["base"] == "own":
        bought = option["inputs"]["usd_per_gpu"] * priced(option, shared, z, "purchase_price")
        paid = horizon.owned_usd(case, values, n_gpus, option["inputs"], bought, first=first)
        held = [base * (values["availability"] / option["inputs"]["availability"]) for base in held]
    else:
        paid = horizon.rented_usd(case, values, n_gpus, option["base"], price)
    if option["rest"] is None:
        return paid
    rest = _rest(case, option, values, z, shared, demand, load, held)
    return [one + more * (year >= first) for year, (one, more) in enumerate(zip(paid, rest, strict=True))]


def _rest(case, option, values, z, shared, demand, load, held):
    """Present value of each year of what a base leaves to machines by the hour or to an API. [USD]"""
    fleet, row = option["fleet"], option["rest_row"]
    kind = "overflow" if option["rest"] == "api" else "beyond"
    left = [fleet_tables.of_base(fleet, kind, at, base) for at, base in zip(load.at, held, strict=True)]
    if option["rest"] == "api":
        price = row["usd_per_mtok_used"] * priced(option, shared, z, "api_price")
        return horizon.api_usd(case, values, [day * share for day, share in zip(demand, left, strict=True)], price)
    price = row["usd_per_gpu_hour"] * priced(option, shared, z, "rent_price")
    return horizon.rented_usd(case, values, [replicas * option["n_gpus"] for replicas in left], option["rest"], price)


def positions(case, option, values):
    """Positions that a choice pays: those who run machines, those who look after an API, or both."""
    mine = values["people"] if option["base"] != "api" else 0.0
    return mine + (case.api_people if option["base"] == "api" or option["kind"].endswith("+api") else 0.0)


def levelised(case, option, values, z, shared):
    """Present value of a choice over that of its tokens, people included. [USD/Mtok]"""
    demand = years_demand(case, values)
    spent = sum(yearly(case, option, values, z, shared, demand)) + sum(horizon.people_usd(case, positions(case, option, values)))
    return spent / horizon.present_mtok(case, demand)


# --- all draws -------------------------------------------------------------------------------------


def run(case, offered=None, *, draws=DRAWS, seed=None, chunk=CHUNK):
    """All draws of a decision: costs by draw and choice, and what waiting a year would cost.

    ``offered`` is what :func:`tokenecon.decision.options.offers` found.  A namespace: ``options``, ``inputs``, ``costs``
    (draws × options, USD/Mtok over the horizon), ``position`` (of it one position, by draw), ``staffed`` (positions by draw),
    ``waiting`` (draws × 3: buy now, buy in a year, decide in a year; or None), ``owner`` (what is bought), ``bridge`` (what
    serves in the year of waiting), ``draws``, ``seed``, ``left`` (contracts that can be had but bind for longer than the
    horizon), ``queries`` (what was asked of ``data/``).
    """
    if draws < 2:
        raise BadInput(f"parameter 'draws' is {draws}, but must be at least 2: one draw has no spread")
    with queries.recording() as asked:
        done = _run(case, (decision.offers(case) if offered is None else offered).table, draws,
                    case.seed if seed is None else seed, chunk)
    done.queries = tuple(asked)
    return done


def _run(case, table, draws, seed, chunk):
    chosen, shared = options(case, table), inputs(case)
    z = together(normals(draws, seed))
    _plan_fleets(case, chosen, shared, z)
    owner = next((option for option in chosen if option["base"] == "own"), None)
    bridge = _bridge(case, chosen, shared)
    waits = owner is not None and bridge is not None and case.years > 1
    costs, position = np.empty((draws, len(chosen))), np.empty(draws)
    waiting = np.empty((draws, len(PLANS))) if waits else None

    def part(start):
        place = slice(start, start + chunk)
        costs[place], position[place], later = _evaluated(
            case, chosen, shared, {name: stream[place] for name, stream in z.items()}, (owner, bridge) if waits else None)
        if waits:
            waiting[place] = later

    with ThreadPoolExecutor(THREADS) as pool:  # the parts share nothing, and NumPy computes outside the interpreter's lock
        list(pool.map(part, range(0, draws, chunk)))
    left = [decision.KINDS[kind][1] for kind in decision.best(table)["kind"] if horizon.outlasts(case, kind)]
    staffed = input_draws(shared, z | {name: ZERO[name] for name in INPUTS if name != "people"})["people"]
    return SimpleNamespace(options=chosen, inputs=shared, costs=costs, position=position, staffed=staffed, waiting=waiting,
                           owner=owner, bridge=bridge, draws=draws, seed=seed, left=left)


def drawn(done):
    """What the draws gave that is kept: positions."""
    return {"people": done.staffed}


def _evaluated(case, chosen, shared, z, waits):
    """Costs of some draws by choice, a position's cost, and the plans that wait if ``waits`` names owner and bridge."""
    values = input_draws(shared, z)
    demand = years_demand(case, values)
    mtok = horizon.present_mtok(case, demand)
    position = sum(horizon.people_usd(case, 1.0))
    loads = {_fleet_of(option): felt(case, option, demand, shared, z) for option in chosen if option["base"] != "api"}
    spent = {option["kind"]: yearly(case, option, values, z, shared, demand, load=loads.get(_fleet_of(option)))
             for option in chosen}
    costs = np.column_stack([(sum(spent[option["kind"]]) + positions(case, option, values) * position) / mtok
                             for option in chosen])
    if waits is None:
        return costs, position / mtok, None
    owner, bridge = waits
    later = yearly(case, owner, values, z, shared, demand, load=loads[_fleet_of(owner)], first=1)
    other = spent[bridge["kind"]]
    staff, less = ([one + 0.0 * mtok for one in horizon.people_usd(case, positions(case, option, values))] for option in waits)
    bought = other[0] + less[0] + sum(later) + sum(staff[1:])
    now = sum(spent[owner["kind"]]) + sum(staff)
    return costs, position / mtok, np.column_stack((now, bought, np.minimum(bought, sum(other) + sum(less)))) / mtok[:, None]


def _plan_fleets(case, chosen, shared, z):
    """Give each choice the tables of its fleet over all loads that a draw can ask of it."""
    values = input_draws(shared, z)
    growth = [(1 + values["growth"]) ** (year + horizon.MIDDLE) for year in (0, case.years - 1)]
    known = {}
    for option in chosen:
        if option["base"] == "api":
            continue
        key = _fleet_of(option)
        if key not in known:
            reach = _loads(option, [case.requests_per_day * values["demand"] * grown for grown in growth], shared, z)
            ends = min(load.min() for load in reach), max(load.max() for load in reach) * (1 + max(case.growth_per_year, 0.0))
            known[key] = fleet_tables.of_loads(case, option["row"], _exact(case, option, shared), *ends)
        option["fleet"] = known[key]


def _bridge(case, chosen, shared):
    """What serves while a buyer waits: the cheapest choice of the first year that binds for no longer."""
    values = input_draws(shared, ZERO)
    demand = years_demand(case, values)
    free = [option for option in chosen if option["base"] != "own" and horizon.TERM.get(option["base"], 1) == 1]

    def first_year(option):
        return float(np.ravel(yearly(case, option, values, ZERO, shared, demand)[0]
                              + horizon.people_usd(case, positions(case, option, values))[0])[0])

    return min(free, key=first_year, default=None)

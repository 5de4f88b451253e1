"""Own, rent or API as a probability: draws over prices, demand, growth, efficiency, resale value and declines, one fixed seed.

Every input has a median and a 10th and 90th percentile.  One draw moves all choices alike: a market in which rents are dear is
dear for each way to rent.  The same seed gives the same digits, whatever the size of the chunks and the number of choices.
"""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, queries
from tokenecon.decision import horizon
from tokenecon.decision import options as decision
from tokenecon.errors import BadInput, NothingServes
from tokenecon.formulas import uncertainty

# input -> (words, unit, row of data/assumptions.csv that gives its range; "" where each choice has a range of its own)
INPUTS = {
    "demand": ("Requests over those planned", "ratio", "decision.demand"),
    "growth": ("Growth in a year", "fraction", "decision.growth"),
    "efficiency": ("Speed over the model's estimate", "ratio", ""),
    "rent_price": ("Rents over typical ones", "ratio", ""),
    "purchase_price": ("Purchase price over the typical one", "ratio", ""),
    "api_price": ("API prices over typical ones", "ratio", ""),
    "power_price": ("Electricity over the scenario's price", "ratio", "power.price"),
    "ops_overhead": ("Operations over machines", "fraction", "finance.ops_overhead"),
    "residual": ("Resale value at the end", "fraction", "finance.residual"),
    "rent_decline": ("Decline of rents and machines in a year", "1/yr", "decision.rent_decline"),
    "api_decline": ("Decline of API prices in a year", "1/yr", "decision.api_decline"),
}  # fmt: skip
RATIOS = ("demand", "efficiency", "rent_price", "purchase_price", "api_price", "power_price")
LEVELS = {"growth": "growth_per_year", "ops_overhead": "ops_overhead", "residual": "residual_share",
          "rent_decline": "rent_decline", "api_decline": "api_decline"}  # input -> the field of a case that is its median
PRICE_OF = {"own": "purchase_price", "api": "api_price"}  # every other kind is rented
SLOWEST_GROWTH = -0.9  # a draw below it is as good as an end of the service
DRAWS = 100_000
CHUNK = 65_536  # draws at once: their arrays stay near the core
GRID = 1000  # demands at which the fleet is planned; between them it is interpolated
CROWD = 1e15  # requests of a day beyond which chance plays no part: a fleet grows in step with its load
QUANTILES = (0.1, 0.5, 0.9)
PLANS = ("buy now", "buy in a year", "decide in a year")
THREADS = 2
ZERO = {name: np.zeros(1) for name in INPUTS}  # all inputs at their medians


def middle(case, name):
    """Median of an input: 1 of a ratio, else what the case says."""
    return 1.0 if name in RATIOS else float(getattr(case, LEVELS[name]))


def inputs(case):
    """Median, 10th and 90th percentile of every input; blank ends where each choice has a range of its own."""
    rows = []
    for name, (words, unit, row) in INPUTS.items():
        at = middle(case, name)
        low, high = case.uncertainty.get(name, (np.nan, np.nan))
        if name not in case.uncertainty and row:
            low, value, high = data.span(row)
            if name == "residual":  # the row is of a whole life, the input of the years until the sale
                low, value, high = (horizon.resale_share(case.years, end) for end in (low, value, high))
            if name in RATIOS or name == "ops_overhead":  # the row's range, around what the scenario says
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
    return out


def _positive(name, low):
    return name in RATIOS or (name == "ops_overhead" and low > 0)


# --- one choice ------------------------------------------------------------------------------------


def options(case, table):
    """The choices compared: the API, and for each kind of hour the GPU that costs least over the years at all medians.

    A contract that binds for longer than these years is not among them: its later years would be paid by nobody.
    """
    shared = inputs(case)
    values = input_draws(shared, ZERO)
    demand = years_demand(case, values)
    found = {}
    for _, row in decision.feasible(table).iterrows():
        if horizon.outlasts(case, row["kind"]):
            continue
        option = _option(case, row)
        if option["kind"] != "api":
            option["curve"] = _curve(case, option, _loads(option, demand, shared, ZERO))
        cost = float(levelised(case, option, values, ZERO, shared)[0])
        if row["kind"] not in found or cost < found[row["kind"]]["middle"]:
            found[row["kind"]] = option | {"middle": cost}
    if not found:
        raise NothingServes(f"all that can be had binds for longer than years = {case.years}; raise years")
    return sorted(found.values(), key=lambda option: option["middle"])


def _option(case, row):
    option = {name: row[name] for name in ("name", "kind", "choice", "gpu")}
    if row["kind"] == "api":
        return option | {"price": tuple(row[f"usd_per_mtok{end}"] for end in decision.ENDS)}
    option |= {"row": row, "n_gpus": row["n_gpus"], "policy": decision.KINDS[row["kind"]][2],
               "speed": tuple(row[f"requests_per_s{end}"] for end in decision.ENDS)}
    if row["kind"] == "own":
        own, price = horizon.owned_inputs(case, row["gpu"], row["utilisation"])
        return option | {"inputs": own, "price": price}
    return option | {"price": tuple(row[f"usd_per_gpu_hour{end}"] for end in decision.ENDS)}


def spread(option, name, shared, z):
    """Draw of a price or a speed around an option's own median; the scenario's `uncertainty` goes before its range."""
    low, at, high = option["speed"] if name == "efficiency" else option["price"]
    if shared.loc[name, "low"] == shared.loc[name, "low"]:
        low, high = at * shared.loc[name, "low"], at * shared.loc[name, "high"]
    if not low < high:
        return at + 0.0 * z[name]
    return uncertainty.two_piece_lognormal(middle=at, low=low, high=high, z=z[name])


def years_demand(case, values):
    """Requests of a day in the middle of each year."""
    return [horizon.requests_per_day(case, values, year) for year in range(case.years)]


def _loads(option, demand, shared, z):
    """Requests of a day of each year, as a fleet of the median speed would feel them."""
    slow = option["speed"][1] / spread(option, "efficiency", shared, z)
    return [day * slow for day in demand]


def _curve(case, option, exact, low=None, high=None):
    """Paid replicas over the load of a day, at the loads given and at up to :data:`GRID` others between two ends."""
    loads = np.unique(np.concatenate(exact))
    if low is not None:
        count = decision.points(case, GRID)
        loads = np.unique(np.concatenate((loads, np.geomspace(min(low, loads[0]), max(high, loads[-1]), count))))
    loads = np.unique(np.minimum(loads, CROWD))
    return loads, decision.paid_replicas(case, option["row"], option["policy"], loads)


def fleet_gpus(option, demand, shared, z):
    """GPUs paid for in each year. [GPU]"""
    loads, paid = option["curve"]
    return [np.interp(load, loads, paid) * np.maximum(load / loads[-1], 1.0) * option["n_gpus"]
            for load in _loads(option, demand, shared, z)]


def yearly(case, option, values, z, shared, demand, *, n_gpus=None, first=0):
    """Present value of each year of one choice. [USD]"""
    price = spread(option, PRICE_OF.get(option["kind"], "rent_price"), shared, z)
    if option["kind"] == "api":
        return horizon.api_usd(case, values, demand, price)
    n_gpus = n_gpus or fleet_gpus(option, demand, shared, z)
    if option["kind"] == "own":
        return horizon.owned_usd(case, values, n_gpus, option["inputs"], price, first=first)
    return horizon.rented_usd(case, values, n_gpus, option["kind"], price)


def levelised(case, option, values, z, shared):
    """Present value of a choice over that of its tokens. [USD/Mtok]"""
    demand = years_demand(case, values)
    return sum(yearly(case, option, values, z, shared, demand)) / horizon.present_mtok(case, demand)


# --- all draws -------------------------------------------------------------------------------------


def run(case, offered=None, *, draws=DRAWS, seed=None, chunk=CHUNK):
    """All draws of a decision: costs by draw and choice, and what waiting a year would cost.

    ``offered`` is what :func:`tokenecon.decision.options.offers` found.  A namespace: ``options``, ``inputs``, ``costs``
    (draws × options, USD/Mtok over the horizon), ``waiting`` (draws × 3: buy now, buy in a year, decide in a year; or None),
    ``bridge`` (what serves in the year of waiting), ``draws``, ``seed``, ``left`` (contracts that can be had but bind for longer
    than the horizon), ``queries`` (what was asked of ``data/``).
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
    z = normals(draws, seed)
    _plan_fleets(case, chosen, shared, z)
    owner = next((option for option in chosen if option["kind"] == "own"), None)
    bridge = _bridge(case, chosen, shared)
    waits = owner is not None and bridge is not None and case.years > 1
    costs = np.empty((draws, len(chosen)))
    waiting = np.empty((draws, len(PLANS))) if waits else None

    def part(start):
        place = slice(start, start + chunk)
        found = _evaluated(case, chosen, shared, {name: stream[place] for name, stream in z.items()},
                           (owner, bridge) if waits else None)
        costs[place] = found[0]
        if waits:
            waiting[place] = found[1]

    with ThreadPoolExecutor(THREADS) as pool:  # the parts share nothing, and NumPy computes outside the interpreter's lock
        list(pool.map(part, range(0, draws, chunk)))
    left = [decision.KINDS[kind][1] for kind in decision.best(table)["kind"] if horizon.outlasts(case, kind)]
    return SimpleNamespace(options=chosen, inputs=shared, costs=costs, waiting=waiting, bridge=bridge, draws=draws, seed=seed,
                           left=left)


def _evaluated(case, chosen, shared, z, waits):
    """Costs of some draws by choice, and of the plans that wait if ``waits`` names the owner and what serves meanwhile."""
    values = input_draws(shared, z)
    demand = years_demand(case, values)
    mtok, fleets, spent = horizon.present_mtok(case, demand), {}, {}
    for option in chosen:
        key = _fleet_of(option)
        if option["kind"] != "api" and key not in fleets:
            fleets[key] = fleet_gpus(option, demand, shared, z)
        spent[option["kind"]] = yearly(case, option, values, z, shared, demand, n_gpus=fleets.get(key))
    costs = np.column_stack([sum(spent[option["kind"]]) / mtok for option in chosen])
    if waits is None:
        return costs, None
    owner, bridge = waits
    later = yearly(case, owner, values, z, shared, demand, n_gpus=fleets[_fleet_of(owner)], first=1)
    other = spent[bridge["kind"]]
    bought = other[0] + sum(later)
    return costs, np.column_stack((sum(spent["own"]), bought, np.minimum(bought, sum(other)))) / mtok[:, None]


def _fleet_of(option):
    """What choices have in common whose fleet is the same."""
    return option["gpu"], option.get("policy"), option.get("n_gpus")


def _plan_fleets(case, chosen, shared, z):
    """Give each choice the curve of its fleet over all loads that a draw can ask of it."""
    values, at = input_draws(shared, z), input_draws(shared, ZERO)
    growth = [(1 + values["growth"]) ** (year + horizon.MIDDLE) for year in (0, case.years - 1)]
    known = {}
    for option in chosen:
        if option["kind"] == "api":
            continue
        key = _fleet_of(option)
        if key not in known:
            reach = _loads(option, [case.requests_per_day * values["demand"] * grown for grown in growth], shared, z)
            ends = min(load.min() for load in reach), max(load.max() for load in reach)
            known[key] = _curve(case, option, _loads(option, years_demand(case, at), shared, ZERO), *ends)
        option["curve"] = known[key]


def _bridge(case, chosen, shared):
    """What serves while a buyer waits: the cheapest choice of the first year that binds for no longer."""
    values = input_draws(shared, ZERO)
    demand = years_demand(case, values)
    free = [option for option in chosen if option["kind"] != "own" and horizon.TERM.get(option["kind"], 1) == 1]
    return min(free, key=lambda option: float(yearly(case, option, values, ZERO, shared, demand)[0][0]), default=None)

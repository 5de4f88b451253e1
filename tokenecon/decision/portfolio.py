"""The cheapest mix of contracts and providers for a load that varies: a linear program, in whole replicas if asked.

Paid GPUs of every offer in every hour are the unknowns; a commitment pays the same number in all of them.  What must
hold in each hour: the demand is covered, the share of it that may run on spot is not exceeded, and after the failure of
any one provider no more than a given share of it is missing.  What one more GPU of demand would cost comes out as the
dual of these requirements.
"""


import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, Infeasible, NoPrice
from tokenecon.formulas import contracts
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered

ON_DEMAND, SPOT, COMMITTED = "on demand", "spot", "committed"
KINDS = (ON_DEMAND, SPOT, COMMITTED)
ROUNDING, GAP = 1e-9, 1e-9  # of a number of replicas; of a bill, where the search for whole replicas may end
OFFER_COLUMNS = ("offer", "provider", "kind", "usd_per_gpu_hour", "limit")


def cheapest(demand, offers, *, spot_share, lost_share, whole=None):
    """The cheapest mix for a demand in GPUs by hour, as a dict.

    ``offers`` has one row an offer: offer (a name), provider, kind (one of :data:`KINDS`), usd_per_gpu_hour (of an hour
    of work) and limit (GPUs that its provider has for us, all its offers together; inf where it does not bind).
    ``spot_share`` of an hour's demand may at most depend on spot, ``lost_share`` of it may at most be missing when any
    one provider fails (0: the others cover all of it).  ``whole`` GPUs work only together, as a replica, so that no offer is
    taken for less; without it parts of a GPU are allowed.

    - ``cost``: the bill of all hours [USD]
    - ``paid``: array offer x hour of paid GPUs, ``committed``: GPUs committed by offer
    - ``shadow``: what one more GPU of demand in that hour adds to the bill; not of whole replicas [USD/GPU/h]
    """
    demand, offers = np.asarray(demand, dtype=float), validated(offers)
    unit, steps = (1, _parts(demand)) if whole is None else (whole, _wholes(demand / whole))
    held = offers.assign(limit=offers["limit"] if whole is None else np.floor(offers["limit"] / unit))  # in replicas, if whole
    needs = requirements(steps["levels"], held, spot_share, lost_share)
    providers, limits = offers["provider"].to_numpy(), (held["limit"] * unit).to_numpy()
    for need in requirements(demand, offers, spot_share, lost_share):
        refuse(need, providers, limits, whole)
    solved, paid, duals = _solved(held, needs, unit * held["usd_per_gpu_hour"].to_numpy(), steps["weights"],
                                  integer=whole is not None)
    # an hour with a part of a replica is so much of it an hour with one more
    paid = unit * ((1 - steps["part"]) * paid[:, steps["low"]] + steps["part"] * paid[:, steps["high"]])
    varying = (offers["kind"] != COMMITTED).to_numpy()
    committed = pd.Series(np.where(varying, 0.0, paid[:, 0]), index=offers["offer"])
    found = {"cost": float(solved.fun), "paid": paid, "committed": committed[~varying], "offers": offers}
    if whole is None:
        found["shadow"] = sum(need["share"] * dual for need, dual in zip(needs, duals, strict=False))
    return found


def _parts(demand):
    """The demand of each hour as a level of its own."""
    place = np.arange(len(demand))
    return {"levels": demand, "weights": np.ones(len(demand)), "low": place, "high": place, "part": np.zeros(len(demand))}


def _wholes(replicas):
    """Whole levels of a demand in replicas, how many hours each lasts, and the two levels of each hour, with the upper's share.

    A demand between two levels is time: a replica more for a part of the hour.
    """
    low = np.floor(replicas + ROUNDING)
    part = np.clip(replicas - low, 0.0, 1.0)
    part[part < ROUNDING] = 0.0
    high = low + (part > 0)
    levels = np.unique(np.concatenate([low, high]))
    places = {"low": np.searchsorted(levels, low), "high": np.searchsorted(levels, high)}
    weights = np.zeros(len(levels))
    np.add.at(weights, places["low"], 1 - part)
    np.add.at(weights, places["high"], part)
    return places | {"levels": levels, "weights": weights, "part": part}


def _solved(offers, needs, price, weights, *, integer):
    """The program itself: its result, what is paid of each offer at each level, and the duals of each requirement."""
    varying, hours = offers["kind"].to_numpy() != COMMITTED, len(weights)
    columns = np.cumsum(np.where(varying, hours, 1)) - np.where(varying, hours, 1)  # first unknown of each offer
    unknowns = int(np.where(varying, hours, 1).sum())
    cost = np.empty(unknowns)
    for first, vary, usd in zip(columns, varying, price, strict=True):
        cost[first:first + (hours if vary else 1)] = usd * weights if vary else usd * weights.sum()
    rows, right = [], []
    for need in needs:  # capacity of the offers that count towards it: at least what is needed
        rows.append(("least", need["counts"]))
        right.append(-need["n_gpus"])
    for provider, part in offers.groupby("provider", sort=False):
        limit = part["limit"].iloc[0]
        if np.isfinite(limit):
            rows.append(("most", (offers["provider"] == provider).to_numpy()))
            right.append(np.full(hours, limit))
    terms = {"integrality": np.ones(unknowns), "options": {"mip_rel_gap": GAP}} if integer else {}
    from scipy.optimize import linprog  # it takes longer to load than most questions to answer

    solved = linprog(cost, A_ub=_matrix(rows, columns, varying, hours, unknowns), b_ub=np.concatenate(right), method="highs",
                     **terms)
    if solved.status != 0:
        raise RuntimeError(f"the program of the cheapest mix was not solved: {solved.message}")
    paid = np.array([solved.x[first:first + hours] if vary else np.full(hours, solved.x[first])
                     for first, vary in zip(columns, varying, strict=True)])
    return solved, paid, None if integer else -solved.ineqlin.marginals.reshape(len(rows), hours)


def validated(offers):
    """The offers, or one sentence about what is wrong with them."""
    missing = [name for name in OFFER_COLUMNS if name not in offers]
    if missing:
        raise ValueError(f"offers lack the column '{missing[0]}'; they need {', '.join(OFFER_COLUMNS)}")
    if offers.empty:
        raise Infeasible("there is no offer to buy from; add one")
    wrong = sorted(set(offers["kind"]) - set(KINDS))
    if wrong:
        raise ValueError(f"offer kind '{wrong[0]}' is not one of {', '.join(KINDS)}")
    if (offers.groupby("provider")["limit"].nunique() > 1).any():
        raise ValueError("offers of one provider have different limits; its limit is for all of them together")
    for name in ("usd_per_gpu_hour", "limit"):
        bad = offers[~(offers[name] >= 0)]
        if len(bad):
            raise ValueError(f"{name} of offer '{bad['offer'].iloc[0]}' is {bad[name].iloc[0]:g}, but must be at least 0")
    return offers.reset_index(drop=True)


def requirements(demand, offers, spot_share, lost_share):
    """What must hold in each hour: how many GPUs, as which share of the demand, from which offers."""
    for name, share in (("spot_share", spot_share), ("lost_share", lost_share)):
        if not 0 <= share <= 1:
            raise BadInput(f"parameter '{name}' is {share:g}, but must be a number from 0 to 1")
    if not (np.isfinite(demand).all() and (demand >= 0).all() and len(demand)):
        raise ValueError("demand must be a number of GPUs of at least 0 for each hour")
    firm, providers = (offers["kind"] != SPOT).to_numpy(), offers["provider"].to_numpy()
    needs = [{"share": 1.0, "counts": np.ones(len(offers), dtype=bool), "what": "the demand"}]
    if spot_share < 1 and not firm.all():
        needs.append({"share": 1 - spot_share, "counts": firm,
                      "what": f"the {1 - spot_share:.0%} of the demand that may not run on spot"})
    if lost_share < 1:
        for failed in dict.fromkeys(providers):
            needs.append({"share": 1 - lost_share, "counts": providers != failed,
                          "what": f"the {1 - lost_share:.0%} of the demand that must run when {failed} fails"})
    return [need | {"n_gpus": need["share"] * demand} for need in needs]


def refuse(need, providers, limits, whole):
    """Raise if even all that may count towards a requirement is too little for its busiest hour, in replicas of so many GPUs."""
    counts = need["counts"]
    most = sum(dict(zip(providers[counts], limits[counts], strict=True)).values())
    hour = int(np.argmax(need["n_gpus"]))
    asked = need["n_gpus"][hour] if whole is None else np.ceil(need["n_gpus"][hour] / whole - ROUNDING) * whole
    if asked > most * (1 + 1e-12):
        raise Infeasible(
            f"hour {hour} needs {asked:g} GPUs for {need['what']}, but the offers that count for it hold "
            f"{most:g}; raise the limits, add a provider, or ask for less")


def _matrix(rows, columns, varying, hours, unknowns):
    """The left side, one block of hours a requirement: -1 for what counts towards a least, 1 for what uses up a most."""
    i, j, v = [], [], []
    each = np.arange(hours)
    for block, (sense, counts) in enumerate(rows):
        for offer in np.flatnonzero(counts):
            i.append(block * hours + each)
            j.append(columns[offer] + (each if varying[offer] else 0 * each))
            v.append(np.full(hours, -1.0 if sense == "least" else 1.0))
    i, j, v = (np.concatenate(one) if one else np.zeros(0) for one in (i, j, v))
    from scipy.sparse import coo_array

    return coo_array((v, (i, j)), shape=(len(rows) * hours, unknowns)).tocsr()


# --- offers of the price book ------------------------------------------------------------------------

ALL, STATED = "all", "stated"
CONTRACTS = {"reserved_3m": "three-month contract", "committed_1y": "one-year contract", "committed_3y": "three-year contract"}
MARKETPLACE = "marketplace"


def spot_hour(spot, fallback, *, availability, interruptions, restart, lost):
    """Price of an hour of work on a spot offer whose gaps are filled at a full price. [USD/GPU/h]"""
    return float(contracts.spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=spot, on_demand_usd_per_gpu_hour=fallback, availability=availability,
        interruptions_per_hour=interruptions, restart_hours=restart, lost_hours=lost))


@remembered
def _quotes(gpu, as_of):
    """What each provider asks by contract, with the kind of seller; read only."""
    known = pd.concat([gpu_prices.offers(gpu, kind, as_of) for kind in ("on_demand", MARKETPLACE, "spot", *CONTRACTS)])
    who = [data.row("providers", provider)["kind"] for provider in known["provider"]]
    known["seller"] = [MARKETPLACE if kind == MARKETPLACE else one for kind, one in zip(known["kind"], who, strict=True)]
    return known.replace({"kind": {MARKETPLACE: "on_demand"}})


def _discounted(known, kinds, discount):
    """Offers with those of some kinds replaced: each provider's hour on demand, so much cheaper, as the last of the kinds."""
    plain = known[known["kind"] == "on_demand"]
    cheaper = plain.assign(kind=kinds[-1], value=(1 - discount) * plain["value"])
    return pd.concat([known[~known["kind"].isin(kinds)], cheaper], ignore_index=True)


def market(gpu, as_of, *, limit, availability, interruptions, restart, lost, sellers=ALL, on_demand=None, spot_discount=None,
           commitment_discount=None):
    """Offers of a GPU known on a date, one a provider and contract, its cheapest; every provider has the same limit.

    ``sellers`` is a kind of data/providers.csv, or :data:`ALL`, which leaves marketplaces out: whoever needs a provider that
    can fail alone cannot count on hosts that nobody names.  A stated price ``on_demand`` is what every provider with
    an on-demand offer asks for it, or, where none is known, what one more provider asks.  A stated discount takes the place of
    the spot offers, or of the contracts: every provider with an on-demand offer lets at that much below it, for three years.

    Spot is what an hour of work costs, the gaps filled at the provider's own full price, or the dearest offer known where
    it has none. A spot offer no cheaper than that is left to the program, which will not buy it.
    """
    known = _quotes(gpu, as_of)
    known = known[known["seller"] != MARKETPLACE if sellers == ALL else known["seller"] == sellers]
    if on_demand is not None:
        plain = known["kind"] == "on_demand"
        known = known.assign(value=known["value"].where(~plain, on_demand)) if plain.any() else pd.concat([known, pd.DataFrame(
            [{"provider": STATED, "kind": "on_demand", "value": on_demand, "quoted": as_of}])])
    for kinds, discount in ((("spot",), spot_discount), (tuple(CONTRACTS), commitment_discount)):
        known = known if discount is None else _discounted(known, kinds, discount)
    full = known[known["kind"] == "on_demand"].groupby("provider")["value"].min()
    if full.empty:
        raise NoPrice(f"no on_demand price of {gpu} on {as_of}{f' at a {sellers}' if sellers != ALL else ''}; the mix needs "
                      f"one, add a row to {data.file('prices')}")
    rows = []
    for (provider, kind), part in known.groupby(["provider", "kind"], sort=False):
        row = part.loc[part["value"].idxmin()]
        usd, name = float(row["value"]), {"on_demand": ON_DEMAND, "spot": SPOT}.get(kind, CONTRACTS.get(kind))
        if kind == "spot":
            usd = spot_hour(usd, float(full.get(provider, full.max())), availability=availability, interruptions=interruptions,
                            restart=restart, lost=lost)
        rows.append({"offer": f"{provider}, {name}", "provider": provider, "contract": name,
                     "kind": name if kind in ("on_demand", "spot") else COMMITTED, "usd_per_gpu_hour": usd,
                     "quoted": float(row["value"]), "limit": limit, "as_of": row["quoted"]})
    return pd.DataFrame(rows).sort_values(["usd_per_gpu_hour", "offer"]).reset_index(drop=True)

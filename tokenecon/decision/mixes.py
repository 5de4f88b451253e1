"""Bases with something else on top: how large a base of own or committed machines pays where its peaks go elsewhere."""

import numpy as np
import pandas as pd

from tokenecon import units
from tokenecon.calculator.choice import tok_per_request
from tokenecon.decision import bill, fleet_tables, horizon, options, portfolio, scenario_prices

ON_TOP = {"api": "peaks to the API"}  # every other kind rents by the hour
NO_LIMIT = float("inf")


def words(base, burst):
    """A mix as a reader says it."""
    return f"{base}, {ON_TOP.get(burst, 'peaks by the hour')}"


def shares(case, row, burst):
    """Sizes of a base worth trying, as shares of the replicas of the busiest hour; none where a base alone or none is best.

    The linear program of contracts finds the base for the planned demand by hour; where whole servers are bought, the next
    smaller and larger number of them.
    """
    load = horizon.planned_requests_per_day(case, 0)
    rates, needed, paid = (one[0] for one in fleet_tables.hours(case, row, load))
    demand = needed if burst["kind"] == "api" else paid
    committed = planned(demand * row["n_gpus"], base=row["usd_per_gpu_hour"] * (1 + case.ops_overhead),
                        on_top=_hour(case, row, burst, rates, needed)) / row["n_gpus"]
    peak = float(needed.max())
    whole = options.whole(row, np.array([1.0]))[0]
    sizes = {np.floor(committed / whole + 1e-9) * whole, np.ceil(committed / whole - 1e-9) * whole}
    return [size / peak for size in sorted(sizes) if 0 < size < peak]


def planned(demand, *, base, on_top):
    """GPUs of the base in the cheapest mix of two offers for a demand in GPUs by hour. [GPU]"""
    offers = pd.DataFrame([
        {"offer": "base", "provider": "base", "kind": portfolio.COMMITTED, "usd_per_gpu_hour": base, "limit": NO_LIMIT},
        {"offer": "on top", "provider": "on top", "kind": portfolio.ON_DEMAND, "usd_per_gpu_hour": on_top, "limit": NO_LIMIT}])
    return float(portfolio.cheapest(demand, offers, spot_share=0.0, lost_share=1.0)["committed"]["base"])


def _hour(case, row, burst, rates, needed):
    """What an hour of one GPU's work costs on top of a base: its rent, or the tokens that it would have served. [USD/GPU/h]"""
    if burst["kind"] != "api":
        return burst["usd_per_gpu_hour"] * (1 + case.ops_overhead)
    per_gpu = rates.mean() / (needed.mean() * row["n_gpus"])
    mtok = units.convert(per_gpu * units.SECONDS_PER_HOUR * tok_per_request(case), "tok", "Mtok")
    return burst["usd_per_mtok_used"] * mtok


def alone(case, row):
    """What the bill of a choice of :func:`options.offers` is made of: GPUs paid, how busy, their price, tokens sent away.

    ``utilisation`` and ``spare_share`` are shares of the paid GPUs, ``owned`` the inputs of an owned hour, ``api_share`` the
    share of the tokens that goes to the API at ``usd_per_mtok``.
    """
    if row["kind"] == "api":
        return {"name": row["name"], "kind": "api", "api_share": 1.0, "usd_per_mtok": float(row["usd_per_mtok_used"])}
    paid = sum(row[f"usd_per_month_{line}"] for line in ("machines", "idle", "spare"))
    owned = (scenario_prices.owned_inputs(case, row["gpu"], row["utilisation"])["typical"].to_dict() if row["kind"] == "own" else
             None)
    return {"name": row["name"], "kind": row["kind"], "gpus": row["gpus"], "utilisation": row["utilisation"],
            "spare_share": row["usd_per_month_spare"] / paid, "usd_per_gpu_hour": row["usd_per_gpu_hour"], "owned": owned,
            "months": 0.0 if row["kind"] == "own" else row["commitment_months"]}


def operands(case, option):
    """What the bill of a month of a choice of the draws is made of, at the volume of today; see :func:`alone`."""
    row = option["row"]
    if option["kind"] == option["base"]:  # one choice alone: the row of offers
        return alone(case, row)
    fleet, demand = option["fleet"], options.rate(case.requests_per_day)
    at = fleet_tables.placed(fleet, np.array([case.requests_per_day]))
    base = sized(option, fleet_tables.peak_replicas(fleet, at))
    left, beyond = (float(fleet_tables.of_base(fleet, name, at, base)[0]) for name in ("overflow", "beyond"))
    base, spare = float(base[0]), float(np.max(bill.spare_replicas(case, base)))
    busy = min(demand * (1 - left) / row["requests_per_s"] / base, 1.0)
    found = {"name": option["name"], "kind": option["base"], "gpus": base * option["n_gpus"], "utilisation": busy,
             "spare_share": spare / base, "usd_per_gpu_hour": row["usd_per_gpu_hour"], "months": option["months"],
             "owned": option["inputs"] | {"utilisation": busy} if option["base"] == "own" else None}
    if option["rest"] == "api":
        return found | {"api_share": left, "usd_per_mtok": option["rest_row"]["usd_per_mtok_used"]}
    return found | {"top_gpus": beyond * option["n_gpus"],
                    "top_utilisation": demand * left / row["requests_per_s"] / beyond if beyond else 0.0,
                    "top_usd_per_gpu_hour": option["rest_row"]["usd_per_gpu_hour"]}


def bill_of(case, option):
    """The bill of a month of a choice of the draws, its lines and what is bound, at the volume of today; GPUs paid."""
    if option["kind"] == option["base"]:
        kept = ("gpus", "usd_per_month", "usd_per_month_marginal", "capital_usd", "commitment_usd", "commitment_months",
                *(f"usd_per_month_{line}" for line in bill.LINES))
        return {name: float(option["row"][name]) for name in kept}
    of = operands(case, option)
    lines = bill.of_machines(case, n_gpus=of["gpus"], utilisation=of["utilisation"], spare_share=of["spare_share"],
                             hour=bill.parts_of_hour(of["usd_per_gpu_hour"], of["owned"]))
    if "api_share" in of:
        more = bill.of_api(case, of["api_share"] * of["usd_per_mtok"] * options.mtok_per_month(case))
    else:
        more = bill.of_machines(case, n_gpus=of["top_gpus"], utilisation=of["top_utilisation"], spare_share=0.0,
                                hour=bill.parts_of_hour(of["top_usd_per_gpu_hour"])) | {"people": 0.0}
    lines = {line: lines[line] + more[line] for line in bill.LINES}
    return {"gpus": of["gpus"], "usd_per_month": sum(lines.values()),
            "usd_per_month_marginal": sum(lines.values()) - lines["people"],
            **{f"usd_per_month_{line}": usd for line, usd in lines.items()},
            **bill.bound(case, option["base"], of["gpus"], of["usd_per_gpu_hour"], of["owned"], of["months"])}


def sized(option, peak):
    """Replicas of a base for the replicas of a busiest hour: its share of them, in whole servers where they are bought."""
    return options.whole(option["row"], np.ceil(option["share"] * peak) if option["share"] < 1 else peak)

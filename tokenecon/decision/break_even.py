"""From which volume on owning or renting is cheaper than an API, and how full the machines must be for it."""

import numpy as np
import pandas as pd

from tokenecon.decision import options
from tokenecon.decision.scenario_prices import tok_per_request
from tokenecon.errors import NothingServes
from tokenecon.finding import Finding, finding
from tokenecon.formulas import money

COLUMNS = {
    "name": ("Choice", None), "requests_per_day": ("Cheaper than the API from", "request/day"),
    "tok_per_day": ("That is", "tok/day"), "utilisation": ("Busy share at which it equals the API", "fraction"),
    "usd_per_mtok_full": ("Cost when always full", "USD/Mtok"), "usd_per_mtok_api": ("API", "USD/Mtok"),
    "note": ("Note", None),
}  # fmt: skip
GRID = 200  # volumes searched
LEAST, MOST = 1e-3, 1e3  # of what one replica does in a day, and of what the case asks
BEYOND, WITHIN = 5, 256  # volumes above the last dear one that are searched closely, and points of each close search
OTHER_END = {"_low": "_high", "": "", "_high": "_low"}  # a fast replica makes a cheap token
AROUND = 10  # the figure goes so far below and above the volumes of interest
LINES = 3  # own and rented choices in the figure


def cost_at(case, row, requests_per_day, end=""):
    """Cost of a million tokens of one choice at other volumes; the API's does not depend on it. [USD/Mtok]

    ``end`` is "", or "_low" or "_high" for the cheap and the dear end of price and speed together.
    """
    requests_per_day = np.asarray(requests_per_day, dtype=float)
    if row["kind"] == "api":
        return np.full(requests_per_day.shape, row[f"usd_per_mtok{end}"])
    slower = row["requests_per_s"] / row[f"requests_per_s{OTHER_END[end]}"]
    paid = options.paid_replicas(case, row, options.KINDS[row["kind"]][2], requests_per_day * slower)
    return options.per_mtok(case, row[f"usd_per_gpu_hour{end}"] * (1 + case.ops_overhead), row["n_gpus"] * paid,
                            options.rate(requests_per_day))


def _volumes(case, row):
    """Volumes from far below one replica to far beyond it and the case."""
    replica = row["requests_per_s"] / options.rate(1.0)
    return np.geomspace(LEAST * replica, MOST * max(replica, case.requests_per_day), options.points(case, GRID))


def threshold(case, row, usd_per_mtok, end=""):
    """The volume from which on a choice never again costs more than a price, infinite where it always may. [request/day]

    Costs jump with each replica more, so after a search of all volumes those above the last dear one are searched closely.
    """
    volumes, within = _volumes(case, row), options.points(case, WITHIN)
    for near in (BEYOND, 1, 1):
        dearer = np.flatnonzero(cost_at(case, row, volumes, end) > usd_per_mtok)
        if not len(dearer):
            return float(volumes[0])
        last = dearer[-1]
        if last == len(volumes) - 1:
            return np.inf
        volumes = np.linspace(volumes[last], volumes[min(last + near, len(volumes) - 1)], within)
    return float(volumes[min(np.flatnonzero(cost_at(case, row, volumes, end) > usd_per_mtok)[-1] + 1, within - 1)])


@finding
def against_api(case, offered):
    """For the best GPU of each kind of hour: volume and busy share at which it costs what the API costs.

    Between a first and the last crossing lie volumes that just need one replica more; the volume printed is the last.
    """
    rows = options.best(offered.table)
    sold = rows[rows["kind"] == "api"]
    held = rows[rows["kind"] != "api"]
    out = []
    for _, row in held.iterrows() if len(sold) else ():
        line = {"name": row["name"], "kind": row["kind"]}
        for end in options.ENDS:
            price = sold.iloc[0][f"usd_per_mtok{OTHER_END[end]}"]  # the cheap end of the one against the dear end of the other
            line[f"requests_per_day{end}"] = threshold(case, row, price, end)
            line[f"tok_per_day{end}"] = line[f"requests_per_day{end}"] * tok_per_request(case)
            line[f"utilisation{end}"] = money.switch_over_utilisation(
                usd_per_gpu_hour=row[f"usd_per_gpu_hour{end}"] * (1 + case.ops_overhead), n_gpus=row["n_gpus"],
                tok_per_s=row[f"requests_per_s{OTHER_END[end]}"] * tok_per_request(case), usd_per_mtok_other=price)
        line |= {f"usd_per_mtok_full{end}": row[f"usd_per_mtok_used{end}"] for end in options.ENDS}
        line["usd_per_mtok_api"] = sold.iloc[0]["usd_per_mtok"]
        line["note"] = _note(line)
        out.append(line)
    result = pd.DataFrame(out, columns=None if out else [*COLUMNS, "kind"])
    return Finding(result, note=(
        "Ranges: the choice at its cheap end against the API at its dear end, and the other way round. ∞: at no volume."
        if len(sold) else "The API has no price here, so nothing can break even with it."))


def _note(line):
    if line["utilisation"] > 1:
        return "even full machines cost more than the API"
    if not np.isfinite(line["requests_per_day"]):
        return "this traffic never fills the machines enough"
    return ""


@finding
def volume(case, offered, found):
    """Cost of a million tokens over the volume: the API and the cheapest ways to own and to rent.

    ``offered`` is what :func:`tokenecon.decision.options.offers` found, ``found`` what :func:`against_api` did.
    """
    table, crossings = offered.table, found.table
    rows = options.best(table)
    held = rows[rows["kind"] != "api"].head(LINES)
    if held.empty:
        why = options.refused(table).head(1)
        raise NothingServes("nothing can be owned or rented here, so no volume changes the cost" + "".join(
            f": {row['name']}: {row['reason']}" for _, row in why.iterrows()))
    ends = np.array([_volumes(case, row)[[0, -1]] for _, row in held.iterrows()])
    known = [one for one in (*crossings["requests_per_day"], case.requests_per_day) if np.isfinite(one)]
    low, high = max(ends[:, 0].min(), min(known) / AROUND), min(ends[:, 1].max(), max(known) * AROUND)
    volumes = np.unique(np.concatenate((np.geomspace(low, high, options.points(case, GRID)), [case.requests_per_day])))
    sold = rows[rows["kind"] == "api"]
    parts = [pd.DataFrame({"requests_per_day": volumes, "choice": row["name"], **{
        f"usd_per_mtok{end}": cost_at(case, row, volumes, end) for end in options.ENDS}})
        for _, row in pd.concat([held, sold]).iterrows()]
    out = pd.concat(parts, ignore_index=True)
    here = out[out["requests_per_day"] == case.requests_per_day].set_index("choice")["usd_per_mtok"]
    pays = [(at, name) for at, name in zip(crossings["requests_per_day"], crossings["name"], strict=True) if np.isfinite(at)]
    cheapest = here.idxmin()
    return Finding(
        out, _sentence(case, pays, cheapest, here[cheapest], bool(len(sold))),
        "Replicas are whole, and paid for in all hours that the traffic needs them; bands join prices and speed.",
        requests_per_day=case.requests_per_day, here=here.to_dict(), break_even=min(pays)[0] if pays else None)


def _sentence(case, pays, cheapest, cost, sold):
    today = f"at the scenario's {case.requests_per_day:,.0f} '{cheapest}' is the cheapest"
    if not sold:
        return f"{today[0].upper()}{today[1:]}, ${cost:.2g} per Mtok"
    if not pays:
        return f"At no volume is it cheaper to own or rent than to call the API; {today}"
    at, name = min(pays)
    return f"From {float(f'{at:.2g}'):,.0f} requests a day on '{name}' costs less than the API; {today}"

"""From which volume on owning or renting is cheaper than an API, and how full the machines must be for it."""

import numpy as np
import pandas as pd

from tokenecon.calculator.choice import per_mtok, tok_per_request
from tokenecon.calculator.volume import BEYOND, GRID, LEAST, MOST, WITHIN
from tokenecon.decision import bill, choice_words, options
from tokenecon.errors import NothingServes
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.formulas import money
from tokenecon.numbers import dollars

COLUMNS = {
    "name": ("Choice", None), "requests_per_day": ("Cheaper than the API from", "request/day"),
    "requests_per_day_marginal": ("Where a team exists, from", "request/day"),
    "tok_per_day": ("That is", "tok/day"), "utilisation": ("Busy share at which it equals the API", "fraction"),
    "usd_per_mtok_full": ("Cost when always full", "USD/Mtok"), "usd_per_mtok_api": ("API", "USD/Mtok"),
    "note": ("Note", None),
}  # fmt: skip
OTHER_END = {"_low": "_high", "": "", "_high": "_low"}  # a fast replica makes a cheap token
AROUND = 10  # the figure goes so far below and above the volumes of interest
LINES = 3  # own and rented choices in the figure


def cost_at(case, row, requests_per_day, end="", people=True):
    """Cost of a million tokens of one choice at other volumes, with its people or, for a team that exists, without. [USD/Mtok]

    ``end`` is "", or "_low" or "_high" for a fast and a slow replica, the ends of the model's interval; prices are those of the
    price rule.
    """
    requests_per_day = np.asarray(requests_per_day, dtype=float)
    usd = row["usd_per_mtok_used"] if row["kind"] == "api" else machines_at(case, row, requests_per_day, end)
    return usd + _staff(case, row, requests_per_day, people)


def _staff(case, row, requests_per_day, people):
    return people * bill.people_usd_per_month(case, row["kind"]) / options.mtok_per_month(case, requests_per_day)


def machines_at(case, row, requests_per_day, end=""):
    """:func:`cost_at` of the machines alone. [USD/Mtok]"""
    slower = row["requests_per_s"] / row[f"requests_per_s{OTHER_END[end]}"]
    paid = options.paid_replicas(case, row, options.policy_of(case, row["kind"]), requests_per_day, slower)
    return per_mtok(case, row["usd_per_gpu_hour"] * (1 + case.ops_overhead), row["n_gpus"] * paid,
                    options.rate(requests_per_day))


def _volumes(case, row):
    """Volumes from far below one replica to far beyond it and the case."""
    replica = row["requests_per_s"] / options.rate(1.0)
    return np.geomspace(LEAST * replica, MOST * max(replica, case.requests_per_day), options.points(case, GRID))


def threshold(case, row, sold, end="", people=True):
    """The volume from which on a choice never again costs more than the API, infinite where it always may. [request/day]

    ``sold`` is the row of the API.  Costs jump with each replica more, so after a search of all volumes those above the last
    dear one are searched closely.
    """
    return _threshold(case, row, sold, end, people, machines_at(case, row, _volumes(case, row), end))


def _threshold(case, row, sold, end, people, machines):
    """:func:`threshold`; ``machines`` cost so much at the volumes searched first, whoever runs them."""
    def dearer(volumes, usd):
        return np.flatnonzero(usd + _staff(case, row, volumes, people) > cost_at(case, sold, volumes, people=people))

    volumes, within = _volumes(case, row), options.points(case, WITHIN)
    for near in (BEYOND, 1):
        above = dearer(volumes, machines)
        if not len(above):
            return float(volumes[0])
        last = above[-1]
        if last == len(volumes) - 1:
            return np.inf
        volumes = np.linspace(volumes[last], volumes[min(last + near, len(volumes) - 1)], within)
        machines = machines_at(case, row, volumes, end)
    return float(volumes[min(dearer(volumes, machines)[-1] + 1, within - 1)])


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
        line = {"name": row["name"], "kind": row["kind"], "gpu": row["gpu"]}
        for end in options.ENDS:
            price = sold.iloc[0]["usd_per_mtok_used"]
            machines = machines_at(case, row, _volumes(case, row), end)
            for name, people in (("requests_per_day", True), ("requests_per_day_marginal", False)):
                line[f"{name}{end}"] = _threshold(case, row, sold.iloc[0], end, people, machines)
            line[f"tok_per_day{end}"] = line[f"requests_per_day{end}"] * tok_per_request(case)
            line[f"utilisation{end}"] = money.switch_over_utilisation(
                usd_per_gpu_hour=row["usd_per_gpu_hour"] * (1 + case.ops_overhead), n_gpus=row["n_gpus"],
                tok_per_s=row[f"requests_per_s{OTHER_END[end]}"] * tok_per_request(case), usd_per_mtok_other=price)
        line["usd_per_mtok_full"] = row["usd_per_mtok_used"]
        line["usd_per_mtok_api"] = sold.iloc[0]["usd_per_mtok_used"]
        line["note"] = _note(line)
        out.append(line)
    result = pd.DataFrame(out, columns=None if out else [*COLUMNS, "kind", "gpu"])
    return Finding(result, note=(
        "Ranges: 80% interval of the model; prices by the price rule on both sides. ∞: at no volume. A larger service peaks "
        "less: each volume has the hours of its size. Busy share: of machines without people. Where a team exists its "
        f"{bill.people_usd_per_month(case, ''):,.0f} USD a month are not counted."
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
    pays = [(row["requests_per_day"], row) for _, row in crossings.iterrows() if np.isfinite(row["requests_per_day"])]
    cheapest = here.idxmin()
    return Finding(
        out, _sentence(case, pays, rows.set_index("name").loc[cheapest], here[cheapest], bool(len(sold))),
        "Replicas are whole, and paid for in all hours that the traffic needs them; people are in. Bands: 80% interval of the "
        "model.",
        requests_per_day=case.requests_per_day, here=here.to_dict(), break_even=min(at for at, _ in pays) if pays else None)


def _sentence(case, pays, cheapest, cost, sold):
    volume = named("requests-per-day", case.requests_per_day, choice_words.rounded)
    doing = choice_words.doing(case, cheapest["kind"], cheapest["gpu"])
    if not sold:
        of = choice_words.case_of(case, cheapest["kind"], cheapest["gpu"])
        usd = named("bill-all", cost, lambda each: f"${dollars(each)}", **of)
        return choice_words.first_up(f"{doing} is cheapest at {volume} requests a day, {usd} for a million tokens")
    if not pays:
        return f"At no volume does owning or renting cost less than {choice_words.seller(case)}"
    at, row = min(pays, key=lambda pair: pair[0])
    volume = choice_words.said_volume(case, at, row["kind"], row["gpu"], **ends(row, "requests_per_day"))
    return (f"Above about {volume} requests a day, "
            f"{choice_words.doing(case, row['kind'], row['gpu'])} is cheaper than {choice_words.seller(case)}")

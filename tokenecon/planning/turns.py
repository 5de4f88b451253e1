"""What would turn a plan: speed against cost, prices of other GPUs, and the load and the busy share at which an API wins."""

import numpy as np
import pandas as pd

from tokenecon import units
from tokenecon.calculator.choice import server, tok_per_request
from tokenecon.decision import scenario_prices
from tokenecon.errors import NoPrice
from tokenecon.fleet import policies, traffic
from tokenecon.formulas import money
from tokenecon.planning import prices, search
from tokenecon.planning.asked import CLOSED_LOOP
from tokenecon.planning.search import CONFIGURATION

LOADS = 8  # of each configuration on the frontier, each half of the one before
MOST_PEAKED, DOUBLINGS, CLOSELY = 100.0, 30, 33  # volumes at which a trace is looked at: from a hundredth of an instance up


def frontier(table, asked):
    """Speed of an answer against cost of a token, of one instance at loads within the limits: what nothing beats in both."""
    held, each = prices.units(table)
    table = table.assign(waste=each / (held * table["n_gpus"]))  # GPUs paid over those of the instances that they hold
    many = pd.concat([table] * LOADS, ignore_index=True)
    loads = np.concatenate([table["instance"].to_numpy() / 2.0**step for step in range(LOADS)])
    if asked.load == CLOSED_LOOP:
        loads = np.floor(loads)
        many, loads = many[loads >= 1].reset_index(drop=True), loads[loads >= 1]
    busy = loads / many["instance"].to_numpy() / many["waste"].to_numpy()
    many["usd_per_gpu_hour"] = prices.hour(many, busy) * many["waste"]
    found = search.answers(many, asked, loads)
    kept = (found["error"] == "").to_numpy()
    out = many.loc[kept, list(CONFIGURATION)].reset_index(drop=True)
    out["requests_per_s"] = (found["output_tok_s"] / asked.osl)[kept].to_numpy()
    for name in ("ttft_ms", "tpot_ms", "usd_per_mtok"):
        out[name] = found[name][kept].to_numpy()
    out["user_tok_s"] = units.MS_PER_SECOND / out["tpot_ms"]
    out = out.sort_values(["user_tok_s", "usd_per_mtok"], ascending=[False, True], kind="stable")
    cheaper = np.minimum.accumulate(out["usd_per_mtok"].to_numpy())
    first = np.concatenate(([True], cheaper[1:] < cheaper[:-1]))
    return out[first].reset_index(drop=True)


def turns(best, column, asked):
    """The price at which another GPU would be the best, and the load and the busy share from which the API would not.

    Prices of one GPU move while the others stay; all its configurations move with it, so that its own best stays its best.
    """
    first = best.iloc[0]
    rows = _against_api(first, asked)
    for _, other in best.drop_duplicates("gpu").iloc[1:].iterrows():
        ratio = other[column] / first[column]
        rows += [{"what": f"usd_per_gpu_hour of {first['gpu']}", "now": first["usd_per_gpu_hour"],
                  "turns_at": first["usd_per_gpu_hour"] * ratio, "then": other["gpu"]},
                 {"what": f"usd_per_gpu_hour of {other['gpu']}", "now": other["usd_per_gpu_hour"],
                  "turns_at": other["usd_per_gpu_hour"] / ratio, "then": other["gpu"]}]
    return pd.DataFrame(rows, columns=["what", "now", "turns_at", "then"])


def _against_api(first, asked):
    """The bill of the API, and the busy share and the requests a day from which on the best configuration costs less than it."""
    if asked.load == CLOSED_LOOP:
        return []
    try:
        api = float(scenario_prices.api(asked)["blend"][1])
    except NoPrice:
        return []
    held, gpus = server({"n_gpus": first["n_gpus"]}, first["unit_gpus"])  # instances in what is bought together, and its GPUs
    share = full(first, held, gpus, api, asked)
    per_day = held * first["instance_requests_per_s"] * units.SECONDS_PER_DAY
    now = asked.rate * units.SECONDS_PER_DAY if asked.rate is not None else np.nan
    then = f"API at ${api:.3g} a million tokens"
    rows = [{"what": "utilisation", "now": first["utilisation"], "turns_at": share * held * first["n_gpus"] / gpus,
             "then": f"{then}, below"},
            {"what": "requests_per_day, instances kept all day", "now": now, "turns_at": _volume(asked, share, per_day),
             "then": f"{then}, below"}]
    if asked.stated:
        rows.append({"what": "usd_per_month", "now": first["usd_per_month"],
                     "turns_at": first["usd_per_month"] * api / first["usd_per_mtok"], "then": then})
    return rows


def full(first, held, gpus, api, asked):
    """What a full unit costs whether it works or not, over what its work saves on the API: how full it is where both are even.

    Power of an owned GPU that works is paid with its work: it lowers what that saves.
    """
    rate = held * first["instance_requests_per_s"] * tok_per_request(asked)
    idle, busy = (money.usd_per_mtok(usd_per_gpu_hour=first[name], n_gpus=n_gpus, utilisation=1.0, tok_per_s=rate)
                  for name, n_gpus in (("usd_idle", gpus), ("usd_busy", held * first["n_gpus"])))
    return idle / (api - busy) if api > busy else np.inf


def _volume(asked, share, held):
    """Requests a day from which on machines that each hold ``held`` a day at their busiest cost less than the API.

    A larger service of a trace peaks less: the volumes are looked at by doubling, each with the hours of its size.
    """
    if share == np.inf:
        return share
    if asked.profile not in traffic.HOURLY:
        return from_which(share * max(asked.hours)) * held / max(asked.hours)

    def pays(volume):
        hours, burst = traffic.sized(asked.profile, volume / units.SECONDS_PER_DAY)
        peak = burst * float(hours["ratio"].max())
        return from_which(share * peak) * held / peak

    volumes = held / MOST_PEAKED * 2.0 ** np.arange(DOUBLINGS)
    last = next((volume for volume in volumes if pays(volume) <= volume), None)
    if last is None:
        return np.inf
    below, *closely = np.geomspace(last / 2, last, CLOSELY)
    for volume in closely:
        if pays(volume) <= volume:
            return max(pays(volume), below)
        below = volume
    return last


def from_which(share):
    """Load, in instances, from which on whole instances never again cost more than what has no steps; infinite where never.

    ``share`` is the cost of a full instance over what its load costs without steps.  n instances cost n * share for a load of
    n - 1 to n: that is too much up to n * share, as long as n - 1 < n * share.
    """
    if share >= 1:
        return np.inf
    return (np.ceil(1 / (1 - share) - policies.ROUNDING) - 1) * share

"""Every configuration of an instance, and the largest load that each holds within the limits: no heuristic, all at once.

An instance is one copy of the model on ``n_gpus``.  Loads are tried on a grid of numbers with three digits, so that what is
printed is what was computed.
"""

import numpy as np
import pandas as pd

from tokenecon.formulas import uncertainty
from tokenecon.numerics import where
from tokenecon.planning.asked import CLOSED_LOOP
from tokenecon.serving import checks, estimate, lookups
from tokenecon.serving.arrivals import chances

WIDEST = 320  # GPUs of an instance, at most: the widest that data/wide_ep.csv has
SERVER, BOARD, RACK = 8, 4, 72  # up to here any number of GPUs; then by the board of a rack, up to the largest linked one
MANTISSAS, DECADES, FIRST = 900, 9, -4  # rates of one instance: from 1.00e-4 to below 1e5 requests a second
ROWS, PARTS = 600, 15  # asked of `estimate` at once, for a call costs as much as some hundred rows; numbers of each row at most
SPEEDS = ("ttft_ms", "tpot_ms")
LAYOUT = ("n_gpus", "tp", "pp", "attention_dp", "ep")
CONFIGURATION = ("gpu", *LAYOUT, "weights", "kv")
CASE = (*CONFIGURATION, "model", "isl", "osl", "cached_prefix", "load", "engine", "usd_per_gpu_hour")  # but for the load


def divisors(number):
    """What divides a whole number of GPUs."""
    return [one for one in range(1, number + 1) if number % one == 0]


def sizes(server_gpus, max_gpus, stated):
    """GPUs of an instance worth asking about: any number inside a server, by the board inside a rack; beyond both whole ones.

    Beyond one of them goes only who allows so many GPUs.
    """
    if stated:
        return [one for one in stated if max_gpus is None or one <= max_gpus]
    unit = min(server_gpus, RACK)
    most = int(min(unit if max_gpus is None else max_gpus, WIDEST))
    inside = [*range(1, min(SERVER, unit) + 1), *range(SERVER + BOARD, unit + 1, BOARD)]
    return [one for one in [*inside, *range(2 * unit, most + 1, unit)] if one <= most]


def layouts(n_gpus, shape, server_gpus):
    """Layouts of an instance as `estimate` takes them: pipeline stages, attention groups, and experts cut or spread.

    Attention groups are of models with experts, which are spread over all GPUs of a stage then, as engines do: inside a server
    evenly, beyond it with copies that fill the ranks.  Heads and the hidden size are cut evenly.
    """
    found, routed = [], shape["experts"] > 1
    for pp in divisors(n_gpus):
        tp = n_gpus // pp
        if pp > shape["layers"]:
            continue
        for attention_dp in divisors(tp) if routed else [1]:
            ranks = tp // attention_dp
            if shape["hidden_size"] % ranks or (shape["query_heads"] or 0) % ranks:
                continue
            even = routed and (shape["experts"] % tp == 0 or tp > server_gpus)
            spread = [tp] * even if attention_dp > 1 else [1, tp] if even and tp > 1 else [1]
            found += [{"n_gpus": n_gpus, "tp": tp, "pp": pp, "attention_dp": attention_dp, "ep": ep} for ep in spread]
    return found


def configurations(asked):
    """One row a configuration, with the columns that `estimate` takes but for the load."""
    shape = lookups.served(lookups.record(asked.model), asked.model)
    rows = []
    for gpu in asked.gpus:
        server = lookups.server_gpus(gpu)
        for size in sizes(server, asked.max_gpus, asked.n_gpus):
            rows += [{"gpu": gpu, **one} for one in layouts(size, shape, server)]
    table = pd.DataFrame(rows, columns=["gpu", *LAYOUT]).merge(_formats(asked), how="cross").assign(
        model=asked.model, isl=asked.isl, osl=asked.osl, cached_prefix=asked.cached_prefix, load=asked.load)
    return table if asked.engine is None else table.assign(engine=asked.engine)


def _formats(asked):
    """Formats of weights and cache, blank ones as `estimate` takes them."""
    blank = dict.fromkeys(checks.WORDS, "") | {"model": asked.model}
    said = [checks.stated(blank | {"weights": weights, "kv": kv}, False) for weights in asked.weights for kv in asked.kv]
    return pd.DataFrame([{name: one[name] for name in ("weights", "kv")} for one in said]).drop_duplicates()


def rate(place):
    """The number of requests a second at a place of the grid, which counts from 1."""
    place = np.asarray(place, dtype=float) - 1
    power = np.floor(place / MANTISSAS) + FIRST - 2
    mantissa = 100 + place % MANTISSAS
    return np.where(power < 0, mantissa / 10.0 ** np.maximum(-power, 0), mantissa * 10.0 ** np.maximum(power, 0))


def chance(found, limits):
    """Chance that each limit holds, by the spread of the model: its 80% interval, as a two-piece lognormal.

    Returns a dict by limit, and under ``all`` the least that the chance of all together can be, whatever the errors of one have
    to do with those of another (Fréchet).  1 where there is no limit.
    """
    each = {}
    for name, limit in limits.items():
        middle = found[name].to_numpy()
        far = np.log(limit / middle)
        low, high = (found[name + end].to_numpy() for end in ("_low", "_high"))
        width = where(far >= 0, np.log(high / middle), np.log(middle / low))
        each[name] = chances.normal(uncertainty.NORMAL_P90 * far / width)
    return each | {"all": np.maximum(sum(each.values()) - len(each) + 1, 0.0) if each else np.ones(len(found))}


def answers(table, asked, load, intervals=False):
    """What `estimate` says of instances under a load each: requests a second, or clients."""
    column = "concurrency" if asked.load == CLOSED_LOOP else "requests_per_s"
    asked_of = table[[name for name in CASE if name in table]].assign(**{column: load})
    return estimate.estimate(asked_of, intervals, any(name not in SPEEDS for name in asked.limits))


def broken(found, asked, ends=""):
    """The first limit that each row does not keep, or what else is in the way; nothing where all is kept.

    ``ends``, one for all rows or one for each, is "_high" or "_low" where the limits are held against that end of the model's
    interval.
    """
    said = np.where(found["error"] == "", "", "memory").astype(object)
    said[(said != "") & found["fits"]] = "speed"  # it fits, and more requests come than it serves
    if found.empty:
        return said
    ends = np.broadcast_to(ends, len(found))
    for name, limit in asked.limits.items():
        value = np.select([ends == end for end in set(ends)], [found[name + end] for end in set(ends)])
        said[(said == "") & ~(value <= limit)] = name
    if asked.chance:
        said[(said == "") & (ends == "") & (chance(found, asked.limits)["all"] < asked.chance)] = "chance"
    return said


def most(table, asked, ends=""):
    """The largest load of one instance of each row: requests a second, or clients; 0 where it holds none."""
    out = np.zeros(len(table))
    if table.empty:
        return out
    closed, intervals = asked.load == CLOSED_LOOP, bool(asked.chance) or not isinstance(ends, str)
    grid, ends = (np.asarray if closed else rate), np.broadcast_to(ends, len(table))
    least = answers(table, asked, grid(np.ones(len(table))), intervals)
    fine = np.flatnonzero(broken(least, asked, ends) == "")
    top = least["max_concurrency"].to_numpy()[fine] if closed else np.full(len(fine), float(MANTISSAS * DECADES))

    def kept(places):
        rows = np.tile(fine, len(places))
        found = answers(table.iloc[rows], asked, grid(places.ravel()), intervals)
        return (broken(found, asked, ends[rows]) == "").reshape(places.shape)

    if len(fine):
        out[fine] = grid(_largest(kept, np.maximum(top, 1.0)))
    return out


def _largest(kept, high):
    """The largest whole number of each from 1, which is kept, to ``high``: several are tried at once where there are few rows."""
    low, parts = np.ones(len(high)), int(np.clip(ROWS // len(high), 1, PARTS))
    steps, every = np.arange(1, parts + 1)[:, None], np.arange(len(high))
    while (low < high).any():
        places = low + np.ceil((high - low) * steps / (parts + 1))
        good = np.logical_and.accumulate(kept(places), axis=0).sum(axis=0)
        below = np.where(good > 0, places[good - 1, every], low)
        high = np.where(good < parts, np.maximum(places[np.minimum(good, parts - 1), every] - 1, below), high)
        low = below
    return low


def next_load(load, asked):
    """The next larger load of the grid."""
    if asked.load == CLOSED_LOOP:
        return load + 1
    power = np.floor(np.log10(load) + 1e-9)
    return load + 10.0 ** (power - 2)


def alone(table, asked):
    """Answers of each configuration under hardly any load, and what it breaks even so."""
    found = answers(table, asked, 1.0 if asked.load == CLOSED_LOOP else rate(1), bool(asked.chance))
    return found, broken(found, asked)

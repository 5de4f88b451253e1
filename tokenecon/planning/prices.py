"""What an hour of each configuration costs, as ``tokenecon cost`` has it: stated, rented by the price rule, or owned.

An hour of a GPU is ``usd_idle`` and, the more of it works, up to ``usd_busy`` more, the power of an owned one; GPUs come in units
of ``unit_gpus`` that are paid whole: by the rule ``best`` each size of offer is a row of its own.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.decision import bill, scenario_prices
from tokenecon.errors import NoInput, NoPrice
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import lookups

OWN, STATED = "own", "stated"
COLUMNS = ("gpu", "usd_idle", "usd_busy", "unit_gpus", "price_kind", "price_from", "commitment_months")


def offers(asked):
    """Offers of each GPU that has a price: one row, or by the rule ``best`` one for each size that is let."""
    known = {(gpu, kind) for gpu in asked.gpus  # asking for what nobody sells takes long
             for kind in data.rows("prices", {"gpu": gpu}, want="*")["kind"]}
    return pd.DataFrame([offer for gpu in asked.gpus for offer in _of(gpu, asked, known)], columns=COLUMNS)


def _of(gpu, asked, known):
    if gpu in asked.stated_prices:
        return [_offer(gpu, asked.stated_prices[gpu], unit_gpus=bill.unit_gpus(gpu) if asked.kind == OWN else 1, kind=STATED)]
    if asked.kind == OWN:
        return _owned(gpu, asked)
    for kind in [asked.kind] if asked.kind else lookups.PRICES:
        asks = (gpu, kind) in known or kind in asked.rents.get(gpu, {})
        if asks and (found := _rented(gpu, kind, asked)):
            return found
    return []


def _rented(gpu, kind, asked):
    found = {}
    for most in scenario_prices.servers(asked, gpu, kind):
        try:
            price = scenario_prices.rent(asked, gpu, kind, most)
        except NoPrice:
            continue
        found[price["min_gpus"]] = _offer(gpu, price["typical"], unit_gpus=price["min_gpus"], kind=kind,
                                          said=price["said"], months=price["term_months"])
    return list(found.values())


def _owned(gpu, asked):
    """An owned GPU, in whole servers; none where nobody sells it, or an input of its hour is not known."""
    try:
        if scenario_prices.own(asked, gpu, 1.0)["estimates"]:
            return []
        idle, busy = (owned_hour.owned_total(**owned(asked, gpu, share)) for share in (0.0, 1.0))
    except (NoPrice, NoInput):
        return []
    return [_offer(gpu, idle, busy - idle, bill.unit_gpus(gpu), OWN)]


def operands(found):
    """What the bill of each row of a plan is made of, as :func:`tokenecon.decision.mixes.alone` has it for a choice."""
    asked, rows = SimpleNamespace(**found.asked), []
    for name, row in zip(found["names"], found.best.to_dict("records"), strict=True):
        inputs = owned(asked, row["gpu"], row["utilisation"]) if row["price_kind"] == OWN else None
        rows.append({"name": name, "kind": row["price_kind"], "gpus": row["paid_replicas"] * row["n_gpus"],
                     "utilisation": row["utilisation"], "spare_share": 0.0, "usd_per_gpu_hour": row["usd_per_gpu_hour"],
                     "owned": inputs, "months": row["commitment_months"]}
                    | ({} if asked.rate else {"requests_per_s": row["requests_per_s"]}))
    return rows


def owned(asked, gpu, utilisation):
    """Inputs of an owned hour of a GPU that is so busy."""
    return scenario_prices.owned_inputs(asked, gpu, utilisation)["typical"].to_dict()


def _offer(gpu, idle, busy=0.0, unit_gpus=1, kind="", said="", months=0.0):
    return dict(zip(COLUMNS, (gpu, float(idle), float(busy), int(unit_gpus), kind, said, months), strict=True))


def followed(asked, kind):
    """The kind of hour by which a fleet follows its load: a stated price is of the kind asked for, or by the hour."""
    return (asked.kind or "on_demand") if kind == STATED else kind


def hour(table, utilisation):
    """An hour of a GPU of each row that is so busy. [USD/GPU/h]"""
    return table["usd_idle"].to_numpy() + table["usd_busy"].to_numpy() * utilisation


def units(table):
    """Instances that the GPUs of one unit hold, and how many GPUs these are: a large instance takes several units."""
    size, unit = (table[name].to_numpy(dtype=float) for name in ("n_gpus", "unit_gpus"))
    return np.maximum(np.floor(unit / size), 1.0), np.ceil(size / unit) * unit


def said(asked, found):
    """Whose price it is, in words."""
    kinds = list(dict.fromkeys(found["price_kind"]))
    rule = gpu_prices.PRICE_RULES[asked.price_rule]
    words = {STATED: "the stated price", "on_demand": f"{rule} by the hour",
             OWN: "the cost of owned ones, as busy as they are, in whole servers"}
    text = words[kinds[0]] if len(kinds) == 1 and kinds[0] in words else f"{rule} by kind ({', '.join(kinds)})"
    return text + (", whole servers where the offer is of several GPUs" if (found["unit_gpus"] > 1).any() and OWN not in kinds
                   else "")

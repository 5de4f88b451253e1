"""Rent or buy an accelerator, and serve on a CPU or a GPU: both are questions of how full the hours are."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.analysis import hardware
from tokenecon.formulas import tco

SPANS = ("finance.server_factor", "finance.upkeep", "finance.availability", "power.pue")
PARTS = {"capital": "capital", "upkeep": "upkeep", "power": "power"}


def owned(*, usd_per_gpu, watts_per_gpu, usd_per_kwh, years, discount_rate, server_factor, upkeep, availability, pue):
    """Parts and total of an hour of an owned GPU. [USD/GPU/h]"""
    capital = tco.capital_usd_per_gpu_hour(
        usd_per_gpu=usd_per_gpu, server_factor=server_factor, availability=availability,
        capital_recovery_per_year=tco.capital_recovery_factor(discount_rate=discount_rate, years=years))
    kept = tco.upkeep_usd_per_gpu_hour(usd_per_gpu=usd_per_gpu, server_factor=server_factor, upkeep_per_year=upkeep,
                                       availability=availability)
    power = tco.power_usd_per_gpu_hour(watts_per_gpu=watts_per_gpu, pue=pue, usd_per_kwh=usd_per_kwh)
    total = tco.owned_usd_per_gpu_hour(
        capital_usd_per_gpu_hour=capital, upkeep_usd_per_gpu_hour=kept, power_usd_per_gpu_hour=power)
    return {"capital": capital, "upkeep": kept, "power": power, "total": total}


def _ends(gpu, bought, case):
    """Cheap, expected and dear hour of ownership, from the ranges of price and assumptions."""
    spans = {name: data.span(name) for name in SPANS}
    watts = data.gpu(gpu)["board_power_w"]
    for place, price in enumerate((bought["low"], bought["typical"], bought["high"])):
        # more availability is cheaper, so its range runs the other way
        availability = spans["finance.availability"][2 - place]
        yield owned(usd_per_gpu=price, watts_per_gpu=watts, usd_per_kwh=case.power_usd_per_kwh, years=case.years,
                    discount_rate=case.discount_rate, server_factor=spans["finance.server_factor"][place],
                    upkeep=spans["finance.upkeep"][place], availability=availability, pue=spans["power.pue"][place])


def rent_or_buy(case):
    """An hour of ownership against an hour of rent, and the hours after which buying costs less."""
    rows, cited = [], []
    for gpu in hardware.ids(case):
        if data.gpu(gpu)["board_power_w"] != data.gpu(gpu)["board_power_w"]:
            continue
        try:
            rent = data.price_range(gpu, case.price_kind, case.as_of)
            bought = data.price_range(gpu, "purchase", case.as_of, max_age_days=hardware.PURCHASE_MAX_AGE_DAYS)
        except data.NoPrice:
            continue
        cheap, middle, dear = _ends(gpu, bought, case)
        operating = middle["upkeep"] + middle["power"]
        hours = tco.rent_or_buy_hours(
            usd_per_gpu=bought["typical"], server_factor=data.value("finance.server_factor"),
            rent_usd_per_gpu_hour=rent["typical"], operating_usd_per_gpu_hour=operating)
        paid = rent["typical"] > operating
        rows.append({
            "gpu": gpu, "name": data.gpu(gpu)["name"], **{f"{part}_usd_per_gpu_hour": middle[part] for part in PARTS},
            "owned_usd_per_gpu_hour": middle["total"], "owned_usd_per_gpu_hour_low": cheap["total"],
            "owned_usd_per_gpu_hour_high": dear["total"], "rent_usd_per_gpu_hour": rent["typical"],
            "rent_usd_per_gpu_hour_low": rent["low"], "rent_usd_per_gpu_hour_high": rent["high"],
            "break_even_hours": hours if paid else np.nan,
            "break_even_share": hours / (case.years * units.HOURS_PER_YEAR) if paid else np.nan,
        })  # fmt: skip
        cited += rent["sources"] + bought["sources"]
    if not rows:
        raise ValueError(f"parameter 'gpus': none of {', '.join(case.gpus)} has a purchase price, a '{case.price_kind}' price "
                         f"and a board power on {case.as_of}; see `tokenecon list prices`")
    table = pd.DataFrame(rows)
    cheaper = table[table["owned_usd_per_gpu_hour"] < table["rent_usd_per_gpu_hour"]]
    table.attrs["finding"] = (
        f"Used every hour for {case.years:g} years, {len(cheaper)} of {len(table)} accelerators cost less to own than to "
        f"rent at {case.price_kind.replace('_', ' ')} prices; the price ranges decide which")
    table.attrs["sources"] = [*dict.fromkeys(cited), "own-assumption"]
    return table


def rent_or_buy_long(case):
    """The same, one row an offer: owned and rented hour of each GPU with its range."""
    wide = rent_or_buy(case)
    rows = [{"label": row["name"], "offer": text, "usd_per_gpu_hour": row[name], "usd_per_gpu_hour_low": row[f"{name}_low"],
             "usd_per_gpu_hour_high": row[f"{name}_high"]}
            for _, row in wide.iterrows()
            for name, text in (("owned_usd_per_gpu_hour", "owned"), ("rent_usd_per_gpu_hour", "rented"))]
    table = pd.DataFrame(rows)
    table.attrs = wide.attrs
    return table


def cpu_or_gpu(case):
    """Cost of a token over the load, for a small model on a CPU server and on one GPU, each paid by the hour."""
    rows, switch, names = [], {}, {}
    for gpu in (case.cpu, case.small_gpu):
        rent = data.price_range(gpu, "on_demand", case.as_of, max_age_days=hardware.CPU_PRICE_MAX_AGE_DAYS)
        usd = (rent["low"], rent["typical"], rent["high"])
        row, reason = hardware.instance(gpu, _small(case), usd)
        if row is None:
            raise ValueError(f"parameter 'small_model' is '{case.small_model}', which {gpu} cannot serve: {reason}")
        names[gpu] = data.gpu(gpu)["name"]
        for load in np.geomspace(1, 1e4, 60):
            machines = np.ceil(load / row["tok_out_per_s"])
            costs = [price * row["gpus"] * machines / units.SECONDS_PER_HOUR / load * units.TOKENS_PER_MTOK for price in usd]
            rows.append({"load_tok_out_per_s": load, "machine": names[gpu], "usd_per_mtok_out": costs[1],
                         "usd_per_mtok_out_low": costs[0], "usd_per_mtok_out_high": costs[2]})
        switch[gpu] = (row["tok_out_per_s"], usd[1] * row["gpus"])
    table = pd.DataFrame(rows)
    pivot = table.pivot(index="load_tok_out_per_s", columns="machine", values="usd_per_mtok_out")
    cpu_wins = pivot[names[case.cpu]] < pivot[names[case.small_gpu]]
    share = float(cpu_wins.mean())
    rate, model = switch[case.small_gpu][0] / switch[case.cpu][0], data.model(case.small_model)["name"]
    where = ("at no load" if share == 0 else "at every load" if share == 1 else
             f"up to {pivot.index[cpu_wins.to_numpy()].max():,.0f} tokens a second")
    table.attrs["finding"] = (
        f"{names[case.cpu]} is the cheaper machine for {model} {where}: an hour of it costs "
        f"{switch[case.cpu][1] / switch[case.small_gpu][1]:.1f} times an hour of {names[case.small_gpu]}, which is {rate:.0f} times as fast")
    table.attrs["sources"] = list(dict.fromkeys(
        one for gpu in names for one in data.price_range(
            gpu, "on_demand", case.as_of, max_age_days=hardware.CPU_PRICE_MAX_AGE_DAYS)["sources"]))
    return table


def _small(case):
    """The case of the page with its small model, for the comparison of a CPU with a GPU."""
    return type(case)(**(vars(case) | {"model": case.small_model, "weights": "int8", "kv": "fp16"}))


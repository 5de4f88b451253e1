"""Rent or buy an accelerator, and serve on a CPU or a GPU: both are questions of how full the hours are."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, NothingServes
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import money, tco
from tokenecon.ownership import hour_parts, owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import instances, textbook
from tokenecon_book.chapters.hardware import hardware
from tokenecon_book.documents import base
from tokenecon_book.documents.words import than

PARTS = {"capital": ("gpu", "server", "network"), "upkeep": ("upkeep", "staff"), "space": ("space",), "power": ("power",)}
RENTED = "on_demand"  # what an own hour is set beside where the page is about owning
COLUMNS = {
    "name": ("Accelerator", None), "owned_usd_per_gpu_hour": ("Owned", "USD/GPU/h"),
    "rent_usd_per_gpu_hour": ("Rented", "USD/GPU/h"), "break_even_hours": ("Buying pays after", "h"),
    "break_even_share": ("Of its life", "fraction"),
}  # fmt: skip
RANGES = {"owned_usd_per_gpu_hour": "draws", "rent_usd_per_gpu_hour": "offers"}
PART_COLUMNS = {
    "name": ("Accelerator", None), "capital_usd_per_gpu_hour": ("Capital", "USD/GPU/h"),
    "upkeep_usd_per_gpu_hour": ("Upkeep and staff", "USD/GPU/h"), "space_usd_per_gpu_hour": ("Space", "USD/GPU/h"),
    "power_usd_per_gpu_hour": ("Power", "USD/GPU/h"), "utilisation": ("Busy", "fraction"), "reason": ("Why there is none", None),
}  # fmt: skip


def rented(case):
    """The kind of rent that an own hour is compared with."""
    return RENTED if case.price_kind == "own" else case.price_kind


@finding
def rent_or_buy(case):
    """An hour of ownership against an hour of rent, and the hours after which buying costs less; or why there is none.

    The owned hour is that of the base case on each accelerator: the scenario's money, as busy as the load leaves its own fleet.
    """
    try:
        offered = base.offered(case, hardware.ids(case), "own", rented(case))
    except NothingServes as reason:
        raise BadInput(f"parameter 'gpus': {reason}") from None
    table = pd.DataFrame([_beside(case, gpu, offered[offered["gpu"] == gpu]) for gpu in hardware.ids(case)])
    known = table[table["reason"] == ""]
    if known.empty:
        return Finding(table, "Of none of these accelerators both an owned and a rented hour are known",
                       units={"break_even_hours": "h"}, drawn=False)
    cheaper = int((known["owned_usd_per_gpu_hour"] < known["rent_usd_per_gpu_hour"]).sum())
    old = ", at old purchase prices" if known["old"].any() else ""
    missing = table.loc[table["reason"] != "", "name"]
    return Finding(table, (
        f"Hour for hour {_some(case, cheaper, known)} less to own than to rent {hardware.HAD[rented(case)]}{old}"),
        "Owned by a specialised cloud that rents its hall, as busy as the load leaves an own fleet; bars are draws of the "
        "inputs (10 to 90%). Rented: typical price and spread of offers. An hour that works costs more of either: its price "
        f"over the busy share. Old, over {gpu_prices.OLD_DAYS} days: {_old(known)}."
        + (f" Not known: {', '.join(missing)}." if len(missing) else ""), units={"break_even_hours": "h"}, drawn=True)


def _old(known):
    """Whose purchase price or rent is old, in words."""
    words = {(True, True): "bought and rented", (True, False): "bought", (False, True): "rented"}
    aged = [(row["name"], words.get((row["old"], row["old_rent"]))) for _, row in known.iterrows()]
    return ", ".join(f"{name} ({what})" for name, what in aged if what) or "none"


def _beside(case, gpu, offered):
    """One accelerator: its owned hour in parts, the rent, and after how many hours buying pays."""
    reasons = offered.loc[offered["reason"] != "", "reason"]
    row = {"gpu": gpu, "name": data.gpu(gpu)["name"], "reason": "; ".join(dict.fromkeys(reasons))}
    if row["reason"]:
        return row
    own, rent = (offered[offered["kind"] == kind].iloc[0] for kind in ("own", rented(case)))
    given = base.owned_inputs(case, own["utilisation"])
    found = owned_hour.owned(gpu, as_of=case.as_of, **given)
    usd = found.table.set_index("component")["usd_per_gpu_hour"]
    parts = {f"{part}_usd_per_gpu_hour": usd[list(names)].sum() for part, names in PARTS.items()}
    operating = sum(parts.values()) - parts["capital_usd_per_gpu_hour"]
    first = hour_parts.purchase_usd_per_gpu(**owned_hour.spans(gpu, as_of=case.as_of, **given)["typical"])
    hours = float(tco.rent_or_buy_hours(usd_per_gpu=first, server_factor=1.0, rent_usd_per_gpu_hour=rent["usd_per_gpu_hour"],
                                        operating_usd_per_gpu_hour=operating))
    paid = rent["usd_per_gpu_hour"] > operating
    return row | parts | {
        "utilisation": given["utilisation"], "owned_usd_per_gpu_hour": found["total"],
        "owned_usd_per_gpu_hour_low": found["likely_low"], "owned_usd_per_gpu_hour_high": found["likely_high"],
        **_rent(case, gpu, rent), "break_even_hours": hours if paid else np.nan,
        "break_even_share": hours / (given["years"] * units.HOURS_PER_YEAR) if paid else np.nan,
        "old": "old" in own["price_mark"].split(", "), "old_rent": "old" in rent["price_mark"].split(", ")}


def _rent(case, gpu, rent):
    """The rent of an accelerator with the spread of its offers, one number where the page states it."""
    usd = {"rent_usd_per_gpu_hour": rent["usd_per_gpu_hour"]}
    if rented(case) == RENTED and case.usd_per_gpu_hour is not None:
        return usd | dict.fromkeys(("rent_usd_per_gpu_hour_low", "rent_usd_per_gpu_hour_high"), rent["usd_per_gpu_hour"])
    found = gpu_prices.price_range(gpu, rented(case), case.as_of, rule=base.rule(case))
    return usd | {"rent_usd_per_gpu_hour_low": min(found["low"], rent["usd_per_gpu_hour"]),
                  "rent_usd_per_gpu_hour_high": max(found["high"], rent["usd_per_gpu_hour"])}


def _some(case, part, known):
    """How many of the accelerators cost less, as subject and verb."""
    of = {"gpus": ",".join(known["gpu"]), "price": rented(case), "as_of": case.as_of}
    if not part:
        return "no accelerator costs" if len(known) > 1 else f"{known['name'].iloc[0]} does not cost"
    if len(known) == 1:
        return f"{known['name'].iloc[0]} costs"
    cheaper = named("accelerators-cheaper-owned", part, str, **of)
    if part == len(known):
        return f"all {cheaper} accelerators cost"
    whole = named("accelerators-compared", len(known), str, gpus=of["gpus"], price=f"own, {of['price']}")
    return f"{cheaper} of {whole} accelerators cost{'s' if part == 1 else ''}"


@finding
def rent_or_buy_long(wide):
    """The rows of :func:`rent_or_buy`, one an offer: owned and rented hour of each GPU with its range."""
    if not wide["drawn"]:
        return Finding(wide.table, wide.sentence, wide.note, drawn=False)
    rows = [{"label": f"{row['name']}, {text}", "offer": text, "usd_per_gpu_hour": row[name],
             "usd_per_gpu_hour_low": row[f"{name}_low"], "usd_per_gpu_hour_high": row[f"{name}_high"]}
            for _, row in wide.table[wide.table["reason"] == ""].iterrows()
            for name, text in (("owned_usd_per_gpu_hour", "owned"), ("rent_usd_per_gpu_hour", "rented"))]
    return Finding(pd.DataFrame(rows), wide.sentence, wide.note, drawn=True)


def _machine(name, share, case):
    """Rate and hourly price of the smallest machine that can be rented: a share of a server, or one GPU.

    A share of a server has that share of its bandwidth, arithmetic and memory, so its step takes 1/share as long.
    """
    rent = gpu_prices.price_range(name, "on_demand", case.as_of, max_age_days=hardware.CPU_PRICE_MAX_AGE_DAYS)
    length = {"isl": case.isl, "osl": case.osl}
    where = {"model": case.small_model, "gpu": name, "weights": case.small_weights, "kv": case.kv}
    room = share * textbook.max_concurrency(**where, n_gpus=1, positions=case.isl + case.osl)
    batch = min(int(room), instances.largest_batch(n_gpus=1, tpot_ms=case.cpu_tpot_ms * share, **where, **length))
    if batch < 1:
        raise BadInput(f"parameter 'small_model' is '{case.small_model}', of which {data.gpu(name)['name']} (a share of "
                       f"{share:g}) cannot make a token in {case.cpu_tpot_ms:g} ms; raise cpu_tpot_ms or name a smaller one")
    point = textbook.point(**where, **length, n_gpus=1, concurrency=batch, usd_per_gpu_hour=1.0, utilisation=1.0)
    prices = [share * rent[end] for end in ("low", "typical", "high")]
    return {"name": data.gpu(name)["name"] + (f", {share:.0%} of it" if share < 1 else ""),
            "rate": share * point["output_tok_s"], "prices": prices, "age": gpu_prices.age_days(rent)}


@finding
def cpu_or_gpu(case):
    """Cost of a token over the load: a small model on shares of a CPU server and on whole GPUs, paid by the hour."""
    cpu, gpu = _machine(case.cpu, case.cpu_share, case), _machine(case.small_gpu, 1.0, case)
    loads = np.geomspace(1, 3 * max(cpu["rate"], gpu["rate"]), 120)
    parts = []
    for machine in (cpu, gpu):
        paid = np.ceil(loads / machine["rate"])
        low, typical, high = (
            money.usd_per_mtok_out(usd_per_gpu_hour=price, n_gpus=paid, tok_out_per_s=loads, utilisation=1.0)
            for price in machine["prices"])
        parts.append(pd.DataFrame({"load_tok_out_per_s": loads, "machine": machine["name"], "usd_per_mtok_out": typical,
                                   "usd_per_mtok_out_low": low, "usd_per_mtok_out_high": high}))
    table = pd.concat(parts, ignore_index=True)
    wins = parts[0]["usd_per_mtok_out"].to_numpy() < parts[1]["usd_per_mtok_out"].to_numpy()
    until = float(f"{loads[wins].max():.2g}") if wins.any() else None
    load = named("cpu-cheaper-until", until, "{:,.0f}".format, **base.cased(
        case, "cpu", "cpu_share", "small_gpu", "small_model", "small_weights", "kv", "isl", "osl", "as_of")) if wins.any() else ""
    where = "At every load" if wins.all() else f"Below about {load} tokens a second" if wins.any() else "At no load"
    aged = [f"{machine['name']} {machine['age']} days" for machine in (cpu, gpu) if machine["age"] > gpu_prices.OLD_DAYS]
    return Finding(table, (
        f"{where} a slice of a CPU server serves {data.model(case.small_model)['name']} cheaper than "
        f"{data.gpu(case.small_gpu)['name']}{', at old prices' if aged else ''}"),
        f"An hour of the slice costs {than(cpu['prices'][1] / gpu['prices'][1])} one of {gpu['name']}. "
        f"By the textbook, both with the same assumed efficiencies: no CPU server is among the measurements. {gpu['name']} makes "
        f"{gpu['rate'] / cpu['rate']:.2g} times as many tokens. Machines are paid whole: where the load needs a second one, the "
        "cost jumps." + (f" Age of the price: {', '.join(aged)}." if aged else ""), until=until)

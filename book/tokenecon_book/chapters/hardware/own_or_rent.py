"""Rent or buy an accelerator, and serve on a CPU or a GPU: both are questions of how full the hours are."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, NoInput, NoPrice
from tokenecon.finding import Finding, finding
from tokenecon.formulas import money, tco
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import instances, textbook
from tokenecon_book.chapters.hardware import hardware
from tokenecon_book.documents.printed import n

PARTS = {"capital": ("gpu", "server", "network"), "upkeep": ("upkeep", "staff"), "space": ("space",), "power": ("power",)}
COLUMNS = {
    "name": ("Accelerator", None), "capital_usd_per_gpu_hour": ("Capital", "USD/GPU/h"),
    "upkeep_usd_per_gpu_hour": ("Upkeep and staff", "USD/GPU/h"), "space_usd_per_gpu_hour": ("Space", "USD/GPU/h"),
    "power_usd_per_gpu_hour": ("Power", "USD/GPU/h"),
    "owned_usd_per_gpu_hour": ("Owned", "USD/GPU/h"), "rent_usd_per_gpu_hour": ("Rented", "USD/GPU/h"),
    "break_even_hours": ("Buying pays after", "h"), "break_even_share": ("Of its life", "fraction"),
}  # fmt: skip


@finding
def rent_or_buy(case):
    """An hour of ownership against an hour of rent, and the hours after which buying costs less."""
    rows, priced = [], []
    given = {"years": case.years, "discount_rate": case.discount_rate, "usd_per_kwh": case.power_usd_per_kwh}
    for gpu in hardware.ids(case):
        try:
            rent = gpu_prices.of_page(case, gpu, case.price_kind)
            own = owned_hour.owned(gpu, as_of=case.as_of, **given)
        except (NoPrice, NoInput):
            continue
        usd = own.table.set_index("component")["usd_per_gpu_hour"]
        parts = {f"{part}_usd_per_gpu_hour": usd[list(names)].sum() for part, names in PARTS.items()}
        operating = sum(parts.values()) - parts["capital_usd_per_gpu_hour"]
        first = owned_hour.purchase_usd_per_gpu(**owned_hour.spans(gpu, as_of=case.as_of, **given)["typical"])
        hours = float(tco.rent_or_buy_hours(usd_per_gpu=first, server_factor=1.0, rent_usd_per_gpu_hour=rent["typical"],
                                            operating_usd_per_gpu_hour=operating))
        paid, priced = rent["typical"] > operating, [*priced, rent, owned_hour.bought(gpu, case.as_of)]
        rows.append({
            "gpu": gpu, "name": data.gpu(gpu)["name"], **parts, "owned_usd_per_gpu_hour": own["total"],
            "owned_usd_per_gpu_hour_low": own["likely_low"], "owned_usd_per_gpu_hour_high": own["likely_high"],
            "rent_usd_per_gpu_hour": rent["typical"], "rent_usd_per_gpu_hour_low": rent["low"],
            "rent_usd_per_gpu_hour_high": rent["high"], "break_even_hours": hours if paid else np.nan,
            "break_even_share": hours / (case.years * units.HOURS_PER_YEAR) if paid else np.nan,
        })  # fmt: skip
    if not rows:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has a purchase price, a '{case.price_kind}' price "
                       f"and an all-in power on {case.as_of}; name one that has (`tokenecon list prices`), too")
    table = pd.DataFrame(rows)
    cheaper = table[table["owned_usd_per_gpu_hour"] < table["rent_usd_per_gpu_hour"]]
    sure = table[table["owned_usd_per_gpu_hour_high"] < table["rent_usd_per_gpu_hour_low"]]
    return Finding(table, (
        f"Used every hour for {case.years:g} year{'' if case.years == 1 else 's'}, {_some(len(cheaper), len(table))} less to own "
        f"than to rent at typical {gpu_prices.words(case.price_kind)}{gpu_prices.aged_among(priced)}"
        + (f", {len(sure)} of them with ranges that do not touch" if len(cheaper) > 1 else "")),
        "Owned by a specialised cloud that rents its hall; ranges hold "
        f"{owned_hour.LIKELY_SHARE:.0%} of draws of the inputs. The page on the cost of an hour takes it apart.",
        units={"break_even_hours": "h"})


def _some(part, whole):
    """How many of the accelerators cost less, as subject and verb."""
    if not part:
        return "no accelerator costs" if whole > 1 else "the accelerator does not cost"
    if whole == 1:
        return "the accelerator costs"
    return f"{part} of {whole} accelerators cost{'s' if part == 1 else ''}"


@finding
def rent_or_buy_long(case):
    """The same, one row an offer: owned and rented hour of each GPU with its range."""
    wide = rent_or_buy(case)
    rows = [{"label": f"{row['name']}, {text}", "offer": text, "usd_per_gpu_hour": row[name],
             "usd_per_gpu_hour_low": row[f"{name}_low"], "usd_per_gpu_hour_high": row[f"{name}_high"]}
            for _, row in wide.table.iterrows()
            for name, text in (("owned_usd_per_gpu_hour", "owned"), ("rent_usd_per_gpu_hour", "rented"))]
    return Finding(pd.DataFrame(rows), wide.sentence, wide.note)


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
            "rate": share * point["output_tok_s"], "prices": prices}


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
    model = data.model(case.small_model)["name"]
    where = ("is dearer at every load" if not wins.any() else "is cheaper at every load" if wins.all() else
             f"is cheaper up to {loads[wins].max():,.0f} tokens a second")
    ratio = cpu["prices"][1] / gpu["prices"][1]
    hour = f"{ratio:.1f}" if ratio >= 0.05 else n(ratio, 1)
    return Finding(table, (
        f"For {model} the CPU {where}: its smallest machine costs {hour} times the hour of "
        f"{gpu['name']}, which makes {n(gpu['rate'] / cpu['rate'], 2)} times as many tokens"),
        "By the textbook, both with the same assumed efficiencies: no CPU server is among the measurements. Machines are "
        "paid whole: where the load needs a second one, the cost jumps.")

"""All kinds of an hour of one GPU side by side: rented by contract, spot after interruptions, and owned part by part."""

import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput, NoInput, NoPrice
from tokenecon.finding import Finding, finding
from tokenecon.formulas import contracts
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon_book.documents.printed import span_text
from tokenecon_book.documents.words import dollars

BOUNDS = {"years": (1, 100), "pue": (1, 10)}  # of what a reader may ask for
RENTED = {"on_demand": "On demand", "marketplace": "Marketplace", "reserved_3m": "Reserved for 3 months",
          "committed_1y": "Committed for 1 year", "committed_3y": "Committed for 3 years",
          "rental_3y": "3 years, by an analyst's model"}  # fmt: skip
SPOT = {"availability": "spot.availability", "interruptions_per_hour": "spot.interruptions", "restart_hours": "spot.restart",
        "lost_hours": "spot.lost"}  # fmt: skip
STACKED = {"GPU": ("gpu",), "Server and network": ("server", "network"), "Repairs, support, staff": ("upkeep", "staff"),
           "Space": ("space",), "Power": ("power",)}  # fmt: skip
OWNED = {"neocloud": "Owned, specialised cloud", "hyperscaler": "Owned, large cloud"}
ENDS = {"": "typical", "_low": "low", "_high": "high"}
COLUMNS = {
    "label": ("Kind", None), "usd_per_gpu_hour": ("Price", "USD/GPU/h"), "of_on_demand": ("Of on demand", "fraction"),
    "sellers": ("Sellers", None), "offers": ("Offers", None), "as_of": ("Set by a quote of", None),
    "old": ("Older than 90 days", None), "outside": ("Outside their peers", None),
}  # fmt: skip
PART_COLUMNS = {
    "name": ("Part", None), "usd_per_gpu_hour": ("Expected", "USD/GPU/h"), "share": ("Share", "fraction"),
    "inputs": ("From", None),
}  # fmt: skip


def page_inputs(case, owner="neocloud"):
    """Inputs of an owned hour that a page sets; a large cloud keeps its own cost of capital."""
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(case, name) <= most:
            raise BadInput(f"parameter '{name}' is {getattr(case, name):g}, but must be from {least:g} to {most:g}")
    given = {"years": case.years, "discount_rate": case.discount_rate, "residual_share": case.residual_share, "pue": case.pue,
             "usd_per_kwh": case.power_usd_per_kwh, "utilisation": case.utilisation}
    if owner == "hyperscaler":
        given.pop("discount_rate")
    return given


def rented(gpu, kind, as_of=None):
    """:func:`tokenecon.gpu_prices.price_range` with marks: how many offers, of them older than 90 days, outside their peers."""
    from tokenecon.prices import price_book

    found = gpu_prices.price_range(gpu, kind, as_of, estimates=True)
    offers = price_book.gpu_offers(gpu, kind, as_of)
    offers = offers[offers["id"].isin(found["rows"])]
    return found | {"old": int(offers["old"].sum()), "outside": int(offers["outside"].sum())}


def stated(case):
    """The on-demand price that the page states, as :func:`rented` gives one of the price book: no offer is behind it."""
    return gpu_prices.of_page(case) | {"old": 0, "outside": 0}


def spot(gpu, as_of=None, **given):
    """An hour of work on spot GPUs: interruptions repeat work, on-demand GPUs fill the gaps: low, typical, high.

    ``given`` sets any of :data:`SPOT`; what is not given comes from its row with its range.
    """
    unknown = [name for name in given if name not in SPOT]
    if unknown:
        raise ValueError(f"input '{unknown[0]}' of a spot hour is not known; allowed are {', '.join(SPOT)}")
    price, full = (gpu_prices.price_range(gpu, kind, as_of) for kind in ("spot", "on_demand"))
    inputs = {name: (given[name],) * 3 if name in given else data.span(row) for name, row in SPOT.items()}
    inputs["availability"] = inputs["availability"][::-1]  # more of it is cheaper
    out = {end: contracts.spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=price[end], on_demand_usd_per_gpu_hour=full[end],
        **{name: values[place] for name, values in inputs.items()}) for place, end in enumerate(owned_hour.PLACES)}
    return out | {"list_typical": price["typical"]}


@finding
def kinds(case):
    """One row a kind of hour of the page's GPU, cheapest first; kinds without a price on the day are named in the note."""
    rows, missing, ages = [], [], {}
    for kind, label in RENTED.items():
        try:
            priced = kind == "on_demand" and case.usd_per_gpu_hour is not None
            found = stated(case) if priced else rented(case.gpu, kind, case.as_of)
        except NoPrice:
            missing.append(label.lower())
            continue
        ages[kind] = gpu_prices.aged(found)
        rows.append({"kind": kind, "label": label, "way": "rented", **_shown(found)})
    try:
        work = spot(case.gpu, case.as_of, availability=case.spot_availability,
                    interruptions_per_hour=case.interruptions_per_hour)
        marks = rented(case.gpu, "spot", case.as_of)
        ages["spot"] = gpu_prices.aged(marks)
        rows.append({"kind": "spot", "label": "Spot, list price", "way": "rented", **_shown(marks)})
        rows.append({"kind": "spot_work", "label": "Spot, an hour of work", "way": "rented", **_shown(marks | work)})
    except NoPrice:
        missing.append("spot")
    for owner, label in OWNED.items():
        own = owned_hour.owned(case.gpu, as_of=case.as_of, owner=owner, **page_inputs(case, owner))
        rows.append({"kind": f"owned_{owner}", "label": label, "way": "owned", "usd_per_gpu_hour": own["total"],
                     "usd_per_gpu_hour_low": own["likely_low"], "usd_per_gpu_hour_high": own["likely_high"],
                     "as_of": own["as_of"]})
    table = pd.DataFrame(rows).sort_values("usd_per_gpu_hour", ignore_index=True)
    full = table.loc[table["kind"] == "on_demand", "usd_per_gpu_hour"]
    if full.empty:
        raise BadInput(f"parameter 'gpu' is '{case.gpu}', which has no on-demand price on {case.as_of} to compare with; "
                       "see `tokenecon list prices`")
    table["of_on_demand"] = table["usd_per_gpu_hour"] / full.iloc[0]
    usd = table.set_index("kind")["usd_per_gpu_hour"]
    spots = f", {dollars(usd['spot_work'])}{ages['spot']} on spot with its interruptions paid" if "spot_work" in usd else ""
    return Finding(table, (
        f"On {case.as_of} an hour of {data.gpu(case.gpu)['name']} costs {dollars(usd['on_demand'])}{ages.get('on_demand', '')} "
        f"on demand{spots}, and {dollars(usd['owned_neocloud'])} in a cloud of one's own"),
        "Rented: the middle provider, from the lowest to the highest offer. Owned: "
        f"{owned_hour.LIKELY_SHARE:.0%} of draws of the inputs, for hours that are all used or all paid for anyway."
        + (f" No price on this day: {', '.join(missing)}." if missing else ""),
        units=dict.fromkeys(("sellers", "old", "outside"), "count"))


@finding
def breakdown(case):
    """Parts of the owned hour of every GPU of the page that has a purchase price, stacked, with the rent beside it."""
    rows, missing = [], []
    for gpu in case.gpus:
        try:
            own = owned_hour.owned(gpu, as_of=case.as_of, **page_inputs(case))
        except NoInput:
            missing.append(data.gpu(gpu)["name"])
            continue
        usd = own.table.set_index("component")["usd_per_gpu_hour"]
        text = f"{dollars(own['total'])} ({own['likely_low']:.2f} to {own['likely_high']:.2f})"
        rows += [{"gpu": gpu, "label": data.gpu(gpu)["name"], "part": part, "usd_per_gpu_hour": usd[list(names)].sum(),
                  "total": text, "sort": own["total"]} for part, names in STACKED.items()]
    if not rows:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has a purchase price and an all-in power on "
                       f"{case.as_of}; see `tokenecon list prices`")
    table = pd.DataFrame(rows).sort_values("sort", kind="stable", ignore_index=True).drop(columns="sort")
    of_gpu = table[table["part"] == "GPU"]["usd_per_gpu_hour"].sum() / table["usd_per_gpu_hour"].sum()
    low, high = (table.groupby("gpu")["usd_per_gpu_hour"].sum().agg(end) for end in ("min", "max"))
    return Finding(
        table,
        f"An owned hour costs {span_text(low, high, dollars)}; {1 - of_gpu:.0%} of it goes to what stands around the accelerator",
        "A specialised cloud that rents its hall. In brackets: "
        f"{owned_hour.LIKELY_SHARE:.0%} of draws of the inputs that the page leaves open."
        + (f" No purchase price on this day: {', '.join(missing)}." if missing else ""))


@finding
def own_parts(case):
    """The parts of the page's GPU with low, expected and high, and the inputs behind each."""
    own = owned_hour.owned(case.gpu, as_of=case.as_of, **page_inputs(case))
    whole = {"component": "total", "name": "Total", "share": 1.0, "usd_per_gpu_hour": own["total"],
             "usd_per_gpu_hour_low": own["total_low"], "usd_per_gpu_hour_high": own["total_high"]}
    table = pd.concat([own.table, pd.DataFrame([whole])], ignore_index=True)
    table["inputs"] = table["component"].map(PART_WORDS)
    try:
        found = gpu_prices.of_page(case)
        rent = f"; the same hour rents for {dollars(found['typical'])}{gpu_prices.aged(found)} on demand"
    except NoPrice:
        rent = ""
    return Finding(table, (
        f"An hour of an owned {data.gpu(case.gpu)['name']} costs {dollars(own['total'])}"
        f"{owned_hour.bought_at(case.gpu, case.as_of)}{rent}."),
        f"Four times out of five {span_text(own['likely_low'], own['likely_high'], dollars)} at this life, interest and resale. "
        "Ranges: every open input at its cheap end at once, and at its dear end; each column adds up.",
        number=f"{dollars(own['total'])} / h",
        label=f"an hour of an owned {data.gpu(case.gpu)['name']}, all parts, on {own['as_of']}")


def _shown(found):
    return {f"usd_per_gpu_hour{end}": found[name] for end, name in ENDS.items()} | {
        name: found[name] for name in ("sellers", "offers", "as_of", "old", "outside")}


PART_WORDS = {
    "gpu": "price, life, interest, resale", "server": "parts, maker's margin, life, interest, resale",
    "network": "switches and cables, life, interest, no resale", "upkeep": "share of all that was bought",
    "staff": "people for each server", "space": "rated power, rent of the hall",
    "power": "rated power, share drawn, PUE, electricity", "total": "",
}  # fmt: skip

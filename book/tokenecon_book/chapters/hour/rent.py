"""All kinds of an hour of one GPU side by side: rented by contract, spot after interruptions, and owned part by part."""

from types import SimpleNamespace

import pandas as pd

from tokenecon import data
from tokenecon.decision import scenario_prices
from tokenecon.errors import BadInput, NoInput, NoPrice
from tokenecon.finding import Finding, ends, finding, given, named
from tokenecon.formulas import contracts
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices, price_book
from tokenecon_book.documents import base
from tokenecon_book.documents.words import count, dollars, percent, span

PUE = (1, 10)  # what a reader may ask for
ESTIMATE = "rental_3y"  # nobody asks it: a model of an analyst
RENTED = {"on_demand": "On demand", "marketplace": "Marketplace", "reserved_3m": "Reserved for 3 months",
          "committed_1y": "Committed for 1 year", "committed_3y": "Committed for 3 years",
          ESTIMATE: "3 years, an analyst's estimate"}  # fmt: skip
WAYS = {"on_demand": "rent by the hour", "marketplace": "rent by the hour", ESTIMATE: "estimate, no offer"}
SPOT = {"availability": "spot.availability", "interruptions_per_hour": "spot.interruptions", "restart_hours": "spot.restart"}
STACKED = {"GPU": ("gpu",), "Server and network": ("server", "network"), "Repairs, support, staff": ("upkeep", "staff"),
           "Space": ("space",), "Power": ("power",)}  # fmt: skip
OWNED = {"neocloud": "Owned, specialised cloud", "hyperscaler": "Owned, large cloud"}
ENDS = {"": "typical", "_low": "low", "_high": "high"}
COLUMNS = {
    "label": ("Kind", None), "usd_per_gpu_hour": ("Price", "USD/GPU/h"), "of_on_demand": ("Of on demand", "ratio"),
    "sellers": ("Sellers", None), "as_of": ("Set by a quote of", None), "mark": ("Mark", None),
}  # fmt: skip
PART_COLUMNS = {
    "name": ("Part", None), "usd_per_gpu_hour": ("Expected, with its outer bound", "USD/GPU/h"), "share": ("Share", "fraction"),
    "inputs": ("From", None),
}  # fmt: skip


def completed(case):
    """The case of the page with its busy share: where the page states none, that of the own fleet under the load of the page."""
    found = {name: getattr(case, name) for name in vars(case)}
    return SimpleNamespace(**found | {"utilisation": page_inputs(case)["utilisation"]})


def page_inputs(case, owner="neocloud"):
    """Inputs of an owned hour of the page: those of the base case; a large cloud keeps its own cost of capital."""
    least, most = PUE
    if not least <= case.pue <= most:
        raise BadInput(f"parameter 'pue' is {case.pue:g}, but must be from {least:g} to {most:g}")
    inputs = base.owned_inputs(case)
    if owner == "hyperscaler":
        inputs.pop("discount_rate")
    return inputs


def ranges(found):
    """The kind of the range of each row of :func:`kinds`."""
    return ["draws" if way == "own" else "offers" for way in found["way"]]


@finding
def line(case):
    """The case of the page in one line: how the GPU is owned, how busy the load keeps it, and what it rents for."""
    inputs = page_inputs(case)
    found = owned_hour.bought(case.gpu, case.as_of)
    price = named("purchase-price", found["typical"], "${:,.0f}".format, **ends(found), **base.cased(case, "gpu", "as_of"))
    sold = named("resale-share", inputs["residual_share"], percent, years=inputs["years"])
    interest = given(case, "discount_rate", percent)  # before the busy share, as in the line: both may read the same
    fleet = base.bill(case, "own") if case.utilisation is None else {"utilisation": None}
    busy = given(case, "utilisation", percent) if case.utilisation is not None else base.said_busy(case, fleet)
    how = "second-hand " if found["second_hand"] else "at an estimate, " if found["estimates"] else ""
    parts = [data.gpu(case.gpu)["name"], f"bought {how}at {price}{base.aged(case, found, 'purchase')}",
             f"sold after {given(case, 'years', lambda years: count(years, 'year'))} for {sold}",
             f"{interest} interest", f"{busy} busy",
             f"{given(case, 'usd_per_kwh', dollars)} a kWh", f"PUE {given(case, 'pue', '{:g}'.format)}"]
    try:
        parts.append(f"{base.said_hour(case)} an hour on demand ({base.counted(case)})")
    except NoPrice:
        parts.append("no price on demand")
    return base.case_of(parts, busy=fleet["utilisation"])


def owned_said(case, total, owner="neocloud", gpu=None, **changes):
    """An owned hour as text and named quantity, with the inputs that it is of; ``changes`` are put in their place."""
    inputs = page_inputs(case, owner) | changes
    own = owned_hour.owned(gpu or case.gpu, as_of=case.as_of, owner=owner, **inputs)
    return named("hour-owned", total, dollars, low=own["total_low"], high=own["total_high"], gpu=gpu or case.gpu,
                 as_of=case.as_of, **inputs,
                 **({} if owner == "neocloud" else {"owner": owner}))


def rented(case, kind):
    """:func:`base.hour` with marks of its offers: how many are old or outside their peers, whether it is an estimate."""
    if kind == "on_demand" and gpu_prices.stated(case) is not None:
        return base.hour(case) | {"mark": "stated"}
    found = (gpu_prices.price_range(case.gpu, kind, case.as_of, estimates=True) if kind == ESTIMATE else base.hour(case, kind))
    offers = price_book.gpu_offers(case.gpu, kind, case.as_of)
    outside = int(offers.loc[offers["id"].isin(found["rows"]), "outside"].sum())
    marks = ["old"] * bool(gpu_prices.aged(found)) + ["estimate"] * found["estimates"] + [f"{outside} outside"] * bool(outside)
    return found | {"mark": ", ".join(marks)}


def spot(case, **stated):
    """An hour of work on spot GPUs that serve: interruptions repeat work, on-demand GPUs fill the gaps: low, typical, high.

    ``stated`` sets any of :data:`SPOT`; what is not stated comes from its row with its range.  Serving loses no work with a
    machine but the requests in flight.
    """
    unknown = [name for name in stated if name not in SPOT]
    if unknown:
        raise ValueError(f"input '{unknown[0]}' of a spot hour is not known; allowed are {', '.join(SPOT)}")
    price, full = base.hour(case, "spot"), base.hour(case)
    inputs = {name: (stated[name],) * 3 if name in stated else data.span(row) for name, row in SPOT.items()}
    inputs["availability"] = inputs["availability"][::-1]  # more of it is cheaper
    return {end: contracts.spot_usd_per_gpu_hour(
        spot_usd_per_gpu_hour=price[end], on_demand_usd_per_gpu_hour=full[end], lost_hours=scenario_prices.LOST_HOURS,
        **{name: values[place] for name, values in inputs.items()}) for place, end in enumerate(owned_hour.PLACES)}


@finding
def kinds(case):
    """One row a kind of hour of the page's GPU, cheapest first; kinds without a price on the day are named in the note."""
    rows, missing, old = [], [], {}
    for kind, label in RENTED.items():
        try:
            found = rented(case, kind)
        except NoPrice:
            missing.append(label.lower())
            continue
        old[kind] = bool(gpu_prices.aged(found))
        rows.append({"kind": kind, "label": label, "way": WAYS.get(kind, "commitment"), **_shown(found)})
    terms = {"availability": case.spot_availability, "interruptions_per_hour": case.interruptions_per_hour}
    try:
        found, work = rented(case, "spot"), spot(case, **terms)
        old["spot_work"] = bool(gpu_prices.aged(found))
        rows.append({"kind": "spot", "label": "Spot, list price", "way": "rent by the hour", **_shown(found)})
        rows.append({"kind": "spot_work", "label": "Spot, an hour of work", "way": "rent by the hour", **_shown(found | work)})
    except NoPrice:
        missing.append("spot")
    bought = owned_hour.bought(case.gpu, case.as_of)
    old["owned_neocloud"] = bool(gpu_prices.aged(bought))
    for owner, label in OWNED.items():
        own = owned_hour.owned(case.gpu, as_of=case.as_of, owner=owner, **page_inputs(case, owner))
        rows.append({"kind": f"owned_{owner}", "label": label, "way": "own", "usd_per_gpu_hour": own["total"],
                     "usd_per_gpu_hour_low": own["likely_low"], "usd_per_gpu_hour_high": own["likely_high"],
                     "sellers": bought["sellers"], "as_of": bought["as_of"], "mark": "old" if old["owned_neocloud"] else ""})
    table = pd.DataFrame(rows).sort_values("usd_per_gpu_hour", ignore_index=True)
    full = table.loc[table["kind"] == "on_demand", "usd_per_gpu_hour"]
    if full.empty:
        raise BadInput(f"parameter 'gpu' is '{case.gpu}', which has no on-demand price on {case.as_of} to compare with; "
                       "see `tokenecon list prices`")
    table["of_on_demand"] = table["usd_per_gpu_hour"] / full.iloc[0]
    usd = table.set_index("kind")["usd_per_gpu_hour"]
    said = [f"{owned_said(case, usd['owned_neocloud'])} owned{_old(old, 'owned_neocloud')}"]
    if "spot_work" in usd:
        work = named("hour-spot-work", usd["spot_work"], dollars, rule=base.rule(case), **terms,
                     **ends(table.set_index("kind").loc["spot_work"], "usd_per_gpu_hour"), **base.cased(case, "gpu", "as_of"))
        said.append(f"{work} on spot{_old(old, 'spot_work')} with its interruptions paid")
    return Finding(table, (
        f"An hour of {data.gpu(case.gpu)['name']} costs {', '.join(said)} and {base.said_hour(case)} on demand"
        f"{_old(old, 'on_demand')}"),
        "Rented: typical price and spread of offers. Owned: draws of the inputs (10 to 90%), for hours that are all used or all "
        f"paid for anyway. Old: set by a quote over {gpu_prices.OLD_DAYS} days before {case.as_of}; outside: offers beyond their "
        "peers." + (f" No price on this day: {', '.join(missing)}." if missing else ""),
        units={"sellers": "count", "of_on_demand": "ratio"})


def _old(old, kind):
    return " (old price)" if old.get(kind) else ""


@finding
def breakdown(case):
    """Parts of the owned hour of every GPU of the page that has a purchase price, stacked, each as busy as the page's GPU."""
    rows, missing, aged, guessed, inputs = [], [], [], [], page_inputs(case)
    for gpu in case.gpus:
        try:
            own = owned_hour.owned(gpu, as_of=case.as_of, **inputs)
        except NoInput:
            missing.append(data.gpu(gpu)["name"])
            continue
        usd = own.table.set_index("component")["usd_per_gpu_hour"]
        found = owned_hour.bought(gpu, case.as_of)
        aged += [data.gpu(gpu)["name"]] * bool(gpu_prices.aged(found))
        guessed += [data.gpu(gpu)["name"]] * found["estimates"]
        rows += [{"gpu": gpu, "label": data.gpu(gpu)["name"], "part": part, "usd_per_gpu_hour": usd[list(names)].sum(),
                  "total": dollars(own["total"]), "sort": own["total"]} for part, names in STACKED.items()]
    if not rows:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has a purchase price and an all-in power on "
                       f"{case.as_of}; see `tokenecon list prices`")
    table = pd.DataFrame(rows).sort_values("sort", kind="stable", ignore_index=True).drop(columns="sort")
    of_gpu = table[table["part"] == "GPU"]["usd_per_gpu_hour"].sum() / table["usd_per_gpu_hour"].sum()
    totals = table.groupby("gpu", sort=False)["usd_per_gpu_hour"].sum()
    ends = [owned_said(case, usd, gpu=gpu) for gpu, usd in totals.iloc[[0, -1]].items()]
    around = named("around-share", 1 - of_gpu, percent, gpus=",".join(totals.index), as_of=case.as_of, **inputs)
    hours = f"An owned hour costs {ends[0]}" if ends[0] == ends[1] else f"Owned hours cost {ends[0]} to {ends[1]}"
    return Finding(
        table, f"{hours}{', mostly at old purchase prices' if 2 * len(aged) > len(totals) else ''}; {around} goes to what stands "
        "around the accelerator",
        "A specialised cloud that rents its hall, machines as busy as the page's. "
        f"Purchase price over {gpu_prices.OLD_DAYS} days old: {', '.join(aged) or 'none'}."
        + (f" Bought at an estimate that nobody can be paid: {', '.join(guessed)}." if guessed else "")
        + (f" No purchase price on this day: {', '.join(missing)}." if missing else ""), around=1 - of_gpu)


@finding
def own_parts(case):
    """The parts of the page's GPU with low, expected and high, and the inputs behind each."""
    own = owned_hour.owned(case.gpu, as_of=case.as_of, **page_inputs(case))
    whole = {"component": "total", "name": "Total", "share": 1.0, "usd_per_gpu_hour": own["total"],
             "usd_per_gpu_hour_low": own["total_low"], "usd_per_gpu_hour_high": own["total_high"]}
    table = pd.concat([own.table, pd.DataFrame([whole])], ignore_index=True)
    table["inputs"] = table["component"].map(PART_WORDS)
    name, usd = data.gpu(case.gpu)["name"], owned_said(case, own["total"])
    try:
        rent = f"; the same hour rents for {base.said_hour(case)}{base.aged(case, base.hour(case))} on demand"
    except NoPrice:
        rent = ""
    return Finding(table, (
        f"An hour of an owned {name} costs {usd}{owned_hour.bought_at(case.gpu, case.as_of)}{rent}."),
        f"Draws of the inputs (10 to 90%): {span(own['likely_low'], own['likely_high'], dollars)}. Outer bound in the table: "
        "every open input at its cheap end at once, and at its dear end; each column adds up.",
        number=usd, label=f"an hour of an owned {name}, all parts, on {own['as_of']}")


def _shown(found):
    return {f"usd_per_gpu_hour{end}": found[name] for end, name in ENDS.items()} | {
        name: found[name] for name in ("sellers", "as_of", "mark")}


PART_WORDS = {
    "gpu": "price, life, interest, resale", "server": "parts, maker's margin, life, interest, resale",
    "network": "switches and cables, life, interest, no resale", "upkeep": "share of all that was bought",
    "staff": "people for each server", "space": "rated power, rent of the hall",
    "power": "rated power, share drawn, PUE, electricity", "total": "",
}  # fmt: skip

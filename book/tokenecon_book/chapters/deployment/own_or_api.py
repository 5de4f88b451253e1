"""Own machines, machines rented by the hour, or an API by the token: the base case's bills, and the volume that tips them."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.decision import break_even, options
from tokenecon.decision.choice_words import SELLERS
from tokenecon.finding import Finding, finding, named
from tokenecon.fleet import pools
from tokenecon.prices import gpu_prices
from tokenecon_book.documents import base
from tokenecon_book.documents.words import about

PRINTED = "documents: an API"
BEST = "best"  # a price rule
OWNED, RENTED = "own", "on_demand"
API, CHEAPEST = "api", "API: cheapest seller"
WAYS = {OWNED: "owned machines", RENTED: "machines rented by the hour"}
HELD = {OWNED: "owned", RENTED: "rented"}
ASKED = {"typical": "API: median seller", "best": CHEAPEST, "list": "API: hyperscalers"}
AROUND, DRAWN = 10, 200  # the figure goes so far below and above the volumes of interest, in so many steps
COLUMNS = {
    "way": ("Way", None), "usd_per_day": ("Bill of a day", "USD/day"), "usd_per_mtok": ("All tokens", "USD/Mtok"),
    "utilisation": ("Busy", "fraction"), "requests_per_day": ("Cheaper than the API from", "request/day"),
}  # fmt: skip


def ways(case):
    """Kind of an hour to the words of its row: owned, rented by the hour, and the API of the page's price rule."""
    return WAYS | {API: ASKED[base.rule(case)]}


def at_no_end(value):
    """A volume in words of a note; one that is never reached is said so."""
    return f"{about(value)} requests a day on" if value < float("inf") else "no volume on"


def opening(case):
    """From which volume owned and rented machines cost less than the API, as a clause with its named numbers."""
    if base.api(case) is None:
        return f"no API price of {data.model(case.model)['name']} is known on {case.as_of}"
    rows = base.break_even_rows(case)
    held = [kind for kind in WAYS if kind in rows]
    pays = [kind for kind in held if rows[kind]["requests_per_day"] < float("inf")]
    rival, name = SELLERS[base.rule(case)], data.gpu(case.gpu)["name"]
    if not pays:
        return f"at no volume do {' or '.join(HELD[kind] for kind in held)} {name} beat {rival}"
    first, *others = pays
    said = f"{HELD[first]} {name} beat {rival} above {base.said_break_even(case, rows[first])} requests a day"
    said += "".join(f", {HELD[kind]} ones above {base.said_break_even(case, rows[kind])}" for kind in others)
    return said + "".join(f", {HELD[kind]} ones at no volume" for kind in held if kind not in pays)


def owned_words(case):
    """Owned machines against the API, in the answer of the page: from which volume they beat it, else what they cost over it."""
    held, rival, name = base.offers_by_kind(case), SELLERS[base.rule(case)], data.gpu(case.gpu)["name"]
    if API not in held:
        return opening(case)
    if OWNED not in held:
        return f"nobody sells {name}, so none is owned"
    row = base.break_even_rows(case)[OWNED]
    if row["requests_per_day"] == float("inf"):
        return f"in this case owned {name}, with staff, cost {said_ratio(case, held)} times {rival}"
    return f"owned {name} beat {rival} above {base.said_break_even(case, row)} requests a day"


def against_cheapest(case):
    """From which volume owned machines beat the cheapest API seller, for a note; nothing where that is the page's own API."""
    if not cheapest(case):
        return ""
    rows = base.break_even_rows(pools.changed(case, price_rule=BEST))
    return (f"Owned machines beat {SELLERS[BEST]}, at the cheapest prices, from "
            f"{at_no_end(rows[OWNED]['requests_per_day'])}." if OWNED in rows else "")


def said_ratio(case, held):
    """The bill of owned machines over that of the API, as text and named quantity: "2.3"."""
    return named("own-over-api", over_api(case), "{:.1f}".format,
                 **base.choice(base.of(case), held[OWNED]))


def capital(clause):
    """A clause as the beginning of a sentence."""
    return clause[:1].upper() + clause[1:]


@finding
def volume(case):
    """Cost of a million tokens over the requests of a day, as the decision has it, with the price that the documents print."""
    scene, rows = base.of(case, gpus=[case.gpu]), base.break_even_rows(case)
    held = base.offers_by_kind(case)
    known = [at for at in (*(rows[kind]["requests_per_day"] for kind in WAYS if kind in rows), case.requests_per_day)
             if at < float("inf")]
    volumes = np.geomspace(min(known) / AROUND, max(known) * AROUND, options.points(scene, DRAWN))
    parts = [pd.DataFrame({"requests_per_day": volumes, "choice": way, **{
        f"usd_per_mtok{end}": break_even.cost_at(scene, held[kind], volumes, end) for end in options.ENDS}})
        for kind, way in ways(case).items() if kind in held]
    printed = units.convert(data.claim("dep-bedrock-price")["low"], "USD/ktok", "USD/Mtok")
    parts += [pd.DataFrame({"requests_per_day": volumes, "choice": CHEAPEST,
                            "usd_per_mtok": break_even.cost_at(scene, row, volumes)}) for row in cheapest(case)]
    parts.append(pd.DataFrame({"requests_per_day": volumes[[0, -1]], "choice": PRINTED, "usd_per_mtok": printed}))
    claim = data.claim("dep-selfhosted-saving")
    return Finding(
        pd.concat(parts, ignore_index=True), capital(opening(case)),
        " ".join(part for part in (
            "With staff and tools. Replicas are whole, and paid for in all hours that the traffic needs them; a larger "
            "service peaks less, and each volume has the hours of its size. Bands: interval of the model.", _outer(rows),
            _prices(case),
            f"The documents have own machines save {claim['low']:.0%} to {claim['high']:.0%}.") if part),
        requests_per_day=case.requests_per_day,
        break_even={kind: row["requests_per_day"] for kind, row in rows.items()})


def cheapest(case):
    """The offer of the cheapest API seller beside the page's own API price; nothing where that is the price, or nobody sells."""
    if base.rule(case) == BEST:
        return []
    found = base.offers_by_kind(pools.changed(case, price_rule=BEST)).get(API)
    return [] if found is None else [found]


def _outer(rows):
    """The range of the break-even of owned machines; nothing where there is none."""
    if OWNED not in rows:
        return ""
    low, high = (rows[OWNED][f"requests_per_day{end}"] for end in ("_low", "_high"))
    if low == high == float("inf"):
        return "Owned machines beat the API at no volume, be their replicas fast or slow."
    return (f"Interval of the model for owned machines: they beat the API from {at_no_end(low)} if replicas are fast, from "
            f"{at_no_end(high)} if they are slow.")


def _prices(case):
    hours = f"Hours on demand {gpu_prices.known(case)}."
    sold = base.api(case)
    return f"{hours} API: the price of {sold['said']}." if sold else hours


@finding
def bills(case):
    """A day of the base case's load on owned machines, on machines rented by the hour, and at an API: a row each."""
    crossing, held = base.break_even_rows(case), base.offers_by_kind(case)
    rows = {kind: held[kind] for kind in ways(case) if kind in held}
    table = pd.DataFrame([
        {"way": ways(case)[kind], "utilisation": row["utilisation"],
         **{f"usd_per_day{end}": base.usd_per_day(row, end) for end in options.ENDS},
         **{f"usd_per_mtok{end}": row[f"usd_per_mtok{end}"] for end in options.ENDS},
         **{f"requests_per_day{end}": crossing[kind][f"requests_per_day{end}"] for end in options.ENDS if kind in crossing}}
        for kind, row in rows.items()])
    low = cheapest(case)
    table = pd.concat([table, pd.DataFrame([{"way": CHEAPEST, "usd_per_day": base.usd_per_day(row),
                                             "usd_per_mtok": row["usd_per_mtok"]} for row in low])], ignore_index=True)
    return Finding(
        table, _bill_words(case, rows, low),
        "With staff and tools. Ranges of costs, outer bound: price and speed both at their cheap or dear end; of an API: "
        "sellers, 10 to 90%; of volumes: interval of the model. ∞: at no volume.",
        units={"requests_per_day": "request/day"})


def ranges(found):
    """Column of :func:`bills` to the kind of its ranges: of an API only its price has ends, of machines their speed, too."""
    of_bill = ["sellers" if way.startswith("API") else "bound" for way in found["way"]]
    return {"usd_per_day": of_bill, "usd_per_mtok": of_bill, "requests_per_day": "interval"}


def _bill_words(case, rows, low):
    """The bills of a day in a sentence or two: at the API and its cheapest seller, then on machines, owned ones over the API."""
    volume = named("requests-per-day", case.requests_per_day, "{:,.0f}".format)
    load = f"With staff, {volume} {'request' if volume == '1' else 'requests'} a day {'costs' if volume == '1' else 'cost'}"
    usd = {kind: base.said_day(case, row) for kind, row in rows.items()}
    machines = [kind for kind in HELD if kind in rows]
    name = data.gpu(case.gpu)["name"]
    of = {kind: "ones" if place else name for place, kind in enumerate(machines)}
    if API not in rows:
        return f"{load} {', '.join(f'{usd[kind]} on {HELD[kind]} {of[kind]}' for kind in machines)}."
    rival = SELLERS[base.rule(case)]
    asked = ", ".join([f"{load} {usd[API]} at {rival}", *(f"{base.said_day(case, row, BEST)} at {SELLERS[BEST]}" for row in low)])
    over = {OWNED: f", {said_ratio(case, rows)} times {rival}"} if OWNED in rows else {}
    said = [f"{HELD[kind]} {of[kind]} cost {usd[kind]}{over.get(kind, '')}" for kind in machines]
    return f"{asked}. {capital('; '.join(said))}." if said else f"{asked}."


def over_api(case):
    """Owned machines' cost over the API's at the page's volume; None where one of them is not to be had. [ratio]"""
    held = base.offers_by_kind(case)
    return held[OWNED]["usd_per_mtok"] / held[API]["usd_per_mtok"] if {OWNED, API} <= held.keys() else None


"""What an hour of a GPU costs its owner, part by part, from inputs that each have a range; the same for arrays of draws."""

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import NoInput
from tokenecon.finding import Finding, finding, named
from tokenecon.ownership.hour_parts import owned_total, parts
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered

# input -> (row of data/assumptions.csv, or None for a fact of the GPU or a choice; which end makes the hour dear; words)
INPUTS = {
    "usd_per_gpu": (None, "high", "Price of the GPU"),
    "server_parts_usd_per_gpu": ("finance.server_parts", "high", "Rest of the server"),
    "server_margin": ("finance.server_margin", "high", "Margin of the server's maker"),
    "network_usd_per_gpu": ("finance.network", "high", "Network"),
    "years": ("finance.life", "low", "Life"),
    "discount_rate": ("finance.discount_rate", "high", "Cost of capital"),
    "residual_share": ("finance.residual", "low", "Resale value"),
    "availability": ("finance.availability", "low", "Usable hours"),
    "upkeep_per_year": ("finance.upkeep", "high", "Repairs and support"),
    "staff_usd_per_gpu_year": ("finance.staff", "high", "Staff"),
    "space_usd_per_kw_month": ("finance.space", "high", "Space"),
    "kw_per_gpu": (None, "high", "Rated power"),
    "busy_share": ("power.draw", "high", "Draw while working"),
    "idle_share": ("power.idle", "high", "Draw while waiting"),
    "utilisation": (None, "high", "Share of hours that work"),
    "pue": ("power.pue", "high", "Cooling and losses, PUE"),
    "usd_per_kwh": ("power.price", "high", "Electricity"),
}  # fmt: skip
UNITS = {
    "usd_per_gpu": "USD/GPU", "server_parts_usd_per_gpu": "USD/GPU", "server_margin": "fraction",
    "network_usd_per_gpu": "USD/GPU", "years": "yr", "discount_rate": "fraction", "residual_share": "fraction",
    "availability": "fraction",
    "upkeep_per_year": "fraction", "staff_usd_per_gpu_year": "USD/GPU/yr", "space_usd_per_kw_month": "USD/kW/month",
    "kw_per_gpu": "kW/GPU", "busy_share": "fraction", "idle_share": "fraction", "utilisation": "fraction", "pue": "ratio",
    "usd_per_kwh": "USD/kWh",
}  # fmt: skip
COMPONENTS = {
    "gpu": "GPU", "server": "Rest of the server", "network": "Network", "upkeep": "Repairs and support", "staff": "Staff",
    "space": "Space", "power": "Power",
}  # fmt: skip
PLACES = ("low", "typical", "high")
# Who owns: a specialised cloud takes the rows above; a large one pays less where size or its own halls decide.
OWNERS = {
    "neocloud": {},
    "hyperscaler": {"usd_per_gpu": "cheap", "server_margin": "cheap", "upkeep_per_year": "cheap",
                    "staff_usd_per_gpu_year": "cheap", "discount_rate": "finance.discount_rate_large",
                    "space_usd_per_kw_month": "finance.space_own"},
}  # fmt: skip
MOVE_COLUMNS = {
    "name": ("Input", None), "range": ("From the low cost to the high", None), "usd_per_gpu_hour": ("The hour", "USD/GPU/h"),
    "width": ("Moves it by", "USD/GPU/h"),
}  # fmt: skip
MOST_COLUMNS = {"name": ("What changes", None), "range": ("From the low cost to the high", None),
                "usd_per_gpu_hour": ("The owned hour", "USD/GPU/h")}  # fmt: skip
# A price that includes the rest of the server says so in its offer.
WHOLE_SERVER = ("share of a DGX", "server node")
LIKELY_DRAWS, LIKELY_SEED, LIKELY_SHARE = 10_000, 1, 0.8


@remembered
def bought(gpu, as_of=None):
    """Price of the bare GPU on a day: low, typical, high, and what :func:`gpu_prices.whose` says of it; young ones go first.

    Of an offer that includes the server, the rest of the server is taken off.  ``estimates`` says that nobody prints a price and
    an estimate stands in, ``second_hand`` that all prices are of used ones.
    """
    oldest = gpu_prices.PRICE_MAX_AGE_DAYS[gpu_prices.BOUGHT]
    rows = gpu_prices.offers(gpu, gpu_prices.BOUGHT, as_of)
    if rows.empty:
        raise NoInput(f"no purchase price of {gpu} within {oldest} days before {as_of or gpu_prices.newest_price_date()}: add a "
                      f"row of kind purchase to {data.file('prices')}, or give usd_per_gpu")
    margin, rest = data.value("finance.server_margin"), data.value("finance.server_parts")
    whole = rows["offer"].isin(WHOLE_SERVER)
    ends = {}
    for name in ("low", "value", "high"):
        usd = rows[name].fillna(rows["value"])
        ends[name] = usd.where(~whole, usd * (1 - margin) - rest)
    rows = rows.assign(value=ends["value"])
    typical, set_on = gpu_prices.middle(rows, rows["quoted"])
    return {"gpu": gpu, "kind": gpu_prices.BOUGHT, "low": float(ends["low"].min()), "high": float(ends["high"].max()),
            "typical": typical, "as_of": set_on, "date": as_of or gpu_prices.newest_price_date(),
            "sellers": rows["provider"].nunique(), "newest": rows["quoted"].max(), "rule": "typical",
            "setting": gpu_prices.setting(rows), "estimates": bool(gpu_prices.estimated(rows).any()),
            "second_hand": bool((rows["offer"] == gpu_prices.SECOND_HAND).all())}


def bought_at(gpu, as_of=None):
    """What the price of an owned GPU must be read with, in brackets behind its hour: an estimate, second-hand, or old.

    Nothing where somebody asked it for a new one in the last :data:`gpu_prices.OLD_DAYS` days.
    """
    found = bought(gpu, as_of)
    what = "at an estimate" if found["estimates"] else "second-hand" if found["second_hand"] else ""
    if old := gpu_prices.aged(found).strip(" ()"):
        what = f"{what} {old}" if found["estimates"] else f"{what}, at a price {old}" if what else f"at a price {old}"
    return f" (bought {what})" if what else ""


@remembered
def rated_kw(gpu):
    """Rated power of the machines of a GPU without cooling: low, typical, high. [kW/GPU]"""
    data.gpu(gpu)  # an unknown id has its own message
    found = data.rows("gpus", {"gpu": gpu, "field": "all_in_power"})
    if found.empty:
        raise NoInput(f"no all-in power of {gpu}: add a row {gpu}.all_in_power to {data.file('gpus')}, or give kw_per_gpu")
    row, (least, cooling, most) = found.iloc[0], data.span("power.all_in_pue")
    low, high = (float(row["value"] if row[end] != row[end] else row[end]) for end in ("low", "high"))
    kw = [units.convert(value, row["unit"], "kW") for value in (low / most, float(row["value"]) / cooling, high / least)]
    return tuple(kw)


def spans(gpu, *, as_of=None, owner="neocloud", **given):
    """Low, typical and high value of every input of :func:`parts` for a GPU on a day.

    Index ``input``; columns low, typical, high (as numbers, whichever is dear), dear ("low" or "high"), unit, name.
    ``given`` sets an input to a number, without a range. ``owner`` is one of :data:`OWNERS`.
    """
    if owner not in OWNERS:
        raise ValueError(f"owner '{owner}' is not known; allowed are {', '.join(OWNERS)}")
    unknown = [name for name in given if name not in INPUTS]
    if unknown:
        raise ValueError(f"input '{unknown[0]}' is not known; allowed are {', '.join(INPUTS)}")
    rows = []
    for name, (row_id, dear, words) in INPUTS.items():
        special = OWNERS[owner].get(name)
        if name in given:
            low = typical = high = float(given[name])
        elif name == "usd_per_gpu":
            price = bought(gpu, as_of)
            low, typical, high = (price[end] for end in PLACES)
        elif name == "kw_per_gpu":
            low, typical, high = rated_kw(gpu)
        elif name == "utilisation":
            low = typical = high = 1.0
        else:
            row_id = special if special and special != "cheap" else row_id
            low, typical, high = data.span(row_id)
        if special == "cheap" and name not in given:
            low, typical, high = low, low, typical
        rows.append({"input": name, "low": low, "typical": typical, "high": high, "dear": dear, "unit": UNITS[name],
                     "name": words})
    return pd.DataFrame(rows).set_index("input")


def ends(table):
    """Inputs as dicts at the cheap end, as expected, and at the dear end of :func:`spans`."""
    cheap = table["low"].where(table["dear"] == "high", table["high"])
    dear = table["high"].where(table["dear"] == "high", table["low"])
    return cheap.to_dict(), table["typical"].to_dict(), dear.to_dict()


@finding
def owned(gpu, *, as_of=None, owner="neocloud", **given):
    """Components of an hour of an owned GPU: component, name, usd_per_gpu_hour with _low and _high, share.

    Each column adds up to the values ``total``, ``total_low`` and ``total_high``: low has every input at its cheap end at
    once, high every one at its dear end.  ``likely_low`` and ``likely_high`` hold 80% of the totals when the inputs are
    drawn one by one.  ``given`` sets inputs of :data:`INPUTS`, as in :func:`spans`.
    """
    inputs = spans(gpu, as_of=as_of, owner=owner, **given)
    cheap, expected, dear = (parts(**end) for end in ends(inputs))
    total = sum(expected.values())
    table = pd.DataFrame([
        {"component": name, "name": words, "usd_per_gpu_hour": expected[name], "usd_per_gpu_hour_low": cheap[name],
         "usd_per_gpu_hour_high": dear[name], "share": expected[name] / total} for name, words in COMPONENTS.items()
    ])
    least, most = likely(inputs)
    return Finding(table, total=total, total_low=sum(cheap.values()), total_high=sum(dear.values()), likely_low=least,
                   likely_high=most, gpu=gpu, owner=owner, as_of=as_of or gpu_prices.newest_price_date())


def draws(inputs, count, seed):
    """Random inputs for :func:`owned_total` from a table of :func:`spans`; the same seed gives the same.

    The typical value is the median of each: half of the draws lie on a triangle below it, half on one above, both highest
    at the typical value and nothing at the end.
    """
    generator = np.random.default_rng(seed)
    out = {}
    for name, row in inputs.iterrows():
        below, near = generator.random(count) < 0.5, np.sqrt(generator.random(count))
        out[name] = row["typical"] + (1 - near) * np.where(below, row["low"] - row["typical"], row["high"] - row["typical"])
    return out


def likely(inputs):
    """Ends of the middle 80% of owned totals when each input is drawn from its range by itself. [USD/GPU/h]"""
    totals = owned_total(**draws(inputs, LIKELY_DRAWS, LIKELY_SEED))
    low, high = np.quantile(totals, [(1 - LIKELY_SHARE) / 2, (1 + LIKELY_SHARE) / 2])
    return float(low), float(high)


@finding
def sensitivity(gpu, *, as_of=None, owner="neocloud", **given):
    """The owned hour when one input moves over the range of its row and the others stay: the widest first.

    ``given`` sets where the others stay; a range of the data that does not hold such a value is widened to it.
    """
    inputs = spans(gpu, as_of=as_of, owner=owner)
    fixed = spans(gpu, as_of=as_of, owner=owner, **given)["typical"].to_dict()
    here, ranged = pd.Series(fixed), inputs["low"] < inputs["high"]
    inputs["low"] = inputs["low"].where(~ranged, np.minimum(inputs["low"], here))
    inputs["high"] = inputs["high"].where(~ranged, np.maximum(inputs["high"], here))
    cheap, _, dear = ends(inputs)
    rows = [{"input": name, "name": inputs.loc[name, "name"], "from": cheap[name], "to": dear[name], "unit": UNITS[name],
             "usd_per_gpu_hour": owned_total(**fixed), "usd_per_gpu_hour_low": owned_total(**fixed | {name: cheap[name]}),
             "usd_per_gpu_hour_high": owned_total(**fixed | {name: dear[name]})}
            for name in INPUTS if cheap[name] != dear[name]]
    table = pd.DataFrame(rows)
    table["range"] = [f"{formatted(name, cheap[name])} to {formatted(name, dear[name])}" for name in table["input"]]
    table["width"] = table["usd_per_gpu_hour_high"] - table["usd_per_gpu_hour_low"]
    table = table[table["width"] > 0].sort_values("width", ascending=False, ignore_index=True)
    first, second = table["name"].iloc[:2]
    others = table[(table["input"] == "usd_per_kwh") & (table.index > 1)]
    said = [named("owned-hour-swing", row["width"], "${:.2f}".format, gpu=gpu, as_of=as_of, owner=owner, input=row["input"],
                  **given) for _, row in pd.concat([table.iloc[:1], others]).iterrows()]
    power = f"; electricity by {said[1]}" if len(others) else ""
    return Finding(
        table, f"{first} moves the hour most, by {said[0]} over its range, then {second[0].lower()}{second[1:]}{power}.",
        total=owned_total(**fixed))


def formatted(name, value):
    """A value of an input as a reader says it."""
    words = {"fraction": f"{value * 100:.3g}%", "yr": f"{value:.3g} years", "ratio": f"{value:.3g}",
             "USD/GPU": f"${value:,.0f}", "USD/kWh": f"${value:.3g} a kWh", "kW/GPU": f"{value:.3g} kW",
             "USD/kW/month": f"${value:,.0f} a kW and month",
             "USD/GPU/yr": f"${value:,.0f} a year"}
    return words[UNITS[name]]

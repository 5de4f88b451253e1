"""What a choice costs over years, as a present value: numbers or arrays of draws, the same arithmetic.

Running costs are paid at the end of each year, machines and commitments are begun at its start, and the load of a year is that
of its middle.  So with a constant load and constant prices the cost of a million tokens is exactly that of `decision.offers`.

Prices start at what was agreed and move as a whole market does: over a time t their logarithm falls by the median decline
times t, and by what the draw adds to it times the root of t, as where each year's change knows nothing of the year before.
"""

import numpy as np

from tokenecon import data, units
from tokenecon.calculator.choice import tok_per_request
from tokenecon.decision import scenario_prices
from tokenecon.formulas import tco
from tokenecon.ownership import hour_parts, owned_hour

MIDDLE = 0.5  # of a year [yr]
TERM = {"committed_1y": 1, "committed_3y": 3, "rental_3y": 3}  # years of a contract
RUNNING = tuple(name for name in owned_hour.COMPONENTS if name not in (*hour_parts.CAPITAL, "upkeep"))


def outlasts(case, kind):
    """Whether a contract binds for longer than the years that are compared, so that they cannot hold what it costs."""
    return TERM.get(kind, 0) > case.years


def resale_share(years, at_end_of_life):
    """Resale value over the price after some years, on a straight line to its value at the end of the machine's life."""
    life = data.value("finance.life")
    return tco.book_value_share(residual_share=at_end_of_life, age_years=min(years, life), life_years=life)


def discount(case, years):
    """Value now of a dollar paid so many years later."""
    return tco.discount_factor(discount_rate=case.discount_rate, years=years)


def moved(case, drawn, name, years):
    """Price after some years over that of today; ``name`` is the decline of rents and machines, or of API prices."""
    median = getattr(case, name)
    fallen = median * years + (drawn[name] - median) * years**0.5
    return tco.price_ratio_after(decline_per_year=fallen, years=1.0)


def planned_requests_per_day(case, year):
    """Requests of a day in the middle of a year as the plan has them."""
    return tco.grown_requests_per_day(requests_per_day=case.requests_per_day, growth=case.growth_per_year, years=year + MIDDLE)


def requests_per_day(case, drawn, year):
    """Requests of a day in the middle of a year that begins so many years from now."""
    return tco.grown_requests_per_day(requests_per_day=case.requests_per_day * drawn["demand"], growth=drawn["growth"],
                                      years=year + MIDDLE)


def yearly_mtok(case, requests_per_day):
    """Tokens of a year with so many requests a day. [Mtok]"""
    return requests_per_day * units.DAYS_PER_YEAR * units.convert(tok_per_request(case), "tok", "Mtok")


def present_mtok(case, demand):
    """Present value of the tokens of all years, which divides that of the costs. [Mtok]"""
    return sum(yearly_mtok(case, day) * discount(case, year + 1) for year, day in enumerate(demand))


def api_usd(case, drawn, demand, usd_per_mtok):
    """Present value of each year of calling the API. [USD]"""
    out = []
    for year, day in enumerate(demand):
        fallen = moved(case, drawn, "api_decline", year + MIDDLE)
        out.append(yearly_mtok(case, day) * usd_per_mtok * fallen * discount(case, year + 1))
    return out


def rented_usd(case, drawn, n_gpus, kind, usd_per_gpu_hour):
    """Present value of each year of renting, `gpus` of each year, at a price that falls as the contract lets it. [USD]

    Under a commitment what was taken stays paid until the term ends, and what is added keeps the price of its first year; it
    is counted until the term of the others, or the horizon, ends: what it is worth after that is taken to be what it costs.
    """
    out, term = [], TERM.get(kind)
    taken = bill = 0.0
    for year, needed in enumerate(n_gpus):
        at = year + MIDDLE if term is None else float(year)
        price = usd_per_gpu_hour * moved(case, drawn, "rent_decline", at)
        if term is None or year % term == 0:
            taken, bill = needed, needed * price
        else:
            more = np.maximum(needed - taken, 0.0)
            taken, bill = taken + more, bill + more * price
        out.append(bill * units.HOURS_PER_YEAR * (1 + drawn["ops_overhead"]) * discount(case, year + 1))
    return out


def owned_usd(case, drawn, n_gpus, inputs, usd_per_gpu, *, first=0):
    """Present value of each year of owning: machines bought when first needed, sold at the end in a straight line of value. [USD]

    ``inputs`` are those of `hour.parts`; ``usd_per_gpu`` may be an array.  Nothing is bought before the year ``first``.
    Upkeep is a share of what was paid, so machines that were cheaper later cost less of it too.
    """
    inputs = inputs | {"usd_per_gpu": usd_per_gpu, "usd_per_kwh": case.usd_per_kwh * drawn["power_price"]}
    parts = owned_hour.parts(**inputs)
    running = sum(parts[name] for name in RUNNING)
    server = tco.server_usd_per_gpu(usd_per_gpu=usd_per_gpu, parts_usd_per_gpu=inputs["server_parts_usd_per_gpu"],
                                    margin=inputs["server_margin"])
    years = len(n_gpus)
    out, held, invested = [], 0.0, 0.0
    for year, needed in enumerate(n_gpus):
        if year < first:
            out.append(0.0)
            continue
        more = np.maximum(needed - held, 0.0)
        held = held + more
        fallen = moved(case, drawn, "rent_decline", float(year))
        paid = (server + inputs["network_usd_per_gpu"]) * fallen * discount(case, year)
        back = server * resale(case, drawn, year, years) * discount(case, years)
        bought = more / inputs["availability"] * (paid - back)
        invested = invested + more * fallen  # machines at the price of today that would have cost as much
        run = (held * running + invested * parts["upkeep"]) * units.HOURS_PER_YEAR * discount(case, year + 1)
        out.append((bought + run) * (1 + drawn["ops_overhead"]))
    return out


def resale(case, drawn, year, years):
    """What a machine bought in a year sells for at the end, over the price of a new one today.

    The share of its price that the row of the resale value names, moved as the price of a new machine has moved beyond its
    median: the market is one.  Newer generations are in that share, and no draw pays more for a used machine than for a new one.
    """
    kept = tco.book_value_share(residual_share=drawn["residual"], age_years=years - year, life_years=years)
    still = {"rent_decline": case.rent_decline}
    new = moved(case, drawn, "rent_decline", float(years))
    used = kept * moved(case, still, "rent_decline", float(year)) * new / moved(case, still, "rent_decline", float(years))
    return np.minimum(used, new)


def people_usd(case, positions):
    """Present value of each year of so many positions. [USD]"""
    return [positions * case.usd_per_person_year * discount(case, year + 1) for year in range(case.years)]


def owned_inputs(case, gpu, utilisation):
    """Typical inputs of an owned hour as a dict of numbers."""
    return scenario_prices.owned_inputs(case, gpu, utilisation)["typical"].to_dict()

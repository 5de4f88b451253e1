"""The bill of a month, line by line; what of it facts decide; who bears it, in which currency, and the energy behind it."""

import pandas as pd

from tokenecon import data, units
from tokenecon.calculator import work
from tokenecon.calculator.choice import (
    ENDS,
    LINES,
    MACHINES,
    bound,
    of_api,
    of_machines,
    parts_of_hour,
    people_usd_per_month,
    rate,
)
from tokenecon.errors import NoInput
from tokenecon.finding import Finding, finding
from tokenecon.fleet import planning
from tokenecon.formulas import efficiency, tco
from tokenecon.ownership import owned_hour

__all__ = ["LINES", "MACHINES", "bound", "energy", "in_currency", "joules", "of_api", "of_machines", "parts_of_hour",
           "people_usd_per_month", "rated_kw", "shares", "spare_replicas", "unit_gpus"]
# words of an interconnect of cards that are bought one by one; modules come soldered to the board of a server or rack
CARDS = ("PCIe", "bridge", "socket", "ConnectX")


def unit_gpus(gpu):
    """GPUs that are bought together: a whole server, or rack, of modules; one card. [GPU]"""
    facts = data.gpu(gpu)
    return 1 if any(word in str(facts["interconnect"]) for word in CARDS) else int(facts["link_domain_gpus"])


def spare_replicas(case, needed):
    """Replicas that stand ready beyond those needed: so many as the case says, or as its availability takes."""
    if case.availability is None:
        return case.spare_replicas
    return planning.spares(needed, working=data.value("finance.availability"), availability=case.availability)


def rated_kw(gpu, pue):
    """Rated power of a GPU with its share of the machine and its cooling; NaN where it is not known. [kW/GPU]"""
    try:
        return owned_hour.rated_kw(gpu)[1] * pue
    except NoInput:
        return float("nan")


def joules(*, gpus, kw, utilisation, tok_out_per_s):
    """Energy and carbon of a million output tokens of GPUs that are so busy; ``kw`` is :func:`rated_kw`, cooling is in it."""
    drawn = tco.drawn_share(idle_share=data.value("power.idle"), busy_share=data.value("power.draw"), utilisation=utilisation)
    each = efficiency.joules_per_tok_out(n_gpus=gpus, watts_per_gpu=drawn * kw * units.WATTS_PER_KILOWATT, pue=1.0,
                                         tok_out_per_s=tok_out_per_s)
    kwh = units.convert(1.0, "J/tok_out", "kWh/Mtok_out") * each
    return {"kwh_per_mtok_out": kwh, "gco2e_per_mtok_out": efficiency.gco2e_per_mtok_out(
        kwh_per_mtok_out=kwh, gco2e_per_kwh=data.value("power.carbon"))}


@finding
def energy(case, table):
    """Power and energy of the choices on machines, one row each; of an API nobody says it."""
    rows = table[table["gpu"] != ""]
    kw = rows["gpu"].map(lambda gpu: rated_kw(gpu, case.pue)).to_numpy(dtype=float)
    found = joules(gpus=rows["gpus"].to_numpy(dtype=float), kw=kw, utilisation=rows["utilisation"].to_numpy(dtype=float),
                   tok_out_per_s=rate(case.requests_per_day) * case.osl)
    return Finding(pd.DataFrame({"name": rows["name"], "kw_rated": rows["gpus"].to_numpy(dtype=float) * kw} | found),
                   units={"kw_rated": "kW"})


def shares(case, table):
    """What of the bill a task, a user and a tenant bear, one row a choice; no column of what the case does not state."""
    return pd.DataFrame([{"name": row["name"]} | {
        f"{column}{end}": usd for end in (*ENDS, "_marginal") if f"usd_per_month{end}" in table
        for column, usd in work.shares(case, row[f"usd_per_month{end}"]).items()} for _, row in table.iterrows()])


def in_currency(case, usd):
    """What stands in a table of bills and their shares in the currency of the case, by its rate: ``per_month``, ``per_mtok``."""
    wanted = [name for name in usd if name.startswith("usd_") and not name.endswith(("_low", "_high", "_marginal"))]
    return usd[["name"]].assign(**{name.removeprefix("usd_"): usd[name] / case.usd_per_unit for name in wanted})

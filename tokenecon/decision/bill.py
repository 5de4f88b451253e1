"""The bill of a month, line by line: machines that work, wait or stand by, power, people; and what is bound by it.

Every line is in USD a month, and the lines add up to the bill.
"""

from tokenecon import data, units
from tokenecon.fleet import planning
from tokenecon.formulas import money
from tokenecon.ownership import owned_hour

LINES = {
    "machines": "Machines that work", "idle": "Machines that wait", "spare": "Spare machines", "power": "Power",
    "support": "Repairs, hall and hands", "tools": "Tools and tests", "people": "People", "tokens": "Tokens of the API",
}  # fmt: skip
MACHINES = ("machines", "idle", "spare", "power", "support")  # what tools and tests are a share of
SUPPORT = ("upkeep", "staff", "space")  # components of an owned hour
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


def people_usd_per_month(case, kind):
    """People of a choice: who serve, or who look after an API. [USD/month]"""
    return (case.api_people if kind == "api" else case.people) * case.usd_per_person_year / units.MONTHS_PER_YEAR


def of_machines(case, *, n_gpus, utilisation, spare_share, hour):
    """Lines of a month of machines; ``hour`` has what an hour of a GPU costs, by the parts of :func:`hour_parts`."""
    month = {part: money.usd_per_month_of_gpus(usd_per_gpu_hour=usd, n_gpus=n_gpus) for part, usd in hour.items()}
    working = min(utilisation, 1.0)
    spare = min(spare_share, 1.0 - working)
    lines = {"machines": month["machines"] * working, "spare": month["machines"] * spare,
             "idle": month["machines"] * (1.0 - working - spare), "power": month["power"], "support": month["support"]}
    lines["tools"] = case.ops_overhead * sum(lines.values())
    return lines | {"people": people_usd_per_month(case, ""), "tokens": 0.0}


def of_api(case, usd_per_month):
    """Lines of a month of an API."""
    return dict.fromkeys(LINES, 0.0) | {"tokens": usd_per_month, "people": people_usd_per_month(case, "api")}


def hour_parts(usd_per_gpu_hour, owned=None):
    """An hour of a GPU as machine, power and support: all machine where it is rented. [USD/GPU/h]"""
    if owned is None:
        return {"machines": usd_per_gpu_hour, "power": 0.0, "support": 0.0}
    parts = owned_hour.parts(**owned)
    return {"machines": sum(parts[name] for name in owned_hour.CAPITAL), "power": parts["power"],
            "support": sum(parts[name] for name in SUPPORT)}


def bound(case, kind, n_gpus, usd_per_gpu_hour, owned=None, months=0.0):
    """What is paid whatever comes: capital in machines, and a contract of so many months; zero where one may leave. [USD]"""
    if kind == "own":
        capital = owned_hour.purchase_usd_per_gpu(**owned) * n_gpus / owned["availability"]
        return {"capital_usd": capital, "commitment_usd": capital, "commitment_months": case.years * units.MONTHS_PER_YEAR}
    return {"capital_usd": 0.0, "commitment_months": float(months),
            "commitment_usd": months * money.usd_per_month_of_gpus(usd_per_gpu_hour=usd_per_gpu_hour, n_gpus=n_gpus)}

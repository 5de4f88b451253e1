"""The bill of a month, line by line; and what of it facts decide: servers that are bought, replicas that stand by."""

from tokenecon import data
from tokenecon.calculator.choice import LINES, MACHINES, bound, of_api, of_machines, parts_of_hour, people_usd_per_month
from tokenecon.fleet import planning

__all__ = ["LINES", "MACHINES", "bound", "of_api", "of_machines", "parts_of_hour", "people_usd_per_month", "spare_replicas",
           "unit_gpus"]
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

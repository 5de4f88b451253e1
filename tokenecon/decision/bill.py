"""The bill of a month, line by line; and what of it facts decide: servers that are bought, replicas that stand by."""

from tokenecon import data
from tokenecon.calculator.choice import LINES, MACHINES, bound, of_api, of_machines, parts_of_hour, people_usd_per_month
from tokenecon.decision import scenario_prices
from tokenecon.fleet import planning

__all__ = ["LINES", "MACHINES", "bound", "of_api", "of_machines", "operands", "parts_of_hour", "people_usd_per_month",
           "spare_replicas", "unit_gpus"]
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


def operands(case, row):
    """What the bill of a choice of :func:`options.offers` is made of: GPUs paid, how busy, their price, tokens sent away.

    ``utilisation`` and ``spare_share`` are shares of the paid GPUs, ``owned`` the inputs of an owned hour, ``api_share`` the
    share of the tokens that goes to the API at ``usd_per_mtok``.
    """
    if row["kind"] == "api":
        return {"name": row["name"], "kind": "api", "api_share": 1.0, "usd_per_mtok": float(row["usd_per_mtok_used"])}
    paid = sum(row[f"usd_per_month_{line}"] for line in ("machines", "idle", "spare"))
    owned = (scenario_prices.owned_inputs(case, row["gpu"], row["utilisation"])["typical"].to_dict() if row["kind"] == "own" else
             None)
    return {"name": row["name"], "kind": row["kind"], "gpus": row["gpus"], "utilisation": row["utilisation"],
            "spare_share": row["usd_per_month_spare"] / paid, "usd_per_gpu_hour": row["usd_per_gpu_hour"], "owned": owned,
            "months": 0.0 if row["kind"] == "own" else row["commitment_months"]}

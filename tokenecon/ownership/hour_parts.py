"""The parts of an owned hour from its inputs: floats or arrays in, the same out; nothing here reads data."""

from tokenecon import units
from tokenecon.formulas import tco

CAPITAL = ("gpu", "server", "network")
SUPPORT = ("upkeep", "staff", "space")


def parts(*, usd_per_gpu, server_parts_usd_per_gpu, server_margin, network_usd_per_gpu, years, discount_rate, residual_share,
          availability, upkeep_per_year, staff_usd_per_gpu_year, space_usd_per_kw_month, kw_per_gpu, busy_share, idle_share,
          utilisation, pue, usd_per_kwh):
    """Components of an owned hour, numbers or arrays, by the names of :data:`owned_hour.COMPONENTS`. [USD/GPU/h]

    The network keeps no resale value; power is drawn in usable hours alone, everything else is paid in all hours.
    """
    crf = tco.capital_recovery_factor(discount_rate=discount_rate, years=years)
    terms = {"capital_recovery_per_year": crf, "discount_rate": discount_rate, "availability": availability}
    server = tco.server_usd_per_gpu(usd_per_gpu=usd_per_gpu, parts_usd_per_gpu=server_parts_usd_per_gpu, margin=server_margin)
    bought = {"gpu": usd_per_gpu, "server": server - usd_per_gpu, "network": network_usd_per_gpu}
    kept = {"gpu": residual_share, "server": residual_share, "network": 0.0}
    out = {name: tco.residual_annuity_usd_per_gpu_hour(usd_per_gpu=usd, residual_usd_per_gpu=usd * kept[name], **terms)
           for name, usd in bought.items()}
    out["upkeep"] = tco.upkeep_usd_per_gpu_hour(usd_per_gpu=server + network_usd_per_gpu, server_factor=1.0,
                                                upkeep_per_year=upkeep_per_year, availability=availability)
    out["staff"] = tco.staff_usd_per_gpu_hour(usd_per_gpu_year=staff_usd_per_gpu_year, availability=availability)
    out["space"] = tco.space_usd_per_gpu_hour(usd_per_kw_month=space_usd_per_kw_month, kw_per_gpu=kw_per_gpu,
                                              availability=availability)
    drawn = tco.drawn_share(idle_share=idle_share, busy_share=busy_share, utilisation=utilisation)
    out["power"] = tco.power_usd_per_gpu_hour(watts_per_gpu=drawn * kw_per_gpu * units.WATTS_PER_KILOWATT, pue=pue,
                                              usd_per_kwh=usd_per_kwh)
    return out


def purchase_usd_per_gpu(*, usd_per_gpu, server_parts_usd_per_gpu, server_margin, network_usd_per_gpu, **_):
    """What is paid at the start for one GPU with its share of server and network; other inputs do not matter. [USD/GPU]"""
    return tco.server_usd_per_gpu(usd_per_gpu=usd_per_gpu, parts_usd_per_gpu=server_parts_usd_per_gpu,
                                  margin=server_margin) + network_usd_per_gpu


def owned_total(**inputs):
    """The sum of :func:`parts`, in their order; arrays in, array out. [USD/GPU/h]"""
    found = parts(**inputs)
    return sum(found[name] for name in CAPITAL + SUPPORT + ("power",))

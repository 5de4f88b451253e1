"""Energy and carbon of a token at the operating point that sets its cost, so that dollars and grams stand side by side."""

import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, NoInput
from tokenecon.finding import Finding, ends, finding, named
from tokenecon.formulas import efficiency, tco
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import operating_point
from tokenecon_book.documents import base
from tokenecon_book.documents.words import dollars

COLUMNS = {
    "label": ("Replica", None), "usd_per_mtok_out": ("Cost of output", "USD/Mtok_out"),
    "kwh_per_mtok_out": ("Energy", "kWh/Mtok_out"),
    "gco2e_per_mtok_out": ("Carbon", "gCO2e/Mtok_out"), "energy_share": ("Electricity in the cost", "fraction"),
    "measured": ("Model", None), "reason": ("Why not", None),
}  # fmt: skip


def energy(gpu, *, n_gpus, tok_out_per_s, utilisation=1.0, pue=None, usd_per_kwh=None, gco2e_per_kwh=None):
    """Energy, carbon and electricity of a million output tokens of a replica, each with _low and _high.

    ``tok_out_per_s`` is (low, typical, high) of the replica while it works, and the only range; waiting draws power too and makes
    no tokens.  ``pue``, ``usd_per_kwh`` and ``gco2e_per_kwh`` come from their rows unless given.
    """
    pue = data.value("power.pue") if pue is None else pue
    usd_per_kwh = data.value("power.price") if usd_per_kwh is None else usd_per_kwh
    gco2e_per_kwh = data.value("power.carbon") if gco2e_per_kwh is None else gco2e_per_kwh
    kw, busy, idle = owned_hour.rated_kw(gpu)[1], data.value("power.draw"), data.value("power.idle")
    drawn = tco.drawn_share(idle_share=idle, busy_share=busy, utilisation=utilisation)
    rate = dict(zip(("_high", "", "_low"), tok_out_per_s, strict=True))  # a fast replica needs the least energy a token
    out = {}
    for end, speed in rate.items():
        joules = efficiency.joules_per_tok_out(n_gpus=n_gpus, watts_per_gpu=kw * drawn * units.WATTS_PER_KILOWATT, pue=pue,
                                               tok_out_per_s=speed * utilisation)
        kwh = units.convert(joules, "J/tok_out", "kWh/Mtok_out")
        out |= {f"joules_per_tok_out{end}": joules, f"kwh_per_mtok_out{end}": kwh,
                f"gco2e_per_mtok_out{end}": efficiency.gco2e_per_mtok_out(kwh_per_mtok_out=kwh, gco2e_per_kwh=gco2e_per_kwh),
                f"energy_usd_per_mtok_out{end}": efficiency.energy_usd_per_mtok_out(
                    kwh_per_mtok_out=kwh, usd_per_kwh=usd_per_kwh)}
    return out


@finding
def carbon(case):
    """Cost and carbon of a million output tokens on each accelerator's replica for the load of the page.

    Output pays for the time that it causes, in dollars and in energy alike; prompts pay for the rest.
    """
    rows = []
    for _, row in base.compared(case, case.gpus).iterrows():
        line = {"gpu": row["gpu"], "label": row["name"], "name": row["name"], "reason": row["reason"]}
        rows.append(line)
        if row["reason"]:
            continue
        rate = tuple(row[f"requests_per_s{end}"] * case.osl / row["output_share"] for end in ("_low", "", "_high"))
        try:
            spent = energy(row["gpu"], n_gpus=row["n_gpus"], tok_out_per_s=rate, utilisation=row["utilisation"], pue=case.pue,
                           usd_per_kwh=case.usd_per_kwh, gco2e_per_kwh=case.gco2e_per_kwh)
        except NoInput as unknown:
            line["reason"] = str(unknown)
            continue
        line |= spent | {f"usd_per_mtok_out{end}": row[f"usd_per_mtok_out{end}"] for end in ("_low", "", "_high")} | {
            "label": f"{row['n_gpus']:.0f} × {row['name']}", "n_gpus": row["n_gpus"], "kind": row["kind"],
            "energy_share": spent["energy_usd_per_mtok_out"] / row["usd_per_mtok_out"], "old": "old" in row["price_mark"],
            "measured": "measured" if row["calibrated"] else "nothing like it was measured", "calibrated": row["calibrated"]}
    table = pd.DataFrame(rows)
    if "usd_per_mtok_out" not in table or table["usd_per_mtok_out"].isna().all():
        raise BadInput(f"parameter 'gpus': of none of {', '.join(case.gpus)} both the cost and the power are known on "
                       f"{case.as_of}; {'; '.join(table['reason'])}")
    table = table.sort_values("usd_per_mtok_out", ignore_index=True)
    known = table.dropna(subset=["usd_per_mtok_out"])
    cheap, clean = known.loc[known["usd_per_mtok_out"].idxmin()], known.loc[known["gco2e_per_mtok_out"].idxmin()]
    low, _, high = data.span("power.carbon")
    old = known.loc[known["old"].astype(bool), "name"]
    return Finding(table, _sentence(case, cheap, clean, len(known)),
        "Bars: interval of the model (80%). Output tokens alone, which pay for the time they cause; typical on-demand prices, "
        f"machines before staff and tools. Grid: {case.gco2e_per_kwh:,.0f} g CO₂e a kWh; at {low:,.0f} or {high:,.0f}, the ends "
        "of the data, all points move down or up together, and so they do with the power that machines draw. Building and "
        "shipping the machines is not counted."
        + ("" if known["calibrated"].all() else f" {operating_point.UNMEASURED}")
        + (f" Price over {gpu_prices.OLD_DAYS} days old: {', '.join(old)}." if len(old) else ""))


def _sentence(case, cheap, clean, count):
    """Which is cheapest and which cleanest, with the cost of the one and the grams of the other."""
    usd = named("cost-output", cheap["usd_per_mtok_out"], dollars, **ends(cheap, "usd_per_mtok_out"),
                **base.choice(base.of(case), cheap))
    old = " (old price)" if cheap["old"] else ""
    if not case.gco2e_per_kwh:
        return (f"{cheap['name']} is cheapest, at {usd}{old} per million output tokens; on a grid without carbon none is cleaner "
                "than another")
    grams = named("carbon-output", clean["gco2e_per_mtok_out"], "{:,.3g}".format, **ends(clean, "gco2e_per_mtok_out"),
                  gco2e_per_kwh=case.gco2e_per_kwh, pue=case.pue,
                  **base.choice(base.of(case), clean))
    if count == 1:
        return f"{cheap['name']} alone serves this: {usd}{old} and {grams} g CO₂e per million output tokens"
    if cheap["gpu"] == clean["gpu"]:
        return f"{cheap['name']} is cheapest and cleanest: {usd}{old} and {grams} g CO₂e per million output tokens"
    return (f"At on-demand rents {cheap['name']} makes a million output tokens cheapest, at {usd}{old}; {clean['name']} emits "
            f"least, {grams} g CO₂e")

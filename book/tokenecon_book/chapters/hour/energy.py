"""Energy and carbon of a token at the operating point that sets its cost, so that dollars and grams stand side by side."""

import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, NoInput, NoPrice
from tokenecon.finding import Finding, finding
from tokenecon.formulas import efficiency, money, tco
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import operating_point, sizing
from tokenecon_book.documents.words import dollars

COLUMNS = {
    "label": ("Replica", None), "usd_per_mtok_out": ("Cost", "USD/Mtok_out"), "kwh_per_mtok_out": ("Energy", "kWh/Mtok_out"),
    "gco2e_per_mtok_out": ("Carbon", "gCO2e/Mtok_out"), "energy_share": ("Electricity in the cost", "fraction"),
    "measured": ("Model", None), "reason": ("Why not", None),
}  # fmt: skip


def energy(gpu, *, n_gpus, tok_out_per_s, utilisation=1.0, pue=None, usd_per_kwh=None, gco2e_per_kwh=None):
    """Energy, carbon and electricity of a million output tokens of a replica, each with _low and _high.

    ``tok_out_per_s`` is (low, typical, high) of the replica while it works; waiting draws power too and makes no tokens.
    ``pue``, ``usd_per_kwh`` and ``gco2e_per_kwh`` come from their rows, without a range, unless given.
    """
    pue = data.value("power.pue") if pue is None else pue
    usd_per_kwh = data.value("power.price") if usd_per_kwh is None else usd_per_kwh
    gco2e_per_kwh = data.value("power.carbon") if gco2e_per_kwh is None else gco2e_per_kwh
    kw = dict(zip(owned_hour.PLACES, owned_hour.rated_kw(gpu), strict=True))
    busy, idle = (dict(zip(owned_hour.PLACES, data.span(f"power.{name}"), strict=True)) for name in ("draw", "idle"))
    rate = dict(zip(owned_hour.PLACES, tok_out_per_s[::-1], strict=True))  # a fast replica needs the least energy a token
    out = {}
    for suffix, end in (("_low", "low"), ("", "typical"), ("_high", "high")):
        drawn = tco.drawn_share(idle_share=idle[end], busy_share=busy[end], utilisation=utilisation)
        joules = efficiency.joules_per_tok_out(n_gpus=n_gpus, watts_per_gpu=kw[end] * drawn * units.WATTS_PER_KILOWATT, pue=pue,
                                               tok_out_per_s=rate[end] * utilisation)
        out[f"joules_per_tok_out{suffix}"] = joules
        kwh = units.convert(joules, "J/tok_out", "kWh/Mtok_out")
        out[f"kwh_per_mtok_out{suffix}"] = kwh
        out[f"gco2e_per_mtok_out{suffix}"] = efficiency.gco2e_per_mtok_out(kwh_per_mtok_out=kwh, gco2e_per_kwh=gco2e_per_kwh)
        out[f"energy_usd_per_mtok_out{suffix}"] = efficiency.energy_usd_per_mtok_out(
            kwh_per_mtok_out=kwh, usd_per_kwh=usd_per_kwh)
    return out


@finding
def carbon(case):
    """Cost and carbon of a million output tokens on each accelerator's best replica within the page's limits."""
    chosen = sizing.choices(case.model, case.gpus, weights=case.weights, kv=case.kv, isl=case.isl, osl=case.osl,
                            ttft_ms=case.ttft_ms, tpot_ms=case.tpot_ms)
    rows = []
    for _, row in chosen.iterrows():
        name = data.gpu(row["gpu"])["name"]
        line = {"gpu": row["gpu"], "label": name, "reason": row["reason"]}
        if not row["reason"]:
            try:
                rent = gpu_prices.of_page(case, row["gpu"], case.price_kind)
                rate = tuple(row[f"output_tok_s{end}"] for end in ("_low", "", "_high"))
                spent = energy(row["gpu"], n_gpus=row["n_gpus"], tok_out_per_s=rate, utilisation=case.utilisation, pue=case.pue,
                               usd_per_kwh=case.power_usd_per_kwh, gco2e_per_kwh=case.gco2e_per_kwh)
            except (NoPrice, NoInput) as unknown:
                rows.append(line | {"reason": str(unknown)})
                continue
            low, middle, high = (money.usd_per_mtok_out(
                usd_per_gpu_hour=rent[end], n_gpus=row["n_gpus"], tok_out_per_s=speed, utilisation=case.utilisation)
                for end, speed in zip(owned_hour.PLACES, rate[::-1], strict=True))
            line |= spent | {
                "label": f"{row['n_gpus']:.0f} × {name}", "usd_per_mtok_out": middle, "usd_per_mtok_out_low": low,
                "usd_per_mtok_out_high": high, "aged": gpu_prices.aged(rent),
                "energy_share": spent["energy_usd_per_mtok_out"] / middle,
                "calibrated": row["calibrated"], "measured": "measured" if row["calibrated"] else "nothing like it was measured"}
        rows.append(line)
    table = pd.DataFrame(rows)
    if "usd_per_mtok_out" not in table or table["usd_per_mtok_out"].isna().all():
        first = table.iloc[0]
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} serves {case.model} within ttft_ms {case.ttft_ms:g} "
                       f"and tpot_ms {case.tpot_ms:g} at a '{case.price_kind}' price of {case.as_of}; {first['label']}: "
                       f"{first['reason']}")
    table = table.sort_values("usd_per_mtok_out", ignore_index=True)
    known = table.dropna(subset=["usd_per_mtok_out"])
    cheap, clean = known.loc[known["usd_per_mtok_out"].idxmin()], known.loc[known["gco2e_per_mtok_out"].idxmin()]
    same = cheap["gpu"] == clean["gpu"]
    low, _, high = data.span("power.carbon")
    spent = f"{dollars(cheap.usd_per_mtok_out)}{cheap.aged} and {cheap.gco2e_per_mtok_out:,.0f} g CO₂e a million output tokens"
    return Finding(table, (
        f"{cheap['label']} is cheapest, at {dollars(cheap.usd_per_mtok_out)}{cheap.aged} a million output tokens; on a grid "
        "without carbon none is cleaner than another" if not case.gco2e_per_kwh else
        f"{cheap['label']} is the only one here that serves the model: {spent}" if len(known) == 1 else
        f"{cheap['label']} is cheapest and cleanest: {spent}" if same else
        f"{cheap['label']} is cheapest, {clean['label']} cleanest: {clean.gco2e_per_mtok_out:,.0f} g CO₂e a million output "
        f"tokens against {cheap.gco2e_per_mtok_out:,.0f}, at {dollars(clean.usd_per_mtok_out)}{clean.aged} against "
        f"{dollars(cheap.usd_per_mtok_out)}{cheap.aged}"),
        f"{operating_point.note(known)} The bill and the energy stand on output tokens alone. Grid: {case.gco2e_per_kwh:,.0f} g "
        f"CO₂e a kWh; at {low:,.0f} or {high:,.0f}, the ends of the data, all points move down or up together. Building and "
        "shipping the machines is not counted.")

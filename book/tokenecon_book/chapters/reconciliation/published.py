"""What others publish on self-hosting against an API, each figure beside ours for the same question."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.calculator.choice import tok_per_request
from tokenecon.decision import break_even
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import money
from tokenecon.ownership import owned_hour
from tokenecon.serving import estimate
from tokenecon_book.chapters.reconciliation.reconciliation import FLEETS, cheapest
from tokenecon_book.documents import base

H100, A100 = "h100-sxm-80gb", "a100-sxm-80gb"
CALL = {"n_gpus": "gpus", "isl": "isl", "osl": "osl"}  # of the published call: argument -> end of its row's id
COLUMNS = {
    "what": ("Published", None), "publisher": ("By", None), "published": ("Their figure", None),
    "ours": ("Ours", None), "unit": ("Unit", None), "ratio": ("Ours over theirs", "ratio"), "why": ("Why they differ", None),
}  # fmt: skip
SIZES = ((1e9, " billion"), (1e6, " million"), (1.0, ""))


def _speed(**case):
    """Tokens a second of one instance as full as it gets, in and out, at the low end, as expected and at the high end."""
    found = estimate.estimate(pd.DataFrame([case | {"kv": "fp8", "load": "closed_loop"}])).iloc[0]
    both = (case["isl"] + case["osl"]) / case["osl"]
    return tuple(float(found[f"output_tok_s{end}"]) * both for end in ("_low", "", "_high"))


def _volume(case, offered, sold):
    """Tokens a day from which the first fleet, owned or rented by the hour, costs less than the API; people on both sides."""
    rows = [cheapest(offered, group) for group in FLEETS]
    return tuple(sorted(break_even.threshold(case, row, sold) * tok_per_request(case) for row in rows if row is not None))


@finding
def others(page):
    """One row a published figure: theirs with its range, ours for the same question, and why the two differ."""
    day_of = SimpleNamespace(as_of=page.as_of)  # others publish on one model: the base case as it is
    case = base.of(day_of)
    offered = base.offers(day_of).table
    one = _speed(model=case.model, gpu=H100, n_gpus=1, weights="int4", isl=case.isl, osl=case.osl)
    row = base.offers(day_of, gpus=[H100]).table.query("kind == 'on_demand'").iloc[0]
    per_gpu = tuple(row[f"requests_per_s{end}"] * case.osl / row["n_gpus"] for end in ("_low", "", "_high"))
    four = tuple(units.convert(speed, "tok/s", "tok/month") for speed in _speed(
        model=case.model, gpu=A100, weights="bf16",
        **{name: int(data.value(f"published.claudecodeguides_{what}")) for name, what in CALL.items()}))
    years = data.value("published.gpu_tco_years")
    hours = data.value("published.gpu_tco_gpus") * years * units.HOURS_PER_DAY * units.DAYS_PER_YEAR
    owned = owned_hour.owned(H100, as_of=page.as_of, years=years, residual_share=0.0)
    server = tuple(owned[name] * hours for name in ("likely_low", "total", "likely_high"))
    fuller = "ours pays for peaks, a spare replica, whole servers and people"
    rows = [
        _line("tokens a second of one H100, 4 bits", "published.votiakov_speed", one, "no limit on latency in either"),
        _line("output of an H100 with a 70B model", "published.dreaming_speed", per_gpu, "ours keeps the base case's limits"),
        _line("tokens a month of four A100", "published.claudecodeguides_volume", four,
              "ours is the most that they can do: theirs leaves no hour idle"),
        _line("a server of eight H100 over three years", "published.gpu_tco_node", server,
              "ours counts repairs, network and the cost of capital, and no resale"),
    ]
    alike = len(rows)
    closed = money.usd_per_mtok_blend(usd_per_mtok_in=data.value("published.rajpoot_api_in"),
                                      usd_per_mtok_out=data.value("published.rajpoot_api_out"), isl=case.isl, osl=case.osl)
    sold = offered[(offered["kind"] == "api") & (offered["reason"] == "")]
    more = np.nan
    if len(sold):
        same = _volume(case, offered, sold.iloc[0])
        day = _volume(case, offered, pd.Series(sold.iloc[0].to_dict() | {"usd_per_mtok_used": closed}))
        more = float(np.sqrt(same[0] * same[-1] / (day[0] * day[-1])))
        month = tuple(units.convert(tok, "tok/day", "tok/month") for tok in day)
        rows += [_line("tokens a day that pay for machines", "published.votiakov_volume", day, fuller),
                 _line("tokens a month that pay for machines", "published.rajpoot_volume", month, fuller),
                 _line("tokens a month that pay for own machines", "published.mindmap_volume", month, fuller)]
    table = pd.DataFrame(rows)
    apart = (table["ratio"].head(alike) - 1).abs().max()
    sentence = f"Published speeds and costs lie within {named('published-speeds', apart, '{:.0%}'.format)} of ours"
    volumes = table["ratio"].iloc[alike:]
    if len(volumes) and np.isfinite([*volumes, more]).all():
        most = named("published-volumes", volumes.max(), "{:.1f}".format, as_of=page.as_of)
        times = named("volumes-same-model", more, "{:.0f}".format, as_of=page.as_of)
        sentence += f", break-even volumes within {most} times; against the same model's API they are {times} times higher"
    return Finding(table, sentence, (
        "Theirs: the printed range, its geometric middle. Ours: interval of the model; for volumes from the cheapest owned to "
        "the cheapest rented machines against the price of the closed model that one of them names, staff on both sides; for "
        "the server 80% of the draws. Ranges of the ratio, an outer bound, join both at their far ends."),
        units={"published": "text", "ours": "text", "ratio": "ratio"}, same_model=more)


def _line(what, fact, ours, why):
    """One row: a published figure by its id, and ours as (low, middle, high) or (low, high)."""
    row = data.assumption(fact)
    low, high = (row[end] if row[end] == row[end] else row["value"] for end in ("low", "high"))
    least, most = ours[0], ours[-1]
    middle = ours[1] if len(ours) == 3 else float(np.sqrt(least * most))
    return {"what": what, "publisher": data.source(row["source"])["publisher"], "published": _span(low, high),
            "ours": _span(least, most), "unit": row["unit"], "ratio": middle / float(np.sqrt(low * high)),
            "ratio_low": least / high, "ratio_high": most / low, "why": why, "fact": fact}


def _span(low, high):
    """A range in two significant digits, one number where both read the same; millions and billions in words."""
    size, word = next(((size, word) for size, word in SIZES if high >= size))
    ends = [f"{float(f'{value / size:.2g}'):,g}" for value in (low, high)]
    return f"{ends[0] if ends[0] == ends[1] else ' to '.join(ends)}{word}"

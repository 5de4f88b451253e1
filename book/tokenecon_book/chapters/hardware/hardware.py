"""Which accelerator: what the base case's tokens cost on each, what fits on how many, at the prices of a date.

Replicas are sized by the calibrated model and priced as a decision prices them; what the textbook says stands beside.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import DoesNotFit, NoInput
from tokenecon.finding import Finding, ends, finding, given, named
from tokenecon.formulas import efficiency, parallelism
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.serving import operating_point, steady_state, textbook
from tokenecon_book.documents import base, moved
from tokenecon_book.documents.words import count, dollars, often, percent, price

FORMATS = ("fp16", "fp8", "int4")
MOST_SPLIT = 6  # accelerators that a figure of lines tells apart
NAMED = 3  # accelerators that a sentence names
# Few clouds reprice a CPU: the newest known price has to do, with its date.
CPU_PRICE_MAX_AGE_DAYS = 800
HAD = {"own": "owned", "on_demand": "on demand", "spot": "on spot", "marketplace": "at a marketplace",
       "reserved_3m": "reserved for three months", "committed_1y": "committed for a year",
       "committed_3y": "committed for three years", "rental_3y": "on a contract of three years"}  # fmt: skip
RENTS = {"on_demand": "on-demand rents", "spot": "spot rents", "marketplace": "marketplace rents"}
RULES = {"typical": "median", "best": "the cheapest", "list": "list"}  # what a price rule calls its prices
COLUMNS = {
    "label": ("Replica", None), "usd_per_mtok": ("Cost of all tokens", "USD/Mtok"),
    "usd_per_mtok_out": ("Of output tokens", "USD/Mtok_out"), "concurrency": ("Requests in flight", "sequence"),
    "utilisation": ("Busy", "fraction"), "usd_per_gpu_hour": ("An hour", "USD/GPU/h"),
}  # fmt: skip
MORE_COLUMNS = {
    "name": ("Accelerator", None), "reason": ("Why it has no cost", None), "price_from": ("Whose price", None),
    "measured": ("Measured", None), "tpot_ms": ("Time per output token", "ms/tok_out"), "ttft_ms": ("To the first token", "ms"),
    "textbook_usd_per_mtok": ("Cost of all tokens by the textbook", "USD/Mtok"),
}  # fmt: skip
REASON_COLUMNS = {"name": ("Accelerator", None), "reason": ("Why it is not drawn", None)}
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "label": ("Cheapest", None), "usd_per_mtok": ("Cost of all tokens", "USD/Mtok"),
    "usd_per_mtok_out": ("Of output tokens", "USD/Mtok_out"),
}  # fmt: skip
MEASURED, UNMEASURED = "like it was measured", "nothing like it was measured"


def ids(case):
    """The accelerators of the page, in the order of the catalogue."""
    return [gpu for gpu in data.ids("gpus") if gpu in case.gpus]


@finding
def line(case):
    """The case of the page in one line: the load of the base case and its limits; each accelerator has its own replica."""
    parts = [data.model(case.model)["name"], data.precision(case.weights)["name"],
             f"{given(case, 'isl', '{:,.0f}'.format)} → {given(case, 'osl', '{:,.0f}'.format)} tokens",
             f"{given(case, 'requests_per_day', lambda number: count(number, 'request'))} a day",
             f"at most {given(case, 'ttft_ms', '{:,.0f}'.format)} ms to the first token, {given(case, 'tpot_ms', '{:g}'.format)} "
             "ms for each further one",
             f"hours {_priced(case)} known on {case.as_of}"]
    return base.case_of(parts)


def _priced(case):
    """How hours are had and at which price, in words."""
    if case.price_kind == "on_demand" and case.usd_per_gpu_hour is not None:
        return f"at {given(case, 'usd_per_gpu_hour', dollars)} a GPU"
    return HAD[case.price_kind] + ("" if case.price_kind == "own" else f" at {gpu_prices.PRICE_RULES[base.rule(case)]}")


@finding
def comparison(case):
    """One row an accelerator: its best replica for the load of the page and what tokens cost on it, or why it has none."""
    table = base.compared(case, ids(case), case.price_kind)
    has = table["reason"] == ""
    replicas = [f"{count:.0f} × " if count == count else "" for count in table["n_gpus"]]
    return Finding(table.assign(
        label=[f"{replica}{name}" for replica, name in zip(replicas, table["name"], strict=True)],
        measured=np.select([~has, table["calibrated"].eq(True)], ["", MEASURED], UNMEASURED),
        textbook_usd_per_mtok=[_by_textbook(case, row) if row["reason"] == "" else np.nan for _, row in table.iterrows()]),
        units={"textbook_usd_per_mtok": "USD/Mtok"})


def _by_textbook(case, row):
    """Cost of all tokens of the same replica by the textbook; nothing where it cannot rate it. [USD/Mtok]"""
    where = {name: getattr(case, name) for name in ("model", "weights", "kv", "isl", "osl")}
    try:
        return textbook.point(**where, gpu=row["gpu"], n_gpus=int(row["n_gpus"]), concurrency=int(row["concurrency"]),
                              usd_per_gpu_hour=row["usd_per_gpu_hour"], utilisation=row["utilisation"])["usd_per_mtok"]
    except ValueError:
        return np.nan


@finding
def cost(case, whole):
    """The :func:`comparison` where a price is known, cheapest first; the finding of the page."""
    table = whole.table.dropna(subset=["usd_per_mtok"]).sort_values("usd_per_mtok", ignore_index=True)
    first, model = table.iloc[0], data.model(case.model)["name"]
    usd = named("cost-all", first["usd_per_mtok"], price, **ends(first, "usd_per_mtok"),
                **base.choice(base.of(case, gpus=None), first))
    old = " (an old price)" if "old" in first["price_mark"].split(", ") else ""
    beyond = "" if first["calibrated"] else ", though nothing like it was measured"
    alone = len(table) == 1
    text = (f"Over all tokens and {_rents(case)}, {first['name']} serves {model}{'' if alone else ' cheapest'}, at {usd} a "
            f"million{old}{beyond}")
    if not alone:
        second = table.iloc[1]
        overlaps = second["usd_per_mtok_low"] <= first["usd_per_mtok_high"]
        text += f"; {second['name']} may cost as little" if overlaps else "; no other may cost as little"
    compared = named("accelerators-compared", len(table), str, gpus=",".join(table["gpu"]), price=case.price_kind)
    aged = table.loc[table["price_mark"].str.contains("old"), "name"]
    left = whole.table.loc[whole.table["reason"] != "", "name"]
    return Finding(table, f"{text}.", (
        "Bars: interval of the model (80%), at the typical price of each. Each on the number of GPUs that serves most requests "
        "for each of them within the limits, as busy as load and spare leave it; before staff and tools."
        + (f" {operating_point.UNMEASURED}" if not table["calibrated"].all() else "")
        + (f" Old, over {gpu_prices.OLD_DAYS} days: {', '.join(aged)}." if len(aged) else "")
        + (f" Without a cost: {', '.join(left)}." if len(left) else "")),
        units={"textbook_usd_per_mtok": "USD/Mtok"}, number=usd, had=HAD[case.price_kind],
        label=f"a million tokens of {model}, in and out, on {first['name']}"
              + ("" if alone else f", cheapest of {compared} {_how(case)}"))


def _how(case):
    """How an hour is had, or that the page states its price."""
    stated = case.price_kind == "on_demand" and case.usd_per_gpu_hour is not None
    return f"at {given(case, 'usd_per_gpu_hour', dollars)} an hour" if stated else HAD[case.price_kind]


def _rents(case):
    """At whose prices hours are had, in words: "at median on-demand rents", "on owned machines", "at $3.00 an hour"."""
    if case.price_kind == "own":
        return "on owned machines"
    if case.price_kind == "on_demand" and case.usd_per_gpu_hour is not None:
        return _how(case)
    return f"at {RULES[base.rule(case)]} {RENTS.get(case.price_kind, f'rents {HAD[case.price_kind]}')}"


@finding
def fits(case, formats=FORMATS):
    """Fewest GPUs that hold the model and one request, by accelerator and weight format."""
    rows = []
    for gpu in ids(case):
        for fmt in formats:
            least = textbook.smallest_instance(
                model=case.model, gpu=gpu, weights=fmt, kv=case.kv, positions=case.isl + case.osl)
            rows.append({"gpu": gpu, "name": data.gpu(gpu)["name"], "weights": fmt.upper(), "n_gpus": least})
    table = pd.DataFrame(rows)
    alone = table[(table["weights"] == formats[0].upper()) & (table["n_gpus"] == 1)]
    of = {"gpus": ",".join(ids(case))} | base.cased(case, "model", "kv", "isl", "osl")
    held = named("accelerators-holding", len(alone), str, weights=formats[0], **of) if len(alone) else "None"
    whole = named("accelerators-compared", len(ids(case)), lambda number: count(number, "accelerator"), gpus=of["gpus"],
                  price="any")
    return Finding(
        table, f"{held} of {whole} {'holds' if len(alone) == 1 else 'hold'} {data.model(case.model)['name']} with "
        f"{data.precision(formats[0])['name']} weights alone"
        + (f": {', '.join(alone['name'].iloc[:NAMED])}{' and others' if len(alone) > NAMED else ''}" if len(alone) else ""))


@finding
def splitting(case, counts=(1, 2, 4, 8)):
    """Cost of a token when a model is split over more GPUs than it needs, against no loss on links, by both models.

    Accelerators that nothing can be split over have a row with the ``reason``.
    """
    rows, linked = [], [gpu for gpu in ids(case) if data.gpu(gpu)["link_domain_gpus"] >= counts[1]]
    for gpu in ids(case):
        found = [_split(case, gpu, n_gpus) for n_gpus in counts if n_gpus <= data.gpu(gpu)["link_domain_gpus"]]
        drawn = [row for row in found if row] if gpu in linked[:MOST_SPLIT] else []
        why = ("is not linked to others" if gpu not in linked else "the figure has room for the first ones only"
               if gpu not in linked[:MOST_SPLIT] else f"does not hold the model on up to {counts[-1]} of them")
        rows += drawn or [{"name": data.gpu(gpu)["name"], "gpu": gpu, "n_gpus": np.nan, "cost_ratio": np.nan, "reason": why}]
    table = pd.DataFrame(rows)
    known, claim = table.dropna(subset=["cost_ratio"]), data.claim("hw-two-gpu-cost")
    two = known[known["n_gpus"] == counts[1]].sort_values("cost_ratio")
    claimed = named("hw-two-gpu-cost", claim["low"], often)
    if two.empty:
        said = "On these accelerators nothing is split over two GPUs"
    else:
        ends = [named("split-loss", row["cost_ratio"] - 1, percent, **base.cased(case, "model", "weights", "kv", "isl", "osl"),
                      gpu=row["gpu"], n_gpus=counts[1], batch=case.split_batch) for _, row in two.iloc[[0, -1]].iterrows()]
        loss = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
        said = f"Split over two GPUs, a token costs {loss} more; the documents say {claimed} as much"
    worst = known.sort_values("cost_ratio").iloc[-1] if len(known) else None
    return Finding(table, said,
                   f"Steps of the calibrated model at batch {case.split_batch}; the textbook's are in the download."
                   + (f" The most: {worst['cost_ratio']:.2f} times as much over {worst['n_gpus']:.0f} {worst['name']}."
                      if worst is not None and worst["n_gpus"] > 1 else "")
                   + (f" The first {MOST_SPLIT} of {len(linked)} accelerators with links." if len(linked) > MOST_SPLIT else ""),
                   drawn=bool(len(known)))


def _split(case, gpu, n_gpus):
    """A row of :func:`splitting`; nothing where the model does not fit."""
    where = {"model": case.model, "gpu": gpu, "n_gpus": n_gpus, "weights": case.weights, "kv": case.kv}
    try:
        parts = operating_point.step_parts(**where, isl=case.isl, osl=case.osl, concurrency=case.split_batch,
                                           usd_per_gpu_hour=1.0, utilisation=1.0)
    except DoesNotFit:
        return None
    local = sum(parts[name] for name in steady_state.RESOURCES if name != "links")
    step = textbook.decode_step(**where, batch=case.split_batch, positions=case.isl + case.osl / 2,
                                efficiencies=textbook.assumed())
    return {"n_gpus": n_gpus, "name": data.gpu(gpu)["name"], "gpu": gpu, "cost_ratio": _split_cost(local, parts["links"]),
            "reason": "", **textbook.span("textbook_cost_ratio", _split_cost(step["step_s"] - step["comm_s"], step["comm_s"]))}


def _split_cost(local_s, comm_s):
    return parallelism.split_cost_ratio(efficiency=parallelism.parallel_efficiency(split_s=local_s, comm_s=comm_s))


@finding
def value_for_watt_and_dollar(case):
    """Memory bandwidth and capacity for a watt of board power and for a dollar of purchase price.

    Accelerators of which one of the two is not known have a row with the ``reason``.
    """
    rows = []
    for gpu in ids(case):
        row = data.gpu(gpu)
        line = {"gpu": gpu, "name": row["name"], "reason": "", "gb_per_s_per_watt": np.nan, "mb_per_s_per_usd": np.nan}
        rows.append(line)
        if row["board_power_w"] != row["board_power_w"]:
            line["reason"] = f"no board_power of {gpu} in {data.file('gpus')}"
            continue
        watts = row["board_power_w"]
        line |= {"gb_per_s_per_watt": efficiency.bandwidth_per_watt(
                     bytes_per_s_per_gpu=row["bandwidth_bytes_per_s"], watts_per_gpu=watts) / units.BYTES_PER_GB,
                 "memory_gb_per_watt": efficiency.memory_per_watt(
                     memory_bytes_per_gpu=row["memory_bytes"], watts_per_gpu=watts) / units.BYTES_PER_GB}
        try:
            usd = owned_hour.bought(gpu, case.as_of)
        except NoInput as unknown:
            line["reason"] = str(unknown)
            continue
        line |= {f"mb_per_s_per_usd{end}": efficiency.bandwidth_per_usd(
            bytes_per_s_per_gpu=row["bandwidth_bytes_per_s"], usd_per_gpu=usd[key]) / units.factor("MB")
            for end, key in (("", "typical"), ("_low", "high"), ("_high", "low"))}
        line |= {"usd_per_gpu_low": usd["low"], "usd_per_gpu": usd["typical"], "usd_per_gpu_high": usd["high"],
                 "old": bool(gpu_prices.aged(usd))}
    table = pd.DataFrame(rows)
    said = []
    if table["gb_per_s_per_watt"].notna().any():
        watt = table.loc[table["gb_per_s_per_watt"].idxmax()]
        rate = named("bandwidth-per-watt", watt["gb_per_s_per_watt"], "{:.1f} GB/s".format, gpu=watt["gpu"])
        said.append((watt["name"], "per watt", rate))
    if table["mb_per_s_per_usd"].notna().any():
        dollar = table.loc[table["mb_per_s_per_usd"].idxmax()]
        rate = named("bandwidth-per-dollar", dollar["mb_per_s_per_usd"], _gb_per_s, gpu=dollar["gpu"], as_of=case.as_of)
        said.append((dollar["name"], "per dollar", f"{rate}{' at an old price' if dollar['old'] else ''}"))
    text = _read(said, len(table))
    missing = table.loc[table["reason"] != "", "name"]
    return Finding(
        table, text,
        "Purchase prices are rare and old: the typical one known up to the date of the page, with the spread of offers."
        + (f" Not drawn, as one of both is not known: {', '.join(missing)}." if len(missing) else ""),
        units={"usd_per_gpu": "USD/GPU"}, drawn=bool((table["reason"] == "").any()))


def _gb_per_s(mb_per_s):
    return f"{mb_per_s * units.factor('MB') / units.BYTES_PER_GB:.3g} GB/s"


def _read(tops, accelerators):
    """Who reads memory fastest per watt and per dollar, in words, from (name, per what, how fast) of each that is known."""
    if not tops:
        return "Of none of these accelerators board power and purchase price are known"
    if accelerators == 1:
        return f"{tops[0][0]} reads memory at " + " and ".join(f"{rate} {per}" for _, per, rate in tops)
    (name, per, rate), *more = tops
    first = f"{per.capitalize()} {name} reads memory fastest, {rate}"
    return "; ".join([first, *(f"{per} {name}, {rate}" for name, per, rate in more)])


@finding
def sensitivity(case):
    """The cheapest accelerator and its cost when one input of the page moves and the others stay."""
    moves = {
        "the case itself": {},
        "spot hours": {"price_kind": "spot", "usd_per_gpu_hour": None},
        "own machines": {"price_kind": "own", "usd_per_gpu_hour": None},
        "half the time for a token": {"tpot_ms": case.tpot_ms / 2},
        "twice the time for a token": {"tpot_ms": case.tpot_ms * 2},
        "a tenth of the requests": {"requests_per_day": case.requests_per_day / 10},
        "ten times the requests": {"requests_per_day": case.requests_per_day * 10},
        "INT4 weights": {"weights": "int4"},
    }
    rows = []
    for text, change in moves.items():
        try:
            rows_of = comparison(SimpleNamespace(**(vars(case) | change))).table
            best = rows_of.loc[rows_of["usd_per_mtok"].idxmin()].to_dict()
        except ValueError:  # none of the accelerators is left: the table says so
            best = {"label": "none of these accelerators"}
        rows.append({"change": text} | moved.said(change) | best)
    return Finding(pd.DataFrame(rows))


@finding
def claimed_power():
    """The documents' board powers beside that of the Gaudi 3 module that competes with theirs, as a sentence."""
    gaudi, h100 = data.claim("hw-gaudi3-power")["low"], data.claim("hw-h100-power")["low"]
    module = data.gpu("gaudi3-128gb")
    said = [named(row, value, "{:.0f}".format) for row, value in (("hw-gaudi3-power", gaudi), ("hw-h100-power", h100))]
    said.append(named("board-power", module["board_power_w"], "{:.0f}".format, gpu="gaudi3-128gb"))
    table = pd.DataFrame({"accelerator": ["Gaudi 3, by the documents", "H100, by the documents", module["name"]],
                          "board_power_w": [gaudi, h100, module["board_power_w"]]})
    return Finding(table, (
        f"The documents compare Gaudi with the H100 by board power, {said[0]} W against {said[1]} W; the module that competes, "
        f"{module['name']}, draws {said[2]} W."), units={"board_power_w": "W/GPU"})

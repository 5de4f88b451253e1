"""Which accelerator: what fits on how many, tokens per second and cost, at the prices of a date.

Instances are chosen and priced by the calibrated model; what the textbook says stands beside.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from tokenecon import data, units
from tokenecon.errors import BadInput, DoesNotFit, NoPrice
from tokenecon.finding import Finding, finding
from tokenecon.formulas import efficiency, parallelism
from tokenecon.prices import gpu_prices
from tokenecon.serving import instances, operating_point, steady_state, textbook
from tokenecon.serving.operating_point import CALIBRATED, TEXTBOOK
from tokenecon_book.documents.words import count, dollars, percent, span

FORMATS = ("fp16", "fp8", "int4")
MOST_SPLIT = 6  # accelerators that a figure of lines tells apart
# Few clouds reprice a CPU: the newest known price has to do, with its date.
CPU_PRICE_MAX_AGE_DAYS = 800
COLUMNS = {
    "name": ("Accelerator", None), "usd_per_mtok_out": ("Cost of output", "USD/Mtok_out"), "n_gpus": ("GPUs", None),
    "concurrency": ("Batch", "sequence"), "textbook_usd_per_mtok_out": ("By the textbook", "USD/Mtok_out"),
    "textbook_instance": ("on", None), "measured": ("Measured", None), "usd_per_gpu_hour": ("Price", "USD/GPU/h"),
    "output_tok_s_per_gpu": ("Output of one", "tok_out/s/GPU"), "tpot_ms": ("Time per output token", "ms/tok_out"),
    "bound": ("Bound by", None), "reason": ("Why not", None),
}  # fmt: skip
SENSITIVITY_COLUMNS = {
    "change": ("What changes", None), "label": ("Cheapest", None), "usd_per_mtok_out": ("Cost of output", "USD/Mtok_out"),
    "textbook_usd_per_mtok_out": ("By the textbook", "USD/Mtok_out"),
}  # fmt: skip


def ids(case):
    """The accelerators of the page, in the order of the catalogue."""
    return [gpu for gpu in data.ids("gpus") if gpu in case.gpus]


def price(gpu, case):
    """(low, typical, high) of an hour of this GPU at the date of the page, or the reason why not."""
    try:
        found = gpu_prices.of_page(case, gpu, case.price_kind)
    except NoPrice as reason:
        return None, str(reason)
    return (found["low"], found["typical"], found["high"]), ""


@finding
def comparison(case):
    """One row an accelerator: the cheapest instance within the latency limit, or why it has none; textbook beside."""
    rows, known = [], {gpu: price(gpu, case) for gpu in ids(case)}
    chosen = instances.calibrated_choice(list(known), case, {gpu: usd or 1.0 for gpu, (usd, _) in known.items()})
    for gpu, (usd, unpriced) in known.items():
        row, slow = chosen[gpu]
        try:
            other, _ = instances.textbook_choice(gpu, case, usd or 1.0)
        except ValueError:  # the textbook cannot rate it: its columns stay empty
            other = None
        priced = {k: v for k, v in (row or {}).items() if usd or not k.startswith("usd_")}
        beside = {f"textbook_usd_per_mtok_out{end}": other[f"usd_per_mtok_out{end}"]
                  for end in ("", "_low", "_high")} if other and usd else {}
        rows.append({"gpu": gpu, "name": data.gpu(gpu)["name"], **priced, **beside,
                     "textbook_gpus": other["n_gpus"] if other else np.nan,
                     "textbook_instance": f"{other['n_gpus']} × batch {other['concurrency']}" if other else "",
                     "measured": ("yes" if row["calibrated"] else "nothing like it") if row else "",
                     "reason": slow or unpriced})
    table = pd.DataFrame(rows)
    if "usd_per_mtok_out" not in table or table["usd_per_mtok_out"].isna().all():
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has both a '{case.price_kind}' price on "
                       f"{case.as_of} and an instance within {case.tpot_ms:g} ms; reasons: {'; '.join(table['reason'])}")
    table["label"] = [f"{row.n_gpus:.0f} × {row['name']}" if row.n_gpus == row.n_gpus else row["name"]
                      for _, row in table.iterrows()]
    return Finding(table, units={"textbook_gpus": "GPU"})


@finding
def cost(case):
    """The comparison where a price is known, cheapest first; the finding of the page."""
    table = comparison(case).table.dropna(subset=["usd_per_mtok_out"]).sort_values("usd_per_mtok_out").reset_index(drop=True)
    first = table.iloc[0]
    overlap = int((table["usd_per_mtok_out_low"] <= first["usd_per_mtok_out_high"]).sum()) - 1
    overlaps = "" if len(table) == 1 else {0: "; no other range overlaps it", 1: "; one other range overlaps it"}.get(
        overlap, f"; {overlap} other ranges overlap it")
    aged = gpu_prices.aged(gpu_prices.of_page(case, first["gpu"], case.price_kind))
    model, unknown = data.model(case.model)["name"], "" if first["calibrated"] else " (nothing like it was measured)"
    return Finding(table, (
        f"At {gpu_prices.words(case.price_kind)} of {case.as_of}{aged}, {first['label']} "
        f"serves {model}{' cheapest' if len(table) > 1 else ''}, at {dollars(first.usd_per_mtok_out)} a million output "
        f"tokens{unknown}{overlaps}."),
        f"{count(len(table), 'accelerator')} compared{_textbook_words(table)}. {operating_point.note(table)} Prices "
        f"{gpu_prices.known(case)}. Each on the cheapest instance that makes a token within "
        f"{case.tpot_ms:g} ms, by each model's own count.",
        units={"textbook_gpus": "GPU"}, number=f"{dollars(first.usd_per_mtok_out)} / Mtok",
        label=f"a million output tokens of {model} on {first['label']}"
        + (f", the cheapest of {len(table)}" if len(table) > 1 else ""))


def _textbook_words(table):
    """What the textbook says of the cheapest, and whom it would choose."""
    first, theirs = table.iloc[0], table["textbook_usd_per_mtok_out"]
    if theirs.isna().all():
        return ""
    best = table.loc[theirs.idxmin()]
    own = f", by the textbook {dollars(first.textbook_usd_per_mtok_out)}" if theirs.iloc[0] == theirs.iloc[0] else ""
    other = "" if best["gpu"] == first["gpu"] else (
        f" (its own choice: {best['name']}, {dollars(best.textbook_usd_per_mtok_out)})" if own else
        f", by the textbook {best['name']} would at {dollars(best.textbook_usd_per_mtok_out)}")
    return own + other


@finding
def cost_by_model(found):
    """The rows of :func:`cost` once for each model, for a figure: columns `label`, `by` and the cost with its range."""
    rows = []
    for _, row in found.table.iterrows():
        own = CALIBRATED if row["calibrated"] else f"{CALIBRATED}, nothing like it measured"
        for by, prefix, label in ((own, "", row["label"]),
                                  (TEXTBOOK, "textbook_", f"textbook: {row['textbook_gpus']:.0f} × {row['name']}")):
            rows.append({"label": label, "gpu": row["gpu"], "by": by} | {
                f"usd_per_mtok_out{end}": row[f"{prefix}usd_per_mtok_out{end}"] for end in ("", "_low", "_high")})
    return Finding(pd.DataFrame(rows).dropna(subset=["usd_per_mtok_out"]), found.sentence, found.note)


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
    model = data.model(case.model)["name"]
    return Finding(
        table, f"{len(alone) or 'None'} of {count(len(case.gpus), 'accelerator')} {'holds' if len(alone) == 1 else 'hold'} "
        f"{model} with {formats[0].upper()} weights on one device"
        + (f": {', '.join(alone['name'].iloc[:4])}" if len(alone) else ""))


@finding
def splitting(case, counts=(1, 2, 4, 8)):
    """Cost of a token when a model is split over more GPUs than it needs, against no loss on links, by both models."""
    rows, linked = [], [gpu for gpu in ids(case) if data.gpu(gpu)["link_domain_gpus"] >= counts[1]]
    for gpu in linked[:MOST_SPLIT]:
        for n_gpus in [size for size in counts if size <= data.gpu(gpu)["link_domain_gpus"]]:
            where = {"model": case.model, "gpu": gpu, "n_gpus": n_gpus, "weights": case.weights, "kv": case.kv}
            try:
                parts = operating_point.step_parts(**where, isl=case.isl, osl=case.osl, concurrency=case.split_batch,
                                                   usd_per_gpu_hour=1.0, utilisation=1.0)
            except DoesNotFit:
                continue
            local = sum(parts[name] for name in steady_state.RESOURCES if name != "links")
            step = textbook.decode_step(**where, batch=case.split_batch, positions=case.isl + case.osl / 2,
                                        efficiencies=textbook.assumed())
            rows.append({"n_gpus": n_gpus, "name": data.gpu(gpu)["name"], "gpu": gpu,
                         "cost_ratio": _split_cost(local, parts["links"])}
                        | textbook.span("textbook_cost_ratio", _split_cost(step["step_s"] - step["comm_s"], step["comm_s"])))
    if not linked:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} is linked to others, and a section of this page splits "
                       "a model; name one with a link_domain of 2 or more (`tokenecon list gpus`), too")
    if not rows:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} holds {case.model} ({case.weights}) on up to "
                       f"{counts[-1]} linked devices; name larger ones (`tokenecon list gpus`)")
    table = pd.DataFrame(rows)
    worst = table.sort_values("cost_ratio").iloc[-1]
    claim = data.claim("hw-two-gpu-cost")
    two = table[table["n_gpus"] == counts[1]]
    words = [span(two[name].min() - 1, two[name].max() - 1, percent) for name in ("cost_ratio", "textbook_cost_ratio")]
    said = (f"Splitting over two GPUs makes a token {words[0]} dearer, not {claim['low']:.0f} times; " if len(two) else "") + (
        f"over {worst.n_gpus} {worst['name']} it costs {worst.cost_ratio:.1f} times as much" if worst.n_gpus > 1 else
        f"on one {worst['name']} nothing is split")
    return Finding(table, said[0].upper() + said[1:],
                   f"Steps of the calibrated model at batch {case.split_batch}; the textbook's are in the download."
                   + (f" Over two GPUs it says {words[1]}." if len(two) else "")
                   + (f" The first {MOST_SPLIT} of {len(linked)} accelerators with links." if len(linked) > MOST_SPLIT else ""))


def _split_cost(local_s, comm_s):
    return parallelism.split_cost_ratio(efficiency=parallelism.parallel_efficiency(split_s=local_s, comm_s=comm_s))


@finding
def value_for_watt_and_dollar(case):
    """Memory bandwidth and capacity for a watt of board power and for a dollar of purchase price."""
    rows, missing = [], []
    for gpu in ids(case):
        row = data.gpu(gpu)
        try:
            usd = gpu_prices.price_range(gpu, "purchase", case.as_of)
        except NoPrice:
            missing.append(row["name"])
            continue
        if row["board_power_w"] != row["board_power_w"]:
            continue
        watts = row["board_power_w"]
        rows.append({
            "gpu": gpu, "name": row["name"],
            "gb_per_s_per_watt": efficiency.bandwidth_per_watt(
                bytes_per_s_per_gpu=row["bandwidth_bytes_per_s"], watts_per_gpu=watts) / units.BYTES_PER_GB,
            **{f"bytes_per_s_per_usd{end}": efficiency.bandwidth_per_usd(
                bytes_per_s_per_gpu=row["bandwidth_bytes_per_s"], usd_per_gpu=usd[key])
               for end, key in (("", "typical"), ("_low", "high"), ("_high", "low"))},
            "memory_gb_per_watt": efficiency.memory_per_watt(
                memory_bytes_per_gpu=row["memory_bytes"], watts_per_gpu=watts) / units.BYTES_PER_GB,
            "usd_low": usd["low"], "usd": usd["typical"], "usd_high": usd["high"],
        })  # fmt: skip
    if not rows:
        raise BadInput(f"parameter 'gpus': none of {', '.join(case.gpus)} has a board_power and a purchase price "
                       f"known on {case.as_of}; name one that has, too, or add the rows to {data.file('gpus')} and "
                       f"{data.file('prices')}")
    table = pd.DataFrame(rows)
    for name in ("bytes_per_s_per_usd", "bytes_per_s_per_usd_low", "bytes_per_s_per_usd_high"):
        table[name.replace("bytes_per_s", "mb_per_s")] = table.pop(name) / units.factor("MB")
    watt, dollar = table.loc[table["gb_per_s_per_watt"].idxmax()], table.loc[table["mb_per_s_per_usd"].idxmax()]
    return Finding(
        table, f"For a watt {watt['name']} reads most ({watt.gb_per_s_per_watt:.1f} GB/s), for a dollar {dollar['name']} "
        f"({dollar.mb_per_s_per_usd:.0f} MB/s)",
        "Purchase prices are rare and old: the newest known up to the date of the page, with their range."
        + (f" Not known: {', '.join(missing)}." if missing else ""))


@finding
def sensitivity(case):
    """The cheapest accelerator and its cost when one input of the page moves and the others stay."""
    moves = {
        "the case itself": {},
        "spot prices": {"price_kind": "spot", "usd_per_gpu_hour": None},
        "three-year contracts": {"price_kind": "rental_3y", "usd_per_gpu_hour": None},
        "half the time for a token": {"tpot_ms": case.tpot_ms / 2},
        "twice the time for a token": {"tpot_ms": case.tpot_ms * 2},
        "prompts four times as long": {"isl": 4 * case.isl},
        "INT4 weights": {"weights": "int4"},
    }
    rows = []
    for text, change in moves.items():
        try:
            best = cost(SimpleNamespace(**(vars(case) | change))).table.iloc[0].to_dict()
        except ValueError:  # none of the accelerators is left: the table says so
            best = {"label": "none of these accelerators"}
        rows.append({"change": text} | best)
    return Finding(pd.DataFrame(rows))


@finding
def claimed_power():
    """The documents' board powers beside that of the Gaudi 3 module that competes with theirs, as a sentence."""
    gaudi, h100 = data.claim("hw-gaudi3-power")["low"], data.claim("hw-h100-power")["low"]
    module = data.gpu("gaudi3-128gb")
    table = pd.DataFrame({"accelerator": ["Gaudi 3, by the documents", "H100, by the documents", module["name"]],
                          "board_power_w": [gaudi, h100, module["board_power_w"]]})
    return Finding(table, (
        f"The documents compare Gaudi 3 with the H100 by board power, {gaudi:.0f} W against {h100:.0f} W; "
        f"the module that competes, {module['name']}, draws {module['board_power_w']:.0f} W."), units={"board_power_w": "W/GPU"})

"""Our owned hour against hours that an analyst published, GPU by GPU, and which price would close each gap."""

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from tokenecon import data
from tokenecon.errors import BadInput, NoInput
from tokenecon.finding import Finding, finding, named
from tokenecon.ownership import owned_hour
from tokenecon_book.documents.words import than

NEAR = 0.15  # a ratio this close to 1 counts as agreement
OWNED = {"neocloud": "specialised cloud", "hyperscaler": "large cloud"}
SHORT = {"neocloud": "specialised", "hyperscaler": "large"}
COLUMNS = {
    "label": ("Accelerator and owner", None), "as_of": ("Published", None), "published_usd_per_gpu_hour": ("Theirs", "USD/GPU/h"),
    "usd_per_gpu_hour": ("Ours", "USD/GPU/h"), "ratio": ("Ours over theirs", "ratio"),
    "implied_usd_per_gpu": ("Price that would fit", "USD/GPU"), "usd_per_gpu": ("Price known", "USD/GPU"),
    "remark": ("Remark", None),
}  # fmt: skip
RANGES = {"usd_per_gpu_hour": "draws", "ratio": "draws", "usd_per_gpu": "offers"}
# One input alone that could close the middle gap, and how far it is tried.
TRIED = {"usd_per_gpu": (0.1, 3.0), "years": (2.0, 10.0), "discount_rate": (0.0, 0.3), "residual_share": (0.0, 0.9),
         "space_usd_per_kw_month": (0.0, 400.0), "network_usd_per_gpu": (0.0, 2e4), "usd_per_kwh": (0.0, 0.5)}  # fmt: skip
CALLED = {"years": "service life", "discount_rate": "cost of capital", "residual_share": "resale value",
          "space_usd_per_kw_month": "price of space", "network_usd_per_gpu": "price of the network",
          "usd_per_kwh": "price of electricity"}  # fmt: skip
FIT_COLUMNS = {
    "name": ("Input", None), "ours": ("Ours", None), "needed": ("Needed", None), "range": ("Range of the data", None),
    "verdict": ("That is", None),
}  # fmt: skip


@finding
def check(case):
    """One row for each published owned hour: ours at the inputs of the data, the ratio, and the GPU price that would fit.

    The page's own interest, life and electricity do not enter: they are the reader's, not the analyst's.
    """
    rows = []
    for owner in OWNED:
        book = data.rows("prices", {"kind": f"owned_{owner}", "gpu": case.gpus, "as_of<=": case.as_of})
        for gpu, published in book.groupby("gpu", sort=False):
            ours, inputs = _ours(gpu, owner, case.as_of)
            for _, row in published.iterrows():
                needed = _implied(inputs, row["value"])
                line = {"gpu": gpu, "owner": owner, "label": f"{data.gpu(gpu)['name']}, {SHORT[owner]}", "as_of": row["as_of"],
                        "published_usd_per_gpu_hour": row["value"], **ours, "implied_usd_per_gpu": needed,
                        "remark": "no purchase price known"}
                if ours:
                    line |= {f"ratio{end}": ours[f"usd_per_gpu_hour{end}"] / row["value"] for end in ("", "_low", "_high")}
                    line["remark"] = _remark(line["ratio"], needed, inputs.loc["usd_per_gpu"])
                rows.append(line)
    table = pd.DataFrame(rows)
    if "ratio" not in table:
        raise BadInput(f"parameter 'gpus': of none of {', '.join(case.gpus)} both a published owned hour and a purchase price "
                       f"are known on {case.as_of}; see `tokenecon list prices`")
    table = table.sort_values(["as_of", "owner", "ratio"], ascending=[False, False, True], ignore_index=True)
    known = table.dropna(subset=["ratio"])
    near = (known["ratio"] - 1).abs() <= NEAR
    holds = (known["ratio_low"] <= 1) & (known["ratio_high"] >= 1)
    vintages = [f"{int((near & part).sum())} of {int(part.sum())} of {day}" for day, part in (
        (day, known["as_of"] == day) for day in sorted(known["as_of"].unique()))]
    both = table.pivot(index=["gpu", "owner"], columns="as_of", values="published_usd_per_gpu_hour").dropna()
    change = both.iloc[:, -1] / both.iloc[:, 0] - 1
    way = "fell" if change.median() < 0 else "rose"
    fall = (f" From the first vintage to the last the published hours {way} by {abs(change.median()):.0%} in the middle; our "
            "purchase prices are those known on the day of the page for both." if both.shape[1] > 1 else "")
    of = {"gpus": ",".join(known["gpu"].unique()), "as_of": case.as_of}
    whole, close = (named(name, number, str, **of) for name, number in (
        ("published-hours", len(known)), ("published-hours-near", int(near.sum()))))
    middle = named("published-hours-gap", known["ratio"].median(), than, **of)
    return Finding(table, (
        f"An analyst's owned hours and ours: {close} of {whole} are near each other, and in the middle ours costs {middle} "
        "theirs"),
        f"Near: within {NEAR:.0%}; {', '.join(vintages)}. Ratio of our owned hour to the published one; bars: draws of our "
        f"inputs (10 to 90%), which hold the published figure in {int(holds.sum())} of {len(known)}. Large: a large cloud "
        f"with halls of its own. Ours here lasts {data.value('finance.life'):g} years, as theirs; they do not print their "
        "purchase prices."
        f"{fall}{_left_out(case, known)}", gap=known["ratio"].median())


def _left_out(case, known):
    """The accelerators of the page of which a published hour or a purchase price is not known."""
    names = [data.gpu(gpu)["name"] for gpu in case.gpus if gpu not in set(known["gpu"])]
    return f" No published hour or no purchase price: {', '.join(names)}." if names else ""


@finding
def latest(checked):
    """The rows of the newest vintage in which both figures are known, for a figure."""
    known = checked.table.dropna(subset=["ratio"])
    part = known[known["as_of"] == known["as_of"].max()].sort_values("ratio", ignore_index=True)
    part = part.assign(owner_words=part["owner"].map(OWNED), near=1 - NEAR, far=1 + NEAR)
    return Finding(part, checked.sentence, checked.note, units={"near": "ratio", "far": "ratio"})


def _ours(gpu, owner, as_of):
    """Our hour and price of the GPU with their ranges, nothing where no price is known; and the inputs, then without a price."""
    try:
        inputs = owned_hour.spans(gpu, as_of=as_of, owner=owner)
    except NoInput:
        return {}, owned_hour.spans(gpu, as_of=as_of, owner=owner, usd_per_gpu=0.0)
    low, high = owned_hour.likely(inputs)
    price = inputs.loc["usd_per_gpu"]
    return {"usd_per_gpu_hour": owned_hour.owned_total(**inputs["typical"]), "usd_per_gpu_hour_low": low,
            "usd_per_gpu_hour_high": high, "usd_per_gpu": price["typical"], "usd_per_gpu_low": price["low"],
            "usd_per_gpu_high": price["high"]}, inputs


def implied(gpu, owner, usd_per_gpu_hour, as_of):
    """Price of the GPU at which our owned hour would be this one, all else expected: the hour is linear in it. [USD/GPU]"""
    return _implied(owned_hour.spans(gpu, as_of=as_of, owner=owner, usd_per_gpu=0.0), usd_per_gpu_hour)


def _implied(inputs, usd_per_gpu_hour):
    free, one = (owned_hour.owned_total(**inputs["typical"].to_dict() | {"usd_per_gpu": usd}) for usd in (0.0, 1.0))
    return (usd_per_gpu_hour - free) / (one - free)


def _remark(ratio, needed, price):
    """Whether they agree, and if not, whether the price of the GPU could explain it."""
    if abs(ratio - 1) <= NEAR:
        return "agree"
    if needed <= 0:
        return "no price of the GPU would fit: all the rest costs more"
    if price["low"] <= needed <= price["high"]:
        return "a price inside the known range would fit"
    change = needed / price["typical"] - 1
    return f"the GPU would have to cost {abs(change):.0%} {'less' if change < 0 else 'more'}"


@finding
def reconcile(case, checked):
    """Which value of one input alone, the same for all, would bring the middle ratio of :func:`check` to one."""
    known = checked.table.dropna(subset=["ratio"])
    published = known["published_usd_per_gpu_hour"].to_numpy()
    each = {key: owned_hour.spans(key[0], as_of=case.as_of, owner=key[1])["typical"].to_dict()
            for key in dict.fromkeys(zip(known["gpu"], known["owner"], strict=True))}
    plain = [each[key] for key in zip(known["gpu"], known["owner"], strict=True)]

    def gap(value, name):
        totals = [owned_hour.owned_total(**one | {name: one[name] * value if name == "usd_per_gpu" else value}) for one in plain]
        return float(np.median(np.array(totals) / published)) - 1

    rows = []
    ours = owned_hour.spans(case.gpu, as_of=case.as_of, usd_per_gpu=1.0)
    for name, ends in TRIED.items():
        left, right = gap(ends[0], name), gap(ends[1], name)
        needed = brentq(gap, *ends, args=(name,)) if left * right <= 0 else np.nan
        low, typical, high = ours.loc[name, ["low", "typical", "high"]]
        fixed = name == "usd_per_gpu"
        ends = f"{owned_hour.formatted(name, low)} to {owned_hour.formatted(name, high)}"
        inside = "" if fixed else "inside its range" if low <= needed <= high else "outside its range"
        rows.append({"input": name, "name": "Price of every GPU" if fixed else ours.loc[name, "name"],
                     "ours": "as known" if fixed else owned_hour.formatted(name, typical), "value": needed,
                     "needed": "nothing that was tried" if needed != needed else f"{needed:.0%} of it" if fixed
                     else owned_hour.formatted(name, needed), "range": "" if fixed else ends,
                     "verdict": inside if needed == needed else "cannot"})
    table = pd.DataFrame(rows)
    fits = [f"another {CALLED[name]}" for name in table[table["verdict"] == "inside its range"]["input"]]
    price = table.loc[table["input"] == "usd_per_gpu", "value"].iloc[0]
    share = named("published-gap-price", price, "{:.0%}".format, gpus=",".join(known["gpu"].unique()),
                  as_of=case.as_of) if price == price else ""
    return Finding(table, (
        f"Our median would match the analyst's if GPUs cost {share} of the asking price" + (
            f", or with {' or '.join(fits)} within the data's range." if len(fits) else
            "; no other single input would do it within its range.")) if share else (
        f"No common factor on GPU prices would make our median the analyst's; {' or '.join(fits)} within the data's range would."
        if len(fits) else "No single input would make our median the analyst's."))

"""Predicted against measured: what the model must reach, errors and coverage by group, the noise floor.

One case is a distinct configuration.  Each is predicted by coefficients, and held against an interval, that never saw the
family of the source which measured it.
"""

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.finding import Finding, finding, named
from tokenecon.numbers import number
from tokenecon.serving.calibration import held_out
from tokenecon_book.documents.words import percent

FEW = 30  # cases from which on a group has a share inside its intervals that says something
COVERED = 0.65  # the least of it that a group may have
FAMILIES = 3  # of sources, below which the share of a group is given with a range
DRAWS, SEED = 2000, 1  # of the sources of a group, for that range
ENDS = (0.1, 0.9)  # of it
LONG = 6000  # tokens of a prompt

VENDORS = {"nvidia": "NVIDIA", "amd": "AMD", "gaudi": "Intel"}
KINDS = {"dense": "dense", "routed": "mixture of experts"}
LOADS = {"closed_loop": "closed loop", "offline": "offline", "static": "static batch"}
QUANTITIES = {"rate": "throughput", "ttft": "time to first token", "tpot": "time per token"}
DIMENSIONS = {"vendor": "Vendor", "accelerator": "Accelerator", "architecture": "Kind of model", "form": "Number format",
              "loaded": "Load"}

# Targets that are missed, and why: name -> reason. A test fails when another one is missed, or one of these is met.
FIRST_TOKEN = ("the mean hangs on how a benchmark starts its clients and how many requests each sends, which its source does "
               "not state")
MISSES = {
    "median error of time per token, AMD": "on the MI300X and MI325X each step takes a fixed time more than predicted, with "
    "few clients as with many; only one source measured them so, and it does not say what takes that time",
    "median error, gpt-oss": "its experts in MXFP4 run through kernels of their own in each engine and on each accelerator: "
    "where one family is left out, the others tell of other kernels",
    **{f"inside, time to first token, {group}": FIRST_TOKEN for group in (
        "B200 SXM (HGX)", "H200 SXM", "mixture of experts", "NVFP4", "closed loop")},
}  # fmt: skip


def by_name(column, table, where, want):
    """A column of ids as names of a table of ``data/``."""
    known = data.rows(table, where, want=want).set_index(want.split()[0])[want.split()[1]]
    return column.map(known)


@finding
def compared():
    """The cases: residual, whether an interval made without their family holds it, and what they are of, in words."""
    cases = held_out.tried()
    models, gpus = sorted(set(cases["model"])), sorted(set(cases["gpu"]))
    return Finding(cases.assign(
        what=cases["quantity"].map(QUANTITIES), vendor=cases["maker"].map(VENDORS), architecture=cases["kind"].map(KINDS),
        loaded=cases["load"].map(LOADS), form=cases["weights"].str.upper(), ratio=np.exp(-cases["residual"]),
        width=np.exp(cases["high"] - cases["low"]), model_name=by_name(cases["model"], "models", {"id": models}, "id name"),
        accelerator=by_name(cases["gpu"], "gpus", {"gpu": gpus, "field": "name"}, "gpu text"),
    ), units={"ratio": "ratio", "width": "ratio", "residual": "1"})


def error(cases):
    """Median error of cases, or of their residuals, as a fraction."""
    residuals = cases["residual"] if isinstance(cases, pd.DataFrame) else cases
    return float(np.expm1(residuals.abs().median()))


def inside(cases):
    """Share of cases inside their interval."""
    return float(cases["inside"].mean())


def within_twofold(cases):
    """Share of cases missed by less than a factor of two."""
    return float((cases["residual"].abs() < np.log(2)).mean())


def width(cases):
    """Median ratio of the high to the low end of their intervals."""
    return float(cases["width"].median())


def resampled(own):
    """Ends of the share inside when the sources of a group are drawn anew; NaN for a single one, of which nobody knows."""
    each = own.groupby("campaign")["inside"].agg(["sum", "size"]).to_numpy()
    if len(each) < 2:
        return np.nan, np.nan
    drawn = each[np.random.default_rng(SEED).integers(len(each), size=(DRAWS, len(each)))].sum(axis=1)
    return tuple(np.quantile(drawn[:, 0] / drawn[:, 1], ENDS))


def judged(own):
    """What a table says of a group of cases."""
    families = own["family"].nunique()
    low, high = resampled(own) if families < FAMILIES else (np.nan, np.nan)
    return pd.Series({
        "cases": len(own), "families": families, "error": error(own), "signed": float(np.expm1(-own["residual"].median())),
        "inside": inside(own), "inside_low": low, "inside_high": high, "width": width(own),
    })  # fmt: skip


JUDGED = dict.fromkeys(("error", "signed", "inside"), "fraction") | {"width": "ratio", "cases": "count", "families": "count"}


def by_group(cases, keys):
    """:func:`judged` of each group."""
    own = ["family", "campaign", "residual", "inside", "width"]
    return cases.groupby(keys)[own].apply(judged).reset_index().astype({"cases": int, "families": int})


@finding
def groups(found):
    """Error, coverage and width by vendor, accelerator, kind of model, number format and load, for each quantity."""
    parts = [by_group(found.table, [column, "what"]).rename(columns={column: "group"}).assign(by=words)
             for column, words in DIMENSIONS.items()]
    return Finding(pd.concat(parts, ignore_index=True)[["by", "group", "what", *JUDGED, "inside_low", "inside_high"]],
                   units=JUDGED)


def of(table, words):
    """The groups of one dimension."""
    return table[table["by"] == words].reset_index(drop=True)


def uncovered(table):
    """Groups of :data:`FEW` cases or more of which fewer than :data:`COVERED` lie inside."""
    return table[(table["cases"] >= FEW) & (table["inside"] < COVERED)]


def rank_correlation(cases):
    """Spearman's rank correlation of predicted and measured."""
    return float(cases[["predicted", "value"]].corr("spearman").iloc[0, 1])


@finding
def targets(found):
    """What the model must reach, what it does where each family of sources is left out, and why it misses what it misses."""
    cases = found.table
    nvidia, amd, routed = cases["maker"] == "nvidia", cases["maker"] == "amd", cases["kind"] == "routed"
    offline = (cases["quantity"] == "rate") & (cases["load"] == "offline")
    token = (cases["quantity"] == "tpot") & (cases["load"] == "closed_loop")
    first, known = cases["quantity"] == "ttft", cases["quantity"] != "ttft"
    off_words, token_words = "offline throughput", "time per token"
    rows = []

    def add(name, own, measure, least=None, most=None, unit="fraction"):
        value = measure(cases[own])
        rows.append({
            "quantity": name, "cases": int(own.sum()), "families": cases.loc[own, "family"].nunique(), "value": value,
            "least": least, "most": most, "reached": number(value, unit), "target": must(least, most, unit),
            "met": (least is None or value >= least) and (most is None or value <= most)})

    for vendor, own, most in (("NVIDIA", nvidia, 0.12), ("AMD", amd, 0.25)):
        add(f"median error of {off_words}, {vendor}", offline & own, error, most=most)
    for vendor, own, most in (("NVIDIA", nvidia, 0.12), ("AMD", amd, 0.17)):
        add(f"median error of {token_words}, {vendor}", token & own, error, most=most)
    for name, own in (("gpt-oss", cases["model"].str.startswith("gpt-oss")),
                      ("DeepSeek", cases["model"].str.startswith("deepseek")),
                      ("mixtures of experts in NVFP4", routed & (cases["weights"] == "nvfp4")),
                      (f"prompts over {LONG:,} tokens", cases["isl"] > LONG)):
        add(f"median error, {name}", known & own, error, most=0.20)
    add("median error of time to first token, static batch", first & (cases["load"] == "static"), error, most=0.15)
    add("within twofold, time to first token, closed loop", first & (cases["load"] == "closed_loop"), within_twofold, least=0.80)
    add(f"rank correlation of {off_words}, NVIDIA", offline & nvidia, rank_correlation, least=0.98, unit="1")
    add(f"rank correlation of {token_words}, NVIDIA", token & nvidia, rank_correlation, least=0.94, unit="1")
    for name, own in (("all cases", first | known), (f"{off_words}, NVIDIA", offline & nvidia)):
        add(f"inside the 80% interval, {name}", own, inside, least=0.75, most=0.85)
    for name, own, most in ((off_words, offline & nvidia, 1.9), (token_words, token & nvidia, 2.0)):
        add(f"high over low end of {name}, NVIDIA", own, width, most=most, unit="ratio")
    every = groups(found).table
    large, few = every[every["cases"] >= FEW], uncovered(every)
    rows.append({"quantity": f"groups of {FEW} cases or more with under {COVERED:.0%} inside", "cases": len(cases),
                 "families": cases["family"].nunique(), "value": len(few), "least": None, "most": 0.0,
                 "reached": f"{len(few)} of {len(large)}", "target": "none", "met": few.empty})
    out = pd.DataFrame(rows)
    out["why"] = [MISSES.get(one.quantity, "") if not one.met else "" for one in out.itertuples()]
    if not few.empty:
        said = few.assign(why=[MISSES.get(miss(one.what, one.group), "") for one in few.itertuples()])
        said = said.groupby(["what", "why"], sort=False)["group"].agg(", ".join)
        out.loc[out.index[-1], "why"] = "; ".join(f"{what} of {names}: {why}" for (what, why), names in said.items())
    return Finding(out, units={"value": "1", "least": "1", "most": "1"})


def must(least, most, unit):
    """A target in words."""
    if least is None:
        return f"≤\u00a0{number(most, unit)}"
    return f"≥\u00a0{number(least, unit)}" if most is None else f"{number(least, unit)} to {number(most, unit)}"


def miss(what, group):
    """Name of a group with too few cases inside, among :data:`MISSES`."""
    return f"inside, {what}, {group}"


def missed(found):
    """Names of all targets that are missed, as :data:`MISSES` has them."""
    goals = targets(found).table
    few = uncovered(groups(found).table)
    single = goals.loc[~goals["met"], "quantity"].iloc[:None if few.empty else -1]  # the last line counts the groups
    return [*single, *(miss(one.what, one.group) for one in few.itertuples())]


@finding
def noise_floor():
    """How much two published measurements of one engine in the same configuration differ, which no model can beat."""
    rows = held_out.table().assign(maker=lambda all_: all_["engine"].str.split(" ").str[0])
    keys = ["maker", "model", "gpu", "weights", "parallelism", "isl", "osl", "concurrency", "metric"]
    pairs = rows.assign(concurrency=rows["concurrency"].fillna(-1)).groupby([*keys, "campaign"])["value"].median()
    pairs = pairs.reset_index()
    both = pairs.merge(pairs, on=keys)
    both = both[both["campaign_x"] < both["campaign_y"]]
    both["difference"] = np.expm1(np.abs(np.log(both["value_x"] / both["value_y"])))
    table = both.groupby(["campaign_x", "campaign_y", "metric"])["difference"].agg(rows="size", median="median")
    table = table[table["rows"] >= held_out.SMALL].reset_index()
    return Finding(table.assign(metric=table["metric"].map(METRICS)), units={"median": "fraction"})


@finding
def left_out():
    """Median error by what no prediction has seen: the family of its source, its accelerator, model, number format or load."""
    parts = {words: held_out.residuals(held_out.stored(by)).groupby(["quantity", "load"])["residual"]
             for by, words in LEFT_OUT.items()}
    table = pd.DataFrame({words: own.agg(error) for words, own in parts.items()})
    table.insert(0, "label", [f"{QUANTITIES[quantity]}, {LOADS[load]}" for quantity, load in table.index])
    table.insert(1, "cases", parts["family"].size())
    return Finding(table[table["cases"] >= FEW].reset_index(drop=True), units=dict.fromkeys(LEFT_OUT.values(), "fraction"))


@finding
def sensitivity():
    """Median error of throughput and of time per token by what of a case the fit has seen; as the page's own first."""
    held = left_out().table.set_index("label")
    rate, token = (held.loc[f"{QUANTITIES[quantity]}, {LOADS[load]}"] for quantity, load in RATED)
    whats = {LEFT_OUT["family"]: "", LEFT_OUT["fitted"]: "Its own measurements"}  # the page leaves out the family of a case
    rows = [{"what": whats.get(words, f"Measurements of its {words}"),
             "to": "in the fit" if words == LEFT_OUT["fitted"] else "left out of the fit",
             "throughput": rate[words], "time_per_token": token[words]} for words in LEFT_OUT.values()]
    return Finding(pd.DataFrame(rows), units={"throughput": "fraction", "time_per_token": "fraction"})


@finding
def summary(found):
    """The sentence that answers the page."""
    cases, goals = found.table, targets(found).table.set_index("quantity")
    off, token = (named(f"model-error-{name}", goals.loc[f"median error of {words}, NVIDIA", "value"], percent, vendor="NVIDIA")
                  for name, words in (("throughput", "offline throughput"), ("tpot", "time per token")))
    return Finding(
        targets(found).table, f"On unseen NVIDIA sources the model misses throughput by {off} and time per token by {token}; "
        f"{covered(cases)} of cases lie inside their intervals.")


def covered(cases):
    """Share of cases inside their interval, as text and named quantity."""
    return named("interval-coverage", inside(cases), percent, gpus=_all(cases, "gpu"), models=_all(cases, "model"))


def _all(cases, column):
    """Which of the measured accelerators or models some cases are of."""
    some, every = set(cases[column]), set(held_out.tried()[column])
    return "all" if some == every else " ".join(sorted(some))


@finding
def line(found):
    """What the page stands on, in one line."""
    cases = found.table
    numbers = {"configurations": len(cases), "accelerators": cases["gpu"].nunique(), "models": cases["model"].nunique(),
               "families of sources": cases["family"].nunique()}
    parts = [f"{named('validation-size', number, '{:,.0f}'.format, of=what)} {what}" for what, number in numbers.items()]
    return Finding(cases, " · ".join([*parts, "each family predicted without it"]))


# Columns of the tables on the page: name -> (heading, unit).
GOAL_COLUMNS = {"quantity": ("What", None), "reached": ("Reached", None), "target": ("Must be", None), "met": ("Met", None),
                "cases": ("Cases", None), "families": ("Families", None)}
MISS_COLUMNS = {"quantity": ("What", None), "reached": ("Reached", None), "why": ("Why", None)}
GROUP_COLUMNS = {"group": ("Group", None), "what": ("Quantity", None), "error": ("Median error", "fraction"),
                 "inside": ("Inside", "fraction"), "width": ("High over low", "ratio"), "cases": ("Cases", None),
                 "families": ("Families", None)}
FLOOR_COLUMNS = {"campaign_x": ("Source and engine", None), "campaign_y": ("And", None), "metric": ("Quantity", None),
                 "rows": ("Pairs", None), "median": ("Median difference", "fraction")}
METRICS = {"output_tok_s": "throughput", "total_tok_s": "throughput", "e2e_ms": "time of a batch",
           "ttft_ms": "time to first token", "tpot_ms": "time per token"}
# What a prediction has not seen, and the heading of its column.
LEFT_OUT = {"fitted": "nothing", "family": "family", "model": "model", "gpu": "accelerator", "arithmetic": "number format",
            "workload": "load"}
RATED = (("rate", "offline"), ("tpot", "closed_loop"))  # what the head speaks of
LEFT_OUT_COLUMNS = {"label": ("Quantity", None)} | {
    name: (name[0].upper() + name[1:], "fraction") for name in LEFT_OUT.values()}

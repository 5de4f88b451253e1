"""What the draws say: how often each choice is the cheapest and at which cost, what drives it, what waiting is worth."""

import numpy as np
import pandas as pd

from tokenecon import data, queries
from tokenecon.decision import choice_words, montecarlo
from tokenecon.finding import Finding, finding, named
from tokenecon.formulas import uncertainty
from tokenecon.formulas.uncertainty import NORMAL_P90

CHEAPEST_COLUMNS = {
    "name": ("Choice", None), "probability": ("Cheapest with probability", "fraction"),
    "probability_error": ("± of the probability", "fraction"),
    "probability_marginal": ("Where a team exists", "fraction"),
    "usd_per_mtok": ("Median cost, and 10th to 90th percentile", "USD/Mtok"),
    "usd_per_mtok_error": ("± of the median", "USD/Mtok"), "usd_per_mtok_low_error": ("± of the 10th", "USD/Mtok"),
    "usd_per_mtok_high_error": ("± of the 90th", "USD/Mtok"), "regret": ("Costs more than the best by, on average", "USD/Mtok"),
}  # fmt: skip
KIND_COLUMNS = {
    "group": ("Kind", None), "probability": ("Cheapest with probability", "fraction"),
    "probability_error": ("± of the probability", "fraction"), "probability_marginal": ("Where a team exists", "fraction"),
    "name": ("Its surest choice", None), "regret": ("That costs more than the best by, on average", "USD/Mtok"),
}  # fmt: skip
TORNADO_COLUMNS = {
    "name": ("What moves", None), "from": ("Down to", None), "gap_at_low": ("Lead there", "USD/Mtok"),
    "winner_at_low": ("Cheapest there", None), "to": ("Up to", None), "gap_at_high": ("Lead up there", "USD/Mtok"),
    "winner_at_high": ("Cheapest up there", None),
}  # fmt: skip
WAITING_COLUMNS = {
    "name": ("Plan", None), "usd_per_mtok": ("Median cost, and 10th to 90th percentile", "USD/Mtok"),
    "usd_per_mtok_error": ("± of the median", "USD/Mtok"), "saves": ("Saves against buying now, on average", "USD/Mtok"),
    "saves_error": ("± of the saving", "USD/Mtok"), "probability": ("Cheaper than buying now", "fraction"),
    "probability_error": ("± of the share", "fraction"),
}  # fmt: skip
INPUT_COLUMNS = {"name": ("Input", None), "unit": ("Unit", None), "low": ("10th percentile", "1"), "middle": ("Median", "1"),
                 "high": ("90th percentile", "1"), "note": ("Where from", None)}  # fmt: skip
LINES = 200  # points of a distribution in the figure
CURVES = 6  # choices in it, by their median
CENT = 0.01  # USD
SHORT = {
    "demand": "demand", "growth": "growth", "efficiency": "speed", "rent_price": "the rent agreed",
    "purchase_price": "the purchase price agreed", "api_price": "the API price agreed", "power_price": "electricity",
    "ops_overhead": "tools and tests", "residual": "resale", "rent_decline": "the path of rents",
    "api_decline": "the path of API prices", "people": "how many people run it", "availability": "failures",
}  # fmt: skip
# a decline that moves is said by where it leads
AFTER_A_YEAR = {"rent_decline": "Rents and machines after a year", "api_decline": "API prices after a year"}
SHOWN = (0.005, 0.97)  # percentiles between which a distribution is drawn


def quantiles(values):
    """10th, 50th and 90th percentile of a column, and their standard errors from the draws beside them."""
    size = len(values)
    ranks = []
    for q in montecarlo.QUANTILES:
        off = np.sqrt(q * (1 - q) * size)  # standard deviation of how many draws lie below a percentile
        ranks += [np.clip(round(place), 0, size - 1) for place in (q * size - off, q * size, q * size + off)]
    ordered = np.partition(values, sorted(set(map(int, ranks))))
    found = [ordered[int(rank)] for rank in ranks]
    return [(found[place + 1], (found[place + 2] - found[place]) / 2) for place in range(0, len(found), 3)]


def _three(values):
    (low, low_error), (mid, mid_error), (high, high_error) = quantiles(values)
    return {"usd_per_mtok": mid, "usd_per_mtok_low": low, "usd_per_mtok_high": high, "usd_per_mtok_error": mid_error,
            "usd_per_mtok_low_error": low_error, "usd_per_mtok_high_error": high_error}


def _share(hits, draws):
    share = float(np.count_nonzero(hits)) / draws
    return {"probability": share, "probability_error": float(uncertainty.share_error(share=share, draws=draws))}


def marginal(case, done):
    """Costs of all draws where a team exists: without people. [USD/Mtok]"""
    values = montecarlo.drawn(done)
    paid = [montecarlo.positions(case, option, values) * done.position for option in done.options]
    return done.costs - np.column_stack([one + 0.0 * done.position for one in paid])


@finding
def cheapest(case, done):
    """Each choice with the share of draws in which it is the cheapest, and its cost over the years, with standard errors."""
    queries.ask(*done.queries)
    winner, least = done.costs.argmin(axis=1), done.costs.min(axis=1)
    without = marginal(case, done).argmin(axis=1)
    rows = [{"name": option["name"], "choice": option["choice"], "kind": option["kind"], "gpu": option["gpu"],
             "group": option["group"], **_share(winner == place, done.draws),
             "probability_marginal": float((without == place).mean()), **_three(done.costs[:, place]),
             "usd_per_mtok_mean": float(done.costs[:, place].mean()),
             "usd_per_mtok_median_inputs": option["middle"], "regret": float((done.costs[:, place] - least).mean())}
            for place, option in enumerate(done.options)]
    table = pd.DataFrame(rows).sort_values("probability", ascending=False, kind="stable", ignore_index=True)
    table["share_text"] = [f"{share:.1%} ± {error:.1%}" for share, error in
                           zip(table["probability"], table["probability_error"], strict=True)]
    by_group = table.groupby("group", sort=False)["probability"].sum().sort_values(ascending=False)
    safest = table.loc[table["regret"].idxmin()]
    return Finding(table, _shares_words(case, by_group) if len(table) > 1 else (
        f"Over {_years(case)}, {choice_words.doing(case, table['kind'][0], table['gpu'][0])} is all that can be had"), (
        f"{done.draws:,} draws, seed {done.seed}; cost: present value of {_years(case)} over that of their tokens, with people. "
        "± is one standard error of the draws. One draw moves all choices alike: where rents rise, each way to rent does. "
        "Sellers are chosen by the price rule before. Where a team exists: people at no cost."
        + (f" Left out, as they bind for longer: {', '.join(done.left)}." if done.left else "")),
        units={"usd_per_mtok_median_inputs": "USD/Mtok", "usd_per_mtok_mean": "USD/Mtok", "regret": "USD/Mtok",
               "probability_marginal": "fraction"},
        draws=done.draws, seed=done.seed, by_group=by_group.to_dict(), safest=safest["name"])


def _shares_words(case, by_group):
    """Shares of the kinds in a sentence: the largest, and the next where there is one."""
    (first, most), *others = by_group.items()
    text = (f"Over {choice_words.said_years(case)}, {choice_words.DOING[first]} is cheapest in "
            f"{choice_words.said_share(case, most, first)} of simulated futures")
    more = next(((group, share) for group, share in others if share > 0), None)
    return text if more is None else f"{text}, {choice_words.DOING[more[0]]} in {choice_words.said_share(case, more[1], more[0])}"


@finding
def kinds(case, done):
    """The kinds of choice, what each binds one to kept apart: how often each is the cheapest, and its surest choice."""
    found = cheapest(case, done)
    table, rows = found.table, []
    for group, part in table.groupby("group", sort=False):
        surest = part.loc[part["regret"].idxmin()]
        share = float(part["probability"].sum())
        rows.append({"group": group, "probability": share, "probability_marginal": float(part["probability_marginal"].sum()),
                     "probability_error": float(uncertainty.share_error(share=share, draws=done.draws)),
                     "name": surest["name"], "regret": surest["regret"]})
    ranked = pd.DataFrame(rows).sort_values("probability", ascending=False, kind="stable", ignore_index=True)
    ranked["share_text"] = [f"{share:.1%} ± {error:.1%}" for share, error in
                            zip(ranked["probability"], ranked["probability_error"], strict=True)]
    return Finding(ranked, found.sentence, found.note, units={
        "probability": "fraction", "probability_error": "fraction", "probability_marginal": "fraction", "regret": "USD/Mtok"})


def _years(case):
    return choice_words.years(case.years)


@finding
def distribution(case, done):
    """How the cost of the cheapest choices spreads: share of the draws below a cost, over one range of costs for all."""
    queries.ask(*done.queries)
    ranked = np.argsort(np.median(done.costs, axis=0), kind="stable")[:CURVES]
    columns, chosen = done.costs.T[ranked], [done.options[place] for place in ranked]
    low = min(np.quantile(column, SHOWN[0]) for column in columns)
    high = max(np.quantile(column, SHOWN[1]) for column in columns)
    grid = np.geomspace(low, high, LINES)
    table = pd.concat([pd.DataFrame({"usd_per_mtok": grid, "choice": option["name"],
                                     "share_below": np.searchsorted(np.sort(column), grid) / done.draws})
                       for column, option in zip(columns, chosen, strict=True)], ignore_index=True)
    spans = sorted((float(np.subtract(*np.log(np.quantile(column, (0.9, 0.1))))), option["name"])
                   for column, option in zip(columns, chosen, strict=True))
    kinds_of = {option["name"]: option for option in done.options}
    factor = named("spread-of-draws", np.exp(spans[0][0]), "{:.1f}".format,
                   **choice_words.case_of(case, kinds_of[spans[0][1]]["kind"], kinds_of[spans[0][1]]["gpu"]))
    words = [choice_words.doing(case, kinds_of[name]["kind"], kinds_of[name]["gpu"]) for _, name in (spans[0], spans[-1])]
    return Finding(table, (
        f"The cost of {words[0]} is the surest: four of five simulated futures lie within a factor of {factor}")
                   if len(spans) > 1 else f"Four of five simulated futures lie within a factor of {factor}",
        units={"share_below": "fraction"}, factor=float(np.exp(spans[0][0])))


# --- what drives it --------------------------------------------------------------------------------


@finding
def tornado(case, done):
    """The lead of the cheapest choice at all medians over its rival when one input moves and the others stay.

    The rival is, of the other kinds, the choice that is most often the cheapest in the draws.

    ``gap_at_low`` and ``gap_at_high``: lead in USD/Mtok with the input at its 10th and 90th percentile; below 0 the other wins.
    """
    queries.ask(*done.queries)
    names = list(montecarlo.INPUTS)
    size = 1 + 2 * len(names)
    z = {name: np.zeros(size) for name in names}
    for place, name in enumerate(names):
        z[name][1 + 2 * place], z[name][2 + 2 * place] = -NORMAL_P90, NORMAL_P90
    values = montecarlo.input_draws(done.inputs, z)
    costs = np.column_stack([montecarlo.levelised(case, option, values, z, done.inputs) for option in done.options])
    leader = int(costs[0].argmin())
    others = [place for place, option in enumerate(done.options) if option["group"] != done.options[leader]["group"]]
    wins = np.bincount(done.costs.argmin(axis=1), minlength=len(done.options))
    rival = max(others, key=lambda place: (wins[place], -costs[0, place])) if others else None
    gap = costs[:, rival] - costs[:, leader] if others else costs[:, leader]
    rows = []
    for place, name in enumerate(names):
        low, high = 1 + 2 * place, 2 + 2 * place
        ends = _ends(done, name, leader, rival)
        if gap[low] == gap[high]:
            continue  # nothing that is compared depends on it
        rows.append({"input": name, "name": AFTER_A_YEAR.get(name, done.inputs.loc[name, "name"]),
                     "from": ends[0], "to": ends[1], "gap": gap[0],
                     "gap_at_high_low": min(gap[low], gap[0], gap[high]), "gap_at_high_high": max(gap[low], gap[0], gap[high]),
                     "gap_at_low": gap[low], "gap_at_high": gap[high], "width": abs(gap[high] - gap[low]),
                     "winner_at_low": done.options[int(costs[low].argmin())]["name"],
                     "winner_at_high": done.options[int(costs[high].argmin())]["name"]})
    table = pd.DataFrame(rows, columns=None if rows else list(TORNADO_COLUMNS))
    if rows:
        table = table.sort_values("width", ascending=False, kind="stable", ignore_index=True)
    first, other = done.options[leader]["name"], done.options[rival]["name"] if others else None
    said = [None if place is None else choice_words.doing(case, done.options[place]["kind"], done.options[place]["gpu"])
            for place in (leader, rival)]
    return Finding(table, _driver_words(case, table, *said, other),
                   "One input between its 10th and its 90th percentile, the dot; all others at their medians.",
                   units=dict.fromkeys(("gap", "gap_at_low", "gap_at_high", "gap_at_high_low", "gap_at_high_high", "width"),
                                       "USD/Mtok"), leader=first, rival=other, gap=float(gap[0]))


def _ends(done, name, leader, rival):
    """Both percentiles of an input as text; of a price or speed the leader's, or else its rival's."""
    row = done.inputs.loc[name]
    if row["low"] == row["low"]:
        return tuple(_formatted(row[end], row["unit"]) for end in ("low", "high"))
    for place in (leader, rival):
        option = done.options[place] if place is not None else {}
        held = option.get("speed") if name == "efficiency" else None
        if held:
            return tuple(_formatted(held[end] / held[1], "ratio") for end in (0, 2))
    return "", ""


def _formatted(value, unit):
    if unit == "count":
        return f"{value:.2g}"
    if unit == "1/yr":  # a decline
        return f"{abs(value):.0%} " + ("lower" if value > 0 else "higher")
    return f"{value:.2f}×" if unit == "ratio" else f"{value:.0%}"


def _driver_words(case, table, leader, rival, name):
    if table.empty:
        return "No input has a range, so nothing moves the result"
    first = SHORT[table.iloc[0]["input"]]
    if rival is None:
        return f"The cost of {leader} depends most on {first}"
    flips = int(table[["winner_at_low", "winner_at_high"]].eq(name).any(axis=1).sum())
    of = choice_words.case_of(case)
    turned = (f"{named('inputs-that-turn', flips, str, **of)} of {named('inputs-that-move', len(table), str, **of)} inputs alone "
              "can make") if flips else "no input alone makes"
    return f"The choice depends most on {first}; {turned} {rival} cheaper"


# --- waiting ---------------------------------------------------------------------------------------


@finding
def waiting(case, done):
    """Buy now, or in a year: cost over the same years, and what waiting saves."""
    queries.ask(*done.queries)
    if done.waiting is None:
        table = pd.DataFrame(columns=list(WAITING_COLUMNS))
        why = ("a horizon of one year leaves nothing to buy after it" if case.years < 2 else
               "nothing can be bought" if done.owner is None else
               "nothing can serve in the meantime without a longer contract")
        return Finding(table, f"Waiting has no value to compute: {why}")
    now = done.waiting[:, 0]
    rows = []
    for place, plan in enumerate(montecarlo.PLANS):
        saved = now - done.waiting[:, place]
        rows.append({"name": plan, **_three(done.waiting[:, place]), "saves": float(saved.mean()),
                     **{f"saves_{end}": float(np.quantile(saved, at)) for end, at in (("low", 0.1), ("high", 0.9))},
                     "saves_error": float(saved.std(ddof=1) / np.sqrt(done.draws)), **_share(saved > 0, done.draws)})
    table = pd.DataFrame(rows)
    later, chosen = rows[1], rows[2]
    kind, gpu = done.bridge["kind"], done.bridge["gpu"]
    bridge = f"at {choice_words.seller(case)}" if kind == "api" else f"by {choice_words.doing(case, kind, gpu)}"
    return Finding(
        table, f"Against buying now, waiting a year {bridge} {'saves' if later['saves'] > 0 else 'costs'} "
        f"{_saved(case, later)} a million tokens; deciding only then "
        f"{'saves up to' if chosen['saves'] > CENT else 'saves' if chosen['saves'] > 0 else 'costs'} {_saved(case, chosen)}",
        "To decide in a year: buy then only in the draws in which that is cheaper for the years left; it knows how they go on, "
        f"so its value is an upper end. Bought: {done.owner['name']}. Mean over the draws.", bridge=done.bridge["name"])


def _saved(case, row):
    if abs(row["saves"]) < CENT:
        return "next to nothing"
    low, high = sorted(np.sign(row["saves"]) * row[f"saves_{end}"] for end in ("low", "high"))
    return named("saving-by-waiting", abs(row["saves"]), lambda usd: f"{'−' if usd < 0 else ''}${abs(usd):.2f}",
                 low=low, high=high, plan=row["name"], **choice_words.case_of(case))


@finding
def assumptions(done):
    """The inputs with their percentiles, for the page and the command."""
    queries.ask(*done.queries)
    table = done.inputs.reset_index()
    rows = {name: row for name, (_, _, row) in montecarlo.INPUTS.items()}
    table["note"] = [data.assumption(rows[name])["note"] if rows[name] else
                     "agreed with the seller that the price rule names" if rows[name] is None else
                     "the model's interval of each GPU" for name in table["input"]]
    return Finding(table)

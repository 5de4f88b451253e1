"""What one choice costs: the bill of a month line by line, and a million tokens of each kind, with ranges.

One arithmetic for ``tokenecon cost`` and for the page in the reader's browser: floats in plain dicts, nothing here reads data.
A ``case`` has the workload and the terms as attributes, a ``row`` what one replica serves, a ``price`` low, typical and high of
an hour of a GPU.  Every line is in USD a month, and the lines add up to the bill.
"""

from tokenecon import units
from tokenecon.fleet import shapes
from tokenecon.formulas import money
from tokenecon.ownership import hour_parts

TOKENS = ("input", "cached", "output")
COSTS = {"input": "usd_per_mtok_in", "cached": "usd_per_mtok_cached", "output": "usd_per_mtok_out"}
ENDS, PLACES = ("_low", "", "_high"), ("low", "typical", "high")
NO_NUMBER = float("nan")
# kind of an hour -> (choice it belongs to, words, how the fleet follows the load)
KINDS = {
    "own": ("own", "own", "fixed"),
    "on_demand": ("rent", "on demand", "autoscale"),
    "spot": ("rent", "spot", "autoscale"),
    "marketplace": ("rent", "marketplace", "autoscale"),
    "reserved_3m": ("rent", "3-month reservation", "fixed"),
    "committed_1y": ("rent", "1-year commitment", "fixed"),
    "committed_3y": ("rent", "3-year commitment", "fixed"),
    "rental_3y": ("rent", "3-year contract", "fixed"),  # of the reader's own facts: ours are estimates
    "api": ("api", "API", ""),
}  # fmt: skip
KEPT = 1  # replicas that never stop: the first request of the night must not wait for a start
LINES = {
    "machines": "Machines that work", "idle": "Machines that wait", "spare": "Spare machines", "power": "Power",
    "support": "Repairs, hall and hands", "tools": "Tools and tests", "people": "People", "tokens": "Tokens of the API",
}  # fmt: skip
MACHINES = ("machines", "idle", "spare", "power", "support")  # what tools and tests are a share of


# --- the workload ----------------------------------------------------------------------------------


def tok_per_request(case):
    """Input, with what the cache holds, and output. [tok/request]"""
    return case.isl + case.osl


def tokens(case):
    """Tokens of a request by kind."""
    held = case.isl * case.cached_prefix
    return {"input": case.isl - held, "cached": held, "output": case.osl}


def rate(requests_per_day):
    """Requests a second of a day's requests."""
    return requests_per_day / units.SECONDS_PER_DAY


def mtok_per_month(case, requests_per_day=None):
    """Tokens of a month of all kinds, of the case or with other requests a day. [Mtok]"""
    day = case.requests_per_day if requests_per_day is None else requests_per_day
    per_day = day * units.convert(tok_per_request(case), "tok", "Mtok")
    return per_day * units.DAYS_PER_YEAR / units.MONTHS_PER_YEAR


def per_mtok(case, usd_per_gpu_hour, n_gpus, requests_per_s):
    """Cost of a million tokens where so many GPUs are paid for so many requests. [USD/Mtok]"""
    return money.usd_per_mtok(usd_per_gpu_hour=usd_per_gpu_hour, n_gpus=n_gpus,
                              tok_per_s=requests_per_s * tok_per_request(case), utilisation=1.0)


# --- the bill --------------------------------------------------------------------------------------


def people_usd_per_month(case, kind):
    """People of a choice: who serve, or who look after an API. [USD/month]"""
    return (case.api_people if kind == "api" else case.people) * case.usd_per_person_year / units.MONTHS_PER_YEAR


def of_machines(case, *, n_gpus, utilisation, spare_share, hour):
    """Lines of a month of machines; ``hour`` has what an hour of a GPU costs, by the parts of :func:`parts_of_hour`."""
    month = {part: money.usd_per_month_of_gpus(usd_per_gpu_hour=usd, n_gpus=n_gpus) for part, usd in hour.items()}
    working = min(utilisation, 1.0)
    spare = min(spare_share, 1.0 - working)
    lines = {"machines": month["machines"] * working, "spare": month["machines"] * spare,
             "idle": month["machines"] * (1.0 - working - spare), "power": month["power"], "support": month["support"]}
    lines["tools"] = case.ops_overhead * sum(lines[line] for line in MACHINES)
    return lines | {"people": people_usd_per_month(case, ""), "tokens": 0.0}


def of_api(case, usd_per_month):
    """Lines of a month of an API."""
    return dict.fromkeys(LINES, 0.0) | {"tokens": usd_per_month, "people": people_usd_per_month(case, "api")}


def parts_of_hour(usd_per_gpu_hour, owned=None):
    """An hour of a GPU as machine, power and support: all machine where it is rented. [USD/GPU/h]"""
    if owned is None:
        return {"machines": usd_per_gpu_hour, "power": 0.0, "support": 0.0}
    parts = hour_parts.parts(**owned)
    return {"machines": sum(parts[name] for name in hour_parts.CAPITAL), "power": parts["power"],
            "support": sum(parts[name] for name in hour_parts.SUPPORT)}


def bound(case, kind, n_gpus, usd_per_gpu_hour, owned=None, months=0.0):
    """What is paid whatever comes: capital in machines, and a contract of so many months; zero where one may leave. [USD]"""
    if kind == "own":
        capital = hour_parts.purchase_usd_per_gpu(**owned) * n_gpus / owned["availability"]
        return {"capital_usd": capital, "commitment_usd": capital, "commitment_months": case.years * units.MONTHS_PER_YEAR}
    return {"capital_usd": 0.0, "commitment_months": float(months),
            "commitment_usd": months * money.usd_per_month_of_gpus(usd_per_gpu_hour=usd_per_gpu_hour, n_gpus=n_gpus)}


def billed(case, lines):
    """The lines of a bill as columns of a row, and the bill where a team exists already."""
    marginal = sum(usd for line, usd in lines.items() if line != "people")
    return {f"usd_per_month_{line}": usd for line, usd in lines.items()} | {
        "usd_per_month_marginal": marginal, "usd_per_mtok_marginal": marginal / mtok_per_month(case)}


# --- a choice --------------------------------------------------------------------------------------


def server(row, min_gpus):
    """Replicas that one server of a size holds, and GPUs that one unit takes: a large replica takes several servers."""
    return max(1, min_gpus // row["n_gpus"]), -(-row["n_gpus"] // min_gpus) * min_gpus


def by_server(row, min_gpus):
    """What changes of a row where GPUs come by the server: nothing where a replica fills it."""
    held, gpus = server(row, min_gpus)
    if gpus == row["n_gpus"]:
        return {}
    return {f"requests_per_s{end}": held * row[f"requests_per_s{end}"] for end in ENDS} | {
        "n_gpus": gpus, "concurrency": held * row["concurrency"]}


def machines(case, row, plan, price, shares, kind, owned=None):
    """Cost of serving on machines, rented or owned: GPUs paid, the bill, what is bound, tokens by kind.

    ``plan`` has the replicas ``paid`` at the fast, expected and slow end of the model, their ``utilisation`` and ``spare_share``;
    ``shares`` the share of a replica's time that each kind of token causes; ``owned`` the inputs of an owned hour.
    """
    gpus = row["n_gpus"] * plan["paid"][1]
    lines = of_machines(case, n_gpus=gpus, utilisation=plan["utilisation"], spare_share=plan["spare_share"],
                        hour=parts_of_hour(price["typical"], owned))
    out = {"gpu": row["gpu"], "n_gpus": row["n_gpus"], "gpus": gpus, "unit_gpus": row.get("unit_gpus", 1),
           "concurrency": row["concurrency"], "replicas": plan["paid"][1], "utilisation": plan["utilisation"]}
    out.update(billed(case, lines))
    out.update(bound(case, kind, gpus, price["typical"], owned, price["term_months"]))
    out.update({f"requests_per_s{end}": row[f"requests_per_s{end}"] for end in ENDS})
    share = tokens(case)
    for place in range(len(ENDS)):
        end, usd = ENDS[place], price[PLACES[place]] * (1 + case.ops_overhead)
        n_gpus = row["n_gpus"] * plan["paid"][place]
        fast = row["requests_per_s" + ENDS[-1 - place]]  # the fast end makes the cheap token
        out[f"usd_per_gpu_hour{end}"] = price[PLACES[place]]
        out[f"usd_per_month{end}"] = money.usd_per_month_of_gpus(usd_per_gpu_hour=usd, n_gpus=n_gpus) + lines["people"]
        out[f"usd_per_mtok{end}"] = out[f"usd_per_month{end}"] / mtok_per_month(case)
        out[f"usd_per_mtok_used{end}"] = per_mtok(case, usd, row["n_gpus"], fast)  # of a replica that is always full
        for kind_of_token, column in COSTS.items():
            out[column + end] = money.usd_per_mtok_of_kind(
                usd_per_mtok=out[f"usd_per_mtok{end}"], time_share=shares[kind_of_token],
                tok_share=share[kind_of_token] / tok_per_request(case)) if share[kind_of_token] else NO_NUMBER
    return out


def api(case, price):
    """Cost of calling an API at its prices by kind of token and their blend, each (low, typical, high)."""
    month, share = mtok_per_month(case), tokens(case)
    lines = of_api(case, price["blend"][1] * month)
    out = {"seller": price["sellers"][1], "gpus": 0.0, "capital_usd": 0.0, "commitment_usd": 0.0, "commitment_months": 0.0}
    out.update(billed(case, lines))
    for place in range(len(ENDS)):
        end, blend = ENDS[place], price["blend"][place]
        out[f"usd_per_mtok_used{end}"] = blend
        out[f"usd_per_month{end}"] = blend * month + lines["people"]
        out[f"usd_per_mtok{end}"] = out[f"usd_per_month{end}"] / month
        for kind, column in COSTS.items():
            with_people = out[f"usd_per_mtok{end}"] / blend
            out[column + end] = price[kind][place] * with_people if share[kind] else NO_NUMBER
    return out


# --- tokens of an API ------------------------------------------------------------------------------


def blend(case, prices):
    """A million tokens of the case's mix; who gives no discount on what the cache holds asks for the whole price. [USD/Mtok]"""
    share = tokens(case)
    cached = prices["input"] if prices["cached"] is None or prices["cached"] != prices["cached"] else prices["cached"]
    full = {"input": prices["input"], "cached": cached, "output": prices["output"]}
    return full | {"blend": sum(share[kind] * full[kind] for kind in TOKENS) / tok_per_request(case)}


def chosen(case, offers, *, best, percentiles):
    """Whole price lists of the sellers at some percentiles of the blend: prices by kind, sellers, and the middle one's offers.

    ``offers`` are dicts of provider, input, cached, output.  A seller counts once, with the median of its offers in each kind;
    ``best`` takes the cheapest offer alone.
    """
    if best:
        lists = [(blend(case, one), one["provider"]) for one in offers]
        low = min(each["blend"] for each, _ in lists)
        lists = [next(pair for pair in lists if pair[0]["blend"] == low)]
    else:
        lists = []
        for provider in sorted({one["provider"] for one in offers}):
            own = [one for one in offers if one["provider"] == provider]
            lists.append((blend(case, {kind: _middle([one[kind] for one in own]) for kind in TOKENS}), provider))
        lists = sorted(lists, key=lambda pair: (pair[0]["blend"], pair[1]))
    picked = [lists[_place(len(lists), share)] for share in percentiles]
    found = {kind: tuple([prices[kind] for prices, _ in picked]) for kind in TOKENS + ("blend",)}
    return found | {"sellers": tuple([provider for _, provider in picked])}


def _place(size, share):
    """Place of a percentile among sorted values: of the least that so large a share does not exceed."""
    return max(0, -int(-share * size // 1) - 1)


def _middle(values):
    """The median of what is known, or None."""
    known = [one for one in values if one is not None and one == one]
    return shapes.middle(known) if known else None

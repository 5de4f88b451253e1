"""What the calculator in the page reads: records, coefficients and prices of a day as plain dicts, made while the book is built.

It starts from the base case of the book; everything that the page does not ask is as there.
"""

import contextlib

from tokenecon import __version__, data
from tokenecon.calculator import choice
from tokenecon.decision import bill, scenario, scenario_prices
from tokenecon.errors import CannotServe, NoInput, NoPrice
from tokenecon.fleet import traffic
from tokenecon.numbers import jsonable
from tokenecon.prices import api_terms, gpu_prices, price_book
from tokenecon.serving import intervals, lookups, operands
from tokenecon.serving.calibration import support
from tokenecon_book.documents import base

DIGITS = 12
FORMATS = ("bf16", "fp8", "int4")  # of weights that are tried
# parameters of the page that have an assumption behind them, whose other ends are tried: what would change a bill most
ENDS = {"people": "people.serving", "spare_replicas": "service.spare", "usd_per_kwh": "power.price", "ttft_ms": "service.ttft",
        "tpot_ms": "service.tpot"}  # fmt: skip
SUMS = ("low", "typical", "high")  # of an owned hour
LEAST = 1.0  # tokens of a request: offers of any context
ASKED = ("model", "weights", "kv", "gpus", "n_gpus", "isl", "osl", "cached_prefix", "requests_per_day", "ttft_ms", "tpot_ms",
         "price_rule", "as_of", "people", "spare_replicas", "usd_per_kwh")  # fmt: skip
KEPT = ("api_people", "usd_per_person_year", "ops_overhead", "wait_probability", "discount_rate", "years")
QUARTERS = ("03-31", "06-30", "09-30", "12-31")  # ends of them: earlier days that a reader may choose
SELLERS = 5  # of an hour of the base case's first GPU: fewer make no median
QUANTITIES = {"rate": "tokens a second", "ttft": "time to the first token", "tpot": "time per token"}


def facts(day=None):
    """Everything but prices."""
    case = scenario.load(base.NAME)
    start = {name: getattr(case, name) for name in ASKED} | {
        "profile": scenario.field(base.NAME, "traffic.profile"), "peak_to_mean": None, "usd_per_gpu_hour": None}
    models = {model: _model(model) for model in data.ids("models") if _served(model)}
    gpus = {gpu: _gpu(gpu) for gpu in data.ids("gpus") if _serving(gpu)}
    return jsonable({
        "version": __version__, "scenario": base.NAME, "days": days(case), "start": start,
        "defaults": {name: getattr(case, name) for name in KEPT},
        "models": models, "model_ids": sorted(models, key=lambda one: models[one]["name"].lower()),
        "gpus": gpus, "gpu_ids": sorted(gpus, key=lambda one: gpus[one]["name"].lower()),
        "precisions": {one: _plain(data.precision(one)) for one in data.ids("precisions")},
        "new_caches": [one for one in operands.CACHES if "kv" in support.unmeasured(case.model, case.gpus[0], "fp8", one)[0]],
        "coefficients": lookups.coefficients(), "widths": rounded(lookups.widths()), "errors": _errors(),
        "profiles": {name: _profile(name) for name in traffic.NAMES}, "profile_ids": list(traffic.NAMES),
        "pools": rounded(traffic.pools()), "start_h": data.value("spot.restart"), "term_months": gpu_prices.TERM_MONTHS,
        "ends": {name: [float(data.row("assumptions", one)[end]) for end in ("low", "high")] for name, one in ENDS.items()},
        "formats": list(FORMATS),
        "no_spot": "the work must not be interrupted",
    })


def days(case):
    """The day of the case, and earlier ends of quarters whose prices answer it, too: its model sold, its machines by several."""
    first = data.extreme("api_prices", "as_of", "min")
    ends = [f"{year}-{end}" for year in range(int(first[:4]), int(case.as_of[:4]) + 1) for end in QUARTERS]
    return [case.as_of, *(day for day in reversed(ends) if first <= day < case.as_of and _answers(case, day))]


def _answers(case, day):
    with contextlib.suppress(NoPrice):
        price_book.token_price(case.model, day)
        return gpu_prices.price_range(case.gpus[0], "on_demand", day)["sellers"] >= SELLERS
    return False


def rounded(value):
    """Logarithms and powers to so many digits that every machine writes the same; prices stay as they are."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def prices(day):
    """Prices of a day by every rule: of hours rented, of hours owned, and of tokens."""
    cases = {rule: scenario.overridden(base.NAME, {"as_of": day, "price_rule": rule}) for rule in gpu_prices.PRICE_RULES}
    gpus = [gpu for gpu in data.ids("gpus") if _serving(gpu)]
    rented = [kind for kind, (of, _, _) in choice.KINDS.items() if of == "rent" and kind != "spot"]
    too_old = {(gpu, kind): _too_old(day, gpu, kind) for gpu in gpus for kind in rented}
    rents = {rule: {gpu: {kind: too_old[gpu, kind] or _rents(case, gpu, kind) for kind in rented} for gpu in gpus}
             for rule, case in cases.items()}
    api = {model: offers for model in data.ids("models") if _served(model) and (offers := _offers(model, day))}
    return jsonable({"day": day, "rents": rents, "owned": {gpu: _owned(cases["typical"], gpu) for gpu in gpus}, "api": api})


def _served(model):
    with contextlib.suppress(CannotServe):
        return bool(lookups.model_numbers(model))
    return False


def _serving(gpu):
    with contextlib.suppress(CannotServe):
        return bool(lookups.gpu_numbers(gpu))
    return False


def _plain(row):
    return jsonable(dict(row))


def _model(model):
    row = data.model(model)
    weights, kv = lookups.published(model)
    return {"name": row["name"], "record": {name: value for name, value in _plain(row).items() if name not in ("id", "name")},
            "routed": row["kind"] == "moe", "weights": weights, "kv": kv,
            "new": "model '" in support.unmeasured(model, scenario.field(base.NAME, "gpus.0"), "fp8", "fp8")[0]}


def _gpu(gpu):
    row = data.gpu(gpu)
    known = scenario.field(base.NAME, "model")
    return {"name": row["name"], "record": _plain(row) | {"gpu": gpu}, "server_gpus": lookups.server_gpus(gpu),
            "unit_gpus": bill.unit_gpus(gpu), "new": "gpu '" in support.unmeasured(known, gpu, "fp8", "fp8")[0],
            "new_weights": [form for form in operands.WEIGHTS if "weights '" in support.unmeasured(known, gpu, form, "fp8")[0]]}


def _profile(name):
    trace = name in traffic.HOURLY
    return {"hours": rounded([float(one) for one in traffic.profile(name)["ratio"]]), "label": traffic.LABELS[name],
            "mean_rate": traffic.fact(name, "mean_rate") if trace else None}


def _errors():
    """Of each group that was measured: how far measured values lay from predictions, and of how many rows."""
    table = data.rows("calibration", {"kind": "interval"}).set_index("id")
    found = {}
    for quantity in QUANTITIES:
        for kind in intervals.KINDS:
            for maker in intervals.MAKERS:
                row = table.loc[intervals.name(intervals.WITHIN, quantity, "closed_loop", kind, maker)]
                found[f"{quantity}.{kind}.{maker}"] = [float(row["low"]), float(row["high"]), int(row["rows"])]
    return found


def _too_old(day, gpu, kind):
    """The reason, in few words, where no price of a kind of hour is new enough on a day."""
    days = gpu_prices.PRICE_MAX_AGE_DAYS[kind]
    known = data.rows("prices", {"gpu": gpu, "kind": kind, "as_of<=": day}, want="last_seen")["last_seen"]
    if known.empty or gpu_prices.age_days({"date": day, "as_of": known.max()}) > days:
        return {"reason": f"no price seen within {days} days before {day}"}
    return {}


def _rents(case, gpu, kind):
    """Prices of a kind of hour to choose from, each once, or a reason in few words."""
    found, why = [], ""
    for most in scenario_prices.servers(case, gpu, kind):
        try:
            price = _dated(case, scenario_prices.rent(case, gpu, kind, most))
        except NoPrice as error:
            why = why or str(error).partition(":")[0].replace(f" of {gpu}", "").replace(f"no {kind} price", "no price seen")
            continue
        found += [price] if price not in found else []
    return found or {"reason": why}


def _dated(case, price):
    marks = {"old": gpu_prices.is_old(price["seen"], case.as_of), "outside": price["outside"], "estimate": price["estimates"],
             "second-hand": price["second_hand"], "slow": price["slow"], "yours": price["yours"]}
    seen = min(price["seen"], case.as_of)
    return {name: price[name] for name in ("low", "typical", "high", "count", "said", "min_gpus", "term_months")} | {
        "seen": seen, "age_days": gpu_prices.age_days({"date": case.as_of, "as_of": seen}),
        "mark": ", ".join(word for word, holds in marks.items() if holds)}


def _owned(case, gpu):
    """Inputs of an owned hour with their ends, and the price that the GPU is bought at."""
    try:
        inputs = scenario_prices.owned_inputs(case, gpu, 1.0)
        price = scenario_prices.own(case, gpu, 1.0)
    except (NoInput, NoPrice) as error:
        return {"reason": str(error)}
    if price["estimates"]:
        return {"reason": f"no purchase price of {gpu}: only an estimate is known, which nobody can be paid"}
    rows = {name: [float(row["low"]), float(row["typical"]), float(row["high"]), row["dear"]] for name, row in inputs.iterrows()
            if name not in ("utilisation", "usd_per_kwh")}
    # what an hour costs follows from the inputs; its sum here would hang on the version of Python in its last digit
    return {"reason": "", "inputs": rows, "price": {name: one for name, one in _dated(case, price).items() if name not in SUMS}}


def _offers(model, day):
    """Offers of a model's tokens that are known on a day; nothing where nobody sells them."""
    try:
        price_book.token_price(model, day)
    except NoPrice:
        return []
    known = api_terms.able(model, day, positions=LEAST).reset_index(drop=True)
    known["quoted"] = known["last_seen"].where(known["last_seen"] <= day, day)
    listing = set(gpu_prices.ruled(known, "list", day).index)
    names = dict(zip(known["provider"], gpu_prices.named(known["provider"]), strict=True))
    return [{"provider": row["provider"], "name": str(names[row["provider"]]), "seen": row["quoted"],
             **{kind: row[column] for kind, column in price_book.MONEY.items()},
             "context": row["context"], "tok_out_per_s": row["tok_out_per_s"], "outside": bool(row["outside"]),
             "old": gpu_prices.is_old(row["quoted"], day), "fresh": not gpu_prices.is_old(row["quoted"], day),
             "age_days": gpu_prices.age_days({"date": day, "as_of": row["quoted"]}), "listing": place in listing}
            for place, row in known.iterrows()]

"""The base case of the book: the scenario that pages start from, on one accelerator, and the numbers that several pages print.

A page takes its defaults from the scenario by their ids (``model = "chat-assistant.model"``); what a reader changes there is
put into the scenario's place, and everything below follows.  So a number that two pages print is worked out here once.
"""

from types import SimpleNamespace

import pandas as pd

from tokenecon import data, units
from tokenecon.calculator.choice import per_mtok
from tokenecon.decision import break_even, options, scenario, scenario_prices
from tokenecon.errors import BadInput, NoPrice, NothingServes
from tokenecon.finding import Finding, agreed, ends, finding, given, named
from tokenecon.formulas import money, serving
from tokenecon.ownership import owned_hour
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered
from tokenecon.serving import operating_point
from tokenecon_book.documents.words import about, count, dollars, listed, longer, percent, price, whole_dollars

NAME = "chat-assistant"
NAMED_GPUS = 4  # accelerators that a case line names
# parameter of a page -> the scenario's own name of it
FIELDS = {name: name for name in scenario.PLACES} | {"gpu": "gpus"}
ASSUMED = ("pue", "residual_share")  # of the scenario, where a page states them
HOURS = {"on_demand": "hour-on-demand", "marketplace": "hour-marketplace", "spot": "hour-spot", "own": "hour-owned"}
RENTED = {"on_demand": "rented on demand", "marketplace": "rented at a marketplace", "spot": "rented on spot", "own": "owned"}
# what an owned hour depends on, beside the facts of its GPU
OWNED = ("years", "discount_rate", "residual_share", "usd_per_kwh", "pue", "utilisation")
# what a cost of tokens depends on, beside the machine
LOAD = ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "cached_prefix", "requests_per_day", "ttft_ms", "tpot_ms",
        "wait_probability", "as_of", "price_rule", "usd_per_gpu_hour")  # fmt: skip


def of(case, **changes):
    """The base scenario with what the parameters of a page say, and then `changes`, in its place.

    Raises :class:`BadInput` for a parameter of the page that the scenario does not allow.
    """
    gpu_prices.stated(case)  # refuses what is no price
    stated = {own: getattr(case, name, None) for name, own in FIELDS.items()} | changes
    try:
        found = scenario.overridden(NAME, {name: value for name, value in stated.items() if value is not None})
    except scenario.BadScenario as error:
        blamed = [name for name, own in FIELDS.items()
                  if ".".join(scenario.PLACES.get(own, ())) == error.path and hasattr(case, name)]
        raise BadInput(f"parameter '{blamed[-1]}' {error.rest}" if blamed else str(error)) from None
    for name in ASSUMED:
        if getattr(case, name, None) is not None:
            setattr(found, name, getattr(case, name))
    return found


def offers(case, may_stop=False, **changes):
    """What :func:`options.offers` finds for :func:`of`, worked out once; of work that may stop, spot hours are among it."""
    return _offers(tuple(_stated(SimpleNamespace(**changes)).items()), may_stop, **_stated(case))


@remembered
def _offers(changes, may_stop, **stated):
    full = of(SimpleNamespace(**stated), **{name: list(value) if isinstance(value, tuple) else value for name, value in changes})
    full.interruptible = full.interruptible or may_stop
    return options.offers(full)


def _stated(case):
    """What a page says of the base scenario, as plain values."""
    found = {name: getattr(case, name) for name in (*FIELDS, *ASSUMED, "usd_per_gpu_hour") if hasattr(case, name)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def cased(case, *fields):
    """What a named quantity is of: the case's own values of some fields."""
    return {name: getattr(case, name) for name in fields if getattr(case, name, None) is not None}


def hour(case, kind="on_demand"):
    """Price of an hour of the page's GPU by the base case's price rule, as :func:`gpu_prices.price_range` gives it.

    An owned hour is that of the fleet that the load of the page keeps, with its outer bound.
    """
    if kind == "own":
        inputs = owned_hour.spans(case.gpu, as_of=case.as_of, **owned_inputs(case))
        totals = [owned_hour.owned_total(**end) for end in owned_hour.ends(inputs)]
        return dict(zip(owned_hour.PLACES, totals, strict=True))
    usd = gpu_prices.stated(case)
    if usd is not None:
        return gpu_prices.of_page(case)
    return gpu_prices.price_range(case.gpu, kind, case.as_of, rule=rule(case))


def rule(case):
    """The price rule of a page, or of the scenario that it starts from."""
    return getattr(case, "price_rule", None) or scenario.field(NAME, "money.price_rule")


def said_hour(case, kind="on_demand"):
    """An hour's price as text and named quantity: "$4.28"."""
    found = hour(case, kind)
    of_price = owned_inputs(case) if kind == "own" else {"rule": rule(case)}
    return named(HOURS[kind], found["typical"], dollars, **ends(found), **cased(case, "gpu", "as_of"), **of_price)


def owned_inputs(case, busy=None):
    """The inputs of :data:`OWNED` of an owned hour of the page: the scenario's money, and how busy the own fleet is.

    ``busy`` is that share where it is known; else it is what the page states, or that of the page's GPU under the load.
    """
    busy = getattr(case, "utilisation", None) if busy is None else busy
    busy = bill(case, "own")["utilisation"] if busy is None else busy
    full = of(case)
    return {name: getattr(full, name) for name in OWNED if name != "utilisation"} | {"utilisation": float(busy)}


def aged(case, found, kind="on_demand", gpu=None):
    """The age of a price in brackets, as a named quantity, where it is over the days from which one is marked; else nothing."""
    if not gpu_prices.aged(found):
        return ""
    days = named("price-age-set", gpu_prices.age_days(found), "{:.0f}".format, kind=kind, rule=rule(case), gpu=gpu or case.gpu,
                 as_of=case.as_of)
    return f" ({days} days old)"


def counted(case, kind="on_demand"):
    """Of how many sellers an hour's price is and how old, in words, with both numbers named."""
    found = hour(case, kind)
    of_price = {"kind": kind, "rule": rule(case)} | cased(case, "gpu", "as_of")
    named("price-sellers", found["sellers"], str, **of_price)
    for day in ("as_of", "newest"):
        named(f"price-age-{day}".replace("as_of", "set"), gpu_prices.age_days(found, day), str, **of_price)
    return gpu_prices.counted(found)


def said_api(case, rule):
    """What an API asks for a million tokens at the mix of the case by a price rule, as text and named quantity: "$0.65"."""
    found = of(case)
    typical = scenario_prices.api(found, rule)["blend"][1]
    asked = [typical] if rule == "best" else gpu_prices.ruled(scenario_prices.api_offers(found), rule, found.as_of)["blend"]
    return named("api-all", typical, price, low=min(asked), high=max(asked), rule=rule,
                 **cased(found, "model", "isl", "osl", "cached_prefix", "as_of"))


def offered(case, gpus, *kinds):
    """Rows of :func:`options.offers` of some GPUs, each on its best number for a replica, under some kinds of an hour.

    ``reason`` says why one cannot be had.  Who asks for spot hours has work that may be interrupted.
    """
    found = offers(case, gpus=list(gpus), n_gpus=None, may_stop="spot" in kinds).table
    return found[found["kind"].isin(["", *kinds])]


def compared(case, gpus, kind="on_demand"):
    """What the load of a page costs on each of some GPUs, machines alone: one row a GPU, or why it has no cost (``reason``).

    Each on its best replica, at the typical price, as busy as the load leaves it; ``_low`` and ``_high`` of a cost are the
    model's interval.  ``output_share`` is the share of the time that output tokens cause.
    """
    try:
        offers = offered(case, gpus, kind).set_index("gpu")
    except NothingServes as reason:
        raise BadInput(f"parameter 'gpus': {reason}") from None
    served, rows, tok = options.serving(of(case, gpus=list(gpus), n_gpus=None)).set_index("gpu"), [], case.isl + case.osl
    for gpu in gpus:
        offer, speed = offers.loc[gpu], served.loc[gpu]
        row = {"gpu": gpu, "name": data.gpu(gpu)["name"], "reason": offer["reason"]}
        rows.append(row)
        if offer["reason"]:
            continue
        row |= {name: offer[name] for name in ("kind", "n_gpus", "concurrency", "utilisation", "usd_per_gpu_hour", "price_from",
                                               "price_mark", "calibrated")}
        row |= {name: speed[name] for name in ("tpot_ms", "ttft_ms")} | {"output_share": speed["output_share"]}
        for end, other in (("_low", "_high"), ("", ""), ("_high", "_low")):  # a slow replica makes the dear token
            usd = money.usd_per_mtok(usd_per_gpu_hour=offer["usd_per_gpu_hour"], n_gpus=offer["n_gpus"],
                                     utilisation=offer["utilisation"], tok_per_s=offer[f"requests_per_s{other}"] * tok)
            row |= {f"requests_per_s{end}": offer[f"requests_per_s{end}"], f"usd_per_mtok{end}": usd,
                    f"usd_per_mtok_out{end}": money.usd_per_mtok_of_kind(
                        usd_per_mtok=usd, time_share=row["output_share"], tok_share=case.osl / tok)}
    table = pd.DataFrame(rows)
    if (table["reason"] != "").all():
        raise BadInput(f"parameter 'gpus': none of {', '.join(gpus)} can be {RENTED.get(kind, 'rented')} on {case.as_of}: "
                       f"{'; '.join(table['reason'])}")
    return table


def bill(case, kind="on_demand"):
    """The row of :func:`options.offers` of the page's GPU under one kind of hour: bill, cost of tokens, replicas, busy share.

    Raises :class:`NothingServes` with the reason where it cannot be had.
    """
    found = offers(case, gpus=[case.gpu]).table
    rows = found[(found["kind"] == kind) & (found["reason"] == "")]
    if rows.empty:
        reasons = found.loc[found["kind"].isin(["", kind]), "reason"]
        raise NothingServes(f"{data.gpu(case.gpu)['name']} cannot be {RENTED[kind]} for this case: {'; '.join(reasons)}")
    return rows.iloc[0]


def completed(case):
    """The case of a page with its blanks filled: requests in flight (``batch``), busy share and price as the base case has them.

    The batch is as large as the limits on latency allow, the busy share that of machines rented hour by hour as the load moves.
    ``costed`` is what its costs of tokens are of, for :func:`named`: where the page states none of the three they are those of
    the base case's own choice.
    """
    found = {name: getattr(case, name) for name in vars(case)}
    blank = [name for name in ("batch", "utilisation", "usd_per_gpu_hour") if name in found and found[name] is None]
    stated = [name for name in ("batch", "utilisation", "usd_per_gpu_hour") if name in found and name not in blank]
    if "usd_per_gpu_hour" in blank:
        found["usd_per_gpu_hour"] = hour(case)["typical"]
    if {"batch", "utilisation"} & set(blank):
        row = bill(case)
        found |= {name: value for name, value in (("batch", int(row["concurrency"])), ("utilisation", float(row["utilisation"])))
                  if name in blank}
    full = SimpleNamespace(**found)
    full.costed = instance(full) if stated else choice(of(case), row)
    return full


def machines(scenario_case, row):
    """Cost of a million tokens of all kinds by the machine hours alone, idle ones included, of a row of the offers. [USD/Mtok]"""
    return per_mtok(scenario_case, row["usd_per_gpu_hour"], row["n_gpus"] * row["replicas"],
                            options.rate(scenario_case.requests_per_day))


def choice(scenario_case, row):
    """What the cost of a choice is of, for :func:`named`: its machine, contract and price rule, and the load of its scenario."""
    load = cased(scenario_case, *(name for name in LOAD if name not in ("gpu", "n_gpus")))
    return load | {name: row[name] for name in ("kind", "gpu", "n_gpus") if row[name] == row[name]}


def instance(full, **changes):
    """What the cost of a token is of, for :func:`named`: the machine, its load and its price, of a completed case."""
    fields = ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl", "batch", "utilisation", "usd_per_gpu_hour")
    return cased(full, *fields) | changes


def batch_latency(full, batch):
    """How much longer an output token takes with so many requests at a time than alone, on the machine of a case. [fraction]"""
    machine = {name: getattr(full, name) for name in ("model", "gpu", "n_gpus", "weights", "kv", "isl", "osl")}
    alone, together = (operating_point.point(**machine, concurrency=at, usd_per_gpu_hour=1.0, utilisation=1.0)["tpot_ms"]
                       for at in (1, batch))
    return serving.batching_latency_rise(batch_step_s=together, single_step_s=alone)


def said_batch_latency(full, batch):
    """The same in words, as a named quantity: "76% longer than alone"."""
    return named("batch-latency", batch_latency(full, batch), longer, batch=int(batch),
                 **cased(full, "model", "gpu", "n_gpus", "weights", "kv", "isl", "osl"))


def load(case):
    """What the fleet of the base case and its bill are of, for :func:`named`: the service, its load, its limits, its machine."""
    own = {"gpu": case.gpu, "profile": getattr(case, "profile", scenario.field(NAME, "traffic.profile"))}
    usd = gpu_prices.stated(case)
    return cased(of(case, gpus=[case.gpu]), *LOAD) | own | ({} if usd is None else {"usd_per_gpu_hour": usd})


def said_busy(case, row):
    """How much of the paid time the machines of a row of :func:`bill` work, as text and named quantity."""
    kind = "utilisation-fixed" if options.KINDS[row["kind"]][2] == "fixed" else "utilisation-rented"
    return named(kind, row["utilisation"], percent, **load(case))


def usd_per_day(row, end=""):
    """The whole bill of a row of :func:`bill` for a day. [USD/day]"""
    return _of_day(row[f"usd_per_month{end}"])


def _of_day(usd_per_month):
    return float(usd_per_month) * units.MONTHS_PER_YEAR / units.DAYS_PER_YEAR


def said_day(case, row, price_rule=None):
    """The whole bill of a day of a row of :func:`bill`, as text and named quantity: "$407"; by another rule of prices."""
    return named("bill-day", usd_per_day(row), whole_dollars, low=usd_per_day(row, "_low"),
                 high=usd_per_day(row, "_high"), **choice(of(case, price_rule=price_rule or rule(case)), row))


def machines_usd_per_day(row):
    """The hours alone of the machines of a row of :func:`bill` for a day, before tools and staff. [USD/day]"""
    return _of_day(money.usd_per_month_of_gpus(usd_per_gpu_hour=row["usd_per_gpu_hour"], n_gpus=row["n_gpus"] * row["replicas"]))


def api(case):
    """What the sellers of the page's model ask for the tokens of its load, by the price rule, as (low, typical, high), and whose.

    A dict of :func:`scenario_prices.api`; None where nobody sells the model. [USD/Mtok]
    """
    try:
        return scenario_prices.api(of(case))
    except NoPrice:
        return None


def offers_by_kind(case):
    """The rows of :func:`options.offers` that can be had on the page's GPU, and of the API, by kind of hour."""
    table = offers(case, gpus=[case.gpu]).table
    return {row["kind"]: row for _, row in table[table["reason"] == ""].iterrows()}


def break_even_rows(case):
    """The rows of :func:`break_even.against_api` for the page's GPU by kind of hour, each with its offer; none without an API."""
    return {kind: pd.Series(dict(row)) for kind, row in _break_even(**_stated(case)).items()}


@remembered
def _break_even(**stated):
    case = SimpleNamespace(**stated)
    held, table = offers_by_kind(case), break_even.against_api(of(case, gpus=[case.gpu]), offers(case, gpus=[case.gpu])).table
    return {row["kind"]: held[row["kind"]].to_dict() | row.to_dict() for _, row in table.iterrows()}


def said_break_even(case, row):
    """The volume from which on a choice costs less than the API, as text and named quantity: "about 120,000"."""
    return named("break-even-api", row["requests_per_day"], about, **ends(row, "requests_per_day"), **choice(of(case), row))


def case_of(parts, **values):
    """What a page is about, in one line of parts, as its finding."""
    parts = [agreed(part) for part in parts]
    return Finding(pd.DataFrame({"part": parts}), " · ".join(parts), **values)


@finding
def line(case):
    """The case of a page in one line: model, format, machine, lengths, load, and the price of the hour with its date.

    A page about an hour alone has a case without a model; then the line is about the machine and its price.
    """
    parts, row = [], {"utilisation": None}
    if hasattr(case, "model"):
        row = bill(case)
        parts = [data.model(case.model)["name"], data.precision(case.weights)["name"],
                 f"{named('replica-gpus', row['n_gpus'], '{:.0f}'.format, **choice(of(case), row))} × "
                 f"{data.gpu(case.gpu)['name']}",
                 f"{given(case, 'isl', '{:,.0f}'.format)} → {given(case, 'osl', '{:,.0f}'.format)} tokens",
                 f"{named('requests-per-day', of(case).requests_per_day, lambda number: count(number, 'request'))} a day, "
                 f"machines {said_busy(case, row)} busy"]
    else:
        parts = [data.gpu(case.gpu)["name"]]
    parts.append(f"{said_hour(case)} an hour on demand ({counted(case)})")
    return case_of(parts, busy=row["utilisation"])


@finding
def scene_line(scene):
    """The case of a scenario in one line: model, format, accelerators compared, lengths, load, day and rule of its prices."""
    parts = [data.model(scene.model)["name"], data.precision(scene.weights)["name"],
             listed([data.gpu(gpu)["name"] for gpu in scene.gpus]) if len(scene.gpus) <= NAMED_GPUS else
             f"{named('accelerators-compared', len(scene.gpus), str, gpus=','.join(scene.gpus), price='scenario')} accelerators",
             f"{named('scenario-isl', scene.isl, '{:,.0f}'.format, scenario=scene.name)} → "
             f"{named('scenario-osl', scene.osl, '{:,.0f}'.format, scenario=scene.name)} tokens",
             f"{named('requests-per-day', scene.requests_per_day, lambda number: count(number, 'request'))} a day",
             f"prices of {scene.as_of}, {gpu_prices.PRICE_RULES[scene.price_rule]}"]
    return case_of(parts)

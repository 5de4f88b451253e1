"""What a scenario file may hold: its fields, and the words in which each refuses a value."""

import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from tokenecon import kinds
from tokenecon.calculator import parameters
from tokenecon.errors import did_you_mean
from tokenecon.numbers import of_text
from tokenecon.prices import gpu_prices

CHOICES = ("own", "rent", "api")
ON_DEMAND = "on_demand"
GAPS = ("zero", "same_hour")  # how hours that a traffic file lacks are filled
RENTS = "h100-sxm-80gb: {on_demand: 2.5}` or one number, as in `usd_per_gpu_hour: 2.5"
NEAREST = 2  # wrong ids of a list for which near ones are named


def refuse(words):
    """Give up on a value: the words follow 'but must be'."""
    raise PydanticCustomError("rule", "{words}", {"words": words}) from None


def ruled(check, allowed, *, ids=None, look=""):
    """A field whose values `check` takes or raises on; `allowed` says which, `ids` lists them for the nearest."""

    def accept(value):
        try:
            return check(value)
        except PydanticCustomError:
            raise
        except (ValidationError, ValueError, TypeError) as error:
            if isinstance(error, ValidationError) and (reason := kinds.refusal(error)):
                refuse(f"{allowed}, and {reason}")
            known = ids() if ids else ()
            words = allowed if not known or look else f"{allowed} {', '.join(known)}"
            given = kinds.split(value) if isinstance(value, str) else value
            wrong = [one for one in (given if isinstance(given, list) else [value]) if one not in known] if known else []
            near = "".join((f"; '{one}' is not known" if len(given) > 1 else "") + did_you_mean(one, known)
                           for one in wrong[:NEAREST]) if isinstance(given, list) else did_you_mean(value, known) if wrong else ""
            refuse(words + near + (f"; see {look}" if look else ""))

    return Annotated[object, PlainValidator(accept)]


def of_type(kind, **bounds):
    """A check: a value of a type within bounds; true and false are not numbers."""
    adapter = TypeAdapter(Annotated[kind, Field(**bounds)])

    def check(value):
        if isinstance(value, bool):
            raise TypeError("a truth value is not a number")
        return adapter.validate_python(value)

    return check


def number(words, **bounds):
    """A finite number within bounds."""
    return ruled(of_type(float, allow_inf_nan=False, **bounds), words)


def whole(words, **bounds):
    """A whole number within bounds."""
    return ruled(of_type(int, **bounds), words)


def limited(name):
    """A number, whole or not, within the bounds that the calculator has for it, too."""
    words, bounds = parameters.LIMITS[name]
    return (whole if name in parameters.WHOLE else number)(words, **bounds)


def text(words, longest):
    """A text."""
    return ruled(of_type(str, min_length=1, max_length=longest, strict=True), words)


def of_kind(unit, look):
    """An id, or ids, of a kind that the notebooks' parameters have too."""
    allowed = "comma separated ids or a list of ids of gpus, each once, or 'all'" if unit == "gpus" else (
        "the id of a model, or the path of its config.json" if unit == "model" else f"the id of a {unit}")
    return ruled(lambda value: kinds.kind(unit, False).adapter.validate_python(value), allowed,
                 ids=lambda: kinds.kind(unit, False).ids, look=look)


def one_of(names):
    """One of the names that `names` gives when asked."""

    def check(value):
        if value not in names():
            raise ValueError("none of them")
        return value

    return ruled(check, "one of", ids=names)


def _some_choices(value):
    found = [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
    if not found or len(set(found)) < len(found) or set(found) - set(CHOICES):
        raise ValueError("not these")
    return found


def _currency(value):
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isupper() and value.isalpha()):
        raise ValueError("no code of a currency")
    return value


def _rate_day(value):
    day = kinds.kind("date", False).adapter.validate_python(value)
    today = datetime.date.today().isoformat()
    return day if day <= today else refuse(f"a day up to today, {today}")


def _day(value):
    from tokenecon import data

    day = kinds.kind("date", False).adapter.validate_python(value)
    first, today = data.extreme("prices", "as_of", "min"), datetime.date.today().isoformat()
    return day if first <= day <= today else refuse(
        f"a day from {first}, the first price in the book, to today, {today}; see `tokenecon list prices`")


def _pair(value):
    low, high = map(of_type(float, allow_inf_nan=False), value)
    if low > high:
        raise ValueError("low above high")
    return low, high


def _profiles():
    from tokenecon.fleet import traffic

    return tuple(traffic.NAMES)


def _known(one, ids, look):
    return one if one in ids else refuse(f"of known ids, not '{one}'{did_you_mean(one, ids)}; see {look}")


def _dollar_price(value, where):
    try:
        return of_type(float, gt=0, allow_inf_nan=False)(value)
    except (ValidationError, TypeError):
        refuse(f"of prices above 0 in USD, but {where} has {value!r}")


def _by_gpu(value):
    ids = kinds.kind("gpu", False).ids
    return {_known(gpu, ids, "`tokenecon list gpus`"): _dollar_price(price, gpu) for gpu, price in value.items()}


def _by_kind(value):
    """Rents by GPU and kind of hour; a number alone is the price on demand, of one GPU or of all of the scenario."""
    if isinstance(value, int | float) or of_text(value) == of_text(value):  # a text of a number comes from a command
        return _dollar_price(value, "it")
    ids, rented = kinds.kind("gpu", False).ids, ", ".join(gpu_prices.PRICE_KINDS)
    stated = {gpu: prices if hasattr(prices, "items") else {ON_DEMAND: prices} for gpu, prices in value.items()}
    return {_known(gpu, ids, "`tokenecon list gpus`"): {
        _known(kind, gpu_prices.PRICE_KINDS, rented): _dollar_price(price, f"{gpu}.{kind}") for kind, price in prices.items()}
        for gpu, prices in stated.items()}


def mapping(check, example):
    """Lines of ids and prices."""

    def lines(value):
        try:
            return check(value)
        except AttributeError:
            refuse(f"lines like `{example}`")

    return ruled(lines, f"lines like `{example}`")


Positive = number("a number above 0", gt=0)
NotNegative = number("a number of at least 0", ge=0)
Share = number("a number from 0 to 1 (0.6 means 60%)", ge=0, le=1)
Rate = number("a number above -1 and at most 10 (0.3 means 30% a year)", gt=-1, le=10)
Truth = ruled(TypeAdapter(Annotated[bool, Field(strict=True)]).validate_python, "true or false")
Pair = ruled(_pair, "two numbers [low, high], the 10th and the 90th percentile")


class Part(BaseModel):
    """A block of a scenario; a name that nobody reads is refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Task(Part):
    """A run of an agent in several turns, in place of the lengths of a request; each turn sends again what came before."""

    turns: whole("a whole number from 1 to 10000 (turns of a task)", ge=1, le=10_000)
    first_tok: limited("isl")
    added_tok: number("a number from 0 to 1e8 (tokens that a turn adds before the next)", ge=0, le=1e8)
    osl: limited("osl")
    held_share: number("a number of at least 0 and below 1 (share of what was sent before that the cache holds)", ge=0, lt=1)
    retries: number("a number from 0 to 10 (turns sent again for each turn: 0.1 means one in ten)", ge=0, le=10) = 0.0
    tasks_per_day: limited("requests_per_day") = None


class Workload(Part):
    """What is asked, and how often; ``users`` and ``tenants`` share the bill."""

    isl: limited("isl") = None
    osl: limited("osl") = None
    cached_prefix: limited("cached_prefix") = None
    requests_per_day: limited("requests_per_day") = None
    growth_per_year: Rate = 0.0
    users: whole("a whole number from 1 to 1e10", ge=1, le=10**10) = None
    tenants: whole("a whole number from 1 to 1e10", ge=1, le=10**10) = None
    api_weights: of_kind("precision", "data/precisions.csv") = None
    interruptible: Truth = False


class Traffic(Part):
    """How the requests spread over the hours: one of four; and how they come inside an hour."""

    profile: one_of(_profiles) = None
    peak_to_mean: limited("peak_to_mean") = None
    file: text("the name of a file of your load, as `tokenecon traffic` reads it, relative to the scenario", 4096) = None
    gaps: one_of(lambda: GAPS) = None
    utilisation: number("a number above 0 and at most 1 (0.6 means 60%)", gt=0, le=1) = None
    fit_size: Truth = True
    burst: number("a number of at least 1 and at most 100 (busiest ten minutes over the busiest hour)", ge=1, le=100) = None


class Service(Part):
    """Who runs it, and what stands ready beyond the load: what is missing comes from data/assumptions.csv."""

    people: limited("people") = None
    api_people: number("a number from 0 to 1000 (positions that look after an API)", ge=0, le=1000) = None
    usd_per_person_year: NotNegative = None
    spare_replicas: limited("spare_replicas") = None
    availability: number("a number above 0 and below 1 (0.999: enough replicas work for that share of the time)", gt=0,
                         lt=1) = None
    scale_to_zero: Truth = False


class Latency(Part):
    """Limits of the mean times, and the share of requests that may wait for a free place."""

    ttft_ms: limited("ttft_ms") = None
    tpot_ms: limited("tpot_ms") = None
    wait_probability: number("a number above 0 and below 1", gt=0, lt=1) = None


class Api(Part):
    """Prices asked of this reader, in place of the price book's."""

    usd_per_mtok_in: Positive
    usd_per_mtok_out: Positive
    usd_per_mtok_cached: NotNegative = None


class Money(Part):
    """Prices, interest and the horizon of the decision; what is missing comes from data/assumptions.csv."""

    currency: ruled(_currency, "a code like USD or EUR, in which the bill is also shown; all prices stay in USD") = "USD"
    as_of: ruled(_day, "a date like 2026-07-31") = None
    years: whole("a whole number of years from 1 to 15", ge=1, le=15) = None
    usd_per_unit: number("a number above 0 (US dollars for one unit of money.currency)", gt=0) = None
    rate_as_of: ruled(_rate_day, "a date like 2026-07-31, the day of money.usd_per_unit") = None
    discount_rate: number("a number from 0 to 1 (0.1 means 10% a year)", ge=0, le=1) = None
    usd_per_kwh: limited("usd_per_kwh") = None
    pue: number("a number of at least 1", ge=1) = None
    ops_overhead: NotNegative = None
    residual_share: Share = None
    rent_decline: Rate = None
    api_decline: Rate = None
    price_rule: one_of(lambda: tuple(gpu_prices.PRICE_RULES)) = "typical"
    usd_per_gpu_hour: mapping(_by_kind, RENTS) = Field(default_factory=dict)
    usd_per_gpu: mapping(_by_gpu, "h100-sxm-80gb: 25000") = Field(default_factory=dict)
    api: Api | None = None


class Uncertainty(Part):
    """10th and 90th percentile of what the draws move, in place of those of data/."""

    demand: Pair = None
    growth: Pair = None
    efficiency: Pair = None
    rent_price: Pair = None
    purchase_price: Pair = None
    api_price: Pair = None
    power_price: Pair = None
    ops_overhead: Pair = None
    residual: Pair = None
    rent_decline: Pair = None
    api_decline: Pair = None
    people: Pair = None
    availability: Pair = None


class Scenario(Part):
    """The whole file."""

    name: text("a text of 1 to 80 characters", 80)
    model: of_kind("model", "`tokenecon list models`")
    weights: of_kind("precision", "data/precisions.csv")
    kv: of_kind("precision", "data/precisions.csv")
    gpus: of_kind("gpus", "`tokenecon list gpus`")
    n_gpus: limited("n_gpus") = None
    workload: Workload = Field(default_factory=Workload)
    task: Task | None = None
    traffic: Traffic
    service: Service = Field(default_factory=Service)
    latency: Latency = Field(default_factory=Latency)
    money: Money = Field(default_factory=Money)
    choices: ruled(_some_choices, f"a list of some of {', '.join(CHOICES)}, each once") = list(CHOICES)
    uncertainty: Uncertainty = Field(default_factory=Uncertainty)
    seed: whole("a whole number of at least 0", ge=0, lt=2**63) = 1

"""A reader's own case in a YAML file: read, checked field by field, put together as the analyses take it.

Every refusal is one sentence that names the file, the field, its value, and what is allowed.
"""

import copy
import datetime
from pathlib import Path
from types import SimpleNamespace

from pydantic import ValidationError

from tokenecon import data, kinds, queries, yaml_file
from tokenecon.calculator import work
from tokenecon.decision import scenario_schema
from tokenecon.errors import BadInput, did_you_mean, quoted
from tokenecon.importers import own_model

FOLDER = data.shipped("notebooks") / "scenarios"
EXAMPLES = "notebooks/scenarios/"
TRAFFIC = ("profile", "peak_to_mean", "file", "utilisation")
COUNTED = ("years", "spare_replicas")  # of them, what is a whole number
BURST = 100.0  # busiest ten minutes over the busiest hour, at most, as in the schema
HOURS = 8784  # of a traffic file: a leap year; the fleet is planned for each hour at hundreds of volumes
# field of a case that data/assumptions.csv fills where the scenario says nothing
ASSUMED = {
    "wait_probability": "service.wait_probability", "years": "decision.years", "discount_rate": "finance.discount_rate",
    "usd_per_kwh": "power.price", "pue": "power.pue", "ops_overhead": "finance.ops_overhead",
    "rent_decline": "decision.rent_decline", "api_decline": "decision.api_decline",
    "people": "people.serving", "api_people": "people.api", "usd_per_person_year": "people.cost",
    "spare_replicas": "service.spare",
}  # fmt: skip
# parameter of the notebook -> field of the scenario that it overrides
PARAMETERS = {
    **{name: (name,) for name in ("model", "weights", "kv", "gpus", "n_gpus")},
    **{name: ("workload", name) for name in ("isl", "osl", "cached_prefix", "requests_per_day", "growth_per_year")},
    "peak_to_mean": ("traffic", "peak_to_mean"),
    "people": ("service", "people"),
    **{name: ("latency", name) for name in ("ttft_ms", "tpot_ms", "wait_probability")},
    **{name: ("money", name) for name in ("as_of", "price_rule", "years", "discount_rate", "usd_per_kwh", "ops_overhead",
                                      "usd_per_gpu_hour")},
}  # fmt: skip
# what a page of the book may state beside them
PLACES = PARAMETERS | {"profile": ("traffic", "profile"), "spare_replicas": ("service", "spare_replicas")}
PATHS = {scenario_schema.Money: "money", scenario_schema.Latency: "latency", scenario_schema.Service: "service"}


class BadScenario(BadInput):
    """A scenario that cannot be computed; `path` names the field, where one is to blame, and `rest` says why."""

    def __init__(self, where, path, rest, others=0):
        rest += "" if "; see " in rest else f"; see the examples in {EXAMPLES}"
        rest += f" ({others} more to correct after it)" if others else ""
        super().__init__(f"scenario '{where}': {' '.join(part for part in (path, rest) if part)}")
        self.path, self.rest = path, rest


def names():
    """The scenarios that ship with the book."""
    return tuple(kinds.scenarios())


def located(scenario):
    """The file of a shipped scenario's name, or of a path."""
    return FOLDER / f"{scenario}.yml" if str(scenario) in names() and not Path(scenario).exists() else Path(scenario)


def field(name, path):
    """One value of a shipped scenario as its file states it: ``field("chat-assistant", "money.as_of")``, ``"gpus.0"``."""
    part = parsed(FOLDER / f"{name}.yml")
    for key in path.split("."):
        if isinstance(part, list) and key.isdecimal() and int(key) < len(part):
            part = part[int(key)]
            continue
        if not isinstance(part, dict) or key not in part:
            raise BadScenario(name, path, f"is not stated in the file, where '{key}' was looked for")
        part = part[key]
    return part.isoformat() if isinstance(part, datetime.date) else part


def load(path):
    """The case of a scenario file or of a shipped scenario's name, checked, with what it leaves out taken from ``data/``."""
    return case(*opened(path))


def files(path):
    """The files that a scenario of the reader's is made of: its own, its traffic and its model's configuration."""
    given, folder = parsed(path), Path(path).parent
    beside = (given["traffic"].get("file"), own_model.beside(given["model"], folder))
    return [str(path), *(str(folder / one) for one in beside if one and (folder / one).is_file())]


def stated(changes, price_rule=None):
    """Changes like ``isl=3000`` and a price rule by their parameter."""
    found = {} if price_rule is None else {"price_rule": price_rule}
    for one in changes:
        name, _, value = one.partition("=")
        if name not in PLACES:
            raise BadInput(f"parameter '{name}' does not exist{did_you_mean(name, PLACES)}; allowed are {', '.join(PLACES)}")
        found[name] = value
    return found


def overridden(name, changes):
    """A scenario, by name or path, with some fields changed: ``{parameter: value}`` of :data:`PLACES`."""
    given, path = opened(name)
    return case(changed(given, changes), path)


def changed(given, changes):
    """A scenario's mapping with some fields changed; what is no block stays, for the check to name."""
    given = copy.deepcopy(given)
    for parameter, value in changes.items():
        *blocks, field = PLACES[parameter]
        part = given
        for block in blocks:
            part = part.setdefault(block, {}) if isinstance(part, dict) else part
        if not isinstance(part, dict):
            continue
        if "traffic" in blocks:
            part.clear()  # another profile, and not two
        part[field] = value
    return given


def opened(scenario):
    """The mapping of a scenario, and where its files are looked for: a name, a path, or the mapping itself."""
    if isinstance(scenario, dict):
        return copy.deepcopy(scenario), Path("given")
    path = located(scenario)
    return parsed(path), path


def parsed(path):
    """The mapping in a YAML file."""
    if Path(path).parent == FOLDER:
        queries.ask(queries.Query(f"{EXAMPLES}{Path(path).name}", (), ""))
    try:
        return yaml_file.mapping(path)
    except yaml_file.NotYaml as error:
        raise BadScenario(path, "", str(error)) from None


def case(given, path):
    """The flat case of a scenario's mapping; a traffic file is looked for beside the scenario."""
    if "model" in given:
        given = given | {"model": own_model.beside(given["model"], path.parent)}
    try:
        read = scenario_schema.Scenario.model_validate(given)
    except ValidationError as error:
        raise _refusal(error, path) from None
    found = SimpleNamespace(
        name=read.name, model=read.model, weights=read.weights, kv=read.kv, gpus=read.gpus, n_gpus=read.n_gpus,
        choices=read.choices, seed=read.seed,
        uncertainty={key: pair for key, pair in read.uncertainty.model_dump().items() if pair is not None},
        **read.workload.model_dump(), **read.latency.model_dump(), **read.service.model_dump(),
        **read.money.model_dump(exclude={"usd_per_gpu_hour", "usd_per_gpu", "api"}),
        rents=_rents(read), purchases=read.money.usd_per_gpu,
        api=None if read.money.api is None else read.money.api.model_dump())
    if found.availability is not None and found.spare_replicas is not None:
        raise BadScenario(path, "service", "has availability and spare_replicas, but must have at most one of them: the one says "
                          "how many of the other")
    _other_currency(found, path)
    _of_task(found, read.task, path)
    _assumed(found, path)
    _profile(found, read.traffic, path)
    _sized(found, read.traffic)
    _ends(found, path)
    return found


def _other_currency(found, path):
    """Refuse a currency without its dated rate, and a rate without its currency."""
    stated = [name for name in ("usd_per_unit", "rate_as_of") if getattr(found, name) is not None]
    if found.currency == "USD" and stated:
        raise BadScenario(path, f"money.{stated[0]}", "is given, but money.currency is USD; name the currency that it is of")
    if found.currency != "USD" and len(stated) < 2:
        raise BadScenario(path, "money.currency", f"is '{found.currency}', and must have its rate beside it: usd_per_unit, US "
                          "dollars for one, and rate_as_of, the day of the rate")


def _of_task(found, task, path):
    """Lengths, cached share and requests a day of a load of tasks: each turn is a request."""
    found.task = None if task is None else task.model_dump()
    if task is None:
        return
    if beside := [name for name in ("isl", "osl", "cached_prefix") if getattr(found, name) is not None]:
        raise BadScenario(path, f"workload.{beside[0]}", "is given beside a task, from which it follows; leave one of them out")
    if task.tasks_per_day is not None and found.requests_per_day is not None:
        raise BadScenario(path, "workload.requests_per_day", "is given beside task.tasks_per_day, from which it follows; leave "
                          "one of them out")
    request = work.requests(found.task)
    for name in ("isl", "osl", "cached_prefix"):
        setattr(found, name, request[name])
    if task.tasks_per_day is not None:
        found.requests_per_day = task.tasks_per_day * request["requests"]


def _rents(read):
    """Stated prices of an hour by GPU and kind; one number is that of every GPU on demand."""
    stated = read.money.usd_per_gpu_hour
    return stated if isinstance(stated, dict) else {gpu: {scenario_schema.ON_DEMAND: stated} for gpu in read.gpus}


def _assumed(found, path):
    from tokenecon.decision import horizon
    from tokenecon.prices import price_book

    for name, row in ASSUMED.items():
        if getattr(found, name) is None:
            value = data.value(row)
            setattr(found, name, _checked(name, round(value) if name in COUNTED else value, row, path))
    if found.residual_share is None:
        found.residual_share = horizon.resale_share(found.years, data.value("finance.residual"))
    found.as_of = found.as_of or price_book.newest_date()


def _checked(name, value, row, path):
    """A value of an assumption, which may be the reader's, as strict as one that the scenario states."""
    block = next(one for one in PATHS if name in one.model_fields)
    try:
        block.model_validate({name: value})
    except ValidationError as error:
        raise BadScenario(path, f"{PATHS[block]}.{name}", f"is {value:g} by the assumption {row}, but must be "
                          f"{error.errors()[0]['msg']}; see `tokenecon show {row}`") from None
    return value


def _profile(found, traffic_block, path):
    """The profile of the hours, and from a file also the requests of a day."""
    from tokenecon.fleet import traffic

    stated = [name for name in TRAFFIC if getattr(traffic_block, name) is not None]
    if len(stated) != 1:
        held = f"has {' and '.join(stated)}" if stated else "is empty"
        raise BadScenario(path, "traffic", f"{held}, but must have exactly one of {', '.join(TRAFFIC)}")
    found.utilisation = traffic_block.utilisation
    found.load, found.measured_burst = [], None
    if traffic_block.gaps is not None and traffic_block.file is None:
        raise BadScenario(path, "traffic.gaps", "fills the hours that a traffic.file lacks, and there is none")
    if traffic_block.file is not None:
        _of_file(found, traffic_block, path)
    elif traffic_block.peak_to_mean is not None:
        found.profile = traffic.synthetic(traffic_block.peak_to_mean)
    else:
        found.profile = traffic.profile(traffic_block.profile or "flat")
    if found.requests_per_day is None:
        raise BadScenario(path, "workload.requests_per_day", "is missing, but must be a number above 0, "
                          "unless a traffic.file says it")
    for name in ("isl", "osl"):
        if getattr(found, name) is None:
            raise BadScenario(path, f"workload.{name}", "is missing" + (
                ", and the traffic.file does not say it" if traffic_block.file else ""))
    found.cached_prefix = found.cached_prefix or 0.0


def _of_file(found, traffic_block, path):
    """Hours of the reader's own load, and from it what the scenario leaves out: requests a day, lengths, cached share."""
    from tokenecon.fleet import traffic
    from tokenecon.importers.loads import files, hours

    where = path.parent / traffic_block.file
    try:
        load = files.read(where, traffic_block.gaps)
        hours.refuse_gaps(where, load, traffic_block.gaps)
    except files.TrafficError as error:
        raise BadScenario(path, "traffic.file", f"is '{traffic_block.file}', but {error}") from None
    if len(load.hours) > HOURS:
        raise BadScenario(path, "traffic.file", f"is '{traffic_block.file}' with {len(load.hours):,} hours, but must have "
                          f"at most {HOURS:,}, a year; keep the last one")
    found.profile, found.load = traffic.from_requests(load.hours), hours.said(load)
    found.measured_burst = load.burst and min(load.burst, BURST)
    for name in ("requests_per_day", "isl", "osl", "cached_prefix"):
        if getattr(found, name) is None:
            setattr(found, name, getattr(load, name))


def _sized(found, traffic_block):
    """Hours that fit the size of the service, and its bursts inside them: a small service peaks higher than the trace of a large.

    The same load in every hour, and a stated utilisation, have no bursts unless the scenario says so.
    """
    from tokenecon import units
    from tokenecon.fleet import traffic

    rate, trace = found.requests_per_day / units.SECONDS_PER_DAY, traffic_block.profile
    found.trace, found.bursts = None, traffic_block.burst  # what other volumes of this service take their hours from
    if trace in traffic.HOURLY and traffic_block.fit_size:
        found.trace = trace
        found.profile, burst = traffic.sized(trace, rate)
    else:
        burst = traffic.of_size(rate)[1]
    smooth = traffic_block.profile == "flat" or found.utilisation is not None
    found.burst = traffic_block.burst or found.measured_burst or (1.0 if smooth else burst)


def _ends(found, path):
    """Refuse percentiles that leave out the value that they are to surround."""
    from tokenecon.decision import montecarlo

    for name, (low, high) in found.uncertainty.items():
        middle = montecarlo.middle(found, name)
        if not low <= middle <= high or (name in montecarlo.RATIOS and low <= 0):
            text = ("a ratio above 0 to what the scenario says" if name in montecarlo.RATIOS else
                    f"the scenario's own {montecarlo.LEVELS[name]}")
            raise BadScenario(path, f"uncertainty.{name}", f"is [{low:g}, {high:g}], but must hold {middle:g} between its ends, "
                              f"{text}")


def _refusal(error, path):
    """One sentence about the first thing that is wrong."""
    problems = error.errors()
    first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])  # may explain what is missing
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        allowed = _fields(first["loc"][:-1])
        rest = f"does not exist{did_you_mean(first['loc'][-1], allowed)}; allowed are {', '.join(allowed)}"
    elif first["type"] == "missing":
        rest = "is missing"
    elif first["type"] == "rule":
        rest = f"is {quoted(first['input'])}, but must be {first['msg']}"
    else:
        rest = f"is {quoted(first['input'])}, but must be a block of {', '.join(_fields(first['loc']))}"
    return BadScenario(path, where, rest, len(problems) - 1)


def _fields(path):
    """Names of a block of the schema."""
    model = scenario_schema.Scenario
    for part in path:
        kinds = [model.model_fields[part].annotation, *getattr(model.model_fields[part].annotation, "__args__", ())]
        model = next(one for one in kinds if isinstance(one, type) and issubclass(one, scenario_schema.Part))
    return list(model.model_fields)

"""What ``tokenecon plan`` is asked: every value checked before anything is computed, each refusal one sentence."""

import numbers
import os
from pathlib import Path
from types import SimpleNamespace

from tokenecon import data
from tokenecon.calculator.choice import KINDS
from tokenecon.decision import horizon, scenario
from tokenecon.errors import BadInput, UnknownId, did_you_mean, quoted
from tokenecon.fleet import traffic
from tokenecon.kinds import split
from tokenecon.numbers import of_text
from tokenecon.prices import gpu_prices, price_book
from tokenecon.serving import checks, lookups, results, steady_state
from tokenecon.units import SECONDS_PER_DAY

LIMITS = ("ttft_ms", "tpot_ms", *results.PERCENTILES)  # the mean, and what is known of its distribution
LOADS = ("requests_per_day", "requests_per_s", "concurrency")
MOST = 1e9  # of a budget
FAR = 1e300  # beyond it a number is none
CLOSED_LOOP, POISSON = (steady_state.LOADS[place] for place in (steady_state.CLOSED_LOOP, steady_state.POISSON))
SCENARIOS = (".yml", ".yaml")  # how the name of a scenario's file ends
TERMS = ("years", "discount_rate", "usd_per_kwh", "pue")  # of an owned hour, and of rent that is paid in advance
# what a scenario says of prices, and of who bears the bill; without one nobody says it
OF_SCENARIO = {"rents": {}, "purchases": {}, "api": None, "api_weights": None, "interruptible": False, "task": None,
               "users": None, "tenants": None, "currency": "USD", "usd_per_unit": None, "rate_as_of": None}  # fmt: skip


def ask(model, *, isl=None, osl=None, gpus=None, weights=None, kv=None, n_gpus=None, limits=None, chance=None,
        cached_prefix=None, engine=None, requests_per_s=None, requests_per_day=None, profile=None, peak_to_mean=None,
        concurrency=None, max_gpus=None, max_kw=None, max_usd_per_month=None, kind=None, price_rule=None, as_of=None,
        usd_per_gpu_hour=None):
    """The question as attributes, those of a scenario's case among them; see :func:`tokenecon.plan` for their meaning."""
    case = _scenario(model, isl=isl, osl=osl, cached_prefix=cached_prefix, requests_per_day=requests_per_day, profile=profile,
                     peak_to_mean=peak_to_mean, price_rule=price_rule, as_of=as_of)
    if case is not None:
        model, isl, osl, cached_prefix = case.model, case.isl, case.osl, case.cached_prefix
        gpus, n_gpus, weights, kv = gpus or case.gpus, n_gpus or case.n_gpus, weights or case.weights, kv or case.kv
        price_rule, as_of = case.price_rule, case.as_of
        limits = {name: getattr(case, name) for name in ("ttft_ms", "tpot_ms") if getattr(case, name)} | (limits or {})
    asked = SimpleNamespace(
        name="Plan" if case is None else case.name, model=model, isl=_number("isl", isl), osl=_number("osl", osl),
        cached_prefix=_number("cached_prefix", cached_prefix or 0.0), engine=engine, chance=_share("chance", chance), kind=kind,
        price_rule=price_rule or "typical", as_of=_day(as_of))
    lookups.record(model)  # refuses an unknown one
    if engine is not None:
        _said(checks.word_sentence("engine", checks.word("engine", engine)))
    asked.gpus = _gpus(gpus)
    asked.weights = _words("weights", weights) or [""]  # blank: as the model is published
    asked.kv = _words("kv", kv) or [""]
    asked.n_gpus = [int(_number("n_gpus", one)) for one in _listed(n_gpus)]
    asked.limits = _limits(limits or {})
    asked.ttft_ms, asked.tpot_ms = asked.limits.get("ttft_ms"), asked.limits.get("tpot_ms")  # as an API is asked for
    if asked.chance and not asked.limits:
        raise BadInput("chance is given without a limit that it is the chance of; give limits, such as ttft_ms=1000")
    asked.max_gpus, asked.max_kw, asked.max_usd_per_month = (
        _budget(name, value) for name, value in (("max_gpus", max_gpus), ("max_kw", max_kw),
                                                 ("max_usd_per_month", max_usd_per_month)))
    _load(asked, case, requests_per_s, requests_per_day, profile, peak_to_mean, concurrency)
    _prices(asked, case, usd_per_gpu_hour)
    return asked


def _scenario(given, **stated):
    """The case of a scenario, with what is stated beside it in place of what it says; None of a model.

    A case that is made already stays as it is.
    """
    if isinstance(given, SimpleNamespace):
        return given
    if isinstance(given, os.PathLike):
        given = str(given)
    if not isinstance(given, str | dict):
        raise BadInput(f"model is of the type {type(given).__name__}; give an id of `tokenecon list models`, the path of a "
                       "config.json, or a scenario")
    if isinstance(given, str) and Path(given).suffix.lower() not in SCENARIOS and given not in scenario.names():
        return None
    changes = {name: value for name, value in stated.items() if value is not None}
    return scenario.overridden(given, changes) if changes else scenario.load(given)


def _day(value):
    """A day from the first price on; the newest if none is given."""
    first, day = data.extreme("prices", "as_of", "min"), price_book.day(value)
    if day < first:
        raise BadInput(f"as_of is {day}; it must be {first}, the first price in the book, or later; see `tokenecon list prices`")
    return day


def _said(sentence):
    if sentence:
        raise BadInput(sentence)


def _float(value):
    """A number, or one in a text; NaN for what is none."""
    if isinstance(value, str):
        return of_text(value)
    return float(value) if isinstance(value, numbers.Real) and abs(value) < FAR else float("nan")


def _number(name, value):
    """A number as `estimate` takes it."""
    found = _float(value)
    if found != found or checks.outside(name, found) or checks.broken(name, found):
        raise BadInput(checks.number_sentence(name, value, value is None))
    return found


def _budget(name, value):
    if value is None:
        return None
    found = _float(value)
    if not 0 < found <= MOST:
        raise BadInput(f"{name} is {quoted(value)}; it must be a number above 0 and at most {MOST:,.0f}")
    return found


def _share(name, value):
    if value is None:
        return None
    found = _float(value)
    if not 0 < found < 1:
        raise BadInput(f"{name} is {quoted(value)}; it must be a number above 0 and below 1 (0.9 means nine in ten)")
    return found


def _listed(value):
    if value is None:
        return []
    return split(value) if isinstance(value, str) else list(value) if hasattr(value, "__iter__") else [value]


def _words(name, value):
    found = [checks.word(name, one) for one in _listed(value)]
    for one in found:
        _said(checks.word_sentence(name, one))
    return list(dict.fromkeys(found))


def _gpus(value):
    found = _listed(value)
    if found in ([], ["all"]):
        return list(data.gpus().index)
    for one in found:
        if not isinstance(one, str):
            raise UnknownId("gpu", one, data.ids("gpus"), "`tokenecon list gpus`")
    return list(dict.fromkeys(data.gpu(one)["gpu"] for one in found))


def _limits(given):
    found = {}
    if not isinstance(given, dict):
        raise BadInput(f"limits are {quoted(given)}; give a mapping such as {{'ttft_ms': 1000}}, of {', '.join(LIMITS)}")
    for name, value in given.items():
        if name not in LIMITS:
            raise BadInput(f"limit '{name}' is not known{did_you_mean(name, LIMITS)}; the model knows {', '.join(LIMITS)}, "
                           "and no other percentile")
        limit = _float(value)
        if not 0 < limit < float("inf"):
            raise BadInput(f"limit {name} is {quoted(value)}; it must be a number of milliseconds above 0")
        found[name] = limit
    return found


def _load(asked, case, requests_per_s, requests_per_day, profile, peak_to_mean, concurrency):
    """``load`` as `estimate` knows it, the mean and the busiest rate, the ratios of the hours, the clients."""
    stated = [name for name, value in zip(LOADS, (requests_per_day, requests_per_s, concurrency), strict=True)
              if value is not None]
    if len(stated) > 1:
        raise BadInput(f"{' and '.join(stated)} are both given; a load has one of {', '.join(LOADS)}")
    if not stated and case is not None:
        stated, requests_per_day = ["requests_per_day"], case.requests_per_day
    asked.stated = stated[0] if stated else ""
    asked.load = CLOSED_LOOP if concurrency is not None else POISSON
    asked.clients = None if concurrency is None else _number("concurrency", concurrency)
    asked.rate = asked.peak = None
    asked.hours, asked.profile = [1.0], ""
    if (profile or peak_to_mean) and (requests_per_s is not None or requests_per_day is None):
        raise BadInput(f"{'profile' if profile else 'peak_to_mean'} is given without requests_per_day, whose hours it says")
    if requests_per_s is not None:
        asked.rate = asked.peak = _number("requests_per_s", requests_per_s)
    elif asked.stated == "requests_per_day":
        found = _float(requests_per_day)
        if not 0 < found <= 1e12:
            raise BadInput(f"requests_per_day is {quoted(requests_per_day)}; it must be a number above 0 and at most 1e12")
        asked.rate = found / SECONDS_PER_DAY
        if case is None:
            _hours(asked, profile, peak_to_mean)
        else:
            _hours_of(asked, case)


def _hours_of(asked, case):
    """Hours of a scenario, and its bursts."""
    if case.utilisation is not None:
        raise BadInput(f"scenario '{case.name}': traffic.utilisation says how busy machines are, which a plan works out; give "
                       "profile or peak_to_mean")
    asked.profile = case.trace or "as the scenario says"
    asked.hours = [float(case.burst * ratio) for ratio in case.profile["ratio"]]
    asked.peak = asked.rate * max(asked.hours)


def _hours(asked, profile, peak_to_mean):
    """Hours of a service of this size, and its bursts inside them, as a scenario has them."""
    if profile and peak_to_mean:
        raise BadInput("profile and peak_to_mean are both given; the hours of a day have one of them")
    burst = traffic.of_size(asked.rate)[1]
    try:
        if peak_to_mean:
            hours = traffic.synthetic(_float(peak_to_mean))
        elif profile in traffic.HOURLY:
            hours, burst = traffic.sized(profile, asked.rate)
        else:
            hours, burst = traffic.profile(profile or "flat"), 1.0 if profile in (None, "flat") else burst
    except ValueError as error:  # BadInput is one, too
        raise BadInput(str(error)) from None
    asked.profile = profile or (f"a smooth day, peak {_float(peak_to_mean):g} times the mean" if peak_to_mean else "flat")
    asked.hours = [burst * ratio for ratio in hours["ratio"]]
    asked.peak = asked.rate * max(asked.hours)


def _one_of(name, value, allowed):
    if value not in allowed:
        raise BadInput(f"{name} is {quoted(value)}; it must be one of {', '.join(allowed)}{did_you_mean(str(value), allowed)}")


def _prices(asked, case, usd_per_gpu_hour):
    """Rule, kind and stated prices, and the terms of owned machines: those of the scenario, else of ``data/``."""
    _one_of("price_rule", asked.price_rule, tuple(gpu_prices.PRICE_RULES))
    if asked.kind is not None:
        _one_of("kind", asked.kind, tuple(kind for kind, (_, _, policy) in KINDS.items() if policy))
    given = usd_per_gpu_hour if isinstance(usd_per_gpu_hour, dict) else dict.fromkeys(asked.gpus, usd_per_gpu_hour)
    for gpu, usd in given.items():
        if usd is not None and not 0 < _float(usd) <= checks.MOST["usd_per_gpu_hour"]:
            raise BadInput(f"usd_per_gpu_hour of {gpu} is {quoted(usd)}; it must be {checks.allowed_text('usd_per_gpu_hour')}")
    asked.stated_prices = {gpu: _float(usd) for gpu, usd in given.items() if usd is not None}
    for name, value in OF_SCENARIO.items():
        setattr(asked, name, value if case is None else getattr(case, name))
    for name in TERMS:
        setattr(asked, name, data.value(scenario.ASSUMED[name]) if case is None else getattr(case, name))
    asked.residual_share = (horizon.resale_share(asked.years, data.value("finance.residual")) if case is None else
                            case.residual_share)

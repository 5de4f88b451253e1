"""What ``tokenecon plan`` is asked: every value checked before anything is computed, each refusal one sentence."""

from types import SimpleNamespace

from tokenecon import data
from tokenecon.errors import BadInput, UnknownId, did_you_mean, quoted
from tokenecon.fleet import traffic
from tokenecon.kinds import split
from tokenecon.numbers import of_text
from tokenecon.prices import gpu_prices
from tokenecon.serving import checks, lookups, results, steady_state
from tokenecon.units import SECONDS_PER_DAY

LIMITS = ("ttft_ms", "tpot_ms", *results.PERCENTILES)  # the mean, and what is known of its distribution
LOADS = ("requests_per_day", "requests_per_s", "concurrency")
RATES = ("typical", "list")  # price rules by which a GPU has one price whatever the size of an order
MOST = 1e9  # of a budget
CLOSED_LOOP, POISSON = (steady_state.LOADS[place] for place in (steady_state.CLOSED_LOOP, steady_state.POISSON))


def ask(model, *, isl, osl, gpus=None, weights=None, kv=None, n_gpus=None, limits=None, chance=None, cached_prefix=0.0,
        engine=None, requests_per_s=None, requests_per_day=None, profile=None, peak_to_mean=None, concurrency=None,
        max_gpus=None, max_kw=None, max_usd_per_month=None, kind=None, price_rule="typical", as_of=None, usd_per_gpu_hour=None):
    """The question as attributes; see :func:`tokenecon.plan` for their meaning."""
    asked = SimpleNamespace(
        model=model, isl=_number("isl", isl), osl=_number("osl", osl), cached_prefix=_number("cached_prefix", cached_prefix),
        engine=engine, chance=_share("chance", chance), kind=kind, price_rule=price_rule,
        as_of=as_of or gpu_prices.newest_price_date())
    lookups.record(model)  # refuses an unknown one
    if engine is not None:
        _said(checks.word_sentence("engine", checks.word("engine", engine)))
    asked.gpus = _gpus(gpus)
    asked.weights = _words("weights", weights) or [""]  # blank: as the model is published
    asked.kv = _words("kv", kv) or [""]
    asked.n_gpus = [int(_number("n_gpus", one)) for one in _listed(n_gpus)]
    asked.limits = _limits(limits or {})
    if asked.chance and not asked.limits:
        raise BadInput("chance is given without a limit that it is the chance of; give limits, such as ttft_ms=1000")
    asked.max_gpus, asked.max_kw, asked.max_usd_per_month = (
        _budget(name, value) for name, value in (("max_gpus", max_gpus), ("max_kw", max_kw),
                                                 ("max_usd_per_month", max_usd_per_month)))
    _load(asked, requests_per_s, requests_per_day, profile, peak_to_mean, concurrency)
    _prices(asked, usd_per_gpu_hour)
    return asked


def _said(sentence):
    if sentence:
        raise BadInput(sentence)


def _number(name, value):
    """A number as `estimate` takes it."""
    found = of_text(value) if isinstance(value, str) else float("nan") if value is None else float(value)
    if found != found or checks.outside(name, found) or checks.broken(name, found):
        raise BadInput(checks.number_sentence(name, value, value is None))
    return found


def _budget(name, value):
    if value is None:
        return None
    found = of_text(value) if isinstance(value, str) else float(value)
    if not 0 < found <= MOST:
        raise BadInput(f"{name} is {quoted(value)}; it must be a number above 0 and at most {MOST:,.0f}")
    return found


def _share(name, value):
    if value is None:
        return None
    found = of_text(value) if isinstance(value, str) else float(value)
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
    known = list(data.gpus().index)
    for one in found:
        if one not in known:
            raise UnknownId("gpu", one, known, "`tokenecon list gpus`")
    return list(dict.fromkeys(found))


def _limits(given):
    found = {}
    for name, value in given.items():
        if name not in LIMITS:
            raise BadInput(f"limit '{name}' is not known{did_you_mean(name, LIMITS)}; the model knows {', '.join(LIMITS)}, "
                           "and no other percentile")
        limit = of_text(value) if isinstance(value, str) else float(value)
        if not 0 < limit < float("inf"):
            raise BadInput(f"limit {name} is {quoted(value)}; it must be a number of milliseconds above 0")
        found[name] = limit
    return found


def _load(asked, requests_per_s, requests_per_day, profile, peak_to_mean, concurrency):
    """``load`` as `estimate` knows it, the mean and the busiest rate, the ratios of the hours, the clients."""
    stated = [name for name, value in zip(LOADS, (requests_per_day, requests_per_s, concurrency), strict=True)
              if value is not None]
    if len(stated) > 1:
        raise BadInput(f"{' and '.join(stated)} are both given; a load has one of {', '.join(LOADS)}")
    asked.stated = stated[0] if stated else ""
    asked.load = CLOSED_LOOP if concurrency is not None else POISSON
    asked.clients = None if concurrency is None else _number("concurrency", concurrency)
    asked.rate = asked.peak = None
    asked.hours, asked.profile = [1.0], ""
    if (profile or peak_to_mean) and requests_per_day is None:
        raise BadInput(f"{'profile' if profile else 'peak_to_mean'} is given without requests_per_day, whose hours it says")
    if requests_per_s is not None:
        asked.rate = asked.peak = _number("requests_per_s", requests_per_s)
    elif requests_per_day is not None:
        found = of_text(requests_per_day) if isinstance(requests_per_day, str) else float(requests_per_day)
        if not 0 < found <= 1e12:
            raise BadInput(f"requests_per_day is {quoted(requests_per_day)}; it must be a number above 0 and at most 1e12")
        asked.rate = found / SECONDS_PER_DAY
        _hours(asked, profile, peak_to_mean)


def _hours(asked, profile, peak_to_mean):
    """Hours of a service of this size, and its bursts inside them, as a scenario has them."""
    if profile and peak_to_mean:
        raise BadInput("profile and peak_to_mean are both given; the hours of a day have one of them")
    burst = traffic.of_size(asked.rate)[1]
    try:
        if peak_to_mean:
            hours = traffic.synthetic(float(peak_to_mean))
        elif profile in traffic.HOURLY:
            hours, burst = traffic.sized(profile, asked.rate)
        else:
            hours, burst = traffic.profile(profile or "flat"), 1.0 if profile in (None, "flat") else burst
    except ValueError as error:  # BadInput is one, too
        raise BadInput(str(error)) from None
    asked.profile = profile or (f"a smooth day, peak {float(peak_to_mean):g} times the mean" if peak_to_mean else "flat")
    asked.hours = [burst * ratio for ratio in hours["ratio"]]
    asked.peak = asked.rate * max(asked.hours)


def _prices(asked, usd_per_gpu_hour):
    if asked.price_rule not in RATES:
        raise BadInput(f"price_rule is {quoted(asked.price_rule)}; it must be {' or '.join(RATES)}: the cheapest offer depends "
                       "on the size of the order, and `tokenecon cost` finds it")
    kinds = ("own", *lookups.PRICES)
    if asked.kind is not None and asked.kind not in kinds:
        raise BadInput(f"kind is {quoted(asked.kind)}; it must be one of {', '.join(kinds)}{did_you_mean(asked.kind, kinds)}")
    given = usd_per_gpu_hour if isinstance(usd_per_gpu_hour, dict) else dict.fromkeys(asked.gpus, usd_per_gpu_hour)
    for gpu, usd in given.items():
        if usd is not None and not 0 < float(usd) <= checks.MOST["usd_per_gpu_hour"]:
            raise BadInput(f"usd_per_gpu_hour of {gpu} is {quoted(usd)}; it must be {checks.allowed_text('usd_per_gpu_hour')}")
    asked.stated_prices = {gpu: float(usd) for gpu, usd in given.items() if usd is not None}

"""The closed list of units, and the only conversion constants of the package.

Every number in ``data/`` and every bracketed unit in a docstring is spelt as one of
:data:`UNITS`.  A unit is a product of atoms (``USD/GPU/h``); an atom has a factor and a
dimension.  The module runs on MicroPython, so it uses nothing but plain Python.
"""

MYPY = False
if MYPY:  # for the type checker alone: MicroPython has no typing
    from typing import Any
else:
    Any = object

# One atom: (factor to the base unit, {base dimension: power}).  The base units are the
# dollar, the token, the second, the GPU, the byte, the FLOP, the joule and the gram of CO2e.
ATOMS = {
    "1": (1.0, {}),
    "USD": (1.0, {"USD": 1}),
    "tok": (1.0, {"tok": 1}),
    "tok_in": (1.0, {"tok": 1}),
    "tok_out": (1.0, {"tok": 1}),
    "tok_cached": (1.0, {"tok": 1}),
    "ktok": (1e3, {"tok": 1}),
    "Mtok": (1e6, {"tok": 1}),
    "Mtok_in": (1e6, {"tok": 1}),
    "Mtok_out": (1e6, {"tok": 1}),
    "Mtok_cached": (1e6, {"tok": 1}),
    "s": (1.0, {"s": 1}),
    "ms": (1e-3, {"s": 1}),
    "us": (1e-6, {"s": 1}),
    "min": (60.0, {"s": 1}),
    "h": (3600.0, {"s": 1}),
    "day": (86400.0, {"s": 1}),
    "month": (2628000.0, {"s": 1}),  # a twelfth of 365 days
    "yr": (31536000.0, {"s": 1}),  # 365 days
    "GPU": (1.0, {"GPU": 1}),
    "B": (1.0, {"B": 1}),
    "KiB": (1024.0, {"B": 1}),
    "MiB": (1024.0**2, {"B": 1}),
    "GiB": (1024.0**3, {"B": 1}),
    "MB": (1e6, {"B": 1}),
    "GB": (1e9, {"B": 1}),
    "TB": (1e12, {"B": 1}),
    "bit": (0.125, {"B": 1}),
    "FLOP": (1.0, {"FLOP": 1}),
    "TFLOP": (1e12, {"FLOP": 1}),
    "J": (1.0, {"J": 1}),
    "kWh": (3.6e6, {"J": 1}),
    "W": (1.0, {"J": 1, "s": -1}),
    "kW": (1e3, {"J": 1, "s": -1}),
    "gCO2e": (1.0, {"gCO2e": 1}),
    "kgCO2e": (1e3, {"gCO2e": 1}),
    "percent": (0.01, {}),
    # Counts and shares: no dimension, but a name, so that a reader knows what is counted.
    "fraction": (1.0, {}),
    "ratio": (1.0, {}),
    "count": (1.0, {}),
    "param": (1.0, {}),
    "position": (1.0, {}),  # a token's place in a sequence: geometry, not traffic
    "sequence": (1.0, {}),
    "layer": (1.0, {}),
    "head": (1.0, {}),
    "expert": (1.0, {}),
    "request": (1.0, {}),
    "word": (1.0, {}),
    "site": (1.0, {}),
}

# What may stand in a data file or a docstring.  Closed: a new spelling is a deliberate change here.
UNITS = (
    "1", "fraction", "ratio", "count", "param", "position", "sequence", "layer", "head",
    "expert", "request", "word", "site", "GPU", "ratio/GPU",
    "tok", "tok_in", "tok_out", "tok_cached", "Mtok", "tok/word", "word/tok", "tok/request",
    "tok_in/request", "tok_out/request",
    "s", "ms", "us", "min", "h", "day", "month", "yr", "1/s", "1/h", "1/yr", "h/day",
    "s/request", "request/s", "request/h", "request/day",
    "tok/s", "tok_in/s", "tok_out/s", "tok/h", "tok/day", "tok_out/day", "tok/month",
    "tok/s/GPU", "tok_in/s/GPU", "tok_out/s/GPU",
    "s/tok", "s/tok_in", "s/tok_out", "ms/tok_out",
    "B", "KiB", "MiB", "GiB", "MB", "GB", "TB", "bit", "B/GPU", "GB/GPU", "GiB/GPU",
    "B/param", "bit/param", "B/position", "KiB/position", "B/sequence", "GB/sequence",
    "B/tok", "GB/tok", "B/s", "GB/s", "TB/s", "B/s/GPU", "GB/s/GPU", "TB/s/GPU",
    "FLOP", "TFLOP", "FLOP/tok", "FLOP/s", "TFLOP/s", "FLOP/s/GPU", "TFLOP/s/GPU", "FLOP/B",
    "W", "kW", "W/GPU", "kW/GPU", "J", "kWh", "J/tok", "J/tok_out", "kWh/Mtok_out",
    "gCO2e", "gCO2e/kWh", "gCO2e/tok_out", "gCO2e/Mtok_out",
    "USD", "USD/GPU", "USD/h", "USD/day", "USD/month", "USD/yr", "USD/GPU/h", "USD/GPU/yr",
    "USD/tok", "USD/word", "USD/ktok", "USD/Mtok", "USD/Mtok_in", "USD/Mtok_out",
    "USD/Mtok_cached", "USD/tok_in", "USD/tok_out", "USD/kWh", "USD/kW/month", "USD/GB", "USD/TB", "USD/request",
    "B/s/W", "B/s/USD", "MB/s/USD", "FLOP/s/W", "FLOP/s/USD", "B/W", "B/USD", "GB/s/W", "GB/W",
    "percent", "date", "text",
)

SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86400.0
HOURS_PER_DAY = 24.0
DAYS_PER_YEAR = 365.0
HOURS_PER_YEAR = 8760.0
HOURS_PER_MONTH = 730.0
MONTHS_PER_YEAR = 12.0
TOKENS_PER_MTOK = 1e6
TOKENS_PER_KTOK = 1e3
BITS_PER_BYTE = 8.0
BYTES_PER_GB = 1e9
BYTES_PER_GIB = 1024.0**3
FLOP_PER_MULTIPLY_ADD = 2.0  # one multiplication and one addition
WATTS_PER_KILOWATT = 1e3
JOULES_PER_KWH = 3.6e6
MS_PER_SECOND = 1e3


# End of a name -> its unit, the longest that fits: how columns of results say what they are in.
ENDS_OF_NAMES = {
    "usd_per_mtok_in": "USD/Mtok_in", "usd_per_mtok_out": "USD/Mtok_out", "usd_per_mtok_cached": "USD/Mtok_cached",
    "usd_per_mtok": "USD/Mtok", "usd_per_mtok_used": "USD/Mtok", "usd_per_gpu_hour": "USD/GPU/h", "usd_per_gpu": "USD/GPU",
    "usd_per_day": "USD/day", "usd_per_month": "USD/month", "usd_per_audio_hour": "USD/h", "usd": "USD",
    "gco2e_per_mtok_out": "gCO2e/Mtok_out", "kwh_per_mtok_out": "kWh/Mtok_out", "joules_per_tok_out": "J/tok_out",
    "gb_per_s_per_watt": "GB/s/W", "mb_per_s_per_usd": "MB/s/USD", "memory_gb_per_watt": "GB/W", "_gb": "GB",
    "requests_per_day": "request/day", "requests_per_hour": "request/h", "requests_per_s": "request/s",
    "tok_per_day": "tok/day", "tok_out_per_s": "tok_out/s", "output_tok_s": "tok_out/s", "output_tok_s_per_gpu": "tok_out/s/GPU",
    "total_tok_s": "tok/s", "tok_per_turn": "tok/request", "isl": "tok_in", "osl": "tok_out", "tokens": "tok",
    "ttft_ms": "ms", "tpot_ms": "ms/tok_out", "_ms": "ms", "_s": "s", "seconds": "s", "hour": "h", "day": "day", "years": "yr",
    "per_hour": "1/h", "per_year": "1/yr", "n_gpus": "GPU", "batch": "sequence", "concurrency": "sequence",
    "concurrency_used": "sequence", "in_flight": "sequence", "context_tokens": "position", "parameters": "param",
    "share": "fraction", "utilisation": "fraction", "occupancy": "fraction", "probability": "fraction", "mfu": "fraction",
    "discount": "fraction", "ratio": "ratio", "factor": "ratio", "speedup": "ratio", "over_prior": "ratio",
    "of_on_demand": "ratio", "relative_cost": "ratio", "replicas": "count", "offers": "count", "providers": "count",
    "claims": "count", "clients": "count", "rows": "count", "runs": "count", "nodes": "count", "zones": "count",
    "groups": "count",
}  # fmt: skip


class UnitError(ValueError):
    """A unit that is not in the closed list, or a conversion between unlike units."""


def _check(unit: str) -> None:
    if unit not in UNITS or unit in ("date", "text"):
        raise UnitError(
            "unit '%s' is not a numeric unit of the closed list; see tokenecon/units.py" % unit
        )


def dimensions(unit: str) -> dict[str, int]:
    """Powers of the base dimensions of a unit, as a dict without zeros.

    >>> dimensions("USD/GPU/h") == {"USD": 1, "GPU": -1, "s": -1}
    True
    """
    _check(unit)
    powers: dict[str, int] = {}
    for place, atom in enumerate(unit.split("/")):
        sign = 1 if place == 0 else -1
        for name, power in ATOMS[atom][1].items():
            powers[name] = powers.get(name, 0) + sign * power
    return {name: power for name, power in powers.items() if power}


def factor(unit: str) -> float:
    """Size of a unit in base units.

    >>> factor("TB/s")
    1000000000000.0
    """
    _check(unit)
    size = 1.0
    for place, atom in enumerate(unit.split("/")):
        size = size * ATOMS[atom][0] if place == 0 else size / ATOMS[atom][0]
    return size


def convert(value: Any, source: str, target: str) -> Any:
    """A value given in one unit, expressed in another of the same dimension.

    >>> convert(80.0, "GB", "GiB") < 74.6
    True
    """
    if dimensions(source) != dimensions(target):
        raise UnitError("cannot convert '%s' to '%s': unlike dimensions" % (source, target))
    return value * (factor(source) / factor(target))


def of_name(name: str) -> str:
    """The unit that the name of a column says, of a range or a percentile that of its middle; empty where it says none.

    >>> of_name("tpot_ms_p90"), of_name("usd_per_mtok_out_low"), of_name("committed_share"), of_name("slot")
    ('ms/tok_out', 'USD/Mtok_out', 'fraction', '')
    """
    for end in ("_error", "_low", "_high", "_p50", "_p90", "_p95", "_p99"):
        if name.endswith(end):
            name = name[: -len(end)]
    fitting = [end for end in ENDS_OF_NAMES if name == end.strip("_") or name.endswith(end if end[0] == "_" else "_" + end)]
    return ENDS_OF_NAMES[max(fitting, key=len)] if fitting else ""

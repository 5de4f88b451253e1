"""What a user asks of ``estimate``: the columns, their defaults, and one sentence for every row that is wrong."""

import re

import numpy as np
import pandas as pd

from tokenecon import numbers
from tokenecon.errors import BadCases, BadInput, NoPrice, alike
from tokenecon.prices import gpu_prices
from tokenecon.queries import remembered
from tokenecon.serving import coefficients, operands, steady_state
from tokenecon.serving.calibration import support

REQUIRED = ("model", "gpu", "n_gpus", "isl", "osl")
TEXTS = {"weights": operands.WEIGHTS, "kv": tuple(operands.CACHES), "load": steady_state.LOADS,
         "engine": (*coefficients.ENGINES, "any")}  # fmt: skip
# name: (default, allowed, meaning); the defaults of texts stand in `read`
NUMBERS = {
    "n_gpus": (None, "a whole number from 1", "GPUs of the instance; a multiple of tp times pp, the quotient is the "
               "number of replicas, which share the concurrency"),
    "isl": (None, "at least 1", "prompt tokens of a request"),
    "osl": (None, "at least 1", "answer tokens of a request"),
    "tp": (np.nan, "a whole number from 1", "GPUs that share each layer; blank = n_gpus / pp"),
    "pp": (1.0, "a whole number from 1", "pipeline stages"),
    "attention_dp": (1.0, "a divisor of tp", "groups within tp that attend to different sequences, experts spread "
                     "over all; where it does not divide tp, a replica has tp times attention_dp GPUs"),
    "ep": (np.nan, "a divisor of tp", "ranks that hold different experts; blank = tp with attention_dp, else 1"),
    "concurrency": (np.inf, "above 0", "requests in flight; blank = as many as fit"),
    "usd_per_gpu_hour": (np.nan, "at least 0", "blank = the typical on-demand price in data/prices.csv"),
    "utilisation": (1.0, "above 0, at most 1", "share of paid time under this load"),
    "cached_prefix": (0.0, "at least 0, below 1", "share of the prompt found in a prefix cache"),
    "draft_tokens": (0.0, "a whole number from 0", "tokens drafted for each verifying pass"),
    "acceptance": (0.7, "at least 0, below 1", "chance that a drafted token is accepted"),
    "prefill_gpus": (0.0, "a multiple of tp times pp below n_gpus", "GPUs of n_gpus that only prefill; 0 = none"),
}  # fmt: skip
# beyond them nobody serves, and arithmetic would only fill the table with what looks like numbers
MOST = {"n_gpus": 1_000_000, "isl": 100_000_000, "osl": 100_000_000, "concurrency": 1_000_000_000, "usd_per_gpu_hour": 1_000_000,
        "draft_tokens": 100}
WHOLE = ("n_gpus", "tp", "pp", "attention_dp", "ep", "draft_tokens", "prefill_gpus")
OPTIONAL_TEXTS = ("draft_model",)
SAME_SPEED = {"fp8-block": "fp8"}  # a number format that serves like another: the same to 0.01 bit a value
COMMA = re.compile(r"-?\d+,\d+")
LONG = 60  # characters of a wrong value that a sentence repeats
KNOWN = (*REQUIRED, *TEXTS, *(name for name in NUMBERS if name not in REQUIRED), *OPTIONAL_TEXTS)


def allowed_text(name):
    """What a number may be, in words."""
    return NUMBERS[name][1] + (f", at most {MOST[name]:,}" if name in MOST else "")


class CheckedCases:
    """Columns of the cases as numbers, their distinct hardware in `table`, and what is wrong with each row."""


def frame(given, results=()):
    """A DataFrame of the cases, with the columns checked; none may have the name of a result."""
    if isinstance(given, dict):
        scalar = all(np.ndim(value) == 0 for value in given.values())
        try:
            given = pd.DataFrame([given]) if scalar else pd.DataFrame(given)
        except ValueError as error:
            raise BadCases(f"cases are no table: {error}; give every column as many values") from error
    if not isinstance(given, pd.DataFrame):
        raise BadCases(f"cases are a {type(given).__name__}; give a DataFrame, or a dict of one case")
    twice = given.columns[given.columns.duplicated()]
    if len(twice):
        raise BadCases(f"column '{twice[0]}' stands twice; give each column once")
    if taken := [name for name in results if name in given.columns]:
        raise BadCases(f"column '{taken[0]}' has the name of a result, which would replace it; rename it or leave it out")
    missing = [name for name in REQUIRED if name not in given.columns]
    if missing:
        raise BadCases(f"cases lack the columns {', '.join(missing)}; needed are {', '.join(REQUIRED)}")
    for name in given.columns:
        near = alike(name, [known for known in KNOWN if known not in given.columns], 1)
        same_letters = near and sorted(str(name).lower().replace("-", "_")) == sorted(near[0])
        if name not in KNOWN and (same_letters or (near and abs(len(str(name)) - len(near[0])) <= 1)):
            raise BadCases(f"column '{name}' is not known; did you mean '{near[0]}'? "
                           f"Columns are {', '.join(KNOWN)}; others are carried along if they resemble none")
    return given


def read(given):
    """Check every row and turn it into numbers; wrong rows get a sentence in `error`, the rest is computed."""
    ask = CheckedCases()
    size = len(given)
    ask.error = np.full(size, "", dtype=object)
    number = {name: _numbers(given, name, ask) for name in NUMBERS}
    text = {name: _texts(given, name, size) for name in ("model", "gpu", *TEXTS, *OPTIONAL_TEXTS)}
    text["weights"] = _filled(text["weights"], "bf16")
    for other, same in SAME_SPEED.items():
        text["weights"] = np.where(text["weights"] == other, same, text["weights"])
    blank = text["kv"] == ""
    if blank.any():
        eight = np.isin(text["weights"].astype(str), ("fp8", "int8", "nvfp4"))
        text["kv"] = np.where(blank, np.where(eight, "fp8", "bf16"), text["kv"])
    text["engine"] = _filled(text["engine"], "any")
    blank = text["load"] == ""
    if blank.any():
        text["load"] = np.where(blank, np.where(np.isfinite(number["concurrency"]), "closed_loop", "offline"),
                                text["load"])
    for name, allowed in TEXTS.items():
        _known(text[name], name, allowed, ask)
    _support(text, ask)
    _layout(number, text["model"], ask)
    good = ask.error == ""
    number["load"], number["engine"] = np.zeros(size), np.zeros(size)
    for name in ("load", "engine"):
        for place, choice in enumerate(TEXTS[name]):
            number[name][text[name] == choice] = place
    ask.numbers, ask.gpus = number, text["gpu"]
    ids = [text[name][good] for name in ("model", "gpu", "weights", "kv", "draft_model")]
    ask.place = np.zeros(size, dtype=np.intp)
    ask.table, ask.drafts = {}, {}
    if good.any():
        ask.place[good], distinct = operands.combinations(*ids)
        model, gpu, weights, kv, draft = zip(*distinct, strict=True)
        ask.table = operands.columns(model, gpu, weights, kv)
        price = {one: price_of(one) for one in set(gpu)}
        ask.table["quoted_price"] = np.array([price[one] for one in gpu])
        ask.table["calibrated"] = np.array([float(support.measured_before(*one[:4])) for one in distinct])
        named = [own or whole for own, whole in zip(draft, model, strict=True)]
        ask.drafts = {"has": np.array([bool(own) for own in draft]),
                      "table": operands.columns(named, gpu, weights, kv)}
    return ask


def _numbers(given, name, ask):
    default = NUMBERS[name][0]
    if name not in given.columns:
        return np.full(len(given), default)
    column = given[name]
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        blank = np.isnan(values)
    else:
        texts = column.astype(object).where(column.notna(), "").astype(str).str.strip()
        codes, distinct = pd.factorize(texts)
        values, blank = np.array([numbers.of_text(one) for one in distinct])[codes], (texts == "").to_numpy()
    wrong = ~blank & ~np.isfinite(values)
    if default is None:
        wrong |= blank
    values = np.where(blank & (default is not None), np.nan if default is None else default, values)
    stated = ~blank & ~wrong
    if name in WHOLE:
        wrong |= stated & (values != np.floor(values))
    with np.errstate(invalid="ignore"):
        low = {"isl": values < 1, "osl": values < 1, "concurrency": values <= 0, "usd_per_gpu_hour": values < 0,
               "utilisation": (values <= 0) | (values > 1), "cached_prefix": (values < 0) | (values >= 1),
               "acceptance": (values < 0) | (values >= 1), "draft_tokens": values < 0,
               "prefill_gpus": values < 0}.get(name, values < 1)
        wrong |= stated & (low | (values > MOST.get(name, np.inf)))
    for row in np.flatnonzero(wrong):
        value = column.iloc[row]
        said = "blank" if blank[row] else f"'{value:g}'" if isinstance(value, float) else f"'{str(value)[:LONG]}'"
        comma = "; write a point before decimals" if COMMA.fullmatch(str(value).strip()) else ""
        _say(ask, row, f"{name} is {said}; it must be {allowed_text(name)}{comma}")
    return values


def _texts(given, name, size):
    if name not in given.columns:
        return np.full(size, "", dtype=object)
    column = given[name]
    values = column.astype(object).where(column.notna(), "").to_numpy(dtype=object)
    try:
        codes, distinct = pd.factorize(values)
    except TypeError:  # a list or the like is no id; the sentence about it shows it as text
        codes, distinct = pd.factorize(values.astype(str))
    clean = np.array([str(one).strip() if name in ("model", "draft_model") else str(one).strip().lower()
                      for one in distinct], dtype=object)
    return clean[codes]


def _filled(values, default):
    return np.where(values == "", default, values)


def _say(ask, row, sentence):
    if not ask.error[row]:
        ask.error[row] = sentence


def _known(values, name, allowed, ask):
    codes, distinct = pd.factorize(values)
    for place, one in enumerate(distinct):
        if one not in allowed:
            near = alike(one, allowed, 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            for row in np.flatnonzero(codes == place):
                _say(ask, row, f"{name} '{one}' is not known{hint} Allowed are {', '.join(allowed)}"
                     if hint else f"{name} '{one}' is not known; allowed are {', '.join(allowed)}")


def _support(text, ask):
    """Unknown ids, and what the model of serving does not cover, once for every distinct combination."""
    for name, function in (("model", operands.shape_columns), ("gpu", operands.gpu_columns),
                           ("draft_model", operands.shape_columns)):
        codes, distinct = pd.factorize(text[name])
        for place, one in enumerate(distinct):
            if name == "draft_model" and one == "":
                continue
            try:
                if one == "":
                    raise BadCases(f"{name} is blank; see `tokenecon list {name}s`")
                function(one)
            except BadInput as error:
                for row in np.flatnonzero(codes == place):
                    _say(ask, row, str(error))


def _layout(number, models, ask):
    """GPUs of a replica from tp, pp and attention_dp, and whether they divide."""
    n_gpus, pp, dp = number["n_gpus"], number["pp"], number["attention_dp"]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # of rows that were refused
        tp = np.where(np.isnan(number["tp"]), n_gpus / pp, number["tp"])
        inside = tp % dp == 0
        group = np.where(inside, tp, tp * dp)
        number["group"], number["attention_tp"] = group, group / dp
        number["ep"] = np.where(np.isnan(number["ep"]), np.where(dp > 1, group, 1.0), number["ep"])
        checks = (
            (n_gpus % (group * pp) != 0, lambda row: f"n_gpus {n_gpus[row]:g} is not a multiple of tp {group[row]:g} times "
             f"pp {pp[row]:g}; give a tp and pp whose product divides n_gpus"),
            (group % number["ep"] != 0, lambda row: f"ep {number['ep'][row]:g} does not divide the {group[row]:g} GPUs of tp"),
            ((number["prefill_gpus"] % (group * pp) != 0) | (number["prefill_gpus"] >= n_gpus) & (n_gpus > 0),
             lambda row: f"prefill_gpus {number['prefill_gpus'][row]:g} must be a multiple of tp times pp "
             f"({group[row] * pp[row]:g}) and leave GPUs to decode"),
        )  # fmt: skip
    for wrong, sentence in checks:
        for row in np.flatnonzero(wrong & (ask.error == "")):
            _say(ask, row, sentence(row))
    codes, distinct = pd.factorize(models)
    for place, one in enumerate(distinct):
        own = np.flatnonzero((codes == place) & (ask.error == ""))
        if len(own):
            width = operands.record(one)["hidden_size"]
            for row in own[width % number["attention_tp"][own] != 0]:
                _say(ask, row, f"tp {number['attention_tp'][row]:g} does not divide the hidden size {width} of {one}")


@remembered
def price_of(gpu):
    """Typical price of a GPU-hour: on demand, else by the next kind that has one; NaN where none has."""
    for kind in ("on_demand", "marketplace", "committed_1y", "committed_3y", "rental_3y", "owned_neocloud",
                 "owned_hyperscaler"):
        try:
            return gpu_prices.price_range(gpu, kind)["typical"]
        except NoPrice:
            continue
    return float("nan")

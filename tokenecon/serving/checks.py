"""What a case may state: the numbers and words that ``estimate`` takes, and one sentence for each that is wrong.

A table of cases and one case go through the same checks: numbers here are floats or arrays, words are single ones.
"""

import re

from tokenecon import data, numbers
from tokenecon.errors import BadCases, BadInput, alike
from tokenecon.numerics import floor
from tokenecon.serving import coefficients, lookups, operands, steady_state

REQUIRED = ("model", "gpu", "n_gpus", "isl", "osl")
TEXTS = {"weights": operands.WEIGHTS, "kv": tuple(operands.CACHES), "load": steady_state.LOADS,
         "engine": (*coefficients.ENGINES, "any"), "release": coefficients.RELEASES,
         "exchange": steady_state.EXCHANGES, "tuning": coefficients.TUNINGS}  # fmt: skip
IDS = ("model", "gpu", "draft_model")
WORDS = (*TEXTS, *IDS)  # in the order in which they are checked
NAN, INFINITE = float("nan"), float("inf")
POISSON = steady_state.LOADS[steady_state.POISSON]
# name: (default, allowed, meaning); the defaults of texts stand in `stated`
NUMBERS = {
    "n_gpus": (None, "a whole number from 1", "GPUs of the instance; a multiple of tp times pp, the quotient is the "
               "number of replicas, which share the concurrency"),
    "isl": (None, "at least 1", "prompt tokens of a request"),
    "osl": (None, "at least 1", "answer tokens of a request"),
    "tp": (NAN, "a whole number from 1", "GPUs that share each layer; blank = n_gpus / pp"),
    "pp": (1.0, "a whole number from 1", "pipeline stages"),
    "attention_dp": (1.0, "a divisor of tp", "groups within tp that attend to different sequences, experts spread "
                     "over all; where it does not divide tp, a replica has tp times attention_dp GPUs"),
    "ep": (NAN, "a divisor of tp", "ranks that hold different experts; blank = tp with attention_dp, else 1"),
    "concurrency": (INFINITE, "above 0", "requests in flight; blank = as many as fit"),
    "requests_per_s": (NAN, "above 0", "arrivals of the whole instance, at random (Poisson); needed with load poisson, and there "
                       "alone; concurrency then limits the sequences that run at once"),
    "usd_per_gpu_hour": (NAN, "at least 0", "blank = the typical on-demand price in data/prices.csv"),
    "utilisation": (1.0, "above 0, at most 1", "share of paid time under this load"),
    "cached_prefix": (0.0, "at least 0, below 1", "share of the prompt found in a prefix cache"),
    "draft_tokens": (0.0, "a whole number from 0", "tokens drafted for each verifying pass"),
    "acceptance": (0.7, "at least 0, below 1", "chance that a drafted token is accepted"),
    "prefill_gpus": (0.0, "a multiple of prefill_tp times pp below n_gpus", "GPUs of n_gpus that only prefill; 0 = none"),
    "prefill_tp": (NAN, "a whole number from 1", "GPUs that share each layer of a replica that only prefills; blank = as many "
                   "as of one that decodes"),
    "memory_share": (NAN, "above 0, at most 1", "share of memory that the engine fills: of the GPU in vllm, of "
                     "the GPU less its context in sglang, of what weights and activations leave in tensorrt-llm; "
                     "blank = the engine's default"),
    "reserve_gb": (NAN, "at least 0", "GB on each GPU beside weights and cache; blank = context and activations of a profile"),
}  # fmt: skip
# beyond them nobody serves, and arithmetic would only fill the table with what looks like numbers
MOST = {"n_gpus": 1_000_000, "isl": 100_000_000, "osl": 100_000_000, "concurrency": 1_000_000_000, "usd_per_gpu_hour": 1_000_000,
        "draft_tokens": 100, "reserve_gb": 10_000, "requests_per_s": 1_000_000}
WHOLE = ("n_gpus", "tp", "pp", "attention_dp", "ep", "draft_tokens", "prefill_gpus", "prefill_tp")
EIGHT_BIT_CACHE = ("fp8", "int8", "nvfp4")  # weights with which engines keep the cache at 8 bits
PLACED = ("load", "engine", "release", "exchange", "tuning")
VERSION = re.compile(r"\d+(\.\d+)*[a-z0-9.+-]*")
COMMA = re.compile(r"-?\d+,\d+")
LONG = 60  # characters of a wrong value that a sentence repeats
KNOWN = (*REQUIRED, *TEXTS, *(name for name in NUMBERS if name not in REQUIRED), "draft_model")


def allowed_text(name):
    """What a number may be, in words."""
    return NUMBERS[name][1] + (f", at most {MOST[name]:,}" if name in MOST else "")


def names(given, results):
    """Refuse columns of which one is missing, misspelt, or named as a result is."""
    if taken := [name for name in results if name in given]:
        raise BadCases(f"column '{taken[0]}' has the name of a result, which would replace it; rename it or leave it out")
    if missing := [name for name in REQUIRED if name not in given]:
        raise BadCases(f"cases lack the columns {', '.join(missing)}; needed are {', '.join(REQUIRED)}")
    for name in given:
        near = [] if name in KNOWN else alike(name, [known for known in KNOWN if known not in given], 1)
        same_letters = near and sorted(str(name).lower().replace("-", "_")) == sorted(near[0])
        if same_letters or (near and abs(len(str(name)) - len(near[0])) <= 1):
            raise BadCases(f"column '{name}' is not known; did you mean '{near[0]}'? "
                           f"Columns are {', '.join(KNOWN)}; others are carried along if they resemble none")


def outside(name, values):
    """Whether numbers lie outside of what is allowed, an interval for each name; blank ones (NaN) do not."""
    if name in ("concurrency", "utilisation", "memory_share", "requests_per_s"):
        low = values <= 0
    else:
        low = values < (1.0 if name in REQUIRED or name in ("tp", "pp", "attention_dp", "ep", "prefill_tp") else 0.0)
    if name in ("cached_prefix", "acceptance"):
        return low | (values >= 1)
    most = 1.0 if name in ("utilisation", "memory_share") else MOST.get(name, INFINITE)
    return low | (values > most) | (values == INFINITE)


def broken(name, values):
    """Whether numbers are fractions where they must be whole."""
    return (values != floor(values)) if name in WHOLE else False


def number_sentence(name, value, blank):
    """What is wrong with a number, as it was given."""
    said = "blank" if blank else f"'{value:g}'" if isinstance(value, float) else f"'{str(value)[:LONG]}'"
    comma = "; write a point before decimals" if COMMA.fullmatch(str(value).strip()) else ""
    return f"{name} is {said}; it must be {allowed_text(name)}{comma}"


def _number(name, value):
    """One number as it was given: (number, sentence); a blank one is its default, a wrong one NaN."""
    text = isinstance(value, str)
    found = NAN if value is None else numbers.of_text(value.strip()) if text else float(value)
    blank = not value.strip() if text else found != found
    default = NUMBERS[name][0]
    if blank and default is not None:
        return default, ""
    if found != found or outside(name, found) or broken(name, found):
        return NAN, number_sentence(name, value, blank)
    return found, ""


def word(name, value):
    """A word as it was given, without spaces around it; blank where there is none."""
    if value is None or value != value:
        return ""
    if name in ("model", "draft_model"):
        return str(value).strip()
    text = str(value).strip().lower()
    return text.removesuffix(".0") if name == "release" else text  # a year beside blanks is read as a number with a point


def word_sentence(name, text):
    """What is wrong with a word: an unknown one, or what the model of serving does not cover."""
    if name in IDS:
        return "" if name == "draft_model" and not text else _unserved(name, text)
    allowed = TEXTS[name]
    engine, _, version = text.partition(" ")
    if name == "engine" and version and engine in allowed:
        return _version_sentence(engine, version.strip())
    if not text or operands.SAME_SPEED.get(text, text) in allowed:
        return ""
    if near := alike(text, allowed, 1):
        return f"{name} '{text}' is not known; did you mean '{near[0]}'? Allowed are {', '.join(allowed)}"
    return f"{name} '{text}' is not known; allowed are {', '.join(allowed)}"


def _version_sentence(engine, version):
    """What is wrong with the version of an engine: one newer than what was measured counts as the newest."""
    oldest, newest = lookups.versions().get(engine, ("", ""))
    if not newest or not VERSION.fullmatch(version) or lookups.numbered(version) < lookups.numbered(oldest):
        return (f"engine '{engine} {version}' is not known; " + (
            f"{engine} has versions from {oldest}, {newest} is the newest measured and stands for later ones" if newest else
            f"'{engine}' has no versions; leave it away"))
    return ""


def era(engine, version):
    """Family of fixed costs that a version of an engine has, as its place; 0 for those of today."""
    first, family = coefficients.CURRENT.get(engine, ((), "common"))
    early = bool(version) and lookups.numbered(version) < first
    return coefficients.FAMILIES.index(family) if early else 0


def newer(engine, version):
    """Whether a version of an engine is newer than any that was measured."""
    return bool(version) and lookups.numbered(version) > lookups.numbered(lookups.versions()[engine][1])


def places(words):
    """Good words as the places that :func:`results.setup` takes."""
    return {name: TEXTS[name].index(words[name]) for name in PLACED} | {"era": words["era"]}


def _unserved(name, text):
    try:
        if not text:
            raise BadCases(f"{name} is blank; see `tokenecon list {name}s`")
        (lookups.gpu_numbers if name == "gpu" else lookups.model_numbers)(text)
    except BadInput as error:
        return str(error)
    return ""


def stated(words, endless):
    """The words of a good case with their defaults; ``endless`` says that no concurrency is given.

    Blank weights are those that the model is published in, and then its cache is, too, where that is stated.
    """
    weights, kv = words["weights"], words["kv"]
    if not weights:
        weights, published = lookups.published(words["model"])
        kv = kv or (published if published in TEXTS["kv"] else "")
    weights = operands.SAME_SPEED.get(weights, weights)
    engine, _, version = (words["engine"] or "any").partition(" ")
    return words | {
        "weights": weights, "kv": kv or ("fp8" if weights in EIGHT_BIT_CACHE else "bf16"),
        "engine": engine, "era": era(engine, version.strip()), "tuning": words["tuning"] or coefficients.TUNINGS[0],
        "newer": f"engine '{engine} {version.strip()}'" if newer(engine, version.strip()) else "",
        "release": words["release"] or "any",
        "exchange": words["exchange"] or steady_state.EXCHANGES[0],
        "load": words["load"] or ("offline" if endless else "closed_loop"),
    }  # fmt: skip


def case(given):
    """One case, a dict, as (numbers, words, sentence); the sentence says what is wrong first, and is blank where nothing is."""
    number, said = {}, ""
    for name, (default, _, _) in NUMBERS.items():
        number[name], wrong = _number(name, given[name]) if name in given else (default, "")
        said = said or wrong
    words = {name: word(name, given.get(name)) for name in WORDS}
    said = said or next(filter(None, (word_sentence(name, words[name]) for name in WORDS)), "")
    said = said or arrivals_sentence(words["load"], number["requests_per_s"], number["prefill_gpus"])
    return number, words if said else stated(words, number["concurrency"] == INFINITE), said


def arrivals_sentence(load, requests_per_s, prefill_gpus):
    """What is wrong with the arrivals of one case: a load without its rate, a rate without its load, or no model of both."""
    if load != POISSON:
        return "" if requests_per_s != requests_per_s else f"requests_per_s is '{requests_per_s:g}'; it needs load poisson"
    if requests_per_s != requests_per_s:
        return "requests_per_s is blank; load poisson needs it, above 0"
    return ("load poisson has no model for prefill_gpus; leave prefill_gpus away, or ask for load closed_loop"
            if prefill_gpus > 0 else "")


def overload_sentence(requests_per_s, most_per_s):
    """Why a case that fits has no latencies: more requests arrive than it serves, so that they would wait ever longer."""
    return (f"requests_per_s {requests_per_s:g} is more than the {most_per_s:.4g} that this instance serves; lower it, or raise "
            "n_gpus")


def price_sentence(gpu):
    """Why a case has no cost: no price is given and none is known."""
    return f"gpu '{gpu}' has no offer in {data.file('prices')}; give usd_per_gpu_hour"

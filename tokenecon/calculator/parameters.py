"""What a reader may ask: the parameters of a case, what each may be, and one sentence for each value that is wrong.

The bounds are also those of a scenario file (:mod:`tokenecon.decision.scenario_schema`).
"""

from tokenecon import numbers
from tokenecon.serving import operands

# name: (words of what is allowed, bounds)
LIMITS = {
    "isl": ("a number from 1 to 1e8 (input tokens of a request)", {"ge": 1, "le": 1e8}),
    "osl": ("a number from 1 to 1e8 (output tokens of a request)", {"ge": 1, "le": 1e8}),
    "cached_prefix": ("a number of at least 0 and below 1 (0.4 means 40% of the input)", {"ge": 0, "lt": 1}),
    "requests_per_day": ("a number above 0 and at most 1e12", {"gt": 0, "le": 1e12}),
    "peak_to_mean": ("a number of at least 1 and below 24 (busiest hour over the mean)", {"ge": 1, "lt": 24}),
    "people": ("a number from 0 to 1000 (positions that run an own or rented service)", {"ge": 0, "le": 1000}),
    "spare_replicas": ("a whole number from 0 to 1000 (replicas beyond those that the load needs)", {"ge": 0, "le": 1000}),
    "n_gpus": ("a whole number from 1 to 1024 (GPUs of a replica, in place of the best size)", {"ge": 1, "le": 1024}),
    "ttft_ms": ("a number above 0", {"gt": 0}),
    "tpot_ms": ("a number above 0", {"gt": 0}),
    "usd_per_kwh": ("a number of at least 0", {"ge": 0}),
    "usd_per_gpu_hour": ("a price above 0 in USD", {"gt": 0}),
}  # fmt: skip
WHOLE = ("n_gpus", "spare_replicas")
OPTIONAL = ("n_gpus", "peak_to_mean", "usd_per_gpu_hour")  # blank says something of its own
ENDLESS = float("inf")
ALL = "all"  # in place of an accelerator: each of them
# the parameters of the page in their order: (name, unit, words, help)
FIELDS = (
    ("model", "", "Model", "Open weights of the catalogue."),
    ("requests_per_day", "request/day", "Requests a day", "The mean over all days."),
    ("isl", "tok_in", "Input tokens of a request", "Prompt, history and documents together: the mean."),
    ("osl", "tok_out", "Output tokens of a request", "What the model writes, its reasoning included: the mean."),
    ("gpus", "", "Accelerator", "One of them, some, or all."),
    ("n_gpus", "GPU", "GPUs of a replica", "Blank: the size that serves most for each GPU."),
    ("weights", "", "Format of the weights", "Narrower formats read less memory."),
    ("kv", "", "Format of the KV cache", ""),
    ("cached_prefix", "fraction", "Share of the input in the cache", "What a prefix cache holds already."),
    ("profile", "", "Hours of the load", "How requests spread over the hours of a week."),
    ("peak_to_mean", "ratio", "Or: busiest hour over the mean", "Blank: the hours above. A number: a smooth day with this peak."),
    ("ttft_ms", "ms", "Limit of the first token", "The mean time to the first token, TTFT."),
    ("tpot_ms", "ms/tok_out", "Limit of each further token", "The mean time per output token, TPOT."),
    ("price_rule", "", "Price rule", "Which offers set a price."),
    ("as_of", "date", "Prices known on", "The day of this edition, or an earlier one; the command takes any."),
    ("people", "count", "Positions that run the service", "Of an own or a rented one."),
    ("spare_replicas", "count", "Spare replicas", "Beyond those that the load needs."),
    ("usd_per_kwh", "USD/kWh", "Price of electricity", "Of own machines."),
    ("usd_per_gpu_hour", "USD/GPU/h", "Your price of a GPU hour", "Blank: the price rule. A number: your price on demand."),
)
NAMES = tuple([name for name, _, _, _ in FIELDS])
RULES = ("typical", "best", "list")


def allowed(facts, name):
    """Ids that a parameter may be, or None where it is a number."""
    if name == "model":
        return list(facts["model_ids"])
    return {"weights": list(operands.WEIGHTS), "kv": list(operands.CACHES), "profile": list(facts["profile_ids"]),
            "price_rule": list(RULES), "as_of": list(facts["days"])}.get(name)


def read(facts, given):
    """Values of the texts that a reader gave, with defaults for what is missing, and what is wrong: (values, {name: sentence}).

    A wrong value is not run: its place has the default.
    """
    values, wrong = dict(facts["start"]), {}
    for name in given:
        if name not in NAMES:
            wrong[name] = "'%s' is no parameter of this page" % _short(name)
            continue
        value, said = _value(facts, name, str(given[name]).strip())
        if said:
            wrong[name] = "%s is '%s', but must be %s" % (name, _short(given[name]), said)
        else:
            values[name] = value
    return values, wrong


def _value(facts, name, text):
    """A value and what is allowed where it is wrong."""
    if name == "gpus":
        ids = list(facts["gpu_ids"]) if text == ALL else text.split(",")
        known = ids and not [one for one in ids if one not in facts["gpu_ids"]] and len(set(ids)) == len(ids)
        return (ids, "") if known else (None, "ids of accelerators, each once, with commas between them, or 'all'")
    ids = allowed(facts, name)
    if ids is not None:
        return (text, "") if text in ids else (None, "one of those in the list")
    if text == "" and name in OPTIONAL:
        return None, ""
    words, bounds = LIMITS[name]
    number = numbers.of_text(text)
    if number != number or not within(number, bounds) or (name in WHOLE and number != int(number)):
        return None, words
    return (int(number) if name in WHOLE else number), ""


def within(number, bounds):
    """Whether a number keeps to bounds: ge, gt, le, lt; what has no end is none."""
    return (number >= bounds.get("ge", -ENDLESS) and number > bounds.get("gt", -ENDLESS) and number < bounds.get("lt", ENDLESS)
            and number <= bounds.get("le", ENDLESS))


def _short(text):
    return str(text)[:60]


def text_of(value):
    """A value as it stands in an address, a command and a field."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return str(value)

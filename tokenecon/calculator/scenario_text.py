"""Reads a scenario file that a reader drops onto the page: as text, by the few forms in which the page itself writes one.

A line is ``name: value``, or ``part:`` with indented lines below, or ``- value`` of a list; values are words, numbers and lists
in brackets.  What is more than that, or more than the page asks, is named and left out; nothing of a file is run.
"""

from tokenecon.calculator import parameters

LARGEST = 20_000  # letters: a longer file is something else
PARTS = ("workload", "traffic", "service", "latency", "money")
PLACES = {"isl": "workload", "osl": "workload", "cached_prefix": "workload", "requests_per_day": "workload", "profile": "traffic",
          "peak_to_mean": "traffic", "people": "service", "spare_replicas": "service", "ttft_ms": "latency", "tpot_ms": "latency",
          "as_of": "money", "price_rule": "money", "usd_per_kwh": "money", "usd_per_gpu_hour": "money"}  # fmt: skip
KEPT = {"api_people": "service", "usd_per_person_year": "service", "wait_probability": "latency", "years": "money",
        "discount_rate": "money", "ops_overhead": "money"}  # fmt: skip
NO_COST = ("name", "seed", "workload.growth_per_year")  # what changes no bill of today
SAID = {"money.currency": "USD", "choices": "own,rent,api"}  # what the page always is


def read(facts, text):
    """Values of a file as texts by the names of the page, and sentences on what it holds that the page cannot take."""
    if len(text) > LARGEST:
        return {}, ["the file has %d letters, but a scenario has %d at most" % (len(text), LARGEST)]
    found, notes = lines(text)
    given = {}
    for path in found:
        value = found[path]
        part, _, name = path.rpartition(".")
        if name in parameters.NAMES and PLACES.get(name, "") == part:
            given[name] = value
        elif KEPT.get(name) == part:
            there = parameters.text_of(facts["defaults"][name])
            if not same(value, there):
                notes.append("%s is '%s' in the file, but this page has %s; the command takes the file" % (
                    path, short(value), there))
        elif path in SAID:
            if value != SAID[path]:
                notes.append("%s is '%s' in the file, but this page has %s; the command takes the file" % (
                    path, short(value), SAID[path]))
        elif path not in NO_COST:
            notes.append("'%s' is no parameter of this page and was left out; the command may take it" % short(path))
    if "profile" in given and "peak_to_mean" in given:
        notes.append("traffic has both profile and peak_to_mean; peak_to_mean is taken")
    return given, notes


def same(value, there):
    """Whether two texts say the same number or word."""
    try:
        return float(value) == float(there)
    except ValueError:
        return value == there


def lines(text):
    """Path to value of a text in the forms of this module, and sentences on lines that are none of them."""
    found, notes, part, listed = {}, [], "", ""
    for place, line in enumerate(text.replace("\r\n", "\n").split("\n")):
        line = bare(line)
        if not line.strip():
            continue
        inside, words = line[:1] in (" ", "\t"), line.strip()
        if words[:2] == "- " and listed:
            found[listed] += ("," if found[listed] else "") + unquoted(words[2:])
            continue
        name, colon, value = words.partition(":")
        name, value = name.strip(), value.strip()
        wrong = not colon or not plain(name) or (value and words[len(name) + 1] not in (" ", "\t")) or value[:1] in (
            "|", ">", "&", "*", "!", "{", "@", "`", "%")
        if wrong or (inside and not part) or (value[:1] == "[") != (value[-1:] == "]"):
            notes.append("line %d, '%s', was left out: a line is 'name: value'" % (place + 1, short(words)))
            listed = ""
            continue
        if not inside:
            part = "" if value else name
        path = part + "." + name if inside else name
        if not value and not inside and name in PARTS:
            listed = ""
            continue
        if path in found:
            notes.append("line %d: %s stands twice; the first is taken" % (place + 1, short(path)))
            continue
        listed = "" if value else path
        if value[:1] == "[":
            value = ",".join([unquoted(one) for one in value[1:-1].split(",") if one.strip()])
        found[path] = unquoted(value)
    return found, notes


def bare(line):
    """A line without its comment."""
    if line.strip()[:1] == "#":
        return ""
    at = line.find(" #")
    return line if at < 0 else line[:at]


def plain(name):
    """Whether a name is one of letters, digits and lines below."""
    return bool(name) and not [one for one in name if not (one == "_" or "a" <= one <= "z" or "0" <= one <= "9")]


def unquoted(value):
    """A value without marks around it."""
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def short(text):
    """A text of a file in a sentence."""
    return text[:60]

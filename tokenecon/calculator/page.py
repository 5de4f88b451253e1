"""The answer to one case as a page shows it: sentences and texts of numbers, written as the command writes them.

Everything is text, a number for drawing, or a list or dict of them, so that it goes through JSON.
"""

from tokenecon import numbers
from tokenecon.calculator import answer, choice, parameters, volume
from tokenecon.calculator.choice import LINES

WORDS = {"API": "Call an API", "rent by the hour": "Rent by the hour", "commitment": "Commit", "own": "Own"}
SELLERS = {"typical": "the median API", "best": "the cheapest API", "list": "the median API of hyperscalers"}
HOURS = {"on_demand": " by the hour", "marketplace": " on a marketplace", "spot": " as spot machines"}
TERMS = {3: " for three months", 12: " for a year", 36: " for three years"}
MOVES = 3  # inputs that would change a bill most
RULE_WORDS = {"typical": "median of all sellers", "best": "cheapest offer", "list": "median of hyperscalers"}
RULES = {"typical": "At median prices", "best": "At the cheapest prices", "list": "At list prices of hyperscalers"}
KINDS_OF_TOKEN = (("Input", "usd_per_mtok_in", "USD/Mtok_in"), ("Cached input", "usd_per_mtok_cached", "USD/Mtok_cached"),
                  ("Output", "usd_per_mtok_out", "USD/Mtok_out"), ("All tokens", "usd_per_mtok", "USD/Mtok"))
SPEEDS = (("Output of a replica", "output_tok_s", "tokens a second", "rate"),
          ("Time to the first token", "ttft_ms", "ms", "ttft"), ("Time per further token", "tpot_ms", "ms", "tpot"))
QUANTITIES = {"rate": "tokens a second", "ttft": "times to the first token", "tpot": "times per token"}
LIMITS = {"memory": "the memory for the KV cache", "ttft_ms": "the limit of the first token", "tpot_ms":
          "the limit of each further token", "": "nothing within the limits asked"}
BOUNDS = {"weights": "reading the weights", "kv cache": "reading the KV cache", "arithmetic": "arithmetic",
          "links": "the links between GPUs", "fixed work": "fixed work of each pass"}
ORDER = ("machines", "idle", "spare", "power", "support", "tools", "people", "tokens")  # of LINES: MicroPython's dicts have none
# columns of the table of choices: (column, head, unit, whether it has a range)
COLUMNS = (("name", "Choice", None, False), ("usd_per_month", "USD a month", "USD/month", True),
           ("usd_per_mtok", "USD per Mtok", "USD/Mtok", True), ("usd_per_mtok_in", "in", "USD/Mtok_in", False),
           ("usd_per_mtok_cached", "cached", "USD/Mtok_cached", False), ("usd_per_mtok_out", "out", "USD/Mtok_out", False),
           ("usd_per_gpu_hour", "GPU hour", "USD/GPU/h", False), ("n_gpus", "GPUs each", "GPU", False),
           ("replicas", "replicas", "count", False), ("utilisation", "busy", "fraction", False),
           ("price_sellers", "sellers", "count", False), ("price_seen", "price seen", None, False),
           ("price_mark", "mark", None, False))


def shown(facts, case, values, parts, api):
    """Everything that the page shows of a case: ``parts`` are :func:`answer.of_gpu` of its accelerators."""
    choices = [one for part in parts for one in part["choices"]] + [api]
    known, best = answer.feasible(choices), answer.cheapest(choices)
    found = {"known": bool(known), "values": {name: text(facts, values, name) for name in parameters.NAMES}, "parts": len(parts),
             "case": case_line(facts, case), "command": command(facts, values), "scenario": scenario_file(facts, values)}
    if not known:
        found.update({"sentence": "Nothing can be had for this case: " + (api["reason"] or "no price is known") + ".",
                      "groups": [], "refused": refused(facts, parts, choices)})
        return found
    machines = [one for one in known if one["kind"] != "api"]
    found.update({
        "sentence": sentence(facts, case, best), "ages": ages(best),
        "groups": [group(one) for one in best],
        "lines": lines(best), "tokens": tokens(case, best),
        "rows": [cells(one) for one in known], "columns": [{"name": name, "head": head} for name, head, _, _ in COLUMNS],
        "refused": refused(facts, parts, choices),
    })
    if machines:
        first = machines[0]
        found["speed"] = speed(facts, case, next(part["row"] for part in parts if part["gpu"] == first["gpu"]), first)
    return found


def case_line(facts, case):
    """The case in one line."""
    names = [facts["gpus"][gpu]["name"] for gpu in case.gpus]
    gpus = ", ".join(names) if len(names) <= 4 else "%d accelerators" % len(names)
    size = "" if case.n_gpus is None else "%d × " % case.n_gpus
    parts = [facts["models"][case.model]["name"], case.weights.upper(), size + gpus,
             "%s → %s tokens" % (plain(case.isl), plain(case.osl)), "%s requests a day" % plain(case.requests_per_day),
             "prices known on " + case.as_of]
    return " · ".join(parts)


def plain(value):
    """A number in its digits with commas."""
    return numbers.grouped(parameters.text_of(float(value)))


def said(facts, one):
    """A choice as what one does."""
    if one["group"] == "API":
        return "calling an API"
    name = facts["gpus"][one["gpu"]]["name"].split(" SXM")[0].split(" (")[0]
    count = numbers.grouped(str(max(1, int(one["gpus"] + 0.5))))
    if one["kind"] in HOURS:
        return "renting about %s %s%s" % (count, name, HOURS[one["kind"]])
    return ("owning %s %s" if one["kind"] == "own" else "committing to %s %s") % (count, name)


def doing(facts, one):
    """A choice on machines as what one does, whatever their number."""
    name = facts["gpus"][one["gpu"]]["name"].split(" SXM")[0].split(" (")[0]
    if one["kind"] == "own":
        return "owning " + name
    if one["kind"] in HOURS:
        return "renting " + name + HOURS[one["kind"]]
    return "reserving " + name + TERMS[facts["term_months"][one["kind"]]]


def volume_sentence(facts, case, api, found):
    """From which volume on a choice is cheaper than the API; ``found`` is what :func:`volume.break_even` found."""
    if api["reason"]:
        return ""
    if not found:
        return "At no volume does owning or renting cost less than %s." % SELLERS[case.price_rule]
    at, one = found[0]
    return "Above about %s requests a day, %s is cheaper than %s." % (
        numbers.rounded(float("%.2g" % at)), doing(facts, one), SELLERS[case.price_rule])


def swings(facts, values, one, found):
    """What would change the bill of a choice most: a row an input, with the bill that it would make and the change."""
    words = {name: said for name, _, said, _ in parameters.FIELDS}
    rows = []
    for name, value, usd in volume.most(found, one["usd_per_month"], MOVES):
        moved = usd - one["usd_per_month"]
        rows.append([words[name], shown_value(facts, name, values[name]), shown_value(facts, name, value),
                     [numbers.number(usd, "USD/month"), ("+" if moved > 0 else "−") + numbers.money(abs(moved))]])
    return {"name": one["name"], "rows": rows}


def shown_value(facts, name, value):
    """A value as a reader says it."""
    if name == "profile":
        return facts["profiles"][value]["label"]
    if name == "price_rule":
        return RULE_WORDS[value]
    if name == "weights":
        return value.upper()
    unit = next(unit for one, unit, _, _ in parameters.FIELDS if one == name).partition("/")[0]
    text = plain(value) if value == int(value) else parameters.text_of(value)
    return "$%s a kWh" % text if unit == "USD" else text + (" ms" if unit == "ms" else "")


def sentence(facts, case, best):
    """What costs least, and what the next kinds cost."""
    first = "%s, %s costs least: about %s a month" % (RULES[case.price_rule], said(facts, best[0]),
                                                      numbers.money(best[0]["usd_per_month"]))
    others = ["%s costs %s" % (said(facts, one), numbers.money(one["usd_per_month"])) for one in best[1:3]]
    return first + (("; " + ", ".join(others)) if others else "") + "."


def ages(best):
    """How old the prices are that decide."""
    known = [one for one in best if one["price_age_days"] is not None]
    if not known:
        return "All prices are yours."
    old = max([one["price_age_days"] for one in known])
    days = sorted([one["price_seen"] for one in known])
    when = days[0] if days[0] == days[-1] else "%s to %s" % (days[0], days[-1])
    return "Prices seen %s; the oldest is %d days old." % (when, old)


def group(one):
    """One kind of choice, by its cheapest: the bill of a month with its range, and what it is of."""
    return {"group": one["group"], "words": WORDS[one["group"]], "name": one["name"],
            # to draw, in cents: the digits behind them depend on the order of a sum
            "usd": [round(one["usd_per_month" + end], 2) for end in ("_low", "", "_high")],
            "month": numbers.number(one["usd_per_month"], "USD/month"),
            "range": numbers.span(one["usd_per_month_low"], one["usd_per_month_high"], "USD/month"),
            "people": numbers.number(one["usd_per_month_people"], "USD/month"),
            "price": priced(one)}


def priced(one):
    """Of how many sellers a price is, and how old."""
    if one["price_age_days"] is None:
        return "your price"
    count = "" if not one["price_sellers"] else "1 seller" if one["price_sellers"] == 1 else "%d sellers" % one["price_sellers"]
    age = "of the day" if not one["price_age_days"] else "%d day%s old" % (one["price_age_days"], "" if one["price_age_days"] == 1
                                                                               else "s")
    return ", ".join([part for part in (count, age, one["price_mark"].replace("old", "").strip(", ")) if part])


def lines(best):
    """The bill of a month line by line: a row a line that any choice has, a column a kind of choice."""
    rows = []
    for line in ORDER:
        usd = [one["usd_per_month_" + line] for one in best]
        if any([value > 0 for value in usd]):
            rows.append([LINES[line]] + [numbers.number(value, "USD/month") if value > 0 else "–" for value in usd])
    rows.append(["A month"] + [numbers.number(one["usd_per_month"], "USD/month") for one in best])
    return {"heads": [WORDS[one["group"]] for one in best], "of": [one["name"] for one in best], "rows": rows}


def tokens(case, best):
    """USD for a million tokens of each kind, with ranges."""
    share = choice.tokens(case)
    kinds = [kind for kind in KINDS_OF_TOKEN if kind[1] != "usd_per_mtok_cached" or share["cached"]]
    rows = [[words] + [[numbers.number(one[name], unit), numbers.span(one[name + "_low"], one[name + "_high"], unit)]
                       for one in best] for words, name, unit in kinds]
    return {"heads": [WORDS[one["group"]] for one in best], "rows": rows}


def speed(facts, case, row, one):
    """Speed and latency of the cheapest choice on machines, the measured error of its group, and what binds."""
    kind = "routed" if facts["models"][case.model]["routed"] else "dense"
    vendor = facts["gpus"][row["gpu"]]["record"]["vendor"]
    maker = "amd" if vendor == "AMD" else "gaudi" if row["gpu"].startswith("gaudi") else "nvidia"
    rows, errors = [], []
    for words, name, unit, quantity in SPEEDS:
        rows.append([words, numbers.number(row[name]), numbers.span(row[name + "_low"], row[name + "_high"]), unit])
        low, high, count = facts["errors"]["%s.%s.%s" % (quantity, kind, maker)]
        errors.append("%s from %s to %s of the prediction (%s rows)" % (
            QUANTITIES[quantity], numbers.number(low, "fraction"), numbers.number(high, "fraction"), numbers.grouped(str(count))))
    error = "Measured values of this group, not seen by the model, lay in four of five cases: " + "; ".join(errors) + "."
    binds = "One replica of %d %s holds %s requests in flight; %s keeps it from more. Most of the time goes to %s." % (
        row["n_gpus"], facts["gpus"][row["gpu"]]["name"], numbers.number(row["concurrency"]), LIMITS[row["limit"]],
        BOUNDS[row["bound"]])
    return {"name": one["name"], "rows": rows, "error": error, "binds": binds, "unmeasured": row["unmeasured"],
            "concurrency": numbers.number(row["concurrency"]), "n_gpus": row["n_gpus"]}


def cells(one):
    """A choice as texts, with ends of its ranges."""
    found = []
    for name, _, unit, ranged in COLUMNS:
        value = one.get(name)
        if unit is None:
            found.append([str(value or ""), ""])
        else:
            ends = numbers.span(one[name + "_low"], one[name + "_high"], unit) if ranged else ""
            found.append([numbers.number(value, unit), ends])
    return found


def refused(facts, parts, choices):
    """What cannot be had, and why in a few words."""
    found = [[part["name"], part["reason"]] for part in parts if part["reason"]]
    return found + [[one["name"], one["reason"]] for one in choices if one["reason"]]


def text(facts, values, name):
    """A value as it stands in an address, a command and a field: all accelerators by that word."""
    if name == "gpus" and len(values[name]) == len(facts["gpu_ids"]):
        return parameters.ALL
    return parameters.text_of(values[name])


def command(facts, values):
    """The command that gives the same numbers."""
    changed = [name for name in parameters.NAMES if values[name] != facts["start"][name]]
    words = ["-p %s %s" % (name, text(facts, values, name)) for name in changed
             if values[name] is not None and not (name == "profile" and values["peak_to_mean"] is not None)]
    return " ".join(["tokenecon cost", facts["scenario"]] + words)


def scenario_file(facts, values):
    """The case as a scenario file, which `tokenecon cost` takes."""
    write = parameters.text_of
    traffic = ("peak_to_mean: " + write(values["peak_to_mean"]) if values["peak_to_mean"] is not None else
               "profile: " + values["profile"])
    defaults = facts["defaults"]
    rows = ["name: Calculator", "model: " + values["model"], "weights: " + values["weights"], "kv: " + values["kv"],
            "gpus: [" + ", ".join(values["gpus"]) + "]"]
    if values["n_gpus"] is not None:
        rows.append("n_gpus: " + write(values["n_gpus"]))
    rows += ["", "workload:"] + ["  %s: %s" % (name, write(values[name])) for name in (
        "isl", "osl", "cached_prefix", "requests_per_day")]
    rows += ["", "traffic:", "  " + traffic, "", "service:"]
    rows += ["  %s: %s" % (name, write(values[name])) for name in ("people", "spare_replicas")]
    rows += ["  %s: %s" % (name, write(defaults[name])) for name in ("api_people", "usd_per_person_year")]
    rows += ["", "latency:"] + ["  %s: %s" % (name, write(values[name])) for name in ("ttft_ms", "tpot_ms")]
    rows += ["  wait_probability: " + write(defaults["wait_probability"]), "", "money:", "  as_of: " + values["as_of"],
             "  price_rule: " + values["price_rule"], "  usd_per_kwh: " + write(values["usd_per_kwh"])]
    rows += ["  %s: %s" % (name, write(defaults[name])) for name in ("years", "discount_rate", "ops_overhead")]
    if values["usd_per_gpu_hour"] is not None:
        rows.append("  usd_per_gpu_hour: " + write(values["usd_per_gpu_hour"]))
    return "\n".join(rows) + "\n"

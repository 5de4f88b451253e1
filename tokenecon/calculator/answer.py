"""What own, rented and API tokens cost in one case: the path of ``tokenecon cost`` on floats, from exported ``facts``.

The page in the reader's browser runs this on MicroPython; the build runs it for the answer that stands in the page before
anything loads.  ``facts`` are what the site's build exports: records, and under ``prices`` those of a day by every rule.
"""

from tokenecon.calculator import choice, memory, replica
from tokenecon.calculator.choice import ENDS, KEPT, KINDS
from tokenecon.fleet import policies, shapes
from tokenecon.numerics import distinct
from tokenecon.ownership import hour_parts

GROUPS = {"own": "own", "rent": "rent by the hour", "commitment": "commitment", "api": "API"}
PERCENTILES = (0.1, 0.5, 0.9)
# of a price that the reader states
STATED = {"seen": "", "age_days": None, "count": None, "said": "", "mark": "", "min_gpus": 1, "term_months": 0.0}


class Case:
    """Parameters as attributes."""

    def __init__(self, **values):
        for name in values:
            setattr(self, name, values[name])


def case(facts, values):
    """The case of checked parameters: what the page does not ask is as in the scenario that the facts come from."""
    found = Case(**dict(facts["defaults"], **values))
    found.hours, found.burst = load(facts, found, found.requests_per_day)
    return found


def prices(facts, case):
    """The prices that are known on the day of the case."""
    return facts["prices"][case.as_of]


def follows_size(facts, case):
    """Whether the hours of the load are those of a measured service, which change with its size."""
    return case.peak_to_mean is None and facts["profiles"][case.profile]["mean_rate"] is not None


def load(facts, case, requests_per_day):
    """Hours and bursts of the case's load for a service of so many requests a day."""
    return memory.kept(facts, ("load", case.profile, case.peak_to_mean, requests_per_day),
                       lambda: _load(facts, case, choice.rate(requests_per_day)))


def _load(facts, case, rate):
    name = case.profile
    if case.peak_to_mean is not None:
        return shapes.smooth_day(case.peak_to_mean), shapes.of_size(facts["pools"], rate)[1]
    profile = facts["profiles"][name]
    if profile["mean_rate"] is not None:
        return shapes.sized(profile["hours"], profile["mean_rate"], facts["pools"], rate)
    return profile["hours"], 1.0 if name == "flat" else shapes.of_size(facts["pools"], rate)[1]


def of_gpu(facts, case, gpu, kinds=tuple(KINDS)):
    """Every choice on one accelerator, and the replica behind them: ``row`` and ``choices``, each with a ``reason`` or a cost."""
    row = replica.best(facts, case, gpu)
    name = facts["gpus"][gpu]["name"]
    if row["reason"]:
        return {"gpu": gpu, "name": name, "row": row, "choices": [], "reason": row["reason"]}
    plans, found = {}, []
    for kind in kinds:
        _, said, policy = KINDS[kind]
        if not policy:
            continue
        one = {"kind": kind, "gpu": gpu, "name": "%s: %s" % (said, name), "group": group_of(facts, kind), "reason": ""}
        asked = _prices(facts, case, gpu, kind)
        if isinstance(asked, str):
            found.append(dict(one, reason=asked))
            continue
        if kind == "own":
            bought = dict(row, unit_gpus=facts["gpus"][gpu]["unit_gpus"])
            plan = planned(facts, case, bought, policy)
            cheap, expected, dear = owned_inputs(facts, case, gpu, plan["utilisation"])
            hours = [hour_parts.owned_total(**end) for end in (cheap, expected, dear)]
            price = dict(asked, low=hours[0], typical=hours[1], high=hours[2])
            one.update(_dated(price), **choice.machines(case, bought, plan, price, row["shares"], kind, expected))
        else:
            bills = []
            for price in asked:
                unit = dict(row, **choice.by_server(row, price["min_gpus"]))
                key = (policy, unit["n_gpus"])
                if key not in plans:
                    plans[key] = planned(facts, case, unit, policy)
                bills.append(dict(_dated(price), **choice.machines(case, unit, plans[key], price, row["shares"], kind)))
            one.update(min(bills, key=lambda bill: bill["usd_per_month"]))
        found.append(one)
    return {"gpu": gpu, "name": name, "row": row, "choices": found, "reason": ""}


def of_api(facts, case):
    """The choice of calling an API."""
    one = {"kind": "api", "gpu": "", "name": "API", "group": "API", "reason": ""}
    best = case.price_rule == "best"
    known = [offer for offer in prices(facts, case)["api"].get(case.model, ()) if not (
        offer["context"] is not None and offer["context"] < choice.tok_per_request(case))]
    if case.price_rule == "list":
        offers = [offer for offer in known if offer["listing"]]
    elif best and any([offer["fresh"] for offer in known]):
        offers = [offer for offer in known if offer["fresh"]]
    else:
        offers = known
    if not offers:
        return dict(one, reason="no seller of tokens of %s is known%s" % (
            facts["models"][case.model]["name"], " among the hyperscalers" if case.price_rule == "list" and known else ""))
    price = choice.chosen(case, offers, best=best, percentiles=PERCENTILES)
    own = [offer for offer in offers if offer["provider"] == price["sellers"][1]]
    first = min(own, key=lambda offer: offer["seen"])
    if best:
        low = price["blend"][1]
        first = next(offer for offer in own if choice.blend(case, offer)["blend"] == low)
    count = len({offer["provider"] for offer in offers})
    slow = case.tpot_ms is not None and any([offer["tok_out_per_s"] is not None and offer["tok_out_per_s"] < (
        1000.0 / case.tpot_ms) for offer in ([first] if best else own)])
    marks = [word for word, holds in (("old", first["old"]), ("outside", best and first["outside"]), ("slow", slow)) if holds]
    one.update(choice.api(case, price))
    one.update({"seller": first["name"], "price_sellers": count, "price_from": first["name"], "price_seen": first["seen"],
                "price_age_days": first["age_days"], "price_mark": ", ".join(marks)})
    return one


def group_of(facts, kind):
    """What a kind of hour binds one to."""
    if KINDS[kind][0] != "rent":
        return GROUPS[KINDS[kind][0]]
    return GROUPS["commitment" if kind in facts["term_months"] else "rent"]


def _prices(facts, case, gpu, kind):
    """Prices of a kind of hour to choose from, or why there is none."""
    if kind == "own":
        owned = prices(facts, case)["owned"][gpu]
        return owned["reason"] if owned["reason"] else owned["price"]
    if kind == "spot":
        return facts["no_spot"]
    if kind == "on_demand" and case.usd_per_gpu_hour is not None:
        usd = case.usd_per_gpu_hour
        return [dict(STATED, low=usd, typical=usd, high=usd)]
    found = prices(facts, case)["rents"][case.price_rule][gpu][kind]
    return found["reason"] if isinstance(found, dict) else found


def planned(facts, case, row, policy):
    """Paid replicas at the fast, expected and slow end of the model's interval, and how busy they are."""
    demand = choice.rate(case.requests_per_day)
    felt = [demand * (row["requests_per_s"] / row["requests_per_s" + end]) for end in reversed(ENDS)]  # the fast one needs fewest
    paid = [whole(row, count + case.spare_replicas) for count in replicas(facts, case, row, policy, felt, case.hours, case.burst)]
    return {"paid": paid, "utilisation": demand / row["requests_per_s"] / paid[1],
            "spare_share": case.spare_replicas / paid[1]}


def replicas(facts, case, row, policy, demands, hours, burst):
    """Mean replicas paid for each of several demands: :func:`policies.fleet`, which would find the same fleets once for each."""
    hours, places = distinct([max(hours)] if policy == "fixed" else hours)  # a fixed fleet is made for its busiest hour
    found, concurrency = [], row["concurrency"]
    for demand in demands:
        held = policies.ascending([burst * (ratio * demand) * concurrency / row["requests_per_s"] for ratio in hours],
                                  concurrency=concurrency, wait_probability=case.wait_probability)
        held = [held[place] for place in places]
        if policy == "autoscale":
            held = policies.autoscaled(held, len(held), facts["start_h"] / policies.STEP_H)
        found.append(sum([max(KEPT, one) for one in held]) / len(held))
    return found


def whole(row, count):
    """Replicas had where their GPUs come in whole servers."""
    unit = row.get("unit_gpus", 1)
    return count if unit == 1 else policies.whole(count, n_gpus=row["n_gpus"], unit_gpus=unit)


def owned_inputs(facts, case, gpu, utilisation):
    """Inputs of an owned hour at the cheap end, as expected, and at the dear end."""
    spans = dict(prices(facts, case)["owned"][gpu]["inputs"], utilisation=[utilisation, utilisation, utilisation, "high"])
    spans["usd_per_kwh"] = [case.usd_per_kwh, case.usd_per_kwh, case.usd_per_kwh, "high"]
    return [{name: span[place if span[3] == "high" else 2 - place] for name, span in spans.items()} for place in range(3)]


def _dated(price):
    """Of how many sellers a price is, and how old the quote that sets it."""
    return {"price_sellers": price["count"], "price_from": price["said"], "price_seen": price["seen"],
            "price_age_days": price["age_days"], "price_mark": price["mark"]}


def feasible(choices):
    """Choices that can be had, the cheapest first."""
    return sorted([one for one in choices if not one["reason"]], key=lambda one: (one["usd_per_mtok"], one["name"]))


def cheapest(choices):
    """The cheapest choice of each kind of tie, by :data:`GROUPS`: what a reader compares."""
    found = []
    for one in feasible(choices):
        if one["group"] not in [other["group"] for other in found]:
            found.append(one)
    return found

"""What is bought with tokens: requests of a task of several turns, and the bill of a task, a user, a tenant, in any currency."""

from tokenecon import units
from tokenecon.formulas import money, serving

SHARES = {"users": "usd_per_user_month", "tenants": "usd_per_tenant_month"}


def requests(task):
    """Requests of a task, and their mean prompt, answer and cached share.

    Each turn is a request, and so is each that is sent again: ``retries`` of them for each turn, of any turn alike.
    """
    growing = {"first_tok": task["first_tok"], "added_tok": task["added_tok"], "turns": task["turns"]}
    prompt = serving.prompt_tok_per_task(answer_tok=task["osl"], **growing)
    held = serving.cached_tok_per_task(prompt_tok=prompt, held_share=task["held_share"], resent_share=task["retries"], **growing)
    sent = 1.0 + task["retries"]
    return {"requests": task["turns"] * sent, "isl": prompt / task["turns"], "osl": task["osl"],
            "cached_prefix": held / (prompt * sent)}


def per_day(usd_per_month):
    """A bill of a month by the day. [USD/day]"""
    return usd_per_month * units.MONTHS_PER_YEAR / units.DAYS_PER_YEAR


def shares(case, usd_per_month):
    """A bill of a month by task, user and tenant, as far as the case says how many there are. [USD]"""
    found = {}
    if case.task:
        found["usd_per_task"] = money.usd_per_request_of_bill(
            usd_per_day=per_day(usd_per_month), requests_per_day=case.requests_per_day / requests(case.task)["requests"])
    for name, column in SHARES.items():
        if getattr(case, name) is not None:
            found[column] = usd_per_month / getattr(case, name)
    return found

"""A change of one input in words: which input moves, and to what."""

from tokenecon import data
from tokenecon.decision import options
from tokenecon.prices import gpu_prices
from tokenecon_book.documents.printed import n
from tokenecon_book.documents.words import dollars, percent

LOADS = {"flat": "the same in every hour", "diurnal": "a smooth day", "weekly": "a smooth week"}
POLICIES = {"fixed": "stands ready for the busiest hour", "autoscale": "follows the load", "to_zero": "scales to zero"}
FORMATS = {"exponential": "exponential", "measured": "as measured"}


def _format(precision):
    return data.precision(precision)["name"]


def _milliseconds(value):
    return f"{value:,.4g} ms"


def _whole(value):
    return f"{value:,.0f}"


# parameter -> what it is called, and its value in words
WORDS = {
    "concurrency": ("Requests served together", n), "isl": ("Input tokens of a request", _whole),
    "osl": ("Output tokens of a request", _whole), "weights": ("Number format of the weights", _format),
    "kv": ("Number format of the cache", _format), "n_gpus": ("GPUs of a replica", n),
    "usd_per_gpu_hour": ("Price of a GPU hour", dollars), "utilisation": ("Paid hours that work", percent),
    "tpot_ms": ("Longest time per token", _milliseconds), "ttft_ms": ("Longest time to the first token", _milliseconds),
    "profile": ("Load over the hours", lambda name: LOADS.get(name, name)), "requests_per_day": ("Requests a day", n),
    "headroom": ("Room for bursts inside an hour", lambda times: "none" if times == 1 else f"{times:g} times"),
    "spare_replicas": ("Replicas that stand by", lambda count: "none" if count == 0 else str(count)),
    "percentile": ("Hours that the fleet is sized for", percent), "policy": ("How the fleet follows the load", POLICIES.get),
    "start_minutes": ("Time to start a replica", lambda minutes: f"{minutes:g} minutes"), "edge_sites": ("Sites", n),
    "central_gpus": ("GPUs in all", n),
    "site_overhead": ("An hour at a site costs more by", percent), "wait_probability": ("Requests that may wait", percent),
    "ops_overhead": ("Operations over machines", percent), "price_rule": ("Prices", gpu_prices.PRICE_RULES.get),
    "price_kind": ("How hours are had", lambda kind: options.KINDS[kind][1]),
    "spot_share": ("Demand that may run on spot", percent),
    "lost_share": ("Lost at most when a provider fails", percent), "provider_gpus": ("GPUs of each provider", n),
    "spot_discount": ("Spot below on demand", percent), "commitment_discount": ("Three years below on demand", percent),
    "lengths": ("Lengths of answers", FORMATS.get), "acceptance": ("Drafts accepted", percent),
    "hit_rate": ("Input found in the cache", percent), "small_share": ("Tokens routed to the small model", percent),
    "peak_to_mean": ("Busiest hour over the mean", lambda times: "1, an even load" if times == 1 else f"{times:g} times"),
    "turns": ("Turns of a conversation", n), "usd_per_month_after": ("Bill of a month", lambda usd: f"${usd:,.0f}"),
    "mfu": ("Share of peak arithmetic", percent), "gpu": ("Accelerator", lambda gpu: data.gpu(gpu)["name"]),
    "requests_per_analyst_hour": ("Requests of an analyst in an hour", n), "groups": ("Groups", n),
    "user_speed": ("Tokens a second of a user", n), "cached_tokens": ("Input found in the cache", n),
    "model": ("Model", lambda model: data.model(model)["name"]), "as_of": ("Prices known on", str),
}  # fmt: skip


def said(change):
    """Which inputs a change moves and to what, as the columns ``what`` and ``to`` of a row; both are empty for no change.

    Of several inputs that move together the first names the change: it is what the reader would turn.
    """
    moved = {name: value for name, value in change.items() if value is not None}
    if not moved:
        return {"what": "", "to": ""}
    name, value = next(iter(moved.items()))
    what, show = WORDS[name]
    return {"what": what, "to": show(value)}

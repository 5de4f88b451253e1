"""Token prices from the price file of LiteLLM, ``model_prices_and_context_window.json``, as a second list."""

import hashlib
import json
from pathlib import Path

from tokenecon import units
from tokenecon.errors import BadInput, quoted
from tokenecon.importers import sellers

SOURCE = "litellm-prices"
MODES = ("chat", "completion", "responses")
FIELDS = (("usd_per_mtok_in", "input_cost_per_token"), ("usd_per_mtok_out", "output_cost_per_token"),
          ("usd_per_mtok_cached", "cache_read_input_token_cost"))  # fmt: skip
# tier -> what its fields add to the names of FIELDS, the last of which some tiers leave out
TIERS = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}
CONTEXT = "max_input_tokens"
LONGEST = 1e9  # tokens: more is no context
MOST = 0.1  # USD a token: hundreds of times the dearest in data/api_prices.csv


class NotThePriceFile(BadInput):
    """The file is not what LiteLLM publishes; the message says what was found."""


def _check(path, name, entry):
    """Refuse an entry that would become a wrong price; the file is then not what it was when this was written."""
    for field in (f"{theirs}{tier}" for _, theirs in FIELDS for tier in ("", *TIERS.values())):
        price = entry.get(field)
        number = isinstance(price, int | float) and not isinstance(price, bool)
        if price is not None and not (number and 0 <= price < MOST):
            raise NotThePriceFile(f"'{path}': {field} of '{name}' is {quoted(price)}, but must be a number of USD a token "
                                  f"from 0 to {MOST:g}")
    context = entry.get(CONTEXT)
    if context is not None and not (isinstance(context, int) and not isinstance(context, bool) and 0 < context < LONGEST):
        raise NotThePriceFile(f"'{path}': {CONTEXT} of '{name}' is {quoted(context)}, but must be a whole number of tokens")
    for field in ("litellm_provider", "deprecation_date", "source"):
        value = entry.get(field)
        if not isinstance(value, str) and (value is not None or field == "litellm_provider"):
            raise NotThePriceFile(f"'{path}': {field} of '{name}' is {quoted(value)}, but must be a text")


def read(path, models, day):
    """Revision of the file (the head of its hash), and its offers of these models on a day.

    ``models`` and the offers are as in :func:`tokenecon.importers.genai_prices.read`.  The file knows no history:
    ``as_of`` is None throughout.  An entry whose end is announced for the day or before is ``retired``.  Each offer has
    ``terms``, too: a dict a tier, the standard one first, with ``tier``, ``context`` [tok] (None where the file has none) and, of
    other tiers, the three prices.
    """
    try:
        text = Path(path).read_bytes()
        entries = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise NotThePriceFile(f"'{path}' cannot be read as LiteLLM's price file: {error}") from error
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise NotThePriceFile(f"'{path}' is not LiteLLM's price file, an object of entries by model")
    offers = []
    for name, entry in entries.items():
        model = sellers.model_of(name, models) if entry.get("mode") in MODES else None
        if not model:
            continue
        _check(path, name, entry)
        money = _money(entry, "")
        if None in (money["usd_per_mtok_in"], money["usd_per_mtok_out"]):
            continue  # a price of 0 stands for one that the list does not know
        ended = (entry.get("deprecation_date") or "9") <= day.isoformat()
        offers.append({"model": model, "provider": sellers.seller(entry["litellm_provider"]), "seller_model": name, **money,
                       "as_of": None, "status": "retired" if ended else "listed", "locator": entry.get("source") or "",
                       "note": f"ended {entry['deprecation_date']}" if ended else "", "terms": _terms(entry)})
    return hashlib.sha256(text).hexdigest()[:10], offers


def _money(entry, tier):
    """Prices of a tier; one of 0 stands for one that the list does not know. [USD/Mtok]"""
    return {ours: round(units.convert(entry.get(theirs + tier) or 0.0, "USD/tok", "USD/Mtok"), 6) or None
            for ours, theirs in FIELDS}


def _terms(entry):
    """What the file says of an entry besides the price of standard service."""
    context = entry.get(CONTEXT)
    found = [{"tier": "standard", "context": context, **dict.fromkeys(ours for ours, _ in FIELDS)}] if context else []
    for tier, suffix in TIERS.items():
        money = _money(entry, suffix)
        if money["usd_per_mtok_in"] and money["usd_per_mtok_out"]:
            found.append({"tier": tier, "context": context, **money})
    return found

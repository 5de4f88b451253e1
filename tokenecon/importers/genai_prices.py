"""Token prices from the library genai-prices: the list that it carries along, read offline, as in force on a day."""

import datetime

from tokenecon.importers import sellers

SOURCE = "genai-prices"
NOON = datetime.time(12, tzinfo=datetime.UTC)  # some sellers ask less at night


class LibraryMissing(RuntimeError):
    """The optional library is not installed; the message says how to install it."""


def read(models, day):
    """Version of the list, and its offers of these models on a day.

    ``models`` maps the id of each model to its aliases, ``day`` is a date.  An offer is a dict: ``model``,
    ``provider``, ``seller_model`` (the list's provider and id), ``usd_per_mtok_in``, ``usd_per_mtok_out``,
    ``usd_per_mtok_cached`` (None where the list has none), ``as_of`` (day from which the price holds, or None),
    ``status`` (``listed`` or ``retired``), ``locator``, ``note``.  Standard service by day; free offers, batch
    queues, fine-tunes and the moving names of makers are left out.
    """
    try:
        import genai_prices
        from genai_prices.data import providers
    except ImportError as error:
        raise LibraryMissing(
            "the optional library genai-prices is not installed; install it with `pip install genai-prices`, or with the "
            "package: `pip install -e '.[prices]'`") from error
    moment = datetime.datetime.combine(day, NOON)
    offers = []
    for provider in providers:
        for entry in provider.models:
            own = provider.id == entry.id.split("-")[0]  # the maker itself: its moving names mean its newest model
            moving = own and entry.id in sellers.MOVING
            model = None if moving else sellers.model_of(entry.id, models, entry.name or "")
            offer = _offer(entry, moment) if model else None
            if offer:
                offers.append({"model": model, "provider": sellers.seller(provider.id),
                               "seller_model": f"{provider.id}/{entry.id}", **offer,
                               "locator": " ".join(provider.pricing_urls or [])})
    return genai_prices.__version__, offers


def _offer(entry, moment):
    """Prices of one entry at a moment, or None where tokens in or out are free or not priced by the token."""
    prices = entry.get_prices(moment)
    notes = []
    money = {ours: _money(getattr(prices, theirs), notes) for ours, theirs in (
        ("usd_per_mtok_in", "input_mtok"), ("usd_per_mtok_out", "output_mtok"), ("usd_per_mtok_cached", "cache_read_mtok"))}
    if not money["usd_per_mtok_in"] or not money["usd_per_mtok_out"]:
        return None
    steps = entry.prices if isinstance(entry.prices, list) else []
    if any(hasattr(step.constraint, "start_time") for step in steps):
        notes.append("other hours have another price")
    since = [step.constraint.start_date for step in steps
             if step.prices is prices and hasattr(step.constraint, "start_date")]
    return {**money, "as_of": since[0].isoformat() if since else None,
            "status": "retired" if entry.deprecated else "listed", "note": "; ".join(dict.fromkeys(notes))}


def _money(price, notes):
    """A price as a float; of one with tiers the first, which holds for short prompts."""
    if price is None:
        return None
    if hasattr(price, "tiers"):
        notes.append(f"dearer with more than {min(tier.start for tier in price.tiers)} tokens in")
        price = price.base
    return float(price)

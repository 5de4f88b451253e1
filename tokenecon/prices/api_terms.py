"""What price lists say of an offer of tokens besides its price: other tiers, number format, longest context, speed.

An offer that is known not to meet what a workload asks is no offer for it.  Lists say little: what is not known keeps no offer
out, but for the number format where the workload asks for one.
"""

import re

import numpy as np
import pandas as pd

from tokenecon import data
from tokenecon.prices import price_book
from tokenecon.queries import remembered

STANDARD = "standard"
WAITING = ("batch", "flex")  # tiers whose answers come when there is room: within a day, or later than others
SAME_PRICE = 0.01  # prices that differ by less are of one offer that two lists round differently
SAID = ("weights", "context", "tok_out_per_s")
FORMAT = re.compile(r"(?:^|[-_.])(nvfp4|mxfp4|int4|int8|fp4|fp8|fp16|bf16)(?=$|[-_.])")


def bits(weights):
    """Bits of a weight of a number format, by the number that ends or begins its name.

    >>> bits("mxfp4"), bits("fp8-block")
    (4, 8)
    """
    return int(re.search(r"\d+", weights).group())


def named_format(seller_model):
    """The number format that an offer has in its name, or nothing.

    >>> named_format("lambda_ai/llama3.3-70b-instruct-fp8")
    'fp8'
    """
    found = FORMAT.search(seller_model.lower().rsplit("/", 1)[-1])
    return found.group(1) if found else ""


def _known(model, as_of):
    """What the lists say of a model's offers up to a day, of each list the newest."""
    rows = data.rows("api_terms", {"model": model, "as_of<=": as_of})
    newest = rows.groupby("source")["as_of"].transform("max")
    return rows[rows["as_of"] == newest]


def _same(one, rows):
    """Which rows ask the same for input and output as one does."""
    return np.logical_and.reduce([np.isclose(rows[column].to_numpy(float), one[column], rtol=SAME_PRICE, equal_nan=False)
                                  for column in ("usd_per_mtok_in", "usd_per_mtok_out")])


def described(offers, as_of):
    """Offers of one model (:func:`price_book.token_prices`) with ``weights``, ``context`` [tok] and ``tok_out_per_s`` as listed.

    What a list says of the same offer goes first, then what lists say of the seller's offers at the same price, then of all of
    the seller's, each where they agree.  Without a word of a list the format that the offer has in its name counts.
    ``tok_out_per_s`` is the median speed of one answer that a router measured on the day of its list.
    """
    if offers.empty:
        return offers.assign(weights="", context=np.nan, tok_out_per_s=np.nan)
    terms = _priced(_known(offers["model"].iloc[0], as_of), offers)
    terms = terms[terms["tier"] == STANDARD]
    found = {name: [] for name in SAID}
    for _, offer in offers.iterrows():
        own = terms[terms["provider"] == offer["provider"]]
        steps = (own[(own["source"] == offer["source"]) & (own["seller_model"] == offer["seller_model"])],
                 own[_same(offer, own)] if len(own) else own, own)
        for name in SAID:
            agreed = next((said for step in steps if len(said := _said(step[name])) == 1), None)
            found[name].append(agreed[0] if agreed else named_format(offer["seller_model"]) if name == "weights" else np.nan)
    return offers.assign(**found)


def _said(values):
    """What a column says, each thing once, without what it leaves blank."""
    return [one for one in values.unique() if one == one and one != ""]


def _priced(terms, offers):
    """Terms with the standard price of their offer, where the table of terms leaves it to that of prices."""
    keys = ["source", "seller_model"]
    listed = offers.drop_duplicates(keys).set_index(keys)[["usd_per_mtok_in", "usd_per_mtok_out"]]
    own = terms[keys].merge(listed, left_on=keys, right_index=True, how="left").set_index(terms.index)
    standard = terms["tier"] == STANDARD
    return terms.assign(**{f"standard_{name}": own[name] for name in listed}, **{
        name: terms[name].where(~standard | terms[name].notna(), own[name]) for name in listed})


def tiers(offers, as_of):
    """The offers, each in every tier of :data:`WAITING` that a list has of the seller at this price; ``tier`` says which."""
    if offers.empty:
        return offers.assign(tier="")
    terms = _priced(_known(offers["model"].iloc[0], as_of), offers)
    terms = terms[terms["tier"].isin(WAITING)].rename(columns={
        "usd_per_mtok_in": "in", "usd_per_mtok_out": "out", "usd_per_mtok_cached": "cached",
        "standard_usd_per_mtok_in": "usd_per_mtok_in", "standard_usd_per_mtok_out": "usd_per_mtok_out"})
    more = []
    for _, offer in offers.iterrows():
        own = terms[terms["provider"] == offer["provider"]]
        for _, term in own[_same(offer, own)].drop_duplicates(["tier", "in", "out"]).iterrows():
            more.append(offer.to_dict() | {"tier": term["tier"], "usd_per_mtok_in": term["in"], "usd_per_mtok_out": term["out"],
                                           "usd_per_mtok_cached": term["cached"]})
    return pd.concat([offers.assign(tier=STANDARD), pd.DataFrame(more, columns=[*offers, "tier"])], ignore_index=True) if (
        more) else offers.assign(tier=STANDARD)


def able(model, as_of, *, positions, weights=None, may_wait=False):
    """Offers of a model's tokens that meet what a workload asks, with their terms; a seller's tiers are rows of their own.

    ``positions`` are the tokens of a request, read and written: a shorter context is no offer.  ``weights`` is the narrowest
    number format asked for: narrower ones and those that nobody states are left out.  ``may_wait`` lets in :data:`WAITING`.
    """
    return _able(model, as_of, float(positions), weights, bool(may_wait)).copy()


@remembered
def _able(model, as_of, positions, weights, may_wait):
    rows = described(price_book.token_prices(model, as_of), as_of)
    rows = rows[~(rows["context"] < positions)]
    if weights:
        asked = bits(weights)
        rows = rows[[bool(one) and bits(one) >= asked for one in rows["weights"]]]
    return tiers(rows, as_of) if may_wait else rows.assign(tier=STANDARD)

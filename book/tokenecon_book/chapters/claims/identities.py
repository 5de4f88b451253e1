"""Sums that figures printed in the documents must satisfy among themselves.

An identity that fails contradicts each of its members whose own default reading does not come out (rule 3 of
:mod:`tokenecon_book.chapters.claims.rule`); a member that physics or arithmetic reproduces stands.
"""

import functools

from tokenecon import units
from tokenecon.formulas import memory, money
from tokenecon_book.chapters.claims.rule import Identity, in_range, known
from tokenecon_book.documents.printed import bits, n, pct, span_text, weights

IDENTITIES = {}  # members -> what computes the identity of them


def among(*members):
    """Put an identity of these claims on the list."""
    def listed(make):
        IDENTITIES[members] = functools.partial(make, members)
        return make

    return listed


@among("up-h100-a100-performance", "hw-h100-a100-gap")
def speed_twice(members, c, tolerance):
    one, other = c.value(members[0]), 1 + c.value(members[1])
    return Identity(members, in_range(other, other, one, one, "ratio", "=", tolerance),
                    f"the speed of an H100 over an A100 is printed as {n(one)} and as {n(other)} times")


@among("up-h100-a100-cost-per-token", "hw-h100-cheaper-per-token")
def cheaper_tokens(members, c, tolerance):
    speed = c.value("hw-h100-70b-throughput") / c.value("hw-a100-70b-throughput")
    ratio = money.relative_cost(price_ratio=c.value("up-h100-a100-price"), speed_ratio=speed)
    return Identity(members, ratio < 1, f"printed price {n(c.value('up-h100-a100-price'))} over printed speed {n(speed)}: an "
                                        f"H100 token costs {n(ratio)} times an A100 token, and is called cheaper")


@among("ec-llama2-70b-bytes-per-token", "ec-fp32-int8-bandwidth")
def full_precision(members, c, tolerance):
    moved = units.convert(c.value(members[0]), "GB/tok", "B/tok") / c.value("ec-llama2-70b-params")
    full = memory.bytes_per_param(bits_per_param=bits("fp32"))
    return Identity(members, in_range(moved, moved, full, full, "B/param", "=", tolerance),
                    f"full precision moves {n(moved)} bytes a parameter in one place and is FP32, {n(full)} bytes, in another")


@among("up-h200-available", "hw-h200-upcoming")
def h200_here(members, c, tolerance):
    rent = c.row("up-h200-cloud-price")
    return Identity(members, not known(rent["low"]),
                    f"the H200 is still to come in one place, and rented at {span_text(*c.span('up-h200-cloud-price'))} USD "
                    "an hour in another")


@among("ec-70b-multi-gpu", "hw-mi300x-no-parallelism")
def one_gpu_holds(members, c, tolerance):
    need = units.convert(weights(c.value("ec-70b-params"), bits("fp16")), "B", "GB")
    room = c.value("hw-mi300x-memory")
    return Identity(members, need > room,
                    f"a 70B model takes several GPUs in one place; its {n(need)} GB fit the printed {n(room)} GB of one MI300X "
                    "in another")


@among("dep-bedrock-premium", "dep-selfhosted-saving")
def premium_and_saving(members, c, tolerance):
    saved = money.premium_saving(premium=c.value(members[0]), overhead=0.0)
    low, high = c.span(members[1])
    return Identity(members, in_range(saved, saved, low, high, "fraction", "range", tolerance),
                    f"a tenfold price means {pct(saved)} saved, and {span_text(low, high, pct)} is printed".replace(
                        "tenfold", f"{n(c.value(members[0]))}-fold"))


@among("dep-central-cost-reduction", "dep-edge-cost")
def centre_and_edge(members, c, tolerance):
    ratio = 1 / (1 - c.value(members[0]))
    low, high = c.span(members[1])
    return Identity(members, in_range(ratio, ratio, low, high, "ratio", "range", tolerance),
                    f"{pct(c.value(members[0]))} cheaper in the centre is {n(ratio)} times dearer at the edge, and "
                    f"{span_text(low, high)} times is printed")


@among("dep-bedrock-premium", "case-shopify-cost-per-million")
def own_cost_twice(members, c, tolerance):
    own = units.convert(c.value("dep-bedrock-price"), "USD/ktok", "USD/Mtok") / c.value("dep-bedrock-premium")
    month = units.convert(c.value("case-shopify-tokens"), "tok", "Mtok") * units.factor("month") / units.factor("day")
    paid = c.value("case-shopify-monthly-cost") / month
    return Identity(members, in_range(paid, paid, own, own, "USD/Mtok", "=", tolerance),
                    f"one's own machines give a million tokens for {n(own)} USD by the printed price and premium, and for "
                    f"{n(paid)} USD in the optimised case of Shopify")


@among("ec-quant-cost-reduction", "sw-quant-cost-factor")
def savings_agree(members, c, tolerance):
    factor = 1 / (1 - c.value(members[0]))
    low, high = c.span(members[1])
    return Identity(members, in_range(factor, factor, low, high, "ratio", "range", tolerance),
                    f"{pct(c.value(members[0]))} saved is a factor of {n(factor)}, and {span_text(low, high)} is printed")


def identities(c, tolerance, claim_ids=None):
    """All identities, computed; or those that some claims are members of."""
    return tuple(make(c, tolerance) for members, make in IDENTITIES.items()
                 if claim_ids is None or not set(members).isdisjoint(claim_ids))

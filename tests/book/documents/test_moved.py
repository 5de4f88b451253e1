"""Changes of one input in words."""

import pytest

from tokenecon.decision import options
from tokenecon.prices import gpu_prices
from tokenecon_book.documents import moved


@pytest.mark.parametrize(("change", "what", "to"), [
    ({}, "", ""),
    ({"tpot_ms": 25.0}, "Longest time per token", "25 ms"),
    ({"usd_per_gpu_hour": 2.14}, "Price of a GPU hour", "$2.14"),
    ({"isl": 4620.2}, "Input tokens of a request", "4,620"),
    ({"requests_per_day": 4_778_000.0}, "Requests a day", "4.778 million"),
    ({"weights": "fp8"}, "Number format of the weights", "FP8"),
    ({"gpu": "h100-sxm-80gb"}, "Accelerator", "H100 SXM"),
    ({"spare_replicas": 0}, "Replicas that stand by", "none"),
    ({"profile": "flat"}, "Load over the hours", "the same in every hour"),
    ({"profile": "servegen-m-large"}, "Load over the hours", "servegen-m-large"),
    ({"price_kind": "spot", "usd_per_gpu_hour": None}, "How hours are had", "spot"),  # what is blank is not moved
    ({"ttft_ms": 4000.0, "tpot_ms": 100.0}, "Longest time to the first token", "4,000 ms"),  # the first names both
])  # fmt: skip
def test_a_change_is_said_by_its_input_and_value(change, what, to):
    assert moved.said(change) == {"what": what, "to": to}


def test_every_choice_of_a_parameter_has_words():
    for name, known in (("price_kind", options.KINDS), ("price_rule", gpu_prices.PRICE_RULES),
                        ("policy", ("fixed", "autoscale", "to_zero")), ("lengths", ("measured", "exponential"))):
        assert all(moved.said({name: one})["to"] for one in known)
